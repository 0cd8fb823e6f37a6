"""One set of reporting tables, written and read in terms of its columns.

A value is written and read back as the database keeps it: see `Database.encoder` and `decoder`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from adapters.reports.columns import Column, ColumnKind
from adapters.reports.live_table import Stored, Table, Values
from domain.interval import Interval


class AtMost(NamedTuple):
    """Numbers up to `most`."""

    most: int


Conditions = Mapping[str, Any]
"""Columns and what they hold: a value, None, a list of values, an Interval of instants or an AtMost."""

Codec = Callable[[Any], Any]
MOST_IN_A_LIST = 400


class Database(ABC):
    """What holds sets of reporting tables: how it names them, runs SQL, and keeps values."""

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
    """One set of reporting tables, live or being built."""

    def __init__(self, database: Database, of: str) -> None:
        self._database = database
        self._of = of

    def name(self, table: Table[Any]) -> str:
        """The name of a table in this set."""
        return self._database.name(self._of, table)

    def read(self, table: Table[Any], where: Conditions | None = None, order: str = "") -> Iterator[Values]:
        """The rows that meet every condition."""
        return self.pick(table, table.names, where, order)

    def rows(self, table: Table[Any], where: Conditions | None = None, order: str = "") -> Iterator[Stored]:
        """The rows that meet every condition, by the names of their columns."""
        return (dict(zip(table.names, values, strict=True)) for values in self.read(table, where, order))

    def pick(
        self, table: Table[Any], columns: Sequence[str], where: Conditions | None = None, order: str = ""
    ) -> Iterator[Values]:
        """Some columns of the rows that meet every condition."""
        decode = _row_codec(tuple(self._database.decoder(_column(table, name).kind) for name in columns))
        for condition, parameters in self._conditions(table, where or {}):
            ordered = f" ORDER BY {order}" if order else ""
            sql = f"SELECT {', '.join(columns)} FROM {self.name(table)}{condition}{ordered}"
            rows = self._database.run(sql, parameters)
            yield from map(decode, rows) if decode else rows

    def values(self, table: Table[Any], column: str, where: Conditions | None = None) -> list[Any]:
        """The distinct values of one column in the rows that meet every condition."""
        found: list[Any] = []
        decode = self._database.decoder(_column(table, column).kind)
        for condition, parameters in self._conditions(table, where or {}):
            rows = self._database.run(f"SELECT DISTINCT {column} FROM {self.name(table)}{condition}", parameters)
            found += [decode(value) if decode and value is not None else value for (value,) in rows]
        return list(dict.fromkeys(found))

    def earliest(self, table: Table[Any], column: str, where: Conditions) -> int | None:
        """The least value of one column; None where there is none."""
        return self._first(table, column, where, "ASC")

    def latest(self, table: Table[Any], column: str, where: Conditions) -> int | None:
        """The greatest value of one column; None where there is none."""
        return self._first(table, column, where, "DESC")

    def _first(self, table: Table[Any], column: str, where: Conditions, order: str) -> int | None:
        ((condition, parameters),) = self._conditions(table, where)
        name = self.name(table)
        # As the first row of an index, which both stores find at once: min() over a condition they may not.
        known = f"{condition} AND" if condition else " WHERE"
        rows = self._database.run(
            f"SELECT {column} FROM {name}{known} {column} IS NOT NULL ORDER BY {column} {order} LIMIT 1", parameters
        )
        decode = self._database.decoder(_column(table, column).kind)
        value = rows[0][0] if rows else None
        return decode(value) if decode and value is not None else value

    def totals(self, table: Table[Any], columns: Sequence[str], where: Conditions) -> list[int]:
        """The sum of each of some columns."""
        ((condition, parameters),) = self._conditions(table, where)
        sums = ", ".join(f"coalesce(sum({column}), 0)" for column in columns)
        (found,) = self._database.run(f"SELECT {sums} FROM {self.name(table)}{condition}", parameters)
        return [int(total) for total in found]

    def count(self, table: Table[Any]) -> int:
        """How many rows a table has."""
        return int(self._database.run(f"SELECT count(*) FROM {self.name(table)}")[0][0])

    def write(self, table: Table[Any], rows: Sequence[Values]) -> None:
        """Add rows, or replace those with the same key."""
        if not rows:
            return
        columns = table.names
        marks = ", ".join("?" * len(columns))
        others = [name for name in columns if name not in table.key]
        update = ", ".join(f"{name} = excluded.{name}" for name in others)
        sql = f"INSERT INTO {self.name(table)} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT "
        sql += f"({', '.join(table.key)}) DO " + (f"UPDATE SET {update}" if others else "NOTHING")
        self._database.run_many(sql, self._encoded(table, rows))

    def load(self, table: Table[Any], rows: Iterable[Values]) -> None:
        """Add rows that are known to be new."""
        columns = [column.name for column in table.written]
        self._database.load(self.name(table), columns, self._encoded(table, rows))

    def remove(self, table: Table[Any], where: Conditions) -> None:
        """Take away the rows that meet every condition; nothing for an empty list."""
        for condition, parameters in self._conditions(table, where):
            self._database.run(f"DELETE FROM {self.name(table)}{condition}", parameters)

    def _encoded(self, table: Table[Any], rows: Iterable[Values]) -> Iterable[Sequence[Any]]:
        encode = _row_codec(tuple(self._database.encoder(column.kind) for column in table.written))
        return map(encode, rows) if encode else rows

    def _conditions(self, table: Table[Any], where: Conditions) -> Iterator[tuple[str, list[Any]]]:
        """The condition, with parameters; more than one where a list is too long for one."""
        listed = next((name for name, value in where.items() if isinstance(value, list)), None)
        if listed is None:
            yield self._condition(table, where)
            return
        values = where[listed]
        for start in range(0, len(values), MOST_IN_A_LIST):
            yield self._condition(table, {**where, listed: values[start : start + MOST_IN_A_LIST]})

    def _condition(self, table: Table[Any], where: Conditions) -> tuple[str, list[Any]]:
        terms: list[str] = []
        parameters: list[Any] = []
        for name, value in where.items():
            encode = self._database.encoder(_column(table, name).kind) or _same
            match value:
                case None:
                    terms.append(f"{name} IS NULL")
                case list():
                    term, more = self._database.among(name, [encode(one) for one in value])
                    terms.append(term)
                    parameters += more
                case Interval(start, end):
                    terms.append(f"{name} >= ?")
                    parameters.append(encode(start))
                    if end is not None:
                        terms.append(f"{name} < ?")
                        parameters.append(encode(end))
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
    """Encodes or decodes a whole row; None where no column needs it."""
    changed = [(index, codec) for index, codec in enumerate(codecs) if codec]
    if not changed:
        return None

    def encode(row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for index, codec in changed:
            if values[index] is not None:
                values[index] = codec(values[index])
        return values

    return encode
