"""Messages, clocks and stores that the tests of the adapters share."""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from adapters.imports.contract_file import assumed_terms
from adapters.inbox.handler import CommandHandler
from adapters.inbox.outcomes import Outcome
from adapters.store.ledger import Ledger
from adapters.store.sqlite import open_memory
from domain.values import read_instant
from support.servers import open_any, owner

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SOURCE = "helpdesk://test"
CONTRACT = "acme-2026"
INCIDENT = "INC0001234"
NOON = "2026-11-02T12:00:00Z"
HOUR = 3_600_000_000
MINUTE = 60_000_000


class Clock:
    """A clock that stands still until a test moves it; microseconds UTC."""

    def __init__(self, now: str = NOON) -> None:
        self.now = read_instant(now)

    def __call__(self) -> int:
        return self.now


def event(
    command: str,
    subject: str,
    time: str,
    data: dict[str, Any] | None = None,
    *,
    id: str | None = None,
    source: str = SOURCE,
    **others: Any,
) -> dict[str, Any]:
    """A CloudEvent as a producer writes it: `event("incident.open", "incident-INC0001234", ...)`."""
    said = data or {}
    content = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:8]
    return {
        "specversion": "1.0",
        "id": id or f"{command}/{subject}/{time}/{content}",
        "source": source,
        "type": f"verbale.{command}.v1",
        "subject": subject,
        "time": time,
        "data": said,
        **others,
    }


def wire(document: Any) -> bytes:
    """JSON text in UTF-8."""
    return json.dumps(document, ensure_ascii=False).encode()


def message(
    command: str,
    subject: str,
    time: str,
    data: dict[str, Any] | None = None,
    *,
    id: str | None = None,
    source: str = SOURCE,
    **others: Any,
) -> bytes:
    """The bytes of an `event`."""
    return wire(event(command, subject, time, data, id=id, source=source, **others))


def sign(contract: str = CONTRACT, time: str = "2025-12-15T10:00:00Z", **data: Any) -> bytes:
    """A signature under the assumed terms, in force from 2026 on."""
    terms = assumed_terms().model_dump(mode="json")
    said = {"in_force_from": "2026-01-01T00:00:00+01:00", "terms": terms, **data}
    return message("contract.sign", f"contract-{contract}", time, said)


def activate(contract: str = CONTRACT, time: str = "2025-12-15T10:05:00Z") -> bytes:
    """Assistenza activated from 2026 on."""
    data = {"option": {"service": "assistance"}, "effective": "2026-01-01T00:00:00+01:00"}
    return message("contract.activate_option", f"contract-{contract}", time, data)


