"""The contract: signed once, its options, levels, calendars and end, and what parties do about penalties."""

from typing import Any

import pytest
from pydantic import ValidationError
from support.examples import (
    CONTRACT,
    DAY,
    EVERY_DAY,
    HOUR,
    MONDAY_8,
    MONDAY_9,
    MONDAY_10,
    MONDAY_11,
    NEW_YEAR,
    NEXT_NEW_YEAR,
    PAPER,
    SIGNING,
    activate,
    activated,
    adopt,
    adopted,
    contract_facts,
    levels,
    local,
    rectify,
    sign,
    signed,
    standard_terms,
    week,
)
from support.spec import Decider, Given

from domain import contract
from domain.calendar_rules import ServiceHours
from domain.contract import Contract, OptionTerm
from domain.contract_facts import (
    ActivateOption,
    ConnectedSystemDeclared,
    ConnectedSystemWithdrawn,
    ContractCommand,
    ContractFact,
    ContractRenewed,
    ContractTerminated,
    DeclareConnectedSystem,
    EndOption,
    OptionActivated,
    OptionEnded,
    RenewContract,
    ReviseServiceLevel,
    ServiceLevelRevised,
    TerminateContract,
    WithdrawConnectedSystem,
)
from domain.facts import NotYet
from domain.interval import Interval
from domain.penalty_facts import (
    ClaimPenalty,
    PenaltyClaimed,
    PenaltySettled,
    PenaltyWaived,
    SettlePenalty,
    WaivePenalty,
)
from domain.periods import Frequency
from domain.record_facts import RecordRectified
from domain.routing import Route, Unrouted, routed
from domain.terms import (
    AssistanceOption,
    Clock,
    Impact,
    MaintenanceActivity,
    MaintenanceOption,
    OperationOption,
    Option,
    Priority,
    Service,
    Urgency,
)
from domain.values import MINUTE, instant_text
from domain.work_facts import (
    HoldReview,
    MaintenanceVisitPerformed,
    OperationHoursWorked,
    RecordOperationHours,
    RecordVisit,
    ServiceReviewHeld,
)

STREAM = f"contract-{CONTRACT}"
CONTRACTS: Decider[Contract, ContractCommand, ContractFact] = Decider(
    Contract(CONTRACT), contract.decide, contract.evolve
)


def in_force() -> Given[Contract, ContractCommand, ContractFact]:
    """A contract signed, with Assistenza active and a calendar adopted: three facts."""
    return CONTRACTS.given(*contract_facts())


def folded(*facts: ContractFact) -> Contract:
    """The contract that facts make."""
    return contract.fold(CONTRACT, facts)


def revise(at: int = MONDAY_9, effective: int = MONDAY_10, first_charge: int = 30) -> ReviseServiceLevel:
    """A revision of the TPC of priority 1."""
    return ReviseServiceLevel(at=at, effective=effective, levels=levels(first_charge))


def revised(*content: Any, **more: Any) -> ServiceLevelRevised:
    """The fact of `revise`."""
    return ServiceLevelRevised(**dict(revise(*content, **more)))


def terminate(at: int = MONDAY_9, effective: int = MONDAY_10) -> TerminateContract:
    """An early end."""
    return TerminateContract(at=at, effective=effective, why="the customer moves")


def terminated(*content: Any, **more: Any) -> ContractTerminated:
    """The fact of `terminate`."""
    return ContractTerminated(**dict(terminate(*content, **more)))


PENALTY: dict[str, Any] = {"amount": "500.00", "reading": "literal", "as_of": MONDAY_9, "known_on": MONDAY_10}


# --- signature --------------------------------------------------------------------------------------------------


def test_a_contract_is_signed() -> None:
    CONTRACTS.given().when(sign()).then(signed())


def test_the_papers_of_a_command_are_kept_with_its_fact() -> None:
    CONTRACTS.given().when(sign(evidence=(PAPER,))).then(signed(evidence=(PAPER,)))


def test_the_identical_signature_again_is_nothing_new() -> None:
    CONTRACTS.given(signed()).when(sign()).then_nothing()


@pytest.mark.parametrize(
    "other",
    [
        sign(at=SIGNING + 1),
        sign(customers=("OTHER",)),
        sign(terms=standard_terms(tolerance="5%")),
        sign(evidence=(PAPER,)),
    ],
    ids=["instant", "customers", "terms", "papers"],
)
def test_a_contract_is_not_signed_twice(other: ContractCommand) -> None:
    reason = CONTRACTS.given(signed()).when(other).then_rejected("G1", "subject")
    assert "rectify" in reason


def test_a_second_signature_is_refused_with_the_local_day_of_the_first() -> None:
    after_midnight = signed(at=local("2025-12-15 00:30"))
    reason = CONTRACTS.given(after_midnight).when(sign(customers=("OTHER",))).then_rejected("G1", "subject")
    assert "signed on 2025-12-15" in reason


@pytest.mark.parametrize(
    "command",
    [
        activate(),
        adopt(),
        revise(),
        terminate(),
        ClaimPenalty(at=MONDAY_9, **PENALTY),
        WaivePenalty(at=MONDAY_9, **PENALTY),
        SettlePenalty(at=MONDAY_9, **PENALTY),
        rectify(1, "customers", ["OTHER"]),
    ],
    ids=lambda command: type(command).__name__,
)
def test_anything_else_waits_for_the_signature(command: ContractCommand) -> None:
    CONTRACTS.given().when(command).then_not_yet(STREAM)


