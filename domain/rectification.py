"""A recorded fact was wrong: one field of it is corrected by another fact, and both stay on record.

And what is recorded already, as first recorded or as rectified since, is not recorded again.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Generic, NamedTuple

from pydantic import (
    Field,
    ValidationError,
)
from pydantic_core import to_json

from domain.facts import FUTURE_TOLERANCE, Command, F, Fact, Rejected
from domain.values import WIRE, Identifier, Statement, Text, instant_text


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
