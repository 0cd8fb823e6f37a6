"""Outcomes on the wire: what a producer gets for its message, as a CloudEvent."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from adapters.inbox.messages import is_label
from adapters.inbox.outcomes import Done, Duplicate, Refused, Reply, Waiting
from adapters.store.records import OutboxMessage
from domain.values import instant_text

OUTCOME_TYPE: Final = "verbale.outcome.v1"
LONGEST_QUOTED = 2_000


class Whose(TypedDict):
    """Which message: its source and id or, where these could not be read, the SHA-256 of its bytes in hexadecimal."""

    source: NotRequired[str]
    id: NotRequired[str]
    sha256: NotRequired[str]


class DoneData(Whose):
    """The message is recorded: as which version of which stream, as which leaf of the ledger."""

    outcome: Literal["done"]
    stream: str
    version: int
    leaf: int


class DuplicateData(Whose):
    """This message, or another that said the same, was recorded before; no version where it added no fact."""

    outcome: Literal["duplicate"]
    stream: str
    version: int | None
    leaf: int | None


class RefusedData(Whose):
    """The message is not recorded, by which clause, and what to do; "" is the field where the whole is at fault."""

    outcome: Literal["refused"]
    clause: str
    field: str
    reason: str


class WaitingData(Whose):
    """The message is kept until the stream that it waits for is there; another outcome follows."""

    outcome: Literal["waiting"]
    stream: str
    reason: str


OutcomeData = DoneData | DuplicateData | RefusedData | WaitingData


class OutcomeEvent(TypedDict):
    """What became of a message, as a CloudEvent."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: Literal["verbale.outcome.v1"]
    time: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    data: OutcomeData


def outcome_data(reply: Reply) -> OutcomeData:
    """The data of an outcome event: which message, the outcome, and its details.

    A message whose source or id could not be read is named by the SHA-256 of its bytes.
    """
    whose = _whose(reply)
    match reply.outcome:
        case Done(stream, version, leaf):
            return DoneData({**whose, "outcome": "done", "stream": stream, "version": version, "leaf": leaf})
        case Duplicate(stream) as first:
            return DuplicateData(
                {**whose, "outcome": "duplicate", "stream": stream, "version": first.version, "leaf": first.leaf}
            )
        case Refused(clause, field, reason):
            return RefusedData(
                {**whose, "outcome": "refused", "clause": clause, "field": _short(field), "reason": _short(reason)}
            )
        case Waiting(stream, reason):
            return WaitingData({**whose, "outcome": "waiting", "stream": stream, "reason": reason})


def _whose(reply: Reply) -> Whose:
    source, message_id = reply.identity or ("", "")
    if is_label(source) and is_label(message_id):
        return {"source": source, "id": message_id}
    named: Whose = {"source": source} if is_label(source) else {}
    return {**named, "sha256": sha256(reply.raw).hexdigest()}


def _short(text: str) -> str:
    """A text that quotes a message, short enough for any broker: an outcome too long could never be published."""
    return text if len(text) <= LONGEST_QUOTED else f"{text[:LONGEST_QUOTED]}... ({len(text)} characters)"


def outcome_schema() -> dict[str, Any]:
    """The JSON Schema of an outcome as it is published."""
    shape = TypeAdapter(OutcomeEvent).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **shape, "title": OUTCOME_TYPE}


def outbox_writer(ledger: str, now: Callable[[], int]) -> Callable[[Reply], OutboxMessage]:
    """A function that writes replies of a ledger as messages of its outbox; `now` gives microseconds UTC."""

    def write(reply: Reply) -> OutboxMessage:
        data, at = outcome_data(reply), instant_text(now())
        name = data.get("sha256") or f"{data['source']}/{data['id']}"
        event: OutcomeEvent = {
            "specversion": "1.0",
            "id": f"{name}/{data['outcome']}/{at}",
            "source": f"verbale:{ledger}",
            "type": OUTCOME_TYPE,
            "time": at,
            "data": data,
        }
        return OutboxMessage(data.get("source"), json.dumps(event).encode())

    return write
