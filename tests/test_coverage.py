"""Coverage: guaranteed, or best effort for the first reason that applies."""

import itertools

import pytest
from support.examples import (
    CONTRACT,
    HOUR,
    MONDAY_8,
    MONDAY_9,
    MONDAY_10,
    MONDAY_11,
    NEW_YEAR,
    NEXT_NEW_YEAR,
    SIGNING,
    account_facts,
    activated,
    bought,
    contract_facts,
    signed,
)

from domain import contract, credits
from domain.contract import Contract
from domain.contract_facts import ContractFact, ContractTerminated
from domain.coverage import BestEffortReason, Coverage, CoverageDecision, Requester, cover
from domain.credit_facts import CreditFact, CreditsConsumed, CreditsReversed, Draw
from domain.credits import CreditAccount

GUARANTEED = None


def under(*facts: ContractFact) -> Contract:
    """The contract that facts make."""
    return contract.fold(CONTRACT, facts)


def holding(*facts: CreditFact) -> CreditAccount:
    """The account that facts make."""
    return credits.fold(CONTRACT, facts)


def used(minutes: int, at: int, package: str = "A") -> CreditsConsumed:
    """Minutes consumed."""
    draws = (Draw(package=package, minutes=minutes),)
    return CreditsConsumed(at=at, work=f"W{at}", incident="INC", minutes=minutes, packages=draws)


IN_FORCE = under(*contract_facts())
CREDITS = holding(*account_facts())


def reason(
    contract_then: Contract | None = IN_FORCE,
    account: CreditAccount | None = CREDITS,
    at: int = MONDAY_9,
    requester: Requester = Requester.CUSTOMER,
) -> BestEffortReason | None:
    """Why a request is best effort; None where it is guaranteed."""
    answer = cover(contract_then, account, requester, at)
    assert answer.guaranteed is (answer.reason is None)
    return answer.reason


def test_the_customer_s_request_is_guaranteed_under_a_contract_in_force_with_assistance_and_credits() -> None:
    answer = cover(IN_FORCE, CREDITS, Requester.CUSTOMER, MONDAY_9)
    assert answer == CoverageDecision(coverage=Coverage.GUARANTEED, contract=CONTRACT)
    assert answer.guaranteed


def test_an_answer_names_the_contract_also_where_it_is_best_effort() -> None:
    answer = cover(IN_FORCE, None, Requester.CUSTOMER, MONDAY_9)
    assert answer == CoverageDecision(
        coverage=Coverage.BEST_EFFORT, reason=BestEffortReason.NO_CREDITS, contract=CONTRACT
    )
    assert cover(None, None, Requester.CUSTOMER, MONDAY_9).contract is None


# --- the reasons, in order --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong", [wrong for count in range(6) for wrong in itertools.combinations(BestEffortReason, count)]
)
def test_of_several_reasons_the_first_is_given(wrong: tuple[BestEffortReason, ...]) -> None:
    facts: list[ContractFact] = []
    if BestEffortReason.NO_CONTRACT not in wrong:
        not_in_force = BestEffortReason.CONTRACT_NOT_IN_FORCE in wrong
        facts.append(signed(in_force_from=MONDAY_10 if not_in_force else NEW_YEAR))
    if BestEffortReason.ASSISTANCE_NOT_ACTIVATED not in wrong:
        facts.append(activated())
    requester = Requester.MONITORING if BestEffortReason.NOT_REQUESTED in wrong else Requester.CUSTOMER
    account = holding() if BestEffortReason.NO_CREDITS in wrong else CREDITS
    assert reason(under(*facts), account, requester=requester) == (wrong[0] if wrong else GUARANTEED)


def test_the_reasons_stand_in_the_order_in_which_they_are_tried() -> None:
    assert [str(reason) for reason in BestEffortReason] == [
        "no_contract",
        "contract_not_in_force",
        "assistance_not_activated",
        "not_requested",
        "no_credits",
    ]


def test_no_contract() -> None:
    assert reason(None) is BestEffortReason.NO_CONTRACT


def test_a_contract_that_nobody_has_signed_is_none() -> None:
    assert reason(Contract(CONTRACT)) is BestEffortReason.NO_CONTRACT


def test_a_signature_counts_at_its_instant_and_not_before() -> None:
    contract_then = under(signed(at=MONDAY_9), activated())
    assert reason(contract_then, at=MONDAY_9 - 1) is BestEffortReason.NO_CONTRACT
    assert reason(contract_then, at=MONDAY_9) is GUARANTEED


