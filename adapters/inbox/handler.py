"""The command handler: the one place that loads, folds, decides and appends. Every message gets an outcome.

A batch of messages is decided first and recorded in one transaction after; only then is anybody answered. A message
whose incident (or contract) is not recorded yet is kept, and tried again when it is; after a stated patience it is
refused, and still kept. Rules of the record cited here: R2 identity, R4 order, R6 faults of our own.
"""

from collections.abc import Callable, Sequence

from adapters.inbox.decisions import Decisions
from adapters.inbox.messages import Message
from adapters.inbox.outcomes import Answered, Refused, Reply
from adapters.inbox.streams import State, Streams
from adapters.inbox.unit_of_work import UnitOfWork, read_or_refuse
from adapters.retries import lost_races
from adapters.store.errors import LostRace, Unanswered
from adapters.store.ledger import Ledger
from adapters.store.records import Batch, OutboxMessage, RefusedMessage
from domain.values import HOUR

DEFAULT_PATIENCE = 72 * HOUR


class CommandHandler:
    """Takes messages, returns their outcomes. `now` gives microseconds UTC, `patience` is in microseconds.

    `write_outbox_message` turns a reply into a message of the outbox. It is given where outcomes are published, and
    called for the replies to earlier messages, whose senders no longer wait for an answer; the store records what it
    returns in the same transaction.
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
        self._streams = Streams(ledger)

    @property
    def ledger(self) -> Ledger:
        """The log in which this handler records."""
        return self._ledger

    def state(self, stream: str) -> State:
        """The state of a stream when this handler last handled a batch."""
        return self._streams[stream]

    def handle(self, raws: Sequence[bytes]) -> Answered:
        """Decide a batch and record it in one transaction. Raises StoreError where the store cannot take it."""
        return self._record([read_or_refuse(raw) for raw in raws])

    def retry(self, refused: Sequence[RefusedMessage]) -> Answered:
        """Decide refused messages once more, and record them in one transaction. Raises StoreError.

        Their senders no longer wait, so the replies are published, as those to messages that waited; nor do they
        count as received again. What was kept without identity stays refused, whatever source its bytes name.
        """
        read = [message if message.identity is None else read_or_refuse(message.raw) for message in refused]
        return self._record(read, again=True)

    def refuse_payload(self, raw: bytes, clause: str, reason: str) -> Reply:
        """Refuse and keep what a help desk sent: without identity, as it is no message, even if it looks like one.

        Raises StoreError.
        """
        return self._record([RefusedMessage(None, raw, clause, "", reason)]).replies[0]

    def refuse(self, raw: bytes, outcome: Refused) -> Reply:
        """Refuse a message whatever its content, and keep it whole. Raises StoreError."""
        identity = read_or_refuse(raw).identity
        return self._record([RefusedMessage(identity, raw, outcome.clause, outcome.field, outcome.reason)]).replies[0]

    def _record(self, read: Sequence[Message | RefusedMessage], *, again: bool = False) -> Answered:
        try:
            return lost_races(LostRace, Unanswered)(self._try_to_record, read, again)
        except LostRace:
            raise LostRace("other writers were always faster: try again when they are done") from None

    def _try_to_record(self, read: Sequence[Message | RefusedMessage], again: bool) -> Answered:
        try:
            return self._decide_and_append(read, again)
        except (LostRace, Unanswered):  # what is recorded all the same is found next time, and answered as a duplicate
            self._streams.forget()
            raise

    def _decide_and_append(self, read: Sequence[Message | RefusedMessage], again: bool) -> Answered:
        store, batch = self._ledger.store, Batch(decided_at=self._streams.catch_up())
        work = UnitOfWork(store, Decisions(self._streams, store), self._now(), batch)
        work.expire(self._patience)
        work.prepare([one for one in read if isinstance(one, Message)])
        for number, one in enumerate(read):
            work.take(number, one)
        woken = work.wake()
        if not again:
            work.count_heard(read)
        work.count_outcomes([*range(len(read)), *woken])
        if (write := self._write_outbox_message) is not None:
            unheard = [*woken, *(range(len(read)) if again else ())]
            batch.outbox = lambda: [write(reply) for reply in [*work.expired, *work.replies(unheard)]]
        if batch:
            self._ledger.append(batch)
            self._streams.recorded(work.decisions.changed, work.decisions.opened_by)
        return Answered(work.replies(range(len(read))), work.replies(woken), work.expired)
