"""What Conduzione and Manutenzione commit to, and what was done of it: hours, reviews, visits (O1, M1)."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.history import ACME, Journal, activated, claimed, rectified, signed, terminated, when

from domain.contract_facts import ContractRenewed, OptionActivated, OptionEnded
from domain.facts import Fact
from domain.periods import Frequency, Period
from domain.terms import MaintenanceActivity, MaintenanceOption, OperationOption, Service
from domain.work_facts import MaintenanceVisitPerformed, OperationHoursWorked, ServiceReviewHeld
from projections.commitments import CommitmentRow, commitments
from projections.dues import Commitment, next_period_edge

DAY = 24 * 3600 * 1_000_000
HOURS, REVIEWS, VISITS = Commitment


def conduzione(
    minutes: int = 600, per: Frequency = Frequency.MONTH, *, reviews: Frequency | None = None
) -> OperationOption:
    """Ten hours a month for campaigns and nurturing, unless given."""
    return OperationOption(
        service=Service.OPERATION,
        monitoring=("uptime", "analytics"),
        committed_minutes=minutes,
        per=per,
        activities=("campaigns", "nurturing"),
        review_every=reviews,
    )


def manutenzione(visits: int = 1, *, infrastructure: bool = False) -> MaintenanceOption:
    """Updates every month, backups tried every quarter, unless given."""
    updates = MaintenanceActivity(name="updates", visits=visits, per=Frequency.MONTH)
    backups = MaintenanceActivity(name="backups", per=Frequency.QUARTER)
    return MaintenanceOption(service=Service.MAINTENANCE, activities=(updates, backups), infrastructure=infrastructure)


def active(option: OperationOption | MaintenanceOption, since: str = "2026-01-01") -> OptionActivated:
    return OptionActivated(at=when("2025-12-15 10:00"), option=option, effective=when(since))


def ended(service: Service, at: str) -> OptionEnded:
    return OptionEnded(at=when(at), service=service, effective=when(at))


def worked(at: str, minutes: int, activity: str = "campaigns", *, work: str = "") -> OperationHoursWorked:
    return OperationHoursWorked(at=when(at), work=work or at, activity=activity, minutes=minutes, by="consultant-1")


def reviewed(at: str, *indicators: str) -> ServiceReviewHeld:
    return ServiceReviewHeld(at=when(at), indicators=indicators or ("leads",), participants=("acme", "provider"))


def visited(at: str, activity: str = "updates", *, infrastructure: bool = False) -> MaintenanceVisitPerformed:
    return MaintenanceVisitPerformed(at=when(at), activity=activity, by="technician-1", infrastructure=infrastructure)


def under(*options: OperationOption | MaintenanceOption) -> Journal:
    """A contract for 2026, with these options active from its beginning."""
    return Journal().contract(signed(), *map(active, options))


def rows(journal: Journal, as_of: str, of: Commitment, activity: str | None = None) -> list[CommitmentRow]:
    found = [row for row in commitments(journal.replay(as_of)) if row.commitment is of]
    return [row for row in found if activity in (None, row.activity)]


def row(journal: Journal, as_of: str, of: Commitment, month: int = 1, activity: str | None = None) -> CommitmentRow:
    """The row of the period that begins with a month of 2026."""
    starts = when(f"2026-{month:02}-01")
    (found,) = [row for row in rows(journal, as_of, of, activity) if row.period and row.period.start == starts]
    return found


def beside(journal: Journal, as_of: str, of: Commitment, activity: str | None = None) -> CommitmentRow:
    """The row of what was done outside every period."""
    (found,) = [row for row in rows(journal, as_of, of, activity) if row.period is None]
    return found


def codes(row: CommitmentRow) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(finding.code, finding.clause, finding.versions) for finding in row.findings]


def late_days(row: CommitmentRow) -> list[int | None]:
    return [None if performance.late_us is None else performance.late_us // DAY for performance in row.performances]


# --- Conduzione: hours ------------------------------------------------------------------------------------------


def test_hours_worked_are_measured_against_those_committed_in_each_month() -> None:
    journal = under(conduzione(600)).contract(worked("2026-01-08 10:00", 240), worked("2026-01-20 10:00", 120))
    now = row(journal, "2026-01-25", HOURS)
    assert (now.due, now.done, now.open, now.missed, now.exceeded) == (600, 360, 240, 0, 0)
    assert (now.status, now.changes_at) == ("open", when("2026-02-01"))
    then = row(journal, "2026-02-01", HOURS)
    assert (then.due, then.done, then.open, then.missed, then.exceeded) == (600, 360, 0, 240, 0)
    assert (then.status, then.changes_at) == ("closed", None)


def test_more_hours_than_committed_exceed_and_are_not_carried_over() -> None:
    journal = under(conduzione(600)).contract(worked("2026-01-08 10:00", 500), worked("2026-02-08 10:00", 700))
    january, february = rows(journal, "2026-02-28", HOURS)
    assert (january.missed, january.exceeded) == (100, 0)
    assert (february.open, february.exceeded) == (0, 100)


def test_a_period_is_half_open_at_midnight_in_rome() -> None:
    journal = under(conduzione()).contract(worked("2026-01-31 23:59:59.999999", 60), worked("2026-02-01 00:00", 30))
    january, february = rows(journal, "2026-02-02", HOURS)
    assert (january.done, february.done) == (60, 30)


def test_hours_may_be_committed_by_the_quarter_or_the_year() -> None:
    journal = under(conduzione(3000, Frequency.QUARTER)).contract(worked("2026-03-31 10:00", 60))
    (only,) = rows(journal, "2026-03-31 12:00", HOURS)
    assert (only.done, only.period and only.period.end) == (60, when("2026-04-01"))
    yearly = under(conduzione(9000, Frequency.YEAR))
    (only,) = rows(yearly, "2026-12-31", HOURS)
    assert (only.open, only.period and only.period.end, only.period and only.period.whole) == (
        9000,
        when("2027-01-01"),
        True,
    )


def test_hours_on_an_activity_that_is_not_listed_are_outside_the_commitment() -> None:
    journal = under(conduzione(600)).contract(worked("2026-01-08 10:00", 60), worked("2026-01-09 10:00", 90, "design"))
    january = row(journal, "2026-01-25", HOURS)
    assert (january.done, january.outside, january.open) == (60, 90, 540)
    assert codes(january) == [("activity_not_included", "O1", (4,))]
    assert january.findings[0].text == "design is not among the activities that the option includes"


def test_the_basic_monitoring_is_told_beside_the_hours() -> None:
    assert row(under(conduzione()), "2026-01-25", HOURS).monitoring == ("uptime", "analytics")


def test_hours_worked_while_conduzione_is_not_active_are_outside_with_a_finding() -> None:
    journal = Journal().contract(signed(), activated(), worked("2026-01-08 10:00", 60))
    (only,) = commitments(journal.replay("2026-01-25"))
    assert (only.period, only.due, only.done, only.outside) == (None, 0, 0, 60)
    assert codes(only) == [("option_not_active", "O1", (3,))]
    assert only.findings[0].text == "done while Conduzione was not active"


def test_another_option_commits_from_its_own_day() -> None:
    journal = under(conduzione(600)).contract(active(conduzione(1200), since="2026-01-16"))
    first, second = rows(journal, "2026-01-25", HOURS)
    assert (first.due, first.whole, first.period) == (
        290,
        600,
        Period(when("2026-01-01"), when("2026-01-16"), whole=False),
    )
    assert (second.due, second.period) == (1200, Period(when("2026-01-16"), when("2026-02-16"), whole=True))


# --- Conduzione: reviews ----------------------------------------------------------------------------------------


def test_a_review_that_was_held_says_when_and_with_which_indicators() -> None:
    journal = under(conduzione(reviews=Frequency.QUARTER)).contract(reviewed("2026-03-20 10:00", "leads", "opens"))
    first = row(journal, "2026-03-25", REVIEWS)
    assert (first.due, first.done, first.open, first.missed) == (1, 1, 0, 0)
    assert [(performance.at, performance.about) for performance in first.performances] == [
        (when("2026-03-20 10:00"), ("leads", "opens"))
    ]


def test_a_review_that_was_not_held_is_missed_once_its_period_has_ended() -> None:
    journal = under(conduzione(reviews=Frequency.QUARTER))
    before, after = (row(journal, as_of, REVIEWS) for as_of in ("2026-03-31 23:59:59.999999", "2026-04-01"))
    assert (before.open, before.missed) == (1, 0)
    assert (after.open, after.missed) == (0, 1)


def test_a_review_is_none_due_where_no_frequency_was_agreed() -> None:
    journal = under(conduzione()).contract(reviewed("2026-03-20 10:00"))
    held = beside(journal, "2026-03-25", REVIEWS)
    assert (held.due, held.outside, codes(held)) == (0, 1, [("reviews_not_agreed", "O1", (3,))])


# --- Manutenzione -----------------------------------------------------------------------------------------------


def test_each_activity_has_its_own_frequency() -> None:
    journal = under(manutenzione()).contract(visited("2026-01-15 10:00"), visited("2026-02-10 10:00", "backups"))
    updates = rows(journal, "2026-03-01", VISITS, "updates")
    assert [(r.done, r.missed, r.open) for r in updates] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    (backups,) = rows(journal, "2026-03-01", VISITS, "backups")
    assert (backups.done, backups.open) == (1, 0)


def test_a_period_may_be_due_several_visits() -> None:
    journal = under(manutenzione(visits=2)).contract(visited("2026-01-15 10:00"))
    assert (row(journal, "2026-01-20", VISITS, 1, "updates").open) == 1
    assert (row(journal, "2026-02-01", VISITS, 1, "updates").missed) == 1


def test_a_visit_counts_for_the_month_of_its_own_date_even_after_one_was_missed() -> None:
    """January is missed. The only visit of February is February's: else every month after it would be late for ever."""
    journal = under(manutenzione()).contract(visited("2026-02-03 10:00"))
    january, february = rows(journal, "2026-02-28", VISITS, "updates")
    assert (january.done, january.missed) == (0, 1)
    assert (february.done, february.late) == (1, 0)


