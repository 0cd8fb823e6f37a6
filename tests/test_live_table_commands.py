"""The commands that keep live tables, as a user runs them: project, rebuild, replay, status, doctor, tables."""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import pytest
from support.messages import CHECKOUT, charge, child_environment, contract_in_force, opening
from support.offices import KINDS, Office, dump, office
from support.servers import owner

from adapters.live_tables.errors import BeingBuilt, NoTables
from adapters.live_tables.incident_rows import Rows
from adapters.live_tables.postgres import PostgresReporting
from adapters.live_tables.projector import Projector
from adapters.live_tables.rebuild import build
from adapters.live_tables.schema import PUBLIC
from adapters.live_tables.sqlite import SqliteReporting, reporting_file
from adapters.live_tables.step import Step
from adapters.reports.breach import WINDOWS
from adapters.reports.compliance import INCIDENTS
from adapters.reports.report import ReportName
from adapters.store.postgres_url import postgres_location
from bin.commands import live_tables as projecting
from bin.compose import clock
from domain.values import instant_text
from projections.readings import LITERAL

Run = Callable[..., tuple[int, str, str]]
FOR_2026 = {"in_force_until": "2027-01-01T00:00:00+01:00"}
"""A contract that ends with its calendar: whenever this runs, doctor has nothing to say of it."""
PATIENCE = 60.0
"""Seconds after which a process that does not answer is taken to hang: no measure of how fast it is."""


@pytest.fixture(params=KINDS)
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """An office with a contract in force and one request, recorded today."""
    with office(request.param, tmp_path) as found:
        found.clock.now = clock()
        found.tell(*contract_in_force(**FOR_2026), opening(time="2026-03-02T08:00:00Z"))
        yield found


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that will be so before long."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def started(*arguments: str) -> subprocess.Popen[str]:
    """Verbale as a process of its own."""
    code = "import sys; from bin.cli import main; sys.exit(main())"
    pipe = subprocess.PIPE
    command = [sys.executable, "-P", "-c", code, *arguments]
    return subprocess.Popen(command, env=child_environment(), stdout=pipe, stderr=pipe, text=True, cwd=CHECKOUT)


# --- project ----------------------------------------------------------------------------------------------------


def test_project_makes_the_tables_and_reports_read_them(run: Run, here: Office) -> None:
    assert "from replay" in run("report", "breach", "--store", here.url)[1]
    status, out, err = run("project", "--once", "--store", here.url)
    assert (status, err) == (0, "")
    assert "there are no live tables yet" in out
    assert "position 5 of 5, lag 0" in out
    for name in get_args(ReportName):
        live = json.loads(run("report", name, "--store", here.url, "--format", "json")[1])
        assert live["manifest"]["made_from"] == "live tables"
        asked = ("--as-of", live["manifest"]["as_of"], "--known-on", live["manifest"]["known_on"])
        words = json.loads(run("report", name, *asked, "--store", here.url, "--format", "json")[1])
        assert words["rows"] == live["rows"]
    assert "from live tables" in run("report", "breach", "--store", here.url)[1]
    assert "from replay" in run("report", "breach", "--as-of", "2026-03-02", "--store", here.url)[1]


def test_project_again_takes_up_where_it_was(run: Run, here: Office) -> None:
    run("project", "--once", "--store", here.url)
    here.tell(charge(time="2026-03-02T08:30:00Z"))
    assert "from replay" in run("report", "compliance", "--store", here.url)[1]
    _, out, _ = run("project", "--once", "--store", here.url)
    assert "building" not in out
    assert "position 6 of 6, lag 0" in out


@pytest.mark.integration
def test_a_running_projector_follows_the_record_and_ends_when_asked(here: Office) -> None:
    process = started("project", "--store", here.url)
    try:
        until(lambda: here.reporting.exists() and here.projector().behind() == 0)
        for number in range(3):
            here.tell(opening(f"F{number}", time="2026-03-02T09:00:00Z"))
            until(lambda: here.projector().behind() == 0)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, "")
    assert "position 8 of 8, lag 0" in out


def rebuilt(projector: Projector) -> bool:
    """Whether the tables are built; a server may hold the lock of a builder that was killed for a moment yet."""
    try:
        projector.rebuild(unless_current=True)
    except BeingBuilt:
        return False
    return True


