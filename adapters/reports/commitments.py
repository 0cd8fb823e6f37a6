"""What was due under Conduzione (O1) and Manutenzione (M1), period by period, and what was done of it."""

from typing import NamedTuple

from adapters.reports.columns import (
    EVENTUAL,
    Column,
    JsonRow,
    evidence,
    flag,
    instant,
    integer,
    lifted,
    listed,
    text,
)
from adapters.reports.filters import by_contract, by_interval
from adapters.reports.live_table import LEDGER, READING, Stored, Table, kept
from adapters.reports.live_tables_protocol import LiveTables
from adapters.reports.parts import finding_json, finding_of
from adapters.reports.replay import Replayed, of_contract
from adapters.reports.report import Definition, Report
from adapters.reports.screen import FINDINGS, ScreenColumn, at, findings, plain
from adapters.reports.wording import Writing, duration
from domain.periods import Period
from domain.values import MINUTE, instant_text, read_instant
from projections.commitments import CommitmentRow, commitments
from projections.dues import Commitment
from projections.performances import Performance

COLUMNS: tuple[Column[CommitmentRow], ...] = (
    text("contract", "the contract", lambda row: row.contract),
    text("service", "operation (Conduzione) or maintenance (Manutenzione)", lambda row: row.commitment.service.value),
    text("commitment", "hours or reviews of Conduzione, visits of Manutenzione", lambda row: row.commitment.value),
    text("activity", "which activity the visits are of", lambda row: row.activity, optional=True),
    instant(
        "period_from",
        "the beginning of the period",
        lambda row: row.period.start if row.period else None,
        optional=True,
    ),
    instant(
        "period_to",
        "the end of the period, excluded",
        lambda row: row.period.end if row.period else None,
        optional=True,
    ),
    flag(
        "cut_short", "whether the end of the option or of the contract cut the period short", lambda row: row.cut_short
    ),
    text("unit", "what the figures count: minutes for hours, else times", lambda row: row.commitment.unit),
    integer(
        "due",
        "what the option commits to in the period; of one cut short, hours pro rata by its days, no visit or review",
        lambda row: row.due,
    ),
    integer("whole", "what it commits to in a period that is not cut short", lambda row: row.whole),
    integer("done", "what counts for the period", lambda row: row.done),
    integer("open", "still to be done before the period ends", lambda row: row.open),
    integer("missed", "not done when the period ended, nor since", lambda row: row.missed),
    integer("exceeded", "done beyond what was due", lambda row: row.exceeded),
    integer(
        "outside",
        "done on activities that the option does not include, or while none was active",
        lambda row: row.outside,
    ),
    integer("late", "how much of what was done came after the end of the period", lambda row: row.late),
    text("status", "open until the period has ended, then closed", lambda row: row.status),
    listed(
        "deeds",
        "each thing done: at, amount, about (activity or indicators), by, versions, within (whether it counts), "
        "late_us (after the end of the period), infrastructure",
        lambda row: [_performance_json(performance) for performance in row.performances],
    ),
    listed(
        "monitoring",
        "the basic monitoring that the option includes beside the hours",
        lambda row: list(row.monitoring),
    ),
    listed(
        "findings",
        "what a reader has to know: code, clause, text, versions",
        lambda row: [finding_json(finding) for finding in row.findings],
    ),
    *evidence("contract", "contract", lambda row: row.contract, lambda row: list(row.versions)),
)


class NumberedRow(NamedTuple):
    """A row with its place among those of its contract, from 1."""

    number: int
    row: CommitmentRow


COMMITMENTS: Table[NumberedRow] = Table(
    "commitments",
    "What was due under Conduzione (O1) and Manutenzione (M1), and what was done of it. One row a commitment and "
    "period; and one, without a period, for what was done outside every commitment.",
    ("ledger", "reading", "contract", "number"),
    (
        LEDGER,
        READING,
        integer("number", "the place of the row among those of the contract", lambda numbered: numbered.number),
        *lifted(kept(COLUMNS), lambda numbered: numbered.row),
        instant("changes_at", EVENTUAL, lambda numbered: numbered.row.changes_at, optional=True),
    ),
)


def row_of(stored: Stored) -> CommitmentRow:
    """A row of `commitments` read back."""
    start = stored["period_from"]
    return CommitmentRow(
        contract=stored["contract"],
        commitment=Commitment(stored["commitment"]),
        activity=stored["activity"],
        period=None if start is None else Period(start, stored["period_to"], whole=not stored["cut_short"]),
        due=stored["due"],
        whole=stored["whole"],
        performances=tuple(map(_performance_of, stored["deeds"])),
        ended=stored["status"] == "closed",
        monitoring=tuple(stored["monitoring"]),
        findings=tuple(map(finding_of, stored["findings"])),
        changes_at=stored["changes_at"],
        versions=tuple(stored["evidence_versions"]),
    )


