"""The log: one JSON object a line, and nothing in it that must not be there."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from support.messages import Clock, charge, contract_in_force, memory, opening

from adapters.inbox.batcher import Batcher
from adapters.inbox.handler import CommandHandler
from adapters.store.ledger import LockedStore
from bin.logs import LIBRARIES, log_batch, log_trouble, set_up
from domain.values import read_instant


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Where the log goes; everything is as before in the end."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    loggers = [(one, one.handlers[:], one.propagate) for one in map(logging.getLogger, LIBRARIES)]
    written = io.StringIO()
    set_up(written)
    yield written
    root.handlers[:], level = before
    root.setLevel(level)
    for one, handlers, propagate in loggers:
        one.handlers[:], one.propagate = handlers, propagate
    structlog.reset_defaults()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    """What was logged."""
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_an_object_with_an_instant_in_utc(out: io.StringIO) -> None:
    structlog.get_logger("verbale").info("started", ledger="main")
    (line,) = lines(out)
    assert read_instant(line.pop("at")) > 0
    assert line == {"event": "started", "ledger": "main", "level": "info", "logger": "verbale"}


def test_a_batch_is_told_in_counts_and_never_in_words(out: io.StringIO) -> None:
    with memory(Clock()) as ledger:
        batcher = Batcher(CommandHandler(ledger, Clock()), log_batch, log_trouble)
        asyncio.run(batcher.receive([*contract_in_force(), charge(), b"not json"]))
        asyncio.run(batcher.receive([opening()]))
        batcher.close()
    first, second = lines(out)
    assert first["seconds"] > 0
    counts = ("done", "waiting", "refused", "woken")
    assert [[line.get(name) for name in counts] for line in (first, second)] == [[4, 1, 1, None], [1, None, None, 1]]
    assert "INC0001234" not in out.getvalue()


def test_of_a_trouble_only_words_of_our_own_are_told(out: io.StringIO) -> None:
    log_trouble(LockedStore("another process holds it"))
    try:
        json.loads(opening() + b"x")
    except ValueError as error:
        log_trouble(ValueError(f"{error}: {opening()!r}"))
    ours, other = lines(out)
    assert (ours["kind"], ours["said"]) == ("LockedStore", "another process holds it")
    assert (other["kind"], other["level"]) == ("ValueError", "error")
    assert "INC0001234" not in out.getvalue()


def test_an_exception_is_told_by_its_places(out: io.StringIO) -> None:
    try:
        raise ZeroDivisionError("secret words")
    except ZeroDivisionError:
        logging.getLogger("uvicorn.error").exception("Exception in %s application", "ASGI")
    (line,) = lines(out)
    assert (line["event"], line["kind"]) == ("Exception in ASGI application", "ZeroDivisionError")
    assert line["where"][-1].startswith("test_logs.py:")
    assert "secret words" not in out.getvalue()


@pytest.mark.parametrize("address", ["nats://me:pass/w@rd@h:4222", "amqp://me:pass/w@rd@h", "redis://:pass/w@rd@h/0"])
def test_an_address_is_told_without_its_password(out: io.StringIO, address: str) -> None:
    logging.getLogger("faststream").warning("cannot reach %s, again in %d s", address, 3)
    structlog.get_logger().warning("trouble", said=f"no answer from {address}")
    assert len(lines(out)) == 2
    assert "pass" not in out.getvalue()
    assert "***@h" in out.getvalue()


def test_what_a_library_logs_is_told_once(out: io.StringIO) -> None:
    for name in LIBRARIES:
        logging.getLogger(name).warning("hello")
    assert [line["event"] for line in lines(out)] == ["hello"] * len(LIBRARIES)
