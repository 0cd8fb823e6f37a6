"""A snapshot: what a help desk says of one of its items, as it stood at one instant of the item's life."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from adapters.inbox.messages import Label
from domain.incident_facts import ClosingReason, Request
from domain.values import Identifier, Instant, Responsibility, Value

Flag = Annotated[bool, Field(strict=True)]


class ItemState(Value):
    """The state of an item: what has happened by now (charged, started), and what holds now (the others).

    `suspended` is the cause of a suspension. A closed item is not also resolved: its reason says whether it was.
    """

    charged: Flag = False
    started: Flag = False
    suspended: Responsibility | None = None
    resolved: Flag = False
    closed: ClosingReason | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.resolved and self.closed:
            raise ValueError('a state is resolved or closed, not both: write closed = "resolved" alone')
        return self

    @property
    def ended(self) -> bool:
        """Whether no more work is expected: resolved or closed."""
        return self.resolved or self.closed is not None

    @property
    def void(self) -> bool:
        """Whether it was closed because it never was a case of its own."""
        return self.closed is not None and self.closed.void


HAPPENED = ("charged", "started")
"""The fields of a state that are never taken back."""


class Snapshot(Value):
    """One item as a help desk showed it; instants are in microseconds UTC.

    `item` is the name of the incident: the mapping's prefix, then the desk's own name. `changed_at` is when the item
    was last changed, and so the instant of the snapshot.
    """

    source: Label
    item: Identifier
    changed_at: Instant
    opened_at: Instant
    request: Request
    state: ItemState

    def together_with(self, other: Self) -> Self:
        """Two snapshots of one instant made one, the same whichever came first.

        The one nearer its end prevails; what has happened in either has happened.
        """
        nearer = max(self, other, key=lambda snapshot: snapshot._nearness_to_its_end())
        happened = {name: True for name in HAPPENED if getattr(self.state, name) or getattr(other.state, name)}
        return nearer.model_copy(update={"state": nearer.state.model_copy(update=happened)})

    def _nearness_to_its_end(self) -> tuple[object, ...]:
        state = self.state
        end = 0 if not state.ended else 1 if state.closed and state.closed.void else 2 if state.resolved else 3
        return end, state.suspended or "", self.request.model_dump_json(), self.opened_at

    def to_json(self) -> str:
        """What is stored of it: ids of contracts and systems, instants, states; no person's name, no free text."""
        return self.model_dump_json(exclude_defaults=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The snapshot that was stored as this text."""
        return cls.model_validate_json(text)
