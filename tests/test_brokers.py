"""Every broker alike: what is published is answered, the answers are kept, and nothing is left unacknowledged."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aio_pika
import nats as nats_client
import pytest
import redis.asyncio
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from faststream.rabbit import RabbitBroker
from faststream.redis.parser import BinaryMessageFormatV1
from hypothesis import given
from hypothesis import strategies as st
from nats.js import JetStreamContext
from support.brokers import (
    WITHIN,
    connected,
    fresh_ledger,
    heard,
    kafka_server,
    nats,
    outcomes,
    prepare,
    publish,
    rabbit_server,
    redis_server,
)
from support.messages import SOURCE, Clock, charge, contract_in_force, message, opening, wire

from adapters.brokers.acknowledge import Acknowledging
from adapters.brokers.address import BrokerError, read_address
from adapters.brokers.broker import missing
from adapters.brokers.connect import open_client
from adapters.brokers.outgoing import MOST_BYTES, addressed, bundles
from adapters.brokers.subjects import every_message, outcome_subject
from adapters.inbox.batcher import Batcher
from adapters.inbox.handler import CommandHandler
from adapters.inbox.outcome_events import outbox_writer
from adapters.inbox.outcomes import Answered
from adapters.store.errors import LockedStore
from adapters.store.ledger import Ledger
from adapters.store.records import OutboxMessage
from adapters.store.sqlite import open_memory

SERVERS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "nats": nats,
    "redis": redis_server,
    "rabbit": rabbit_server,
    "kafka": kafka_server,
}

POISON = [
    b"",
    b"\xff\xfe\x00",
    b"not json",
    b"null",
    b"[]",
    b"{}",
    b'{"data": "a string"}',
    b"[" * 20_000,
    b'{"specversion": "1.0", "specversion": "1.0"}',
    b'{"id": "' + b"x" * 200_000 + b'"}',
    message("incident.open", "incident-INC1", "2026-03-02T08:00:00Z", {"impact": "unheard of"}),
    message("incident.open", "incident-INC1", "2026-03-02T08:00:00", {}),
    wire({"specversion": "1.0", "id": "1", "source": "s", "type": "verbale.incident.unheard.v1"}),
    wire({"specversion": "1.0", "id": "x" * 600_000, "source": SOURCE, "type": "verbale.incident.open.v1"}),
    wire({"specversion": "1.0", "id": "1", "source": "s", "y" * 600_000: "1"}),
    wire({"specversion": "1.0", "id": "1", "source": "s", "type": "z" * 600_000}),
]


@dataclass(frozen=True)
class Place:
    """A ledger at a broker, set up, with a command handler over a store in memory."""

    url: str
    ledger: str
    handler: CommandHandler

    def publish(self, raws: Sequence[bytes]) -> None:
        """Publish messages."""
        publish(self.url, self.ledger, raws)

    def heard(self) -> list[tuple[str, str]]:
        """Id and outcome of every outcome published."""
        return heard(self.url, self.ledger)

    def take(self, until: Callable[[], bool] = lambda: True, *, consumers: int = 1) -> None:
        """Take messages until something is so, and then until nothing is left at the broker."""

        async def go() -> None:
            batcher = Batcher(self.handler)
            async with AsyncExitStack() as taken:
                for _ in range(consumers):
                    await taken.enter_async_context(taking(self, batcher))
                await eventually(lambda: asyncio.to_thread(until))
                await eventually(self._nothing_left)

        asyncio.run(go())

    def take_all(self, number: int, **others: Any) -> None:
        """Take messages until so many outcomes are published."""
        self.take(lambda: len(self.heard()) >= number, **others)
        assert len(self.heard()) == number

    async def _nothing_left(self) -> bool:
        async with connected(self.url, self.ledger) as client:
            return not any(await client.backlog())


@asynccontextmanager
async def taking(place: Place, batcher: Batcher) -> AsyncIterator[None]:
    """Messages are taken meanwhile; then stopped, as the consumer does."""
    write = outbox_writer(place.ledger, Clock())
    troubles: list[Exception] = []
    client = open_client(place.url, place.ledger)

    async def answer(raws: Sequence[bytes]) -> list[OutboxMessage]:
        return [write(reply) for reply in await batcher.receive_patiently(raws)]

    await client.connect()
    client.subscribe(Acknowledging(answer, client.publish_outcomes, troubles.append))
    await client.start()
    try:
        yield
    finally:
        batcher.stop()
        await client.stop()
    assert troubles == []


async def eventually(true: Callable[[], Any]) -> None:
    """Return once something is so."""
    async with asyncio.timeout(WITHIN):
        while not await true():
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module", params=list(SERVERS))
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a broker of each kind."""
    with SERVERS[request.param]() as started:
        yield started.url


