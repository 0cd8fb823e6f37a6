"""What was done under Conduzione and Manutenzione: its content, the fact that records it, the command (O1, M1)."""

from typing import Annotated

from pydantic import Field

from domain.facts import Command, Fact
from domain.values import Identifier, Minutes, Value


class Visit(Value):
    """A visit of Manutenzione: which activity, by whom, and whether work was done on the infrastructure (M1)."""

    activity: Identifier
    by: Identifier
    infrastructure: bool = False


class MaintenanceVisitPerformed(Fact, Visit):
    """A visit is made, whether or not its activity is one of those listed."""

    TYPE = "contract.maintenance_visit_performed.v1"


class RecordVisit(Command, Visit):
    """Record a visit of Manutenzione, as of the instant at which it was made (M1)."""

    TYPE = "verbale.contract.record_visit.v1"


class OperationWork(Value):
    """Minutes worked for Conduzione, on which activity and by whom; `work` names the entry, unique in the contract."""

    work: Identifier
    activity: Identifier
    minutes: Minutes
    by: Identifier


class OperationHoursWorked(Fact, OperationWork):
    """Hours of Conduzione are worked, whether or not their activity is one of those listed."""

    TYPE = "contract.operation_hours_worked.v1"
    FIXED = frozenset({"work"})


class RecordOperationHours(Command, OperationWork):
    """Record time worked for Conduzione, as of the instant at which it was worked (O1)."""

    TYPE = "verbale.contract.record_operation_hours.v1"


class Review(Value):
    """A periodic review of Conduzione: the indicators (KPI) discussed, and who took part (O1)."""

    indicators: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    participants: tuple[Identifier, ...] = ()


class ServiceReviewHeld(Fact, Review):
    """The KPIs are reviewed with the customer."""

    TYPE = "contract.service_review_held.v1"


class HoldReview(Command, Review):
    """Record a review of Conduzione's indicators with the customer, as of when it was held (O1)."""

    TYPE = "verbale.contract.hold_review.v1"


WorkFact = MaintenanceVisitPerformed | OperationHoursWorked | ServiceReviewHeld
"""What was done under Conduzione and Manutenzione: no request is judged by it."""
