"""Messages over HTTP: what each answer means, what is refused before anything is recorded, what the server shows.

The application is asked through ASGI; where bytes on a socket matter, through a real server.
"""

import asyncio
import hashlib
import hmac
import json
import socket
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import httpx
import pytest
import schemathesis
import structlog.testing
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from support.messages import (
    SOURCE,
    Clock,
    charge,
    contract_in_force,
    event,
    memory,
    message,
    opening,
    stored,
    wire,
)
from support.servers import owner

from adapters.inbox.batcher import Batcher
from adapters.inbox.handler import CommandHandler
from adapters.inbox.outcomes import Answered
from adapters.store.ledger import Ledger
from bin.http.app import build
from bin.http.bodies import BATCHED, EITHER, MOST_MESSAGES, SINGLE, split
from bin.http.problems import KINDS, PROBLEM_JSON
from bin.http.server import served
from bin.metrics import Metrics
from bin.readiness import ReadinessCheck
from bin.settings import BadSettings, Settings, Webhook
from bin.tokens import digest_of

TOKEN, OTHER_TOKEN = "vbl_for-the-tests", "vbl_of-another"
OTHER = "helpdesk://other"
SECRET = "s3cret"
SAMPLES = Path(__file__).parent / "webhooks"


class Office:
    """The application over a ledger with a contract in force, and producers that post to it."""

    def __init__(self, ledger: Ledger, **chosen: Any) -> None:
        self.ledger, self.handler = ledger, CommandHandler(ledger, Clock())
        self.metrics = Metrics()
        self.batcher = Batcher(self.handler, self.metrics.on_handled, self.metrics.on_trouble)
        self.settings = Settings(**chosen)
        self.app = build(self.batcher, self.settings, ReadinessCheck(self.batcher, self.settings), self.metrics)

    def ask(self, *requests: httpx.Request) -> list[httpx.Response]:
        """The answers to requests that are made at the same time."""

        async def asked() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport) as client:
                return await asyncio.gather(*map(client.send, requests))

        return asyncio.run(asked())

    def post(self, body: bytes, media_type: str = SINGLE, token: str | None = TOKEN, **headers: str) -> httpx.Response:
        """The answer to one post of messages."""
        return self.ask(post(body, media_type, token, **headers))[0]

    def batch(self, *raws: bytes, **others: Any) -> httpx.Response:
        """The answer to a batch."""
        return self.post(array(raws), BATCHED, **others)

    def get(self, path: str, token: str | None = None, **query: str) -> httpx.Response:
        """The answer to a question."""
        return self.ask(httpx.Request("GET", f"http://verbale{path}", params=query or None, headers=bearing(token)))[0]

    def counts(self) -> dict[str, int]:
        """What the ledger holds, besides the contract that it began with."""
        began = {"facts": 4, "messages": 4}
        return {name: number - began.get(name, 0) for name, number in self.ledger.store.counts().items()}


NOTHING = {"facts": 0, "messages": 0, "waiting": 0, "refused": 0}


