"""Random histories for the oracle: contracts, credits, requests and every correction of them, late and in disorder.

`random_history(seed)` gives the same history for the same seed, on every machine. Instants are whole minutes, so that a
count of minutes is exact. A message that concerns another fact names the message that told it; `tell` puts the version
in its place once that is recorded.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

MINUTE = 60_000_000
DAY = 24 * 60
Message = dict[str, Any]
ABOUT = "about"
"""The field in which a correction names the message that it corrects."""

# Types of message and fields that came with annulments, agreements and appointed sources.
NEWER_TYPES = ("record.annul", "record.agree", "credits.refund", "contract.appoint_source", "contract.dismiss_source")
NEWER_FIELDS: dict[str, tuple[str, ...]] = {
    "incident.take_in_charge": ("automatic",),
    "incident.close": ("by", "agreed_by"),
    "contract.revise_service_level": ("by", "agreed_by"),
    "contract.end_option": ("by", "agreed_by"),
    "contract.terminate": ("by", "agreed_by"),
    "contract.renew": ("revokes_termination",),
}

CHANGES_OF_THE_HOUR = {
    "Europe/Rome": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "Africa/Cairo": ("2026-04-24", "2026-10-30"),
    "America/Havana": ("2026-03-08", "2026-11-01"),
    "America/St_Johns": ("2026-03-08", "2026-11-01"),
    "Asia/Kolkata": ("2026-01-01", "2026-06-30"),
}
ZONES = ("Europe/Rome", "Europe/Rome", *CHANGES_OF_THE_HOUR)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOURS = (
    [["08:00", "18:00"]],
    [["08:00", "18:00"]],
    [["08:00", "12:00"], ["13:00", "18:00"]],
    [["08:00", "21:00"]],
    [["22:00", "02:00"]],
    [["00:00", "02:00"], ["08:00", "12:00"]],
    [["00:00", "02:30"], ["23:00", "24:00"]],
    [["01:30", "02:30"], ["09:00", "17:00"]],
    [["02:00", "03:00"], ["20:00", "24:00"]],
    [["00:00", "24:00"]],
    [["18:00", "06:00"]],
)
MATRIX = {
    "high": {"high": 1, "medium": 2, "low": 3},
    "medium": {"high": 2, "medium": 3, "low": 4},
    "low": {"high": 3, "medium": 4, "low": 5},
}
GRADES = ("high", "medium", "low")
PARTIES = ("supplier", "customer")
CAUSES = ("customer", "third_party", "force_majeure", "supplier")
SYSTEMS = ("erp", "crm")
SOURCES = {"supplier": "helpdesk:supplier", "customer": "helpdesk:customer"}

READINGS: dict[str, tuple[str, ...]] = {
    "rate": ("figures", "words"),
    "unit": ("incident", "clock"),
    "population": ("guaranteed", "handled"),
    "window": ("contract_year", "calendar_year", "quarter", "whole_contract"),
    "base": ("purchased_to_date", "purchased_in_window"),
    "one_off": ("contract", "term"),
    "reassessment": ("declared", "latest"),
    "suspensions": ("excluded", "counted"),
    "one_sided": ("recorded", "agreed"),
    "undisclosed": ("counted", "excluded"),
}


@dataclass
class History:
    """Messages, each with the minute at which it arrives, since `start`; both in minutes since 1970."""

    seed: int
    start: int
    span: int
    arrivals: list[tuple[int, Message]] = field(default_factory=list)


def random_reading(rng: Random, fields: Sequence[str] = tuple(READINGS)) -> dict[str, str]:
    """A reading that departs from the literal one in some fields."""
    bold = rng.choice([0, 0.2, 0.5])
    return {name: rng.choice(READINGS[name]) for name in READINGS if name in fields and rng.random() < bold}


def text(minute: int) -> str:
    """An instant as messages write it."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)).isoformat()


def random_history(seed: int, types: Callable[[str], bool]) -> History:
    """A history; `types` says which of the newer types of message there are."""
    rng = Random(seed)
    zone = rng.choice(ZONES)
    first = date.fromisoformat(rng.choice([*CHANGES_OF_THE_HOUR[zone], "2026-12-28", "2026-05-11"]))
    start = (first - date(1970, 1, 1)).days * DAY - rng.randrange(8 * DAY)
    history = History(seed, start, rng.choice([10, 20, 60, 400]) * DAY)
    teller = Teller(rng, history, zone, types("record.annul"))
    for name in ("a", "b", "c")[: rng.choice([1, 1, 2, 2, 3])]:
        teller.contract(name)
    for number in range(rng.randint(1, 8)):
        teller.request(f"I{number}")
    teller.corrections()
    history.arrivals.sort(key=lambda arrival: arrival[0])
    return history


