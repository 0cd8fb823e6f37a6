"""The OpenAPI document of the HTTP server: what the framework cannot know by itself."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from adapters.messages import CloudEvent
from bin.bodies import BATCHED, EITHER, SINGLE
from bin.problems import KINDS, PROBLEM_JSON, ProblemDetails, RefusalDetails

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


def told_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How a route declares the problems it answers with."""
    declared: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        titles = [kind.title for kind in KINDS if kind.status == status]
        model = RefusalDetails if status == 422 else ProblemDetails
        declared[status] = {"model": model, "description": "; or: ".join(titles) + "."}
    return declared


def describe(app: FastAPI) -> None:
    """Have an app tell its OpenAPI document, made once."""

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
    problems = {f"#/components/schemas/{model.__name__}" for model in (ProblemDetails, RefusalDetails)}
    for path in document["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                content = response.get("content", {})
                if content.get(EITHER, {}).get("schema", {}).get("$ref") in problems:
                    content[PROBLEM_JSON] = content.pop(EITHER)
    return document
