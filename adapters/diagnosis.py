"""How a store and its live tables stand, and what is wrong with them."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from adapters.imports.holidays import Difference, changes_since, library_version
from adapters.inbox.handler import HOUR
from adapters.live_tables.projector import Checkpoint, current, outdated
from adapters.live_tables.tables import Reporting
from adapters.store.ledger import DamagedStore, Gap, Ledger, NewerStore, OlderStore, SourceHeard
from domain.contract import Contract
from domain.facts import FUTURE_TOLERANCE
from domain.local_time import local_midnight
from domain.values import SECOND, instant_text, moment
from domain.working_time import ruling
from projections.as_of import Replay
from projections.history import History
from projections.readings import Reading
from projections.working_days import first_day_without_calendar

LONGEST_LAG = 60 * SECOND
"""A projection that is further behind is not running, or cannot keep up."""
CALENDAR_ENDS_WITHIN = 90 * 24 * HOUR
"""How long before the last covered day of a contract in force its end is told of."""
SHOWN_GAPS = 3
"""How many ranges of missing numbers are named where not all are asked for."""


class StoreStatus(NamedTuple):
    """The store and its live tables, at one moment. `lag_us`: for how long what is not projected has been known."""

    store: str
    ledger: str
    counts: dict[str, int]
    position: int
    recorded_until: int
    tables: str | None
    at: Checkpoint | None
    lag_us: int

    @property
    def projected(self) -> int:
        """The position that the live tables hold; 0 where there are none."""
        return self.at.position if self.at else 0

    @property
    def lag_positions(self) -> int:
        """How many facts are recorded and not in the live tables."""
        return self.position - self.projected

    @property
    def generation(self) -> int:
        """How many times the live tables have been built."""
        return self.at.generation if self.at else 0

    def told(self) -> dict[str, Any]:
        """As every format shows it."""
        at = self.at
        return {
            "store": self.store,
            "ledger": self.ledger,
            **self.counts,
            "position": self.position,
            "recorded_until": instant_text(self.recorded_until) if self.position else None,
            "live_tables": self.tables,
            "projected": at.position if at else None,
            "as_of": instant_text(at.as_of) if at else None,
            "lag_positions": self.lag_positions if at else None,
            "lag_seconds": self.lag_us // SECOND if at else None,
            "readings": list(at.readings) if at else [],
            "generation": at.generation if at else None,
            "next_change_at": instant_text(at.next_change) if at and at.next_change is not None else None,
            "stopped_at_position": at.stopped_at if at else None,
            "stopped_because": at.stopped_because if at else None,
        }


class Silence(NamedTuple):
    """A source that has an alarm: for how long it may be silent, and is, in microseconds; None: it was never heard."""

    source: str
    allowed_us: int
    silent_us: int | None

    @property
    def too_long(self) -> bool:
        """Whether the alarm goes off; for a source never heard it does, however short ago it was configured."""
        return self.silent_us is None or self.silent_us > self.allowed_us


def silences(sources: Iterable[SourceHeard], silence_hours: Mapping[str, float], now: int) -> list[Silence]:
    """The silence at `now` (microseconds UTC) of each source that has an alarm, by name."""
    last_heard = {heard.source: heard.last_heard for heard in sources}
    return [
        Silence(source, round(hours * HOUR), silent_for(last_heard[source], now) if source in last_heard else None)
        for source, hours in sorted(silence_hours.items())
    ]


def silent_for(last_heard: int, now: int) -> int:
    """For how long a source has been silent, in microseconds."""
    return max(0, now - last_heard)


def missing(gaps: Iterable[Gap]) -> int:
    """How many numbers some gaps hold."""
    return sum(gap.last - gap.first + 1 for gap in gaps)


def ranges(gaps: Sequence[Gap], most: int | None = None) -> list[str]:
    """Gaps as people write them, at most so many: ["3-5", "9", "..."]."""
    shown = [str(gap.first) if gap.first == gap.last else f"{gap.first}-{gap.last}" for gap in gaps[:most]]
    return [*shown, *(["..."] if len(shown) < len(gaps) else [])]


class Remark(NamedTuple):
    """Something wrong, and what to do about it."""

    wrong: str
    do: str


def standing(ledger: Ledger, reporting: Reporting | None, now: int) -> StoreStatus:
    """How things stand at `now` (microseconds UTC); `reporting` is None where there are no live tables."""
    at = current(reporting.live) if reporting is not None and reporting.exists() and reporting.fits else None
    unprojected = ledger.page(at.position, 1) if at else []
    known_since = [row.recorded_at for row in unprojected if row.recorded_at is not None]
    overdue = [at.next_change] if at and at.next_change is not None and at.next_change <= now else []
    return StoreStatus(
        store=ledger.store.place,
        ledger=ledger.id,
        counts=dict(ledger.store.counts()),
        position=ledger.store.position(),
        recorded_until=ledger.store.recorded_until(),
        tables=reporting.place if reporting and at else None,
        at=at,
        lag_us=max([0, *(now - since for since in (*known_since, *overdue))]),
    )


def remarks(
    ledger: Ledger, reporting: Reporting | None, now: int, silence_hours: Mapping[str, float] | None = None
) -> Iterator[Remark]:
    """Everything that is wrong; `silence_hours` says, by source, how long it may be silent."""
    at = standing(ledger, reporting, now)
    yield from _of_the_store(ledger, at, now)
    yield from _of_the_sources(ledger, silence_hours or {}, now)
    yield from _of_the_contracts(ledger, now)
    if at.at is None:
        yield _no_tables(reporting)
    elif at.at.stopped_at is not None:
        yield Remark(
            f"the live tables stopped before position {at.at.stopped_at}: {at.at.stopped_because}",
            "see to that fact (verbale timeline STREAM shows its stream; upgrade where a newer Verbale wrote it), "
            "then run: verbale project",
        )
    elif why := outdated(ledger, at.at):
        yield Remark(why, "run: verbale rebuild")
    elif at.at.as_of > max(now, at.recorded_until) + FUTURE_TOLERANCE:
        yield Remark(
            f"the live tables are as of {instant_text(at.at.as_of)}, which has not come: a clock ran ahead",
            "set the clock of the machine that projects, then run: verbale rebuild",
        )
    elif at.lag_us > LONGEST_LAG:
        yield Remark(
            f"the live tables are {at.lag_positions} facts and {at.lag_us // SECOND} seconds behind",
            "see that verbale project is running, for good",
        )


def _no_tables(reporting: Reporting | None) -> Remark:
    if reporting is not None and reporting.exists() and not reporting.fits:
        return Remark("the live tables are of another make than this program's", "run: verbale rebuild")
    return Remark("there are no live tables that this role may read: every report replays all facts", PROJECT)


PROJECT = "run, as the owner of the store: verbale project"


def _of_the_store(ledger: Ledger, at: StoreStatus, now: int) -> Iterator[Remark]:
    if at.recorded_until > now + FUTURE_TOLERANCE:
        yield Remark(
            f"the last fact was recorded at {instant_text(at.recorded_until)}, and it is {instant_text(now)} here",
            "set the clocks of the machines that record, and of this one",
        )
    for wrong, do in ledger.store.wrong():
        yield Remark(wrong, do)


def _of_the_sources(ledger: Ledger, silence_hours: Mapping[str, float], now: int) -> Iterator[Remark]:
    try:
        sources = ledger.store.sources()
    except OlderStore as error:
        yield Remark(str(error), "have its owner run, once and without mode=ro: verbale status")
        return
    alarms = silences(sources, silence_hours, now)
    if never := [silence.source for silence in alarms if silence.silent_us is None]:
        which, have = (
            (f"source {never[0]} was", "has") if len(never) == 1 else (f"sources {', '.join(never)} were", "have")
        )
        yield Remark(f"{which} never heard, and {have} a silence alarm", HEAR_IT)
    for silence in alarms:
        if silence.silent_us is not None and silence.too_long:
            told = f"is silent for {silence.silent_us / HOUR:.1f} hours, and may be for {silence.allowed_us / HOUR:g}"
            yield Remark(f"source {silence.source} {told}", HEAR_IT)
    for heard in sources:
        if gaps := ledger.store.gaps(heard.source):
            yield Remark(
                f"source {heard.source} has passed over {missing(gaps)} of its own sequence numbers: "
                f"{', '.join(ranges(gaps, SHOWN_GAPS))}",
                "have it send these again, and all else that may be lost (what is here already does no harm): "
                "verbale sources --gaps lists them all",
            )


class _OfContract(NamedTuple):
    """What is wrong with one contract, in words that hold for others too.

    `one` and `many` say it of {names}; `command`, where there is one, is what to run for each {name}.
    """

    contract: str
    one: str
    many: str
    do: str
    command: str = ""


def _of_the_contracts(ledger: Ledger, now: int) -> Iterator[Remark]:
    """What is wrong with contracts, and with the calendars of those that are or will be in force."""
    names = ledger.store.stream_names("contract-")
    try:
        history = History.of(ledger.entry(row) for row in ledger.store.stream_rows(names))
    except (DamagedStore, NewerStore):
        return  # said of the store, or of the live tables, which stop there
    found: dict[tuple[str, ...], list[str]] = {}
    for signed in Replay(history, Reading(), now).signed_contracts:
        contract = signed.contract
        for check in (
            _renewed_in_vain(contract),
            _without_calendar(contract, now),
            _otherwise_than_adopted(contract, now),
        ):
            for one in check:
                found.setdefault(one[1:], []).append(one.contract)
    yield from (_grouped(_OfContract("", *same), contracts) for same, contracts in found.items())


def _grouped(same: _OfContract, contracts: Sequence[str]) -> Remark:
    """One remark for all contracts with which the same is wrong; its commands can be pasted into a shell."""
    commands = "; ".join(same.command.replace("{name}", shlex.quote(name)) for name in contracts)
    return Remark(_named(same.one, same.many, contracts), same.do.replace("{commands}", commands))


def _named(one: str, many: str, names: Sequence[str]) -> str:
    """What is said of one thing, or of many, with their names."""
    return (one if len(names) == 1 else many).replace("{names}", ", ".join(names))


def _renewed_in_vain(contract: Contract) -> Iterator[_OfContract]:
    ended = contract.terminated_at
    for renewal in contract.renewals:
        if ended is not None and renewal.at >= ended:
            when = instant_text(renewal.at)
            yield _OfContract(
                contract.id,
                f"contract {{names}} was renewed on {when}, after its termination had taken effect: "
                "it is not in force again (G2)",
                f"contracts {{names}} were renewed on {when}, after their termination had taken effect: "
                "they are not in force again (G2)",
                "where the parties mean to go on, sign a new contract; where the termination was a mistake, rectify it",
            )


def _without_calendar(contract: Contract, now: int) -> Iterator[_OfContract]:
    for spell in contract.spells:
        begins = max(now, spell.start)
        day = first_day_without_calendar(contract, moment(begins).astimezone(contract.zone).date())
        begins = max(begins, local_midnight(contract.zone, day))
        if begins - now <= CALENDAR_ENDS_WITHIN and spell.holds(begins):
            uncovered = f"in force on {day}, and no adopted calendar covers that day: no clock can run there (H1)"
            yield _OfContract(
                contract.id,
                f"contract {{names}} is {uncovered}",
                f"contracts {{names}} are {uncovered}",
                "agree on the holidays (verbale calendar propose shows them), then run: {commands}",
                f"verbale calendar adopt {{name}} --years {day.year}",
            )


def _otherwise_than_adopted(contract: Contract, now: int) -> Iterator[_OfContract]:
    """Where the holidays library, upgraded since, says otherwise of days to come than the calendars that rule them."""
    coming = moment(now).astimezone(contract.zone).date() + timedelta(days=1)
    for chosen in contract.calendars:
        differences = [
            _difference(one)
            for one in changes_since(chosen)
            if one.day >= coming
            and ruling(contract.zone, contract.calendars, one.day)[0] is chosen
            and contract.in_force(local_midnight(contract.zone, one.day))
        ]
        if differences:
            adopted = (
                f"adopted the calendar {chosen.source} as version {chosen.source_version} of the library had it; "
                f"version {library_version()} says otherwise: {'; '.join(differences)}"
            )
            yield _OfContract(
                contract.id,
                f"contract {{names}} {adopted}",
                f"contracts {{names}} {adopted}",
                "what is adopted rules until the parties agree otherwise; if they do, run: {commands} (with its "
                "--subdivision); if they do not, record it again with a source of their own (verbale message example "
                "contract.adopt_calendar)",
                f"verbale calendar adopt {{name}} --years {chosen.first_year}-{chosen.last_year}",
            )


def _difference(found: Difference) -> str:
    if found.adopted is None:
        return f"{found.day} is a holiday ({found.proposed})"
    if found.proposed is None:
        return f"{found.day} is none ({found.adopted})"
    return f"{found.day} is called {found.proposed}, not {found.adopted}"


HEAR_IT = "see that it runs and reaches us, and that silence_hours spells its name as its messages do"