@pytest.fixture
def memory() -> Iterator[tuple[str, Ledger]]:
    """A new ledger, in memory."""
    name = fresh_ledger()
    ledger = open_memory(ledger_id=name, now=Clock())
    yield name, ledger
    ledger.close()


@pytest.fixture
def place(server: str, memory: tuple[str, Ledger]) -> Place:
    """A ledger set up at a broker of each kind."""
    name, ledger = memory
    prepare(server, name)
    return Place(server, name, CommandHandler(ledger, Clock()))


def openings(number: int) -> list[bytes]:
    """Requests, each with an id of its own."""
    return [opening(f"INC{one}", id=f"open-{one}") for one in range(number)]


def test_what_is_missing_is_told_and_made_once(server: str) -> None:
    ledger = fresh_ledger()

    async def absent() -> list[str]:
        async with connected(server, ledger) as client:
            return await missing(client)

    told = asyncio.run(absent())
    assert told
    made = prepare(server, ledger)
    assert [line.removesuffix(": made") for line in made if line.endswith(": made")] == told
    assert asyncio.run(absent()) == []
    assert all(line.endswith(": there already") for line in prepare(server, ledger))


def test_what_is_published_is_answered_and_the_answers_are_kept_for_each_source(place: Place) -> None:
    others = [opening(f"OTHER{number}", id=f"other-{number}") for number in range(20)]
    others = [raw.replace(SOURCE.encode(), b"monitor:other/1") for raw in others]
    place.publish([*contract_in_force(), *openings(30), *others, b"unreadable"])
    place.take_all(4 + 30 + 20 + 1)
    told = outcomes(place.url, place.ledger)
    if place.url.startswith(("nats", "redis", "amqp")):
        assert set(told) == {outcome_subject(place.ledger, source) for source in (SOURCE, "monitor:other/1", None)}
    by_source = Counter(event["data"].get("source") for events in told.values() for event in events)
    assert by_source == {SOURCE: 34, "monitor:other/1": 20, None: 1}
    assert Counter(outcome for _, outcome in place.heard()) == {"done": 54, "refused": 1}
    assert place.handler.ledger.store.counts()["messages"] == 54


def test_poison_of_every_kind_is_answered_costs_no_other_its_answer_and_does_not_come_again(place: Place) -> None:
    good = openings(5)
    place.publish([*POISON[:6], *good, *POISON[6:]])
    place.take_all(len(POISON) + len(good))
    assert Counter(outcome for _, outcome in place.heard()) == {"done": len(good), "refused": len(POISON)}
    kept = [row.message.raw for row in place.handler.ledger.store.refused()]
    assert sorted(kept) == sorted(POISON)


@pytest.mark.parametrize("server", ["nats", "redis", "rabbit"], indirect=True)
def test_a_lone_message_does_not_wait_for_a_full_batch(place: Place) -> None:
    place.publish(openings(1))
    place.take_all(1)
    assert place.heard() == [("open-0", "done")]


@pytest.mark.parametrize("server", ["nats", "redis", "rabbit"], indirect=True)  # Kafka's is slow to join again
def test_the_same_message_again_is_answered_again(place: Place) -> None:
    place.publish(openings(1))
    place.take_all(1)
    place.publish(openings(1))
    place.take_all(2)
    assert place.heard() == [("open-0", "done"), ("open-0", "duplicate")]


def test_while_the_store_is_away_messages_wait_and_are_answered_once_it_is_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, away = place.handler.handle, [True] * 4

    def handle(raws: Sequence[bytes]) -> Answered:
        if away:
            away.pop()
            raise LockedStore("locked")
        return real(raws)

    monkeypatch.setattr(place.handler, "handle", handle)
    place.publish(openings(10))
    place.take_all(10)
    assert Counter(place.heard()) == {(f"open-{number}", "done"): 1 for number in range(10)}
    assert not away


