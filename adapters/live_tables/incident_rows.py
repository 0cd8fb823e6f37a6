"""The rows that incidents amount to, each judged from all its facts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from adapters.live_tables.errors import Stopped
from adapters.live_tables.read_facts import entries
from adapters.live_tables.schema import TIMERS
from adapters.reports.breach import CASES, cases_of
from adapters.reports.compliance import INCIDENTS
from adapters.reports.live_table import Table, Values
from adapters.reports.queue import QUEUE
from adapters.reports.systems import EFFECTS
from adapters.store.records import Row
from domain.catalogue import FACTS, Catalogue
from domain.streams import split_stream
from projections.contracts_known import Contracts, ContractsUnder, JudgedIncident
from projections.history import Entry


@dataclass(frozen=True)
class Rows:
    """What some incidents amount to, table by table; `facts`: from how many facts."""

    facts: int
    of: Mapping[str, list[Values]] = field(default_factory=dict)

    def to(self, table: Table[Any]) -> list[Values]:
        """The rows of one table."""
        return self.of.get(table.name, [])


def judged(under: ContractsUnder, incidents: Mapping[str, Sequence[Entry]]) -> dict[str, JudgedIncident | None]:
    """What each of some incidents amounts to. Raises Stopped, naming the last fact of one that cannot be judged."""
    try:
        return under.judged(incidents)
    except Exception:
        for name, facts in incidents.items():
            try:
                under.judged({name: facts})
            except Exception as error:
                because = f"incident-{name} cannot be judged ({type(error).__name__}: {error}); please report it"
                raise Stopped(facts[-1].position, because) from error
        raise


def rows_of(ledger: str, reading: str, incidents: Sequence[JudgedIncident]) -> dict[Table[Any], list[Values]]:
    """The rows that some incidents amount to under one reading."""
    return {
        INCIDENTS: [INCIDENTS.values(ledger, reading, one) for one in incidents],
        CASES: [CASES.values(ledger, reading, case) for one in incidents for case in cases_of(one)],
        QUEUE: [QUEUE.values(ledger, reading, one.queued) for one in incidents if one.queued],
        EFFECTS: [EFFECTS.values(ledger, reading, one.effect) for one in incidents if one.effect],
    }


def timers(
    under: ContractsUnder, found: Mapping[str, JudgedIncident | None], incidents: Mapping[str, Sequence[Entry]]
) -> Iterator[tuple[str, int]]:
    """The stream of each incident that time alone changes under one reading, and when (microseconds UTC)."""
    for name, one in found.items():
        at = one.changes_at if one else under.opens_at(name, incidents[name])
        if at is not None:
            yield f"incident-{name}", at


def judge(ledger: str, contracts_known: Contracts, rows: Sequence[Row], catalogue: Catalogue = FACTS) -> Rows:
    """The rows that some whole streams amount to, under every reading. Raises Stopped."""
    incidents = {
        split_stream(stream).id: entries(facts, catalogue)
        for stream, facts in groupby(rows, key=lambda row: row.stream)
    }
    of: dict[str, list[Values]] = {table.name: [] for table in (INCIDENTS, CASES, QUEUE, EFFECTS)}
    earliest: dict[str, int] = {}
    for under in contracts_known.under:
        found = judged(under, incidents)
        for table, more in rows_of(ledger, under.replay.reading.name, [one for one in found.values() if one]).items():
            of[table.name] += more
        for stream, at in timers(under, found, incidents):
            earliest[stream] = min(at, earliest.get(stream, at))
    return Rows(len(rows), {**of, TIMERS.name: list(earliest.items())})
