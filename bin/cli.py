"""The command line: `verbale`. Exit status 0 fine, 1 the answer is no, 2 wrong use or a store that cannot be used."""

import io
import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cyclopts import App, CycloptsError

from adapters.brokers.address import BrokerError
from adapters.imports.contract_file import BadContractFile
from adapters.imports.csv_table import BadTable
from adapters.imports.holidays import UnknownPlace
from adapters.imports.mapping import BadMapping
from adapters.reports.question import BadQuestion, NotOnRecord
from adapters.store.errors import StoreError
from adapters.store.url import store_url
from bin.commands import calendar as calendars
from bin.commands import demo
from bin.commands import imports as importing
from bin.commands import ingest as recording
from bin.commands import live_tables as projecting
from bin.commands import messages as correspondence
from bin.commands import reconcile as reconciling
from bin.commands import report as reporting
from bin.commands import token as tokens
from bin.commands.options import AnswerIsNo
from bin.language import Words
from bin.settings import BadSettings, settings
from domain import __version__
from projections.readings import UnknownReading

FINE, NO, WRONG_USE = 0, 1, 2

WRONG = (
    StoreError,
    BrokerError,
    BadSettings,
    BadQuestion,
    UnknownReading,
    BadContractFile,
    BadTable,
    BadMapping,
    UnknownPlace,
)
"""What a user can put right: told in a line or two, with status 2."""

app = App(
    name="verbale",
    help="The record of a service contract, and what it proves: who was late, by whose fault, what penalty follows.",
    version=__version__,
    help_format="plaintext",
    result_action="return_value",
    suppress_keyboard_interrupt=False,  # main has something to say first
)
app.command(contract_app := App(name="contract", help="Record a contract from a file."))
app.command(message_app := App(name="message", help="Write and check messages without recording anything."))
app.command(import_app := App(name="import", help="Bring in the history of another system."))
app.command(token_app := App(name="token", help="Say who may post messages over HTTP, and as which source."))
app.command(report_app := App(name="report", help="What the recorded facts mean."))

app.command(recording.ingest)
contract_app.command(recording.contract_sign, name="sign")
contract_app.command(recording.contract_example, name="example")
import_app.command(importing.import_servicenow, name="servicenow")
import_app.command(importing.import_events, name="events")
import_app.command(mapping_app := App(name="mapping", help="How to read a table of another system."))
mapping_app.command(importing.mapping_example, name="example")
app.command(calendar_app := App(name="calendar", help="The working hours of a contract's days; calendars to adopt."))
calendar_app.default(calendars.calendar_show)
calendar_app.command(calendars.calendar_propose, name="propose")
calendar_app.command(calendars.calendar_adopt, name="adopt")
message_app.command(recording.message_example, name="example")
message_app.command(recording.message_check, name="check")
app.command(recording.schema)

app.command(refused_app := App(name="refused", help="Messages that were refused: each is kept whole, with the reason."))
refused_app.command(correspondence.refused_list, name="list")
refused_app.command(correspondence.refused_show, name="show")
refused_app.command(correspondence.refused_export, name="export")
refused_app.command(correspondence.refused_retry, name="retry")
app.command(waiting_app := App(name="waiting", help="Messages that wait for the incident or contract they belong to."))
waiting_app.command(correspondence.waiting_list, name="list")
app.command(correspondence.sources)

token_app.command(tokens.token_issue, name="issue")
token_app.command(tokens.token_list, name="list")
token_app.command(tokens.token_revoke, name="revoke")

report_app.command(reporting.report_compliance, name="compliance")
report_app.command(reporting.report_breach, name="breach")
report_app.command(reporting.report_penalty, name="penalty")
report_app.command(reporting.report_credits, name="credits")
report_app.command(reporting.report_commitments, name="commitments")
report_app.command(reporting.report_systems, name="systems")
report_app.command(reporting.report_queue, name="queue")
app.command(reporting.explain)
app.command(reporting.timeline)
app.command(reporting.unrouted)
app.command(reconciling.reconcile)

# Named, not imported: what they stand on takes a while to load.
app.command(
    "bin.commands.consume:consume", name="consume", help="Take messages from the broker and over HTTP, until stopped."
)
app.command("bin.commands.broker:broker_app", name="broker", help="Prepare the broker, or start one for a trial.")
app.command("bin.commands.broker:publish", name="publish", help="Publish messages from files to the broker.")

app.command(projecting.project)
app.command(projecting.rebuild)
app.command(projecting.replay)
app.command(projecting.tables)
app.command(projecting.status)
app.command(projecting.doctor)


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
    except AnswerIsNo:
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


def _say_error(text: str) -> int:
    print(f"verbale: {text}", file=sys.stderr)
    return WRONG_USE


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
