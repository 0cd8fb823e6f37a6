"""Outcomes: every message gets one, and nothing is lost. Rule of the record cited here: R6 faults of our own."""

from dataclasses import dataclass

from adapters.store.recorder import Recorder
from adapters.store.records import Identity


@dataclass(frozen=True, slots=True)
class Done:
    """Recorded: where."""

    stream: str
    version: int
    leaf: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Already recorded, by this message or by another with the same content; answered as the first time."""

    stream: str
    version: int | None
    leaf: int | None


@dataclass(frozen=True, slots=True)
class Refused:
    """Not recorded, and why; the message is kept whole."""

    clause: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Kept until `stream` exists."""

    stream: str
    reason: str


Outcome = Done | Duplicate | Refused | Waiting


def outcome_name(outcome: Outcome) -> str:
    """The word for an outcome."""
    match outcome:
        case Done():
            return "done"
        case Duplicate():
            return "duplicate"
        case Refused():
            return "refused"
        case Waiting():
            return "waiting"


def last_outcome(store: Recorder, identity: Identity) -> Outcome | None:
    """The last known outcome of a message; None where no such message was received. Raises StoreError."""
    if receipt := store.receipts([identity]).get(identity):
        if receipt.version is None or receipt.leaf is None:
            return Duplicate(receipt.stream, None, None)
        return Done(receipt.stream, receipt.version, receipt.leaf)
    if deferred := store.waiting([identity]).get(identity):
        return Waiting(deferred.stream, deferred.reason)
    refused = store.last_refusal(identity)
    return Refused(refused.clause, refused.field, refused.reason) if refused else None


@dataclass(frozen=True, slots=True)
class Reply:
    """The outcome of one message; its identity is None where that could not be read."""

    identity: Identity | None
    raw: bytes
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Answered:
    """The reply to each message of a batch, and to earlier ones that this batch woke or that waited too long."""

    replies: list[Reply]
    woken: list[Reply]
    expired: list[Reply]

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcome of each message of the batch."""
        return [reply.outcome for reply in self.replies]


def fault_of_ours(error: Exception) -> Refused:
    """The outcome of a message that a fault of this program keeps from being decided (R6)."""
    reason = f"a fault of Verbale ({type(error).__name__}): kept whole; upgrade, then verbale refused retry"
    return Refused("R6", "", reason)
