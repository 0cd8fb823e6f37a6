"""What became of the prepaid hours of each contract: bought, consumed, expired, refunded, left, short (G2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from domain.credits import CreditAccount
from domain.interval import earliest
from projections.as_of import ContractAsOf
from projections.contract_findings import one_sided_credits
from projections.credit_findings import Opened, credit_findings, requests_used_for
from projections.findings import Finding, renewed_after_termination
from projections.replay import Replay


@dataclass(frozen=True, slots=True)
class CreditRow:
    """Minutes of credit of one contract, and the euro paid for them and given back.

    `changes_at`: the next expiry, or the instant of a fact on record that does not count yet.
    """

    contract: str
    bought: int
    consumed: int
    expired: int
    left: int
    shortfall: int
    refunded: int
    value: Decimal
    refunded_value: Decimal
    changes_at: int | None
    versions: tuple[int, ...]
    findings: tuple[Finding, ...] = ()


def credit_balance(replay: Replay) -> list[CreditRow]:
    """One row for every signed contract and every account with facts, by contract."""
    names = {contract.contract.id for contract in replay.signed_contracts} | set(replay.history.accounts)
    return [credit_row(replay, name, _opened(replay, name)) for name in sorted(names)]


def _opened(replay: Replay, name: str) -> Opened:
    """The requests that an account was used for, as far as they are opened, each with its contract."""
    found = {request: replay.incident(request) for request in requests_used_for(replay.contract(name))}
    return {request: incident.contract_name for request, incident in found.items() if incident}


def credit_row(replay: Replay, name: str, opened: Opened | None = None) -> CreditRow:
    """The row of one contract; `opened` has the requests that it was used for (None: they are not asked about)."""
    contract, as_of = replay.contract(name), replay.as_of
    account = contract.account
    left = account.available(as_of)
    given_back = sum(draw.minutes for reversal in account.undone for draw in reversal.packages)
    return CreditRow(
        contract=name,
        bought=sum(purchase.minutes for purchase in account.purchases),
        consumed=sum(consumption.minutes for consumption in account.consumptions) - given_back,
        expired=_expired(account, as_of),
        left=left,
        shortfall=account.short,
        refunded=sum(refund.minutes for refund in account.refunds),
        value=sum((purchase.price for purchase in account.purchases), Decimal("0.00")),
        refunded_value=sum((refund.price for refund in account.refunds), Decimal("0.00")),
        changes_at=earliest(contract.next_at, *(package.expires_at for package in account.usable(as_of))),
        versions=tuple(sorted(version for one in contract.account_facts for version in one.versions)),
        findings=() if opened is None else (*credit_findings(contract, opened), *_of_contract(contract)),
    )


def _expired(account: CreditAccount, as_of: int) -> int:
    gone = (p for p in account.purchases if p.expires_at is not None and p.expires_at <= as_of)
    return sum(max(0, account.balance(p.package, as_of)) for p in gone)


def _of_contract(contract: ContractAsOf) -> Iterator[Finding]:
    """What a reader of the credits has to know of the contract, and of who corrected them."""
    yield from one_sided_credits(contract)
    if in_vain := contract.contract.renewed_after_termination:
        yield renewed_after_termination(contract.versions_of(in_vain))
