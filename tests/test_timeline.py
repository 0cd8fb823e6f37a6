"""One stream as an auditor reads it: as recorded, with its lateness, who agrees to it and what corrected it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.history import Journal, attributed, opened, rectified, taken_in_charge, under_contract, when
from support.messages import CONTRACT, HOUR, SOURCE, charge, contract_in_force, message, opening

from domain.record_facts import RecordAgreed, RecordAnnulled, RecordRectified
from domain.values import Party, Responsibility
from projections.timeline import AgreedLater, TimelineRow, timeline

Run = Callable[..., tuple[int, str, str]]


def of_incident(journal: Journal) -> list[TimelineRow]:
    return timeline([entry for entry in journal.entries if entry.stream == "incident-INC1"])


def test_facts_come_in_order_of_recording_not_of_occurrence() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"), taken_in_charge("Mon 15:00"))
    rows = of_incident(journal.incident("INC1", taken_in_charge("Mon 10:00")))
    assert [row.version for row in rows] == [1, 2, 3]
    assert [row.fact.at for row in rows] == [when("Mon 09:00"), when("Mon 15:00"), when("Mon 10:00")]


def test_lateness_is_recorded_minus_occurred() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"))
    journal.incident("INC1", taken_in_charge("Mon 10:00"), recorded="Tue 09:30")
    first, second = of_incident(journal)
    assert (first.recorded_at, first.lateness_us) == (when("Mon 09:00"), 0)
    assert second.recorded_at == when("Tue 09:30")
    assert second.lateness_us == when("Tue 09:30") - when("Mon 10:00")


def test_a_clock_that_runs_ahead_shows_as_negative_lateness() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:04"))
    (entry,) = (entry for entry in journal.entries if entry.stream == "incident-INC1")
    (row,) = timeline([entry._replace(recorded_at=when("Mon 09:00"))])
    assert row.lateness_us == when("Mon 09:00") - when("Mon 09:04")


def test_a_rectified_fact_stays_as_recorded_and_names_every_version_that_corrects_it() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"), taken_in_charge("Mon 15:00"))
    journal.incident("INC1", rectified(2, "at", when("Mon 10:00")), rectified(1, "urgency", "high"))
    rows = of_incident(journal.incident("INC1", rectified(2, "at", when("Mon 11:00"))))
    assert [row.rectified_by for row in rows] == [(4,), (3, 5), (), (), ()]
    assert rows[1].fact.at == when("Mon 15:00")
    assert isinstance(rows[2].fact, RecordRectified)


def test_rows_keep_the_position_in_the_whole_log() -> None:
    journal = (
        under_contract().incident("INC1", opened("Mon 09:00")).met("INC2").incident("INC1", taken_in_charge("Wed"))
    )
    assert [row.position for row in of_incident(journal)] == [5, 8]


def test_a_stream_without_facts_has_no_rows() -> None:
    assert timeline([]) == []


# --- who says so, and what was said since -----------------------------------------------------------------------


def annulled(version: int, at: str = "Wed") -> RecordAnnulled:
    return RecordAnnulled(at=when(at), version=version, why="told of the wrong request")


def test_an_annulled_fact_names_the_version_that_annuls_it_until_that_is_annulled_itself() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"), taken_in_charge("Mon 10:00"), annulled(2))
    assert [row.annulled_by for row in of_incident(journal)] == [None, 3, None]
    assert [row.annulled_by for row in of_incident(journal.incident("INC1", annulled(3)))] == [None, None, 4, None]


def test_a_rectification_that_is_annulled_corrects_nothing() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"), taken_in_charge("Mon 15:00"))
    journal.incident("INC1", rectified(2, "at", when("Mon 10:00")), annulled(3))
    rows = of_incident(journal)
    assert [row.rectified_by for row in rows] == [(), (), (), ()]
    assert rows[2].annulled_by == 4


def test_by_whom_and_agreed_are_told_of_what_a_party_may_contest_alone() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"), taken_in_charge("Mon 10:00"))
    journal.incident("INC1", attributed("Mon 11:00", Responsibility.CUSTOMER))
    rows = of_incident(journal)
    assert [(row.by, row.agreed) for row in rows] == [(None, None), (None, None), (Party.SUPPLIER, False)]


def test_an_agreement_recorded_later_counts_and_is_named() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"), attributed("Mon 11:00", Responsibility.CUSTOMER))
    journal.incident("INC1", RecordAgreed(at=when("Wed"), version=2, by=Party.CUSTOMER))
    _, attribution, agreement = of_incident(journal)
    assert (attribution.by, attribution.agreed_by, attribution.agreed) == (Party.SUPPLIER, (Party.CUSTOMER,), True)
    assert attribution.agreed_later == (AgreedLater(Party.CUSTOMER, "incident-INC1", 3),)
    assert (agreement.by, agreement.agreed, agreement.agreed_later) == (Party.CUSTOMER, None, ())


# --- the command ------------------------------------------------------------------------------------------------

INC = "incident-INC0001234"
BLAMED = {"party": "customer", "clock": "charge", "why": "no answer"}


def recorded(run: Run, *messages: bytes) -> None:
    Path("told.jsonl").write_bytes(b"".join(one + b"\n" for one in messages))
    status, out, _ = run("ingest", "told.jsonl")
    assert status == 0, out


def shown(run: Run, stream: str = INC, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("timeline", stream, *options, "--format", "json")[1])
    return found


@pytest.fixture
def record(run: Run) -> Run:
    """A request taken in charge and blamed on the customer; then corrected, agreed to, and annulled."""
    recorded(
        run,
        *contract_in_force(),
        opening(),
        message("incident.take_in_charge", INC, "2026-03-02T09:00:00Z", recordedtime="2026-03-02T10:00:00Z"),
        message("incident.attribute_responsibility", INC, "2026-03-02T12:00:00Z", BLAMED),
    )
    correction = {"version": 2, "field": "at", "value": "2026-03-02T08:30:00Z", "why": "typed wrong"}
    recorded(run, message("record.rectify", INC, "2026-03-03T09:00:00Z", correction))
    agreement = {"up_to": 7, "by": "customer"}
    recorded(run, message("record.agree", f"contract-{CONTRACT}", "2026-03-04T09:00:00Z", agreement))
    recorded(run, message("record.annul", INC, "2026-03-05T09:00:00Z", {"version": 3, "why": "of another"}))
    return run


def test_a_timeline_says_how_it_was_made(record: Run) -> None:
    made = shown(record)["manifest"]
    assert (made["report"], made["ledger"], made["made_from"], made["stream"]) == ("timeline", "main", "replay", INC)
    assert made["position"] == 10
    assert set(made["versions"]) == {"program", "rules", "holidays", "tzdata"}


def test_a_timeline_tells_whom_how_late_agreed_and_what_corrects_it(record: Run) -> None:
    opened_, charged, blamed, corrected, annulment = shown(record)["rows"]
    assert charged["rectified_by"] == [4]
    assert (charged["source"], charged["source_lateness_us"]) == (SOURCE, HOUR)
    assert charged["recordedtime"] == "2026-03-02T10:00:00Z"
    assert charged["lateness_us"] > HOUR
    assert opened_["source_lateness_us"] is None
    assert (blamed["by"], blamed["agreed"], blamed["annulled_by"]) == ("supplier", True, 5)
    assert charged["agreed_later"] == [{"by": "customer", "stream": f"contract-{CONTRACT}", "version": 4}]
    assert (corrected["agreed"], annulment["agreed"]) == (False, False)


def test_a_corrected_instant_is_told_as_an_instant(record: Run) -> None:
    correction = shown(record)["rows"][3]
    assert correction["told"]["value"] == "2026-03-02T08:30:00Z"
    screen = record("timeline", INC)[1]
    assert "value: 2026-03-02 09:30" in screen
    assert "1772" not in screen.partition("What each fact says:")[2]


def test_a_timeline_shows_every_field_whole(record: Run) -> None:
    contract = shown(record, CONTRACT)["rows"]
    signed, _, calendar, _ = contract
    assert {"in_force_from", "in_force_until", "customers", "terms", "evidence"} <= set(signed["told"])
    screen = record("timeline", CONTRACT)[1]
    assert "..." not in screen
    assert "terms.levels.p5.intervention: 2400" in screen
    assert "day 2026-01-01, name Capodanno" in screen
    assert calendar["told"]["holidays"] == [{"day": "2026-01-01", "name": "Capodanno"}]


def test_a_timeline_known_on_an_earlier_date_knows_nothing_of_what_followed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bin.compose.clock", lambda: when("2026-03-02 12:00"))
    recorded(run, *contract_in_force(), opening(), charge())
    monkeypatch.setattr("bin.compose.clock", lambda: when("2026-03-09 12:00"))
    recorded(run, message("record.annul", INC, "2026-03-09T09:00:00Z", {"version": 2, "why": "of another"}))
    assert [row["annulled_by"] for row in shown(run)["rows"]] == [None, 3, None]
    then = shown(run, INC, "--known-on", "2026-03-03")
    assert [row["annulled_by"] for row in then["rows"]] == [None, None]
    assert (then["manifest"]["position"], then["manifest"]["known_on"]) == (6, "2026-03-03T22:59:59.999999Z")
    assert "Nothing was known of it by then." in run("timeline", INC, "--known-on", "2026-03-01")[1]


def test_a_timeline_is_italian_and_csv_too(record: Run) -> None:
    screen = record("timeline", INC, "--language", "it")[1]
    for words in ("Che cosa dice ciascun fatto:", "ritardo alla fonte", "perché: no answer", "urgenza: "):
        assert words in screen
    table = record("timeline", INC, "--format", "csv")[1]
    assert table.startswith("position,stream,version,type,at,recorded_at,lateness_us,recordedtime,")
    assert "2026-03-02T08:30:00Z" in table
