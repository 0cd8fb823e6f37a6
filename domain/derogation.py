"""Deroghe: working windows that the parties add to some days by an agreement of their own (H4).

An agreement adds to the usual hours, by union and never by sum. It says which days it reaches; the adopted calendar
says which of them are holidays.
"""

from collections.abc import Collection, Iterator
from datetime import date, timedelta, tzinfo
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.calendar_rules import MOST_YEARS, Extension, LocalDay, ServiceHours, Window
from domain.local_time import local_midnight
from domain.values import Value, moment


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"

    @classmethod
    def of(cls, day: date) -> "Weekday":
        """The day of the week of a date."""
        return list(cls)[day.weekday()]


class HolidaysReached(StrEnum):
    """Which holidays of its period an agreement reaches: those on its weekdays, all of them, or none."""

    ON_WEEKDAYS = "on_weekdays"
    ALL = "all"
    NONE = "none"


class Derogation(Value):
    """The days that an agreement reaches, and the windows it adds to each.

    `dates` are reached whatever they are. Within `first_day` and `last_day` (included), so are the `weekdays`, and
    the holidays selected by `holidays`. A day reached is no holiday while its added windows are open.
    `hours`: for standard or for data-centre services alone; left out, for both.
    """

    dates: tuple[LocalDay, ...] = ()
    first_day: LocalDay | None = None
    last_day: LocalDay | None = None
    weekdays: tuple[Weekday, ...] = ()
    holidays: HolidaysReached = HolidaysReached.ON_WEEKDAYS
    windows: Annotated[tuple[Window, ...], Field(min_length=1)]
    hours: ServiceHours | None = None

    @model_validator(mode="after")
    def _reaches_some_day(self) -> Self:
        recurring = bool(self.weekdays) or self.holidays is HolidaysReached.ALL
        if not self.dates and not recurring:
            raise ValueError("it reaches no day: give dates, or weekdays or holidays from first_day to last_day")
        if self.first_day is None or self.last_day is None:
            if recurring or self.first_day or self.last_day:
                raise ValueError("weekdays and holidays are those of a period: give both first_day and last_day")
            return self
        if not recurring:
            raise ValueError('a period needs to say which of its days: give weekdays, or holidays = "all"')
        if self.last_day < self.first_day or self.last_day.year - self.first_day.year > MOST_YEARS:
            raise ValueError(f"a period ends on or after its first day, and lasts at most {MOST_YEARS} years")
        return self

    def concerns(self, hours: ServiceHours) -> bool:
        """Whether it adds to one kind of hours."""
        return self.hours in (None, hours)

    def reaches(self, day: date, *, holiday: bool) -> bool:
        """Whether it adds its windows to a day, which is a holiday or is not."""
        if day in self.dates:
            return True
        if self.first_day is None or self.last_day is None or not self.first_day <= day <= self.last_day:
            return False
        if holiday and self.holidays is not HolidaysReached.ON_WEEKDAYS:
            return self.holidays is HolidaysReached.ALL
        return Weekday.of(day) in self.weekdays

    def days(self, holidays: Collection[date], first_year: int, last_year: int) -> Iterator[date]:
        """The days of some years that it reaches, in order, where these are the holidays."""
        first, last = date(first_year, 1, 1), date(last_year, 12, 31)
        named = {day for day in self.dates if first <= day <= last}
        if self.first_day is not None and self.last_day is not None:
            named.update(_days(max(first, self.first_day), min(last, self.last_day)))
        return (day for day in sorted(named) if self.reaches(day, holiday=day in holidays))

    def reaches_any_from(self, day: date) -> bool:
        """Whether some day from `day` on may be reached, whatever the holidays are."""
        if any(named >= day for named in self.dates):
            return True
        if self.first_day is None or self.last_day is None:
            return False
        coming = _days(max(day, self.first_day), self.last_day)
        return any(self.reaches(one, holiday=is_one) for one in coming for is_one in (False, True))

    def extension(self, day: date) -> Extension:
        """What it adds to a day that it reaches."""
        return Extension(day=day, windows=self.windows)


def first_day_after(zone: tzinfo, instant: int) -> date:
    """The first local day that an agreement of this instant comes before: one that begins at it, or later."""
    day = moment(instant).astimezone(zone).date()
    return day if local_midnight(zone, day) >= instant else day + timedelta(days=1)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
