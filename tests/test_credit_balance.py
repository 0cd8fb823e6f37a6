"""What became of the prepaid hours: bought, consumed, expired, left, short (G2)."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from support.history import (
    ACME,
    Journal,
    activated,
    bought,
    consumed,
    fell_short,
    given_back,
    opened,
    rectified,
    refunded,
    signed,
    under_contract,
    when,
)

from domain.facts import Fact
from domain.record_facts import RecordAnnulled
from projections.credit_balance import CreditRow
from projections.credit_packages import credit_packages


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


# --- findings ---------------------------------------------------------------------------------------------------


def said(row: CreditRow) -> list[tuple[str, str, tuple[int, ...]]]:
    """The findings of a row: code, text, versions."""
    assert {finding.clause for finding in row.findings} <= {"G2"}
    return [(one.code, one.text, one.versions) for one in row.findings if one.code != "one_sided"]


def test_nothing_is_said_of_an_account_whose_requests_are_its_own_and_whose_packages_sufficed() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00")).credits(consumed("Mon 10:00", 60))
    assert journal.balance().findings == ()


def test_a_purchase_rectified_below_what_was_consumed_leaves_its_package_overdrawn() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"))
    journal.credits(bought(minutes=60, name="B"), consumed("Mon 10:00", 40, package="B"), rectified(2, "minutes", 30))
    text = "package B: 10 min more went from it than it held"
    assert said(journal.balance()) == [("overdrawn", text, (2, 3, 4))]
    assert said(journal.balance("Mon 09:59")) == []


def test_a_package_is_overdrawn_though_minutes_came_back_to_it_since() -> None:
    journal = account(bought(minutes=60), consumed("Mon 10:00", 40), refunded("Tue 10:00", 60, "0.00"))
    journal.credits(given_back("Wed 10:00", 40))
    assert journal.balance("Tue 09:59").findings[1:] == ()
    (finding,) = journal.balance().findings  # the work is undone, so its request is of no interest any more
    assert (finding.code, finding.text) == ("overdrawn", "package A: 40 min more went from it than it held")
    assert finding.versions == (1, 2, 3, 4)


def test_what_one_package_is_overdrawn_by_another_does_not_make_good() -> None:
    journal = account(bought(minutes=60), bought(minutes=600, name="B"), refunded("Tue 10:00", 60, "0.00"))
    assert journal.balance().findings == ()
    journal.credits(rectified(1, "minutes", 50))
    text = "package A: 10 min more went from it than it held"
    assert said(journal.balance()) == [("overdrawn", text, (1, 3, 4))]


def test_more_euro_given_back_than_were_paid_since_rectified_is_overdrawn_too() -> None:
    journal = account(bought(minutes=600, price="500.00"), refunded("Tue 10:00", 60, "50.00"))
    journal.credits(rectified(1, "price", "49.00"))
    text = "package A: 50.00 euro were given back of 49.00 paid"
    assert said(journal.balance()) == [("overdrawn", text, (1, 2, 3))]


def test_minutes_for_a_request_that_nobody_opened_are_told_until_somebody_does() -> None:
    journal = under_contract().credits(consumed("Mon 10:00", 60, incident="LATER"))
    text = "60 min for LATER, which nobody opened"
    assert said(journal.balance()) == [("consumed_for_unknown_request", text, (2,))]
    journal.incident("LATER", opened("Mon 11:00"))
    assert said(journal.balance("Mon 10:59")) == [("consumed_for_unknown_request", text, (2,))]
    assert journal.balance("Mon 11:00").findings == ()


def test_minutes_for_a_request_of_another_contract_are_told_with_that_contract() -> None:
    journal = under_contract().contract(
        signed(customers=("BETA",)), activated(), name="beta-2026", recorded="Mon 08:00"
    )
    journal.incident("INC2", opened("Mon 09:00", contract="beta-2026"))
    journal.incident("INC3", opened("Mon 09:00", contract=None))
    journal.credits(consumed("Mon 10:00", 60, incident="INC2"), consumed("Mon 11:00", 30, work="W2", incident="INC2"))
    journal.credits(fell_short("Mon 12:00", 15, work="W3", incident="INC3"))
    of_acme, of_beta = journal.balances()
    text = "90 min for INC2, which comes under beta-2026; 15 min for INC3, which comes under no contract"
    assert said(of_acme) == [("consumed_for_another_contract", text, (2, 3, 4))]
    assert of_beta.findings == ()


def test_work_that_is_undone_is_told_no_more() -> None:
    journal = under_contract().credits(consumed("Mon 10:00", 60, incident="NOSUCH"), given_back("Tue 10:00", 60))
    assert [finding.code for finding in journal.balance("Mon 12:00").findings] == ["consumed_for_unknown_request"]
    assert journal.balance().findings == ()


def test_a_finding_names_the_first_requests_and_counts_the_others() -> None:
    journal = under_contract()
    for number in range(7):
        journal.credits(consumed("Mon 10:00", 10 + number, work=f"W{number}", incident=f"NO{number}"))
    (finding,) = journal.balance().findings
    assert finding.text.startswith("10 min for NO0, which nobody opened; 11 min for NO1")
    assert finding.text.endswith("; 14 min for NO4, which nobody opened; 31 min for 2 more")
    assert finding.versions == (2, 3, 4, 5, 6, 7, 8)


def annulled(version: int) -> RecordAnnulled:
    return RecordAnnulled(at=when("Fri 12:00"), version=version, why="told of the wrong account")


def test_the_reversal_of_work_annulled_since_gives_nothing_back() -> None:
    journal = account(bought(minutes=600), consumed("Mon 10:00", 90), given_back("Tue 10:00", 90), annulled(2))
    assert figures(journal.balance()) == (600, 0, 0, 600, 0)
    assert said(journal.balance()) == []


def test_a_refund_whose_purchase_is_annulled_is_told() -> None:
    journal = account(bought(minutes=600), refunded("Tue 10:00", 60, "50.00"), annulled(1))
    assert (journal.balance().bought, journal.balance().left) == (0, 0)
    assert [(code, text) for code, text, _ in said(journal.balance())] == [
        ("overdrawn", "package A: 60 min more went from it than it held")
    ]


# --- by package -------------------------------------------------------------------------------------------------


def test_each_package_has_a_row_of_its_own() -> None:
    journal = account(
        bought(minutes=60, price="50.00", expires="Wed 00:00"),
        bought("Mon 08:00", 600, "400.00", name="B"),
        consumed("Mon 10:00", 40),
        consumed("Mon 11:00", 90, work="W2", package="B"),
        given_back("Tue 10:00", 30, work="W2", package="B"),
        refunded("Tue 12:00", 100, "80.00", package="B"),
    )
    first, second = credit_packages(journal.replay("Wed 12:00"))
    assert (first.contract, first.package, first.expires_at) == (ACME, "A", when("Wed 00:00"))
    assert (first.bought, first.consumed, first.refunded, first.expired, first.left) == (60, 40, 0, 20, 0)
    assert (first.price, first.refunded_price, first.versions) == (Decimal("50.00"), Decimal("0.00"), (1, 3))
    assert (second.package, second.bought_at, second.expires_at) == ("B", when("Mon 08:00"), None)
    assert (second.bought, second.consumed, second.refunded, second.expired, second.left) == (600, 60, 100, 0, 440)
    assert (second.price, second.refunded_price) == (Decimal("400.00"), Decimal("80.00"))
    assert second.versions == (2, 4, 5, 6)


def test_a_package_counts_from_its_purchase() -> None:
    journal = account(bought("Tue 10:00", minutes=60))
    assert credit_packages(journal.replay("Tue 09:59")) == []
    (row,) = credit_packages(journal.replay("Tue 10:00"))
    assert (row.left, row.expired) == (60, 0)


# --- properties -------------------------------------------------------------------------------------------------

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


def test_what_one_party_corrects_of_the_credits_alone_shows_on_their_row_and_on_the_ratio() -> None:
    journal = under_contract().late("INC1").credits(rectified(1, "price", "1000.00"))
    alone = [one for one in journal.balance().findings if one.code == "one_sided"]
    assert [(one.clause, one.versions) for one in alone] == [("G2", (2,))]
    assert [one for one in journal.window().findings if one.code == "one_sided" and one.clause == "G2"] == alone
    assert [one for one in journal.penalty().findings if one.code == "one_sided" and one.clause == "G2"] == alone
