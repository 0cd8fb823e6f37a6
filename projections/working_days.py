"""The working hours of each day, as the clocks count them (H1, H2, H4).

Open when; if not, why not; by which adopted calendar and by which agreement.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from typing import cast

from domain.adopted_calendars import ruling
from domain.calendar_rules import ServiceHours
from domain.contract import Contract
from domain.contract_facts import CalendarAdopted, CoverageExtended
from domain.facts import F
from domain.interval import Interval
from domain.local_time import local_day, window_instants
from domain.rectification import Corrected
from domain.working_time import Segment
from projections.as_of import ContractAsOf


class Closed(StrEnum):
    """Why a day has no working hours."""

    HOLIDAY = "holiday"
    WEEKEND = "weekend"
    NO_HOURS = "no_hours"


@dataclass(frozen=True, slots=True)
class OpenHours(Interval):
    """A working window of one day; `agreements`: those without which it would not be (H4)."""

    end: int
    agreements: tuple[Corrected[CoverageExtended], ...] = ()


@dataclass(frozen=True, slots=True)
class WorkingDay:
    """A local day. A window that runs past midnight is cut there.

    `calendar` rules it. `adopted_later`: the day has this calendar because no other was adopted before the day began.
    """

    day: date
    windows: tuple[OpenHours, ...]
    closed: Closed | None
    holiday: str | None
    calendar: Corrected[CalendarAdopted]
    adopted_later: bool

    @property
    def working_us(self) -> int:
        """Its working time, in microseconds."""
        return sum(window.end - window.start for window in self.windows)

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions of the contract's stream that prove it."""
        agreements = [agreement for window in self.windows for agreement in window.agreements]
        return tuple(sorted({*self.calendar.versions, *(version for one in agreements for version in one.versions)}))


def working_days(contract: ContractAsOf, hours: ServiceHours, first: date, last: date) -> Iterator[WorkingDay]:
    """Each day from `first` to `last`, included. Raises OutsideCoverage where no calendar covers one of them.

    The contract has to be signed.
    """
    zone, calendars = contract.contract.zone, contract.contract.calendars
    extended = {id(chosen): _by_day(contract.contract.extended_days(chosen, hours)) for chosen in calendars}

    def agreements(day: date) -> Iterator[tuple[Interval, Corrected[CoverageExtended]]]:
        chosen, _ = ruling(zone, calendars, day)
        for extension in extended[id(chosen)].get(day, ()) if chosen else ():
            for window in extension.windows:
                yield Interval(*window_instants(zone, day, *window)), _proved(extension, contract)

    calendar = contract.calendar(hours)
    assert calendar is not None, "the contract has to be signed"
    segments = calendar.segments(local_day(zone, first)[0], local_day(zone, last)[1])
    for day, of_day in groupby(segments, key=lambda segment: segment.day):
        segments_of_day = list(of_day)
        chosen, adopted_later = ruling(zone, calendars, day)
        assert chosen is not None, "what no calendar covers has been refused"
        around = [*agreements(day - timedelta(days=1)), *agreements(day)]
        windows = tuple(_windows(segments_of_day, around))
        holiday = segments_of_day[0].holiday
        closed = None if windows else _why_closed(day, holiday)
        yield WorkingDay(day, windows, closed, holiday, _proved(chosen, contract), adopted_later)


def first_day_without_calendar(contract: Contract, day: date) -> date:
    """The first day, from `day` on, that no adopted calendar covers."""
    while any(chosen.covers(day) for chosen in contract.calendars):
        day = date(day.year + 1, 1, 1)
    return day


def _by_day(extended: Iterable[tuple[date, CoverageExtended]]) -> Mapping[date, Sequence[CoverageExtended]]:
    found: dict[date, list[CoverageExtended]] = defaultdict(list)
    for day, extension in extended:
        found[day].append(extension)
    return found


def _windows(
    segments: Iterable[Segment], agreements: Sequence[tuple[Interval, Corrected[CoverageExtended]]]
) -> Iterator[OpenHours]:
    """The working windows of one day; beside each that an agreement added, those agreements."""
    for (working, agreed), run in groupby(segments, key=lambda segment: (segment.window is not None, segment.agreed)):
        if not working:
            continue
        of_run = list(run)
        window = OpenHours(of_run[0].start, of_run[-1].end)
        if agreed:
            adding = {agreement.version: agreement for added, agreement in agreements if added.meets(window)}
            window = replace(window, agreements=tuple(adding[version] for version in sorted(adding)))
        yield window


def _why_closed(day: date, holiday: str | None) -> Closed:
    if holiday is not None:
        return Closed.HOLIDAY
    return Closed.WEEKEND if day.weekday() >= 5 else Closed.NO_HOURS


def _proved(fact: F, contract: ContractAsOf) -> Corrected[F]:
    """The fact with the versions that prove it."""
    return cast(Corrected[F], next(one for one in contract.facts if one.fact is fact))
