"""Il contratto: signed, its options, levels, calendars and connected systems, its end, and what became of penalties.

Clauses G1, A6, P2, S1, H1. Read in this order: facts, state, commands, `decide`, `evolve`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from typing import Annotated, NamedTuple, Self, TypeVar, assert_never

from pydantic import Field, model_validator

from domain.facts import (
    Command,
    Euro,
    Fact,
    Identifier,
    Instant,
    NotYet,
    RecordRectified,
    Rectify,
    Rejected,
    Text,
    Value,
    already_told,
    corrected,
    moment,
    rectify,
    unless_told,
)
from domain.terms import Levels, Option, Service, Terms
from domain.working_time import CalendarRules, Holiday, ServiceHours, Week, check_years

# --- facts ------------------------------------------------------------------------------------------------------


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


class Activation(Value):
    """The option of one service is active from an instant on (G1)."""

    option: Option
    effective: Instant


class Revision(Value):
    """A new table of guaranteed times, for incidents opened from `effective` on (A6)."""

    levels: Levels
    effective: Instant


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

    def rules(self, hours: ServiceHours) -> CalendarRules:
        """The rules for one kind of service."""
        return CalendarRules(
            week=self.data_centre if hours is ServiceHours.DATA_CENTRE else self.standard,
            holidays=self.holidays,
            first_year=self.first_year,
            last_year=self.last_year,
        )


class ConnectedSystem(Value):
    """Un sistema collegato: one that the customer has to tell the supplier of (S1), by the name that requests use."""

    system: Identifier


class Ending(Value):
    """The contract ends before its term."""

    effective: Instant
    why: Text


class PenaltyStep(Value):
    """What a party does about a maximum penalty, and on which computation it relies (P2)."""

    amount: Annotated[Euro, Field(gt=0)]
    reading: Identifier
    as_of: Instant
    known_on: Instant


class ContractSigned(Fact, Agreement):
    """The contract is signed."""

    TYPE = "contract.signed.v1"


class OptionActivated(Fact, Activation):
    """A service is activated by its option."""

    TYPE = "contract.option_activated.v1"


class ServiceLevelRevised(Fact, Revision):
    """The guaranteed times change from a date on."""

    TYPE = "contract.service_level_revised.v1"


class CalendarAdopted(Fact, CalendarChosen):
    """The parties' working calendar is on record, day by day: calendars are evidence."""

    TYPE = "contract.calendar_adopted.v1"


class ConnectedSystemDeclared(Fact, ConnectedSystem):
    """The customer tells the supplier of a connected system (S1); it is disclosed from then until it is withdrawn."""

    TYPE = "contract.connected_system_declared.v1"


class ConnectedSystemWithdrawn(Fact, ConnectedSystem):
    """A connected system is one no more, from then until it is declared again (S1)."""

    TYPE = "contract.connected_system_withdrawn.v1"


class ContractTerminated(Fact, Ending):
    """The contract is ended before its term."""

    TYPE = "contract.terminated.v1"


class PenaltyClaimed(Fact, PenaltyStep):
    """The customer claims a penalty."""

    TYPE = "contract.penalty_claimed.v1"


class PenaltyWaived(Fact, PenaltyStep):
    """The customer gives up (part of) a penalty."""

    TYPE = "contract.penalty_waived.v1"


class PenaltySettled(Fact, PenaltyStep):
    """The supplier has paid (part of) a penalty."""

    TYPE = "contract.penalty_settled.v1"


ContractFact = (
    ContractSigned
    | OptionActivated
    | ServiceLevelRevised
    | CalendarAdopted
    | ConnectedSystemDeclared
    | ConnectedSystemWithdrawn
    | ContractTerminated
    | PenaltyClaimed
    | PenaltyWaived
    | PenaltySettled
    | RecordRectified
)
ConnectedSystemFact = ConnectedSystemDeclared | ConnectedSystemWithdrawn
F = TypeVar("F", bound=Fact)
S = TypeVar("S", ConnectedSystemDeclared, ConnectedSystemWithdrawn)

