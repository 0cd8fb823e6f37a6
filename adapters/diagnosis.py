"""What is wrong with a store and its live tables, and what to do about it."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from adapters.imports.holidays import Difference, changes_since, library_version
from adapters.live_tables.checkpoint import outdated
from adapters.live_tables.reporting import Reporting
from adapters.live_tables.status import StoreStatus, status_of
from adapters.reports.credits import CREDITS
from adapters.reports.parts import finding_of
from adapters.reports.wording import runs
from adapters.store.errors import DamagedStore, NewerStore, OlderStore
from adapters.store.ledger import Ledger
from adapters.store.silence import SHOWN_GAPS, missing, ranges, silences
from domain.adopted_calendars import ruling
from domain.contract import Contract
from domain.facts import FUTURE_TOLERANCE
from domain.local_time import local_midnight
from domain.values import HOUR, SECOND, instant_text, moment
from projections.history import History
from projections.readings import Reading
from projections.replay import Replay
from projections.working_days import first_day_without_calendar

LONGEST_LAG = 60 * SECOND
"""A projection that is further behind is not running, or cannot keep up."""
CALENDAR_ENDS_WITHIN = 90 * 24 * HOUR
"""`doctor` warns this long before the last covered day of a contract in force."""


class Remark(NamedTuple):
    """Something wrong, and what to do about it."""

    wrong: str
    do: str


def remarks(
    ledger: Ledger, reporting: Reporting | None, now: int, silence_hours: Mapping[str, float] | None = None
) -> Iterator[Remark]:
    """Everything that is wrong; `silence_hours` says, by source, how long it may be silent."""
    at = status_of(ledger, reporting, now)
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
    elif at.at.as_of > ledger.known_now(now) + FUTURE_TOLERANCE:
        yield Remark(
            f"the live tables are as of {instant_text(at.at.as_of)}, which has not come: a clock ran ahead",
            "set the clock of the machine that projects, then run: verbale rebuild",
        )
    elif at.lag_us > LONGEST_LAG:
        yield Remark(
            f"the live tables are {at.lag_positions} facts and {at.lag_us // SECOND} seconds behind",
            "see that verbale project is running, for good",
        )
    if reporting is not None and at.at is not None and outdated(ledger, at.at) is None:
        yield from _of_the_credits(reporting, at.at.readings[0])


def _of_the_credits(reporting: Reporting, reading: str) -> Iterator[Remark]:
    """What the live tables have found wrong with accounts: all facts would have to be replayed for it otherwise."""
    with reporting.snapshot():
        accounts = list(reporting.live.pick(CREDITS, ("contract", "findings"), {"reading": reading}, "contract"))
    for contract, findings in accounts:
        for finding in map(finding_of, findings):
            stream = shlex.quote(f"credits-{contract}")
            yield Remark(
                f"credits of {contract}: {finding.text} ({finding.code}, {finding.clause})",
                f"see versions {runs(finding.versions)} of its facts (verbale timeline {stream}), and rectify or "
                "reverse what is wrong",
            )


def _no_tables(reporting: Reporting | None) -> Remark:
    if reporting is not None and reporting.exists() and not reporting.fits:
        return Remark("the live tables are of another make than this program's", "run: verbale rebuild")
    return Remark("there are no live tables that this role may read: every report replays all facts", ADVICE_TO_PROJECT)


ADVICE_TO_PROJECT = "run, as the owner of the store: verbale project"


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
        yield Remark(f"{which} never heard, and {have} a silence alarm", ADVICE_ON_SILENCE)
    for silence in alarms:
        if silence.silent_us is not None and silence.too_long:
            told = f"is silent for {silence.silent_us / HOUR:.1f} hours, and may be for {silence.allowed_us / HOUR:g}"
            yield Remark(f"source {silence.source} {told}", ADVICE_ON_SILENCE)
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
    for renewal in contract.renewed_after_termination:
        if not contract.in_force(renewal.at):
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
    for spell in contract.in_force_intervals:
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


ADVICE_ON_SILENCE = "see that it runs and reaches us, and that silence_hours spells its name as its messages do"
