"""Reports on paper and screen: tables that line up, JSON, CSV."""

import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple, TextIO
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from adapters.reports.report import HOUSE_ZONE, JsonRow, Report
from bin.language import Words
from domain.values import MINUTE, SECOND, moment, read_instant

Format = Literal["table", "json", "csv"]
Plain = Literal["table", "json"]
WIDTH_ON_PAPER = 1000
"""Columns when the output is no terminal: wide enough that nothing wraps."""


class Column(NamedTuple):
    """A column of a table: its heading, the text of a row, and whether it is a number."""

    heading: str
    cell: Callable[[JsonRow], str]
    number: bool = False


def show(report: Report, form: Format, say: Words, out: TextIO | None = None) -> None:
    """Write a report."""
    out = out or sys.stdout
    if form == "json":
        json.dump({"manifest": report.manifest, **report.about, "rows": report.rows}, out, ensure_ascii=False, indent=2)
        out.write("\n")
    elif form == "csv":
        out.write(as_csv(report.name, report.rows))
        if "made_from" in report.manifest:  # the rows have no place for it
            source = say(f"from {report.manifest['made_from']}")
            print(f"verbale: {source}; {say('position')} {report.manifest['position']}", file=sys.stderr)
    else:
        _show_table(report, say, console(out))


def show_facts(facts: JsonRow, form: Plain, say: Words, out: TextIO | None = None) -> None:
    """Write what is known of one thing: a name and a value on each line, or one JSON object."""
    out = out or sys.stdout
    if form == "json":
        json.dump(facts, out, ensure_ascii=False, indent=2)
        out.write("\n")
        return
    wide = max(len(say(_spoken(name))) for name in facts)
    for name, value in facts.items():
        shown = ", ".join(value) if isinstance(value, list) else say.number(value) if isinstance(value, int) else value
        console(out).print(Text(f"{say(_spoken(name)):{wide}}  {'-' if shown in (None, '') else shown}"))


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def show_remarks(remarks: Sequence[JsonRow], form: Plain, say: Words, out: TextIO | None = None) -> None:
    """Write what is wrong and what to do about each, or a JSON list."""
    out = out or sys.stdout
    if form == "json":
        json.dump(remarks, out, ensure_ascii=False, indent=2)
        out.write("\n")
        return
    for remark in remarks:
        console(out).print(Text(f"{say('wrong')}: {remark['wrong']}\n{say('do')}: {remark['do']}\n"))
    if not remarks:
        console(out).print(say("Nothing is wrong."))


class _Screen(Console):
    def on_broken_pipe(self) -> None:
        """A reader that has seen enough is no error: main ends quietly."""
        raise BrokenPipeError


def console(out: TextIO | None = None) -> Console:
    """A console that never wraps where nobody's screen is."""
    plain = _Screen(file=out, highlight=False, soft_wrap=False, emoji=False, markup=False)
    if plain.is_terminal:
        return plain
    return _Screen(file=out, highlight=False, emoji=False, markup=False, width=WIDTH_ON_PAPER, color_system=None)


# --- csv --------------------------------------------------------------------------------------------------------


def as_csv(name: str, rows: Sequence[JsonRow]) -> str:
    """Rows with a column for each field, nested ones joined by "_"; the columns depend on the report alone."""
    flat = [dict(_flat(row)) for row in rows]
    text = io.StringIO()
    columns = CSV_COLUMNS.get(name) or list(dict.fromkeys(column for row in flat for column in row))
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="raise")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def _flat(row: JsonRow, prefix: str = "") -> Iterable[tuple[str, str]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}_")
        elif value is not None or name not in NESTED:
            yield f"{prefix}{name}", _csv_cell(value)


NESTED = ("conflict",)
"""Fields that hold fields, or nothing."""

