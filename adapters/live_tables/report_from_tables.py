"""Reports read from the live tables, where these answer the question; a replay answers every other one.

They do when they hold every fact asked about and no other, under that reading, and when time alone has changed no row
since they were judged. What running clocks have counted since is measured when asked, by the calendar.
"""

from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from typing import Any

from adapters.live_tables.checkpoint import Checkpoint, checkpoint, made_from
from adapters.live_tables.reporting import Reporting
from adapters.live_tables.tables import TableSet
from adapters.reports.compliance import INCIDENTS
from adapters.reports.credits import CREDITS
from adapters.reports.live_table import Stored, Table
from adapters.reports.question import Question, no_such_contract
from adapters.reports.report import LIVE_TABLES, Report, ReportName, check, definition, manifest, picked
from adapters.store.ledger import Ledger
from domain.calendar_rules import ServiceHours
from domain.working_time import WorkingCalendar
from projections import RULES_VERSION
from projections.history import History
from projections.replay import Replay


def from_live(name: ReportName, ledger: Ledger, reporting: Reporting, asked: Question) -> Report[Any] | None:
    """The report as the live tables have it, or None where they do not answer the question.

    Raises BadQuestion, NotOnRecord, StoreError.
    """
    declared = definition(name)
    check(declared, asked)
    if not reporting.exists() or not reporting.fits:
        return None
    with reporting.snapshot():
        at = checkpoint(reporting.live)
        if at is None or not _answers(ledger, at, asked):
            return None
        live = _Answering(ledger, reporting.live, at.position, asked)
        live.check_contract()
        assert declared.from_live is not None
        made = manifest(name, ledger, live.replay, asked, LIVE_TABLES)
        return Report(declared, made, picked(declared, declared.from_live(live), live.replay, asked))


def _answers(ledger: Ledger, at: Checkpoint, asked: Question) -> bool:
    if at.rules != RULES_VERSION or asked.reading.name not in at.readings or not made_from(ledger, at):
        return False
    if at.position != ledger.store.position(asked.known_on) or at.as_of > asked.as_of:
        return False
    return at.next_change is None or at.next_change > asked.as_of


class _Answering:
    """One question put to the live tables, as a report asks it."""

    def __init__(self, ledger: Ledger, tables: TableSet, position: int, asked: Question) -> None:
        self.asked = asked
        self.ledger, self._tables, self._position = ledger, tables, position

    @cached_property
    def replay(self) -> Replay:
        """The facts of contracts alone, replayed."""
        return self._replayed("contract-")

    def recorded_under(self, contract: str) -> list[tuple[str, str | None]]:
        """The requests whose opening was recorded under a contract, each with the contract that it comes under now."""
        where = {"reading": self.asked.reading.name, "recorded_under": contract}
        return [(one, now) for one, now in self._tables.pick(INCIDENTS, ("incident", "contract"), where)]

    def replay_with_credits(self) -> Replay:
        """The facts of contracts and of their accounts, replayed."""
        return self._replayed("contract-", "credits-")

    def _replayed(self, *kinds: str) -> Replay:
        rows = chain.from_iterable(self.ledger.store.rows_by_stream(kind, self._position) for kind in kinds)
        history = History.of(map(self.ledger.entry, rows), self._position)
        return Replay(history, self.asked.reading, self.asked.as_of)

    @property
    def _where(self) -> dict[str, Any]:
        contract = {} if self.asked.contract is None else {"contract": self.asked.contract}
        return {"reading": self.asked.reading.name, **contract}

    def rows(self, table: Table[Any], order: str = "", **where: Any) -> Iterator[Stored]:
        """The rows of a table under the reading asked about, of the contract asked about."""
        return self._tables.rows(table, {**self._where, **where}, order)

    def calendar(self, contract: str | None, data_centre: bool) -> WorkingCalendar | None:
        """The working calendar of a contract, for data-centre services or not."""
        hours = ServiceHours.DATA_CENTRE if data_centre else ServiceHours.STANDARD
        return self.replay.contract(contract).calendar(hours) if contract is not None else None

    def check_contract(self) -> None:
        """Raise NotOnRecord where nothing on record names the contract asked about."""
        name = self.asked.contract
        if name is None or name in self.replay.history.contracts:
            return
        if not any(self._tables.values(table, "contract", self._where) for table in (CREDITS, INCIDENTS)):
            raise no_such_contract(name)
