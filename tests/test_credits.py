"""The credit account: packages bought, minutes consumed from the earliest expiry first, shortfalls, reversals."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support.examples import (
    CONTRACT,
    INCIDENT,
    MONDAY_8,
    MONDAY_9,
    MONDAY_10,
    MONDAY_11,
    MONDAY_12,
    NEW_YEAR,
    PAPER,
    bought,
    buy,
    rectify,
)
from support.spec import Decider, Given

from domain import credits
from domain.credit_facts import (
    ConsumeCredits,
    CreditCommand,
    CreditFact,
    CreditsConsumed,
    CreditShortfallRecorded,
    CreditsRefunded,
    CreditsReversed,
    Draw,
    RefundCredits,
    ReverseConsumption,
)
from domain.credits import CreditAccount
from domain.facts import NotYet, Rejected
from domain.record_facts import RecordRectified
from domain.values import instant_text

STREAM = f"credits-{CONTRACT}"
Account = Given[CreditAccount, CreditCommand, CreditFact]
ACCOUNTS: Decider[CreditAccount, CreditCommand, CreditFact] = Decider(
    CreditAccount(CONTRACT), credits.decide, credits.evolve
)


def consume(minutes: int, at: int = MONDAY_9, work: str = "W1", **changes: Any) -> ConsumeCredits:
    """Minutes worked for the incident."""
    return ConsumeCredits(**{"at": at, "work": work, "incident": INCIDENT, "minutes": minutes, **changes})


def consumed(at: int = MONDAY_9, work: str = "W1", **packages: int) -> CreditsConsumed:
    """Minutes taken from packages: consumed(A=60)."""
    draws = tuple(Draw(package=package, minutes=minutes) for package, minutes in packages.items())
    minutes = sum(packages.values())
    return CreditsConsumed(at=at, work=work, incident=INCIDENT, minutes=minutes, packages=draws)


def shortfall(minutes: int, at: int = MONDAY_9, work: str = "W1") -> CreditShortfallRecorded:
    """Minutes that no package covered."""
    return CreditShortfallRecorded(at=at, work=work, incident=INCIDENT, minutes=minutes)


def reverse(at: int = MONDAY_10, work: str = "W1") -> ReverseConsumption:
    """A consumption undone."""
    return ReverseConsumption(at=at, work=work, why="charged twice")


def given_back(at: int = MONDAY_10, work: str = "W1", **packages: int) -> CreditsReversed:
    """Minutes back in their packages."""
    draws = tuple(Draw(package=package, minutes=minutes) for package, minutes in packages.items())
    return CreditsReversed(at=at, work=work, why="charged twice", packages=draws)


def refund(minutes: int, price: str = "0.00", at: int = MONDAY_10, package: str = "A") -> RefundCredits:
    """Minutes and price given back of a package."""
    return RefundCredits.model_validate({"at": at, "package": package, "minutes": minutes, "price": price})


def refunded(minutes: int, price: str = "0.00", at: int = MONDAY_10, package: str = "A") -> CreditsRefunded:
    """The fact of `refund`."""
    return CreditsRefunded(**dict(refund(minutes, price, at, package)))


def folded(*facts: CreditFact) -> CreditAccount:
    """The account that facts make."""
    return credits.fold(CONTRACT, facts)


# --- purchases --------------------------------------------------------------------------------------------------


def test_a_package_is_bought() -> None:
    ACCOUNTS.given().when(buy()).then(bought())


def test_the_identical_purchase_again_is_nothing_new() -> None:
    ACCOUNTS.given(bought(expires_at=MONDAY_12)).when(buy(expires_at=MONDAY_12)).then_nothing()


def test_the_identical_purchase_again_is_nothing_new_though_another_was_made_at_that_instant() -> None:
    ACCOUNTS.given(bought("A"), bought("B")).when(buy("A")).then_nothing()


@pytest.mark.parametrize(
    "other",
    [buy(at=NEW_YEAR + 1), buy(minutes=601), buy(price="500.01"), buy(expires_at=MONDAY_12), buy(evidence=(PAPER,))],
    ids=["instant", "minutes", "price", "expiry", "papers"],
)
def test_the_name_of_a_package_is_used_once(other: CreditCommand) -> None:
    ACCOUNTS.given(bought()).when(other).then_rejected("G2", "package")


def test_a_package_of_another_name_is_another_purchase() -> None:
    ACCOUNTS.given(bought("A")).when(buy("B")).then(bought("B"))


@pytest.mark.parametrize("minutes", [0, -1, 1.0, 1.5, True, "60", None, 10**9 + 1])
def test_minutes_are_a_whole_number_above_zero(minutes: object) -> None:
    with pytest.raises(ValidationError):
        buy(minutes=minutes)  # type: ignore[arg-type]


def test_a_price_may_be_nothing_but_not_negative() -> None:
    assert buy(price="0.00").price == Decimal(0)
    with pytest.raises(ValidationError):
        buy(price="-0.01")


# --- allocation -------------------------------------------------------------------------------------------------


def test_minutes_come_from_the_package() -> None:
    ACCOUNTS.given(bought("A", 600)).when(consume(90)).then(consumed(A=90))


def test_the_package_that_expires_first_is_used_first_whatever_was_bought_first() -> None:
    late, soon = bought("late", 60, expires_at=MONDAY_12), bought("soon", 60, expires_at=MONDAY_11)
    expected = consumed(soon=60, late=30)
    ACCOUNTS.given(late, soon).when(consume(90)).then(expected)
    ACCOUNTS.given(soon, late).when(consume(90)).then(expected)


def test_a_package_without_expiry_is_used_last() -> None:
    ACCOUNTS.given(bought("ever", 60), bought("dated", 60, expires_at=MONDAY_12)).when(consume(90)).then(
        consumed(dated=60, ever=30)
    )


def test_of_packages_that_expire_together_the_one_bought_first_is_used_first() -> None:
    ACCOUNTS.given(bought("second", 60, NEW_YEAR + 1), bought("first", 60)).when(consume(90)).then(
        consumed(first=60, second=30)
    )


def test_a_package_counts_from_the_instant_of_its_purchase() -> None:
    ACCOUNTS.given(bought("A", 60, MONDAY_9)).when(consume(60, MONDAY_9)).then(consumed(A=60))
    ACCOUNTS.given(bought("A", 60, MONDAY_9)).when(consume(60, MONDAY_9 - 1)).then(shortfall(60, MONDAY_9 - 1))


def test_a_package_does_not_count_at_the_instant_of_its_expiry() -> None:
    account = ACCOUNTS.given(bought("A", 60, expires_at=MONDAY_10))
    account.when(consume(60, MONDAY_10 - 1)).then(consumed(MONDAY_10 - 1, A=60))
    account.when(consume(60, MONDAY_10)).then(shortfall(60, MONDAY_10))


def test_only_packages_available_at_that_instant_are_used() -> None:
    ACCOUNTS.given(bought("gone", 60, expires_at=MONDAY_9), bought("future", 60, MONDAY_10), bought("here", 60)).when(
        consume(90)
    ).then(consumed(here=60), shortfall(30))


def test_what_the_packages_could_not_cover_is_a_shortfall() -> None:
    ACCOUNTS.given(bought("A", 60)).when(consume(100)).then(consumed(A=60), shortfall(40))


def test_without_credits_all_of_it_is_a_shortfall() -> None:
    ACCOUNTS.given().when(consume(100)).then(shortfall(100))


def test_the_papers_go_with_both_parts() -> None:
    given = ACCOUNTS.given(bought("A", 60))
    parts = given.decide(given.state, consume(100, evidence=(PAPER,)))
    assert [part.evidence for part in parts] == [(PAPER,), (PAPER,)]


def test_a_late_consumption_never_takes_what_a_later_one_has_taken() -> None:
    account = ACCOUNTS.given(bought("A", 60)).and_recorded(consume(60, MONDAY_12, "W2"))
    account.when(consume(60, MONDAY_9)).then(shortfall(60))
    account = ACCOUNTS.given(bought("A", 60)).and_recorded(consume(40, MONDAY_12, "W2"))
    account.when(consume(60, MONDAY_9)).then(consumed(A=20), shortfall(40))


def test_a_late_consumption_does_not_count_minutes_given_back_after_it() -> None:
    # 60 bought, taken at ten, given back at eleven: at noon they are there, at half past ten they are not.
    account = ACCOUNTS.given(bought("A", 60), consumed(MONDAY_10, "W2", A=60), given_back(MONDAY_11, "W2", A=60))
    account.when(consume(60, MONDAY_12)).then(consumed(MONDAY_12, A=60))
    account.when(consume(60, MONDAY_10 + 1)).then(shortfall(60, MONDAY_10 + 1))
    account.when(consume(60, MONDAY_9)).then(shortfall(60))


def test_a_late_consumption_goes_to_the_package_that_can_spare_it() -> None:
    account = ACCOUNTS.given(bought("soon", 60, expires_at=MONDAY_12 + 1), bought("ever", 60))
    account.and_recorded(consume(60, MONDAY_12, "W2")).when(consume(60)).then(consumed(ever=60))


def test_a_purchase_recorded_late_counts_from_its_date() -> None:
    ACCOUNTS.given(shortfall(60), bought("A", 60, MONDAY_8)).when(consume(30, work="W2")).then(
        consumed(work="W2", A=30)
    )


def test_the_identical_consumption_again_is_nothing_new() -> None:
    for minutes in (60, 100):
        ACCOUNTS.given(bought("A", 60)).and_recorded(consume(minutes)).when(consume(minutes)).then_nothing()
    ACCOUNTS.given().and_recorded(consume(60)).when(consume(60)).then_nothing()


@pytest.mark.parametrize(
    "other",
    [
        consume(99),
        consume(60),
        consume(100, MONDAY_9 + 1),
        consume(100, incident="INC2"),
        consume(100, evidence=(PAPER,)),
    ],
    ids=["minutes", "the part covered", "instant", "incident", "papers"],
)
def test_the_name_of_a_work_entry_is_used_once(other: CreditCommand) -> None:
    ACCOUNTS.given(bought("A", 60)).and_recorded(consume(100)).when(other).then_rejected("G2", "work")


def test_another_work_entry_of_the_same_instant_is_another_fact() -> None:
    ACCOUNTS.given(bought("A", 60)).and_recorded(consume(20)).when(consume(20, work="W2")).then(
        consumed(work="W2", A=20)
    )


def test_a_consumption_adds_up_to_the_packages_it_came_from() -> None:
    with pytest.raises(ValidationError, match="add up"):
        CreditsConsumed(at=1, work="W", incident="I", minutes=2, packages=(Draw(package="A", minutes=1),))


# --- reversal ---------------------------------------------------------------------------------------------------


def test_a_reversal_gives_the_minutes_back_to_the_packages_they_came_from() -> None:
    account = ACCOUNTS.given(bought("soon", 60, expires_at=MONDAY_12), bought("ever", 60)).and_recorded(consume(90))
    account.when(reverse()).then(given_back(soon=60, ever=30))


def test_the_expiry_of_a_package_does_not_change_with_a_reversal() -> None:
    account = ACCOUNTS.given(bought("A", 60, expires_at=MONDAY_11)).and_recorded(consume(60))
    after = account.and_recorded(reverse(MONDAY_10)).state
    assert [after.available(at) for at in (MONDAY_10 - 1, MONDAY_10, MONDAY_11 - 1, MONDAY_11)] == [0, 60, 60, 0]
    # Given back after the expiry, they are back and of no use.
    after = account.and_recorded(reverse(MONDAY_12)).state
    assert [after.available(at) for at in (MONDAY_11 - 1, MONDAY_12)] == [0, 0]
    assert after.balance("A", MONDAY_12) == 60


def test_a_reversal_undoes_the_shortfall_of_the_same_work_and_of_no_other() -> None:
    account = ACCOUNTS.given(bought("A", 60)).and_recorded(consume(100)).and_recorded(consume(5, work="W2"))
    account.when(reverse()).then(given_back(A=60))
    after = account.and_recorded(reverse()).state
    assert (len(after.shortfalls), account.state.short, after.short) == (2, 45, 5)


def test_a_reversal_waits_for_its_consumption() -> None:
    ACCOUNTS.given(bought()).when(reverse()).then_not_yet(STREAM)


def test_a_reversal_dated_before_the_work_is_refused() -> None:
    account = ACCOUNTS.given(bought()).and_recorded(consume(60))
    account.when(reverse(MONDAY_9 - 1)).then_rejected("G2", "time")
    account.when(reverse(MONDAY_9)).then(given_back(MONDAY_9, A=60))


def test_work_that_took_no_credits_is_undone_with_nothing_to_give_back() -> None:
    account = ACCOUNTS.given(shortfall(60))
    account.when(reverse()).then(given_back())
    assert (account.state.short, account.and_recorded(reverse()).state.short) == (60, 0)


def test_the_identical_reversal_again_is_nothing_new() -> None:
    ACCOUNTS.given(bought()).and_recorded(consume(60)).and_recorded(reverse()).when(reverse()).then_nothing()


def test_the_identical_reversal_again_is_nothing_new_though_other_work_was_undone_at_that_instant() -> None:
    account = ACCOUNTS.given(bought()).and_recorded(consume(60)).and_recorded(consume(30, work="W2"))
    account.and_recorded(reverse()).and_recorded(reverse(work="W2")).when(reverse()).then_nothing()


def test_minutes_are_given_back_once() -> None:
    account = ACCOUNTS.given(bought()).and_recorded(consume(60)).and_recorded(reverse())
    account.when(reverse(MONDAY_11)).then_rejected("G2", "work")


def test_reversed_work_is_recorded_again_under_another_name() -> None:
    account = ACCOUNTS.given(bought("A", 60)).and_recorded(consume(60)).and_recorded(reverse())
    account.when(consume(30, MONDAY_11)).then_rejected("G2", "work")
    account.when(consume(30, MONDAY_11, "W1-right")).then(consumed(MONDAY_11, "W1-right", A=30))


def test_the_reversal_of_work_that_is_gone_gives_nothing_back() -> None:
    after = folded(bought("A", 60), given_back(A=60))
    assert [after.available(at) for at in (MONDAY_9, MONDAY_10)] == [60, 60]
    assert after.short == 0
    # Of work of which only the shortfall is left, only that is undone.
    after = folded(bought("A", 60), shortfall(40), given_back(A=60))
    assert (after.available(MONDAY_10), after.short) == (60, 0)


# --- refunds ----------------------------------------------------------------------------------------------------


def test_minutes_and_price_of_a_package_are_given_back() -> None:
    account = ACCOUNTS.given(bought("A", 600))
    account.when(refund(100, "80.00")).then(refunded(100, "80.00"))


def test_minutes_given_back_are_available_no_more_from_that_instant() -> None:
    after = folded(bought("A", 600), refunded(100), consumed(MONDAY_11, A=60))
    assert [after.available(at) for at in (MONDAY_10 - 1, MONDAY_10, MONDAY_11)] == [600, 500, 440]


def test_a_late_consumption_does_not_take_what_was_given_back_after_it() -> None:
    account = ACCOUNTS.given(bought("A", 60)).and_recorded(refund(40))
    account.when(consume(60, MONDAY_9)).then(consumed(A=20), shortfall(40))


def test_a_refund_waits_for_its_purchase() -> None:
    ACCOUNTS.given(bought("B")).when(refund(60)).then_not_yet(STREAM)


def test_a_refund_dated_before_its_purchase_is_refused() -> None:
    ACCOUNTS.given(bought("A", 60, MONDAY_10)).when(refund(60, at=MONDAY_10 - 1)).then_rejected("G2", "time")
    ACCOUNTS.given(bought("A", 60, MONDAY_10)).when(refund(60)).then(refunded(60))


def test_no_more_is_given_back_than_was_bought() -> None:
    account = ACCOUNTS.given(bought("A", 600))
    account.when(refund(601)).then_rejected("G2", "minutes")
    account.when(refund(1, "500.01")).then_rejected("G2", "price")
    account.when(refund(600, "500.00")).then(refunded(600, "500.00"))
    once = account.and_recorded(refund(400, "300.00"))
    once.when(refund(201, at=MONDAY_11)).then_rejected("G2", "minutes")
    once.when(refund(200, "200.01", MONDAY_11)).then_rejected("G2", "price")
    once.when(refund(200, "200.00", MONDAY_11)).then(refunded(200, "200.00", MONDAY_11))


def test_a_refund_of_minutes_consumed_already_is_recorded_for_consumptions_arrive_in_any_order() -> None:
    account = ACCOUNTS.given(bought("A", 60)).and_recorded(consume(60))
    account.when(refund(60)).then(refunded(60))
    after = account.and_recorded(refund(60)).state
    assert (after.balance("A", MONDAY_10), after.available(MONDAY_10)) == (-60, 0)


def test_a_refund_gives_back_time_or_money_or_both() -> None:
    ACCOUNTS.given(bought("A", 60)).when(refund(0, "10.00")).then(refunded(0, "10.00"))
    for minutes, price in ((0, "0.00"), (-1, "0.00"), (60, "-0.01")):
        with pytest.raises(ValidationError):
            refund(minutes, price)


def test_the_identical_refund_again_is_nothing_new_and_a_second_one_is() -> None:
    account = ACCOUNTS.given(bought("A", 60)).and_recorded(refund(20))
    account.when(refund(20)).then_nothing()
    account.when(refund(10)).then(refunded(10))
    account.when(refund(20, at=MONDAY_11)).then(refunded(20, at=MONDAY_11))


def test_a_refund_made_whole_is_still_nothing_new_when_told_again() -> None:
    ACCOUNTS.given(bought("A", 60)).and_recorded(refund(60, "500.00")).when(refund(60, "500.00")).then_nothing()


# --- balance ----------------------------------------------------------------------------------------------------


def test_a_balance_counts_only_what_is_dated_by_the_instant_asked_about() -> None:
    after = folded(bought("A", 60), consumed(MONDAY_10, A=40), given_back(MONDAY_11, A=40))
    instants = (NEW_YEAR - 1, NEW_YEAR, MONDAY_10 - 1, MONDAY_10, MONDAY_11 - 1, MONDAY_11)
    assert [after.available(at) for at in instants] == [0, 60, 60, 20, 20, 60]


def test_a_package_overdrawn_by_a_rectification_takes_nothing_from_another() -> None:
    account = ACCOUNTS.given(bought("A", 60), bought("B", 60)).and_recorded(consume(60))
    after = account.and_recorded(rectify(1, "minutes", 30)).state
    assert after.balance("A", MONDAY_10) == -30
    assert after.available(MONDAY_10) == 60


PACKAGES = st.sampled_from(["A", "B", "C"])
INSTANTS = st.integers(NEW_YEAR, NEW_YEAR + 8)
PURCHASES = st.builds(
    buy, PACKAGES, st.integers(1, 50), INSTANTS, expires_at=st.none() | st.integers(NEW_YEAR + 1, NEW_YEAR + 9)
)
WORKS = st.sampled_from(["W1", "W2", "W3", "W4", "W5"])
CONSUMPTIONS = st.builds(consume, st.integers(1, 60), INSTANTS, WORKS)
REVERSALS = st.builds(reverse, INSTANTS, WORKS)
REFUNDS = st.builds(refund, st.integers(1, 50), at=INSTANTS, package=PACKAGES)


@settings(max_examples=300)
@given(st.lists(PURCHASES | CONSUMPTIONS | REVERSALS, max_size=14))
def test_whatever_arrives_in_whatever_order_no_package_is_ever_overdrawn(commands: list[CreditCommand]) -> None:
    state = CreditAccount(CONTRACT)
    worked = 0
    for command in commands:
        try:
            facts = credits.decide(state, command)
        except (Rejected, NotYet):
            continue
        if isinstance(command, ConsumeCredits) and facts:
            worked += command.minutes
        for fact in facts:
            state = credits.evolve(state, fact)
    assert credits.fold(CONTRACT, state.record) == state
    for at in range(NEW_YEAR - 1, NEW_YEAR + 10):
        assert state.available(at) == sum(max(0, state.balance(p.package, at)) for p in state.usable(at))
        for purchase in state.purchases:
            assert 0 <= state.balance(purchase.package, at) <= purchase.minutes
    for consumption in state.consumptions:
        usable = {package.package for package in state.purchases if package.at <= consumption.at}
        assert {draw.package for draw in consumption.packages} <= usable
        for package in state.purchases:
            if package.expires_at is not None and package.expires_at <= consumption.at:
                assert package.package not in {draw.package for draw in consumption.packages}
    covered, short = (sum(fact.minutes for fact in facts) for facts in (state.consumptions, state.shortfalls))
    assert covered + short == worked


@settings(max_examples=200)
@given(st.lists(PURCHASES | CONSUMPTIONS | REVERSALS | REFUNDS, max_size=14))
def test_with_refunds_too_what_is_left_is_what_was_bought_less_what_went(commands: list[CreditCommand]) -> None:
    state = CreditAccount(CONTRACT)
    for command in commands:
        with suppress(Rejected, NotYet):
            for fact in credits.decide(state, command):
                state = credits.evolve(state, fact)
    last = NEW_YEAR + 10
    for purchase in state.purchases:
        back = sum(one.minutes for one in state.refunds if one.package == purchase.package)
        taken = sum(d.minutes for one in state.consumptions for d in one.packages if d.package == purchase.package)
        given = sum(d.minutes for one in state.reversals for d in one.packages if d.package == purchase.package)
        assert back <= purchase.minutes
        assert state.balance(purchase.package, last) == purchase.minutes - back - taken + given
    for at in range(NEW_YEAR - 1, last):
        assert state.available(at) == sum(max(0, state.balance(p.package, at)) for p in state.usable(at))


# --- rectification ----------------------------------------------------------------------------------------------


def test_a_purchase_is_rectified_and_the_account_reads_as_corrected() -> None:
    command = rectify(1, "minutes", 300)
    ACCOUNTS.given(bought("A", 600)).when(command).then(RecordRectified(**dict(command)))
    assert ACCOUNTS.given(bought("A", 600)).and_recorded(command).state.available(MONDAY_9) == 300


def test_a_rectified_price_is_kept_as_text_with_two_decimals() -> None:
    given = ACCOUNTS.given(bought())
    (fact,) = given.decide(given.state, rectify(1, "price", "49.5"))
    assert isinstance(fact, RecordRectified)
    assert fact.value == "49.50"


@pytest.mark.parametrize("value", [49.5, 49, "49.555", "dieci", None])
def test_a_price_is_not_rectified_to_what_is_no_amount(value: object) -> None:
    ACCOUNTS.given(bought()).when(rectify(1, "price", value)).then_rejected("R5", "value")


def test_the_packages_that_verbale_chose_are_not_rectified() -> None:
    account = ACCOUNTS.given(bought()).and_recorded(consume(60))
    account.when(rectify(2, "packages", [{"package": "B", "minutes": 60}])).then_rejected("R5", "field")
    reversed_ = account.and_recorded(reverse())
    reversed_.when(rectify(3, "packages", [{"package": "B", "minutes": 60}])).then_rejected("R5", "field")


def test_the_minutes_of_a_consumption_are_not_rectified_apart_from_its_packages() -> None:
    account = ACCOUNTS.given(bought()).and_recorded(consume(60))
    reason = account.when(rectify(2, "minutes", 30)).then_rejected("R5", "value")
    assert "reverse it" in reason


def test_a_rectified_expiry_is_an_instant_with_an_offset() -> None:
    account = ACCOUNTS.given(bought())
    after = account.and_recorded(rectify(1, "expires_at", instant_text(MONDAY_10))).state
    assert [after.available(at) for at in (MONDAY_10 - 1, MONDAY_10)] == [600, 0]
    account.when(rectify(1, "expires_at", MONDAY_10)).then_rejected("R5", "value")


def test_a_package_cannot_be_renamed_because_consumptions_go_by_its_name() -> None:
    ACCOUNTS.given(bought("A", 60)).and_recorded(consume(40)).when(rectify(1, "package", "Z")).then_rejected(
        "R5", "field"
    )


def test_the_purchase_as_first_told_is_still_nothing_new_after_a_rectification() -> None:
    ACCOUNTS.given(bought("A", 600)).and_recorded(rectify(1, "minutes", 300)).when(buy("A", 600)).then_nothing()


def test_the_consumption_as_first_told_is_still_nothing_new_after_a_rectification() -> None:
    account = ACCOUNTS.given(bought("A", 60)).and_recorded(consume(60))
    account.and_recorded(rectify(2, "at", instant_text(MONDAY_10))).when(consume(60)).then_nothing()


# --- replay -----------------------------------------------------------------------------------------------------


def test_a_history_that_no_command_would_make_still_replays() -> None:
    facts = (given_back(A=60), consumed(A=60), bought("A", 30), bought("A", 30), shortfall(1))
    after = folded(*facts)
    assert after.record == facts
    assert after.available(NEW_YEAR - 1) == 0
