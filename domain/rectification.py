"""A recorded fact was wrong: one field of it is corrected by another fact, and both stay on record (R5)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Generic, NamedTuple

from pydantic import Field, ValidationError
from pydantic_core import to_json

from domain.facts import FUTURE_TOLERANCE, Command, F, Fact, Rejected
from domain.latest import last_recorded
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
    """A rectified fact, and the versions that prove it."""

    version: int
    fact: F
    rectified_by: tuple[int, ...] = ()

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions that prove it: its own, and those that rectified it."""
        return (self.version, *self.rectified_by)


def corrected(
    record: Iterable[tuple[int, F]], admits: Callable[[RecordRectified], bool] = lambda _: True
) -> list[Corrected[F]]:
    """The other facts of the stream, each with its rectifications applied.

    The rectifications themselves are not returned. `record` gives (version, fact) in order of recording; `admits` says
    whether to apply a rectification. The last recorded for a field rules, whatever its own date. One that no longer
    fits, because another field was rectified otherwise, is left unapplied.
    """
    facts: dict[int, Corrected[F]] = {}
    rectifications: list[tuple[int, RecordRectified]] = []
    for version, fact in record:
        if isinstance(fact, RecordRectified):
            rectifications.append((version, fact))
        else:
            facts[version] = Corrected(version, fact)
    for version, rectification in rectifications:
        if admits(rectification) and (wrong := facts.get(rectification.version)):
            amended = _amended(wrong.fact, rectification.field, rectification.value)
            if amended is not None:
                facts[wrong.version] = Corrected(wrong.version, amended, (*wrong.rectified_by, version))
    return list(facts.values())


def as_rectified(record: Sequence[F]) -> Sequence[F]:
    """The facts of one stream from version 1, in order of recording, each with its rectifications applied.

    The rectifications themselves are not returned. Where nothing was rectified, it is `record` itself.
    """
    if any(isinstance(fact, RecordRectified) for fact in record):
        return [one.fact for one in corrected(enumerate(record, 1))]
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
    """Decide a rectification of `record`, the stream's facts from version 1; () where it is on record.

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
    before = next(one.fact for one in corrected(enumerate(record, 1)) if one.version == command.version)
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
    return () if _already_so(record, rectification, unchanged=after == before) else (rectification,)


def _already_so(record: Sequence[Fact], rectification: RecordRectified, *, unchanged: bool) -> bool:
    """Whether the last rectification of that field is the same but for its date; without one, whether it is unchanged.

    The instant of a rectification is when it was made: made again, it adds nothing.
    """
    of_field = (rectification.version, rectification.field)
    last = last_recorded(f for f in record if isinstance(f, RecordRectified) and (f.version, f.field) == of_field)
    return unchanged if last is None else last.model_copy(update={"at": rectification.at}) == rectification
