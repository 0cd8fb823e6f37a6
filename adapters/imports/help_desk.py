"""Webhooks from help desks: a signed body in, by a mapping file, messages of what changed out (A2, A4, A5).

A help desk sends its item as it stands: late, more than once, in any order. What it says is a Snapshot. It is compared
with what the incident's facts say as of the snapshot's own instant, and only the difference becomes messages; one that
comes late also has the next snapshot say again what would otherwise be hidden. Rule of the record cited here: R1 form.
"""

import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, Self, TypeVar, cast
from zoneinfo import ZoneInfo

from pydantic import Field, JsonValue, StringConstraints, ValidationError, model_validator

from adapters.imports.mapping import BadMapping, parse_mapping, read_mapping, shipped
from adapters.inbox.handler import CommandHandler, Refused, Reply
from adapters.inbox.ingest import written
from adapters.inbox.messages import Label, Unreadable, cloud_event, read_json
from adapters.store.recorder import Recorder
from domain.coverage import Requester
from domain.facts import Fact
from domain.incident import (
    Assessment,
    ClockResumed,
    ClockSuspended,
    ClosingReason,
    Incident,
    IncidentClosed,
    IncidentOpened,
    IncidentReassessed,
    IncidentReopened,
    IncidentResolved,
    IncidentTakenInCharge,
    InterventionStarted,
    Request,
)
from domain.rectification import Rectify, as_rectified
from domain.terms import Impact, RequestKind, TimeZone, Urgency
from domain.values import (
    MINUTE,
    SECOND,
    WIRE,
    Identifier,
    Instant,
    Responsibility,
    Value,
    instant_text,
    microseconds,
    read_instant,
)

SHIPPED = ("zammad", "glpi", "jira")
"""The mappings that come with Verbale, by name."""

EXAMPLE = "verbale import mapping example zammad"
HEARD_LATE = "an earlier state of the request, of which its help desk told late"
_OFFSET_WITHOUT_COLON = re.compile(r"([+-]\d\d)(\d\d)$", re.ASCII)
_WHOLE_SECONDS = re.compile(r"\d{1,11}", re.ASCII)

V = TypeVar("V")
Where = Annotated[str, StringConstraints(pattern=r"^[^.]+(\.[^.]+)*$", max_length=500)]
"""Where in the payload: names joined by dots, as ticket.state; a number counts in a list, from 0."""
Flag = Annotated[bool, Field(strict=True)]


class BadSignature(Exception):
    """The request is not proved to come from the help desk; the message says why."""


# --- the mapping file -------------------------------------------------------------------------------------------


class Signature(Value):
    """How a request proves where it comes from: an HMAC of the body, in hexadecimal, in a header.

    `timestamp_header`: seconds since 1970, which the desk appends to the body before it signs; one further than
    `tolerance_minutes` from now is refused. `delivery_header` names the delivery, for the log alone.
    """

    header: Identifier
    algorithm: Literal["sha1", "sha256"]
    prefix: str = ""
    timestamp_header: Identifier | None = None
    tolerance_minutes: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 5
    delivery_header: Identifier | None = None


class Times(Value):
    """Where the opening and the last change are, and how instants are written."""

    opened_at: Where
    changed_at: Where
    written: Literal["RFC 3339", "YYYY-MM-DD HH:MM:SS"] = "RFC 3339"
    time_zone: TimeZone | None = None

    @model_validator(mode="after")
    def _zone_where_needed(self) -> Self:
        if (self.written == "RFC 3339") != (self.time_zone is None):
            raise ValueError(
                "RFC 3339 has offsets of its own: leave time_zone out"
                if self.time_zone
                else f'{self.written} has no offset: say in which time_zone it is, as "Europe/Rome"'
            )
        return self


class Assigned(Value):
    """Whether somebody has the request, which is its taking in charge.

    `nobody`: what stands there when nobody has. Where it is a list, only entries that say `entries` count.
    """

    at: Where
    nobody: tuple[str, ...] = ()
    entries: dict[str, str] = Field(default_factory=dict)


class State(Value):
    """What holds of a request: has happened by now (charged, started), or stands (the others).

    A closed request is not also called resolved: its reason says so.
    """

    charged: Flag = False
    started: Flag = False
    suspended: Responsibility | None = None
    resolved: Flag = False
    closed: ClosingReason | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.resolved and self.closed:
            raise ValueError('a state is resolved or closed, not both: write closed = "resolved" alone')
        return self

    @property
    def ended(self) -> bool:
        """Whether nobody has to deal with it any longer."""
        return self.resolved or self.closed is not None


HAPPENED = ("charged", "started")
"""What of a state has happened, and is never taken back."""


class Choice(Value, Generic[V]):
    """What each value at a place means; `missing` where the desk says nothing there (left out: an error)."""

    at: Where
    values: dict[str, V]
    missing: V | None = None


