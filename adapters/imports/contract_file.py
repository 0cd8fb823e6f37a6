"""A contract written in TOML: the tables of the file, and how it is read.

Days are whole local days of the contract's time zone; `contract_messages.py` says what each means.
"""

import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, ValidationError, model_validator

from adapters.errors import UserError
from domain.calendar_rules import Week, check_years
from domain.credit_facts import Refund
from domain.derogation import Derogation
from domain.record_facts import Annulment, Consent, Correction
from domain.terms import AssistanceOption, Levels, MaintenanceOption, OperationOption, Option, Service, Terms
from domain.values import Euro, Identifier, Minutes, Party, Statement, Text, Value, instant_text, microseconds

ASSISTANCE = AssistanceOption()


class BadContractFile(UserError, ValueError):
    """The file does not describe a contract; the message names the file, the field and what to write."""


def _within_calendar(day: date) -> date:
    if not 1901 <= day.year <= 2199:
        raise ValueError("a day lies between 1901 and 2199 (a contract without end has no last_day)")
    return day


CalendarDay = Annotated[date, AfterValidator(_within_calendar)]


class AssistanceTable(Value):
    """The [assistance] table."""

    active_from: CalendarDay | None = None


class OperationTable(OperationOption):
    """The [operation] table."""

    service: Literal[Service.OPERATION] = Service.OPERATION
    active_from: CalendarDay | None = None


class MaintenanceTable(MaintenanceOption):
    """The [maintenance] table."""

    service: Literal[Service.MAINTENANCE] = Service.MAINTENANCE
    active_from: CalendarDay | None = None


class ExtensionTable(Derogation):
    """One [[extensions]] table; what is agreed on a day extends those after it (H4)."""

    agreed_on: CalendarDay | None = None


class SystemTable(Value):
    """One [[systems]] table; told on a day, a system is disclosed for the whole of it (S1)."""

    system: Identifier
    told_on: CalendarDay | None = None


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
    """One [[credits]] table; bought on a day, they can be used from its beginning to the end of `last_day` (G2)."""

    package: Identifier
    bought_on: CalendarDay
    minutes: Minutes
    price: Annotated[Euro, Field(ge=0)]
    last_day: CalendarDay | None = None


class RefundTable(Value):
    """One [[refunded]] table: what is given back of a package, on a day; time in minutes or in hours (G2, P2)."""

    package: Identifier
    refunded_on: CalendarDay
    minutes: Minutes | None = None
    hours: Annotated[Minutes, Field(le=1_000_000)] | None = None
    price: Annotated[Euro, Field(ge=0)] = Decimal("0.00")

    @model_validator(mode="after")
    def _gives_something_back(self) -> Self:
        if self.minutes is not None and self.hours is not None:
            raise ValueError("give minutes or hours, not both")
        if not (self.minutes or self.hours or self.price):
            raise ValueError("a refund gives back minutes or hours, or euro, or both")
        return self

    @property
    def refund(self) -> Refund:
        """What is given back."""
        minutes = (self.hours or 0) * 60 if self.minutes is None else self.minutes
        return Refund(package=self.package, minutes=minutes, price=self.price)


# --- what is agreed, or said of facts on record, after the signature ---


class RevisionTable(Statement):
    """One [[revised]] table: other levels, for requests opened from `first_day` on (A6)."""

    levels: Levels
    first_day: CalendarDay
    agreed_on: CalendarDay


class EndTable(Statement):
    """One [[ended]] table: a service is active until the end of `last_day` (G1)."""

    service: Service
    last_day: CalendarDay
    told_on: CalendarDay


class TerminationTable(Statement):
    """One [[terminated]] table: the contract ends with `last_day`, before its term."""

    last_day: CalendarDay
    why: Text
    told_on: CalendarDay


class RenewalTable(Value):
    """One [[renewed]] table: the contract goes on until the end of `last_day`."""

    last_day: CalendarDay
    signed_on: CalendarDay
    revokes_termination: bool = False