# --- state ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Contract:
    """What the facts of one contract say together. Its questions count only facts dated by the instant asked about."""

    id: str
    record: tuple[ContractFact, ...] = ()
    signed: ContractSigned | None = None
    activations: tuple[OptionActivated, ...] = ()
    revisions: tuple[ServiceLevelRevised, ...] = ()
    calendars: tuple[CalendarAdopted, ...] = ()
    systems: tuple[ConnectedSystemFact, ...] = ()
    terminations: tuple[ContractTerminated, ...] = ()
    claims: tuple[PenaltyClaimed, ...] = ()
    waivers: tuple[PenaltyWaived, ...] = ()
    settlements: tuple[PenaltySettled, ...] = ()

    @property
    def end(self) -> int | None:
        """The instant at which it stops being in force, or None."""
        until = self.signed.in_force_until if self.signed else None
        ends = [ending.effective for ending in self.terminations]
        return min([*ends, *([until] if until is not None else [])], default=None)

    def signed_by(self, at: int) -> bool:
        """Whether it was signed at or before `at`."""
        return self.signed is not None and self.signed.at <= at

    def in_force(self, at: int) -> bool:
        """Whether it was in force, by what had been told at `at`."""
        if self.signed is None or self.signed.at > at or at < self.signed.in_force_from:
            return False
        until = self.signed.in_force_until
        ended = any(ending.at <= at and ending.effective <= at for ending in self.terminations)
        return not ended and (until is None or at < until)

    def active(self, service: Service, at: int) -> bool:
        """Whether a service was activated (G1), by what had been told at `at`."""
        return any(a.option.service is service and a.at <= at and a.effective <= at for a in self.activations)

    def levels(self, at: int) -> Levels:
        """The guaranteed times in force at `at` (A6): an incident keeps those of its opening."""
        if self.signed is None:
            raise ValueError(f"contract {self.id} is not signed: it has no levels")
        due = [revision for revision in self.revisions if revision.at <= at and revision.effective <= at]
        # Sorting keeps the order of recording among equals: the last one rules.
        due.sort(key=lambda revision: (revision.effective, revision.at))
        return due[-1].levels if due else self.signed.terms.levels

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
    def systems_told(self) -> frozenset[str]:
        """Every connected system ever told of, whether or not it still is one."""
        return frozenset(fact.system for fact in self.systems)


# --- commands ---------------------------------------------------------------------------------------------------


class SignContract(Command, Agreement):
    """Record that the contract is signed."""

    TYPE = "verbale.contract.sign.v1"


class ActivateOption(Command, Activation):
    """Record that a service is activated."""

    TYPE = "verbale.contract.activate_option.v1"


class ReviseServiceLevel(Command, Revision):
    """Record new guaranteed times; `effective` may not be before the revision itself (A6)."""

    TYPE = "verbale.contract.revise_service_level.v1"


class AdoptCalendar(Command, CalendarChosen):
    """Record the working calendar of some years; the last adopted rules the days that follow."""

    TYPE = "verbale.contract.adopt_calendar.v1"


class DeclareConnectedSystem(Command, ConnectedSystem):
    """Record that the customer tells of a connected system, as of the instant of telling (S1)."""

    TYPE = "verbale.contract.declare_connected_system.v1"


class WithdrawConnectedSystem(Command, ConnectedSystem):
    """Record that a system is connected no more (S1)."""

    TYPE = "verbale.contract.withdraw_connected_system.v1"


class TerminateContract(Command, Ending):
    """Record an early end; `effective` may not be before the termination itself."""

    TYPE = "verbale.contract.terminate.v1"


class ClaimPenalty(Command, PenaltyStep):
    """Record a claim."""

    TYPE = "verbale.contract.claim_penalty.v1"


class WaivePenalty(Command, PenaltyStep):
    """Record a waiver."""

    TYPE = "verbale.contract.waive_penalty.v1"


class SettlePenalty(Command, PenaltyStep):
    """Record a payment."""

    TYPE = "verbale.contract.settle_penalty.v1"


