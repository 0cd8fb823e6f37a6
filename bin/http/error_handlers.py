"""How errors become problem details: those of requests, of the framework, of the store, and faults of ours."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from adapters.store.errors import StoreError
from bin.http.problems import FAULT, MALFORMED, METHOD_NOT_ALLOWED, STORE_AWAY, UNKNOWN, Problem, problem_response
from bin.http.services import services_of
from bin.logs import log_trouble

RETRY_AFTER_SECONDS = 5
"""When to ask again a store that is away."""


def answer_errors(app: FastAPI) -> None:
    """Have every error of an app answered with problem details, and the store's and ours counted."""
    for kind in (Problem, RequestValidationError, HTTPException, StoreError, Exception):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    match error:
        case Problem():
            return problem_response(request, error)
        case RequestValidationError():
            first = error.errors()[0]
            where = " ".join(str(part) for part in first["loc"])
            return problem_response(request, Problem(MALFORMED, f"{where}: {first['msg']}"))
        case HTTPException():
            return problem_response(request, _of_routing(request, error))
        case StoreError():
            services_of(request.app).metrics.on_trouble(error)
            log_trouble(error)
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            return problem_response(request, Problem(STORE_AWAY, STORE_AWAY.meaning, headers))
        case _:
            services_of(request.app).metrics.on_trouble(error)  # the server itself logs it
            return problem_response(request, Problem(FAULT, FAULT.meaning))


def _of_routing(request: Request, error: HTTPException) -> Problem:
    """The framework's own errors: there is no such path, or it does not take that method."""
    path = request.url.path
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return Problem(UNKNOWN, f"there is nothing at {path}: the page at / lists what there is", error.headers)
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = ", ".join(_methods(request))
            return Problem(METHOD_NOT_ALLOWED, f"{path} is asked by {allowed}", {"Allow": allowed})
        case _:
            return Problem(MALFORMED, str(error.detail), error.headers)


def _methods(request: Request) -> list[str]:
    """The methods of every route that a path leads to: the framework names those of the first alone."""
    path, routes = request.scope["path"], iter_route_contexts(request.app.routes)
    return sorted({name for one in routes if one.path_regex.match(path) for name in one.methods or ()})
