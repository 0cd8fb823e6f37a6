"""The ratio of each window: what a case is, where windows begin and end, tolerance and headroom (P1)."""

from fractions import Fraction
from itertools import pairwise
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import local
from support.history import (
    ACME,
    BY_CUSTOMER,
    CHARGE,
    INTERVENTION,
    SIGNING,
    Journal,
    activated,
    adopted,
    attributed,
    best_effort,
    bought,
    closed,
    intervention_started,
    opened,
    rectified,
    signed,
    taken_in_charge,
    terminated,
    terms,
    under_contract,
    when,
    withdrawn,
)

from domain.contract import Contract, fold
from domain.contract_facts import ContractSigned
from domain.coverage import Requester
from domain.facts import Fact
from domain.interval import Interval
from projections.breach import BreachRow, WindowStatus, exceeds
from projections.readings import WindowKind
from projections.tally import WindowTally
from projections.tolerance import Case
from projections.windows import next_edge, windows

HANDLED, BY_CLOCK = "population=handled", "unit=clock"
KINDS: tuple[WindowKind, ...] = get_args(WindowKind)


def record(*facts: Fact) -> Journal:
    return under_contract().incident("INC1", *facts)


def without_credits(signature: ContractSigned | None = None) -> Journal:
    """A contract whose customer has bought no credits: its requests are best effort (G2)."""
    return Journal().contract(signature or signed(), activated(), adopted(), recorded=SIGNING)


def counted(row: BreachRow) -> tuple[int, int, int]:
    """(breaches, cases, undecided)."""
    return row.breaches, row.cases, row.tally.undecided


# --- the ratio --------------------------------------------------------------------------------------------------


def many(met: int, late: int) -> Journal:
    journal = under_contract()
    for number in range(met):
        journal.met(f"MET{number}")
    for number in range(late):
        journal.late(f"LATE{number}")
    return journal


def test_exactly_the_tolerance_is_not_passed_and_one_more_is() -> None:
    at, over = many(met=9, late=1).window(), many(met=8, late=2).window()
    assert (at.ratio, at.passed) == ("1/10", False)
    assert (over.ratio, over.passed) == ("2/10", True)


def test_a_ratio_is_shown_unreduced_and_compared_exactly() -> None:
    row = many(met=18, late=2).window()
    assert (row.ratio, row.tolerance, row.passed) == ("2/20", Fraction(1, 10), False)


def test_the_tolerance_is_that_of_the_signed_terms() -> None:
    journal = under_contract(signed(on=terms(tolerance="1/3")))
    journal.met("INC1").met("INC2").late("INC3")
    assert (journal.window().ratio, journal.window().passed) == ("1/3", False)
    assert journal.late("INC4").window().passed


def test_no_cases_no_ratio_not_passed() -> None:
    row = under_contract().window()
    assert (row.ratio, row.passed, row.headroom, counted(row)) == (None, False, 0, (0, 0, 0))


def test_headroom_is_how_many_more_breaches_the_tolerance_bears() -> None:
    assert many(met=9, late=0).window().headroom == 1
    assert many(met=8, late=0).window().headroom == 0
    assert many(met=18, late=1).window().headroom == 1
    assert many(met=8, late=2).window().headroom is None


def row_of(breaches: int, cases: int, tolerance: Fraction) -> BreachRow:
    return BreachRow(ACME, Interval(0, None), WindowTally(cases, breaches), tolerance, WindowStatus.OPEN)


def within(breaches: int, cases: int, tolerance: Fraction) -> bool:
    return cases == 0 or breaches * tolerance.denominator <= tolerance.numerator * cases


@given(
    cases=st.integers(0, 60),
    breaches=st.integers(0, 60),
    tolerance=st.fractions(min_value=0, max_value=Fraction(19, 20), max_denominator=40),
)
def test_headroom_is_the_largest_k_that_keeps_the_ratio_within_the_tolerance(
    cases: int, breaches: int, tolerance: Fraction
) -> None:
    breaches = min(breaches, cases)
    row = row_of(breaches, cases, tolerance)
    assert row.passed is exceeds(breaches, cases, tolerance) is not within(breaches, cases, tolerance)
    if row.passed:
        assert row.headroom is None
        return
    bearable = [k for k in range(cases * 20 + 2) if within(breaches + k, cases + k, tolerance)]
    assert row.headroom == max(bearable)


# --- what a case is ---------------------------------------------------------------------------------------------


