"""RabbitMQ.

Messages go through the topic exchange `verbale.LEDGER` into a quorum queue; outcomes, through the same exchange, into a
stream that keeps them for any number of readers. RabbitMQ delivers in ones: what has come while a batch is being
recorded makes the next. A name longer than fits stands in a routing key by its SHA-256.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import islice
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, DeliveryMode
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity, ChannelPreconditionFailed
from aio_pika.message import IncomingMessage
from faststream import AckPolicy
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange, RabbitQueue
from faststream.rabbit.message import RabbitMessage

from adapters.brokers.broker import (
    ANSWERED_WITHIN,
    MESSAGE_TYPE,
    OUTCOMES_KEPT_DAYS,
    OUTCOMES_TYPE,
    REACHED_WITHIN,
    Acknowledging,
    Backlog,
    BrokerAddress,
    BrokerError,
    BrokerResource,
    Outgoing,
    bundles,
    whole,
)
from adapters.brokers.subjects import PREFIX, every_message, every_outcome, outcome_subject, shortened, token
from adapters.inbox.ingest import BATCH
from adapters.store.records import OutboxMessage

PREFETCHED = 2 * BATCH
PUBLISHED_AT_ONCE = 256
LONGEST_WORD = 60
"""Of a subject: a routing key may have 255 bytes in all."""
FAILURES = (AMQPError, RuntimeError, OSError, TimeoutError)
"""What its client raises; a RuntimeError where the connection, or the channel, is closed."""

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
        self._come: list[IncomingMessage] = []
        self._gathering: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Raises BrokerError where no server answers."""
        try:
            await asyncio.wait_for(self._broker.connect(), REACHED_WITHIN)
        except FAILURES as error:
            raise self._address.unreachable(error) from None

    # --- what must be there ---

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
        """A connection of its own: what is not there costs the channel on which it was asked for."""
        try:
            connection = await aio_pika.connect(self._url, timeout=REACHED_WITHIN)
            async with connection:
                yield connection, await connection.channel()
        except FAILURES as error:
            raise self._address.refused(error) from None

    # --- messages in ---

    def subscribe(self, acknowledging: Acknowledging) -> None:
        """Consume the queue."""
        self._acknowledging = acknowledging
        subscriber = self._broker.subscriber(
            RabbitQueue(self._messages, declare=False),
            channel=Channel(prefetch_count=PREFETCHED),
            decoder=whole,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
        )
        subscriber(self._take)

    async def _take(self, message: RabbitMessage) -> None:
        self._come.append(message.raw_message)
        if self._gathering is None:
            self._gathering = asyncio.create_task(self._settle_what_has_come())

    async def _settle_what_has_come(self) -> None:
        while self._come:
            batch, self._come = self._come[:BATCH], self._come[BATCH:]
            await self._settle(batch)
        self._gathering = None

    async def _settle(self, batch: Sequence[IncomingMessage]) -> None:
        assert self._acknowledging is not None

        async def acknowledge() -> None:
            # With all before it: batches are settled one after the other, so those are settled or given back.
            await batch[-1].ack(multiple=True)

        async def give_back() -> None:
            for message in batch:
                await message.nack(requeue=True)

        await self._acknowledging.settle([message.body for message in batch], acknowledge, give_back)

    async def start(self) -> None:
        """Raises BrokerError."""
        try:
            await self._broker.start()
        except FAILURES as error:
            raise self._address.refused(error) from None

    async def stop(self) -> None:
        """What was delivered and is not settled goes back as the connection ends."""
        self._come.clear()
        if self._acknowledging is not None:
            await self._acknowledging.stop()
        with suppress(*FAILURES):
            await self._broker.stop()

    # --- out ---

    async def send(self, letters: Sequence[OutboxMessage]) -> None:
        """Raises BrokerError."""
        await self._publish(
            (outcome_subject(self._ledger, source), body, OUTCOMES_TYPE) for source, body in bundles(letters)
        )

    async def publish(self, parcels: Sequence[Outgoing]) -> None:
        """Raises BrokerError."""
        await self._publish((parcel.subject, parcel.body, MESSAGE_TYPE) for parcel in parcels)

    async def _publish(self, told: Iterable[tuple[str, bytes, str]]) -> None:
        """A message that no queue takes comes back as an error, as one does that the broker does not confirm."""
        rest = iter(told)
        while some := [self._confirmed(*one) for one in islice(rest, PUBLISHED_AT_ONCE)]:
            for result in await asyncio.gather(*some, return_exceptions=True):
                if isinstance(result, FAILURES):
                    raise self._address.refused(result)
                if isinstance(result, BaseException):
                    raise result

    def _confirmed(self, subject: str, body: bytes, content_type: str) -> Awaitable[Any]:
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
        """Raises BrokerError. How many are delivered and not acknowledged, RabbitMQ does not tell its clients."""
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
    """From version 4 on, a quorum queue drops what was delivered twenty times, unless it is told not to."""
    version = str(connection.transport.connection.server_properties.get("version", "")) if connection.transport else ""
    recent = version.partition(".")[0].isdecimal() and int(version.partition(".")[0]) >= 4
    return {"x-delivery-limit": -1} if recent and arguments["x-queue-type"] == "quorum" else {}
