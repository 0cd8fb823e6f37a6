"""The commands that bring in what other systems kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from cyclopts import Parameter, validators
from pydantic import Field, TypeAdapter, ValidationError

from adapters.imports.activity_log import ActivityLog, read_activity_log
from adapters.imports.activity_log_mapping import Activity, LogMapping, read_log_mapping
from adapters.imports.activity_log_mapping import example as activity_log_example
from adapters.imports.csv_table import BadTable, Quarantined, write_quarantine
from adapters.imports.desk_export import example as export_example
from adapters.imports.mapping import shipped
from adapters.imports.servicenow import Credits, contract_set_up, incident_messages
from adapters.imports.servicenow_log import read_log
from adapters.inbox.ingest import Line, pass_over_recorded, take_in, written
from adapters.reports.columns import JsonRow
from adapters.reports.question import BadQuestion
from adapters.reports.screen import ScreenColumn, plain
from adapters.reports.writing import Writing, local
from bin.commands.console import console, table
from bin.commands.ingest import SHOWN_REFUSALS, check_output, tell
from bin.commands.options import Where, chosen_by, ledger_of, progress
from bin.compose import open_handler
from bin.language import Words
from domain.values import Euro, instant_text

SHOWN_MESSAGES = 3
SHOWN_CASES = 5


def import_servicenow(
    file: Path,
    /,
    *,
    quarantine: Path | None = None,
    credits_minutes: Annotated[int, Parameter(validator=validators.Number(gt=0))] = 60_000,
    credits_price: str = "5000.00",
    time_zone: str = "Europe/Rome",
    where: Where | None = None,
) -> None:
    """Import a ServiceNow incident log (CSV, one row per change; plain, .gz or .xz).

    Each location becomes a contract under the assumed default terms, with credits. Importing again, or a longer
    export of the same log, adds only what is new.

    Parameters
    ----------
    file
        The log.
    quarantine
        Write the rows that cannot be used to this CSV file, with line and reason.
    credits_minutes
        Minutes of credit each contract is taken to have bought.
    credits_price
        Their price in euro.
    time_zone
        Of the dates in the log.
    """
    chosen, say = chosen_by(where)
    credits = _credits(credits_minutes, credits_price)
    if not file.is_file():
        raise BadTable(f"{file} is no file")
    check_output("--quarantine", quarantine, chosen, [file])
    with progress(say("reading"), file.stat().st_size) as advance:
        log = read_log(file, time_zone, on_bytes=advance)
    if quarantine is not None:
        write_quarantine(quarantine, log.quarantined)
    with ledger_of(chosen, create=True) as ledger:
        set_up, known = pass_over_recorded(ledger, contract_set_up(log, credits, time_zone))
        messages = [*set_up, *(message for rows in log.incidents.values() for message in incident_messages(rows))]
        with progress(say("recording"), len(messages), count=True) as advance:
            tally = take_in(open_handler(ledger, chosen), written(messages, str(file)), advance)
        tally.outcomes["duplicate"] += known
    numbers = ((log.rows, "rows"), (len(log.incidents), "incidents"), (len(log.quarantined), "quarantined"))
    print(", ".join(f"{number} {say(what)}" for number, what in numbers))
    _show_quarantined(file, log.quarantined, say)
    if log.last_instant is not None:
        print(f"{say('the log ends at')} {instant_text(log.last_instant)} ({say('give it to reports as --as-of')})")
    tell(tally, None, say)


def import_events(
    file: Path,
    /,
    *,
    mapping: Path,
    preview: bool = False,
    quarantine: Path | None = None,
    where: Where | None = None,
) -> None:
    """Import any table with one row for each thing that happened to a case (CSV; plain, .gz or .xz).

    A mapping file says which columns hold case, activity and timestamp, and which message each activity is. Importing
    again, or a longer export of the same table, adds only what is new. Contracts are recorded by contract sign.

    Parameters
    ----------
    file
        The table.
    mapping
        How to read it: a file as `verbale import mapping example` shows.
    preview
        Record nothing: show what each activity would become, the first messages and what cannot be used.
    quarantine
        Write the rows that cannot be used to this CSV file, with line and reason.
    """
    chosen, say = chosen_by(where)
    if not file.is_file():
        raise BadTable(f"{file} is no file")
    check_output("--quarantine", quarantine, chosen, [file, mapping])
    how = read_log_mapping(mapping)
    with progress(say("reading"), file.stat().st_size) as advance:
        log = read_activity_log(file, how, on_bytes=advance)
    if quarantine is not None:
        write_quarantine(quarantine, log.quarantined)
    if preview:
        _show_preview(file, log, how, say)
        return
    lines = (Line(f"{file}:{message.line}", message.raw) for message in log.messages)
    with (
        ledger_of(chosen, create=True) as ledger,
        progress(say("recording"), len(log.messages), count=True) as advance,
    ):
        tally = take_in(open_handler(ledger, chosen), lines, advance)
    _show_log(file, log, say)
    tell(tally, None, say)


def mapping_example(kind: Literal["events", "reconcile", "zammad", "glpi", "jira"] = "events", /) -> None:
    """Print a commented mapping.

    Parameters
    ----------
    kind
        events: for import events. reconcile: for reconcile, which uses this one where no other is given. zammad, glpi
        and jira: for the webhooks of these help desks.
    """
    match kind:
        case "events":
            text = activity_log_example()
        case "reconcile":
            text = export_example()
        case _:
            text = shipped(kind)
    print(text, end="")


def _show_log(file: Path, log: ActivityLog, say: Words) -> None:
    numbers = ((log.rows, "rows"), (len(log.cases), "cases"), (len(log.quarantined), "quarantined"))
    print(", ".join(f"{number} {say(what)}" for number, what in numbers))
    _show_quarantined(file, log.quarantined, say)


def _show_preview(file: Path, log: ActivityLog, how: LogMapping, say: Words) -> None:
    print(say("Preview: nothing was recorded."))
    _show_log(file, log, say)
    if log.messages:
        zone = ZoneInfo(how.time.zone)
        first, last = (local(instant_text(log.messages[end].at), zone, seconds=True) for end in (0, -1))
        print(f"{say('from')} {first} {say('to')} {last} ({zone.key})")
    columns = [
        plain("activity"),
        ScreenColumn("rows", lambda row, writing: writing.say.number(row["rows"]), number=True),
        ScreenColumn("command", lambda row, writing: row["command"] or writing.say("not in the mapping")),
    ]
    console().print(table(columns, _activities(log, how), Writing(say, ZoneInfo(how.time.zone))))
    if waiting := log.without_opening:
        some = ", ".join(waiting[:SHOWN_CASES]) + (", ..." if len(waiting) > SHOWN_CASES else "")
        print(f"{say('cases that this table does not open, so that their messages wait')}: {len(waiting)} ({some})")
    if log.messages:
        print(say("The first messages:"))
    for message in log.messages[:SHOWN_MESSAGES]:
        print(f"  {file}:{message.line}: {message.raw.decode()}")


def _activities(log: ActivityLog, how: LogMapping) -> list[JsonRow]:
    """Each activity of the mapping and of the log, how many rows have it, and what it is."""
    known: list[JsonRow] = [
        {"activity": name, "rows": log.activities[name], "command": _spoken(activity)}
        for name, activity in how.activities.items()
    ]
    unknown = log.activities.keys() - how.activities.keys()
    return [*known, *({"activity": name, "rows": log.activities[name], "command": ""} for name in sorted(unknown))]


def _spoken(activity: Activity) -> str:
    return " ".join([activity.command, *(f"{name}={value}" for name, value in activity.data.items())])


def _credits(minutes: int, price: str) -> Credits:
    try:
        return Credits(minutes, str(TypeAdapter(Annotated[Euro, Field(ge=0)]).validate_python(price)))
    except ValidationError:
        raise BadQuestion(f"--credits-price {price} is no amount in euro: write it as 5000.00") from None


def _show_quarantined(file: Path, quarantined: Sequence[Quarantined], say: Words) -> None:
    for row in quarantined[:SHOWN_REFUSALS]:
        print(f"  {file}:{row.line}: {row.reason}")
    if len(quarantined) > SHOWN_REFUSALS:
        more = len(quarantined) - SHOWN_REFUSALS
        print(f"  ... {more} {say('more')}; --quarantine FILE {say('receives them all')}")
