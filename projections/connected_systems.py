"""Connected systems: when each was disclosed, and what affects one, disclosed by then or not (S1).

No liability for effects on a system that the customer had not declared. It excuses damage, not lateness: it changes no
clock, unless the reading says so.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domain.contract import Contract
from domain.interval import Interval
from projections.as_of import ContractAsOf, IncidentAsOf
from projections.compliance import ComplianceRow
from projections.replay import Replay


@dataclass(frozen=True, slots=True)
class SystemRow:
    """One connected system of one contract, for one time of disclosure: from its declaration to its withdrawal, if any.

    `changes_at`: the instant of a fact on record that does not count yet. `versions`: those of the contract's facts.
    """

    contract: str
    system: str
    disclosure: Interval
    changes_at: int | None
    versions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EffectRow:
    """One incident that names the system it affects.

    `disclosed` is None where the incident comes under no contract. `disclosure` is the time of disclosure in which it
    was opened; else the last one before, else the first one after. `late`: whether it exceeded a guaranteed time, by
    whosever fault; `breach`: whether the reading counts it as a breach of the supplier; `excluded`: whether the reading
    makes it no case, because the system was not disclosed. `versions` are those of the incident's stream, `declared`
    those of the contract's facts about the system.
    """

    incident: str
    contract: str | None
    system: str
    opened_at: int
    disclosed: bool | None
    disclosure: Interval | None
    late: bool
    breach: bool
    excluded: bool
    versions: tuple[int, ...]
    declared: tuple[int, ...]
    changes_at: int | None = None


def disclosures(contract: Contract, system: str) -> Iterator[Interval]:
    """The times for which a system is disclosed, in order."""
    since: int | None = None
    for at in sorted({fact.at for fact in contract.systems if fact.system == system}):
        declared = contract.declared(system, at)
        if since is None and declared:
            since = at
        elif since is not None and not declared:
            yield Interval(since, at)
            since = None
    if since is not None:
        yield Interval(since, None)


def systems(replay: Replay) -> list[SystemRow]:
    """Every system that a signed contract ever had disclosed; by contract, system, declaration."""
    return [row for contract in replay.signed_contracts for row in systems_of(contract)]


def systems_of(contract: ContractAsOf) -> list[SystemRow]:
    """The systems of one contract, by name, then declaration; none where it is not signed."""
    if contract.contract.signed is None:
        return []
    return [
        SystemRow(contract.contract.id, system, disclosure, contract.next_at, contract.versions_about(system))
        for system in sorted(contract.contract.systems_ever_declared)
        for disclosure in disclosures(contract.contract, system)
    ]


def effects(replay: Replay, rows: Iterable[ComplianceRow]) -> list[EffectRow]:
    """Every incident, of some judged, that names a system."""
    judged = ((replay.incident(row.incident), row) for row in rows)
    return [effect for incident, row in judged if incident and (effect := effect_of(incident, row))]


def effect_of(incident: IncidentAsOf, row: ComplianceRow) -> EffectRow | None:
    """What one incident, judged, affects; None where it names no system."""
    system = incident.opened.system
    if system is None:
        return None
    contract = incident.contract
    return EffectRow(
        incident=row.incident,
        contract=row.contract,
        system=system,
        opened_at=row.opened_at,
        disclosed=incident.disclosed,
        disclosure=_nearest(disclosures(contract.contract, system), row.opened_at) if contract else None,
        late=any(clock.judged.exceeded for clock in row.clocks),
        breach=row.breach,
        excluded=row.excluded,
        versions=row.versions,
        declared=contract.versions_about(system) if contract else (),
        changes_at=row.changes_at,
    )


def _nearest(times: Iterable[Interval], opened_at: int) -> Interval | None:
    """The last time of disclosure begun by the opening, else the first after."""
    found: Interval | None = None
    for time in times:
        if found is None or time.start <= opened_at:
            found = time
    return found


SystemLine = EffectRow | SystemRow
"""A line of the report: an incident with the system it affects, or a system that none affects."""


def lines(systems: Iterable[SystemRow], effects: Sequence[EffectRow]) -> list[SystemLine]:
    """Every effect, and every time of disclosure that none of them names; by contract, system, instant, id."""
    named = {(row.contract, row.system, row.disclosure) for row in effects}
    others = (row for row in systems if (row.contract, row.system, row.disclosure) not in named)
    return sorted([*effects, *others], key=_order)


def _order(row: SystemLine) -> tuple[str, str, int, str]:
    match row:
        case EffectRow():
            return (row.contract or "", row.system, row.opened_at, row.incident)
        case SystemRow():
            return (row.contract, row.system, row.disclosure.start, "")