def test_one_visit_more_than_its_month_is_due_makes_good_the_oldest_missed() -> None:
    journal = under(manutenzione()).contract(visited("2026-03-03 09:00"), visited("2026-03-04 00:00"))
    january, february, march = rows(journal, "2026-03-28", VISITS, "updates")
    assert (january.done, january.late, january.missed, late_days(january)) == (1, 1, 0, [31])
    assert (february.done, february.missed) == (0, 1)
    assert (march.done, march.late, late_days(march)) == (1, 0, [None])


def test_one_visit_more_where_none_was_missed_exceeds() -> None:
    journal = under(manutenzione()).contract(visited("2026-01-10 09:00"), visited("2026-01-20 09:00"))
    january, february = rows(journal, "2026-02-01", VISITS, "updates")
    assert (january.done, january.exceeded, january.missed) == (2, 1, 0)
    assert (february.done, february.open) == (0, 1)


def test_a_visit_after_the_option_has_ended_may_still_make_good_a_missed_one() -> None:
    journal = under(manutenzione()).contract(ended(Service.MAINTENANCE, "2026-02-01"), visited("2026-02-06 00:00"))
    (january,) = rows(journal, "2026-03-01", VISITS, "updates")
    assert (january.done, january.missed, late_days(january), codes(january)) == (1, 0, [5], [])


