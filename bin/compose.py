"""The composition root: settings, clock, store and desk, put together once, for the commands and for the tests."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qs, quote, unquote

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from adapters.inbox.handler import HOUR, CommandHandler
from adapters.inbox.outcome_events import outbox_writer
from adapters.live_tables.postgres import PostgresReporting, replay_schema
from adapters.live_tables.projector import current
from adapters.live_tables.sqlite import SqliteReporting, beside
from adapters.live_tables.tables import Reporting
from adapters.store.ledger import Ledger, StoreError
from adapters.store.postgres import open_postgres
from adapters.store.postgres_url import PostgresPlace, postgres_place
from adapters.store.sqlite import open_store
from domain.values import Identifier

CONFIG_FILE = "verbale.toml"
DEFAULT_STORE = "sqlite:///verbale.db"


class BadSettings(ValueError):
    """A setting is wrong; the message names it and where it came from."""


class Webhook(BaseModel):
    """A help desk that calls POST /webhooks/NAME: which mapping reads it, and the secret that it signs with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mapping: str = Field(description="zammad, glpi, jira, or the path of a mapping file")
    secret: SecretStr | None = None
    secret_file: Path | None = None

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if (self.secret is None) == (self.secret_file is None):
            raise ValueError("give either secret or secret_file")
        if self.secret is not None and not self.secret.get_secret_value():
            raise ValueError("the secret is empty: anybody could sign with it")
        return self

    def shared_secret(self) -> str:
        """The secret, from wherever it is. Raises BadSettings."""
        if self.secret is not None:
            return self.secret.get_secret_value()
        file = self.secret_file or Path()
        try:
            secret = file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadSettings(f"setting webhooks: secret_file {file} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise BadSettings(f"setting webhooks: secret_file {file} is not UTF-8 text") from None
        if not secret:
            raise BadSettings(f"setting webhooks: secret_file {file} is empty: anybody could sign with that")
        return secret


class Settings(BaseSettings):
    """What can be configured: in verbale.toml (or the file that VERBALE_CONFIG names), by VERBALE_*, by options."""

    model_config = SettingsConfigDict(env_prefix="VERBALE_", extra="forbid", frozen=True)

    store: str = DEFAULT_STORE
    ledger: Identifier = "main"
    patience_hours: int = Field(default=72, ge=1, le=87_600, description="how long a message may wait for its incident")
    lock_timeout: int = Field(default=10, ge=1, le=600, description="seconds to wait for another process")
    language: Literal["en", "it"] = "en"
    broker: str | None = Field(
        default=None, description="where messages come from: nats://, amqp://, redis://, kafka://"
    )
    listen: str = Field(default="127.0.0.1:8350", description="where verbale consume answers over HTTP; none: nowhere")
    longest_lag_seconds: int = Field(default=60, ge=1, description="live tables further behind are not ready")
    most_body_bytes: int = Field(default=8_000_000, ge=1_000, description="the longest HTTP request taken")
    messages_per_minute: int = Field(default=6_000, ge=1, description="what one source may post over HTTP")
    silence_hours: dict[str, Annotated[float, Field(gt=0, le=87_600)]] = Field(
        default_factory=dict, description="by source: how long it may be silent"
    )
    webhooks: dict[str, Webhook] = Field(default_factory=dict, description="by name: help desks that call us")

    @property
    def address(self) -> tuple[str, int] | None:
        """The host and port to answer on over HTTP, port 0 for any that is free; None for nowhere."""
        return _address(self.listen)

    @field_validator("listen")
    @classmethod
    def _listens_somewhere(cls, listen: str) -> str:
        _address(listen)
        return listen

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (no .env: one file is enough)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options beat variables, variables beat the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _config_file())


def _address(listen: str) -> tuple[str, int] | None:
    if listen == "none":
        return None
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535 or (":" in host) != host.startswith("["):
        raise ValueError(f"{listen} is no address: write HOST:PORT (127.0.0.1:8350, [::1]:8350), or none")
    return host.strip("[]"), int(port)


def _config_file() -> Path:
    return Path(os.environ.get("VERBALE_CONFIG") or CONFIG_FILE)


def settings(store: str | None = None, language: str | None = None) -> Settings:
    """The settings in force, with the options given. Raises BadSettings."""
    named = os.environ.get("VERBALE_CONFIG")
    if named and not Path(named).is_file():
        raise BadSettings(f"VERBALE_CONFIG names {named}, which is no file")
    options: dict[str, Any] = {
        name: value for name, value in (("store", store), ("language", language)) if value is not None
    }
    try:
        return Settings(**options)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        known = ", ".join(Settings.model_fields)
        told = (
            f"no such setting (there are {known})"
            if first["type"] == "extra_forbidden"
            else first["msg"].removeprefix("Value error, ")
        )
        raise BadSettings(f"setting {name}: {told}; see {_config_file()} and the VERBALE_ variables") from None
    except ValueError as error:
        raise BadSettings(f"{_config_file()} is not TOML: {error}") from None


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
        return open_postgres(place, ledger_id=chosen.ledger, now=clock, create=create, lock_timeout=chosen.lock_timeout)
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
        return PostgresReporting(place, create=create, lock_timeout=chosen.lock_timeout)
    return SqliteReporting(beside(place.path), create=create, lock_timeout=chosen.lock_timeout)


def open_readable(chosen: Settings) -> Reporting | None:
    """The reporting tables, only to read; None where there are none that we may read, whatever is wrong with them."""
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
    reporting = PostgresReporting(place, replay_schema(place, into), create=True, lock_timeout=chosen.lock_timeout)
    if reporting.exists():
        reporting.close()
        raise StoreError(f"the schema {into} is there already: a replay goes into a new one; name another, or drop it")
    return reporting


def _replay_file(path: Path, place: StorePlace | PostgresPlace) -> Reporting:
    kept = [] if isinstance(place, PostgresPlace) else [*place.files, beside(place.path)]
    if path.exists() or any(path.absolute() == one.absolute() for one in kept):
        raise StoreError(f"{path} is there already: a replay goes into a new file; name another, or remove it")
    return SqliteReporting(path, create=True)


def open_handler(ledger: Ledger, chosen: Settings) -> CommandHandler:
    """The desk that records in a ledger; where there is a broker, it leaves late outcomes to be published there."""
    write_outbox_message = outbox_writer(ledger.id, clock) if chosen.broker else None
    return CommandHandler(ledger, clock, chosen.patience_hours * HOUR, write_outbox_message)
