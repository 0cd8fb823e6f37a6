"""The programs of docs/producers do what they say, against a real broker and a real `verbale consume`."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from support.brokers import WITHIN, consumer, prepare, until
from support.servers import free_port

from adapters.brokers.nats_server import NatsServer
from adapters.inbox.handler import CommandHandler
from adapters.store.sqlite import open_store
from bin.cli import main
from bin.compose import clock, store_url
from bin.message_reference import PRODUCERS
from domain.incident import Incident
from domain.terms import Impact, Urgency
from domain.values import SECOND

FOLDER = Path(__file__).parent.parent / "docs" / "producers"
RUN_BY = {"py": [sys.executable, "-P"], "sh": ["sh"], "mjs": ["node"]}
NEEDS = {"sh": "curl", "mjs": "node"}
INCIDENTS = {"producer.py": "INC42", "producer.sh": "INC43", "producer.mjs": "INC44"}


@dataclass(frozen=True)
class Served:
    """A consumer that listens to a broker and over HTTP, and where its record is."""

    store: Path
    broker: str
    url: str
    token: str

    def run(self, file: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """One of the programs, as its reader would start it."""
        kind = file.rpartition(".")[2]
        if (needed := NEEDS.get(kind)) and shutil.which(needed) is None:
            pytest.skip(f"there is no {needed} on this machine, which {file} needs")
        given = {"VERBALE_BROKER": self.broker, "VERBALE_URL": self.url, "VERBALE_TOKEN": self.token, **changed}
        given["no_proxy"] = "127.0.0.1"
        return subprocess.run(
            [*RUN_BY[kind], FOLDER / file], env={**os.environ, **given}, capture_output=True, text=True, timeout=WITHIN
        )

    def incident(self, name: str) -> Incident:
        """What is recorded of an incident."""
        with closing(open_store(self.store, ledger_id="main", now=clock, read_only=True)) as ledger:
            found = CommandHandler(ledger, clock).state(f"incident-{name}")
        assert isinstance(found, Incident)
        return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The programs publish for the ledger `main`: a broker and a store that are theirs alone."""
    folder = tmp_path_factory.mktemp("producers")
    store = folder / "verbale.db"
    address = f"127.0.0.1:{free_port()}"
    with NatsServer(folder / "nats") as broker:
        prepare(broker.url, "main")
        with consumer(store_url(store), "main", broker.url, listen=address):
            yield Served(store, broker.url, f"http://{address}", issued("monitor", store))


def issued(source: str, store: Path) -> str:
    """A token, as the operator gets it."""
    with redirect_stdout(StringIO()) as printed:
        assert main(["token", "issue", source, "--store", store_url(store)]) == 0
    return printed.getvalue().strip()


def outcome_in(printed: str) -> dict[str, Any]:
    """The outcome that a program printed: over HTTP as it was answered, from a broker in a list of CloudEvents."""
    said = json.loads(printed)
    if isinstance(said, list):
        (event,) = said
        said = event["data"]
    assert isinstance(said, dict)
    return said


@pytest.mark.parametrize("file", PRODUCERS)
def test_what_a_program_tells_is_recorded_once_and_it_prints_what_became_of_it(file: str, served: Served) -> None:
    incident, began = INCIDENTS[file], clock() // SECOND
    ran = served.run(file)
    assert (ran.returncode, ran.stderr) == (0, "")
    outcome = outcome_in(ran.stdout)
    assert (outcome["outcome"], outcome["source"], outcome["version"]) == ("done", "monitor", 1)
    assert outcome["stream"] == f"incident-{incident}"
    opened = served.incident(incident).opened
    assert opened is not None
    assert (opened.contract, opened.impact, opened.urgency) == ("acme-2026", Impact.HIGH, Urgency.MEDIUM)

    until(lambda: clock() // SECOND > began + 1, "the clock of the shell, which knows seconds, has moved")
    ran = served.run(file)  # it says that the incident was opened now: another fact, and one that cannot be
    outcome = outcome_in(ran.stdout)
    assert (outcome["outcome"], outcome["source"]) == ("refused", "monitor")
    assert "opened" in outcome["reason"]
    assert len(served.incident(incident).record) == 1
    over_http = file != "producer.py"
    assert (ran.returncode != 0) == over_http


@pytest.mark.parametrize("file", ["producer.sh", "producer.mjs"])
def test_without_a_token_nothing_is_told(file: str, served: Served) -> None:
    ran = served.run(file, VERBALE_TOKEN="vbl_made-up")
    assert ran.returncode != 0
    assert json.loads(ran.stdout)["status"] == 401


@pytest.mark.parametrize("file", PRODUCERS)
def test_a_program_has_ten_lines(file: str) -> None:
    text = (FOLDER / file).read_text(encoding="utf-8")
    assert 5 < len(lines_of_code(file, text)) <= 10


def lines_of_code(file: str, text: str) -> list[str]:
    """The lines of a program that are not blank, not a comment and no import."""
    if file.endswith(".py"):
        text = "\n".join(
            ast.get_source_segment(text, node) or ""
            for node in ast.parse(text).body[1:]
            if not isinstance(node, ast.Import | ast.ImportFrom)
        )
    return [line for line in text.splitlines() if line.strip() and not line.startswith(("#", "//"))]
