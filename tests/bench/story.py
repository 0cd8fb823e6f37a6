"""One incident of five facts, which bin/bench records again and again: as facts, and as messages."""

from support.messages import charge, message, opening

from bench.histories import busy_opening
from domain.facts import Fact
from domain.incident_facts import ClockResumed, ClockSuspended, IncidentResolved, IncidentTakenInCharge
from domain.terms import Impact, Urgency
from domain.values import MINUTE, Responsibility, read_instant

FACTS_A_STORY = 5
MONDAY = read_instant("2026-03-02T08:00:00Z")


def story() -> list[Fact]:
    """The facts of the story."""
    return [
        busy_opening(MONDAY, Impact.HIGH, Urgency.MEDIUM),
        IncidentTakenInCharge(at=MONDAY + 20 * MINUTE),
        ClockSuspended(at=MONDAY + 30 * MINUTE, cause=Responsibility.CUSTOMER),
        ClockResumed(at=MONDAY + 50 * MINUTE),
        IncidentResolved(at=MONDAY + 90 * MINUTE),
    ]


def messages_of(name: str) -> list[bytes]:
    """The messages that record the story on one incident."""
    stream = f"incident-{name}"
    return [
        opening(name, time="2026-03-02T08:00:00Z"),
        charge(name, time="2026-03-02T08:20:00Z"),
        message("incident.suspend", stream, "2026-03-02T08:30:00Z", {"cause": "customer"}),
        message("incident.resume", stream, "2026-03-02T08:50:00Z"),
        message("incident.resolve", stream, "2026-03-02T09:30:00Z"),
    ]
