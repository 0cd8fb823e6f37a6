"""What each reading changes, and how one is written (P1, P2, A2, A4)."""

import re
from typing import get_args

import pytest
from support.history import (
    BY_CUSTOMER,
    BY_SUPPLIER,
    BY_THIRD_PARTY,
    CHARGE,
    CUSTOMER,
    HOUR,
    SUPPLIER,
    Journal,
    attributed,
    intervention_started,
    opened,
    reassessed,
    rectified,
    resumed,
    suspended,
    taken_in_charge,
    under_contract,
    when,
    withdrawn,
)

from domain.facts import Fact
from domain.values import MINUTE, Party, Responsibility
from projections.clocks import Judged, Verdict
from projections.readings import LITERAL, Reading, UnknownReading

AGREED, LATEST, COUNTED = "one_sided=agreed", "reassessment=latest", "suspensions=counted"


def record(*facts: Fact) -> Journal:
    return under_contract().incident("INC1", *facts)


def charge(journal: Journal, reading: str, as_of: str = "Fri 18:00") -> Judged:
    return journal.row(as_of, reading).charge.judged


def intervention(journal: Journal, reading: str, as_of: str = "Fri 18:00") -> Judged:
    return journal.row(as_of, reading).intervention.judged


# --- reassessment (A2) ------------------------------------------------------------------------------------------


def test_declared_ignores_every_reassessment() -> None:
    journal = record(opened("Mon 09:00"), reassessed("Mon 09:30", 1), taken_in_charge("Mon 10:30"))
    row = journal.row("Fri 18:00")
    assert (row.priority, row.charge.judged.target_us, row.charge.judged.verdict) == (2, 2 * HOUR, Verdict.MET)


def test_latest_takes_the_last_reassessment() -> None:
    journal = record(opened("Mon 09:00"), reassessed("Mon 09:20", 5), reassessed("Mon 09:30", 1))
    row = journal.incident("INC1", taken_in_charge("Mon 10:30")).row("Fri 18:00", LATEST)
    assert (row.priority, row.charge.judged.target_us, row.charge.judged.verdict) == (1, 1 * HOUR, Verdict.BREACHED)
    assert row.charge.judged.decided_at == when("Mon 10:00") + 1


def test_latest_follows_the_instant_of_a_reassessment_not_its_arrival() -> None:
    journal = record(opened("Mon 09:00"), reassessed("Mon 09:30", 1), reassessed("Mon 09:20", 5))
    assert charge(journal, LATEST).target_us == 1 * HOUR


def test_latest_goes_clock_by_clock_and_ignores_what_comes_after_the_stop() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 10:30"), reassessed("Mon 10:31", 1))
    assert charge(journal, LATEST).target_us == 2 * HOUR
    assert intervention(journal, LATEST).target_us == 4 * HOUR


def test_latest_counts_a_reassessment_at_the_very_stop() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 10:30"), reassessed("Mon 10:30", 1))
    assert (charge(journal, LATEST).target_us, charge(journal, LATEST).verdict) == (1 * HOUR, Verdict.BREACHED)


def test_latest_ignores_a_reassessment_after_as_of() -> None:
    journal = record(opened("Mon 09:00"), reassessed("Mon 09:30", 1))
    assert charge(journal, LATEST, "Mon 09:29").target_us == 2 * HOUR
    assert charge(journal, LATEST, "Mon 09:30").target_us == 1 * HOUR


def test_a_net_already_beyond_the_new_target_is_breached_at_the_reassessment() -> None:
    journal = record(opened("Mon 09:00"), reassessed("Mon 10:45", 1))
    judged = charge(journal, LATEST)
    assert (judged.verdict, judged.decided_at) == (Verdict.BREACHED, when("Mon 10:45"))
    assert judged.due == when("Mon 10:00")


def test_a_net_not_yet_beyond_the_new_target_is_breached_when_it_gets_there() -> None:
    journal = record(opened("Mon 09:00"), reassessed("Mon 09:45", 1))
    assert charge(journal, LATEST).decided_at == when("Mon 10:00") + 1


def test_a_lower_priority_gives_more_time() -> None:
    journal = record(opened("Mon 09:00"), reassessed("Mon 10:00", 3), taken_in_charge("Mon 13:00"))
    assert charge(journal, "literal").verdict is Verdict.BREACHED
    assert charge(journal, LATEST).verdict is Verdict.MET


def test_a_reassessment_after_a_void_closing_says_nothing() -> None:
    journal = record(opened("Mon 09:00"), withdrawn("Mon 10:30"), reassessed("Mon 12:00", 1))
    assert charge(journal, LATEST).verdict is Verdict.VOID


# --- suspensions (A4) -------------------------------------------------------------------------------------------


def test_counted_lets_suspended_time_run_against_the_supplier() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00"), resumed("Mon 13:00"), taken_in_charge("Mon 13:30"))
    literal, counted = charge(journal, "literal"), charge(journal, COUNTED)
    assert (literal.net_us, literal.suspended_us, literal.verdict) == (90 * MINUTE, 3 * HOUR, Verdict.MET)
    assert (counted.net_us, counted.suspended_us, counted.verdict) == (270 * MINUTE, 0, Verdict.BREACHED)


