"""A help desk's own export against the record: what is missing here, what is missing there, instants that differ."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.messages import Clock, event, memory, message
from support.servers import open_any

from adapters.imports.csv_table import BadTable
from adapters.imports.desk_export import INSTANTS, ExportMapping, export_mapping, read_export
from adapters.imports.mapping import BadMapping
from adapters.imports.reconcile import (
    Disagreement,
    DisagreementKind,
    disagreements,
    opened_by,
    recorded_instants,
    unrecorded_messages,
)
from adapters.inbox.handler import CommandHandler
from adapters.store.ledger import Ledger
from domain.values import MINUTE, SECOND, instant_text, read_instant
from projections.as_of import IncidentAsOf
from projections.history import History
from projections.readings import Reading
from projections.replay import Replay

Run = Callable[..., tuple[int, str, str]]
DESK = "helpdesk:tickets"
OPENED, CHARGED, STARTED, RESOLVED, CLOSED = INSTANTS


def at(time: str) -> str:
    """A time of day of one Monday, in UTC."""
    return f"2026-03-02T{time}Z"


def told(incident: str, *said: tuple[str, str], source: str = DESK) -> list[dict[str, Any]]:
    """An incident opened at 08:00 unless told otherwise, and what more is said of it: verb and time of day."""
    data = {
        "open": {"impact": "high", "urgency": "high", "contract": "acme"},
        "suspend": {"cause": "customer"},
        "close": {"reason": "resolved"},
    }
    verbs = said if said and said[0][0] == "open" else (("open", "08:00:00"), *said)
    return [event(f"incident.{v}", f"incident-{incident}", at(t), data.get(v), source=source) for v, t in verbs]


USUAL = (
    ("take_in_charge", "08:10:00"), ("start_intervention", "08:30:00"), ("resolve", "09:00:00"), ("close", "10:00:00")
)  # fmt: skip


@contextmanager
def ledger_with(*documents: dict[str, Any]) -> Iterator[Ledger]:
    """A ledger in memory to which some messages were sent."""
    with memory(Clock()) as ledger:
        CommandHandler(ledger, Clock()).handle([json.dumps(document).encode() for document in documents])
        yield ledger


def incidents_of(ledger: Ledger) -> list[IncidentAsOf]:
    """Every incident on record."""
    return list(Replay(History.of(ledger.entries()), Reading(), Clock()()).incidents())


def instants(ledger: Ledger, incident: str = "T-1") -> dict[str, str]:
    """What the record has for the instants of an export: times of day."""
    (one,) = (one for one in incidents_of(ledger) if one.incident.id == incident)
    return {name: instant_text(here.at)[11:-1] for name, here in recorded_instants(one).items()}


def export(*rows: Sequence[str], header: Sequence[str] = ("incident", *INSTANTS)) -> str:
    """The text of an export; rows may be shorter than the header."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([*row, *[""] * (len(header) - len(row))] for row in rows)
    return out.getvalue()


FULL = ("T-1", *map(at, ("08:00:00", "08:10:00", "08:30:00", "09:00:00", "10:00:00")))