@pytest.mark.integration
def test_a_projector_killed_at_any_instant_is_taken_up_by_the_next(here: Office) -> None:
    """Killed while it builds, while it steps, while it swaps: the tables are then those of a clean run."""
    chance = random.Random(4)
    for number in range(6):
        process = started("project", "--store", here.url)
        try:
            for message in range(20):
                here.tell(opening(f"K{number}-{message}", time="2026-03-02T09:00:00Z"))
            time.sleep(chance.uniform(0.2, 1.2))
        finally:
            process.kill()
            process.communicate(timeout=PATIENCE)
    projector = here.projector()
    until(lambda: rebuilt(projector))
    while projector.step():
        pass
    at = here.at
    assert at.position == here.ledger.store.position() == 125
    build(here.ledger, here.reporting, (LITERAL,), 99, here.clock, position=at.position, as_of=at.as_of)
    assert dump(here.reporting.building) == dump(here.reporting.live)


def test_a_rebuild_of_another_process_is_noticed_by_one_that_runs(run: Run, here: Office) -> None:
    projector = here.projector()
    projector.rebuild()
    projector.step()
    assert run("rebuild", "--store", here.url)[0] == 0
    here.tell(charge(time="2026-03-02T08:30:00Z"))
    here.clock.now = clock()
    projector.step()
    assert (here.at.generation, here.at.position) == (2, 6)
    (row,) = here.reporting.live.read(INCIDENTS)
    assert "met" in row


def test_a_fact_that_cannot_be_read_ends_project_with_its_position(run: Run, tmp_path: Path) -> None:
    with office("sqlite", tmp_path) as here:
        here.tell(*contract_in_force(), opening(time="2026-03-02T08:00:00Z"))
        run("project", "--once", "--store", here.url)
        here.tell(charge(time="2026-03-02T08:30:00Z"))
        with closing(sqlite3.connect(here.place)) as file, file:
            file.execute("DROP TRIGGER stored_events_UPDATE_refused")
            file.execute("UPDATE stored_events SET state = '{' WHERE rowid = 6")
        status, _, err = run("project", "--once", "--store", here.url)
        assert status == 2
        assert "stopped at position 6" in err
        assert "Traceback" not in err
        status, out, _ = run("doctor", "--store", here.url)
        assert status == 1
        assert "the live tables stopped before position 6" in out
        assert "1 of the triggers that keep evidence from being changed" in out


def test_tables_of_another_log_answer_nothing_and_are_made_anew(run: Run) -> None:
    """The store was removed and begun again, its tables were not: at the same position there is another fact."""
    Path("m.jsonl").write_bytes(b"\n".join([*contract_in_force(), opening(time="2026-03-02T08:00:00Z")]))
    run("ingest", "m.jsonl")
    run("project", "--once")
    Path("verbale.db").unlink()
    Path("m.jsonl").write_bytes(b"\n".join([*contract_in_force("other"), opening("I2", time="2026-03-02T08:00:00Z")]))
    run("ingest", "m.jsonl")
    assert "from replay" in run("report", "breach")[1]
    status, out, _ = run("doctor")
    assert status == 1
    assert "another log" in out
    assert "another log" in run("project", "--once")[1]
    assert "from live tables" in run("report", "breach")[1]
    assert "I2" in run("report", "compliance")[1]


# --- rebuild and replay -----------------------------------------------------------------------------------------


def test_rebuild_tells_its_generation(run: Run, here: Office) -> None:
    for generation in (1, 2):
        status, out, err = run("rebuild", "--store", here.url)
        assert (status, err) == (0, "")
        assert f"generation {generation}, position 5 of 5" in out


def test_a_replay_goes_elsewhere_and_says_the_same_as_a_report(run: Run, here: Office) -> None:
    run("project", "--once", "--store", here.url)
    live = dump(here.reporting.live)
    when = ("--as-of", "2026-03-02T09:00:00Z", "--reading", "window=quarter")
    status, out, err = run("replay", "--into", "elsewhere.db", *when, "--store", here.url)
    assert (status, err) == (0, "")
    assert "elsewhere.db" in out
    assert dump(here.reporting.live) == live
    with closing(SqliteReporting(Path("elsewhere.db"))) as made:
        (window,) = made.live.read(WINDOWS)
        (row,) = made.live.read(INCIDENTS)
    report = json.loads(run("report", "breach", *when, "--store", here.url, "--format", "json")[1])
    assert instant_text(window[3]) == report["rows"][0]["window_from"] == "2025-12-31T23:00:00Z"
    assert ("running" in row, window[1]) == (True, "window=quarter")


