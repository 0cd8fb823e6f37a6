"""What a contract says on a date: `verbale contracts`, `verbale show`, and ids as anybody writes them."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bin.cli import main

Run = Callable[..., tuple[int, str, str]]
MINUTE = 60_000_000


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    assert main(["demo", str(folder)]) == 0
    return folder


@pytest.fixture
def store(run: Run, demo_folder: Path) -> str:
    shutil.copytree(demo_folder, "demo")
    return "sqlite:///demo/verbale.db"


def sheet(run: Run, store: str, *typed: str) -> dict[str, Any]:
    status, out, err = run("show", *typed, "--store", store, "--format", "json")
    assert (status, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


def test_every_contract_has_a_line(run: Run, store: str) -> None:
    rows = json.loads(run("contracts", "--as-of", "2025-12-05", "--store", store, "--format", "json")[1])
    found = {
        row["contract"]: (row["is_in_force"], row["customers"], row["options"], row["credits_left"]) for row in rows
    }
    assert found["alfa-2025"] == (True, ["alfa"], ["operation", "maintenance", "assistance"], 1950)
    assert found["charlie-2025"][:3] == (True, ["charlie"], ["assistance"])
    assert found["delta-2025"][0] is False, "terminated on the first of November"
    lines = run("contracts", "--as-of", "2025-12-05", "--store", store)[1].splitlines()
    title, _, _, _, *below = lines
    assert title == "Contracts (Europe/Rome)"
    assert [line.split()[0] for line in below] == sorted(found)


def test_the_list_of_contracts_as_csv_has_its_columns_also_without_rows(run: Run, store: str) -> None:
    for as_of, many in (("2025-12-05", 4), ("2020-01-01", 0)):
        status, out, _ = run("contracts", "--as-of", as_of, "--store", store, "--format", "csv")
        assert status == 0
        assert out.startswith(
            "contract,is_in_force,in_force_from,in_force_until,customers,options,credits_left,terms\n"
        )
        assert len(list(csv.DictReader(io.StringIO(out)))) == many
    assert "No contract is signed." in run("contracts", "--as-of", "2020-01-01", "--store", store)[1]


def test_the_levels_shown_are_those_in_force_on_the_date(run: Run, store: str) -> None:
    before = sheet(run, store, "alfa-2025", "--as-of", "2025-06-30")["levels"]["p3"]
    after = sheet(run, store, "alfa-2025", "--as-of", "2025-07-01")["levels"]["p3"]
    assert (before["charge_us"], after["charge_us"]) == (240 * MINUTE, 180 * MINUTE)


def test_the_calendar_shown_is_that_of_the_day(run: Run, store: str) -> None:
    saturday = sheet(run, store, "alfa-2025", "--as-of", "2025-11-29")["calendar"]["standard"]
    assert (saturday["windows"], saturday["source"], saturday["version"]) == (["09:00-13:00"], "holidays IT MI", 3)
    assert sheet(run, store, "alfa-2025", "--as-of", "2025-12-25")["calendar"]["standard"]["holiday"] == "Natale"
    assert sheet(run, store, "bravo-2025", "--as-of", "2025-11-28")["calendar"]["data_centre"]["windows"] == [
        "08:00-21:00"
    ]
    status, out, _ = run("show", "bravo-2025", "--as-of", "2024-12-20", "--store", store)
    assert status == 0
    assert "none covers that day" in out


def test_options_credits_windows_and_penalty_steps_are_shown(run: Run, store: str) -> None:
    found = sheet(run, store, "bravo-2025", "--as-of", "2025-12-31")
    assert found["options"] == [{"service": "assistance"}]
    assert found["credits"]["bought"] == 6000
    assert found["windows"] == [{"from": "2024-12-31T23:00:00Z", "to": "2025-12-31T23:00:00Z"}]
    assert [step["amount"] for step in found["penalty_steps"]] == ["800.00", "400.00"]
    quarters = sheet(run, store, "bravo-2025", "--as-of", "2025-12-31", "--reading", "window=quarter")["windows"]
    assert len(quarters) == 4
    assert sheet(run, store, "charlie-2025", "--as-of", "2025-02-01")["connected_systems"] == ["web shop"]
    renewed = sheet(run, store, "delta-2025", "--as-of", "2025-09-01")["in_force"]
    assert renewed == [{"from": "2024-12-31T23:00:00Z", "to": "2025-12-31T23:00:00Z"}], "not yet terminated"


@pytest.mark.parametrize("language", ["en", "it"])
def test_the_sheet_is_read_by_people_too(run: Run, store: str, language: str) -> None:
    status, out, err = run("show", "alfa-2025", "--as-of", "2025-11-29", "--store", store, "--language", language)
    assert (status, err) == (0, "")
    expected = {
        "en": ("Contract alfa-2025", "levels in force (A3)", "value 3,600.00 euro", "restore test 1 / year"),
        "it": ("Contratto alfa-2025", "livelli in vigore (A3)", "valore 3.600,00\u00a0€", "restore test 1 / anno"),
    }
    for text in expected[language]:
        assert text in out


def test_a_contract_that_was_not_signed_by_then_is_answered_no(run: Run, store: str) -> None:
    for typed in (("nobody",), ("alfa-2025", "--as-of", "2024-12-01")):
        status, out, err = run("show", *typed, "--store", store)
        assert (status, out) == (1, "")
        assert "was signed by" in err


# --- ids ---


@pytest.mark.parametrize(
    ("command", "short", "long"),
    [
        ("explain {} --as-of 2026-01-01", "B-13", "incident-B-13"),
        ("timeline {}", "B-13", "incident-B-13"),
        ("timeline {}", "alfa-2025", "contract-alfa-2025"),
        ("show {} --as-of 2025-06-30", "alfa-2025", "contract-alfa-2025"),
        ("calendar {} --from 2025-01-01 --to 2025-01-10", "alfa-2025", "contract-alfa-2025"),
    ],
)
def test_an_id_is_taken_as_anybody_writes_it(run: Run, store: str, command: str, short: str, long: str) -> None:
    known = (*command.split(), "--store", store)
    by_short, by_long = (run(*(part.format(name) for part in known)) for name in (short, long))
    assert by_short[0] == by_long[0] == 0
    first_lines = [out.splitlines()[0] for _, out, _ in (by_short, by_long)]
    assert first_lines[0] == first_lines[1]


def test_a_stream_typed_whole_is_that_stream_whatever_else_has_its_name(run: Run) -> None:
    def opening(incident: str) -> str:
        data = {"contract": "x", "impact": "high", "urgency": "high"}
        message = {
            "specversion": "1.0",
            "id": incident,
            "source": "s",
            "type": "verbale.incident.open.v1",
            "data": data,
        }
        return json.dumps({**message, "subject": f"incident-{incident}", "time": "2025-03-03T09:00:00+01:00"})

    Path("m.jsonl").write_text(f"{opening('7')}\n{opening('incident-7')}\n", encoding="utf-8")
    run("ingest", "m.jsonl")
    assert run("timeline", "7")[1].startswith("Timeline: incident-7\n")
    assert run("timeline", "incident-7")[1].startswith("Timeline: incident-7\n")
    assert run("timeline", "incident-incident-7")[1].startswith("Timeline: incident-incident-7\n")
    assert run("timeline", "nobody")[0] == 1
