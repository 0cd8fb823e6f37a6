"""The maximum one-off penalty of each contract, and what the parties did about it (P2).

A ceiling, never the amount owed: a judge may reduce it. One-off: the first window passed is the only one that counts.
Recomputed always; payments stay.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from domain.contract_facts import ContractRenewed, ContractSigned, ContractTerminated
from domain.interval import Interval, earliest
from domain.penalty_facts import PenaltyClaimed, PenaltySettled, PenaltyWaived
from domain.terms import PenaltyClause
from domain.values import EARLIEST, euro
from projections.as_of import ContractAsOf
from projections.breach import BreachRow
from projections.readings import Reading
from projections.replay import Replay
from projections.tolerance import Passing
from projections.windows import next_edge

NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class PenaltyRow:
    """The maximum penalty of a contract, in euro; nothing where no window passed its tolerance.

    `changes_at`: when time alone may change it. `versions` and `purchases`: the facts of the contract and of its credit
    account that it rests on, in order.
    """

    contract: str
    clause: PenaltyClause
    rate: Fraction
    passing: Passing | None
    window: Interval | None
    base: Decimal
    settled: bool
    claimed: Decimal
    waived: Decimal
    settled_amount: Decimal
    changes_at: int | None = None
    versions: tuple[int, ...] = ()
    purchases: tuple[int, ...] = ()

    @property
    def maximum_penalty(self) -> Decimal:
        """Rate times base, half up to cents."""
        return self._at(self.rate)

    @property
    def outstanding(self) -> Decimal:
        """What is left of the maximum after payments and waivers; never less than nothing."""
        return max(NOTHING, self.maximum_penalty - self.settled_amount - self.waived)

    @property
    def conflict(self) -> dict[str, Decimal] | None:
        """The maximum by figures and by words, where the text gives two rates."""
        if not self.clause.in_conflict:
            return None
        return {"figures": self._at(self.clause.figures), "words": self._at(self.clause.words)}

    def _at(self, rate: Fraction) -> Decimal:
        return euro(rate * Fraction(self.base)) if self.passing else NOTHING


def penalty(replay: Replay, rows: Iterable[BreachRow]) -> list[PenaltyRow]:
    """One row for every signed contract, from `rows`, the windows of all of them in order of time."""
    by_contract: dict[str, list[BreachRow]] = defaultdict(list)
    for row in rows:
        by_contract[row.contract].append(row)
    contracts = replay.signed_contracts
    return [penalty_row(contract, by_contract.get(contract.contract.id, []), replay) for contract in contracts]


def penalty_row(contract: ContractAsOf, contract_windows: Sequence[BreachRow], replay: Replay) -> PenaltyRow:
    """The row of one contract, from its windows in order of time."""
    signed = contract.contract.signed
    if signed is None:
        raise ValueError(f"contract {contract.contract.id} is not signed: it has no penalty clause")
    clause = signed.terms.penalty
    first = next((row for row in contract_windows if row.passed), None)
    # An earlier window that is not settled may yet pass, and then it is the one that counts.
    bought = list(_base(contract, first.window, replay.as_of, replay.reading)) if first else []
    decisive = contract_windows[: contract_windows.index(first) + 1] if first else contract_windows
    return PenaltyRow(
        contract=contract.contract.id,
        clause=clause,
        rate=clause.figures if replay.reading.rate == "figures" else clause.words,
        passing=first.passing if first else None,
        window=first.window if first else None,
        base=max(NOTHING, sum((price for _, price in bought), NOTHING)),
        settled=bool(decisive) and all(row.settled for row in decisive),
        claimed=sum((claim.amount for claim in contract.contract.claims), NOTHING),
        waived=sum((waiver.amount for waiver in contract.contract.waivers), NOTHING),
        settled_amount=sum((settlement.amount for settlement in contract.contract.settlements), NOTHING),
        changes_at=earliest(
            *(row.changes_at for row in contract_windows),
            next_edge(contract.contract, replay.reading.window, replay.as_of),
            contract.next_at,
        ),
        versions=contract.versions(
            ContractSigned, ContractRenewed, ContractTerminated, PenaltyClaimed, PenaltyWaived, PenaltySettled
        ),
        purchases=tuple(sorted({version for versions, _ in bought for version in versions})),
    )


def _base(
    contract: ContractAsOf, window: Interval, as_of: int, reading: Reading
) -> Iterator[tuple[tuple[int, ...], Decimal]]:
    """The prices that count (P2), each with the versions that prove it; those given back below nothing.

    Of what was bought before the window's end, or only of what was bought in it. Expired and consumed hours were
    purchased all the same; hours given back before its end were not.
    """
    by_then = Interval(EARLIEST, min(as_of + 1, window.end) if window.end is not None else as_of + 1)
    counts = window.clip(by_then) if reading.base == "purchased_in_window" else by_then
    bought = [one for one in contract.purchases if counts.holds(one.fact.at)]
    packages = {one.fact.package for one in bought}
    for purchase in bought:
        yield purchase.versions, purchase.fact.price
    for refund in contract.refunds:
        if refund.fact.package in packages and by_then.holds(refund.fact.at):
            yield refund.versions, -refund.fact.price
