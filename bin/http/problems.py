"""The problems that the HTTP server answers with where it cannot do what is asked (problem details, RFC 9457)."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem; `/#name` is its type, and the page at / explains it."""

    name: str
    status: HTTPStatus
    title: str
    meaning: str


MALFORMED = ProblemKind(
    "malformed", HTTPStatus.BAD_REQUEST, "The request cannot be read",
    "Nothing of it is recorded. The detail says what is wrong with it.",
)  # fmt: skip
NO_TOKEN = ProblemKind(
    "token", HTTPStatus.UNAUTHORIZED, "No token that may write here",
    "Send Authorization: Bearer TOKEN; the operator issues one with verbale token issue SOURCE.",
)  # fmt: skip
BAD_SIGNATURE = ProblemKind(
    "signature", HTTPStatus.UNAUTHORIZED, "The signature is missing or wrong",
    "The help desk and verbale.toml must hold the same secret, and the mapping say how it signs.",
)  # fmt: skip
FOREIGN_SOURCE = ProblemKind(
    "source", HTTPStatus.FORBIDDEN, "A token writes as one source only",
    "A message names another source than that of the token. Nothing of the request is recorded.",
)  # fmt: skip
UNKNOWN = ProblemKind("unknown", HTTPStatus.NOT_FOUND, "Nothing by that name", "The detail says what was sought.")
METHOD_NOT_ALLOWED = ProblemKind(
    "method", HTTPStatus.METHOD_NOT_ALLOWED, "Not by this method", "The header Allow says which methods there are."
)
TOO_SLOW = ProblemKind(
    "slow", HTTPStatus.REQUEST_TIMEOUT, "The body did not come in time", "Nothing of it is recorded: send it again."
)
TOO_LARGE = ProblemKind(
    "large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large",
    "Nothing of it is recorded: send the messages in smaller batches.",
)  # fmt: skip
UNSUPPORTED_MEDIA_TYPE = ProblemKind(
    "type", HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is of a type that is not read here",
    "Messages are application/cloudevents+json or, many at a time, application/cloudevents-batch+json.",
)  # fmt: skip
REFUSED = ProblemKind(
    "refused", HTTPStatus.UNPROCESSABLE_ENTITY, "The message is refused",
    "It is kept whole, with the reason. Corrected, it can be sent again under the same id.",
)  # fmt: skip
UNMAPPED = ProblemKind(
    "unmapped", HTTPStatus.UNPROCESSABLE_ENTITY, "The mapping does not say what this means",
    "It is kept whole, with the reason. Correct the mapping, then have the help desk send it again.",
)  # fmt: skip
TOO_OFTEN = ProblemKind(
    "often", HTTPStatus.TOO_MANY_REQUESTS, "Too many messages in a minute",
    "Nothing of the request is recorded. The header Retry-After says in how many seconds to send it again.",
)  # fmt: skip
FAULT = ProblemKind(
    "fault", HTTPStatus.INTERNAL_SERVER_ERROR, "A fault of Verbale",
    "What became of the messages is not known: send them again, as often as it takes; twice does no harm.",
)  # fmt: skip
STORE_AWAY = ProblemKind(
    "store", HTTPStatus.SERVICE_UNAVAILABLE, "The store cannot be used now",
    "What became of the messages is not known: send them again after Retry-After seconds; twice does no harm.",
)  # fmt: skip

KINDS = (
    MALFORMED, NO_TOKEN, BAD_SIGNATURE, FOREIGN_SOURCE, UNKNOWN, METHOD_NOT_ALLOWED, TOO_SLOW, TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE, REFUSED, UNMAPPED, TOO_OFTEN, FAULT, STORE_AWAY,
)  # fmt: skip
BODY_PROBLEMS = (MALFORMED, TOO_SLOW, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, TOO_OFTEN, STORE_AWAY)
"""What may be wrong with any request that has a body."""


class ProblemDetails(BaseModel):
    """Why a request was not done (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="which kind of problem: explained on the page at /")
    title: str
    status: int
    detail: str = Field(description="what, where, and what to do")
    instance: str = Field(description="the path asked for")


class RefusalDetails(ProblemDetails):
    """Why a message is not recorded: the details of the problem, and the outcome."""

    outcome: Literal["refused"]
    clause: str
    field: str
    reason: str


class Problem(Exception):
    """A request that cannot be done; `members` are added to the problem details."""

    def __init__(
        self,
        kind: ProblemKind,
        detail: str,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail
        self.headers, self.members = headers, members or {}


def problem_response(request: Request, problem: Problem) -> Response:
    """A problem as a response."""
    kind = problem.kind
    details = {
        **problem.members,
        "type": f"/#{kind.name}",
        "title": kind.title,
        "status": int(kind.status),
        "detail": problem.detail,
        "instance": request.url.path,
    }
    return JSONResponse(details, kind.status, problem.headers, PROBLEM_JSON)
