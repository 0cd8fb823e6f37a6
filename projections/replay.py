"""The recorded facts replayed under a reading, as of an instant.

Rectifications and attributions apply, whatever their own date. Then only facts whose corrected instant is by `as_of`
remain, in order of instant, then version.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import cast

from domain import contract as contracts
from domain import credits as accounts
from domain import incident as incidents
from domain.contract import Contract
from domain.contract_facts import (
    CalendarAdopted,
    ContractFact,
    ContractRenewed,
    ContractSigned,
    ContractTerminated,
    CoverageExtended,
    OptionActivated,
    OptionEnded,
    ServiceLevelRevised,
)
from domain.coverage import cover
from domain.credit_facts import CreditFact
from domain.facts import Fact
from domain.incident_facts import IncidentFact, IncidentOpened, ResponsibilityAttributed
from domain.interval import earliest
from domain.record_facts import RecordAgreed, RecordAnnulled, RecordFact, RecordRectified
from domain.rectification import Corrected, corrected
from domain.routing import Route, routed
from domain.values import HOUR
from projections.as_of import ContractAsOf, IncidentAsOf
from projections.changes import changes
from projections.findings import (
    Finding,
    agreement_claimed,
    coverage_differs,
    dated_before_opening,
    other_source,
    recorded_late,
    signed_later,
    unrouted,
)
from projections.history import Entry, History
from projections.readings import Reading
from projections.statements import Accord, Recorded, StatementOnRecord, contestable, lateness, moves, recorded

BEARING = (
    ContractSigned,
    ContractRenewed,
    ContractTerminated,
    OptionActivated,
    OptionEnded,
    ServiceLevelRevised,
    CalendarAdopted,
    CoverageExtended,
    RecordRectified,
    RecordAnnulled,
)
"""The facts of a contract by which its requests are judged and counted."""
A_DAY = 24 * HOUR
"""From this lateness on a fact that moves a verdict is shown as recorded late."""


class Replay:
    """A history replayed under one reading, as of one instant (microseconds UTC)."""

    def __init__(
        self, history: History, reading: Reading, as_of: int, contracts_as_of: Mapping[str, ContractAsOf] | None = None
    ) -> None:
        """`contracts_as_of`: contracts that an earlier replay has of the same facts, and this one need not replay."""
        self.history = history
        self.reading = reading
        self.as_of = as_of
        self.contracts_as_of = dict(contracts_as_of or {})

    def of_incidents(self, incidents: Mapping[str, Sequence[Entry]]) -> "Replay":
        """The same contracts, with some incidents."""
        return self._with_these_contracts(replace(self.history, incidents=incidents), self.as_of)

    def later(self, as_of: int) -> "Replay":
        """The same as of a later instant, by which no other fact of a contract counts."""
        return self._with_these_contracts(self.history, as_of)

    def _with_these_contracts(self, history: History, as_of: int) -> "Replay":
        replay = Replay(history, self.reading, as_of)
        replay.contracts_as_of = self.contracts_as_of
        replay.signed_contracts = self.signed_contracts
        replay._by_customer, replay._by_system = self._by_customer, self._by_system
        replay.next_fact_at = self.next_fact_at
        return replay

    @cached_property
    def next_fact_at(self) -> int | None:
        """When the first fact on record, of any contract or account, occurs that does not count yet."""
        names = {*self.history.contracts, *self.history.accounts}
        return earliest(*(self.contract(name).next_at for name in names))

    def contract(self, name: str) -> ContractAsOf:
        """A contract; unsigned where no signature counts yet."""
        if name not in self.contracts_as_of:
            entries, of_account = self.history.contracts.get(name, ()), self.history.accounts.get(name, ())
            accord = Accord.of(entries)
            known = recorded(entries, {name: accord})
            facts, later = self._counting(known.facts)
            known_of_account = recorded(of_account, {name: accord})
            account_facts, account_later = self._counting(known_of_account.facts)
            changed = tuple(changes(entries, dict(known.facts), facts))
            agreed_only = self.reading.one_sided == "agreed"
            self.contracts_as_of[name] = ContractAsOf(
                contracts.fold(name, (cast(ContractFact, one.fact) for one in facts)),
                accounts.fold(name, (cast(CreditFact, one.fact) for one in account_facts)),
                facts,
                account_facts,
                earliest(later, account_later),
                accord,
                changed,
                tuple(one for one in changed if agreed_only and one.of_itself and not one.agreed),
                self._statements(entries, known),
                self._statements(of_account, known_of_account),
                [entry for entry in entries if isinstance(entry.fact, BEARING) and self._by_now(entry.fact)],
                [entry for entry in of_account if self._by_now(entry.fact)],
                known.claimed,
            )
        return self.contracts_as_of[name]

    def _statements(self, entries: Sequence[Entry], known: Recorded) -> list[StatementOnRecord]:
        """What a party may contest in one stream, dated by as_of or said whatever its date."""
        return [
            StatementOnRecord(
                version, said, fact.TYPE, entry.source, lateness(entry, entries), self.reading.admits(fact),
                known.agreed_at.get(version, ()) if self.reading.asks_whether_agreed(fact) else (),
            )
            for entry, (version, fact) in zip(entries, known.facts, strict=True)
            if self._by_now(fact) and (said := contestable(fact))
        ]  # fmt: skip

    def _by_now(self, fact: Fact) -> bool:
        """Whether a fact is dated by as_of, or counts whatever its date."""
        return fact.at <= self.as_of or _whatever_its_date(fact)

    @cached_property
    def signed_contracts(self) -> list[ContractAsOf]:
        """Every signed contract, by name."""
        every = (self.contract(name) for name in sorted(self.history.contracts))
        return [contract for contract in every if contract.contract.signed]

    def listing(self, customer: str) -> Sequence[ContractAsOf]:
        """The signed contracts that list a customer key."""
        return self._by_customer.get(customer, ())

    @cached_property
    def _by_customer(self) -> Mapping[str, Sequence[ContractAsOf]]:
        return _indexed(self.signed_contracts, lambda contract: contract.customers)

    @cached_property
    def _by_system(self) -> Mapping[str, Sequence[ContractAsOf]]:
        return _indexed(self.signed_contracts, lambda contract: contract.systems_ever_declared)

    def incident(self, name: str) -> IncidentAsOf | None:
        """An incident, or None where its opening does not count (yet)."""
        entries = self.history.incidents.get(name, ())
        known = recorded(entries, _Accords(self.contract))
        facts, later = self._counting(known.facts)
        opening = next((one for one in facts if isinstance(one.fact, IncidentOpened)), None)
        if opening is None:
            return None
        opened = cast(IncidentOpened, opening.fact)
        facts, findings = _not_before(opened.at, facts)
        route = self._route(opened)
        contract = self.contract(route.contract.id).for_request(opened.at) if route.contract else None
        decision = cover(
            contract.contract if contract else None,
            contract.account if contract else None,
            opened.requested_by,
            opened.at,
        )
        if (decision.coverage, decision.reason) != (opened.answer.coverage, opened.answer.reason):
            findings.append(coverage_differs(opened.answer, decision, opening.version))
        if route.why:
            findings.append(unrouted(opened, route, opening.version))
        if signed_since := self._signed_later(opened, contract):
            findings.append(signed_later(signed_since, opening.version))
        findings += self._said(known, entries, facts)
        incident = incidents.fold(name, (cast(IncidentFact, one.fact) for one in facts))
        return IncidentAsOf(
            incident, opened, contract, decision, facts, findings, route, later,
            entries, self._statements(entries, known),
        )  # fmt: skip

    def _said(
        self, known: Recorded, entries: Sequence[Entry], counting: Sequence[Corrected[Fact]]
    ) -> Iterator[Finding]:
        """What a reader has to know of how its facts were told."""
        counted = {version for one in counting for version in one.versions}
        agreed = {entry.version for entry in entries if isinstance(entry.fact, RecordAgreed)}
        if claimed := [version for version in known.claimed if version in counted | agreed]:
            yield agreement_claimed(tuple(claimed))
        if others := [version for version in known.others if version in counted]:
            yield other_source(tuple(others))
        late = {
            entry.version: lateness(entry, entries)
            for entry in entries
            if entry.version in counted and lateness(entry, entries) >= A_DAY and moves(entry.fact)
        }
        if late:
            yield recorded_late(late)

    def _signed_later(self, opened: IncidentOpened, contract: ContractAsOf | None) -> ContractSigned | None:
        """The signature made after the opening, of the one contract meant that was to be in force before it (G2)."""
        if opened.contract is not None:
            possible = [contract] if contract else []
        else:
            possible = [] if contract else [one for one in self._naming(opened) if _names(one.contract, opened)]
        signatures = [signed for one in possible if (signed := one.contract.signed)]
        later = [signed for signed in signatures if signed.in_force_from <= opened.at < signed.at]
        return later[0] if len(later) == 1 else None

    def next_at(self, incident: str) -> int | None:
        """When the first fact of an incident occurs that is on record and does not count yet."""
        return self._counting(recorded(self.history.incidents.get(incident, ()), _Accords(self.contract)).facts)[1]

    def incidents(self) -> Iterable[IncidentAsOf]:
        """Every incident whose opening counts."""
        every = (self.incident(name) for name in self.history.incidents)
        return (incident for incident in every if incident)

    def _counting(self, known: Sequence[tuple[int, Fact]]) -> tuple[list[Corrected[Fact]], int | None]:
        """The facts of a stream that count by as_of, by instant, then version; and when the next one will."""
        facts = corrected(known, self.reading.admits)
        counting = [one for one in facts if self.reading.admits(one.fact)]
        by_then = [one for one in counting if self._by_now(one.fact)]
        later = None
        if len(by_then) < len(counting):
            later = min(o.fact.at for o in counting if o.fact.at > self.as_of and not _whatever_its_date(o.fact))
        return sorted(by_then, key=lambda one: (_order(one.fact), one.version)), later

    def _naming(self, opened: IncidentOpened) -> Iterator[ContractAsOf]:
        """The contracts that ever listed the customer or declared the system of a request."""
        yield from self._by_customer.get(opened.customer or "", ())
        yield from self._by_system.get(opened.system or "", ())

    def _route(self, opened: IncidentOpened) -> Route:
        return routed(
            opened.contract,
            opened.customer,
            opened.system,
            opened.at,
            lambda name: self.contract(name).for_request(opened.at).contract,
            lambda: (one.for_request(opened.at).contract for one in self._naming(opened)),
        )


def _names(contract: Contract, opened: IncidentOpened) -> bool:
    """Whether a contract lists the customer, or had declared the system, that a request names."""
    by_system = opened.system is not None and contract.declared(opened.system, opened.at)
    return by_system or opened.customer in contract.customers


class _Accords(dict[str, Accord]):
    """The accord of each contract, when it is asked about."""

    def __init__(self, contract: Callable[[str], ContractAsOf]) -> None:
        super().__init__()
        self._contract = contract

    def __missing__(self, name: str) -> Accord:
        self[name] = self._contract(name).accord
        return self[name]


def _indexed(
    signed: Iterable[ContractAsOf], keys: Callable[[Contract], Iterable[str]]
) -> Mapping[str, Sequence[ContractAsOf]]:
    found: dict[str, list[ContractAsOf]] = defaultdict(list)
    for one in signed:
        for key in keys(one.contract):
            found[key].append(one)
    return found


def _whatever_its_date(fact: Fact) -> bool:
    return isinstance(fact, ResponsibilityAttributed | RecordFact)


def _order(fact: Fact) -> int:
    # The last attribution recorded rules, whatever its own date: sorting must not reorder attributions.
    return 0 if _whatever_its_date(fact) else fact.at


def _not_before(opened_at: int, facts: Sequence[Corrected[Fact]]) -> tuple[list[Corrected[Fact]], list[Finding]]:
    """Facts dated before a rectified opening count at the opening."""
    early = [one for one in facts if one.fact.at < opened_at and not _whatever_its_date(one.fact)]
    if not early:
        return list(facts), []
    moved = {one.version: one._replace(fact=one.fact.model_copy(update={"at": opened_at})) for one in early}
    # Not sorted anew: among those moved to the opening, what occurred first stays first.
    return [moved.get(one.version, one) for one in facts], [dated_before_opening(tuple(sorted(moved)))]
