"""Incidents judged many at a time, from rows as stored to rows as reported: here, or in processes of their own.

Nothing is shared and nothing is waited for: each incident follows from its own facts and from the contracts, so as many
processes as there are cores judge as many parts of the log. Small logs are not worth starting them.
"""

import multiprocessing
import os
import signal
import threading
import zoneinfo
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, groupby
from multiprocessing.connection import wait
from typing import Any

from adapters.live_tables.schema import TIMERS
from adapters.reports.breach import CASES, cases_of
from adapters.reports.compliance import INCIDENTS
from adapters.reports.queue import QUEUE
from adapters.reports.systems import EFFECTS
from adapters.reports.table import Table, Values
from adapters.store.ledger import Ledger, Row, StoreError, read_entry
from domain.catalogue import FACTS, Catalogue
from projections.affected import Contracts, ContractsUnder, JudgedIncident
from projections.history import Entry
from projections.readings import Reading

WORTH_PROCESSES = 50_000
"""Facts from which on processes of their own are worth starting."""
AHEAD = 2
"""Parts handed to each process before its first answer is taken: memory is bounded, and nobody waits."""


class Stopped(StoreError):
    """A fact cannot be projected: nothing after it is, until somebody has seen to it."""

    def __init__(self, position: int, because: str) -> None:
        super().__init__(f"stopped at position {position}: {because}")
        self.position = position
        self.because = because

    def __reduce__(self) -> tuple[type["Stopped"], tuple[int, str]]:
        return Stopped, (self.position, self.because)


@dataclass(frozen=True)
class Rows:
    """What some incidents amount to, table by table; `facts`: from how many facts."""

    facts: int
    of: Mapping[str, list[Values]] = field(default_factory=dict)

    def to(self, table: Table[Any]) -> list[Values]:
        """The rows of one table."""
        return self.of.get(table.name, [])


def entries(rows: Iterable[Row], catalogue: Catalogue = FACTS) -> list[Entry]:
    """The facts of some rows. Raises Stopped, naming the first that cannot be read."""
    found = []
    for row in rows:
        try:
            found.append(read_entry(row, catalogue))
        except StoreError as error:
            raise Stopped(row.position, str(error).removeprefix(f"position {row.position}, ")) from None
    return found


def standings(told: ContractsUnder, incidents: Mapping[str, Sequence[Entry]]) -> dict[str, JudgedIncident | None]:
    """What each of some incidents amounts to. Raises Stopped, naming the last fact of one that cannot be judged."""
    try:
        return told.standings(incidents)
    except Exception:
        for name, facts in incidents.items():
            try:
                told.standings({name: facts})
            except Exception as error:
                because = f"incident-{name} cannot be judged ({type(error).__name__}: {error}); please report it"
                raise Stopped(facts[-1].position, because) from error
        raise


def rows_of(ledger: str, reading: str, standings: Sequence[JudgedIncident]) -> dict[Table[Any], list[Values]]:
    """The rows that some incidents amount to under one reading."""
    return {
        INCIDENTS: [INCIDENTS.values(ledger, reading, one) for one in standings],
        CASES: [CASES.values(ledger, reading, case) for one in standings for case in cases_of(one)],
        QUEUE: [QUEUE.values(ledger, reading, one.queued) for one in standings if one.queued],
        EFFECTS: [EFFECTS.values(ledger, reading, one.effect) for one in standings if one.effect],
    }


def timers(
    told: ContractsUnder, standings: Mapping[str, JudgedIncident | None], incidents: Mapping[str, Sequence[Entry]]
) -> Iterator[tuple[str, int]]:
    """When time alone changes what each incident means under one reading."""
    for name, standing in standings.items():
        at = standing.changes_at if standing else told.opens_at(name, incidents[name])
        if at is not None:
            yield f"incident-{name}", at


