"""A contract and an incident, computed from the facts that count at an instant. `replay.py` makes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from domain.calendar_rules import ServiceHours
from domain.contract import Contract
from domain.contract_facts import ConnectedSystemFact
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
from projections.findings import Finding


@dataclass
class ContractAsOf:
    """One contract as of an instant, with its account and its compiled calendars.

    `next_at`: when the first fact on record, of either, occurs that does not count yet because it is later than as_of.
    """

    contract: Contract
    account: CreditAccount
    facts: Sequence[Corrected[Fact]]
    account_facts: Sequence[Corrected[Fact]]
    next_at: int | None = None
    _calendars: dict[ServiceHours, WorkingCalendar] = field(default_factory=dict)
    _too_late: dict[ServiceHours, Sequence[Interval]] = field(default_factory=dict)

    def calendar(self, hours: ServiceHours) -> WorkingCalendar | None:
        """The working calendar of the contract for one kind of service; None where it is not signed."""
        signed = self.contract.signed
        if signed is None:
            return None
        if hours not in self._calendars:
            self._calendars[hours] = WorkingCalendar(signed.terms.time_zone, self.contract.adopted(hours))
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

    def versions(self, *kinds: type[Fact]) -> tuple[int, ...]:
        """The versions that prove the contract's facts of some types."""
        return tuple(sorted(v for one in self.facts if isinstance(one.fact, kinds) for v in one.versions))

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
    """

    incident: Incident
    opened: IncidentOpened
    contract: ContractAsOf | None
    decision: CoverageDecision
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
