"""Sentences in another language: English ones recognised by their pattern, their values put into the translation.

Errors, findings and the reasons of refusals are made in English, for logs, records and machines too. A catalogue entry
has named places, as "{file} is no file"; a value is itself translated where it is a sentence of the catalogues. The
first word of a place's name says what its value is: {instant} and {day} are written as the language writes them,
{hours} with its decimal sign, {share} as a percentage, {euro} as an amount;
{choices} are names with "or" or "and" between the last two, {word} is one of the words of figures,
{fact} the stored type of a fact.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import NamedTuple

from adapters.reports.question import HOUSE_ZONE
from adapters.reports.wording import Language, hundredths
from bin.catalogues import catalogue

SENTENCES = "errors refusals findings"
"""Their catalogues: an error may quote the reason of a refusal."""
APART = "; "
"""Between sentences on one line."""
_ONE, _ANY = "(?:(?!; ).)", "."
"""The characters of a value: first those of one sentence are tried, for "a: b; c: d" is two."""
_NAMES = r"[\w.-]+"
"""The characters of the name of a field or a type: no sentence fits there."""
_PLACE = re.compile(r"\{(\w+)\}")


class _Pattern(NamedTuple):
    text: re.Pattern[str]
    translation: str


def translated(text: str, say: Language, of: str = SENTENCES) -> str:
    """A text of one or more lines in a language; a line that no entry of the catalogues `of` fits stays English."""
    return "\n".join(_line(line, say, of) for line in text.split("\n"))


def _line(line: str, say: Language, of: str) -> str:
    if (said := _said(line, say, of, _ONE)) is not None:
        return said
    first, semicolon, rest = line.partition(APART)
    if semicolon and of == SENTENCES and (said := _said(first, say, of, _ONE)) is not None:
        return f"{said}{APART}{_line(rest, say, of)}"
    said = _said(line, say, of, _ANY)
    return line if said is None else said


def _said(line: str, say: Language, of: str, values: str) -> str | None:
    for pattern in _patterns(say.language, of, values):
        if match := pattern.text.fullmatch(line):
            return _filled(pattern.translation, match.groupdict(), say, of)
    return None


def _filled(translation: str, values: Mapping[str, str], say: Language, of: str) -> str:
    return _PLACE.sub(lambda place: _value(place[1], values[place[1]], say, of), translation)


def _value(name: str, value: str, say: Language, of: str) -> str:
    write = _WRITTEN.get(name.partition("_")[0])
    if write is None:
        return _line(value, say, of)
    try:
        return write(value, say)
    except (ValueError, ArithmeticError):
        return value  # as somebody typed it


def _instant(text: str, say: Language) -> str:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return say.long_moment(at.astimezone(HOUSE_ZONE).replace(microsecond=0), seconds=True)


_WRITTEN: dict[str, Callable[[str, Language], str]] = {
    "instant": _instant,
    "day": lambda text, say: say.long_day(date.fromisoformat(text)),
    "hours": lambda text, say: say.decimal(text),
    "share": lambda text, say: say.percent(hundredths(text)),
    "euro": lambda text, say: say.euro(text),
    "choices": lambda text, say: text.replace(" or ", f" {say('or')} ").replace(" and ", f" {say('and')} "),
    "fact": lambda text, say: text if (said := say(name := text.rpartition(".")[0])) == name else said,
    "word": lambda text, say: say(text),
}


@cache
def _patterns(language: str, of: str, values: str) -> list[_Pattern]:
    """Those with the most words of their own first: they say more exactly what is meant."""
    entries = {english: said for name in of.split() for english, said in catalogue(language, name).items()}
    ordered = sorted(entries.items(), key=lambda entry: -len(_PLACE.sub("", entry[0])))
    return [_Pattern(_pattern(english, values), translation) for english, translation in ordered]


def _pattern(english: str, values: str) -> re.Pattern[str]:
    # Split by a pattern with a group, every second part is the name of a place.
    parts = _PLACE.split(english)
    texts = (
        f"(?P<{part}>{_NAMES if part in ('field', 'type') else f'{values}+?'})" if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    )
    return re.compile("".join(texts))
