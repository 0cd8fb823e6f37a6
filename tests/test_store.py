"""The stores: one transaction for all of a batch, optimistic concurrency, and plain words for every trouble."""

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from psycopg.errors import DiskFull, RestrictViolation
from support.messages import (
    CONTRACT,
    HOUR,
    INCIDENT,
    NOON,
    Clock,
    change,
    charge,
    child,
    contract_in_force,
    counts,
    ingest,
    memory,
    message,
    names,
    opening,
    rows,
    sign,
    stored,
    wire,
)

from adapters import retries
from adapters.inbox.handler import CommandHandler
from adapters.inbox.messages import examples
from adapters.inbox.outcomes import Done, Duplicate, Refused
from adapters.store import sql_events
from adapters.store import sqlite as sqlite_module
from adapters.store.errors import (
    DamagedStore,
    LockedStore,
    LostRace,
    NewerStore,
    NoStore,
    NotAStore,
    ReadOnlyStore,
    StoreError,
)
from adapters.store.leaf import Origin
from adapters.store.ledger import Ledger
from adapters.store.recorder import Notifications
from adapters.store.records import Batch, NewFact, Receipt
from adapters.store.sql import EVIDENCE, FORMAT
from adapters.store.sql_recorder import SqlRecorder
from adapters.store.sqlite import open_store
from domain.catalogue import Catalogue
from domain.facts import Fact
from domain.incident_facts import IncidentOpened, IncidentTakenInCharge

