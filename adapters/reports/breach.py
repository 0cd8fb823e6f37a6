"""Breach ratio of each window of each contract against its tolerance (P1), and the cases behind it."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from adapters.reports.columns import (
    EVENTUAL,
    Column,
    ColumnKind,
    JsonRow,
    evidence,
    flag,
    instant,
    integer,
    lifted,
    listed,
    share,
    text,
)
from adapters.reports.compliance import INCIDENTS
from adapters.reports.filters import by_contract, by_interval
from adapters.reports.live_table import LEDGER, READING, Index, Stored, Table, kept
from adapters.reports.live_tables_protocol import LiveTables
from adapters.reports.not_recorded import NOTHING_KEPT, NotRecorded, not_recorded
from adapters.reports.parts import finding_json, finding_of, tally_columns
from adapters.reports.question import Question, last_instant_of
from adapters.reports.replay import Replayed, of_contract
from adapters.reports.report import Definition, Report
from adapters.reports.screen import FINDINGS, ScreenColumn, at, count, findings, plain, status
from adapters.reports.screen import share as shown_share
from adapters.reports.statements import statement_json, statements_column, told, told_of_contract, who_says_so
from adapters.reports.wording import Writing
from domain.interval import Interval
from projections.breach import BreachRow, WindowStatus, breach, by_window, late_in
from projections.contracts_known import JudgedIncident
from projections.tally import LEFT_OUT, UNDECIDED, WindowTally, cases
from projections.tolerance import Case, Passing


class WindowRow(NamedTuple):
    """The ratio of one window, the ids of the incidents that are its breaches, and the messages not recorded.

    `left`: the requests recorded under its contract that come under another now, or none. `statements`: what a party
    may contest of its requests, and of the contract. `messages`: how many messages of its contract are not recorded.
    """

    ratio: BreachRow
    late: list[str]
    left: list[str]
    statements: list[JsonRow]
    messages: NotRecorded


_COLUMNS: tuple[Column[BreachRow], ...] = (
    text("contract", "the contract", lambda row: row.contract),
    instant("window_from", "the beginning of the window", lambda row: row.window.start),
    instant(
        "window_to",
        "the end of the window, excluded; none while the contract has none",
        lambda row: row.window.end,
        optional=True,
    ),
    *lifted(tally_columns(), lambda row: row.tally),
    Column(
        "ratio",
        ColumnKind.SHARE,
        "b/n, breaches of cases, unreduced; none where there is no case",
        lambda row: row.ratio,
        optional=True,
        from_columns=("breaches", "cases"),
    ),
    share("tolerance", "the tolerance", lambda row: row.tolerance),
    integer(
        "headroom",
        "how many more cases may be breaches before b/n exceeds the tolerance; none when passed",
        lambda row: row.headroom,
        optional=True,
    ),
    integer("undecided", "units that hold a clock not decided yet", lambda row: row.tally.undecided),
    text("status", "open, provisional (ended, a clock undecided) or closed", lambda row: row.status.value),
    flag("passed", "whether b/n exceeds the tolerance; exactly the tolerance does not", lambda row: row.passed),
    listed(
        "findings",
        "what a reader has to know: code, clause, text, versions",
        lambda row: [finding_json(finding) for finding in row.findings],
    ),
    *evidence("contract", "contract", lambda row: row.contract, lambda row: list(row.versions)),
)

COLUMNS: tuple[Column[WindowRow], ...] = (
    *lifted(_COLUMNS, lambda row: row.ratio),
    listed("evidence.late", "the incidents that are its breaches", lambda row: row.late),
    listed(
        "evidence.left",
        "the requests recorded under the contract that come under another now, or under none",
        lambda row: row.left,
    ),
    statements_column("the window's requests and of the contract"),
    integer(
        "messages.waiting", "messages of the contract that wait, whatever their window", lambda r: r.messages.waiting
    ),
    integer("messages.refused", "messages of the contract that are refused", lambda row: row.messages.refused),
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
        tally=WindowTally(*(stored[name] for name in WindowTally._fields)),
        tolerance=Fraction(stored["tolerance_numerator"], stored["tolerance_denominator"]),
        status=WindowStatus(stored["status"]),
        passing=Passing(stored["passed_at"], stored["passed_by"]) if stored["passed_at"] is not None else None,
        changes_at=stored["changes_at"],
        versions=tuple(stored["evidence_versions"]),
        findings=tuple(map(finding_of, stored["findings"])),
    )


def case_of(stored: Stored) -> Case:
    """A row of `cases` read back."""
    return Case(stored["incident"], stored["decided_at"], stored["breach_at"])


# --- the report -------------------------------------------------------------------------------------------------


def _from_replay(replayed: Replayed) -> list[WindowRow]:
    judged, replay = replayed.judged(), replayed.replay
    inside = by_window(replay, judged)
    contracts = {row.incident: row.contract for row in judged}
    messages = not_recorded(replayed.ledger, contracts.get)

    def whole(row: BreachRow) -> WindowRow:
        incidents = inside.get((row.contract, row.window.start), ())
        late = late_in(case for incident in incidents for case in cases(incident, replay.reading))
        said = [one for i in incidents for one in told(f"incident-{i.incident}", map(statement_json, i.statements))]
        said += told_of_contract(replay.contract(row.contract))
        left = _left(row.contract, ((i.incident, i.contract) for i in judged if i.recorded_under == row.contract))
        return WindowRow(row, late, left, said, messages.get(row.contract, NOTHING_KEPT))

    return [
        whole(row)
        for row in of_contract(breach(replay, judged), replayed.asked)
        if _is_asked_for(row.window, replayed.asked)
    ]


def _from_live(live: LiveTables) -> list[WindowRow]:
    def contract_of(incident: str) -> str | None:
        return next((stored["contract"] for stored in live.rows(INCIDENTS, incident=incident)), None)

    messages = not_recorded(live.ledger, contract_of)

    def whole(row: BreachRow) -> WindowRow:
        window: dict[str, Any] = {"contract": row.contract, "window_from": row.window.start}
        late = late_in(map(case_of, live.rows(CASES, **window)))
        said = told_of_requests(live, row.contract, row.window)
        said += told_of_contract(live.replay.contract(row.contract))
        left = _left(row.contract, live.recorded_under(row.contract))
        return WindowRow(row, late, left, said, messages.get(row.contract, NOTHING_KEPT))

    rows = map(row_of, live.rows(WINDOWS, order="contract, window_from"))
    return [whole(row) for row in rows if _is_asked_for(row.window, live.asked)]


def _left(contract: str, requests: Iterable[tuple[str, str | None]]) -> list[str]:
    """The requests that have left a contract, of those recorded under it: one that leaves its ratio leaves a trace."""
    return sorted(incident for incident, now in requests if now != contract)


def told_of_requests(live: LiveTables, contract: str, window: Interval | None) -> list[JsonRow]:
    """What a party may contest of the requests of one window, in order of opening; nothing where there is none."""
    if window is None:
        return []
    where: dict[str, Any] = {"contract": contract, "window_from": window.start}
    stored = live.rows(INCIDENTS, order="opened_at, incident", **where)
    return [one for row in stored for one in told(f"incident-{row['incident']}", row["statements"])]


LATE_OF_CASES = "late/cases: late for reasons of the supplier, of all cases decided."
NO_CASE = {
    "contract_ended": "contract ended",
    "duplicate": "void as duplicate",
    "withdrawn": "void as withdrawn",
    "undisclosed": "system not disclosed",
    "best_effort": "best effort",
    "running": "running",
    "uncovered": "calendar missing",
}
"""What people read of those who are no case, or none yet."""
HEADROOM = "headroom: how many more may be late within the tolerance; empty where the window is closed or has passed."


def _headroom(row: JsonRow, _: Writing) -> str:
    """Empty where no more breaches can come, or none is borne."""
    return "" if row["status"] == "closed" or row["headroom"] is None else str(row["headroom"])


def _notes(report: Report[WindowRow], writing: Writing) -> list[str]:
    say = writing.say
    lines = ["", say(LATE_OF_CASES), say(HEADROOM)]
    for row in report.rows:
        not_counted = [f"{number} {say(NO_CASE[name])}" for name in LEFT_OUT if (number := row[name])]
        waiting = [f"{number} {say(NO_CASE[name])}" for name in UNDECIDED if (number := row[name])]
        kept = [f"{number} {say('messages ' + name)}" for name, number in row["messages"].items() if number]
        said = who_says_so(row["statements"], writing)
        parts = {
            "come under it no more": row["evidence"]["left"],
            "not counted": not_counted,
            "undecided": waiting,
            "not recorded": kept,
            "told": [said] if said else [],
        }
        if any(parts.values()):
            shown = "; ".join(f"{say(heading)}: {', '.join(items)}" for heading, items in parts.items() if items)
            lines.append(f"{row['contract']}, {writing.local(row['window_from'])}: {shown}")
    return [*lines, *findings(report.rows, writing, of="contract")]


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
        ScreenColumn("headroom", _headroom, number=True),
        count("late", "late, anyone's"),
        count("undecided"),
        status("status", "window is"),
        ScreenColumn("ratio is", lambda row, writing: writing.say("above tolerance" if row["passed"] else "within")),
        FINDINGS,
    ),
    notes=_notes,
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
        "statements": "as many as there are such facts: they are in `incidents`, in `statements`",
        "evidence_left": "they are the rows of `incidents` recorded under the contract and under it no more",
        "messages_waiting": "what is not recorded is no fact: the store knows it",
        "messages_refused": "what is not recorded is no fact: the store knows it",
        "evidence_late": "as many as a window has breaches: they are the rows of `cases` with a `breach_at`",
    },
)
