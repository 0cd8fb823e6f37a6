"""The rules of a calendar: weekly windows, holidays, days extended by agreement, years covered (H1, H2, H4)."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from domain.values import Identifier, Value

MINUTES_A_DAY = 24 * 60


_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


MOST_YEARS = 60


class ServiceHours(StrEnum):
    """Which weekly windows apply: the standard ones (H1), or those of data-centre services (H2)."""

    STANDARD = "standard"
    DATA_CENTRE = "data_centre"


def _wall(value: object, info: ValidationInfo) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and not (info.context or {}).get("wire"):
        return value
    if isinstance(value, str) and len(value) == 5 and value[2] == ":" and (value[:2] + value[3:]).isdecimal():
        hours, minutes = int(value[:2]), int(value[3:])
        if minutes < 60:
            return hours * 60 + minutes
    raise ValueError('a time of day is text, "08:00" to "24:00"')


def wall_text(minute: int) -> str:
    """Minutes after midnight as a clock shows them: "18:00"."""
    return f"{minute // 60:02}:{minute % 60:02}"


WallTime = Annotated[
    int,
    BeforeValidator(_wall),
    Field(ge=0, le=MINUTES_A_DAY),
    PlainSerializer(wall_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", "examples": ["08:00"]}),
]
"""Minutes after local midnight, written "HH:MM"."""


def _opens_within_the_day(window: tuple[int, int]) -> tuple[int, int]:
    if window[0] == MINUTES_A_DAY:
        raise ValueError("a window opens within its day: 24:00 is the next day's 00:00")
    return window


Window = Annotated[tuple[WallTime, WallTime], AfterValidator(_opens_within_the_day)]
"""Opening and closing of a weekly window; closing at or before the opening means the next day."""


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("a day is text, as 2026-12-25")


LocalDay = Annotated[date, BeforeValidator(_day)]


class Week(Value):
    """The windows of each day of the week, in local time."""

    monday: tuple[Window, ...] = ()
    tuesday: tuple[Window, ...] = ()
    wednesday: tuple[Window, ...] = ()
    thursday: tuple[Window, ...] = ()
    friday: tuple[Window, ...] = ()
    saturday: tuple[Window, ...] = ()
    sunday: tuple[Window, ...] = ()

    @cached_property
    def days(self) -> tuple[tuple[Window, ...], ...]:
        """The windows from Monday to Sunday."""
        return (
            self.monday, self.tuesday, self.wednesday, self.thursday, self.friday, self.saturday, self.sunday
        )  # fmt: skip


class Holiday(Value):
    """A day without windows, and what it is called."""

    day: LocalDay
    name: Identifier


class Extension(Value):
    """Windows added to one day by agreement, by union; they beat its holiday (H4)."""

    day: LocalDay
    windows: tuple[Window, ...]


class CalendarRules(Value):
    """The rules of one calendar for one kind of service: weekly windows, holidays, extensions, years covered."""

    week: Week
    holidays: tuple[Holiday, ...] = ()
    extensions: tuple[Extension, ...] = ()
    first_year: Annotated[int, Field(strict=True, ge=1900, le=2200)]
    last_year: Annotated[int, Field(strict=True, ge=1900, le=2200)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_years(self.first_year, self.last_year, self.holidays)
        return self

    @cached_property
    def _holiday_names(self) -> Mapping[date, str]:
        return {holiday.day: holiday.name for holiday in self.holidays}

    @cached_property
    def _agreed(self) -> Mapping[date, tuple[Window, ...]]:
        agreed: dict[date, tuple[Window, ...]] = {}
        for extension in self.extensions:
            agreed[extension.day] = (*agreed.get(extension.day, ()), *extension.windows)
        return agreed

    def covers(self, day: date) -> bool:
        """Whether the day is in the years covered."""
        return self.first_year <= day.year <= self.last_year

    def holiday(self, day: date) -> str | None:
        """The name of the holiday on `day`, or None."""
        return self._holiday_names.get(day)

    def windows(self, day: date) -> tuple[tuple[int, int], ...]:
        """The windows that open on `day`, in minutes after local midnight."""
        return (*self.usual(day), *self._agreed.get(day, ()))

    def usual(self, day: date) -> tuple[tuple[int, int], ...]:
        """The windows of a day, without those that extensions add."""
        return () if day in self._holiday_names else self.week.days[day.weekday()]


def check_years(first_year: int, last_year: int, holidays: Sequence[Holiday]) -> None:
    """Raise ValueError where the years are reversed or too many, or a holiday is outside them or given twice."""
    if not first_year <= last_year < first_year + MOST_YEARS:
        raise ValueError(f"a calendar covers from 1 to {MOST_YEARS} whole years: {first_year} to {last_year} does not")
    days = [holiday.day for holiday in holidays]
    if outside := [day for day in days if not first_year <= day.year <= last_year]:
        raise ValueError(f"the holiday {outside[0]} is outside the years covered, {first_year} to {last_year}")
    if len(set(days)) != len(days):
        raise ValueError("a holiday is given twice: one name a day")
