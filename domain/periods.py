"""The periods that a commitment is measured in: months, quarters or years counted from a day (O1, M1, P1).

The text gives no rule for a period that an end cuts short. Here it is marked as not whole, and has a share by its local
days, a day begun counting: of what is owed by the hour, that much is due.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, tzinfo
from enum import StrEnum
from fractions import Fraction
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
    """One period of a commitment, which always has an end. `whole`: no end of the contract or option cut it short.

    `share`: its local days over those of the whole period; 1 where only a part of the last day is cut off.
    """

    end: int
    whole: bool
    share: Fraction = field(default=Fraction(1), compare=False)  # it follows from the others, and from the zone


def periods(zone: tzinfo, start: int, end: int | None, per: Frequency, as_of: int) -> Iterator[Period]:
    """The consecutive periods between `start` and `end` (None: endless) begun by `as_of`; instants in microseconds UTC.

    The first begins at `start`; the others at local midnights, whole months after the local day of `start`.
    """
    first_day = moment(start).astimezone(zone).date()
    day = first_day
    for number in count(1):
        if start > as_of or (end is not None and start >= end):
            return
        next_day = months_later(first_day, number * per.months)
        following = local_midnight(zone, next_day)
        if end is None or following <= end:
            yield Period(start, following, whole=True)
        else:
            days = (moment(end - 1).astimezone(zone).date() - day).days + 1
            yield Period(start, end, False, Fraction(days, (next_day - day).days))
        start, day = following, next_day


def months_later(day: date, months: int) -> date:
    """The same day some months later; where that month is shorter, its last day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
