"""Every fact recorded in one stream, with its seal: nothing is left out, nothing is corrected."""

import json
from typing import Any, NamedTuple

from adapters.errors import NotOnRecord
from adapters.reports.columns import Column, JsonRow, instant, integer, integers, lifted, listed, text
from adapters.reports.report import Definition, Report, versions
from adapters.reports.screen import ScreenColumn, at, count, plain
from adapters.reports.wording import Writing, lateness, runs
from adapters.store.ledger import Ledger
from adapters.store.records import Sealed
from domain.facts import Fact
from domain.values import WIRE, instant_text
from projections.timeline import TimelineRow, timeline

LONGEST = 100
"""Characters of a fact that the screen has room for."""


class SealedFact(NamedTuple):
    """A fact of a stream with its seal."""

    row: TimelineRow
    seal: Sealed


_OF_FACT: tuple[Column[TimelineRow], ...] = (
    integer("version", "its number in the stream, from 1", lambda row: row.version),
    text("type", "the type of the fact", lambda row: row.fact.TYPE),
    instant("at", "when it occurred", lambda row: row.fact.at),
    instant("recorded_at", "when it was recorded", lambda row: row.recorded_at),
    integer("lateness_us", "how much later, in microseconds", lambda row: row.lateness_us),
    listed("told", "its fields that hold anything, as recorded", lambda row: _fields(row.fact)),
    integers("rectified_by", "the versions that correct it", lambda row: list(row.rectified_by)),
)

COLUMNS: tuple[Column[SealedFact], ...] = (
    *lifted(_OF_FACT, lambda sealed: sealed.row),
    text("contract", "the contract that it belongs to", lambda sealed: sealed.seal.origin.contract, optional=True),
    text("source", "the source of its message", lambda sealed: sealed.seal.origin.source),
    text("message", "the id of its message", lambda sealed: sealed.seal.origin.message),
    text("actor", "who acted, an identifier", lambda sealed: sealed.seal.origin.actor, optional=True),
    integer("position", "its place in the log", lambda sealed: sealed.row.position),
    integer("leaf", "the number of its leaf", lambda sealed: sealed.seal.leaf),
    text("leaf_hash", "the hash of its leaf, hexadecimal", lambda sealed: sealed.seal.leaf_hash.hex()),
)


def _fields(fact: Fact) -> JsonRow:
    fields = fact.model_dump(mode="json", context=WIRE)
    return {name: value for name, value in fields.items() if name != "at" and value not in (None, [], ())}


def timeline_of(stream: str, ledger: Ledger, now: int) -> Report[SealedFact]:
    """Every fact of one stream with its seal. Raises NotOnRecord, StoreError."""
    sealed = ledger.sealed(stream)
    if not sealed:
        raise NotOnRecord(f"nothing is recorded under {stream}: streams are contract-ID, credits-ID, incident-ID")
    rows = timeline([one.entry for one in sealed])
    made = {
        "report": "timeline",
        "ledger": ledger.id,
        "stream": stream,
        "known_on": instant_text(now),
        "position": sealed[-1].entry.position,
        "versions": versions(),
    }
    return Report(REPORT, made, list(map(SealedFact, rows, sealed)))


def _heading(report: Report[SealedFact], writing: Writing) -> list[str]:
    return [f"{writing.say(REPORT.title)}: {report.manifest['stream']}", ""]


def _what(row: JsonRow, _: Writing) -> str:
    text = ", ".join(f"{name}={_brief(value)}" for name, value in row["told"].items())
    rectified = f" [rectified by version {runs(row['rectified_by'])}]" if row["rectified_by"] else ""
    return (text if len(text) <= LONGEST else text[: LONGEST - 3] + "...") + rectified


def _brief(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


REPORT = Definition(
    name="timeline",
    title="Timeline",
    columns=COLUMNS,
    screen=(
        count("version"),
        plain("type", "fact"),
        at("at", "occurred", seconds=True),
        at("recorded_at", "recorded", seconds=True),
        ScreenColumn("late by", lambda row, _: lateness(row["lateness_us"]), number=True),
        count("leaf"),
        ScreenColumn("told by", lambda row, _: row["actor"] or row["source"]),
        ScreenColumn("what", _what),
    ),
    heading=_heading,
)
