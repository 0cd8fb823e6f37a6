"""The maximum one-off penalty of each contract (P2): a ceiling, never the amount owed."""

from decimal import Decimal
from fractions import Fraction

from adapters.reports.columns import (
    EVENTUAL,
    Column,
    JsonRow,
    euro,
    evidence,
    flag,
    instant,
    integers,
    share,
    text,
)
from adapters.reports.filters import by_contract
from adapters.reports.live_table import LEDGER, READING, Stored, Table, amount_of, kept, share_of
from adapters.reports.live_tables_protocol import LiveTables
from adapters.reports.penalty_notes import penalty_notes
from adapters.reports.replay import Replayed, of_contract
from adapters.reports.report import Definition, Report
from adapters.reports.screen import ScreenColumn, amount, passing, plain, settled
from adapters.reports.wording import Writing
from domain.interval import Interval
from domain.terms import PenaltyClause
from projections.breach import breach
from projections.penalty import PenaltyRow, penalty
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


COLUMNS: tuple[Column[PenaltyRow], ...] = (
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
    euro("base", "the prices of the hours purchased that count", lambda row: row.base),
    share("rate", "the rate that the reading chooses", lambda row: row.rate),
    euro("maximum_penalty", "rate times base, half up", lambda row: row.maximum_penalty),
    flag("settled", "whether no earlier window may yet change it", lambda row: row.settled),
    euro("claimed", "claimed by the customer", lambda row: row.claimed),
    euro("waived", "waived by the customer", lambda row: row.waived),
    euro("settled_amount", "paid by the supplier", lambda row: row.settled_amount),
    euro("outstanding", "what is left of the maximum; never less than nothing", lambda row: row.outstanding),
    *_conflict("figures"),
    *_conflict("words"),
    *evidence("contract", "contract", lambda row: row.contract, lambda row: list(row.versions)),
    integers(
        "evidence.purchases",
        "the versions of the facts of the stream credits-ID that prove the row",
        lambda row: list(row.purchases),
    ),
)

PENALTIES: Table[PenaltyRow] = Table(
    "penalties",
    "The maximum one-off penalty of each contract (P2): a ceiling, never the amount owed.",
    ("ledger", "reading", "contract"),
    (
        LEDGER,
        READING,
        *kept(COLUMNS),
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
        settled=stored["settled"],
        claimed=amount_of(stored["claimed_cents"]),
        waived=amount_of(stored["waived_cents"]),
        settled_amount=amount_of(stored["settled_amount_cents"]),
        changes_at=stored["changes_at"],
        versions=tuple(stored["evidence_versions"]),
        purchases=tuple(stored["evidence_purchases"]),
    )


def _from_replay(replayed: Replayed) -> list[PenaltyRow]:
    ratios = breach(replayed.replay, replayed.judged())
    return of_contract(penalty(replayed.replay, ratios), replayed.asked)


def _from_live(live: LiveTables) -> list[PenaltyRow]:
    return list(map(row_of, live.rows(PENALTIES, order="contract")))


def _by_the_other_rate(row: JsonRow, writing: Writing) -> str:
    if row["conflict"] is None or row["passed_at"] is None:
        return "-"
    say, others = writing.say, [other for other in row["conflict"].values() if other["rate"] != row["rate"]]
    return ", ".join(f"{say.euro(other['maximum_penalty'])} ({writing.percent(other['rate'])})" for other in others)


def _notes(report: Report[PenaltyRow], writing: Writing) -> list[str]:
    return penalty_notes(report.rows, writing)


REPORT: Definition[PenaltyRow] = Definition(
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
        amount("settled_amount", "paid"),
        amount("outstanding"),
        settled("figure is"),
    ),
    filters={"passed": lambda row, _: row.passing is not None, **by_contract(lambda row: row.contract)},
    notes=_notes,
    from_replay=_from_replay,
    from_live=_from_live,
    tables=(PENALTIES,),
)
