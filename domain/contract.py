"""Il contratto: what its facts mean together, which commands it takes, and what each adds (G1, G2, A6, S1, H1, H4).

Read in this order: state, `decide`, `evolve`. The facts and commands are in `contract_facts.py`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from itertools import zip_longest
from typing import assert_never
from zoneinfo import ZoneInfo

from domain.adopted_calendars import Adopted
from domain.agreement import Speakers, agree
from domain.already_recorded import only_once, unless_recorded
from domain.backdating import refuse_out_of_time
from domain.calendar_rules import Extension, ServiceHours
from domain.contract_facts import (
    CalendarAdopted,
    ConnectedSystemDeclared,
    ConnectedSystemFact,
    ConnectedSystemWithdrawn,
    ContractCommand,
    ContractFact,
    ContractRenewed,
    ContractSigned,
    ContractTerminated,
    CoverageExtended,
    OptionActivated,
    OptionEnded,
    OptionFact,
    ServiceLevelRevised,
    SignContract,
    requested,
    service_of,
)
from domain.derogation import first_day_after
from domain.facts import Fact, NotYet, Rejected
from domain.in_force import end_of, in_force_intervals, reviving_nothing
from domain.interval import Interval
from domain.latest import latest
from domain.penalty_facts import PenaltyClaimed, PenaltySettled, PenaltyWaived
from domain.record_facts import Agree, Annul, RecordAgreed, RecordAnnulled, RecordRectified, Rectify
from domain.rectification import annul, as_rectified, rectify
from domain.source_facts import SourceAppointed, SourceDismissed, SourceFact
from domain.terms import Levels, Option, Service
from domain.values import moment
from domain.work_facts import MaintenanceVisitPerformed, OperationHoursWorked, ServiceReviewHeld
from domain.zone_rules import Zone, zone_by

# --- state ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OptionTerm(Interval):
    """The time for which an option is active under a contract in force, and what the option contains."""

    option: Option


@dataclass(frozen=True)
class Contract:
    """What the facts of one contract mean together. Its questions count only facts dated by the instant asked about."""

    id: str
    record: tuple[ContractFact, ...] = ()
    signed: ContractSigned | None = None
    renewals: tuple[ContractRenewed, ...] = ()
    options: tuple[OptionFact, ...] = ()
    revisions: tuple[ServiceLevelRevised, ...] = ()
    calendars: tuple[CalendarAdopted, ...] = ()
    extensions: tuple[CoverageExtended, ...] = ()
    systems: tuple[ConnectedSystemFact, ...] = ()
    visits: tuple[MaintenanceVisitPerformed, ...] = ()
    hours_worked: tuple[OperationHoursWorked, ...] = ()
    reviews: tuple[ServiceReviewHeld, ...] = ()
    terminations: tuple[ContractTerminated, ...] = ()
    claims: tuple[PenaltyClaimed, ...] = ()
    waivers: tuple[PenaltyWaived, ...] = ()
    settlements: tuple[PenaltySettled, ...] = ()
    sources: tuple[SourceFact, ...] = ()

    @cached_property
    def in_force_intervals(self) -> tuple[Interval, ...]:
        """When it is in force, in order."""
        return in_force_intervals(self.signed, self.renewals, self.terminations)

    @cached_property
    def speakers(self) -> Speakers:
        """The sources appointed to the parties, by all that is on record (R7)."""
        return Speakers.of((number, fact) for number, fact in enumerate(self.record) if isinstance(fact, SourceFact))

    @property
    def end(self) -> int | None:
        """The instant at which it stops being in force for good, or None."""
        return end_of(self.signed, self.renewals, self.terminations)

    @property
    def renewed_after_termination(self) -> tuple[ContractRenewed, ...]:
        """The renewals that revive nothing, because a termination had been made before (G2)."""
        return reviving_nothing(self.renewals, self.terminations)

    def signed_by(self, at: int) -> bool:
        """Whether it was signed at or before `at`."""
        return self.signed is not None and self.signed.at <= at

    def in_force(self, at: int) -> bool:
        """Whether it was signed by `at` and is in force then."""
        return self.signed_by(at) and any(interval.holds(at) for interval in self.in_force_intervals)

    def in_force_until(self, at: int) -> int | None:
        """When it stops being in force after `at`, an instant at which it is; None where it does not."""
        return next((interval.end for interval in self.in_force_intervals if interval.holds(at)), None)

    def active(self, service: Service, at: int) -> bool:
        """Whether a service is active at `at` (G1), by the facts dated by then."""
        return self.option(service, at) is not None

    def option(self, service: Service, at: int) -> Option | None:
        """What the option of a service contains at `at`, by the facts dated by then; or None (G1)."""
        dated_by_then = (fact for fact in self._options_of(service) if fact.at <= at and fact.effective <= at)
        ruling = latest(dated_by_then, _takes_effect)
        return ruling.option if isinstance(ruling, OptionActivated) else None

    def option_terms(self, service: Service) -> tuple[OptionTerm, ...]:
        """The options of a service, each with the time for which it is active, in order.

        They count from their effective date, even one before their own instant: what the parties agree for a time past
        is owed like the rest (O1, M1). A guarantee does not: `active` counts an option from its own instant on.
        """
        facts = sorted(self._options_of(service), key=_takes_effect)
        found = (
            (fact.option, Interval(fact.effective, until).clip(interval))
            for fact, until in zip_longest(facts, (following.effective for following in facts[1:]))
            if isinstance(fact, OptionActivated)
            for interval in self.in_force_intervals
        )
        return tuple(OptionTerm(term.start, term.end, option) for option, term in found if not term.empty)

    def _options_of(self, service: Service) -> list[OptionFact]:
        return [fact for fact in self.options if service_of(fact) is service]

    def levels(self, at: int) -> Levels:
        """The guaranteed times in force at `at` (A6): an incident keeps those of its opening.

        Raises ValueError where it is not signed.
        """
        if self.signed is None:
            raise ValueError(f"contract {self.id} is not signed: it has no levels")
        in_effect = (revision for revision in self.revisions if revision.at <= at and revision.effective <= at)
        ruling = latest(in_effect, _takes_effect)
        return ruling.levels if ruling else self.signed.terms.levels

    def adopted(self, hours: ServiceHours) -> tuple[Adopted, ...]:
        """Every calendar adopted, for one kind of hours, with the windows that agreements add to its days (H4)."""
        return tuple(Adopted(chosen.at, chosen.rules(hours, self._added(chosen, hours))) for chosen in self.calendars)

    def _added(self, chosen: CalendarAdopted, hours: ServiceHours) -> list[Extension]:
        return [extension.extension(day) for day, extension in self.extended_days(chosen, hours)]

    def extended_days(self, chosen: CalendarAdopted, hours: ServiceHours) -> Iterator[tuple[date, CoverageExtended]]:
        """The days of a calendar that an agreement made in time adds to, each with that agreement (H4)."""
        for extension in self.extensions:
            for day in self._reached(extension, chosen, hours, late=False):
                yield day, extension

    def agreed_too_late(self, hours: ServiceHours) -> tuple[date, ...]:
        """The days that an extension does not reach because it was agreed after they had begun (H4)."""
        late = {
            day
            for extension in self.extensions
            for chosen in self.calendars
            for day in self._reached(extension, chosen, hours, late=True)
        }
        return tuple(sorted(late))

    def _reached(
        self, extension: CoverageExtended, chosen: CalendarAdopted, hours: ServiceHours, *, late: bool
    ) -> list[date]:
        """The days of a calendar that an extension reaches: those that had begun when it was agreed, or the rest."""
        if not extension.concerns(hours):
            return []
        first = first_day_after(self.zone, extension.at)
        reached = extension.days({holiday.day for holiday in chosen.holidays}, chosen.first_year, chosen.last_year)
        return [day for day in reached if (day < first) is late]

    @cached_property
    def zone(self) -> Zone:
        """The time zone of its local days, by the rules that its calendars record (H1).

        Raises ValueError where it is not signed.
        """
        if self.signed is None:
            raise ValueError(f"contract {self.id} is not signed: it has no time zone")
        by_adoption = sorted(self.calendars, key=lambda calendar: calendar.at)
        recorded = [years for calendar in by_adoption if (years := calendar.rules_of_years) is not None]
        return zone_by(self.signed.terms.time_zone, recorded)

    def declared(self, system: str, at: int) -> bool:
        """Whether the customer had declared a connected system by `at`, and not withdrawn it (S1)."""
        ruling = latest(fact for fact in self.systems if fact.system == system and fact.at <= at)
        return isinstance(ruling, ConnectedSystemDeclared)

    @property
    def customers(self) -> frozenset[str]:
        """The customer keys whose requests come under it while it is in force."""
        return frozenset(self.signed.customers if self.signed else ())

    def routes(self, customer: str, at: int) -> bool:
        """Whether requests of a customer key come under this contract at `at`."""
        return self.in_force(at) and customer in self.customers

    def takes(self, system: str, at: int) -> bool:
        """Whether requests that name only a connected system may come under this contract at `at` (S1)."""
        return self.in_force(at) and self.declared(system, at)

    @property
    def systems_ever_declared(self) -> frozenset[str]:
        """Every connected system ever declared or withdrawn, whether or not it still is one."""
        return frozenset(fact.system for fact in self.systems)


def _takes_effect(fact: OptionFact | ServiceLevelRevised) -> tuple[int, int]:
    """What orders the facts that rule from an effective date on: that date, then the instant of the fact."""
    return fact.effective, fact.at


# --- decide -----------------------------------------------------------------------------------------------------


def decide(contract: Contract, command: ContractCommand) -> tuple[ContractFact, ...]:
    """What recording `command` adds; () where it is on record already.

    Raises Rejected for a second signature, for what is backdated and for what extends nothing, NotYet while the
    contract is not signed.
    """
    if isinstance(command, SignContract):
        signature = ContractSigned(**dict(command))
        return only_once(contract.record, signature, _subject, partial(_signed_otherwise, contract.id))
    signed = require_signed(contract)
    if isinstance(command, Rectify):
        return rectify(
            contract.record, command, lambda fact: refuse_out_of_time(contract.id, signed, contract.zone, fact)
        )
    if isinstance(command, Annul):
        return annul(contract.record, command)
    if isinstance(command, Agree):
        return agree(contract.record, command, of_contract=True)
    fact = requested(command)
    if isinstance(fact, CalendarAdopted):
        fact = fact.with_rules_of(signed.terms.time_zone)
    refuse_out_of_time(contract.id, signed, contract.zone, fact)
    if isinstance(fact, OperationHoursWorked):
        return only_once(contract.record, fact, _subject, _worked_otherwise)
    if isinstance(fact, SourceFact):
        return () if _speaks_so(contract.speakers, fact) else (fact,)
    return unless_recorded(contract.record, fact, _subject)


def _speaks_so(speakers: Speakers, fact: SourceFact) -> bool:
    """Whether the source speaks for that party already, or for none where it is dismissed (R7)."""
    return speakers.party_of(fact.source) is (fact.party if isinstance(fact, SourceAppointed) else None)


def require_signed(contract: Contract) -> ContractSigned:
    """The signature. Raises NotYet without one: all that is recorded on a contract or on its credits waits for it."""
    if contract.signed is None:
        raise NotYet(f"contract-{contract.id}", f"contract {contract.id} is not signed yet")
    return contract.signed


def _subject(fact: Fact) -> object:
    """What a fact is about: many systems, options and visits may be recorded of one instant."""
    match fact:
        case OperationHoursWorked():  # first, for there may be thousands
            return OperationHoursWorked, fact.work
        case ContractSigned():
            return ContractSigned
        case OptionActivated() | OptionEnded():
            return OptionFact, service_of(fact), fact.at
        case ConnectedSystemDeclared() | ConnectedSystemWithdrawn():
            return ConnectedSystemFact, fact.system, fact.at
        case CoverageExtended() | MaintenanceVisitPerformed() | ServiceReviewHeld():
            return fact  # each adds to the others
        case _:
            return type(fact), fact.at


def _signed_otherwise(contract_id: str, signed: ContractSigned) -> Rejected:
    day = moment(signed.at).astimezone(ZoneInfo(signed.terms.time_zone)).date()
    return Rejected("G1", "subject", f"contract {contract_id} was already signed on {day} otherwise: "
                    "rectify that fact, or give the new contract its own id")  # fmt: skip


def _worked_otherwise(entry: OperationHoursWorked) -> Rejected:
    return Rejected("O1", "work", f"work {entry.work} is already recorded otherwise: rectify it, or give this entry "
                    "its own name")  # fmt: skip


# --- evolve -----------------------------------------------------------------------------------------------------


def evolve(contract: Contract, fact: ContractFact) -> Contract:
    """The contract with one more fact on record, which may change what the others mean. Never guards: facts replay."""
    return fold(contract.id, (*contract.record, fact))


def fold(contract_id: str, facts: Iterable[ContractFact]) -> Contract:
    """The contract that its facts make, given in order of recording; as rectified, where any was."""
    record = tuple(facts)
    signed: ContractSigned | None = None
    renewals: list[ContractRenewed] = []
    options: list[OptionFact] = []
    revisions: list[ServiceLevelRevised] = []
    calendars: list[CalendarAdopted] = []
    extensions: list[CoverageExtended] = []
    systems: list[ConnectedSystemFact] = []
    visits: list[MaintenanceVisitPerformed] = []
    hours_worked: list[OperationHoursWorked] = []
    reviews: list[ServiceReviewHeld] = []
    terminations: list[ContractTerminated] = []
    claims: list[PenaltyClaimed] = []
    waivers: list[PenaltyWaived] = []
    settlements: list[PenaltySettled] = []
    sources: list[SourceFact] = []
    for fact in as_rectified(record):
        match fact:
            case OperationHoursWorked():  # first, for there may be thousands
                hours_worked.append(fact)
            case ContractSigned():
                signed = signed or fact
            case ContractRenewed():
                renewals.append(fact)
            case OptionActivated() | OptionEnded():
                options.append(fact)
            case ServiceLevelRevised():
                revisions.append(fact)
            case CalendarAdopted():
                calendars.append(fact)
            case CoverageExtended():
                extensions.append(fact)
            case ConnectedSystemDeclared() | ConnectedSystemWithdrawn():
                systems.append(fact)
            case MaintenanceVisitPerformed():
                visits.append(fact)
            case ServiceReviewHeld():
                reviews.append(fact)
            case ContractTerminated():
                terminations.append(fact)
            case PenaltyClaimed():
                claims.append(fact)
            case PenaltyWaived():
                waivers.append(fact)
            case PenaltySettled():
                settlements.append(fact)
            case SourceAppointed() | SourceDismissed():
                sources.append(fact)
            case RecordRectified() | RecordAnnulled() | RecordAgreed():
                pass  # `as_rectified` has applied them
            case _:
                assert_never(fact)
    return Contract(
        contract_id,
        record,
        signed,
        tuple(renewals),
        tuple(options),
        tuple(revisions),
        tuple(calendars),
        tuple(extensions),
        tuple(systems),
        tuple(visits),
        tuple(hours_worked),
        tuple(reviews),
        tuple(terminations),
        tuple(claims),
        tuple(waivers),
        tuple(settlements),
        tuple(sources),
    )
