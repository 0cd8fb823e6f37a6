"""Figures and readiness: what is counted, how things stand, and that neither names anything but sources and kinds."""

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.messages import SOURCE, Clock, change, charge, contract_in_force, memory, opening, stored
from support.servers import start_postgres

from adapters.inbox.batcher import Batcher
from adapters.inbox.handler import DEFAULT_PATIENCE, CommandHandler
from adapters.store.ledger import LockedStore, OutboxMessage
from bin.cli import main
from bin.compose import clock, open_ledger, store_url
from bin.metrics import Metrics
from bin.readiness import ReadinessCheck, ReadinessResult
from bin.settings import Settings
from domain.values import SECOND

DAY = 24 * 3600 * SECOND


class Broker:
    """A broker that answers or not, or takes for ever to."""

    def __init__(self, *, answers: bool | None) -> None:
        self.answers = answers

    async def alive(self) -> bool:
        """Whether it answers."""
        if self.answers is None:
            await asyncio.sleep(3600)
        return bool(self.answers)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of whoever runs the tests, no live tables in the folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VERBALE_CONFIG", raising=False)


@contextmanager
def receiving(handler: CommandHandler, metrics: Metrics) -> Iterator[Batcher]:
    """A batcher whose batches are counted."""
    batcher = Batcher(handler, metrics.on_handled, metrics.on_trouble)
    try:
        yield batcher
    finally:
        batcher.close()


def readiness(
    batcher: Batcher, broker: Broker | None = None, now: Clock | None = None, **chosen: object
) -> ReadinessResult:
    """What is ready."""
    check = ReadinessCheck(batcher, Settings.model_validate(chosen), broker, now or clock)
    return asyncio.run(check.result())


def samples(metrics: Metrics, seen: ReadinessResult) -> dict[tuple[str, ...], float]:
    """Each figure by its name and the values of its labels."""
    families = text_string_to_metric_families(metrics.exposition(seen).decode())
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_messages_are_counted_by_the_way_they_came_and_what_became_of_them() -> None:
    clock, metrics = Clock(), Metrics()
    with memory(clock) as ledger, receiving(CommandHandler(ledger, clock), metrics) as batcher:
        asyncio.run(batcher.receive([*contract_in_force(), charge("INC1"), charge("LOST")]))
        replies = asyncio.run(batcher.receive([opening("INC1"), opening("INC1"), b"not json"]))
        metrics.replied("http", replies)
        metrics.replied("broker", replies[:1])
        clock.now += DEFAULT_PATIENCE + 1
        asyncio.run(batcher.look_at_the_clock())
        found = samples(metrics, readiness(batcher))
    counted = {key[1:]: value for key, value in found.items() if key[0] == "verbale_messages_total"}
    assert counted == {
        ("done", "http"): 1,
        ("duplicate", "http"): 1,
        ("refused", "http"): 1,
        ("done", "broker"): 1,
        ("done", "waited"): 1,
        ("refused", "waited"): 1,
    }
    assert found["verbale_batch_seconds_count",] == found["verbale_batch_messages_count",] == 3
    assert found["verbale_batch_messages_sum",] == 9
    assert (found["verbale_facts",], found["verbale_waiting",], found["verbale_refused",]) == (6, 0, 2)


def test_the_outcomes_still_to_be_published_are_counted(place: Path | str) -> None:
    clock, metrics = Clock(), Metrics()
    with stored(place, clock) as ledger:
        handler = CommandHandler(ledger, clock, write_outbox_message=lambda reply: OutboxMessage(SOURCE, reply.raw))
        with receiving(handler, metrics) as batcher:
            asyncio.run(batcher.receive([*contract_in_force(), charge("INC1")]))
            asyncio.run(batcher.receive([opening("INC1")]))
            assert samples(metrics, readiness(batcher))["verbale_outbox",] == 1
            asyncio.run(batcher.published([one.number for one in asyncio.run(batcher.outbox(10))]))
            assert samples(metrics, readiness(batcher))["verbale_outbox",] == 0


def test_troubles_are_counted_by_their_kind() -> None:
    metrics = Metrics()
    for error in (LockedStore("a"), LockedStore("b"), ValueError("c")):
        metrics.on_trouble(error)
    with memory(Clock()) as ledger, receiving(CommandHandler(ledger, Clock()), metrics) as batcher:
        found = samples(metrics, readiness(batcher))
    assert found["verbale_troubles_total", "LockedStore"] == 2
    assert found["verbale_troubles_total", "ValueError"] == 1


def test_the_silence_of_sources_that_have_an_alarm_is_told_and_of_no_other() -> None:
    clock, metrics = Clock(), Metrics()
    with memory(clock) as ledger, receiving(CommandHandler(ledger, clock), metrics) as batcher:
        asyncio.run(batcher.receive(contract_in_force()))
        clock.now += 90 * SECOND
        seen = readiness(batcher, now=clock, silence_hours={SOURCE: 1, "never heard": 2})
        found = {key: value for key, value in samples(metrics, seen).items() if "silence" in key[0]}
        assert found == {
            ("verbale_source_silence_seconds", SOURCE): 90,
            ("verbale_source_silence_allowed_seconds", SOURCE): 3600,
            ("verbale_source_silence_seconds", "never heard"): math.inf,
            ("verbale_source_silence_allowed_seconds", "never heard"): 7200,
        }
        assert not [key for key in samples(metrics, readiness(batcher)) if "silence" in key[0]]


