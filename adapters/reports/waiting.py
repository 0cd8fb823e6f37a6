"""The messages that wait for the incident or the contract they belong to, and until when they do (R4)."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from adapters.reports.columns import Column, instant, text
from adapters.reports.refused import SOURCE, foreign
from adapters.reports.report import Definition
from adapters.reports.screen import ScreenColumn, at
from adapters.reports.wording import visible
from adapters.store.records import Deferred
from domain.values import HOUR


class WaitingMessage(NamedTuple):
    """A message that waits; `until` in microseconds UTC, `type` None where it cannot be read."""

    message: Deferred
    until: int
    type: str | None


def waiting_messages(
    waiting: Iterable[Deferred], patience_hours: int, type_of: Callable[[bytes], str | None]
) -> list[WaitingMessage]:
    """A row for each message; `type_of` gives the type of a message, None where it cannot be read."""
    return [
        WaitingMessage(deferred, deferred.since + patience_hours * HOUR, type_of(deferred.raw)) for deferred in waiting
    ]


COLUMNS: tuple[Column[WaitingMessage], ...] = (
    instant("since", "since when it waits", lambda row: row.message.since),
    instant("until", "when it will be refused", lambda row: row.until),
    text("stream", "the stream that it waits for", lambda row: row.message.stream),
    text("source", "its source", lambda row: row.message.identity[0]),
    text("id", "its id", lambda row: row.message.identity[1]),
    text("type", "its type", lambda row: row.type, optional=True),
    text("reason", "why it waits", lambda row: row.message.reason),
)

REPORT = Definition(
    name="waiting",
    title="Waiting messages",
    columns=COLUMNS,
    screen=(
        at("since", "since"),
        at("until", "until"),
        foreign("stream", "waits for"),
        SOURCE,
        foreign("id"),
        foreign("type"),
        ScreenColumn("why", lambda row, writing: visible(writing.say.sentence(row["reason"]))),
    ),
    empty="No message waits.",
)
