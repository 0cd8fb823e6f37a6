"""The command handler: one outcome for every message, whatever their order; nothing is lost."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.messages import (
    CONTRACT,
    HOUR,
    INCIDENT,
    MINUTE,
    SOURCE,
    Clock,
    activate,
    adopt,
    buy,
    charge,
    consume,
    contract_in_force,
    event,
    memory,
    message,
    names,
    opening,
    sign,
    stored,
    wire,
)
from support.servers import fresh_schema, shared_server

from adapters.inbox.handler import DEFAULT_PATIENCE, CommandHandler
from adapters.inbox.outcomes import Answered, Done, Duplicate, Outcome, Refused, Reply, Waiting
from adapters.store.ledger import Ledger
from domain.contract_facts import ContractSigned
from domain.coverage import BestEffortReason, Coverage
from domain.credit_facts import CreditsConsumed, CreditShortfallRecorded
from domain.facts import Fact
from domain.incident_facts import IncidentOpened

STREAM = f"incident-{INCIDENT}"


def said(replies: list[Reply]) -> list[Outcome]:
    """What became of some messages."""
    return [reply.outcome for reply in replies]


class Office:
    """A command handler with its ledger and its clock."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger = ledger
        self.clock = clock
        self.handler = CommandHandler(ledger, clock)

    def handle(self, *raws: bytes) -> list[Outcome]:
        """The outcomes of a batch."""
        return self.handler.handle(raws).outcomes

    def answer(self, *raws: bytes) -> Answered:
        """The whole answer to a batch."""
        return self.handler.handle(raws)

    def facts(self, stream: str) -> list[Fact]:
        """The facts of a stream."""
        return self.ledger.streams([stream])[stream]

    def opened(self, incident: str = INCIDENT) -> IncidentOpened:
        """The opening on record."""
        fact = self.facts(f"incident-{incident}")[0]
        assert isinstance(fact, IncidentOpened)
        return fact

    def contract_of(self, stream: str) -> list[str | None]:
        """The contract each fact of a stream is sealed under."""
        return [sealed.origin.contract for sealed in self.ledger.sealed(stream)]


@pytest.fixture
def office(place: Path | str) -> Iterator[Office]:
    """A command handler over an empty ledger, in memory or on a server, at noon."""
    clock = Clock()
    with memory(clock) if isinstance(place, Path) else stored(place, clock) as ledger:
        yield Office(ledger, clock)


@pytest.fixture
def ready(office: Office) -> Office:
    """The same, with a contract in force (leaves 0 to 3)."""
    assert names(office.handle(*contract_in_force(customers=["acme"]))) == ["Done"] * 4
    return office


def refused(outcome: Outcome, clause: str, field: str, words: str = "") -> None:
    """The outcome is this refusal, and says so in a sentence."""
    assert isinstance(outcome, Refused)
    assert (outcome.clause, outcome.field) == (clause, field)
    assert words in outcome.reason
    assert len(outcome.reason) > 20


# --- done and duplicate -----------------------------------------------------------------------------------------


def test_done_says_stream_version_and_leaf(ready: Office) -> None:
    assert ready.handle(opening(), charge()) == [Done(STREAM, 1, 4), Done(STREAM, 2, 5)]


def test_a_message_that_adds_two_facts_is_done_at_the_first(ready: Office) -> None:
    outcomes = ready.handle(consume(minutes=700), opening())
    assert outcomes == [Done(f"credits-{CONTRACT}", 2, 4), Done(STREAM, 1, 6)]
    spent, short = ready.facts(f"credits-{CONTRACT}")[1:]
    assert isinstance(spent, CreditsConsumed)
    assert isinstance(short, CreditShortfallRecorded)
    assert (spent.minutes, short.minutes) == (600, 100)
    assert ready.handle(consume(minutes=700)) == [Duplicate(f"credits-{CONTRACT}", 2, 4)]


def test_a_message_sent_again_is_answered_as_the_first_time(ready: Office) -> None:
    ready.handle(opening(), charge())
    ready.handle(opening("INC2"), charge("INC2"))
    assert ready.handle(charge(), opening()) == [Duplicate(STREAM, 2, 5), Duplicate(STREAM, 1, 4)]
    assert len(ready.facts(STREAM)) == 2


