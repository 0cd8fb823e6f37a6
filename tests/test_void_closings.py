"""Requests closed as void: by whose word, what stays of their clocks, and what a reopening undoes (P1, A4)."""

import pytest
from support.history import (
    CUSTOMER,
    HOUR,
    SUPPLIER,
    Journal,
    agreed,
    annulled,
    intervention_started,
    opened,
    reopened,
    suspended,
    under_contract,
    when,
    withdrawn,
)

from domain.facts import Fact
from domain.values import Party
from projections.clock_inputs import VoidCause
from projections.clocks import Verdict

AGREED = "one_sided=agreed"


def record(*facts: Fact) -> Journal:
    return under_contract().incident("INC1", *facts)


def verdicts(journal: Journal, as_of: str = "Fri 18:00", reading: str = "literal") -> tuple[Verdict, Verdict]:
    row = journal.row(as_of, reading)
    return row.charge.judged.verdict, row.intervention.judged.verdict


@pytest.mark.parametrize(("by", "agreed_by"), [(CUSTOMER, ()), (SUPPLIER, (CUSTOMER,)), (CUSTOMER, (SUPPLIER,))])
def test_a_request_that_the_customer_or_both_call_void_is_no_case_whatever_its_clocks_show(
    by: Party, agreed_by: tuple[Party, ...]
) -> None:
    # Due to be taken in charge at 11:00: at 12:00 that clock is breached.
    journal = record(opened("Mon 09:00"), withdrawn("Mon 12:00", by=by, agreed_by=agreed_by))
    assert verdicts(journal) == (Verdict.VOID, Verdict.VOID)
    assert journal.row("Fri 18:00").void is VoidCause.WITHDRAWN
    window = journal.window("Fri 18:00")
    assert (window.cases, window.tally.withdrawn) == (0, 1)


def test_a_supplier_alone_ends_what_runs_and_what_was_breached_stays() -> None:
    journal = record(opened("Mon 09:00"), withdrawn("Mon 12:00"))
    assert verdicts(journal) == (Verdict.BREACHED, Verdict.VOID)
    assert journal.window("Fri 18:00").ratio == "1/1"


def test_what_was_met_before_a_supplier_s_void_closing_stays_met() -> None:
    journal = record(opened("Mon 09:00"), intervention_started("Mon 10:00"), withdrawn("Mon 12:00"))
    assert verdicts(journal) == (Verdict.MET, Verdict.MET)
    assert journal.window("Fri 18:00").ratio == "0/1"


def test_one_sided_a_supplier_s_void_closing_is_removed_and_the_clocks_run_on() -> None:
    # Closed at 10:00; nobody ever took charge: breached at 11:00.
    journal = record(opened("Mon 09:00"), withdrawn("Mon 10:00"))
    assert verdicts(journal) == (Verdict.VOID, Verdict.VOID)
    assert verdicts(journal, reading=AGREED) == (Verdict.BREACHED, Verdict.BREACHED)


def test_an_agreement_given_afterwards_makes_a_supplier_s_void_closing_both_parties_and_no_case() -> None:
    journal = record(opened("Mon 09:00"), withdrawn("Mon 12:00"), agreed(2, by=CUSTOMER))
    assert verdicts(journal) == verdicts(journal, reading=AGREED) == (Verdict.VOID, Verdict.VOID)
    # It is an admission and counts whatever its own date; what was known before it did not hold it.
    assert verdicts(journal, "Tue 12:00") == (Verdict.VOID, Verdict.VOID)
    assert verdicts(journal.known_on("Fri 11:59"), "Tue 12:00") == (Verdict.BREACHED, Verdict.VOID)


