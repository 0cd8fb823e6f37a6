"""Incidents judged many at a time, from rows as stored to rows as reported: here, or in processes of their own.

Incidents share nothing: each follows from its own facts and from the contracts, so as many processes as there are
cores judge as many parts of the log. Small logs are not worth starting them.
"""

import multiprocessing
import os
import signal
import threading
import zoneinfo
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait

from adapters.live_tables.incident_rows import Rows, judge
from adapters.live_tables.read_facts import contracts_of
from adapters.store.errors import StoreError
from adapters.store.ledger import Ledger
from adapters.store.records import Row
from domain.catalogue import FACTS
from projections.contracts_known import Contracts
from projections.readings import Reading

WORTH_PROCESSES = 50_000
"""Facts from which on processes of their own are worth starting."""
AHEAD = 2
"""Parts given to each process before its first result is taken: no process idles, and memory is bounded."""


@contextmanager
def judges(
    ledger: Ledger, contracts: Sequence[Row], contracts_known: Contracts, facts: int, processes: int | None = None
) -> Iterator["Judges"]:
    """What judges a log of so many facts: this process, or as many as there are cores.

    `contracts` are the rows of `contracts_known`; `processes` says how many processes instead.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = (cores if facts >= WORTH_PROCESSES else 1) if processes is None else processes
    if wanted < 2 or ledger.catalogue is not FACTS:
        yield InThisProcess(ledger, contracts_known)
        return
    given = (zoneinfo.TZPATH, ledger.id, list(contracts), contracts_known.readings, contracts_known.as_of)
    # Not forked: a copy of a process that has threads, as those of a pool of connections, may never run.
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(wanted, mp_context=spawn, initializer=_begin, initargs=given)
    try:
        yield InProcesses(pool, wanted)
    finally:
        pool.shutdown(cancel_futures=True)


class InThisProcess:
    """Judges one part after the other."""

    def __init__(self, ledger: Ledger, contracts_known: Contracts) -> None:
        self._ledger, self._contracts = ledger, contracts_known

    def rows(self, parts: Iterable[Sequence[Row]]) -> Iterator[Rows]:
        """What each part amounts to, in order."""
        for part in parts:
            yield judge(self._ledger.id, self._contracts, part, self._ledger.catalogue)


class InProcesses:
    """Judges several parts at once."""

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


Judges = InThisProcess | InProcesses

# --- in a process of its own ---

_given: list[tuple[str, Contracts]] = []


def _begin(
    time_zones: Sequence[str], ledger: str, contracts: Sequence[Row], readings: Sequence[Reading], as_of: int
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the parent, which ends us
    zoneinfo.reset_tzpath(time_zones)  # before any zone is read: the same rules as the parent's
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _given[:] = [(ledger, contracts_of(contracts, readings, as_of))]


def _end_with_parent() -> None:
    """End this process when its parent does, for then nobody takes its results."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _judge_there(rows: Sequence[Row]) -> Rows:
    ((ledger, contracts_known),) = _given
    return judge(ledger, contracts_known, rows)
