"""The OpenAPI document of the HTTP server: what the framework cannot know by itself."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from adapters.inbox.messages import CloudEvent
from bin.http.bodies import BATCHED, EITHER, SINGLE
from bin.http.problems import FAULT, PROBLEM_JSON, REFUSED, UNMAPPED, ProblemDetails, ProblemKind, RefusalDetails

_ABOUT = """\
A producer posts what happened, one CloudEvent for each fact, and is answered with what became of each. Sent again, a
message does no harm; refused, it is kept with the reason. /schemas/TYPE says what the data of each type holds.
"""
_ONE = {"$ref": "#/components/schemas/CloudEvent"}
_MANY = {"type": "array", "items": _ONE}

MESSAGES_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            SINGLE: {"schema": _ONE},
            BATCHED: {"schema": _MANY},
            EITHER: {"schema": {"anyOf": [_ONE, _MANY]}},
        },
    }
}
PAYLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "What the help desk sends, signed as the mapping says.",
        "content": {EITHER: {"schema": {"type": "object"}}},
    }
}


def problem_responses(*kinds: ProblemKind) -> dict[int | str, dict[str, Any]]:
    """The responses that a route declares for these problems and, as every route may have it, for a fault of ours."""
    declared: dict[int | str, dict[str, Any]] = {}
    for kind in (*kinds, FAULT):
        model = RefusalDetails if kind in (REFUSED, UNMAPPED) else ProblemDetails
        declared[int(kind.status)] = {"model": model, "description": f"{kind.title}. {kind.meaning}"}
    return dict(sorted(declared.items(), key=str))


def describe(app: FastAPI) -> None:
    """Give an app its OpenAPI document, made when it is first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=_ABOUT, routes=app.routes)
    schemas = document["components"]["schemas"]
    event = TypeAdapter(CloudEvent).json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**event.pop("$defs", {}), "CloudEvent": event}
    for path in document["paths"].values():
        for operation in path.values():
            _correct(operation["responses"])
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


def _correct(responses: dict[str, Any]) -> None:
    """Problems have a media type of their own, and what the framework would answer to bad parameters is one of them."""
    for status, response in list(responses.items()):
        content = response.get("content", {})
        match content.get(EITHER, {}).get("schema", {}).get("$ref", "").rpartition("/")[2]:
            case "HTTPValidationError":
                del responses[status]
            case "ProblemDetails" | "RefusalDetails":
                content[PROBLEM_JSON] = content.pop(EITHER)
