"""Every figure of a history, under a reading, as of an instant, as known on a date (section 7)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from support.oracle import credits
from support.oracle.calendars import DAY, Calendar
from support.oracle.clocks import Clock, Request, judge_clock
from support.oracle.commitments import commitments
from support.oracle.contracts import Contract, Coverage, cover, route, takes_effect
from support.oracle.credits import FOR_EVER, takings
from support.oracle.money import penalty, share
from support.oracle.ratios import Judged, window_row
from support.oracle.record import (
    CHANGEABLE,
    CHANGES_OF_A_CONTRACT,
    EPOCH,
    MAY_BE_CONTESTED,
    MINUTE,
    Agreements,
    Fact,
    Reading,
    instant,
    known,
    what_counts,
)

LITERAL: Reading = {
    "rate": "figures",
    "unit": "incident",
    "population": "guaranteed",
    "window": "contract_year",
    "base": "purchased_to_date",
    "one_off": "contract",
    "reassessment": "declared",
    "suspensions": "excluded",
    "one_sided": "recorded",
    "undisclosed": "counted",
}
HORIZON = 100 * DAY * MINUTE


def effects(change: Fact) -> int:
    """From when a fact of a contract bears on requests, by what it says."""
    said = change.data.get("effective") or change.data.get("in_force_from")
    return change.at if said is None else instant(said)


def is_change(one: Fact, kinds: Sequence[str]) -> bool:
    """Whether a fact changes what a contract guarantees; of options only that of Assistenza does."""
    service = one.data.get("service") or one.data.get("option", {}).get("service", "assistance")
    return one.kind in kinds and service == "assistance"


def same(one: Fact, other: Fact) -> bool:
    """Whether two facts are one, told and corrected."""
    return (one.stream, one.version) == (other.stream, other.version)


def text_of(at: int) -> str:
    """An instant as messages write it."""
    return (EPOCH + timedelta(microseconds=at)).isoformat()


class World:
    """What is known of a history: its facts that count, and the contracts they make."""

    def __init__(self, facts: Sequence[Fact], reading: Reading, as_of: int, known_on: int) -> None:
        self.reading, self.as_of = reading, as_of
        self.known = known(facts, known_on)
        self.taken = takings(self.known)
        self._owners: dict[int, str | None] = {}
        self.agreements = Agreements(self.known, self.contract_of)
        self.facts = what_counts(self.known, self.agreements if reading["one_sided"] == "agreed" else None)
        recorded = what_counts(self.known)
        self.corrections = [one for one in recorded if one.kind in ("record.rectify", "record.annul")]
        self.as_told = {(one.stream, one.version): one for one in self.known}
        self.contracts = self._contracts(self.facts)
        self.calendars: dict[tuple[str, str], Calendar] = {}

    def contract_of(self, one: Fact) -> str | None:
        """The contract that a fact belongs to, by what was on record before it."""
        if one.stream.split("-", 1)[0] != "incident":
            return one.of
        if one.position not in self._owners:
            before = what_counts([earlier for earlier in self.known if earlier.position < one.position])
            opening = next(earlier for earlier in before if earlier.stream == one.stream)
            self._owners[one.position] = route(opening.data, opening.at, self._contracts(before))
        return self._owners[one.position]

    def _contracts(self, facts: Sequence[Fact]) -> dict[str, Contract]:
        names = sorted({one.of for one in facts if one.stream.startswith(("contract-", "credits-"))})
        return {name: Contract(name, facts, self.taken) for name in names}

    def contracts_for(self, opening: Fact) -> dict[str, Contract]:
        """Section 6, `one_sided`: changes told after an opening, though effective before it, judge it if agreed."""
        late = [one for one in self.facts if self.reading["one_sided"] == "agreed" and self.is_told_late(one, opening)]
        late = [one for one in late if not self.agreements.by_both(one)]
        return self._contracts([one for one in self.facts if one not in late]) if late else self.contracts

    def until_told(self, contract: Contract) -> Contract:
        """Section 6, `one_sided`: windows go on until an end that one party alone told late is told."""
        changed = []
        for one in contract.facts:
            alone = one.kind == "contract.terminate" and not self.agreements.by_both(one)
            if self.reading["one_sided"] == "agreed" and alone and takes_effect(one) < one.recorded_at:
                changed.append(replace(one, data={**one.data, "effective": text_of(one.recorded_at)}))
            else:
                changed.append(one)
        return Contract(contract.name, [*changed, *contract.account], contract.taken)

    def is_told_late(self, change: Fact, opening: Fact) -> bool:
        """Section 6: whether a change of a contract was recorded after an opening, though effective before it."""
        return is_change(change, CHANGES_OF_A_CONTRACT) and takes_effect(change) <= opening.at < change.recorded_at

    def target(self, right: Fact) -> Fact | None:
        """What a correction is about in the end: of the correction of a correction, what that one is about."""
        found = self.as_told.get((right.stream, right.data["version"]))
        is_correction = found is not None and found.kind in ("record.rectify", "record.annul")
        return self.target(found) if found is not None and is_correction else found

    def corrected_late(self, opening: Fact, contract: Contract) -> bool:
        """Section 6: whether what the contract said at an opening was rectified or annulled afterwards."""
        for right in self.corrections:
            target = self.target(right)
            if target is not None and target.stream == f"contract-{contract.name}" and is_change(target, CHANGEABLE):
                known_before = min(effects(one) for one in (target, *self.facts) if same(one, target))
                if known_before <= opening.at < right.recorded_at:
                    return True
        return False

    def calendar(self, contract: Contract, opening: Fact) -> Calendar:
        """H1, H2: the working minutes of a contract, of standard or of data-centre hours."""
        hours = "data_centre" if opening.data.get("data_centre") else "standard"
        if (contract.name, hours) not in self.calendars:
            start = min(one.at for one in self.facts if one.kind == "incident.open") - DAY * MINUTE
            told = [one for one in contract.facts if one.at <= self.as_of]
            self.calendars[contract.name, hours] = Calendar(contract.zone, told, hours, start, self.as_of + HORIZON)
        return self.calendars[contract.name, hours]

    def requests(self) -> list[Request]:
        """The requests opened by as_of."""
        found = []
        for opening in (one for one in self.facts if one.kind == "incident.open" and one.at <= self.as_of):
            told = sorted((one for one in self.facts if one.stream == opening.stream), key=lambda one: one.order)
            attributions = [one for one in told if one.kind == "incident.attribute_responsibility"]
            by_then = [one for one in told if one.at <= self.as_of]
            found.append(Request(opening, by_then, attributions, self.agreements, self.reading, self.as_of))
        return found


def judge(facts: Sequence[Fact], reading: Reading, as_of: int, known_on: int) -> dict[str, Any]:
    """Every figure: `compliance` by incident, `breach` and `penalty` by contract, `credits`, `queue`."""
    world = World(facts, {**LITERAL, **reading}, as_of, known_on)
    rows = [compliance_row(world, request) for request in world.requests()]
    signed = [contract for contract in world.contracts.values() if contract.signed(as_of)]
    windowed = [world.until_told(contract) for contract in signed]
    breach = {contract.name: window_rows(world, contract, rows) for contract in windowed}
    return {
        "compliance": {row["incident"]: row for row in rows},
        "breach": breach,
        "penalty": {one.name: penalty(one, breach[one.name], world.reading, as_of) for one in windowed},
        "credits": {
            one.name: credits.balance(one.account, one.taken, as_of)
            for one in world.contracts.values()
            if one in signed or one.account
        },
        "commitments": {one.name: commitments(one, as_of) for one in signed},
        "queue": queue(world, rows),
    }


def compliance_row(world: World, request: Request) -> dict[str, Any]:
    """G2, A2 to A5: a request with its coverage and, where it is guaranteed, its clocks."""
    opening = request.opening
    contracts = world.contracts_for(opening)
    coverage = cover(opening.data, opening.at, contracts)
    contract = contracts[coverage.contract] if coverage.contract else None
    clocks: dict[str, Clock] = {}
    spell = contract.spell(opening.at, world.as_of) if contract is not None and coverage.guaranteed else None
    ends = spell.end if spell else FOR_EVER
    if contract is not None and coverage.guaranteed:
        calendar = world.calendar(contract, opening)
        clocks = {name: judge_clock(name, request, contract, calendar, ends) for name in ("charge", "intervention")}
    name = coverage.contract or route(opening.data, opening.at, contracts)
    named = contracts.get(name) if name else None
    levels = named if named is not None and named.signed(world.as_of) else None
    system = opening.data.get("system")
    undisclosed = contract is not None and system is not None and not contract.has_declared(system, opening.at)
    excluded = undisclosed and world.reading["undisclosed"] == "excluded"
    if excluded:
        clocks = {
            name: replace(clock, verdict="void", decided_at=None, void_cause="undisclosed_system")
            for name, clock in clocks.items()
        }
    return {
        "incident": opening.of,
        "contract": name,
        "opened_at": opening.at,
        "coverage": coverage,
        "priority": request.assessments(levels, request.ended("intervention", ends).at)[-1][1] if levels else None,
        "clocks": clocks,
        "responsible": responsible(clocks.values()),
        "breach": responsible(clocks.values()) == "supplier",
        "is_open": request.is_open(),
        "is_handled": opening.data.get("requested_by", "customer") == "customer" and not request.void_closings(),
        "counts": not excluded,
        "agreed": {one.version: world.agreements.by_both(one) for one in request.facts if one.kind in MAY_BE_CONTESTED},
        "findings": findings(world, opening, coverage, world.contracts[levels.name] if levels else None),
    }


def responsible(clocks: Iterable[Clock]) -> str | None:
    """A4: a breach is the supplier's if that of one of its clocks is; none where no clock is breached."""
    whose = [one.responsible for one in clocks if one.verdict == "breached"]
    return "supplier" if "supplier" in whose else next(iter(whose), None)


