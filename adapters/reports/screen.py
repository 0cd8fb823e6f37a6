"""The columns of a report on the screen: a heading, which the catalogue translates, and the text of a row.

Headings are English, and msgids of bin/locale; cells are made from the rows as JSON has them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from adapters.reports.columns import JsonRow
from adapters.reports.wording import Writing

Cell = Callable[[JsonRow, Writing], str]
"""The text of a row in one column."""


@dataclass(frozen=True)
class ScreenColumn:
    """A column on the screen; numbers stand to the right."""

    heading: str
    cell: Cell
    number: bool = False


@dataclass(frozen=True)
class Section:
    """A part of a report on the screen: lines, a title, rows, lines."""

    above: Sequence[str] = ()
    title: str | None = None
    rows: Sequence[JsonRow] = ()
    below: Sequence[str] = field(default=())


def plain(name: str, heading: str | None = None, *, number: bool = False) -> ScreenColumn:
    """A field as it is; "-" for none."""
    return ScreenColumn(heading or name, lambda row, _: "-" if row[name] is None else str(row[name]), number)


def count(name: str, heading: str | None = None) -> ScreenColumn:
    """A number, its thousands apart in Italian; a text, as 3/29, as it is; "-" for none."""

    def cell(row: JsonRow, writing: Writing) -> str:
        value = row[name]
        return writing.say.count(value) if isinstance(value, int) else "-" if value is None else str(value)

    return ScreenColumn(heading or name, cell, number=True)


def at(name: str, heading: str, *, seconds: bool = False) -> ScreenColumn:
    """An instant, to the minute unless `seconds` are wanted."""
    return ScreenColumn(heading, lambda row, writing: writing.local(row[name], seconds=seconds))


def day(name: str, heading: str | None = None) -> ScreenColumn:
    """A local day."""
    return ScreenColumn(heading or name, lambda row, writing: writing.day(row[name]))


def passing(name: str, heading: str) -> ScreenColumn:
    """When a tolerance was passed, to the minute."""
    return ScreenColumn(heading, lambda row, writing: writing.passing(row[name]))


def share(name: str, heading: str, *, beside: str | None = None) -> ScreenColumn:
    """A share as a percentage that reads otherwise than the one in the column `beside`, where they differ."""
    return ScreenColumn(
        heading, lambda row, writing: writing.percent(row[name], row[beside] if beside else None), number=True
    )


def word(name: str, heading: str) -> ScreenColumn:
    """A field whose values the catalogue translates; "-" for none."""
    return ScreenColumn(heading, lambda row, writing: "-" if row[name] is None else writing.say(str(row[name])))


def yes(name: str, heading: str | None = None) -> ScreenColumn:
    """Yes or no; "-" where neither is known."""
    return ScreenColumn(heading or name, lambda row, writing: "-" if row[name] is None else writing.yes(row[name]))


def amount(name: str, heading: str | None = None) -> ScreenColumn:
    """An amount in euro; "-" for none."""
    return ScreenColumn(
        heading or name, lambda row, writing: "-" if row[name] is None else writing.say.euro(row[name]), number=True
    )


def status(name: str, heading: str) -> ScreenColumn:
    """Whether a window, or a figure, is open, provisional or closed; "-" for none."""
    return ScreenColumn(heading, lambda row, writing: "-" if row[name] is None else writing.say(f"status {row[name]}"))


FINDINGS = ScreenColumn(
    "findings", lambda row, writing: ", ".join(writing.say(finding["code"]) for finding in row["findings"])
)
"""The codes, in Italian the names, of what a reader has to know of a row."""


SHOWN_SENTENCES, SHOWN_NAMES = 3, 5
"""Of one kind of finding, and of the rows that one is about."""


def findings(rows: Iterable[JsonRow], writing: Writing, of: str = "incident") -> list[str]:
    """What a reader has to know, each with the rows that it is about, by their field `of`.

    Of one kind the first few sentences: those that follow say the same of other rows, with other figures.
    """
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for row in rows:
        for finding in row["findings"]:
            sentences = found.setdefault((finding["code"], finding["clause"]), {})
            names = sentences.setdefault(finding["text"], [])
            late = finding["lateness_us"]
            name = row[of] if late is None else f"{row[of]} ({writing.lateness(late)})"
            names += [] if name in names[-1:] else [name]
    lines = [writing.say("Findings:")] if found else []
    for (code, clause), sentences in found.items():
        of_code = f"  {writing.say(code)} [{clause}]"
        for sentence, names in list(sentences.items())[:SHOWN_SENTENCES]:
            lines.append(f"{of_code} {writing.say.sentence(sentence)}: {_some(names)}")
        if more := [name for names in list(sentences.values())[SHOWN_SENTENCES:] for name in names]:
            lines.append(f"{of_code} {writing.say('the like of')}: {_some(list(dict.fromkeys(more)))}")
    return lines


def _some(names: Sequence[str]) -> str:
    more = f", +{len(names) - SHOWN_NAMES}" if len(names) > SHOWN_NAMES else ""
    return ", ".join(names[:SHOWN_NAMES]) + more
