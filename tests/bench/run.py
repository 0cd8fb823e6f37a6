"""Verbale beside the library it stands on and beside the bare stores, in one run: bin/bench.

Contenders of a contest take turns, many times, so that what disturbs the machine disturbs all of them.
What counts is the ratio of their medians: the figures themselves are those of the machine and of the hour.
"""

import argparse
import gc
import json
import os
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from support.messages import Clock, contract_in_force

from adapters.brokers.nats_server import NatsServer
from adapters.inbox.handler import CommandHandler, Done
from adapters.live_tables.projector import LIVE_READINGS, Projector, build
from adapters.live_tables.schema import INCIDENTS, WINDOWS
from adapters.live_tables.tables import Reporting
from adapters.store.ledger import Batch
from bench.brokers import ABOUT_D, CONSUME, HANDLER, Consuming, told_of
from bench.histories import BusyYear, Recorded, Year, add, busy_opening, taken, turned_late
from bench.library import HelpDesk, catch_up, projection
from bench.paper import Figures, Paper, machine, say
from bench.phases import hot_functions, phases_of, tell_functions, tell_phases
from bench.start_up import measure_start_up
from bench.stores import Store, parts, store
from domain.facts import Fact
from domain.incident import ClockResumed, ClockSuspended, IncidentResolved, IncidentTakenInCharge
from domain.terms import Impact, Urgency
from domain.values import MINUTE, SECOND, Responsibility, read_instant

FACTS_A_STORY = 5


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    rebuilds: int = 3
    incidents: int = 9000
    library_events: int = 1000
    turns: int = 15
    transactions: tuple[tuple[int, int], ...] = ((1, 40), (5, 40), (500, 3))
    """Facts in a transaction, and how many transactions in a turn."""
    busy: tuple[int, int] = (1000, 100_000)
    facts_told: int = 30
    consumed: int = 10_000
    handled: int = 1000
    consumptions: int = 5


QUICK = Sizes(
    incidents=600,
    library_events=200,
    turns=7,
    transactions=((1, 20), (5, 20), (500, 1)),
    busy=(200, 3000),
    facts_told=5,
    consumed=1000,
    handled=100,
    consumptions=3,
)
UNCOUNTED = 3
"""The first facts told of a busy contract, which find everything cold."""


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


# --- (a) rebuild ------------------------------------------------------------------------------------------------

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
        self.told = self._tell_library()
        try:
            return contest(contenders, self.sizes.rebuilds)
        finally:
            self.desk.close()

    def _tell_library(self) -> int:
        """The first facts of the year, told to the library's application; how many."""
        told, stories = 0, []
        for story in self.year.stories():
            stories.append([one.fact for one in story if one.stream.startswith("incident-")])
            told += len(stories[-1])
            if told >= self.sizes.library_events:
                break
        self.desk.tell_all(stories)
        self.incidents_told = len(stories)
        return told

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
        expect(into.view.rows(), self.incidents_told, "incidents in the library's view")
        into.view.close()


# --- (b) append -------------------------------------------------------------------------------------------------

RAW_INSERT, APPEND, DESK = "raw INSERT", "Verbale: ledger", "Verbale: desk"
LIBRARY_SAVE, LIBRARY_COMMAND = "library: tell, save", "library: load, tell, save"
ABOUT_B = (
    "Ledger: facts made, written with their seals and inbox rows. Handler: JSON messages in, checked with the inbox,",
    "decided, recorded, answered. Library: aggregates with events, its default JSON; no seals, no inbox. Raw INSERT:",
    "the rows that the ledger wrote, into the same tables, their triggers taken off.",
)
MONDAY = read_instant("2026-03-02T08:00:00Z")


def _story() -> list[Fact]:
    return [
        busy_opening(MONDAY, Impact.HIGH, Urgency.MEDIUM),
        IncidentTakenInCharge(at=MONDAY + 20 * MINUTE),
        ClockSuspended(at=MONDAY + 30 * MINUTE, cause=Responsibility.CUSTOMER),
        ClockResumed(at=MONDAY + 50 * MINUTE),
        IncidentResolved(at=MONDAY + 90 * MINUTE),
    ]


