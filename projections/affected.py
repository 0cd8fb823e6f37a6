"""What new facts, or time alone, change: the incidents to judge again, and what each amounts to.

Nothing is patched. A new fact has its whole stream told anew; a new fact of a contract, or of its credits, has every
incident judged again that it can touch. Late, rectifying and attributing facts need no code of their own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from domain.contract_facts import WorkFact
from domain.credits import CreditAccount
from domain.facts import Fact
from domain.incident import IncidentOpened
from domain.rectification import Corrected
from domain.values import EARLIEST, LATEST
from projections.as_of import ContractAsOf, Replay
from projections.breach import Share, Window, holding, next_edge, share, windows
from projections.clocks import earliest
from projections.commitments import next_period_edge
from projections.compliance import ComplianceRow, judge_incident
from projections.connected_systems import EffectRow, effect_of
from projections.history import Entry, History
from projections.queue import QueueRow, queue_row
from projections.readings import Reading


@dataclass(frozen=True, slots=True)
class JudgedIncident:
    """What one incident amounts to under one reading.

    Its row, its window, its share of it, its place in the queue, and the connected system that it affects.
    """

    opened: IncidentOpened
    row: ComplianceRow
    window: Window | None
    share: Share
    queued: QueueRow | None
    effect: EffectRow | None

    @property
    def changes_at(self) -> int | None:
        """When time alone may change any of it."""
        return self.queued.changes_at if self.queued else self.row.changes_at


class Affected(NamedTuple):
    """Which incidents a change of one contract can touch.

    Those under it, or naming it, that were opened in one of `openings` (half-open, microseconds UTC); and every one
    that carries one of the `customers` or names one of the `systems` by which the contract routes, or did.
    """

    contract: str
    openings: tuple[tuple[int, int], ...]
    customers: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()


ALWAYS = ((EARLIEST, LATEST),)


@dataclass
class Contracts:
    """The contracts and their accounts as known at a position, told under each live reading as of one instant."""

    readings: tuple[Reading, ...]
    as_of: int
    contracts: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    accounts: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    _told: tuple["ContractsUnder", ...] = ()

    @classmethod
    def of(cls, readings: Iterable[Reading], entries: Iterable[Entry], as_of: int) -> "Contracts":
        """The book of every contract's and account's facts, in order of recording."""
        history = History.of(entries)
        contracts_known = cls(tuple(readings), as_of, dict(history.contracts), dict(history.accounts))
        return contracts_known._tell({})

    @property
    def told(self) -> tuple["ContractsUnder", ...]:
        """The contracts told under each reading."""
        return self._told

    @property
    def names(self) -> list[str]:
        """Every contract and account with facts on record."""
        return sorted({*self.contracts, *self.accounts})

    def advanced(self, entries: Sequence[Entry], as_of: int) -> "Contracts":
        """The book after more facts, as of a later instant; contracts of which nothing new is told stay as they are."""
        of_contracts = [entry for entry in entries if entry.stream.startswith("contract-")]
        of_accounts = [entry for entry in entries if entry.stream.startswith("credits-")]
        changed = {entry.stream.partition("-")[2] for entry in (*of_contracts, *of_accounts)}
        if not changed and all(told.stays_until(as_of) for told in self._told):
            later = tuple(ContractsUnder(told.replay.later(as_of)) for told in self._told)
            return Contracts(self.readings, as_of, self.contracts, self.accounts, later)
        contracts_known = Contracts(
            self.readings, as_of, _extended(self.contracts, of_contracts), _extended(self.accounts, of_accounts)
        )
        same = {told.replay.reading: told.unchanged(changed, as_of) for told in self._told}
        return contracts_known._tell(same)

    def _tell(self, same: Mapping[Reading, Mapping[str, ContractAsOf]]) -> "Contracts":
        history = History(self.contracts, self.accounts, {}, 0)
        self._told = tuple(
            ContractsUnder(Replay(history, reading, self.as_of, same.get(reading, {}))) for reading in self.readings
        )
        return self

    def changes_at(self, name: str) -> int | None:
        """When time alone may change a figure of a contract itself: an edge in time, an expiry, a fact on record."""
        return earliest(*(told.contract_changes_at(name) for told in self._told))

    def reach(self, before: "Contracts", names: Iterable[str]) -> list[Affected]:
        """Which incidents the change of some contracts since `before` can touch, under any reading."""
        pairs = [(told, was) for told, was in zip(self._told, before.told, strict=True)]
        found = (reach(was.replay.contract(name), told.replay.contract(name)) for name in names for told, was in pairs)
        return [one for one in found if one]


@dataclass
class ContractsUnder:
    """The contracts told under one reading, and the windows of each."""

    replay: Replay
    _windows: dict[str, list[Window]] = field(default_factory=dict)

    def windows(self, contract: str) -> list[Window]:
        """The windows of a contract begun by as_of, in order; none where it is not signed."""
        if contract not in self._windows:
            told = self.replay.contract(contract).contract
            self._windows[contract] = windows(told, self.replay.reading.window, self.replay.as_of)
        return self._windows[contract]

    def standings(self, incidents: Mapping[str, Sequence[Entry]]) -> dict[str, JudgedIncident | None]:
        """What each of some incidents amounts to, from all its facts; None where its opening is not told yet."""
        replay = self.replay.of_incidents(incidents)
        return {name: self._standing(replay, name) for name in incidents}

    def _standing(self, replay: Replay, name: str) -> JudgedIncident | None:
        told = replay.incident(name)
        if told is None:
            return None
        row = judge_incident(told, replay)
        window = holding(self.windows(row.contract), row.opened_at) if row.contract is not None else None
        queued = queue_row(replay, row) if row.open else None
        counted = share(row, replay.reading) if window else Share()
        return JudgedIncident(told.opened, row, window, counted, queued, effect_of(told, row))

    def opens_at(self, name: str, facts: Sequence[Entry]) -> int | None:
        """When an incident whose opening is on record, but later than as_of, will be told."""
        return self.replay.of_incidents({name: facts}).next_at(name)

    def contract_changes_at(self, name: str) -> int | None:
        """When time alone may change a figure of the contract itself."""
        told, as_of = self.replay.contract(name), self.replay.as_of
        expiries = (p.expires_at for p in told.account.purchases if p.expires_at is not None and p.expires_at > as_of)
        edges = next_edge(told.contract, self.replay.reading.window, as_of), next_period_edge(told.contract, as_of)
        return earliest(told.next_at, *edges, *expiries)

    def stays_until(self, as_of: int) -> bool:
        """Whether nothing more of any contract is told by then."""
        return (at := self.replay.next_fact_at) is None or at > as_of

    def unchanged(self, changed: set[str], as_of: int) -> Mapping[str, ContractAsOf]:
        """The contracts of which nothing new is told by `as_of`."""
        return {
            name: told
            for name, told in self.replay.contracts_as_of.items()
            if name not in changed and (told.next_at is None or told.next_at > as_of)
        }


def _extended(streams: Mapping[str, Sequence[Entry]], entries: Sequence[Entry]) -> Mapping[str, Sequence[Entry]]:
    if not entries:
        return streams
    extended = dict(streams)
    for entry in entries:
        name = entry.stream.partition("-")[2]
        extended[name] = [*extended.get(name, ()), entry]
    return extended


def reach(before: ContractAsOf, after: ContractAsOf) -> Affected | None:
    """Which incidents a change of one contract can touch; None where none.

    Whatever is told of the contract itself may touch all of them, and those that it no longer routes: where two
    contracts declared one system (S1), what one withdraws is the other's. What was done under its other services
    touches none. Its credits decide no more than whether
    there was any at an opening (G2), so only the incidents opened where that answer differs.
    """
    if before is after:
        return None
    if _bearing(before) != _bearing(after):
        was, now = before.contract, after.contract
        return Affected(
            now.id, ALWAYS, was.customers | now.customers, was.systems_ever_declared | now.systems_ever_declared
        )
    if before.account_facts == after.account_facts:
        return None
    openings = tuple(differing(before.account, after.account))
    return Affected(after.contract.id, openings) if openings else None


def _bearing(told: ContractAsOf) -> list[Corrected[Fact]]:
    """The facts of a contract that requests may be judged by."""
    return [one for one in told.facts if not isinstance(one.fact, WorkFact)]


def differing(before: CreditAccount, after: CreditAccount) -> list[tuple[int, int]]:
    """The intervals in which the two accounts differ in whether any credit was available (G2)."""
    edges = sorted({at for account in (before, after) for at, _ in account.availability})
    found: list[tuple[int, int]] = []
    for start, end in pairwise([*edges, LATEST]):
        if (before.available(start) >= 1) != (after.available(start) >= 1):
            if found and found[-1][1] == start:
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
    return found


def streams_of(entries: Iterable[Entry], kind: str) -> list[str]:
    """The names of the streams of one kind that some facts belong to, each once."""
    found = (entry.stream.partition("-") for entry in entries)
    return list(dict.fromkeys(name for of, _, name in found if of == kind))
