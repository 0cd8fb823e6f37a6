"""The producers' commands: record contracts and messages, import logs, check what would be sent."""

import base64
import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from adapters.imports.contract_file import example as contract_example_text
from adapters.imports.contract_messages import contract_messages
from adapters.inbox.ingest import Line, RefusedLine, Tally, pass_over_recorded, read_lines, take_in, written
from adapters.inbox.messages import Unreadable, examples, read_json, read_message
from adapters.inbox.outcome_events import OUTCOME_TYPE
from adapters.reports.question import BadQuestion
from adapters.store.url import store_location
from bin.asyncapi import asyncapi as asyncapi_document
from bin.commands.console import console
from bin.commands.options import AnswerIsNo, Where, chosen_by, ledger_of, progress
from bin.compose import open_handler
from bin.documents import as_text, documents
from bin.language import Words
from bin.message_reference import message_reference
from bin.schemas import schemas
from bin.settings import Settings
from domain.catalogue import COMMANDS
from domain.contract_facts import AdoptCalendar

SHOWN_REFUSALS = 10


def ingest(
    files: Annotated[list[Path], Parameter(required=True, allow_leading_hyphen=True)],
    /,
    *,
    refused: Path | None = None,
    where: Where | None = None,
) -> None:
    """Record messages: JSON Lines of CloudEvents, from files or from standard input (-).

    Messages already recorded are passed over, so the same input can be given again. Exit status 1 where any message
    was refused.

    Parameters
    ----------
    files
        Files of messages; - is standard input.
    refused
        Write the refused messages to this file, whole, with the reasons.
    """
    total = existing(files)
    chosen, say = chosen_by(where)
    check_output("--refused", refused, chosen, files)
    with ledger_of(chosen, create=True) as ledger, progress(say("recording"), total or None) as advance:
        tally = take_in(open_handler(ledger, chosen), counting(lines_of(files), advance))
    tell(tally, refused, say)


def contract_sign(file: Path, /, *, where: Where | None = None) -> None:
    """Record the contract written in a TOML file: signature, option, calendar, credits.

    Parameters
    ----------
    file
        A file as `verbale contract example` shows.
    """
    chosen, say = chosen_by(where)
    messages = contract_messages(file)
    with ledger_of(chosen, create=True) as ledger:
        calendars = [message for message in messages if message["type"] == AdoptCalendar.TYPE]
        others = [message for message in messages if message["type"] != AdoptCalendar.TYPE]
        fresh, adopted = pass_over_recorded(ledger, calendars)
        tally = take_in(open_handler(ledger, chosen), written([*others, *fresh], str(file)))
        tally.outcomes["duplicate"] += adopted
    tell(tally, None, say)


def contract_example() -> None:
    """Print a commented contract file."""
    print(contract_example_text(), end="")


def message_example(message_type: str, /) -> None:
    """Print a complete message of one type.

    Parameters
    ----------
    message_type
        As `verbale schema` lists them, also without "verbale." and ".v1".
    """
    print(json.dumps(examples()[_message_type(message_type)], ensure_ascii=False, indent=2))


def message_check(file: Annotated[Path, Parameter(allow_leading_hyphen=True)], /) -> None:
    """Check messages without recording them. Exit status 1 where any would be refused for its form.

    Parameters
    ----------
    file
        JSON Lines of messages; - is standard input.
    """
    good = bad = 0
    for line in lines_of([file]):
        try:
            read_message(line.raw)
            good += 1
        except Unreadable as error:
            bad += 1
            print(f"{line.where}: {error.reason} [{error.clause}]")
    print(f"{good} good, {bad} refused; nothing was recorded")
    if bad:
        raise AnswerIsNo


def schema(
    message_type: str | None = None, /, *, markdown: bool = False, asyncapi: bool = False, into: Path | None = None
) -> None:
    """List the message types, or print the JSON Schema of one.

    Parameters
    ----------
    message_type
        As listed, also without "verbale." and ".v1"; or outcome, what a producer hears.
    markdown
        Print the whole reference for producers (docs/messages.md) instead.
    asyncapi
        Print the AsyncAPI document instead.
    into
        Write the reference, the AsyncAPI and OpenAPI documents and every schema into this folder instead.
    """
    if into is not None:
        _write_documents(into)
    elif markdown:
        print(message_reference(), end="")
    elif asyncapi:
        print(as_text(asyncapi_document()), end="")
    elif message_type is not None:
        print(as_text(schemas()[_message_type(message_type, (*COMMANDS, OUTCOME_TYPE))]), end="")
    else:
        wide = max(map(len, COMMANDS))
        for name, command in COMMANDS.items():
            print(f"{name:{wide}}  {(command.__doc__ or '').splitlines()[0]}")