class Compared:
    """Compares exports with a ledger."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "export.csv"

    def __call__(
        self,
        ledger: Ledger,
        text: str,
        *,
        by: ExportMapping | None = None,
        within: int = 0,
        expected: Callable[[IncidentAsOf], bool] = lambda _: True,
    ) -> list[Disagreement]:
        """Where they disagree."""
        self.file.write_text(text, encoding="utf-8")
        read = read_export(self.file, by or export_mapping(None))
        return disagreements(read, incidents_of(ledger), within * SECOND, expected)


@pytest.fixture
def compared(tmp_path: Path) -> Compared:
    """A folder for little exports."""
    return Compared(tmp_path)


def brief(found: Sequence[Disagreement]) -> list[tuple[str, str | None, str | None]]:
    """What was found, of which incident, about which instant."""
    return [(str(one.found), one.incident, one.instant) for one in found]


# --- what the record has ----------------------------------------------------------------------------------------


def test_the_record_has_the_first_taking_in_charge_and_intervention() -> None:
    late_and_early = (
        ("take_in_charge", "08:20:00"),
        ("take_in_charge", "08:10:00"),
        ("start_intervention", "08:40:00"),
    )
    with ledger_with(*told("T-1", *late_and_early, ("start_intervention", "08:30:00"))) as ledger:
        assert instants(ledger) == {OPENED: "08:00:00", CHARGED: "08:10:00", STARTED: "08:30:00"}


def test_the_record_has_the_last_resolution_and_closing() -> None:
    said = (*USUAL, ("reopen", "11:00:00"), ("resolve", "12:00:00"), ("close", "13:00:00"))
    with ledger_with(*told("T-1", *said)) as ledger:
        assert instants(ledger) == {
            OPENED: "08:00:00", CHARGED: "08:10:00", STARTED: "08:30:00", RESOLVED: "12:00:00", CLOSED: "13:00:00"
        }  # fmt: skip


@pytest.mark.parametrize("order", [1, -1])
def test_what_was_reopened_since_is_neither_resolved_nor_closed_whatever_came_first(order: int) -> None:
    opening, *rest = told("T-1", ("resolve", "09:00:00"), ("close", "09:30:00"), ("reopen", "10:00:00"))
    with ledger_with(opening, *rest[::order]) as ledger:
        assert instants(ledger) == {OPENED: "08:00:00"}


def test_the_record_is_compared_as_rectified(compared: Compared) -> None:
    rectified = event(
        "record.rectify", "incident-T-1", at("11:00:00"),
        {"version": 2, "field": "at", "value": at("08:12:00"), "why": "the clock of the desk was slow"},
    )  # fmt: skip
    with ledger_with(*told("T-1", *USUAL), rectified) as ledger:
        (found,) = compared(ledger, export(FULL))
    assert (found.instant, found.record, found.versions) == (CHARGED, read_instant(at("08:12:00")), (2, 6))


# --- comparison -------------------------------------------------------------------------------------------------


def test_an_export_that_says_what_the_record_says_agrees(compared: Compared) -> None:
    with ledger_with(*told("T-1", *USUAL), *told("T-2")) as ledger:
        assert compared(ledger, export(FULL, ("T-2", at("08:00:00")))) == []


def test_what_the_export_has_and_the_record_has_not_is_missing_here(compared: Compared) -> None:
    with ledger_with(*told("T-1", *USUAL)) as ledger:
        (found,) = compared(ledger, export(FULL, ("T-9", at("08:05:00"))))
    assert found == Disagreement(DisagreementKind.MISSING_HERE, "T-9", 3, OPENED, read_instant(at("08:05:00")))


def test_what_the_record_has_and_the_export_has_not_is_missing_there(compared: Compared) -> None:
    with ledger_with(*told("T-1", *USUAL), *told("T-2")) as ledger:
        (found,) = compared(ledger, export(FULL))
        assert compared(ledger, export(FULL), expected=lambda one: one.incident.id != "T-2") == []
    opened = read_instant(at("08:00:00"))
    assert found == Disagreement(DisagreementKind.MISSING_THERE, "T-2", None, OPENED, None, opened, None, (1,))


def test_an_instant_that_differs_shows_both_values_the_difference_and_where_each_is(compared: Compared) -> None:
    row = list(FULL)
    row[3] = at("08:31:30")
    with ledger_with(*told("T-1", *USUAL)) as ledger:
        (found,) = compared(ledger, export(row))
    there, here = read_instant(at("08:31:30")), read_instant(at("08:30:00"))
    assert found == Disagreement(DisagreementKind.DIFFERS, "T-1", 2, STARTED, there, here, -90 * SECOND, (3,))


def test_an_instant_that_only_one_of_the_two_has_differs(compared: Compared) -> None:
    with ledger_with(*told("T-1", *USUAL[:2])) as ledger:
        found = compared(ledger, export(("T-1", at("08:00:00"), "", at("08:30:00"), at("09:00:00"))))
    assert [(one.instant, one.export is None, one.record is None) for one in found] == [
        (CHARGED, True, False), (RESOLVED, False, True)
    ]  # fmt: skip


def test_an_instant_shown_to_the_minute_is_compared_to_the_minute(compared: Compared) -> None:
    with ledger_with(*told("T-1", ("take_in_charge", "08:10:59"))) as ledger:
        assert compared(ledger, export(("T-1", "2026-03-02T08:00Z", "2026-03-02 09:10"))) == []
        (found,) = compared(ledger, export(("T-1", "2026-03-02T08:00Z", "2026-03-02 09:11")))
        assert found.difference == -MINUTE
        (found,) = compared(ledger, export(("T-1", "2026-03-02T08:00Z", "2026-03-02 09:10:00")))
        assert found.difference == 59 * SECOND


@settings(max_examples=30)
@given(shift=st.integers(-200, 200), within=st.integers(0, 200))
def test_instants_differ_where_they_are_further_apart_than_allowed(
    tmp_path_factory: pytest.TempPathFactory, shift: int, within: int
) -> None:
    compared = Compared(tmp_path_factory.mktemp("export"))
    row = list(FULL)
    row[2] = instant_text(read_instant(row[2]) + shift * SECOND)
    with ledger_with(*told("T-1", *USUAL)) as ledger:
        found = compared(ledger, export(row), within=within)
    assert [one.difference for one in found] == ([-shift * SECOND] if abs(shift) > within else [])


def test_rows_and_cells_that_cannot_be_read_are_told_and_the_rest_is_compared(compared: Compared) -> None:
    text = export(FULL, ("T-2", "soon", at("09:00:00")), ("", at("09:00:00")), FULL, ("T-3", at("08:00:00"))) + "T-4\n"
    with ledger_with(*told("T-1", *USUAL), *told("T-2"), *told("T-3")) as ledger:
        found = compared(ledger, text)
    assert brief(found) == [
        ("differs", "T-2", CHARGED), ("unreadable", "T-2", OPENED), ("unreadable", None, None),
        ("unreadable", None, None), ("unreadable", None, None),
    ]  # fmt: skip
    assert [(one.line, one.why) for one in found[1:]] == [
        (3, "opened_at: soon is no date as iso"),
        (4, "incident: an empty field is no name of 1 to 200 characters"),
        (5, "T-1 is on line 2 already: only that line is compared"),
        (7, "cannot be read: it has 1 fields of 6"),
    ]


# --- the mapping ------------------------------------------------------------------------------------------------


def mapped(folder: Path, text: str) -> ExportMapping:
    """The mapping that a file with this text holds."""
    file = folder / "export.toml"
    file.write_text(text, encoding="utf-8")
    return export_mapping(file)


OWN = """
prefix = "north-"
[file]
delimiter = ";"
[time]
formats = ["%d.%m.%Y %H:%M"]
zone = "UTC"
[columns]
incident = "Nr"
opened_at = "Aperto"
closed_at = "Chiuso"
"""


def test_an_export_of_its_own_kind_is_read_by_its_mapping(compared: Compared, tmp_path: Path) -> None:
    text = "Chiuso;Nr;Note;Aperto\n02.03.2026 10:01;1;;02.03.2026 08:00\n"
    with ledger_with(*told("north-1", *USUAL)) as ledger:
        (found,) = compared(ledger, text, by=mapped(tmp_path, OWN))
    assert (found.incident, found.instant, found.difference) == ("north-1", CLOSED, -MINUTE)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('incident = "Nr"', "", "columns.incident: missing"),
        ('closed_at = "Chiuso"', 'shut_at = "Chiuso"', "columns.shut_at: there is no such field"),
        ('"UTC"', '"Mars"', "no time zone is called Mars"),
    ],
)
def test_a_bad_mapping_says_which_file_and_field(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(BadMapping, match=r"export\.toml") as caught:
        mapped(tmp_path, OWN.replace(old, new))
    assert said in str(caught.value)


def test_a_column_that_the_mapping_names_must_be_there(compared: Compared) -> None:
    with ledger_with() as ledger, pytest.raises(BadTable, match="it has no column resolved_at, closed_at"):
        compared(ledger, export(header=("incident", *INSTANTS[:3])))


# --- where it went ----------------------------------------------------------------------------------------------


def test_messages_that_wait_or_were_refused_say_where_an_incident_went(place: Path | str) -> None:
    (opening,) = told("T-8")
    documents = [*told("T-9", *USUAL)[1:3], {**opening, "data": {"impact": "high"}}, *told("T-7")]
    with closing(open_any(place, now=Clock())) as ledger:
        raws = [json.dumps(document).encode() for document in documents]
        CommandHandler(ledger, Clock()).handle([*raws, b"no message", b"[1]", b'{"subject": 1}'])
        found = unrecorded_messages(ledger, ["T-7", "T-8", "T-9"])
        assert opened_by(ledger, DESK, "T-7")
    assert found["T-9"] == [
        "waits: take_in_charge (incident T-9 is not opened yet)",
        "waits: start_intervention (incident T-9 is not opened yet)",
    ]
    (refused,) = found["T-8"]
    assert refused.startswith("refused: open [R1] data.urgency: missing")
    assert "T-7" not in found


def test_the_source_of_an_incident_is_who_opened_it() -> None:
    other = message("incident.take_in_charge", "incident-T-1", at("08:10:00"), source="monitor")
    with ledger_with(*told("T-1")) as ledger:
        CommandHandler(ledger, Clock()).handle([other])
        assert opened_by(ledger, DESK, "T-1")
        assert not opened_by(ledger, "monitor", "T-1")
        assert not opened_by(ledger, DESK, "T-2")


# --- the command ------------------------------------------------------------------------------------------------


@pytest.fixture
def store(run: Run) -> None:
    """A store with incidents of two sources, one message that waits and one that was refused."""
    (opening,) = told("T-8")
    documents = [
        *told("T-1", *USUAL), *told("T-2", ("open", "08:05:00")), *told("M-1", source="monitor"),
        *told("T-9", *USUAL)[1:2], {**opening, "data": {"impact": "high"}},
    ]  # fmt: skip
    Path("messages.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in documents), encoding="utf-8")
    assert run("ingest", "messages.jsonl")[0] == 1


def found_by(run: Run, text: str, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit status of reconcile, and what it says in JSON."""
    Path("export.csv").write_text(text, encoding="utf-8")
    status, out, err = run("reconcile", "export.csv", *options, "--format", "json")
    assert err == ""
    document: dict[str, Any] = json.loads(out)
    return status, document