def test_an_incident_is_a_case_when_both_clocks_are_met() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"), intervention_started("Mon 12:00"))
    assert counted(journal.window("Mon 11:59")) == (0, 0, 1)
    assert counted(journal.window("Mon 12:00")) == (0, 1, 0)
    assert journal.cases("Mon 12:00") == [[Case("INC1", when("Mon 12:00"), None)]]


def test_an_incident_is_a_case_as_soon_as_one_clock_is_breached() -> None:
    journal = record(opened("Mon 09:00"))
    assert counted(journal.window("Mon 11:00")) == (0, 0, 1)
    row = journal.window("Mon 11:00:00.000001")
    assert counted(row) == (1, 1, 1)
    assert journal.cases("Mon 11:00:00.000001") == [[Case("INC1", when("Mon 11:00") + 1, when("Mon 11:00") + 1)]]


def test_two_breached_clocks_are_one_case() -> None:
    assert counted(record(opened("Mon 09:00")).window("Fri 18:00")) == (1, 1, 0)


def test_with_unit_clock_each_clock_is_a_case_once_decided() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"))
    assert counted(journal.window("Mon 12:00", BY_CLOCK)) == (0, 1, 1)
    assert counted(journal.window("Fri 18:00", BY_CLOCK)) == (1, 2, 0)


def test_a_breach_that_is_not_the_suppliers_is_a_case_without_breach() -> None:
    journal = record(opened("Mon 09:00"), intervention_started("Mon 12:00"), attributed("Tue 09:00", BY_CUSTOMER))
    assert counted(journal.window()) == (0, 1, 0)
    assert counted(journal.window(reading=BY_CLOCK)) == (0, 2, 0)


def test_an_incident_breached_by_both_parties_becomes_the_suppliers_when_its_clock_breaches() -> None:
    journal = record(opened("Mon 09:00"), attributed("Mon 10:00", BY_CUSTOMER, CHARGE))
    assert counted(journal.window("Mon 12:00")) == (0, 1, 1)
    case = Case("INC1", when("Mon 11:00") + 1, when("Mon 17:00") + 1)
    assert journal.cases("Mon 18:00") == [[case]]
    only_charge = record(opened("Mon 09:00"), attributed("Mon 10:00", BY_CUSTOMER, INTERVENTION))
    assert counted(only_charge.window("Fri 18:00")) == (1, 1, 0)


def test_void_is_no_case_and_not_undecided() -> None:
    journal = record(opened("Mon 09:00"), withdrawn("Mon 10:00"))
    assert counted(journal.window()) == counted(journal.window(reading=BY_CLOCK)) == (0, 0, 0)


def test_a_void_clock_beside_a_breached_one_is_a_case_and_beside_a_met_one_is_none() -> None:
    breached = record(opened("Mon 09:00"), withdrawn("Mon 12:00"))
    assert counted(breached.window()) == (1, 1, 0)
    assert counted(breached.window(reading=BY_CLOCK)) == (1, 1, 0)
    met = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"), withdrawn("Mon 12:00"))
    assert counted(met.window()) == (0, 0, 0)
    assert counted(met.window(reading=BY_CLOCK)) == (0, 1, 0)


def test_a_best_effort_request_is_no_case_unless_all_that_was_handled_counts() -> None:
    journal = without_credits().incident("INC1", opened("Mon 09:00", answer=best_effort("no_credits")))
    assert counted(journal.window("Fri 18:00")) == (0, 0, 0)
    assert journal.cases("Mon 09:00", HANDLED) == [[Case("INC1", when("Mon 09:00"), None)]]
    assert counted(journal.window("Fri 18:00", HANDLED)) == (0, 1, 0)
    assert counted(journal.window("Fri 18:00", f"{HANDLED},{BY_CLOCK}")) == (0, 2, 0)


def test_guaranteed_requests_count_alike_when_all_that_was_handled_counts() -> None:
    assert counted(many(met=2, late=1).window(reading=HANDLED)) == (1, 3, 0)


def test_a_request_under_no_contract_is_nobodys_case() -> None:
    journal = record(opened("Mon 09:00", contract=None, answer=best_effort("no_contract", None)))
    assert counted(journal.window(reading=HANDLED)) == (0, 0, 0)


def test_a_request_that_names_an_unsigned_contract_makes_no_row() -> None:
    journal = Journal().incident("INC1", opened("Mon 09:00", answer=best_effort("no_contract", None)))
    assert journal.windows(reading=HANDLED) == []


def test_contracts_do_not_mix() -> None:
    journal = under_contract().contract(signed(customers=("B",)), activated(), adopted(), name="beta")
    journal.credits(bought(), name="beta").met("INC1").late("INC2", contract="beta")
    assert [(row.contract, counted(row)) for row in journal.windows()] == [(ACME, (0, 1, 0)), ("beta", (1, 1, 0))]


