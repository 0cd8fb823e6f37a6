"""English or Italian for what a person reads. Machine formats are never translated.

The contract's own words come from the glossary of the README; the catalogue is a plain gettext file.
"""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from io import BytesIO

from babel.messages.pofile import read_po

Say = Callable[[str], str]


def words(language: str) -> Say:
    """The translation of English words and sentences; those not in the catalogue stay as they are."""
    if language == "en":
        return lambda text: text
    catalogue = _catalogue(language)
    return lambda text: catalogue.get(text, text)


@cache
def _catalogue(language: str) -> dict[str, str]:
    text = files("bin").joinpath("locale", f"{language}.po").read_bytes()
    return {str(message.id): str(message.string) for message in read_po(BytesIO(text)) if message.id and message.string}
