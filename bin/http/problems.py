"""What the HTTP server answers where it cannot do what is asked: problem details (RFC 9457), and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from adapters.store.errors import StoreError
from bin.logs import tell_trouble
from bin.metrics import Metrics

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_SECONDS = 5
"""When to ask again a store that is away."""


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
NOT_THIS_WAY = ProblemKind(
    "method", HTTPStatus.METHOD_NOT_ALLOWED, "Not by this method", "The header Allow says which methods there are."
)
TOO_SLOW = ProblemKind(
    "slow", HTTPStatus.REQUEST_TIMEOUT, "The body did not come in time", "Nothing of it is recorded: send it again."
)
TOO_LARGE = ProblemKind(
    "large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large",
    "Nothing of it is recorded: send the messages in smaller batches.",
)  # fmt: skip
NOT_SPOKEN = ProblemKind(
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
    MALFORMED, NO_TOKEN, BAD_SIGNATURE, FOREIGN_SOURCE, UNKNOWN, NOT_THIS_WAY, TOO_SLOW, TOO_LARGE, NOT_SPOKEN, REFUSED,
    UNMAPPED, TOO_OFTEN, FAULT, STORE_AWAY,
)  # fmt: skip


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


def answer(request: Request, problem: Problem) -> Response:
    """A problem as a response."""
    kind = problem.kind
    told = {
        **problem.members,
        "type": f"/#{kind.name}",
        "title": kind.title,
        "status": int(kind.status),
        "detail": problem.detail,
        "instance": request.url.path,
    }
    return JSONResponse(told, kind.status, problem.headers, PROBLEM_JSON)


def tell_problems(app: FastAPI, meters: Metrics) -> None:
    """Have every error of an app answered with problem details, and those that are ours counted."""

    async def told(request: Request, error: Exception) -> Response:
        match error:
            case Problem():
                return answer(request, error)
            case RequestValidationError():
                first = error.errors()[0]
                where = " ".join(str(part) for part in first["loc"])
                return answer(request, Problem(MALFORMED, f"{where}: {first['msg']}"))
            case HTTPException():
                return answer(request, _of_routing(request, error))
            case StoreError():
                meters.on_trouble(error)
                tell_trouble(error)
                headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
                return answer(request, Problem(STORE_AWAY, STORE_AWAY.meaning, headers))
            case _:
                meters.on_trouble(error)  # the server itself logs it
                return answer(request, Problem(FAULT, FAULT.meaning))

    for kind in (Problem, RequestValidationError, HTTPException, StoreError, Exception):
        app.add_exception_handler(kind, told)


def _of_routing(request: Request, error: HTTPException) -> Problem:
    """What the framework itself says: that it knows no such path, or not that method of it."""
    path = request.url.path
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return Problem(UNKNOWN, f"there is nothing at {path}: the page at / lists what there is", error.headers)
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = ", ".join(_methods(request))
            return Problem(NOT_THIS_WAY, f"{path} is asked by {allowed}", {"Allow": allowed})
        case _:
            return Problem(MALFORMED, str(error.detail), error.headers)


def _methods(request: Request) -> list[str]:
    """The methods of every route that a path leads to: the framework names those of the first."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    return sorted({name for one in routes if one.matches(request.scope)[0] != Match.NONE for name in one.methods or ()})
