"""Crediti di assistenza (monte ore): packages bought, minutes consumed from them, shortfalls, reversals, refunds (G2).

One account per contract. Expiry is computed from dates, never an event. Read: state, `decide`, `evolve`. The facts and
commands are in `credit_facts.py`.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import accumulate, groupby
from operator import itemgetter
from typing import NamedTuple, TypeVar, assert_never

from domain.agreement import agree
from domain.already_recorded import only_once, unless_recorded
from domain.credit_facts import (
    ConsumeCredits,
    CreditCommand,
    CreditFact,
    CreditsConsumed,
    CreditShortfallRecorded,
    CreditsPurchased,
    CreditsRefunded,
    CreditsReversed,
    Draw,
    PurchaseCredits,
    RefundCredits,
    ReverseConsumption,
    WorkEntry,
)
from domain.facts import Fact, NotYet, Rejected
from domain.record_facts import Agree, Annul, RecordAgreed, RecordAnnulled, RecordRectified, Rectify
from domain.rectification import annul, as_rectified, rectify

# --- state ------------------------------------------------------------------------------------------------------


class Movement(NamedTuple):
    """Minutes in (+) or out (-) of a package at an instant."""

    at: int
    package: str
    minutes: int


@dataclass(frozen=True)
class CreditAccount:
    """What the facts of one account mean together. Its questions count only facts dated by the instant asked about."""

    contract: str
    record: tuple[CreditFact, ...] = ()
    purchases: tuple[CreditsPurchased, ...] = ()
    consumptions: tuple[CreditsConsumed, ...] = ()
    shortfalls: tuple[CreditShortfallRecorded, ...] = ()
    reversals: tuple[CreditsReversed, ...] = ()
    refunds: tuple[CreditsRefunded, ...] = ()

    @cached_property
    def movements(self) -> list[Movement]:
        """Every movement of every package, by instant."""
        bought = [Movement(p.at, p.package, p.minutes) for p in self.purchases]
        out = [Movement(c.at, d.package, -d.minutes) for c in self.consumptions for d in c.packages]
        back = [Movement(r.at, d.package, d.minutes) for r in self.undone for d in r.packages]
        refunded = [Movement(r.at, r.package, -r.minutes) for r in self.refunds]
        return sorted([*bought, *out, *back, *refunded], key=lambda movement: movement.at)

    @cached_property
    def undone(self) -> list[CreditsReversed]:
        """The reversals that give minutes back: where the consumption is gone, there is nothing to give."""
        works = {consumption.work for consumption in self.consumptions}
        return [reversal for reversal in self.reversals if reversal.work in works]

    @property
    def short(self) -> int:
        """Minutes worked that no credits covered, less the work undone since."""
        undone = {reversal.work for reversal in self.reversals}
        return sum(shortfall.minutes for shortfall in self.shortfalls if shortfall.work not in undone)

    def available(self, at: int) -> int:
        """Minutes of credit available at `at`, over the packages bought by then and not yet expired."""
        step = bisect_right(self.availability, at, key=itemgetter(0)) - 1
        return self.availability[step][1] if step >= 0 else 0

    @cached_property
    def availability(self) -> list[tuple[int, int]]:
        """The minutes available from each instant at which they change, by instant; before the first, none."""
        changes: dict[int, int] = defaultdict(int)
        by_package: dict[str, list[Movement]] = defaultdict(list)
        for movement in self.movements:
            by_package[movement.package].append(movement)
        for purchase in self.purchases:
            for at, change in _available_changes(purchase, by_package[purchase.package]):
                changes[at] += change
        instants = sorted(changes)
        return list(zip(instants, accumulate(changes[at] for at in instants), strict=True))

    def usable(self, at: int) -> list[CreditsPurchased]:
        """The packages bought and not expired at `at`, earliest expiry first, those without expiry last."""
        bought = [p for p in self.purchases if p.at <= at and (p.expires_at is None or at < p.expires_at)]
        return sorted(bought, key=lambda p: (p.expires_at is None, p.expires_at or 0, p.at))

    def balance(self, package: str, at: int) -> int:
        """Minutes left in a package by the facts dated at or before `at`."""
        return sum(m.minutes for m in self.movements if m.package == package and m.at <= at)

    def spare(self, package: str, at: int) -> int:
        """Minutes of a package that can be taken at `at` so that no later consumption lacks credit."""
        moved = [movement for movement in self.movements if movement.package == package]
        left = spare = sum(movement.minutes for movement in moved if movement.at <= at)
        later = (movement for movement in moved if movement.at > at)
        for _, together in groupby(later, key=lambda movement: movement.at):
            left += sum(movement.minutes for movement in together)
            spare = min(spare, left)
        return max(0, spare)

    def allocate(self, minutes: int, at: int) -> tuple[Draw, ...]:
        """Where a consumption of `minutes` at `at` comes from: earliest expiry first, as far as it goes."""
        draws = []
        for package in self.usable(at):
            taken = min(minutes, self.spare(package.package, at))
            if taken > 0:
                draws.append(Draw(package=package.package, minutes=taken))
                minutes -= taken
        return tuple(draws)


def _available_changes(purchase: CreditsPurchased, moved: Sequence[Movement]) -> Iterator[tuple[int, int]]:
    """How the minutes available of one package change, while it is bought and not expired; `moved` by instant."""
    available = balance = 0
    for at, together in groupby(moved, key=lambda movement: max(movement.at, purchase.at)):
        balance += sum(movement.minutes for movement in together)
        if purchase.expires_at is not None and at >= purchase.expires_at:
            break
        yield at, max(0, balance) - available
        available = max(0, balance)
    if purchase.expires_at is not None:
        yield purchase.expires_at, -available


C = TypeVar("C", Rectify, Annul)


# --- decide -----------------------------------------------------------------------------------------------------


def decide(account: CreditAccount, command: CreditCommand) -> tuple[CreditFact, ...]:
    """What recording `command` adds; () where it is on record already.

    Raises Rejected for a package or a work entry recorded otherwise before and for a refund of more than was bought,
    NotYet for a reversal whose consumption, or a refund whose purchase, is not recorded yet.
    """
    match command:
        case Rectify():
            return (*rectify(account.record, command), *_of_its_shortfall(account, command, rectify))
        case Annul():
            return (*annul(account.record, command), *_of_its_shortfall(account, command, annul))
        case Agree():
            return agree(account.record, command, of_contract=False)
        case PurchaseCredits():
            return only_once(account.record, CreditsPurchased(**dict(command)), _subject, _bought_otherwise)
        case ConsumeCredits():
            return _consume(account, command)
        case ReverseConsumption():
            return only_once(account.record, _reversal(account, command), _subject, _reversed_otherwise)
        case RefundCredits():
            return _refund(account, CreditsRefunded(**dict(command)))
        case _:
            assert_never(command)


def _of_its_shortfall(
    account: CreditAccount, command: C, decided: Callable[[Sequence[CreditFact], C], tuple[CreditFact, ...]]
) -> tuple[CreditFact, ...]:
    """What is said of a consumption, said of its shortfall too: one message recorded both, and they stand and fall.

    So are its date and its request; the minutes of each are its own.
    """
    if isinstance(command, Rectify) and command.field not in ("at", "incident"):
        return ()
    sibling = _shortfall_beside(account.record, command.version)
    return () if sibling is None else decided(account.record, command.model_copy(update={"version": sibling}))


def _shortfall_beside(record: Sequence[CreditFact], version: int) -> int | None:
    """The version of the shortfall of a consumption; of an annulment of a consumption, that of the shortfall's."""
    fact = record[version - 1]
    if isinstance(fact, RecordAnnulled):
        beside = _shortfall_beside(record, fact.version)
        annulments = (number for number, other in enumerate(record, 1) if isinstance(other, RecordAnnulled)
                      and other.version == beside and number > version)  # fmt: skip
        return None if beside is None else next(annulments, None)
    if not isinstance(fact, CreditsConsumed):
        return None
    after = record[version] if version < len(record) else None
    return version + 1 if isinstance(after, CreditShortfallRecorded) and after.work == fact.work else None


