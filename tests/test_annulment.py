"""A fact that is annulled counts as if it had never been recorded; both stay on record (R5)."""

import pytest
from support.examples import MONDAY_9, MONDAY_10, MONDAY_12, contract_facts, opened, signed
from support.history import (
    CUSTOMER,
    SUPPLIER,
    Journal,
    agreed,
    annulled,
    intervention_started,
    rectified,
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
from domain.incident_facts import IncidentTakenInCharge, TakeInCharge
from domain.record_facts import Agree, Annul, RecordAgreed, RecordAnnulled, Rectify
from domain.terms import Service
from projections.clocks import Verdict

INCIDENTS = Decider(Incident("INC1"), incidents.decide, incidents.evolve)
CONTRACTS = Decider(Contract("acme"), contracts.decide, contracts.evolve)
CHARGED = IncidentTakenInCharge(at=MONDAY_10)


def annul(version: int, at: int = MONDAY_12) -> Annul:
    return Annul(at=at, version=version, why="told of the wrong request")


def annulment(version: int, at: int = MONDAY_12) -> RecordAnnulled:
    return RecordAnnulled(at=at, version=version, why="told of the wrong request")


def test_a_fact_is_annulled() -> None:
    INCIDENTS.given(opened(), CHARGED).when(annul(2)).then(annulment(2))
    assert incidents.fold("INC1", (opened(), CHARGED, annulment(2))).charges == ()


def test_the_same_annulment_again_adds_nothing_though_it_is_dated_otherwise() -> None:
    INCIDENTS.given(opened(), CHARGED, annulment(2)).when(annul(2, MONDAY_12 + 1)).then_nothing()


def test_an_opening_is_closed_as_void_instead() -> None:
    assert "void" in INCIDENTS.given(opened()).when(annul(1)).then_rejected("R5", "version")


def test_a_signature_is_never_annulled() -> None:
    CONTRACTS.given(signed()).when(annul(1)).then_rejected("R5", "version")


def test_an_admission_is_never_annulled() -> None:
    admission = RecordAgreed(at=MONDAY_12, version=2, by=CUSTOMER)
    INCIDENTS.given(opened(), CHARGED, admission).when(annul(3)).then_rejected("R5", "version")


def test_there_has_to_be_such_a_fact() -> None:
    INCIDENTS.given(opened()).when(annul(2)).then_rejected("R5", "version")


def test_an_option_is_annulled_on_the_stream_of_its_contract() -> None:
    signature, option, calendar = contract_facts()
    assert contracts.fold("acme", (signature, option, calendar)).active(Service.ASSISTANCE, MONDAY_9)
    state = contracts.fold("acme", (signature, option, calendar, annulment(2)))
    assert not state.active(Service.ASSISTANCE, MONDAY_9)
    CONTRACTS.given(*contract_facts()).when(annul(2)).then(annulment(2))


def test_an_annulment_is_annulled_and_the_fact_counts_again() -> None:
    given = INCIDENTS.given(opened(), CHARGED, annulment(2))
    given.when(annul(3)).then(annulment(3))
    assert incidents.fold("INC1", (opened(), CHARGED, annulment(2), annulment(3))).charges == (CHARGED,)


def test_after_its_annulment_was_annulled_a_fact_may_be_annulled_again_with_the_same_words() -> None:
    record = (opened(), CHARGED, annulment(2), annulment(3))
    INCIDENTS.given(*record).when(annul(2)).then(annulment(2))
    assert incidents.fold("INC1", (*record, annulment(2))).charges == ()


def test_an_annulment_of_an_annulment_of_an_annulment() -> None:
    record = (opened(), CHARGED, annulment(2), annulment(3), annulment(4))
    assert incidents.fold("INC1", record).charges == ()


def test_an_annulled_fact_may_be_told_again() -> None:
    INCIDENTS.given(opened(), CHARGED, annulment(2)).when(TakeInCharge(at=MONDAY_10)).then(CHARGED)


def test_a_fact_that_is_annulled_is_not_rectified_until_its_annulment_is_annulled() -> None:
    command = Rectify(at=MONDAY_12, version=2, field="at", value="2026-03-02T09:30:00+01:00", why="a slip")
    INCIDENTS.given(opened(), CHARGED, annulment(2)).when(command).then_rejected("R5", "version")
    corrected = INCIDENTS.given(opened(), CHARGED, annulment(2), annulment(3)).and_recorded(command)
    assert isinstance(corrected.state, Incident)
    assert [charge.at for charge in corrected.state.charges] == [MONDAY_9 + 1_800_000_000]


@pytest.mark.parametrize("version", [3, 4])
def test_what_is_said_of_a_fact_is_not_rectified(version: int) -> None:
    record = (opened(), CHARGED, annulment(2), RecordAgreed(at=MONDAY_12, version=3, by=CUSTOMER))
    command = Rectify(at=MONDAY_12, version=version, field="why", value="other", why="a slip")
    INCIDENTS.given(*record).when(command).then_rejected("R5", "version")


# --- judged -----------------------------------------------------------------------------------------------------


def record() -> Journal:
    """Taken in charge after an hour of the two; intervention after five of the eight."""
    return under_contract().incident(
        "INC1", request("Mon 09:00"), taken_in_charge("Mon 10:00"), intervention_started("Mon 14:00")
    )


def test_a_request_is_judged_as_if_the_fact_had_never_been_told() -> None:
    journal = record().incident("INC1", annulled(2))
    row = journal.row()
    assert (row.charge.judged.verdict, row.intervention.judged.verdict) == (Verdict.BREACHED, Verdict.MET)
    assert row.charge.judged.decided_at == when("Mon 11:00") + 1
    assert [(said.version, said.counts, said.one_sided) for said in row.statements] == [(4, True, True)]


def test_it_applies_whatever_its_own_date_once_it_is_known() -> None:
    journal = record().incident("INC1", annulled(2, at="Fri 12:00"))
    assert journal.row("Mon 18:00").charge.judged.verdict is Verdict.BREACHED
    assert journal.known_on("Fri 11:59").row("Mon 18:00").charge.judged.verdict is Verdict.MET


def test_one_party_s_annulment_counts_for_nothing_under_agreed_until_the_other_agrees() -> None:
    journal = record().incident("INC1", annulled(2, by=CUSTOMER))
    assert journal.row().charge.judged.verdict is Verdict.BREACHED
    assert journal.row(reading="one_sided=agreed").charge.judged.verdict is Verdict.MET
    journal.incident("INC1", agreed(4, by=SUPPLIER))
    assert journal.row(reading="one_sided=agreed").charge.judged.verdict is Verdict.BREACHED


def test_where_an_annulment_of_a_rectification_is_one_sided_the_agreed_rectification_stands() -> None:
    # Rectified by both to 12:00: late; the supplier alone annuls that: 10:00 again.
    later = rectified(2, "at", when("Mon 12:00"), agreed_by=(CUSTOMER,))
    journal = record().incident("INC1", later, annulled(4))
    assert journal.row().charge.judged.verdict is Verdict.MET
    assert journal.row(reading="one_sided=agreed").charge.judged.verdict is Verdict.BREACHED


def test_an_agreement_is_recorded_of_an_annulment() -> None:
    command = Agree(at=MONDAY_12, version=3, by=CUSTOMER)
    INCIDENTS.given(opened(), CHARGED, annulment(2)).when(command).then(
        RecordAgreed(at=MONDAY_12, version=3, by=CUSTOMER)
    )
