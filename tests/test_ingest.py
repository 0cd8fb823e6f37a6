"""Messages taken in many at a time: every line has its number, its outcome, and is never lost."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.messages import Clock, charge, opening, stored

from adapters.inbox import ingest as intake
from adapters.inbox.handler import DEFAULT_PATIENCE, CommandHandler
from adapters.inbox.ingest import BATCH, Line, read_lines, take_in, written
from adapters.inbox.messages import MOST_BYTES, examples, read_message
from adapters.inbox.outcomes import Done, Duplicate, Outcome, Refused, Waiting, outcome_name
from adapters.store.errors import LockedStore
from adapters.store.ledger import Ledger
from adapters.store.records import Batch


def lines(content: bytes) -> list[Line]:
    """The lines of a file of this content."""
    return list(read_lines(io.BytesIO(content), "in.jsonl"))


@pytest.fixture
def ledger(place: Path | str) -> Iterator[Ledger]:
    """A ledger on each kind of store."""
    with stored(place, Clock()) as found:
        yield found


def many(count: int) -> list[Line]:
    """Requests, each on its line."""
    return [Line(f"in.jsonl:{number}", opening(f"INC{number}", contract=None)) for number in range(1, count + 1)]


# --- lines ------------------------------------------------------------------------------------------------------


def test_each_line_is_told_with_its_number_in_the_file() -> None:
    assert lines(b"{}\n[]\n") == [Line("in.jsonl:1", b"{}"), Line("in.jsonl:2", b"[]")]


def test_the_last_line_needs_no_line_end() -> None:
    assert lines(b"{}\n[]") == [Line("in.jsonl:1", b"{}"), Line("in.jsonl:2", b"[]")]


def test_blank_lines_are_passed_over_and_counted() -> None:
    assert lines(b"\n  \n{}\r\n\t\r\n[]\n\n") == [Line("in.jsonl:3", b"{}"), Line("in.jsonl:5", b"[]")]


def test_a_byte_order_mark_at_the_start_is_passed_over() -> None:
    assert lines(b"\xef\xbb\xbf{}\n") == [Line("in.jsonl:1", b"{}")]
    assert lines(b"{}\n\xef\xbb\xbf{}\n")[1].raw == b"\xef\xbb\xbf{}"


def test_an_empty_file_has_no_lines() -> None:
    assert lines(b"") == lines(b"\xef\xbb\xbf") == []


def test_bytes_that_are_no_text_are_a_line_all_the_same() -> None:
    assert lines(b"\xff\xfe\n{}\n") == [Line("in.jsonl:1", b"\xff\xfe"), Line("in.jsonl:2", b"{}")]


def test_the_longest_line_is_read_whole() -> None:
    longest = opening(id="m1")
    longest += b" " * (MOST_BYTES - len(longest))
    for end in (b"\n", b"\r\n", b""):
        (found,) = lines(longest + end)
        assert found.raw == longest
    assert read_message(longest).id == "m1"


def test_a_line_too_long_is_refused_and_the_next_keeps_its_number(ledger: Ledger) -> None:
    long = b'"' + b"x" * (3 * MOST_BYTES) + b'"'
    found = lines(long + b"\n" + opening(contract=None) + b"\n")
    assert [line.where for line in found] == ["in.jsonl:1", "in.jsonl:2"]
    tally = take_in(CommandHandler(ledger, Clock()), found)
    assert tally.outcomes == Counter(refused=1, done=1)
    assert str(MOST_BYTES) in tally.refused[0].refused.reason


def test_a_line_too_long_is_kept_whole() -> None:
    long = b'"' + b"x" * (2 * MOST_BYTES) + b'"'
    assert lines(long + b"\n")[0].raw == long


def test_messages_made_here_are_lines_named_by_their_id() -> None:
    (line,) = written([{"id": "m1", "name": "perché"}], "contract.toml")
    assert line.where == "contract.toml: m1"
    assert json.loads(line.raw) == {"id": "m1", "name": "perché"}
    assert "perché".encode() in line.raw


# --- taking in --------------------------------------------------------------------------------------------------


def test_the_tally_counts_every_outcome_and_keeps_the_refused_whole(ledger: Ledger) -> None:
    handler = CommandHandler(ledger, Clock())
    raws = [opening(contract=None), opening(contract=None), charge("INC9"), b"{", charge()]
    tally = take_in(handler, [Line(f"in.jsonl:{number}", raw) for number, raw in enumerate(raws, 1)])
    assert tally.outcomes == Counter(done=2, duplicate=1, waiting=1, refused=1)
    assert tally.messages == 5
    (refused,) = tally.refused
    assert (refused.where, refused.raw, refused.refused.clause) == ("in.jsonl:4", b"{", "R1")
    assert (tally.woken, tally.expired) == (Counter(), 0)


def test_the_tally_tells_of_earlier_messages_that_were_woken_or_waited_too_long(ledger: Ledger) -> None:
    clock = Clock()
    handler = CommandHandler(ledger, clock)
    take_in(handler, [Line("a:1", charge("INC8"))])
    clock.now += DEFAULT_PATIENCE
    take_in(handler, [Line("a:1", charge("INC9")), Line("a:2", charge("INC9", time="2026-03-02T07:00:00Z"))])
    clock.now += 1
    tally = take_in(handler, [Line("b:1", opening("INC9", contract=None))])
    assert tally.outcomes == Counter(done=1)
    assert tally.woken == Counter(done=1, refused=1)
    assert tally.expired == 1


def test_lines_are_given_a_batch_at_a_time_and_progress_is_told(ledger: Ledger) -> None:
    heard: list[int] = []
    tally = take_in(CommandHandler(ledger, Clock()), many(2 * BATCH + 7), heard.append)
    assert heard == [BATCH, 2 * BATCH, 2 * BATCH + 7]
    assert tally.outcomes == Counter(done=2 * BATCH + 7)


def test_each_batch_is_one_transaction(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BATCH", 10)
    appended: list[int] = []
    append = ledger.append

    def counting(batch: Batch) -> list[int]:
        appended.append(len(batch.facts))
        return append(batch)

    monkeypatch.setattr(ledger, "append", counting)
    take_in(CommandHandler(ledger, Clock()), many(25))
    assert appended == [10, 10, 5]


def test_no_lines_are_no_batch(ledger: Ledger) -> None:
    heard: list[int] = []
    assert take_in(CommandHandler(ledger, Clock()), [], heard.append).messages == 0
    assert heard == []


def test_what_earlier_batches_recorded_stays_when_the_store_fails(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "BATCH", 10)
    append, left = ledger.append, [None] * 2

    def failing(batch: Batch) -> list[int]:
        if not left:
            raise LockedStore("locked")
        left.pop()
        return append(batch)

    monkeypatch.setattr(ledger, "append", failing)
    handler = CommandHandler(ledger, Clock())
    with pytest.raises(LockedStore):
        take_in(handler, many(25))
    assert ledger.store.counts()["facts"] == 20
    monkeypatch.setattr(ledger, "append", append)
    assert take_in(handler, many(25)).outcomes == Counter(duplicate=20, done=5)


def test_the_examples_as_json_lines_are_all_recorded(ledger: Ledger) -> None:
    content = b"".join(json.dumps(example).encode() + b"\n" for example in examples().values())
    assert take_in(CommandHandler(ledger, Clock()), lines(content)).outcomes == Counter(done=len(examples()))


def test_each_outcome_has_a_word() -> None:
    outcomes: list[Outcome] = [Done("a", 1, 0), Duplicate("a", 1, 0), Refused("R1", "", "why"), Waiting("a", "why")]
    assert [outcome_name(outcome) for outcome in outcomes] == ["done", "duplicate", "refused", "waiting"]
