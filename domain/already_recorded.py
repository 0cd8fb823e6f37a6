"""What is on record already is not recorded again. One rule for every stream.

A stream says what a fact is about, its *subject*: of two facts about one subject the last recorded rules. A new fact
is on record already where the last one about its subject equals it, either as it was first recorded or as it has been
rectified since. Only the last counts: suspended, resumed and suspended again within one minute are three facts.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import cast

from domain.facts import F, Fact, Rejected
from domain.rectification import annulled, as_rectified

Subject = Callable[[Fact], object]
"""What a fact is about. It includes the fact's instant where facts of several instants are all kept."""


def unless_recorded(record: Sequence[Fact], fact: F, subject: Subject) -> tuple[F, ...]:
    """The fact, to be added to `record` (the facts of its stream, in order of recording); () where it is there."""
    return () if any(_equal(other, fact) for other in _about_the_same(record, fact, subject)) else (fact,)


def only_once(record: Sequence[Fact], fact: F, subject: Subject, otherwise: Callable[[F], Rejected]) -> tuple[F, ...]:
    """As `unless_recorded`, for what is recorded once: raises `otherwise` of the other fact about the same subject."""
    others = list(_about_the_same(record, fact, subject))
    if any(_equal(other, fact) for other in others):
        return ()
    if others:
        raise otherwise(others[-1])
    return (fact,)


def _about_the_same(record: Sequence[Fact], fact: F, subject: Subject) -> Iterator[F]:
    """The last fact on record about the same subject: as first recorded, then as rectified, where any fact was.

    What is annulled is on record no more: it may be recorded again.
    """
    about, rectified = subject(fact), as_rectified(record)
    for facts in (record,) if rectified is record else (_standing(record), rectified):
        yield from islice((cast(F, other) for other in reversed(facts) if subject(other) == about), 1)


def _standing(record: Sequence[Fact]) -> Sequence[Fact]:
    gone = annulled(enumerate(record, 1))
    return [fact for version, fact in enumerate(record, 1) if version not in gone] if gone else record


def _equal(one: Fact, other: Fact) -> bool:
    """Whether two facts are equal, but for names, what Verbale decided, and when the source recorded it."""
    if type(one) is not type(other):
        return False
    apart = {*one.FIXED, "recordedtime"}
    return all(value == getattr(other, name) for name, value in one if name not in apart)
