"""Part (a) of bin/bench: compliance, breach and penalty of a whole year, made from the log."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from support.messages import Clock

from adapters.live_tables.checkpoint import LIVE_READINGS
from adapters.live_tables.projector import Projector
from adapters.live_tables.rebuild import build
from adapters.live_tables.reporting import Reporting
from adapters.reports.compliance import INCIDENTS
from bench.contest import Contender, Run, contest, expect
from bench.histories import Year
from bench.library import HelpDesk, catch_up, projection
from bench.paper import Figures, Paper, say
from bench.phases import hot_functions, phases_of, tell_functions, tell_phases
from bench.sizes import Sizes
from bench.stores import Store

RAW_READ, BUILD, STEPS = "raw read", "Verbale: built anew", "Verbale: in steps"
BUILD_ALONE = "Verbale: built anew by one process"
ONE_BY_ONE, UNSYNCED = "library: a transaction per event", "library: the same, synchronous=NORMAL"
ABOUT_A = (
    "Verbale decodes and validates every fact, judges every incident, counts and writes every row; a large log is",
    "judged by as many processes as there are cores. In steps: from empty tables, a page of the log at a time, whole",
    "streams judged again. The library's view only keeps instants: no working time, no verdict, no ratio, no penalty.",
    "Raw read: the driver's tuples, nothing done with them. In SQLite Verbale's tables have synchronous=NORMAL, as",
    "they can be built again; the library's have FULL, its default.",
)


@dataclass
class Rebuild:
    """Compliance, breach and penalty of a whole year, from the log."""

    at: Store
    sizes: Sizes
    clock: Clock = field(default_factory=Clock)
    name: str = "year"

    def __post_init__(self) -> None:
        self.clock.now = 0
        self.year = Year(self.sizes.incidents)
        self.ledger = self.at.ledger(self.name, self.clock)
        start = time.perf_counter()
        self.facts = self.year.record(self.ledger, self.clock)
        say(f"{self.at.kind}: {self.facts:,} facts recorded in {time.perf_counter() - start:.1f} s")

    def measured(self) -> list[Figures]:
        """Every contender's figures."""
        unsynced = [Contender(UNSYNCED, lambda: self._library("sqlite unsynced"))]
        contenders = [
            Contender(RAW_READ, self._raw),
            Contender(BUILD, lambda: self._built(None)),
            Contender(BUILD_ALONE, lambda: self._built(1)),
            Contender(STEPS, self._stepped),
            Contender(ONE_BY_ONE, lambda: self._library(self.at.kind)),
            *(unsynced if self.at.kind == "sqlite" else []),
        ]
        self.desk = HelpDesk(self.at.library("library"))
        self._fill_library()
        try:
            return contest(contenders, self.sizes.rebuilds)
        finally:
            self.desk.close()

    def _fill_library(self) -> None:
        """Record the first facts of the year in the library's application."""
        facts, stories = 0, []
        for story in self.year.stories():
            stories.append([one.fact for one in story if one.stream.startswith("incident-")])
            facts += len(stories[-1])
            if facts >= self.sizes.library_events:
                break
        self.desk.tell_all(stories)
        self.library_incidents = len(stories)

    @contextmanager
    def _raw(self) -> Iterator[Run]:
        with closing(self.at.bare(self.name)) as bare:
            yield bare.read

    @contextmanager
    def _built(self, processes: int | None) -> Iterator[Run]:
        with self.at.scratch(self.name) as reporting:
            yield lambda: self.build(reporting, processes)
            expect(reporting.building.count(INCIDENTS), self.sizes.incidents, "incidents built")

    def build(self, reporting: Reporting, processes: int | None = 1) -> int:
        """Fill new tables; `processes` says how many judge, None that Verbale decides."""
        build(self.ledger, reporting, LIVE_READINGS, 1, self.clock, processes=processes)
        return self.facts

    @contextmanager
    def _stepped(self) -> Iterator[Run]:
        with self.at.scratch(self.name) as reporting:
            token = build(self.ledger, reporting, LIVE_READINGS, 1, self.clock, position=0)
            with reporting.transaction():
                reporting.swap(token)
            projector = Projector(self.ledger, reporting, self.clock)
            yield lambda: self._step(projector)
            expect(reporting.live.count(INCIDENTS), self.sizes.incidents, "incidents stepped through")

    def _step(self, projector: Projector) -> int:
        while projector.step():
            pass
        return self.facts

    @contextmanager
    def _library(self, view: str) -> Iterator[Run]:
        into = projection(view, self.at.library(self.at.fresh("view")))
        yield lambda: catch_up(self.desk, into)
        expect(into.view.rows(), self.library_incidents, "incidents in the library's view")
        into.view.close()


def measure_rebuild(at: Store, sizes: Sizes, paper: Paper, *, profile: bool) -> None:
    """Part (a), on one store; `profile`: also where the time goes."""
    paper.about(ABOUT_A)
    rebuild = Rebuild(at, sizes)
    with closing(rebuild.ledger):
        figures = rebuild.measured()
        title = f"Rebuild of compliance, breach and penalty: {rebuild.facts:,} facts of {sizes.incidents:,} incidents"
        paper.rates("a", at.kind, title, figures, (BUILD, STEPS))
        if profile:
            say(f"{at.kind}: profiling")
            with at.scratch(rebuild.name) as reporting:
                tell_phases(paper, at.kind, *phases_of(rebuild.build, rebuild.ledger, reporting))
            with at.scratch(rebuild.name) as reporting:
                tell_functions(paper, at.kind, hot_functions(rebuild.build, reporting))
