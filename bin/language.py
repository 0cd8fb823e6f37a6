"""English or Italian for what a person reads. Machine formats are never translated.

The contract's own words come from the glossary of the README. The catalogues are plain gettext files: `it.po` has the
words of figures, `it-help.po` the help, `it-errors.po` the sentences of errors.
"""

import os
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "it")
_chosen: str | None = None


@dataclass(frozen=True)
class Words:
    """One language: its words, and how it writes numbers."""

    language: str
    catalogue: str = ""
    """Which catalogue: "" the words of figures, or "help"."""

    def __call__(self, text: str) -> str:
        """The translation of an English word or sentence; one that is not in the catalogue stays as it is."""
        return text if self.language == "en" else catalogue(self.language, self.catalogue).get(text, text)

    def number(self, number: int) -> str:
        """A whole number with its thousands apart."""
        from babel.numbers import format_decimal  # only tables need it: start-up

        return format_decimal(number, locale=self.language)

    def euro(self, amount: str) -> str:
        """An amount with two decimals."""
        from babel.numbers import format_decimal

        return format_decimal(Decimal(amount), "#,##0.00", locale=self.language)


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


@cache
def catalogue(language: str, of: str = "") -> dict[str, str]:
    """The translations of one catalogue, by the English text."""
    from babel.messages.pofile import read_po  # only who reads Italian needs it: start-up

    file = Path(__file__).parent / "locale" / (f"{language}-{of}.po" if of else f"{language}.po")
    with file.open("rb") as opened:
        return {str(entry.id): str(entry.string) for entry in read_po(opened) if entry.id and entry.string}
