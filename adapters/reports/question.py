"""What is asked of a report, as typed: under which reading, as of when, as known on when, about what."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

from adapters.errors import BadQuestion, NotOnRecord
from adapters.reports.filters import EVERYTHING, Filters
from domain.calendar_rules import LocalDay
from domain.local_time import local_midnight
from domain.terms import Priority
from domain.values import instant_text, read_instant
from projections.readings import Reading, UnknownReading, WindowKind

HOUSE_ZONE = ZoneInfo("Europe/Rome")
"""Where days named without an instant are meant, and where tables show them."""


@dataclass(frozen=True)
class Question:
    """What is asked: under which reading, as of when, as known on when, about which contract, window and rows.

    Instants in microseconds UTC. `window_day`: only the window that holds the end of this day.
    """

    reading: Reading
    as_of: int
    known_on: int
    contract: str | None = None
    window_day: date | None = None
    filters: Filters = EVERYTHING


def question(
    *,
    now: int,
    reading: str = "literal",
    as_of: str | None = None,
    known_on: str | None = None,
    contract: str | None = None,
    window: str | None = None,
    filters: Filters = EVERYTHING,
) -> Question:
    """Read a question as typed. A day that has not ended lasts until now. Raises BadQuestion."""
    try:
        chosen, day = _window(Reading.parse(reading), window)
    except UnknownReading as error:
        raise BadQuestion(str(error)) from None
    known = _until_now(known_on, instant_typed("known-on", known_on, now), now)
    if known > now:
        raise BadQuestion(f"--known-on {known_on} is in the future: nobody knows yet what will be recorded by then")
    asked = _until_now(as_of, instant_typed("as-of", as_of, known), known)
    if asked > known:
        raise BadQuestion(
            f"--as-of {as_of or instant_text(asked)} is later than known-on {instant_text(known)}: "
            "what was not known then cannot be reported"
        )
    return Question(chosen, asked, known, contract, day, filters)


def _until_now(text: str | None, instant: int, now: int) -> int:
    """The end of a day as typed, or now where the day has not ended yet."""
    begun = text is not None and _is_day(text) and first_instant_of(date.fromisoformat(text)) <= now
    return min(instant, now) if begun else instant


def filters_typed(
    *,
    late: bool = False,
    passed: bool = False,
    priority: int | None = None,
    customer: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Filters:
    """Read filters as typed; `until` a day means until its end. Raises BadQuestion."""
    if priority is not None and priority not in set(Priority):
        raise BadQuestion(f"--priority {priority} is none: they are 1 (highest) to {len(Priority)}")
    start = None if since is None else instant_typed("since", since, 0, of_day=first_instant_of)
    end = None if until is None else instant_typed("until", until, 0)
    if start is not None and end is not None and start > end:
        raise BadQuestion(f"--since {since} is later than --until {until}")
    return Filters(late, passed, priority, customer, start, end)


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
        return of_day(date.fromisoformat(text)) if _is_day(text) else read_instant(text)
    except (ValueError, OverflowError) as error:
        if _is_day(text):
            raise BadQuestion(f"--{option} {text}: there is no such day (write one as 2025-12-31)") from None
        raise BadQuestion(f"--{option} {text}: {error} (or give a day, as 2025-12-31)") from None


def _is_day(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is not None


def no_such_contract(name: str) -> NotOnRecord:
    """The error for a contract that nothing on record names."""
    return NotOnRecord(f"no contract is called {name}, and no request names it: verbale contracts lists them")
