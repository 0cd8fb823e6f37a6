"""What became of the prepaid hours: bought, consumed, expired, left, short (G2)."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from support.history import (
    ACME,
    Journal,
    bought,
    consumed,
    fell_short,
    given_back,
    rectified,
    refunded,
    signed,
    when,
)

from domain.facts import Fact
from projections.credit_balance import CreditRow


def account(*facts: Fact) -> Journal:
    return Journal().contract(signed()).credits(*facts)


def figures(row: CreditRow) -> tuple[int, int, int, int, int]:
    """(bought, consumed, expired, left, shortfall) in minutes."""
    return row.bought, row.consumed, row.expired, row.left, row.shortfall


def test_what_is_bought_is_left_until_consumed() -> None:
    journal = account(bought(minutes=600), consumed("Mon 10:00", 90))
    assert figures(journal.balance("Mon 09:59")) == (600, 0, 0, 600, 0)
    assert figures(journal.balance("Mon 10:00")) == (600, 90, 0, 510, 0)


def test_what_was_not_used_expires_at_its_instant() -> None:
    journal = account(bought(minutes=600, expires="Wed 00:00"), consumed("Mon 10:00", 90))
    before, after = journal.balance("Tue 23:59:59.999999"), journal.balance("Wed 00:00")
    assert (figures(before), before.changes_at) == ((600, 90, 0, 510, 0), when("Wed 00:00"))
    assert (figures(after), after.changes_at) == ((600, 90, 510, 0, 0), None)


def test_the_next_expiry_is_when_time_alone_changes_the_row() -> None:
    journal = account(
        bought(minutes=60, expires="Fri 00:00", name="B"),
        bought(minutes=60, expires="Wed 00:00", name="C"),
        bought(minutes=60, name="D"),
    )
    assert journal.balance("Mon 09:00").changes_at == when("Wed 00:00")
    assert journal.balance("Wed 00:00").changes_at == when("Fri 00:00")
    assert journal.balance("Fri 00:00").changes_at is None


def test_minutes_given_back_are_left_again_while_their_package_lasts() -> None:
    journal = account(bought(minutes=600, expires="Thu 00:00"), consumed("Mon 10:00", 90), given_back("Tue 10:00", 90))
    assert figures(journal.balance("Mon 12:00")) == (600, 90, 0, 510, 0)
    assert figures(journal.balance("Tue 12:00")) == (600, 0, 0, 600, 0)
    assert figures(journal.balance("Thu 00:00")) == (600, 0, 600, 0, 0)


def test_minutes_given_back_to_an_expired_package_are_expired() -> None:
    journal = account(bought(minutes=600, expires="Tue 00:00"), consumed("Mon 10:00", 90), given_back("Wed 10:00", 90))
    assert figures(journal.balance("Tue 12:00")) == (600, 90, 510, 0, 0)
    assert figures(journal.balance("Wed 12:00")) == (600, 0, 600, 0, 0)


def test_a_shortfall_is_shown_beside_what_was_consumed() -> None:
    journal = account(bought(minutes=60), consumed("Mon 10:00", 60), fell_short("Mon 10:00", 30))
    assert figures(journal.balance()) == (60, 60, 0, 0, 30)


def test_a_shortfall_whose_work_is_undone_is_short_no_more() -> None:
    journal = account(bought(minutes=60), consumed("Mon 10:00", 60), fell_short("Mon 10:00", 30))
    journal.credits(given_back("Tue 10:00", 60))
    assert figures(journal.balance("Mon 12:00")) == (60, 60, 0, 0, 30)
    assert figures(journal.balance("Tue 12:00")) == (60, 0, 0, 60, 0)


def test_the_value_is_what_was_paid_whatever_became_of_it() -> None:
    journal = account(
        bought(minutes=60, price="100.50", expires="Mon 00:00", name="B"), bought("Wed 10:00", 60, "200.25", name="C")
    )
    assert journal.balance("Tue 10:00").value == Decimal("100.50")
    assert journal.balance("Wed 10:00").value == Decimal("300.75")


def test_what_is_given_back_of_a_package_is_left_no_more_from_its_instant() -> None:
    journal = account(
        bought(minutes=600, price="500.00"), consumed("Mon 10:00", 90), refunded("Tue 10:00", 60, "50.00")
    )
    before, after = journal.balance("Tue 09:59"), journal.balance("Tue 10:00")
    assert (figures(before), before.refunded, before.refunded_value) == ((600, 90, 0, 510, 0), 0, Decimal("0.00"))
    assert (figures(after), after.refunded) == ((600, 90, 0, 450, 0), 60)
    assert (after.value, after.refunded_value) == (Decimal("500.00"), Decimal("50.00"))


def test_what_was_given_back_does_not_expire() -> None:
    journal = account(bought(minutes=600, expires="Wed 00:00"), refunded("Tue 10:00", 100, "0.00"))
    assert figures(journal.balance("Wed 00:00")) == (600, 0, 500, 0, 0)


def test_what_was_recorded_late_counts_from_its_date_once_known() -> None:
    journal = account(bought(minutes=600)).credits(consumed("Mon 10:00", 90), recorded="Thu 10:00")
    assert journal.known_on("Wed 10:00").balance("Tue 10:00").left == 600
    assert journal.balance("Tue 10:00").left == 510


def test_a_rectified_purchase_changes_minutes_and_value() -> None:
    journal = account(bought(minutes=600)).credits(rectified(1, "minutes", 300), rectified(1, "price", "10.00"))
    assert (figures(journal.balance()), journal.balance().value) == ((300, 0, 0, 300, 0), Decimal("10.00"))


def test_a_signed_contract_without_credits_has_its_row_and_so_has_an_account_without_contract() -> None:
    journal = Journal().contract(signed()).credits(bought(minutes=60), name="unsigned")
    assert [(row.contract, row.bought) for row in journal.balances()] == [(ACME, 0), ("unsigned", 60)]


def test_a_row_keeps_the_versions_that_prove_it() -> None:
    journal = account(bought(minutes=600), consumed("Mon 10:00", 90), consumed("Wed 10:00", 90, work="W2"))
    assert journal.balance("Tue 10:00").versions == (1, 2)
    assert journal.balance("Wed 10:00").versions == (1, 2, 3)


def test_a_row_keeps_the_versions_of_rectifications_too() -> None:
    journal = account(bought(minutes=600)).credits(rectified(1, "minutes", 300))
    assert journal.balance().left == 300
    assert journal.balance().versions == (1, 2)


hours = st.integers(0, 23).map(lambda hour: f"Mon {hour:02}:00")


@given(
    minutes=st.integers(1, 500),
    expires=st.one_of(st.none(), hours),
    spent=st.lists(st.tuples(hours, st.integers(1, 60), st.booleans()), max_size=6),
    as_of=hours,
)
def test_what_was_bought_is_consumed_expired_or_left(
    minutes: int, expires: str | None, spent: list[tuple[str, int, bool]], as_of: str
) -> None:
    facts: list[Fact] = [bought(minutes=minutes, expires=expires)]
    room = minutes
    for number, (at, used, undone) in enumerate(spent):
        if used <= room:
            facts.append(consumed(at, used, work=f"W{number}"))
            room -= used
            if undone:
                facts.append(given_back(f"{at}:30", used, work=f"W{number}"))
    row = account(*facts).balance(as_of)
    assert row.bought == row.consumed + row.expired + row.left
    assert min(figures(row)) >= 0