def test_a_batch_in_hand_goes_back_at_once_where_we_stop_while_the_store_is_away(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def away(raws: Sequence[bytes]) -> Answered:
        tried.append(len(raws))
        raise LockedStore("locked")

    place.publish(openings(10))
    with monkeypatch.context() as patched:
        patched.setattr(place.handler, "handle", away)

        async def stopped() -> None:
            async with taking(place, Batcher(place.handler)):

                async def begun() -> bool:
                    return bool(tried)

                await eventually(begun)

        asyncio.run(stopped())
    assert place.heard() == []
    place.take_all(10)
    assert Counter(place.heard()) == {(f"open-{number}", "done"): 1 for number in range(10)}


def test_two_consumers_share_the_messages(place: Place) -> None:
    place.publish(openings(1200))
    place.take_all(1200, consumers=2)
    assert Counter(place.heard()) == {(f"open-{number}", "done"): 1 for number in range(1200)}


def test_a_consumer_that_is_stopped_under_load_and_started_again_answers_every_message_once(place: Place) -> None:
    place.publish(openings(1500))

    async def a_while() -> None:
        batcher = Batcher(place.handler)
        async with taking(place, batcher):

            async def begun() -> bool:
                return place.handler.ledger.store.counts()["messages"] > 0

            await eventually(begun)

    asyncio.run(a_while())
    place.take_all(1500)
    assert Counter(place.heard()) == {(f"open-{number}", "done"): 1 for number in range(1500)}


@pytest.mark.parametrize("server", ["nats", "redis"], indirect=True)
def test_what_is_being_fetched_as_we_stop_is_given_back_at_once(
    server: str, memory: tuple[str, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, ledger = memory
    prepare(f"{server}?redelivered_after=600", name)
    place = Place(server, name, CommandHandler(ledger, Clock()))
    place.publish(openings(10))
    fetching: type[Any] = JetStreamContext.PullSubscription if server.startswith("nats") else redis.asyncio.Redis
    method = "fetch" if server.startswith("nats") else "xreadgroup"
    fetch, fetched = getattr(fetching, method), []

    async def slowly(self: Any, *given: Any, **named: Any) -> Any:
        found = await fetch(self, *given, **named)
        if found:
            fetched.append(found)
            await asyncio.sleep(1)
        return found

    async def stopped() -> None:
        async with taking(place, Batcher(place.handler)):

            async def begun() -> bool:
                return bool(fetched)

            await eventually(begun)

    with monkeypatch.context() as patched:
        patched.setattr(fetching, method, slowly)
        asyncio.run(stopped())
    place.take_all(10)
    assert Counter(place.heard()) == {(f"open-{number}", "done"): 1 for number in range(10)}


@pytest.mark.parametrize("server", ["rabbit"], indirect=True)
@pytest.mark.parametrize("error", [Exception(), asyncio.InvalidStateError(), asyncio.CancelledError()])
def test_what_rabbitmq_did_not_confirm_before_its_channel_closed_is_not_published(
    place: Place, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def closed(*given: Any, **named: Any) -> None:
        raise error

    monkeypatch.setattr(RabbitBroker, "publish", closed)
    with pytest.raises(BrokerError):
        place.publish(openings(1))


def test_a_message_is_published_whatever_it_says() -> None:
    assert addressed("main", opening()).subject == "verbale.main.acme-2026.incident.open"
    assert addressed("main", contract_in_force()[3]).subject == "verbale.main.acme-2026.credits.purchase"
    assert addressed("main", opening(contract="a.b c")).subject == "verbale.main.a%2Eb%20c.incident.open"
    for raw in POISON:
        assert len(addressed("main", raw).subject.split(".")) == len(every_message("main").split("."))


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(2, MOST_BYTES)), max_size=12))
def test_outcomes_travel_together_in_their_order_and_never_too_many_bytes_of_them(
    given: list[tuple[str | None, int]],
) -> None:
    sent = [OutboxMessage(source, b'"' + b"x" * (size - 2) + b'"') for source, size in given]
    bundled = list(bundles(sent))
    for source in ("a", "b", None):
        arrays = [body for to, body in bundled if to == source]
        assert [one for body in arrays for one in json.loads(body)] == [
            json.loads(one.body) for one in sent if one.source == source
        ]
        assert all(len(body) <= MOST_BYTES + 100 or len(json.loads(body)) == 1 for body in arrays)


@pytest.mark.parametrize("scheme", ["nats", "amqp", "redis", "kafka"])
def test_a_password_is_never_shown(scheme: str) -> None:
    address = read_address(f"{scheme}://user:s%C3%ABcret@host:1")
    assert address.password == "sëcret"
    said = [str(address), repr(address), str(address.refused(OSError("no sëcret, no s%C3%ABcret")))]
    assert not any("cret" in one for one in said)


def test_a_token_of_nats_is_a_password() -> None:
    address = read_address("nats://s%C3%ABcret@host:1")
    assert address.urls() == ["nats://s%C3%ABcret@host:1"]
    assert not any("cret" in one for one in (str(address), str(address.refused("no sëcret, no s%C3%ABcret"))))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nats://user:secret@[::1", "no broker"),
        ("nats://user:secret@,", "there is no host"),
        ("amqp://user:secret@host:port", "host:port is no host"),
        ("kafka://a:1,b:99999", "b:99999 is no host"),
        ("mqtt://user:secret@host", "mqtt:..."),
        ("host:4222", "host:..."),
        ("nats://", "nats:..."),
        ("nats://host:4222?replica=3", "replicas"),
        ("nats://host:4222?replicas=0", "above 0"),
        ("redis://a:1,b:2", "one HOST:PORT"),
    ],
)
def test_an_address_that_cannot_be_is_told(url: str, said: str) -> None:
    with pytest.raises(BrokerError) as told:
        open_client(url, "main")
    assert said in str(told.value)
    assert "secret" not in str(told.value)


