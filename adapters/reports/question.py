"""What is asked of a report, as typed: under which reading, as of when, as known on when, about what."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

from domain.calendar_rules import LocalDay
from domain.local_time import local_midnight
from domain.values import instant_text, read_instant
from projections.readings import Reading, WindowKind

HOUSE_ZONE = ZoneInfo("Europe/Rome")
"""Where days named without an instant are meant, and where tables show them."""


class BadQuestion(ValueError):
    """A report is asked for in a way that has no meaning; the message says why."""


class NotOnRecord(LookupError):
    """What is asked about is not on record."""


@dataclass(frozen=True)
class Question:
    """What is asked: under which reading, as of when, as known on when, about which contract and window.

    Instants in microseconds UTC. `window_day`: only the window that holds the end of this day.
    """

    reading: Reading
    as_of: int
    known_on: int
    contract: str | None = None
    window_day: date | None = None


def question(
    *,
    now: int,
    reading: str = "literal",
    as_of: str | None = None,
    known_on: str | None = None,
    contract: str | None = None,
    window: str | None = None,
) -> Question:
    """Read a question as typed. Raises BadQuestion, UnknownReading."""
    chosen, day = _window(Reading.parse(reading), window)
    known = instant_typed("known-on", known_on, now)
    if known > now:
        raise BadQuestion(f"--known-on {known_on} is in the future: nobody knows yet what will be recorded by then")
    asked = instant_typed("as-of", as_of, known)
    if asked > known:
        raise BadQuestion(
            f"--as-of {as_of or instant_text(asked)} is later than known-on {instant_text(known)}: "
            "what was not known then cannot be reported"
        )
    return Question(chosen, asked, known, contract, day)


def _window(reading: Reading, text: str | None) -> tuple[Reading, date | None]:
    if text is None:
        return reading, None
    if text in get_args(WindowKind):
        return Reading.model_validate({**dict(reading), "window": text}), None
    try:
        last_instant_of(date.fromisoformat(text))
        return reading, date.fromisoformat(text)
    except (ValueError, OverflowError):
        kinds = ", ".join(get_args(WindowKind))
        raise BadQuestion(f"--window {text} is neither one of {kinds}, nor a day as 2025-03-31") from None


def first_instant_of(day: LocalDay) -> int:
    """The first microsecond of a day in Europe/Rome."""
    return local_midnight(HOUSE_ZONE, day)


def last_instant_of(day: LocalDay) -> int:
    """The last microsecond of a day in Europe/Rome."""
    return local_midnight(HOUSE_ZONE, day + timedelta(days=1)) - 1


def instant_typed(
    option: str, text: str | None, default: int, of_day: Callable[[LocalDay], int] = last_instant_of
) -> int:
    """An instant with offset; or a day, which means its last microsecond in Europe/Rome, or what `of_day` gives.

    Raises BadQuestion.
    """
    if text is None:
        return default
    try:
        return of_day(date.fromisoformat(text)) if len(text) == 10 else read_instant(text)
    except (ValueError, OverflowError) as error:
        said = "there is no such day" if len(text) == 10 else str(error)
        raise BadQuestion(f"--{option} {text}: {said} (or give a day, as 2025-12-31)") from None


def no_such_contract(name: str) -> NotOnRecord:
    """The error for a contract that nothing on record names."""
    return NotOnRecord(f"no contract is called {name}, and no request names it")
