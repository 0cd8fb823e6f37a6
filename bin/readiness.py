"""Whether the consumer can do its work now: the store answers, the broker is there, the live tables keep up.

The store is asked in the handler's thread. A result is reused for GOOD_FOR seconds, so that asking often costs nothing.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from typing import NamedTuple, Protocol

from adapters.inbox.batcher import Batcher
from adapters.live_tables.status import StoreStatus, status_of
from adapters.store.errors import StoreError
from adapters.store.ledger import Ledger
from adapters.store.silence import Silence, silences
from bin.compose import clock, open_readable
from bin.settings import Settings
from domain.values import SECOND

ANSWER_WITHIN = 5.0
"""Seconds after which a store or a broker that does not answer counts as away."""
GOOD_FOR = 1.0
"""Seconds for which a result is reused."""


class Broker(Protocol):
    """What readiness asks of a broker."""

    async def alive(self) -> bool:
        """Whether it answers."""


class PartStatus(NamedTuple):
    """Whether one part is ready, and why (not)."""

    ready: bool
    said: str


class StoreFigures(NamedTuple):
    """Figures read from the store.

    `unpublished` counts outcomes still to be published; `silences` are of the sources that have an alarm.
    """

    status: StoreStatus
    unpublished: int
    silences: list[Silence]


class ReadinessResult(NamedTuple):
    """What is ready at one moment.

    `figures` is None where the store is away, `broker` where none is configured, `projection` where there are no live
    tables or the store is away.
    """

    store: PartStatus
    broker: PartStatus | None
    projection: PartStatus | None
    figures: StoreFigures | None

    @property
    def parts(self) -> dict[str, PartStatus]:
        """The parts there are."""
        parts = {"store": self.store, "broker": self.broker, "projection": self.projection}
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def ready(self) -> bool:
        """Whether every part is."""
        return all(part.ready for part in self.parts.values())


class ReadinessCheck:
    """Checks every part; `broker` is None where messages come over HTTP alone, `now` gives microseconds UTC."""

    def __init__(
        self, batcher: Batcher, settings: Settings, broker: Broker | None = None, now: Callable[[], int] = clock
    ) -> None:
        self._batcher, self._settings, self._broker, self._now = batcher, settings, broker, now
        self._checking = asyncio.Lock()
        self._last: tuple[float, ReadinessResult] | None = None

    async def result(self) -> ReadinessResult:
        """What is ready now, or was at most GOOD_FOR seconds ago."""
        async with self._checking:
            if self._last is None or time.monotonic() - self._last[0] > GOOD_FOR:
                self._last = time.monotonic(), await self._check()
            return self._last[1]

    async def _check(self) -> ReadinessResult:
        store, figures = await self._check_store()
        return ReadinessResult(store, await self._check_broker(), self._check_projection(figures), figures)

    async def _check_store(self) -> tuple[PartStatus, StoreFigures | None]:
        figures = self._batcher.in_handler_thread(_figures, self._batcher.ledger, self._settings, self._now())
        try:
            return PartStatus(True, "answers"), await asyncio.wait_for(figures, ANSWER_WITHIN)
        except TimeoutError:
            return PartStatus(False, f"has not answered for {ANSWER_WITHIN:.0f} seconds"), None
        except StoreError as error:
            return PartStatus(False, f"cannot be used ({type(error).__name__}): see the log"), None

    async def _check_broker(self) -> PartStatus | None:
        if self._broker is None:
            return None
        try:
            alive = await asyncio.wait_for(self._broker.alive(), ANSWER_WITHIN)
        except TimeoutError:
            alive = False
        return PartStatus(alive, "answers" if alive else "does not answer: it is tried again for ever")

    def _check_projection(self, figures: StoreFigures | None) -> PartStatus | None:
        if figures is None or (at := figures.status.at) is None:
            return None
        if at.stopped_at is not None:
            return PartStatus(False, f"stopped before position {at.stopped_at}: see verbale doctor")
        lag, longest = figures.status.lag_us // SECOND, self._settings.longest_lag_seconds
        behind = f"{figures.status.lag_positions} facts and {lag} seconds behind"
        return (
            PartStatus(True, behind)
            if lag <= longest
            else PartStatus(False, f"{behind}: see that verbale project runs")
        )


def _figures(ledger: Ledger, settings: Settings, now: int) -> StoreFigures:
    with nullcontext() if (reporting := open_readable(settings)) is None else closing(reporting):
        status = status_of(ledger, reporting, now)
    silence = silences(ledger.store.sources(), settings.silence_hours, now)
    return StoreFigures(status, ledger.store.unpublished(), silence)
