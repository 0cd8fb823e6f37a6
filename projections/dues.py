"""What is due under Conduzione and Manutenzione, period by period, by the options active then (O1, M1)."""

from collections.abc import Iterator
from enum import StrEnum
from fractions import Fraction
from math import floor
from typing import NamedTuple

from domain.contract import Contract
from domain.interval import earliest
from domain.periods import Frequency, Period, periods
from domain.terms import MaintenanceOption, OperationOption, Option, Service

SERVICE_NAMES = {Service.OPERATION: "Conduzione", Service.MAINTENANCE: "Manutenzione"}
"""The services that commit to work in each period, as the contract calls them."""
SERVICES = tuple(SERVICE_NAMES)


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


class Kind(NamedTuple):
    """A commitment; of visits, to one activity."""

    commitment: Commitment
    activity: str | None = None

    def order(self) -> tuple[int, str]:
        """What kinds are sorted by."""
        return list(Commitment).index(self.commitment), self.activity or ""


class Promise(NamedTuple):
    """How much of something is due in each period, as an option gives it: minutes for hours, else times."""

    kind: Kind
    amount: int
    per: Frequency
    activities: tuple[str, ...] = ()
    monitoring: tuple[str, ...] = ()


def _promises(option: Option) -> Iterator[Promise]:
    match option:
        case OperationOption():
            hours = Kind(Commitment.HOURS)
            yield Promise(hours, option.committed_minutes, option.per, option.activities, option.monitoring)
            if option.review_every:
                yield Promise(Kind(Commitment.REVIEWS), 1, option.review_every)
        case MaintenanceOption():
            for activity in option.activities:
                yield Promise(Kind(Commitment.VISITS, activity.name), activity.visits, activity.per)


class Due(NamedTuple):
    """What is due in one period."""

    promise: Promise
    period: Period

    @property
    def amount(self) -> int:
        """How much of it: all in a whole period.

        Of one cut short hours are due pro rata, by local days, to the minute, half up; no visit and no review is, for
        half of one cannot be made.
        """
        if self.period.whole:
            return self.promise.amount
        if self.promise.kind.commitment is not Commitment.HOURS:
            return 0
        return floor(self.promise.amount * self.period.share + Fraction(1, 2))


def dues_of(contract: Contract, as_of: int) -> Iterator[Due]:
    """Everything due in the periods begun by `as_of`; of each kind in order of time."""
    for service in SERVICES:
        for term in contract.option_terms(service):
            for promise in _promises(term.option):
                for period in periods(contract.zone, term.start, term.end, promise.per, as_of):
                    yield Due(promise, period)


def next_period_edge(contract: Contract, as_of: int) -> int | None:
    """The first instant after `as_of` at which a period of a commitment begins or ends; None where none does."""
    begins = (term.start for service in SERVICES for term in contract.option_terms(service) if term.start > as_of)
    ends = (due.period.end for due in dues_of(contract, as_of) if due.period.end > as_of)
    return earliest(*begins, *ends)
