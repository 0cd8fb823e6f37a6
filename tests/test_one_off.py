"""One-off: once in the life of the contract, or once in each of its terms; and what was bought before it began (P2)."""

from decimal import Decimal
from typing import Any

from support.history import (
    ACME,
    Journal,
    activated,
    adopted,
    bought,
    refunded,
    signed,
    terminated,
    when,
)

from adapters.reports.penalty import PENALTIES, row_of
from domain.contract_facts import ContractRenewed
from domain.interval import Interval
from projections.contract_terms import contract_terms, term_of
from projections.penalty import PenaltyRow

TERM, IN_WINDOW = "one_off=term", "base=purchased_in_window"
QUARTERS = "window=quarter"
FIRST, SECOND = Interval(when("2026-01-01"), when("2027-01-01")), Interval(when("2027-01-01"), when("2028-01-01"))


def euro(text: str) -> Decimal:
    return Decimal(text)


def renewed(at: str, until: str, **more: Any) -> ContractRenewed:
    return ContractRenewed(at=when(at), until=when(until), **more)


def two_terms() -> Journal:
    """A contract for 2026, renewed for 2027: 5000.00 euro bought for the first year, 3000.00 in the second."""
    calendar = adopted(years=(2026, 2027))
    facts = signed(), activated(), calendar, renewed("2026-12-01 10:00", "2028-01-01")
    journal = Journal().contract(*facts, recorded="2025-12-15 10:00")
    return journal.credits(bought(), bought("2027-02-01 10:00", price="3000.00", name="B"))


def parts(row: PenaltyRow) -> list[tuple[Interval, str | None, Decimal, Decimal]]:
    """What each term in which a window passed adds: term, incident, base, maximum."""
    return [(one.term, one.passing.incident, one.base, one.maximum_penalty(row.rate)) for one in row.terms]


# --- once in each term ------------------------------------------------------------------------------------------


def test_under_term_the_maximum_is_the_sum_over_the_terms_in_which_a_window_passed() -> None:
    # 10% of 5000.00, then 10% of 8000.00: all that was bought before the end of the second year.
    journal = two_terms().late("INC1", "2026-03-02").late("INC2", "2027-03-01")
    row = journal.penalty("2027-12-31", TERM)
    assert parts(row) == [
        (FIRST, "INC1", euro("5000.00"), euro("500.00")),
        (SECOND, "INC2", euro("8000.00"), euro("800.00")),
    ]
    assert (row.base, row.maximum_penalty) == (euro("13000.00"), euro("1300.00"))
    assert (row.passing, row.window) == (row.terms[0].passing, FIRST)
    assert row.conflict == {"figures": euro("1300.00"), "words": euro("650.00")}
    assert row.purchases == (1, 2)


def test_under_contract_the_second_term_adds_nothing() -> None:
    journal = two_terms().late("INC1", "2026-03-02").late("INC2", "2027-03-01")
    row = journal.penalty("2027-12-31")
    assert (row.maximum_penalty, row.base, row.terms) == (euro("500.00"), euro("5000.00"), ())


def test_under_term_only_the_first_window_of_a_term_counts() -> None:
    journal = two_terms().late("INC1", "2026-03-02").late("INC2", "2026-06-01").late("INC3", "2027-06-01")
    row = journal.penalty("2027-12-31", f"{TERM},{QUARTERS}")
    assert [(one.window.start, one.passing.incident) for one in row.terms] == [
        (when("2026-01-01"), "INC1"),
        (when("2027-04-01"), "INC3"),
    ]
    assert row.maximum_penalty == euro("1300.00")


def test_a_term_in_which_nothing_passed_adds_nothing() -> None:
    row = two_terms().met("INC1", "2026-03-02").late("INC2", "2027-03-01").penalty("2027-12-31", TERM)
    assert parts(row) == [(SECOND, "INC2", euro("8000.00"), euro("800.00"))]
    assert (row.maximum_penalty, row.window) == (euro("800.00"), SECOND)


def test_where_nothing_passed_in_any_term_there_is_no_maximum() -> None:
    row = two_terms().met("INC1", "2026-03-02").penalty("2027-12-31", TERM)
    assert (row.terms, row.maximum_penalty, row.base) == ((), None, euro("8000.00"))


def test_each_term_is_rounded_by_itself() -> None:
    # 10% of 0.05 is half a cent, one cent each: together two, not the one that 10% of 0.10 would be.
    journal = Journal().contract(
        signed(), activated(), adopted(), adopted(years=(2027, 2027)), renewed("2026-12-01", "2028-01-01"),
        recorded="2025-12-15 10:00",
    )  # fmt: skip
    journal.credits(bought(price="0.05")).late("INC1", "2026-03-02").late("INC2", "2027-03-01")
    assert journal.penalty("2027-12-31", TERM).maximum_penalty == euro("0.02")


