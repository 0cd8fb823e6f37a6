"""Working time (H1 to H4): of every minute, whether it is working time, by what the clock on the wall shows."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from support.oracle.record import MINUTE, Fact

DAY = 24 * 60
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIRST_DAY = date(1970, 1, 1)


@cache
def offset(zone: str, quarter: int) -> int:
    """By how many minutes the wall is ahead of UTC in a quarter of an hour since 1970; it changes at none within."""
    shown = datetime.fromtimestamp(quarter * 900, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    assert shown is not None
    return shown // timedelta(minutes=1)


def wall(zone: str, minute: int) -> int:
    """What the wall shows in a minute of UTC, as minutes since the beginning of 1970 by that wall."""
    return minute + offset(zone, minute // 15)


def near(zone: str, shown: int) -> range:
    """Minutes of UTC among which the wall shows that time, be the hour changed or not."""
    guess = shown - offset(zone, shown // 15)
    guess = shown - offset(zone, guess // 15)
    if wall(zone, guess - 180) + 180 == wall(zone, guess + 180) - 180 == shown:
        return range(guess - 1, guess + 2)
    return range(guess - 180, guess + 180)


def first_shown(zone: str, shown: int) -> int:
    """An opening: the first minute in which the wall shows that time or a later one (skipped or repeated hours too)."""
    return next(minute for minute in near(zone, shown) if wall(zone, minute) >= shown)


def last_before(zone: str, shown: int) -> int:
    """A closing: just after the last minute in which the wall shows an earlier time."""
    return next(minute for minute in reversed(near(zone, shown)) if wall(zone, minute) < shown) + 1


def number(day: date) -> int:
    """Days since 1970."""
    return (day - FIRST_DAY).days


def local_day(zone: str, at: int) -> date:
    """The day that the wall shows."""
    return FIRST_DAY + timedelta(days=wall(zone, at // MINUTE) // DAY)


def midnight(zone: str, day: date) -> int:
    """The first instant of a local day."""
    return first_shown(zone, number(day) * DAY) * MINUTE


def clock_time(text: str) -> int:
    """Minutes since midnight, of "08:00" or "24:00"."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def both(some: bytearray, others: bytearray) -> bytearray:
    """The minutes marked in both."""
    marked = int.from_bytes(some, "big") & int.from_bytes(others, "big")
    return bytearray(marked.to_bytes(len(some), "big"))


class Calendar:
    """The working minutes of one kind of hours of a contract, between two instants.

    `open` has a byte for each minute, 1 where it is working time; `covered`, 1 where a calendar covers the day.
    """

    def __init__(self, zone: str, told: Sequence[Fact], hours: str, start: int, end: int) -> None:
        self.zone, self.hours = zone, hours
        self.first = start // MINUTE
        self.open = bytearray(end // MINUTE - self.first)
        self.covered = bytearray(len(self.open))
        self.adopted = sorted((one for one in told if one.kind == "contract.adopt_calendar"), key=lambda one: one.order)
        self.extensions = [one for one in told if one.kind == "contract.extend_coverage"]
        day, last = local_day(zone, start) - timedelta(days=1), local_day(zone, end)
        while day <= last:
            self._fill(day)
            day += timedelta(days=1)
        self.open = both(self.open, self.covered)

    def _fill(self, day: date) -> None:
        calendar = self.ruling(day)
        if calendar is None:
            return
        begins, ends = midnight(self.zone, day), midnight(self.zone, day + timedelta(days=1))
        self._mark(self.covered, begins // MINUTE, ends // MINUTE)
        for opening, closing in self.windows(day, calendar):
            shown = number(day) * DAY
            until = closing if closing > opening else closing + DAY
            self._mark(self.open, first_shown(self.zone, shown + opening), last_before(self.zone, shown + until))

    def _mark(self, minutes: bytearray, begins: int, ends: int) -> None:
        begins, ends = max(begins - self.first, 0), min(ends - self.first, len(minutes))
        if begins < ends:
            minutes[begins:ends] = b"\1" * (ends - begins)

    def ruling(self, day: date) -> Fact | None:
        """Section 5: the last calendar covering a day adopted at or before its midnight, else the first after."""
        covering = [one for one in self.adopted if one.data["first_year"] <= day.year <= one.data["last_year"]]
        before = [one for one in covering if one.at <= midnight(self.zone, day)]
        return before[-1] if before else covering[0] if covering else None

    def windows(self, day: date, calendar: Fact) -> list[tuple[int, int]]:
        """H1, H2, H4: the windows that open on a day. An extension is a union with them, and beats a holiday."""
        is_holiday = any(holiday["day"] == day.isoformat() for holiday in calendar.data["holidays"])
        weekday = WEEKDAYS[day.weekday()]
        written = [] if is_holiday else list(calendar.data[self.hours].get(weekday, []))
        for one in self.extensions:
            if one.at <= midnight(self.zone, day) and self.reaches(one, day, is_holiday):
                written += one.data["windows"]
        return [(clock_time(opens), clock_time(closes)) for opens, closes in written]

    def reaches(self, extension: Fact, day: date, is_holiday: bool) -> bool:
        """H4: whether an agreement adds windows to a day: a date it names, or a weekday or holiday of its period."""
        said = extension.data
        if said.get("hours") not in (None, self.hours):
            return False
        if day.isoformat() in said.get("dates", []):
            return True
        first, last = said.get("first_day"), said.get("last_day")
        if first is None or last is None or not first <= day.isoformat() <= last:
            return False
        holidays, on_weekdays = said.get("holidays", "on_weekdays"), WEEKDAYS[day.weekday()] in said.get("weekdays", [])
        if is_holiday:
            return holidays == "all" or (holidays == "on_weekdays" and on_weekdays)
        return on_weekdays
