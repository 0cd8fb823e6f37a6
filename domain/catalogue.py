"""Every type under which a fact is stored, and every command a message may carry: the names that never change.

A released type keeps its shape for ever. A changed shape is a new type (`.v2`), and an upcaster reads the old one.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, get_args

from pydantic_core import from_json

from domain.contract_facts import ContractCommand, ContractFact
from domain.credit_facts import CreditCommand, CreditFact
from domain.facts import Command, Fact
from domain.incident_facts import IncidentCommand, IncidentFact

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


class UnknownFactType(ValueError):
    """A stored type that this version of Verbale does not know: a newer one wrote it."""


class Catalogue:
    """Reads and writes facts by their stored type; upcasters lead from an old type to the next."""

    def __init__(
        self, facts: Iterable[type[Fact]], upcasters: Mapping[str, tuple[str, Upcaster]] = MappingProxyType({})
    ) -> None:
        """`upcasters` maps an old type to the type that replaced it and the change of its fields."""
        self._facts = {fact.TYPE: fact for fact in facts}
        self._upcasters = dict(upcasters)

    @property
    def types(self) -> tuple[str, ...]:
        """Every type that can be read, old ones included."""
        return (*self._facts, *self._upcasters)

    def read(self, stored_type: str, state: bytes) -> Fact:
        """The fact stored as `state` (JSON). Raises UnknownFactType, or ValueError where the state does not fit."""
        fact = self._facts.get(stored_type)
        if fact is not None:
            return fact.model_validate_json(state)
        if stored_type not in self._upcasters:
            raise UnknownFactType(f"facts of type {stored_type} are unknown here: a newer Verbale wrote them")
        fields = from_json(state)
        while stored_type in self._upcasters:
            stored_type, upcast = self._upcasters[stored_type]
            fields = upcast(fields)
        return self._facts[stored_type].model_validate(fields)

    def write(self, fact: Fact) -> bytes:
        """The state to store: JSON of the fact's own fields."""
        return fact.model_dump_json().encode()


def _with_defaults(fields: dict[str, Any]) -> dict[str, Any]:
    """A shape to which fields were added: an old fact has their defaults."""
    return fields


_WITH_DEFAULTS = {
    "contract.calendar_adopted.v1": "contract.calendar_adopted.v2",
    "contract.option_ended.v1": "contract.option_ended.v2",
    "contract.renewed.v1": "contract.renewed.v2",
    "contract.service_level_revised.v1": "contract.service_level_revised.v2",
    "contract.terminated.v1": "contract.terminated.v2",
    "incident.closed.v1": "incident.closed.v2",
    "incident.taken_in_charge.v1": "incident.taken_in_charge.v2",
}
"""The old types to which the new one only adds: who says so and who agrees; whether a robot took charge;
 what is revoked; the rules of the time zone."""

FACTS = Catalogue(
    dict.fromkeys(get_args(ContractFact) + get_args(CreditFact) + get_args(IncidentFact)),
    {old: (new, _with_defaults) for old, new in _WITH_DEFAULTS.items()},
)

COMMANDS: Mapping[str, type[Command]] = MappingProxyType(
    {c.TYPE: c for c in get_args(ContractCommand) + get_args(CreditCommand) + get_args(IncidentCommand)}
)
