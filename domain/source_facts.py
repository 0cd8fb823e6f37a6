"""Which source speaks for which party of a contract: content, facts, commands (R7)."""

from domain.facts import Command, Fact
from domain.values import Identifier, Party, Value


class SourceOfParty(Value):
    """A source of messages, and the party that it speaks for."""

    source: Identifier
    party: Party


class SourceAppointed(Fact, SourceOfParty):
    """From now on a source speaks for one party, and for that party alone."""

    TYPE = "contract.source_appointed.v1"
    FIXED = frozenset({"source", "party", "at"})
    INSTEAD_OF_ANNULMENT = "dismiss the source"


class AppointSource(Command, SourceOfParty):
    """Record that a source speaks for a party. Only that party's own source may, once it has one."""

    TYPE = "verbale.contract.appoint_source.v1"


class DismissedSource(Value):
    """A source that speaks for nobody any more."""

    source: Identifier


class SourceDismissed(Fact, DismissedSource):
    """From now on a source speaks for nobody."""

    TYPE = "contract.source_dismissed.v1"
    FIXED = frozenset({"source", "at"})
    INSTEAD_OF_ANNULMENT = "appoint the source again"


class DismissSource(Command, DismissedSource):
    """Record that a source speaks for nobody any more. Only that party's own source may, where it has one."""

    TYPE = "verbale.contract.dismiss_source.v1"


SourceFact = SourceAppointed | SourceDismissed
"""The facts that say which source speaks for whom."""
