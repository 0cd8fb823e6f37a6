"""What became of each package of prepaid hours, apart from the others of its contract (G2)."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from domain.credit_facts import CreditsPurchased
from domain.rectification import Corrected
from projections.as_of import ContractAsOf
from projections.credit_findings import versions_about
from projections.replay import Replay


@dataclass(frozen=True, slots=True)
class PackageRow:
    """Minutes of one package, and the euro paid for it and given back; `versions` are those of its account.

    `expired` and `left` are what it holds once it has expired, and until then; never less than nothing.
    """

    contract: str
    package: str
    bought_at: int
    expires_at: int | None
    bought: int
    consumed: int
    refunded: int
    expired: int
    left: int
    price: Decimal
    refunded_price: Decimal
    versions: tuple[int, ...]


def credit_packages(replay: Replay) -> list[PackageRow]:
    """One row for every package bought by as_of; by contract, then purchase."""
    every = (replay.contract(name) for name in sorted(replay.history.accounts))
    return [row for contract in every for row in _rows(contract, replay.as_of)]


def _rows(contract: ContractAsOf, as_of: int) -> list[PackageRow]:
    account = contract.account
    taken = Counter[str]()
    for consumption in account.consumptions:
        taken.update({draw.package: draw.minutes for draw in consumption.packages})
    for reversal in account.undone:
        taken.subtract({draw.package: draw.minutes for draw in reversal.packages})
    return [_row(contract, purchase, taken[purchase.fact.package], as_of) for purchase in contract.purchases]


def _row(contract: ContractAsOf, bought: Corrected[CreditsPurchased], consumed: int, as_of: int) -> PackageRow:
    purchase, account = bought.fact, contract.account
    refunds = [refund for refund in account.refunds if refund.package == purchase.package]
    left = max(0, account.balance(purchase.package, as_of))
    gone = purchase.expires_at is not None and purchase.expires_at <= as_of
    return PackageRow(
        contract=contract.contract.id,
        package=purchase.package,
        bought_at=purchase.at,
        expires_at=purchase.expires_at,
        bought=purchase.minutes,
        consumed=consumed,
        refunded=sum(refund.minutes for refund in refunds),
        expired=left if gone else 0,
        left=0 if gone else left,
        price=purchase.price,
        refunded_price=sum((refund.price for refund in refunds), Decimal("0.00")),
        versions=versions_about(contract, {purchase.package}),
    )
