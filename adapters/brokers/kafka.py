"""Kafka.

Messages come on one topic, `verbale.LEDGER.messages`, with the stream they speak of as their key; outcomes go to
`verbale.LEDGER.outcome`, with the source as their key (a topic for each source is not Kafka's way). Both keep what they
hold by their own `retention.ms`: messages for ever, so that everything can be read again. A topic's name takes few
characters: what is `%` in a subject is `_` here.

A group's offset is moved once a batch is settled; a batch given back is read again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition  # type: ignore[import-untyped]
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType  # type: ignore[import-untyped]
from aiokafka.errors import KafkaError, NoError, TopicAlreadyExistsError, for_code  # type: ignore[import-untyped]
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.security import parse_security
from faststream.message import StreamMessage
from faststream.security import BaseSecurity, SASLPlaintext

from adapters.brokers.broker import (
    LONGEST_GATHERING,
    MESSAGE_TYPE,
    OUTCOMES_KEPT_DAYS,
    OUTCOMES_TYPE,
    REACHED_WITHIN,
    Acknowledging,
    Backlog,
    BrokerAddress,
    BrokerResource,
    Outgoing,
    bundles,
    whole,
)
from adapters.brokers.subjects import PREFIX, token
from adapters.inbox.ingest import BATCH
from adapters.store.records import OutboxMessage

PARTITIONS = 6
"""As many consumers can share the load, unless the address says otherwise."""
FOR_EVER, DAY = -1, 86_400_000
PUBLISHED_AT_ONCE = 256
Records = tuple[ConsumerRecord[Any, Any], ...]

FAILURES = (KafkaError, OSError, TimeoutError)


class KafkaClient:
    """A ledger's topics on Kafka."""

    def __init__(self, address: BrokerAddress, ledger: str) -> None:
        self._address = address
        name = f"{PREFIX}.{_token(ledger)}"
        self._messages, self._outcomes = f"{name}.messages", f"{name}.outcome"
        self._group = f"{PREFIX}-{_token(ledger)}"
        self._replicas = address.number("replicas", 1)
        self._partitions = address.number("partitions", PARTITIONS)
        self._broker = KafkaBroker(
            list(address.hosts),
            security=_security(address),
            acks="all",
            allow_auto_create_topics=False,
            apply_types=False,
            graceful_timeout=0,
            logger=logging.getLogger("faststream.kafka"),
            log_level=logging.DEBUG,
        )
        self._acknowledging: Acknowledging | None = None
        logging.getLogger("aiokafka").setLevel(logging.WARNING)  # it tells every step of every group

    async def connect(self) -> None:
        """Raises BrokerError where no server answers."""
        try:
            await asyncio.wait_for(self._broker.connect(), REACHED_WITHIN)
        except FAILURES as error:
            raise self._address.unreachable(error) from None

    # --- what must be there ---

    @property
    def resources(self) -> Sequence[BrokerResource]:
        """Both topics."""
        return [self._topic(self._messages, FOR_EVER), self._topic(self._outcomes, OUTCOMES_KEPT_DAYS * DAY)]

    def _topic(self, name: str, kept: int) -> BrokerResource:
        async def look() -> list[str] | None:
            async with self._admin() as admin:
                if name not in await admin.list_topics():
                    return None
                found = await _retention(admin, name)
            return [] if found in (None, str(kept)) else [f"retention.ms is {found}, not {kept}"]

        async def make() -> None:
            configured = {"retention.ms": str(kept)}
            topic = NewTopic(name, self._partitions, self._replicas, topic_configs=configured)
            async with self._admin() as admin:
                for _, code, *why in (await admin.create_topics([topic])).topic_errors:
                    if code not in (NoError.errno, TopicAlreadyExistsError.errno):
                        raise for_code(code)(*why)

        return BrokerResource(f"topic {name}", look, make)

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        try:
            admin = AIOKafkaAdminClient(bootstrap_servers=list(self._address.hosts), **_login(self._address))
            await admin.start()
            try:
                yield admin
            finally:
                await admin.close()
        except FAILURES as error:
            raise self._address.refused(error) from None

    # --- messages in ---

    def subscribe(self, acknowledging: Acknowledging) -> None:
        """Read batches for the group."""
        self._acknowledging = acknowledging
        self._subscriber: Any = self._broker.subscriber(
            self._messages,
            group_id=self._group,
            batch=True,
            max_records=BATCH,
            batch_timeout_ms=int(LONGEST_GATHERING * 1000),
            auto_offset_reset="earliest",
            parser=_leave_encoded,
            decoder=whole,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
        )
        self._subscriber(self._take)

    async def _take(self, batch: StreamMessage[Records]) -> None:
        assert self._acknowledging is not None
        records = batch.raw_message
        consumer = self._subscriber.consumer
        # Of each partition the first and the last: records of one come in their order.
        first = {TopicPartition(one.topic, one.partition): one.offset for one in reversed(records)}
        last = {TopicPartition(one.topic, one.partition): one.offset for one in records}

        async def acknowledge() -> None:
            await consumer.commit({part: offset + 1 for part, offset in last.items()})

        async def give_back() -> None:
            for part, offset in first.items():
                consumer.seek(part, offset)

        await self._acknowledging.settle([record.value or b"" for record in records], acknowledge, give_back)
        await self._acknowledging.go_on()

    async def start(self) -> None:
        """Raises BrokerError."""
        try:
            await self._broker.start()
        except FAILURES as error:
            raise self._address.refused(error) from None

    async def stop(self) -> None:
        """The batch in hand is finished; what was read ahead stays with the group."""
        if self._acknowledging is not None:
            await self._acknowledging.stop()
        with suppress(*FAILURES):
            await self._broker.stop()

    # --- out ---

    async def send(self, letters: Sequence[OutboxMessage]) -> None:
        """Raises BrokerError."""
        await self._publish(
            self._outcomes, (((source or "").encode(), body) for source, body in bundles(letters)), OUTCOMES_TYPE
        )

    async def publish(self, parcels: Sequence[Outgoing]) -> None:
        """Raises BrokerError. One topic takes them all, whatever their subjects."""
        await self._publish(self._messages, ((parcel.key.encode(), parcel.body) for parcel in parcels), MESSAGE_TYPE)

    async def _publish(self, topic: str, told: Iterable[tuple[bytes, bytes]], content_type: str) -> None:
        rest = iter(told)
        headers = {"content-type": content_type}
        while some := list(islice(rest, PUBLISHED_AT_ONCE)):
            asked = [self._broker.publish(body, topic, key=key or None, headers=headers) for key, body in some]
            for result in await asyncio.gather(*asked, return_exceptions=True):
                if isinstance(result, FAILURES):
                    raise self._address.refused(result)
                if isinstance(result, BaseException):
                    raise result

    # --- how it is ---

    async def alive(self) -> bool:
        """Whether a server answers."""
        return await self._broker.ping(REACHED_WITHIN)

    async def backlog(self) -> Backlog:
        """Raises BrokerError. What is given and not acknowledged counts as undelivered: a group has one offset."""
        asking = AIOKafkaConsumer(
            bootstrap_servers=list(self._address.hosts),
            group_id=self._group,  # never subscribed, so no member of it
            enable_auto_commit=False,
            **_login(self._address),
        )
        try:
            await asking.start()
            try:
                async with self._admin() as admin:
                    (topic,) = await admin.describe_topics([self._messages])
                parts = [TopicPartition(self._messages, one["partition"]) for one in topic["partitions"]]
                asking.assign(parts)
                first, last = await asking.beginning_offsets(parts), await asking.end_offsets(parts)
                settled = {part: await asking.committed(part) or 0 for part in parts}
            finally:
                await asking.stop()
        except FAILURES as error:
            raise self._address.refused(error) from None
        return Backlog(sum(max(last[part] - max(first[part], settled[part]), 0) for part in parts), None)


async def _retention(admin: AIOKafkaAdminClient, topic: str) -> str | None:
    """How long a topic keeps what it holds; None where the server does not say."""
    asked = ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": None})
    try:
        responses = await admin.describe_configs([asked])
    except FAILURES:
        return None
    entries = [entry for response in responses for resource in response.resources for entry in resource[-1]]
    return next((value for name, value, *_ in entries if name == "retention.ms"), None)


def _security(address: BrokerAddress) -> BaseSecurity:
    secure = address.scheme == "kafkas"
    if address.user is None:
        return BaseSecurity(use_ssl=secure)
    return SASLPlaintext(address.user, address.password or "", use_ssl=secure)


def _login(address: BrokerAddress) -> dict[str, Any]:
    return dict(parse_security(_security(address)))


def _token(name: str) -> str:
    return token(name).replace("_", "_5F").replace("%", "_")


async def _leave_encoded(records: Records) -> StreamMessage[Records]:
    """FastStream's own parsing reads headers as text, and where one is not, no handler sees any of the batch."""
    return StreamMessage(raw_message=records, body=b"")
