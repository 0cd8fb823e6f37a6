"""The composition root: clock, store, live tables and command handler, put together once, for commands and tests.

A store is opened by importing what opens it: a command on a SQLite file starts without psycopg, and one that reads no
live tables without what keeps them. So these imports stand in the functions that need them.
"""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.store.errors import StoreError
from adapters.store.postgres_url import PostgresLocation
from adapters.store.url import SqliteLocation, store_location
from bin.settings import Settings

if TYPE_CHECKING:
    from adapters.inbox.handler import CommandHandler
    from adapters.live_tables.reporting import Reporting
    from adapters.store.ledger import Ledger


def clock() -> int:
    """Microseconds UTC, now."""
    return time.time_ns() // 1000


def open_ledger(chosen: Settings, *, create: bool = False) -> "Ledger":
    """The ledger of the store chosen, made new where `create` says so. Raises StoreError."""
    location = store_location(chosen.store)
    if isinstance(location, PostgresLocation):
        from adapters.store.postgres import open_postgres

        return open_postgres(
            location, ledger_id=chosen.ledger, now=clock, create=create, lock_timeout=chosen.lock_timeout
        )
    from adapters.store.sqlite import open_store

    unwritable = location.path.exists() and not os.access(location.path, os.W_OK)
    return open_store(
        location.path,
        ledger_id=chosen.ledger,
        now=clock,
        create=create and not location.read_only,
        read_only=location.read_only or unwritable,
        lock_timeout=chosen.lock_timeout,
    )


def open_reporting(chosen: Settings, *, create: bool = False) -> "Reporting":
    """The reporting tables of the store chosen, to write where `create` says so, else only to read.

    Raises NoTables where there are none to read, and other StoreErrors.
    """
    location = store_location(chosen.store)
    if create and location.read_only:
        raise StoreError(f"{chosen.store} is only to be read (mode=ro): its tables cannot be made")
    if isinstance(location, PostgresLocation):
        from adapters.live_tables.postgres import PostgresReporting

        return PostgresReporting(location, create=create, lock_timeout=chosen.lock_timeout)
    from adapters.live_tables.sqlite import SqliteReporting, reporting_file

    return SqliteReporting(reporting_file(location.path), create=create, lock_timeout=chosen.lock_timeout)


def open_readable(chosen: Settings) -> "Reporting | None":
    """The reporting tables, only to read; None where there are none that we may read, whatever is wrong with them."""
    from adapters.live_tables.checkpoint import checkpoint

    try:
        reporting = open_reporting(chosen)
    except StoreError:
        return None
    try:
        if reporting.exists() and reporting.fits:
            checkpoint(reporting.live)
    except StoreError:
        reporting.close()
        return None
    return reporting


def open_replay(chosen: Settings, into: str) -> "Reporting":
    """Where a replay goes: a file (it has a dot or a slash in its name), else a schema of the store's database.

    Raises StoreError where that is the location of the store or of its live tables, or holds anything yet.
    """
    location = store_location(chosen.store)
    if "/" in into or "." in into:
        return _replay_file(Path(into), location)
    if not isinstance(location, PostgresLocation):
        raise StoreError(f"{into} names no file: a replay of a SQLite store goes into a file, as replay.db")
    from adapters.live_tables.postgres import PostgresReporting, replay_schema

    schema = replay_schema(location, into)
    reporting = PostgresReporting(location, schema, create=True, lock_timeout=chosen.lock_timeout)
    if reporting.exists():
        reporting.close()
        raise StoreError(f"the schema {into} is there already: a replay goes into a new one; name another, or drop it")
    return reporting


def _replay_file(path: Path, location: SqliteLocation | PostgresLocation) -> "Reporting":
    from adapters.live_tables.sqlite import SqliteReporting, reporting_file

    kept = []
    if isinstance(location, SqliteLocation):
        kept = [*location.files, reporting_file(location.path)]
    if path.exists() or any(path.absolute() == one.absolute() for one in kept):
        raise StoreError(f"{path} is there already: a replay goes into a new file; name another, or remove it")
    return SqliteReporting(path, create=True)


def open_handler(ledger: "Ledger", chosen: Settings) -> "CommandHandler":
    """What records messages in a ledger; where there is a broker, it leaves late outcomes to be published there."""
    from adapters.inbox.handler import CommandHandler
    from adapters.inbox.outcome_events import outbox_writer
    from domain.values import HOUR

    write_outbox_message = outbox_writer(ledger.id, clock) if chosen.broker else None
    return CommandHandler(ledger, clock, chosen.patience_hours * HOUR, write_outbox_message)
