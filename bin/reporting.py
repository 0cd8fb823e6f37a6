"""The commands of auditors and reporting consumers: reports, explanations, timelines."""

from adapters.ledger import Ledger
from bin.compose import clock
from bin.display import Format, show
from bin.options import Asked, Where, chosen_by, ledger_of, progress
from bin.reports import NotOnRecord, Question, ReportName, explain_incident, make, question, steps, timeline_of


def report_compliance(*, asked: Asked | None = None, where: Where | None = None) -> None:
    """Each request: coverage, both clocks, verdicts, whose breach."""
    _report("compliance", asked, where)


def report_breach(*, asked: Asked | None = None, where: Where | None = None) -> None:
    """Each window of each contract: late cases against the tolerance."""
    _report("breach", asked, where)


def report_penalty(*, asked: Asked | None = None, where: Where | None = None) -> None:
    """Each contract: the maximum one-off penalty, and what was claimed, waived and paid."""
    _report("penalty", asked, where)


def report_credits(*, asked: Asked | None = None, where: Where | None = None) -> None:
    """Each contract: credits bought, consumed, expired, left."""
    _report("credits", asked, where)


def report_queue(*, asked: Asked | None = None, where: Where | None = None) -> None:
    """Open requests in the order in which they are to be served."""
    _report("queue", asked, where)


def explain(incident: str, /, *, asked: Asked | None = None, where: Where | None = None) -> None:
    """Both clocks of an incident, slice by slice: what counted, what did not, and why.

    Parameters
    ----------
    incident
        The id of the incident.
    """
    chosen, say = chosen_by(where)
    asked = asked or Asked()
    with ledger_of(chosen) as ledger:
        try:
            report = explain_incident(incident, ledger, _question(asked, ledger))
        except NotOnRecord:
            if not incident.startswith("incident-"):
                raise
            report = explain_incident(incident.removeprefix("incident-"), ledger, _question(asked, ledger))
    show(report, asked.format, say)


def timeline(stream: str, /, *, format: Format = "table", where: Where | None = None) -> None:
    """Every fact recorded in one stream, with its seal.

    Parameters
    ----------
    stream
        contract-ID, credits-ID or incident-ID.
    format
        table, json or csv.
    """
    chosen, say = chosen_by(where)
    with ledger_of(chosen) as ledger:
        report = timeline_of(stream, ledger, clock())
    show(report, format, say)


def _report(name: ReportName, asked: Asked | None, where: Where | None) -> None:
    chosen, say = chosen_by(where)
    asked = asked or Asked()
    with ledger_of(chosen) as ledger:
        meant = _question(asked, ledger)
        with progress(say("replaying"), steps(ledger, meant)) as advance:
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
