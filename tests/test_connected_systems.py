"""Connected systems: when each was disclosed, what affects one, and the reading that excludes it (S1)."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.history import (
    ACME,
    Journal,
    best_effort,
    bought,
    intervention_started,
    opened,
    rectified,
    resolved,
    signed,
    under_contract,
    when,
)
from support.messages import CONTRACT, INCIDENT, NOON, contract_in_force, message, opening
from support.offices import KINDS, Office, dump, office

from adapters.live_tables.rebuild import build
from adapters.reports.breach import WINDOWS
from adapters.reports.systems import CONNECTED_SYSTEMS, EFFECTS
from domain.contract_facts import ConnectedSystemDeclared, ConnectedSystemWithdrawn
from domain.facts import Fact
from domain.interval import Interval
from domain.values import read_instant
from projections.clocks import Verdict
from projections.connected_systems import EffectRow, SystemRow, effects, lines, systems
from projections.readings import LITERAL, Reading

Run = Callable[..., tuple[int, str, str]]
EXCLUDED = "undisclosed=excluded"


def declared(at: str, system: str = "erp") -> ConnectedSystemDeclared:
    return ConnectedSystemDeclared(at=when(at), system=system)


def withdrawn(at: str, system: str = "erp") -> ConnectedSystemWithdrawn:
    return ConnectedSystemWithdrawn(at=when(at), system=system)


def late_one(*facts: Fact, system: str | None = "erp") -> Journal:
    """A contract with some facts more, and a request of Monday at 9:00 that is taken in charge late."""
    return under_contract().contract(*facts).late("INC1", system=system)


def disclosed(journal: Journal, as_of: str = "Fri 18:00") -> list[tuple[str, Interval]]:
    return [(row.system, row.disclosure) for row in systems(journal.replay(as_of))]


def effect(journal: Journal, as_of: str = "Fri 18:00", reading: str = "literal") -> EffectRow:
    (row,) = effects(journal.replay(as_of, reading), journal.rows(as_of, reading))
    return row


# --- when a system is disclosed -----------------------------------------------------------------------------------


def test_a_system_is_disclosed_from_its_declaration_to_its_withdrawal_and_again() -> None:
    journal = under_contract().contract(declared("Mon 08:00"), withdrawn("Tue 08:00"), declared("Wed 08:00"))
    journal.contract(declared("Mon 08:00", "crm"))
    assert disclosed(journal) == [
        ("crm", Interval(when("Mon 08:00"), None)),
        ("erp", Interval(when("Mon 08:00"), when("Tue 08:00"))),
        ("erp", Interval(when("Wed 08:00"), None)),
    ]


def test_what_is_told_later_is_not_told_yet_and_what_is_told_twice_begins_once() -> None:
    journal = under_contract().contract(declared("Mon 08:00"), declared("Tue 08:00"), withdrawn("Wed 08:00"))
    assert disclosed(journal, "Tue 12:00") == [("erp", Interval(when("Mon 08:00"), None))]
    assert systems(journal.replay("Tue 12:00"))[0].changes_at == when("Wed 08:00")


def test_of_two_facts_of_one_instant_the_last_told_rules() -> None:
    assert disclosed(under_contract().contract(declared("Mon 08:00"), withdrawn("Mon 08:00"))) == []


def test_a_system_that_was_only_withdrawn_was_never_disclosed() -> None:
    assert disclosed(under_contract().contract(withdrawn("Mon 08:00"))) == []


def test_a_rectified_declaration_counts_as_corrected_with_both_versions() -> None:
    journal = under_contract().contract(declared("Mon 08:00"), rectified(4, "system", "crm"))
    (row,) = systems(journal.replay())
    assert (row.system, row.versions) == ("crm", (4, 5))


# --- what affects one ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "is_disclosed", "disclosure"),
    [
        ((), False, None),
        ((declared("Mon 08:00"),), True, ("Mon 08:00", None)),
        ((declared("Mon 09:00"),), True, ("Mon 09:00", None)),
        ((declared("Mon 09:01"),), False, ("Mon 09:01", None)),
        ((declared("Mon 08:00"), withdrawn("Mon 08:30")), False, ("Mon 08:00", "Mon 08:30")),
        ((declared("Mon 08:00"), withdrawn("Mon 09:00")), False, ("Mon 08:00", "Mon 09:00")),
        ((declared("Mon 08:00"), withdrawn("Tue 08:00")), True, ("Mon 08:00", "Tue 08:00")),
        ((declared("Mon 08:00"), withdrawn("Mon 08:30"), declared("Tue 08:00")), False, ("Mon 08:00", "Mon 08:30")),
        ((declared("Mon 09:30"), withdrawn("Tue 08:00"), declared("Wed 08:00")), False, ("Mon 09:30", "Tue 08:00")),
        ((declared("Mon 08:00", "crm"),), False, None),
    ],
)
def test_an_effect_says_whether_its_system_was_disclosed_at_the_opening_and_when_it_was(
    facts: tuple[Fact, ...], is_disclosed: bool, disclosure: tuple[str, str | None] | None
) -> None:
    row = effect(late_one(*facts))
    wanted = disclosure and Interval(when(disclosure[0]), when(disclosure[1]) if disclosure[1] else None)
    assert (row.incident, row.contract, row.system, row.opened_at) == ("INC1", ACME, "erp", when("Mon 09:00"))
    assert (row.disclosed, row.disclosure) == (is_disclosed, wanted)
    assert (row.late, row.breach, row.excluded) == (True, True, False)


def test_a_declaration_recorded_late_counts_from_its_own_instant_once_it_is_known() -> None:
    journal = late_one()
    journal.contract(declared("Mon 08:00"), recorded="Thu 09:00")
    assert effect(journal.known_on("Wed 09:00")).disclosed is False
    assert effect(journal).disclosed is True


def test_a_rectified_opening_is_looked_at_again() -> None:
    journal = late_one(declared("Tue 08:00")).incident("INC1", rectified(1, "at", when("Tue 09:00")))
    assert effect(journal).disclosed is True
    journal.incident("INC1", rectified(1, "system", "crm"))
    assert (effect(journal).system, effect(journal).disclosed) == ("crm", False)


def test_a_request_under_no_contract_is_neither_disclosed_nor_not() -> None:
    journal = under_contract().incident("INC1", opened(contract="nobody", answer=best_effort("no_contract", None)))
    journal.incident("INC1", rectified(1, "system", "erp"))
    row = effect(journal, reading=EXCLUDED)
    assert (row.contract, row.disclosed, row.disclosure, row.excluded) == ("nobody", None, None, False)


def test_a_request_that_names_no_system_affects_none() -> None:
    journal = late_one(system=None)
    assert effects(journal.replay(), journal.rows()) == []


def test_every_effect_and_every_other_disclosure_is_one_line_in_order() -> None:
    facts = (declared("Mon 08:00"), withdrawn("Tue 08:00"), declared("Wed 08:00"), declared("Mon 08:00", "crm"))
    journal = late_one(*facts).met("INC0", "Tue", system="erp").met("INC2", system="crm").met("INC3", system="web")
    replay = journal.replay()
    found = lines(systems(replay), effects(replay, journal.rows()))
    assert [(row.system, row.incident if isinstance(row, EffectRow) else None) for row in found] == [
        ("crm", "INC2"), ("erp", "INC1"), ("erp", "INC0"), ("erp", None), ("web", "INC3"),
    ]  # fmt: skip
    assert [row.disclosure for row in found if isinstance(row, SystemRow)] == [Interval(when("Wed 08:00"), None)]


# --- the reading that excludes what was not disclosed -------------------------------------------------------------


def test_excluded_makes_it_no_case_neither_late_nor_met_nor_undecided() -> None:
    journal = late_one()
    literal, excluded = journal.row(), journal.row(reading=EXCLUDED)
    assert (literal.charge.judged.verdict, literal.breach) == (Verdict.BREACHED, True)
    assert [clock.judged.verdict for clock in excluded.clocks] == [Verdict.VOID, Verdict.VOID]
    assert (excluded.breach, excluded.responsible, excluded.undecided) == (False, None, False)
    assert (journal.window().breaches, journal.window().cases) == (1, 1)
    tally = journal.window(reading=EXCLUDED).tally
    assert (tally.cases, tally.breaches, tally.undecided, tally.undisclosed) == (0, 0, 0, 1)


def test_excluded_says_so_and_cites_the_clause_and_the_opening() -> None:
    journal = late_one()
    (finding,) = journal.row(reading=EXCLUDED).findings
    assert (finding.code, finding.clause, finding.versions) == ("undisclosed_system", "S1", (1,))
    assert finding.text == f"affects system erp, which was not declared under {ACME} when it was opened: it is no case"
    assert journal.row().findings == ()


def test_what_is_measured_stays_measured() -> None:
    literal, excluded = (late_one().row(reading=reading).charge.judged for reading in ("literal", EXCLUDED))
    assert (excluded.net_us, excluded.target_us, excluded.due) == (literal.net_us, literal.target_us, literal.due)
    row = effect(late_one(), reading=EXCLUDED)
    assert (row.late, row.breach, row.excluded) == (True, False, True)


@pytest.mark.parametrize(
    "journal",
    [
        pytest.param(late_one(declared("Mon 08:00")), id="declared"),
        pytest.param(late_one(system=None), id="names no system"),
    ],
)
def test_what_was_disclosed_or_names_no_system_is_a_case_as_any(journal: Journal) -> None:
    assert journal.row(reading=EXCLUDED) == journal.row()
    assert journal.window(reading=EXCLUDED).breaches == 1


def test_a_request_under_no_contract_is_untouched() -> None:
    nobodys = opened(contract="nobody", system="erp", answer=best_effort("no_contract", None))
    journal = under_contract().incident("INC1", nobodys)
    assert journal.row(reading=EXCLUDED) == journal.row()


@pytest.mark.parametrize(("unit", "cases"), [("incident", 1), ("clock", 2)])
def test_a_best_effort_request_is_no_case_either_where_all_that_is_handled_counts(unit: str, cases: int) -> None:
    journal = Journal().contract(*[entry.fact for entry in late_one().entries if entry.stream == f"contract-{ACME}"])
    journal.incident("INC1", opened(system="erp", answer=best_effort("no_credits")), resolved("Mon 10:00"))
    handled = f"population=handled,unit={unit}"
    assert journal.window(reading=handled).cases == cases
    assert journal.window(reading=f"{handled},{EXCLUDED}").cases == 0
    assert [clock.judged.verdict for clock in journal.row(reading=EXCLUDED).clocks] == [Verdict.BEST_EFFORT] * 2


def test_a_clock_that_runs_is_no_case_and_the_request_is_still_served() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00", system="erp"))
    row = journal.row("Mon 09:30", EXCLUDED)
    assert (row.undecided, row.open, row.charge.judged.due) == (False, True, when("Mon 11:00"))
    assert effect(journal, "Mon 11:00", EXCLUDED).late is False
    assert row.changes_at == when("Mon 11:00") + 1
    journal.incident("INC1", intervention_started("Mon 13:00"))
    assert effect(journal, "Mon 13:00", EXCLUDED).late is True


def test_a_rectification_decides_it_again() -> None:
    journal = late_one(declared("Mon 09:30"))
    assert journal.row(reading=EXCLUDED).excluded
    journal.contract(rectified(4, "at", when("Mon 08:30")))
    assert not journal.row(reading=EXCLUDED).excluded
    # A correction that one party made alone, where only agreed ones count:
    assert journal.row(reading=f"one_sided=agreed,{EXCLUDED}").excluded


def test_each_contract_is_told_of_its_own_systems() -> None:
    journal = under_contract().contract(declared("Mon 08:00"))
    journal.contract(signed(customers=("B",)), name="beta").credits(bought(), name="beta")
    journal.incident("INC1", opened(contract="beta", system="erp", answer=best_effort("assistance_not_activated")))
    assert journal.row(reading=EXCLUDED).excluded


def test_an_explanation_says_so_and_names_the_facts_about_the_system() -> None:
    journal = late_one(declared("Mon 10:00"), declared("Mon 08:00", "crm"))
    explained = journal.explained(reading=EXCLUDED)
    assert [finding.code for finding in explained.row.findings] == ["undisclosed_system"]
    assert explained.streams[f"contract-{ACME}"] == (1, 2, 3, 4)
    assert explained.clocks[0].slices == journal.explained().clocks[0].slices


# --- the live tables ----------------------------------------------------------------------------------------------

READINGS = (LITERAL, Reading.parse(EXCLUDED))


@pytest.fixture(params=KINDS)
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """An office at noon of 2 November 2026, with a contract in force and one late request that affects a system."""
    with office(request.param, tmp_path) as found:
        found.tell(*contract_in_force(), opening(time="2026-11-02T08:00:00Z", system="erp"))
        found.projector(READINGS).rebuild()
        yield found


def step(here: Office, *raws: bytes) -> None:
    """Tell something, bring the tables on, and compare them with tables built anew."""
    here.tell(*raws)
    while here.projector(READINGS).step():
        pass
    at = here.at
    build(here.ledger, here.reporting, READINGS, at.generation + 1, here.clock, position=at.position, as_of=at.as_of)
    assert dump(here.reporting.building) == dump(here.reporting.live)


def shown(here: Office, reading: str) -> tuple[bool, bool, bool, int]:
    """Whether the request is disclosed, a breach, excluded; and how many cases its contract has."""
    (row,) = here.reporting.live.pick(EFFECTS, ("disclosed", "breach", "excluded"), {"reading": reading})
    return (*row, *here.reporting.live.totals(WINDOWS, ("cases",), {"reading": reading}))


def of_contract(verb: str, at: str, data: dict[str, Any]) -> bytes:
    return message(verb, f"contract-{CONTRACT}", at, data)


def test_live_tables_follow_what_is_declared_withdrawn_and_put_right(here: Office) -> None:
    assert shown(here, "literal") == (False, True, False, 1)
    assert shown(here, EXCLUDED) == (False, False, True, 0)
    step(here, of_contract("contract.declare_connected_system", "2026-11-02T07:00:00Z", {"system": "erp"}))
    assert shown(here, "literal") == shown(here, EXCLUDED) == (True, True, False, 1)
    step(here, of_contract("contract.withdraw_connected_system", "2026-11-02T07:30:00Z", {"system": "erp"}))
    assert shown(here, EXCLUDED) == (False, False, True, 0)
    (row,) = here.reporting.live.pick(CONNECTED_SYSTEMS, ("declared_at", "withdrawn_at"), {"reading": EXCLUDED})
    assert list(row) == [read_instant("2026-11-02T07:00:00Z"), read_instant("2026-11-02T07:30:00Z")]
    right = {"version": 1, "field": "at", "value": "2026-11-02T07:15:00Z", "why": "a slip"}
    step(here, message("record.rectify", f"incident-{INCIDENT}", NOON, right))
    assert shown(here, EXCLUDED)[0] is True


def test_a_request_that_affects_no_system_any_more_is_out_of_the_table(here: Office) -> None:
    right = {"version": 1, "field": "system", "value": None, "why": "a slip"}
    step(here, message("record.rectify", f"incident-{INCIDENT}", NOON, right))
    assert here.reporting.live.count(EFFECTS) == 0


# --- the report ---------------------------------------------------------------------------------------------------


@pytest.fixture
def recorded(run: Run) -> tuple[str, ...]:
    """A store in which two requests affect one system, one of them before it was declared; and how to ask it."""
    raws = [
        *contract_in_force(),
        opening("EARLY", time="2026-03-02T08:00:00Z", system="erp"),
        of_contract("contract.declare_connected_system", "2026-03-03T08:00:00Z", {"system": "erp"}),
        of_contract("contract.declare_connected_system", "2026-03-03T08:00:00Z", {"system": "crm"}),
        opening("AFTER", time="2026-03-04T08:00:00Z", system="erp"),
    ]
    Path("told.jsonl").write_bytes(b"\n".join(raws) + b"\n")
    assert run("ingest", "told.jsonl", "--store", "sqlite:///told.db")[0] == 0
    return ("--store", "sqlite:///told.db", "--as-of", "2026-03-31")


def test_the_report_has_the_same_rows_as_json_and_csv(run: Run, recorded: tuple[str, ...]) -> None:
    asked = ("report", "systems", *recorded)
    rows = json.loads(run(*asked, "--format", "json")[1])["rows"]
    assert [(row["system"], row["incident"], row["disclosed"], row["breach"]) for row in rows] == [
        ("crm", None, None, None),
        ("erp", "EARLY", False, True),
        ("erp", "AFTER", True, True),
    ]
    assert rows[1]["declared_at"] == "2026-03-03T08:00:00Z"
    assert rows[1]["evidence"] == {"stream": "incident-EARLY", "versions": [1], "declared": [4]}
    lines = list(csv.DictReader(io.StringIO(run(*asked, "--format", "csv")[1])))
    assert [(line["incident"], line["disclosed"]) for line in lines] == [
        ("", ""), ("EARLY", "false"), ("AFTER", "true")
    ]  # fmt: skip


def test_the_report_says_what_the_contract_says_and_what_the_reading_makes_of_it(
    run: Run, recorded: tuple[str, ...]
) -> None:
    _, out, _ = run("report", "systems", *recorded)
    assert "requests that affect a system not disclosed by then: 1" in out
    assert "breach of the supplier" in out
    assert "no case (S1)" not in out
    _, out, _ = run("report", "systems", *recorded, "--reading", EXCLUDED, "--language", "it")
    assert "Sistemi collegati (S1)" in out
    assert "nessun caso (S1)" in out
    assert "Il Fornitore non risponde di effetti e danni" in out


def test_an_explanation_shows_the_finding(run: Run, recorded: tuple[str, ...]) -> None:
    _, out, _ = run("explain", "EARLY", *recorded, "--reading", EXCLUDED)
    assert "undisclosed_system [S1] affects system erp, which was not declared under" in out
