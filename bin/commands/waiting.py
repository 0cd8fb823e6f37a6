"""The command about messages that wait."""

from adapters.inbox.handler import HOUR
from adapters.inbox.messages import Unreadable, read_json
from adapters.reports.report import JsonRow
from adapters.store.ledger import Deferred
from bin.commands.console import Column, Format
from bin.commands.listing import Listing, cell_at, cell_of, cell_of_source
from bin.commands.options import Where, chosen_by, ledger_of
from domain.values import instant_text


def waiting_list(
    *,
    source: str | None = None,
    stream: str | None = None,
    format: Format = "table",
    where: Where | None = None,
) -> None:
    """List the messages that wait for the incident or the contract they belong to, and until when they do.

    After that they are refused, and kept: patience_hours in verbale.toml, VERBALE_PATIENCE_HOURS.

    Parameters
    ----------
    source
        Only messages of this source.
    stream
        Only messages that wait for this stream: incident-ID, contract-ID.
    format
        table, json or csv.
    """
    chosen, say = chosen_by(where)
    with ledger_of(chosen) as ledger:
        rows = [
            _waiting_row(kept, kept.since + chosen.patience_hours * HOUR)
            for kept in ledger.store.all_waiting()
            if source in (None, kept.identity[0]) and stream in (None, kept.stream)
        ]
    columns = [
        Column(say("since"), cell_at("since")),
        Column(say("until"), cell_at("until")),
        Column(say("waits for"), cell_of("stream")),
        Column(say("source"), cell_of_source(say)),
        Column(say("id"), cell_of("id")),
        Column(say("type"), cell_of("type")),
        Column(say("why"), cell_of("reason")),
    ]
    Listing("waiting", say("Waiting messages"), "No message waits.", columns, rows).show(format, say)


def _waiting_row(kept: Deferred, until: int) -> JsonRow:
    source, name = kept.identity
    return {
        "since": instant_text(kept.since),
        "until": instant_text(until),
        "stream": kept.stream,
        "source": source,
        "id": name,
        "type": _type_of(kept.raw),
        "reason": kept.reason,
    }


def _type_of(raw: bytes) -> str | None:
    try:
        document = read_json(raw)
    except Unreadable:  # what waits could be read when it came, by whatever make of this program
        return None
    return str(document.get("type")) if isinstance(document, dict) else None
