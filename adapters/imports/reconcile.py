"""Compares a help desk's own export with the record: a valid log may still lack messages, and only the source has all.

What the export has and the record has not, what the record has and the export has not, instants that differ. Where
something is missing here, the messages that were refused or still wait may be the reason.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from adapters.imports.desk_export import CHARGED, CLOSED, OPENED, RESOLVED, STARTED, Export, ExportRow
from adapters.store.ledger import Ledger
from domain.incident_facts import (
    IncidentClosed,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    IncidentTakenInCharge,
    InterventionStarted,
)
from domain.values import MINUTE
from projections.as_of import IncidentAsOf

# --- the record -------------------------------------------------------------------------------------------------


class RecordedInstant(NamedTuple):
    """When something occurred (microseconds UTC), as rectified, and the versions that prove it."""

    at: int
    versions: tuple[int, ...]


def recorded_instants(incident: IncidentAsOf) -> dict[str, RecordedInstant]:
    """What the record has for the instants of an export.

    The first taking in charge and intervention, as the clocks have it; the last resolution and closing, unless the
    incident was reopened since.
    """
    found: dict[str, RecordedInstant] = {}
    for version in incident.facts:
        recorded = RecordedInstant(version.fact.at, version.versions)
        match version.fact:
            case IncidentOpened():
                found.setdefault(OPENED, recorded)
            case IncidentTakenInCharge():
                found.setdefault(CHARGED, recorded)
            case InterventionStarted():
                found.setdefault(STARTED, recorded)
            case IncidentResolved():
                found[RESOLVED] = recorded
            case IncidentClosed():
                found[CLOSED] = recorded
            case IncidentReopened():
                found.pop(RESOLVED, None)
                found.pop(CLOSED, None)
    return found


def opened_by(ledger: Ledger, source: str, incident: str) -> bool:
    """Whether a source opened an incident."""
    openings = (s for s in ledger.sealed(f"incident-{incident}") if isinstance(s.entry.fact, IncidentOpened))
    return any(sealed.origin.source == source for sealed in openings)


def unrecorded_messages(ledger: Ledger, incidents: Iterable[str]) -> dict[str, list[str]]:
    """The messages about some incidents that are not recorded, by incident: they wait, or were refused."""
    streams = {f"incident-{incident}": incident for incident in incidents}
    found: dict[str, list[str]] = defaultdict(list)
    for deferred in ledger.store.waiting_for(list(streams)):
        found[streams[deferred.stream]].append(f"waits: {_verb(deferred.raw)} ({deferred.reason})")
    for row in ledger.store.refused():
        message = row.message
        if incident := streams.get(_attribute(message.raw, "subject")):
            found[incident].append(f"refused: {_verb(message.raw)} [{message.clause}] {message.reason}")
    return found


def _verb(raw: bytes) -> str:
    return _attribute(raw, "type").removeprefix("verbale.incident.").removesuffix(".v1")


def _attribute(raw: bytes, name: str) -> str:
    """An attribute of a message; "" where there is none, or where the bytes are no message."""
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    value = message.get(name) if isinstance(message, dict) else None
    return value if isinstance(value, str) else ""


# --- the comparison ---------------------------------------------------------------------------------------------


class DisagreementKind(StrEnum):
    """How export and record disagree."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    DIFFERS = "differs"
    UNREADABLE = "unreadable"


class Disagreement(NamedTuple):
    """One thing on which export and record disagree; instants in microseconds UTC.

    `line` is in the export, `versions` are of the incident's stream; `why` is the reason why something cannot be read.
    """

    found: DisagreementKind
    incident: str | None
    line: int | None = None
    instant: str | None = None
    export: int | None = None
    record: int | None = None
    difference: int | None = None
    versions: tuple[int, ...] = ()
    why: str = ""


def disagreements(
    export: Export,
    incidents: Iterable[IncidentAsOf],
    within: int,
    expected: Callable[[IncidentAsOf], bool],
) -> list[Disagreement]:
    """Where an export and the incidents on record disagree, by more than `within` microseconds.

    `expected` decides whether the export should have an incident that it does not have. An instant that the export
    shows without seconds is compared to the minute, for which the record's seconds are cut off.
    """
    by_kind: dict[DisagreementKind, list[Disagreement]] = {kind: [] for kind in DisagreementKind}
    compared = set()
    for recorded in incidents:
        row = export.incidents.get(recorded.incident.id)
        if row is not None:
            compared.add(row.incident)
            by_kind[DisagreementKind.DIFFERS] += _differences(row, recorded_instants(recorded), within)
        elif expected(recorded):
            by_kind[DisagreementKind.MISSING_THERE].append(_missing_there(recorded))
    for row in export.incidents.values():
        if row.incident not in compared:
            shown = row.instants.get(OPENED)
            at = shown.at if shown else None
            by_kind[DisagreementKind.MISSING_HERE].append(
                Disagreement(DisagreementKind.MISSING_HERE, row.incident, row.line, OPENED, at)
            )
        by_kind[DisagreementKind.UNREADABLE] += [
            Disagreement(DisagreementKind.UNREADABLE, row.incident, row.line, instant, why=why)
            for instant, why in row.unreadable.items()
        ]
    by_kind[DisagreementKind.UNREADABLE] += [
        Disagreement(DisagreementKind.UNREADABLE, None, bad.line, why=bad.reason) for bad in export.quarantined
    ]
    # In the order of the export; what is not in the export, by its opening.
    return [
        one for kind in DisagreementKind for one in sorted(by_kind[kind], key=lambda one: one.line or one.record or 0)
    ]


def _missing_there(recorded: IncidentAsOf) -> Disagreement:
    opened = recorded_instants(recorded)[OPENED]
    return Disagreement(
        DisagreementKind.MISSING_THERE, recorded.incident.id, instant=OPENED, record=opened.at, versions=opened.versions
    )


def _differences(row: ExportRow, record: Mapping[str, RecordedInstant], within: int) -> Iterator[Disagreement]:
    for instant, shown in row.instants.items():
        recorded = record.get(instant)
        difference = None
        if shown is not None and recorded is not None:
            difference = (recorded.at // MINUTE * MINUTE if shown.to_the_minute else recorded.at) - shown.at
        if (shown is None) != (recorded is None) or abs(difference or 0) > within:
            yield Disagreement(
                DisagreementKind.DIFFERS,
                row.incident,
                row.line,
                instant,
                shown.at if shown else None,
                recorded.at if recorded else None,
                difference,
                recorded.versions if recorded else (),
            )
