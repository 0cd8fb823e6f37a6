"""Il contratto: signed, its options, its levels and calendars as they change, its end, and what became of penalties.

Clauses G1, A6, P2, H1. Read in this order: facts, state, commands, `decide`, `evolve`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Annotated, Self, TypeVar, assert_never

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
    | ContractTerminated
    | PenaltyClaimed
    | PenaltyWaived
    | PenaltySettled
    | RecordRectified
)
F = TypeVar("F", bound=Fact)

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

    def routes(self, customer: str, at: int) -> bool:
        """Whether requests of a customer key come under this contract at `at`."""
        return self.in_force(at) and self.signed is not None and customer in self.signed.customers


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


def routed(
    name: str | None,
    customer: str | None,
    at: int,
    called: Callable[[str], Contract],
    every: Callable[[], Iterable[Contract]],
) -> Contract | None:
    """The contract that a request opened at `at` comes under: the one it names, else the one its customer key leads to.

    A contract that is named and not signed is none. `called` gives a contract by name, `every` all of them.
    """
    if name is not None:
        named = called(name)
        return named if named.signed else None
    if customer is None:
        return None
    return next((contract for contract in every() if contract.routes(customer, at)), None)


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
