"""The rules of a time zone as the parties recorded them: which offset from UTC rules from which instant on (H1).

Governments change the clocks, and the data that a program comes with follows them, backwards too. So a calendar records
the offsets of its zone for its years, and clocks use what is recorded: zones are evidence, as holidays are.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from domain.derogation import first_day_after
from domain.local_time import change_between, local_midnight, offset_at
from domain.values import HOUR, SECOND, Identifier, Value, microseconds

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (what clocks show)
_MICROSECOND = timedelta(microseconds=1)
_MARGIN = 48 * HOUR
"""Beyond both ends of the years in UTC: their local midnights, and windows that run past them, are within."""
_STEP = 72 * HOUR
"""Nowhere have clocks been changed twice within so short a time: never within six days since 1900."""

Offset = Annotated[int, Field(strict=True, gt=-86_400, lt=86_400)]
"""Seconds to add to UTC for what clocks show."""


class ZoneRules(Value):
    """What the clocks of a zone showed, or were to show, as known when it was recorded.

    `offsets`: from which instant (microseconds UTC) which offset rules, in order; the last one until `until`.
    """

    zone: Identifier
    offsets: Annotated[tuple[tuple[Annotated[int, Field(strict=True)], Offset], ...], Field(min_length=1)]
    until: Annotated[int, Field(strict=True)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        instants = [*(instant for instant, _ in self.offsets), self.until]
        if any(left >= right for left, right in pairwise(instants)):
            raise ValueError("offsets: in order of their instants, and before `until`")
        return self

    @property
    def start(self) -> int:
        """The first instant for which they are recorded."""
        return self.offsets[0][0]

    def within(self, start: int, end: int) -> list[tuple[int, int]]:
        """The offset at `start`, an instant recorded, and the changes after it up to `end` (excluded)."""
        first = bisect_right(self.offsets, start, key=lambda one: one[0]) - 1
        changes = [(instant, offset) for instant, offset in self.offsets[first + 1 :] if instant < end]
        return [(start, self.offsets[first][1]), *changes]


@lru_cache(maxsize=256)
def rules_of(zone: ZoneInfo, first_year: int, last_year: int) -> ZoneRules:
    """The rules of a zone for some whole years, both included, as the data of this program has them."""
    start = microseconds(datetime(first_year, 1, 1, tzinfo=UTC)) - _MARGIN
    until = microseconds(datetime(last_year + 1, 1, 1, tzinfo=UTC)) + _MARGIN
    offsets = [(start, offset_at(zone, start))]
    last = until - SECOND
    for step in range(start, last, _STEP):
        high = min(step + _STEP, last)
        while offsets[-1][1] != offset_at(zone, high):
            changed = change_between(zone, max(step, offsets[-1][0]), high)
            offsets.append((changed, offset_at(zone, changed)))
    return ZoneRules(zone=zone.key, offsets=tuple(offsets), until=until)


class RecordedZone(tzinfo):
    """A time zone whose clocks go by recorded rules where there are any, and by the program's own data elsewhere.

    A value: two with the same rules are equal. Like ZoneInfo, it tells the two showings of a repeated hour by `fold`.
    """

    def __init__(self, key: str, pieces: tuple[tuple[int, int | None], ...]) -> None:
        """`pieces`: from which instant on which offset (seconds) rules; None, as before the first: none is recorded."""
        self.key = key
        """The IANA name."""
        self._tzdata = ZoneInfo(key)
        self._value = (key, pieces, self._tzdata)
        self._hash = hash(self._value)
        self._begins = [instant for instant, _ in pieces]
        self._offsets = [None, *(None if offset is None else timedelta(seconds=offset) for _, offset in pieces)]
        sides = [(self._seconds(index, begin - 1), self._seconds(index + 1, begin))
                 for index, begin in enumerate(self._begins)]  # fmt: skip
        # What a clock shows when a piece begins: by `fold`, the later of two such times, or the earlier.
        self._walls = tuple(
            [begin + side(both) * SECOND for begin, both in zip(self._begins, sides, strict=True)]
            for side in (max, min)
        )

    def _seconds(self, piece: int, instant: int) -> int:
        offset = self._offsets[piece]
        return offset_at(self._tzdata, instant) if offset is None else offset // timedelta(seconds=1)

    def recorded(self, start: int, end: int) -> bool:
        """Whether rules are recorded for all of [start, end), and for `start` itself."""
        first = bisect_right(self._begins, start)
        last = max(bisect_right(self._begins, end - 1), first)
        return None not in self._offsets[first : last + 1]

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """What clocks that show `dt` are ahead of UTC."""
        if dt is None:
            return None
        shown = (dt.replace(tzinfo=None) - _EPOCH) // _MICROSECOND
        offset = self._offsets[bisect_right(self._walls[dt.fold], shown)]
        return self._tzdata.utcoffset(dt) if offset is None else offset

    def fromutc(self, dt: datetime) -> datetime:
        """What clocks show at `dt`, given in UTC."""
        instant = (dt.replace(tzinfo=None) - _EPOCH) // _MICROSECOND
        piece = bisect_right(self._begins, instant)
        offset = self._offsets[piece]
        if offset is None:
            return self._tzdata.fromutc(dt.replace(tzinfo=self._tzdata)).replace(tzinfo=self)
        shown = dt + offset
        # A second showing: by the piece before, clocks had not yet come to where fold=0 sees this one begin.
        again = piece > 0 and instant + offset // _MICROSECOND < self._walls[0][piece - 1]
        return shown.replace(fold=1) if again else shown

    def dst(self, dt: datetime | None) -> timedelta | None:
        """Not known: offsets are recorded, not why they are so."""

    def tzname(self, dt: datetime | None) -> str | None:
        """Not known: offsets are recorded, not what they are called."""

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, RecordedZone) and self._value == other._value)

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[type[Self], tuple[str, tuple[tuple[int, int | None], ...]]]:
        return type(self), self._value[:2]

    def __repr__(self) -> str:
        return f"RecordedZone({self.key!r})"


Zone = ZoneInfo | RecordedZone
"""A time zone by its name and rules: those of the program's data, or recorded ones."""


