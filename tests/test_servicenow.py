"""Importing a ServiceNow log: the sample gives the published answers, and every rule of the import holds."""

import csv
import gzip
import io
import json
import lzma
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.messages import Clock, acceptance, memory, names, wire

from adapters.imports.contract_file import assumed_terms
from adapters.imports.csv_table import BadTable, write_quarantine
from adapters.imports.servicenow import Credits, incident_messages, log_messages
from adapters.imports.servicenow_log import IncidentLog, local_instant, read_log
from adapters.inbox.handler import CommandHandler
from adapters.inbox.ingest import Tally, take_in, written
from adapters.inbox.messages import read_message
from adapters.inbox.outcomes import Duplicate, Refused
from adapters.store.ledger import Ledger
from domain.facts import Fact
from domain.values import instant_text, read_instant
from projections.breach import breach
from projections.compliance import ComplianceRow, compliance
from projections.history import History
from projections.readings import Reading
from projections.replay import Replay

ROME = ZoneInfo("Europe/Rome")
SAMPLE = "incident_event_log_sample.csv.gz"


# --- the sample -------------------------------------------------------------------------------------------------


def take(ledger: Ledger, log: IncidentLog) -> Tally:
    """Record a whole log."""
    return take_in(CommandHandler(ledger, Clock()), written(log_messages(log, Credits()), "log"))


def told(ledger: Ledger) -> Counter[tuple[str, str]]:
    """The facts on record, whatever the order in which they were recorded."""
    return Counter((entry.stream, repr(entry.fact)) for entry in ledger.entries())


@dataclass(frozen=True)
class Imported:
    """The sample as imported: the log, what became of its messages, its facts and its judgement."""

    answers: dict[str, Any]
    path: Path
    log: IncidentLog
    tally: Tally
    again: Tally
    facts: Counter[tuple[str, str]]
    types: Counter[str]
    rows: list[ComplianceRow]
    contracts_over: int


@pytest.fixture(scope="module")
def sample() -> Imported:
    """The sample imported twice into memory, and judged as of its last instant."""
    path = acceptance(SAMPLE)
    answers = json.loads(acceptance("incident_event_log_sample.answers.json").read_text(encoding="utf-8"))
    log = read_log(path)
    with memory(Clock()) as ledger:
        tally = take(ledger, log)
        again = take(ledger, log)
        facts = told(ledger)
        history = History.of(ledger.entries())
        types = Counter(entry.fact.TYPE for entry in ledger.entries())
    assert log.last_instant is not None
    replay = Replay(history, Reading(window="whole_contract"), log.last_instant)
    rows = compliance(replay)
    over = sum(row.passed for row in breach(replay, rows))
    return Imported(answers, path, log, tally, again, facts, types, rows, over)


@pytest.mark.acceptance
def test_the_sample_is_read_whole_but_for_its_quarantined_rows(sample: Imported) -> None:
    assert sample.log.rows == sample.answers["rows"]
    assert len(sample.log.quarantined) == sample.answers["quarantined"]
    assert len(sample.log.incidents) == sample.answers["incidents"]


@pytest.mark.acceptance
def test_a_quarantined_row_of_the_sample_is_the_line_it_says(sample: Imported) -> None:
    with gzip.open(sample.path, "rt", encoding="utf-8", newline="") as file:
        lines = file.read().splitlines()
    for quarantined in sample.log.quarantined:
        assert next(csv.reader([lines[quarantined.line - 1]])) == list(quarantined.row.values())
        assert quarantined.reason


@pytest.mark.acceptance
def test_the_sample_gives_the_events_of_each_kind(sample: Imported) -> None:
    kinds = {kind.split(".")[1]: count for kind, count in sample.types.items() if kind.startswith("incident.")}
    assert kinds == sample.answers["events"]
    assert set(sample.tally.outcomes) == {"done"}
    assert sample.tally.messages == sum(sample.types.values())
    contracts = len(sample.answers["contracts"])
    assert {kind: count for kind, count in sample.types.items() if not kind.startswith("incident.")} == {
        "contract.signed.v1": contracts,
        "contract.option_activated.v1": contracts,
        "contract.calendar_adopted.v2": contracts,
        "credits.purchased.v1": contracts,
    }


@pytest.mark.acceptance
def test_the_sample_gives_the_breaches_by_priority(sample: Imported) -> None:
    found: dict[str, list[int]] = {}
    for row in sample.rows:
        counts = found.setdefault(str(int(row.priority or 0)), [0, 0, 0])
        counts[0] += 1
        counts[1] += row.charge.breached
        counts[2] += row.intervention.breached
    assert found == sample.answers["by_priority"]