def test_a_message_sent_twice_in_one_batch_is_recorded_once(ready: Office) -> None:
    assert ready.handle(opening(), opening(), opening()) == [
        Done(STREAM, 1, 4), Duplicate(STREAM, 1, 4), Duplicate(STREAM, 1, 4)
    ]  # fmt: skip
    assert len(ready.facts(STREAM)) == 1


BASE = event(
    "incident.open",
    STREAM,
    "2026-03-02T09:00:00+01:00",
    {"impact": "high", "urgency": "medium", "contract": CONTRACT},
    id="m1",
)
RESPELLED: dict[str, dict[str, Any]] = {
    "the instant in UTC": {**BASE, "time": "2026-03-02T08:00:00Z"},
    "the instant in lower case, with decimals": {**BASE, "time": "2026-03-02t08:00:00.000000z"},
    "the instant of another offset": {**BASE, "time": "2026-03-01T22:00:00-10:00"},
    "default fields written out": {
        **BASE,
        "data": {
            **BASE["data"],
            "kind": "incident",
            "requested_by": "customer",
            "data_centre": False,
            "system": None,
            "customer": None,
            "evidence": [],
        },
    },
    "fields that carry no content": {**BASE, "datacontenttype": "application/json", "traceparent": "00-1-2-03"},
    "no actor, written out": {**BASE, "actor": None},
}


@pytest.mark.parametrize("spelling", RESPELLED)
def test_the_same_content_spelled_otherwise_is_a_duplicate(ready: Office, spelling: str) -> None:
    assert ready.handle(wire(BASE)) == [Done(STREAM, 1, 4)]
    assert ready.handle(wire(RESPELLED[spelling])) == [Duplicate(STREAM, 1, 4)]


def test_the_order_of_keys_and_spaces_are_no_content(ready: Office) -> None:
    backwards = {key: BASE[key] for key in reversed(BASE)} | {"data": dict(reversed(BASE["data"].items()))}
    ready.handle(wire(BASE))
    respelled = json.dumps(backwards, indent=3, ensure_ascii=True).replace("high", "h\\u0069gh").encode()
    assert ready.handle(respelled) == [Duplicate(STREAM, 1, 4)]


def test_money_and_shares_spelled_otherwise_are_the_same_content(office: Office) -> None:
    document = json.loads(sign())
    document["id"] = "signature"
    document["data"]["terms"]["tolerance"] = "10%"
    office.handle(wire(document), buy())
    document["data"]["terms"]["tolerance"] = "1/10"
    purchase = json.loads(buy())
    purchase["data"]["price"] = "500"
    assert names(office.handle(wire(document), wire(purchase))) == ["Duplicate", "Duplicate"]


OTHERWISE: dict[str, dict[str, Any]] = {
    "time": {**BASE, "time": "2026-03-02T08:00:00.000001Z"},
    "data": {**BASE, "data": {**BASE["data"], "impact": "low"}},
    "subject": {**BASE, "subject": "incident-INC2"},
    "actor": {**BASE, "actor": "desk-7"},
    "type": {**BASE, "type": "verbale.incident.reassess.v1", "data": {"impact": "high", "urgency": "medium"}},
}


@pytest.mark.parametrize("part", OTHERWISE)
def test_the_same_id_with_other_content_is_refused(ready: Office, part: str) -> None:
    ready.handle(wire(BASE))
    (outcome,) = ready.handle(wire(OTHERWISE[part]))
    refused(outcome, "R2", "id", "own id")
    assert len(ready.facts(STREAM)) == 1


@pytest.mark.parametrize("part", OTHERWISE)
def test_the_same_id_with_other_content_in_one_batch_is_refused(ready: Office, part: str) -> None:
    done, other = ready.handle(wire(BASE), wire(OTHERWISE[part]))
    assert done == Done(STREAM, 1, 4)
    refused(other, "R2", "id")


def test_the_same_id_with_other_content_is_refused_while_the_first_waits(ready: Office) -> None:
    ready.handle(charge(id="m1"))
    (outcome,) = ready.handle(charge(id="m1", time="2026-03-02T09:30:00Z"))
    refused(outcome, "R2", "id")
    assert names(said(ready.answer(opening()).woken)) == ["Done"]


