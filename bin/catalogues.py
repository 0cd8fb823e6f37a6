"""The translations, plain gettext files in bin/locale.

`it.po` has the words of figures, `it-help.po` the help, `it-tables.po` the meanings of columns; `it-errors.po`,
`it-findings.po` and `it-refusals.po` sentences with places for values.
"""

from functools import cache
from pathlib import Path


@cache
def catalogue(language: str, of: str = "") -> dict[str, str]:
    """The translations of one catalogue, by the English text."""
    from babel.messages.pofile import read_po  # only who reads Italian needs it: start-up

    file = Path(__file__).parent / "locale" / (f"{language}-{of}.po" if of else f"{language}.po")
    with file.open("rb") as opened:
        return {str(entry.id): str(entry.string) for entry in read_po(opened) if entry.id and entry.string}
