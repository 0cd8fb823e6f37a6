"""The contract for producers at a broker, as AsyncAPI: made from the commands and the outcome."""

import json
from typing import Any

from adapters.brokers.broker import MESSAGE_TYPE, OUTCOMES_TYPE
from adapters.brokers.subjects import PREFIX
from adapters.inbox.messages import examples
from adapters.inbox.outcome_events import OUTCOME_TYPE
from bin.schemas import VERSION, schemas
from domain.catalogue import COMMANDS

_ABOUT = """\
A producer tells Verbale what happened, one CloudEvent for each fact, and hears one outcome for each message.

This document takes the producer's part: it sends messages and receives outcomes; `verbale consume` does the reverse.
It names no server: `VERBALE_BROKER` does. Over HTTP the same messages are posted to /messages, and answered at once.
"""
_MESSAGES = """\
Where messages are published: any number of times, in any order. NATS: the address is the subject. RabbitMQ: it is the
routing key. Redis: all go to the stream verbale.{ledger}.messages. Kafka: all go to the topic of that name, with the
message's subject as key.
"""
_OUTCOMES = """\
Where the outcomes of a source's messages are published, always as a list (a CloudEvents batch): those of one batch
come together. NATS: the address is the subject. RabbitMQ: it is the routing key. Redis: it is the stream. Kafka: all
go to the topic verbale.{ledger}.outcome, with the source as key.
"""
_TOKEN = "escaped as in a URL, the dot and the tilde too (%2E, %7E)"
_LEDGER = {"description": f"The ledger (VERBALE_LEDGER), {_TOKEN}.", "default": "main"}


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0.0 document, from the producer's view."""
    definitions: dict[str, Any] = {}
    messages = {name: _message(name, shape, definitions) for name, shape in schemas().items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Verbale, for producers",
            "version": VERSION,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": MESSAGE_TYPE,
        "channels": {
            "messages": {
                "address": f"{PREFIX}.{{ledger}}.{{contract}}.{{kind}}.{{verb}}",
                "description": _MESSAGES,
                "parameters": {
                    "ledger": _LEDGER,
                    "contract": {"description": f"The contract, {_TOKEN}; _ where there is none.", "default": "_"},
                    "kind": {"description": "The second word of the message's type.", "enum": _words(1)},
                    "verb": {"description": "The third word of the message's type.", "enum": _words(2)},
                },
                "messages": {name: _reference("components", "messages", name) for name in COMMANDS},
                "bindings": _channel_bindings("messages"),
            },
            "outcomes": {
                "address": f"{PREFIX}.{{ledger}}.outcome.{{source}}",
                "description": _OUTCOMES,
                "parameters": {
                    "ledger": _LEDGER,
                    "source": {"description": f"The source, {_TOKEN}; _ where it could not be read.", "default": "_"},
                },
                "messages": {OUTCOME_TYPE: _reference("components", "messages", OUTCOME_TYPE)},
                "bindings": _channel_bindings("outcome"),
            },
        },
        "operations": {
            "tell": {
                "action": "send",
                "summary": "Tell what happened, at least once: the same message again changes nothing.",
                "channel": _reference("channels", "messages"),
                "messages": [_reference("channels", "messages", "messages", name) for name in COMMANDS],
            },
            "hear": {
                "action": "receive",
                "summary": "Hear what became of each message.",
                "channel": _reference("channels", "outcomes"),
                "messages": [_reference("channels", "outcomes", "messages", OUTCOME_TYPE)],
            },
        },
        "components": {"messages": messages, "schemas": definitions},
    }


def _words(place: int) -> list[str]:
    """The words that stand at one place of the types of messages."""
    return sorted({name.split(".")[place] for name in COMMANDS})


def _message(name: str, shape: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A message of a channel; what its schema defines goes into `definitions`, which all messages share."""
    moved = json.loads(json.dumps(shape).replace('"#/$defs/', '"#/components/schemas/'))
    definitions.update(moved.pop("$defs"))
    payload = {key: value for key, value in moved.items() if key != "$schema"}
    definitions[name] = payload
    about = {"name": name, "title": name, "summary": payload["description"]}
    whole = _reference("components", "schemas", name)
    if name == OUTCOME_TYPE:
        return {**about, "contentType": OUTCOMES_TYPE, "payload": {"type": "array", "minItems": 1, "items": whole}}
    return {
        **about,
        "contentType": MESSAGE_TYPE,
        "payload": whole,
        "bindings": {"kafka": {"key": payload["properties"]["subject"], "bindingVersion": "0.5.0"}},
        "examples": [{"payload": examples()[name]}],
    }


def _channel_bindings(topic: str) -> dict[str, Any]:
    """Where a channel is on the brokers that AsyncAPI has words for: NATS and Redis have none."""
    exchange = {"name": f"{PREFIX}.{{ledger}}", "type": "topic", "durable": True, "autoDelete": False}
    return {
        "amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"},
        "kafka": {"topic": f"{PREFIX}.{{ledger}}.{topic}", "bindingVersion": "0.5.0"},
    }


def _reference(*path: str) -> dict[str, str]:
    return {"$ref": f"#/{'/'.join(path)}"}