def test_a_reopening_after_a_supplier_s_void_closing_undoes_it_and_the_time_between_counts() -> None:
    # 09:00 to 10:00, void until 15:00, intervention at 16:00: 7 hours of 8.
    journal = record(opened("Mon 09:00"), withdrawn("Mon 10:00"), reopened("Mon 15:00"))
    row = journal.incident("INC1", intervention_started("Mon 16:00")).row()
    assert (row.intervention.judged.net_us, row.intervention.judged.verdict) == (7 * HOUR, Verdict.MET)
    assert row.charge.judged.verdict is Verdict.BREACHED


def test_a_reopening_after_the_customer_s_void_closing_undoes_it_and_the_time_between_does_not_count() -> None:
    # The same, told by the customer: 1 hour before and 1 after are 2 hours, exactly the time to take charge.
    journal = record(opened("Mon 09:00"), withdrawn("Mon 10:00", by=CUSTOMER), reopened("Mon 15:00"))
    row = journal.incident("INC1", intervention_started("Mon 16:00")).row()
    for clock in row.clocks:
        assert (clock.judged.net_us, clock.judged.suspended_us) == (2 * HOUR, 5 * HOUR)
        assert clock.judged.verdict is Verdict.MET
    assert row.void is None


def test_the_time_for_which_the_customer_called_it_void_does_not_count_where_suspensions_do() -> None:
    facts = (withdrawn("Mon 10:00", by=CUSTOMER), reopened("Mon 15:00"), intervention_started("Mon 16:00"))
    row = record(opened("Mon 09:00"), *facts).row(reading="suspensions=counted")
    assert row.charge.judged.net_us == 2 * HOUR


def test_a_suspension_within_the_time_it_was_void_is_not_taken_off_twice() -> None:
    # Suspended 09:30 to the end; void 10:00 to 15:00; what counts is half an hour.
    facts = (suspended("Mon 09:30"), withdrawn("Mon 10:00", by=CUSTOMER), reopened("Mon 15:00"))
    row = record(opened("Mon 09:00"), *facts, intervention_started("Mon 16:00")).row()
    assert (row.charge.judged.net_us, row.charge.judged.suspended_us) == (HOUR // 2, 13 * HOUR // 2)


def test_a_reopening_dated_before_the_closing_undoes_nothing_in_whatever_order_they_came() -> None:
    closing, again = withdrawn("Mon 10:00", by=CUSTOMER), reopened("Mon 09:30")
    for facts in ((closing, again), (again, closing)):
        assert verdicts(record(opened("Mon 09:00"), *facts)) == (Verdict.VOID, Verdict.VOID)


def test_at_one_instant_the_last_recorded_of_closing_and_reopening_rules() -> None:
    closing, again = withdrawn("Mon 10:00", by=CUSTOMER), reopened("Mon 10:00")
    assert record(opened("Mon 09:00"), again, closing).row().void is VoidCause.WITHDRAWN
    undone = record(opened("Mon 09:00"), closing, again).row("Mon 10:30")
    assert (undone.void, undone.charge.judged.net_us) == (None, 3 * HOUR // 2)


def test_a_void_closing_that_is_annulled_never_was() -> None:
    journal = record(opened("Mon 09:00"), withdrawn("Mon 10:00", by=CUSTOMER), annulled(2))
    assert verdicts(journal) == (Verdict.BREACHED, Verdict.BREACHED)
    assert verdicts(journal.known_on("Fri 11:59")) == (Verdict.VOID, Verdict.VOID)


def test_until_it_is_closed_it_is_judged_as_any_other() -> None:
    journal = record(opened("Mon 09:00"), withdrawn("Mon 10:00", by=CUSTOMER))
    assert verdicts(journal, "Mon 09:59:59.999999") == (Verdict.RUNNING, Verdict.RUNNING)
    assert verdicts(journal, "Mon 10:00") == (Verdict.VOID, Verdict.VOID)


def test_handled_counts_no_void_request_by_whomever_it_was_closed() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"), withdrawn("Mon 10:00"))
    assert journal.window("Fri 18:00", "population=handled").cases == 0
    assert journal.window("Fri 18:00").window.start == when("2026-01-01")
