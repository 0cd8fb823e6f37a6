"""Retries: every policy of the project in one place, with the reason for its pauses.

A policy is called with what is to be tried: `lost_races(LostRace)(function, argument)`. It returns what the function
returns and, where it gives up, raises the error of the last attempt. Interrupts and cancellations are not retried.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential,
    wait_fixed,
)

if TYPE_CHECKING:
    import asyncio

MOST_RACES = 100
"""Attempts: a writer that loses so many races gets an error rather than no answer."""
LONGEST_RACE_PAUSE = 0.2
"""Seconds: a batch is recorded in a few milliseconds, so that even with twenty writers each gets its turn."""
CONNECTION_PAUSE = 0.05
"""Seconds: long enough not to keep a server busy that is just starting."""
MOST_SWAPS = 100
SWAP_PAUSE = 1.0
"""Seconds between two attempts to replace tables, in which readers of the old ones go on."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds: a server that restarts is noticed at once, and one that is away for hours is not asked in a hot loop."""


def lost_races(*lost: type[Exception]) -> Retrying:
    """Try again where another writer was faster: at once, then after pauses that grow, and are random so that writers
    do not meet again.
    """
    return Retrying(
        retry=retry_if_exception_type(lost),
        wait=_pause_of_a_loser,
        stop=stop_after_attempt(MOST_RACES),
        reraise=True,
    )


def _pause_of_a_loser(state: RetryCallState) -> float:
    return random.uniform(0, min(state.attempt_number - 1, 20) * LONGEST_RACE_PAUSE / 20)


def lost_connections(was_lost: Callable[[BaseException], bool], seconds: float) -> Retrying:
    """Try again, for so long, where the connection to a server was lost: one that restarts is back in a moment."""
    return Retrying(
        retry=retry_if_exception(was_lost),
        wait=wait_fixed(CONNECTION_PAUSE),
        stop=stop_after_delay(seconds),
        reraise=True,
    )


def tables_in_use(*in_use: type[Exception]) -> Retrying:
    """Try again where somebody reads the tables to be replaced: they finish, and others begin, in between."""
    return Retrying(
        retry=retry_if_exception_type(in_use),
        wait=wait_fixed(SWAP_PAUSE),
        stop=stop_after_attempt(MOST_SWAPS),
        reraise=True,
    )


def until_it_answers(
    away: type[Exception],
    on_trouble: Callable[[Exception], None],
    stopping: "asyncio.Event",
) -> AsyncRetrying:
    """Try again however long a server is away; `on_trouble` is called with the error of each attempt.

    Setting `stopping` ends the pause: one more attempt is made, and its error raised.
    """

    def report(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, Exception):
            on_trouble(error)

    async def pause(seconds: float) -> None:
        await pause_unless(stopping, seconds)

    return AsyncRetrying(
        retry=retry_if_exception_type(away),
        wait=wait_exponential(multiplier=SHORTEST_PAUSE, max=LONGEST_PAUSE),
        stop=lambda _: stopping.is_set(),
        sleep=pause,
        after=report,
        reraise=True,
    )


async def pause_unless(stopping: "asyncio.Event", seconds: float) -> None:
    """Wait for so long, or until `stopping` is set."""
    import asyncio  # here alone: commands that wait for nobody would start later for it

    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
