"""Time-zone rules as evidence: what a calendar records of its zone, and that clocks go by it (H1)."""

import copy
import json
import pickle
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support.examples import adopt, adopted, rectify, sign, signed
from support.history import (
    Journal,
    intervention_started,
    opened,
    rectified,
    taken_in_charge,
    terms,
    under_contract,
    when,
)
from support.history import adopted as calendar_of
from support.history import signed as signature
from support.messages import charge, contract_in_force, opening
from support.offices import dump, office
from support.zones import zone_files

from adapters.live_tables.rebuild import build
from domain.calendar_rules import ServiceHours
from domain.catalogue import FACTS
from domain.contract import Contract, decide, fold
from domain.contract_facts import CalendarAdopted, ContractFact
from domain.facts import Rejected
from domain.local_time import local_midnight, window_instants
from domain.values import HOUR, MINUTE, microseconds, moment
from domain.working_time import WorkingCalendar
from domain.zone_rules import RecordedZone, RulesOfYears, Zone, ZoneRules, rules_of, rules_recorded, zone_by
from projections.clocks import Verdict
from projections.readings import LITERAL

ROME = ZoneInfo("Europe/Rome")
WITHOUT_SUMMER = {"Europe__Rome": "Africa/Lagos"}
"""Rome an hour ahead of UTC all the year."""
ZONES = (
    "Europe/Rome",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Havana",
    "America/Santiago",
    "America/St_Johns",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "UTC",
)


def years_of(rules: ZoneRules, first: int, last: int, at: int = 0) -> RulesOfYears:
    return RulesOfYears(at, first, last, rules)


@cache
def both(name: str, first: int, last: int) -> tuple[ZoneInfo, RecordedZone]:
    """A zone as the program's data has it, and as recorded from it for some years."""
    zone = ZoneInfo(name)
    recorded = zone_by(name, [years_of(rules_of(zone, first, last), first, last)])
    assert isinstance(recorded, RecordedZone)
    return zone, recorded


def made_up(zone: str, first_year: int, *offsets: tuple[str, int], last_year: int | None = None) -> ZoneRules:
    """Rules that nobody's data has: which hours ahead of UTC from which instant on."""
    until = microseconds(datetime((last_year or first_year) + 1, 1, 3, tzinfo=UTC))
    start = microseconds(datetime(first_year, 1, 1, tzinfo=UTC)) - 48 * HOUR
    changes = [(utc(text), hours * 3600) for text, hours in offsets[1:]]
    return ZoneRules(zone=zone, offsets=((start, offsets[0][1] * 3600), *changes), until=until)


def utc(text: str) -> int:
    return microseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))


# --- recorded rules are those of the zone -----------------------------------------------------------------------


@st.composite
def moments(draw: st.DrawFn) -> tuple[ZoneInfo, RecordedZone, int]:
    """A zone, as it is and as recorded for some years, and an instant of those: any, or one near a change."""
    first = draw(st.integers(1975, 2037))
    last = draw(st.integers(first, first + 5))
    zone, recorded = both(draw(st.sampled_from(ZONES)), first, last)
    start, end = local_midnight(zone, date(first, 1, 1)), local_midnight(zone, date(last + 1, 1, 1))
    changes = [at for at, _ in rules_of(zone, first, last).offsets if start <= at < end]
    found = [st.integers(start, end - 1)]
    if changes:
        beside = st.integers(-2 * HOUR, 2 * HOUR) | st.sampled_from([-HOUR, -1, 0, 1, HOUR])
        found.append(st.builds(int.__add__, st.sampled_from(changes), beside))
    return zone, recorded, draw(st.one_of(found))


@settings(max_examples=400)
@given(moments())
def test_recorded_clocks_show_what_the_zone_shows(given_moment: tuple[ZoneInfo, RecordedZone, int]) -> None:
    zone, recorded, at = given_moment
    shown, expected = moment(at).astimezone(recorded), moment(at).astimezone(zone)
    assert (shown.replace(tzinfo=None), shown.fold) == (expected.replace(tzinfo=None), expected.fold)
    assert shown.utcoffset() == expected.utcoffset()
    assert microseconds(shown) == at


