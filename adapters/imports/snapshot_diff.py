"""From a snapshot and what is recorded of the incident, the messages of what changed (A2, A4, A5).

Snapshots come late, more than once, in any order. Each is compared with what the incident's facts say as of the
snapshot's own instant, and only the difference becomes messages. One that comes late has the next snapshot's difference
recorded again, where its own messages would otherwise hide it.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from adapters.imports.snapshot import HAPPENED, ItemState, Snapshot
from adapters.inbox.messages import cloud_event
from domain.facts import Fact
from domain.incident import Incident
from domain.incident_facts import (
    Assessment,
    ClockResumed,
    ClockSuspended,
    IncidentClosed,
    IncidentOpened,
    IncidentReassessed,
    IncidentReopened,
    IncidentResolved,
    IncidentTakenInCharge,
    InterventionStarted,
)
from domain.record_facts import Rectify
from domain.rectification import as_rectified
from domain.values import WIRE, instant_text

HEARD_LATE = "an earlier state of the request, which its help desk sent late"
"""The reason recorded with a rectified opening."""


class _Recorded(NamedTuple):
    """What the facts of an incident say as of an instant."""

    state: ItemState
    assessment: Assessment


Change = tuple[str, dict[str, Any]]
"""The verb of a command on an incident, and its data."""


def messages_of(
    snapshot: Snapshot,
    incident: Incident,
    before: Snapshot | None,
    after: Snapshot | None,
    instead_of: Snapshot | None = None,
) -> list[dict[str, Any]]:
    """The CloudEvents for what the incident's facts do not say yet as of the snapshot's instant.

    `before` and `after` are the nearest stored snapshots of the item, in the item's own time; `instead_of` is the
    stored one of the very same instant, which `snapshot` includes. With none before, the opening is as `snapshot` has
    it: it is recorded or, where a later snapshot gave another one, rectified. What `after` says and this snapshot's
    messages would now hide is recorded again, as of the instant of `after`.
    """
    opened = incident.opened
    assessment: Assessment
    messages: list[dict[str, Any]] = []
    if opened is None:
        request = snapshot.request.model_dump(mode="json", exclude_defaults=True)
        messages.append(_message(snapshot, "open", snapshot.opened_at, request))
        assessment = snapshot.request
    elif before is None and (origin := instead_of or after) is not None:
        corrected = opened.model_copy(update=_corrections(opened, snapshot, origin))
        # Dated when the wrong opening was given: the snapshot itself may lie before the opening on record.
        at = max(origin.changed_at, opened.at)
        messages += _rectifications(snapshot, incident.record, opened, corrected, at)
        assessment = corrected
    else:
        assessment = opened
    facts = sorted(as_rectified(incident.record), key=lambda fact: fact.at)
    until_now = (fact for fact in facts if fact.at <= snapshot.changed_at)
    recorded = _after_facts(_Recorded(ItemState(), assessment), until_now)
    messages += [_message(snapshot, verb, snapshot.changed_at, data) for verb, data in _changes(recorded, snapshot)]
    if after is not None:
        between = (fact for fact in facts if snapshot.changed_at < fact.at <= after.changed_at)
        would_be = _after_facts(_after_snapshot(recorded, snapshot), between)
        messages += [_message(snapshot, verb, after.changed_at, data) for verb, data in _changes(would_be, after)]
    return messages


def _corrections(opened: IncidentOpened, snapshot: Snapshot, origin: Snapshot) -> dict[str, object]:
    """Fields of the opening that `origin`, a later snapshot, gave wrongly; what a person rectified since stays."""

    def fields(of: Snapshot) -> dict[str, object]:
        return {"at": of.opened_at, **dict(of.request)}

    wrong = fields(origin)
    return {
        name: value
        for name, value in fields(snapshot).items()
        if value != wrong[name] and getattr(opened, name) == wrong[name]
    }


def _rectifications(
    snapshot: Snapshot, record: Sequence[Fact], opened: IncidentOpened, corrected: IncidentOpened, at: int
) -> Iterator[dict[str, Any]]:
    version = next(number for number, fact in enumerate(record, 1) if isinstance(fact, IncidentOpened))
    wrong, right = (opening.model_dump(mode="json", context=WIRE) for opening in (opened, corrected))
    for field, value in right.items():
        if value != wrong[field]:
            data = {"version": version, "field": field, "value": value, "why": HEARD_LATE}
            yield {**_message(snapshot, f"rectify.{field}", at, data), "type": Rectify.TYPE}


def _after_facts(recorded: _Recorded, facts: Iterable[Fact]) -> _Recorded:
    """What is recorded after some more facts, in order of instant."""
    state, assessment = recorded
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
                assessment = fact
            case IncidentResolved():
                state = state.model_copy(update={"resolved": True, "closed": None})
            case IncidentClosed():
                state = state.model_copy(update={"resolved": False, "closed": fact.reason})
            case IncidentReopened():
                state = state.model_copy(update={"resolved": False, "closed": None})
            case _:
                pass  # `recorded` begins with the opening; an attribution is no part of the state
    return _Recorded(state, assessment)


def _after_snapshot(recorded: _Recorded, snapshot: Snapshot) -> _Recorded:
    """What is recorded once the messages of a snapshot are; what has happened has happened."""
    happened = {name: True for name in HAPPENED if getattr(recorded.state, name)}
    return _Recorded(snapshot.state.model_copy(update=happened), snapshot.request)


def _changes(recorded: _Recorded, snapshot: Snapshot) -> Iterator[Change]:
    """What a snapshot says that is not recorded, in the order in which it takes effect within one instant."""
    then, now = recorded.state, snapshot.state
    if then.ended and not now.ended:
        yield "reopen", {}
    if now.charged and not then.charged:
        yield "take_in_charge", {}
    if now.started and not then.started:
        yield "start_intervention", {}
    impact, urgency = snapshot.request.impact, snapshot.request.urgency
    if (impact, urgency) != (recorded.assessment.impact, recorded.assessment.urgency):
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
    """A message whose id is made from its content and its snapshot: sent again, it has the same id."""
    digest = sha256(f"{snapshot.to_json()} {json.dumps(data, sort_keys=True)}".encode()).hexdigest()[:16]
    time = instant_text(at)
    message_id = f"{snapshot.item}:{time}:{verb}:{digest}"
    return cloud_event(
        "incident",
        snapshot.item,
        verb,
        time,
        data,
        source=snapshot.source,
        message_id=message_id,
        recorded=instant_text(snapshot.changed_at),
    )
