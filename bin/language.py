"""English or Italian for what a person reads. Machine formats are never translated.

The contract's own words come from the glossary of the README. Code words that a screen shows are written out in English
too.
"""

import os
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from bin.catalogues import catalogue

LANGUAGES = ("en", "it")
_chosen: str | None = None
NARROW_SPACE = "\u202f"
"""Does not break: between a number and its unit."""

ENGLISH = {
    "met": "within time",
    "breached": "late",
    "void": "not counted",
    "best_effort": "best effort",
    "no_contract": "no contract",
    "contract_not_in_force": "contract not in force",
    "assistance_not_activated": "Assistenza not activated",
    "not_requested": "not requested by the customer",
    "no_credits": "no credits",
    "third_party": "third party",
    "force_majeure": "force majeure",
    "under_contract": "under a contract",
    "void because contract_ended": "contract ended",
    "void because duplicate": "duplicate",
    "void because withdrawn": "withdrawn",
    "void because undisclosed_system": "system not disclosed",
    "terms signed": "signed",
    "terms assumed": "assumed",
    "status open": "open",
    "status provisional": "provisional",
    "status closed": "closed",
}
"""Code words as a screen shows them, where an underscore, or the word of an exam, would not do."""


@dataclass(frozen=True)
class Words:
    """One language: its words, and how it writes numbers and dates."""

    language: str
    catalogue: str = ""
    """Which catalogue: "" the words of figures, or "help"."""

    def __call__(self, text: str) -> str:
        """The translation of an English word or sentence; one that is not in the catalogue stays as it is."""
        if self.language == "en":
            return text if self.catalogue else ENGLISH.get(text, text)
        return catalogue(self.language, self.catalogue).get(text, text)

    def sentence(self, text: str) -> str:
        """A sentence with values in it: an error, a finding, the reason of a refusal."""
        if self.language == "en":
            return text
        from bin.error_translation import translated  # only who reads Italian needs it: start-up

        return translated(text, self)

    def meaning(self, text: str) -> str:
        """The meaning of a table or of a column."""
        if self.language == "en":
            return text
        from bin.error_translation import translated

        return translated(text, self, "tables")

    def number(self, number: int) -> str:
        """A whole number with its thousands apart."""
        from babel.numbers import format_decimal  # only tables need it: start-up

        return format_decimal(number, locale=self.language)

    def count(self, number: int) -> str:
        """A whole number in a table: in English as programs write it."""
        return str(number) if self.language == "en" else self.number(number)

    def euro(self, amount: str) -> str:
        """An amount with two decimals; in Italian with its sign, which English headings name."""
        from babel.numbers import format_decimal

        form = "#,##0.00" if self.language == "en" else "#,##0.00\u00a0€"
        return format_decimal(Decimal(amount), form, locale=self.language)

    def long_euro(self, amount: str) -> str:
        """An amount in a sentence, where no heading says that it is in euro."""
        return f"{self.euro(amount)} euro" if self.language == "en" else self.euro(amount)

    def decimal(self, text: str) -> str:
        """A number written with a decimal point, with the decimal sign of the language."""
        return text if self.language == "en" else text.replace(".", ",")

    def percent(self, text: str) -> str:
        """A number of hundredths, as 10.34, with its sign."""
        return f"{text}%" if self.language == "en" else f"{self.decimal(text)}{NARROW_SPACE}%"

    def day(self, day: date) -> str:
        """A day, short enough for a table."""
        return f"{day:%Y-%m-%d}" if self.language == "en" else f"{day:%d/%m/%Y}"

    def long_day(self, day: date) -> str:
        """A day in a sentence: 1° dicembre 2025."""
        if self.language == "en":
            return self.day(day)
        from babel.dates import format_date

        return f"{'1°' if day.day == 1 else day.day} {format_date(day, 'MMMM y', locale=self.language)}"

    def time(self, at: datetime, *, seconds: bool = False) -> str:
        """A time of day to the minute; with `seconds` also the seconds, where there are any."""
        text = f"{at:%H:%M}"
        if seconds and (at.second or at.microsecond):
            text += f":{at:%S}" + (self.decimal(f".{at:%f}") if at.microsecond else "")
        return text

    def moment(self, at: datetime, *, seconds: bool = False) -> str:
        """Day and time, short enough for a table."""
        return f"{self.day(at)} {self.time(at, seconds=seconds)}"

    def long_moment(self, at: datetime, *, seconds: bool = False) -> str:
        """Day and time in a sentence: 2 dicembre 2025, ore 11:10."""
        if self.language == "en":
            return self.moment(at, seconds=seconds)
        # A day asked about lasts until its last microsecond: Italian says so.
        time = "24:00" if f"{at:%H:%M:%S}" == "23:59:59" else self.time(at, seconds=seconds)
        return f"{self.long_day(at)}, ore {time}"

    def lasting(self, number: int, unit: str) -> str:
        """So many of a unit (d, h, min or s): 15 d; in Italian 15 giorni."""
        if self.language == "en" or unit != "d":
            return f"{number} {unit}"
        return f"{self.number(number)} {'giorno' if number == 1 else 'giorni'}"


def choose(language: str | None) -> None:
    """Remember which language was chosen on the command line: it holds for everything the command prints."""
    global _chosen
    _chosen = language


def chosen_language() -> str | None:
    """The language chosen on the command line; None where none was."""
    return _chosen


def current_language() -> str:
    """The language of help and errors: the one chosen on the command line, else in VERBALE_LANGUAGE or verbale.toml.

    Never raises: an error in the settings must itself be shown in some language.
    """
    found = _chosen or os.environ.get("VERBALE_LANGUAGE") or _configured()
    return found if found in LANGUAGES else "en"


def _configured() -> object:
    file = Path(os.environ.get("VERBALE_CONFIG") or "verbale.toml")
    if not file.is_file():
        return None
    import tomllib  # seldom needed: start-up

    try:
        return tomllib.loads(file.read_text(encoding="utf-8")).get("language")
    except (OSError, ValueError):
        return None
