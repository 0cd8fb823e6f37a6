"""What can be configured, and where it is read from."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from adapters.errors import UserError
from domain.values import Identifier

CONFIG_FILE = "verbale.toml"
DEFAULT_STORE = "sqlite:///verbale.db"


class BadSettings(UserError, ValueError):
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
        wrong = (
            f"no such setting (there are {known})"
            if first["type"] == "extra_forbidden"
            else first["msg"].removeprefix("Value error, ")
        )
        raise BadSettings(f"setting {name}: {wrong}; see {_config_file()} and the VERBALE_ variables") from None
    except SettingsError as error:
        raise BadSettings(f"a VERBALE_ variable that is to hold JSON holds none: {error}") from None
    except ValueError as error:
        raise BadSettings(f"{_config_file()} is not TOML: {error}") from None
