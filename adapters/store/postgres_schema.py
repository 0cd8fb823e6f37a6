"""The tables of a PostgreSQL store, what guards them, and who may do what."""

from collections.abc import Iterator
from typing import Any

from psycopg import Connection

from adapters.store.postgres_url import PostgresLocation
from adapters.store.sql import EVIDENCE, ONLY_ADDED_TO


def _instant(microseconds: str) -> str:
    """SQL: an instant, to the microsecond, from whole microseconds."""
    whole, rest = f"({microseconds}) / 1000000", f"({microseconds}) % 1000000"
    return f"(timestamptz 'epoch' + ({whole}) * interval '1 second' + ({rest}) * interval '1 microsecond')"


def tables() -> Iterator[str]:
    """The tables of format 1, and what auditors read."""
    yield """CREATE TABLE ledger (
        one bigint PRIMARY KEY CHECK (one = 1), id text NOT NULL, writes bigint NOT NULL, format bigint NOT NULL)"""
    yield """CREATE TABLE stored_events (
        originator_id text COLLATE "C" NOT NULL, originator_version bigint NOT NULL, topic text NOT NULL,
        state bytea NOT NULL, notification_id bigint NOT NULL UNIQUE,
        PRIMARY KEY (originator_id, originator_version))"""
    yield """CREATE TABLE seal (
        leaf bigint PRIMARY KEY, position bigint NOT NULL UNIQUE, recorded_at bigint NOT NULL, contract text,
        source text NOT NULL, message text NOT NULL, actor text, leaf_hash bytea NOT NULL)"""
    yield """CREATE TABLE inbox (
        source text NOT NULL, message text NOT NULL, digest bytea NOT NULL, stream text NOT NULL, version bigint,
        leaf bigint, PRIMARY KEY (source, message))"""
    yield """CREATE TABLE waiting (
        arrival bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text NOT NULL, message text NOT NULL,
        digest bytea NOT NULL, stream text NOT NULL, reason text NOT NULL, raw bytea NOT NULL, since bigint NOT NULL,
        UNIQUE (source, message))"""
    yield "CREATE INDEX waiting_stream ON waiting (stream)"
    yield """CREATE TABLE refused (
        arrival bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, digest bytea NOT NULL UNIQUE, source text,
        message text, raw bytea NOT NULL, clause text NOT NULL, field text NOT NULL, reason text NOT NULL,
        refused_at bigint NOT NULL, times bigint NOT NULL)"""
    yield f"""CREATE VIEW evidence AS SELECT
        s.leaf, s.position, e.originator_id AS stream, e.originator_version AS version, e.topic AS type,
        {_instant("(fact.state ->> 'at')::bigint")} AS occurred, {_instant("s.recorded_at")} AS recorded,
        s.contract, s.source, s.message, s.actor, fact.state, encode(s.leaf_hash, 'hex') AS leaf_hash
        FROM seal s JOIN stored_events e ON e.notification_id = s.position
        CROSS JOIN LATERAL (SELECT convert_from(e.state, 'UTF8')::jsonb AS state) fact"""
    for what, said in {
        "TABLE ledger": "Which ledger this is, and how many transactions it has recorded.",
        "TABLE stored_events": "The facts, as stored. Only ever added to.",
        "TABLE seal": "What was added to each fact when it was recorded, and the hash of both. Only ever added to.",
        "TABLE inbox": "The messages recorded: what a message sent again is answered from. Only ever added to.",
        "TABLE waiting": "Messages that wait for the incident or the contract they belong to.",
        "TABLE refused": "Messages refused, whole, with the reason.",
        "VIEW evidence": "The facts with their seals, for auditors: instants as timestamps, the fact as JSON.",
    }.items():
        yield f"COMMENT ON {what} IS '{said}'"


