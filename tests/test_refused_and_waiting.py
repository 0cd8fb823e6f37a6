"""What came in and is not recorded: refused, waiting, never heard; and stores that were made before they told of it."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from support.messages import (
    HOUR,
    INCIDENT,
    SOURCE,
    Clock,
    change,
    charge,
    check_log,
    child,
    contract_in_force,
    ingest,
    memory,
    message,
    names,
    opening,
    rows,
    stored,
)
from support.servers import owner

from adapters.inbox.handler import DEFAULT_PATIENCE, CommandHandler
from adapters.inbox.ingest import read_lines
from adapters.inbox.outcome_events import outbox_writer
from adapters.store.errors import OlderStore, ReadOnlyStore, StoreError
from adapters.store.ledger import Ledger
from adapters.store.postgres_url import postgres_location
from adapters.store.records import Gap, RefusedMessage, SourceHeard
from adapters.store.silence import missing, ranges, silences
from adapters.store.sql import FORMAT
from bin.commands.options import Where
from bin.commands.refused import refused_export
from bin.compose import clock

Run = Callable[..., tuple[int, str, str]]
OTHER = "helpdesk://other"
PATIENCE = 60.0
"""Seconds after which a process that does not answer is taken to hang: no measure of how fast it is."""


def numbered(number: object, *, source: str = SOURCE, **others: Any) -> bytes:
    """A request to which its source gave a number."""
    data = {"impact": "high", "urgency": "low"}
    subject = f"incident-{crc32(repr((number, source)).encode())}"
    return message(
        "incident.open", subject, "2026-03-02T08:00:00Z", data, source=source, sequence=str(number), **others
    )


def url_of(place: Path | str) -> str:
    """A store, as `--store` names it."""
    return f"sqlite:///{place}" if isinstance(place, Path) else place


def read_only(place: Path | str) -> str:
    """The same, only to be read."""
    url = url_of(place)
    return f"{url}{'&' if '?' in url else '?'}mode=ro"


def heard(place: Path | str) -> dict[str, SourceHeard]:
    with stored(place, Clock()) as ledger:
        return {one.source: one for one in ledger.store.sources()}


def gaps(place: Path | str, source: str = SOURCE) -> list[tuple[int, int]]:
    with stored(place, Clock()) as ledger:
        return [(gap.first, gap.last) for gap in ledger.store.gaps(source)]


def counts(one: SourceHeard) -> tuple[int, int, int, int, int]:
    """Heard, done, duplicate, refused, waiting."""
    return one.heard, one.done, one.duplicate, one.refused, one.waiting


# --- numbers that sources give their messages ------------------------------------------------------------------------


def test_numbers_passed_over_are_gaps_until_they_come_in_whatever_order(place: Path | str) -> None:
    ingest(place, [numbered(5), numbered(1), numbered(2), numbered(2)])
    ingest(place, [numbered(9), numbered(1)])
    assert gaps(place) == [(3, 4), (6, 8)]
    ingest(place, [numbered(4), numbered(7)])
    assert gaps(place) == [(3, 3), (6, 6), (8, 8)]


def test_a_number_was_heard_whatever_became_of_its_message(place: Path | str) -> None:
    poison = message("incident.open", "incident-P", "2026-03-02T08:00:00Z", {"impact": "?"}, sequence="2")
    future = message("incident.open", "incident-F", "2030-01-01T00:00:00Z", {}, id="f", sequence="3")
    waits = message("incident.take_in_charge", "incident-W", "2026-03-02T08:00:00Z", sequence="4")
    outcomes = ingest(place, [numbered(1), poison, future, waits, numbered(6)])
    assert names(outcomes) == ["Done", "Refused", "Refused", "Waiting", "Done"]
    assert gaps(place) == [(5, 5)]


def test_each_source_has_numbers_of_its_own_and_those_of_none_are_no_numbers(place: Path | str) -> None:
    nobodys = [b'{"sequence": "1"}', b'{"sequence": "9"}', b'{"sequence": 4']
    ingest(place, [numbered(1), numbered(3), numbered(10, source=OTHER), numbered(12, source=OTHER), *nobodys])
    assert (gaps(place), gaps(place, OTHER), gaps(place, "")) == ([(2, 2)], [(11, 11)], [])


@pytest.mark.parametrize("number", ["A7", "3.5", "-1", "+9", "٣", "", " 9", "9" * 19])
def test_what_is_no_whole_number_is_recorded_and_leaves_no_gap(number: str) -> None:
    with memory(Clock()) as ledger:
        assert names(CommandHandler(ledger, Clock()).handle([numbered(1), numbered(number)]).outcomes) == [
            "Done",
            "Done",
        ]
        assert ledger.store.gaps(SOURCE) == []


def test_an_order_that_does_not_count_leaves_no_gap() -> None:
    with memory(Clock()) as ledger:
        CommandHandler(ledger, Clock()).handle([numbered(1), numbered(5, sequencetype="Other")])
        assert ledger.store.gaps(SOURCE) == []
        CommandHandler(ledger, Clock()).handle([numbered(7, sequencetype="Integer")])
        assert ledger.store.gaps(SOURCE) == [Gap(SOURCE, 2, 6)]


@bounded(max_examples=40)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.integers(0, 12))
def test_gaps_are_what_lies_between_and_was_not_heard(numbers: list[int], split: int) -> None:
    with memory(Clock()) as ledger:
        handler = CommandHandler(ledger, Clock())
        for batch in (numbers[:split], numbers[split:]):
            handler.handle([numbered(number) for number in batch])
        found = ledger.store.gaps(SOURCE)
    absent = set(range(min(numbers), max(numbers))) - set(numbers)
    assert {number for gap in found for number in range(gap.first, gap.last + 1)} == absent
    assert missing(found) == len(absent)
    assert all(before.last + 1 < after.first for before, after in pairwise(found))


def test_gaps_are_written_as_ranges_and_no_more_than_asked() -> None:
    found = [Gap(SOURCE, 3, 5), Gap(SOURCE, 9, 9), Gap(SOURCE, 12, 13)]
    assert ranges(found) == ["3-5", "9", "12-13"]
    assert ranges(found, 2) == ["3-5", "9", "..."]
    assert ranges(found, 3) == ranges(found)


# --- what is counted -------------------------------------------------------------------------------------------------


def test_what_wakes_or_waits_too_long_is_counted_and_was_not_heard_again(place: Path | str) -> None:
    time = Clock()
    began = time.now
    theirs = message("incident.take_in_charge", f"incident-{INCIDENT}", "2026-03-02T09:00:00Z", source=OTHER)
    never = message("incident.take_in_charge", "incident-NEVER", "2026-03-02T09:00:00Z", source=OTHER)
    with stored(place, time) as ledger:
        handler = CommandHandler(ledger, time)
        handler.handle([*contract_in_force(), theirs, theirs, never, b"{"])
        assert {one.source: counts(one) for one in ledger.store.sources()} == {
            "": (1, 0, 0, 1, 0),
            OTHER: (3, 0, 0, 0, 2),
            SOURCE: (4, 4, 0, 0, 0),
        }
        time.now += HOUR
        handler.handle([opening()])
        time.now += DEFAULT_PATIENCE
        assert names([reply.outcome for reply in handler.handle([]).expired]) == ["Refused"]
        found = {one.source: one for one in ledger.store.sources()}
    assert counts(found[OTHER]) == (3, 1, 0, 1, 0)
    assert (found[OTHER].first_heard, found[OTHER].last_heard) == (began, began)
    assert found[SOURCE].last_heard == began + HOUR


# --- tried again -----------------------------------------------------------------------------------------------------


def expired(place: Path | str, time: Clock) -> None:
    """A taking in charge that waited too long, and whose incident was opened after."""
    ingest(place, [*contract_in_force(), charge()], time)
    time.now += DEFAULT_PATIENCE + 1
    ingest(place, [], time)
    ingest(place, [opening()], time)


def test_what_waited_too_long_succeeds_when_tried_again_after_its_incident_opened(place: Path | str, run: Run) -> None:
    expired(place, Clock())
    before = heard(place)[SOURCE]
    (row,) = json.loads(run("refused", "list", "--format", "json", "--store", url_of(place))[1])
    assert (row["clause"], row["source"], row["times"]) == ("R4", SOURCE, 1)
    status, out, err = run("refused", "retry", str(row["number"]), "--store", url_of(place))
    assert (status, err) == (0, "")
    assert f"{row['number']}: done: incident-{INCIDENT}, version 2" in out
    assert "1 messages: 1 done" in out
    assert "No message is refused." in run("refused", "list", "--store", url_of(place))[1]
    after = heard(place)[SOURCE]
    assert (after.heard, after.last_heard) == (before.heard, before.last_heard)
    assert after.done == before.done + 1
    check_log(place)


def test_a_payload_that_looks_like_a_message_never_becomes_one(run: Run, place: Path | str, tmp_path: Path) -> None:
    looks = opening("FORGED")
    with stored(place, clock) as ledger:  # type: ignore[arg-type]
        CommandHandler(ledger, clock).refuse_payload(looks, "R1", "no such state in the mapping")
    store = ("--store", url_of(place))
    assert run("refused", "retry", "--all", *store)[0] == 1
    assert run("refused", "export", str(tmp_path / "kept.jsonl"), *store)[0] == 0
    run("ingest", str(tmp_path / "kept.jsonl"), *store)
    with stored(place, clock) as ledger:  # type: ignore[arg-type]
        assert ledger.store.counts()["facts"] == 0
        assert looks in [row.message.raw for row in ledger.store.refused()]


def test_the_outcome_of_what_is_tried_again_is_published_where_there_is_a_broker(place: Path | str) -> None:
    time = Clock()
    expired(place, time)
    with stored(place, time) as ledger:
        handler = CommandHandler(ledger, time, write_outbox_message=outbox_writer(ledger.id, time))
        handler.retry([row.message for row in ledger.store.refused()])
        (posted,) = ledger.store.outbox(10)
    assert posted.message.source == SOURCE
    assert json.loads(posted.message.body)["data"] | {"id": ""} == {
        "source": SOURCE,
        "id": "",
        "outcome": "done",
        "stream": f"incident-{INCIDENT}",
        "version": 2,
        "leaf": 5,
    }


def test_what_is_refused_again_says_so_and_counts_its_refusals(place: Path | str, run: Run) -> None:
    ingest(place, [b"{", b"}"])
    status, out, _ = run("refused", "retry", "--all", "--store", url_of(place))
    assert status == 1
    assert out.startswith("1: refused [R1] not JSON")
    assert "2 messages: 0 done, 0 duplicate, 0 waiting, 2 refused" in out
    listed = json.loads(run("refused", "list", "--format", "json", "--store", url_of(place))[1])
    assert [row["times"] for row in listed] == [2, 2]


def test_what_waits_when_tried_again_is_on_the_one_list_and_not_on_the_other(place: Path | str, run: Run) -> None:
    time = Clock()
    ingest(place, [charge()], time)
    time.now += DEFAULT_PATIENCE + 1
    ingest(place, [], time)
    status, out, _ = run("refused", "retry", "--all", "--store", url_of(place))
    assert (status, out.splitlines()[0]) == (0, f"1: waiting: incident {INCIDENT} is not opened yet")
    assert json.loads(run("refused", "list", "--format", "json", "--store", url_of(place))[1]) == []
    (row,) = json.loads(run("waiting", "list", "--format", "json", "--store", url_of(place))[1])
    assert (row["stream"], row["type"]) == (f"incident-{INCIDENT}", "verbale.incident.take_in_charge.v1")


def test_a_message_corrected_under_its_id_is_refused_no_more(place: Path | str, run: Run) -> None:
    ingest(place, [*contract_in_force(), opening(id="o", impact="enormous")])
    assert json.loads(run("refused", "list", "--format", "json", "--store", url_of(place))[1])[0]["id"] == "o"
    assert names(ingest(place, [opening(id="o")])) == ["Done"]
    assert json.loads(run("refused", "list", "--format", "json", "--store", url_of(place))[1]) == []


def test_many_are_tried_again_in_batches(run: Run, tmp_path: Path) -> None:
    place, time = tmp_path / "verbale.db", Clock()
    ingest(place, [charge(f"I{number}") for number in range(1100)], time)
    time.now += DEFAULT_PATIENCE + 1
    ingest(place, [opening(f"I{number}", contract=None) for number in range(1100)], time)
    status, out, _ = run("refused", "retry", "--all", "--store", url_of(place))
    assert status == 0
    assert "1100 messages: 1100 done" in out
    assert len(out.splitlines()) == 1101


@pytest.mark.parametrize("asked", [(), ("1", "--all"), ("1", "--clause", "R1")])
def test_which_to_try_again_must_be_said(run: Run, tmp_path: Path, asked: tuple[str, ...]) -> None:
    ingest(tmp_path / "verbale.db", [b"{"])
    status, _, err = run("refused", "retry", *asked)
    assert (status, "--all" in err) == (2, True)


@pytest.mark.parametrize("verb", ["show", "retry"])
def test_a_number_that_no_refused_message_has_is_said(run: Run, tmp_path: Path, verb: str) -> None:
    ingest(tmp_path / "verbale.db", [b"{"])
    status, out, err = run("refused", verb, "7")
    assert (status, out) == (1, "")
    assert "number 7" in err
    assert "verbale refused list" in err


# --- listed, shown, exported -----------------------------------------------------------------------------------------


BAD = message("incident.open", "incident-B", "2026-03-02T08:00:00Z", {"impact": "?", "urgency": "low"}, id="bad")
REFUSED: tuple[bytes, ...] = (
    BAD,
    b'{"a": 1, "a": 2}',
    json.dumps(json.loads(BAD) | {"id": "lines"}, indent=1).encode(),
    b"line\nline",
    b"\xff\x00",
    "\x1b[2J\u202eescape".encode(),
    b'{"source": "x\\u001b", "id": "\\u009b"}',
)


@pytest.fixture
def refused(place: Path | str) -> str:
    """A store that has refused messages of every kind."""
    ingest(place, REFUSED)
    return url_of(place)


def test_the_list_is_filtered_and_in_three_formats(refused: str, run: Run) -> None:
    listed = json.loads(run("refused", "list", "--format", "json", "--store", refused)[1])
    assert [row["number"] for row in listed] == list(range(1, len(REFUSED) + 1))
    assert set(listed[0]) == {"number", "refused_at", "times", "source", "id", "clause", "field", "reason"}
    assert (listed[0]["source"], listed[0]["id"], listed[0]["clause"]) == (SOURCE, "bad", "R1")
    assert (listed[1]["source"], listed[1]["id"]) == ("", None)

    def numbers(*picked: str) -> list[str]:
        text = run("refused", "list", *picked, "--format", "csv", "--store", refused)[1]
        return [row["number"] for row in csv.DictReader(io.StringIO(text))]

    assert numbers("--source", SOURCE) == ["1", "3"]
    assert numbers("--source", "") == ["2", "4", "5", "6", "7"]
    assert numbers("--clause", "R2") == []
    assert len(numbers("--clause", "R1")) == len(REFUSED)


def test_nothing_that_others_wrote_steers_the_screen(refused: str, run: Run) -> None:
    table = run("refused", "list", "--store", refused)[1]
    assert r"x\x1b" in table
    shown = [run("refused", "show", str(number), "--store", refused)[1] for number in range(1, len(REFUSED) + 1)]
    for text in (table, *shown):
        assert all(one.isprintable() or one == "\n" for one in text)


def test_a_refused_message_is_shown_whole(refused: str, run: Run) -> None:
    def body(number: int) -> str:
        status, out, err = run("refused", "show", str(number), "--store", refused)
        assert (status, err) == (0, "")
        return out.partition("\n\n")[2].rstrip("\n")

    assert body(1) == json.dumps(json.loads(BAD), indent=2)
    assert body(2) == '{"a": 1, "a": 2}'
    assert body(4) == "line\nline"
    assert body(5) == "/wA="
    said = json.loads(run("refused", "show", "1", "--format", "json", "--store", refused)[1])
    assert (said["number"], said["bytes"], said["message"]) == (1, len(BAD), json.loads(BAD))
    assert json.loads(run("refused", "show", "5", "--format", "json", "--store", refused)[1])["raw_base64"] == "/wA="


def test_an_export_is_whole_and_its_lines_corrected_can_be_ingested(refused: str, run: Run) -> None:
    status, out, _ = run("refused", "export", "out.jsonl", "--store", refused)
    assert status == 0
    assert f"{len(REFUSED)} refused messages written to out.jsonl" in out
    assert "4 of them are no line of JSON" in out
    lines = Path("out.jsonl").read_bytes().splitlines()
    assert (lines[0], lines[1], lines[6]) == (BAD, REFUSED[1], REFUSED[6])
    wrapped = json.loads(lines[2])
    assert (wrapped["where"], wrapped["message"]) == ("refused 3", json.loads(REFUSED[2]))
    assert [json.loads(lines[number])["raw_base64"] for number in (3, 4)] == ["bGluZQpsaW5l", "/wA="]

    Path("corrected.jsonl").write_bytes(lines[0].replace(b'"?"', b'"high"') + b"\n")
    assert run("ingest", "corrected.jsonl", "--store", refused)[0] == 0
    left = json.loads(run("refused", "list", "--format", "json", "--store", refused)[1])
    assert "bad" not in [row["id"] for row in left]


def test_an_export_with_reasons_is_what_ingest_writes_of_what_it_refused(refused: str, run: Run) -> None:
    run("refused", "export", "some.jsonl", "--with-reasons", "--source", SOURCE, "--store", refused)
    some = [json.loads(line) for line in Path("some.jsonl").read_text("utf-8").splitlines()]
    Path("bad.jsonl").write_bytes(BAD + b"\n")
    run("ingest", "bad.jsonl", "--refused", "refused.jsonl", "--store", refused)
    ingested = json.loads(Path("refused.jsonl").read_text("utf-8"))
    assert [one["message"]["id"] for one in some] == ["bad", "lines"]
    assert some[0] | {"where": ""} == ingested | {"where": ""}


@bounded(max_examples=60)
@given(raws=st.lists(st.one_of(
    st.binary(max_size=30),
    st.text(max_size=30).map(str.encode),
    st.sampled_from([b"1 ", b"\xef\xbb\xbf1", b" 1\r", b"\n", b" ", b"[1,\n2]", b'"\xc2\x85"', b'{"a":NaN}']),
), min_size=1, max_size=5, unique=True))  # fmt: skip
def test_a_line_exported_is_the_message_that_came(tmp_path_factory: pytest.TempPathFactory, raws: list[bytes]) -> None:
    folder = tmp_path_factory.mktemp("export")
    ingest(folder / "verbale.db", raws)
    refused_export(folder / "out.jsonl", where=Where(store=url_of(folder / "verbale.db")))
    with (folder / "out.jsonl").open("rb") as file:
        lines = [line.raw for line in read_lines(file, "out")]
    assert len(lines) == len(raws)
    for line, raw in zip(lines, raws, strict=True):
        said = json.loads(line)
        assert line == raw or said["where"].startswith("refused ")


def test_an_export_never_overwrites_the_store(run: Run, tmp_path: Path) -> None:
    ingest(tmp_path / "verbale.db", [b"{"])
    assert run("refused", "export", "verbale.db")[0] == 2
    assert run("refused", "export", ".")[0] == 2
    assert len(json.loads(run("refused", "list", "--format", "json")[1])) == 1


# --- waiting ---------------------------------------------------------------------------------------------------------


def test_what_waits_is_listed_with_what_it_waits_for_and_until_when(
    place: Path | str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(place, [charge("A", id="a"), message("credits.purchase", "credits-c", "2026-03-02T09:00:00Z", {
        "package": "P", "minutes": 60, "price": "1.00"}, id="c", source=OTHER)])  # fmt: skip
    monkeypatch.setenv("VERBALE_PATIENCE_HOURS", "2")

    def listed(*asked: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(
            run("waiting", "list", *asked, "--format", "json", "--store", url_of(place))[1]
        )
        return found

    assert listed()[0] == {
        "since": "2026-11-02T12:00:00Z",
        "until": "2026-11-02T14:00:00Z",
        "stream": "incident-A",
        "source": SOURCE,
        "id": "a",
        "type": "verbale.incident.take_in_charge.v1",
        "reason": "incident A is not opened yet",
    }
    assert [row["id"] for row in listed("--source", OTHER)] == ["c"]
    assert [row["id"] for row in listed("--stream", "incident-A")] == ["a"]
    assert listed("--stream", "incident-B") == []
    text = run("waiting", "list", "--format", "csv", "--store", url_of(place))[1]
    assert [row["stream"] for row in csv.DictReader(io.StringIO(text))] == ["incident-A", "contract-c"]
    assert "attende" in run("waiting", "list", "--language", "it", "--store", url_of(place))[1]


# --- sources ---------------------------------------------------------------------------------------------------------


def one_heard(source: str, at: int) -> SourceHeard:
    return SourceHeard(source, at, at, 1, 1, 0, 0, 0)


def test_an_alarm_goes_off_after_its_hours_and_for_who_was_never_heard() -> None:
    sources = [one_heard("a", 0), one_heard("b", 0), one_heard("without", 0)]
    found = silences(sources, {"c": 1, "a": 1.5, "b": 1.5}, int(1.5 * HOUR))
    assert [(one.source, one.silent_us, one.too_long) for one in found] == [
        ("a", int(1.5 * HOUR), False),
        ("b", int(1.5 * HOUR), False),
        ("c", None, True),
    ]
    later = silences(sources, {"a": 1.5}, int(1.5 * HOUR) + 1)
    assert [one.too_long for one in later] == [True]


def test_a_source_heard_by_a_clock_that_runs_ahead_is_not_silent() -> None:
    assert silences([one_heard("a", HOUR)], {"a": 1}, 0)[0].silent_us == 0


@pytest.fixture
def talk(place: Path | str) -> str:
    """A store with a source heard now, one heard three hours ago, and what names no source; with gaps."""
    time = Clock()
    time.now = clock() - 3 * HOUR
    ingest(place, [numbered(number, source=OTHER) for number in (1, 3, 5, 7, 12)], time)
    time.now = clock()
    ingest(place, [numbered(1), b"{"], time)
    return url_of(place)


def test_sources_tell_who_is_silent_and_what_was_never_heard(
    talk: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(*asked: str) -> tuple[int, dict[str, dict[str, Any]]]:
        status, out, err = run("sources", *asked, "--format", "json", "--store", talk)
        assert err == ""
        return status, {row["source"]: row for row in json.loads(out)}

    status, found = told()
    assert (status, list(found)) == (0, ["", OTHER, SOURCE])
    assert (found[OTHER]["missing"], found[OTHER]["gaps"]) == (7, ["2", "4", "6", "..."])
    assert (found[OTHER]["alarm"], found[SOURCE]["missing"], found[""]["refused"]) == (None, 0, 1)
    status, found = told("--gaps")
    assert (status, found[OTHER]["gaps"]) == (1, ["2", "4", "6", "8-11"])

    monkeypatch.setenv("VERBALE_SILENCE_HOURS", json.dumps({OTHER: 4, SOURCE: 0.5}))
    status, found = told()
    assert (status, found[OTHER]["alarm"], found[SOURCE]["alarm"]) == (0, "ok", "ok")
    monkeypatch.setenv("VERBALE_SILENCE_HOURS", json.dumps({OTHER: 2.5, "robot": 1}))
    status, found = told()
    assert (status, found[OTHER]["alarm"], found[SOURCE]["alarm"]) == (1, "silent", None)
    assert (found["robot"]["alarm"], found["robot"]["last_heard"], found["robot"]["heard"]) == ("silent", None, 0)


def test_sources_are_a_table_in_both_languages_and_csv(talk: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERBALE_SILENCE_HOURS", json.dumps({OTHER: 2.5}))
    status, english, _ = run("sources", "--store", talk)
    assert status == 1
    assert all(word in english for word in ("(none that can be read)", "SILENT", "no alarm", "3:00", "2, 4, 6, ..."))
    italian = run("sources", "--language", "it", "--store", talk)[1]
    assert all(word in italian for word in ("(nessuna leggibile)", "MUTA", "nessun allarme"))
    found = list(csv.DictReader(io.StringIO(run("sources", "--format", "csv", "--store", talk)[1])))
    assert [row["heard"] for row in found] == ["1", "5", "1"]


@pytest.mark.parametrize("hours", [0, -1, 1e9, "NaN", "soon"])
def test_an_alarm_that_means_nothing_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch, hours: object) -> None:
    monkeypatch.setenv("VERBALE_SILENCE_HOURS", json.dumps({"robot": hours}))
    status, _, err = run("sources")
    assert (status, "silence_hours.robot" in err) == (2, True)


def test_the_doctor_remarks_on_silence_and_on_gaps(talk: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERBALE_SILENCE_HOURS", json.dumps({OTHER: 2.5, "robot": 1, SOURCE: 5}))
    status, out, _ = run("doctor", "--format", "json", "--store", talk)
    remarks = {one["wrong"]: one["do"] for one in json.loads(out)}
    assert status == 1
    assert "source robot was never heard, and has a silence alarm" in remarks
    assert f"source {OTHER} is silent for 3.0 hours, and may be for 2.5" in remarks
    passed_over = f"source {OTHER} has passed over 7 of its own sequence numbers: 2, 4, 6, ..."
    assert "verbale sources --gaps" in remarks[passed_over]
    assert not any(SOURCE in wrong for wrong in remarks)


def test_sources_never_heard_are_one_remark(talk: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERBALE_SILENCE_HOURS", json.dumps({"robot": 1, "mail": 1}))
    english, italian = (run("doctor", "--store", talk, "--language", language)[1] for language in ("en", "it"))
    assert "wrong: sources mail, robot were never heard, and have a silence alarm\n" in english
    assert "le fonti mail, robot non si sono mai sentite, e hanno un allarme di silenzio\n" in italian


# --- stores of an earlier format -------------------------------------------------------------------------------------


NEWER_TABLES = ("sources", "sequences", "outbox", "tokens", "snapshots")


def set_back(place: Path | str) -> None:
    """Make the store as format 1 was."""
    for table in NEWER_TABLES:
        change(place, f"DROP TABLE {table}")
    change(place, "PRAGMA user_version = 1" if isinstance(place, Path) else "UPDATE ledger SET format = 1")


def format_of(place: Path | str) -> int:
    ((found,),) = rows(place, "PRAGMA user_version" if isinstance(place, Path) else "SELECT format FROM ledger")
    return int(found)


def said_of(place: Path | str) -> list[tuple[Any, ...]]:
    return rows(place, "SELECT * FROM sources ORDER BY source")


@pytest.fixture
def old(place: Path | str) -> Path | str:
    """A store of format 1, with something in each of its tables."""
    later = Clock()
    ingest(place, [*contract_in_force(), opening(), opening(), b"{", BAD], later)
    later.now += HOUR
    ingest(place, [message("incident.take_in_charge", "incident-W", "2026-03-02T09:00:00Z", source=OTHER), BAD], later)
    set_back(place)
    return place


def test_a_store_of_format_1_is_upgraded_when_it_is_opened_to_write(old: Path | str) -> None:
    before = check_log(old)
    assert names(ingest(old, [charge(), numbered(1), numbered(3)])) == ["Done", "Done", "Done"]
    assert format_of(old) == FORMAT
    assert check_log(old)[: len(before)] == before
    assert gaps(old) == [(2, 2)]


def test_an_upgraded_store_knows_who_had_written(old: Path | str) -> None:
    noon = Clock().now
    found = heard(old)
    assert {name: counts(one) for name, one in found.items()} == {
        "": (1, 0, 0, 1, 0),
        OTHER: (1, 0, 0, 0, 1),
        SOURCE: (7, 5, 0, 2, 0),
    }
    assert (found[SOURCE].first_heard, found[SOURCE].last_heard) == (noon, noon + HOUR)
    assert silences(found.values(), {OTHER: 1}, noon + HOUR)[0].silent_us == 0


def test_a_store_of_format_1_can_be_read_as_it_is(old: Path | str, run: Run) -> None:
    url = read_only(old)
    assert run("report", "compliance", "--store", url)[0] == 0
    assert json.loads(run("status", "--format", "json", "--store", url)[1])["refused"] == 2
    assert len(json.loads(run("refused", "list", "--format", "json", "--store", url)[1])) == 2
    assert len(json.loads(run("waiting", "list", "--format", "json", "--store", url)[1])) == 1
    for command in (("sources",), ("token", "list")):
        status, out, err = run(*command, "--store", url)
        assert (status, out) == (2, "")
        assert "format 1" in err
        assert "verbale status" in err
    wrong = [one["wrong"] for one in json.loads(run("doctor", "--format", "json", "--store", url)[1])]
    assert any("format 1" in one for one in wrong)
    assert format_of(old) == 1
    assert run("refused", "retry", "--all", "--store", url)[0] == 2


def test_looking_at_it_once_with_the_right_to_write_upgrades_it(old: Path | str, run: Run) -> None:
    assert run("status", "--store", url_of(old))[0] == 0
    assert format_of(old) == FORMAT
    assert run("sources", "--store", read_only(old))[0] == 0


UPGRADE = """
import sys
from contextlib import closing
from support.messages import Clock, opening
from adapters.inbox.handler import CommandHandler
from support.servers import open_any

