"""The server store: who may do what, what is refused, several processes at once, and a server that goes away."""

import json
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors
from support.messages import (
    INCIDENT,
    Clock,
    change,
    charge,
    check_log,
    child,
    contract_in_force,
    counts,
    ingest,
    names,
    opening,
    rows,
    stored,
    wire,
)
from support.servers import PostgresServer, fresh_schema, open_any, owner, shared_server, start_postgres
from test_crash import BATCH, MESSAGES, contents

from adapters.inbox.handler import CommandHandler
from adapters.inbox.messages import examples
from adapters.inbox.outcomes import Done, Duplicate
from adapters.store import postgres as module
from adapters.store.errors import (
    DamagedStore,
    LockedStore,
    NewerStore,
    NoStore,
    NotAStore,
    ReadOnlyStore,
    StoreError,
    Unanswered,
    UnreachableStore,
)
from adapters.store.leaf import Origin
from adapters.store.ledger import Ledger
from adapters.store.postgres import DB_FUNCTIONS
from adapters.store.postgres_recorder import PostgresRecorder
from adapters.store.postgres_url import postgres_location
from adapters.store.records import Batch, NewFact
from adapters.store.sql import EVIDENCE, FORMAT
from bin.cli import main
from bin.compose import open_ledger
from bin.settings import Settings
from domain.incident_facts import IncidentTakenInCharge
from domain.values import read_instant

STREAM = f"incident-{INCIDENT}"
ORIGIN = Origin(None, "s", "m", None)
PASSWORD = "Tr0ub4dor"


def server_of(url: str) -> str:
    """The address of the database of a store."""
    return url.partition("?")[0]


def as_user(url: str, user: str, password: str = "") -> str:
    """The address of the same store for another user."""
    name = f"{user}:{password}" if password else user
    return "postgresql://" + name + "@" + url.removeprefix("postgresql://").rpartition("@")[2]


