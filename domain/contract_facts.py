"""What a contract can say: for each thing its content, the fact that records it, the command that asks for it.

Clauses G1, O1, M1, A6, P2, S1, H1, H4. What the facts mean together is in `contract.py`.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.calendar_rules import CalendarRules, Extension, Holiday, ServiceHours, Week, check_years
from domain.derogation import Derogation
from domain.facts import Command, Fact
from domain.rectification import RecordRectified, Rectify
from domain.terms import Levels, Option, Service, Terms
from domain.values import Euro, Identifier, Instant, Minutes, Text, Value


class Agreement(Value):
    """What the parties sign: from when and until when (excluded), for which customer keys, on which terms."""

    in_force_from: Instant
    in_force_until: Instant | None = None
    customers: tuple[Identifier, ...] = ()
    terms: Terms

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.in_force_until is not None and self.in_force_until <= self.in_force_from:
            raise ValueError("in_force_until: a contract ends after it begins")
        return self


class ContractSigned(Fact, Agreement):
    """The contract is signed."""

    TYPE = "contract.signed.v1"


class SignContract(Command, Agreement):
    """Record that the contract is signed."""

    TYPE = "verbale.contract.sign.v1"


class Renewal(Value):
    """The contract goes on until a later end (excluded)."""

    until: Instant


class ContractRenewed(Fact, Renewal):
    """The contract is renewed. It counts from its own instant: told after the end, it fills no gap."""

    TYPE = "contract.renewed.v1"


class RenewContract(Command, Renewal):
    """Record that the contract is renewed; `until` lies after the end that it had at that instant."""

    TYPE = "verbale.contract.renew.v1"


class Activation(Value):
    """The option of one service is active from an instant on (G1), instead of the one that was."""

    option: Option
    effective: Instant


class OptionActivated(Fact, Activation):
    """A service is activated by its option."""

    TYPE = "contract.option_activated.v1"


class ActivateOption(Command, Activation):
    """Record that a service is activated; activated again, its new option replaces the one before."""

    TYPE = "verbale.contract.activate_option.v1"


class Deactivation(Value):
    """A service is active no more from an instant on, until it is activated again (G1)."""

    service: Service
    effective: Instant


class OptionEnded(Fact, Deactivation):
    """A service ends before the contract does."""

    TYPE = "contract.option_ended.v1"


class EndOption(Command, Deactivation):
    """Record that a service is active no more; `effective` may not be before the ending itself (G1)."""

    TYPE = "verbale.contract.end_option.v1"


class Revision(Value):
    """A new table of guaranteed times, for incidents opened from `effective` on (A6)."""

    levels: Levels
    effective: Instant


class ServiceLevelRevised(Fact, Revision):
    """The guaranteed times change from a date on."""

    TYPE = "contract.service_level_revised.v1"


class ReviseServiceLevel(Command, Revision):
    """Record new guaranteed times; `effective` may not be before the revision itself (A6)."""

    TYPE = "verbale.contract.revise_service_level.v1"


class CalendarChosen(Value):
    """Weekly windows and holidays, by whom proposed, and the whole years they cover (H1, H2)."""

    source: Identifier
    source_version: Identifier
    first_year: Annotated[int, Field(strict=True, ge=1900, le=2200)]
    last_year: Annotated[int, Field(strict=True, ge=1900, le=2200)]
    standard: Week
    data_centre: Week
    holidays: tuple[Holiday, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_years(self.first_year, self.last_year, self.holidays)
        return self

    def covers(self, day: date) -> bool:
        """Whether the day is in the years covered."""
        return self.first_year <= day.year <= self.last_year

    def rules(self, hours: ServiceHours, extensions: Sequence[Extension] = ()) -> CalendarRules:
        """The rules for one kind of service, with what agreements add to their days."""
        return CalendarRules(
            week=self.data_centre if hours is ServiceHours.DATA_CENTRE else self.standard,
            holidays=self.holidays,
            extensions=tuple(extensions),
            first_year=self.first_year,
            last_year=self.last_year,
        )


class CalendarAdopted(Fact, CalendarChosen):
    """The parties' working calendar is on record, day by day: calendars are evidence."""

    TYPE = "contract.calendar_adopted.v1"


class AdoptCalendar(Command, CalendarChosen):
    """Record the working calendar of some years; the last adopted rules the days that follow."""

    TYPE = "verbale.contract.adopt_calendar.v1"


