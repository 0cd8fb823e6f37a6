"""The maximum one-off penalty: the window that passes first, since when, on which base, and what is left of it (P2)."""

from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.history import (
    ACME,
    BY_CUSTOMER,
    INTERVENTION,
    Journal,
    activated,
    adopted,
    attributed,
    best_effort,
    bought,
    claimed,
    consumed,
    opened,
    rectified,
    refunded,
    settled,
    signed,
    terminated,
    terms,
    under_contract,
    waived,
    when,
)

from domain.facts import Fact
from domain.interval import Interval
from projections.breach import WindowStatus, exceeds
from projections.tolerance import DAY, Case, Passing, by_day, every_day, passed_for_good

WORDS, QUARTERS, IN_WINDOW = "rate=words", "window=quarter", "base=purchased_in_window"
AT_ITS_END = "2027-01-01"
"""The contract has ended, and its only window with it."""


def euro(text: str) -> Decimal:
    return Decimal(text)


def passed() -> Journal:
    """A contract whose credits cost 5000.00 euro, and whose only incident is late: passed on Monday."""
    return under_contract().late("INC1")


def with_purchases(*purchases: Fact, signature: Fact | None = None) -> Journal:
    journal = Journal().contract(signature or signed(), activated(), adopted(), recorded="2025-12-15 10:00")
    return journal.credits(*purchases, recorded="2026-01-01 00:00")


# --- rate and base ----------------------------------------------------------------------------------------------


def test_nothing_is_due_where_no_window_passed() -> None:
    row = under_contract().met("INC1").penalty(AT_ITS_END)
    assert (row.passing, row.window, row.maximum_penalty) == (None, None, None)
    assert row.outstanding == euro("0.00")
    assert row.conflict == {"figures": None, "words": None}


def test_where_no_window_passed_the_base_is_the_one_that_would_count() -> None:
    journal = with_purchases(bought(), bought("2026-06-01 00:00", price="70.00", name="B")).met("INC1")
    assert journal.penalty("2026-05-31 23:59").base == euro("5000.00")
    assert journal.penalty("2026-06-01").base == euro("5070.00")


def test_exactly_the_tolerance_owes_nothing_and_one_more_breach_does() -> None:
    journal = under_contract().late("INC1")
    for number in range(9):
        journal.met(f"MET{number}")
    assert journal.penalty().maximum_penalty is None
    assert journal.late("INC2").penalty().maximum_penalty == euro("500.00")


def test_the_figure_says_ten_the_words_say_five_and_the_conflict_is_shown_under_either_reading() -> None:
    figures, words = passed().penalty(), passed().penalty(reading=WORDS)
    assert (figures.rate, figures.maximum_penalty) == (Fraction(1, 10), euro("500.00"))
    assert (words.rate, words.maximum_penalty) == (Fraction(1, 20), euro("250.00"))
    assert figures.conflict == words.conflict == {"figures": euro("500.00"), "words": euro("250.00")}


def test_where_figures_and_words_agree_there_is_no_conflict() -> None:
    journal = under_contract(signed(on=terms(figures="8%", words="8%"))).late("INC1")
    assert (journal.penalty().conflict, journal.penalty().maximum_penalty) == (None, euro("400.00"))


@pytest.mark.parametrize(
    ("price", "reading", "maximum"),
    [
        ("0.05", "literal", "0.01"),
        ("0.04", "literal", "0.00"),
        ("0.15", "literal", "0.02"),
        ("0.10", WORDS, "0.01"),
        ("0.30", WORDS, "0.02"),
        ("1234.56", "literal", "123.46"),
        ("1234.54", "literal", "123.45"),
    ],
)
def test_cents_are_rounded_half_up(price: str, reading: str, maximum: str) -> None:
    journal = with_purchases(bought(price=price)).late("INC1")
    assert journal.penalty(reading=reading).maximum_penalty == euro(maximum)


