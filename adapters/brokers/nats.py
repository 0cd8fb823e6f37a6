"""NATS JetStream.

Messages are kept in a stream on disk, without limits: what was answered stays, so that everything can be given to a
store that was restored from an older copy. An operator who needs the room sets a limit or purges. They are pulled in
batches by one durable consumer that every `verbale consume` shares. There is no last delivery: each message gets an
outcome, so none is delivered for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Any

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.message import NatsBatchMessage
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error, NotJSMessageError
from nats.errors import TimeoutError as NothingFetched
from nats.js import JetStreamContext
from nats.js import api as js
from nats.js.errors import NoStreamResponseError, NotFoundError, ServiceUnavailableError

from adapters.brokers.acknowledge import Acknowledging
from adapters.brokers.address import BrokerAddress
from adapters.brokers.broker import (
    ANSWERED_WITHIN,
    LONGEST_GATHERING,
    OUTCOMES_KEPT_DAYS,
    REACHED_WITHIN,
    REDELIVERED_AFTER,
    Backlog,
    BrokerResource,
    undecoded,
)
from adapters.brokers.outgoing import MESSAGE_TYPE, OUTCOMES_TYPE, Outgoing, bundles, confirmed
from adapters.brokers.subjects import every_message, every_outcome, outcome_subject, shortened, token
from adapters.inbox.ingest import BATCH
from adapters.store.records import OutboxMessage

DURABLE = "verbale"
PULLING_AT_ONCE = 2
"""While one batch is being recorded the next is fetched, and the one before acknowledged."""
MOST_UNACKNOWLEDGED = 8 * BATCH
DEDUPLICATED_SECONDS = 120.0
_STREAM = ("subjects", "retention", "storage", "num_replicas")
_CONSUMER = ("ack_policy", "ack_wait", "max_deliver", "max_ack_pending", "filter_subject")
"""What about them must be as we need it."""
UNAVAILABLE_PAUSE = 1.0
"""Seconds until the next fetch where the consumer cannot be reached."""
LONGEST_WORD = 1_000
"""Of a subject: a server takes 4,096 bytes for a subject and what it sends with it."""
FAILURES = (Error, OSError, TimeoutError)
"""What its client raises."""


class NatsClient:
    """A ledger's streams on NATS."""

    def __init__(self, address: BrokerAddress, ledger: str) -> None:
        self._address, self._ledger = address, ledger
        self._replicas = address.number("replicas", 1)
        self._redelivered_after = address.number("redelivered_after", REDELIVERED_AFTER)
        self._messages, self._outcomes = (f"VERBALE_{token(ledger)}_{what}" for what in ("MESSAGES", "OUTCOMES"))
        self._acknowledging: Acknowledging | None = None
        self._client: Client | None = None
        self._subscriptions: list[JetStreamContext.PullSubscription] = []
        self._pulling: list[_Pulling] = []
        self._last_trouble = "no answer"
        self._broker = NatsBroker(
            address.urls(),
            logger=None,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=5,
            apply_types=False,
            graceful_timeout=None,
            error_cb=self._on_client_error,
        )

    async def connect(self) -> None:
        """Raises BrokerError where no server answers."""
        try:
            # The library reconnects to a server however long it is away, so it would also try to connect for ever.
            self._client = await asyncio.wait_for(self._broker.connect(), REACHED_WITHIN)
        except TimeoutError:
            raise self._address.unreachable(self._last_trouble) from None
        except (Error, OSError) as error:
            raise self._address.unreachable(error) from None

    async def _on_client_error(self, error: Exception) -> None:
        self._last_trouble = str(error) or type(error).__name__
        if self._acknowledging is not None:
            self._acknowledging.on_trouble(self._address.refused(error))

    # --- what must exist ---

    @property
    def resources(self) -> Sequence[BrokerResource]:
        """Both streams, and the consumer."""
        messages, outcomes, consumer = self._messages_stream(), self._outcomes_stream(), self._consumer()
        return [
            self._stream_resource(messages),
            self._resource(
                f"consumer {DURABLE} of stream {self._messages}",
                lambda: self._jetstream.consumer_info(self._messages, DURABLE),
                lambda: self._jetstream.add_consumer(self._messages, consumer),
                consumer,
                _CONSUMER,
            ),
            self._stream_resource(outcomes),
        ]

    def _stream_resource(self, wanted: js.StreamConfig) -> BrokerResource:
        return self._resource(
            f"stream {wanted.name}",
            lambda: self._jetstream.stream_info(str(wanted.name)),
            lambda: self._jetstream.add_stream(wanted),
            wanted,
            _STREAM,
        )

    def _messages_stream(self) -> js.StreamConfig:
        return js.StreamConfig(
            name=self._messages,
            description="messages for Verbale",
            subjects=[every_message(self._ledger)],
            retention=js.RetentionPolicy.LIMITS,
            storage=js.StorageType.FILE,
            discard=js.DiscardPolicy.NEW,  # where there is a limit, the producer gets an error and nothing is dropped
            num_replicas=self._replicas,
            duplicate_window=DEDUPLICATED_SECONDS,
        )

    def _outcomes_stream(self) -> js.StreamConfig:
        return js.StreamConfig(
            name=self._outcomes,
            description="what became of the messages for Verbale",
            subjects=[every_outcome(self._ledger)],
            retention=js.RetentionPolicy.LIMITS,
            storage=js.StorageType.FILE,
            max_age=OUTCOMES_KEPT_DAYS * 86_400.0,
            num_replicas=self._replicas,
            duplicate_window=DEDUPLICATED_SECONDS,
        )

    def _consumer(self) -> js.ConsumerConfig:
        return js.ConsumerConfig(
            name=DURABLE,
            durable_name=DURABLE,
            deliver_policy=js.DeliverPolicy.ALL,
            ack_policy=js.AckPolicy.EXPLICIT,
            ack_wait=float(self._redelivered_after),
            max_deliver=-1,
            max_ack_pending=MOST_UNACKNOWLEDGED,
            filter_subject=every_message(self._ledger),
        )

    def _resource(
        self,
        name: str,
        ask: Callable[[], Coroutine[Any, Any, Any]],
        add: Callable[[], Coroutine[Any, Any, Any]],
        wanted: Any,
        needed: Sequence[str],
    ) -> BrokerResource:
        async def look() -> list[str] | None:
            with self._address.refusing(*FAILURES):
                try:
                    found = (await ask()).config
                except NotFoundError:
                    return None
            pairs = [(name, getattr(found, name), getattr(wanted, name)) for name in needed]
            return [f"{name} is {_text(has)}, not {_text(wants)}" for name, has, wants in pairs if has != wants]

        async def make() -> None:
            with self._address.refusing(*FAILURES):
                await add()

        return BrokerResource(name, look, make)

    # --- messages in ---

    def subscribe(self, acknowledging: Acknowledging) -> None:
        """Pull batches from the durable consumer, several at a time."""
        self._acknowledging = acknowledging

    async def start(self) -> None:
        """Raises BrokerError."""
        with self._address.refusing(*FAILURES):
            for _ in range(PULLING_AT_ONCE):
                await self._pull()

    async def _pull(self) -> None:
        assert self._acknowledging is not None
        subscriber = self._broker.subscriber(
            every_message(self._ledger),
            durable=DURABLE,
            config=self._consumer(),
            stream=JStream(self._messages, declare=False),
            pull_sub=PullSub(batch_size=BATCH, timeout=LONGEST_GATHERING, batch=True),
            decoder=undecoded,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
        )
        subscriber(self._take)
        await subscriber.start()
        subscription = subscriber.subscription
        assert subscription is not None
        pulling = _Pulling(subscription.fetch, self._acknowledging, self._on_fetch_error)
        subscription.fetch = pulling.fetch  # type: ignore[method-assign, assignment]
        self._pulling.append(pulling)
        self._subscriptions.append(subscription)

    async def _take(self, batch: NatsBatchMessage) -> None:
        assert self._acknowledging is not None
        await self._acknowledging.process([one.data for one in batch.raw_message], batch.ack, batch.nack)

    def _on_fetch_error(self, error: Error) -> None:
        assert self._acknowledging is not None
        reason: Exception | str = error
        if isinstance(error, ServiceUnavailableError):
            where = f"consumer {DURABLE} of stream {self._messages}"
            reason = (
                f"nobody answers for {where}: its cluster has no leader yet, or it is gone (run verbale broker setup)"
            )
        self._acknowledging.on_trouble(self._address.refused(reason))

    async def stop(self) -> None:
        """Wait for a pull that is under way: what it brings is given back at once, not after `redelivered_after`."""
        if self._acknowledging is not None:
            await self._acknowledging.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWERED_WITHIN):
                for pulling in self._pulling:
                    await pulling.ended.wait()
        with suppress(Error, TimeoutError):
            for subscription in self._subscriptions:
                await _give_back_unfetched(subscription)
            await self._broker.stop()
        if self._client is not None and not self._client.is_closed:
            await self._client.close()

    # --- out ---

    async def publish_outcomes(self, outcomes: Sequence[OutboxMessage]) -> None:
        """Raises BrokerError. An array that is sent again within two minutes is kept once."""
        await self._publish(
            self._confirmed(
                outcome_subject(self._ledger, source),
                body,
                {"Content-Type": OUTCOMES_TYPE, js.Header.MSG_ID: sha256(body).hexdigest()},
            )
            for source, body in bundles(outcomes)
        )

    async def publish_messages(self, messages: Sequence[Outgoing]) -> None:
        """Raises BrokerError. Without an id of NATS's own: the same message sent again is to be answered again."""
        await self._publish(self._confirmed(one.subject, one.body, {"Content-Type": MESSAGE_TYPE}) for one in messages)

    async def _publish(self, publishing: Iterable[Awaitable[Any]]) -> None:
        await confirmed(publishing, self._address, *FAILURES)

    async def _confirmed(self, subject: str, body: bytes, headers: dict[str, str]) -> None:
        to = shortened(subject, LONGEST_WORD)
        try:
            await self._jetstream.publish(to, body, ANSWERED_WITHIN, headers=headers)
        except NoStreamResponseError:
            raise self._address.refused(f"no stream takes {to}: run verbale broker setup") from None

    # --- how it is ---

    async def alive(self) -> bool:
        """Whether we are connected to a server."""
        return self._client is not None and self._client.is_connected

    async def backlog(self) -> Backlog:
        """Raises BrokerError."""
        with self._address.refusing(*FAILURES):
            found = await self._jetstream.consumer_info(self._messages, DURABLE)
        return Backlog(found.num_pending, found.num_ack_pending)

    @property
    def _jetstream(self) -> JetStreamContext:
        context: JetStreamContext = self._broker.config.connection_state.stream
        return context


