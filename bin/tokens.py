"""Who may post over HTTP: tokens, each of which writes as one source; only their digests are kept."""

import asyncio
import time
from hashlib import sha256

from adapters.reception import Reception

PREFIX = "vbl_"
"""Lets people and scanners of leaked secrets see what it is."""
BYTES = 32
SHOWN_DIGITS = 8
REMEMBERED_SECONDS = 2.0
"""For which a revoked token may still be taken."""


def digest_of(token: str) -> bytes:
    """What is kept of a token: its SHA-256, which is enough where a token is 32 random bytes."""
    return sha256(token.encode()).digest()


class Bearers:
    """Who bears which token, as the store says, remembered for a moment."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._sources: dict[bytes, str] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def source(self, token: str) -> str | None:
        """The source that the bearer of a token writes as; None where it may not. Raises StoreError."""
        async with self._reading:
            if time.monotonic() - self._read_at > REMEMBERED_SECONDS:
                tokens = await self._reception.in_desk_thread(self._reception.ledger.store.tokens)
                self._sources = {one.digest: one.source for one in tokens if one.revoked_at is None}
                self._read_at = time.monotonic()
        return self._sources.get(digest_of(token))
