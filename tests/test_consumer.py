"""`verbale consume`, `broker` and `publish`, as their users start them."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import nats as nats_client
import pytest
from conftest import Run
from support.brokers import (
    Consumer,
    consumer,
    fresh_ledger,
    heard,
    nats,
    prepare,
    publish,
    redis_server,
    settled,
    until,
)
from support.messages import CONTRACT, charge, child_environment, contract_in_force, opening, rows

from adapters.brokers.address import BrokerError
from adapters.brokers.nats_server import NatsServer


@pytest.fixture(scope="module")
def broker() -> Iterator[NatsServer]:
    """A private NATS server."""
    with nats() as server:
        yield server


@pytest.fixture
def ledger(broker: NatsServer) -> str:
    """A ledger set up at the broker."""
    name = fresh_ledger()
    prepare(broker.url, name)
    return name


def place(folder: Path) -> str:
    """A store that is not there yet."""
    return f"sqlite:///{folder / 'verbale.db'}"


def status(one: Consumer) -> tuple[int, str]:
    """How a consumer ends that cannot begin, and what it says."""
    try:
        one.begin()
        return one.wait(), one.said
    finally:
        one.remove()


def told(one: Consumer, event: str) -> list[dict[str, Any]]:
    """What its log tells of an event."""
    lines = [json.loads(line) for line in one.said.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def get(one: Consumer, path: str) -> Any:
    """What it answers over HTTP."""
    with urllib.request.urlopen(f"http://{one.listen}{path}", timeout=10) as answer:
        return json.loads(answer.read())


def test_messages_are_recorded_and_it_stops_when_asked(broker: NatsServer, ledger: str, tmp_path: Path) -> None:
    with consumer(place(tmp_path), ledger, broker.url) as one:
        assert f"ledger {ledger}, store {tmp_path / 'verbale.db'}, broker {broker.url}, http://{one.listen}" in one.said
        publish(broker.url, ledger, [*contract_in_force(), opening(), charge(), b"unreadable"])
        until(lambda: len(heard(broker.url, ledger)) == 7, "all are answered")
        until(lambda: settled(broker.url, ledger), "nothing is left")
        assert get(one, "/ready")["parts"]["broker"]["ready"] is True
        assert one.stop() == 0
        assert [line["event"] for line in told(one, "stopped")] == ["stopped"]
        assert CONTRACT not in one.said
    assert Counter(outcome for _, outcome in heard(broker.url, ledger)) == {"done": 6, "refused": 1}
    assert len(rows(tmp_path / "verbale.db", "SELECT 1 FROM inbox")) == 6


def test_a_message_that_waited_is_answered_a_second_time(broker: NatsServer, ledger: str, tmp_path: Path) -> None:
    with consumer(place(tmp_path), ledger, broker.url):
        publish(broker.url, ledger, [charge(id="charge")])
        until(lambda: heard(broker.url, ledger) == [("charge", "waiting")], "it waits")
        publish(broker.url, ledger, [opening(id="open")])
        until(lambda: len(heard(broker.url, ledger)) == 3, "it is woken")
        assert Counter(heard(broker.url, ledger)) == Counter(
            [("charge", "waiting"), ("open", "done"), ("charge", "done")]
        )
        until(lambda: rows(tmp_path / "verbale.db", "SELECT 1 FROM outbox") == [], "nothing is to be published")


def test_outcomes_that_nobody_could_publish_are_published_when_it_starts(
    broker: NatsServer, ledger: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERBALE_BROKER", broker.url)
    monkeypatch.setenv("VERBALE_LEDGER", ledger)
    for name, raw in (("first", charge(id="charge")), ("second", opening(id="open"))):
        (tmp_path / name).write_bytes(raw + b"\n")
        assert run("ingest", name, "--store", place(tmp_path))[0] == 0
    assert heard(broker.url, ledger) == []
    with consumer(place(tmp_path), ledger, broker.url):
        until(lambda: heard(broker.url, ledger) == [("charge", "done")], "the outbox is emptied")


def test_where_nothing_is_set_up_it_says_what_to_run(broker: NatsServer, tmp_path: Path) -> None:
    number, said = status(Consumer(place(tmp_path), "unheard-of", broker.url))
    assert number == 2
    assert "stream VERBALE_unheard-of_MESSAGES" in said
    assert "run verbale broker setup" in said
    assert "Traceback" not in said


@pytest.mark.integration
@pytest.mark.parametrize(
    "url", ["nats://user:secret@127.0.0.1:9", "redis://user:secret@127.0.0.1:9", "mqtt://a:secret@b"]
)
def test_a_broker_that_cannot_be_used_is_told_without_its_password(url: str, tmp_path: Path) -> None:
    number, said = status(Consumer(place(tmp_path), "main", url))
    assert number == 2
    assert "secret" not in said
    assert "Traceback" not in said


def test_with_no_broker_and_nowhere_to_listen_there_is_nothing_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERBALE_LISTEN", "none")
    number, _, said = run("consume")
    assert number == 2
    assert "no message could come in" in said


def test_a_port_that_is_taken_is_told(broker: NatsServer, ledger: str, tmp_path: Path) -> None:
    number, said = status(Consumer(place(tmp_path), ledger, broker.url, listen=f"127.0.0.1:{broker.port}"))
    assert number == 2
    assert f"port {broker.port}, cannot be listened on" in said


@pytest.mark.integration
def test_a_broker_that_goes_away_is_waited_for(tmp_path: Path) -> None:
    with nats() as server:
        ledger = fresh_ledger()
        prepare(server.url, ledger)
        with consumer(place(tmp_path), ledger, server.url) as one:
            publish(server.url, ledger, [opening(id="before")])
            until(lambda: heard(server.url, ledger) == [("before", "done")], "it is answered")
            server.kill()
            until(lambda: bool(told(one, "trouble")), "trouble is told")
            server.start()
            publish(server.url, ledger, [charge(id="after")])
            until(lambda: ("after", "done") in heard(server.url, ledger), "it goes on")
            assert one.stop() == 0


def test_what_is_taken_away_at_the_broker_is_told_and_it_goes_on_once_it_is_there_again(
    broker: NatsServer, ledger: str, tmp_path: Path
) -> None:
    async def take_away() -> None:
        connection = await nats_client.connect(broker.url)
        await connection.jetstream().delete_consumer(f"VERBALE_{ledger}_MESSAGES", "verbale")
        await connection.close()

    with consumer(place(tmp_path), ledger, broker.url) as one:
        publish(broker.url, ledger, [opening(id="before")])
        until(lambda: heard(broker.url, ledger) == [("before", "done")], "it is answered")
        asyncio.run(take_away())
        until(lambda: bool(told(one, "trouble")), "trouble is told")
        publish(broker.url, ledger, [charge(id="after")])
        prepare(broker.url, ledger)
        until(lambda: ("after", "done") in heard(broker.url, ledger), "it goes on")
        assert one.stop() == 0
        assert "run verbale broker setup" in told(one, "trouble")[0]["said"]


@pytest.mark.integration
def test_a_redis_that_goes_away_is_waited_for(tmp_path: Path) -> None:
    with redis_server() as server:
        ledger = fresh_ledger()
        prepare(server.url, ledger)
        with consumer(place(tmp_path), ledger, server.url) as one:
            publish(server.url, ledger, [opening(id="before")])
            until(lambda: heard(server.url, ledger) == [("before", "done")], "it is answered")
            server.stop()
            server.start()
            publish(server.url, ledger, [charge(id="after")])
            until(lambda: ("after", "done") in heard(server.url, ledger), "it goes on")
            assert one.stop() == 0


def test_where_the_store_is_away_a_batch_goes_back_and_a_second_signal_ends_it_at_once(
    broker: NatsServer, ledger: str, tmp_path: Path
) -> None:
    publish(broker.url, ledger, [opening(id="open")])
    with consumer(place(tmp_path), ledger, broker.url, settings={"VERBALE_LOCK_TIMEOUT": "1"}) as one:
        until(lambda: settled(broker.url, ledger), "it is answered")
        with closing(sqlite3.connect(tmp_path / "verbale.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            publish(broker.url, ledger, [charge(id="charge")])
            until(lambda: bool(told(one, "trouble")), "the store is away")
            assert one.stop() == 0
            other.execute("ROLLBACK")
        one.start()
        until(lambda: ("charge", "done") in heard(broker.url, ledger), "it is answered")

    slow = Consumer(place(tmp_path), ledger, broker.url, settings={"VERBALE_LOCK_TIMEOUT": "600"})
    try:
        slow.start()
        with closing(sqlite3.connect(tmp_path / "verbale.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            publish(broker.url, ledger, [charge(time="2026-03-02T10:00:00Z", id="later")])
            until(lambda: not settled(broker.url, ledger), "a batch is in hand")
            slow.signal(signal.SIGTERM)
            until(lambda: bool(told(slow, "stopping")), "it stops, and waits for the store")
            slow.signal(signal.SIGTERM)
            assert slow.wait() == 128 + signal.SIGTERM
    finally:
        slow.remove()


def test_setup_and_publish(broker: NatsServer, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = fresh_ledger()
    monkeypatch.setenv("VERBALE_BROKER", broker.url)
    monkeypatch.setenv("VERBALE_LEDGER", ledger)
    number, out, _ = run("broker", "setup")
    assert number == 0
    assert [line.rpartition(": ")[2] for line in out.splitlines()] == ["made"] * 3
    number, out, _ = run("broker", "setup")
    assert {line.rpartition(": ")[2] for line in out.splitlines()} == {"there already"}
    (tmp_path / "messages.jsonl").write_bytes(b"\n".join([*contract_in_force(), opening(), b"unreadable"]))
    assert run("publish", "messages.jsonl") == (0, "6 messages published\n", "")
    with consumer(place(tmp_path), ledger, broker.url):
        until(lambda: len(heard(broker.url, ledger)) == 6, "all are answered")


def test_publish_says_what_is_wrong(
    broker: NatsServer, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VERBALE_BROKER", raising=False)
    (tmp_path / "messages.jsonl").write_bytes(opening())
    number, _, said = run("publish", "messages.jsonl")
    assert number == 2
    assert "setting broker: there is none" in said
    monkeypatch.setenv("VERBALE_BROKER", broker.url)
    monkeypatch.setenv("VERBALE_LEDGER", "unheard-of")
    number, _, said = run("publish", "messages.jsonl")
    assert number == 2
    assert "run verbale broker setup" in said


@pytest.mark.integration
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_broker_for_a_trial_is_set_up_and_ends_with_the_command(number: signal.Signals, tmp_path: Path) -> None:
    # Where the tests themselves run in the background, a child would ignore SIGINT.
    script = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    script += "from bin.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-P", "-c", script, "broker", str(tmp_path / "kept")]
    environment = {name: value for name, value in child_environment().items() if not name.startswith("VERBALE_")}
    with subprocess.Popen(
        command, env={**environment, "VERBALE_LEDGER": "trial"}, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as trial:
        assert trial.stdout is not None
        said = [trial.stdout.readline() for _ in range(4)]
        assert said[0] == "stream VERBALE_trial_MESSAGES: made\n"
        url = said[3].strip().partition("VERBALE_BROKER=")[2]
        assert all(line.endswith(": there already") for line in prepare(url, "trial"))
        trial.send_signal(number)
        try:
            assert trial.wait(30) == 0
        finally:
            trial.kill()
    with pytest.raises(BrokerError):
        prepare(url, "trial")
