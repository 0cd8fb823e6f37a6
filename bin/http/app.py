"""Messages over HTTP: what is posted reaches the desk as the very bytes that came, and is answered with its outcome."""

import asyncio
import math
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, NamedTuple
from urllib.parse import quote

import uvicorn
from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from typing_extensions import TypedDict
from uvicorn.protocols.http.h11_impl import H11Protocol

from adapters.imports.help_desk import (
    BadSignature,
    DeskMapping,
    check_signature,
    delivery_of,
    desk_mapping,
    snapshot_of,
    take_snapshot,
)
from adapters.inbox.batcher import Batcher
from adapters.inbox.handler import CommandHandler, Done, Duplicate, Outcome, Refused, Reply, Waiting
from adapters.inbox.messages import MOST_BYTES, Unreadable, is_label, source_named
from adapters.inbox.outcome_events import DoneData, DuplicateData, OutcomeData, WaitingData, told
from adapters.store.ledger import Identity, Ledger
from bin.asyncapi import VERSION
from bin.commands.token import Bearers
from bin.compose import clock
from bin.http.bodies import is_batch, media_type, read_body, split
from bin.http.openapi import MESSAGES_BODY, PAYLOAD_BODY, describe, told_problems
from bin.http.problems import (
    BAD_SIGNATURE,
    FOREIGN_SOURCE,
    MALFORMED,
    NO_TOKEN,
    NOT_SPOKEN,
    REFUSED,
    STORE_AWAY,
    TOO_LARGE,
    TOO_OFTEN,
    TOO_SLOW,
    UNKNOWN,
    UNMAPPED,
    Problem,
    tell_problems,
)
from bin.http.status_pages import show_pages
from bin.logs import tell_webhook
from bin.metrics import Metrics
from bin.readiness import ReadinessCheck
from bin.settings import Settings, Webhook

HTTP, WEBHOOK = "http", "webhook"
"""Ways in, as the meters call them."""
MOST_OPEN = 200
"""Connections at a time; whoever comes then hears 503."""
NEXT_REQUEST_SECONDS = 30.0
"""For which a connection may be open without a request to answer: each takes one of the places."""
LAST_REQUESTS_SECONDS = 5
"""How long a request that is being answered may still take when we stop."""

_UNREAD = (MALFORMED, TOO_SLOW, TOO_LARGE, NOT_SPOKEN, TOO_OFTEN, STORE_AWAY)
"""What may be wrong with any body."""
_BEARER = HTTPBearer(auto_error=False, description="A token as `verbale token issue SOURCE` prints it.")
_CHALLENGE = 'Bearer realm="verbale"'


class Outcomes(TypedDict):
    """What became of many messages, in their order."""

    outcomes: list[OutcomeData]