@pytest.mark.integration
def test_a_replay_of_a_server_s_store_may_go_into_a_schema(run: Run, tmp_path: Path) -> None:
    with office("postgres", tmp_path) as here:
        here.tell(*contract_in_force(), opening(time="2026-03-02T08:00:00Z"))
        place = postgres_location(str(here.place))
        for own in (place.schema, place.reporting_schema, f"{place.schema}_next"):
            status, _, err = run("replay", "--into", own, "--store", here.url)
            assert status == 2
            assert "schema" in err
        name = f"{place.schema}_may"
        try:
            assert run("replay", "--into", name, "--as-of", "2026-05-31", "--store", here.url)[0] == 0
            with closing(PostgresReporting(place, name)) as made:
                assert made.live.values(INCIDENTS, "incident") == ["INC0001234"]
            status, _, err = run("replay", "--into", name, "--store", here.url)
            assert status == 2
            assert "there already" in err
        finally:
            here.reporting.run(f"DROP SCHEMA IF EXISTS {name} CASCADE")


@pytest.mark.parametrize("into", ["verbale.db", "verbale.reporting.db", "verbale.db-wal", "there.db"])
def test_a_replay_never_overwrites(run: Run, into: str) -> None:
    Path("m.jsonl").write_bytes(b"\n".join([*contract_in_force(), opening(time="2026-03-02T08:00:00Z")]))
    run("ingest", "m.jsonl")
    run("project", "--once")
    Path("there.db").write_text("mine")
    before = {file.name: file.read_bytes() for file in Path().iterdir() if file.suffix == ".db"}
    status, _, err = run("replay", "--into", into)
    assert status == 2
    assert "name another" in err
    assert {file.name: file.read_bytes() for file in Path().iterdir() if file.suffix == ".db"} == before


def test_a_replay_into_a_schema_asks_for_a_server(run: Run) -> None:
    Path("m.jsonl").write_bytes(b"\n".join(contract_in_force()))
    run("ingest", "m.jsonl")
    status, _, err = run("replay", "--into", "somewhere")
    assert status == 2
    assert "goes into a file" in err


