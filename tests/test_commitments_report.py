"""Commitments as reported, and kept in the live tables: `verbale report commitments` (O1, M1)."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.messages import CONTRACT, buy, contract_in_force, message
from support.offices import KINDS, Office, office

from adapters.live_tables.report_from_tables import from_live
from adapters.live_tables.schema import TIMERS
from adapters.reports.commitments import COMMITMENTS
from adapters.reports.question import Question
from adapters.reports.report import make
from domain.values import read_instant
from projections.readings import LITERAL

Run = Callable[..., tuple[int, str, str]]
STREAM = f"contract-{CONTRACT}"
OPERATION = {
    "service": "operation",
    "monitoring": ["uptime", "analytics"],
    "committed_minutes": 600,
    "per": "month",
    "activities": ["campaigns"],
    "review_every": "quarter",
}
MAINTENANCE = {"service": "maintenance", "activities": [{"name": "updates", "per": "month"}]}


def activate(option: dict[str, Any]) -> bytes:
    """An option active from the first midnight of 2026 in Rome."""
    data = {"option": option, "effective": "2026-01-01T00:00:00+01:00"}
    return message("contract.activate_option", STREAM, "2025-12-15T10:05:00Z", data)


def worked(time: str, minutes: int, activity: str = "campaigns") -> bytes:
    data = {"work": time, "activity": activity, "minutes": minutes, "by": "consultant-1"}
    return message("contract.record_operation_hours", STREAM, time, data)


def visited(time: str) -> bytes:
    return message("contract.record_visit", STREAM, time, {"activity": "updates", "by": "technician-1"})


YEAR = [
    *contract_in_force(),
    activate(OPERATION),
    activate(MAINTENANCE),
    worked("2026-01-12T10:00:00Z", 245),
    worked("2026-01-13T10:00:00Z", 45, "design"),
    visited("2026-02-12T12:00:00Z"),
    visited("2026-02-14T12:00:00Z"),
    message("contract.hold_review", STREAM, "2026-02-20T10:00:00Z", {"indicators": ["leads", "open rate"]}),
]
"""Until February: January's visit was made in February, two days after February's own."""


@pytest.fixture(params=KINDS)
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """An office at noon of 20 March 2026, its live tables current."""
    with office(request.param, tmp_path) as found:
        found.clock.now = read_instant("2026-03-20T11:00:00Z")
        found.tell(*YEAR)
        found.projector().rebuild()
        yield found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[str]:
    """A store in which the same is recorded."""
    with office("sqlite", tmp_path) as found:
        found.clock.now = read_instant("2026-03-20T11:00:00Z")
        found.tell(*YEAR)
        yield found.url


ASKED = ("report", "commitments", "--as-of", "2026-03-20", "--store")


def test_the_table_shows_hours_as_hours_and_what_came_late(run: Run, store: str) -> None:
    status, out, err = run(*ASKED, store)
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    january = next(line for line in lines if line[1:3] == ["hours", "2026-01-01"])
    assert january == [
        *(CONTRACT, "hours", "2026-01-01", "00:00", "2026-02-01", "00:00"),
        *("10:00", "4:05", "-", "5:55", "-", "0:45", "-", "closed", "activity_not_included"),
    ]
    assert f"Basic monitoring (O1), {CONTRACT}: uptime, analytics" in out
    assert f"{CONTRACT}, visits: updates from 2026-01-01 00:00: 2026-02-14 13:00, late by 13 d" in out
    assert "2026-02-20 11:00 (leads, open rate)" in out
    assert "activity_not_included [O1] design is not among the activities that the option includes" in out


def test_the_basic_monitoring_is_told_though_hours_were_worked_outside_every_option(
    run: Run, store: str, tmp_path: Path
) -> None:
    early = tmp_path / "early.jsonl"
    early.write_bytes(worked("2025-12-20T10:00:00Z", 30))
    assert run("ingest", str(early), "--store", store)[0] == 0
    assert f"Basic monitoring (O1), {CONTRACT}: uptime, analytics" in run(*ASKED, store)[1]


def test_a_period_without_its_visit_is_overdue_once_it_has_ended(run: Run, store: str) -> None:
    as_of = ("report", "commitments", "--store", store, "--as-of")
    march = "visits: updates   2026-03-01"
    before, after = (
        next(line.rstrip() for line in run(*as_of, day)[1].splitlines() if march in line)
        for day in ("2026-03-31", "2026-04-01")
    )
    assert before.endswith("still open")
    assert after.split()[-1] == "overdue"


def test_a_period_cut_short_shows_the_whole_amount_too(run: Run, store: str, tmp_path: Path) -> None:
    ended = tmp_path / "ended.jsonl"
    said = {"service": "operation", "effective": "2026-03-11T00:00:00+01:00"}
    ended.write_bytes(message("contract.end_option", STREAM, "2026-03-10T10:00:00Z", said))
    assert run("ingest", str(ended), "--store", store)[0] == 0
    # 600 minutes a month, 10 of 31 days: 193.5 minutes, half up 3:14.
    lines = [line.rstrip() for line in run(*ASKED, store)[1].splitlines()]
    march = next(line for line in lines if line.split()[1:3] == ["hours", "2026-03-01"])
    assert march.split()[6] == "3:14"
    assert march.endswith("closed, cut short (whole: 10:00)")
    rows = json.loads(run(*ASKED, store, "--format", "json")[1])["rows"]
    found = [row for row in rows if row["cut_short"]]
    assert [(row["commitment"], row["due"], row["whole"], row["status"]) for row in found] == [
        ("hours", 194, 600, "closed"),
        ("reviews", 0, 1, "closed"),
    ]


def test_it_speaks_italian(run: Run, store: str) -> None:
    _, out, _ = run(*ASKED, store, "--language", "it")
    assert "Impegni di Conduzione (O1) e Manutenzione (M1)" in out
    assert "interventi: updates" in out
    assert "in ritardo di 13 giorni" in out


def test_json_tells_each_thing_done_and_the_facts_that_prove_a_row(run: Run, store: str) -> None:
    report = json.loads(run(*ASKED, store, "--format", "json")[1])
    assert report["manifest"]["report"] == "commitments"
    january = next(row for row in report["rows"] if row["activity"] == "updates")
    assert january["evidence"] == {"stream": STREAM, "versions": [1, 5, 9]}
    (performance,) = january["deeds"]
    assert (performance["at"], performance["late_us"]) == (
        "2026-02-14T12:00:00Z",
        13 * 86_400_000_000 + 13 * 3_600_000_000,
    )


def test_csv_has_the_same_columns_whatever_the_rows(run: Run, store: str) -> None:
    some = list(csv.DictReader(io.StringIO(run(*ASKED, store, "--format", "csv")[1])))
    none = run("report", "commitments", "--as-of", "2025-12-20", "--store", store, "--format", "csv")[1]
    assert len(some) == 7
    assert none.strip().split(",") == list(some[0])


def test_only_one_contract_may_be_asked_about_and_no_window(run: Run, store: str) -> None:
    assert json.loads(run(*ASKED, store, "--contract", CONTRACT, "--format", "json")[1])["rows"]
    status, _, err = run(*ASKED, store, "--contract", "nobody")
    assert (status, err.strip()) == (
        1,
        "verbale: no contract is called nobody, and no request names it: verbale contracts lists them",
    )
    status, _, err = run(*ASKED, store, "--window", "2026-03-01")
    assert status == 2
    assert "only" in err


# --- live -------------------------------------------------------------------------------------------------------


def live(here: Office, commitment: str, day: str) -> dict[str, Any]:
    """The live row of the period that begins on a day of Rome."""
    names = [column.name for column in COMMITMENTS.written]
    rows = [dict(zip(names, row, strict=True)) for row in here.reporting.live.read(COMMITMENTS)]
    starts = read_instant(day)
    (found,) = [row for row in rows if (row["commitment"], row["period_from"]) == (commitment, starts)]
    return found


MARCH, APRIL = "2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00"


def test_time_alone_ends_a_period_and_begins_the_next(here: Office) -> None:
    assert here.projector().wakes_at() == read_instant(APRIL) == live(here, "visits", MARCH)["changes_at"]
    here.clock.now = read_instant(APRIL) - 1
    here.projector().step()
    assert (live(here, "visits", MARCH)["open"], live(here, "visits", MARCH)["missed"]) == (1, 0)
    here.clock.now += 1
    here.projector().step()
    assert (live(here, "visits", MARCH)["open"], live(here, "visits", MARCH)["missed"]) == (0, 1)
    assert live(here, "visits", APRIL)["open"] == 1
    assert live(here, "reviews", APRIL)["open"] == 1


def test_work_told_late_is_in_the_tables_after_a_step(here: Office) -> None:
    assert live(here, "hours", MARCH)["done"] == 0
    here.tell(worked("2026-03-02T10:00:00Z", 30))
    here.projector().step()
    assert live(here, "hours", MARCH)["done"] == 30


def test_an_option_that_becomes_active_later_has_rows_then(tmp_path: Path) -> None:
    with office("sqlite", tmp_path) as here:
        here.clock.now = read_instant("2025-12-20T11:00:00Z")
        here.tell(*contract_in_force(), activate(OPERATION))
        here.projector().rebuild()
        assert here.reporting.live.count(COMMITMENTS) == 0
        (alarm,) = here.reporting.live.read(TIMERS, {"stream": STREAM})
        assert alarm[1] == read_instant("2026-01-01T00:00:00+01:00")
        here.clock.now = alarm[1]
        here.projector().step()
        assert here.reporting.live.count(COMMITMENTS) == 2


def test_the_report_reads_the_live_rows_until_time_changes_them(here: Office) -> None:
    def asked(at: int) -> Question:
        return Question(LITERAL, at, max(at, here.ledger.store.recorded_until()))

    last = asked(read_instant(APRIL) - 1)
    answer = from_live("commitments", here.ledger, here.reporting, last)
    assert answer is not None
    assert answer.rows == make("commitments", here.ledger, last).rows
    assert from_live("commitments", here.ledger, here.reporting, asked(read_instant(APRIL))) is None


def test_what_touches_no_commitment_leaves_the_rows_as_they_are(here: Office) -> None:
    before = list(here.reporting.live.read(COMMITMENTS))
    here.tell(buy(package="B", time="2026-03-20T10:00:00Z"))
    here.projector().step()
    assert list(here.reporting.live.read(COMMITMENTS)) == before
