"""Which of several facts rules, and the intervals that everything dated is measured in."""

import pytest
from support.examples import MONDAY_9, MONDAY_10

from domain.incident_facts import IncidentReopened, IncidentResolved
from domain.interval import Interval, earliest
from domain.latest import last_recorded, latest

EARLY, LATE, AS_LATE = IncidentResolved(at=MONDAY_9), IncidentResolved(at=MONDAY_10), IncidentReopened(at=MONDAY_10)


def test_the_latest_rules_in_whatever_order_it_was_recorded() -> None:
    assert latest([LATE, EARLY]) is latest([EARLY, LATE]) is LATE
    assert latest([]) is None


def test_of_facts_of_one_date_the_last_recorded_rules() -> None:
    assert latest([LATE, AS_LATE, EARLY]) is AS_LATE
    assert latest([AS_LATE, LATE, EARLY]) is LATE


def test_where_dates_do_not_matter_the_last_recorded_rules() -> None:
    assert last_recorded([LATE, EARLY]) is EARLY
    assert last_recorded([]) is None


def test_what_a_fact_is_dated_by_may_be_given() -> None:
    assert latest([LATE, EARLY], lambda fact: -fact.at) is EARLY


@pytest.mark.parametrize(("instant", "inside"), [(9, False), (10, True), (19, True), (20, False)])
def test_an_interval_holds_its_start_and_not_its_end(instant: int, inside: bool) -> None:
    assert Interval(10, 20).holds(instant) is inside
    assert Interval(10, None).holds(instant) is (instant >= 10)
    assert Interval(10, 20).ended_by(instant) is (instant == 20)
    assert not Interval(10, None).ended_by(instant)


def test_intervals_that_only_touch_do_not_meet() -> None:
    assert not Interval(10, 20).meets(Interval(20, 30))
    assert not Interval(20, None).meets(Interval(10, 20))
    assert Interval(10, 21).meets(Interval(20, None))
    assert Interval(10, None).meets(Interval(20, None))


def test_the_part_of_an_interval_in_another_is_empty_where_they_do_not_meet() -> None:
    assert Interval(10, None).clip(Interval(5, 20)) == Interval(10, 20)
    assert Interval(10, 30).clip(Interval(15, None)) == Interval(15, 30)
    assert Interval(10, 20).clip(Interval(20, 30)).empty
    assert not Interval(10, 20).clip(Interval(19, 30)).empty
    assert not Interval(10, None).empty


def test_the_earliest_leaves_out_what_never_comes() -> None:
    assert (earliest(None, 3, 2), earliest(None), earliest()) == (2, None, None)
