"""Importing any table of cases, activities, instants: the mapping says what a row is; a bad one costs itself alone."""

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.messages import Clock, memory, names

from adapters.imports.activity_log import ActivityLog, read_activity_log
from adapters.imports.activity_log_mapping import LogMapping, example
from adapters.imports.csv_table import BadTable
from adapters.imports.mapping import BadMapping, TimeTable, parse_mapping
from adapters.inbox.handler import CommandHandler
from domain.facts import Fact
from domain.values import EARLIEST, LATEST, instant_text

Run = Callable[..., tuple[int, str, str]]

COLUMNS = ("Ticket", "Action", "When", "Customer", "Impact", "Urgency", "Agent")
MARCH_3 = "03/03/2025"


def row(action: str = "Created", time: str = "09:00", ticket: str = "T-101", **cells: str) -> dict[str, str]:
    """A row of the made-up table; `time` is a time of day of one Monday, or a whole date."""
    when = f"{MARCH_3} {time}" if len(time) == 5 else time
    usual = {"Ticket": ticket, "Action": action, "When": when, "Customer": "acme", "Impact": "1 - High"}
    return {**usual, "Urgency": "2 - Medium", "Agent": "", **cells}


LOG = (
    row(),
    row("Assigned", "09:20", Agent="ag-7"),
    row("Waiting for customer", "09:40", Agent="ag-7"),
    row("Comment added", "09:50"),
    row("Work resumed", "10:00", Agent="ag-7"),
    row("Work started", "10:05", Agent="ag-7"),
    row("Priority changed", "10:30", Impact="2 - Medium"),
    row("Resolved", "11:00"),
    row("Closed", "12:00"),
    row("Created", "10:15", "T-102", Impact="3 - Low"),
    row("Closed as duplicate", "10:20", "T-102"),
)


