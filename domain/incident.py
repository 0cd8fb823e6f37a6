"""L'incidente (richiesta, segnalazione): what happened to one request, as its producers told it (A1, A2, A4, A5).

Order of arrival never refuses a fact: only the opening must come first, and nothing is dated before it. Read: facts,
state, commands, `decide`, `evolve`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from domain.coverage import CoverageDecision, Requester
from domain.facts import Command, Fact, NotYet, Rejected
from domain.rectification import RecordRectified, Rectify, as_rectified, rectify, unless_recorded
from domain.terms import Clock, Impact, RequestKind, Urgency
from domain.values import Identifier, Responsibility, Statement, Text, Value, moment

# --- facts ------------------------------------------------------------------------------------------------------


class Assessment(Value):
    """Impact and urgency; the priority follows from the matrix of the terms (A2)."""

    impact: Impact
    urgency: Urgency


class Request(Assessment):
    """What the customer (or supplier, or a monitor) asked for, as declared when it came in (A1, A2).

    It names its contract, or the customer key by which the contracts route it, or neither. `system` is the connected
    system it affects, if any; `data_centre` says that data-centre hours apply (H2).
    """

    contract: Identifier | None = None
    customer: Identifier | None = None
    kind: RequestKind = RequestKind.INCIDENT
    requested_by: Requester = Requester.CUSTOMER
    data_centre: bool = False
    system: Identifier | None = None


class Suspension(Statement):
    """The clocks stop for a cause; one that is the supplier's own stops nothing (A4)."""

    cause: Responsibility


class Attribution(Statement):
    """To whom the lateness of one clock is due, and why (A4)."""

    party: Responsibility
    clock: Clock
    why: Text


class ClosingReason(StrEnum):
    """How a request ends: resolved, or void because it never was a case of its own."""

    RESOLVED = "resolved"
    DUPLICATE = "duplicate"
    WITHDRAWN = "withdrawn"

    @property
    def void(self) -> bool:
        """Whether the request counts as no case."""
        return self is not ClosingReason.RESOLVED


class Closing(Value):
    """Why the request is closed."""

    reason: ClosingReason = ClosingReason.RESOLVED


class IncidentOpened(Fact, Request):
    """The request comes in; both clocks start. `answer` keeps the coverage given then."""

    TYPE = "incident.opened.v1"
    FIXED = frozenset({"answer"})

    answer: CoverageDecision


class IncidentTakenInCharge(Fact):
    """Presa in carico: stops the charge clock (TPC)."""

    TYPE = "incident.taken_in_charge.v1"


class InterventionStarted(Fact):
    """Inizio dell'intervento: stops both clocks (TI is the time to the start of delivery, A5)."""

    TYPE = "incident.intervention_started.v1"


class ClockSuspended(Fact, Suspension):
    """The clocks are suspended, or go on being so for another cause."""

    TYPE = "incident.suspended.v1"


class ClockResumed(Fact):
    """Every suspension ends."""

    TYPE = "incident.resumed.v1"


class IncidentReassessed(Fact, Assessment):
    """Impact or urgency is judged anew; only a reading lets it count (A2)."""

    TYPE = "incident.reassessed.v1"


class ResponsibilityAttributed(Fact, Attribution):
    """The lateness of a clock is attributed; the last one recorded rules."""

    TYPE = "incident.responsibility_attributed.v1"


class IncidentResolved(Fact):
    """The request is resolved."""

    TYPE = "incident.resolved.v1"


class IncidentReopened(Fact):
    """The request is open again; no clock restarts."""

    TYPE = "incident.reopened.v1"


class IncidentClosed(Fact, Closing):
    """The request is closed."""

    TYPE = "incident.closed.v1"


IncidentFact = (
    IncidentOpened
    | IncidentTakenInCharge
    | InterventionStarted
    | ClockSuspended
    | ClockResumed
    | IncidentReassessed
    | ResponsibilityAttributed
    | IncidentResolved
    | IncidentReopened
    | IncidentClosed
    | RecordRectified
)
ENDINGS = (IncidentResolved, IncidentReopened, IncidentClosed)
"""The facts that say whether somebody still has to deal with a request."""

