"""Two times: what was known on a date, and what is judged as of an instant; rectifications lie between them."""

import pytest
from support.history import (
    ACME,
    BY_CUSTOMER,
    HOUR,
    Journal,
    adopted,
    attributed,
    bought,
    intervention_started,
    opened,
    rectified,
    resolved,
    resumed,
    signed,
    suspended,
    taken_in_charge,
    under_contract,
    when,
)

from domain.contract_facts import CalendarAdopted, OptionActivated
from domain.facts import Fact
from projections.clocks import Verdict
from projections.history import Entry, History
from projections.readings import LITERAL
from projections.replay import Replay


def record(*facts: Fact) -> Journal:
    return under_contract().incident("INC1", *facts)


# --- known on ---------------------------------------------------------------------------------------------------


def charged_late_in_the_record() -> Journal:
    """Taken in charge on Monday at 10:00, which was recorded on Thursday at 09:00."""
    return record(opened("Mon 09:00")).incident("INC1", taken_in_charge("Mon 10:00"), recorded="Thu 09:00")


def test_what_was_recorded_later_was_not_known() -> None:
    journal = charged_late_in_the_record().known_on("Wed 18:00")
    assert journal.row("Mon 12:00").charge.judged.verdict is Verdict.BREACHED


def test_what_is_known_now_re_judges_the_past() -> None:
    assert charged_late_in_the_record().row("Mon 12:00").charge.judged.verdict is Verdict.MET


def test_known_on_an_instant_includes_what_was_recorded_then() -> None:
    journal = charged_late_in_the_record()
    assert journal.known_on("Thu 09:00").row("Mon 12:00").charge.judged.net_us == 1 * HOUR
    assert journal.known_on("Thu 08:59:59.999999").row("Mon 12:00").charge.judged.net_us == 3 * HOUR


# --- as of ------------------------------------------------------------------------------------------------------


def test_as_of_an_instant_includes_what_occurred_then() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"))
    assert journal.row("Mon 10:00").charge.judged.verdict is Verdict.MET
    assert journal.row("Mon 09:59:59.999999").charge.judged.verdict is Verdict.RUNNING


def test_running_clocks_are_judged_at_as_of() -> None:
    journal = record(opened("Mon 09:00"), intervention_started("Mon 14:00"))
    assert journal.row("Mon 10:00").charge.judged.net_us == 1 * HOUR
    assert journal.row("Mon 12:00").charge.judged.verdict is Verdict.BREACHED


def test_a_request_opened_after_as_of_is_not_there() -> None:
    journal = record(opened("Mon 09:00"))
    assert [row.incident for row in journal.rows("Mon 09:00")] == ["INC1"]
    assert journal.rows("Mon 08:59:59.999999") == []


def test_a_contract_signed_after_as_of_is_not_there() -> None:
    journal = under_contract()
    assert [one.contract.id for one in journal.replay("2025-12-15 10:00").signed_contracts] == [ACME]
    assert journal.replay("2025-12-15 09:59").signed_contracts == []


def test_known_on_and_as_of_are_asked_apart() -> None:
    """As of Tuesday, by what was known on Wednesday: the request is open and running, and its suspension unknown."""
    journal = record(opened("Mon 17:00"))
    journal.incident("INC1", suspended("Mon 17:30"), recorded="Thu 09:00")
    journal.incident("INC1", resumed("Wed 09:00"), recorded="Thu 10:00")
    assert journal.known_on("Wed 12:00").row("Tue 08:30").charge.judged.net_us == 90 * 60 * 1_000_000
    assert journal.known_on("Thu 12:00").row("Tue 08:30").charge.judged.net_us == 30 * 60 * 1_000_000
    assert journal.known_on("Thu 12:00").row("Wed 09:30").charge.judged.net_us == 1 * HOUR


# --- rectifications ---------------------------------------------------------------------------------------------


def test_a_rectification_applies_whatever_its_own_date() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 15:00"))
    journal.incident("INC1", rectified(2, "at", when("Mon 10:00"), at="Fri 12:00"))
    assert journal.row("Mon 12:00").charge.judged.net_us == 1 * HOUR


def test_the_last_rectification_recorded_for_a_field_rules_whatever_its_own_date() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 15:00"))
    journal.incident("INC1", rectified(2, "at", when("Mon 10:00"), at="Fri 12:00"))
    journal.incident("INC1", rectified(2, "at", when("Mon 11:00"), at="Thu 12:00"))
    row = journal.row()
    assert (row.charge.judged.net_us, row.versions) == (2 * HOUR, (1, 2, 3, 4))