def table(rows: Sequence[dict[str, str]], delimiter: str = ";") -> str:
    """The table as text."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(dict.fromkeys(name for one in rows for name in one)) or COLUMNS, restval="",
                            delimiter=delimiter, lineterminator="\n")  # fmt: skip
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def mapping(*changes: tuple[str, str]) -> LogMapping:
    """The example that the program prints, with some of its text changed."""
    text = example()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return parse_mapping(text, "tickets.toml", LogMapping, "verbale import mapping example")


@dataclass
class Tables:
    """Writes little tables and reads them."""

    folder: Path

    def read(self, *rows: dict[str, str], by: LogMapping | None = None) -> ActivityLog:
        """A table of some rows."""
        return self.read_text(table(rows), by)

    def read_text(self, text: str, by: LogMapping | None = None) -> ActivityLog:
        """A table of this very text."""
        path = self.folder / "tickets.csv"
        path.write_bytes(text.encode())
        return read_activity_log(path, by or mapping())


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    """A folder for little tables."""
    return Tables(tmp_path)


def documents(log: ActivityLog) -> list[dict[str, Any]]:
    """The messages of a log."""
    return [json.loads(message.raw) for message in log.messages]


def ids(log: ActivityLog) -> list[str]:
    """Their ids."""
    return [document["id"] for document in documents(log)]


def reasons(log: ActivityLog) -> dict[int, str]:
    """Why each line is quarantined."""
    return {quarantined.line: quarantined.reason for quarantined in log.quarantined}


def recorded(*logs: ActivityLog) -> dict[str, list[Fact]]:
    """The facts of logs taken in one after the other, by stream; nothing is refused."""
    with memory(Clock()) as ledger:
        desk = CommandHandler(ledger, Clock())
        for log in logs:
            outcomes = desk.handle([message.raw for message in log.messages]).outcomes
            assert "Refused" not in names(outcomes), outcomes
        found: dict[str, list[Fact]] = {}
        for entry in ledger.entries():
            found.setdefault(entry.stream, []).append(entry.fact)
        return found


# --- what a row says --------------------------------------------------------------------------------------------


def test_the_example_reads_the_table_it_shows(tables: Tables) -> None:
    shown = [line.removeprefix("#     ") for line in example().splitlines() if line.startswith("#     ")]
    log = tables.read_text("\n".join(shown) + "\n")
    assert log.quarantined == []
    assert [message.verb for message in log.messages] == ["open", "take_in_charge", "start_intervention"]


def test_a_log_becomes_the_facts_of_its_cases(tables: Tables) -> None:
    facts = recorded(tables.read(*LOG))
    assert [fact.TYPE.split(".")[1] for fact in facts["incident-T-101"]] == [
        "opened", "taken_in_charge", "suspended", "resumed", "intervention_started", "reassessed", "resolved", "closed"
    ]  # fmt: skip
    assert [fact.TYPE.split(".")[1] for fact in facts["incident-T-102"]] == ["opened", "closed"]


def test_a_message_says_what_its_command_asks_for_and_no_more(tables: Tables) -> None:
    opened, charged, *_ = documents(tables.read(*LOG))
    assert opened["data"] == {
        "requested_by": "customer", "customer": "acme", "impact": "high", "urgency": "medium"
    }  # fmt: skip
    assert "actor" not in opened
    assert (charged["data"], charged["actor"]) == ({}, "ag-7")
    assert (opened["source"], opened["subject"]) == ("helpdesk:tickets", "incident-T-101")
    assert opened["time"] == "2025-03-03T08:00:00Z"


def test_what_an_activity_fixes_beats_the_row_and_the_row_beats_a_constant(tables: Tables) -> None:
    by = mapping(
        ('requested_by = "customer"', 'requested_by = "customer"\nreason = "withdrawn"\ncause = "force_majeure"'),
        ('actor = "Agent"', 'actor = "Agent"\ncause = "Agent"'),
        ('"Closed" = { command = "close", reason = "resolved" }', '"Closed" = "close"'),
        ('"Waiting for vendor" = { command = "suspend", cause = "third_party" }', '"Waiting for vendor" = "suspend"'),
    )
    log = tables.read(
        row("Waiting for customer", "09:10", Agent="supplier"),
        row("Waiting for vendor", "09:20", Agent="supplier"),
        row("Waiting for vendor", "09:30"),
        row("Closed", "09:40"),
        row("Closed as duplicate", "09:50"),
        by=by,
    )
    assert [document["data"] for document in documents(log)] == [
        {"cause": "customer"}, {"cause": "supplier"}, {"cause": "force_majeure"}, {"reason": "withdrawn"},
        {"reason": "duplicate"},
    ]  # fmt: skip


def test_every_field_of_a_message_may_be_a_column_also_one_that_is_true_or_false(tables: Tables) -> None:
    by = mapping(
        ('actor = "Agent"', 'data_centre = "Agent"\nkind = "Kind"'),
        ("[activities]", '[values.data_centre]\n"DC" = true\n"" = false\n\n[activities]'),
    )
    log = tables.read(row(Agent="DC", Kind="bug"), row(ticket="T-2", Kind="incident"), by=by)
    assert [(d["data"]["data_centre"], d["data"]["kind"]) for d in documents(log)] == [
        (True, "bug"),
        (False, "incident"),
    ]


def test_a_prefix_keeps_two_systems_with_the_same_numbers_apart(tables: Tables) -> None:
    (opened,) = documents(tables.read(row(), by=mapping(('prefix = ""', 'prefix = "north-"'))))
    assert opened["subject"] == "incident-north-T-101"


def test_messages_come_in_order_of_instant_whatever_the_order_of_the_table(tables: Tables) -> None:
    log = tables.read(*reversed(LOG[:9]), by=mapping(("newest_first = false", "newest_first = true")))
    assert ids(log) == ids(tables.read(*LOG[:9]))


def test_rows_of_one_minute_keep_their_order_though_the_newest_come_first(tables: Tables) -> None:
    rows = [row(), row("Waiting for customer", "09:30"), row("Work resumed", "09:30")]
    down = mapping(("newest_first = false", "newest_first = true"))
    assert [message.verb for message in tables.read(*rows).messages] == ["open", "suspend", "resume"]
    assert [message.verb for message in tables.read(*reversed(rows), by=down).messages] == ["open", "suspend", "resume"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_table_is_read_in_its_encoding_and_with_its_delimiter(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = tmp_path / "tickets.csv.gz"
    content = table([row(Customer='perché "no"; e, sì', Note="two\nlines")], delimiter).encode(encoding)
    path.write_bytes(gzip.compress(content))
    by = mapping(('delimiter = ";"', f"delimiter = {json.dumps(delimiter)}"),
                 ('encoding = "UTF-8"', f'encoding = "{encoding.removesuffix("-sig")}"'))  # fmt: skip
    log = read_activity_log(path, by)
    assert log.rows == 1
    assert documents(log)[0]["data"]["customer"] == 'perché "no"; e, sì'


# --- again, and longer ------------------------------------------------------------------------------------------


def test_importing_again_and_a_longer_export_add_only_what_is_new(tables: Tables) -> None:
    half, whole = tables.read(*LOG[:5]), tables.read(*LOG)
    assert recorded(half, half, whole, whole) == recorded(whole)


def test_rows_that_say_the_same_are_counted_so_that_none_is_lost(tables: Tables) -> None:
    rows = [row(), row("Waiting for customer", "09:30"), row("Work resumed", "09:30"),
            row("Waiting for customer", "09:30"), row("Work resumed", "09:40")]  # fmt: skip
    log = tables.read(*rows)
    assert len(set(ids(log))) == len(rows)
    facts = recorded(log, log)["incident-T-101"]
    assert [fact.TYPE.split(".")[1] for fact in facts[1:]] == ["suspended", "resumed", "suspended", "resumed"]


def test_a_row_listed_twice_by_mistake_records_nothing_twice(tables: Tables) -> None:
    once, twice = (
        tables.read(row(), row("Resolved", "10:00")),
        tables.read(row(), row(), *[row("Resolved", "10:00")] * 3),
    )
    assert len(set(ids(twice))) == 5
    assert recorded(twice) == recorded(once)


def test_another_column_or_one_that_a_message_does_not_use_renames_nothing(tables: Tables) -> None:
    before = tables.read(row(), row("Assigned", "09:20", Agent="ag-7"))
    after = tables.read(
        row(Note="seen"), row("Assigned", "2025-03-03 09:20:00", Agent="ag-7", Impact="3 - Low", Note="late")
    )
    assert ids(after) == ids(before)


def test_a_row_that_says_otherwise_is_another_message(tables: Tables) -> None:
    (one,), (other,) = ids(tables.read(row())), ids(tables.read(row(Impact="3 - Low")))
    assert one != other


SOME_ROWS = st.builds(
    row,
    st.sampled_from(["Created", "Assigned", "Waiting for customer", "Work resumed", "Resolved"]),
    st.sampled_from(["09:00", "09:01"]),
    st.sampled_from(["T-1", "T-2"]),
    Agent=st.sampled_from(["", "ag-7"]),
)


@given(rows=st.lists(SOME_ROWS, max_size=12), data=st.data())
def test_whatever_an_export_holds_a_longer_one_in_any_order_has_its_ids(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]], data: st.DataObject
) -> None:
    tables = Tables(tmp_path_factory.mktemp("export"))
    longer = data.draw(st.permutations(rows))
    shorter = longer[: data.draw(st.integers(0, len(longer)))]
    first, second, third = (ids(tables.read(*some)) for some in (rows, longer, shorter))
    assert Counter(first) == Counter(second)
    assert set(third) <= set(first)
    assert len(set(first)) == len(rows)


# --- quarantine -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (row("Escalated", "10:00"), "Action: Escalated is not among the activities"),
        (row("created", "10:00"), "Action: created is not among the activities"),
        (row("", "10:00"), "Action: an empty field is not among the activities"),
        (row("Priority changed", "10:00", Impact="4 - None"), "Impact: 4 - None is not among values.impact"),
        (row("Priority changed", "10:00", Urgency="?"), "Urgency is ?: data.urgency: missing"),
        (row(ticket="T-2", Impact=""), "Impact is empty: data.impact: missing"),
        (row(ticket=""), "Ticket: an empty field is no name"),
        (row(ticket="T\x07"), "Ticket: T\\x07 is no name"),
        (row(ticket="T" * 201), "is no name of 1 to 200 characters"),
        (row(ticket="T-2", Customer="c\x07"), "Customer is c\\x07: data.customer"),
        (row(ticket="T-2", Agent="a" * 201), "Agent is aaaaaaa"),
        (row("\x1b[31mRed", "10:00"), "Action: \\x1b[31mRed is not among"),
        (row("Assigned", "31/02/2025 09:00"), "When: 31/02/2025 09:00 is no date as %d/%m/%Y %H:%M or iso"),
        (row("Assigned", ""), "When: an empty field is no date"),
        (row("Assigned", "2025-03-03"), "When: 2025-03-03 is no date"),
        (row("Assigned", "0001-01-01T00:00"), "When: 0001-01-01T00:00 is no date"),
        (row("Assigned", "1850-01-01T00:00:00Z"), "When is 1850-01-01T00:00:00Z: time"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_quarantined_and_the_rest_goes_on(
    tables: Tables, bad: dict[str, str], said: str
) -> None:
    log = tables.read(row(), bad, row("Resolved", "11:00"))
    assert list(reasons(log)) == [3]
    assert said in reasons(log)[3]
    assert log.quarantined[0].row == bad
    assert [message.verb for message in log.messages] == ["open", "resolve"]
    assert log.rows == 3


def test_what_a_message_does_not_use_cannot_spoil_its_row(tables: Tables) -> None:
    log = tables.read(row(), row("Assigned", "09:20", Impact="nonsense", Urgency="?", Customer="c\x07"))
    assert reasons(log) == {}


def test_an_activity_to_be_ignored_needs_nothing_else(tables: Tables) -> None:
    log = tables.read(row("Comment added", "", ""))
    assert (log.messages, log.quarantined, log.rows, log.activities) == ([], [], 1, Counter({"Comment added": 1}))


def test_broken_lines_cost_themselves_alone(tables: Tables) -> None:
    first, *rest = table([row(), row("Resolved", "11:00")]).splitlines()
    log = tables.read_text("\n".join([first, rest[0], "T-101;Created", 'T-101;"Created', "", rest[1], ""]))
    assert reasons(log) == {3: "cannot be read: it has 2 fields of 7", 4: "cannot be read: its quotes do not close"}
    assert [message.verb for message in log.messages] == ["open", "resolve"]


@pytest.mark.parametrize(
    "text", ["", "a;b\n1;2\n", table([row()]).replace("Urgency", "urgency"), table([row()], ",")]
)  # fmt: skip
def test_a_table_without_the_columns_of_the_mapping_is_a_plain_error(tables: Tables, text: str) -> None:
    with pytest.raises(BadTable, match="it has no column") as caught:
        tables.read_text(text)
    assert "\n" not in str(caught.value)


def test_a_column_that_is_there_twice_is_a_plain_error(tables: Tables) -> None:
    with pytest.raises(BadTable, match="more than one column When"):
        tables.read_text(table([row(Note="seen")]).replace("Note", "When"))


def test_a_table_in_another_encoding_is_a_plain_error(tables: Tables) -> None:
    with pytest.raises(BadTable, match="UTF-16"):
        tables.read_text(table([row()]) + "x", by=mapping(('"UTF-8"', '"UTF-16"')))


# --- instants ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "formats", "instant", "to_the_minute"),
    [
        ("2025-03-03T09:00", ("iso",), "2025-03-03T08:00:00Z", True),
        ("2025-03-03 09:00:00", ("iso",), "2025-03-03T08:00:00Z", False),
        ("2025-07-03 09:00:07.25", ("iso",), "2025-07-03T07:00:07.250000Z", False),
        ("2025-03-03T09:00Z", ("iso",), "2025-03-03T09:00:00Z", True),
        ("2025-03-03t09:00:00z", ("iso",), "2025-03-03T09:00:00Z", False),
        ("2025-03-03 09:00:00+0530", ("iso",), "2025-03-03T03:30:00Z", False),
        ("2025-03-30T02:30", ("iso",), "2025-03-30T01:30:00Z", True),  # skipped by the clocks
        ("2025-10-26T02:30", ("iso",), "2025-10-26T00:30:00Z", True),  # told twice by the clocks
        ("3/3/2025 9:05", ("iso", "%d/%m/%Y %H:%M"), "2025-03-03T08:05:00Z", True),
        ("03/04/25 9:05 PM", ("%m/%d/%y %I:%M %p",), "2025-03-04T20:05:00Z", True),
        ("2025-03-03 09:00:01 +0000", ("%Y-%m-%d %H:%M:%S %z",), "2025-03-03T09:00:01Z", False),
    ],
)
def test_instants_are_read_as_the_mapping_says(
    text: str, formats: tuple[str, ...], instant: str, to_the_minute: bool
) -> None:
    shown = TimeTable(formats=formats).read(text)
    assert (instant_text(shown.at), shown.to_the_minute) == (instant, to_the_minute)


@pytest.mark.parametrize(
    "text", ["2025-03-03", "09:00", "2025-W10-1T09:00", "20250303T0900", "2025-03-03T24:00", "2025-02-29T09:00",
             "2025-03-03T09:00:00.1234567", "2025-03-03_09:00", "9999-12-31T23:59-01:00", "٢٠٢٥-03-03T09:00", "", "?"]
)  # fmt: skip
def test_what_is_no_instant_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="is no date as iso"):
        TimeTable().read(text)


@given(st.integers(EARLIEST, LATEST - 1))
def test_an_instant_written_with_its_offset_is_read_back(instant: int) -> None:
    assert TimeTable().read(instant_text(instant)) == (instant, False)


# --- mappings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("source =", "sauce =", "source: missing"),
        ("[file]", "[fille]", "fille: there is no such field"),
        ('delimiter = ";"', 'delimiter = ";;"', "file.delimiter"),
        ('"UTF-8"', '"UTF-99"', "file.encoding: no encoding of text is called UTF-99"),
        ('"UTF-8"', '"base64"', "file.encoding: no encoding of text is called base64"),
        ('"Europe/Rome"', '"Mars"', "time.zone: no time zone is called Mars"),
        ('"iso"]', '"%Q"]', "time.formats.1: %Q is no format of dates"),
        ('"iso"]', '"%Y-%m-%d"]', "%Y-%m-%d does not tell the day and the time of day"),
        ('"iso"]', '"%Y-%m-%d %I:%M"]', "does not tell the day and the time of day"),
        ('"iso"]', '"%Y-%m-%d %H:%M %Z"]', "names of time zones are ambiguous"),
        ('["%d/%m/%Y %H:%M", "iso"]', "[]", "time.formats"),
        ('case = "Ticket"', "", "columns: which column is the case?"),
        ('customer = "Customer"', 'client = "Customer"', "columns: there is no client here"),
        ("requested_by =", "asked_by =", "constants: there is no asked_by here"),
        ('requested_by = "customer"', 'requested_by = "nobody"', "constants: requested_by: nobody is no requested_by"),
        ('requested_by = "customer"', "requested_by = 3", "constants.requested_by: write it as text"),
        ("[values.impact]", "[values.system]", "values: there is no system here"),
        ('"2 - Medium" = "medium"', '"2 - Medium" = "mid"', "values.impact: 2 - Medium: mid is no impact"),
        ('impact = "Impact"', 'contract = "Impact"', "values: there is no impact here"),
        ('"open"', '"opens"', "activities.Created: no command is called opens: open, take_in_charge"),
        ('"open"', "1", 'activities.Created: write it as "open"'),
        ('"open"', '{ cause = "customer" }', "activities.Created.command: missing"),
        ('"resume"', '{ command = "resume", cause = "customer" }', "activities.Work resumed: there is no cause here"),
        ('"resume"', '"suspend"', "activities.Work resumed: suspend needs cause: give it here"),
        ('cause = "customer"', 'cause = "weather"', "activities: cause: weather is no cause"),
        ('source = "helpdesk:tickets"', 'source = "helpdesk', "tickets.toml is not TOML"),
    ],
)
def test_a_bad_mapping_says_which_file_and_field_and_what_to_do(old: str, new: str, said: str) -> None:
    with pytest.raises(BadMapping) as caught:
        mapping((old, new))
    assert str(caught.value).startswith("tickets.toml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


# --- the commands -----------------------------------------------------------------------------------------------


@pytest.fixture
def tickets(run: Run) -> str:
    """The example mapping and a little table in the current folder; the table's name."""
    status, out, err = run("import", "mapping", "example")
    assert (status, err) == (0, "")
    Path("m.toml").write_text(out, encoding="utf-8")
    rows = [*LOG, row("Assigned", "09:30", "T-103"), row("Escalated", "09:35")]
    Path("tickets.csv").write_text(table(rows), encoding="utf-8")
    return "tickets.csv"


