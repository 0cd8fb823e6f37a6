"""L'incidente (richiesta, segnalazione): what happened to one request, as its producers recorded it (A1, A2, A4, A5).

Order of arrival never refuses a fact: only the opening must come first, and nothing is dated before it. Read: state,
`decide`, `evolve`. The facts and commands are in `incident_facts.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import assert_never

from domain.agreement import agree
from domain.already_recorded import only_once, unless_recorded
from domain.coverage import CoverageDecision
from domain.facts import Fact, NotYet, Rejected
from domain.incident_facts import (
    AttributeResponsibility,
    ClockResumed,
    ClockSuspended,
    Close,
    EndingFact,
    IncidentClosed,
    IncidentCommand,
    IncidentFact,
    IncidentOpened,
    IncidentReassessed,
    IncidentReopened,
    IncidentResolved,
    IncidentTakenInCharge,
    InterventionStarted,
    OpenIncident,
    Reassess,
    Reopen,
    Resolve,
    ResponsibilityAttributed,
    Resume,
    StartIntervention,
    Suspend,
    SuspensionFact,
    TakeInCharge,
)
from domain.interval import Interval
from domain.latest import latest
from domain.record_facts import Agree, Annul, RecordAgreed, RecordAnnulled, RecordRectified, Rectify
from domain.rectification import annul, as_rectified, rectify
from domain.values import moment

# --- state ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Incident:
    """What the facts of one incident mean together."""

    id: str
    record: tuple[IncidentFact, ...] = ()
    opened: IncidentOpened | None = None
    charges: tuple[IncidentTakenInCharge, ...] = ()
    interventions: tuple[InterventionStarted, ...] = ()
    suspensions: tuple[SuspensionFact, ...] = ()
    reassessments: tuple[IncidentReassessed, ...] = ()
    attributions: tuple[ResponsibilityAttributed, ...] = ()
    endings: tuple[EndingFact, ...] = ()

    @property
    def open(self) -> bool:
        """Whether somebody still has to deal with it: opened, and not resolved or closed since."""
        last = latest(self.endings)
        return self.opened is not None and (last is None or isinstance(last, IncidentReopened))

    @property
    def void_closings(self) -> tuple[IncidentClosed, ...]:
        """The void closings that stand: a reopening undoes those before it."""
        standing: list[IncidentClosed] = []
        for fact in self.endings:
            match fact:
                case IncidentReopened():
                    standing.clear()
                case IncidentClosed() if fact.reason.void:
                    standing.append(fact)
        return tuple(standing)

    @property
    def withdrawn_intervals(self) -> tuple[Interval, ...]:
        """The times for which it was void by the customer's word, until it was reopened: nobody had to work on it."""
        found: list[Interval] = []
        since: int | None = None
        for fact in self.endings:
            match fact:
                case IncidentReopened() if since is not None:
                    found.append(Interval(since, fact.at))
                    since = None
                case IncidentClosed() if fact.void_for_both and since is None:
                    since = fact.at
        return tuple(interval for interval in found if not interval.empty)


# --- decide -----------------------------------------------------------------------------------------------------


def decide(
    incident: Incident, command: IncidentCommand, decision: CoverageDecision | None = None
) -> tuple[IncidentFact, ...]:
    """What recording `command` adds; () where it is on record already.

    `decision` is the coverage at the opening, which `cover` gave; only an OpenIncident needs it. Raises Rejected for a
    second opening and for a fact dated before the opening, NotYet for anything else that comes before the opening.
    """
    content = dict(iter(command))  # dict(command) would ask pydantic for keys first, which is slow
    record = incident.record
    if isinstance(command, OpenIncident):
        if decision is None:
            raise ValueError("an opening is decided with its coverage")
        opening = IncidentOpened(**content, answer=decision)
        return only_once(record, opening, _subject, partial(_opened_otherwise, incident.id))
    if incident.opened is None:
        raise NotYet(f"incident-{incident.id}", f"incident {incident.id} is not opened yet")
    if command.at < incident.opened.at:
        raise Rejected("R3", "time", f"{moment(command.at).isoformat()} is before the incident was opened, "
                       f"{moment(incident.opened.at).isoformat()}: correct it, or rectify the opening")  # fmt: skip
    match command:
        case Rectify():
            return rectify(record, command, partial(_refuse_before_opening, incident.opened, command.field))
        case Annul():
            return annul(record, command)
        case Agree():
            return agree(record, command, of_contract=False)
        case TakeInCharge():
            return unless_recorded(record, IncidentTakenInCharge(**content), _subject)
        case StartIntervention():
            return unless_recorded(record, InterventionStarted(**content), _subject)
        case Suspend():
            return unless_recorded(record, ClockSuspended(**content), _subject)
        case Resume():
            return unless_recorded(record, ClockResumed(**content), _subject)
        case Reassess():
            return unless_recorded(record, IncidentReassessed(**content), _subject)
        case AttributeResponsibility():
            return unless_recorded(record, ResponsibilityAttributed(**content), _subject)
        case Resolve():
            return unless_recorded(record, IncidentResolved(**content), _subject)
        case Reopen():
            return unless_recorded(record, IncidentReopened(**content), _subject)
        case Close():
            return unless_recorded(record, IncidentClosed(**content), _subject)
        case _:
            assert_never(command)


def _subject(fact: Fact) -> object:
    """What a fact is about: of two facts about one subject the last recorded rules."""
    match fact:
        case IncidentOpened():
            return IncidentOpened
        case ClockSuspended() | ClockResumed():
            return SuspensionFact, fact.at
        case IncidentResolved() | IncidentReopened() | IncidentClosed():
            return EndingFact, fact.at
        case ResponsibilityAttributed():
            return ResponsibilityAttributed, fact.clock  # the last recorded rules, whatever its date
        case _:
            return type(fact), fact.at


def _opened_otherwise(incident_id: str, opening: IncidentOpened) -> Rejected:
    return Rejected(
        "R4", "subject", f"incident {incident_id} was already opened otherwise, at "
        f"{moment(opening.at).isoformat()}: rectify that fact, or give this request its own id"
    )  # fmt: skip


def _refuse_before_opening(opened: IncidentOpened, field: str, fact: Fact) -> None:
    """Raise Rejected where a rectification of `field` dates a fact before the opening."""
    if field == "at" and not isinstance(fact, IncidentOpened) and fact.at < opened.at:
        raise Rejected("R3", "value", "a fact cannot be dated before the opening, "
                       f"{moment(opened.at).isoformat()}")  # fmt: skip


# --- evolve -----------------------------------------------------------------------------------------------------


def evolve(incident: Incident, fact: IncidentFact) -> Incident:
    """The incident with one more fact on record, which may change what the others mean. Never guards: facts replay."""
    return fold(incident.id, (*incident.record, fact))


def fold(incident_id: str, facts: Iterable[IncidentFact]) -> Incident:
    """The incident that its facts make, given in order of recording; as rectified, where any was."""
    record = tuple(facts)
    opened: IncidentOpened | None = None
    charges: list[IncidentTakenInCharge] = []
    interventions: list[InterventionStarted] = []
    suspensions: list[SuspensionFact] = []
    reassessments: list[IncidentReassessed] = []
    attributions: list[ResponsibilityAttributed] = []
    endings: list[EndingFact] = []
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
            case RecordRectified() | RecordAnnulled() | RecordAgreed():
                pass  # `as_rectified` has applied them
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
