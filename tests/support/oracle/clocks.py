"""The two clocks of a request: what they count, what ends them, what they show (A2 to A5, H3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from support.oracle.calendars import Calendar
from support.oracle.contracts import Contract
from support.oracle.record import MINUTE, Agreements, Fact, Reading, is_void

STOPS = {
    "charge": ("incident.take_in_charge", "incident.start_intervention", "incident.resolve", "incident.close"),
    "intervention": ("incident.start_intervention", "incident.resolve", "incident.close"),
}
Interval = tuple[int, int]


@dataclass(frozen=True)
class Ended:
    """When a clock ended and why: "stopped", a void closing's reason, "contract_ended"; else as_of and "running"."""

    at: int
    why: str
    rank: int = 0


@dataclass(frozen=True)
class Clock:
    """One clock as of an instant. `decided_at` is when it became met or breached; `breached` before that, or None."""

    target: int
    net_us: int | None
    suspended_us: int | None
    due: int | None
    verdict: str
    decided_at: int | None
    responsible: str
    ended: Ended
    void_cause: str | None


@dataclass(frozen=True)
class Request:
    """One incident: its facts that count and are dated by as_of, in the order of their meaning."""

    opening: Fact
    facts: Sequence[Fact]
    attributions: Sequence[Fact]
    agreements: Agreements
    reading: Reading
    as_of: int

    def of(self, kind: str) -> list[Fact]:
        """Its facts of a kind."""
        return [one for one in self.facts if one.kind == f"incident.{kind}"]

    def void_closings(self) -> list[Fact]:
        """Section 5: the void closings that no reopening dated after them (by instant, then version) has undone."""
        reopened = self.of("reopen")
        return [
            one for one in self.of("close") if is_void(one) and not any(later.order > one.order for later in reopened)
        ]

    def is_conclusive(self, closing: Fact) -> bool:
        """Section 5: whether the customer, or both parties, say that the request is void."""
        return (closing.data.get("by") or "supplier") == "customer" or self.agreements.by_both(closing)

    def no_case(self) -> str | None:
        """Section 5: why it is none: the customer, or both, closed it as void, whatever its clocks show."""
        return next((str(one.data["reason"]) for one in self.void_closings() if self.is_conclusive(one)), None)

    def is_open(self) -> bool:
        """G3: whether somebody still has to deal with it."""
        last = [one.kind for one in self.facts if one.kind in ("incident.resolve", "incident.close", "incident.reopen")]
        return not last or last[-1] == "incident.reopen"

    def ended(self, clock: str, contract_ends: int) -> Ended:
        """A5: the earliest stop; else what ends a clock that still runs: a void closing, or the contract's end."""
        stops = [one.at for one in self.facts if one.kind in STOPS[clock] and self.is_stop(one)]
        ends = [Ended(at, "stopped", 0) for at in stops]
        ends += [Ended(one.at, one.data["reason"], 1) for one in self.void_closings()]
        ends.append(Ended(contract_ends, "contract_ended", 2))
        first = min(ends, key=lambda one: (one.at, one.rank))
        return first if first.at <= self.as_of else Ended(self.as_of, "running")

    def is_stop(self, one: Fact) -> bool:
        """Section 3: a robot's receipt stops no clock. Section 5: a void closing is no resolution."""
        return not one.data.get("automatic", False) and not (one.kind == "incident.close" and is_void(one))

    def suspensions(self, until: int) -> list[Interval]:
        """A4: Suspend replaces the cause, Resume ends all; the supplier's own cause takes nothing off."""
        found: list[Interval] = []
        since: int | None = None
        for one in self.facts:
            if one.kind in ("incident.suspend", "incident.resume"):
                if since is not None:
                    found.append((since, one.at))
                counts = one.kind == "incident.suspend" and one.data["cause"] != "supplier"
                since = one.at if counts and self.reading["suspensions"] == "excluded" else None
        if since is not None:
            found.append((since, until))
        return [*found, *self.closed_by_the_customer(until)]

    def closed_by_the_customer(self, until: int) -> list[Interval]:
        """Section 5: the time between a void closing by the customer, or by both, and its reopening does not count."""
        closed = [one for one in self.of("close") if is_void(one) and self.is_conclusive(one)]
        reopened = self.of("reopen")
        return [
            (one.at, min((after.at for after in reopened if after.order > one.order), default=until)) for one in closed
        ]

    def assessments(self, contract: Contract, until: int) -> list[tuple[int, int]]:
        """A2: the priority as declared; under `latest` each change of it too, with its instant."""
        found = [(self.opening.at, contract.priority(self.opening.data))]
        if self.reading["reassessment"] == "latest":
            for one in self.of("reassess"):
                priority = contract.priority(one.data)
                if one.at <= until and priority != found[-1][1]:
                    found.append((one.at, priority))
        return found

    def responsible(self, clock: str) -> str:
        """A4: a breach is the supplier's unless the last attribution recorded for that clock says otherwise."""
        about = [one for one in self.attributions if one.data["clock"] == clock]
        return str(max(about, key=lambda one: one.version).data["party"]) if about else "supplier"


