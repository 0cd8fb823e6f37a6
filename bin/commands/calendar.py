"""The commands about calendars: what is proposed, what a contract adopts, and the working hours that follow (H1-H4)."""

import re
import sys
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.text import Text

from adapters.errors import BadQuestion
from adapters.imports.contract_messages import calendar_message
from adapters.imports.holidays import italian_holidays, library_version, source_named
from adapters.inbox.ingest import take_in, written
from adapters.reports.calendar import days_of, icalendar_of, signed_contract
from adapters.reports.columns import JsonRow
from adapters.reports.csv_format import as_csv
from adapters.reports.holidays import REPORT as HOLIDAYS
from adapters.reports.holidays import ProposedHoliday
from adapters.reports.question import question
from adapters.reports.replay import replay_of_streams
from bin.commands.console import Format, console, show, show_listing
from bin.commands.ids import contract_named
from bin.commands.options import Where, chosen_by, ledger_of, tell_of_nothing_known, words
from bin.commands.outcomes import show_tally
from bin.compose import clock, open_handler
from bin.language import Words
from domain.calendar_rules import ServiceHours
from domain.contract_facts import CalendarAdopted
from domain.derogation import first_day_after
from domain.values import instant_text

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
        now = ledger.known_now(clock())
        contract = contract_named(contract, ledger)
        asked = question(now=now, known_on=known_on, contract=contract)
        tell_of_nothing_known(ledger, asked, format, say)
        report = days_of(ledger, asked, contract, hours, first_day, last_day)
    if format == "ics":
        sys.stdout.write(icalendar_of(report, say))
    elif format == "csv":
        print(as_csv(report.definition.csv_columns, report.found), end="")
    else:
        show(report, format, say)


def _day(option: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadQuestion(f"{option} {text} is no day: write it as 2026-01-31") from None
    if not COVERABLE[0] <= day.year <= COVERABLE[1]:
        raise BadQuestion(f"{option} {text}: no calendar covers that year; they cover 1900 to 2200")
    return day


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
    source, library = source_named(proposed.subdivision), library_version()
    found = [
        ProposedHoliday(
            holiday.day, holiday.name, None if holiday in national else proposed.subdivision, source, library
        )
        for holiday in italian_holidays(first, last, proposed.subdivision)
    ]
    show_listing(HOLIDAYS, found, format, say, f"{say(HOLIDAYS.title)}: {source} {library}")
    if format == "table":
        console().print(Text(f"\n{say('Nothing was recorded: verbale calendar adopt CONTRACT does that.')}"))


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
        replay = replay_of_streams([f"contract-{contract}"], ledger, question(now=ledger.known_now(now)))
        known = signed_contract(contract, replay).contract
        before = known.calendars[-1:]
        hours = {str(kind): before[0].rules(kind).week for kind in ServiceHours} if before else {}
        at = instant_text(now)
        message = calendar_message(FROM_COMMAND, contract, at, first, last, proposed.subdivision, hours)
        # Adopting is done on a day: the same again is another adoption, unless it is what rules those years already.
        message["id"] = f"{contract}:adopt_calendar:{at}"
        ruling = [one for one in known.calendars if one.first_year <= last and first <= one.last_year][-1:]
        if ruling and ruling[0].zone_rules is not None and _holds(ruling[0], message["data"]):
            console().print(Text(say("These years are adopted so already: nothing was recorded.")))
            return
        tally = take_in(open_handler(ledger, chosen), written([message], FROM_COMMAND))
    show_tally(tally, None, say)
    console().print(Text(_rules_from(first_day_after(known.zone, now), first, last, say)))


def _holds(calendar: CalendarAdopted, data: JsonRow) -> bool:
    """Whether a calendar holds what a message would record, from whatever version of the library."""
    recorded = calendar.model_dump(mode="json")
    return all(recorded[name] == value for name, value in data.items() if name != "source_version")


def _rules_from(coming: date, first_year: int, last_year: int, say: Words) -> str:
    """Which days a calendar of some years rules that is adopted before the day `coming`."""
    if coming.year > last_year:
        return say("All its days have begun: it rules those that no other calendar covers.")
    return say("It rules the days from {day} on.").format(day=say.long_day(max(coming, date(first_year, 1, 1))))