@settings(max_examples=400)
@given(moments())
def test_what_clocks_show_is_the_same_instant_by_recorded_rules(
    given_moment: tuple[ZoneInfo, RecordedZone, int],
) -> None:
    """Also a time that clocks skip, and both showings of one that they repeat."""
    zone, recorded, at = given_moment
    wall = datetime(1970, 1, 1) + timedelta(microseconds=at)  # noqa: DTZ001 (what clocks show)
    for showing in (0, 1):
        expected = wall.replace(tzinfo=zone, fold=showing)
        assert microseconds(wall.replace(tzinfo=recorded, fold=showing)) == microseconds(expected)


@pytest.mark.parametrize("name", ZONES)
def test_local_days_and_windows_are_the_same_by_recorded_rules(name: str) -> None:
    zone, recorded = both(name, 2025, 2026)
    for number in range(730):
        day = date(2025, 1, 1) + timedelta(days=number)
        assert local_midnight(recorded, day) == local_midnight(zone, day)
        for window in ((0, 120), (90, 150), (1320, 30), (0, 0)):
            assert window_instants(recorded, day, *window) == window_instants(zone, day, *window)


@example("Europe/Rome", 1900, 1959)
@given(st.sampled_from(ZONES), st.integers(1901, 2140), st.integers(0, 59))
@settings(max_examples=30)
def test_what_is_recorded_is_read_again_as_the_same_value(name: str, first: int, more: int) -> None:
    rules = rules_of(ZoneInfo(name), first, first + more)
    text = rules.model_dump_json()
    assert ZoneRules.model_validate_json(text) == rules
    assert all(type(number) is int for pair in json.loads(text)["offsets"] for number in pair)


@pytest.mark.parametrize(
    "changes",
    [
        {"offsets": ()},
        {"offsets": ((1, 0), (1, 3600))},
        {"offsets": ((5, 0), (1, 3600))},
        {"offsets": ((1, 86_400),)},
        {"offsets": ((1, 0.5),)},
        {"until": 1},
        {"zone": ""},
    ],
    ids=str,
)
def test_rules_out_of_order_or_beyond_a_day_are_none(changes: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"zone": "Europe/Rome", "offsets": ((1, 3600),), "until": 5}
    assert ZoneRules.model_validate(fields)
    with pytest.raises(ValidationError):
        ZoneRules.model_validate({**fields, **changes})


# --- a value ----------------------------------------------------------------------------------------------------


def test_zones_with_the_same_rules_are_one_value_whenever_they_were_adopted() -> None:
    rules = rules_of(ROME, 2026, 2026)
    first, second = (zone_by("Europe/Rome", [years_of(rules, 2026, 2026, at)]) for at in (0, utc("2026-05-01")))
    assert first is second
    twice = zone_by("Europe/Rome", [years_of(rules, 2026, 2026, at) for at in (0, utc("2026-05-01"))])
    assert (twice, hash(twice)) == (first, hash(first))
    assert first != zone_by("Europe/Rome", [years_of(rules_of(ROME, 2025, 2026), 2025, 2026)])
    assert first not in (ROME, None)


def test_a_zone_is_copied_and_sent_to_other_processes() -> None:
    _, recorded = both("Europe/Rome", 2026, 2026)
    for same in (pickle.loads(pickle.dumps(recorded)), copy.deepcopy(recorded)):
        assert (same, hash(same), same.key) == (recorded, hash(recorded), "Europe/Rome")


