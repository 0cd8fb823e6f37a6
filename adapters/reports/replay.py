"""The facts replayed for one question: where the rows of a report come from unless live tables hold them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from adapters.reports.question import Question, no_such_contract
from adapters.store.ledger import Ledger
from projections.compliance import ComplianceRow, compliance
from projections.history import Entry, History
from projections.replay import Replay

Advance = Callable[[int], None]
"""Takes the number of steps that are done."""
T = TypeVar("T")


class OfContract(Protocol):
    """A row of a contract, or of none."""

    @property
    def contract(self) -> str | None:
        """The contract."""


C = TypeVar("C", bound=OfContract)


@dataclass(frozen=True)
class Replayed:
    """The recorded facts, replayed under the reading and as of the instant of a question."""

    replay: Replay
    asked: Question
    ledger: Ledger
    advance: Advance = lambda _: None

    def judged(self) -> list[ComplianceRow]:
        """Every incident judged, whatever contract is asked about: a ratio needs all of its window."""
        return compliance(self.replay, watched(self.replay.incidents(), self.advance))


def replayed(ledger: Ledger, asked: Question, advance: Advance = lambda _: None) -> Replayed:
    """Replay the facts known on the date asked about; `advance` takes how many facts, then incidents, are done.

    Raises NotOnRecord, StoreError.
    """
    history = History.of(watched(ledger.entries(asked.known_on), advance))
    replay = Replay(history, asked.reading, asked.as_of)
    _check_contract(replay, asked)
    return Replayed(replay, asked, ledger, lambda done: advance(history.position + done))


def replay_of(entries: Iterable[Entry], ledger: Ledger, asked: Question) -> Replay:
    """Some facts alone, all of them known on the date asked about, replayed as the question asks."""
    return Replay(History.of(entries, ledger.store.position(asked.known_on)), asked.reading, asked.as_of)


def replay_of_streams(streams: Sequence[str], ledger: Ledger, asked: Question) -> Replay:
    """Some streams alone, replayed as the question asks. Raises StoreError."""
    entries = (ledger.entry(row) for row in ledger.store.stream_rows(streams))
    return replay_of((entry for entry in entries if entry.recorded_at <= asked.known_on), ledger, asked)


def steps(ledger: Ledger, asked: Question) -> int:
    """How many steps a report takes: facts to read, then incidents to judge."""
    return ledger.store.position(asked.known_on) + len(ledger.store.stream_names("incident-"))


def watched(items: Iterable[T], advance: Advance) -> Iterator[T]:
    """The items, while `advance` takes how many have been."""
    for done, item in enumerate(items):
        if done % 200 == 0:
            advance(done)
        yield item


def of_contract(rows: Iterable[C], asked: Question) -> list[C]:
    """The rows of the contract asked about; all where none is."""
    return [row for row in rows if asked.contract in (None, row.contract)]


def _check_contract(replay: Replay, asked: Question) -> None:
    name, history = asked.contract, replay.history
    if name is None or name in history.contracts or name in history.accounts:
        return
    if not any(incident.contract_name == name for incident in replay.incidents()):
        raise no_such_contract(name)
