"""Compliance of each incident: coverage, both clocks, who is responsible (A2-A6, G2, G3).

One incident in, one row out; the rows are what ratios, penalties and the queue are counted from.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from domain.coverage import CoverageDecision, Requester
from domain.incident_facts import IncidentTakenInCharge
from domain.interval import Interval, earliest
from domain.latest import last_recorded
from domain.terms import Clock, Priority
from domain.values import Responsibility
from domain.zone_rules import rules_recorded
from projections.as_of import ContractAsOf, IncidentAsOf
from projections.clock_inputs import ClockInputs, VoidCause, clock_inputs
from projections.clocks import Judged, Verdict, judge
from projections.findings import (
    Finding,
    calendar_adopted_later,
    calendar_does_not_cover,
    changed_afterwards,
    charged_at_opening,
    extension_agreed_later,
    renewed_after_termination,
    undisclosed,
    zone_rules_not_recorded,
)
from projections.readings import Reading
from projections.replay import Replay
from projections.statements import StatementOnRecord


@dataclass(frozen=True, slots=True)
class ClockRow:
    """One clock of one incident: its verdict, and to whom a breach of it is due."""

    judged: Judged
    responsible: Responsibility

    @property
    def breached(self) -> bool:
        """Whether the guaranteed time was exceeded, by whosever fault."""
        return self.judged.verdict is Verdict.BREACHED

    @property
    def suppliers_breach(self) -> bool:
        """Whether it was exceeded for reasons of the supplier (A4, P1)."""
        return self.breached and self.responsible is Responsibility.SUPPLIER


@dataclass(frozen=True, slots=True)
class ComplianceRow:
    """One incident judged; `versions` are those of its stream that prove it.

    `changes_at`: when time alone may change any of it but what running clocks count. `statements`: what a party may
    contest of it. `void`: why it is no case of anybody's, where it is none: by the customer's word or by both parties',
    by anybody's for a best-effort request, or because the reading excludes it (S1). `recorded_under`: the contract
    under which its opening was recorded. `recorded_at`: when each fact that it rests on was recorded.
    """

    incident: str
    contract: str | None
    opened_at: int
    answer: CoverageDecision
    priority: Priority | None
    charge: ClockRow
    intervention: ClockRow
    open: bool
    findings: tuple[Finding, ...]
    versions: tuple[int, ...]
    changes_at: int | None = None
    statements: tuple[StatementOnRecord, ...] = ()
    requested_by: Requester = Requester.CUSTOMER
    void: VoidCause | None = None
    recorded_at: tuple[int, ...] = ()
    recorded_under: str | None = None

    @property
    def clocks(self) -> tuple[ClockRow, ClockRow]:
        """Both clocks, charge first."""
        return self.charge, self.intervention

    @property
    def breach(self) -> bool:
        """Whether the incident is a supplier's breach: at least one breached clock is the supplier's."""
        return any(clock.suppliers_breach for clock in self.clocks)

    @property
    def responsible(self) -> Responsibility | None:
        """Whose the breach is: the supplier's if one clock's is; None where no clock is breached."""
        if self.breach:
            return Responsibility.SUPPLIER
        return next((clock.responsible for clock in self.clocks if clock.breached), None)

    @property
    def undecided(self) -> bool:
        """Whether it holds a clock that is still running, or that the calendars do not reach."""
        return any(not clock.judged.verdict.decided for clock in self.clocks)

    @property
    def excluded(self) -> bool:
        """Whether the reading makes it no case, because the system that it affects was not disclosed (S1)."""
        return self.void is VoidCause.UNDISCLOSED_SYSTEM


def compliance(replay: Replay, incidents: Iterable[IncidentAsOf] | None = None) -> list[ComplianceRow]:
    """Every incident opened (or those given), judged; by contract, opening, id."""
    rows = (judge_incident(incident, replay) for incident in (replay.incidents() if incidents is None else incidents))
    return sorted(rows, key=lambda row: (row.contract or "", row.opened_at, row.incident))


def judge_incident(incident: IncidentAsOf, replay: Replay) -> ComplianceRow:
    """One incident judged under the reading of a replay, as of its instant."""
    return judge_clocks(incident, clock_inputs(incident, replay.reading, replay.as_of), replay)


def judge_clocks(incident: IncidentAsOf, inputs: Mapping[Clock, ClockInputs], replay: Replay) -> ComplianceRow:
    """One incident judged by what was made for each of its clocks."""
    clocks = {clock: judge(inputs[clock]) for clock in Clock}
    findings = [*incident.findings, *_contract_findings(incident), *_calendar_findings(incident, clocks, replay.as_of)]
    if charged := _charged_at_opening(incident):
        findings.append(charged_at_opening(charged))
    if void := _void(incident, replay.reading):
        clocks = {clock: judged.as_no_case(void) for clock, judged in clocks.items()}
    if void is VoidCause.UNDISCLOSED_SYSTEM:
        findings.append(undisclosed(incident.opened.system, incident.contract_name, incident.opening_versions))
    return ComplianceRow(
        incident=incident.incident.id,
        contract=incident.contract_name,
        opened_at=incident.opened.at,
        answer=incident.decision,
        priority=inputs[Clock.INTERVENTION].priority,
        charge=ClockRow(clocks[Clock.CHARGE], _responsible(incident, Clock.CHARGE)),
        intervention=ClockRow(clocks[Clock.INTERVENTION], _responsible(incident, Clock.INTERVENTION)),
        open=incident.incident.open,
        findings=tuple(findings),
        versions=incident.versions,
        changes_at=earliest(*(judged.recheck_at for judged in clocks.values()), incident.next_at),
        statements=tuple(incident.statements),
        requested_by=incident.opened.requested_by,
        void=void,
        recorded_at=tuple(_recorded_at(incident)),
        recorded_under=incident.recorded[0].contract if incident.recorded else None,
    )


def _recorded_at(incident: IncidentAsOf) -> Iterator[int]:
    """When each fact that the row rests on was recorded, with what withdraws one, and the agreements given to them."""
    resting = {*incident.versions, *(said.version for said in incident.statements if said.counts)}
    yield from (entry.recorded_at for entry in incident.recorded if entry.version in resting)
    yield from {at for said in incident.statements for at in said.agreed_at}


def _void(incident: IncidentAsOf, reading: Reading) -> VoidCause | None:
    """Why a request is no case of anybody's: its system was not disclosed (S1), or it is void for both parties.

    A request without guarantee is void by anybody's word: it counts only in the supplier's favour.
    """
    if is_excluded(incident, reading):
        return VoidCause.UNDISCLOSED_SYSTEM
    closings = incident.incident.void_closings
    if incident.decision.guaranteed:
        closings = tuple(closing for closing in closings if closing.void_for_both)
    return VoidCause(closings[0].reason.value) if closings else None


def _charged_at_opening(incident: IncidentAsOf) -> tuple[int, ...]:
    """The versions that say it was taken in charge, by somebody, at the very instant of its opening."""
    charges = (one for one in incident.facts if isinstance(one.fact, IncidentTakenInCharge) and not one.fact.automatic)
    return tuple(v for one in charges if one.fact.at == incident.opened.at for v in one.versions)


def _contract_findings(incident: IncidentAsOf) -> Iterator[Finding]:
    """What was told of its contract after it had come in, though effective before it (A6)."""
    if incident.contract is not None:
        if in_vain := incident.contract.contract.renewed_after_termination:
            yield renewed_after_termination(incident.contract.versions_of(in_vain))
        for change in incident.contract.changes:
            if change.told_after(incident.opened.at):
                yield changed_afterwards(change, incident.contract.contract.id)


def is_excluded(incident: IncidentAsOf, reading: Reading) -> bool:
    """Whether the reading makes it no case: its system was not declared at its opening (S1)."""
    return reading.undisclosed == "excluded" and incident.disclosed is False


def _responsible(incident: IncidentAsOf, clock: Clock) -> Responsibility:
    attributed = last_recorded(fact for fact in incident.incident.attributions if fact.clock is clock)
    return attributed.party if attributed else Responsibility.SUPPLIER


def _calendar_findings(incident: IncidentAsOf, clocks: Mapping[Clock, Judged], as_of: int) -> Iterator[Finding]:
    if incident.contract is None or (calendar := incident.contract.calendar(incident.hours)) is None:
        return
    if any(judged.net_us is None or judged.suspended_us is None for judged in clocks.values()):
        yield calendar_does_not_cover(calendar.years_text)
        return
    longest = clocks[Clock.INTERVENTION]
    end = longest.accrued.at if longest.stopped else as_of
    if end is None:
        return
    if calendar.judged_by_later(incident.opened.at, end):
        yield calendar_adopted_later()
    if not rules_recorded(incident.contract.contract.zone, incident.opened.at, end):
        yield zone_rules_not_recorded()
    if _runs_through_a_day_extended_too_late(incident.contract, incident, end):
        yield extension_agreed_later()


def _runs_through_a_day_extended_too_late(contract: ContractAsOf, incident: IncidentAsOf, end: int) -> bool:
    ran = Interval(incident.opened.at, end)
    return any(day.meets(ran) for day in contract.extended_too_late(incident.hours))
