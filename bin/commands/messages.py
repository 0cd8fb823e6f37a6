"""The commands that tell of what came in and is not recorded: refused, waiting, never heard."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from adapters.inbox.handler import HOUR
from adapters.inbox.ingest import BATCH, RefusedLine, Tally
from adapters.inbox.messages import Unreadable, is_label, read_json, source_named
from adapters.inbox.outcomes import Done, Duplicate, Outcome, Refused, Waiting, outcome_name
from adapters.reports.columns import json_row
from adapters.reports.question import BadQuestion, NotOnRecord
from adapters.reports.refused import NO_SOURCE
from adapters.reports.refused import REPORT as REFUSED
from adapters.reports.sources import REPORT as SOURCES
from adapters.reports.sources import SourceLine
from adapters.reports.waiting import REPORT as WAITING
from adapters.reports.waiting import WaitingMessage
from adapters.reports.writing import visible
from adapters.store.records import Gap, RefusedRow, SourceHeard
from adapters.store.silence import SHOWN_GAPS, missing, ranges, silences, silent_for
from bin.commands.console import Format, Plain, show_facts, show_listing
from bin.commands.ingest import check_output, refused_line, tell, whole
from bin.commands.options import AnswerIsNo, Where, chosen_by, ledger_of
from bin.compose import clock, open_handler
from bin.language import Words

# --- refused ----------------------------------------------------------------------------------------------------


@Parameter(name="*")
@dataclass(frozen=True)
class Picked:
    """Options that pick refused messages."""

    source: str | None = None
    'Only messages of this source; "" is what names none that can be read.'

    clause: str | None = None
    "Only messages refused by this clause, as R1."

    def of(self, refused: Iterable[RefusedRow]) -> list[RefusedRow]:
        """Those picked."""
        return [
            row
            for row in refused
            if self.source in (None, _known_source(row)) and self.clause in (None, row.message.clause)
        ]


def refused_list(*, picked: Picked | None = None, format: Format = "table", where: Where | None = None) -> None:
    """List the messages that were refused and are not recorded since.

    Parameters
    ----------
    format
        table, json or csv.
    """
    chosen, say = chosen_by(where)
    with ledger_of(chosen) as ledger:
        refused = (picked or Picked()).of(ledger.store.refused())
    show_listing(REFUSED, refused, format, say)


def refused_show(number: int, /, *, format: Plain = "table", where: Where | None = None) -> None:
    """Show a refused message: all that is known of it, and what it says.

    Parameters
    ----------
    number
        As `verbale refused list` gives it.
    format
        table or json.
    """
    chosen, say = chosen_by(where)
    with ledger_of(chosen) as ledger:
        (refused,) = _numbered(ledger.store.refused(), [number])
    facts, raw = {**json_row(REFUSED.columns, refused), "bytes": len(refused.message.raw)}, refused.message.raw
    if format == "json":
        show_facts({**facts, **whole(raw)}, format, say)
        return
    show_facts(
        {name: visible(value) if isinstance(value, str) else value for name, value in facts.items()}, format, say
    )
    print()
    print(_legible(raw))


def refused_export(
    file: Path,
    /,
    *,
    with_reasons: Annotated[bool, Parameter(negative="")] = False,
    picked: Picked | None = None,
    where: Where | None = None,
) -> None:
    """Write the refused messages to a file of JSON Lines, whole: correct them there, and give them to `verbale ingest`.

    A message that is one line of JSON is written as it came. Any other, and what a help desk sent that looks like a
    message of somebody, is written as --with-reasons does: what was wrong, and the message under "message" or, where
    it is no JSON, its bytes under "raw_base64".

    Parameters
    ----------
    file
        The file to write.
    with_reasons
        Write each with its reasons, as `verbale ingest --refused` does; such lines are for reading, not for `ingest`.
    """
    chosen, say = chosen_by(where)
    check_output("FILE", file, chosen, [])
    with ledger_of(chosen) as ledger:
        refused = (picked or Picked()).of(ledger.store.refused())
    wrapped = [with_reasons or not _is_line_of_json(row.message.raw) or _looks_like_another(row) for row in refused]
    with file.open("wb") as out:
        for row, with_reason in zip(refused, wrapped, strict=True):
            out.write(_with_reason(row) if with_reason else row.message.raw + b"\n")
    print(f"{len(refused)} {say('refused messages written to')} {file}")
    if any(wrapped) and not with_reasons:
        print(f"{sum(wrapped)} {say('of them are no line of JSON, and are written with their reasons')}")


def refused_retry(
    *numbers: int,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    picked: Picked | None = None,
    where: Where | None = None,
) -> None:
    """Decide refused messages once more, as they are. Exit status 1 where any is refused again.

    Where outcomes are published to a broker, these are too; a source is not thereby heard.

    Parameters
    ----------
    numbers
        As `verbale refused list` gives them.
    all_
        All of them, or all that --source and --clause pick.
    """
    if bool(numbers) == all_ or (numbers and picked):
        raise BadQuestion("which ones? give numbers as verbale refused list does, or --all (with --source, --clause)")
    chosen, say = chosen_by(where)
    tally, again = Tally(), 0
    with ledger_of(chosen) as ledger:
        refused = ledger.store.refused()
        rest = iter((picked or Picked()).of(refused) if all_ else _numbered(refused, numbers))
        desk = open_handler(ledger, chosen)
        while batch := list(islice(rest, BATCH)):
            answered = desk.retry([row.message for row in batch])
            for row, outcome in zip(batch, answered.outcomes, strict=True):
                print(f"{row.number}: {visible(_told(outcome, say))}")
                tally.outcomes[outcome_name(outcome)] += 1
                again += isinstance(outcome, Refused)
            tally.woken.update(outcome_name(reply.outcome) for reply in answered.woken)
            tally.expired += len(answered.expired)
    tell(tally, None, say)
    if again:
        raise AnswerIsNo


def _known_source(row: RefusedRow) -> str:
    """Under which source it is counted."""
    source, _ = row.message.identity or (NO_SOURCE, "")
    return source if is_label(source) else NO_SOURCE


def _numbered(refused: Sequence[RefusedRow], numbers: Iterable[int]) -> list[RefusedRow]:
    """The messages of some numbers, each once. Raises NotOnRecord."""
    by_number = {row.number: row for row in refused}
    wanted = list(dict.fromkeys(numbers))
    if unknown := [str(number) for number in wanted if number not in by_number]:
        raise NotOnRecord(f"no refused message has the number {', '.join(unknown)} (one recorded since has none): "
                          "verbale refused list shows them")  # fmt: skip
    return [by_number[number] for number in wanted]


def _is_line_of_json(raw: bytes) -> bool:
    """Whether a line of a file gives this message back, byte for byte, and is JSON."""
    try:
        json.loads(raw.decode())
    except (ValueError, RecursionError):
        return False
    return b"\n" not in raw and b"\r" not in raw


def _looks_like_another(row: RefusedRow) -> bool:
    """Whether it was kept as nobody's (the payload of a help desk), and given to `ingest` would be somebody's."""
    return row.message.identity is None and source_named(row.message.raw) is not None


def _with_reason(row: RefusedRow) -> bytes:
    message = row.message
    refused = Refused(message.clause, message.field, message.reason)
    return refused_line(RefusedLine(f"refused {row.number}", message.raw, refused)).encode()


def _legible(raw: bytes) -> str:
    """A message for people: JSON with its fields apart, else as text, else in base64; nothing that steers a screen."""
    kept = whole(raw)
    if "message" in kept:
        text = json.dumps(kept["message"], ensure_ascii=False, indent=2)
        return text if _is_plain(text) else json.dumps(kept["message"], indent=2)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return str(kept["raw_base64"])
    return text if _is_plain(text) else str(kept["raw_base64"])


def _is_plain(text: str) -> bool:
    return all(one.isprintable() or one in "\n\t" for one in text)


def _told(outcome: Outcome, say: Words) -> str:
    """What became of a message, on one line."""
    name = say(outcome_name(outcome))
    match outcome:
        case Done(stream, version) | Duplicate(stream, version):
            return f"{name}: {stream}" + (f", {say('version')} {version}" if version is not None else "")
        case Refused(clause, _, reason):
            return f"{name} [{clause}] {reason}"
        case Waiting(_, reason):
            return f"{name}: {reason}"


# --- waiting ----------------------------------------------------------------------------------------------------


def waiting_list(
    *,
    source: str | None = None,
    stream: str | None = None,
    format: Format = "table",
    where: Where | None = None,
) -> None:
    """List the messages that wait for the incident or the contract they belong to, and until when they do.

    After that they are refused, and kept: patience_hours in verbale.toml, VERBALE_PATIENCE_HOURS.

    Parameters
    ----------
    source
        Only messages of this source.
    stream
        Only messages that wait for this stream: incident-ID, contract-ID.
    format
        table, json or csv.
    """
    chosen, say = chosen_by(where)
    with ledger_of(chosen) as ledger:
        rows = [
            WaitingMessage(kept, kept.since + chosen.patience_hours * HOUR, _type_of(kept.raw))
            for kept in ledger.store.all_waiting()
            if source in (None, kept.identity[0]) and stream in (None, kept.stream)
        ]
    show_listing(WAITING, rows, format, say)


def _type_of(raw: bytes) -> str | None:
    try:
        document = read_json(raw)
    except Unreadable:  # what waits could be read when it came, by whatever make of this program
        return None
    return str(document.get("type")) if isinstance(document, dict) else None


# --- sources ----------------------------------------------------------------------------------------------------


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
    lines = _source_lines(heard, passed_over, chosen.silence_hours, clock(), None if gaps else SHOWN_GAPS)
    show_listing(SOURCES, lines, format, say)
    if any(line.alarm or (gaps and line.missing) for line in lines):
        raise AnswerIsNo


def _source_lines(
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
