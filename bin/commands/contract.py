"""The commands that record a contract from a file."""

from pathlib import Path

from adapters.imports.contract_file import example
from adapters.imports.contract_messages import contract_messages
from adapters.inbox.ingest import pass_over_recorded, take_in, written
from bin.commands.message_files import check_input
from bin.commands.options import Where, chosen_by, ledger_of
from bin.commands.outcomes import show_tally
from bin.compose import open_handler
from domain.contract_facts import AdoptCalendar


def contract_sign(file: Path, /, *, where: Where | None = None) -> None:
    """Record the contract written in a TOML file: signature, option, calendar, credits.

    Parameters
    ----------
    file
        A file as `verbale contract example` shows.
    """
    chosen, say = chosen_by(where)
    check_input(file)
    messages = contract_messages(file)
    with ledger_of(chosen, create=True) as ledger:
        calendars = [message for message in messages if message["type"] == AdoptCalendar.TYPE]
        others = [message for message in messages if message["type"] != AdoptCalendar.TYPE]
        fresh, adopted = pass_over_recorded(ledger, calendars)
        tally = take_in(open_handler(ledger, chosen), written([*others, *fresh], str(file)))
        tally.outcomes["duplicate"] += adopted
    show_tally(tally, None, say)


def contract_example() -> None:
    """Print a commented contract file."""
    print(example(), end="")
