"""Ore lavorative: what counts as working time, and how much of it lies between two instants (H1, H2, H3).

Windows are half-open and belong to the local day on which they open; one that closes at or before its opening runs
into the next day. Inside, everything is integer microseconds UTC; local time is met only while compiling.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, timedelta, tzinfo
from itertools import pairwise
from typing import NamedTuple, Self

from domain.adopted_calendars import Adopted, ruling
from domain.calendar_rules import CalendarRules
from domain.compiled_windows import compiled
from domain.local_time import local_midnight, window_instants
from domain.values import LATEST, moment

ENDLESS = 2**62
"""Later than any instant; -ENDLESS is earlier than any."""


class OutsideCoverage(ValueError):
    """An instant lies outside the years that the adopted calendars cover."""


class ReversedInterval(ValueError):
    """An interval that ends before it starts."""


class Segment(NamedTuple):
    """A stretch of one local day, entirely inside one window or outside all.

    `agreed`: inside only because of an extension (H4).
    """

    start: int
    end: int
    day: date
    window: tuple[int, int] | None
    holiday: str | None
    agreed: bool = False


class WorkingCalendar:
    """Working time compiled to sorted windows and prefix sums; answers `elapsed`, `due` and `is_open`.

    Instants are microseconds UTC, working time is microseconds. Beyond the years covered every question raises
    OutsideCoverage, which names them: never a guess.
    """

    def __init__(self, zone: tzinfo, adopted: Sequence[Adopted]) -> None:
        """Compile calendars given in order of adoption, for the local days of a time zone.

        A local day is judged by the last calendar covering it that was adopted at or before its midnight; if there is
        none, by the first adopted after, and `judged_by_later` says so.
        """
        self.zone = zone
        self._adopted = tuple(adopted)
        # One calendar judges every day it covers, whenever adopted: contracts that adopt the same share its windows.
        judging = self._adopted if len(adopted) > 1 else tuple(Adopted(-ENDLESS, one.rules) for one in adopted)
        table = compiled(self.zone, judging)
        self._runs, self._opens, self._closes = table.runs, table.opens, table.closes
        self._before, self._until = table.before, table.until
        self._anticipated = table.anticipated if len(adopted) > 1 else self._days_before_adoption()

    @classmethod
    def of(cls, zone: tzinfo, rules: CalendarRules) -> Self:
        """The calendar of one set of rules, whenever adopted."""
        return cls(zone, (Adopted(-ENDLESS, rules),))

    def elapsed(self, start: int, end: int) -> int:
        """Working microseconds in [start, end). Raises ReversedInterval, OutsideCoverage."""
        if end < start:
            raise ReversedInterval(f"the interval ends {moment(end)} before it starts {moment(start)}")
        self._check_covered(start, end)
        return self._worked(end) - self._worked(start)

    def due(self, start: int, working: int) -> int:
        """The earliest instant at which `working` microseconds have elapsed since `start`; at a closing, the closing.

        If `working` is 0 the result is `start`, even outside working hours. Raises ValueError where `working` is
        negative, and OutsideCoverage where the answer lies beyond the years covered.
        """
        if working < 0:
            raise ValueError("working time to wait for cannot be negative")
        if working == 0:
            return start
        self._check_covered(start, start)
        target = self._worked(start) + working
        window = bisect_left(self._until, target)
        instant = self._opens[window] + target - self._before[window] if window < len(self._opens) else None
        self._check_covered(start, ENDLESS if instant is None else instant)
        return self._opens[window] + target - self._before[window]

    def is_open(self, instant: int) -> bool:
        """Whether the instant is in a window. Raises OutsideCoverage."""
        self._check_covered(instant, instant + 1)
        return self._window_at(instant) is not None

    def covered_until(self, start: int) -> int:
        """The instant up to which working time since `start` is known. Raises OutsideCoverage."""
        self._check_covered(start, start)
        return self._runs[bisect_right(self._runs, (start, ENDLESS)) - 1][1]

    def covered_parts(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The parts of [start, end) of which working time is known, in order."""
        for first, last in self._runs:
            if start < last and first < end:
                yield max(start, first), min(end, last)

    def judged_by_later(self, start: int, end: int) -> bool:
        """Whether a day in [start, end) is judged by a calendar adopted only after that day had begun."""
        return any(first < max(end, start + 1) and start < last for first, last in self._anticipated)

    def segments(self, start: int, end: int) -> Iterator[Segment]:
        """[start, end) cut at local midnights, openings, closings and where extensions begin. Raises as `elapsed`."""
        self.elapsed(start, end)
        edges = {start, end}
        first = max(bisect_right(self._opens, start) - 1, 0)
        last = bisect_right(self._opens, end)
        edges.update(self._opens[first:last], self._closes[first:last])
        day = moment(start).astimezone(self.zone).date()
        while (midnight := local_midnight(self.zone, day)) < end:
            edges.add(midnight)
            day += timedelta(days=1)
        usual = self._usual_windows(start, end)
        if usual is not None:
            edges.update(edge for opening_and_closing in usual for edge in opening_and_closing)
        for left, right in pairwise(sorted(edge for edge in edges if start <= edge <= end)):
            local = moment(left).astimezone(self.zone).date()
            judging, _ = ruling(self.zone, self._adopted, local)
            window = self._window_at(left)
            agreed = usual is not None and not any(opening <= left < closing for opening, closing in usual)
            holiday = judging.rules.holiday(local) if judging else None
            yield Segment(left, right, local, window, holiday, agreed and window is not None)

    def _usual_windows(self, start: int, end: int) -> list[tuple[int, int]] | None:
        """The windows around [start, end) without those that extensions add; None where no day is extended."""
        if not any(adopted.rules.extensions for adopted in self._adopted):
            return None
        found = []
        day = moment(start).astimezone(self.zone).date() - timedelta(days=1)
        while local_midnight(self.zone, day) < end:
            judging, _ = ruling(self.zone, self._adopted, day)
            usual = judging.rules.usual(day) if judging else ()
            found += [window_instants(self.zone, day, *window) for window in usual]
            day += timedelta(days=1)
        return found

    def _window_at(self, instant: int) -> tuple[int, int] | None:
        window = bisect_right(self._opens, instant) - 1
        if window < 0 or instant >= self._closes[window]:
            return None
        return self._opens[window], self._closes[window]

    def _worked(self, instant: int) -> int:
        window = bisect_right(self._opens, instant) - 1
        if window < 0:
            return 0
        return self._before[window] + min(instant, self._closes[window]) - self._opens[window]

    def _check_covered(self, start: int, end: int) -> None:
        run = bisect_right(self._runs, (start, ENDLESS)) - 1
        if run < 0 or start > self._runs[run][1]:
            raise self._outside(start)
        if end > self._runs[run][1]:
            raise self._outside(self._runs[run][1])

    @property
    def years_text(self) -> str:
        """The years covered, as text: "2025-2027"; "no year" where no calendar is adopted."""
        years = sorted({(adopted.rules.first_year, adopted.rules.last_year) for adopted in self._adopted})
        return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in years) or "no year"

    def _outside(self, instant: int) -> OutsideCoverage:
        day = moment(instant).astimezone(self.zone).date()
        covered = self.years_text
        return OutsideCoverage(f"the adopted calendars cover {covered}; {day} is outside: adopt one for {day.year}")

    def _days_before_adoption(self) -> list[tuple[int, int]]:
        if not self._runs or self._adopted[0].at <= self._runs[0][0]:
            return []
        (start, end), at = self._runs[0], min(self._adopted[0].at, LATEST)
        day = moment(at).astimezone(self.zone).date()
        midnight = local_midnight(self.zone, day)
        following = midnight if midnight == at else local_midnight(self.zone, day + timedelta(days=1))
        return [(start, min(following, end))]