def test_a_rate_that_is_no_whole_percent_is_exact() -> None:
    journal = with_purchases(bought(price="100.00"), signature=signed(on=terms(figures="1/3", words="2.5%")))
    journal.late("INC1")
    assert journal.penalty().maximum_penalty == euro("33.33")
    assert journal.penalty(reading=WORDS).maximum_penalty == euro("2.50")


def test_the_base_counts_what_was_bought_expired_and_consumed_included() -> None:
    journal = with_purchases(
        bought("2025-12-20 10:00", price="100.00", minutes=60, expires="2026-01-15 00:00", name="EXPIRED"),
        bought("2026-01-01 00:00", price="200.00", minutes=60, name="CONSUMED"),
        consumed("2026-02-01 10:00", 60, package="CONSUMED"),
        bought("2026-02-15 00:00", price="400.00", name="FRESH"),
    )
    assert journal.late("INC1").penalty("Fri 18:00").base == euro("700.00")


def test_what_is_bought_after_as_of_does_not_count_and_at_as_of_does() -> None:
    journal = with_purchases(bought(), bought("Wed 10:00", price="70.00", name="B")).late("INC1")
    assert journal.penalty("Wed 09:59:59.999999").base == euro("5000.00")
    assert journal.penalty("Wed 10:00").base == euro("5070.00")


def test_what_is_bought_at_the_end_of_the_window_or_after_does_not_count() -> None:
    journal = with_purchases(
        bought(),
        bought("2026-03-31 23:59:59.999999", price="70.00", name="LAST"),
        bought("2026-04-01 00:00", price="900.00", name="NEXT"),
    )
    assert journal.late("INC1").penalty(reading=QUARTERS).base == euro("5070.00")


def test_purchased_in_window_leaves_out_what_was_bought_before_it() -> None:
    journal = with_purchases(
        bought(),
        bought("2026-03-31 23:59:59.999999", price="30.00", name="BEFORE"),
        bought("2026-04-01 00:00", price="70.00", name="FIRST"),
        bought("2026-07-01 00:00", price="900.00", name="NEXT"),
    ).late("INC1", "2026-05-04")
    assert journal.penalty(reading=QUARTERS).base == euro("5100.00")
    assert journal.penalty(reading=f"{QUARTERS},{IN_WINDOW}").base == euro("70.00")


def test_a_whole_contract_without_end_counts_every_purchase_by_as_of() -> None:
    journal = with_purchases(
        bought(), bought("2026-10-01 00:00", price="70.00", name="B"), signature=signed(until=None)
    )
    assert journal.late("INC1").penalty("2026-12-01", "window=whole_contract").base == euro("5070.00")


def test_a_rectified_price_changes_the_base() -> None:
    journal = passed().credits(rectified(1, "price", "4000.00"))
    assert journal.penalty().maximum_penalty == euro("400.00")


def test_what_was_given_back_before_the_end_of_the_window_leaves_the_base_from_its_instant() -> None:
    # 5000.00 bought, 1250.00 given back on Wednesday: 10% of 3750.00.
    journal = passed().credits(refunded("Wed 10:00", 600, "1250.00"))
    before, after = journal.penalty("Wed 09:59:59.999999"), journal.penalty("Wed 10:00")
    assert (before.base, before.purchases) == (euro("5000.00"), (1,))
    assert (after.base, after.purchases) == (euro("3750.00"), (1, 2))
    assert after.maximum_penalty == euro("375.00")


def test_what_was_given_back_at_the_end_of_the_window_or_after_stays_in_the_base() -> None:
    journal = with_purchases(
        bought(),
        refunded("2026-03-31 23:59:59.999999", 60, "70.00"),
        refunded("2026-04-01 00:00", 60, "900.00"),
    )
    assert journal.late("INC1").penalty(reading=QUARTERS).base == euro("4930.00")


