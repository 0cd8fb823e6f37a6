"""Imports a ServiceNow incident log as the messages a producer would have sent as its incidents changed.

The log names no contract: each location is taken to be one, with assumed terms, credits and a calendar.

Importing the same log again, or a longer export of it, adds only what is new: every message has an id made from the row
it comes from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from adapters.imports.contract_file import assumed_terms
from adapters.imports.contract_messages import activate_message, calendar_message, purchase_message, sign_message
from adapters.imports.servicenow_log import CLOSED, NEW, RESOLVED, IncidentLog, LogRow, zone_named
from adapters.inbox.messages import cloud_event
from domain.local_time import local_midnight
from domain.values import instant_text, moment

FROM_LOG = "servicenow:incident-log"
PACKAGE = "imported"


@dataclass(frozen=True)
class Credits:
    """What each contract is taken to have bought: minutes, and their price in euro."""

    minutes: int = 60_000
    price: str = "5000.00"


def log_messages(log: IncidentLog, credits: Credits, time_zone: str = "Europe/Rome") -> Iterator[dict[str, Any]]:
    """The messages of a log: first those that set the contracts up, then each incident's history."""
    yield from contract_set_up(log, credits, time_zone)
    for rows in log.incidents.values():
        yield from incident_messages(rows)


def contract_set_up(log: IncidentLog, credits: Credits, time_zone: str = "Europe/Rome") -> Iterator[dict[str, Any]]:
    """Each location is a contract, in force with credits and calendar from the midnight of its first request."""
    zone = zone_named(time_zone)
    first: dict[str, int] = {}
    for rows in log.incidents.values():
        location, opened_at = rows[0].location, rows[0].opened_at
        first[location] = min(opened_at, first.get(location, opened_at))
    instants = [
        instant for rows in log.incidents.values() for row in rows for instant in (row.opened_at, row.updated_at)
    ]
    years = [moment(instant).astimezone(zone).year for instant in (min(instants), max(instants))] if instants else []
    terms = assumed_terms().model_copy(update={"time_zone": zone.key})
    for location in sorted(first):
        day = moment(first[location]).astimezone(zone).date()
        at = instant_text(local_midnight(zone, day))
        # Their ids come from the contract and the terms alone, not from the day on which the log happens to begin.
        for message, agreed in (
            (sign_message(FROM_LOG, location, at, at, terms), terms.model_dump_json()),
            (activate_message(FROM_LOG, location, at, at), ""),
            (calendar_message(FROM_LOG, location, at, years[0], years[1]), f"{years[0]}-{years[1]}"),
            (purchase_message(FROM_LOG, location, at, PACKAGE, credits.minutes, credits.price), f"{credits}"),
        ):
            digest = sha256(f"{message['type']} {agreed}".encode()).hexdigest()[:16]
            yield {**message, "id": f"{location}:{message['type']}:{digest}"}


def incident_messages(rows: Sequence[LogRow]) -> Iterator[dict[str, Any]]:
    """The history of one incident, from its rows in order."""
    first = rows[0]
    request = {"contract": first.location, "impact": first.impact, "urgency": first.urgency, "requested_by": "customer"}
    yield _message(first, "open", first.opened_at, request)
    charged = started = False
    state: str | None = None
    cause: str | None = None
    assessed = (first.impact, first.urgency)
    for row in rows:
        assessment = (row.impact or assessed[0], row.urgency or assessed[1])
        changes: list[tuple[str, dict[str, Any]]] = []
        if state in (RESOLVED, CLOSED) and row.state not in (RESOLVED, CLOSED):
            changes.append(("reopen", {}))
        if not charged and (row.assigned or row.state != NEW):
            charged = True
            changes.append(("take_in_charge", {}))
        if not started and row.state != NEW:
            started = True
            changes.append(("start_intervention", {}))
        if assessment != assessed:
            changes.append(("reassess", {"impact": assessment[0], "urgency": assessment[1]}))
        if row.cause != cause:
            changes.append(("suspend", {"cause": row.cause}) if row.cause else ("resume", {}))
        if row.state == RESOLVED and state != RESOLVED:
            changes.append(("resolve", {}))
        if row.state == CLOSED and state != CLOSED:
            changes.append(("close", {"reason": "resolved"}))
        for verb, data in changes:
            yield _message(row, verb, row.updated_at, data)
        state, cause, assessed = row.state, row.cause, assessment


def _message(row: LogRow, verb: str, at: int, data: dict[str, Any]) -> dict[str, Any]:
    message_id = f"{row.number}:{row.mod_count}:{instant_text(row.updated_at)}:{row.content}:{verb}"
    return cloud_event(
        "incident",
        row.number,
        verb,
        instant_text(at),
        data,
        source=FROM_LOG,
        message_id=message_id,
        recorded=instant_text(row.updated_at),
    )
