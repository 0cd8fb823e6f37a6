"""Facts as an auditor reads them: as recorded, how late, told by whom, agreed by whom, and what was said of them since.

Nothing is left out and nothing is corrected: a corrected or annulled fact stands beside what corrects or annuls it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, NamedTuple, TypeGuard, cast, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from domain.facts import Fact
from domain.record_facts import RecordAgreed, RecordFact, RecordRectified
from domain.rectification import annulled
from domain.source_facts import SourceFact
from domain.values import WIRE, Party
from projections.history import Entry
from projections.replay import A_DAY
from projections.statements import Accord, contestable, recorded

SAID_OF_FACTS = frozenset(kind.TYPE for kind in (*get_args(RecordFact), *get_args(SourceFact)))
"""The stored types that say something of other facts: all that `SaidOfFacts` needs."""


class AgreedLater(NamedTuple):
    """An agreement recorded after the fact: by whom, and where it is on record."""

    by: Party
    stream: str
    version: int


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A recorded fact, and what is known of it.

    `by` and `agreed` are None for what no party contests; `agreed_by` are the other parties whose agreement counts by
    now. `rectified_by` and `annulled_by` name the versions of its stream that correct and annul it, and stand.
    """

    entry: Entry
    by: Party | None = None
    agreed_by: tuple[Party, ...] = ()
    agreed: bool | None = None
    agreed_later: tuple[AgreedLater, ...] = ()
    rectified_by: tuple[int, ...] = ()
    annulled_by: int | None = None

    @property
    def position(self) -> int:
        """Its place in the log."""
        return self.entry.position

    @property
    def version(self) -> int:
        """Its place in its stream, from 1."""
        return self.entry.version

    @property
    def recorded_at(self) -> int:
        """When Verbale recorded it, in microseconds UTC."""
        return self.entry.recorded_at

    @property
    def fact(self) -> Fact:
        """The fact as recorded."""
        return self.entry.fact

    @property
    def lateness_us(self) -> int:
        """How long after it occurred Verbale recorded it, in microseconds; below 0 where a clock ran ahead."""
        return self.entry.recorded_at - self.entry.fact.at

    @property
    def source_lateness_us(self) -> int | None:
        """How long after it occurred its source recorded it; None where its message does not say when that was."""
        told_at = self.entry.fact.recordedtime
        return None if told_at is None else told_at - self.entry.fact.at

    @property
    def late(self) -> bool:
        """Whether it was told a day or more after it occurred: to its source, where that says when, else to Verbale."""
        return self.entry.lateness_us >= A_DAY


@dataclass
class _OfStream:
    """What is said of the facts of one stream, in order of recording."""

    entries: list[Entry] = field(default_factory=list)

    @cached_property
    def gone(self) -> dict[int, int]:
        """The versions annulled, each with the version of its annulment."""
        return annulled((entry.version, entry.fact) for entry in self.entries)

    @cached_property
    def rectified(self) -> Mapping[int, Sequence[int]]:
        """The versions rectified, each with the versions of the rectifications that stand."""
        found: dict[int, list[int]] = defaultdict(list)
        for entry in self.entries:
            if isinstance(entry.fact, RecordRectified) and entry.version not in self.gone:
                found[entry.fact.version].append(entry.version)
        return found

    def agreements(self, version: int) -> list[Entry]:
        """The agreements to one version."""
        return [one for one in self.entries if isinstance(one.fact, RecordAgreed) and one.fact.version == version]

    def agreements_up_to(self, position: int) -> list[Entry]:
        """The agreements to every fact of the contract up to a position that reach this one."""
        return [one for one in self.entries if isinstance(one.fact, RecordAgreed) and (one.fact.up_to or 0) >= position]


class SaidOfFacts:
    """What the record says of other facts of some streams: rectifications, annulments, agreements, appointments."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """From entries in order of recording; those that say nothing of other facts are passed over."""
        self._streams: dict[str, _OfStream] = defaultdict(_OfStream)
        self._accords: dict[str, Accord] = {}
        for entry in entries:
            if isinstance(entry.fact, RecordFact | SourceFact):
                self._streams[entry.stream].entries.append(entry)

    def row(self, entry: Entry) -> TimelineRow:
        """A fact with all that is said of it."""
        said = self._streams.get(entry.stream, _NOTHING)
        own = said.agreements(entry.version)
        of_contract = self._of_contract(entry.contract).agreements_up_to(entry.position)
        later = sorted((*own, *of_contract), key=lambda one: one.position)
        return TimelineRow(
            entry,
            *self._parties(entry, own),
            tuple(AgreedLater(one.fact.by, one.stream, one.version) for one in later if _is_agreement(one.fact)),
            tuple(said.rectified.get(entry.version, ())),
            said.gone.get(entry.version),
        )

    def _parties(
        self, entry: Entry, agreements: Sequence[Entry]
    ) -> tuple[Party | None, tuple[Party, ...], bool | None]:
        """Who tells a fact, which other parties agree, and whether both do."""
        if contestable(entry.fact) is None:
            return (entry.fact.by if _is_agreement(entry.fact) else None), (), None
        both = (entry, *agreements)
        accords = {one.contract: self._accord(one.contract) for one in both if one.contract is not None}
        told = contestable(recorded(both, accords).facts[0][1])
        assert told is not None
        return told.by, told.agreed_by, told.agreed

    def _of_contract(self, contract: str | None) -> _OfStream:
        return _NOTHING if contract is None else self._streams.get(f"contract-{contract}", _NOTHING)

    def _accord(self, contract: str) -> Accord:
        if contract not in self._accords:
            self._accords[contract] = Accord.of(self._of_contract(contract).entries)
        return self._accords[contract]


_NOTHING = _OfStream()


def _is_agreement(fact: Fact) -> TypeGuard[RecordAgreed]:
    return isinstance(fact, RecordAgreed)


def timeline(entries: Sequence[Entry], of_contract: Iterable[Entry] = ()) -> list[TimelineRow]:
    """The facts of one stream, as recorded. `of_contract` are those of its contract's stream, where that is another."""
    said = SaidOfFacts((*of_contract, *entries))
    return [said.row(entry) for entry in entries]


def corrected_value(rectification: RecordRectified, wrong: Fact) -> Any:
    """The value that a rectification puts in, as it is told outside: an instant as text.

    `wrong` is the fact that it corrects. A value that its field cannot hold is given as it is on record.
    """
    told = type(wrong).model_fields.get(rectification.field)
    if told is None:
        return rectification.value
    kind: TypeAdapter[Any] = TypeAdapter(cast(Any, Annotated[told.annotation, told]))
    try:
        return kind.dump_python(kind.validate_json(to_json(rectification.value)), mode="json", context=WIRE)
    except ValidationError:
        return rectification.value
