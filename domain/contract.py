"""Il contratto: what its facts say together, which commands it takes, and what each adds (G1, G2, A6, S1, H1, H4).

Read in this order: state, `decide`, `evolve`. The facts and commands are in `contract_facts.py`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, reduce
from itertools import zip_longest
from typing import NamedTuple, TypeVar, assert_never
from zoneinfo import ZoneInfo

from domain.calendar_rules import Extension, ServiceHours
from domain.contract_facts import (
    ActivateOption,
    AdoptCalendar,
    CalendarAdopted,
    ClaimPenalty,
    ConnectedSystemDeclared,
    ConnectedSystemFact,
    ConnectedSystemWithdrawn,
    ContractCommand,
    ContractFact,
    ContractRenewed,
    ContractSigned,
    ContractTerminated,
    CoverageExtended,
    DeclareConnectedSystem,
    EndOption,
    ExtendCoverage,
    HoldReview,
    MaintenanceVisitPerformed,
    OperationHoursWorked,
    OptionActivated,
    OptionEnded,
    OptionFact,
    PenaltyClaimed,
    PenaltySettled,
    PenaltyWaived,
    RecordOperationHours,
    RecordVisit,
    RenewContract,
    ReviseServiceLevel,
    ServiceLevelRevised,
    ServiceReviewHeld,
    SettlePenalty,
    SignContract,
    TerminateContract,
    WaivePenalty,
    WithdrawConnectedSystem,
    service_of,
)
from domain.derogation import first_day_after
from domain.facts import Fact, NotYet, Rejected
from domain.rectification import RecordRectified, Rectify, already_recorded, as_rectified, corrected, rectify
from domain.terms import Levels, Option, Service
from domain.values import moment
from domain.working_time import Adopted

F = TypeVar("F", bound=Fact)


class Interval(NamedTuple):
    """A time in which the contract is in force: half-open, in microseconds UTC; `end` is None where it has none."""

    start: int
    end: int | None

    def holds(self, instant: int) -> bool:
        """Whether an instant is in it."""
        return self.start <= instant and (self.end is None or instant < self.end)

    def meets(self, other: "Interval") -> bool:
        """Whether the two have an instant in common."""
        return (other.end is None or self.start < other.end) and (self.end is None or other.start < self.end)


class OptionTerm(NamedTuple):
    """What an option contains, and when it is active under a contract in force; `end` as in an Interval."""

    option: Option
    start: int
    end: int | None


@dataclass(frozen=True)
class Contract:
    """What the facts of one contract say together. Its questions count only facts dated by the instant asked about."""

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

    @cached_property
    def spells(self) -> tuple[Interval, ...]:
        """When it is in force, in order. A renewal told after the end begins another spell; a termination ends all.

        Of renewals the latest end rules, in whatever order they are told.
        """
        if self.signed is None:
            return ()
        start, end = self.signed.in_force_from, self.signed.in_force_until
        found: list[Interval] = []
        for renewal in sorted(self.renewals, key=lambda renewal: renewal.at):
            if end is None:
                break
            if renewal.at > end:
                found.append(Interval(start, end))
                start, end = renewal.at, renewal.until
            else:
                end = max(end, renewal.until)
        clipped = (Interval(one.start, _earlier(one.end, self.terminated_at)) for one in (*found, Interval(start, end)))
        return tuple(spell for spell in clipped if spell.end is None or spell.start < spell.end)

    @property
    def end(self) -> int | None:
        """The instant at which it stops being in force for good, or None."""
        until = self.signed.in_force_until if self.signed else None
        if until is not None:
            until = max([until, *(renewal.until for renewal in self.renewals)])
        return _earlier(until, self.terminated_at)

    @property
    def terminated_at(self) -> int | None:
        """The instant at which a termination ends it, whatever was renewed, or None."""
        # A reading that leaves a rectification out may date a termination after its own effect: it ends nothing before.
        return min((max(ending.at, ending.effective) for ending in self.terminations), default=None)

    def signed_by(self, at: int) -> bool:
        """Whether it was signed at or before `at`."""
        return self.signed is not None and self.signed.at <= at

    def in_force(self, at: int) -> bool:
        """Whether it was in force, by what had been told at `at`."""
        return self.signed_by(at) and any(spell.holds(at) for spell in self.spells)

    def in_force_until(self, at: int) -> int | None:
        """When it stops being in force after `at`, an instant at which it is; None where it does not."""
        return next((spell.end for spell in self.spells if spell.holds(at)), None)

    def active(self, service: Service, at: int) -> bool:
        """Whether a service was activated (G1), by what had been told at `at`."""
        return self.option(service, at) is not None

    def option(self, service: Service, at: int) -> Option | None:
        """What the option of a service contained, by what had been told at `at`; None where it was not active (G1)."""
        told = [fact for fact in self._options_of(service) if fact.at <= at and fact.effective <= at]
        return told[-1].option if told and isinstance(told[-1], OptionActivated) else None

    def option_terms(self, service: Service) -> tuple[OptionTerm, ...]:
        """The options of a service, each with the time for which it is active, in order.

        They count from their effective date, be it before they were told: what the parties agree for a time past is
        owed like the rest (O1, M1). Not so a guarantee, which `active` gives from when it was told.
        """
        told = self._options_of(service)
        found = (
            OptionTerm(fact.option, max(spell.start, fact.effective), _earlier(spell.end, following))
            for fact, following in zip_longest(told, (later.effective for later in told[1:]))
            if isinstance(fact, OptionActivated)
            for spell in self.spells
        )
        return tuple(term for term in found if term.end is None or term.start < term.end)

    def _options_of(self, service: Service) -> list[OptionFact]:
        of_it = [fact for fact in self.options if service_of(fact) is service]
        # Sorting keeps the order of recording among equals: the last one rules.
        return sorted(of_it, key=lambda fact: (fact.effective, fact.at))

    def levels(self, at: int) -> Levels:
        """The guaranteed times in force at `at` (A6): an incident keeps those of its opening."""
        if self.signed is None:
            raise ValueError(f"contract {self.id} is not signed: it has no levels")
        due = [revision for revision in self.revisions if revision.at <= at and revision.effective <= at]
        # Sorting keeps the order of recording among equals: the last one rules.
        due.sort(key=lambda revision: (revision.effective, revision.at))
        return due[-1].levels if due else self.signed.terms.levels

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
        """The days that an agreement would have added to, had it been made before they began: it does not (H4)."""
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
        """The days of a calendar that an extension reaches: those begun when it was agreed, or the rest."""
        if not extension.concerns(hours):
            return []
        first = first_day_after(self.zone, extension.at)
        reached = extension.days({holiday.day for holiday in chosen.holidays}, chosen.first_year, chosen.last_year)
        return [day for day in reached if (day < first) is late]

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of its local days. Raises ValueError where it is not signed."""
        if self.signed is None:
            raise ValueError(f"contract {self.id} is not signed: it has no time zone")
        return ZoneInfo(self.signed.terms.time_zone)

    def declared(self, system: str, at: int) -> bool:
        """Whether the customer had told of a connected system by `at`, and not withdrawn it (S1)."""
        told = [fact for fact in self.systems if fact.system == system and fact.at <= at]
        # Sorting keeps the order of recording among equals: the last one rules.
        told.sort(key=lambda fact: fact.at)
        return bool(told) and isinstance(told[-1], ConnectedSystemDeclared)

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
        """Every connected system ever told of, whether or not it still is one."""
        return frozenset(fact.system for fact in self.systems)