def test_a_fact_dated_before_the_signature_is_recorded() -> None:
    # Order of arrival, and of dates, refuses nothing on a contract: only the signature has to be there.
    in_force().when(adopt(at=SIGNING - DAY)).then(adopted(at=SIGNING - DAY))


@pytest.mark.parametrize("until", [NEW_YEAR, NEW_YEAR - 1])
def test_a_contract_ends_after_it_begins(until: int) -> None:
    with pytest.raises(ValidationError, match="ends after it begins"):
        sign(in_force_until=until)


# --- options, calendars, levels, end, penalties -----------------------------------------------------------------


def test_a_service_is_activated_by_its_option() -> None:
    CONTRACTS.given(signed()).when(activate()).then(activated())


def test_a_calendar_is_adopted() -> None:
    CONTRACTS.given(signed()).when(adopt()).then(adopted())


def test_levels_are_revised_from_a_later_date() -> None:
    in_force().when(revise()).then(revised())


def test_a_revision_may_take_effect_at_once() -> None:
    in_force().when(revise(MONDAY_9, MONDAY_9)).then(revised(MONDAY_9, MONDAY_9))


def test_a_backdated_revision_is_refused() -> None:
    in_force().when(revise(MONDAY_9, MONDAY_9 - 1)).then_rejected("A6", "effective")


def test_the_contract_is_terminated() -> None:
    in_force().when(terminate()).then(terminated())


def test_a_termination_may_take_effect_at_once() -> None:
    in_force().when(terminate(MONDAY_9, MONDAY_9)).then(terminated(MONDAY_9, MONDAY_9))


def test_a_backdated_termination_is_refused() -> None:
    in_force().when(terminate(MONDAY_9, MONDAY_9 - 1)).then_rejected("G2", "effective")


def test_a_penalty_is_claimed() -> None:
    in_force().when(ClaimPenalty(at=MONDAY_11, **PENALTY)).then(PenaltyClaimed(at=MONDAY_11, **PENALTY))


def test_a_penalty_is_waived() -> None:
    in_force().when(WaivePenalty(at=MONDAY_11, **PENALTY)).then(PenaltyWaived(at=MONDAY_11, **PENALTY))


def test_a_penalty_is_settled() -> None:
    in_force().when(SettlePenalty(at=MONDAY_11, **PENALTY)).then(PenaltySettled(at=MONDAY_11, **PENALTY))


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "1.001", 500.0, 500])
def test_a_penalty_is_an_amount_of_euro_and_more_than_none(amount: object) -> None:
    with pytest.raises(ValidationError):
        ClaimPenalty.model_validate({"at": MONDAY_11, **PENALTY, "amount": amount})


CLAIM = ClaimPenalty(at=MONDAY_9, **PENALTY)
WAIVER = WaivePenalty(at=MONDAY_9, **PENALTY)
SETTLEMENT = SettlePenalty(at=MONDAY_9, **PENALTY)
REPEATED = [
    (activate(), activate(at=SIGNING + 1)),
    (adopt(), adopt(at=SIGNING + 1)),
    (revise(), revise(at=MONDAY_9 + 1)),
    (terminate(), terminate(at=MONDAY_9 + 1)),
    (CLAIM, ClaimPenalty(at=MONDAY_9 + 1, **PENALTY)),
    (WAIVER, WaivePenalty(at=MONDAY_9 + 1, **PENALTY)),
    (SETTLEMENT, SettlePenalty(at=MONDAY_9 + 1, **PENALTY)),
]
KINDS = [type(first).__name__ for first, _ in REPEATED]


@pytest.mark.parametrize(("command", "_later"), REPEATED, ids=KINDS)
def test_the_identical_fact_again_is_nothing_new(command: ContractCommand, _later: ContractCommand) -> None:
    CONTRACTS.given(signed()).and_recorded(command).when(command).then_nothing()


@pytest.mark.parametrize(("command", "later"), REPEATED, ids=KINDS)
def test_the_same_at_another_instant_is_another_fact(command: ContractCommand, later: ContractCommand) -> None:
    recorded = CONTRACTS.given(signed()).and_recorded(command)
    (fact,) = recorded.decide(recorded.state, later)
    recorded.when(later).then(fact)
    assert fact.at == later.at


def test_a_claim_a_waiver_and_a_settlement_alike_are_three_facts() -> None:
    given = in_force().and_recorded(CLAIM).and_recorded(WAIVER).and_recorded(SETTLEMENT)
    state = given.state
    assert (len(state.claims), len(state.waivers), len(state.settlements)) == (1, 1, 1)


# --- what the facts say -----------------------------------------------------------------------------------------


def test_it_is_in_force_from_its_first_instant_until_the_last_excluded() -> None:
    state = folded(*contract_facts())
    answers = [state.in_force(at) for at in (NEW_YEAR - 1, NEW_YEAR, NEXT_NEW_YEAR - 1, NEXT_NEW_YEAR)]
    assert answers == [False, True, True, False]


