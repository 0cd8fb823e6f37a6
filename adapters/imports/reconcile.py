"""Compares a help desk's own export with the record: integrity is not completeness, and only the source knows it all.

What the export has and the record has not, what the record has and the export has not, instants that differ. Where
something is missing here, the messages that were refused or still wait say where it went.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from adapters.imports.csv_table import Quarantined, read_table
from adapters.imports.mapping import FileTable, Shown, TimeTable, parse_mapping, read_mapping, shipped
from adapters.store.ledger import Ledger
from domain.incident_facts import (
    IncidentClosed,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    IncidentTakenInCharge,
    InterventionStarted,
)
from domain.values import MINUTE, Identifier, Value
from projections.as_of import IncidentAsOf

OPENED, CHARGED, STARTED, RESOLVED, CLOSED = INSTANTS = (
    "opened_at", "taken_in_charge_at", "intervention_started_at", "resolved_at", "closed_at"
)  # fmt: skip
"""The instants compared, by the names that an export has for them unless a mapping says otherwise."""

_NAME: TypeAdapter[str] = TypeAdapter(Identifier)


class ExportColumns(Value):
    """The [columns] table: what each is called in the header of the export."""

    incident: str
    opened_at: str
    taken_in_charge_at: str | None = None
    intervention_started_at: str | None = None
    resolved_at: str | None = None
    closed_at: str | None = None

    @property
    def instants(self) -> dict[str, str]:
        """The column of each instant that the export has."""
        columns = {name: getattr(self, name) for name in INSTANTS}
        return {name: column for name, column in columns.items() if column is not None}


class ExportMapping(Value):
    """How an export is read."""

    prefix: Annotated[str, Field(max_length=50, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    file: FileTable = FileTable()
    time: TimeTable = TimeTable()
    columns: ExportColumns


def example() -> str:
    """A commented mapping: the one used where no other is given."""
    return shipped("export")


def export_mapping(path: Path | None) -> ExportMapping:
    """The mapping in a file, or the usual one. Raises BadMapping."""
    shown_by = "verbale import mapping example reconcile"
    if path is None:
        return parse_mapping(example(), "the usual mapping", ExportMapping, shown_by)
    return read_mapping(path, ExportMapping, shown_by)


# --- the export -------------------------------------------------------------------------------------------------


class Exported(NamedTuple):
    """A row of an export: its line, the incident, its instants (None for an empty cell), and what cannot be read."""

    line: int
    incident: str
    instants: dict[str, Shown | None]
    unreadable: dict[str, str]


@dataclass
class Export:
    """An export read: its rows by incident, what could not be read at all, and the instants it has."""

    compared: Sequence[str]
    incidents: dict[str, Exported] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)

    @property
    def span(self) -> tuple[int, int] | None:
        """From its first opening to its last (microseconds UTC, inclusive); None where it has none."""
        openings = [shown for row in self.incidents.values() if (shown := row.instants.get(OPENED))]
        if not openings:
            return None
        ends = (shown.at + (MINUTE - 1 if shown.to_the_minute else 0) for shown in openings)
        return min(shown.at for shown in openings), max(ends)


def read_export(path: Path, mapping: ExportMapping, on_bytes: Callable[[int], None] | None = None) -> Export:
    """Read an export: plain, .gz or .xz. `on_bytes` hears how far into the file we are. Raises BadTable."""
    columns = mapping.columns.instants
    export = Export(list(columns))
    for read in read_table(
        path,
        "export that the mapping can read (verbale import mapping example reconcile)",
        [mapping.columns.incident, *columns.values()],
        lambda line, row: _exported(line, row, mapping),
        delimiter=mapping.file.delimiter,
        encoding=mapping.file.encoding,
        on_bytes=on_bytes,
    ):
        if isinstance(read, Quarantined):
            export.quarantined.append(read)
        elif first := export.incidents.get(read.incident):
            again = f"{read.incident} is on line {first.line} already: only that line is compared"
            export.quarantined.append(Quarantined(read.line, again, {}))
        else:
            export.incidents[read.incident] = read
    return export


def _exported(line: int, row: Mapping[str, str], mapping: ExportMapping) -> Exported:
    name = row[mapping.columns.incident].strip()
    try:
        _NAME.validate_python(name)
    except ValidationError:
        said = f"{mapping.columns.incident}: {name or 'an empty field'} is no name of 1 to 200 characters"
        raise ValueError(said) from None
    instants: dict[str, Shown | None] = {}
    unreadable: dict[str, str] = {}
    for instant, column in mapping.columns.instants.items():
        cell = row[column].strip()
        try:
            instants[instant] = mapping.time.read(cell) if cell else None
        except ValueError as error:
            unreadable[instant] = f"{column}: {error}"
    return Exported(line, mapping.prefix + name, instants, unreadable)


# --- the record -------------------------------------------------------------------------------------------------


class OnRecord(NamedTuple):
    """When something occurred (microseconds UTC), as rectified, and the versions that prove it."""

    at: int
    versions: tuple[int, ...]


def instants_told(told: IncidentAsOf) -> dict[str, OnRecord]:
    """What the record has for the instants of an export.

    The first taking in charge and intervention, as the clocks have it; the last resolution and closing, unless the
    incident was reopened since.
    """
    found: dict[str, OnRecord] = {}
    for version in told.facts:
        here = OnRecord(version.fact.at, version.versions)
        match version.fact:
            case IncidentOpened():
                found.setdefault(OPENED, here)
            case IncidentTakenInCharge():
                found.setdefault(CHARGED, here)
            case InterventionStarted():
                found.setdefault(STARTED, here)
            case IncidentResolved():
                found[RESOLVED] = here
            case IncidentClosed():
                found[CLOSED] = here
            case IncidentReopened():
                found.pop(RESOLVED, None)
                found.pop(CLOSED, None)
    return found


def told_by(ledger: Ledger, source: str, incident: str) -> bool:
    """Whether a source opened an incident."""
    openings = (s for s in ledger.sealed(f"incident-{incident}") if isinstance(s.entry.fact, IncidentOpened))
    return any(sealed.origin.source == source for sealed in openings)


def whereabouts(ledger: Ledger, incidents: Iterable[str]) -> dict[str, list[str]]:
    """What became of messages about some incidents that added no fact: they wait, or were refused."""
    streams = {f"incident-{incident}": incident for incident in incidents}
    found: dict[str, list[str]] = defaultdict(list)
    for kept in ledger.store.waiting_for(list(streams)):
        found[streams[kept.stream]].append(f"waits: {_verb(kept.raw)} ({kept.reason})")
    for row in ledger.store.refused():
        message = row.message
        if incident := streams.get(_attribute(message.raw, "subject")):
            found[incident].append(f"refused: {_verb(message.raw)} [{message.clause}] {message.reason}")
    return found


def _verb(raw: bytes) -> str:
    return _attribute(raw, "type").removeprefix("verbale.incident.").removesuffix(".v1")


def _attribute(raw: bytes, name: str) -> str:
    """An attribute of a message, which may be no message at all."""
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    value = message.get(name) if isinstance(message, dict) else None
    return value if isinstance(value, str) else ""


# --- the comparison ---------------------------------------------------------------------------------------------


class Found(StrEnum):
    """How export and record disagree."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    DIFFERS = "differs"
    UNREADABLE = "unreadable"


