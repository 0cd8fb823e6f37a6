"""The incident: opened once, then recorded in any order; nothing dated before its opening."""

from typing import Any

import pytest
from pydantic import ValidationError
from support.examples import (
    CONTRACT,
    GUARANTEED,
    INCIDENT,
    MONDAY_8,
    MONDAY_9,
    MONDAY_10,
    MONDAY_11,
    MONDAY_12,
    PAPER,
    opened,
    rectify,
    request,
)
from support.spec import Decider, Given

from domain import incident
from domain.coverage import BestEffortReason, Coverage, CoverageDecision
from domain.incident import Incident
from domain.incident_facts import (
    AttributeResponsibility,
    ClockResumed,
    ClockSuspended,
    Close,
    ClosingReason,
    IncidentClosed,
    IncidentCommand,
    IncidentFact,
    IncidentReassessed,
    IncidentReopened,
    IncidentResolved,
    IncidentTakenInCharge,
    InterventionStarted,
    Reassess,
    Reopen,
    Resolve,
    ResponsibilityAttributed,
    Resume,
    StartIntervention,
    Suspend,
    TakeInCharge,
)
from domain.record_facts import RecordRectified, Rectify
from domain.terms import Clock, Impact, Urgency
from domain.values import Party, Responsibility, instant_text

STREAM = f"incident-{INCIDENT}"
NO_CREDITS = CoverageDecision(coverage=Coverage.BEST_EFFORT, reason=BestEffortReason.NO_CREDITS, contract=CONTRACT)
IncidentGiven = Given[Incident, IncidentCommand, IncidentFact]


def _decide(state: Incident, command: IncidentCommand) -> tuple[IncidentFact, ...]:
    return incident.decide(state, command, GUARANTEED)


INCIDENTS: Decider[Incident, IncidentCommand, IncidentFact] = Decider(Incident(INCIDENT), _decide, incident.evolve)


def open_at(at: int = MONDAY_9) -> IncidentGiven:
    """An incident just opened."""
    return INCIDENTS.given(opened(at))


def folded(*facts: IncidentFact) -> Incident:
    """The incident that facts make."""
    return incident.fold(INCIDENT, facts)


def suspend(at: int = MONDAY_10, cause: Responsibility = Responsibility.CUSTOMER, **changes: Any) -> Suspend:
    """A suspension."""
    return Suspend(at=at, cause=cause, **changes)


def suspended(*content: Any, **more: Any) -> ClockSuspended:
    """The fact of `suspend`."""
    return ClockSuspended(**dict(suspend(*content, **more)))


def attribute(
    at: int = MONDAY_10, party: Responsibility = Responsibility.CUSTOMER, clock: Clock = Clock.CHARGE, **changes: Any
) -> AttributeResponsibility:
    """An attribution."""
    return AttributeResponsibility(at=at, party=party, clock=clock, why="the line was cut", **changes)


def attributed(*content: Any, **more: Any) -> ResponsibilityAttributed:
    """The fact of `attribute`."""
    return ResponsibilityAttributed(**dict(attribute(*content, **more)))


def reassess(at: int = MONDAY_10, impact: Impact = Impact.LOW) -> Reassess:
    """A reassessment."""
    return Reassess(at=at, impact=impact, urgency=Urgency.LOW)


COMMANDS: list[tuple[IncidentCommand, IncidentFact]] = [
    (TakeInCharge(at=MONDAY_10), IncidentTakenInCharge(at=MONDAY_10)),
    (StartIntervention(at=MONDAY_10), InterventionStarted(at=MONDAY_10)),
    (suspend(), suspended()),
    (Resume(at=MONDAY_10), ClockResumed(at=MONDAY_10)),
    (reassess(), IncidentReassessed(at=MONDAY_10, impact=Impact.LOW, urgency=Urgency.LOW)),
    (attribute(), attributed()),
    (Resolve(at=MONDAY_10), IncidentResolved(at=MONDAY_10)),
    (Reopen(at=MONDAY_10), IncidentReopened(at=MONDAY_10)),
    (Close(at=MONDAY_10), IncidentClosed(at=MONDAY_10)),
    (
        Close(at=MONDAY_10, reason=ClosingReason.DUPLICATE),
        IncidentClosed(at=MONDAY_10, reason=ClosingReason.DUPLICATE),
    ),
]
NAMES = [type(fact).__name__ for _, fact in COMMANDS[:-1]] + ["IncidentClosed-void"]
ANY = pytest.mark.parametrize(("command", "fact"), COMMANDS, ids=NAMES)


