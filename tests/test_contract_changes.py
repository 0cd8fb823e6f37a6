"""What changes of the contract do to requests: levels revised, an option ended, renewal, termination (A6, G1, G2)."""

import pytest
from support.history import (
    HOUR,
    Journal,
    activated,
    adopted,
    bought,
    intervention_started,
    levels,
    opened,
    rectified,
    revised,
    signed,
    taken_in_charge,
    terminated,
    under_contract,
    when,
)
from support.messages import Clock, contract_in_force, memory, message, names, opening, sign

from adapters.diagnosis import remarks
from adapters.inbox.handler import CommandHandler
from domain.contract_facts import ContractRenewed, OptionEnded
from domain.coverage import BestEffortReason
from domain.facts import Fact
from domain.incident_facts import IncidentOpened
from domain.terms import Service
from domain.values import MINUTE
from domain.work_facts import MaintenanceVisitPerformed, OperationHoursWorked, ServiceReviewHeld
from projections.affected import ALWAYS, affected
from projections.breach import WindowStatus
from projections.clocks import Verdict


def renewed(at: str, until: str) -> ContractRenewed:
    return ContractRenewed(at=when(at), until=when(until))


def ended(at: str, effective: str, service: Service = Service.ASSISTANCE) -> OptionEnded:
    return OptionEnded(at=when(at), service=service, effective=when(effective))


def over_two_years(signature_until: str = "2027-01-01") -> Journal:
    """A contract until the end of 2026 whose calendar covers 2027 too."""
    calendar = adopted(years=(2026, 2027))
    return under_contract(signed(until=signature_until), calendar)


# --- levels -----------------------------------------------------------------------------------------------------


def test_requests_before_and_after_a_revision_are_each_judged_by_their_own_levels() -> None:
    # Told on Monday, in effect from Wednesday: what is opened on Tuesday keeps the levels that were signed.
    journal = under_contract().contract(revised("Mon 10:00", "Wed 00:00", levels(p2_charge=30)))
    for name, day in (("BEFORE", "Tue"), ("AFTER", "Wed")):
        journal.incident(name, opened(f"{day} 09:00", 2), taken_in_charge(f"{day} 10:00"))
    before, after = journal.row(of="BEFORE").charge.judged, journal.row(of="AFTER").charge.judged
    assert (before.target_us, before.verdict) == (120 * MINUTE, Verdict.MET)
    assert (after.target_us, after.verdict) == (30 * MINUTE, Verdict.BREACHED)


def test_a_clock_that_runs_over_a_revision_keeps_the_levels_of_its_opening() -> None:
    journal = under_contract().contract(revised("Mon 10:00", "Wed 00:00", levels(p2_charge=30, p2_intervention=60)))
    journal.incident("INC1", opened("Tue 17:00", 2), intervention_started("Wed 10:00"))
    assert journal.row().intervention.judged.verdict is Verdict.MET


def test_an_opening_rectified_over_a_revision_takes_the_levels_of_its_new_instant() -> None:
    journal = under_contract().contract(revised("Mon 10:00", "Wed 00:00", levels(p2_charge=30)))
    journal.incident("INC1", opened("Tue 17:00", 2), rectified(1, "at", when("Wed 09:00")))
    assert journal.row().charge.judged.target_us == 30 * MINUTE


# --- options ----------------------------------------------------------------------------------------------------


def test_requests_after_the_end_of_assistance_are_best_effort_and_those_before_stay_guaranteed() -> None:
    journal = under_contract().contract(ended("Mon 12:00", "Tue 12:00"), activated("Tue 13:00", "Wed 00:00"))
    for name, at in (("A", "Tue 09:00"), ("B", "Tue 12:00"), ("C", "Wed 09:00")):
        journal.incident(name, opened(at))
    reasons = [journal.row(of=name).answer.reason for name in ("A", "B", "C")]
    assert reasons == [None, BestEffortReason.ASSISTANCE_NOT_ACTIVATED, None]
    assert journal.row("Tue 18:00", of="A").charge.judged.verdict is Verdict.BREACHED


