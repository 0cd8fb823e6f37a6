"""What was done under Conduzione and Manutenzione, and which period it counts for (O1, M1)."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.work_facts import MaintenanceVisitPerformed, OperationHoursWorked, ServiceReviewHeld, WorkFact
from projections.dues import Commitment, Due, Kind


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


@dataclass
class WorkTally:
    """What was due of one kind, period by period, and what was done that counts for each."""

    dues: list[Due] = field(default_factory=list)
    done: dict[Due | None, list[Performance]] = field(default_factory=lambda: defaultdict(list))

    def take(self, fact: WorkFact, versions: tuple[int, ...]) -> None:
        """Count something done; to be called in order of time."""
        own = next((due for due in self.dues if due.period.holds(fact.at)), None)
        if isinstance(fact, OperationHoursWorked):
            within = own is not None and fact.activity in own.promise.activities
            self.done[own].append(_performance(fact, versions, within=within))
            return
        made_good = None if own and self._left(own) else self._oldest_missed(fact.at)
        due = made_good or own
        late_us = fact.at - made_good.period.end if made_good else None
        self.done[due].append(_performance(fact, versions, within=due is not None, late_us=late_us))

    def _oldest_missed(self, at: int) -> Due | None:
        return next((due for due in self.dues if due.period.ended_by(at) and self._left(due)), None)

    def _left(self, due: Due) -> bool:
        return len(self.done[due]) < due.amount

    @property
    def all(self) -> Iterator[tuple[Due | None, list[Performance]]]:
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


def kind_of(fact: WorkFact) -> Kind:
    """The commitment that a fact may count for."""
    match fact:
        case OperationHoursWorked():
            return Kind(Commitment.HOURS)
        case ServiceReviewHeld():
            return Kind(Commitment.REVIEWS)
        case MaintenanceVisitPerformed():
            return Kind(Commitment.VISITS, fact.activity)