# --- windows ----------------------------------------------------------------------------------------------------


def contract(since: str, until: str | None = None, *facts: Fact) -> Contract:
    signature = signed("2020-01-01 00:00", since=since, until=until)
    return fold(ACME, [signature, *facts])  # type: ignore[list-item]


def days(of: Contract, kind: WindowKind, as_of: str) -> list[tuple[int, int | None]]:
    return [(window.start, window.end) for window in windows(of, kind, when(as_of))]


def spans(*edges: str | None) -> list[tuple[int, int | None]]:
    """Windows from each edge to the next, at local midnights."""
    instants = [None if edge is None else when(edge) for edge in edges]
    return [(start, end) for start, end in pairwise(instants) if start is not None]


def test_contract_years_count_from_the_day_it_is_in_force() -> None:
    found = days(contract("2024-03-15"), "contract_year", "2026-06-01")
    assert found == spans("2024-03-15", "2025-03-15", "2026-03-15", "2027-03-15")


def test_a_year_from_29_february_begins_on_the_28th_in_common_years() -> None:
    found = days(contract("2024-02-29"), "contract_year", "2028-12-31")
    assert found == spans("2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29", "2029-02-28")


def test_calendar_years_are_clipped_to_the_contract() -> None:
    found = days(contract("2024-03-15", "2026-02-01"), "calendar_year", "2027-01-01")
    assert found == spans("2024-03-15", "2025-01-01", "2026-01-01", "2026-02-01")


def test_quarters_are_clipped_to_the_contract() -> None:
    found = days(contract("2025-02-10", "2026-01-20"), "quarter", "2027-01-01")
    assert found == spans(
        "2025-02-10", "2025-04-01", "2025-07-01", "2025-10-01", "2026-01-01", "2026-01-20"
    )  # fmt: skip


@pytest.mark.parametrize("first", ["2025-01-01", "2025-03-31", "2025-04-01", "2025-06-30", "2025-12-31", "2024-02-29"])
def test_a_quarter_follows_from_any_first_day(first: str) -> None:
    found = windows(contract(first), "quarter", when("2026-12-31"))
    starts = [when(f"{year}-{month}-01") for year in (2024, 2025, 2026) for month in ("01", "04", "07", "10")]
    assert [window.start for window in found] == [when(first), *(start for start in starts if start > when(first))]