def bearing(token: str | None) -> dict[str, str]:
    """The header that bears a token."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def post(body: bytes, media_type: str = SINGLE, token: str | None = TOKEN, **headers: str) -> httpx.Request:
    """A post of messages."""
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Request(
        "POST", "http://verbale/messages", content=body, headers={"Content-Type": media_type, **bearing(token), **said}
    )


def array(raws: Sequence[bytes]) -> bytes:
    """A JSON array of texts."""
    return b"[" + b", ".join(raws) + b"]"


@contextmanager
def office_of(ledger: Ledger, **chosen: Any) -> Iterator[Office]:
    """An office over a ledger, with a token for each of two sources."""
    office = Office(ledger, **chosen)
    office.handler.handle(contract_in_force())
    ledger.store.issue_token(digest_of(TOKEN), SOURCE)
    ledger.store.issue_token(digest_of(OTHER_TOKEN), OTHER)
    try:
        yield office
    finally:
        office.batcher.close()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of whoever runs the tests, no live tables in the folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VERBALE_CONFIG", raising=False)


@pytest.fixture
def office() -> Iterator[Office]:
    """An office over a store in memory."""
    with memory(Clock()) as ledger, office_of(ledger) as office:
        yield office


@pytest.fixture
def kept(place: Path | str) -> Iterator[Office]:
    """An office over a store of each kind, which gives up after a second."""
    with stored(place, Clock(), lock_timeout=1) as ledger, office_of(ledger) as office:
        yield office


def assert_problem(answer: httpx.Response, status: int, kind: str, words: str) -> dict[str, Any]:
    """The members of problem details, which are complete."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM_JSON
    said: dict[str, Any] = answer.json()
    title = next(one.title for one in KINDS if one.name == kind)
    assert said | {"detail": ANY} == said | {
        "type": f"/#{kind}", "title": title, "status": status, "detail": ANY, "instance": answer.request.url.path
    }  # fmt: skip
    assert words in said["detail"]
    return said


# --- one message ---


def test_a_message_recorded_is_created_and_sent_again_it_is_there(kept: Office) -> None:
    first, again = kept.post(opening()), kept.post(opening())
    assert (first.status_code, again.status_code) == (201, 200)
    where = {"stream": "incident-INC0001234", "version": 1, "leaf": 4}
    identity = {"source": SOURCE, "id": json.loads(opening())["id"]}
    assert first.json() == {**identity, "outcome": "done", **where}
    assert again.json() == {**identity, "outcome": "duplicate", **where}
    assert kept.counts() == NOTHING | {"facts": 1, "messages": 1}
    assert kept.get(first.headers["Location"], TOKEN).json() == first.json()


def test_a_message_that_waits_is_accepted_and_can_be_asked_about_until_it_is_done(kept: Office) -> None:
    waiting = kept.post(charge())
    assert (waiting.status_code, waiting.json()["outcome"]) == (202, "waiting")
    ask = waiting.headers["Location"]
    assert kept.get(ask, TOKEN).json() == waiting.json()
    kept.post(opening())
    assert kept.get(ask, TOKEN).json() | {"outcome": "done", "version": 2} == kept.get(ask, TOKEN).json()


def test_what_another_message_said_before_is_a_duplicate_also_when_asked_about(office: Office) -> None:
    office.batch(opening(), charge())
    again = office.post(charge(id="again"))
    assert (again.status_code, again.json()["outcome"], again.json()["version"]) == (200, "duplicate", None)
    assert office.get("/messages", TOKEN, id="again").json() == again.json()


def test_what_can_be_no_id_is_none_that_was_heard(kept: Office) -> None:
    for never_heard in ("", "never", "x\x00y", "x" * 501):
        assert_problem(kept.get("/messages", TOKEN, id=never_heard), 404, "unknown", f"no message of {SOURCE}")


def test_a_message_refused_is_told_as_a_problem_and_kept_and_corrected_it_succeeds(kept: Office) -> None:
    wrong = opening(impact="enormous", id="X1")
    refused = kept.post(wrong)
    said = assert_problem(refused, 422, "refused", "data.impact")
    assert {name: said[name] for name in ("source", "id", "outcome", "clause", "field")} == {
        "source": SOURCE, "id": "X1", "outcome": "refused", "clause": "R1", "field": "data.impact"
    }  # fmt: skip
    assert [row.message.raw for row in kept.ledger.store.refused()] == [wrong]
    assert kept.get("/messages", TOKEN, id="X1").json()["outcome"] == "refused"
    assert kept.post(opening(id="X1")).status_code == 201
    assert kept.get("/messages", TOKEN, id="X1").json()["outcome"] == "done"


@pytest.mark.parametrize(
    "raw", [b"", b"not json", b"\xff\xfe", b"[1", b"{}", b'{"source": "a", "source": "b"}', b"null"]
)
def test_what_cannot_be_read_is_refused_and_kept_as_it_came(office: Office, raw: bytes) -> None:
    said = assert_problem(office.post(raw), 422, "refused", "")
    assert (said["outcome"], said["sha256"]) == ("refused", hashlib.sha256(raw).hexdigest())
    assert [row.message.raw for row in office.ledger.store.refused()] == [raw]


