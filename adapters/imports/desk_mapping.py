"""Mapping files for webhooks: how a help desk signs its requests, and what the fields of its items mean."""

from pathlib import Path
from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import Field, StringConstraints, model_validator

from adapters.imports.mapping import BadMapping, parse_mapping, read_mapping, shipped
from adapters.imports.snapshot import Flag, ItemState
from adapters.inbox.messages import Label
from domain.coverage import Requester
from domain.terms import Impact, RequestKind, TimeZone, Urgency
from domain.values import Identifier, Value

SHIPPED = ("zammad", "glpi", "jira")
"""The mappings that come with Verbale, by name."""

EXAMPLE = "verbale import mapping example zammad"

V = TypeVar("V")
PayloadPath = Annotated[str, StringConstraints(pattern=r"^[^.]+(\.[^.]+)*$", max_length=500)]
"""A place in the payload: names joined by dots, as ticket.state; a number counts in a list, from 0."""


class Signature(Value):
    """How a request proves that the desk sent it: an HMAC of the body, in hexadecimal, in a header.

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

    opened_at: PayloadPath
    changed_at: PayloadPath
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
    """Where the desk shows who has the request: once somebody has, it is taken in charge.

    `nobody`: the values that stand for nobody. Of a list only the entries count that have every value of `entries`.
    """

    at: PayloadPath
    nobody: tuple[str, ...] = ()
    entries: dict[str, str] = Field(default_factory=dict)


class Choice(Value, Generic[V]):
    """What each value at a place means. `missing` is the meaning of no value; without it, no value is an error."""

    at: PayloadPath
    values: dict[str, V]
    missing: V | None = None


class DeskMapping(Value):
    """A mapping file: how a help desk signs its requests, and how its items are read."""

    source: Label
    incident_prefix: Annotated[str, StringConstraints(max_length=50, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    item: PayloadPath
    contract: PayloadPath | None = None
    customer: PayloadPath | None = None
    system: PayloadPath | None = None
    signature: Signature
    times: Times
    state: Choice[ItemState]
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