def judge(ledger: str, contracts_known: Contracts, rows: Sequence[Row], catalogue: Catalogue = FACTS) -> Rows:
    """The rows that some whole streams amount to, under every reading of the book."""
    incidents = {
        stream.partition("-")[2]: entries(facts, catalogue)
        for stream, facts in groupby(rows, key=lambda row: row.stream)
    }
    of: dict[str, list[Values]] = {table.name: [] for table in (INCIDENTS, CASES, QUEUE, EFFECTS)}
    earliest: dict[str, int] = {}
    for told in contracts_known.told:
        reading, found = told.replay.reading.name, standings(told, incidents)
        some = [standing for standing in found.values() if standing]
        for table, more in rows_of(ledger, reading, some).items():
            of[table.name] += more
        for stream, at in timers(told, found, incidents):
            earliest[stream] = min(at, earliest.get(stream, at))
    return Rows(len(rows), {**of, TIMERS.name: list(earliest.items())})


def contracts_of(
    rows: Iterable[Row], readings: Sequence[Reading], as_of: int, catalogue: Catalogue = FACTS
) -> Contracts:
    """The contracts and accounts told, from their rows in any order."""
    return Contracts.of(readings, sorted(entries(rows, catalogue)), as_of)


@contextmanager
def judges(
    ledger: Ledger, contracts: Sequence[Row], contracts_known: Contracts, facts: int, processes: int | None = None
) -> Iterator["Judges"]:
    """Who judges a log of so many facts: this process, or as many as there are cores.

    `contracts` are the rows of which `book` was told; `processes` says how many instead.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = (cores if facts >= WORTH_PROCESSES else 1) if processes is None else processes
    if wanted < 2 or ledger.catalogue is not FACTS:
        yield _Here(ledger, contracts_known)
        return
    given = (zoneinfo.TZPATH, ledger.id, list(contracts), contracts_known.readings, contracts_known.as_of)
    # Not forked: a copy of a process that has threads, as those of a pool of connections, may never run.
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(wanted, mp_context=spawn, initializer=_begin, initargs=given)
    try:
        yield _InProcesses(pool, wanted)
    finally:
        pool.shutdown(cancel_futures=True)


class _Here:
    def __init__(self, ledger: Ledger, contracts_known: Contracts) -> None:
        self._ledger, self._contracts = ledger, contracts_known

    def rows(self, parts: Iterable[Sequence[Row]]) -> Iterator[Rows]:
        """What each part amounts to, in order."""
        for part in parts:
            yield judge(self._ledger.id, self._contracts, part, self._ledger.catalogue)


class _InProcesses:
    def __init__(self, pool: ProcessPoolExecutor, processes: int) -> None:
        self._pool, self._most = pool, processes * (1 + AHEAD)

    def rows(self, parts: Iterable[Sequence[Row]]) -> Iterator[Rows]:
        """What each part amounts to, in order."""
        try:
            yield from self._rows(parts)
        except BrokenProcessPool:
            raise StoreError("a process that judges a part of the log was ended from outside (for want of memory, "
                             "perhaps): the live tables are as they were; run it again") from None  # fmt: skip

    def _rows(self, parts: Iterable[Sequence[Row]]) -> Iterator[Rows]:
        under_way: deque[Future[Rows]] = deque()
        for part in parts:
            under_way.append(self._pool.submit(_judge_there, part))
            if len(under_way) >= self._most:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


Judges = _Here | _InProcesses

# --- in a process of its own ---

_given: list[tuple[str, Contracts]] = []


def _begin(
    time_zones: Sequence[str], ledger: str, contracts: Sequence[Row], readings: Sequence[Reading], as_of: int
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the process that asks: it ends us
    zoneinfo.reset_tzpath(time_zones)  # before any zone is known: the same rules as the process that asks
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _given[:] = [(ledger, contracts_of(contracts, readings, as_of))]


def _end_with_parent() -> None:
    """Who was asked by a process that is gone has nobody to answer."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _judge_there(rows: Sequence[Row]) -> Rows:
    ((ledger, contracts_known),) = _given
    return judge(ledger, contracts_known, rows)


def whole_streams(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Rows, given by stream, in parts of so many streams."""
    part: list[list[Row]] = []
    for _, stream in groupby(rows, key=lambda row: row.stream):
        part.append(list(stream))
        if len(part) == size:
            yield list(chain.from_iterable(part))
            part = []
    if part:
        yield list(chain.from_iterable(part))