def test_without_an_end_it_goes_on() -> None:
    state = folded(signed(in_force_until=None))
    assert state.end is None
    assert state.in_force(NEXT_NEW_YEAR + 1000 * DAY)


def test_a_signature_counts_from_its_own_instant() -> None:
    state = folded(signed(at=MONDAY_9))
    assert [(state.signed_by(at), state.in_force(at)) for at in (MONDAY_9 - 1, MONDAY_9)] == [
        (False, False),
        (True, True),
    ]


def test_a_termination_ends_it_from_its_effective_instant() -> None:
    state = folded(*contract_facts(), terminated())
    assert [state.in_force(at) for at in (MONDAY_10 - 1, MONDAY_10)] == [True, False]
    assert state.end == MONDAY_10


def test_of_several_ends_the_earliest_counts() -> None:
    state = folded(signed(), terminated(MONDAY_9, MONDAY_11), terminated(MONDAY_9, MONDAY_10))
    assert state.end == MONDAY_10
    assert folded(signed(), terminated(MONDAY_9, NEXT_NEW_YEAR + DAY)).end == NEXT_NEW_YEAR


def test_a_termination_on_record_ends_nothing_before_it_was_made() -> None:
    # It cannot be recorded so; it can be read so, by a reading that leaves one of two rectifications out.
    state = folded(signed(), terminated(at=MONDAY_11, effective=MONDAY_9))
    assert [state.in_force(at) for at in (MONDAY_11 - 1, MONDAY_11)] == [True, False]
    assert state.end == MONDAY_11


def test_assistance_is_active_once_activated_and_effective() -> None:
    state = folded(signed(), activated(at=MONDAY_9, effective=MONDAY_10))
    assert [state.active(Service.ASSISTANCE, at) for at in (MONDAY_10 - 1, MONDAY_10)] == [False, True]
    late = folded(signed(), activated(at=MONDAY_10, effective=MONDAY_9))
    assert [late.active(Service.ASSISTANCE, at) for at in (MONDAY_10 - 1, MONDAY_10)] == [False, True]
    assert not state.active(Service.MAINTENANCE, MONDAY_10)


def test_the_signed_levels_hold_until_a_revision_takes_effect() -> None:
    state = folded(signed(), revised())
    assert [state.levels(at).p1.charge for at in (MONDAY_9, MONDAY_10 - 1, MONDAY_10)] == [60, 60, 30]


def test_the_revision_that_took_effect_last_rules_however_they_arrived() -> None:
    first, second = revised(MONDAY_8, MONDAY_10, first_charge=30), revised(MONDAY_9, MONDAY_11, first_charge=20)
    for state in (folded(signed(), first, second), folded(signed(), second, first)):
        assert [state.levels(at).p1.charge for at in (MONDAY_9, MONDAY_10, MONDAY_11)] == [60, 30, 20]


def test_a_revision_made_earlier_rules_from_when_it_takes_effect_later() -> None:
    state = folded(
        signed(), revised(MONDAY_8, MONDAY_11, first_charge=30), revised(MONDAY_9, MONDAY_10, first_charge=20)
    )
    assert [state.levels(at).p1.charge for at in (MONDAY_9, MONDAY_10, MONDAY_11)] == [60, 20, 30]


def test_what_is_on_record_as_backdated_counts_from_its_own_instant_all_the_same() -> None:
    state = folded(signed(), revised(MONDAY_10, MONDAY_8), terminated(MONDAY_11, MONDAY_8))
    assert [state.levels(at).p1.charge for at in (MONDAY_9, MONDAY_10)] == [60, 30]
    assert [state.in_force(at) for at in (MONDAY_10, MONDAY_11)] == [True, False]


def test_of_revisions_effective_together_the_one_made_last_rules() -> None:
    first, second = revised(MONDAY_8, first_charge=30), revised(MONDAY_9, first_charge=20)
    for state in (folded(signed(), first, second), folded(signed(), second, first)):
        assert state.levels(MONDAY_10).p1.charge == 20


def test_of_revisions_made_and_effective_together_the_one_recorded_last_rules() -> None:
    state = folded(signed(), revised(first_charge=30), revised(first_charge=20))
    assert state.levels(MONDAY_10).p1.charge == 20


def test_an_unsigned_contract_has_no_levels() -> None:
    with pytest.raises(ValueError, match="not signed"):
        Contract(CONTRACT).levels(MONDAY_9)


