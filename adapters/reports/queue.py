"""Open requests in the order in which they are to be served (G3)."""

from collections.abc import Iterable
from typing import NamedTuple

from adapters.reports.columns import EVENTUAL, Column, evidence, instant, integer, lifted, text
from adapters.reports.filters import by_contract, by_instant
from adapters.reports.live_table import LEDGER, READING, Stored, Table, kept
from adapters.reports.live_tables_protocol import LiveTables
from adapters.reports.parts import coverage_of, priority_of
from adapters.reports.replay import Replayed, of_contract
from adapters.reports.report import Definition
from adapters.reports.screen import at, count, plain, word
from projections.queue import QueueRow, Tier, in_order, queue


class RankedRequest(NamedTuple):
    """An open request with its place in the queue, from 1."""

    rank: int
    request: QueueRow


_COLUMNS: tuple[Column[QueueRow], ...] = (
    text("incident", "the id of the request", lambda row: row.incident),
    text("contract", "the contract", lambda row: row.contract, optional=True),
    text(
        "tier",
        "guaranteed, under_contract (best effort under a contract in force) or rest",
        lambda row: row.tier.name.lower(),
    ),
    text(
        "coverage_reason",
        "why it is best effort",
        lambda row: row.answer.reason.value if row.answer.reason else None,
        optional=True,
    ),
    instant("due", "the earliest due instant of its running clocks", lambda row: row.due, optional=True),
    integer("priority", "1 (highest) to 5", lambda row: row.priority and int(row.priority), optional=True),
    instant("opened_at", "when it came in", lambda row: row.opened_at),
    *evidence("incident", "incident", lambda row: row.incident, lambda row: list(row.versions)),
)

COLUMNS: tuple[Column[RankedRequest], ...] = (
    integer("rank", "its place in the queue, from 1", lambda row: row.rank),
    *lifted(_COLUMNS, lambda row: row.request),
)

QUEUE: Table[QueueRow] = Table(
    "queue",
    "Open requests (G3). Serve them by tier_number, then earliest due (none last), priority (none last), age, id.",
    ("ledger", "reading", "incident"),
    (
        LEDGER,
        READING,
        *kept(_COLUMNS),
        integer(
            "tier_number",
            "the tier as a number, to sort by: 1 guaranteed, 2 under_contract, 3 rest",
            lambda row: int(row.tier),
        ),
        text("coverage", "guaranteed or best_effort (G2)", lambda row: row.answer.coverage.value),
        text(
            "coverage_contract",
            "the signed contract that it comes under",
            lambda row: row.answer.contract,
            optional=True,
        ),
        instant("changes_at", EVENTUAL, lambda row: row.changes_at, optional=True),
    ),
)


def row_of(stored: Stored) -> QueueRow:
    """A row of `queue` read back."""
    return QueueRow(
        incident=stored["incident"],
        contract=stored["contract"],
        tier=Tier(stored["tier_number"]),
        answer=coverage_of(stored),
        due=stored["due"],
        priority=priority_of(stored),
        opened_at=stored["opened_at"],
        versions=tuple(stored["evidence_versions"]),
        changes_at=stored["changes_at"],
    )


def _from_replay(replayed: Replayed) -> list[RankedRequest]:
    return _ranked(of_contract(queue(replayed.replay, replayed.judged()), replayed.asked))


def _from_live(live: LiveTables) -> list[RankedRequest]:
    return _ranked(in_order(map(row_of, live.rows(QUEUE))))


def _ranked(requests: Iterable[QueueRow]) -> list[RankedRequest]:
    return [RankedRequest(rank, request) for rank, request in enumerate(requests, 1)]


REPORT: Definition[RankedRequest] = Definition(
    name="queue",
    title="Queue of open requests (G3)",
    columns=COLUMNS,
    screen=(
        count("rank", "#"),
        plain("incident"),
        plain("contract"),
        word("tier", "served as"),
        word("coverage_reason", "because"),
        at("due", "due"),
        plain("priority", "P"),
        at("opened_at", "opened"),
    ),
    filters={
        "priority": lambda row, wanted: row.request.priority == wanted,
        **by_contract(lambda row: row.request.contract),
        **by_instant(lambda row: row.request.opened_at),
    },
    from_replay=_from_replay,
    from_live=_from_live,
    tables=(QUEUE,),
    not_kept_live={"rank": "one request that is served moves all the others: it is counted when asked"},
)
