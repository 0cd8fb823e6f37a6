"""Requests that no contract takes: by customer key or system, dated, never guessed; and `verbale unrouted`."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.history import ACME, Journal, best_effort, opened, rectified, signed, terminated, under_contract, when
from support.messages import message, sign

from domain.contract_facts import ConnectedSystemDeclared, ConnectedSystemWithdrawn
from domain.incident_facts import IncidentOpened
from domain.routing import Unrouted
from projections.unrouted import UnroutedRow, unrouted

Run = Callable[..., tuple[int, str, str]]
NOBODYS = best_effort("no_contract", None)


def declared(system: str = "erp", at: str = "Mon 08:00") -> ConnectedSystemDeclared:
    return ConnectedSystemDeclared(at=when(at), system=system)


def withdrawn(system: str = "erp", at: str = "Mon 08:30") -> ConnectedSystemWithdrawn:
    return ConnectedSystemWithdrawn(at=when(at), system=system)


def asked(at: str = "Mon 09:00", **named: Any) -> IncidentOpened:
    """A request that names no contract unless told."""
    return opened(at, contract=named.pop("contract", None), answer=NOBODYS, **named)


def listed(journal: Journal, as_of: str = "Fri 18:00") -> dict[str, UnroutedRow]:
    return {row.incident: row for row in unrouted(journal.replay(as_of))}


# --- what the history says --------------------------------------------------------------------------------------


def test_a_request_that_names_a_system_comes_under_the_contract_that_declared_it() -> None:
    journal = under_contract().contract(declared()).incident("INC1", asked(system="erp"))
    assert (journal.row().contract, journal.row().answer.guaranteed) == (ACME, True)
    assert listed(journal) == {}


def test_it_counts_though_the_declaration_was_recorded_after_the_opening() -> None:
    journal = under_contract().incident("INC1", asked(system="erp"))
    assert listed(journal)["INC1"].route.why == (Unrouted.NO_SUCH_SYSTEM,)
    late = journal.contract(declared(), recorded="Thu 09:00")
    assert late.row().contract == ACME
    assert late.known_on("Wed 09:00").row().contract is None


def test_a_system_withdrawn_before_the_opening_or_declared_after_it_leads_nowhere() -> None:
    journal = under_contract().contract(declared(), withdrawn(), declared("crm", "Mon 09:00:01"))
    journal.incident("A", asked(system="erp")).incident("B", asked(system="crm"))
    assert {name: row.route.why for name, row in listed(journal).items()} == {
        "A": (Unrouted.SYSTEM_NOT_DECLARED,),
        "B": (Unrouted.SYSTEM_NOT_DECLARED,),
    }


def test_the_systems_that_several_contracts_declared_are_not_guessed() -> None:
    journal = under_contract().contract(declared())
    journal.contract(signed(customers=("B",)), declared(), name="beta").incident("INC1", asked(system="erp"))
    row = journal.row()
    assert (row.contract, str(row.answer.reason)) == (None, "no_contract")
    assert [(finding.code, finding.text) for finding in row.findings] == [
        ("unrouted", f"names system erp, which several contracts in force then had declared: {ACME}, beta")
    ]
    assert listed(journal)["INC1"].route.rivals == (ACME, "beta")
    journal.contract(withdrawn(), name="beta")
    assert journal.row().contract == ACME


def test_a_contract_that_has_ended_leaves_its_systems_to_another() -> None:
    journal = under_contract().contract(declared(), terminated("Tue 09:00", "Wed 00:00"))
    journal.contract(signed(customers=("B",)), declared(at="Thu 08:00"), name="beta")
    journal.incident("A", asked("Tue 10:00", system="erp")).incident("B", asked("Wed 10:00", system="erp"))
    journal.incident("C", asked("Thu 10:00", system="erp"))
    assert [journal.row(of=name).contract for name in "ABC"] == [ACME, None, "beta"]


def test_a_request_rectified_to_name_a_system_is_listed_no_more() -> None:
    journal = under_contract().contract(declared()).incident("INC1", asked())
    assert listed(journal)["INC1"].route.why == (Unrouted.NOTHING_NAMED,)
    journal.incident("INC1", rectified(1, "system", "erp"))
    assert listed(journal) == {}


def test_a_finding_says_why_of_each_name() -> None:
    journal = under_contract().incident("INC1", asked(customer="NOBODY", system="fax"))
    (finding,) = journal.row().findings
    assert (
        finding.text
        == "names customer NOBODY, whom no contract lists; names system fax, of which no contract was ever told"
    )


def test_requests_are_listed_in_order_of_opening_as_of_an_instant() -> None:
    journal = under_contract().incident("B", asked("Tue 09:00")).incident("A", asked("Tue 09:00"))
    journal.incident("C", asked("Mon 09:00")).incident("D", opened("Mon 08:00"))
    assert list(listed(journal)) == ["C", "A", "B"]
    assert list(listed(journal, "Mon 12:00")) == ["C"]
    assert listed(journal)["C"].versions == (1,)


# --- verbale unrouted -------------------------------------------------------------------------------------------


@pytest.fixture
def record(run: Run) -> None:
    """A contract that declares two systems, another that declares one of them, and requests of every kind."""
    signing, replay = "2026-01-01T09:00:00+01:00", "2026-01-02T09:00:00+01:00"
    told = [
        sign("acme", signing, customers=["ACME"]),
        sign("beta", signing, customers=["BETA"]),
        message("contract.declare_connected_system", "contract-acme", replay, {"system": "erp"}),
        message("contract.declare_connected_system", "contract-acme", replay, {"system": "crm"}),
        message("contract.declare_connected_system", "contract-beta", replay, {"system": "crm"}),
    ]
    requests: dict[str, dict[str, Any]] = {
        "I1": {"system": "erp"},
        "I2": {"system": "crm"},
        "I3": {"system": "fax", "customer": "NOBODY"},
        "I4": {"contract": "nobody"},
        "I5": {"requested_by": "monitoring"},
        "I6": {"customer": "BETA", "system": "crm"},
    }
    for number, (name, named) in enumerate(requests.items()):
        data = {"impact": "high", "urgency": "low", **named}
        told.append(message("incident.open", f"incident-{name}", f"2026-01-05T09:0{number}:00+01:00", data))
    told.append(message("incident.close", "incident-I4", "2026-01-05T10:00:00+01:00", {"reason": "withdrawn"}))
    Path("told.jsonl").write_bytes(b"".join(line + b"\n" for line in told))
    assert run("ingest", "told.jsonl")[0] == 0


@pytest.mark.usefixtures("record")
def test_the_command_lists_what_each_names_and_why_that_leads_nowhere(run: Run) -> None:
    status, out, err = run("unrouted", "--format", "json")
    assert (status, err) == (0, "")
    said = json.loads(out)
    assert (said["manifest"]["report"], said["manifest"]["made_from"]) == ("unrouted", "replay")
    assert {row["incident"]: (row["why"], row["rivals"]) for row in said["rows"]} == {
        "I2": (["several_contracts"], ["acme", "beta"]),
        "I3": (["no_such_customer", "no_such_system"], []),
        "I4": (["contract_unsigned"], []),
        "I5": (["nothing_named"], []),
    }
    assert said["rows"][3] == {
        "incident": "I5",
        "opened_at": "2026-01-05T08:04:00Z",
        "contract": None,
        "customer": None,
        "system": None,
        "why": ["nothing_named"],
        "rivals": [],
        "impact": "high",
        "urgency": "low",
        "requested_by": "monitoring",
        "open": True,
        "evidence": {"stream": "incident-I5", "versions": [1]},
    }
    assert [row["open"] for row in said["rows"]] == [True, True, False, True]


@pytest.mark.usefixtures("record")
def test_it_is_a_table_in_both_languages_and_csv(run: Run) -> None:
    english = run("unrouted")[1]
    assert "several_contracts: acme, beta" in english
    assert "no_such_customer; no_such_system" in english
    italian = run("unrouted", "--language", "it")[1]
    assert "sistema dichiarato da più contratti: acme, beta" in italian
    assert "monitoraggio" in italian
    rows = list(csv.DictReader(io.StringIO(run("unrouted", "--format", "csv")[1])))
    assert [row["incident"] for row in rows] == ["I2", "I3", "I4", "I5"]
    assert (rows[0]["system"], rows[0]["why"], rows[0]["rivals"]) == (
        "crm",
        '["several_contracts"]',
        '["acme", "beta"]',
    )


@pytest.mark.usefixtures("record")
def test_it_asks_as_of_an_instant_and_as_known_on_a_date(run: Run) -> None:
    early = run("unrouted", "--as-of", "2026-01-05T09:02:00+01:00", "--format", "json")[1]
    assert [row["incident"] for row in json.loads(early)["rows"]] == ["I2", "I3"]
    assert run("unrouted", "--known-on", "2026-01-01")[1].strip().endswith("Every request comes under a contract.")


@pytest.mark.usefixtures("record")
def test_what_was_recorded_with_a_request_is_the_contract_that_its_system_led_to(run: Run) -> None:
    told = {
        name: json.loads(run("timeline", f"incident-{name}", "--format", "json")[1])["rows"][0] for name in ("I1", "I2")
    }
    assert (told["I1"]["contract"], told["I1"]["told"]["answer"]["contract"]) == ("acme", "acme")
    assert (told["I2"]["contract"], told["I2"]["told"]["answer"]["reason"]) == (None, "no_contract")


def test_where_every_request_comes_under_a_contract_it_says_so(run: Run) -> None:
    signing = sign("acme", "2026-01-01T09:00:00+01:00", customers=["ACME"])
    Path("told.jsonl").write_bytes(signing + b"\n")
    run("ingest", "told.jsonl")
    status, out, _ = run("unrouted", "--language", "it")
    assert status == 0
    assert "Ogni richiesta ricade sotto un contratto." in out
