"""The working hours of each day, as the clocks count them (H1, H2, H4).

Open when; if not, why not; by which adopted calendar and by which agreement.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple, cast

from domain.calendar_rules import ServiceHours
from domain.contract import Contract
from domain.contract_facts import CalendarAdopted, CoverageExtended
from domain.facts import F
from domain.local_time import local_day, window_instants
from domain.rectification import Corrected
from domain.working_time import Segment, ruling
from projections.as_of import ContractAsOf


class Closed(StrEnum):
    """Why a day has no working hours."""

    HOLIDAY = "holiday"
    WEEKEND = "weekend"
    NO_HOURS = "no_hours"


class OpenHours(NamedTuple):
    """A working window, half-open, in microseconds UTC; `agreements`: those without which it would not be (H4)."""

    start: int
    end: int
    agreements: tuple[Corrected[CoverageExtended], ...] = ()


@dataclass(frozen=True, slots=True)
class WorkingDay:
    """A local day. A window that runs past midnight is cut there.

    `calendar` rules it. `adopted_later`: only because none that covers it was adopted before it began.
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
        agreed = {version for window in self.windows for told in window.agreements for version in told.versions}
        return tuple(sorted({*self.calendar.versions, *agreed}))


def working_days(told: ContractAsOf, hours: ServiceHours, first: date, last: date) -> Iterator[WorkingDay]:
    """Each day from `first` to `last`, included. Raises OutsideCoverage where no calendar covers one of them.

    The contract has to be signed.
    """
    contract, zone, calendar = told.contract, told.contract.zone, told.calendar(hours)
    extended = {id(chosen): _by_day(contract.extended_days(chosen, hours)) for chosen in contract.calendars}

    def agreements(day: date) -> Iterator[tuple[tuple[int, int], Corrected[CoverageExtended]]]:
        chosen, _ = ruling(zone, contract.calendars, day)
        for extension in extended[id(chosen)].get(day, ()) if chosen else ():
            for window in extension.windows:
                yield window_instants(zone, day, *window), _as_told(extension, told)

    assert calendar is not None, "the contract has to be signed"
    segments = calendar.segments(local_day(zone, first)[0], local_day(zone, last)[1])
    for day, of_day in groupby(segments, key=lambda segment: segment.day):
        resources = list(of_day)
        chosen, adopted_later = ruling(zone, contract.calendars, day)
        assert chosen is not None, "what no calendar covers has been refused"
        around = [*agreements(day - timedelta(days=1)), *agreements(day)]
        windows = tuple(_windows(resources, around))
        holiday = resources[0].holiday
        yield WorkingDay(
            day, windows, None if windows else _why_closed(day, holiday), holiday, _as_told(chosen, told), adopted_later
        )


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
    resources: Iterable[Segment], agreements: Sequence[tuple[tuple[int, int], Corrected[CoverageExtended]]]
) -> Iterator[OpenHours]:
    for (working, agreed), run in groupby(resources, key=lambda piece: (piece.window is not None, piece.agreed)):
        if not working:
            continue
        of_run = list(run)
        start, end = of_run[0].start, of_run[-1].end
        adding = {told.version: told for (opens, closes), told in agreements if opens < end and start < closes}
        yield OpenHours(start, end, tuple(adding[version] for version in sorted(adding)) if agreed else ())


def _why_closed(day: date, holiday: str | None) -> Closed:
    if holiday is not None:
        return Closed.HOLIDAY
    return Closed.WEEKEND if day.weekday() >= 5 else Closed.NO_HOURS


def _as_told(fact: F, told: ContractAsOf) -> Corrected[F]:
    """The fact with the versions that prove it."""
    return cast(Corrected[F], next(one for one in told.facts if one.fact is fact))