def test_a_visit_on_an_activity_that_is_not_listed_shows_as_such() -> None:
    journal = under(manutenzione()).contract(visited("2026-01-15 10:00", "penetration test"))
    other = beside(journal, "2026-01-20", VISITS)
    assert (other.activity, other.due, other.done, other.outside) == ("penetration test", 0, 0, 1)
    assert codes(other) == [("activity_not_included", "M1", (3,))]


@pytest.mark.parametrize(("included", "shown"), [(True, []), (False, [("infrastructure_not_included", "M1", (3,))])])
def test_work_on_infrastructure_shows_unless_the_contract_includes_it(
    included: bool, shown: list[tuple[str, str, tuple[int, ...]]]
) -> None:
    journal = under(manutenzione(infrastructure=included)).contract(visited("2026-01-15 10:00", infrastructure=True))
    january = row(journal, "2026-01-20", VISITS, 1, "updates")
    assert (january.done, codes(january)) == (1, shown)


@pytest.mark.parametrize(("included", "shown"), [(True, []), (False, ["infrastructure_not_included"])])
def test_so_does_work_on_infrastructure_that_makes_good_what_an_option_that_ended_was_due(
    included: bool, shown: list[str]
) -> None:
    journal = under(manutenzione(infrastructure=included)).contract(
        ended(Service.MAINTENANCE, "2026-02-01"), visited("2026-02-03 10:00", infrastructure=True)
    )
    january = row(journal, "2026-03-01", VISITS, 1, "updates")
    assert (january.done, january.late) == (1, 1)
    assert [finding.code for finding in january.findings] == shown


def test_a_visit_while_manutenzione_is_not_active_shows_as_such() -> None:
    journal = under(conduzione()).contract(visited("2026-01-15 10:00"))
    assert codes(beside(journal, "2026-01-20", VISITS)) == [("option_not_active", "M1", (3,))]