def test_under_purchased_in_window_only_refunds_of_the_packages_that_count_leave_the_base() -> None:
    journal = with_purchases(
        bought(),
        bought("2026-04-02 00:00", price="70.00", name="B"),
        refunded("2026-04-03 10:00", 60, "900.00"),
        refunded("2026-04-04 10:00", 60, "20.00", package="B"),
    ).late("INC1", "2026-05-04")
    assert journal.penalty(reading=QUARTERS).base == euro("4150.00")
    assert journal.penalty(reading=f"{QUARTERS},{IN_WINDOW}").base == euro("50.00")


def test_the_base_is_never_less_than_nothing() -> None:
    journal = passed().credits(refunded("Wed 10:00", 600, "1250.00"), rectified(1, "price", "1000.00"))
    assert journal.penalty().base == euro("0.00")


def test_a_refund_whose_purchase_is_gone_takes_nothing_from_the_base() -> None:
    journal = passed().credits(refunded("Wed 10:00", 600, "1250.00", package="GONE"))
    assert journal.penalty().base == euro("5000.00")


# --- which window, and its status -------------------------------------------------------------------------------


def test_the_penalty_is_one_off_and_only_the_first_window_that_passes_counts() -> None:
    journal = under_contract().met("INC1", "2026-02-02").late("INC2", "2026-05-04").late("INC3", "2026-08-03")
    row = journal.penalty(reading=QUARTERS)
    assert row.window == Interval(when("2026-04-01"), when("2026-07-01"))
    assert (row.passing, row.maximum_penalty) == (Passing(when("2026-05-04 11:00") + 1, "INC2"), euro("500.00"))


def test_a_window_that_passes_only_by_facts_known_later_takes_the_place_of_a_later_one() -> None:
    journal = under_contract().incident("INC1", opened("2026-02-02 09:00"), attributed("2026-02-03", BY_CUSTOMER))
    journal.incident("INC1", attributed("2026-02-03", BY_CUSTOMER, INTERVENTION)).late("INC2", "2026-05-04")
    assert journal.penalty(reading=QUARTERS).window == Interval(when("2026-04-01"), when("2026-07-01"))
    journal.incident("INC1", rectified(2, "party", "supplier"))
    assert journal.penalty(reading=QUARTERS).window == Interval(when("2026-01-01"), when("2026-04-01"))


def test_the_penalty_is_provisional_while_its_window_is() -> None:
    journal = passed()
    assert journal.penalty("2026-03-31 18:00", QUARTERS).status is not WindowStatus.CLOSED
    assert journal.penalty("2026-04-01", QUARTERS).status is WindowStatus.CLOSED


def test_no_penalty_is_closed_only_once_every_window_is() -> None:
    journal = under_contract().met("INC1")
    assert journal.penalty("2026-12-31 23:59", QUARTERS).status is not WindowStatus.CLOSED
    assert journal.penalty("2027-01-01", QUARTERS).status is WindowStatus.CLOSED


def test_a_penalty_stays_provisional_while_an_earlier_window_may_still_pass() -> None:
    """The calendar of 2025 was never adopted: INC1 is undecided, and would be a breach."""
    journal = Journal().contract(signed("2025-09-01", since="2025-10-01"), activated("2025-09-01"), adopted())
    journal.credits(bought("2025-10-01")).late("INC1", "2025-12-01").late("INC2", "2026-02-02")
    first, second = journal.windows("2026-04-01", QUARTERS)[:2]
    assert (first.tally.undecided, first.status, second.passed, second.status) == (
        1,
        WindowStatus.PROVISIONAL,
        True,
        WindowStatus.CLOSED,
    )
    assert journal.penalty("2026-04-01", QUARTERS).status is not WindowStatus.CLOSED


def test_every_contract_has_its_row() -> None:
    journal = passed().contract(signed(customers=("B",)), activated(), adopted(), name="beta")
    assert [(row.contract, row.maximum_penalty) for row in journal.penalties()] == [
        (ACME, euro("500.00")),
        ("beta", None),
    ]


def test_a_contract_signed_but_not_yet_in_force_has_its_row() -> None:
    journal = under_contract(signed(since="2026-06-01"))
    assert [(row.contract, row.maximum_penalty) for row in journal.penalties("Mon 09:00")] == [(ACME, None)]


