"""A unit test that starts a process, opens a connection or asks for a server fails, whether or not it notices."""

import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace

import pytest
from support.costs import INTEGRATION, SLOW, Unmarked, Watch, mark_and_order, needs_a_server
from support.servers import free_port, shared_server, start_postgres

pytestmark = pytest.mark.integration  # else the watch over this very run would see what is tried here


def start_a_process() -> None:
    subprocess.run([sys.executable, "--version"], check=True, capture_output=True)


def connect() -> None:
    with socket.socket() as one:
        one.connect(("127.0.0.1", 9))


@pytest.fixture(scope="module")
def watch() -> Watch:
    """A watch of our own."""
    return Watch()


class Item:
    """A test, as far as the watch and the order look at it."""

    def __init__(self, *marks: str) -> None:
        self.marks = marks

    def get_closest_marker(self, name: str) -> str | None:
        """Its mark of that name."""
        return name if name in self.marks else None


@pytest.mark.parametrize("forbidden", [start_a_process, connect, free_port, shared_server, start_postgres])
def test_what_a_unit_test_must_not_do_fails_it_even_where_it_is_caught(
    watch: Watch, forbidden: Callable[[], object]
) -> None:
    with pytest.raises(Unmarked, match="mark it `integration`"), watch.over(Item()), suppress(Exception):  # type: ignore[arg-type]
        forbidden()


def test_an_integration_test_may(watch: Watch) -> None:
    with watch.over(Item(INTEGRATION)):  # type: ignore[arg-type]
        start_a_process()


def test_slow_tests_come_first_and_the_others_stay_in_their_order() -> None:
    tests = [Item(), Item(SLOW), Item(INTEGRATION), Item(SLOW, INTEGRATION)]
    ordered = list(tests)
    mark_and_order(ordered)  # type: ignore[arg-type]
    assert ordered == [tests[1], tests[3], tests[0], tests[2]]


@pytest.mark.parametrize(
    ("fixtures", "parameters", "needs"),
    [
        (["tmp_path"], {}, False),
        (["postgres_url"], {}, True),
        (["place"], {"place": "sqlite"}, False),
        (["place"], {"place": "postgres"}, True),
        (["place"], {"place": "local postgres"}, True),
        (["store"], {"store": ("nats", "postgres")}, True),
        (["url"], {"url": "postgresql://host/db"}, False),
    ],
)
def test_fixtures_and_parameters_say_what_needs_a_server(
    fixtures: list[str], parameters: dict[str, object], needs: bool
) -> None:
    item = SimpleNamespace(fixturenames=fixtures, callspec=SimpleNamespace(params=parameters))
    assert needs_a_server(item) is needs  # type: ignore[arg-type]
