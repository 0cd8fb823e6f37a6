"""English or Italian for what a person reads. Machine formats are never translated.

The contract's own words come from the glossary of the README; the catalogue is a plain gettext file.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from io import BytesIO

from babel.messages.pofile import read_po
from babel.numbers import format_decimal


@dataclass(frozen=True)
class Words:
    """One language: its words, and how it writes numbers."""

    language: str

    def __call__(self, text: str) -> str:
        """The translation of an English word or sentence; one that is not in the catalogue stays as it is."""
        return text if self.language == "en" else _catalogue(self.language).get(text, text)

    def number(self, number: int) -> str:
        """A whole number with its thousands apart."""
        return str(format_decimal(number, locale=self.language))

    def euro(self, amount: str) -> str:
        """An amount with two decimals."""
        return str(format_decimal(Decimal(amount), "#,##0.00", locale=self.language))


@cache
def _catalogue(language: str) -> dict[str, str]:
    text = files("bin").joinpath("locale", f"{language}.po").read_bytes()
    return {str(message.id): str(message.string) for message in read_po(BytesIO(text)) if message.id and message.string}