def findings(world: World, opening: Fact, coverage: Coverage, under: Contract | None) -> set[str]:
    """G2: signed later than a request that its contract would have covered. A6: changed afterwards."""
    found = set()
    later = [
        one
        for one in world.contracts.values()
        if coverage.contract is None and is_signed_later(one, opening, world.as_of)
    ]
    if len(later) == 1:
        found.add("signed_later")
    if under is not None:
        told_late = any(world.is_told_late(one, opening) for one in under.facts)
        if told_late or world.corrected_late(opening, under):
            found.add("changed_afterwards")
    return found


def is_signed_later(contract: Contract, opening: Fact, as_of: int) -> bool:
    """Section 4: whether a request was opened between in_force_from and a later signature of the contract it means."""
    signature, said = contract.signed(as_of), opening.data
    if signature is None or not instant(signature.data["in_force_from"]) <= opening.at < signature.at:
        return False
    if said.get("contract") is not None:
        return bool(said["contract"] == contract.name)
    means = said.get("system") is not None and contract.has_declared(said["system"], opening.at)
    return means or said.get("customer") in signature.data.get("customers", [])


def window_rows(world: World, contract: Contract, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """P1: each window of a contract."""
    judged = [
        Judged(
            row["incident"],
            contract.name,
            row["opened_at"],
            tuple(row["clocks"].values()),
            row["is_handled"],
            row["counts"],
        )
        for row in rows
        if row["coverage"].contract == contract.name
    ]
    tolerance = share(contract.terms["tolerance"])
    windows = contract.windows(world.reading["window"], world.as_of)
    return [window_row(window, judged, world.reading, tolerance, world.as_of) for window in windows]


def queue(world: World, rows: Sequence[dict[str, Any]]) -> list[tuple[str, int]]:
    """G3: open requests: guaranteed, then best effort under a contract in force as of now, then the rest.

    Within each, the earliest due of the running clocks (none last), priority (none last), age, id.
    """
    entries = []
    for row in (row for row in rows if row["is_open"]):
        contract = world.contracts.get(row["contract"] or "")
        in_force = contract is not None and contract.in_force(world.as_of)
        tier = (1 if row["coverage"].guaranteed else 2) if in_force else 3
        dues = [one.due for one in row["clocks"].values() if one.ended.why == "running"]
        due = min((one for one in dues if one is not None), default=FOR_EVER)
        entries.append((tier, due, row["priority"] or 9, row["opened_at"], row["incident"]))
    return [(incident, tier) for tier, _, _, _, incident in sorted(entries)]
