"""`verbale consume`: takes messages from a broker and over HTTP, records them, and publishes their outcomes.

At a signal it stops gracefully: the batch in hand is finished, its outcomes are published and it is acknowledged or,
where the store is away, given back to the broker; nothing is fetched after. A second signal ends the process at once:
what was not acknowledged is delivered again, and answered as a duplicate.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import structlog

from adapters.brokers.acknowledge import Acknowledging
from adapters.brokers.address import BrokerError, read_address
from adapters.brokers.broker import BrokerClient, missing
from adapters.brokers.connect import open_client
from adapters.inbox.batcher import Batcher, Handled
from adapters.inbox.ingest import BATCH
from adapters.inbox.outcome_events import outbox_writer
from adapters.store.ledger import Ledger
from adapters.store.records import OutboxMessage
from bin import logs
from bin.commands.options import Where, chosen_by, ledger_of
from bin.compose import clock, open_handler
from bin.metrics import Metrics
from bin.readiness import ReadinessCheck
from bin.settings import BadSettings, Settings

BROKER = "broker"
"""Where messages from a broker come in, as the metrics name it."""
OVERDUE_SECONDS = 60.0
"""So often messages that have waited too long are refused."""
TURN_SECONDS = 0.0005
"""How long the handler's thread may hold the interpreter while the thread that talks to the broker waits. The latter
needs it only for a moment, many times a batch: with Python's default, ten times this, it waited a third of the time."""
OUTBOX_SECONDS = 5.0
"""The outbox is read as soon as a batch is recorded, and so often for what other processes have written to it."""

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
    client = open_client(chosen.broker, chosen.ledger) if chosen.broker is not None else None
    logs.set_up()  # after the broker's library is loaded, which sets up its own logging
    sys.setswitchinterval(TURN_SECONDS)
    with ledger_of(chosen, create=True) as ledger:
        asyncio.run(_Consumer(chosen, ledger, client).run())


class _Consumer:
    """Everything that runs while messages are taken in."""

    def __init__(self, chosen: Settings, ledger: Ledger, client: BrokerClient | None) -> None:
        self._chosen, self._ledger, self._client = chosen, ledger, client
        self._metrics = Metrics()
        self._batcher = Batcher(open_handler(ledger, chosen), self._on_handled, self._on_trouble)
        self._write = outbox_writer(ledger.id, clock)
        self._recorded = asyncio.Event()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Run until a signal. Raises BrokerError, BadSettings and StoreError where it cannot begin."""
        self._handle_signals()
        try:
            async with self._http() as listening, self._broker():  # the broker stops first: it fetches
                print(f"verbale: {self._places()}, {listening}", file=sys.stderr, flush=True)
                _log.info("started", ledger=self._ledger.id)
                tasks = [asyncio.create_task(self._expire_now_and_then())]
                if self._client is not None:
                    tasks.append(asyncio.create_task(self._publish_outbox(self._client)))
                await self._stop.wait()
                _log.info("stopping")
                self._batcher.stop()
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)  # none of them publishes while the broker is left
        finally:
            await asyncio.get_running_loop().run_in_executor(None, self._batcher.close)
        _log.info("stopped")

    def _places(self) -> str:
        broker = f"broker {read_address(self._chosen.broker)}" if self._chosen.broker else "no broker"
        return f"ledger {self._ledger.id}, store {self._ledger.store.location}, {broker}"

    # --- the broker ---

    @asynccontextmanager
    async def _broker(self) -> AsyncIterator[None]:
        if (client := self._client) is None:
            yield
            return
        try:
            await client.connect()
            if absent := await missing(client):
                raise BrokerError(f"at the broker there is no {', no '.join(absent)}: run verbale broker setup")
            client.subscribe(Acknowledging(self._handle, client.publish_outcomes, self._on_trouble))
            await client.start()
            yield
        finally:
            await client.stop()

    async def _handle(self, raws: Sequence[bytes]) -> list[OutboxMessage]:
        replies = await self._batcher.receive_patiently(raws)
        self._metrics.replied(BROKER, replies)
        return [self._write(reply) for reply in replies]

    async def _publish_outbox(self, client: BrokerClient) -> None:
        """Publish the outcomes of earlier messages: those that waited for another, and those that waited too long."""
        while True:
            self._recorded.clear()
            try:
                while entries := await self._batcher.outbox(BATCH):
                    await client.publish_outcomes([entry.message for entry in entries])
                    await self._batcher.published([entry.number for entry in entries])
            except Exception as error:  # whatever it was, later outcomes must be published too
                self._on_trouble(error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._recorded.wait(), OUTBOX_SECONDS)

    async def _expire_now_and_then(self) -> None:
        """Refuse messages that have waited too long, also when no other is received."""
        while True:
            await asyncio.sleep(OVERDUE_SECONDS)
            try:
                await self._batcher.expire()
            except Exception as error:  # whatever it was, it is tried again in a minute
                self._on_trouble(error)

    # --- HTTP ---

    @asynccontextmanager
    async def _http(self) -> AsyncIterator[str]:
        """Serve HTTP meanwhile; yields the address."""
        if self._chosen.address is None:
            yield "not listening"
            return
        from bin.http.listener import listening  # the server's framework takes a while to load, and is an extra

        readiness = ReadinessCheck(self._batcher, self._chosen, self._client)
        async with listening(self._chosen.address, self._batcher, self._chosen, readiness, self._metrics) as address:
            yield address

    # --- what is logged, and signals ---

    def _on_handled(self, handled: Handled) -> None:
        self._recorded.set()
        self._metrics.on_handled(handled)
        logs.log_batch(handled)

    def _on_trouble(self, error: Exception) -> None:
        self._metrics.on_trouble(error)
        logs.log_trouble(error)

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: int) -> None:
        if self._stop.is_set():
            os._exit(128 + number)
        self._stop.set()