ContractCommand = (
    SignContract
    | ActivateOption
    | ReviseServiceLevel
    | AdoptCalendar
    | DeclareConnectedSystem
    | WithdrawConnectedSystem
    | TerminateContract
    | ClaimPenalty
    | WaivePenalty
    | SettlePenalty
    | Rectify
)

# --- decide -----------------------------------------------------------------------------------------------------


def decide(contract: Contract, command: ContractCommand) -> tuple[ContractFact, ...]:
    """What recording `command` adds; () where it says what is already told.

    Raises Rejected for a second signature and for what is backdated, NotYet while the contract is not signed.
    """
    content = dict(command)
    if isinstance(command, SignContract):
        return _sign(contract, ContractSigned(**content))
    require_signed(contract)
    match command:
        case Rectify():
            return rectify(contract.record, command, _refuse_backdated)
        case ActivateOption():
            return unless_told(contract.record, OptionActivated(**content))
        case ReviseServiceLevel():
            return _in_time(contract, ServiceLevelRevised(**content))
        case AdoptCalendar():
            return unless_told(contract.record, CalendarAdopted(**content))
        case DeclareConnectedSystem():
            return _unless_told_of_it(contract, ConnectedSystemDeclared(**content))
        case WithdrawConnectedSystem():
            return _unless_told_of_it(contract, ConnectedSystemWithdrawn(**content))
        case TerminateContract():
            return _in_time(contract, ContractTerminated(**content))
        case ClaimPenalty():
            return unless_told(contract.record, PenaltyClaimed(**content))
        case WaivePenalty():
            return unless_told(contract.record, PenaltyWaived(**content))
        case SettlePenalty():
            return unless_told(contract.record, PenaltySettled(**content))
        case _:
            assert_never(command)


def require_signed(contract: Contract) -> None:
    """Raise NotYet while the contract is not signed: all that is recorded on it or on its credits waits for that."""
    if contract.signed is None:
        raise NotYet(f"contract-{contract.id}", f"contract {contract.id} is not signed yet")


class Unrouted(StrEnum):
    """Why a name that a request gives leads to no contract."""

    NOTHING_NAMED = "nothing_named"
    CONTRACT_UNSIGNED = "contract_unsigned"
    NO_SUCH_CUSTOMER = "no_such_customer"
    CUSTOMER_NOT_IN_FORCE = "customer_not_in_force"
    NO_SUCH_SYSTEM = "no_such_system"
    SYSTEM_NOT_DECLARED = "system_not_declared"
    SEVERAL_CONTRACTS = "several_contracts"


class Route(NamedTuple):
    """Where a request leads: to a contract, or to none, and why for each name it gives.

    `rivals`: the contracts that each declared its system, where more than one did.
    """

    contract: Contract | None
    why: tuple[Unrouted, ...] = ()
    rivals: tuple[str, ...] = ()


def routed(
    name: str | None,
    customer: str | None,
    system: str | None,
    at: int,
    called: Callable[[str], Contract],
    every: Callable[[], Iterable[Contract]],
) -> Route:
    """Where a request opened at `at` leads: to the contract it names, else by its customer key, else by its system.

    A contract that is named and not signed is none. A customer key leads to the contract in force that lists it (G1),
    an affected system to the only one in force that has declared it (S1): where several have, to none, for that would
    be a guess. `called` gives a contract by name; `every` all of them, or all that the customer or system is told of.
    """
    if name is not None:
        named = called(name)
        return Route(named) if named.signed else Route(None, (Unrouted.CONTRACT_UNSIGNED,))
    if customer is None and system is None:
        return Route(None, (Unrouted.NOTHING_NAMED,))
    contracts = {contract.id: contract for contract in every()}.values()
    by_customer = _by_customer(customer, at, contracts) if customer is not None else Route(None)
    if by_customer.contract or system is None:
        return by_customer
    by_system = _by_system(system, at, contracts)
    return by_system if by_system.contract else by_system._replace(why=by_customer.why + by_system.why)


