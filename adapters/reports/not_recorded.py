"""The messages that are not recorded, by the contract that they are about: a figure may yet move by them."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from adapters.store.ledger import Ledger
from domain.streams import split_stream


class NotRecorded(NamedTuple):
    """How many messages of one contract wait, and how many are refused."""

    waiting: int = 0
    refused: int = 0


NOTHING_KEPT = NotRecorded()


def not_recorded(ledger: Ledger, contract_of: Callable[[str], str | None]) -> Mapping[str, NotRecorded]:
    """The messages kept, by contract; `contract_of` gives that of a request on record.

    What names neither a contract nor such a request is nobody's, and is left out. Raises StoreError.
    """
    found: dict[str, NotRecorded] = defaultdict(NotRecorded)
    kept = ledger.store.counts()
    for deferred in ledger.store.all_waiting() if kept["waiting"] else ():
        if (name := _contract(deferred.raw, contract_of)) is not None:
            found[name] = found[name]._replace(waiting=found[name].waiting + 1)
    for row in ledger.store.refused() if kept["refused"] else ():
        if (name := _contract(row.message.raw, contract_of)) is not None:
            found[name] = found[name]._replace(refused=found[name].refused + 1)
    return found


def _contract(raw: bytes, contract_of: Callable[[str], str | None]) -> str | None:
    """The contract that a message is about, as far as can be read."""
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    subject = message.get("subject") if isinstance(message, dict) else None
    if not isinstance(subject, str):
        return None
    kind, name = split_stream(subject)
    if kind in ("contract", "credits"):
        return name
    data = message.get("data")
    named = data.get("contract") if isinstance(data, dict) else None
    return named if isinstance(named, str) else contract_of(name)