def adopt(contract: str = CONTRACT, time: str = "2025-12-15T10:10:00Z") -> bytes:
    """A plain calendar of 2026."""
    week = {day: [["08:00", "18:00"]] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
    data = {
        "source": "test",
        "source_version": "1",
        "first_year": 2026,
        "last_year": 2026,
        "standard": week,
        "data_centre": week,
        "holidays": [{"day": "2026-01-01", "name": "Capodanno"}],
    }
    return message("contract.adopt_calendar", f"contract-{contract}", time, data)


def buy(
    contract: str = CONTRACT, package: str = "A", minutes: int = 600, time: str = "2026-01-02T09:00:00Z", **data: Any
) -> bytes:
    """A package of credits."""
    said = {"package": package, "minutes": minutes, "price": "500.00", **data}
    return message("credits.purchase", f"credits-{contract}", time, said)


def consume(work: str = "W1", minutes: int = 60, contract: str = CONTRACT, time: str = "2026-03-02T16:00:00Z") -> bytes:
    """Minutes worked for the incident."""
    data = {"work": work, "incident": INCIDENT, "minutes": minutes}
    return message("credits.consume", f"credits-{contract}", time, data)


def opening(incident: str = INCIDENT, time: str = "2026-03-02T08:00:00Z", id: str | None = None, **data: Any) -> bytes:
    """A request of the customer, under the contract unless `data` says otherwise."""
    said: dict[str, Any] = {"impact": "high", "urgency": "medium", "contract": CONTRACT, **data}
    return message("incident.open", f"incident-{incident}", time, said, id=id)


def charge(incident: str = INCIDENT, time: str = "2026-03-02T09:00:00Z", id: str | None = None) -> bytes:
    """A taking in charge."""
    return message("incident.take_in_charge", f"incident-{incident}", time, id=id)


def contract_in_force(contract: str = CONTRACT, **signature: Any) -> list[bytes]:
    """A signed contract with its option, its calendar and its credits."""
    return [sign(contract, **signature), activate(contract), adopt(contract), buy(contract)]


def names(outcomes: Sequence[Outcome]) -> list[str]:
    """The kinds of some outcomes."""
    return [type(outcome).__name__ for outcome in outcomes]


@contextmanager
def memory(clock: Clock) -> Iterator[Ledger]:
    """A ledger in memory, closed at the end."""
    ledger = open_memory(ledger_id="main", now=clock)
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def stored(place: Path | str, clock: Clock, *, create: bool = True, **options: Any) -> Iterator[Ledger]:
    """The ledger at a place (a path, or an address of a PostgreSQL store), closed at the end."""
    ledger = open_any(place, now=clock, create=create, **options)
    try:
        yield ledger
    finally:
        ledger.close()


def ingest(place: Path | str, raws: Sequence[bytes], clock: Clock | None = None) -> list[Outcome]:
    """Give one batch to the store at a place."""
    clock = clock or Clock()
    with stored(place, clock) as ledger:
        return CommandHandler(ledger, clock).handle(raws).outcomes


TABLES = ("stored_events", "seal", "inbox", "waiting", "refused")


def rows(place: Path | str, query: str) -> list[tuple[Any, ...]]:
    """Rows of a store, past every layer of ours; the key of stored_events is `rowid` on every store."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as file:
            return file.execute(query).fetchall()
    with owner(place) as connection:
        return connection.execute(query.replace("rowid", "notification_id").encode()).fetchall()


def change(place: Path | str, statement: str) -> None:
    """Change a store as its owner could, past every layer of ours."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as file, file:
            file.execute(statement)
    else:
        with owner(place) as connection:
            connection.execute(statement.encode())


def counts(place: Path | str) -> dict[str, int]:
    """How many rows each table of a store holds."""
    return {table: rows(place, f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


def envelopes(place: Path | str) -> list[tuple[dict[str, object], bytes, bytes]]:
    """Envelope, stored state and leaf hash of every fact, from the rows of the store alone."""
    ((ledger,),) = rows(place, "SELECT id FROM ledger")
    sealed = rows(
        place,
        "SELECT s.actor, s.contract, s.leaf, s.message, s.position, s.recorded_at, s.source, e.originator_id, "
        "e.originator_version, e.topic, e.state, s.leaf_hash FROM seal s JOIN stored_events e "
        "ON e.rowid = s.position ORDER BY s.leaf",
    )
    found = []
    for row in sealed:
        actor, contract, leaf, message_id, position, recorded_at, source, stream, version, topic, state, hashed = row
        envelope: dict[str, object] = {
            "actor": actor,
            "at": json.loads(state)["at"],
            "contract": contract,
            "leaf": leaf,
            "ledger": ledger,
            "message": message_id,
            "position": position,
            "private": [],
            "recorded_at": recorded_at,
            "seal": 1,
            "source": source,
            "state": hashlib.sha256(state).hexdigest(),
            "stream": stream,
            "type": topic,
            "version": version,
        }
        found.append((envelope, state, hashed))
    return found


def leaf_of(envelope: dict[str, object]) -> bytes:
    """The hash that seals an envelope, derived without our code."""
    return hashlib.sha256(b"\x00" + rfc8785.dumps(envelope)).digest()  # type: ignore[arg-type]


def check_log(place: Path | str) -> list[tuple[str, int, int]]:
    """Leaves and positions without gaps, instants that never decrease, versions without gaps, every hash as derived.

    Gives stream, version and leaf of each fact.
    """
    found = envelopes(place)
    versions: dict[object, list[object]] = {}
    for number, (envelope, _, hashed) in enumerate(found):
        assert (envelope["leaf"], envelope["position"]) == (number, number + 1)
        assert leaf_of(envelope) == hashed
        versions.setdefault(envelope["stream"], []).append(envelope["version"])
    recorded: list[Any] = [envelope["recorded_at"] for envelope, _, _ in found]
    assert recorded == sorted(recorded)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in versions.values())
    return [(str(one["stream"]), int(str(one["version"])), int(str(one["leaf"]))) for one, _, _ in found]


def child_environment() -> dict[str, str]:
    """What a child process needs to import the checkout and what its tests share."""
    return {**os.environ, "PYTHONPATH": f"{CHECKOUT}{os.pathsep}{CHECKOUT / 'tests'}"}


def child(script: str, *arguments: object) -> subprocess.Popen[str]:
    """A Python process that runs `script`; it starts working when it is sent a line, if it asks for one."""
    command = [sys.executable, "-P", "-c", script, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=child_environment(), stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def acceptance(name: str) -> Path:
    """A file of the acceptance data, which lies outside the checkout; skips (or fails, where asked) without it."""
    given = os.environ.get("VERBALE_ACCEPTANCE_DATA")
    folder = Path(given) if given else CHECKOUT.parent / "shared" / "data"
    if not folder.is_dir():
        why = f"no acceptance data at {folder}: VERBALE_ACCEPTANCE_DATA says where they are"
        if os.environ.get("VERBALE_REQUIRE_ACCEPTANCE") == "1":
            pytest.fail(why)
        pytest.skip(why)
    return folder / name