_CLOCK = ("target_us", "net_us", "suspended_us", "due", "verdict", "changes_at")
_EVIDENCE = ("evidence_stream", "evidence_versions")
_CONFLICT = ("figures_rate", "figures_maximum_penalty", "words_rate", "words_maximum_penalty")
CSV_COLUMNS: dict[str, Sequence[str]] = {
    "compliance": (
        *("incident", "contract", "opened_at", "coverage", "coverage_reason", "priority"),
        *(f"{clock}_{name}" for clock in ("charge", "intervention") for name in _CLOCK),
        *("responsible", "breach", "findings"),
        *_EVIDENCE,
    ),
    "breach": (
        *("contract", "window_from", "window_to", "cases", "breaches", "ratio", "tolerance", "headroom"),
        *("undecided", "settled", "passed"),
        *(*_EVIDENCE, "evidence_late"),
    ),
    "penalty": (
        *("contract", "passed_at", "window_from", "incident", "base", "rate", "maximum_penalty", "settled"),
        *("claimed", "waived", "settled_amount", "outstanding"),
        *(f"conflict_{name}" for name in _CONFLICT),
        *(*_EVIDENCE, "evidence_purchases"),
    ),
    "credits": (
        *("contract", "bought", "consumed", "expired", "left", "shortfall", "value", "changes_at"),
        *_EVIDENCE,
    ),
    "commitments": (
        *("contract", "service", "commitment", "activity", "period_from", "period_to", "cut_short", "unit"),
        *("due", "done", "open", "missed", "exceeded", "outside", "late", "settled"),
        *("deeds", "monitoring", "findings"),
        *_EVIDENCE,
    ),
    "systems": (
        *("contract", "system", "declared_at", "withdrawn_at"),
        *("incident", "opened_at", "disclosed", "late", "breach", "excluded"),
        *(*_EVIDENCE, "evidence_declared"),
    ),
    "queue": (
        *("rank", "incident", "contract", "tier", "coverage_reason", "due", "priority", "opened_at"),
        *_EVIDENCE,
    ),
    "unrouted": (
        *("incident", "opened_at", "contract", "customer", "system", "why", "rivals"),
        *("impact", "urgency", "requested_by", "open"),
        *_EVIDENCE,
    ),
    "refused": ("number", "refused_at", "times", "source", "id", "clause", "field", "reason"),
    "waiting": ("since", "until", "stream", "source", "id", "type", "reason"),
    "sources": (
        *("source", "first_heard", "last_heard", "silent_us", "allowed_us", "alarm"),
        *("heard", "done", "duplicate", "refused", "waiting", "missing", "gaps"),
    ),
    "calendar": (
        *("contract", "hours", "day", "weekday", "windows", "agreed", "working_us", "closed", "holiday"),
        *(f"calendar_{name}" for name in ("version", "source", "source_version", "adopted_at", "adopted_later")),
        *_EVIDENCE,
    ),
    "holidays": ("day", "weekday", "name", "added_by", "source", "source_version"),
    "reconcile": (
        *("found", "incident", "line", "instant", "export", "record", "difference_us", "why"),
        *_EVIDENCE,
    ),
}
"""The columns of each report as CSV, in order, whatever its rows."""


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    text = str(value)
    # A spreadsheet would run such a cell as a formula.
    return "'" + text if isinstance(value, str) and text.startswith(("=", "+", "-", "@", "\t")) else text


# --- tables -----------------------------------------------------------------------------------------------------


def _show_table(report: Report, say: Words, console: Console) -> None:
    title, *lines = _heading(report, say)
    console.print(Text(title, style="bold"))
    for line in lines:
        console.print(Text(line))
    columns = _columns(report, say)
    if report.name == "explain":
        _show_explanation(report, columns, say, console)
    elif report.rows:
        print_rows(console, columns, report.rows)
    else:
        console.print(say(NOTHING.get(report.name, "Nothing to report.")))
    for line in _notes(report, say):
        console.print(Text(line))


