"""The desk: the one place that loads, folds, decides and appends. Every message gets an outcome; nothing is lost.

A batch of messages is decided first and recorded in one transaction after; only then does anybody hear an answer. A
message whose incident (or contract) is not recorded yet is kept, and tried again when it is; after a stated patience
it is refused, and still kept. Rules of the record cited here: R2 identity, R4 order, R6 faults of our own.
"""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, cast

from adapters.inbox.messages import Message, Unreadable, is_label, read_message, sequence_of_unreadable
from adapters.store.errors import LostRace, StoreError, Unanswered
from adapters.store.leaf import Origin
from adapters.store.ledger import Ledger
from adapters.store.records import Batch, Deferred, Identity, NewFact, OutboxMessage, Receipt, RefusedMessage
from domain import contract as contracts
from domain import credits as accounts
from domain import incident as incidents
from domain.contract import Contract
from domain.contract_facts import ContractCommand, RenewContract, SignContract
from domain.coverage import CoverageDecision, cover
from domain.credits import CreditAccount, CreditCommand
from domain.facts import Fact, NotYet, Rejected, refuse_future
from domain.incident import Incident, IncidentCommand, OpenIncident
from domain.routing import refuse_shared_customers, routed
from domain.values import moment

HOUR = 3_600_000_000
DEFAULT_PATIENCE = 72 * HOUR
MOST_ATTEMPTS = 100
LONGEST_PAUSE = 0.2
MOST_STREAMS_REMEMBERED = 20_000

State = Contract | CreditAccount | Incident


@dataclass(frozen=True, slots=True)
class Done:
    """Recorded: where."""

    stream: str
    version: int
    leaf: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Already recorded, by this message or by another that said the same; answered as the first time."""

    stream: str
    version: int | None
    leaf: int | None


@dataclass(frozen=True, slots=True)
class Refused:
    """Not recorded, and why; kept whole."""

    clause: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Kept until `stream` is there."""

    stream: str
    reason: str


Outcome = Done | Duplicate | Refused | Waiting


def outcome_name(outcome: Outcome) -> str:
    """The word for an outcome."""
    match outcome:
        case Done():
            return "done"
        case Duplicate():
            return "duplicate"
        case Refused():
            return "refused"
        case Waiting():
            return "waiting"


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one message; its identity is None where that could not be read."""

    identity: Identity | None
    raw: bytes
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Answered:
    """The reply to each message of a batch, and to earlier ones that this batch woke or that waited too long."""

    replies: list[Reply]
    woken: list[Reply]
    expired: list[Reply]

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcome of each message of the batch."""
        return [reply.outcome for reply in self.replies]


