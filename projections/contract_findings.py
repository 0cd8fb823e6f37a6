"""What a reader of a contract's figures has to know: what was told late, or by one party alone, and what contradicts.

Closed is not for ever: the facts recorded after a window's end on which its figures rest are shown with them.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from domain.contract_facts import ContractSigned
from domain.interval import Interval
from domain.values import SECOND, instant_text
from projections.as_of import ContractAsOf
from projections.findings import Finding, agreement_claimed, renewed_after_termination
from projections.replay import Replay
from projections.tally import WindowShare


def window_findings(
    contract: ContractAsOf, window: Interval, total: WindowShare, tolerance: Fraction, *, ended: bool
) -> Iterator[Finding]:
    """What a reader of the ratio of one window has to know; `ended`: whether the window has, as of the report."""
    tally = total.tally
    if ended:
        own = [entry for entry in contract.bearing if window.ended_by(entry.recorded_at) and entry.bears_on(window)]
        told = [*(entry.recorded_at for entry in own), *_told_of_others(contract, window)]
        count = tally.recorded_after + len(told)
        if count:
            latest = max(at for at in (total.last_recorded_at, *told) if at is not None)
            text = f"facts that it rests on, recorded after the window's end: {count}, the latest on "
            text += instant_text(latest // SECOND * SECOND)
            yield Finding("recorded_after_window", "P1", text, tuple(one.version for one in own))
    alone = tuple(said.version for said in contract.statements if said.counts and said.one_sided)
    if tally.one_sided or alone:
        count = tally.one_sided + len(alone)
        text = f"facts that it rests on, told, corrected or withdrawn by one party alone: {count}"
        yield Finding("one_sided", "A4", text, alone)
    yield from one_sided_credits(contract)
    if tolerance and 0 < tally.cases < 1 / tolerance:
        few = _ceiling(1 / tolerance)
        text = f"cases decided: {tally.cases}; with fewer than {few} a single breach passes the tolerance"
        yield Finding("single_breach_passes", "P1", text)


def one_sided_credits(contract: ContractAsOf) -> Iterator[Finding]:
    """What one party alone corrected or withdrew of the credits; the versions are of the account's stream (G2)."""
    alone = tuple(said.version for said in contract.account_statements if said.counts and said.one_sided)
    if alone:
        text = f"facts of its credits, corrected or withdrawn by one party alone: {len(alone)}"
        yield Finding("one_sided", "G2", text, alone)


def _told_of_others(contract: ContractAsOf, window: Interval) -> Iterator[int]:
    """When agreements to what the contract says, and facts of its credits, were recorded after a window's end."""
    agreed_at = {said.version: said.agreed_at for said in contract.statements if said.agreed_at}
    for entry in contract.bearing:
        if entry.bears_on(window):
            yield from (at for at in agreed_at.get(entry.version, ()) if window.ended_by(at))
    yield from contract.told_of_credits(window)


def contract_findings(contract: ContractAsOf, replay: Replay) -> Iterator[Finding]:
    """What a reader of any figure of a contract has to know."""
    if late := contract.contract.renewed_after_termination:
        yield renewed_after_termination(contract.versions_of(late))
    if contract.claimed:
        yield agreement_claimed(tuple(contract.claimed))
    for customer, rivals in _shared_customers(contract, replay):
        text = (
            f"customer {customer} is also listed by {', '.join(rivals)}, in force at the same time: its requests come "
        )
        text += "under neither, until one ends or its signature is rectified"
        yield Finding("customer_of_several", "G1", text, contract.versions(ContractSigned))


def _shared_customers(contract: ContractAsOf, replay: Replay) -> Iterator[tuple[str, list[str]]]:
    """The customer keys that other contracts list for the same time, each with those contracts."""
    intervals = contract.contract.in_force_intervals
    for customer in sorted(contract.contract.customers):
        rivals = [
            other.contract.id
            for other in replay.listing(customer)
            if other.contract.id != contract.contract.id
            and any(one.meets(another) for one, another in product(intervals, other.contract.in_force_intervals))
        ]
        if rivals:
            yield customer, sorted(rivals)


def _ceiling(number: Fraction) -> int:
    return -(-number.numerator // number.denominator)