# --- periods, time and evidence ---------------------------------------------------------------------------------


def test_a_contract_that_ends_early_owes_the_hours_of_the_days_it_lasted_and_no_visit_or_review() -> None:
    # January has 31 days, of which 15 are left: 600 * 15 / 31 = 290.3 minutes.
    journal = under(conduzione(600, reviews=Frequency.MONTH), manutenzione())
    journal.contract(terminated("2026-01-10", "2026-01-16"))
    for found in commitments(journal.replay("2026-01-16")):
        assert found.period == Period(when("2026-01-01"), when("2026-01-16"), whole=False)
        assert (found.cut_short, found.missed, found.status) == (True, found.due, "closed")
        assert (found.due, found.whole) == ((290, 600) if found.commitment is HOURS else (0, found.whole))
        assert found.whole >= 1


def test_a_day_begun_counts_and_half_a_minute_is_one() -> None:
    # Until noon of the 16th: 16 of 31 days, 600 * 16 / 31 = 309.7; then 15 of 30 days, 7.5.
    journal = under(conduzione(600)).contract(ended(Service.OPERATION, "2026-01-16 12:00"))
    assert row(journal, "2026-01-20", HOURS).due == 310
    april = under(conduzione(15)).contract(ended(Service.OPERATION, "2026-04-16 00:00"))
    assert row(april, "2026-04-20", HOURS, 4).due == 8
    assert row(april, "2026-04-20", HOURS, 3).due == 15


def test_an_option_that_ends_within_the_last_day_of_a_period_owes_all_its_hours_and_no_visit() -> None:
    journal = under(conduzione(600), manutenzione())
    journal.contract(ended(Service.OPERATION, "2026-01-31 12:00"), ended(Service.MAINTENANCE, "2026-01-31 12:00"))
    hours, visits = row(journal, "2026-02-01", HOURS), row(journal, "2026-02-01", VISITS, 1, "updates")
    assert (hours.cut_short, hours.due, visits.cut_short, visits.due, visits.whole) == (True, 600, True, 0, 1)


def test_an_option_that_another_follows_within_a_period_owes_its_days_and_the_other_begins_afresh() -> None:
    # 300 a month until the 11th: 10 of 31 days, 96.8 minutes; then 900 in the month from the 11th.
    journal = under(conduzione(300)).contract(active(conduzione(900), since="2026-01-11"))
    first, second = rows(journal, "2026-01-20", HOURS)
    assert (first.due, first.whole, first.cut_short) == (97, 300, True)
    assert (second.due, second.whole, second.cut_short) == (900, 900, False)
    assert second.period == Period(when("2026-01-11"), when("2026-02-11"), whole=True)


def test_a_visit_in_a_period_cut_short_makes_good_one_missed_else_it_exceeds() -> None:
    journal = under(manutenzione()).contract(ended(Service.MAINTENANCE, "2026-02-16"))
    journal.contract(visited("2026-02-10 10:00"), visited("2026-02-11 10:00"))
    january, february = rows(journal, "2026-03-01", VISITS, "updates")
    assert (january.done, january.missed, january.late) == (1, 0, 1)
    assert (february.due, february.done, february.exceeded, february.missed) == (0, 1, 1, 0)


def test_a_renewal_makes_the_periods_go_on() -> None:
    renewed = ContractRenewed(at=when("2026-12-01 10:00"), until=when("2028-01-01"))
    journal = under(conduzione()).contract(renewed)
    assert len(rows(journal, "2027-02-15", HOURS)) == 14


def test_a_period_that_has_not_begun_has_no_row_and_time_alone_brings_it() -> None:
    journal = Journal().contract(signed(), active(conduzione(), since="2026-03-01"))
    contract = journal.replay("2026-02-01").contract(ACME).contract
    assert commitments(journal.replay("2026-02-01")) == []
    assert next_period_edge(contract, when("2026-02-01")) == when("2026-03-01")
    assert next_period_edge(contract, when("2026-03-01")) == when("2026-04-01")
    assert next_period_edge(contract, when("2027-01-01")) is None


def test_what_is_told_late_counts_by_its_date_once_known() -> None:
    journal = under(manutenzione()).contract(claimed("2026-02-02 10:00", "1.00"))
    journal.contract(visited("2026-01-30 10:00"), recorded="2026-02-03 10:00")
    assert row(journal.known_on("2026-02-02 12:00"), "2026-02-02 12:00", VISITS, 1, "updates").missed == 1
    january = row(journal, "2026-02-02 12:00", VISITS, 1, "updates")
    assert (january.done, january.late, january.missed) == (1, 0, 0)


