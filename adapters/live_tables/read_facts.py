"""Facts as a projection reads them: in order, every one of them, up to the first that cannot be read.

A projection never leaves a fact out: where one is missing or cannot be read, it stops, and says where.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, groupby

from adapters.live_tables.errors import Stopped
from adapters.store.errors import StoreError
from adapters.store.ledger import Ledger
from adapters.store.mapper import read_entry
from adapters.store.records import Row
from domain.catalogue import FACTS, Catalogue
from projections.contracts_known import Contracts
from projections.history import Entry
from projections.readings import Reading

PAGE = 5000
"""Facts that one step takes."""


def entries(rows: Iterable[Row], catalogue: Catalogue = FACTS) -> list[Entry]:
    """The facts of some rows. Raises Stopped, naming the first that cannot be read."""
    found = []
    for row in rows:
        try:
            found.append(read_entry(row, catalogue))
        except StoreError as error:
            raise Stopped(row.position, str(error).removeprefix(f"position {row.position}, ")) from None
    return found


def readable(ledger: Ledger, after: int, rows: Sequence[Row]) -> tuple[list[Entry], Stopped | None]:
    """The facts of some rows that follow a position, up to the first that is missing or cannot be read, and why."""
    stopped: Stopped | None = None
    for expected, row in enumerate(rows, after + 1):
        if row.position != expected:
            stopped, rows = missing_fact(expected), rows[: expected - after - 1]
            break
    try:
        return entries(rows, ledger.catalogue), stopped
    except Stopped as unreadable:
        before = [row for row in rows if row.position < unreadable.position]
        return entries(before, ledger.catalogue), unreadable


def missing_fact(position: int) -> Stopped:
    """Stopped, because there is no fact at a position, though there are later ones."""
    return Stopped(position, "the fact at this position is gone: it was taken away; restore the store from a copy")


def first_missing(ledger: Ledger, last: int) -> int:
    """The first position up to the last at which there is no fact."""
    after = 0
    while rows := ledger.page(after, PAGE):
        missing = next((n for n, row in enumerate(rows, after + 1) if row.position != n), None)
        if missing is not None:
            return missing
        after = rows[-1].position
    return min(after + 1, last)


def contract_rows(ledger: Ledger, position: int) -> list[Row]:
    """The facts of every contract and account, as stored, up to a position."""
    return [row for kind in ("contract-", "credits-") for row in ledger.store.rows_by_stream(kind, position)]


def contracts_of(
    rows: Iterable[Row], readings: Sequence[Reading], as_of: int, catalogue: Catalogue = FACTS
) -> Contracts:
    """The contracts and accounts that some rows, in any order, amount to as of an instant. Raises Stopped."""
    return Contracts.of(readings, sorted(entries(rows, catalogue)), as_of)


def whole_streams(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Rows, given by stream, in parts of so many streams."""
    part: list[list[Row]] = []
    for _, stream in groupby(rows, key=lambda row: row.stream):
        part.append(list(stream))
        if len(part) == size:
            yield list(chain.from_iterable(part))
            part = []
    if part:
        yield list(chain.from_iterable(part))


@contextmanager
def stopping_at(position: int) -> Iterator[None]:
    """Raises Stopped at a position for whatever else goes wrong over the facts up to it."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        because = f"it cannot be projected ({type(error).__name__}: {error}); please report it"
        raise Stopped(position, because) from error
