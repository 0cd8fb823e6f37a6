"""Every fact recorded in one stream, with its seal: nothing is left out, nothing is cut, nothing is corrected."""

import json
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from adapters.errors import NotOnRecord
from adapters.reports.columns import Column, JsonRow, listed
from adapters.reports.question import Question
from adapters.reports.report import REPLAY, Definition, Report, versions
from adapters.reports.sealed_facts import COLUMNS as OF_EVERY_FACT
from adapters.reports.sealed_facts import SCREEN, SealedFact
from adapters.reports.wording import Writing, spaced, visible
from adapters.store.ledger import Ledger
from domain.facts import Fact
from domain.record_facts import RecordRectified
from domain.values import WIRE, instant_text
from projections.timeline import corrected_value, timeline

COLUMNS: tuple[Column[SealedFact], ...] = (
    *OF_EVERY_FACT,
    listed("told", "its fields, all of them, as recorded", lambda sealed: sealed.told),
)

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_AMOUNT = re.compile(r"\d+\.\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)


def timeline_of(stream: str, ledger: Ledger, asked: Question) -> Report[SealedFact]:
    """Every fact of one stream known on the date asked about, with its seal. Raises NotOnRecord, StoreError."""
    on_record = ledger.sealed(stream)
    if not on_record:
        raise nothing_under(stream)
    sealed = [one for one in on_record if one.entry.recorded_at <= asked.known_on]
    entries = [one.entry for one in sealed]
    facts = {entry.version: entry.fact for entry in entries}
    contracts = {f"contract-{one.entry.contract}" for one in sealed if one.entry.contract is not None} - {stream}
    of_contract = [
        entry
        for found in ledger.stream_entries(sorted(contracts)).values()
        for entry in found
        if entry.recorded_at <= asked.known_on
    ]
    rows = map(SealedFact, timeline(entries, of_contract), sealed, (told(fact, facts) for fact in facts.values()))
    made = {
        "report": "timeline",
        "ledger": ledger.id,
        "made_from": REPLAY,
        "stream": stream,
        "known_on": instant_text(asked.known_on),
        "filters": {},
        "position": ledger.store.position(asked.known_on),
        "versions": versions(),
    }
    return Report(REPORT, made, list(rows), subject=stream)


def nothing_under(stream: str) -> NotOnRecord:
    """The error for a stream that has no fact."""
    return NotOnRecord(f"nothing is recorded under {stream}: streams are contract-ID, credits-ID, incident-ID")


def told(fact: Fact, others: dict[int, Fact]) -> JsonRow:
    """The fields of a fact as they are told outside, but for its instant; `others` are those of its stream."""
    fields = fact.model_dump(mode="json", context=WIRE, exclude={"at"})
    if isinstance(fact, RecordRectified) and fact.version in others:
        fields["value"] = corrected_value(fact, others[fact.version])
    return fields


def lines_told(fact: Fact, fields: JsonRow, writing: Writing) -> Iterator[str]:
    """What a fact says, a field in a line: nothing is cut. `fields` are those of `told`."""
    words = fact.model_dump()
    for name, value in fields.items():
        for label, text in _pairs(name, value, words.get(name), writing):
            yield f"   {label}: {text}"


def _pairs(name: str, value: Any, of_fact: Any, writing: Writing) -> Iterator[tuple[str, str]]:
    """A field with its value, or those within it. `of_fact` is the same as the fact has it, where words are words."""
    label = _label(name, writing)
    if isinstance(value, dict) and value:
        within = of_fact if isinstance(of_fact, dict) else {}
        for inner, one in value.items():
            for rest, text in _pairs(inner, one, within.get(inner), writing):
                yield f"{label}.{rest}", text
    else:
        yield label, _shown(value, of_fact, writing)


def _label(name: str, writing: Writing) -> str:
    """The name of a field: translated where the language has a word for it, else as messages have it."""
    words = spaced(name)
    return name if (said := writing.say(words)) == words else said


def _shown(value: Any, of_fact: Any, writing: Writing) -> str:
    match value:
        case None | "" | [] | {}:
            return "-"
        case bool():
            return writing.yes(value)
        case str() if isinstance(of_fact, StrEnum):
            return writing.say(value)
        case str() if _INSTANT.fullmatch(value):  # so all instants are told, and nothing else is likely to be
            return writing.local(value, seconds=True)
        case list() if not any(isinstance(one, dict | list) for one in value):
            return ", ".join(_shown(one, None, writing) for one in value)
        case list() if all(isinstance(one, dict) for one in value):
            return "; ".join(
                ", ".join(f"{_label(name, writing)} {_shown(inner, None, writing)}" for name, inner in one.items())
                for one in value
            )
        case dict() | list():
            return visible(json.dumps(value, ensure_ascii=False))
        case str() if _DAY.fullmatch(value):
            return writing.day(value)
        case str() if _AMOUNT.fullmatch(value):
            return writing.say.euro(value)
        case _:
            return visible(str(value))


def _heading(report: Report[SealedFact], writing: Writing) -> list[str]:
    return [f"{writing.say(REPORT.title)}: {report.subject}", *known_lines(report, writing), ""]


def known_lines(report: Report[Any], writing: Writing) -> list[str]:
    """When what a report shows was known, and whose clocks show its instants."""
    made, say = report.manifest, writing.say
    known_on = writing.long_seconds(made["known_on"])
    return [f"{say('known on')} {known_on} ({writing.zone.key}); {say('position')} {say.count(made['position'])}"]


def _notes(report: Report[SealedFact], writing: Writing) -> list[str]:
    lines = ["", writing.say("What each fact says:")] if report.found else []
    for sealed in report.found:
        lines.append(f"{sealed.row.version}  {sealed.row.fact.TYPE}")
        lines += lines_told(sealed.row.fact, sealed.told, writing)
    return lines


REPORT = Definition(
    name="timeline",
    title="Timeline",
    columns=COLUMNS,
    screen=SCREEN,
    empty="Nothing was known of it by then.",
    heading=_heading,
    notes=_notes,
)
