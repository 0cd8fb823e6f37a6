"""Where the time of a rebuild goes, when one process judges: by phases, and by functions."""

import cProfile
import gc
import pstats
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from adapters.live_tables import read_facts as reading
from adapters.live_tables.reporting import Reporting
from adapters.live_tables.step import Step
from adapters.reports.live_table import Table
from adapters.store.ledger import Ledger
from adapters.store.mapper import read_entry
from bench.paper import CHECKOUT, Paper
from projections.contracts_known import ContractsUnder

MOST = 15
Build = Callable[[Reporting], int]
"""Fills new tables; gives how many facts that took."""

READ = "read the log"
DECODE = "decode and validate the facts (pydantic)"
JUDGE = "tell and judge"
ROWS = "make and encode the rows"
WRITE = "write the rows"
INDEX = "index them"
COUNT = "count windows, penalties, credits"
REST = "the rest"


@dataclass
class Phases:
    """Seconds of each phase, those of phases within it left out."""

    seconds: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys((READ, DECODE, JUDGE, ROWS, WRITE, INDEX, COUNT, REST), 0.0)
    )
    _stack: list[str] = field(default_factory=lambda: [REST])
    _since: float = field(default_factory=time.perf_counter)

    def _now(self) -> None:
        now = time.perf_counter()
        self.seconds[self._stack[-1]] += now - self._since
        self._since = now

    def enter(self, name: str) -> None:
        """What is done from now on belongs to a phase."""
        self._now()
        self._stack.append(name)

    def leave(self) -> None:
        """Until now."""
        self._now()
        self._stack.pop()

    @property
    def now(self) -> str:
        """The phase that it is."""
        return self._stack[-1]

    def of(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time counted."""

        def timed(*given: Any) -> Any:
            self.enter(name)
            try:
                return function(*given)
            finally:
                self.leave()

        return timed

    def begin(self) -> None:
        """Count from now."""
        self.seconds = dict.fromkeys(self.seconds, 0.0)
        self._since = time.perf_counter()

    def end(self) -> None:
        """Count no further."""
        self._now()


def phases_of(build: Build, ledger: Ledger, reporting: Reporting) -> tuple[Phases, int]:
    """The seconds of each phase of building tables once, and how many facts that took."""
    phases, recorder = Phases(), ledger.store
    read, begin = recorder.rows_by_stream, reporting.transaction
    run, write_now = reporting.run, phases.of(WRITE, reporting.run)
    write, write_each = phases.of(WRITE, reporting.load), phases.of(WRITE, reporting.run_many)
    encode = phases.of(ROWS, list)

    @contextmanager
    def transaction() -> Iterator[None]:
        with ExitStack() as ending:
            phases.of(WRITE, ending.enter_context)(begin())
            yield
            phases.of(WRITE, ending.pop_all().close)()

    changes: list[tuple[Any, str, Any]] = [
        (recorder, "rows_by_stream", phases.of(READ, lambda *given: iter(list(read(*given))))),
        (reading, "read_entry", phases.of(DECODE, read_entry)),
        (ContractsUnder, "judged", phases.of(JUDGE, ContractsUnder.judged)),
        (Step, "count_anew", phases.of(COUNT, Step.count_anew)),
        (reporting, "index", phases.of(INDEX, reporting.index)),
        (reporting, "run", lambda *given: (run if phases.now == INDEX else write_now)(*given)),
        (reporting, "load", lambda table, columns, rows: write(table, columns, encode(rows))),
        (reporting, "run_many", lambda sql, rows: write_each(sql, encode(rows))),
        (reporting, "transaction", transaction),
        (Table, "values", phases.of(ROWS, Table.values)),
    ]
    with ExitStack() as stack:
        for of, name, timed in changes:
            stack.enter_context(patch.object(of, name, timed))
        gc.collect()
        phases.begin()
        facts = build(reporting)
        phases.end()
    unseen = [name for name, seconds in phases.seconds.items() if not seconds]
    if unseen:
        raise AssertionError(f"nothing was counted as {', '.join(unseen)}: the functions named here are others now")
    return phases, facts


def hot_functions(build: Build, reporting: Reporting) -> pstats.Stats:
    """What cProfile says of building tables once."""
    profile = cProfile.Profile()
    gc.collect()
    profile.runcall(build, reporting)
    return pstats.Stats(profile)


def tell_phases(paper: Paper, kind: str, phases: Phases, facts: int) -> None:
    """The share of each phase."""
    total = sum(phases.seconds.values())
    rows = [
        (name, f"{seconds / total:.1%}", f"{seconds / facts * 1e6:.1f}") for name, seconds in phases.seconds.items()
    ]
    title = f"Where the time goes: building the tables from {facts:,} facts in {total:.2f} s ({kind})"
    paper.table(title, ("", "share", "us per fact"), rows)
    paper.results.append({"part": "a", "store": kind, "of": "phases of building", "seconds": phases.seconds})


def tell_functions(paper: Paper, kind: str, stats: pstats.Stats) -> None:
    """The functions that take longest, in themselves and with what they call."""
    found = stats.stats  # type: ignore[attr-defined]
    total = max(whole for _, _, _, whole, _ in found.values())
    for order, heading in ((2, "in themselves"), (3, "with what they call")):
        most = sorted(found.items(), key=lambda item: item[1][order], reverse=True)[:MOST]
        rows = [
            (_name(where), f"{calls:,}", f"{own / total:.1%}", f"{whole / total:.1%}")
            for where, (_, calls, own, whole, _) in most
        ]
        title = f"The functions that take longest {heading}, under cProfile ({kind})"
        paper.table(title, ("", "calls", "itself", "with calls"), rows)


def _name(where: tuple[str, int, str]) -> str:
    file, line, name = where
    if file.startswith("~"):
        return name
    for folder in (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"), CHECKOUT):
        if Path(file).is_relative_to(folder):
            return f"{Path(file).relative_to(folder)}:{line} {name}"
    return f"{file}:{line} {name}"