@pytest.mark.integration
@pytest.mark.parametrize("scheme", ["nats", "amqp", "redis"])
def test_a_broker_that_is_not_there_is_told(scheme: str) -> None:
    client = open_client(f"{scheme}://user:secret@127.0.0.1:9", "main")

    async def go() -> None:
        try:
            with pytest.raises(BrokerError, match="nothing answers there") as told:
                await client.connect()
            assert "secret" not in str(told.value)
        finally:
            await client.stop()

    asyncio.run(go())


async def _raw_redis(url: str, key: str, entries: Sequence[dict[bytes, bytes]]) -> None:
    client: Any = redis.asyncio.Redis.from_url(url)
    async with client:
        for fields in entries:
            await client.xadd(key, fields)


@pytest.mark.parametrize("server", ["redis"], indirect=True)
def test_an_entry_of_redis_is_read_however_it_was_written(place: Place) -> None:
    encoded = asyncio.run(
        BinaryMessageFormatV1.encode(message=opening(id="4"), reply_to=None, headers=None, correlation_id="c")
    )
    entries = [
        {b"data": opening("INC1", id="1")},
        {b"__data__": opening("INC2", id="2")},
        {b"data": opening("INC3", id="3"), b"other": b"\xff"},
        {b"__data__": encoded},
        {b"neither \xff": b"\xfe"},
        {b"__data__": b"\x89BIN\r\n\x1a\n cut off"},
    ]
    asyncio.run(_raw_redis(place.url, f"verbale.{place.ledger}.messages", entries))
    place.take_all(len(entries))
    assert Counter(outcome for _, outcome in place.heard()) == {"done": 4, "refused": 2}


