"""A live table: the columns of a report as a store keeps them.

Names are those of the report. What a store keeps exactly, and in whole numbers, stands beside what people read: cents
beside euro, numerator and denominator beside "1/10", microseconds beside hours. The latter are worked out by the store.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any, Generic

from adapters.reports.columns import Column, ColumnKind, R, text

Values = Sequence[Any]
"""A row as written, in order of columns: text, int, bool or None; instants in microseconds UTC; lists as lists."""
Stored = Mapping[str, Any]
"""A row read back, by the names of its columns."""


@dataclass(frozen=True)
class Index:
    """Columns by which rows are found."""

    columns: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Table(Generic[R]):
    """One table, written from rows of one type; `key` identifies a row.

    What is not public serves the projection alone, and may change any time.
    """

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column[R], ...]
    indexes: tuple[Index, ...] = ()
    public: bool = True

    @cached_property
    def written(self) -> tuple[Column[R], ...]:
        """The columns that are written; the others are worked out from these by the store."""
        return tuple(column for column in self.columns if not column.from_columns)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns that are written."""
        return tuple(column.name for column in self.written)

    @cached_property
    def _values(self) -> list[Callable[[R], Any]]:
        # Bound once: a rebuild writes tens of thousands of rows a second.
        return [column.value for column in self.written if column.value is not None]

    def values(self, ledger: str, reading: str, row: R) -> Values:
        """A row as written: `ledger` and `reading`, which every report's table begins with, then its figures."""
        return [ledger, reading, *[value(row) for value in self._values]]


LEDGER: Column[Any] = text("ledger", "the ledger (one log) that the row comes from")
READING: Column[Any] = text("reading", 'the reading of the contract that the row is judged under: "literal"')


def kept(columns: Iterable[Column[R]]) -> tuple[Column[R], ...]:
    """The columns of a report as a table keeps them."""
    return tuple(kept_column for column in columns for kept_column in _kept(column))


def _kept(column: Column[R]) -> Iterator[Column[R]]:
    take, name = column.value, column.name
    if take is None or column.from_columns:
        yield replace(column, place=name)
        return
    match column.kind:
        case ColumnKind.WORKING_TIME:
            yield replace(
                column, place=name, kind=ColumnKind.INTEGER, meaning=f"{column.meaning}, in working microseconds"
            )
            meaning, hours = "the same in hours, rounded: to read, not to add up", f"{name.removesuffix('_us')}_hours"
            yield Column(hours, ColumnKind.HOURS, meaning, optional=True, from_columns=(name,))
        case ColumnKind.EURO:
            cents = f"{name}_cents"
            exact = _of(take, whole_cents)
            yield Column(cents, ColumnKind.INTEGER, f"{column.meaning}, in cents", exact, column.optional)
            yield Column(name, ColumnKind.EURO, "the same in euro", optional=column.optional, from_columns=(cents,))
        case ColumnKind.SHARE:
            above, below = f"{name}_numerator", f"{name}_denominator"
            parts = ((above, "numerator", _numerator), (below, "denominator", _denominator))
            for part, called, of in parts:
                meaning = f"{column.meaning}, as a fraction: its {called}"
                yield Column(part, ColumnKind.INTEGER, meaning, _of(take, of), column.optional)
            meaning = f'{column.meaning}, as text: "1/10"'
            yield Column(name, ColumnKind.SHARE, meaning, optional=column.optional, from_columns=(above, below))
        case _:
            yield replace(column, place=name)


def _of(take: Callable[[R], Any], part: Callable[[Any], int]) -> Callable[[R], Any]:
    """A part of a value; None where there is none."""

    def taken(row: R) -> int | None:
        value = take(row)
        return None if value is None else part(value)

    return taken


def whole_cents(amount: Decimal) -> int:
    """Euro with two places as whole cents."""
    return int(amount.scaleb(2))


def amount_of(cents: int) -> Decimal:
    """Whole cents as euro with two places."""
    return Decimal(cents).scaleb(-2)


def share_of(stored: Stored, name: str) -> Fraction | None:
    """The share that a row read back has under a name."""
    above, below = stored[f"{name}_numerator"], stored[f"{name}_denominator"]
    return None if above is None else Fraction(above, below)


def _numerator(share: Fraction) -> int:
    return share.numerator


def _denominator(share: Fraction) -> int:
    return share.denominator
