"""The command about the sources of messages: when each last wrote, which are silent, what is missing."""

from typing import Annotated

from cyclopts import Parameter

from adapters.errors import AnswerIsNo
from adapters.reports.sources import REPORT as SOURCES
from adapters.reports.sources import source_lines
from adapters.store.silence import SHOWN_GAPS
from bin.commands.console import Format, show_listing
from bin.commands.options import Where, chosen_by, ledger_of
from bin.compose import clock


def sources(
    *, gaps: Annotated[bool, Parameter(negative="")] = False, format: Format = "table", where: Where | None = None
) -> None:
    """List who has written, when last, what became of it, and which of its own sequence numbers were never heard.

    A source that has an alarm (silence_hours in verbale.toml) is SILENT when it is silent for longer, or was never
    heard. Exit status 1 where any is; with --gaps also where any has gaps.

    Parameters
    ----------
    gaps
        Name every gap, not just the first ones.
    format
        table, json or csv.
    """
    chosen, say = chosen_by(where)
    with ledger_of(chosen) as ledger:
        heard = ledger.store.sources()
        passed_over = {one.source: ledger.store.gaps(one.source) for one in heard}
    lines = source_lines(heard, passed_over, chosen.silence_hours, clock(), None if gaps else SHOWN_GAPS)
    show_listing(SOURCES, lines, format, say)
    if any(line.alarm or (gaps and line.missing) for line in lines):
        raise AnswerIsNo