class DeskMapping(Value):
    """A mapping file: how a help desk signs, and what its items say."""

    source: Label
    incident_prefix: Annotated[str, StringConstraints(max_length=50, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    item: Where
    contract: Where | None = None
    customer: Where | None = None
    system: Where | None = None
    signature: Signature
    times: Times
    state: Choice[State]
    assigned: Assigned | None = None
    impact: Choice[Impact]
    urgency: Choice[Urgency]
    kind: Choice[RequestKind] | None = None
    requested_by: Choice[Requester] | None = None
    data_centre: Choice[Flag] | None = None


def desk_mapping(named: str) -> DeskMapping:
    """The mapping called `named` (one of SHIPPED), or in the file of that path. Raises BadMapping."""
    if named in SHIPPED:
        return parse_mapping(shipped(named), named, DeskMapping, EXAMPLE)
    if not Path(named).is_file():
        raise BadMapping(f"{named} is no file: give the path of a mapping, or one of {', '.join(SHIPPED)}")
    return read_mapping(Path(named), DeskMapping, EXAMPLE)


# --- the signature ----------------------------------------------------------------------------------------------


def check_signature(mapping: DeskMapping, secret: str, headers: Mapping[str, str], body: bytes, now: int) -> None:
    """Raise BadSignature unless who knows `secret` signed this body; `now` is in microseconds UTC."""
    rule = mapping.signature
    given = _header(headers, rule.header)
    if not secret:
        raise BadSignature(f"{mapping.source}: without a secret nothing proves who sent this: configure one")
    if given is None:
        raise BadSignature(f"{mapping.source}: not signed (no header {rule.header}): give the desk the shared secret")
    stamp = _timestamp(mapping, headers, now) if rule.timestamp_header else ""
    expected = rule.prefix + hmac.new(secret.encode(), body + stamp.encode(), rule.algorithm).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.strip().encode()):
        raise BadSignature(f"{mapping.source}: wrong signature in {rule.header}: the body or the secret is another one")


def _timestamp(mapping: DeskMapping, headers: Mapping[str, str], now: int) -> str:
    rule = mapping.signature
    stamp = _header(headers, rule.timestamp_header or "")
    if stamp is None or not _WHOLE_SECONDS.fullmatch(stamp):
        raise BadSignature(f"{mapping.source}: no header {rule.timestamp_header} with the seconds since 1970")
    if abs(now - int(stamp) * SECOND) > rule.tolerance_minutes * MINUTE:
        raise BadSignature(
            f"{mapping.source}: signed more than {rule.tolerance_minutes} minutes from now ({instant_text(now)}): it "
            "waited too long, was sent again by somebody else, or one of the clocks is wrong (tolerance_minutes)"
        )
    return stamp


def delivery_of(mapping: DeskMapping, headers: Mapping[str, str]) -> str | None:
    """What the desk calls this delivery, for the log.

    No identity of what it says: Zammad writes the body anew when it sends again.
    """
    return _header(headers, mapping.signature.delivery_header) if mapping.signature.delivery_header else None


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for given, value in headers.items() if given.lower() == name.lower()), None)


# --- the snapshot -----------------------------------------------------------------------------------------------