class CoverageExtended(Fact, Derogation):
    """Una deroga: windows are added to the days that begin at or after this agreement (H4)."""

    TYPE = "contract.coverage_extended.v1"


class ExtendCoverage(Command, Derogation):
    """Record windows added to some days by agreement (H4). Days that have begun by then are not extended."""

    TYPE = "verbale.contract.extend_coverage.v1"


class ConnectedSystem(Value):
    """Un sistema collegato: one that the customer has to tell the supplier of (S1), by the name that requests use."""

    system: Identifier


class ConnectedSystemDeclared(Fact, ConnectedSystem):
    """The customer tells the supplier of a connected system (S1); it is disclosed from then until it is withdrawn."""

    TYPE = "contract.connected_system_declared.v1"


class DeclareConnectedSystem(Command, ConnectedSystem):
    """Record that the customer tells of a connected system, as of the instant of telling (S1)."""

    TYPE = "verbale.contract.declare_connected_system.v1"


class ConnectedSystemWithdrawn(Fact, ConnectedSystem):
    """A connected system is one no more, from then until it is declared again (S1)."""

    TYPE = "contract.connected_system_withdrawn.v1"


class WithdrawConnectedSystem(Command, ConnectedSystem):
    """Record that a system is connected no more (S1)."""

    TYPE = "verbale.contract.withdraw_connected_system.v1"


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


class Ending(Value):
    """The contract ends before its term."""

    effective: Instant
    why: Text


class ContractTerminated(Fact, Ending):
    """The contract is ended before its term."""

    TYPE = "contract.terminated.v1"


class TerminateContract(Command, Ending):
    """Record an early end; `effective` may not be before the termination itself."""

    TYPE = "verbale.contract.terminate.v1"


class PenaltyStep(Value):
    """What a party does about a maximum penalty, and on which computation it relies (P2)."""

    amount: Annotated[Euro, Field(gt=0)]
    reading: Identifier
    as_of: Instant
    known_on: Instant


class PenaltyClaimed(Fact, PenaltyStep):
    """The customer claims a penalty."""

    TYPE = "contract.penalty_claimed.v1"


class ClaimPenalty(Command, PenaltyStep):
    """Record a claim."""

    TYPE = "verbale.contract.claim_penalty.v1"


class PenaltyWaived(Fact, PenaltyStep):
    """The customer gives up (part of) a penalty."""

    TYPE = "contract.penalty_waived.v1"


class WaivePenalty(Command, PenaltyStep):
    """Record a waiver."""

    TYPE = "verbale.contract.waive_penalty.v1"


class PenaltySettled(Fact, PenaltyStep):
    """The supplier has paid (part of) a penalty."""

    TYPE = "contract.penalty_settled.v1"


class SettlePenalty(Command, PenaltyStep):
    """Record a payment."""

    TYPE = "verbale.contract.settle_penalty.v1"


ContractFact = (
    ContractSigned
    | ContractRenewed
    | OptionActivated
    | OptionEnded
    | ServiceLevelRevised
    | CalendarAdopted
    | CoverageExtended
    | ConnectedSystemDeclared
    | ConnectedSystemWithdrawn
    | MaintenanceVisitPerformed
    | OperationHoursWorked
    | ServiceReviewHeld
    | ContractTerminated
    | PenaltyClaimed
    | PenaltyWaived
    | PenaltySettled
    | RecordRectified
)


ConnectedSystemFact = ConnectedSystemDeclared | ConnectedSystemWithdrawn


OptionFact = OptionActivated | OptionEnded


WorkFact = MaintenanceVisitPerformed | OperationHoursWorked | ServiceReviewHeld
"""What was done under Conduzione and Manutenzione: no request is judged by it."""


ContractCommand = (
    SignContract
    | RenewContract
    | ActivateOption
    | EndOption
    | ReviseServiceLevel
    | AdoptCalendar
    | ExtendCoverage
    | DeclareConnectedSystem
    | WithdrawConnectedSystem
    | RecordVisit
    | RecordOperationHours
    | HoldReview
    | TerminateContract
    | ClaimPenalty
    | WaivePenalty
    | SettlePenalty
    | Rectify
)


def service_of(fact: OptionFact) -> Service:
    """Which service an option's activation or end is of."""
    return fact.option.service if isinstance(fact, OptionActivated) else fact.service
