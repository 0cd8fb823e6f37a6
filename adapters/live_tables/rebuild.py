"""A new set of tables filled from every stream: beside the live ones, or elsewhere for a replay."""

from collections.abc import Callable, Sequence
from uuid import uuid4

from adapters.live_tables.errors import BeingBuilt
from adapters.live_tables.parallel_judging import judges
from adapters.live_tables.read_facts import (
    contract_rows,
    contracts_of,
    first_missing,
    missing_fact,
    stopping_at,
    whole_streams,
)
from adapters.live_tables.reporting import Reporting
from adapters.live_tables.schema import BUILDER
from adapters.live_tables.step import Step
from adapters.live_tables.tables import TableSet
from adapters.reports.replay import Advance
from adapters.store.ledger import Ledger
from projections.readings import Reading

STREAMS_AT_ONCE = 1000
"""Incidents that are judged by one process, and written in one transaction."""


def build(
    ledger: Ledger,
    reporting: Reporting,
    readings: Sequence[Reading],
    generation: int,
    now: Callable[[], int],
    *,
    position: int | None = None,
    as_of: int | None = None,
    advance: Advance = lambda _: None,
    processes: int | None = None,
) -> str:
    """Fill a new set of tables from every stream up to a position (the last), as of an instant (now); its token.

    The set is whole once its row in `ledgers` is there, which is written last; it has not taken the names yet. `now`
    gives microseconds UTC. `processes` says how many judge, instead of one for each core where the log is large.
    """
    last = ledger.store.position() if position is None else position
    token, building = uuid4().hex[:8], reporting.building
    with reporting.transaction():
        reporting.create()
        building.load(BUILDER, [(token,)])
    of_contracts = contract_rows(ledger, last)
    with stopping_at(last):
        at = ledger.known_now(now(), last) if as_of is None else as_of
        contracts_known = contracts_of(of_contracts, readings, at, ledger.catalogue)
    step, done = Step(ledger, building, contracts_known, last), len(of_contracts)
    parts = whole_streams(ledger.store.rows_by_stream("incident-", last), STREAMS_AT_ONCE)
    with judges(ledger, of_contracts, contracts_known, last, processes) as judging:
        for rows in judging.rows(parts):
            with reporting.transaction():
                still_built_by(token, building)
                step.begin(rows)
            done += rows.facts
            advance(done)
    if done != last:
        raise missing_fact(first_missing(ledger, last))
    with reporting.transaction():
        still_built_by(token, building)
        reporting.index(token)
    for name in contracts_known.names:  # each in a transaction of its own, so that nobody waits long for shared tables
        with reporting.transaction():
            still_built_by(token, building)
            step.count_anew(name)
        advance(done)
    with reporting.transaction():
        still_built_by(token, building)
        reporting.analyse()
        step.sign(generation, now(), None)
    return token


def still_built_by(token: str, building: TableSet) -> None:
    """Raises BeingBuilt where the set being built is, by now, another builder's."""
    if building.values(BUILDER, "token") != [token]:
        raise BeingBuilt("another process has begun to build the same tables: this one leaves them to it")