def at_instant(command: IncidentCommand, at: int) -> IncidentCommand:
    """The same command, dated otherwise."""
    return type(command)(**{**dict(command), "at": at})


# --- opening ----------------------------------------------------------------------------------------------------


def test_an_incident_is_opened_with_the_coverage_given_then() -> None:
    INCIDENTS.given().when(request()).then(opened(answer=GUARANTEED))
    assert incident.decide(Incident(INCIDENT), request(), NO_CREDITS) == (opened(answer=NO_CREDITS),)


def test_an_opening_is_not_decided_without_its_coverage() -> None:
    with pytest.raises(ValueError, match="coverage"):
        incident.decide(Incident(INCIDENT), request())


def test_an_incident_may_name_neither_contract_nor_customer() -> None:
    command = request(contract=None)
    INCIDENTS.given().when(command).then(opened(contract=None))


def test_the_identical_opening_again_is_nothing_new() -> None:
    open_at().when(request()).then_nothing()


def test_the_identical_opening_is_nothing_new_though_its_coverage_would_now_differ() -> None:
    INCIDENTS.given(opened(answer=NO_CREDITS)).when(request()).then_nothing()


@pytest.mark.parametrize(
    "other",
    [
        request(MONDAY_9 + 1),
        request(urgency=Urgency.LOW),
        request(contract="other"),
        request(data_centre=True),
        request(evidence=(PAPER,)),
    ],
    ids=["instant", "urgency", "contract", "hours", "papers"],
)
def test_a_second_opening_is_refused(other: IncidentCommand) -> None:
    open_at().when(other).then_rejected("R4", "subject")


# --- anything else ----------------------------------------------------------------------------------------------


@ANY
def test_what_happens_is_recorded(command: IncidentCommand, fact: IncidentFact) -> None:
    open_at().when(command).then(fact)


@ANY
def test_anything_before_the_opening_waits(command: IncidentCommand, fact: IncidentFact) -> None:
    INCIDENTS.given().when(command).then_not_yet(STREAM)


def test_a_rectification_before_the_opening_waits() -> None:
    INCIDENTS.given().when(rectify(1, "impact", "low")).then_not_yet(STREAM)


@ANY
def test_the_identical_fact_again_is_nothing_new(command: IncidentCommand, fact: IncidentFact) -> None:
    open_at().and_recorded(command).when(command).then_nothing()


@ANY
def test_the_same_at_another_instant_is_another_fact(command: IncidentCommand, fact: IncidentFact) -> None:
    earlier = at_instant(command, MONDAY_9 + 1)
    given = open_at().and_recorded(command)
    (found,) = given.decide(given.state, earlier)
    assert found == type(fact)(**{**dict(fact), "at": MONDAY_9 + 1})


@ANY
def test_the_same_with_other_papers_is_another_fact(command: IncidentCommand, fact: IncidentFact) -> None:
    with_paper = type(command)(**{**dict(command), "evidence": (PAPER,)})
    given = open_at().and_recorded(command)
    (found,) = given.decide(given.state, with_paper)
    assert found.evidence == (PAPER,)


@ANY
def test_what_is_dated_before_the_opening_is_refused(command: IncidentCommand, fact: IncidentFact) -> None:
    open_at().when(at_instant(command, MONDAY_9 - 1)).then_rejected("R3", "time")


@ANY
def test_what_is_dated_at_the_opening_is_recorded(command: IncidentCommand, fact: IncidentFact) -> None:
    given = open_at()
    (found,) = given.decide(given.state, at_instant(command, MONDAY_9))
    assert found.at == MONDAY_9


@ANY
def test_order_of_arrival_refuses_nothing(command: IncidentCommand, fact: IncidentFact) -> None:
    everything = open_at()
    for other, _ in COMMANDS:
        if type(other) is not type(command):
            everything = everything.and_recorded(at_instant(other, MONDAY_12))
    everything.when(command).then(fact)


def test_a_second_taking_in_charge_that_is_earlier_is_recorded() -> None:
    given = open_at().and_recorded(TakeInCharge(at=MONDAY_11))
    given.when(TakeInCharge(at=MONDAY_10)).then(IncidentTakenInCharge(at=MONDAY_10))


# --- suspensions, attributions, reassessments, endings ----------------------------------------------------------