place, number = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
with closing(open_any(place, now=Clock(), create=False, lock_timeout=60)) as ledger:
    (outcome,) = CommandHandler(ledger, Clock()).handle([opening(f"U{number}", contract=None)]).outcomes
    print(type(outcome).__name__, ledger.store.format)
"""


@pytest.mark.integration
def test_processes_that_upgrade_at_once_all_record(old: Path | str) -> None:
    processes = [child(UPGRADE, old, number) for number in range(3)]
    try:
        assert [process.stdout.readline() for process in processes if process.stdout] == ["ready\n"] * 3
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        said = [process.communicate(timeout=PATIENCE) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert said == [(f"Done {FORMAT}\n", "")] * 3
    assert counts(heard(old)[SOURCE]) == (10, 8, 0, 2, 0)
    check_log(old)


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(old: Path | str) -> None:
    change(old, "CREATE TABLE snapshots (another bigint)")
    with pytest.raises(StoreError):
        ingest(old, [opening("X", contract=None)])
    assert format_of(old) == 1
    there = {table for table in NEWER_TABLES if exists(old, table)}
    assert there == {"snapshots"}


def exists(place: Path | str, table: str) -> bool:
    if isinstance(place, Path):
        return bool(rows(place, f"SELECT 1 FROM sqlite_schema WHERE name = '{table}'"))
    return rows(place, f"SELECT to_regclass('{table}')") != [(None,)]


# --- roles of an upgraded store --------------------------------------------------------------------------------------


@pytest.fixture
def users(postgres_url: str) -> Iterator[tuple[str, str]]:
    """Two users who may log in, and make schemas, and nothing else; gone at the end."""
    schema = postgres_location(postgres_url).schema
    one, two = f"{schema}_one", f"{schema}_two"
    with owner(postgres_url) as connection:
        for name in (one, two):
            connection.execute(f"CREATE ROLE {name} LOGIN".encode())
            connection.execute(
                f"GRANT CREATE ON DATABASE {postgres_location(postgres_url).database} TO {name}".encode()
            )
        yield one, two
        for name in (one, two):
            connection.execute(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}".encode())


def as_user(url: str, user: str) -> str:
    return f"postgresql://{user}@{url.removeprefix('postgresql://').rpartition('@')[2]}"


def recorded(url: str, *raws: bytes) -> list[str]:
    with opened(url) as ledger:
        return names(CommandHandler(ledger, Clock()).handle(raws).outcomes)


def opened(url: str) -> AbstractContextManager[Ledger]:
    return stored(url, Clock(), create=False)


def test_the_writer_records_after_an_upgrade(postgres_url: str, users: tuple[str, str]) -> None:
    writer = as_user(postgres_url, users[0])
    ingest(postgres_url, contract_in_force())
    change(postgres_url, f"GRANT {postgres_location(postgres_url).writer} TO {users[0]}")
    set_back(postgres_url)
    with pytest.raises(StoreError, match=r"format 1.*owner of the store run, once: verbale status.*mode=ro"):
        recorded(writer, opening())
    with opened(f"{writer}&mode=ro") as ledger:
        assert len(list(ledger.entries())) == 4
        with pytest.raises(OlderStore, match="format 1"):
            ledger.store.sources()
    with opened(postgres_url):
        pass
    told: Sequence[bytes] = [opening(), charge("W"), b"{", numbered(1), numbered(3)]
    assert recorded(writer, *told) == ["Done", "Waiting", "Refused", "Done", "Done"]
    assert recorded(writer, opening("W"), b"{") == ["Done", "Refused"]
    with opened(writer) as ledger:
        handler = CommandHandler(ledger, Clock(), write_outbox_message=outbox_writer("main", Clock()))
        handler.retry([RefusedMessage(None, b"{", "R1", "", "no JSON")])
        ledger.store.published([posted.number for posted in ledger.store.outbox(10)])
        ledger.store.issue_token(b"digest", SOURCE)
        ledger.store.revoke_token(b"digest")
        ledger.store.remember_snapshot(SOURCE, "item", 1, "said")
        ledger.store.remember_snapshot(SOURCE, "item", 1, "said again")
        assert (ledger.store.unpublished(), gaps(postgres_url)) == (0, [(2, 2)])


def test_what_an_upgrade_adds_belongs_to_whom_the_store_belongs_to(postgres_url: str, users: tuple[str, str]) -> None:
    theirs, others = (as_user(postgres_url, user) for user in users)
    ingest(theirs, contract_in_force())
    set_back(postgres_url)
    with pytest.raises(StoreError):
        recorded(others, opening())
    with opened(postgres_url) as ledger:  # the server's own superuser looks first
        assert ledger.store.format == FORMAT
    assert rows(postgres_url, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = current_schema()") == [
        (users[0],)
    ]
    assert recorded(theirs, opening()) == ["Done"]


def test_a_server_that_takes_no_changes_is_read_in_the_old_format(postgres_url: str) -> None:
    ingest(postgres_url, contract_in_force())
    set_back(postgres_url)
    with opened(f"{postgres_url}&options=-c%20default_transaction_read_only%3Don") as ledger:
        assert len(list(ledger.entries())) == 4
        with pytest.raises(ReadOnlyStore):
            CommandHandler(ledger, Clock()).handle([opening()])
    assert format_of(postgres_url) == 1
