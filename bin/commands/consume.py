"""`verbale consume`: takes messages from a broker and over HTTP, records them, and tells what became of them.

What is stopped is stopped gracefully: the batch in hand is finished, answered and acknowledged or, where the store is
away, given back to the broker; nothing is fetched after. A second signal ends the process at once: what was not
acknowledged comes again, and is answered as a duplicate.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import structlog

from adapters.brokers.broker import Acknowledging, BrokerClient, BrokerError, missing, open_client, read_address
from adapters.inbox.batcher import Batcher, Handled
from adapters.inbox.ingest import BATCH
from adapters.inbox.outcome_events import letters
from adapters.store.ledger import Ledger, OutboxMessage
from bin import logs
from bin.commands.options import Where, chosen_by, ledger_of
from bin.compose import clock, open_handler
from bin.metrics import Metrics
from bin.readiness import ReadinessCheck
from bin.settings import BadSettings, Settings

BROKER = "broker"
"""The way in of messages from a broker, as the meters call it."""
CLOCK_SECONDS = 60.0
TURN_SECONDS = 0.0005
"""For how long the desk's thread may keep the interpreter from the one that talks to the broker, which needs it only
for a moment, many times a batch: with Python's usual turn, ten times this, a third of all time went in waiting."""
OUTBOX_SECONDS = 5.0
"""The outbox is looked at as soon as a batch is recorded; and so often, for what other processes leave there."""

_log = structlog.get_logger("verbale")


def consume(*, where: Where | None = None) -> None:
    """Take messages from the broker and over HTTP, until stopped: record them, and publish what became of each.

    The broker is VERBALE_BROKER, the address to listen on VERBALE_LISTEN. Stops gracefully at SIGTERM or Ctrl-C: the
    batch in hand is finished; a second one stops at once.
    """
    chosen, _ = chosen_by(where)
    if chosen.broker is None and chosen.address is None:
        raise BadSettings("setting broker: there is none, and listen is none too: no message could come in")
    if chosen.address is not None:
        import bin.http.listener  # noqa: F401 (before a store is made: where it is not installed, nothing is begun)
    post = open_client(chosen.broker, chosen.ledger) if chosen.broker is not None else None
    logs.set_up()  # after the broker's library was loaded, which would log in its own way
    sys.setswitchinterval(TURN_SECONDS)
    with ledger_of(chosen, create=True) as ledger:
        asyncio.run(_Consumer(chosen, ledger, post).run())


class _Consumer:
    """Everything that runs while messages are taken in."""

    def __init__(self, chosen: Settings, ledger: Ledger, post: BrokerClient | None) -> None:
        self._chosen, self._ledger, self._post = chosen, ledger, post
        self._meters = Metrics()
        self._batcher = Batcher(open_handler(ledger, chosen), self._on_handled, self._on_trouble)
        self._write = letters(ledger.id, clock)
        self._recorded = asyncio.Event()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Until a signal comes. Raises BrokerError, BadSettings and StoreError where it cannot begin."""
        self._heed_signals()
        try:
            async with self._http() as listening, self._broker():  # the broker is left first: it would go on fetching
                print(f"verbale: {self._said()}, {listening}", file=sys.stderr, flush=True)
                _log.info("started", ledger=self._ledger.id)
                tasks = [asyncio.create_task(self._mind_the_clock())]
                if self._post is not None:
                    tasks.append(asyncio.create_task(self._empty_the_outbox(self._post)))
                await self._stop.wait()
                _log.info("stopping")
                self._batcher.stop()
                for task in tasks:
                    task.cancel()
        finally:
            await asyncio.get_running_loop().run_in_executor(None, self._batcher.close)
        _log.info("stopped")

    def _said(self) -> str:
        broker = f"broker {read_address(self._chosen.broker)}" if self._chosen.broker else "no broker"
        return f"ledger {self._ledger.id}, store {self._ledger.store.place}, {broker}"

    # --- the broker ---

    @asynccontextmanager
    async def _broker(self) -> AsyncIterator[None]:
        if (post := self._post) is None:
            yield
            return
        try:
            await post.connect()
            if absent := await missing(post):
                raise BrokerError(f"at the broker there is no {', no '.join(absent)}: run verbale broker setup")
            post.subscribe(Acknowledging(self._answer, post.send, self._on_trouble))
            await post.start()
            yield
        finally:
            await post.stop()

    async def _answer(self, raws: Sequence[bytes]) -> list[OutboxMessage]:
        replies = await self._batcher.receive_patiently(raws)
        self._meters.replied(BROKER, replies)
        return [self._write(reply) for reply in replies]

    async def _empty_the_outbox(self, post: BrokerClient) -> None:
        """Publish what was settled later than it came: messages that had waited, or waited too long."""
        while True:
            self._recorded.clear()
            try:
                while posted := await self._batcher.outbox(BATCH):
                    await post.send([one.letter for one in posted])
                    await self._batcher.published([one.number for one in posted])
            except Exception as error:  # whatever it was, what comes later must be published too
                self._on_trouble(error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._recorded.wait(), OUTBOX_SECONDS)

    async def _mind_the_clock(self) -> None:
        """Messages that have waited too long are refused, also when no other comes."""
        while True:
            await asyncio.sleep(CLOCK_SECONDS)
            try:
                await self._batcher.look_at_the_clock()
            except Exception as error:  # whatever it was, a minute later it is tried again
                self._on_trouble(error)

    # --- HTTP ---

    @asynccontextmanager
    async def _http(self) -> AsyncIterator[str]:
        """Answers over HTTP meanwhile; gives the address."""
        if self._chosen.address is None:
            yield "not listening"
            return
        from bin.http.listener import listening  # the server's framework takes a while to load, and is an extra

        readiness = ReadinessCheck(self._batcher, self._chosen, self._post)
        async with listening(self._chosen.address, self._batcher, self._chosen, readiness, self._meters) as address:
            yield address

    # --- what is told, and heeded ---

    def _on_handled(self, handled: Handled) -> None:
        self._recorded.set()
        self._meters.on_handled(handled)
        logs.log_batch(handled)

    def _on_trouble(self, error: Exception) -> None:
        self._meters.on_trouble(error)
        logs.log_trouble(error)

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._heed, number)

    def _heed(self, number: int) -> None:
        if self._stop.is_set():
            os._exit(128 + number)
        self._stop.set()
