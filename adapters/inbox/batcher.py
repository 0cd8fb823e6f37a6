"""The batcher: messages in, replies out, wherever they come from. Rule of the record cited here: R6 faults of our own.

The command handler runs in a thread of its own, and handles one batch at a time. Messages that arrive one by one (over
HTTP, from brokers without batches) are gathered: those that arrive while one batch is being recorded make the next.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar, TypeVarTuple, Unpack

from adapters.inbox.handler import CommandHandler
from adapters.inbox.ingest import BATCH
from adapters.inbox.outcomes import Answered, Reply, fault_of_ours
from adapters.retries import until_it_answers
from adapters.store.errors import StoreError
from adapters.store.ledger import Ledger
from adapters.store.records import OutboxEntry

Given = TypeVarTuple("Given")
Returned = TypeVar("Returned")


@dataclass(frozen=True, slots=True)
class Handled:
    """A batch that was recorded, and how long that took."""

    answered: Answered
    seconds: float


class Stopping(Exception):
    """The store cannot take a batch, and we are stopping: the batch is given back to the broker."""


class Batcher:
    """Gives messages to the command handler, in batches.

    `on_handled` is called with every batch, `on_trouble` with the error of every attempt that failed.
    """

    def __init__(
        self,
        handler: CommandHandler,
        on_handled: Callable[[Handled], None] = lambda _: None,
        on_trouble: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self._handler = handler
        self._on_handled, self._on_trouble = on_handled, on_trouble
        self._thread = ThreadPoolExecutor(1, "handler")
        self._gathered: list[tuple[bytes, asyncio.Future[Reply]]] = []
        self._gathering: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    @property
    def ledger(self) -> Ledger:
        """The log in which the handler records."""
        return self._handler.ledger

    async def receive(self, raws: Sequence[bytes]) -> list[Reply]:
        """The replies to a batch, once it is recorded. Raises StoreError where the store cannot take it."""
        handled = await self.in_handler_thread(self._handle, raws)
        self._on_handled(handled)
        return handled.answered.replies

    async def receive_patiently(self, raws: Sequence[bytes]) -> list[Reply]:
        """The replies to a batch, however long the store is away. Raises Stopping once `stop` was called."""
        try:
            return await until_it_answers(StoreError, self._on_trouble, self._stopping)(self.receive, raws)
        except StoreError:
            raise Stopping from None

    async def receive_one(self, raw: bytes) -> Reply:
        """The reply to one message, recorded together with others that arrive at the same time. Raises StoreError."""
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._gathered.append((raw, reply))
        if self._gathering is None:
            self._gathering = asyncio.create_task(self._gather())
        return await reply

    async def _gather(self) -> None:
        while self._gathered:
            batch, self._gathered = self._gathered[:BATCH], self._gathered[BATCH:]
            try:
                replies = await self.receive([raw for raw, _ in batch])
            except Exception as error:
                for _, waiting in batch:
                    if not waiting.done():
                        waiting.set_exception(error)
            else:
                for (_, waiting), reply in zip(batch, replies, strict=True):
                    if not waiting.done():  # the sender may have gone away
                        waiting.set_result(reply)
        self._gathering = None

    async def expire(self) -> None:
        """Refuse what has waited too long: every batch does so, this one without messages. Raises StoreError."""
        await self.receive([])

    async def outbox(self, limit: int) -> list[OutboxEntry]:
        """The oldest outcomes still to be published. Raises StoreError."""
        return await self.in_handler_thread(self.ledger.store.outbox, limit)

    async def published(self, numbers: Sequence[int]) -> None:
        """Remove published outcomes from the outbox. Raises StoreError."""
        await self.in_handler_thread(self.ledger.store.published, numbers)

    async def in_handler_thread(self, function: Callable[[Unpack[Given]], Returned], *arguments: *Given) -> Returned:
        """Call a function in the thread of the handler, the only one that may use the handler and the store."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    async def with_handler(
        self, function: Callable[[CommandHandler, Unpack[Given]], Returned], *arguments: *Given
    ) -> Returned:
        """Call a function in that thread, with the handler as its first argument."""
        return await self.in_handler_thread(function, self._handler, *arguments)

    def stop(self) -> None:
        """Wait no longer for a store that is away."""
        self._stopping.set()

    def close(self) -> None:
        """Finish the batch in hand, and take no other."""
        self._thread.shutdown(wait=True)

    def _handle(self, raws: Sequence[bytes]) -> Handled:
        began = time.perf_counter()
        answered = self._handle_despite_faults(raws)
        return Handled(answered, time.perf_counter() - began)

    def _handle_despite_faults(self, raws: Sequence[bytes]) -> Answered:
        """Handle a batch; where a fault of ours fails one message, refuse that one and handle the others."""
        try:
            return self._handler.handle(raws)
        except StoreError:
            raise
        except Exception as error:
            self._on_trouble(error)
            if len(raws) <= 1:
                return Answered([self._handler.refuse(raw, fault_of_ours(error)) for raw in raws], [], [])
        half = len(raws) // 2
        first, rest = self._handle_despite_faults(raws[:half]), self._handle_despite_faults(raws[half:])
        return Answered(first.replies + rest.replies, first.woken + rest.woken, first.expired + rest.expired)
