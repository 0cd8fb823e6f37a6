"""What every test run needs: pinned time-zone rules, hypothesis without a stopwatch, a store of each kind.

What tests cost, and how they are told apart: `support/costs.py`.
"""

import os
import zoneinfo
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings
from support.costs import Watch, mark_and_order
from support.servers import fresh_schema, local_server, prepare_shared_server, shared_server, stop_shared_server

from bin.cli import main

Run = Callable[..., tuple[int, str, str]]

# The tzdata package, never the machine's own files: the same rules everywhere.
zoneinfo.reset_tzpath(())

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# In CI the stores are also tried on the PostgreSQL of the machine, whatever its version.
LOCAL = local_server() if os.environ.get("CI") else None
STORES = ["sqlite", "postgres", *(["local postgres"] if os.environ.get("CI") else [])]


WATCH = Watch()


def pytest_configure(config: pytest.Config) -> None:
    """The tests of a run share one private server, which the first that needs it starts."""
    if not hasattr(config, "workerinput"):
        prepare_shared_server()


def pytest_unconfigure(config: pytest.Config) -> None:
    """It ends with the run."""
    if not hasattr(config, "workerinput"):
        stop_shared_server()


@pytest.hookimpl(tryfirst=True)  # before tests are left out by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests are marked by what they cost."""
    mark_and_order(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """No unit test is prepared by a server."""
    with WATCH.over(item):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """No unit test needs one."""
    with WATCH.over(item):
        yield


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command in an empty directory: exit status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    for name in ("STORE", "CONFIG", "LANGUAGE", "LEDGER", "DEBUG"):
        monkeypatch.delenv(f"VERBALE_{name}", raising=False)

    def command(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """The address of a PostgreSQL store that does not exist yet."""
    with fresh_schema(shared_server()) as url:
        yield url


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """Where the store of a test is, on every kind of store; there is none yet."""
    with ExitStack() as stack:
        match request.param:
            case "sqlite":
                yield tmp_path / "verbale.db"
            case "postgres":
                yield stack.enter_context(fresh_schema(shared_server()))
            case _ if LOCAL is None:
                pytest.skip("no PostgreSQL answers on this machine's usual port")
            case _:
                yield stack.enter_context(fresh_schema(LOCAL))
