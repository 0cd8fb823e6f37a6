"""The figures of one contract in a set of tables: windows, penalty, credits, connected systems, other services.

Either counted anew from the incidents in the tables, or moved by the difference that some incidents make: then only the
days on which a verdict fell, or no longer falls, are summed up again, however many incidents the contract has.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from adapters.live_tables.schema import DAYS
from adapters.live_tables.tables import Conditions, TableSet
from adapters.reports.breach import CASES, WINDOWS
from adapters.reports.breach import row_of as window_of
from adapters.reports.commitments import COMMITMENTS, NumberedRow
from adapters.reports.compliance import INCIDENTS
from adapters.reports.credits import CREDITS
from adapters.reports.penalty import PENALTIES
from adapters.reports.systems import CONNECTED_SYSTEMS
from domain.interval import Interval
from projections.breach import BreachRow, breach_row, tolerance_of
from projections.commitments import commitment_rows
from projections.connected_systems import systems_of
from projections.contracts_known import ContractsUnder
from projections.credit_balance import credit_row
from projections.credit_findings import requests_used_for
from projections.penalty import penalty_row
from projections.tally import NOTHING_COUNTED, WindowShare, WindowTally
from projections.tolerance import DAY, Case, Day, by_day, day_of, days_of, every_day, excess, passed_for_good

GAP = 7
"""Days without a verdict that one query reads too, because a query more would cost more than they do."""


COUNTED = tuple(f"counted_{name}" for name in WindowTally._fields)
"""The columns of `incidents` that say what each adds to the tally of its window."""


@dataclass
class Moved:
    """How the tally of one window moved: by what count, and on which days."""

    tally: WindowTally = NOTHING_COUNTED
    days: set[int] = field(default_factory=set)

    def by(self, tally: WindowTally, times: int) -> None:
        """Add (or, `times` -1, take away) what one incident counts for."""
        self.tally = self.tally.plus(tally, times)

    def on(self, case: Case) -> None:
        """A case is added or taken away: the days on which it makes a difference are summed up again."""
        self.days |= days_of(case)


@dataclass
class ContractTallies:
    """The figures of one contract under one reading."""

    ledger: str
    tables: TableSet
    under: ContractsUnder
    name: str

    def __post_init__(self) -> None:
        self.contract = self.under.replay.contract(self.name)
        self.reading = self.under.replay.reading.name

    def count_anew(self) -> None:
        """Count every window from the incidents in the tables."""
        self.tables.remove(DAYS, self._of_contract)
        self.tables.remove(WINDOWS, self._row_of_contract)
        self._write(self._anew(window) for window in self.under.windows(self.name))

    def move(self, moved: Mapping[int, Moved], *, whole: bool) -> None:
        """Move the counts of windows, by their beginning; `whole`: count the others too, time has changed them."""
        held = {row.window.start: row.tally for row in self._windows()}
        self._write(
            self._moved(window, held.get(window.start, NOTHING_COUNTED), moved.get(window.start, Moved()))
            for window in self.under.windows(self.name)
            if whole or window.start in moved
        )

    def write_penalty(self) -> None:
        """Write the penalty that follows from the windows."""
        if self.contract.contract.signed is None:
            self.tables.remove(PENALTIES, self._row_of_contract)
        else:
            row = penalty_row(self.contract, self._windows(), self.under.replay)
            self.tables.write(PENALTIES, [PENALTIES.values(self.ledger, self.reading, row)])

    def write_credits(self, *, has_account: bool) -> None:
        """Write what became of the credits."""
        if self.contract.contract.signed is None and not has_account:
            self.tables.remove(CREDITS, self._row_of_contract)
        else:
            row = credit_row(self.under.replay, self.name, self._opened())
            self.tables.write(CREDITS, [CREDITS.values(self.ledger, self.reading, row)])

    def _opened(self) -> dict[str, str | None]:
        """The requests that the account was used for, as far as the tables have them, each with its contract."""
        where = {"ledger": self.ledger, "reading": self.reading, "incident": sorted(requests_used_for(self.contract))}
        return dict(map(tuple, self.tables.pick(INCIDENTS, ("incident", "contract"), where)))

    def write_systems(self) -> None:
        """Write which connected systems it had disclosed, and when."""
        self.tables.remove(CONNECTED_SYSTEMS, self._row_of_contract)
        rows = [CONNECTED_SYSTEMS.values(self.ledger, self.reading, row) for row in systems_of(self.contract)]
        self.tables.write(CONNECTED_SYSTEMS, rows)

    def write_commitments(self) -> None:
        """Write what was due under its other services, and what was done."""
        self.tables.remove(COMMITMENTS, self._row_of_contract)
        rows = map(NumberedRow, count(1), commitment_rows(self.contract, self.under.replay.as_of))
        values = [COMMITMENTS.values(self.ledger, self.reading, row) for row in rows]
        self.tables.write(COMMITMENTS, values)

    @property
    def _of_contract(self) -> Conditions:
        return {"reading": self.reading, "contract": self.name}

    @property
    def _row_of_contract(self) -> Conditions:
        return {"ledger": self.ledger, **self._of_contract}

    def _of(self, window: Interval) -> Conditions:
        return {**self._of_contract, "window_from": window.start}

    def _windows(self) -> list[BreachRow]:
        return list(map(window_of, self.tables.rows(WINDOWS, self._row_of_contract, order="window_from")))

    def _write(self, rows: Iterable[BreachRow]) -> None:
        self.tables.write(WINDOWS, [WINDOWS.values(self.ledger, self.reading, row) for row in rows])

    def _anew(self, window: Interval) -> BreachRow:
        cases = self._cases(self._of(window))
        days = every_day(cases, tolerance_of(self.contract))
        self._write_days(window, days)
        tally = WindowTally(*self.tables.totals(INCIDENTS, COUNTED, self._of(window)))
        return self._row(window, tally, days)

    def _moved(self, window: Interval, was: WindowTally, moved: Moved) -> BreachRow:
        tally = was.plus(moved.tally)
        days = self._summed(window, moved.days)
        self._write_days(window, [day for day in days if day.cases + day.breaches])
        gone = [day.number for day in days if not day.cases + day.breaches]
        self.tables.remove(DAYS, {**self._of(window), "day": gone})
        return self._row(window, tally, None)

    def _summed(self, window: Interval, numbers: Iterable[int]) -> list[Day]:
        """The sums of some days, from the cases in the tables."""
        found: list[Day] = []
        for days in _runs(sorted(numbers)):
            of_day = by_day(self._cases_between(window, days[0], days[-1]))
            found += [day_of(number, of_day.get(number, ()), tolerance_of(self.contract)) for number in days]
        return found

    def _row(self, window: Interval, tally: WindowTally, days: Sequence[Day] | None) -> BreachRow:
        """The row of a window; `days` where they are at hand, else they are read if its tolerance is passed."""
        passing = None
        if excess(tally.breaches, tally.cases, tolerance_of(self.contract)) > 0:
            passing = passed_for_good(
                self._days(window) if days is None else days,
                lambda day: self._cases_between(window, day, day),
                tolerance_of(self.contract),
            )
        next_change = self.tables.earliest(INCIDENTS, "changes_at", self._of(window))
        last = self.tables.latest(INCIDENTS, "last_recorded_at", self._of(window)) if tally.recorded_after else None
        total = WindowShare((), tally, last)
        return breach_row(self.contract, window, total, passing, next_change, self.under.replay)

    def _days(self, window: Interval) -> list[Day]:
        columns = ("day", "cases", "breaches", "lowest")
        return list(map(Day._make, self.tables.pick(DAYS, columns, self._of(window), order="day")))

    def _write_days(self, window: Interval, days: Iterable[Day]) -> None:
        self.tables.write(DAYS, [(self.reading, self.name, window.start, *day) for day in days])

    def _cases_between(self, window: Interval, first: int, last: int) -> list[Case]:
        """The cases of a window that make a difference on some days, from the first to the last."""
        then = Interval(first * DAY, (last + 1) * DAY)
        decided, breached = (self._cases({**self._of(window), on: then}) for on in ("decided_at", "breach_at"))
        return decided + [case for case in breached if not first * DAY <= case.at < (last + 1) * DAY]

    def _cases(self, where: Conditions) -> list[Case]:
        return list(map(Case._make, self.tables.pick(CASES, ("incident", "decided_at", "breach_at"), where)))


def _runs(days: Sequence[int]) -> list[list[int]]:
    """Days in order, those near each other together."""
    found: list[list[int]] = []
    for day in days:
        if found and day - found[-1][-1] <= GAP:
            found[-1].append(day)
        else:
            found.append([day])
    return found