class Snapshot(Value):
    """What a help desk said of one of its items at one instant of the item's life.

    `item` is the name of the incident: the desk's own name of it, after the mapping's prefix.
    """

    source: Label
    item: Identifier
    changed_at: Instant
    opened_at: Instant
    request: Request
    state: State

    def together_with(self, other: Self) -> Self:
        """What two snapshots of one instant say together, whichever was heard first.

        The one nearer its end rules; what has happened in either has happened.
        """
        nearer = max(self, other, key=lambda snapshot: snapshot._nearness_to_its_end())
        happened = {name: True for name in HAPPENED if getattr(self.state, name) or getattr(other.state, name)}
        return nearer.model_copy(update={"state": nearer.state.model_copy(update=happened)})

    def _nearness_to_its_end(self) -> tuple[object, ...]:
        state = self.state
        end = 0 if not state.ended else 1 if state.closed and state.closed.void else 2 if state.resolved else 3
        return end, state.suspended or "", self.request.model_dump_json(), self.opened_at

    def to_json(self) -> str:
        """What is kept of it: names of contracts and systems, instants, states; nobody's name, nobody's words."""
        return self.model_dump_json(exclude_defaults=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The snapshot that was kept so."""
        return cls.model_validate_json(text)


def snapshot_of(mapping: DeskMapping, body: bytes) -> Snapshot:
    """What a body says. Raises Unreadable, naming the place in the payload, where it cannot be read without a guess."""
    payload = _Payload(mapping.source, read_json(body))
    times = mapping.times
    opened_at, changed_at = payload.instant(times.opened_at, times), payload.instant(times.changed_at, times)
    if changed_at < opened_at:
        raise payload.fault(times.changed_at, f"is {instant_text(changed_at)}, before the opening, "
                            f"{instant_text(opened_at)}: correct the opening in the desk")  # fmt: skip
    state = payload.meaning(mapping.state, "state")
    if mapping.assigned is not None and payload.assigned(mapping.assigned):
        state = state.model_copy(update={"charged": True})
    said = {
        name: payload.meaning(choice, name)
        for name in ("impact", "urgency", "kind", "requested_by", "data_centre")
        if (choice := getattr(mapping, name)) is not None
    }
    for name in ("contract", "customer", "system"):
        if (where := getattr(mapping, name)) is not None:
            said[name] = payload.text(where)
    item = mapping.incident_prefix + payload.needed(mapping.item)
    try:
        return Snapshot(
            source=mapping.source,
            item=item,
            changed_at=changed_at,
            opened_at=opened_at,
            request=Request.model_validate(said),
            state=state,
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][-1])
        raise payload.fault(str(getattr(mapping, name, name)), f"cannot be used: {first['msg']}") from None


class _Payload(NamedTuple):
    """A payload being read for a source; what cannot be read is named by its place."""

    source: str
    document: JsonValue

    def fault(self, where: str, said: str) -> Unreadable:
        return Unreadable(where, f"{self.source}: {where} {said}")

    def find(self, where: str) -> JsonValue:
        """What stands at a place; None where there is no such place."""
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
            return any(_says(entry, rule.entries) for entry in found)
        if isinstance(found, dict):
            return bool(found)
        text = self.text(rule.at)
        return text is not None and text not in rule.nobody


def _says(entry: JsonValue, wanted: Mapping[str, str]) -> bool:
    return isinstance(entry, dict) and all(entry.get(name) == value for name, value in wanted.items())


def _local_instant(text: str, zone: ZoneInfo) -> int:
    try:
        return microseconds(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone))
    except ValueError:
        raise ValueError("no date as 2026-03-02 09:30:00") from None


# --- what is new ------------------------------------------------------------------------------------------------


class _Standing(NamedTuple):
    """What the facts of an incident say as of an instant."""

    state: State
    assessed: Assessment


Said = tuple[str, dict[str, Any]]
"""A verb and its data."""


def messages_of(
    snapshot: Snapshot,
    incident: Incident,
    before: Snapshot | None,
    after: Snapshot | None,
    instead_of: Snapshot | None = None,
) -> list[dict[str, Any]]:
    """The CloudEvents that tell what the incident's facts do not say yet as of the snapshot's instant.

    `before` and `after`: the nearest snapshots of the item heard already, in the item's own time. With none before, the
    opening is as this one has it: told, or, where a later snapshot told it otherwise, rectified. `after` says again, as
    of its instant, what this one would now hide. `instead_of`: what was heard of the very same instant, which this one
    takes in.
    """
    opened = incident.opened
    declared: Assessment
    said: list[dict[str, Any]] = []
    if opened is None:
        request = snapshot.request.model_dump(mode="json", exclude_defaults=True)
        said.append(_message(snapshot, "open", snapshot.opened_at, request))
        declared = snapshot.request
    elif before is None and (told_by := instead_of or after) is not None:
        right = opened.model_copy(update=_wrongly_opened(opened, snapshot, told_by))
        # Dated when it was told wrongly: the snapshot itself may lie before the opening as it stands.
        said += _rectifications(snapshot, incident.record, opened, right, max(told_by.changed_at, opened.at))
        declared = right
    else:
        declared = opened
    facts = sorted(as_rectified(incident.record), key=lambda fact: fact.at)
    was = _folded(_Standing(State(), declared), (fact for fact in facts if fact.at <= snapshot.changed_at))
    said += [_message(snapshot, verb, snapshot.changed_at, data) for verb, data in _changes(was, snapshot)]
    if after is not None:
        between = (fact for fact in facts if snapshot.changed_at < fact.at <= after.changed_at)
        would_be = _folded(_told(was, snapshot), between)
        said += [_message(snapshot, verb, after.changed_at, data) for verb, data in _changes(would_be, after)]
    return said


def _wrongly_opened(opened: IncidentOpened, snapshot: Snapshot, told_by: Snapshot) -> dict[str, object]:
    """What the opening has from a later snapshot, and this one has otherwise; what a person rectified stays."""

    def fields(of: Snapshot) -> dict[str, object]:
        return {"at": of.opened_at, **dict(of.request)}

    told = fields(told_by)
    return {
        name: value
        for name, value in fields(snapshot).items()
        if value != told[name] and getattr(opened, name) == told[name]
    }


def _rectifications(
    snapshot: Snapshot, record: Sequence[Fact], opened: IncidentOpened, right: IncidentOpened, at: int
) -> Iterator[dict[str, Any]]:
    version = next(number for number, fact in enumerate(record, 1) if isinstance(fact, IncidentOpened))
    told, corrected = (opening.model_dump(mode="json", context=WIRE) for opening in (opened, right))
    for field, value in corrected.items():
        if value != told[field]:
            data = {"version": version, "field": field, "value": value, "why": HEARD_LATE}
            yield {**_message(snapshot, f"rectify.{field}", at, data), "type": Rectify.TYPE}


def _folded(standing: _Standing, facts: Iterable[Fact]) -> _Standing:
    """What stands after some more facts, in order of instant."""
    state, assessed = standing
    for fact in facts:
        match fact:
            case IncidentTakenInCharge():
                state = state.model_copy(update={"charged": True})
            case InterventionStarted():
                state = state.model_copy(update={"started": True})
            case ClockSuspended():
                state = state.model_copy(update={"suspended": fact.cause})
            case ClockResumed():
                state = state.model_copy(update={"suspended": None})
            case IncidentReassessed():
                assessed = fact
            case IncidentResolved():
                state = state.model_copy(update={"resolved": True, "closed": None})
            case IncidentClosed():
                state = state.model_copy(update={"resolved": False, "closed": fact.reason})
            case IncidentReopened():
                state = state.model_copy(update={"resolved": False, "closed": None})
            case _:
                pass  # the opening is where this starts, and an attribution is no state
    return _Standing(state, assessed)


def _told(was: _Standing, snapshot: Snapshot) -> _Standing:
    """What stands once a snapshot is told; what has happened has happened."""
    happened = {name: True for name in HAPPENED if getattr(was.state, name)}
    return _Standing(snapshot.state.model_copy(update=happened), snapshot.request)


def _changes(was: _Standing, snapshot: Snapshot) -> Iterator[Said]:
    """What a snapshot says that does not stand; in the order in which it takes effect within one instant."""
    then, now = was.state, snapshot.state
    if then.ended and not now.ended:
        yield "reopen", {}
    if now.charged and not then.charged:
        yield "take_in_charge", {}
    if now.started and not then.started:
        yield "start_intervention", {}
    impact, urgency = snapshot.request.impact, snapshot.request.urgency
    if (impact, urgency) != (was.assessed.impact, was.assessed.urgency):
        yield "reassess", {"impact": impact.value, "urgency": urgency.value}
    if then.suspended and not now.suspended:
        yield "resume", {}
    if now.suspended and now.suspended is not then.suspended:
        yield "suspend", {"cause": now.suspended.value}
    if now.resolved and not then.resolved:
        yield "resolve", {}
    if now.closed and now.closed is not then.closed:
        yield "close", {"reason": now.closed.value}


def _message(snapshot: Snapshot, verb: str, at: int, data: dict[str, Any]) -> dict[str, Any]:
    """A message whose id follows from what it says and which snapshot had it said: sent again, it is the same."""
    because = sha256(f"{snapshot.to_json()} {json.dumps(data, sort_keys=True)}".encode()).hexdigest()[:16]
    time = instant_text(at)
    message_id = f"{snapshot.item}:{time}:{verb}:{because}"
    return cloud_event("incident", snapshot.item, verb, time, data, source=snapshot.source, message_id=message_id)


def take_snapshot(desk: CommandHandler, snapshot: Snapshot) -> list[Reply]:
    """Record what a snapshot says anew, and remember it; the replies to its messages, none where it says nothing new.

    A snapshot of which a message is refused is not remembered: sent again, it is taken as for the first time. Raises
    StoreError where the store cannot take it.
    """
    store = desk.ledger.store
    before, twin, after = _heard_around(store, snapshot)
    if twin is not None:
        snapshot = snapshot.together_with(twin)
    desk.handle([])  # others may have recorded something since
    incident = cast(Incident, desk.state(f"incident-{snapshot.item}"))
    messages = messages_of(snapshot, incident, before, after, instead_of=twin)
    replies = desk.handle([line.raw for line in written(messages, snapshot.source)]).replies if messages else []
    if not any(isinstance(reply.outcome, Refused) for reply in replies):
        store.remember_snapshot(snapshot.source, snapshot.item, snapshot.changed_at, snapshot.to_json())
    return replies


def _heard_around(store: Recorder, snapshot: Snapshot) -> Sequence[Snapshot | None]:
    """The nearest snapshots of the item heard before, at and after the instant of this one."""
    before, after = store.snapshots_around(snapshot.source, snapshot.item, snapshot.changed_at)
    until, _ = store.snapshots_around(snapshot.source, snapshot.item, snapshot.changed_at + 1)
    return [Snapshot.from_json(text) if text else None for text in (before, until if until != before else None, after)]