@pytest.fixture
def user(postgres_url: str) -> Iterator[str]:
    """A user who may log in and nothing else, gone at the end."""
    name = postgres_location(postgres_url).schema + "_user"
    with owner(server_of(postgres_url)) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN".encode())
        yield name
        connection.execute(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}".encode())


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may kill."""
    server = start_postgres(fsync=False)
    try:
        yield server
    finally:
        server.remove()


def recorder(ledger: Ledger) -> PostgresRecorder:
    """The recorder of a ledger on a server."""
    assert isinstance(ledger.recorder, PostgresRecorder)
    return ledger.recorder


# --- addresses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "connection", "schema", "shown"),
    [
        ("postgresql://h/d", {"host": "h", "dbname": "d"}, "verbale", "postgresql://h/d"),
        ("postgres://h/d", {"host": "h", "dbname": "d"}, "verbale", "postgresql://h/d"),
        (
            "postgresql://u:p%40ss@h:5433/d?schema=acme",
            {"user": "u", "password": "p@ss", "host": "h", "port": "5433", "dbname": "d"},
            "acme",
            "postgresql://h:5433/d?schema=acme",
        ),
        (
            "postgresql:///d?host=/run/pg&sslmode=require&schema=s_1",
            {"host": "/run/pg", "dbname": "d", "sslmode": "require"},
            "s_1",
            "postgresql:///d?host=/run/pg&schema=s_1",
        ),
        ("postgresql://h/d?password=secret", {"host": "h", "dbname": "d", "password": "secret"}, "verbale", "postgresql://h/d"),
        ("postgresql://[::1]:5432/d", {"host": "::1", "port": "5432", "dbname": "d"}, "verbale", "postgresql://[::1]:5432/d"),
        ("postgresql://h/a%20b", {"host": "h", "dbname": "a b"}, "verbale", "postgresql://h/a%20b"),
        ("postgresql://h/d?application_name=a%20b", {"host": "h", "dbname": "d", "application_name": "a b"}, "verbale", "postgresql://h/d"),
    ],
)  # fmt: skip
def test_an_address_names_server_database_and_schema(
    url: str, connection: dict[str, str], schema: str, shown: str
) -> None:
    place = postgres_location(url)
    assert (place.connection, place.schema, str(place)) == (connection, schema, shown)


def test_the_reporting_schema_belongs_to_the_evidence_schema() -> None:
    assert postgres_location("postgresql://h/d").reporting_schema == "reporting_v1"
    assert postgres_location("postgresql://h/d?schema=acme").reporting_schema == "acme_reporting_v1"
    assert postgres_location("postgresql://h/d?mode=ro").read_only


@pytest.mark.parametrize(
    "rest",
    [
        "h", "h/", "h/d?schema=", "h/d?schema=A", "h/d?schema=1a", "h/d?schema=a-b", "h/d?schema=a;drop", "h/d?mode=x",
        f"h/d?schema={'a' * 42}", "h/d?nothing=1", "h/d?schema", "h:port:/d?x", "h/d%zz", "h/d?schema=pg_catalog",
        "h/d?mode=ro&mode=no",
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_refused_without_repeating_its_password(rest: str) -> None:
    with pytest.raises(StoreError) as caught:
        postgres_location(f"postgresql://user:{PASSWORD}@{rest}")
    assert PASSWORD not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) > 30


def test_no_password_is_shown_anywhere() -> None:
    place = postgres_location(f"postgresql://u:{PASSWORD}@127.0.0.1:1/d?sslpassword={PASSWORD}")
    with pytest.raises(UnreachableStore) as caught:
        module.open_postgres(place, ledger_id="main", now=Clock(), lock_timeout=1)
    shown = [repr(place), str(place), str(caught.value), repr(caught.value.__cause__), repr(caught.value.__context__)]
    assert not any(PASSWORD in one for one in shown)


# --- opening ----------------------------------------------------------------------------------------------------


def refused(url: str, kind: type[StoreError], words: str, **options: Any) -> str:
    """Opening says what is wrong in one line."""
    with pytest.raises(kind, match=words) as caught:
        open_any(url, now=Clock(), **options).close()
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_store_is_made_only_on_request_and_keeps_its_name(postgres_url: str) -> None:
    place = postgres_location(postgres_url)
    assert str(place) in refused(postgres_url, NoStore, "verbale ingest", create=False)
    assert rows(postgres_url, f"SELECT count(*) FROM pg_namespace WHERE nspname = '{place.schema}'") == [(0,)]
    for ledger_id, create, made in (("first", True, True), ("second", True, False), ("third", False, False)):
        opened = module.open_postgres(place, ledger_id=ledger_id, now=Clock(), create=create)
        assert (opened.id, opened.store.made_new, opened.store.location) == ("first", made, str(place))
        opened.close()


def test_the_settings_open_it_as_any_other_store(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_ledger(Settings(store=postgres_url, ledger="acme"), create=True)) as ledger:
        assert (ledger.id, ledger.store.made_new) == ("acme", True)
        assert names(CommandHandler(ledger, Clock()).handle(contract_in_force()).outcomes) == ["Done"] * 4
    with pytest.raises(StoreError, match="postgresql://"):
        open_ledger(Settings(store="mysql://h/d"))


def test_the_commands_work_on_it(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    file, place = tmp_path / "m.jsonl", postgres_location(postgres_url)
    file.write_bytes(b"\n".join([*contract_in_force(), opening(), b"{"]) + b"\n")
    url = as_user(postgres_url, "postgres", PASSWORD)
    for new in (True, False):
        assert main(("ingest", str(file), "--refused", "refused.jsonl", "--store", url)) == 1
        said = capsys.readouterr()
        assert (f"made a new store, {place}" in said.err) == new
        assert PASSWORD not in said.out + said.err
    assert counts(postgres_url)["stored_events"] == 5
    assert main(("ingest", str(file), "--refused", "m.jsonl", "--store", url)) == 2
    for listing in (("timeline", STREAM), ("facts", "--late")):
        assert main((*listing, "--store", url)) == 0
        assert "opened" in capsys.readouterr().out


def test_a_schema_made_ready_by_an_administrator_is_used(postgres_url: str) -> None:
    with owner(postgres_url) as connection:
        connection.execute(f"CREATE SCHEMA {postgres_location(postgres_url).schema}".encode())
    refused(postgres_url, NoStore, "no store", create=False)
    assert names(ingest(postgres_url, [opening(contract=None)])) == ["Done"]


@pytest.mark.parametrize(
    "content",
    [
        "CREATE TABLE customers (x int)",
        "CREATE TABLE ledger (x int)",
        "CREATE TABLE stored_events (x int)",
        "CREATE TABLE ledger (id int); CREATE TABLE stored_events (x int); CREATE TABLE seal (x int); "
        "CREATE TABLE inbox (x int); CREATE FUNCTION begin_writing() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE VIEW v AS SELECT 1",
    ],
)
@pytest.mark.parametrize("create", [True, False])
def test_a_schema_of_another_program_is_refused_and_left_alone(postgres_url: str, content: str, create: bool) -> None:
    held = (
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace UNION ALL "
        "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace ORDER BY 1"
    )
    with owner(postgres_url) as connection:
        connection.execute(f"CREATE SCHEMA {postgres_location(postgres_url).schema}".encode())
        connection.execute(content.encode())
    before = rows(postgres_url, held)
    refused(postgres_url, NotAStore, "another program", create=create)
    assert rows(postgres_url, held) == before


def test_a_store_of_a_newer_format_is_left_alone(postgres_url: str) -> None:
    ingest(postgres_url, [opening(contract=None)])
    change(postgres_url, f"UPDATE ledger SET format = {FORMAT + 1}")
    refused(postgres_url, NewerStore, "upgrade")


def test_a_store_that_does_not_say_whose_it_is_is_damaged(postgres_url: str) -> None:
    ingest(postgres_url, [opening(contract=None)])
    change(postgres_url, "DROP TRIGGER ledger_delete_refused ON ledger; DELETE FROM ledger")
    refused(postgres_url, DamagedStore, "restore")


def test_a_store_that_lost_a_table_is_damaged(postgres_url: str) -> None:
    ingest(postgres_url, [opening(contract=None)])
    with stored(postgres_url, Clock()) as ledger:
        change(postgres_url, "DROP TABLE waiting")
        with pytest.raises(DamagedStore, match="restore"):
            CommandHandler(ledger, Clock()).handle([charge()])


@pytest.mark.parametrize("name", [DB_FUNCTIONS, f"VERBALE_{DB_FUNCTIONS}"])
def test_the_database_functions_of_the_library_are_refused(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for value in ("y", "true", "1", "on", "T", "perhaps"):
        monkeypatch.setenv(name, value)
        assert name in refused(postgres_url, StoreError, "must not be")
    for value in ("", "n", "no", "0"):
        monkeypatch.setenv(name, value)
        refused(postgres_url, NoStore, "no store", create=False)


def test_the_functions_of_the_library_are_refused_also_in_the_schema(postgres_url: str) -> None:
    ingest(postgres_url, [opening(contract=None)])
    change(postgres_url, "CREATE FUNCTION es_insert_events_text() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    refused(postgres_url, StoreError, "es_insert_events_text")


def test_environment_variables_of_the_library_change_nothing(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for prefix in ("", "VERBALE_"):
        for name, value in {
            "PERSISTENCE_MODULE": "eventsourcing.popo", "POSTGRES_DBNAME": "none", "POSTGRES_HOST": "nowhere",
            "POSTGRES_SCHEMA": "public", "CREATE_TABLE": "y", "ORIGINATOR_ID_TYPE": "uuid", "POSTGRES_POOL_SIZE": "x",
            "CIPHER_TOPIC": "eventsourcing.cipher:AESCipher", "COMPRESSOR_TOPIC": "zlib", "CIPHER_KEY": "x",
        }.items():  # fmt: skip
            monkeypatch.setenv(prefix + name, value)
    raws = [wire(example) for example in examples().values()]
    ingest(postgres_url, raws)
    ingest(tmp_path / "a.db", raws)
    for query in ("SELECT originator_id, originator_version, topic, state, rowid FROM stored_events", "TABLE seal"):
        in_file = query.replace("TABLE seal", "SELECT * FROM seal")
        assert sorted(rows(postgres_url, query)) == sorted(rows(tmp_path / "a.db", in_file))


def test_an_old_server_is_refused(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OLDEST_SERVER", 99)
    refused(postgres_url, StoreError, "too old: use 99")


def test_a_database_in_another_encoding_is_refused(postgres_url: str) -> None:
    name = postgres_location(postgres_url).schema
    with owner(postgres_url) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0".encode())
        try:
            url = server_of(postgres_url).rpartition("/")[0] + f"/{name}"
            refused(url, StoreError, "LATIN1.*UTF8")
        finally:
            connection.execute(f"DROP DATABASE {name} (FORCE)".encode())


def test_a_database_that_does_not_exist_and_a_user_who_does_not(postgres_url: str) -> None:
    base = server_of(postgres_url)
    refused(base.rpartition("/")[0] + "/no_such_database", NoStore, "no database no_such_database")
    refused(as_user(postgres_url, "nobody_here"), StoreError, "refused the connection")


def test_a_wrong_password_is_said(own_server: PostgresServer) -> None:
    with owner(own_server.url()) as connection:
        connection.execute(f"CREATE ROLE locked LOGIN SUPERUSER PASSWORD '{PASSWORD}'".encode())
        access = own_server.folder / "data" / "pg_hba.conf"
        access.write_text(f"host all locked all scram-sha-256\n{access.read_text()}")
        connection.execute("SELECT pg_reload_conf()")
    time.sleep(0.2)
    for password in ("wrong-one", ""):
        said = refused(as_user(own_server.url(), "locked", password), StoreError, "check user and password")
        assert "wrong-one" not in said
    open_any(as_user(own_server.url(), "locked", PASSWORD), now=Clock()).close()


def test_nobody_listening_is_said_with_the_place() -> None:
    said = refused("postgresql://127.0.0.1:1/d", UnreachableStore, "cannot be reached")
    assert "127.0.0.1:1" in said


# --- roles ------------------------------------------------------------------------------------------------------


def test_the_writer_records_whole_batches_and_changes_nothing(postgres_url: str, user: str) -> None:
    place = postgres_location(postgres_url)
    ingest(postgres_url, contract_in_force())
    change(postgres_url, f"GRANT {place.writer} TO {user}")
    with stored(as_user(postgres_url, user), Clock(), create=False) as ledger:
        handler = CommandHandler(ledger, Clock())
        assert names(handler.handle([charge(), b"{", b"{", charge("INC9")]).outcomes) == [
            "Waiting", "Refused", "Refused", "Waiting"
        ]  # fmt: skip
        assert names(handler.handle([b"{", opening()]).outcomes) == ["Refused", "Done"]
        assert ledger.store.counts() == {"facts": 6, "messages": 6, "waiting": 1, "refused": 1}
        assert recorder(ledger).roles_missing() is None
    check_log(postgres_url)
    with owner(as_user(postgres_url, user)) as connection:
        for table in EVIDENCE:
            for statement in (
                f"UPDATE {table} SET {'state' if table == 'stored_events' else 'source'} = ''",
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
                f"DROP TABLE {table}",
                f"ALTER TABLE {table} DISABLE TRIGGER ALL",
                f"LOCK TABLE {table} IN EXCLUSIVE MODE",
            ):
                with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
                    connection.execute(statement.encode())
        for statement in (
            "UPDATE ledger SET writes = 0",
            "DELETE FROM ledger",
            "INSERT INTO ledger VALUES (1, '', 0, 1)",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_the_reader_sees_nothing_of_the_evidence(postgres_url: str, user: str) -> None:
    place = postgres_location(postgres_url)
    ingest(postgres_url, contract_in_force())
    change(postgres_url, f"GRANT {place.reader} TO {user}")
    with owner(as_user(postgres_url, user)) as connection:
        for table in ("evidence", *EVIDENCE, "ledger", "waiting", "refused"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(f"SELECT * FROM {place.schema}.{table}".encode())
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(f"SELECT {place.schema}.begin_writing()".encode())
    assert place.writer in refused(as_user(postgres_url, user), StoreError, "may not read")


def test_who_may_only_look_is_told_so_on_recording(postgres_url: str, user: str) -> None:
    place = postgres_location(postgres_url)
    ingest(postgres_url, contract_in_force())
    change(postgres_url, f"GRANT USAGE ON SCHEMA {place.schema} TO {user}")
    change(postgres_url, f"GRANT SELECT ON ALL TABLES IN SCHEMA {place.schema} TO {user}")
    with stored(as_user(postgres_url, user), Clock()) as ledger:
        assert len(list(ledger.entries())) == 4
        with pytest.raises(ReadOnlyStore, match=place.writer):
            CommandHandler(ledger, Clock()).handle([opening()])


@pytest.mark.parametrize("how", ["mode=ro", "options=-c%20default_transaction_read_only%3Don"])
def test_a_connection_that_only_reads_refuses_to_record(postgres_url: str, how: str) -> None:
    url = f"{postgres_url}&{how}"
    if how == "mode=ro":
        refused(url, NoStore, "no store", create=True)
    ingest(postgres_url, contract_in_force())
    with stored(url, Clock(), create=False) as ledger:
        assert len(list(ledger.entries())) == 4
        with pytest.raises(ReadOnlyStore, match="read-only"):
            CommandHandler(ledger, Clock()).handle([opening()])
    assert counts(postgres_url)["stored_events"] == 4


def test_an_owner_who_may_make_no_roles_has_a_store_and_is_told_what_to_run(postgres_url: str, user: str) -> None:
    url, place = as_user(postgres_url, user), postgres_location(postgres_url)
    said = refused(url, StoreError, "have the owner of the database run")
    change(postgres_url, said.rpartition("run: ")[2])
    with stored(url, Clock()) as ledger:
        assert names(CommandHandler(ledger, Clock()).handle(contract_in_force()).outcomes) == ["Done"] * 4
        missing = recorder(ledger).roles_missing()
        assert missing is not None
        change(postgres_url, missing.partition("have them made: ")[2])
        assert recorder(ledger).roles_missing() is None
        change(postgres_url, f"REVOKE EXECUTE ON FUNCTION begin_writing() FROM {place.writer}")
        assert f"TO {place.writer}" in (recorder(ledger).roles_missing() or "")


@pytest.mark.parametrize("table", EVIDENCE)
@pytest.mark.parametrize(
    "statement", ["UPDATE {0} SET source = ''", "DELETE FROM {0}", "TRUNCATE {0}", "TRUNCATE {0} CASCADE"]
)
def test_evidence_is_only_ever_added_to_also_by_its_owner(postgres_url: str, table: str, statement: str) -> None:
    ingest(postgres_url, contract_in_force())
    before = counts(postgres_url)
    done = statement.format(table).replace("source" if table == "stored_events" else "-", "topic")
    with pytest.raises(errors.RestrictViolation, match="evidence is only ever added to"):
        change(postgres_url, done)
    assert counts(postgres_url) == before


@pytest.mark.parametrize("statement", ["UPDATE ledger SET id = 'x'", "DELETE FROM ledger", "TRUNCATE ledger"])
def test_a_ledger_keeps_its_name(postgres_url: str, statement: str) -> None:
    ingest(postgres_url, contract_in_force())
    with pytest.raises(errors.RestrictViolation, match="keeps its name"):
        change(postgres_url, statement)
    assert rows(postgres_url, "SELECT one, id, writes FROM ledger") == [(1, "main", 1)]


# --- what an auditor sees ---------------------------------------------------------------------------------------


def test_the_evidence_view_shows_instants_to_the_microsecond_and_facts_as_json(postgres_url: str) -> None:
    epoch, chance = datetime(1970, 1, 1, tzinfo=UTC), random.Random(4)
    first, last = read_instant("1900-01-01T00:00:00Z"), read_instant("2199-12-31T23:59:59.999999Z")
    instants = [first, first + 1, -1_000_001, -1, 0, 1, 999_999, 1_000_000, last - 1, last]
    instants += [chance.randrange(first, last) for _ in range(200)]
    with stored(postgres_url, Clock("2026-11-02T12:00:00.000001Z")) as ledger:
        facts = [IncidentTakenInCharge(at=at) for at in instants]
        ledger.append(Batch(facts=[NewFact(STREAM, version, fact, ORIGIN) for version, fact in enumerate(facts, 1)]))
    found = rows(postgres_url, "SELECT leaf, stream, version, occurred, recorded, state FROM evidence ORDER BY leaf")
    recorded = datetime(2026, 11, 2, 12, 0, 0, 1, UTC)

    def state(at: int) -> dict[str, Any]:
        return {"automatic": False, "at": at, "evidence": []}

    assert found == [
        (version - 1, STREAM, version, epoch + timedelta(microseconds=at), recorded, state(at))
        for version, at in enumerate(instants, 1)
    ]


def test_every_table_says_what_it_is(postgres_url: str) -> None:
    ingest(postgres_url, contract_in_force())
    comments = rows(
        postgres_url,
        "SELECT relname, obj_description(oid) FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
        "AND relkind IN ('r', 'v') ORDER BY relname",
    )
    assert [name for name, _ in comments] == [
        "evidence", "inbox", "ledger", "outbox", "refused", "seal", "sequences", "snapshots", "sources",
        "stored_events", "tokens", "waiting",
    ]  # fmt: skip
    assert all(said for _, said in comments)


def test_what_is_quoted_from_a_refused_message_may_hold_any_character(postgres_url: str) -> None:
    raws = [
        b'{"specversion": "1.0", "id": "a\\u0000b", "source": "s", "ty\\u0000pe": 1}',
        b'{"specversion": "1.0", "id": "a", "source": "\\ud800", "\\udfff": 1}',
        b'{"\\u0000": "\\u0000"}',
        b"\x00\xff",
        '{"id": "è-😀"}'.encode(),
    ]
    assert names(ingest(postgres_url, raws)) == ["Refused"] * len(raws)
    with stored(postgres_url, Clock()) as ledger:
        assert [one.message.raw for one in ledger.store.refused()] == raws


def test_the_library_reads_the_log_in_its_own_way_too(postgres_url: str) -> None:
    ingest(postgres_url, [*contract_in_force(), opening(), charge()])
    with stored(postgres_url, Clock()) as ledger:
        notified = ledger.recorder.select_notifications(start=2, limit=10)
        assert [one.id for one in notified] == [2, 3, 4, 5, 6]
        assert ledger.recorder.max_notification_id() == 6
        assert len(ledger.recorder.select_events(STREAM)) == 2


# --- several processes ------------------------------------------------------------------------------------------

OPENER = """
import sys
from support.servers import PostgresServer, fresh_schema, open_any, owner, shared_server, start_postgres

