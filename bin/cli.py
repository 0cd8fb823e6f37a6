"""The command line: `verbale`. Exit status 0 fine, 1 the answer is no, 2 wrong use or a store that cannot be used."""

import base64
import io
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Group, Parameter, validators
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from adapters.contract_file import BadContractFile, contract_messages
from adapters.contract_file import example as contract_example_text
from adapters.holidays import UnknownPlace
from adapters.intake import Line, RefusedLine, Tally, pass_over_recorded, read_lines, take_in, written
from adapters.ledger import Ledger, StoreError
from adapters.messages import Unreadable, examples, read_message
from adapters.messages import schema as message_schema
from adapters.servicenow import BadLog, Credits, contract_set_up, incident_messages, read_log, write_quarantine
from bin import __version__, demo
from bin.compose import BadSettings, Settings, clock, open_desk, open_ledger, settings, store_place, store_url
from bin.display import Format, console, show
from bin.language import Words
from bin.reference import message_reference
from bin.reports import (
    BadQuestion,
    NotOnRecord,
    Question,
    ReportName,
    explain_incident,
    make,
    question,
    steps,
    timeline_of,
)
from domain.catalogue import COMMANDS
from domain.contract import AdoptCalendar
from domain.facts import Euro, instant_text
from projections.readings import UnknownReading

FINE, NO, WRONG_USE = 0, 1, 2
SHOWN_REFUSALS = 10

WRONG = (StoreError, BadSettings, BadQuestion, UnknownReading, BadContractFile, BadLog, UnknownPlace)
"""What a user can put right: told in a line or two, with status 2."""

app = App(
    name="verbale",
    help="The record of a service contract, and what it proves: who was late, by whose fault, what penalty follows.",
    version=__version__,
    help_format="plaintext",
    result_action="return_value",
)
app.command(contract_app := App(name="contract", help="Record a contract from a file."))
app.command(message_app := App(name="message", help="Write and check messages without recording anything."))
app.command(import_app := App(name="import", help="Bring in the history of another system."))
app.command(report_app := App(name="report", help="What the recorded facts mean."))


@Parameter(name="*")
@dataclass(frozen=True)
class Where:
    """Options of every command that uses a store."""

    store: Annotated[str | None, Parameter(group=Group("Store"))] = None
    "The store: sqlite:///PATH, with ?mode=ro to only read. Else VERBALE_STORE, verbale.toml, sqlite:///verbale.db."

    language: Annotated[str | None, Parameter(group=Group("Store"))] = None
    "Of what is printed for people: en or it. Else VERBALE_LANGUAGE."


@Parameter(name="*")
@dataclass(frozen=True)
class Asked:
    """Options of every report."""

    contract: str | None = None
    "Only this contract."

    window: str | None = None
    "contract_year, calendar_year, quarter or whole_contract; or a day: only the window that holds it."

    reading: str = "literal"
    "The reading of the contract: literal, or choices that depart from it: rate=words,unit=clock,..."

    as_of: str | None = None
    "Judge as of this instant (2025-12-31T18:00:00+01:00) or the end of this day (2025-12-31); else known-on."

    known_on: str | None = None
    "Use only what was recorded by then; else everything recorded."

    format: Format = "table"
    "table, json or csv."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status. Nobody but a developer (VERBALE_DEBUG=1) sees a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # the same bytes whatever the locale
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        _run(sys.argv[1:] if arguments is None else arguments)
    except CycloptsError as error:
        return _say_error(f"{error}\nverbale --help lists the commands; verbale COMMAND --help explains one.")
    except WRONG as error:
        return _say_error(str(error))
    except NotOnRecord as error:
        _say_error(str(error.args[0]))
        return NO
    except _AnswerIsNo:
        return NO
    except BrokenPipeError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except KeyboardInterrupt:
        return _say_error("interrupted: what was recorded stays, and running the same command again completes it") + 128
    except OSError as error:
        return _say_error(f"{error.filename or 'input'}: {error.strerror or error}")
    except Exception as error:
        if os.environ.get("VERBALE_DEBUG"):
            raise
        said = f"this should not happen: {type(error).__name__}: {error}"
        return _say_error(f"{said}\nNothing half-done is recorded. VERBALE_DEBUG=1 shows where; please report it.")
    return FINE


def _run(arguments: Sequence[str]) -> None:
    app(list(arguments), exit_on_error=False, print_error=False)


class _AnswerIsNo(Exception):
    """The command worked, and its answer is no."""


def _say_error(text: str) -> int:
    print(f"verbale: {text}", file=sys.stderr)
    return WRONG_USE


