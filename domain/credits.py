"""Crediti di assistenza (monte ore): packages bought, minutes consumed from them, shortfalls, reversals (G2).

One account per contract. Expiry is computed from dates, never an event. Read: facts, state, commands, `decide`,
`evolve`.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, groupby
from typing import Annotated, NamedTuple, Self, assert_never

from pydantic import Field, model_validator

from domain.facts import Command, Fact, NotYet, Rejected
from domain.rectification import RecordRectified, Rectify, as_rectified, rectify, unless_recorded
from domain.values import Euro, Identifier, Instant, Minutes, Text, Value

# --- facts ------------------------------------------------------------------------------------------------------


class Package(Value):
    """Prepaid minutes bought together: a name unique in the account, price net of VAT, expiry (excluded) if any."""

    package: Identifier
    minutes: Minutes
    price: Annotated[Euro, Field(ge=0)]
    expires_at: Instant | None = None


class Work(Value):
    """Minutes worked for an incident; `work` names the timesheet entry, unique in the account."""

    work: Identifier
    incident: Identifier
    minutes: Minutes


class Draw(Value):
    """Minutes taken from, or given back to, one package."""

    package: Identifier
    minutes: Minutes


class Reversal(Value):
    """A consumption is undone: `work` names it."""

    work: Identifier
    why: Text


class CreditsPurchased(Fact, Package):
    """A package is bought; it counts from its instant until it expires."""

    TYPE = "credits.purchased.v1"
    FIXED = frozenset({"package"})


class CreditsConsumed(Fact, Work):
    """Minutes consumed, and from which packages Verbale took them: earliest expiry first."""

    TYPE = "credits.consumed.v1"
    FIXED = frozenset({"packages", "work"})

    packages: tuple[Draw, ...]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if sum(draw.minutes for draw in self.packages) != self.minutes:
            raise ValueError("minutes and the packages they came from do not add up: reverse it and consume again")
        return self


class CreditShortfallRecorded(Fact, Work):
    """Minutes worked that no package available at that instant could cover."""

    TYPE = "credits.shortfall_recorded.v1"
    FIXED = frozenset({"work"})


class CreditsReversed(Fact, Reversal):
    """Minutes go back to the packages they came from, whose expiry does not change; a shortfall is short no more."""

    TYPE = "credits.reversed.v1"
    FIXED = frozenset({"packages", "work"})

    packages: tuple[Draw, ...]


CreditFact = CreditsPurchased | CreditsConsumed | CreditShortfallRecorded | CreditsReversed | RecordRectified

# --- state ------------------------------------------------------------------------------------------------------


ENDLESS = 2**62


class Movement(NamedTuple):
    """Minutes in (+) or out (-) of a package at an instant."""

    at: int
    package: str
    minutes: int


@dataclass(frozen=True)
class CreditAccount:
    """What the facts of one account say together. Its questions count only facts dated by the instant asked about."""

    contract: str
    record: tuple[CreditFact, ...] = ()
    purchases: tuple[CreditsPurchased, ...] = ()
    consumptions: tuple[CreditsConsumed, ...] = ()
    shortfalls: tuple[CreditShortfallRecorded, ...] = ()
    reversals: tuple[CreditsReversed, ...] = ()

    @cached_property
    def movements(self) -> list[Movement]:
        """Every movement of every package, by instant."""
        bought = [Movement(p.at, p.package, p.minutes) for p in self.purchases]
        out = [Movement(c.at, d.package, -d.minutes) for c in self.consumptions for d in c.packages]
        back = [Movement(r.at, d.package, d.minutes) for r in self.reversals for d in r.packages]
        return sorted([*bought, *out, *back], key=lambda movement: movement.at)

    @property
    def short(self) -> int:
        """Minutes worked that no credits covered, less the work undone since."""
        undone = {reversal.work for reversal in self.reversals}
        return sum(shortfall.minutes for shortfall in self.shortfalls if shortfall.work not in undone)

    def available(self, at: int) -> int:
        """Minutes of credit available at `at`, over the packages bought by then and not yet expired."""
        step = bisect_right(self.availability, (at, ENDLESS)) - 1
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
        """Minutes of a package that a consumption dated `at` may take without emptying it for one dated later."""
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


# --- commands ---------------------------------------------------------------------------------------------------


class PurchaseCredits(Command, Package):
    """Record a purchase."""

    TYPE = "verbale.credits.purchase.v1"


class ConsumeCredits(Command, Work):
    """Record minutes worked; Verbale decides the packages they come from."""

    TYPE = "verbale.credits.consume.v1"


class ReverseConsumption(Command, Reversal):
    """Undo a consumption."""

    TYPE = "verbale.credits.reverse.v1"


CreditCommand = PurchaseCredits | ConsumeCredits | ReverseConsumption | Rectify

# --- decide -----------------------------------------------------------------------------------------------------


def decide(account: CreditAccount, command: CreditCommand) -> tuple[CreditFact, ...]:
    """What recording `command` adds; () where it says what is already told.

    Raises Rejected for a package or a work entry told otherwise before, NotYet for a reversal whose consumption is
    not recorded yet.
    """
    match command:
        case Rectify():
            return rectify(account.record, command)
        case PurchaseCredits():
            return _purchase(account, CreditsPurchased(**dict(command)))
        case ConsumeCredits():
            return _consume(account, command)
        case ReverseConsumption():
            return _reverse(account, command)
        case _:
            assert_never(command)


def _purchase(account: CreditAccount, purchase: CreditsPurchased) -> tuple[CreditFact, ...]:
    known = next((p for p in account.purchases if p.package == purchase.package), None)
    if known is None:
        return (purchase,)
    if not unless_recorded(account.record, purchase):
        return ()
    raise Rejected("G2", "package", f"package {purchase.package} was already bought otherwise: give this purchase its "
                   "own name, or rectify the first")  # fmt: skip


def _consume(account: CreditAccount, command: ConsumeCredits) -> tuple[CreditFact, ...]:
    as_told = _entries(command.work, account.record)
    if as_told:
        as_corrected = _entries(command.work, (*account.consumptions, *account.shortfalls))
        if _says(command, as_told) or _says(command, as_corrected):
            return ()
        raise Rejected("G2", "work", f"work {command.work} is already recorded otherwise: reverse it and record it "
                       "under another name")  # fmt: skip
    told = dict(command)
    draws = account.allocate(command.minutes, command.at)
    covered = sum(draw.minutes for draw in draws)
    facts: list[CreditFact] = []
    if covered:
        facts.append(CreditsConsumed(**{**told, "minutes": covered}, packages=draws))
    if covered < command.minutes:
        facts.append(CreditShortfallRecorded(**{**told, "minutes": command.minutes - covered}))
    return tuple(facts)


def _entries(work: str, facts: Iterable[CreditFact]) -> list[CreditsConsumed | CreditShortfallRecorded]:
    """What became of one work entry: minutes covered by credits, and minutes short."""
    return [fact for fact in facts if isinstance(fact, CreditsConsumed | CreditShortfallRecorded) and fact.work == work]


def _says(command: ConsumeCredits, entries: Sequence[CreditsConsumed | CreditShortfallRecorded]) -> bool:
    """Whether the entries together say what the command says."""
    said = (command.at, command.incident, command.evidence)
    alike = all((entry.at, entry.incident, entry.evidence) == said for entry in entries)
    return alike and sum(entry.minutes for entry in entries) == command.minutes


def _reverse(account: CreditAccount, command: ReverseConsumption) -> tuple[CreditFact, ...]:
    done = _entries(command.work, (*account.consumptions, *account.shortfalls))
    if not done:
        raise NotYet(f"credits-{account.contract}", f"no consumption is recorded for work {command.work} yet")
    if command.at < done[0].at:
        raise Rejected("G2", "time", f"work {command.work} cannot be reversed before it was done")
    packages = tuple(draw for entry in done if isinstance(entry, CreditsConsumed) for draw in entry.packages)
    reversal = CreditsReversed(**dict(command), packages=packages)
    earlier = [r for r in account.reversals if r.work == command.work]
    if not earlier:
        return (reversal,)
    if not unless_recorded(account.record, reversal):
        return ()
    raise Rejected("G2", "work", f"work {command.work} was already reversed")


# --- evolve -----------------------------------------------------------------------------------------------------


def evolve(account: CreditAccount, fact: CreditFact) -> CreditAccount:
    """The account with one more fact told. Never guards: what is on record always replays."""
    record = (*account.record, fact)
    match fact:
        case CreditsPurchased():
            return replace(account, record=record, purchases=(*account.purchases, fact))
        case CreditsConsumed():
            return replace(account, record=record, consumptions=(*account.consumptions, fact))
        case CreditShortfallRecorded():
            return replace(account, record=record, shortfalls=(*account.shortfalls, fact))
        case CreditsReversed():
            return replace(account, record=record, reversals=(*account.reversals, fact))
        case RecordRectified():
            return fold(account.contract, record)
        case _:
            assert_never(fact)


def fold(contract_id: str, facts: Iterable[CreditFact]) -> CreditAccount:
    """The account as its facts, in the order given, tell it; as rectified, where any was.

    In one pass, not fact by fact through `evolve`: an account may have as many facts as a contract has work.
    """
    record = tuple(facts)
    purchases: list[CreditsPurchased] = []
    consumptions: list[CreditsConsumed] = []
    shortfalls: list[CreditShortfallRecorded] = []
    reversals: list[CreditsReversed] = []
    for fact in as_rectified(record):
        match fact:
            case CreditsPurchased():
                purchases.append(fact)
            case CreditsConsumed():
                consumptions.append(fact)
            case CreditShortfallRecorded():
                shortfalls.append(fact)
            case CreditsReversed():
                reversals.append(fact)
            case RecordRectified():
                pass  # what it corrected is told as corrected
            case _:
                assert_never(fact)
    kept = tuple(purchases), tuple(consumptions), tuple(shortfalls), tuple(reversals)
    return CreditAccount(contract_id, record, *kept)