def test_the_early_end_of_a_contract_closes_its_window_and_the_base() -> None:
    journal = with_purchases(bought(), bought("Wed 10:00", price="70.00", name="B"))
    journal.contract(terminated("Mon 08:00", "Wed 00:00")).late("INC1")
    row = journal.penalty("Fri 18:00")
    assert (row.window, row.base, row.status) == (
        Interval(when("2026-01-01"), when("Wed")),
        euro("5000.00"),
        WindowStatus.CLOSED,
    )


# --- passed for good --------------------------------------------------------------------------------------------


def test_it_passed_at_the_verdict_after_which_it_stays_above() -> None:
    """Passed on Monday, back at exactly one in ten by Tuesday, passed again on Wednesday: Wednesday counts."""
    journal = under_contract().late("INC1", "Mon")
    assert journal.penalty("Mon 18:00").passing == Passing(when("Mon 11:00") + 1, "INC1")
    for number in range(9):
        journal.met(f"MET{number}", "Tue")
    assert journal.penalty("Tue 18:00").passing is None
    journal.late("INC2", "Wed").late("INC3", "Thu")
    assert journal.penalty("Fri 18:00").passing == Passing(when("Wed 11:00") + 1, "INC2")


def test_cases_met_later_that_do_not_bring_it_back_leave_the_instant() -> None:
    journal = under_contract().late("INC1", "Mon").met("INC2", "Tue").met("INC3", "Wed")
    assert journal.penalty("Fri 18:00").passing == Passing(when("Mon 11:00") + 1, "INC1")


def test_what_was_attributed_away_never_passed() -> None:
    journal = passed().incident("INC1", attributed("Fri 09:00", BY_CUSTOMER))
    assert journal.penalty("Wed 18:00").passing is None
    assert journal.known_on("Thu 18:00").penalty("Wed 18:00").passing is not None


def test_best_effort_requests_dilute_the_ratio_from_their_opening_when_handled() -> None:
    journal = with_purchases(bought(expires="Tue")).late("INC1", "Mon")
    for number in range(9):
        journal.incident(f"BE{number}", opened("Tue 09:00", answer=best_effort("no_credits")))
    assert journal.penalty("Fri 18:00").passing == Passing(when("Mon 11:00") + 1, "INC1")
    assert journal.penalty("Mon 18:00", "population=handled").passing == Passing(when("Mon 11:00") + 1, "INC1")
    assert journal.penalty("Fri 18:00", "population=handled").passing is None


def test_with_unit_clock_a_met_clock_dilutes_a_breached_one() -> None:
    journal = under_contract(signed(on=terms(tolerance="1/2"))).late("INC1")
    assert journal.penalty().passing is not None
    assert journal.penalty(reading="unit=clock").passing is None


def brute_force(cases: list[Case], tolerance: Fraction) -> Passing | None:
    """Look at the ratio after every verdict, last to first, for as long as it is above."""
    instants = sorted({case.at for case in cases} | {case.breach_at for case in cases if case.breach_at is not None})
    found = None
    for instant in reversed(instants):
        decided = sum(case.at <= instant for case in cases)
        breached = sum(case.breach_at is not None and case.breach_at <= instant for case in cases)
        if not exceeds(breached, decided, tolerance):
            break
        found = instant
    if found is None:
        return None
    return Passing(found, min(case.incident for case in cases if case.breach_at == found))


def by_days(cases: list[Case], tolerance: Fraction) -> Passing | None:
    return passed_for_good(every_day(cases, tolerance), by_day(cases).__getitem__, tolerance)


