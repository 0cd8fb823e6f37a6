"""Agreements given afterwards (admissions), claims of agreement, and whose word counts (A4, R7)."""

from typing import Any

import pytest
from support.examples import MONDAY_10, MONDAY_12, contract_facts, opened
from support.history import (
    BY_CUSTOMER,
    BY_FORCE_MAJEURE,
    CUSTOMER,
    DESK,
    SUPPLIER,
    THEIRS,
    Journal,
    agreed,
    annulled,
    appointed,
    attributed,
    dismissed,
    intervention_started,
    rectified,
    resumed,
    suspended,
    taken_in_charge,
    under_contract,
    when,
)
from support.history import opened as request
from support.spec import Decider

from domain import contract as contracts
from domain import incident as incidents
from domain.contract import Contract
from domain.incident import Incident
from domain.incident_facts import ClockSuspended
from domain.record_facts import Agree, RecordAgreed
from domain.values import Responsibility
from projections.clocks import Verdict

AGREED = "one_sided=agreed"
INCIDENTS = Decider(Incident("INC1"), incidents.decide, incidents.evolve)
CONTRACTS = Decider(Contract("acme"), contracts.decide, contracts.evolve)
SUSPENDED = ClockSuspended(at=MONDAY_10, cause=Responsibility.CUSTOMER)


# --- decided ----------------------------------------------------------------------------------------------------


def test_a_party_agrees_to_a_fact_afterwards() -> None:
    command = Agree(at=MONDAY_12, version=2, by=CUSTOMER)
    INCIDENTS.given(opened(), SUSPENDED).when(command).then(RecordAgreed(at=MONDAY_12, version=2, by=CUSTOMER))


def test_the_same_party_s_agreement_again_adds_nothing_and_the_other_s_does() -> None:
    given = INCIDENTS.given(opened(), SUSPENDED, RecordAgreed(at=MONDAY_12, version=2, by=CUSTOMER))
    given.when(Agree(at=MONDAY_12 + 1, version=2, by=CUSTOMER)).then_nothing()
    given.when(Agree(at=MONDAY_12, version=2, by=SUPPLIER)).then(RecordAgreed(at=MONDAY_12, version=2, by=SUPPLIER))


def test_a_party_agrees_to_what_is_on_record_and_to_no_agreement() -> None:
    INCIDENTS.given(opened()).when(Agree(at=MONDAY_12, version=2, by=CUSTOMER)).then_rejected("R5", "version")
    given = INCIDENTS.given(opened(), RecordAgreed(at=MONDAY_12, version=1, by=CUSTOMER))
    given.when(Agree(at=MONDAY_12, version=2, by=SUPPLIER)).then_rejected("R5", "version")


def test_somebody_agrees() -> None:
    INCIDENTS.given(opened(), SUSPENDED).when(Agree(at=MONDAY_12, version=2)).then_rejected("R7", "by")


def test_all_facts_up_to_a_position_are_agreed_to_on_the_stream_of_their_contract() -> None:
    command = Agree(at=MONDAY_12, up_to=7, by=CUSTOMER)
    CONTRACTS.given(*contract_facts()).when(command).then(RecordAgreed(at=MONDAY_12, up_to=7, by=CUSTOMER))
    INCIDENTS.given(opened()).when(command).then_rejected("R5", "up_to")


@pytest.mark.parametrize("fields", [{}, {"version": 1, "up_to": 1}])
def test_an_agreement_names_a_version_or_a_position(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="one version, or every fact"):
        Agree.model_validate({"at": MONDAY_12, "by": CUSTOMER, **fields})


# --- judged -----------------------------------------------------------------------------------------------------


def late_but_suspended(source: str = DESK) -> Journal:
    """Opened at 09:00, suspended for the customer 09:30 to 12:00, charged at 12:30: 1 hour of the 2 counts, or 3:30."""
    journal = under_contract().incident("INC1", request("Mon 09:00"), source=source)
    journal.incident("INC1", suspended("Mon 09:30"), resumed("Mon 12:00"), source=source)
    return journal.incident("INC1", taken_in_charge("Mon 12:30"), intervention_started("Mon 13:00"), source=source)


