"""Part (d) of bin/bench: messages from JetStream into a store, beside the handler that FastStream's users write."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from faststream.nats import JStream, NatsBroker
from pydantic import BaseModel
from support.messages import Clock, charge, contract_in_force, message, opening

from adapters.brokers.broker import Acknowledging, addressed, open_client, set_up
from adapters.brokers.nats_server import NatsServer
from adapters.inbox.batcher import Batcher, Handled
from adapters.inbox.handler import CommandHandler
from adapters.inbox.outcome_events import letters
from adapters.store.records import OutboxMessage
from bench.library import HelpDesk
from bench.stores import Store
from bin.commands.consume import TURN_SECONDS
from domain.coverage import Coverage, CoverageDecision
from domain.facts import Fact
from domain.incident import (
    ClockResumed,
    ClockSuspended,
    IncidentOpened,
    IncidentResolved,
    IncidentTakenInCharge,
)
from domain.values import microseconds

CONSUME, HANDLER = "Verbale: consume", "FastStream handler, library: a transaction each"
FACTS_A_STORY = 5
ABOUT_D = (
    "The messages lie in a JetStream stream before the clock starts; it stops when the last one is acknowledged.",
    "Verbale reads, decides, records with seals and inbox, publishes every outcome and acknowledges, in one process;",
    "the outcomes are in their stream when the clock stops. The handler is what the documentation of both libraries",
    "shows: a pydantic model, load, act, save, acknowledge; it has no inbox (what comes twice is recorded twice), no",
    "seal, no outcomes, and what it cannot read is lost.",
)
Run = Callable[[], int]


class Recorded(BaseModel):
    """A message as the handler's users would type it."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: dict[str, Any]


def told_of(name: str) -> list[bytes]:
    """The messages of one incident: five facts."""
    stream = f"incident-{name}"
    return [
        opening(name, time="2026-03-02T08:00:00Z"),
        charge(name, time="2026-03-02T08:20:00Z"),
        message("incident.suspend", stream, "2026-03-02T08:30:00Z", {"cause": "customer"}),
        message("incident.resume", stream, "2026-03-02T08:50:00Z"),
        message("incident.resolve", stream, "2026-03-02T09:30:00Z"),
    ]


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
        return [raw for number in range(messages // FACTS_A_STORY) for raw in told_of(f"T{turn}-{number}")]

    # --- Verbale ---

    @contextmanager
    def consume(self) -> Iterator[Run]:
        name, raws = self.at.fresh("consumed"), self._raws(self.messages)
        with closing(self.at.ledger(name, self.clock)) as ledger:
            desk = CommandHandler(ledger, self.clock)
            desk.handle(contract_in_force())
            before = ledger.store.position()
            asyncio.run(self._fill(name, raws))
            yield lambda: asyncio.run(self._consume_all(name, desk, len(raws)))
            if ledger.store.position() - before != len(raws):
                raise AssertionError(f"{ledger.store.counts()}: not every message is a fact")

    async def _fill(self, name: str, raws: Sequence[bytes]) -> None:
        post = open_client(self.server.url, name)
        await post.connect()
        await set_up(post)
        await post.publish([addressed(name, raw) for raw in raws])
        await post.stop()

    async def _consume_all(self, name: str, desk: CommandHandler, wanted: int) -> int:
        sys.setswitchinterval(TURN_SECONDS)
        done, answered = asyncio.Event(), 0

        def on_handled(handled: Handled) -> None:
            nonlocal answered
            answered += len(handled.answered.replies)
            if answered >= wanted:
                done.set()

        batcher = Batcher(desk, on_handled)
        write = letters(desk.ledger.id, self.clock)

        async def answer(raws: Sequence[bytes]) -> list[OutboxMessage]:
            return [write(reply) for reply in await batcher.receive_patiently(raws)]

        post = open_client(self.server.url, name)
        await post.connect()
        post.subscribe(Acknowledging(answer, post.send))
        await post.start()
        await done.wait()
        while any(await post.backlog()):
            await asyncio.sleep(0.002)
        await post.stop()
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
        async def on_message(told: Recorded) -> None:
            nonlocal handled
            _tell(desk, incidents, told)
            handled += 1
            if handled == wanted:
                done.set()

        await broker.start()
        await done.wait()
        await broker.stop()
        return wanted


def _stream(ledger: str) -> str:
    return f"VERBALE_{ledger}_MESSAGES"


def _tell(desk: HelpDesk, incidents: dict[str, UUID], told: Recorded) -> None:
    fact = _fact(told)
    if isinstance(fact, IncidentOpened):
        incidents[told.subject] = desk.tell_first(fact)
    else:
        desk.tell_on(incidents[told.subject], fact)


def _fact(told: Recorded) -> Fact:
    at = microseconds(told.time)
    match told.type:
        case "verbale.incident.open.v1":
            return IncidentOpened(at=at, answer=CoverageDecision(coverage=Coverage.GUARANTEED), **told.data)
        case "verbale.incident.take_in_charge.v1":
            return IncidentTakenInCharge(at=at)
        case "verbale.incident.suspend.v1":
            return ClockSuspended(at=at, **told.data)
        case "verbale.incident.resume.v1":
            return ClockResumed(at=at)
        case _:
            return IncidentResolved(at=at)
