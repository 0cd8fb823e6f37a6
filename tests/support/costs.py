"""What a test costs: `integration` needs a server, a broker, a process or a socket; `slow` takes over two seconds.

Whatever is neither is a unit test, which is what `bin/test --quick` runs. Most integration tests are known by their
fixtures and parameters; the others carry the mark. Nobody has to remember it: an unmarked test that starts a process,
opens a connection or asks for a server fails, in every run.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from support.servers import SERVER_NEEDED

INTEGRATION, SLOW = "integration", "slow"

SERVING = {
    "broker",
    "cluster",
    "own_server",
    "postgres",
    "postgres_url",
    "rabbit",
    "roles",
    "served",
    "server",
    "trial",
}
"""The fixtures that start a server, or need one that runs."""
SERVER = "postgres"
"""A test whose parameter names it is tried on a server: "postgres", "local postgres", "nats postgres"."""

WATCHED = {"subprocess.Popen", "os.fork", "os.posix_spawn", "socket.connect", "socket.bind", SERVER_NEEDED}


def needs_a_server(item: pytest.Function) -> bool:
    """Whether the fixtures or the parameters of a test say that it needs a server."""
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return not SERVING.isdisjoint(item.fixturenames) or any(SERVER in _words(one) for one in parameters)


def _words(parameter: object) -> list[str]:
    """The words of a text, or of several."""
    texts = parameter if isinstance(parameter, tuple) else (parameter,)
    return [word for text in texts if isinstance(text, str) for word in text.split()]


def mark_and_order(items: list[pytest.Item]) -> None:
    """Mark what needs a server, and put slow tests first: nobody waits in the end for one that began last."""
    for item in items:
        if isinstance(item, pytest.Function) and needs_a_server(item):
            item.add_marker(INTEGRATION)
    items.sort(key=lambda item: item.get_closest_marker(SLOW) is None)


class Unmarked(AssertionError):
    """A unit test does what only an integration test may; the message says what."""


class Watch:
    """Keeps unit tests from starting processes and from talking to servers, by Python's audit events."""

    def __init__(self) -> None:
        self._watching = False
        self._seen: list[str] = []
        sys.addaudithook(self._hear)

    @contextmanager
    def over(self, item: pytest.Item) -> Iterator[None]:
        """Watch while a part of a test runs, unless it is marked. Raises Unmarked, also where the test caught it."""
        self._watching, self._seen = item.get_closest_marker(INTEGRATION) is None, []
        try:
            yield
        finally:
            self._watching = False
        if self._seen:
            raise Unmarked(self._seen[0])

    def _hear(self, event: str, given: tuple[Any, ...]) -> None:
        if not self._watching or event not in WATCHED:
            return
        if event.startswith("socket.") and not isinstance(given[1], tuple):
            return  # a socket of the file system: event loops have them
        self._seen.append(f"{event} {given[-1] if event == SERVER_NEEDED else given[:2]}: mark it `{INTEGRATION}`")
        raise Unmarked(self._seen[-1])
