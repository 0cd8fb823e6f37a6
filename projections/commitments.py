"""What Conduzione and Manutenzione commit the supplier to, period by period, and what was done of it (O1, M1).

The text gives the hours committed with the activities included, and the frequency of visits. It gives no rule for work
that comes late, or that is more than was due, or other than was listed. So the figures keep them apart:

- Work counts for the period of its own date: so many times in each month is what a frequency says.
- A visit or review more than its period is due makes good the oldest one missed, and is late by the time since that
  period ended. Not the other way round: then one visit missed would make every later one late, for ever.
- Hours make good nothing: those not worked in a period are not carried over, for nothing says that they are.
- What no option lists, or was done while none was active, is outside every commitment. It is shown, with a finding.
- Nothing is pro-rated: a period cut short owes the whole, and says that it is not whole.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from domain.contract import Contract, OptionTerm
from domain.contract_facts import (
    ContractRenewed,
    ContractSigned,
    ContractTerminated,
    MaintenanceVisitPerformed,
    OperationHoursWorked,
    OptionFact,
    ServiceReviewHeld,
    WorkFact,
    service_of,
)
from domain.periods import Frequency, Period, periods
from domain.terms import MaintenanceOption, OperationOption, Option, Service
from projections.as_of import ContractAsOf, Replay
from projections.clocks import earliest
from projections.history import Finding


class Commitment(StrEnum):
    """What may be due: hours and reviews of Conduzione, visits of Manutenzione."""

    HOURS = "hours"
    REVIEWS = "reviews"
    VISITS = "visits"

    @property
    def service(self) -> Service:
        """The service that it is part of."""
        return Service.MAINTENANCE if self is Commitment.VISITS else Service.OPERATION

    @property
    def clause(self) -> str:
        """The clause that it comes from."""
        return "M1" if self is Commitment.VISITS else "O1"

    @property
    def unit(self) -> str:
        """What its figures count: minutes, or times."""
        return "minutes" if self is Commitment.HOURS else "times"


class Performance(NamedTuple):
    """Something done: hours worked, a review held, a visit made.

    `amount` in minutes for hours, else 1. `about`: the activity, or the indicators discussed. `by`: who did it or took
    part. `within`: whether it counts for what was due. `late_us`: how long after the end of the period that it makes
    good; None where it makes good none. `infrastructure`: whether work was done on it.
    """

    at: int
    amount: int
    about: tuple[str, ...]
    by: tuple[str, ...]
    versions: tuple[int, ...]
    within: bool = True
    late_us: int | None = None
    infrastructure: bool = False


@dataclass(frozen=True, slots=True)
class CommitmentRow:
    """What was due of one commitment in one period, and what was done; or, without a period, what none was due of.

    Figures are minutes for hours, else how many times. `activity`: of visits. `settled`: the period has ended.
    `monitoring`: the basic monitoring that the option includes beside the hours. `changes_at`: when time alone may
    change the row: the period ends, a fact on record of the contract is told.
    """

    contract: str
    commitment: Commitment
    activity: str | None
    period: Period | None
    due: int
    deeds: tuple[Performance, ...]
    settled: bool
    monitoring: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    changes_at: int | None = None
    versions: tuple[int, ...] = ()

    @property
    def cut_short(self) -> bool:
        """Whether an end cut the period short."""
        return self.period is not None and not self.period.whole

    @property
    def done(self) -> int:
        """What counts for the period."""
        return sum(performance.amount for performance in self.deeds if performance.within)

    @property
    def outside(self) -> int:
        """What was done outside every commitment."""
        return sum(performance.amount for performance in self.deeds if not performance.within)

    @property
    def late(self) -> int:
        """How much of what was done came after the period's end."""
        return sum(performance.amount for performance in self.deeds if performance.late_us is not None)

    @property
    def open(self) -> int:
        """What is still to be done before the period ends."""
        return 0 if self.settled else self._left

    @property
    def missed(self) -> int:
        """What had not been done when the period ended, nor has been since."""
        return self._left if self.settled else 0

    @property
    def exceeded(self) -> int:
        """What was done beyond what was due."""
        return max(0, self.done - self.due)

    @property
    def _left(self) -> int:
        return max(0, self.due - self.done)


