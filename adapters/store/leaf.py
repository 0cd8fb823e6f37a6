"""The seal of a recorded fact: what Verbale adds to it, and the leaf hash that commits to all of it.

leaf = SHA-256(0x00 || envelope), as in RFC 6962. The envelope is canonical JSON (RFC 8785) of strings, integers, null
and lists only, so sorted keys without spaces are all that canonical form asks for.
"""

import json
from dataclasses import dataclass
from hashlib import sha256

from pydantic_core import to_json

_SORTED = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
SEAL_VERSION = 1
LEAF_PREFIX = b"\x00"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a fact comes from: its contract (or none), and the message, source and actor that reported it."""

    contract: str | None
    source: str
    message: str
    actor: str | None


def leaf_hash(
    origin: Origin,
    *,
    ledger: str,
    stream: str,
    version: int,
    stored_type: str,
    state: bytes,
    at: int,
    position: int,
    leaf: int,
    recorded_at: int,
) -> bytes:
    """The 32-byte hash of a leaf. Instants in microseconds UTC; `state` are the stored bytes themselves."""
    envelope: dict[str, object] = {
        "actor": origin.actor,
        "at": at,
        "contract": origin.contract,
        "leaf": leaf,
        "ledger": ledger,
        "message": origin.message,
        "position": position,
        "private": [],
        "recorded_at": recorded_at,
        "seal": SEAL_VERSION,
        "source": origin.source,
        "state": sha256(state).hexdigest(),
        "stream": stream,
        "type": stored_type,
        "version": version,
    }
    # The keys are in order as written above: this is the canonical form, many times faster than by sorting.
    return sha256(LEAF_PREFIX + to_json(envelope)).digest()


def canonical(content: dict[str, object]) -> bytes:
    """RFC 8785 bytes of an object of strings, integers, null and lists with ASCII keys."""
    return _SORTED.encode(content).encode()
