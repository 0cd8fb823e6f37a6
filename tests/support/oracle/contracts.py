"""What a contract says at an instant (G1, A6), where a request leads, and whether it is guaranteed (G2, S1)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from support.oracle.calendars import local_day, midnight
from support.oracle.credits import FOR_EVER, Taken, available
from support.oracle.record import Fact, instant

ROUTED_TWICE = "customer_of_several"


@dataclass(frozen=True)
class Coverage:
    """The answer given to a request (G2); `contract` is the signed contract that it comes under."""

    guaranteed: bool
    reason: str | None
    contract: str | None


@dataclass(frozen=True)
class Spell:
    """A time for which a contract is in force, half-open; `terms` are the instants at which its terms begin."""

    start: int
    end: int
    terms: tuple[int, ...]


class Contract:
    """The facts of one contract that count, and of its credit account."""

    def __init__(self, name: str, facts: Sequence[Fact], taken: dict[tuple[str, int], Taken]) -> None:
        self.name, self.taken = name, taken
        self.facts = sorted((one for one in facts if one.stream == f"contract-{name}"), key=lambda one: one.order)
        self.account = [one for one in facts if one.stream == f"credits-{name}"]

    def told(self, kind: str, at: int) -> list[Fact]:
        """The facts of a kind dated at or before an instant, in the order of their meaning."""
        return [one for one in self.facts if one.kind == f"contract.{kind}" and one.at <= at]

    def signed(self, at: int) -> Fact | None:
        """G1: nobody is under a contract before its signature."""
        return next(iter(self.told("sign", at)), None)

    @property
    def terms(self) -> dict[str, Any]:
        """What was signed."""
        signature = self.signed(FOR_EVER)
        assert signature is not None
        terms: dict[str, Any] = signature.data["terms"]
        return terms

    @property
    def zone(self) -> str:
        """By whose wall its days and hours are meant."""
        return str(self.terms.get("time_zone", "Europe/Rome"))

    def spells(self, at: int) -> list[Spell]:
        """G2: when the contract is in force, by what is dated at or before an instant.

        A renewal moves the end; told after it, it begins again from its own instant. Dated at or after a termination it
        revives nothing, unless it says that it revokes it and comes before it takes effect.
        """
        signature = self.signed(at)
        if signature is None:
            return []
        start = instant(signature.data["in_force_from"])
        spells = [Spell(start, end_of(signature.data.get("in_force_until")), (start,))]
        ending = self.told("terminate", at)
        for renewal in self.told("renew", at):
            before = [one for one in ending if one.at <= renewal.at]
            if before and not all(revoked(one, renewal) for one in before):
                continue
            ending = [one for one in ending if one not in before]
            spells = renewed(spells, renewal)
        ends = min((takes_effect(one) for one in ending), default=FOR_EVER)
        return [Spell(one.start, min(one.end, ends), one.terms) for one in spells if one.start < min(one.end, ends)]

    def spell(self, opened: int, at: int) -> Spell | None:
        """The time in force that holds an instant, by what is dated at or before another."""
        return next((one for one in self.spells(at) if one.start <= opened < one.end), None)

    def in_force(self, at: int) -> bool:
        """G2: whether it is in force at an instant, by what is dated at or before it."""
        return self.spell(at, at) is not None

    def assistance_active(self, at: int) -> bool:
        """G1: Assistenza is active once activated and effective, until its end takes effect."""
        activated = [
            (instant(one.data["effective"]), one.order, True)
            for one in self.told("activate_option", at)
            if one.data["option"].get("service", "assistance") == "assistance"
        ]
        ended = [
            (takes_effect(one), one.order, False)
            for one in self.told("end_option", at)
            if one.data["service"] == "assistance"
        ]
        changes = [change for change in activated + ended if change[0] <= at]
        return max(changes)[2] if changes else False

    def levels(self, at: int) -> dict[str, Any]:
        """A6: a request keeps the levels in force at its opening; a revision never takes effect before it is made."""
        revisions = [one for one in self.told("revise_service_level", at) if takes_effect(one) <= at]
        last = max(revisions, key=lambda one: (takes_effect(one), one.order), default=None)
        levels: dict[str, Any] = last.data["levels"] if last else self.terms["levels"]
        return levels

    def priority(self, said: dict[str, Any]) -> int:
        """A2: impact by urgency, by the matrix of the signed terms."""
        return int(self.terms["matrix"][said["impact"]][said["urgency"]])

    def has_declared(self, system: str, at: int) -> bool:
        """S1: whether a system was declared by then, and not withdrawn since."""
        told = [*self.told("declare_connected_system", at), *self.told("withdraw_connected_system", at)]
        about = sorted((one for one in told if one.data["system"] == system), key=lambda one: one.order)
        return bool(about) and about[-1].kind == "contract.declare_connected_system"

    def lists(self, customer: str, at: int) -> bool:
        """G2: whether a customer key routes to it at an instant."""
        signature = self.signed(at)
        return signature is not None and self.in_force(at) and customer in signature.data.get("customers", [])

    def windows(self, kind: str, as_of: int) -> list[tuple[int, int]]:
        """P1: the windows begun by as_of, half-open: the first from the in-force instant, later ones from midnights."""
        spells = self.spells(as_of)
        if not spells:
            return []
        edges, last = [spells[0].start], spells[-1].end
        for day in window_days(kind, local_day(self.zone, spells[0].start)):
            edge = midnight(self.zone, day)
            if edge >= last or edge > as_of:
                break
            if edge > edges[-1]:
                edges.append(edge)
        following = window_days(kind, local_day(self.zone, edges[-1]), local_day(self.zone, spells[0].start))
        ends = next((midnight(self.zone, day) for day in following), FOR_EVER)
        closed = [*edges[1:], min(ends, last)]
        return [(start, end) for start, end in zip(edges, closed, strict=True) if start <= as_of]


def window_days(kind: str, after: date, first: date | None = None) -> "list[date]":
    """P1: the days, later than one, on which windows begin; 29 February falls on the 28th in common years."""
    first = first or after
    days: list[date] = []
    for year in range(after.year, after.year + 12):
        if kind == "contract_year":
            leap = (first.month, first.day) == (2, 29) and not (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))
            days.append(date(year, first.month, 28 if leap else first.day))
        if kind == "calendar_year":
            days.append(date(year, 1, 1))
        if kind == "quarter":
            days += [date(year, month, 1) for month in (1, 4, 7, 10)]
    return [day for day in days if day > after]


def end_of(text: str | None) -> int:
    """The end of a contract; one without an end goes on for ever."""
    return FOR_EVER if text is None else instant(text)


def takes_effect(change: Fact) -> int:
    """Section 3: nothing takes effect before its own instant, be it recorded so or rectified so."""
    return max(instant(change.data["effective"]), change.at)


def revoked(termination: Fact, renewal: Fact) -> bool:
    """Issue 11, 17: a renewal that says so revokes a termination told before it that has not taken effect."""
    return bool(renewal.data.get("revokes_termination")) and renewal.at < takes_effect(termination)


def renewed(spells: Sequence[Spell], renewal: Fact) -> list[Spell]:
    """The times in force, with a renewal: each renewal begins a term where the one before it ends."""
    *earlier, last = spells
    until = instant(renewal.data["until"])
    if last.end == FOR_EVER or until <= last.end:
        return [*spells]
    if renewal.at <= last.end:
        return [*earlier, Spell(last.start, until, (*last.terms, last.end))]
    return [*spells, Spell(renewal.at, until, (renewal.at,))] if renewal.at < until else [*spells]


def route(said: dict[str, Any], at: int, contracts: dict[str, Contract]) -> str | None:
    """G2: the contract that a request names; else that of its customer; else that of its system, if one alone."""
    named = said.get("contract")
    if named is not None:
        return str(named)
    customer, system = said.get("customer"), said.get("system")
    ways: list[Callable[[Contract], bool]] = []
    if customer is not None:
        ways.append(lambda one: one.lists(customer, at))
    if system is not None:
        ways.append(lambda one: one.in_force(at) and one.has_declared(system, at))
    for leads_to in ways:
        found = [one.name for one in contracts.values() if leads_to(one)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def cover(said: dict[str, Any], at: int, contracts: dict[str, Contract]) -> Coverage:
    """G2: guaranteed, or best effort for the first reason that holds, by the facts dated at or before the opening."""
    name = route(said, at, contracts)
    contract = contracts.get(name) if name is not None else None
    if contract is None or contract.signed(at) is None:
        return Coverage(False, "no_contract", None)
    reasons = {
        "contract_not_in_force": not contract.in_force(at),
        "assistance_not_activated": not contract.assistance_active(at),
        "not_requested": said.get("requested_by", "customer") != "customer",
        "no_credits": available(contract.account, contract.taken, at) < 1,
    }
    reason = next((reason for reason, holds in reasons.items() if holds), None)
    return Coverage(reason is None, reason, contract.name)