def test_the_very_bytes_reach_the_desk(office: Office) -> None:
    spelled = b"\n " + opening(impact="enormous").replace(b'": ', b'"  :\t') + b"\n"
    office.post(spelled)
    assert [row.message.raw for row in office.ledger.store.refused()] == [spelled]


def test_a_plain_json_type_with_parameters_is_taken(office: Office) -> None:
    assert office.post(opening(), "Application/JSON; charset=UTF-8").status_code == 201
    assert office.post(array([opening()]), "application/json").json()["outcomes"][0]["outcome"] == "duplicate"


def test_messages_posted_at_the_same_time_share_transactions(kept: Office) -> None:
    before = kept.ledger.store.revision()
    answers = kept.ask(*(post(opening(f"INC{number}")) for number in range(60)))
    assert [answer.status_code for answer in answers] == [201] * 60
    assert len({answer.json()["leaf"] for answer in answers}) == 60
    assert kept.ledger.store.revision() - before < 30
    assert kept.counts() == NOTHING | {"facts": 60, "messages": 60}


# --- batches ---


def test_a_batch_is_answered_in_order_the_refused_ones_among_them(kept: Office) -> None:
    before = kept.ledger.store.revision()
    answer = kept.batch(charge(), opening(), b'{"a": NaN}', charge("NOPE"), opening())
    assert answer.status_code == 200
    outcomes = [one["outcome"] for one in answer.json()["outcomes"]]
    assert outcomes == ["done", "done", "refused", "waiting", "duplicate"]
    assert kept.ledger.store.revision() == before + 1
    assert kept.counts() == {"facts": 2, "messages": 2, "waiting": 1, "refused": 1}


def test_an_empty_batch_has_no_outcomes(office: Office) -> None:
    before = office.ledger.store.revision()
    assert office.batch().json() == {"outcomes": []}
    assert office.ledger.store.revision() == before


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
blank = st.text(" \t\r\n", max_size=3).map(str.encode)


@settings(derandomize=True, max_examples=200)
@given(st.lists(st.tuples(json_values, st.booleans(), blank, blank), max_size=6), blank, blank)
def test_an_array_is_taken_apart_into_the_texts_that_it_was_put_together_from(
    elements: list[tuple[Any, bool, bytes, bytes]], before: bytes, after: bytes
) -> None:
    texts = [json.dumps(value, ensure_ascii=escaped).encode(errors="replace") for value, escaped, _, _ in elements]
    padded = [left + text + right for text, (_, _, left, right) in zip(texts, elements, strict=True)]
    assert split(before + b"[" + b",".join(padded) + b"]" + after) == texts


