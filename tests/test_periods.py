"""Periods of commitments: consecutive, at local midnights, cut only where the option or the contract ends."""

from datetime import date
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import DAY, ROME, local

from domain.periods import Frequency, Period, months_later, periods
from domain.values import moment

FAR = local("2032-01-01 00:00")


def starts(first: str, per: Frequency, how_many: int, zone: ZoneInfo = ROME) -> list[str]:
    """The local beginnings of the first periods."""
    found = [period.start for period in periods(zone, local(first, zone), None, per, FAR)][:how_many]
    return [moment(start).astimezone(zone).strftime("%Y-%m-%d %H:%M") for start in found]


@pytest.mark.parametrize(
    ("per", "expected"),
    [
        (Frequency.MONTH, ["2026-01-15 00:00", "2026-02-15 00:00", "2026-03-15 00:00", "2026-04-15 00:00"]),
        (Frequency.QUARTER, ["2026-01-15 00:00", "2026-04-15 00:00", "2026-07-15 00:00", "2026-10-15 00:00"]),
        (Frequency.YEAR, ["2026-01-15 00:00", "2027-01-15 00:00", "2028-01-15 00:00", "2029-01-15 00:00"]),
    ],
)
def test_periods_are_counted_from_the_day_they_begin(per: Frequency, expected: list[str]) -> None:
    assert starts("2026-01-15 00:00", per, 4) == expected


def test_where_a_month_is_shorter_its_last_day_stands_in_and_the_day_comes_back() -> None:
    months = ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30", "2028-05-31"]
    assert starts("2028-01-31 00:00", Frequency.MONTH, 5) == [f"{day} 00:00" for day in months]
    years = ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28"]
    assert starts("2028-02-29 00:00", Frequency.YEAR, 4) == [f"{day} 00:00" for day in years]


def test_the_first_begins_with_the_option_and_the_others_at_midnight() -> None:
    assert starts("2026-01-31 15:30", Frequency.MONTH, 3) == [
        "2026-01-31 15:30",
        "2026-02-28 00:00",
        "2026-03-31 00:00",
    ]


def test_midnights_are_those_of_the_contract_s_time_zone() -> None:
    new_york = ZoneInfo("America/New_York")
    assert starts("2026-02-08 00:00", Frequency.MONTH, 3, new_york)[2] == "2026-04-08 00:00"


def test_only_the_last_period_is_cut_short_and_says_so() -> None:
    start, end = local("2026-01-01 00:00"), local("2026-02-11 12:00")
    found = list(periods(ROME, start, end, Frequency.MONTH, FAR))
    february = local("2026-02-01 00:00")
    assert found == [Period(start, february, True), Period(february, end, False)]


@pytest.mark.parametrize(
    ("start", "end", "share"),
    [
        ("2026-01-01 00:00", "2026-02-11 00:00", Fraction(10, 28)),
        ("2026-01-01 00:00", "2026-02-11 00:01", Fraction(11, 28)),
        ("2026-01-31 15:30", "2026-01-31 18:00", Fraction(1, 28)),
        ("2026-03-15 00:00", "2026-03-30 00:00", Fraction(15, 31)),  # across the change of the clocks
        ("2026-01-01 00:00", "2026-01-31 12:00", Fraction(1)),
    ],
)
def test_the_share_of_a_period_cut_short_is_by_local_days_and_a_day_begun_counts(
    start: str, end: str, share: Fraction
) -> None:
    *_, last = periods(ROME, local(start), local(end), Frequency.MONTH, FAR)
    assert (last.whole, last.share) == (False, share)


def test_a_period_that_ends_where_its_option_does_is_whole() -> None:
    start, end = local("2026-01-01 00:00"), local("2026-04-01 00:00")
    assert list(periods(ROME, start, end, Frequency.QUARTER, FAR)) == [Period(start, end, True)]


def test_only_those_begun_are_told() -> None:
    start, second = local("2026-01-01 00:00"), local("2026-02-01 00:00")
    counts = [
        len(list(periods(ROME, start, None, Frequency.MONTH, at))) for at in (start - 1, start, second - 1, second)
    ]
    assert counts == [0, 1, 1, 2]


def test_a_period_contains_its_beginning_and_not_its_end() -> None:
    period = next(periods(ROME, local("2026-01-01 00:00"), None, Frequency.MONTH, FAR))
    assert [period.holds(at) for at in (period.start - 1, period.start, period.end - 1, period.end)] == [
        False, True, True, False
    ]  # fmt: skip


@given(
    start=st.integers(local("2026-01-01 00:00"), local("2028-12-31 00:00")),
    lasts=st.one_of(st.none(), st.integers(1, 900 * DAY)),
    per=st.sampled_from(Frequency),
    zone=st.sampled_from(["Europe/Rome", "America/New_York", "Asia/Kolkata"]).map(ZoneInfo),
)
def test_periods_follow_each_other_from_beginning_to_end(
    start: int, lasts: int | None, per: Frequency, zone: ZoneInfo
) -> None:
    end = None if lasts is None else start + lasts
    found = list(periods(zone, start, end, per, start + 900 * DAY))
    assert found[0].start == start
    assert all(0 < period.share <= 1 for period in found)
    assert all(period.share == 1 for period in found if period.whole)
    assert all(before.end == after.start for before, after in pairwise(found))
    assert all(period.start < period.end for period in found)
    assert all(period.whole for period in found[:-1])
    if end is not None:
        assert found[-1].end <= end or not found[-1].whole
        assert found[-1].end == end or found[-1].end > start + 900 * DAY or found[-1].whole


@given(
    day=st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    months=st.integers(0, 240),
)
def test_some_months_later_is_the_same_day_or_the_last_of_its_month(day: date, months: int) -> None:
    later = months_later(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and months_later(later.replace(day=1), 1).day == 1)
    assert later.day == day.day or date.fromordinal(later.toordinal() + 1).day == 1
