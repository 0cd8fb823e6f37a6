"""Cases and breaches against the tolerance (P1), and when it was passed for good."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from support.oracle.clocks import Clock
from support.oracle.record import Reading


@dataclass(frozen=True)
class Judged:
    """A request with its clocks; none where it is best effort. `counts`: S1 excludes it from the ratio, or not."""

    incident: str
    contract: str
    opened_at: int
    clocks: tuple[Clock, ...]
    is_handled: bool
    counts: bool


@dataclass(frozen=True)
class Case:
    """One case: when it became one, and when it became the supplier's breach, if it did; `late`, whosoever's."""

    incident: str
    at: int
    breach_at: int | None
    late: bool = False


def units(judged: Judged, unit: str) -> list[tuple[Clock, ...]]:
    """P1: what the ratio counts: a request with both its clocks, or each clock."""
    if not judged.clocks:
        return []
    return [judged.clocks] if unit == "incident" else [(clock,) for clock in judged.clocks]


def cases(judged: Judged, reading: Reading) -> list[Case]:
    """P1: a case as soon as one clock is breached, or when all are met; void and what S1 excludes are none."""
    if not judged.counts:
        return []
    if not judged.clocks:
        handled = judged.is_handled and reading["population"] == "handled"
        number = (2 if reading["unit"] == "clock" else 1) if handled else 0
        return [Case(judged.incident, judged.opened_at, None)] * number
    found = []
    for clocks in units(judged, reading["unit"]):
        breached = [one for one in clocks if one.verdict == "breached"]
        if breached or all(one.verdict == "met" for one in clocks):
            suppliers = [instant_of(one) for one in breached if one.responsible == "supplier"]
            first = min(map(instant_of, breached)) if breached else max(map(instant_of, clocks))
            found.append(Case(judged.incident, first, min(suppliers, default=None), bool(breached)))
    return found


def instant_of(clock: Clock) -> int:
    """When a clock was decided."""
    assert clock.decided_at is not None
    return clock.decided_at


def undecided(judged: Judged, reading: Reading) -> int:
    """P1: units that hold a clock not decided yet."""
    found = units(judged, reading["unit"]) if judged.counts else []
    return sum(any(one.verdict in ("running", "undecided") for one in clocks) for clocks in found)


def exceeds(breaches: int, number: int, tolerance: Fraction) -> bool:
    """P1: exactly the tolerance is not beyond it; where there is no case nothing is."""
    return number > 0 and Fraction(breaches, number) > tolerance


def headroom(breaches: int, number: int, tolerance: Fraction) -> int | None:
    """Section 7: the largest k with (b+k)/(n+k) within the tolerance; none when passed, nor at a tolerance of all."""
    if exceeds(breaches, number, tolerance) or tolerance >= 1:
        return None
    more = 0
    while not exceeds(breaches + more + 1, number + more + 1, tolerance):
        more += 1
    return more


def passed_at(found: Sequence[Case], tolerance: Fraction) -> tuple[int, list[str]] | None:
    """P2: the verdict instant after which the ratio stays above, and the requests that became breaches then."""
    instants = sorted({one.at for one in found} | {one.breach_at for one in found if one.breach_at is not None})
    since: int | None = None
    for at in instants:
        number = sum(one.at <= at for one in found)
        breaches = sum(one.breach_at is not None and one.breach_at <= at for one in found)
        if not exceeds(breaches, number, tolerance):
            since = None
        elif since is None:
            since = at
    if since is None:
        return None
    return since, sorted({one.incident for one in found if one.breach_at == since})


def window_row(
    window: tuple[int, int], all_judged: Iterable[Judged], reading: Reading, tolerance: Fraction, as_of: int
) -> dict[str, Any]:
    """P1: a request belongs to the window of its opening; half-open."""
    within = [one for one in all_judged if window[0] <= one.opened_at < window[1]]
    found = [case for one in within for case in cases(one, reading)]
    breaches = sum(one.breach_at is not None for one in found)
    waiting = sum(undecided(one, reading) for one in within)
    status = "open" if as_of < window[1] else "provisional" if waiting else "closed"
    return {
        "window": window,
        "cases": len(found),
        "breaches": breaches,
        "late": sum(one.late for one in found),
        "undecided": waiting,
        "passed": exceeds(breaches, len(found), tolerance),
        "headroom": headroom(breaches, len(found), tolerance),
        "status": status,
        "passing": passed_at(found, tolerance),
    }
