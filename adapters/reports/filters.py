"""Filters: options that pick rows of a report. Each report declares those that it knows, and what they ask of a row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from adapters.reports.columns import JsonRow, R
from domain.interval import Interval
from domain.values import instant_text
from projections.replay import Replay

Filter = Callable[[R, Any], bool]
"""Whether a row is picked by what is asked for: for `customer` the customer's contracts, else what was given."""


@dataclass(frozen=True)
class Filters:
    """Which rows are wanted; all of them where nothing is given. Instants in microseconds UTC, inclusive."""

    late: bool = False
    passed: bool = False
    priority: int | None = None
    customer: str | None = None
    since: int | None = None
    until: int | None = None

    @property
    def given(self) -> dict[str, Any]:
        """Those that are asked for, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value not in (None, False)}

    def as_json(self) -> JsonRow:
        """Those that are asked for, as the manifest has them."""
        return {
            name: instant_text(value) if name in ("since", "until") else value for name, value in self.given.items()
        }


EVERYTHING = Filters()


def contracts_of(customer: str, replay: Replay) -> frozenset[str]:
    """The signed contracts of a customer, by one of its keys."""
    signed = (known.contract for known in replay.signed_contracts)
    return frozenset(contract.id for contract in signed if customer in contract.customers)


def by_contract(contract: Callable[[R], str | None]) -> Mapping[str, Filter[R]]:
    """Rows of the customer's contracts."""
    return {"customer": lambda row, contracts: contract(row) in contracts}


def by_instant(at: Callable[[R], int | None]) -> Mapping[str, Filter[R]]:
    """Rows whose instant lies in the time asked about; none of those that have none."""

    def since(row: R, wanted: int) -> bool:
        instant = at(row)
        return instant is not None and instant >= wanted

    def until(row: R, wanted: int) -> bool:
        instant = at(row)
        return instant is not None and instant <= wanted

    return {"since": since, "until": until}


def by_interval(interval: Callable[[R], Interval | None]) -> Mapping[str, Filter[R]]:
    """Rows whose interval, half-open, meets the time asked about; none of those that have none."""

    def since(row: R, wanted: int) -> bool:
        found = interval(row)
        return found is not None and (found.end is None or found.end > wanted)

    def until(row: R, wanted: int) -> bool:
        found = interval(row)
        return found is not None and found.start <= wanted

    return {"since": since, "until": until}
