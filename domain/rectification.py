"""What rectifications and annulments make of the facts on record (R5).

A rectification corrects one field of an earlier fact of its stream; an annulment withdraws a fact. Nothing is erased:
all of them stay on record.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple

from pydantic import ValidationError
from pydantic_core import to_json

from domain.facts import FUTURE_TOLERANCE, F, Fact, Rejected
from domain.latest import last_recorded
from domain.record_facts import Annul, RecordAnnulled, RecordFact, RecordRectified, Rectify
from domain.values import WIRE, Statement, instant_text

Admits = Callable[[Any], bool]
"""Whether a rectification or an annulment counts."""


class Corrected(NamedTuple, Generic[F]):
    """A rectified fact, and the versions that prove it."""

    version: int
    fact: F
    rectified_by: tuple[int, ...] = ()

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions that prove it: its own, and those that rectified it."""
        return (self.version, *self.rectified_by)


def _all_count(_: Fact) -> bool:
    return True


def corrected(record: Iterable[tuple[int, F]], admits: Admits = _all_count) -> list[Corrected[F]]:
    """The other facts of the stream: those not annulled, each with its rectifications applied.

    What is said of facts (rectifications, annulments, agreements) is not returned. `record` gives (version, fact) in
    order of recording; `admits` says whether a rectification or an annulment counts. The last rectification recorded
    for a field rules, whatever its own date. One that no longer fits, because another field was rectified otherwise,
    is left unapplied.
    """
    on_record = list(record)
    gone = annulled(on_record, admits)
    facts: dict[int, Corrected[F]] = {}
    rectifications: list[tuple[int, RecordRectified]] = []
    for version, fact in on_record:
        if isinstance(fact, RecordRectified):
            rectifications.append((version, fact))
        elif not isinstance(fact, RecordFact) and version not in gone:
            facts[version] = Corrected(version, fact)
    for version, rectification in rectifications:
        wrong = facts.get(rectification.version)
        if wrong and version not in gone and admits(rectification):
            amended = _amended(wrong.fact, rectification.field, rectification.value)
            if amended is not None:
                facts[wrong.version] = Corrected(wrong.version, amended, (*wrong.rectified_by, version))
    return list(facts.values())


def annulled(record: Iterable[tuple[int, Fact]], admits: Admits = _all_count) -> dict[int, int]:
    """The versions that are annulled, each with the version of its annulment. An annulment may itself be annulled."""
    gone: dict[int, int] = {}
    annulments = [(version, fact) for version, fact in record if isinstance(fact, RecordAnnulled)]
    # The last first: it is decided by then whether an annulment was itself annulled, for that came later.
    for version, annulment in reversed(annulments):
        if version not in gone and admits(annulment):
            gone[annulment.version] = version
    return gone


def as_rectified(record: Sequence[F]) -> Sequence[F]:
    """The facts of one stream from version 1, in order of recording: those not annulled, as rectified.

    What is said of facts is not returned. Where nothing was said of any, it is `record` itself.
    """
    if any(isinstance(fact, RecordFact) for fact in record):
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
    fact = named(record, command.version)
    if isinstance(fact, RecordRectified):
        raise Rejected("R5", "version", f"version {command.version} is itself a rectification: rectify version "
                       f"{fact.version} again instead")  # fmt: skip
    if isinstance(fact, RecordFact):
        raise Rejected("R5", "version", f"version {command.version} is an agreement or an annulment, which is not "
                       "rectified: annul an annulment, and record another agreement")  # fmt: skip
    before = next((one.fact for one in corrected(enumerate(record, 1)) if one.version == command.version), None)
    if before is None:
        raise Rejected("R5", "version", f"version {command.version} is annulled: annul its annulment first")
    fields = set(type(fact).model_fields) - fact.FIXED - _who_says_so(fact)
    if command.field not in fields:
        allowed = ", ".join(sorted(fields))
        raise Rejected("R5", "field", f"{command.field} of {fact.TYPE} cannot be rectified; these can: {allowed}")
    try:
        after = _amend(before, command.field, command.value, context=WIRE)
    except ValidationError as error:
        first = error.errors()[0]
        fault = first.get("ctx", {}).get("error") or first["msg"]  # our own sentence as it is, else pydantic's
        raise Rejected("R5", "value", f"{command.field} of {fact.TYPE}: {fault}") from None
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


def _who_says_so(fact: Fact) -> set[str]:
    """The fields that say who recorded a fact, when, and who agrees: nobody may correct these for another (R7)."""
    return {"recordedtime", *(Statement.model_fields if isinstance(fact, Statement) else ())}


def annul(record: Sequence[Fact], command: Annul) -> tuple[RecordAnnulled, ...]:
    """Decide an annulment in `record`, the stream's facts from version 1; () where it is on record and counts.

    Raises Rejected where there is no such fact, or it is a signature, an opening or an admission.
    """
    fact = named(record, command.version)
    if instead := fact.INSTEAD_OF_ANNULMENT:
        raise Rejected("R5", "version", f"{fact.TYPE} is never annulled: {instead}")
    annulment = RecordAnnulled(**dict(command))
    gone = annulled(enumerate(record, 1))
    standing = (other for version, other in enumerate(record, 1) if version not in gone)
    return () if any(_same_but_for_date(other, annulment) for other in standing) else (annulment,)


def named(record: Sequence[Fact], version: int) -> Fact:
    """The fact of a version. Raises Rejected (R5) where there is none."""
    if version > len(record):
        raise Rejected("R5", "version", f"this stream has {len(record)} facts: there is no version {version}")
    return record[version - 1]


def _same_but_for_date(other: Fact, fact: Fact) -> bool:
    """Whether the same was said before: the instant of a rectification or annulment is when it was made."""
    undated = {"at": fact.at, "recordedtime": fact.recordedtime}
    return type(other) is type(fact) and other.model_copy(update=undated) == fact


def _already_so(record: Sequence[Fact], rectification: RecordRectified, *, unchanged: bool) -> bool:
    """Whether the last rectification of that field is the same but for its date; without one, whether it is unchanged.

    Made again, it adds nothing.
    """
    of_field, gone = (rectification.version, rectification.field), annulled(enumerate(record, 1))
    standing = (fact for version, fact in enumerate(record, 1) if version not in gone)
    last = last_recorded(f for f in standing if isinstance(f, RecordRectified) and (f.version, f.field) == of_field)
    return unchanged if last is None else _same_but_for_date(last, rectification)
