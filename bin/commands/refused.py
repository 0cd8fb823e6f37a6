"""The commands about refused messages: list, show, export, retry."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from adapters.errors import AnswerIsNo, BadQuestion, NotOnRecord
from adapters.inbox.ingest import BATCH, RefusedLine, Tally
from adapters.inbox.messages import is_label, source_named
from adapters.inbox.outcomes import Done, Duplicate, Outcome, Refused, Waiting, outcome_name
from adapters.reports.columns import json_row
from adapters.reports.question import HOUSE_ZONE
from adapters.reports.refused import NO_SOURCE
from adapters.reports.refused import REPORT as REFUSED
from adapters.reports.wording import Writing, visible
from adapters.store.records import RefusedRow
from bin.commands.console import Format, Plain, show_facts, show_listing
from bin.commands.message_files import check_output
from bin.commands.options import Where, chosen_by, ledger_of
from bin.commands.outcomes import refused_line, show_tally, whole
from bin.compose import open_handler
from bin.language import Words


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
            if self.source in (None, _known_source(row))
            and (self.clause is None or self.clause.upper() == row.message.clause)
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
    show_listing(REFUSED, refused, format, say, filtered=picked is not None)


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
    written = {**facts, "reason": say.sentence(facts["reason"])}
    written["refused_at"] = Writing(say, HOUSE_ZONE).local(facts["refused_at"], seconds=True)
    show_facts(
        {name: visible(value) if isinstance(value, str) else value for name, value in written.items()}, format, say
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
        handler = open_handler(ledger, chosen)
        while batch := list(islice(rest, BATCH)):
            handled = handler.retry([row.message for row in batch])
            for row, outcome in zip(batch, handled.outcomes, strict=True):
                print(f"{row.number}: {visible(_outcome_line(outcome, say))}")
                tally.outcomes[outcome_name(outcome)] += 1
                again += isinstance(outcome, Refused)
            tally.woken.update(outcome_name(reply.outcome) for reply in handled.woken)
            tally.expired += len(handled.expired)
    show_tally(tally, None, say)
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
    """Whether it has no source here (it came from a help desk) but would have one if it were given to `ingest`."""
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


def _outcome_line(outcome: Outcome, say: Words) -> str:
    """What became of a message, on one line."""
    name = say(outcome_name(outcome))
    match outcome:
        case Done(stream, version) | Duplicate(stream, version):
            return f"{name}: {stream}" + (f", {say('version')} {version}" if version is not None else "")
        case Refused(clause, _, reason):
            return f"{name} [{clause}] {say.sentence(reason)}"
        case Waiting(_, reason):
            return f"{name}: {say.sentence(reason)}"
