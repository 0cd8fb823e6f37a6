"""POST /webhooks/NAME: a help desk sends one of its items as it stands, and what changed is recorded."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from adapters.imports.desk_payload import snapshot_of
from adapters.imports.desk_signature import BadSignature, check_signature, delivery_of
from adapters.imports.help_desk import take_snapshot
from adapters.inbox.handler import CommandHandler
from adapters.inbox.messages import MOST_BYTES, Unreadable
from adapters.inbox.outcome_events import told
from bin.compose import clock
from bin.http.bodies import read_body
from bin.http.messages import Outcomes
from bin.http.openapi import PAYLOAD_BODY, problem_responses
from bin.http.problems import BAD_SIGNATURE, BODY_PROBLEMS, UNKNOWN, UNMAPPED, Problem
from bin.http.services import WithServices
from bin.logs import log_webhook

WEBHOOK = "webhook"
"""The way in of what a help desk sends, as the metrics call it."""

router = APIRouter()


@router.post(
    "/webhooks/{name}",
    openapi_extra=PAYLOAD_BODY,
    responses={
        200: {"model": Outcomes, "description": "What became of the messages that it had to tell, if any."},
        **problem_responses(*BODY_PROBLEMS, BAD_SIGNATURE, UNKNOWN, UNMAPPED),
    },
)
async def post_webhook(name: str, request: Request, services: WithServices) -> Response:
    """Take what a help desk says of one of its items, by the mapping that verbale.toml names for it.

    A signed body that the mapping cannot read is kept whole among the refused messages.
    """
    if name not in services.help_desks:
        raise Problem(UNKNOWN, f"no webhook is called {name}: verbale.toml names those that there are")
    mapping, secret = services.help_desks[name]
    body = await read_body(request, min(services.settings.most_body_bytes, MOST_BYTES))
    try:
        check_signature(mapping, secret, request.headers, body, clock())
    except BadSignature as error:
        raise Problem(BAD_SIGNATURE, str(error)) from None
    await services.rate_limit.take(mapping.source, 1)
    delivery, batcher = delivery_of(mapping, request.headers), services.batcher
    try:
        snapshot = snapshot_of(mapping, body)
    except Unreadable as error:
        reply = await batcher.at_the_desk(CommandHandler.refuse_payload, body, error.clause, error.reason)
        services.metrics.replied(WEBHOOK, [reply])
        log_webhook(name, delivery, [reply])
        raise Problem(UNMAPPED, error.reason, members=told(reply)) from None
    replies = await batcher.at_the_desk(take_snapshot, snapshot)
    services.metrics.replied(WEBHOOK, replies)
    log_webhook(name, delivery, replies)
    return JSONResponse({"outcomes": [told(reply) for reply in replies]})
