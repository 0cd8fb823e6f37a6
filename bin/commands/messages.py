"""The commands that tell of what came in and is not recorded: refused, waiting, never heard."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, NamedTuple

from cyclopts import Parameter
from rich.text import Text

from adapters.inbox.handler import HOUR
from adapters.inbox.ingest import BATCH, RefusedLine, Tally
from adapters.inbox.messages import Unreadable, is_label, read_json, source_named
from adapters.inbox.outcomes import Done, Duplicate, Outcome, Refused, Waiting, outcome_name
from adapters.reports.report import HOUSE_ZONE, BadQuestion, JsonRow, NotOnRecord
from adapters.store.records import Deferred, Gap, RefusedRow, SourceHeard
from adapters.store.silence import SHOWN_GAPS, missing, ranges, silences, silent_for
from bin.commands.console import Column, Format, Plain, as_csv, console, duration, local, print_rows, show_facts
from bin.commands.ingest import check_output, refused_line, tell, whole
from bin.commands.options import AnswerIsNo, Where, chosen_by, ledger_of
from bin.compose import clock, open_handler
from bin.language import Words
from domain.values import MINUTE, instant_text

NO_SOURCE = ""
"""The source of what names none that can be read."""


class Listing(NamedTuple):
    """Rows to be shown, with what stands above them, and what is said where there are none."""

    name: str
    title: str
    nothing: str
    columns: Sequence[Column]
    rows: Sequence[JsonRow]

    def show(self, form: Format, say: Words) -> None:
        """Write it."""
        if form == "json":
            print(json.dumps(self.rows, ensure_ascii=False, indent=2))
        elif form == "csv":
            print(as_csv(self.name, self.rows), end="")
        elif self.rows:
            out = console()
            out.print(Text(f"{self.title} ({HOUSE_ZONE.key})\n", style="bold"))
            print_rows(out, self.columns, self.rows)
        else:
            console().print(say(self.nothing))


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
    columns = [
        Column("#", _plain("number"), number=True),
        Column(say("refused at"), _at("refused_at")),
        Column(say("times"), _plain("times"), number=True),
        Column(say("source"), _source(say)),
        Column(say("id"), _plain("id")),
        Column(say("clause"), _plain("clause")),
        Column(say("field"), _plain("field")),
        Column(say("reason"), _plain("reason")),
    ]
    Listing(
        "refused", say("Refused messages"), "No message is refused.", columns, list(map(_refused_row, refused))
    ).show(format, say)


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
    facts, raw = {**_refused_row(refused), "bytes": len(refused.message.raw)}, refused.message.raw
    if format == "json":
        show_facts({**facts, **whole(raw)}, format, say)
        return
    show_facts(
        {name: _visible(value) if isinstance(value, str) else value for name, value in facts.items()}, format, say
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
                print(f"{row.number}: {_visible(_told(outcome, say))}")
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


def _refused_row(row: RefusedRow) -> JsonRow:
    message = row.message
    source, name = message.identity or (NO_SOURCE, None)
    return {
        "number": row.number,
        "refused_at": instant_text(row.refused_at),
        "times": row.times,
        "source": source,
        "id": name,
        "clause": message.clause,
        "field": message.field or None,
        "reason": message.reason,
    }


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
            _waiting_row(kept, kept.since + chosen.patience_hours * HOUR)
            for kept in ledger.store.all_waiting()
            if source in (None, kept.identity[0]) and stream in (None, kept.stream)
        ]
    columns = [
        Column(say("since"), _at("since")),
        Column(say("until"), _at("until")),
        Column(say("waits for"), _plain("stream")),
        Column(say("source"), _source(say)),
        Column(say("id"), _plain("id")),
        Column(say("type"), _plain("type")),
        Column(say("why"), _plain("reason")),
    ]
    Listing("waiting", say("Waiting messages"), "No message waits.", columns, rows).show(format, say)


def _waiting_row(kept: Deferred, until: int) -> JsonRow:
    source, name = kept.identity
    return {
        "since": instant_text(kept.since),
        "until": instant_text(until),
        "stream": kept.stream,
        "source": source,
        "id": name,
        "type": _type_of(kept.raw),
        "reason": kept.reason,
    }


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
    rows = source_rows(heard, passed_over, chosen.silence_hours, clock(), None if gaps else SHOWN_GAPS)
    counts = ("heard", "done", "duplicate", "refused", "waiting")
    columns = [
        Column(say("source"), _source(say)),
        Column(say("first heard"), _at("first_heard")),
        Column(say("last heard"), _at("last_heard")),
        Column(say("silent for"), _lasting("silent_us"), number=True),
        Column(say("alarm after"), _lasting("allowed_us"), number=True),
        Column(say("alarm"), lambda row: say({"ok": "ok", "silent": "SILENT"}.get(row["alarm"], "no alarm"))),
        *(Column(say(name), _plain(name), number=True) for name in counts),
        Column(say("missing"), _plain("missing"), number=True),
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


# --- cells ------------------------------------------------------------------------------------------------------


def _visible(text: str) -> str:
    """A text that others wrote, with what would move the cursor or hide the rest shown instead."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _plain(name: str) -> Callable[[JsonRow], str]:
    return lambda row: "-" if row[name] is None else _visible(str(row[name]))


def _at(name: str) -> Callable[[JsonRow], str]:
    return lambda row: local(row[name], HOUSE_ZONE)


def _lasting(name: str) -> Callable[[JsonRow], str]:
    return lambda row: "-" if row[name] is None else duration(row[name] // MINUTE * MINUTE)


def _source(say: Words) -> Callable[[JsonRow], str]:
    return lambda row: _visible(row["source"]) or say("(none that can be read)")
