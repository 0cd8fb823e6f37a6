"""What a column of a report is: its name, its kind and unit, its meaning, and how its value is taken from a row.

JSON, CSV, the screen and the live tables read this one declaration. A name with dots is a place in JSON
("charge.target_us"); CSV and the live tables join it by "_" ("charge_target_us").
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, cached_property
from typing import Any, Generic, TypeVar

from adapters.reports.ranges import in_ranges
from domain.values import instant_text, share_text

R = TypeVar("R")
W = TypeVar("W")
JsonRow = dict[str, Any]


class ColumnKind(StrEnum):
    """What a column holds, and in which unit.

    An INSTANT is in microseconds UTC, WORKING_TIME in working microseconds, EURO a Decimal with two places, SHARE an
    exact Fraction (or its text). HOURS are shown by a live table beside its microseconds, and by nothing else.
    """

    TEXT = "text"
    INSTANT = "instant"
    INTEGER = "integer"
    FLAG = "flag"
    INTEGERS = "integers"
    JSON = "json"
    WORKING_TIME = "working time"
    EURO = "euro"
    SHARE = "share"
    HOURS = "hours"


@dataclass(frozen=True, eq=False)
class Column(Generic[R]):
    """One column.

    A live table does not write what its store can work out `from_columns` of the same row; `before` is the text that
    then stands before the value of the other column.
    """

    place: str
    kind: ColumnKind
    meaning: str
    value: Callable[[R], Any] | None = None
    optional: bool = False
    from_columns: tuple[str, ...] = ()
    before: str = ""

    @cached_property
    def name(self) -> str:
        """The name in CSV and in live tables."""
        return self.place.replace(".", "_")

    @cached_property
    def path(self) -> tuple[str, ...]:
        """The names that lead to it in JSON."""
        return tuple(self.place.split("."))

    def of(self, row: R) -> Any:
        """Its value in a row; None for a column that only a store knows."""
        return None if self.value is None else self.value(row)

    def json(self, row: R) -> Any:
        """Its value in a row, as JSON has it."""
        value = self.of(row)
        as_json = _AS_JSON.get(self.kind)
        return value if value is None or as_json is None else as_json(value)


def _share(share: Any) -> str:
    # A ratio comes as text, unreduced: 3/30 tells more than 1/10.
    return share if isinstance(share, str) else share_text(share)


_AS_JSON: dict[ColumnKind, Callable[[Any], Any]] = {
    ColumnKind.INSTANT: instant_text,
    ColumnKind.EURO: str,
    ColumnKind.SHARE: _share,
}


def json_row(columns: tuple[Column[R], ...], row: R) -> JsonRow:
    """A row as JSON. A group of which every column may be missing is null where all of them are."""
    made: JsonRow = {}
    for column in columns:
        *groups, last = column.path
        here = made
        for group in groups:
            here = here.setdefault(group, {})
        here[last] = column.json(row)
    for name in _optional_groups(columns):
        if _is_empty(made[name]):
            made[name] = None
    return made


@cache
def _optional_groups(columns: tuple[Column[Any], ...]) -> Sequence[str]:
    groups: dict[str, bool] = {}
    for column in columns:
        if len(column.path) > 1:
            groups[column.path[0]] = groups.get(column.path[0], True) and column.optional
    return [name for name, optional in groups.items() if optional]


def _is_empty(value: Any) -> bool:
    return all(map(_is_empty, value.values())) if isinstance(value, dict) else value is None


def lifted(columns: Iterable[Column[R]], of: Callable[[W], R]) -> tuple[Column[W], ...]:
    """The columns of a row that is part of a larger one: `of` takes it out of that."""
    return tuple(
        Column(c.place, c.kind, c.meaning, _through(c.value, of), c.optional, c.from_columns, c.before) for c in columns
    )


def _through(value: Callable[[R], Any] | None, of: Callable[[W], R]) -> Callable[[W], Any] | None:
    return None if value is None else lambda row: value(of(row))


def replaced(columns: Iterable[Column[R]], *others: Column[R]) -> tuple[Column[R], ...]:
    """The columns, with others in place of those of the same name."""
    by_name = {column.name: column for column in others}
    return tuple(by_name.get(column.name, column) for column in columns)


# --- one function a kind ----------------------------------------------------------------------------------------


def text(place: str, meaning: str, value: Callable[[R], Any] | None = None, *, optional: bool = False) -> Column[R]:
    """A column of text."""
    return Column(place, ColumnKind.TEXT, meaning, value, optional)


def instant(place: str, meaning: str, value: Callable[[R], Any] | None = None, *, optional: bool = False) -> Column[R]:
    """A column of instants, in microseconds UTC."""
    return Column(place, ColumnKind.INSTANT, meaning, value, optional)


def integer(place: str, meaning: str, value: Callable[[R], Any] | None = None, *, optional: bool = False) -> Column[R]:
    """A column of whole numbers; the meaning says of what."""
    return Column(place, ColumnKind.INTEGER, meaning, value, optional)


def flag(place: str, meaning: str, value: Callable[[R], Any] | None = None, *, optional: bool = False) -> Column[R]:
    """A column of yes and no."""
    return Column(place, ColumnKind.FLAG, meaning, value, optional)


def integers(place: str, meaning: str, value: Callable[[R], Any] | None = None) -> Column[R]:
    """A column of lists of whole numbers."""
    return Column(place, ColumnKind.INTEGERS, meaning, value)


def listed(place: str, meaning: str, value: Callable[[R], Any] | None = None) -> Column[R]:
    """A column of lists, or of objects, as JSON has them."""
    return Column(place, ColumnKind.JSON, meaning, value)


def working_time(place: str, meaning: str, value: Callable[[R], Any], *, optional: bool = False) -> Column[R]:
    """A column of working time, in microseconds; its name ends with "_us"."""
    return Column(place, ColumnKind.WORKING_TIME, meaning, value, optional)


def euro(place: str, meaning: str, value: Callable[[R], Any], *, optional: bool = False) -> Column[R]:
    """A column of amounts, in euro with two places."""
    return Column(place, ColumnKind.EURO, meaning, value, optional)


def share(place: str, meaning: str, value: Callable[[R], Any], *, optional: bool = False) -> Column[R]:
    """A column of exact fractions, as "1/10"."""
    return Column(place, ColumnKind.SHARE, meaning, value, optional)


def evidence(stream: str, of: str, name: Callable[[R], Any], versions: Callable[[R], Any]) -> tuple[Column[R], ...]:
    """The stream that proves a row (`stream` is incident, contract or credits), and which of its facts do.

    `of` is the column that holds the stream's id, `name` gives the id.
    """
    of_row: Column[R] = text(
        "evidence.stream", "the stream whose facts prove the row", lambda row: f"{stream}-{name(row)}"
    )
    return (
        replace(of_row, from_columns=(of,), before=f"{stream}-"),
        integers(
            "evidence.versions", f"the versions of the facts of the stream {stream}-ID that prove the row", versions
        ),
    )


def evidence_in_ranges(
    stream: str, of: str, name: Callable[[R], Any], versions: Callable[[R], Sequence[int]]
) -> tuple[Column[R], ...]:
    """As `evidence`, for rows that thousands of facts may prove: the versions are a text of ranges, as "1-3, 7"."""
    of_row, _ = evidence(stream, of, name, versions)
    meaning = f'the versions of the facts of the stream {stream}-ID that prove the row, as ranges: "1-3, 7"'
    return of_row, text("evidence.versions", meaning, lambda row: in_ranges(versions(row)))


EVENTUAL = "when time alone may change the row"
"""The meaning of the column `changes_at` of most tables."""
