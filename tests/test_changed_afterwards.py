"""What is told of a contract after a request came in, though effective before it (A6), and signatures told late."""

import pytest
from support.history import (
    CUSTOMER,
    SIGNING,
    SUPPLIER,
    Journal,
    activated,
    adopted,
    agreed,
    annulled,
    best_effort,
    bought,
    levels,
    opened,
    rectified,
    revised,
    signed,
    terminated,
    terms,
    under_contract,
    when,
)

from domain.contract_facts import OptionEnded
from domain.facts import Fact
from domain.terms import Service
from projections.clocks import Verdict

AGREED = "one_sided=agreed"
LONGER = levels(p2_charge=240)
"""Three hours, which is too late for priority 2 as signed (120 minutes), are in time."""


def codes(journal: Journal, reading: str = "literal", of: str = "INC1") -> list[str]:
    return [finding.code for finding in journal.row(reading=reading, of=of).findings]


def charge(journal: Journal, reading: str = "literal", of: str = "INC1") -> Verdict:
    return journal.row(reading=reading, of=of).charge.judged.verdict


def late_in_november() -> Journal:
    """The only request of the year: of Friday 6 November, three hours late where two were guaranteed."""
    return under_contract().late("INC1", "2026-11-06")


def told_late(fact: Fact) -> Journal:
    return late_in_november().contract(fact, recorded="2026-11-20 10:00")


def test_a_revision_of_october_told_in_november_is_shown_on_the_breach_that_it_wipes() -> None:
    journal = told_late(revised("2026-10-01 09:00", "2026-10-01 09:00", LONGER))
    assert charge(journal) is Verdict.MET
    assert journal.penalty().maximum_penalty is None
    (finding,) = [one for one in journal.row().findings if one.code == "changed_afterwards"]
    assert (finding.clause, finding.versions) == ("A6", (4,))
    assert "2026-11-20" in finding.text


def test_one_sided_it_does_not_judge_the_request_until_both_agreed() -> None:
    journal = told_late(revised("2026-10-01 09:00", "2026-10-01 09:00", LONGER))
    assert charge(journal, AGREED) is Verdict.BREACHED
    assert "changed_afterwards" in codes(journal, AGREED)
    assert str(journal.penalty(reading=AGREED).maximum_penalty) == "500.00"
    journal.contract(agreed(4, by=CUSTOMER, at="2026-12-01"))
    assert charge(journal, AGREED) is Verdict.MET
    assert "changed_afterwards" in codes(journal, AGREED)


def test_a_revision_that_both_agreed_to_judges_it_under_either_reading_and_is_shown_all_the_same() -> None:
    journal = told_late(revised("2026-10-01 09:00", "2026-10-01 09:00", LONGER, agreed_by=(CUSTOMER,)))
    assert charge(journal) is charge(journal, AGREED) is Verdict.MET
    assert "changed_afterwards" in codes(journal, AGREED)


def test_requests_before_its_effect_or_after_it_was_told_are_judged_as_always_and_show_nothing() -> None:
    journal = told_late(revised("2026-10-01 09:00", "2026-10-01 09:00", LONGER))
    journal.late("BEFORE", "2026-09-28").late("AFTER", "2026-11-23")
    for reading in ("literal", AGREED):
        assert charge(journal, reading, "BEFORE") is Verdict.BREACHED
        assert charge(journal, reading, "AFTER") is Verdict.MET
        assert "changed_afterwards" not in codes(journal, reading, "BEFORE") + codes(journal, reading, "AFTER")


def test_a_request_opened_at_the_very_effect_is_touched_and_one_opened_as_it_was_told_is_not() -> None:
    journal = under_contract().late("AT", "2026-10-01")
    journal.contract(revised("2026-10-01 09:00", "2026-10-01 09:00", LONGER), recorded="2026-11-20 09:00")
    journal.late("TOLD", "2026-11-20")
    assert "changed_afterwards" in codes(journal, of="AT")
    assert "changed_afterwards" not in codes(journal, of="TOLD")


def test_a_revision_whose_at_and_then_effective_are_rectified_shows_both_rectifications() -> None:
    """Told in December for December, then moved to October: a backdated revision by another door."""
    journal = late_in_november().contract(
        revised("2026-12-01 09:00", "2026-12-01 09:00", LONGER),
        rectified(4, "at", when("2026-10-01 09:00"), at="2026-12-02 09:00"),
        rectified(4, "effective", when("2026-10-01 09:00"), at="2026-12-02 09:00"),
    )
    assert charge(journal) is Verdict.MET
    assert journal.penalty().maximum_penalty is None
    touched = {
        version for one in journal.row().findings if one.code == "changed_afterwards" for version in one.versions
    }
    assert touched >= {5, 6}
    assert charge(journal, AGREED) is Verdict.BREACHED
    assert str(journal.penalty(reading=AGREED).maximum_penalty) == "500.00"


