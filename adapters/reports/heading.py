"""What stands above the rows of a report: what it is, and how it was made."""

from typing import Any

from adapters.reports.columns import JsonRow
from adapters.reports.report import Report
from adapters.reports.wording import Writing


def heading(report: Report[Any], writing: Writing) -> list[str]:
    """The title, then the lines below it."""
    if report.definition.heading:
        return report.definition.heading(report, writing)
    made, say = report.manifest, writing.say
    title = say(report.definition.title)
    lines = [
        f"{title}: {report.subject}" if report.subject else title,
        f"{two_times(made, writing)}; {say('position')} {say.count(made['position'])}; "
        f"{say('from ' + made['made_from'])}",
    ]
    if made["filters"]:
        given = (_option(name, value, writing) for name, value in made["filters"].items())
        lines.append(f"{say('only')} {', '.join(given)}")
    if "assumed" in (made["terms"] or ""):
        lines.append(
            say("Terms ASSUMED: the contract's text gives no table of times; the default one stands in for it.")
        )
    return [*lines, ""]


def two_times(made: JsonRow, writing: Writing) -> str:
    """As of when, as known on when, by whose clocks, under which reading."""
    say = writing.say
    as_of, known_on = (writing.long_seconds(made[name]) for name in ("as_of", "known_on"))
    return (
        f"{say('as of')} {as_of}, {say('known on')} {known_on} ({writing.zone.key}); "
        f"{say('reading')} {writing.reading(made['reading'])}"
    )


def _option(name: str, value: Any, writing: Writing) -> str:
    """A filter as it was typed; instants as the clocks of the report's zone show them."""
    if value is True:
        return f"--{name}"
    return f"--{name} {writing.long(value, seconds=True) if name in ('since', 'until') else value}"
