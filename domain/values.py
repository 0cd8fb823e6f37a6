"""What facts are made of: instants, amounts in euro, shares, identifiers, parties.

Instants and durations are whole microseconds UTC, credits are whole minutes, money is euro with two places, ratios are
exact fractions. No float appears in any of them.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import floor
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializationInfo,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)

SECOND = 1_000_000


MINUTE = 60 * SECOND


HOUR = 60 * MINUTE


EARLIEST = -2_208_988_800 * SECOND
"""The start of 1900."""


LATEST = 7_289_654_400 * SECOND
"""The end of 2200. Microseconds between the two are numbers that every reader of JSON keeps exactly."""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.(\d+))?([Zz]|[+-]\d\d:[0-5]\d)?", re.ASCII)


_EURO = re.compile(r"-?\d{1,13}(\.\d{1,2})?", re.ASCII)


_FRACTION = re.compile(r"(\d{1,12})/(\d{1,12})|(\d{1,4})(?:\.(\d{1,6}))?%", re.ASCII)


WIRE = {"wire": True}
"""Context of what comes from or goes outside: there an instant is text with an offset, never a bare number."""


def microseconds(moment: datetime) -> int:
    """The instant of an aware `moment` in microseconds UTC. Raises ValueError where it has no offset."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def moment(instant: int) -> datetime:
    """The UTC datetime of an instant in microseconds."""
    return _EPOCH + timedelta(microseconds=instant)


@lru_cache(maxsize=1024)  # each instant of a message is read more than once
def read_instant(text: str) -> int:
    """Microseconds UTC of an RFC 3339 text. Raises ValueError, in words, where it is not one or has no offset."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("not an instant: write it as 2026-03-02T09:30:00+01:00 (RFC 3339)")
    if match[2] is None:
        raise ValueError("an instant needs an offset: write 2026-03-02T09:30:00+01:00, or end it with Z")
    if match[1] and len(match[1]) > 6:
        raise ValueError("an instant is whole microseconds: give at most six decimals of a second")
    try:
        return microseconds(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError):
        raise ValueError(f"no such instant: {text}") from None


def _instant(value: object, info: ValidationInfo) -> int:
    if isinstance(value, str):
        instant = read_instant(value)
    elif isinstance(value, int) and not isinstance(value, bool) and not (info.context or {}).get("wire"):
        instant = value
    else:
        raise ValueError("an instant is text with an offset, as 2026-03-02T09:30:00+01:00")
    if not EARLIEST <= instant < LATEST:
        raise ValueError("an instant lies between the years 1900 and 2200")
    return instant


def instant_text(instant: int) -> str:
    """RFC 3339 text of an instant, in UTC, to the microsecond where it has any."""
    return moment(instant).isoformat().replace("+00:00", "Z")


def _instant_out(instant: int, info: SerializationInfo) -> int | str:
    return instant_text(instant) if (info.context or {}).get("wire") else instant


Instant = Annotated[
    int,
    BeforeValidator(_instant),
    PlainSerializer(_instant_out, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-03-02T09:30:00+01:00"]}),
]
"""Microseconds since 1970-01-01T00:00:00Z, from 1900 to 2200. Outside, text with an offset (RFC 3339)."""


def _euro(value: object) -> Decimal:
    amount = Decimal(value) if isinstance(value, str) and _EURO.fullmatch(value) else value
    if isinstance(amount, Decimal) and amount.is_finite() and amount == amount.quantize(Decimal("0.01")):
        return amount.quantize(Decimal("0.01")) + 0  # no negative nought
    raise ValueError('an amount in euro is text with at most two decimals, as "5000.00"')


Euro = Annotated[
    Decimal,
    BeforeValidator(_euro),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d{1,13}(\.\d{1,2})?$", "examples": ["5000.00"]}),
]
"""Euro, exactly two decimals."""


def euro(amount: Fraction) -> Decimal:
    """An exact amount, not negative, rounded half up to cents."""
    return Decimal(floor(amount * 100 + Fraction(1, 2))).scaleb(-2)


def _fraction(value: object) -> Fraction:
    if isinstance(value, Fraction):
        return value
    match = _FRACTION.fullmatch(value) if isinstance(value, str) else None
    if match is None or (match[2] and int(match[2]) == 0):
        raise ValueError('a share is text, as "10%" or "1/10"')
    if match[2]:
        return Fraction(int(match[1]), int(match[2]))
    decimals = match[4] or ""
    return Fraction(int(match[3] + decimals), 100 * 10 ** len(decimals))


def share_text(share: Fraction) -> str:
    """An exact fraction as it is kept: "1/10", and "0/1" for none."""
    return f"{share.numerator}/{share.denominator}"


Share = Annotated[
    Fraction,
    BeforeValidator(_fraction),
    PlainSerializer(share_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(/\d+|(\.\d+)?%)$", "examples": ["10%", "1/10"]}),
]
"""An exact fraction of a whole, kept as "1/10"."""


Minutes = Annotated[int, Field(strict=True, gt=0, le=1_000_000_000)]
"""Whole minutes, more than none."""


MinutesOrNone = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]
"""Whole minutes, or none."""


Identifier = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Value(BaseModel):
    """An immutable value whose every field is known."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", hide_input_in_errors=True)


def _absent(value: object) -> bool:
    return value is None


WHERE_GIVEN = Field(exclude_if=_absent)
"""Of a field that is stored only where it is given."""


class Attachment(Value):
    """A file attached to a fact as evidence: its name and the SHA-256 of its bytes."""

    name: Identifier
    sha256: Sha256


class Party(StrEnum):
    """A party to the contract: Fornitore, Cliente."""

    SUPPLIER = "supplier"
    CUSTOMER = "customer"


class Responsibility(StrEnum):
    """To whom a delay is due ("per motivi imputabili al Fornitore", A4 and P1)."""

    SUPPLIER = "supplier"
    CUSTOMER = "customer"
    THIRD_PARTY = "third_party"
    FORCE_MAJEURE = "force_majeure"


class Statement(Value):
    """Who records a fact that a party may contest, and which parties have agreed to it."""

    by: Party = Party.SUPPLIER
    agreed_by: tuple[Party, ...] = ()

    @property
    def agreed(self) -> bool:
        """Whether both parties agreed to it."""
        return {self.by, *self.agreed_by} == set(Party)
