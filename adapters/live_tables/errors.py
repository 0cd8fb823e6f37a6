"""What can be wrong with live tables: StoreErrors too, so that whoever handles those handles these.

StoreError
 ├── NoTables              there are none at that location
 ├── ForeignTables         what is there is not ours to write to
 ├── OutdatedTables        they are not those of this log and this program
 ├── Stopped               a fact cannot be projected
 └── LockedStore
      └── BeingBuilt       another process is building them
"""

from adapters.store.errors import LockedStore, StoreError


class NoTables(StoreError):
    """There are no reporting tables at that location."""


class ForeignTables(StoreError):
    """What is at that location is not ours to write to."""


class BeingBuilt(LockedStore):
    """Another process is building the tables at that location."""


class OutdatedTables(StoreError):
    """The tables at that location are not those of this log and this program: they have to be built anew."""


class Stopped(StoreError):
    """A fact cannot be projected: nothing after it is, until somebody has seen to it."""

    def __init__(self, position: int, because: str) -> None:
        super().__init__(f"stopped at position {position}: {because}")
        self.position = position
        self.because = because

    def __reduce__(self) -> tuple[type["Stopped"], tuple[int, str]]:
        return Stopped, (self.position, self.because)
