"""The working hours of each day as printed; calendars proposed and adopted; warned of before they end (H1, H2, H4)."""

import csv
import io
import json
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar
from support.examples import CONTRACT, HOUR, ROME, adopt, adopted, local, signed, week
from support.messages import Clock, ingest, memory, message, sign

from adapters.diagnosis import remarks
from adapters.imports.contract_messages import calendar_message
from adapters.imports.holidays import changes_since, library_version
from adapters.inbox.handler import CommandHandler
from adapters.inbox.outcomes import Done
from bin.commands.calendar import FROM_COMMAND
from bin.compose import clock
from domain.calendar_rules import Holiday, ServiceHours
from domain.contract_facts import CalendarAdopted, CalendarChosen, CoverageExtended
from domain.facts import Fact
from domain.local_time import local_day
from domain.values import instant_text, moment
from domain.working_time import OutsideCoverage
from projections.as_of import ContractAsOf
from projections.history import Entry, History
from projections.readings import Reading
from projections.replay import Replay
from projections.working_days import Closed, WorkingDay, working_days

STANDARD, DATA_CENTRE = ServiceHours.STANDARD, ServiceHours.DATA_CENTRE
LATER = local("2030-01-01 00:00")


def contract_with(*facts: Fact) -> ContractAsOf:
    """A contract signed, with some facts more, from version 2 on."""
    entries = [Entry(n, f"contract-{CONTRACT}", n, fact.at, fact) for n, fact in enumerate((signed(), *facts), 1)]
    return Replay(History.of(entries), Reading(), LATER).contract(CONTRACT)


def extended(*windows: tuple[str, str], at: str = "2025-12-15 10:00", **reached: Any) -> CoverageExtended:
    """An agreement on hours."""
    return CoverageExtended.model_validate({"at": local(at), "windows": windows, **reached})


def on(contract: ContractAsOf, day: str, hours: ServiceHours = STANDARD) -> WorkingDay:
    """The working hours of a single day."""
    (found,) = working_days(contract, hours, date.fromisoformat(day), date.fromisoformat(day))
    return found


def clocks(day: WorkingDay) -> list[tuple[str, list[int]]]:
    """Its windows as Rome's clocks show them, each with the versions of the agreements that it needs."""
    return [
        (f"{wall(window.start)}-{wall(window.end)}", [agreement.version for agreement in window.agreements])
        for window in day.windows
    ]


def wall(instant: int) -> str:
    return f"{moment(instant).astimezone(ROME):%H:%M}"


# --- the days as the clocks count them --------------------------------------------------------------------------


def test_a_working_day_a_weekend_and_a_holiday_with_its_name() -> None:
    contract = contract_with(adopted())
    friday, saturday = on(contract, "2026-03-06"), on(contract, "2026-03-07")
    assert (clocks(friday), friday.closed, friday.working_us) == ([("08:00-18:00", [])], None, 10 * HOUR)
    assert (clocks(saturday), saturday.closed, saturday.holiday) == ([], Closed.WEEKEND, None)
    epiphany = on(contract, "2026-01-06")
    assert (clocks(epiphany), epiphany.closed, epiphany.holiday) == ([], Closed.HOLIDAY, "Epifania del Signore")


def test_data_centre_services_have_hours_of_their_own() -> None:
    assert clocks(on(contract_with(adopted()), "2026-03-06", DATA_CENTRE)) == [("08:00-21:00", [])]


def test_a_day_of_the_week_without_hours_is_no_weekend() -> None:
    contract = contract_with(adopted(standard=week(("09:00", "13:00"), days=("monday", "saturday"))))
    assert on(contract, "2026-03-04").closed is Closed.NO_HOURS
    assert clocks(on(contract, "2026-03-07")) == [("09:00-13:00", [])]


def test_hours_added_are_marked_with_the_agreement_that_added_them() -> None:
    contract = contract_with(
        adopted(),
        extended(("09:00", "13:00"), dates=["2026-03-07"]),
        extended(("17:00", "20:00"), dates=["2026-03-06"], hours="standard"),
    )
    saturday, friday = on(contract, "2026-03-07"), on(contract, "2026-03-06")
    assert (clocks(saturday), saturday.closed) == ([("09:00-13:00", [3])], None)
    assert (saturday.versions, friday.versions) == ((2, 3), (2, 4))
    # By union, never by sum: from 17:00 to 18:00 nobody needed an agreement.
    assert (clocks(friday), friday.working_us) == ([("08:00-18:00", []), ("18:00-20:00", [4])], 12 * HOUR)
    assert clocks(on(contract, "2026-03-06", DATA_CENTRE)) == [("08:00-21:00", [])]


