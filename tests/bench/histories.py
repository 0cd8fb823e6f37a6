"""Histories to measure with: the year of twenty contracts, and the year of one busy one. The same on every run."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from random import Random
from typing import Any, NamedTuple

from support.examples import HOLIDAYS_2026, HOUR, account_facts, bought, contract_facts, local, opened
from support.messages import Clock

from adapters.store.leaf import Origin
from adapters.store.ledger import Ledger
from adapters.store.records import Batch, NewFact, Receipt
from domain import contract as contracts
from domain import credits as accounts
from domain.contract import Contract
from domain.coverage import Requester, cover
from domain.credit_facts import CreditsConsumed, Draw
from domain.credits import CreditAccount
from domain.facts import Fact
from domain.incident_facts import (
    ClockResumed,
    ClockSuspended,
    IncidentClosed,
    IncidentOpened,
    IncidentReassessed,
    IncidentResolved,
    IncidentTakenInCharge,
    InterventionStarted,
    ResponsibilityAttributed,
)
from domain.terms import Clock as ServiceClock
from domain.terms import Impact, Urgency
from domain.values import MINUTE, Responsibility

SOURCE = "helpdesk://bench"
BATCH = 5000
_HOLIDAYS = {holiday.day for holiday in HOLIDAYS_2026}
_ASSESSED = [(impact, urgency) for impact in Impact for urgency in Urgency]


class Recorded(NamedTuple):
    """A fact of a stream, and the contract it belongs to."""

    stream: str
    contract: str | None
    fact: Fact


@dataclass
class Recorder:
    """Records facts in batches, each fact as the one message of its own; the clock moves with what is told."""

    ledger: Ledger
    clock: Clock
    done: int = 0
    _versions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _waiting: list[Recorded] = field(default_factory=list)

    def tell(self, told: Sequence[Recorded]) -> None:
        """Record some facts, sooner or later."""
        self._waiting += told
        while len(self._waiting) >= BATCH:
            some, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            self._record(some)

    def flush(self) -> int:
        """Record what waits; how many facts have been recorded."""
        if self._waiting:
            some, self._waiting = self._waiting, []
            self._record(some)
        return self.done

    def _record(self, told: Sequence[Recorded]) -> None:
        self.clock.now = max(self.clock.now, *(one.fact.at for one in told))
        batch = Batch()
        for one in told:
            self._versions[one.stream] += 1
            add(batch, one, self._versions[one.stream])
        self.ledger.append(batch)
        self.done += len(told)


def add(batch: Batch, told: Recorded, version: int) -> None:
    """Put a fact, with the receipt of the message that told it, into a batch."""
    message = f"{told.stream}/{version}"
    receipt = Receipt((SOURCE, message), sha256(message.encode()).digest(), told.stream, version, None)
    batch.receipts.append((receipt, len(batch.facts)))
    batch.facts.append(NewFact(told.stream, version, told.fact, Origin(told.contract, SOURCE, message, None)))


def working_days(first: date, last: date) -> list[date]:
    """The days from one to another on which contracts are worked."""
    days = (first + timedelta(number) for number in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5 and day not in _HOLIDAYS]


def at(day: date, hour: float) -> int:
    """An hour of a day in Rome."""
    return local(f"{day} 00:00") + round(hour * 3600) * 1_000_000


# --- the year of twenty contracts -------------------------------------------------------------------------------


@dataclass
class Year:
    """Incidents of a year under twenty contracts: about six facts each, some late, suspended, attributed."""

    incidents: int
    contracts: int = 20

    def record(self, ledger: Ledger, clock: Clock) -> int:
        """Record it, in order of instant; how many facts that makes."""
        recorder = Recorder(ledger, clock)
        told = [*self._contracts(), *(one for story in self.stories() for one in story)]
        recorder.tell(sorted(told, key=lambda one: one.fact.at))
        done = recorder.flush()
        clock.now = local("2026-12-20 12:00")
        return done

    def stories(self) -> Iterator[list[Recorded]]:
        """The facts of each incident, with the credits it consumed."""
        random, days = Random(2026), working_days(date(2026, 1, 2), date(2026, 12, 15))
        known = [self._known(number) for number in range(self.contracts)]
        for number in range(self.incidents):
            contract, account = known[number % self.contracts]
            yield list(self._story(random, f"N{number:07}", random.choice(days), contract, account))

    def _contracts(self) -> Iterator[Recorded]:
        for number in range(self.contracts):
            name = f"C{number:02}"
            for fact in contract_facts(customers=(f"customer {name}",)):
                yield Recorded(f"contract-{name}", name, fact)
            for credits in (*account_facts(), bought("B", 100_000)):
                yield Recorded(f"credits-{name}", name, credits)

    def _known(self, number: int) -> tuple[Contract, CreditAccount]:
        name = f"C{number:02}"
        signed = contracts.fold(name, contract_facts(customers=(f"customer {name}",)))
        return signed, accounts.fold(name, (*account_facts(), bought("B", 100_000)))

    def _story(
        self, random: Random, name: str, day: date, contract: Contract, account: CreditAccount
    ) -> Iterator[Recorded]:
        stream = f"incident-{name}"

        def told(fact: Fact) -> Recorded:
            return Recorded(stream, contract.id, fact)

        now = at(day, random.uniform(7.5, 17.5))
        impact, urgency = random.choice(_ASSESSED)
        asked: dict[str, Any] = {
            "impact": impact,
            "urgency": urgency,
            "requested_by": Requester.MONITORING if random.random() < 0.03 else Requester.CUSTOMER,
            "data_centre": random.random() < 0.05,
            **({"customer": f"customer {contract.id}"} if random.random() < 0.2 else {"contract": contract.id}),
        }
        if "customer" in asked:
            asked["contract"] = None
        yield told(opened(now, cover(contract, account, asked["requested_by"], now), **asked))
        late = random.random() < (0.14 if contract.id < "C04" else 0.05)
        now += round(random.uniform(30, 90) * HOUR) if late else round(random.uniform(5, 50) * MINUTE)
        yield told(IncidentTakenInCharge(at=now))
        if random.random() < 0.05:
            yield told(IncidentReassessed(at=now, impact=Impact.HIGH, urgency=urgency))
        if random.random() < 0.35:
            cause = random.choice(list(Responsibility))
            yield told(ClockSuspended(at=now + MINUTE, cause=cause))
            now += round(random.uniform(1, 30) * HOUR)
            yield told(ClockResumed(at=now))
        now += round(random.uniform(5, 120) * MINUTE)
        yield told(InterventionStarted(at=now))
        if random.random() < 0.02:
            return
        now += round(random.uniform(0.2, 20) * HOUR)
        yield told(IncidentResolved(at=now))
        if random.random() < 0.12:
            worked = {"work": f"work {name}", "incident": name, "minutes": random.randint(5, 30)}
            drawn = (Draw(package="B", minutes=worked["minutes"]),)  # type: ignore[arg-type]
            yield Recorded(f"credits-{contract.id}", contract.id, CreditsConsumed(at=now, packages=drawn, **worked))  # type: ignore[arg-type]
        if late and random.random() < 0.3:
            blamed = {"party": Responsibility.CUSTOMER, "clock": ServiceClock.CHARGE, "why": "nobody answered"}
            yield told(ResponsibilityAttributed(at=now, **blamed))  # type: ignore[arg-type]
        if random.random() < 0.9:
            yield told(IncidentClosed(at=now + HOUR))


# --- the year of one busy contract ------------------------------------------------------------------------------

BUSY = "busy"
NOON = local("2026-12-15 12:00")


@dataclass
class BusyYear:
    """One contract with many incidents of four facts each, 3% late; today, some run and some are suspended."""

    incidents: int
    waiting: int

    def record(self, ledger: Ledger, clock: Clock) -> int:
        """Record it day by day up to noon of 15 December; how many facts that makes."""
        recorder = Recorder(ledger, clock)
        for fact in contract_facts():
            recorder.tell([Recorded(f"contract-{BUSY}", BUSY, fact)])
        recorder.tell([Recorded(f"credits-{BUSY}", BUSY, bought("A", 100_000))])
        random, days = Random(2026), working_days(date(2026, 1, 2), date(2026, 12, 15))
        told: dict[date, list[Recorded]] = defaultdict(list)
        for number in range(self.incidents):
            day = days[number * len(days) // self.incidents]
            told[day] += self._story(random, f"N{number:07}", day, late=number % 33 == 16)
        for day in days:
            recorder.tell(sorted(told.pop(day, []), key=lambda one: one.fact.at))
        for number in range(self.waiting):
            recorder.tell(list(_waiting(number)))
        clock.now = NOON
        return recorder.flush()

    def spoil(self, ledger: Ledger, clock: Clock) -> int:
        """More incidents of the autumn, told now, that all were late: the tolerance is passed."""
        recorder = Recorder(ledger, clock)
        days = working_days(date(2026, 10, 1), date(2026, 12, 14))
        random, more = Random(1), self.incidents // 10 + 1
        for number in range(more):
            day = days[number * len(days) // more]
            recorder.tell(list(self._story(random, f"late{number:07}", day, late=True)))
        return recorder.flush()

    def _story(self, random: Random, name: str, day: date, *, late: bool) -> Iterator[Recorded]:
        today = day == date(2026, 12, 15)
        now = at(day, random.uniform(8, 9) if today else random.uniform(8, 14))
        # Impact high, urgency high: priority 1, to be taken in charge within a working hour.
        request = busy_opening(now, Impact.HIGH, Urgency.HIGH)
        charged = now + (2 * HOUR if late else round(random.uniform(5, 50) * MINUTE))
        started = charged + round(random.uniform(1, 30) * MINUTE)
        resolved = started + round(random.uniform(5, 20) * MINUTE)
        facts = [request, IncidentTakenInCharge(at=charged), InterventionStarted(at=started)]
        for fact in (*facts, IncidentResolved(at=resolved)):
            yield Recorded(f"incident-{name}", BUSY, fact)


def busy_opening(at: int, impact: Impact, urgency: Urgency) -> IncidentOpened:
    """A request under the busy contract."""
    answer = opened().answer.model_copy(update={"contract": BUSY})
    return opened(at, answer, contract=BUSY, impact=impact, urgency=urgency)


def _waiting(number: int) -> Iterator[Recorded]:
    """One that runs, with a week to go; and one that was suspended within minutes, with an hour to go."""
    opening = NOON - 3 * HOUR
    yield Recorded(f"incident-running{number:04}", BUSY, busy_opening(opening, Impact.LOW, Urgency.LOW))
    yield Recorded(f"incident-suspended{number:04}", BUSY, busy_opening(opening, Impact.HIGH, Urgency.HIGH))
    suspended = ClockSuspended(at=opening + 5 * MINUTE, cause=Responsibility.CUSTOMER)
    yield Recorded(f"incident-suspended{number:04}", BUSY, suspended)


def taken(number: int) -> tuple[Recorded, int]:
    """A taking in charge, with its version: it changes a row, and no ratio."""
    return Recorded(f"incident-running{number:04}", BUSY, IncidentTakenInCharge(at=NOON - HOUR)), 2


def turned_late(number: int) -> tuple[Recorded, int]:
    """A resumption told hours after, with its version: the clock had run on, and is in breach."""
    return Recorded(f"incident-suspended{number:04}", BUSY, ClockResumed(at=NOON - 3 * HOUR + 10 * MINUTE)), 3
