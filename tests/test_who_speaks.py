"""Who may say what at the desk: sources appointed to a party, agreements, annulments and claims (R4, R5, R7, P2)."""

from collections.abc import Iterator
from typing import Any

import pytest
from support.messages import CONTRACT, INCIDENT, Clock, contract_in_force, memory, message, names, opening, sign

from adapters.inbox.handler import CommandHandler
from adapters.inbox.outcomes import Outcome, Refused
from adapters.reports.not_recorded import NotRecorded, not_recorded
from adapters.store.ledger import Ledger
from domain.facts import Fact
from domain.incident_facts import ClockSuspended, IncidentTakenInCharge
from domain.record_facts import RecordAgreed
from domain.source_facts import SourceAppointed, SourceDismissed
from domain.values import Party, read_instant

OURS, THEIRS, OTHER = "helpdesk://supplier", "desk://customer", "monitor://nobody"
AT = "2026-03-02T09:00:00Z"
ON_CONTRACT, ON_REQUEST = f"contract-{CONTRACT}", f"incident-{INCIDENT}"


class Desk:
    """A contract in force, and messages about it."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger = ledger
        self.handler = CommandHandler(ledger, clock)

    def says(self, source: str, command: str, subject: str, data: dict[str, Any], time: str = AT) -> Outcome:
        (outcome,) = self.handler.handle([message(command, subject, time, data, source=source)]).outcomes
        return outcome

    def appoint(self, source: str, party: str, *, by: str = OURS) -> Outcome:
        return self.says(by, "contract.appoint_source", ON_CONTRACT, {"source": source, "party": party})

    def dismiss(self, source: str, *, by: str = OURS) -> Outcome:
        return self.says(by, "contract.dismiss_source", ON_CONTRACT, {"source": source})

    def opens(self, source: str, incident: str = INCIDENT) -> Outcome:
        data = {"impact": "high", "urgency": "medium", "contract": CONTRACT}
        return self.says(source, "incident.open", f"incident-{incident}", data, "2026-03-02T08:00:00Z")

    def suspends(self, source: str, time: str = AT, **data: Any) -> Outcome:
        return self.says(source, "incident.suspend", ON_REQUEST, {"cause": "customer", **data}, time)

    def facts(self, stream: str) -> list[Fact]:
        return list(self.ledger.streams([stream])[stream])


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Nobody is appointed."""
    clock = Clock()
    with memory(clock) as ledger:
        made = Desk(ledger, clock)
        assert names(made.handler.handle(contract_in_force()).outcomes) == ["Done"] * 4
        yield made


@pytest.fixture
def both(desk: Desk) -> Desk:
    """Each party has a source of its own."""
    assert names([desk.appoint(OURS, "supplier"), desk.appoint(THEIRS, "customer", by=THEIRS)]) == ["Done", "Done"]
    assert names([desk.opens(THEIRS)]) == ["Done"]
    return desk


def refused(outcome: Outcome, clause: str, field: str) -> str:
    """The reason of a refusal by this clause, for this field."""
    assert isinstance(outcome, Refused), outcome
    assert (outcome.clause, outcome.field) == (clause, field)
    return outcome.reason


# --- appointing and dismissing ----------------------------------------------------------------------------------


def test_a_source_is_appointed_and_dismissed(desk: Desk) -> None:
    at = read_instant(AT)
    assert names([desk.appoint(OURS, "supplier"), desk.dismiss(OURS)]) == ["Done", "Done"]
    assert desk.facts(ON_CONTRACT)[-2:] == [
        SourceAppointed(at=at, source=OURS, party=Party.SUPPLIER),
        SourceDismissed(at=at, source=OURS),
    ]


def test_only_a_party_s_own_source_appoints_another_of_it(both: Desk) -> None:
    refused(both.appoint("desk://second", "customer", by=OURS), "R7", "source")
    assert names([both.appoint("desk://second", "customer", by=THEIRS)]) == ["Done"]


