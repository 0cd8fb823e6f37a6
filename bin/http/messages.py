"""POST /messages and GET /messages: each message reaches the handler as the bytes that came; its outcome comes back."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from typing_extensions import TypedDict

from adapters.inbox.messages import is_label, source_named
from adapters.inbox.outcome_events import DoneData, DuplicateData, OutcomeData, WaitingData, outcome_data
from adapters.inbox.outcomes import Done, Duplicate, Refused, Reply, Waiting, last_outcome
from bin.http.bodies import is_batch, media_type, read_body, split
from bin.http.openapi import MESSAGES_BODY, problem_responses
from bin.http.problems import BODY_PROBLEMS, FOREIGN_SOURCE, MALFORMED, NO_TOKEN, REFUSED, STORE_AWAY, UNKNOWN, Problem
from bin.http.services import WithServices

HTTP = "http"
"""The way in of a posted message, as the metrics call it."""

_BEARER = HTTPBearer(auto_error=False, description="A token as `verbale token issue SOURCE` prints it.")
_CHALLENGE = 'Bearer realm="verbale"'

router = APIRouter()


class Outcomes(TypedDict):
    """What became of many messages, in their order."""

    outcomes: list[OutcomeData]


async def _writer(
    services: WithServices, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> str:
    """The source that the request may write as. Raises Problem where no valid token is given."""
    source = await services.bearers.source(given.credentials) if given else None
    if source is None:
        wrong = "this token is not known, or was revoked" if given else "there is no bearer token"
        challenge = f'{_CHALLENGE}, error="invalid_token"' if given else _CHALLENGE
        raise Problem(NO_TOKEN, f"{wrong}: {NO_TOKEN.meaning}", {"WWW-Authenticate": challenge})
    return source


Writer = Annotated[str, Depends(_writer)]


@router.post(
    "/messages",
    openapi_extra=MESSAGES_BODY,
    responses={
        200: {"model": DuplicateData | Outcomes, "description": "Recorded before; or the outcomes of a batch."},
        201: {"model": DoneData, "description": "Recorded."},
        202: {"model": WaitingData, "description": "Kept until what it belongs to is recorded."},
        **problem_responses(*BODY_PROBLEMS, NO_TOKEN, FOREIGN_SOURCE, REFUSED),
    },
)
async def post_messages(request: Request, services: WithServices, source: Writer) -> Response:
    """Record one message, or a batch.

    One is answered with its outcome; of a batch all are, in order, the refused ones among them.
    """
    kind, body = media_type(request), await read_body(request, services.settings.most_body_bytes)
    batch = is_batch(kind, body)
    raws = split(body) if batch else [body]
    _refuse_other_sources(source, raws)
    await services.rate_limit.take(source, len(raws))
    if batch:
        replies = await services.batcher.receive(raws)
        services.metrics.replied(HTTP, replies)
        return JSONResponse({"outcomes": [outcome_data(reply) for reply in replies]})
    reply = await services.batcher.receive_one(body)
    services.metrics.replied(HTTP, [reply])
    return _answer_to_one(reply)


@router.get(
    "/messages",
    responses={
        200: {"model": OutcomeData, "description": "Its outcome."},
        **problem_responses(MALFORMED, NO_TOKEN, UNKNOWN, STORE_AWAY),
    },
)
async def get_message(
    id: Annotated[str, Query(description="The id of a message of the token's own source.")],
    services: WithServices,
    source: Writer,
) -> Response:
    """What became of a message."""
    batcher, identity = services.batcher, (source, id)
    outcome = await batcher.in_handler_thread(last_outcome, batcher.ledger.store, identity) if is_label(id) else None
    if outcome is None:
        raise Problem(UNKNOWN, f"no message of {source} with this id has been heard, or none that could be read")
    return JSONResponse(outcome_data(Reply(identity, b"", outcome)))


def _refuse_other_sources(source: str, raws: Sequence[bytes]) -> None:
    for place, raw in enumerate(raws):
        named = source_named(raw)
        if named not in (None, source):
            where = f"message {place} of the batch" if len(raws) > 1 else "the message"
            raise Problem(
                FOREIGN_SOURCE, f"{where} says it is from {named[:200]}, and the token writes as {source} only"
            )


def _answer_to_one(reply: Reply) -> Response:
    data = outcome_data(reply)
    match reply.outcome:
        case Refused(_, _, reason):
            raise Problem(REFUSED, reason, members=data)
        case Done():
            return JSONResponse(data, HTTPStatus.CREATED, _location(reply))
        case Waiting():
            return JSONResponse(data, HTTPStatus.ACCEPTED, _location(reply))
        case Duplicate():
            return JSONResponse(data)


def _location(reply: Reply) -> dict[str, str]:
    """The header that says where to ask later what became of a message."""
    return {"Location": f"/messages?id={quote(reply.identity[1], safe='')}"} if reply.identity else {}