def test_the_same_id_of_another_source_is_another_message(ready: Office) -> None:
    outcomes = ready.handle(wire(BASE), wire({**BASE, "source": "monitor://x", "subject": "incident-INC2"}))
    assert names(outcomes) == ["Done", "Done"]


def test_the_same_fact_under_another_id_is_a_duplicate_that_adds_nothing(ready: Office) -> None:
    ready.handle(opening(), charge())
    assert names(ready.handle(charge(id="m2"), opening(id="m3"))) == ["Duplicate", "Duplicate"]
    assert len(ready.facts(STREAM)) == 2


def test_a_second_taking_in_charge_at_another_instant_is_another_fact(ready: Office) -> None:
    outcomes = ready.handle(opening(), charge(time="2026-03-02T10:00:00Z"), charge(time="2026-03-02T09:00:00Z"))
    assert outcomes == [Done(STREAM, 1, 4), Done(STREAM, 2, 5), Done(STREAM, 3, 6)]


# --- refused ----------------------------------------------------------------------------------------------------


def test_a_refused_message_is_kept_whole_with_its_reason(ready: Office) -> None:
    raw = b'  {"specversion": "1.0", "id": "x", "source": "y"} '
    (outcome,) = ready.handle(raw)
    assert isinstance(outcome, Refused)
    (kept,) = ready.ledger.store.refused()
    assert kept.message == (("y", "x"), raw, outcome.clause, outcome.field, outcome.reason)


def test_what_cannot_be_read_at_all_is_kept_whole_too(ready: Office) -> None:
    ready.handle(b"\xff\x00 not text", b"[]")
    assert [(kept.message.identity, kept.message.raw) for kept in ready.ledger.store.refused()] == [
        (None, b"\xff\x00 not text"), (None, b"[]")
    ]  # fmt: skip


def test_a_refused_message_does_not_stop_the_others_of_its_batch(ready: Office) -> None:
    assert names(ready.handle(b"{", opening(), b"}", charge())) == ["Refused", "Done", "Refused", "Done"]


def test_the_same_message_refused_twice_is_kept_once(ready: Office) -> None:
    ready.handle(b"{", b"{")
    ready.handle(b"{")
    assert len(ready.ledger.store.refused()) == 1


def test_a_refused_message_corrected_under_the_same_id_succeeds(ready: Office) -> None:
    (outcome,) = ready.handle(opening(id="m1", impact="enormous"))
    refused(outcome, "R1", "data.impact")
    assert ready.handle(opening(id="m1")) == [Done(STREAM, 1, 4)]
    assert ready.ledger.store.refused() == []


def test_a_refused_message_corrected_within_its_batch_succeeds(ready: Office) -> None:
    outcomes = ready.handle(opening(id="m1", time="2027-03-02T08:00:00Z"), opening(id="m1"), opening(id="m1"))
    assert names(outcomes) == ["Refused", "Done", "Duplicate"]
    assert ready.ledger.store.refused() == []


def test_a_second_opening_is_refused(ready: Office) -> None:
    outcomes = ready.handle(opening(), opening(impact="low"), opening(time="2026-03-02T08:00:01Z"))
    assert names(outcomes) == ["Done", "Refused", "Refused"]
    refused(outcomes[1], "R4", "subject", "already opened")


def test_nothing_is_dated_before_the_opening(ready: Office) -> None:
    _, outcome = ready.handle(opening(), charge(time="2026-03-02T07:59:59.999999Z"))
    refused(outcome, "R3", "time", "before the incident was opened")


def test_no_rectification_is_dated_before_the_opening(ready: Office) -> None:
    data = {"version": 1, "field": "impact", "value": "low", "why": "declared by phone"}
    _, outcome = ready.handle(opening(), message("record.rectify", STREAM, "2020-01-01T00:00:00Z", data))
    refused(outcome, "R3", "time")


def test_a_fact_may_be_dated_at_its_opening(ready: Office) -> None:
    assert names(ready.handle(opening(), charge(time="2026-03-02T08:00:00Z"))) == ["Done", "Done"]


