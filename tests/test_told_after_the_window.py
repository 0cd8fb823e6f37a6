"""Closed is not for ever: what a window's figures rest on and was recorded after its end is a finding on them (P1)."""

import pytest
from support.history import (
    ACME,
    CUSTOMER,
    Journal,
    bought,
    consumed,
    intervention_started,
    opened,
    refunded,
    resumed,
    suspended,
    taken_in_charge,
    under_contract,
    when,
    withdrawn,
)

from domain.facts import Fact
from domain.record_facts import RecordAgreed

QUARTER, AGREED = "window=quarter", "window=quarter,one_sided=agreed"
BEFORE, AFTER = "2026-03-20 10:00", "2026-04-08 10:00"
"""Within the first quarter of 2026, and after it."""


def told_after(journal: Journal, reading: str = QUARTER) -> list[str]:
    """What the first quarter says of what was recorded after its end."""
    first = journal.windows(reading=reading)[0]
    return [finding.text for finding in first.findings if finding.code == "recorded_after_window"]


def one_fact(at: str = "2026-04-08T08:00:00Z") -> list[str]:
    return [f"facts that it rests on, recorded after the window's end: 1, the latest on {at}"]


def withdrawn_by_the_supplier() -> Journal:
    """Taken in charge late, then closed as withdrawn by the supplier alone: version 3."""
    return under_contract().incident("INC1", opened("Mon 09:00"), taken_in_charge("Mon 12:00"), withdrawn("Mon 13:00"))


def waiting() -> Journal:
    """Begun in time thanks to a wait that the supplier noted alone: version 2."""
    facts = opened("Mon 09:00"), suspended("Mon 10:00"), resumed("Mon 14:00"), intervention_started("Mon 14:30")
    journal = under_contract().incident("INC1", *facts)
    return Journal([entry._replace(contract=ACME) for entry in journal.entries])


def agreed(at: str, *, version: int | None = None, up_to: int | None = None) -> RecordAgreed:
    return RecordAgreed(at=when(at), version=version, up_to=up_to, by=CUSTOMER)


@pytest.mark.parametrize(("at", "found"), [(BEFORE, []), (AFTER, one_fact())])
def test_an_agreement_to_a_void_closing_takes_a_case_away(at: str, found: list[str]) -> None:
    journal = withdrawn_by_the_supplier()
    assert journal.windows(reading=QUARTER)[0].ratio == "1/1"
    journal.incident("INC1", agreed(at, version=3))
    assert journal.windows(reading=QUARTER)[0].ratio is None
    assert told_after(journal) == found


@pytest.mark.parametrize(("at", "found"), [(BEFORE, []), (AFTER, one_fact())])
def test_an_agreement_to_all_counts_for_what_it_makes_count(at: str, found: list[str]) -> None:
    journal = waiting()
    assert journal.row(reading=AGREED).breach
    journal.contract(agreed(at, up_to=len(journal.entries)))
    assert not journal.row(reading=AGREED).breach
    assert told_after(journal, AGREED) == found


def test_an_agreement_says_nothing_where_one_word_was_enough() -> None:
    journal = waiting()
    journal.contract(agreed(AFTER, up_to=len(journal.entries)))
    assert told_after(journal, QUARTER) == []


def test_an_agreement_to_what_is_agreed_already_says_nothing() -> None:
    facts = opened("Mon 09:00"), suspended("Mon 10:00", agreed_by=(CUSTOMER,)), intervention_started("Mon 14:30")
    journal = under_contract().incident("INC1", *facts)
    journal.contract(agreed(AFTER, up_to=len(journal.entries)))
    assert told_after(journal, AGREED) == []


@pytest.mark.parametrize(
    "fact", [bought("Tue 10:00", name="B"), consumed("Tue 10:00", 60), refunded("Tue 10:00", 60, "5.00")]
)
def test_what_is_told_late_of_the_credits_counts_too(fact: Fact) -> None:
    assert told_after(under_contract().met("INC1").credits(fact, recorded=AFTER)) == one_fact()
    assert told_after(under_contract().met("INC1").credits(fact, recorded=BEFORE)) == []


def test_credits_dated_after_the_window_do_not_bear_on_it() -> None:
    assert told_after(under_contract().met("INC1").credits(bought(AFTER, name="B"))) == []
