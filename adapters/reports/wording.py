"""How instants, durations, shares and amounts are written for people, in their language and by their clocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from fractions import Fraction
from typing import Protocol
from zoneinfo import ZoneInfo

from adapters.reports.ranges import in_ranges
from domain.interval import Interval
from domain.local_time import local_day
from domain.values import MINUTE, SECOND, moment, read_instant


class Language(Protocol):
    """One language: its words, and how it writes numbers and dates."""

    @property
    def language(self) -> str:
        """Its code: en or it."""

    def __call__(self, text: str, /) -> str:
        """The translation of an English word or sentence."""

    def sentence(self, text: str, /) -> str:
        """The translation of a sentence with values in it: a finding, or the reason of a refusal."""

    def number(self, number: int, /) -> str:
        """A whole number with its thousands apart."""

    def count(self, number: int, /) -> str:
        """A whole number in a table."""

    def euro(self, amount: str, /) -> str:
        """An amount with two decimals."""

    def long_euro(self, amount: str, /) -> str:
        """An amount in a sentence, where no heading says that it is in euro."""

    def decimal(self, text: str, /) -> str:
        """A number written with a decimal point, with the decimal sign of the language."""

    def percent(self, text: str, /) -> str:
        """A number of hundredths with its sign."""

    def day(self, day: date, /) -> str:
        """A day, short enough for a table."""

    def long_day(self, day: date, /) -> str:
        """A day in a sentence."""

    def time(self, at: datetime, /, *, seconds: bool = False) -> str:
        """A time of day, to the minute unless `seconds` are wanted and there are any."""

    def moment(self, at: datetime, /, *, seconds: bool = False) -> str:
        """Day and time, short enough for a table."""

    def long_moment(self, at: datetime, /, *, seconds: bool = False) -> str:
        """Day and time in a sentence."""

    def lasting(self, number: int, unit: str, /) -> str:
        """So many of a unit: d, h, min or s."""


@dataclass(frozen=True)
class Writing:
    """The language that a report is shown in, and the time zone whose clocks its readers look at."""

    say: Language
    zone: ZoneInfo

    def local(self, instant: str | None, *, seconds: bool = False) -> str:
        """An instant as the clocks of the zone show it, for a table; "-" for none.

        The offset is left out, so the zone must be named nearby.
        """
        return "-" if instant is None else self.say.moment(self._clock(instant), seconds=seconds)

    def long(self, instant: str, *, seconds: bool = False) -> str:
        """An instant as the clocks of the zone show it, in a sentence."""
        return self.say.long_moment(self._clock(instant), seconds=seconds)

    def long_seconds(self, instant: str) -> str:
        """The same to the second: whoever asks does not do so by the microsecond."""
        return self.say.long_moment(self._clock(instant).replace(microsecond=0), seconds=True)

    def passing(self, instant: str | None) -> str:
        """When a tolerance was passed, to the minute; "-" for none.

        A verdict falls a microsecond after the guaranteed time: "after 11:10", for 11:10:00.000001 reads as a fault.
        """
        if instant is None:
            return "-"
        at = self._clock(instant)
        after = "after" if at.second or at.microsecond else "at"
        return self.say(f"{after} {{time}} on {{day}}").format(time=self.say.time(at), day=self.say.day(at))

    def day(self, day: str | None) -> str:
        """A local day, as JSON has it, for a table; "-" for none."""
        return "-" if day is None else self.say.day(date.fromisoformat(day))

    def yes(self, flag: bool) -> str:
        """Yes or no."""
        return self.say("yes" if flag else "no")

    def duration(self, microseconds: int) -> str:
        """Hours and minutes, with seconds where there are any."""
        return self.say.decimal(duration(microseconds))

    def lateness(self, microseconds: int) -> str:
        """How long after it occurred a fact was recorded, in the largest unit that it fills."""
        return self.say.lasting(*_largest_unit(microseconds))

    def percent(self, fraction: str | None, beside: str | None = None) -> str:
        """A fraction ("1/10") as a percentage; "-" for none. See `hundredths` for `beside`."""
        return "-" if fraction is None else self.say.percent(hundredths(fraction, beside))

    def reading(self, name: str) -> str:
        """The name of a reading: the literal one in words, others by the choices as typed."""
        return self.say(name) if name == "literal" else name

    def _clock(self, instant: str) -> datetime:
        return moment(read_instant(instant)).astimezone(self.zone)


def duration(microseconds: int) -> str:
    """Hours and minutes, with seconds where there are any."""
    hours, rest = divmod(microseconds, 60 * MINUTE)
    minutes, rest = divmod(rest, MINUTE)
    seconds, rest = divmod(rest, SECOND)
    text = f"{hours}:{minutes:02}"
    if seconds or rest:
        text += f":{seconds:02}"
        text += f".{rest:06}" if rest else ""
    return text


def wall_time(instant: int, zone: tzinfo) -> str:
    """Hour and minute of an instant, as clocks show them: 08:30."""
    return f"{moment(instant).astimezone(zone):%H:%M}"


def wall_window(window: Interval, day: date, zone: tzinfo) -> str:
    """A window of a local day, as clocks show it: 08:00-18:00; one that reaches the end of the day ends at 24:00."""
    assert window.end is not None
    closing = "24:00" if window.end == local_day(zone, day)[1] else wall_time(window.end, zone)
    return f"{wall_time(window.start, zone)}-{closing}"


def signed(microseconds: int | None) -> str:
    """A duration that may be negative; "-" for none."""
    if microseconds is None:
        return "-"
    return f"{'-' if microseconds < 0 else ''}{duration(abs(microseconds))}"


def _largest_unit(microseconds: int) -> tuple[int, str]:
    for unit, size in (("d", 86_400 * SECOND), ("h", 3600 * SECOND), ("min", MINUTE), ("s", SECOND)):
        if abs(microseconds) >= size:
            return microseconds // size, unit
    return 0, "s"


def hundredths(fraction: str, beside: str | None = None) -> str:
    """How many hundredths a fraction is, with at most two decimals.

    With more where it is shown beside another share that differs and would read the same: 201/2009 beside 1/10 is
    10.005, and never 10, for it exceeds the tolerance.
    """
    value, other = Fraction(fraction), Fraction(beside or fraction)
    digits = 2
    while value != other and _rounded(value, digits) == _rounded(other, digits):
        digits += 1
    return _rounded(value, digits)


def _rounded(share: Fraction, digits: int) -> str:
    parts = round(share * 100 * 10**digits)
    whole, rest = divmod(abs(parts), 10**digits)
    return f"{'-' if parts < 0 else ''}{whole}.{rest:0{digits}}".rstrip("0").rstrip(".")


def spaced(name: str) -> str:
    """The name of a field or of a choice, as words."""
    return name.replace("_", " ")


def runs(numbers: Sequence[int]) -> str:
    """Whole numbers in order, those that follow each other drawn together: 1-3, 7; "-" for none."""
    return in_ranges(numbers) or "-"


def visible(text: str) -> str:
    """A text that others wrote, with what would move the cursor or hide the rest shown instead."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