def test_suspended_resumed_and_suspended_within_one_minute_are_three_facts() -> None:
    at = MONDAY_10
    state = open_at().and_recorded(suspend(at)).and_recorded(Resume(at=at)).and_recorded(suspend(at)).state
    assert state.suspensions == (suspended(at), ClockResumed(at=at), suspended(at))


def test_suspended_again_for_another_cause_at_the_same_instant_is_another_fact() -> None:
    other = suspend(cause=Responsibility.THIRD_PARTY)
    open_at().and_recorded(suspend()).when(other).then(suspended(cause=Responsibility.THIRD_PARTY))


def test_a_suspension_agreed_by_the_other_party_is_another_fact_than_one_side_s() -> None:
    agreed = suspend(agreed_by=(Party.CUSTOMER,))
    open_at().and_recorded(suspend()).when(agreed).then(suspended(agreed_by=(Party.CUSTOMER,)))


def test_a_suspension_may_come_before_the_taking_in_charge_and_after_the_closing() -> None:
    open_at().when(suspend(MONDAY_9)).then(suspended(MONDAY_9))
    open_at().and_recorded(Close(at=MONDAY_10)).when(suspend(MONDAY_11)).then(suspended(MONDAY_11))


def test_resolved_reopened_and_resolved_within_one_minute_are_three_facts() -> None:
    at = MONDAY_10
    state = open_at().and_recorded(Resolve(at=at)).and_recorded(Reopen(at=at)).and_recorded(Resolve(at=at)).state
    assert len(state.endings) == 3
    assert not state.open


def test_attributions_of_the_two_clocks_are_kept_apart() -> None:
    other = attribute(clock=Clock.INTERVENTION)
    open_at().and_recorded(attribute()).when(other).then(attributed(clock=Clock.INTERVENTION))
    open_at().and_recorded(attribute()).and_recorded(other).when(attribute()).then_nothing()


def test_an_attribution_made_again_after_another_of_that_clock_is_another_fact() -> None:
    # The last one recorded rules: saying the first thing again changes who is responsible.
    given = open_at().and_recorded(attribute()).and_recorded(attribute(party=Responsibility.SUPPLIER))
    given.when(attribute()).then(attributed())


def test_a_reassessment_back_and_forth_at_one_instant_is_three_facts() -> None:
    state = open_at().and_recorded(reassess()).and_recorded(reassess(impact=Impact.HIGH)).and_recorded(reassess()).state
    assert [fact.impact for fact in state.reassessments] == [Impact.LOW, Impact.HIGH, Impact.LOW]


@pytest.mark.parametrize(
    ("reason", "void"),
    [(ClosingReason.RESOLVED, False), (ClosingReason.DUPLICATE, True), (ClosingReason.WITHDRAWN, True)],
)
def test_a_closing_is_void_unless_the_request_was_resolved(reason: ClosingReason, void: bool) -> None:
    assert reason.void is void


def test_it_is_open_until_it_is_resolved_or_closed_and_again_once_reopened() -> None:
    given = open_at()
    assert not Incident(INCIDENT).open
    assert given.state.open
    assert given.and_recorded(TakeInCharge(at=MONDAY_10)).state.open
    assert not given.and_recorded(Close(at=MONDAY_10, reason=ClosingReason.WITHDRAWN)).state.open
    resolved = given.and_recorded(Resolve(at=MONDAY_11))
    assert not resolved.state.open
    assert resolved.and_recorded(Reopen(at=MONDAY_12)).state.open
    # Told late, dated before the resolution: it is the resolution that lasts.
    assert not resolved.and_recorded(Reopen(at=MONDAY_10)).state.open


def test_of_endings_at_one_instant_the_last_recorded_rules() -> None:
    resolved_first = open_at().and_recorded(Resolve(at=MONDAY_10)).and_recorded(Reopen(at=MONDAY_10))
    assert resolved_first.state.open
    reopened_first = open_at().and_recorded(Reopen(at=MONDAY_10)).and_recorded(Resolve(at=MONDAY_10))
    assert not reopened_first.state.open


# --- rectification ----------------------------------------------------------------------------------------------

CHARGED = TakeInCharge(at=MONDAY_10)


def charged() -> IncidentGiven:
    """Opened, and taken in charge at ten: version 2."""
    return open_at().and_recorded(CHARGED)


def corrected_charge(to: int, at: int = MONDAY_12, **changes: Any) -> Rectify:
    """The taking in charge was at another instant."""
    return rectify(2, "at", instant_text(to), at, **changes)


