"""The reference of the reporting tables for consumers, docs/tables.md, made from the tables themselves."""

from typing import Any

from adapters.live_tables.column_types import POSTGRES, SQLITE
from adapters.live_tables.schema import PUBLIC
from adapters.reports.columns import Column
from adapters.reports.live_table import Table

TABLES_HEAD = """# Reporting tables

Made by `verbale tables --markdown`; a test keeps it true.

Figures that are always current, for dashboards and spreadsheets. `verbale project` makes the tables and keeps them
within a second of the record; `verbale status` says how far they are. They hold no evidence: `verbale rebuild` makes
them anew from the facts, and gives the same rows.

- In PostgreSQL they are in the schema `reporting_v1` of the store's database (`NAME_reporting_v1` where the evidence is
  in schema `NAME`). Every table and column carries its meaning as a comment. The role `verbale_reader` (`NAME_reader`)
  may read them, and nothing else.
- In SQLite they are in a file of their own, `verbale.reporting.db` beside `verbale.db`.

## How to read them

- Every row says from which `ledger` it comes, so that the tables of several ledgers can be put together.
- `ledgers` says how current all of it is. Rows are what the facts up to `position` mean as of `as_of_at`. But by a new
  fact, nothing at all changes before `next_change_at`. Time alone changes a row at its `changes_at`; a fact that was
  recorded a few minutes ahead of its date may change rows of its contract when that comes, a little sooner.
- Instants are UTC, to the microsecond. In SQLite they are text, `2026-03-02T08:00:00.000000Z`, which sorts as time.
- A column of a report has the same name here as in CSV, and in JSON, where "." stands for the first "_" or two. What is
  exact stands beside it: add up whole cents (`*_cents`), not euro; working microseconds (`*_us`), not hours, which are
  rounded; compare shares by `*_numerator` and `*_denominator`, not by their text ("1/10"). Credits are minutes. Never
  average ratios: add up `breaches` and `cases`.
- A clock that still runs (`*_state` = `running`) had counted `*_net_us` by `*_counted_at`; what it has counted since is
  the working time since, which `verbale report compliance` and `verbale explain` add.
- In SQLite truth is 0 or 1, lists are JSON text.
- The maximum penalty is a ceiling, never the amount owed.

A question that needs more than one statement is asked of one moment: in SQLite within `BEGIN` ... `COMMIT`; in
PostgreSQL so, because a rebuild swaps the tables: with the locks taken first, what is read is one set of tables, whole.
Name the tables in the order of this page, `ledgers` first: a rebuild locks them so, and nobody waits for ever.

```sql
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
LOCK TABLE reporting_v1.ledgers, reporting_v1.windows, reporting_v1.penalties IN ACCESS SHARE MODE; -- in this order
SELECT ...
```

## What may change

Within `reporting_v1`: tables and columns may be added, and the wording of `findings` may improve. No table or column is
renamed, removed, given another type, another unit or another meaning, and no key changes: that would be `reporting_v2`,
beside `reporting_v1` for at least a year. The order of rows and of columns is no promise: name the columns. Tables not
described here serve the projection and may change any time. A rebuild replaces the tables themselves. In PostgreSQL
keep views in a schema of your own, and expect `rebuild` to say which of them are to be made again: until then the old
tables stay for them. In SQLite views go on with the new tables.
"""


def table_reference() -> str:
    """The whole reference of the reporting tables, in Markdown."""
    return "\n".join([TABLES_HEAD, *(_table_section(table) for table in PUBLIC)])


def _table_section(table: Table[Any]) -> str:
    heads = ["| column | PostgreSQL | SQLite | may be null | meaning |", "| --- | --- | --- | --- | --- |"]
    rows = [_column_row(column, key=column.name in table.key) for column in table.columns]
    key = ", ".join(f"`{name}`" for name in table.key)
    return "\n".join([f"## `{table.name}`\n", f"{table.meaning}\n", f"Key: {key}.\n", *heads, *rows, ""])


def _column_row(column: Column[Any], *, key: bool) -> str:
    name = f"**`{column.name}`**" if key else f"`{column.name}`"
    server, file = POSTGRES[column.kind].partition(" COLLATE")[0], SQLITE[column.kind]
    optional = "yes" if column.optional else "no"
    return f"| {name} | {server} | {file} | {optional} | {column.meaning} |"