def charge(journal: Journal, reading: str = AGREED) -> Verdict:
    return journal.row(reading=reading).charge.judged.verdict


def test_an_agreement_makes_a_one_sided_suspension_count_whatever_its_own_date() -> None:
    journal = late_but_suspended()
    assert (charge(journal, "literal"), charge(journal)) == (Verdict.MET, Verdict.BREACHED)
    journal.incident("INC1", agreed(2, by=CUSTOMER, at="2026-06-01"))
    assert charge(journal) is Verdict.MET
    assert journal.row("Mon 18:00", AGREED).charge.judged.verdict is Verdict.MET
    assert charge(journal.known_on("2026-05-31")) is Verdict.BREACHED


def test_the_supplier_s_own_agreement_to_what_it_told_adds_nothing() -> None:
    assert charge(late_but_suspended().incident("INC1", agreed(2, by=SUPPLIER))) is Verdict.BREACHED


def test_all_facts_of_the_contract_up_to_a_position_are_agreed_to_and_none_after_it() -> None:
    # Positions: 1-3 the contract, 4 its credits, 5 the opening, 6 the suspension.
    assert charge(late_but_suspended().contract(agreed(up_to=5, by=CUSTOMER))) is Verdict.BREACHED
    assert charge(late_but_suspended().contract(agreed(up_to=6, by=CUSTOMER))) is Verdict.MET


def test_the_largest_of_several_positions_counts() -> None:
    journal = late_but_suspended().contract(agreed(up_to=6, by=CUSTOMER), agreed(up_to=2, by=CUSTOMER))
    assert charge(journal) is Verdict.MET


def test_a_month_of_one_contract_agreed_to_leaves_the_other_contract_s_requests_as_they_were() -> None:
    journal = late_but_suspended().contract(name="beta")
    journal.contract(*contract_facts(), name="beta", recorded="Fri 10:00")
    journal.contract(agreed(up_to=99, by=CUSTOMER), name="beta")
    assert charge(journal) is Verdict.BREACHED


def test_an_agreement_to_a_rectification_makes_it_count() -> None:
    journal = under_contract().incident("INC1", request("Mon 09:00"), intervention_started("Mon 12:00"))
    journal.incident("INC1", rectified(2, "at", when("Mon 10:00")))
    assert charge(journal) is Verdict.BREACHED
    assert charge(journal.incident("INC1", agreed(3, by=CUSTOMER))) is Verdict.MET


def test_an_agreement_to_a_fact_that_was_annulled_by_both_revives_nothing() -> None:
    journal = late_but_suspended().incident("INC1", agreed(2, by=CUSTOMER))
    journal.incident("INC1", annulled(2, agreed_by=(CUSTOMER,)))
    assert charge(journal) is Verdict.BREACHED


def test_a_claimed_agreement_counts_while_the_other_has_no_source_and_the_row_says_so() -> None:
    journal = under_contract().incident("INC1", request("Mon 09:00"), intervention_started("Mon 12:00"))
    journal.incident("INC1", attributed("Tue 09:00", BY_CUSTOMER, agreed_by=(CUSTOMER,)))
    row = journal.row(reading=AGREED)
    assert row.breach is False
    (finding,) = [one for one in row.findings if one.code == "agreement_claimed"]
    assert (finding.clause, finding.versions) == ("R7", (3,))
    # An agreement that the desk tells in the customer's name is claimed as well; its own source's is not.
    journal.incident("INC1", agreed(3, by=CUSTOMER))
    (finding,) = [one for one in journal.row(reading=AGREED).findings if one.code == "agreement_claimed"]
    assert finding.versions == (3, 4)


def test_a_claimed_agreement_that_the_customer_s_own_source_confirms_is_claimed_no_more() -> None:
    journal = under_contract().incident("INC1", request("Mon 09:00"), intervention_started("Mon 12:00"))
    journal.incident("INC1", attributed("Tue 09:00", BY_CUSTOMER, agreed_by=(CUSTOMER,)))
    journal.contract(appointed(THEIRS, CUSTOMER, "Wed 09:00"))
    journal.incident("INC1", agreed(3, by=CUSTOMER), source=THEIRS)
    assert "agreement_claimed" not in [one.code for one in journal.row(reading=AGREED).findings]