def _subject(fact: Fact) -> object:
    """What a fact is about: packages and work entries go by names, unique in the account."""
    match fact:
        case CreditsPurchased():
            return CreditsPurchased, fact.package
        case CreditsReversed():
            return CreditsReversed, fact.work
        case CreditsRefunded():
            return CreditsRefunded, fact.package, fact.at
        case _:
            return type(fact), fact.at


def _bought_otherwise(purchase: CreditsPurchased) -> Rejected:
    return Rejected("G2", "package", f"package {purchase.package} was already bought otherwise: give this purchase its "
                    "own name, or rectify the first")  # fmt: skip


def _reversed_otherwise(reversal: CreditsReversed) -> Rejected:
    return Rejected("G2", "work", f"work {reversal.work} was already reversed")


def _consume(account: CreditAccount, command: ConsumeCredits) -> tuple[CreditFact, ...]:
    entries = _entries(account, command.work)
    if entries:
        recorded = [fact for fact in account.record if isinstance(fact, WorkEntry) and fact.work == command.work]
        if _amount_to(command, recorded) or _amount_to(command, entries):
            return ()
        raise Rejected("G2", "work", f"work {command.work} is already recorded otherwise: reverse it and record it "
                       "under another name")  # fmt: skip
    content = dict(command)
    draws = account.allocate(command.minutes, command.at)
    covered = sum(draw.minutes for draw in draws)
    facts: list[CreditFact] = []
    if covered:
        facts.append(CreditsConsumed(**{**content, "minutes": covered}, packages=draws))
    if covered < command.minutes:
        facts.append(CreditShortfallRecorded(**{**content, "minutes": command.minutes - covered}))
    return tuple(facts)


