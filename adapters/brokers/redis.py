"""Redis Streams.

A message is one entry of `verbale.LEDGER.messages`, its bytes in the field `data`, as `XADD KEY * data JSON` writes it;
what FastStream publishes (field `__data__`, its headers before the bytes) is read too. An entry is acknowledged and
deleted in one step: a stream that kept every message would fill the server's memory. Entries that a consumer received
and did not acknowledge are claimed by another. Outcomes go to a stream for each source.

Redis confirms what it has in memory: whether that survives a crash depends on its own settings (`appendonly yes`).
"""

import asyncio
import json
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from faststream import AckPolicy
from faststream.message import StreamMessage
from faststream.redis import RedisBroker, StreamSub
from faststream.redis.message import BatchStreamMessage
from faststream.redis.parser import BinaryMessageFormatV1
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from adapters.brokers.acknowledge import Acknowledging
from adapters.brokers.address import BrokerAddress, BrokerError
from adapters.brokers.broker import (
    LONGEST_GATHERING,
    OUTCOMES_KEPT_DAYS,
    REDELIVERED_AFTER,
    Backlog,
    BrokerResource,
    undecoded,
)
from adapters.brokers.outgoing import Outgoing, bundles
from adapters.brokers.subjects import PREFIX, outcome_subject, token
from adapters.inbox.ingest import BATCH
from adapters.store.records import OutboxMessage

GROUP = "verbale"
READING_AT_ONCE = 2
"""While one batch is being recorded the next is read, and the one before acknowledged."""
CLAIMING_SECONDS = 5.0
"""Seconds between two looks for entries that another consumer left."""
GIVEN_BACK_WITHIN = 1.0
"""Seconds, when we stop: entries not given back by then are claimed after `redelivered_after`."""
FORGOTTEN_AFTER = 3600
"""Seconds after which a consumer that asks for nothing, and holds nothing, is removed from the group."""
FAILURES = (RedisError, OSError, TimeoutError)
"""What its client raises."""
DATA, FASTSTREAM_DATA = b"data", b"__data__"
MILLISECONDS = 1000

StreamEntry = tuple[bytes, dict[bytes, bytes]]


