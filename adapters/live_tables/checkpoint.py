"""How current a set of tables is, and of which log and program: the one row of its table `ledgers`."""

from collections.abc import Sequence
from typing import NamedTuple

from adapters.live_tables.errors import Stopped
from adapters.live_tables.schema import LEDGERS, TIMERS
from adapters.live_tables.tables import TableSet
from adapters.store.errors import NewerStore
from adapters.store.ledger import Ledger
from projections import RULES_VERSION
from projections.contracts_known import Contracts
from projections.readings import LITERAL, Reading

LIVE_READINGS = (LITERAL,)


class Checkpoint(NamedTuple):
    """How current a set of tables is. Instants are microseconds UTC."""

    ledger: str
    position: int
    leaf_hash: str | None
    as_of: int
    recorded_at: int | None
    readings: Sequence[str]
    rules: str
    generation: int
    projected_at: int
    stopped_at: int | None
    stopped_because: str | None
    next_change: int | None


def checkpoint(tables: TableSet) -> Checkpoint | None:
    """How current a set of tables is; None where it was not finished."""
    row = next(iter(tables.read(LEDGERS)), None)
    return None if row is None else Checkpoint(*row)


def write_checkpoint(
    tables: TableSet,
    ledger: Ledger,
    contracts_known: Contracts,
    position: int,
    *,
    generation: int,
    now: int,
    stopped: Stopped | None,
) -> None:
    """Write that a set of tables holds everything up to a position, as of the instant of the contracts."""
    sealed = ledger.store.sealed_at(position)
    reached = Checkpoint(
        ledger=ledger.id,
        position=position,
        leaf_hash=sealed[1] if sealed else None,
        as_of=contracts_known.as_of,
        recorded_at=sealed[0] if sealed else None,
        readings=[reading.name for reading in contracts_known.readings],
        rules=RULES_VERSION,
        generation=generation,
        projected_at=now,
        stopped_at=stopped.position if stopped else None,
        stopped_because=stopped.because if stopped else None,
        next_change=tables.earliest(TIMERS, "at", {}),
    )
    tables.write(LEDGERS, [reached])


def write_stopped(tables: TableSet, at: Checkpoint, stopped: Stopped) -> None:
    """Write that a set of tables, as current as before, stopped before a fact."""
    tables.write(LEDGERS, [at._replace(stopped_at=stopped.position, stopped_because=stopped.because)])


def outdated(ledger: Ledger, at: Checkpoint, readings: Sequence[Reading] = LIVE_READINGS) -> str | None:
    """Why tables have to be built anew to be live ones of this log and program; None where they need not.

    Raises NewerStore where a newer program made them: two programs would build them in turn, for ever.
    """
    if not made_from(ledger, at):
        return "the live tables were made from another log than this one"
    if at.rules.isdecimal() and RULES_VERSION.isdecimal() and int(at.rules) > int(RULES_VERSION):
        raise NewerStore(f"the live tables follow rules {at.rules} of a newer Verbale: upgrade this one")
    if at.rules != RULES_VERSION:
        return f"the live tables follow rules {at.rules}, this program rules {RULES_VERSION}"
    names = [reading.name for reading in readings]
    return None if list(at.readings) == names else f"the live tables hold other readings than {', '.join(names)}"


def made_from(ledger: Ledger, at: Checkpoint) -> bool:
    """Whether tables were made from this log: the fact at their position is the one that they know."""
    sealed = ledger.store.sealed_at(at.position)
    return (ledger.id, sealed[1] if sealed else None) == (at.ledger, at.leaf_hash)
