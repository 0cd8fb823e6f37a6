"""Breach ratio of each window of each contract against its tolerance (P1), and the cases behind it."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from adapters.reports.columns import (
    EVENTUAL,
    Column,
    ColumnKind,
    evidence,
    flag,
    instant,
    integer,
    lifted,
    listed,
    share,
    text,
)
from adapters.reports.filters import by_contract, by_interval
from adapters.reports.live_table import LEDGER, READING, Index, Stored, Table, kept
from adapters.reports.live_tables_protocol import LiveTables
from adapters.reports.question import Question, last_instant_of
from adapters.reports.replay import Replayed, of_contract
from adapters.reports.report import Definition
from adapters.reports.screen import at, count, plain, settled, yes
from adapters.reports.screen import share as shown_share
from domain.interval import Interval
from projections.breach import BreachRow, Count, breach, by_window, cases, late_in
from projections.contracts_known import JudgedIncident
from projections.tolerance import Case, Passing


class WindowRow(NamedTuple):
    """The ratio of one window, with the ids of the incidents that are its breaches."""

    ratio: BreachRow
    late: list[str]


_COLUMNS: tuple[Column[BreachRow], ...] = (
    text("contract", "the contract", lambda row: row.contract),
    instant("window_from", "the beginning of the window", lambda row: row.window.start),
    instant(
        "window_to",
        "the end of the window, excluded; none while the contract has none",
        lambda row: row.window.end,
        optional=True,
    ),
    integer("cases", "n: cases decided", lambda row: row.cases),
    integer("breaches", "b: those in breach for reasons of the supplier", lambda row: row.breaches),
    Column(
        "ratio",
        ColumnKind.SHARE,
        "b/n, unreduced; none where there is no case",
        lambda row: row.ratio,
        optional=True,
        from_columns=("breaches", "cases"),
    ),
    share("tolerance", "the tolerance", lambda row: row.tolerance),
    integer(
        "headroom",
        "how many more breaches the tolerance bears; none when passed",
        lambda row: row.headroom,
        optional=True,
    ),
    integer("undecided", "units that hold a clock not decided yet", lambda row: row.undecided),
    flag(
        "settled",
        "whether the window has ended with nothing undecided; else the figures are provisional",
        lambda row: row.settled,
    ),
    flag("passed", "whether b/n exceeds the tolerance; exactly the tolerance does not", lambda row: row.passed),
    *evidence("contract", "contract", lambda row: row.contract, lambda row: list(row.versions)),
)

COLUMNS: tuple[Column[WindowRow], ...] = (
    *lifted(_COLUMNS, lambda row: row.ratio),
    listed("evidence.late", "the incidents that are its breaches", lambda row: row.late),
)

# --- in the live tables -----------------------------------------------------------------------------------------

WINDOWS: Table[BreachRow] = Table(
    "windows",
    "Breach ratio of each window of each contract against the tolerance (P1). Never average ratios: add up "
    "breaches and cases.",
    ("ledger", "reading", "contract", "window_from"),
    (
        LEDGER,
        READING,
        *kept(_COLUMNS),
        instant(
            "passed_at",
            "the verdict after which it stayed above",
            lambda row: row.passing.at if row.passing else None,
            optional=True,
        ),
        text(
            "passed_by",
            "the incident of that verdict",
            lambda row: row.passing.incident if row.passing else None,
            optional=True,
        ),
        instant("changes_at", EVENTUAL, lambda row: row.changes_at, optional=True),
    ),
)


class CaseRow(NamedTuple):
    """One case with the window that it counts for; `number` tells the cases of one incident apart."""

    contract: str
    window_from: int
    number: int
    case: Case


CASES: Table[CaseRow] = Table(
    "cases",
    "The cases behind the ratios (P1). One row a case: an incident, or each of its clocks, as the reading counts.",
    ("ledger", "reading", "incident", "number"),
    (
        LEDGER,
        READING,
        text("incident", "the id of the request", lambda row: row.case.incident),
        integer("number", "1, or 2 for the second clock where each clock is a case", lambda row: row.number),
        text("contract", "the contract", lambda row: row.contract),
        instant("window_from", "the beginning of the window", lambda row: row.window_from),
        instant("decided_at", "when it became a case", lambda row: row.case.at),
        instant(
            "breach_at",
            "when it became a breach of the supplier; none where it is none",
            lambda row: row.case.breach_at,
            optional=True,
        ),
    ),
    (
        Index(("reading", "contract", "window_from", "decided_at")),
        Index(("reading", "contract", "window_from", "breach_at")),
    ),
)


def cases_of(judged: JudgedIncident) -> Iterator[CaseRow]:
    """The cases that an incident is, in the window it belongs to."""
    if judged.window and judged.row.contract is not None:
        for number, case in enumerate(judged.share.cases, 1):
            yield CaseRow(judged.row.contract, judged.window.start, number, case)


def row_of(stored: Stored) -> BreachRow:
    """A row of `windows` read back."""
    return BreachRow(
        contract=stored["contract"],
        window=Interval(stored["window_from"], stored["window_to"]),
        count=Count(stored["cases"], stored["breaches"], stored["undecided"]),
        tolerance=Fraction(stored["tolerance_numerator"], stored["tolerance_denominator"]),
        settled=stored["settled"],
        passing=Passing(stored["passed_at"], stored["passed_by"]) if stored["passed_at"] is not None else None,
        changes_at=stored["changes_at"],
        versions=tuple(stored["evidence_versions"]),
    )


def case_of(stored: Stored) -> Case:
    """A row of `cases` read back."""
    return Case(stored["incident"], stored["decided_at"], stored["breach_at"])


# --- the report -------------------------------------------------------------------------------------------------


def _from_replay(replayed: Replayed) -> list[WindowRow]:
    judged, replay = replayed.judged(), replayed.replay
    inside = by_window(replay, judged)

    def late(row: BreachRow) -> list[str]:
        incidents = inside.get((row.contract, row.window.start), ())
        return late_in(case for incident in incidents for case in cases(incident, replay.reading))

    return [
        WindowRow(row, late(row))
        for row in of_contract(breach(replay, judged), replayed.asked)
        if _is_asked_for(row.window, replayed.asked)
    ]


def _from_live(live: LiveTables) -> list[WindowRow]:
    def late(row: BreachRow) -> list[str]:
        return late_in(map(case_of, live.rows(CASES, contract=row.contract, window_from=row.window.start)))

    rows = map(row_of, live.rows(WINDOWS, order="contract, window_from"))
    return [WindowRow(row, late(row)) for row in rows if _is_asked_for(row.window, live.asked)]


def _is_asked_for(window: Interval, asked: Question) -> bool:
    return asked.window_day is None or window.holds(last_instant_of(asked.window_day))


REPORT: Definition[WindowRow] = Definition(
    name="breach",
    title="Breach ratio against tolerance (P1)",
    columns=COLUMNS,
    screen=(
        plain("contract"),
        at("window_from", "from"),
        at("window_to", "to"),
        count("ratio", "late/cases"),
        shown_share("ratio", "share", beside="tolerance"),
        shown_share("tolerance", "tolerance", beside="ratio"),
        count("headroom"),
        count("undecided"),
        settled("window is"),
        yes("passed"),
    ),
    filters={
        "passed": lambda row, _: row.ratio.passed,
        **by_contract(lambda row: row.ratio.contract),
        **by_interval(lambda row: row.ratio.window),
    },
    windowed=True,
    from_replay=_from_replay,
    from_live=_from_live,
    tables=(WINDOWS,),
    not_kept_live={
        "evidence_late": "as many as a window has breaches: they are the rows of `cases` with a `breach_at`"
    },
)
