"""A load of messages as it may reach a broker, and what must be on record once all of it has been answered."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.inbox.handler import CommandHandler
from adapters.inbox.outcome_events import outcome_data
from adapters.inbox.outcomes import Reply
from adapters.reports.question import question
from adapters.reports.report import ReportName, make
from adapters.store.ledger import Ledger
from adapters.store.records import Identity, Receipt
from bin.compose import clock
from support.messages import activate, adopt, buy, check_log, event, memory, rows, sign, stored, wire

AS_OF = "2026-06-30"
CONTRACTS = ("acme", "bios", "città")
PRODUCERS = ("desk:nord", "desk:sud/1", "monitor.one")
REPORTS: tuple[ReportName, ...] = ("compliance", "breach", "penalty")
DECIDED = {"answer", "packages"}
"""What Verbale decided when it recorded a fact, not what its producer sent: it may differ with the order of arrival."""
PROOF = {"findings", "versions", "purchases", "statements"}
"""Which facts prove a figure: their versions follow the order of arrival."""
RANGES = {"contract", "calendar", "credits"}
"""The same of other streams, in the evidence of a row."""


@dataclass(frozen=True)
class Load:
    """`good`: what happened, in order; `poison`: what must be refused; `arriving`: both, as they come."""

    good: list[bytes]
    poison: list[bytes]
    arriving: list[bytes]


def load(seed: int, incidents: int = 120, *, repeated: float = 0.10, poisoned: float = 0.01) -> Load:
    """A load in which everything goes wrong that producers and brokers can do wrong."""
    chance = random.Random(seed)
    good = _numbered([*_contracts(), *(one for number in range(incidents) for one in _incident(chance, number))])
    poison = _poison(max(1, round(len(good) * poisoned)))
    arriving = [*good, *chance.sample(good, round(len(good) * repeated)), *poison]
    chance.shuffle(arriving)
    return Load(good, poison, arriving)


def _contracts() -> Iterable[dict[str, Any]]:
    for contract in CONTRACTS:
        for raw in (sign(contract, customers=[f"customer of {contract}"]), activate(contract), adopt(contract)):
            yield json.loads(raw)
        for package in ("A", "B"):
            yield json.loads(buy(contract, package, minutes=60_000))


def _incident(chance: random.Random, number: int) -> Iterable[dict[str, Any]]:
    name, subject = f"INC-{number:05}/è", f"incident-INC-{number:05}/è"
    contract = chance.choice(CONTRACTS)
    minute = chance.randrange(90 * 24 * 60)
    named = chance.choice([{"contract": contract}, {"customer": f"customer of {contract}"}])
    grades = ("high", "medium", "low")
    request = {"impact": chance.choice(grades), "urgency": chance.choice(grades), **named}

    def at(later: int) -> str:
        nonlocal minute
        minute += later
        day, rest = divmod(minute, 24 * 60)
        return f"2026-{3 + day // 30:02}-{1 + day % 30:02}T{rest // 60:02}:{rest % 60:02}:00+01:00"

    yield event("incident.open", subject, at(0), request)
    yield event("incident.take_in_charge", subject, at(chance.randrange(1, 900)))
    if chance.random() < 0.4:
        yield event("incident.suspend", subject, at(chance.randrange(1, 300)), {"cause": "customer"})
        yield event("incident.resume", subject, at(chance.randrange(1, 900)))
    yield event("incident.start_intervention", subject, at(chance.randrange(1, 900)))
    used = {"work": f"work {number}", "incident": name, "minutes": chance.randrange(10, 120)}
    yield event("credits.consume", f"credits-{contract}", at(60), used)
    yield event("incident.resolve", subject, at(10))


def _numbered(events: list[dict[str, Any]]) -> list[bytes]:
    """Each as a message of one of the sources, which number their messages."""
    numbers: Counter[str] = Counter()
    found = []
    for index, one in enumerate(events):
        source = PRODUCERS[index % len(PRODUCERS)]
        numbers[source] += 1
        found.append(wire({**one, "source": source, "sequence": str(numbers[source])}))
    return found


def _poison(each: int) -> list[bytes]:
    """Every kind of message that can never be recorded, `each` of each."""
    found = []
    for number in range(each):
        name = f"poison {number}"
        sound = event("incident.open", f"incident-P{number}", "2026-03-02T08:00:00Z", {"impact": "high"})
        found += [
            f"\xff not UTF-8 {number}".encode("latin-1"),
            f"not JSON {number}".encode(),
            wire([number]),
            wire({"no": "CloudEvent", "number": number}),
            b'{"specversion": "1.0", "id": "twice", "id": "%d"}' % number,
            wire({**sound, "id": f"{name} lacks urgency"}),
            wire({**sound, "id": f"{name} type", "type": "verbale.incident.explode.v1"}),
            wire({**sound, "id": f"{name} subject", "subject": "contract-x"}),
            wire({**sound, "id": f"{name} offset", "time": "2026-03-02T08:00:00"}),
            wire({**sound, "id": f"{name} future", "time": "2199-03-02T08:00:00Z",
                  "data": {"impact": "high", "urgency": "low"}}),
            wire({**sound, "id": f"{name} field", "data": {"impact": "high", "urgency": "low", "colour": "red"}}),
            wire({**sound, "id": f"{name} long", "padding": "x" * 200_000}),
            wire({**sound, "id": f"{name} NUL\x00"}),
        ]  # fmt: skip
    return found


def settled(place: Path | str, sent: Load) -> bool:
    """Whether all of a load is on record or refused."""
    (inbox,), (refused,) = (rows(place, f"SELECT count(*) FROM {table}")[0] for table in ("inbox", "refused"))
    return bool(inbox >= len(sent.good) and refused >= len(set(sent.poison)))


def check(place: Path | str, sent: Load, published: Iterable[dict[str, Any]]) -> None:
    """Everything was answered, once and for all, and what is on record is what a clean run records.

    `published` are the outcomes that producers could hear: the `data` of each.
    """
    check_log(place)
    identities = {(one["source"], one["id"]) for one in map(json.loads, sent.good)}
    with memory(clock) as clean, stored(place, clock) as ledger:  # type: ignore[arg-type]
        refusals = CommandHandler(clean, clock).handle([*sent.good, *sent.poison]).replies[len(sent.good) :]
        receipts = ledger.store.receipts(sorted(identities))
        assert set(receipts) == identities
        assert ledger.store.counts()["messages"] == len(identities)
        assert ledger.store.all_waiting() == []
        assert ledger.store.unpublished() == 0
        assert {row.message.raw for row in ledger.store.refused()} == set(sent.poison)
        assert [gap for producer in PRODUCERS for gap in ledger.store.gaps(producer)] == []
        assert _said(ledger) == _said(clean)
        assert _figures(ledger) == _figures(clean)
    _check_published(published, receipts, refusals)


Whose = tuple[str | None, str | None, str | None]
"""Source and id of a message, or the SHA-256 of one in which they cannot be read."""


def _check_published(
    published: Iterable[dict[str, Any]], recorded: Mapping[Identity, Receipt], refusals: Iterable[Reply]
) -> None:
    """Of every message that was recorded producers heard where, and of every other by which clause it was refused."""
    final: dict[Whose, set[Any]] = defaultdict(set)
    for one in published:
        if one["outcome"] in ("done", "duplicate"):
            final[_whose(one)].add((one["stream"], one["version"], one["leaf"]))
        elif one["outcome"] == "refused":
            final[_whose(one)].add((one["clause"], one["field"]))
    expected: dict[Whose, set[Any]] = {
        (*identity, None): {(receipt.stream, receipt.version, receipt.leaf)} for identity, receipt in recorded.items()
    }
    for refused in map(outcome_data, refusals):
        assert refused["outcome"] == "refused"
        expected[_whose(refused)] = {(refused["clause"], refused["field"])}
    assert final == expected


def _whose(one: Mapping[str, Any]) -> Whose:
    return one.get("source"), one.get("id"), one.get("sha256")


def _said(ledger: Ledger) -> Counter[str]:
    """What producers said, as recorded, and how often: streams, types, fields; not what was decided with them.

    Of work, how many minutes: what credits could not cover is recorded as a shortfall, beside what they did.
    """
    found: Counter[str] = Counter()
    for entry in ledger.entries():
        said = {name: value for name, value in entry.fact.model_dump(mode="json").items() if name not in DECIDED}
        kind, times = entry.fact.TYPE, 1
        if kind in ("credits.consumed.v1", "credits.shortfall_recorded.v1"):
            kind, times = "work", said.pop("minutes")
        found[json.dumps([entry.stream, kind, said], sort_keys=True)] += times
    return found


def _figures(ledger: Ledger) -> list[Any]:
    asked = question(now=clock(), as_of=AS_OF)
    made = [row for name in REPORTS for row in make(name, ledger, asked).rows]
    return sorted((_without_proof(row) for row in made), key=repr)


def _without_proof(value: Any) -> Any:
    if isinstance(value, dict):
        evidence = {name: inner for name, inner in (value.get("evidence") or {}).items() if name not in RANGES}
        kept = {**value, "evidence": evidence} if "evidence" in value else value
        return {name: _without_proof(inner) for name, inner in kept.items() if name not in PROOF}
    return [_without_proof(inner) for inner in value] if isinstance(value, list | tuple) else value
