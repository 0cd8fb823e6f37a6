"""A unit of work: one batch being decided, and what one transaction is to record of it.

Rules of the record cited here: R2 identity, R4 order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from adapters.inbox.claims import refuse_what_cannot_be_computed
from adapters.inbox.decisions import Decisions
from adapters.inbox.messages import Message, Unreadable, is_label, read_message, sequence_of_unreadable
from adapters.inbox.outcomes import (
    Done,
    Duplicate,
    Outcome,
    Refused,
    Reply,
    Waiting,
    fault_of_ours,
    outcome_name,
)
from adapters.inbox.streams import evolve
from adapters.store.errors import StoreError
from adapters.store.leaf import Origin
from adapters.store.recorder import Recorder
from adapters.store.records import Batch, Deferred, Identity, NewFact, Receipt, RefusedMessage
from domain.facts import Fact, NotYet, Rejected, refuse_future
from domain.values import moment

_OTHER_CONTENT = Refused("R2", "id", "this id was already used by this source for another content: give it its own id")


def read_or_refuse(raw: bytes) -> Message | RefusedMessage:
    """The message in some bytes or, where it cannot be read, its refusal."""
    try:
        return read_message(raw)
    except Unreadable as error:
        return RefusedMessage(error.identity, raw, error.clause, error.field, error.reason)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """The outcome of a message whose facts are not sealed yet: its leaf is known after the append."""

    stream: str
    version: int
    index: int


@dataclass(frozen=True, slots=True)
class _SameAs:
    """The outcome of a message that is in one batch twice: that of the first time."""

    first: int


@dataclass
class UnitOfWork:
    """One batch being decided at `now` (microseconds UTC): what it records, and the outcome of each message.

    Messages have numbers: first those of the batch, then those of earlier batches that this one wakes.
    """

    store: Recorder
    decisions: Decisions
    now: int
    batch: Batch
    expired: list[Reply] = field(default_factory=list)
    _outcomes: dict[int, Outcome | _Recorded | _SameAs] = field(default_factory=dict)
    _messages: dict[int, tuple[Identity | None, bytes]] = field(default_factory=dict)
    _receipts: dict[Identity, Receipt] = field(default_factory=dict)
    _deferred: dict[Identity, Deferred] = field(default_factory=dict)
    _in_batch: dict[Identity, tuple[bytes, int]] = field(default_factory=dict)
    _pending: list[tuple[int, Message, Deferred]] = field(default_factory=list)
    _grown: set[str] = field(default_factory=set)
    _sent_again: dict[Identity, list[int]] = field(default_factory=dict)

    def expire(self, patience: int) -> None:
        """Refuse what has waited for more than `patience` microseconds; it stays among the refused, whole."""
        for deferred in self.store.waiting_since(self.now - patience):
            since = f"{moment(deferred.since):%Y-%m-%d %H:%M} UTC"
            reason = f"waited since {since}, and still {deferred.reason}: send it again once that is recorded"
            refused = Refused("R4", "subject", reason)
            self.batch.no_longer_waiting.append(deferred.identity)
            self.batch.refused.append(_refused_message(deferred.identity, deferred.raw, refused))
            self.expired.append(Reply(deferred.identity, deferred.raw, refused))

    def prepare(self, messages: Sequence[Message]) -> None:
        """Read in a few queries what deciding these messages needs."""
        identities = list({message.identity for message in messages})
        self._receipts = self.store.receipts(identities)
        gone = set(self.batch.no_longer_waiting)
        waiting = self.store.waiting(identities)
        self._deferred = {name: deferred for name, deferred in waiting.items() if name not in gone}
        self.decisions.load(messages)

    def take(self, number: int, read: Message | RefusedMessage) -> None:
        """Decide one message, unless its outcome is known already."""
        self._messages[number] = (read.identity, read.raw)
        if isinstance(read, RefusedMessage):
            self._refuse(number, read)
            return
        known = self._known_outcome(read)
        if isinstance(known, Waiting):
            self._sent_again.setdefault(read.identity, []).append(number)
        if isinstance(known, Refused):
            self._refuse(number, _refused_message(read.identity, read.raw, known))
        elif known is not None:
            self._outcomes[number] = known
        else:
            self._in_batch[read.identity] = (read.digest, number)
            self._decide(number, read, self.now)

    def _known_outcome(self, message: Message) -> Outcome | _SameAs | None:
        """The outcome of a message whose identity is on record, waits, or is in this batch already."""
        identity, digest = message.identity, message.digest
        if receipt := self._receipts.get(identity):
            duplicate = Duplicate(receipt.stream, receipt.version, receipt.leaf)
            return duplicate if receipt.digest == digest else _OTHER_CONTENT
        if deferred := self._deferred.get(identity):
            return Waiting(deferred.stream, deferred.reason) if deferred.digest == digest else _OTHER_CONTENT
        if identity in self._in_batch:
            first_digest, first = self._in_batch[identity]
            return _SameAs(first) if first_digest == digest else _OTHER_CONTENT
        return None

    def _decide(self, number: int, message: Message, since: int) -> None:
        try:
            self._refuse_instants(message)
            facts, contract = self.decisions.facts(message)
        except Rejected as rejected:
            refused = Refused(rejected.clause, rejected.field, rejected.reason)
            self._refuse(number, _refused_message(message.identity, message.raw, refused))
            self._in_batch.pop(message.identity, None)
        except NotYet as not_yet:
            deferred = Deferred(message.identity, message.digest, not_yet.stream, not_yet.reason, message.raw, since)
            self._outcomes[number] = Waiting(not_yet.stream, not_yet.reason)
            self._pending.append((number, message, deferred))
        else:
            self._record(number, message, facts, contract)

    def _refuse_instants(self, message: Message) -> None:
        refuse_future(message.command.at, self.now)
        if message.recordedtime is not None:
            refuse_future(message.recordedtime, self.now, "recordedtime")
        refuse_what_cannot_be_computed(message.command, self.now)

    def _record(self, number: int, message: Message, facts: Sequence[Fact], contract: str | None) -> None:
        state = self.decisions.state(message.stream)
        origin = Origin(contract, message.source, message.id, message.actor)
        first, new = len(state.record) + 1, []
        for version, decided in enumerate(facts, first):
            # When the source recorded it is no content of the command: it is put beside what was decided.
            fact = (
                decided.model_copy(update={"recordedtime": message.recordedtime}) if message.recordedtime else decided
            )
            state = evolve(state, fact)
            new.append(NewFact(message.stream, version, fact, origin))
        receipt = Receipt(message.identity, message.digest, message.stream, first if facts else None, None)
        index = len(self.batch.facts)
        self.batch.facts += new  # nothing can fail any more: a message adds all of its facts, or none
        self.batch.receipts.append((receipt, index if facts else None))
        if facts:
            self.decisions.change(message.stream, state, message.source)
            self._grown.add(message.stream)
            self._outcomes[number] = _Recorded(message.stream, first, index)
        else:
            self._outcomes[number] = Duplicate(message.stream, None, None)

    def wake(self) -> list[int]:
        """Try again, in order of arrival, what waits for a stream that has grown; then defer what still waits.

        Returns the numbers of the messages of earlier batches that wait no longer.
        """
        woken: list[int] = []
        number = len(self._outcomes)
        while self._grown:
            grown, self._grown = self._grown, set()
            for deferred in self._still_waiting_for(grown):
                self.batch.no_longer_waiting.append(deferred.identity)
                woken.append(number)
                self._take_again(number, deferred)
                again = self._sent_again.get(deferred.identity, ())
                self._outcomes.update((one, _SameAs(number)) for one in again)
                number += 1
            ready = [one for one in self._pending if one[2].stream in grown]
            self._pending = [one for one in self._pending if one[2].stream not in grown]
            for index, message, deferred in ready:
                self._decide(index, message, deferred.since)
        self.batch.waiting += [deferred for _, _, deferred in self._pending]
        return [number for number in woken if not isinstance(self._outcomes[number], Waiting)]

    def _still_waiting_for(self, grown: set[str]) -> list[Deferred]:
        gone = set(self.batch.no_longer_waiting)
        return [deferred for deferred in self.store.waiting_for(sorted(grown)) if deferred.identity not in gone]

    def _take_again(self, number: int, deferred: Deferred) -> None:
        """Decide a deferred message once more; where it still waits, it has waited since it first arrived."""
        self._messages[number] = (deferred.identity, deferred.raw)
        read = read_or_refuse(deferred.raw)
        if isinstance(read, RefusedMessage):
            self._refuse(number, read)
            return
        try:
            self._decide(number, read, deferred.since)
        except StoreError:
            raise
        except Exception as error:  # otherwise the message that wakes it would fail too, each time it is sent
            self._refuse(number, _refused_message(deferred.identity, deferred.raw, fault_of_ours(error)))

    def count_heard(self, read: Sequence[Message | RefusedMessage]) -> None:
        """Count the messages received from each source, and keep the sequence numbers that it gave them."""
        for one in read:
            source = _known_source(one.identity)
            self.batch.heard[source, "heard"] += 1
            sequence = one.sequence if isinstance(one, Message) else sequence_of_unreadable(one.raw)
            if source and sequence is not None:
                self.batch.sequences.add((source, sequence))

    def count_outcomes(self, numbers: Iterable[int]) -> None:
        """Count the outcomes of these messages, and of those that waited too long."""
        heard = self.batch.heard
        for number in numbers:
            heard[_known_source(self._messages[number][0]), outcome_name(self._outcome(number))] += 1
        for reply in self.expired:
            heard[_known_source(reply.identity), outcome_name(reply.outcome)] += 1

    def replies(self, numbers: Iterable[int]) -> list[Reply]:
        """The replies to some messages, once the batch is recorded."""
        return [Reply(*self._messages[number], self._outcome(number)) for number in numbers]

    def _outcome(self, number: int) -> Outcome:
        outcome = self._outcomes[number]
        match outcome:
            case _Recorded():
                return Done(outcome.stream, outcome.version, self.batch.first_leaf + outcome.index)
            case _SameAs():
                first = self._outcome(outcome.first)
                return Duplicate(first.stream, first.version, first.leaf) if isinstance(first, Done) else first
            case _:
                return outcome

    def _refuse(self, number: int, refused: RefusedMessage) -> None:
        self._outcomes[number] = Refused(refused.clause, refused.field, refused.reason)
        self.batch.refused.append(refused)


def _refused_message(identity: Identity | None, raw: bytes, refused: Refused) -> RefusedMessage:
    return RefusedMessage(identity, raw, refused.clause, refused.field, refused.reason)


def _known_source(identity: Identity | None) -> str:
    """The source of a message, or "" where it named none that could be a source."""
    return identity[0] if identity is not None and is_label(identity[0]) else ""