def commitments(replay: Replay) -> list[CommitmentRow]:
    """The rows of every signed contract: by contract, commitment, activity and period."""
    return [row for told in replay.signed_contracts for row in commitment_rows(told, replay.as_of)]


def commitment_rows(told: ContractAsOf, as_of: int) -> list[CommitmentRow]:
    """The rows of one contract: of each commitment the periods begun by `as_of`, then what was done outside them."""
    tallies: dict[_Kind, _Tally] = defaultdict(_Tally)
    for due in _dues(told.contract, as_of):
        tallies[due.promise.kind].dues.append(due)
    for one in told.facts:
        if isinstance(one.fact, WorkFact):
            tallies[_kind(one.fact)].take(one.fact, one.versions)
    proof = {service: _proof(told, service) for service in SERVICES}
    return [
        _row(told, kind, due, done, proof[kind.commitment.service], as_of)
        for kind in sorted(tallies, key=_Kind.order)
        for due, done in tallies[kind].all
    ]


def next_period_edge(contract: Contract, as_of: int) -> int | None:
    """The first instant after `as_of` at which a period of a commitment begins or ends; None where none does."""
    begins = (term.start for service in SERVICES for term in contract.option_terms(service) if term.start > as_of)
    ends = (due.period.end for due in _dues(contract, as_of) if due.period.end > as_of)
    return earliest(*begins, *ends)


SPOKEN = {Service.OPERATION: "Conduzione", Service.MAINTENANCE: "Manutenzione"}
SERVICES = tuple(SPOKEN)


class _Kind(NamedTuple):
    commitment: Commitment
    activity: str | None = None

    def order(self) -> tuple[int, str]:
        return list(Commitment).index(self.commitment), self.activity or ""


class _Promise(NamedTuple):
    """So much of something in each period, as an option gives it."""

    kind: _Kind
    amount: int
    per: Frequency
    activities: tuple[str, ...] = ()
    monitoring: tuple[str, ...] = ()


def _promises(option: Option) -> Iterator[_Promise]:
    match option:
        case OperationOption():
            hours = _Kind(Commitment.HOURS)
            yield _Promise(hours, option.committed_minutes, option.per, option.activities, option.monitoring)
            if option.review_every:
                yield _Promise(_Kind(Commitment.REVIEWS), 1, option.review_every)
        case MaintenanceOption():
            for activity in option.activities:
                yield _Promise(_Kind(Commitment.VISITS, activity.name), activity.visits, activity.per)


class _Due(NamedTuple):
    """What is due in one period."""

    promise: _Promise
    period: Period


def _dues(contract: Contract, as_of: int) -> Iterator[_Due]:
    """Everything due in the periods begun by `as_of`; of each kind in order of time."""
    for service in SERVICES:
        for term in contract.option_terms(service):
            for promise in _promises(term.option):
                for period in periods(contract.zone, term.start, term.end, promise.per, as_of):
                    yield _Due(promise, period)


def _kind(fact: WorkFact) -> _Kind:
    match fact:
        case OperationHoursWorked():
            return _Kind(Commitment.HOURS)
        case ServiceReviewHeld():
            return _Kind(Commitment.REVIEWS)
        case MaintenanceVisitPerformed():
            return _Kind(Commitment.VISITS, fact.activity)