def test_a_window_belongs_to_the_term_that_it_begins_in() -> None:
    # In force from March: the window of the contract year from March 2026 reaches into the term from September.
    facts = signed(since="2026-03-01", until="2026-09-01"), activated(), adopted(), renewed("2026-08-01", "2027-09-01")
    journal = Journal().contract(*facts, adopted(years=(2027, 2027)), recorded="2025-12-15 10:00")
    journal.credits(bought()).late("INC1", "2026-10-05").late("INC2", "2027-04-05")
    row = journal.penalty("2027-08-31", TERM)
    assert [(one.term, one.window.start) for one in row.terms] == [
        (Interval(when("2026-03-01"), when("2026-09-01")), when("2026-03-01")),
        (Interval(when("2026-09-01"), when("2027-09-01")), when("2027-03-01")),
    ]


def test_the_whole_contract_is_a_window_of_the_signed_term() -> None:
    journal = two_terms().late("INC1", "2026-03-02").late("INC2", "2027-03-01")
    row = journal.penalty("2027-12-31", f"{TERM},window=whole_contract")
    assert parts(row) == [(FIRST, "INC1", euro("8000.00"), euro("800.00"))]


def test_a_row_is_read_back_from_the_live_tables_with_its_terms() -> None:
    row = two_terms().late("INC1", "2026-03-02").late("INC2", "2027-03-01").penalty("2027-12-31", f"{TERM},rate=words")
    stored = dict(zip(PENALTIES.names, PENALTIES.values("main", "a reading", row), strict=True))
    assert stored["terms"][1] == {
        "from": "2026-12-31T23:00:00Z",
        "to": "2027-12-31T23:00:00Z",
        "window_from": "2026-12-31T23:00:00Z",
        "window_to": "2027-12-31T23:00:00Z",
        "passed_at": "2027-03-01T10:00:00.000001Z",
        "incident": "INC2",
        "base": "8000.00",
        "maximum_penalty": "400.00",
    }
    assert row_of(stored).terms == row.terms
    assert row_of(stored).maximum_penalty == row.maximum_penalty == euro("650.00")


# --- the terms --------------------------------------------------------------------------------------------------


def terms_of(journal: Journal) -> list[Interval]:
    return contract_terms(journal.replay("2029-12-31").contract(ACME).contract)


def test_each_renewal_that_prolongs_makes_a_term_and_the_last_ends_with_the_contract() -> None:
    journal = Journal().contract(signed(), renewed("2026-12-01", "2028-01-01"), renewed("2027-01-15", "2027-06-01"))
    assert terms_of(journal) == [FIRST, SECOND]
    journal.contract(terminated("2027-02-01 10:00", "2027-07-01"))
    assert terms_of(journal) == [FIRST, Interval(when("2027-01-01"), when("2027-07-01"))]


def test_a_renewal_after_the_end_begins_its_term_at_its_own_instant() -> None:
    journal = Journal().contract(signed(), renewed("2027-02-10 09:00", "2028-01-01"))
    first, second = terms_of(journal)
    assert (first, second) == (FIRST, Interval(when("2027-02-10 09:00"), when("2028-01-01")))
    assert term_of([first, second], when("2027-01-20")) == first


def test_a_contract_without_end_has_one_term() -> None:
    assert terms_of(Journal().contract(signed(until=None), renewed("2026-12-01", "2028-01-01"))) == [
        Interval(when("2026-01-01"), None)
    ]


# --- what was bought before the first window --------------------------------------------------------------------


def bought_before() -> Journal:
    """4000.00 euro bought before the contract is in force, 70.00 in its first quarter, 30.00 in its second."""
    journal = Journal().contract(signed(), activated(), adopted(), recorded="2025-12-15 10:00")
    return journal.credits(
        bought("2025-12-20 10:00", price="4000.00"),
        bought("2026-02-01 10:00", price="70.00", name="B"),
        bought("2026-05-04 08:00", price="30.00", name="C"),
    )


def test_what_was_bought_before_the_first_window_belongs_to_it() -> None:
    journal = bought_before().late("INC1", "2026-03-02")
    assert journal.penalty(reading=f"{QUARTERS},{IN_WINDOW}").base == euro("4070.00")


def test_it_belongs_to_no_later_window() -> None:
    journal = bought_before().met("INC0", "2026-03-02").late("INC1", "2026-05-04")
    assert journal.penalty(reading=f"{QUARTERS},{IN_WINDOW}").base == euro("30.00")


def test_what_was_given_back_of_it_leaves_the_base_of_the_first_window() -> None:
    journal = bought_before().credits(refunded("2026-03-03 10:00", 60, "1000.00")).late("INC1", "2026-03-02")
    assert journal.penalty(reading=f"{QUARTERS},{IN_WINDOW}").base == euro("3070.00")
