"""Open requests in the order in which they are to be served (G3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from domain.coverage import CoverageDecision
from domain.interval import earliest
from domain.terms import Priority
from projections.compliance import ComplianceRow
from projections.replay import Replay


class Tier(IntEnum):
    """Guaranteed, then best effort, both under a contract in force at as_of; then the rest (G3)."""

    GUARANTEED = 1
    UNDER_CONTRACT = 2
    REST = 3


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One open request; `due` is the earliest due instant of its running clocks.

    `changes_at`: when time alone may change it.
    """

    incident: str
    contract: str | None
    tier: Tier
    answer: CoverageDecision
    due: int | None
    priority: Priority | None
    opened_at: int
    versions: tuple[int, ...]
    changes_at: int | None = None


def queue(replay: Replay, rows: Iterable[ComplianceRow]) -> list[QueueRow]:
    """Open requests by tier, earliest due (none last), priority, age, id."""
    return in_order(queue_row(replay, row) for row in rows if row.open)


def queue_row(replay: Replay, row: ComplianceRow) -> QueueRow:
    """The row of one open request."""
    # A clock that is late already runs on, and comes first: its due instant has passed.
    running = [clock.judged.due for clock in row.clocks if not clock.judged.stopped]
    return QueueRow(
        incident=row.incident,
        contract=row.contract,
        tier=_tier(replay, row),
        answer=row.answer,
        due=min((due for due in running if due is not None), default=None),
        priority=row.priority,
        opened_at=row.opened_at,
        versions=row.versions,
        changes_at=earliest(row.changes_at, _tier_changes_at(replay, row)),
    )


def _tier(replay: Replay, row: ComplianceRow) -> Tier:
    contract = replay.contract(row.contract).contract if row.contract is not None else None
    if contract is None or not contract.in_force(replay.as_of):
        return Tier.REST
    return Tier.GUARANTEED if row.answer.guaranteed else Tier.UNDER_CONTRACT


def _tier_changes_at(replay: Replay, row: ComplianceRow) -> int | None:
    """When its contract comes into force or ends, if that changes the tier of the request."""
    if row.contract is None:
        return None
    contract = replay.contract(row.contract).contract
    edges = (edge for interval in contract.in_force_intervals for edge in (interval.start, interval.end))
    return earliest(*(edge for edge in edges if edge is not None and edge > replay.as_of))


def in_order(rows: Iterable[QueueRow]) -> list[QueueRow]:
    """Requests as they are to be served: by tier, earliest due (none last), priority, age, id."""
    return sorted(rows, key=_order)


def _order(row: QueueRow) -> tuple[int, bool, int, int, int, str]:
    return (row.tier, row.due is None, row.due or 0, row.priority or len(Priority) + 1, row.opened_at, row.incident)
