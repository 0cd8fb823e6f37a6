"""Open requests in the order in which they are to be served (G3)."""

from typing import Any

import pytest
from support.history import (
    ACME,
    BY_SUPPLIER,
    Journal,
    activated,
    adopted,
    best_effort,
    closed,
    intervention_started,
    opened,
    reopened,
    resolved,
    signed,
    suspended,
    taken_in_charge,
    terminated,
    under_contract,
    when,
    withdrawn,
)

from domain.coverage import Requester
from domain.facts import Fact
from projections.queue import Tier

MONITORED: dict[str, Any] = {"requested_by": Requester.MONITORING, "answer": best_effort("not_requested")}
UNROUTED: dict[str, Any] = {"contract": None, "answer": best_effort("no_contract", None)}


def order(journal: Journal, as_of: str = "Mon 12:00") -> list[str]:
    return [row.incident for row in journal.queue(as_of)]


def test_guaranteed_requests_come_before_best_effort_under_contract_before_the_rest() -> None:
    journal = under_contract()
    journal.incident("REST", opened("Mon 09:00", 1, **UNROUTED))
    journal.incident("UNDER", opened("Mon 10:00", 1, **MONITORED))
    journal.incident("GUARANTEED", opened("Mon 11:00", 5))
    assert [(row.incident, row.tier) for row in journal.queue("Mon 12:00")] == [
        ("GUARANTEED", Tier.GUARANTEED),
        ("UNDER", Tier.UNDER_CONTRACT),
        ("REST", Tier.REST),
    ]


def test_best_effort_under_a_contract_that_has_ended_is_among_the_rest() -> None:
    journal = under_contract().contract(terminated("Mon 08:00", "Tue 00:00"))
    journal.incident("INC1", opened("Mon 09:00", **MONITORED))
    assert journal.queue("Mon 23:59")[0].tier is Tier.UNDER_CONTRACT
    assert journal.queue("Tue 00:00")[0].tier is Tier.REST


def test_a_request_is_under_a_contract_that_came_into_force_after_its_opening() -> None:
    """It is the contract in force as of the report that puts it before the rest, not that of its opening (G3)."""
    journal = under_contract(signed(since="Tue")).incident(
        "INC1", opened("Mon 09:00", answer=best_effort("contract_not_in_force"))
    )
    assert journal.queue("Mon 23:59")[0].tier is Tier.REST
    assert journal.queue("Tue 00:00")[0].tier is Tier.UNDER_CONTRACT


def test_a_guaranteed_request_of_a_contract_that_has_ended_since_is_among_the_rest() -> None:
    journal = under_contract().contract(terminated("Mon 08:00", "Tue 00:00")).incident("INC1", opened("Mon 09:00"))
    assert journal.queue("Mon 23:59")[0].tier is Tier.GUARANTEED
    assert journal.queue("Tue 00:00")[0].tier is Tier.REST


def test_a_request_that_names_an_unsigned_contract_is_among_the_rest() -> None:
    journal = Journal().incident("INC1", opened("Mon 09:00", answer=best_effort("no_contract", None)))
    (row,) = journal.queue()
    assert (row.contract, row.tier, row.due) == (ACME, Tier.REST, None)


def test_a_customer_under_contract_without_credits_comes_before_one_without_contract() -> None:
    journal = Journal().contract(signed(), activated(), adopted())
    journal.incident("NOBODY", opened("Mon 09:00", 1, **UNROUTED))
    journal.incident("NO-CREDITS", opened("Mon 10:00", 5, answer=best_effort("no_credits")))
    assert order(journal) == ["NO-CREDITS", "NOBODY"]


def test_within_a_tier_the_earliest_due_of_the_running_clocks_comes_first() -> None:
    journal = under_contract()
    journal.incident("CHARGE-AT-13", opened("Mon 11:00", 2))
    journal.incident("CHARGE-AT-12:30", opened("Mon 11:30", 1))
    journal.incident("INTERVENTION-AT-12:45", opened("Mon 08:45", 1), taken_in_charge("Mon 09:00"))
    rows = journal.queue("Mon 11:45")
    assert [row.incident for row in rows] == ["CHARGE-AT-12:30", "INTERVENTION-AT-12:45", "CHARGE-AT-13"]
    assert [row.due for row in rows] == [when("Mon 12:30"), when("Mon 12:45"), when("Mon 13:00")]