def test_two_agreements_on_one_evening_are_both_named_and_one_on_usual_hours_adds_nothing() -> None:
    contract = contract_with(
        adopted(),
        extended(("18:00", "20:00"), dates=["2026-03-06"]),
        extended(("19:00", "22:00"), dates=["2026-03-06"]),
        extended(("10:00", "12:00"), dates=["2026-03-06"]),
    )
    assert clocks(on(contract, "2026-03-06")) == [("08:00-18:00", []), ("18:00-22:00", [3, 4])]
    assert on(contract, "2026-03-06").versions == (2, 3, 4)


def test_a_holiday_opened_by_agreement_is_open_and_keeps_its_name() -> None:
    holiday = on(contract_with(adopted(), extended(("08:00", "12:00"), dates=["2026-12-08"])), "2026-12-08")
    assert (clocks(holiday), holiday.closed, holiday.holiday) == ([("08:00-12:00", [3])], None, "Immacolata Concezione")


def test_an_agreement_made_once_the_day_has_begun_adds_nothing() -> None:
    late = extended(("09:00", "13:00"), dates=["2026-03-07", "2026-03-14"], at="2026-03-07 08:00")
    contract = contract_with(adopted(), late)
    assert clocks(on(contract, "2026-03-07")) == []
    assert clocks(on(contract, "2026-03-14")) == [("09:00-13:00", [3])]


def test_a_window_past_midnight_is_cut_there_and_its_agreement_named_on_both_days() -> None:
    contract = contract_with(adopted(), extended(("22:00", "02:00"), dates=["2026-03-06"]))
    assert clocks(on(contract, "2026-03-06")) == [("08:00-18:00", []), ("22:00-00:00", [3])]
    assert clocks(on(contract, "2026-03-07")) == [("00:00-02:00", [3])]


def test_each_day_tells_which_of_several_calendars_rules_it() -> None:
    shorter = adopted(at=local("2026-03-05 10:00"), standard=week(("09:00", "13:00")))
    contract = contract_with(adopted(), shorter)
    before, after = on(contract, "2026-03-05"), on(contract, "2026-03-06")
    assert [(day.calendar.version, clocks(day)) for day in (before, after)] == [
        (2, [("08:00-18:00", [])]),
        (3, [("09:00-13:00", [])]),
    ]
    assert not before.adopted_later
    assert on(contract_with(shorter), "2026-03-04").adopted_later


def test_a_day_that_no_calendar_covers_is_an_error_never_a_guess() -> None:
    with pytest.raises(OutsideCoverage, match="2027"):
        list(working_days(contract_with(adopted()), STANDARD, date(2026, 12, 30), date(2027, 1, 2)))


DAYS_OF_MARCH = st.dates(date(2026, 3, 1), date(2026, 4, 10))
OPENINGS = st.integers(0, 23).map(lambda hour: f"{hour:02}:00")
AGREEMENTS = st.lists(
    st.builds(
        lambda dates, windows: extended(*windows, dates=[day.isoformat() for day in sorted(dates)]),
        st.sets(DAYS_OF_MARCH, min_size=1, max_size=4),
        st.lists(st.tuples(OPENINGS, OPENINGS), min_size=1, max_size=2),
    ),
    max_size=3,
)


