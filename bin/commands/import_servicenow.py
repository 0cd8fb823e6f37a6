"""The command that imports a ServiceNow incident log."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators
from pydantic import Field, TypeAdapter, ValidationError

from adapters.errors import BadQuestion
from adapters.imports.csv_table import write_quarantine
from adapters.imports.servicenow import Credits, contract_set_up, incident_messages
from adapters.imports.servicenow_log import read_log
from adapters.inbox.ingest import pass_over_recorded, take_in, written
from bin.commands.message_files import check_input, check_output
from bin.commands.options import Where, chosen_by, ledger_of, progress
from bin.commands.outcomes import show_quarantined, show_tally
from bin.compose import open_handler
from domain.values import Euro, instant_text


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
    check_input(file)
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
    show_quarantined(file, log.quarantined, say)
    if log.last_instant is not None:
        print(f"{say('the log ends at')} {instant_text(log.last_instant)} ({say('give it to reports as --as-of')})")
    show_tally(tally, None, say)


def _credits(minutes: int, price: str) -> Credits:
    try:
        return Credits(minutes, str(TypeAdapter(Annotated[Euro, Field(ge=0)]).validate_python(price)))
    except ValidationError:
        raise BadQuestion(f"--credits-price {price} is no amount in euro: write it as 5000.00") from None
