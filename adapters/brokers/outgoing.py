"""What is published: messages to their subjects, and outcomes in arrays, each array for one source.

Outcomes are always published as an array (CloudEvents, JSON batch format), also where there is only one.
"""

import asyncio
import json
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from adapters.brokers.address import BrokerAddress
from adapters.brokers.subjects import NONE, PREFIX, message_subject, token
from adapters.store.records import OutboxMessage
from domain.catalogue import COMMANDS
from domain.streams import split_stream

MESSAGE_TYPE, OUTCOMES_TYPE = "application/cloudevents+json", "application/cloudevents-batch+json"
"""The content types of a message and of an array of outcomes."""
MOST_BYTES = 256_000
"""Of an array of outcomes; brokers take at least a megabyte."""
PUBLISHED_AT_ONCE = 256
"""Messages on their way to a broker that have not been confirmed yet."""


class Outgoing(NamedTuple):
    """A message to be published: its subject, and its stream as key, for brokers that keep order by key."""

    subject: str
    key: str
    body: bytes


def addressed(ledger: str, raw: bytes) -> Outgoing:
    """A message with its subject. What cannot be read is published too: the command handler refuses it, not we."""
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        event = {}
    stream = event["subject"] if isinstance(event.get("subject"), str) else ""
    message_type = event.get("type")
    if not (isinstance(message_type, str) and message_type in COMMANDS):
        return Outgoing(f"{PREFIX}.{token(ledger)}.{NONE}.{NONE}.{NONE}", stream, raw)
    return Outgoing(message_subject(ledger, _contract(stream, event.get("data")), message_type), stream, raw)


def _contract(stream: str, data: Any) -> str | None:
    kind, name = split_stream(stream)
    if kind in ("contract", "credits"):
        return name or None
    contract = data.get("contract") if isinstance(data, dict) else None
    return contract if isinstance(contract, str) and contract else None


def bundles(outcomes: Iterable[OutboxMessage]) -> Iterator[tuple[str | None, bytes]]:
    """Outcomes as they are published: for each source, arrays of its outcomes in their order, each of bounded size."""
    by_source: dict[str | None, list[bytes]] = {}
    for outcome in outcomes:
        by_source.setdefault(outcome.source, []).append(outcome.body)
    for source, bodies in by_source.items():
        yield from ((source, b"[" + b",".join(some) + b"]") for some in _parts(bodies))


def _parts(bodies: Sequence[bytes]) -> Iterator[list[bytes]]:
    some: list[bytes] = []
    size = 0
    for body in bodies:
        if some and size + len(body) > MOST_BYTES:
            yield some
            some, size = [], 0
        some.append(body)
        size += len(body) + 1
    yield some


async def confirmed(publishing: Iterable[Awaitable[Any]], address: BrokerAddress, *failures: type[Exception]) -> None:
    """Return once the broker has confirmed everything, or raise BrokerError; `failures` are its client's errors.

    A client that loses its connection may also cancel what it has not confirmed, or fail it with a bare Exception
    (aiormq does both). Were such a cancellation passed on, it would end the task that takes messages.
    """
    rest = iter(publishing)
    while some := list(islice(rest, PUBLISHED_AT_ONCE)):
        for result in await asyncio.gather(*some, return_exceptions=True):
            if isinstance(result, asyncio.CancelledError) or type(result) is Exception:
                raise address.refused("the connection ended before everything was confirmed")
            if isinstance(result, failures):
                raise address.refused(result)
            if isinstance(result, BaseException):
                raise result