def test_counted_has_a_due_instant_though_suspended() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00"))
    assert charge(journal, COUNTED, "Mon 10:30").due == when("Mon 11:00")


# --- one-sided records (A4) -------------------------------------------------------------------------------------

ALONE: tuple[Party, ...] = ()


@pytest.mark.parametrize(
    ("cause", "by", "agreed_by", "counts"),
    [
        (BY_CUSTOMER, SUPPLIER, ALONE, False),
        (BY_THIRD_PARTY, SUPPLIER, ALONE, False),
        (BY_CUSTOMER, SUPPLIER, (CUSTOMER,), True),
        (BY_CUSTOMER, SUPPLIER, (SUPPLIER,), False),
        (BY_CUSTOMER, SUPPLIER, (SUPPLIER, CUSTOMER), True),
        (BY_CUSTOMER, CUSTOMER, ALONE, True),
        (BY_THIRD_PARTY, CUSTOMER, ALONE, True),
        (BY_CUSTOMER, CUSTOMER, (SUPPLIER,), True),
    ],
)
def test_a_suspension_that_favours_the_supplier_counts_only_when_agreed_or_told_by_the_customer(
    cause: Responsibility, by: Party, agreed_by: tuple[Party, ...], counts: bool
) -> None:
    pause = suspended("Mon 10:00", cause, by=by, agreed_by=agreed_by)
    journal = record(opened("Mon 09:00"), pause, resumed("Mon 12:00"), taken_in_charge("Mon 12:30"))
    assert charge(journal, "literal").net_us == 90 * MINUTE
    assert charge(journal, AGREED).net_us == (90 if counts else 210) * MINUTE


@pytest.mark.parametrize(
    ("by", "agreed_by", "counts"),
    [(SUPPLIER, ALONE, True), (CUSTOMER, ALONE, False), (CUSTOMER, (SUPPLIER,), True)],
)
def test_a_suspension_by_the_suppliers_own_cause_favours_the_customer(
    by: Party, agreed_by: tuple[Party, ...], counts: bool
) -> None:
    """It replaces the customer's cause, so the clocks run again from 11:00 where it counts."""
    journal = record(
        opened("Mon 09:00"),
        suspended("Mon 10:00", agreed_by=(CUSTOMER,)),
        suspended("Mon 11:00", BY_SUPPLIER, by=by, agreed_by=agreed_by),
    )
    assert charge(journal, AGREED, "Mon 12:00").net_us == (2 if counts else 1) * HOUR


def test_a_suspension_removed_before_folding_leaves_the_one_before_it_standing() -> None:
    journal = record(
        opened("Mon 09:00"),
        suspended("Mon 10:00", agreed_by=(CUSTOMER,)),
        suspended("Mon 11:00", BY_THIRD_PARTY),
        resumed("Mon 12:00"),
    )
    assert charge(journal, AGREED, "Mon 13:00").suspended_us == 2 * HOUR


@pytest.mark.parametrize(
    ("party", "by", "agreed_by", "counts"),
    [
        (BY_CUSTOMER, SUPPLIER, ALONE, False),
        (BY_CUSTOMER, SUPPLIER, (CUSTOMER,), True),
        (BY_THIRD_PARTY, CUSTOMER, ALONE, True),
        (BY_CUSTOMER, CUSTOMER, ALONE, True),
    ],
)
def test_an_attribution_away_from_the_supplier_favours_the_supplier(
    party: Responsibility, by: Party, agreed_by: tuple[Party, ...], counts: bool
) -> None:
    attribution = attributed("Tue 09:00", party, CHARGE, by=by, agreed_by=agreed_by)
    row = record(opened("Mon 09:00"), intervention_started("Mon 15:00"), attribution).row("Fri 18:00", AGREED)
    assert row.breach is not counts
    assert row.charge.responsible is (party if counts else BY_SUPPLIER)


@pytest.mark.parametrize(
    ("by", "agreed_by", "counts"),
    [(SUPPLIER, ALONE, True), (CUSTOMER, ALONE, False), (CUSTOMER, (SUPPLIER,), True)],
)
def test_an_attribution_to_the_supplier_favours_the_customer(
    by: Party, agreed_by: tuple[Party, ...], counts: bool
) -> None:
    journal = record(
        opened("Mon 09:00"),
        intervention_started("Mon 15:00"),
        attributed("Tue 09:00", BY_CUSTOMER, agreed_by=(CUSTOMER,)),
        attributed("Wed 09:00", BY_SUPPLIER, by=by, agreed_by=agreed_by),
    )
    assert journal.row("Fri 18:00", AGREED).breach is counts
    assert journal.row("Fri 18:00").breach


