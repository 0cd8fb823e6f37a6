"""The wire: CloudEvents 1.0 JSON in, commands out. Nothing is recorded here, and nothing unreadable gets further.

A message is identified for ever by `source` and `id`; `type` is the command, `subject` the stream, `time` the instant
the fact occurred, `data` the fields, `actor` (an extension) who acted. Rules of the record cited here: R1 form, R3
instants.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, JsonValue, StringConstraints, ValidationError
from pydantic_core import ErrorDetails, to_json

from adapters.store.leaf import canonical
from domain.catalogue import COMMANDS
from domain.facts import Command, Rejected
from domain.streams import split_stream
from domain.values import WIRE, Identifier, Instant, Value

MOST_BYTES = 1_000_000
"""The longest message read, in bytes: a typical message has a few hundred."""
MOST_VALUES = 10_000
"""Most values in one message, estimated by its commas; validating a million would take seconds."""
MOST_BYTES_OF_IDENTITY = 2_000
"""Source and id together: stores find messages by both, and PostgreSQL has an index for no more than 2,700 bytes."""

_LABEL = re.compile(r"[^\x00-\x1f\x7f]{1,500}")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
STREAM_KINDS = ("contract", "credits", "incident")

LONGEST_LABEL = 500
Label = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_LABEL, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""An attribute of the envelope: longer than any name within it."""


def is_label(text: str) -> bool:
    """Whether a text could be the source or the id of a message."""
    return _LABEL.fullmatch(text) is not None


class CloudEvent(Value):
    """The envelope of a message; extensions that travel with CloudEvents are accepted and not used."""

    model_config = ConfigDict(title="CloudEvent")

    specversion: Literal["1.0"]
    id: Label
    source: Label
    type: Label
    subject: Label
    time: Instant
    data: dict[str, JsonValue] = Field(default_factory=dict)
    actor: Identifier | None = None
    datacontenttype: Literal["application/json"] | None = None
    dataschema: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None
    partitionkey: str | None = None
    sequence: str | None = None
    sequencetype: str | None = None
    recordedtime: Instant | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was read: its identity, stream and command, and the digest of its content."""

    id: str
    source: str
    stream: str
    command: Command
    actor: str | None
    digest: bytes
    raw: bytes
    sequence: int | None = None
    """The number that its source gave it, where it numbers its messages."""
    recordedtime: int | None = None
    """When the source itself recorded the fact (microseconds UTC), where it says so."""

    @property
    def identity(self) -> tuple[str, str]:
        """Source and id."""
        return self.source, self.id

    @property
    def name(self) -> str:
        """The name of the contract, account or incident that the stream is about."""
        return split_stream(self.stream).id


class Unreadable(Rejected):
    """A message refused for its form; `identity` is given where that much could be read."""

    def __init__(self, field: str, reason: str, identity: tuple[str, str] | None = None) -> None:
        super().__init__("R1", field, reason)
        self.identity = identity


def source_named(raw: bytes) -> str | None:
    """The source that a message names; None where none can be read, in which case it is refused as nobody's."""
    try:
        document = read_json(raw)
    except Unreadable:
        return None
    source = document.get("source") if isinstance(document, dict) else None
    return source if isinstance(source, str) else None


def read_message(raw: bytes) -> Message:
    """The message in `raw`, one CloudEvent as JSON text in UTF-8. Raises Unreadable, naming the field at fault."""
    document = read_json(raw)
    if not isinstance(document, dict):
        raise Unreadable("", "a message is a JSON object (a CloudEvent): this is not one")
    identity = _identity(document)
    if raw.count(b",") > MOST_VALUES:
        raise Unreadable("", f"a message of more than {MOST_VALUES:,} values (commas): send several messages", identity)
    if "specversion" not in document:
        raise Unreadable("specversion", 'JSON, but no CloudEvent: it has no "specversion"', identity)
    try:
        event = CloudEvent.model_validate_json(raw, strict=True, context=WIRE)
    except ValidationError as error:
        raise Unreadable(*_first_fault(error, ""), identity) from None
    if len(f"{event.source}{event.id}".encode()) > MOST_BYTES_OF_IDENTITY:
        reason = f"source and id have more than {MOST_BYTES_OF_IDENTITY:,} bytes together: give shorter ones"
        raise Unreadable("id", reason, identity)
    kind = _command_type(event, identity)
    if "at" in event.data:
        raise Unreadable("data.at", "the instant of the fact is the message's time: data has no field at", identity)
    try:
        text = to_json({**event.data, "at": document["time"]})
        command = kind.model_validate_json(text, strict=True, context=WIRE)
    except ValidationError as error:
        raise Unreadable(*_first_fault(error, "data."), identity) from None
    digest = _digest(event, command)
    number = _sequence(event.sequence, event.sequencetype)
    return Message(event.id, event.source, event.subject, command, event.actor, digest, raw, number, event.recordedtime)


def sequence_of_unreadable(raw: bytes) -> int | None:
    """The sequence number of a message refused for its form: it was received, so it is not missing."""
    try:
        document = read_json(raw)
    except Unreadable:
        return None
    return _sequence(document.get("sequence"), document.get("sequencetype")) if isinstance(document, dict) else None


