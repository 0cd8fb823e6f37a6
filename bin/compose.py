"""The composition root: clock, store, live tables and command handler, put together once, for commands and tests."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote

from adapters.live_tables.tables import Reporting
from adapters.store.ledger import Ledger, StoreError
from adapters.store.postgres_url import PostgresPlace, postgres_place
from bin.settings import Settings

if TYPE_CHECKING:
    from adapters.inbox.handler import CommandHandler

# What opens a store of one kind, and what records, is loaded by the function that uses it: a report on SQLite starts
# without the client of PostgreSQL, and without the parts that record.


def clock() -> int:
    """Microseconds UTC, now."""
    return time.time_ns() // 1000


@dataclass(frozen=True)
class StorePlace:
    """Where a SQLite store is."""

    path: Path
    read_only: bool = False

    @property
    def files(self) -> list[Path]:
        """The files it is made of."""
        return [self.path, *(self.path.with_name(self.path.name + end) for end in ("-wal", "-shm"))]


def store_place(url: str) -> StorePlace | PostgresPlace:
    """The place a store URL names: sqlite:///relative.db, sqlite:////absolute.db, postgresql://HOST/DATABASE.

    With ?mode=ro it is only read. Raises StoreError.
    """
    if url.startswith(("postgresql://", "postgres://")):
        return postgres_place(url)
    scheme, separator, rest = url.partition(":///")
    if scheme != "sqlite" or not separator or not rest:
        # Never the whole of it: a misspelt address of a server holds a password all the same.
        named = f"{url.partition(':')[0]}:..." if "@" in url or "://" in url else url
        raise StoreError(
            f"{named} names no store: write sqlite:///PATH (sqlite:////tmp/a.db for /tmp/a.db), or "
            "postgresql://USER@HOST:PORT/DATABASE"
        )
    path, _, query = rest.partition("?")
    mode = parse_qs(query).get("mode", ["rw"])
    if mode not in (["rw"], ["ro"]) or (query and not query.startswith("mode=")):
        raise StoreError(f"{url}: after ? only mode=ro is known")
    try:
        return StorePlace(Path(unquote(path)).expanduser(), mode == ["ro"])
    except RuntimeError:
        raise StoreError(f"{url}: there is no such home folder") from None


def store_url(path: Path) -> str:
    """The URL that names the store at a path."""
    return f"sqlite:///{quote(str(path))}"


def open_ledger(chosen: Settings, *, create: bool = False) -> Ledger:
    """The ledger of the store chosen, made new where `create` says so. Raises StoreError."""
    place = store_place(chosen.store)
    if isinstance(place, PostgresPlace):
        from adapters.store.postgres import open_postgres

        return open_postgres(place, ledger_id=chosen.ledger, now=clock, create=create, lock_timeout=chosen.lock_timeout)
    from adapters.store.sqlite import open_store

    unwritable = place.path.exists() and not os.access(place.path, os.W_OK)
    return open_store(
        place.path,
        ledger_id=chosen.ledger,
        now=clock,
        create=create and not place.read_only,
        read_only=place.read_only or unwritable,
        lock_timeout=chosen.lock_timeout,
    )


def open_reporting(chosen: Settings, *, create: bool = False) -> Reporting:
    """The reporting tables of the store chosen, to write where `create` says so, else only to read.

    Raises NoTables where there are none to read, and other StoreErrors.
    """
    place = store_place(chosen.store)
    if create and place.read_only:
        raise StoreError(f"{chosen.store} is only to be read (mode=ro): its tables cannot be made")
    if isinstance(place, PostgresPlace):
        from adapters.live_tables.postgres import PostgresReporting

        return PostgresReporting(place, create=create, lock_timeout=chosen.lock_timeout)
    from adapters.live_tables.sqlite import SqliteReporting, beside

    return SqliteReporting(beside(place.path), create=create, lock_timeout=chosen.lock_timeout)


def open_readable(chosen: Settings) -> Reporting | None:
    """The reporting tables, only to read; None where there are none that we may read, whatever is wrong with them."""
    from adapters.live_tables.projector import current

    try:
        reporting = open_reporting(chosen)
    except StoreError:
        return None
    try:
        if reporting.exists() and reporting.fits:
            current(reporting.live)
    except StoreError:
        reporting.close()
        return None
    return reporting


def open_replay(chosen: Settings, into: str) -> Reporting:
    """Where a replay goes: a file (it has a dot or a slash in its name), else a schema of the store's database.

    Raises StoreError where that is the place of the store or of its live tables, or holds anything yet.
    """
    place = store_place(chosen.store)
    if "/" in into or "." in into:
        return _replay_file(Path(into), place)
    if not isinstance(place, PostgresPlace):
        raise StoreError(f"{into} names no file: a replay of a SQLite store goes into a file, as replay.db")
    from adapters.live_tables.postgres import PostgresReporting, replay_schema

    reporting = PostgresReporting(place, replay_schema(place, into), create=True, lock_timeout=chosen.lock_timeout)
    if reporting.exists():
        reporting.close()
        raise StoreError(f"the schema {into} is there already: a replay goes into a new one; name another, or drop it")
    return reporting


def _replay_file(path: Path, place: StorePlace | PostgresPlace) -> Reporting:
    from adapters.live_tables.sqlite import SqliteReporting, beside

    kept = [] if isinstance(place, PostgresPlace) else [*place.files, beside(place.path)]
    if path.exists() or any(path.absolute() == one.absolute() for one in kept):
        raise StoreError(f"{path} is there already: a replay goes into a new file; name another, or remove it")
    return SqliteReporting(path, create=True)


def open_handler(ledger: Ledger, chosen: Settings) -> "CommandHandler":
    """What records in a ledger; where there is a broker, it leaves late outcomes to be published there."""
    from adapters.inbox.handler import HOUR, CommandHandler
    from adapters.inbox.outcome_events import letters

    write_outbox_message = letters(ledger.id, clock) if chosen.broker else None
    return CommandHandler(ledger, clock, chosen.patience_hours * HOUR, write_outbox_message)
