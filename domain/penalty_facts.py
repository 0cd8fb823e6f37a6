"""What the parties do about a maximum penalty: its content, the fact that records it, the command (P2)."""

from typing import Annotated

from pydantic import Field

from domain.facts import Command, Fact
from domain.values import Euro, Identifier, Instant, Value


class PenaltyStep(Value):
    """What a party does about a maximum penalty, and on which computation it relies (P2)."""

    amount: Annotated[Euro, Field(gt=0)]
    reading: Identifier
    as_of: Instant
    known_on: Instant


class PenaltyClaimed(Fact, PenaltyStep):
    """The customer claims a penalty."""

    TYPE = "contract.penalty_claimed.v1"


class ClaimPenalty(Command, PenaltyStep):
    """Record a claim."""

    TYPE = "verbale.contract.claim_penalty.v1"


class PenaltyWaived(Fact, PenaltyStep):
    """The customer gives up (part of) a penalty."""

    TYPE = "contract.penalty_waived.v1"


class WaivePenalty(Command, PenaltyStep):
    """Record a waiver."""

    TYPE = "verbale.contract.waive_penalty.v1"


class PenaltySettled(Fact, PenaltyStep):
    """The supplier has paid (part of) a penalty."""

    TYPE = "contract.penalty_settled.v1"


class SettlePenalty(Command, PenaltyStep):
    """Record a payment."""

    TYPE = "verbale.contract.settle_penalty.v1"
