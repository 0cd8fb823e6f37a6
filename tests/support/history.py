"""Histories to judge, written as a journal: what occurred, in the order in which it was recorded.

"Mon 09:00" is Monday 2 March 2026 in Rome, "next Mon 09:00" a week later; "2026-03-02 09:00" says it in full. Nothing
near that week is a holiday. A request has priority 2 unless given: 120 working minutes to charge, 480 to intervention.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.calendar_rules import Holiday, Week
from domain.contract_facts import (
    CalendarAdopted,
    ContractRenewed,
    ContractSigned,
    ContractTerminated,
    OptionActivated,
    ServiceLevelRevised,
)
from domain.coverage import BestEffortReason, Coverage, CoverageDecision
from domain.credit_facts import (
    CreditsConsumed,
    CreditShortfallRecorded,
    CreditsPurchased,
    CreditsRefunded,
    CreditsReversed,
    Draw,
)
from domain.facts import Fact
from domain.incident_facts import (
    ClockResumed,
    ClockSuspended,
    ClosingReason,
    IncidentClosed,
    IncidentOpened,
    IncidentReassessed,
    IncidentReopened,
    IncidentResolved,
    IncidentTakenInCharge,
    InterventionStarted,
    ResponsibilityAttributed,
)
from domain.penalty_facts import PenaltyClaimed, PenaltySettled, PenaltyWaived
from domain.record_facts import RecordAgreed, RecordAnnulled, RecordRectified
from domain.source_facts import SourceAppointed, SourceDismissed
from domain.terms import (
    AssistanceOption,
    Clock,
    Impact,
    Level,
    Levels,
    PenaltyClause,
    PriorityMatrix,
    Terms,
    Urgency,
)
from domain.values import MINUTE, Party, Responsibility, microseconds
from projections.breach import BreachRow, breach, by_window
from projections.compliance import ComplianceRow, compliance
from projections.credit_balance import CreditRow, credit_balance
from projections.explanation import Explanation, explain
from projections.history import Entry, History
from projections.penalty import PenaltyRow, penalty
from projections.queue import QueueRow, queue
from projections.readings import Reading
from projections.replay import Replay
from projections.tally import cases
from projections.tolerance import Case

ROME = ZoneInfo("Europe/Rome")
HOUR = 60 * MINUTE
ACME = "acme"
DESK = "helpdesk://provider"
THEIRS = "desk://customer"

SUPPLIER, CUSTOMER = Party.SUPPLIER, Party.CUSTOMER
CHARGE, INTERVENTION = Clock.CHARGE, Clock.INTERVENTION
BY_SUPPLIER, BY_CUSTOMER = Responsibility.SUPPLIER, Responsibility.CUSTOMER
BY_THIRD_PARTY, BY_FORCE_MAJEURE = Responsibility.THIRD_PARTY, Responsibility.FORCE_MAJEURE

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FIRST_MONDAY = date(2026, 3, 2)


def when(text: str) -> int:
    """The instant at which clocks in Rome show `text`; a day alone means its midnight."""
    day, _, clock = text.rpartition(" ") if ":" in text else (text, "", "00:00")
    name = day.removeprefix("next ")
    if name in _DAYS:
        weeks = 0 if name == day else 1
        day = (_FIRST_MONDAY + timedelta(weeks=weeks, days=_DAYS.index(name))).isoformat()
    return microseconds(datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=ROME))


# --- the contract -----------------------------------------------------------------------------------------------

SIGNING = "2025-12-15 10:00"
IN_FORCE = "2026-01-01 00:00"

MATRIX = PriorityMatrix.model_validate(
    {
        "high": {"high": 1, "medium": 2, "low": 3},
        "medium": {"high": 2, "medium": 3, "low": 4},
        "low": {"high": 3, "medium": 4, "low": 5},
    }
)
HOLIDAYS = {
    "2026-01-06": "Epifania del Signore",
    "2026-04-06": "Lunedì dell'Angelo",
    "2026-06-02": "Festa della Repubblica",
    "2026-12-25": "Natale",
}
ASSESSED: dict[int, tuple[Impact, Urgency]] = {
    1: (Impact.HIGH, Urgency.HIGH),
    2: (Impact.HIGH, Urgency.MEDIUM),
    3: (Impact.MEDIUM, Urgency.MEDIUM),
    4: (Impact.MEDIUM, Urgency.LOW),
    5: (Impact.LOW, Urgency.LOW),
}


def levels(p2_charge: int = 120, p2_intervention: int = 480) -> Levels:
    """The guaranteed times, in working minutes."""
    return Levels(
        p1=Level(charge=60, intervention=240),
        p2=Level(charge=p2_charge, intervention=p2_intervention),
        p3=Level(charge=240, intervention=960),
        p4=Level(charge=480, intervention=1440),
        p5=Level(charge=960, intervention=2400),
    )


def terms(tolerance: str = "10%", figures: str = "10%", words: str = "5%", *, time_zone: str = "Europe/Rome") -> Terms:
    """The terms; the penalty is 10% in figures and 5% in words."""
    clause = PenaltyClause.model_validate({"figures": figures, "words": words})
    fields: dict[str, Any] = {"source": "signed", "matrix": MATRIX, "levels": levels(), "penalty": clause}
    return Terms.model_validate({**fields, "tolerance": tolerance, "time_zone": time_zone})


def signed(
    at: str = SIGNING,
    *,
    since: str = IN_FORCE,
    until: str | None = "2027-01-01",
    customers: tuple[str, ...] = ("ACME",),
    on: Terms | None = None,
) -> ContractSigned:
    return ContractSigned(
        at=when(at),
        in_force_from=when(since),
        in_force_until=None if until is None else when(until),
        customers=customers,
        terms=on or terms(),
    )


def activated(at: str = SIGNING, effective: str | None = None) -> OptionActivated:
    return OptionActivated(at=when(at), option=AssistanceOption(), effective=when(effective or at))


def weekdays(*windows: tuple[str, str]) -> Week:
    return Week.model_validate(dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), windows))


def adopted(
    at: str = SIGNING,
    *,
    years: tuple[int, int] = (2026, 2026),
    holidays: dict[str, str] | None = None,
    standard: Week | None = None,
    time_zone: str = ROME.key,
) -> CalendarAdopted:
    days = (HOLIDAYS if holidays is None else holidays).items()
    return CalendarAdopted(
        at=when(at),
        source="made up",
        source_version="1",
        first_year=years[0],
        last_year=years[1],
        standard=standard or weekdays(("08:00", "18:00")),
        data_centre=weekdays(("08:00", "21:00")),
        holidays=tuple(
            Holiday(day=date.fromisoformat(day), name=name)
            for day, name in days
            if years[0] <= int(day[:4]) <= years[1]
        ),
    ).with_rules_of(time_zone)


def revised(at: str, effective: str, to: Levels, *, agreed_by: tuple[Party, ...] = ()) -> ServiceLevelRevised:
    return ServiceLevelRevised(at=when(at), effective=when(effective), levels=to, agreed_by=agreed_by)


def terminated(at: str, effective: str, *, agreed_by: tuple[Party, ...] = ()) -> ContractTerminated:
    return ContractTerminated(at=when(at), effective=when(effective), why="by agreement", agreed_by=agreed_by)


def renewed(at: str, until: str, *, revokes: bool = False) -> ContractRenewed:
    return ContractRenewed(at=when(at), until=when(until), revokes_termination=revokes)


def _step(at: str, amount: str) -> dict[str, Any]:
    return {"at": when(at), "amount": amount, "reading": "literal", "as_of": when(at), "known_on": when(at)}


def claimed(at: str, amount: str) -> PenaltyClaimed:
    return PenaltyClaimed(**_step(at, amount))


def waived(at: str, amount: str) -> PenaltyWaived:
    return PenaltyWaived(**_step(at, amount))


def settled(at: str, amount: str) -> PenaltySettled:
    return PenaltySettled(**_step(at, amount))


# --- its credits ------------------------------------------------------------------------------------------------


def bought(
    at: str = IN_FORCE, minutes: int = 60_000, price: str = "5000.00", *, expires: str | None = None, name: str = "A"
) -> CreditsPurchased:
    fields: dict[str, Any] = {"package": name, "minutes": minutes, "price": price}
    return CreditsPurchased(at=when(at), expires_at=None if expires is None else when(expires), **fields)


def consumed(at: str, minutes: int, *, work: str = "W1", package: str = "A", incident: str = "INC1") -> CreditsConsumed:
    draws = (Draw(package=package, minutes=minutes),)
    return CreditsConsumed(at=when(at), work=work, incident=incident, minutes=minutes, packages=draws)


def fell_short(at: str, minutes: int, *, work: str = "W1", incident: str = "INC1") -> CreditShortfallRecorded:
    return CreditShortfallRecorded(at=when(at), work=work, incident=incident, minutes=minutes)


def given_back(at: str, minutes: int, *, work: str = "W1", package: str = "A") -> CreditsReversed:
    draws = (Draw(package=package, minutes=minutes),)
    return CreditsReversed(at=when(at), work=work, why="entered twice", packages=draws)


def refunded(at: str, minutes: int, price: str, *, package: str = "A") -> CreditsRefunded:
    return CreditsRefunded.model_validate({"at": when(at), "package": package, "minutes": minutes, "price": price})


# --- its incidents ----------------------------------------------------------------------------------------------

GUARANTEED = CoverageDecision(coverage=Coverage.GUARANTEED, contract=ACME)


def best_effort(reason: str, contract: str | None = ACME) -> CoverageDecision:
    return CoverageDecision(coverage=Coverage.BEST_EFFORT, reason=BestEffortReason(reason), contract=contract)


def opened(
    at: str = "Mon 09:00",
    priority: int = 2,
    *,
    contract: str | None = ACME,
    answer: CoverageDecision = GUARANTEED,
    **more: Any,
) -> IncidentOpened:
    impact, urgency = ASSESSED[priority]
    return IncidentOpened(at=when(at), impact=impact, urgency=urgency, contract=contract, answer=answer, **more)


def taken_in_charge(at: str, *, automatic: bool = False, told: str | None = None) -> IncidentTakenInCharge:
    """`told`: when its source recorded it, where that says so."""
    recordedtime = None if told is None else when(told)
    return IncidentTakenInCharge(at=when(at), automatic=automatic, recordedtime=recordedtime)


def intervention_started(at: str) -> InterventionStarted:
    return InterventionStarted(at=when(at))


def suspended(
    at: str,
    cause: Responsibility = BY_CUSTOMER,
    *,
    by: Party = SUPPLIER,
    agreed_by: tuple[Party, ...] = (),
) -> ClockSuspended:
    return ClockSuspended(at=when(at), cause=cause, by=by, agreed_by=agreed_by)


def resumed(at: str) -> ClockResumed:
    return ClockResumed(at=when(at))


def reassessed(at: str, priority: int) -> IncidentReassessed:
    impact, urgency = ASSESSED[priority]
    return IncidentReassessed(at=when(at), impact=impact, urgency=urgency)


def attributed(
    at: str,
    party: Responsibility,
    clock: Clock = CHARGE,
    *,
    by: Party = SUPPLIER,
    agreed_by: tuple[Party, ...] = (),
) -> ResponsibilityAttributed:
    return ResponsibilityAttributed(at=when(at), party=party, clock=clock, why="told so", by=by, agreed_by=agreed_by)


def resolved(at: str) -> IncidentResolved:
    return IncidentResolved(at=when(at))


def reopened(at: str) -> IncidentReopened:
    return IncidentReopened(at=when(at))


def closed(
    at: str,
    reason: ClosingReason = ClosingReason.RESOLVED,
    *,
    by: Party = SUPPLIER,
    agreed_by: tuple[Party, ...] = (),
) -> IncidentClosed:
    return IncidentClosed(at=when(at), reason=reason, by=by, agreed_by=agreed_by)


def withdrawn(at: str, *, by: Party = SUPPLIER, agreed_by: tuple[Party, ...] = ()) -> IncidentClosed:
    return closed(at, ClosingReason.WITHDRAWN, by=by, agreed_by=agreed_by)


def rectified(
    version: int,
    field: str,
    value: object,
    *,
    at: str = "Fri 12:00",
    by: Party = SUPPLIER,
    agreed_by: tuple[Party, ...] = (),
) -> RecordRectified:
    """One field of the fact recorded as `version` of the same stream is corrected."""
    return RecordRectified(
        at=when(at), version=version, field=field, value=value, why="a slip", by=by, agreed_by=agreed_by
    )


def annulled(
    version: int, *, at: str = "Fri 12:00", by: Party = SUPPLIER, agreed_by: tuple[Party, ...] = ()
) -> RecordAnnulled:
    """The fact recorded as `version` of the same stream is withdrawn."""
    return RecordAnnulled(at=when(at), version=version, why="of another request", by=by, agreed_by=agreed_by)


def agreed(version: int | None = None, *, up_to: int | None = None, by: Party, at: str = "Fri 12:00") -> RecordAgreed:
    """A party agrees to one fact of the stream, or to all of the contract up to a position."""
    return RecordAgreed(at=when(at), version=version, up_to=up_to, by=by)


def appointed(source: str, party: Party, at: str = SIGNING) -> SourceAppointed:
    return SourceAppointed(at=when(at), source=source, party=party)


def dismissed(source: str, at: str = "Fri 12:00") -> SourceDismissed:
    return SourceDismissed(at=when(at), source=source)


# --- the journal ------------------------------------------------------------------------------------------------

ALL_KNOWN = "2026-12-31 23:59"
"""An instant after everything that the tests record, within the year that the calendar covers."""


@dataclass
class Journal:
    """Facts in order of recording. Each is recorded as it occurs, or later if given, never before the one above it."""

    entries: list[Entry] = field(default_factory=list)

    def record(
        self, stream: str, facts: Iterable[Fact], recorded: str | None = None, *, source: str = DESK
    ) -> "Journal":
        for fact in facts:
            last = self.entries[-1].recorded_at if self.entries else 0
            recorded_at = max(last, fact.at if recorded is None else when(recorded))
            version = 1 + sum(entry.stream == stream for entry in self.entries)
            contract = self._contract_of(stream, fact)
            self.entries.append(
                Entry(len(self.entries) + 1, stream, version, recorded_at, fact, source=source, contract=contract)
            )
        return self

    def _contract_of(self, stream: str, fact: Fact) -> str | None:
        """The contract that a fact belongs to: that of its stream, or that which the request named at its opening."""
        if isinstance(fact, IncidentOpened):
            return fact.contract or fact.answer.contract
        known = (entry.contract for entry in self.entries if entry.stream == stream)
        return next(known, None if stream.startswith("incident-") else stream.partition("-")[2])

    def contract(self, *facts: Fact, name: str = ACME, recorded: str | None = None, source: str = DESK) -> "Journal":
        """Facts of a contract."""
        return self.record(f"contract-{name}", facts, recorded, source=source)

    def credits(self, *facts: Fact, name: str = ACME, recorded: str | None = None) -> "Journal":
        return self.record(f"credits-{name}", facts, recorded)

    def incident(self, name: str, *facts: Fact, recorded: str | None = None, source: str = DESK) -> "Journal":
        return self.record(f"incident-{name}", facts, recorded, source=source)

    def met(self, name: str, day: str = "Mon", **more: Any) -> "Journal":
        """An incident whose clocks are both met, at 09:30 of the day."""
        return self.incident(name, opened(f"{day} 09:00", **more), intervention_started(f"{day} 09:30"))

    def late(self, name: str, day: str = "Mon", **more: Any) -> "Journal":
        """An incident taken in charge late: that clock is breached just after 11:00 of the day, the other is met."""
        return self.incident(name, opened(f"{day} 09:00", **more), intervention_started(f"{day} 12:00"))

    def known_on(self, text: str) -> "Journal":
        """What was recorded by then."""
        return Journal([entry for entry in self.entries if entry.recorded_at <= when(text)])

    def replay(self, as_of: str = ALL_KNOWN, reading: str = "literal") -> Replay:
        return Replay(History.of(self.entries), Reading.parse(reading), when(as_of))

    def rows(self, as_of: str = ALL_KNOWN, reading: str = "literal") -> list[ComplianceRow]:
        return compliance(self.replay(as_of, reading))

    def row(self, as_of: str = ALL_KNOWN, reading: str = "literal", *, of: str = "INC1") -> ComplianceRow:
        return next(row for row in self.rows(as_of, reading) if row.incident == of)

    def windows(self, as_of: str = ALL_KNOWN, reading: str = "literal") -> list[BreachRow]:
        replay = self.replay(as_of, reading)
        return breach(replay, compliance(replay))

    def window(self, as_of: str = ALL_KNOWN, reading: str = "literal") -> BreachRow:
        """The only window of the only contract."""
        (only,) = self.windows(as_of, reading)
        return only

    def cases(self, as_of: str = ALL_KNOWN, reading: str = "literal") -> list[list[Case]]:
        """The cases of each window begun, in order of windows."""
        replay = self.replay(as_of, reading)
        inside = by_window(replay, compliance(replay))
        found = [inside.get((row.contract, row.window.start), ()) for row in self.windows(as_of, reading)]
        return [[case for row in rows for case in cases(row, replay.reading)] for rows in found]

    def penalties(self, as_of: str = ALL_KNOWN, reading: str = "literal") -> list[PenaltyRow]:
        replay = self.replay(as_of, reading)
        return penalty(replay, breach(replay, compliance(replay)))

    def penalty(self, as_of: str = ALL_KNOWN, reading: str = "literal") -> PenaltyRow:
        """The penalty of the only contract."""
        (only,) = self.penalties(as_of, reading)
        return only

    def balances(self, as_of: str = ALL_KNOWN) -> list[CreditRow]:
        return credit_balance(self.replay(as_of))

    def balance(self, as_of: str = ALL_KNOWN) -> CreditRow:
        """The balance of the only account."""
        (only,) = self.balances(as_of)
        return only

    def queue(self, as_of: str = ALL_KNOWN) -> list[QueueRow]:
        replay = self.replay(as_of)
        return queue(replay, compliance(replay))

    def explained(self, as_of: str = ALL_KNOWN, reading: str = "literal", *, incident: str = "INC1") -> Explanation:
        found = explain(incident, self.replay(as_of, reading))
        assert found is not None
        return found


def under_contract(signature: ContractSigned | None = None, *calendars: CalendarAdopted) -> Journal:
    """A contract for 2026 signed, Assistenza active, the calendar adopted, and credits bought."""
    facts: list[Fact] = [signature or signed(), activated(), *(calendars or (adopted(),))]
    return Journal().contract(*facts, recorded=SIGNING).credits(bought(), recorded=IN_FORCE)
