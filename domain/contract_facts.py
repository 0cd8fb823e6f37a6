"""What a contract can say: for each thing its content, the fact that records it, the command that asks for it.

Clauses G1, G2, A6, S1, H1, H2, H4. Work done (O1, M1) is in `work_facts.py`, steps about a penalty (P2) in
`penalty_facts.py`; what the facts mean together is in `contract.py`.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Self, assert_never
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from domain.calendar_rules import CalendarRules, Extension, Holiday, ServiceHours, Week, check_years
from domain.derogation import Derogation
from domain.facts import Command, Fact
from domain.penalty_facts import (
    ClaimPenalty,
    PenaltyClaimed,
    PenaltySettled,
    PenaltyWaived,
    SettlePenalty,
    WaivePenalty,
)
from domain.record_facts import RecordCommand, RecordFact
from domain.source_facts import AppointSource, DismissSource, SourceAppointed, SourceDismissed
from domain.terms import Levels, Option, Service, Terms
from domain.values import Identifier, Instant, Statement, Text, Value
from domain.work_facts import (
    HoldReview,
    MaintenanceVisitPerformed,
    OperationHoursWorked,
    RecordOperationHours,
    RecordVisit,
    ServiceReviewHeld,
)
from domain.zone_rules import RulesOfYears, ZoneRules, rules_of


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
    INSTEAD_OF_ANNULMENT = "rectify the signature, or terminate the contract"


class SignContract(Command, Agreement):
    """Record that the contract is signed."""

    TYPE = "verbale.contract.sign.v1"


class Renewal(Value):
    """The contract goes on until a later end (excluded).

    `revokes_termination`: terminations made before it, and not in effect yet, have no effect.
    """

    until: Instant
    revokes_termination: bool = False


class ContractRenewed(Fact, Renewal):
    """The contract is renewed.

    If it is dated after the end, the contract is not in force between the end and the renewal.
    """

    TYPE = "contract.renewed.v2"


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


class Deactivation(Statement):
    """A service is active no more from an instant on, until it is activated again (G1)."""

    service: Service
    effective: Instant


class OptionEnded(Fact, Deactivation):
    """A service ends before the contract does."""

    TYPE = "contract.option_ended.v2"


class EndOption(Command, Deactivation):
    """Record that a service is active no more; `effective` may not be before the ending itself (G1)."""

    TYPE = "verbale.contract.end_option.v1"


class Revision(Statement):
    """A new table of guaranteed times, for incidents opened from `effective` on (A6)."""

    levels: Levels
    effective: Instant


class ServiceLevelRevised(Fact, Revision):
    """The guaranteed times change from a date on."""

    TYPE = "contract.service_level_revised.v2"


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
    """The parties' working calendar is on record, day by day: calendars are evidence, and so are the clocks.

    `zone_rules`: the offsets of the contract's time zone for its years, as known then; None in what is older than them.
    """

    TYPE = "contract.calendar_adopted.v2"
    FIXED = frozenset({"zone_rules"})

    zone_rules: ZoneRules | None = None

    def with_rules_of(self, time_zone: str) -> Self:
        """The same with the rules of a time zone for its years, as the data of this program has them."""
        rules = rules_of(ZoneInfo(time_zone), self.first_year, self.last_year)
        return self.model_copy(update={"zone_rules": rules})

    @property
    def rules_of_years(self) -> RulesOfYears | None:
        """The rules that it records, with its years and its instant."""
        if self.zone_rules is None:
            return None
        return RulesOfYears(self.at, self.first_year, self.last_year, self.zone_rules)


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
    """Un sistema collegato: one that the customer has to declare (S1), by the name that requests use."""

    system: Identifier


class ConnectedSystemDeclared(Fact, ConnectedSystem):
    """The customer declares a connected system (S1); it is disclosed from then until it is withdrawn."""

    TYPE = "contract.connected_system_declared.v1"


class DeclareConnectedSystem(Command, ConnectedSystem):
    """Record that the customer declares a connected system, as of the instant of the declaration (S1)."""

    TYPE = "verbale.contract.declare_connected_system.v1"


class ConnectedSystemWithdrawn(Fact, ConnectedSystem):
    """A connected system is one no more, from then until it is declared again (S1)."""

    TYPE = "contract.connected_system_withdrawn.v1"


class WithdrawConnectedSystem(Command, ConnectedSystem):
    """Record that a system is connected no more (S1)."""

    TYPE = "verbale.contract.withdraw_connected_system.v1"


class Ending(Statement):
    """The contract ends before its term."""

    effective: Instant
    why: Text


class ContractTerminated(Fact, Ending):
    """The contract is ended before its term."""

    TYPE = "contract.terminated.v2"


class TerminateContract(Command, Ending):
    """Record an early end; `effective` may not be before the termination itself."""

    TYPE = "verbale.contract.terminate.v1"


RequestedFact = (
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
    | SourceAppointed
    | SourceDismissed
)


ContractFact = RequestedFact | RecordFact


ConnectedSystemFact = ConnectedSystemDeclared | ConnectedSystemWithdrawn


OptionFact = OptionActivated | OptionEnded


ContractRequest = (
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
    | AppointSource
    | DismissSource
)
"""A command that asks for one fact of the contract."""


ContractCommand = ContractRequest | RecordCommand


def requested(request: ContractRequest) -> RequestedFact:
    """The fact that a request asks to be recorded."""
    content = dict(request)
    match request:
        case SignContract():
            return ContractSigned(**content)
        case RenewContract():
            return ContractRenewed(**content)
        case ActivateOption():
            return OptionActivated(**content)
        case EndOption():
            return OptionEnded(**content)
        case ReviseServiceLevel():
            return ServiceLevelRevised(**content)
        case AdoptCalendar():
            return CalendarAdopted(**content)
        case ExtendCoverage():
            return CoverageExtended(**content)
        case DeclareConnectedSystem():
            return ConnectedSystemDeclared(**content)
        case WithdrawConnectedSystem():
            return ConnectedSystemWithdrawn(**content)
        case RecordVisit():
            return MaintenanceVisitPerformed(**content)
        case RecordOperationHours():
            return OperationHoursWorked(**content)
        case HoldReview():
            return ServiceReviewHeld(**content)
        case TerminateContract():
            return ContractTerminated(**content)
        case ClaimPenalty():
            return PenaltyClaimed(**content)
        case WaivePenalty():
            return PenaltyWaived(**content)
        case SettlePenalty():
            return PenaltySettled(**content)
        case AppointSource():
            return SourceAppointed(**content)
        case DismissSource():
            return SourceDismissed(**content)
        case _:
            assert_never(request)


def service_of(fact: OptionFact) -> Service:
    """The service that an option's activation or end is about."""
    return fact.option.service if isinstance(fact, OptionActivated) else fact.service
