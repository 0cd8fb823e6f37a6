"""Errors in another language: English sentences recognised by their pattern, their values put into the translation.

Errors are raised in English, for logs and machines too. A catalogue entry has named places, as "{file} is no file";
a value is itself translated where it is a sentence of the catalogue.
"""

import re
from functools import cache
from typing import NamedTuple

from bin.language import catalogue

_PLACE = re.compile(r"\{(\w+)\}")


class _Pattern(NamedTuple):
    text: re.Pattern[str]
    translation: str


def translated(text: str, language: str) -> str:
    """A text of one or more lines in a language; a line that no entry fits stays English."""
    return text if language == "en" else "\n".join(_line(line, language) for line in text.split("\n"))


def _line(line: str, language: str) -> str:
    for pattern in _patterns(language):
        if match := pattern.text.fullmatch(line):
            return pattern.translation.format(
                **{name: _line(value, language) for name, value in match.groupdict().items()}
            )
    return line


@cache
def _patterns(language: str) -> list[_Pattern]:
    """Those with the most words of their own first: they say more exactly what is meant."""
    entries = sorted(catalogue(language, "errors").items(), key=lambda entry: -len(_PLACE.sub("", entry[0])))
    return [_Pattern(_pattern(english), translation) for english, translation in entries]


def _pattern(english: str) -> re.Pattern[str]:
    # Split by a pattern with a group, every second part is the name of a place.
    parts = _PLACE.split(english)
    return re.compile("".join(f"(?P<{part}>.+?)" if index % 2 else re.escape(part) for index, part in enumerate(parts)))