T_2 = ("T-2", at("08:05:00"))


@pytest.mark.usefixtures("store")
def test_it_ends_with_0_where_they_agree_and_with_1_where_they_do_not(run: Run) -> None:
    assert found_by(run, export(FULL, T_2), "--source", DESK)[0] == 0
    status, document = found_by(run, export(FULL, T_2))
    assert status == 1
    assert [(row["found"], row["incident"]) for row in document["rows"]] == [("missing_there", "M-1")]


@pytest.mark.usefixtures("store")
def test_only_what_was_opened_while_the_export_covers_can_be_missing_there(run: Run) -> None:
    assert found_by(run, export(T_2))[0] == 0
    for options, missing in [
        (("--from", at("08:00:00")), ["M-1", "T-1"]),
        (("--from", at("08:00:01")), []),
        (("--from", "2026-03-02", "--to", "2026-03-02"), ["M-1", "T-1"]),
        (("--from", "2026-03-03", "--to", "2026-03-04"), []),
        (("--from", at("08:00:00"), "--to", at("08:04:00"), "--source", DESK), ["T-1"]),
    ]:
        _, document = found_by(run, export(T_2), *options)
        assert sorted(row["incident"] for row in document["rows"]) == missing, options


@pytest.mark.usefixtures("store")
def test_rows_name_the_line_of_the_export_and_stream_and_version_of_the_record(run: Run) -> None:
    late = [*FULL[:2], at("08:11:00"), *FULL[3:]]
    _, document = found_by(run, export(T_2, late), "--source", DESK)
    (row,) = document["rows"]
    assert row == {
        "found": "differs", "incident": "T-1", "line": 3, "instant": CHARGED, "export": at("08:11:00"),
        "record": at("08:10:00"), "difference_us": -MINUTE, "why": [],
        "evidence": {"stream": "incident-T-1", "versions": [2]},
    }  # fmt: skip
    assert document["manifest"]["from"] == at("08:00:00")
    assert document["manifest"]["to"] == at("08:05:00")
    assert found_by(run, export(T_2, late), "--source", DESK, "--within", "60")[0] == 0