def test_a_rectification_recorded_later_was_not_known() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 15:00"))
    journal.incident("INC1", rectified(2, "at", when("Mon 10:00")), recorded="Fri 12:00")
    assert journal.known_on("Fri 11:59").row("Fri 11:00").charge.judged.net_us == 6 * HOUR
    assert journal.known_on("Fri 12:00").row("Fri 11:00").charge.judged.net_us == 1 * HOUR


def test_a_fact_is_there_as_of_its_corrected_instant_in_both_directions() -> None:
    later = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"))
    later.incident("INC1", rectified(2, "at", when("Mon 10:30")))
    assert later.row("Mon 10:15").charge.judged.verdict is Verdict.RUNNING
    earlier = record(opened("Mon 09:00"), taken_in_charge("Mon 17:00"))
    earlier.incident("INC1", rectified(2, "at", when("Mon 10:00")))
    assert earlier.row("Mon 10:15").charge.judged.verdict is Verdict.MET


def test_meaning_follows_the_corrected_instant() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00"), resumed("Mon 11:00"))
    journal.incident("INC1", rectified(3, "at", when("Mon 09:30")))
    assert journal.row("Mon 12:00").charge.judged.suspended_us == 2 * HOUR


def test_rectifications_of_two_fields_both_apply() -> None:
    journal = record(opened("Mon 09:00", 5), rectified(1, "impact", "high"), rectified(1, "urgency", "high"))
    assert journal.row().priority == 1


def test_contract_and_credits_are_rectified_too() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"))
    assert journal.row().answer.guaranteed
    journal.contract(rectified(1, "in_force_from", when("Wed 00:00")))
    assert str(journal.row().answer.reason) == "contract_not_in_force"
    journal.contract(rectified(1, "in_force_from", when("Mon 00:00")))
    assert journal.row().answer.guaranteed
    journal.credits(rectified(1, "at", when("Tue 00:00")))
    assert str(journal.row().answer.reason) == "no_credits"


def test_a_rectified_attribution_keeps_its_place_in_the_order_of_recording() -> None:
    journal = record(opened("Mon 09:00"), resolved("Tue 12:00"), attributed("Wed 09:00", BY_CUSTOMER))
    journal.incident("INC1", attributed("Wed 10:00", BY_CUSTOMER), rectified(4, "party", "force_majeure"))
    journal.incident("INC1", rectified(3, "party", "third_party"))
    assert journal.row().charge.responsible.value == "force_majeure"


def test_an_incident_is_told_by_its_facts_in_order_of_meaning() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00"))
    incident = journal.replay().incident("INC1")
    assert incident is not None
    assert [type(fact).TYPE for fact in incident.incident.record] == ["incident.opened.v1", "incident.suspended.v1"]
    assert incident.versions == (1, 2)


# --- the history itself -----------------------------------------------------------------------------------------


def test_a_history_keeps_each_stream_apart_and_its_position() -> None:
    journal = under_contract().met("INC-1-A", "Mon").met("INC-1-B", "Mon")
    history = History.of(journal.entries)
    assert list(history.contracts) == list(history.accounts) == [ACME]
    assert list(history.incidents) == ["INC-1-A", "INC-1-B"]
    assert [entry.version for entry in history.incidents["INC-1-A"]] == [1, 2]
    assert history.position == len(journal.entries) == 8


def test_the_position_may_be_further_than_the_entries_given() -> None:
    assert History.of(under_contract().entries, 40).position == 40


def test_a_history_of_nothing_reports_nothing() -> None:
    journal = Journal()
    assert History.of([]).position == 0
    assert (journal.rows(), journal.windows(), journal.penalties()) == ([], [], [])
    assert (journal.balances(), journal.queue()) == ([], [])


def test_an_incident_nobody_told_of_is_none() -> None:
    assert Replay(History.of([]), LITERAL, when("Mon 09:00")).incident("INC1") is None


def test_signed_contracts_come_by_name() -> None:
    journal = under_contract()
    journal.contract(signed(customers=("B",)), name="zeta").contract(signed(customers=("C",)), name="beta")
    journal.credits(bought(), name="unsigned")
    assert [one.contract.id for one in journal.replay().signed_contracts] == [ACME, "beta", "zeta"]


def test_a_contract_names_the_versions_of_its_facts_of_one_type() -> None:
    contract = under_contract(None, adopted(), adopted("Mon 10:00")).replay().contract(ACME)
    assert contract.versions(CalendarAdopted) == (3, 4)
    assert contract.versions(OptionActivated) == (2,)


@pytest.mark.parametrize("as_of", ["Mon 09:30", "Tue 12:00"])
def test_the_same_entries_always_tell_the_same(as_of: str) -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00")).late("INC2", "Mon")
    again = Journal([Entry(*entry) for entry in journal.entries])
    assert journal.rows(as_of) == again.rows(as_of)
    assert journal.penalties(as_of) == again.penalties(as_of)
