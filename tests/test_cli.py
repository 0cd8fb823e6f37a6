"""The commands as a user runs them: what they print, where, and their exit status."""

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.zones import zone_files

from adapters.reports.question import HOUSE_ZONE
from adapters.reports.screen import plain
from adapters.reports.wording import Writing
from bin.cli import main
from bin.commands import demo
from bin.commands.console import console, print_rows
from bin.compose import clock
from bin.language import Words
from bin.settings import Settings
from domain.catalogue import COMMANDS
from domain.values import instant_text

ROOT = Path(__file__).parent.parent
Run = Callable[..., tuple[int, str, str]]
HOUR = 3_600_000_000
DEMO_AS_OF = ("--as-of", demo.AS_OF)


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "verbale-demo"
    assert main(["demo", str(folder)]) == 0
    return folder


@pytest.fixture
def demo_store(run: Run, demo_folder: Path) -> str:
    shutil.copytree(demo_folder, "verbale-demo")
    return "sqlite:///verbale-demo/verbale.db"


def report(run: Run, *arguments: str) -> dict[str, Any]:
    status, out, err = run("report", *arguments, "--format", "json")
    assert (status, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


def rows(run: Run, *arguments: str) -> dict[str, dict[str, Any]]:
    key = "incident" if arguments[0] in ("compliance", "queue") else "contract"
    return {row[key]: row for row in report(run, *arguments)["rows"]}


def message(verb: str, incident: str, time: str, data: dict[str, Any], **more: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{incident}-{verb}",
        "source": "helpdesk:test",
        "type": f"verbale.incident.{verb}.v1",
        "subject": f"incident-{incident}",
        "time": time,
        "data": data,
    } | more


def write_lines(file: str, *messages: dict[str, Any] | str) -> str:
    lines = (one if isinstance(one, str) else json.dumps(one) for one in messages)
    Path(file).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


OPENING = message(
    "open", "X1", "2025-03-03T09:00:00+01:00", {"contract": "nobody", "impact": "high", "urgency": "high"}
)


# --- the demo ---


def test_the_demo_prints_compliance_breach_and_penalty_and_says_what_to_type_next(run: Run) -> None:
    status, out, err = run("demo")
    assert status == 0
    assert "made a new store, verbale-demo/verbale.db" in err
    for expected in ("late/cases", "3/29", "10.34%", "800.00", "400.00 (5%)", "Conflict (P2)", "verbale explain B-09"):
        assert expected in out


def test_the_demo_can_be_run_again_and_says_the_same(run: Run) -> None:
    run("demo")
    status, out, _ = run("demo")
    assert status == 0
    assert "0 done, 335 duplicate, 0 waiting, 0 refused" in out
    assert "3/29" in out


def test_every_command_the_demo_suggests_works(run: Run, demo_store: str) -> None:
    suggested = [line.split() for line in demo.WHAT_NEXT.splitlines() if line.startswith("  verbale ")]
    plain = [words[1:] for words in suggested if ">" not in words]
    assert len(plain) == 5
    for words in plain:
        filled = [word.format(store=demo_store, as_of=demo.AS_OF) for word in words]
        assert run(*filled)[0] == 0, filled


def test_the_demo_year_shows_each_case_it_promises(run: Run, demo_store: str) -> None:
    store = ("--store", demo_store, *DEMO_AS_OF)
    breach, credits, penalty = (rows(run, name, *store) for name in ("breach", "credits", "penalty"))
    judged = rows(run, "compliance", *store)
    assert breach["alfa-2025"]["breaches"] == 0
    assert (breach["bravo-2025"]["ratio"], breach["bravo-2025"]["passed"]) == ("3/29", True)
    assert penalty["bravo-2025"]["conflict"]["words"]["maximum_penalty"] == "400.00"
    assert credits["charlie-2025"]["shortfall"] > 0
    assert judged["C-04"]["coverage_reason"] == "no_credits"
    assert judged["B-09"]["charge"]["suspended_us"] > 0
    assert judged["B-21"]["responsible"] == "customer"
    assert judged["A-04"]["charge"]["verdict"] == judged["A-06"]["charge"]["verdict"] == "met"


def test_the_demo_year_shows_what_was_agreed_besides_and_the_other_services(run: Run, demo_store: str) -> None:
    store = ("--store", demo_store, *DEMO_AS_OF)
    judged = rows(run, "compliance", *store)
    assert (judged["A-02"]["charge"]["target_us"], judged["A-08"]["charge"]["target_us"]) == (2 * HOUR, 3 * HOUR)
    assert judged["A-01"]["charge"]["target_us"] == 4 * HOUR, "levels revised in July are not those of January"
    assert judged["A-11"]["charge"]["net_us"] == 50 * 60_000_000, "a Saturday, open by agreement"
    assert judged["D-02"]["charge"]["verdict"] == "met", "after the first end, before the renewed one"
    assert judged["D-03"]["charge"]["verdict"] == "void", "its clock ran when the contract was terminated"
    systems = {row["incident"]: row["disclosed"] for row in report(run, "systems", *store)["rows"]}
    assert systems == {"C-03": True, "C-05": False, "C-06": True}
    found = report(run, "commitments", *store)["rows"]
    kept = {kind: [row for row in found if row["commitment"] == kind] for kind in ("hours", "reviews", "visits")}
    assert any(row["exceeded"] for row in kept["hours"])
    assert any(row["outside"] for row in kept["hours"])
    assert any(row["missed"] for row in kept["reviews"])
    assert any(row["missed"] for row in kept["visits"])
    assert any(row["late"] for row in kept["visits"])
    codes = {finding["code"] for row in found for finding in row["findings"]}
    assert codes == {"activity_not_included", "infrastructure_not_included"}
    week = run("calendar", "alfa-2025", "--from", "2025-11-24", "--to", "2025-11-30", "--store", demo_store)[1]
    assert "09:00-13:00 (v" in week


def test_a_disputed_attribution_counts_or_not_as_the_reading_says(run: Run, demo_store: str) -> None:
    literal = rows(run, "breach", "--store", demo_store, *DEMO_AS_OF)["bravo-2025"]
    agreed = rows(run, "breach", "--store", demo_store, *DEMO_AS_OF, "--reading", "one_sided=agreed")["bravo-2025"]
    assert agreed["breaches"] > literal["breaches"]


# --- reports ---


def test_a_report_states_how_it_was_made(run: Run, demo_store: str) -> None:
    found = report(run, "breach", "--store", demo_store, *DEMO_AS_OF, "--reading", "rate=words")
    manifest = found["manifest"]
    assert manifest["reading"] == "rate=words"
    assert manifest["as_of"] == "2026-01-01T22:59:59.999999Z"
    assert manifest["position"] == 335
    assert manifest["terms"] == "signed"
    assert set(manifest["versions"]) == {"program", "rules", "holidays", "tzdata"}
    assert all(manifest["versions"].values())


COMPLIANCE_FIELDS = {
    "incident", "contract", "opened_at", "coverage", "coverage_reason", "priority", "charge", "intervention",
    "responsible", "breach", "findings",
}  # fmt: skip
CLOCK_FIELDS = {"target_us", "net_us", "suspended_us", "due", "verdict", "void_cause", "changes_at"}
BREACH_FIELDS = {
    "contract", "window_from", "window_to", "cases", "breaches", "ratio", "tolerance", "headroom", "undecided",
    "status", "passed",
}  # fmt: skip
PENALTY_FIELDS = {
    "contract", "passed_at", "window_from", "incident", "base", "rate", "maximum_penalty", "status", "claimed",
    "waived", "paid", "outstanding", "conflict",
}  # fmt: skip


def test_rows_have_the_fields_that_consumers_rely_on(run: Run, demo_store: str) -> None:
    compliance = report(run, "compliance", "--store", demo_store)["rows"][0]
    assert compliance.keys() >= COMPLIANCE_FIELDS
    assert set(compliance["charge"]) == set(compliance["intervention"]) == CLOCK_FIELDS
    assert report(run, "breach", "--store", demo_store)["rows"][0].keys() >= BREACH_FIELDS
    assert report(run, "penalty", "--store", demo_store)["rows"][0].keys() >= PENALTY_FIELDS


def test_a_figure_names_the_facts_it_rests_on(run: Run, demo_store: str) -> None:
    breach, penalty = (
        rows(run, name, "--store", demo_store, *DEMO_AS_OF)["bravo-2025"] for name in ("breach", "penalty")
    )
    assert breach["evidence"] == {
        "stream": "contract-bravo-2025",
        "versions": [1],
        "late": ["B-04", "B-17", "B-28"],
        "left": [],
    }
    assert penalty["evidence"] == {"stream": "contract-bravo-2025", "versions": [1, 4, 5], "purchases": [1]}


@pytest.mark.parametrize("name", ["compliance", "breach", "penalty", "credits", "queue"])
def test_csv_has_a_row_for_each_row(run: Run, demo_store: str, name: str) -> None:
    at = ("--store", demo_store, "--as-of", "2025-04-15T10:00:00+02:00")
    wanted = report(run, name, *at)["rows"]
    status, out, _ = run("report", name, *at, "--format", "csv")
    assert status == 0
    assert len(list(csv.DictReader(io.StringIO(out)))) == len(wanted) > 0


@pytest.mark.parametrize("name", ["compliance", "breach", "penalty", "credits", "queue"])
@pytest.mark.parametrize("language", ["en", "it"])
def test_tables_line_up(run: Run, demo_store: str, name: str, language: str) -> None:
    at = ("--store", demo_store, "--as-of", "2025-04-15T10:00:00+02:00", "--language", language)
    status, out, _ = run("report", name, *at)
    lines = out.splitlines()
    rule = next(index for index, line in enumerate(lines) if line.startswith("───"))
    table = [line for line in lines[rule + 1 :] if line][: len(report(run, name, *at[:4])["rows"])]
    assert status == 0
    assert {len(line) for line in table} == {len(lines[rule])}


def test_a_window_may_be_a_kind_or_a_day(run: Run, demo_store: str) -> None:
    quarters = report(run, "breach", "--store", demo_store, *DEMO_AS_OF, "--window", "quarter")["rows"]
    assert len([row for row in quarters if row["contract"] == "alfa-2025"]) == 4
    one = ("--reading", "window=quarter", "--window", "2025-05-10", "--contract", "alfa-2025")
    (second,) = report(run, "breach", "--store", demo_store, *DEMO_AS_OF, *one)["rows"]
    assert second["window_from"] == "2025-03-31T22:00:00Z"
    opened = [row["opened_at"] for row in report(run, "compliance", "--store", demo_store, *DEMO_AS_OF, *one)["rows"]]
    assert opened
    assert all(second["window_from"] <= instant < second["window_to"] for instant in opened)


def test_what_was_not_known_by_a_date_is_not_used(run: Run, demo_store: str) -> None:
    found = report(run, "breach", "--store", demo_store, "--known-on", "2025-12-31")
    assert found["manifest"]["position"] == 0
    assert found["rows"] == []


def test_explain_adds_up_to_net_to_the_microsecond(run: Run, demo_store: str) -> None:
    for incident in ("A-04", "A-06", "B-09", "B-13", "B-28"):
        _, out, _ = run("explain", incident, "--store", demo_store, *DEMO_AS_OF, "--format", "json")
        found = json.loads(out)
        for told in found["clocks"]:
            slices = [row for row in found["rows"] if row["clock"] == told["clock"]]
            assert sum(row["counted_us"] for row in slices) == told["net_us"] == slices[-1]["net_us"]
            assert (slices[0]["from"], slices[-1]["to"]) == (told["from"], told["to"])
            assert all(left["to"] == right["from"] for left, right in pairwise(slices))


def test_explain_names_the_holiday_the_suspension_and_the_clauses(run: Run, demo_store: str) -> None:
    _, holiday, _ = run("explain", "A-04", "--store", demo_store, *DEMO_AS_OF)
    _, suspended, _ = run("explain", "B-09", "--store", demo_store, *DEMO_AS_OF)
    assert "holiday: Anniversario della Liberazione" in holiday
    assert "suspended: customer" in suspended
    for clause in ("(A2)", "(G2)", "(A3, A5)", "H1", "H3", "A4"):
        assert clause in holiday + suspended
    assert "contract-bravo-2025, versions 1-3" in suspended


def test_a_timeline_shows_every_fact_with_its_seal(run: Run, demo_store: str) -> None:
    _, out, _ = run("timeline", "incident-B-21", "--store", demo_store, "--format", "json")
    found = json.loads(out)["rows"]
    assert [row["version"] for row in found] == [1, 2, 3, 4, 5, 6]
    assert all(len(row["leaf_hash"]) == 64 and row["lateness_us"] > 0 for row in found)


def test_italian_is_for_people_and_never_for_machines(run: Run, demo_store: str) -> None:
    _, table, _ = run("report", "penalty", "--store", demo_store, *DEMO_AS_OF, "--language", "it")
    assert "penale massima" in table
    assert "8.000,00" in table
    english, italian = (
        report(run, "penalty", "--store", demo_store, *DEMO_AS_OF, "--language", language)["rows"]
        for language in ("en", "it")
    )
    assert english == italian
    assert Decimal(english[1]["base"]) == 8000


# --- recording ---


def test_a_contract_is_signed_from_a_file_and_signing_it_again_changes_nothing(run: Run) -> None:
    _, text, _ = run("contract", "example")
    Path("acme.toml").write_text(text, encoding="utf-8")
    assert "4 done" in run("contract", "sign", "acme.toml")[1]
    status, out, _ = run("contract", "sign", "acme.toml")
    assert (status, "4 duplicate" in out) == (0, True)
    assert rows(run, "credits")["acme-2026"]["bought"] == 6000
    assert "Terms ASSUMED" in run("report", "breach")[1]


def test_a_contract_nobody_signed_is_best_effort_and_listed(run: Run) -> None:
    status, out, _ = run("ingest", write_lines("m.jsonl", OPENING))
    assert (status, "1 done" in out) == (0, True)
    row = rows(run, "compliance")["X1"]
    assert (row["coverage"], row["coverage_reason"], row["breach"]) == ("best_effort", "no_contract", False)
    assert [finding["code"] for finding in row["findings"]] == ["contract_unsigned"]
    assert rows(run, "queue")["X1"]["tier"] == "rest"


def test_refused_messages_are_told_and_handed_back_whole(run: Run) -> None:
    wrong = message("open", "X2", "2025-03-03T09:00:00", {"impact": "high", "urgency": "high"})
    status, out, _ = run("ingest", write_lines("m.jsonl", OPENING, wrong, "no json"), "--refused", "back.jsonl")
    assert status == 1
    assert "3 messages: 1 done, 0 duplicate, 0 waiting, 2 refused" in out
    assert "m.jsonl:2: refused [R1] time: an instant needs an offset" in out
    back = [json.loads(line) for line in Path("back.jsonl").read_text(encoding="utf-8").splitlines()]
    assert back[0]["message"] == wrong
    assert (back[0]["where"], back[0]["field"], back[0]["clause"]) == ("m.jsonl:2", "time", "R1")
    assert "raw_base64" in back[1]


def test_a_fact_whose_incident_is_not_opened_waits_and_is_recorded_when_it_is(run: Run) -> None:
    charge = message("take_in_charge", "X1", "2025-03-03T09:30:00+01:00", {})
    assert "1 waiting" in run("ingest", write_lines("late.jsonl", charge))[1]
    out = run("ingest", write_lines("m.jsonl", OPENING))[1]
    assert "earlier messages that waited: 1 done" in out
    assert "1 duplicate" in run("ingest", "late.jsonl")[1]


def test_message_check_records_nothing(run: Run) -> None:
    status, out, _ = run("message", "check", write_lines("m.jsonl", OPENING, "{}"))
    assert status == 1
    assert "m.jsonl:2" in out
    assert "1 good, 1 refused; nothing was recorded" in out
    assert not Path("verbale.db").exists()


def test_every_message_type_has_an_example_and_a_schema(run: Run) -> None:
    listed = [line.split()[0] for line in run("schema")[1].splitlines()]
    assert listed == list(COMMANDS)
    for name in listed:
        assert json.loads(run("message", "example", name)[1])["type"] == name
        assert json.loads(run("schema", name)[1])["title"] == name


def test_a_new_store_is_named_where_it_is_made(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere" / "my store.db"
    place.parent.mkdir()
    write_lines("m.jsonl", OPENING)
    assert f"made a new store, {place}" in run("ingest", "m.jsonl", "--store", f"sqlite:///{place}")[2]
    assert place.is_file()


# --- settings ---


def test_the_store_comes_from_the_option_then_the_variable_then_the_file(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("verbale.toml").write_text('store = "sqlite:///file.db"\n', encoding="utf-8")
    write_lines("m.jsonl", OPENING)
    assert "file.db" in run("ingest", "m.jsonl")[2]
    monkeypatch.setenv("VERBALE_STORE", "sqlite:///variable.db")
    assert "variable.db" in run("ingest", "m.jsonl")[2]
    assert "option.db" in run("ingest", "m.jsonl", "--store", "sqlite:///option.db")[2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('stor = "x"', "setting stor: no such setting"),
        ("patience_hours = 0", "setting patience_hours"),
        ("store = [", "verbale.toml is not TOML"),
        ('language = "fr"', "setting language"),
    ],
)
def test_a_wrong_setting_is_named(run: Run, text: str, said: str) -> None:
    Path("verbale.toml").write_text(text, encoding="utf-8")
    status, _, err = run("report", "breach")
    assert status == 2
    assert said in err


def test_a_variable_that_is_not_json_is_named_and_not_the_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERBALE_SILENCE_HOURS", "24")
    monkeypatch.setenv("VERBALE_WEBHOOKS", "zammad")
    status, out, err = run("status")
    assert (status, out) == (2, "")
    assert 'VERBALE_ variable that is to hold JSON holds none: error parsing value for field "webhooks"' in err
    assert "verbale.toml" not in err


def test_every_setting_is_in_the_readme() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert f"VERBALE_{name.upper()}" in readme


# --- wrong use ---

WRONG_USE = [
    ("report penalty --store {store} --window 2025-03-01", "only compliance and breach have windows"),
    ("explain B-09 --store {store} --contract bravo-2025", "Unknown option: --contract"),
    ("report breach --store {store} --as-of 9999-12-31", "there is no such day"),
    ("report breach --store {store} --window 9999-12-31", "--window 9999-12-31"),
    ("report breach --store sqlite:///~nosuchuser/x.db", "no such home folder"),
    ("ingest verbale-demo --store {store}", "verbale-demo is no file"),
    ("nonsense", "Unknown command"),
    ("report breach --readng x", "Unknown option: --readng"),
    ("report breach --format xml", "--format"),
    ("report breach --language fr", "setting language"),
    ("report breach --store foo", "foo names no store"),
    ("report breach --store mysql://localhost/x", "names no store"),
    ("report breach --store sqlite:///none.db", "there is no store at none.db"),
    ("report breach --store {store} --reading foo", 'no reading is called "foo"'),
    ("report breach --store {store} --reading rate=x", "rate is figures|words"),
    ("report breach --store {store} --reading colour=red", "no question colour"),
    ("report breach --store {store} --as-of yesterday", "--as-of yesterday"),
    ("report breach --store {store} --as-of 2025-02-30", "there is no such day"),
    ("report breach --store {store} --as-of 2025-03-01T09:00:00", "needs an offset"),
    ("report breach --store {store} --as-of 2999-01-01", "later than known-on"),
    ("report breach --store {store} --known-on 2999-01-01", "in the future"),
    ("report breach --store {store} --window month", "--window month"),
    ("ingest nofile --store {store}", "nofile is no file"),
    ("message example foo", "no message type is called foo"),
    ("schema foo", "no message type is called foo"),
    ("message check nofile", "nofile is no file"),
    ("contract sign nofile", "nofile is no file"),
    ("contract sign verbale-demo/messages.jsonl", "is not TOML"),
    ("import servicenow nofile", "nofile is no file"),
    ("import servicenow verbale-demo/messages.jsonl --store {store}", "no ServiceNow incident log"),
    ("import servicenow verbale-demo/messages.jsonl --credits-price much", "--credits-price much"),
    ("import servicenow verbale-demo/messages.jsonl --time-zone Mars", "no time zone is called Mars"),
    ("report breach --store sqlite:///verbale-demo/messages.jsonl", "is not a Verbale store"),
]


@pytest.mark.parametrize(("typed", "said"), WRONG_USE, ids=[typed for typed, _ in WRONG_USE])
def test_wrong_use_is_told_in_a_line_or_two_that_say_what_to_do(
    run: Run, demo_store: str, typed: str, said: str
) -> None:
    status, out, err = run(*typed.format(store=demo_store).split())
    assert status == 2
    assert said in err
    assert err.startswith("verbale: ")
    assert len(err.splitlines()) <= 2
    assert out == ""


def test_a_store_opened_to_only_read_answers_but_records_nothing(run: Run, demo_store: str) -> None:
    store = f"{demo_store}?mode=ro"
    status, out, err = run("ingest", write_lines("m.jsonl", OPENING), "--store", store)
    assert (status, out) == (2, "")
    assert "is read-only: nothing was recorded" in err
    assert report(run, "breach", "--store", store)["manifest"]["position"] == 335


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("explain ZZ", "no incident ZZ was opened"),
        ("timeline incident-ZZ", "nothing is recorded under incident-ZZ"),
        ("report breach --contract nope", "no contract is called nope"),
    ],
)
def test_asking_for_what_is_not_on_record_is_answered_no(run: Run, demo_store: str, typed: str, said: str) -> None:
    status, _, err = run(*typed.split(), "--store", demo_store)
    assert status == 1
    assert said in err