def test_the_end_of_another_service_touches_no_request() -> None:
    journal = under_contract().contract(ended("Mon 12:00", "Tue 00:00", Service.OPERATION))
    assert journal.incident("INC1", opened("Wed 09:00")).row().answer.guaranteed


# --- the end of the contract ------------------------------------------------------------------------------------


def test_a_termination_voids_what_runs_and_leaves_a_breach_a_breach() -> None:
    journal = under_contract().contract(terminated("Mon 08:00", "Mon 12:00"))
    journal.incident("RUNNING", opened("Mon 11:00", 2)).incident("LATE", opened("Mon 09:00", 2))
    running, late = journal.row(of="RUNNING"), journal.row(of="LATE")
    assert [clock.judged.verdict for clock in running.clocks] == [Verdict.VOID, Verdict.VOID]
    assert [clock.judged.verdict for clock in late.clocks] == [Verdict.BREACHED, Verdict.VOID]
    window = journal.window()
    assert (window.window.end, window.status) == (when("Mon 12:00"), WindowStatus.CLOSED)
    assert (window.cases, window.breaches, window.tally.undecided) == (1, 1, 0)


def test_a_renewal_lets_clocks_run_over_the_end_that_was_signed() -> None:
    journal = over_two_years().contract(renewed("2026-12-01 10:00", "2028-01-01"))
    journal.credits(bought("2026-12-01 10:00", name="B")).incident("INC1", opened("2026-12-31 17:00", 2))
    row = journal.row("2027-01-04 12:00")
    assert row.charge.judged.verdict is Verdict.BREACHED
    assert row.charge.judged.due == when("2027-01-01 09:00")
    assert journal.known_on("2026-11-30 00:00").windows()[-1].window.end == when("2027-01-01")


def test_without_it_they_are_void_and_a_renewal_told_after_the_end_does_not_revive_them() -> None:
    journal = over_two_years().incident("INC1", opened("2026-12-31 17:00", 2))
    assert journal.row("2027-02-01 12:00").charge.judged.verdict is Verdict.VOID
    journal.contract(renewed("2027-02-01 10:00", "2028-01-01"))
    row = journal.row("2027-02-01 12:00")
    assert (row.charge.judged.verdict, row.charge.judged.net_us) == (Verdict.VOID, 1 * HOUR)


def test_requests_are_guaranteed_by_the_renewed_contract_and_not_in_a_gap_before_it() -> None:
    journal = over_two_years().contract(renewed("2027-02-01 10:00", "2028-01-01"))
    journal.incident("GAP", opened("2027-01-20 09:00")).incident("AFTER", opened("2027-02-01 11:00"))
    assert journal.row("2027-02-02 00:00", of="GAP").answer.reason is BestEffortReason.CONTRACT_NOT_IN_FORCE
    assert journal.row("2027-02-02 00:00", of="AFTER").answer.guaranteed


def test_windows_of_breach_and_penalty_follow_the_new_end() -> None:
    journal = over_two_years().contract(renewed("2026-12-01 10:00", "2027-07-01"))
    windows = journal.windows("2027-08-01 00:00")
    assert [(row.window.start, row.window.end) for row in windows] == [
        (when("2026-01-01"), when("2027-01-01")),
        (when("2027-01-01"), when("2027-07-01")),
    ]
    assert all(4 in row.versions for row in windows)
    (whole,) = journal.windows("2027-08-01 00:00", "window=whole_contract")
    assert whole.window.end == when("2027-07-01")
    journal.late("INC1").contract(renewed("2026-12-02 10:00", "2027-08-01"))
    assert {4, 5} <= set(journal.penalty("2027-08-01 00:00").versions)


def test_a_best_effort_request_is_served_under_the_contract_while_it_is_in_force_again() -> None:
    journal = over_two_years().contract(ended("Mon 08:00", "Mon 08:00"), renewed("2027-02-01 10:00", "2028-01-01"))
    journal.incident("INC1", opened("2026-12-30 09:00"))
    (queued,) = journal.queue("2026-12-31 09:00")
    assert queued.changes_at == when("2027-01-01")


# --- who is judged again ----------------------------------------------------------------------------------------


