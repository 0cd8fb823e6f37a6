"""What was told of a contract after a request had come in, though effective before it (A6).

Terms cannot be revised backwards; a revision, an end or a correction that is told late would do just that. Each request
that one of them touches shows it, and where one-sided records do not count it is judged without it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from domain.contract_facts import (
    ContractRenewed,
    ContractSigned,
    ContractTerminated,
    OptionActivated,
    OptionEnded,
    ServiceLevelRevised,
    service_of,
)
from domain.facts import Fact
from domain.record_facts import RecordAnnulled, RecordFact, RecordRectified
from domain.rectification import Corrected
from domain.terms import Service
from domain.values import Party, Statement
from projections.history import Entry


class Change(NamedTuple):
    """A change of what a contract guarantees, effective from one instant, recorded at another (microseconds UTC).

    `of_itself`: it is a fact that a request can be judged without, not a correction of one.
    """

    version: int
    stored_type: str
    effective: int
    recorded_at: int
    by: Party
    agreed: bool
    of_itself: bool

    def told_after(self, opened_at: int) -> bool:
        """Whether a request of this instant came in before it was told, and after it took effect."""
        return self.effective <= opened_at < self.recorded_at


def changes(
    entries: Iterable[Entry], as_recorded: Mapping[int, Fact], counting: Sequence[Corrected[Fact]]
) -> Iterator[Change]:
    """The changes that a contract's stream holds, in order of recording.

    `as_recorded`: every fact by version, with the agreements on record; `counting`: those that count, as rectified.
    """
    by_version = {one.version: one.fact for one in counting}
    for entry in entries:
        fact = as_recorded[entry.version]
        effective = _effective(fact, by_version, as_recorded, entry.version)
        if effective is not None and isinstance(fact, Statement):
            of_itself = not isinstance(fact, RecordRectified | RecordAnnulled)
            yield Change(entry.version, entry.fact.TYPE, effective, entry.recorded_at, fact.by, fact.agreed, of_itself)


def _effective(fact: Fact, counting: Mapping[int, Fact], recorded: Mapping[int, Fact], version: int) -> int | None:
    """From when on a fact changes what is guaranteed; None where it does not."""
    match fact:
        case RecordRectified() | RecordAnnulled() if isinstance(about := recorded.get(fact.version), RecordFact):
            return _effective(about, counting, recorded, fact.version)
        case RecordRectified() | RecordAnnulled():
            forms = (facts.get(fact.version) for facts in (recorded, counting))
            return min((at for form in forms if form and (at := _takes_effect(form)) is not None), default=None)
        case ServiceLevelRevised() | OptionEnded() | ContractTerminated() if version in counting:
            return _takes_effect(counting[version])
        case _:
            return None


def _takes_effect(fact: Fact) -> int | None:
    match fact:
        case ContractSigned():
            return fact.in_force_from
        case ContractRenewed():
            return fact.at
        case OptionActivated() | OptionEnded():
            return max(fact.at, fact.effective) if service_of(fact) is Service.ASSISTANCE else None
        case ServiceLevelRevised() | ContractTerminated():
            return max(fact.at, fact.effective)
        case _:
            return None