@pytest.mark.acceptance
def test_the_sample_gives_the_breaches_by_contract(sample: Imported) -> None:
    found: dict[str, list[int]] = {}
    for row in sample.rows:
        counts = found.setdefault(row.contract or "", [0, 0, 0, 0])
        counts[0] += 1
        counts[1] += row.charge.breached
        counts[2] += row.intervention.breached
        counts[3] += row.breach
    assert found == sample.answers["contracts"]


@pytest.mark.acceptance
def test_the_sample_gives_the_totals(sample: Imported) -> None:
    rows = sample.rows
    seconds = {
        name: sum(clock.judged.net_us or 0 for clock in clocks)
        for name, clocks in (("tpc", [r.charge for r in rows]), ("ti", [r.intervention for r in rows]))
    }
    assert len(rows) == sample.answers["incidents"]
    assert sum(row.charge.breached for row in rows) == sample.answers["tpc_breaches"]
    assert sum(row.intervention.breached for row in rows) == sample.answers["ti_breaches"]
    assert sum(row.breach for row in rows) == sample.answers["incident_breaches"]
    assert seconds == {"tpc": sample.answers["tpc_seconds"] * 10**6, "ti": sample.answers["ti_seconds"] * 10**6}
    assert sum(not row.intervention.judged.verdict.decided for row in rows) == sample.answers["no_intervention"]
    assert sample.contracts_over == sample.answers["contracts_over_10_percent"]
    assert all(row.answer.guaranteed for row in rows)


@pytest.mark.acceptance
def test_importing_the_sample_again_changes_nothing(sample: Imported) -> None:
    assert sample.again.outcomes == Counter(duplicate=sample.tally.messages)
    assert sum(sample.facts.values()) == sample.tally.messages


