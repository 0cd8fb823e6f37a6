"""Part (d) of bin/bench: messages from JetStream into a store, beside the handler that FastStream's users write."""

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from faststream.nats import JStream, NatsBroker
from pydantic import BaseModel
from support.messages import Clock, contract_in_force

from adapters.brokers.acknowledge import Acknowledging
from adapters.brokers.broker import set_up
from adapters.brokers.connect import open_client
from adapters.brokers.nats_server import NatsServer
from adapters.brokers.outgoing import addressed
from adapters.inbox.batcher import Batcher, Handled
from adapters.inbox.handler import CommandHandler
from adapters.inbox.outcome_events import outbox_writer
from adapters.store.records import OutboxMessage
from bench.contest import Contender, Run, contest
from bench.library import HelpDesk
from bench.paper import Paper, say
from bench.sizes import Sizes
from bench.stores import Store
from bench.story import FACTS_A_STORY, messages_of
from bin.commands.consume import TURN_SECONDS
from domain.coverage import Coverage, CoverageDecision
from domain.facts import Fact
from domain.incident_facts import ClockResumed, ClockSuspended, IncidentOpened, IncidentResolved, IncidentTakenInCharge
from domain.values import microseconds

CONSUME, HANDLER = "Verbale: consume", "FastStream handler, library: a transaction each"
ABOUT_D = (
    "The messages lie in a JetStream stream before the clock starts; it stops when the last one is acknowledged.",
    "Verbale reads, decides, records with seals and inbox, publishes every outcome and acknowledges, in one process;",
    "the outcomes are in their stream when the clock stops. The handler is what the documentation of both libraries",
    "shows: a pydantic model, load, act, save, acknowledge; it has no inbox (what comes twice is recorded twice), no",
    "seal, no outcomes, and what it cannot read is lost.",
)


class Recorded(BaseModel):
    """A message as the handler's users would type it."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: dict[str, Any]


@dataclass
class Consuming:
    """Messages from a broker into one store; `handled` are those of the handler. Each turn has a stream of its own."""

    at: Store
    server: NatsServer
    messages: int
    handled: int
    clock: Clock = field(default_factory=Clock)
    _turns: Iterator[int] = field(default_factory=count)

    def _raws(self, messages: int) -> list[bytes]:
        turn = next(self._turns)
        return [raw for number in range(messages // FACTS_A_STORY) for raw in messages_of(f"T{turn}-{number}")]

    # --- Verbale ---

    @contextmanager
    def consume(self) -> Iterator[Run]:
        name, raws = self.at.fresh("consumed"), self._raws(self.messages)
        with closing(self.at.ledger(name, self.clock)) as ledger:
            handler = CommandHandler(ledger, self.clock)
            handler.handle(contract_in_force())
            before = ledger.store.position()
            asyncio.run(self._fill(name, raws))
            yield lambda: asyncio.run(self._consume_all(name, handler, len(raws)))
            if ledger.store.position() - before != len(raws):
                raise AssertionError(f"{ledger.store.counts()}: not every message is a fact")

    async def _fill(self, name: str, raws: Sequence[bytes]) -> None:
        client = open_client(self.server.url, name)
        await client.connect()
        await set_up(client)
        await client.publish_messages([addressed(name, raw) for raw in raws])
        await client.stop()

    async def _consume_all(self, name: str, handler: CommandHandler, wanted: int) -> int:
        sys.setswitchinterval(TURN_SECONDS)
        done, answered = asyncio.Event(), 0

        def on_handled(handled: Handled) -> None:
            nonlocal answered
            answered += len(handled.answered.replies)
            if answered >= wanted:
                done.set()

        batcher = Batcher(handler, on_handled)
        write = outbox_writer(handler.ledger.id, self.clock)

        async def answer(raws: Sequence[bytes]) -> list[OutboxMessage]:
            return [write(reply) for reply in await batcher.receive_patiently(raws)]

        client = open_client(self.server.url, name)
        await client.connect()
        client.subscribe(Acknowledging(answer, client.publish_outcomes))
        await client.start()
        await done.wait()
        while any(await client.backlog()):
            await asyncio.sleep(0.002)
        await client.stop()
        batcher.close()
        return wanted

    # --- the handler ---

    @contextmanager
    def handler(self) -> Iterator[Run]:
        name, raws = self.at.fresh("handled"), self._raws(self.handled)
        with closing(HelpDesk(self.at.library(name))) as desk:
            asyncio.run(self._fill(name, raws))
            yield lambda: asyncio.run(self._handle_all(name, desk, len(raws)))
            found = desk.recorder.max_notification_id() or 0
            if found != len(raws):
                raise AssertionError(f"the handler recorded {found} of {len(raws)}")

    async def _handle_all(self, name: str, desk: HelpDesk, wanted: int) -> int:
        broker, done, handled = NatsBroker(self.server.url, logger=None), asyncio.Event(), 0
        incidents: dict[str, UUID] = {}

        @broker.subscriber(f"verbale.{name}.*.*.*", stream=JStream(_stream(name), declare=False))
        async def on_message(received: Recorded) -> None:
            nonlocal handled
            _record(desk, incidents, received)
            handled += 1
            if handled == wanted:
                done.set()

        await broker.start()
        await done.wait()
        await broker.stop()
        return wanted


def _stream(ledger: str) -> str:
    return f"VERBALE_{ledger}_MESSAGES"


def _record(desk: HelpDesk, incidents: dict[str, UUID], received: Recorded) -> None:
    fact = _fact(received)
    if isinstance(fact, IncidentOpened):
        incidents[received.subject] = desk.tell_first(fact)
    else:
        desk.tell_on(incidents[received.subject], fact)


def _fact(received: Recorded) -> Fact:
    at = microseconds(received.time)
    match received.type:
        case "verbale.incident.open.v1":
            return IncidentOpened(at=at, answer=CoverageDecision(coverage=Coverage.GUARANTEED), **received.data)
        case "verbale.incident.take_in_charge.v1":
            return IncidentTakenInCharge(at=at)
        case "verbale.incident.suspend.v1":
            return ClockSuspended(at=at, **received.data)
        case "verbale.incident.resume.v1":
            return ClockResumed(at=at)
        case _:
            return IncidentResolved(at=at)


def measure_consuming(at: Store, sizes: Sizes, paper: Paper) -> None:
    """Part (d), on one store."""
    paper.about(ABOUT_D)
    say(f"{at.kind}: consuming from JetStream")
    with tempfile.TemporaryDirectory(prefix="verbale-nats-") as folder, NatsServer(Path(folder)) as server:
        consuming = Consuming(at, server, sizes.consumed, sizes.handled)
        contenders = [Contender(CONSUME, consuming.consume), Contender(HANDLER, consuming.handler)]
        figures = contest(contenders, sizes.consumptions)
    paper.rates("d", at.kind, f"From JetStream: {sizes.consumed:,} messages, a fact each", figures, (CONSUME,))