class Teller:
    """Tells a random history, message by message."""

    def __init__(self, rng: Random, history: History, zone: str, newer: bool) -> None:
        self.rng, self.history, self.zone, self.newer = rng, history, zone, newer
        self.names: list[str] = []
        self.told: list[tuple[int, Message]] = []

    def minute(self, least: int = 0, most: int | None = None) -> int:
        """A minute of the history; often a round one, so that several facts meet."""
        first, last = self.history.start + least, self.history.start + (self.history.span if most is None else most)
        minute = self.rng.randint(first, max(first, last))
        return min(max(minute // 30 * 30, first), max(first, last)) if self.rng.random() < 0.5 else minute

    def often(self, share: float) -> bool:
        """Something that happens in a share of histories."""
        return self.rng.random() < share

    def tell(self, kind: str, stream: str, minute: int, data: Message | None = None, late: float = 0.3) -> Message:
        """A fact; told late in a share of cases, by one of several sources."""
        rng = self.rng
        lateness = rng.choice([10, 300, 3 * DAY, 40 * DAY]) if rng.random() < late else 0
        arrives = minute + rng.randint(0, lateness) - (rng.randint(0, 4) if rng.random() < 0.1 else 0)
        said = {name: value for name, value in (data or {}).items() if self.newer or name not in NEWER_FIELDS.get(kind, ())}
        message = {
            "specversion": "1.0",
            "id": f"m{len(self.told)}",
            "source": rng.choice(["desk:one", "desk:one", "desk:two"]),
            "type": f"verbale.{kind}.v1",
            "subject": stream,
            "time": text(minute),
            "data": said,
        }
        self.told.append((minute, message))
        self.history.arrivals.append((arrives, message))
        return message

    # --- a contract -------------------------------------------------------------------------------------------

    def contract(self, name: str) -> None:
        """A contract with its calendars, options, credits and everything that may change it."""
        rng, stream, span = self.rng, f"contract-{name}", self.history.span
        self.names.append(name)
        before = self.history.start - rng.randint(1, 40) * DAY - rng.choice([0, 0, 90])
        signed = self.minute(0, span // 3) if self.often(0.08) else before
        begins = self.minute(0, span // 3) if self.often(0.08) else before + rng.choice([0, 0, 100])
        data: Message = {"in_force_from": text(begins), "terms": self.terms(), "customers": self.customers(name)}
        if self.often(0.6):
            data["in_force_until"] = text(max(begins + 60, self.minute(span // 2, span * 3)))
        self.tell("contract.sign", stream, signed, data, late=0.05)
        self.calendars(stream, before)
        activated = self.minute(0, span // 2) if self.often(0.1) else before
        self.option(stream, activated, {"service": "assistance"})
        self.changes(stream)
        self.credits(name, before)
        self.parties(stream)

    def terms(self) -> Message:
        """Terms with short times, so that many clocks are late."""
        rng = self.rng
        figures = rng.choice(["10%", "12.5%", "1/3"])
        return {
            "source": "signed",
            "time_zone": self.zone if self.often(0.8) else "Europe/Rome",
            "matrix": MATRIX,
            "levels": self.levels(),
            "tolerance": rng.choice(["10%", "1/3", "0/1", "1/2", "1/4"]),
            "penalty": {"figures": figures, "words": "5%"},
        }

    def levels(self) -> Message:
        """Guaranteed times that grow with the priority."""
        charge, intervention = self.rng.choice([30, 60, 120]), self.rng.choice([60, 240, 480])
        return {f"p{number}": {"charge": charge * number, "intervention": intervention * number} for number in range(1, 6)}

    def customers(self, name: str) -> list[str]:
        """Its own customer; at times one that other contracts list too."""
        return [f"customer-{name}", *(["shared"] if self.often(0.4) else [])]

    def calendars(self, stream: str, before: int) -> None:
        """One calendar, or several adopted one after the other; extensions agreed in time or too late."""
        for number in range(self.rng.choice([0, 1, 1, 1, 1, 1, 2, 3])):
            at = self.minute() if number or self.often(0.1) else before
            self.tell("contract.adopt_calendar", stream, at, self.calendar())
        for _ in range(self.rng.choice([0, 0, 1, 2])):
            self.tell("contract.extend_coverage", stream, self.minute(-DAY, self.history.span // 2), self.extension())

    def calendar(self) -> Message:
        """The hours and holidays of some years; not always of all that matter."""
        rng = self.rng
        first, last = rng.choice([(2025, 2028), (2025, 2028), (2025, 2028), (2025, 2026), (2026, 2026), (2027, 2027)])
        holidays = sorted({self.day() for _ in range(rng.randint(0, 4))})
        return {
            "source": "test",
            "source_version": "1",
            "first_year": first,
            "last_year": last,
            "standard": self.week(),
            "data_centre": self.week(),
            "holidays": [{"day": day, "name": "Holiday"} for day in holidays if first <= int(day[:4]) <= last],
        }

    def week(self) -> Message:
        """Windows of working days, or of every day."""
        hours = self.rng.choice(HOURS)
        return {day: hours for day in WEEKDAYS[: self.rng.choice([5, 5, 7])]}

    def day(self) -> str:
        """A day of the history, or a little after it."""
        return text(self.history.start + self.rng.randrange(min(self.history.span, 60 * DAY)) + DAY)[:10]

    def extension(self) -> Message:
        """Windows added to named days, to weekdays of a period, to its holidays."""
        rng = self.rng
        windows = rng.choice([[["18:00", "21:00"]], [["09:00", "13:00"]], [["22:00", "02:30"]], [["00:00", "24:00"]]])
        hours = rng.choice([None, None, "standard", "data_centre"])
        if self.often(0.5):
            return {"dates": sorted({self.day() for _ in range(3)}), "windows": windows, "hours": hours}
        first, last = sorted([self.day(), self.day()])
        reach = rng.choice(["on_weekdays", "all", "none"])
        weekdays = rng.choice([["saturday", "sunday"], list(WEEKDAYS[:5]), list(WEEKDAYS)])
        period = {"first_day": first, "last_day": last, "weekdays": weekdays, "holidays": reach}
        return {**period, "windows": windows, "hours": hours}

    def option(self, stream: str, at: int, option: Message) -> None:
        """A service activated, at times from an earlier or a later date."""
        effective = at if self.often(0.85) else at + self.rng.choice([-10 * DAY, 2 * DAY])
        self.tell("contract.activate_option", stream, at, {"option": option, "effective": text(effective)})

    def changes(self, stream: str) -> None:
        """Levels revised, the option ended, the contract terminated and renewed: often told late."""
        rng, span = self.rng, self.history.span
        for _ in range(rng.choice([0, 0, 1, 2])):
            self.change("contract.revise_service_level", stream, {"levels": self.levels()})
        if self.often(0.15):
            self.change("contract.end_option", stream, {"service": rng.choice(["assistance", "assistance", "operation"])})
            if self.often(0.5):
                self.option(stream, self.minute(), {"service": "assistance"})
        if self.often(0.25):
            self.change("contract.terminate", stream, {"why": "so agreed"})
        for _ in range(rng.choice([0, 0, 1, 2])):
            renewal = {"until": text(self.minute(0, span * 3)), "revokes_termination": self.often(0.3)}
            self.tell("contract.renew", stream, self.minute(), renewal)
        for system in SYSTEMS:
            if self.often(0.5):
                self.tell("contract.declare_connected_system", stream, self.minute(-DAY, span // 2), {"system": system})
            if self.often(0.15):
                self.tell("contract.withdraw_connected_system", stream, self.minute(), {"system": system})
        for kind in ("claim", "waive", "settle"):
            if self.often(0.3):
                at = self.minute()
                step = {"amount": f"{rng.randint(1, 90)}.50", "reading": "literal", "as_of": text(at), "known_on": text(at)}
                self.tell(f"contract.{kind}_penalty", stream, at, step)

    def change(self, kind: str, stream: str, data: Message) -> None:
        """A change that takes effect at once or later, told by one party or agreed."""
        at = self.minute()
        effective = at + self.rng.choice([0, 0, 60, 5 * DAY])
        self.tell(kind, stream, at, {**data, "effective": text(effective), **self.who()}, late=0.6)

    def who(self) -> Message:
        """Which party tells a fact, and who agreed."""
        by = self.rng.choice(PARTIES)
        agreed = [party for party in PARTIES if party != by] if self.often(0.4) else []
        return {"by": by, "agreed_by": agreed}

    def credits(self, name: str, before: int) -> None:
        """Packages bought early and late, with and without expiry; minutes consumed, given back, refunded."""
        rng, stream, span = self.rng, f"credits-{name}", self.history.span
        for number in range(rng.choice([0, 1, 1, 1, 1, 2, 3])):
            at = before if number == 0 and self.often(0.9) else self.minute(-DAY)
            expires = text(at + rng.randint(1, 2 * span)) if self.often(0.4) else None
            price = f"{rng.randint(1, 900)}.{rng.choice(['00', '05', '15', '99'])}"
            bought = {"package": f"P{number}", "minutes": rng.choice([30, 600, 6000]), "price": price, "expires_at": expires}
            self.tell("credits.purchase", stream, at, bought)
            if self.newer and self.often(0.25):
                back = {"package": f"P{number}", "minutes": rng.randint(1, 30), "price": f"{rng.randint(0, 9)}.50"}
                self.tell("credits.refund", stream, self.minute(), back)
        for number in range(rng.choice([0, 1, 2, 3])):
            at = self.minute()
            work = {"work": f"W{number}", "incident": f"I{rng.randrange(3)}", "minutes": rng.choice([1, 20, 90, 700])}
            self.tell("credits.consume", stream, at, work)
            if self.often(0.4):
                undone = {"work": f"W{number}", "why": "entered twice"}
                self.tell("credits.reverse", stream, at + rng.randint(0, 5 * DAY), undone)

    def parties(self, stream: str) -> None:
        """Sources that speak for a party, from some time on, perhaps not for ever."""
        if self.newer and self.often(0.3):
            for party in self.rng.choice([["supplier"], ["customer"], [*PARTIES]]):
                named = {"source": self.rng.choice(["desk:one", "desk:two", SOURCES[party]]), "party": party}
                self.tell("contract.appoint_source", stream, self.minute(-DAY), named)
                if self.often(0.3):
                    self.tell("contract.dismiss_source", stream, self.minute(), {"source": named["source"]})

    # --- a request --------------------------------------------------------------------------------------------

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
        ways: list[Message] = [{"contract": mine}] * 14
        ways += [{"customer": f"customer-{mine}"}, {"customer": "shared"}, {"customer": "shared"}, {"system": system}, {}]
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
            agreed = self.tell("record.agree", stream, self.minute(), {"by": self.rng.choice(PARTIES), ABOUT: about["id"]})
            agreed["data"]["up_to"] = True

    def correct(self, kind: str, about: Message, data: Message) -> None:
        """A fact about another of the same stream."""
        at = max(self.minute(), minute_of(about["time"]))
        self.tell(kind, about["subject"], at, {**data, ABOUT: about["id"]})

    def rectify(self, about: Message) -> None:
        """One field of a fact corrected; often its instant."""
        kind = about["type"].removeprefix("verbale.").removesuffix(".v1")
        fields = {**RECTIFIED.get(kind, {}), "at": lambda teller: text(teller.moved(about))}
        name = self.rng.choice(sorted(fields))
        if kind != "incident.open" or self.often(0.6):
            name = self.rng.choice([name, "at"])
        self.correct("record.rectify", about, {"field": name, "value": fields[name](self), "why": "a slip", **self.who()})

    def moved(self, about: Message) -> int:
        """Another instant, near that of a fact."""
        return minute_of(about["time"]) + self.rng.choice([-1, 1]) * self.rng.choice([5, 60, 600, 3 * DAY])


def minute_of(written: str) -> int:
    """An instant as messages write it, in minutes since 1970."""
    return int(datetime.fromisoformat(written).timestamp()) // 60


def graded(teller: Teller) -> Message:
    """Impact and urgency."""
    return {"impact": teller.rng.choice(GRADES), "urgency": teller.rng.choice(GRADES)}


FOLLOWING: dict[str, Callable[[Teller], Message]] = {
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
RECTIFIED: dict[str, dict[str, Callable[[Teller], Any]]] = {
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


def wire(message: Message) -> bytes:
    """A message as bytes."""
    return json.dumps(message).encode()
