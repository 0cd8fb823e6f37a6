"""The commands about calendars: what is proposed, what a contract adopts, and the working hours that follow (H1-H4)."""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from cyclopts import Parameter
from rich.text import Text

from adapters.errors import BadQuestion, NotOnRecord
from adapters.imports.contract_messages import calendar_message
from adapters.imports.holidays import italian_holidays, library_version, source_named
from adapters.inbox.ingest import take_in, written
from adapters.reports.icalendar import CalendarEvent, as_icalendar
from adapters.reports.report import JsonRow, Question, Report, manifest, question
from adapters.store.ledger import Ledger
from bin.commands.console import Column, Format, as_csv, console, duration, local, print_rows, show
from bin.commands.ids import contract_named
from bin.commands.options import Where, chosen_by, ledger_of, words
from bin.commands.outcomes import show_tally
from bin.compose import clock, open_handler
from bin.language import Words
from domain import __version__
from domain.calendar_rules import ServiceHours, wall_text
from domain.contract_facts import CalendarAdopted, CoverageExtended
from domain.derogation import Weekday, first_day_after
from domain.facts import F
from domain.local_time import local_day
from domain.rectification import Corrected
from domain.values import instant_text, moment
from domain.working_time import OutsideCoverage
from projections.as_of import ContractAsOf, Replay
from projections.history import History
from projections.readings import Reading
from projections.working_days import OpenHours, WorkingDay, working_days

FROM_COMMAND = "verbale:calendar"
"""The source of the calendars that are adopted by the command."""
CalendarFormat = Literal["table", "json", "csv", "ics"]
COVERABLE = (1900, 2200)
"""The years that a calendar may cover."""
_YEARS = re.compile(r"(\d{4})(?:-(\d{4}))?", re.ASCII)


@Parameter(name="*")
@dataclass(frozen=True)
class Proposed:
    """Options that say what the holidays library is asked for."""

    years: str
    "The years that the calendar covers, as 2026-2030 or 2026."

    country: Literal["IT"] = "IT"
    "Whose holidays: Italy's."

    subdivision: str | None = None
    "A province or city, as MI or Milano, whose patron saint is added; else none."

    @property
    def first_and_last(self) -> tuple[int, int]:
        """The first and the last year. Raises BadQuestion."""
        typed = _YEARS.fullmatch(self.years)
        first, last = (int(typed[1]), int(typed[2] or typed[1])) if typed else (1, 0)
        if last < first:
            raise BadQuestion(f"--years {self.years} are no years: write 2026-2030, or 2026")
        return first, last


# --- the hours of each day --------------------------------------------------------------------------------------


def calendar_show(
    contract: str,
    /,
    *,
    first: Annotated[str, Parameter(name="--from")],
    last: Annotated[str, Parameter(name="--to")],
    data_centre: Annotated[bool, Parameter(negative="")] = False,
    known_on: str | None = None,
    format: CalendarFormat = "table",
    where: Where | None = None,
) -> None:
    """The working hours of each day of a contract: open when, if not why not, by which calendar and agreement.

    Parameters
    ----------
    contract
        The id of the contract, also as contract-ID.
    first
        The first day, as 2026-01-01.
    last
        The last day, included.
    data_centre
        The hours of data-centre services (H2) instead of the standard ones (H1).
    known_on
        Use only what was recorded by then; else everything recorded.
    format
        table, json, csv, or ics: iCalendar, an entry for each window.
    """
    chosen, say = chosen_by(where)
    hours = ServiceHours.DATA_CENTRE if data_centre else ServiceHours.STANDARD
    first_day, last_day = _day("--from", first), _day("--to", last)
    if last_day < first_day:
        raise BadQuestion(f"--to {last} is before --from {first}")
    with ledger_of(chosen) as ledger:
        now = max(clock(), ledger.store.recorded_until())
        contract = contract_named(contract, ledger)
        asked = question(now=now, known_on=known_on, contract=contract)
        replay = _replay(contract, ledger, asked.known_on)
        told = _signed(contract, replay)
        try:
            days = list(working_days(told, hours, first_day, last_day))
        except OutsideCoverage as error:
            raise BadQuestion(f"contract {contract}: {error} (verbale calendar adopt)") from None
        report = _report(contract, ledger, replay, asked, hours, days)
    if format == "ics":
        entries = _entries(ledger.id, contract, hours, days, told, say)
        name, made_by = f"{say(_TITLE[hours])}: {contract}", f"Verbale//{__version__}"
        sys.stdout.write(as_icalendar(name, told.contract.zone.key, made_by, asked.known_on, entries))
    elif format == "json":
        show(report, format, say)
    elif format == "csv":
        print(as_csv("calendar", [{**row, **_flat_windows(row)} for row in report.rows]), end="")
    else:
        _show_days(report, days, told, say)


