"""One stream as an auditor reads it: every fact in order of recording, its lateness, and what corrected it."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.facts import Fact
from domain.record_facts import RecordRectified
from projections.history import Entry


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A recorded fact. `lateness_us`: recorded minus occurred. `rectified_by`: versions that correct it."""

    position: int
    version: int
    recorded_at: int
    fact: Fact
    lateness_us: int
    rectified_by: tuple[int, ...]


def timeline(entries: Sequence[Entry]) -> list[TimelineRow]:
    """The facts of one stream, as recorded: nothing is left out, nothing is corrected."""
    return [
        TimelineRow(
            position=entry.position,
            version=entry.version,
            recorded_at=entry.recorded_at,
            fact=entry.fact,
            lateness_us=entry.recorded_at - entry.fact.at,
            rectified_by=tuple(
                other.version
                for other in entries
                if isinstance(other.fact, RecordRectified) and other.fact.version == entry.version
            ),
        )
        for entry in entries
    ]