# --- state ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Incident:
    """What the facts of one incident say together."""

    id: str
    record: tuple[IncidentFact, ...] = ()
    opened: IncidentOpened | None = None
    charges: tuple[IncidentTakenInCharge, ...] = ()
    interventions: tuple[InterventionStarted, ...] = ()
    suspensions: tuple[ClockSuspended | ClockResumed, ...] = ()
    reassessments: tuple[IncidentReassessed, ...] = ()
    attributions: tuple[ResponsibilityAttributed, ...] = ()
    endings: tuple[IncidentResolved | IncidentReopened | IncidentClosed, ...] = ()

    @property
    def open(self) -> bool:
        """Whether somebody still has to deal with it: opened, and not resolved or closed since."""
        last = max(self.endings, key=lambda ending: ending.at, default=None)
        for ending in self.endings:
            if last is not None and ending.at == last.at:
                last = ending
        return self.opened is not None and (last is None or isinstance(last, IncidentReopened))


# --- commands ---------------------------------------------------------------------------------------------------


class OpenIncident(Command, Request):
    """Record an incoming request. Opening never waits for a contract or for credits."""

    TYPE = "verbale.incident.open.v1"


class TakeInCharge(Command):
    """Record the taking in charge."""

    TYPE = "verbale.incident.take_in_charge.v1"


class StartIntervention(Command):
    """Record the start of the intervention."""

    TYPE = "verbale.incident.start_intervention.v1"


class Suspend(Command, Suspension):
    """Record that the clocks are suspended, and by what cause."""

    TYPE = "verbale.incident.suspend.v1"


class Resume(Command):
    """Record that no suspension lasts."""

    TYPE = "verbale.incident.resume.v1"


class Reassess(Command, Assessment):
    """Record a new impact or urgency."""

    TYPE = "verbale.incident.reassess.v1"


class AttributeResponsibility(Command, Attribution):
    """Record to whom the lateness of a clock is due."""

    TYPE = "verbale.incident.attribute_responsibility.v1"


class Resolve(Command):
    """Record the resolution."""

    TYPE = "verbale.incident.resolve.v1"


class Reopen(Command):
    """Record that it is open again."""

    TYPE = "verbale.incident.reopen.v1"


class Close(Command, Closing):
    """Record the closing."""

    TYPE = "verbale.incident.close.v1"


IncidentCommand = (
    OpenIncident
    | TakeInCharge
    | StartIntervention
    | Suspend
    | Resume
    | Reassess
    | AttributeResponsibility
    | Resolve
    | Reopen
    | Close
    | Rectify
)

# --- decide -----------------------------------------------------------------------------------------------------


def decide(
    incident: Incident, command: IncidentCommand, answer: CoverageDecision | None = None
) -> tuple[IncidentFact, ...]:
    """What recording `command` adds; () where it says what is already told.

    `answer` is the coverage at the opening, which `cover` gave; only an OpenIncident needs it. Raises Rejected for a
    second opening and for a fact dated before the opening, NotYet for anything else that comes before the opening.
    """
    content = dict(iter(command))  # dict(command) would ask pydantic for keys first, which is slow
    if isinstance(command, OpenIncident):
        if answer is None:
            raise ValueError("an opening is decided with its coverage")
        return _open(incident, IncidentOpened(**content, answer=answer))
    if incident.opened is None:
        raise NotYet(f"incident-{incident.id}", f"incident {incident.id} is not opened yet")
    if command.at < incident.opened.at:
        raise Rejected("R3", "time", f"{moment(command.at).isoformat()} is before the incident was opened, "
                       f"{moment(incident.opened.at).isoformat()}: correct it, or rectify the opening")  # fmt: skip
    record = incident.record
    match command:
        case Rectify():
            return rectify(record, command, lambda fact: _refuse_before_opening(incident, command, fact))
        case TakeInCharge():
            return unless_recorded(record, IncidentTakenInCharge(**content))
        case StartIntervention():
            return unless_recorded(record, InterventionStarted(**content))
        case Suspend():
            return unless_recorded(record, ClockSuspended(**content), ClockSuspended, ClockResumed)
        case Resume():
            return unless_recorded(record, ClockResumed(**content), ClockSuspended, ClockResumed)
        case Reassess():
            return unless_recorded(record, IncidentReassessed(**content))
        case AttributeResponsibility():
            return _attribute(incident, ResponsibilityAttributed(**content))
        case Resolve():
            return unless_recorded(record, IncidentResolved(**content), *ENDINGS)
        case Reopen():
            return unless_recorded(record, IncidentReopened(**content), *ENDINGS)
        case Close():
            return unless_recorded(record, IncidentClosed(**content), *ENDINGS)
        case _:
            assert_never(command)


