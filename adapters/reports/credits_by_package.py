"""Each package of prepaid hours (G2), in minutes: `verbale report credits --by-package`. No live table keeps it."""

from adapters.reports.columns import Column, euro, evidence_in_ranges, instant, integer, text
from adapters.reports.filters import by_contract
from adapters.reports.question import Question
from adapters.reports.replay import Advance, of_contract, replayed
from adapters.reports.report import Definition, Report, check, manifest, picked
from adapters.reports.screen import amount, at, count, plain
from adapters.store.ledger import Ledger
from projections.credit_packages import PackageRow, credit_packages

COLUMNS: tuple[Column[PackageRow], ...] = (
    text("contract", "the contract", lambda row: row.contract),
    text("package", "the name of the package", lambda row: row.package),
    instant("bought_at", "when it was bought", lambda row: row.bought_at),
    instant(
        "expires_at", "when it expires, excluded; none where it never does", lambda row: row.expires_at, optional=True
    ),
    integer("bought", "minutes bought", lambda row: row.bought),
    integer("consumed", "minutes consumed, less what was given back", lambda row: row.consumed),
    integer("refunded", "minutes given back to the customer, which are available no more", lambda row: row.refunded),
    integer("expired", "minutes expired unused", lambda row: row.expired),
    integer("remaining", "minutes available", lambda row: row.left),
    euro("price", "what was paid for it, net of VAT", lambda row: row.price),
    euro("refunded_price", "what of it was given back", lambda row: row.refunded_price),
    *evidence_in_ranges("credits", "contract", lambda row: row.contract, lambda row: row.versions),
)


def credits_by_package(ledger: Ledger, asked: Question, advance: Advance = lambda _: None) -> Report[PackageRow]:
    """Every package bought; `advance` takes how many facts are read. Raises BadQuestion, NotOnRecord, StoreError."""
    check(REPORT, asked)
    found = replayed(ledger, asked, advance)
    rows = picked(REPORT, of_contract(credit_packages(found.replay), asked), found.replay, asked)
    return Report(REPORT, manifest(REPORT.name, ledger, found.replay, asked), rows)


REPORT: Definition[PackageRow] = Definition(
    name="credits_by_package",
    title="Assistance credits by package (G2), minutes",
    columns=COLUMNS,
    screen=(
        plain("contract"),
        plain("package"),
        at("bought_at", "bought at"),
        at("expires_at", "expires"),
        count("bought"),
        count("consumed"),
        count("refunded"),
        count("expired"),
        count("remaining", "left"),
        amount("price", "price, euro"),
        amount("refunded_price", "refunded, euro"),
    ),
    filters=by_contract(lambda row: row.contract),
)
