"""A contract and an incident, computed from the facts that count at an instant. `replay.py` makes them."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, cast

from domain import contract as contracts
from domain.calendar_rules import ServiceHours
from domain.contract import Contract
from domain.contract_facts import (
    CalendarAdopted,
    ConnectedSystemFact,
    ContractFact,
    ContractRenewed,
    ContractSigned,
    ContractTerminated,
    CoverageExtended,
    OptionActivated,
    OptionEnded,
    ServiceLevelRevised,
)
from domain.coverage import CoverageDecision
from domain.credit_facts import CreditsPurchased, CreditsRefunded
from domain.credits import CreditAccount
from domain.facts import Fact
from domain.incident import Incident
from domain.incident_facts import IncidentOpened
from domain.interval import Interval
from domain.local_time import local_day
from domain.rectification import Corrected
from domain.routing import Route
from domain.working_time import WorkingCalendar
from projections.changes import Change
from projections.findings import Finding
from projections.history import Entry
from projections.readings import WindowKind
from projections.statements import NO_ACCORD, Accord, StatementOnRecord
from projections.windows import next_edge, windows

GUARANTEE = (
    ContractSigned,
    ContractRenewed,
    OptionActivated,
    OptionEnded,
    ServiceLevelRevised,
    ContractTerminated,
)
"""The facts of a contract that say whether a request is guaranteed, and which times."""


class Basis(NamedTuple):
    """The versions of other streams that the judgement of a request rests on.

    Of the contract's stream what says whether and with which times it is guaranteed, and what makes its working hours;
    of the account's stream what is dated by the opening.
    """

    contract: Sequence[int]
    calendar: Sequence[int]
    credits: Sequence[int]


@dataclass
class ContractAsOf:
    """One contract as of an instant, with its account and its compiled calendars.

    `next_at`: when the first fact on record, of either, occurs that does not count yet because it is later than as_of.
    `changes`: those of its guarantees; `contested`: those of them that judge no request that came in before they were
    told, because one party alone says so. `statements`: what a party may contest, of it and of its account.
    `bearing`: its own facts, as recorded, by which requests are judged and counted; `account_bearing`: those of its
    account, by which they are covered and the base of a penalty is counted. `claimed`: the versions that tell a party's
    word by a source that is not its own, while it has none.
    """

    contract: Contract
    account: CreditAccount
    facts: Sequence[Corrected[Fact]]
    account_facts: Sequence[Corrected[Fact]]
    next_at: int | None = None
    accord: Accord = NO_ACCORD
    changes: Sequence[Change] = ()
    contested: Sequence[Change] = ()
    statements: Sequence[StatementOnRecord] = ()
    account_statements: Sequence[StatementOnRecord] = ()
    bearing: Sequence[Entry] = ()
    account_bearing: Sequence[Entry] = ()
    claimed: Sequence[int] = ()
    _told_of_credits: dict[Interval, Sequence[int]] = field(default_factory=dict)
    _without: dict[tuple[int, ...], "ContractAsOf"] = field(default_factory=dict)
    _calendars: dict[ServiceHours, WorkingCalendar] = field(default_factory=dict)
    _too_late: dict[ServiceHours, Sequence[Interval]] = field(default_factory=dict)

    def calendar(self, hours: ServiceHours) -> WorkingCalendar | None:
        """The working calendar of the contract for one kind of service; None where it is not signed."""
        if self.contract.signed is None:
            return None
        if hours not in self._calendars:
            self._calendars[hours] = WorkingCalendar(self.contract.zone, self.contract.adopted(hours))
        return self._calendars[hours]

    def extended_too_late(self, hours: ServiceHours) -> Sequence[Interval]:
        """The local days that an agreement made too late does not extend (H4)."""
        if hours not in self._too_late:
            days = self.contract.agreed_too_late(hours)
            self._too_late[hours] = [Interval(*local_day(self.contract.zone, day)) for day in days]
        return self._too_late[hours]

    @cached_property
    def purchases(self) -> list[Corrected[CreditsPurchased]]:
        """What was bought, with the versions that prove it."""
        bought = (one for one in self.account_facts if isinstance(one.fact, CreditsPurchased))
        return cast(list[Corrected[CreditsPurchased]], list(bought))

    @cached_property
    def refunds(self) -> list[Corrected[CreditsRefunded]]:
        """What was given back, with the versions that prove it."""
        refunded = (one for one in self.account_facts if isinstance(one.fact, CreditsRefunded))
        return cast(list[Corrected[CreditsRefunded]], list(refunded))

    def for_request(self, opened_at: int) -> "ContractAsOf":
        """The contract as it judges a request of this instant: without what was told afterwards and is contested."""
        aside = tuple(change.version for change in self.contested if change.told_after(opened_at))
        if not aside:
            return self
        if aside not in self._without:
            facts = [one for one in self.facts if one.version not in aside]
            contract = contracts.fold(self.contract.id, (cast(ContractFact, one.fact) for one in facts))
            self._without[aside] = replace(
                self,
                contract=contract,
                facts=facts,
                contested=(),
                _calendars={},
                _too_late={},
                _without={},
                _told_of_credits={},
            )
        return self._without[aside]

    @cached_property
    def _measured(self) -> Contract:
        """The contract whose windows are measured: a contested end counts for them once it had been told."""
        told = {change.version: change.recorded_at for change in self.contested}
        if not told:
            return self.contract
        facts = (
            one.fact.model_copy(update={"effective": max(one.fact.effective, told[one.version])})
            if isinstance(one.fact, ContractTerminated) and one.version in told
            else one.fact
            for one in self.facts
        )
        return contracts.fold(self.contract.id, (cast(ContractFact, fact) for fact in facts))

    def windows(self, kind: WindowKind, as_of: int) -> list[Interval]:
        """The windows of its ratio begun by `as_of` (P1)."""
        return windows(self._measured, kind, as_of)

    def next_edge(self, kind: WindowKind, as_of: int) -> int | None:
        """The first instant after `as_of` at which one of them begins or ends; None where none does."""
        return next_edge(self._measured, kind, as_of)

    def told_of_credits(self, window: Interval) -> Sequence[int]:
        """When the facts of its credits were recorded that a window's figures rest on, and that its end preceded."""
        if window not in self._told_of_credits:
            after = [one for one in self.account_bearing if window.ended_by(one.recorded_at)]
            self._told_of_credits[window] = [one.recorded_at for one in after if one.bears_on(window)]
        return self._told_of_credits[window]

    def basis(self, opened_at: int) -> Basis:
        """What the judgement of a request of this instant rests on."""
        contract, calendar = self._guarantee
        by_then = bisect_right(self.account_facts, opened_at, key=lambda one: one.fact.at)
        account = sorted(version for one in self.account_facts[:by_then] for version in one.versions)
        return Basis(contract, calendar, account)

    @cached_property
    def _guarantee(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self.versions(*GUARANTEE), self.versions(CalendarAdopted, CoverageExtended)

    def versions(self, *kinds: type[Fact]) -> tuple[int, ...]:
        """The versions that prove the contract's facts of some types."""
        return tuple(sorted(v for one in self.facts if isinstance(one.fact, kinds) for v in one.versions))

    def versions_of(self, facts: Sequence[Fact]) -> tuple[int, ...]:
        """The versions that prove some of the contract's facts."""
        return tuple(sorted(v for one in self.facts if any(one.fact is fact for fact in facts) for v in one.versions))

    def versions_about(self, system: str) -> tuple[int, ...]:
        """The versions that prove when a connected system was declared and withdrawn (S1)."""
        return tuple(
            sorted(
                version
                for one in self.facts
                if isinstance(one.fact, ConnectedSystemFact) and one.fact.system == system
                for version in one.versions
            )
        )


@dataclass
class IncidentAsOf:
    """One incident, opened by then, as of an instant; `facts` by instant. `decision`: its coverage by the facts known.

    `next_at`: when the first fact on record occurs that does not count yet because it is later than as_of.
    `recorded`: where and when each of its facts on record was recorded; `statements`: what a party may contest.
    """

    incident: Incident
    opened: IncidentOpened
    contract: ContractAsOf | None
    decision: CoverageDecision
    facts: Sequence[Corrected[Fact]]
    findings: list[Finding]
    route: Route
    next_at: int | None = None
    recorded: Sequence[Entry] = ()
    statements: Sequence[StatementOnRecord] = ()

    @property
    def contract_name(self) -> str | None:
        """The contract it comes under, or the one it names though nobody has signed it."""
        return self.contract.contract.id if self.contract else self.opened.contract

    @property
    def ends_with(self) -> int | None:
        """The instant at which the contract's end voids its clocks; a request under no guarantee is only measured."""
        if self.contract is None or not self.decision.guaranteed:
            return None
        return self.contract.contract.in_force_until(self.opened.at)

    @property
    def disclosed(self) -> bool | None:
        """Whether its contract had the system that it affects declared at its opening (S1); None where it names none.

        None, too, where it comes under no contract: then nobody had to declare it to anybody.
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
        return next(one.versions for one in self.facts if isinstance(one.fact, IncidentOpened))

    @property
    def versions(self) -> tuple[int, ...]:
        """Every version of its stream that the judgement rests on."""
        return tuple(sorted({version for one in self.facts for version in one.versions}))