def test_only_a_party_s_own_source_dismisses_its_sources(both: Desk) -> None:
    refused(both.dismiss(THEIRS, by=OURS), "R7", "source")
    assert names([both.dismiss(THEIRS, by=THEIRS)]) == ["Done"]


def test_no_source_is_taken_from_a_party_by_appointing_it_to_the_other(both: Desk) -> None:
    """The supplier's source cannot make the customer's its own."""
    refused(both.appoint(THEIRS, "supplier", by=OURS), "R7", "source")


# --- speaking for a party ---------------------------------------------------------------------------------------


def test_a_source_does_not_say_what_the_other_party_says(both: Desk) -> None:
    assert "speaks for it alone" in refused(both.suspends(OURS, by="customer"), "R7", "by")
    refused(both.suspends(THEIRS, by="supplier"), "R7", "by")


def test_a_source_speaks_for_its_own_party_where_it_does_not_say_for_whom(both: Desk) -> None:
    assert names([both.suspends(THEIRS)]) == ["Done"]
    (fact,) = [one for one in both.facts(ON_REQUEST) if isinstance(one, ClockSuspended)]
    assert fact.by is Party.CUSTOMER


def test_once_it_appoints_only_appointed_sources_speak_of_its_requests(both: Desk) -> None:
    refused(both.suspends(OTHER), "R7", "by")
    refused(both.says(OTHER, "incident.take_in_charge", ON_REQUEST, {}), "R7", "source")
    refused(both.opens(OTHER, "INC2"), "R7", "source")
    assert names([both.says(OURS, "incident.take_in_charge", ON_REQUEST, {})]) == ["Done"]


def test_a_dismissed_source_speaks_no_more(both: Desk) -> None:
    assert names([both.dismiss(OURS)]) == ["Done"]
    refused(both.says(OURS, "incident.take_in_charge", ON_REQUEST, {}), "R7", "source")


def test_nobody_terminates_a_contract_in_the_other_s_name(both: Desk) -> None:
    ending = {"effective": "2026-10-01T00:00:00+02:00", "why": "by agreement", "by": "customer"}
    refused(both.says(OURS, "contract.terminate", ON_CONTRACT, ending), "R7", "by")


def test_nobody_annuls_in_the_other_s_name(both: Desk) -> None:
    both.suspends(THEIRS)
    refused(both.says(OURS, "record.annul", ON_REQUEST, {"version": 2, "why": "no", "by": "customer"}), "R7", "by")


def test_within_a_batch_a_source_is_bound_by_the_appointment_before_it(desk: Desk) -> None:
    batch = [
        opening(),
        message("contract.appoint_source", ON_CONTRACT, AT, {"source": OURS, "party": "supplier"}, source=OURS),
        message("incident.suspend", ON_REQUEST, AT, {"cause": "customer", "by": "customer"}, source=OURS),
    ]
    assert names(desk.handler.handle(batch).outcomes) == ["Done", "Done", "Refused"]


def test_while_nobody_is_appointed_any_source_speaks(desk: Desk) -> None:
    assert names([desk.opens(OURS), desk.suspends(OTHER, by="customer", agreed_by=["supplier"])]) == ["Done", "Done"]


# --- a second opening by another source (R4) --------------------------------------------------------------------


def test_a_second_opening_by_another_source_is_refused_though_it_says_the_same(desk: Desk) -> None:
    assert names([desk.opens(OURS)]) == ["Done"]
    assert OURS in refused(desk.opens(OTHER), "R4", "subject")


def test_a_second_opening_by_another_source_is_refused_within_a_batch_too(desk: Desk) -> None:
    data = {"impact": "high", "urgency": "medium", "contract": CONTRACT}
    batch = [message("incident.open", ON_REQUEST, AT, data, source=source) for source in (OURS, OTHER)]
    outcomes = desk.handler.handle(batch).outcomes
    assert names(outcomes) == ["Done", "Refused"]
    refused(outcomes[1], "R4", "subject")


