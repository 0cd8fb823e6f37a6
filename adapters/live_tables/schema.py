"""The reporting tables: what each is, what its columns mean, in which units, and how rows are read and written.

One declaration serves the stores' DDL, PostgreSQL's comments and docs/tables.md. Tables are named in the plural of
what a row is. Names of columns: `*_at` an instant (UTC), `*_us` whole working microseconds, `*_cents` whole cents of a
euro, `*_minutes` minutes of credit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SCHEMA_VERSION = 1
"""Of the reporting schema, reporting_v1."""

Values = Sequence[Any]
"""A row as written, in order of columns: text, int, bool or None; instants in microseconds UTC; lists as lists."""


class ColumnKind(StrEnum):
    """What a column holds, whatever the store calls it."""

    TEXT = "text"
    INSTANT = "instant"
    INTEGER = "integer"
    FLAG = "flag"
    INTEGERS = "integers"
    JSON = "json"
    HOURS = "hours"


@dataclass(frozen=True)
class Column:
    """One column; `hours_of` names the microseconds that a column of hours shows."""

    name: str
    kind: ColumnKind
    meaning: str
    optional: bool = False
    hours_of: str | None = None


@dataclass(frozen=True)
class Index:
    """Columns by which rows are found."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One table; `key` identifies a row. What is not public serves the projection alone, and may change any time."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...] = ()
    public: bool = True

    @property
    def written(self) -> tuple[Column, ...]:
        """The columns that are written; hours are worked out by the store from the microseconds."""
        return tuple(column for column in self.columns if column.kind is not ColumnKind.HOURS)


def _text(name: str, meaning: str, *, optional: bool = False) -> Column:
    return Column(name, ColumnKind.TEXT, meaning, optional)


def _instant(name: str, meaning: str, *, optional: bool = False) -> Column:
    return Column(name, ColumnKind.INSTANT, meaning, optional)


def _integer(name: str, meaning: str, *, optional: bool = False) -> Column:
    return Column(name, ColumnKind.INTEGER, meaning, optional)


def _flag(name: str, meaning: str) -> Column:
    return Column(name, ColumnKind.FLAG, meaning)


def _working(name: str, meaning: str) -> tuple[Column, Column]:
    """Working microseconds, and beside them the hours for people to read."""
    micro = f"{name}_us"
    return (
        Column(micro, ColumnKind.INTEGER, f"{meaning}, in working microseconds", optional=True),
        Column(f"{name}_hours", ColumnKind.HOURS, "the same in hours, rounded: to read, not to add up", True, micro),
    )


LEDGER = _text("ledger", "the ledger (one log) that the row comes from")
READING = _text("reading", 'the reading of the contract that the row is judged under: "literal"')
VERSIONS = "the versions of the facts of {} that prove the row"


def _clock(clock: str, name: str) -> tuple[Column, ...]:
    return (
        *_working(f"{clock}_target", f"{name}: guaranteed time; none for best effort"),
        *_working(f"{clock}_net", f"{name}: what had counted by {clock}_counted_at; none where calendars do not reach"),
        *_working(f"{clock}_suspended", f"{name}: what suspensions had taken by {clock}_counted_at"),
        _instant(
            f"{clock}_counted_at",
            f"{name}: when the clock last started, was suspended or ended; what a running clock counts since then "
            "is the working time since",
            optional=True,
        ),
        _text(f"{clock}_state", f"{name}: running, suspended or ended"),
        _instant(f"{clock}_due_at", f"{name}: when net reaches the target; none while suspended", optional=True),
        _text(f"{clock}_verdict", f"{name}: met, running, breached, void, undecided or best_effort"),
        _instant(f"{clock}_decided_at", f"{name}: when it became met or breached", optional=True),
        _instant(f"{clock}_changes_at", f"{name}: when time alone will change the verdict", optional=True),
        _text(f"{clock}_responsible", f"{name}: to whom a breach of it is due"),
    )


