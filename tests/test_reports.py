"""Each report is declared once: its columns, what live tables hold of them, and what people read around its rows."""

import csv
import json
from collections.abc import Callable
from importlib.resources import files
from io import BytesIO, StringIO
from itertools import product
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, get_args

import pytest
from babel.messages.pofile import read_po
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st
from support.examples import CONTRACT
from support.messages import INCIDENT, buy, consume, contract_in_force, message, opening
from support.offices import KINDS, Office, office

import adapters.reports
from adapters.errors import BadQuestion
from adapters.live_tables.report_from_tables import from_live
from adapters.reports.filters import Filters
from adapters.reports.penalty import PENALTIES
from adapters.reports.question import question
from adapters.reports.ranges import from_ranges, in_ranges
from adapters.reports.report import Definition, ReportName, definition, make
from bin.cli import main
from bin.commands import demo
from domain.values import read_instant

NAMES = get_args(ReportName)
DECLARED = [name for _, name, _ in iter_modules(adapters.reports.__path__)]


def declarations() -> list[Definition[Any]]:
    """Every report, also those that no live table keeps."""
    modules = (__import__(f"adapters.reports.{name}", fromlist=["REPORT"]) for name in DECLARED)
    return [module.REPORT for module in modules if hasattr(module, "REPORT")]


@pytest.mark.parametrize("name", NAMES)
def test_a_report_has_a_live_table_and_its_columns_are_called_the_same_there(name: ReportName) -> None:
    report = definition(name)
    kept = {column.name for table in report.tables for column in table.columns}
    missing = {column.name for column in report.csv_columns} - kept
    assert report.tables
    assert missing == set(report.not_kept_live)
    assert all(report.not_kept_live.values())


@given(st.sets(st.integers(1, 60)).map(sorted))
def test_versions_written_as_ranges_are_read_back(versions: list[int]) -> None:
    assert from_ranges(in_ranges(versions)) == tuple(versions)


