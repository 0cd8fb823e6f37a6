"""Mapping files (TOML): how data of another system is written, for its operator to read and change."""

import re
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ValidationError

from adapters.errors import UserError
from domain.terms import TimeZone
from domain.values import Value, microseconds

ISO = "iso"
_ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d{1,6})?)?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII)
_SECONDS = ("%S", "%X", "%c", "%f")
_SOME_EVENING = datetime(2026, 12, 31, 21, 45, tzinfo=UTC)

M = TypeVar("M", bound=Value)


class BadMapping(UserError, ValueError):
    """The mapping cannot be used; the message names the file, the field and what to do."""


class ShownInstant(NamedTuple):
    """An instant (microseconds UTC) as a table shows it; some tables show no seconds."""

    at: int
    to_the_minute: bool


def _known_encoding(name: str) -> str:
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise ValueError(f"no encoding of text is called {name}: write UTF-8, cp1252 or UTF-16") from None
    return name


def _format_of_an_instant(form: str) -> str:
    if form == ISO:
        return form
    if "%Z" in form:
        raise ValueError(f"{form}: names of time zones are ambiguous; write offsets (%z), or none and give the zone")
    try:
        back = datetime.strptime(_SOME_EVENING.strftime(form), form)  # noqa: DTZ007 (compared without a zone)
    except ValueError as error:
        raise ValueError(f"{form} is no format of dates: {error}; write it as %d/%m/%Y %H:%M, or iso") from None
    if back.replace(tzinfo=UTC) != _SOME_EVENING:
        raise ValueError(f"{form} does not tell the day and the time of day, as %d/%m/%Y %H:%M does")
    return form


class FileTable(Value):
    """The [file] table: the delimiter of fields, the encoding, and whether the newest rows come first."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1, pattern=r'^[^"\r\n]$')] = ","
    encoding: Annotated[str, AfterValidator(_known_encoding)] = "UTF-8"
    newest_first: bool = False


class TimeTable(Value):
    """The [time] table: the formats of dates, tried in order, and the zone of those that name no offset."""

    formats: Annotated[tuple[Annotated[str, AfterValidator(_format_of_an_instant)], ...], Field(min_length=1)] = (ISO,)
    zone: TimeZone = "Europe/Rome"

    def read(self, text: str) -> ShownInstant:
        """The instant that a cell shows; doubtful local times take fold 0. Raises ValueError where it is none."""
        return _read_time(text, self.formats, self.zone)


@lru_cache(maxsize=100_000)
def _read_time(text: str, formats: Sequence[str], zone: str) -> ShownInstant:
    for form in formats:
        try:
            local, seconds = _iso(text) if form == ISO else _formatted(text, form)
            at = local if local.tzinfo else local.replace(tzinfo=ZoneInfo(zone))
            return ShownInstant(microseconds(at), to_the_minute=not seconds)
        except (ValueError, OverflowError):
            continue
    raise ValueError(f"{text or 'an empty field'} is no date as {' or '.join(formats)}")


def _iso(text: str) -> tuple[datetime, bool]:
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return datetime.fromisoformat(text.upper()), match[1] is not None


def _formatted(text: str, form: str) -> tuple[datetime, bool]:
    return datetime.strptime(text, form), any(code in form for code in _SECONDS)  # noqa: DTZ007 (the zone is added)


def shipped(name: str) -> str:
    """The text of a mapping that comes with the program."""
    return files("adapters.imports").joinpath("mappings", f"{name}.toml").read_text(encoding="utf-8")


def read_mapping(path: Path, kind: type[M], example: str) -> M:
    """The mapping in a file; `example` is the command that shows a whole one. Raises BadMapping."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadMapping(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadMapping(f"{path} is not UTF-8 text") from None
    return parse_mapping(text, str(path), kind, example)


def parse_mapping(text: str, name: str, kind: type[M], example: str) -> M:
    """The mapping that a text holds; `name` says where it comes from. Raises BadMapping."""
    try:
        return kind.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadMapping(f"{name} is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        faults = {"missing": "missing", "extra_forbidden": "there is no such field"}
        fault = faults.get(first["type"], first["msg"].removeprefix("Value error, "))
        raise BadMapping(f"{name}: {where + ': ' if where else ''}{fault} ({example} shows a whole mapping)") from None