def test_an_instant_up_to_five_minutes_ahead_is_recorded_and_one_beyond_refused(office: Office) -> None:
    at = "2026-11-02T12:05:00Z"
    beyond = "2026-11-02T12:05:00.000001Z"
    outcomes = office.handle(opening("INC1", time=at), opening("INC2", time=beyond))
    assert names(outcomes) == ["Done", "Refused"]
    refused(outcomes[1], "R3", "time", "in the future")
    office.clock.now += 1
    assert names(office.handle(opening("INC2", time=beyond))) == ["Done"]


def test_a_future_instant_is_refused_also_where_the_message_would_wait(office: Office) -> None:
    (outcome,) = office.handle(charge(time="2026-12-01T00:00:00Z"))
    refused(outcome, "R3", "time")


def test_no_rectification_dates_a_fact_in_the_future(ready: Office) -> None:
    data = {"version": 2, "field": "at", "value": "2099-01-01T00:00:00Z", "why": "typing error"}
    *_, outcome = ready.handle(opening(), charge(), message("record.rectify", STREAM, "2026-03-03T08:00:00Z", data))
    refused(outcome, "R3", "value")


def test_credits_beyond_the_balance_are_recorded_as_shortfall(ready: Office) -> None:
    assert names(ready.handle(consume("W1", 600), consume("W2", 30))) == ["Done", "Done"]
    last = ready.facts(f"credits-{CONTRACT}")[-1]
    assert isinstance(last, CreditShortfallRecorded)
    assert (last.work, last.minutes) == ("W2", 30)


# --- waiting ----------------------------------------------------------------------------------------------------


def test_what_comes_before_its_opening_waits_and_is_recorded_in_the_same_batch(ready: Office) -> None:
    answered = ready.answer(charge(), charge("INC2"), opening())
    assert answered.outcomes == [Done(STREAM, 2, 5), Waiting("incident-INC2", "incident INC2 is not opened yet"),
                                 Done(STREAM, 1, 4)]  # fmt: skip
    assert said(answered.woken) == []
    assert ready.ledger.store.counts()["waiting"] == 1


def test_a_waiting_message_is_recorded_in_the_later_batch_that_opens_its_incident(ready: Office) -> None:
    assert names(ready.handle(charge())) == ["Waiting"]
    answered = ready.answer(opening("INC2"), opening())
    assert answered.outcomes == [Done("incident-INC2", 1, 4), Done(STREAM, 1, 5)]
    assert said(answered.woken) == [Done(STREAM, 2, 6)]
    assert ready.ledger.store.counts()["waiting"] == 0
    assert ready.handle(charge()) == [Duplicate(STREAM, 2, 6)]


def test_a_waiting_message_is_recorded_after_a_restart(place: Path | str) -> None:
    clock = Clock()
    with stored(place, clock) as ledger:
        assert names(CommandHandler(ledger, clock).handle([charge(time="2026-03-02T10:00:00Z")]).outcomes) == [
            "Waiting"
        ]
    with stored(place, clock) as ledger:
        assert names(CommandHandler(ledger, clock).handle([charge(time="2026-03-02T09:00:00Z")]).outcomes) == [
            "Waiting"
        ]
    with stored(place, clock) as ledger:
        answered = CommandHandler(ledger, clock).handle([opening()])
        assert said(answered.woken) == [Done(STREAM, 2, 1), Done(STREAM, 3, 2)]
        facts = ledger.streams([STREAM])[STREAM]
    assert [fact.at for fact in facts[1:]] == [facts[0].at + 2 * HOUR, facts[0].at + HOUR]


