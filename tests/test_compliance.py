"""Each incident judged: its coverage, its levels, who is responsible, and what a reader has to know (A2-A6, G2, H1)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.history import (
    ACME,
    BY_CUSTOMER,
    BY_FORCE_MAJEURE,
    BY_SUPPLIER,
    BY_THIRD_PARTY,
    CHARGE,
    HOUR,
    INTERVENTION,
    Journal,
    activated,
    adopted,
    attributed,
    best_effort,
    bought,
    claimed,
    closed,
    consumed,
    intervention_started,
    levels,
    opened,
    reassessed,
    rectified,
    reopened,
    resolved,
    resumed,
    revised,
    signed,
    suspended,
    taken_in_charge,
    terminated,
    under_contract,
    when,
    withdrawn,
)

from domain.coverage import Coverage, CoverageDecision, Requester
from domain.facts import Fact
from domain.values import MINUTE, Responsibility
from projections.clocks import Verdict
from projections.compliance import ComplianceRow


def record(*facts: Fact) -> Journal:
    return under_contract().incident("INC1", *facts)


def reason(row: ComplianceRow) -> str | None:
    return str(row.answer.reason) if row.answer.reason else None


def codes(row: ComplianceRow) -> list[str]:
    return [finding.code for finding in row.findings]


def targets(row: ComplianceRow) -> list[int | None]:
    """Both targets in working minutes."""
    return [None if c.judged.target_us is None else c.judged.target_us // MINUTE for c in row.clocks]


# --- priority and levels (A2, A3, A6) ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("priority", "minutes"), [(1, [60, 240]), (2, [120, 480]), (3, [240, 960]), (4, [480, 1440]), (5, [960, 2400])]
)
def test_the_targets_follow_from_the_priority_of_impact_and_urgency_as_declared(
    priority: int, minutes: list[int]
) -> None:
    row = record(opened("Mon 09:00", priority)).row()
    assert (row.priority, targets(row)) == (priority, minutes)


def test_an_incident_keeps_the_levels_in_force_at_its_opening() -> None:
    journal = under_contract().contract(revised("Mon 08:00", "Wed 08:00", levels(30, 90)))
    journal.incident("BEFORE", opened("Wed 07:59")).incident("AT", opened("Wed 08:00"))
    journal.incident("AFTER", opened("Wed 08:01"))
    assert targets(journal.row(of="BEFORE")) == [120, 480]
    assert targets(journal.row(of="AT")) == [30, 90]
    assert targets(journal.row(of="AFTER")) == [30, 90]


def test_a_revision_told_after_an_opening_does_not_reach_it() -> None:
    journal = record(opened("Mon 09:00")).contract(revised("Mon 10:00", "Mon 10:00", levels(30, 90)))
    assert targets(journal.row()) == [120, 480]


def test_of_two_revisions_the_one_effective_last_rules() -> None:
    journal = under_contract().contract(
        revised("Mon 08:00", "Thu 08:00", levels(30, 90)), revised("Tue 08:00", "Wed 08:00", levels(60, 180))
    )
    journal.incident("WED", opened("Wed 09:00")).incident("THU", opened("Thu 09:00"))
    assert targets(journal.row(of="WED")) == [60, 180]
    assert targets(journal.row(of="THU")) == [30, 90]


def test_of_two_revisions_made_and_effective_together_the_last_recorded_rules() -> None:
    journal = under_contract().contract(
        revised("Mon 08:00", "Mon 08:00", levels(30, 90)), revised("Mon 08:00", "Mon 08:00", levels(60, 180))
    )
    assert targets(journal.incident("INC1", opened("Mon 09:00")).row()) == [60, 180]


def test_a_best_effort_request_has_a_priority_and_no_target() -> None:
    journal = Journal().contract(signed(), activated(), adopted())
    row = journal.incident("INC1", opened("Mon 09:00", answer=best_effort("no_credits"))).row()
    assert (row.priority, targets(row)) == (2, [None, None])
    assert [clock.judged.verdict for clock in row.clocks] == [Verdict.BEST_EFFORT, Verdict.BEST_EFFORT]


# --- responsibility (A4) ----------------------------------------------------------------------------------------


def late(*facts: Fact) -> Journal:
    """Opened on Monday at 09:00; both clocks are breached by Tuesday noon."""
    return record(opened("Mon 09:00"), taken_in_charge("Mon 15:00"), intervention_started("Tue 12:00"), *facts)


def test_a_breach_is_the_suppliers_unless_attributed() -> None:
    row = late().row()
    assert [clock.responsible for clock in row.clocks] == [BY_SUPPLIER, BY_SUPPLIER]
    assert (row.breach, row.responsible) == (True, BY_SUPPLIER)


@pytest.mark.parametrize("party", [BY_CUSTOMER, BY_THIRD_PARTY, BY_FORCE_MAJEURE])
def test_a_breach_attributed_away_for_both_clocks_is_not_the_suppliers(party: Responsibility) -> None:
    row = late(attributed("Wed 09:00", party, CHARGE), attributed("Wed 09:00", party, INTERVENTION)).row()
    assert [clock.judged.verdict for clock in row.clocks] == [Verdict.BREACHED, Verdict.BREACHED]
    assert (row.breach, row.responsible) == (False, party)


@pytest.mark.parametrize("clock", [CHARGE, INTERVENTION])
def test_an_attribution_counts_for_its_clock_only_and_one_breach_of_the_supplier_is_enough(clock: Any) -> None:
    row = late(attributed("Wed 09:00", BY_CUSTOMER, clock)).row()
    assert [c.suppliers_breach for c in row.clocks] == [clock is INTERVENTION, clock is CHARGE]
    assert (row.breach, row.responsible) == (True, BY_SUPPLIER)


def test_a_clock_that_is_the_suppliers_but_met_makes_no_breach() -> None:
    journal = record(opened("Mon 09:00"), intervention_started("Mon 15:00"), attributed("Wed 09:00", BY_CUSTOMER))
    row = journal.row()
    assert row.intervention.judged.verdict is Verdict.MET
    assert (row.breach, row.responsible) == (False, BY_CUSTOMER)


def test_nobody_is_responsible_where_nothing_is_breached() -> None:
    row = record(opened("Mon 09:00"), intervention_started("Mon 10:00"), attributed("Mon 11:00", BY_CUSTOMER)).row()
    assert (row.breach, row.responsible) == (False, None)


def test_the_last_attribution_recorded_rules_whatever_its_own_date() -> None:
    journal = late(attributed("Fri 09:00", BY_CUSTOMER), attributed("Wed 09:00", BY_THIRD_PARTY))
    assert journal.row().charge.responsible is BY_THIRD_PARTY


def test_an_attribution_back_to_the_supplier_rules_when_it_is_the_last() -> None:
    journal = late(attributed("Wed 09:00", BY_CUSTOMER), attributed("Wed 08:00", BY_SUPPLIER))
    assert journal.row().charge.suppliers_breach


def test_an_attribution_dated_after_as_of_applies_once_it_is_known() -> None:
    journal = late(attributed("Fri 09:00", BY_CUSTOMER))
    assert journal.row("Wed 09:00").charge.responsible is BY_CUSTOMER
    assert journal.known_on("Thu 18:00").row("Wed 09:00").charge.responsible is BY_SUPPLIER


# --- coverage (G2, A1) ------------------------------------------------------------------------------------------


def test_a_guaranteed_request_needs_contract_option_request_and_credit() -> None:
    row = record(opened("Mon 09:00")).row()
    guaranteed = CoverageDecision(coverage=Coverage.GUARANTEED, contract=ACME)
    assert (row.answer, row.contract, row.findings) == (guaranteed, ACME, ())


def before_the_option() -> Journal:
    return Journal().contract(signed(), adopted(), activated("Tue 08:00")).credits(bought(), recorded="Tue 09:00")


@pytest.mark.parametrize(
    ("journal", "opening", "expected"),
    [
        (Journal(), {}, "no_contract"),
        (Journal().contract(signed("Tue 08:00"), activated(), adopted()).credits(bought()), {}, "no_contract"),
        (under_contract(signed(since="Tue 08:00")), {}, "contract_not_in_force"),
        (under_contract(signed(until="Mon 09:00")), {}, "contract_not_in_force"),
        (under_contract().contract(terminated("Mon 08:00", "Mon 08:30")), {}, "contract_not_in_force"),
        (before_the_option(), {}, "assistance_not_activated"),
        (under_contract(), {"requested_by": Requester.SUPPLIER}, "not_requested"),
        (under_contract(), {"requested_by": Requester.MONITORING}, "not_requested"),
        (Journal().contract(signed(), activated(), adopted()), {}, "no_credits"),
        (Journal().contract(signed(), activated(), adopted()).credits(bought("Mon 09:01")), {}, "no_credits"),
    ],
)
def test_a_request_is_best_effort_for_the_first_reason_that_applies(
    journal: Journal, opening: dict[str, Any], expected: str
) -> None:
    journal = Journal([*journal.entries]).incident("INC1", opened("Mon 09:00", **opening))
    assert reason(journal.row()) == expected


def test_the_reasons_have_an_order_and_the_first_one_rules() -> None:
    nothing_else = Journal().contract(signed(until="Mon 09:00"), adopted())
    row = nothing_else.incident("INC1", opened("Mon 09:00", requested_by=Requester.MONITORING)).row()
    assert reason(row) == "contract_not_in_force"
    not_active = Journal().contract(signed(), adopted())
    row = not_active.incident("INC1", opened("Mon 09:00", requested_by=Requester.MONITORING)).row()
    assert reason(row) == "assistance_not_activated"
    no_credits = Journal().contract(signed(), adopted(), activated())
    row = no_credits.incident("INC1", opened("Mon 09:00", requested_by=Requester.MONITORING)).row()
    assert reason(row) == "not_requested"


def with_credits(*facts: Fact) -> Journal:
    return Journal().contract(signed(), activated(), adopted()).credits(*facts).incident("INC1", opened("Mon 09:00"))


def test_a_purchase_counts_from_its_very_instant() -> None:
    assert with_credits(bought("Mon 09:00")).row().answer.guaranteed
    assert not with_credits(bought("Mon 09:00:00.000001")).row().answer.guaranteed


def test_a_purchase_counts_until_its_expiry_and_not_at_it() -> None:
    assert with_credits(bought(expires="Mon 09:00:00.000001")).row().answer.guaranteed
    assert reason(with_credits(bought(expires="Mon 09:00")).row()) == "no_credits"


def test_one_minute_of_credit_is_enough_and_none_is_not() -> None:
    assert with_credits(bought(minutes=60), consumed("Mon 08:00", 59)).row().answer.guaranteed
    assert reason(with_credits(bought(minutes=60), consumed("Mon 08:00", 60)).row()) == "no_credits"


def test_credits_used_up_later_change_nothing() -> None:
    row = with_credits(bought(minutes=60), consumed("Mon 09:00:00.000001", 60)).row()
    assert (row.answer.guaranteed, row.findings) == (True, ())


def test_a_purchase_recorded_late_counts_from_its_date_and_the_difference_is_a_finding() -> None:
    journal = Journal().contract(signed(), activated(), adopted())
    journal.incident("INC1", opened("Mon 09:00", answer=best_effort("no_credits")))
    journal.credits(bought("Mon 08:00"), recorded="Thu 10:00")
    before, after = journal.known_on("Wed 18:00").row("Wed 18:00"), journal.row("Wed 18:00")
    assert (reason(before), codes(before)) == ("no_credits", [])
    assert (after.answer.guaranteed, codes(after)) == (True, ["coverage_differs"])
    (finding,) = after.findings
    assert (finding.clause, finding.versions) == ("G2", (1,))
    assert "no_credits" in finding.text
    assert "guaranteed" in finding.text
    assert targets(after) == [120, 480]


def test_a_consumption_recorded_late_can_take_a_guarantee_away_and_the_difference_is_a_finding() -> None:
    journal = with_credits(bought(minutes=60)).credits(consumed("Mon 08:00", 60), recorded="Thu 10:00")
    row = journal.row()
    assert (reason(row), codes(row)) == ("no_credits", ["coverage_differs"])


def test_a_request_that_names_an_unsigned_contract_is_best_effort_and_listed() -> None:
    journal = Journal().incident("INC1", opened("Mon 09:00", answer=best_effort("no_contract", None)))
    row = journal.row()
    assert (row.contract, reason(row), codes(row)) == (ACME, "no_contract", ["contract_unsigned"])
    assert ACME in row.findings[0].text
    assert (row.priority, targets(row)) == (None, [None, None])


def test_once_its_contract_is_signed_such_a_request_counts_like_any_other() -> None:
    journal = Journal().incident("INC1", opened("Mon 09:00", answer=best_effort("no_contract", None)))
    journal.contract(signed(), activated(), adopted(), recorded="Thu 10:00").credits(bought(), recorded="Thu 10:00")
    row = journal.row("Thu 12:00")
    assert (row.answer.guaranteed, codes(row)) == (True, ["coverage_differs"])
    assert (row.priority, row.breach) == (2, True)


def test_a_customer_key_leads_to_the_contract_that_routes_it_at_the_opening() -> None:
    journal = under_contract(signed(until="Wed 00:00"))
    journal.contract(signed(since="Wed 00:00"), activated(), adopted(), name="acme-2", recorded="Mon 00:00")
    journal.credits(bought(name="B"), name="acme-2", recorded="Mon 00:00")
    for name, at in ("TUE", "Tue 09:00"), ("WED", "Wed 00:00"):
        journal.incident(name, opened(at, contract=None, customer="ACME"))
    assert {row.incident: row.contract for row in journal.rows()} == {"TUE": ACME, "WED": "acme-2"}


@pytest.mark.parametrize("customer", ["NOBODY", None])
def test_a_request_that_no_contract_takes_is_listed(customer: str | None) -> None:
    answer = best_effort("no_contract", None)
    journal = under_contract().incident("INC1", opened("Mon 09:00", contract=None, customer=customer, answer=answer))
    row = journal.row()
    assert (row.contract, reason(row), codes(row)) == (None, "no_contract", ["unrouted"])


# --- rectified openings -----------------------------------------------------------------------------------------


def test_a_rectified_opening_decides_coverage_again() -> None:
    journal = with_credits(bought("Mon 08:00"), consumed("Mon 08:30", 60_000))
    journal.incident("INC1", rectified(1, "at", when("Mon 08:15")))
    row = journal.row()
    assert (row.opened_at, row.answer.guaranteed) == (when("Mon 08:15"), True)


def test_a_rectified_opening_that_loses_its_guarantee_is_shown() -> None:
    row = with_credits(bought("Mon 08:30")).incident("INC1", rectified(1, "at", when("Mon 08:15"))).row()
    assert (reason(row), codes(row)) == ("no_credits", ["coverage_differs", "recorded_late"])


def test_a_rectified_opening_has_the_levels_of_its_true_instant() -> None:
    journal = under_contract().contract(revised("Mon 08:00", "Tue 08:00", levels(30, 90)))
    journal.incident("INC1", opened("Mon 09:00"), rectified(1, "at", when("Tue 09:00")))
    assert targets(journal.row()) == [30, 90]


def test_a_rectified_priority_and_data_centre_change_the_clocks() -> None:
    journal = record(opened("Mon 17:00"), rectified(1, "urgency", "high"), rectified(1, "data_centre", True))
    row = journal.row("Mon 19:00")
    assert (row.priority, row.charge.judged.net_us) == (1, 2 * HOUR)


def test_a_rectified_opening_may_come_under_another_contract() -> None:
    journal = under_contract().contract(signed(customers=("BETA",)), activated(), adopted(), name="beta")
    journal.incident("INC1", opened("Mon 09:00"), rectified(1, "contract", "beta"))
    assert (journal.row().contract, reason(journal.row())) == ("beta", "no_credits")


def test_what_is_dated_before_a_rectified_opening_counts_at_the_opening_with_a_finding() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 09:30"), intervention_started("Mon 12:00"))
    journal.incident("INC1", rectified(1, "at", when("Mon 11:00")))
    row = journal.row()
    assert (row.charge.judged.net_us, row.charge.judged.decided_at) == (0, when("Mon 11:00"))
    assert row.intervention.judged.net_us == 1 * HOUR
    finding = row.findings[0]
    assert (finding.code, finding.clause, finding.versions) == ("dated_before_opening", "R3", (2,))
    # The taking in charge counts at the very instant of the opening now.
    assert [other.code for other in row.findings[1:]] == ["recorded_late", "charged_at_opening"]


def test_a_suspension_begun_before_a_rectified_opening_counts_from_the_opening() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00"), resumed("Mon 12:00"))
    row = journal.incident("INC1", rectified(1, "at", when("Mon 11:00"))).row("Mon 13:00")
    assert (row.charge.judged.net_us, row.charge.judged.suspended_us) == (1 * HOUR, 1 * HOUR)
    assert row.findings[0].versions == (2,)


def test_an_attribution_dated_before_a_rectified_opening_is_no_finding() -> None:
    journal = record(opened("Mon 09:00"), attributed("Mon 10:00", BY_CUSTOMER))
    row = journal.incident("INC1", rectified(1, "at", when("Mon 11:00"))).row("Mon 14:00")
    assert (codes(row), row.charge.responsible) == (["recorded_late"], BY_CUSTOMER)


def test_a_suspension_that_was_over_before_a_rectified_opening_suspends_nothing() -> None:
    """Recorded in the order resume, suspend: both count at the opening, and still the resumption came after."""
    journal = record(opened("Mon 09:00"), resumed("Mon 10:30"), suspended("Mon 10:00"))
    row = journal.incident("INC1", rectified(1, "at", when("Mon 11:00"))).row("Mon 13:00")
    assert (row.charge.judged.net_us, row.charge.judged.suspended_us) == (2 * HOUR, 0)


# --- findings of the calendar (H1) ------------------------------------------------------------------------------


def test_a_calendar_adopted_only_later_judges_with_a_finding() -> None:
    journal = under_contract(None, adopted("Tue 10:00")).incident("INC1", opened("Mon 09:00"), resolved("Mon 10:00"))
    row = journal.row()
    assert row.charge.judged.verdict is Verdict.MET
    (finding,) = row.findings
    assert (finding.code, finding.clause) == ("calendar_adopted_later", "H1")


def test_days_after_the_adoption_bear_no_finding() -> None:
    journal = under_contract(None, adopted("Tue 10:00")).incident("INC1", opened("Wed 09:00"))
    assert journal.row().findings == ()


def test_a_calendar_adopted_later_replaces_the_one_before_for_the_days_that_follow_only() -> None:
    journal = under_contract(
        None, adopted(), adopted("Tue 10:00", holidays={"2026-03-02": "Lunedì", "2026-03-04": "M"})
    )
    journal.incident("MON", opened("Mon 09:00")).incident("TUE", opened("Tue 17:00"))
    assert journal.row(of="MON").charge.judged.due == when("Mon 11:00")
    assert journal.row(of="TUE").charge.judged.due == when("Thu 09:00")
    assert journal.row(of="MON").findings == ()


def test_no_calendar_at_all_leaves_every_clock_undecided_with_a_finding() -> None:
    journal = Journal().contract(signed(), activated()).credits(bought()).incident("INC1", opened("Mon 09:00"))
    row = journal.row()
    assert [clock.judged.verdict for clock in row.clocks] == [Verdict.UNDECIDED, Verdict.UNDECIDED]
    assert codes(row) == ["calendar_does_not_cover"]


def test_a_best_effort_request_measured_past_the_contract_tells_of_calendars_adopted_later() -> None:
    journal = Journal().contract(signed(until="2026-12-31 12:00"), activated(), adopted())
    journal.incident("INC1", opened("2026-12-31 09:00", answer=best_effort("no_credits")))
    row = journal.contract(adopted("2027-01-05 10:00", years=(2027, 2027))).row("2027-01-05 12:00")
    assert row.charge.judged.net_us == (9 + 10 + 10 + 4) * HOUR
    assert codes(row) == ["calendar_adopted_later"]


# --- the row ----------------------------------------------------------------------------------------------------


def test_rows_come_by_contract_opening_and_id() -> None:
    journal = under_contract().contract(signed(customers=("B",)), activated(), adopted(), name="beta")
    for name, at, contract in (
        ("INC4", "Mon 09:00", "beta"),
        ("INC3", "Mon 09:00", ACME),
        ("INC2", "Tue 09:00", ACME),
        ("INC1", "Mon 09:00", ACME),
    ):
        journal.incident(name, opened(at, contract=contract))
    assert [row.incident for row in journal.rows()] == ["INC1", "INC3", "INC2", "INC4"]


def test_a_row_keeps_the_versions_that_prove_it_rectifications_included() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"), rectified(2, "at", when("Mon 10:30")))
    journal.incident("INC1", resolved("Thu 10:00"))
    assert journal.row("Fri 18:00").versions == (1, 2, 3, 4)
    assert journal.row("Wed 18:00").versions == (1, 2, 3)


def test_an_incident_is_undecided_while_one_of_its_clocks_is() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"))
    assert journal.row("Mon 12:00").undecided
    assert not journal.incident("INC1", resolved("Mon 13:00")).row("Mon 13:00").undecided


def test_a_breached_clock_is_decided_though_nobody_has_stopped_it() -> None:
    assert not record(opened("Mon 09:00")).row("Fri 18:00").undecided


STORY: tuple[Fact, ...] = (
    taken_in_charge("Mon 11:30"),
    suspended("Mon 09:30"),
    suspended("Mon 10:00", BY_SUPPLIER),
    suspended("Mon 10:30", BY_THIRD_PARTY),
    resumed("Mon 11:00"),
    reassessed("Mon 11:15", 1),
    intervention_started("Tue 10:00"),
    suspended("Tue 09:00"),
    resumed("Tue 09:30"),
    resolved("Tue 15:00"),
    reopened("Tue 16:00"),
    closed("Wed 10:00"),
    withdrawn("Thu 10:00"),
)


@given(
    facts=st.lists(st.sampled_from(STORY), unique_by=lambda fact: fact.at, max_size=len(STORY)),
    as_of=st.sampled_from(["Mon 10:45", "Mon 12:00", "Tue 09:15", "Wed 12:00", "Fri 18:00"]),
    reading=st.sampled_from(["literal", "reassessment=latest", "suspensions=counted", "one_sided=agreed"]),
)
@settings(max_examples=300)
def test_the_order_of_arrival_changes_nothing(facts: list[Fact], as_of: str, reading: str) -> None:
    """Facts of distinct instants say the same in whatever order they were recorded: versions alone differ."""
    in_order = record(opened("Mon 09:00"), *sorted(facts, key=lambda fact: fact.at))
    as_arrived = record(opened("Mon 09:00"), *facts)
    rows = [journal.row(as_of, reading) for journal in (in_order, as_arrived)]
    assert len(rows[0].versions) == len(rows[1].versions)
    told = [sorted(str(said.fact) for said in row.statements if said.counts) for row in rows]
    assert told[0] == told[1]
    first, second = (replace(row, versions=(), recorded_at=(), statements=(), findings=()) for row in rows)
    assert first == second
    late = [[finding.code for finding in row.findings if finding.code != "recorded_late"] for row in rows]
    assert late[0] == late[1]


def test_facts_about_penalties_touch_no_incident() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"))
    before = journal.row()
    assert journal.contract(claimed("Fri 10:00", "100.00")).row() == before
