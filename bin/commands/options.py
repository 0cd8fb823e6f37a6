"""What the commands share: their common options, the store they open, the bar that shows how far they are."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from bin.commands.console import Format
from bin.compose import open_ledger
from bin.language import Words, chosen_language
from bin.settings import Settings, settings
from domain.values import instant_text

if TYPE_CHECKING:
    from adapters.reports.question import Question
    from adapters.store.ledger import Ledger

PartyTyped = Literal["supplier", "customer"]
"""A party to the contract, as it is typed."""


@Parameter(name="*")
@dataclass(frozen=True)
class Where:
    """Options of every command that uses a store."""

    store: Annotated[str | None, Parameter(group=Group("Store"))] = None
    "The store: sqlite:///PATH or postgresql://USER@HOST/DATABASE; else VERBALE_STORE, verbale.toml, sqlite:///verbale.db."


@Parameter(name="*")
@dataclass(frozen=True)
class How:
    """Options of everything that is judged."""

    reading: str = "literal"
    "The reading of the contract: literal, or choices that depart from it: rate=words,unit=clock,..."

    as_of: str | None = None
    "Judge as of this instant (2025-12-31T18:00:00+01:00) or the end of this day (2025-12-31); else known-on."

    known_on: str | None = None
    "Use only what was recorded by then; else everything recorded."

    format: Format = "table"
    "table, json or csv."


@Parameter(name="*")
@dataclass(frozen=True)
class Which:
    """Options that pick rows of a report."""

    contract: str | None = None
    "Only this contract."

    window: str | None = None
    "contract_year, calendar_year, quarter or whole_contract; or a day: only the window that holds it."

    late: Annotated[bool, Parameter(negative="")] = False
    "Only what is late: requests late by the supplier, requests late on a system, commitments late or missed."

    passed: Annotated[bool, Parameter(negative="")] = False
    "Only windows, or contracts, that passed their tolerance."

    priority: int | None = None
    "Only requests of this priority, 1 (highest) to 5."

    customer: str | None = None
    "Only contracts of the customer that has this key."

    since: str | None = None
    "Only requests opened, or windows and periods not ended, since this instant or day."

    until: str | None = None
    "Only requests opened, or windows and periods begun, until this instant or the end of this day."


def chosen_by(where: Where | None) -> tuple[Settings, Words]:
    """The settings in force, and the language of the output. Raises BadSettings."""
    chosen = settings(store=where.store if where else None, language=chosen_language())
    return chosen, Words(chosen.language)


def words() -> Words:
    """The language of the output, for a command that opens no store. Raises BadSettings."""
    return Words(settings(language=chosen_language()).language)


@contextmanager
def ledger_of(chosen: Settings, *, create: bool = False) -> Iterator["Ledger"]:
    """The ledger, closed at the end; a store made new is named. Raises StoreError."""
    ledger = open_ledger(chosen, create=create)
    if ledger.store.made_new:
        print(f"verbale: {Words(chosen.language)('made a new store')}, {ledger.store.location}", file=sys.stderr)
    try:
        yield ledger
    finally:
        ledger.close()


def tell_of_nothing_known(ledger: "Ledger", asked: "Question", form: str, say: Words) -> None:
    """Say so where nothing was recorded yet on the date asked about; in JSON the manifest's position says it."""
    if form == "json" or ledger.store.position(asked.known_on):
        return
    if (first := next((row.recorded_at for row in ledger.page(0, 1)), None)) is not None:
        from adapters.reports.question import HOUSE_ZONE  # seldom needed: start-up
        from adapters.reports.wording import Writing

        sentence = say("nothing was recorded by {known_on}: the first record is of {first}")
        writing = Writing(say, HOUSE_ZONE)
        instants = {"known_on": instant_text(asked.known_on), "first": instant_text(first)}
        if say.language != "en":  # in English as RFC 3339, for programs too
            instants = {name: writing.long(instant, seconds=True) for name, instant in instants.items()}
        shown = sentence.format(**instants)
        print(f"verbale: {shown}", file=sys.stderr)


@contextmanager
def progress(what: str, total: int | None, *, count: bool = False) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, only where that is a terminal; the function given sets how far we are."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # only a terminal needs them
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = [TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()]
    if count:
        columns.insert(2, MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)