def test_waiting_messages_are_recorded_in_order_of_arrival(ready: Office) -> None:
    minutes = [30, 10, 50, 20, 40]
    for minute in minutes[:3]:
        ready.handle(charge(time=f"2026-03-02T09:{minute}:00Z"))
    ready.clock.now += HOUR
    ready.handle(*(charge(time=f"2026-03-02T09:{minute}:00Z") for minute in minutes[3:]))
    ready.handle(opening())
    opened, *charges = ready.facts(STREAM)
    assert [(fact.at - opened.at) // MINUTE - 60 for fact in charges] == minutes


def test_a_waiting_message_sent_again_still_waits_and_is_kept_once(ready: Office) -> None:
    ready.handle(charge())
    assert names(ready.handle(charge(), charge())) == ["Waiting", "Waiting"]
    assert ready.ledger.store.counts()["waiting"] == 1
    assert names(said(ready.answer(opening()).woken)) == ["Done"]


@pytest.mark.parametrize("opening_first", [True, False])
def test_a_waiting_message_sent_again_with_its_opening_is_answered_with_where_it_is(
    ready: Office, opening_first: bool
) -> None:
    ready.handle(charge())
    raws = [opening(), charge()] if opening_first else [charge(), opening()]
    answered = ready.answer(*raws)
    assert answered.outcomes[raws.index(charge())] in (Done(STREAM, 2, 5), Duplicate(STREAM, 2, 5))
    assert len(ready.facts(STREAM)) == 2


def test_a_waiting_message_refused_when_its_incident_opens_is_kept_among_the_refused(ready: Office) -> None:
    early = charge(time="2026-03-02T07:00:00Z")
    ready.handle(early)
    answered = ready.answer(opening())
    assert names(said(answered.woken)) == ["Refused"]
    refused(answered.woken[0].outcome, "R3", "time")
    assert [kept.message.raw for kept in ready.ledger.store.refused()] == [early]
    assert ready.ledger.store.counts()["waiting"] == 0


def test_after_its_patience_a_waiting_message_is_refused_kept_and_may_be_sent_again(ready: Office) -> None:
    ready.handle(charge())
    ready.clock.now += DEFAULT_PATIENCE
    assert ready.answer().expired == []
    ready.clock.now += 1
    answered = ready.answer()
    assert names(said(answered.expired)) == ["Refused"]
    refused(answered.expired[0].outcome, "R4", "subject", "incident INC0001234 is not opened yet")
    assert [kept.message.raw for kept in ready.ledger.store.refused()] == [charge()]
    assert ready.ledger.store.counts()["waiting"] == 0

    assert ready.answer(opening()).woken == []
    assert ready.handle(charge()) == [Done(STREAM, 2, 5)]
    assert ready.ledger.store.refused() == []


def test_an_expired_message_sent_again_waits_anew(ready: Office) -> None:
    ready.handle(charge())
    ready.clock.now += DEFAULT_PATIENCE + 1
    answered = ready.answer(charge())
    assert names(said(answered.expired)) == ["Refused"]
    assert names(answered.outcomes) == ["Waiting"]
    ready.clock.now += DEFAULT_PATIENCE
    assert names(said(ready.answer(opening()).woken)) == ["Done"]


def test_patience_runs_from_the_first_arrival_though_the_stream_grew_meanwhile(ready: Office) -> None:
    reversal = message(
        "credits.reverse", f"credits-{CONTRACT}", "2026-03-03T09:00:00Z", {"work": "W1", "why": "entered twice"}
    )
    assert ready.handle(reversal) == [Waiting(f"credits-{CONTRACT}", "no consumption is recorded for work W1 yet")]
    ready.clock.now += DEFAULT_PATIENCE
    assert ready.answer(consume("W2")).woken == []
    ready.clock.now += 1
    assert names(said(ready.answer().expired)) == ["Refused"]


def test_a_chain_of_dependencies_is_recorded_in_one_go(office: Office) -> None:
    reversal = message(
        "credits.reverse", f"credits-{CONTRACT}", "2026-03-03T09:00:00Z", {"work": "W1", "why": "entered twice"}
    )
    assert names(office.handle(reversal)) == ["Waiting"]
    assert names(office.handle(consume())) == ["Waiting"]
    assert names(office.handle(buy(minutes=60))) == ["Waiting"]
    assert len(office.answer(sign()).woken) == 3
    assert office.ledger.store.counts()["waiting"] == 0


# --- contracts --------------------------------------------------------------------------------------------------


def test_a_request_under_a_contract_nobody_signed_is_recorded_as_best_effort_of_that_contract(office: Office) -> None:
    assert names(office.handle(opening(), charge())) == ["Done", "Done"]
    opened = office.opened()
    assert opened.contract == CONTRACT
    assert (opened.answer.coverage, opened.answer.reason) == (Coverage.BEST_EFFORT, BestEffortReason.NO_CONTRACT)
    assert opened.answer.contract is None
    assert office.contract_of(STREAM) == [CONTRACT, CONTRACT]


def test_anything_else_on_an_unsigned_contract_waits_until_it_is_signed(office: Office) -> None:
    rest = [activate(), adopt(), buy(), consume()]
    stream = f"contract-{CONTRACT}"
    assert {outcome.stream for outcome in office.handle(*rest) if isinstance(outcome, Waiting)} == {stream}
    answered = office.answer(sign())
    assert answered.outcomes == [Done(stream, 1, 0)]
    assert names(said(answered.woken)) == ["Done"] * 4
    assert [fact.TYPE for fact in office.facts(stream)][1:] == [
        "contract.option_activated.v1", "contract.calendar_adopted.v2"
    ]  # fmt: skip
    assert len(office.facts(f"credits-{CONTRACT}")) == 2


def test_a_request_under_a_contract_in_force_is_guaranteed(ready: Office) -> None:
    ready.handle(opening())
    assert ready.opened().answer.guaranteed
    assert ready.contract_of(STREAM) == [CONTRACT]


@pytest.mark.parametrize(
    ("data", "contract"),
    [
        ({"customer": "acme"}, CONTRACT),
        ({"customer": "other"}, None),
        ({"customer": "acme", "time": "2025-12-31T22:59:59Z"}, None),
        ({"customer": "acme", "time": "2025-12-31T23:00:00Z"}, CONTRACT),
        ({}, None),
    ],
)
def test_a_customer_key_is_routed_by_the_contract_in_force(
    ready: Office, data: dict[str, Any], contract: str | None
) -> None:
    assert names(ready.handle(opening(**{"contract": None} | data))) == ["Done"]
    answer = ready.opened().answer
    assert answer.contract == contract
    assert (answer.reason is BestEffortReason.NO_CONTRACT) == (contract is None)
    assert ready.contract_of(STREAM) == [contract]


def test_a_customer_key_is_routed_by_one_contract_after_the_other(office: Office) -> None:
    office.handle(
        sign("a", customers=["key"], in_force_until="2026-07-01T00:00:00+02:00"),
        sign("b", customers=["key"], in_force_from="2026-07-01T00:00:00+02:00"),
        opening("INC1", contract=None, customer="key", time="2026-06-30T21:59:59Z"),
        opening("INC2", contract=None, customer="key", time="2026-06-30T22:00:00Z"),
    )
    assert [office.opened(name).answer.contract for name in ("INC1", "INC2")] == ["a", "b"]


def test_a_contract_named_beats_the_customer_key(ready: Office) -> None:
    ready.handle(sign("beta"), opening(contract="beta", customer="acme"))
    assert ready.opened().answer.contract == "beta"


def test_a_customer_key_of_two_contracts_in_force_routes_to_neither_and_no_signature_is_refused(ready: Office) -> None:
    outcomes = ready.handle(
        sign("beta", customers=["acme"], in_force_from="2026-06-01T00:00:00Z"),
        opening("INC1", contract=None, customer="acme", time="2026-05-29T08:00:00Z"),
        opening("INC2", contract=None, customer="acme", time="2026-06-01T08:00:00Z"),
    )
    assert names(outcomes) == ["Done"] * 3
    assert [ready.opened(name).answer.contract for name in ("INC1", "INC2")] == [CONTRACT, None]


def test_a_customer_key_that_a_rectification_gives_to_two_contracts_routes_to_neither(ready: Office) -> None:
    data = {"version": 1, "field": "customers", "value": ["acme"], "why": "left out"}
    outcomes = ready.handle(
        sign("beta"),
        message("record.rectify", "contract-beta", "2026-03-02T08:00:00Z", data),
        opening("INC1", contract=None, customer="acme", time="2026-03-03T08:00:00Z"),
    )
    assert names(outcomes) == ["Done"] * 3
    assert ready.opened("INC1").answer.contract is None


def test_a_second_signature_is_refused_and_the_first_rules(ready: Office) -> None:
    (outcome,) = ready.handle(sign(in_force_from="2026-02-01T00:00:00Z"))
    refused(outcome, "G1", "subject", "already signed")
    assert sum(isinstance(fact, ContractSigned) for fact in ready.facts(f"contract-{CONTRACT}")) == 1


# --- order of arrival -------------------------------------------------------------------------------------------


def _on(verb: str, time: str, **data: Any) -> bytes:
    return message(f"incident.{verb}", STREAM, f"2026-03-{time}Z", data)


STORY = [
    *contract_in_force(),
    opening(),
    charge(),
    charge(time="2026-03-02T08:45:00Z"),
    _on("suspend", "02T10:00:00", cause="customer"),
    _on("resume", "02T11:00:00"),
    _on("start_intervention", "02T12:00:00"),
    _on("attribute_responsibility", "04T09:00:00", party="customer", clock="charge", why="no answer to two calls"),
    _on("resolve", "02T15:00:00"),
    _on("close", "03T09:00:00"),
]
CREDITS = [
    consume(),
    message("credits.reverse", f"credits-{CONTRACT}", "2026-03-05T09:00:00Z", {"work": "W1", "why": "entered twice"}),
]
DECIDED = {"answer", "packages"}


def words(ledger: Ledger) -> Counter[str]:
    """The facts on record, without what Verbale decided."""
    told = ((entry.stream, entry.fact.TYPE, entry.fact.model_dump_json(exclude=DECIDED)) for entry in ledger.entries())
    return Counter(map(str, told))


def arrive(
    raws: list[bytes], cuts: list[int], store: Callable[[Clock], AbstractContextManager[Ledger]] = memory
) -> tuple[Counter[str], list[Outcome], int]:
    """What is on record once the messages have arrived in this order, in batches cut there."""
    clock = Clock()
    with store(clock) as ledger:
        handler = CommandHandler(ledger, clock)
        outcomes: list[Outcome] = []
        for start, end in zip([0, *cuts], [*cuts, len(raws)], strict=True):
            answered = handler.handle(raws[start:end])
            outcomes += answered.outcomes + said(answered.woken)
        return words(ledger), outcomes, ledger.store.counts()["waiting"]


_cuts = st.lists(st.integers(0, len(STORY)), max_size=5).map(sorted)


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(st.permutations(STORY), _cuts)
def test_order_of_arrival_refuses_nothing_and_ends_with_the_same_facts(raws: list[bytes], cuts: list[int]) -> None:
    in_order, outcomes, _ = arrive(STORY, [])
    assert names(outcomes) == ["Done"] * len(STORY)
    told, outcomes, waiting = arrive(raws, cuts)
    assert told == in_order
    assert set(names(outcomes)) <= {"Done", "Waiting"}
    assert waiting == 0


@contextmanager
def on_the_server(clock: Clock) -> Iterator[Ledger]:
    """A ledger on the PostgreSQL server of the tests."""
    with fresh_schema(shared_server()) as url, stored(url, clock) as ledger:
        yield ledger


@pytest.mark.integration
@settings(max_examples=8, deadline=None, derandomize=True, database=None)
@given(st.permutations(STORY), _cuts)
def test_order_of_arrival_ends_with_the_same_facts_on_a_server_too(raws: list[bytes], cuts: list[int]) -> None:
    told, outcomes, waiting = arrive(raws, cuts, on_the_server)
    assert (told, outcomes, waiting) == arrive(raws, cuts)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.permutations([sign(), buy(minutes=60), *CREDITS]))
def test_order_of_arrival_refuses_no_fact_of_an_account(raws: list[bytes]) -> None:
    _, outcomes, waiting = arrive(raws, [])
    assert set(names(outcomes)) <= {"Done", "Waiting"}
    assert waiting == 0


def test_every_message_may_come_twice_and_in_any_batch(ready: Office) -> None:
    raws = [*STORY[4:], *CREDITS]
    first = ready.handle(*raws)
    assert names(first) == ["Done"] * len(raws)
    told = words(ready.ledger)
    again = ready.handle(*reversed(raws))
    assert again == [Duplicate(one.stream, one.version, one.leaf) for one in reversed(first) if isinstance(one, Done)]
    assert words(ready.ledger) == told


def test_the_origin_of_a_message_is_sealed_with_its_facts(ready: Office) -> None:
    ready.handle(wire({**json.loads(opening(id="m1")), "actor": "desk-7"}), charge(id="m2"))
    origins = [sealed.origin for sealed in ready.ledger.sealed(STREAM)]
    assert [(one.contract, one.source, one.message, one.actor) for one in origins] == [
        (CONTRACT, SOURCE, "m1", "desk-7"), (CONTRACT, SOURCE, "m2", None)
    ]  # fmt: skip
