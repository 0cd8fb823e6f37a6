"""The contract read once more, minute by minute, by a program that shares nothing with the one it judges.

`judge` takes facts as they were told, a reading and two instants, and gives every figure as plain values. It imports
the standard library alone. Where Verbale compiles calendars and keeps sums, this counts minutes; where they differ, one
of them reads the contract wrongly. Read it in this order, with the clauses beside it:

    record      what is on record: annulled, rectified, agreed, told by one party alone (section 3, R5, R7)
    calendars   which minutes are working time (H1 to H4)
    contracts   when a contract is in force, its levels and windows; where a request leads (G1, G2, A6, S1)
    credits     prepaid minutes: bought, taken from which package, expired, given back (G2)
    clocks      the two clocks of a request, and what ends them (A2 to A5)
    ratios      cases and breaches of each window, and when the tolerance was passed for good (P1)
    money       the maximum penalty (P2)
    commitments hours, visits and reviews that were due (O1, M1)

Instants are microseconds UTC; working time is in minutes unless a name ends with `_us`.
"""

from support.oracle.judging import judge
from support.oracle.record import Fact, fact

__all__ = ["Fact", "fact", "judge"]
