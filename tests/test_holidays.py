"""The proposal of Italian holidays: what a contract adopts, and no guess beyond what is known (H1)."""

from datetime import date

import pytest
from support.messages import child

from adapters.imports.holidays import UnknownPlace, italian_holidays, library_version

NATIONAL_2025 = {
    date(2025, 1, 1): "Capodanno",
    date(2025, 1, 6): "Epifania",
    date(2025, 4, 20): "Pasqua",
    date(2025, 4, 21): "Lunedì dell'Angelo",
    date(2025, 4, 25): "Anniversario della Liberazione",
    date(2025, 5, 1): "Festa del Lavoro",
    date(2025, 6, 2): "Festa della Repubblica",
    date(2025, 8, 15): "Assunzione della Beata Vergine Maria",
    date(2025, 11, 1): "Ognissanti",
    date(2025, 11, 2): "Giorno dell'unità nazionale",
    date(2025, 12, 8): "Immacolata Concezione",
    date(2025, 12, 25): "Natale",
    date(2025, 12, 26): "Santo Stefano",
}


def days(first: int, last: int, subdivision: str | None = None) -> dict[date, str]:
    """The days proposed, by name."""
    return {holiday.day: holiday.name for holiday in italian_holidays(first, last, subdivision)}


def test_the_national_holidays_of_a_year_have_italian_names() -> None:
    assert days(2025, 2025) == NATIONAL_2025


def test_the_4th_of_october_is_a_holiday_from_2026_and_not_before() -> None:
    found = days(2024, 2027)
    assert [year for year in range(2024, 2028) if date(year, 10, 4) in found] == [2026, 2027]


@pytest.mark.parametrize("place", ["MI", "Milano"])
def test_a_province_or_a_city_adds_its_patron_saint(place: str) -> None:
    added = days(2025, 2025, place).items() - days(2025, 2025).items()
    assert added == {(date(2025, 12, 7), "Sant'Ambrogio")}


def test_easter_monday_moves_with_easter() -> None:
    mondays = [day for day, name in days(2024, 2027).items() if name.startswith("Lunedì")]
    assert mondays == [date(2024, 4, 1), date(2025, 4, 21), date(2026, 4, 6), date(2027, 3, 29)]


def test_holidays_come_in_order_each_day_once_and_in_the_years_asked_for_only() -> None:
    found = [holiday.day for holiday in italian_holidays(2020, 2030, "RM")]
    assert found == sorted(set(found))
    assert {day.year for day in found} == set(range(2020, 2031))


@pytest.mark.parametrize("place", ["Atlantis", "XX", "mi"])
def test_an_unknown_place_is_named_not_passed_over(place: str) -> None:
    with pytest.raises(UnknownPlace, match=place):
        italian_holidays(2025, 2025, place)


@pytest.mark.parametrize(("first", "last"), [(1500, 2026), (2026, 2101), (2200, 2200)])
def test_years_the_library_does_not_know_are_an_error_never_no_holidays(first: int, last: int) -> None:
    with pytest.raises(UnknownPlace, match=f"{first} to {last}"):
        italian_holidays(first, last)


def test_the_version_of_the_library_is_told() -> None:
    assert [part.isdecimal() for part in library_version().split(".")][:2] == [True, True]


NAMES = """
import os
os.environ["LANG"] = os.environ["LANGUAGE"] = os.environ["LC_ALL"] = "{}"
from adapters.imports.holidays import italian_holidays
print(ascii([holiday.name for holiday in italian_holidays(2025, 2025)]))
"""


@pytest.mark.integration
@pytest.mark.parametrize("language", ["C.UTF-8", "en_US.UTF-8", "de_DE.UTF-8"])
def test_names_do_not_depend_on_the_language_of_the_process(language: str) -> None:
    process = child(NAMES.format(language))
    said, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    assert said.strip() == ascii(list(NATIONAL_2025.values()))
