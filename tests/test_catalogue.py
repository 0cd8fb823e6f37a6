"""The stored types: every one has its golden file, is read and written without change, and folds."""

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from pydantic import ValidationError
from support.examples import rectify

from domain import contract, credits, incident
from domain.catalogue import COMMANDS, FACTS, Catalogue, UnknownFactType
from domain.contract import Contract
from domain.contract_facts import ContractFact
from domain.credit_facts import CreditFact
from domain.credits import CreditAccount
from domain.facts import Command, Fact
from domain.incident import Incident
from domain.incident_facts import IncidentFact, OpenIncident
from domain.record_facts import RecordAgreed, RecordFact
from domain.values import Minutes, Text

GOLDEN = Path(__file__).resolve().parent / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.json"))
ANY_TYPE = pytest.mark.parametrize("name", NAMES)


@cache
def golden(name: str) -> dict[str, Any]:
    """The golden file of a type: {"type": ..., "state": {...}}."""
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return found


def stored(name: str) -> bytes:
    """The state of a golden file as it is stored."""
    return json.dumps(golden(name)["state"], separators=(",", ":"), ensure_ascii=False).encode()


OLD = {name for name in NAMES if name != FACTS.read(name, stored(name)).TYPE}
"""The types that are written no more: an upcaster leads from each to the next."""
WRITTEN = pytest.mark.parametrize("name", [name for name in NAMES if name not in OLD])

# --- golden files -----------------------------------------------------------------------------------------------


def test_every_type_has_its_golden_file_and_every_golden_file_its_type() -> None:
    assert sorted(FACTS.types) == NAMES


@ANY_TYPE
def test_a_golden_file_is_called_after_its_type(name: str) -> None:
    assert golden(name)["type"] == name
    assert set(golden(name)) == {"type", "state"}


@WRITTEN
def test_a_stored_fact_is_read_and_written_again_byte_for_byte(name: str) -> None:
    fact = FACTS.read(name, stored(name))
    assert name == fact.TYPE
    assert FACTS.write(fact) == stored(name)


@pytest.mark.parametrize("name", sorted(OLD))
def test_a_fact_of_an_old_type_is_read_as_the_next_with_all_that_it_says(name: str) -> None:
    state = json.loads(FACTS.write(FACTS.read(name, stored(name))))
    assert {field: state[field] for field in golden(name)["state"]} == golden(name)["state"]


@WRITTEN
def test_a_golden_file_shows_every_field_of_its_type(name: str) -> None:
    fact = FACTS.read(name, stored(name))
    where_given = {field for field, declared in type(fact).model_fields.items() if declared.exclude_if}
    assert set(golden(name)["state"]) | where_given == set(type(fact).model_fields)
    assert not [field for field in golden(name)["state"].values() if field is None or field == []]


@ANY_TYPE
def test_what_is_stored_names_no_python_and_holds_no_float(name: str) -> None:
    assert not re.search(rb"domain|Decimal|Fraction|datetime|<", stored(name))
    assert not [leaf for leaf in leaves(golden(name)["state"]) if isinstance(leaf, float)]
    assert type(golden(name)["state"]["at"]) is int


def leaves(value: Any) -> list[Any]:
    """Every scalar in a JSON value."""
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


@ANY_TYPE
def test_a_state_that_lacks_a_field_or_has_another_is_no_fact(name: str) -> None:
    state = golden(name)["state"]
    with pytest.raises(ValueError, match="at"):
        FACTS.read(name, json.dumps({key: value for key, value in state.items() if key != "at"}).encode())
    with pytest.raises(ValueError, match="colour"):
        FACTS.read(name, json.dumps({**state, "colour": "red"}).encode())