# --- demo -------------------------------------------------------------------------------------------------------


@app.command(name="demo")
def run_demo(folder: Path = Path("verbale-demo"), /, *, language: str | None = None) -> None:
    """A made-up year of a provider's contracts, recorded and reported. Start here.

    Parameters
    ----------
    folder
        Where the messages and the store are written.
    language
        Of what is printed: en or it.
    """
    say = Words(settings(language=language).language)
    folder.mkdir(parents=True, exist_ok=True)
    messages = folder / "messages.jsonl"
    demo.write_messages(messages)
    store = store_url(folder / "verbale.db")
    for typed in (("ingest", str(messages)), *(("report", *asked) for asked in demo.REPORTS)):
        print(f"\n$ verbale {shlex.join([*typed, '--store', store])}\n", flush=True)
        _run([*typed, "--store", store, *(("--language", language) if language else ())])
    print(say(demo.WHAT_NEXT).format(store=shlex.quote(store), as_of=demo.AS_OF))


# --- recording --------------------------------------------------------------------------------------------------


@app.command
def ingest(
    files: Annotated[list[Path], Parameter(required=True, allow_leading_hyphen=True)],
    /,
    *,
    refused: Path | None = None,
    where: Where | None = None,
) -> None:
    """Record messages: JSON Lines of CloudEvents, from files or from standard input (-).

    Messages already recorded are passed over, so the same input can be given again. Exit status 1 where any message
    was refused.

    Parameters
    ----------
    files
        Files of messages; - is standard input.
    refused
        Write the refused messages to this file, whole, with the reasons.
    """
    for file in files:
        if str(file) != "-" and (file.is_dir() or not file.exists()):
            raise BadQuestion(f"{file} is no file")
    total = sum(file.stat().st_size for file in files if str(file) != "-")
    chosen, say = _chosen(where)
    _check_output("--refused", refused, chosen, files)
    with _ledger(chosen, create=True) as ledger, _progress(say("recording"), total or None) as advance:
        tally = take_in(open_desk(ledger, chosen), _counting(_lines_of(files), advance))
    _tell(tally, refused, say)


@contract_app.command(name="sign")
def contract_sign(file: Path, /, *, where: Where | None = None) -> None:
    """Record the contract written in a TOML file: signature, option, calendar, credits.

    Parameters
    ----------
    file
        A file as `verbale contract example` shows.
    """
    chosen, say = _chosen(where)
    messages = contract_messages(file)
    with _ledger(chosen, create=True) as ledger:
        calendars = [message for message in messages if message["type"] == AdoptCalendar.TYPE]
        _, adopted = pass_over_recorded(ledger, calendars)
        fresh = [message for message in messages if not adopted or message not in calendars]
        tally = take_in(open_desk(ledger, chosen), written(fresh, str(file)))
        tally.outcomes["duplicate"] += adopted
    _tell(tally, None, say)


@contract_app.command(name="example")
def contract_example() -> None:
    """Print a commented contract file."""
    print(contract_example_text(), end="")


@import_app.command(name="servicenow")
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
    chosen, say = _chosen(where)
    credits = _credits(credits_minutes, credits_price)
    if not file.is_file():
        raise BadLog(f"{file} is no file")
    _check_output("--quarantine", quarantine, chosen, [file])
    with _progress(say("reading"), file.stat().st_size) as advance:
        log = read_log(file, time_zone, on_bytes=advance)
    if quarantine is not None:
        write_quarantine(quarantine, log)
    with _ledger(chosen, create=True) as ledger:
        set_up, known = pass_over_recorded(ledger, contract_set_up(log, credits, time_zone))
        messages = [*set_up, *(message for rows in log.incidents.values() for message in incident_messages(rows))]
        with _progress(say("recording"), len(messages), count=True) as advance:
            done = 0

            def on_progress(more: int) -> None:
                nonlocal done
                done += more
                advance(done)

            tally = take_in(open_desk(ledger, chosen), written(messages, str(file)), on_progress)
        tally.outcomes["duplicate"] += known
    numbers = ((log.rows, "rows"), (len(log.incidents), "incidents"), (len(log.quarantined), "quarantined"))
    print(", ".join(f"{number} {say(what)}" for number, what in numbers))
    for row in log.quarantined[:SHOWN_REFUSALS]:
        print(f"  {file}:{row.line}: {row.reason}")
    if len(log.quarantined) > SHOWN_REFUSALS:
        print(
            f"  ... {len(log.quarantined) - SHOWN_REFUSALS} {say('more')}; --quarantine FILE {say('receives them all')}"
        )
    if log.last_instant is not None:
        print(f"{say('the log ends at')} {instant_text(log.last_instant)} ({say('give it to reports as --as-of')})")
    _tell(tally, None, say)


