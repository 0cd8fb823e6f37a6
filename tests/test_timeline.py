"""One stream as an auditor reads it: as recorded, with its lateness and what corrected it."""

from support.history import Journal, opened, rectified, taken_in_charge, under_contract, when

from domain.record_facts import RecordRectified
from projections.timeline import TimelineRow, timeline


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
