"""Brokers: where producers publish messages, and hear what became of them.

Whatever the broker, a batch goes the same way: its bytes to whoever answers them, the answers published and confirmed,
and only then the batch acknowledged. What is not acknowledged comes again, and is answered as a duplicate. A broker's
own wiring is its subscription and its acknowledgement, and no more.

An outcome is published in an array of outcomes (CloudEvents, JSON batch format), always, also where there is one: what
a batch says to one source travels together.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from adapters.brokers.subjects import NONE, PREFIX, message_subject, token
from adapters.errors import UserError
from adapters.inbox.batcher import LONGEST_PAUSE, SHORTEST_PAUSE, Stopping
from adapters.store.ledger import OutboxMessage
from domain.catalogue import COMMANDS

LONGEST_GATHERING = 0.1
"""Seconds that a batch which is not full waits for more."""
REDELIVERED_AFTER = 60
"""Seconds after which a batch that nobody acknowledged is given to another consumer; the address may say otherwise."""
OUTCOMES_KEPT_DAYS = 30
MOST_BYTES = 256_000
"""Of an array of outcomes; brokers take at least a megabyte."""
REACHED_WITHIN = 5.0
"""Seconds to find a broker when one begins."""
ANSWERED_WITHIN = 10.0
"""Seconds for a broker to confirm what it was given."""
MESSAGE_TYPE, OUTCOMES_TYPE = "application/cloudevents+json", "application/cloudevents-batch+json"


class BrokerError(UserError):
    """The broker cannot be used: which, why, and what to do."""


@dataclass(frozen=True)
class BrokerAddress:
    """Where a broker is. Its password is used, and never shown."""

    scheme: str
    hosts: tuple[str, ...]
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    path: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def _secret(self) -> str | None:
        """What is never shown: the password or, where NATS is given a name without one, that name, which is a token."""
        is_token = self.password is None and self.scheme in ("nats", "tls")
        return self.user if is_token else self.password

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user and self.user != self._secret else ""
        return f"{self.scheme}://{user}{','.join(self.hosts)}{self.path}"

    def urls(self, scheme: str | None = None) -> list[str]:
        """The address of each host, as libraries want it, password included."""
        password = f":{quote(self.password, safe='')}" if self.password is not None else ""
        login = f"{quote(self.user or '', safe='')}{password}@" if self.user or password else ""
        return [f"{scheme or self.scheme}://{login}{host}{self.path}" for host in self.hosts]

    def number(self, option: str, default: int) -> int:
        """A whole number given after `?`. Raises BrokerError."""
        given = self.options.get(option, str(default))
        if not (given.isdecimal() and int(given) > 0):
            raise BrokerError(f"{self}: {option}={given} is no whole number above 0")
        return int(given)

    def refused(self, error: Exception | str) -> BrokerError:
        """What to say where this broker does not do what it was asked."""
        said = str(error) or type(error).__name__
        if secret := self._secret:
            said = said.replace(secret, "***").replace(quote(secret, safe=""), "***")
        return BrokerError(f"{self}: {said}")

    def unreachable(self, error: Exception | str) -> BrokerError:
        """What to say where it does not answer at all."""
        return BrokerError(f"{self.refused(error)}: nothing answers there; is VERBALE_BROKER right, and the server up?")


OPTIONS: dict[str, frozenset[str]] = {
    "nats": frozenset({"redelivered_after", "replicas"}),
    "tls": frozenset({"redelivered_after", "replicas"}),
    "amqp": frozenset(),
    "amqps": frozenset(),
    "redis": frozenset({"redelivered_after"}),
    "rediss": frozenset({"redelivered_after"}),
    "kafka": frozenset({"replicas", "partitions"}),
    "kafkas": frozenset({"replicas", "partitions"}),
}
"""What may follow `?` in the address of each kind of broker. `tls` is NATS too: its own clients say so."""


def read_address(url: str) -> BrokerAddress:
    """The broker an address names. Raises BrokerError, which never repeats a password."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise BrokerError(f"VERBALE_BROKER: that names no broker: {error}") from None
    if parts.scheme not in OPTIONS or not parts.netloc:
        schemes = ", ".join(f"{scheme}://" for scheme in OPTIONS)
        named = f"{parts.scheme}:..." if parts.scheme else "that"
        raise BrokerError(f"VERBALE_BROKER: {named} names no broker: write one of {schemes} and HOST:PORT after it")
    address = _address(parts)
    if not address.hosts:
        raise BrokerError(f"{address}: there is no host: write HOST:PORT, or HOST alone")
    if wrong := [host for host in address.hosts if not _is_host(host)]:
        raise BrokerError(f"{address}: {wrong[0]} is no host: write HOST:PORT, or HOST alone")
    unknown = sorted(set(address.options) - OPTIONS[parts.scheme])
    if unknown:
        known = ", ".join(sorted(OPTIONS[parts.scheme])) or "nothing"
        raise BrokerError(f"{address}: {', '.join(unknown)} means nothing here; after ? there may be {known}")
    return address


