"""Imports any table with one row for each thing that happened to a case, as a mapping file describes it.

One row is one message, or nothing. Rows that cannot be used are quarantined with their line and the reason, while the
rest goes on. Importing the same table again, or a longer export of it, adds only what is new: a message's id is made
from case, activity, instant and a digest of the cells that the message uses, so that another column changes nothing.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from adapters.imports.activity_log_mapping import (
    ACTIVITY,
    ACTOR,
    CASE,
    IGNORE,
    TIMESTAMP,
    VERBS,
    Activity,
    FieldValue,
    LogMapping,
    data_fields,
)
from adapters.imports.csv_table import Quarantined, read_table
from adapters.inbox.messages import Unreadable, cloud_event, read_message
from domain.values import Identifier, instant_text

_NAME: TypeAdapter[str] = TypeAdapter(Identifier)


class LogMessage(NamedTuple):
    """One row as a message: line, instant (microseconds UTC), case, verb of the command, and the message itself."""

    line: int
    at: int
    case: str
    verb: str
    raw: bytes


@dataclass
class ActivityLog:
    """A log read: its messages in order of instant, what was quarantined, and how often each activity was met."""

    messages: list[LogMessage] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    rows: int = 0
    activities: Counter[str] = field(default_factory=Counter)

    @property
    def cases(self) -> list[str]:
        """The cases that have messages, in order of their first message."""
        return list(dict.fromkeys(message.case for message in self.messages))

    @property
    def without_opening(self) -> list[str]:
        """The cases that this log does not open: their messages wait for an opening from elsewhere."""
        opened = {message.case for message in self.messages if message.verb == "open"}
        return [case for case in self.cases if case not in opened]


def read_activity_log(path: Path, mapping: LogMapping, on_bytes: Callable[[int], None] | None = None) -> ActivityLog:
    """Read a log: plain, .gz or .xz. `on_bytes` is called with the bytes read so far. Raises BadTable."""
    log = ActivityLog()
    reading = _Reading(mapping, log.activities)
    for read in read_table(
        path,
        "event log that the mapping can read",
        mapping.columns_read,
        reading.message,
        delimiter=mapping.file.delimiter,
        encoding=mapping.file.encoding,
        on_bytes=on_bytes,
    ):
        log.rows += 1
        if isinstance(read, Quarantined):
            log.quarantined.append(read)
        elif read is not None:
            log.messages.append(read)
    down = -1 if mapping.file.newest_first else 1
    log.messages.sort(key=lambda message: (message.at, down * message.line))
    return log


@dataclass
class _Reading:
    """One reading of a table. `activities` counts the rows of each activity; `_seen` the rows of each message id."""

    mapping: LogMapping
    activities: Counter[str]
    _seen: Counter[str] = field(default_factory=Counter)

    def message(self, line: int, row: Mapping[str, str]) -> LogMessage | None:
        """The message of a row; None where its activity is ignored. Raises ValueError where the row cannot be used."""
        cells = {name: row[column].strip() for name, column in self.mapping.columns.items()}
        name = cells[ACTIVITY]
        self.activities[name] += 1
        activity = self.mapping.activities.get(name)
        if activity is None:
            raise ValueError(f"{self.mapping.columns[ACTIVITY]}: {name or 'an empty field'} is not among the "
                             f"activities of the mapping: say there which command it is, or {IGNORE}")  # fmt: skip
        if activity.command == IGNORE:
            return None
        case, at = self._case(cells), self._at(cells)
        raw = self._raw(case, at, activity, cells)
        self._check(raw, cells)
        return LogMessage(line, at, case, activity.command, raw)

    def _raw(self, case: str, at: int, activity: Activity, cells: Mapping[str, str]) -> bytes:
        wanted = data_fields(VERBS[activity.command]) | {ACTOR}
        used = {name: cell for name, cell in cells.items() if name in wanted}
        constants = {name: value for name, value in self.mapping.constants.items() if name in wanted}
        data = constants | self._values(used) | activity.data
        actor = data.pop(ACTOR, None)
        message = cloud_event(
            "incident",
            case,
            activity.command,
            instant_text(at),
            data,
            source=self.mapping.source,
            message_id=self._id(f"{case}:{cells[ACTIVITY]}:{instant_text(at)}", used),
            recorded=instant_text(at),  # the log's own row is the record of its activity
        )
        if actor is not None:
            message[ACTOR] = actor
        return json.dumps(message, ensure_ascii=False).encode()

    def _case(self, cells: Mapping[str, str]) -> str:
        name = cells[CASE]
        try:
            _NAME.validate_python(name)
        except ValidationError:
            raise ValueError(f"{self.mapping.columns[CASE]}: {name or 'an empty field'} is no name of 1 to 200 "
                             "characters") from None  # fmt: skip
        return self.mapping.prefix + name

    def _at(self, cells: Mapping[str, str]) -> int:
        try:
            return self.mapping.time.read(cells[TIMESTAMP]).at
        except ValueError as error:
            raise ValueError(f"{self.mapping.columns[TIMESTAMP]}: {error}") from None

    def _values(self, used: Mapping[str, str]) -> dict[str, FieldValue]:
        """What the cells of a row mean; those without a meaning are left out."""
        values = {name: self._value(name, cell) for name, cell in used.items()}
        return {name: value for name, value in values.items() if value != ""}

    def _value(self, name: str, cell: str) -> FieldValue:
        """What a cell means; "" where it means nothing."""
        values = self.mapping.values.get(name)
        if values is None or (cell == "" and cell not in values):
            return cell
        if cell not in values:
            raise ValueError(f"{self.mapping.columns[name]}: {cell} is not among values.{name} of the mapping: say "
                             f"there which {name} it is")  # fmt: skip
        return values[cell]

    def _id(self, what: str, used: Mapping[str, str]) -> str:
        """A message id; equal rows are numbered, so that each has an id of its own.

        So no row is lost, and each has the same id in every export, in whatever order an export lists them. A fact that
        is already recorded at that instant is answered as a duplicate.
        """
        content = "\x1f".join(f"{name}={used[name]}" for name in sorted(used))
        message_id = f"{what}:{sha256(content.encode()).hexdigest()[:12]}"
        self._seen[message_id] += 1
        count = self._seen[message_id]
        return message_id if count == 1 else f"{message_id}:{count}"

    def _check(self, raw: bytes, cells: Mapping[str, str]) -> None:
        """Raise ValueError, naming the column, where the handler would refuse the message for its form."""
        try:
            read_message(raw)
        except Unreadable as error:
            name = {"time": TIMESTAMP}.get(error.field, error.field.removeprefix("data."))
            column = self.mapping.columns.get(name)
            where = f"{column} is {cells[name] or 'empty'}: " if column else ""
            raise ValueError(f"{where}{error.reason}") from None