INCIDENTS = Table(
    "incidents",
    "Compliance: each request with both its clocks (A2-A6, G2). One row an incident and reading.",
    ("ledger", "reading", "incident"),
    (
        LEDGER,
        READING,
        _text("incident", "the id of the request"),
        _text("contract", "the contract it comes under, or names though nobody has signed it", optional=True),
        _text("contract_named", "the contract that the request itself names", optional=True),
        _text("customer", "the customer key that the request carries", optional=True),
        _text("system", "the connected system that the request affects (S1)", optional=True),
        _flag("data_centre", "whether data-centre hours apply to it (H2)"),
        _instant("opened_at", "when it came in"),
        _instant("window_from_at", "the beginning of the window (P1) that it belongs to", optional=True),
        _text("coverage", "guaranteed or best_effort (G2)"),
        _text("coverage_reason", "why it is best effort", optional=True),
        _text("coverage_contract", "the signed contract that it comes under", optional=True),
        _integer("priority", "1 (highest) to 5, by the matrix (A2)", optional=True),
        *_clock("charge", "TPC"),
        *_clock("intervention", "TI"),
        _text("responsible", "to whom the breach is due; none where no clock is breached", optional=True),
        _flag("breach", "whether it is in breach for reasons of the supplier"),
        _integer("undecided", "how many units of the ratio it holds undecided"),
        _flag("open", "whether somebody still has to deal with it"),
        Column("findings", ColumnKind.JSON, "what a reader has to know: code, clause, text, versions"),
        Column("versions", ColumnKind.INTEGERS, VERSIONS.format("the stream incident-ID")),
        _instant("changes_at", "when time alone may change the row", optional=True),
    ),
    (
        Index(("reading", "contract", "window_from_at", "changes_at")),
        Index(("contract", "opened_at")),
        Index(("customer",)),
        Index(("system",)),
    ),
)

CASES = Table(
    "cases",
    "The cases behind the ratios (P1). One row a case: an incident, or each of its clocks, as the reading counts.",
    ("ledger", "reading", "incident", "number"),
    (
        LEDGER,
        READING,
        _text("incident", "the id of the request"),
        _integer("number", "1, or 2 for the second clock where each clock is a case"),
        _text("contract", "the contract"),
        _instant("window_from_at", "the beginning of the window"),
        _instant("decided_at", "when it became a case"),
        _instant("breach_at", "when it became a breach of the supplier; none where it is none", optional=True),
    ),
    (
        Index(("reading", "contract", "window_from_at", "decided_at")),
        Index(("reading", "contract", "window_from_at", "breach_at")),
    ),
)

WINDOWS = Table(
    "windows",
    "Breach ratio of each window of each contract against the tolerance (P1). Never average ratios: add up "
    "breaches and cases.",
    ("ledger", "reading", "contract", "window_from_at"),
    (
        LEDGER,
        READING,
        _text("contract", "the contract"),
        _instant("window_from_at", "the beginning of the window"),
        _instant("window_to_at", "the end of the window, excluded; none while the contract has none", optional=True),
        _integer("cases", "n: cases decided"),
        _integer("breaches", "b: those in breach for reasons of the supplier"),
        _integer("undecided", "units that hold a clock not decided yet"),
        _integer("tolerance_numerator", "the tolerance as a fraction: its numerator"),
        _integer("tolerance_denominator", "the tolerance as a fraction: its denominator"),
        _integer("headroom", "how many more breaches the tolerance bears; none when passed", optional=True),
        _flag("passed", "whether b/n exceeds the tolerance; exactly the tolerance does not"),
        _flag("settled", "whether the window has ended with nothing undecided; else the figures are provisional"),
        _instant("passed_at", "the verdict after which it stayed above", optional=True),
        _text("passed_by", "the incident of that verdict", optional=True),
        Column("versions", ColumnKind.INTEGERS, VERSIONS.format("the stream contract-ID")),
        _instant("changes_at", "when time alone may change the row", optional=True),
    ),
)