@given(agreements=AGREEMENTS, first=DAYS_OF_MARCH, length=st.integers(0, 30), hours=st.sampled_from(ServiceHours))
def test_the_days_printed_hold_exactly_the_time_that_the_clocks_count(
    agreements: list[CoverageExtended], first: date, length: int, hours: ServiceHours
) -> None:
    contract = contract_with(adopted(), *agreements)
    last = first + timedelta(days=length)
    days = list(working_days(contract, hours, first, last))
    calendar = contract.calendar(hours)
    assert calendar is not None
    assert [day.day for day in days] == [first + timedelta(days=number) for number in range(length + 1)]
    for day in days:
        assert day.working_us == calendar.elapsed(*local_day(ROME, day.day))
        assert (day.closed is None) is bool(day.windows)
    windows = [window for day in days for window in day.windows]
    assert all(before.end <= after.start for before, after in pairwise(windows))
    plain = contract_with(adopted()).calendar(hours)
    assert plain is not None
    for window in windows:
        usual = plain.elapsed(window.start, window.end)
        assert usual == (0 if window.agreements else window.end - window.start)


# --- printed ----------------------------------------------------------------------------------------------------


def recorded(*more: bytes) -> None:
    """A store in the current folder with a contract of 2026, its calendar, and what else is told."""
    calendar = calendar_message(FROM_COMMAND, CONTRACT, "2025-12-15T10:10:00Z", 2026, 2026, "MI")
    lines = [sign(in_force_until="2027-01-01T00:00:00+01:00"), json.dumps(calendar).encode(), *more]
    Path("messages.jsonl").write_bytes(b"\n".join(lines))


SATURDAY = message(
    "contract.extend_coverage",
    f"contract-{CONTRACT}",
    "2026-02-02T09:00:00Z",
    {"windows": [["09:00", "13:00"]], "dates": ["2026-03-07"]},
)


@pytest.fixture
def shown(run: Run) -> Run:
    """Shows the calendar of a contract with a Saturday agreed on."""
    recorded(SATURDAY)
    assert run("ingest", "messages.jsonl")[0] == 0

    def command(first: str, last: str, *options: str) -> tuple[int, str, str]:
        return run("calendar", CONTRACT, "--from", first, "--to", last, *options)

    return command


def test_the_table_shows_each_day_and_names_calendar_and_agreement(shown: Run) -> None:
    status, out, err = shown("2026-03-06", "2026-03-08")
    assert (status, err) == (0, "")
    assert "Working hours (H1): acme-2026" in out
    assert "09:00-13:00 (v3)" in out
    assert "weekend" in out
    assert "working time: 14:00" in out
    assert f"v2: calendar holidays IT MI {library_version()}, adopted 2025-12-15 11:10" in out
    assert "v3: hours added by agreement (H4), agreed 2026-02-02 10:00" in out


def test_json_says_how_it_was_made_and_gives_instants_and_evidence(shown: Run) -> None:
    document = json.loads(shown("2026-03-07", "2026-03-07", "--format", "json")[1])
    assert document["manifest"]["report"] == "calendar"
    assert (document["manifest"]["hours"], document["manifest"]["time_zone"]) == ("standard", "Europe/Rome")
    (row,) = document["rows"]
    assert row["windows"] == [
        {"window": "09:00-13:00", "from": "2026-03-07T08:00:00Z", "to": "2026-03-07T12:00:00Z", "agreements": [3]}
    ]
    assert (row["weekday"], row["closed"], row["calendar"]["source"]) == ("saturday", None, "holidays IT MI")
    assert row["evidence"] == {"stream": f"contract-{CONTRACT}", "versions": [2, 3]}


def test_csv_has_a_line_for_each_day_whatever_is_closed(shown: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(shown("2026-12-06", "2026-12-09", "--format", "csv")[1])))
    assert [(row["day"], row["windows"], row["closed"], row["holiday"]) for row in rows] == [
        ("2026-12-06", "", "weekend", ""),
        ("2026-12-07", "", "holiday", "Sant'Ambrogio"),
        ("2026-12-08", "", "holiday", "Immacolata Concezione"),
        ("2026-12-09", "08:00-18:00", "", ""),
    ]
    assert {row["agreed"] for row in rows} == {""}


def test_hours_are_those_of_the_wall_when_the_clocks_change(run: Run) -> None:
    nights = message(
        "contract.extend_coverage",
        f"contract-{CONTRACT}",
        "2026-02-02T09:00:00Z",
        {"windows": [["01:00", "04:00"], ["22:00", "24:00"]], "dates": ["2026-03-29", "2026-10-25"]},
    )
    recorded(nights)
    run("ingest", "messages.jsonl")
    worked = {}
    for day in ("2026-03-29", "2026-10-25"):
        out = run("calendar", CONTRACT, "--from", day, "--to", day, "--format", "json")[1]
        (row,) = json.loads(out)["rows"]
        assert [window["window"] for window in row["windows"]] == ["01:00-04:00", "22:00-24:00"]
        worked[day] = row["working_us"] // HOUR
    assert worked == {"2026-03-29": 4, "2026-10-25": 6}


