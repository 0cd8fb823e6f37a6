"""The command that compares a help desk's own export with the record."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from adapters.errors import AnswerIsNo, BadQuestion
from adapters.imports.desk_export import INSTANTS, Export, export_mapping, read_export
from adapters.imports.reconcile import Disagreement, disagreements, opened_by, unrecorded_messages
from adapters.reports.report import (
    Advance,
    JsonRow,
    Question,
    Report,
    first_instant_of,
    instant_typed,
    last_instant_of,
    manifest,
    watched,
)
from adapters.store.ledger import Ledger
from bin.commands.console import Format, show
from bin.commands.message_files import check_input
from bin.commands.options import Where, chosen_by, ledger_of, progress
from bin.compose import clock
from domain.values import SECOND, instant_text
from projections.as_of import IncidentAsOf, Replay
from projections.history import History
from projections.readings import Reading


def reconcile(
    export: Path,
    /,
    *,
    mapping: Path | None = None,
    source: str | None = None,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    to: str | None = None,
    within: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 0,
    format: Format = "table",
    where: Where | None = None,
) -> None:
    """Compare a help desk's own export (CSV, one row for each incident) with the record.

    Shows what is missing here, what is missing there, and instants that differ. Exit status 0 where they agree, 1 where
    they do not. An instant that the export shows without seconds is compared to the minute.

    Parameters
    ----------
    export
        The export; plain, .gz or .xz.
    mapping
        How to read it: a file as `verbale import mapping example reconcile` shows, which is also the usual one.
    source
        Only incidents that this source opened can be missing there.
    from_
        What the export covers: only incidents opened since this instant or day can be missing there; else since its
        first opening.
    to
        The same, until this instant or the end of this day; else until its last opening.
    within
        Seconds by which instants may differ.
    format
        table, json or csv.
    """
    chosen, say = chosen_by(where)
    check_input(export)
    if mapping is not None:
        check_input(mapping)
    how = export_mapping(mapping)
    with progress(say("reading"), export.stat().st_size) as advance:
        read = read_export(export, how, on_bytes=advance)
    asked = _Asked(export, source, *_span(read, export, from_, to), within)
    with ledger_of(chosen) as ledger, progress(say("replaying"), ledger.store.position()) as advance:
        _check_source(source, ledger)
        report = _reconciled(ledger, read, asked, advance)
    show(report, format, say)
    if report.rows:
        raise AnswerIsNo


@dataclass(frozen=True)
class _Asked:
    """The export compared, and which incidents it should have: those of a source, opened in a span (inclusive)."""

    file: Path
    source: str | None
    start: int
    end: int
    within: int

    def covers(self, told: IncidentAsOf, ledger: Ledger) -> bool:
        """Whether the export should have an incident."""
        inside = self.start <= told.opened.at <= self.end
        return inside and (self.source is None or opened_by(ledger, self.source, told.incident.id))


def _span(export: Export, file: Path, since: str | None, until: str | None) -> tuple[int, int]:
    if export.span is None and (since is None or until is None):
        raise BadQuestion(f"{file} has no opening that tells what it covers: give --from and --to")
    first, last = export.span or (0, 0)
    start = instant_typed("from", since, first, of_day=first_instant_of)
    end = instant_typed("to", until, last, of_day=last_instant_of)
    if start > end:
        raise BadQuestion(f"--from {instant_text(start)} is later than --to {instant_text(end)}")
    return start, end


def _check_source(source: str | None, ledger: Ledger) -> None:
    """Of a source that nobody has heard nothing could be missing: a slip of the pen must not look like agreement."""
    if source is not None and source not in (heard := [one.source for one in ledger.store.sources()]):
        raise BadQuestion(f"--source {source} was never heard; these were: {', '.join(filter(None, heard)) or 'none'}")


def _reconciled(ledger: Ledger, export: Export, asked: _Asked, advance: Advance) -> Report:
    now = max(clock(), ledger.store.recorded_until())
    history = History.of(watched(ledger.entries(), advance))
    replay = Replay(history, Reading(), now)
    found = disagreements(export, replay.incidents(), asked.within * SECOND, lambda told: asked.covers(told, ledger))
    question = Question(Reading(), now, now)
    made = {
        **manifest("reconcile", ledger, replay, question),
        "terms": "none",  # nothing is judged here
        "export": str(asked.file),
        "incidents": len(export.incidents),
        "source": asked.source,
        "from": instant_text(asked.start),
        "to": instant_text(asked.end),
        "within_seconds": asked.within,
        "compared": list(export.compared),
        "not_in_the_export": [name for name in INSTANTS if name not in export.compared],
    }
    return Report("reconcile", made, _rows(found, ledger), question)


def _rows(found: Iterable[Disagreement], ledger: Ledger) -> list[JsonRow]:
    found = list(found)
    lost = {one.incident for one in found if one.incident is not None and one.record is None}
    went = unrecorded_messages(ledger, lost)
    return [_row(one, went.get(one.incident or "", []) if one.record is None else []) for one in found]


def _row(one: Disagreement, went: list[str]) -> JsonRow:
    return {
        "found": str(one.found),
        "incident": one.incident,
        "line": one.line,
        "instant": one.instant,
        "export": None if one.export is None else instant_text(one.export),
        "record": None if one.record is None else instant_text(one.record),
        "difference_us": one.difference,
        "why": [one.why, *went] if one.why else went,
        "evidence": {
            "stream": None if one.incident is None else f"incident-{one.incident}",
            "versions": list(one.versions),
        },
    }
