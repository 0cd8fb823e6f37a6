"""Whether the consumer can do its work now: the store answers, the broker is there, the live tables keep up.

The store is asked in the desk's thread, and what it said is good for a moment: whoever asks often learns no more.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from typing import NamedTuple, Protocol

from adapters.diagnosis import Silence, StoreStatus, silences, standing
from adapters.inbox.batcher import Batcher
from adapters.store.ledger import Ledger, StoreError
from bin.compose import clock, open_readable
from bin.settings import Settings
from domain.values import SECOND

ANSWER_WITHIN = 5.0
"""Seconds after which a store or a broker that says nothing is away."""
GOOD_FOR = 1.0


class Broker(Protocol):
    """As much of a broker as health asks about."""

    async def alive(self) -> bool:
        """Whether it answers."""


class PartStatus(NamedTuple):
    """Whether one part is ready, and why (not)."""

    ready: bool
    said: str


class StoreFigures(NamedTuple):
    """What the store says of itself.

    `unpublished` counts outcomes still to be published; `silences` are of the sources that have an alarm.
    """

    standing: StoreStatus
    unpublished: int
    silences: list[Silence]


class Readiness(NamedTuple):
    """How things stand at one moment; no figures where the store is away, no broker where none is configured."""

    store: PartStatus
    broker: PartStatus | None
    projection: PartStatus | None
    figures: StoreFigures | None

    @property
    def parts(self) -> dict[str, PartStatus]:
        """The parts there are."""
        named = {"store": self.store, "broker": self.broker, "projection": self.projection}
        return {name: answer for name, answer in named.items() if answer is not None}

    @property
    def ready(self) -> bool:
        """Whether every part is."""
        return all(answer.ready for answer in self.parts.values())


class ReadinessCheck:
    """Looks how things stand; `broker` is None where messages come over HTTP alone, `now` gives microseconds UTC."""

    def __init__(
        self, batcher: Batcher, chosen: Settings, broker: Broker | None = None, now: Callable[[], int] = clock
    ) -> None:
        self._batcher, self._chosen, self._broker, self._now = batcher, chosen, broker, now
        self._looking = asyncio.Lock()
        self._last: tuple[float, Readiness] | None = None

    async def look(self) -> Readiness:
        """How things stand now, or stood a moment ago."""
        async with self._looking:
            if self._last is None or time.monotonic() - self._last[0] > GOOD_FOR:
                self._last = time.monotonic(), await self._look()
            return self._last[1]

    async def _look(self) -> Readiness:
        store, figures = await self._store()
        return Readiness(store, await self._ask_broker(), self._projection(figures), figures)

    async def _store(self) -> tuple[PartStatus, StoreFigures | None]:
        asked = self._batcher.in_handler_thread(_figures, self._batcher.ledger, self._chosen, self._now())
        try:
            return PartStatus(True, "answers"), await asyncio.wait_for(asked, ANSWER_WITHIN)
        except TimeoutError:
            return PartStatus(False, f"has not answered for {ANSWER_WITHIN:.0f} seconds"), None
        except StoreError as error:
            return PartStatus(False, f"cannot be used ({type(error).__name__}): see the log"), None

    async def _ask_broker(self) -> PartStatus | None:
        if self._broker is None:
            return None
        try:
            alive = await asyncio.wait_for(self._broker.alive(), ANSWER_WITHIN)
        except TimeoutError:
            alive = False
        return PartStatus(alive, "answers" if alive else "does not answer: it is tried again for ever")

    def _projection(self, figures: StoreFigures | None) -> PartStatus | None:
        if figures is None or (at := figures.standing.at) is None:
            return None
        if at.stopped_at is not None:
            return PartStatus(False, f"stopped before position {at.stopped_at}: see verbale doctor")
        lag, longest = figures.standing.lag_us // SECOND, self._chosen.longest_lag_seconds
        said = f"{figures.standing.lag_positions} facts and {lag} seconds behind"
        return PartStatus(True, said) if lag <= longest else PartStatus(False, f"{said}: see that verbale project runs")


def _figures(ledger: Ledger, chosen: Settings, now: int) -> StoreFigures:
    with nullcontext() if (reporting := open_readable(chosen)) is None else closing(reporting):
        at = standing(ledger, reporting, now)
    silent = silences(ledger.store.sources(), chosen.silence_hours, now)
    return StoreFigures(at, ledger.store.unpublished(), silent)
