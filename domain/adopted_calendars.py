"""The calendars that the parties adopted, one after the other, and which of them rules a day (H1)."""

from collections.abc import Sequence
from datetime import date, tzinfo
from typing import NamedTuple, Protocol, TypeVar

from domain.calendar_rules import CalendarRules
from domain.local_time import local_midnight


class Adopted(NamedTuple):
    """Rules, and the instant at which they were adopted."""

    at: int
    rules: CalendarRules

    def covers(self, day: date) -> bool:
        """Whether the day is in the years covered."""
        return self.rules.covers(day)


class Covering(Protocol):
    """A calendar as adopted, in whatever form: when, and which days it covers."""

    @property
    def at(self) -> int:
        """The instant of its adoption."""

    def covers(self, day: date) -> bool:
        """Whether the day is in the years covered."""


C = TypeVar("C", bound=Covering)


def ruling(zone: tzinfo, adopted: Sequence[C], day: date) -> tuple[C | None, bool]:
    """The calendar that rules a day, None where none covers it; and whether it was adopted only after it had begun."""
    covering = [one for one in adopted if one.covers(day)]
    if not covering:
        return None, False
    midnight = local_midnight(zone, day)
    in_time = [one for one in covering if one.at <= midnight]
    return (in_time[-1], False) if in_time else (covering[0], True)
