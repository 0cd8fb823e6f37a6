"""Contenders that take turns at the same work, so that whatever disturbs the machine disturbs all of them."""

import gc
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bench.paper import Figures

Run = Callable[[], int]
"""Does the work; gives how many facts that were."""


@dataclass(frozen=True)
class Contender:
    """Who does the same work; `ready` prepares one turn, which is not measured, and cleans up after it."""

    what: str
    ready: Callable[[], AbstractContextManager[Run]]


def contest(contenders: Sequence[Contender], turns: int) -> list[Figures]:
    """Facts per second of each, taking turns."""
    found = {contender.what: Figures(contender.what, [], []) for contender in contenders}
    for _ in range(turns):
        for contender in contenders:
            with contender.ready() as run:
                gc.collect()
                start, busy = time.perf_counter(), _worked()
                facts = run()
                took, worked = time.perf_counter() - start, _worked() - busy
            found[contender.what].values.append(facts / took)
            found[contender.what].cpu.append(worked / facts * 1e6)
    return list(found.values())


def _worked() -> float:
    """Seconds of processor time until now, of this process and of those it started that have ended."""
    used = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def expect(found: object, wanted: object, what: str) -> None:
    """What was measured was done: a figure for work left undone is worse than none."""
    if found != wanted:
        raise AssertionError(f"{what}: {found}, not {wanted}")


def batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Some items at a time, the last perhaps fewer."""
    left = iter(items)
    while some := list(islice(left, size)):
        yield some
