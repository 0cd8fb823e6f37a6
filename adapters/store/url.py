"""The URL of a store: which kind of store it names, and where that is."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote

from adapters.store.errors import StoreError
from adapters.store.postgres_url import PostgresLocation, postgres_location


@dataclass(frozen=True)
class SqliteLocation:
    """Where a SQLite store is."""

    path: Path
    read_only: bool = False

    @property
    def files(self) -> list[Path]:
        """The files it is made of."""
        return [self.path, *(self.path.with_name(self.path.name + end) for end in ("-wal", "-shm"))]


def store_location(url: str) -> SqliteLocation | PostgresLocation:
    """The location a store URL names: sqlite:///relative.db, sqlite:////absolute.db, postgresql://HOST/DATABASE.

    With ?mode=ro it is only read. Raises StoreError.
    """
    if url.startswith(("postgresql://", "postgres://")):
        return postgres_location(url)
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
        return SqliteLocation(Path(unquote(path)).expanduser(), mode == ["ro"])
    except RuntimeError:
        raise StoreError(f"{url}: there is no such home folder") from None


def store_url(path: Path) -> str:
    """The URL that names the store at a path."""
    return f"sqlite:///{quote(str(path))}"