@pytest.mark.parametrize("state", [b"", b"{", b"[]", b"null", b"\xff", b'{"at":1}{"at":1}'])
def test_a_state_that_is_no_json_object_is_no_fact(state: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        FACTS.read("incident.resolved.v1", state)


@ANY_TYPE
def test_a_fact_does_not_change(name: str) -> None:
    fact = FACTS.read(name, stored(name))
    with pytest.raises(ValidationError, match="frozen"):
        fact.at = 0  # type: ignore[misc]


# --- names ------------------------------------------------------------------------------------------------------


def test_stored_types_are_names_with_a_version() -> None:
    for name in FACTS.types:
        assert re.fullmatch(r"(contract|credits|incident|record)\.[a-z_]+\.v[1-9]", name)


def test_message_types_are_names_with_a_version_and_say_what_they_are_about() -> None:
    for name, command in COMMANDS.items():
        assert name == command.TYPE
        assert re.fullmatch(r"verbale\.(contract|credits|incident|record)\.[a-z_]+\.v[1-9]", name)
    assert COMMANDS["verbale.incident.open.v1"] is OpenIncident


def concrete(kind: type[Any]) -> set[type[Any]]:
    """The classes of facts (or commands) that the domain defines under `kind`."""
    found = {kind} if "TYPE" in vars(kind) else set()
    return {one for child in kind.__subclasses__() for one in concrete(child)} | found


def test_no_fact_and_no_command_of_the_domain_is_left_out() -> None:
    facts = {fact for fact in concrete(Fact) if fact.__module__.startswith("domain.")}
    commands = {command for command in concrete(Command) if command.__module__.startswith("domain.")}
    assert {fact.TYPE for fact in facts} == set(FACTS.types) - OLD
    assert len(facts) == len(FACTS.types) - len(OLD)
    assert commands == set(COMMANDS.values())
    assert len(commands) == len(COMMANDS)


# --- completeness: every fact folds -----------------------------------------------------------------------------


def folds_of(union: Any) -> pytest.MarkDecorator:
    """Every type of fact of one aggregate, by name."""
    return pytest.mark.parametrize("name", sorted(fact.TYPE for fact in get_args(union)))


@folds_of(ContractFact)
def test_every_fact_of_a_contract_folds(name: str) -> None:
    fact = cast(ContractFact, FACTS.read(name, stored(name)))
    before = contract.fold("c", [cast(ContractFact, FACTS.read(one, stored(one))) for one in SIGNED])
    start = before if isinstance(fact, RecordFact) else Contract("c")
    after = contract.evolve(start, fact)
    assert after.record == (*start.record, fact)
    assert (after == replace(start, record=after.record)) is isinstance(fact, RecordAgreed)


@folds_of(CreditFact)
def test_every_fact_of_an_account_folds(name: str) -> None:
    fact = cast(CreditFact, FACTS.read(name, stored(name)))
    before = credits.fold("c", [cast(CreditFact, FACTS.read(one, stored(one))) for one in BOUGHT])
    start = before if isinstance(fact, RecordFact) else CreditAccount("c")
    after = credits.evolve(start, fact)
    assert after.record == (*start.record, fact)
    assert (after == replace(start, record=after.record)) is isinstance(fact, RecordAgreed)


@folds_of(IncidentFact)
def test_every_fact_of_an_incident_folds(name: str) -> None:
    fact = cast(IncidentFact, FACTS.read(name, stored(name)))
    before = incident.fold("i", [cast(IncidentFact, FACTS.read(one, stored(one))) for one in OPENED])
    start = before if isinstance(fact, RecordFact) else Incident("i")
    after = incident.evolve(start, fact)
    assert after.record == (*start.record, fact)
    assert (after == replace(start, record=after.record)) is isinstance(fact, RecordAgreed)


SIGNED = ("contract.signed.v1", "contract.option_activated.v1")
BOUGHT = ("credits.purchased.v1", "credits.shortfall_recorded.v1")
OPENED = ("incident.opened.v1", "incident.taken_in_charge.v1")


def test_the_aggregates_together_know_every_type() -> None:
    known = {fact.TYPE for union in (ContractFact, CreditFact, IncidentFact) for fact in get_args(union)}
    assert known == set(FACTS.types) - OLD


# --- upcasting --------------------------------------------------------------------------------------------------


class VisitPlanned(Fact):
    """An invented fact: its first version counted hours, and gave no reason."""

    TYPE = "visit.planned.v3"

    minutes: Minutes
    why: Text


def _v1_to_v2(fields: dict[str, Any]) -> dict[str, Any]:
    return {"at": fields["at"], "minutes": fields["hours"] * 60}


def _v2_to_v3(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "why": "not told"}


VISITS = Catalogue(
    [VisitPlanned],
    {"visit.planned.v1": ("visit.planned.v2", _v1_to_v2), "visit.planned.v2": ("visit.planned.v3", _v2_to_v3)},
)


@pytest.mark.parametrize(
    ("stored_type", "state"),
    [
        ("visit.planned.v1", {"at": 5, "hours": 2}),
        ("visit.planned.v2", {"at": 5, "minutes": 120}),
        ("visit.planned.v3", {"at": 5, "minutes": 120, "why": "not told"}),
    ],
)
def test_an_old_shape_is_read_as_the_new_one(stored_type: str, state: dict[str, Any]) -> None:
    fact = VISITS.read(stored_type, json.dumps(state).encode())
    assert fact == VisitPlanned(at=5, minutes=120, why="not told")


def test_what_was_read_from_an_old_shape_is_written_in_the_new_one() -> None:
    fact = VISITS.read("visit.planned.v1", b'{"at":5,"hours":2}')
    assert fact.TYPE == "visit.planned.v3"
    assert VISITS.read(fact.TYPE, VISITS.write(fact)) == fact


def test_old_types_are_among_those_that_can_be_read() -> None:
    assert set(VISITS.types) == {"visit.planned.v1", "visit.planned.v2", "visit.planned.v3"}


def test_an_old_state_that_becomes_no_fact_is_refused() -> None:
    with pytest.raises(ValueError, match="minutes"):
        VISITS.read("visit.planned.v1", b'{"at":5,"hours":0}')


def test_an_unknown_type_was_written_by_a_newer_verbale() -> None:
    with pytest.raises(UnknownFactType, match=r"incident\.opened\.v9.*newer"):
        FACTS.read("incident.opened.v9", b"{}")


def test_a_command_has_no_stored_type() -> None:
    for command in COMMANDS:
        with pytest.raises(UnknownFactType):
            FACTS.read(command, rectify(1, "at", 1).model_dump_json().encode())
