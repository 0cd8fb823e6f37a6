"""The recorded facts replayed under a reading, as of an instant.

Rectifications and attributions apply, whatever their own date. Then only facts whose corrected instant is by `as_of`
remain, in order of instant, then version.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import assert_never, cast

from domain import contract as contracts
from domain import credits as accounts
from domain import incident as incidents
from domain.calendar_rules import ServiceHours
from domain.contract import Contract
from domain.contract_facts import ConnectedSystemFact, ContractFact
from domain.coverage import CoverageDecision, cover
from domain.credits import CreditAccount, CreditFact, CreditsPurchased
from domain.facts import Fact
from domain.incident import Incident, IncidentFact, IncidentOpened, ResponsibilityAttributed
from domain.local_time import local_day
from domain.rectification import Corrected, corrected
from domain.routing import Route, Unrouted, routed
from domain.working_time import WorkingCalendar
from projections.clocks import earliest
from projections.history import Entry, Finding, History
from projections.readings import Reading


@dataclass
class ContractAsOf:
    """One contract as told, with its account and its compiled calendars.

    `next_at`: the instant of the first fact on record, of either, that is not told yet because it is later than as_of.
    """

    contract: Contract
    account: CreditAccount
    facts: Sequence[Corrected[Fact]]
    account_facts: Sequence[Corrected[Fact]]
    next_at: int | None = None
    _calendars: dict[ServiceHours, WorkingCalendar] = field(default_factory=dict)
    _too_late: dict[ServiceHours, Sequence[tuple[int, int]]] = field(default_factory=dict)

    def calendar(self, hours: ServiceHours) -> WorkingCalendar | None:
        """The working calendar of the contract for one kind of service; None where it is not signed."""
        signed = self.contract.signed
        if signed is None:
            return None
        if hours not in self._calendars:
            self._calendars[hours] = WorkingCalendar(signed.terms.time_zone, self.contract.adopted(hours))
        return self._calendars[hours]

    def extended_too_late(self, hours: ServiceHours) -> Sequence[tuple[int, int]]:
        """The local days that an agreement made too late does not extend (H4), half-open in microseconds UTC."""
        if hours not in self._too_late:
            days = self.contract.agreed_too_late(hours)
            self._too_late[hours] = [local_day(self.contract.zone, day) for day in days]
        return self._too_late[hours]

    @cached_property
    def purchases(self) -> list[Corrected[CreditsPurchased]]:
        """What was bought, with the versions that prove it."""
        bought = (told for told in self.account_facts if isinstance(told.fact, CreditsPurchased))
        return cast(list[Corrected[CreditsPurchased]], list(bought))

    def versions(self, *kinds: type[Fact]) -> tuple[int, ...]:
        """The versions that prove the contract's facts of some types."""
        return tuple(sorted(v for told in self.facts if isinstance(told.fact, kinds) for v in told.versions))

    def versions_about(self, system: str) -> tuple[int, ...]:
        """The versions that prove when a connected system was declared and withdrawn (S1)."""
        return tuple(
            sorted(
                version
                for told in self.facts
                if isinstance(told.fact, ConnectedSystemFact) and told.fact.system == system
                for version in told.versions
            )
        )