def touched_by(fact: Fact) -> object:
    """Which requests one more fact of the contract can touch."""
    before, after = (
        journal.replay().contract("acme") for journal in (under_contract(), under_contract().contract(fact))
    )
    return affected(before, after)


def test_work_under_the_other_services_has_no_request_judged_again() -> None:
    at = when("Mon 09:00")
    assert touched_by(MaintenanceVisitPerformed(at=at, activity="updates", by="t")) is None
    assert touched_by(OperationHoursWorked(at=at, work="T1", activity="x", minutes=1, by="t")) is None
    assert touched_by(ServiceReviewHeld(at=at, indicators=("leads",))) is None
    every = touched_by(renewed("Mon 09:00", "2028-01-01"))
    assert getattr(every, "openings", None) == ALWAYS


# --- at the desk ------------------------------------------------------------------------------------------------


def test_a_renewal_into_the_time_of_another_contract_of_the_customer_is_recorded_and_the_key_routes_to_neither() -> (
    None
):
    first = {"in_force_until": "2027-01-01T00:00:00+01:00", "customers": ["acme"]}
    second = {"in_force_from": "2027-01-01T00:00:00+01:00", "in_force_until": None, "customers": ["acme"]}
    renewal = {"until": "2028-01-01T00:00:00+01:00"}
    later = Clock("2027-03-01T12:00:00Z")
    with memory(later) as ledger:
        answered = CommandHandler(ledger, later).handle(
            [
                sign("a", "2025-12-15T10:00:00+01:00", **first),
                sign("b", "2025-12-15T10:00:00+01:00", **second),
                message("contract.renew", "contract-a", "2026-10-01T10:00:00+01:00", renewal),
                opening("INC1", "2027-03-01T10:00:00+01:00", contract=None, customer="acme"),
            ]
        )
        (request,) = ledger.streams(["incident-INC1"])["incident-INC1"]
    assert names(answered.outcomes) == ["Done"] * 4
    assert isinstance(request, IncidentOpened)
    assert (request.answer.contract, request.answer.reason) == (None, BestEffortReason.NO_CONTRACT)


def test_a_customer_s_requests_go_to_the_renewed_contract() -> None:
    signature = {"in_force_until": "2026-07-01T00:00:00+02:00", "customers": ["acme"]}
    until = {"until": "2027-07-01T00:00:00+02:00"}
    request = {"customer": "acme", "impact": "high", "urgency": "high"}
    with memory(Clock()) as ledger:
        CommandHandler(ledger, Clock()).handle(
            [
                sign("a", "2025-12-15T10:00:00+01:00", **signature),
                message("contract.renew", "contract-a", "2026-06-01T10:00:00+02:00", until),
                message("incident.open", "incident-INC1", "2026-10-01T10:00:00+02:00", request),
            ]
        )
        (opening,) = ledger.streams(["incident-INC1"])["incident-INC1"]
    assert dict(opening)["answer"].contract == "a"


@pytest.mark.parametrize(("at", "in_vain"), [("2026-06-29T10:00:00Z", False), ("2026-07-02T10:00:00Z", True)])
def test_a_renewal_after_the_termination_revives_nothing_and_doctor_says_so(at: str, in_vain: bool) -> None:
    ends, renews = "2027-01-01T00:00:00+01:00", {"until": "2028-01-01T00:00:00+01:00"}
    terminates = {"effective": "2026-07-01T00:00:00Z", "why": "by agreement"}
    told = [
        *contract_in_force("a", in_force_until=ends),
        message("contract.terminate", "contract-a", "2026-06-01T10:00:00Z", terminates),
        message("contract.renew", "contract-a", at, renews),
    ]
    with memory(Clock()) as ledger:
        assert names(CommandHandler(ledger, Clock()).handle(told).outcomes) == ["Done"] * len(told)
        wrong = [remark.wrong for remark in remarks(ledger, None, Clock().now)]
    assert [one for one in wrong if "in force again" in one] == [
        "contract a was renewed on 2026-07-02T10:00:00Z, after its termination had taken effect: it is not in force "
        "again (G2)"
    ] * in_vain
