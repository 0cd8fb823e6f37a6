"""A ServiceNow incident log, one row per change, read into rows by incident.

Rows that cannot be used are quarantined with their line and the reason, while the rest goes on.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.imports.csv_table import BadTable, Quarantined, read_table
from domain.values import microseconds

COLUMNS = (
    "number", "incident_state", "sys_mod_count", "opened_at", "sys_updated_at", "location", "impact", "urgency",
    "assigned_to",
)  # fmt: skip
UNKNOWN = "?"
NEW, RESOLVED, CLOSED = "New", "Resolved", "Closed"
SUSPENDING = {
    "Awaiting User Info": "customer",
    "Awaiting Evidence": "customer",
    "Awaiting Vendor": "third_party",
}
STATES = {NEW, "Active", "Awaiting Problem", RESOLVED, CLOSED, *SUSPENDING}
GRADES = {"1": "high", "2": "medium", "3": "low"}

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,150}")
_DATE = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2(\d{4}) (\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class LogRow:
    """One change of one incident; instants in microseconds UTC."""

    line: int
    number: str
    state: str
    mod_count: int
    opened_at: int
    updated_at: int
    location: str
    impact: str | None
    urgency: str | None
    assigned: bool
    content: str
    raw: dict[str, str]

    @property
    def cause(self) -> str | None:
        """The cause of the suspension in this state; None where the clocks run."""
        return SUSPENDING.get(self.state)


@dataclass
class IncidentLog:
    """A log read: its incidents, each with its rows in order, and what was quarantined."""

    incidents: dict[str, list[LogRow]] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)
    rows: int = 0

    @property
    def last_instant(self) -> int | None:
        """The last update of the log, in microseconds UTC."""
        return max((row.updated_at for rows in self.incidents.values() for row in rows), default=None)


def read_log(path: Path, time_zone: str = "Europe/Rome", on_bytes: Callable[[int], None] | None = None) -> IncidentLog:
    """Read a log: plain, .gz or .xz. `on_bytes` is called with the bytes read so far. Raises BadTable."""
    zone = zone_named(time_zone)
    log = IncidentLog()
    by_number: dict[str, list[LogRow]] = defaultdict(list)
    made = partial(_log_row, zone)
    for read in read_table(path, "ServiceNow incident log", COLUMNS, made, on_bytes=on_bytes):
        log.rows += 1
        if isinstance(read, Quarantined):
            log.quarantined.append(read)
        else:
            by_number[read.number].append(read)
    for number, rows in by_number.items():
        usable = _from_first_known(sorted(rows, key=lambda row: (row.updated_at, row.mod_count, row.line)), log)
        if usable:
            log.incidents[number] = usable
    log.quarantined.sort()
    return log


def zone_named(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises BadTable."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadTable(f"no time zone is called {name}: give an IANA name, as Europe/Rome") from None


def _from_first_known(rows: Sequence[LogRow], log: IncidentLog) -> list[LogRow]:
    """The opening needs impact and urgency: rows before the first that has both are quarantined."""
    for index, row in enumerate(rows):
        if row.impact and row.urgency:
            return list(rows[index:])
        unknown = "impact" if not row.impact else "urgency"
        log.quarantined.append(Quarantined(row.line, f"the first row of {row.number} has no known {unknown}", row.raw))
    return []


def _log_row(zone: ZoneInfo, line: int, raw: dict[str, str]) -> LogRow:
    number, state = raw["number"].strip(), raw["incident_state"].strip()
    location = raw["location"].strip() or UNKNOWN
    if number in ("", UNKNOWN):
        raise ValueError("cannot be read: it has no number")
    for column, name in (("number", number), ("location", location)):
        if not _NAME.fullmatch(name):
            raise ValueError(f"cannot be read: {column} is no name of 1 to 150 characters")
    if state not in STATES:
        raise ValueError(f"unknown incident_state {state}")
    if not raw["sys_mod_count"].strip().isdecimal():
        raise ValueError(f"cannot be read: sys_mod_count {raw['sys_mod_count']} is no number")
    opened_at = local_instant(raw["opened_at"].strip(), zone)
    updated_at = local_instant(raw["sys_updated_at"].strip(), zone)
    if updated_at < opened_at:
        raise ValueError(f"sys_updated_at {raw['sys_updated_at']} is before opened_at {raw['opened_at']}")
    content = "\x1f".join(raw.values())
    return LogRow(
        line=line,
        number=number,
        state=state,
        mod_count=int(raw["sys_mod_count"]),
        opened_at=opened_at,
        updated_at=updated_at,
        location=location,
        impact=_grade("impact", raw["impact"].strip()),
        urgency=_grade("urgency", raw["urgency"].strip()),
        assigned=raw["assigned_to"].strip() not in ("", UNKNOWN),
        content=sha256(content.encode()).hexdigest()[:12],
        raw=raw,
    )


def _grade(column: str, text: str) -> str | None:
    if text in ("", UNKNOWN):
        return None
    grade = GRADES.get(text.partition("-")[0].strip())
    if grade is None:
        raise ValueError(f"cannot be read: {column} {text} is none of 1 - High, 2 - Medium, 3 - Low")
    return grade


@lru_cache(maxsize=100_000)
def local_instant(text: str, zone: ZoneInfo) -> int:
    """Microseconds UTC of `29/2/2016 01:16` or `29-02-2016 01:16`, day first; doubtful local times take fold 0.

    Raises ValueError where it is no such date.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"cannot be read: {text or 'an empty field'} is no date as 29/2/2016 01:16")
    day, _, month, year, hour, minute, second = match.groups()
    try:
        local = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=zone)
    except ValueError:
        raise ValueError(f"cannot be read: there is no {text}") from None
    return microseconds(local)
