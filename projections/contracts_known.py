"""The contracts known at a position of the log, and what incidents amount to under them.

New facts, or time alone, advance it: only the contracts that either touches are replayed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from domain.credit_facts import CreditsConsumed, CreditShortfallRecorded
from domain.incident_facts import IncidentOpened
from domain.interval import Interval, earliest
from domain.record_facts import RecordRectified
from domain.streams import split_stream
from projections.affected import Affected, affected
from projections.as_of import ContractAsOf
from projections.compliance import ComplianceRow, judge_incident
from projections.connected_systems import EffectRow, effect_of
from projections.dues import next_period_edge
from projections.history import Entry, History
from projections.queue import QueueRow, queue_row
from projections.readings import Reading
from projections.replay import Replay
from projections.tally import WindowShare, share
from projections.windows import holding


@dataclass(frozen=True, slots=True)
class JudgedIncident:
    """What one incident amounts to under one reading.

    Its row, its window, its share of it, its place in the queue, and the connected system that it affects.
    """

    opened: IncidentOpened
    row: ComplianceRow
    window: Interval | None
    share: WindowShare
    queued: QueueRow | None
    effect: EffectRow | None

    @property
    def changes_at(self) -> int | None:
        """When time alone may change any of it."""
        return self.queued.changes_at if self.queued else self.row.changes_at


@dataclass
class Contracts:
    """The contracts and their accounts as known at a position, under each live reading as of one instant."""

    readings: tuple[Reading, ...]
    as_of: int
    contracts: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    accounts: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    under: tuple["ContractsUnder", ...] = ()
    """The contracts under each reading."""
    used_for: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The accounts that were ever said to be used for each request. Shared with what is known later, for to name an
    account too many costs no more than its row."""

    @classmethod
    def of(cls, readings: Iterable[Reading], entries: Iterable[Entry], as_of: int) -> "Contracts":
        """Every contract and account, from their facts in order of recording."""
        history = History.of(entries)
        known = cls(tuple(readings), as_of, dict(history.contracts), dict(history.accounts))
        known._note_requests(entry for of_account in history.accounts.values() for entry in of_account)
        return known._replayed({})

    def _note_requests(self, of_accounts: Iterable[Entry]) -> None:
        for entry in of_accounts:
            match entry.fact:
                case CreditsConsumed(incident=request) | CreditShortfallRecorded(incident=request):
                    self.used_for[request].add(split_stream(entry.stream).id)
                case RecordRectified(field="incident", value=str(request)):
                    self.used_for[request].add(split_stream(entry.stream).id)

    def users_of(self, requests: Iterable[str]) -> set[str]:
        """The accounts that may have been used for some requests."""
        return {account for request in requests for account in self.used_for.get(request, ())}

    @property
    def names(self) -> list[str]:
        """Every contract and account with facts on record."""
        return sorted({*self.contracts, *self.accounts})

    def advanced(self, entries: Sequence[Entry], as_of: int) -> "Contracts":
        """The contracts after more facts, as of a later instant; those that neither touches are not replayed."""
        of_contracts = [entry for entry in entries if entry.stream.startswith("contract-")]
        of_accounts = [entry for entry in entries if entry.stream.startswith("credits-")]
        changed = {split_stream(entry.stream).id for entry in (*of_contracts, *of_accounts)}
        if not changed and all(under.stay_until(as_of) for under in self.under):
            later = tuple(ContractsUnder(under.replay.later(as_of)) for under in self.under)
            return Contracts(self.readings, as_of, self.contracts, self.accounts, later, self.used_for)
        contracts, accounts = _extended(self.contracts, of_contracts), _extended(self.accounts, of_accounts)
        unchanged = {under.replay.reading: under.unchanged(changed, as_of) for under in self.under}
        self._note_requests(of_accounts)
        known = Contracts(self.readings, as_of, contracts, accounts, used_for=self.used_for)
        return known._replayed(unchanged)

    def _replayed(self, unchanged: Mapping[Reading, Mapping[str, ContractAsOf]]) -> "Contracts":
        history = History(self.contracts, self.accounts, {}, 0)
        self.under = tuple(
            ContractsUnder(Replay(history, reading, self.as_of, unchanged.get(reading, {})))
            for reading in self.readings
        )
        return self

    def changes_at(self, name: str) -> int | None:
        """When time alone may change a figure of a contract itself: an edge in time, an expiry, a fact on record."""
        return earliest(*(under.contract_changes_at(name) for under in self.under))

    def sharing_customers(self, names: Iterable[str]) -> set[str]:
        """The other contracts that list a customer key of one of these, under any reading."""
        pairs = product(self.under, names)
        keys = ((under, key) for under, name in pairs for key in under.replay.contract(name).contract.customers)
        return {one.contract.id for under, key in keys for one in under.replay.listing(key)}

    def affected(self, before: "Contracts", names: Iterable[str]) -> list[Affected]:
        """Which incidents the change of some contracts since `before` can touch, under any reading."""
        pairs = [(now.replay, was.replay) for now, was in zip(self.under, before.under, strict=True)]
        found = (affected(was.contract(name), now.contract(name)) for name in names for now, was in pairs)
        return [one for one in found if one]


