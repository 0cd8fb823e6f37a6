"""Whatever fails under load: every message gets one final answer, and the record is what a clean run records.

Brokers, stores and consumers are real and fail for real; producers publish again what was not confirmed to them.
"""

import asyncio
import os
import random
import socket
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import nats as nats_client
import pytest
from nats.js import JetStreamContext
from support import loads
from support.brokers import (
    Consumer,
    consumer,
    fresh_ledger,
    kafka_server,
    nats,
    outcomes,
    prepare,
    publish,
    rabbit_server,
    redis_server,
    settled,
    until,
)
from support.loads import Load, load
from support.messages import child, rows
from support.servers import PostgresServer, free_port, fresh_schema, shared_server, start_postgres

from adapters.brokers.address import BrokerError
from adapters.brokers.nats_server import NatsServer
from adapters.brokers.subjects import token
from adapters.store.url import store_url

pytestmark = pytest.mark.slow

KILLED_ON = ("nats sqlite", "nats postgres", "redis sqlite", "rabbit sqlite")
KILL_ROUNDS = -(-int(os.environ.get("VERBALE_KILL_ROUNDS", "12")) // len(KILLED_ON))
"""On each; the variable says how many in all."""
SERVERS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "nats": nats,
    "redis": redis_server,
    "rabbit": rabbit_server,
    "kafka": kafka_server,
}
SOON = "?redelivered_after=2"
GIVEN_AGAIN = {"nats": SOON, "redis": SOON, "rabbit": "", "kafka": ""}
"""Where what nobody acknowledged would come again after a minute, the tests do not wait for so long."""
PUBLISHED_TOGETHER = 25
INCIDENTS = 80
"""Of a load; each is six messages or so."""
MOST_LEAVINGS = 5

