"""A help desk's own export, one row for each incident, read as a mapping file describes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from adapters.imports.csv_table import Quarantined, read_table
from adapters.imports.mapping import FileTable, ShownInstant, TimeTable, parse_mapping, read_mapping, shipped
from domain.values import MINUTE, Identifier, Value

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


class ExportRow(NamedTuple):
    """A row of an export: its line, the incident, its instants (None for an empty cell), and what cannot be read."""

    line: int
    incident: str
    instants: dict[str, ShownInstant | None]
    unreadable: dict[str, str]


@dataclass
class Export:
    """An export read: its rows by incident, what could not be read at all, and the instants it has."""

    compared: Sequence[str]
    incidents: dict[str, ExportRow] = field(default_factory=dict)
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
    """Read an export: plain, .gz or .xz. `on_bytes` is called with the bytes read so far. Raises BadTable."""
    columns = mapping.columns.instants
    export = Export(list(columns))
    for read in read_table(
        path,
        "export that the mapping can read (verbale import mapping example reconcile)",
        [mapping.columns.incident, *columns.values()],
        lambda line, row: _export_row(line, row, mapping),
        delimiter=mapping.file.delimiter,
        encoding=mapping.file.encoding,
        on_bytes=on_bytes,
    ):
        if isinstance(read, Quarantined):
            export.quarantined.append(read)
        elif first := export.incidents.get(read.incident):
            reason = f"{read.incident} is on line {first.line} already: only that line is compared"
            export.quarantined.append(Quarantined(read.line, reason, {}))
        else:
            export.incidents[read.incident] = read
    return export


def _export_row(line: int, row: Mapping[str, str], mapping: ExportMapping) -> ExportRow:
    name = row[mapping.columns.incident].strip()
    try:
        _NAME.validate_python(name)
    except ValidationError:
        fault = f"{mapping.columns.incident}: {name or 'an empty field'} is no name of 1 to 200 characters"
        raise ValueError(fault) from None
    instants: dict[str, ShownInstant | None] = {}
    unreadable: dict[str, str] = {}
    for instant, column in mapping.columns.instants.items():
        cell = row[column].strip()
        try:
            instants[instant] = mapping.time.read(cell) if cell else None
        except ValueError as error:
            unreadable[instant] = f"{column}: {error}"
    return ExportRow(line, mapping.prefix + name, instants, unreadable)
