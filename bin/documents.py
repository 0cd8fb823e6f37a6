"""Every document of the contract for producers: the reference for people; JSON Schemas, AsyncAPI, OpenAPI for machines.

The commands and the outcome are the one source; what is in docs is compared with what is made here.
"""

import json
from collections.abc import Mapping
from typing import Any

from bin.asyncapi import asyncapi
from bin.message_reference import message_reference
from bin.schemas import schemas


def openapi() -> dict[str, Any]:
    """The OpenAPI document of the HTTP server."""
    # Loaded late: every other document is made without the framework of the server, which takes long to load.
    from bin.http.app import application

    return application().openapi()


def documents() -> Mapping[str, str]:
    """Every document: its text, by its path within docs."""
    return {
        "messages.md": message_reference(),
        "asyncapi.json": as_text(asyncapi()),
        "openapi.json": as_text(openapi()),
        **{f"schemas/{name}.json": as_text(shape) for name, shape in schemas().items()},
    }


def as_text(document: Mapping[str, Any]) -> str:
    """A JSON document as text."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