@pytest.mark.parametrize(
    "text",
    [b'{"a":1,"a":2}', b"1" * 5000, b"1.0000000000000000000001", b"-0", b"1e999", b"NaN", b'"\\ud800"', b'"\\u00e8"'],
)
def test_an_element_keeps_what_reading_would_lose(text: bytes) -> None:
    assert split(array([text, text])) == [text, text]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "[ is missing at character 1"),
        (b"{}", "[ is missing at character 1"),
        (b"[1", ", is missing at character 3"),
        (b"[1 2]", ", is missing at character 4"),
        (b"[1,]", "Expecting value at character 4"),
        (b"[,1]", "Expecting value at character 2"),
        (b"[1] 2", "something follows the array at character 5"),
        (b"[1]]", "something follows the array at character 4"),
        (b"[\xff]", "not UTF-8"),
        (b"\xef\xbb\xbf[]", "[ is missing at character 1"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_cannot_be_taken_apart_is_refused_whole_and_nothing_is_kept(
    office: Office, body: bytes, words: str
) -> None:
    assert_problem(office.post(body, BATCHED), 400, "malformed", words)
    assert office.counts() == NOTHING


def test_a_batch_of_too_many_messages_is_refused_whole(office: Office) -> None:
    numbered = [opening(f"INC{number}") for number in range(MOST_MESSAGES + 1)]
    assert_problem(office.batch(*numbered), 413, "large", f"more than {MOST_MESSAGES} messages")
    assert office.counts() == NOTHING
    assert len(office.batch(*numbered[1:]).json()["outcomes"]) == MOST_MESSAGES


# --- who may write ---


@pytest.mark.parametrize(
    "given", [None, "Bearer", "Bearer nobody", "Basic dTpw", f"bearer {TOKEN} {TOKEN}", "Bearer \xe8"]
)
def test_without_a_token_that_is_known_nothing_is_read(office: Office, given: str | None) -> None:
    headers = {"Authorization": given.encode("latin-1")} if given else {}
    ask = httpx.Request("POST", "http://verbale/messages", content=opening(), headers=headers)  # type: ignore[arg-type]
    (answer,) = office.ask(ask)
    assert_problem(answer, 401, "token", "verbale token issue")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert office.counts() == NOTHING


def test_a_foreign_source_in_the_middle_of_a_batch_has_nothing_recorded(office: Office) -> None:
    foreign = message("incident.open", "incident-F", "2026-03-02T08:00:00Z", source=OTHER)
    assert_problem(office.batch(opening("A"), foreign, opening("B")), 403, "source", "message 1 of the batch")
    assert_problem(office.post(foreign), 403, "source", f"the message says it is from {OTHER}")
    assert office.counts() == NOTHING
    assert office.post(foreign, token=OTHER_TOKEN).status_code != 403


def test_a_foreign_source_is_seen_however_it_is_spelled(office: Office) -> None:
    foreign = wire(event("incident.open", "incident-F", "2026-03-02T08:00:00Z", source=OTHER))
    spelled = foreign.replace(b'"source"', b'"s\\u006furce"').replace(b"helpdesk:", b"\\u0068elpdesk:")
    assert_problem(office.post(spelled), 403, "source", OTHER)


def test_a_revoked_token_is_refused_within_moments(kept: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept.post(opening("A")).status_code == 201
    kept.ledger.store.revoke_token(digest_of(TOKEN))
    monkeypatch.setattr("bin.http.bearers.REMEMBERED_SECONDS", 0.0)  # they have passed
    assert_problem(kept.post(opening("B")), 401, "token", "revoked")
    assert kept.counts()["facts"] == 1


def test_a_producer_is_told_of_its_own_messages_only(office: Office) -> None:
    identity = office.post(opening()).json()["id"]
    assert_problem(office.get("/messages", OTHER_TOKEN, id=identity), 404, "unknown", f"no message of {OTHER}")
    assert_problem(office.get("/messages", TOKEN), 400, "malformed", "query id")
    assert_problem(office.get("/messages", id=identity), 401, "token", "")


# --- bounds ---


def test_a_body_of_another_kind_is_not_read(office: Office) -> None:
    for media_type in ("text/plain", "", "application/xml"):
        assert_problem(office.post(opening(), media_type), 415, "type", SINGLE)
    assert_problem(office.post(opening(), "application/json; charset=latin-1"), 415, "type", "UTF-8")
    assert_problem(office.post(opening(), Content_Encoding="gzip"), 415, "type", "gzip")
    assert office.counts() == NOTHING


def test_a_body_that_says_it_is_too_long_is_not_read() -> None:
    with memory(Clock()) as ledger, office_of(ledger, most_body_bytes=1000) as office:
        read: list[int] = []

        async def resources() -> AsyncIterator[bytes]:
            read.append(1)
            yield b" " * 1001

        headers = {"Content-Length": "1001", "Content-Type": SINGLE, **bearing(TOKEN)}
        ask = httpx.Request("POST", "http://verbale/messages", content=resources(), headers=headers)
        assert_problem(office.ask(ask)[0], 413, "large", "1000 bytes")
        assert (office.counts(), read) == (NOTHING, [])
        assert office.post(opening()).status_code == 201


def test_a_source_may_post_so_many_messages_a_minute_and_another_is_not_held_up() -> None:
    with memory(Clock()) as ledger, office_of(ledger, messages_per_minute=3) as office:
        assert len(office.batch(opening("A"), opening("B")).json()["outcomes"]) == 2
        answer = office.batch(opening("C"), opening("D"))
        assert_problem(answer, 429, "often", "3 messages a minute")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert office.post(opening("C")).status_code == 201
        assert office.post(opening("D")).status_code == 429
        assert office.counts()["facts"] == 3
        assert office.post(b"{}", token=OTHER_TOKEN).status_code == 422
        assert_problem(office.batch(*[opening()] * 4), 413, "large", "3 a minute")


# --- a store that is away, a fault of ours ---


@contextmanager
def held(place: Path | str) -> Iterator[None]:
    """The store is somebody else's for a while."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
    else:
        with owner(place) as connection, connection.transaction():
            connection.execute("LOCK TABLE stored_events IN EXCLUSIVE MODE")
            yield


def test_while_the_store_is_away_a_producer_is_told_to_come_back_and_then_it_succeeds(
    kept: Office, place: Path | str
) -> None:
    assert kept.post(opening("A")).status_code == 201
    with held(place):
        answers = kept.ask(post(opening("B")), post(array([opening("C")]), BATCHED))
    for answer in answers:
        assert_problem(answer, 503, "store", "send them again")
        assert int(answer.headers["Retry-After"]) > 0
    assert kept.counts()["facts"] == 1
    assert kept.post(opening("B")).status_code == 201
    assert 'verbale_troubles_total{kind="LockedStore"} 2.0' in kept.get("/metrics").text


def test_a_fault_of_ours_is_told_without_its_words(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(raws: Sequence[bytes]) -> Answered:
        raise ZeroDivisionError(opening().decode())

    monkeypatch.setattr(office.batcher, "receive", broken)
    answer = office.batch(opening())
    assert_problem(answer, 500, "fault", "send them again")
    assert "INC0001234" not in answer.text
    assert 'verbale_troubles_total{kind="ZeroDivisionError"} 1.0' in office.get("/metrics").text


# --- webhooks ---


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Office]:
    """An office that a Zammad and a GLPI call."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    webhooks = {
        "zammad": Webhook(mapping="zammad", secret=SECRET),  # type: ignore[arg-type]
        "assets": Webhook(mapping="glpi", secret_file=tmp_path / "secret"),
    }
    with memory(Clock()) as ledger, office_of(ledger, webhooks=webhooks) as office:
        yield office


def call(name: str, body: bytes, secret: str = SECRET) -> httpx.Request:
    """What Zammad sends."""
    signature = "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    headers = {"X-Hub-Signature": signature, "Content-Type": "application/json"}
    return httpx.Request("POST", f"http://verbale/webhooks/{name}", content=body, headers=headers)


def test_a_signed_snapshot_becomes_messages_and_again_becomes_none(desks: Office) -> None:
    body = (SAMPLES / "zammad-new.json").read_bytes()
    first, again = desks.ask(call("zammad", body)) + desks.ask(call("zammad", body))
    assert [one["outcome"] for one in first.json()["outcomes"]] == ["done"]
    assert (again.status_code, again.json()) == (200, {"outcomes": []})
    later = (SAMPLES / "zammad-pending.json").read_bytes()
    assert {one["outcome"] for one in desks.ask(call("zammad", later))[0].json()["outcomes"]} == {"done"}


def test_a_body_that_another_secret_signed_is_not_looked_at(desks: Office) -> None:
    body = (SAMPLES / "zammad-new.json").read_bytes()
    assert_problem(desks.ask(call("zammad", body, "guessed"))[0], 401, "signature", "wrong signature")
    assert_problem(desks.ask(call("assets", body))[0], 401, "signature", "not signed")
    assert_problem(desks.ask(call("nobody", body))[0], 404, "unknown", "no webhook is called nobody")
    assert desks.counts() == NOTHING


def test_a_help_desk_is_held_to_the_same_bounds() -> None:
    webhooks = {"zammad": Webhook.model_validate({"mapping": "zammad", "secret": SECRET})}
    with memory(Clock()) as ledger, office_of(ledger, webhooks=webhooks, messages_per_minute=1) as office:
        assert_problem(office.ask(call("zammad", b" " * 1_000_001))[0], 413, "large", "1000000 bytes")
        body = (SAMPLES / "zammad-new.json").read_bytes()
        assert office.ask(call("zammad", body))[0].status_code == 200
        assert_problem(office.ask(call("zammad", body))[0], 429, "often", "1 messages a minute")


def test_a_signed_body_that_the_mapping_does_not_know_is_kept_whole(desks: Office) -> None:
    body = (SAMPLES / "zammad-new.json").read_bytes().replace(b'"state": "new"', b'"state": "on the moon"')
    said = assert_problem(desks.ask(call("zammad", body))[0], 422, "unmapped", "on the moon")
    assert said["outcome"] == "refused"
    assert [row.message.raw for row in desks.ledger.store.refused()] == [body]
    assert 'verbale_messages_total{outcome="refused",way="webhook"} 1.0' in desks.get("/metrics").text


def test_the_log_tells_what_the_desk_calls_a_delivery_and_what_became_of_it_and_no_more(desks: Office) -> None:
    request = call("zammad", (SAMPLES / "zammad-new.json").read_bytes())
    request.headers["X-Zammad-Delivery"] = "7d1c" * 100
    with structlog.testing.capture_logs() as log:
        desks.ask(request)
        desks.ask(call("zammad", b"{}"))
    assert [line for line in log if line["event"] == "webhook"] == [
        {"event": "webhook", "log_level": "info", "desk": "zammad", "delivery": "7d1c" * 25, "done": 1},
        {"event": "webhook", "log_level": "info", "desk": "zammad", "refused": 1},
    ]


def test_a_secret_that_cannot_be_read_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff")
    for file, words in {"absent": "No such file", "empty": "anybody could sign", "binary": "not UTF-8"}.items():
        webhooks = {"zammad": Webhook(mapping="zammad", secret_file=tmp_path / file)}
        with memory(Clock()) as ledger, pytest.raises(BadSettings, match=words):
            Office(ledger, webhooks=webhooks)
    for wrong in ({}, {"secret": ""}, {"secret": "a", "secret_file": tmp_path / "absent"}):
        with pytest.raises(ValueError, match="secret"):
            Webhook.model_validate({"mapping": "zammad", **wrong})


# --- what is shown ---


def test_the_page_leads_to_everything_and_loads_nothing(office: Office) -> None:
    page = office.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"] == "default-src 'none'"
    assert "<script" not in page.text
    for path in {part.split('"')[0] for part in page.text.split('href="')[1:]}:
        assert office.get(path).status_code == 200, path
    for kind in KINDS:
        assert f'id="{kind.name}"' in page.text


def test_errors_of_routing_are_problems_too(office: Office) -> None:
    assert_problem(office.get("/nowhere"), 404, "unknown", "the page at /")
    assert_problem(office.get("/docs"), 404, "unknown", "")
    assert_problem(office.get("/schemas/verbale.nothing.v1"), 404, "unknown", "verbale.nothing.v1")
    (answer,) = office.ask(httpx.Request("DELETE", "http://verbale/messages", headers=bearing(TOKEN)))
    assert_problem(answer, 405, "method", "GET, POST")
    assert answer.headers["Allow"] == "GET, POST"


def test_no_page_of_another_place_may_ask(office: Office) -> None:
    answer = office.post(opening(), Origin="https://elsewhere.example")
    assert not [name for name in answer.headers if name.startswith("access-control")]


# --- the contract for producers, tried at random ---


CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.slow
def test_whatever_is_asked_the_answer_is_one_that_was_declared(office: Office) -> None:
    described = schemathesis.openapi.from_asgi("/openapi.json", office.app)
    operations = [found.ok() for found in described.get_all_operations() if isinstance(found, Ok)]
    assert {operation.label for operation in operations} >= {"POST /messages", "GET /messages", "POST /webhooks/{name}"}
    for operation in operations:

        @settings(derandomize=True, database=None, max_examples=25, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy())
        def answered_as_declared(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(headers=bearing(TOKEN), checks=CHECKS)

        answered_as_declared()


# --- a real server ---


@contextmanager
def serving(app: FastAPI) -> Iterator[tuple[str, int]]:
    """The address of a server of an application; stopped in the end."""
    server = uvicorn.Server(served(app))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        try:
            yield listening.getsockname()[:2]
        finally:
            server.should_exit = True
            thread.join()


@pytest.mark.integration
def test_a_producer_on_a_socket_is_answered(office: Office) -> None:
    with serving(office.app) as (host, port), httpx.Client(base_url=f"http://{host}:{port}") as client:
        answer = client.post("/messages", content=opening(), headers={"Content-Type": SINGLE, **bearing(TOKEN)})
        assert (answer.status_code, answer.json()["outcome"]) == (201, "done")
        assert client.get("/ready").json()["ready"] is True
        assert client.get("/health").json() == {"alive": True}


@pytest.mark.integration
def test_a_body_without_an_end_is_cut_off_where_it_is_too_long() -> None:
    with memory(Clock()) as ledger, office_of(ledger, most_body_bytes=100_000) as office:
        with serving(office.app) as address, socket.create_connection(address, timeout=30) as producer:
            head = f"POST /messages HTTP/1.1\r\nHost: v\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: {EITHER}\r\n"
            producer.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
            for _ in range(101):
                producer.sendall(b"3e8\r\n" + b" " * 1000 + b"\r\n")
            said = producer.recv(65536)
        assert said.startswith(b"HTTP/1.1 413 ")
        assert office.counts() == NOTHING


def begun(address: tuple[str, int]) -> socket.socket:
    """A connection on which ten bytes of a body are promised, and two sent."""
    producer = socket.create_connection(address, timeout=30)
    head = f"POST /messages HTTP/1.1\r\nHost: v\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: {EITHER}\r\n"
    producer.sendall(f"{head}Content-Length: 10\r\n\r\n{{}}".encode())
    return producer


@pytest.mark.integration
def test_a_body_that_does_not_come_is_not_waited_for(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bin.http.bodies.SLOWEST_SECONDS", 0.2)
    with serving(office.app) as address, begun(address) as producer:
        said = producer.recv(65536)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert office.counts() == NOTHING


@pytest.mark.integration
def test_who_connects_and_asks_nothing_keeps_no_place(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bin.http.server.NEXT_REQUEST_SECONDS", 0.2)
    with serving(office.app) as address:
        for beginning in (b"", b"POST /messages HTTP/1.1\r\nHost: v\r\nX-Never: "):
            with socket.create_connection(address, timeout=30) as producer:
                producer.sendall(beginning)
                with suppress(ConnectionResetError):
                    assert producer.recv(65536) == b""


def test_a_producer_that_goes_away_in_the_middle_is_no_trouble(office: Office) -> None:
    heard: list[Any] = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    headers = [
        (name.lower().encode(), value.encode()) for name, value in post(b"").headers.items() if "length" not in name
    ]
    scope = {"type": "http", "method": "POST", "path": "/messages", "query_string": b"", "headers": headers}

    async def receive() -> Any:
        return heard.pop(0)

    async def send(said: Any) -> None:
        """Nobody listens."""

    asyncio.run(office.app(scope, receive, send))
    assert heard == []
    assert office.counts() == NOTHING
    assert "verbale_troubles_total{" not in office.get("/metrics").text
