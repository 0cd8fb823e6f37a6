"""Connections to a PostgreSQL server, each set up in the same way."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import Connection

from adapters.store.postgres_errors import not_connected, translated_errors
from adapters.store.postgres_url import PostgresLocation


def connect(location: PostgresLocation, lock_timeout: int) -> Connection[tuple[Any, ...]]:
    """A connection of its own, in autocommit. Raises NoStore, UnreachableStore, StoreError."""
    try:
        connection = psycopg.connect(**parameters(location, lock_timeout), autocommit=True)
    except psycopg.Error as error:
        raise not_connected(error, location) from None
    with translated_errors(location):
        configuration(location, lock_timeout)(connection)
    return connection


def parameters(location: PostgresLocation, lock_timeout: int) -> dict[str, Any]:
    """What a connection is made with; the loss of a server that sends nothing more is noticed."""
    silent = {"keepalives_idle": "30", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "30000"}
    usual = {"connect_timeout": str(max(2, lock_timeout)), "fallback_application_name": "verbale"}
    return {**usual, **silent, **location.connection, "client_encoding": "utf8"}


def configuration(location: PostgresLocation, lock_timeout: int) -> Callable[[Connection[Any]], None]:
    """What sets up a new connection; `lock_timeout` is in seconds."""
    settings = {
        "search_path": f"{location.schema}, pg_temp",
        "lock_timeout": f"{lock_timeout}s",
        "idle_in_transaction_session_timeout": "60s",
        "jit": "off",  # every query here is short
    }
    if location.read_only:
        settings["default_transaction_read_only"] = "on"
    each = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in settings.items())
    # Evidence is on disk before a message is acknowledged, also when the power fails.
    on_disk = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"

    def configure(connection: Connection[Any]) -> None:
        connection.execute(f"SELECT {each}; {on_disk}".encode())

    return configure


@lru_cache(maxsize=256)
def marked(query: str) -> bytes:
    """The SQL of both kinds of store, with its ? as psycopg's %s."""
    return query.replace("%", "%%").replace("?", "%s").encode()
