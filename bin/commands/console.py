"""Writes reports as screen table, JSON or CSV."""

import json
import sys
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any, Literal, TextIO

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from adapters.reports.columns import JsonRow, R, json_row
from adapters.reports.csv_format import as_csv
from adapters.reports.heading import heading
from adapters.reports.question import HOUSE_ZONE
from adapters.reports.report import Definition, Report
from adapters.reports.screen import ScreenColumn, Section
from adapters.reports.wording import Writing, spaced
from bin.language import Words

Format = Literal["table", "json", "csv"]
Plain = Literal["table", "json"]
WIDTH_WITHOUT_TERMINAL = 1000
"""Columns when the output is no terminal: wide enough that nothing wraps."""


def show(report: Report[Any], form: Format, say: Words) -> None:
    """Write a report."""
    if form == "json":
        _print_json(report.as_json())
    elif form == "csv":
        print(as_csv(report.definition.csv_columns, report.found), end="")
        if "made_from" in report.manifest:  # the rows have no place for it
            source = say(f"from {report.manifest['made_from']}")
            print(f"verbale: {source}; {say('position')} {say.count(report.manifest['position'])}", file=sys.stderr)
    else:
        _show_table(report, Writing(say, report.zone), console())


def show_listing(
    listing: Definition[R],
    found: Sequence[R],
    form: Format,
    say: Words,
    title: str | None = None,
    *,
    filtered: bool = False,
) -> None:
    """Write rows that no manifest goes with; `title` where the listing's own is not enough.

    `filtered`: whether options picked these rows.
    """
    rows = [json_row(listing.columns, row) for row in found]
    if form == "json":
        _print_json(rows)
    elif form == "csv":
        print(as_csv(listing.csv_columns, found), end="")
    elif rows:
        out = console()
        out.print(Text(f"{title or f'{say(listing.title)} ({HOUSE_ZONE.key})'}\n", style="bold"))
        print_rows(out, listing.screen, rows, Writing(say, HOUSE_ZONE))
    else:
        console().print(say(listing.without_rows(filtered=filtered)))


def show_facts(
    facts: JsonRow, form: Plain, say: Words, out: TextIO | None = None, *, instants: Sequence[str] = ()
) -> None:
    """Write what is known of one thing: a name and a value on each line, or one JSON object.

    `instants` names the fields that are written by the clocks of the house in another language than English.
    """
    if form == "json":
        _print_json(facts, out)
        return
    wide = max(len(say(spaced(name))) for name in facts)
    for name, value in facts.items():
        shown = _shown(value, Writing(say, HOUSE_ZONE), instant=name in instants and say.language != "en")
        console(out).print(Text(f"{say(spaced(name)):{wide}}  {'-' if shown in (None, '') else shown}"))


def _shown(value: Any, writing: Writing, *, instant: bool) -> str | None:
    match value:
        case list():
            return ", ".join(map(writing.reading, value))
        case int():
            return writing.say.number(value)
        case str():
            return writing.long(value, seconds=True) if instant else writing.say.sentence(value)
        case _:
            return None


def print_pairs(pairs: Sequence[tuple[str, str]], indent: str = "") -> None:
    """Labels and texts side by side; on a terminal a text is broken between words, never within one."""
    out = console()
    wide = max((len(label) for label, _ in pairs), default=0)
    room = max(out.width - len(indent) - wide - 2, 20)
    for label, text in pairs:
        lines = wrap(text, room) if out.is_terminal else [text]
        for number, line in enumerate(lines or [""]):
            print(f"{indent}{'' if number else label:{wide}}  {line}".rstrip())


def show_remarks(remarks: Sequence[JsonRow], form: Plain, say: Words, out: TextIO | None = None) -> None:
    """Write what is wrong and what to do about each, or a JSON list."""
    if form == "json":
        _print_json(remarks, out)
        return
    for remark in remarks:
        console(out).print(Text(f"{say('wrong')}: {remark['wrong']}\n{say('do')}: {remark['do']}\n"))
    if not remarks:
        console(out).print(say("Nothing is wrong."))