def test_the_whole_contract_is_one_window() -> None:
    assert days(contract("2024-03-15", "2026-02-01"), "whole_contract", "2024-03-15") == spans(
        "2024-03-15", "2026-02-01"
    )
    assert days(contract("2024-03-15"), "whole_contract", "2030-01-01") == [(when("2024-03-15"), None)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_early_end_of_a_contract_clips_its_last_window(kind: WindowKind) -> None:
    ended = contract("2024-03-15", None, terminated("2024-05-01 09:00", "2024-05-10"))
    assert days(ended, kind, "2026-01-01")[-1][1] == when("2024-05-10")


@pytest.mark.parametrize("kind", KINDS)
def test_no_window_begins_where_the_contract_ends(kind: WindowKind) -> None:
    assert days(contract("2025-01-01", "2026-01-01"), kind, "2027-01-01")[-1][1] == when("2026-01-01")


NOON = "2024-02-29 12:30"
"""A contract may come into force at any instant of a day."""


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_window_begins_when_the_contract_comes_into_force_not_at_its_midnight(kind: WindowKind) -> None:
    of = contract(NOON)
    assert windows(of, kind, when(NOON) - 1) == []
    assert [window.start for window in windows(of, kind, when(NOON))] == [when(NOON)]


@pytest.mark.parametrize(
    ("kind", "edges"),
    [
        ("contract_year", ("2025-02-28", "2026-02-28", "2026-03-01 09:15")),
        ("calendar_year", ("2025-01-01", "2026-01-01", "2026-03-01 09:15")),
        ("quarter", ("2024-04-01", "2024-07-01", "2024-10-01", "2025-01-01", "2025-04-01")),
        ("whole_contract", ("2026-03-01 09:15",)),
    ],
)
def test_windows_after_the_first_begin_at_local_midnights_and_the_last_ends_with_the_contract(
    kind: WindowKind, edges: tuple[str, ...]
) -> None:
    of = contract(NOON, "2026-03-01 09:15")
    assert days(of, kind, "2030-01-01")[: len(edges)] == spans(NOON, *edges)
    assert days(of, kind, "2030-01-01")[-1][1] == when("2026-03-01 09:15")


@pytest.mark.parametrize("kind", KINDS)
def test_a_contract_that_ends_on_its_first_day_has_one_window(kind: WindowKind) -> None:
    ended = contract(NOON, None, terminated("2024-02-29 13:00", "2024-02-29 18:00"))
    assert days(ended, kind, "2030-01-01") == [(when(NOON), when("2024-02-29 18:00"))]


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_edge_is_that_of_the_window_that_begins_or_ends_next(kind: WindowKind) -> None:
    of = contract(NOON, "2025-01-01 09:15")
    assert next_edge(of, kind, when("2024-02-29 00:00")) == when(NOON)
    begun = windows(of, kind, when("2030-01-01"))
    assert next_edge(of, kind, when(NOON)) == begun[0].end
    assert next_edge(of, kind, when("2025-01-01 09:15") - 1) == when("2025-01-01 09:15")
    assert next_edge(of, kind, when("2025-01-01 09:15")) is None


def test_windows_are_those_of_the_zone_of_the_contract() -> None:
    """20:00 UTC of 30 June in Tokyo is 05:00 of 1 July: its first quarter is the third of the year."""
    at = when("2024-06-30 22:00")
    tokyo = signed("2020-01-01 00:00", since="2024-06-30 22:00", until=None, on=terms(time_zone="Asia/Tokyo"))
    first, second = windows(fold(ACME, [tokyo]), "quarter", when("2024-11-01"))
    october = local("2024-10-01 00:00", ZoneInfo("Asia/Tokyo"))
    assert (first.start, first.end, second.start) == (at, october, october)


def test_a_request_of_the_first_day_before_the_contract_is_in_force_belongs_to_no_window() -> None:
    journal = under_contract(signed(since="2026-03-02 12:00"))
    journal.incident("EARLY", opened("2026-03-02 11:59")).incident("FIRST", opened("2026-03-02 12:00"))
    (window,) = journal.windows("2026-03-10", reading=HANDLED)
    assert (window.window.start, counted(window)) == (when("2026-03-02 12:00"), (1, 1, 0))


@pytest.mark.parametrize("kind", KINDS)
def test_only_windows_begun_by_as_of_are_there(kind: WindowKind) -> None:
    of = contract("2025-01-01")
    assert windows(of, kind, when("2025-01-01") - 1) == []
    assert len(windows(of, kind, when("2025-01-01"))) == 1


def test_a_window_begins_at_the_midnight_at_which_as_of_stands() -> None:
    of = contract("2025-01-01")
    assert len(windows(of, "calendar_year", when("2026-01-01") - 1)) == 1
    assert len(windows(of, "calendar_year", when("2026-01-01"))) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_windows_leave_no_gap(kind: WindowKind) -> None:
    found = windows(contract("2023-05-31", "2026-11-11"), kind, when("2030-01-01"))
    assert all(left.end == right.start for left, right in pairwise(found))
    assert (found[0].start, found[-1].end) == (when("2023-05-31"), when("2026-11-11"))


def test_an_incident_belongs_to_the_window_of_its_opening_at_local_midnight() -> None:
    """1 July in Rome begins at 22:00 UTC of 30 June."""
    journal = under_contract(signed(since="2026-04-01")).late("JUNE", "2026-06-30")
    journal.incident("LAST", opened("2026-06-30 23:59:59.999999"), intervention_started("2026-07-01 09:00"))
    journal.incident("FIRST", opened("2026-07-01 00:00"), intervention_started("2026-07-01 09:00"))
    second, third = journal.windows("2026-09-01", "window=quarter")
    in_second, in_third = journal.cases("2026-09-01", "window=quarter")
    assert [case.incident for case in in_second] == ["JUNE", "LAST"]
    assert [case.incident for case in in_third] == ["FIRST"]
    assert second.window.end == third.window.start == when("2026-07-01 00:00")


def test_a_request_opened_as_the_contract_ends_belongs_to_no_window() -> None:
    journal = without_credits(signed(until="Wed 00:00"))
    journal.incident("BEFORE", opened("Tue 23:59:59.999999", answer=best_effort("no_credits")))
    journal.incident("AT", opened("Wed 00:00", answer=best_effort("contract_not_in_force")))
    assert [[case.incident for case in cases] for cases in journal.cases("Fri 18:00", HANDLED)] == [["BEFORE"]]


def test_an_incident_decided_in_a_later_window_still_counts_where_it_was_opened() -> None:
    journal = under_contract().incident("INC1", opened("2026-06-30 17:00"))
    first_half = journal.windows("2026-08-01", "window=quarter")
    assert [counted(row) for row in first_half] == [(0, 0, 0), (1, 1, 0), (0, 0, 0)]


def test_a_rectified_opening_moves_its_incident_to_another_window() -> None:
    journal = under_contract().late("INC1", "2026-04-02")
    journal.incident("INC1", rectified(1, "at", when("2026-03-31 09:00"), at="2026-05-01 09:00"))
    assert [row.cases for row in journal.windows("2026-05-02", "window=quarter")] == [1, 0]


# --- open, provisional, closed -----------------------------------------------------------------------------------


def test_a_window_is_closed_when_it_has_ended_and_nothing_in_it_is_undecided() -> None:
    journal = under_contract().met("INC1", "2026-03-02")
    assert journal.window("2026-03-31 23:59:59.999999", "window=quarter").status is WindowStatus.OPEN
    assert journal.windows("2026-04-01", "window=quarter")[0].status is WindowStatus.CLOSED


def test_a_window_with_an_undecided_clock_stays_provisional_after_its_end() -> None:
    journal = under_contract().incident("INC1", opened("2026-03-31 17:00"))
    ended = journal.windows("2026-04-01 08:00", "window=quarter")[0]
    assert (ended.tally.undecided, ended.status) == (1, WindowStatus.PROVISIONAL)
    closed_since = journal.incident("INC1", closed("2026-04-01 08:30")).windows("2026-04-01 09:00", "window=quarter")
    assert (closed_since[0].tally.undecided, closed_since[0].status) == (0, WindowStatus.CLOSED)


def test_a_window_out_of_reach_of_the_calendars_stays_provisional() -> None:
    journal = under_contract(signed(until="2027-06-01")).incident("INC1", opened("2026-12-31 17:00"))
    row = journal.windows("2027-03-01", "window=calendar_year")[0]
    assert (counted(row), row.status) == ((0, 0, 1), WindowStatus.PROVISIONAL)


def test_undecided_counts_the_units_of_the_reading() -> None:
    journal = record(opened("Mon 09:00"))
    assert journal.window("Mon 10:00").tally.undecided == 1
    assert journal.window("Mon 10:00", BY_CLOCK).tally.undecided == 2


def test_a_best_effort_request_is_never_undecided() -> None:
    journal = record(opened("Mon 09:00", answer=best_effort("not_requested"), requested_by=Requester.SUPPLIER))
    assert journal.window("Mon 10:00", HANDLED).tally.undecided == 0


def test_a_contract_without_end_never_settles_as_a_whole() -> None:
    journal = under_contract(signed(until=None)).met("INC1")
    assert journal.window("2026-12-31", "window=whole_contract").status is WindowStatus.OPEN


def test_a_contract_that_ends_settles_its_window_then_voiding_what_still_runs() -> None:
    journal = under_contract().incident("INC1", opened("2026-12-31 17:00"))
    assert journal.window("2026-12-31 18:00").tally.undecided == 1
    ended = journal.window("2027-01-01")
    assert (counted(ended), ended.status) == ((0, 0, 0), WindowStatus.CLOSED)


# --- when time alone changes it ---------------------------------------------------------------------------------


def test_a_window_with_nothing_pending_changes_as_it_ends_and_no_more_once_it_has() -> None:
    journal = under_contract().met("INC1")
    ended, running = journal.windows("2026-04-01", "window=quarter")
    assert (ended.changes_at, running.changes_at) == (None, when("2026-07-01"))


def test_a_contract_without_end_leaves_its_whole_window_unchanged() -> None:
    journal = under_contract(signed(until=None)).met("INC1")
    assert journal.window("Fri 18:00", "window=whole_contract").changes_at is None


def test_a_window_changes_when_the_first_of_its_incidents_does_and_the_others_do_not() -> None:
    journal = under_contract().incident("LATER", opened("2026-03-31 16:30"))
    journal.incident("FIRST", opened("2026-03-31 16:00"))
    # Two hours from 16:00 end with the working day: breached in the first microsecond of the next.
    first, second = journal.windows("2026-04-01 00:00", "window=quarter")
    assert (first.changes_at, second.changes_at) == (when("2026-04-01 08:00") + 1, when("2026-07-01"))


def test_a_window_changes_when_a_fact_on_record_of_its_contract_comes_to_count() -> None:
    journal = under_contract().met("INC1").contract(terminated("2026-04-15 09:00", "2026-05-01"))
    for row in journal.windows("2026-04-10", "window=quarter"):
        assert row.changes_at == when("2026-04-15 09:00")
