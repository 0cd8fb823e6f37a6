"""What every fact and every command share: instants, money, parties, rectification, refusal.

A fact (event) is what happened; a command asks for it to be recorded. Instants and durations are whole
microseconds UTC, credits are whole minutes, money is euro with two places, ratios are exact fractions.
No float appears in any of them.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import floor
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializationInfo,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import to_json

SECOND = 1_000_000
MINUTE = 60 * SECOND

EARLIEST = -2_208_988_800 * SECOND
"""The start of 1900."""
LATEST = 7_289_654_400 * SECOND
"""The end of 2200. Microseconds between the two are numbers that every reader of JSON keeps exactly."""

FUTURE_TOLERANCE = 5 * MINUTE
"""How far past the recorder's clock the instant of a fact may be: clocks disagree by seconds, not by hours."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.(\d+))?([Zz]|[+-]\d\d:[0-5]\d)?", re.ASCII)
_EURO = re.compile(r"-?\d{1,13}(\.\d{1,2})?", re.ASCII)
_FRACTION = re.compile(r"(\d{1,12})/(\d{1,12})|(\d{1,4})(?:\.(\d{1,6}))?%", re.ASCII)

WIRE = {"wire": True}
"""Context of what comes from or goes outside: there an instant is text with an offset, never a bare number."""


class Rejected(Exception):
    """The contract or the rules forbid this. An outcome, never an event.

    `clause` is an id of docs/clauses.md, `field` the field at fault ("" where it is the whole message), `reason` a
    sentence that a person can act on.
    """

    def __init__(self, clause: str, field: str, reason: str) -> None:
        super().__init__(f"{reason} [{clause}]")
        self.clause = clause
        self.field = field
        self.reason = reason


class NotYet(Exception):
    """What this depends on is not recorded yet: kept, and tried again when `stream` grows."""

    def __init__(self, stream: str, reason: str) -> None:
        super().__init__(reason)
        self.stream = stream
        self.reason = reason


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

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Value(BaseModel):
    """An immutable value whose every field is known."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Attachment(Value):
    """A paper attached to a fact as evidence: its name and the SHA-256 of its bytes."""

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
        """Whether both parties stand behind it."""
        return {self.by, *self.agreed_by} == set(Party)


class Command(Value):
    """Asks for a fact to be recorded; `TYPE` is its CloudEvents type, `at` when the fact occurred."""

    TYPE: ClassVar[str]

    at: Instant
    evidence: tuple[Attachment, ...] = ()


class Fact(Value):
    """What happened, at the instant `at`; `TYPE` is the type it is stored under, for ever."""

    TYPE: ClassVar[str]
    FIXED: ClassVar[frozenset[str]] = frozenset()
    """Fields that nobody rectifies: what Verbale decided when it recorded the fact, and names other facts go by."""

    at: Instant
    evidence: tuple[Attachment, ...] = ()


F = TypeVar("F", bound=Fact)


class Correction(Statement):
    """Which recorded fact of the stream was wrong, in which field, and what is right."""

    version: Annotated[int, Field(strict=True, ge=1)]
    field: Identifier
    value: Any
    why: Text


class Rectify(Command, Correction):
    """Correct one field of one recorded fact of the subject's stream. Nothing is erased: both stay on record."""

    TYPE = "verbale.record.rectify.v1"


class RecordRectified(Fact, Correction):
    """One field of an earlier fact of this stream is corrected; the last one recorded for a field rules."""

    TYPE = "record.rectified.v1"


