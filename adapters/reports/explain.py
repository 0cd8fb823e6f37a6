"""Both clocks of an incident, slice by slice: what counted, what did not, and why (A3, A4, H3)."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import NamedTuple

from adapters.errors import NotOnRecord
from adapters.reports import compliance
from adapters.reports.clock import clock_columns, net_and_target, verdict_of
from adapters.reports.columns import Column, JsonRow, flag, instant, json_row, text, working_time
from adapters.reports.question import Question
from adapters.reports.replay import replay_of
from adapters.reports.report import Definition, Report, manifest
from adapters.reports.screen import ScreenColumn, Section, at, day, findings, plain
from adapters.reports.statements import KINDS
from adapters.reports.wording import Writing, runs, wall_time
from adapters.store.ledger import Ledger
from domain.terms import Clock
from domain.values import instant_text
from projections.explanation import ClockExplained, Explanation, Slice, explain


class SliceOfClock(NamedTuple):
    """A slice of one clock, shown by the clocks of a time zone."""

    clock: Clock
    piece: Slice
    zone: tzinfo


COLUMNS: tuple[Column[SliceOfClock], ...] = (
    text("clock", "charge (TPC) or intervention (TI)", lambda row: row.clock.value),
    instant("from", "its beginning", lambda row: row.piece.start),
    instant("to", "its end, excluded", lambda row: row.piece.end),
    text("day", "the local day that it begins on", lambda row: row.piece.day.isoformat()),
    text("window", "the working hours that it lies in", lambda row: _window(row), optional=True),
    flag("counted", "whether it counts", lambda row: row.piece.why == "working"),
    text("why", "working, closed, holiday or suspended", lambda row: row.piece.why),
    text("detail", "the name of the holiday, or the cause", lambda row: row.piece.detail, optional=True),
    text("clause", "the clause that says so", lambda row: row.piece.clause),
    working_time("counted_us", "what it counts", lambda row: row.piece.counted_us),
    working_time("net_us", "what the clock has counted by its end", lambda row: row.piece.net_us),
)


def _window(row: SliceOfClock) -> str | None:
    return "-".join(wall_time(edge, row.zone) for edge in row.piece.window) if row.piece.window else None


def explain_incident(incident: str, ledger: Ledger, asked: Question) -> Report[SliceOfClock]:
    """Both clocks of an incident, slice by slice. Raises NotOnRecord, StoreError."""
    replay = replay_of(ledger.entries(asked.known_on, incident), ledger, asked)
    explained = explain(incident, replay)
    if explained is None:
        raise NotOnRecord(f"no incident {incident} was opened by {instant_text(asked.as_of)}, as known then")
    found = [SliceOfClock(clock.clock, piece, explained.zone) for clock in explained.clocks for piece in clock.slices]
    made = {**manifest("explain", ledger, replay, asked), "terms": explained.terms_source}
    return Report(REPORT, made, found, _about(explained), subject=incident)


def _about(explained: Explanation) -> JsonRow:
    return {
        "incident": json_row(compliance.OF_REQUEST, explained.row),
        "clocks": list(map(_clock, explained.clocks)),
        "streams": {stream: list(used) for stream, used in explained.streams.items()},
        "time_zone": explained.zone.key,
    }


def _clock(clock: ClockExplained) -> JsonRow:
    return {
        "clock": clock.clock.value,
        **json_row(clock_columns(), clock.judged),
        "from": instant_text(clock.span.start),
        "to": instant_text(clock.span.end),
        "ended": "stopped" if clock.span.stopped else "void" if clock.span.void else "running",
        "versions": list(clock.versions),
    }


# --- on the screen ----------------------------------------------------------------------------------------------


def _sections(report: Report[SliceOfClock], writing: Writing) -> Iterator[Section]:
    row, say = report.about["incident"], writing.say
    coverage = say(row["coverage_reason"] or row["coverage"])
    opening = (
        f"{say('contract')} {row['contract'] or '-'}; {_at('opened', row['opened_at'], writing)}; "
        f"{say('priority')} {row['priority'] or '-'} (A2); {say('coverage')}: {coverage} (G2)"
    )
    yield Section(above=[opening])
    for clock in report.about["clocks"]:
        rows = [piece for piece in report.rows if piece["clock"] == clock["clock"]]
        yield Section([""], _title(clock, writing), rows, [_sum(clock, writing)])
    used = [
        f"{say('evidence')}: {stream}, {_versions(versions, writing)}"
        for stream, versions in report.about["streams"].items()
        if versions
    ]
    whose = [f"{say('breach of')}: {say(row['responsible'])} (A4)"] if row["responsible"] else []
    said = [_statement(one, writing) for one in row["statements"]]
    yield Section(above=["", *used, *whose, *said])


def _statement(said: JsonRow, writing: Writing) -> str:
    """One fact that a party may contest: by whom told, agreed or not, how late."""
    say, kind = writing.say, said["type"].rpartition(".")[0]
    agreed = say("agreed by both" if said["agreed"] else "not agreed by the other party")
    counted = "" if said["counts"] else f"; {say('this reading does not count it')}"
    return (
        f"{say(KINDS[kind])} ({say('version')} {said['version']}): {say('by the ' + said['by'])}, {said['source']}, "
        f"{agreed}, {writing.lateness(said['lateness_us'])} {say('after it occurred')}{counted}"
    )


def _title(clock: JsonRow, writing: Writing) -> str:
    say = writing.say
    name = say("To taking in charge (TPC)" if clock["clock"] == "charge" else "To the intervention (TI)")
    due = f", {_at('due', clock['due'], writing)}" if clock["due"] else ""
    return f"{name}: {net_and_target(clock)} -> {verdict_of(clock, writing)}{due} (A3, A5)"


def _at(what: str, instant: str, writing: Writing) -> str:
    """When something was, or is to be: "opened 2025-04-15 09:00"."""
    return writing.say(f"{what} {{instant}}").format(instant=writing.long(instant, seconds=True))


def _versions(versions: Sequence[int], writing: Writing) -> str:
    return f"{writing.say('version' if len(versions) == 1 else 'versions')} {runs(versions)}"


def _sum(clock: JsonRow, writing: Writing) -> str:
    say = writing.say
    net = "?" if clock["net_us"] is None else say.number(clock["net_us"])
    target = "-" if clock["target_us"] is None else say.number(clock["target_us"])
    return (
        f"{say('net')} {net} {say('us')}, {say('target')} {target} {say('us')}; "
        f"{say('facts used')}: {_versions(clock['versions'], writing)}"
    )


def _counted(row: JsonRow, writing: Writing) -> str:
    return writing.duration(row["counted_us"]) if row["counted"] else "-"


def _why(row: JsonRow, writing: Writing) -> str:
    why = "outside hours" if row["why"] == "closed" else row["why"]
    return writing.say(why) + (f": {writing.say(row['detail'])}" if row["detail"] else "")


REPORT = Definition(
    name="explain",
    title="Explanation",
    columns=COLUMNS,
    screen=(
        day("day"),
        at("from", "from", seconds=True),
        at("to", "to", seconds=True),
        plain("window"),
        ScreenColumn("counted", _counted, number=True),
        ScreenColumn("net", lambda row, writing: writing.duration(row["net_us"]), number=True),
        ScreenColumn("why", _why),
        plain("clause"),
    ),
    sections=_sections,
    notes=lambda report, writing: findings([report.about["incident"]], writing),
)
