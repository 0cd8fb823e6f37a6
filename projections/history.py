"""What is on record: every fact, by stream, with where and when it was recorded. Known on a date: a prefix of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.facts import Fact
from domain.interval import Interval
from domain.record_facts import RecordFact
from domain.streams import split_stream


class Entry(NamedTuple):
    """A fact on record: where, when it was recorded (microseconds UTC), by which source, and under which contract."""

    position: int
    stream: str
    version: int
    recorded_at: int
    fact: Fact
    source: str = ""
    contract: str | None = None

    @property
    def lateness_us(self) -> int:
        """How long after it occurred it was recorded: by its source, where that says when; else here (A4)."""
        told_at = self.fact.recordedtime
        return (self.recorded_at if told_at is None else told_at) - self.fact.at

    def bears_on(self, window: Interval) -> bool:
        """Whether it is dated so that the figures of a window may rest on it: what is said of facts always is."""
        return isinstance(self.fact, RecordFact) or not window.ended_by(self.fact.at)


@dataclass
class History:
    """Every fact known, by stream, and the position up to which it is known."""

    contracts: Mapping[str, Sequence[Entry]]
    accounts: Mapping[str, Sequence[Entry]]
    incidents: Mapping[str, Sequence[Entry]]
    position: int

    @classmethod
    def of(cls, entries: Iterable[Entry], position: int | None = None) -> "History":
        """The history of entries given in order of recording; `position` where they are not all there are."""
        streams: dict[str, dict[str, list[Entry]]] = {
            "contract": defaultdict(list), "credits": defaultdict(list), "incident": defaultdict(list)
        }  # fmt: skip
        last = 0
        for entry in entries:
            kind, name = split_stream(entry.stream)
            streams[kind][name].append(entry)
            last = entry.position
        return cls(streams["contract"], streams["credits"], streams["incident"], position or last)