@dataclass
class IncidentAsOf:
    """One incident as told: its opening is told, its facts are in order of meaning.

    `next_at`: the instant of the first fact on record that is not told yet because it is later than as_of.
    """

    incident: Incident
    opened: IncidentOpened
    contract: ContractAsOf | None
    answer: CoverageDecision
    facts: Sequence[Corrected[Fact]]
    findings: list[Finding]
    route: Route
    next_at: int | None = None

    @property
    def contract_name(self) -> str | None:
        """The contract it comes under, or the one it names though nobody has signed it."""
        return self.contract.contract.id if self.contract else self.opened.contract

    @property
    def ends_with(self) -> int | None:
        """The instant at which the contract's end voids its clocks; a request under no guarantee is only measured."""
        if self.contract is None or not self.answer.guaranteed:
            return None
        return self.contract.contract.in_force_until(self.opened.at)

    @property
    def disclosed(self) -> bool | None:
        """Whether its contract had the system that it affects declared at its opening (S1); None where there is none.

        None, too, where it comes under no contract: then nobody had to tell anybody of it.
        """
        if self.opened.system is None or self.contract is None:
            return None
        return self.contract.contract.declared(self.opened.system, self.opened.at)

    @property
    def hours(self) -> ServiceHours:
        """Which working hours its clocks run in (H1, H2)."""
        return ServiceHours.DATA_CENTRE if self.opened.data_centre else ServiceHours.STANDARD

    @property
    def opening_versions(self) -> tuple[int, ...]:
        """The versions of its stream that prove what its opening says."""
        return next(told.versions for told in self.facts if isinstance(told.fact, IncidentOpened))

    @property
    def versions(self) -> tuple[int, ...]:
        """Every version of its stream that the judgement rests on."""
        return tuple(sorted({v for told in self.facts for v in told.versions}))


