"""The facts of all streams, as an auditor asks for them: late, corrected, told by one party alone."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.messages import CONTRACT, HOUR, SOURCE, charge, contract_in_force, message, opening

from domain.values import read_instant

Run = Callable[..., tuple[int, str, str]]
INC = "incident-INC0001234"
NOW = "2026-03-02T10:00:00Z"
BLAMED = {"party": "customer", "clock": "charge", "why": "no answer"}


@pytest.fixture
def record(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A request told on 2 March, and what was said of it on the 9th; another source tells of a request of nobody."""

    def told(now: str, *messages: bytes) -> None:
        monkeypatch.setattr("bin.compose.clock", lambda: read_instant(now))
        Path("told.jsonl").write_bytes(b"".join(one + b"\n" for one in messages))
        status, out, _ = run("ingest", "told.jsonl")
        assert status == 0, out

    told("2026-01-02T09:00:00Z", *contract_in_force())
    told(NOW, opening(), charge())
    told(
        "2026-03-09T09:00:00Z",
        message("incident.attribute_responsibility", INC, "2026-03-02T12:00:00Z", BLAMED),
        message("incident.suspend", INC, "2026-03-02T08:30:00Z", {"cause": "customer", "by": "customer"}),
        message("record.rectify", INC, "2026-03-09T09:00:00Z",
                {"version": 2, "field": "at", "value": "2026-03-02T08:40:00Z", "why": "typed wrong"}),
        message("incident.open", "incident-N1", "2026-03-09T09:00:00Z", {"impact": "low", "urgency": "low"},
                source="mail:robot"),
    )  # fmt: skip
    told(
        "2026-03-10T09:00:00Z",
        message("record.annul", INC, "2026-03-10T09:00:00Z", {"version": 4, "why": "of another"}),
        message("record.agree", INC, "2026-03-10T09:00:00Z", {"version": 3, "by": "customer"}),
    )
    return run


