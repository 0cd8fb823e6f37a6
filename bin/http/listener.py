"""The HTTP server while it runs: the socket that it listens on, and its end."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from adapters.inbox.batcher import Batcher
from bin.http.app import build
from bin.http.server import served
from bin.metrics import Metrics
from bin.readiness import ReadinessCheck
from bin.settings import BadSettings, Settings


@asynccontextmanager
async def listening(
    address: tuple[str, int], batcher: Batcher, chosen: Settings, readiness: ReadinessCheck, metrics: Metrics
) -> AsyncIterator[str]:
    """Answers over HTTP meanwhile; gives the URL. Raises BadSettings, BadMapping."""
    server = _Server(served(build(batcher, chosen, readiness, metrics)))
    with _socket(*address) as open_socket:
        serving = asyncio.create_task(server.serve([open_socket]))
        try:
            yield _url(open_socket)
        finally:
            server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    """A server that leaves signals to the program that runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@contextmanager
def _socket(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        found = socket.create_server((host, port), family=family)
    except OSError as error:
        why = error.strerror or error
        raise BadSettings(f"setting listen: {host}, port {port}, cannot be listened on: {why}") from None
    with found:
        yield found


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