def test_icalendar_has_an_event_for_each_window_that_another_program_reads(shown: Run) -> None:
    status, out, err = shown("2026-03-05", "2026-03-09", "--format", "ics", "--language", "it")
    assert (status, err) == (0, "")
    read = Calendar.from_ical(out)
    assert read.errors == []
    assert (read["version"], read["x-wr-timezone"]) == ("2.0", "Europe/Rome")
    events = read.events
    assert [f"{event.start:%m-%dT%H}-{event.end:%H}" for event in events] == [
        "03-05T07-17", "03-06T07-17", "03-07T08-12", "03-09T07-17"
    ]  # fmt: skip
    assert all(not event.errors and event["dtstamp"] and event["transp"] == "TRANSPARENT" for event in events)
    assert len({event["uid"] for event in events}) == len(events)
    assert "(H4)" in str(events[2]["summary"])
    assert "(H1)" in str(events[0]["summary"])
    assert "\n" in str(events[2]["description"])


def test_icalendar_lines_are_folded_and_the_same_facts_give_the_same_bytes(shown: Run) -> None:
    known_on = ("--known-on", instant_text(clock()))
    asked = ("2026-03-07", "2026-03-07", "--format", "ics", *known_on)
    first, again = shown(*asked)[1], shown(*asked)[1]
    assert first == again
    *lines, rest = first.encode().split(b"\r\n")
    assert rest == b""
    assert all(len(line) <= 75 and b"\n" not in line for line in lines)
    assert any(line.startswith(b" ") for line in lines), "no line here was long enough to be folded"


def test_what_was_agreed_later_is_not_known_before(run: Run) -> None:
    early, late = Clock("2025-12-20T12:00:00Z"), Clock("2026-02-03T12:00:00Z")
    recorded()
    told_first = Path("messages.jsonl").read_bytes().splitlines()
    ingest(Path("verbale.db"), told_first, early)
    ingest(Path("verbale.db"), [SATURDAY], late)
    asked = ("calendar", CONTRACT, "--from", "2026-03-07", "--to", "2026-03-07", "--format", "csv")
    assert "09:00-13:00" in run(*asked)[1]
    assert "09:00-13:00" not in run(*asked, "--known-on", "2026-01-31")[1]


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-03-09", "2026-03-06", "is before"),
        ("9 March", "2026-03-06", "2026-01-31"),
        ("2026-03-06", "2026-02-30", "2026-01-31"),
        ("0001-01-01", "2026-03-06", "1900 to 2200"),
        ("2026-12-31", "2027-01-01", "adopt one for 2027"),
    ],
)
def test_days_that_cannot_be_shown_are_named(shown: Run, first: str, last: str, said: str) -> None:
    status, out, err = shown(first, last)
    assert (status, out) == (2, "")
    assert said in err


def test_a_contract_that_nobody_signed_has_no_hours(shown: Run, run: Run) -> None:
    status, _, err = run("calendar", "nobody", "--from", "2026-03-06", "--to", "2026-03-06")
    assert status == 1
    assert "no contract nobody is signed" in err


# --- proposed and adopted ---------------------------------------------------------------------------------------


def test_what_is_proposed_has_italian_names_and_shows_what_the_place_adds(run: Run) -> None:
    status, out, err = run("calendar", "propose", "--years", "2026", "--subdivision", "MI", "--format", "csv")
    assert (status, err) == (0, "")
    rows = {row["day"]: row for row in csv.DictReader(io.StringIO(out))}
    assert (rows["2026-12-08"]["name"], rows["2026-12-08"]["weekday"]) == ("Immacolata Concezione", "tuesday")
    assert [row["name"] for row in rows.values() if row["added_by"] == "MI"] == ["Sant'Ambrogio"]
    assert {(row["source"], row["source_version"]) for row in rows.values()} == {("holidays IT MI", library_version())}
    assert not Path("verbale.db").exists()