def _day(option: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadQuestion(f"{option} {text} is no day: write it as 2026-01-31") from None
    if not COVERABLE[0] <= day.year <= COVERABLE[1]:
        raise BadQuestion(f"{option} {text}: no calendar covers that year; they cover 1900 to 2200")
    return day


def _replay(contract: str, ledger: Ledger, known_on: int) -> Replay:
    stream = (ledger.entry(row) for row in ledger.store.stream_rows([f"contract-{contract}"]))
    known = [entry for entry in stream if entry.recorded_at <= known_on]
    return Replay(History.of(known, ledger.store.position(known_on)), Reading(), known_on)


def _signed(contract: str, replay: Replay) -> ContractAsOf:
    told = replay.contract(contract)
    if told.contract.signed is None:
        raise NotOnRecord(f"no contract {contract} is signed: nothing says which hours it works in")
    return told


def _report(
    contract: str, ledger: Ledger, replay: Replay, asked: Question, hours: ServiceHours, days: Sequence[WorkingDay]
) -> Report:
    zone = replay.contract(contract).contract.zone
    rows = [_row(contract, hours, day, zone) for day in days]
    made = {**manifest("calendar", ledger, replay, asked), "hours": str(hours), "time_zone": zone.key}
    return Report("calendar", made, rows, asked)


def _row(contract: str, hours: ServiceHours, day: WorkingDay, zone: ZoneInfo) -> JsonRow:
    """One day, as JSON shows it."""
    adopted = day.calendar
    return {
        "contract": contract,
        "hours": str(hours),
        "day": day.day.isoformat(),
        "weekday": str(Weekday.of(day.day)),
        "windows": [
            {
                "window": _wall_clock(window, day.day, zone),
                "from": instant_text(window.start),
                "to": instant_text(window.end),
                "agreements": [agreement.version for agreement in window.agreements],
            }
            for window in day.windows
        ],
        "working_us": day.working_us,
        "closed": str(day.closed) if day.closed else None,
        "holiday": day.holiday,
        "calendar": {
            "version": adopted.version,
            "source": adopted.fact.source,
            "source_version": adopted.fact.source_version,
            "adopted_at": instant_text(adopted.fact.at),
            "adopted_later": day.adopted_later,
        },
        "evidence": {"stream": f"contract-{contract}", "versions": list(day.versions)},
    }


def _wall_clock(window: OpenHours, day: date, zone: ZoneInfo) -> str:
    """A window as clocks show it; one that reaches the end of the day ends at 24:00."""
    opens = moment(window.start).astimezone(zone)
    closes = moment(window.end).astimezone(zone)
    ends_the_day = window.end == local_day(zone, day)[1]
    closing = "24:00" if ends_the_day else wall_text(closes.hour * 60 + closes.minute)
    return f"{wall_text(opens.hour * 60 + opens.minute)}-{closing}"


def _flat_windows(row: JsonRow) -> JsonRow:
    """The windows of a row as the cells of CSV hold them: all of them, and those that are there by agreement."""
    return {
        "windows": " ".join(window["window"] for window in row["windows"]),
        "agreed": " ".join(window["window"] for window in row["windows"] if window["agreements"]),
    }


_TITLE = {
    ServiceHours.STANDARD: "Working hours (H1)",
    ServiceHours.DATA_CENTRE: "Working hours of data-centre services (H2)",
}


def _show_days(report: Report, days: Sequence[WorkingDay], told: ContractAsOf, say: Words) -> None:
    made, zone, out = report.manifest, told.contract.zone, console()
    title = say(_TITLE[ServiceHours(made["hours"])])
    out.print(Text(f"{title}: {made['contract']}", style="bold"))
    out.print(Text(f"{say('known on')} {local(made['known_on'], zone)} ({zone.key})\n"))
    columns = [
        Column(say("day"), lambda row: str(row["day"])),
        Column(say("day of the week"), lambda row: say(row["weekday"])),
        Column(say("open hours"), lambda row: _flat_windows(row)["windows"] or "-"),
        Column(say("by agreement (H4)"), _agreed),
        Column(say("closed"), lambda row: say(row["closed"]) if row["closed"] else "-"),
        Column(say("holiday"), lambda row: row["holiday"] or "-"),
        Column(say("calendar"), lambda row: f"v{row['calendar']['version']}"),
    ]
    print_rows(out, columns, report.rows)
    worked = sum(day.working_us for day in days)
    out.print(Text(f"\n{say('working time')}: {duration(worked)}"))
    for calendar in _distinct(day.calendar for day in days):
        out.print(Text(f"v{calendar.version}: {_calendar_told(calendar.fact, zone, say)}"))
    for agreement in _distinct(agreement for day in days for window in day.windows for agreement in window.agreements):
        out.print(Text(f"v{agreement.version}: {_agreement_told(agreement.fact, zone, say)}"))
    if any(day.adopted_later for day in days):
        out.print(
            say("Some of these days had begun when the calendar that rules them was adopted: there was no other.")
        )


def _agreed(row: JsonRow) -> str:
    told = (
        f"{window['window']} ({', '.join(f'v{version}' for version in window['agreements'])})"
        for window in row["windows"]
        if window["agreements"]
    )
    return " ".join(told) or "-"


def _distinct(told: Iterable[Corrected[F]]) -> list[Corrected[F]]:
    by_version = {one.version: one for one in told}
    return [by_version[version] for version in sorted(by_version)]


def _calendar_told(calendar: CalendarAdopted, zone: ZoneInfo, say: Words) -> str:
    adopted = local(instant_text(calendar.at), zone)
    return f"{say('calendar')} {calendar.source} {calendar.source_version}, {say('adopted')} {adopted}"


def _agreement_told(agreement: CoverageExtended, zone: ZoneInfo, say: Words) -> str:
    return f"{say('hours added by agreement (H4)')}, {say('agreed')} {local(instant_text(agreement.at), zone)}"


def _entries(
    ledger: str, contract: str, hours: ServiceHours, days: Iterable[WorkingDay], told: ContractAsOf, say: Words
) -> Iterator[CalendarEvent]:
    zone, names = told.contract.zone, f"{quote(contract, safe='')}@{quote(ledger, safe='')}.verbale"
    for day in days:
        for window in day.windows:
            by_agreement = [_agreement_told(agreement.fact, zone, say) for agreement in window.agreements]
            title = say("Working hours by agreement (H4)" if by_agreement else _TITLE[hours])
            told_by = "\n".join([_calendar_told(day.calendar.fact, zone, say), *by_agreement])
            yield CalendarEvent(
                f"{window.start}-{hours}-{names}", window.start, window.end, f"{title}: {contract}", told_by
            )


# --- proposed and adopted ---------------------------------------------------------------------------------------


def calendar_propose(*, proposed: Proposed, format: Format = "table") -> None:
    """The public holidays that the holidays library knows, to be looked at. Nothing is recorded.

    Parameters
    ----------
    format
        table, json or csv.
    """
    say = words()
    first, last = proposed.first_and_last
    national = set(italian_holidays(first, last))
    rows: list[JsonRow] = [
        {
            "day": holiday.day.isoformat(),
            "weekday": str(Weekday.of(holiday.day)),
            "name": holiday.name,
            "added_by": None if holiday in national else proposed.subdivision,
            "source": source_named(proposed.subdivision),
            "source_version": library_version(),
        }
        for holiday in italian_holidays(first, last, proposed.subdivision)
    ]
    if format == "json":
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if format == "csv":
        print(as_csv("holidays", rows), end="")
        return
    columns = [
        Column(say("day"), lambda row: str(row["day"])),
        Column(say("day of the week"), lambda row: say(row["weekday"])),
        Column(say("holiday"), lambda row: str(row["name"])),
        Column(say("added by"), lambda row: row["added_by"] or "-"),
    ]
    out = console()
    title = f"{say('Holidays proposed')}: {source_named(proposed.subdivision)} {library_version()}"
    out.print(Text(f"{title}\n", style="bold"))
    print_rows(out, columns, rows)
    out.print(Text(f"\n{say('Nothing was recorded: verbale calendar adopt CONTRACT does that.')}"))


def calendar_adopt(contract: str, /, *, proposed: Proposed, where: Where | None = None) -> None:
    """Record the working calendar of some years: the public holidays proposed, and the hours the contract has.

    The hours are those of the calendar it adopted last, else the usual ones (H1, H2). It rules the days that begin
    after it is adopted, and those before for which there is no other.

    Parameters
    ----------
    contract
        The id of the contract, also as contract-ID.
    """
    chosen, say = chosen_by(where)
    first, last = proposed.first_and_last
    with ledger_of(chosen) as ledger:
        now, contract = clock(), contract_named(contract, ledger)
        told = _signed(contract, _replay(contract, ledger, max(now, ledger.store.recorded_until()))).contract
        before = told.calendars[-1:]
        hours = {str(kind): before[0].rules(kind).week for kind in ServiceHours} if before else {}
        at = instant_text(now)
        message = calendar_message(FROM_COMMAND, contract, at, first, last, proposed.subdivision, hours)
        # Adopting is done on a day: the same again is another adoption, unless it is what rules those years already.
        message["id"] = f"{contract}:adopt_calendar:{at}"
        ruling = [one for one in told.calendars if one.first_year <= last and first <= one.last_year][-1:]
        if ruling and _says(ruling[0], message["data"]):
            console().print(Text(say("These years are adopted so already: nothing was recorded.")))
            return
        tally = take_in(open_handler(ledger, chosen), written([message], FROM_COMMAND))
    show_tally(tally, None, say)
    console().print(Text(_rules_from(first_day_after(told.zone, now), first, last, say)))


def _says(calendar: CalendarAdopted, data: JsonRow) -> bool:
    """Whether a calendar says what a message would record; another version of the library may have said it."""
    said = calendar.model_dump(mode="json")
    return all(said[name] == value for name, value in data.items() if name != "source_version")


def _rules_from(coming: date, first_year: int, last_year: int, say: Words) -> str:
    """Which days a calendar of some years rules that is adopted before the day `coming`."""
    if coming.year > last_year:
        return say("All its days have begun: it rules those that no other calendar covers.")
    return say("It rules the days from {day} on.").format(day=max(coming, date(first_year, 1, 1)))