print("ready", flush=True)
sys.stdin.readline()
ledger = open_any(sys.argv[1], now=lambda: 1)
print(ledger.store.made_new)
ledger.close()
"""


def started(processes: list[Any]) -> list[str]:
    """What processes print that are all told to go at once."""
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    try:
        ended = [process.communicate(timeout=120) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0] * len(processes), [error for _, error in ended]
    return [said for said, _ in ended]


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(3))
def test_of_several_processes_that_start_first_one_makes_the_store(postgres_url: str, attempt: int) -> None:
    said = started([child(OPENER, postgres_url) for _ in range(6)])
    assert sorted(said) == ["False\n"] * 5 + ["True\n"]


@pytest.mark.integration
@pytest.mark.slow
def test_a_store_that_is_just_being_made_is_never_taken_for_another_programs() -> None:
    chance = random.Random(11)

    def opens(url: str, late: float) -> bool:
        time.sleep(late)
        with stored(url, Clock()) as ledger:
            return ledger.store.made_new

    for _ in range(15):
        late = [chance.random() * 0.04 for _ in range(6)]
        with fresh_schema(shared_server()) as url, ThreadPoolExecutor(6) as pool:
            assert sorted(pool.map(opens, [url] * 6, late)) == [False] * 5 + [True]


WRITER = """
import json, random, sys
from adapters.inbox.handler import CommandHandler
from support.servers import PostgresServer, fresh_schema, open_any, owner, shared_server, start_postgres