async def _raw_kafka(url: str, topic: str, bodies: Sequence[tuple[bytes | None, list[tuple[str, bytes]]]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=url.partition("//")[2])
    await producer.start()
    for body, headers in bodies:
        await producer.send_and_wait(topic, body, key=b"k", headers=headers)
    await producer.stop()


@pytest.mark.parametrize("server", ["kafka"], indirect=True)
def test_a_record_of_kafka_is_read_whatever_its_headers(place: Place) -> None:
    records = [(opening(id="1"), [("any", b"\xff")]), (None, [("reply_to", b"elsewhere")]), (charge(id="2"), [])]
    asyncio.run(_raw_kafka(place.url, f"verbale.{place.ledger}.messages", records))
    place.take_all(3)
    assert Counter(outcome for _, outcome in place.heard()) == {"done": 2, "refused": 1}


def test_a_name_however_long_has_a_place_in_a_subject(place: Place) -> None:
    source, contract = "\N{BELL}" * 499, "\N{BELL}" * 190
    place.publish([opening(contract=contract, id="long").replace(SOURCE.encode(), source.encode())])
    place.take_all(1)
    assert place.heard() == [("long", "done")]


@pytest.mark.parametrize("server", ["nats"], indirect=True)
def test_what_is_there_otherwise_is_told_and_left_alone(server: str) -> None:
    ledger = fresh_ledger()

    async def made_by_hand() -> None:
        connection = await nats_client.connect(server)
        stream = f"VERBALE_{ledger}_MESSAGES"
        await connection.jetstream().add_stream(name=stream, subjects=[every_message(ledger)], storage="memory")
        await connection.close()

    asyncio.run(made_by_hand())
    for _ in range(2):
        (told,) = [line for line in prepare(server, ledger) if "left as it is" in line]
        assert "storage is memory, not file" in told


@pytest.mark.parametrize("server", ["rabbit"], indirect=True)
def test_a_queue_that_is_there_otherwise_is_told(server: str) -> None:
    ledger = fresh_ledger()

    async def made_by_hand() -> None:
        async with await aio_pika.connect(server) as connection:
            channel = await connection.channel()
            await channel.declare_queue(f"verbale.{ledger}.messages", durable=True)

    asyncio.run(made_by_hand())
    (told,) = [line for line in prepare(server, ledger) if "left as it is" in line]
    assert "x-queue-type" in told


class ProcessedBatch:
    """A batch being processed: which outcomes were sent for it, and whether it was acknowledged or given back."""

    def __init__(self, answer: Callable[[bytes], OutboxMessage], refuses: int = 0) -> None:
        self.sent: list[OutboxMessage] = []
        self.ends: list[str] = []
        self.troubles: list[Exception] = []
        self._refuses = refuses

        async def given(raws: Sequence[bytes]) -> list[OutboxMessage]:
            return [answer(raw) for raw in raws]

        self.acknowledging = Acknowledging(given, self._send, self._trouble)

    async def _send(self, sent: Sequence[OutboxMessage]) -> None:
        if self._refuses:
            self._refuses -= 1
            raise BrokerError("away")
        self.sent += sent

    def _trouble(self, error: Exception) -> None:
        self.troubles.append(error)

    async def process(self, raws: Sequence[bytes]) -> None:
        """Process a batch."""

        async def acknowledge() -> None:
            self.ends.append("acknowledged")

        async def give_back() -> None:
            self.ends.append("given back")

        await self.acknowledging.process(raws, acknowledge, give_back)


def test_a_batch_is_acknowledged_only_once_its_answers_are_published() -> None:
    batch = ProcessedBatch(lambda raw: OutboxMessage("s", raw), refuses=2)
    asyncio.run(batch.process([b"1", b"2"]))
    assert [one.body for one in batch.sent] == [b"1", b"2"]
    assert batch.ends == ["acknowledged"]
    assert [type(trouble) for trouble in batch.troubles] == [BrokerError, BrokerError]


def test_a_batch_whose_answers_cannot_be_published_goes_back_where_we_stop() -> None:
    async def go() -> ProcessedBatch:
        batch = ProcessedBatch(lambda raw: OutboxMessage("s", raw), refuses=1_000_000)
        acknowledging = asyncio.create_task(batch.process([b"1"]))
        while not batch.troubles:
            await asyncio.sleep(0)
        await batch.acknowledging.stop()
        await acknowledging
        return batch

    assert asyncio.run(go()).ends == ["given back"]


def test_a_batch_that_a_fault_of_ours_keeps_from_being_answered_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.brokers.acknowledge.LONGEST_PAUSE", 0.01)

    def fails(raw: bytes) -> OutboxMessage:
        raise ZeroDivisionError("a bug")

    batch = ProcessedBatch(fails)
    asyncio.run(batch.process([b"1"]))
    assert batch.ends == ["given back"]
    assert [type(trouble) for trouble in batch.troubles] == [ZeroDivisionError]
    assert batch.sent == []


def test_a_batch_that_comes_after_the_stop_goes_back_unread() -> None:
    async def go() -> ProcessedBatch:
        batch = ProcessedBatch(lambda raw: OutboxMessage("s", raw))
        await batch.acknowledging.stop()
        await batch.process([b"1"])
        return batch

    batch = asyncio.run(go())
    assert (batch.ends, batch.sent) == (["given back"], [])