def print_rows(console: Console, columns: Sequence[Column], rows: Sequence[JsonRow]) -> None:
    """A table; or, on a screen too narrow for it, each row as lines of its own: nothing is ever cut."""
    made = table(columns, rows)
    if Measurement.get(console, console.options.update(max_width=WIDTH_ON_PAPER), made).maximum <= console.width:
        console.print(made)
        return
    wide = max(len(column.heading) for column in columns)
    for row in rows:
        for column in columns:
            if cell := column.cell(row).strip("-"):
                console.print(Text(f"{column.heading:>{wide}}  {cell}"))
        console.print()


def table(columns: Sequence[Column], rows: Iterable[JsonRow]) -> Table:
    """A table of some columns."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        made.add_column(column.heading, justify="right" if column.number else "left", no_wrap=not column.number)
    for row in rows:
        made.add_row(*(Text(column.cell(row)) for column in columns))
    return made


def _heading(report: Report, say: Words) -> list[str]:
    made = report.manifest
    title = say(TITLES[report.name])
    if report.name == "timeline":
        return [f"{title}: {made['stream']}", ""]
    zone = _zone(report)
    as_of, known_on = (f"{moment(read_instant(made[name])).astimezone(zone):%Y-%m-%d %H:%M:%S}" for name in INSTANTS)
    lines = [
        f"{title}: {report.about['incident']['incident']}" if report.about else title,
        f"{say('as of')} {as_of}, {say('known on')} {known_on} ({zone.key}); "
        f"{say('reading')} {made['reading']}; {say('position')} {made['position']}; "
        f"{say('from ' + made['made_from'])}",
    ]
    if "assumed" in (made["terms"] or ""):
        lines.append(
            say("Terms ASSUMED: the contract's text gives no table of times; the default one stands in for it.")
        )
    return [*lines, ""]


NOTHING = {
    "reconcile": "Export and record agree.",
    "unrouted": "Every request comes under a contract.",
    "systems": "No connected system was declared, and no request names one.",
}
"""What to say where there are no rows, if it can be said better than of other reports."""
INSTANTS = ("as_of", "known_on")
TITLES = {
    "compliance": "Compliance",
    "breach": "Breach ratio against tolerance (P1)",
    "penalty": "Maximum penalty (P2): a ceiling, not the amount owed",
    "credits": "Assistance credits (G2), minutes",
    "commitments": "Commitments of Conduzione (O1) and Manutenzione (M1)",
    "systems": "Connected systems (S1)",
    "queue": "Queue of open requests (G3)",
    "explain": "Explanation",
    "timeline": "Timeline",
    "unrouted": "Requests that no contract takes (G2, S1)",
    "reconcile": "Export against record",
}


COMMITTED = {
    "due": "committed",
    "done": "performed",
    "open": "still to do",
    "missed": "missed",
    "exceeded": "exceeded",
    "outside": "outside",
    "late": "late",
}
"""The headings of the figures of a commitment."""


def _zone(report: Report) -> ZoneInfo:
    return ZoneInfo(report.about["time_zone"]) if report.about else HOUSE_ZONE


def _columns(report: Report, say: Words) -> list[Column]:
    zone = _zone(report)

    def at(name: str, *, seconds: bool = False) -> Callable[[JsonRow], str]:
        return lambda row: local(row[name], zone, seconds=seconds)

    def plain(name: str) -> Callable[[JsonRow], str]:
        return lambda row: "-" if row[name] is None else str(row[name])

    def word(name: str) -> Callable[[JsonRow], str]:
        return lambda row: "-" if row[name] is None else say(str(row[name]))

    def yes(name: str) -> Callable[[JsonRow], str]:
        return lambda row: say("yes") if row[name] else say("no")

    match report.name:
        case "compliance":
            return [
                Column(say("incident"), plain("incident")),
                Column(say("contract"), plain("contract")),
                Column(say("opened"), at("opened_at")),
                Column(say("P"), plain("priority")),
                Column(say("coverage"), lambda row: say(row["coverage_reason"] or row["coverage"])),
                Column(say("TPC net/target"), lambda row: _net(row["charge"])),
                Column(say("verdict"), lambda row: say(row["charge"]["verdict"])),
                Column(say("TI net/target"), lambda row: _net(row["intervention"])),
                Column(say("verdict"), lambda row: say(row["intervention"]["verdict"])),
                Column(say("breach of"), word("responsible")),
                Column(say("findings"), lambda row: ", ".join(finding["code"] for finding in row["findings"])),
            ]
        case "breach":
            return [
                Column(say("contract"), plain("contract")),
                Column(say("from"), at("window_from")),
                Column(say("to"), at("window_to")),
                Column(say("late/cases"), plain("ratio"), number=True),
                Column(say("share"), lambda row: percent(row["ratio"]), number=True),
                Column(say("tolerance"), lambda row: percent(row["tolerance"]), number=True),
                Column(say("headroom"), plain("headroom"), number=True),
                Column(say("undecided"), plain("undecided"), number=True),
                Column(say("window is"), lambda row: say("settled" if row["settled"] else "provisional")),
                Column(say("passed"), yes("passed")),
            ]
        case "penalty":
            return [
                Column(say("contract"), plain("contract")),
                Column(say("passed at"), at("passed_at", seconds=True)),
                Column(say("by incident"), plain("incident")),
                Column(say("base, euro"), _euro("base", say), number=True),
                Column(say("rate"), lambda row: percent(row["rate"]), number=True),
                Column(say("maximum penalty"), _euro("maximum_penalty", say), number=True),
                Column(say("by the other rate"), lambda row: _other_rate(row, say), number=True),
                Column(say("claimed"), _euro("claimed", say), number=True),
                Column(say("waived"), _euro("waived", say), number=True),
                Column(say("paid"), _euro("settled_amount", say), number=True),
                Column(say("outstanding"), _euro("outstanding", say), number=True),
                Column(say("figure is"), lambda row: say("settled" if row["settled"] else "provisional")),
            ]
        case "credits":
            return [
                Column(say("contract"), plain("contract")),
                *(
                    Column(say(name), plain(name), number=True)
                    for name in ("bought", "consumed", "expired", "left", "shortfall")
                ),
                Column(say("value, euro"), _euro("value", say), number=True),
                Column(say("next expiry"), at("changes_at")),
            ]
        case "commitments":
            return [
                Column(say("contract"), plain("contract")),
                Column(say("commitment"), lambda row: _commitment(row, say)),
                Column(say("from"), at("period_from")),
                Column(say("to"), at("period_to")),
                *(Column(say(heading), _amount(name), number=True) for name, heading in COMMITTED.items()),
                Column(say("period is"), lambda row: _standing(row, say)),
                Column(say("findings"), lambda row: ", ".join(finding["code"] for finding in row["findings"])),
            ]
        case "systems":
            return [
                Column(say("contract"), plain("contract")),
                Column(say("system"), plain("system")),
                Column(say("declared"), at("declared_at")),
                Column(say("withdrawn"), at("withdrawn_at")),
                Column(say("affected by"), plain("incident")),
                Column(say("opened"), at("opened_at")),
                Column(
                    say("disclosed by then"), lambda row: "-" if row["disclosed"] is None else yes("disclosed")(row)
                ),
                Column(say("late"), lambda row: "-" if row["late"] is None else yes("late")(row)),
                Column(say("read as"), lambda row: say(_read_as(row))),
            ]
        case "queue":
            return [
                Column("#", plain("rank"), number=True),
                Column(say("incident"), plain("incident")),
                Column(say("contract"), plain("contract")),
                Column(say("served as"), word("tier")),
                Column(say("because"), word("coverage_reason")),
                Column(say("due"), at("due")),
                Column(say("P"), plain("priority")),
                Column(say("opened"), at("opened_at")),
            ]
        case "unrouted":
            return [
                Column(say("incident"), plain("incident")),
                Column(say("opened"), at("opened_at")),
                Column(say("names contract"), plain("contract")),
                Column(say("customer key"), plain("customer")),
                Column(say("system"), plain("system")),
                Column(say("why"), lambda row: _no_contract(row, say)),
                Column(say("impact/urgency"), lambda row: f"{say(row['impact'])}/{say(row['urgency'])}"),
                Column(say("requested by"), word("requested_by")),
                Column(say("open"), yes("open")),
            ]
        case "reconcile":
            return [
                Column(say("found"), lambda row: say(_spoken(row["found"]))),
                Column(say("incident"), plain("incident")),
                Column(say("line"), plain("line"), number=True),
                Column(say("instant"), lambda row: say(_spoken(row["instant"] or "-"))),
                Column(say("in the export"), at("export", seconds=True)),
                Column(say("on record"), at("record", seconds=True)),
                Column(say("record later by"), lambda row: _signed(row["difference_us"]), number=True),
                Column(say("why"), lambda row: "; ".join(row["why"])),
            ]
        case "timeline":
            return [
                Column(say("version"), plain("version"), number=True),
                Column(say("fact"), plain("type")),
                Column(say("occurred"), at("at", seconds=True)),
                Column(say("recorded"), at("recorded_at", seconds=True)),
                Column(say("late by"), lambda row: lateness(row["lateness_us"]), number=True),
                Column(say("leaf"), plain("leaf"), number=True),
                Column(say("told by"), lambda row: row["actor"] or row["source"]),
                Column(say("what"), _told),
            ]
        case _:
            return [
                Column(say("day"), plain("day")),
                Column(say("from"), at("from", seconds=True)),
                Column(say("to"), at("to", seconds=True)),
                Column(say("window"), plain("window")),
                Column(say("counted"), lambda row: duration(row["counted_us"]) if row["counted"] else "-", number=True),
                Column(say("net"), lambda row: duration(row["net_us"]), number=True),
                Column(
                    say("why"),
                    lambda row: say(row["why"]) + (f": {say(row['detail'])}" if row["detail"] else ""),
                ),
                Column(say("clause"), plain("clause")),
            ]


def _show_explanation(report: Report, columns: Sequence[Column], say: Words, console: Console) -> None:
    row, zone = report.about["incident"], _zone(report)
    coverage = say(row["coverage_reason"] or row["coverage"])
    console.print(
        f"{say('contract')} {row['contract'] or '-'}; {say('opened')} {local(row['opened_at'], zone)}; "
        f"{say('priority')} {row['priority'] or '-'} (A2); {say('coverage')}: {coverage} (G2)"
    )
    for clock in report.about["clocks"]:
        name = say("To taking in charge (TPC)" if clock["clock"] == "charge" else "To the intervention (TI)")
        due = f", {say('due')} {local(clock['due'], zone, seconds=True)}" if clock["due"] else ""
        console.print()
        console.print(Text(f"{name}: {_net(clock)} -> {say(clock['verdict'])}{due} (A3, A5)", style="bold"))
        slices = [piece for piece in report.rows if piece["clock"] == clock["clock"]]
        if slices:
            print_rows(console, columns, slices)
        net = "?" if clock["net_us"] is None else say.number(clock["net_us"])
        target = "-" if clock["target_us"] is None else say.number(clock["target_us"])
        console.print(
            f"{say('net')} {net} us, {say('target')} {target} us; "
            f"{say('facts used')}: {say('versions')} {_list(clock['versions'])}"
        )
    console.print()
    for stream, used in report.about["streams"].items():
        if used:
            console.print(f"{say('evidence')}: {stream}, {say('versions')} {_list(used)}")
    if row["responsible"]:
        console.print(f"{say('breach of')}: {say(row['responsible'])} (A4)")


def _notes(report: Report, say: Words) -> list[str]:
    """What a reader has to know below the table."""
    if report.name == "compliance":
        late = sum(row["breach"] for row in report.rows)
        notes = ["", f"{len(report.rows)} {say('requests')}, {late} {say('late by the supplier')}"]
        return [*notes, *_findings(report.rows, say)]
    if report.name == "systems":
        return _undisclosed(report, say)
    if report.name == "commitments":
        return ["", *_monitored(report, say), *_late_or_reviewed(report, say), *_findings(report.rows, say, "contract")]
    if report.name == "reconcile":
        return _compared(report, say)
    if report.name == "explain":
        return _findings([report.about["incident"]], say)
    if report.name == "penalty" and any(row["conflict"] and row["passed_at"] for row in report.rows):
        conflict = next(row["conflict"] for row in report.rows if row["conflict"])
        figures, in_words = (percent(conflict[name]["rate"]) for name in ("figures", "words"))
        return [
            "",
            say("Conflict (P2): the figure of the contract says {figures}, its words say {words}.").format(
                figures=figures, words=in_words
            )
            + " "
            + say("The reading chooses: --reading rate=figures or rate=words."),
        ]
    return []


def _read_as(row: JsonRow) -> str:
    if row["incident"] is None:
        return "-"
    return "no case (S1)" if row["excluded"] else "breach of the supplier" if row["breach"] else "no breach"


def _undisclosed(report: Report, say: Words) -> list[str]:
    """What the contract says of systems that were not disclosed; nothing where all were."""
    number = sum(row["disclosed"] is False for row in report.rows)
    if not number:
        return []
    return [
        "",
        f"{say('requests that affect a system not disclosed by then')}: {number}",
        say("The supplier is not liable for effects and damage on them (S1). That touches no clock: lateness is "
            "excused only where the reading says so (--reading undisclosed=excluded)."),
    ]  # fmt: skip


def _compared(report: Report, say: Words) -> list[str]:
    made, zone = report.manifest, _zone(report)
    start, end = (local(made[name], zone, seconds=True) for name in ("from", "to"))
    found = Counter(row["found"] for row in report.rows)
    counts = [f"{say(_spoken(kind))}: {count}" for kind, count in found.items()]
    lines = [
        "",
        ", ".join([f"{made['incidents']} {say('incidents in the export')}", *counts]),
        f"{say('It covers what was opened from')} {start} {say('to')} {end}",
    ]
    if left_out := made["not_in_the_export"]:
        names = ", ".join(say(_spoken(name)) for name in left_out)
        lines.append(f"{say('Not compared, because the export does not have it')}: {names}")
    return lines


def _commitment(row: JsonRow, say: Words) -> str:
    return say(row["commitment"]) + (f": {row['activity']}" if row["activity"] else "")


def _amount(name: str) -> Callable[[JsonRow], str]:
    """Hours and minutes, or how many times; "-" for what there is none of."""
    return lambda row: "-" if not row[name] else duration(row[name] * MINUTE) if _of_hours(row) else str(row[name])


def _of_hours(row: JsonRow) -> bool:
    return bool(row["unit"] == "minutes")


def _standing(row: JsonRow, say: Words) -> str:
    if row["period_from"] is None:
        return "-"
    overdue = row["missed"] and not _of_hours(row)
    is_now = say("overdue" if overdue else "settled" if row["settled"] else "provisional")
    return f"{is_now}, {say('cut short')}" if row["cut_short"] else is_now


def _monitored(report: Report, say: Words) -> list[str]:
    """The basic monitoring of each contract, as its options last gave it."""
    of_options = (row for row in report.rows if row["commitment"] == "hours" and row["period_from"])
    last = {row["contract"]: row["monitoring"] for row in of_options}
    return [f"{say('Basic monitoring (O1)')}, {name}: {', '.join(listed)}" for name, listed in last.items() if listed]


def _late_or_reviewed(report: Report, say: Words) -> list[str]:
    """The visits and reviews that came late, and by how much; the indicators of every review."""
    zone, lines = _zone(report), []
    for row in report.rows:
        for performance in row["deeds"]:
            late = "" if performance["late_us"] is None else f", {say('late by')} {lateness(performance['late_us'])}"
            indicators = f" ({', '.join(performance['about'])})" if row["commitment"] == "reviews" else ""
            if late or indicators:
                since = f" {say('from')} {local(row['period_from'], zone)}" if row["period_from"] else ""
                of = f"{row['contract']}, {_commitment(row, say)}{since}"
                lines.append(f"{of}: {local(performance['at'], zone)}{indicators}{late}")
    return lines


def _findings(rows: Sequence[JsonRow], say: Words, of: str = "incident") -> list[str]:
    """What a reader has to know, each with what it is `of`."""
    told: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        for finding in row["findings"]:
            found = told.setdefault((finding["code"], finding["clause"], finding["text"]), [])
            found += [] if row[of] in found[-1:] else [row[of]]
    lines = [say("Findings:")] if told else []
    for (code, clause, text), names in told.items():
        some = ", ".join(names[:5]) + (f", +{len(names) - 5}" if len(names) > 5 else "")
        lines.append(f"  {code} [{clause}] {text}: {some}")
    return lines


def _no_contract(row: JsonRow, say: Words) -> str:
    """Why a request comes under no contract, name by name; and which contracts claim it, where several do."""
    why = "; ".join(say(why) for why in row["why"])
    return f"{why}: {', '.join(row['rivals'])}" if row["rivals"] else why


def _net(clock: JsonRow) -> str:
    net = "-" if clock["net_us"] is None else duration(clock["net_us"])
    return net if clock["target_us"] is None else f"{net} / {duration(clock['target_us'])}"


def _euro(name: str, say: Words) -> Callable[[JsonRow], str]:
    return lambda row: say.euro(row[name])


def _other_rate(row: JsonRow, say: Words) -> str:
    if row["conflict"] is None or row["passed_at"] is None:
        return "-"
    others = [other for other in row["conflict"].values() if other["rate"] != row["rate"]]
    return ", ".join(f"{say.euro(other['maximum_penalty'])} ({percent(other['rate'])})" for other in others)


def _told(row: JsonRow) -> str:
    text = ", ".join(f"{name}={_brief(value)}" for name, value in row["told"].items())
    rectified = f" [rectified by version {_list(row['rectified_by'])}]" if row["rectified_by"] else ""
    return (text if len(text) <= 100 else text[:97] + "...") + rectified


def _brief(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _list(numbers: Sequence[int]) -> str:
    """Numbers with runs drawn together: 1-3, 7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs) or "-"


