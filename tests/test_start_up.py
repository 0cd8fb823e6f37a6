"""What a command loads: the modules that it needs, and none of those that take a while and belong to others."""

import subprocess
import sys
from pathlib import Path

import pytest

from bin.cli import main
from bin.command_list import COMMANDS

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parent.parent
SERVICES = {"fastapi", "starlette", "uvicorn", "limits", "prometheus_client", "faststream", "nats", "structlog"}
SERVICES |= {"aio_pika", "aiokafka", "redis"}
STORES = {"eventsourcing", "sqlite3", "psycopg", "psycopg_pool"}
NEVER_NEEDED = SERVICES | {"psycopg", "psycopg_pool", "holidays", "icalendar"}

LOADED_BY = """
import contextlib, io, sys
sys.path.insert(0, sys.argv.pop(1))
from bin.cli import main
with contextlib.redirect_stdout(io.StringIO()):
    status = main(sys.argv[1:])
print(status, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def loaded_by(*typed: str, folder: Path | None = None) -> set[str]:
    """The top-level modules that are loaded once a command has run, in a process of its own."""
    command = [sys.executable, "-P", "-c", LOADED_BY, str(ROOT), *typed]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    status, *modules = done.stdout.split()
    assert status == "0", done.stderr
    return set(modules)


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    assert main(["demo", str(folder)]) == 0
    return folder


@pytest.mark.parametrize("typed", [["--help"], ["--version"]], ids=" ".join)
def test_what_only_prints_a_text_loads_no_model(typed: list[str]) -> None:
    assert loaded_by(*typed).isdisjoint(NEVER_NEEDED | STORES | {"pydantic"})


@pytest.mark.parametrize(
    "typed", [["tables"], ["schema"], ["readings"], ["ingest", "--help"], ["report", "--help"]], ids=" ".join
)
def test_what_opens_no_store_loads_no_server_and_no_client(typed: list[str]) -> None:
    assert loaded_by(*typed).isdisjoint(SERVICES | {"psycopg", "psycopg_pool", "holidays", "icalendar"})


REPORTS = [command.name for command in COMMANDS if command.name.startswith("report ")]


@pytest.mark.parametrize("typed", [*REPORTS, "explain B-13", "timeline incident-B-13", "unrouted", "refused list"])
def test_reading_a_store_in_a_file_loads_nothing_of_servers(demo_folder: Path, typed: str) -> None:
    store = f"sqlite:///{demo_folder / 'verbale.db'}"
    assert loaded_by(*typed.split(), "--store", store).isdisjoint(NEVER_NEEDED)


def test_recording_in_a_file_loads_nothing_of_servers(demo_folder: Path, tmp_path: Path) -> None:
    assert loaded_by("ingest", str(demo_folder / "messages.jsonl"), folder=tmp_path).isdisjoint(NEVER_NEEDED)