class CommandHandler:
    """Takes messages, gives outcomes. `now` gives microseconds UTC, `patience` is in microseconds.

    `write_outbox_message` turns a reply into a message of the outbox. It is given where outcomes are published, and
    called for the replies to earlier messages, whose senders no longer listen; the store records what it writes in the
    same transaction.
    """

    def __init__(
        self,
        ledger: Ledger,
        now: Callable[[], int],
        patience: int = DEFAULT_PATIENCE,
        write_outbox_message: Callable[[Reply], OutboxMessage] | None = None,
    ) -> None:
        self._ledger = ledger
        self._now = now
        self._patience = patience
        self._write_outbox_message = write_outbox_message
        self._states: dict[str, State] = {}
        self._writes = -1

    def handle(self, raws: Sequence[bytes]) -> Answered:
        """Decide a batch and record it in one transaction. Raises StoreError where the store cannot take it."""
        return self._settle_against_others([_read(raw) for raw in raws])

    def retry(self, kept: Sequence[RefusedMessage]) -> Answered:
        """Decide once more what was refused and kept, and record it in one transaction. Raises StoreError.

        Who sent these is not there to hear the replies, which are published like those to messages that waited; nor
        has anybody been heard. What was kept as nobody's stays refused, whomever its bytes name.
        """
        return self._settle_against_others(
            [one if one.identity is None else _read(one.raw) for one in kept], again=True
        )

    def refuse_payload(self, raw: bytes, clause: str, reason: str) -> Reply:
        """Refuse and keep what a help desk sent: as nobody's, for it is no message, though it may look like one.

        Raises StoreError.
        """
        return self._settle_against_others([RefusedMessage(None, raw, clause, "", reason)]).replies[0]

    def refuse(self, raw: bytes, told: Refused) -> Reply:
        """Refuse a message whatever it says, and keep it whole. Raises StoreError."""
        refused = RefusedMessage(_read(raw).identity, raw, told.clause, told.field, told.reason)
        return self._settle_against_others([refused]).replies[0]

    def _settle_against_others(self, read: Sequence[Message | RefusedMessage], *, again: bool = False) -> Answered:
        for attempt in range(MOST_ATTEMPTS):
            try:
                return self._settle(read, again)
            except LostRace:
                self._forget()
                lost: StoreError = LostRace("other writers were always faster: try again when they are done")
            except Unanswered as unanswered:  # what is recorded all the same is found, and answered as a duplicate
                self._forget()
                lost = unanswered
            time.sleep(random.uniform(0, min(attempt, 20) * LONGEST_PAUSE / 20))
        raise lost

    def _settle(self, read: Sequence[Message | RefusedMessage], again: bool) -> Answered:
        self._catch_up()
        work = UnitOfWork(self, self._now(), Batch(decided_at=self._writes))
        work.expire(self._patience)
        work.prepare([one for one in read if isinstance(one, Message)])
        for index, one in enumerate(read):
            work.take(index, one)
        woken = work.wake()
        if not again:
            work.count_heard(read)
        work.count_outcomes([*range(len(read)), *woken])
        if (write := self._write_outbox_message) is not None:
            unheard = [*woken, *(range(len(read)) if again else ())]
            work.batch.outbox = lambda: [write(reply) for reply in [*work.expired, *work.replies(unheard)]]
        if work.batch:
            self._ledger.append(work.batch)
            self._states.update(work.changed)
            self._writes += 1
        return Answered(work.replies(range(len(read))), work.replies(woken), work.expired)

    def _catch_up(self) -> None:
        """Forget every state where another writer has recorded something since."""
        writes = self._ledger.store.revision()
        if writes != self._writes or len(self._states) > MOST_STREAMS_REMEMBERED:
            self._forget()
            self._writes = writes

    def _forget(self) -> None:
        self._states.clear()
        self._writes = -1

    def load(self, streams: Iterable[str]) -> None:
        """Fold the streams not remembered yet."""
        unknown = sorted({stream for stream in streams if stream not in self._states})
        for stream, facts in self._ledger.streams(unknown).items():
            self._states[stream] = _fold(stream, facts)

    def state(self, stream: str) -> State:
        """What the facts of a stream say together."""
        if stream not in self._states:
            self.load([stream])
        return self._states[stream]

    @property
    def ledger(self) -> Ledger:
        """The log behind the desk."""
        return self._ledger


_ROUTING_FIELDS = {SignContract.TYPE: "customers", RenewContract.TYPE: "until"}
"""Which field of a command says for which customers, or until when, a contract takes their requests."""


def fault_of_ours(error: Exception) -> Refused:
    """What to answer where a fault of this program keeps a message from being decided (R6)."""
    said = f"a fault of Verbale ({type(error).__name__}): kept whole; upgrade, then verbale refused retry"
    return Refused("R6", "", said)


def _read(raw: bytes) -> Message | RefusedMessage:
    try:
        return read_message(raw)
    except Unreadable as error:
        return RefusedMessage(error.identity, raw, error.clause, error.field, error.reason)


def _fold(stream: str, facts: Iterable[Any]) -> State:
    kind, _, name = stream.partition("-")
    match kind:
        case "contract":
            return contracts.fold(name, facts)
        case "credits":
            return accounts.fold(name, facts)
        case _:
            return incidents.fold(name, facts)


def _evolve(state: State, fact: Any) -> State:
    match state:
        case Contract():
            return contracts.evolve(state, fact)
        case CreditAccount():
            return accounts.evolve(state, fact)
        case Incident():
            return incidents.evolve(state, fact)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """The outcome of a message whose facts are not sealed yet: its leaf is known after the append."""

    stream: str
    version: int
    index: int