def _is_host(text: str) -> bool:
    try:
        named = urlsplit(f"//{text}")
        return bool(named.hostname) and (named.port is None or named.port > 0)
    except ValueError:
        return False


def _address(parts: SplitResult) -> BrokerAddress:
    login, _, hosts = parts.netloc.rpartition("@")
    user, has_password, password = login.partition(":")
    return BrokerAddress(
        parts.scheme,
        tuple(host for host in hosts.split(",") if host),
        unquote(user) or None,
        unquote(password) if has_password else None,
        parts.path,
        dict(parse_qsl(parts.query, keep_blank_values=True)),
    )


# --- what travels ---


class Outgoing(NamedTuple):
    """A message to be published: where, the stream it speaks of (brokers that keep order by a key keep it by that)."""

    subject: str
    key: str
    body: bytes


def addressed(ledger: str, raw: bytes) -> Outgoing:
    """A message as a parcel. What cannot be read is published too, so that it is answered: the desk judges, not we."""
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        said = {}
    stream = said["subject"] if isinstance(said.get("subject"), str) else ""
    kind = said.get("type")
    if not (isinstance(kind, str) and kind in COMMANDS):
        return Outgoing(f"{PREFIX}.{token(ledger)}.{NONE}.{NONE}.{NONE}", stream, raw)
    return Outgoing(message_subject(ledger, _contract(stream, said.get("data")), kind), stream, raw)


def _contract(stream: str, data: Any) -> str | None:
    kind, _, name = stream.partition("-")
    if kind in ("contract", "credits"):
        return name or None
    contract = data.get("contract") if isinstance(data, dict) else None
    return contract if isinstance(contract, str) and contract else None


def bundles(letters: Iterable[OutboxMessage]) -> Iterator[tuple[str | None, bytes]]:
    """Letters as they are published: for each source, arrays of its outcomes in their order, none of them too long."""
    by_source: dict[str | None, list[bytes]] = {}
    for letter in letters:
        by_source.setdefault(letter.source, []).append(letter.body)
    for source, bodies in by_source.items():
        yield from ((source, b"[" + b",".join(some) + b"]") for some in _short(bodies))


def _short(bodies: Sequence[bytes]) -> Iterator[list[bytes]]:
    some: list[bytes] = []
    size = 0
    for body in bodies:
        if some and size + len(body) > MOST_BYTES:
            yield some
            some, size = [], 0
        some.append(body)
        size += len(body) + 1
    yield some


# --- what every broker's wiring offers ---


class Backlog(NamedTuple):
    """Messages that no consumer was given yet, and messages given that are not acknowledged; None: it cannot say."""

    undelivered: int | None
    unacknowledged: int | None


@dataclass(frozen=True)
class BrokerResource:
    """Something that must be there at the broker: a stream, a queue, a topic.

    `look` gives None where it is missing, else what about it is not as we need it; both raise BrokerError.
    """

    name: str
    look: Callable[[], Awaitable[Sequence[str] | None]]
    make: Callable[[], Awaitable[None]]


Whole = TypeVar("Whole")
Handler = Callable[[Sequence[bytes]], Awaitable[Sequence[OutboxMessage]]]
"""Messages in, the answers to them out. Raises Stopping where nobody will answer them any more."""


class BrokerClient(Protocol):
    """A broker, seen from a ledger. Everything that asks the broker raises BrokerError where it does not do it."""

    @property
    def resources(self) -> Sequence[BrokerResource]:
        """What must be there, in the order in which it can be made."""

    async def connect(self) -> None:
        """Reach the broker. Nothing is asked of it yet."""

    def subscribe(self, acknowledging: "Acknowledging") -> None:
        """Have messages settled so, from `start` on."""

    async def start(self) -> None:
        """Begin to take messages. A broker that goes away later is waited for, however long."""

    async def stop(self) -> None:
        """Take no more messages, and leave the broker."""

    async def send(self, letters: Sequence[OutboxMessage]) -> None:
        """Publish outcomes; when this returns, the broker has them."""

    async def publish(self, parcels: Sequence[Outgoing]) -> None:
        """Publish messages; when this returns, the broker has them."""

    async def alive(self) -> bool:
        """Whether the broker answers now."""

    async def backlog(self) -> Backlog:
        """How much there is still to do."""


