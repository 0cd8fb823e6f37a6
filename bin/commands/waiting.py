"""The command about messages that wait."""

from adapters.inbox.messages import Unreadable, read_json
from adapters.reports.waiting import REPORT as WAITING
from adapters.reports.waiting import waiting_messages
from bin.commands.console import Format, show_listing
from bin.commands.options import Where, chosen_by, ledger_of


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
        Only messages that wait for this stream: incident-ID, contract-ID, or the id alone.
    format
        table, json or csv.
    """
    chosen, say = chosen_by(where)
    with ledger_of(chosen) as ledger:
        wanted = None if stream is None else {stream, f"incident-{stream}", f"contract-{stream}", f"credits-{stream}"}
        waiting = [
            deferred
            for deferred in ledger.store.all_waiting()
            if source in (None, deferred.identity[0]) and (wanted is None or deferred.stream in wanted)
        ]
    messages = waiting_messages(waiting, chosen.patience_hours, _type_of)
    show_listing(WAITING, messages, format, say, filtered=bool(source or stream))


def _type_of(raw: bytes) -> str | None:
    try:
        document = read_json(raw)
    except Unreadable:  # what waits could be read when it came, by whatever make of this program
        return None
    return str(document.get("type")) if isinstance(document, dict) else None
