"""A made-up year of four contracts, always the same: as messages, recorded like anybody's.

alfa-2025 is always on time with its requests, not with its other services: a visit is late, another missed, hours are
worked beyond those committed. bravo-2025 passes its tolerance by one case, so that the ten or five per cent of P2 shows
in euro. charlie-2025 runs out of credits, and declares a connected system too late. delta-2025 is renewed, then
terminated while a clock runs. On the way: suspensions, a disputed attribution, a holiday, a Saturday by agreement,
revised levels, data-centre nights, a message sent twice and one that overtakes another.
"""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from adapters.imports.contract_file import assumed_terms
from adapters.imports.contract_messages import activate_message, calendar_message, purchase_message, sign_message
from adapters.inbox.messages import cloud_event
from adapters.store.url import store_url
from bin.cli import run
from bin.commands.options import words
from domain.terms import Terms

AS_OF = "2026-01-01"
SOURCE = "helpdesk:demo"
ROME = ZoneInfo("Europe/Rome")

REPORTS = (
    ("compliance", "--as-of", AS_OF),
    ("breach", "--as-of", AS_OF),
    ("credits", "--as-of", AS_OF),
    ("penalty", "--as-of", AS_OF),
    ("commitments", "--as-of", AS_OF),
    ("systems", "--as-of", AS_OF),
)
"""What the demo asks for, as one would type it after `verbale report`."""

WHAT_NEXT = """
Try next (verbale is bin/verbale in a checkout):
  verbale explain B-09 --as-of {as_of} --store {store}
      why a request suspended for hours was not late, slice by slice
  verbale report penalty --reading rate=words --as-of {as_of} --store {store}
      the same penalty, read by the words of the contract
  verbale report breach --reading one_sided=agreed --as-of {as_of} --store {store}
      what the supplier wrote down alone does not count
  verbale timeline incident-B-21 --store {store}
      every fact of a disputed incident, as recorded
  verbale calendar alfa-2025 --from 2025-11-24 --to 2025-11-30 --store {store}
      the working hours of a week with a Saturday added by agreement
  verbale contract example > acme.toml; verbale contract sign acme.toml
      your own contract, in a store of your own"""


@dataclass(frozen=True)
class Story:
    """A request: when it came (local), how grave, and how many minutes later what happened to it."""

    id: str
    opened: str
    grade: str
    charged: int
    started: int
    resolved: int = 0
    kind: str = "incident"
    data_centre: bool = False
    system: str | None = None
    requested_by: str = "customer"
    pause: tuple[int, int, str] | None = None
    blame: tuple[str, str, str] | None = None
    worked: int = 0


GRADES = {
    "1": ("high", "high"),
    "2": ("high", "medium"),
    "3": ("medium", "medium"),
    "4": ("low", "medium"),
    "5": ("low", "low"),
}
NIGHT = 11 * 60
WEEKEND = 3 * 24 * 60

ALFA = (
    Story("A-01", "2025-01-15 09:10", "3", 25, 95, 240, worked=120),
    Story("A-02", "2025-02-04 10:00", "2", 40, 150, 300, kind="bug", worked=180),
    Story("A-03", "2025-03-12 19:10", "1", 45, 70, 110, data_centre=True, worked=60),
    Story("A-04", "2025-04-24 17:30", "1", 3 * 1440 + 1440 - 545, 4 * 1440 - 480, 4 * 1440 - 400, worked=90),
    Story("A-05", "2025-05-20 11:30", "4", 90, 200, 260, kind="support", worked=60),
    Story("A-06", "2025-06-17 20:30", "1", NIGHT + 50, NIGHT + 100, NIGHT + 160, data_centre=True, worked=120),
    Story("A-07", "2025-07-08 08:45", "5", 120, 340, 420, kind="user_support", worked=45),
    Story("A-08", "2025-09-09 14:20", "3", 35, 130, 190, worked=75),
    Story("A-09", "2025-10-14 09:00", "2", 50, 170, 330, pause=(60, 120, "customer"), worked=150),
    Story("A-10", "2025-11-19 10:40", "3", 20, 75, 200, kind="bug", worked=90),
    Story("A-11", "2025-11-29 09:30", "3", 50, 120, 190, worked=60),
)

