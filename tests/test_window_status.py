"""What a figure rests on: the status of windows and penalties, who is not counted, what was told late or alone (P1)."""

import pytest
from support.history import (
    BY_CUSTOMER,
    BY_SUPPLIER,
    CUSTOMER,
    SIGNING,
    Journal,
    activated,
    adopted,
    agreed,
    attributed,
    best_effort,
    bought,
    claimed,
    intervention_started,
    opened,
    rectified,
    renewed,
    resumed,
    settled,
    signed,
    suspended,
    terminated,
    under_contract,
    withdrawn,
)

from domain.facts import Fact
from projections.breach import WindowStatus
from projections.findings import Finding

OPEN, PROVISIONAL, CLOSED = WindowStatus.OPEN, WindowStatus.PROVISIONAL, WindowStatus.CLOSED
QUARTER = "window=quarter"
SPRING = "2026-04-02 09:00"
"""After the first quarter, which ends on 1 April at midnight."""


def of(findings: tuple[Finding, ...], code: str) -> list[Finding]:
    return [finding for finding in findings if finding.code == code]


def first(journal: Journal, as_of: str = SPRING, reading: str = QUARTER) -> tuple[Finding, ...]:
    return journal.windows(as_of, reading)[0].findings


# --- status -----------------------------------------------------------------------------------------------------


def test_a_window_is_open_until_it_ends_provisional_while_a_clock_is_undecided_then_closed() -> None:
    # Opened Tuesday 31 March at 17:00: 8 working hours to intervention, due on Wednesday 1 April at 15:00.
    journal = under_contract().incident("INC1", opened("2026-03-31 17:00"))
    journal.incident("INC1", intervention_started("2026-04-01 09:00"))
    assert journal.windows("2026-03-31 23:59:59.999999", QUARTER)[0].status is OPEN
    assert journal.windows("2026-04-01 00:00", QUARTER)[0].status is PROVISIONAL
    assert journal.windows("2026-04-01 08:59:59.999999", QUARTER)[0].status is PROVISIONAL
    assert journal.windows("2026-04-01 09:00", QUARTER)[0].status is CLOSED


def test_undecided_are_apart_those_that_run_and_those_that_no_calendar_covers() -> None:
    # The calendar of 2026 alone: what was opened and stopped in December 2025 is covered by none.
    journal = Journal().contract(signed("2025-09-01", since="2025-10-01"), activated("2025-09-01"), adopted())
    journal.credits(bought("2025-10-01")).late("OLD", "2025-12-01").incident("RUNS", opened("2026-03-31 17:00"))
    (whole,) = journal.windows("2026-03-31 17:30", "window=whole_contract")
    assert (whole.tally.running, whole.tally.uncovered, whole.tally.undecided, whole.cases) == (1, 1, 2, 0)


def test_a_penalty_is_open_while_one_of_its_windows_is_and_not_for_the_windows_after_the_first_that_passed() -> None:
    journal = under_contract().late("INC1")
    assert journal.penalty("2026-03-31 23:59", QUARTER).status is OPEN
    assert journal.penalty("2026-04-01", QUARTER).status is CLOSED
    nothing = under_contract().met("INC1")
    assert nothing.penalty("2026-04-01", QUARTER).status is OPEN


# --- who is not counted, and why --------------------------------------------------------------------------------


def test_a_row_says_who_is_not_counted_and_why() -> None:
    # Credits until Wednesday: Thursday's request is best effort. Of the others: one met, one late for the customer,
    # one withdrawn by the customer.
    journal = Journal().contract(signed(), activated(), adopted(), recorded=SIGNING)
    journal.credits(bought(expires="Thu"), recorded="2026-01-01").met("MET").late("LATE", "Tue")
    journal.incident("LATE", attributed("Wed 09:00", BY_CUSTOMER))
    journal.incident("VOID", opened("Wed 09:00"), withdrawn("Wed 12:00", by=CUSTOMER))
    journal.incident("BEST", opened("Thu 09:00", answer=best_effort("no_credits")))
    row = journal.window("Fri 18:00")
    assert (row.cases, row.breaches, row.tally.late) == (2, 0, 1)
    assert (row.tally.withdrawn, row.tally.void, row.tally.best_effort, row.tally.undecided) == (1, 1, 1, 0)