def judge_clock(clock: str, request: Request, contract: Contract, calendar: Calendar, contract_ends: int) -> Clock:
    """A3, H3: judged on net, never on the due instant."""
    opened = request.opening.at
    ended = request.ended(clock, contract_ends)
    reassessed_at, priority = request.assessments(contract, ended.at)[-1]
    target = int(contract.levels(opened)[f"p{priority}"][clock])
    running = running_minutes(request, calendar, ended)
    net = count(running.open, calendar, opened, ended.at)
    # Where no calendar covers the opening nothing is known, be the clock suspended since or only just started.
    began_out_of_reach = not is_covered(calendar, opened, opened + MINUTE)
    out_of_reach = began_out_of_reach or count(running.uncovered, calendar, opened, ended.at) > 0
    working = count(calendar.open, calendar, opened, ended.at)
    suspended_now = any(begins <= ended.at < ends for begins, ends in request.suspensions(ended.at + 1))
    due, exceeded = reaches(running, calendar, opened, target)
    if due is not None and suspended_now and due > ended.at:
        due = None
    is_breached = net > target * MINUTE
    decided_at: int | None = None
    if is_breached:
        verdict, decided_at = "breached", max(exceeded, reassessed_at)
    elif out_of_reach:
        verdict = "undecided"
    elif ended.why == "stopped":
        verdict, decided_at = "met", ended.at
    else:
        verdict = "running" if ended.why == "running" else "void"
    void_cause = request.no_case() or (ended.why if verdict == "void" else None)
    if request.no_case():
        verdict, decided_at = "void", None
    return Clock(
        target=target,
        net_us=None if out_of_reach else net,
        suspended_us=working - net if is_covered(calendar, opened, max(ended.at, opened + MINUTE)) else None,
        due=due,
        verdict=verdict,
        decided_at=decided_at,
        responsible=request.responsible(clock),
        ended=ended,
        void_cause=void_cause,
    )


@dataclass(frozen=True)
class Running:
    """Of every minute of a calendar, whether the clock counts it, and whether it runs where no calendar covers it."""

    open: bytearray
    uncovered: bytearray


def running_minutes(request: Request, calendar: Calendar, ended: Ended) -> Running:
    """H3, A4: working minutes that no suspension takes off; after its end a suspension has no effect."""
    size = len(calendar.open)
    counts = bytearray(b"\1" * size)
    for begins, ends in request.suspensions(ended.at):
        first = min(begins, ended.at) // MINUTE - calendar.first
        last = -(-min(ends, ended.at) // MINUTE) - calendar.first
        counts[first:last] = bytes(last - first)
    bits = int.from_bytes(counts, "big")
    working = bits & int.from_bytes(calendar.open, "big")
    uncovered = bits & ~int.from_bytes(calendar.covered, "big")
    every = int.from_bytes(b"\1" * size, "big")
    return Running(bytearray(working.to_bytes(size, "big")), bytearray((uncovered & every).to_bytes(size, "big")))


def count(minutes: bytearray, calendar: Calendar, begins: int, ends: int) -> int:
    """How many microseconds of the minutes marked lie between two instants."""
    first, last = begins // MINUTE - calendar.first, ends // MINUTE - calendar.first
    whole = minutes[first:last].count(1) * MINUTE
    return whole + minutes[last] * (ends % MINUTE) - minutes[first] * (begins % MINUTE)


def is_covered(calendar: Calendar, begins: int, ends: int) -> bool:
    """Whether calendars cover all the time between two instants."""
    return calendar.covered.find(0, begins // MINUTE - calendar.first, -(-ends // MINUTE) - calendar.first) < 0


def reaches(running: Running, calendar: Calendar, opened: int, target: int) -> tuple[int | None, int]:
    """When net reaches the target (None where calendars do not reach), and the first working microsecond after it."""
    at = opened // MINUTE - calendar.first
    for _ in range(target):
        at = running.open.find(1, at) + 1
        if at == 0:
            return None, 0
    due, following = at, running.open.find(1, at)
    is_known = running.uncovered.find(1, opened // MINUTE - calendar.first, due) < 0
    return (due + calendar.first) * MINUTE if is_known else None, (following + calendar.first) * MINUTE + 1
