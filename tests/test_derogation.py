"""Derogations: which days an agreement reaches, when it may be made, and what the clocks make of it (H4)."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.examples import (
    CONTRACT,
    DAY,
    HOUR,
    MONDAY_9,
    MONDAY_10,
    ROME,
    adopted,
    contract_facts,
    local,
    rectify,
    signed,
    standard_terms,
)
from support.history import Journal, intervention_started, opened, taken_in_charge, under_contract, when
from support.history import adopted as calendar_adopted
from support.history import signed as signature
from support.spec import Decider, Given

from domain import contract
from domain.calendar_rules import ServiceHours
from domain.contract import Contract
from domain.contract_facts import ContractCommand, ContractFact, CoverageExtended, ExtendCoverage
from domain.derogation import Derogation, HolidaysReached, Weekday, first_day_after
from domain.values import instant_text
from projections.clocks import Verdict

CONTRACTS: Decider[Contract, ContractCommand, ContractFact] = Decider(
    Contract(CONTRACT), contract.decide, contract.evolve
)
MARCH = {"first_day": "2026-03-01", "last_day": "2026-03-31"}
EVENING = [["18:00", "21:00"]]
MORNING = [["09:00", "13:00"]]
WORKING_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday"]
PATRON = date(2026, 3, 19)  # a Thursday


def derogation(**fields: Any) -> Derogation:
    return Derogation.model_validate({"windows": MORNING, **fields})


def extend(at: int = MONDAY_9, **fields: Any) -> ExtendCoverage:
    return ExtendCoverage.model_validate({"at": at, "windows": MORNING, **fields})


def extended(at: str = "2025-12-15 10:00", **fields: Any) -> CoverageExtended:
    return CoverageExtended.model_validate({"at": when(at), "windows": MORNING, **fields})


def in_force() -> Given[Contract, ContractCommand, ContractFact]:
    return CONTRACTS.given(*contract_facts())


# --- which days -------------------------------------------------------------------------------------------------


def days(agreed: Derogation, *holidays: date) -> list[str]:
    return [f"{day:%m-%d}" for day in agreed.days(set(holidays), 2026, 2026)]


def test_dates_are_reached_whatever_they_are() -> None:
    assert days(derogation(dates=["2026-03-19", "2026-03-01"]), PATRON) == ["03-01", "03-19"]
    assert days(derogation(dates=["2026-03-19"], holidays="none"), PATRON) == ["03-19"]


def test_weekdays_are_reached_within_the_period_its_ends_included() -> None:
    assert days(derogation(**MARCH, weekdays=["sunday"])) == ["03-01", "03-08", "03-15", "03-22", "03-29"]
    assert days(derogation(first_day="2026-03-08", last_day="2026-03-15", weekdays=["sunday"])) == ["03-08", "03-15"]


@pytest.mark.parametrize(
    ("holidays", "expected"),
    [
        ("on_weekdays", ["03-05", "03-12", "03-19", "03-26"]),
        ("all", ["03-05", "03-12", "03-19", "03-23", "03-26"]),
        ("none", ["03-05", "03-12", "03-26"]),
    ],
)
def test_holidays_of_the_period_are_reached_as_told(holidays: str, expected: list[str]) -> None:
    thursdays = derogation(**MARCH, weekdays=["thursday"], holidays=holidays)
    assert days(thursdays, PATRON, date(2026, 3, 23)) == expected


def test_all_holidays_of_the_period_alone() -> None:
    every = derogation(**MARCH, holidays="all")
    assert days(every, PATRON, date(2026, 3, 1), date(2026, 4, 6)) == ["03-01", "03-19"]


def test_dates_and_a_period_together_reach_the_days_of_both() -> None:
    assert days(derogation(**MARCH, weekdays=["sunday"], dates=["2026-03-19", "2026-05-01"]))[-3:] == [
        "03-22", "03-29", "05-01"
    ]  # fmt: skip


def test_only_the_years_asked_about_count() -> None:
    over = derogation(first_day="2025-12-28", last_day="2026-01-04", weekdays=["sunday"], dates=["2027-01-01"])
    assert days(over) == ["01-04"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "reaches no day"),
        (MARCH, "which of its days|reaches no day"),
        ({**MARCH, "dates": ["2026-03-01"]}, "which of its days"),
        ({"weekdays": ["sunday"]}, "both first_day and last_day"),
        ({"holidays": "all", "last_day": "2026-03-01"}, "both first_day and last_day"),
        ({"dates": ["2026-03-01"], "first_day": "2026-03-01"}, "both first_day and last_day"),
        ({"first_day": "2026-03-02", "last_day": "2026-03-01", "weekdays": ["sunday"]}, "on or after its first day"),
        ({"first_day": "2026-03-02", "last_day": "9999-12-31", "weekdays": ["sunday"]}, "at most 60 years"),
        ({"dates": ["2026-03-01"], "windows": []}, "at least 1 item"),
        ({"dates": ["2026-02-30"]}, "a day is text"),
        ({"dates": ["2026-03-01"], "windows": [["24:00", "06:00"]]}, "24:00"),
        ({"dates": ["2026-03-01"], "hours": "assistance"}, "standard"),
    ],
)
def test_what_reaches_no_day_or_adds_nothing_is_no_derogation(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        derogation(**fields)


def test_it_concerns_one_kind_of_hours_or_both() -> None:
    for hours in ServiceHours:
        assert derogation(dates=["2026-03-01"]).concerns(hours)
        assert derogation(dates=["2026-03-01"], hours=hours).concerns(hours)
    assert not derogation(dates=["2026-03-01"], hours="standard").concerns(ServiceHours.DATA_CENTRE)


SOME_DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))


@given(
    dates=st.lists(SOME_DAYS, min_size=1, max_size=3),
    period=st.tuples(SOME_DAYS, SOME_DAYS).map(sorted),
    weekdays=st.lists(st.sampled_from(Weekday), max_size=3),
    reached=st.sampled_from(HolidaysReached),
    holidays=st.sets(SOME_DAYS, max_size=5),
)
def test_the_days_are_those_that_a_look_at_each_day_of_the_year_gives(
    dates: list[date], period: list[date], weekdays: list[Weekday], reached: HolidaysReached, holidays: set[date]
) -> None:
    first, last = period
    recurring = bool(weekdays) or reached is HolidaysReached.ALL
    agreed = derogation(
        dates=dates,
        weekdays=weekdays,
        holidays=reached,
        **({"first_day": first, "last_day": last} if recurring else {}),
    )
    year = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]

    def is_reached(day: date) -> bool:
        on_weekday = day.strftime("%A").lower() in weekdays
        if day in holidays:
            on_weekday = {"on_weekdays": on_weekday, "all": True, "none": False}[reached]
        return day in dates or (recurring and first <= day <= last and on_weekday)

    assert list(agreed.days(holidays, 2026, 2026)) == [day for day in year if is_reached(day)]


# --- agreed before the day --------------------------------------------------------------------------------------


def test_an_extension_is_agreed() -> None:
    command = extend(dates=["2026-03-07"])
    in_force().when(command).then(CoverageExtended(**dict(command)))
    in_force().and_recorded(command).when(command).then_nothing()


def test_two_extensions_agreed_at_one_instant_are_two_and_each_is_told_once() -> None:
    one, other = extend(dates=["2026-03-07"]), extend(dates=["2026-03-08"])
    both = in_force().and_recorded(one).and_recorded(other)
    both.when(one).then_nothing()
    assert len(both.state.extensions) == 2


def test_it_waits_for_the_signature() -> None:
    CONTRACTS.given().when(extend(dates=["2026-03-07"])).then_not_yet(f"contract-{CONTRACT}")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"dates": ["2026-03-02"]}, "dates"),
        ({"first_day": "2026-02-01", "last_day": "2026-03-02", "weekdays": ["sunday", "monday"]}, "last_day"),
        ({"first_day": "2026-02-01", "last_day": "2026-03-06", "weekdays": ["sunday"]}, "last_day"),
        ({"first_day": "2026-02-01", "last_day": "2026-03-02", "holidays": "all"}, "last_day"),
    ],
)
def test_an_extension_of_days_that_have_all_begun_is_refused(fields: dict[str, Any], field: str) -> None:
    assert "before the day" in in_force().when(extend(**fields)).then_rejected("H4", field)


@pytest.mark.parametrize(
    "fields",
    [
        {"dates": ["2026-03-02", "2026-03-03"]},
        {"first_day": "2026-02-01", "last_day": "2026-03-08", "weekdays": ["sunday"]},
        {"first_day": "2026-02-01", "last_day": "2026-03-03", "holidays": "all"},
    ],
)
def test_one_that_reaches_some_day_to_come_is_recorded(fields: dict[str, Any]) -> None:
    in_force().when(extend(**fields)).then(CoverageExtended(**dict(extend(**fields))))


def test_an_agreement_at_midnight_comes_before_the_day_as_an_adoption_does() -> None:
    midnight = local("2026-03-02 00:00")
    assert [first_day_after(ROME, at).day for at in (midnight - 1, midnight, midnight + 1)] == [2, 2, 3]
    in_force().when(extend(midnight, dates=["2026-03-02"])).then(
        CoverageExtended(**dict(extend(midnight, dates=["2026-03-02"])))
    )


def test_midnight_is_that_of_the_contract_s_time_zone() -> None:
    at = local("2026-03-02 03:00")  # in New York, the evening before
    terms = standard_terms(time_zone="America/New_York")
    CONTRACTS.given(signed(terms=terms)).when(extend(at, dates=["2026-03-02"])).then(
        CoverageExtended(**dict(extend(at, dates=["2026-03-02"])))
    )
    in_force().when(extend(at, dates=["2026-03-02"])).then_rejected("H4", "dates")


def test_it_cannot_be_made_late_by_rectification_either() -> None:
    given = in_force().and_recorded(extend(dates=["2026-03-07"]))
    given.when(rectify(4, "dates", ["2026-03-01"])).then_rejected("H4", "value")
    given.when(rectify(4, "at", instant_text(MONDAY_10 + 5 * DAY), at=MONDAY_10 + 9 * DAY)).then_rejected("H4", "value")
    assert given.and_recorded(rectify(4, "dates", ["2026-03-08"])).state.extensions[0].dates == (date(2026, 3, 8),)


def test_of_its_days_only_those_that_had_not_begun_are_extended() -> None:
    facts = (*contract_facts(), CoverageExtended(**dict(extend(dates=["2026-03-02", "2026-03-03"]))))
    agreed = contract.fold(CONTRACT, facts)
    ((_, rules),) = agreed.adopted(ServiceHours.STANDARD)
    assert [extension.day for extension in rules.extensions] == [date(2026, 3, 3)]
    assert agreed.agreed_too_late(ServiceHours.STANDARD) == (date(2026, 3, 2),)


def test_each_adopted_calendar_says_which_days_are_holidays() -> None:
    every_holiday = CoverageExtended(**dict(extend(first_day="2026-04-01", last_day="2026-06-30", holidays="all")))
    fewer = adopted(at=MONDAY_10, holidays=())
    agreed = contract.fold(CONTRACT, (*contract_facts(), fewer, every_holiday))
    before, after = (rules for _, rules in agreed.adopted(ServiceHours.STANDARD))
    assert [f"{one.day:%m-%d}" for one in before.extensions] == ["04-05", "04-06", "04-25", "05-01", "06-02"]
    assert after.extensions == ()


# --- the clocks -------------------------------------------------------------------------------------------------


def with_extension(*extensions: CoverageExtended) -> Journal:
    return under_contract().contract(*extensions, recorded="2025-12-15 10:00")


def test_a_weekend_is_extended() -> None:
    weekend = extended(**MARCH, weekdays=["saturday", "sunday"])
    journal = with_extension(weekend).incident("INC1", opened("Fri 17:00", 2))
    assert journal.row("Fri 17:00").charge.judged.due == when("Sat 10:00")
    assert journal.row("Fri 17:00").intervention.judged.due == when("Sun 12:00")


def test_a_holiday_is_extended_by_name_and_by_period() -> None:
    for fields in ({"dates": ["2026-04-06"]}, {"first_day": "2026-04-01", "last_day": "2026-04-30", "holidays": "all"}):
        journal = with_extension(extended(**fields)).incident("INC1", opened("2026-04-03 17:00", 2))
        assert journal.row("2026-04-03 17:00").charge.judged.due == when("2026-04-06 10:00")


def test_a_holiday_that_is_extended_has_no_more_than_the_windows_agreed() -> None:
    journal = with_extension(extended(dates=["2026-04-06"])).incident("INC1", opened("2026-04-06 08:00", 3))
    assert journal.row("2026-04-06 20:00").charge.judged.net_us == 4 * HOUR


def test_evenings_of_a_period_until_21() -> None:
    evenings = extended(**MARCH, weekdays=WORKING_DAYS, windows=EVENING)
    journal = with_extension(evenings).incident("INC1", opened("Mon 17:00", 3))
    assert journal.row("Mon 17:00").charge.judged.due == when("Mon 21:00")
    after = journal.incident("INC2", opened("2026-04-01 17:00", 3)).row("2026-04-01 17:00", of="INC2")
    assert after.charge.judged.due == when("2026-04-02 11:00")


def test_windows_are_united_with_the_usual_ones_and_with_each_other_never_summed() -> None:
    overlapping = [extended(dates=["2026-03-02"], windows=[["16:00", "20:00"]])]
    overlapping += [extended(dates=["2026-03-02"], windows=[["09:00", "19:00"]])]
    journal = with_extension(*overlapping).incident("INC1", opened("Mon 08:00", 5))
    assert journal.row("Mon 23:00").intervention.judged.net_us == 12 * HOUR


def test_data_centre_services_alone() -> None:
    saturday = extended(dates=["2026-03-07"], hours="data_centre")
    journal = with_extension(saturday)
    journal.incident("STANDARD", opened("Sat 09:00", 1)).incident("RACK", opened("Sat 09:00", 1, data_centre=True))
    assert journal.row("Sat 12:00", of="STANDARD").charge.judged.due == when("next Mon 09:00")
    assert journal.row("Sat 12:00", of="RACK").charge.judged.due == when("Sat 10:00")


def test_an_agreement_recorded_late_counts_from_its_date() -> None:
    journal = under_contract().incident("INC1", opened("Fri 17:00", 2), taken_in_charge("next Mon 08:30"))
    assert journal.row().charge.judged.verdict is Verdict.MET
    late = journal.contract(extended("Thu 12:00", dates=["2026-03-07"]), recorded="next Mon 12:00")
    assert late.row().charge.judged.verdict is Verdict.BREACHED
    assert late.known_on("next Mon 11:00").row().charge.judged.verdict is Verdict.MET


def test_a_day_agreed_too_late_is_not_extended_and_the_row_says_so() -> None:
    journal = under_contract().contract(extended("Sat 08:00", dates=["2026-03-07", "2026-03-08"]))
    journal.incident("INC1", opened("Fri 17:00", 2)).incident("INC2", opened("next Mon 09:00", 2))
    row = journal.row("Sat 12:00")
    assert row.charge.judged.due == when("Sun 10:00")
    assert [(finding.code, finding.clause) for finding in row.findings] == [("extension_agreed_later", "H4")]
    assert journal.row("next Mon 09:30", of="INC2").findings == ()


def test_an_extension_holds_under_every_calendar_that_judges_the_day() -> None:
    journal = under_contract(signature(), calendar_adopted(), calendar_adopted("Wed 10:00"))
    journal.contract(extended("Wed 11:00", dates=["2026-03-07"])).incident("INC1", opened("Fri 17:00", 2))
    assert journal.row("Fri 17:00").charge.judged.due == when("Sat 10:00")


def test_an_explanation_cites_the_derogation_where_it_alone_makes_time_count() -> None:
    evenings = extended(dates=["2026-03-02"], windows=[["17:00", "20:00"]])
    journal = with_extension(evenings).incident("INC1", opened("Mon 16:00", 3), intervention_started("Mon 19:30"))
    clock = journal.explained("Tue 12:00").clocks[1]
    agreed = [(piece.start, piece.why, piece.clause, piece.counted_us) for piece in clock.slices]
    assert agreed == [
        (when("Mon 16:00"), "working", "H3", 2 * HOUR),
        (when("Mon 18:00"), "working", "H4", 3 * HOUR // 2),
    ]
    assert journal.explained("Tue 12:00").streams["contract-acme"] == (1, 2, 3, 4)
