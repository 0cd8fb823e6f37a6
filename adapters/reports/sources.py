"""The sources that have written, when last, what became of it, and which of their own numbers are missing."""

from typing import NamedTuple

from adapters.reports.columns import Column, JsonRow, instant, integer, listed, text
from adapters.reports.refused import SOURCE
from adapters.reports.report import Definition
from adapters.reports.screen import ScreenColumn, at, count
from adapters.reports.wording import Writing, duration
from adapters.store.records import SourceHeard
from domain.values import MINUTE


class SourceLine(NamedTuple):
    """A source as of an instant. `heard` is None for one that has an alarm and was never heard.

    `silent_us`: for how long it is silent; `allowed_us`: after how long its alarm goes, None where it has none;
    `alarm`: whether it does. `missing`: how many of its own numbers were never heard; `gaps`: some of these, as ranges.
    """

    source: str
    heard: SourceHeard | None
    silent_us: int | None
    allowed_us: int | None
    alarm: bool
    missing: int
    gaps: list[str]


def _counted(name: str, meaning: str) -> Column[SourceLine]:
    return integer(name, meaning, lambda line: getattr(line.heard, name) if line.heard else 0)


def _alarm(line: SourceLine) -> str | None:
    return None if line.allowed_us is None else "silent" if line.alarm else "ok"


COLUMNS: tuple[Column[SourceLine], ...] = (
    text("source", "the source; empty where none can be read", lambda line: line.source),
    instant("first_heard", "when it first wrote", lambda line: line.heard and line.heard.first_heard, optional=True),
    instant("last_heard", "when it last wrote", lambda line: line.heard and line.heard.last_heard, optional=True),
    integer("silent_us", "how long ago that is, in microseconds", lambda line: line.silent_us, optional=True),
    integer(
        "allowed_us", "after how long its alarm goes, in microseconds", lambda line: line.allowed_us, optional=True
    ),
    text("alarm", "ok or silent; none where it has no alarm", _alarm, optional=True),
    _counted("heard", "messages heard"),
    _counted("done", "recorded"),
    _counted("duplicate", "recorded before"),
    _counted("refused", "refused"),
    _counted("waiting", "waiting"),
    integer("missing", "how many of its own numbers were never heard", lambda line: line.missing),
    listed("gaps", "which", lambda line: line.gaps),
)


def _lasting(name: str, heading: str) -> ScreenColumn:
    def cell(row: JsonRow, _: Writing) -> str:
        return "-" if row[name] is None else duration(row[name] // MINUTE * MINUTE)

    return ScreenColumn(heading, cell, number=True)


def _alarm_cell(row: JsonRow, writing: Writing) -> str:
    return writing.say({"ok": "ok", "silent": "SILENT"}.get(row["alarm"], "no alarm"))


REPORT = Definition(
    name="sources",
    title="Sources",
    columns=COLUMNS,
    screen=(
        SOURCE,
        at("first_heard", "first heard"),
        at("last_heard", "last heard"),
        _lasting("silent_us", "silent for"),
        _lasting("allowed_us", "alarm after"),
        ScreenColumn("alarm", _alarm_cell),
        count("heard"),
        count("done"),
        count("duplicate"),
        count("refused"),
        count("waiting"),
        count("missing"),
        ScreenColumn("missing numbers", lambda row, _: ", ".join(row["gaps"]) or "-"),
    ),
    empty="No source was heard.",
)
