"""The two clocks: what stops them, what suspends them, and the verdict (A3, A4, A5, H1, H2, H3)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.history import (
    BY_CUSTOMER,
    BY_FORCE_MAJEURE,
    BY_SUPPLIER,
    BY_THIRD_PARTY,
    HOUR,
    ROME,
    Journal,
    activated,
    adopted,
    best_effort,
    bought,
    closed,
    intervention_started,
    opened,
    reopened,
    resolved,
    resumed,
    signed,
    suspended,
    taken_in_charge,
    terminated,
    under_contract,
    when,
    withdrawn,
)

from domain.facts import Fact
from domain.incident_facts import ClosingReason
from domain.values import MINUTE, Responsibility, moment
from projections.clocks import Judged, Verdict
from projections.compliance import ComplianceRow

MET, RUNNING, BREACHED = Verdict.MET, Verdict.RUNNING, Verdict.BREACHED
VOID, UNDECIDED, BEST_EFFORT = Verdict.VOID, Verdict.UNDECIDED, Verdict.BEST_EFFORT


def record(*facts: Fact) -> Journal:
    """An incident of a contract for 2026; opened Monday at 09:00 with priority 2 where no opening is given."""
    return under_contract().incident("INC1", *facts)


def open_ended() -> Journal:
    """A contract with no end, whose calendar covers 2026 only."""
    return under_contract(signed(until=None))


def charge(journal: Journal, as_of: str = "Fri 18:00", reading: str = "literal") -> Judged:
    return journal.row(as_of, reading).charge.judged


def intervention(journal: Journal, as_of: str = "Fri 18:00", reading: str = "literal") -> Judged:
    return journal.row(as_of, reading).intervention.judged


# --- what stops a clock (A5) ------------------------------------------------------------------------------------

STOPS: list[Callable[[str], Fact]] = [taken_in_charge, intervention_started, resolved, closed]


@pytest.mark.parametrize("stop", STOPS)
def test_the_charge_clock_stops_at_a_charge_an_intervention_or_a_resolution(stop: object) -> None:
    assert callable(stop)
    judged = charge(record(opened("Mon 09:00"), stop("Mon 10:00")))
    assert (judged.net_us, judged.verdict) == (1 * HOUR, MET)


@pytest.mark.parametrize("first", STOPS)
def test_the_charge_clock_stops_at_the_earliest_of_them(first: object) -> None:
    assert callable(first)
    later = [stop("Mon 15:00") for stop in STOPS if stop is not first]
    assert charge(record(opened("Mon 09:00"), *later, first("Mon 10:00"))).net_us == 1 * HOUR


@pytest.mark.parametrize("first", STOPS[1:])
def test_the_intervention_clock_stops_at_the_earliest_of_intervention_and_resolution(first: object) -> None:
    assert callable(first)
    later = [stop("Mon 15:00") for stop in STOPS[1:] if stop is not first]
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 09:30"), *later, first("Mon 11:00"))
    assert intervention(journal).net_us == 2 * HOUR


def test_the_intervention_clock_does_not_stop_at_the_taking_in_charge() -> None:
    judged = intervention(record(opened("Mon 09:00"), taken_in_charge("Mon 10:00")), "Mon 12:00")
    assert (judged.net_us, judged.verdict) == (3 * HOUR, RUNNING)


def test_an_intervention_is_judged_at_its_start_though_work_goes_on() -> None:
    journal = record(opened("Mon 09:00"), intervention_started("Mon 11:00"), resolved("Fri 17:00"))
    assert (charge(journal).net_us, intervention(journal).net_us) == (2 * HOUR, 2 * HOUR)


def test_a_closing_that_is_not_void_counts_as_resolution_for_both_clocks() -> None:
    journal = record(opened("Mon 09:00"), closed("Mon 10:30"))
    assert charge(journal).verdict is MET
    assert (intervention(journal).verdict, intervention(journal).net_us) == (MET, 90 * MINUTE)


def test_a_charge_that_arrives_late_but_occurred_earlier_rules() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 12:00"))
    assert charge(journal).verdict is BREACHED
    journal.incident("INC1", taken_in_charge("Mon 10:00"), recorded="Wed 09:00")
    assert (charge(journal).net_us, charge(journal).verdict) == (1 * HOUR, MET)


def test_a_later_charge_changes_nothing() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"), taken_in_charge("Mon 17:00"))
    assert charge(journal).net_us == 1 * HOUR


def test_reopening_restarts_no_clock() -> None:
    before = record(opened("Mon 09:00"), resolved("Mon 10:00"))
    after = record(opened("Mon 09:00"), resolved("Mon 10:00"), reopened("Mon 10:10"))
    assert charge(after) == charge(before)
    assert intervention(after) == intervention(before)


def test_a_second_resolution_after_a_reopening_is_not_the_one_that_counts() -> None:
    journal = record(opened("Mon 09:00"), resolved("Mon 10:00"), reopened("Mon 10:10"), resolved("Fri 17:00"))
    assert intervention(journal).net_us == 1 * HOUR


def test_a_clock_may_stop_at_the_very_opening() -> None:
    judged = charge(record(opened("Mon 09:00"), taken_in_charge("Mon 09:00")))
    assert (judged.net_us, judged.verdict, judged.decided_at) == (0, MET, when("Mon 09:00"))


# --- what voids a clock -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [ClosingReason.DUPLICATE, ClosingReason.WITHDRAWN])
def test_a_void_closing_ends_running_clocks_with_the_verdict_void(reason: ClosingReason) -> None:
    row = record(opened("Mon 09:00"), closed("Mon 10:00", reason)).row()
    assert [clock.judged.verdict for clock in row.clocks] == [VOID, VOID]
    assert [clock.judged.decided_at for clock in row.clocks] == [None, None]
    assert not row.undecided


def test_a_void_closing_leaves_a_breach_that_came_before() -> None:
    journal = record(opened("Mon 09:00"), withdrawn("Mon 12:00"))
    assert (charge(journal).verdict, charge(journal).net_us) == (BREACHED, 3 * HOUR)
    assert charge(journal).decided_at == when("Mon 11:00") + 1
    assert intervention(journal).verdict is VOID


def test_a_void_closing_when_the_time_is_just_used_up_is_void() -> None:
    assert charge(record(opened("Mon 09:00"), withdrawn("Mon 11:00"))).verdict is VOID


def test_a_void_closing_leaves_a_clock_that_had_stopped() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"), withdrawn("Mon 11:00"))
    assert (charge(journal).verdict, intervention(journal).verdict) == (MET, VOID)


def test_a_stop_at_the_very_instant_that_would_void_it_is_a_stop() -> None:
    journal = record(opened("Mon 09:00"), withdrawn("Mon 10:00"), taken_in_charge("Mon 10:00"))
    assert (charge(journal).verdict, intervention(journal).verdict) == (MET, VOID)
    ended = ending_wednesday().incident("INC1", opened("Wed 09:00"), taken_in_charge("Wed 10:00"))
    assert (charge(ended).verdict, intervention(ended).verdict) == (MET, VOID)


def test_what_comes_after_a_void_closing_stops_nothing() -> None:
    journal = record(opened("Mon 09:00"), withdrawn("Mon 10:00"), reopened("Mon 10:30"), taken_in_charge("Mon 16:00"))
    assert (charge(journal).verdict, charge(journal).net_us) == (VOID, 1 * HOUR)


def test_a_void_clock_never_changes_with_time() -> None:
    assert charge(record(opened("Mon 09:00"), withdrawn("Mon 10:00"))).changes_at is None


def ending_wednesday() -> Journal:
    return under_contract().contract(terminated("Mon 08:00", effective="Wed 10:00"))


@pytest.mark.parametrize(
    "journal", [ending_wednesday(), under_contract(signed(until="2026-03-04 10:00"))], ids=["terminated", "expired"]
)
def test_the_end_of_the_contract_ends_running_clocks_with_the_verdict_void(journal: Journal) -> None:
    journal = Journal([*journal.entries]).incident("INC1", opened("Wed 09:00"))
    before, after = charge(journal, "Wed 09:59"), charge(journal, "Wed 10:00")
    assert (before.verdict, before.changes_at) == (RUNNING, when("Wed 10:00"))
    assert (after.verdict, after.net_us, after.changes_at) == (VOID, 1 * HOUR, None)
    assert intervention(journal, "Fri 18:00").net_us == 1 * HOUR


def test_the_end_of_the_contract_leaves_a_breach_that_came_before() -> None:
    row = ending_wednesday().incident("INC1", opened("Mon 14:00", priority=2)).row()
    assert row.charge.judged.verdict is BREACHED
    assert row.intervention.judged.verdict is BREACHED


def test_what_occurs_after_the_end_of_the_contract_stops_nothing() -> None:
    journal = ending_wednesday().incident("INC1", opened("Wed 09:00"), taken_in_charge("Wed 10:30"))
    assert charge(journal).verdict is VOID


def test_a_clock_that_breaches_first_changes_at_the_breach_not_at_the_end_of_the_contract() -> None:
    journal = ending_wednesday().incident("INC1", opened("Tue 16:00"))
    assert charge(journal, "Tue 17:00").changes_at == when("Wed 08:00") + 1
    assert intervention(journal, "Tue 17:00").changes_at == when("Wed 10:00")


def test_a_best_effort_request_is_only_measured_and_the_end_of_the_contract_voids_nothing() -> None:
    none_bought = Journal().contract(signed(), activated(), adopted(), terminated("Mon 08:00", "Wed 10:00"))
    journal = none_bought.incident("INC1", opened("Wed 09:00", answer=best_effort("no_credits")))
    judged = charge(journal, "Wed 12:00")
    assert (judged.verdict, judged.target_us, judged.due, judged.net_us) == (BEST_EFFORT, None, None, 3 * HOUR)


# --- suspensions (A4) -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [BY_CUSTOMER, BY_THIRD_PARTY, BY_FORCE_MAJEURE])
def test_a_suspension_stops_both_clocks(cause: Responsibility) -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00", cause), resumed("Mon 13:00"))
    for judged in charge(journal, "Mon 14:00"), intervention(journal, "Mon 14:00"):
        assert (judged.net_us, judged.suspended_us, judged.verdict) == (2 * HOUR, 3 * HOUR, RUNNING)


def test_a_suspension_caused_by_the_supplier_stops_nothing() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00", BY_SUPPLIER), resumed("Mon 13:00"))
    judged = charge(journal, "Mon 14:00")
    assert (judged.net_us, judged.suspended_us, judged.verdict) == (5 * HOUR, 0, BREACHED)


def test_suspending_again_replaces_the_cause_and_resuming_ends_all() -> None:
    journal = record(
        opened("Mon 09:00"), suspended("Mon 10:00"), suspended("Mon 11:00", BY_THIRD_PARTY), resumed("Mon 12:00")
    )
    judged = charge(journal, "Mon 13:00")
    assert (judged.net_us, judged.suspended_us) == (2 * HOUR, 2 * HOUR)


def test_a_suspension_by_the_supplier_replaces_one_by_the_customer_and_the_clock_runs_again() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00"), suspended("Mon 11:00", BY_SUPPLIER))
    judged = charge(journal, "Mon 13:00")
    assert (judged.net_us, judged.suspended_us) == (3 * HOUR, 1 * HOUR)


def test_a_suspension_by_the_customer_replaces_one_by_the_supplier_and_the_clock_stops() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00", BY_SUPPLIER), suspended("Mon 10:30"))
    judged = charge(journal, "Mon 13:00")
    assert (judged.net_us, judged.suspended_us) == (90 * MINUTE, 150 * MINUTE)


def test_resuming_what_is_not_suspended_says_nothing() -> None:
    journal = record(opened("Mon 09:00"), resumed("Mon 10:00"), taken_in_charge("Mon 11:00"))
    assert charge(journal).net_us == 2 * HOUR


def test_of_suspend_and_resume_at_one_instant_the_last_recorded_rules() -> None:
    ending_suspended = record(opened("Mon 09:00"), resumed("Mon 10:00"), suspended("Mon 10:00"))
    ending_resumed = record(opened("Mon 09:00"), suspended("Mon 10:00"), resumed("Mon 10:00"))
    assert charge(ending_suspended, "Mon 11:00").net_us == 1 * HOUR
    assert charge(ending_resumed, "Mon 11:00").net_us == 2 * HOUR


def test_suspend_and_resume_are_ordered_by_instant_not_by_arrival() -> None:
    journal = record(opened("Mon 09:00"), resumed("Mon 12:00"), suspended("Mon 10:00"))
    assert charge(journal, "Mon 13:00").net_us == 2 * HOUR


def test_a_suspension_may_come_before_the_taking_in_charge_and_at_the_opening() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 09:00"), resumed("Mon 15:00"), taken_in_charge("Mon 16:00"))
    judged = charge(journal)
    assert (judged.net_us, judged.suspended_us, judged.verdict) == (1 * HOUR, 6 * HOUR, MET)


def test_an_open_suspension_runs_to_the_stop() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00"), intervention_started("Tue 17:00"))
    judged = charge(journal)
    assert (judged.net_us, judged.suspended_us, judged.verdict) == (1 * HOUR, 17 * HOUR, MET)


def test_an_open_suspension_runs_to_as_of() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00"))
    judged = charge(journal, "Wed 09:00")
    assert (judged.net_us, judged.suspended_us, judged.verdict) == (1 * HOUR, 19 * HOUR, RUNNING)


def test_after_the_stop_a_suspension_has_no_effect() -> None:
    stopped = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"))
    paused_after = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"), suspended("Mon 10:01"))
    assert charge(paused_after) == charge(stopped)


def test_a_suspension_after_the_charge_still_stops_the_intervention_clock() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"), suspended("Mon 11:00"), resumed("Tue 11:00"))
    judged = intervention(journal, "Tue 12:00")
    assert (judged.net_us, judged.suspended_us) == (3 * HOUR, 10 * HOUR)


def test_only_the_working_time_of_a_suspension_is_taken_off() -> None:
    journal = record(opened("Mon 17:00"), suspended("Mon 17:30"), resumed("Tue 08:30"), taken_in_charge("Tue 09:00"))
    judged = charge(journal)
    assert (judged.net_us, judged.suspended_us) == (1 * HOUR, 1 * HOUR)


# --- the verdict, judged on net (A3, H3) ------------------------------------------------------------------------


def test_exactly_the_target_is_met_and_a_microsecond_more_is_breached() -> None:
    assert charge(record(opened("Mon 09:00"), taken_in_charge("Mon 11:00"))).verdict is MET
    assert charge(record(opened("Mon 09:00"), taken_in_charge("Mon 11:00:00.000001"))).verdict is BREACHED


def test_two_hours_used_up_at_closing_and_a_charge_in_the_evening_is_met_though_after_due() -> None:
    judged = charge(record(opened("Mon 16:00"), taken_in_charge("Mon 19:00")))
    assert (judged.net_us, judged.due, judged.verdict) == (2 * HOUR, when("Mon 18:00"), MET)


def test_due_at_closing_it_is_breached_at_the_first_working_microsecond_of_the_next_day() -> None:
    journal = record(opened("Mon 16:00"))
    breach = when("Tue 08:00:00.000001")
    for as_of in "Mon 17:00", "Mon 18:00", "Mon 23:00", "Tue 08:00:00":
        judged = charge(journal, as_of)
        assert (judged.due, judged.verdict, judged.changes_at) == (when("Mon 18:00"), RUNNING, breach)
    judged = charge(journal, "Tue 08:00:00.000001")
    assert (judged.due, judged.verdict, judged.changes_at) == (when("Mon 18:00"), BREACHED, None)
    assert judged.decided_at == breach


def test_due_on_friday_evening_it_is_breached_on_monday_morning() -> None:
    assert charge(record(opened("Fri 16:00")), "Fri 17:00").changes_at == when("next Mon 08:00:00.000001")


def test_a_request_out_of_hours_starts_at_the_next_opening() -> None:
    judged = charge(record(opened("Sat 11:00")), "Sun 12:00")
    assert (judged.net_us, judged.due) == (0, when("next Mon 10:00"))


def test_there_is_no_due_instant_while_suspended_and_time_alone_changes_nothing() -> None:
    judged = charge(open_ended().incident("INC1", opened("Mon 09:00"), suspended("Mon 10:00")), "Mon 12:00")
    assert (judged.due, judged.verdict, judged.changes_at) == (None, RUNNING, None)


def test_a_suspended_clock_still_changes_at_the_end_of_the_contract() -> None:
    journal = ending_wednesday().incident("INC1", opened("Mon 09:00"), suspended("Mon 10:00"))
    assert charge(journal, "Tue 12:00").changes_at == when("Wed 10:00")


def test_due_moves_by_the_time_suspended_once_resumed() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00"), resumed("Mon 16:30"))
    judged = charge(journal, "Mon 17:00")
    assert (judged.due, judged.changes_at) == (when("Mon 17:30"), when("Mon 17:30:00.000001"))


def test_a_due_instant_reached_before_a_suspension_stays() -> None:
    judged = charge(record(opened("Mon 09:00"), suspended("Mon 11:30")), "Mon 12:00")
    assert (judged.due, judged.verdict, judged.decided_at) == (when("Mon 11:00"), BREACHED, when("Mon 11:00") + 1)


def test_a_target_reached_just_as_a_suspension_begins_is_due_then_and_not_breached() -> None:
    judged = charge(open_ended().incident("INC1", opened("Mon 09:00"), suspended("Mon 11:00")), "Mon 12:00")
    assert (judged.due, judged.verdict, judged.changes_at) == (when("Mon 11:00"), RUNNING, None)


def test_a_stopped_clock_was_decided_when_it_stopped_or_when_it_was_breached() -> None:
    assert charge(record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"))).decided_at == when("Mon 10:00")
    assert charge(record(opened("Mon 09:00"), taken_in_charge("Mon 15:00"))).decided_at == when("Mon 11:00") + 1


def test_a_breach_does_not_depend_on_whether_the_clock_stopped_since() -> None:
    running, stopped = (
        record(opened("Mon 09:00")),
        record(opened("Mon 09:00"), taken_in_charge("Mon 16:00")),
    )
    assert charge(running).decided_at == charge(stopped).decided_at
    assert charge(running).verdict is charge(stopped).verdict is BREACHED


# --- hours and holidays (H1, H2) --------------------------------------------------------------------------------


def test_a_holiday_does_not_count() -> None:
    judged = charge(record(opened("2026-04-03 17:00"), taken_in_charge("2026-04-07 08:30")), "2026-04-08")
    assert (judged.net_us, judged.due) == (90 * MINUTE, when("2026-04-07 09:00"))


def test_data_centre_services_work_until_21() -> None:
    standard, data_centre = record(opened("Mon 17:00")), record(opened("Mon 17:00", data_centre=True))
    assert charge(standard, "Mon 17:30").due == when("Tue 09:00")
    assert charge(data_centre, "Mon 17:30").due == when("Mon 19:00")
    assert charge(data_centre, "Tue 09:00").net_us == 5 * HOUR


def test_a_day_that_lost_an_hour_of_sleep_lost_no_working_hour() -> None:
    judged = charge(record(opened("2026-03-27 17:00"), taken_in_charge("2026-03-30 09:00")), "2026-03-31")
    assert judged.net_us == 2 * HOUR


# --- calendars that do not reach --------------------------------------------------------------------------------


def test_a_clock_that_leaves_the_years_covered_is_undecided_and_the_report_says_so() -> None:
    row = open_ended().incident("INC1", opened("2026-12-31 17:00")).row("2027-01-04 12:00")
    assert [clock.judged.verdict for clock in row.clocks] == [UNDECIDED, UNDECIDED]
    assert [clock.judged.net_us for clock in row.clocks] == [None, None]
    assert row.undecided
    (finding,) = row.findings
    assert (finding.code, finding.clause) == ("calendar_does_not_cover", "H1")
    assert "2026" in finding.text


def test_a_due_instant_out_of_reach_is_null_though_the_verdict_is_met() -> None:
    journal = open_ended().incident("INC1", opened("2026-12-31 17:00"), taken_in_charge("2026-12-31 17:30"))
    judged = charge(journal, "2026-12-31 18:00")
    assert (judged.verdict, judged.due, judged.net_us) == (MET, None, 30 * MINUTE)


def test_only_the_clock_that_goes_out_of_reach_is_undecided() -> None:
    journal = open_ended().incident("INC1", opened("2026-12-31 17:00"), taken_in_charge("2026-12-31 17:30"))
    row = journal.row("2027-01-04 12:00")
    assert (row.charge.judged.verdict, row.intervention.judged.verdict) == (MET, UNDECIDED)


def test_a_calendar_adopted_for_the_next_year_decides_it() -> None:
    journal = open_ended().incident("INC1", opened("2026-12-31 17:00"))
    journal.contract(adopted("2026-12-30 10:00", years=(2027, 2027), holidays={"2027-01-01": "Capodanno"}))
    judged = charge(journal, "2027-01-04 08:30")
    assert (judged.net_us, judged.due, judged.verdict) == (90 * MINUTE, when("2027-01-04 09:00"), RUNNING)


def test_a_best_effort_request_out_of_reach_is_only_not_measured() -> None:
    nobody_paid = Journal().contract(signed(until=None), activated(), adopted())
    row = nobody_paid.incident("INC1", opened("2026-12-31 17:00", answer=best_effort("no_credits"))).row("2027-01-04")
    assert (row.charge.judged.verdict, row.charge.judged.net_us) == (BEST_EFFORT, None)
    assert not row.undecided


def test_the_report_goes_on_with_the_other_incidents() -> None:
    journal = open_ended().incident("INC1", opened("2026-12-31 17:00")).met("INC2", "Mon")
    verdicts = {row.incident: row.charge.judged.verdict for row in journal.rows("2027-01-04")}
    assert verdicts == {"INC1": UNDECIDED, "INC2": MET}


# --- laws -------------------------------------------------------------------------------------------------------

FIRST_MINUTE = when("Fri 06:00")
"""The random stories below begin on a Friday, so that they run into a weekend and out of it."""


def text(minute: int) -> str:
    return f"{(moment(FIRST_MINUTE + minute * MINUTE)).astimezone(ROME):%Y-%m-%d %H:%M}"


minutes = st.integers(0, 4 * 24 * 60)
changes = st.lists(st.tuples(minutes, st.sampled_from([BY_CUSTOMER, BY_THIRD_PARTY, BY_SUPPLIER, None])), max_size=6)


def is_working(minute: int) -> bool:
    local = moment(FIRST_MINUTE + minute * MINUTE).astimezone(ROME)
    return local.weekday() < 5 and 8 <= local.hour < 18


def counted_by_minute(start: int, end: int, pauses: list[tuple[int, Responsibility | None]]) -> list[int]:
    """Minutes that count by the end of each minute from `start` to `end`, counted one by one."""
    total, counts = 0, []
    for minute in range(start, end):
        begun = [cause for at, cause in sorted(pauses, key=lambda pause: pause[0]) if at <= minute]
        cause = begun[-1] if begun else None
        total += is_working(minute) and cause in (None, BY_SUPPLIER)
        counts.append(total)
    return counts


@given(start=st.integers(0, 24 * 60), lasts=st.integers(0, 3 * 24 * 60), pauses=changes)
@settings(max_examples=200)
def test_net_and_due_agree_with_a_count_of_every_minute(
    start: int, lasts: int, pauses: list[tuple[int, Responsibility | None]]
) -> None:
    pauses = [(max(start, at), cause) for at, cause in pauses]
    facts = [suspended(text(at), cause) if cause else resumed(text(at)) for at, cause in pauses]
    judged = charge(record(opened(text(start)), *facts), text(start + lasts))
    counts = counted_by_minute(start, start + lasts, pauses)
    net = counts[-1] if counts else 0
    assert judged.net_us == net * MINUTE
    assert judged.suspended_us == sum(map(is_working, range(start, start + lasts))) * MINUTE - net * MINUTE
    assert judged.verdict is (BREACHED if net > 120 else RUNNING)
    if 120 in counts:
        assert judged.due == FIRST_MINUTE + (start + counts.index(120) + 1) * MINUTE


@given(start=st.integers(0, 24 * 60), looked_at=st.integers(0, 2 * 24 * 60), pauses=changes)
@settings(max_examples=200)
def test_no_verdict_changes_before_changes_at_and_every_one_does_then(
    start: int, looked_at: int, pauses: list[tuple[int, Responsibility | None]]
) -> None:
    now = start + looked_at
    facts = [
        suspended(text(at), cause) if cause else resumed(text(at))
        for at, cause in ((max(start, at), cause) for at, cause in pauses)
        if at <= now
    ]
    journal = open_ended().incident("INC1", opened(text(start)), *facts)
    judged = charge(journal, text(now))
    if judged.changes_at is None:
        assert charge(journal, "2026-12-31 23:59").verdict is judged.verdict
        return
    just_before, then = (
        f"{moment(at).astimezone(ROME):%Y-%m-%d %H:%M:%S.%f}" for at in (judged.changes_at - 1, judged.changes_at)
    )
    assert charge(journal, just_before).verdict is judged.verdict is RUNNING
    assert charge(journal, then).verdict is BREACHED


moments = st.integers(0, 3 * 24 * 60)


def unmeasured(journal: Journal, as_of: str) -> tuple[ComplianceRow, list[tuple[int | None, int | None]]]:
    """The row without what its clocks have counted by now, and that."""
    row = journal.row(as_of)
    charge, intervention = (
        replace(clock, judged=clock.judged._replace(net_us=None, suspended_us=None)) for clock in row.clocks
    )
    measures = [(clock.judged.net_us, clock.judged.suspended_us) for clock in row.clocks]
    return replace(row, charge=charge, intervention=intervention), measures


@given(
    start=st.integers(0, 24 * 60),
    pauses=changes,
    charged=st.one_of(st.none(), moments),
    ended=st.one_of(st.none(), moments),
    guaranteed=st.booleans(),
    until=st.sampled_from([None, "Mon 12:00", "2026-12-31 23:59"]),
    looked_at=moments,
    later=moments,
)
@settings(max_examples=300)
def test_until_changes_at_only_what_running_clocks_count_changes_and_the_calendar_tells_it(
    start: int,
    pauses: list[tuple[int, Responsibility | None]],
    charged: int | None,
    ended: int | None,
    guaranteed: bool,
    until: str | None,
    looked_at: int,
    later: int,
) -> None:
    journal = under_contract(signed(until=until)) if guaranteed else Journal().contract(signed(until=until), adopted())
    facts: list[Fact] = [
        suspended(text(start + at), cause) if cause else resumed(text(start + at)) for at, cause in pauses
    ]
    facts += [taken_in_charge(text(start + charged))] if charged is not None else []
    facts += [intervention_started(text(start + ended))] if ended is not None else []
    journal.incident("INC1", opened(text(start)), *facts)
    row, _ = unmeasured(journal, text(start + looked_at))
    then = when(text(start + looked_at + later))
    if row.changes_at is not None:
        assert row.changes_at > when(text(start + looked_at))
        then = min(then, row.changes_at - 1)
    shown = f"{moment(then).astimezone(ROME):%Y-%m-%d %H:%M:%S.%f}"
    same, measures = unmeasured(journal, shown)
    assert same == row
    incident = journal.replay(shown).incident("INC1")
    assert incident is not None
    assert incident.contract is not None
    calendar = incident.contract.calendar(incident.hours)
    assert [clock.judged.accrued.measured(calendar, then) for clock in row.clocks] == measures


def test_a_suspended_clock_is_looked_at_again_when_the_calendars_end() -> None:
    journal = open_ended().incident("INC1", opened("2026-12-31 17:00"), suspended("2026-12-31 17:30"))
    row = journal.row("2026-12-31 18:00")
    assert (row.charge.judged.changes_at, row.changes_at) == (None, when("2027-01-01 00:00:00.000001"))


def test_a_row_changes_at_the_next_fact_that_is_on_record_but_not_told_yet() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 09:30"))
    assert journal.row("Mon 09:29").changes_at == when("Mon 09:30")


def test_a_clock_about_to_leave_the_years_covered_changes_at_their_end() -> None:
    journal = open_ended().incident("INC1", opened("2026-12-31 17:00"))
    assert charge(journal, "2026-12-31 18:00").verdict is RUNNING
    assert charge(journal, "2027-01-01 00:00:00.000001").verdict is UNDECIDED
    assert charge(journal, "2026-12-31 18:00").changes_at == when("2027-01-01 00:00:00.000001")


def test_a_request_opened_beyond_the_calendars_does_not_stop_the_report_at_its_very_opening() -> None:
    no_calendar = Journal().contract(signed(), activated()).credits(bought())
    assert charge(no_calendar.incident("INC1", opened("Mon 09:00")), "Mon 09:00").net_us in (0, None)


def test_a_clock_resumed_beyond_the_calendars_does_not_stop_the_report_at_that_very_instant() -> None:
    journal = open_ended().incident("INC1", opened("2026-12-31 17:00"), suspended("2026-12-31 17:30"))
    journal.incident("INC1", resumed("2027-01-04 10:00"))
    assert charge(journal, "2027-01-04 10:00:00.000001").verdict is UNDECIDED
    assert charge(journal, "2027-01-04 10:00").verdict in (RUNNING, UNDECIDED)


def test_a_clock_suspended_beyond_the_calendars_is_told_by_the_time_in_which_it_ran() -> None:
    journal = open_ended().incident("INC1", opened("2026-12-31 17:00"), suspended("2026-12-31 17:30"))
    judged = charge(journal, "2027-01-04 12:00")
    assert (judged.net_us, judged.suspended_us, judged.verdict) == (30 * MINUTE, None, RUNNING)
