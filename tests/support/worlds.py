"""Random histories of small worlds: two contracts, their credits, a few incidents, in any order, late or twice.

Everything happens within two weeks that start where trouble is: an ordinary Monday, the end of a quarter, the end of
the year that the calendars cover.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from adapters.imports.contract_file import assumed_terms
from domain.values import instant_text
from support.messages import SOURCE, message, sign

MINUTE = 60_000_000
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
STARTS = ("2026-03-02T05:00:00", "2026-03-26T05:00:00", "2026-12-22T05:00:00")
SPAN = 14 * 24 * 60
CAUSES = ("customer", "third_party", "supplier", "force_majeure")
PARTIES = ("supplier", "customer")
AGREED = st.sampled_from([[], [], ["customer"]])
SOURCES = (SOURCE, SOURCE, "portal")


@dataclass(frozen=True)
class Arrival:
    """A message, and when it arrives (microseconds UTC)."""

    at: int
    raw: bytes


@dataclass(frozen=True)
class World:
    """Batches in order of arrival; after each, how many minutes pass before each time the projection is brought on."""

    batches: list[tuple[list[Arrival], list[int]]]


def adopt_calendar(contract: str, time: str, year: int = 2026) -> bytes:
    """A calendar of a year, with longer hours for data-centre services and some holidays."""
    data = {
        "source": "test",
        "source_version": "1",
        "first_year": year,
        "last_year": year,
        "standard": {day: [["08:00", "12:00"], ["13:00", "18:00"]] for day in WEEKDAYS},
        "data_centre": {day: [["08:00", "21:00"]] for day in WEEKDAYS},
        "holidays": [{"day": f"{year}-03-05", "name": "Patrono"}, {"day": f"{year}-12-25", "name": "Natale"}],
    }
    return message("contract.adopt_calendar", f"contract-{contract}", time, data)


def _signature(draw: st.DrawFn, contract: str, customers: list[str], time: str, ends: str | None) -> bytes:
    terms = assumed_terms().model_dump(mode="json")
    terms["tolerance"] = draw(st.sampled_from(["1/10", "1/3", "0/1", "1/2"]))
    terms["time_zone"] = draw(st.sampled_from(["Europe/Rome", "Europe/Rome", "America/New_York", "Asia/Kolkata"]))
    until = {} if ends is None else {"in_force_until": ends}
    return sign(contract, time, terms=terms, customers=customers, **until)


@st.composite
def worlds(draw: st.DrawFn, most_incidents: int = 6) -> World:
    """A world."""
    start = int(datetime.fromisoformat(draw(st.sampled_from(STARTS))).replace(tzinfo=UTC).timestamp()) * 1_000_000
    minutes = st.integers(0, SPAN)

    def text(minute: int) -> str:
        return instant_text(start + minute * MINUTE)

    messages: list[tuple[int, bytes]] = []

    def add(minute: int, command: str, stream: str, data: dict[str, Any] | None = None, source: str = SOURCE) -> None:
        messages.append((start + minute * MINUTE, message(command, stream, text(minute), data, source=source)))

    before = start - 24 * 60 * MINUTE
    for contract, customers in (("a", ["acme"]), ("b", ["beta"])):
        ends = draw(st.one_of(st.none(), minutes.map(text)))
        messages.append((before, _signature(draw, contract, customers, instant_text(before), ends)))
        activated = {"option": {"service": "assistance"}, "effective": "2026-01-01T00:00:00+01:00"}
        messages.append(
            (before, message("contract.activate_option", f"contract-{contract}", instant_text(before), activated))
        )
        messages.append((before, adopt_calendar(contract, instant_text(before))))
        _amendments(draw, messages, start, contract)
        _agreements(draw, add, minutes, text, start, contract)
        _other_services(draw, add, minutes, contract)
        _systems(draw, add, minutes, contract)
        _corrections(draw, add, minutes, text, contract)
        _credits(draw, add, minutes, text, contract)
        _said(draw, messages, start, contract)
        if draw(st.integers(0, 5)) == 0:
            effective = draw(minutes)
            at = draw(st.integers(0, effective))
            ended = {"effective": text(effective), "why": "agreed", "agreed_by": draw(AGREED)}
            add(at, "contract.terminate", f"contract-{contract}", ended)
        if draw(st.integers(0, 5)) == 0:
            right: dict[str, Any] = draw(
                st.sampled_from(
                    [
                        {"field": "customers", "value": ["acme", "gamma"]},
                        {"field": "customers", "value": []},
                        {"field": "customers", "value": ["acme", "beta"]},
                        {"field": "in_force_until", "value": text(SPAN // 2)},
                        {"field": "in_force_from", "value": text(SPAN // 3)},
                    ]
                )
            )
            add(draw(minutes), "record.rectify", f"contract-{contract}", {"version": 1, "why": "a slip", **right})
    for number in range(draw(st.integers(1, most_incidents))):
        _incident(draw, add, minutes, text, f"I{number}")
    return World(_batched(draw, messages))


def _amendments(draw: st.DrawFn, messages: list[tuple[int, bytes]], start: int, contract: str) -> None:
    """Levels revised, another calendar adopted: at some time, or never."""
    at = start + draw(st.integers(0, SPAN)) * MINUTE
    if draw(st.integers(0, 4)) == 0:
        level = {"charge": draw(st.sampled_from([30, 600])), "intervention": 900}
        data = {"levels": {f"p{priority}": level for priority in range(1, 6)}, "effective": instant_text(at)}
        messages.append((at, message("contract.revise_service_level", f"contract-{contract}", instant_text(at), data)))
    if draw(st.integers(0, 4)) == 0:
        messages.append((at, adopt_calendar(contract, instant_text(at), draw(st.sampled_from([2026, 2027])))))


def _agreements(
    draw: st.DrawFn, add: Any, minutes: st.SearchStrategy[int], text: Any, start: int, contract: str
) -> None:
    """The contract renewed, perhaps after its end; Assistenza ended, and perhaps activated again; hours extended."""
    stream = f"contract-{contract}"
    for _ in range(draw(st.integers(0, 2)) if draw(st.booleans()) else 0):
        renewed = {"until": text(draw(st.integers(1, 2 * SPAN))), "revokes_termination": draw(st.booleans())}
        add(draw(minutes), "contract.renew", stream, renewed)
    if draw(st.integers(0, 3)) == 0:
        at = draw(minutes)
        ended = {
            "service": draw(st.sampled_from(["assistance", "operation", "maintenance"])),
            "effective": text(draw(minutes)),
        }
        add(at, "contract.end_option", stream, ended)
        again = {"option": {"service": "assistance"}, "effective": text(draw(minutes))}
        if draw(st.booleans()):
            add(draw(minutes), "contract.activate_option", stream, again)
    for _ in range(draw(st.integers(0, 2))):
        add(
            draw(st.sampled_from([0, 0, SPAN // 3, SPAN])), "contract.extend_coverage", stream, draw(_extensions(start))
        )


@st.composite
def _extensions(draw: st.DrawFn, start: int) -> dict[str, Any]:
    """Windows added to some days of the two weeks: named ones, or those of a period."""
    first = datetime.fromtimestamp(start / 1_000_000, UTC).date()
    days = st.integers(0, 14).map(lambda number: (first + timedelta(days=number)).isoformat())
    windows = draw(st.sampled_from([[["18:00", "21:00"]], [["09:00", "13:00"]], [["22:00", "02:00"]]]))
    hours = draw(st.sampled_from([{}, {"hours": "standard"}, {"hours": "data_centre"}]))
    if draw(st.booleans()):
        return {"dates": draw(st.lists(days, min_size=1, max_size=3)), "windows": windows, **hours}
    begins, ends = sorted([draw(days), draw(days)])
    which: dict[str, Any] = draw(
        st.sampled_from(
            [
                {"weekdays": ["saturday", "sunday"]},
                {"weekdays": [*WEEKDAYS], "holidays": "none"},
                {"weekdays": ["thursday"], "holidays": "on_weekdays"},
                {"holidays": "all"},
            ]
        )
    )
    return {"first_day": begins, "last_day": ends, "windows": windows, **which, **hours}


def _other_services(draw: st.DrawFn, add: Any, minutes: st.SearchStrategy[int], contract: str) -> None:
    """Conduzione and Manutenzione: perhaps activated, perhaps not, and work done under them."""
    stream = f"contract-{contract}"
    for option in draw(st.lists(st.sampled_from([OPERATION, MAINTENANCE]), max_size=2)):
        effective = {"effective": "2026-01-01T00:00:00+01:00"}
        add(draw(minutes), "contract.activate_option", stream, {"option": option, **effective})
    for number in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(sorted(WORK)))
        work = {"work": f"T{number}"} if kind == "record_operation_hours" else {}
        add(draw(minutes), f"contract.{kind}", stream, {**work, **draw(WORK[kind])})


OPERATION = {
    "service": "operation",
    "monitoring": ["uptime"],
    "committed_minutes": 600,
    "per": "month",
    "activities": ["campaigns"],
    "review_every": "month",
}
MAINTENANCE = {"service": "maintenance", "activities": [{"name": "updates", "visits": 2, "per": "month"}]}
WORK: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "record_visit": st.fixed_dictionaries(
        {
            "activity": st.sampled_from(["updates", "backup"]),
            "by": st.just("technician-1"),
            "infrastructure": st.booleans(),
        }
    ),
    "record_operation_hours": st.fixed_dictionaries(
        {
            "activity": st.sampled_from(["campaigns", "design"]),
            "minutes": st.integers(1, 600),
            "by": st.just("consultant-1"),
        }
    ),
    "hold_review": st.just({"indicators": ["leads"]}),
}


def _systems(draw: st.DrawFn, add: Any, minutes: st.SearchStrategy[int], contract: str) -> None:
    """Connected systems declared and withdrawn, often the same by both contracts; some under a wrong name."""
    stream = f"contract-{contract}"
    for number in range(draw(st.integers(0, 4))):
        # The first from the beginning, often: else few requests would find their system declared.
        at = draw(minutes) if number else draw(st.sampled_from([0, 0, SPAN // 3]))
        command = draw(st.sampled_from(["declare", "declare", "withdraw"])) if number else "declare"
        add(at, f"contract.{command}_connected_system", stream, {"system": draw(st.sampled_from(SYSTEMS))})
    if draw(st.integers(0, 3)) == 0:
        right = {"version": draw(st.integers(4, 7)), "field": "system", "value": draw(st.sampled_from(SYSTEMS))}
        add(draw(minutes), "record.rectify", stream, {"why": "a slip", **right})


def _corrections(draw: st.DrawFn, add: Any, minutes: st.SearchStrategy[int], text: Any, contract: str) -> None:
    """Facts of the contract rectified: when they were, what they say. One that does not fit its fact is refused."""
    for _ in range(draw(st.integers(0, 4))):
        fields: list[dict[str, Any]] = [
            {"field": field, "value": text(draw(st.integers(0, 2 * SPAN)))} for field in ("at", "effective", "until")
        ]
        fields += [{"field": "minutes", "value": 7}, {"field": "infrastructure", "value": True}]
        fields += [{"field": "activity", "value": activity} for activity in ("updates", "campaigns")]
        fields += [{"field": "option", "value": option} for option in (OPERATION, MAINTENANCE)]
        fields += [{"field": "dates", "value": ["2026-03-07", "2026-03-28", "2026-12-25"]}]
        fields += [{"field": "windows", "value": [["06:00", "23:00"]]}, {"field": "holidays", "value": []}]
        right = {**draw(st.sampled_from(fields)), "agreed_by": draw(st.sampled_from([[], ["customer"]]))}
        version = draw(st.integers(2, 12))
        add(draw(minutes), "record.rectify", f"contract-{contract}", {"version": version, "why": "a slip", **right})


def _said(draw: st.DrawFn, messages: list[tuple[int, bytes]], start: int, contract: str) -> None:
    """What is said of facts on record, and who may say it: annulled, agreed to, sources appointed and dismissed."""
    minutes = st.integers(0, SPAN)
    streams = (f"contract-{contract}", f"credits-{contract}", "incident-I0", "incident-I1")
    for _ in range(draw(st.integers(0, 5)) if draw(st.booleans()) else 0):
        at, version = start + draw(minutes) * MINUTE, {"version": draw(st.integers(1, 12))}
        by, source = {"by": draw(st.sampled_from(PARTIES))}, draw(st.sampled_from(SOURCES))
        kind = draw(st.sampled_from(["annul", "annul", "agree", "agree_up_to", "appoint", "dismiss"]))
        stream, command, data = draw(st.sampled_from(streams)), f"record.{kind}", {**version, **by}
        if kind == "annul":
            data |= {"why": "told of another request", "agreed_by": draw(AGREED)}
        elif kind == "agree_up_to":
            stream, command, data = streams[0], "record.agree", {"up_to": draw(st.integers(1, 30)), **by}
        elif kind in ("appoint", "dismiss"):
            party = {"party": draw(st.sampled_from(PARTIES))} if kind == "appoint" else {}
            stream, command = streams[0], f"contract.{kind}_source"
            data = {"source": draw(st.sampled_from(SOURCES)), **party}
        messages.append((at, message(command, stream, instant_text(at), data, source=source)))


def _credits(draw: st.DrawFn, add: Any, minutes: st.SearchStrategy[int], text: Any, contract: str) -> None:
    stream = f"credits-{contract}"
    for number in range(draw(st.integers(0, 2))):
        at = draw(minutes)
        expires = draw(st.one_of(st.none(), st.integers(at + 1, 2 * SPAN).map(text)))
        bought = {
            "package": f"P{number}",
            "minutes": draw(st.integers(1, 90)),
            "price": "100.00",
            "expires_at": expires,
        }
        add(draw(st.sampled_from([0, at])), "credits.purchase", stream, bought)
    for number in range(draw(st.integers(0, 2))):
        at = draw(minutes)
        add(
            at,
            "credits.consume",
            stream,
            {"work": f"W{number}", "incident": draw(CONSUMED_FOR), "minutes": draw(st.integers(1, 90))},
        )
        if draw(st.booleans()):
            add(draw(st.integers(at, SPAN)), "credits.reverse", stream, {"work": f"W{number}", "why": "a slip"})
    for number in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        back = {"package": f"P{number}", "minutes": draw(st.integers(0, 60)), "price": draw(st.sampled_from(PRICES))}
        add(draw(minutes), "credits.refund", stream, back)
    if draw(st.integers(0, 3)) == 0:
        right = draw(
            st.sampled_from(
                [
                    {"field": "minutes", "value": 1},
                    {"field": "at", "value": text(0)},
                    {"field": "price", "value": "7.00"},
                    {"field": "incident", "value": "I1"},
                ]
            )
        )
        version = draw(st.integers(1, 4))
        add(draw(minutes), "record.rectify", stream, {"version": version, "why": "a slip", **right})


CONSUMED_FOR = st.sampled_from(["I0", "I0", "I1", "I2", "I5", "NOSUCH"])
PRICES = ("1.00", "60.00")
SYSTEMS = ("erp", "erp", "crm")
ROUTES: list[dict[str, Any]] = [
    {"contract": "a"}, {"contract": "a"}, {"contract": "b"}, {"customer": "acme"}, {"customer": "beta"},
    {"customer": "gamma"}, {}, {"contract": "nobody"}, {"system": "erp"}, {"system": "erp"}, {"system": "crm"},
    {"customer": "acme", "system": "erp"}, {"customer": "gamma", "system": "erp"}, {"contract": "a", "system": "crm"},
]  # fmt: skip


def _incident(draw: st.DrawFn, add: Any, minutes: st.SearchStrategy[int], text: Any, name: str) -> None:
    stream, opened = f"incident-{name}", draw(minutes)
    request: dict[str, Any] = {
        "impact": draw(st.sampled_from(["high", "medium"])),
        "urgency": draw(st.sampled_from(["high", "low"])),
        "requested_by": draw(st.sampled_from(["customer", "customer", "monitoring"])),
        "data_centre": draw(st.booleans()),
    }
    request |= draw(st.sampled_from(ROUTES))
    add(opened, "incident.open", stream, request)
    later = st.integers(opened, min(SPAN, opened + 4 * 24 * 60))
    facts = draw(st.lists(st.tuples(later, st.sampled_from(sorted(FACTS))), max_size=6))
    for at, kind in facts:
        add(at, f"incident.{kind}", stream, draw(FACTS[kind]), draw(st.sampled_from(SOURCES)))
    for _ in range(draw(st.integers(0, 2)) if draw(st.booleans()) else 0):
        version = draw(st.integers(1, 1 + len(facts)))
        at_first = {"field": "at", "value": text(draw(st.integers(0, SPAN)))}
        fields = [at_first, {"field": "urgency", "value": "high"}, {"field": "contract", "value": "b"}]
        fields += [{"field": "data_centre", "value": True}, {"field": "customer", "value": "acme"}]
        fields += [{"field": "system", "value": "erp"}]
        right = draw(st.sampled_from(fields)) if version == 1 else at_first
        agreed = draw(st.sampled_from([[], ["customer"]]))
        add(
            draw(minutes), "record.rectify", stream, {"version": version, "why": "a slip", "agreed_by": agreed, **right}
        )


FACTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "take_in_charge": st.sampled_from([{}, {}, {"automatic": True}]),
    "start_intervention": st.just({}),
    "suspend": st.fixed_dictionaries({"cause": st.sampled_from(CAUSES), "by": st.sampled_from(PARTIES)}),
    "resume": st.just({}),
    "reassess": st.fixed_dictionaries({"impact": st.sampled_from(["high", "low"]), "urgency": st.just("high")}),
    "attribute_responsibility": st.fixed_dictionaries(
        {
            "party": st.sampled_from(CAUSES),
            "clock": st.sampled_from(["charge", "intervention"]),
            "why": st.just("so it was"),
            "agreed_by": st.sampled_from([[], ["customer"]]),
        }
    ),
    "resolve": st.just({}),
    "reopen": st.just({}),
    "close": st.fixed_dictionaries(
        {
            "reason": st.sampled_from(["resolved", "duplicate", "withdrawn"]),
            "by": st.sampled_from(PARTIES),
            "agreed_by": st.sampled_from([[], [], ["customer"]]),
        }
    ),
}


def _batched(draw: st.DrawFn, messages: list[tuple[int, bytes]]) -> list[tuple[list[Arrival], list[int]]]:
    """As they arrive: a few minutes ahead of their date, at once, or days late; some twice."""
    lateness = st.one_of(st.just(0), st.integers(-4, 0), st.integers(0, 3 * 24 * 60))
    arrivals = [Arrival(at + draw(lateness) * MINUTE, raw) for at, raw in messages]
    twice = draw(st.lists(st.sampled_from(arrivals), max_size=2))
    arrivals += [Arrival(one.at + draw(st.integers(0, 24 * 60)) * MINUTE, one.raw) for one in twice]
    arrivals.sort(key=lambda arrival: arrival.at)
    cuts = sorted(draw(st.sets(st.integers(1, len(arrivals)), max_size=5)) | {len(arrivals)})
    # Minutes, for what is dated a little ahead; days, for what time alone changes.
    pauses = st.lists(st.one_of(st.integers(0, 4), st.integers(0, 4 * 24 * 60)), max_size=4)
    begins = [0, *cuts[:-1]]
    return [(arrivals[begin:end], draw(pauses)) for begin, end in zip(begins, cuts, strict=True)]
