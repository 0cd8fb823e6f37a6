"""What Conduzione and Manutenzione commit the supplier to, period by period, and what was done of it (O1, M1).

The text gives the hours committed with the activities included, and the frequency of visits. It gives no rule for work
that comes late, or that is more than was due, or other than was listed. So the figures keep them apart:

- Work counts for the period of its own date: a frequency means so many times in each month.
- A visit or review more than its period is due makes good the oldest one missed, and is late by the time since that
  period ended. Not the other way round: one visit missed would then make every later one late, for ever.
- Hours make good nothing: those not worked in a period are not carried over, for nothing says that they are.
- What no option lists, or was done while none was active, is outside every commitment. It is shown, with a finding.
- A period that the end of its option, or of the contract, cuts short owes its hours pro rata, and no visit or review.
  It is marked as cut short, and the whole amount is shown too.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from domain.contract import Contract, OptionTerm
from domain.contract_facts import ContractRenewed, ContractSigned, ContractTerminated, OptionFact, service_of
from domain.interval import earliest
from domain.periods import Period
from domain.terms import MaintenanceOption, Option, Service
from domain.work_facts import WorkFact
from projections.as_of import ContractAsOf
from projections.dues import SERVICE_NAMES, SERVICES, Commitment, Due, Kind, dues_of
from projections.findings import Finding, renewed_after_termination
from projections.performances import Performance, WorkTally, kind_of
from projections.replay import Replay


@dataclass(frozen=True, slots=True)
class CommitmentRow:
    """What was due of one commitment in one period, and what was done; without a period, what was done outside all.

    Figures are minutes for hours, else how many times. `activity`: of visits. `due`: pro rata where the period was cut
    short; `whole`: what a whole period would owe. `ended`: the period has ended. `monitoring`: the basic monitoring
    that the option includes beside the hours. `changes_at`: when time alone may change the row: the period ends, a fact
    on record of the contract takes effect.
    """

    contract: str
    commitment: Commitment
    activity: str | None
    period: Period | None
    due: int
    whole: int
    performances: tuple[Performance, ...]
    ended: bool
    monitoring: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    changes_at: int | None = None
    versions: tuple[int, ...] = ()

    @property
    def status(self) -> Literal["open", "closed"]:
        """Whether its period may still bring what is due, or has ended."""
        return "closed" if self.ended else "open"

    @property
    def cut_short(self) -> bool:
        """Whether an end cut the period short."""
        return self.period is not None and not self.period.whole

    @property
    def done(self) -> int:
        """What counts for the period."""
        return sum(performance.amount for performance in self.performances if performance.within)

    @property
    def outside(self) -> int:
        """What was done outside every commitment."""
        return sum(performance.amount for performance in self.performances if not performance.within)

    @property
    def late(self) -> int:
        """How much of what was done came after the period's end."""
        return sum(performance.amount for performance in self.performances if performance.late_us is not None)

    @property
    def open(self) -> int:
        """What is still to be done before the period ends."""
        return 0 if self.ended else self._left

    @property
    def missed(self) -> int:
        """What had not been done when the period ended, nor has been since."""
        return self._left if self.ended else 0

    @property
    def exceeded(self) -> int:
        """What was done beyond what was due."""
        return max(0, self.done - self.due)

    @property
    def _left(self) -> int:
        return max(0, self.due - self.done)


def commitments(replay: Replay) -> list[CommitmentRow]:
    """The rows of every signed contract: by contract, commitment, activity and period."""
    return [row for contract in replay.signed_contracts for row in commitment_rows(contract, replay.as_of)]


def commitment_rows(contract: ContractAsOf, as_of: int) -> list[CommitmentRow]:
    """The rows of one contract: of each commitment the periods begun by `as_of`, then what was done outside them."""
    tallies: dict[Kind, WorkTally] = defaultdict(WorkTally)
    for due in dues_of(contract.contract, as_of):
        tallies[due.promise.kind].dues.append(due)
    for one in contract.facts:
        if isinstance(one.fact, WorkFact):
            tallies[kind_of(one.fact)].take(one.fact, one.versions)
    proof = {service: _proof(contract, service) for service in SERVICES}
    return [
        _row(contract, kind, due, done, proof[kind.commitment.service], as_of)
        for kind in sorted(tallies, key=Kind.order)
        for due, done in tallies[kind].all
    ]


def _row(
    contract: ContractAsOf, kind: Kind, due: Due | None, done: Sequence[Performance], proof: frozenset[int], as_of: int
) -> CommitmentRow:
    period = due.period if due else None
    ended = period is None or period.ended_by(as_of)
    return CommitmentRow(
        contract=contract.contract.id,
        commitment=kind.commitment,
        activity=kind.activity,
        period=period,
        due=due.amount if due else 0,
        whole=due.promise.amount if due else 0,
        performances=tuple(done),
        ended=ended,
        monitoring=due.promise.monitoring if due else (),
        findings=(*_findings(contract.contract, kind.commitment, period, done), *_in_vain(contract)),
        changes_at=earliest(None if ended or period is None else period.end, contract.next_at),
        versions=tuple(sorted(proof.union(version for performance in done for version in performance.versions))),
    )


def _proof(contract: ContractAsOf, service: Service) -> frozenset[int]:
    """The facts that every row of a service rests on: how long the contract lasts, and its options."""
    options = (one for one in contract.facts if isinstance(one.fact, OptionFact) and service_of(one.fact) is service)
    lasting = contract.versions(ContractSigned, ContractRenewed, ContractTerminated)
    return frozenset(lasting).union(version for one in options for version in one.versions)


def _in_vain(contract: ContractAsOf) -> Iterator[Finding]:
    if renewals := contract.contract.renewed_after_termination:
        yield renewed_after_termination(contract.versions_of(renewals))


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
    return next((term.option for term in terms if term.holds(at)), None)


def _remarks(option: Option | None, commitment: Commitment, performance: Performance) -> Iterator[tuple[str, str]]:
    """What a reader has to know of something done: code and text."""
    if isinstance(option, MaintenanceOption) and performance.infrastructure and not option.infrastructure:
        yield "infrastructure_not_included", "work on infrastructure, which the option does not include"
    if performance.within:
        return
    if option is None:
        yield "option_not_active", f"done while {SERVICE_NAMES[commitment.service]} was not active"
    elif commitment is Commitment.REVIEWS:
        yield "reviews_not_agreed", "a review, though the option agrees on no frequency of them"
    else:
        yield "activity_not_included", f"{performance.about[0]} is not among the activities that the option includes"