def test_a_replay_interrupted_leaves_nothing_that_looks_finished(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("m.jsonl").write_bytes(b"\n".join([*contract_in_force(), opening(time="2026-03-02T08:00:00Z")]))
    run("ingest", "m.jsonl")

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(projecting, "build", interrupted)
    assert run("replay", "--into", "half.db")[0] == 130
    assert not Path("half.db").exists()


# --- status and doctor ------------------------------------------------------------------------------------------


def test_status_says_how_the_store_and_its_tables_stand(run: Run, here: Office) -> None:
    run("project", "--once", "--store", here.url)
    here.tell(charge(time="2026-03-02T08:30:00Z"), charge("NEVER"))
    status, out, _ = run("status", "--store", here.url, "--format", "json")
    shown = json.loads(out)
    assert status == 0
    expected = {"ledger": "main", "facts": 6, "waiting": 1, "refused": 0, "position": 6, "projected": 5}
    expected |= {"lag_positions": 1, "readings": ["literal"], "generation": 1, "stopped_at_position": None}
    assert expected.items() <= shown.items()
    assert shown["lag_seconds"] >= 0
    table = run("status", "--store", here.url)[1]
    assert "lag positions" in table
    assert "password" not in table


def test_doctor_finds_nothing_wrong_where_nothing_is(run: Run, here: Office) -> None:
    run("project", "--once", "--store", here.url)
    assert run("doctor", "--store", here.url)[:2] == (0, "Nothing is wrong.\n")


def test_doctor_says_what_is_missing_and_what_to_do(run: Run, here: Office) -> None:
    status, out, _ = run("doctor", "--store", here.url, "--format", "json")
    (remark,) = json.loads(out)
    assert status == 1
    assert "there are no live tables" in remark["wrong"]
    # On a file the command names it, so that pasted it acts on no other; an address of a server may hold a password.
    command = "verbale project" + (f" --store {here.url}" if here.url.startswith("sqlite:") else "")
    assert remark["do"].endswith(command)


def test_doctor_says_when_the_tables_are_far_behind(run: Run, here: Office) -> None:
    run("project", "--once", "--store", here.url)
    here.clock.now = clock() - 300_000_000
    late = here.ledger.store.recorded_until()
    here.tell(charge(time="2026-03-02T08:30:00Z"))
    assert late <= here.ledger.store.recorded_until()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(projecting, "clock", lambda: clock() + 3_600_000_000)
        status, out, _ = run("doctor", "--store", here.url)
    assert status == 1
    assert "seconds behind" in out
    assert "verbale project is running" in out


def test_doctor_sees_facts_taken_away_by_hand(run: Run, tmp_path: Path) -> None:
    with office("sqlite", tmp_path) as here:
        here.tell(*contract_in_force(**FOR_2026), opening(time="2026-03-02T08:00:00Z"))
        run("project", "--once", "--store", here.url)
        with closing(sqlite3.connect(here.place)) as file, file:
            file.execute("DROP TRIGGER seal_DELETE_refused")
            file.execute("DELETE FROM seal WHERE leaf = 2")
        status, out, _ = run("doctor", "--store", here.url)
        assert status == 1
        assert "5 facts, 4 seals" in out
        assert "restore" in out


def test_doctor_sees_a_recorder_whose_clock_runs_ahead(run: Run, tmp_path: Path) -> None:
    with office("sqlite", tmp_path) as here:
        here.clock.now = clock() + 7_200_000_000
        here.tell(*contract_in_force())
        run("project", "--once", "--store", here.url)
        status, out, _ = run("doctor", "--store", here.url)
        assert status == 1
        assert "clocks" in out


@pytest.mark.parametrize("command", ["project --once", "rebuild", "status", "doctor", "replay --into x.db"])
def test_without_a_store_each_command_says_what_to_do(run: Run, command: str) -> None:
    status, _, err = run(*command.split())
    assert status == 2
    assert err.startswith("verbale: there is no store at verbale.db")
    assert not list(Path().iterdir())


def test_tables_that_cannot_be_read_are_no_reason_to_give_no_report(run: Run) -> None:
    Path("m.jsonl").write_bytes(b"\n".join([*contract_in_force(), opening(time="2026-03-02T08:00:00Z")]))
    run("ingest", "m.jsonl")
    reporting_file(Path("verbale.db")).write_text("a letter")
    status, out, _ = run("report", "breach")
    assert status == 0
    assert "from replay" in out
    status, _, err = run("project", "--once")
    assert status == 2
    assert "verbale.reporting.db" in err


def test_it_speaks_italian(run: Run, here: Office) -> None:
    _, out, _ = run("project", "--once", "--store", here.url, "--language", "it")
    assert "tabelle aggiornate" in out
    assert "dalle tabelle aggiornate" in run("report", "breach", "--store", here.url, "--language", "it")[1].lower()
    assert "posizioni di ritardo" in run("status", "--store", here.url, "--language", "it")[1]
    assert "Nulla che non vada" in run("doctor", "--store", here.url, "--language", "it")[1]


# --- tables -----------------------------------------------------------------------------------------------------


def test_tables_lists_them_and_explains_each(run: Run) -> None:
    out = run("tables")[1]
    for table in PUBLIC:
        assert f"{table.name} " in out
        columns = run("tables", table.name)[1]
        assert [line.split()[0] for line in columns.splitlines()] == [column.name for column in table.columns]
    assert run("tables", "nothing")[0] == 2


# --- several at once, interruptions, roles ----------------------------------------------------------------------


@pytest.mark.integration
def test_two_first_builds_at_once_make_whole_tables(run: Run, here: Office) -> None:
    here.tell(*(opening(f"W{number}", time="2026-03-02T09:00:00Z") for number in range(300)))
    both = [started("project", "--once", "--store", here.url) for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (0, "")
    assert here.reporting.live.count(INCIDENTS) == 301
    assert here.at.generation == 1
    assert run("doctor", "--store", here.url)[0] == 0


@pytest.mark.integration
def test_tables_that_somebody_holds_are_waited_for(monkeypatch: pytest.MonkeyPatch, run: Run, tmp_path: Path) -> None:
    with office("sqlite", tmp_path) as here:
        here.tell(*contract_in_force(), opening(time="2026-03-02T08:00:00Z"))
        run("project", "--once", "--store", here.url)
        here.tell(charge(time="2026-03-02T08:30:00Z"))
        monkeypatch.setenv("VERBALE_LOCK_TIMEOUT", "1")
        assert isinstance(here.reporting, SqliteReporting)
        with closing(sqlite3.connect(here.reporting.path, isolation_level=None)) as somebody:
            somebody.execute("BEGIN IMMEDIATE")
            process = started("project", "--once", "--store", here.url)
            time.sleep(2.5)
            somebody.execute("ROLLBACK")
        _, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (0, "")
        assert here.projector().behind() == 0


def test_a_build_ends_when_it_is_asked_to(run: Run, here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Step.begin

    def interrupted(work: Step, rows: Rows) -> None:
        begin(work, rows)
        os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(Step, "begin", interrupted)
        status, _, err = run("project", "--once", "--store", here.url)
    assert status == 130
    assert "interrupted" in err
    assert not here.reporting.exists()
    assert run("project", "--once", "--store", here.url)[0] == 0


def test_tables_removed_under_a_projector_are_noticed(run: Run, tmp_path: Path) -> None:
    with office("sqlite", tmp_path) as here:
        here.tell(*contract_in_force(), opening(time="2026-03-02T08:00:00Z"))
        here.projector().rebuild()
        assert isinstance(here.reporting, SqliteReporting)
        here.reporting.path.unlink()
        with pytest.raises(NoTables, match="was removed"):
            here.projector().step()


@pytest.fixture
def roles(tmp_path: Path) -> Iterator[tuple[Office, dict[str, str]]]:
    """A server's store with live tables, and its address as its writer, its reader, and as who is both."""
    with office("postgres", tmp_path) as here:
        here.clock.now = clock()
        here.tell(*contract_in_force(**FOR_2026), opening(time="2026-03-02T08:00:00Z"))
        here.projector().rebuild()
        place = postgres_location(str(here.place))
        names = {"writer": (place.writer,), "reader": (place.reader,), "both": (place.writer, place.reader)}
        with owner(str(here.place)) as connection:
            for name, groups in names.items():
                connection.execute(f"CREATE ROLE {place.schema}_{name}_x LOGIN IN ROLE {', '.join(groups)}".encode())
            as_role = {name: f"postgresql://{place.schema}_{name}_x@" for name in names}
            yield here, {name: re.sub(r"^postgresql://([^@/]*@)?", to, here.url) for name, to in as_role.items()}
            for name in names:
                connection.execute(f"DROP ROLE {place.schema}_{name}_x".encode())


def test_each_role_is_told_what_it_may_know(run: Run, roles: tuple[Office, dict[str, str]]) -> None:
    _, urls = roles
    shown = json.loads(run("status", "--store", urls["writer"], "--format", "json")[1])
    assert (shown["facts"], shown["live_tables"]) == (5, None)
    assert "from replay" in run("report", "breach", "--store", urls["writer"])[1]
    assert run("doctor", "--store", urls["writer"])[0] == 1
    assert "from live tables" in run("report", "breach", "--store", urls["both"])[1]
    assert run("doctor", "--store", urls["both"])[0] == 0
    status, _, err = run("report", "breach", "--store", urls["reader"])
    assert status == 2
    assert "may not read the evidence" in err
    for url in (urls["writer"], urls["both"]):
        status, _, err = run("rebuild", "--store", url)
        assert status == 2
        assert "use the owner's" in err or "may not" in err


def test_a_reader_s_role_made_later_is_let_in_by_project(run: Run, roles: tuple[Office, dict[str, str]]) -> None:
    here, urls = roles
    place = postgres_location(str(here.place))
    with owner(str(here.place)) as connection:
        connection.execute(f"REVOKE USAGE ON SCHEMA {place.reporting_schema} FROM {place.reader}".encode())
    assert "from replay" in run("report", "breach", "--store", urls["both"])[1]
    run("project", "--once", "--store", here.url)
    assert "from live tables" in run("report", "breach", "--store", urls["both"])[1]


def test_doctor_sees_a_guard_that_guards_nothing(run: Run, roles: tuple[Office, dict[str, str]]) -> None:
    here, _ = roles
    with owner(str(here.place)) as connection:
        no_guard = "BEGIN IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END"
        connection.execute(
            f"CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ {no_guard} $$".encode()
        )
    status, out, _ = run("doctor", "--store", here.url)
    assert status == 1
    assert "9 of the triggers" in out


@pytest.mark.parametrize("scheme", ["postgresql+psycopg://", "POSTGRESQL://", "mysql://", "postgresql:/", ""])
def test_a_password_is_never_printed(run: Run, scheme: str) -> None:
    status, out, err = run("status", "--store", f"{scheme}u:s3cret@h/db")
    assert status == 2
    assert "s3cret" not in out + err
    assert "names no store" in err


def test_tables_of_a_store_that_is_only_read_are_not_made(run: Run) -> None:
    Path("m.jsonl").write_bytes(b"\n".join(contract_in_force()))
    run("ingest", "m.jsonl")
    status, _, err = run("project", "--once", "--store", "sqlite:///verbale.db?mode=ro")
    assert status == 2
    assert "only to be read" in err
    assert not reporting_file(Path("verbale.db")).exists()


def test_every_format_says_where_its_rows_come_from(run: Run, here: Office) -> None:
    for source in ("replay", "live tables"):
        asked = ("report", "breach", "--store", here.url, "--format")
        assert json.loads(run(*asked, "json")[1])["manifest"]["made_from"] == source
        assert f"from {source}" in run(*asked, "table")[1]
        _, out, err = run(*asked, "csv")
        assert out.startswith("contract,")
        assert err == f"verbale: from {source}; position 5\n"
        run("project", "--once", "--store", here.url)
