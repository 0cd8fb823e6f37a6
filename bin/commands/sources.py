"""The command about the sources of messages: when each last wrote, which are silent, what is missing."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from cyclopts import Parameter

from adapters.diagnosis import SHOWN_GAPS, missing, ranges, silences, silent_for
from adapters.errors import AnswerIsNo
from adapters.reports.report import JsonRow
from adapters.store.ledger import Gap, SourceHeard
from bin.commands.console import Column, Format
from bin.commands.listing import Listing, cell_at, cell_of, cell_of_duration, cell_of_source
from bin.commands.options import Where, chosen_by, ledger_of
from bin.compose import clock
from domain.values import instant_text


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
        known = ledger.store.sources()
        passed_over = {one.source: ledger.store.gaps(one.source) for one in known}
    rows = source_rows(known, passed_over, chosen.silence_hours, clock(), None if gaps else SHOWN_GAPS)
    counts = ("heard", "done", "duplicate", "refused", "waiting")
    columns = [
        Column(say("source"), cell_of_source(say)),
        Column(say("first heard"), cell_at("first_heard")),
        Column(say("last heard"), cell_at("last_heard")),
        Column(say("silent for"), cell_of_duration("silent_us"), number=True),
        Column(say("alarm after"), cell_of_duration("allowed_us"), number=True),
        Column(say("alarm"), lambda row: say({"ok": "ok", "silent": "SILENT"}.get(row["alarm"], "no alarm"))),
        *(Column(say(name), cell_of(name), number=True) for name in counts),
        Column(say("missing"), cell_of("missing"), number=True),
        Column(say("missing numbers"), lambda row: ", ".join(row["gaps"]) or "-"),
    ]
    Listing("sources", say("Sources"), "No source was heard.", columns, rows).show(format, say)
    if any(row["alarm"] == "silent" or (gaps and row["missing"]) for row in rows):
        raise AnswerIsNo


def source_rows(
    heard: Sequence[SourceHeard],
    gaps: Mapping[str, Sequence[Gap]],
    silence_hours: Mapping[str, float],
    now: int,
    most_gaps: int | None,
) -> list[JsonRow]:
    """Every source, those that have an alarm and were never heard too, by name.

    `silence_hours` is in hours, `now` in microseconds UTC; at most `most_gaps` gaps of each are named.
    """
    alarms = {silence.source: silence for silence in silences(heard, silence_hours, now)}
    never = [SourceHeard(name, 0, 0, 0, 0, 0, 0, 0) for name in alarms.keys() - {one.source for one in heard}]
    rows = []
    for one in sorted([*heard, *never]):
        alarm, there, passed_over = alarms.get(one.source), one not in never, gaps.get(one.source, ())
        rows.append(
            {
                **one._asdict(),
                "first_heard": instant_text(one.first_heard) if there else None,
                "last_heard": instant_text(one.last_heard) if there else None,
                "silent_us": silent_for(one.last_heard, now) if there else None,
                "allowed_us": alarm.allowed_us if alarm else None,
                "alarm": ("silent" if alarm.too_long else "ok") if alarm else None,
                "missing": missing(passed_over),
                "gaps": ranges(passed_over, most_gaps),
            }
        )
    return rows
