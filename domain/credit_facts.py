"""What can happen to prepaid hours: its content, the facts that record it, the commands that ask for it (G2).

What the facts mean together is in `credits.py`.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.facts import Command, Fact
from domain.record_facts import RecordCommand, RecordFact
from domain.values import Euro, Identifier, Instant, Minutes, MinutesOrNone, Text, Value

# --- content and facts ------------------------------------------------------------------------------------------


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


class Refund(Value):
    """Minutes and price given back of one package: `minutes` may be 0 where only money is, `price` where only time."""

    package: Identifier
    minutes: MinutesOrNone
    price: Annotated[Euro, Field(ge=0)]

    @model_validator(mode="after")
    def _gives_something_back(self) -> Self:
        if not self.minutes and not self.price:
            raise ValueError("a refund gives back minutes, or euro, or both")
        return self


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


class CreditsRefunded(Fact, Refund):
    """Minutes of a package leave the balance, and their price the base of a penalty (P2), from this instant."""

    TYPE = "credits.refunded.v1"
    FIXED = frozenset({"package"})


CreditFact = (
    CreditsPurchased | CreditsConsumed | CreditShortfallRecorded | CreditsReversed | CreditsRefunded | RecordFact
)


WorkEntry = CreditsConsumed | CreditShortfallRecorded
"""What one command to consume becomes: minutes that credits covered, minutes that fell short, or one of each."""

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


class RefundCredits(Command, Refund):
    """Record what was given back of a package."""

    TYPE = "verbale.credits.refund.v1"


CreditCommand = PurchaseCredits | ConsumeCredits | ReverseConsumption | RefundCredits | RecordCommand
