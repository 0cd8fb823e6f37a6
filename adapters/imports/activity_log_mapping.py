"""Mapping files for activity logs: what each column of a table holds, and which command each activity is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, StrictBool, StrictStr, ValidationError, model_validator

from adapters.imports.mapping import FileTable, TimeTable, read_mapping, shipped
from adapters.inbox.messages import Label
from domain.catalogue import COMMANDS
from domain.facts import Command
from domain.values import WIRE, Identifier, Value

IGNORE = "ignore"
VERBS: Mapping[str, type[Command]] = {
    name.split(".")[2]: command for name, command in COMMANDS.items() if name.startswith("verbale.incident.")
}
"""The commands that a row may give, by verb."""

CASE, ACTIVITY, TIMESTAMP, ACTOR = "case", "activity", "timestamp", "actor"
NOT_DATA = {"at", "evidence"}


def _field_value(value: object) -> object:
    if not isinstance(value, str | bool | list):
        raise ValueError('write it as text, as true or false, or as a list of texts: ["customer"]')
    return value


FieldValue = Annotated[StrictStr | StrictBool | list[StrictStr], BeforeValidator(_field_value)]
"""What the mapping may give a field of a message."""


def data_fields(command: type[Command]) -> set[str]:
    """The fields of a command that a row or the mapping may give."""
    return set(command.model_fields) - NOT_DATA


DATA_FIELDS = set().union(*map(data_fields, VERBS.values()))


class Activity(Value):
    """What an activity means: a command, by its verb, and the fixed part of its data; or IGNORE."""

    command: str
    data: dict[str, FieldValue] = Field(default_factory=dict)


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
    """How an activity log is read: what each column holds, what each activity means, which source the messages name."""

    source: Label
    prefix: Annotated[str, Field(max_length=50, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    file: FileTable = FileTable()
    time: TimeTable = TimeTable()
    columns: dict[str, str]
    constants: dict[str, FieldValue] = Field(default_factory=dict)
    values: dict[str, dict[str, FieldValue]] = Field(default_factory=dict)
    activities: Annotated[dict[Identifier, Annotated[Activity, BeforeValidator(_activity)]], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
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
        fields = data_fields(command)
        _known(where, activity.data, fields)
        given = {**self.constants, **self.columns, **activity.data}
        for name in fields:
            if command.model_fields[name].is_required() and name not in given:
                raise ValueError(f"{where}: {activity.command} needs {name}: give it here, in columns or in constants")
            for table, value in self._values_of(name, activity):
                if fault := _fault(command, name, value):
                    raise ValueError(f"{table}: {value} is no {name}: {fault}")

    def _values_of(self, name: str, activity: Activity) -> list[tuple[str, FieldValue]]:
        """The values that the mapping itself gives a field, each with its place in the mapping."""
        tables = {"activities": activity.data, "constants": self.constants}
        found = [(f"{table}: {name}", values[name]) for table, values in tables.items() if name in values]
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


def _fault(command: type[Command], name: str, value: FieldValue) -> str | None:
    """What is wrong with a value of one field, or None."""
    try:
        command.model_validate_json(json.dumps({name: value}), strict=True, context=WIRE)
    except ValidationError as error:
        faults = (fault["msg"] for fault in error.errors(include_url=False) if fault["loc"][0] == name)
        return next(faults, None)
    return None


def example() -> str:
    """A commented mapping."""
    return shipped("activity-log")


def read_log_mapping(path: Path) -> LogMapping:
    """The mapping in a file. Raises BadMapping."""
    return read_mapping(path, LogMapping, "verbale import mapping example")