def test_versions_that_follow_each_other_are_drawn_together() -> None:
    assert in_ranges([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"
    assert (in_ranges([]), in_ranges([4]), from_ranges("")) == ("", "4", ())


def test_the_credits_of_thousands_of_consumptions_are_one_short_cell(run: Run) -> None:
    told = [*contract_in_force(), *(consume(f"W{number}", 1) for number in range(400))]
    Path("told.jsonl").write_bytes(b"\n".join(told))
    run("ingest", "told.jsonl")
    (row,) = csv.DictReader(StringIO(run("report", "credits", "--format", "csv")[1]))
    assert (row["consumed"], row["evidence_stream"], row["evidence_versions"]) == (
        "400",
        f"credits-{CONTRACT}",
        "1-401",
    )


def test_credits_are_reported_package_by_package_in_every_format(run: Run) -> None:
    told = [*contract_in_force(), buy(package="B", time="2026-03-01T09:00:00Z"), consume()]
    Path("told.jsonl").write_bytes(b"\n".join(told))
    run("ingest", "told.jsonl")
    asked = ("report", "credits", "--by-package")
    made = json.loads(run(*asked, "--format", "json")[1])
    assert (made["manifest"]["report"], made["manifest"]["made_from"]) == ("credits_by_package", "replay")
    assert [(row["package"], row["consumed"]) for row in made["rows"]] == [("A", 60), ("B", 0)]
    rows = list(csv.DictReader(StringIO(run(*asked, "--format", "csv")[1])))
    assert [(row["package"], row["evidence_versions"]) for row in rows] == [("A", "1, 3"), ("B", "2")]
    assert "Assistance credits by package (G2), minutes" in run(*asked)[1]
    assert "picks nothing of the report credits_by_package" in run(*asked, "--late")[2]


def test_what_no_live_table_keeps_is_what_other_tables_or_the_store_tell() -> None:
    measured = {(name, column) for name in NAMES for column in definition(name).not_kept_live}
    told = {("breach", "statements"), ("penalty", "statements")}
    asked_of_the_store = {("breach", "messages_waiting"), ("breach", "messages_refused")}
    of_the_contract = {("compliance", f"evidence_{part}") for part in ("contract", "calendar", "credits")}
    counted = {("breach", "evidence_late"), ("breach", "evidence_left"), ("queue", "rank")}
    assert measured == counted | told | asked_of_the_store | of_the_contract


@pytest.mark.parametrize("report", declarations(), ids=lambda report: report.name)
def test_a_report_declares_each_column_once_and_says_what_it_means(report: Definition[Any]) -> None:
    for columns in (report.columns, report.csv_columns, *(table.columns for table in report.tables)):
        names = [column.name for column in columns]
        assert len(set(names)) == len(names)
        assert all(column.meaning for column in columns)


def test_every_heading_title_and_empty_state_is_in_the_italian_catalogue() -> None:
    text = files("bin").joinpath("locale", "it.po").read_bytes()
    known = {message.id for message in read_po(BytesIO(text)) if message.string}
    found = {column.heading for report in declarations() for column in report.screen if column.heading != "#"}
    found |= {sentence for report in declarations() for sentence in (report.title, report.empty)}
    assert found <= known


@pytest.fixture(params=KINDS)
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    with office(request.param, tmp_path) as found:
        found.tell(*contract_in_force(), opening(time="2026-11-02T08:00:00Z", system="erp"))
        found.tell(message("incident.take_in_charge", f"incident-{INCIDENT}", "2026-11-02T11:00:00Z"))
        yield found


def test_what_a_store_works_out_is_what_the_report_shows(here: Office) -> None:
    """Euro beside cents, "1/10" beside numerator and denominator, the stream of a row: as CSV has them."""
    here.projector().rebuild()
    live = here.reporting.live
    (penalty,) = here.reporting.run(f"SELECT maximum_penalty, rate, evidence_stream FROM {live.name(PENALTIES)}")
    assert [str(penalty[0])[:4], *penalty[1:]] == ["50.0", "1/10", f"contract-{CONTRACT}"]
    for name in NAMES:
        for table in definition(name).tables:
            shown = [column for column in table.columns if column.from_columns and column.kind != "hours"]
            names = [column.name for column in shown]
            found = here.reporting.run(f"SELECT {', '.join(names)} FROM {live.name(table)}") if shown else []
            for values, stored in zip(found, live.rows(table), strict=True) if shown else ():
                for column, value in zip(shown, values, strict=True):
                    parts = [stored[part] for part in column.from_columns]
                    assert _as_text(column.kind, value) == _worked_out(column.kind, column.before, parts), column.name


def _as_text(kind: str, value: Any) -> str | None:
    return None if value is None else f"{value:.2f}" if kind == "euro" else str(value)


def _worked_out(kind: str, before: str, parts: list[Any]) -> str | None:
    if None in parts or (kind == "share" and parts[1] == 0):
        return None
    match kind:
        case "euro":
            return f"{parts[0] // 100}.{parts[0] % 100:02}"
        case "share":
            return f"{parts[0]}/{parts[1]}"
        case _:
            return f"{before}{parts[0]}"


# --- filters ----------------------------------------------------------------------------------------------------

DEMO_DAY = ("--as-of", demo.AS_OF)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The store of the demo's year."""
    folder = tmp_path_factory.mktemp("demo") / "verbale-demo"
    assert main(["demo", str(folder)]) == 0
    return f"sqlite:///{folder / 'verbale.db'}"


@pytest.fixture
def asked(run: Run, year: str) -> Callable[..., Any]:
    """The rows of a report on the demo's year."""
    store = ("--store", year)

    def rows(*typed: str) -> list[dict[str, Any]]:
        status, out, err = run("report", *typed, *store, "--format", "json")
        assert status == 0, err
        found: list[dict[str, Any]] = json.loads(out)["rows"]
        return found

    return rows


def test_filters_pick_rows_and_change_none(asked: Callable[..., Any]) -> None:
    whole = asked("compliance", *DEMO_DAY)
    assert asked("compliance", *DEMO_DAY, "--late") == [row for row in whole if row["breach"]] != []
    assert asked("compliance", *DEMO_DAY, "--priority", "1") == [row for row in whole if row["priority"] == 1] != []
    spring = asked("compliance", *DEMO_DAY, "--since", "2025-03-12", "--until", "2025-05-20")
    assert spring == [row for row in whole if "2025-03-11T23" <= row["opened_at"] < "2025-05-20T22"] != []
    assert asked("compliance", *DEMO_DAY, "--late", "--priority", "5") == []


def test_windows_and_periods_are_picked_that_meet_the_time_asked_about(asked: Callable[..., Any]) -> None:
    quarters = ("breach", *DEMO_DAY, "--window", "quarter", "--contract", "alfa-2025")
    whole = asked(*quarters)
    assert asked(*quarters, "--since", "2025-06-30", "--until", "2025-07-01") == whole[1:3]
    assert asked(*quarters, "--since", "2025-07-01", "--until", "2025-07-01") == whole[2:3]
    assert asked("breach", *DEMO_DAY, "--passed") == [row for row in asked("breach", *DEMO_DAY) if row["passed"]] != []


def test_a_filtered_report_says_so_in_heading_and_manifest(run: Run, year: str) -> None:
    typed = ("report", "compliance", *DEMO_DAY, "--late", "--since", "2025-03-01")
    store = ("--store", year)
    assert "only --late, --since 2025-03-01 00:00" in run(*typed, *store)[1]
    assert "solo --late" in run(*typed, *store, "--language", "it")[1]
    made = json.loads(run(*typed, *store, "--format", "json")[1])["manifest"]
    assert made["filters"] == {"late": True, "since": "2025-02-28T23:00:00Z"}


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ("queue --late", 2, "--late picks nothing of the report queue: it is for compliance, commitments and systems"),
        ("credits --passed", 2, "it is for breach and penalty"),
        ("compliance --priority 6", 2, "--priority 6 is none: they are 1 (highest) to 5"),
        ("compliance --since 2025-03-02 --until 2025-03-01", 2, "later than --until"),
        ("penalty --customer nobody", 1, "no contract has a customer called nobody"),
        ("penalty --window 2025-03-01", 2, "only compliance and breach have windows"),
    ],
)
def test_a_filter_that_means_nothing_is_answered_in_a_sentence(
    run: Run, year: str, typed: str, status: int, said: str
) -> None:
    answered, _, err = run("report", *typed.split(), "--store", year)
    assert (answered, said in err) == (status, True), err


