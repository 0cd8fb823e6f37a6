"""How the application is served: bounded in connections and in patience."""

import asyncio

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_OPEN = 200
"""Connections at a time; any further one is answered with 503."""
NEXT_REQUEST_SECONDS = 30.0
"""For which a connection may be open without a request to answer: each takes one of the places."""
LAST_REQUESTS_SECONDS = 5
"""How long a request that is being answered may still take when we stop."""


def served(app: FastAPI) -> uvicorn.Config:
    """How the application is served: bounded, and what the server logs goes to the program's log."""
    return uvicorn.Config(
        app,
        http=_Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_OPEN,
        timeout_graceful_shutdown=LAST_REQUESTS_SECONDS,
    )


class _Connection(H11Protocol):
    """A connection that is closed where no whole request head arrives in time: the server itself would wait for ever.

    How long a body may take is decided where it is read (bodies.read_body).
    """

    _timeout: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for the first request."""
        super().connection_made(transport)
        self._restart_timeout()

    def on_response_complete(self) -> None:
        """Start to wait for the next request."""
        super().on_response_complete()
        self._restart_timeout()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        super().connection_lost(exc)
        if self._timeout is not None:
            self._timeout.cancel()

    def _restart_timeout(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
        self._timeout = self.loop.call_later(NEXT_REQUEST_SECONDS, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()
