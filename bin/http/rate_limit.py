"""How many messages one source may post over HTTP in a minute."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from bin.http.problems import TOO_LARGE, TOO_OFTEN, Problem


class RateLimit:
    """At most `messages` of one source in a minute, which begins with the source's first message."""

    def __init__(self, messages: int) -> None:
        self._per_minute = RateLimitItemPerMinute(messages)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def take(self, source: str, messages: int) -> None:
        """Count some messages of a source. Raises Problem, and counts none, where they are too many."""
        most = self._per_minute.amount
        if messages > most:
            raise Problem(TOO_LARGE, f"a batch of {messages} messages, and a source may post {most} a minute")
        if not await self._limiter.test(self._per_minute, source, cost=messages):
            window = await self._limiter.get_window_stats(self._per_minute, source)
            seconds = max(1, math.ceil(window.reset_time - time.time()))
            detail = f"{source} may post {most} messages a minute: send these again in {seconds} seconds"
            raise Problem(TOO_OFTEN, detail, {"Retry-After": str(seconds)})
        await self._limiter.hit(self._per_minute, source, cost=messages)