def test_filters_pick_the_same_from_live_tables(here: Office) -> None:
    here.tell(*contract_in_force("other", customers=["OTHER"]))
    here.projector().rebuild()
    given = [Filters(late=True), Filters(customer="OTHER"), Filters(passed=True), Filters(priority=2), Filters(until=0)]
    for name, filters in product(NAMES, given):
        if set(filters.given) <= set(definition(name).filters):
            asked = question(now=here.clock.now, filters=filters)
            live = from_live(name, here.ledger, here.reporting, asked)
            assert live is not None
            assert live.rows == make(name, here.ledger, asked).rows


# --- today, and before the first record -------------------------------------------------------------------------


def test_a_day_that_has_not_ended_lasts_until_now() -> None:
    now = read_instant("2026-11-02T12:00:00Z")
    today = question(now=now, as_of="2026-11-02", known_on="2026-11-02")
    assert (today.as_of, today.known_on) == (now, now)
    assert question(now=now, as_of="2026-11-01").as_of == read_instant("2026-11-01T22:59:59.999999Z")
    with pytest.raises(BadQuestion, match="later than known-on"):
        question(now=now, as_of="2026-11-03")
    with pytest.raises(BadQuestion, match="in the future"):
        question(now=now, known_on="2026-11-03")


def test_where_nothing_was_recorded_yet_the_first_record_is_named(run: Run, year: str) -> None:
    store = ("--store", year)
    status, _, err = run("report", "penalty", "--known-on", "2025-01-01", *store)
    assert status == 0
    assert "nothing was recorded by 2025-01-01T22:59:59.999999Z: the first record is of 20" in err
    assert "recorded by" not in run("report", "penalty", *DEMO_DAY, *store)[2]
    assert "recorded by" not in run("unrouted", *store)[2]
    assert "la prima registrazione" in run("unrouted", "--known-on", "2025-01-01", "--language", "it", *store)[2]


@pytest.mark.parametrize(
    "command",
    [
        ("explain", "B-13"),
        ("show", "alfa-2025"),
        ("calendar", "alfa-2025", "--from", "2025-11-24", "--to", "2025-11-30"),
        ("replay", "--into", "before.db"),
    ],
    ids=lambda command: command[0],
)
def test_every_command_that_takes_known_on_names_the_first_record(
    run: Run, year: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "the first record is of 20" in run(*command, "--known-on", "2025-01-01", "--store", year)[2]
    (tmp_path / "before.db").unlink(missing_ok=True)
    assert "the first record" not in run(*command, "--store", year)[2]
