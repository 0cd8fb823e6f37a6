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
    """A number as it is; "-" for none."""
    return plain(name, heading, number=True)


def at(name: str, heading: str, *, seconds: bool = False) -> ScreenColumn:
    """An instant, to the minute unless `seconds` are wanted."""
    return ScreenColumn(heading, lambda row, writing: writing.local(row[name], seconds=seconds))


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


def settled(heading: str) -> ScreenColumn:
    """Whether the figures of a row are settled, or may change yet."""
    return ScreenColumn(heading, lambda row, writing: writing.say("settled" if row["settled"] else "provisional"))


FINDINGS = ScreenColumn("findings", lambda row, _: ", ".join(finding["code"] for finding in row["findings"]))
"""The codes of what a reader has to know of a row."""


def findings(rows: Iterable[JsonRow], writing: Writing, of: str = "incident") -> list[str]:
    """What a reader has to know, each with the rows that it is about, by their field `of`."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        for finding in row["findings"]:
            names = found.setdefault((finding["code"], finding["clause"], finding["text"]), [])
            names += [] if row[of] in names[-1:] else [row[of]]
    lines = [writing.say("Findings:")] if found else []
    for (code, clause, sentence), names in found.items():
        some = ", ".join(names[:5]) + (f", +{len(names) - 5}" if len(names) > 5 else "")
        lines.append(f"  {code} [{clause}] {sentence}: {some}")
    return lines
