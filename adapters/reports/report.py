"""A report: how it is declared, each in a module of its own, and what it is once made."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from importlib.metadata import version
from typing import Any, Generic, Literal, get_args
from zoneinfo import ZoneInfo

from adapters.errors import BadQuestion, NotOnRecord
from adapters.reports.columns import Column, JsonRow, R, json_row
from adapters.reports.filters import Filter, contracts_of
from adapters.reports.live_table import Table
from adapters.reports.live_tables_protocol import LiveTables
from adapters.reports.question import HOUSE_ZONE, Question
from adapters.reports.replay import Advance, Replayed, replayed
from adapters.reports.screen import ScreenColumn, Section
from adapters.reports.wording import Writing
from adapters.store.ledger import Ledger
from domain import __version__
from domain.values import instant_text
from projections import RULES_VERSION
from projections.replay import Replay

ReportName = Literal["compliance", "breach", "penalty", "credits", "commitments", "systems", "queue"]
"""The reports that both a replay and the live tables give."""
REPLAY, LIVE_TABLES = "replay", "live tables"
"""Where the rows of a report come from."""


PICKS_NOTHING = "Nothing that is asked for."
"""Where options pick rows and none is left: not the same as that there is nothing."""


@dataclass(frozen=True, kw_only=True)
class Definition(Generic[R]):
    """One report as it is declared: its rows, where they come from, its columns, what people read around them.

    `flat`: the columns of CSV, where a cell cannot hold what JSON has. `heading`, `sections`: what stands above the
    rows and how these are parted, where it differs from other reports. `empty`: the sentence where there are no rows.
    `filters`: those it knows; `windowed`: whether one window may be asked for. `tables`: the live tables that keep it;
    `not_kept_live`: columns that no live table has, each with the reason.
    """

    name: str
    title: str
    columns: tuple[Column[R], ...]
    screen: tuple[ScreenColumn, ...]
    empty: str = "Nothing to report."
    flat: tuple[Column[R], ...] = ()
    notes: Callable[["Report[R]", Writing], list[str]] | None = None
    heading: Callable[["Report[R]", Writing], list[str]] | None = None
    sections: Callable[["Report[R]", Writing], Iterable[Section]] | None = None
    from_replay: Callable[[Replayed], Sequence[R]] | None = None
    from_live: Callable[[LiveTables], Sequence[R]] | None = None
    filters: Mapping[str, Filter[R]] = field(default_factory=dict)
    windowed: bool = False
    tables: tuple[Table[Any], ...] = ()
    not_kept_live: Mapping[str, str] = field(default_factory=dict)

    def without_rows(self, *, filtered: bool) -> str:
        """The sentence where there are no rows: what there is none of, or that nothing is picked."""
        return PICKS_NOTHING if filtered else self.empty

    @property
    def csv_columns(self) -> tuple[Column[R], ...]:
        """The columns as CSV has them."""
        return self.flat or self.columns


@dataclass
class Report(Generic[R]):
    """A report made: the manifest says how, so that anybody can make it again; `found` are its rows.

    `about` is what JSON has beside the rows, `subject` what the title names.
    """

    definition: Definition[R]
    manifest: JsonRow
    found: Sequence[R]
    about: JsonRow = field(default_factory=dict)
    subject: str | None = None

    @property
    def name(self) -> str:
        """The name of the report."""
        return self.definition.name

    @cached_property
    def rows(self) -> list[JsonRow]:
        """The rows as JSON has them."""
        return [json_row(self.definition.columns, row) for row in self.found]

    @property
    def zone(self) -> ZoneInfo:
        """Whose clocks its instants are shown by."""
        named = self.about.get("time_zone") or self.manifest.get("time_zone")
        return ZoneInfo(named) if named else HOUSE_ZONE

    def as_json(self) -> JsonRow:
        """The whole report as JSON."""
        return {"manifest": self.manifest, **self.about, "rows": self.rows}


def definition(name: ReportName) -> Definition[Any]:
    """The declaration of a report, imported when it is asked for: no command pays for the others."""
    found: Definition[Any] = import_module(f"adapters.reports.{name}").REPORT
    return found


def manifest(name: str, ledger: Ledger, replay: Replay, asked: Question, made_from: str = REPLAY) -> JsonRow:
    """How a report was made, so that anybody can make it again."""
    contracts = [known.contract for known in replay.signed_contracts if asked.contract in (None, known.contract.id)]
    sources = sorted({contract.signed.terms.source for contract in contracts if contract.signed})
    adopted = {f"{adopted.source} {adopted.source_version}" for contract in contracts for adopted in contract.calendars}
    return {
        "report": name,
        "ledger": ledger.id,
        "made_from": made_from,
        "reading": asked.reading.name,
        "choices": dict(asked.reading),
        "as_of": instant_text(asked.as_of),
        "known_on": instant_text(asked.known_on),
        "contract": asked.contract,
        "window_holding": asked.window_day.isoformat() if asked.window_day else None,
        "filters": asked.filters.as_json(),
        "position": replay.history.position,
        "terms": " and ".join(sources) or "none",
        "calendars": sorted(adopted),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """What the figures depend on: this program, its rules, the holidays library and the time-zone data."""
    return {
        "program": __version__,
        "rules": RULES_VERSION,
        "holidays": version("holidays"),
        "tzdata": version("tzdata"),
    }


def make(name: ReportName, ledger: Ledger, asked: Question, advance: Advance = lambda _: None) -> Report[Any]:
    """Make a report by replaying the recorded facts; `advance` takes how many steps are done.

    Raises BadQuestion, NotOnRecord, StoreError.
    """
    declared = definition(name)
    check(declared, asked)
    found = replayed(ledger, asked, advance)
    assert declared.from_replay is not None
    rows = picked(declared, declared.from_replay(found), found.replay, asked)
    return Report(declared, manifest(name, ledger, found.replay, asked), rows)


def check(declared: Definition[Any], asked: Question) -> None:
    """Raise BadQuestion where a report cannot be asked for so."""
    if asked.window_day is not None and not declared.windowed:
        known = _names(lambda other: other.windowed)
        raise BadQuestion(f"--window {asked.window_day} picks one window: only {known} have windows")
    for option in asked.filters.given:
        if option not in declared.filters:
            raise BadQuestion(f"--{option} picks nothing of the report {declared.name}: it is for {_knowing(option)}")


def _knowing(option: str) -> str:
    return _names(lambda other: option in other.filters)


def _names(of: Callable[[Definition[Any]], bool]) -> str:
    """The reports of some kind, as a sentence names them."""
    *names, last = [name for name in get_args(ReportName) if of(definition(name))]
    return f"{', '.join(names)} and {last}" if names else last


def picked(declared: Definition[R], rows: Sequence[R], replay: Replay, asked: Question) -> Sequence[R]:
    """The rows that every filter picks. Raises NotOnRecord where no contract is of the customer asked about."""
    for option, given in asked.filters.given.items():
        wanted, picks = given, declared.filters[option]
        if option == "customer" and not (wanted := contracts_of(given, replay)):
            raise NotOnRecord(f"no contract has a customer called {given}")
        rows = [row for row in rows if picks(row, wanted)]
    return rows