def local(instant: str | None, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """An instant as a clock in `zone` shows it; the offset is left out, so the zone must be named nearby."""
    if instant is None:
        return "-"
    shown = moment(read_instant(instant)).astimezone(zone)
    text = f"{shown:%Y-%m-%d %H:%M}"
    if seconds and (shown.second or shown.microsecond):
        text += f":{shown:%S}"
        text += f".{shown:%f}" if shown.microsecond else ""
    return text


def duration(microseconds: int) -> str:
    """Hours and minutes, with seconds where there are any."""
    hours, rest = divmod(microseconds, 60 * MINUTE)
    minutes, rest = divmod(rest, MINUTE)
    seconds, rest = divmod(rest, SECOND)
    text = f"{hours}:{minutes:02}"
    if seconds or rest:
        text += f":{seconds:02}"
        text += f".{rest:06}" if rest else ""
    return text


def _signed(microseconds: int | None) -> str:
    if microseconds is None:
        return "-"
    return f"{'-' if microseconds < 0 else ''}{duration(abs(microseconds))}"


def lateness(microseconds: int) -> str:
    """How long after it occurred a fact was recorded, in the largest unit that says it."""
    for unit, size in (("d", 86_400 * SECOND), ("h", 3600 * SECOND), ("min", MINUTE), ("s", SECOND)):
        if abs(microseconds) >= size:
            return f"{microseconds // size} {unit}"
    return "0 s"


def percent(fraction: str | None) -> str:
    """A fraction as a percentage with at most two decimals; "-" for none."""
    if fraction is None:
        return "-"
    above, _, below = fraction.partition("/")
    hundredths = round(int(above) * 10_000 / int(below or 1))
    text = f"{hundredths // 100}.{hundredths % 100:02}".rstrip("0").rstrip(".")
    return f"{text}%"
