"""How much bin/bench measures: as much as the figures need, or just enough to see that it runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    rebuilds: int = 3
    incidents: int = 9000
    library_events: int = 1000
    turns: int = 15
    transactions: tuple[tuple[int, int], ...] = ((1, 40), (5, 40), (500, 3))
    """Facts in a transaction, and how many transactions in a turn."""
    busy: tuple[int, int] = (1000, 100_000)
    facts_told: int = 30
    consumed: int = 10_000
    handled: int = 1000
    consumptions: int = 5


QUICK = Sizes(
    incidents=600,
    library_events=200,
    turns=7,
    transactions=((1, 20), (5, 20), (500, 1)),
    busy=(200, 3000),
    facts_told=5,
    consumed=1000,
    handled=100,
    consumptions=3,
)