def test_outside_what_is_recorded_the_programs_own_data_rules(tmp_path: Path) -> None:
    zone, recorded = both("Europe/Rome", 2026, 2026)
    for text in ("2020-07-01T12:00", "2027-10-31T00:30", "2027-10-31T01:30", "2031-01-01T12:00"):
        shown, expected = moment(utc(text)).astimezone(recorded), moment(utc(text)).astimezone(zone)
        assert (shown.replace(tzinfo=None), shown.fold) == (expected.replace(tzinfo=None), expected.fold)
        assert microseconds(shown) == utc(text)
    with zone_files(tmp_path, **WITHOUT_SUMMER):
        there = zone_by("Europe/Rome", [years_of(rules_of(zone, 2026, 2026), 2026, 2026)])
        hours = [moment(utc(f"{year}-07-01")).astimezone(there).hour for year in (2025, 2026, 2027)]
    assert hours == [1, 2, 1]


def test_it_says_for_which_time_rules_are_recorded() -> None:
    _, recorded = both("Europe/Rome", 2026, 2026)
    start, end = (local_midnight(ROME, date(year, 1, 1)) for year in (2026, 2027))
    assert rules_recorded(recorded, start, end)
    assert rules_recorded(recorded, start, start)
    assert not rules_recorded(recorded, start - 90 * 24 * HOUR, end)
    assert not rules_recorded(recorded, start, end + 90 * 24 * HOUR)
    assert not rules_recorded(recorded, end + 90 * 24 * HOUR, end + 90 * 24 * HOUR)
    assert not rules_recorded(ROME, start, end)


# --- several calendars ------------------------------------------------------------------------------------------

NO_SUMMER = made_up("Europe/Rome", 2026, ("", 1))
ALWAYS_SUMMER = made_up("Europe/Rome", 2026, ("", 2))


def hour_at(zone: Zone, text: str) -> int:
    """What clocks show at an instant of UTC."""
    return moment(utc(text)).astimezone(zone).hour


def test_a_day_goes_by_the_rules_of_the_last_calendar_adopted_before_it_began() -> None:
    adopted_on = utc("2026-06-10T10:00")
    zone = zone_by("Europe/Rome", [years_of(NO_SUMMER, 2026, 2026), years_of(ALWAYS_SUMMER, 2026, 2026, adopted_on)])
    assert [hour_at(zone, f"2026-06-{day}T12:00") for day in ("09", "10", "11")] == [13, 13, 14]


def test_a_day_before_every_adoption_goes_by_the_first_adopted_after() -> None:
    later = utc("2026-09-01")
    zone = zone_by(
        "Europe/Rome", [years_of(NO_SUMMER, 2026, 2026, later), years_of(ALWAYS_SUMMER, 2026, 2026, later + 1)]
    )
    assert hour_at(zone, "2026-03-01T12:00") == 13
    assert hour_at(zone, "2026-10-01T12:00") == 14


def test_each_year_goes_by_the_calendar_that_covers_it() -> None:
    next_year = made_up("Europe/Rome", 2027, ("", 3))
    zone = zone_by("Europe/Rome", [years_of(NO_SUMMER, 2026, 2026), years_of(next_year, 2027, 2027, 1)])
    assert [hour_at(zone, text) for text in ("2026-12-31T12:00", "2027-01-01T12:00")] == [13, 15]
    assert rules_recorded(zone, utc("2026-02-01"), utc("2027-12-01"))


def test_a_year_that_no_calendar_covers_is_not_recorded() -> None:
    zone = zone_by("Europe/Rome", [years_of(NO_SUMMER, 2026, 2026), years_of(rules_of(ROME, 2028, 2028), 2028, 2028)])
    assert hour_at(zone, "2027-07-01T12:00") == 14
    assert not rules_recorded(zone, utc("2026-07-01"), utc("2028-07-01"))
    assert rules_recorded(zone, utc("2028-02-01"), utc("2028-07-01"))


def test_the_rules_of_another_zone_are_none_of_this_one() -> None:
    assert zone_by("Africa/Lagos", [years_of(rules_of(ROME, 2026, 2026), 2026, 2026)]) is ZoneInfo("Africa/Lagos")
    assert zone_by("Europe/Rome", []) is ZoneInfo("Europe/Rome")


