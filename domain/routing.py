"""Where a request leads: to the contract it names, or by its customer key, or by its connected system (G1, S1).

Never by a guess: a customer key that several contracts in force list leads to none of them, and so does a system that
several have declared.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

from domain.contract import Contract


class Unrouted(StrEnum):
    """Why a name that a request gives leads to no contract."""

    NOTHING_NAMED = "nothing_named"
    CONTRACT_UNSIGNED = "contract_unsigned"
    NO_SUCH_CUSTOMER = "no_such_customer"
    CUSTOMER_NOT_IN_FORCE = "customer_not_in_force"
    NO_SUCH_SYSTEM = "no_such_system"
    SYSTEM_NOT_DECLARED = "system_not_declared"
    SEVERAL_CONTRACTS = "several_contracts"
    CUSTOMER_OF_SEVERAL = "customer_of_several"


class Route(NamedTuple):
    """Where a request leads: to a contract, or to none, and why for each name it gives.

    `rivals`: the contracts that each list its customer or declared its system, where more than one does.
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

    A named contract without a signature is treated as no contract. A customer key leads to the only contract in force
    that lists it (G1), an affected system to the only one in force that has declared it (S1): where there are several,
    to none, for that would be a guess. `called` gives a contract by name; `every` all contracts, or at least all that
    ever listed the customer or declared the system.
    """
    if name is not None:
        named = called(name)
        return Route(named) if named.signed else Route(None, (Unrouted.CONTRACT_UNSIGNED,))
    if customer is None and system is None:
        return Route(None, (Unrouted.NOTHING_NAMED,))
    contracts = {contract.id: contract for contract in every()}.values()
    by_customer = _by_customer(customer, at, contracts) if customer is not None else Route(None)
    if by_customer.contract or system is None or by_customer.rivals:
        return by_customer
    by_system = _by_system(system, at, contracts)
    return by_system if by_system.contract else by_system._replace(why=by_customer.why + by_system.why)


def _by_customer(customer: str, at: int, contracts: Iterable[Contract]) -> Route:
    listing = [contract for contract in contracts if customer in contract.customers]
    if not listing:
        return Route(None, (Unrouted.NO_SUCH_CUSTOMER,))
    in_force = [contract for contract in listing if contract.routes(customer, at)]
    if len(in_force) > 1:
        return Route(None, (Unrouted.CUSTOMER_OF_SEVERAL,), tuple(sorted(contract.id for contract in in_force)))
    return Route(in_force[0]) if in_force else Route(None, (Unrouted.CUSTOMER_NOT_IN_FORCE,))


def _by_system(system: str, at: int, contracts: Iterable[Contract]) -> Route:
    knowing = [contract for contract in contracts if system in contract.systems_ever_declared]
    if not knowing:
        return Route(None, (Unrouted.NO_SUCH_SYSTEM,))
    taking = [contract for contract in knowing if contract.takes(system, at)]
    if len(taking) > 1:
        return Route(None, (Unrouted.SEVERAL_CONTRACTS,), tuple(sorted(contract.id for contract in taking)))
    return Route(taking[0]) if taking else Route(None, (Unrouted.SYSTEM_NOT_DECLARED,))
