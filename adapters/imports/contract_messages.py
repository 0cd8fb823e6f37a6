"""The messages that set a contract up: signature, options, calendar, derogations, connected systems, credits.

In a contract file a day is a whole local day. What counts from a day (signature, first day, options, purchases, systems
told of) is dated at its midnight and counts for all of it; what lasts until a day (last_day) ends at the next midnight;
an agreement on hours, which reaches only days that begin after it (H4), reaches those after its own.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from adapters.imports.contract_file import ASSISTANCE, BadContractFile, ContractFile, packaged, read_contract_file
from adapters.imports.holidays import UnknownPlace, italian_holidays, library_version, source_named
from adapters.inbox.messages import cloud_event
from domain.calendar_rules import Week
from domain.local_time import local_midnight
from domain.terms import Option, Terms
from domain.values import SECOND, instant_text

FROM_FILE = "verbale:contract-file"


def contract_messages(path: Path) -> list[dict[str, Any]]:
    """The messages that record the contract written in a file. Raises BadContractFile."""
    file = read_contract_file(path)
    zone = ZoneInfo(file.terms.time_zone)

    def begins(day: date) -> str:
        return instant_text(local_midnight(zone, day))

    def after(day: date | None) -> str | None:
        return begins(day + timedelta(days=1)) if day else None

    def in_the_course_of(day: date) -> str:
        # The first second that the day has begun: a later one would be refused as future where the day is today.
        return instant_text(local_midnight(zone, day) + SECOND)

    signed_on = file.signed_on or file.first_day
    signed = begins(signed_on)
    until = after(file.last_day)
    messages = [sign_message(FROM_FILE, file.id, signed, begins(file.first_day), file.terms, file.customers, until)]
    for option, active_from in file.options:
        messages.append(activate_message(FROM_FILE, file.id, signed, begins(active_from or file.first_day), option))
    try:
        messages.append(_calendar_message(file, signed))
    except UnknownPlace as error:
        raise BadContractFile(f"{path}: calendar: {error}") from None
    for table in file.extensions:
        data = table.model_dump(mode="json", exclude={"agreed_on"})
        at = in_the_course_of(table.agreed_on or signed_on)
        messages.append(_message(FROM_FILE, "contract", file.id, "extend_coverage", at, data))
    for declared in file.systems:
        data, at = {"system": declared.system}, begins(declared.told_on or signed_on)
        messages.append(_message(FROM_FILE, "contract", file.id, "declare_connected_system", at, data))
    messages += [
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
    return messages


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
    """A message whose id is made from the contract and the content, so that recording it again changes nothing."""
    text = json.dumps({"at": at, **data} if identified_by is None else identified_by, sort_keys=True)
    message_id = f"{contract}:{verb}:{sha256(text.encode()).hexdigest()[:16]}"
    return cloud_event(kind, contract, verb, at, data, source=source, message_id=message_id)
