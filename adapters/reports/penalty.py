"""The maximum one-off penalty of each contract (P2): a ceiling, never the amount owed."""

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from adapters.reports.breach import told_of_requests
from adapters.reports.columns import (
    EVENTUAL,
    Column,
    JsonRow,
    euro,
    evidence,
    instant,
    integers,
    lifted,
    listed,
    share,
    text,
)
from adapters.reports.filters import by_contract
from adapters.reports.live_table import LEDGER, READING, Stored, Table, amount_of, kept, share_of
from adapters.reports.live_tables_protocol import LiveTables
from adapters.reports.parts import finding_json, finding_of
from adapters.reports.penalty_notes import penalty_notes
from adapters.reports.replay import Replayed, of_contract
from adapters.reports.report import Definition, Report
from adapters.reports.screen import FINDINGS, ScreenColumn, amount, findings, passing, plain
from adapters.reports.statements import (
    statement_json,
    statements_column,
    told,
    told_of_account,
    told_of_contract,
    who_says_so,
)
from adapters.reports.wording import Writing
from domain.interval import Interval
from domain.terms import PenaltyClause
from domain.values import instant_text, read_instant
from projections.breach import WindowStatus, breach, by_window
from projections.penalty import PenaltyRow, TermPassed, penalty
from projections.replay import Replay
from projections.tolerance import Passing


def _conflict(rate: str) -> tuple[Column[PenaltyRow], ...]:
    """One of the two rates of a clause whose figures and words differ; nothing where they agree."""

    def of_clause(row: PenaltyRow) -> Fraction | None:
        if not row.clause.in_conflict:
            return None
        return row.clause.figures if rate == "figures" else row.clause.words

    def maximum(row: PenaltyRow) -> Decimal | None:
        return row.conflict[rate] if row.conflict else None

    where = f"the rate that the contract gives in {rate}, where figures and words differ"
    return (
        share(f"conflict.{rate}.rate", where, of_clause, optional=True),
        euro(f"conflict.{rate}.maximum_penalty", f"the maximum penalty by {where}", maximum, optional=True),
    )


def _term_json(one: TermPassed, rate: Fraction) -> JsonRow:
    return {
        "from": instant_text(one.term.start),
        "to": None if one.term.end is None else instant_text(one.term.end),
        "window_from": instant_text(one.window.start),
        "window_to": None if one.window.end is None else instant_text(one.window.end),
        "passed_at": instant_text(one.passing.at),
        "incident": one.passing.incident,
        "base": str(one.base),
        "maximum_penalty": str(one.maximum_penalty(rate)),
    }


def _term_of(kept_as: JsonRow) -> TermPassed:
    term, window = (
        _interval(kept_as[start], kept_as[end]) for start, end in (("from", "to"), ("window_from", "window_to"))
    )
    passing = Passing(read_instant(kept_as["passed_at"]), kept_as["incident"])
    return TermPassed(term, window, passing, Decimal(kept_as["base"]))


def _interval(start: str, end: str | None) -> Interval:
    return Interval(read_instant(start), None if end is None else read_instant(end))


OF_CONTRACT: tuple[Column[PenaltyRow], ...] = (
    text("contract", "the contract", lambda row: row.contract),
    instant(
        "passed_at",
        "when the tolerance was passed for good; none where it was not",
        lambda row: row.passing.at if row.passing else None,
        optional=True,
    ),
    instant(
        "window_from",
        "the first window that passed",
        lambda row: row.window.start if row.window else None,
        optional=True,
    ),
    text(
        "incident",
        "the incident whose verdict passed it",
        lambda row: row.passing.incident if row.passing else None,
        optional=True,
    ),
    euro(
        "base",
        "the prices of the hours purchased that count; where no window passed, that would count for the last begun",
        lambda row: row.base,
    ),
    share("rate", "the rate that the reading chooses", lambda row: row.rate),
    euro(
        "maximum_penalty",
        "rate times base, half up; none where no window passed",
        lambda row: row.maximum_penalty,
        optional=True,
    ),
    text(
        "status",
        "that of the windows that may decide it: open (the figure if it ended today), provisional or closed",
        lambda row: row.status.value,
    ),
    euro("claimed", "claimed by the customer", lambda row: row.claimed),
    euro("waived", "waived by the customer", lambda row: row.waived),
    euro("paid", "paid by the supplier", lambda row: row.paid),
    euro(
        "outstanding",
        "what is left of the maximum, never less than nothing; none while a window is open",
        lambda row: row.outstanding,
        optional=True,
    ),
    *_conflict("figures"),
    *_conflict("words"),
    listed(
        "terms",
        "under one_off=term, each term in which a window passed: from, to, window_from, window_to, passed_at, "
        "incident, base, maximum_penalty",
        lambda row: [_term_json(one, row.rate) for one in row.terms],
    ),
    listed(
        "findings",
        "what a reader has to know: code, clause, text, versions",
        lambda row: [finding_json(finding) for finding in row.findings],
    ),
    *evidence("contract", "contract", lambda row: row.contract, lambda row: list(row.versions)),
    integers(
        "evidence.purchases",
        "the versions of the facts of the stream credits-ID that prove the row",
        lambda row: list(row.purchases),
    ),
)


class PenaltyWithStatements(NamedTuple):
    """A penalty, and what a party may contest of what it rests on."""

    row: PenaltyRow
    statements: list[JsonRow]


COLUMNS: tuple[Column[PenaltyWithStatements], ...] = (
    *lifted(OF_CONTRACT, lambda found: found.row),
    statements_column("the requests of the window that passed, of the contract and of its credits"),
)

