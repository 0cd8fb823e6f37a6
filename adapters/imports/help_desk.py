"""Webhooks from help desks: records what is new in a snapshot, and remembers the snapshot.

A desk's mapping (desk_mapping) says how its request is signed (desk_signature) and read (desk_payload); what changed
becomes messages (snapshot_diff), which the handler takes as any other. Rule of the record cited here: R1 form.
"""

from typing import NamedTuple, cast

from adapters.imports.snapshot import Snapshot
from adapters.imports.snapshot_diff import messages_of
from adapters.inbox.handler import CommandHandler, Refused, Reply
from adapters.inbox.ingest import written
from adapters.store.ledger import Recorder
from domain.incident import Incident


def take_snapshot(handler: CommandHandler, snapshot: Snapshot) -> list[Reply]:
    """Record what is new in a snapshot, and store the snapshot; the replies to its messages, none where nothing is new.

    A snapshot of which a message is refused is not stored: sent again, it is taken as for the first time. Raises
    StoreError where the store cannot take it.
    """
    store = handler.ledger.store
    around = _stored_around(store, snapshot)
    if around.same is not None:
        snapshot = snapshot.together_with(around.same)
    handler.handle([])  # others may have recorded something since
    incident = cast(Incident, handler.state(f"incident-{snapshot.item}"))
    messages = messages_of(snapshot, incident, around.before, around.after, instead_of=around.same)
    replies = handler.handle([line.raw for line in written(messages, snapshot.source)]).replies if messages else []
    if not any(isinstance(reply.outcome, Refused) for reply in replies):
        store.remember_snapshot(snapshot.source, snapshot.item, snapshot.changed_at, snapshot.to_json())
    return replies


class _Around(NamedTuple):
    """The stored snapshots of an item nearest to an instant: before it, of that very instant, after it."""

    before: Snapshot | None
    same: Snapshot | None
    after: Snapshot | None


def _stored_around(store: Recorder, snapshot: Snapshot) -> _Around:
    before, after = store.snapshots_around(snapshot.source, snapshot.item, snapshot.changed_at)
    until, _ = store.snapshots_around(snapshot.source, snapshot.item, snapshot.changed_at + 1)
    texts = before, until if until != before else None, after
    return _Around(*(Snapshot.from_json(text) if text else None for text in texts))
