"""RabbitMQ.

Messages go through the topic exchange `verbale.LEDGER` into a quorum queue; outcomes, through the same exchange, into a
stream that keeps them for any number of readers. RabbitMQ delivers one message at a time: those that are delivered
while a batch is being recorded make the next. A name too long for a routing key is replaced by its SHA-256.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, DeliveryMode
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity, ChannelPreconditionFailed
from aio_pika.message import IncomingMessage
from faststream import AckPolicy
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange, RabbitQueue
from faststream.rabbit.message import RabbitMessage

from adapters.brokers.acknowledge import Acknowledging
from adapters.brokers.address import BrokerAddress, BrokerError
from adapters.brokers.broker import (
    ANSWERED_WITHIN,
    OUTCOMES_KEPT_DAYS,
    REACHED_WITHIN,
    Backlog,
    BrokerResource,
    undecoded,
)
from adapters.brokers.outgoing import MESSAGE_TYPE, OUTCOMES_TYPE, Outgoing, bundles, confirmed
from adapters.brokers.subjects import PREFIX, every_message, every_outcome, outcome_subject, shortened, token
from adapters.inbox.ingest import BATCH
from adapters.store.records import OutboxMessage

PREFETCHED = 2 * BATCH
LONGEST_WORD = 60
"""Of a subject: a routing key may have 255 bytes in all."""
FAILURES = (AMQPError, RuntimeError, OSError, TimeoutError, asyncio.InvalidStateError)
"""What its client raises; a RuntimeError or an InvalidStateError where the connection or the channel is closed."""

Arguments = dict[str, Any]


class RabbitClient:
    """A ledger's exchange and queues on RabbitMQ."""

    def __init__(self, address: BrokerAddress, ledger: str) -> None:
        if len(address.hosts) != 1:
            raise BrokerError(f"{address}: write one HOST:PORT (of a cluster, the one that its balancer listens on)")
        self._address, self._ledger = address, ledger
        self._url = address.urls()[0]
        name = shortened(f"{PREFIX}.{token(ledger)}", LONGEST_WORD)
        self._exchange = RabbitExchange(name, ExchangeType.TOPIC, durable=True, declare=False)
        self._messages, self._outcomes = f"{name}.messages", f"{name}.outcomes"
        self._broker = RabbitBroker(
            self._url,
            logger=logging.getLogger("faststream.rabbit"),
            log_level=logging.DEBUG,
            default_channel=Channel(on_return_raises=True),
            apply_types=False,
            graceful_timeout=0,
        )
        self._acknowledging: Acknowledging | None = None
        self._received: list[IncomingMessage] = []
        self._processing: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Raises BrokerError where no server answers."""
        try:
            await asyncio.wait_for(self._broker.connect(), REACHED_WITHIN)
        except FAILURES as error:
            raise self._address.unreachable(error) from None

    # --- what must exist ---

    @property
    def resources(self) -> Sequence[BrokerResource]:
        """The exchange, and the queues bound to it."""
        kept = {"x-queue-type": "stream", "x-max-age": f"{OUTCOMES_KEPT_DAYS}D"}
        return [
            BrokerResource(f"exchange {self._exchange.name}", self._look_at_exchange, self._make_exchange),
            self._queue_resource(self._messages, {"x-queue-type": "quorum"}, every_message(self._ledger)),
            self._queue_resource(self._outcomes, kept, every_outcome(self._ledger)),
        ]

    async def _look_at_exchange(self) -> list[str] | None:
        async with self._asking() as (_, channel):
            try:
                await channel.get_exchange(self._exchange.name)
            except ChannelNotFoundEntity:
                return None
        async with self._asking() as (_, channel):
            return await _differences(self._declare_exchange(channel))

    async def _make_exchange(self) -> None:
        async with self._asking() as (_, channel):
            await self._declare_exchange(channel)

    async def _declare_exchange(self, channel: AbstractChannel) -> None:
        await channel.declare_exchange(self._exchange.name, aio_pika.ExchangeType.TOPIC, durable=True)

    def _queue_resource(self, name: str, given: Arguments, subjects: str) -> BrokerResource:
        async def look() -> list[str] | None:
            async with self._asking() as (_, channel):
                try:
                    await channel.get_queue(name)
                except ChannelNotFoundEntity:
                    return None
            async with self._asking() as (connection, channel):
                arguments = given | _without_limit(given, connection)
                return await _differences(channel.declare_queue(name, durable=True, arguments=arguments))

        async def make() -> None:
            async with self._asking() as (connection, channel):
                arguments = given | _without_limit(given, connection)
                queue = await channel.declare_queue(name, durable=True, arguments=arguments)
                await queue.bind(self._exchange.name, shortened(subjects, LONGEST_WORD))

        return BrokerResource(f"queue {name}", look, make)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[tuple[AbstractConnection, AbstractChannel]]:
        """A connection of its own: the server closes a channel on which something missing is asked for."""
        with self._address.refusing(*FAILURES):
            connection = await aio_pika.connect(self._url, timeout=REACHED_WITHIN)
            async with connection:
                yield connection, await connection.channel()

    # --- messages in ---

    def subscribe(self, acknowledging: Acknowledging) -> None:
        """Consume the queue."""
        self._acknowledging = acknowledging
        subscriber = self._broker.subscriber(
            RabbitQueue(self._messages, declare=False),
            channel=Channel(prefetch_count=PREFETCHED),
            decoder=undecoded,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
        )
        subscriber(self._take)

    async def _take(self, message: RabbitMessage) -> None:
        assert self._acknowledging is not None
        if self._acknowledging.stopping:
            return  # were it given back, it would be delivered to us again and again until the channel is closed
        self._received.append(message.raw_message)
        if self._processing is None:
            self._processing = asyncio.create_task(self._process_received())

    async def _process_received(self) -> None:
        try:
            while self._received:
                batch, self._received = self._received[:BATCH], self._received[BATCH:]
                await self._process(batch)
        finally:  # also where the client cancels what it does on a connection that ended
            self._processing = None

    async def _process(self, batch: Sequence[IncomingMessage]) -> None:
        assert self._acknowledging is not None

        async def acknowledge() -> None:
            # Together with every message before it: those batches are acknowledged or given back already.
            await batch[-1].ack(multiple=True)

        async def give_back() -> None:
            await batch[-1].nack(multiple=True, requeue=True)

        await self._acknowledging.process([message.body for message in batch], acknowledge, give_back)

    async def start(self) -> None:
        """Raises BrokerError."""
        with self._address.refusing(*FAILURES):
            await self._broker.start()

    async def stop(self) -> None:
        """Finish the batch in hand; the server takes back what else it delivered, as the connection ends.

        Nothing is acknowledged, given back or published while the channels close: the client would fail some of it.
        """
        self._received.clear()
        if self._acknowledging is not None:
            await self._acknowledging.stop()
        with suppress(*FAILURES):
            await self._broker.stop()

    # --- out ---

    async def publish_outcomes(self, outcomes: Sequence[OutboxMessage]) -> None:
        """Raises BrokerError."""
        publishing = (
            self._confirmed(outcome_subject(self._ledger, source), body, OUTCOMES_TYPE)
            for source, body in bundles(outcomes)
        )
        await confirmed(publishing, self._address, *FAILURES)

    async def publish_messages(self, messages: Sequence[Outgoing]) -> None:
        """Raises BrokerError."""
        publishing = (self._confirmed(one.subject, one.body, MESSAGE_TYPE) for one in messages)
        await confirmed(publishing, self._address, *FAILURES)

    def _confirmed(self, subject: str, body: bytes, content_type: str) -> Awaitable[Any]:
        """Fails where no queue takes the message, and where the broker does not confirm it."""
        message = aio_pika.Message(body, content_type=content_type, delivery_mode=DeliveryMode.PERSISTENT)
        return self._broker.publish(
            message,
            exchange=self._exchange,
            routing_key=shortened(subject, LONGEST_WORD),
            mandatory=True,
            timeout=ANSWERED_WITHIN,
        )

    # --- how it is ---

    async def alive(self) -> bool:
        """Whether we are connected to a server."""
        return await self._broker.ping(REACHED_WITHIN)

    async def backlog(self) -> Backlog:
        """Raises BrokerError. RabbitMQ does not say how many messages are delivered and not acknowledged."""
        async with self._asking() as (_, channel):
            queue = await channel.get_queue(self._messages)
            return Backlog(queue.declaration_result.message_count, None)


async def _differences(declared: Awaitable[Any]) -> list[str]:
    try:
        await declared
    except ChannelPreconditionFailed as error:
        return [str(error)]
    return []


def _without_limit(arguments: Arguments, connection: AbstractConnection) -> Arguments:
    """From version 4 on, a quorum queue drops a message after twenty deliveries, unless it has no limit."""
    version = str(connection.transport.connection.server_properties.get("version", "")) if connection.transport else ""
    recent = version.partition(".")[0].isdecimal() and int(version.partition(".")[0]) >= 4
    return {"x-delivery-limit": -1} if recent and arguments["x-queue-type"] == "quorum" else {}
