"""Working time: the peers' vectors, the laws, and a count of every minute that shares no code with the calendar."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support.examples import (
    DATA_CENTRE_WEEK,
    DAY,
    EVERY_DAY,
    FRIDAY_17,
    FRIDAY_18,
    HOUR,
    MONDAY_8,
    MONDAY_9,
    MONDAY_10,
    MONDAY_18,
    NEXT_MONDAY_8,
    NEXT_NEW_YEAR,
    ROME,
    STANDARD_WEEK,
    TUESDAY_8,
    calendar,
    local,
    rules,
    week,
)

from adapters.imports.holidays import italian_holidays
from domain.adopted_calendars import Adopted
from domain.calendar_rules import CalendarRules, Holiday, ServiceHours, Week
from domain.contract_facts import CalendarChosen
from domain.local_time import local_day, local_midnight
from domain.values import MINUTE, SECOND, moment
from domain.working_time import OutsideCoverage, ReversedInterval, WorkingCalendar

# --- the peers' vectors -----------------------------------------------------------------------------------------

_GIVEN = os.environ.get("VERBALE_ACCEPTANCE_DATA")
_FOLDER = Path(_GIVEN) if _GIVEN else Path(__file__).resolve().parent.parent.parent / "shared" / "data"
_HERE = _FOLDER.is_dir()

Vector = dict[str, Any]


def _vectors() -> list[Vector]:
    if not _HERE:
        return []
    text = (_FOLDER / "working_time_vectors.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _kind(vector: Vector) -> str:
    """The rule under which a vector is read; "" where we answer what the peer does."""
    for kind in ("backward", "reversed_args", "pauses", "zero_duration", "disputed"):
        if vector.get(kind):
            return kind
    return ""


def _cases(*kinds: str) -> pytest.MarkDecorator:
    found = [vector for vector in _vectors() if _kind(vector) in kinds]
    return pytest.mark.parametrize("vector", found, ids=[vector["id"] for vector in found])


def _instant(vector: Vector, text: str) -> int:
    said = datetime.fromisoformat(text)
    if said.tzinfo is None:
        said = said.replace(tzinfo=ZoneInfo(vector["calendar"]["tz"]))
    return int(said.timestamp()) * SECOND  # vectors are whole seconds


def _calendar(vector: Vector) -> WorkingCalendar:
    """The vector's calendar in our terms, over no more years than it needs.

    An `extra` day replaces that day's windows and wins over a holiday: a holiday, and an extension.
    """
    given_calendar = vector["calendar"]
    days = [datetime.fromisoformat(vector[key]).date() for key in ("start", "end", "expected_end") if key in vector]
    first, last = min(days) - timedelta(days=1), max(days) + timedelta(days=1)
    closed = {date.fromisoformat(day) for day in (*given_calendar["holidays"], *given_calendar["extra"])}
    names = {name[:3]: name for name in EVERY_DAY}
    return calendar(
        Week.model_validate({names[day]: windows for day, windows in given_calendar["week"].items()}),
        given_calendar["tz"],
        first_year=first.year,
        last_year=last.year,
        holidays=[Holiday(day=day, name="closed") for day in sorted(closed) if first.year <= day.year <= last.year],
        extensions=[{"day": day, "windows": windows} for day, windows in given_calendar["extra"].items() if windows],
    )


def _agrees(vector: Vector, seconds: str = "working_seconds", end: str = "expected_end") -> None:
    compiled, start = _calendar(vector), _instant(vector, vector["start"])
    if vector["op"] == "elapsed":
        assert compiled.elapsed(start, _instant(vector, vector["end"])) == vector[seconds] * SECOND
    else:
        assert compiled.due(start, vector["working_seconds"] * SECOND) == _instant(vector, vector[end])


@pytest.mark.acceptance
def test_the_vectors_are_here_and_every_one_is_accounted_for() -> None:
    if not _HERE:
        why = f"no acceptance data at {_FOLDER}: VERBALE_ACCEPTANCE_DATA says where they are"
        if os.environ.get("VERBALE_REQUIRE_ACCEPTANCE") == "1":
            pytest.fail(why)
        pytest.skip(why)
    kinds = [_kind(vector) for vector in _vectors()]
    assert {kind: kinds.count(kind) for kind in sorted(set(kinds))} == {
        "": 126,
        "backward": 15,  # negative durations: not our business
        "disputed": 17,
        "pauses": 1,
        "reversed_args": 2,
        "zero_duration": 20,
    }


@pytest.mark.acceptance
@_cases("")
def test_we_answer_what_the_peer_asserts(vector: Vector) -> None:
    _agrees(vector)


@pytest.mark.acceptance
@_cases("disputed")
def test_where_the_peer_is_disputed_ours_is_the_canonical_answer(vector: Vector) -> None:
    # Rules: a due instant at a closing is the closing; what passes is counted, on a day of 25 hours too; none is none.
    _agrees(vector, "canonical_seconds", "canonical_end")


@pytest.mark.acceptance
@_cases("zero_duration")
def test_no_working_time_is_due_at_once_also_where_the_peer_waits_for_an_opening(vector: Vector) -> None:
    start = _instant(vector, vector["start"])
    compiled = _calendar(vector)
    assert compiled.due(start, 0) == start
    if compiled.is_open(start):
        assert start == _instant(vector, vector["expected_end"])


@pytest.mark.acceptance
@_cases("reversed_args")
def test_a_reversed_interval_is_an_error_where_the_peer_counts_backwards(vector: Vector) -> None:
    with pytest.raises(ReversedInterval):
        _calendar(vector).elapsed(_instant(vector, vector["start"]), _instant(vector, vector["end"]))


@pytest.mark.acceptance
@_cases("pauses")
def test_a_pause_moves_the_due_instant_by_its_working_time_only(vector: Vector) -> None:
    compiled, start = _calendar(vector), _instant(vector, vector["start"])
    pauses = [(_instant(vector, left), _instant(vector, right)) for left, right in vector["pauses"]]
    paused = sum(compiled.elapsed(left, right) for left, right in pauses)
    assert compiled.due(start, vector["working_seconds"] * SECOND + paused) == _instant(vector, vector["canonical_end"])


# --- a count of every minute ------------------------------------------------------------------------------------

Windows = tuple[tuple[int, int], ...]


class Plain(NamedTuple):
    """A calendar in plain values: windows by weekday (0 is Monday), in minutes after local midnight."""

    weekly: tuple[Windows, ...]
    holidays: frozenset[date] = frozenset()
    extensions: tuple[tuple[date, Windows], ...] = ()

    def opening_on(self, day: date) -> Windows:
        """The windows that open on a day."""
        usual = () if day in self.holidays else self.weekly[day.weekday()]
        return usual + tuple(window for agreed, windows in self.extensions if agreed == day for window in windows)

    def rules(self, years: set[int]) -> CalendarRules:
        """The same in the terms of the calendar under test."""
        return CalendarRules.model_validate(
            {
                "week": dict(zip(EVERY_DAY, self.weekly, strict=True)),
                "holidays": [{"day": day, "name": "closed"} for day in sorted(self.holidays)],
                "extensions": [{"day": day, "windows": windows} for day, windows in self.extensions],
                "first_year": min(years),
                "last_year": max(years),
            }
        )


class Place(NamedTuple):
    """Seven local days around a change of the clocks (or none), minute by minute."""

    zone: str
    monday: date

    @property
    def days(self) -> list[date]:
        """The days."""
        return [self.monday + timedelta(days=day) for day in range(7)]


@lru_cache
def minutes_of(place: Place) -> tuple[list[int], list[datetime]]:
    """Each UTC minute that the clocks of the place show on those days, and what they show."""
    zone, first = ZoneInfo(place.zone), datetime(*place.monday.timetuple()[:3], tzinfo=UTC)
    shown = []
    for minute in range(-24 * 60, 8 * 24 * 60):
        instant = first + timedelta(minutes=minute)
        wall = instant.astimezone(zone).replace(tzinfo=None)
        if wall.date() in place.days:
            shown.append((int(instant.timestamp()) * SECOND, wall))
    return [instant for instant, _ in shown], [wall for _, wall in shown]


def open_minutes(place: Place, plain: Plain) -> list[bool]:
    """Whether each minute is in a window that opens on one of the days.

    A window runs from the first minute at which clocks show its opening or later, through the last at which they show
    a time before its closing.
    """
    _, walls = minutes_of(place)
    found = [False] * len(walls)
    for day in place.days:
        for opens, closes in plain.opening_on(day):
            midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 (what clocks show)
            from_wall = midnight + timedelta(minutes=opens)
            to_wall = midnight + timedelta(minutes=closes, days=0 if closes > opens else 1)
            first = next((index for index, wall in enumerate(walls) if wall >= from_wall), len(walls))
            closed = next((index + 1 for index in reversed(range(len(walls))) if walls[index] < to_wall), 0)
            found[first:closed] = [True] * (closed - first)
    return found


def counted(place: Place, opened: list[bool], start: int, end: int) -> int:
    """The part of each open minute within [start, end)."""
    instants, _ = minutes_of(place)
    return sum(
        max(0, min(end, instant + MINUTE) - max(start, instant))
        for instant, is_open in zip(instants, opened, strict=True)
        if is_open
    )


def counted_due(place: Place, opened: list[bool], start: int, working: int) -> int | None:
    """The first instant by which `working` has passed in open minutes, or None within these days."""
    instants, _ = minutes_of(place)
    for instant, is_open in zip(instants, opened, strict=True):
        passing = instant + MINUTE - max(start, instant)
        if is_open and passing > 0:
            if passing >= working:
                return max(start, instant) + working
            working -= passing
    return None


PLACES = {
    "no change": Place("Europe/Rome", date(2026, 5, 11)),
    "March: 02-03 is skipped": Place("Europe/Rome", date(2026, 3, 24)),
    "October: 02-03 comes twice": Place("Europe/Rome", date(2026, 10, 20)),
    "half an hour skipped": Place("Australia/Lord_Howe", date(2026, 9, 30)),
    "half an hour twice": Place("Australia/Lord_Howe", date(2026, 4, 1)),
    "midnight is skipped": Place("America/Santiago", date(2026, 9, 1)),
    "the hour before midnight comes twice": Place("America/Santiago", date(2026, 3, 31)),
    "the hour after midnight comes twice": Place("America/Havana", date(2025, 10, 28)),
}
EDGES = st.sampled_from(
    [0, 30, 60, 90, 120, 121, 135, 150, 165, 179, 180, 210, 360, 480, 720, 1080, 1260, 1380, 1410, 1439]
)
OPENINGS = EDGES | st.integers(0, 1439)
CLOSINGS = EDGES | st.integers(0, 1440) | st.just(1440)
A_DAY = st.lists(st.tuples(OPENINGS, CLOSINGS), max_size=3).map(tuple)


@st.composite
def plains(draw: st.DrawFn, days: Sequence[date]) -> Plain:
    """Any calendar: several windows a day, over midnight too, holidays, extensions."""
    weekly = draw(st.tuples(*[A_DAY] * 7))
    holidays = draw(st.frozensets(st.sampled_from(days), max_size=2))
    extensions = draw(st.lists(st.tuples(st.sampled_from(days), A_DAY), max_size=2).map(tuple))
    return Plain(weekly, holidays, extensions)


@st.composite
def asked(draw: st.DrawFn, place: Place) -> tuple[int, int]:
    """Two instants in order. None on the first day: the day before it may spill into it, and is not counted."""
    instants, walls = minutes_of(place)
    second_day = next(instant for instant, wall in zip(instants, walls, strict=True) if wall.date() == place.days[1])
    moments = st.integers(second_day, instants[-1]) | st.sampled_from([at for at in instants if at >= second_day])
    start, end = sorted((draw(moments), draw(moments)))
    return start, end


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@settings(max_examples=60)
@given(data=st.data())
def test_any_calendar_agrees_with_a_count_of_every_minute(place: Place, data: st.DataObject) -> None:
    plain = data.draw(plains(place.days))
    start, end = data.draw(asked(place))
    compiled = WorkingCalendar.of(ZoneInfo(place.zone), plain.rules({place.monday.year}))
    opened = open_minutes(place, plain)
    worked = counted(place, opened, start, end)
    assert compiled.elapsed(start, end) == worked
    instants, _ = minutes_of(place)
    assert compiled.is_open(end) == opened[(end - instants[0]) // MINUTE]
    working = data.draw(st.integers(1, max(worked, 1)))
    due = counted_due(place, opened, start, working)
    if due is not None:
        assert compiled.due(start, working) == due


def test_the_count_itself_knows_the_days_of_23_and_25_hours() -> None:
    whole = Plain(tuple(((0, 1440),) for _ in range(7)))
    hours = {}
    for name, place in PLACES.items():
        instants, _ = minutes_of(place)
        opened = open_minutes(place, whole)
        hours[name] = counted(place, opened, instants[0], instants[-1] + MINUTE) / HOUR
    assert list(hours.values()) == [168, 167, 169, 167.5, 168.5, 167, 169, 169]


# --- laws -------------------------------------------------------------------------------------------------------

SPRING = PLACES["March: 02-03 is skipped"]
AUTUMN = PLACES["October: 02-03 comes twice"]
YEAR_START, YEAR_END = local("2026-01-02 00:00"), local("2026-12-31 00:00")
INSTANTS = st.integers(YEAR_START, YEAR_END) | st.sampled_from(
    [
        *range(local("2026-03-28 22:00"), local("2026-03-29 05:00"), 15 * MINUTE),
        *range(local("2026-10-24 22:00"), local("2026-10-25 05:00"), 15 * MINUTE),
    ]
)


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    """Any calendar of 2026 in Rome, with holidays and extensions around both changes of the clocks."""
    return WorkingCalendar.of(ROME, draw(plains([*SPRING.days, *AUTUMN.days])).rules({2026}))


@settings(max_examples=150)
@given(compiled=calendars(), start=INSTANTS, share=st.integers(1, 10**6))
def test_due_is_the_earliest_instant_at_which_so_much_has_elapsed(
    compiled: WorkingCalendar, start: int, share: int
) -> None:
    total = compiled.elapsed(start, NEXT_NEW_YEAR)
    working = max(1, total * share // 10**6)
    if total == 0:
        with pytest.raises(OutsideCoverage):
            compiled.due(start, working)
        return
    due = compiled.due(start, working)
    assert compiled.elapsed(start, due) == working
    assert compiled.elapsed(start, due - 1) == working - 1
    assert compiled.is_open(due - 1)


@settings(max_examples=150)
@given(compiled=calendars(), instants=st.tuples(INSTANTS, INSTANTS, INSTANTS))
def test_elapsed_adds_up_never_runs_backwards_and_never_outruns_time(
    compiled: WorkingCalendar, instants: tuple[int, int, int]
) -> None:
    first, second, third = sorted(instants)
    assert compiled.elapsed(first, third) == compiled.elapsed(first, second) + compiled.elapsed(second, third)
    assert 0 <= compiled.elapsed(first, second) <= compiled.elapsed(first, third) <= third - first
    assert compiled.elapsed(second, second) == 0


@settings(max_examples=150)
@given(compiled=calendars(), start=INSTANTS, amounts=st.tuples(st.integers(0, 40 * HOUR), st.integers(0, 40 * HOUR)))
def test_due_comes_no_earlier_for_more_work_and_can_be_waited_for_in_two_steps(
    compiled: WorkingCalendar, start: int, amounts: tuple[int, int]
) -> None:
    less, more = sorted(amounts)
    if compiled.elapsed(start, NEXT_NEW_YEAR) < 2 * more:
        return
    assert start <= compiled.due(start, less) <= compiled.due(start, more)
    assert compiled.due(compiled.due(start, less), more) == compiled.due(start, less + more)


@settings(max_examples=100)
@given(compiled=calendars(), instants=st.tuples(INSTANTS, INSTANTS))
def test_stretches_cut_an_interval_without_gaps_and_their_open_ones_add_up_to_elapsed(
    compiled: WorkingCalendar, instants: tuple[int, int]
) -> None:
    start, end = min(instants), min(max(instants), min(instants) + 10 * DAY)
    segments = list(compiled.segments(start, end))
    edges = [start, *(segment.end for segment in segments)]
    assert [segment.start for segment in segments] == edges[:-1]
    assert edges[-1] == end
    assert sum(s.end - s.start for s in segments if s.window is not None) == compiled.elapsed(start, end)
    for segment in segments:
        assert compiled.is_open(segment.start) == (segment.window is not None)
        assert moment(segment.start).astimezone(ROME).date() == segment.day


# --- boundaries -------------------------------------------------------------------------------------------------

OFFICE = calendar()


def test_a_due_instant_exactly_at_a_closing_is_that_closing() -> None:
    assert OFFICE.due(FRIDAY_17, HOUR) == FRIDAY_18


def test_one_microsecond_more_than_fits_before_the_closing_is_due_just_after_the_next_opening() -> None:
    assert OFFICE.due(FRIDAY_17, HOUR + 1) == NEXT_MONDAY_8 + 1


def test_outside_hours_the_clock_starts_at_the_next_opening() -> None:
    assert OFFICE.due(local("2026-03-06 19:00"), HOUR) == local("2026-03-09 09:00")
    assert OFFICE.elapsed(local("2026-03-06 18:00"), NEXT_MONDAY_8) == 0


@pytest.mark.parametrize("at", [MONDAY_9, MONDAY_8, MONDAY_18, local("2026-03-07 12:00")])
def test_no_working_time_is_due_at_once_also_outside_hours(at: int) -> None:
    assert OFFICE.due(at, 0) == at


def test_negative_working_time_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        OFFICE.due(MONDAY_9, -1)


def test_a_reversed_interval_is_an_error() -> None:
    with pytest.raises(ReversedInterval):
        OFFICE.elapsed(MONDAY_10, MONDAY_10 - 1)


def test_a_window_contains_its_opening_and_not_its_closing() -> None:
    answers = [OFFICE.is_open(at) for at in (MONDAY_8 - 1, MONDAY_8, MONDAY_18 - 1, MONDAY_18)]
    assert answers == [False, True, True, False]


def test_touching_windows_are_one() -> None:
    split, whole = calendar(week(("08:00", "12:00"), ("12:00", "18:00"))), OFFICE
    windows = [segment.window for segment in split.segments(MONDAY_8, MONDAY_18)]
    assert windows == [segment.window for segment in whole.segments(MONDAY_8, MONDAY_18)] == [(MONDAY_8, MONDAY_18)]
    assert split.due(MONDAY_8, 4 * HOUR + 1) == MONDAY_8 + 4 * HOUR + 1


def test_an_extension_that_touches_the_closing_continues_the_day() -> None:
    extended = calendar(extensions=[{"day": "2026-03-02", "windows": [("18:00", "21:00")]}])
    assert extended.due(MONDAY_8, 13 * HOUR) == local("2026-03-02 21:00")
    assert extended.elapsed(TUESDAY_8, TUESDAY_8 + DAY) == 10 * HOUR


def test_overlapping_windows_are_not_counted_twice() -> None:
    overlapping = calendar(week(("08:00", "14:00"), ("12:00", "18:00"), ("09:00", "10:00")))
    assert overlapping.elapsed(MONDAY_8, TUESDAY_8) == 10 * HOUR


def test_a_lunch_break_does_not_count() -> None:
    broken = calendar(week(("09:00", "13:00"), ("14:00", "18:00")))
    assert broken.due(local("2026-03-02 12:30"), HOUR) == local("2026-03-02 14:30")


def test_a_window_over_midnight_belongs_to_the_day_it_opens() -> None:
    # Only Monday opens one; the holiday on Tuesday does not shorten it, one on Monday takes it away whole.
    night = week(("22:00", "06:00"), days=["monday"])
    evening, morning = local("2026-03-02 22:00"), local("2026-03-03 06:00")
    assert calendar(night).elapsed(MONDAY_8, TUESDAY_8) == 8 * HOUR
    assert calendar(night, holidays=[{"day": "2026-03-03", "name": "x"}]).elapsed(evening, morning) == 8 * HOUR
    assert calendar(night, holidays=[{"day": "2026-03-02", "name": "x"}]).elapsed(evening, morning) == 0


def test_a_window_that_closes_when_it_opens_lasts_a_whole_day() -> None:
    assert calendar(week(("08:00", "08:00"), days=["monday"])).elapsed(MONDAY_8, NEXT_MONDAY_8) == 24 * HOUR


def test_a_window_may_close_at_24_but_not_open_then() -> None:
    assert calendar(week(("20:00", "24:00"), days=["monday"])).elapsed(MONDAY_8, TUESDAY_8) == 4 * HOUR
    with pytest.raises(ValidationError, match="24:00"):
        week(("24:00", "06:00"))


@pytest.mark.parametrize(
    "text", ["8:00", "08:60", "25:00", "24:01", "08.00", "0800", "", "٠٨:00x", 8.0, True, -1, 1441]
)
def test_a_time_of_day_that_no_clock_shows_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        Week.model_validate({"monday": [[text, "18:30"]]})


def test_a_holiday_takes_its_day_away_and_an_extension_beats_it() -> None:
    holidays = [{"day": "2026-03-02", "name": "Patrono"}]
    closed = calendar(holidays=holidays)
    agreed = calendar(holidays=holidays, extensions=[{"day": "2026-03-02", "windows": [("10:00", "12:00")]}])
    assert closed.elapsed(MONDAY_8, TUESDAY_8) == 0
    assert agreed.elapsed(MONDAY_8, TUESDAY_8) == 2 * HOUR
    assert [segment.holiday for segment in closed.segments(MONDAY_8, MONDAY_9)] == ["Patrono"]


def test_a_calendar_without_windows_is_never_due() -> None:
    empty = calendar(Week())
    assert empty.elapsed(MONDAY_8, NEXT_MONDAY_8) == 0
    with pytest.raises(OutsideCoverage):
        empty.due(MONDAY_8, 1)


# --- the two changes of the clocks ------------------------------------------------------------------------------

SUNDAYS = ("sunday",)
MARCH_CHANGE = local("2026-03-29 03:00")
FIRST_2 = local("2026-10-25 02:00", fold=0)
SECOND_2 = local("2026-10-25 02:00", fold=1)


def _sunday(opens: str, closes: str, day: str) -> int:
    midnight = local(f"{day} 00:00")
    return calendar(week((opens, closes), days=SUNDAYS)).elapsed(midnight, local(f"{day} 23:59"))


@pytest.mark.parametrize(
    ("opens", "closes", "march", "october"),
    [
        ("00:00", "06:00", 300, 420),  # across the change: what really passes
        ("08:00", "18:00", 600, 600),
        ("00:00", "02:30", 120, 210),  # closes in the hour: the instant of the change; the last 02:30
        ("02:30", "06:00", 180, 270),  # opens in it: the instant of the change; the first 02:30
        ("02:15", "02:45", 0, 90),
        ("02:00", "03:00", 0, 120),
        # 02:00 is shown twice as well, but after the first one the wall shows no earlier time (ruling 2, design §5)
        ("01:00", "02:00", 60, 60),
        ("00:00", "02:00", 120, 120),
        ("00:00", "02:01", 120, 181),
        ("00:00", "03:00", 120, 240),
        ("03:00", "04:00", 60, 60),
    ],
)
def test_a_window_counts_what_really_passes_on_a_day_of_changing_clocks(
    opens: str, closes: str, march: int, october: int
) -> None:
    assert _sunday(opens, closes, "2026-03-29") == march * MINUTE
    assert _sunday(opens, closes, "2026-10-25") == october * MINUTE


def test_a_day_without_closing_has_23_hours_in_march_and_25_in_october() -> None:
    always = calendar(week(("00:00", "24:00"), days=EVERY_DAY))
    assert always.elapsed(local("2026-03-29 00:00"), local("2026-03-30 00:00")) == 23 * HOUR
    assert always.elapsed(local("2026-10-25 00:00"), local("2026-10-26 00:00")) == 25 * HOUR


def test_an_edge_in_the_skipped_hour_is_the_instant_of_the_change() -> None:
    opening = calendar(week(("02:30", "06:00"), days=SUNDAYS))
    assert (opening.is_open(MARCH_CHANGE - 1), opening.is_open(MARCH_CHANGE)) == (False, True)
    closing = calendar(week(("00:00", "02:30"), days=SUNDAYS))
    assert closing.due(local("2026-03-29 00:00"), 2 * HOUR) == MARCH_CHANGE
    assert not closing.is_open(MARCH_CHANGE)


def test_a_window_that_closes_where_the_repeated_hour_begins_ends_at_its_first_time() -> None:
    early = calendar(week(("00:00", "02:00"), days=SUNDAYS))
    assert [early.is_open(at) for at in (FIRST_2 - 1, FIRST_2, SECOND_2 - 1, SECOND_2)] == [True, False, False, False]
    assert early.due(local("2026-10-25 00:00"), 2 * HOUR) == FIRST_2


@pytest.mark.parametrize(
    ("zone", "day", "opens", "closes", "minutes"),
    [
        # New York, 1 November 2026: 01:00 to 02:00 comes twice
        ("America/New_York", "2026-11-01", "00:00", "01:00", 60),
        ("America/New_York", "2026-11-01", "00:00", "01:30", 150),
        ("America/New_York", "2026-11-01", "00:00", "02:00", 180),
        # Lord Howe, 5 April 2026: 01:30 to 02:00 comes twice
        ("Australia/Lord_Howe", "2026-04-05", "00:00", "01:30", 90),
        ("Australia/Lord_Howe", "2026-04-05", "00:00", "01:31", 121),
        ("Australia/Lord_Howe", "2026-04-05", "00:00", "02:00", 150),
        # São Paulo, 17 February 2018, Cairo, 29 October 2026, and Beirut, 24 October 2026: the hour before midnight
        # comes twice
        ("America/Sao_Paulo", "2018-02-17", "20:00", "23:00", 180),
        ("America/Sao_Paulo", "2018-02-17", "20:00", "24:00", 300),
        ("Africa/Cairo", "2026-10-29", "20:00", "23:00", 180),
        ("Africa/Cairo", "2026-10-29", "20:00", "24:00", 300),
        ("Asia/Beirut", "2026-10-24", "20:00", "23:00", 180),
        ("Asia/Beirut", "2026-10-24", "20:00", "00:30", 330),
        # Havana, 2 November 2025: midnight to 01:00 comes twice
        ("America/Havana", "2025-11-01", "20:00", "24:00", 240),
        ("America/Havana", "2025-11-01", "20:00", "00:30", 330),
    ],
)
def test_a_closing_is_where_the_wall_last_shows_a_time_before_it(
    zone: str, day: str, opens: str, closes: str, minutes: int
) -> None:
    first = date.fromisoformat(day)
    start = local_midnight(ZoneInfo(zone), first)
    hours = week((opens, closes), days=(EVERY_DAY[first.weekday()],))
    nights = calendar(hours, zone, first_year=first.year, last_year=first.year)
    assert nights.elapsed(start, start + 40 * HOUR) == minutes * MINUTE


def test_an_edge_in_the_repeated_hour_is_its_first_opening_and_its_last_closing() -> None:
    half = calendar(week(("02:15", "02:45"), days=SUNDAYS))
    first, last = FIRST_2 + 15 * MINUTE, SECOND_2 + 45 * MINUTE
    assert [half.is_open(at) for at in (first - 1, first, SECOND_2, last - 1, last)] == [False, True, True, True, False]
    assert half.due(FIRST_2, 90 * MINUTE) == last


def test_the_two_instants_that_clocks_show_alike_are_an_hour_apart() -> None:
    always = calendar(week(("00:00", "24:00"), days=EVERY_DAY))
    assert SECOND_2 - FIRST_2 == always.elapsed(FIRST_2, SECOND_2) == HOUR


def test_days_are_cut_at_local_midnights_on_changing_clocks_too() -> None:
    begins, ends = local("2026-10-24 12:00"), local("2026-10-26 12:00")
    days = {segment.day for segment in OFFICE.segments(begins, ends)}
    assert days == {date(2026, 10, 24), date(2026, 10, 25), date(2026, 10, 26)}
    sunday = [s for s in OFFICE.segments(begins, ends) if s.day == date(2026, 10, 25)]
    assert sum(segment.end - segment.start for segment in sunday) == 25 * HOUR


HAVANA = ZoneInfo("America/Havana")


def test_a_day_whose_midnight_comes_twice_begins_at_the_first() -> None:
    """In Havana 2 November 2025 shows 00:00 to 00:59 twice: at 01:00 the clocks go back to 00:00."""
    first, second = (local("2025-11-02 00:00", HAVANA, fold=fold) for fold in (0, 1))
    assert second - first == HOUR
    assert local_day(HAVANA, date(2025, 11, 2)) == (first, local("2025-11-03 00:00", HAVANA))
    assert local_day(HAVANA, date(2025, 11, 1))[1] == first == local_midnight(HAVANA, date(2025, 11, 2))


def test_a_window_that_opens_at_a_midnight_that_comes_twice_opens_at_the_first() -> None:
    first, second = (local("2025-11-02 00:00", HAVANA, fold=fold) for fold in (0, 1))
    morning = calendar(week(("00:00", "08:00"), days=SUNDAYS), "America/Havana", first_year=2025, last_year=2025)
    assert [morning.is_open(at) for at in (first - 1, first, second - 1, second)] == [False, True, True, True]
    assert morning.elapsed(first, local("2025-11-02 12:00", HAVANA)) == 9 * HOUR
    assert [segment.day for segment in morning.segments(first - HOUR, second + HOUR)] == [
        date(2025, 11, 1), date(2025, 11, 2)
    ]  # fmt: skip


# --- years covered ----------------------------------------------------------------------------------------------


def test_outside_the_years_covered_every_question_names_the_years() -> None:
    before, after = local("2025-12-31 23:00"), local("2027-01-04 09:00")
    questions: list[tuple[Any, ...]] = [
        (OFFICE.elapsed, before, MONDAY_9),
        (OFFICE.elapsed, MONDAY_9, after),
        (OFFICE.due, before, HOUR),
        (OFFICE.due, after, HOUR),
        (OFFICE.due, local("2026-12-31 17:00"), HOUR + 1),
        (OFFICE.is_open, before),
        (OFFICE.is_open, after),
        (OFFICE.is_open, local("2027-01-01 00:00") + 1),
    ]
    for question, *arguments in questions:
        with pytest.raises(OutsideCoverage, match=r"cover 2026;.* adopt one for (2025|2027)$"):
            question(*arguments)
    with pytest.raises(OutsideCoverage):
        list(OFFICE.segments(MONDAY_9, after))


def test_the_very_end_of_the_years_covered_can_still_be_reached() -> None:
    always = calendar(week(("00:00", "24:00"), days=EVERY_DAY))
    assert always.due(NEXT_NEW_YEAR - HOUR, HOUR) == NEXT_NEW_YEAR
    assert always.elapsed(NEXT_NEW_YEAR - HOUR, NEXT_NEW_YEAR) == HOUR


def test_the_first_instant_after_the_years_covered_is_outside_them() -> None:
    always = calendar(week(("00:00", "24:00"), days=EVERY_DAY))
    with pytest.raises(OutsideCoverage, match="2027"):
        always.is_open(NEXT_NEW_YEAR)


GAP = WorkingCalendar(
    ROME,
    [Adopted(0, rules(first_year=2024, last_year=2024)), Adopted(0, rules(first_year=2026, last_year=2026))],
)


def test_a_year_missing_between_two_covered_ones_is_outside() -> None:
    assert GAP.elapsed(local("2024-12-31 08:00"), local("2024-12-31 20:00")) == 10 * HOUR
    assert GAP.elapsed(MONDAY_8, TUESDAY_8) == 10 * HOUR
    with pytest.raises(OutsideCoverage, match="2024, 2026"):
        GAP.is_open(local("2025-03-03 09:00"))
    with pytest.raises(OutsideCoverage):
        GAP.elapsed(local("2024-12-31 08:00"), MONDAY_8)
    with pytest.raises(OutsideCoverage):
        GAP.due(local("2024-12-31 17:00"), HOUR + 1)


def test_the_error_names_the_year_that_is_missing() -> None:
    with pytest.raises(OutsideCoverage, match=r"adopt one for 2025$"):
        GAP.elapsed(local("2024-12-31 08:00"), MONDAY_8)


def test_a_due_instant_beyond_the_missing_year_names_that_year() -> None:
    with pytest.raises(OutsideCoverage, match=r"adopt one for 2025$"):
        GAP.due(local("2024-12-31 17:00"), HOUR + 1)


def test_no_calendar_at_all_covers_no_year() -> None:
    with pytest.raises(OutsideCoverage, match="no year"):
        WorkingCalendar(ROME, []).is_open(MONDAY_9)


def test_what_a_window_of_the_uncovered_eve_leaves_open_is_not_known() -> None:
    night = calendar(week(("22:00", "06:00"), days=EVERY_DAY))
    with pytest.raises(OutsideCoverage):
        night.is_open(local("2026-01-01 05:59"))
    assert not night.is_open(local("2026-01-01 06:00"))


@pytest.mark.parametrize("years", [(2027, 2026), (2026, 2086), (1899, 1900), (2200, 2201)])
def test_years_that_are_reversed_or_too_many_are_refused(years: tuple[int, int]) -> None:
    with pytest.raises(ValidationError):
        rules(first_year=years[0], last_year=years[1])


@pytest.mark.parametrize(
    "holidays",
    [[{"day": "2027-01-01", "name": "x"}], [{"day": "2026-01-01", "name": "x"}, {"day": "2026-01-01", "name": "y"}]],
    ids=["outside", "twice"],
)
def test_a_holiday_outside_the_years_or_given_twice_is_refused(holidays: list[dict[str, str]]) -> None:
    with pytest.raises(ValidationError):
        rules(holidays=holidays)


@pytest.mark.parametrize("day", ["2026-3-02", "2026-02-30", "20260302", "2026/03/02", 20260302, 1.5, None])
def test_a_day_that_is_none_is_refused(day: object) -> None:
    with pytest.raises(ValidationError):
        Holiday.model_validate({"day": day, "name": "x"})


def test_a_week_date_is_no_day() -> None:
    with pytest.raises(ValidationError):
        Holiday.model_validate({"day": "2026-W10-1", "name": "x"})


# --- several calendars ------------------------------------------------------------------------------------------

SHORT_WEEK = week(("08:00", "09:00"))


def _day(compiled: WorkingCalendar, text: str) -> int:
    """Working hours of a day."""
    start = local(f"{text} 00:00")
    return compiled.elapsed(start, start + 20 * HOUR) // HOUR


def test_a_day_is_judged_by_the_last_calendar_adopted_at_or_before_its_midnight() -> None:
    midnight = local("2026-03-03 00:00")
    compiled = WorkingCalendar(ROME, [Adopted(0, rules()), Adopted(midnight, rules(SHORT_WEEK))])
    assert [_day(compiled, day) for day in ("2026-03-02", "2026-03-03", "2026-03-04")] == [10, 1, 1]
    later = WorkingCalendar(ROME, [Adopted(0, rules()), Adopted(midnight + 1, rules(SHORT_WEEK))])
    assert [_day(later, day) for day in ("2026-03-02", "2026-03-03", "2026-03-04")] == [10, 10, 1]
    assert not later.judged_by_later(MONDAY_8, NEXT_MONDAY_8)


def test_of_two_adopted_at_the_same_instant_the_last_one_rules() -> None:
    compiled = WorkingCalendar(ROME, [Adopted(0, rules()), Adopted(0, rules(SHORT_WEEK))])
    assert _day(compiled, "2026-03-02") == 1


def test_a_day_before_every_adoption_is_judged_by_the_first_adopted_after_and_says_so() -> None:
    wednesday = local("2026-03-04 12:00")
    compiled = WorkingCalendar(ROME, [Adopted(wednesday, rules(SHORT_WEEK)), Adopted(wednesday + DAY, rules())])
    days = ("2026-03-02", "2026-03-04", "2026-03-05", "2026-03-06")
    assert [_day(compiled, day) for day in days] == [1, 1, 1, 10]
    # Wednesday had begun before the adoption; Thursday had not.
    assert compiled.judged_by_later(local("2026-03-04 13:00"), local("2026-03-04 14:00"))
    assert compiled.judged_by_later(MONDAY_8, NEXT_MONDAY_8)
    assert not compiled.judged_by_later(local("2026-03-05 00:00"), NEXT_MONDAY_8)


def test_only_a_calendar_that_covers_the_day_can_judge_it() -> None:
    # The last adopted covers 2027 only: 2026 stays with the one before it, though adopted earlier.
    compiled = WorkingCalendar(
        ROME, [Adopted(0, rules()), Adopted(1, rules(SHORT_WEEK, first_year=2027, last_year=2027))]
    )
    assert (_day(compiled, "2026-03-02"), _day(compiled, "2027-03-01")) == (10, 1)
    assert compiled.elapsed(local("2026-12-31 08:00"), local("2027-01-01 20:00")) == 11 * HOUR


def test_a_later_calendar_replaces_the_holidays_of_the_days_that_follow() -> None:
    closed = rules(holidays=[{"day": day, "name": "x"} for day in ("2026-03-02", "2026-03-06")])
    compiled = WorkingCalendar(ROME, [Adopted(0, closed), Adopted(local("2026-03-04 09:00"), rules())])
    assert (_day(compiled, "2026-03-02"), _day(compiled, "2026-03-06")) == (0, 10)


@settings(max_examples=60)
@given(data=st.data())
def test_any_sequence_of_adoptions_judges_each_day_by_the_stated_rule(data: st.DataObject) -> None:
    midnights = [local(f"2026-03-0{day} 00:00") for day in range(2, 8)]
    near = st.sampled_from([midnight + offset for midnight in midnights for offset in (-1, 0, 1)])
    kept = st.sampled_from(["08:01", "09:00", "10:00", "11:00", "12:00"])
    adoptions = sorted(data.draw(st.lists(st.tuples(near, kept), min_size=1, max_size=4)), key=lambda one: one[0])
    compiled = WorkingCalendar(
        ROME, [Adopted(at, rules(week(("08:00", until), days=EVERY_DAY))) for at, until in adoptions]
    )
    for midnight in midnights:
        in_time = [until for at, until in adoptions if at <= midnight]
        until = in_time[-1] if in_time else adoptions[0][1]
        opening = midnight + 8 * HOUR
        closing = midnight + int(until[:2]) * HOUR + int(until[3:]) * MINUTE
        assert compiled.elapsed(midnight, midnight + 20 * HOUR) == closing - opening
        assert compiled.judged_by_later(midnight + 1, midnight + 2) == (not in_time)


# --- the contract's own hours -----------------------------------------------------------------------------------


def test_standard_hours_close_at_18_and_data_centre_hours_at_21() -> None:
    chosen = CalendarChosen.model_validate(
        {
            "source": "us",
            "source_version": "1",
            "first_year": 2026,
            "last_year": 2026,
            "standard": STANDARD_WEEK,
            "data_centre": DATA_CENTRE_WEEK,
            "holidays": [{"day": "2026-03-03", "name": "x"}],
        }
    )
    standard, data_centre = (
        WorkingCalendar.of(ROME, chosen.rules(hours)) for hours in (ServiceHours.STANDARD, ServiceHours.DATA_CENTRE)
    )
    assert (_day(standard, "2026-03-02"), _day(data_centre, "2026-03-02")) == (10, 12)  # 20:00 is asked about
    assert data_centre.due(MONDAY_18, 3 * HOUR) == local("2026-03-02 21:00")
    assert standard.due(MONDAY_18, 3 * HOUR) == local("2026-03-04 11:00")
    assert _day(data_centre, "2026-03-03") == 0


@pytest.mark.parametrize(
    ("day", "closed"),
    [("2025-10-04", False), ("2026-10-04", True), ("2027-10-04", True), ("2026-12-25", True), ("2026-12-07", False)],
)
def test_4_october_is_an_italian_holiday_from_2026_and_not_in_2025(day: str, closed: bool) -> None:
    proposed = italian_holidays(2025, 2027)
    compiled = calendar(
        week(("08:00", "18:00"), days=EVERY_DAY), first_year=2025, last_year=2027, holidays=list(proposed)
    )
    assert _day(compiled, day) == (0 if closed else 10)


def test_the_patron_saint_closes_the_day_only_where_the_contract_adopts_it() -> None:
    milan = calendar(holidays=list(italian_holidays(2026, 2026, "MI")))
    nation = calendar(holidays=list(italian_holidays(2026, 2026)))
    assert (_day(milan, "2026-12-07"), _day(nation, "2026-12-07")) == (0, 10)


@example(date(2026, 3, 29))
@example(date(2026, 10, 25))
@given(st.dates(date(1990, 1, 1), date(2030, 12, 31)))
def test_a_local_day_begins_when_clocks_show_midnight(day: date) -> None:
    shown = moment(local_midnight(ROME, day)).astimezone(ROME)
    assert (shown.date(), shown.hour, shown.minute, shown.second) == (day, 0, 0, 0)


def test_where_clocks_skip_midnight_the_day_begins_at_the_change() -> None:
    santiago = ZoneInfo("America/Santiago")
    midnight = local_midnight(santiago, date(2026, 9, 6))
    assert midnight == local("2026-09-06 01:00", santiago)
    assert midnight - 1 == local("2026-09-05 23:59", santiago) + MINUTE - 1
