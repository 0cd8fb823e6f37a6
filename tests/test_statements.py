"""Every row shows by whom what it rests on was told, agreed or not, how late, and which facts they are (A4)."""

import pytest
from support.history import (
    BY_CUSTOMER,
    CUSTOMER,
    DESK,
    HOUR,
    SUPPLIER,
    THEIRS,
    Journal,
    annulled,
    attributed,
    bought,
    closed,
    intervention_started,
    levels,
    opened,
    reassessed,
    rectified,
    resumed,
    revised,
    signed,
    suspended,
    taken_in_charge,
    under_contract,
    when,
    withdrawn,
)

from domain.facts import Fact
from projections.clocks import Verdict
from projections.findings import Finding

DAY = 24 * HOUR


def record(*facts: Fact) -> Journal:
    return under_contract().incident("INC1", *facts)


def found(journal: Journal, code: str) -> list[Finding]:
    return [finding for finding in journal.row().findings if finding.code == code]


def test_a_row_shows_who_told_each_contestable_fact_from_where_agreed_or_not_and_how_late() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"))
    journal.incident("INC1", suspended("Mon 09:30"), recorded="Tue 09:30")
    journal.incident("INC1", attributed("Wed 09:00", BY_CUSTOMER, by=CUSTOMER, agreed_by=(SUPPLIER,)), source=THEIRS)
    journal.incident("INC1", rectified(2, "at", when("Mon 09:59"), at="Thu 09:00"), annulled(2, at="Thu 10:00"))
    told = [
        (said.version, said.stored_type, said.source, said.fact.by, said.one_sided, said.lateness_us)
        for said in journal.row().statements
    ]
    assert told == [
        (3, "incident.suspended.v1", DESK, SUPPLIER, True, DAY),
        (4, "incident.responsibility_attributed.v1", THEIRS, CUSTOMER, False, 0),
        # What is said on Thursday of Monday's taking in charge is as late as if it had been told then: 71 and 72 hours.
        (5, "record.rectified.v1", DESK, SUPPLIER, True, 71 * HOUR),
        (6, "record.annulled.v1", DESK, SUPPLIER, True, 72 * HOUR),
    ]


def test_a_closing_is_contestable_only_where_it_is_void() -> None:
    assert record(opened("Mon 09:00"), closed("Mon 12:00")).row().statements == ()
    (said,) = record(opened("Mon 09:00"), withdrawn("Mon 10:00")).row().statements
    assert said.stored_type == "incident.closed.v2"


def test_a_statement_that_the_reading_leaves_out_is_shown_as_not_counting() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 09:30"))
    assert [said.counts for said in journal.row().statements] == [True]
    assert [said.counts for said in journal.row(reading="one_sided=agreed").statements] == [False]


# --- recorded late ----------------------------------------------------------------------------------------------


def test_a_second_taking_in_charge_told_a_year_later_with_an_earlier_instant_shows_its_lateness() -> None:
    # 12:00 is late; 10:00, told in December, is in time and rules.
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 12:00"), intervention_started("Mon 13:00"))
    assert journal.row().charge.judged.verdict is Verdict.BREACHED
    journal.incident("INC1", taken_in_charge("Mon 10:00"), recorded="2026-12-20 09:00")
    assert journal.row().charge.judged.verdict is Verdict.MET
    (finding,) = found(journal, "recorded_late")
    assert (finding.clause, finding.versions) == ("A4", (4,))


@pytest.mark.parametrize(("recorded", "late"), [("Tue 09:59:59.999999", False), ("Tue 10:00", True)])
def test_a_fact_is_late_from_a_day_on(recorded: str, late: bool) -> None:
    journal = record(opened("Mon 09:00")).incident("INC1", taken_in_charge("Mon 10:00"), recorded=recorded)
    assert bool(found(journal, "recorded_late")) is late


def test_it_is_not_late_where_its_own_source_recorded_it_in_time() -> None:
    """An import of last year's tickets is no late telling: the export says when the help desk itself knew."""
    journal = record(opened("Mon 09:00"))
    journal.incident("INC1", taken_in_charge("Mon 10:00", told="Mon 10:05"), recorded="2026-12-01")
    assert found(journal, "recorded_late") == []


def test_it_is_late_where_its_own_source_recorded_it_late() -> None:
    journal = record(opened("Mon 09:00")).incident("INC1", taken_in_charge("Mon 10:00", told="Wed 10:00"))
    assert [finding.versions for finding in found(journal, "recorded_late")] == [(2,)]


