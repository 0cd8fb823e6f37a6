"""Breach ratio of each window of each contract against its tolerance (P1).

"Il 90% dei casi": cases are counted when decided. A window is open until it ends, provisional while a clock is
undecided, then closed; closed is not for ever, for what is told later moves it, and the row says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from domain.contract_facts import ContractRenewed, ContractSigned, ContractTerminated
from domain.interval import Interval, earliest
from projections.as_of import ContractAsOf
from projections.compliance import ComplianceRow
from projections.contract_findings import contract_findings, window_findings
from projections.findings import Finding
from projections.replay import Replay
from projections.tally import WindowShare, WindowTally, share
from projections.tolerance import Case, Passing, by_day, every_day, excess, passed_for_good
from projections.windows import holding


class WindowStatus(StrEnum):
    """Whether a window has not ended, has ended with a clock undecided, or has ended with all decided."""

    OPEN = "open"
    PROVISIONAL = "provisional"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class BreachRow:
    """The ratio of one window, and when it passed its tolerance for good (if it has).

    `changes_at`: when time alone may change it: the window ends, one of its incidents changes, a fact on record of the
    contract takes effect. `versions`: those of the contract's facts that it rests on.
    """

    contract: str
    window: Interval
    tally: WindowTally
    tolerance: Fraction
    status: WindowStatus
    passing: Passing | None = None
    changes_at: int | None = None
    versions: tuple[int, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def cases(self) -> int:
        """n: the cases decided."""
        return self.tally.cases

    @property
    def breaches(self) -> int:
        """b: those that are the supplier's breaches."""
        return self.tally.breaches

    @property
    def ratio(self) -> str | None:
        """b/n, unreduced; None where there is no case."""
        return f"{self.breaches}/{self.cases}" if self.cases else None

    @property
    def passed(self) -> bool:
        """Whether the ratio exceeds the tolerance: exactly the tolerance does not."""
        return exceeds(self.breaches, self.cases, self.tolerance)

    @property
    def headroom(self) -> int | None:
        """The largest k >= 0 with (b + k)/(n + k) within the tolerance; None when passed."""
        if self.passed:
            return None
        return int((self.tolerance * self.cases - self.breaches) / (1 - self.tolerance))


def exceeds(breaches: int, cases: int, tolerance: Fraction) -> bool:
    """Whether b/n is more than the tolerance (P1). No cases: no ratio, not exceeded."""
    return excess(breaches, cases, tolerance) > 0


def breach(replay: Replay, rows: Sequence[ComplianceRow]) -> list[BreachRow]:
    """Every window begun by as_of, of every signed contract; by contract, then window."""
    inside = by_window(replay, rows)
    return [
        _counted(contract, window, inside.get((contract.contract.id, window.start), ()), replay)
        for contract in replay.signed_contracts
        for window in contract.windows(replay.reading.window, replay.as_of)
    ]


def by_window(replay: Replay, rows: Iterable[ComplianceRow]) -> Mapping[tuple[str, int], Sequence[ComplianceRow]]:
    """The incidents that belong to each window, by contract and beginning of the window."""
    inside: dict[tuple[str, int], list[ComplianceRow]] = defaultdict(list)
    begun: dict[str, list[Interval]] = {}
    for row in rows:
        if row.contract is None:
            continue
        if row.contract not in begun:
            begun[row.contract] = replay.contract(row.contract).windows(replay.reading.window, replay.as_of)
        if window := holding(begun[row.contract], row.opened_at):
            inside[row.contract, window.start].append(row)
    return inside


def late_in(cases: Iterable[Case]) -> list[str]:
    """The ids of the incidents whose cases are in breach for reasons of the supplier."""
    return sorted({case.incident for case in cases if case.breach_at is not None})


def _counted(contract: ContractAsOf, window: Interval, rows: Sequence[ComplianceRow], replay: Replay) -> BreachRow:
    shares = [share(row, replay.reading, window) for row in rows]
    cases = [case for each in shares for case in each.cases]
    tolerance, of_day = tolerance_of(contract), by_day(cases)
    passing = passed_for_good(every_day(cases, tolerance), lambda day: of_day[day], tolerance)
    next_change = earliest(*(row.changes_at for row in rows))
    return breach_row(contract, window, WindowShare.total(shares), passing, next_change, replay)


def breach_row(
    contract: ContractAsOf,
    window: Interval,
    total: WindowShare,
    passing: Passing | None,
    next_change: int | None,
    replay: Replay,
) -> BreachRow:
    """The row of one window from what is counted in it; `next_change`: the first of its incidents' `changes_at`."""
    ended = window.ended_by(replay.as_of)
    tally = total.tally
    status = WindowStatus.CLOSED if ended else WindowStatus.OPEN
    if ended and tally.undecided:
        status = WindowStatus.PROVISIONAL
    return BreachRow(
        contract=contract.contract.id,
        window=window,
        tally=tally,
        tolerance=tolerance_of(contract),
        status=status,
        passing=passing,
        changes_at=earliest(None if ended else window.end, next_change, contract.next_at),
        versions=contract.versions(ContractSigned, ContractRenewed, ContractTerminated),
        findings=(
            *window_findings(contract, window, total, tolerance_of(contract), ended=ended),
            *contract_findings(contract, replay),
        ),
    )


def tolerance_of(contract: ContractAsOf) -> Fraction:
    """The tolerance that was signed (P1)."""
    if contract.contract.signed is None:
        raise ValueError(f"contract {contract.contract.id} is not signed: it has no tolerance")
    return contract.contract.signed.terms.tolerance