def test_the_same_source_opens_it_again_and_nothing_is_added(desk: Desk) -> None:
    assert names([desk.opens(OURS)]) == ["Done"]
    data = {"impact": "high", "urgency": "medium", "contract": CONTRACT}
    again = message("incident.open", ON_REQUEST, "2026-03-02T08:00:00Z", data, source=OURS, id="another")
    assert names(desk.handler.handle([again]).outcomes) == ["Duplicate"]


# --- agreements, annulments -------------------------------------------------------------------------------------


def test_an_appointed_source_agrees_for_its_own_party(both: Desk) -> None:
    both.suspends(OURS)
    assert names([both.says(THEIRS, "record.agree", ON_REQUEST, {"version": 2})]) == ["Done"]
    assert both.facts(ON_REQUEST)[-1] == RecordAgreed(at=read_instant(AT), version=2, by=Party.CUSTOMER)
    refused(both.says(OURS, "record.agree", ON_REQUEST, {"version": 2, "by": "customer"}), "R7", "by")


def test_where_nobody_is_appointed_who_agrees_says_for_whom(desk: Desk) -> None:
    desk.opens(OURS)
    refused(desk.says(OURS, "record.agree", ON_REQUEST, {"version": 1}), "R7", "by")
    assert names([desk.says(OURS, "record.agree", ON_REQUEST, {"version": 1, "by": "customer"})]) == ["Done"]


def test_nobody_agrees_to_what_is_not_on_record_yet(desk: Desk) -> None:
    desk.opens(OURS)
    last = desk.ledger.store.position()
    refused(desk.says(OURS, "record.agree", ON_CONTRACT, {"up_to": last + 1, "by": "customer"}), "R5", "up_to")
    assert names([desk.says(OURS, "record.agree", ON_CONTRACT, {"up_to": last, "by": "customer"})]) == ["Done"]


def test_an_annulment_of_what_is_not_opened_waits(desk: Desk) -> None:
    outcome = desk.says(OURS, "record.annul", "incident-LATER", {"version": 1, "why": "no"})
    assert names([outcome]) == ["Waiting"]


# --- when the source itself recorded it -------------------------------------------------------------------------


def test_a_message_may_say_when_its_source_recorded_the_fact(desk: Desk) -> None:
    desk.opens(OURS)
    told = message("incident.take_in_charge", ON_REQUEST, AT, {}, source=OURS, recordedtime="2026-03-02T09:05:00Z")
    assert names(desk.handler.handle([told]).outcomes) == ["Done"]
    (fact,) = [one for one in desk.facts(ON_REQUEST) if isinstance(one, IncidentTakenInCharge)]
    assert fact.recordedtime == read_instant("2026-03-02T09:05:00Z")


@pytest.mark.parametrize("said", ["2026-03-02T09:05:00", "yesterday", "2026-11-02T12:05:00.000001Z", 5])
def test_an_instant_of_recording_has_an_offset_and_is_not_in_the_future(desk: Desk, said: object) -> None:
    desk.opens(OURS)
    told = message("incident.take_in_charge", ON_REQUEST, AT, {}, source=OURS, recordedtime=said)
    assert names(desk.handler.handle([told]).outcomes) == ["Refused"]


# --- claims that anybody can compute again (P2) -----------------------------------------------------------------


def claim(desk: Desk, command: str = "claim_penalty", **data: Any) -> Outcome:
    said = {"amount": "100.00", "reading": "literal", "as_of": "2026-10-01T00:00:00Z", **data}
    known = {"known_on": "2026-10-01T00:00:00Z", **said}
    return desk.says(OURS, f"contract.{command}", ON_CONTRACT, known, "2026-10-02T09:00:00Z")


@pytest.mark.parametrize("command", ["claim_penalty", "waive_penalty", "settle_penalty"])
@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("reading", {"reading": "generous"}),
        ("reading", {"reading": "rate=most"}),
        ("as_of", {"as_of": "2027-01-01T00:00:00Z", "known_on": "2026-11-01T00:00:00Z"}),
        ("known_on", {"known_on": "2027-01-01T00:00:00Z"}),
        ("as_of", {"as_of": "2026-10-01T00:00:00.000001Z"}),
    ],
)
def test_a_claim_that_cannot_be_computed_again_is_refused(
    desk: Desk, command: str, field: str, said: dict[str, str]
) -> None:
    refused(claim(desk, command, **said), "P2", field)


