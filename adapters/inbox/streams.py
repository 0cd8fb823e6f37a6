"""The states of streams, folded from their facts and remembered from batch to batch."""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.store.ledger import Ledger
from domain import contract as contracts
from domain import credits as accounts
from domain import incident as incidents
from domain.contract import Contract
from domain.credits import CreditAccount
from domain.incident import Incident
from domain.streams import split_stream

MOST_REMEMBERED = 20_000

State = Contract | CreditAccount | Incident


def fold(stream: str, facts: Iterable[Any]) -> State:
    """The state of a stream after all of its facts."""
    kind, name = split_stream(stream)
    match kind:
        case "contract":
            return contracts.fold(name, facts)
        case "credits":
            return accounts.fold(name, facts)
        case _:
            return incidents.fold(name, facts)


def evolve(state: State, fact: Any) -> State:
    """The state after one more fact."""
    match state:
        case Contract():
            return contracts.evolve(state, fact)
        case CreditAccount():
            return accounts.evolve(state, fact)
        case Incident():
            return incidents.evolve(state, fact)


class Streams:
    """The states of a ledger's streams. They are remembered until another writer records something."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._states: dict[str, State] = {}
        self._opened_by: dict[str, str] = {}
        self._revision = -1

    def __getitem__(self, stream: str) -> State:
        if stream not in self._states:
            self.load([stream])
        return self._states[stream]

    def load(self, streams: Iterable[str]) -> None:
        """Read and fold, in one query, the streams that are not remembered."""
        unknown = sorted({stream for stream in streams if stream not in self._states})
        for stream, entries in self._ledger.stream_entries(unknown).items():
            self._states[stream] = fold(stream, (entry.fact for entry in entries))
            if entries:
                self._opened_by[stream] = entries[0].source

    def opened_by(self, stream: str) -> str | None:
        """The source of the first fact of a stream, one of those loaded; None where it has no fact."""
        return self._opened_by.get(stream)

    def catch_up(self) -> int:
        """Forget every state if another writer has recorded something; the number of transactions recorded."""
        revision = self._ledger.store.revision()
        if revision != self._revision or len(self._states) > MOST_REMEMBERED:
            self.forget()
            self._revision = revision
        return revision

    def recorded(self, changed: Mapping[str, State], opened_by: Mapping[str, str]) -> None:
        """Remember the states after one transaction of our own, and which source began each stream."""
        self._states.update(changed)
        for stream, source in opened_by.items():
            self._opened_by.setdefault(stream, source)
        self._revision += 1

    def forget(self) -> None:
        """Forget every state."""
        self._states.clear()
        self._opened_by.clear()
        self._revision = -1