def test_a_defect_shows_no_traceback_to_a_user(run: Run, demo_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("bin.commands.report.make", broken)
    status, _, err = run("report", "breach", "--store", demo_store)
    assert status == 2
    assert "this should not happen: ZeroDivisionError: a defect" in err
    assert "Traceback" not in err


# --- what must not matter, and must not be lost ---


def as_a_process(arguments: list[str], folder: Path, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bin.cli import main; sys.exit(main())"
    environment = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-P", "-c", start, *arguments],
        cwd=folder, env=environment, capture_output=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture(scope="session")
def japanese_rome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Time-zone data of a machine that is wrong about Rome."""
    folder = tmp_path_factory.mktemp("zones")
    (folder / "Europe").mkdir()
    tokyo = resources.files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (folder / "Europe" / "Rome").write_bytes(tokyo)
    return folder


@pytest.mark.integration
@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONTZPATH": "japanese"},
        {"TZ": "Asia/Tokyo"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0"},
        {"PYTHONHASHSEED": "1"},
    ],
    ids=lambda environment: next(iter(environment)),
)
def test_the_machine_changes_no_byte_of_a_report(
    demo_folder: Path, japanese_rome: Path, environment: dict[str, str]
) -> None:
    known = ["--as-of", demo.AS_OF, "--known-on", "2026-11-01", "--store", f"sqlite:///{demo_folder / 'verbale.db'}"]
    known[3] = instant_text(clock())
    arguments = ["explain", "A-04", *known, "--format", "json"]
    given = {name: str(japanese_rome) if value == "japanese" else value for name, value in environment.items()}
    usual, elsewhere = (as_a_process(arguments, demo_folder, **extra) for extra in ({}, given))
    assert (usual.returncode, elsewhere.returncode, elsewhere.stderr) == (0, 0, b"")
    assert usual.stdout == elsewhere.stdout
    assert b"Anniversario" in usual.stdout


def test_another_zone_file_moves_no_figure_of_the_demo(run: Run, demo_store: str, tmp_path: Path) -> None:
    asked = ("compliance", "breach", "penalty", "credits", "commitments")
    at = ("--as-of", demo.AS_OF, "--known-on", instant_text(clock()), "--store", demo_store)

    def figures() -> list[Any]:
        return [report(run, name, *at)["rows"] for name in asked]

    usual = figures()
    with zone_files(tmp_path / "zones", Europe__Rome="Africa/Lagos"):
        assert figures() == usual


@pytest.mark.integration
def test_a_reader_that_stops_reading_is_no_error(demo_folder: Path) -> None:
    store = f"sqlite:///{demo_folder / 'verbale.db'}"
    for form in ("table", "json", "csv"):
        start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bin.cli import main; sys.exit(main())"
        typed = [sys.executable, "-P", "-c", start, "report", "compliance", "--store", store, "--format", form]
        with subprocess.Popen(typed, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            said = process.stderr.read()
            assert (process.wait(timeout=60), said) == (0, b"")


@pytest.mark.parametrize("victim", ["verbale-demo/verbale.db", "verbale-demo/messages.jsonl"])
def test_refused_messages_are_never_written_over_what_is_read(run: Run, demo_store: str, victim: str) -> None:
    before = Path(victim).read_bytes()
    status, _, err = run("ingest", "verbale-demo/messages.jsonl", "--store", demo_store, "--refused", victim)
    assert status == 2
    assert "would overwrite what is read" in err
    assert Path(victim).read_bytes() == before


@pytest.mark.parametrize("output", ["nowhere/refused.jsonl", "."])
def test_an_output_that_cannot_be_written_is_refused_before_anything_is_recorded(run: Run, output: str) -> None:
    status, _, err = run("ingest", write_lines("m.jsonl", OPENING), "--refused", output)
    assert status == 2
    assert "cannot be written" in err
    assert not Path("verbale.db").exists()


def test_a_message_that_waited_too_long_is_handed_back_whole(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    charge = message("take_in_charge", "X9", "2025-03-03T09:30:00+01:00", {})
    run("ingest", write_lines("late.jsonl", charge))
    monkeypatch.setattr("bin.compose.clock", lambda: clock() + 73 * 3_600_000_000)
    status, out, _ = run("ingest", write_lines("m.jsonl", OPENING), "--refused", "back.jsonl")
    assert status == 1
    assert "1 waited too long" in out
    (back,) = (json.loads(line) for line in Path("back.jsonl").read_text(encoding="utf-8").splitlines())
    assert (back["message"], back["clause"]) == (charge, "R4")


def test_a_stray_quote_costs_its_own_row_only(run: Run) -> None:
    columns = "number,incident_state,sys_mod_count,opened_at,sys_updated_at,location,impact,urgency,assigned_to,note"
    row = "INC{n},New,0,3/3/2025 09:00,3/3/2025 09:00,Here,1 - High,1 - High,?,{note}"
    notes = ["", '"two\nlines"', '"stray', "", "", ""]
    lines = [row.format(n=n, note=note.replace("\\n", "\n")) for n, note in enumerate(notes)]
    Path("log.csv").write_text("\n".join([columns, *lines]) + "\n", encoding="utf-8")
    status, out, _ = run("import", "servicenow", "log.csv", "--quarantine", "q.csv")
    assert status == 0
    assert "6 rows, 5 incidents, 1 quarantined" in out
    (kept,) = csv.DictReader(io.StringIO(Path("q.csv").read_text(encoding="utf-8")))
    assert (kept["line"], "stray" in kept["unread"]) == ("5", True)


def test_a_newer_holidays_library_changes_nothing_that_is_recorded(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("acme.toml").write_text(run("contract", "example")[1], encoding="utf-8")
    run("contract", "sign", "acme.toml")
    before = report(run, "breach")["manifest"]
    monkeypatch.setattr("adapters.imports.contract_messages.library_version", lambda: "9.9")
    status, out, _ = run("contract", "sign", "acme.toml")
    assert (status, "0 done, 4 duplicate" in out) == (0, True)
    after = report(run, "breach")["manifest"]
    assert (after["position"], after["calendars"]) == (before["position"], before["calendars"])


def test_a_changed_contract_file_is_refused_with_what_to_do(run: Run) -> None:
    text = run("contract", "example")[1]
    Path("acme.toml").write_text(text, encoding="utf-8")
    run("contract", "sign", "acme.toml")
    Path("acme.toml").write_text(text.replace('customers = ["acme"]', 'customers = ["other"]'), encoding="utf-8")
    status, out, _ = run("contract", "sign", "acme.toml")
    assert status == 1
    assert "already signed" in out
    assert "rectify" in out


def test_a_log_that_begins_earlier_adds_what_is_new(run: Run) -> None:
    columns = "number,incident_state,sys_mod_count,opened_at,sys_updated_at,location,impact,urgency,assigned_to"
    rows = [f"INC{day},New,0,{day}/3/2025 09:00,{day}/3/2025 09:00,Here,1 - High,1 - High,?" for day in (3, 10)]
    Path("later.csv").write_text("\n".join([columns, rows[1]]) + "\n", encoding="utf-8")
    Path("whole.csv").write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8")
    run("import", "servicenow", "later.csv")
    status, out, _ = run("import", "servicenow", "whole.csv")
    assert status == 0
    assert "1 done, 5 duplicate" in out


def test_a_fact_of_a_newer_verbale_and_a_damaged_one_are_named(run: Run, demo_store: str) -> None:
    for change, said in (
        ("topic = 'contract.signed.v2'", "facts of type contract.signed.v2 are unknown here"),
        ("topic = 'contract.signed.v1', state = '{'", "cannot be read as contract.signed.v1"),
    ):
        with closing(sqlite3.connect("verbale-demo/verbale.db")) as connection:
            connection.execute("DROP TRIGGER IF EXISTS stored_events_UPDATE_refused")
            connection.execute(f"UPDATE stored_events SET {change} WHERE rowid = 1")
            connection.commit()
        status, _, err = run("report", "breach", "--store", demo_store)
        assert status == 2
        assert "position 1" in err
        assert said in err
        assert len(err.splitlines()) == 1


def test_an_incident_whose_id_looks_like_a_stream_is_found_as_typed(run: Run) -> None:
    long = message("open", "incident-7", "2025-03-03T09:00:00+01:00", OPENING["data"])
    short = message("open", "7", "2025-03-03T09:00:00+01:00", OPENING["data"])
    run("ingest", write_lines("m.jsonl", long, short))
    assert "Explanation: incident-7\n" in run("explain", "incident-7")[1]
    run("ingest", write_lines("n.jsonl", OPENING))
    assert "Explanation: X1\n" in run("explain", "incident-X1")[1]


def test_csv_of_a_report_without_rows_still_has_its_columns(run: Run) -> None:
    run("ingest", write_lines("m.jsonl", OPENING))
    for name in ("breach", "penalty"):
        status, out, _ = run("report", name, "--format", "csv")
        assert status == 0
        assert out.startswith("contract,")


def test_an_example_of_a_message_is_a_line_that_can_be_ingested(run: Run) -> None:
    status, out, _ = run("message", "example", "incident.open")
    assert (status, out.count("\n")) == (0, 1)
    Path("today.jsonl").write_text(out, encoding="utf-8")
    assert run("message", "check", "today.jsonl")[:2] == (0, "1 good, 0 refused; nothing was recorded\n")


@pytest.mark.parametrize(
    "typed", ["report --format csv penalty", "--format=csv report penalty", "report penalty --format csv"]
)
def test_a_common_option_stands_before_within_or_after_the_command(run: Run, typed: str) -> None:
    write_lines("m.jsonl", OPENING)
    run("ingest", "m.jsonl")
    status, out, _ = run(*typed.split())
    assert status == 0
    assert out.startswith("contract,passed_at")


def test_a_minus_and_a_dash_that_ends_an_id_stay_on_a_narrow_screen() -> None:
    narrow = console()
    narrow.width = 24
    columns = [plain("incident"), plain("record later by"), plain("nothing")]
    rows = [{"incident": "INC-42-", "record later by": "-0:05", "nothing": None}]
    with narrow.capture() as printed:
        print_rows(narrow, columns, rows, Writing(Words("en"), HOUSE_ZONE))
    lines = [line.split() for line in printed.get().splitlines() if line]
    assert lines == [["incident", "INC-42-"], ["record", "later", "by", "-0:05"]]


def test_headings_take_several_lines_before_a_table_is_given_up() -> None:
    narrow = console()
    narrow.width = 28
    columns = [plain("incident"), plain("record later by"), plain("nothing")]
    rows = [{"incident": "INC-42-", "record later by": "-0:05", "nothing": None}]
    with narrow.capture() as printed:
        print_rows(narrow, columns, rows, Writing(Words("en"), HOUSE_ZONE))
    lines = [line.split() for line in printed.get().splitlines() if "─" not in line]
    assert lines == [["record"], ["later"], ["incident", "by", "nothing"], ["INC-42-", "-0:05", "-"]]


def test_a_filter_that_picks_nothing_does_not_say_that_there_is_nothing(run: Run) -> None:
    assert run("demo", "here")[0] == 0
    store = ("--store", "sqlite:///here/verbale.db")
    out = run("report", "systems", "--late", *store)[1]
    assert "Nothing that is asked for." in out
    assert "No connected system was declared" not in out
    Path("bad.jsonl").write_text("{\n", encoding="utf-8")
    run("ingest", "bad.jsonl", *store)
    assert "Nothing that is asked for." in run("refused", "list", "--clause", "R9", *store)[1]
    assert "not JSON" in run("refused", "list", "--clause", "r1", *store)[1]


def test_a_contract_is_taken_as_anybody_writes_it_in_reports_too(run: Run) -> None:
    assert run("demo", "here")[0] == 0
    store = ("--store", "sqlite:///here/verbale.db", "--format", "csv")
    named, stream = (
        run("report", "breach", "--contract", name, *store)[1] for name in ("bravo-2025", "contract-bravo-2025")
    )
    assert named == stream
    assert [line.partition(",")[0] for line in named.splitlines()] == ["contract", "bravo-2025"]


def test_doctor_s_commands_act_on_the_store_that_was_asked_about(run: Run) -> None:
    assert run("demo", "the demo")[0] == 0
    out = run("doctor", "--store", "sqlite:///the demo/verbale.db")[1]
    assert "verbale project --store 'sqlite:///the demo/verbale.db'" in out