def test_a_claim_that_can_be_computed_again_is_recorded_though_it_is_more_than_the_base(desk: Desk) -> None:
    assert names([claim(desk), claim(desk, amount="999999.00")]) == ["Done", "Done"]


def test_no_signature_is_refused_for_a_customer_key(desk: Desk) -> None:
    again = [sign("b", customers=["K"]), sign("c", customers=["K"])]
    assert names(desk.handler.handle(again).outcomes) == ["Done", "Done"]


# --- what is kept without being recorded ------------------------------------------------------------------------


def test_messages_of_a_contract_that_wait_or_are_refused_are_counted_beside_its_figures(both: Desk) -> None:
    assert names([both.says(OURS, "incident.resolve", "incident-LATER", {"evidence": []})]) == ["Waiting"]
    assert names([both.suspends(OURS, by="customer")]) == ["Refused"]
    refused(claim(both, reading="generous"), "P2", "reading")
    found = not_recorded(both.ledger, {INCIDENT: CONTRACT}.get)
    # Who waits names a request that nobody has opened: it is of no contract yet.
    assert found == {CONTRACT: NotRecorded(waiting=0, refused=2)}


# --- no way around it -------------------------------------------------------------------------------------------


def test_a_request_moved_elsewhere_for_a_while_is_still_spoken_of_by_its_parties_alone(both: Desk) -> None:
    assert names([both.suspends(OURS)]) == ["Done"]
    moved = {"version": 1, "field": "contract", "value": "nobody", "why": "a slip"}
    assert names([both.says(OURS, "record.rectify", ON_REQUEST, moved)]) == ["Done"]
    agreed = {"version": 2, "by": "customer"}
    refused(both.says(OURS, "record.agree", ON_REQUEST, agreed), "R7", "by")
    refused(both.says(OTHER, "incident.take_in_charge", ON_REQUEST, {}), "R7", "source")
    assert names([both.says(THEIRS, "record.agree", ON_REQUEST, agreed)]) == ["Done"]


def test_a_request_recorded_before_its_contract_is_spoken_of_by_the_parties_once_they_have_sources(desk: Desk) -> None:
    data = {"impact": "high", "urgency": "medium", "customer": "late-comer"}
    assert names([desk.says(OURS, "incident.open", ON_REQUEST, data, "2026-03-02T08:00:00Z")]) == ["Done"]
    signed = sign("late", customers=["late-comer"])
    assert names(desk.handler.handle([signed]).outcomes) == ["Done"]
    for source, party in ((OURS, "supplier"), (THEIRS, "customer")):
        appointed = {"source": source, "party": party}
        assert names([desk.says(source, "contract.appoint_source", "contract-late", appointed)]) == ["Done"]
    refused(desk.suspends(OURS, by="customer"), "R7", "by")
    refused(desk.says(OTHER, "incident.take_in_charge", ON_REQUEST, {}), "R7", "source")


def test_a_party_s_source_does_not_appoint_the_other_s(desk: Desk) -> None:
    assert names([desk.appoint(OURS, "supplier")]) == ["Done"]
    refused(desk.appoint("sock:puppet", "customer", by=OURS), "R7", "source")


@pytest.mark.parametrize(
    ("command", "whose"), [("claim_penalty", THEIRS), ("waive_penalty", THEIRS), ("settle_penalty", OURS)]
)
def test_each_party_takes_its_own_steps_about_a_penalty(both: Desk, command: str, whose: str) -> None:
    step = {"amount": "100.00", "reading": "literal", "as_of": AT, "known_on": AT}
    for source in {OURS, THEIRS, OTHER} - {whose}:
        refused(both.says(source, f"contract.{command}", ON_CONTRACT, step), "R7", "source")
    assert names([both.says(whose, f"contract.{command}", ON_CONTRACT, step)]) == ["Done"]
