"""The command that imports any table of cases, activities and instants."""

from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.imports.activity_log import ActivityLog, read_activity_log
from adapters.imports.activity_log_mapping import Activity, LogMapping, read_log_mapping
from adapters.imports.csv_table import write_quarantine
from adapters.inbox.ingest import Line, take_in
from adapters.reports.columns import JsonRow
from adapters.reports.screen import ScreenColumn, plain
from adapters.reports.wording import Writing
from bin.commands.console import console, table
from bin.commands.message_files import check_input, check_output
from bin.commands.options import Where, chosen_by, ledger_of, progress
from bin.commands.outcomes import counted, show_quarantined, show_tally
from bin.compose import open_handler
from bin.language import Words
from domain.values import instant_text

SHOWN_MESSAGES = 3
SHOWN_CASES = 5


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
    check_input(file)
    check_input(mapping)
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
    show_tally(tally, None, say)


def _show_log(file: Path, log: ActivityLog, say: Words) -> None:
    numbers = ((log.rows, "rows"), (len(log.cases), "cases"), (len(log.quarantined), "quarantined"))
    print(", ".join(counted(number, what, say) for number, what in numbers))
    show_quarantined(file, log.quarantined, say)


def _show_preview(file: Path, log: ActivityLog, how: LogMapping, say: Words) -> None:
    print(say("Preview: nothing was recorded."))
    _show_log(file, log, say)
    if log.messages:
        writing = Writing(say, ZoneInfo(how.time.zone))
        first, last = (writing.long(instant_text(log.messages[end].at), seconds=True) for end in (0, -1))
        print(f"{say('from')} {first} {say('to')} {last} ({how.time.zone})")
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
