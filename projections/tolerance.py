"""When a tolerance was passed for good (P2), found from sums by day.

A ratio rises and falls with every verdict. It passed for good at the verdict after which it stays above the tolerance.
Each day is summed up on its own, so that one more verdict is looked for among the days of its window and the verdicts
of one day, however many cases the contract has.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

from domain.values import MINUTE

DAY = 24 * 60 * MINUTE


class Case(NamedTuple):
    """One case of the ratio: when it became one, and since when it is a supplier's breach (if it is)."""

    incident: str
    at: int
    breach_at: int | None


@dataclass(frozen=True, slots=True)
class Passing:
    """When a tolerance was passed for good, and by which incident."""

    at: int
    incident: str


class Day(NamedTuple):
    """The verdicts of one UTC day (its number since 1970): cases decided, breaches, and the lowest excess of the day.

    `lowest` is the lowest excess after any of its verdicts, counted from the beginning of the day.
    """

    number: int
    cases: int
    breaches: int
    lowest: int


def excess(breaches: int, cases: int, tolerance: Fraction) -> int:
    """By how much b/n is more than the tolerance: above 0 where it exceeds it, 0 where it is exactly that."""
    return breaches * tolerance.denominator - cases * tolerance.numerator


def days_of(case: Case) -> set[int]:
    """The days on which a case makes a difference."""
    return {at // DAY for at in (case.at, case.breach_at) if at is not None}


def day_of(number: int, cases: Iterable[Case], tolerance: Fraction) -> Day:
    """The sums of one day, from the cases that make a difference on it."""
    decided = breached = lowest = 0
    for index, (_, cases_then, breaches_then, _) in enumerate(_instants(number, cases)):
        decided, breached = decided + cases_then, breached + breaches_then
        now = excess(breached, decided, tolerance)
        lowest = now if index == 0 else min(lowest, now)
    return Day(number, decided, breached, lowest)


def every_day(cases: Iterable[Case], tolerance: Fraction) -> list[Day]:
    """The sums of every day on which anything was decided, in order."""
    return [day_of(number, some, tolerance) for number, some in sorted(by_day(cases).items())]


def by_day(cases: Iterable[Case]) -> dict[int, list[Case]]:
    """The cases that make a difference on each day."""
    found: dict[int, list[Case]] = defaultdict(list)
    for case in cases:
        for number in days_of(case):
            found[number].append(case)
    return found


def passed_for_good(
    days: Sequence[Day], cases_of: Callable[[int], Iterable[Case]], tolerance: Fraction
) -> Passing | None:
    """The verdict after which the ratio stays above the tolerance, or None where it is not above it now.

    `days` in order; `cases_of` gives the cases that make a difference on a day. Verdicts of one instant count
    together; the incident named is the first, by id, in breach at that instant.
    """
    after = sum(excess(day.breaches, day.cases, tolerance) for day in days)
    if after <= 0:
        return None
    for index in range(len(days) - 1, -1, -1):
        before = after - excess(days[index].breaches, days[index].cases, tolerance)
        if before + days[index].lowest <= 0:
            found = _after_the_last_within(days[index].number, cases_of(days[index].number), tolerance, before)
            return found or _first(days[index + 1].number, cases_of(days[index + 1].number))
        after = before
    return _first(days[0].number, cases_of(days[0].number))


def _after_the_last_within(number: int, cases: Iterable[Case], tolerance: Fraction, before: int) -> Passing | None:
    passing = None
    for at, decided, breached, incident in _instants(number, cases):
        before += excess(breached, decided, tolerance)
        if before <= 0:
            passing = None
        elif passing is None:
            passing = Passing(at, incident)
    return passing


def _first(number: int, cases: Iterable[Case]) -> Passing:
    at, _, _, incident = next(_instants(number, cases))
    return Passing(at, incident)


def _instants(number: int, cases: Iterable[Case]) -> Iterator[tuple[int, int, int, str]]:
    """Each instant of a day with verdicts: the cases decided, the breaches, and the first incident in breach."""
    steps = [
        (at, breach, case.incident)
        for case in cases
        for breach, at in enumerate((case.at, case.breach_at))
        if at is not None and at // DAY == number
    ]
    for at, together in groupby(sorted(steps), key=lambda step: step[0]):
        then = list(together)
        breaches = [incident for _, breach, incident in then if breach]
        yield at, len(then) - len(breaches), len(breaches), min(breaches, default="")
