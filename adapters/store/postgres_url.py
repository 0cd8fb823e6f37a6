"""Where a PostgreSQL store is, and what it calls its schemas and its roles."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode

from adapters.store.ledger import StoreError

DEFAULT_SCHEMA = "verbale"
SCHEMA_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")
NAMES = "use small letters, digits and _, a letter first, at most 30, and no ending that live tables use"
_HOW = "write postgresql://USER@HOST:PORT/DATABASE, with ?schema=NAME for a schema other than verbale"


@dataclass(frozen=True)
class PostgresPlace:
    """Where a PostgreSQL store is: how to connect, in libpq's words, and the schema of the evidence."""

    connection: dict[str, str] = field(repr=False)
    schema: str = DEFAULT_SCHEMA
    read_only: bool = False

    @property
    def files(self) -> list[Path]:
        """No file of this machine is part of it."""
        return []

    @property
    def reporting_schema(self) -> str:
        """The schema of the tables made from this evidence."""
        return "reporting_v1" if self.schema == DEFAULT_SCHEMA else f"{self.schema}_reporting_v1"

    @property
    def writer(self) -> str:
        """The role of those who record."""
        return f"{self.schema}_writer"

    @property
    def reader(self) -> str:
        """The role of those who read reports."""
        return f"{self.schema}_reader"

    @property
    def channel(self) -> str:
        """Where the server tells that something is recorded."""
        return f"{self.schema}_recorded"

    @property
    def database(self) -> str:
        """The name of the database."""
        return self.connection["dbname"]

    @property
    def server(self) -> str:
        """HOST:PORT, or the folder of the socket."""
        host, port = self.connection.get("host", ""), self.connection.get("port", "")
        return f"{host}:{port}" if host and port else host or port or "the local server"

    def __str__(self) -> str:
        """For people: never user, password or other settings."""
        host, port = self.connection.get("host", ""), self.connection.get("port", "")
        folder = host.startswith("/")
        query = {"host": host} if folder else {}
        if self.schema != DEFAULT_SCHEMA:
            query["schema"] = self.schema
        named = "" if folder else f"[{host}]" if ":" in host else host
        where = named + (f":{port}" if port else "")
        return f"postgresql://{where}/{quote(self.database)}" + (f"?{urlencode(query, safe='/')}" if query else "")


def is_reserved(schema: str) -> bool:
    """Whether a name is the server's own, or one that live tables have, had or will have."""
    return schema.startswith("pg_") or schema.endswith(("reporting_v1", "_next")) or "_retired_" in schema


def postgres_place(url: str) -> PostgresPlace:
    """The place a store URL names: postgresql://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE[?schema=NAME&...].

    mode=ro only reads; every other parameter is libpq's. Raises StoreError, which never repeats the URL: it may hold
    a password.
    """
    import psycopg  # only who names a server needs it
    from psycopg.conninfo import conninfo_to_dict

    base, _, query = url.partition("?")
    try:
        given = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
        others = [(name, value) for name, value in given if name not in ("schema", "mode")]
        connection = conninfo_to_dict(base + ("?" + urlencode(others, quote_via=quote) if others else ""))
    except (ValueError, psycopg.Error):
        raise StoreError(f"the store's postgresql:// address cannot be read: {_HOW}") from None
    ours = dict(given)
    schema, mode = ours.get("schema", DEFAULT_SCHEMA), ours.get("mode", "rw")
    if not connection.get("dbname"):
        raise StoreError(f"the store's postgresql:// address names no database: {_HOW}")
    if not SCHEMA_NAME.fullmatch(schema) or is_reserved(schema):
        raise StoreError(f"{schema} cannot name a schema of evidence: {NAMES}")
    if mode not in ("rw", "ro"):
        raise StoreError(f"mode={mode} is not known: mode=ro only reads")
    return PostgresPlace({name: str(value) for name, value in connection.items()}, schema, mode == "ro")