# --- what a contract records ------------------------------------------------------------------------------------


def test_adopting_a_calendar_records_the_rules_of_the_contracts_zone() -> None:
    tokyo = signed(terms=sign().terms.model_copy(update={"time_zone": "Asia/Tokyo"}))
    (fact,) = decide(fold("c", [tokyo]), adopt(first_year=2026, last_year=2027, holidays=()))
    assert isinstance(fact, CalendarAdopted)
    assert fact.zone_rules == rules_of(ZoneInfo("Asia/Tokyo"), 2026, 2027)
    assert fold("c", [tokyo, fact]).zone == both("Asia/Tokyo", 2026, 2027)[1]


def test_adopting_the_same_calendar_again_adds_nothing_whatever_the_zone_file_says_now(tmp_path: Path) -> None:
    contract = fold("c", [signed(), adopted()])
    with zone_files(tmp_path, **WITHOUT_SUMMER):
        assert decide(contract, adopt()) == ()


def test_recorded_rules_cannot_be_rectified() -> None:
    with pytest.raises(Rejected, match=r"zone_rules of contract\.calendar_adopted\.v2 cannot be rectified"):
        decide(fold("c", [signed(), adopted()]), rectify(2, "zone_rules", None))


def test_what_v1_recorded_goes_by_the_programs_data() -> None:
    golden = json.loads((Path(__file__).parent / "golden" / "contract.calendar_adopted.v1.json").read_text("utf-8"))
    old = FACTS.read(golden["type"], json.dumps(golden["state"]).encode())
    assert isinstance(old, CalendarAdopted)
    assert old.zone_rules is None
    assert fold("c", [signed(), old]).zone is ZoneInfo("Europe/Rome")


def test_where_the_signed_zone_is_rectified_to_another_the_programs_data_rules() -> None:
    contract = fold("c", [signed(), adopted()])
    other = {**contract.record[0].model_dump(mode="json")["terms"], "time_zone": "Africa/Lagos"}
    assert amended(contract, rectify(1, "terms", other)).zone is ZoneInfo("Africa/Lagos")


def test_where_the_years_are_rectified_beyond_those_recorded_the_programs_data_rules_there() -> None:
    contract = amended(fold("c", [signed(), adopted()]), rectify(2, "last_year", 2028))
    assert rules_recorded(contract.zone, utc("2026-02-01"), utc("2026-12-01"))
    assert not rules_recorded(contract.zone, utc("2026-02-01"), utc("2028-12-01"))


def amended(contract: Contract, command: Any) -> Contract:
    """The contract after one more command."""
    return fold(contract.id, (*contract.record, *decide(contract, command)))


# --- figures ----------------------------------------------------------------------------------------------------


def early_in_july(*calendars: CalendarAdopted) -> Journal:
    """Opened at 07:00 and taken in charge at 10:05: 125 minutes after hours began at 08:00, five too late.

    Without summer time hours would begin at what Rome calls 09:00, and 65 minutes would have passed.
    """
    july = ("2026-07-06 07:00", "2026-07-06 10:05")
    return under_contract(None, *calendars).incident(
        "INC1", opened(july[0]), taken_in_charge(july[1]), intervention_started(july[1])
    )


def not_recorded(calendar: CalendarAdopted) -> CalendarAdopted:
    """As v1 had it."""
    return calendar.model_copy(update={"zone_rules": None})


AFTER = "2026-08-01 00:00"


def figures(journal: Journal) -> tuple[Any, ...]:
    """All that is judged of a history."""
    explained = journal.explained(AFTER)
    return journal.rows(AFTER), journal.windows(AFTER), journal.penalty(AFTER), explained.clocks


