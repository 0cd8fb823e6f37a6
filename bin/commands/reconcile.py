"""The command that compares a help desk's own export with the record."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from adapters.errors import AnswerIsNo, BadQuestion
from adapters.imports.desk_export import Export, export_mapping, read_export
from adapters.reports.question import first_instant_of, instant_typed, last_instant_of
from adapters.reports.reconcile import Comparison, compared
from adapters.store.ledger import Ledger
from bin.commands.console import Format, show
from bin.commands.message_files import check_input
from bin.commands.options import Where, chosen_by, ledger_of, progress
from bin.compose import clock
from domain.values import instant_text


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
    comparison = Comparison(export, source, *_span(read, export, from_, to), within)
    with ledger_of(chosen) as ledger, progress(say("replaying"), ledger.store.position()) as advance:
        _check_source(source, ledger)
        now = ledger.known_now(clock())
        report = compared(ledger, read, comparison, now, advance)
    show(report, format, say)
    if report.found:
        raise AnswerIsNo


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
    """Refuse a source that never wrote: nothing of it is missing, and a slip of the pen would look like agreement."""
    if source is not None and source not in (heard := [one.source for one in ledger.store.sources()]):
        raise BadQuestion(f"--source {source} was never heard; these were: {', '.join(filter(None, heard)) or 'none'}")
