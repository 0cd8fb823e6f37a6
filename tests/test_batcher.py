"""The batcher: batches one at a time, ones gathered, a store that is away, a fault of ours."""

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from support.messages import Clock, charge, contract_in_force, memory, names, opening, stored

from adapters.inbox.batcher import Batcher, Handled, Stopping
from adapters.inbox.handler import CommandHandler
from adapters.inbox.outcomes import Answered, Done, Refused
from adapters.store.errors import LockedStore, StoreError
from domain import incident as incidents
from domain.incident_facts import TakeInCharge


@pytest.fixture
def handler() -> Iterator[CommandHandler]:
    """A command handler over a store in memory, with a contract in force."""
    with memory(Clock()) as ledger:
        handler = CommandHandler(ledger, Clock())
        handler.handle(contract_in_force())
        yield handler


def test_a_batch_is_answered_in_order(handler: CommandHandler) -> None:
    handled: list[Handled] = []
    batcher = Batcher(handler, handled.append)
    replies = asyncio.run(batcher.receive([opening(), charge(), b"not json"]))
    assert names([reply.outcome for reply in replies]) == ["Done", "Done", "Refused"]
    assert [len(batch.answered.replies) for batch in handled] == [3]


def test_messages_that_come_in_ones_are_recorded_together_and_answered_apart(handler: CommandHandler) -> None:
    handled: list[Handled] = []
    batcher = Batcher(handler, handled.append)

    async def many() -> list[str]:
        asked = [batcher.receive_one(opening(f"INC{number}")) for number in range(700)]
        return [reply.identity[1] for reply in await asyncio.gather(*asked) if reply.identity]

    answered = asyncio.run(many())
    assert len(set(answered)) == 700
    assert [len(batch.answered.replies) for batch in handled] == [500, 200]
    assert handler.ledger.store.counts()["messages"] == 700 + len(contract_in_force())


def test_while_the_store_is_away_a_batch_waits_for_it(handler: CommandHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    troubles: list[Exception] = []
    real, away = handler.handle, [True, True, False]

    def handle(raws: Sequence[bytes]) -> Answered:
        if away.pop(0):
            raise LockedStore("locked")
        return real(raws)

    monkeypatch.setattr(handler, "handle", handle)
    batcher = Batcher(handler, on_trouble=troubles.append)
    (reply,) = asyncio.run(batcher.receive_patiently([opening()]))
    assert isinstance(reply.outcome, Done)
    assert [type(trouble) for trouble in troubles] == [LockedStore, LockedStore]


def test_a_batch_goes_back_where_it_came_from_when_one_stops_while_the_store_is_away(
    handler: CommandHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handle(raws: Sequence[bytes]) -> Answered:
        raise LockedStore("locked")

    monkeypatch.setattr(handler, "handle", handle)
    batcher = Batcher(handler)

    async def stopped() -> None:
        waiting = asyncio.create_task(batcher.receive_patiently([opening()]))
        await asyncio.sleep(0)
        batcher.stop()
        await waiting

    with pytest.raises(Stopping):
        asyncio.run(stopped())


def test_whoever_posts_hears_that_the_store_is_away(handler: CommandHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    def handle(raws: Sequence[bytes]) -> Answered:
        raise LockedStore("locked")

    monkeypatch.setattr(handler, "handle", handle)
    with pytest.raises(StoreError):
        asyncio.run(Batcher(handler).receive_one(opening()))


def test_a_fault_of_ours_costs_one_message_its_answer_and_no_other(
    handler: CommandHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = handler.handle

    def handle(raws: Sequence[bytes]) -> Answered:
        if opening("INC3") in raws:
            raise ZeroDivisionError("a bug")
        return real(raws)

    monkeypatch.setattr(handler, "handle", handle)
    raws = [opening(f"INC{number}") for number in range(5)]
    replies = asyncio.run(Batcher(handler).receive(raws))
    assert names([reply.outcome for reply in replies]) == ["Done", "Done", "Done", "Refused", "Done"]
    outcome = replies[3].outcome
    assert isinstance(outcome, Refused)
    assert outcome.clause == "R6"
    assert [row.message.raw for row in handler.ledger.store.refused()] == [opening("INC3")]

    monkeypatch.setattr(handler, "handle", real)
    (again,) = asyncio.run(Batcher(handler).receive([opening("INC3")]))
    assert isinstance(again.outcome, Done)
    assert handler.ledger.store.refused() == []


def test_what_a_store_has_no_room_for_is_refused_alone(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.inbox.messages.MOST_BYTES_OF_IDENTITY", 100_000)  # as a fault of ours would have it
    chance = random.Random(4)
    name = "".join(chr(chance.randrange(0x20000, 0x2A6D0)) for _ in range(500))
    huge = json.dumps({**json.loads(opening("INC-HUGE")), "id": name, "source": name[::-1]}).encode()
    with stored(postgres_url, Clock()) as ledger:
        replies = asyncio.run(
            Batcher(CommandHandler(ledger, Clock())).receive([opening("INC1"), huge, opening("INC2")])
        )
    assert names([reply.outcome for reply in replies]) == ["Done", "Refused", "Done"]
    outcome = replies[1].outcome
    assert isinstance(outcome, Refused)
    assert outcome.clause == "R6"


def test_a_fault_of_ours_in_a_message_that_waited_does_not_cost_the_one_that_wakes_it_its_answer(
    handler: CommandHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = incidents.decide

    def decide(incident: Any, command: Any, *answer: Any) -> Any:
        if isinstance(command, TakeInCharge) and incident.opened is not None:
            raise ZeroDivisionError("a bug")
        return real(incident, command, *answer)

    handler.handle([charge()])
    monkeypatch.setattr(incidents, "decide", decide)
    (reply,) = asyncio.run(Batcher(handler).receive([opening()]))
    assert isinstance(reply.outcome, Done)
    (row,) = handler.ledger.store.refused()
    assert (row.message.raw, row.message.clause) == (charge(), "R6")
    assert handler.ledger.store.all_waiting() == []
