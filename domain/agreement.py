"""Who speaks for whom, and which parties have agreed to a fact (A4, R7).

A contract may appoint sources: each speaks for one party alone. Appointments count for what is recorded after them, so
they are asked about by an order of recording: a version of the contract's stream, or a position of the log.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.facts import Command, Fact, Rejected
from domain.penalty_facts import PenaltyStep, SettlePenalty
from domain.record_facts import Agree, RecordAgreed
from domain.rectification import named
from domain.source_facts import AppointSource, DismissSource, SourceAppointed, SourceFact
from domain.values import Party, Statement


class Appointment(NamedTuple):
    """A source that speaks for a party, for what is recorded after `since` and up to `until` (None: still)."""

    source: str
    party: Party
    since: int
    until: int | None


@dataclass(frozen=True, slots=True)
class Speakers:
    """The sources that a contract has appointed to its parties (R7)."""

    appointments: tuple[Appointment, ...] = ()

    @classmethod
    def of(cls, facts: Iterable[tuple[int, SourceFact]]) -> "Speakers":
        """From appointments and dismissals, each with its order of recording."""
        standing: dict[str, Appointment] = {}
        ended: list[Appointment] = []
        for order, fact in facts:
            if before := standing.pop(fact.source, None):
                ended.append(before._replace(until=order))
            if isinstance(fact, SourceAppointed):
                standing[fact.source] = Appointment(fact.source, fact.party, order, None)
        return cls((*ended, *standing.values()))

    def appointed(self, order: int | None = None) -> list[Appointment]:
        """The appointments in force for a fact of this order; for one recorded now, where it is None."""
        if order is None:
            return [one for one in self.appointments if one.until is None]
        return [one for one in self.appointments if one.since < order and (one.until is None or order <= one.until)]

    def party_of(self, source: str, order: int | None = None) -> Party | None:
        """The party that a source speaks for; None where it is not appointed."""
        return next((one.party for one in self.appointed(order) if one.source == source), None)

    def has_source(self, party: Party, order: int | None = None) -> bool:
        """Whether a party has a source of its own."""
        return any(one.party is party for one in self.appointed(order))


NOBODY = Speakers()
"""No source is appointed."""


def as_spoken(speakers: Speakers, source: str, command: Command) -> Command:
    """The command as its source may say it: by its own party, where the message leaves that out.

    Raises Rejected (R7) where a source speaks for a party that is not its own.
    """
    party = speakers.party_of(source)
    if isinstance(command, AppointSource | DismissSource):
        _refuse_appointing_for_another(speakers, source, command)
    if isinstance(command, PenaltyStep):
        _refuse_acting_for_another(speakers, source, command)
    if not isinstance(command, Statement | Agree):
        return command
    if party is not None and "by" not in command.model_fields_set:
        return command.model_copy(update={"by": party})
    if command.by is None:
        raise Rejected("R7", "by", f"say by which party: source {source} is appointed to none")
    if party not in (None, command.by):
        raise Rejected("R7", "by", f"source {source} is appointed to the {party}, and speaks for it alone: it cannot "
                       f"say what the {command.by} says")  # fmt: skip
    if party is None and speakers.has_source(command.by):
        raise Rejected("R7", "by", f"the {command.by} has a source of its own: source {source} cannot speak for it")
    return command


def _refuse_appointing_for_another(speakers: Speakers, source: str, command: AppointSource | DismissSource) -> None:
    """Raise Rejected where another party's source would appoint or dismiss one, or take one from its party."""
    concerned = [speakers.party_of(command.source)]
    if isinstance(command, AppointSource):
        if concerned == [command.party]:
            return  # it says nothing new
        concerned.append(command.party)
    own = speakers.party_of(source)
    for party in concerned:
        if party is not None and own is not party and (own is not None or speakers.has_source(party)):
            raise Rejected("R7", "source", f"sources of the {party} are appointed and dismissed by the {party} alone, "
                           f"which {source} does not speak for")  # fmt: skip


def _refuse_acting_for_another(speakers: Speakers, source: str, command: PenaltyStep) -> None:
    """Raise Rejected where another's source claims, waives or pays for a party that has its own (P2)."""
    party = Party.SUPPLIER if isinstance(command, SettlePenalty) else Party.CUSTOMER
    own = speakers.party_of(source)
    if own is not party and (own is not None or speakers.has_source(party)):
        raise Rejected("R7", "source", f"this is for the {party} to say, which source {source} does not speak for")


def refuse_unappointed(speakers: Speakers, source: str) -> None:
    """Raise Rejected (R7) where a contract has appointed sources, and another one speaks of its requests."""
    if speakers.appointed() and speakers.party_of(source) is None:
        appointed = ", ".join(sorted(one.source for one in speakers.appointed()))
        raise Rejected("R7", "source", f"only the sources that the contract has appointed speak of its requests: "
                       f"{appointed}; this message comes from {source}")  # fmt: skip


def agree(record: Sequence[Fact], command: Agree, *, of_contract: bool) -> tuple[RecordAgreed, ...]:
    """Decide an agreement in `record`, the stream's facts from version 1; () where it is on record.

    `of_contract`: whether the stream is a contract's, where all facts up to a position may be agreed to. Raises
    Rejected where there is no such fact, or it is itself an agreement.
    """
    if command.by is None:
        raise Rejected("R7", "by", "say by which party")
    if command.up_to is not None and not of_contract:
        raise Rejected("R5", "up_to", "all facts up to a position are agreed to on the stream of their contract")
    if command.version is not None and isinstance(named(record, command.version), RecordAgreed):
        raise Rejected("R5", "version", f"version {command.version} is itself an agreement")
    agreed = RecordAgreed(**dict(command))
    return () if any(_same(other, agreed) for other in record) else (agreed,)


def _same(other: Fact, agreed: RecordAgreed) -> bool:
    """Whether the same was agreed to by the same party before."""
    return isinstance(other, RecordAgreed) and (other.by, other.version, other.up_to) == (
        agreed.by, agreed.version, agreed.up_to
    )  # fmt: skip


def agreed_parties(statement: Statement, source: str, speakers: Speakers, order: int) -> set[Party]:
    """The parties that agree to a fact by its own words, recorded with this order by this source.

    Who records it, and those named in `agreed_by`: of these a party with a source of its own only where that source
    says so (R7).
    """
    said = {party for party in statement.agreed_by if _may_be_claimed(party, source, speakers, order)}
    return {statement.by, *said}


def speaks_for_itself(party: Party, source: str, speakers: Speakers, order: int) -> bool:
    """Whether a source is appointed to the party whose word it tells."""
    return speakers.party_of(source, order) is party


def claimed_parties(named: Iterable[Party], source: str, speakers: Speakers, order: int) -> set[Party]:
    """Those of the parties named by a source, as saying or agreeing, that have no source of their own to say so.

    A source that is appointed to nobody is the supplier's, whose help desk it usually is.
    """
    speaks_for = speakers.party_of(source, order) or Party.SUPPLIER
    return {party for party in named if party is not speaks_for and not speakers.has_source(party, order)}


def _may_be_claimed(party: Party, source: str, speakers: Speakers, order: int) -> bool:
    return not speakers.has_source(party, order) or speaks_for_itself(party, source, speakers, order)
