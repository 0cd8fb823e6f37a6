"""What can be wrong with a store.

StoreError                 the store cannot be used as asked; the message says why and what to do
 ├── NoStore               there is none at that location
 ├── NotAStore             what is there is not a Verbale store
 ├── NewerStore            a newer Verbale wrote it
 ├── OlderStore            an older Verbale wrote it, it is only read, and it has no table for it
 ├── DamagedStore          it is truncated or malformed
 ├── LockedStore           another process holds it
 ├── ReadOnlyStore         it cannot be written
 ├── UnreachableStore      its server cannot be reached
 ├── Unanswered            its server did not say whether it recorded: look again and decide again
 └── LostRace              another writer was faster: load again and decide again

Those of live tables stand in `adapters/live_tables/errors.py`.
"""

from adapters.errors import UserError


class StoreError(UserError):
    """The store cannot be used as asked."""


class NoStore(StoreError):
    """There is no store at that location."""


class NotAStore(StoreError):
    """What is there is not a Verbale store."""


class NewerStore(StoreError):
    """A newer Verbale wrote the store."""


class OlderStore(StoreError):
    """An older Verbale wrote the store, which is only read: it does not hold what is asked."""


class DamagedStore(StoreError):
    """The store is truncated or malformed."""


class LockedStore(StoreError):
    """Another process holds the store."""


class ReadOnlyStore(StoreError):
    """The store cannot be written."""


class UnreachableStore(StoreError):
    """The server of the store cannot be reached."""


class Unanswered(StoreError):
    """The server was lost before it said whether a batch is recorded: it is, whole, or it is not."""


class LostRace(StoreError):
    """Another writer recorded something first."""
