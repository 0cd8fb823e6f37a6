"""Which source the bearer of a token writes as."""

import asyncio
import time

from adapters.inbox.batcher import Batcher
from bin.tokens import digest_of

REMEMBERED_SECONDS = 2.0
"""For which a revoked token may still be taken."""


class Bearers:
    """The source of each token, read from the store at most once in REMEMBERED_SECONDS."""

    def __init__(self, batcher: Batcher) -> None:
        self._batcher = batcher
        self._sources: dict[bytes, str] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def source(self, token: str) -> str | None:
        """The source that the bearer of a token writes as; None for an unknown or revoked token. Raises StoreError."""
        async with self._reading:
            if time.monotonic() - self._read_at > REMEMBERED_SECONDS:
                tokens = await self._batcher.in_handler_thread(self._batcher.ledger.store.tokens)
                self._sources = {one.digest: one.source for one in tokens if one.revoked_at is None}
                self._read_at = time.monotonic()
        return self._sources.get(digest_of(token))
