"""Bodies of HTTP requests: read up to a bound, and split into messages without changing a byte of them."""

import asyncio
import json
import re

from fastapi import Request
from starlette.requests import ClientDisconnect

from adapters.inbox.ingest import BATCH
from bin.http.problems import MALFORMED, TOO_LARGE, TOO_SLOW, UNSUPPORTED_MEDIA_TYPE, Problem

SINGLE, BATCHED, EITHER = "application/cloudevents+json", "application/cloudevents-batch+json", "application/json"
MOST_MESSAGES = BATCH
"""In one request."""
SLOWEST_SECONDS = 30.0
"""For which a request may take to send its body."""

_BLANK = re.compile(r"[ \t\n\r]*")
# Numbers are left as they are written: only the bounds of each element are of interest.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


async def read_body(request: Request, most_bytes: int) -> bytes:
    """The body of a request, of at most `most_bytes`; no more is read. Raises Problem."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise Problem(UNSUPPORTED_MEDIA_TYPE, f"a body with Content-Encoding {coding} is not read here: send it plain")
    too_large = Problem(TOO_LARGE, f"the longest body taken has {most_bytes} bytes: send smaller batches")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > most_bytes:
                    raise too_large
    except ClientDisconnect:
        raise Problem(MALFORMED, "the connection ended before the body did") from None
    except TimeoutError:
        raise Problem(TOO_SLOW, f"the body was not there after {SLOWEST_SECONDS:.0f} seconds") from None
    return bytes(body)


def media_type(request: Request) -> str:
    """The type of a body, without parameters. Raises Problem where it is written in anything but UTF-8."""
    kind, *parameters = request.headers.get("content-type", "").lower().split(";")
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8", "us-ascii"):
            raise Problem(UNSUPPORTED_MEDIA_TYPE, f"a body in {value} is not read here: JSON is UTF-8")
    return kind.strip()


def is_batch(kind: str, body: bytes) -> bool:
    """Whether a body of this media type holds many messages. Raises Problem."""
    if kind not in (SINGLE, BATCHED, EITHER):
        named = kind or "of no stated type"
        raise Problem(UNSUPPORTED_MEDIA_TYPE, f"a body {named} is not read here: send {SINGLE}, {BATCHED} or {EITHER}")
    return kind == BATCHED or (kind == EITHER and body.lstrip().startswith(b"["))


def split(body: bytes) -> list[bytes]:
    """The elements of a JSON array, each with its bytes unchanged. Raises Problem where it is no JSON array."""
    try:
        text = body.decode()
        elements = _elements(text)
    except UnicodeDecodeError:
        raise Problem(MALFORMED, "the batch is not UTF-8 text") from None
    except RecursionError:
        raise Problem(MALFORMED, "the batch is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Problem(MALFORMED, f"the batch is no JSON array: {error.msg} at character {error.pos + 1}") from None
    return [element.encode() for element in elements]


def _elements(text: str) -> list[str]:
    found: list[str] = []
    at = _expect("[", text, 0)
    if text.startswith("]", at):
        return _nothing_after(text, at + 1, found)
    while True:
        _, end = _DECODER.raw_decode(text, at)
        found.append(text[at:end])
        if len(found) > MOST_MESSAGES:
            raise Problem(TOO_LARGE, f"a batch of more than {MOST_MESSAGES} messages: send smaller ones")
        at = _blank_after(text, end)
        if text.startswith("]", at):
            return _nothing_after(text, at + 1, found)
        at = _expect(",", text, at)


def _expect(mark: str, text: str, at: int) -> int:
    at = _blank_after(text, at)
    if not text.startswith(mark, at):
        raise json.JSONDecodeError(f"{mark} is missing", text, at)
    return _blank_after(text, at + 1)


def _nothing_after(text: str, at: int, found: list[str]) -> list[str]:
    end = _blank_after(text, at)
    if end < len(text):
        raise json.JSONDecodeError("something follows the array", text, end)
    return found


def _blank_after(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at