PENALTIES: Table[PenaltyRow] = Table(
    "penalties",
    "The maximum one-off penalty of each contract (P2): a ceiling, never the amount owed.",
    ("ledger", "reading", "contract"),
    (
        LEDGER,
        READING,
        *kept(OF_CONTRACT),
        instant(
            "window_to",
            "the end of that window, excluded",
            lambda row: row.window.end if row.window else None,
            optional=True,
        ),
        instant("changes_at", EVENTUAL, lambda row: row.changes_at, optional=True),
    ),
)


def row_of(stored: Stored) -> PenaltyRow:
    """A row of `penalties` read back."""
    rate = share_of(stored, "rate")
    assert rate is not None
    figures, words = (share_of(stored, f"conflict_{given}_rate") or rate for given in ("figures", "words"))
    start = stored["window_from"]
    return PenaltyRow(
        contract=stored["contract"],
        clause=PenaltyClause.model_construct(figures=figures, words=words),
        rate=rate,
        passing=Passing(stored["passed_at"], stored["incident"]) if stored["passed_at"] is not None else None,
        window=Interval(start, stored["window_to"]) if start is not None else None,
        base=amount_of(stored["base_cents"]),
        status=WindowStatus(stored["status"]),
        claimed=amount_of(stored["claimed_cents"]),
        waived=amount_of(stored["waived_cents"]),
        paid=amount_of(stored["paid_cents"]),
        changes_at=stored["changes_at"],
        versions=tuple(stored["evidence_versions"]),
        purchases=tuple(stored["evidence_purchases"]),
        findings=tuple(map(finding_of, stored["findings"])),
        terms=tuple(map(_term_of, stored["terms"])),
    )


def _from_replay(replayed: Replayed) -> list[PenaltyWithStatements]:
    judged, replay = replayed.judged(), replayed.replay
    inside = by_window(replay, judged)

    def of_requests(row: PenaltyRow) -> list[JsonRow]:
        rows = inside.get((row.contract, row.window.start), ()) if row.window else ()
        return [said for one in rows for said in told(f"incident-{one.incident}", map(statement_json, one.statements))]

    rows = of_contract(penalty(replay, breach(replay, judged)), replayed.asked)
    return [_with_statements(row, of_requests(row), replay) for row in rows]


def _from_live(live: LiveTables) -> list[PenaltyWithStatements]:
    replay = live.replay_with_credits()
    rows = map(row_of, live.rows(PENALTIES, order="contract"))
    return [_with_statements(row, told_of_requests(live, row.contract, row.window), replay) for row in rows]


def _with_statements(row: PenaltyRow, of_requests: list[JsonRow], replay: Replay) -> PenaltyWithStatements:
    contract = replay.contract(row.contract)
    return PenaltyWithStatements(row, [*of_requests, *told_of_contract(contract), *told_of_account(contract)])


def _by_the_other_rate(row: JsonRow, writing: Writing) -> str:
    if row["conflict"] is None or row["passed_at"] is None:
        return "-"
    say, others = writing.say, [other for other in row["conflict"].values() if other["rate"] != row["rate"]]
    return ", ".join(f"{say.euro(other['maximum_penalty'])} ({writing.percent(other['rate'])})" for other in others)


FIGURE_IS = {"open": "if it ended today", "provisional": "status provisional", "closed": "status closed"}
"""What people read of the status of a penalty."""


def _notes(report: Report[PenaltyWithStatements], writing: Writing) -> list[str]:
    return [
        *_by_term(report, writing),
        *penalty_notes(report.rows, writing),
        *_told(report, writing),
        *findings(report.rows, writing, of="contract"),
    ]


def _told(report: Report[PenaltyWithStatements], writing: Writing) -> list[str]:
    """By whom was told what the penalty of each contract rests on."""
    told_by = {row["contract"]: who_says_so(row["statements"], writing) for row in report.rows}
    return [f"{contract}, {writing.say('told')}: {by}" for contract, by in told_by.items() if by]


def _by_term(report: Report[PenaltyWithStatements], writing: Writing) -> list[str]:
    """Where it is due once in each term, what the maximum of a contract is the sum of."""
    say, lines = writing.say, []
    for row in report.rows:
        for one in row["terms"]:
            term = f"{writing.local(one['from'])} - {writing.local(one['to'])}"
            passed = f"{say('passed')} {writing.passing(one['passed_at'])} ({one['incident']})"
            lines.append(f"{row['contract']}, {term}: {passed}, {say.long_euro(one['maximum_penalty'])}")
    return ["", *lines] if lines else []


REPORT: Definition[PenaltyWithStatements] = Definition(
    name="penalty",
    title="Maximum penalty (P2): a ceiling, not the amount owed",
    columns=COLUMNS,
    screen=(
        plain("contract"),
        passing("passed_at", "passed"),
        plain("incident", "by incident"),
        amount("base", "base, euro"),
        ScreenColumn("rate", lambda row, writing: writing.percent(row["rate"]), number=True),
        amount("maximum_penalty", "maximum penalty"),
        ScreenColumn("by the other rate", _by_the_other_rate, number=True),
        amount("claimed"),
        amount("waived"),
        amount("paid"),
        amount("outstanding"),
        ScreenColumn("figure is", lambda row, writing: writing.say(FIGURE_IS[row["status"]])),
        FINDINGS,
    ),
    filters={
        "passed": lambda found, _: found.row.passing is not None,
        **by_contract(lambda found: found.row.contract),
    },
    notes=_notes,
    from_replay=_from_replay,
    from_live=_from_live,
    tables=(PENALTIES,),
    not_kept_live={"statements": "as many as there are such facts: they are in `incidents`, in `statements`"},
)