def facts(run: Run, *options: str) -> dict[str, Any]:
    status, out, err = run("facts", *options, "--format", "json")
    assert (status, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


def positions(run: Run, *options: str) -> list[int]:
    return [row["position"] for row in facts(run, *options)["rows"]]


def test_every_fact_of_every_stream_is_listed_in_the_order_of_recording(record: Run) -> None:
    found = facts(record)
    assert [row["position"] for row in found["rows"]] == list(range(1, 13))
    assert [row["leaf"] for row in found["rows"]] == list(range(12))
    assert {row["stream"] for row in found["rows"]} == {
        f"contract-{CONTRACT}", f"credits-{CONTRACT}", INC, "incident-N1"
    }  # fmt: skip
    made = found["manifest"]
    assert (made["report"], made["position"], made["filters"], made["made_from"]) == ("facts", 12, {}, "replay")


def test_the_facts_are_what_the_timelines_of_all_streams_tell(record: Run) -> None:
    rows = facts(record)["rows"]
    for stream in {row["stream"] for row in rows}:
        told = json.loads(record("timeline", stream, "--format", "json")[1])["rows"]
        assert [row for row in rows if row["stream"] == stream] == [
            {name: value for name, value in row.items() if name != "told"} for row in told
        ]


def test_a_fact_says_how_late_by_whom_agreed_and_what_was_said_of_it(record: Run) -> None:
    by_position = {row["position"]: row for row in facts(record)["rows"]}
    charged, blamed, suspended = (by_position[position] for position in (6, 7, 8))
    assert (charged["rectified_by"], charged["lateness_us"], charged["agreed"]) == ([5], HOUR, None)
    assert (blamed["by"], blamed["agreed"], blamed["source"]) == ("supplier", True, SOURCE)
    assert blamed["agreed_later"] == [{"by": "customer", "stream": INC, "version": 7}]
    assert (suspended["by"], suspended["agreed"], suspended["annulled_by"]) == ("customer", False, 6)


@pytest.mark.parametrize(
    ("options", "picked"),
    [
        ("--late", [1, 2, 3, 7, 8]),
        ("--rectified", [6, 8]),
        ("--one-sided", [8, 9, 11]),
        ("--one-sided --by supplier", [9, 11]),
        ("--by customer", [8, 12]),
        ("--since 2026-03-09", [9, 10, 11, 12]),
        ("--since 2026-03-02 --until 2026-03-02", [5, 6, 7, 8]),
        ("--source mail:robot", [10]),
        (f"--contract {CONTRACT} --late", [1, 2, 3, 7, 8]),
        (f"--contract contract-{CONTRACT} --since 2026-03-10", [11, 12]),
        ("--known-on 2026-03-09 --rectified", [6]),
        ("--known-on 2026-03-09 --one-sided", [7, 8, 9]),
        ("--source nobody", []),
    ],
)
def test_options_pick_facts(record: Run, options: str, picked: list[int]) -> None:
    assert positions(record, *options.split()) == picked


def test_the_filters_are_in_the_manifest_and_above_the_table(record: Run) -> None:
    options = ("--late", "--one-sided", "--by", "supplier", "--since", "2026-03-02", "--contract", CONTRACT)
    assert facts(record, *options)["manifest"]["filters"] == {
        "late": True, "one_sided": True, "by": "supplier", "since": "2026-03-01T23:00:00Z", "contract": CONTRACT,
    }  # fmt: skip
    screen = record("facts", *options)[1]
    assert f"only --late, --one-sided, --by supplier, --since 2026-03-02 00:00, --contract {CONTRACT}" in screen
    assert "Nothing that is asked for." in screen


def test_a_source_that_says_when_it_recorded_a_fact_is_late_by_its_own_word(record: Run) -> None:
    told = message("incident.resume", INC, "2026-03-02T09:00:00Z", recordedtime="2026-03-02T09:05:00Z")
    Path("told.jsonl").write_bytes(told)
    record("ingest", "told.jsonl")
    assert 13 not in positions(record, "--late")
    (row,) = (row for row in facts(record)["rows"] if row["position"] == 13)
    assert (row["lateness_us"] > 24 * HOUR, row["source_lateness_us"]) == (True, HOUR / 12)


def test_the_facts_are_csv_and_italian_too(record: Run) -> None:
    status, out, err = record("facts", "--late", "--format", "csv")
    assert (status, err) == (0, "verbale: from replay; position 12\n")
    assert [row["position"] for row in csv.DictReader(io.StringIO(out))] == ["1", "2", "3", "7", "8"]
    screen = record("facts", "--language", "it")[1]
    assert "Fatti registrati" in screen
    assert "ritardo qui" in screen


def test_a_contract_that_is_none_and_times_that_are_none_are_told(record: Run) -> None:
    status, out, err = record("facts", "--contract", "nope")
    assert (status, out) == (1, "")
    assert "no contract is called nope" in err
    assert record("facts", "--contract", CONTRACT[:4])[0] == 1
    assert record("facts", "--since", "2026-03-09", "--until", "2026-03-02")[0] == 2
    assert record("facts", "--by", "court")[0] == 2


def test_a_contract_that_only_a_request_names_is_one(record: Run) -> None:
    asked = message("incident.open", "incident-N2", "2026-03-09T10:00:00Z",
                    {"impact": "low", "urgency": "low", "contract": "unsigned"})  # fmt: skip
    Path("told.jsonl").write_bytes(asked)
    record("ingest", "told.jsonl")
    assert positions(record, "--contract", "unsigned") == [13]
    assert positions(record, "--contract", "unsigned", "--rectified") == []


def test_where_nothing_is_on_record_it_says_so(run: Run) -> None:
    Path("told.jsonl").touch()
    run("ingest", "told.jsonl")
    assert "Nothing is on record." in run("facts")[1]
