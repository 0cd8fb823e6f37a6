"""Messages that this program makes about contracts and about the record itself: each has an id made from its content.

So telling the same again changes nothing.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from adapters.inbox.messages import cloud_event
from domain.streams import split_stream


def message_of(
    source: str, kind: str, name: str, verb: str, at: str, data: Mapping[str, Any], identified_by: object = None
) -> dict[str, Any]:
    """A message to the stream `kind`-`name`; `identified_by` is the content where that may come out otherwise again."""
    said = dict(data)
    message_id = _id(name, verb, {"at": at, **said} if identified_by is None else identified_by)
    return cloud_event(kind, name, verb, at, said, source=source, message_id=message_id)


def record_message(source: str, stream: str, act: str, at: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Says something of facts of any stream: `act` is annul, agree or rectify."""
    message = message_of(source, *split_stream(stream), act, at, data)
    message_id = _id(stream, act, {"at": at, **data})  # a contract and a request may have one name
    return {**message, "id": message_id, "type": f"verbale.record.{act}.v1"}


def _id(named: str, verb: str, content: object) -> str:
    return f"{named}:{verb}:{sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]}"
