"""What the timeline of a stream and the list of facts have in common: a fact with its seal, and its columns."""

from collections.abc import Callable
from typing import NamedTuple

from adapters.reports.columns import Column, JsonRow, flag, instant, integer, integers, lifted, listed, text
from adapters.reports.screen import ScreenColumn, at, count, plain, word, yes
from adapters.reports.wording import Writing, runs, visible
from adapters.store.records import Sealed
from projections.timeline import TimelineRow


class SealedFact(NamedTuple):
    """A fact on record with its seal. `told`: its fields as they are told outside, where the report shows them."""

    row: TimelineRow
    seal: Sealed
    told: JsonRow


_OF_FACT: tuple[Column[TimelineRow], ...] = (
    integer("position", "its place in the log", lambda row: row.position),
    text("stream", "the stream that it is in", lambda row: row.entry.stream),
    integer("version", "its number in the stream, from 1", lambda row: row.version),
    text("type", "the type of the fact", lambda row: row.fact.TYPE),
    instant("at", "when it occurred", lambda row: row.fact.at),
    instant("recorded_at", "when it was recorded", lambda row: row.recorded_at),
    integer("lateness_us", "how much later, in microseconds", lambda row: row.lateness_us),
    instant(
        "recordedtime",
        "when its source recorded it, where the message says so",
        lambda row: row.fact.recordedtime,
        optional=True,
    ),
    integer(
        "source_lateness_us",
        "how much later than it occurred its source recorded it, in microseconds",
        lambda row: row.source_lateness_us,
        optional=True,
    ),
    text("by", "the party that tells it, where a party may contest it", lambda row: row.by, optional=True),
    listed("agreed_by", "the other parties whose agreement counts by now", lambda row: list(map(str, row.agreed_by))),
    flag("agreed", "whether both parties agree to it; null where no party contests it", lambda row: row.agreed),
    listed(
        "agreed_later",
        "the agreements recorded afterwards that reach it: by whom, and where each is on record",
        lambda row: [{**one._asdict(), "by": one.by.value} for one in row.agreed_later],
    ),
    integers("rectified_by", "the versions that correct it, and stand", lambda row: list(row.rectified_by)),
    integer("annulled_by", "the version that annuls it, and stands", lambda row: row.annulled_by, optional=True),
)

_OF_SEAL: tuple[Column[SealedFact], ...] = (
    text("contract", "the contract that it belongs to", lambda sealed: sealed.seal.origin.contract, optional=True),
    text("source", "the source of its message", lambda sealed: sealed.seal.origin.source),
    text("message", "the id of its message", lambda sealed: sealed.seal.origin.message),
    text("actor", "who acted, an identifier", lambda sealed: sealed.seal.origin.actor, optional=True),
    integer("leaf", "the number of its leaf", lambda sealed: sealed.seal.leaf),
    text("leaf_hash", "the hash of its leaf, hexadecimal", lambda sealed: sealed.seal.leaf_hash.hex()),
)

COLUMNS: tuple[Column[SealedFact], ...] = (*lifted(_OF_FACT, lambda sealed: sealed.row), *_OF_SEAL)


def _fact(row: JsonRow, writing: Writing) -> str:
    """The stored type; in another language than English its name there."""
    name = row["type"].rpartition(".")[0]
    return row["type"] if (said := writing.say(name)) == name else said


def _late(name: str, heading: str) -> ScreenColumn:
    def cell(row: JsonRow, writing: Writing) -> str:
        return "-" if row[name] is None else writing.lateness(row[name])

    return ScreenColumn(heading, cell, number=True)


def _foreign(name: str, heading: str, of: Callable[[JsonRow], str | None]) -> ScreenColumn:
    return ScreenColumn(heading, lambda row, _: visible(of(row) or row[name]))


def _agreed_later(row: JsonRow, writing: Writing) -> str:
    found = (f"{writing.say(one['by'])} ({one['stream']} {one['version']})" for one in row["agreed_later"])
    return ", ".join(found) or "-"


SCREEN: tuple[ScreenColumn, ...] = (
    count("version"),
    ScreenColumn("fact", _fact),
    at("at", "occurred", seconds=True),
    at("recorded_at", "recorded", seconds=True),
    _late("lateness_us", "late here"),
    _late("source_lateness_us", "late at source"),
    _foreign("source", "told by", lambda row: row["actor"]),
    word("by", "party"),
    yes("agreed", "agreed by both"),
    ScreenColumn("agreed afterwards", _agreed_later),
    ScreenColumn("rectified by version", lambda row, _: runs(row["rectified_by"])),
    plain("annulled_by", "annulled by version", number=True),
    count("leaf"),
)
"""What people see of every fact; whether both parties agree only where one may contest it."""
