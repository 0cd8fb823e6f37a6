"""An incident explained slice by slice: what counted, what did not and why, adding up to net (A3, A4, H3)."""

from datetime import date
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from support.history import (
    ACME,
    BY_CUSTOMER,
    BY_SUPPLIER,
    BY_THIRD_PARTY,
    CHARGE,
    HOUR,
    INTERVENTION,
    Journal,
    activated,
    adopted,
    attributed,
    best_effort,
    bought,
    closed,
    consumed,
    intervention_started,
    levels,
    opened,
    reassessed,
    rectified,
    reopened,
    resolved,
    resumed,
    revised,
    signed,
    suspended,
    taken_in_charge,
    terminated,
    under_contract,
    when,
    withdrawn,
)

from domain.facts import Fact
from domain.incident_facts import ClockResumed, ClockSuspended
from domain.values import MINUTE, Responsibility
from projections.clock_inputs import VoidCause
from projections.clocks import Verdict
from projections.explanation import ClockExplained, Slice


def record(*facts: Fact) -> Journal:
    return under_contract().incident("INC1", *facts)


def charge(journal: Journal, as_of: str = "Fri 18:00", reading: str = "literal") -> ClockExplained:
    return journal.explained(as_of, reading).clocks[0]


def story(clock: ClockExplained) -> list[tuple[str, str | None, int]]:
    """(why, detail, counted minutes) of each slice."""
    return [(piece.why, piece.detail, piece.counted_us // MINUTE) for piece in clock.slices]


def test_a_clock_that_ran_through_a_night_has_a_slice_for_each_day_and_one_for_the_night() -> None:
    journal = record(opened("Mon 17:00"), taken_in_charge("Tue 08:30"))
    assert charge(journal).slices == (
        Slice(
            when("Mon 17:00"), when("Mon 18:00"), date(2026, 3, 2), (when("Mon 08:00"), when("Mon 18:00")),
            "working", None, "H3", 1 * HOUR, 1 * HOUR,
        ),
        Slice(when("Mon 18:00"), when("Tue 08:00"), date(2026, 3, 2), None, "closed", None, "H1", 0, 1 * HOUR),
        Slice(
            when("Tue 08:00"), when("Tue 08:30"), date(2026, 3, 3), (when("Tue 08:00"), when("Tue 18:00")),
            "working", None, "H3", 30 * MINUTE, 90 * MINUTE,
        ),
    )  # fmt: skip


def test_a_weekend_is_one_slice() -> None:
    journal = record(opened("Fri 17:00"), taken_in_charge("next Mon 09:00"))
    assert story(charge(journal, "next Tue 00:00")) == [
        ("working", None, 60),
        ("closed", None, 0),
        ("working", None, 60),
    ]


def test_a_holiday_is_named() -> None:
    journal = record(opened("2026-04-03 17:00"), taken_in_charge("2026-04-07 08:30"))
    slices = charge(journal, "2026-04-08").slices
    assert [(piece.why, piece.detail) for piece in slices] == [
        ("working", None),
        ("closed", None),
        ("holiday", "Lunedì dell'Angelo"),
        ("closed", None),
        ("working", None),
    ]
    assert (slices[2].day, slices[2].start, slices[2].end) == (
        date(2026, 4, 6),
        when("2026-04-06"),
        when("2026-04-07"),
    )
    assert slices[2].clause == "H1"


def test_a_suspension_is_shown_with_its_cause_and_clause() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00"), suspended("Mon 11:00", BY_THIRD_PARTY))
    journal.incident("INC1", resumed("Mon 12:00"), taken_in_charge("Mon 12:30"))
    clock = charge(journal)
    assert story(clock) == [
        ("working", None, 60),
        ("suspended", "customer", 0),
        ("suspended", "third_party", 0),
        ("working", None, 30),
    ]
    assert [piece.clause for piece in clock.slices] == ["H3", "A4", "A4", "H3"]


def test_a_suspension_by_the_supplier_goes_on_as_working_time() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00", BY_SUPPLIER), taken_in_charge("Mon 11:00"))
    assert story(charge(journal)) == [("working", None, 120)]


def test_a_suspended_night_is_closed_first() -> None:
    journal = record(opened("Mon 17:00"), suspended("Mon 17:30"), taken_in_charge("Tue 09:00"))
    assert [piece.why for piece in charge(journal).slices] == ["working", "suspended", "closed", "suspended"]


def test_a_suspension_that_a_reading_does_not_count_is_not_shown() -> None:
    journal = record(opened("Mon 09:00"), suspended("Mon 10:00"), taken_in_charge("Mon 11:00"))
    assert story(charge(journal, reading="suspensions=counted")) == [("working", None, 120)]


def test_a_running_clock_is_explained_up_to_as_of() -> None:
    clock = charge(record(opened("Mon 09:00")), "Mon 10:30")
    assert (clock.span.end, clock.span.stopped, clock.span.void) == (when("Mon 10:30"), False, None)
    assert story(clock) == [("working", None, 90)]


def test_a_void_clock_is_explained_up_to_what_voided_it() -> None:
    clock = charge(record(opened("Mon 09:00"), withdrawn("Mon 10:00")))
    assert (clock.span.end, clock.span.void, clock.judged.verdict) == (
        when("Mon 10:00"),
        VoidCause.WITHDRAWN,
        Verdict.VOID,
    )


def test_a_clock_stopped_at_the_opening_has_no_slice() -> None:
    assert charge(record(opened("Mon 09:00"), taken_in_charge("Mon 09:00"))).slices == ()


def test_data_centre_windows_run_until_21() -> None:
    clock = charge(record(opened("Mon 17:00", data_centre=True), taken_in_charge("Mon 19:30")))
    assert story(clock) == [("working", None, 150)]
    assert clock.slices[0].window == (when("Mon 08:00"), when("Mon 21:00"))


def test_a_best_effort_request_is_measured_and_explained_all_the_same() -> None:
    journal = Journal().contract(signed(), activated(), adopted())
    journal.incident("INC1", opened("Mon 09:00", answer=best_effort("no_credits")), taken_in_charge("Mon 15:00"))
    clock = charge(journal)
    assert (story(clock), clock.judged.verdict) == ([("working", None, 360)], Verdict.BEST_EFFORT)


def test_a_request_under_no_contract_has_nothing_to_measure_with() -> None:
    journal = Journal().incident("INC1", opened("Mon 09:00", answer=best_effort("no_contract", None)))
    explained = journal.explained()
    assert [clock.slices for clock in explained.clocks] == [(), ()]
    assert (explained.terms_source, explained.zone.key) == (None, "Europe/Rome")
    assert explained.streams == {"incident-INC1": (1,)}


def test_a_clock_out_of_reach_has_no_slices() -> None:
    journal = under_contract(signed(until=None)).incident("INC1", opened("2026-12-31 17:00"))
    assert [clock.slices for clock in journal.explained("2027-01-04").clocks] == [(), ()]


def test_a_clock_suspended_through_a_year_not_covered_adds_up() -> None:
    journal = under_contract(signed(until=None), adopted(), adopted("2026-12-01", years=(2028, 2028)))
    journal.incident("INC1", opened("2026-12-31 17:00"), suspended("2026-12-31 17:30"), resumed("2028-01-03 09:00"))
    clock = charge(journal, "2028-01-03 10:00")
    assert story(clock) == [("working", None, 30), ("suspended", "customer", 0), ("working", None, 60)]
    assert (clock.judged.net_us, clock.judged.suspended_us) == (90 * MINUTE, None)


def test_a_clock_suspended_beyond_the_calendars_adds_up() -> None:
    journal = under_contract(signed(until=None)).incident("INC1", opened("2026-12-31 17:00"))
    journal.incident("INC1", suspended("2026-12-31 17:30"))
    clock = charge(journal, "2027-01-04")
    assert story(clock) == [("working", None, 30), ("suspended", "customer", 0)]
    assert (clock.judged.net_us, clock.judged.suspended_us) == (30 * MINUTE, None)


# --- the evidence -----------------------------------------------------------------------------------------------


def test_each_clock_names_the_versions_it_rests_on() -> None:
    journal = record(
        opened("Mon 09:00"),
        suspended("Mon 09:30"),
        resumed("Mon 10:00"),
        taken_in_charge("Mon 11:00"),
        intervention_started("Mon 13:00"),
        resolved("Mon 15:00"),
        reopened("Mon 16:00"),
        attributed("Tue 09:00", BY_CUSTOMER, INTERVENTION),
    )
    charge_clock, intervention_clock = journal.explained().clocks
    assert (charge_clock.clock, charge_clock.versions) == (CHARGE, (1, 2, 3, 4))
    assert (intervention_clock.clock, intervention_clock.versions) == (INTERVENTION, (1, 2, 3, 5, 8))


def test_a_suspension_after_the_stop_is_not_among_them() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 10:00"), suspended("Mon 11:00"))
    charge_clock, intervention_clock = journal.explained().clocks
    assert (charge_clock.versions, intervention_clock.versions) == ((1, 2), (1, 3))


def test_a_reassessment_is_among_them_where_the_reading_lets_it_count() -> None:
    journal = record(opened("Mon 09:00"), reassessed("Mon 09:30", 1), reassessed("Mon 09:40", 3))
    assert charge(journal, "Mon 10:00").versions == (1,)
    assert charge(journal, "Mon 10:00", "reassessment=latest").versions == (1, 3)


def test_the_closing_that_ends_a_clock_is_among_them() -> None:
    assert charge(record(opened("Mon 09:00"), closed("Mon 10:00"))).versions == (1, 2)
    assert charge(record(opened("Mon 09:00"), withdrawn("Mon 10:00"))).versions == (1, 2)


def test_streams_name_every_version_the_verdict_rests_on() -> None:
    journal = under_contract().contract(revised("Mon 08:00", "Mon 08:00", levels(30, 90)))
    journal.incident("INC1", opened("Mon 09:00"), taken_in_charge("Mon 10:00"), rectified(2, "at", when("Mon 09:30")))
    journal.credits(consumed("Mon 08:30", 60)).credits(bought("Tue 09:00", name="LATER"))
    assert journal.explained().streams == {
        "incident-INC1": (1, 2, 3),
        f"contract-{ACME}": (1, 2, 3, 4),
        f"credits-{ACME}": (1, 2),
    }


def test_streams_name_the_termination_that_voids_and_what_rectified_a_contract_and_its_credits() -> None:
    journal = record(opened("Mon 09:00")).contract(terminated("Mon 09:30", "Mon 10:00"))
    journal.contract(rectified(1, "customers", ["ACME", "ACME2"])).credits(rectified(1, "minutes", 600))
    assert journal.explained().streams == {
        "incident-INC1": (1,),
        f"contract-{ACME}": (1, 2, 3, 4, 5),
        f"credits-{ACME}": (1, 2),
    }


def test_the_versions_of_a_clock_name_the_rectifications_of_what_it_rests_on() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 15:00"), rectified(2, "at", when("Mon 10:00")))
    assert charge(journal).judged.net_us == 1 * HOUR
    assert charge(journal).versions == (1, 2, 3)


def test_an_explanation_is_of_the_row_that_the_report_shows() -> None:
    journal = record(opened("Mon 09:00"), taken_in_charge("Mon 12:00"))
    explained = journal.explained("Mon 13:00")
    assert explained.row == journal.row("Mon 13:00")
    assert [clock.judged for clock in explained.clocks] == [clock.judged for clock in explained.row.clocks]
    assert (explained.priority, explained.terms_source) == (2, "signed")


# --- the law ----------------------------------------------------------------------------------------------------

FIVE_DAYS = 5 * 24 * HOUR
FROM = when("2026-04-02 07:00")
"""The Thursday before Easter: a weekend and a holiday lie in the five days that follow."""

instants = st.integers(0, FIVE_DAYS)
causes = st.sampled_from([*Responsibility, None])


@given(
    pauses=st.lists(st.tuples(instants, causes), max_size=6),
    stop=st.one_of(st.none(), instants),
    data_centre=st.booleans(),
    reading=st.sampled_from(["literal", "suspensions=counted"]),
)
@settings(max_examples=200)
def test_slices_follow_each_other_and_add_up_to_net_to_the_microsecond(
    pauses: list[tuple[int, Responsibility | None]], stop: int | None, data_centre: bool, reading: str
) -> None:
    facts: list[Fact] = [
        ClockSuspended(at=FROM + at, cause=cause) if cause else ClockResumed(at=FROM + at) for at, cause in pauses
    ]
    if stop is not None:
        facts.append(intervention_started("2026-04-02 07:00").model_copy(update={"at": FROM + stop}))
    journal = record(opened("2026-04-02 07:00", data_centre=data_centre), *facts)
    for clock in journal.explained("2026-04-07 12:00", reading).clocks:
        judged, slices = clock.judged, clock.slices
        assert judged.net_us is not None
        assert judged.suspended_us is not None
        assert all(left.end == right.start for left, right in pairwise(slices))
        assert all(piece.start < piece.end for piece in slices)
        if slices:
            assert (slices[0].start, slices[-1].end) == (clock.span.start, clock.span.end)
            assert slices[-1].net_us == judged.net_us
        assert sum(piece.counted_us for piece in slices) == judged.net_us
        paused = sum(piece.end - piece.start for piece in slices if piece.why == "suspended")
        assert paused == judged.suspended_us
        for piece in slices:
            assert piece.counted_us == (piece.end - piece.start if piece.why == "working" else 0)
            assert (piece.window is None) is (piece.why in ("closed", "holiday"))
            assert piece.detail != "supplier"