@dataclass
class Appending:
    """`size` facts in each of some transactions: incidents of five facts each."""

    at: Store
    sizes: Sizes
    size: int
    transactions: int
    clock: Clock = field(default_factory=Clock)
    told: int = 0

    def measured(self) -> list[Figures]:
        """Every contender's figures."""
        names = {what: f"{what}_{self.size}" for what in ("append", "desk", "raw", "helpdesk")}
        with ExitStack() as stack:
            self.ours = stack.enter_context(closing(self.at.ledger(names["append"], self.clock)))
            desk_ledger = stack.enter_context(closing(self.at.ledger(names["desk"], self.clock)))
            self.desk = CommandHandler(desk_ledger, self.clock)
            self.desk.handle(contract_in_force())
            stack.enter_context(closing(self.at.ledger(names["raw"], self.clock)))
            self.bare = stack.enter_context(closing(self.at.bare(names["raw"])))
            self.bare.unguard()
            self.ours_bare = stack.enter_context(closing(self.at.bare(names["append"])))
            self.library = stack.enter_context(closing(HelpDesk(self.at.library(names["helpdesk"]))))
            contenders = [
                Contender(APPEND, self._append),  # first, because its rows are what raw INSERT inserts
                Contender(RAW_INSERT, self._raw),
                Contender(DESK, self._desk),
                Contender(LIBRARY_COMMAND if self.size == 1 else LIBRARY_SAVE, self._library),
            ]
            return contest(contenders, self.sizes.turns)

    @property
    def facts(self) -> int:
        """How many facts a turn records."""
        return self.size * self.transactions

    def _names(self) -> list[str]:
        self.told += 1
        return [f"I{self.told}-{number}" for number in range(self.facts // FACTS_A_STORY)]

    @contextmanager
    def _append(self) -> Iterator[Run]:
        self.before, names = self.ours.store.position(), self._names()
        yield lambda: self._append_all(names)
        expect(self.ours.store.position() - self.before, self.facts, "facts recorded")

    def _append_all(self, names: Iterable[str]) -> int:
        for some in _batched(self._told(names), self.size):
            batch = Batch()
            for told, number in some:
                add(batch, told, number)
            self.ours.append(batch)
        return self.facts

    def _told(self, names: Iterable[str]) -> Iterator[tuple[Recorded, int]]:
        for name in names:
            for number, fact in enumerate(_story(), 1):
                yield Recorded(f"incident-{name}", "busy", fact), number

    @contextmanager
    def _raw(self) -> Iterator[Run]:
        some = list(parts(self.ours_bare.written(self.before), self.size))
        expect(len(some), self.transactions, "transactions of raw rows")

        def run() -> int:
            for rows in some:
                self.bare.write(rows)
            return self.facts

        yield run

    @contextmanager
    def _desk(self) -> Iterator[Run]:
        raws = [raw for name in self._names() for raw in told_of(name)]

        def run() -> int:
            for some in _batched(raws, self.size):
                answered = self.desk.handle(some)
                if not all(isinstance(outcome, Done) for outcome in answered.outcomes):
                    raise AssertionError(f"refused: {answered.outcomes}")
            return self.facts

        yield run

    @contextmanager
    def _library(self) -> Iterator[Run]:
        stories = [_story() for _ in self._names()]
        before = self.library.recorder.max_notification_id() or 0
        yield lambda: self._tell_library(stories)
        expect((self.library.recorder.max_notification_id() or 0) - before, self.facts, "the library's events")

    def _tell_library(self, stories: Sequence[Sequence[Fact]]) -> int:
        if self.size == 1:
            for opened, *others in stories:
                incident = self.library.tell_first(opened)
                for fact in others:
                    self.library.tell_on(incident, fact)
        else:
            for some in _batched(stories, self.size // FACTS_A_STORY):
                self.library.tell_all(some)
        return self.facts


def _batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(items)
    while some := list(islice(left, size)):
        yield some


# --- (c) one fact on a busy contract ----------------------------------------------------------------------------


class Cost(NamedTuple):
    """What telling one fact took, in milliseconds."""

    step: float
    append_and_step: float


@dataclass
class Busy:
    """A contract with many incidents, and live tables."""

    at: Store
    incidents: int
    waiting: int
    told: dict[tuple[str, str], list[Cost]] = field(default_factory=lambda: defaultdict(list))

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

    def tell(self, kind: str, told: Recorded, number: int, *, counts: bool) -> None:
        """Record one fact, and bring the tables up to date."""
        self.clock.now += SECOND
        batch = Batch()
        add(batch, told, number)
        start = time.perf_counter()
        self.ledger.append(batch)
        recorded = time.perf_counter()
        while self.projector.step():
            pass
        done = time.perf_counter()
        if counts:
            window = "passed" if self.passed else "within"
            self.told[kind, window].append(Cost((done - recorded) * 1e3, (done - start) * 1e3))

    def close(self) -> None:
        """Be done with it."""
        self.reporting.close()
        self.ledger.close()


ABOUT_C = (
    "One fact is recorded, then the live tables are brought up to date: the step alone, and both together. First while",
    "the window of the contract is within its tolerance, then after it has passed it. Tables as a rebuild left them.",
)
TELLS: dict[str, Callable[[int], tuple[Recorded, int]]] = {
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
                for kind, story in TELLS.items():
                    for busy in contracts:
                        busy.tell(kind, *story(number + rounds * spoiled), counts=number >= UNCOUNTED)
            for busy in contracts:
                expect(busy.passed, spoiled, "tolerance passed in the end")
    finally:
        for busy in contracts:
            busy.close()
    return contracts


def tell_busy(paper: Paper, kind: str, contracts: Sequence[Busy]) -> None:
    """What one fact costs on each contract, and how much more on the larger."""
    rows = []
    for tolerance in ("within", "passed"):
        for what in TELLS:
            shown = [what, tolerance]
            result: dict[str, Any] = {"what": what, "tolerance": tolerance, "unit": "ms"}
            for index, name in enumerate(Cost._fields):
                values = {busy.incidents: [cost[index] for cost in busy.told[what, tolerance]] for busy in contracts}
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


# --- the command ------------------------------------------------------------------------------------------------


def measure(at: Store, sizes: Sizes, only: str | None, paper: Paper, *, profile: bool) -> None:
    """Every part wanted, on one store."""
    paper.line(at.version)
    paper.line()
    if only in (None, "a"):
        _measure_rebuild(at, sizes, paper, profile=profile)
    if only in (None, "b"):
        paper.about(ABOUT_B)
        for size, transactions in sizes.transactions:
            say(f"{at.kind}: appending {size} at a time")
            figures = Appending(at, sizes, size, transactions).measured()
            each = "1 fact" if size == 1 else f"{size} facts"
            title = f"Append, {each} in each transaction ({transactions} a turn)"
            paper.rates("b", at.kind, title, figures, (APPEND, DESK))
    if only in (None, "c"):
        paper.about(ABOUT_C)
        tell_busy(paper, at.kind, one_fact(at, sizes))
    if only in (None, "d"):
        paper.about(ABOUT_D)
        _measure_consuming(at, sizes, paper)


def _measure_consuming(at: Store, sizes: Sizes, paper: Paper) -> None:
    say(f"{at.kind}: consuming from JetStream")
    with tempfile.TemporaryDirectory(prefix="verbale-nats-") as folder, NatsServer(Path(folder)) as server:
        consuming = Consuming(at, server, sizes.consumed, sizes.handled)
        contenders = [Contender(CONSUME, consuming.consume), Contender(HANDLER, consuming.handler)]
        figures = contest(contenders, sizes.consumptions)
    paper.rates("d", at.kind, f"From JetStream: {sizes.consumed:,} messages, a fact each", figures, (CONSUME,))


def _measure_rebuild(at: Store, sizes: Sizes, paper: Paper, *, profile: bool) -> None:
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


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="bin/bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller sizes: does it run at all?")
    parser.add_argument("--store", choices=("sqlite", "postgres"), help="one store instead of both")
    what = "one part: (a) rebuild, (b) append, (c) one fact on a busy contract, "
    what += "(d) messages from a broker, (e) start-up"
    parser.add_argument("--only", choices=("a", "b", "c", "d", "e"), help=what)
    parser.add_argument("--profile", action="store_true", help="where the time of (a) goes")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there too")
    return parser.parse_args(words)


def main() -> None:
    """Measure, and tell."""
    asked = arguments()
    sizes = QUICK if asked.quick else Sizes()
    kinds = [asked.store] if asked.store else ["sqlite", "postgres"]
    paper = Paper()
    versions = {}
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="verbale-bench-") as folder:
        on = machine(Path(folder))
        described = [f"{on['cores']} cores", on["processor"], f"Python {on['python']}"]
        described += [f"{name} {number}" for name, number in on["versions"].items()]
        described += [f"fdatasync {on['fdatasync_us']} us", f"load {on['load_before']:.1f}"]
        paper.line(", ".join(filter(None, described)))
        taken = f"{sizes.rebuilds} rebuilds, of {sizes.turns} turns of appending, of {sizes.facts_told} facts told"
        paper.line(f"Medians of {taken}; contenders take turns, and ratios are of medians.")
        paper.line()
        if asked.only in (None, "e"):
            measure_start_up(Path(folder), sizes.turns, paper)
        for kind in kinds if asked.only != "e" else []:
            with store(kind, Path(folder)) as at:
                versions[kind] = at.version
                measure(at, sizes, asked.only, paper, profile=asked.profile)
    took = time.perf_counter() - start
    paper.line(f"{took:.0f} s in all")
    if asked.json:
        said = {"machine": on, "stores": versions, "sizes": vars(sizes), "seconds": took, "results": paper.results}
        asked.json.write_text(json.dumps(said, indent=2) + "\n")


def run() -> None:
    """What bin/bench starts."""
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