class _Pulling:
    """The fetches of one of FastStream's loops, which gathers what several fetches bring before it hands a batch over.

    Once we are stopping, the first fetch brings nothing, so that the loop hands over what it has gathered (and we give
    it back). At the second fetch the loop holds nothing: `ended` is set, and the fetch never returns.
    """

    def __init__(
        self,
        fetch: Callable[..., Awaitable[list[Msg]]],
        acknowledging: Acknowledging,
        on_error: Callable[[Error], None],
    ) -> None:
        self._fetch, self._acknowledging, self._on_error = fetch, acknowledging, on_error
        self._handed_over = False
        self.ended = asyncio.Event()

    async def fetch(self, batch: int, timeout: float) -> list[Msg]:
        """Fetch messages. Raises NothingFetched.

        Where time is up between two of its steps, the client of NATS raises Python's TimeoutError instead of its own.
        FastStream does not expect that one, and would lose the messages that it has fetched already.
        """
        if self._acknowledging.stopping:
            if self._handed_over:
                self.ended.set()
                await asyncio.Event().wait()
            self._handed_over = True
            raise NothingFetched
        try:
            return await self._fetch(batch=batch, timeout=timeout)
        except TimeoutError:
            raise NothingFetched from None
        except Error as error:
            self._on_error(error)
        await self._acknowledging.pause(UNAVAILABLE_PAUSE)
        raise NothingFetched


async def _give_back_unfetched(subscription: JetStreamContext.PullSubscription) -> None:
    """Give back messages that arrived too late for their fetch: they wait in the client for the next one."""
    while subscription.pending_msgs:
        message = await subscription._sub.next_msg(timeout=LONGEST_GATHERING)
        with suppress(NotJSMessageError):  # the server's status messages arrive in the same way
            await message.nak()


def _text(value: object) -> str:
    return str(getattr(value, "value", value))