@dataclass
class ContractsUnder:
    """The contracts under one reading, and the windows of each."""

    replay: Replay
    _windows: dict[str, list[Interval]] = field(default_factory=dict)

    def windows(self, contract: str) -> list[Interval]:
        """The windows of a contract begun by as_of, in order; none where it is not signed."""
        if contract not in self._windows:
            known = self.replay.contract(contract)
            self._windows[contract] = known.windows(self.replay.reading.window, self.replay.as_of)
        return self._windows[contract]

    def judged(self, incidents: Mapping[str, Sequence[Entry]]) -> dict[str, JudgedIncident | None]:
        """What each of some incidents amounts to, from all its facts; None where its opening does not count yet."""
        replay = self.replay.of_incidents(incidents)
        return {name: self._judged(replay, name) for name in incidents}

    def _judged(self, replay: Replay, name: str) -> JudgedIncident | None:
        incident = replay.incident(name)
        if incident is None:
            return None
        row = judge_incident(incident, replay)
        window = holding(self.windows(row.contract), row.opened_at) if row.contract is not None else None
        queued = queue_row(replay, row) if row.open else None
        counted = share(row, replay.reading, window) if window else WindowShare()
        return JudgedIncident(incident.opened, row, window, counted, queued, effect_of(incident, row))

    def opens_at(self, name: str, facts: Sequence[Entry]) -> int | None:
        """When an incident opens whose opening is on record, but later than as_of."""
        return self.replay.of_incidents({name: facts}).next_at(name)

    def contract_changes_at(self, name: str) -> int | None:
        """When time alone may change a figure of the contract itself."""
        known, as_of = self.replay.contract(name), self.replay.as_of
        expiries = (p.expires_at for p in known.account.purchases if p.expires_at is not None and p.expires_at > as_of)
        edges = known.next_edge(self.replay.reading.window, as_of), next_period_edge(known.contract, as_of)
        return earliest(known.next_at, *edges, *expiries)

    def stay_until(self, as_of: int) -> bool:
        """Whether no other fact of any contract takes effect by then."""
        return (at := self.replay.next_fact_at) is None or at > as_of

    def unchanged(self, changed: set[str], as_of: int) -> Mapping[str, ContractAsOf]:
        """The contracts of which no fact is new, and no other takes effect by `as_of`."""
        return {
            name: contract
            for name, contract in self.replay.contracts_as_of.items()
            if name not in changed and (contract.next_at is None or contract.next_at > as_of)
        }


def _extended(streams: Mapping[str, Sequence[Entry]], entries: Sequence[Entry]) -> Mapping[str, Sequence[Entry]]:
    if not entries:
        return streams
    extended = dict(streams)
    for entry in entries:
        name = split_stream(entry.stream).id
        extended[name] = [*extended.get(name, ()), entry]
    return extended


def streams_of(entries: Iterable[Entry], kind: str) -> list[str]:
    """The names of the streams of one kind that some facts belong to, each once."""
    found = (split_stream(entry.stream) for entry in entries)
    return list(dict.fromkeys(name.id for name in found if name.kind == kind))
