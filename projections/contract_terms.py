"""The terms of a contract's life: the one that was signed, and one for each renewal (P2, `one_off`)."""

from bisect import bisect_right
from collections.abc import Sequence

from domain.contract import Contract
from domain.in_force import prolonging
from domain.interval import Interval, earliest


def contract_terms(contract: Contract) -> list[Interval]:
    """The terms in order; none where it is not signed. The last ends with the contract.

    A renewal that follows the end begins its term at its own instant; one that prolongs nothing makes none.
    """
    if contract.signed is None:
        return []
    start, end = contract.signed.in_force_from, contract.signed.in_force_until
    found: list[Interval] = []
    renewals = prolonging(contract.renewals, contract.terminations)
    for renewal in sorted(renewals, key=lambda renewal: renewal.at):
        if end is None:
            break
        if renewal.until > end:
            found.append(Interval(start, end))
            start, end = max(end, renewal.at), renewal.until
    return [Interval(one.start, earliest(one.end, contract.end)) for one in (*found, Interval(start, end))]


def term_of(terms: Sequence[Interval], instant: int) -> Interval:
    """The term that something which begins at this instant belongs to: the last begun by then, else the first."""
    return terms[max(0, bisect_right(terms, instant, key=lambda term: term.start) - 1)]