LOCK = """
import sqlite3, sys

file = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
file.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""


@dataclass
class Trial:
    """A ledger at a broker, set up, and its store; those who publish and record, and what must be so in the end."""

    url: str
    store: Path | str
    server: Any = None
    ledger: str = field(default_factory=fresh_ledger)
    _before: int = 0

    def __post_init__(self) -> None:
        prepare(self.url, self.ledger)

    @property
    def plain_url(self) -> str:
        """The address as libraries of brokers want it: the first of several hosts, and nothing of ours."""
        return self.url.partition("?")[0].partition(",")[0]

    def consumer(self, **settings: str) -> AbstractContextManager[Consumer]:
        """A consumer that has started; ended in the end."""
        store = store_url(self.store) if isinstance(self.store, Path) else self.store
        return consumer(store, self.ledger, self.url, settings=settings)

    @contextmanager
    def publishing(self, raws: Sequence[bytes]) -> Iterator[None]:
        """Messages are published meanwhile, and all of them in the end."""
        self._before = self.recorded()
        with ThreadPoolExecutor(1) as producer:
            published = producer.submit(self.publish, raws)
            yield
            published.result()

    def publish(self, raws: Sequence[bytes]) -> None:
        """Publish messages, as producers do: again and again what the broker does not confirm."""
        for some in parts(raws, -(-len(raws) // PUBLISHED_TOGETHER)):
            until(lambda some=some: self._published(some), "the broker takes messages")  # type: ignore[misc]

    def _published(self, raws: Sequence[bytes]) -> bool:
        try:
            publish(self.url, self.ledger, raws)
        except BrokerError:
            return False
        return True

    def recorded(self) -> int:
        """How many messages are on record."""
        return int(rows(self.store, "SELECT count(*) FROM inbox")[0][0])

    def until_recorded(self, more: int = 1) -> None:
        """Wait until so many messages are on record that were not when the last publishing began."""
        until(lambda: self.recorded() >= self._before + more, f"{more} messages more are on record")

    def finish(self, told: Load, *consumers: Consumer) -> None:
        """Wait until all of a load is settled, have the consumers stop, and check what they leave."""
        self._stop_when_settled(told, *consumers)
        for _ in range(MOST_LEAVINGS):
            if settled(self.url, self.ledger):
                break
            # RabbitMQ does not tell what a consumer has in hand, and it gives that back as it stops.
            with self.consumer() as another:
                self._stop_when_settled(told, another)
        assert settled(self.url, self.ledger), "what was not acknowledged comes back"
        kept = outcomes(self.plain_url, self.ledger)
        loads.check(self.store, told, [one["data"] for events in kept.values() for one in events])

    def _stop_when_settled(self, told: Load, *consumers: Consumer) -> None:
        until(lambda: self._settled(told), "every message is recorded or refused, answered and acknowledged")
        assert [one.stop() for one in consumers] == [0] * len(consumers)

    def _settled(self, told: Load) -> bool:
        if not loads.settled(self.store, told):
            return False
        return rows(self.store, "SELECT count(*) FROM outbox") == [(0,)] and settled(self.url, self.ledger)


def parts(raws: Sequence[bytes], number: int) -> list[Sequence[bytes]]:
    """Messages in so many parts, as equal as may be."""
    return [raws[len(raws) * part // number : len(raws) * (part + 1) // number] for part in range(number)]


def troubles(one: Consumer) -> int:
    """How often a consumer has told that it could not go on."""
    return one.said.count('"event": "trouble"')


@pytest.fixture
def chance() -> random.Random:
    """The chances of a test: others each time; what it prints repeats them."""
    seed = int(os.environ.get("VERBALE_FAULTS_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"the same again: VERBALE_FAULTS_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def told(chance: random.Random) -> Load:
    """A load in which everything goes wrong that producers can do wrong."""
    return load(chance.randrange(1_000_000), INCIDENTS)


@pytest.fixture
def trial(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Trial]:
    """A trial with the broker and the store that the test names."""
    broker, store = request.param
    with ExitStack() as stack:
        server = stack.enter_context(SERVERS[broker]())
        place = tmp_path / "verbale.db" if store == "sqlite" else stack.enter_context(fresh_schema(shared_server()))
        yield Trial(server.url + GIVEN_AGAIN[broker], place, server)


def on(*places: str) -> pytest.MarkDecorator:
    """Tried with these brokers and stores: "nats postgres"."""
    return pytest.mark.parametrize("trial", [tuple(place.split()) for place in places], ids=places, indirect=True)


# --- nothing fails but what producers do ---


@on("nats sqlite", "nats postgres", "redis sqlite", "rabbit sqlite", "kafka sqlite")
def test_repeated_shuffled_and_poisoned_the_record_is_that_of_a_clean_run(trial: Trial, told: Load) -> None:
    with trial.consumer() as one:
        trial.publish(told.arriving)
        trial.finish(told, one)


# --- consumers fail ---


@on(*KILLED_ON)
def test_a_consumer_killed_again_and_again_while_messages_arrive(trial: Trial, chance: random.Random) -> None:
    told = load(chance.randrange(1_000_000), 15 * KILL_ROUNDS)
    with trial.consumer() as one:
        for arriving in parts(told.arriving, KILL_ROUNDS):
            with trial.publishing(arriving):
                chance.choice([_a_while, _until_it_records, _while_it_starts])(trial, one, chance)
                one.kill()
            one.start()
        trial.finish(told, one)


def _a_while(_trial: Trial, _one: Consumer, chance: random.Random) -> None:
    time.sleep(chance.uniform(0, 0.4))


def _until_it_records(trial: Trial, _one: Consumer, chance: random.Random) -> None:
    """Between recording, answering and acknowledging there is little time."""
    before, until = trial.recorded(), time.monotonic() + 2
    while trial.recorded() == before and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(chance.uniform(0, 0.02))


def _while_it_starts(_trial: Trial, one: Consumer, chance: random.Random) -> None:
    one.kill()
    one.begin()
    time.sleep(chance.uniform(0, 1.5))


@on("nats sqlite", "nats postgres", "redis sqlite", "rabbit sqlite", "kafka sqlite")
def test_two_consumers_one_of_which_is_killed(trial: Trial, told: Load, chance: random.Random) -> None:
    with trial.consumer() as one, trial.consumer() as other:
        with trial.publishing(told.arriving):
            trial.until_recorded(chance.randrange(1, 150))
            one.kill()
        trial.finish(told, other)


# --- the broker fails ---


@on("nats sqlite", "redis sqlite")
def test_a_broker_stopped_and_started_then_killed_and_started(trial: Trial, told: Load, chance: random.Random) -> None:
    with trial.consumer() as one:
        for end, arriving in zip((trial.server.stop, trial.server.kill), parts(told.arriving, 2), strict=True):
            with trial.publishing(arriving):
                trial.until_recorded(chance.randrange(1, 60))
                end()
                time.sleep(chance.uniform(0, 3))
                trial.server.start()
        trial.finish(told, one)


@on("nats sqlite")
def test_a_broker_that_takes_no_outcomes_for_a_while(trial: Trial, told: Load) -> None:
    with trial.consumer() as one:
        asyncio.run(remove_outcomes(trial))
        trial.publish(told.arriving)
        until(lambda: troubles(one) > 1, "the consumer tries to tell what became of messages again and again")
        prepare(trial.url, trial.ledger)
        trial.finish(told, one)


async def remove_outcomes(trial: Trial) -> None:
    """Take from a NATS server the stream that keeps outcomes."""
    async with connected_to(trial) as jetstream:
        await jetstream.delete_stream(f"VERBALE_{token(trial.ledger)}_OUTCOMES")


def test_a_line_to_the_broker_that_is_cut_again_and_again(
    rabbit: Any, tmp_path: Path, told: Load, chance: random.Random
) -> None:
    with Line(5672) as line:
        trial = Trial(f"amqp://guest:guest@127.0.0.1:{line.port}/", tmp_path / "verbale.db")
        with trial.consumer() as one:
            for arriving in parts(told.arriving, 3):
                with trial.publishing(arriving):
                    trial.until_recorded(chance.randrange(1, 30))
                    line.cut()
                    time.sleep(chance.uniform(0, 2))
                    line.mend()
            trial.finish(told, one)


@pytest.fixture
def rabbit() -> Iterator[Any]:
    """The RabbitMQ of this machine, which is not ours to stop."""
    with rabbit_server() as server:
        yield server


class Line:
    """A line to a port of the loopback that can be cut, and mended."""

    def __init__(self, to: int) -> None:
        self.port, self._to = free_port(), to
        self._ends: list[socket.socket] = []

    def __enter__(self) -> "Line":
        self.mend()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def mend(self) -> None:
        """Take connections."""
        listening = socket.create_server(("127.0.0.1", self.port))
        self._ends.append(listening)
        Thread(target=self._take, args=(listening,)).start()

    def cut(self) -> None:
        """End every connection, and take none."""
        while self._ends:
            end = self._ends.pop()
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _take(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listening.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._ends += [near, far]
                Thread(target=_pass_on, args=(near, far)).start()
                Thread(target=_pass_on, args=(far, near)).start()


def _pass_on(given: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while some := given.recv(65_536):
            to.sendall(some)
        to.shutdown(socket.SHUT_WR)


def test_a_cluster_whose_leader_is_killed_and_started_again(
    cluster: dict[str, NatsServer], tmp_path: Path, told: Load, chance: random.Random
) -> None:
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in cluster.values())
    trial = Trial(f"nats://{hosts}{SOON}&replicas=3", tmp_path / "verbale.db")
    before, after = parts(told.arriving, 2)
    with trial.consumer() as one:
        with trial.publishing(before):
            trial.until_recorded(chance.randrange(1, 60))
            killed = asyncio.run(leader(trial))
            cluster[killed].kill()
        trial.publish(after)
        cluster[killed].start()
        trial.finish(told, one)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[dict[str, NatsServer]]:
    """Three servers that keep their streams together, by name."""
    ports = {name: free_port() for name in ("north", "south", "east")}
    routes = ",".join(f"nats://127.0.0.1:{port}" for port in ports.values())
    servers = {}
    with ExitStack() as stack:
        for name, port in ports.items():
            given = ("-n", name, "--cluster_name", "all", "--cluster", f"nats://127.0.0.1:{port}", "--routes", routes)
            servers[name] = stack.enter_context(NatsServer(tmp_path / name, options=given))
        until(lambda: all(map(joined, servers.values())), "the servers of the cluster have found each other")
        yield servers


def joined(server: NatsServer) -> bool:
    """Whether a server of a cluster knows who leads it, and has all that it is to have."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.monitoring}/healthz", timeout=5):
            return True
    except OSError:
        return False


