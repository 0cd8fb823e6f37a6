"""Part (b) of bin/bench: what it costs to record facts, one, five or five hundred in each transaction."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field

from support.messages import Clock, contract_in_force

from adapters.inbox.handler import CommandHandler
from adapters.inbox.outcomes import Done
from adapters.store.records import Batch
from bench.contest import Contender, Run, batched, contest, expect
from bench.histories import Recorded, add
from bench.library import HelpDesk
from bench.paper import Figures, Paper, say
from bench.sizes import Sizes
from bench.stores import Store, parts
from bench.story import FACTS_A_STORY, messages_of, story
from domain.facts import Fact

RAW_INSERT, APPEND, DESK = "raw INSERT", "Verbale: ledger", "Verbale: desk"
LIBRARY_SAVE, LIBRARY_COMMAND = "library: tell, save", "library: load, tell, save"
ABOUT_B = (
    "Ledger: facts made, written with their seals and inbox rows. Handler: JSON messages in, checked with the inbox,",
    "decided, recorded, answered. Library: aggregates with events, its default JSON; no seals, no inbox. Raw INSERT:",
    "the rows that the ledger wrote, into the same tables, their triggers taken off.",
)


@dataclass
class Appending:
    """`size` facts in each of some transactions: incidents of five facts each."""

    at: Store
    sizes: Sizes
    size: int
    transactions: int
    clock: Clock = field(default_factory=Clock)
    recorded: int = 0

    def measured(self) -> list[Figures]:
        """Every contender's figures."""
        names = {what: f"{what}_{self.size}" for what in ("append", "desk", "raw", "helpdesk")}
        with ExitStack() as stack:
            self.ours = stack.enter_context(closing(self.at.ledger(names["append"], self.clock)))
            desk_ledger = stack.enter_context(closing(self.at.ledger(names["desk"], self.clock)))
            self.desk = CommandHandler(desk_ledger, self.clock)
            self.desk.handle(contract_in_force())
            stack.enter_context(closing(self.at.ledger(names["raw"], self.clock)))
            self.bare = stack.enter_context(closing(self.at.bare(names["raw"])))
            self.bare.unguard()
            self.ours_bare = stack.enter_context(closing(self.at.bare(names["append"])))
            self.library = stack.enter_context(closing(HelpDesk(self.at.library(names["helpdesk"]))))
            contenders = [
                Contender(APPEND, self._append),  # first, because its rows are what raw INSERT inserts
                Contender(RAW_INSERT, self._raw),
                Contender(DESK, self._desk),
                Contender(LIBRARY_COMMAND if self.size == 1 else LIBRARY_SAVE, self._library),
            ]
            return contest(contenders, self.sizes.turns)

    @property
    def facts(self) -> int:
        """How many facts a turn records."""
        return self.size * self.transactions

    def _names(self) -> list[str]:
        self.recorded += 1
        return [f"I{self.recorded}-{number}" for number in range(self.facts // FACTS_A_STORY)]

    @contextmanager
    def _append(self) -> Iterator[Run]:
        self.before, names = self.ours.store.position(), self._names()
        yield lambda: self._append_all(names)
        expect(self.ours.store.position() - self.before, self.facts, "facts recorded")

    def _append_all(self, names: Iterable[str]) -> int:
        for some in batched(self._facts(names), self.size):
            batch = Batch()
            for fact, version in some:
                add(batch, fact, version)
            self.ours.append(batch)
        return self.facts

    def _facts(self, names: Iterable[str]) -> Iterator[tuple[Recorded, int]]:
        for name in names:
            for number, fact in enumerate(story(), 1):
                yield Recorded(f"incident-{name}", "busy", fact), number

    @contextmanager
    def _raw(self) -> Iterator[Run]:
        some = list(parts(self.ours_bare.written(self.before), self.size))
        expect(len(some), self.transactions, "transactions of raw rows")

        def run() -> int:
            for rows in some:
                self.bare.write(rows)
            return self.facts

        yield run

    @contextmanager
    def _desk(self) -> Iterator[Run]:
        raws = [raw for name in self._names() for raw in messages_of(name)]

        def run() -> int:
            for some in batched(raws, self.size):
                answered = self.desk.handle(some)
                if not all(isinstance(outcome, Done) for outcome in answered.outcomes):
                    raise AssertionError(f"refused: {answered.outcomes}")
            return self.facts

        yield run

    @contextmanager
    def _library(self) -> Iterator[Run]:
        stories = [story() for _ in self._names()]
        before = self.library.recorder.max_notification_id() or 0
        yield lambda: self._record_all(stories)
        expect((self.library.recorder.max_notification_id() or 0) - before, self.facts, "the library's events")

    def _record_all(self, stories: Sequence[Sequence[Fact]]) -> int:
        if self.size == 1:
            for opened, *others in stories:
                incident = self.library.tell_first(opened)
                for fact in others:
                    self.library.tell_on(incident, fact)
        else:
            for some in batched(stories, self.size // FACTS_A_STORY):
                self.library.tell_all(some)
        return self.facts


def measure_append(at: Store, sizes: Sizes, paper: Paper) -> None:
    """Part (b), on one store."""
    paper.about(ABOUT_B)
    for size, transactions in sizes.transactions:
        say(f"{at.kind}: appending {size} at a time")
        figures = Appending(at, sizes, size, transactions).measured()
        each = "1 fact" if size == 1 else f"{size} facts"
        title = f"Append, {each} in each transaction ({transactions} a turn)"
        paper.rates("b", at.kind, title, figures, (APPEND, DESK))
