"""The commands about the form of messages: their schemas, an example of each, a check. They open no store."""

import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from adapters.errors import AnswerIsNo, BadQuestion
from domain.catalogue import COMMANDS


def message_example(message_type: str, /) -> None:
    """Print a complete message of one type; into a file or a pipe, on one line, as `verbale ingest` takes it.

    Parameters
    ----------
    message_type
        As `verbale schema` lists them, also without "verbale." and ".v1".
    """
    from adapters.inbox.messages import examples  # not needed to list the types

    # What is read by a program is a line of a file of messages: verbale message example TYPE >> today.jsonl
    indent = 2 if sys.stdout.isatty() else None
    print(json.dumps(examples()[_message_type(message_type)], ensure_ascii=False, indent=indent))


def message_check(file: Annotated[Path, Parameter(allow_leading_hyphen=True)], /) -> None:
    """Check messages without recording them. Exit status 1 where any would be refused for its form.

    Parameters
    ----------
    file
        JSON Lines of messages; - is standard input.
    """
    from adapters.inbox.messages import Unreadable, read_message  # not needed to list the types
    from bin.commands.message_files import existing, lines_of
    from bin.commands.options import words

    existing([file])
    good = bad = 0
    for line in lines_of([file]):
        try:
            read_message(line.raw)
            good += 1
        except Unreadable as error:
            bad += 1
            print(f"{line.where}: {error.reason} [{error.clause}]")
    print(words()("{good} good, {bad} refused; nothing was recorded").format(good=good, bad=bad))
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
    if into is None and not markdown and not asyncapi and message_type is None:
        _list_types()
        return
    from adapters.inbox.outcome_events import OUTCOME_TYPE  # documents take a while to load
    from bin.asyncapi import asyncapi as asyncapi_document
    from bin.documents import as_text, documents
    from bin.message_reference import message_reference
    from bin.schemas import schemas

    if into is not None:
        for path, text in documents().items():
            file = into / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            print(file)
    elif markdown:
        print(message_reference(), end="")
    elif asyncapi:
        print(as_text(asyncapi_document()), end="")
    elif message_type is not None:
        name = _message_type(message_type, (*COMMANDS, OUTCOME_TYPE))
        print(as_text(schemas()[name]), end="")


def _list_types() -> None:
    wide = max(map(len, COMMANDS))
    for name, command in COMMANDS.items():
        print(f"{name:{wide}}  {(command.__doc__ or '').splitlines()[0]}")


def _message_type(text: str, among: Collection[str] = COMMANDS) -> str:
    for name in (text, f"verbale.{text}.v1", f"verbale.{text}"):
        if name in among:
            return name
    raise BadQuestion(f"no message type is called {text}: verbale schema lists them")
