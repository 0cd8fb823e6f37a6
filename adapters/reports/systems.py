"""Connected systems (S1): when each was disclosed, and the requests that affect it, disclosed by then or not."""

from dataclasses import replace

from adapters.reports.columns import EVENTUAL, Column, JsonRow, evidence, flag, instant, integers, text
from adapters.reports.filters import by_contract, by_instant
from adapters.reports.live_table import LEDGER, READING, Index, Stored, Table, kept
from adapters.reports.live_tables_protocol import LiveTables
from adapters.reports.replay import Replayed, of_contract
from adapters.reports.report import Definition, Report
from adapters.reports.screen import ScreenColumn, at, plain, yes
from adapters.reports.wording import Writing
from domain.interval import Interval
from projections.connected_systems import EffectRow, SystemLine, SystemRow, effects, lines, systems

_SYSTEM: tuple[Column[SystemRow], ...] = (
    text("contract", "the contract", lambda row: row.contract),
    text("system", "the system, by the name that requests use", lambda row: row.system),
    instant("declared_at", "since when it is disclosed", lambda row: row.disclosure.start),
    instant(
        "withdrawn_at",
        "until when (excluded) it is disclosed; none while it is",
        lambda row: row.disclosure.end,
        optional=True,
    ),
    *evidence("contract", "contract", lambda row: row.contract, lambda row: list(row.versions)),
    integers("evidence.declared", "the same versions, as `effects` names them", lambda row: list(row.versions)),
)

_EFFECT: tuple[Column[EffectRow], ...] = (
    text(
        "contract",
        "the contract it comes under, or names though nobody has signed it",
        lambda row: row.contract,
        optional=True,
    ),
    text("system", "the connected system that it affects", lambda row: row.system),
    instant(
        "declared_at",
        "the beginning of the time of disclosure that it was opened in; else of the last before or first after",
        lambda row: row.disclosure.start if row.disclosure else None,
        optional=True,
    ),
    instant(
        "withdrawn_at",
        "the end of that time, excluded; none while it has none",
        lambda row: row.disclosure.end if row.disclosure else None,
        optional=True,
    ),
    text("incident", "the id of the request", lambda row: row.incident),
    instant("opened_at", "when it came in", lambda row: row.opened_at),
    flag(
        "disclosed", "whether it was disclosed then; none under no contract", lambda row: row.disclosed, optional=True
    ),
    flag("late", "whether more than a guaranteed time has counted, by whosever fault", lambda row: row.late),
    flag("breach", "whether it is in breach for reasons of the supplier", lambda row: row.breach),
    flag(
        "excluded",
        "whether the reading makes it no case, because the system was not disclosed",
        lambda row: row.excluded,
    ),
    *evidence("incident", "incident", lambda row: row.incident, lambda row: list(row.versions)),
    integers(
        "evidence.declared",
        "the versions of the facts of the stream contract-ID about the system",
        lambda row: list(row.declared),
    ),
)


def _either(effect: Column[EffectRow], system: Column[SystemRow] | None) -> Column[SystemLine]:
    """A column of the report: of a request with the system it affects, or of a system that none affects."""

    def value(line: SystemLine) -> object:
        if isinstance(line, EffectRow):
            return effect.of(line)
        return system.of(line) if system else None

    return replace(effect, value=value, optional=True)  # type: ignore[return-value]


COLUMNS: tuple[Column[SystemLine], ...] = tuple(
    _either(column, {system.name: system for system in _SYSTEM}.get(column.name)) for column in _EFFECT
)

# --- in the live tables -----------------------------------------------------------------------------------------

CONNECTED_SYSTEMS: Table[SystemRow] = Table(
    "connected_systems",
    "The connected systems of each contract (S1). One row a system and time for which the customer had it disclosed.",
    ("ledger", "reading", "contract", "system", "declared_at"),
    (
        LEDGER,
        READING,
        *kept(_SYSTEM),
        instant(
            "changes_at", "when a fact on record that is dated ahead counts", lambda row: row.changes_at, optional=True
        ),
    ),
)

EFFECTS: Table[EffectRow] = Table(
    "effects",
    "Requests that affect a connected system, and whether it was disclosed by then (S1). One row an incident.",
    ("ledger", "reading", "incident"),
    (LEDGER, READING, *kept(_EFFECT), instant("changes_at", EVENTUAL, lambda row: row.changes_at, optional=True)),
    (Index(("contract", "system", "opened_at")),),
)


def system_of(stored: Stored) -> SystemRow:
    """A row of `connected_systems` read back."""
    return SystemRow(
        contract=stored["contract"],
        system=stored["system"],
        disclosure=Interval(stored["declared_at"], stored["withdrawn_at"]),
        changes_at=stored["changes_at"],
        versions=tuple(stored["evidence_versions"]),
    )


def effect_of(stored: Stored) -> EffectRow:
    """A row of `effects` read back."""
    declared_at = stored["declared_at"]
    return EffectRow(
        incident=stored["incident"],
        contract=stored["contract"],
        system=stored["system"],
        opened_at=stored["opened_at"],
        disclosed=stored["disclosed"],
        disclosure=None if declared_at is None else Interval(declared_at, stored["withdrawn_at"]),
        late=stored["late"],
        breach=stored["breach"],
        excluded=stored["excluded"],
        versions=tuple(stored["evidence_versions"]),
        declared=tuple(stored["evidence_declared"]),
        changes_at=stored["changes_at"],
    )


# --- the report -------------------------------------------------------------------------------------------------


def _from_replay(replayed: Replayed) -> list[SystemLine]:
    found, asked = effects(replayed.replay, replayed.judged()), replayed.asked
    return list(lines(of_contract(systems(replayed.replay), asked), of_contract(found, asked)))


def _from_live(live: LiveTables) -> list[SystemLine]:
    found = list(map(effect_of, live.rows(EFFECTS)))
    return list(lines(map(system_of, live.rows(CONNECTED_SYSTEMS)), found))


def _read_as(row: JsonRow, writing: Writing) -> str:
    if row["incident"] is None:
        return "-"
    verdict = "no case (S1)" if row["excluded"] else "breach of the supplier" if row["breach"] else "no breach"
    return writing.say(verdict)


def _notes(report: Report[SystemLine], writing: Writing) -> list[str]:
    """What the contract says of systems that were not disclosed; nothing where all were."""
    number, say = sum(row["disclosed"] is False for row in report.rows), writing.say
    if not number:
        return []
    return [
        "",
        f"{say('requests that affect a system not disclosed by then')}: {number}",
        say("The supplier is not liable for effects and damage on them (S1). That touches no clock: lateness is "
            "excused only where the reading says so (--reading undisclosed=excluded)."),
    ]  # fmt: skip


REPORT: Definition[SystemLine] = Definition(
    name="systems",
    title="Connected systems (S1)",
    columns=COLUMNS,
    screen=(
        plain("contract"),
        plain("system"),
        at("declared_at", "declared"),
        at("withdrawn_at", "withdrawn"),
        plain("incident", "affected by"),
        at("opened_at", "opened"),
        yes("disclosed", "disclosed by then"),
        yes("late"),
        ScreenColumn("read as", _read_as),
    ),
    empty="No connected system was declared, and no request names one.",
    filters={
        "late": lambda row, _: isinstance(row, EffectRow) and row.late,
        **by_contract(lambda row: row.contract),
        **by_instant(lambda row: row.opened_at if isinstance(row, EffectRow) else None),
    },
    notes=_notes,
    from_replay=_from_replay,
    from_live=_from_live,
    tables=(EFFECTS, CONNECTED_SYSTEMS),
)
