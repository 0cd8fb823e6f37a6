"""What anybody who can reach the server may read: health, readiness, metrics, and the contract for producers.

No page has a script.
"""

from functools import cache
from html import escape
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from typing_extensions import TypedDict

from bin.asyncapi import asyncapi
from bin.http.openapi import problem_responses
from bin.http.problems import KINDS, UNKNOWN, Problem
from bin.http.services import WithServices
from bin.schemas import schemas

SCHEMA_JSON = "application/schema+json"
_NOTHING_FROM_ELSEWHERE = {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}
_SHOWN = (
    ("/openapi.json", "this server, for machines (OpenAPI)"),
    ("/asyncapi.json", "the brokers' side of it (AsyncAPI)"),
    ("/health", "whether the process is alive"),
    ("/ready", "whether store, broker and live tables are"),
    ("/metrics", "figures for Prometheus"),
)
_TEXT = {"schema": {"type": "string"}}
_schemas, _asyncapi = cache(schemas), cache(asyncapi)

router = APIRouter()


class Part(TypedDict):
    """Whether a part is ready, and why (not)."""

    ready: bool
    said: str


class Readiness(TypedDict):
    """Whether the consumer can do its work; the parts are store, broker and projection, as far as there are any."""

    ready: bool
    parts: dict[str, Part]


class Alive(TypedDict):
    """The process runs."""

    alive: bool


@router.get("/health", responses={200: {"model": Alive, "description": "It runs."}})
async def alive() -> Response:
    """Whether the process is alive."""
    return JSONResponse({"alive": True})


@router.get(
    "/ready",
    responses={
        200: {"model": Readiness, "description": "Every part is ready."},
        503: {"model": Readiness, "description": "Some part is not."},
    },
)
async def ready(services: WithServices) -> Response:
    """Whether the consumer can do its work now: store, broker, live tables."""
    found = await services.readiness.result()
    status = HTTPStatus.OK if found.ready else HTTPStatus.SERVICE_UNAVAILABLE
    parts = {name: part._asdict() for name, part in found.parts.items()}
    return JSONResponse({"ready": found.ready, "parts": parts}, status)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": _TEXT}}})
async def metrics(services: WithServices) -> Response:
    """Figures for Prometheus."""
    found = await services.readiness.result()
    return Response(services.metrics.exposition(found), media_type=CONTENT_TYPE_LATEST)


@router.get("/asyncapi.json")
async def asyncapi_document() -> dict[str, Any]:
    """The contract for producers, as AsyncAPI."""
    return _asyncapi()


@router.get(
    "/schemas/{type}",
    response_class=Response,
    responses={200: {"content": {SCHEMA_JSON: {"schema": {"type": "object"}}}}, **problem_responses(UNKNOWN)},
)
async def message_schema(type: str) -> Response:
    """The JSON Schema of a type of message, or of the outcome."""
    found = _schemas().get(type)
    if found is None:
        raise Problem(UNKNOWN, f"no message type is called {type}: the page at / lists them")
    return JSONResponse(found, media_type=SCHEMA_JSON)


@router.get("/", response_class=HTMLResponse)
async def page() -> Response:
    """What there is to read here."""
    return HTMLResponse(_page(), headers=_NOTHING_FROM_ELSEWHERE)


@cache
def _page() -> str:
    shown = "".join(f'<li><a href="{path}">{path}</a>: {escape(what)}</li>' for path, what in _SHOWN)
    types = "".join(f'<li><a href="/schemas/{name}">{name}</a></li>' for name in _schemas())
    kinds = "".join(
        f'<dt id="{kind.name}">{kind.status:d} {escape(kind.title)}</dt><dd>{escape(kind.meaning)}</dd>'
        for kind in KINDS
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Verbale</title></head><body>'
        "<h1>Verbale, for producers</h1>"
        "<p>Post messages (CloudEvents) to /messages with a bearer token; each is answered with what became of it.</p>"
        f"<ul>{shown}</ul><h2>Schemas of messages</h2><ul>{types}</ul>"
        f"<h2>What may go wrong</h2><dl>{kinds}</dl></body></html>"
    )