def test_by_the_clock_each_clock_is_counted_or_left_out() -> None:
    # Charge breached at 11:00; the supplier closes it as withdrawn at 12:00: the other clock is void.
    journal = under_contract().incident("INC1", opened("Mon 09:00"), withdrawn("Mon 12:00"))
    row = journal.window("Fri 18:00", "unit=clock")
    assert (row.cases, row.breaches, row.tally.withdrawn) == (1, 1, 1)


def test_the_contract_s_end_leaves_out_what_still_ran() -> None:
    journal = under_contract(signed(until="Mon 10:00")).incident("INC1", opened("Mon 09:00"))
    (row,) = journal.windows("Fri 18:00")
    assert (row.cases, row.tally.contract_ended) == (0, 1)


# --- told after the window, or by one party ---------------------------------------------------------------------


def test_facts_told_after_the_window_had_ended_are_a_finding_on_it() -> None:
    journal = under_contract().late("INC1")
    assert of(first(journal), "recorded_after_window") == []
    journal.incident("INC1", suspended("Mon 09:30"), resumed("Mon 11:30"), recorded="2026-04-03 09:00")
    (finding,) = of(first(journal), "recorded_after_window")
    assert "window's end: 2, the latest" in finding.text
    assert "2026-04-03" in finding.text
    assert of(journal.penalty(SPRING, QUARTER).findings, "recorded_after_window") == []  # of the window that rules now
    assert journal.windows(SPRING, QUARTER)[0].ratio == "0/1"


def test_while_a_window_is_open_nothing_can_be_told_after_it() -> None:
    journal = under_contract().late("INC1").incident("INC1", suspended("Mon 09:30"), recorded="2026-04-03 09:00")
    assert of(first(journal, "2026-03-31 12:00"), "recorded_after_window") == []


def test_what_one_party_told_alone_is_a_finding_until_the_other_agrees() -> None:
    journal = under_contract().late("INC1").incident("INC1", suspended("Mon 09:30"))
    (finding,) = of(first(journal), "one_sided")
    assert finding.text.endswith("alone: 1")
    journal.incident("INC1", agreed(3, by=CUSTOMER))
    assert of(first(journal), "one_sided") == []


def test_what_the_reading_leaves_out_is_no_one_sided_fact_that_the_figure_rests_on() -> None:
    journal = under_contract().late("INC1").incident("INC1", suspended("Mon 09:30"))
    assert of(first(journal, reading=f"{QUARTER},one_sided=agreed"), "one_sided") == []


@pytest.mark.parametrize(("met", "shown"), [(8, True), (9, False)])
def test_with_fewer_cases_than_one_over_the_tolerance_a_single_breach_passes(met: int, shown: bool) -> None:
    # Tolerance 10%: of nine cases one breach is above, of ten it is exactly the tolerance.
    journal = under_contract().late("LATE")
    for number in range(met):
        journal.met(f"MET{number}")
    window = journal.window()
    assert (bool(of(window.findings, "single_breach_passes")), window.passed) == (shown, shown)


def test_without_a_case_nothing_is_said_of_a_single_breach() -> None:
    assert of(under_contract().window().findings, "single_breach_passes") == []


# --- claims and payments ----------------------------------------------------------------------------------------


def money(*facts: Fact) -> Journal:
    """A maximum of 500.00: 10% of 5000.00."""
    return under_contract().late("INC1").contract(*facts)


def test_more_claimed_or_paid_than_the_maximum_is_a_finding() -> None:
    assert of(money(claimed(SPRING, "500.00")).penalty().findings, "paid_above_maximum") == []
    above = money(claimed(SPRING, "500.01"), settled(SPRING, "500.02")).penalty()
    assert {finding.versions for finding in of(above.findings, "paid_above_maximum")} == {(4,), (5,)}


def test_a_claim_on_another_figure_or_under_another_reading_is_a_finding() -> None:
    assert of(money(claimed(SPRING, "500.00")).penalty().findings, "claim_on_other_figure") == []
    (other,) = of(money(claimed(SPRING, "400.00")).penalty().findings, "claim_on_other_figure")
    assert other.versions == (4,)
    journal = money(claimed(SPRING, "500.00"))
    assert of(journal.penalty(reading="rate=words").findings, "claim_on_other_figure") != []


