"""The command that lists the facts of all streams."""

from typing import Annotated

from cyclopts import Parameter

from adapters.reports.facts import FactFilters, facts_on_record
from adapters.reports.question import filters_typed, question
from bin.commands.console import Format, show
from bin.commands.ids import contract_named
from bin.commands.options import PartyTyped, Where, chosen_by, ledger_of, progress, tell_of_nothing_known
from bin.compose import clock
from domain.values import Party


def facts(
    *,
    late: Annotated[bool, Parameter(negative="")] = False,
    rectified: Annotated[bool, Parameter(negative="")] = False,
    one_sided: Annotated[bool, Parameter(negative="")] = False,
    by: PartyTyped | None = None,
    since: str | None = None,
    until: str | None = None,
    source: str | None = None,
    contract: str | None = None,
    known_on: str | None = None,
    format: Format = "table",
    where: Where | None = None,
) -> None:
    """The facts of all streams in the order in which they were recorded: late, corrected, told by one party alone.

    Parameters
    ----------
    late
        Only facts told a day or more after they occurred: to their source, where it says when, else to Verbale.
    rectified
        Only facts corrected or annulled since.
    one_sided
        Only facts that a party may contest and that only one party tells.
    by
        Only facts that this party tells.
    since
        Only facts that occurred since this instant or day.
    until
        Only facts that occurred until this instant or the end of this day.
    source
        Only facts from messages of this source.
    contract
        Only facts that belong to this contract: its own, those of its credits and of its requests.
    known_on
        Use only what was recorded by then; else everything recorded.
    format
        table, json or csv.
    """
    chosen, say = chosen_by(where)
    time = filters_typed(since=since, until=until)
    with ledger_of(chosen) as ledger:
        asked = question(now=ledger.known_now(clock()), known_on=known_on)
        filters = FactFilters(
            late,
            rectified,
            one_sided,
            Party(by) if by else None,
            time.since,
            time.until,
            source,
            None if contract is None else contract_named(contract, ledger),
        )
        with progress(say("replaying"), ledger.store.position(asked.known_on)) as advance:
            report = facts_on_record(ledger, asked, filters, advance)
        tell_of_nothing_known(ledger, asked, format, say)
    show(report, format, say)
