"""Kafka.

Messages arrive on one topic, `verbale.LEDGER.messages`, with their stream as key; outcomes go to
`verbale.LEDGER.outcome`, with the source as key (a topic for each source is not Kafka's way). Both topics keep their
records by their own `retention.ms`: messages for ever, so that everything can be read again. A topic's name may have
few characters: what is `%` in a subject is `_` here.

A group's offset is moved once a batch is acknowledged; a batch given back is read again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
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

from adapters.brokers.acknowledge import Acknowledging
from adapters.brokers.address import BrokerAddress
from adapters.brokers.broker import (
    LONGEST_GATHERING,
    OUTCOMES_KEPT_DAYS,
    REACHED_WITHIN,
    Backlog,
    BrokerResource,
    undecoded,
)
from adapters.brokers.outgoing import MESSAGE_TYPE, OUTCOMES_TYPE, Outgoing, bundles, confirmed
from adapters.brokers.subjects import PREFIX, token
from adapters.inbox.ingest import BATCH
from adapters.store.records import OutboxMessage

PARTITIONS = 6
"""As many consumers can share the load, unless the address says otherwise."""
FOR_EVER, DAY = -1, 86_400_000
FAILURES = (KafkaError, OSError, TimeoutError)
"""What its client raises."""

Records = tuple[ConsumerRecord[Any, Any], ...]


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
        logging.getLogger("aiokafka").setLevel(logging.WARNING)  # at INFO it logs every step of every group

    async def connect(self) -> None:
        """Raises BrokerError where no server answers."""
        try:
            await asyncio.wait_for(self._broker.connect(), REACHED_WITHIN)
        except FAILURES as error:
            raise self._address.unreachable(error) from None

    # --- what must exist ---

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
        with self._address.refusing(*FAILURES):
            admin = AIOKafkaAdminClient(bootstrap_servers=list(self._address.hosts), **_login(self._address))
            await admin.start()
            try:
                yield admin
            finally:
                await admin.close()

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
            decoder=undecoded,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
        )
        self._subscriber(self._take)

    async def _take(self, batch: StreamMessage[Records]) -> None:
        assert self._acknowledging is not None
        records = batch.raw_message
        consumer = self._subscriber.consumer
        # The first and the last offset of each partition: the records of one are in their order.
        first = {TopicPartition(one.topic, one.partition): one.offset for one in reversed(records)}
        last = {TopicPartition(one.topic, one.partition): one.offset for one in records}

        async def acknowledge() -> None:
            await consumer.commit({part: offset + 1 for part, offset in last.items()})

        async def give_back() -> None:
            for part, offset in first.items():
                consumer.seek(part, offset)

        await self._acknowledging.process([record.value or b"" for record in records], acknowledge, give_back)
        await self._acknowledging.hold_when_stopping()

    async def start(self) -> None:
        """Raises BrokerError."""
        with self._address.refusing(*FAILURES):
            await self._broker.start()

    async def stop(self) -> None:
        """Finish the batch in hand; records read ahead stay with the group, as their offset is not moved."""
        if self._acknowledging is not None:
            await self._acknowledging.stop()
        with suppress(*FAILURES):
            await self._broker.stop()

    # --- out ---

    async def publish_outcomes(self, outcomes: Sequence[OutboxMessage]) -> None:
        """Raises BrokerError."""
        publishing = (
            self._confirmed(self._outcomes, source or "", body, OUTCOMES_TYPE) for source, body in bundles(outcomes)
        )
        await confirmed(publishing, self._address, *FAILURES)

    async def publish_messages(self, messages: Sequence[Outgoing]) -> None:
        """Raises BrokerError. One topic takes them all, whatever their subjects."""
        publishing = (self._confirmed(self._messages, one.key, one.body, MESSAGE_TYPE) for one in messages)
        await confirmed(publishing, self._address, *FAILURES)

    def _confirmed(self, topic: str, key: str, body: bytes, content_type: str) -> Awaitable[Any]:
        return self._broker.publish(body, topic, key=key.encode() or None, headers={"content-type": content_type})

    # --- how it is ---

    async def alive(self) -> bool:
        """Whether a server answers."""
        return await self._broker.ping(REACHED_WITHIN)

    async def backlog(self) -> Backlog:
        """Raises BrokerError. Records delivered but not acknowledged count as undelivered: a group has one offset."""
        asking = AIOKafkaConsumer(
            bootstrap_servers=list(self._address.hosts),
            group_id=self._group,  # never subscribed, so no member of it
            enable_auto_commit=False,
            **_login(self._address),
        )
        with self._address.refusing(*FAILURES):
            await asking.start()
            try:
                async with self._admin() as admin:
                    (topic,) = await admin.describe_topics([self._messages])
                parts = [TopicPartition(self._messages, one["partition"]) for one in topic["partitions"]]
                asking.assign(parts)
                first, last = await asking.beginning_offsets(parts), await asking.end_offsets(parts)
                acknowledged = {part: await asking.committed(part) or 0 for part in parts}
            finally:
                await asking.stop()
        return Backlog(sum(max(last[part] - max(first[part], acknowledged[part]), 0) for part in parts), None)


async def _retention(admin: AIOKafkaAdminClient, topic: str) -> str | None:
    """How long a topic keeps its records, in milliseconds; None where the server does not say."""
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
    """A parser that reads no headers: where FastStream's own finds one that is no text, no handler gets the batch."""
    return StreamMessage(raw_message=records, body=b"")