def _performance_json(performance: Performance) -> JsonRow:
    fields = {name: list(value) if isinstance(value, tuple) else value for name, value in performance._asdict().items()}
    return {**fields, "at": instant_text(performance.at)}


def _performance_of(kept_as: JsonRow) -> Performance:
    lists = {name: tuple(kept_as[name]) for name in ("about", "by", "versions")}
    return Performance(**{**kept_as, **lists, "at": read_instant(kept_as["at"])})


# --- the report -------------------------------------------------------------------------------------------------


def _from_replay(replayed: Replayed) -> list[CommitmentRow]:
    return of_contract(commitments(replayed.replay), replayed.asked)


def _from_live(live: LiveTables) -> list[CommitmentRow]:
    return list(map(row_of, live.rows(COMMITMENTS, order="contract, number")))


def _commitment(row: JsonRow, writing: Writing) -> str:
    return writing.say(row["commitment"]) + (f": {row['activity']}" if row["activity"] else "")


def _amount(name: str, heading: str) -> ScreenColumn:
    """Hours and minutes, or how many times; "-" for none."""

    def cell(row: JsonRow, _: Writing) -> str:
        if not row[name]:
            return "-"
        return duration(row[name] * MINUTE) if _is_of_hours(row) else str(row[name])

    return ScreenColumn(heading, cell, number=True)


def _is_of_hours(row: JsonRow) -> bool:
    return bool(row["unit"] == "minutes")


def _state_of_period(row: JsonRow, writing: Writing) -> str:
    if row["period_from"] is None:
        return "-"
    overdue = row["missed"] and not _is_of_hours(row)
    # An open period is of another gender than an open request: it has a word of its own.
    state = writing.say("overdue" if overdue else "still open" if row["status"] == "open" else "closed")
    if not row["cut_short"]:
        return state
    whole = duration(row["whole"] * MINUTE) if _is_of_hours(row) else str(row["whole"])
    return f"{state}, {writing.say('cut short')} ({writing.say('whole')}: {whole})"


def _notes(report: Report[CommitmentRow], writing: Writing) -> list[str]:
    rows = report.rows
    return ["", *_monitored(rows, writing), *_late_or_reviewed(rows, writing), *findings(rows, writing, "contract")]


def _monitored(rows: list[JsonRow], writing: Writing) -> list[str]:
    """The basic monitoring of each contract, as its options last gave it."""
    of_options = (row for row in rows if row["commitment"] == "hours" and row["period_from"])
    last, title = {row["contract"]: row["monitoring"] for row in of_options}, writing.say("Basic monitoring (O1)")
    return [f"{title}, {name}: {', '.join(monitored)}" for name, monitored in last.items() if monitored]


def _late_or_reviewed(rows: list[JsonRow], writing: Writing) -> list[str]:
    """The visits and reviews that came late, and by how much; the indicators of every review."""
    say, lines = writing.say, []
    for row in rows:
        for performance in row["deeds"]:
            late = (
                ""
                if performance["late_us"] is None
                else f", {say('late by')} {writing.lateness(performance['late_us'])}"
            )
            indicators = f" ({', '.join(performance['about'])})" if row["commitment"] == "reviews" else ""
            if late or indicators:
                since = f" {say('from')} {writing.local(row['period_from'])}" if row["period_from"] else ""
                of = f"{row['contract']}, {_commitment(row, writing)}{since}"
                lines.append(f"{of}: {writing.local(performance['at'])}{indicators}{late}")
    return lines


REPORT: Definition[CommitmentRow] = Definition(
    name="commitments",
    title="Commitments of Conduzione (O1) and Manutenzione (M1)",
    columns=COLUMNS,
    screen=(
        plain("contract"),
        ScreenColumn("commitment", _commitment),
        at("period_from", "from"),
        at("period_to", "to"),
        _amount("due", "committed"),
        _amount("done", "performed"),
        _amount("open", "still to do"),
        _amount("missed", "missed"),
        _amount("exceeded", "exceeded"),
        _amount("outside", "outside"),
        _amount("late", "late"),
        ScreenColumn("period is", _state_of_period),
        FINDINGS,
    ),
    filters={
        "late": lambda row, _: bool(row.late or row.missed),
        **by_contract(lambda row: row.contract),
        **by_interval(lambda row: row.period),
    },
    notes=_notes,
    from_replay=_from_replay,
    from_live=_from_live,
    tables=(COMMITMENTS,),
)