def _credits(minutes: int, price: str) -> Credits:
    try:
        return Credits(minutes, str(TypeAdapter(Euro).validate_python(price)))
    except ValidationError:
        raise BadQuestion(f"--credits-price {price} is no amount in euro: write it as 5000.00") from None


# --- messages ---------------------------------------------------------------------------------------------------


@message_app.command(name="example")
def message_example(message_type: str, /) -> None:
    """Print a complete message of one type.

    Parameters
    ----------
    message_type
        As `verbale schema` lists them, also without "verbale." and ".v1".
    """
    print(json.dumps(examples()[_message_type(message_type)], ensure_ascii=False, indent=2))


@message_app.command(name="check")
def message_check(file: Annotated[Path, Parameter(allow_leading_hyphen=True)], /) -> None:
    """Check messages without recording them. Exit status 1 where any would be refused for its form.

    Parameters
    ----------
    file
        JSON Lines of messages; - is standard input.
    """
    good = bad = 0
    for line in _lines_of([file]):
        try:
            read_message(line.raw)
            good += 1
        except Unreadable as error:
            bad += 1
            print(f"{line.where}: {error.reason} [{error.clause}]")
    print(f"{good} good, {bad} refused; nothing was recorded")
    if bad:
        raise _AnswerIsNo


@app.command
def schema(message_type: str | None = None, /, *, markdown: bool = False) -> None:
    """List the message types, or print the JSON Schema of one.

    Parameters
    ----------
    message_type
        As listed, also without "verbale." and ".v1".
    markdown
        Print the whole reference for producers (docs/messages.md) instead.
    """
    if markdown:
        print(message_reference(), end="")
    elif message_type is not None:
        print(json.dumps(message_schema(_message_type(message_type)), ensure_ascii=False, indent=2))
    else:
        wide = max(map(len, COMMANDS))
        for name, command in COMMANDS.items():
            print(f"{name:{wide}}  {(command.__doc__ or '').splitlines()[0]}")


def _message_type(text: str) -> str:
    for name in (text, f"verbale.{text}.v1", f"verbale.{text}"):
        if name in COMMANDS:
            return name
    raise BadQuestion(f"no message type is called {text}: verbale schema lists them")


# --- reports ----------------------------------------------------------------------------------------------------


@report_app.command(name="compliance")
def report_compliance(*, asked: Asked | None = None, where: Where | None = None) -> None:
    """Each request: coverage, both clocks, verdicts, whose breach."""
    _report("compliance", asked, where)


@report_app.command(name="breach")
def report_breach(*, asked: Asked | None = None, where: Where | None = None) -> None:
    """Each window of each contract: late cases against the tolerance."""
    _report("breach", asked, where)


@report_app.command(name="penalty")
def report_penalty(*, asked: Asked | None = None, where: Where | None = None) -> None:
    """Each contract: the maximum one-off penalty, and what was claimed, waived and paid."""
    _report("penalty", asked, where)


@report_app.command(name="credits")
def report_credits(*, asked: Asked | None = None, where: Where | None = None) -> None:
    """Each contract: credits bought, consumed, expired, left."""
    _report("credits", asked, where)


@report_app.command(name="queue")
def report_queue(*, asked: Asked | None = None, where: Where | None = None) -> None:
    """Open requests in the order in which they are to be served."""
    _report("queue", asked, where)


@app.command
def explain(incident: str, /, *, asked: Asked | None = None, where: Where | None = None) -> None:
    """Both clocks of an incident, slice by slice: what counted, what did not, and why.

    Parameters
    ----------
    incident
        The id of the incident.
    """
    chosen, say = _chosen(where)
    asked = asked or Asked()
    with _ledger(chosen) as ledger:
        try:
            report = explain_incident(incident, ledger, _question(asked, ledger))
        except NotOnRecord:
            if not incident.startswith("incident-"):
                raise
            report = explain_incident(incident.removeprefix("incident-"), ledger, _question(asked, ledger))
    show(report, asked.format, say)


@app.command
def timeline(stream: str, /, *, format: Format = "table", where: Where | None = None) -> None:
    """Every fact recorded in one stream, with its seal.

    Parameters
    ----------
    stream
        contract-ID, credits-ID or incident-ID.
    format
        table, json or csv.
    """
    chosen, say = _chosen(where)
    with _ledger(chosen) as ledger:
        report = timeline_of(stream, ledger, clock())
    show(report, format, say)


