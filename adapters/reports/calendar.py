"""The working hours of each day of a contract: open when, if not why not, by which calendar and agreement (H1-H4)."""

from collections.abc import Iterable, Iterator
from datetime import date, tzinfo
from typing import NamedTuple
from urllib.parse import quote

from adapters.errors import BadQuestion, NotOnRecord
from adapters.reports.columns import (
    Column,
    JsonRow,
    evidence,
    flag,
    instant,
    integer,
    listed,
    text,
    working_time,
)
from adapters.reports.icalendar import CalendarEvent, as_icalendar
from adapters.reports.question import Question
from adapters.reports.replay import replay_of_streams
from adapters.reports.report import Definition, Report, manifest
from adapters.reports.screen import ScreenColumn, day, plain, word
from adapters.reports.wording import Language, Writing, wall_window
from adapters.store.ledger import Ledger
from domain import __version__
from domain.calendar_rules import ServiceHours
from domain.contract_facts import CalendarAdopted, CoverageExtended
from domain.derogation import Weekday
from domain.facts import F
from domain.rectification import Corrected
from domain.values import instant_text, read_instant
from domain.working_time import OutsideCoverage
from projections.as_of import ContractAsOf
from projections.replay import Replay
from projections.working_days import OpenHours, WorkingDay, working_days

TITLES = {
    ServiceHours.STANDARD: "Working hours (H1)",
    ServiceHours.DATA_CENTRE: "Working hours of data-centre services (H2)",
}


class DayOfContract(NamedTuple):
    """A day of a contract, shown by the clocks of a time zone."""

    contract: str
    hours: ServiceHours
    day: WorkingDay
    zone: tzinfo


_DAY: tuple[Column[DayOfContract], ...] = (
    text("contract", "the contract", lambda row: row.contract),
    text("hours", "standard or data_centre (H1, H2)", lambda row: row.hours.value),
    text("day", "the local day", lambda row: row.day.day.isoformat()),
    text("weekday", "the day of the week", lambda row: Weekday.of(row.day.day).value),
)
_WINDOWS: Column[DayOfContract] = listed(
    "windows",
    "its working hours: window, from, to, agreements (the versions without which it would be closed)",
    lambda row: [
        {
            "window": _wall(window, row),
            "from": instant_text(window.start),
            "to": instant_text(window.end),
            "agreements": [agreement.version for agreement in window.agreements],
        }
        for window in row.day.windows
    ],
)
_FLAT_WINDOWS: tuple[Column[DayOfContract], ...] = (
    text(
        "windows",
        "its working hours",
        lambda row: " ".join(_wall(window, row) for window in row.day.windows),
    ),
    text(
        "agreed",
        "those that are there by agreement (H4)",
        lambda row: " ".join(_wall(window, row) for window in row.day.windows if window.agreements),
    ),
)
_REST: tuple[Column[DayOfContract], ...] = (
    working_time("working_us", "its working time", lambda row: row.day.working_us),
    text(
        "closed",
        "why it has none: holiday, weekend or no_hours",
        lambda row: row.day.closed.value if row.day.closed else None,
        optional=True,
    ),
    text("holiday", "the name of the holiday", lambda row: row.day.holiday, optional=True),
    integer(
        "calendar.version", "the fact that adopted the calendar that rules it", lambda row: row.day.calendar.version
    ),
    text("calendar.source", "where that calendar is from", lambda row: row.day.calendar.fact.source),
    text("calendar.source_version", "in which version", lambda row: row.day.calendar.fact.source_version),
    instant("calendar.adopted_at", "when it was adopted", lambda row: row.day.calendar.fact.at),
    flag("calendar.adopted_later", "whether the day had begun by then", lambda row: row.day.adopted_later),
    *evidence("contract", "contract", lambda row: row.contract, lambda row: list(row.day.versions)),
)
COLUMNS = (*_DAY, _WINDOWS, *_REST)


def _wall(window: OpenHours, row: DayOfContract) -> str:
    return wall_window(window, row.day.day, row.zone)


def days_of(ledger: Ledger, asked: Question, contract: str, hours: ServiceHours, first: date, last: date) -> "Days":
    """The working hours of each day from `first` to `last`, included. Raises BadQuestion, NotOnRecord, StoreError."""
    replay = replay_of_streams([f"contract-{contract}"], ledger, asked)
    signed = signed_contract(contract, replay)
    try:
        days = list(working_days(signed, hours, first, last))
    except OutsideCoverage as error:
        raise BadQuestion(f"contract {contract}: {error} (verbale calendar adopt)") from None
    zone = signed.contract.zone
    made = {**manifest("calendar", ledger, replay, asked), "hours": str(hours), "time_zone": zone.key}
    return Report(REPORT, made, [DayOfContract(contract, hours, day, zone) for day in days])


