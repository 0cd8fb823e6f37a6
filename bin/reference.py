"""The references, made from what they tell of: docs/messages.md for producers, docs/tables.md for consumers."""

import json
from typing import Any

from adapters.desk import DEFAULT_PATIENCE, HOUR
from adapters.messages import MOST_BYTES, examples, schema
from adapters.reporting_postgres import TYPES as POSTGRES_TYPES
from adapters.reporting_sqlite import TYPES as SQLITE_TYPES
from adapters.tables import PUBLIC, Column, Kind, Table
from domain.catalogue import COMMANDS

HEAD = f"""# Messages

Made by `verbale schema --markdown`; a test keeps it true.

A producer tells Verbale what happened, one message for each fact. A message is a
[CloudEvents 1.0](https://cloudevents.io) JSON object, one on a line where there are many (JSON Lines).

| attribute | meaning |
| --- | --- |
| `specversion` | `"1.0"` |
| `source`, `id` | together the name of the message, for ever. Sent again, it is answered as the first time |
| `type` | the command, below |
| `subject` | the stream: `contract-ID`, `credits-CONTRACT` or `incident-ID` |
| `time` | when the fact occurred: RFC 3339 with an offset, whole microseconds, never more than five minutes ahead |
| `data` | the fields, below; no other field is accepted |
| `actor` | optional: who acted, an identifier and never a name |

CloudEvents' documented extensions (`traceparent`, `tracestate`, `partitionkey`, `sequence`, `sequencetype`,
`recordedtime`) and `datacontenttype`, `dataschema` may be present and are not used. Text is UTF-8; amounts in euro
and shares are text (`"5000.00"`, `"10%"`), never floating numbers; a message has at most {MOST_BYTES:,} bytes.

Order does not matter but for this: what is recorded on an incident waits until the incident is opened, and what is
recorded on a contract or its credits waits until the contract is signed. After {DEFAULT_PATIENCE // HOUR} hours
(`VERBALE_PATIENCE_HOURS`) what still waits is refused, and kept.

Each message gets one outcome:

| outcome | meaning |
| --- | --- |
| done | recorded: stream, version, leaf |
| duplicate | this message, or the same fact, is already recorded; answered as the first time |
| refused | not recorded, and why: clause, field, reason. Kept whole; corrected, it may come again under its id |
| waiting | kept until its incident or contract is recorded, then tried again |

`verbale message check FILE` checks messages without recording them; `verbale schema TYPE` prints the JSON Schema of a
type, `verbale message example TYPE` a complete message.
"""


def message_reference() -> str:
    """The whole reference, in Markdown."""
    return "\n".join([HEAD, *(_section(name) for name in COMMANDS)])


def _section(name: str) -> str:
    shape = schema(name)
    data = shape["properties"]["data"]
    required = set(data.get("required", ()))
    rows = [
        f"| `{field}` | {'yes' if field in required else 'no'} | {_kind(fragment, shape['$defs'])} |"
        for field, fragment in data["properties"].items()
    ]
    table = ["| field of `data` | required | what |", "| --- | --- | --- |", *rows]
    example = json.dumps(examples()[name], ensure_ascii=False, indent=2)
    return "\n".join([f"## `{name}`\n", f"{shape['description']}\n", *table, "", "```json", example, "```", ""])


def _kind(fragment: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in fragment:
        name = fragment["$ref"].rpartition("/")[2]
        choices = definitions[name].get("enum")
        return " or ".join(f"`{choice}`" for choice in choices) if choices else f"{name} (see the schema)"
    if "anyOf" in fragment:
        return " or ".join(_kind(one, definitions) for one in fragment["anyOf"])
    if "const" in fragment:
        return f"`{fragment['const']}`"
    if fragment.get("type") == "array":
        return f"list of {_kind(fragment.get('items', {}), definitions)}"
    kind = str(fragment.get("format") or fragment.get("type") or "any JSON value")
    some = fragment.get("examples")
    return f"{kind}, as `{json.dumps(some[0])}`" if some else kind


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
- Working time is whole microseconds (`*_us`); hours beside it are rounded, to read and not to add up. Money is whole
  cents of a euro (`*_cents`); credits are minutes. Shares are two whole numbers. Never average ratios: add up
  `breaches` and `cases`.
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


def _table_section(table: Table) -> str:
    heads = ["| column | PostgreSQL | SQLite | may be null | meaning |", "| --- | --- | --- | --- | --- |"]
    rows = [_column_row(column, key=column.name in table.key) for column in table.columns]
    key = ", ".join(f"`{name}`" for name in table.key)
    return "\n".join([f"## `{table.name}`\n", f"{table.meaning}\n", f"Key: {key}.\n", *heads, *rows, ""])


def _column_row(column: Column, *, key: bool) -> str:
    name = f"**`{column.name}`**" if key else f"`{column.name}`"
    server, file = POSTGRES_TYPES[column.kind].partition(" COLLATE")[0], SQLITE_TYPES[column.kind]
    optional = "yes" if column.optional or column.kind is Kind.HOURS else "no"
    return f"| {name} | {server} | {file} | {optional} | {column.meaning} |"
