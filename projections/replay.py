"""The recorded facts replayed under a reading, as of an instant.

Rectifications and attributions apply, whatever their own date. Then only facts whose corrected instant is by `as_of`
remain, in order of instant, then version.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import cast

from domain import contract as contracts
from domain import credits as accounts
from domain import incident as incidents
from domain.contract import Contract
from domain.contract_facts import ContractFact
from domain.coverage import cover
from domain.credit_facts import CreditFact
from domain.facts import Fact
from domain.incident_facts import IncidentFact, IncidentOpened, ResponsibilityAttributed
from domain.interval import earliest
from domain.rectification import Corrected, corrected
from domain.routing import Route, routed
from projections.as_of import ContractAsOf, IncidentAsOf
from projections.findings import Finding, coverage_differs, dated_before_opening, unrouted
from projections.history import Entry, History
from projections.readings import Reading


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
            facts, later = self._counting(self.history.contracts.get(name, ()))
            account_facts, account_later = self._counting(self.history.accounts.get(name, ()))
            self.contracts_as_of[name] = ContractAsOf(
                contracts.fold(name, (cast(ContractFact, one.fact) for one in facts)),
                accounts.fold(name, (cast(CreditFact, one.fact) for one in account_facts)),
                facts,
                account_facts,
                earliest(later, account_later),
            )
        return self.contracts_as_of[name]

    @cached_property
    def signed_contracts(self) -> list[ContractAsOf]:
        """Every signed contract, by name."""
        every = (self.contract(name) for name in sorted(self.history.contracts))
        return [contract for contract in every if contract.contract.signed]

    @cached_property
    def _by_customer(self) -> Mapping[str, Sequence[Contract]]:
        return _indexed((one.contract for one in self.signed_contracts), lambda contract: contract.customers)

    @cached_property
    def _by_system(self) -> Mapping[str, Sequence[Contract]]:
        return _indexed(
            (one.contract for one in self.signed_contracts), lambda contract: contract.systems_ever_declared
        )

    def incident(self, name: str) -> IncidentAsOf | None:
        """An incident, or None where its opening does not count (yet)."""
        facts, later = self._counting(self.history.incidents.get(name, ()))
        opening = next((one for one in facts if isinstance(one.fact, IncidentOpened)), None)
        if opening is None:
            return None
        opened = cast(IncidentOpened, opening.fact)
        facts, findings = _not_before(opened.at, facts)
        route = self._route(opened)
        contract = self.contract(route.contract.id) if route.contract else None
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
        incident = incidents.fold(name, (cast(IncidentFact, one.fact) for one in facts))
        return IncidentAsOf(incident, opened, contract, decision, facts, findings, route, later)

    def next_at(self, incident: str) -> int | None:
        """When the first fact of an incident occurs that is on record and does not count yet."""
        return self._counting(self.history.incidents.get(incident, ()))[1]

    def incidents(self) -> Iterable[IncidentAsOf]:
        """Every incident whose opening counts."""
        every = (self.incident(name) for name in self.history.incidents)
        return (incident for incident in every if incident)

    def _counting(self, entries: Sequence[Entry]) -> tuple[list[Corrected[Fact]], int | None]:
        """The facts of a stream that count by as_of, by instant, then version; and when the next one will."""
        facts = corrected(((entry.version, entry.fact) for entry in entries), self.reading.admits)
        counting = [one for one in facts if self.reading.admits(one.fact)]
        by_then = [one for one in counting if one.fact.at <= self.as_of or _whatever_its_date(one.fact)]
        later = None
        if len(by_then) < len(counting):
            later = min(o.fact.at for o in counting if o.fact.at > self.as_of and not _whatever_its_date(o.fact))
        return sorted(by_then, key=lambda one: (_order(one.fact), one.version)), later

    def _route(self, opened: IncidentOpened) -> Route:
        candidates = chain(
            self._by_customer.get(opened.customer or "", ()), self._by_system.get(opened.system or "", ())
        )
        return routed(
            opened.contract,
            opened.customer,
            opened.system,
            opened.at,
            lambda name: self.contract(name).contract,
            lambda: candidates,
        )


def _indexed(signed: Iterable[Contract], keys: Callable[[Contract], Iterable[str]]) -> Mapping[str, Sequence[Contract]]:
    found: dict[str, list[Contract]] = defaultdict(list)
    for contract in signed:
        for key in keys(contract):
            found[key].append(contract)
    return found


def _whatever_its_date(fact: Fact) -> bool:
    return isinstance(fact, ResponsibilityAttributed)


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