def test_the_terms_give_the_priorities_and_times_that_were_signed() -> None:
    terms = standard_terms()
    table = {
        (str(impact), str(urgency)): terms.matrix.priority(impact, urgency) for impact in Impact for urgency in Urgency
    }
    assert table == {
        ("high", "high"): 1,
        ("high", "medium"): 2,
        ("medium", "high"): 2,
        ("high", "low"): 3,
        ("medium", "medium"): 3,
        ("low", "high"): 3,
        ("medium", "low"): 4,
        ("low", "medium"): 4,
        ("low", "low"): 5,
    }
    charge = [terms.levels.level(priority).target(Clock.CHARGE) // MINUTE for priority in Priority]
    intervention = [terms.levels.level(priority).target(Clock.INTERVENTION) // MINUTE for priority in Priority]
    assert (charge, intervention) == ([60, 120, 240, 480, 960], [240, 480, 960, 1440, 2400])


def test_each_kind_of_service_has_its_own_week_and_they_share_the_holidays() -> None:
    night = week(("20:00", "06:00"), days=EVERY_DAY)
    adoption = adopted(data_centre=night)
    standard, data_centre = adoption.rules(ServiceHours.STANDARD), adoption.rules(ServiceHours.DATA_CENTRE)
    assert (standard.week, data_centre.week) == (adoption.standard, night)
    assert standard.holidays == data_centre.holidays == adoption.holidays


# --- renewal ----------------------------------------------------------------------------------------------------

YEAR_AFTER = NEXT_NEW_YEAR + 365 * DAY


def renew(at: int = MONDAY_9, until: int = YEAR_AFTER) -> RenewContract:
    return RenewContract(at=at, until=until)


def renewed(at: int = MONDAY_9, until: int = YEAR_AFTER) -> ContractRenewed:
    return ContractRenewed(**dict(renew(at, until)))


def test_a_contract_is_renewed_until_a_later_end() -> None:
    in_force().when(renew()).then(renewed())
    in_force().and_recorded(renew()).when(renew()).then_nothing()
    state = folded(signed(), renewed())
    assert state.end == YEAR_AFTER
    assert [state.in_force(at) for at in (NEXT_NEW_YEAR, YEAR_AFTER - 1, YEAR_AFTER)] == [True, True, False]


@pytest.mark.parametrize("until", [NEXT_NEW_YEAR, NEXT_NEW_YEAR - 1, MONDAY_8])
def test_a_renewal_ends_later_than_the_contract_did(until: int) -> None:
    in_force().when(renew(until=until)).then_rejected("G2", "until")


def test_a_renewal_to_the_past_is_refused() -> None:
    in_force().when(renew(YEAR_AFTER, YEAR_AFTER)).then_rejected("G2", "until")
    command = rectify(4, "until", instant_text(NEXT_NEW_YEAR))
    in_force().and_recorded(renew()).when(command).then_rejected("G2", "value")


def test_a_contract_without_an_end_is_not_renewed() -> None:
    reason = CONTRACTS.given(signed(in_force_until=None)).when(renew()).then_rejected("G2", "until")
    assert "without an end" in reason


@pytest.mark.parametrize("days", [-1, 1])
def test_of_two_renewals_the_later_end_rules_in_whatever_order_they_arrive(days: int) -> None:
    first, second = renew(MONDAY_9, YEAR_AFTER), renew(MONDAY_10, YEAR_AFTER + days * DAY)
    for one, other in ((first, second), (second, first)):
        assert in_force().and_recorded(one).and_recorded(other).state.end == max(YEAR_AFTER, YEAR_AFTER + days * DAY)


def test_a_termination_before_the_renewed_end_still_ends_it() -> None:
    for state in (folded(signed(), renewed(), terminated()), folded(signed(), terminated(), renewed(MONDAY_11))):
        assert state.end == MONDAY_10
        assert [state.in_force(at) for at in (MONDAY_10 - 1, MONDAY_10, MONDAY_11, NEXT_NEW_YEAR)] == [
            True, False, False, False
        ]  # fmt: skip


def test_a_renewal_told_after_the_end_fills_no_gap() -> None:
    late = NEXT_NEW_YEAR + DAY
    state = folded(signed(), renewed(late))
    assert state.in_force_intervals == (Interval(NEW_YEAR, NEXT_NEW_YEAR), Interval(late, YEAR_AFTER))
    assert [state.in_force(at) for at in (NEXT_NEW_YEAR - 1, NEXT_NEW_YEAR, late - 1, late)] == [
        True,
        False,
        False,
        True,
    ]
    assert [state.in_force_until(at) for at in (MONDAY_9, NEXT_NEW_YEAR, late)] == [NEXT_NEW_YEAR, None, YEAR_AFTER]


def test_the_same_renewals_make_the_same_spells_in_any_order() -> None:
    late = renewed(NEXT_NEW_YEAR + DAY, YEAR_AFTER + DAY)
    for facts in ((renewed(), late), (late, renewed())):
        assert folded(signed(), *facts).in_force_intervals == (Interval(NEW_YEAR, YEAR_AFTER + DAY),)


def test_a_renewed_contract_keeps_its_customers() -> None:
    state = folded(signed(), renewed(NEXT_NEW_YEAR + DAY))
    assert [state.routes("ACME", at) for at in (NEXT_NEW_YEAR - 1, NEXT_NEW_YEAR, NEXT_NEW_YEAR + DAY)] == [
        True,
        False,
        True,
    ]


# --- options of the three services ------------------------------------------------------------------------------

OPERATION = OperationOption(
    service=Service.OPERATION, committed_minutes=1200, per=Frequency.MONTH, activities=("campaigns", "nurturing")
)
MAINTENANCE = MaintenanceOption(
    service=Service.MAINTENANCE,
    activities=(MaintenanceActivity(name="updates", visits=2, per=Frequency.MONTH),),
    infrastructure=True,
)


def start_service(option: Option, at: int = SIGNING, effective: int = NEW_YEAR) -> OptionActivated:
    return OptionActivated(at=at, option=option, effective=effective)


def end_option(service: Service = Service.ASSISTANCE, at: int = MONDAY_9, effective: int = MONDAY_10) -> EndOption:
    return EndOption(at=at, service=service, effective=effective)


def option_ended(*content: Any, **more: Any) -> OptionEnded:
    return OptionEnded(**dict(end_option(*content, **more)))


@pytest.mark.parametrize("option", [AssistanceOption(), OPERATION, MAINTENANCE], ids=lambda option: option.service)
def test_an_option_is_read_as_it_was_written(option: Option) -> None:
    fact = start_service(option)
    assert OptionActivated.model_validate_json(fact.model_dump_json()) == fact


def test_an_option_that_names_no_service_is_that_of_assistance() -> None:
    command = ActivateOption.model_validate({"at": SIGNING, "option": {}, "effective": NEW_YEAR})
    assert command.option == AssistanceOption()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"service": "cleaning"}, "assistance, operation or maintenance"),
        ("operation", "assistance, operation or maintenance"),
        ({"service": "operation", "per": "month", "activities": ["x"]}, "committed_minutes"),
        ({"service": "operation", "committed_minutes": 0, "per": "month", "activities": ["x"]}, "greater than 0"),
        ({"service": "operation", "committed_minutes": 1, "per": "week", "activities": ["x"]}, "month"),
        ({"service": "operation", "committed_minutes": 1, "per": "month", "activities": []}, "at least 1"),
        ({"service": "operation", "committed_minutes": 1, "per": "month", "activities": ["x", "x"]}, "listed twice"),
        ({"service": "maintenance", "activities": []}, "at least 1"),
        ({"service": "maintenance", "activities": [{"name": "x", "per": "month", "visits": 0}]}, "equal to 1"),
        ({"service": "maintenance", "activities": [{"name": "x", "per": "year"}] * 2}, "x is listed twice"),
        ({"service": "assistance", "committed_minutes": 1}, "Extra inputs"),
    ],
)
def test_an_option_that_says_too_little_or_too_much_is_refused(option: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ActivateOption.model_validate({"at": SIGNING, "option": option, "effective": NEW_YEAR})


def test_each_service_is_activated_by_its_own_option() -> None:
    state = folded(signed(), start_service(OPERATION))
    assert [state.active(service, MONDAY_9) for service in Service] == [True, False, False]
    assert folded(signed(), start_service(MAINTENANCE)).option(Service.MAINTENANCE, MONDAY_9) == MAINTENANCE


def test_options_of_one_instant_are_each_told_once() -> None:
    given = CONTRACTS.given(signed(), activated(), start_service(OPERATION), start_service(MAINTENANCE))
    given.when(activate()).then_nothing()
    given.when(ActivateOption(at=SIGNING, option=OPERATION, effective=NEW_YEAR)).then_nothing()


def test_an_option_ends_and_is_activated_again() -> None:
    in_force().when(end_option()).then(option_ended())
    in_force().and_recorded(end_option()).when(end_option()).then_nothing()
    state = folded(signed(), activated(), option_ended(), activated(at=MONDAY_9, effective=MONDAY_11))
    assert [state.active(Service.ASSISTANCE, at) for at in (MONDAY_10 - 1, MONDAY_10, MONDAY_11)] == [True, False, True]


def test_the_end_of_one_service_is_not_that_of_another() -> None:
    state = folded(signed(), activated(), start_service(OPERATION), option_ended(Service.OPERATION))
    assert [state.active(service, MONDAY_10) for service in Service] == [False, False, True]


def test_an_option_does_not_end_before_it_is_ended() -> None:
    in_force().when(end_option(effective=MONDAY_9 - 1)).then_rejected("G1", "effective")
    command = rectify(4, "effective", instant_text(MONDAY_9 - HOUR))
    in_force().and_recorded(end_option()).when(command).then_rejected("G1", "value")


def test_the_end_of_a_service_that_is_not_active_is_a_fact_all_the_same() -> None:
    in_force().when(end_option(Service.MAINTENANCE)).then(option_ended(Service.MAINTENANCE))


def test_an_option_activated_again_replaces_the_one_before_in_whatever_order_they_arrive() -> None:
    more = OPERATION.model_copy(update={"committed_minutes": 2400})
    first, second = start_service(OPERATION), start_service(more, MONDAY_9, MONDAY_10)
    for facts in ((first, second), (second, first)):
        state = folded(signed(), *facts)
        assert [state.option(Service.OPERATION, at) for at in (MONDAY_10 - 1, MONDAY_10)] == [OPERATION, more]
        assert state.option_terms(Service.OPERATION) == (
            OptionTerm(NEW_YEAR, MONDAY_10, OPERATION),
            OptionTerm(MONDAY_10, NEXT_NEW_YEAR, more),
        )


def test_an_option_lasts_while_the_contract_is_in_force() -> None:
    early = start_service(OPERATION, effective=SIGNING)
    assert folded(signed(), early, terminated()).option_terms(Service.OPERATION) == (
        OptionTerm(NEW_YEAR, MONDAY_10, OPERATION),
    )
    gap = folded(signed(), early, renewed(NEXT_NEW_YEAR + DAY))
    assert [(term.start, term.end) for term in gap.option_terms(Service.OPERATION)] == [
        (NEW_YEAR, NEXT_NEW_YEAR),
        (NEXT_NEW_YEAR + DAY, YEAR_AFTER),
    ]
    assert folded(signed(), early).option_terms(Service.MAINTENANCE) == ()
    assert folded(early).option_terms(Service.OPERATION) == ()


def test_a_commitment_counts_from_its_effective_date_and_a_guarantee_from_when_it_was_told() -> None:
    state = folded(signed(), start_service(OPERATION, MONDAY_9, NEW_YEAR))
    assert state.option_terms(Service.OPERATION) == (OptionTerm(NEW_YEAR, NEXT_NEW_YEAR, OPERATION),)
    assert [state.active(Service.OPERATION, at) for at in (MONDAY_9 - 1, MONDAY_9)] == [False, True]


# --- what is done under them ------------------------------------------------------------------------------------


def visit(activity: str = "updates", at: int = MONDAY_9, **changes: Any) -> RecordVisit:
    return RecordVisit(**{"at": at, "activity": activity, "by": "technician-4", **changes})


def hours(work: str = "T1", at: int = MONDAY_9, **changes: Any) -> RecordOperationHours:
    fields: dict[str, Any] = {"activity": "campaigns", "minutes": 90, "by": "consultant-3"}
    return RecordOperationHours(**{"at": at, "work": work, **fields, **changes})


def review(*indicators: str, at: int = MONDAY_9) -> HoldReview:
    return HoldReview(at=at, indicators=indicators or ("qualified leads",), participants=("consultant-3",))


def test_visits_hours_and_reviews_are_recorded_be_their_service_active_or_not() -> None:
    in_force().when(visit("nothing listed")).then(MaintenanceVisitPerformed(**dict(visit("nothing listed"))))
    in_force().when(hours()).then(OperationHoursWorked(**dict(hours())))
    in_force().when(review()).then(ServiceReviewHeld(**dict(review())))


@pytest.mark.parametrize("command", [visit(), hours(), review()], ids=lambda command: type(command).__name__)
def test_told_again_they_are_nothing_new_and_without_a_signature_they_wait(command: ContractCommand) -> None:
    in_force().and_recorded(command).when(command).then_nothing()
    CONTRACTS.given().when(command).then_not_yet(STREAM)


def test_visits_of_one_instant_are_each_told_once() -> None:
    both = in_force().and_recorded(visit("updates")).and_recorded(visit("backup"))
    both.when(visit("updates")).then_nothing()
    both.when(visit("updates", infrastructure=True)).then(
        MaintenanceVisitPerformed(**dict(visit("updates", infrastructure=True)))
    )


def test_two_equal_entries_of_work_are_two_by_their_names() -> None:
    state = in_force().and_recorded(hours("T1")).and_recorded(hours("T2")).state
    assert [worked.minutes for worked in state.hours_worked] == [90, 90]


def test_a_name_of_work_stands_for_one_entry() -> None:
    given = in_force().and_recorded(hours("T1"))
    assert "rectify" in given.when(hours("T1", minutes=60)).then_rejected("O1", "work")
    given.when(hours("T1", at=MONDAY_10)).then_rejected("O1", "work")


def test_work_is_rectified_and_told_either_way_is_nothing_new() -> None:
    given = in_force().and_recorded(hours("T1")).and_recorded(rectify(4, "minutes", 60))
    assert [worked.minutes for worked in given.state.hours_worked] == [60]
    given.when(hours("T1")).then_nothing()
    given.when(hours("T1", minutes=60)).then_nothing()
    given.when(rectify(4, "work", "T2")).then_rejected("R5", "field")
    given.when(rectify(4, "minutes", 0)).then_rejected("R5", "value")


@pytest.mark.parametrize("minutes", [0, -1, 1.5, "60", True])
def test_work_is_whole_minutes_and_more_than_none(minutes: object) -> None:
    with pytest.raises(ValidationError):
        hours(minutes=minutes)


def test_a_review_discusses_some_indicator() -> None:
    with pytest.raises(ValidationError, match="at least 1"):
        HoldReview(at=MONDAY_9, indicators=())


# --- customer keys ----------------------------------------------------------------------------------------------


def test_a_customer_key_routes_while_the_contract_is_in_force() -> None:
    state = folded(signed())
    answers = [state.routes("ACME", at) for at in (NEW_YEAR - 1, NEW_YEAR, NEXT_NEW_YEAR)]
    assert answers == [False, True, False]
    assert not state.routes("OTHER", NEW_YEAR)


def by_customer(*contracts: Contract, at: int = MONDAY_9) -> Route:
    """Where a request of customer ACME leads."""
    return routed(None, "ACME", None, at, Contract, lambda: contracts)


def another(**signature: Any) -> Contract:
    return contract.fold("new", [signed(**signature)])


def test_a_customer_key_that_two_contracts_in_force_list_leads_to_neither() -> None:
    route = by_customer(folded(signed()), another())
    assert route == Route(None, (Unrouted.CUSTOMER_OF_SEVERAL,), (CONTRACT, "new"))


def test_a_customer_key_may_pass_from_one_contract_to_the_next() -> None:
    until, since = folded(signed()), another(in_force_from=NEXT_NEW_YEAR, in_force_until=None)
    assert by_customer(until, since, at=NEXT_NEW_YEAR - 1).contract is until
    assert by_customer(until, since, at=NEXT_NEW_YEAR).contract is since


def test_a_termination_heals_a_customer_key_claimed_twice() -> None:
    terminated_since = contract.fold("new", [signed(), terminated(NEW_YEAR, MONDAY_9)])
    assert by_customer(folded(signed()), terminated_since, at=MONDAY_9 - 1).rivals == (CONTRACT, "new")
    assert by_customer(folded(signed()), terminated_since, at=MONDAY_9).rivals == ()


# --- connected systems ------------------------------------------------------------------------------------------


def declare(system: str = "erp", at: int = MONDAY_9) -> DeclareConnectedSystem:
    return DeclareConnectedSystem(at=at, system=system)


def declared(system: str = "erp", at: int = MONDAY_9) -> ConnectedSystemDeclared:
    return ConnectedSystemDeclared(**dict(declare(system, at)))


def withdraw(system: str = "erp", at: int = MONDAY_10) -> WithdrawConnectedSystem:
    return WithdrawConnectedSystem(at=at, system=system)


def withdrawn(system: str = "erp", at: int = MONDAY_10) -> ConnectedSystemWithdrawn:
    return ConnectedSystemWithdrawn(**dict(withdraw(system, at)))


def test_a_connected_system_is_declared_and_withdrawn() -> None:
    in_force().when(declare()).then(declared())
    in_force().and_recorded(declare()).when(withdraw()).then(withdrawn())


def test_a_system_is_disclosed_from_its_declaration_until_it_is_withdrawn() -> None:
    state = folded(signed(), declared(), withdrawn())
    answers = [state.declared("erp", at) for at in (MONDAY_9 - 1, MONDAY_9, MONDAY_10 - 1, MONDAY_10, MONDAY_11)]
    assert answers == [False, True, True, False, False]
    assert not state.declared("crm", MONDAY_9)


def test_a_system_may_be_declared_again_and_facts_may_arrive_in_any_order() -> None:
    facts = (declared(at=MONDAY_11), withdrawn(at=MONDAY_10), declared(at=MONDAY_9))
    state = folded(signed(), *facts)
    assert [state.declared("erp", at) for at in (MONDAY_9, MONDAY_10, MONDAY_11)] == [True, False, True]


def test_of_two_facts_of_one_instant_the_last_recorded_rules() -> None:
    assert not folded(signed(), declared(), withdrawn(at=MONDAY_9)).declared("erp", MONDAY_9)
    assert folded(signed(), withdrawn(at=MONDAY_9), declared()).declared("erp", MONDAY_9)


def test_a_withdrawal_of_what_was_never_declared_is_a_fact_all_the_same() -> None:
    in_force().when(withdraw()).then(withdrawn())


def test_declaring_again_is_nothing_new_whatever_else_was_declared_at_that_instant() -> None:
    both = in_force().and_recorded(declare("erp")).and_recorded(declare("crm"))
    both.when(declare("erp")).then_nothing()
    both.when(declare("crm")).then_nothing()
    both.when(declare("erp", MONDAY_10)).then(declared("erp", MONDAY_10))


def test_a_system_declared_under_a_wrong_name_is_rectified() -> None:
    right = in_force().and_recorded(declare("epr")).and_recorded(rectify(4, "system", "erp"))
    assert (right.state.declared("erp", MONDAY_9), right.state.declared("epr", MONDAY_9)) == (True, False)
    right.when(declare("erp")).then_nothing()
    right.when(declare("epr")).then_nothing()


def test_connected_systems_wait_for_the_signature() -> None:
    with pytest.raises(NotYet):
        contract.decide(Contract(CONTRACT), declare())
    with pytest.raises(NotYet):
        contract.decide(Contract(CONTRACT), withdraw())


# --- where a request leads --------------------------------------------------------------------------------------


def where(
    *known: Contract, name: str | None = None, customer: str | None = None, system: str | None = None
) -> Route | str:
    """Where a request of Monday at 9 leads among the contracts known: the id of a contract, or why to none."""
    by_id = {one.id: one for one in known}
    found = routed(name, customer, system, MONDAY_9, lambda asked: by_id.get(asked, Contract(asked)), lambda: known)
    return found.contract.id if found.contract else found


def replay(name: str, *facts: ContractFact, **signature: Any) -> Contract:
    return contract.fold(name, [signed(**{"customers": (), **signature}), *facts])


ACME = replay("acme", declared("erp"), customers=("ACME",))
BETA = replay("beta", declared("crm"), declared("mail"), customers=("BETA",))
GONE = replay("gone", declared("crm"), declared("fax"), customers=("GONE",), in_force_until=NEW_YEAR + 1)


def test_a_contract_that_is_named_rules_whatever_else_the_request_names() -> None:
    assert where(ACME, BETA, name="acme", customer="BETA", system="crm") == "acme"
    assert where(ACME, GONE, name="gone", customer="ACME", system="erp") == "gone"


def test_a_contract_that_is_named_and_not_signed_is_not_replaced_by_another() -> None:
    assert where(ACME, name="nobody", customer="ACME", system="erp") == Route(None, (Unrouted.CONTRACT_UNSIGNED,))


def test_a_customer_key_rules_over_the_system() -> None:
    assert where(ACME, BETA, customer="ACME", system="crm") == "acme"


@pytest.mark.parametrize("customer", [None, "NOBODY", "GONE"])
def test_a_system_leads_to_the_contract_in_force_that_declared_it(customer: str | None) -> None:
    assert where(ACME, BETA, GONE, customer=customer, system="erp") == "acme"
    assert where(ACME, BETA, GONE, customer=customer, system="crm") == "beta"


def test_a_system_that_several_contracts_in_force_declared_leads_to_none() -> None:
    also = replay("also", declared("erp"))
    assert where(ACME, also, system="erp") == Route(None, (Unrouted.SEVERAL_CONTRACTS,), ("acme", "also"))
    assert where(ACME, replay("also", declared("erp"), withdrawn("erp", MONDAY_9)), system="erp") == "acme"
    assert where(ACME, ACME, system="erp") == "acme"


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ({}, (Unrouted.NOTHING_NAMED,)),
        ({"customer": "NOBODY"}, (Unrouted.NO_SUCH_CUSTOMER,)),
        ({"customer": "GONE"}, (Unrouted.CUSTOMER_NOT_IN_FORCE,)),
        ({"system": "phone"}, (Unrouted.NO_SUCH_SYSTEM,)),
        ({"system": "fax"}, (Unrouted.SYSTEM_NOT_DECLARED,)),
        ({"system": "late"}, (Unrouted.SYSTEM_NOT_DECLARED,)),
        ({"customer": "GONE", "system": "phone"}, (Unrouted.CUSTOMER_NOT_IN_FORCE, Unrouted.NO_SUCH_SYSTEM)),
    ],
)
def test_a_request_that_leads_nowhere_says_why_of_each_name_it_gives(
    named: dict[str, str], why: tuple[Unrouted, ...]
) -> None:
    assert where(ACME, BETA, GONE, replay("later", declared("late", MONDAY_9 + 1)), **named) == Route(None, why)


