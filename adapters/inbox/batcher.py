"""The reception: messages in, replies out, whatever brought them. Rule of the record cited here: R6 faults of our own.

The desk sits in a thread of its own, and takes one batch at a time. What comes in ones (over HTTP, from brokers without
batches) is gathered: all that arrives while one batch is being recorded makes the next.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar, TypeVarTuple, Unpack

from adapters.inbox.handler import Answered, CommandHandler, Reply, fault_of_ours
from adapters.inbox.ingest import BATCH
from adapters.store.errors import StoreError
from adapters.store.ledger import Ledger
from adapters.store.records import OutboxEntry

Given = TypeVarTuple("Given")
Handler = TypeVar("Handler")
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0


@dataclass(frozen=True, slots=True)
class Handled:
    """A batch that was recorded, and how long that took."""

    answered: Answered
    seconds: float


class Stopping(Exception):
    """The store cannot take a batch, and nobody waits for it any longer: the batch goes back where it came from."""


class Batcher:
    """Gives messages to the desk. `on_handled` hears of every batch, `on_trouble` of every attempt that failed."""

    def __init__(
        self,
        desk: CommandHandler,
        on_handled: Callable[[Handled], None] = lambda _: None,
        on_trouble: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self._desk = desk
        self._on_handled, self._on_trouble = on_handled, on_trouble
        self._thread = ThreadPoolExecutor(1, "desk")
        self._gathered: list[tuple[bytes, asyncio.Future[Reply]]] = []
        self._gathering: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    @property
    def ledger(self) -> Ledger:
        """The log behind the desk."""
        return self._desk.ledger

    async def receive(self, raws: Sequence[bytes]) -> list[Reply]:
        """The replies to a batch, once it is recorded. Raises StoreError where the store cannot take it."""
        handled = await self.in_handler_thread(self._handle, raws)
        self._on_handled(handled)
        return handled.answered.replies

    async def receive_patiently(self, raws: Sequence[bytes]) -> list[Reply]:
        """The replies to a batch, however long the store is away. Raises Stopping once `stop` was asked for."""
        pause = SHORTEST_PAUSE
        while True:
            try:
                return await self.receive(raws)
            except StoreError as error:
                self._on_trouble(error)
            if self._stopping.is_set():
                raise Stopping
            try:
                await asyncio.wait_for(self._stopping.wait(), pause)
            except TimeoutError:
                pause = min(2 * pause, LONGEST_PAUSE)

    async def receive_one(self, raw: bytes) -> Reply:
        """The reply to one message, recorded together with others that come at the same time. Raises StoreError."""
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
                _tell([reply for _, reply in batch], error)
            else:
                for (_, waiting), reply in zip(batch, replies, strict=True):
                    if not waiting.done():  # whoever asked may have gone away
                        waiting.set_result(reply)
        self._gathering = None

    async def look_at_the_clock(self) -> None:
        """Refuse what has waited too long, when no message comes that would. Raises StoreError."""
        await self.receive([])

    async def outbox(self, limit: int) -> list[OutboxEntry]:
        """The oldest outcomes still to be published. Raises StoreError."""
        return await self.in_handler_thread(self.ledger.store.outbox, limit)

    async def published(self, numbers: Sequence[int]) -> None:
        """These outcomes are published. Raises StoreError."""
        await self.in_handler_thread(self.ledger.store.published, numbers)

    async def in_handler_thread(self, function: Callable[[Unpack[Given]], Handler], *arguments: *Given) -> Handler:
        """What a function returns that asks the store or the desk: they are used from one thread only."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    async def at_the_desk(
        self, function: Callable[[CommandHandler, Unpack[Given]], Handler], *arguments: *Given
    ) -> Handler:
        """What a function returns that is given the desk itself, and what else it asks for."""
        return await self.in_handler_thread(function, self._desk, *arguments)

    def stop(self) -> None:
        """No longer wait for a store that is away."""
        self._stopping.set()

    def close(self) -> None:
        """Finish the batch in hand, and take no other."""
        self._thread.shutdown(wait=True)

    def _handle(self, raws: Sequence[bytes]) -> Handled:
        began = time.perf_counter()
        answered = self._one_fault_alone(raws)
        return Handled(answered, time.perf_counter() - began)

    def _one_fault_alone(self, raws: Sequence[bytes]) -> Answered:
        """Decide a batch; where a fault of ours keeps one message from being decided, the others are all the same."""
        try:
            return self._desk.handle(raws)
        except StoreError:
            raise
        except Exception as error:
            self._on_trouble(error)
            if len(raws) <= 1:
                return Answered([self._desk.refuse(raw, fault_of_ours(error)) for raw in raws], [], [])
        half = len(raws) // 2
        first, rest = self._one_fault_alone(raws[:half]), self._one_fault_alone(raws[half:])
        return Answered(first.replies + rest.replies, first.woken + rest.woken, first.expired + rest.expired)


def _tell(waiting: Sequence[asyncio.Future[Reply]], error: Exception) -> None:
    for reply in waiting:
        if not reply.done():
            reply.set_exception(error)