STREAM = f"incident-{INCIDENT}"
ORIGIN = Origin(None, "s", "m", None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store of a test is."""
    return tmp_path / "verbale.db"


@pytest.fixture
def ledger(place: Path | str) -> Iterator[Ledger]:
    """A ledger in a file, at noon."""
    with stored(place, Clock()) as found:
        yield found


def many(batch: int, size: int = 3) -> list[bytes]:
    """Requests of their own."""
    return [opening(f"INC{batch:03}{index}", contract=None) for index in range(size)]


# --- one transaction --------------------------------------------------------------------------------------------


def test_facts_seals_and_inbox_of_a_batch_are_written_together(place: Path | str) -> None:
    outcomes = ingest(place, [*contract_in_force(), opening(), charge("INC9"), b"not json"])
    assert names(outcomes) == ["Done"] * 5 + ["Waiting", "Refused"]
    assert counts(place) == {"stored_events": 5, "seal": 5, "inbox": 5, "waiting": 1, "refused": 1}


@pytest.mark.parametrize("step", ["_seals", "_record_messages"])
def test_an_error_in_the_middle_of_a_transaction_leaves_nothing(
    place: Path | str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    handler = CommandHandler(ledger, Clock())
    handler.handle([*contract_in_force(), charge("INC9")])
    before = counts(place)

    def fail(*_: object) -> Iterator[tuple[Any, ...]]:
        raise sqlite3.OperationalError("disk I/O error") if isinstance(place, Path) else DiskFull("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(SqlRecorder, step, fail)
        with pytest.raises(StoreError, match="disk I/O error"):
            handler.handle([opening(), opening("INC9"), b"not json"])
    assert counts(place) == before
    answered = handler.handle([opening(), opening("INC9"), b"not json"])
    assert names(answered.outcomes) == ["Done", "Done", "Refused"]
    assert names([reply.outcome for reply in answered.woken]) == ["Done"]
    assert counts(place) == {"stored_events": 7, "seal": 7, "inbox": 7, "waiting": 0, "refused": 1}
    assert rows(place, "SELECT leaf, position FROM seal ORDER BY leaf") == [(n, n + 1) for n in range(7)]


def test_a_receipt_already_given_refuses_the_whole_batch(place: Path | str, ledger: Ledger) -> None:
    CommandHandler(ledger, Clock()).handle([opening(id="m1")])
    fact = IncidentTakenInCharge(at=1)
    origin = Origin(None, "helpdesk://test", "m1", None)
    receipt = Receipt(("helpdesk://test", "m1"), b"x", STREAM, 2, None)
    with pytest.raises(LostRace):
        ledger.append(Batch(facts=[NewFact(STREAM, 2, fact, origin)], receipts=[(receipt, 0)]))
    assert counts(place) == {"stored_events": 1, "seal": 1, "inbox": 1, "waiting": 0, "refused": 0}


def test_a_version_already_taken_refuses_the_whole_batch(place: Path | str, ledger: Ledger) -> None:
    CommandHandler(ledger, Clock()).handle([opening(), charge()])
    fact, origin = IncidentTakenInCharge(at=1), Origin(None, "s", "m", None)
    with pytest.raises(LostRace):
        ledger.append(Batch(facts=[NewFact("incident-INC2", 1, fact, origin), NewFact(STREAM, 2, fact, origin)]))
    assert counts(place)["stored_events"] == counts(place)["seal"] == 2


def test_facts_are_never_recorded_without_their_seals(place: Path | str, ledger: Ledger) -> None:
    bare: Any = NewFact(STREAM, 1, IncidentTakenInCharge(at=1), Origin(None, "s", "m", None))
    with pytest.raises(TypeError):
        ledger.save(bare)
    assert counts(place)["stored_events"] == 0


def test_a_batch_that_adds_no_fact_is_recorded_too(place: Path | str) -> None:
    assert names(ingest(place, [charge()])) == ["Waiting"]
    assert names(ingest(place, [b"{}"])) == ["Refused"]
    assert counts(place) == {"stored_events": 0, "seal": 0, "inbox": 0, "waiting": 1, "refused": 1}


def test_each_message_of_a_batch_has_its_outcome(ledger: Ledger) -> None:
    batch = [
        *many(1),
        many(1)[0],
        b"{",
        charge("INC9"),
        opening("INC0010", contract=None, impact="low"),
        charge("INC0011"),
    ]
    outcomes = CommandHandler(ledger, Clock()).handle(batch).outcomes
    assert names(outcomes) == ["Done", "Done", "Done", "Duplicate", "Refused", "Waiting", "Refused", "Done"]
    assert outcomes[3] == Duplicate("incident-INC0010", 1, 0)
    assert outcomes[7] == Done("incident-INC0011", 2, 3)


# --- reading back -----------------------------------------------------------------------------------------------


def test_reading_back_gives_equal_facts_also_after_opening_again(place: Path | str) -> None:
    raws = [wire(example) for example in examples().values()]
    with memory(Clock()) as trial:
        CommandHandler(trial, Clock()).handle(raws)
        recorded = list(trial.entries())
    ingest(place, raws)
    with stored(place, Clock(), create=False) as ledger:
        assert list(ledger.entries()) == recorded
        by_stream = ledger.streams(["credits-acme-2026", STREAM, "incident-none"])
    assert len(recorded) == len(raws)
    assert by_stream["incident-none"] == []
    for name in ("credits-acme-2026", STREAM):
        assert by_stream[name] == [entry.fact for entry in recorded if entry.stream == name]
    assert [entry.version for entry in recorded if entry.stream == STREAM] == list(range(1, 14))


def test_what_was_known_on_a_date_is_a_prefix_of_the_log(place: Path | str) -> None:
    clock = Clock()
    with stored(place, clock) as ledger:
        handler = CommandHandler(ledger, clock)
        for batch in range(4):
            handler.handle(many(batch))
            clock.now += HOUR
        whole = list(ledger.entries())
        for hours in range(4):
            known = list(ledger.entries(known_on=Clock().now + hours * HOUR))
            assert known == whole[: 3 * (hours + 1)]
            assert ledger.store.position(Clock().now + hours * HOUR) == known[-1].position
        assert list(ledger.entries(known_on=Clock().now - 1)) == []
        assert (ledger.store.position(Clock().now - 1), ledger.store.position()) == (0, 12)


def test_the_entries_for_one_incident_leave_out_the_other_incidents_only(ledger: Ledger) -> None:
    CommandHandler(ledger, Clock()).handle(
        [*contract_in_force(), opening(), opening("INC00012345"), opening("INC0"), charge()]
    )
    streams = [entry.stream for entry in ledger.entries(incident=INCIDENT)]
    assert streams == [f"contract-{CONTRACT}"] * 3 + [f"credits-{CONTRACT}", STREAM, STREAM]


def test_streams_are_listed_by_prefix(ledger: Ledger) -> None:
    CommandHandler(ledger, Clock()).handle([sign("a"), sign("è-😀"), sign("\U0010fffe"), opening(contract=None)])
    assert sorted(ledger.store.stream_names("contract-")) == ["contract-a", "contract-è-😀", "contract-\U0010fffe"]


def test_more_streams_than_one_statement_takes_are_read_at_once(ledger: Ledger) -> None:
    raws = [opening(f"N{index}", contract=None) for index in range(1000)]
    assert set(names(CommandHandler(ledger, Clock()).handle(raws).outcomes)) == {"Done"}
    assert set(names(CommandHandler(ledger, Clock()).handle(raws).outcomes)) == {"Duplicate"}
    assert all(len(facts) == 1 for facts in ledger.streams([f"incident-N{index}" for index in range(1000)]).values())


def test_a_page_holds_the_facts_after_a_position(place: Path | str) -> None:
    with stored(place, Clock()) as ledger:
        assert ledger.page(0, 10) == []
        handler = CommandHandler(ledger, Clock())
        for batch in range(4):
            handler.handle(many(batch))
        whole = [ledger.entry(row) for row in ledger.page(0, 100)]
        assert whole == list(ledger.entries())
        assert [entry.position for entry in whole] == list(range(1, 13))
        pages = [ledger.page(after, 5) for after in (0, 5, 10, 12)]
    assert [[row.position for row in page] for page in pages] == [
        [1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12], []
    ]  # fmt: skip
    assert all(type(row.state) is bytes for page in pages for row in page)


def test_facts_come_by_stream_and_version_also_over_many_pages(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = CommandHandler(ledger, Clock())
    names_in_disorder = ["b", "a", "à", "A", "a-1", "\U0010fffe", "Z 9", "_"]
    handler.handle([sign("before"), *(opening(name, contract=None) for name in names_in_disorder)])
    for minute in range(3):
        handler.handle([charge(name, time=f"2026-03-02T09:{minute:02}:00Z") for name in names_in_disorder])
    monkeypatch.setattr(sql_events, "PAGE", 5)
    recorded = [(row.stream, row.version) for row in ledger.store.rows_by_stream("incident-", 1000)]
    in_order = sorted((f"incident-{name}" for name in names_in_disorder), key=str.encode)
    assert recorded == [(stream, version) for stream in in_order for version in range(1, 5)]
    until = [row.position for row in ledger.store.rows_by_stream("incident-", 12)]
    assert sorted(until) == list(range(2, 13))
    assert [row.stream for row in ledger.store.rows_by_stream("contract-", 1000)] == ["contract-before"]
    assert list(ledger.store.rows_by_stream("credits-", 1000)) == []
    assert [row.position for row in ledger.store.rows(None, None)] == list(range(1, 34))


# --- notifications ----------------------------------------------------------------------------------------------


def silent(notifications: Notifications) -> bool:
    """Whether nothing more is reported, once late notifications of the same batches have come."""
    return any(not notifications.wait(0.1) for _ in range(3))


def test_news_come_at_once_and_only_when_something_is_recorded(ledger: Ledger) -> None:
    handler = CommandHandler(ledger, Clock())
    handler.handle(many(0))
    with ledger.store.notifications() as notifications:
        assert not notifications.wait(0)
        handler.handle(many(1))
        assert notifications.wait(5)
        assert silent(notifications)
        handler.handle(many(2))
        handler.handle(many(3))
        assert notifications.wait(30)
        assert silent(notifications)


def test_news_of_another_thread_or_ledger_wake_who_waits(place: Path | str) -> None:
    with stored(place, Clock()) as one, stored(place, Clock()) as other, one.store.notifications() as notifications:
        for batch, ledger in enumerate((one, other)):
            with ThreadPoolExecutor(1) as pool:
                woken = pool.submit(notifications.wait, 5)
                time.sleep(0.05)
                CommandHandler(ledger, Clock()).handle(many(batch))
                assert woken.result()


def test_there_is_no_news_of_a_batch_that_was_not_recorded(ledger: Ledger) -> None:
    handler = CommandHandler(ledger, Clock())
    handler.handle(many(0))
    with ledger.store.notifications() as notifications:
        handler.handle([])
        with pytest.raises(LostRace):
            ledger.append(Batch(facts=[NewFact("incident-INC0000", 1, IncidentTakenInCharge(at=1), ORIGIN)]))
        assert not notifications.wait(0.3)


def test_the_store_counts_what_it_holds(ledger: Ledger) -> None:
    CommandHandler(ledger, Clock()).handle([opening(contract=None), charge(), charge("INC9"), b"{"])
    assert ledger.store.counts() == {"facts": 2, "messages": 2, "waiting": 1, "refused": 1}


def test_the_evidence_view_shows_instants_an_auditor_can_read(path: Path) -> None:
    ingest(path, [opening(contract=None, time="2026-03-02T09:00:00.000001+01:00")])
    ingest(path, [opening("OLD", contract=None, time="1969-12-31T23:59:59.5Z")])
    view = rows(path, "SELECT leaf, position, stream, version, type, occurred, recorded, source FROM evidence")
    noon = NOON.replace("Z", ".000000Z")
    assert view == [
        (0, 1, STREAM, 1, "incident.opened.v1", "2026-03-02T08:00:00.000001Z", noon, "helpdesk://test"),
        (1, 2, "incident-OLD", 1, "incident.opened.v1", "1969-12-31T23:59:59.500000Z", noon, "helpdesk://test"),
    ]


def test_the_state_stored_is_json_of_the_instant_in_microseconds_and_the_facts_own_fields(place: Path | str) -> None:
    ingest(place, [opening(), charge()])
    stored_rows = rows(place, "SELECT topic, state FROM stored_events ORDER BY rowid")
    assert [row[0] for row in stored_rows] == ["incident.opened.v1", "incident.taken_in_charge.v2"]
    assert json.loads(stored_rows[1][1]) == {
        "at": 1_772_442_000_000_000,
        "automatic": False,
        "evidence": [],
    }
    assert json.loads(stored_rows[0][1])["answer"] == {
        "coverage": "best_effort", "reason": "no_contract", "contract": None
    }  # fmt: skip


# --- time -------------------------------------------------------------------------------------------------------


def test_recorded_at_never_decreases_though_the_clock_goes_back(place: Path | str) -> None:
    clock = Clock()
    with stored(place, clock) as ledger:
        handler = CommandHandler(ledger, clock)
        for batch, hours in enumerate((0, 2, -5, 1, -1, 0)):
            clock.now += hours * HOUR
            handler.handle(many(batch, 2))
    recorded = [row[0] for row in rows(place, "SELECT recorded_at FROM seal ORDER BY leaf")]
    noon = Clock().now
    assert recorded == [noon] * 2 + [noon + 2 * HOUR] * 10


def test_the_position_of_a_lost_tail_is_not_used_again(path: Path) -> None:
    ingest(path, many(1))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER stored_events_DELETE_refused")
        connection.execute("INSERT INTO stored_events VALUES (9, 'incident-x', 1, 'x', '{}')")
        connection.execute("DELETE FROM stored_events WHERE rowid = 9")
        following = connection.execute("INSERT INTO stored_events VALUES (NULL, 'incident-y', 1, 'y', '{}')").lastrowid
    assert following == 10


# --- optimistic concurrency -------------------------------------------------------------------------------------


def overtaken(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, by: Callable[[], object]) -> None:
    """Let somebody else act between this ledger's next decision and its append, once."""
    append = ledger.append

    def late(batch: Batch) -> list[int]:
        monkeypatch.setattr(ledger, "append", append)
        by()
        return append(batch)

    monkeypatch.setattr(ledger, "append", late)


@pytest.fixture
def two_desks(place: Path | str) -> Iterator[tuple[CommandHandler, CommandHandler]]:
    """Two desks on one file; the incident is opened."""
    with ExitStack() as stack:
        one, other = (stack.enter_context(stored(place, Clock())) for _ in range(2))
        desks = CommandHandler(one, Clock()), CommandHandler(other, Clock())
        desks[0].handle([*contract_in_force(), opening()])
        yield desks


def test_a_lost_race_is_decided_again_and_both_are_recorded(
    two_desks: tuple[CommandHandler, CommandHandler], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two_desks
    seen: list[list[Any]] = []
    early = charge(time="2026-03-02T09:00:00Z")
    overtaken(one.ledger, monkeypatch, lambda: seen.append(other.handle([early]).outcomes))
    mine = one.handle([charge(time="2026-03-02T08:30:00Z")]).outcomes
    assert seen == [[Done(STREAM, 2, 5)]]
    assert mine == [Done(STREAM, 3, 6)]
    assert one.handle([early]).outcomes == [Duplicate(STREAM, 2, 5)]


def test_a_race_over_the_same_message_is_answered_as_the_first_time(
    two_desks: tuple[CommandHandler, CommandHandler], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two_desks
    overtaken(one.ledger, monkeypatch, lambda: other.handle([charge()]))
    assert one.handle([opening("INC2"), charge()]).outcomes == [Done("incident-INC2", 1, 6), Duplicate(STREAM, 2, 5)]


def test_a_race_over_the_same_id_with_other_content_is_refused(
    two_desks: tuple[CommandHandler, CommandHandler], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two_desks
    overtaken(one.ledger, monkeypatch, lambda: other.handle([charge(id="m1")]))
    (outcome,) = one.handle([charge(id="m1", time="2026-03-02T09:30:00Z")]).outcomes
    assert isinstance(outcome, Refused)
    assert outcome.clause == "R2"


def test_a_race_to_open_an_incident_has_one_winner(
    two_desks: tuple[CommandHandler, CommandHandler], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two_desks
    overtaken(one.ledger, monkeypatch, lambda: other.handle([opening("INC2", impact="low")]))
    outcomes = one.handle([opening("INC2"), opening("INC3")]).outcomes
    assert names(outcomes) == ["Refused", "Done"]
    assert isinstance(outcomes[0], Refused)
    assert outcomes[0].clause == "R4"


def test_credits_are_not_spent_twice_by_a_race(
    two_desks: tuple[CommandHandler, CommandHandler], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(name: str) -> bytes:
        data = {"work": name, "incident": INCIDENT, "minutes": 400}
        return message("credits.consume", f"credits-{CONTRACT}", "2026-03-02T16:00:00Z", data)

    one, other = two_desks
    overtaken(one.ledger, monkeypatch, lambda: other.handle([work("W1")]))
    assert names(one.handle([work("W2")]).outcomes) == ["Done"]
    recorded = one.ledger.streams([f"credits-{CONTRACT}"])[f"credits-{CONTRACT}"]
    assert [(fact.TYPE, getattr(fact, "minutes", 0)) for fact in recorded] == [
        ("credits.purchased.v1", 600),
        ("credits.consumed.v1", 400),
        ("credits.consumed.v1", 200),
        ("credits.shortfall_recorded.v1", 200),
    ]


def test_a_race_lost_for_ever_is_said_and_nothing_is_recorded(
    place: Path | str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(batch: Batch) -> list[int]:
        raise LostRace("again")

    monkeypatch.setattr(ledger, "append", lose)
    monkeypatch.setattr(retries, "LONGEST_RACE_PAUSE", 0)
    with pytest.raises(LostRace, match="try again"):
        CommandHandler(ledger, Clock()).handle([opening()])
    assert counts(place)["stored_events"] == 0


def test_a_desk_sees_what_another_desk_recorded_since(two_desks: tuple[CommandHandler, CommandHandler]) -> None:
    one, other = two_desks
    other.handle([opening("INC2", impact="low")])
    assert names(one.handle([opening("INC2"), charge("INC2")]).outcomes) == ["Refused", "Done"]
    assert names(other.handle([charge("INC2", id="again")]).outcomes) == ["Duplicate"]


def test_a_message_does_not_wait_for_an_incident_opened_while_it_was_decided(
    two_desks: tuple[CommandHandler, CommandHandler], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two_desks
    overtaken(one.ledger, monkeypatch, lambda: other.handle([opening("INC2")]))
    assert names(one.handle([charge("INC2")]).outcomes) == ["Done"]


def test_a_customer_key_given_to_two_contracts_by_a_race_routes_to_neither(
    two_desks: tuple[CommandHandler, CommandHandler], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two_desks
    overtaken(one.ledger, monkeypatch, lambda: other.handle([sign("beta", customers=["key"])]))
    answered = one.handle([sign("gamma", customers=["key"]), opening("INC3", contract=None, customer="key")])
    assert names(answered.outcomes) == ["Done", "Done"]
    (request,) = one.ledger.streams(["incident-INC3"])["incident-INC3"]
    assert isinstance(request, IncidentOpened)
    assert request.answer.contract is None


def test_an_id_does_not_stand_for_two_contents_by_a_race_with_a_waiting_message(
    two_desks: tuple[CommandHandler, CommandHandler], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two_desks
    overtaken(one.ledger, monkeypatch, lambda: other.handle([charge("INC9", id="m1")]))
    assert names(one.handle([charge(id="m1")]).outcomes) == ["Refused"]


WRITER = """
import json, random, sys
from adapters.inbox.handler import CommandHandler
from adapters.store.errors import LostRace
from support.servers import open_any

place, writer, batches, noon = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
jumps = random.Random(writer)

def now():
    return noon + jumps.randrange(-60_000_000, 60_000_000)

def event(command, incident, minute, data):
    return json.dumps({
        "specversion": "1.0", "id": f"{command}-{incident}-{minute}-{writer}", "source": f"writer-{writer}",
        "type": f"verbale.incident.{command}.v1", "subject": f"incident-{incident}",
        "time": f"2026-03-02T{8 + minute // 60:02}:{minute % 60:02}:{writer:02}Z", "data": data,
    }).encode()

sys.stdin.readline()
ledger = open_any(place, now=now, lock_timeout=60)
desk, answers = CommandHandler(ledger, now), []
for batch in range(batches):
    request = {"impact": "high", "urgency": "low"}
    raws = [
        event("open", f"OWN-{writer}-{batch}", 0, request),
        event("take_in_charge", "SHARED", 10 + batch, {}),
        event("take_in_charge", f"OWN-{writer}-{batch}", 20, {}),
    ]
    while True:
        try:
            answered = desk.handle(raws)
            break
        except LostRace:  # what the message asks for: try again
            pass
    answers += [
        [type(one).__name__, one.stream, getattr(one, "version", None), getattr(one, "leaf", None)]
        for one in answered.outcomes
    ]
ledger.close()
print(json.dumps(answers))
"""


def finished(children: list[Any]) -> list[str]:
    """What the processes print, once all of them have been told to go and have ended well."""
    for process in children:
        process.stdin.write("go\n")
        process.stdin.flush()
    try:
        ended = [process.communicate(timeout=60) for process in children]
    finally:
        for process in children:
            process.kill()
    assert [process.returncode for process in children] == [0] * len(children), [error for _, error in ended]
    return [said for said, _ in ended]


@pytest.mark.integration
def test_several_processes_append_at_once(place: Path | str) -> None:
    writers, batches = 3, 12
    ingest(place, [opening("SHARED", contract=None)])
    said = finished([child(WRITER, place, writer, batches, Clock().now) for writer in range(writers)])
    answers = [tuple(answer) for one in said for answer in json.loads(one)]
    assert len(answers) == writers * batches * 3
    assert {answer[0] for answer in answers} == {"Done"}

    facts = rows(
        place,
        "SELECT 'Done', originator_id, originator_version, leaf, position, recorded_at FROM stored_events "
        "JOIN seal ON position = stored_events.rowid ORDER BY leaf",
    )
    assert len(facts) == len(answers) + 1 == counts(place)["inbox"]
    assert sorted(answers) == sorted(fact[:4] for fact in facts[1:])
    assert [leaf for *_, leaf, _, _ in facts] == list(range(len(facts)))
    positions = [fact[4] for fact in facts]
    assert positions == sorted(set(positions))
    recorded = [fact[5] for fact in facts]
    assert recorded == sorted(recorded)
    versions: dict[str, list[int]] = {}
    for _, stream, version, *_ in facts:
        versions.setdefault(stream, []).append(version)
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())
    assert len(versions["incident-SHARED"]) == 1 + writers * batches


@pytest.mark.integration
def test_several_processes_may_make_the_store_at_once(place: Path | str) -> None:
    said = finished([child(WRITER, place, writer, 1, Clock().now) for writer in range(4)])
    answers = [answer[0] for one in said for answer in json.loads(one)]
    assert (answers.count("Done"), answers.count("Waiting")) == (8, 4)
    assert counts(place) == {"stored_events": 8, "seal": 8, "inbox": 8, "waiting": 4, "refused": 0}
    if isinstance(place, Path):
        left = {file.name for file in place.parent.iterdir() if not file.name.endswith(("-wal", "-shm"))}
        assert left == {place.name}


@pytest.mark.integration
def test_a_store_that_another_process_made_and_filled_meanwhile_is_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = sqlite_module._move_unless_there

    def late(beside: Path, there: Path) -> None:
        finished([child(WRITER, path, 1, 1, Clock().now)])
        move(beside, there)

    monkeypatch.setattr(sqlite_module, "_move_unless_there", late)
    assert names(ingest(path, many(1))) == ["Done"] * 3
    assert counts(path) == {"stored_events": 5, "seal": 5, "inbox": 5, "waiting": 1, "refused": 0}


# --- troubles ---------------------------------------------------------------------------------------------------


def refused(path: Path, kind: type[StoreError], words: str, **options: Any) -> None:
    """Opening says what is wrong in one line that names the file."""
    with pytest.raises(kind, match=words) as caught:
        open_store(path, ledger_id="main", now=Clock(), **options)
    assert type(caught.value) is kind
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("content", [b"hello", b"number,incident_state\n" * 50, b"\x00" * 8192])
def test_a_file_that_is_no_database_is_not_a_store(path: Path, content: bytes, create: bool) -> None:
    path.write_bytes(content)
    refused(path, NotAStore, "--store", create=create)
    assert path.read_bytes() == content


def test_a_sqlite_file_of_another_program_is_not_a_store(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE stored_events (x)")
    refused(path, NotAStore, "another program", create=True)
    assert rows(path, "SELECT name FROM sqlite_master") == [("stored_events",)]


def test_a_store_of_a_newer_format_is_left_alone(path: Path) -> None:
    ingest(path, many(1))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    refused(path, NewerStore, "upgrade")


def test_an_empty_file_is_no_store_and_is_not_made_one(path: Path) -> None:
    path.touch()
    refused(path, DamagedStore, "empty", create=True)
    assert path.stat().st_size == 0


@pytest.mark.parametrize("cut", [4096, 2 * 4096, 4096 + 17, 1, 60, 100])
def test_a_truncated_store_is_damaged(path: Path, cut: int) -> None:
    ingest(path, [wire(example) for example in examples().values()])
    whole = path.read_bytes()
    assert len(whole) > 4 * 4096
    path.write_bytes(whole[:-cut] if cut != 100 else whole[:100])
    refused(path, DamagedStore, "truncated")


def test_a_store_cut_within_its_header_is_no_database(path: Path) -> None:
    ingest(path, many(1))
    path.write_bytes(path.read_bytes()[:60])
    refused(path, NotAStore, "--store")


def test_a_store_overwritten_inside_is_damaged(path: Path) -> None:
    ingest(path, [wire(example) for example in examples().values()])
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(DamagedStore, match="restore"), stored(path, Clock(), create=False) as ledger:
        list(ledger.entries())


def test_a_missing_store_is_made_only_on_request(path: Path) -> None:
    refused(path, NoStore, "no store")
    assert not path.exists()
    with stored(path, Clock(), create=True) as ledger:
        assert ledger.id == "main"
    assert path.exists()


def test_a_store_in_a_missing_folder_is_a_plain_error(tmp_path: Path) -> None:
    refused(tmp_path / "missing" / "verbale.db", StoreError, "no folder", create=True)


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    refused(tmp_path, StoreError, "cannot be read", create=True)


def test_the_ledger_keeps_the_name_it_was_made_with(path: Path) -> None:
    ingest(path, many(1))
    again = open_store(path, ledger_id="another", now=Clock())
    assert again.id == "main"
    again.close()


@pytest.mark.parametrize("name", ["a b.db", "what?mode=ro#x%20.db", "perché.db", "-x.db", "a'b.db"])
def test_a_store_may_have_any_file_name(tmp_path: Path, name: str) -> None:
    assert names(ingest(tmp_path / name, many(1))) == ["Done"] * 3
    assert names(ingest(tmp_path / name, many(1))) == ["Duplicate"] * 3
    assert (tmp_path / name).exists()


HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""


@pytest.mark.integration
def test_a_store_locked_by_another_process_is_a_plain_error_and_nothing_is_lost(path: Path) -> None:
    ingest(path, many(1))
    holder = child(HOLDER, path)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with stored(path, Clock(), create=False, lock_timeout=1) as ledger:
            handler = CommandHandler(ledger, Clock())
            assert len(list(ledger.entries())) == 3
            with pytest.raises(LockedStore, match="another process"):
                handler.handle(many(2))
            holder.communicate("\n", timeout=60)
            assert names(handler.handle(many(2)).outcomes) == ["Done"] * 3
    finally:
        holder.kill()
    assert counts(path)["inbox"] == 6


def test_a_store_opened_to_read_refuses_to_record(path: Path) -> None:
    ingest(path, many(1))
    with stored(path, Clock(), create=False, read_only=True) as ledger:
        assert len(list(ledger.entries())) == 3
        with pytest.raises(ReadOnlyStore, match="read-only"):
            CommandHandler(ledger, Clock()).handle(many(2))
    assert counts(path)["stored_events"] == 3


def test_a_store_is_read_where_nothing_may_be_written_beside_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(path, many(1))
    monkeypatch.setattr(os, "access", lambda *_: False)
    with stored(path, Clock(), create=False, read_only=True) as ledger:
        assert len(list(ledger.entries())) == 3
        assert [file.name for file in path.parent.iterdir()] == [path.name]


# --- evidence ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", EVIDENCE)
@pytest.mark.parametrize("statement", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}"])
def test_evidence_is_only_ever_added_to(place: Path | str, table: str, statement: str) -> None:
    ingest(place, many(1))
    columns = {"stored_events": "state", "seal": "recorded_at", "inbox": "digest"}
    with pytest.raises((sqlite3.IntegrityError, RestrictViolation), match="only ever added"):
        change(place, statement.format(table=table, column=columns[table]))
    assert counts(place)[table] == 3


@pytest.mark.parametrize("table", EVIDENCE)
def test_evidence_is_not_replaced_either(path: Path, table: str) -> None:
    ingest(path, many(1))
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(f"REPLACE INTO {table} SELECT * FROM {table} LIMIT 1")


# --- what must not matter ---------------------------------------------------------------------------------------

MISLEADING = {
    "PERSISTENCE_MODULE": "eventsourcing.popo",
    "IS_SNAPSHOTTING_ENABLED": "y",
    "CIPHER_TOPIC": "eventsourcing.cipher:AESCipher",
    "CIPHER_KEY": "not a key",
    "COMPRESSOR_TOPIC": "zlib",
    "CREATE_TABLE": "n",
    "ORIGINATOR_ID_TYPE": "uuid",
    "MAPPER_TOPIC": "eventsourcing.persistence:Mapper",
    "TRANSCODER_TOPIC": "no.such:Transcoder",
    "APPLICATION_RECORDER_TOPIC": "eventsourcing.popo:POPOApplicationRecorder",
    "SQLITE_DBNAME": ":memory:",
    "SQLITE_LOCK_TIMEOUT": "0",
    "POSTGRES_ENABLE_DB_FUNCTIONS": "y",
    "AGGREGATE_CACHE_MAXSIZE": "10",
}


def test_environment_variables_of_the_library_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raws = [wire(example) for example in examples().values()]
    tables = {
        name: f"SELECT * FROM {name}" for name in ("stored_events", "seal", "inbox", "waiting", "refused", "ledger")
    }
    ingest(tmp_path / "plain.db", raws)
    for prefix in ("", "VERBALE_"):
        for name, value in MISLEADING.items():
            monkeypatch.setenv(prefix + name, value)
    ingest(tmp_path / "misled.db", raws)
    assert os.environ["CIPHER_TOPIC"] == MISLEADING["CIPHER_TOPIC"]
    plain, misled = (
        {name: rows(tmp_path / file, query) for name, query in tables.items()} for file in ("plain.db", "misled.db")
    )
    assert misled == plain
    assert len(plain["stored_events"]) == len(raws)


# --- old facts --------------------------------------------------------------------------------------------------


class NoteTaken(Fact):
    """A fact as it was first released (invented)."""

    TYPE = "note.taken.v1"

    text: str


class NoteTakenAnew(Fact):
    """The same fact, of another shape (invented)."""

    TYPE = "note.taken.v2"

    words: tuple[str, ...]


def _to_v2(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"at": fields["at"], "words": fields["text"].split()}


def test_a_fact_stored_in_an_old_shape_is_read_in_the_new_one_and_its_bytes_stay(place: Path | str) -> None:
    origin = Origin(None, "s", "m", None)
    with stored(place, Clock(), catalogue=Catalogue([NoteTaken])) as ledger:
        ledger.append(Batch(facts=[NewFact("note-1", 1, NoteTaken(at=7, text="two words"), origin)]))
    before = rows(place, "SELECT topic, state FROM stored_events")
    newer = Catalogue([NoteTakenAnew], {NoteTaken.TYPE: (NoteTakenAnew.TYPE, _to_v2)})
    with stored(place, Clock(), create=False, catalogue=newer) as ledger:
        ledger.append(Batch(facts=[NewFact("note-1", 2, NoteTakenAnew(at=8, words=("one",)), origin)]))
        recorded = [entry.fact for entry in ledger.entries()]
    assert recorded == [NoteTakenAnew(at=7, words=("two", "words")), NoteTakenAnew(at=8, words=("one",))]
    assert rows(place, "SELECT topic, state FROM stored_events WHERE rowid = 1") == before


def test_a_fact_of_an_unknown_type_is_named_not_guessed(place: Path | str) -> None:
    with stored(place, Clock(), catalogue=Catalogue([NoteTaken])) as ledger:
        ledger.append(Batch(facts=[NewFact("note-1", 1, NoteTaken(at=7, text="x"), Origin(None, "s", "m", None))]))
    with (
        stored(place, Clock(), create=False) as ledger,
        pytest.raises(NewerStore, match=r"position 1.*note\.taken\.v1"),
    ):
        list(ledger.entries())