BRAVO = (
    Story("B-01", "2025-01-09 09:15", "3", 30, 110, 200, worked=60),
    Story("B-02", "2025-01-21 14:05", "2", 45, 140, 230, worked=90),
    Story("B-03", "2025-02-06 10:20", "4", 70, 160, 240, kind="support", worked=30),
    Story("B-04", "2025-02-18 08:50", "1", 95, 130, 240, worked=150),
    Story("B-05", "2025-03-04 11:00", "3", 25, 90, 150, worked=60),
    Story("B-06", "2025-03-13 15:30", "3", 40, 100, 140, kind="bug", worked=45),
    Story("B-07", "2025-03-27 09:40", "2", 60, 180, 300, worked=120),
    Story("B-08", "2025-04-08 16:10", "5", 60, 95, 105, kind="user_support", worked=30),
    Story("B-09", "2025-04-15 09:00", "2", 410, 470, 530, pause=(40, 370, "customer"), worked=90),
    Story("B-10", "2025-04-29 10:10", "3", 35, 120, 260, worked=75),
    Story("B-11", "2025-05-13 09:30", "3", 30, 150, 210, worked=60),
    Story("B-12", "2025-05-22 14:45", "2", 30, 100, 180, worked=60),
    Story("B-13", "2025-06-05 08:40", "1", 50, 300, 420, pause=(60, 120, "third_party"), worked=180),
    Story("B-14", "2025-06-19 11:20", "4", 100, 230, 300, worked=45),
    Story("B-15", "2025-07-01 10:00", "3", 45, 160, 240, kind="bug", worked=90),
    Story("B-16", "2025-07-10 09:25", "3", 20, 80, 130, worked=45),
    Story("B-17", "2025-07-24 15:00", "1", 75, 110, 170, kind="recovery", worked=120),
    Story("B-18", "2025-08-05 09:50", "3", 55, 140, 230, worked=60),
    Story("B-19", "2025-08-14 16:30", "2", 40, WEEKEND + 1440 - 480, WEEKEND + 1440 - 420, worked=90),
    Story("B-20", "2025-09-02 10:30", "4", 60, 150, 210, worked=30),
    Story(
        "B-21", "2025-09-16 09:00", "1", 130, 160, 260,
        blame=("customer", "charge", "the customer's line was engaged for the first hour"), worked=120,
    ),
    Story("B-22", "2025-09-30 14:15", "3", 30, 120, 180, worked=60),
    Story("B-23", "2025-10-09 08:55", "3", 40, 130, 220, worked=75),
    Story("B-24", "2025-10-23 11:10", "2", 70, 190, 280, worked=90),
    Story("B-25", "2025-11-04 09:20", "5", 110, 260, 330, kind="user_support", worked=30),
    Story("B-26", "2025-11-13 10:05", "3", 35, 95, 170, worked=60),
    Story("B-27", "2025-11-20 15:40", "4", 45, 90, 120, kind="support", worked=30),
    Story("B-28", "2025-12-02 09:10", "2", 150, 200, 290, worked=90),
    Story("B-29", "2025-12-11 10:50", "3", 25, 105, 160, worked=45),
)  # fmt: skip

CHARLIE = (
    Story("C-01", "2025-02-11 09:35", "3", 30, 120, 260, worked=240),
    Story("C-02", "2025-04-03 10:15", "2", 50, 160, 320, worked=180),
    Story("C-03", "2025-06-12 14:30", "3", 40, 110, 190, system="web shop", worked=240),
    Story("C-04", "2025-09-18 09:05", "1", 240, 300, 420, worked=120),
    Story("C-05", "2025-10-28 11:45", "3", 60, 150, 230, requested_by="monitoring", system="warehouse", worked=0),
    Story("C-06", "2025-12-10 09:30", "3", 35, 140, 220, system="warehouse", worked=90),
)

DELTA = (
    Story("D-01", "2025-03-18 10:00", "3", 40, 120, 200, worked=60),
    Story("D-02", "2025-08-26 11:15", "2", 45, 150, 240, worked=120),
)


def demo(folder: Path = Path("verbale-demo"), /) -> None:
    """A made-up year of a provider's contracts, recorded and reported. Start here.

    Parameters
    ----------
    folder
        Where the messages and the store are written.
    """
    say = words()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "messages.jsonl"
    write_messages(file)
    store = store_url(folder / "verbale.db")
    language = ("--language", say.language)
    for typed in (("ingest", str(file)), *(("report", *asked) for asked in REPORTS)):
        print(f"\n$ verbale {shlex.join([*typed, '--store', store])}\n", flush=True)
        run([*typed, "--store", store, *language])
    print(say(WHAT_NEXT).format(store=shlex.quote(store), as_of=AS_OF))


