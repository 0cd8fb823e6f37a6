"""What the client of every broker offers, and what a ledger needs at its broker.

Every client takes messages in the same way: it passes a batch's bytes to `Acknowledging.process`, together with its own
ways to acknowledge the batch and to give it back.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from adapters.brokers.acknowledge import Acknowledging
from adapters.brokers.outgoing import Outgoing
from adapters.store.records import OutboxMessage

LONGEST_GATHERING = 0.1
"""Seconds that a batch which is not full waits for more."""
REDELIVERED_AFTER = 60
"""Seconds after which a batch that is not acknowledged is delivered again; the address may give another number."""
OUTCOMES_KEPT_DAYS = 30
REACHED_WITHIN = 5.0
"""Seconds to connect."""
ANSWERED_WITHIN = 10.0
"""Seconds for a broker to confirm what it was given."""


class Backlog(NamedTuple):
    """Messages not delivered yet, and messages delivered but not acknowledged; None where the broker cannot say."""

    undelivered: int | None
    unacknowledged: int | None


@dataclass(frozen=True)
class BrokerResource:
    """Something that must exist at the broker: a stream, a queue, a topic.

    `look` returns None where it is missing, else how it differs from what we need; both raise BrokerError.
    """

    name: str
    look: Callable[[], Awaitable[Sequence[str] | None]]
    make: Callable[[], Awaitable[None]]


class BrokerClient(Protocol):
    """The client of a broker for one ledger. Every method that asks the broker raises BrokerError where it fails."""

    @property
    def resources(self) -> Sequence[BrokerResource]:
        """What must exist, in the order in which it can be made."""

    async def connect(self) -> None:
        """Reach the broker. Nothing is asked of it yet."""

    def subscribe(self, acknowledging: Acknowledging) -> None:
        """Have messages processed by `acknowledging`, from `start` on."""

    async def start(self) -> None:
        """Begin to take messages. Where the broker goes away later, the client reconnects, however long that takes."""

    async def stop(self) -> None:
        """Take no more messages, acknowledge or give back what is in hand, then close the connection."""

    async def publish_outcomes(self, outcomes: Sequence[OutboxMessage]) -> None:
        """Publish outcomes; when this returns, the broker has them."""

    async def publish_messages(self, messages: Sequence[Outgoing]) -> None:
        """Publish messages; when this returns, the broker has them."""

    async def alive(self) -> bool:
        """Whether the broker answers now."""

    async def backlog(self) -> Backlog:
        """How much is not delivered or not acknowledged."""


async def set_up(client: BrokerClient) -> list[str]:
    """Make what is missing at the broker, and report on every resource; one that differs is reported, never changed."""
    report = []
    for resource in client.resources:
        differences = await resource.look()
        if differences is None:
            await resource.make()
            report.append(f"{resource.name}: made")
        elif differences:
            wrong = "; ".join(differences)
            report.append(f"{resource.name}: left as it is; see to it with the broker's own tools: {wrong}")
        else:
            report.append(f"{resource.name}: there already")
    return report


async def missing(client: BrokerClient) -> list[str]:
    """The names of the resources that do not exist."""
    return [resource.name for resource in client.resources if await resource.look() is None]


Delivered = TypeVar("Delivered")


async def undecoded(message: Delivered) -> Delivered:
    """FastStream's decoder for our subscriptions, which decodes nothing: the command handler alone reads bytes.

    Where FastStream could not decode one message, it would call no handler for any message of the batch.
    """
    return message