def _sequence(number: object, kind: object) -> int | None:
    """CloudEvents' extension, where it holds whole numbers; other orders have no gaps that could be seen."""
    text = number if isinstance(number, str) and kind in (None, "Integer") else ""
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else None


def _digest(event: CloudEvent, command: Command) -> bytes:
    """SHA-256 of the content (type, subject, time, data, actor), however a producer spelled it."""
    content: dict[str, object] = {
        "actor": event.actor,
        "data": command.model_dump(mode="json"),
        "subject": event.subject,
        "type": event.type,
    }
    return sha256(canonical(content)).digest()


def read_json(raw: bytes) -> JsonValue:
    """The JSON in `raw`: UTF-8, no key twice, no NaN. Raises Unreadable."""
    if len(raw) > MOST_BYTES:
        raise Unreadable("", f"a message of {len(raw)} bytes: the longest read has {MOST_BYTES}")
    try:
        document: JsonValue = _STRICT.decode(raw.decode())
        if b"\\u" in raw:  # only an escape can hold half of a character
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeError:
        raise Unreadable("", "not UTF-8 text") from None
    except RecursionError:
        raise Unreadable("", "JSON nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Unreadable("", f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except ValueError as error:
        raise Unreadable("", f"not JSON: {error}") from None
    return document


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


_STRICT = json.JSONDecoder(object_pairs_hook=_no_key_twice, parse_constant=_no_constant)


def _identity(document: dict[str, JsonValue]) -> tuple[str, str] | None:
    source, name = document.get("source"), document.get("id")
    return (source, name) if isinstance(source, str) and isinstance(name, str) else None


def _command_type(event: CloudEvent, identity: tuple[str, str] | None) -> type[Command]:
    kind = COMMANDS.get(event.type)
    if kind is None:
        raise Unreadable("type", f"no message type is called {event.type}: verbale schema lists them", identity)
    stream_kind, name = split_stream(event.subject)
    wanted = event.type.split(".")[1]
    expected = STREAM_KINDS if wanted == "record" else (wanted,)
    if stream_kind not in expected or not name:
        forms = " or ".join(f"{one}-ID" for one in expected)
        raise Unreadable("subject", f"the subject of {event.type} is {forms}, not {event.subject}", identity)
    return kind


def _first_fault(error: ValidationError, prefix: str) -> tuple[str, str]:
    (field, what), *others = (_fault(details, prefix) for details in error.errors(include_url=False)[:3])
    rest = "".join(f"; {other}: {fault}" for other, fault in others)
    more = f"; and {error.error_count() - 3} more" if error.error_count() > 3 else ""
    return field, f"{field}: {what}{rest}{more}"


def _fault(details: ErrorDetails, prefix: str) -> tuple[str, str]:
    path = ".".join(str(part) for part in details["loc"])
    field = "time" if prefix and path == "at" else f"{prefix}{path}".rstrip(".")
    words = {"missing": "missing", "extra_forbidden": "no such field here"}
    return field or "data", words.get(details["type"], details["msg"].removeprefix("Value error, "))


def schema(message_type: str) -> dict[str, Any]:
    """The JSON Schema of one type of message, envelope and data. Raises KeyError where there is no such type."""
    command = COMMANDS[message_type].model_json_schema()
    definitions = command.pop("$defs", {})
    time = command["properties"].pop("at")
    command["required"] = [name for name in command.get("required", []) if name != "at"]
    event = CloudEvent.model_json_schema()
    wanted = message_type.split(".")[1]
    kinds = STREAM_KINDS if wanted == "record" else (wanted,)
    event["properties"] |= {
        "type": {"const": message_type},
        "subject": {"type": "string", "pattern": f"^({'|'.join(kinds)})-."},
        "time": {**time, "title": "Time", "description": "When the fact occurred."},
        "data": {key: value for key, value in command.items() if key != "description"},
    }
    required = {*event["required"], "data"} if command["required"] else set(event["required"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **event,
        "required": sorted(required),
        "title": message_type,
        "description": command.get("description", ""),
        "$defs": definitions,
    }


def cloud_event(
    kind: str,
    name: str,
    verb: str,
    at: str,
    data: dict[str, Any],
    *,
    source: str,
    message_id: str,
    recorded: str | None = None,
) -> dict[str, Any]:
    """A message made here: `kind` and `name` give its subject, `verb` its type, `at` (RFC 3339) its time.

    `recorded`: when the source itself recorded the fact, where an export of it says so.
    """
    message = {
        "specversion": "1.0",
        "id": message_id,
        "source": source,
        "type": f"verbale.{kind}.{verb}.v1",
        "subject": f"{kind}-{name}",
        "time": at,
        "data": data,
    }
    return message if recorded is None else {**message, "recordedtime": recorded}


@cache
def examples() -> dict[str, dict[str, Any]]:
    """A complete message of each type, by type."""
    text = files("adapters.inbox").joinpath("examples.json").read_text(encoding="utf-8")
    return {message["type"]: message for message in json.loads(text)}
