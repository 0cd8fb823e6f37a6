"""Breach ratio of each window of each contract against its tolerance (P1).

"Il 90% dei casi": cases are counted when decided, and a window is settled once it has ended with nothing undecided.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from domain.contract_facts import ContractRenewed, ContractSigned, ContractTerminated
from domain.interval import Interval, earliest
from projections.as_of import ContractAsOf
from projections.compliance import ComplianceRow
from projections.readings import Reading
from projections.replay import Replay
from projections.tolerance import Case, Passing, by_day, every_day, excess, passed_for_good
from projections.windows import holding, windows


class Count(NamedTuple):
    """What is counted in a window: cases decided (n), those that are the supplier's breaches (b), units undecided."""

    cases: int = 0
    breaches: int = 0
    undecided: int = 0


@dataclass(frozen=True, slots=True)
class WindowShare:
    """What one incident adds to the counts of the window of its opening."""

    cases: tuple[Case, ...] = ()
    undecided: int = 0


@dataclass(frozen=True, slots=True)
class BreachRow:
    """The ratio of one window, and when it passed its tolerance for good (if it has).

    `changes_at`: when time alone may change it: the window ends, one of its incidents changes, a fact on record of the
    contract takes effect. `versions`: those of the contract's facts that it rests on.
    """

    contract: str
    window: Interval
    count: Count
    tolerance: Fraction
    settled: bool
    passing: Passing | None = None
    changes_at: int | None = None
    versions: tuple[int, ...] = ()

    @property
    def cases(self) -> int:
        """n: the cases decided."""
        return self.count.cases

    @property
    def breaches(self) -> int:
        """b: those that are the supplier's breaches."""
        return self.count.breaches

    @property
    def undecided(self) -> int:
        """How many units hold a clock that is not decided yet."""
        return self.count.undecided

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
        for window in windows(contract.contract, replay.reading.window, replay.as_of)
    ]


def by_window(replay: Replay, rows: Iterable[ComplianceRow]) -> Mapping[tuple[str, int], Sequence[ComplianceRow]]:
    """The incidents that belong to each window, by contract and beginning of the window."""
    inside: dict[tuple[str, int], list[ComplianceRow]] = defaultdict(list)
    begun: dict[str, list[Interval]] = {}
    for row in rows:
        if row.contract is None:
            continue
        if row.contract not in begun:
            begun[row.contract] = windows(replay.contract(row.contract).contract, replay.reading.window, replay.as_of)
        if window := holding(begun[row.contract], row.opened_at):
            inside[row.contract, window.start].append(row)
    return inside


def late_in(cases: Iterable[Case]) -> list[str]:
    """The ids of the incidents whose cases are in breach for reasons of the supplier."""
    return sorted({case.incident for case in cases if case.breach_at is not None})


def _counted(contract: ContractAsOf, window: Interval, rows: Sequence[ComplianceRow], replay: Replay) -> BreachRow:
    shares = [share(row, replay.reading) for row in rows]
    cases = [case for each in shares for case in each.cases]
    count = Count(len(cases), sum(c.breach_at is not None for c in cases), sum(each.undecided for each in shares))
    tolerance, of_day = tolerance_of(contract), by_day(cases)
    passing = passed_for_good(every_day(cases, tolerance), lambda day: of_day[day], tolerance)
    next_change = earliest(*(row.changes_at for row in rows))
    return breach_row(contract, window, count, passing, next_change, replay.as_of)


def breach_row(
    contract: ContractAsOf, window: Interval, count: Count, passing: Passing | None, next_change: int | None, as_of: int
) -> BreachRow:
    """The row of one window from what is counted in it; `next_change`: the first of its incidents' `changes_at`."""
    ended = window.ended_by(as_of)
    return BreachRow(
        contract=contract.contract.id,
        window=window,
        count=count,
        tolerance=tolerance_of(contract),
        settled=ended and count.undecided == 0,
        passing=passing,
        changes_at=earliest(None if ended else window.end, next_change, contract.next_at),
        versions=contract.versions(ContractSigned, ContractRenewed, ContractTerminated),
    )


def tolerance_of(contract: ContractAsOf) -> Fraction:
    """The tolerance that was signed (P1)."""
    if contract.contract.signed is None:
        raise ValueError(f"contract {contract.contract.id} is not signed: it has no tolerance")
    return contract.contract.signed.terms.tolerance


def share(row: ComplianceRow, reading: Reading) -> WindowShare:
    """What one incident adds to its window."""
    return WindowShare(tuple(cases(row, reading)), undecided_units(row, reading))


def cases(row: ComplianceRow, reading: Reading) -> list[Case]:
    """The cases that one incident makes, once decided.

    Unit `incident`: one, as soon as one clock is breached, or when both are met. Unit `clock`: one for each clock
    decided. A best-effort request is no case, but under population `handled` it is (one for each clock with unit
    `clock`), at its opening and never in breach. One that the reading excludes (S1) is none in any case.
    """
    if row.excluded:
        return []
    if not row.answer.guaranteed:
        handled = reading.population == "handled" and row.answer.contract is not None
        each = Case(row.incident, row.opened_at, None)
        return [each] * (len(row.clocks) if reading.unit == "clock" else 1) if handled else []
    decided = [(clock, at) for clock in row.clocks if (at := clock.judged.decided_at) is not None]
    if reading.unit == "clock":
        return [Case(row.incident, at, at if clock.suppliers_breach else None) for clock, at in decided]
    breached = [at for clock, at in decided if clock.breached]
    if breached:
        suppliers = [at for clock, at in decided if clock.suppliers_breach]
        return [Case(row.incident, min(breached), min(suppliers, default=None))]
    if len(decided) == len(row.clocks):
        return [Case(row.incident, max(at for _, at in decided), None)]
    return []


def undecided_units(row: ComplianceRow, reading: Reading) -> int:
    """How many units of this incident hold a clock not decided yet: the incident, or each clock."""
    if not row.answer.guaranteed:
        return 0
    undecided = sum(not clock.judged.verdict.decided for clock in row.clocks)
    return undecided if reading.unit == "clock" else min(undecided, 1)
