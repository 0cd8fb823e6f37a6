"""Requests that no contract takes: what each names, and why that leads nowhere (G2, S1)."""

from dataclasses import dataclass

from domain.incident_facts import IncidentOpened
from domain.routing import Route
from projections.as_of import IncidentAsOf
from projections.replay import Replay


@dataclass(frozen=True, slots=True)
class UnroutedRow:
    """One request that comes under no contract; `versions` are those of its stream that prove it."""

    incident: str
    opened: IncidentOpened
    route: Route
    open: bool
    versions: tuple[int, ...]


def unrouted(replay: Replay) -> list[UnroutedRow]:
    """Every request that no contract takes, in order of opening, then id."""
    found = [_row(incident) for incident in replay.incidents() if incident.contract is None]
    return sorted(found, key=lambda row: (row.opened.at, row.incident))


def _row(incident: IncidentAsOf) -> UnroutedRow:
    return UnroutedRow(incident.incident.id, incident.opened, incident.route, incident.incident.open, incident.versions)
