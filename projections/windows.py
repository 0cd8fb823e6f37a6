"""The windows in which the ratio of breaches is measured, as a reading chooses them (P1).

Half-open at local midnights of the contract's zone, clipped to its own instants: the first begins when it comes into
force, the last ends when it does. Contract years count from the local day on which it comes into force.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, timedelta, tzinfo

from domain.contract import Contract
from domain.interval import Interval, earliest
from domain.local_time import local_midnight
from domain.periods import months_later
from domain.values import moment
from projections.readings import WindowKind


def windows(contract: Contract, kind: WindowKind, as_of: int) -> list[Interval]:
    """The windows of a contract begun by `as_of`: half-open at local midnights, clipped to its own instants.

    A window belongs to the contract alone: what happens on its first local day before it is in force is in none.
    """
    if contract.signed is None:
        return []
    start, end = contract.signed.in_force_from, contract.end
    found = []
    for following in _later_starts(contract.zone, kind, start):
        window = Interval(start, earliest(following, end))
        if start > as_of or window.empty:
            break
        found.append(window)
        if following is None:
            break
        start = following
    return found


def next_edge(contract: Contract, kind: WindowKind, as_of: int) -> int | None:
    """The first instant after `as_of` at which a window of the contract begins or ends; None where none does."""
    if contract.signed is None:
        return None
    begun = windows(contract, kind, as_of)
    edge = begun[-1].end if begun else contract.signed.in_force_from
    return edge if edge is not None and edge > as_of else None


def _later_starts(zone: tzinfo, kind: WindowKind, first: int) -> Iterator[int | None]:
    """When the second window and those after it begin, if no end comes first; None where there is no second."""
    first_day = moment(first).astimezone(zone).date()
    for day in _later_days(kind, first_day):
        yield local_midnight(zone, day) if day else None


def _later_days(kind: WindowKind, first_day: date) -> Iterator[date | None]:
    match kind:
        case "contract_year":
            yield from (months_later(first_day, 12 * years) for years in range(1, date.max.year - first_day.year))
        case "calendar_year":
            yield from (date(year, 1, 1) for year in range(first_day.year + 1, date.max.year))
        case "quarter":
            day = date(first_day.year, (first_day.month - 1) // 3 * 3 + 1, 1)
            while day.year < date.max.year:
                day = (day + timedelta(days=95)).replace(day=1)
                yield day
        case "whole_contract":
            yield None


def holding(begun: Sequence[Interval], instant: int) -> Interval | None:
    """The window that holds an instant, of windows in order."""
    index = bisect_right(begun, instant, key=lambda window: window.start) - 1
    return begun[index] if index >= 0 and begun[index].holds(instant) else None