class Disagreement(NamedTuple):
    """One thing on which export and record disagree; instants in microseconds UTC.

    `line` is of the export, `versions` are of the incident's stream; `why` says what cannot be read.
    """

    found: Found
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

    `expected` says of an incident that the export does not have whether it should have it. An instant that the export
    shows without seconds is compared to the minute, for which the record's seconds are cut off.
    """
    by_kind: dict[Found, list[Disagreement]] = {kind: [] for kind in Found}
    met = set()
    for told in incidents:
        row = export.incidents.get(told.incident.id)
        if row is not None:
            met.add(row.incident)
            by_kind[Found.DIFFERS] += _differences(row, instants_told(told), within)
        elif expected(told):
            by_kind[Found.MISSING_THERE].append(_missing_there(told))
    for row in export.incidents.values():
        if row.incident not in met:
            shown = row.instants.get(OPENED)
            at = shown.at if shown else None
            by_kind[Found.MISSING_HERE].append(Disagreement(Found.MISSING_HERE, row.incident, row.line, OPENED, at))
        by_kind[Found.UNREADABLE] += [
            Disagreement(Found.UNREADABLE, row.incident, row.line, instant, why=why)
            for instant, why in row.unreadable.items()
        ]
    by_kind[Found.UNREADABLE] += [
        Disagreement(Found.UNREADABLE, None, bad.line, why=bad.reason) for bad in export.quarantined
    ]
    # In order of the export; what it has no line for, by its opening.
    return [one for kind in Found for one in sorted(by_kind[kind], key=lambda one: one.line or one.record or 0)]


def _missing_there(told: IncidentAsOf) -> Disagreement:
    opened = instants_told(told)[OPENED]
    return Disagreement(
        Found.MISSING_THERE, told.incident.id, instant=OPENED, record=opened.at, versions=opened.versions
    )


def _differences(row: Exported, record: Mapping[str, OnRecord], within: int) -> Iterator[Disagreement]:
    for instant, shown in row.instants.items():
        here = record.get(instant)
        difference = None
        if shown is not None and here is not None:
            difference = (here.at // MINUTE * MINUTE if shown.to_the_minute else here.at) - shown.at
        if (shown is None) != (here is None) or abs(difference or 0) > within:
            yield Disagreement(
                Found.DIFFERS,
                row.incident,
                row.line,
                instant,
                shown.at if shown else None,
                here.at if here else None,
                difference,
                here.versions if here else (),
            )
