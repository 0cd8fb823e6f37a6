"""The public holidays that a library knows, to be looked at before they are recorded (H1)."""

from datetime import date
from typing import NamedTuple

from adapters.reports.columns import Column, text
from adapters.reports.report import Definition
from adapters.reports.screen import day, plain, word
from domain.derogation import Weekday


class ProposedHoliday(NamedTuple):
    """A holiday as a library gives it; `added_by`: the place that adds it to the nation's."""

    day: date
    name: str
    added_by: str | None
    source: str
    source_version: str


COLUMNS: tuple[Column[ProposedHoliday], ...] = (
    text("day", "the day", lambda row: row.day.isoformat()),
    text("weekday", "the day of the week", lambda row: Weekday.of(row.day).value),
    text("name", "the name of the holiday", lambda row: row.name),
    text("added_by", "the place that adds it to the nation's", lambda row: row.added_by, optional=True),
    text("source", "the library, and what it was asked for", lambda row: row.source),
    text("source_version", "the version of the library", lambda row: row.source_version),
)

REPORT = Definition(
    name="holidays",
    title="Holidays proposed",
    columns=COLUMNS,
    screen=(
        day("day"),
        word("weekday", "day of the week"),
        plain("name", "holiday"),
        plain("added_by", "added by"),
    ),
)
