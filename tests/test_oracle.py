"""The program against the oracle: random histories, and every figure of both.

The oracle counts minutes, knows nothing of `domain` and `projections`, and is the contract read once more
(`support/oracle`). `VERBALE_WORLDS` raises how many histories are tried; a difference names its seed, and
`differences_of(seed)` finds it again.
"""

import ast
import os
import sys
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from support import oracle
from support.comparing import differences, oracle_figures, program_figures
from support.messages import Clock, memory
from support.oracle import Fact, fact, judge
from support.oracle.calendars import WEEKDAYS, Calendar, midnight
from support.oracle.ratios import Case, exceeds, headroom, passed_at
from support.oracle.record import MINUTE, instant
from support.random_facts import DAY, History, text
from support.random_histories import random_history, random_reading
from support.telling import Told

from adapters.inbox.handler import CommandHandler
from domain.catalogue import COMMANDS
from projections.readings import Reading

WORLDS = int(os.environ.get("VERBALE_WORLDS", "0"))
HISTORIES = 40 * WORLDS or 80
"""How many histories are told: a few seconds' worth, or some thousands where worlds are asked for, as CI does."""
QUESTIONS = 2
"""How many questions are asked of each: under a reading, as of an instant, as known on a date."""
PARTS = 8
"""The histories are told in parts, that those who test in parallel share them."""


def history_of(seed: int) -> History:
    """The history of a seed."""
    return random_history(seed, lambda kind: f"verbale.{kind}.v1" in COMMANDS)


