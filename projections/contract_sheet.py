"""A contract on a date, as its facts say: what is in force of it, what it contains, what is left of its credits.

Clauses G1, G2, A3, A6, P1, P2, S1, H1, H2: what somebody looks up before arguing about a figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.calendar_rules import ServiceHours
from domain.contract_facts import ContractRenewed, ContractSigned, ContractTerminated, ServiceLevelRevised
from domain.interval import Interval
from domain.penalty_facts import PenaltyClaimed, PenaltySettled, PenaltyWaived
from domain.terms import Levels, Option, Service, Terms
from domain.values import moment
from domain.working_time import OutsideCoverage
from domain.zone_rules import Zone
from projections.as_of import ContractAsOf
from projections.credit_balance import CreditRow, credit_row
from projections.replay import Replay
from projections.windows import windows
from projections.working_days import WorkingDay, working_days


@dataclass(frozen=True)
class ContractSheet:
    """One signed contract as of an instant (microseconds UTC); all instants are so.

    `in_force`: the times in which it is, half-open. `days`: the local day of that instant, by kind of working hours;
    none where no calendar covers it. `versions`: those of the contract's facts on which terms, term and levels rest.
    """

    name: str
    as_of: int
    signed_at: int
    in_force: tuple[Interval, ...]
    is_in_force: bool
    customers: tuple[str, ...]
    zone: Zone
    terms: Terms
    levels: Levels
    options: Mapping[Service, Option]
    days: Mapping[ServiceHours, WorkingDay]
    systems: tuple[str, ...]
    credits: CreditRow
    windows: tuple[Interval, ...]
    penalty_steps: tuple[PenaltyClaimed | PenaltyWaived | PenaltySettled, ...]
    versions: tuple[int, ...]


def contract_sheet(replay: Replay, name: str) -> ContractSheet | None:
    """The sheet of one contract under the replay's reading, as of its instant; None where it is not signed by then."""
    found, as_of = replay.contract(name), replay.as_of
    contract, signed = found.contract, found.contract.signed
    if signed is None:
        return None
    options = {service: contract.option(service, as_of) for service in Service}
    return ContractSheet(
        name=name,
        as_of=as_of,
        signed_at=signed.at,
        in_force=contract.in_force_intervals,
        is_in_force=contract.in_force(as_of),
        customers=tuple(sorted(contract.customers)),
        zone=contract.zone,
        terms=signed.terms,
        levels=contract.levels(as_of),
        options={service: option for service, option in options.items() if option is not None},
        days={hours: day for hours in ServiceHours if (day := _day(found, hours, as_of))},
        systems=tuple(sorted(one for one in contract.systems_ever_declared if contract.declared(one, as_of))),
        credits=credit_row(replay, name),
        windows=tuple(windows(contract, replay.reading.window, as_of)),
        penalty_steps=(*contract.claims, *contract.waivers, *contract.settlements),
        versions=found.versions(ContractSigned, ContractRenewed, ContractTerminated, ServiceLevelRevised),
    )


def _day(contract: ContractAsOf, hours: ServiceHours, as_of: int) -> WorkingDay | None:
    day = moment(as_of).astimezone(contract.contract.zone).date()
    try:
        return next(iter(working_days(contract, hours, day, day)))
    except OutsideCoverage:
        return None
