"""Which of several facts about one thing rules: the latest, and among those of one date the last recorded."""

from collections.abc import Callable, Iterable
from typing import Any

from domain.facts import F


def _occurred(fact: F) -> int:
    return fact.at


def latest(facts: Iterable[F], dated: Callable[[F], Any] = _occurred) -> F | None:
    """The fact that rules, of facts given in order of recording; None where there is none.

    `dated` gives what a fact is dated by: its own instant, unless it takes effect at another one.
    """
    ruling: F | None = None
    for fact in facts:
        if ruling is None or dated(fact) >= dated(ruling):
            ruling = fact
    return ruling


def last_recorded(facts: Iterable[F]) -> F | None:
    """The fact that rules where dates do not matter: the last of facts given in order of recording, or None."""
    ruling: F | None = None
    for fact in facts:
        ruling = fact
    return ruling