async def set_up(post: BrokerClient) -> list[str]:
    """Make what is missing at the broker, and tell of every piece; what is there otherwise is told, never changed."""
    told = []
    for piece in post.resources:
        differences = await piece.look()
        if differences is None:
            await piece.make()
            told.append(f"{piece.name}: made")
        elif differences:
            told.append(f"{piece.name}: left as it is; see to it with the broker's own tools: {'; '.join(differences)}")
        else:
            told.append(f"{piece.name}: there already")
    return told


async def missing(post: BrokerClient) -> list[str]:
    """The pieces that are not there."""
    return [piece.name for piece in post.resources if await piece.look() is None]


async def whole(message: Whole) -> Whole:
    """What FastStream is to hand over for a message: itself.

    Bytes are read by the desk alone. Decoded and validated before, one that cannot be would cost its batch its handler.
    """
    return message


class Acknowledging:
    """Settles batches: answered, the answers published, then acknowledged; or given back, once we are stopping.

    `on_trouble` hears of every attempt that failed.
    """

    def __init__(
        self,
        answer: Handler,
        send: Callable[[Sequence[OutboxMessage]], Awaitable[None]],
        on_trouble: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self._answer, self._send, self.on_trouble = answer, send, on_trouble
        self._in_hand = 0
        self._stopping, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()

    async def settle(
        self,
        raws: Sequence[bytes],
        acknowledge: Callable[[], Awaitable[Any]],
        give_back: Callable[[], Awaitable[Any]],
    ) -> None:
        """Settle one batch. Never fails: what is not acknowledged comes again."""
        self._in_hand += 1
        self._idle.clear()
        try:
            await (acknowledge() if await self._answered(raws) else give_back())
        except Exception as error:  # the broker went away meanwhile: it gives the batch to somebody again
            self.on_trouble(error)
        finally:
            self._in_hand -= 1
            if not self._in_hand:
                self._idle.set()

    @property
    def stopping(self) -> bool:
        """Whether no other batch is begun."""
        return self._stopping.is_set()

    async def go_on(self) -> None:
        """Return at once; once we are stopping, never, so that a subscription whose turn it is fetches no more."""
        if self.stopping:
            await asyncio.Event().wait()

    async def stop(self, after: float = 0) -> None:
        """Begin no other batch, and wait until those in hand are settled or given back.

        `after`: seconds within which a batch arrives that is being fetched now.
        """
        self._stopping.set()
        await asyncio.sleep(after)
        await self._idle.wait()

    async def _answered(self, raws: Sequence[bytes]) -> bool:
        if self.stopping:
            return False
        try:
            return await self._sent(await self._answer(raws))
        except Stopping:
            return False
        except Exception as error:  # a fault of ours: the batch is tried again, but not without a pause
            self.on_trouble(error)
            await self._pause(LONGEST_PAUSE)
            return False

    async def _sent(self, letters: Sequence[OutboxMessage]) -> bool:
        """Publish, however long the broker is away; False once we are stopping."""
        pause = SHORTEST_PAUSE
        while True:
            try:
                await self._send(letters)
                return True
            except BrokerError as error:
                self.on_trouble(error)
            if self.stopping:
                return False
            await self._pause(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def open_client(url: str, ledger: str) -> BrokerClient:
    """The broker at an address, for a ledger; not connected yet. Raises BrokerError."""
    address = read_address(url)
    # Each wiring is imported only where it is used: its library takes a while to load.
    match address.scheme:
        case "nats" | "tls":
            from adapters.brokers.nats import NatsClient

            return NatsClient(address, ledger)
        case "redis" | "rediss":
            from adapters.brokers.redis import RedisClient

            return RedisClient(address, ledger)
        case "amqp" | "amqps":
            from adapters.brokers.rabbitmq import RabbitClient

            return RabbitClient(address, ledger)
        case _:
            from adapters.brokers.kafka import KafkaClient

            return KafkaClient(address, ledger)
