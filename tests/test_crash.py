"""Killed at any instant, the store holds whole batches, nothing twice; the same input again completes it."""

import random
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.messages import (
    Clock,
    charge,
    child,
    contract_in_force,
    counts,
    event,
    message,
    opening,
    rows,
    stored,
    wire,
)

from adapters.inbox.handler import CommandHandler
from adapters.inbox.messages import read_message
from adapters.store.errors import NoStore
from adapters.store.postgres_url import postgres_location

BATCH = 10
ROUNDS = 8

INGEST = f"""
import os, signal, sys
from adapters.inbox import ingest as intake
from adapters.inbox.handler import CommandHandler
from adapters.store.sql_recorder import SqlRecorder
from adapters.store.postgres_recorder import PostgresRecorder
from adapters.store.sqlite_recorder import SqliteRecorder
from support.servers import open_any

store, file, now, where, fatal = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
intake.BATCH = {BATCH}
begun = 0

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def dies_before(step):
    def patched(self, *arguments, **more):
        global begun
        begun += 1
        if begun == fatal:
            die()
        return step(self, *arguments, **more)
    return patched

def dies_after(step):
    def patched(self, *arguments, **more):
        global begun
        begun += 1
        result = step(self, *arguments, **more)
        if begun == fatal:
            if where == "before the commit" and isinstance(self, PostgresRecorder):
                with arguments[0].connection.pipeline() as pipeline:
                    pipeline.sync()  # what was written has come to the server
            die()
        return result
    return patched

if where == "between events and seals":
    SqlRecorder._seals = dies_before(SqlRecorder._seals)
elif where == "between seals and inbox":
    SqlRecorder._record_messages = dies_before(SqlRecorder._record_messages)
elif where == "before the commit":
    SqlRecorder._record = dies_after(SqlRecorder._record)
elif where == "before the answer":
    for recorder in (SqliteRecorder, PostgresRecorder):
        recorder.insert_events = dies_after(recorder.insert_events)

ledger = open_any(store, now=lambda: now)

def settled(count):
    print("batch", flush=True)
    wait()

def wait():
    if where == "step by step":
        sys.stdin.readline()

with open(file, "rb") as lines:
    wait()
    intake.take_in(CommandHandler(ledger, lambda: now), intake.read_lines(lines, file), settled)
ledger.close()
"""


def _input() -> list[bytes]:
    """A few hundred messages: a contract, incidents in disorder, some that wait for ever, some that are refused."""
    found = contract_in_force()
    for number in range(70):
        incident, minute = f"INC{number:04}", f"{number % 60:02}"
        day = f"2026-03-{2 + number // 60:02}"
        story = [
            opening(incident, time=f"{day}T08:{minute}:00Z"),
            charge(incident, time=f"{day}T09:{minute}:00Z"),
            message("incident.start_intervention", f"incident-{incident}", f"{day}T10:{minute}:00Z"),
            message(
                "credits.consume",
                "credits-acme-2026",
                f"{day}T12:{minute}:00Z",
                {"work": f"W{number}", "incident": incident, "minutes": 7},
            ),
        ]
        if number % 5 == 0:
            story.append(charge(f"NEVER{number}", time=f"{day}T09:{minute}:00Z"))
        if number % 7 == 0:
            story.append(wire(event("incident.open", f"incident-{incident}", f"{day}T08:59:00Z", {"impact": "none"})))
        if number % 3 == 0:
            story[0], story[1] = story[1], story[0]
        found += story
    return found


MESSAGES = _input()


class Contents(NamedTuple):
    """Everything a file holds, but for when it was recorded."""

    facts: list[tuple[Any, ...]]
    inbox: list[tuple[Any, ...]]
    waiting: list[tuple[Any, ...]]
    refused: list[tuple[Any, ...]]


def contents(place: Path | str) -> Contents:
    """What the store holds, read past every layer of ours."""
    queries = (
        "SELECT leaf, position, originator_id, originator_version, topic, state, contract, source, message FROM seal "
        "JOIN stored_events ON stored_events.rowid = position",
        "SELECT source, message, digest, stream, version, leaf FROM inbox",
        "SELECT source, message, digest, stream, raw FROM waiting",
        "SELECT raw, clause, field, reason FROM refused",
    )
    if isinstance(place, Path):
        assert rows(place, "PRAGMA integrity_check") == [("ok",)]
    held = counts(place)
    assert held["stored_events"] == held["seal"]
    return Contents(*(sorted(rows(place, query)) for query in queries))


def identities(raws: Sequence[bytes]) -> list[str]:
    """The ids of the messages that are well formed."""
    return [read_message(raw).id for raw in raws if b'"none"' not in raw]