@pytest.mark.parametrize(
    ("by", "agreed_by", "counts"),
    [
        (SUPPLIER, ALONE, False),
        (CUSTOMER, ALONE, False),
        (SUPPLIER, (CUSTOMER,), True),
        (CUSTOMER, (SUPPLIER,), True),
    ],
)
def test_a_rectification_always_favours_its_maker(by: Party, agreed_by: tuple[Party, ...], counts: bool) -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 15:00"))
    journal.incident("INC1", rectified(2, "at", when("Mon 10:00"), by=by, agreed_by=agreed_by))
    assert charge(journal, "literal").net_us == 1 * HOUR
    assert charge(journal, AGREED).net_us == (1 if counts else 6) * HOUR


def test_a_rectification_that_does_not_count_leaves_an_earlier_agreed_one_standing() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 15:00"))
    journal.incident("INC1", rectified(2, "at", when("Mon 12:00"), agreed_by=(CUSTOMER,)))
    journal.incident("INC1", rectified(2, "at", when("Mon 10:00")))
    assert charge(journal, "literal").net_us == 1 * HOUR
    assert charge(journal, AGREED).net_us == 3 * HOUR


def test_a_rectification_of_a_suspension_is_judged_before_the_suspension_is() -> None:
    """An agreed rectification makes the customer agree to the suspension; one told alone does not."""
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00"), resumed("Mon 12:00"), taken_in_charge("Mon 12:30"))
    alone = rectified(2, "agreed_by", ["customer"])
    agreed = rectified(2, "agreed_by", ["customer"], by=CUSTOMER, agreed_by=(SUPPLIER,))
    assert charge(Journal([*journal.entries]).incident("INC1", alone), AGREED).net_us == 210 * MINUTE
    assert charge(Journal([*journal.entries]).incident("INC1", agreed), AGREED).net_us == 90 * MINUTE


def test_rectifications_of_contract_and_credits_need_agreement_too() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"))
    journal.credits(rectified(1, "at", when("Wed 09:00"), at="Thu 10:00"))
    assert not journal.row("Fri 18:00").answer.guaranteed
    assert journal.row("Fri 18:00", AGREED).answer.guaranteed


def test_who_records_is_the_supplier_unless_said() -> None:
    assert suspended("Mon 10:00").by is SUPPLIER
    assert attributed("Mon 10:00", BY_CUSTOMER).by is SUPPLIER
    assert rectified(1, "at", 0).by is SUPPLIER


# --- how a reading is written -----------------------------------------------------------------------------------


def test_literal_is_the_default_of_every_question() -> None:
    assert Reading() == LITERAL == Reading.parse("literal") == Reading.parse("")
    assert LITERAL.name == "literal"
    assert dict(LITERAL) == {
        "rate": "figures",
        "unit": "incident",
        "population": "guaranteed",
        "window": "contract_year",
        "base": "purchased_to_date",
        "one_off": "contract",
        "reassessment": "declared",
        "suspensions": "excluded",
        "one_sided": "recorded",
        "undisclosed": "counted",
    }


@pytest.mark.parametrize(
    ("field", "choices"),
    [
        ("rate", ("figures", "words")),
        ("unit", ("incident", "clock")),
        ("population", ("guaranteed", "handled")),
        ("window", ("contract_year", "calendar_year", "quarter", "whole_contract")),
        ("base", ("purchased_to_date", "purchased_in_window")),
        ("one_off", ("contract", "term")),
        ("reassessment", ("declared", "latest")),
        ("suspensions", ("excluded", "counted")),
        ("one_sided", ("recorded", "agreed")),
        ("undisclosed", ("counted", "excluded")),
    ],
)
def test_every_question_has_its_choices_the_default_first(field: str, choices: tuple[str, ...]) -> None:
    assert get_args(Reading.model_fields[field].annotation) == choices
    for choice in choices:
        reading = Reading.parse(f"{field}={choice}")
        assert getattr(reading, field) == choice
        assert reading.name == ("literal" if choice == choices[0] else f"{field}={choice}")


def test_a_reading_is_named_by_its_departures_and_that_name_reads_back() -> None:
    reading = Reading.parse(" unit=clock , rate=words ")
    assert reading.name == "rate=words,unit=clock"
    assert Reading.parse(reading.name) == reading


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("generous", 'no reading is called "generous"'),
        ("rate=half", "rate=half is no answer here; rate is figures|words"),
        ("window=month", "window is contract_year|calendar_year|quarter|whole_contract"),
        ("colour=red", "a reading has no question colour; it has rate=figures|words"),
        ("rate=words,rate=figures", "answers rate twice"),
        ("rate=", "rate= is no answer here"),
        ("rate=words,generous", 'no reading is called "generous"'),
    ],
)
def test_a_reading_that_cannot_be_read_is_told_with_what_can_be_chosen(text: str, said: str) -> None:
    with pytest.raises(UnknownReading, match=re.escape(said)):
        Reading.parse(text)


def test_readings_change_no_fact_that_no_party_can_contest() -> None:
    agreed = Reading.parse(AGREED)
    assert all(agreed.admits(fact) for fact in (opened(), taken_in_charge("Mon 10:00"), resumed("Mon 10:00")))