def _write_documents(folder: Path) -> None:
    for path, text in documents().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        print(file)


def _message_type(text: str, among: Collection[str] = COMMANDS) -> str:
    for name in (text, f"verbale.{text}.v1", f"verbale.{text}"):
        if name in among:
            return name
    raise BadQuestion(f"no message type is called {text}: verbale schema lists them")


def check_output(option: str, output: Path | None, chosen: Settings, inputs: Iterable[Path]) -> None:
    """Refuse, before anything is recorded, an output that cannot be written or would overwrite what is read."""
    if output is None:
        return
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise BadQuestion(f"{option} {output} cannot be written: name a file in a folder that exists")
    kept = [*store_location(chosen.store).files, *inputs]
    if any(
        output.absolute() == one.absolute() or (output.exists() and one.exists() and output.samefile(one))
        for one in kept
    ):
        raise BadQuestion(f"{option} {output} would overwrite what is read: name another file")


def existing(files: Iterable[Path]) -> int:
    """How many bytes the files have together, standard input (-) aside. Raises BadQuestion where one is not there."""
    for file in files:
        if str(file) != "-" and (file.is_dir() or not file.exists()):
            raise BadQuestion(f"{file} is no file")
    return sum(file.stat().st_size for file in files if str(file) != "-")


def lines_of(files: Iterable[Path]) -> Iterator[Line]:
    """The messages in some files, one after the other."""
    for file in files:
        if str(file) == "-":
            if sys.stdin is None:
                raise BadQuestion("standard input is closed: nothing can be read from it")
            yield from read_lines(sys.stdin.buffer, "standard input")
        else:
            with file.open("rb") as opened:
                yield from read_lines(opened, str(file))


def counting(lines: Iterable[Line], advance: Callable[[int], None]) -> Iterator[Line]:
    """The same lines; `advance` hears how many bytes have been read."""
    read = 0
    for line in lines:
        read += len(line.raw) + 1
        advance(read)
        yield line


def tell(tally: Tally, refused_file: Path | None, say: Words) -> None:
    """Print what became of the messages; status 1 where any was refused."""
    out = console()
    parts = [f"{tally.outcomes[name]} {say(name)}" for name in ("done", "duplicate", "waiting", "refused")]
    out.print(f"{tally.messages} {say('messages')}: {', '.join(parts)}")
    if tally.woken:
        woken = ", ".join(f"{number} {say(name)}" for name, number in sorted(tally.woken.items()))
        out.print(f"{say('earlier messages that waited')}: {woken}")
    if tally.expired:
        out.print(f"{tally.expired} {say('waited too long and were refused (they are kept)')}")
    for line in tally.refused[:SHOWN_REFUSALS]:
        out.print(f"  {line.where}: {say('refused')} [{line.refused.clause}] {line.refused.reason}")
    if len(tally.refused) > SHOWN_REFUSALS:
        more = len(tally.refused) - SHOWN_REFUSALS
        out.print(f"  ... {more} {say('more')}; --refused FILE {say('receives them all')}")
    if refused_file is not None:
        refused_file.write_text("".join(map(refused_line, tally.refused)), encoding="utf-8")
        out.print(f"{len(tally.refused)} {say('refused messages written to')} {refused_file}")
    if tally.refused:
        raise AnswerIsNo


def refused_line(line: RefusedLine) -> str:
    """A refused message with its reason, as a line of JSON."""
    said = {"clause": line.refused.clause, "field": line.refused.field, "reason": line.refused.reason}
    return json.dumps({"where": line.where, **said, **whole(line.raw)}, ensure_ascii=True) + "\n"


def whole(raw: bytes) -> dict[str, Any]:
    """A message as JSON holds it: under "message" or, where it is no JSON, its bytes under "raw_base64"."""
    try:
        document = read_json(raw)
        json.dumps(document, allow_nan=False)
    except (Unreadable, ValueError, RecursionError):
        return {"raw_base64": base64.b64encode(raw).decode()}
    return {"message": document}