def test_a_claimed_and_paid_penalty_that_falls_to_nothing_says_so() -> None:
    journal = money(claimed(SPRING, "500.00"), settled(SPRING, "500.00"))
    journal.incident("INC1", attributed("Fri 09:00", BY_CUSTOMER), recorded="2026-05-01")
    row = journal.penalty()
    assert (row.maximum_penalty, str(row.paid)) == (None, "500.00")
    assert {finding.code for finding in row.findings} >= {"paid_above_maximum", "claim_on_other_figure", "one_sided"}


# --- renewals and customer keys ---------------------------------------------------------------------------------


def test_a_renewal_told_after_a_termination_revives_nothing_and_every_row_of_the_contract_says_so() -> None:
    journal = under_contract().contract(terminated("Mon 08:00", "2026-07-01"), renewed("Tue 09:00", "2028-01-01"))
    (window,) = journal.windows("2026-09-01")
    assert window.window.end is not None
    assert window.window.ended_by(journal.replay("2026-07-01").as_of)
    for findings in (window.findings, journal.penalty("2026-09-01").findings):
        (finding,) = of(findings, "renewed_after_termination")
        assert finding.versions == (5,)


def test_a_renewal_that_revokes_a_termination_before_its_effect_goes_on() -> None:
    journal = under_contract().contract(
        terminated("Mon 08:00", "2026-07-01"), renewed("Tue 09:00", "2028-01-01", revokes=True)
    )
    journal.met("INC1", "2026-09-07")
    assert journal.row().answer.guaranteed
    assert of(journal.windows("2026-12-01")[0].findings, "renewed_after_termination") == []


def test_a_renewal_at_the_very_effect_of_a_termination_revokes_nothing() -> None:
    journal = under_contract().contract(
        terminated("Mon 08:00", "Wed 09:00"), renewed("Wed 09:00", "2028-01-01", revokes=True)
    )
    journal.incident("INC1", opened("Wed 10:00"))
    assert journal.row().answer.reason == "contract_not_in_force"
    assert of(journal.windows("Fri 18:00")[0].findings, "renewed_after_termination") != []


def test_a_revoking_renewal_undoes_the_termination_in_whatever_order_they_were_told() -> None:
    ending, renewal = terminated("Mon 08:00", "2026-07-01"), renewed("Tue 09:00", "2028-01-01", revokes=True)
    for facts in ((ending, renewal), (renewal, ending)):
        journal = under_contract().contract(*facts).met("INC1", "2026-09-07")
        assert journal.row().answer.guaranteed


def test_a_key_of_two_contracts_routes_to_neither_with_a_finding_on_the_request_and_on_both() -> None:
    journal = under_contract()
    journal.contract(signed(), activated(), adopted(), name="beta", recorded=SIGNING)
    journal.incident("INC1", opened(contract=None, customer="ACME", answer=best_effort("no_contract", None)))
    row = journal.row()
    assert (row.contract, row.answer.reason) == (None, "no_contract")
    (finding,) = of(row.findings, "unrouted")
    assert "acme" in finding.text
    assert "beta" in finding.text
    for window in journal.windows():
        assert of(window.findings, "customer_of_several") != []
    for penalty in journal.penalties():
        assert of(penalty.findings, "customer_of_several") != []


def test_a_rectification_or_a_termination_heals_a_key_of_two_contracts() -> None:
    journal = under_contract()
    journal.contract(signed(), activated(), adopted(), name="beta", recorded=SIGNING)
    journal.incident("INC1", opened(contract=None, customer="ACME", answer=best_effort("no_contract", None)))
    journal.contract(rectified(1, "customers", ["BETA"]), name="beta")
    assert journal.row().contract == "acme"
    assert of(journal.windows()[0].findings, "customer_of_several") == []


def test_under_the_reading_that_leaves_it_out_a_supplier_s_own_attribution_to_itself_counts() -> None:
    journal = under_contract().late("INC1").incident("INC1", attributed("Fri 09:00", BY_SUPPLIER))
    assert journal.window(reading="one_sided=agreed").ratio == "1/1"