def test_rectified_terms_of_the_signature_show_on_the_request_and_do_not_count_one_sided() -> None:
    generous = terms().model_copy(update={"levels": LONGER}).model_dump(mode="json")
    journal = late_in_november().contract(rectified(1, "terms", generous, at="2026-11-20 09:00"))
    assert charge(journal) is Verdict.MET
    assert journal.penalty().maximum_penalty is None
    (finding,) = [one for one in journal.row().findings if one.code == "changed_afterwards"]
    assert finding.versions == (4,)
    assert charge(journal, AGREED) is Verdict.BREACHED
    assert str(journal.penalty(reading=AGREED).maximum_penalty) == "500.00"


def test_the_end_of_assistance_told_afterwards_leaves_the_request_guaranteed_one_sided() -> None:
    ended = OptionEnded(at=when("2026-10-01"), service=Service.ASSISTANCE, effective=when("2026-10-01"))
    journal = told_late(ended)
    assert (journal.row().answer.guaranteed, journal.row(reading=AGREED).answer.guaranteed) == (False, True)
    assert {"changed_afterwards", "coverage_differs"} <= set(codes(journal))
    assert "changed_afterwards" in codes(journal, AGREED)


def test_the_end_of_another_service_told_afterwards_touches_no_request() -> None:
    ended = OptionEnded(at=when("2026-10-01"), service=Service.MAINTENANCE, effective=when("2026-10-01"))
    assert "changed_afterwards" not in codes(told_late(ended))


def test_a_termination_told_afterwards_leaves_the_request_guaranteed_one_sided() -> None:
    journal = told_late(terminated("2026-10-01", "2026-10-01"))
    assert (journal.row().answer.guaranteed, journal.row(reading=AGREED).answer.guaranteed) == (False, True)
    assert (journal.windows()[0].cases, journal.windows(reading=AGREED)[0].ratio) == (0, "1/1")


def test_an_annulled_revision_is_a_change_too() -> None:
    # The longer time is told at once; its annulment, after the request, brings back the shorter one: late.
    journal = under_contract().contract(revised("2026-10-01 09:00", "2026-10-01 09:00", LONGER))
    journal.late("INC1", "2026-11-06").contract(annulled(4, at="2026-11-20 09:00"))
    assert charge(journal) is Verdict.BREACHED
    assert "changed_afterwards" in codes(journal)
    assert charge(journal, AGREED) is Verdict.MET


def test_what_was_known_before_it_was_told_shows_nothing() -> None:
    journal = told_late(revised("2026-10-01 09:00", "2026-10-01 09:00", LONGER))
    assert "changed_afterwards" not in [one.code for one in journal.known_on("2026-11-19").row("2026-11-19").findings]


# --- signed later -----------------------------------------------------------------------------------------------


def signed_on(day: str) -> Journal:
    """In force since January, but signed only on that day."""
    journal = Journal().contract(signed(day), activated(SIGNING), adopted(SIGNING), recorded=day)
    return journal.credits(bought(), recorded=day)


def test_nobody_is_guaranteed_before_the_signature() -> None:
    journal = signed_on("2026-02-15 10:00").late("INC1", "Mon")
    journal.incident("EARLY", opened("2026-02-02 09:00", answer=best_effort("no_contract", None)))
    row = journal.row(of="EARLY")
    assert (row.answer.guaranteed, row.answer.reason) == (False, "no_contract")
    (finding,) = [one for one in row.findings if one.code == "signed_later"]
    assert finding.clause == "G2"
    assert "signed_later" not in codes(journal)
    assert charge(journal) is Verdict.BREACHED


@pytest.mark.parametrize(("at", "guaranteed"), [("2026-02-16 08:59:59.999999", False), ("2026-02-16 09:00", True)])
def test_a_request_is_guaranteed_from_the_instant_of_the_signature(at: str, guaranteed: bool) -> None:
    journal = signed_on("2026-02-16 09:00").incident("INC1", opened(at))
    assert journal.row().answer.guaranteed is guaranteed


def test_who_is_not_in_force_yet_is_no_case_of_a_later_signature() -> None:
    journal = Journal().contract(signed("2026-02-16 09:00", since="2026-03-01"), activated(SIGNING), adopted(SIGNING))
    journal.incident("INC1", opened("2026-02-02 09:00", answer=best_effort("no_contract", None)))
    assert "signed_later" not in codes(journal)
    assert journal.row().answer.reason == "no_contract"


def test_by_the_supplier_told_means_not_agreed() -> None:
    journal = told_late(revised("2026-10-01 09:00", "2026-10-01 09:00", LONGER))
    (finding,) = [one for one in journal.row().findings if one.code == "changed_afterwards"]
    assert f"by the {SUPPLIER}, not agreed by the other party" in finding.text