def _report(name: ReportName, asked: Asked | None, where: Where | None) -> None:
    chosen, say = _chosen(where)
    asked = asked or Asked()
    with _ledger(chosen) as ledger:
        meant = _question(asked, ledger)
        with _progress(say("replaying"), steps(ledger, meant)) as advance:
            report = make(name, ledger, meant, advance)
    show(report, asked.format, say)


def _question(asked: Asked, ledger: Ledger) -> Question:
    # A recorder whose clock ran ahead has recorded what is known now all the same.
    return question(
        now=max(clock(), ledger.store.recorded_until()),
        reading=asked.reading,
        as_of=asked.as_of,
        known_on=asked.known_on,
        contract=asked.contract,
        window=asked.window,
    )


# --- what the commands share --------------------------------------------------------------------------------------


def _chosen(where: Where | None) -> tuple[Settings, Words]:
    chosen = settings(store=where.store if where else None, language=where.language if where else None)
    return chosen, Words(chosen.language)


def _check_output(option: str, output: Path | None, chosen: Settings, inputs: Iterable[Path]) -> None:
    """Refuse, before anything is recorded, an output that cannot be written or would overwrite what is read."""
    if output is None:
        return
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise BadQuestion(f"{option} {output} cannot be written: name a file in a folder that exists")
    store = store_place(chosen.store).path
    kept = [store, *(store.with_name(store.name + end) for end in ("-wal", "-shm")), *inputs]
    if any(
        output.absolute() == one.absolute() or (output.exists() and one.exists() and output.samefile(one))
        for one in kept
    ):
        raise BadQuestion(f"{option} {output} would overwrite what is read: name another file")


@contextmanager
def _ledger(chosen: Settings, *, create: bool = False) -> Iterator[Ledger]:
    new = create and not store_place(chosen.store).path.exists()
    ledger = open_ledger(chosen, create=create)
    if new:
        print(f"verbale: made a new store, {store_place(chosen.store).path}", file=sys.stderr)
    try:
        yield ledger
    finally:
        ledger.close()


def _lines_of(files: Iterable[Path]) -> Iterator[Line]:
    for file in files:
        if str(file) == "-":
            if sys.stdin is None:
                raise BadQuestion("standard input is closed: nothing can be read from it")
            yield from read_lines(sys.stdin.buffer, "standard input")
        else:
            with file.open("rb") as opened:
                yield from read_lines(opened, str(file))


def _counting(lines: Iterable[Line], advance: Callable[[int], None]) -> Iterator[Line]:
    read = 0
    for line in lines:
        read += len(line.raw) + 1
        advance(read)
        yield line


@contextmanager
def _progress(what: str, total: int | None, *, count: bool = False) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, only where that is a terminal; the function given sets how far we are."""
    screen = Console(stderr=True)
    columns = [TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()]
    if count:
        columns.insert(2, MofNCompleteColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def _tell(tally: Tally, refused_file: Path | None, say: Words) -> None:
    """Print what became of the messages; status 1 where any was refused."""
    out = console()
    parts = [f"{tally.outcomes[name]} {say(name)}" for name in ("done", "duplicate", "waiting", "refused")]
    out.print(f"{tally.messages} {say('messages')}: {', '.join(parts)}")
    if tally.woken:
        woken = ", ".join(f"{number} {say(name)}" for name, number in sorted(tally.woken.items()))
        out.print(f"{say('earlier messages that waited')}: {woken}")
    if tally.expired:
        out.print(f"{tally.expired} {say('waited too long and were refused (they are kept)')}")
    for line in tally.refused[:SHOWN_REFUSALS]:
        out.print(f"  {line.where}: {say('refused')} [{line.refused.clause}] {line.refused.reason}")
    if len(tally.refused) > SHOWN_REFUSALS:
        more = len(tally.refused) - SHOWN_REFUSALS
        out.print(f"  ... {more} {say('more')}; --refused FILE {say('receives them all')}")
    if refused_file is not None:
        refused_file.write_text("".join(map(_refused_line, tally.refused)), encoding="utf-8")
        out.print(f"{len(tally.refused)} {say('refused messages written to')} {refused_file}")
    if tally.refused:
        raise _AnswerIsNo


def _refused_line(line: RefusedLine) -> str:
    kept: dict[str, Any] = {
        "where": line.where,
        "clause": line.refused.clause,
        "field": line.refused.field,
        "reason": line.refused.reason,
    }
    try:
        kept["message"] = json.loads(line.raw)
    except (ValueError, RecursionError):
        kept["raw_base64"] = base64.b64encode(line.raw).decode()
    return json.dumps(kept, ensure_ascii=True) + "\n"
