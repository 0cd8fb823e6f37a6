"""What the two stores have in common: which tables there are, in which format, and how SQL is run over them.

One SQL for both, with ? for parameters; the few words in which the two differ are class attributes. Each group of
tables has a module of its own, which writes and reads them: sql_events, sql_inbox, sql_sources, sql_outbox, sql_tokens
and sql_snapshots. `SqlRecorder` is all of them together.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from adapters.store.errors import OlderStore
from adapters.store.records import Identity

ONLY_ADDED_TO = "evidence is only ever added to"
EVIDENCE = ("stored_events", "seal", "inbox")
"""The tables in which no row is ever changed or deleted."""
FORMAT = 2
"""Of the tables; 1 had none of sources, sequences, outbox, tokens and snapshots."""

C = TypeVar("C")


class SqlStore(ABC, Generic[C]):
    """What a store says of itself, and how it runs SQL; `C` is what its transactions write with."""

    KEY: ClassVar[str]
    """The column of stored_events that holds the position."""
    AMONG: ClassVar[str]
    """Compares one column with a list of values."""
    IDENTITY_AMONG: ClassVar[str]
    """Compares source and message with a list of pairs."""
    ITS_SEAL: ClassVar[str]
    """Joins a fact, e, with its seal, s, where it has one."""

    ledger_id: str
    location: str
    """Where the store is, for people."""
    now: Callable[[], int]
    """Microseconds UTC."""
    made_new = False
    """Whether opening it made it."""
    format = FORMAT
    """Of its tables: an older one where it is only read."""

    @abstractmethod
    def _fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query. Raises StoreErrors."""

    @abstractmethod
    def _insert(self, c: C, table: str, columns: str, rows: Sequence[Sequence[Any]], otherwise: str = "") -> None:
        """Insert many rows; `otherwise` says what to do where a row is there already."""

    @abstractmethod
    def _each(self, c: C, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of some rows of parameters."""

    @abstractmethod
    def _change(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of some rows of parameters, in a transaction of its own. Raises StoreErrors."""

    @abstractmethod
    def _values(self, values: Sequence[str]) -> list[Any]:
        """The parameters of AMONG."""

    @abstractmethod
    def _pairs(self, identities: Sequence[Identity]) -> list[Any]:
        """The parameters of IDENTITY_AMONG."""

    def _fetch_newer(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query of tables that format 1 had not. Raises OlderStore where they are not there."""
        if self.format < FORMAT:
            raise OlderStore(
                f"{self.location} is as an older Verbale made it (format {self.format}), and says nothing of sources, "
                "tokens and outcomes to be published: have its owner run, once and without mode=ro: verbale status"
            )
        return self._fetch(query, parameters)