# --- the story of the issue -------------------------------------------------------------------------------------
# One message of a help desk that says `by: customer, agreed_by: [supplier]` took the penalty to nothing.


def demo_in_small(*, with_sources: bool) -> Journal:
    """The only request is late: a maximum of 500.00; then the desk excuses it in the customer's name."""
    journal = under_contract()
    if with_sources:
        journal.contract(appointed(DESK, SUPPLIER, "Mon 08:00"), appointed(THEIRS, CUSTOMER, "Mon 08:01"))
    journal.late("INC1")
    return journal.incident("INC1", attributed("Tue 09:00", BY_FORCE_MAJEURE, by=SUPPLIER, agreed_by=(CUSTOMER,)))


def maximum(journal: Journal, reading: str = AGREED) -> str:
    return str(journal.penalty(reading=reading).maximum_penalty)


def test_without_sources_one_message_takes_the_penalty_to_nothing_with_a_finding() -> None:
    journal = demo_in_small(with_sources=False)
    assert (maximum(journal), maximum(journal, "literal")) == ("None", "None")
    assert "agreement_claimed" in [one.code for one in journal.row().findings]


def test_with_sources_the_claim_of_the_other_s_agreement_counts_for_nothing() -> None:
    journal = demo_in_small(with_sources=True)
    assert maximum(journal) == "500.00"
    assert "agreement_claimed" not in [one.code for one in journal.row().findings]
    (said,) = journal.row().statements
    assert (said.one_sided, said.fact.agreed_by) == (True, ())


def test_with_sources_the_customer_s_own_agreement_takes_it_to_nothing() -> None:
    journal = demo_in_small(with_sources=True).incident("INC1", agreed(3, by=CUSTOMER), source=THEIRS)
    assert maximum(journal) == "None"


def test_an_agreement_told_before_a_source_was_appointed_still_counts_as_told() -> None:
    journal = under_contract().late("INC1")
    journal.incident("INC1", attributed("Tue 09:00", BY_FORCE_MAJEURE, agreed_by=(CUSTOMER,)))
    journal.contract(appointed(THEIRS, CUSTOMER, "Wed 08:00"))
    assert maximum(journal) == "None"


def test_while_only_the_supplier_has_a_source_the_customer_s_agreement_is_claimed() -> None:
    journal = under_contract().contract(appointed(DESK, SUPPLIER, "Mon 08:00")).late("INC1")
    journal.incident("INC1", attributed("Tue 09:00", BY_FORCE_MAJEURE, agreed_by=(CUSTOMER,)))
    assert "agreement_claimed" in [one.code for one in journal.row().findings]


def test_once_its_source_is_dismissed_a_party_s_agreement_is_claimed_again() -> None:
    journal = under_contract().contract(appointed(THEIRS, CUSTOMER, "Mon 08:00")).late("INC1")
    journal.contract(dismissed(THEIRS, "Tue 08:00"))
    journal.incident("INC1", attributed("Tue 09:00", BY_FORCE_MAJEURE, agreed_by=(CUSTOMER,)))
    assert maximum(journal) == "None"
    assert "agreement_claimed" in [one.code for one in journal.row().findings]


# --- another source ---------------------------------------------------------------------------------------------


def test_what_another_source_tells_counts_with_a_finding_while_the_contract_appoints_none() -> None:
    journal = under_contract().incident("INC1", request("Mon 09:00"))
    journal.incident("INC1", intervention_started("Mon 10:00"), source="monitor://other")
    row = journal.row()
    assert row.intervention.judged.verdict is Verdict.MET
    (finding,) = [one for one in row.findings if one.code == "other_source"]
    assert (finding.clause, finding.versions) == ("R7", (2,))


def test_once_the_contract_appoints_sources_no_finding_is_made_of_another() -> None:
    journal = under_contract().contract(
        appointed(DESK, SUPPLIER, "Mon 08:00"), appointed(THEIRS, CUSTOMER, "Mon 08:01")
    )
    journal.incident("INC1", request("Mon 09:00"), source=THEIRS)
    journal.incident("INC1", intervention_started("Mon 10:00"), source=DESK)
    assert "other_source" not in [one.code for one in journal.row().findings]
