"""The messages that set a contract up: signature, options, calendar, derogations, connected systems, credits.

In a contract file a day is a whole local day. What counts from a day (signature, first day, options, purchases, systems
told of) is dated at its midnight and counts for all of it; what lasts until a day (last_day) ends at the next midnight;
an agreement on hours, which reaches only days that begin after it (H4), reaches those after its own.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from adapters.imports.act_messages import message_of, record_message
from adapters.imports.contract_file import ASSISTANCE, BadContractFile, ContractFile, packaged, read_contract_file
from adapters.imports.holidays import UnknownPlace, italian_holidays, library_version, source_named
from domain.calendar_rules import Week
from domain.local_time import local_midnight
from domain.terms import Option, Terms
from domain.values import SECOND, Value, instant_text

FROM_FILE = "verbale:contract-file"
Messages = Iterator[dict[str, Any]]


@dataclass(frozen=True)
class _Days:
    """The local days of a contract's time zone, as the instants of messages."""

    zone: ZoneInfo

    def begins(self, day: date) -> str:
        return instant_text(local_midnight(self.zone, day))

    def after(self, day: date) -> str:
        return self.begins(day + timedelta(days=1))

    def in_the_course_of(self, day: date) -> str:
        # The first second that the day has begun: a later one would be refused as future where the day is today.
        return instant_text(local_midnight(self.zone, day) + SECOND)


def contract_messages(path: Path) -> list[dict[str, Any]]:
    """The messages that record the contract written in a file. Raises BadContractFile.

    Those about facts on record come after those that record facts, and appointments of sources last of all: what
    the file says for a party it may say as long as the party has no source of its own (R7).
    """
    file = read_contract_file(path)
    days = _Days(ZoneInfo(file.terms.time_zone))
    try:
        calendar = _calendar_message(file, days.begins(file.signed_on or file.first_day))
    except UnknownPlace as error:
        raise BadContractFile(f"{path}: calendar: {error}") from None
    return [
        *_signed(file, days),
        calendar,
        *_agreed_besides(file, days),
        *_credits(file, days),
        *_changes(file, days),
        *_said_of_the_record(file, days),
        *_sources(file, days),
    ]


def _signed(file: ContractFile, days: _Days) -> Messages:
    signed, begins = days.begins(file.signed_on or file.first_day), days.begins(file.first_day)
    until = days.after(file.last_day) if file.last_day else None
    yield sign_message(FROM_FILE, file.id, signed, begins, file.terms, file.customers, until)
    for option, active_from in file.options:
        effective = days.begins(active_from or file.first_day)
        yield activate_message(FROM_FILE, file.id, signed, effective, option)


def _agreed_besides(file: ContractFile, days: _Days) -> Messages:
    signed_on = file.signed_on or file.first_day
    for table in file.extensions:
        data = table.model_dump(mode="json", exclude={"agreed_on"})
        yield _of_contract(file, "extend_coverage", days.in_the_course_of(table.agreed_on or signed_on), data)
    for declared in file.systems:
        at = days.begins(declared.told_on or signed_on)
        yield _of_contract(file, "declare_connected_system", at, {"system": declared.system})


def _credits(file: ContractFile, days: _Days) -> Messages:
    for credit in file.credits:
        bought, expires = days.begins(credit.bought_on), days.after(credit.last_day) if credit.last_day else None
        price = str(credit.price)
        yield purchase_message(FROM_FILE, file.id, bought, credit.package, credit.minutes, price, expires)
    for table in file.refunded:
        at, data = days.begins(table.refunded_on), table.refund.model_dump(mode="json")
        yield message_of(FROM_FILE, "credits", file.id, "refund", at, data)