class Corrected(NamedTuple, Generic[F]):
    """A fact as it stands after rectification, and the versions that prove it."""

    version: int
    fact: F
    rectified_by: tuple[int, ...] = ()

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions that prove it: its own, and those that rectified it."""
        return (self.version, *self.rectified_by)


def corrected(
    record: Iterable[tuple[int, F]], counts: Callable[[RecordRectified], bool] = lambda _: True
) -> list[Corrected[F]]:
    """The facts of one stream, in order of recording, with the rectifications that count applied and left out.

    `record` gives (version, fact). The last rectification recorded for a field rules, whatever its own date. One that
    no longer fits, because another field was rectified otherwise, is left unapplied.
    """
    facts: dict[int, Corrected[F]] = {}
    rectifications: list[tuple[int, RecordRectified]] = []
    for version, fact in record:
        if isinstance(fact, RecordRectified):
            rectifications.append((version, fact))
        else:
            facts[version] = Corrected(version, fact)
    for version, rectification in rectifications:
        if counts(rectification) and (told := facts.get(rectification.version)):
            amended = _amended(told.fact, rectification.field, rectification.value)
            if amended is not None:
                facts[told.version] = Corrected(told.version, amended, (*told.rectified_by, version))
    return list(facts.values())


def as_rectified(record: Sequence[F]) -> Sequence[F]:
    """The facts of one stream from version 1, in order of recording, as every rectification among them has them."""
    if any(isinstance(fact, RecordRectified) for fact in record):
        return [told.fact for told in corrected(enumerate(record, 1))]
    return record


def _amend(fact: F, field: str, value: Any, context: dict[str, bool] | None) -> F:
    fields = fact.model_dump(mode="json", context=context)
    return type(fact).model_validate_json(to_json({**fields, field: value}), strict=True, context=context)


def _amended(fact: F, field: str, value: Any) -> F | None:
    try:
        return _amend(fact, field, value, context=None)
    except ValidationError:
        return None


def rectify(
    record: Sequence[Fact], command: Rectify, check: Callable[[Fact], None] = lambda _: None
) -> tuple[RecordRectified, ...]:
    """Decide a rectification of `record`, the stream's facts from version 1; () where it is already told.

    `check` raises Rejected where the corrected fact breaks a rule of its stream. Raises Rejected where there is no
    such fact or field, nobody may rectify the field, or the corrected fact would not be valid.
    """
    fact = record[command.version - 1] if command.version <= len(record) else None
    if fact is None:
        raise Rejected("R5", "version", f"this stream has {len(record)} facts: there is no version {command.version}")
    if isinstance(fact, RecordRectified):
        raise Rejected("R5", "version", f"version {command.version} is itself a rectification: rectify version "
                       f"{fact.version} again instead")  # fmt: skip
    fields = set(type(fact).model_fields) - fact.FIXED
    if command.field not in fields:
        allowed = ", ".join(sorted(fields))
        raise Rejected("R5", "field", f"{command.field} of {fact.TYPE} cannot be rectified; these can: {allowed}")
    before = next(told.fact for told in corrected(enumerate(record, 1)) if told.version == command.version)
    try:
        after = _amend(before, command.field, command.value, context=WIRE)
    except ValidationError as error:
        raise Rejected("R5", "value", f"{command.field} of {fact.TYPE}: {error.errors()[0]['msg']}") from None
    if command.field == "at" and after.at > command.at + FUTURE_TOLERANCE:
        raise Rejected("R3", "value", "a fact cannot be dated after its own rectification, which is of "
                       f"{instant_text(command.at)}")  # fmt: skip
    try:
        check(after)
    except Rejected as broken:
        raise Rejected(broken.clause, "value", broken.reason) from None
    value = after.model_dump(mode="json")[command.field]
    rectification = RecordRectified(**{**dict(command), "value": value})
    return () if _rectified_so(record, rectification, unchanged=after == before) else (rectification,)


def _rectified_so(record: Sequence[Fact], rectification: RecordRectified, *, unchanged: bool) -> bool:
    """Whether the last rectification of that field says the same, in all but its own date."""
    said = (rectification.version, rectification.field)
    earlier = [f for f in record if isinstance(f, RecordRectified) and (f.version, f.field) == said]
    return earlier[-1].model_copy(update={"at": rectification.at}) == rectification if earlier else unchanged


def unless_recorded(record: Sequence[Fact], fact: F, *family: type[Fact]) -> tuple[F, ...]:
    """The fact, or () where `record` tells it already, as first told or as rectified since.

    It is compared with the facts of its family (those that speak of the same thing; its own type if none is given).
    """
    kinds = family or (type(fact),)
    as_first_told, as_corrected = record, as_rectified(record)
    tellings = (as_first_told,) if as_corrected is record else (as_first_told, as_corrected)
    for replay in tellings:
        if already_recorded(fact, (told for told in replay if isinstance(told, kinds))):
            return ()
    return (fact,)


def already_recorded(fact: Fact, among: Iterable[Fact]) -> bool:
    """Whether `fact` says again what is on record: it equals the last of `among` told of the same instant.

    Only the last: suspended, resumed and suspended again within one minute are three facts.
    """
    last = None
    for earlier in among:
        if earlier.at == fact.at:
            last = earlier
    return last == fact


def refuse_future(at: int, now: int) -> None:
    """Raise Rejected where `at` lies more than five minutes after `now`, the recorder's clock (microseconds UTC)."""
    if at > now + FUTURE_TOLERANCE:
        raise Rejected(
            "R3", "time", f"{moment(at).isoformat()} is in the future: it is {moment(now).isoformat()} here; "
            "a fact is recorded once it has occurred (check the sender's clock and its offset)"
        )  # fmt: skip