url, writer, batches, noon = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
jumps = random.Random(writer)

def now():
    return noon + jumps.randrange(-60_000_000, 60_000_000)

def event(command, incident, second, data):
    return json.dumps({
        "specversion": "1.0", "id": f"{command}-{incident}-{second}-{writer}", "source": f"writer-{writer}",
        "type": f"verbale.incident.{command}.v1", "subject": f"incident-{incident}",
        "time": f"2026-03-02T{8 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{writer:06}Z",
        "data": data,
    }).encode()

ledger = open_any(url, now=now, lock_timeout=60)
desk, answers = CommandHandler(ledger, now), []
print("ready", flush=True)
sys.stdin.readline()
for batch in range(batches):
    own = f"OWN-{writer}-{batch}"
    raws = [event("open", own, 0, {"impact": "high", "urgency": "low"})]
    raws += [event("take_in_charge", f"SHARED-{shared}", 10 + batch, {}) for shared in jumps.sample(range(5), 2)]
    raws += [event("take_in_charge", own, 20, {})]
    answers += [[type(one).__name__, one.stream, one.version, one.leaf] for one in desk.handle(raws).outcomes]
ledger.close()
print(json.dumps(answers))
"""


@pytest.mark.slow
def test_several_processes_append_at_once_and_a_reader_misses_nothing(postgres_url: str) -> None:
    writers, batches = 4, 60
    ingest(postgres_url, [opening(f"SHARED-{shared}", contract=None) for shared in range(5)])
    processes = [child(WRITER, postgres_url, writer, batches, Clock().now) for writer in range(writers)]
    tail = child(
        """
