"""A contract written in TOML, advanced into the messages that record it.

Signature, options, calendar, derogations, connected systems, credits.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ValidationError, model_validator

from adapters.errors import UserError
from adapters.imports.holidays import UnknownPlace, italian_holidays, library_version, source_named
from adapters.inbox.messages import cloud_event
from domain.calendar_rules import Week, check_years
from domain.derogation import Derogation
from domain.local_time import local_midnight
from domain.terms import AssistanceOption, MaintenanceOption, OperationOption, Option, Service, Terms
from domain.values import Euro, Identifier, Minutes, Value, instant_text

FROM_FILE = "verbale:contract-file"
ASSISTANCE = AssistanceOption()


class BadContractFile(UserError, ValueError):
    """The file does not describe a contract; the message names the file, the field and what to write."""


def _in_reach(day: date) -> date:
    if not 1901 <= day.year <= 2199:
        raise ValueError("a day lies between 1901 and 2199 (a contract without end has no last_day)")
    return day


Day = Annotated[date, AfterValidator(_in_reach)]


class AssistanceTable(Value):
    """The [assistance] table."""

    active_from: Day | None = None


class OperationTable(OperationOption):
    """The [operation] table."""

    service: Literal[Service.OPERATION] = Service.OPERATION
    active_from: Day | None = None


class MaintenanceTable(MaintenanceOption):
    """The [maintenance] table."""

    service: Literal[Service.MAINTENANCE] = Service.MAINTENANCE
    active_from: Day | None = None


class ExtensionTable(Derogation):
    """One [[extensions]] table."""

    agreed_on: Day | None = None


class SystemTable(Value):
    """One [[systems]] table."""

    system: Identifier
    told_on: Day | None = None


class CalendarTable(Value):
    """The [calendar] table."""

    years: tuple[int, int]
    subdivision: str | None = None
    standard: Week | None = None
    data_centre: Week | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        check_years(*self.years, ())
        return self


class CreditsTable(Value):
    """One [[credits]] table."""

    package: Identifier
    bought_on: Day
    minutes: Minutes
    price: Annotated[Euro, Field(ge=0)]
    last_day: Day | None = None


class ContractFile(Value):
    """A whole file."""

    id: Identifier
    customers: tuple[Identifier, ...] = ()
    signed_on: Day | None = None
    first_day: Day
    last_day: Day | None = None
    assistance: AssistanceTable | None = None
    operation: OperationTable | None = None
    maintenance: MaintenanceTable | None = None
    calendar: CalendarTable
    extensions: tuple[ExtensionTable, ...] = ()
    systems: tuple[SystemTable, ...] = ()
    credits: tuple[CreditsTable, ...] = ()
    terms: Terms

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.last_day is not None and self.last_day < self.first_day:
            raise ValueError(f"last_day {self.last_day} is before first_day {self.first_day}")
        packages = [credit.package for credit in self.credits]
        if len(set(packages)) != len(packages):
            raise ValueError("credits: a package is named twice")
        return self

    @property
    def options(self) -> Iterator[tuple[Option, Day | None]]:
        """The option of each service that is activated, and from which day (None: the contract's first)."""
        if self.assistance is not None:
            yield ASSISTANCE, self.assistance.active_from
        for table, kind in ((self.operation, OperationOption), (self.maintenance, MaintenanceOption)):
            if table is not None:
                yield kind(**{name: getattr(table, name) for name in kind.model_fields}), table.active_from


def example() -> str:
    """A commented contract file."""
    return _packaged("contract_example.toml")


def assumed_terms() -> Terms:
    """The default terms, marked as assumed."""
    return Terms.model_validate(tomllib.loads(_packaged("assumed_terms.toml")))


def _packaged(name: str) -> str:
    return files("adapters.imports").joinpath(name).read_text(encoding="utf-8")


def contract_messages(path: Path) -> list[dict[str, Any]]:
    """The messages that record the contract written in a file. Raises BadContractFile."""
    file = _read(path)
    zone = ZoneInfo(file.terms.time_zone)

    def begins(day: date) -> str:
        return instant_text(local_midnight(zone, day))

    def after(day: date | None) -> str | None:
        return begins(day + timedelta(days=1)) if day else None

    signed_on = file.signed_on or file.first_day
    signed = begins(signed_on)
    until = after(file.last_day)
    found = [sign_message(FROM_FILE, file.id, signed, begins(file.first_day), file.terms, file.customers, until)]
    for option, active_from in file.options:
        found.append(activate_message(FROM_FILE, file.id, signed, begins(active_from or file.first_day), option))
    try:
        found.append(_calendar_message(file, signed))
    except UnknownPlace as error:
        raise BadContractFile(f"{path}: calendar: {error}") from None
    for table in file.extensions:
        data = table.model_dump(mode="json", exclude={"agreed_on"})
        at = begins(table.agreed_on or signed_on)
        found.append(_message(FROM_FILE, "contract", file.id, "extend_coverage", at, data))
    for told in file.systems:
        data, at = {"system": told.system}, begins(told.told_on or signed_on)
        found.append(_message(FROM_FILE, "contract", file.id, "declare_connected_system", at, data))
    found += [
        purchase_message(
            FROM_FILE,
            file.id,
            begins(credit.bought_on),
            credit.package,
            credit.minutes,
            str(credit.price),
            after(credit.last_day),
        )
        for credit in file.credits
    ]
    return found


def _read(path: Path) -> ContractFile:
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise BadContractFile(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadContractFile(f"{path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise BadContractFile(f"{path} is not TOML: {error}") from None
    terms = document.get("terms")
    if terms is None:
        document["terms"] = assumed_terms().model_dump(mode="json")
    elif isinstance(terms, dict):
        document["terms"] = {"source": "signed", **terms}
    try:
        return ContractFile.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise BadContractFile(
            f"{path}: {where + ': ' if where else ''}{said} (verbale contract example shows a whole file)"
        ) from None


def _calendar_message(file: ContractFile, at: str) -> dict[str, Any]:
    table = file.calendar
    first, last = table.years
    return calendar_message(
        FROM_FILE,
        file.id,
        at,
        first,
        last,
        table.subdivision,
        {"standard": table.standard, "data_centre": table.data_centre},
    )


def calendar_message(
    source: str,
    contract: str,
    at: str,
    first_year: int,
    last_year: int,
    subdivision: str | None = None,
    hours: Mapping[str, Week | None] | None = None,
) -> dict[str, Any]:
    """Adopts the Italian calendar of some years: the contract's hours (unless given) and the public holidays."""
    usual = tomllib.loads(_packaged("calendar_hours.toml"))
    own = {kind: week.model_dump(mode="json") for kind, week in (hours or {}).items() if week is not None}
    holidays = italian_holidays(first_year, last_year, subdivision)
    data = {
        "source": source_named(subdivision),
        "source_version": library_version(),
        "first_year": first_year,
        "last_year": last_year,
        **usual,
        **own,
        "holidays": [holiday.model_dump(mode="json") for holiday in holidays],
    }
    # Another release of the holidays library may propose otherwise: what is adopted for these years stays adopted.
    agreed = {"years": [first_year, last_year], "subdivision": subdivision, "hours": {**usual, **own}}
    return _message(source, "contract", contract, "adopt_calendar", at, data, identified_by=agreed)


def sign_message(
    source: str,
    contract: str,
    at: str,
    in_force_from: str,
    terms: Terms,
    customers: Sequence[str] = (),
    in_force_until: str | None = None,
) -> dict[str, Any]:
    """Signs a contract."""
    data = {
        "in_force_from": in_force_from,
        "in_force_until": in_force_until,
        "customers": list(customers),
        "terms": terms.model_dump(mode="json"),
    }
    return _message(source, "contract", contract, "sign", at, data)


def activate_message(
    source: str, contract: str, at: str, effective: str, option: Option = ASSISTANCE
) -> dict[str, Any]:
    """Activates a service: Assistenza unless another option is given."""
    data = {"option": option.model_dump(mode="json"), "effective": effective}
    return _message(source, "contract", contract, "activate_option", at, data)


def purchase_message(
    source: str, contract: str, at: str, package: str, minutes: int, price: str, expires_at: str | None = None
) -> dict[str, Any]:
    """Buys a package of credits."""
    data = {"package": package, "minutes": minutes, "price": price, "expires_at": expires_at}
    return _message(source, "credits", contract, "purchase", at, data)


def _message(
    source: str, kind: str, contract: str, verb: str, at: str, data: dict[str, Any], identified_by: object = None
) -> dict[str, Any]:
    """A message whose id follows from the contract and from what it says, so that saying it again changes nothing."""
    text = json.dumps({"at": at, **data} if identified_by is None else identified_by, sort_keys=True)
    message_id = f"{contract}:{verb}:{sha256(text.encode()).hexdigest()[:16]}"
    return cloud_event(kind, contract, verb, at, data, source=source, message_id=message_id)
