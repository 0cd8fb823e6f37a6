"""What new facts change: the incidents that a change of a contract, or of its credits, can touch.

Nothing is patched. A new fact has its whole stream replayed; a new fact of a contract, or of its credits, has every
incident judged again that it can touch. Late, rectifying and attributing facts need no code of their own.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from domain.credits import CreditAccount
from domain.facts import Fact
from domain.interval import Interval
from domain.rectification import Corrected
from domain.values import EARLIEST, LATEST
from domain.work_facts import WorkFact
from projections.as_of import ContractAsOf


class Affected(NamedTuple):
    """Which incidents a change of one contract can touch.

    Those under it, or naming it, that were opened in one of `openings`; and every one that carries one of the
    `customers` or names one of the `systems` by which the contract routes, or did.
    """

    contract: str
    openings: tuple[Interval, ...]
    customers: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()
    recorded_under: bool = False
    """Whether it touches, too, every incident of which some fact was recorded under the contract."""


ALWAYS = (Interval(EARLIEST, LATEST),)


def affected(before: ContractAsOf, after: ContractAsOf) -> Affected | None:
    """Which incidents a change of one contract can touch; None where none.

    Whatever is recorded of the contract itself may touch all of them, and those that it no longer routes. If two
    contracts declared one system and one withdraws it, requests may move to the other (S1). Work facts affect no
    incident. Credits affect only incidents opened while the availability of credit differs (G2).
    """
    if before is after:
        return None
    if _bearing(before) != _bearing(after):
        was, now = before.contract, after.contract
        return Affected(
            now.id,
            ALWAYS,
            was.customers | now.customers,
            was.systems_ever_declared | now.systems_ever_declared,
            before.accord != after.accord,
        )
    if before.account_facts == after.account_facts:
        return None
    openings = tuple(_differing(before.account, after.account))
    return Affected(after.contract.id, openings) if openings else None


def _bearing(contract: ContractAsOf) -> tuple[Sequence[Corrected[Fact]], Sequence[object]]:
    """What requests may be judged by of a contract: its facts, and what was said of them."""
    facts = [one for one in contract.facts if not isinstance(one.fact, WorkFact)]
    return facts, (contract.accord, contract.changes, contract.statements, contract.bearing)


def _differing(before: CreditAccount, after: CreditAccount) -> Iterator[Interval]:
    """The intervals in which the two accounts differ in whether any credit was available (G2)."""
    edges = sorted({at for account in (before, after) for at, _ in account.availability})
    since: int | None = None
    for at in [*edges, LATEST]:
        differ = at != LATEST and (before.available(at) >= 1) != (after.available(at) >= 1)
        if since is None and differ:
            since = at
        elif since is not None and not differ:
            yield Interval(since, at)
            since = None
