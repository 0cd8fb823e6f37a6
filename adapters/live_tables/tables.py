"""Where the reporting tables are: a SQLite file of their own, or a PostgreSQL schema of their own.

There is always at most one live set. A set that is being built stands beside it under other names, and takes over the
names in one transaction; a set that was never finished is dropped by the next building. The evidence is elsewhere, and
nothing here can touch it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, Literal, NamedTuple

from adapters.live_tables.schema import TABLES
from adapters.reports.columns import Column, ColumnKind
from adapters.reports.table import Stored, Table, Values
from adapters.store.ledger import LockedStore, NewerStore, StoreError


class NoTables(StoreError):
    """There are no reporting tables at that place."""


class ForeignTables(StoreError):
    """What is at that place is not ours to write to."""


class BeingBuilt(LockedStore):
    """Another process is building the tables at that place."""


class OutdatedTables(StoreError):
    """The tables at that place are not those of this log and this program: they have to be built anew."""


class Between(NamedTuple):
    """Instants from `start` to before `end`, in microseconds UTC."""

    start: int
    end: int


class AtMost(NamedTuple):
    """Numbers up to `most`."""

    most: int


Where = Mapping[str, Any]
"""Columns and what they hold: a value, None, a list of values, a Between or an AtMost."""

Codec = Callable[[Any], Any]
LIVE, NEXT = "live", "next"
MOST_IN_A_LIST = 400


class Reporting(ABC):
    """One place for reporting tables. `live` and `building` are its two sets of tables."""

    place: str
    """For people: where the tables are."""

    mark = "?"

    def __init__(self) -> None:
        self.live = TableSet(self, LIVE)
        self.building = TableSet(self, NEXT)

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Everything done in it is done together, and by nobody else meanwhile."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[None]:
        """Everything read in it is of one moment."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is a live set."""

    @abstractmethod
    def columns(self) -> Mapping[str, set[str]]:
        """The columns of the live tables, by table, as they are."""

    @property
    def fits(self) -> bool:
        """Whether the live tables are such as this program makes. Raises NewerStore where a newer one made them."""
        there, ours = self.columns(), {table.name: {column.name for column in table.columns} for table in TABLES}
        if all(there.get(name, set()) >= columns for name, columns in ours.items()) and there != ours:
            raise NewerStore(f"the tables at {self.place} were made by a newer Verbale: upgrade this one")
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
        """Leave nothing of a set that will not be finished, nor of a place that was made for it."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the connection."""

    @abstractmethod
    def name(self, of: str, table: Table[Any]) -> str:
        """The name of a table of a set, as SQL has it."""

    @abstractmethod
    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement with `?` marks; the rows it gives."""

    @abstractmethod
    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each of many rows."""

    @abstractmethod
    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add many new rows, the fastest way."""

    @abstractmethod
    def encoder(self, kind: ColumnKind) -> Codec | None:
        """How a value is written; None where as it is."""

    @abstractmethod
    def decoder(self, kind: ColumnKind) -> Codec | None:
        """How a value is read back; None where as it is."""

    @abstractmethod
    def among(self, column: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
        """The condition that a column holds one of some values, with its parameters."""


class TableSet:
    """One set of reporting tables, live or being built: rows written and read in terms of the tables' columns."""

    def __init__(self, reporting: Reporting, of: str) -> None:
        self.reporting = reporting
        self._of = of

    def name(self, table: Table[Any]) -> str:
        """The name of a table in this set."""
        return self.reporting.name(self._of, table)

    def read(self, table: Table[Any], where: Where | None = None, order: str = "") -> Iterator[Values]:
        """The rows that meet every condition."""
        return self.pick(table, table.names, where, order)

    def rows(self, table: Table[Any], where: Where | None = None, order: str = "") -> Iterator[Stored]:
        """The rows that meet every condition, by the names of their columns."""
        return (dict(zip(table.names, values, strict=True)) for values in self.read(table, where, order))

    def pick(
        self, table: Table[Any], columns: Sequence[str], where: Where | None = None, order: str = ""
    ) -> Iterator[Values]:
        """Some columns of the rows that meet every condition."""
        decode = _row_codec(tuple(self.reporting.decoder(_column(table, name).kind) for name in columns))
        for condition, parameters in self._conditions(table, where or {}):
            ordered = f" ORDER BY {order}" if order else ""
            sql = f"SELECT {', '.join(columns)} FROM {self.name(table)}{condition}{ordered}"
            rows = self.reporting.run(sql, parameters)
            yield from map(decode, rows) if decode else rows

    def values(self, table: Table[Any], column: str, where: Where | None = None) -> list[Any]:
        """The distinct values of one column in the rows that meet every condition."""
        found: list[Any] = []
        decode = self.reporting.decoder(_column(table, column).kind)
        for condition, parameters in self._conditions(table, where or {}):
            rows = self.reporting.run(f"SELECT DISTINCT {column} FROM {self.name(table)}{condition}", parameters)
            found += [decode(value) if decode and value is not None else value for (value,) in rows]
        return list(dict.fromkeys(found))

    def earliest(self, table: Table[Any], column: str, where: Where) -> int | None:
        """The least value of one column; None where there is none."""
        ((condition, parameters),) = self._conditions(table, where)
        name = self.name(table)
        # As the first row of an index, which both stores find at once: min() over a condition they may not.
        known = f"{condition} AND" if condition else " WHERE"
        rows = self.reporting.run(
            f"SELECT {column} FROM {name}{known} {column} IS NOT NULL ORDER BY {column} LIMIT 1", parameters
        )
        decode = self.reporting.decoder(_column(table, column).kind)
        value = rows[0][0] if rows else None
        return decode(value) if decode and value is not None else value

    def total(self, table: Table[Any], column: str, where: Where) -> int:
        """The sum of one column."""
        ((condition, parameters),) = self._conditions(table, where)
        sql = f"SELECT coalesce(sum({column}), 0) FROM {self.name(table)}{condition}"
        return int(self.reporting.run(sql, parameters)[0][0])

    def count(self, table: Table[Any]) -> int:
        """How many rows a table has."""
        return int(self.reporting.run(f"SELECT count(*) FROM {self.name(table)}")[0][0])

    def write(self, table: Table[Any], rows: Sequence[Values]) -> None:
        """Add rows, or replace those with the same key."""
        if not rows:
            return
        columns = table.names
        marks = ", ".join([self.reporting.mark] * len(columns))
        others = [name for name in columns if name not in table.key]
        update = ", ".join(f"{name} = excluded.{name}" for name in others)
        sql = f"INSERT INTO {self.name(table)} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT "
        sql += f"({', '.join(table.key)}) DO " + (f"UPDATE SET {update}" if others else "NOTHING")
        self.reporting.run_many(sql, self._encoded(table, rows))

    def load(self, table: Table[Any], rows: Iterable[Values]) -> None:
        """Add rows that are known to be new."""
        self.reporting.load(self.name(table), table.names, self._encoded(table, rows))

    def remove(self, table: Table[Any], where: Where) -> None:
        """Take away the rows that meet every condition; nothing for an empty list."""
        for condition, parameters in self._conditions(table, where):
            self.reporting.run(f"DELETE FROM {self.name(table)}{condition}", parameters)

    def _encoded(self, table: Table[Any], rows: Iterable[Values]) -> Iterable[Sequence[Any]]:
        encode = _row_codec(tuple(self.reporting.encoder(column.kind) for column in table.written))
        return map(encode, rows) if encode else rows

    def _conditions(self, table: Table[Any], where: Where) -> Iterator[tuple[str, list[Any]]]:
        """The condition, with parameters; more than one where a list is too long for one."""
        listed = next((name for name, value in where.items() if isinstance(value, list)), None)
        if listed is None:
            yield self._condition(table, where)
            return
        values = where[listed]
        for start in range(0, len(values), MOST_IN_A_LIST):
            yield self._condition(table, {**where, listed: values[start : start + MOST_IN_A_LIST]})

    def _condition(self, table: Table[Any], where: Where) -> tuple[str, list[Any]]:
        terms: list[str] = []
        parameters: list[Any] = []
        for name, value in where.items():
            encode = self.reporting.encoder(_column(table, name).kind) or _same
            match value:
                case None:
                    terms.append(f"{name} IS NULL")
                case list():
                    term, more = self.reporting.among(name, [encode(one) for one in value])
                    terms.append(term)
                    parameters += more
                case Between(start, end):
                    terms.append(f"{name} >= ? AND {name} < ?")
                    parameters += [encode(start), encode(end)]
                case AtMost(most):
                    terms.append(f"{name} <= ?")
                    parameters.append(encode(most))
                case _:
                    terms.append(f"{name} = ?")
                    parameters.append(encode(value))
        return (f" WHERE {' AND '.join(terms)}" if terms else ""), parameters


def _same(value: Any) -> Any:
    return value


def _column(table: Table[Any], name: str) -> Column[Any]:
    return next(column for column in table.columns if column.name == name)


@cache
def _row_codec(codecs: tuple[Codec | None, ...]) -> Callable[[Sequence[Any]], list[Any]] | None:
    """What turns a whole row; None where no column needs it."""
    advanced = [(index, codec) for index, codec in enumerate(codecs) if codec]
    if not advanced:
        return None

    def turn(row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for index, codec in advanced:
            if values[index] is not None:
                values[index] = codec(values[index])
        return values

    return turn


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