def write_messages(file: Path) -> None:
    """Write the year, one message a line."""
    lines = (json.dumps(message, ensure_ascii=False) for message in in_order_of_arrival())
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def in_order_of_arrival() -> list[dict[str, Any]]:
    """As the messages come in: by time, but for one sent twice and one that overtakes its incident's opening."""
    found = sorted(messages(), key=lambda message: str(message["time"]))
    twice = next(message for message in found if message["id"] == "B-12:take_in_charge")
    overtaken = next(index for index, message in enumerate(found) if message["id"] == "B-20:open")
    found[overtaken], found[overtaken + 1] = found[overtaken + 1], found[overtaken]
    return [*found, twice]


def messages() -> Iterator[dict[str, Any]]:
    """Every message of the year."""
    terms = assumed_terms().model_copy(update={"source": "signed"})
    signed, first, after = _at("2024-12-16 00:00"), _at("2025-01-01 00:00"), _at("2026-01-01 00:00")
    ends = {"delta": _at("2025-07-01 00:00")}
    bought = {
        "alfa": (3000, "3600.00"), "bravo": (6000, "8000.00"), "charlie": (600, "900.00"), "delta": (1200, "1500.00")
    }  # fmt: skip
    for name, (minutes, price) in bought.items():
        contract = f"{name}-2025"
        yield sign_message(SOURCE, contract, signed, first, terms, [name], ends.get(name, after))
        yield activate_message(SOURCE, contract, signed, first)
        yield calendar_message(SOURCE, contract, signed, 2025, 2026, "MI")
        yield purchase_message(SOURCE, contract, first, "2025", minutes, price, after)
    yield purchase_message(
        SOURCE, "charlie-2025", _at("2025-12-01 09:00"), "2025-12", 300, "450.00", _at("2026-07-01 00:00")
    )
    for name, stories in (("alfa", ALFA), ("bravo", BRAVO), ("charlie", CHARLIE), ("delta", DELTA)):
        for story in stories:
            yield from _incident(f"{name}-2025", story)
    yield from _other_services("alfa-2025", signed, first)
    yield from _agreed_later("alfa-2025", terms)
    yield from _connected_systems("charlie-2025")
    yield from _renewed_and_terminated("delta-2025")
    claim = {"amount": "800.00", "reading": "literal"}
    paid = {"amount": "400.00", "reading": "rate=words"}
    known = {"as_of": _at("2025-12-15 00:00"), "known_on": _at("2025-12-15 00:00")}
    yield _message("contract", "bravo-2025", "claim_penalty", _at("2025-12-16 10:00"), {**claim, **known})
    yield _message("contract", "bravo-2025", "settle_penalty", _at("2025-12-29 12:00"), {**paid, **known})


OPERATION = {
    "service": "operation",
    "monitoring": ["uptime", "page load time"],
    "committed_minutes": 600,
    "per": "quarter",
    "activities": ["email campaigns", "lead nurturing"],
    "review_every": "quarter",
}
MAINTENANCE = {
    "service": "maintenance",
    "activities": [
        {"name": "software updates", "visits": 1, "per": "quarter"},
        {"name": "restore test", "visits": 1, "per": "year"},
    ],
    "infrastructure": False,
}
WORKED = (
    ("2025-02-13 12:00", "email campaigns", 600),
    ("2025-05-15 12:00", "lead nurturing", 480),
    ("2025-09-11 12:00", "email campaigns", 690),
    ("2025-10-21 12:00", "price lists", 120),
    ("2025-11-12 12:00", "lead nurturing", 600),
)
REVIEWS = ("2025-03-27 15:00", "2025-06-26 15:00", "2025-12-18 15:00")
VISITS = (
    ("2025-03-20 09:00", "software updates", False),
    ("2025-07-09 09:00", "software updates", False),
    ("2025-07-16 09:00", "software updates", False),
    ("2025-09-24 09:00", "restore test", True),
)
"""One for the first quarter; two in the third, so that one is the second quarter's, late; none in the fourth."""


def _other_services(contract: str, signed: str, first: str) -> Iterator[dict[str, Any]]:
    """Conduzione (O1) and Manutenzione (M1): what was agreed, and what was done."""
    for option in (OPERATION, MAINTENANCE):
        yield _contract_message(contract, "activate_option", signed, {"option": option, "effective": first})
    for number, (local, activity, minutes) in enumerate(WORKED, 1):
        work = {"work": f"W-{number}", "activity": activity, "minutes": minutes, "by": "consultant-1"}
        yield _contract_message(contract, "record_operation_hours", _at(local), work)
    for local in REVIEWS:
        review = {"indicators": ["open rate", "qualified leads"], "participants": ["customer-1", "consultant-1"]}
        yield _contract_message(contract, "hold_review", _at(local), review)
    for local, activity, infrastructure in VISITS:
        visit = {"activity": activity, "by": "technician-1", "infrastructure": infrastructure}
        yield _contract_message(contract, "record_visit", _at(local), visit)


