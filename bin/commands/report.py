"""The commands of auditors and reporting consumers: reports, explanations, timelines."""

from contextlib import closing
from typing import Annotated, Any

from cyclopts import Parameter

from adapters.live_tables.report_from_tables import from_live
from adapters.reports.credits_by_package import credits_by_package
from adapters.reports.explain import explain_incident
from adapters.reports.question import Question, filters_typed, question
from adapters.reports.replay import steps
from adapters.reports.report import Report, ReportName, make
from adapters.reports.timeline import timeline_of
from adapters.reports.unrouted import unrouted_requests
from adapters.store.errors import StoreError
from adapters.store.ledger import Ledger
from bin.commands.console import Format, show
from bin.commands.ids import contract_named, incident_named, stream_named
from bin.commands.options import How, Where, Which, chosen_by, ledger_of, progress, tell_of_nothing_known
from bin.compose import clock, open_reporting
from bin.settings import Settings


def report_compliance(*, which: Which | None = None, how: How | None = None, where: Where | None = None) -> None:
    """Each request: coverage, both clocks, verdicts, whose breach."""
    _report("compliance", which, how, where)


def report_breach(*, which: Which | None = None, how: How | None = None, where: Where | None = None) -> None:
    """Each window of each contract: late cases against the tolerance."""
    _report("breach", which, how, where)


def report_penalty(*, which: Which | None = None, how: How | None = None, where: Where | None = None) -> None:
    """Each contract: the maximum one-off penalty, and what was claimed, waived and paid."""
    _report("penalty", which, how, where)


def report_credits(
    *,
    by_package: Annotated[bool, Parameter(negative="")] = False,
    which: Which | None = None,
    how: How | None = None,
    where: Where | None = None,
) -> None:
    """Each contract: credits bought, consumed, expired, refunded, left.

    Parameters
    ----------
    by_package
        Each package of each contract apart.
    """
    if not by_package:
        _report("credits", which, how, where)
        return
    chosen, say = chosen_by(where)
    how = how or How()
    with ledger_of(chosen) as ledger:
        asked = _question(how, which or Which(), ledger)
        with progress(say("replaying"), ledger.store.position(asked.known_on)) as advance:
            report = credits_by_package(ledger, asked, advance)
        tell_of_nothing_known(ledger, asked, how.format, say)
    show(report, how.format, say)


def report_commitments(*, which: Which | None = None, how: How | None = None, where: Where | None = None) -> None:
    """Hours and reviews of Conduzione, visits of Manutenzione: what each period was due, and what was done."""
    _report("commitments", which, how, where)


def report_systems(*, which: Which | None = None, how: How | None = None, where: Where | None = None) -> None:
    """Connected systems: when each was disclosed, and the requests that affect it, disclosed by then or not."""
    _report("systems", which, how, where)


def report_queue(*, which: Which | None = None, how: How | None = None, where: Where | None = None) -> None:
    """Open requests in the order in which they are to be served."""
    _report("queue", which, how, where)


def explain(incident: str, /, *, how: How | None = None, where: Where | None = None) -> None:
    """Both clocks of an incident, slice by slice: what counted, what did not, and why.

    Parameters
    ----------
    incident
        The id of the incident, also as incident-ID.
    """
    chosen, say = chosen_by(where)
    how = how or How()
    with ledger_of(chosen) as ledger:
        asked = _question(how, Which(), ledger)
        tell_of_nothing_known(ledger, asked, how.format, say)
        report = explain_incident(incident_named(incident, ledger), ledger, asked)
    show(report, how.format, say)


def unrouted(*, how: How | None = None, where: Where | None = None) -> None:
    """Requests that no contract takes, what each names, and why that leads nowhere."""
    chosen, say = chosen_by(where)
    how = how or How()
    with ledger_of(chosen) as ledger:
        asked = _question(how, Which(), ledger)
        with progress(say("replaying"), ledger.store.position(asked.known_on)) as advance:
            report = unrouted_requests(ledger, asked, advance)
        tell_of_nothing_known(ledger, asked, how.format, say)
    show(report, how.format, say)


def timeline(
    stream: str, /, *, known_on: str | None = None, format: Format = "table", where: Where | None = None
) -> None:
    """Every fact recorded in one stream, whole: who told it, how late, who agrees, what corrects it, its seal.

    Parameters
    ----------
    stream
        contract-ID, credits-ID or incident-ID; or the id alone, of an incident or else of a contract.
    known_on
        Use only what was recorded by then; else everything recorded.
    format
        table, json or csv.
    """
    chosen, say = chosen_by(where)
    with ledger_of(chosen) as ledger:
        asked = question(now=ledger.known_now(clock()), known_on=known_on)
        report = timeline_of(stream_named(stream, ledger), ledger, asked)
    show(report, format, say)


def _report(name: ReportName, which: Which | None, how: How | None, where: Where | None) -> None:
    chosen, say = chosen_by(where)
    how = how or How()
    with ledger_of(chosen) as ledger:
        asked = _question(how, which or Which(), ledger)
        report = _from_live(name, chosen, ledger, asked)
        if report is None:
            with progress(say("replaying"), steps(ledger, asked)) as advance:
                report = make(name, ledger, asked, advance)
        tell_of_nothing_known(ledger, asked, how.format, say)
    show(report, how.format, say)


def _from_live(name: ReportName, chosen: Settings, ledger: Ledger, asked: Question) -> Report[Any] | None:
    try:
        with closing(open_reporting(chosen)) as reporting:
            return from_live(name, ledger, reporting, asked)
    except StoreError:
        return None  # tables that cannot be read are no reason to give no answer: the facts give it


def _question(how: How, which: Which, ledger: Ledger) -> Question:
    # A recorder whose clock ran ahead has recorded what is known now all the same.
    return question(
        now=ledger.known_now(clock()),
        reading=how.reading,
        as_of=how.as_of,
        known_on=how.known_on,
        contract=None if which.contract is None else contract_named(which.contract, ledger),
        window=which.window,
        filters=filters_typed(
            late=which.late,
            passed=which.passed,
            priority=which.priority,
            customer=which.customer,
            since=which.since,
            until=which.until,
        ),
    )
