"""What a report asks of the live tables that hold its rows."""

from collections.abc import Iterator
from typing import Any, Protocol

from adapters.reports.live_table import Stored, Table
from adapters.reports.question import Question
from adapters.store.ledger import Ledger
from domain.working_time import WorkingCalendar
from projections.replay import Replay


class LiveTables(Protocol):
    """The live tables as of one moment, for one question."""

    @property
    def asked(self) -> Question:
        """What is asked."""

    @property
    def ledger(self) -> Ledger:
        """The log that they are made from."""

    @property
    def replay(self) -> Replay:
        """The facts of contracts alone, replayed: no incident is in it."""

    def recorded_under(self, contract: str) -> list[tuple[str, str | None]]:
        """The requests whose opening was recorded under a contract, each with the contract that it comes under now."""

    def replay_with_credits(self) -> Replay:
        """The facts of contracts and of their accounts, replayed."""

    def rows(self, table: Table[Any], order: str = "", **where: Any) -> Iterator[Stored]:
        """The rows of a table under the reading asked about, of the contract asked about; `where` narrows further."""

    def calendar(self, contract: str | None, data_centre: bool) -> WorkingCalendar | None:
        """The working calendar of a contract, for data-centre services or not; None where there is no contract."""
