"""The command that records messages from files."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from adapters.inbox.ingest import take_in
from bin.commands.message_files import check_output, counting, existing, lines_of
from bin.commands.options import Where, chosen_by, ledger_of, progress
from bin.commands.outcomes import show_tally
from bin.compose import open_handler


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
    total = existing(files)
    chosen, say = chosen_by(where)
    check_output("--refused", refused, chosen, files)
    with ledger_of(chosen, create=True) as ledger, progress(say("recording"), total or None) as advance:
        tally = take_in(open_handler(ledger, chosen), counting(lines_of(files), advance))
    show_tally(tally, refused, say)