import sys
from support.servers import PostgresServer, fresh_schema, open_any, owner, shared_server, start_postgres

ledger, wanted, after = open_any(sys.argv[1], now=lambda: 1), int(sys.argv[2]), 0
print("ready", flush=True)
sys.stdin.readline()
with ledger.store.notifications() as notifications:
    while after < wanted:
        page = ledger.page(after, 7)
        for row in page:
            assert row.position == after + 1, (row.position, after)
            after = row.position
        if not page:
            notifications.wait(1)
ledger.close()
print(after)
""",
        postgres_url,
        5 + writers * batches * 4,
    )
    *said, last = started([*processes, tail])
    answers = [tuple(answer) for one in said for answer in json.loads(one)]
    assert {answer[0] for answer in answers} == {"Done"}
    found = check_log(postgres_url)
    assert len(found) == 5 + writers * batches * 4 == int(last)
    assert sorted(answer[1:] for answer in answers) == sorted(found[5:])
    assert counts(postgres_url)["inbox"] == len(found)
    assert rows(postgres_url, "SELECT writes FROM ledger") == [(1 + writers * batches,)]


def test_a_store_locked_by_another_is_said_and_can_be_read(postgres_url: str) -> None:
    ingest(postgres_url, contract_in_force())
    with stored(postgres_url, Clock(), lock_timeout=1) as ledger, owner(postgres_url) as other:
        with other.transaction():
            other.execute("LOCK TABLE stored_events IN EXCLUSIVE MODE")
            assert len(list(ledger.entries())) == 4
            with pytest.raises(LockedStore, match="another process"):
                CommandHandler(ledger, Clock()).handle([opening()])
        assert names(CommandHandler(ledger, Clock()).handle([opening()]).outcomes) == ["Done"]


# --- a server that goes away ------------------------------------------------------------------------------------

PRODUCER = """
import sys, time
from adapters.inbox.handler import CommandHandler
from adapters.store.errors import StoreError, UnreachableStore
from support.servers import PostgresServer, fresh_schema, open_any, owner, shared_server, start_postgres