def test_a_clock_that_is_late_already_runs_on_and_comes_first() -> None:
    journal = under_contract().incident("LATE", opened("Mon 09:00", 2)).incident("IN-TIME", opened("Mon 11:30", 1))
    assert [(row.incident, row.due) for row in journal.queue("Mon 12:00")] == [
        ("LATE", when("Mon 11:00")),
        ("IN-TIME", when("Mon 12:30")),
    ]
    journal.incident("LATE", taken_in_charge("Mon 12:15"))
    assert [(row.incident, row.due) for row in journal.queue("Mon 12:20")] == [
        ("IN-TIME", when("Mon 12:30")),
        ("LATE", when("Mon 17:00")),
    ]


def test_without_a_due_instant_a_request_comes_last_in_its_tier() -> None:
    journal = under_contract()
    journal.incident("SUSPENDED", opened("Mon 09:00", 1), suspended("Mon 09:10"))
    journal.incident("RUNNING", opened("Mon 11:00", 5))
    journal.incident("BEST-EFFORT", opened("Mon 08:00", 1, **MONITORED))
    assert order(journal) == ["RUNNING", "SUSPENDED", "BEST-EFFORT"]


def test_a_suspension_by_the_supplier_leaves_the_due_instant() -> None:
    journal = under_contract().incident("INC1", opened("Mon 11:00"), suspended("Mon 11:30", BY_SUPPLIER))
    assert journal.queue("Mon 12:00")[0].due == when("Mon 13:00")


def test_alike_in_due_the_higher_priority_comes_first_then_the_older_then_the_id() -> None:
    journal = Journal().contract(signed(), activated(), adopted())
    for name, at, priority in (
        ("INC4", "Mon 10:00", 3),
        ("INC3", "Mon 09:00", 3),
        ("INC2", "Mon 09:00", 3),
        ("INC1", "Mon 09:30", 3),
        ("INC5", "Mon 11:00", 1),
    ):
        journal.incident(name, opened(at, priority, answer=best_effort("no_credits")))
    assert order(journal) == ["INC5", "INC2", "INC3", "INC1", "INC4"]


def test_a_request_without_priority_comes_after_those_with_one() -> None:
    """Priority follows from the matrix of a contract; both are among the rest, and one still has such a contract."""
    journal = under_contract().contract(terminated("Mon 10:00", "Mon 11:00"))
    journal.incident("WITHOUT", opened("Mon 08:00", **UNROUTED))
    journal.incident("WITH", opened("Mon 09:00", 5, **MONITORED))
    assert order(journal) == ["WITH", "WITHOUT"]


@pytest.mark.parametrize("ending", [resolved("Mon 10:00"), closed("Mon 10:00"), withdrawn("Mon 10:00")])
def test_what_is_resolved_or_closed_is_not_in_the_queue(ending: Fact) -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"), ending)
    assert (order(journal, "Mon 09:59"), order(journal, "Mon 10:00")) == (["INC1"], [])


def test_what_is_reopened_is_in_the_queue_again_though_no_clock_runs() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"), resolved("Mon 10:00"), reopened("Mon 11:00"))
    (row,) = journal.queue()
    assert (row.incident, row.due) == ("INC1", None)


def test_a_reopening_that_arrives_before_the_resolution_it_follows_still_follows_it() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"), reopened("Mon 11:00"), resolved("Mon 10:00"))
    assert order(journal) == ["INC1"]


def test_an_intervention_begun_leaves_the_request_in_the_queue() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"), intervention_started("Mon 10:00"))
    assert order(journal) == ["INC1"]


def test_a_row_keeps_the_versions_that_prove_it() -> None:
    journal = under_contract().incident("INC1", opened("Mon 09:00"), taken_in_charge("Mon 10:00"))
    (row,) = journal.queue()
    assert (row.versions, row.contract, row.priority, row.opened_at) == ((1, 2), ACME, 2, when("Mon 09:00"))