class RulesOfYears(NamedTuple):
    """What one calendar records of its zone: for its whole years, since the instant of its adoption."""

    at: int
    first_year: int
    last_year: int
    rules: ZoneRules


class _Ruling(NamedTuple):
    """Rules, the instants of the years that they are recorded for, and when the first day after adoption begins."""

    start: int
    end: int
    since: int
    rules: ZoneRules


def zone_by(name: str, recorded: Sequence[RulesOfYears]) -> Zone:
    """A zone by what calendars record of it, given in order of adoption.

    A local day goes by the rules of the last calendar that covers it and was adopted before it began; if there is
    none, by those of the first adopted after: as its working hours do. Rules of another zone are no rules of this one.
    """
    named = tuple(one for one in recorded if one.rules.zone == name)
    return _zone_by(ZoneInfo(name), named) if named else ZoneInfo(name)


@lru_cache(maxsize=1024)
def _zone_by(zone: ZoneInfo, recorded: tuple[RulesOfYears, ...]) -> RecordedZone:
    ruling = [_ruling(zone.key, one) for one in recorded]
    edges = {edge for one in ruling for edge in (one.start, one.end, one.since, one.rules.start, one.rules.until)}
    pieces: list[tuple[int, int | None]] = []
    for start, end in pairwise(sorted(edges)):
        rules = _choice(ruling, start)
        pieces += [(start, None)] if rules is None else rules.within(start, end)
    return _interned(zone, _changes_of([*pieces, (max(edges), None)]))


def _changes_of(pieces: Sequence[tuple[int, int | None]]) -> tuple[tuple[int, int | None], ...]:
    before = [None, *(offset for _, offset in pieces)]
    return tuple(piece for piece, offset in zip(pieces, before, strict=False) if piece[1] != offset)


@lru_cache(maxsize=1024)
def _interned(zone: ZoneInfo, pieces: tuple[tuple[int, int | None], ...]) -> RecordedZone:
    # One object for one value: what is cached for a zone is found without comparing rules.
    return RecordedZone(zone.key, pieces)


def _ruling(name: str, one: RulesOfYears) -> _Ruling:
    alone = _alone(name, one.rules)
    start, end = (local_midnight(alone, date(year, 1, 1)) for year in (one.first_year, one.last_year + 1))
    since = local_midnight(alone, first_day_after(alone, one.at))
    return _Ruling(max(start, one.rules.start), min(end, one.rules.until), since, one.rules)


def _alone(name: str, rules: ZoneRules) -> RecordedZone:
    return RecordedZone(name, (*rules.offsets, (rules.until, None)))


def _choice(ruling: Sequence[_Ruling], instant: int) -> ZoneRules | None:
    covering = [one for one in ruling if one.start <= instant < one.end]
    in_time = [one for one in covering if one.since <= instant]
    # Around the years: where no calendar covers the instant, what one of them knows of the days beside its years.
    beside = [one for one in ruling if one.rules.start <= instant < one.rules.until]
    chosen = in_time[-1:] or covering[:1] or beside[-1:]
    return chosen[0].rules if chosen else None


def rules_recorded(zone: Zone, start: int, end: int) -> bool:
    """Whether what a zone's clocks showed in [start, end) is on record."""
    return isinstance(zone, RecordedZone) and zone.recorded(start, end)
