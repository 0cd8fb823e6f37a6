"""Where a request leads: to the contract it names, or by its customer key, or by its connected system (G1, S1).

Never by a guess: a customer key belongs to one contract at an instant, and a system that several contracts in force
have declared leads to none of them.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from itertools import product
from typing import NamedTuple

from domain.contract import Contract
from domain.facts import Rejected


class Unrouted(StrEnum):
    """Why a name that a request gives leads to no contract."""

    NOTHING_NAMED = "nothing_named"
    CONTRACT_UNSIGNED = "contract_unsigned"
    NO_SUCH_CUSTOMER = "no_such_customer"
    CUSTOMER_NOT_IN_FORCE = "customer_not_in_force"
    NO_SUCH_SYSTEM = "no_such_system"
    SYSTEM_NOT_DECLARED = "system_not_declared"
    SEVERAL_CONTRACTS = "several_contracts"


class Route(NamedTuple):
    """Where a request leads: to a contract, or to none, and why for each name it gives.

    `rivals`: the contracts that each declared its system, where more than one did.
    """

    contract: Contract | None
    why: tuple[Unrouted, ...] = ()
    rivals: tuple[str, ...] = ()


def routed(
    name: str | None,
    customer: str | None,
    system: str | None,
    at: int,
    called: Callable[[str], Contract],
    every: Callable[[], Iterable[Contract]],
) -> Route:
    """Where a request opened at `at` leads: to the contract it names, else by its customer key, else by its system.

    A named contract without a signature is treated as no contract. A customer key leads to the contract in force
    that lists it (G1), an affected system to the only one in force that has declared it (S1): where several have, to
    none, for that would be a guess. `called` gives a contract by name; `every` all contracts, or at least all that ever
    listed the customer or declared the system.
    """
    if name is not None:
        named = called(name)
        return Route(named) if named.signed else Route(None, (Unrouted.CONTRACT_UNSIGNED,))
    if customer is None and system is None:
        return Route(None, (Unrouted.NOTHING_NAMED,))
    contracts = {contract.id: contract for contract in every()}.values()
    by_customer = _by_customer(customer, at, contracts) if customer is not None else Route(None)
    if by_customer.contract or system is None:
        return by_customer
    by_system = _by_system(system, at, contracts)
    return by_system if by_system.contract else by_system._replace(why=by_customer.why + by_system.why)


def _by_customer(customer: str, at: int, contracts: Iterable[Contract]) -> Route:
    listing = [contract for contract in contracts if customer in contract.customers]
    if not listing:
        return Route(None, (Unrouted.NO_SUCH_CUSTOMER,))
    in_force = next((contract for contract in listing if contract.routes(customer, at)), None)
    return Route(in_force) if in_force else Route(None, (Unrouted.CUSTOMER_NOT_IN_FORCE,))


def _by_system(system: str, at: int, contracts: Iterable[Contract]) -> Route:
    knowing = [contract for contract in contracts if system in contract.systems_ever_declared]
    if not knowing:
        return Route(None, (Unrouted.NO_SUCH_SYSTEM,))
    taking = [contract for contract in knowing if contract.takes(system, at)]
    if len(taking) > 1:
        return Route(None, (Unrouted.SEVERAL_CONTRACTS,), tuple(sorted(contract.id for contract in taking)))
    return Route(taking[0]) if taking else Route(None, (Unrouted.SYSTEM_NOT_DECLARED,))


def refuse_shared_customers(contract: Contract, others: Iterable[Contract], field: str) -> None:
    """Raise Rejected where a customer key of `contract`, as it would be, is another contract's at some instant."""
    for other in others:
        if contract.signed is None or other.signed is None or other.id == contract.id:
            continue
        shared = sorted(set(contract.signed.customers) & set(other.signed.customers))
        pairs = product(contract.in_force_intervals, other.in_force_intervals)
        if shared and any(one.meets(another) for one, another in pairs):
            raise Rejected(
                "G1", field, f"customer {shared[0]} already comes under contract {other.id} in that time: "
                "a customer key belongs to one contract at an instant"
            )  # fmt: skip
