"""What can happen to one request: its content, the facts that record it, the commands that ask for it (A1, A2, A4, A5).

What the facts mean together is in `incident.py`.
"""

from enum import StrEnum

from domain.coverage import CoverageDecision, Requester
from domain.facts import Command, Fact
from domain.record_facts import RecordCommand, RecordFact
from domain.terms import Clock, Impact, RequestKind, Urgency
from domain.values import Identifier, Party, Responsibility, Statement, Text, Value

# --- content and facts ------------------------------------------------------------------------------------------


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


class Closing(Statement):
    """Why the request is closed, and who says so: what is void for one party alone may be a case for the other."""

    reason: ClosingReason = ClosingReason.RESOLVED

    @property
    def void_for_both(self) -> bool:
        """Whether it is void by the customer's own word, or by both parties': then it is no case for anybody (P1)."""
        return self.reason.void and (self.by is Party.CUSTOMER or self.agreed)


class TakingInCharge(Value):
    """Presa in carico; `automatic` where a robot's receipt alone says so: then nobody has taken charge yet (A5)."""

    automatic: bool = False


class IncidentOpened(Fact, Request):
    """The request comes in; both clocks start. `answer` keeps the coverage given then."""

    TYPE = "incident.opened.v1"
    FIXED = frozenset({"answer"})
    INSTEAD_OF_ANNULMENT = "close the request as void"

    answer: CoverageDecision


class IncidentTakenInCharge(Fact, TakingInCharge):
    """Presa in carico: stops the charge clock (TPC), unless it is automatic."""

    TYPE = "incident.taken_in_charge.v2"


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

    TYPE = "incident.closed.v2"


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
    | RecordFact
)


SuspensionFact = ClockSuspended | ClockResumed
"""The facts that say whether the clocks are suspended."""


EndingFact = IncidentResolved | IncidentReopened | IncidentClosed
"""The facts that say whether somebody still has to deal with a request."""

# --- commands ---------------------------------------------------------------------------------------------------


class OpenIncident(Command, Request):
    """Record an incoming request. Opening never waits for a contract or for credits."""

    TYPE = "verbale.incident.open.v1"


class TakeInCharge(Command, TakingInCharge):
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
    | RecordCommand
)