def test_a_rectification_is_a_fact_and_the_incident_reads_as_corrected() -> None:
    command = corrected_charge(MONDAY_11)
    expected = RecordRectified(**{**dict(command), "value": MONDAY_11})
    charged().when(command).then(expected)
    state = charged().and_recorded(command).state
    assert [fact.at for fact in state.charges] == [MONDAY_11]
    assert state.record == (opened(), IncidentTakenInCharge(at=MONDAY_10), expected)


def test_of_several_rectifications_the_last_recorded_rules_whatever_its_own_date() -> None:
    state = (
        charged()
        .and_recorded(corrected_charge(MONDAY_12 - 1, at=MONDAY_12))
        .and_recorded(corrected_charge(MONDAY_11, at=MONDAY_11))
        .state
    )
    assert [fact.at for fact in state.charges] == [MONDAY_11]


def test_a_rectification_may_put_the_first_value_back() -> None:
    given = charged().and_recorded(corrected_charge(MONDAY_11))
    given.when(corrected_charge(MONDAY_10)).then(
        RecordRectified(**{**dict(corrected_charge(MONDAY_10)), "value": MONDAY_10})
    )


def test_two_fields_of_one_fact_are_rectified_each_by_its_own_rectification() -> None:
    given = open_at().and_recorded(suspend()).and_recorded(rectify(2, "cause", "third_party"))
    state = given.and_recorded(rectify(2, "at", instant_text(MONDAY_11))).state
    assert state.suspensions == (suspended(MONDAY_11, Responsibility.THIRD_PARTY),)


def test_the_identical_rectification_again_is_nothing_new() -> None:
    command = corrected_charge(MONDAY_11)
    charged().and_recorded(command).when(command).then_nothing()


@pytest.mark.parametrize("version", [3, 99])
def test_an_unknown_version_is_not_rectified(version: int) -> None:
    reason = charged().when(rectify(version, "at", instant_text(MONDAY_11))).then_rejected("R5", "version")
    assert "2 facts" in reason


@pytest.mark.parametrize("version", [0, -1, 1.0, "1", True])
def test_a_version_is_a_whole_number_from_one(version: object) -> None:
    with pytest.raises(ValidationError):
        rectify(version, "at", instant_text(MONDAY_11))  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["colour", "type", "TYPE", "version", "model_config", "__class__"])
def test_an_unknown_field_is_not_rectified(field: str) -> None:
    reason = charged().when(rectify(2, field, "x")).then_rejected("R5", "field")
    assert "at, automatic, evidence" in reason


def test_a_field_that_verbale_decided_is_not_rectified() -> None:
    reason = open_at().when(rectify(1, "answer", {"coverage": "guaranteed"})).then_rejected("R5", "field")
    assert "answer" not in reason.partition("these can")[2]


def test_a_rectification_is_not_itself_rectified() -> None:
    given = charged().and_recorded(corrected_charge(MONDAY_11))
    given.when(rectify(3, "value", instant_text(MONDAY_12))).then_rejected("R5", "version")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("impact", "enormous"),
        ("impact", None),
        ("kind", 1),
        ("data_centre", "yes"),
        ("data_centre", 1),
        ("contract", ""),
    ],
)
def test_an_invalid_value_is_refused(field: str, value: object) -> None:
    open_at().when(rectify(1, field, value)).then_rejected("R5", "value")


@pytest.mark.parametrize("value", [MONDAY_11, 1.5, "2026-03-02T11:00:00", "2026-03-02", None, True, str(MONDAY_11)])
def test_an_instant_without_an_offset_or_as_a_bare_number_is_refused(value: object) -> None:
    charged().when(rectify(2, "at", value)).then_rejected("R5", "value")


def test_a_rectification_does_not_date_a_fact_before_the_opening() -> None:
    charged().when(corrected_charge(MONDAY_9 - 1)).then_rejected("R3", "value")
    given = charged()
    (fact,) = given.decide(given.state, corrected_charge(MONDAY_9))
    assert isinstance(fact, RecordRectified)


def test_a_rectified_opening_may_come_after_facts_already_told() -> None:
    # It counts then at the opening, with a finding: for the reports to say, not for the decider to refuse.
    state = charged().and_recorded(rectify(1, "at", instant_text(MONDAY_11))).state
    assert state.opened is not None
    assert (state.opened.at, state.charges[0].at) == (MONDAY_11, MONDAY_10)