def test_a_proposal_is_shown_as_a_table_in_italian_and_as_json(run: Run) -> None:
    asked = ("calendar", "propose", "--country", "IT", "--years", "2026-2027")
    out = run(*asked, "--language", "it")[1]
    assert "Non si è registrato nulla" in out
    assert "martedì" in out
    rows = json.loads(run(*asked, "--format", "json")[1])
    assert {row["day"][:4] for row in rows} == {"2026", "2027"}
    assert {row["added_by"] for row in rows} == {None}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--years", "2027-2026"), "2026-2030"),
        (("--years", "soon"), "2026-2030"),
        (("--years", "1066"), "are known for"),
        (("--years", "2026", "--subdivision", "Atlantis"), "Atlantis"),
        (("--years", "2026", "--country", "FR"), "IT"),
        ((), "--years"),
    ],
)
def test_what_the_library_does_not_know_is_said(run: Run, options: tuple[str, ...], said: str) -> None:
    status, out, err = run("calendar", "propose", *options)
    assert (status, out) == (2, "")
    assert said in err


def adoptions(run: Run) -> list[dict[str, Any]]:
    """The calendars on record, as told."""
    facts = json.loads(run("timeline", f"contract-{CONTRACT}", "--format", "json")[1])["rows"]
    return [fact["told"] for fact in facts if fact["type"] == CalendarAdopted.TYPE]


@pytest.mark.parametrize(
    ("years", "told"),
    [
        ("2099", "It rules the days from 2099-01-01 on."),
        ("2024", "All its days have begun: it rules those that no other calendar covers."),
    ],
)
def test_adopting_tells_which_days_the_calendar_rules(run: Run, years: str, told: str) -> None:
    Path("messages.jsonl").write_bytes(sign())
    run("ingest", "messages.jsonl")
    status, out, _ = run("calendar", "adopt", CONTRACT, "--years", years)
    assert status == 0
    assert told in out


def test_adopting_records_the_proposal_with_the_hours_that_the_contract_has(run: Run) -> None:
    own = adopt(standard=week(("08:30", "12:30"))).model_dump(mode="json", exclude={"at", "evidence"})
    own_hours = message("contract.adopt_calendar", f"contract-{CONTRACT}", "2025-12-15T10:10:00Z", own)
    Path("messages.jsonl").write_bytes(b"\n".join([sign(), own_hours]))
    run("ingest", "messages.jsonl")
    status, out, _ = run("calendar", "adopt", CONTRACT, "--years", "2027-2028", "--subdivision", "Roma")
    assert status == 0
    assert "1 done" in out
    assert "It rules the days from" in out
    first, second = adoptions(run)
    assert (second["source"], second["source_version"]) == ("holidays IT Roma", library_version())
    assert (second["first_year"], second["last_year"]) == (2027, 2028)
    assert second["standard"] == first["standard"]
    assert second["standard"]["monday"] == [["08:30", "12:30"]]
    assert {"day": "2027-06-29", "name": "Santi Pietro e Paolo"} in second["holidays"]


def test_the_first_calendar_adopted_has_the_contract_s_usual_hours(run: Run) -> None:
    Path("messages.jsonl").write_bytes(sign())
    run("ingest", "messages.jsonl")
    assert run("calendar", "adopt", CONTRACT, "--years", "2026")[0] == 0
    (calendar,) = adoptions(run)
    assert calendar["standard"]["friday"] == [["08:00", "18:00"]]
    assert calendar["data_centre"]["friday"] == [["08:00", "21:00"]]


def test_what_rules_already_is_not_adopted_again_and_what_differs_is(run: Run) -> None:
    recorded()
    run("ingest", "messages.jsonl")
    same = ("calendar", "adopt", CONTRACT, "--years", "2026", "--subdivision", "MI")
    status, out, _ = run(*same)
    assert (status, out) == (0, "These years are adopted so already: nothing was recorded.\n")
    assert len(adoptions(run)) == 1
    assert "1 done" in run("calendar", "adopt", CONTRACT, "--years", "2026")[1]
    assert "1 done" in run(*same)[1], "what ruled once and does no more can be adopted again"
    assert [calendar["source"] for calendar in adoptions(run)] == ["holidays IT MI", "holidays IT", "holidays IT MI"]