url, file, batch, now = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
lines = open(file, "rb").read().splitlines()
ledger = open_any(url, now=lambda: now)
desk = CommandHandler(ledger, lambda: now)
for start in range(0, len(lines), batch):
    for attempt in range(20):
        try:
            desk.handle(lines[start : start + batch])
            break
        except UnreachableStore as error:
            time.sleep(0.1)
    else:
        sys.exit("the server stays away")
    print("batch", flush=True)
    sys.stdin.readline()
ledger.close()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The input, as JSON Lines."""
    path = tmp_path / "messages.jsonl"
    path.write_bytes(b"\n".join(MESSAGES) + b"\n")
    return path


def disturbed(url: str, file: Path, disturb: Any, every: int) -> None:
    """Let a producer record everything, while something happens in the middle of a batch now and then."""
    chance = random.Random(every)
    process = child(PRODUCER, url, file, BATCH, Clock().now)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        for batch in range(-(-len(MESSAGES) // BATCH)):
            if batch % every == every - 1:
                time.sleep(chance.random() * 0.006)
                disturb()
            assert process.stdout.readline() == "batch\n", process.stderr and process.stderr.read()
            process.stdin.write("go\n")
            process.stdin.flush()
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, error) == (0, "")


def check_undisturbed(url: str, tmp_path: Path) -> None:
    """Every message has one receipt, and the facts are those of a run that nobody disturbed."""
    path = tmp_path / "clean.db"
    with stored(path, Clock()) as ledger:
        handler = CommandHandler(ledger, Clock())
        for start in range(0, len(MESSAGES), BATCH):
            handler.handle(MESSAGES[start : start + BATCH])
    assert contents(url) == contents(path)
    check_log(url)


@pytest.mark.slow
def test_a_server_killed_in_the_middle_loses_nothing_and_doubles_nothing(
    own_server: PostgresServer, file: Path, tmp_path: Path
) -> None:
    def crash() -> None:
        own_server.kill()
        own_server.restart()

    disturbed(own_server.url(), file, crash, every=7)
    check_undisturbed(own_server.url(), tmp_path)


@pytest.mark.slow
def test_connections_ended_in_the_middle_lose_nothing_and_double_nothing(
    own_server: PostgresServer, file: Path, tmp_path: Path
) -> None:
    def end_connections() -> None:
        with owner(own_server.url()) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )

    disturbed(own_server.url(), file, end_connections, every=2)
    check_undisturbed(own_server.url(), tmp_path)


@pytest.mark.slow
def test_a_server_that_is_restarted_in_order_is_waited_for(
    own_server: PostgresServer, capfd: pytest.CaptureFixture[str]
) -> None:
    with stored(own_server.url(), Clock()) as ledger, ledger.store.notifications() as notifications:
        handler = CommandHandler(ledger, Clock())
        handler.handle(contract_in_force())
        assert notifications.wait(10)
        own_server.restart()
        assert names(handler.handle([opening()]).outcomes) == ["Done"]
        assert notifications.wait(10)
        while notifications.wait(0.1):
            pass
        handler.handle([charge()])
        assert notifications.wait(10)
        own_server.stop()
        assert not notifications.wait(0.5)
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_a_server_that_stays_away_is_said_plainly_after_a_while(own_server: PostgresServer) -> None:
    with stored(own_server.url(), Clock(), lock_timeout=1) as ledger:
        handler = CommandHandler(ledger, Clock())
        handler.handle([*contract_in_force(), opening()])
        own_server.stop()
        for ask in (
            lambda: list(ledger.entries()),
            lambda: handler.handle([charge()]),
            ledger.store.notifications().__enter__,
        ):
            with pytest.raises(
                UnreachableStore, match=r"127\.0\.0\.1.*cannot be reached.*what was answered is recorded"
            ):
                ask()
        own_server.start()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with suppress(UnreachableStore):
                assert handler.handle([opening(), charge()]).outcomes == [Duplicate(STREAM, 1, 4), Done(STREAM, 2, 5)]
                break
        else:
            pytest.fail("the server is back, and is not found")
        check_log(own_server.url())


@pytest.mark.parametrize("recorded", [True, False])
def test_a_commit_that_is_not_answered_is_looked_up_and_never_doubled(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, recorded: bool
) -> None:
    with stored(postgres_url, Clock()) as ledger:
        handler = CommandHandler(ledger, Clock())
        handler.handle(contract_in_force())
        whole = recorder(ledger)._insert_batch
        lost: list[str] = []

        def loses_the_answer(*given: Any) -> Any:
            if not lost:
                lost.append("lost")
                if recorded:
                    whole(*given)
                raise psycopg.OperationalError("server closed the connection unexpectedly")
            return whole(*given)

        monkeypatch.setattr(ledger.recorder, "_insert_batch", loses_the_answer)
        kind = Duplicate if recorded else Done
        assert handler.handle([opening(), charge()]).outcomes == [kind(STREAM, 1, 4), kind(STREAM, 2, 5)]
        assert counts(postgres_url)["stored_events"] == counts(postgres_url)["inbox"] == 6
        lost.clear()
        with pytest.raises(Unanswered, match="whole or not at all; send it again"):
            ledger.append(Batch(facts=[NewFact(STREAM, 3, IncidentTakenInCharge(at=1), ORIGIN)]))
