"""Outcomes on the wire: what a producer hears of its message, as a CloudEvent."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from adapters.desk import Done, Duplicate, Refused, Reply, Waiting, outcome_name
from adapters.ledger import Letter
from adapters.messages import is_label
from domain.facts import instant_text

OUTCOME_TYPE = "verbale.outcome.v1"


def told(reply: Reply) -> dict[str, Any]:
    """What became of a message: whose it is, the outcome, and what there is to know of it.

    A message whose source and id could not be read is known by the SHA-256 of its bytes.
    """
    source, message_id = reply.identity or (None, None)
    known = {"source": source, "id": message_id} if reply.identity else {"sha256": sha256(reply.raw).hexdigest()}
    return {**known, "outcome": outcome_name(reply.outcome), **_details(reply)}


def _details(reply: Reply) -> dict[str, Any]:
    match reply.outcome:
        case Done(stream, version, leaf) | Duplicate(stream, version, leaf):
            return {"stream": stream, "version": version, "leaf": leaf}
        case Refused(clause, field, reason):
            return {"clause": clause, "field": field, "reason": reason}
        case Waiting(stream, reason):
            return {"stream": stream, "reason": reason}


def letters(ledger: str, now: Callable[[], int]) -> Callable[[Reply], Letter]:
    """Writes replies of a ledger as letters; `now` gives microseconds UTC."""

    def write(reply: Reply) -> Letter:
        said, at = told(reply), instant_text(now())
        name = f"{said['source']}/{said['id']}" if reply.identity else said["sha256"]
        event = {
            "specversion": "1.0",
            "id": f"{name}/{said['outcome']}/{at}",
            "source": f"verbale:{ledger}",
            "type": OUTCOME_TYPE,
            "time": at,
            "data": said,
        }
        readable = reply.identity is not None and is_label(reply.identity[0])
        return Letter(reply.identity[0] if readable and reply.identity else None, json.dumps(event).encode())

    return write
