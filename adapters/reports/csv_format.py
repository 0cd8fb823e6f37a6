"""A report as CSV: a column for each field, whatever its rows."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from adapters.reports.columns import Column, R


def as_csv(columns: Sequence[Column[R]], rows: Iterable[R]) -> str:
    """Rows under the names of their columns. An object whose fields depend on the row has a column for each of them."""
    cells = [dict(_cells(columns, row)) for row in rows]
    names = dict.fromkeys(name for row in cells for name in row) or [column.name for column in columns]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(names), lineterminator="\n")
    writer.writeheader()
    writer.writerows(cells)
    return text.getvalue()


def _cells(columns: Iterable[Column[R]], row: R) -> Iterator[tuple[str, str]]:
    for column in columns:
        yield from _flat(column.name, column.json(row))


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for inner, of in value.items():
            yield from _flat(f"{name}_{inner}", of)
    else:
        yield name, _cell(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    text = str(value)
    # A spreadsheet would run such a cell as a formula.
    return "'" + text if isinstance(value, str) and text.startswith(("=", "+", "-", "@", "\t")) else text