def test_nothing_is_adopted_for_a_contract_that_nobody_signed(run: Run) -> None:
    recorded()
    run("ingest", "messages.jsonl")
    status, _, err = run("calendar", "adopt", "nobody", "--years", "2026")
    assert status == 1
    assert "no contract nobody is signed" in err


# --- what doctor says of them -----------------------------------------------------------------------------------


def adopting(source: str = "holidays IT MI", source_version: str = "0.1", **changes: Any) -> bytes:
    """A calendar of 2026, as an old version of the library might have proposed it."""
    data = calendar_message(FROM_COMMAND, CONTRACT, "2025-12-15T10:10:00Z", 2026, 2026, "MI")["data"]
    said = {**data, "source": source, "source_version": source_version, **changes}
    return message("contract.adopt_calendar", f"contract-{CONTRACT}", "2025-12-15T10:10:00Z", said)


def said_of_calendars(now: str, *messages: bytes) -> list[str]:
    """What is wrong with calendars at an instant."""
    with memory(Clock(now)) as ledger:
        outcomes = CommandHandler(ledger, Clock(now)).handle(messages).outcomes
        assert all(isinstance(outcome, Done) for outcome in outcomes)
        found = [remark.wrong for remark in remarks(ledger, None, Clock(now).now)]
    return [wrong for wrong in found if "calendar" in wrong]


PLAIN = adopting(source_version=library_version())
UNTIL_JULY = {"in_force_until": "2027-07-01T00:00:00+02:00"}


@pytest.mark.parametrize(
    ("now", "warned"),
    [("2026-10-02T22:59:59Z", False), ("2026-10-02T23:00:00Z", True), ("2027-03-01T12:00:00Z", True)],
)
def test_the_end_of_a_calendar_is_told_of_ninety_days_before_while_the_contract_goes_on(now: str, warned: bool) -> None:
    said = said_of_calendars(now, sign(**UNTIL_JULY), PLAIN)
    assert bool(said) is warned
    if warned:
        assert CONTRACT in said[0]
        assert "no adopted calendar covers" in said[0]


@pytest.mark.parametrize("now", ["2026-12-30T12:00:00Z", "2027-03-01T12:00:00Z"])
def test_a_contract_that_ends_with_its_calendar_needs_no_other(now: str) -> None:
    assert said_of_calendars(now, sign(in_force_until="2027-01-01T00:00:00+01:00"), PLAIN) == []


def test_a_calendar_of_the_following_year_is_enough() -> None:
    following = calendar_message(FROM_COMMAND, CONTRACT, "2026-11-01T10:00:00Z", 2027, 2027, "MI")
    now = "2026-12-30T12:00:00Z"
    assert said_of_calendars(now, sign(**UNTIL_JULY), PLAIN, json.dumps(following).encode()) == []


@pytest.mark.parametrize(("now", "warned"), [("2026-11-30T22:59:59Z", False), ("2026-11-30T23:00:00Z", True)])
def test_so_is_that_a_contract_to_come_begins_without_a_calendar(now: str, warned: bool) -> None:
    begins = {"in_force_from": "2027-03-01T00:00:00+01:00", "in_force_until": "2028-03-01T00:00:00+01:00"}
    for calendar in ([PLAIN], []):
        said = said_of_calendars(now, sign(**begins), *calendar)
        assert [f"contract {CONTRACT} is in force on 2027-03-01" in wrong for wrong in said] == [True] * warned


def test_a_contract_in_force_without_any_calendar_is_told_of() -> None:
    assert "covers that day" in said_of_calendars("2026-03-02T12:00:00Z", sign())[0]


def otherwise(*taken_away: str, added: dict[str, str] | None = None, renamed: dict[str, str] | None = None) -> Any:
    """The holidays proposed for 2026, changed."""
    proposed = calendar_message(FROM_COMMAND, CONTRACT, "2025-12-15T10:10:00Z", 2026, 2026, "MI")["data"]["holidays"]
    kept = {holiday["day"]: holiday["name"] for holiday in proposed if holiday["day"] not in taken_away}
    told = {**kept, **(added or {}), **(renamed or {})}
    return [{"day": day, "name": name} for day, name in sorted(told.items())]