@st.composite
def decided_cases(draw: st.DrawFn) -> Case:
    """Three to a day, so that many days and many verdicts of one instant occur."""
    at = draw(st.integers(0, 12)) * DAY // 3
    later = draw(st.one_of(st.none(), st.just(0), st.integers(0, 4).map(lambda thirds: thirds * DAY // 3)))
    return Case(f"INC{draw(st.integers(1, 99)):02}", at, None if later is None else at + later)


@given(cases=st.lists(decided_cases(), max_size=25), tolerance=st.sampled_from(["1/10", "1/4", "1/2", "0", "2/3"]))
@settings(max_examples=500)
def test_passed_for_good_agrees_with_looking_after_every_verdict(cases: list[Case], tolerance: str) -> None:
    assert by_days(cases, Fraction(tolerance)) == brute_force(cases, Fraction(tolerance))


@given(cases=st.lists(decided_cases(), max_size=25), order=st.randoms(use_true_random=False))
def test_passed_for_good_does_not_depend_on_the_order_of_the_cases(cases: list[Case], order: Random) -> None:
    mixed = list(cases)
    order.shuffle(mixed)
    assert by_days(mixed, Fraction(1, 4)) == by_days(cases, Fraction(1, 4))


# --- claims, waivers, settlements -------------------------------------------------------------------------------


def test_what_the_parties_did_is_added_up_and_taken_off_what_is_outstanding() -> None:
    journal = passed().contract(
        claimed("Wed 09:00", "500.00"),
        waived("Wed 10:00", "100.50"),
        settled("Thu 09:00", "150.25"),
        settled("Fri 09:00", "49.75"),
    )
    row = journal.penalty(AT_ITS_END)
    assert (row.claimed, row.waived, row.paid) == (euro("500.00"), euro("100.50"), euro("200.00"))
    assert row.outstanding == euro("199.50")


def test_a_claim_alone_changes_nothing_that_is_outstanding() -> None:
    journal = passed().contract(claimed("Wed 09:00", "9999.00"))
    assert journal.penalty(AT_ITS_END).outstanding == euro("500.00")


def test_nothing_is_outstanding_while_the_window_is_open() -> None:
    journal = passed().contract(settled("Thu 09:00", "150.00"))
    row = journal.penalty("2026-12-31 23:59:59.999999")
    assert (row.status, row.maximum_penalty, row.outstanding) == (WindowStatus.OPEN, euro("500.00"), None)
    assert journal.penalty(AT_ITS_END).outstanding == euro("350.00")


def test_only_steps_taken_by_as_of_count() -> None:
    journal = passed().contract(settled("2026-04-02 09:00", "150.00"))
    assert journal.penalty("2026-04-02 08:59", QUARTERS).outstanding == euro("500.00")
    assert journal.penalty("2026-04-02 09:00", QUARTERS).outstanding == euro("350.00")


def test_nothing_is_outstanding_below_zero_and_payments_stay_when_the_figure_falls() -> None:
    journal = passed().contract(settled("Thu 09:00", "500.00"))
    row = journal.penalty(AT_ITS_END, WORDS)
    assert (row.maximum_penalty, row.paid, row.outstanding) == (euro("250.00"), euro("500.00"), euro("0.00"))
    journal.incident("INC1", attributed("Fri 09:00", BY_CUSTOMER))
    assert (journal.penalty().maximum_penalty, journal.penalty().paid) == (None, euro("500.00"))


def test_a_waiver_of_more_than_there_is_leaves_nothing() -> None:
    assert passed().contract(waived("Thu 09:00", "800.00")).penalty(AT_ITS_END).outstanding == euro("0.00")


# --- the evidence -----------------------------------------------------------------------------------------------


def test_the_versions_that_prove_a_penalty_come_in_order_whatever_their_dates() -> None:
    journal = passed().contract(claimed("Thu 09:00", "100.00")).contract(waived("Wed 09:00", "50.00"))
    journal.contract(rectified(4, "amount", "120.00"))
    assert journal.penalty().versions == (1, 4, 5, 6)


def test_the_purchases_that_prove_a_penalty_come_in_order_whatever_their_dates() -> None:
    journal = with_purchases(bought("2026-02-01 09:00", name="B"), bought("2026-01-10 09:00", name="A"))
    journal.credits(rectified(1, "price", "60.00")).late("INC1")
    assert journal.penalty().purchases == (1, 2, 3)
