"""The sources that have written, when last, what became of it, and which of their own numbers are missing."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from adapters.reports.columns import Column, JsonRow, instant, integer, listed, text
from adapters.reports.refused import SOURCE
from adapters.reports.report import Definition
from adapters.reports.screen import ScreenColumn, at, count
from adapters.reports.wording import Writing, duration
from adapters.store.records import Gap, SourceHeard
from adapters.store.silence import missing, ranges, silences, silent_for
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


def source_lines(
    heard: Sequence[SourceHeard],
    gaps: Mapping[str, Sequence[Gap]],
    silence_hours: Mapping[str, float],
    now: int,
    most_gaps: int | None,
) -> list[SourceLine]:
    """Every source, those that have an alarm and were never heard too, by name.

    `silence_hours` is in hours, `now` in microseconds UTC; at most `most_gaps` gaps of each are named.
    """
    alarms = {silence.source: silence for silence in silences(heard, silence_hours, now)}
    by_name = {one.source: one for one in heard}
    return [
        SourceLine(
            source=name,
            heard=by_name.get(name),
            silent_us=silent_for(by_name[name].last_heard, now) if name in by_name else None,
            allowed_us=alarms[name].allowed_us if name in alarms else None,
            alarm=name in alarms and alarms[name].too_long,
            missing=missing(gaps.get(name, ())),
            gaps=ranges(gaps.get(name, ()), most_gaps),
        )
        for name in sorted(by_name.keys() | alarms.keys())
    ]


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
