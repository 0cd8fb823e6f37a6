"""What stands above the rows of a report: what it is, and how it was made."""

from typing import Any

from adapters.reports.report import Report
from adapters.reports.wording import Writing
from domain.values import moment, read_instant


def heading(report: Report[Any], writing: Writing) -> list[str]:
    """The title, then the lines below it."""
    if report.definition.heading:
        return report.definition.heading(report, writing)
    made, say, zone = report.manifest, writing.say, writing.zone
    as_of, known_on = (
        f"{moment(read_instant(made[name])).astimezone(zone):%Y-%m-%d %H:%M:%S}" for name in ("as_of", "known_on")
    )
    title = say(report.definition.title)
    lines = [
        f"{title}: {report.subject}" if report.subject else title,
        f"{say('as of')} {as_of}, {say('known on')} {known_on} ({zone.key}); "
        f"{say('reading')} {made['reading']}; {say('position')} {made['position']}; "
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


def _option(name: str, value: Any, writing: Writing) -> str:
    """A filter as it was typed; instants as the clocks of the report's zone show them."""
    if value is True:
        return f"--{name}"
    return f"--{name} {writing.local(value, seconds=True) if name in ('since', 'until') else value}"
