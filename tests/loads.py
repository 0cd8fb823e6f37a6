"""A load of messages as it may reach a broker, and what must be on record once all of it has been answered."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from messages_examples import Clock, activate, adopt, buy, check_log, event, memory, rows, sign, stored, wire

from adapters.desk import Desk
from adapters.ledger import Ledger
from bin import reports
from bin.reports import ReportName

AS_OF = "2026-06-30"
CONTRACTS = ("acme", "bios", "città")
PRODUCERS = ("desk:nord", "desk:sud/1", "monitor.one")
REPORTS: tuple[ReportName, ...] = ("compliance", "breach", "penalty")
DECIDED = {"answer", "packages", "minutes"}
"""What was decided with a fact rather than told by its producer: it may differ with the order of arrival."""
PROOF = {"findings", "versions", "purchases"}
"""Which facts prove a figure: their versions follow the order of arrival."""


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


def _numbered(told: list[dict[str, Any]]) -> list[bytes]:
    """Each with the source that tells it, which numbers its messages."""
    numbers: Counter[str] = Counter()
    found = []
    for index, one in enumerate(told):
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


def settled(place: Path | str, told: Load) -> bool:
    """Whether all of a load is on record or refused."""
    (inbox,), (refused,) = (rows(place, f"SELECT count(*) FROM {table}")[0] for table in ("inbox", "refused"))
    return bool(inbox >= len(told.good) and refused >= len(set(told.poison)))


def check(place: Path | str, told: Load, published: Iterable[dict[str, Any]]) -> None:
    """Everything was answered, once and for all, and what is on record is what a clean run records.

    `published` are the outcomes that producers could hear: the `data` of each.
    """
    check_log(place)
    identities = {(one["source"], one["id"]) for one in map(json.loads, told.good)}
    with memory(Clock("2026-11-26T12:00:00Z")) as clean, stored(place, Clock("2026-11-26T12:00:00Z")) as ledger:
        Desk(clean, Clock("2026-11-26T12:00:00Z")).handle(told.good)
        receipts = ledger.store.receipts(sorted(identities))
        assert set(receipts) == identities
        assert ledger.store.counts()["messages"] == len(identities)
        assert ledger.store.all_waiting() == []
        assert {row.message.raw for row in ledger.store.refused()} == set(told.poison)
        assert [gap for producer in PRODUCERS for gap in ledger.store.gaps(producer)] == []
        assert _said(ledger) == _said(clean)
        assert _figures(ledger) == _figures(clean)
    _check_published(list(published), {name: (r.stream, r.version, r.leaf) for name, r in receipts.items()}, told)


def _check_published(published: list[dict[str, Any]], recorded: dict[Any, tuple[Any, ...]], told: Load) -> None:
    heard: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for one in published:
        heard[one.get("source"), one.get("id"), one.get("sha256")].append(one)
    for (source, name), where in recorded.items():
        answers = heard.pop((source, name, None))
        final = [one for one in answers if one["outcome"] != "waiting"]
        assert final, f"{source} {name} was never told that it is recorded"
        for one in final:
            assert one["outcome"] in ("done", "duplicate")
            assert (one["stream"], one["version"], one["leaf"]) == where
    assert all(one["outcome"] == "refused" for answers in heard.values() for one in answers)
    assert len(heard) == len(set(told.poison))


def _said(ledger: Ledger) -> Counter[str]:
    """What producers said, as recorded: streams, types, fields; not what was decided with them."""
    found: Counter[str] = Counter()
    for entry in ledger.entries():
        told = {name: value for name, value in entry.fact.model_dump(mode="json").items() if name not in DECIDED}
        # What credits could not cover is told as a shortfall beside what they did: together, the work.
        kind = "work" if entry.fact.TYPE in ("credits.consumed.v1", "credits.shortfall_recorded.v1") else ""
        found[json.dumps([entry.stream, kind or entry.fact.TYPE, told], sort_keys=True)] |= 1
    return found


def _figures(ledger: Ledger) -> list[Any]:
    asked = reports.question(now=Clock("2026-11-26T12:00:00Z")(), as_of=AS_OF)
    made = [row for name in REPORTS for row in reports.make(name, ledger, asked).rows]
    return sorted((_without_proof(row) for row in made), key=repr)


def _without_proof(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_proof(inner) for name, inner in value.items() if name not in PROOF}
    return [_without_proof(inner) for inner in value] if isinstance(value, list | tuple) else value
