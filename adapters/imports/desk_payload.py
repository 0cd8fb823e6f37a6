"""From the body of a webhook's request to a snapshot, as the desk's mapping says. Nothing is guessed."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from pydantic import JsonValue, ValidationError

from adapters.imports.desk_mapping import Assigned, Choice, DeskMapping, Times
from adapters.imports.snapshot import Snapshot
from adapters.inbox.messages import Unreadable, read_json
from domain.incident import Request
from domain.values import instant_text, microseconds, read_instant

V = TypeVar("V")
_OFFSET_WITHOUT_COLON = re.compile(r"([+-]\d\d)(\d\d)$", re.ASCII)


def snapshot_of(mapping: DeskMapping, body: bytes) -> Snapshot:
    """The snapshot in a body. Raises Unreadable, naming the place in the payload, rather than guess."""
    payload = _Payload(mapping.source, read_json(body))
    times = mapping.times
    opened_at, changed_at = payload.instant(times.opened_at, times), payload.instant(times.changed_at, times)
    if changed_at < opened_at:
        raise payload.fault(times.changed_at, f"is {instant_text(changed_at)}, before the opening, "
                            f"{instant_text(opened_at)}: correct the opening in the desk")  # fmt: skip
    state = payload.meaning(mapping.state, "state")
    if mapping.assigned is not None and payload.assigned(mapping.assigned):
        state = state.model_copy(update={"charged": True})
    request = {
        name: payload.meaning(choice, name)
        for name in ("impact", "urgency", "kind", "requested_by", "data_centre")
        if (choice := getattr(mapping, name)) is not None
    }
    for name in ("contract", "customer", "system"):
        if (where := getattr(mapping, name)) is not None:
            request[name] = payload.text(where)
    item = mapping.incident_prefix + payload.needed(mapping.item)
    try:
        return Snapshot(
            source=mapping.source,
            item=item,
            changed_at=changed_at,
            opened_at=opened_at,
            request=Request.model_validate(request),
            state=state,
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][-1])
        raise payload.fault(str(getattr(mapping, name, name)), f"cannot be used: {first['msg']}") from None


class _Payload(NamedTuple):
    """A payload and its source. Every `where` is a place in it: names joined by dots."""

    source: str
    document: JsonValue

    def fault(self, where: str, problem: str) -> Unreadable:
        return Unreadable(where, f"{self.source}: {where} {problem}")

    def find(self, where: str) -> JsonValue:
        """The value at a place; None where there is no such place."""
        found = self.document
        for name in where.split("."):
            if isinstance(found, dict):
                found = found.get(name)
            elif isinstance(found, list) and name.isdecimal():
                found = found[int(name)] if int(name) < len(found) else None
            else:
                return None
        return found

    def text(self, where: str) -> str | None:
        """A text, or a number or a truth value as text; None where there is nothing."""
        found = self.find(where)
        if isinstance(found, bool):
            return str(found).lower()
        if isinstance(found, str | int):
            return str(found).strip() or None
        if found:
            raise self.fault(where, "is neither a text nor a whole number: let the mapping point further in")
        return None

    def needed(self, where: str) -> str:
        text = self.text(where)
        if text is None:
            raise self.fault(where, "is missing from the payload: correct the mapping, or what the desk sends")
        return text

    def instant(self, where: str, times: Times) -> int:
        text = self.needed(where)
        try:
            if times.time_zone is None:
                return read_instant(_OFFSET_WITHOUT_COLON.sub(r"\1:\2", text))
            return _local_instant(text, ZoneInfo(times.time_zone))
        except ValueError as error:
            raise self.fault(where, f"is {text[:50]}: {error}") from None

    def meaning(self, choice: Choice[V], table: str) -> V:
        text = self.text(choice.at)
        if text is None and choice.missing is not None:
            return choice.missing
        text = self.needed(choice.at) if text is None else text
        if text not in choice.values:
            raise self.fault(choice.at, f"is {text[:100]}, and the mapping does not say what that means: add it to "
                             f"[{table}.values], then have the desk send it again")  # fmt: skip
        return choice.values[text]

    def assigned(self, rule: Assigned) -> bool:
        found = self.find(rule.at)
        if isinstance(found, list):
            return any(_matches(entry, rule.entries) for entry in found)
        if isinstance(found, dict):
            return bool(found)
        text = self.text(rule.at)
        return text is not None and text not in rule.nobody


def _matches(entry: JsonValue, wanted: Mapping[str, str]) -> bool:
    return isinstance(entry, dict) and all(entry.get(name) == value for name, value in wanted.items())


def _local_instant(text: str, zone: ZoneInfo) -> int:
    try:
        return microseconds(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone))
    except ValueError:
        raise ValueError("no date as 2026-03-02 09:30:00") from None
