"""The one place that uses the `holidays` library: it proposes Italian holidays, which a contract then adopts.

An incident is judged by the calendar on record, never by the library, whose holidays change with its releases
(4 October is an Italian holiday again from 2026).
"""

import re
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from typing import NamedTuple

from adapters.errors import UserError
from domain.calendar_rules import Holiday
from domain.contract_facts import CalendarChosen


class UnknownPlace(UserError, ValueError):
    """The library knows no such country, subdivision or years."""


class Difference(NamedTuple):
    """A day on which a calendar and the library disagree: its holiday in each, None where it is none there."""

    day: date
    adopted: str | None
    proposed: str | None


def source_named(subdivision: str | None) -> str:
    """The source that an adopted calendar names where the library proposed it: "holidays IT MI"."""
    return f"holidays IT {subdivision}" if subdivision else "holidays IT"


_SOURCE = re.compile(r"holidays IT(?: (?P<subdivision>.+))?")


def changes_since(chosen: CalendarChosen) -> Iterator[Difference]:
    """Where the installed library differs from a calendar that another version of it proposed.

    Nothing for a calendar of another source, or of a place or years that the library no longer knows.
    """
    source = _SOURCE.fullmatch(chosen.source)
    if source is None or chosen.source_version == library_version():
        return
    try:
        proposed = italian_holidays(chosen.first_year, chosen.last_year, source["subdivision"])
    except UnknownPlace:
        return
    before, now = ({holiday.day: holiday.name for holiday in found} for found in (chosen.holidays, proposed))
    for day in sorted({*before, *now}):
        if before.get(day) != now.get(day):
            yield Difference(day, before.get(day), now.get(day))


def library_version() -> str:
    """The version of the library that proposes."""
    return version("holidays")


def italian_holidays(first_year: int, last_year: int, subdivision: str | None = None) -> tuple[Holiday, ...]:
    """Public holidays of whole years, with Italian names; `subdivision` (as MI, Roma) adds its patron saint.

    Raises UnknownPlace where the library knows no such subdivision or year: beyond its years it would give nothing,
    silently.
    """
    # Here, not above: it takes a tenth of a second that every other command would pay too.
    from holidays import country_holidays
    from holidays.countries.italy import Italy

    if first_year < Italy.start_year or last_year > Italy.end_year:
        known = f"{Italy.start_year} to {Italy.end_year}"
        raise UnknownPlace(f"holidays are known for {known}, not for {first_year} to {last_year}")
    try:
        years = range(first_year, last_year + 1)
        found = country_holidays("IT", subdiv=subdivision, years=years, language="it_IT")
    except NotImplementedError:
        raise UnknownPlace(
            f"no Italian place is called {subdivision}: give a province or city, as MI or Milano"
        ) from None
    return tuple(Holiday(day=day, name=name) for day, name in sorted(found.items()))