@pytest.mark.parametrize(
    "fact",
    [
        suspended("Mon 09:30"),
        resumed("Mon 09:30"),
        intervention_started("Mon 10:00"),
        withdrawn("Mon 10:00"),
        reassessed("Mon 10:00", 1),
    ],
)
def test_all_that_stops_suspends_or_excuses_shows_it(fact: Fact) -> None:
    journal = record(opened("Mon 09:00")).incident("INC1", fact, recorded="Fri 09:00")
    assert found(journal, "recorded_late") != []


def test_a_late_fact_that_was_annulled_is_not_rested_on() -> None:
    journal = record(opened("Mon 09:00")).incident("INC1", taken_in_charge("Mon 10:00"), recorded="Fri 09:00")
    assert found(journal.incident("INC1", annulled(2)), "recorded_late") == []


# --- automatic, and at the opening ------------------------------------------------------------------------------


def test_an_automatic_taking_in_charge_is_recorded_and_stops_no_clock() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 09:00", automatic=True))
    row = journal.row("Mon 12:00")
    assert (row.charge.judged.verdict, row.versions) == (Verdict.BREACHED, (1, 2))
    assert found(journal, "charged_at_opening") == []


def test_a_taking_in_charge_at_the_very_opening_stops_the_clock_with_a_finding() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 09:00"), intervention_started("Mon 10:00"))
    assert (journal.row().charge.judged.net_us, journal.row().charge.judged.verdict) == (0, Verdict.MET)
    (finding,) = found(journal, "charged_at_opening")
    assert (finding.clause, finding.versions) == ("A5", (2,))
    later = record(opened("Mon 09:00"), taken_in_charge("Mon 09:00:00.000001"))
    assert found(later, "charged_at_opening") == []


def test_a_taking_in_charge_rectified_to_be_automatic_stops_no_clock() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"), rectified(2, "automatic", True))
    assert journal.row().charge.judged.verdict is Verdict.BREACHED


# --- what it rests on -------------------------------------------------------------------------------------------


def test_a_request_names_the_versions_of_contract_calendar_and_credits_that_it_rests_on() -> None:
    journal = under_contract().contract(revised("2026-02-02 09:00", "2026-02-02 09:00", levels()))
    journal.credits(bought("Mon 08:00", name="B"), bought("Tue 08:00", name="LATER")).incident("INC1", opened())
    incident = journal.replay().incident("INC1")
    assert incident is not None
    assert incident.contract is not None
    basis = incident.contract.basis(incident.opened.at)
    assert (basis.contract, basis.calendar, basis.credits) == ((1, 2, 4), (3,), [1, 2])


# --- reassessments, and a breach proven -------------------------------------------------------------------------


def test_a_reassessment_that_leaves_the_priority_as_it_was_decides_nothing() -> None:
    # Priority 2 (2 hours), reassessed as 2 at 12:00: breached just after 11:00, not at 12:00.
    journal = record(opened("Mon 09:00"), reassessed("Mon 12:00", 2), intervention_started("Mon 13:00"))
    assert journal.row(reading="reassessment=latest").charge.judged.decided_at == when("Mon 11:00") + 1


def test_of_reassessments_the_last_that_changed_the_priority_rules() -> None:
    # To 1 (1 hour) at 10:30, when 1:30 has counted: breached then; 1 again at 10:45 decides nothing.
    facts = (reassessed("Mon 10:30", 1), reassessed("Mon 10:45", 1), intervention_started("Mon 11:00"))
    judged = record(opened("Mon 09:00"), *facts).row(reading="reassessment=latest").charge.judged
    assert (judged.target_us, judged.verdict, judged.decided_at) == (HOUR, Verdict.BREACHED, when("Mon 10:30"))


def test_a_breach_proven_within_the_years_covered_stays_one() -> None:
    # Opened on Wednesday 30 December 2026: beyond its 2 hours by 11:00, and 2027 is covered by no calendar.
    journal = under_contract(signed(until=None)).incident("INC1", opened("2026-12-30 09:00"))
    before, after = journal.row("2026-12-30 18:00"), journal.row("2027-02-01")
    assert before.charge.judged.verdict is after.charge.judged.verdict is Verdict.BREACHED
    assert after.charge.judged.decided_at == when("2026-12-30 11:00") + 1
    assert after.charge.judged.net_us is None
