"""Imports any table with one row for each thing that happened to a case, as a mapping file says to read it.

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
from typing import Annotated, NamedTuple, Self

from pydantic import BeforeValidator, Field, StrictBool, StrictStr, TypeAdapter, ValidationError, model_validator

from adapters.imports.csv_table import Quarantined, read_table
from adapters.imports.mapping import FileTable, TimeTable, read_mapping, shipped
from adapters.inbox.messages import Label, Unreadable, cloud_event, read_message
from domain.catalogue import COMMANDS
from domain.facts import Command
from domain.values import WIRE, Identifier, Value, instant_text

IGNORE = "ignore"
VERBS: Mapping[str, type[Command]] = {
    name.split(".")[2]: command for name, command in COMMANDS.items() if name.startswith("verbale.incident.")
}
"""The commands that a row may give, by verb."""

CASE, ACTIVITY, TIMESTAMP, ACTOR = "case", "activity", "timestamp", "actor"
NOT_DATA = {"at", "evidence"}
_NAME: TypeAdapter[str] = TypeAdapter(Identifier)


def _said(value: object) -> object:
    if not isinstance(value, str | bool | list):
        raise ValueError('write it as text, as true or false, or as a list of texts: ["customer"]')
    return value


Said = Annotated[StrictStr | StrictBool | list[StrictStr], BeforeValidator(_said)]
"""What a field of a message may hold here."""


def _data_fields(command: type[Command]) -> set[str]:
    return set(command.model_fields) - NOT_DATA


DATA_FIELDS = set().union(*map(_data_fields, VERBS.values()))


class Activity(Value):
    """What an activity says: a command by its verb, and what of its data is fixed; or that it is ignored."""

    command: str
    data: dict[str, Said] = Field(default_factory=dict)


def _activity(written: object) -> object:
    """`"open"`, or `{ command = "suspend", cause = "customer" }`."""
    if isinstance(written, str):
        return {"command": written}
    if isinstance(written, dict):
        return {
            **{name: value for name, value in written.items() if name == "command"},
            "data": {name: value for name, value in written.items() if name != "command"},
        }
    raise ValueError('write it as "open", or as { command = "suspend", cause = "customer" }')


class LogMapping(Value):
    """How an event log is read: which columns say what, what each activity means, who says so."""

    source: Label
    prefix: Annotated[str, Field(max_length=50, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    file: FileTable = FileTable()
    time: TimeTable = TimeTable()
    columns: dict[str, str]
    constants: dict[str, Said] = Field(default_factory=dict)
    values: dict[str, dict[str, Said]] = Field(default_factory=dict)
    activities: Annotated[dict[Identifier, Annotated[Activity, BeforeValidator(_activity)]], Field(min_length=1)]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        for name in (CASE, ACTIVITY, TIMESTAMP):
            if name not in self.columns:
                raise ValueError(f"columns: which column is the {name}?")
        _known("columns", self.columns, {CASE, ACTIVITY, TIMESTAMP, ACTOR, *DATA_FIELDS})
        _known("constants", self.constants, {ACTOR, *DATA_FIELDS})
        _known("values", self.values, set(self.columns) & {ACTOR, *DATA_FIELDS})
        for name, activity in self.activities.items():
            self._check_activity(f"activities.{name}", activity)
        return self

    def _check_activity(self, where: str, activity: Activity) -> None:
        if activity.command == IGNORE:
            return
        command = VERBS.get(activity.command)
        if command is None:
            raise ValueError(f"{where}: no command is called {activity.command}: {', '.join(VERBS)}, or {IGNORE}")
        fields = _data_fields(command)
        _known(where, activity.data, fields)
        given = {**self.constants, **self.columns, **activity.data}
        for name in fields:
            if command.model_fields[name].is_required() and name not in given:
                raise ValueError(f"{where}: {activity.command} needs {name}: give it here, in columns or in constants")
            for table, value in self._values_of(name, activity):
                if wrong := _wrong(command, name, value):
                    raise ValueError(f"{table}: {value} is no {name}: {wrong}")

    def _values_of(self, name: str, activity: Activity) -> list[tuple[str, Said]]:
        """What the mapping itself gives a field, each with where."""
        tables = {"activities": activity.data, "constants": self.constants}
        found = [(f"{table}: {name}", said[name]) for table, said in tables.items() if name in said]
        found += [(f"values.{name}: {cell}", value) for cell, value in self.values.get(name, {}).items() if value != ""]
        return found

    @property
    def columns_read(self) -> list[str]:
        """The columns that the table must have."""
        return list(dict.fromkeys(self.columns.values()))


def _known(table: str, names: Mapping[str, object], allowed: set[str]) -> None:
    for name in names:
        if name not in allowed:
            raise ValueError(f"{table}: there is no {name} here; there can be {', '.join(sorted(allowed))}")


def _wrong(command: type[Command], name: str, value: Said) -> str | None:
    """What is wrong with a value of one field, or None."""
    try:
        command.model_validate_json(json.dumps({name: value}), strict=True, context=WIRE)
    except ValidationError as error:
        said = (fault["msg"] for fault in error.errors(include_url=False) if fault["loc"][0] == name)
        return next(said, None)
    return None


def example() -> str:
    """A commented mapping."""
    return shipped("event-log")


def read_log_mapping(path: Path) -> LogMapping:
    """The mapping in a file. Raises BadMapping."""
    return read_mapping(path, LogMapping, "verbale import mapping example")


class LogMessage(NamedTuple):
    """What one row says: its line, the instant (microseconds UTC), the case, the verb, and the message itself."""

    line: int
    at: int
    case: str
    verb: str
    raw: bytes


@dataclass
class EventLog:
    """A log read: its messages in order of instant, what was quarantined, and how often each activity was met."""

    messages: list[LogMessage] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    rows: int = 0
    activities: Counter[str] = field(default_factory=Counter)

    @property
    def cases(self) -> list[str]:
        """The cases that messages speak of, in order of their first message."""
        return list(dict.fromkeys(message.case for message in self.messages))

    @property
    def without_opening(self) -> list[str]:
        """The cases that this log does not open: their messages wait until somebody does."""
        opened = {message.case for message in self.messages if message.verb == "open"}
        return [case for case in self.cases if case not in opened]


def read_event_log(path: Path, mapping: LogMapping, on_bytes: Callable[[int], None] | None = None) -> EventLog:
    """Read a log: plain, .gz or .xz. `on_bytes` hears how far into the file we are. Raises BadTable."""
    log = EventLog()
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
    """One reading of a table: what the mapping makes of each row, and how often its like was met."""

    mapping: LogMapping
    activities: Counter[str]
    _seen: Counter[str] = field(default_factory=Counter)

    def message(self, line: int, row: Mapping[str, str]) -> LogMessage | None:
        """What a row says; None where its activity is ignored. Raises ValueError where it cannot be used."""
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
        wanted = _data_fields(VERBS[activity.command]) | {ACTOR}
        used = {name: cell for name, cell in cells.items() if name in wanted}
        constants = {name: value for name, value in self.mapping.constants.items() if name in wanted}
        data = constants | self._meant(used) | activity.data
        actor = data.pop(ACTOR, None)
        message = cloud_event(
            "incident",
            case,
            activity.command,
            instant_text(at),
            data,
            source=self.mapping.source,
            message_id=self._id(f"{case}:{cells[ACTIVITY]}:{instant_text(at)}", used),
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

    def _meant(self, used: Mapping[str, str]) -> dict[str, Said]:
        """What the cells of a row mean, where they say something."""
        meant = {name: self._value(name, cell) for name, cell in used.items()}
        return {name: value for name, value in meant.items() if value != ""}

    def _value(self, name: str, cell: str) -> Said:
        """What a cell means; "" where it says nothing."""
        values = self.mapping.values.get(name)
        if values is None or (cell == "" and cell not in values):
            return cell
        if cell not in values:
            raise ValueError(f"{self.mapping.columns[name]}: {cell} is not among values.{name} of the mapping: say "
                             f"there which {name} it is")  # fmt: skip
        return values[cell]

    def _id(self, what: str, used: Mapping[str, str]) -> str:
        """Rows that say the same are told apart by counting them.

        So none is lost, in whatever order exports list them, and each has the same id in every export; what the record
        tells already at that instant, it does not tell again.
        """
        content = "\x1f".join(f"{name}={used[name]}" for name in sorted(used))
        message_id = f"{what}:{sha256(content.encode()).hexdigest()[:12]}"
        self._seen[message_id] += 1
        count = self._seen[message_id]
        return message_id if count == 1 else f"{message_id}:{count}"

    def _check(self, raw: bytes, cells: Mapping[str, str]) -> None:
        """Raise ValueError, naming the column, where the desk would refuse the message for its form."""
        try:
            read_message(raw)
        except Unreadable as error:
            name = {"time": TIMESTAMP}.get(error.field, error.field.removeprefix("data."))
            column = self.mapping.columns.get(name)
            where = f"{column} is {cells[name] or 'empty'}: " if column else ""
            raise ValueError(f"{where}{error.reason}") from None
