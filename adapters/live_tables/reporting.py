"""Where the reporting tables are: a SQLite file of their own, or a PostgreSQL schema of their own.

There is always at most one live set. A set that is being built stands beside it under other names, and takes over the
names in one transaction; a set that was never finished is dropped by the next building. The evidence is elsewhere, and
nothing here can touch it.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal

from adapters.live_tables.schema import TABLES
from adapters.live_tables.tables import Database, TableSet
from adapters.reports.columns import Column, ColumnKind
from adapters.store.errors import NewerStore

LIVE, NEXT = "live", "next"


class Reporting(Database):
    """Reporting tables at one location. `live` and `building` are its two sets of tables."""

    location: str
    """For people: where the tables are."""

    def __init__(self) -> None:
        self.live = TableSet(self, LIVE)
        self.building = TableSet(self, NEXT)

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """What is done in it takes effect together, and no other process writes meanwhile."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[None]:
        """All that is read in it is of one moment."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is a live set."""

    @abstractmethod
    def columns(self) -> Mapping[str, set[str]]:
        """The columns of the live tables, by table, as they are."""

    @property
    def fits(self) -> bool:
        """Whether the live tables are those that this program makes. Raises NewerStore where a newer one made them."""
        there, ours = self.columns(), {table.name: {column.name for column in table.columns} for table in TABLES}
        if all(there.get(name, set()) >= columns for name, columns in ours.items()) and there != ours:
            raise NewerStore(f"the tables at {self.location} were made by a newer Verbale: upgrade this one")
        return there == ours

    @abstractmethod
    def alone(self) -> AbstractContextManager[None]:
        """Nobody else builds tables here meanwhile. Raises BeingBuilt where somebody does."""

    @abstractmethod
    def create(self) -> None:
        """Make an empty set beside the live one, without indexes, in place of any that was left unfinished."""

    @abstractmethod
    def index(self, token: str) -> None:
        """Make the indexes of the set being built, which rows are added faster without; `token` names them apart."""

    @abstractmethod
    def analyse(self) -> None:
        """Tell the store what the set being built holds, where it plans by that."""

    @abstractmethod
    def swap(self, token: str) -> None:
        """The set being built takes over the public names, in the transaction that is open; `token` is its own."""

    @abstractmethod
    def discard_retired(self) -> str | None:
        """Drop what a swap left behind; a sentence where something else holds on to it."""

    @abstractmethod
    def abandon(self) -> None:
        """Leave nothing of a set that will not be finished, nor of what was made to hold it."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the connection."""


_WORKED_OUT = {
    ColumnKind.HOURS: "round({} / 3600000000.0, 4)",
    ColumnKind.EURO: "round({} / 100.0, 2)",
    ColumnKind.SHARE: "cast({} AS text) || '/' || cast(nullif({}, 0) AS text)",
}
"""How both stores work out a column from others of its row."""


def table_statements(
    reporting: Reporting, of: str, types: Mapping[ColumnKind, str], keeping: Literal["STORED", "VIRTUAL"]
) -> Iterator[str]:
    """The statements that make a set of empty tables; `keeping`: how the store keeps what it works out itself."""
    for table in TABLES:
        columns = [f"{column.name} {types[column.kind]}{_rule(column, keeping)}" for column in table.columns]
        key = f"PRIMARY KEY ({', '.join(table.key)})"
        yield f"CREATE TABLE {reporting.name(of, table)} ({', '.join([*columns, key])})"


def _rule(column: Column[Any], keeping: str) -> str:
    present = "" if column.optional else " NOT NULL"
    if not column.from_columns:
        return present
    worked_out = _WORKED_OUT.get(column.kind, f"'{column.before}' || {{}}").format(*column.from_columns)
    return f" GENERATED ALWAYS AS ({worked_out}) {keeping}{present}"


def index_statements(reporting: Reporting, of: str, suffix: str = "") -> Iterator[str]:
    """The statements that make the indexes of a set; `suffix` makes their names unique."""
    for table in TABLES:
        for number, index in enumerate(table.indexes):
            columns = ", ".join(index.columns)
            yield f"CREATE INDEX {table.name}_{number}{suffix} ON {reporting.name(of, table)} ({columns})"
