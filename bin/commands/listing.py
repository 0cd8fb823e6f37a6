"""Lists of messages and sources: how they are shown, and their cells."""

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.text import Text

from adapters.reports.report import HOUSE_ZONE, JsonRow
from bin.commands.console import Column, Format, as_csv, console, duration, local, print_rows
from bin.language import Words
from domain.values import MINUTE


class Listing(NamedTuple):
    """Rows to be shown, with their title, and the sentence shown where there are none."""

    name: str
    title: str
    nothing: str
    columns: Sequence[Column]
    rows: Sequence[JsonRow]

    def show(self, form: Format, say: Words) -> None:
        """Write it."""
        if form == "json":
            print(json.dumps(self.rows, ensure_ascii=False, indent=2))
        elif form == "csv":
            print(as_csv(self.name, self.rows), end="")
        elif self.rows:
            out = console()
            out.print(Text(f"{self.title} ({HOUSE_ZONE.key})\n", style="bold"))
            print_rows(out, self.columns, self.rows)
        else:
            console().print(say(self.nothing))


def visible(text: str) -> str:
    """A text that others wrote, with what would move the cursor or hide the rest shown instead."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def cell_of(name: str) -> Callable[[JsonRow], str]:
    """The text of a field; "-" for none."""
    return lambda row: "-" if row[name] is None else visible(str(row[name]))


def cell_at(name: str) -> Callable[[JsonRow], str]:
    """An instant by the clocks of Europe/Rome."""
    return lambda row: local(row[name], HOUSE_ZONE)


def cell_of_duration(name: str) -> Callable[[JsonRow], str]:
    """Microseconds as hours and whole minutes."""
    return lambda row: "-" if row[name] is None else duration(row[name] // MINUTE * MINUTE)


def cell_of_source(say: Words) -> Callable[[JsonRow], str]:
    """The source of a message, or that none can be read."""
    return lambda row: visible(row["source"]) or say("(none that can be read)")
