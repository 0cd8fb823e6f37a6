"""Random requests, what follows them, and corrections of anything that was told."""

from collections.abc import Callable
from typing import Any

from support.random_contracts import ContractTeller
from support.random_facts import ABOUT, DAY, PARTIES, SYSTEMS, Message, minute_of, text

GRADES = ("high", "medium", "low")
CAUSES = ("customer", "third_party", "force_majeure", "supplier")


class HistoryTeller(ContractTeller):
    """Tells what happens to requests, and what was wrong."""

    def request(self, name: str) -> None:
        """A request, and up to a dozen facts that follow it within some days."""
        rng, stream = self.rng, f"incident-{name}"
        opened = self.minute()
        said = {
            "impact": rng.choice(GRADES),
            "urgency": rng.choice(GRADES),
            "requested_by": rng.choice(["customer"] * 12 + ["supplier", "monitoring"]),
            "data_centre": self.often(0.3),
            **self.named(),
        }
        self.tell("incident.open", stream, opened, said)
        for kind in rng.choices(sorted(FOLLOWING), k=rng.randint(0, 9)):
            at = opened + rng.choice([rng.randint(0, 600), rng.randint(0, 3 * DAY), rng.randint(0, 12 * DAY)])
            at = at // 30 * 30 if self.often(0.3) and at // 30 * 30 >= opened else at
            self.tell(f"incident.{kind}", stream, at, FOLLOWING[kind](self))

    def named(self) -> Message:
        """What a request names: mostly a contract, else a customer or a system, or nobody."""
        mine, system = self.rng.choice(self.names), self.rng.choice(SYSTEMS)
        ways: list[Message] = [{"contract": mine}] * 22
        ways += [
            {"customer": f"customer-{mine}"},
            {"customer": "shared"},
            {"customer": "shared"},
            {"system": system},
            {},
        ]
        ways += [{"contract": "nobody"}, {"contract": mine, "system": system}, {"contract": mine, "system": system}]
        return self.rng.choice(ways)

    # --- corrections ------------------------------------------------------------------------------------------

    def corrections(self) -> None:
        """Facts rectified, annulled, agreed to afterwards; corrections corrected too."""
        facts = [one for _, one in self.told]
        for _ in range(self.rng.choice([0, 0, 1, 2, 4, 8])):
            self.rectify(self.rng.choice(facts))
        if not self.newer:
            return
        for _ in range(self.rng.choice([0, 0, 1, 3])):
            about = self.rng.choice([one for _, one in self.told])
            self.correct("record.annul", about, {"why": "told of the wrong one", **self.who()})
        for _ in range(self.rng.choice([0, 0, 1, 3])):
            about = self.rng.choice([one for _, one in self.told])
            self.correct("record.agree", about, {"by": self.rng.choice(PARTIES)})
        if self.often(0.1):
            about = self.rng.choice([one for _, one in self.told])
            stream = f"contract-{self.rng.choice(self.names)}"
            agreed = self.tell(
                "record.agree", stream, self.minute(), {"by": self.rng.choice(PARTIES), ABOUT: about["id"]}
            )
            agreed["data"]["up_to"] = True

    def correct(self, kind: str, about: Message, data: Message) -> None:
        """A fact about another of the same stream."""
        at = max(self.minute(), minute_of(about["time"]))
        self.tell(kind, about["subject"], at, {**data, ABOUT: about["id"]})

    def rectify(self, about: Message) -> None:
        """One field of a fact corrected; often its instant."""
        kind = about["type"].removeprefix("verbale.").removesuffix(".v1")
        fields = RECTIFIED.get(kind, {})
        name = self.rng.choice(sorted([*fields, "at"]))
        if kind != "incident.open" or self.often(0.6):
            name = self.rng.choice([name, "at"])
        value = text(self.moved(about)) if name == "at" else fields[name](self)
        self.correct("record.rectify", about, {"field": name, "value": value, "why": "a slip", **self.who()})

    def moved(self, about: Message) -> int:
        """Another instant, near that of a fact."""
        return minute_of(about["time"]) + self.rng.choice([-1, 1]) * self.rng.choice([5, 60, 600, 3 * DAY])


def graded(teller: HistoryTeller) -> Message:
    """Impact and urgency."""
    return {"impact": teller.rng.choice(GRADES), "urgency": teller.rng.choice(GRADES)}


FOLLOWING: dict[str, Callable[[HistoryTeller], Message]] = {
    "take_in_charge": lambda teller: {"automatic": teller.often(0.3)},
    "start_intervention": lambda _: {},
    "suspend": lambda teller: {"cause": teller.rng.choice(CAUSES), **teller.who()},
    "resume": lambda _: {},
    "reassess": graded,
    "attribute_responsibility": lambda teller: {
        "party": teller.rng.choice(CAUSES),
        "clock": teller.rng.choice(["charge", "intervention"]),
        "why": "so it was",
        **teller.who(),
    },
    "resolve": lambda _: {},
    "reopen": lambda _: {},
    "close": lambda teller: {"reason": teller.rng.choice(["resolved", "duplicate", "withdrawn"]), **teller.who()},
}
RECTIFIED: dict[str, dict[str, Callable[[HistoryTeller], Any]]] = {
    "incident.open": {
        "impact": lambda teller: teller.rng.choice(GRADES),
        "urgency": lambda teller: teller.rng.choice(GRADES),
        "contract": lambda teller: teller.rng.choice([*teller.names, None]),
        "customer": lambda teller: teller.rng.choice(["shared", "customer-a"]),
        "data_centre": lambda teller: teller.often(0.5),
        "system": lambda teller: teller.rng.choice(SYSTEMS),
        "requested_by": lambda _: "customer",
    },
    "incident.suspend": {"cause": lambda teller: teller.rng.choice(CAUSES)},
    "incident.attribute_responsibility": {"party": lambda teller: teller.rng.choice(CAUSES)},
    "incident.close": {"reason": lambda teller: teller.rng.choice(["resolved", "duplicate"])},
    "contract.sign": {
        "in_force_from": lambda teller: text(teller.minute(-10 * DAY)),
        "in_force_until": lambda teller: text(teller.minute(0, 2 * teller.history.span)),
        "customers": lambda teller: ["shared"],
        "terms": lambda teller: teller.terms(),
    },
    "contract.revise_service_level": {
        "effective": lambda teller: text(teller.minute()),
        "levels": lambda teller: teller.levels(),
    },
    "contract.terminate": {"effective": lambda teller: text(teller.minute())},
    "contract.end_option": {"effective": lambda teller: text(teller.minute())},
    "contract.activate_option": {"effective": lambda teller: text(teller.minute(-10 * DAY))},
    "contract.renew": {"until": lambda teller: text(teller.minute(0, 3 * teller.history.span))},
    "contract.adopt_calendar": {"holidays": lambda _: []},
    "contract.extend_coverage": {"windows": lambda _: [["06:00", "23:00"]]},
    "contract.claim_penalty": {"amount": lambda _: "3.25"},
    "credits.purchase": {
        "minutes": lambda teller: teller.rng.choice([20, 900]),
        "price": lambda teller: f"{teller.rng.randint(1, 900)}.35",
        "expires_at": lambda teller: text(teller.minute(0, 2 * teller.history.span)),
    },
}
