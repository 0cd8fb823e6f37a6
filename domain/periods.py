"""The periods that a commitment is measured in: months, quarters or years counted from a day (O1, M1, P1).

The text gives no rule for a period cut short, so nothing is pro-rated: such a period is marked as not whole.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, tzinfo
from enum import StrEnum
from itertools import count

from domain.interval import Interval
from domain.local_time import local_midnight
from domain.values import moment


class Frequency(StrEnum):
    """How often: every month, quarter or year."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def months(self) -> int:
        """How many months it is."""
        return {Frequency.MONTH: 1, Frequency.QUARTER: 3, Frequency.YEAR: 12}[self]


@dataclass(frozen=True, slots=True)
class Period(Interval):
    """One period of a commitment, which always has an end. `whole`: no end of the contract or option cut it short."""

    end: int
    whole: bool


def periods(zone: tzinfo, start: int, end: int | None, per: Frequency, as_of: int) -> Iterator[Period]:
    """The consecutive periods between `start` and `end` (None: endless) begun by `as_of`; instants in microseconds UTC.

    The first begins at `start`; the others at local midnights, whole months after the local day of `start`.
    """
    first_day = moment(start).astimezone(zone).date()
    for number in count(1):
        if start > as_of or (end is not None and start >= end):
            return
        following = local_midnight(zone, months_later(first_day, number * per.months))
        whole = end is None or following <= end
        yield Period(start, following if whole or end is None else end, whole)
        start = following


def months_later(day: date, months: int) -> date:
    """The same day some months later; where that month is shorter, its last day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
