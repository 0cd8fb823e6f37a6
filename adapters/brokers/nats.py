"""NATS JetStream.

Messages are kept in a file-backed stream, by limits and without any: what was answered stays, so that everything can be
given to a store that was restored from an older copy. An operator who needs the room sets a limit or purges. They are
pulled in batches by one durable consumer that every `verbale consume` shares. Nothing is delivered a last time: each
message gets an outcome, so none comes for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from itertools import islice
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

from adapters.brokers.broker import (
    ANSWERED_WITHIN,
    LONGEST_GATHERING,
    MESSAGE_TYPE,
    OUTCOMES_KEPT_DAYS,
    OUTCOMES_TYPE,
    REACHED_WITHIN,
    REDELIVERED_AFTER,
    Acknowledging,
    Backlog,
    BrokerAddress,
    BrokerResource,
    Outgoing,
    bundles,
    whole,
)
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
"""What about them must be as we want it."""
PUBLISHED_AT_ONCE = 256
UNAVAILABLE_PAUSE = 1.0
LONGEST_WORD = 1_000
"""Of a subject: a server takes 4,096 bytes of it, and of what goes with it."""


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
        self._last_trouble = "no answer"
        self._broker = NatsBroker(
            address.urls(),
            logger=None,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=5,
            apply_types=False,
            graceful_timeout=None,
            error_cb=self._hear_trouble,
        )

    async def connect(self) -> None:
        """Raises BrokerError where no server answers."""
        try:
            # The library, which is to come back to a server however long it is away, would knock for ever.
            self._client = await asyncio.wait_for(self._broker.connect(), REACHED_WITHIN)
        except TimeoutError:
            raise self._address.unreachable(self._last_trouble) from None
        except (Error, OSError) as error:
            raise self._address.unreachable(error) from None

    async def _hear_trouble(self, error: Exception) -> None:
        self._last_trouble = str(error) or type(error).__name__
        if self._acknowledging is not None:
            self._acknowledging.on_trouble(self._address.refused(error))

    # --- what must be there ---

    @property
    def resources(self) -> Sequence[BrokerResource]:
        """Both streams, and the consumer."""
        messages, outcomes, consumer = self._messages_stream(), self._outcomes_stream(), self._consumer()
        return [
            self._stream_resource(messages),
            BrokerResource(
                f"consumer {DURABLE} of stream {self._messages}",
                self._looking(lambda: self._jetstream.consumer_info(self._messages, DURABLE), consumer, _CONSUMER),
                self._making(lambda: self._jetstream.add_consumer(self._messages, consumer)),
            ),
            self._stream_resource(outcomes),
        ]

    def _stream_resource(self, wanted: js.StreamConfig) -> BrokerResource:
        return BrokerResource(
            f"stream {wanted.name}",
            self._looking(lambda: self._jetstream.stream_info(str(wanted.name)), wanted, _STREAM),
            self._making(lambda: self._jetstream.add_stream(wanted)),
        )

    def _messages_stream(self) -> js.StreamConfig:
        return js.StreamConfig(
            name=self._messages,
            description="messages for Verbale",
            subjects=[every_message(self._ledger)],
            retention=js.RetentionPolicy.LIMITS,
            storage=js.StorageType.FILE,
            discard=js.DiscardPolicy.NEW,  # where there is a limit: the producer hears of it, nothing is dropped
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

    def _looking(
        self, ask: Callable[[], Coroutine[Any, Any, Any]], wanted: Any, needed: Sequence[str]
    ) -> Callable[[], Coroutine[Any, Any, list[str] | None]]:
        async def look() -> list[str] | None:
            try:
                found = (await ask()).config
            except NotFoundError:
                return None
            except (Error, OSError, TimeoutError) as error:
                raise self._address.refused(error) from None
            pairs = [(name, getattr(found, name), getattr(wanted, name)) for name in needed]
            return [f"{name} is {_told(has)}, not {_told(wants)}" for name, has, wants in pairs if has != wants]

        return look

    def _making(self, ask: Callable[[], Coroutine[Any, Any, Any]]) -> Callable[[], Coroutine[Any, Any, None]]:
        async def make() -> None:
            try:
                await ask()
            except (Error, OSError, TimeoutError) as error:
                raise self._address.refused(error) from None

        return make

    # --- messages in ---

    def subscribe(self, acknowledging: Acknowledging) -> None:
        """Pull batches from the durable consumer, several at a time."""
        self._acknowledging = acknowledging

    async def start(self) -> None:
        """Raises BrokerError."""
        try:
            for _ in range(PULLING_AT_ONCE):
                await self._pull()
        except (Error, OSError, TimeoutError) as error:
            raise self._address.refused(error) from None

    async def _pull(self) -> None:
        subscriber = self._broker.subscriber(
            every_message(self._ledger),
            durable=DURABLE,
            config=self._consumer(),
            stream=JStream(self._messages, declare=False),
            pull_sub=PullSub(batch_size=BATCH, timeout=LONGEST_GATHERING, batch=True),
            decoder=whole,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
        )
        subscriber(self._take)
        await subscriber.start()
        subscription = subscriber.subscription
        assert subscription is not None
        subscription.fetch = partial(self._fetch, subscription.fetch)  # type: ignore[method-assign]
        self._subscriptions.append(subscription)

    async def _fetch(self, fetch: Callable[..., Awaitable[list[Msg]]], batch: int, timeout: float) -> list[Msg]:
        """Fetch messages, none once we are stopping.

        Where time is up between two of its steps, the client of NATS raises the TimeoutError of Python instead of its
        own, of which FastStream knows nothing: it would forget the messages that it has fetched already.
        """
        if self._acknowledging is None or self._acknowledging.stopping:
            await asyncio.sleep(timeout)
            raise NothingFetched
        try:
            return await fetch(batch=batch, timeout=timeout)
        except TimeoutError:
            raise NothingFetched from None
        except ServiceUnavailableError:
            where = f"consumer {DURABLE} of stream {self._messages}"
            said = (
                f"nobody answers for {where}: its cluster has no leader yet, or it is gone (run verbale broker setup)"
            )
            self._acknowledging.on_trouble(self._address.refused(said))
        except Error as error:
            self._acknowledging.on_trouble(self._address.refused(error))
        await asyncio.sleep(UNAVAILABLE_PAUSE)
        raise NothingFetched

    async def _take(self, batch: NatsBatchMessage) -> None:
        assert self._acknowledging is not None
        await self._acknowledging.settle([one.data for one in batch.raw_message], batch.ack, batch.nack)

    async def stop(self) -> None:
        """A pull that is under way is waited for: what it brings is given back at once, not after a minute."""
        if self._acknowledging is not None:
            await self._acknowledging.stop(after=2 * LONGEST_GATHERING)
        with suppress(Error, TimeoutError):
            for subscription in self._subscriptions:
                await _give_back_what_came(subscription)
            await self._broker.stop()
        if self._client is not None and not self._client.is_closed:
            await self._client.close()

    # --- out ---

    async def send(self, letters: Sequence[OutboxMessage]) -> None:
        """Raises BrokerError. Sent again within two minutes, the same array is kept once."""
        await self._publish(
            (
                shortened(outcome_subject(self._ledger, source), LONGEST_WORD),
                body,
                {"Content-Type": OUTCOMES_TYPE, js.Header.MSG_ID: sha256(body).hexdigest()},
            )
            for source, body in bundles(letters)
        )

    async def publish(self, parcels: Sequence[Outgoing]) -> None:
        """Raises BrokerError. Without an id of NATS's own: the same message sent again is to be answered again."""
        await self._publish(
            (shortened(parcel.subject, LONGEST_WORD), parcel.body, {"Content-Type": MESSAGE_TYPE}) for parcel in parcels
        )

    async def _publish(self, told: Iterable[tuple[str, bytes, dict[str, str]]]) -> None:
        jetstream = self._jetstream
        rest = iter(told)
        while some := list(islice(rest, PUBLISHED_AT_ONCE)):
            asked = [jetstream.publish(to, body, ANSWERED_WITHIN, headers=headers) for to, body, headers in some]
            for result in await asyncio.gather(*asked, return_exceptions=True):
                if isinstance(result, NoStreamResponseError):
                    raise self._address.refused(f"no stream takes {some[0][0]}: run verbale broker setup")
                if isinstance(result, (Error, OSError, TimeoutError)):
                    raise self._address.refused(result)
                if isinstance(result, BaseException):
                    raise result

    # --- how it is ---

    async def alive(self) -> bool:
        """Whether we are connected to a server."""
        return self._client is not None and self._client.is_connected

    async def backlog(self) -> Backlog:
        """Raises BrokerError."""
        try:
            found = await self._jetstream.consumer_info(self._messages, DURABLE)
        except (Error, OSError, TimeoutError) as error:
            raise self._address.refused(error) from None
        return Backlog(found.num_pending, found.num_ack_pending)

    @property
    def _jetstream(self) -> JetStreamContext:
        context: JetStreamContext = self._broker.config.connection_state.stream
        return context


async def _give_back_what_came(subscription: JetStreamContext.PullSubscription) -> None:
    """What came too late for the fetch that had asked for it lies in the client, waiting for the next one."""
    while subscription.pending_msgs:
        message = await subscription._sub.next_msg(timeout=LONGEST_GATHERING)
        with suppress(NotJSMessageError):  # the server's own remarks come the same way
            await message.nak()


def _told(value: object) -> str:
    return str(getattr(value, "value", value))