def test_a_table_is_imported_once_however_often(run: Run, tickets: str) -> None:
    first = run("import", "events", tickets, "--mapping", "m.toml", "--quarantine", "bad.csv")
    assert first[0] == 0
    assert "13 rows, 3 cases, 1 quarantined" in first[1]
    assert "11 messages: 10 done, 0 duplicate, 1 waiting, 0 refused" in first[1]
    assert "tickets.csv:14: Action: Escalated" in first[1]
    header, bad = csv.reader(io.StringIO(Path("bad.csv").read_text(encoding="utf-8"), newline=""))
    assert (header[:3], bad[0], bad[3]) == (["line", "reason", "Ticket"], "14", "Escalated")
    again = run("import", "events", tickets, "--mapping", "m.toml")
    assert "0 done, 10 duplicate, 1 waiting, 0 refused" in again[1]


def test_a_preview_records_nothing_and_shows_what_would_become_of_the_table(run: Run, tickets: str) -> None:
    status, out, err = run("import", "events", tickets, "--mapping", "m.toml", "--preview")
    assert (status, err) == (0, "")
    assert not Path("verbale.db").exists()
    assert "nothing was recorded" in out
    assert "from 2025-03-03 09:00 to 2025-03-03 12:00 (Europe/Rome)" in out
    lines = [line.split() for line in out.splitlines()]
    assert ["Created", "2", "open"] in lines
    assert ["Waiting", "for", "customer", "1", "suspend", "cause=customer"] in lines
    assert ["Work", "resumed", "1", "resume"] in lines
    assert ["Reopened", "0", "reopen"] in lines
    assert ["Comment", "added", "1", "ignore"] in lines
    assert ["Escalated", "1", "not", "in", "the", "mapping"] in lines
    assert "so that their messages wait: 1 (T-103)" in out
    assert 'tickets.csv:2: {"specversion"' in out


