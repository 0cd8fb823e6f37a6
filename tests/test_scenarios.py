"""Whole disputes that a lawyer reads: every figure in tests/scenarios/*.md is what Verbale computes from the journal.

The figures were worked out by hand, from the contract. The journal goes through the front door, as messages.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from support.disputes import Dispute, Row, disputes, instant, measured, names, read_dispute, recorded

from adapters.store.ledger import Ledger
from domain.coverage import CoverageDecision
from domain.interval import Interval
from domain.values import MINUTE
from projections.breach import BreachRow, WindowStatus, breach
from projections.clocks import Judged, Verdict
from projections.commitments import commitments
from projections.compliance import ComplianceRow, compliance
from projections.credit_balance import credit_balance
from projections.history import History
from projections.penalty import PenaltyRow, penalty
from projections.readings import LITERAL, Reading
from projections.replay import Replay
from projections.tally import cases

FOLDER = Path(__file__).parent / "scenarios"


class Court:
    """One dispute on record, and what Verbale computes of it under any reading."""

    def __init__(self, dispute: Dispute, ledger: Ledger) -> None:
        self.dispute, self.ledger = dispute, ledger
        self.replay = cache(self._replay)
        self.requests = cache(self._requests)
        self.ratios = cache(self._ratios)

    def _replay(self, reading: Reading, as_of: int, known_on: int) -> Replay:
        return Replay(History.of(self.ledger.entries(known_on)), reading, as_of)

    def _requests(self, replay: Replay) -> dict[str, ComplianceRow]:
        return {row.incident: row for row in compliance(replay)}

    def _ratios(self, replay: Replay) -> list[BreachRow]:
        return breach(replay, list(self.requests(replay).values()))

    def ratio(self, window: str, replay: Replay) -> BreachRow:
        """The ratio of the window that a file writes from its first instant to its end."""
        start, end = map(instant, window.split(" to "))
        (found,) = [one for one in self.ratios(replay) if one.window == Interval(start, end)]
        return found

    def asked(self, row: Row) -> Replay:
        """The replay that a row of figures is about."""
        judged_on = self.dispute.judged_on
        as_of, known_on = (instant(row[name]) if row.get(name) else judged_on for name in ("as of", "known on"))
        return self.replay(Reading.parse(row.get("reading", "literal")), as_of, known_on)


@pytest.fixture(scope="module", params=disputes(FOLDER), ids=lambda path: path.stem)
def court(request: pytest.FixtureRequest) -> Iterator[Court]:
    """Each dispute, on record."""
    dispute = read_dispute(request.param)
    with recorded(dispute) as ledger:
        yield Court(dispute, ledger)


def test_every_request_counts_as_worked_out_by_hand(court: Court) -> None:
    for row in court.dispute.figures("requests"):
        replay = court.asked(row)
        for name in names(row["request"]):
            judged = court.requests(replay)[name]
            check_clock(judged.charge.judged, row["to the taking in charge"], name)
            check_clock(judged.intervention.judged, row["to the start of the work"], name)
            assert counted(judged, replay.reading) == row["counts as"], name
            if "judged as" in row:
                incident = replay.incident(name)
                assert incident is not None
                found = coverage(incident.opened.answer), coverage(judged.answer)
                assert found == (row["opened as"], row["judged as"]), name


def check_clock(judged: Judged, cell: str, name: str) -> None:
    if cell == "void":
        assert judged.verdict is Verdict.VOID, name
        return
    by_hand = measured(cell)
    net, target = (None if minutes is None else minutes * MINUTE for minutes in (by_hand.net, by_hand.target))
    assert (judged.net_us, judged.target_us) == (net, target), name
    assert (judged.exceeded or judged.verdict is Verdict.BREACHED) == by_hand.late, name
    assert (judged.verdict is Verdict.UNDECIDED) == (by_hand.net is None and not by_hand.late), name


def counted(row: ComplianceRow, reading: Reading) -> str:
    """What a request is in the ratio: met, late or no case."""
    found = cases(row, reading)
    if not found:
        return "no case"
    return "late" if any(case.breach_at is not None for case in found) else "met"


def coverage(answer: CoverageDecision) -> str:
    """The coverage of a request in words."""
    return "guaranteed" if answer.guaranteed else str(answer.reason).replace("_", " ")


def test_the_file_judges_every_request_of_its_journal(court: Court) -> None:
    literal = [row for row in court.dispute.figures("requests") if row["reading"] == "literal" and not row.get("as of")]
    by_hand = [name for row in literal for name in names(row["request"])]
    replay = court.replay(LITERAL, court.dispute.judged_on, court.dispute.judged_on)
    assert sorted(by_hand) == sorted(court.requests(replay))
    assert 10 <= len(by_hand) <= 25


def test_every_ratio_is_as_worked_out_by_hand(court: Court) -> None:
    for row in court.dispute.figures("ratios"):
        found = court.ratio(row["window"], court.asked(row))
        by_hand = row["late of all"], row["passed"], row["more that may be late"]
        headroom = "" if found.headroom is None else str(found.headroom)
        assert (found.ratio or "none", "yes" if found.passed else "no", headroom) == by_hand, row
        if row.get("passed for good"):
            assert found.passing is not None, row
            assert (found.passing.at, found.passing.incident) == (instant(row["passed for good"]), row["by"]), row
        assert (found.status is WindowStatus.OPEN) == (not found.window.ended_by(court.asked(row).as_of)), row


def test_every_maximum_penalty_is_as_worked_out_by_hand(court: Court) -> None:
    for row in court.dispute.figures("penalties"):
        replay = court.asked(row)
        (found,) = penalty(replay, court.ratios(replay))
        assert found.rate == Fraction(int(row["rate"].removesuffix("%")), 100), row
        outstanding = None if found.status is WindowStatus.OPEN else Decimal(row["outstanding"])
        assert found.outstanding == outstanding, row
        if row["passed for good"] == "never":
            assert (found.passing, row["window"], row["by"], row["base"]) == (None, "", "", ""), row
            assert (found.maximum_penalty, row["maximum penalty"]) == (None, "0.00"), row
            continue
        assert found.maximum_penalty == Decimal(row["maximum penalty"]), row
        assert found.passing is not None, row
        assert found.window is not None, row
        assert found.window.start == instant(row["window"]), row
        assert (found.passing.at, found.passing.incident) == (instant(row["passed for good"]), row["by"]), row
        assert found.base == Decimal(row["base"]), row


def test_credits_are_as_worked_out_by_hand(court: Court) -> None:
    for row in court.dispute.figures("balance"):
        (found,) = credit_balance(court.asked(row))
        minutes = (found.bought, found.consumed, found.expired, found.left, found.shortfall)
        assert minutes == tuple(int(row[name]) for name in ("bought", "used", "expired", "left", "short"))
        assert found.value == Decimal(row["paid"])
        if "given back" in row:
            assert (found.refunded, found.refunded_value) == (int(row["given back"]), Decimal(row["repaid"]))
    for row in court.dispute.figures("availability"):
        at = instant(row["when"])
        replay = court.replay(LITERAL, at, court.dispute.judged_on)
        account = replay.contract(court.dispute.contract["contract"]).account
        assert account.available(at) == int(row["available, in minutes"]), row


def test_commitments_are_as_worked_out_by_hand(court: Court) -> None:
    by_hand = court.dispute.figures("commitments")
    rows = commitments(court.replay(LITERAL, court.dispute.judged_on, court.dispute.judged_on)) if by_hand else []
    found = [(row.period.start, row.due, row.whole, row.done, row.missed) for row in rows if row.period]
    columns = ("hours due", "of a whole month", "worked", "missed")
    assert found == [(instant(row["month from"]), *(int(row[name]) for name in columns)) for row in by_hand]


def test_findings_are_as_worked_out_by_hand(court: Court) -> None:
    for row in court.dispute.figures("findings"):
        replay = court.asked(row)
        about: ComplianceRow | BreachRow | PenaltyRow
        if row["about"] == "penalty":
            (about,) = penalty(replay, court.ratios(replay))
        elif " to " in row["about"]:
            about = court.ratio(row["about"], replay)
        else:
            about = court.requests(replay)[row["about"]]
        codes = {finding.code for finding in about.findings}
        absent = row["finding"].startswith("no ")
        assert (row["finding"].removeprefix("no ") in codes) is not absent, (row, codes)


@pytest.mark.parametrize("cell", ["540 + 150 − 600 = 91 ≤ 120", "150 ≤ 120", "90 > 120", "many"])
def test_a_slip_of_the_pencil_is_seen(cell: str) -> None:
    with pytest.raises(ValueError, match=r"add up|sign|no clock"):
        measured(cell)


def test_a_wrong_day_of_the_week_is_seen() -> None:
    with pytest.raises(ValueError, match="is a Tue, not a Mon"):
        instant("2026-02-03 Mon 10:00")


def test_there_are_five_disputes_at_least() -> None:
    assert len(disputes(FOLDER)) >= 5