PENALTIES = Table(
    "penalties",
    "The maximum one-off penalty of each contract (P2): a ceiling, never the amount owed.",
    ("ledger", "reading", "contract"),
    (
        LEDGER,
        READING,
        _text("contract", "the contract"),
        _instant("passed_at", "when the tolerance was passed for good; none where it was not", optional=True),
        _text("passed_by", "the incident whose verdict passed it", optional=True),
        _instant("window_from_at", "the first window that passed", optional=True),
        _instant("window_to_at", "the end of that window, excluded", optional=True),
        _integer("base_cents", "the prices of the hours purchased that count"),
        _integer("rate_numerator", "the rate that the reading chooses, as a fraction: its numerator"),
        _integer("rate_denominator", "the rate that the reading chooses: its denominator"),
        _integer("maximum_penalty_cents", "rate times base, half up"),
        _integer("figures_numerator", "the rate that the contract gives in figures, as a fraction: its numerator"),
        _integer("figures_denominator", "the rate in figures: its denominator"),
        _integer("words_numerator", "the rate that the contract gives in words, as a fraction: its numerator"),
        _integer("words_denominator", "the rate in words: its denominator"),
        _flag("settled", "whether no earlier window may yet change it"),
        _integer("claimed_cents", "claimed by the customer"),
        _integer("waived_cents", "waived by the customer"),
        _integer("settled_cents", "paid by the supplier"),
        _integer("outstanding_cents", "what is left of the maximum; never less than nothing"),
        Column("versions", ColumnKind.INTEGERS, VERSIONS.format("the stream contract-ID")),
        Column("purchases", ColumnKind.INTEGERS, VERSIONS.format("the stream credits-ID")),
        _instant("changes_at", "when time alone may change the row", optional=True),
    ),
)

CREDITS = Table(
    "credits",
    "The prepaid hours of each contract (G2).",
    ("ledger", "reading", "contract"),
    (
        LEDGER,
        READING,
        _text("contract", "the contract"),
        _integer("bought_minutes", "bought"),
        _integer("consumed_minutes", "consumed, less what was given back"),
        _integer("expired_minutes", "expired unused"),
        _integer("left_minutes", "available"),
        _integer("shortfall_minutes", "worked that no credits covered"),
        _integer("value_cents", "the prices of all that was bought, net of VAT"),
        Column("versions", ColumnKind.INTEGERS, VERSIONS.format("the stream credits-ID")),
        _instant("changes_at", "the next expiry, or when a fact dated ahead is told", optional=True),
    ),
)

QUEUE = Table(
    "queue",
    "Open requests (G3). Serve them by tier, then earliest due (none last), priority (none last), age, id.",
    ("ledger", "reading", "incident"),
    (
        LEDGER,
        READING,
        _text("incident", "the id of the request"),
        _text("contract", "the contract", optional=True),
        _integer("tier", "1 guaranteed, 2 best effort under a contract in force, 3 the rest"),
        _text("coverage", "guaranteed or best_effort (G2)"),
        _text("coverage_reason", "why it is best effort", optional=True),
        _text("coverage_contract", "the signed contract that it comes under", optional=True),
        _instant("due_at", "the earliest due instant of its running clocks", optional=True),
        _integer("priority", "1 (highest) to 5", optional=True),
        _instant("opened_at", "when it came in"),
        Column("versions", ColumnKind.INTEGERS, VERSIONS.format("the stream incident-ID")),
        _instant("changes_at", "when time alone may change the row", optional=True),
    ),
)

CONNECTED_SYSTEMS = Table(
    "connected_systems",
    "The connected systems of each contract (S1). One row a system and time for which the customer had it disclosed.",
    ("ledger", "reading", "contract", "system", "declared_at"),
    (
        LEDGER,
        READING,
        _text("contract", "the contract"),
        _text("system", "the system, by the name that requests use"),
        _instant("declared_at", "since when it is disclosed"),
        _instant("withdrawn_at", "until when (excluded) it is disclosed; none while it is", optional=True),
        Column("versions", ColumnKind.INTEGERS, VERSIONS.format("the stream contract-ID")),
        _instant("changes_at", "when a fact dated ahead is told", optional=True),
    ),
)

EFFECTS = Table(
    "effects",
    "Requests that affect a connected system, and whether it was disclosed by then (S1). One row an incident.",
    ("ledger", "reading", "incident"),
    (
        LEDGER,
        READING,
        _text("incident", "the id of the request"),
        _text("contract", "the contract it comes under, or names though nobody has signed it", optional=True),
        _text("system", "the connected system that it affects"),
        _instant("opened_at", "when it came in"),
        Column("disclosed", ColumnKind.FLAG, "whether it was disclosed then; none under no contract", optional=True),
        _instant(
            "declared_at",
            "the beginning of the time of disclosure that it was opened in; else of the last before or first after",
            optional=True,
        ),
        _instant("withdrawn_at", "the end of that time, excluded; none while it has none", optional=True),
        _flag("late", "whether more than a guaranteed time has counted, by whosever fault"),
        _flag("breach", "whether it is in breach for reasons of the supplier"),
        _flag("excluded", "whether the reading makes it no case, because the system was not disclosed"),
        Column("versions", ColumnKind.INTEGERS, VERSIONS.format("the stream incident-ID")),
        Column("declared", ColumnKind.INTEGERS, "the versions of the facts of the stream contract-ID about the system"),
        _instant("changes_at", "when time alone may change the row", optional=True),
    ),
    (Index(("contract", "system", "opened_at")),),
)

