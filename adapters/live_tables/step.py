"""What one step writes: every incident and contract that new facts, or time alone, can touch is judged anew.

Nothing is patched but the counts of windows, which move by the difference between what an incident counted for before
and what it counts for now.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from adapters.live_tables.checkpoint import write_checkpoint
from adapters.live_tables.contract_tallies import COUNTED, ContractTallies, Moved
from adapters.live_tables.errors import Stopped
from adapters.live_tables.incident_rows import Rows, judged, rows_of, timers
from adapters.live_tables.read_facts import entries
from adapters.live_tables.schema import TIMERS
from adapters.live_tables.tables import TableSet
from adapters.reports.breach import CASES, case_of
from adapters.reports.compliance import INCIDENTS
from adapters.reports.queue import QUEUE
from adapters.reports.systems import EFFECTS
from adapters.store.errors import StoreError
from adapters.store.ledger import Ledger
from domain.streams import split_stream
from projections.affected import ALWAYS, Affected
from projections.contracts_known import Contracts, streams_of
from projections.history import Entry
from projections.tally import WindowTally

INCIDENTS_AT_ONCE = 1000


@dataclass
class Step:
    """What one step writes into one set of tables, within one transaction."""

    ledger: Ledger
    tables: TableSet
    contracts_known: Contracts
    position: int
    _moved: dict[tuple[str, str, int], Moved] = field(default_factory=lambda: defaultdict(Moved))
    _elsewhere: set[str] = field(default_factory=set)
    """The incidents that appeared, went, or came under another contract."""

    def take(self, before: Contracts, facts: Sequence[Entry], due: Iterable[str]) -> None:
        """Judge again whatever these facts, or the time that has passed, can touch; then count.

        `before` are the contracts as the tables have them; `due` are the streams whose timers have run out.
        """
        due_by_kind: dict[str, list[str]] = defaultdict(list)
        for stream in due:
            kind, name = split_stream(stream)
            due_by_kind[kind].append(name)
        contracts = {*streams_of(facts, "contract"), *streams_of(facts, "credits"), *due_by_kind["contract"]}
        contracts |= self.contracts_known.sharing_customers(contracts) | before.sharing_customers(contracts)
        affected = self.contracts_known.affected(before, sorted(contracts))
        incidents = {*streams_of(facts, "incident"), *due_by_kind["incident"], *self._incidents_of(affected)}
        for some in _parts(sorted(incidents), INCIDENTS_AT_ONCE):
            self._judge(self._facts_of(some, facts))
        anew = {one.contract for one in affected if one.openings == ALWAYS}
        for name in sorted(anew):
            self.count_anew(name)
        moved = {contract for _, contract, _ in self._moved}
        for name in sorted((contracts | moved) - anew):
            self._move(name, whole=name in contracts)
        for name in sorted(contracts - anew):
            self._write_own_figures(name)
        for name in sorted(self.contracts_known.users_of(self._elsewhere) - anew - contracts):
            self._write_credits(name)

    def begin(self, rows: Rows) -> None:
        """Add the rows of incidents of which the tables hold nothing yet."""
        for table in (INCIDENTS, CASES, QUEUE, EFFECTS, TIMERS):
            self.tables.load(table, rows.to(table))

    def sign(self, generation: int, now: int, stopped: Stopped | None) -> None:
        """Write how current the tables are; `now` is microseconds UTC."""
        write_checkpoint(
            self.tables, self.ledger, self.contracts_known, self.position,
            generation=generation, now=now, stopped=stopped,
        )  # fmt: skip

    # --- incidents ---

    def _facts_of(self, incidents: Sequence[str], new: Sequence[Entry]) -> dict[str, list[Entry]]:
        """Every fact of some incidents up to this position; rows after it are another step's.

        `new` are the facts of this step: those of a stream that begins with them are all there are.
        """
        found: dict[str, list[Entry]] = {name: [] for name in incidents}
        for fact in new:
            kind, name = split_stream(fact.stream)
            if kind == "incident" and name in found and fact.version == len(found[name]) + 1:
                found[name].append(fact)
        older = [name for name in incidents if not found[name]]
        for row in self.ledger.store.stream_rows([f"incident-{name}" for name in older]):
            if row.position <= self.position:
                found[split_stream(row.stream).id] += entries([row], self.ledger.catalogue)
        return found

    def _incidents_of(self, affected: Iterable[Affected]) -> set[str]:
        """The incidents in the tables that a change of contracts can touch: their rows name contract and route."""
        found: set[str] = set()
        for one in affected:
            if one.recorded_under:
                found.update(split_stream(name).id for name in self.ledger.store.incidents_under(one.contract))
            for opened in one.openings:
                span = {} if one.openings == ALWAYS else {"opened_at": opened}
                found.update(self.tables.values(INCIDENTS, "incident", {"contract": one.contract, **span}))
            for column, names in (("customer", one.customers), ("system", one.systems)):
                if names:
                    found.update(self.tables.values(INCIDENTS, "incident", {column: sorted(names)}))
        return found

    def _judge(self, incidents: Mapping[str, Sequence[Entry]]) -> None:
        ledger, names = self.ledger.id, list(incidents)
        self.tables.remove(TIMERS, {"stream": [f"incident-{name}" for name in names]})
        for under in self.contracts_known.under:
            reading, found = under.replay.reading.name, judged(under, incidents)
            some = [one for one in found.values() if one]
            under_before = self._take_away(reading, names)
            under_now = {one.row.incident: one.row.contract for one in some}
            self._elsewhere.update(name for name, _ in under_before.items() ^ under_now.items())
            for table, rows in rows_of(ledger, reading, some).items():
                self.tables.write(table, rows)
            without_row = [name for name, one in found.items() if one is None]
            not_queued = [one.row.incident for one in some if not one.queued]
            without_effect = [one.row.incident for one in some if not one.effect]
            self.tables.remove(INCIDENTS, {"ledger": ledger, "reading": reading, "incident": without_row})
            for table, others in ((QUEUE, not_queued), (EFFECTS, without_effect)):
                self.tables.remove(table, {"ledger": ledger, "reading": reading, "incident": without_row + others})
            for one in some:
                if one.window and one.row.contract is not None:
                    moved = self._moved[reading, one.row.contract, one.window.start]
                    moved.by(one.share.tally, 1)
                    for case in one.share.cases:
                        moved.on(case)
            self._write_timers(list(timers(under, found, incidents)))

    def _take_away(self, reading: str, names: list[str]) -> dict[str, str | None]:
        """Take out of the tallies what these incidents counted for until now; the contract of each, as it was."""
        where = {"ledger": self.ledger.id, "reading": reading, "incident": names}
        for stored in self.tables.rows(CASES, where):
            self._moved[reading, stored["contract"], stored["window_from"]].on(case_of(stored))
        columns = ("incident", "contract", "window_from", *COUNTED)
        contracts: dict[str, str | None] = {}
        for incident, contract, window, *counted in self.tables.pick(INCIDENTS, columns, where):
            contracts[incident] = contract
            if window is not None and contract is not None:
                self._moved[reading, contract, window].by(WindowTally(*counted), -1)
        self.tables.remove(CASES, where)
        return contracts

    def _write_timers(self, at: Sequence[tuple[str, int]]) -> None:
        """Keep the earliest timer of each stream, over all readings."""
        known: dict[str, int] = {}
        if len(self.contracts_known.under) > 1:
            known = dict(map(tuple, self.tables.read(TIMERS, {"stream": [stream for stream, _ in at]})))
        self.tables.write(TIMERS, [(stream, min(then, known.get(stream, then))) for stream, then in at])

    # --- contracts ---

    def count_anew(self, name: str) -> None:
        """Count every window of a contract from its incidents in the tables; and write its other figures."""
        with self._named(name):
            for figures in self._figures(name):
                figures.count_anew()
                figures.write_penalty()
        self._write_own_figures(name)

    def _move(self, name: str, *, whole: bool) -> None:
        """Move the tallies of a contract by the difference; all its windows where something is new of itself."""
        with self._named(name):
            for figures in self._figures(name):
                key = (figures.reading, name)
                moved = {start: by for (*of, start), by in self._moved.items() if tuple(of) == key}
                figures.move(moved, whole=whole)
                figures.write_penalty()

    def _write_own_figures(self, name: str) -> None:
        """What of a contract hangs on no incident: credits, connected systems, other services; its next change."""
        with self._named(name):
            self._write_credits(name)
            for figures in self._figures(name):
                figures.write_systems()
                figures.write_commitments()
            at = self.contracts_known.changes_at(name)
        self.tables.remove(TIMERS, {"stream": f"contract-{name}"})
        if at is not None:
            self.tables.write(TIMERS, [(f"contract-{name}", at)])

    def _write_credits(self, name: str) -> None:
        with self._named(name):
            for figures in self._figures(name):
                figures.write_credits(has_account=name in self.contracts_known.accounts)

    def _figures(self, name: str) -> list[ContractTallies]:
        return [ContractTallies(self.ledger.id, self.tables, under, name) for under in self.contracts_known.under]

    @contextmanager
    def _named(self, contract: str) -> Iterator[None]:
        """Raises Stopped, naming the last fact of a contract whose figures cannot be counted."""
        try:
            yield
        except StoreError:
            raise
        except Exception as error:
            known = self.contracts_known
            facts = (*known.contracts.get(contract, ()), *known.accounts.get(contract, ()))
            position = max((entry.position for entry in facts), default=self.position)
            because = f"contract {contract} cannot be counted ({type(error).__name__}: {error}); please report it"
            raise Stopped(position, because) from error


def _parts(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