def test_a_contract_is_in_force_from_its_first_instant_to_its_last_excluded() -> None:
    account = holding(bought(at=SIGNING))
    contract_then = under(signed(), activated(effective=SIGNING))
    answers = [reason(contract_then, account, at) for at in (NEW_YEAR - 1, NEW_YEAR, NEXT_NEW_YEAR - 1, NEXT_NEW_YEAR)]
    not_in_force = BestEffortReason.CONTRACT_NOT_IN_FORCE
    assert answers == [not_in_force, GUARANTEED, GUARANTEED, not_in_force]


def test_a_terminated_contract_is_not_in_force() -> None:
    contract_then = under(*contract_facts(), ContractTerminated(at=MONDAY_8, effective=MONDAY_10, why="x"))
    assert reason(contract_then, at=MONDAY_10 - 1) is GUARANTEED
    assert reason(contract_then, at=MONDAY_10) is BestEffortReason.CONTRACT_NOT_IN_FORCE


def test_assistance_counts_from_its_activation() -> None:
    contract_then = under(signed(), activated(at=MONDAY_8, effective=MONDAY_9))
    assert reason(contract_then, at=MONDAY_9 - 1) is BestEffortReason.ASSISTANCE_NOT_ACTIVATED
    assert reason(contract_then, at=MONDAY_9) is GUARANTEED


@pytest.mark.parametrize("requester", [Requester.SUPPLIER, Requester.MONITORING])
def test_only_the_customer_s_own_request_is_guaranteed(requester: Requester) -> None:
    assert reason(requester=requester) is BestEffortReason.NOT_REQUESTED


# --- credits ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("account", [None, holding()], ids=["no account", "nothing bought"])
def test_no_credits(account: CreditAccount | None) -> None:
    assert reason(account=account) is BestEffortReason.NO_CREDITS


def test_at_least_one_minute_has_to_be_available() -> None:
    last_minute, empty = holding(bought("A", 60), used(59, MONDAY_8)), holding(bought("A", 60), used(60, MONDAY_8))
    assert reason(account=last_minute) is GUARANTEED
    assert reason(account=empty) is BestEffortReason.NO_CREDITS


def test_a_purchase_counts_at_its_instant() -> None:
    account = holding(bought(at=MONDAY_9))
    assert reason(account=account, at=MONDAY_9 - 1) is BestEffortReason.NO_CREDITS
    assert reason(account=account, at=MONDAY_9) is GUARANTEED


def test_a_package_no_longer_counts_at_its_expiry() -> None:
    account = holding(bought(expires_at=MONDAY_9))
    assert reason(account=account, at=MONDAY_9 - 1) is GUARANTEED
    assert reason(account=account, at=MONDAY_9) is BestEffortReason.NO_CREDITS


def test_a_consumption_counts_at_its_instant() -> None:
    account = holding(bought("A", 60), used(60, MONDAY_9))
    assert reason(account=account, at=MONDAY_9 - 1) is GUARANTEED
    assert reason(account=account, at=MONDAY_9) is BestEffortReason.NO_CREDITS


def test_later_exhaustion_changes_nothing() -> None:
    account = holding(bought("A", 60), used(60, MONDAY_10))
    assert reason(account=account, at=MONDAY_9) is GUARANTEED
    assert reason(account=account, at=MONDAY_10) is BestEffortReason.NO_CREDITS


def test_nothing_is_reserved_by_the_requests_before() -> None:
    account = holding(bought("A", 1))
    assert [reason(account=account, at=at) for at in (MONDAY_8, MONDAY_9, MONDAY_10)] == [GUARANTEED] * 3


def test_a_purchase_recorded_late_counts_from_its_date() -> None:
    account = holding(used(60, MONDAY_11, "B"), bought("A", 60, MONDAY_8))
    assert reason(account=account, at=MONDAY_9) is GUARANTEED


def test_what_is_left_in_one_package_is_not_eaten_by_another_that_is_overdrawn() -> None:
    account = holding(bought("A", 10), used(60, MONDAY_8), bought("B", 1))
    assert reason(account=account) is GUARANTEED


def test_minutes_given_back_count_from_the_reversal_until_the_package_expires() -> None:
    back = CreditsReversed(at=MONDAY_10, work=f"W{MONDAY_8}", why="x", packages=(Draw(package="A", minutes=60),))
    account = holding(bought("A", 60, expires_at=MONDAY_11), used(60, MONDAY_8), back)
    answers = [reason(account=account, at=at) for at in (MONDAY_10 - 1, MONDAY_10, MONDAY_11)]
    assert answers == [BestEffortReason.NO_CREDITS, GUARANTEED, BestEffortReason.NO_CREDITS]


def test_outside_working_hours_a_request_is_covered_like_any_other() -> None:
    assert reason(at=MONDAY_9 - 8 * HOUR) is GUARANTEED
