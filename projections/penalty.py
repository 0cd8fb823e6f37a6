"""The maximum one-off penalty of each contract, and what the parties did about it (P2).

A ceiling, never the amount owed: a judge may reduce it. One-off: the first window passed is the only one that counts,
in the life of the contract or, under another reading, in each of its terms. Recomputed always; payments stay.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

from domain.contract_facts import ContractRenewed, ContractSigned, ContractTerminated
from domain.interval import Interval, earliest
from domain.penalty_facts import PenaltyClaimed, PenaltySettled, PenaltyWaived
from domain.terms import PenaltyClause
from domain.values import EARLIEST, euro, instant_text
from projections.as_of import ContractAsOf
from projections.breach import BreachRow, WindowStatus
from projections.contract_findings import contract_findings
from projections.contract_terms import contract_terms, term_of
from projections.findings import Finding
from projections.readings import Reading, UnknownReading
from projections.replay import Replay
from projections.tolerance import Passing

NOTHING = Decimal("0.00")


class TermPassed(NamedTuple):
    """A term of the contract in which a window passed its tolerance: the first that did, and the base that counts."""

    term: Interval
    window: Interval
    passing: Passing
    base: Decimal

    def maximum_penalty(self, rate: Fraction) -> Decimal:
        """Rate times base, half up to cents."""
        return euro(rate * Fraction(self.base))


@dataclass(frozen=True, slots=True)
class PenaltyRow:
    """The maximum penalty of a contract, in euro; none where no window passed its tolerance.

    `base`: of the first window passed; where none has, of the last begun: what would count if that one passed. `terms`:
    where it is due once in each term, those in which a window passed; then `base` and maximum are the sums over them.
    `status`: of the windows that may decide it; while one of them is open this is the figure if it ended today.
    `changes_at`: when time alone may change it. `versions` and `purchases`: the facts of the contract and of its credit
    account that it rests on, in order.
    """

    contract: str
    clause: PenaltyClause
    rate: Fraction
    passing: Passing | None
    window: Interval | None
    base: Decimal
    status: WindowStatus
    claimed: Decimal
    waived: Decimal
    paid: Decimal
    changes_at: int | None = None
    versions: tuple[int, ...] = ()
    purchases: tuple[int, ...] = ()
    findings: tuple[Finding, ...] = ()
    terms: tuple[TermPassed, ...] = ()

    @property
    def maximum_penalty(self) -> Decimal | None:
        """Rate times base, half up to cents; None where nothing passed."""
        return self._at(self.rate)

    @property
    def outstanding(self) -> Decimal | None:
        """What is left of the maximum after payments and waivers; never less than nothing. None while open."""
        if self.status is WindowStatus.OPEN:
            return None
        return max(NOTHING, (self.maximum_penalty or NOTHING) - self.paid - self.waived)

    @property
    def conflict(self) -> dict[str, Decimal | None] | None:
        """The maximum by figures and by words, where the text gives two rates."""
        if not self.clause.in_conflict:
            return None
        return {"figures": self._at(self.clause.figures), "words": self._at(self.clause.words)}

    def _at(self, rate: Fraction) -> Decimal | None:
        if self.terms:
            return sum((one.maximum_penalty(rate) for one in self.terms), NOTHING)
        return euro(rate * Fraction(self.base)) if self.passing else None


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
    spells = _spells(contract, contract_windows, replay.reading)
    # An earlier window that is not closed may yet pass, and then it is the one that counts.
    decisive = [row for _, rows in spells for row in _until_passed(rows)]
    counting = [(term, _until_passed(rows)[-1]) for term, rows in spells if any(row.passed for row in rows)]
    first = counting[0][1] if counting else None
    ruling = [row for _, row in counting] or decisive[-1:]
    bought = [list(_base(contract, row.window, replay, first=row is contract_windows[0])) for row in ruling]
    bases = [max(NOTHING, sum((price for _, price in prices), NOTHING)) for prices in bought]
    row = PenaltyRow(
        contract=contract.contract.id,
        clause=clause,
        rate=clause.figures if replay.reading.rate == "figures" else clause.words,
        passing=first.passing if first else None,
        window=first.window if first else None,
        base=sum(bases, NOTHING),
        status=_status(decisive),
        claimed=sum((claim.amount for claim in contract.contract.claims), NOTHING),
        waived=sum((waiver.amount for waiver in contract.contract.waivers), NOTHING),
        paid=sum((settlement.amount for settlement in contract.contract.settlements), NOTHING),
        changes_at=earliest(
            *(row.changes_at for row in contract_windows),
            contract.next_edge(replay.reading.window, replay.as_of),
            contract.next_at,
        ),
        versions=contract.versions(
            ContractSigned, ContractRenewed, ContractTerminated, PenaltyClaimed, PenaltyWaived, PenaltySettled
        ),
        purchases=tuple(sorted({version for prices in bought for versions, _ in prices for version in versions})),
        terms=_terms_passed(counting, bases) if replay.reading.one_off == "term" else (),
    )
    of_window = tuple(one for row in ruling for one in row.findings if one.code in OF_THE_RATIO)
    return replace(
        row, findings=(*of_window, *_of_money(contract, row, replay.reading), *contract_findings(contract, replay))
    )


OF_THE_RATIO = ("recorded_after_window", "one_sided", "single_breach_passes")
"""The findings of a window that bear on the penalty which follows from it."""


def _status(decisive: Sequence[BreachRow]) -> WindowStatus:
    """That of the windows which may decide a penalty: open if one is, else provisional if one is, else closed."""
    found = {row.status for row in decisive}
    for status in (WindowStatus.OPEN, WindowStatus.PROVISIONAL):
        if status in found:
            return status
    return WindowStatus.CLOSED if decisive else WindowStatus.OPEN


def _of_money(contract: ContractAsOf, row: PenaltyRow, reading: Reading) -> Iterator[Finding]:
    """What a reader has to know of the claims and payments beside the maximum (P2)."""
    maximum = row.maximum_penalty or NOTHING
    for what, amount, kind in (("claimed", row.claimed, PenaltyClaimed), ("paid", row.paid, PenaltySettled)):
        if amount > maximum:
            text = f"{what} {amount} euro, more than the maximum of {maximum}"
            yield Finding("paid_above_maximum", "P2", text, contract.versions(kind))
    for one in contract.facts:
        if isinstance(one.fact, PenaltyClaimed) and (text := _other_figure(one.fact, maximum, reading)):
            yield Finding("claim_on_other_figure", "P2", text, one.versions)


def _other_figure(claim: PenaltyClaimed, maximum: Decimal, reading: Reading) -> str:
    """How the figure that a claim rests on differs from this one; "" where it does not."""
    try:
        claimed_under = Reading.parse(claim.reading)
    except UnknownReading:
        return f"claimed under {claim.reading}, which is no reading"
    if claimed_under != reading:
        return f"claimed {claim.amount} euro under the reading {claimed_under.name}, not {reading.name}"
    if claim.amount != maximum:
        return f"claimed {claim.amount} euro as of {instant_text(claim.as_of)}; now the maximum is {maximum}"
    return ""


Spell = tuple[Interval, Sequence[BreachRow]]
"""A time within which the penalty is due once, and the windows that begin in it."""


def _spells(contract: ContractAsOf, rows: Sequence[BreachRow], reading: Reading) -> list[Spell]:
    """The life of the contract, or each of its terms (`one_off`); in order, those in which a window begins."""
    terms = contract_terms(contract.contract)
    if reading.one_off == "contract":
        terms = [Interval(terms[0].start, terms[-1].end)]
    return [(term, list(inside)) for term, inside in groupby(rows, key=lambda row: term_of(terms, row.window.start))]


def _until_passed(rows: Sequence[BreachRow]) -> Sequence[BreachRow]:
    """The windows up to the first that passed, included; all where none has."""
    first = next((number for number, row in enumerate(rows, 1) if row.passed), len(rows))
    return rows[:first]


def _terms_passed(counting: Sequence[tuple[Interval, BreachRow]], bases: Sequence[Decimal]) -> tuple[TermPassed, ...]:
    pairs = zip(counting, bases, strict=False)  # where nothing passed there is a base all the same
    return tuple(TermPassed(term, row.window, row.passing, base) for (term, row), base in pairs if row.passing)


def _base(
    contract: ContractAsOf, window: Interval, replay: Replay, *, first: bool
) -> Iterator[tuple[tuple[int, ...], Decimal]]:
    """The prices that count (P2), each with the versions that prove it; those given back below nothing.

    Of what was bought before the window's end, or only of what was bought in it: then what was bought before the first
    window of all belongs to that one. Expired and consumed hours were purchased all the same; hours given back before
    its end were not.
    """
    by_then = Interval(EARLIEST, earliest(window.end, replay.as_of + 1))
    counts = by_then
    if replay.reading.base == "purchased_in_window" and not first:
        counts = window.clip(by_then)
    bought = [one for one in contract.purchases if counts.holds(one.fact.at)]
    packages = {one.fact.package for one in bought}
    for purchase in bought:
        yield purchase.versions, purchase.fact.price
    for refund in contract.refunds:
        if refund.fact.package in packages and by_then.holds(refund.fact.at):
            yield refund.versions, -refund.fact.price