def format_2() -> Iterator[str]:
    """What format 2 has beyond format 1."""
    yield """CREATE TABLE sources (
        source text COLLATE "C" PRIMARY KEY, first_heard bigint NOT NULL, last_heard bigint NOT NULL,
        heard bigint NOT NULL, done bigint NOT NULL, duplicate bigint NOT NULL, refused bigint NOT NULL)"""
    yield "CREATE TABLE sequences (source text NOT NULL, number bigint NOT NULL, PRIMARY KEY (source, number))"
    yield """CREATE TABLE outbox (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text, body bytea NOT NULL)"""
    yield """CREATE TABLE tokens (
        digest bytea PRIMARY KEY, source text NOT NULL, issued_at bigint NOT NULL, revoked_at bigint)"""
    yield """CREATE TABLE snapshots (
        source text NOT NULL, item text NOT NULL, changed_at bigint NOT NULL, said text NOT NULL,
        PRIMARY KEY (source, item, changed_at))"""
    for table, said in {
        "sources": "Who has written: since when, when last, and what became of it.",
        "sequences": "Numbers that sources gave their messages themselves: what is missing among them was never heard.",
        "outbox": "Outcomes that are still to be published.",
        "tokens": "Who may post messages over HTTP, and as which source: the SHA-256 of each token.",
        "snapshots": "What help desks said of their items, to tell what changed.",
    }.items():
        yield f"COMMENT ON TABLE {table} IS '{said}'"


def guards(location: PostgresLocation) -> Iterator[str]:
    """Nobody changes evidence; writers come one at a time, and learn where the log ends."""
    for name, said in (("refuse_change", ONLY_ADDED_TO), ("refuse_another_ledger", "a ledger keeps its name")):
        yield f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '{said}' USING ERRCODE = 'restrict_violation'; END $$"""
    for table in EVIDENCE:
        for verb, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            yield f"""CREATE TRIGGER {table}_{verb.lower()}_refused BEFORE {verb} ON {table}
                FOR EACH {each} EXECUTE FUNCTION refuse_change()"""
    yield """CREATE TRIGGER ledger_update_refused BEFORE UPDATE ON ledger FOR EACH ROW
        WHEN ((old.one, old.id) IS DISTINCT FROM (new.one, new.id)) EXECUTE FUNCTION refuse_another_ledger()"""
    for verb, each in (("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        yield f"""CREATE TRIGGER ledger_{verb.lower()}_refused BEFORE {verb} ON ledger
            FOR EACH {each} EXECUTE FUNCTION refuse_another_ledger()"""
    # LOCK TABLE asks for more than a writer may do: hence a function that does it in the owner's name, and only that.
    yield f"""CREATE FUNCTION begin_writing(
            OUT writes_before bigint, OUT last_leaf bigint, OUT last_position bigint, OUT last_recorded_at bigint)
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = {location.schema}, pg_temp AS $$
        BEGIN
            LOCK TABLE stored_events IN EXCLUSIVE MODE;
            UPDATE ledger SET writes = writes + 1 RETURNING writes - 1 INTO writes_before;
            SELECT leaf, position, recorded_at INTO last_leaf, last_position, last_recorded_at
                FROM seal ORDER BY leaf DESC LIMIT 1;
            IF NOT FOUND THEN
                last_leaf := -1; last_position := 0; last_recorded_at := 0;
            END IF;
            PERFORM pg_notify('{location.channel}', '');
        END $$"""
    yield "REVOKE ALL ON FUNCTION begin_writing(), refuse_change(), refuse_another_ledger() FROM PUBLIC"
    yield "COMMENT ON FUNCTION begin_writing() IS 'Takes the lock of the log, and says where the log ends.'"


WRITER_RIGHTS = {
    "INSERT": (*EVIDENCE, "waiting", "refused", "sources", "sequences", "outbox", "tokens", "snapshots"),
    "UPDATE": ("refused", "sources", "tokens", "snapshots"),
    "DELETE": ("waiting", "outbox"),
}
"""What the writer may do with which tables; it may read all."""


def grants(location: PostgresLocation) -> list[str]:
    """What the writer may do. The reader may do nothing here."""
    schema, writer = location.schema, location.writer
    return [
        f"GRANT USAGE ON SCHEMA {schema} TO {writer}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {writer}",
        *(
            f"GRANT {right} ON {', '.join(f'{schema}.{table}' for table in tables)} TO {writer}"
            for right, tables in WRITER_RIGHTS.items()
        ),
        f"GRANT EXECUTE ON FUNCTION {schema}.begin_writing() TO {writer}",
    ]


def make_roles(connection: Connection[Any], location: PostgresLocation) -> None:
    """The roles belong to the whole server: they may be there already, and another database may be making them."""
    (may,) = connection.execute(
        "SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"
    ).fetchone() or (False,)
    if may:
        for role in (location.writer, location.reader):
            make = (
                f"IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} NOLOGIN; END IF"
            )
            unless = "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL"
            connection.execute(f"DO $$ BEGIN {make}; {unless}; END $$".encode())
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (location.writer,)).fetchone() is not None:
        for statement in grants(location):
            connection.execute(statement.encode())