def _print_json(document: Any, out: TextIO | None = None) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2), file=out or sys.stdout)


class _Screen(Console):
    def on_broken_pipe(self) -> None:
        """A reader that has seen enough is no error: main ends quietly."""
        raise BrokenPipeError


def console(out: TextIO | None = None) -> Console:
    """A console that does not wrap if the output is no terminal."""
    plain = _Screen(file=out, highlight=False, soft_wrap=False, emoji=False, markup=False)
    if plain.is_terminal:
        return plain
    return _Screen(
        file=out, highlight=False, emoji=False, markup=False, width=WIDTH_WITHOUT_TERMINAL, color_system=None
    )


# --- tables -----------------------------------------------------------------------------------------------------


def _show_table(report: Report[Any], writing: Writing, out: Console) -> None:
    title, *lines = heading(report, writing)
    out.print(Text(title, style="bold"))
    _print_lines(out, lines)
    declared = report.definition
    if declared.sections:
        for section in declared.sections(report, writing):
            _print_section(out, declared.screen, section, writing)
    elif report.rows:
        print_rows(out, declared.screen, report.rows, writing)
    else:
        out.print(writing.say(declared.without_rows(filtered=bool(report.manifest.get("filters")))))
    if declared.notes:
        _print_lines(out, declared.notes(report, writing))


def _print_section(out: Console, columns: Sequence[ScreenColumn], section: Section, writing: Writing) -> None:
    _print_lines(out, section.above)
    if section.title:
        out.print(Text(section.title, style="bold"))
    if section.rows:
        print_rows(out, columns, section.rows, writing)
    _print_lines(out, section.below)


def _print_lines(out: Console, lines: Iterable[str]) -> None:
    for line in lines:
        if line.startswith(" "):
            _print_hanging(out, line, 4)
        else:
            out.print(Text(line))


def _print_hanging(out: Console, line: str, indent: int) -> None:
    """A line; what it has no room for stands below it, further in."""
    below = " " * min(indent, out.width // 2)
    for part in wrap(line, out.width, subsequent_indent=below, break_long_words=False, break_on_hyphens=False):
        out.print(Text(part))


def print_rows(out: Console, columns: Sequence[ScreenColumn], rows: Sequence[JsonRow], writing: Writing) -> None:
    """A table; on a narrow screen with headings of several lines, or each row as lines of its own: nothing is cut."""
    for made in (table(columns, rows, writing), table(columns, rows, writing, narrow=True)):
        if Measurement.get(out, out.options.update(max_width=WIDTH_WITHOUT_TERMINAL), made).maximum <= out.width:
            out.print(made)
            return
    headings = [_heading_of(column, writing) for column in columns]
    wide = max(map(len, headings))
    for row in rows:
        for name, column in zip(headings, columns, strict=True):
            if (cell := column.cell(row, writing)) not in ("", "-"):
                _print_hanging(out, f"{name:>{wide}}  {cell}", wide + 2)
        out.print()


def table(columns: Sequence[ScreenColumn], rows: Iterable[JsonRow], writing: Writing, *, narrow: bool = False) -> Table:
    """A table of some columns; where it is to be narrow, no heading makes its column wider than a word of it."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=narrow)
    cells = [[column.cell(row, writing) for column in columns] for row in rows]
    for number, column in enumerate(columns):
        heading = _heading_of(column, writing)
        if narrow:
            words = [*heading.split(), *(row[number] for row in cells)]
            heading = "\n".join(wrap(heading, max(map(len, words)), break_long_words=False, break_on_hyphens=False))
        made.add_column(heading, justify="right" if column.number else "left", no_wrap=not column.number)
    for row in cells:
        made.add_row(*map(Text, row))
    return made


def _heading_of(column: ScreenColumn, writing: Writing) -> str:
    return writing.say(column.heading)
