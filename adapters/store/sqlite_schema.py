"""The tables of a SQLite store, and what guards them."""

from adapters.store.sql import EVIDENCE, FORMAT, ONLY_ADDED_TO

APPLICATION_ID = 0x56524241  # "VRBA"


def _instant(microseconds: str) -> str:
    """SQL: an instant as text, to the microsecond, from whole microseconds; negative ones, before 1970, too."""
    rest = f"(({microseconds} % 1000000 + 1000000) % 1000000)"
    seconds = f"strftime('%Y-%m-%dT%H:%M:%S', ({microseconds} - {rest}) / 1000000, 'unixepoch')"
    return f"{seconds} || printf('.%06dZ', {rest})"


FORMAT_2 = (
    """CREATE TABLE sources (
        source TEXT PRIMARY KEY, first_heard INTEGER NOT NULL, last_heard INTEGER NOT NULL, heard INTEGER NOT NULL,
        done INTEGER NOT NULL, duplicate INTEGER NOT NULL, refused INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE sequences (
        source TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (source, number)) WITHOUT ROWID""",
    "CREATE TABLE outbox (number INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT, body BLOB NOT NULL)",
    """CREATE TABLE tokens (
        digest BLOB PRIMARY KEY, source TEXT NOT NULL, issued_at INTEGER NOT NULL, revoked_at INTEGER) WITHOUT ROWID""",
    """CREATE TABLE snapshots (
        source TEXT NOT NULL, item TEXT NOT NULL, changed_at INTEGER NOT NULL, said TEXT NOT NULL,
        PRIMARY KEY (source, item, changed_at)) WITHOUT ROWID""",
    f"PRAGMA user_version = {FORMAT}",
)
"""What format 2 has beyond format 1."""

SCHEMA = (
    """CREATE TABLE ledger (
        one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, writes INTEGER NOT NULL)""",
    # The key column must be this one, by this name: otherwise the position of a deleted tail would be used again.
    """CREATE TABLE stored_events (
        rowid INTEGER PRIMARY KEY AUTOINCREMENT, originator_id TEXT NOT NULL, originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL, state BLOB NOT NULL, UNIQUE (originator_id, originator_version))""",
    """CREATE TABLE seal (
        leaf INTEGER PRIMARY KEY, position INTEGER NOT NULL UNIQUE REFERENCES stored_events (rowid),
        recorded_at INTEGER NOT NULL, contract TEXT, source TEXT NOT NULL, message TEXT NOT NULL, actor TEXT,
        leaf_hash BLOB NOT NULL)""",
    """CREATE TABLE inbox (
        source TEXT NOT NULL, message TEXT NOT NULL, digest BLOB NOT NULL, stream TEXT NOT NULL, version INTEGER,
        leaf INTEGER, PRIMARY KEY (source, message)) WITHOUT ROWID""",
    """CREATE TABLE waiting (
        arrival INTEGER PRIMARY KEY, source TEXT NOT NULL, message TEXT NOT NULL, digest BLOB NOT NULL,
        stream TEXT NOT NULL, reason TEXT NOT NULL, raw BLOB NOT NULL, since INTEGER NOT NULL,
        UNIQUE (source, message))""",
    "CREATE INDEX waiting_stream ON waiting (stream)",
    """CREATE TABLE refused (
        arrival INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, source TEXT, message TEXT, raw BLOB NOT NULL,
        clause TEXT NOT NULL, field TEXT NOT NULL, reason TEXT NOT NULL, refused_at INTEGER NOT NULL,
        times INTEGER NOT NULL)""",
    *(
        f"""CREATE TRIGGER {table}_{verb}_refused BEFORE {verb} ON {table}
            BEGIN SELECT RAISE(ABORT, '{ONLY_ADDED_TO}'); END"""
        for table in EVIDENCE
        for verb in ("UPDATE", "DELETE")
    ),
    # INSERT OR REPLACE deletes without asking the triggers above.
    *(
        f"""CREATE TRIGGER {table}_replace_refused BEFORE INSERT ON {table}
            WHEN EXISTS (SELECT 1 FROM {table} old WHERE {same})
            BEGIN SELECT RAISE(ABORT, '{ONLY_ADDED_TO}'); END"""
        for table, same in (
            (
                "stored_events",
                "old.rowid = NEW.rowid OR "
                "(old.originator_id = NEW.originator_id AND old.originator_version = NEW.originator_version)",
            ),
            ("seal", "old.leaf = NEW.leaf OR old.position = NEW.position"),
            ("inbox", "old.source = NEW.source AND old.message = NEW.message"),
        )
    ),
    f"""CREATE VIEW evidence AS SELECT
        s.leaf, s.position, e.originator_id AS stream, e.originator_version AS version, e.topic AS type,
        {_instant("json_extract(CAST(e.state AS TEXT), '$.at')")} AS occurred, {_instant("s.recorded_at")} AS recorded,
        s.contract, s.source, s.message, s.actor, CAST(e.state AS TEXT) AS state, lower(hex(s.leaf_hash)) AS leaf_hash
        FROM seal s JOIN stored_events e ON e.rowid = s.position""",
    f"PRAGMA application_id = {APPLICATION_ID}",
    *FORMAT_2,
)