async def leader(trial: Trial) -> str:
    """The server of a cluster that leads the stream of messages."""
    async with connected_to(trial) as jetstream:
        found = await jetstream.stream_info(f"VERBALE_{token(trial.ledger)}_MESSAGES")
    assert found.cluster is not None
    return str(found.cluster.leader)


@asynccontextmanager
async def connected_to(trial: Trial) -> AsyncIterator[JetStreamContext]:
    """The streams of a NATS server, past every layer of ours."""
    connection = await nats_client.connect(trial.plain_url)
    try:
        yield connection.jetstream()
    finally:
        await connection.close()


# --- the store fails, or both ---


@on("nats sqlite", "redis sqlite")
def test_a_broker_away_when_what_it_brought_is_at_last_recorded(trial: Trial, told: Load) -> None:
    once = told.good[:PUBLISHED_TOGETHER]
    with trial.consumer(VERBALE_LOCK_TIMEOUT="1") as one:
        with locked(trial.store):
            trial.publish(once)
            until(lambda: troubles(one) > 0, "the consumer has a batch in hand that it cannot record")
            trial.server.stop()
        trial.until_recorded()
        before = troubles(one)
        until(lambda: troubles(one) > before, "the consumer cannot tell what became of it")
        trial.server.start()
        trial.publish([raw for raw in told.arriving if raw not in once])
        trial.finish(told, one)


