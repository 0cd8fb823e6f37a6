"""The commands that keep reporting tables (project, rebuild, replay) or show the state of the store and its tables."""

import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import FrameType
from typing import Annotated, Self

from cyclopts import Parameter

from adapters.diagnosis import remarks
from adapters.errors import AnswerIsNo
from adapters.live_tables.errors import BeingBuilt, NoTables, OutdatedTables
from adapters.live_tables.projector import Projector
from adapters.live_tables.rebuild import build
from adapters.live_tables.reporting import Reporting
from adapters.live_tables.status import status_of
from adapters.reports.question import HOUSE_ZONE, Question, question
from adapters.reports.wording import Writing
from adapters.store.errors import LockedStore, LostRace, UnreachableStore
from adapters.store.ledger import Ledger
from adapters.store.recorder import Notifications
from bin.commands.console import Plain, show_facts, show_remarks
from bin.commands.options import Where, chosen_by, ledger_of, progress, tell_of_nothing_known
from bin.compose import clock, open_readable, open_replay, open_reporting
from bin.language import Words
from bin.settings import Settings

LONGEST_WAIT = 1.0
"""Seconds after which the log is read again, though no notification came."""
SHORTEST_WAIT = 0.05
LONGEST_AWAY = 60.0
"""Seconds after which we give up on a server that does not answer."""


def project(*, once: Annotated[bool, Parameter(negative="")] = False, where: Where | None = None) -> None:
    """Keep the live tables current: made where there are none, then kept within a second of the record.

    Ends when interrupted. Exit status 2 where a fact cannot be projected: it is named, and nothing after it is.

    Parameters
    ----------
    once
        Bring them up to date, and end.
    """
    chosen, say = chosen_by(where)
    with _Stop() as stop:
        _keep_current(chosen, say, stop, once=once)
    with ledger_of(chosen) as ledger, closing(open_reporting(chosen)) as reporting:
        at = status_of(ledger, reporting, clock())
        print(f"{say('position')} {at.projected} {say('of')} {at.position}, {say('lag')} {at.lag_positions}")


def _keep_current(chosen: Settings, say: Words, stop: "_Stop", *, once: bool) -> None:
    """Project until asked to stop (or, `once`, until nothing is left).

    Waits for a server that does not answer and for tables that another process holds, a while; for tables that another
    process builds, as long as it takes.
    """
    waiting_since: float | None = None
    printed: set[str] = set()

    def print_once(what: str) -> None:
        if what not in printed:
            print(what, flush=True)
        printed.add(what)

    while not stop.asked:
        try:
            with _projector(chosen) as (projector, ledger, reporting):
                _make_current(projector, ledger, say, stop, print_once)
                more = projector.step()
                waiting_since = None
                print_once(f"{say('live tables')}: {reporting.location}")
                if once:
                    if more:
                        _catch_up(projector, ledger, say, stop)
                    return
                with ledger.store.notifications() as notifications:
                    _follow(projector, notifications, stop)
        except (OutdatedTables, BeingBuilt):
            pass  # another process builds them, or this one does in the next round
        except (UnreachableStore, LockedStore, LostRace, NoTables) as error:
            waiting_since = waiting_since or time.monotonic()
            gone = once and isinstance(error, UnreachableStore)
            if gone or time.monotonic() - waiting_since > LONGEST_AWAY:
                raise
        stop.wait(LONGEST_WAIT)