Days = Report[DayOfContract]


def signed_contract(contract: str, replay: Replay) -> ContractAsOf:
    """The contract. Raises NotOnRecord where it is not signed."""
    found = replay.contract(contract)
    if found.contract.signed is None:
        raise NotOnRecord(f"no contract {contract} is signed: nothing says which hours it works in")
    return found


# --- as iCalendar -----------------------------------------------------------------------------------------------


def icalendar_of(report: Days, say: Language) -> str:
    """An entry for each window, for any program that shows calendars."""
    made = report.manifest
    name = f"{say(TITLES[ServiceHours(made['hours'])])}: {made['contract']}"
    known_on = read_instant(made["known_on"])
    return as_icalendar(name, made["time_zone"], f"Verbale//{__version__}", known_on, _entries(report, say))


def _entries(report: Days, say: Language) -> Iterator[CalendarEvent]:
    writing, ledger = Writing(say, report.zone), quote(report.manifest["ledger"], safe="")
    for row in report.found:
        names = f"{quote(row.contract, safe='')}@{ledger}.verbale"
        for window in row.day.windows:
            by_agreement = [_agreement(agreement.fact, writing) for agreement in window.agreements]
            title = say("Working hours by agreement (H4)" if by_agreement else TITLES[row.hours])
            description = "\n".join([_calendar(row.day.calendar.fact, writing), *by_agreement])
            yield CalendarEvent(
                f"{window.start}-{row.hours}-{names}", window.start, window.end, f"{title}: {row.contract}", description
            )


# --- on the screen ----------------------------------------------------------------------------------------------


def _heading(report: Days, writing: Writing) -> list[str]:
    made, say = report.manifest, writing.say
    title = f"{say(TITLES[ServiceHours(made['hours'])])}: {made['contract']}"
    return [title, f"{say('known on')} {writing.long_seconds(made['known_on'])} ({writing.zone.key})", ""]


def _notes(report: Days, writing: Writing) -> list[str]:
    say, days = writing.say, [row.day for row in report.found]
    agreements = (agreement for day in days for window in day.windows for agreement in window.agreements)
    lines = [
        "",
        f"{say('working time')}: {writing.duration(sum(day.working_us for day in days))}",
        *(f"v{one.version}: {_calendar(one.fact, writing)}" for one in _distinct(day.calendar for day in days)),
        *(f"v{one.version}: {_agreement(one.fact, writing)}" for one in _distinct(agreements)),
    ]
    if any(day.adopted_later for day in days):
        lines.append(
            say("Some of these days had begun when the calendar that rules them was adopted: there was no other.")
        )
    return lines


def _distinct(facts: Iterable[Corrected[F]]) -> list[Corrected[F]]:
    by_version = {fact.version: fact for fact in facts}
    return [by_version[version] for version in sorted(by_version)]


def _calendar(calendar: CalendarAdopted, writing: Writing) -> str:
    adopted = writing.say("adopted {instant}").format(instant=writing.long(instant_text(calendar.at)))
    return f"{writing.say('calendar')} {calendar.source} {calendar.source_version}, {adopted}"


def _agreement(agreement: CoverageExtended, writing: Writing) -> str:
    agreed = writing.say("agreed {instant}").format(instant=writing.long(instant_text(agreement.at)))
    return f"{writing.say('hours added by agreement (H4)')}, {agreed}"


def _open_hours(row: JsonRow, _: Writing) -> str:
    return " ".join(window["window"] for window in row["windows"]) or "-"


def _agreed(row: JsonRow, _: Writing) -> str:
    agreed = (
        f"{window['window']} ({', '.join(f'v{version}' for version in window['agreements'])})"
        for window in row["windows"]
        if window["agreements"]
    )
    return " ".join(agreed) or "-"


REPORT: Definition[DayOfContract] = Definition(
    name="calendar",
    title=TITLES[ServiceHours.STANDARD],
    columns=COLUMNS,
    flat=(*_DAY, *_FLAT_WINDOWS, *_REST),
    screen=(
        day("day"),
        word("weekday", "day of the week"),
        ScreenColumn("open hours", _open_hours),
        ScreenColumn("by agreement (H4)", _agreed),
        word("closed", "closed"),
        plain("holiday"),
        ScreenColumn("calendar", lambda row, _: f"v{row['calendar']['version']}"),
    ),
    heading=_heading,
    notes=_notes,
)