def test_another_zone_file_moves_neither_a_verdict_nor_a_penalty(tmp_path: Path) -> None:
    journal = early_in_july()
    before = figures(journal)
    with zone_files(tmp_path, **WITHOUT_SUMMER):
        assert figures(journal) == before
        assert journal.row(AFTER).charge.judged.net_us == 125 * MINUTE
    assert journal.row(AFTER).charge.judged.verdict is Verdict.BREACHED
    assert (journal.penalty(AFTER).maximum_penalty or 0) > 0
    assert journal.row(AFTER).findings == ()


def test_where_no_rules_are_recorded_it_does_and_the_row_says_so(tmp_path: Path) -> None:
    journal = early_in_july(not_recorded(calendar_of()))
    assert [finding.code for finding in journal.row(AFTER).findings] == ["zone_rules_not_recorded"]
    assert journal.row(AFTER).findings[0].clause == "H1"
    assert journal.row(AFTER).charge.judged.verdict is Verdict.BREACHED
    with zone_files(tmp_path, **WITHOUT_SUMMER):
        assert journal.row(AFTER).charge.judged.verdict is Verdict.MET
        assert journal.row(AFTER).charge.judged.net_us == 65 * MINUTE
        assert not journal.penalty(AFTER).maximum_penalty


def test_once_a_calendar_with_rules_is_adopted_the_finding_goes() -> None:
    journal = early_in_july(not_recorded(calendar_of())).contract(calendar_of("2026-07-20 09:00"))
    assert [finding.code for finding in journal.row("2026-07-10 00:00").findings] == ["zone_rules_not_recorded"]
    assert journal.row(AFTER).findings == ()


def test_a_zone_rectified_afterwards_is_a_finding_on_what_ran_by_other_rules() -> None:
    journal = early_in_july()
    other = terms(time_zone="Africa/Lagos").model_dump(mode="json")
    journal.contract(rectified(1, "terms", other, at="2026-07-07 09:00"))
    assert "zone_rules_not_recorded" in [finding.code for finding in journal.row(AFTER).findings]


def test_a_calendar_in_another_zone_records_that_zone() -> None:
    lagos = signature(on=terms(time_zone="Africa/Lagos"))
    journal = under_contract(lagos, calendar_of(time_zone="Africa/Lagos")).incident(
        "INC1", opened("2026-07-06 07:00"), taken_in_charge("2026-07-06 10:05")
    )
    row = journal.row(AFTER)
    assert (row.findings, row.charge.judged.net_us) == ((), 65 * MINUTE)


def test_working_time_is_compiled_once_for_contracts_with_the_same_rules() -> None:
    one, other = (fold(name, facts_signed_on(day)) for name, day in (("one", 1), ("other", 2)))
    assert one.zone is other.zone
    tables = [WorkingCalendar(each.zone, each.adopted(ServiceHours.STANDARD)) for each in (one, other)]
    assert tables[0]._opens is tables[1]._opens


def facts_signed_on(day: int) -> list[ContractFact]:
    return [signed(at=when(f"2025-12-0{day} 09:00")), adopted(at=when(f"2025-12-0{day} 10:00"))]


@pytest.mark.slow
def test_processes_that_judge_beside_this_one_go_by_recorded_rules_too(tmp_path: Path) -> None:
    with office("sqlite", tmp_path) as here:
        here.tell(*contract_in_force(customers=["acme"]))
        for number in range(9):
            here.tell(opening(f"R{number}", time="2026-07-06T05:00:00Z"))
            here.tell(charge(f"R{number}", time="2026-07-06T08:05:00Z"))
        here.projector().rebuild()
        before = dump(here.reporting.live)
        assert "breached" in str(before["incidents"])
        with zone_files(tmp_path / "zones", **WITHOUT_SUMMER):
            at = here.at
            for processes in (1, 2):
                build(
                    here.ledger, here.reporting, (LITERAL,), 9, here.clock,
                    position=at.position, as_of=at.as_of, processes=processes,
                )  # fmt: skip
                assert dump(here.reporting.building)["incidents"] == before["incidents"]
