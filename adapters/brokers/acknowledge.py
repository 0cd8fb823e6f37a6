"""Acknowledgement: a batch is handled, its outcomes are published and confirmed, and only then is it acknowledged.

What is not acknowledged is delivered again, and answered as a duplicate.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from adapters.brokers.address import BrokerError
from adapters.inbox.batcher import Stopping
from adapters.retries import LONGEST_PAUSE, pause_unless, until_it_answers
from adapters.store.records import OutboxMessage

Handler = Callable[[Sequence[bytes]], Awaitable[Sequence[OutboxMessage]]]
"""Takes messages, returns their outcomes. Raises Stopping where they will not be handled any more."""


class Acknowledging:
    """Acknowledges batches or, once we are stopping, gives them back. `on_trouble` gets every error."""

    def __init__(
        self,
        handler: Handler,
        send: Callable[[Sequence[OutboxMessage]], Awaitable[None]],
        on_trouble: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self._handler, self._send, self.on_trouble = handler, send, on_trouble
        self._in_hand = 0
        self._stopping, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()

    async def process(
        self,
        raws: Sequence[bytes],
        acknowledge: Callable[[], Awaitable[Any]],
        give_back: Callable[[], Awaitable[Any]],
    ) -> None:
        """Handle one batch, and acknowledge it or give it back. Raises nothing: `on_trouble` gets the error."""
        self._in_hand += 1
        self._idle.clear()
        try:
            await (acknowledge() if await self._handled(raws) else give_back())
        except Exception as error:  # the broker went away meanwhile: it delivers the batch again
            self.on_trouble(error)
        finally:
            self._in_hand -= 1
            if not self._in_hand:
                self._idle.set()

    @property
    def stopping(self) -> bool:
        """Whether no other batch is begun."""
        return self._stopping.is_set()

    async def hold_when_stopping(self) -> None:
        """Return at once; once we are stopping, never, so that a subscription that waits for this fetches no more."""
        if self.stopping:
            await asyncio.Event().wait()

    async def stop(self) -> None:
        """Begin no other batch, and wait until those in hand are acknowledged or given back.

        A batch that is delivered later is given back; a broker's own `stop` makes sure that none is while it closes
        its connection.
        """
        self._stopping.set()
        await self._idle.wait()

    async def pause(self, seconds: float) -> None:
        """Wait for so long, or until we are stopping."""
        await pause_unless(self._stopping, seconds)

    async def _handled(self, raws: Sequence[bytes]) -> bool:
        """Whether a batch is handled and its outcomes are published, however long the broker is away."""
        if self.stopping:
            return False
        try:
            outcomes = await self._handler(raws)
            await until_it_answers(BrokerError, self.on_trouble, self._stopping)(self._send, outcomes)
        except (Stopping, BrokerError):  # a BrokerError only once we are stopping: until then it is tried again
            return False
        except Exception as error:  # a fault of ours: the batch is delivered again, but not in a hot loop
            self.on_trouble(error)
            await self.pause(LONGEST_PAUSE)
            return False
        return True