def check_whole_batches(place: Path | str) -> int:
    """Every batch of the input is in the store whole or not at all, in order, and nothing is there twice."""
    held = contents(place)
    assert [fact[0] for fact in held.facts] == list(range(len(held.facts)))
    assert [fact[1] for fact in held.facts] == list(range(1, len(held.facts) + 1))
    versions: dict[str, list[int]] = {}
    for fact in held.facts:
        versions.setdefault(fact[2], []).append(fact[3])
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())

    receipts = [receipt[1] for receipt in held.inbox]
    assert {receipt[1]: receipt[5] for receipt in held.inbox} == {fact[8]: fact[0] for fact in reversed(held.facts)}

    settled = len(receipts) + len(held.waiting)
    settled_names = {*receipts, *(kept[1] for kept in held.waiting)}
    assert settled == len(settled_names)
    refused = {row[0] for row in held.refused}
    batches = [MESSAGES[start : start + BATCH] for start in range(0, len(MESSAGES), BATCH)]
    whole = 0
    for batch in batches:
        if not settled_names.issuperset(identities(batch)):
            break
        whole += 1
    taken = MESSAGES[: whole * BATCH]
    assert settled_names == set(identities(taken))
    assert refused == {raw for raw in taken if b'"none"' in raw}
    return whole


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What a run that nobody disturbs leaves."""
    path = tmp_path_factory.mktemp("clean") / "verbale.db"
    _complete(path)
    assert check_whole_batches(path) == -(-len(MESSAGES) // BATCH)
    return contents(path)


def _complete(place: Path | str) -> None:
    clock = Clock()
    with stored(place, clock) as ledger:
        handler = CommandHandler(ledger, clock)
        for start in range(0, len(MESSAGES), BATCH):
            handler.handle(MESSAGES[start : start + BATCH])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The input, as JSON Lines."""
    path = tmp_path / "messages.jsonl"
    path.write_bytes(b"\n".join(MESSAGES) + b"\n")
    return path


def test_the_input_has_facts_waiting_and_refused_messages(clean: Contents) -> None:
    assert len(MESSAGES) > 300
    assert len(clean.facts) == len(clean.inbox) == 4 + 70 * 4
    assert len(clean.waiting) == 14
    assert len(clean.refused) == 10


def victim(place: Path | str) -> Path | str:
    """The place, as a process that is to be killed is told it."""
    return place if isinstance(place, Path) else f"{place}&application_name={postgres_location(place).schema}"


def settle(place: Path | str) -> None:
    """Wait until the server has noticed that its client is dead, and finished what had been sent."""
    if isinstance(place, str):
        asked = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{postgres_location(place).schema}'"
        while rows(place, asked) != [(0,)]:
            time.sleep(0.01)


@pytest.mark.integration
@pytest.mark.slow
def test_killed_again_and_again_the_store_holds_whole_batches_and_is_completed(
    place: Path | str, file: Path, clean: Contents
) -> None:
    chance = random.Random(20261124)
    whole = 0
    for _ in range(ROUNDS):
        process = child(INGEST, victim(place), file, Clock().now, "step by step", 0)
        assert process.stdin is not None
        assert process.stdout is not None
        begun = whole + chance.randrange(1, 6)
        try:
            for batch in range(begun):
                process.stdin.write("go\n")
                process.stdin.flush()
                if batch + 1 < begun:
                    assert process.stdout.readline() == "batch\n"
            time.sleep(chance.random() * 0.01)
        finally:
            process.kill()
            process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        settle(place)
        whole = check_whole_batches(place)
        assert whole in (begun - 1, begun)
    assert 0 < whole < len(MESSAGES) // BATCH
    _complete(place)
    assert contents(place) == clean


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "recorded"),
    [
        ("between events and seals", False),
        ("between seals and inbox", False),
        ("before the commit", False),
        ("before the answer", True),
    ],
)
@pytest.mark.parametrize("fatal", [1, 9])
def test_killed_inside_a_transaction_it_is_there_whole_or_not_at_all(
    place: Path | str, file: Path, clean: Contents, where: str, recorded: bool, fatal: int
) -> None:
    process = child(INGEST, victim(place), file, Clock().now, where, fatal)
    said, error = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, error
    assert said.count("batch") == fatal - 1
    settle(place)
    assert check_whole_batches(place) == fatal - 1 + recorded
    again = child(INGEST, place, file, Clock().now, "nowhere", 0)
    _, error = again.communicate(timeout=60)
    assert again.returncode == 0, error
    assert contents(place) == clean


@pytest.mark.integration
@pytest.mark.slow
def test_a_store_killed_while_it_was_made_is_made_again(place: Path | str, file: Path, clean: Contents) -> None:
    chance = random.Random(7)
    for _ in range(3):
        process = child(
            INGEST.replace("ledger = open_any", 'print("ready", flush=True)\nledger = open_any'),
            victim(place), file, Clock().now, "nowhere", 0,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for _ in range(chance.randrange(0, 20_000)):
            pass
        process.kill()
        process.communicate(timeout=60)
        settle(place)
        with suppress(NoStore), stored(place, Clock(), create=False):
            check_whole_batches(place)
    _complete(place)
    assert contents(place) == clean