def _agreed_later(contract: str, terms: Terms) -> Iterator[dict[str, Any]]:
    """Stricter levels from the second half of the year (A6), and a Saturday (H4)."""
    levels = {**terms.levels.model_dump(mode="json"), "p3": {"charge": 180, "intervention": 720}}
    effective = _at("2025-07-01 00:00")
    yield _contract_message(
        contract, "revise_service_level", _at("2025-06-16 10:00"), {"levels": levels, "effective": effective}
    )
    saturday = {"dates": ["2025-11-29"], "windows": [["09:00", "13:00"]]}
    yield _contract_message(contract, "extend_coverage", _at("2025-11-17 16:00"), saturday)


def _connected_systems(contract: str) -> Iterator[dict[str, Any]]:
    """One declared in time, the other only after a request that affected it (S1)."""
    for local, system in (("2025-01-08 10:00", "web shop"), ("2025-11-05 10:00", "warehouse")):
        yield _contract_message(contract, "declare_connected_system", _at(local), {"system": system})


def _renewed_and_terminated(contract: str) -> Iterator[dict[str, Any]]:
    """Signed until June, renewed until December, ended in October while a clock runs, which is void (G2)."""
    yield _contract_message(contract, "renew", _at("2025-06-10 11:00"), {"until": _at("2026-01-01 00:00")})
    ending = {"effective": _at("2025-11-01 00:00"), "why": "the customer moves to another supplier"}
    yield _contract_message(contract, "terminate", _at("2025-09-30 10:00"), ending)
    late_request = {"customer": "delta", "impact": "low", "urgency": "low", "requested_by": "customer"}
    yield _message("incident", "D-03", "open", _at("2025-10-31 16:20"), late_request)


def _contract_message(contract: str, verb: str, at: str, data: dict[str, Any]) -> dict[str, Any]:
    """A message of a kind of which a contract has several: its id has the day, and what it is about."""
    message = _message("contract", contract, verb, at, data)
    about = data.get("activity") or data.get("system") or data.get("option", {}).get("service")
    return {**message, "id": ":".join(filter(None, (message["id"], at[:10], about)))}


TOLD_LATER = 12 * 24 * 60
"""How many minutes after the fact the help desk recorded to whom a delay is due."""


def _incident(contract: str, story: Story) -> Iterator[dict[str, Any]]:
    impact, urgency = GRADES[story.grade]
    request = {
        "customer": contract.partition("-")[0],
        "impact": impact,
        "urgency": urgency,
        "kind": story.kind,
        "requested_by": story.requested_by,
        "data_centre": story.data_centre,
        **({"system": story.system} if story.system else {}),
    }

    def after(minutes: int) -> str:
        return _at(story.opened, minutes)

    yield _message("incident", story.id, "open", after(0), request)
    yield _message("incident", story.id, "take_in_charge", after(story.charged), {})
    yield _message("incident", story.id, "start_intervention", after(story.started), {})
    if story.pause:
        start, end, cause = story.pause
        yield _message("incident", story.id, "suspend", after(start), {"cause": cause})
        yield _message("incident", story.id, "resume", after(end), {})
    if story.blame:
        party, clock, why = story.blame
        blame = {"party": party, "clock": clock, "why": why, "by": "supplier"}
        said = _message("incident", story.id, "attribute_responsibility", after(story.resolved), blame)
        yield {**said, "recordedtime": after(story.resolved + TOLD_LATER)}
    yield _message("incident", story.id, "resolve", after(story.resolved), {})
    yield _message("incident", story.id, "close", after(story.resolved + 5), {"reason": "resolved"})
    if story.worked:
        work = {"work": f"T-{story.id}", "incident": story.id, "minutes": story.worked}
        message = _message("credits", contract, "consume", after(story.resolved), work)
        yield {**message, "id": f"{story.id}:consume"}


def _message(kind: str, name: str, verb: str, at: str, data: dict[str, Any]) -> dict[str, Any]:
    message = cloud_event(kind, name, verb, at, data, source=SOURCE, message_id=f"{name}:{verb}", recorded=at)
    return {**message, "actor": "desk-1"}


def _at(local: str, minutes: int = 0) -> str:
    """A local time of Rome and some minutes later, as an instant with its offset."""
    start = datetime.fromisoformat(local).replace(tzinfo=ROME)
    # Minutes are added to what the clock on the wall shows: no story here lasts through a change of the hour.
    return (start + timedelta(minutes=minutes)).isoformat()