def _refuse_before_opening(incident: Incident, command: Rectify, fact: Fact) -> None:
    moved = command.field == "at" and not isinstance(fact, IncidentOpened)
    if moved and incident.opened is not None and fact.at < incident.opened.at:
        raise Rejected("R3", "value", "a fact cannot be dated before the opening, "
                       f"{moment(incident.opened.at).isoformat()}")  # fmt: skip


def _open(incident: Incident, opening: IncidentOpened) -> tuple[IncidentOpened, ...]:
    first = incident.opened
    if first is None:
        return (opening,)
    if _request(opening) in (_request(incident.record[0]), _request(first)):
        return ()
    raise Rejected("R4", "subject", f"incident {incident.id} was already opened otherwise, at "
                   f"{moment(first.at).isoformat()}: rectify that fact, or give this request its own id")  # fmt: skip


def _request(opening: Fact) -> dict[str, object]:
    """What was asked for, without the answer given to it."""
    return {name: value for name, value in opening if name != "answer"}


def _attribute(incident: Incident, attribution: ResponsibilityAttributed) -> tuple[IncidentFact, ...]:
    as_told = [fact for fact in incident.record if isinstance(fact, ResponsibilityAttributed)]
    for attributions in (as_told, incident.attributions):
        of_clock = [earlier for earlier in attributions if earlier.clock is attribution.clock]
        if of_clock and of_clock[-1] == attribution:
            return ()
    return (attribution,)


# --- evolve -----------------------------------------------------------------------------------------------------


def evolve(incident: Incident, fact: IncidentFact) -> Incident:
    """The incident with one more fact told. Never guards: what is on record always replays."""
    return fold(incident.id, (*incident.record, fact))


def fold(incident_id: str, facts: Iterable[IncidentFact]) -> Incident:
    """The incident as its facts, in the order given, tell it; as rectified, where any was."""
    record = tuple(facts)
    opened: IncidentOpened | None = None
    charges: list[IncidentTakenInCharge] = []
    interventions: list[InterventionStarted] = []
    suspensions: list[ClockSuspended | ClockResumed] = []
    reassessments: list[IncidentReassessed] = []
    attributions: list[ResponsibilityAttributed] = []
    endings: list[IncidentResolved | IncidentReopened | IncidentClosed] = []
    for fact in as_rectified(record):
        match fact:
            case IncidentOpened():
                opened = opened or fact
            case IncidentTakenInCharge():
                charges.append(fact)
            case InterventionStarted():
                interventions.append(fact)
            case ClockSuspended() | ClockResumed():
                suspensions.append(fact)
            case IncidentReassessed():
                reassessments.append(fact)
            case ResponsibilityAttributed():
                attributions.append(fact)
            case IncidentResolved() | IncidentReopened() | IncidentClosed():
                endings.append(fact)
            case RecordRectified():
                pass  # what it corrected is told as corrected
            case _:
                assert_never(fact)
    return Incident(
        incident_id,
        record,
        opened,
        tuple(charges),
        tuple(interventions),
        tuple(suspensions),
        tuple(reassessments),
        tuple(attributions),
        tuple(endings),
    )