class _Stop:
    """Whether this process was asked to end, by a signal: the step in hand is finished first."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def wait(self, seconds: float) -> None:
        """Wait so long, unless asked to end meanwhile."""
        until = time.monotonic() + seconds
        while not self.asked and time.monotonic() < until:
            time.sleep(SHORTEST_WAIT)

    def heeded_by(self, advance: Callable[[int], None]) -> Callable[[int], None]:
        """The same callback; it ends the work that calls it once this process was asked to end."""

        def advance_unless_asked(done: int) -> None:
            if self.asked:
                raise KeyboardInterrupt
            advance(done)

        return advance_unless_asked

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


@contextmanager
def _projector(chosen: Settings) -> Iterator[tuple[Projector, Ledger, Reporting]]:
    with ledger_of(chosen) as ledger, closing(open_reporting(chosen, create=True)) as reporting:
        yield Projector(ledger, reporting, clock), ledger, reporting


def _make_current(
    projector: Projector, ledger: Ledger, say: Words, stop: "_Stop", print_once: Callable[[str], None]
) -> None:
    """Build the tables where there are none, or where another program made them, or from another log."""
    why = projector.outdated()
    if why is None:
        return
    print_once(f"{say(why)}: {say('building them')}")
    with progress(say("rebuilding"), ledger.store.position(), count=True) as advance:
        _warn_of_old_tables(projector.rebuild(stop.heeded_by(advance), unless_current=True))


def _warn_of_old_tables(kept: str | None) -> None:
    if kept:
        print(f"verbale: {kept}", file=sys.stderr)


def _catch_up(projector: Projector, ledger: Ledger, say: Words, stop: "_Stop") -> None:
    start, last = ledger.store.position() - projector.behind(), ledger.store.position()
    with progress(say("projecting"), max(0, last - start) or None) as advance:
        while projector.step() and not stop.asked:
            advance(last - start - projector.behind())


def _follow(projector: Projector, notifications: Notifications, stop: _Stop) -> None:
    while not stop.asked:
        if not projector.step():
            at = projector.wakes_at()
            until = LONGEST_WAIT if at is None else min(LONGEST_WAIT, max(0.0, (at - clock()) / 1_000_000))
            notifications.wait(until)


def rebuild(*, where: Where | None = None) -> None:
    """Make the live tables anew from every fact, beside the old ones, and swap them in one step.

    Who reads meanwhile reads the old ones whole, then the new ones whole. Interrupted, it leaves the old ones.
    """
    chosen, say = chosen_by(where)
    with _projector(chosen) as (projector, ledger, reporting):
        with progress(say("rebuilding"), ledger.store.position(), count=True) as advance:
            _warn_of_old_tables(projector.rebuild(advance))
        at = status_of(ledger, reporting, clock())
        print(f"{say('live tables')}: {reporting.location}")
        print(f"{say('generation')} {at.generation}, {say('position')} {at.projected} {say('of')} {at.position}")


def replay(
    *,
    into: str,
    reading: str = "literal",
    as_of: str | None = None,
    known_on: str | None = None,
    where: Where | None = None,
) -> None:
    """Make the same tables at another time or under another reading, somewhere else; never the live ones.

    Parameters
    ----------
    into
        A new SQLite file (replay.db), or a new schema of the store's database.
    reading
        The reading of the contract: literal, or choices that depart from it: rate=words,unit=clock,...
    as_of
        Judge as of this instant (2025-12-31T18:00:00+01:00) or the end of this day (2025-12-31); else known-on.
    known_on
        Use only what was recorded by then; else everything recorded.
    """
    chosen, say = chosen_by(where)
    with ledger_of(chosen) as ledger:
        now = ledger.known_now(clock())
        asked = question(now=now, reading=reading, as_of=as_of, known_on=known_on)
        tell_of_nothing_known(ledger, asked, "table", say)
        position = ledger.store.position(asked.known_on)
        with closing(open_replay(chosen, into)) as reporting, reporting.alone():
            try:
                _replay(ledger, reporting, asked, position, say)
            except BaseException:
                reporting.abandon()
                raise
            print(f"{say('replayed into')} {reporting.location}")
    print(f"{say('position')} {position}, {say('reading')} {Writing(say, HOUSE_ZONE).reading(asked.reading.name)}")


def _replay(ledger: Ledger, reporting: Reporting, asked: Question, position: int, say: Words) -> None:
    with progress(say("rebuilding"), position, count=True) as advance:
        token = build(
            ledger, reporting, (asked.reading,), 1, clock, position=position, as_of=asked.as_of, advance=advance
        )  # fmt: skip
    with reporting.transaction():
        reporting.swap(token)


def status(*, format: Plain = "table", where: Where | None = None) -> None:
    """How the store and its live tables stand: facts, messages, positions, lag.

    Parameters
    ----------
    format
        table or json.
    """
    chosen, say = chosen_by(where)
    with ledger_of(chosen) as ledger, _tables_of(chosen) as reporting:
        at = status_of(ledger, reporting, clock())
    show_facts(at.shown(), format, say, instants=("recorded_until", "as_of", "next_change_at"))


def doctor(*, format: Plain = "table", where: Where | None = None) -> None:
    """What is wrong with the store and its live tables, and what to do about it. Exit status 1 where anything is.

    Parameters
    ----------
    format
        table or json.
    """
    chosen, say = chosen_by(where)
    with ledger_of(chosen) as ledger, _tables_of(chosen) as reporting:
        found = list(remarks(ledger, reporting, clock(), chosen.silence_hours))
    # JSON is for machines, and stays English.
    language = Words("en" if format == "json" else say.language)
    shown = [{name: language.sentence(text) for name, text in remark._asdict().items()} for remark in found]
    if where is not None and where.store is not None and where.store.startswith("sqlite:"):  # others hold passwords
        shown = [{**remark, "do": _on_store(remark["do"], where.store)} for remark in shown]
    show_remarks(shown, format, say)
    if found:
        raise AnswerIsNo


def _on_store(advice: str, store: str) -> str:
    """The advice with its commands naming the store that was asked about: pasted, they must not act on another."""
    return _ADVISED.sub(lambda command: f"{command[0]} --store {shlex.quote(store)}", advice)


_ADVISED = re.compile(
    r"verbale (?:project(?! is running)|rebuild|status|sources --gaps|timeline (?:STREAM|FLUSSO)"
    r"|calendar adopt (?:'[^']*'|\S+) --years [\d-]+)"
)
"""The commands that advice names, whole."""


@contextmanager
def _tables_of(chosen: Settings) -> Iterator[Reporting | None]:
    """The live tables, to read; None where there are none that we may read."""
    reporting = open_readable(chosen)  # how the store stands can be said all the same
    if reporting is None:
        yield None
    else:
        with closing(reporting):
            yield reporting
