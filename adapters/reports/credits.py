"""The prepaid hours of each contract (G2), in minutes."""

from adapters.reports.columns import Column, euro, evidence_in_ranges, instant, integer, listed, text
from adapters.reports.filters import by_contract
from adapters.reports.live_table import LEDGER, READING, Stored, Table, amount_of, kept
from adapters.reports.live_tables_protocol import LiveTables
from adapters.reports.parts import finding_json, finding_of
from adapters.reports.ranges import from_ranges
from adapters.reports.replay import Replayed, of_contract
from adapters.reports.report import Definition, Report
from adapters.reports.screen import FINDINGS, amount, at, count, findings, plain
from adapters.reports.wording import Writing
from projections.credit_balance import CreditRow, credit_balance

COLUMNS: tuple[Column[CreditRow], ...] = (
    text("contract", "the contract", lambda row: row.contract),
    integer("bought", "minutes bought", lambda row: row.bought),
    integer("consumed", "minutes consumed, less what was given back", lambda row: row.consumed),
    integer("expired", "minutes expired unused", lambda row: row.expired),
    # Not "left": that word belongs to SQL, and every question to a table would have to quote it.
    integer("remaining", "minutes available", lambda row: row.left),
    integer("shortfall", "minutes worked that no credits covered", lambda row: row.shortfall),
    integer("refunded", "minutes given back, which are available no more", lambda row: row.refunded),
    euro("value", "the prices of all that was bought, net of VAT", lambda row: row.value),
    euro("refunded_value", "the prices given back, which `value` still has", lambda row: row.refunded_value),
    instant(
        "changes_at",
        "the next expiry, or the date of a fact on record that is dated ahead",
        lambda row: row.changes_at,
        optional=True,
    ),
    listed(
        "findings",
        "what a reader has to know: code, clause, text, versions of the stream credits-ID",
        lambda row: [finding_json(finding) for finding in row.findings],
    ),
    *evidence_in_ranges("credits", "contract", lambda row: row.contract, lambda row: row.versions),
)

CREDITS: Table[CreditRow] = Table(
    "credits",
    "The prepaid hours of each contract (G2).",
    ("ledger", "reading", "contract"),
    (LEDGER, READING, *kept(COLUMNS)),
)


def row_of(stored: Stored) -> CreditRow:
    """A row of `credits` read back."""
    return CreditRow(
        contract=stored["contract"],
        bought=stored["bought"],
        consumed=stored["consumed"],
        expired=stored["expired"],
        left=stored["remaining"],
        shortfall=stored["shortfall"],
        refunded=stored["refunded"],
        value=amount_of(stored["value_cents"]),
        refunded_value=amount_of(stored["refunded_value_cents"]),
        changes_at=stored["changes_at"],
        versions=from_ranges(stored["evidence_versions"]),
        findings=tuple(map(finding_of, stored["findings"])),
    )


def _from_replay(replayed: Replayed) -> list[CreditRow]:
    return of_contract(credit_balance(replayed.replay), replayed.asked)


def _from_live(live: LiveTables) -> list[CreditRow]:
    return list(map(row_of, live.rows(CREDITS, order="contract")))


def _notes(report: Report[CreditRow], writing: Writing) -> list[str]:
    said = findings(report.rows, writing, "contract")
    return ["", *said] if said else []


REPORT: Definition[CreditRow] = Definition(
    name="credits",
    title="Assistance credits (G2), minutes",
    columns=COLUMNS,
    screen=(
        plain("contract"),
        count("bought"),
        count("consumed"),
        count("expired"),
        count("refunded"),
        count("remaining", "left"),
        count("shortfall"),
        amount("value", "value, euro"),
        amount("refunded_value", "refunded, euro"),
        at("changes_at", "next expiry"),
        FINDINGS,
    ),
    notes=_notes,
    filters=by_contract(lambda row: row.contract),
    from_replay=_from_replay,
    from_live=_from_live,
    tables=(CREDITS,),
)
