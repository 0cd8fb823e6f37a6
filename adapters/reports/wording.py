"""How instants, durations, shares and amounts are written for people, in their language and by their clocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

from adapters.reports.ranges import in_ranges
from domain.interval import Interval
from domain.local_time import local_day
from domain.values import MINUTE, SECOND, moment, read_instant


class Language(Protocol):
    """One language: its words, and how it writes numbers."""

    def __call__(self, text: str, /) -> str:
        """The translation of an English word or sentence."""

    def number(self, number: int, /) -> str:
        """A whole number with its thousands apart."""

    def euro(self, amount: str, /) -> str:
        """An amount with two decimals."""


@dataclass(frozen=True)
class Writing:
    """The language that a report is shown in, and the time zone whose clocks its readers look at."""

    say: Language
    zone: ZoneInfo

    def local(self, instant: str | None, *, seconds: bool = False) -> str:
        """An instant as the clocks of the zone show it; "-" for none."""
        return local(instant, self.zone, seconds=seconds)

    def yes(self, flag: bool) -> str:
        """Yes or no."""
        return self.say("yes" if flag else "no")


def local(instant: str | None, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """An instant as a clock in `zone` shows it; the offset is left out, so the zone must be named nearby."""
    if instant is None:
        return "-"
    shown = moment(read_instant(instant)).astimezone(zone)
    text = f"{shown:%Y-%m-%d %H:%M}"
    if seconds and (shown.second or shown.microsecond):
        text += f":{shown:%S}"
        text += f".{shown:%f}" if shown.microsecond else ""
    return text


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


def lateness(microseconds: int) -> str:
    """How long after it occurred a fact was recorded, in the largest unit that it fills."""
    for unit, size in (("d", 86_400 * SECOND), ("h", 3600 * SECOND), ("min", MINUTE), ("s", SECOND)):
        if abs(microseconds) >= size:
            return f"{microseconds // size} {unit}"
    return "0 s"


def percent(fraction: str | None) -> str:
    """A fraction ("1/10") as a percentage with at most two decimals; "-" for none."""
    if fraction is None:
        return "-"
    above, _, below = fraction.partition("/")
    hundredths = round(int(above) * 10_000 / int(below or 1))
    text = f"{hundredths // 100}.{hundredths % 100:02}".rstrip("0").rstrip(".")
    return f"{text}%"


def spaced(name: str) -> str:
    """The name of a field or of a choice, as words."""
    return name.replace("_", " ")


def runs(numbers: Sequence[int]) -> str:
    """Whole numbers in order, those that follow each other drawn together: 1-3, 7; "-" for none."""
    return in_ranges(numbers) or "-"


def visible(text: str) -> str:
    """A text that others wrote, with what would move the cursor or hide the rest shown instead."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