@on("nats sqlite", "redis sqlite", "rabbit sqlite")
def test_a_file_that_another_process_locks_for_a_while_during_which_the_consumer_may_be_killed(
    trial: Trial, told: Load
) -> None:
    first, second, rest = parts(told.arriving, 3)
    with trial.consumer(VERBALE_LOCK_TIMEOUT="1") as one:
        with locked(trial.store), trial.publishing(first):
            until(lambda: troubles(one) > 1, "the consumer has tried again and again")
        trial.until_recorded()
        with locked(trial.store), trial.publishing(second):
            before = troubles(one)
            until(lambda: troubles(one) > before, "the consumer has a batch in hand that it cannot record")
            one.kill()
        one.start()
        trial.publish(rest)
        trial.finish(told, one)


@contextmanager
def locked(file: Path | str) -> Iterator[None]:
    """Another process holds a file meanwhile."""
    process = child(LOCK, file)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    try:
        yield
    finally:
        process.communicate("")


def test_a_server_stopped_and_started_then_killed_and_started(
    postgres: PostgresServer, told: Load, chance: random.Random
) -> None:
    with nats() as broker, fresh_schema(postgres.url()) as store:
        trial = Trial(broker.url + SOON, store)
        with trial.consumer(VERBALE_LOCK_TIMEOUT="1") as one:
            for end, arriving in zip((postgres.stop, postgres.kill), parts(told.arriving, 2), strict=True):
                with trial.publishing(arriving):
                    trial.until_recorded(chance.randrange(1, 60))
                    before = troubles(one)
                    end()
                    until(lambda before=before: troubles(one) > before, "the consumer notices")  # type: ignore[misc]
                    postgres.start()
            trial.finish(told, one)


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """A server of the test's own."""
    server = start_postgres()
    try:
        yield server
    finally:
        server.remove()