@dataclass(frozen=True, slots=True)
class _SameAs:
    """The outcome of a message that came twice in one batch: that of the first time."""

    first: int


@dataclass
class UnitOfWork:
    """One batch being decided: what it changes, what it records, what it answers."""

    desk: CommandHandler
    now: int
    batch: Batch
    changed: dict[str, State] = field(default_factory=dict)
    answers: dict[int, Outcome | _Recorded | _SameAs] = field(default_factory=dict)
    expired: list[Reply] = field(default_factory=list)
    _asked: dict[int, tuple[Identity | None, bytes]] = field(default_factory=dict)
    _receipts: dict[Identity, Receipt] = field(default_factory=dict)
    _kept: dict[Identity, Deferred] = field(default_factory=dict)
    _here: dict[Identity, tuple[bytes, int]] = field(default_factory=dict)
    _pending: list[tuple[int, Message, Deferred]] = field(default_factory=list)
    _grown: set[str] = field(default_factory=set)
    _asked_again: dict[Identity, list[int]] = field(default_factory=dict)
    _leads: defaultdict[tuple[str, str | None], set[str]] | None = None

    def expire(self, patience: int) -> None:
        """Refuse what has waited too long; it stays among the refused, whole."""
        for kept in self.desk.ledger.store.waiting_since(self.now - patience):
            since = f"{moment(kept.since):%Y-%m-%d %H:%M} UTC"
            reason = f"waited since {since}, and still {kept.reason}: send it again once that is recorded"
            refused = Refused("R4", "subject", reason)
            self.batch.no_longer_waiting.append(kept.identity)
            self.batch.refused.append(
                RefusedMessage(kept.identity, kept.raw, refused.clause, refused.field, refused.reason)
            )
            self.expired.append(Reply(kept.identity, kept.raw, refused))

    def prepare(self, messages: Sequence[Message]) -> None:
        """Look up in one go what deciding these messages needs."""
        store = self.desk.ledger.store
        identities = list({message.identity for message in messages})
        self._receipts = store.receipts(identities)
        gone = set(self.batch.no_longer_waiting)
        self._kept = {name: kept for name, kept in store.waiting(identities).items() if name not in gone}
        streams = {message.stream for message in messages}
        for message in messages:
            if message.stream.startswith("credits-"):
                streams.add(f"contract-{message.name}")
            if isinstance(message.command, OpenIncident) and message.command.contract is not None:
                streams |= {f"contract-{message.command.contract}", f"credits-{message.command.contract}"}
        self.desk.load(streams)

    def take(self, index: int, read: Message | RefusedMessage) -> None:
        """Decide one message, unless it was answered before."""
        self._asked[index] = (read.identity, read.raw)
        if isinstance(read, RefusedMessage):
            self._refuse(index, read)
            return
        known = self._known(read)
        if isinstance(known, Waiting):
            self._asked_again.setdefault(read.identity, []).append(index)
        if isinstance(known, Refused):
            self._refuse(index, RefusedMessage(read.identity, read.raw, known.clause, known.field, known.reason))
            return
        if known is not None:
            self.answers[index] = known
            return
        self._here[read.identity] = (read.digest, index)
        self._decide(index, read, self.now)

    def _known(self, message: Message) -> Outcome | _SameAs | None:
        """The answer to a message whose identity is on record, waits, or is in this batch already."""
        identity, digest = message.identity, message.digest
        if receipt := self._receipts.get(identity):
            same = Duplicate(receipt.stream, receipt.version, receipt.leaf)
            return same if receipt.digest == digest else _OTHER_CONTENT
        if kept := self._kept.get(identity):
            return Waiting(kept.stream, kept.reason) if kept.digest == digest else _OTHER_CONTENT
        if identity in self._here:
            first_digest, first = self._here[identity]
            return _SameAs(first) if first_digest == digest else _OTHER_CONTENT
        return None

    def _decide(self, index: int, message: Message, since: int) -> None:
        try:
            refuse_future(message.command.at, self.now)
            facts, contract = self._facts(message)
        except Rejected as rejected:
            said = (rejected.clause, rejected.field, rejected.reason)
            self._refuse(index, RefusedMessage(message.identity, message.raw, *said))
            self._here.pop(message.identity, None)
        except NotYet as not_yet:
            kept = Deferred(message.identity, message.digest, not_yet.stream, not_yet.reason, message.raw, since)
            self.answers[index] = Waiting(not_yet.stream, not_yet.reason)
            self._pending.append((index, message, kept))
        else:
            self._record(index, message, facts, contract)

    def _record(self, index: int, message: Message, facts: Sequence[Fact], contract: str | None) -> None:
        state = self._state(message.stream)
        origin = Origin(contract, message.source, message.id, message.actor)
        first, new = len(state.record) + 1, []
        for version, fact in enumerate(facts, first):
            state = _evolve(state, fact)
            new.append(NewFact(message.stream, version, fact, origin))
        receipt = Receipt(message.identity, message.digest, message.stream, first if facts else None, None)
        at = len(self.batch.facts)
        self.batch.facts += new  # whatever may fail is over: a message adds all of its facts, or none
        self.batch.receipts.append((receipt, at if facts else None))
        if facts:
            self.changed[message.stream] = state
            if isinstance(state, Contract):
                self._note_leads(state)
            self._grown.add(message.stream)
            self.answers[index] = _Recorded(message.stream, first, at)
        else:
            self.answers[index] = Duplicate(message.stream, None, None)

    def wake(self) -> list[int]:
        """Try again, in order of arrival, what waits for a stream that has grown; then keep what still waits.

        Gives the numbers of the answers to messages of earlier batches.
        """
        woken: list[int] = []
        number = len(self.answers)
        while self._grown:
            grown, self._grown = self._grown, set()
            for kept in self._still_kept(grown):
                self.batch.no_longer_waiting.append(kept.identity)
                woken.append(number)
                self._take_again(number, kept)
                self.answers.update((index, _SameAs(number)) for index in self._asked_again.get(kept.identity, ()))
                number += 1
            again = [one for one in self._pending if one[2].stream in grown]
            self._pending = [one for one in self._pending if one[2].stream not in grown]
            for index, message, kept in again:
                self._decide(index, message, kept.since)
        self.batch.waiting += [kept for _, _, kept in self._pending]
        return [number for number in woken if not isinstance(self.answers[number], Waiting)]

    def _still_kept(self, grown: set[str]) -> list[Deferred]:
        gone = set(self.batch.no_longer_waiting)
        return [kept for kept in self.desk.ledger.store.waiting_for(sorted(grown)) if kept.identity not in gone]

    def _take_again(self, number: int, kept: Deferred) -> None:
        """Decide a kept message once more; what still waits goes on waiting since it first arrived."""
        self._asked[number] = (kept.identity, kept.raw)
        read = _read(kept.raw)
        if isinstance(read, RefusedMessage):
            self._refuse(number, read)
            return
        try:
            self._decide(number, read, kept.since)
        except StoreError:
            raise
        except Exception as error:  # otherwise the message that wakes it would fail with it, each time it comes
            told = fault_of_ours(error)
            self._refuse(number, RefusedMessage(kept.identity, kept.raw, told.clause, told.field, told.reason))

    def count_heard(self, read: Sequence[Message | RefusedMessage]) -> None:
        """Count what has been heard of each source, and keep the numbers that it gave."""
        for one in read:
            source = _known_source(one.identity)
            self.batch.heard[source, "heard"] += 1
            number = one.sequence if isinstance(one, Message) else sequence_of_unreadable(one.raw)
            if source and number is not None:
                self.batch.sequences.add((source, number))

    def count_outcomes(self, numbers: Iterable[int]) -> None:
        """Count what became of these messages, and of those that waited too long."""
        heard = self.batch.heard
        for number in numbers:
            heard[_known_source(self._asked[number][0]), outcome_name(self.outcome(number))] += 1
        for reply in self.expired:
            heard[_known_source(reply.identity), outcome_name(reply.outcome)] += 1

    def replies(self, numbers: Iterable[int]) -> list[Reply]:
        """What became of some messages, once the batch is recorded."""
        return [Reply(*self._asked[number], self.outcome(number)) for number in numbers]

    def outcome(self, number: int) -> Outcome:
        """The answer to a message, once the batch is recorded."""
        answer = self.answers[number]
        match answer:
            case _Recorded():
                return Done(answer.stream, answer.version, self.batch.first_leaf + answer.index)
            case _SameAs():
                first = self.outcome(answer.first)
                return Duplicate(first.stream, first.version, first.leaf) if isinstance(first, Done) else first
            case _:
                return answer

    def _refuse(self, index: int, refused: RefusedMessage) -> None:
        self.answers[index] = Refused(refused.clause, refused.field, refused.reason)
        self.batch.refused.append(refused)

    def _state(self, stream: str) -> State:
        return self.changed[stream] if stream in self.changed else self.desk.state(stream)

    def _contract(self, name: str) -> Contract:
        state = self._state(f"contract-{name}")
        if not isinstance(state, Contract):
            raise TypeError(f"contract-{name} is no contract")
        return state

    def _account(self, name: str) -> CreditAccount:
        state = self._state(f"credits-{name}")
        if not isinstance(state, CreditAccount):
            raise TypeError(f"credits-{name} is no account")
        return state

    def _facts(self, message: Message) -> tuple[Sequence[Fact], str | None]:
        """What a message adds, and the contract it belongs to (if any). Raises Rejected, NotYet.

        The type of a message is checked against its stream when it is read: hence the casts.
        """
        state, command = self._state(message.stream), message.command
        match state:
            case Contract():
                return self._contract_facts(state, command), message.name
            case CreditAccount():
                contracts.require_signed(self._contract(message.name))
                return accounts.decide(state, cast(CreditCommand, command)), message.name
            case Incident():
                return self._incident_facts(state, cast(IncidentCommand, command))

    def _contract_facts(self, contract: Contract, command: Any) -> Sequence[Fact]:
        facts = contracts.decide(contract, cast(ContractCommand, command))
        after = reduce(contracts.evolve, facts, contract)
        routing_changed = (after.signed, after.spells) != (contract.signed, contract.spells)
        if after.signed is not None and after.signed.customers and routing_changed:
            field = _ROUTING_FIELDS.get(command.TYPE, "value")
            refuse_shared_customers(after, self._every_contract(), field)
        return facts

    def _incident_facts(self, incident: Incident, command: IncidentCommand) -> tuple[Sequence[Fact], str | None]:
        if not isinstance(command, OpenIncident):
            opened = incident.opened
            belongs = (opened.contract or opened.answer.contract) if opened else None
            return incidents.decide(incident, command), belongs
        answer = self._answer(command)
        return incidents.decide(incident, command, answer), answer.contract or command.contract

    def _answer(self, command: OpenIncident) -> CoverageDecision:
        contract = routed(
            command.contract,
            command.customer,
            command.system,
            command.at,
            self._contract,
            lambda: self._told_of(command.customer, command.system),
        ).contract
        account = self._account(contract.id) if contract else None
        return cover(contract, account, command.requested_by, command.at)

    def _told_of(self, customer: str | None, system: str | None) -> list[Contract]:
        """The contracts that were ever told of a customer key or of a system."""
        if self._leads is None:
            self._leads = defaultdict(set)
            for contract in self._every_contract():
                self._note_leads(contract)
        names = self._leads["customer", customer] | self._leads["system", system]
        return [self._contract(name) for name in sorted(names)]

    def _note_leads(self, contract: Contract) -> None:
        if self._leads is not None:
            for customer in contract.customers:
                self._leads["customer", customer].add(contract.id)
            for system in contract.systems_ever_declared:
                self._leads["system", system].add(contract.id)

    def _every_contract(self) -> Iterator[Contract]:
        streams = self._contract_streams()
        self.desk.load(streams)
        return (self._contract(stream.partition("-")[2]) for stream in streams)

    def _contract_streams(self) -> list[str]:
        new = {stream for stream in self.changed if stream.startswith("contract-")}
        return sorted(new | set(self.desk.ledger.store.stream_names("contract-")))


_OTHER_CONTENT = Refused("R2", "id", "this id was already used by this source for another content: give it its own id")


def _known_source(identity: Identity | None) -> str:
    """The source of a message, or "" where it named none that could be a source."""
    return identity[0] if identity is not None and is_label(identity[0]) else ""