@pytest.mark.usefixtures("store")
def test_what_is_missing_here_is_told_where_it_went(run: Run) -> None:
    rows = [FULL, T_2, ("T-8", at("08:00:00")), ("T-9", at("08:00:00")), ("T-10", at("08:00:00"))]
    _, document = found_by(run, export(*rows), "--source", DESK)
    why = {row["incident"]: row["why"] for row in document["rows"]}
    assert why["T-8"][0].startswith("refused: open [R1]")
    assert why["T-9"] == ["waits: take_in_charge (incident T-9 is not opened yet)"]
    assert why["T-10"] == []


@pytest.mark.usefixtures("store")
def test_a_table_and_csv_say_the_same(run: Run) -> None:
    Path("export.csv").write_text(export(FULL, ("T-9", at("08:00:00"))), encoding="utf-8")
    status, out, _ = run("reconcile", "export.csv")
    assert status == 1
    assert ["missing", "here", "T-9", "3", "opened", "at"] in [line.split()[:6] for line in out.splitlines()]
    assert "waits: take_in_charge" in out
    status, out, _ = run("reconcile", "export.csv", "--language", "it")
    assert "manca qui" in out
    status, out, _ = run("reconcile", "export.csv", "--format", "csv")
    found = list(csv.DictReader(io.StringIO(out)))
    assert [(row["found"], row["incident"]) for row in found] == [("missing_here", "T-9"), ("missing_there", "M-1")]
    Path("export.csv").write_text(export(FULL, T_2), encoding="utf-8")
    status, out, _ = run("reconcile", "export.csv", "--source", DESK, "--format", "csv")
    assert (status, out.splitlines()[1:]) == (0, [])
    assert "agree" in run("reconcile", "export.csv", "--source", DESK)[1]


