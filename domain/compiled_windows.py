"""The windows of adopted calendars as real instants, sorted, with the working time before each (H1, H2, H4).

A question about working time is then one binary search. Instants and durations are integer microseconds, UTC.
"""

from collections.abc import Iterator
from datetime import date, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

from domain.adopted_calendars import Adopted, ruling
from domain.calendar_rules import CalendarRules
from domain.local_time import local_day, window_instants


class WindowTable(NamedTuple):
    """Windows compiled: the years covered, the edges of each window, working time before and up to its end."""

    runs: list[tuple[int, int]]
    anticipated: list[tuple[int, int]]
    opens: list[int]
    closes: list[int]
    before: list[int]
    until: list[int]


@lru_cache(maxsize=1024)
def compiled(zone: tzinfo, adopted: tuple[Adopted, ...]) -> WindowTable:
    """The windows of calendars given in order of adoption, for the days of all the years that they cover.

    `anticipated` are the days judged by a calendar adopted only after they had begun.
    """
    table = WindowTable([], [], [], [], [], [])
    years = {year for one in adopted for year in range(one.rules.first_year, one.rules.last_year + 1)}
    windows: list[tuple[int, int]] = []
    for day in (day for year in sorted(years) for day in _days_of(year)):
        judging, anticipated = ruling(zone, adopted, day)
        if judging is None:
            continue
        start, end = local_day(zone, day)
        if anticipated:
            _extend(table.anticipated, start, end)
        if not table.runs or table.runs[-1][1] < start:
            start = _known_from(zone, judging.rules, day, start)
        _extend(table.runs, start, end)
        windows += [window_instants(zone, day, *window) for window in judging.rules.windows(day)]
    for opening, closing in sorted(windows):
        if table.closes and opening <= table.closes[-1]:
            table.closes[-1] = max(table.closes[-1], closing)
        elif opening < closing:
            table.opens.append(opening)
            table.closes.append(closing)
    total = 0
    for opening, closing in zip(table.opens, table.closes, strict=True):
        table.before.append(total)
        total += closing - opening
        table.until.append(total)
    return table


def _known_from(zone: tzinfo, rules: CalendarRules, day: date, start: int) -> int:
    """The day before is not covered: what a window of it may have left open past midnight is not known."""
    eve = day - timedelta(days=1)
    return max([start, *(window_instants(zone, eve, *window)[1] for window in rules.week.days[eve.weekday()])])


def _extend(intervals: list[tuple[int, int]], start: int, end: int) -> None:
    if intervals and intervals[-1][1] >= start:
        intervals[-1] = (intervals[-1][0], end)
    else:
        intervals.append((start, end))


def _days_of(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)