def build(batcher: Batcher, chosen: Settings, health: ReadinessCheck, meters: Metrics) -> FastAPI:
    """The application that answers over HTTP. Raises BadMapping and BadSettings where a webhook cannot be read."""
    app = FastAPI(
        title="Verbale, for producers",
        version=VERSION,
        docs_url=None,  # the pages of the framework load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    tell_problems(app, meters)
    limit = _Limit(chosen.messages_per_minute)
    _take_messages(app, batcher, chosen, limit, meters)
    _take_webhooks(app, batcher, chosen, limit, meters)
    show_pages(app, health, meters)
    describe(app)
    return app


def served(app: FastAPI) -> uvicorn.Config:
    """How the application is served: bounded, and its words go where the program's log goes."""
    return uvicorn.Config(
        app,
        http=_Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_OPEN,
        timeout_graceful_shutdown=LAST_REQUESTS_SECONDS,
    )


class _Connection(H11Protocol):
    """A connection that is closed where no request comes, or only its beginning: the server itself would wait for ever.

    How long a body is waited for is said where it is read.
    """

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """From now on a request is waited for."""
        super().connection_made(transport)
        self._wait()

    def on_response_complete(self) -> None:
        """Likewise for the next."""
        super().on_response_complete()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """None is waited for."""
        super().connection_lost(exc)
        if self._patience is not None:
            self._patience.cancel()

    def _wait(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._patience = self.loop.call_later(NEXT_REQUEST_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()


class _Limit:
    """What one source may post in a minute. A full minute later, it may again."""

    def __init__(self, messages: int) -> None:
        self._per_minute = RateLimitItemPerMinute(messages)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def take(self, source: str, messages: int) -> None:
        """Count some messages of a source. Raises Problem, and counts none, where they are too many."""
        most = self._per_minute.amount
        if messages > most:
            raise Problem(TOO_LARGE, f"a batch of {messages} messages, and a source may post {most} a minute")
        if not await self._limiter.test(self._per_minute, source, cost=messages):
            window = await self._limiter.get_window_stats(self._per_minute, source)
            seconds = max(1, math.ceil(window.reset_time - time.time()))
            detail = f"{source} may post {most} messages a minute: send these again in {seconds} seconds"
            raise Problem(TOO_OFTEN, detail, {"Retry-After": str(seconds)})
        await self._limiter.hit(self._per_minute, source, cost=messages)


# --- messages ---


def _take_messages(app: FastAPI, batcher: Batcher, chosen: Settings, limit: _Limit, meters: Metrics) -> None:
    bearers = Bearers(batcher)

    async def writer(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> str:
        """The source that the request may write as."""
        source = await bearers.source(given.credentials) if given else None
        if source is None:
            wrong = "this token is not known, or was revoked" if given else "there is no bearer token"
            challenge = f'{_CHALLENGE}, error="invalid_token"' if given else _CHALLENGE
            raise Problem(NO_TOKEN, f"{wrong}: {NO_TOKEN.meaning}", {"WWW-Authenticate": challenge})
        return source

    @app.post(
        "/messages",
        openapi_extra=MESSAGES_BODY,
        responses={
            200: {"model": DuplicateData | Outcomes, "description": "Recorded before; or the outcomes of a batch."},
            201: {"model": DoneData, "description": "Recorded."},
            202: {"model": WaitingData, "description": "Kept until what it belongs to is recorded."},
            **told_problems(*_UNREAD, NO_TOKEN, FOREIGN_SOURCE, REFUSED),
        },
    )
    async def post_messages(request: Request, source: Annotated[str, Depends(writer)]) -> Response:
        """Record one message, or a batch.

        One is answered with its outcome; of a batch all are, in order, the refused ones among them.
        """
        kind, body = media_type(request), await read_body(request, chosen.most_body_bytes)
        batch = is_batch(kind, body)
        raws = split(body) if batch else [body]
        _refuse_other_sources(source, raws)
        await limit.take(source, len(raws))
        if batch:
            replies = await batcher.receive(raws)
            meters.replied(HTTP, replies)
            return JSONResponse({"outcomes": [told(reply) for reply in replies]})
        reply = await batcher.receive_one(body)
        meters.replied(HTTP, [reply])
        return _answer_to_one(reply)

    @app.get(
        "/messages",
        responses={
            200: {"model": OutcomeData, "description": "Its outcome."},
            **told_problems(MALFORMED, NO_TOKEN, UNKNOWN, STORE_AWAY),
        },
    )
    async def get_message(
        id: Annotated[str, Query(description="The id of a message of the token's own source.")],
        source: Annotated[str, Depends(writer)],
    ) -> Response:
        """What became of a message."""
        identity = source, id
        found = await batcher.in_handler_thread(_outcome_of, batcher.ledger, identity) if is_label(id) else None
        if found is None:
            raise Problem(UNKNOWN, f"no message of {source} with this id has been heard, or none that could be read")
        return JSONResponse(told(Reply(identity, b"", found)))


def _refuse_other_sources(source: str, raws: Sequence[bytes]) -> None:
    for place, raw in enumerate(raws):
        named = source_named(raw)
        if named not in (None, source):
            where = f"message {place} of the batch" if len(raws) > 1 else "the message"
            raise Problem(
                FOREIGN_SOURCE, f"{where} says it is from {named[:200]}, and the token writes as {source} only"
            )


def _answer_to_one(reply: Reply) -> Response:
    said = told(reply)
    match reply.outcome:
        case Refused(_, _, reason):
            raise Problem(REFUSED, reason, members=said)
        case Done():
            return JSONResponse(said, HTTPStatus.CREATED, _where_to_ask(reply))
        case Waiting():
            return JSONResponse(said, HTTPStatus.ACCEPTED, _where_to_ask(reply))
        case Duplicate():
            return JSONResponse(said)


def _where_to_ask(reply: Reply) -> dict[str, str]:
    return {"Location": f"/messages?id={quote(reply.identity[1], safe='')}"} if reply.identity else {}


def _outcome_of(ledger: Ledger, identity: Identity) -> Outcome | None:
    """The last that is known of a message; None where it was never heard."""
    store = ledger.store
    if receipt := store.receipts([identity]).get(identity):
        if receipt.version is None or receipt.leaf is None:
            return Duplicate(receipt.stream, None, None)
        return Done(receipt.stream, receipt.version, receipt.leaf)
    if kept := store.waiting([identity]).get(identity):
        return Waiting(kept.stream, kept.reason)
    refused = store.last_refusal(identity)
    return Refused(refused.clause, refused.field, refused.reason) if refused else None


# --- webhooks ---


class _HelpDesk(NamedTuple):
    """A help desk that calls us."""

    mapping: DeskMapping
    secret: str


def _help_desk(webhook: Webhook) -> _HelpDesk:
    return _HelpDesk(desk_mapping(webhook.mapping), webhook.shared_secret())


def _take_webhooks(app: FastAPI, batcher: Batcher, chosen: Settings, limit: _Limit, meters: Metrics) -> None:
    desks = {name: _help_desk(webhook) for name, webhook in chosen.webhooks.items()}

    @app.post(
        "/webhooks/{name}",
        openapi_extra=PAYLOAD_BODY,
        responses={
            200: {"model": Outcomes, "description": "What became of the messages that it had to tell, if any."},
            **told_problems(*_UNREAD, BAD_SIGNATURE, UNKNOWN, UNMAPPED),
        },
    )
    async def post_webhook(name: str, request: Request) -> Response:
        """Take what a help desk says of one of its items, by the mapping that verbale.toml names for it.

        A signed body that the mapping cannot read is kept whole among the refused messages.
        """
        if name not in desks:
            raise Problem(UNKNOWN, f"no webhook is called {name}: verbale.toml names those that there are")
        mapping, secret = desks[name]
        body = await read_body(request, min(chosen.most_body_bytes, MOST_BYTES))
        try:
            check_signature(mapping, secret, request.headers, body, clock())
        except BadSignature as error:
            raise Problem(BAD_SIGNATURE, str(error)) from None
        await limit.take(mapping.source, 1)
        try:
            snapshot = snapshot_of(mapping, body)
        except Unreadable as error:
            reply = await batcher.at_the_desk(CommandHandler.refuse_payload, body, error.clause, error.reason)
            meters.replied(WEBHOOK, [reply])
            tell_webhook(name, delivery_of(mapping, request.headers), [reply])
            raise Problem(UNMAPPED, error.reason, members=told(reply)) from None
        replies = await batcher.at_the_desk(take_snapshot, snapshot)
        meters.replied(WEBHOOK, replies)
        tell_webhook(name, delivery_of(mapping, request.headers), replies)
        return JSONResponse({"outcomes": [told(reply) for reply in replies]})