def test_after_a_rectified_opening_nothing_more_is_dated_before_it() -> None:
    given = charged().and_recorded(rectify(1, "at", instant_text(MONDAY_11)))
    given.when(Resolve(at=MONDAY_10)).then_rejected("R3", "time")
    earlier = charged().and_recorded(rectify(1, "at", instant_text(MONDAY_8)))
    earlier.when(Resolve(at=MONDAY_8)).then(IncidentResolved(at=MONDAY_8))


def test_a_rectified_opening_keeps_the_coverage_given_then() -> None:
    state = INCIDENTS.given(opened(answer=NO_CREDITS)).and_recorded(rectify(1, "contract", "other")).state
    assert state.opened == opened(answer=NO_CREDITS, contract="other")


def test_a_suspension_turned_by_rectification_keeps_its_place() -> None:
    given = open_at().and_recorded(suspend(MONDAY_10)).and_recorded(Resume(at=MONDAY_11))
    state = given.and_recorded(rectify(2, "at", instant_text(MONDAY_12))).state
    assert state.suspensions == (suspended(MONDAY_12), ClockResumed(at=MONDAY_11))


def test_a_rectification_agreed_by_both_is_another_fact_than_one_side_s() -> None:
    # Under the reading `one_sided=agreed` the first one never counts, and this one must.
    agreed = corrected_charge(MONDAY_11, agreed_by=(Party.CUSTOMER,))
    given = charged().and_recorded(corrected_charge(MONDAY_11))
    given.when(agreed).then(RecordRectified(**{**dict(agreed), "value": MONDAY_11}))


def test_a_fact_left_before_a_rectified_opening_can_still_be_rectified_in_another_field() -> None:
    given = open_at().and_recorded(suspend(MONDAY_10)).and_recorded(rectify(1, "at", instant_text(MONDAY_11)))
    command = rectify(2, "cause", "third_party")
    given.when(command).then(RecordRectified(**dict(command)))


def test_a_rectification_dated_before_the_opening_is_refused() -> None:
    charged().when(corrected_charge(MONDAY_11, at=MONDAY_9 - 1)).then_rejected("R3", "time")


def test_the_fact_as_first_told_is_still_nothing_new_after_a_rectification() -> None:
    charged().and_recorded(corrected_charge(MONDAY_11)).when(CHARGED).then_nothing()


def test_the_opening_as_first_told_is_still_nothing_new_after_a_rectification() -> None:
    open_at().and_recorded(rectify(1, "urgency", "low")).when(request()).then_nothing()


def test_the_attribution_as_first_told_is_still_nothing_new_after_a_rectification() -> None:
    open_at().and_recorded(attribute()).and_recorded(rectify(2, "party", "supplier")).when(attribute()).then_nothing()


def test_a_rectification_told_again_with_papers_is_another_fact() -> None:
    with_paper = corrected_charge(MONDAY_11, evidence=(PAPER,))
    given = charged().and_recorded(corrected_charge(MONDAY_11))
    given.when(with_paper).then(RecordRectified(**{**dict(with_paper), "value": MONDAY_11}))


# --- who says it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "agreed_by", "agreed"),
    [
        (Party.SUPPLIER, (), False),
        (Party.SUPPLIER, (Party.SUPPLIER,), False),
        (Party.SUPPLIER, (Party.CUSTOMER,), True),
        (Party.CUSTOMER, (), False),
        (Party.CUSTOMER, (Party.SUPPLIER,), True),
        (Party.SUPPLIER, (Party.SUPPLIER, Party.CUSTOMER), True),
    ],
)
def test_a_record_is_agreed_where_both_parties_stand_behind_it(
    by: Party, agreed_by: tuple[Party, ...], agreed: bool
) -> None:
    assert suspended(by=by, agreed_by=agreed_by).agreed is agreed


def test_who_says_it_is_the_supplier_unless_told() -> None:
    assert (suspended().by, attributed().by, rectify(1, "impact", "low").by) == (Party.SUPPLIER,) * 3


# --- replay -----------------------------------------------------------------------------------------------------


def test_a_history_that_no_command_would_make_still_replays() -> None:
    facts = (IncidentClosed(at=1), opened(), opened(MONDAY_10), IncidentTakenInCharge(at=2), suspended(3))
    state = folded(*facts)
    assert state.record == facts
    assert state.opened == opened()


def test_a_rectification_of_nothing_on_record_changes_nothing() -> None:
    stray = RecordRectified(**dict(rectify(7, "at", MONDAY_11)))
    unknown = RecordRectified(**dict(rectify(1, "colour", "red")))
    state = folded(opened(), stray, unknown)
    assert state.opened == opened()
    assert len(state.record) == 3