def _by_customer(customer: str, at: int, contracts: Iterable[Contract]) -> Route:
    listing = [contract for contract in contracts if customer in contract.customers]
    if not listing:
        return Route(None, (Unrouted.NO_SUCH_CUSTOMER,))
    in_force = next((contract for contract in listing if contract.routes(customer, at)), None)
    return Route(in_force) if in_force else Route(None, (Unrouted.CUSTOMER_NOT_IN_FORCE,))


def _by_system(system: str, at: int, contracts: Iterable[Contract]) -> Route:
    telling = [contract for contract in contracts if system in contract.systems_told]
    if not telling:
        return Route(None, (Unrouted.NO_SUCH_SYSTEM,))
    found = [contract for contract in telling if contract.takes(system, at)]
    if len(found) > 1:
        return Route(None, (Unrouted.SEVERAL_CONTRACTS,), tuple(sorted(contract.id for contract in found)))
    return Route(found[0]) if found else Route(None, (Unrouted.SYSTEM_NOT_DECLARED,))


def _sign(contract: Contract, signed: ContractSigned) -> tuple[ContractSigned, ...]:
    if contract.signed is None:
        return (signed,)
    if signed in (contract.record[0], contract.signed):
        return ()
    raise Rejected(
        "G1", "subject", f"contract {contract.id} was already signed on {moment(contract.signed.at).date()} "
        "otherwise: rectify that fact, or give the new contract its own id"
    )  # fmt: skip


def refuse_shared_customers(contract: Contract, others: Iterable[Contract], field: str) -> None:
    """Raise Rejected where a customer key of `contract`, as it would be, is another contract's at some instant."""
    for other in others:
        if contract.signed is None or other.signed is None or other.id == contract.id:
            continue
        shared = sorted(set(contract.signed.customers) & set(other.signed.customers))
        ends_before = other.end is not None and other.end <= contract.signed.in_force_from
        begins_after = contract.end is not None and contract.end <= other.signed.in_force_from
        if shared and not (ends_before or begins_after):
            raise Rejected(
                "G1", field, f"customer {shared[0]} already comes under contract {other.id} in that time: "
                "a customer key belongs to one contract at an instant"
            )  # fmt: skip


def _unless_told_of_it(contract: Contract, fact: S) -> tuple[S, ...]:
    """The fact, or () where it is told already. Only of its own system: many may be declared at one instant."""

    def of_it(facts: Iterable[ContractFact]) -> Iterable[Fact]:
        return (told for told in facts if isinstance(told, ConnectedSystemFact) and told.system == fact.system)

    as_told, as_corrected = of_it(contract.record), of_it(contract.systems)
    return () if already_told(fact, as_told) or already_told(fact, as_corrected) else (fact,)


def _in_time(contract: Contract, fact: F) -> tuple[F, ...]:
    _refuse_backdated(fact)
    return unless_told(contract.record, fact)


def _refuse_backdated(fact: Fact) -> None:
    """Neither a revision of the levels (A6) nor a termination takes effect before it is made."""
    if isinstance(fact, ServiceLevelRevised | ContractTerminated) and fact.effective < fact.at:
        clause = "A6" if isinstance(fact, ServiceLevelRevised) else "G2"
        raise Rejected(
            clause, "effective", f"it cannot take effect before it is made: effective "
            f"{moment(fact.effective).isoformat()} is before {moment(fact.at).isoformat()}"
        )  # fmt: skip


# --- evolve -----------------------------------------------------------------------------------------------------


def evolve(contract: Contract, fact: ContractFact) -> Contract:
    """The contract with one more fact told. Never guards: what is on record always replays."""
    record = (*contract.record, fact)
    match fact:
        case ContractSigned():
            return replace(contract, record=record, signed=contract.signed or fact)
        case OptionActivated():
            return replace(contract, record=record, activations=(*contract.activations, fact))
        case ServiceLevelRevised():
            return replace(contract, record=record, revisions=(*contract.revisions, fact))
        case CalendarAdopted():
            return replace(contract, record=record, calendars=(*contract.calendars, fact))
        case ConnectedSystemDeclared() | ConnectedSystemWithdrawn():
            return replace(contract, record=record, systems=(*contract.systems, fact))
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