def test_the_usual_mapping_is_printed_and_may_be_given(run: Run, store: None) -> None:
    status, out, _ = run("import", "mapping", "example", "reconcile")
    assert status == 0
    Path("export.toml").write_text(out, encoding="utf-8")
    text = export(FULL, T_2)
    given, usual = (found_by(run, text, *options)[1]["rows"] for options in (("--mapping", "export.toml"), ()))
    assert given == usual


@pytest.mark.usefixtures("store")
def test_what_an_export_does_not_have_is_told_not_to_be_compared(run: Run) -> None:
    _, out, _ = run("import", "mapping", "example", "reconcile")
    shorter = "".join(line for line in out.splitlines(keepends=True) if not line.startswith("closed_at"))
    Path("export.toml").write_text(shorter, encoding="utf-8")
    text = export(FULL[:5], T_2, header=("incident", *INSTANTS[:4]))
    status, document = found_by(run, text, "--mapping", "export.toml", "--source", DESK)
    assert (status, document["manifest"]["not_in_the_export"]) == (0, [CLOSED])
    assert "does not have it: closed at" in run("reconcile", "export.csv", "--mapping", "export.toml")[1]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("nofile", "nofile is no file"),
        ("messages.jsonl", "messages.jsonl is no export that the mapping can read"),
        ("export.csv --mapping nofile", "nofile is no file"),
        ("export.csv --source nobody", "--source nobody was never heard; these were: helpdesk:tickets, monitor"),
        ("export.csv --from 2026-02-30", "--from 2026-02-30: there is no such day"),
        ("export.csv --from 2026-03-04", "--from 2026-03-03T23:00:00Z is later than --to"),
        ("export.csv --within -1", "--within"),
        ("empty.csv", "empty.csv has no opening that tells what it covers: give --from and --to"),
        ("empty.csv --from 2026-03-02", "give --from and --to"),
    ],
)
def test_wrong_use_is_told_in_a_line_or_two(run: Run, typed: str, said: str) -> None:
    Path("export.csv").write_text(export(FULL), encoding="utf-8")
    Path("empty.csv").write_text(export(), encoding="utf-8")
    status, out, err = run("reconcile", *typed.split())
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) <= 2


@pytest.mark.usefixtures("store")
def test_an_empty_export_lacks_all_that_it_is_said_to_cover(run: Run) -> None:
    status, document = found_by(run, export(), "--from", "2026-03-02", "--to", "2026-03-02")
    assert (status, len(document["rows"])) == (1, 3)
