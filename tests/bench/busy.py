"""Part (c) of bin/bench: what one fact costs on a contract with many incidents, live tables included."""

import gc
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

from support.messages import Clock

from adapters.live_tables.projector import Projector
from adapters.reports.breach import WINDOWS
from adapters.store.records import Batch
from bench.contest import expect
from bench.histories import BusyYear, Recorded, add, taken, turned_late
from bench.paper import Paper, say
from bench.sizes import Sizes
from bench.stores import Store
from domain.values import SECOND

UNCOUNTED = 3
"""The first facts recorded on a busy contract, which find everything cold."""


class Cost(NamedTuple):
    """What recording one fact took, in milliseconds."""

    step: float
    append_and_step: float


@dataclass
class Busy:
    """A contract with many incidents, and live tables."""

    at: Store
    incidents: int
    waiting: int
    costs: dict[tuple[str, str], list[Cost]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        name = f"busy_{self.incidents}"
        self.clock = Clock()
        self.clock.now = 0
        self.year = BusyYear(self.incidents, self.waiting)
        self.ledger = self.at.ledger(name, self.clock)
        start = time.perf_counter()
        self.facts = self.year.record(self.ledger, self.clock)
        self.recorded_in = time.perf_counter() - start
        self.reporting = self.at.reporting(name)
        self.projector = Projector(self.ledger, self.reporting, self.clock)
        start = time.perf_counter()
        self.projector.rebuild()
        self.built_in = time.perf_counter() - start
        say(
            f"{self.at.kind}: contract of {self.incidents:,}: {self.facts:,} facts recorded in {self.recorded_in:.1f} "
            f"s, tables built in {self.built_in:.1f} s"
        )

    def spoil(self) -> None:
        """Have the tolerance passed."""
        self.year.spoil(self.ledger, self.clock)
        while self.projector.step():
            pass

    @property
    def passed(self) -> bool:
        """Whether the window has passed its tolerance, as the tables say."""
        ((passed),) = self.reporting.live.values(WINDOWS, "passed")
        return bool(passed)

    def record(self, kind: str, fact: Recorded, version: int, *, counts: bool) -> None:
        """Record one fact, and bring the tables up to date."""
        self.clock.now += SECOND
        batch = Batch()
        add(batch, fact, version)
        start = time.perf_counter()
        self.ledger.append(batch)
        recorded = time.perf_counter()
        while self.projector.step():
            pass
        done = time.perf_counter()
        if counts:
            window = "passed" if self.passed else "within"
            self.costs[kind, window].append(Cost((done - recorded) * 1e3, (done - start) * 1e3))

    def close(self) -> None:
        """Be done with it."""
        self.reporting.close()
        self.ledger.close()


ABOUT_C = (
    "One fact is recorded, then the live tables are brought up to date: the step alone, and both together. First while",
    "the window of the contract is within its tolerance, then after it has passed it. Tables as a rebuild left them.",
)
FACTS: dict[str, Callable[[int], tuple[Recorded, int]]] = {
    "a taking in charge": taken,
    "a breach, by a resumption told late": turned_late,
}


def one_fact(at: Store, sizes: Sizes) -> list[Busy]:
    """What one fact costs on a small and on a large contract, before and after its tolerance is passed."""
    rounds = UNCOUNTED + sizes.facts_told
    contracts = [Busy(at, incidents, 2 * rounds) for incidents in sizes.busy]
    try:
        for spoiled in (False, True):
            for busy in contracts:
                if spoiled:
                    busy.spoil()
                expect(busy.passed, spoiled, "tolerance passed")
            gc.collect()
            for number in range(rounds):
                for kind, fact in FACTS.items():
                    for busy in contracts:
                        busy.record(kind, *fact(number + rounds * spoiled), counts=number >= UNCOUNTED)
            for busy in contracts:
                expect(busy.passed, spoiled, "tolerance passed in the end")
    finally:
        for busy in contracts:
            busy.close()
    return contracts


def _show(paper: Paper, kind: str, contracts: Sequence[Busy]) -> None:
    """What one fact costs on each contract, and how much more on the larger."""
    rows = []
    for tolerance in ("within", "passed"):
        for what in FACTS:
            shown = [what, tolerance]
            result: dict[str, Any] = {"what": what, "tolerance": tolerance, "unit": "ms"}
            for index, name in enumerate(Cost._fields):
                values = {busy.incidents: [cost[index] for cost in busy.costs[what, tolerance]] for busy in contracts}
                medians = [median(some) for some in values.values()]
                ratio = medians[-1] / medians[0]
                shown += [f"{each:.2f}" for each in medians] + [f"{ratio:.2f}"]
                result[name] = {"values": values, "medians": medians, "ratio": ratio}
            rows.append(shown)
            paper.results.append({"part": "c", "store": kind, **result})
    sizes = [f"{busy.incidents:,}" for busy in contracts]
    steps, both = [f"step, {size}" for size in sizes], [f"append + step, {size}" for size in sizes]
    title = f"One fact on a contract of {' and of '.join(sizes)} incidents, milliseconds ({kind})"
    paper.table(title, ("", "tolerance", *steps, "ratio", *both, "ratio"), rows)
    for busy in contracts:
        seconds = {"recorded_in_seconds": busy.recorded_in, "built_in_seconds": busy.built_in}
        history = {"incidents": busy.incidents, "facts": busy.facts, **seconds}
        paper.results.append({"part": "c", "store": kind, "of": "history of the contract", **history})


def measure_busy(at: Store, sizes: Sizes, paper: Paper) -> None:
    """Part (c), on one store."""
    paper.about(ABOUT_C)
    _show(paper, at.kind, one_fact(at, sizes))