def _entries(account: CreditAccount, work: str) -> list[WorkEntry]:
    """What became of one command to consume: minutes that credits covered, minutes that fell short, or both."""
    return [entry for entries in (account.consumptions, account.shortfalls) for entry in entries if entry.work == work]


def _amount_to(command: ConsumeCredits, entries: Sequence[WorkEntry]) -> bool:
    """Whether the entries together are what the command asks for."""
    content = (command.at, command.incident, command.evidence)
    alike = all((entry.at, entry.incident, entry.evidence) == content for entry in entries)
    return alike and sum(entry.minutes for entry in entries) == command.minutes


def _reversal(account: CreditAccount, command: ReverseConsumption) -> CreditsReversed:
    """The reversal of a work entry, with the minutes that go back. Raises NotYet, Rejected."""
    done = _entries(account, command.work)
    if not done:
        raise NotYet(f"credits-{account.contract}", f"no consumption is recorded for work {command.work} yet")
    if command.at < done[0].at:
        raise Rejected("G2", "time", f"work {command.work} cannot be reversed before it was done")
    packages = tuple(draw for entry in done if isinstance(entry, CreditsConsumed) for draw in entry.packages)
    return CreditsReversed(**dict(command), packages=packages)


def _refund(account: CreditAccount, refund: CreditsRefunded) -> tuple[CreditsRefunded, ...]:
    """The refund, () where it is on record. What was consumed since is no reason to refuse it: facts arrive late."""
    bought = next((purchase for purchase in account.purchases if purchase.package == refund.package), None)
    if bought is None:
        reason = f"no purchase of package {refund.package} is recorded yet"
        raise NotYet(f"credits-{account.contract}", reason)
    added = unless_recorded(account.record, refund, _subject)
    if not added:
        return ()
    if refund.at < bought.at:
        raise Rejected("G2", "time", f"package {refund.package} cannot be given back before it was bought")
    given_back = [other for other in account.refunds if other.package == refund.package]
    minutes = bought.minutes - sum(other.minutes for other in given_back)
    price = bought.price - sum((other.price for other in given_back), Decimal(0))
    if refund.minutes > minutes:
        raise Rejected("G2", "minutes", f"package {refund.package} has {minutes} minutes that were bought and not "
                       "given back: no more can be given back")  # fmt: skip
    if refund.price > price:
        raise Rejected("G2", "price", f"{price} euro were paid for package {refund.package} and not given back: no "
                       "more can be given back")  # fmt: skip
    return added


# --- evolve -----------------------------------------------------------------------------------------------------


def evolve(account: CreditAccount, fact: CreditFact) -> CreditAccount:
    """The account with one more fact on record, which may change what the others mean. Never guards: facts replay."""
    return fold(account.contract, (*account.record, fact))


def fold(contract_id: str, facts: Iterable[CreditFact]) -> CreditAccount:
    """The account that its facts make, given in order of recording; as rectified, where any was."""
    record = tuple(facts)
    purchases: list[CreditsPurchased] = []
    consumptions: list[CreditsConsumed] = []
    shortfalls: list[CreditShortfallRecorded] = []
    reversals: list[CreditsReversed] = []
    refunds: list[CreditsRefunded] = []
    for fact in as_rectified(record):
        match fact:
            case CreditsConsumed():  # first, for there may be thousands
                consumptions.append(fact)
            case CreditsPurchased():
                purchases.append(fact)
            case CreditShortfallRecorded():
                shortfalls.append(fact)
            case CreditsReversed():
                reversals.append(fact)
            case CreditsRefunded():
                refunds.append(fact)
            case RecordRectified() | RecordAnnulled() | RecordAgreed():
                pass  # `as_rectified` has applied them
            case _:
                assert_never(fact)
    return CreditAccount(
        contract_id,
        record,
        tuple(purchases),
        tuple(consumptions),
        tuple(shortfalls),
        tuple(reversals),
        tuple(refunds),
    )
