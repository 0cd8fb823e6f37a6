"""Half-open intervals of time, and instants that may never come. All are microseconds UTC."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """The time from `start` (included) to `end` (excluded); `end` is None where it has none."""

    start: int
    end: int | None

    @property
    def empty(self) -> bool:
        """Whether no instant is in it."""
        return self.end is not None and self.end <= self.start

    def holds(self, instant: int) -> bool:
        """Whether an instant is in it."""
        return self.start <= instant and (self.end is None or instant < self.end)

    def ended_by(self, instant: int) -> bool:
        """Whether it is over at an instant: its end itself is no longer in it."""
        return self.end is not None and self.end <= instant

    def meets(self, other: "Interval") -> bool:
        """Whether the two have an instant in common."""
        return (other.end is None or self.start < other.end) and (self.end is None or other.start < self.end)

    def clip(self, other: "Interval") -> "Interval":
        """The part of it that lies in another interval; empty where they do not meet."""
        return Interval(max(self.start, other.start), earliest(self.end, other.end))


def earliest(*instants: int | None) -> int | None:
    """The earliest of the instants that are not None; None if all are None."""
    return min((instant for instant in instants if instant is not None), default=None)
