"""A help desk's own export against the record: what is missing here, what is missing there, what differs."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from adapters.imports.desk_export import INSTANTS, Export
from adapters.imports.reconcile import Disagreement, disagreements, opened_by, unrecorded_messages
from adapters.reports.columns import Column, JsonRow, instant, integer, integers, listed, text
from adapters.reports.question import Question
from adapters.reports.replay import Advance, replayed
from adapters.reports.report import Definition, Report, manifest
from adapters.reports.screen import ScreenColumn, at, count, plain
from adapters.reports.wording import Writing, signed, spaced
from adapters.store.ledger import Ledger
from domain.values import SECOND, instant_text
from projections.as_of import IncidentAsOf
from projections.readings import Reading


class ExportDisagreement(NamedTuple):
    """One thing on which export and record disagree, and what became of the messages that would have agreed."""

    one: Disagreement
    why: list[str]


COLUMNS: tuple[Column[ExportDisagreement], ...] = (
    text("found", "missing_here, missing_there, differs or unreadable", lambda row: row.one.found.value),
    text("incident", "the id of the incident", lambda row: row.one.incident, optional=True),
    integer("line", "the line of the export", lambda row: row.one.line, optional=True),
    text("instant", "which instant of the incident", lambda row: row.one.instant, optional=True),
    instant("export", "as the export has it", lambda row: row.one.export, optional=True),
    instant("record", "as the record has it", lambda row: row.one.record, optional=True),
    integer("difference_us", "record less export, in microseconds", lambda row: row.one.difference, optional=True),
    listed("why", "what cannot be read, or where messages went", lambda row: row.why),
    text("evidence.stream", "the stream whose facts prove the row", lambda row: _stream(row.one), optional=True),
    integers("evidence.versions", "the versions of its facts that do", lambda row: list(row.one.versions)),
)


def _stream(one: Disagreement) -> str | None:
    return None if one.incident is None else f"incident-{one.incident}"


@dataclass(frozen=True)
class Comparison:
    """The export compared, and which incidents it should have: those of a source, opened in a span.

    `start` and `end` in microseconds UTC, inclusive; instants may differ by `within` seconds.
    """

    file: Path
    source: str | None
    start: int
    end: int
    within: int

    def covers(self, incident: IncidentAsOf, ledger: Ledger) -> bool:
        """Whether the export should have an incident."""
        inside = self.start <= incident.opened.at <= self.end
        return inside and (self.source is None or opened_by(ledger, self.source, incident.incident.id))


def compared(
    ledger: Ledger, export: Export, comparison: Comparison, now: int, advance: Advance
) -> Report[ExportDisagreement]:
    """Compare an export with the record as of now; `advance` takes how many facts are read. Raises StoreError."""
    asked = Question(Reading(), now, now)
    replay = replayed(ledger, asked, advance).replay
    found = disagreements(
        export,
        replay.incidents(),
        comparison.within * SECOND,
        lambda incident: comparison.covers(incident, ledger),
    )
    made = {
        **manifest("reconcile", ledger, replay, asked),
        "terms": "none",  # nothing is judged here
        "export": str(comparison.file),
        "incidents": len(export.incidents),
        "source": comparison.source,
        "from": instant_text(comparison.start),
        "to": instant_text(comparison.end),
        "within_seconds": comparison.within,
        "compared": list(export.compared),
        "not_in_the_export": [name for name in INSTANTS if name not in export.compared],
    }
    return Report(REPORT, made, _rows(found, ledger))


def _rows(found: Iterable[Disagreement], ledger: Ledger) -> list[ExportDisagreement]:
    found = list(found)
    lost = {one.incident for one in found if one.incident is not None and one.record is None}
    went = unrecorded_messages(ledger, lost)
    return [ExportDisagreement(one, _why(one, went.get(one.incident or "", []))) for one in found]


def _why(one: Disagreement, went: list[str]) -> list[str]:
    messages = went if one.record is None else []
    return [one.why, *messages] if one.why else messages


def _notes(report: Report[ExportDisagreement], writing: Writing) -> list[str]:
    made, say = report.manifest, writing.say
    start, end = (writing.long(made[name], seconds=True) for name in ("from", "to"))
    kinds = Counter(row.one.found for row in report.found)
    counts = [f"{say(spaced(kind))}: {say.count(number)}" for kind, number in kinds.items()]
    lines = [
        "",
        ", ".join([f"{say.count(made['incidents'])} {say('incidents in the export')}", *counts]),
        f"{say('It covers what was opened from')} {start} {say('to')} {end}",
    ]
    if left_out := made["not_in_the_export"]:
        names = ", ".join(say(spaced(name)) for name in left_out)
        lines.append(f"{say('Not compared, because the export does not have it')}: {names}")
    return lines


def _later_by(row: JsonRow, writing: Writing) -> str:
    return writing.say.decimal(signed(row["difference_us"]))


REPORT = Definition(
    name="reconcile",
    title="Export against record",
    columns=COLUMNS,
    screen=(
        ScreenColumn("found", lambda row, writing: writing.say(spaced(row["found"]))),
        plain("incident"),
        count("line"),
        ScreenColumn("instant", lambda row, writing: writing.say(spaced(row["instant"] or "-"))),
        at("export", "in the export", seconds=True),
        at("record", "on record", seconds=True),
        ScreenColumn("record later by", _later_by, number=True),
        ScreenColumn("why", lambda row, writing: "; ".join(map(writing.say.sentence, row["why"]))),
    ),
    empty="Export and record agree.",
    notes=_notes,
)