class AnnulledTable(Annulment):
    """One [[annulled]] table: a fact of a stream, the contract's own unless another is named, is withdrawn (R5)."""

    stream: Identifier | None = None
    told_on: CalendarDay


class AgreedTable(Consent):
    """One [[agreed]] table: a party agrees to a fact, or to every fact of the contract up to a position (A4)."""

    stream: Identifier | None = None
    by: Party
    agreed_on: CalendarDay


def _as_messages_have_it(value: Any) -> Any:
    """A value of TOML as JSON has it: its dates and instants are text."""
    if isinstance(value, datetime):
        return instant_text(microseconds(value))
    return value.isoformat() if isinstance(value, date) else value


class RectifiedTable(Correction):
    """One [[rectified]] table: one field of a fact of a stream is corrected (R5)."""

    stream: Identifier | None = None
    value: Annotated[JsonValue, BeforeValidator(_as_messages_have_it)]
    told_on: CalendarDay


class SourceTable(Value):
    """One [[sources]] table: a source speaks for a party (R7).

    `appointed_by`, `dismissed_by`: the source that says so. Where a party has a source of its own, only such a one may.
    """

    source: Identifier
    party: Party
    appointed_on: CalendarDay | None = None
    appointed_by: Identifier | None = None
    dismissed_on: CalendarDay | None = None
    dismissed_by: Identifier | None = None

    @model_validator(mode="after")
    def _dismissed_by_a_source(self) -> Self:
        if (self.dismissed_on is None) is not (self.dismissed_by is None):
            raise ValueError("a source is dismissed on a day by a source of its party: dismissed_on, dismissed_by (R7)")
        return self


class ContractFile(Value):
    """A whole file: in force from the beginning of `first_day` to the end of `last_day`."""

    id: Identifier
    customers: tuple[Identifier, ...] = ()
    signed_on: CalendarDay | None = None
    first_day: CalendarDay
    last_day: CalendarDay | None = None
    assistance: AssistanceTable | None = None
    operation: OperationTable | None = None
    maintenance: MaintenanceTable | None = None
    calendar: CalendarTable
    extensions: tuple[ExtensionTable, ...] = ()
    systems: tuple[SystemTable, ...] = ()
    credits: tuple[CreditsTable, ...] = ()
    refunded: tuple[RefundTable, ...] = ()
    revised: tuple[RevisionTable, ...] = ()
    ended: tuple[EndTable, ...] = ()
    terminated: tuple[TerminationTable, ...] = ()
    renewed: tuple[RenewalTable, ...] = ()
    annulled: tuple[AnnulledTable, ...] = ()
    rectified: tuple[RectifiedTable, ...] = ()
    agreed: tuple[AgreedTable, ...] = ()
    sources: tuple[SourceTable, ...] = ()
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
    def options(self) -> Iterator[tuple[Option, CalendarDay | None]]:
        """The option of each service that is activated, and from which day (None: the contract's first)."""
        if self.assistance is not None:
            yield ASSISTANCE, self.assistance.active_from
        for table, kind in ((self.operation, OperationOption), (self.maintenance, MaintenanceOption)):
            if table is not None:
                yield kind(**{name: getattr(table, name) for name in kind.model_fields}), table.active_from


def example() -> str:
    """A commented contract file."""
    return packaged("contract_example.toml")


def assumed_terms() -> Terms:
    """The default terms, marked as assumed."""
    return Terms.model_validate(tomllib.loads(packaged("assumed_terms.toml")))


def packaged(name: str) -> str:
    """The text of a file that comes with the program."""
    return files("adapters.imports").joinpath(name).read_text(encoding="utf-8")


def read_contract_file(path: Path) -> ContractFile:
    """The contract written in a file, with the assumed terms where it has none. Raises BadContractFile."""
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
        fault = first["msg"].removeprefix("Value error, ")
        raise BadContractFile(
            f"{path}: {where + ': ' if where else ''}{fault} (verbale contract example shows a whole file)"
        ) from None
