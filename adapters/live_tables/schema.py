"""The reporting tables: the tables that hold reports, and the tables that the projector needs.

Each report declares its own tables. Tables are named in the plural of what a row is. One declaration serves the stores'
DDL, PostgreSQL's comments and docs/tables.md.
"""

from typing import Any

from adapters.reports.breach import CASES, WINDOWS
from adapters.reports.columns import instant, integer, listed, text
from adapters.reports.commitments import COMMITMENTS
from adapters.reports.compliance import INCIDENTS
from adapters.reports.credits import CREDITS
from adapters.reports.live_table import LEDGER, READING, Index, Table
from adapters.reports.penalty import PENALTIES
from adapters.reports.queue import QUEUE
from adapters.reports.systems import CONNECTED_SYSTEMS, EFFECTS

SCHEMA_VERSION = 1
"""Of the reporting schema, reporting_v1."""

LEDGERS: Table[Any] = Table(
    "ledgers",
    "How current the tables are: every row of every table is what the facts up to `position` mean as of `as_of_at`.",
    ("ledger",),
    (
        LEDGER,
        integer("position", "the last position of the log that the tables hold"),
        text("leaf_hash", "the leaf hash of the fact at that position, by which the log is known", optional=True),
        instant("as_of_at", "the instant as of which they are judged; rows change later only at their changes_at"),
        instant("recorded_at", "when the fact at that position was recorded", optional=True),
        listed("readings", "the readings that the tables hold"),
        text("rules", "the version of the rules that judged them"),
        integer("generation", "how many times the tables have been built"),
        instant("projected_at", "when they were last written"),
        integer("stopped_at_position", "a position that could not be projected: nothing after it is", optional=True),
        text("stopped_because", "why", optional=True),
        instant("next_change_at", "when time alone will next change any row", optional=True),
    ),
)

TIMERS: Table[Any] = Table(
    "timers",
    "When time alone changes what a stream means.",
    ("stream",),
    (text("stream", "the stream"), integer("at", "microseconds UTC")),
    (Index(("at",)),),
    public=False,
)

DAYS: Table[Any] = Table(
    "days",
    "The verdicts of each day of each window, summed: where the passing of a tolerance is looked for.",
    ("reading", "contract", "window_from", "day"),
    (
        READING,
        text("contract", "the contract"),
        instant("window_from", "the window"),
        integer("day", "days since 1970, UTC"),
        integer("cases", "cases decided"),
        integer("breaches", "breaches"),
        integer("lowest", "the lowest excess after any verdict of the day"),
    ),
    public=False,
)

BUILDER: Table[Any] = Table(
    "builder",
    "Who builds, or built, this set of tables: nobody else goes on with it.",
    ("token",),
    (text("token", "random, made when the building began"),),
    public=False,
)

TABLES: tuple[Table[Any], ...] = (
    LEDGERS,
    INCIDENTS,
    CASES,
    WINDOWS,
    PENALTIES,
    CREDITS,
    COMMITMENTS,
    QUEUE,
    CONNECTED_SYSTEMS,
    EFFECTS,
    TIMERS,
    DAYS,
    BUILDER,
)
"""In the order in which they are locked: who locks several of them names them so, and nobody waits for ever."""
PUBLIC = tuple(table for table in TABLES if table.public)
