"""What was not heard of a source: for how long it has been silent, and which of its numbers are missing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from adapters.store.records import Gap, SourceHeard
from domain.values import HOUR

SHOWN_GAPS = 3
"""How many ranges of missing numbers are named where not all are asked for."""


class Silence(NamedTuple):
    """A source that has an alarm: for how long it may be silent, and is, in microseconds; None: it was never heard."""

    source: str
    allowed_us: int
    silent_us: int | None

    @property
    def too_long(self) -> bool:
        """Whether the alarm goes off; for a source never heard it does, however short ago it was configured."""
        return self.silent_us is None or self.silent_us > self.allowed_us


def silences(sources: Iterable[SourceHeard], silence_hours: Mapping[str, float], now: int) -> list[Silence]:
    """The silence at `now` (microseconds UTC) of each source that has an alarm, by name."""
    last_heard = {heard.source: heard.last_heard for heard in sources}
    return [
        Silence(source, round(hours * HOUR), silent_for(last_heard[source], now) if source in last_heard else None)
        for source, hours in sorted(silence_hours.items())
    ]


def silent_for(last_heard: int, now: int) -> int:
    """For how long a source has been silent, in microseconds."""
    return max(0, now - last_heard)


def missing(gaps: Iterable[Gap]) -> int:
    """How many numbers some gaps hold."""
    return sum(gap.last - gap.first + 1 for gap in gaps)


def ranges(gaps: Sequence[Gap], most: int | None = None) -> list[str]:
    """Gaps as people write them, at most so many: ["3-5", "9", "..."]."""
    shown = [str(gap.first) if gap.first == gap.last else f"{gap.first}-{gap.last}" for gap in gaps[:most]]
    return [*shown, *(["..."] if len(shown) < len(gaps) else [])]