CHANGED = otherwise("2026-10-04", added={"2026-09-09": "Festa nuova"}, renamed={"2026-12-25": "Natività"})


def test_a_newer_library_that_disagrees_is_told_of_date_by_date() -> None:
    (said,) = said_of_calendars("2026-03-02T12:00:00Z", sign(**UNTIL_JULY), adopting(holidays=CHANGED))
    assert f"version 0.1 of the library had it; version {library_version()} says otherwise" in said
    assert "2026-10-04 is a holiday (Festa nazionale" in said
    assert "2026-09-09 is none (Festa nuova)" in said
    assert "2026-12-25 is called Natale, not Natività" in said


@pytest.mark.parametrize(
    ("now", "days"),
    [("2026-09-08T12:00:00Z", 3), ("2026-09-09T12:00:00Z", 2), ("2026-12-25T12:00:00Z", 0)],
)
def test_days_past_are_not_told_of_for_nothing_can_be_adopted_for_them(now: str, days: int) -> None:
    ends = {"in_force_until": "2027-01-01T00:00:00+01:00"}
    said = said_of_calendars(now, sign(**ends), adopting(holidays=CHANGED))
    assert sum(text.count("2026-") for text in said) - len(said) * CONTRACT.count("2026-") == days


def test_days_after_the_end_of_the_contract_are_not_told_of() -> None:
    ends = {"in_force_until": "2026-09-01T00:00:00+02:00"}
    assert said_of_calendars("2026-03-02T12:00:00Z", sign(**ends), adopting(holidays=CHANGED)) == []


@pytest.mark.parametrize(
    "calendar",
    [
        adopting(holidays=CHANGED, source_version=library_version()),
        adopting(holidays=CHANGED, source="agreed on 15 December"),
        adopting(holidays=CHANGED, source="holidays IT Atlantis"),
        adopting(),
    ],
    ids=["the same version", "another source", "a place unknown now", "nothing changed"],
)
def test_only_the_library_s_own_older_word_is_compared(calendar: bytes) -> None:
    assert said_of_calendars("2026-03-02T12:00:00Z", sign(**UNTIL_JULY), calendar) == []


def test_a_calendar_that_another_replaced_is_not_compared() -> None:
    replaced = calendar_message(FROM_COMMAND, CONTRACT, "2026-02-01T10:00:00Z", 2026, 2026, "MI")
    told_all = (sign(**UNTIL_JULY), adopting(holidays=CHANGED), json.dumps(replaced).encode())
    assert said_of_calendars("2026-03-02T12:00:00Z", *told_all) == []


def test_a_changed_library_is_compared_day_by_day() -> None:
    fact = dict(adopted(source="holidays IT MI", source_version="0.1", holidays=()))
    chosen = CalendarChosen.model_validate({name: fact[name] for name in CalendarChosen.model_fields})
    found = list(changes_since(chosen))
    assert {one.adopted for one in found} == {None}
    assert Holiday(day=date(2026, 12, 7), name="Sant'Ambrogio") in [
        Holiday(day=one.day, name=one.proposed) for one in found if one.proposed
    ]


def named(contract: str) -> list[bytes]:
    """A contract of another name, signed as the usual one is, with no calendar."""
    signed = json.loads(sign(customers=[f"of {contract}"]))
    return [json.dumps({**signed, "id": f"sign {contract}", "subject": f"contract-{contract}"}).encode()]


def test_what_is_wrong_with_many_contracts_is_one_remark_whose_commands_can_be_pasted() -> None:
    now = Clock("2026-03-02T12:00:00Z")
    with memory(now) as ledger:
        CommandHandler(ledger, now).handle([*named("alfa"), *named("Rossi & C. 2026"), *named("bravo")])
        (found,) = [remark for remark in remarks(ledger, None, now.now) if "calendar" in remark.wrong]
    assert found.wrong.startswith("contracts Rossi & C. 2026, alfa, bravo are in force on 2026-03-02, and no adopted")
    assert found.do.endswith(
        "then run: verbale calendar adopt 'Rossi & C. 2026' --years 2026; verbale calendar adopt alfa --years 2026; "
        "verbale calendar adopt bravo --years 2026"
    )