# --- rectification ----------------------------------------------------------------------------------------------


def test_a_field_of_a_fact_is_rectified_and_the_contract_reads_as_corrected() -> None:
    command = rectify(1, "customers", ["ACME", "ACME-2"])
    in_force().when(command).then(RecordRectified(**dict(command)))
    state = in_force().and_recorded(command).state
    assert state.routes("ACME-2", NEW_YEAR)
    assert len(state.record) == 4
    assert isinstance(state.record[0], type(signed()))


def test_a_rectified_instant_is_given_as_text_and_kept_in_microseconds() -> None:
    until = instant_text(MONDAY_9)
    given = in_force()
    (fact,) = given.decide(given.state, rectify(1, "in_force_until", until))
    assert isinstance(fact, RecordRectified)
    assert fact.value == MONDAY_9
    assert given.and_recorded(rectify(1, "in_force_until", until)).state.end == MONDAY_9


def test_a_part_of_the_terms_is_rectified_by_giving_the_terms_whole() -> None:
    terms = standard_terms(tolerance="5%").model_dump(mode="json")
    state = in_force().and_recorded(rectify(1, "terms", terms)).state
    assert state.signed is not None
    assert state.signed.terms == standard_terms(tolerance="5%")


def test_facts_recorded_after_a_rectification_are_told_on_top_of_it() -> None:
    given = in_force().and_recorded(rectify(1, "customers", ["NEW"])).and_recorded(terminate())
    assert given.state.end == MONDAY_10
    assert given.state.routes("NEW", MONDAY_9)
    assert len(given.state.record) == 5


