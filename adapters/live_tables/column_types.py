"""What each store calls the kinds of columns.

In a module of its own, so that tables can be described without importing a store.
"""

from collections.abc import Mapping

from adapters.reports.columns import ColumnKind

SQLITE: Mapping[ColumnKind, str] = {
    ColumnKind.TEXT: "TEXT",
    ColumnKind.INSTANT: "TEXT",
    ColumnKind.INTEGER: "INTEGER",
    ColumnKind.FLAG: "INTEGER",
    ColumnKind.INTEGERS: "TEXT",
    ColumnKind.JSON: "TEXT",
    ColumnKind.HOURS: "REAL",
    ColumnKind.EURO: "REAL",
    ColumnKind.SHARE: "TEXT",
}
POSTGRES: Mapping[ColumnKind, str] = {
    ColumnKind.TEXT: 'text COLLATE "C"',
    ColumnKind.INSTANT: "timestamptz",
    ColumnKind.INTEGER: "bigint",
    ColumnKind.FLAG: "boolean",
    ColumnKind.INTEGERS: "bigint[]",
    ColumnKind.JSON: "jsonb",
    ColumnKind.HOURS: "numeric",
    ColumnKind.EURO: "numeric",
    ColumnKind.SHARE: 'text COLLATE "C"',
}
