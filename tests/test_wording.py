"""How figures and instants are written: a share that exceeds a tolerance never reads as the tolerance."""

from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.reports.wording import Writing, hundredths
from bin.language import Words

ROME = ZoneInfo("Europe/Rome")
WRITING = {language: Writing(Words(language), ROME) for language in ("en", "it")}

many = st.integers(1, 10**7)
shares = st.builds(lambda above, below: Fraction(min(above, below), below), st.integers(0, 10**7), many)


def near(tolerance: Fraction) -> st.SearchStrategy[Fraction]:
    """Shares that are a case away from a tolerance, of few cases or of many."""
    return many.map(lambda cases: Fraction(int(cases * tolerance) + 1, cases))


def text(share: Fraction) -> str:
    return f"{share.numerator}/{share.denominator}"


@given(shares.flatmap(lambda tolerance: st.tuples(st.just(tolerance), near(tolerance) | shares)))
def test_a_share_reads_otherwise_than_a_tolerance_it_differs_from(pair: tuple[Fraction, Fraction]) -> None:
    tolerance, share = pair
    shown, beside = Decimal(hundredths(text(share), text(tolerance))), Decimal(hundredths(text(tolerance), text(share)))
    assert (shown > beside) == (share > tolerance)
    assert (shown == beside) == (share == tolerance)


@given(shares)
def test_a_share_alone_has_at_most_two_decimals_and_is_right_to_them(share: Fraction) -> None:
    shown = hundredths(text(share))
    assert len(shown.partition(".")[2]) <= 2
    assert abs(Fraction(shown) - share * 100) <= Fraction(1, 200)


@pytest.mark.parametrize(
    ("share", "beside", "shown"),
    [
        ("201/2009", "1/10", "10.005"),
        ("1/10", "201/2009", "10"),
        ("200/2000", "1/10", "10"),
        ("3/29", "1/10", "10.34"),
        ("0/4", "1/10", "0"),
        ("100001/1000000", "1/10", "10.0001"),
        ("1/3", None, "33.33"),
        ("3333/10000", "1/3", "33.33"),
        ("1/3", "3333/10000", "33.333"),
    ],
)
def test_decimals_are_added_until_the_two_read_otherwise(share: str, beside: str | None, shown: str) -> None:
    assert hundredths(share, beside) == shown
    assert WRITING["en"].percent(share, beside) == f"{shown}%"
    assert WRITING["it"].percent(share, beside) == f"{shown.replace('.', ',')}\u202f%"


@pytest.mark.parametrize(
    ("instant", "english", "italian"),
    [
        ("2025-12-02T10:10:00.000001Z", "after 11:10 on 2025-12-02", "dopo le 11:10 del 02/12/2025"),
        ("2025-12-02T10:10:00Z", "at 11:10 on 2025-12-02", "alle 11:10 del 02/12/2025"),
        ("2025-12-02T10:10:59Z", "after 11:10 on 2025-12-02", "dopo le 11:10 del 02/12/2025"),
        (None, "-", "-"),
    ],
)
def test_a_tolerance_is_passed_after_a_minute(instant: str | None, english: str, italian: str) -> None:
    assert (WRITING["en"].passing(instant), WRITING["it"].passing(instant)) == (english, italian)


def test_a_microsecond_is_shown_where_seconds_are_wanted() -> None:
    instant = "2025-12-02T10:10:00.000001Z"
    assert WRITING["en"].local(instant, seconds=True) == "2025-12-02 11:10:00.000001"
    assert WRITING["it"].local(instant, seconds=True) == "02/12/2025 11:10:00,000001"
    assert WRITING["it"].local(instant) == "02/12/2025 11:10"


@pytest.mark.parametrize(
    ("instant", "italian"),
    [
        ("2025-12-02T10:10:00Z", "2 dicembre 2025, ore 11:10"),
        ("2025-07-31T22:00:00Z", "1° agosto 2025, ore 00:00"),
        ("2026-01-01T22:59:59.999999Z", "1° gennaio 2026, ore 24:00"),
    ],
)
def test_an_instant_in_a_sentence_has_the_name_of_its_month(instant: str, italian: str) -> None:
    assert WRITING["it"].long(instant, seconds=True) == italian


@pytest.mark.parametrize(
    ("microseconds", "english", "italian"),
    [
        (437 * 86_400_000_000, "437 d", "437 giorni"),
        (1200 * 86_400_000_000, "1200 d", "1.200 giorni"),
        (86_400_000_000, "1 d", "1 giorno"),
        (3 * 3_600_000_000, "3 h", "3 h"),
        (5, "0 s", "0 s"),
    ],
)
def test_lateness_is_in_the_largest_unit_that_it_fills(microseconds: int, english: str, italian: str) -> None:
    assert (WRITING["en"].lateness(microseconds), WRITING["it"].lateness(microseconds)) == (english, italian)


def test_amounts_have_their_sign_in_italian_and_their_heading_in_english() -> None:
    say, dica = Words("en"), Words("it")
    assert (say.euro("1234.50"), say.long_euro("1234.50")) == ("1,234.50", "1,234.50 euro")
    assert (dica.euro("1234.50"), dica.long_euro("1234.50")) == ("1.234,50\u00a0€", "1.234,50\u00a0€")
    assert (say.count(1234), dica.count(1234)) == ("1234", "1.234")


@pytest.mark.parametrize(
    ("code", "english", "italian"),
    [
        ("met", "within time", "entro i tempi"),
        ("breached", "late", "oltre i tempi"),
        ("void", "not counted", "non conteggiata"),
        ("status open", "open", "in corso"),
        ("status provisional", "provisional", "provvisoria"),
        ("status closed", "closed", "chiusa"),
        ("literal", "literal", "letterale"),
    ],
)
def test_verdicts_do_not_read_as_an_exam(code: str, english: str, italian: str) -> None:
    assert (Words("en")(code), Words("it")(code)) == (english, italian)