class Replay:
    """A history told under one reading, as of one instant (microseconds UTC)."""

    def __init__(
        self, history: History, reading: Reading, as_of: int, contracts_as_of: Mapping[str, ContractAsOf] | None = None
    ) -> None:
        """`contracts_as_of`: those already told of the same facts, for what an earlier telling need not do again."""
        self.history = history
        self.reading = reading
        self.as_of = as_of
        self.contracts_as_of = dict(contracts_as_of or {})

    def of_incidents(self, incidents: Mapping[str, Sequence[Entry]]) -> "Replay":
        """The same contracts, told with some incidents."""
        return self._with_these_contracts(replace(self.history, incidents=incidents), self.as_of)

    def later(self, as_of: int) -> "Replay":
        """The same told as of a later instant, by which nothing more of the contracts is told."""
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
        """When the next fact on record of any contract or account will be told."""
        names = {*self.history.contracts, *self.history.accounts}
        return earliest(*(self.contract(name).next_at for name in names))

    def contract(self, name: str) -> ContractAsOf:
        """A contract as told; unsigned where no signature is told."""
        if name not in self.contracts_as_of:
            facts, later = self._told(self.history.contracts.get(name, ()))
            account_facts, account_later = self._told(self.history.accounts.get(name, ()))
            self.contracts_as_of[name] = ContractAsOf(
                contracts.fold(name, (cast(ContractFact, told.fact) for told in facts)),
                accounts.fold(name, (cast(CreditFact, told.fact) for told in account_facts)),
                facts,
                account_facts,
                earliest(later, account_later),
            )
        return self.contracts_as_of[name]

    @cached_property
    def signed_contracts(self) -> list[ContractAsOf]:
        """Every signed contract, by name."""
        told = (self.contract(name) for name in sorted(self.history.contracts))
        return [contract for contract in told if contract.contract.signed]

    @cached_property
    def _by_customer(self) -> Mapping[str, Sequence[Contract]]:
        return _indexed((told.contract for told in self.signed_contracts), lambda contract: contract.customers)

    @cached_property
    def _by_system(self) -> Mapping[str, Sequence[Contract]]:
        return _indexed(
            (told.contract for told in self.signed_contracts), lambda contract: contract.systems_ever_declared
        )

    def incident(self, name: str) -> IncidentAsOf | None:
        """An incident as told, or None where its opening is not (yet) told."""
        facts, later = self._told(self.history.incidents.get(name, ()))
        opening = next((told for told in facts if isinstance(told.fact, IncidentOpened)), None)
        if opening is None:
            return None
        opened = cast(IncidentOpened, opening.fact)
        facts, findings = _not_before(opened.at, facts)
        route = self._route(opened)
        contract = self.contract(route.contract.id) if route.contract else None
        answer = cover(
            contract.contract if contract else None,
            contract.account if contract else None,
            opened.requested_by,
            opened.at,
        )
        if (answer.coverage, answer.reason) != (opened.answer.coverage, opened.answer.reason):
            findings.append(_coverage_differs(opened.answer, answer, opening.version))
        if route.why:
            findings.append(_unrouted(opened, route, opening.version))
        incident = incidents.fold(name, (cast(IncidentFact, told.fact) for told in facts))
        return IncidentAsOf(incident, opened, contract, answer, facts, findings, route, later)

    def next_at(self, incident: str) -> int | None:
        """The instant of the first fact of an incident that is on record and not told yet."""
        return self._told(self.history.incidents.get(incident, ()))[1]

    def incidents(self) -> Iterable[IncidentAsOf]:
        """Every incident whose opening is told."""
        told = (self.incident(name) for name in self.history.incidents)
        return (incident for incident in told if incident)

    def _told(self, entries: Sequence[Entry]) -> tuple[list[Corrected[Fact]], int | None]:
        """The facts of a stream told by as_of, in order of meaning, and when the next one on record will be."""
        facts = corrected(((entry.version, entry.fact) for entry in entries), self.reading.counts)
        counting = [told for told in facts if self.reading.counts(told.fact)]
        by_then = [told for told in counting if told.fact.at <= self.as_of or _whatever_its_date(told.fact)]
        later = None
        if len(by_then) < len(counting):
            later = min(t.fact.at for t in counting if t.fact.at > self.as_of and not _whatever_its_date(t.fact))
        return sorted(by_then, key=lambda told: (_order(told.fact), told.version)), later

    def _route(self, opened: IncidentOpened) -> Route:
        told_of_it = chain(
            self._by_customer.get(opened.customer or "", ()), self._by_system.get(opened.system or "", ())
        )
        return routed(
            opened.contract,
            opened.customer,
            opened.system,
            opened.at,
            lambda name: self.contract(name).contract,
            lambda: told_of_it,
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
    early = [told for told in facts if told.fact.at < opened_at and not isinstance(told.fact, ResponsibilityAttributed)]
    if not early:
        return list(facts), []
    moved = {told.version: told._replace(fact=told.fact.model_copy(update={"at": opened_at})) for told in early}
    versions = tuple(sorted(moved))
    finding = Finding("dated_before_opening", "R3", "dated before the opening: counted at the opening", versions)
    # Not sorted anew: among those moved to the opening, what occurred first stays first.
    return [moved.get(told.version, told) for told in facts], [finding]


def _coverage_differs(given: CoverageDecision, now: CoverageDecision, version: int) -> Finding:
    was, is_now = (str(answer.reason or answer.coverage) for answer in (given, now))
    return Finding("coverage_differs", "G2", f"recorded as {was}; by the facts now known it was {is_now}", (version,))


def _unrouted(opened: IncidentOpened, route: Route, version: int) -> Finding:
    code = "contract_unsigned" if Unrouted.CONTRACT_UNSIGNED in route.why else "unrouted"
    return Finding(code, "G2", "; ".join(_why(why, opened, route) for why in route.why), (version,))


def _why(why: Unrouted, opened: IncidentOpened, route: Route) -> str:
    match why:
        case Unrouted.CONTRACT_UNSIGNED:
            return f"names contract {opened.contract}, which nobody has signed"
        case Unrouted.NOTHING_NAMED:
            return "names no contract, no customer and no system"
        case Unrouted.NO_SUCH_CUSTOMER:
            return f"names customer {opened.customer}, whom no contract lists"
        case Unrouted.CUSTOMER_NOT_IN_FORCE:
            return f"names customer {opened.customer}, whom no contract in force then lists"
        case Unrouted.NO_SUCH_SYSTEM:
            return f"names system {opened.system}, of which no contract was ever told"
        case Unrouted.SYSTEM_NOT_DECLARED:
            return f"names system {opened.system}, which no contract in force then had declared"
        case Unrouted.SEVERAL_CONTRACTS:
            rivals = ", ".join(route.rivals)
            return f"names system {opened.system}, which several contracts in force then had declared: {rivals}"
        case _:
            assert_never(why)
