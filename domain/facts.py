"""What every fact and every command share, and the two ways in which a command is not recorded: Rejected, NotYet.

A fact (event) is what happened; a command asks for it to be recorded.
"""

from typing import Annotated, ClassVar, TypeVar

from domain.values import MINUTE, WHERE_GIVEN, Attachment, Instant, Value, moment

FUTURE_TOLERANCE = 5 * MINUTE
"""How far past the recorder's clock the instant of a fact may be: clocks disagree by seconds, not by hours."""


class Rejected(Exception):
    """The contract or the rules forbid this. An outcome, never an event.

    `clause` is an id of docs/clauses.md, `field` the field at fault ("" where it is the whole message), `reason` a
    sentence that a person can act on.
    """

    def __init__(self, clause: str, field: str, reason: str) -> None:
        super().__init__(f"{reason} [{clause}]")
        self.clause = clause
        self.field = field
        self.reason = reason


class NotYet(Exception):
    """What this depends on is not recorded yet: kept, and tried again when `stream` grows."""

    def __init__(self, stream: str, reason: str) -> None:
        super().__init__(reason)
        self.stream = stream
        self.reason = reason


class Command(Value):
    """Asks for a fact to be recorded; `TYPE` is its CloudEvents type, `at` when the fact occurred."""

    TYPE: ClassVar[str]

    at: Instant
    evidence: tuple[Attachment, ...] = ()


class Fact(Value):
    """What happened, at the instant `at`; `TYPE` is the type it is stored under, for ever."""

    TYPE: ClassVar[str]
    FIXED: ClassVar[frozenset[str]] = frozenset()
    """Fields that cannot be rectified: those that Verbale decided, and names by which other facts refer to this one."""
    INSTEAD_OF_ANNULMENT: ClassVar[str] = ""
    """What to do instead of annulling it; "" where it may be annulled (R5)."""

    at: Instant
    evidence: tuple[Attachment, ...] = ()
    recordedtime: Annotated[Instant | None, WHERE_GIVEN] = None
    """When the source itself recorded it, where its message says so (CloudEvents recordedtime). Stored only then."""


F = TypeVar("F", bound=Fact)


def refuse_future(at: int, now: int, field: str = "time") -> None:
    """Raise Rejected where `at` lies more than five minutes after `now`, the recorder's clock (microseconds UTC).

    `field` is the one that says `at`.
    """
    if at > now + FUTURE_TOLERANCE:
        raise Rejected(
            "R3", field, f"{moment(at).isoformat()} is in the future: it is {moment(now).isoformat()} here; "
            "a fact is recorded once it has occurred (check the sender's clock and its offset)"
        )  # fmt: skip