def _earlier(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def decide(contract: Contract, command: ContractCommand) -> tuple[ContractFact, ...]:
    """What recording `command` adds; () where it says what is already told.

    Raises Rejected for a second signature, for what is backdated and for what extends nothing, NotYet while the
    contract is not signed.
    """
    content = dict(command)
    if isinstance(command, SignContract):
        return _sign(contract, ContractSigned(**content))
    require_signed(contract)
    match command:
        case Rectify():
            return rectify(contract.record, command, lambda fact: _refuse_out_of_time(contract, fact))
        case RenewContract():
            return _in_time(contract, ContractRenewed(**content))
        case ActivateOption():
            return _unless_recorded(contract, OptionActivated(**content))
        case EndOption():
            return _in_time(contract, OptionEnded(**content))
        case ReviseServiceLevel():
            return _in_time(contract, ServiceLevelRevised(**content))
        case AdoptCalendar():
            return _unless_recorded(contract, CalendarAdopted(**content))
        case ExtendCoverage():
            return _in_time(contract, CoverageExtended(**content))
        case DeclareConnectedSystem():
            return _unless_recorded(contract, ConnectedSystemDeclared(**content))
        case WithdrawConnectedSystem():
            return _unless_recorded(contract, ConnectedSystemWithdrawn(**content))
        case RecordVisit():
            return _unless_recorded(contract, MaintenanceVisitPerformed(**content))
        case RecordOperationHours():
            return _work(contract, OperationHoursWorked(**content))
        case HoldReview():
            return _unless_recorded(contract, ServiceReviewHeld(**content))
        case TerminateContract():
            return _in_time(contract, ContractTerminated(**content))
        case ClaimPenalty():
            return _unless_recorded(contract, PenaltyClaimed(**content))
        case WaivePenalty():
            return _unless_recorded(contract, PenaltyWaived(**content))
        case SettlePenalty():
            return _unless_recorded(contract, PenaltySettled(**content))
        case _:
            assert_never(command)


def require_signed(contract: Contract) -> None:
    """Raise NotYet while the contract is not signed: all that is recorded on it or on its credits waits for that."""
    if contract.signed is None:
        raise NotYet(f"contract-{contract.id}", f"contract {contract.id} is not signed yet")


def _sign(contract: Contract, signed: ContractSigned) -> tuple[ContractSigned, ...]:
    if contract.signed is None:
        return (signed,)
    if signed in (contract.record[0], contract.signed):
        return ()
    raise Rejected(
        "G1", "subject", f"contract {contract.id} was already signed on {moment(contract.signed.at).date()} "
        "otherwise: rectify that fact, or give the new contract its own id"
    )  # fmt: skip


def _unless_recorded(contract: Contract, fact: F) -> tuple[F, ...]:
    """The fact, or () where it is told already, as first told or as rectified since.

    It is compared with what speaks of the same thing: many systems, options and visits may be told of one instant.
    """
    about = _about(fact)
    for replay in (contract.record, as_rectified(contract.record)):
        if already_recorded(fact, (told for told in replay if _about(told) == about)):
            return ()
    return (fact,)


def _about(fact: Fact) -> object:
    """What a fact speaks of: of two facts of one instant about the same thing, the last one told rules."""
    match fact:
        case OptionActivated() | OptionEnded():
            return OptionFact, service_of(fact)
        case ConnectedSystemDeclared() | ConnectedSystemWithdrawn():
            return ConnectedSystemFact, fact.system
        case CoverageExtended() | MaintenanceVisitPerformed() | ServiceReviewHeld():
            return fact  # each adds to the others
        case _:
            return type(fact)


def _work(contract: Contract, fact: OperationHoursWorked) -> tuple[OperationHoursWorked, ...]:
    """The entry, or () where it is told already. Its name stands for one entry: so two alike are two."""
    named = [
        told
        for replay in (contract.record, contract.hours_worked)
        for told in replay
        if isinstance(told, OperationHoursWorked) and told.work == fact.work
    ]
    if named and fact not in named:
        raise Rejected("O1", "work", f"work {fact.work} is already recorded otherwise: rectify it, or give this entry "
                       "its own name")  # fmt: skip
    return () if named else (fact,)


def _in_time(contract: Contract, fact: F) -> tuple[F, ...]:
    _refuse_out_of_time(contract, fact)
    return _unless_recorded(contract, fact)


def _refuse_out_of_time(contract: Contract, fact: Fact) -> None:
    """Raise Rejected for what cannot be agreed for a time past, or that extends nothing.

    Neither a revision of the levels (A6), nor the end of an option (G1) or of the contract (G2), takes effect before it
    is made; a renewal ends after its own instant and after the end that was signed (G2); an agreement on hours reaches
    some day that has not begun (H4).
    """
    match fact:
        case ServiceLevelRevised():
            _refuse_backdated("A6", fact)
        case OptionEnded():
            _refuse_backdated("G1", fact)
        case ContractTerminated():
            _refuse_backdated("G2", fact)
        case ContractRenewed():
            _refuse_no_later_end(contract, fact)
        case CoverageExtended() if not fact.reaches_any_from(first_day_after(contract.zone, fact.at)):
            field = "dates" if fact.last_day is None else "last_day"
            raise Rejected("H4", field, "an extension is agreed before the day: every day that this one reaches had "
                           f"begun on {moment(fact.at).astimezone(contract.zone).isoformat()}")  # fmt: skip


def _refuse_backdated(clause: str, fact: ServiceLevelRevised | OptionEnded | ContractTerminated) -> None:
    if fact.effective < fact.at:
        raise Rejected(
            clause, "effective", f"it cannot take effect before it is made: effective "
            f"{moment(fact.effective).isoformat()} is before {moment(fact.at).isoformat()}"
        )  # fmt: skip


def _refuse_no_later_end(contract: Contract, fact: ContractRenewed) -> None:
    until = contract.signed.in_force_until if contract.signed else None
    if until is None:
        raise Rejected("G2", "until", f"contract {contract.id} was signed without an end: there is none to renew")
    if fact.until <= (than := max(until, fact.at)):
        raise Rejected(
            "G2", "until", f"a renewal ends later than the contract did, and than its own instant: "
            f"{moment(fact.until).isoformat()} is not after {moment(than).isoformat()}"
        )  # fmt: skip


def evolve(contract: Contract, fact: ContractFact) -> Contract:
    """The contract with one more fact told. Never guards: what is on record always replays."""
    record = (*contract.record, fact)
    match fact:
        case ContractSigned():
            return replace(contract, record=record, signed=contract.signed or fact)
        case ContractRenewed():
            return replace(contract, record=record, renewals=(*contract.renewals, fact))
        case OptionActivated() | OptionEnded():
            return replace(contract, record=record, options=(*contract.options, fact))
        case ServiceLevelRevised():
            return replace(contract, record=record, revisions=(*contract.revisions, fact))
        case CalendarAdopted():
            return replace(contract, record=record, calendars=(*contract.calendars, fact))
        case CoverageExtended():
            return replace(contract, record=record, extensions=(*contract.extensions, fact))
        case ConnectedSystemDeclared() | ConnectedSystemWithdrawn():
            return replace(contract, record=record, systems=(*contract.systems, fact))
        case MaintenanceVisitPerformed():
            return replace(contract, record=record, visits=(*contract.visits, fact))
        case OperationHoursWorked():
            return replace(contract, record=record, hours_worked=(*contract.hours_worked, fact))
        case ServiceReviewHeld():
            return replace(contract, record=record, reviews=(*contract.reviews, fact))
        case ContractTerminated():
            return replace(contract, record=record, terminations=(*contract.terminations, fact))
        case PenaltyClaimed():
            return replace(contract, record=record, claims=(*contract.claims, fact))
        case PenaltyWaived():
            return replace(contract, record=record, waivers=(*contract.waivers, fact))
        case PenaltySettled():
            return replace(contract, record=record, settlements=(*contract.settlements, fact))
        case RecordRectified():
            afresh = fold(contract.id, (right.fact for right in corrected(enumerate(record, 1))))
            return replace(afresh, record=record)
        case _:
            assert_never(fact)


def fold(contract_id: str, facts: Iterable[ContractFact]) -> Contract:
    """The contract as its facts, in the order given, tell it."""
    return reduce(evolve, facts, Contract(contract_id))
