"""Who says what is on record, who agrees to it, and how late it was told (A4, R7).

A party may contest what the other records: suspensions, attributions, void closings, revisions, ends, rectifications
and annulments. Each counts with the parties that agree to it by now: those whose word on it counts, and those that have
recorded an agreement since.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from domain.agreement import NOBODY, Speakers, agreed_parties, claimed_parties, speaks_for_itself
from domain.facts import Fact
from domain.incident_facts import IncidentClosed, IncidentOpened
from domain.record_facts import RecordAgreed, RecordAnnulled, RecordRectified
from domain.source_facts import SourceFact
from domain.values import Party, Statement
from projections.history import Entry


class Acceptance(NamedTuple):
    """A party agrees to every fact of the contract up to a position of the log; recorded at (microseconds UTC).

    `own_word`: a source of that party says so.
    """

    party: Party
    up_to: int
    recorded_at: int
    own_word: bool


@dataclass(frozen=True, slots=True)
class Accord:
    """What a contract says of its parties' word: which sources speak for them, and what each has agreed to as a whole.

    `acceptances`: in order of recording.
    """

    speakers: Speakers = NOBODY
    acceptances: tuple[Acceptance, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Accord":
        """The accord that the stream of a contract makes, whatever the dates of its facts."""
        sources: list[tuple[int, SourceFact]] = []
        accepting: list[Entry] = []
        for entry in entries:
            if isinstance(entry.fact, SourceFact):
                sources.append((entry.position, entry.fact))
            elif isinstance(entry.fact, RecordAgreed) and entry.fact.up_to is not None:
                accepting.append(entry)
        speakers = Speakers.of(sources)
        return cls(speakers, tuple(_acceptance(entry, speakers) for entry in accepting))

    def agreed_at(self, position: int) -> dict[Party, int]:
        """The parties that have accepted the fact of a position with all before it, each with when it first did."""
        covering = (one for one in reversed(self.acceptances) if position <= one.up_to)
        return {one.party: one.recorded_at for one in covering}

    def in_own_word(self, position: int) -> set[Party]:
        """The parties of which a source of their own says that they have accepted the fact of a position."""
        return {one.party for one in self.acceptances if one.own_word and position <= one.up_to}


def _acceptance(entry: Entry, speakers: Speakers) -> Acceptance:
    agreed = cast(RecordAgreed, entry.fact)
    own = speaks_for_itself(agreed.by, entry.source, speakers, entry.position)
    return Acceptance(agreed.by, agreed.up_to or 0, entry.recorded_at, own)


NO_ACCORD = Accord()


class StatementOnRecord(NamedTuple):
    """A fact that a party may contest: who told it, who agrees, how late. `counts`: whether the reading admits it.

    `lateness_us`: microseconds between the instant that it tells of and its recording, by its source or here.
    `agreed_at`: when the agreements were recorded by which alone it counts as it does (microseconds UTC).
    """

    version: int
    fact: Statement
    stored_type: str
    source: str
    lateness_us: int
    counts: bool
    agreed_at: tuple[int, ...] = ()

    @property
    def one_sided(self) -> bool:
        """Whether only one party says so."""
        return not self.fact.agreed


class Recorded(NamedTuple):
    """The facts of one stream as recorded, each with the parties that agree to it by now.

    `facts`: version and fact. `claimed`: the versions that tell a party's word by a source that is not its own, while
    it has none. `others`: the versions told by another source than the first, while the contract appoints none.
    `agreed_at`: when the agreements were recorded that were given afterwards to what both parties had not agreed to
    before, by its version.
    """

    facts: Sequence[tuple[int, Fact]]
    claimed: tuple[int, ...]
    others: tuple[int, ...]
    agreed_at: Mapping[int, tuple[int, ...]]


def recorded(entries: Sequence[Entry], accords: Mapping[str, Accord]) -> Recorded:
    """The facts of one stream, given in order of recording, with the agreements on record."""
    since: dict[int, dict[Party, int]] = defaultdict(dict)
    in_own_word: dict[int, set[Party]] = defaultdict(set)
    for entry in entries:
        if isinstance(entry.fact, RecordAgreed) and entry.fact.version is not None:
            since[entry.fact.version].setdefault(entry.fact.by, entry.recorded_at)
            accord = accords[entry.contract] if entry.contract is not None else NO_ACCORD
            if speaks_for_itself(entry.fact.by, entry.source, accord.speakers, entry.position):
                in_own_word[entry.fact.version].add(entry.fact.by)
    facts: list[tuple[int, Fact]] = []
    claimed: list[int] = []
    others: list[int] = []
    agreed_at: dict[int, tuple[int, ...]] = {}
    for entry in entries:
        fact = entry.fact
        accord = accords[entry.contract] if entry.contract is not None else NO_ACCORD
        later = accord.agreed_at(entry.position) | since[entry.version]
        if isinstance(fact, Statement):
            by_its_words = agreed_parties(fact, entry.source, accord.speakers, entry.position)
            if by_its_words != set(Party):
                agreed_at[entry.version] = tuple(at for party, at in later.items() if party not in by_its_words)
            fact = _as_agreed(fact, by_its_words | set(later))
        if _claimed(entry, accord, set(later), in_own_word[entry.version] | accord.in_own_word(entry.position)):
            claimed.append(entry.version)
        if entry.source != entries[0].source and not accord.speakers.appointed(entry.position):
            others.append(entry.version)
        facts.append((entry.version, fact))
    return Recorded(facts, tuple(claimed), tuple(others), agreed_at)


def _claimed(entry: Entry, accord: Accord, later: set[Party], in_own_word: set[Party]) -> bool:
    """Whether a fact counts by a party's word that a source tells which is not that party's, while it has none.

    `later`: the parties that have agreed since, by whomever told; `in_own_word`: those of them that said so themselves.
    """
    match entry.fact:
        case Statement(by=by, agreed_by=agreed_by):
            named = {by, *agreed_by, *later} - in_own_word
        case RecordAgreed(by=by):
            named = {by}
        case _:
            return False
    return bool(claimed_parties(named, entry.source, accord.speakers, entry.position))


def _as_agreed(fact: Statement, agreeing: set[Party]) -> Fact:
    """The fact with the parties that agree to it by now, beside the one that tells it."""
    agreed_by = tuple(party for party in Party if party in agreeing - {fact.by})
    told = fact if agreed_by == fact.agreed_by else fact.model_copy(update={"agreed_by": agreed_by})
    return cast(Fact, told)


def lateness(entry: Entry, stream: Sequence[Entry]) -> int:
    """How long after it occurred a fact was told, in microseconds; `stream` are the facts of its stream from version 1.

    What corrects or withdraws a fact is as late as if the fact had only now been told so.
    """
    if isinstance(entry.fact, RecordRectified | RecordAnnulled):
        return entry.lateness_us + entry.fact.at - stream[entry.fact.version - 1].fact.at
    return entry.lateness_us


def moves(fact: Fact) -> bool:
    """Whether a fact of a request may move a verdict: it stops, suspends, excuses, or corrects what does."""
    return not isinstance(fact, IncidentOpened | RecordAgreed)


def contestable(fact: Fact) -> Statement | None:
    """The fact where a party may contest it, else None: a closing only where it is void."""
    if not isinstance(fact, Statement) or (isinstance(fact, IncidentClosed) and not fact.reason.void):
        return None
    return fact
