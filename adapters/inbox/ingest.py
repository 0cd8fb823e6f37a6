"""Ingest: many messages in, batch by batch, and a tally of their outcomes."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO, NamedTuple

from adapters.inbox.handler import CommandHandler
from adapters.inbox.outcomes import Refused, outcome_name
from adapters.store.ledger import Ledger

BATCH = 500
LONGEST_LINE = 64_000_000


class Line(NamedTuple):
    """A message as it was received, and where it stands: "file.jsonl:12"."""

    where: str
    raw: bytes


class RefusedLine(NamedTuple):
    """A refused message, where it stands, and why it is refused."""

    where: str
    raw: bytes
    refused: Refused


@dataclass
class Tally:
    """The outcomes of the messages taken in, and of earlier ones that they woke or that have waited too long."""

    outcomes: Counter[str] = field(default_factory=Counter)
    woken: Counter[str] = field(default_factory=Counter)
    expired: int = 0
    refused: list[RefusedLine] = field(default_factory=list)

    @property
    def messages(self) -> int:
        """How many were taken in."""
        return self.outcomes.total()


def read_lines(file: BinaryIO, name: str) -> Iterator[Line]:
    """The messages of a JSON Lines file. Blank lines are skipped.

    A line longer than any message is kept for its refusal, up to LONGEST_LINE bytes.
    """
    number = 0
    while raw := file.readline(LONGEST_LINE):
        number += 1
        whole = raw.rstrip(b"\r\n")
        while not raw.endswith(b"\n") and (raw := file.readline(LONGEST_LINE)):
            continue
        if number == 1:
            whole = whole.removeprefix(b"\xef\xbb\xbf")
        if whole.strip():
            yield Line(f"{name}:{number}", whole)


def written(messages: Iterable[dict[str, Any]], name: str) -> Iterator[Line]:
    """Messages made by this program, as lines."""
    for message in messages:
        yield Line(f"{name}: {message['id']}", json.dumps(message, ensure_ascii=False).encode())


def pass_over_recorded(ledger: Ledger, messages: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """The messages whose id is not recorded yet, and the number of the others.

    For messages about contracts that this program makes: made again, the same id may have other content (another first
    day of a log, a newer library of holidays), and what is recorded stays.
    """
    given = list(messages)
    recorded = ledger.store.receipts([(message["source"], message["id"]) for message in given])
    fresh = [message for message in given if (message["source"], message["id"]) not in recorded]
    return fresh, len(given) - len(fresh)


def take_in(
    handler: CommandHandler, lines: Iterable[Line], on_progress: Callable[[int], None] = lambda _: None
) -> Tally:
    """Handle lines, a batch in each transaction; `on_progress` is called with the number of lines handled so far.

    Raises StoreError where the store cannot take them: what earlier batches recorded stays.
    """
    tally = Tally()
    rest = iter(lines)
    while batch := list(islice(rest, BATCH)):
        answered = handler.handle([line.raw for line in batch])
        for line, outcome in zip(batch, answered.outcomes, strict=True):
            tally.outcomes[outcome_name(outcome)] += 1
            if isinstance(outcome, Refused):
                tally.refused.append(RefusedLine(line.where, line.raw, outcome))
        tally.woken.update(outcome_name(reply.outcome) for reply in answered.woken)
        tally.expired += len(answered.expired)
        for reply in answered.expired:
            if isinstance(reply.outcome, Refused):
                tally.refused.append(RefusedLine("kept", reply.raw, reply.outcome))
        on_progress(tally.messages)
    return tally