def test_a_rectification_that_would_end_the_contract_before_it_begins_is_refused() -> None:
    in_force().when(rectify(1, "in_force_until", "2020-01-01T00:00:00Z")).then_rejected("R5", "value")


def test_a_revision_cannot_be_backdated_by_rectification_either() -> None:
    command = rectify(4, "effective", instant_text(MONDAY_9 - HOUR))
    in_force().and_recorded(revise()).when(command).then_rejected("A6", "value")


def test_the_signature_as_first_told_is_still_nothing_new_after_a_rectification() -> None:
    in_force().and_recorded(rectify(1, "customers", ["OTHER"])).when(sign()).then_nothing()


# --- replay -----------------------------------------------------------------------------------------------------


def test_a_history_that_no_command_would_make_still_replays() -> None:
    state = folded(revised(), terminated(), signed(), signed(customers=("SECOND",)), terminated(MONDAY_10, MONDAY_8))
    assert state.signed == signed()
    assert len(state.record) == 5
    assert state.end == MONDAY_10


def test_folding_is_one_fact_at_a_time() -> None:
    facts = (*contract_facts(), revised(), RecordRectified(**dict(rectify(1, "customers", ["X"]))), terminated())
    state = Contract(CONTRACT)
    for fact in facts:
        state = contract.evolve(state, fact)
    assert state == folded(*facts)
