"""Local days and wall times as instants, also where the clocks change. Local midnights bound days and periods."""

from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from domain.values import SECOND, microseconds, moment


@lru_cache(maxsize=65_536)
def local_midnight(zone: tzinfo, day: date) -> int:
    """The instant at which a local day begins."""
    return _edge(zone, day, 0, closing=False)


def local_day(zone: tzinfo, day: date) -> tuple[int, int]:
    """The instants between which a local day lies, the last excluded."""
    return local_midnight(zone, day), local_midnight(zone, day + timedelta(days=1))


@lru_cache(maxsize=65_536)
def window_instants(zone: tzinfo, day: date, opens: int, closes: int) -> tuple[int, int]:
    """The real instants of a window of wall times on the day it opens.

    It opens when the wall first shows its opening or a later time, and closes when the wall last shows a time before
    its closing: where 02:00 to 03:00 comes twice, 00:00-02:30 ends at the second 02:30, 00:00-02:00 at the first 02:00.
    An edge in a skipped hour is the instant of the change. So a window counts the time that really passes.
    """
    closing_day = day if closes > opens else day + timedelta(days=1)
    return _edge(zone, day, opens, closing=False), _edge(zone, closing_day, closes, closing=True)


def _edge(zone: tzinfo, day: date, minute: int, *, closing: bool) -> int:
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    early, late = (microseconds(wall.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if early > late:
        return change_between(zone, late, early)
    if early == late or not closing:
        return early
    # Where the second showing begins with this very time, what the wall showed just before it was past it already.
    shown_before = moment(late - 1).astimezone(zone).replace(tzinfo=None)
    return late if shown_before < wall else early


def change_between(zone: tzinfo, low: int, high: int) -> int:
    """The instant in (low, high] at which the zone's offset changes, to the second; `low` and `high` differ in it."""
    before = offset_at(zone, low)
    while high - low > SECOND:
        middle = (low + high) // 2 // SECOND * SECOND
        if middle <= low:
            middle = low + SECOND
        if offset_at(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def offset_at(zone: tzinfo, instant: int) -> int:
    """What the clocks of a zone are ahead of UTC at an instant, in seconds."""
    offset = moment(instant).astimezone(zone).utcoffset()
    assert offset is not None, "a time zone has an offset at every instant"
    return offset // timedelta(seconds=1)