class RedisClient:
    """A ledger's streams on Redis."""

    def __init__(self, address: BrokerAddress, ledger: str) -> None:
        if len(address.hosts) != 1:
            raise BrokerError(f"{address}: write one HOST:PORT")
        self._address, self._ledger = address, ledger
        self._redelivered_after = address.number("redelivered_after", REDELIVERED_AFTER)
        self._stream = f"{PREFIX}.{token(ledger)}.messages"
        self._broker = RedisBroker(
            address.urls()[0],
            logger=logging.getLogger("faststream.redis"),
            log_level=logging.DEBUG,
            apply_types=False,
            graceful_timeout=0,
        )
        self._names = [f"{socket.gethostname()}-{os.getpid()}-{number}" for number in range(READING_AT_ONCE)]
        self._acknowledging: Acknowledging | None = None
        self._claiming: asyncio.Task[None] | None = None
        self._client: Redis | None = None

    async def connect(self) -> None:
        """Raises BrokerError where no server answers."""
        try:
            self._client = await self._broker.connect()
            await self._redis.ping()
        except (RedisError, OSError) as error:
            raise self._address.unreachable(error) from None

    @property
    def _redis(self) -> Any:  # the client's own annotations say bytes here and text there
        assert self._client is not None, "connect first"
        return self._client

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[Any]:
        with self._address.refusing(*FAILURES):
            yield self._redis

    # --- what must exist ---

    @property
    def resources(self) -> Sequence[BrokerResource]:
        """The group, and with it the stream; and a server that keeps what it confirms."""
        return [
            BrokerResource(f"group {GROUP} of stream {self._stream}", self._look, self._make),
            BrokerResource("append-only file", self._look_at_disk, self._make),
        ]

    async def _look(self) -> list[str] | None:
        async with self._asking():
            return None if await self._group() is None else []

    async def _make(self) -> None:
        async with self._asking() as redis:
            await redis.xgroup_create(self._stream, GROUP, id="0", mkstream=True)

    async def _look_at_disk(self) -> list[str]:
        async with self._asking() as redis:
            try:
                kept = (await redis.config_get("appendonly")).get("appendonly", "yes")
            except (NoPermissionError, ResponseError):  # a hosted server does not say
                return []
        return [] if kept in ("yes", b"yes") else ["appendonly is no: what it confirmed is lost when it crashes"]

    async def _group(self) -> dict[str, Any] | None:
        try:
            groups = await self._redis.xinfo_groups(self._stream)
        except ResponseError:  # no such stream
            return None
        return next((group for group in groups if group["name"] in (GROUP, GROUP.encode())), None)

    # --- messages in ---

    def subscribe(self, acknowledging: Acknowledging) -> None:
        """Read batches for the group, several at a time."""
        self._acknowledging = acknowledging
        for name in self._names:
            subscriber = self._broker.subscriber(
                stream=StreamSub(
                    self._stream,
                    group=GROUP,
                    consumer=name,
                    batch=True,
                    max_records=BATCH,
                    polling_interval=int(LONGEST_GATHERING * MILLISECONDS),
                    declare=False,
                ),
                parser=_leave_encoded,
                decoder=undecoded,
                ack_policy=AckPolicy.MANUAL,
                no_reply=True,
            )
            subscriber(self._take)

    async def _take(self, batch: StreamMessage[BatchStreamMessage]) -> None:
        assert self._acknowledging is not None
        raw = batch.raw_message
        await self._process(list(zip(raw["message_ids"], raw["data"], strict=True)))
        await self._acknowledging.hold_when_stopping()

    async def _process(self, entries: Sequence[StreamEntry]) -> None:
        assert self._acknowledging is not None
        ids = [number for number, _ in entries]

        async def acknowledge() -> None:
            async with self._asking() as redis, redis.pipeline(transaction=True) as both:
                both.xack(self._stream, GROUP, *ids)
                both.xdel(self._stream, *ids)
                await both.execute()

        async def give_back() -> None:
            await self._give_back(ids)

        await self._acknowledging.process([_bytes(fields) for _, fields in entries], acknowledge, give_back)

    async def _give_back(self, ids: Sequence[bytes]) -> None:
        """Make entries as old as `redelivered_after`, so that the next consumer that looks claims them."""
        async with self._asking() as redis:
            idle = self._redelivered_after * MILLISECONDS
            await redis.xclaim(self._stream, GROUP, self._names[0], 0, list(ids), idle=idle, justid=True)

    async def _claim(self) -> None:
        """Process, for ever, what other consumers received and left."""
        assert self._acknowledging is not None
        while True:
            try:
                await self._claim_all()
                await self._forget_consumers()
            except BrokerError as error:
                self._acknowledging.on_trouble(error)
            await self._acknowledging.hold_when_stopping()
            await asyncio.sleep(CLAIMING_SECONDS)

    async def _claim_all(self) -> None:
        after: bytes | str = "0-0"
        while True:
            async with self._asking() as redis:
                idle = self._redelivered_after * MILLISECONDS
                after, entries, *_ = await redis.xautoclaim(
                    self._stream, GROUP, self._names[0], idle, after, count=BATCH
                )
                if deleted := [number for number, fields in entries if fields is None]:
                    await redis.xack(self._stream, GROUP, *deleted)
            if claimed := [(number, fields) for number, fields in entries if fields is not None]:
                await self._process(claimed)
            if after in (b"0-0", "0-0"):
                return

    async def _forget_consumers(self) -> None:
        async with self._asking() as redis:
            for consumer in await redis.xinfo_consumers(self._stream, GROUP):
                if not consumer["pending"] and consumer["idle"] > FORGOTTEN_AFTER * MILLISECONDS:
                    await redis.xgroup_delconsumer(self._stream, GROUP, consumer["name"])

    async def start(self) -> None:
        """Raises BrokerError."""
        async with self._asking():
            await self._broker.start()
        self._claiming = asyncio.create_task(self._claim())

    async def stop(self) -> None:
        """Finish the batches in hand, stop reading, and give back what the last reads brought."""
        if self._acknowledging is not None:
            await self._acknowledging.stop()
        with suppress(RedisError, OSError):
            for subscriber in self._broker.subscribers:
                await subscriber.stop()
        if self._claiming is not None:
            self._claiming.cancel()
            with suppress(BrokerError, TimeoutError):
                await asyncio.wait_for(self._give_back_unprocessed(), GIVEN_BACK_WITHIN)
        with suppress(RedisError, OSError):
            await self._broker.stop()

    async def _give_back_unprocessed(self) -> None:
        """Give back what a read brought that was cancelled: else it would be claimed only after `redelivered_after`."""
        for name in self._names:
            after: bytes | str = "-"
            while pending := await self._pending(name, after):
                after = b"(" + pending[-1]["message_id"]
                idle = self._redelivered_after * MILLISECONDS
                if ids := [one["message_id"] for one in pending if one["time_since_delivered"] < idle]:
                    await self._give_back(ids)

    async def _pending(self, consumer: str, after: bytes | str) -> list[dict[str, Any]]:
        async with self._asking() as redis:
            found: list[dict[str, Any]] = await redis.xpending_range(
                self._stream, GROUP, after, "+", BATCH, consumername=consumer
            )
            return found

    # --- out ---

    async def publish_outcomes(self, outcomes: Sequence[OutboxMessage]) -> None:
        """Raises BrokerError."""
        oldest = int((time.time() - OUTCOMES_KEPT_DAYS * 86_400) * MILLISECONDS)
        async with self._asking() as redis, redis.pipeline(transaction=False) as many:
            for source, body in bundles(outcomes):
                many.xadd(outcome_subject(self._ledger, source), {DATA: body}, minid=oldest, approximate=True)
            await many.execute()

    async def publish_messages(self, messages: Sequence[Outgoing]) -> None:
        """Raises BrokerError. One stream takes them all, whatever their subjects."""
        async with self._asking() as redis, redis.pipeline(transaction=False) as many:
            for message in messages:
                many.xadd(self._stream, {DATA: message.body})
            await many.execute()

    # --- how it is ---

    async def alive(self) -> bool:
        """Whether the server answers and the group exists: without it, we no longer read."""
        try:
            async with self._asking() as redis:
                return bool(await redis.ping()) and await self._group() is not None
        except BrokerError:
            return False

    async def backlog(self) -> Backlog:
        """Raises BrokerError."""
        async with self._asking() as redis:
            group = await self._group()
            if group is None:
                raise self._address.refused(f"there is no group {GROUP}: run verbale broker setup")
            # What is acknowledged is deleted: the rest is pending, or not delivered yet.
            length = await redis.xlen(self._stream)
        return Backlog(max(length - group["pending"], 0), group["pending"])


def _bytes(fields: dict[bytes, bytes]) -> bytes:
    """The bytes of a message, however they were written into an entry; without such a field, all fields as JSON."""
    if DATA in fields:
        return fields[DATA]
    encoded = fields.get(FASTSTREAM_DATA)
    if encoded is None:
        found = {name.decode(errors="backslashreplace"): text.decode(errors="replace") for name, text in fields.items()}
        return json.dumps(found).encode()
    if encoded.startswith(BinaryMessageFormatV1.IDENTITY_HEADER):
        return BinaryMessageFormatV1.parse(encoded)[0]
    return encoded


async def _leave_encoded(message: BatchStreamMessage) -> StreamMessage[BatchStreamMessage]:
    """A parser that decodes nothing: where FastStream's own cannot decode one entry, no handler gets any."""
    return StreamMessage(raw_message=message, body=b"")