def test_a_preview_is_also_in_italian(run: Run, tickets: str) -> None:
    _, out, _ = run("import", "events", tickets, "--mapping", "m.toml", "--preview", "--language", "it")
    for word in ("Anteprima", "attività", "comando", "non è nella mappatura", "casi che", "primi messaggi"):
        assert word in out


def test_a_refused_message_names_its_line(run: Run, tickets: str) -> None:
    Path(tickets).write_text(table([row(), row("Resolved", "08:00")]), encoding="utf-8")
    status, out, _ = run("import", "events", tickets, "--mapping", "m.toml")
    assert status == 1
    assert "tickets.csv:3: refused [R3]" in out


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("nofile --mapping m.toml", "nofile is no file"),
        ("tickets.csv --mapping nofile", "nofile is no file"),
        ("tickets.csv --mapping tickets.csv", "tickets.csv is not TOML"),
        ("m.toml --mapping m.toml", "m.toml is no event log that the mapping can read: it has no column"),
        ("tickets.csv --mapping m.toml --quarantine m.toml", "would overwrite what is read"),
        ("tickets.csv", "--mapping"),
    ],
)
def test_wrong_use_is_told_in_a_line_or_two(run: Run, tickets: str, typed: str, said: str) -> None:
    status, out, err = run("import", "events", *typed.split())
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) <= 2