def test_no_figure_has_an_id_among_its_labels() -> None:
    metrics = Metrics()
    with memory(Clock()) as ledger, receiving(CommandHandler(ledger, Clock()), metrics) as batcher:
        metrics.replied("http", asyncio.run(batcher.receive([*contract_in_force(), opening(), charge("LOST")])))
        metrics.on_trouble(ValueError(opening().decode()))
        said = metrics.exposition(readiness(batcher, silence_hours={SOURCE: 1})).decode()
    labels = {name for family in text_string_to_metric_families(said) for one in family.samples for name in one.labels}
    assert labels == {"way", "outcome", "kind", "source", "le"}
    assert "INC0001234" not in said


def test_two_processes_metrics_know_nothing_of_each_other() -> None:
    one, another = Metrics(), Metrics()
    one.on_trouble(ValueError())
    with memory(Clock()) as ledger, receiving(CommandHandler(ledger, Clock()), one) as batcher:
        assert ("verbale_troubles_total", "ValueError") not in samples(another, readiness(batcher))


# --- readiness ---


@pytest.mark.parametrize(
    ("answers", "said"), [(True, "answers"), (False, "does not answer"), (None, "does not answer")]
)
def test_a_broker_that_does_not_answer_is_not_ready(
    monkeypatch: pytest.MonkeyPatch, answers: bool | None, said: str
) -> None:
    monkeypatch.setattr("bin.readiness.ANSWER_WITHIN", 0.5)
    with memory(Clock()) as ledger, receiving(CommandHandler(ledger, Clock()), Metrics()) as batcher:
        assert readiness(batcher).broker is None
        seen = readiness(batcher, Broker(answers=answers))
    assert seen.broker is not None
    assert seen.broker.said.startswith(said)
    assert seen.ready == seen.broker.ready == bool(answers)
    assert samples(Metrics(), seen)["verbale_broker_up",] == float(bool(answers))


def test_live_tables_that_lag_too_far_are_not_ready_where_there_are_any(tmp_path: Path) -> None:
    url = store_url(tmp_path / "verbale.db")
    chosen = Settings(store=url)
    with open_ledger(chosen, create=True) as ledger, receiving(CommandHandler(ledger, clock), Metrics()) as batcher:
        asyncio.run(batcher.receive(contract_in_force()))
        assert readiness(batcher, store=url).projection is None
        assert main(["project", "--once", "--store", url]) == 0
        current = readiness(batcher, store=url)
        asyncio.run(batcher.receive([opening()]))
        later = Clock()
        later.now = ledger.store.recorded_until() + 60 * SECOND
        soon = readiness(batcher, now=later, store=url)
        later.now += SECOND
        late = readiness(batcher, now=later, store=url)
    assert current.projection == (True, "0 facts and 0 seconds behind")
    assert (soon.ready, late.ready) == (True, False)
    assert late.projection is not None
    assert late.projection.said.startswith("1 facts and 61 seconds behind")
    found = samples(Metrics(), late)
    assert found["verbale_projection_lag_positions",] == 1
    assert found["verbale_projection_lag_seconds",] == 61


def test_live_tables_that_stopped_are_not_ready_however_little_they_lag(tmp_path: Path) -> None:
    place = tmp_path / "verbale.db"
    url = store_url(place)
    with (
        open_ledger(Settings(store=url), create=True) as ledger,
        receiving(CommandHandler(ledger, clock), Metrics()) as batcher,
    ):
        asyncio.run(batcher.receive(contract_in_force()))
        assert main(["project", "--once", "--store", url]) == 0
        asyncio.run(batcher.receive([opening()]))
        change(place, "DROP TRIGGER stored_events_UPDATE_refused")
        change(place, "UPDATE stored_events SET state = '{' WHERE rowid = 5")
        assert main(["project", "--once", "--store", url]) == 2
        seen = readiness(batcher, store=url)
    assert seen.projection == (False, "stopped before position 5: see verbale doctor")


def test_a_store_whose_server_goes_away_is_not_ready_until_it_is_back() -> None:
    server = start_postgres(fsync=False)
    try:
        chosen = Settings(store=server.url(), lock_timeout=1)
        with open_ledger(chosen, create=True) as ledger, receiving(CommandHandler(ledger, clock), Metrics()) as batcher:
            assert readiness(batcher, store=chosen.store).ready
            server.stop()
            away = readiness(batcher, store=chosen.store)
            assert not away.ready
            assert not away.store.ready
            assert samples(Metrics(), away)["verbale_store_up",] == 0
            assert ("verbale_facts",) not in samples(Metrics(), away)
            server.start()
            assert readiness(batcher, store=chosen.store).ready
    finally:
        server.remove()


def test_who_asks_often_is_told_what_was_seen_a_moment_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    with memory(Clock()) as ledger, receiving(CommandHandler(ledger, Clock()), Metrics()) as batcher:
        check = ReadinessCheck(batcher, Settings())

        async def several() -> list[ReadinessResult]:
            return await asyncio.gather(*(check.result() for _ in range(5)))

        seen = asyncio.run(several())
        assert all(one is seen[0] for one in seen)
        monkeypatch.setattr("bin.readiness.GOOD_FOR", 0.0)
        assert asyncio.run(check.result()) is not seen[0]
