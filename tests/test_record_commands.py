"""What people say of facts on record, as commands: withdraw, agree, correct; and who speaks for whom."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.messages import CONTRACT, SOURCE, charge, contract_in_force, message, opening

from bin.commands.record import FROM_COMMAND

Run = Callable[..., tuple[int, str, str]]
INC = "incident-INC0001234"
OF_CONTRACT = f"contract-{CONTRACT}"
BLAMED = {"party": "customer", "clock": "charge", "why": "no answer"}


@pytest.fixture
def record(run: Run) -> Run:
    """A request opened, taken in charge at 10:00, and blamed on the customer: positions 5 to 7."""
    blamed = message("incident.attribute_responsibility", INC, "2026-03-02T12:00:00Z", BLAMED)
    told = [*contract_in_force(), opening(), charge(), blamed]
    Path("told.jsonl").write_bytes(b"".join(one + b"\n" for one in told))
    status, out, _ = run("ingest", "told.jsonl")
    assert status == 0, out
    return run


def facts(run: Run, stream: str = INC) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(run("timeline", stream, "--format", "json")[1])["rows"]
    return rows


def compliance(run: Run, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("report", "compliance", *options, "--format", "json")[1])["rows"][0]
    return found


def refused(run: Run) -> list[Any]:
    found: list[Any] = json.loads(run("refused", "list", "--format", "json")[1])
    return found


# --- annul ------------------------------------------------------------------------------------------------------


def test_a_fact_is_shown_withdrawn_and_counts_no_more(record: Run) -> None:
    assert compliance(record)["charge"]["verdict"] == "met"
    status, out, err = record("record", "annul", INC, "2", "--why", "of another request", "--by", "customer")
    assert (status, err) == (0, "")
    assert f"{INC} 2: incident.taken_in_charge.v2, 2026-03-02 10:00 (Europe/Rome), told by {SOURCE}" in out
    assert "automatic: no" in out
    assert f"Recorded: {INC} version 4, leaf 7." in out
    assert compliance(record)["charge"]["verdict"] == "breached"
    *_, annulment = facts(record)
    assert (annulment["source"], annulment["by"], annulment["told"]["why"]) == (
        FROM_COMMAND, "customer", "of another request"
    )  # fmt: skip


def test_the_same_command_again_records_nothing(record: Run) -> None:
    typed = ("record", "annul", INC, "2", "--why", "of another request")
    assert record(*typed)[0] == 0
    for _ in range(2):
        status, out, _ = record(*typed)
        assert (status, "on record already" in out) == (0, True)
    dated = (*typed, "--at", "2026-03-05T09:00:00Z")
    assert "on record already" in record(*dated)[1]
    assert len(facts(record)) == 4


def test_an_annulment_is_itself_annulled_and_made_again(record: Run) -> None:
    annulled = ("record", "annul", INC, "2", "--why", "of another request")
    record(*annulled)
    assert "version 5" in record("record", "annul", INC, "4", "--why", "it was this one after all")[1]
    assert "version 6" in record(*annulled)[1]
    assert [row["annulled_by"] for row in facts(record)] == [None, 6, None, 5, None, None]


def test_source_actor_instant_and_parties_are_as_typed(record: Run) -> None:
    record("record", "annul", "INC0001234", "3", "--why", "no", "--by", "supplier", "--agreed-by", "customer",
           "--source", "desk:two", "--actor", "u-7", "--at", "2026-03-05T09:00:00+01:00")  # fmt: skip
    *_, annulment = facts(record)
    assert (annulment["source"], annulment["actor"], annulment["at"]) == ("desk:two", "u-7", "2026-03-05T08:00:00Z")
    assert (annulment["by"], annulment["agreed_by"], annulment["agreed"]) == ("supplier", ["customer"], True)


# --- agree ------------------------------------------------------------------------------------------------------


def test_an_agreement_to_one_fact_makes_it_agreed(record: Run) -> None:
    assert facts(record)[2]["agreed"] is False
    status, out, _ = record("record", "agree", INC, "3", "--by", "customer")
    assert (status, f"Recorded: {INC} version 4, leaf 7." in out) == (0, True)
    assert "why: no answer" in out
    assert facts(record)[2]["agreed"] is True
    assert "on record already" in record("record", "agree", INC, "3", "--by", "customer")[1]


def test_an_agreement_up_to_a_position_reaches_every_fact_of_the_contract(record: Run) -> None:
    status, out, _ = record("record", "agree", OF_CONTRACT, "--up-to", "7", "--by", "customer")
    assert status == 0
    assert f"{OF_CONTRACT} up to position 7: 7 facts" in out
    assert f"Recorded: {OF_CONTRACT} version 4, leaf 7." in out
    assert facts(record)[2]["agreed"] is True


# --- rectify ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "field", "value", "stored"),
    [
        ("2", "at", "2026-03-02T09:30:00+01:00", "2026-03-02T08:30:00Z"),
        ("1", "urgency", "high", "high"),
        ("1", "data_centre", "true", True),
        ("1", "customer", "2026", "2026"),
        ("1", "system", "null", None),
        ("3", "evidence", '[{"name": "log", "sha256": "' + "0" * 64 + '"}]', [{"name": "log", "sha256": "0" * 64}]),
    ],
)
def test_a_field_is_corrected_by_what_is_typed(
    record: Run, version: str, field: str, value: str, stored: object
) -> None:
    if field == "system":
        record("record", "rectify", INC, "1", "--field", "system", "--value", "erp", "--why", "it was that")
    status, out, err = record("record", "rectify", INC, version, "--field", field, "--value", value, "--why", "a slip")
    assert (status, err) == (0, "")
    assert "Recorded: " in out
    *_, correction = facts(record)
    assert (correction["told"]["field"], correction["told"]["value"]) == (field, stored)
    assert facts(record)[int(version) - 1]["rectified_by"]


def test_minutes_of_a_package_are_corrected_as_a_number(record: Run) -> None:
    typed = ("record", "rectify", f"credits-{CONTRACT}", "1", "--field", "minutes", "--value", "500", "--why", "a slip")
    assert record(*typed)[0] == 0
    assert facts(record, f"credits-{CONTRACT}")[1]["told"]["value"] == 500


# --- who speaks for whom ----------------------------------------------------------------------------------------


def test_a_source_is_appointed_and_dismissed_by_its_own_word(record: Run) -> None:
    status, out, _ = record("record", "appoint", CONTRACT, SOURCE, "supplier")
    assert (status, f"Recorded: {OF_CONTRACT} version 4, leaf 7." in out) == (0, True)
    assert "on record already" in record("record", "appoint", OF_CONTRACT, SOURCE, "supplier")[1]
    status, _, err = record("record", "dismiss", CONTRACT, SOURCE)
    assert status == 1
    assert "appointed and dismissed by the supplier alone" in err
    assert "Recorded: " in record("record", "dismiss", CONTRACT, SOURCE, "--source", SOURCE)[1]
    assert "on record already" in record("record", "dismiss", CONTRACT, SOURCE)[1]


def test_a_source_that_is_appointed_to_the_other_party_speaks_for_that_one(record: Run) -> None:
    record("record", "appoint", CONTRACT, SOURCE, "supplier")
    status, _, err = record("record", "appoint", CONTRACT, SOURCE, "customer", "--source", SOURCE)
    assert (status, "by the customer alone" in err) == (1, True)
    record("record", "dismiss", CONTRACT, SOURCE, "--source", SOURCE)
    status, out, _ = record("record", "appoint", CONTRACT, SOURCE, "customer")
    assert (status, "Recorded: " in out) == (0, True)
    record("record", "annul", INC, "2", "--why", "of another", "--source", SOURCE)
    assert facts(record)[-1]["by"] == "customer"


def test_a_party_left_out_is_that_of_the_appointed_source(record: Run) -> None:
    record("record", "appoint", CONTRACT, "desk:customer", "customer")
    assert record("record", "agree", INC, "3", "--source", "desk:customer")[0] == 0
    assert facts(record)[-1]["by"] == "customer"


# --- what cannot be -------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[str, int, str]] = {
    "no such stream": ("annul incident-ZZ 1 --why x", 1, "nothing is recorded under incident-ZZ"),
    "half of a name": ("annul incident-INC000123 1 --why x", 1, "nothing is recorded under incident-INC000123"),
    "half of a contract's": ("appoint acme x supplier", 1, "nothing is recorded under contract-acme"),
    "no such version": (f"annul {INC} 9 --why x", 1, "this stream has 3 facts: there is no version 9"),
    "version nought": (f"annul {INC} 0 --why x", 1, "version"),
    "an opening": (f"annul {INC} 1 --why x", 1, "close the request as void"),
    "a signature": (f"annul {OF_CONTRACT} 1 --why x", 1, "rectify the signature, or terminate the contract"),
    "no reason": (f"annul {INC} 2", 2, "--why"),
    "an empty reason": (f"annul {INC} 2 --why=", 1, "data.why"),
    "no such party": (f"annul {INC} 2 --why x --by court", 2, "--by"),
    "a version that is none": (f"annul {INC} two --why x", 2, "two"),
    "an instant that is none": (f"annul {INC} 2 --why x --at soon", 2, "--at soon: not an instant"),
    "an instant to come": (f"annul {INC} 2 --why x --at 2199-01-01", 1, "is in the future"),
    "an agreement to nothing": (f"agree {INC} --by customer", 2, "an agreement is to one VERSION"),
    "an agreement to both": (f"agree {OF_CONTRACT} 1 --up-to 7 --by customer", 2, "an agreement is to one VERSION"),
    "an agreement of nobody": (f"agree {INC} 3", 1, "say by which party"),
    "an agreement ahead": (f"agree {OF_CONTRACT} --up-to 99 --by customer", 1, "the log ends at position 7"),
    "a position of a request": (f"agree {INC} --up-to 7 --by customer", 1, "on the stream of their contract"),
    "no such field": (f"rectify {INC} 3 --field colour --value x --why x", 1,
                      "colour of incident.responsibility_attributed.v1 cannot be rectified; these can: "
                      "at, clock, evidence, party, why [R5]; nothing was recorded"),
    "a value that is none": (f"rectify {INC} 2 --field at --value soon --why x", 1, "not an instant"),
    "a value of no choice": (f"rectify {INC} 1 --field impact --value 7 --why x", 1, "'high', 'medium' or 'low'"),
    "before the opening": (f"rectify {INC} 2 --field at --value 2026-01-01T09:00:00Z --why x", 1, "before the opening"),
    "no such contract": ("appoint nope x supplier", 1, "nothing is recorded under contract-nope"),
    "a party that is none": (f"appoint {CONTRACT} x court", 2, "court"),
    "no source": (f"annul {INC} 2 --why x --source=", 1, "source"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_is_told_in_a_line_and_nothing_is_recorded_or_kept(record: Run, what: str) -> None:
    typed, status, said = WRONG[what]
    ended, out, err = record("record", *typed.split(" "))
    assert (ended, out) == (status, "")
    assert err.startswith("verbale: ")
    assert said in err
    assert len(err.splitlines()) <= 2
    assert len(facts(record)) == 3
    assert refused(record) == []


def test_it_is_said_in_italian_too(record: Run) -> None:
    status, _, err = record("record", "annul", INC, "9", "--why", "x", "--language", "it")
    assert (status, "[R5]; nulla è stato registrato" in err) == (1, True)
    out = record("record", "annul", INC, "2", "--why", "x", "--language", "it")[1]
    assert f"Registrato: {INC} versione 4, foglia 7." in out
