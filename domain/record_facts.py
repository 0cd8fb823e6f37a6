"""What can be said of facts already on record: one was wrong, one is withdrawn, one is agreed to (A4, R5).

Nothing is erased: what is said stands beside what it is said of. What it means is in `rectification.py` and, for
agreements, in `agreement.py`.
"""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from domain.facts import Command, Fact
from domain.values import WHERE_GIVEN, Identifier, Party, Statement, Text, Value

Version = Annotated[int, Field(strict=True, ge=1)]
"""A fact's place in its stream, or in the log, from 1."""


class Correction(Statement):
    """Which recorded fact of the stream was wrong, in which field, and what is right."""

    version: Version
    field: Identifier
    value: Any
    why: Text


class Rectify(Command, Correction):
    """Correct one field of one recorded fact of the subject's stream. Nothing is erased: both stay on record."""

    TYPE = "verbale.record.rectify.v1"


class RecordRectified(Fact, Correction):
    """One field of an earlier fact of this stream is corrected; the last one recorded for a field rules."""

    TYPE = "record.rectified.v1"


class Annulment(Statement):
    """Which recorded fact of the stream is withdrawn, and why: it was told of the wrong request, or never happened."""

    version: Version
    why: Text


class Annul(Command, Annulment):
    """Withdraw one recorded fact of the subject's stream: it counts as if it had never been recorded."""

    TYPE = "verbale.record.annul.v1"


class RecordAnnulled(Fact, Annulment):
    """An earlier fact of this stream counts as if it had never been recorded. Both stay on record."""

    TYPE = "record.annulled.v1"


class Consent(Value):
    """What a party agrees to: one fact of the stream, or all facts of the contract up to a position of the log."""

    version: Annotated[Version | None, WHERE_GIVEN] = None
    up_to: Annotated[Version | None, WHERE_GIVEN] = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.version is None) is (self.up_to is None):
            raise ValueError("an agreement names one version, or every fact of the contract up_to a position")
        return self


class Agree(Command, Consent):
    """Record that a party agrees to facts on record: an admission, which counts against it for good.

    `by` may be left out where the contract has appointed the source of the message to a party (R7).
    """

    TYPE = "verbale.record.agree.v1"

    by: Party | None = None


class RecordAgreed(Fact, Consent):
    """A party agrees to facts on record, afterwards: an admission (ammissione)."""

    TYPE = "record.agreed.v1"
    INSTEAD_OF_ANNULMENT = "an admission stands"

    by: Party


RecordFact = RecordRectified | RecordAnnulled | RecordAgreed
"""What is said of other facts; it has no meaning of its own."""
RecordCommand = Rectify | Annul | Agree