def _changes(file: ContractFile, days: _Days) -> Messages:
    """Other levels, ends and renewals, in the order of the days on which they were agreed or told."""
    changes: list[tuple[date, str, Value, dict[str, str]]] = [
        *(
            (one.agreed_on, "revise_service_level", one, {"effective": days.begins(one.first_day)})
            for one in file.revised
        ),
        *((one.told_on, "end_option", one, {"effective": days.after(one.last_day)}) for one in file.ended),
        *((one.told_on, "terminate", one, {"effective": days.after(one.last_day)}) for one in file.terminated),
        *((one.signed_on, "renew", one, {"until": days.after(one.last_day)}) for one in file.renewed),
    ]
    for day, verb, table, instants in sorted(changes, key=lambda change: change[0]):
        yield _of_contract(file, verb, days.begins(day), {**_as_written(table), **instants})


def _said_of_the_record(file: ContractFile, days: _Days) -> Messages:
    """Annulments, then rectifications, then agreements: what is agreed to may be one of them."""
    acts: list[tuple[str, str | None, date, Value]] = [
        *(("annul", one.stream, one.told_on, one) for one in file.annulled),
        *(("rectify", one.stream, one.told_on, one) for one in file.rectified),
        *(("agree", one.stream, one.agreed_on, one) for one in file.agreed),
    ]
    for act, stream, day, table in acts:
        of = stream or f"contract-{file.id}"
        yield record_message(FROM_FILE, of, act, days.begins(day), _as_written(table))


def _sources(file: ContractFile, days: _Days) -> Messages:
    for table in file.sources:
        at = days.begins(table.appointed_on or file.signed_on or file.first_day)
        data = {"source": table.source, "party": table.party.value}
        yield _of_contract(file, "appoint_source", at, data, table.appointed_by or FROM_FILE)
    for table in file.sources:
        if table.dismissed_on is not None and table.dismissed_by is not None:
            at = days.begins(table.dismissed_on)
            yield _of_contract(file, "dismiss_source", at, {"source": table.source}, table.dismissed_by)


_OF_THE_FILE = {"stream", "first_day", "last_day", "agreed_on", "told_on", "signed_on"}
"""The fields of tables that say where and when: messages say it otherwise."""


def _as_written(table: Value) -> dict[str, Any]:
    """What a table says, without what it leaves out."""
    return table.model_dump(mode="json", exclude_unset=True, exclude=_OF_THE_FILE)


def _of_contract(
    file: ContractFile, verb: str, at: str, data: Mapping[str, Any], source: str = FROM_FILE
) -> dict[str, Any]:
    return message_of(source, "contract", file.id, verb, at, data)


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
    standard = tomllib.loads(packaged("calendar_hours.toml"))
    own = {kind: week.model_dump(mode="json") for kind, week in (hours or {}).items() if week is not None}
    holidays = italian_holidays(first_year, last_year, subdivision)
    data = {
        "source": source_named(subdivision),
        "source_version": library_version(),
        "first_year": first_year,
        "last_year": last_year,
        **standard,
        **own,
        "holidays": [holiday.model_dump(mode="json") for holiday in holidays],
    }
    # The id does not depend on the holidays: another release of the library may propose others, and what is adopted
    # for these years stays adopted.
    agreed = {"years": [first_year, last_year], "subdivision": subdivision, "hours": {**standard, **own}}
    return message_of(source, "contract", contract, "adopt_calendar", at, data, identified_by=agreed)


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
    return message_of(source, "contract", contract, "sign", at, data)


def activate_message(
    source: str, contract: str, at: str, effective: str, option: Option = ASSISTANCE
) -> dict[str, Any]:
    """Activates a service: Assistenza unless another option is given."""
    data = {"option": option.model_dump(mode="json"), "effective": effective}
    return message_of(source, "contract", contract, "activate_option", at, data)


def purchase_message(
    source: str, contract: str, at: str, package: str, minutes: int, price: str, expires_at: str | None = None
) -> dict[str, Any]:
    """Buys a package of credits."""
    data = {"package": package, "minutes": minutes, "price": price, "expires_at": expires_at}
    return message_of(source, "credits", contract, "purchase", at, data)