COMMITMENTS = Table(
    "commitments",
    "What was due under Conduzione (O1) and Manutenzione (M1), and what was done of it. One row a commitment and "
    "period; and one, without a period, for what was done outside every commitment.",
    ("ledger", "reading", "contract", "number"),
    (
        LEDGER,
        READING,
        _text("contract", "the contract"),
        _integer("number", "the place of the row among those of the contract"),
        _text("service", "operation (Conduzione) or maintenance (Manutenzione)"),
        _text("commitment", "hours or reviews of Conduzione, visits of Manutenzione"),
        _text("activity", "which activity the visits are of", optional=True),
        _instant("from_at", "the beginning of the period", optional=True),
        _instant("to_at", "the end of the period, excluded", optional=True),
        _flag("cut_short", "whether an end cut the period short; nothing is pro-rated"),
        _text("unit", "what the figures count: minutes for hours, else times"),
        _integer("due", "what the option commits to in the period"),
        _integer("done", "what counts for the period"),
        _integer("open", "still to be done before the period ends"),
        _integer("missed", "not done when the period ended, nor since"),
        _integer("exceeded", "done beyond what was due"),
        _integer("outside", "done on activities that the option does not include, or while none was active"),
        _integer("late", "how much of what was done came after the end of the period"),
        _flag("settled", "whether the period has ended; else the figures are provisional"),
        Column("deeds", ColumnKind.JSON, "each thing done: at, amount, about (activity or indicators), by, versions, "
               "within (whether it counts), late_us (after the end of the period), infrastructure"),
        Column("monitoring", ColumnKind.JSON, "the basic monitoring that the option includes beside the hours"),
        Column("findings", ColumnKind.JSON, "what a reader has to know: code, clause, text, versions"),
        Column("versions", ColumnKind.INTEGERS, VERSIONS.format("the stream contract-ID")),
        _instant("changes_at", "when time alone may change the row", optional=True),
    ),
)  # fmt: skip

LEDGERS = Table(
    "ledgers",
    "How current the tables are: every row of every table is what the facts up to `position` mean as of `as_of_at`.",
    ("ledger",),
    (
        LEDGER,
        _integer("position", "the last position of the log that the tables hold"),
        _text("leaf_hash", "the leaf hash of the fact at that position, by which the log is known", optional=True),
        _instant("as_of_at", "the instant as of which they are judged; rows change later only at their changes_at"),
        _instant("recorded_at", "when the fact at that position was recorded", optional=True),
        Column("readings", ColumnKind.JSON, "the readings that the tables hold"),
        _text("rules", "the version of the rules that judged them"),
        _integer("generation", "how many times the tables have been built"),
        _instant("projected_at", "when they were last written"),
        _integer("stopped_at_position", "a position that could not be projected: nothing after it is", optional=True),
        _text("stopped_because", "why", optional=True),
        _instant("next_change_at", "when time alone will next change any row", optional=True),
    ),
)

TIMERS = Table(
    "timers",
    "When time alone changes what a stream means.",
    ("stream",),
    (_text("stream", "the stream"), _integer("at", "microseconds UTC")),
    (Index(("at",)),),
    public=False,
)

DAYS = Table(
    "days",
    "The verdicts of each day of each window, summed: where the passing of a tolerance is looked for.",
    ("reading", "contract", "window_from_at", "day"),
    (
        READING,
        _text("contract", "the contract"),
        _instant("window_from_at", "the window"),
        _integer("day", "days since 1970, UTC"),
        _integer("cases", "cases decided"),
        _integer("breaches", "breaches"),
        _integer("lowest", "the lowest excess after any verdict of the day"),
    ),
    public=False,
)

BUILDER = Table(
    "builder",
    "Who builds, or built, this set of tables: nobody else goes on with it.",
    ("token",),
    (_text("token", "drawn by lot when the building began"),),
    public=False,
)

TABLES = (
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