@dataclass
class _Tally:
    """What was due of one kind, period by period, and which of it each deed counts for."""

    dues: list[_Due] = field(default_factory=list)
    done: dict[_Due | None, list[Performance]] = field(default_factory=lambda: defaultdict(list))

    def take(self, fact: WorkFact, versions: tuple[int, ...]) -> None:
        """Count a deed, told in order of time."""
        own = next((due for due in self.dues if due.period.holds(fact.at)), None)
        if isinstance(fact, OperationHoursWorked):
            within = own is not None and fact.activity in own.promise.activities
            self.done[own].append(_performance(fact, versions, within=within))
            return
        made_good = None if own and self._left(own) else self._oldest_missed(fact.at)
        due = made_good or own
        late_us = fact.at - made_good.period.end if made_good else None
        self.done[due].append(_performance(fact, versions, within=due is not None, late_us=late_us))

    def _oldest_missed(self, at: int) -> _Due | None:
        return next((due for due in self.dues if due.period.end <= at and self._left(due)), None)

    def _left(self, due: _Due) -> bool:
        return len(self.done[due]) < due.promise.amount

    @property
    def all(self) -> Iterator[tuple[_Due | None, list[Performance]]]:
        """Each period with what counts for it; last what counts for none, where there is any."""
        yield from ((due, self.done[due]) for due in self.dues)
        if outside := self.done[None]:
            yield None, outside


def _performance(fact: WorkFact, versions: tuple[int, ...], *, within: bool, late_us: int | None = None) -> Performance:
    match fact:
        case OperationHoursWorked():
            return Performance(fact.at, fact.minutes, (fact.activity,), (fact.by,), versions, within)
        case ServiceReviewHeld():
            return Performance(fact.at, 1, fact.indicators, fact.participants, versions, within, late_us)
        case MaintenanceVisitPerformed():
            activity, by = (fact.activity,), (fact.by,)
            return Performance(fact.at, 1, activity, by, versions, within, late_us, fact.infrastructure)


def _row(
    told: ContractAsOf, kind: _Kind, due: _Due | None, done: Sequence[Performance], proof: frozenset[int], as_of: int
) -> CommitmentRow:
    contract, period = told.contract, due.period if due else None
    ended = period is None or period.end <= as_of
    return CommitmentRow(
        contract=contract.id,
        commitment=kind.commitment,
        activity=kind.activity,
        period=period,
        due=due.promise.amount if due else 0,
        deeds=tuple(done),
        settled=ended,
        monitoring=due.promise.monitoring if due else (),
        findings=_findings(contract, kind.commitment, period, done),
        changes_at=earliest(None if ended or period is None else period.end, told.next_at),
        versions=tuple(sorted(proof.union(version for performance in done for version in performance.versions))),
    )


def _proof(told: ContractAsOf, service: Service) -> frozenset[int]:
    """The facts that every row of a service rests on: how long the contract lasts, and its options."""
    options = (one for one in told.facts if isinstance(one.fact, OptionFact) and service_of(one.fact) is service)
    lasting = told.versions(ContractSigned, ContractRenewed, ContractTerminated)
    return frozenset(lasting).union(version for one in options for version in one.versions)


def _findings(
    contract: Contract, commitment: Commitment, period: Period | None, done: Sequence[Performance]
) -> tuple[Finding, ...]:
    terms = contract.option_terms(commitment.service)
    # What comes after its option ended makes good what that option was due.
    owed_by = _active(terms, period.start) if period else None
    shown: dict[tuple[str, str], list[int]] = defaultdict(list)
    for performance in done:
        for remark in _remarks(_active(terms, performance.at) or owed_by, commitment, performance):
            shown[remark] += performance.versions
    return tuple(
        Finding(code, commitment.clause, text, tuple(sorted(versions))) for (code, text), versions in shown.items()
    )


def _active(terms: Sequence[OptionTerm], at: int) -> Option | None:
    return next((term.option for term in terms if term.start <= at and (term.end is None or at < term.end)), None)


def _remarks(option: Option | None, commitment: Commitment, performance: Performance) -> Iterator[tuple[str, str]]:
    """What a reader has to know of a deed: code and text."""
    if isinstance(option, MaintenanceOption) and performance.infrastructure and not option.infrastructure:
        yield "infrastructure_not_included", "work on infrastructure, which the option does not include"
    if performance.within:
        return
    if option is None:
        yield "option_not_active", f"done while {SPOKEN[commitment.service]} was not active"
    elif commitment is Commitment.REVIEWS:
        yield "reviews_not_agreed", "a review, though the option agrees on no frequency of them"
    else:
        yield "activity_not_included", f"{performance.about[0]} is not among the activities that the option includes"
