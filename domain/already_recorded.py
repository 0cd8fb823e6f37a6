"""What is on record already is not recorded again. One rule for every stream.

A stream says what a fact speaks of, its *subject*: of two facts about one subject the last recorded rules. A new fact
is on record already where the last one about its subject equals it, either as it was first recorded or as it has been
rectified since. Only the last counts: suspended, resumed and suspended again within one minute are three facts.
"""

from collections.abc import Callable, Sequence
from typing import cast

from domain.facts import F, Fact, Rejected
from domain.rectification import as_rectified

Subject = Callable[[Fact], object]
"""What a fact speaks of. It includes the fact's instant where facts of different instants stand beside each other."""


def unless_recorded(record: Sequence[Fact], fact: F, subject: Subject) -> tuple[F, ...]:
    """The fact, to be added to `record` (the facts of its stream, in order of recording); () where it is there."""
    return () if already_recorded(record, fact, subject) else (fact,)


def only_once(record: Sequence[Fact], fact: F, subject: Subject, otherwise: Callable[[F], Rejected]) -> tuple[F, ...]:
    """As `unless_recorded`, for what is recorded once: raises `otherwise` of the other fact about the same subject."""
    if already_recorded(record, fact, subject):
        return ()
    other = _last_about(subject(fact), as_rectified(record), subject)
    if other is not None:
        raise otherwise(cast(F, other))
    return (fact,)


def already_recorded(record: Sequence[Fact], fact: Fact, subject: Subject) -> bool:
    """Whether the last fact on record about the same subject equals `fact`, as first recorded or as rectified."""
    about = subject(fact)
    return any(
        last is not None and _equal(last, fact)
        for last in (_last_about(about, facts, subject) for facts in as_recorded_and_as_rectified(record))
    )


def as_recorded_and_as_rectified(record: Sequence[F]) -> Sequence[Sequence[F]]:
    """The facts of one stream as they were first recorded and, where any was rectified, as they are now."""
    rectified = as_rectified(record)
    return (record,) if rectified is record else (record, rectified)


def _last_about(about: object, facts: Sequence[F], subject: Subject) -> F | None:
    return next((fact for fact in reversed(facts) if subject(fact) == about), None)


def _equal(one: Fact, other: Fact) -> bool:
    """Whether two facts are equal, but for names (their subject) and what Verbale decided when it recorded them."""
    if type(one) is not type(other) or not one.FIXED:
        return one == other
    return all(value == getattr(other, name) for name, value in one if name not in one.FIXED)