def test_a_rectified_entry_counts_as_rectified_and_both_versions_prove_it() -> None:
    journal = under(conduzione(600)).contract(worked("2026-01-08 10:00", 60), rectified(3, "minutes", 90))
    january = row(journal, "2026-01-25", HOURS)
    assert (january.done, january.versions) == (90, (1, 2, 3, 4))


def test_a_row_rests_on_the_contract_the_options_of_its_service_and_what_was_done() -> None:
    journal = under(conduzione(), manutenzione()).contract(
        visited("2026-01-15 10:00"), worked("2026-01-08 10:00", 60), visited("2026-02-15 10:00")
    )
    assert row(journal, "2026-02-20", VISITS, 1, "updates").versions == (1, 3, 4)
    assert row(journal, "2026-02-20", HOURS).versions == (1, 2, 5)


def test_nothing_is_committed_by_a_contract_that_is_not_signed() -> None:
    journal = Journal().contract(active(conduzione()), signed("2026-02-01 10:00"), worked("2026-01-08 10:00", 60))
    assert commitments(journal.replay("2026-01-25")) == []


instants = st.integers(0, 364 * 24 - 1).map(
    lambda hour: f"2026-{1 + hour // (24 * 31):02}-{1 + hour // 24 % 28:02} {hour % 24:02}:00"
)
deeds = st.one_of(
    st.builds(worked, instants, st.integers(1, 900), st.sampled_from(["campaigns", "nurturing", "design"])),
    st.builds(reviewed, instants),
    st.builds(visited, instants, st.sampled_from(["updates", "backups", "design"]), infrastructure=st.booleans()),
)
options = st.one_of(
    st.builds(conduzione, st.integers(1, 900), st.sampled_from(Frequency), reviews=st.sampled_from([None, *Frequency])),
    st.builds(manutenzione, st.integers(1, 3), infrastructure=st.booleans()),
)


@given(
    st.lists(st.builds(active, options, instants), max_size=4),
    st.lists(st.builds(ended, st.sampled_from([Service.OPERATION, Service.MAINTENANCE]), instants), max_size=2),
    st.lists(deeds, max_size=15),
    instants,
)
def test_what_is_due_is_done_missed_or_open_and_nothing_done_is_lost(
    activations: Sequence[Fact], endings: Sequence[Fact], work: Sequence[Fact], as_of: str
) -> None:
    journal = Journal().contract(signed(), *activations, *endings, *work)
    found = commitments(journal.replay(as_of))
    for each in found:
        assert each.due + each.exceeded == each.done + each.missed + each.open
        assert each.open == 0 or each.missed == 0
        assert 0 <= each.due <= each.whole
        assert each.cut_short or each.due == each.whole
        assert (each.period is None) <= (each.due == each.done == 0 < each.outside)
        assert each.period is None or all(performance.at >= each.period.start for performance in each.performances)
        assert each.period is None or all(
            (performance.late_us is None) == each.period.holds(performance.at) for performance in each.performances
        )
    counting = [fact for fact in work if fact.at <= when(as_of)]
    minutes = sum(fact.minutes for fact in counting if isinstance(fact, OperationHoursWorked))
    assert sum(each.done + each.outside for each in found if each.commitment is HOURS) == minutes
    times = sum(not isinstance(fact, OperationHoursWorked) for fact in counting)
    assert sum(each.done + each.outside for each in found if each.commitment is not HOURS) == times


@given(st.lists(st.builds(active, options, instants), max_size=3), st.lists(deeds, max_size=8), instants, instants)
def test_until_the_next_edge_time_alone_changes_nothing(
    activations: Sequence[Fact], work: Sequence[Fact], one: str, other: str
) -> None:
    journal = Journal().contract(signed(), *activations, *work)
    replay = journal.replay(one)
    edges = (next_period_edge(replay.contract(ACME).contract, replay.as_of), replay.contract(ACME).next_at)
    changes_at = min((edge for edge in edges if edge is not None), default=None)
    assert all(each.changes_at is None or each.changes_at >= (changes_at or 0) for each in commitments(replay))
    if when(one) <= when(other) and (changes_at is None or when(other) < changes_at):
        assert commitments(journal.replay(other)) == commitments(replay)