def question(rng: Random, history: History, facts: list[Fact]) -> tuple[dict[str, str], int, int]:
    """A reading, an as_of and a known_on; often an instant at which something happened."""
    reading = random_reading(rng, tuple(Reading.model_fields))
    first, last = facts[0].recorded_at // MINUTE + 1, facts[-1].recorded_at // MINUTE + 1
    known_on = rng.choice([last, last, rng.randint(first, last), last + rng.randint(0, 30 * DAY)])
    within = history.start + rng.randrange(history.span)
    as_of = rng.choice([known_on, min(known_on, within), min(known_on, rng.choice(facts).at // MINUTE)])
    return reading, as_of * MINUTE, known_on * MINUTE


def differences_of(seed: int) -> list[str]:
    """Where program and oracle differ on the history of a seed: each names seed, reading, as_of and known_on."""
    history, clock, rng, found = history_of(seed), Clock("2020-01-01T00:00:00Z"), Random(seed), []
    with memory(clock) as ledger:
        told = Told(CommandHandler(ledger, clock), clock).tell(history)
        for _ in range(QUESTIONS if told.facts else 0):
            reading, as_of, known_on = question(rng, history, told.facts)
            program = program_figures(ledger, reading, as_of, known_on)
            counted = oracle_figures(told.facts, reading, as_of, known_on)
            instants = f"as of {text(as_of // MINUTE)}, known on {text(known_on // MINUTE)}"
            asked = f"seed {seed}, {reading or 'literal'}, {instants}"
            found += [f"{asked}: {difference}" for difference in differences(program, counted)]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_figure_is_that_of_a_count_of_minutes(part: int) -> None:
    found = [one for seed in range(part, HISTORIES, PARTS) for one in differences_of(seed)]
    assert not found, "\n".join(found[:20])


def test_the_oracle_knows_nothing_of_the_program_that_it_judges() -> None:
    modules = sorted(Path(oracle.__file__).parent.glob("*.py"))
    nodes = [node for module in modules for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)}
    others = {name for name in imported if not name.startswith("support.oracle")}
    assert others
    assert {name.split(".")[0] for name in others} <= sys.stdlib_module_names


# --- the oracle itself, by hand ---------------------------------------------------------------------------------

TERMS: dict[str, Any] = {
    "time_zone": "Europe/Rome",
    "matrix": {
        "high": {"high": 1, "medium": 1, "low": 2},
        "medium": {"high": 2, "medium": 2, "low": 2},
        "low": {"high": 3, "medium": 3, "low": 3},
    },
    "levels": {f"p{number}": {"charge": 120 * number, "intervention": 240 * number} for number in range(1, 6)},
    "tolerance": "1/2",
    "penalty": {"figures": "10%", "words": "5%"},
}
Telling = tuple[str, str, str, dict[str, Any]]
SIGNING = "2025-12-01T00:00:00Z"


def adopted(windows: list[list[str]], *days: str) -> Telling:
    """A calendar of 2026 with the same windows on some days of the week."""
    hours = dict.fromkeys(days or WEEKDAYS[:5], windows)
    said = {"first_year": 2026, "last_year": 2026, "standard": hours, "data_centre": hours, "holidays": []}
    return ("contract.adopt_calendar", "contract-a", SIGNING, said)


def bought(package: str, price: str, at: str = "2026-01-02T00:00:00Z") -> Telling:
    """An hour of credits."""
    return ("credits.purchase", "credits-a", at, {"package": package, "minutes": 60, "price": price})


ACTIVATED = {"option": {"service": "assistance"}, "effective": "2026-01-01T00:00:00+01:00"}
UNDER_CONTRACT: list[Telling] = [
    ("contract.sign", "contract-a", SIGNING, {"in_force_from": "2026-01-01T00:00:00+01:00", "terms": TERMS}),
    adopted([["08:00", "18:00"]]),
    ("contract.activate_option", "contract-a", SIGNING, ACTIVATED),
    bought("A", "100.05"),
]
"""A contract in force from 2026, Monday to Friday 08:00-18:00; priority 1: 120 and 240 minutes."""


def told(kind: str, at: str, name: str = "I", **data: Any) -> Telling:
    """A fact of a request in the first week of March 2026, in Rome: "Mon 09:00" is the 2nd."""
    day, hour = at.split()
    said = {"impact": "high", "urgency": "high", "contract": "a", **data} if kind == "open" else data
    number = 2 + ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun").index(day)
    return (f"incident.{kind}", f"incident-{name}", f"2026-03-{number:02}T{hour}:00+01:00", said)


def facts_of(*tellings: Telling) -> list[Fact]:
    """Facts recorded at their own instants, in this order."""
    versions: dict[str, int] = {}
    found = []
    for position, (kind, stream, at, data) in enumerate(tellings, 1):
        versions[stream] = versions.get(stream, 0) + 1
        said = {"type": f"verbale.{kind}.v1", "time": at, "subject": stream, "source": "desk", "data": data}
        found.append(fact(said, position, versions[stream], instant(at)))
    return found


def judged(*tellings: Telling, as_of: str = "2026-03-31T00:00:00Z", **reading: str) -> dict[str, Any]:
    """What the oracle says of facts beside a contract in force."""
    return judge(facts_of(*UNDER_CONTRACT, *tellings), reading, instant(as_of), 1 << 60)


def clocks(*tellings: Telling, **asked: str) -> list[tuple[str, int | None]]:
    """What the two clocks of the request show, and what they count, in minutes."""
    found = judged(*tellings, **asked)["compliance"]["I"]["clocks"].values()
    return [(one.verdict, None if one.net_us is None else one.net_us // MINUTE) for one in found]


def at(text: str) -> int:
    """An instant of March 2026: "Mon 09:00"."""
    return instant(told("resume", text)[2])


@pytest.mark.parametrize(
    ("zone", "day", "windows", "minutes"),
    [
        ("Europe/Rome", "2026-06-01", [["08:00", "12:00"], ["13:00", "18:00"]], 540),
        ("Europe/Rome", "2026-06-01", [["22:00", "02:00"]], 240),
        ("Europe/Rome", "2026-06-01", [["00:00", "24:00"]], 1440),
        ("Europe/Rome", "2026-03-29", [["00:00", "06:00"]], 300),
        ("Europe/Rome", "2026-10-25", [["00:00", "06:00"]], 420),
        ("Europe/Rome", "2026-10-24", [["22:00", "04:00"]], 420),
        # What is skipped takes no time; an edge within it is where the wall jumps.
        ("Europe/Rome", "2026-03-29", [["00:00", "02:30"]], 120),
        ("Europe/Rome", "2026-03-29", [["02:15", "02:45"]], 0),
        # 00:00-02:00 ends at the first 02:00, 00:00-02:30 at the second 02:30; an opening is at the first.
        ("Europe/Rome", "2026-10-25", [["00:00", "02:00"]], 120),
        ("Europe/Rome", "2026-10-25", [["00:00", "02:30"]], 210),
        ("Europe/Rome", "2026-10-25", [["02:00", "03:00"]], 120),
        ("Europe/Rome", "2026-10-25", [["02:30", "04:00"]], 150),
        # At 02:00 the wall goes back by half an hour, so that it last shows a time before 02:00 half an hour later.
        ("Australia/Lord_Howe", "2026-04-05", [["00:00", "02:00"]], 150),
        ("Australia/Lord_Howe", "2026-04-05", [["00:00", "01:30"]], 90),
    ],
)
def test_a_window_counts_the_time_that_really_passes(zone: str, day: str, windows: list[Any], minutes: int) -> None:
    first = date.fromisoformat(day)
    start, end = midnight(zone, first - timedelta(days=1)), midnight(zone, first + timedelta(days=2))
    calendar = Calendar(zone, facts_of(adopted(windows, WEEKDAYS[first.weekday()])), "standard", start, end)
    assert calendar.open.count(1) == minutes


def test_two_hours_used_up_at_closing_are_met_the_next_morning_and_breached_a_minute_later() -> None:
    opened = told("open", "Fri 16:00")
    assert clocks(opened, told("take_in_charge", "Fri 18:00")) == [("met", 120), ("breached", 120 + 16 * 600)]
    monday: Telling = ("incident.start_intervention", "incident-I", "2026-03-09T08:00:00+01:00", {})
    assert clocks(opened, monday) == [("met", 120), ("met", 120)]
    later: Telling = ("incident.start_intervention", "incident-I", "2026-03-09T08:01:00+01:00", {})
    assert clocks(opened, later) == [("breached", 121), ("met", 121)]
    late = judged(opened, later)["compliance"]["I"]["clocks"]["charge"]
    assert (late.due, late.decided_at) == (at("Fri 18:00"), instant("2026-03-09T08:00:00+01:00") + 1)


def test_a_suspension_stops_both_clocks_unless_the_supplier_caused_it() -> None:
    tellings = [told("open", "Mon 09:00"), told("suspend", "Mon 10:00", cause="customer"), told("resume", "Mon 11:00")]
    charge = told("take_in_charge", "Mon 12:00")
    assert clocks(*tellings, charge)[0] == ("met", 120)
    assert clocks(*tellings, charge, suspensions="counted")[0] == ("breached", 180)
    tellings[1] = told("suspend", "Mon 10:00", cause="supplier")
    assert clocks(*tellings, charge)[0] == ("breached", 180)


def test_a_suspension_that_only_the_supplier_tells_is_removed_unless_agreed() -> None:
    tellings = [told("open", "Mon 09:00"), told("suspend", "Mon 10:00", cause="customer"), told("resume", "Mon 11:00")]
    charge = told("take_in_charge", "Mon 12:00")
    assert clocks(*tellings, charge, one_sided="agreed")[0] == ("breached", 180)
    agreed = ("record.agree", "incident-I", "2026-03-20T00:00:00Z", {"version": 2, "by": "customer"})
    assert clocks(*tellings, charge, agreed, one_sided="agreed")[0] == ("met", 120)
    all_of_it = ("record.agree", "contract-a", "2026-03-20T00:00:00Z", {"up_to": 6, "by": "customer"})
    assert clocks(*tellings, charge, all_of_it, one_sided="agreed")[0] == ("met", 120)


def test_a_robot_s_receipt_stops_no_clock() -> None:
    receipt = told("take_in_charge", "Mon 09:05", automatic=True)
    assert clocks(told("open", "Mon 09:00"), receipt, told("resolve", "Mon 10:00")) == [("met", 60), ("met", 60)]


def test_who_closes_as_void_decides_what_becomes_of_a_breach() -> None:
    opened = told("open", "Mon 09:00")
    by_supplier = told("close", "Mon 12:00", reason="withdrawn")
    assert clocks(opened, by_supplier) == [("breached", 180), ("void", 180)]
    agreed = told("close", "Mon 12:00", reason="withdrawn", agreed_by=["customer"])
    assert [verdict for verdict, _ in clocks(opened, agreed)] == ["void", "void"]
    # Reopened, both go on; the time between counts unless the customer had closed it.
    reopened, charge = told("reopen", "Mon 13:00"), told("start_intervention", "Mon 13:30")
    assert clocks(opened, by_supplier, reopened, charge) == [("breached", 270), ("breached", 270)]
    assert clocks(opened, agreed, reopened, charge) == [("breached", 210), ("met", 210)]
    assert clocks(opened, by_supplier, charge, one_sided="agreed") == [("breached", 270), ("breached", 270)]


def test_a_breach_proven_within_the_years_covered_stays_one() -> None:
    opening = ("incident.open", "incident-I", "2026-12-31T14:30:00+01:00", told("open", "Mon 09:00")[3])
    assert clocks(opening, as_of="2027-02-01T00:00:00Z") == [("breached", None), ("undecided", None)]


def test_under_latest_the_last_reassessment_that_changed_the_priority_rules() -> None:
    opened, lower = told("open", "Mon 09:00"), told("reassess", "Mon 10:00", impact="medium", urgency="low")
    same = told("reassess", "Mon 15:00", impact="medium", urgency="high")
    charge = told("take_in_charge", "Mon 16:00")
    assert clocks(opened, lower, same, charge)[0] == ("breached", 420)
    raised = told("reassess", "Mon 15:00", impact="high", urgency="high")
    found = judged(opened, lower, raised, charge, reassessment="latest")["compliance"]["I"]["clocks"]["charge"]
    assert (found.verdict, found.target, found.decided_at) == ("breached", 120, at("Mon 15:00"))
    found = judged(opened, lower, same, charge, reassessment="latest")["compliance"]["I"]["clocks"]["charge"]
    assert (found.verdict, found.target, found.decided_at) == ("breached", 240, at("Mon 13:00") + 1)


def test_a_wrong_fact_is_rectified_or_annulled_and_an_annulment_may_be_annulled() -> None:
    opened, charge = told("open", "Mon 09:00"), told("take_in_charge", "Mon 12:00")
    earlier = (
        "record.rectify",
        "incident-I",
        SIGNING,
        {"version": 2, "field": "at", "value": "2026-03-02T10:00:00+01:00"},
    )
    annulled = ("record.annul", "incident-I", SIGNING, {"version": 3, "why": "a slip"})
    again = ("record.annul", "incident-I", SIGNING, {"version": 4, "why": "no slip"})
    assert clocks(opened, charge)[0] == ("breached", 180)
    assert clocks(opened, charge, earlier)[0] == ("met", 60)
    assert clocks(opened, charge, earlier, annulled)[0] == ("breached", 180)
    assert clocks(opened, charge, earlier, annulled, again)[0] == ("met", 60)
    assert clocks(opened, charge, earlier, one_sided="agreed")[0] == ("breached", 180)


def test_a_request_is_guaranteed_or_best_effort_for_the_first_reason_that_holds() -> None:
    def answer(*tellings: Telling, **named: Any) -> str | None:
        reason: str | None = judged(*tellings, told("open", "Mon 09:00", **named))["compliance"]["I"]["coverage"].reason
        return reason

    used_up = ("credits.consume", "credits-a", "2026-03-02T07:00:00Z", {"work": "W", "incident": "I", "minutes": 90})
    assert answer() is None
    assert answer(contract="b") == "no_contract"
    assert answer(used_up) == "no_credits"
    assert answer(used_up, requested_by="monitoring") == "not_requested"
    ended = {"effective": "2026-03-01T00:00:00Z", "service": "assistance"}
    assert answer(("contract.end_option", "contract-a", "2026-02-01T00:00:00Z", ended)) == "assistance_not_activated"
    terminated = ("contract.terminate", "contract-a", "2026-02-01T00:00:00Z", {"effective": "2026-03-01T00:00:00Z"})
    assert answer(terminated) == "contract_not_in_force"
    renewed = {"until": "2027-01-01T00:00:00Z"}
    revoking = {**renewed, "revokes_termination": True}
    at_20 = "2026-02-20T00:00:00Z"
    assert answer(terminated, ("contract.renew", "contract-a", at_20, renewed)) == "contract_not_in_force"
    assert answer(terminated, ("contract.renew", "contract-a", at_20, revoking)) is None


def test_minutes_come_from_the_package_that_expires_first_and_go_back_there() -> None:
    expiring = {"package": "B", "minutes": 60, "price": "1.00", "expires_at": "2026-03-04T00:00:00Z"}
    told_of_credits: list[Telling] = [
        ("credits.purchase", "credits-a", "2026-01-03T00:00:00Z", expiring),
        ("credits.consume", "credits-a", "2026-03-02T00:00:00Z", {"work": "W", "incident": "I", "minutes": 100}),
        ("credits.consume", "credits-a", "2026-03-03T00:00:00Z", {"work": "V", "incident": "I", "minutes": 30}),
    ]
    assert judged(*told_of_credits)["credits"]["a"] == {
        "bought": 120,
        "consumed": 120,
        "expired": 0,
        "refunded": 0,
        "remaining": 0,
        "shortfall": 10,
        "value": "101.05",
    }
    undone = ("credits.reverse", "credits-a", "2026-03-05T00:00:00Z", {"work": "W", "why": "twice"})
    found = judged(*told_of_credits, undone)["credits"]["a"]
    assert [found[name] for name in ("consumed", "expired", "remaining")] == [20, 60, 40]


def test_exactly_the_tolerance_is_not_passed_and_headroom_is_how_many_more_it_bears() -> None:
    assert [exceeds(breaches, 30, Fraction(1, 10)) for breaches in (3, 4)] == [False, True]
    assert [headroom(0, cases, Fraction(1, 10)) for cases in (0, 8, 9, 18)] == [0, 0, 1, 2]
    assert headroom(1, 9, Fraction(1, 10)) is None


def test_a_tolerance_is_passed_at_the_verdict_after_which_it_stays_so() -> None:
    cases = [Case("A", 1, 1), Case("B", 2, None), Case("C", 3, 4), Case("D", 5, None)]
    assert passed_at(cases[:3], Fraction(1, 2)) == (4, ["C"])
    assert passed_at(cases, Fraction(1, 2)) is None


def test_the_maximum_is_a_rate_of_what_was_bought_half_up_and_falls_by_what_was_paid() -> None:
    late = told("open", "Mon 09:00")
    paid = ("contract.settle_penalty", "contract-a", "2026-03-20T00:00:00Z", {"amount": "4.00"})
    row = judged(late, paid, window="whole_contract")["penalty"]["a"]
    assert (str(row["base"]), str(row["maximum_penalty"]), row["outstanding"]) == ("100.05", "10.01", None)
    terminated = ("contract.terminate", "contract-a", "2026-03-19T00:00:00Z", {"effective": "2026-03-20T00:00:00Z"})
    row = judged(late, paid, terminated, bought("B", "50.00", "2026-03-20T00:00:00Z"), rate="words")["penalty"]["a"]
    assert (str(row["base"]), str(row["maximum_penalty"]), str(row["outstanding"])) == ("100.05", "5.00", "1.00")
    assert (row["status"], row["passed_at"]) == ("closed", at("Mon 11:00") + 1)
    nothing = judged()["penalty"]["a"]
    assert (nothing["maximum_penalty"], str(nothing["base"])) == (None, "100.05")