@pytest.mark.acceptance
def test_half_of_the_sample_first_and_the_whole_after_gives_the_same_facts(sample: Imported, tmp_path: Path) -> None:
    with gzip.open(sample.path, "rt", encoding="utf-8", newline="") as file:
        lines = file.readlines()
    half = tmp_path / "half.csv"
    half.write_text("".join(lines[: len(lines) // 2]), encoding="utf-8", newline="")
    with memory(Clock()) as ledger:
        first = take(ledger, read_log(half))
        second = take(ledger, sample.log)
        facts = told(ledger)
    assert set(first.outcomes) == {"done"}
    extra = facts - sample.facts
    assert set(second.outcomes) <= {"done", "duplicate"}
    assert sample.facts - facts == Counter()
    # What the shorter log knew less of: the calendar of its own years.
    assert {stream.partition("-")[0] for stream, _ in extra} <= {"contract"}
    assert all("CalendarAdopted" in fact for _, fact in extra)


# --- little logs ------------------------------------------------------------------------------------------------

COLUMNS = [
    "number", "incident_state", "active", "sys_mod_count", "opened_at", "sys_updated_at", "location", "impact",
    "urgency", "assigned_to", "comment",
]  # fmt: skip
USUAL = {
    "number": "INC0000001",
    "incident_state": "New",
    "active": "true",
    "sys_mod_count": "0",
    "opened_at": "7/3/2016 09:00",
    "sys_updated_at": "7/3/2016 09:00",
    "location": "Location 1",
    "impact": "2 - Medium",
    "urgency": "2 - Medium",
    "assigned_to": "?",
    "comment": "",
}


def row(update: str | None = None, **fields: str) -> dict[str, str]:
    """A row of a little log; `update` is the time of day of its change, on the day it was opened."""
    at = {} if update is None else {"sys_updated_at": f"7/3/2016 {update}"}
    return {**USUAL, **at, **fields}


def text_of(rows: Iterable[dict[str, str]]) -> str:
    """The log as text."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@dataclass
class Logs:
    """Writes little logs and reads them."""

    folder: Path

    def read(self, *rows: dict[str, str], zone: str = "Europe/Rome") -> IncidentLog:
        """A log of some rows."""
        return self.read_bytes(text_of(rows).encode(), zone=zone)

    def read_bytes(self, content: bytes, name: str = "log.csv", zone: str = "Europe/Rome") -> IncidentLog:
        """A log of these very bytes."""
        path = self.folder / name
        path.write_bytes(content)
        return read_log(path, zone)


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    """A folder for little logs."""
    return Logs(tmp_path)


def said(log: IncidentLog, number: str = "INC0000001") -> list[tuple[str, str]]:
    """What the log says of an incident: verbs, and their local times of day."""
    found = []
    for document in incident_messages(log.incidents[number]):
        local = datetime.fromisoformat(document["time"]).astimezone(ROME)
        found.append((document["type"].split(".")[2], f"{local:%H:%M}"))
    return found


def recorded(log: IncidentLog, credits: Credits | None = None) -> dict[str, list[Fact]]:
    """The facts of a log put through the desk, by stream; nothing is refused."""
    with memory(Clock()) as ledger:
        messages = [wire(document) for document in log_messages(log, credits or Credits())]
        outcomes = CommandHandler(ledger, Clock()).handle(messages).outcomes
        assert set(names(outcomes)) <= {"Done"}, [one for one in outcomes if isinstance(one, Refused)]
        found: dict[str, list[Fact]] = {}
        for entry in ledger.entries():
            found.setdefault(entry.stream, []).append(entry.fact)
        return found


def reasons(log: IncidentLog) -> dict[int, str]:
    """Why each line is quarantined."""
    return {quarantined.line: quarantined.reason for quarantined in log.quarantined}


# --- dates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("29/2/2016 01:16", "2016-02-29T00:16:00Z"),
        ("29-02-2016 01:16", "2016-02-29T00:16:00Z"),
        ("1/12/2016 1:05", "2016-12-01T00:05:00Z"),
        ("01-07-2016 00:00:30", "2016-06-30T22:00:30Z"),
        ("27/3/2016 02:30", "2016-03-27T01:30:00Z"),  # skipped by the clocks
        ("30/10/2016 02:30", "2016-10-30T00:30:00Z"),  # told twice by the clocks
        ("30/10/2016 03:00", "2016-10-30T02:00:00Z"),
    ],
)
def test_both_date_styles_are_read_day_first_and_doubtful_times_with_fold_0(text: str, instant: str) -> None:
    assert instant_text(local_instant(text, ROME)) == instant


def test_dates_are_local_times_of_another_zone_when_told(logs: Logs) -> None:
    log = logs.read(row(), zone="America/New_York")
    assert instant_text(log.incidents["INC0000001"][0].opened_at) == "2016-03-07T14:00:00Z"
    messages = list(log_messages(log, Credits(), "America/New_York"))
    assert messages[0]["data"]["terms"]["time_zone"] == "America/New_York"
    assert messages[0]["time"] == "2016-03-07T05:00:00Z"


@pytest.mark.parametrize("column", ["opened_at", "sys_updated_at"])
@pytest.mark.parametrize(
    "text",
    ["31/2/2016 10:00", "2/31/2016 10:00", "29/2/2015 10:00", "7/3/2016 24:00", "7/3/2016", "7/3-2016 10:00",
     "2016-03-07 10:00", "7/3/16 10:00", "7/3/2016 10:00 PM", "?", "", "soon", "٧/3/2016 10:00"],
)  # fmt: skip
def test_a_bad_date_is_quarantined(logs: Logs, column: str, text: str) -> None:
    log = logs.read(row(), row("10:00", number="INC2", **{column: text}), row("11:00"))
    assert list(reasons(log)) == [3]
    assert list(log.incidents) == ["INC0000001"]
    if text not in ("", "?"):
        assert text in reasons(log)[3]


def test_an_update_before_the_opening_is_quarantined_and_the_rest_goes_on(logs: Logs) -> None:
    log = logs.read(row("08:59"), row("09:00"), row("10:00", incident_state="Active"))
    assert list(reasons(log)) == [2]
    assert "before opened_at" in reasons(log)[2]
    assert said(log) == [("open", "09:00"), ("take_in_charge", "10:00"), ("start_intervention", "10:00")]


# --- the file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "pack"), [("log.csv", bytes), ("log", bytes), ("log.csv.gz", gzip.compress), ("log.csv.xz", lzma.compress)]
)
def test_a_log_is_read_plain_or_packed(logs: Logs, name: str, pack: Any) -> None:
    log = logs.read_bytes(pack(text_of([row(), row("10:00", incident_state="Active")]).encode()), name)
    assert (log.rows, list(log.incidents)) == (2, ["INC0000001"])


@pytest.mark.parametrize("change", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_a_byte_order_mark_and_line_ends_of_windows_do_not_matter(logs: Logs, change: Any) -> None:
    log = logs.read_bytes(change(text_of([row(), row(number="INC2", incident_state="Nowhere")])).encode())
    assert list(log.incidents) == ["INC0000001"]
    assert list(reasons(log)) == [3]


BAD_FILES: dict[str, tuple[str, bytes]] = {
    "an empty file": ("log.csv", b""),
    "other columns": ("log.csv", b"a,b\n1,2\n"),
    "a missing column": ("log.csv", text_of([row()]).replace("assigned_to", "assignee").encode()),
    "a message": ("log.csv", b'{"specversion": "1.0"}\n'),
    "UTF-16": ("log.csv", text_of([row()]).encode("utf-16")),
    "bytes": ("log.csv", bytes(range(256)) * 20),
    "gz by name only": ("log.csv.gz", text_of([row()]).encode()),
    "xz by name only": ("log.csv.xz", text_of([row()]).encode()),
    "gz cut short": ("log.csv.gz", gzip.compress(text_of([row()] * 50).encode())[:-20]),
    "xz cut short": ("log.csv.xz", lzma.compress(text_of([row()] * 50).encode())[:-20]),
}


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_file_that_is_no_such_log_is_a_plain_error(logs: Logs, what: str) -> None:
    name, content = BAD_FILES[what]
    with pytest.raises(BadTable) as caught:
        logs.read_bytes(content, name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def _damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 0xFF for byte in content[middle : middle + 30]) + content[middle + 30 :]


def test_a_damaged_xz_file_is_a_plain_error(logs: Logs) -> None:
    numbers = [row(number=f"INC{index * 7919 % 10_007}") for index in range(500)]
    with pytest.raises(BadTable, match=r"log\.csv\.xz"):
        logs.read_bytes(_damaged(lzma.compress(text_of(numbers).encode())), "log.csv.xz")


def test_a_damaged_gz_file_is_a_plain_error(logs: Logs) -> None:
    numbers = [row(number=f"INC{index * 7919 % 10_007}") for index in range(500)]
    with pytest.raises(BadTable, match=r"log\.csv\.gz"):
        logs.read_bytes(_damaged(gzip.compress(text_of(numbers).encode(), mtime=0)), "log.csv.gz")


def test_a_missing_file_and_a_folder_are_plain_errors(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="cannot be read"):
        read_log(tmp_path / "none.csv")
    with pytest.raises(BadTable, match="cannot be read"):
        read_log(tmp_path)


def test_a_missing_column_is_named(logs: Logs) -> None:
    with pytest.raises(BadTable, match="no column location, urgency"):
        logs.read_bytes(b"number,incident_state,sys_mod_count,opened_at,sys_updated_at,impact,assigned_to\n")


def test_a_log_with_no_row_gives_no_message(logs: Logs) -> None:
    log = logs.read()
    assert (log.rows, log.last_instant, list(log_messages(log, Credits()))) == (0, None, [])


def test_columns_may_come_in_any_order_and_others_besides(logs: Logs) -> None:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, ["vendor", *reversed(COLUMNS)])
    writer.writeheader()
    writer.writerow({**row(), "vendor": "x"})
    assert list(logs.read_bytes(out.getvalue().encode()).incidents) == ["INC0000001"]


# --- quarantine -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["-100", "", "new", "Cancelled", "Awaiting", "Awaiting user info"])
def test_an_unknown_state_is_quarantined(logs: Logs, state: str) -> None:
    log = logs.read(row(), row("10:00", incident_state=state), row("11:00", incident_state="Active"))
    assert list(reasons(log)) == [3]
    assert "incident_state" in reasons(log)[3]
    assert log.quarantined[0].row["incident_state"] == state
    assert said(log)[1:] == [("take_in_charge", "11:00"), ("start_intervention", "11:00")]


def test_broken_encoding_quarantines_its_own_row_only(logs: Logs) -> None:
    text = text_of([row(), row("10:00", comment="perch\xe9"), row("11:00", comment="perché")])
    before, broken, after = text.partition("perch\xe9")
    content = before.encode() + broken.encode("latin-1") + after.encode()
    log = logs.read_bytes(content)
    assert list(reasons(log)) == [3]
    assert "UTF-8" in reasons(log)[3]
    assert [one.line for one in log.incidents["INC0000001"]] == [2, 4]
    json.dumps(log.quarantined[0].row, ensure_ascii=False).encode()


@pytest.mark.parametrize("line", ["INC0000009,New", "INC0000009" + ",x" * 11, ",", "x"])
def test_a_row_of_too_few_or_too_many_fields_is_quarantined(logs: Logs, line: str) -> None:
    first, *rest = text_of([row(), row("10:00")]).splitlines()
    log = logs.read_bytes("\n".join([first, rest[0], line, rest[1], ""]).encode())
    assert list(reasons(log)) == [3]
    assert len(log.incidents["INC0000001"]) == 2


@pytest.mark.parametrize(
    "fields",
    [{"number": ""}, {"number": "?"}, {"sys_mod_count": "x"}, {"sys_mod_count": "-1"}, {"sys_mod_count": "9" * 5000},
     {"impact": "High"}, {"impact": "4 - Low"}, {"urgency": "0"}],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_quarantined(logs: Logs, fields: dict[str, str]) -> None:
    log = logs.read(row(), row("10:00", **fields))
    assert list(reasons(log)) == [3]
    assert reasons(log)[3]


@pytest.mark.parametrize("fields", [{"number": "INC\x07"}, {"number": "I" * 201}, {"location": "L" * 201}])
def test_a_row_whose_names_no_message_may_carry_is_quarantined(logs: Logs, fields: dict[str, str]) -> None:
    log = logs.read(row(), row("10:00", **{"number": "INC2", **fields}))
    assert list(reasons(log)) == [3]


def test_blank_lines_are_no_rows(logs: Logs) -> None:
    log = logs.read_bytes(text_of([row(), row("10:00", incident_state="?")]).replace("\nINC", "\n\nINC").encode())
    assert log.rows == 2
    assert list(reasons(log)) == [5]


def test_line_numbers_are_those_of_the_file_though_a_field_holds_line_ends(logs: Logs) -> None:
    rows = [
        row(comment="two\nlines, and\na third"),
        row("10:00", incident_state="x"),
        row("11:00"),
        row("12:00", impact="x"),
    ]
    log = logs.read(*rows)
    lines = text_of(rows).splitlines()
    assert [lines[line - 1].split(",")[5] for line in reasons(log)] == ["7/3/2016 10:00", "7/3/2016 12:00"]


def test_the_quarantine_is_in_order_of_lines(logs: Logs) -> None:
    log = logs.read(row("12:00", impact="?"), row("10:00", number="INC2", impact="?"), row("11:00", incident_state="x"))
    assert [quarantined.line for quarantined in log.quarantined] == [2, 3, 4]
    assert log.incidents == {}


def test_the_quarantine_is_written_with_line_and_reason_before_the_row(logs: Logs, tmp_path: Path) -> None:
    text = text_of(
        [row(), row("10:00", incident_state="x", comment="a, b"), row("11:00", comment="perch\xe9", impact="0")]
    )
    log = logs.read_bytes(text.encode("latin-1"))
    out = tmp_path / "quarantine.csv"
    write_quarantine(out, log.quarantined)
    header, first, second = csv.reader(io.StringIO(out.read_text(encoding="utf-8"), newline=""))
    assert header == ["line", "reason", *COLUMNS]
    assert first == ["3", "unknown incident_state x", *row("10:00", incident_state="x", comment="a, b").values()]
    assert (second[0], second[2]) == ("4", "INC0000001")


def test_an_unknown_time_zone_is_a_plain_error(logs: Logs) -> None:
    with pytest.raises(BadTable, match="Rome"):
        logs.read(row(), zone="Rome")


def test_unknown_impact_or_urgency_quarantines_the_first_row_and_the_next_opens(logs: Logs) -> None:
    log = logs.read(
        row("09:00", impact="?", assigned_to="Resolver 1"),
        row("10:00", urgency="?", incident_state="Active"),
        row("11:00", impact="1 - High", location="Location 2"),
        row("12:00", incident_state="Active"),
    )
    assert sorted(reasons(log)) == [2, 3]
    assert "impact" in reasons(log)[2]
    assert "urgency" in reasons(log)[3]
    opened, *_ = incident_messages(log.incidents["INC0000001"])
    assert opened["time"] == "2016-03-07T08:00:00Z"
    assert opened["data"] == {
        "contract": "Location 2", "impact": "high", "urgency": "medium", "requested_by": "customer"
    }  # fmt: skip
    assert said(log)[1:] == [("take_in_charge", "12:00"), ("start_intervention", "12:00"), ("reassess", "12:00")]


def test_unknown_impact_or_urgency_in_a_later_row_is_no_change(logs: Logs) -> None:
    log = logs.read(
        row("09:00"),
        row("10:00", impact="?", urgency="?"),
        row("11:00", impact="?", urgency="1 - High"),
        row("12:00"),
    )
    assert log.quarantined == []
    documents = list(incident_messages(log.incidents["INC0000001"]))
    assert [(one["type"], one["data"]) for one in documents[1:]] == [
        ("verbale.incident.reassess.v1", {"impact": "medium", "urgency": "high"}),
        ("verbale.incident.reassess.v1", {"impact": "medium", "urgency": "medium"}),
    ]


# --- histories --------------------------------------------------------------------------------------------------


def history(logs: Logs, *changes: tuple[str, dict[str, str]]) -> list[tuple[str, str]]:
    """What a log says of one incident whose rows change so, after its opening."""
    return said(logs.read(*(row(time, **fields) for time, fields in changes)))[1:]


def state(name: str, **fields: str) -> dict[str, str]:
    """A row in this state."""
    return {"incident_state": name, **fields}


def test_taken_in_charge_when_assigned_and_started_when_no_longer_new(logs: Logs) -> None:
    found = history(
        logs, ("09:00", {}), ("10:00", {"assigned_to": "Resolver 1"}), ("11:00", {"assigned_to": "?"}),
        ("12:00", state("Active")), ("13:00", state("Active", assigned_to="Resolver 2")),
    )  # fmt: skip
    assert found == [("take_in_charge", "10:00"), ("start_intervention", "12:00")]


@pytest.mark.parametrize("name", ["Active", "Awaiting Problem"])
def test_a_state_other_than_new_takes_in_charge_and_starts_at_once(logs: Logs, name: str) -> None:
    assert history(logs, ("09:30", state(name))) == [("take_in_charge", "09:30"), ("start_intervention", "09:30")]


@pytest.mark.parametrize(
    ("name", "cause"),
    [("Awaiting User Info", "customer"), ("Awaiting Evidence", "customer"), ("Awaiting Vendor", "third_party")],
)
def test_a_state_that_awaits_others_suspends_until_the_next_that_does_not(logs: Logs, name: str, cause: str) -> None:
    log = logs.read(row(), row("10:00", incident_state=name), row("11:00", incident_state=name),
                    row("12:00", incident_state="Active"))  # fmt: skip
    documents = list(incident_messages(log.incidents["INC0000001"]))
    assert said(log)[3:] == [("suspend", "10:00"), ("resume", "12:00")]
    assert documents[3]["data"] == {"cause": cause}


def test_awaiting_problem_suspends_nothing_and_ends_a_suspension(logs: Logs) -> None:
    found = history(logs, ("09:00", {}), ("10:00", state("Awaiting Vendor")), ("11:00", state("Awaiting Problem")))
    assert found[2:] == [("suspend", "10:00"), ("resume", "11:00")]


def test_a_change_of_cause_suspends_again_and_one_of_state_only_says_nothing(logs: Logs) -> None:
    log = logs.read(
        row("09:00", incident_state="Awaiting User Info"),
        row("10:00", incident_state="Awaiting Evidence"),
        row("11:00", incident_state="Awaiting Vendor"),
        row("12:00", incident_state="Awaiting User Info"),
    )
    causes = [one["data"].get("cause") for one in incident_messages(log.incidents["INC0000001"])][3:]
    assert causes == ["customer", "third_party", "customer"]
    assert [time for _, time in said(log)[3:]] == ["09:00", "11:00", "12:00"]


def test_resolved_then_closed_says_each_once(logs: Logs) -> None:
    found = history(
        logs, ("09:00", state("Active")), ("10:00", state("Resolved")), ("11:00", state("Resolved")),
        ("12:00", state("Closed")), ("13:00", state("Closed")),
    )  # fmt: skip
    assert found[2:] == [("resolve", "10:00"), ("close", "12:00")]


def test_a_closing_is_not_void(logs: Logs) -> None:
    log = logs.read(row(), row("10:00", incident_state="Closed"))
    *_, closing = incident_messages(log.incidents["INC0000001"])
    assert (closing["type"], closing["data"]) == ("verbale.incident.close.v1", {"reason": "resolved"})


@pytest.mark.parametrize("ended", ["Resolved", "Closed"])
@pytest.mark.parametrize("name", ["New", "Active", "Awaiting Problem"])
def test_any_other_state_after_resolved_or_closed_reopens(logs: Logs, ended: str, name: str) -> None:
    found = history(logs, ("09:00", state(ended)), ("10:00", state(name)), ("11:00", state(ended)))
    verb = {"Resolved": "resolve", "Closed": "close"}[ended]
    assert found[2:] == [(verb, "09:00"), ("reopen", "10:00"), (verb, "11:00")]


def test_from_closed_to_resolved_resolves_and_does_not_reopen(logs: Logs) -> None:
    found = history(logs, ("09:00", state("Closed")), ("10:00", state("Resolved")), ("11:00", state("Closed")))
    assert found[2:] == [("close", "09:00"), ("resolve", "10:00"), ("close", "11:00")]


def test_within_one_row_the_verbs_come_in_their_order(logs: Logs) -> None:
    found = history(
        logs,
        ("09:00", state("Resolved")),
        ("10:00", state("Awaiting Vendor", impact="1 - High")),
        ("11:00", state("Resolved", urgency="1 - High")),
    )
    assert found == [
        ("take_in_charge", "09:00"), ("start_intervention", "09:00"), ("resolve", "09:00"),
        ("reopen", "10:00"), ("reassess", "10:00"), ("suspend", "10:00"),
        ("reassess", "11:00"), ("resume", "11:00"), ("resolve", "11:00"),
    ]  # fmt: skip


def test_the_first_row_alone_may_say_it_all(logs: Logs) -> None:
    found = history(logs, ("10:00", state("Awaiting Evidence", assigned_to="Resolver 1")))
    assert found == [("take_in_charge", "10:00"), ("start_intervention", "10:00"), ("suspend", "10:00")]


def test_rows_out_of_order_and_apart_are_put_in_order(logs: Logs) -> None:
    rows = [
        row("09:00"),
        row("10:00", incident_state="Active"),
        row("11:00", incident_state="Awaiting Vendor"),
        row("12:00", incident_state="Resolved"),
    ]
    other = [row("09:30", number="INC2"), row("11:30", number="INC2", incident_state="Active")]
    shuffled = logs.read(rows[2], other[1], rows[0], rows[3], other[0], rows[1])
    expected = said(logs.read(*rows))
    assert said(shuffled) == expected
    assert said(shuffled, "INC2") == said(logs.read(*other), "INC2")


def test_rows_of_the_same_minute_are_ordered_by_mod_count_as_a_number_then_by_line(logs: Logs) -> None:
    changes = [
        ("10:00", state("Closed", sys_mod_count="10")),
        ("10:00", state("Awaiting Vendor", sys_mod_count="9")),
        ("10:00", state("Active", sys_mod_count="2")),
        ("10:00", state("Resolved", sys_mod_count="9")),
    ]
    assert [verb for verb, _ in history(logs, *changes)] == [
        "take_in_charge", "start_intervention", "suspend", "resume", "resolve", "close"
    ]  # fmt: skip


def test_suspended_resumed_and_suspended_within_a_minute_are_three_facts(logs: Logs) -> None:
    log = logs.read(
        row("10:00", sys_mod_count="1", incident_state="Awaiting Vendor"),
        row("10:00", sys_mod_count="2", incident_state="Active"),
        row("10:00", sys_mod_count="3", incident_state="Awaiting Vendor"),
    )
    kinds = [fact.TYPE for fact in recorded(log)["incident-INC0000001"]]
    assert kinds[3:] == ["incident.suspended.v1", "incident.resumed.v1", "incident.suspended.v1"]


def test_booleans_in_either_case_tell_the_same(logs: Logs) -> None:
    told_by = [
        recorded(logs.read(row(active=word), row("10:00", incident_state="Active", active=word)))["incident-INC0000001"]
        for word in ("true", "TRUE", "False")
    ]
    assert told_by[0] == told_by[1] == told_by[2]
    assert len(told_by[0]) == 3


# --- contracts --------------------------------------------------------------------------------------------------


def test_each_location_is_a_contract_in_force_from_the_midnight_of_its_first_request(logs: Logs) -> None:
    facts = recorded(
        logs.read(
            row(number="INC2", opened_at="8/3/2016 00:30", sys_updated_at="9/3/2016 10:00"),
            row(number="INC1", opened_at="7/7/2016 23:30", sys_updated_at="7/7/2016 23:30"),
            row(number="INC3", opened_at="1/7/2016 00:10", sys_updated_at="1/1/2018 00:10", location="Location 2"),
        ),
        Credits(minutes=10, price="1.50"),
    )
    for location, instant in (("Location 1", "2016-03-07T23:00:00Z"), ("Location 2", "2016-06-30T22:00:00Z")):
        at = read_instant(instant)
        signed, activated, calendar = (dict(fact) for fact in facts[f"contract-{location}"])
        (bought,) = (dict(fact) for fact in facts[f"credits-{location}"])
        assert {signed["at"], signed["in_force_from"], activated["at"], activated["effective"]} == {at}
        assert {calendar["at"], bought["at"]} == {at}
        assert (signed["in_force_until"], signed["terms"]) == (None, assumed_terms())
        assert (calendar["first_year"], calendar["last_year"], calendar["source"]) == (2016, 2018, "holidays IT")
        assert (bought["minutes"], str(bought["price"]), bought["expires_at"]) == (10, "1.50", None)


def test_years_are_those_of_local_time(logs: Logs) -> None:
    log = logs.read(row(opened_at="1/1/2016 00:30", sys_updated_at="31/12/2017 23:30"))
    _, calendar = recorded(log)["contract-Location 1"][0], recorded(log)["contract-Location 1"][2]
    assert (dict(calendar)["first_year"], dict(calendar)["last_year"]) == (2016, 2017)


def test_an_unknown_location_is_a_contract_too(logs: Logs) -> None:
    facts = recorded(logs.read(row(location="?"), row(number="INC2", location="")))
    assert dict(facts["incident-INC0000001"][0])["contract"] == "?"
    assert {stream for stream in facts if stream.startswith("contract")} == {"contract-?"}


def test_every_request_of_a_log_is_the_customers_and_guaranteed(logs: Logs) -> None:
    for stream, facts in recorded(logs.read(row(), row(number="INC2", location="Location 2"))).items():
        if stream.startswith("incident-"):
            opened = dict(facts[0])
            assert (opened["requested_by"], opened["answer"].guaranteed) == ("customer", True)


# --- identity ---------------------------------------------------------------------------------------------------


def outcomes_of(ledger: Ledger, log: IncidentLog) -> list[str]:
    """The kinds of outcome of a log."""
    raws = [wire(document) for document in log_messages(log, Credits())]
    return names(CommandHandler(ledger, Clock()).handle(raws).outcomes)


def test_importing_again_changes_nothing_and_a_longer_log_adds_only_what_is_new(logs: Logs) -> None:
    short = [row(), row("10:00", incident_state="Active")]
    longer = [
        *short,
        row("11:00", incident_state="Closed"),
        row(number="INC2"),
        row(number="INC3", location="Location 9"),
    ]
    with memory(Clock()) as ledger:
        assert outcomes_of(ledger, logs.read(*short)) == ["Done"] * 7
        assert outcomes_of(ledger, logs.read(*short)) == ["Duplicate"] * 7
        outcomes = outcomes_of(ledger, logs.read(*longer))
        assert Counter(outcomes) == Counter(Duplicate=7, Done=7)
        longer_facts = told(ledger)
    with memory(Clock()) as ledger:
        outcomes_of(ledger, logs.read(*longer))
        assert told(ledger) == longer_facts


def test_a_log_in_another_order_or_packing_is_the_same_log(logs: Logs) -> None:
    rows = [row(), row("10:00", incident_state="Active"), row(number="INC2"), row("12:00", incident_state="Closed")]
    with memory(Clock()) as ledger:
        outcomes_of(ledger, logs.read(*rows))
        packed = logs.read_bytes(gzip.compress(text_of(reversed(rows)).encode()), "again.csv.gz")
        assert set(outcomes_of(ledger, packed)) == {"Duplicate"}


def test_a_longer_log_that_begins_earlier_refuses_no_message_of_an_incident(logs: Logs) -> None:
    later = [row(), row("10:00", incident_state="Active")]
    earlier = row(number="INC0", opened_at="1/3/2016 09:00", sys_updated_at="1/3/2016 09:00")
    with memory(Clock()) as ledger:
        outcomes_of(ledger, logs.read(*later))
        raws = [wire(document) for document in log_messages(logs.read(earlier, *later), Credits())]
        outcomes = CommandHandler(ledger, Clock()).handle(raws).outcomes
    about_incidents = [one for raw, one in zip(raws, outcomes, strict=True) if b'"incident-' in raw]
    assert names(about_incidents) == ["Done", "Duplicate", "Duplicate", "Duplicate"]


def test_the_id_of_a_message_tells_its_row_and_its_verb(logs: Logs) -> None:
    log = logs.read(row("10:00", incident_state="Active", sys_mod_count="4"))
    identities = [document["id"] for document in incident_messages(log.incidents["INC0000001"])]
    assert len(set(identities)) == 3
    for identity, verb in zip(identities, ("open", "take_in_charge", "start_intervention"), strict=True):
        assert identity.startswith("INC0000001:4:2016-03-07T09:00:00Z:")
        assert identity.endswith(f":{verb}")


def test_two_rows_that_differ_in_any_column_have_messages_of_their_own(logs: Logs) -> None:
    def ids(log: IncidentLog) -> Sequence[str]:
        return [document["id"] for document in incident_messages(log.incidents["INC0000001"])]

    one, other = (ids(logs.read(row(comment=comment))) for comment in ("a", "b"))
    assert one != other
    assert ids(logs.read(row(comment="a"))) == one


def test_every_message_of_a_log_can_be_read(logs: Logs) -> None:
    log = logs.read(row(), row("10:00", incident_state="Closed", location="Località 2 – “x”"), row(number="INC 2"))
    for document in log_messages(log, Credits()):
        assert read_message(wire(document)).identity == ("servicenow:incident-log", document["id"])


def test_progress_is_told_in_bytes_of_the_file(logs: Logs, tmp_path: Path) -> None:
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(text_of(row(number=f"INC{index}") for index in range(2000)).encode()))
    heard: list[int] = []
    read_log(path, on_bytes=heard.append)
    assert heard
    assert heard == sorted(heard)
    assert heard[-1] <= path.stat().st_size


def test_a_duplicate_row_says_nothing_twice(logs: Logs) -> None:
    log = logs.read(row(), row("10:00", incident_state="Active"), row("10:00", incident_state="Active"))
    with memory(Clock()) as ledger:
        raws = [wire(document) for document in log_messages(log, Credits())]
        outcomes = CommandHandler(ledger, Clock()).handle([*raws, raws[-1]]).outcomes
    assert names(outcomes) == ["Done"] * 7 + ["Duplicate"]
    assert isinstance(outcomes[-1], Duplicate)
