"""What a reader of an account has to know: more went from a package than was bought, or to others' requests (G2).

Nothing of it is refused: facts arrive late and in any order, and what is wrong may be rectified, or reversed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from decimal import Decimal
from itertools import groupby

from domain.credit_facts import (
    CreditsConsumed,
    CreditShortfallRecorded,
    CreditsPurchased,
    CreditsRefunded,
    CreditsReversed,
)
from domain.credits import CreditAccount
from domain.facts import Fact
from domain.rectification import Corrected
from projections.as_of import ContractAsOf
from projections.findings import Finding

Opened = Mapping[str, str | None]
"""The requests that somebody has opened, each with the contract that it comes under or names; None for none."""

SHOWN = 5
"""How many requests a finding names; its versions lead to all of them."""


def credit_findings(contract: ContractAsOf, opened: Opened) -> tuple[Finding, ...]:
    """The findings on one account, from the facts that count; `opened` has the requests that it was used for."""
    return (*_overdrawn(contract), *_for_others(contract, opened))


# --- more than was bought ---------------------------------------------------------------------------------------


def _overdrawn(contract: ContractAsOf) -> Iterator[Finding]:
    account = contract.account
    said = {**_by_price(account), **_by_minutes(account)}
    if said:
        text = "; ".join(said[package] for package in sorted(said))
        yield Finding("overdrawn", "G2", text, versions_about(contract, said.keys()))


def _by_minutes(account: CreditAccount) -> dict[str, str]:
    """The packages that at some instant held less than nothing, each with what is to be said of it."""
    balance: dict[str, int] = defaultdict(int)
    lowest: dict[str, int] = defaultdict(int)
    for _, together in groupby(account.movements, key=lambda movement: movement.at):
        moved = list(together)
        for movement in moved:
            balance[movement.package] += movement.minutes
        for package in {movement.package for movement in moved}:
            lowest[package] = min(lowest[package], balance[package])
    return {
        package: f"package {package}: {-least} min more went from it than it held"
        for package, least in lowest.items()
        if least < 0
    }


def _by_price(account: CreditAccount) -> dict[str, str]:
    """The packages of which more euro were given back than paid."""
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for purchase in account.purchases:
        paid[purchase.package] += purchase.price
    back: dict[str, Decimal] = defaultdict(Decimal)
    for refund in account.refunds:
        back[refund.package] += refund.price
    return {
        package: f"package {package}: {amount} euro were given back of {paid[package]:.2f} paid"
        for package, amount in back.items()
        if amount > paid[package]
    }


def versions_about(contract: ContractAsOf, packages: Set[str]) -> tuple[int, ...]:
    """The versions of an account that prove what became of some packages."""
    about = (one for one in contract.account_facts if not packages.isdisjoint(_packages(one.fact)))
    return tuple(sorted(version for one in about for version in one.versions))


def _packages(fact: Fact) -> Sequence[str]:
    match fact:
        case CreditsPurchased() | CreditsRefunded():
            return (fact.package,)
        case CreditsConsumed() | CreditsReversed():
            return [draw.package for draw in fact.packages]
        case _:
            return ()


# --- for others' requests ---------------------------------------------------------------------------------------


def requests_used_for(contract: ContractAsOf) -> set[str]:
    """The requests that an account was used for."""
    return {work.incident for _, work in _standing_work(contract)}


def _standing_work(
    contract: ContractAsOf,
) -> Iterator[tuple[Corrected[Fact], CreditsConsumed | CreditShortfallRecorded]]:
    """The work entries that no reversal undid."""
    undone = {reversal.work for reversal in contract.account.reversals}
    for one in contract.account_facts:
        if isinstance(one.fact, CreditsConsumed | CreditShortfallRecorded) and one.fact.work not in undone:
            yield one, one.fact


def _for_others(contract: ContractAsOf, opened: Opened) -> Iterator[Finding]:
    """Work for requests that nobody opened, and for requests that come under another contract, or under none."""
    unknown: list[tuple[Corrected[Fact], str, int]] = []
    others: list[tuple[Corrected[Fact], str, int]] = []
    for one, work in _standing_work(contract):
        if work.incident not in opened:
            unknown.append((one, f"{work.incident}, which nobody opened", work.minutes))
        elif opened[work.incident] != contract.contract.id:
            under = opened[work.incident] or "no contract"
            others.append((one, f"{work.incident}, which comes under {under}", work.minutes))
    for code, found in (("consumed_for_unknown_request", unknown), ("consumed_for_another_contract", others)):
        if found:
            versions = tuple(sorted(version for one, _, _ in found for version in one.versions))
            yield Finding(code, "G2", _minutes_for((request, minutes) for _, request, minutes in found), versions)


def _minutes_for(found: Iterable[tuple[str, int]]) -> str:
    minutes: dict[str, int] = defaultdict(int)
    for request, worked in found:
        minutes[request] += worked
    named = sorted(minutes)
    said = [f"{minutes[request]} min for {request}" for request in named[:SHOWN]]
    if more := named[SHOWN:]:
        said.append(f"{sum(minutes[request] for request in more)} min for {len(more)} more")
    return "; ".join(said)
