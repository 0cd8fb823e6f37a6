"""Given facts, when a command, then facts: how a decider is specified in the tests.

CHARGING = Decider(Incident("INC1"), incident.decide, incident.evolve)
CHARGING.given(opened).when(take_in_charge).then(taken_in_charge)
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Generic, TypeVar

import pytest

from domain.facts import NotYet, Rejected

S = TypeVar("S")
C = TypeVar("C")
F = TypeVar("F")


@dataclass(frozen=True)
class When(Generic[S, C, F]):
    """A command met by a state; one of the outcomes follows."""

    decide: Callable[[S, C], tuple[F, ...]]
    state: S
    command: C

    def then(self, *facts: F) -> None:
        """Exactly these facts are recorded, equal in every field and in type."""
        found = self.decide(self.state, self.command)
        assert found == facts
        assert [type(fact) for fact in found] == [type(fact) for fact in facts]

    def then_nothing(self) -> None:
        """The identical fact is already there."""
        assert self.decide(self.state, self.command) == ()

    def then_rejected(self, clause: str, field: str) -> str:
        """It is forbidden by a clause, for a field. Gives the reason, which is a sentence."""
        with pytest.raises(Rejected) as refusal:
            self.decide(self.state, self.command)
        assert (refusal.value.clause, refusal.value.field) == (clause, field)
        assert " " in refusal.value.reason
        return refusal.value.reason

    def then_not_yet(self, stream: str) -> None:
        """It waits for something to be recorded on a stream."""
        with pytest.raises(NotYet) as wait:
            self.decide(self.state, self.command)
        assert wait.value.stream == stream


@dataclass(frozen=True)
class Given(Generic[S, C, F]):
    """What is on record."""

    decide: Callable[[S, C], tuple[F, ...]]
    evolve: Callable[[S, F], S]
    state: S

    def when(self, command: C) -> When[S, C, F]:
        """A command arrives."""
        return When(self.decide, self.state, command)

    def and_recorded(self, command: C) -> "Given[S, C, F]":
        """A command arrives, and what is decided of it is recorded."""
        return Given(self.decide, self.evolve, reduce(self.evolve, self.decide(self.state, command), self.state))


@dataclass(frozen=True)
class Decider(Generic[S, C, F]):
    """An aggregate with nothing on record yet."""

    initial: S
    decide: Callable[[S, C], tuple[F, ...]]
    evolve: Callable[[S, F], S]

    def given(self, *facts: F) -> Given[S, C, F]:
        """These facts are on record, in this order."""
        return Given(self.decide, self.evolve, reduce(self.evolve, facts, self.initial))
