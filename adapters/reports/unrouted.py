"""Requests that no contract takes, what each names, and why that leads nowhere (G2, S1)."""

from adapters.reports.columns import Column, JsonRow, evidence, flag, instant, listed, text
from adapters.reports.question import Question
from adapters.reports.replay import Advance, replayed
from adapters.reports.report import Definition, Report, manifest
from adapters.reports.screen import ScreenColumn, at, plain, word, yes
from adapters.reports.wording import Writing
from adapters.store.ledger import Ledger
from projections.unrouted import UnroutedRow, unrouted

COLUMNS: tuple[Column[UnroutedRow], ...] = (
    text("incident", "the id of the request", lambda row: row.incident),
    instant("opened_at", "when it came in", lambda row: row.opened.at),
    text("contract", "the contract that it names", lambda row: row.opened.contract, optional=True),
    text("customer", "the customer key that it carries", lambda row: row.opened.customer, optional=True),
    text("system", "the connected system that it affects", lambda row: row.opened.system, optional=True),
    listed("why", "why each of these leads nowhere", lambda row: [why.value for why in row.route.why]),
    listed("rivals", "the contracts that all claim it", lambda row: list(row.route.rivals)),
    text("impact", "high, medium or low", lambda row: row.opened.impact.value),
    text("urgency", "high, medium or low", lambda row: row.opened.urgency.value),
    text("requested_by", "customer, supplier or monitoring", lambda row: row.opened.requested_by.value),
    flag("open", "whether somebody still has to deal with it", lambda row: row.open),
    *evidence("incident", "incident", lambda row: row.incident, lambda row: list(row.versions)),
)


def unrouted_requests(ledger: Ledger, asked: Question, advance: Advance = lambda _: None) -> Report[UnroutedRow]:
    """Every request that no contract takes, and why; `advance` takes how many facts are read. Raises StoreError."""
    found = replayed(ledger, asked, advance)
    # No terms judge what comes under no contract.
    made = {**manifest("unrouted", ledger, found.replay, asked), "terms": "none"}
    return Report(REPORT, made, unrouted(found.replay))


def _why(row: JsonRow, writing: Writing) -> str:
    """Why a request comes under no contract, name by name; and which contracts claim it, where several do."""
    why = "; ".join(writing.say(why) for why in row["why"])
    return f"{why}: {', '.join(row['rivals'])}" if row["rivals"] else why


REPORT = Definition(
    name="unrouted",
    title="Requests that no contract takes (G2, S1)",
    columns=COLUMNS,
    screen=(
        plain("incident"),
        at("opened_at", "opened"),
        plain("contract", "names contract"),
        plain("customer", "customer key"),
        plain("system"),
        ScreenColumn("why", _why),
        ScreenColumn(
            "impact/urgency", lambda row, writing: f"{writing.say(row['impact'])}/{writing.say(row['urgency'])}"
        ),
        word("requested_by", "requested by"),
        yes("open"),
    ),
    empty="Every request comes under a contract.",
)
