"""The reference for producers, docs/messages.md, made from the message types themselves."""

import json
from typing import Any

from adapters.desk import DEFAULT_PATIENCE, HOUR
from adapters.messages import MOST_BYTES, examples, schema
from domain.catalogue import COMMANDS

HEAD = f"""# Messages

Made by `verbale schema --markdown`; a test keeps it true.

A producer tells Verbale what happened, one message for each fact. A message is a
[CloudEvents 1.0](https://cloudevents.io) JSON object, one on a line where there are many (JSON Lines).

| attribute | meaning |
| --- | --- |
| `specversion` | `"1.0"` |
| `source`, `id` | together the name of the message, for ever. Sent again, it is answered as the first time |
| `type` | the command, below |
| `subject` | the stream: `contract-ID`, `credits-CONTRACT` or `incident-ID` |
| `time` | when the fact occurred: RFC 3339 with an offset, whole microseconds, never more than five minutes ahead |
| `data` | the fields, below; no other field is accepted |
| `actor` | optional: who acted, an identifier and never a name |

CloudEvents' documented extensions (`traceparent`, `tracestate`, `partitionkey`, `sequence`, `sequencetype`,
`recordedtime`) and `datacontenttype`, `dataschema` may be present and are not used. Text is UTF-8; amounts in euro
and shares are text (`"5000.00"`, `"10%"`), never floating numbers; a message has at most {MOST_BYTES:,} bytes.

Order does not matter but for this: what is recorded on an incident waits until the incident is opened, and what is
recorded on a contract or its credits waits until the contract is signed. After {DEFAULT_PATIENCE // HOUR} hours
(`VERBALE_PATIENCE_HOURS`) what still waits is refused, and kept.

Each message gets one outcome:

| outcome | meaning |
| --- | --- |
| done | recorded: stream, version, leaf |
| duplicate | this message, or the same fact, is already recorded; answered as the first time |
| refused | not recorded, and why: clause, field, reason. Kept whole; corrected, it may come again under its id |
| waiting | kept until its incident or contract is recorded, then tried again |

`verbale message check FILE` checks messages without recording them; `verbale schema TYPE` prints the JSON Schema of a
type, `verbale message example TYPE` a complete message.
"""


def message_reference() -> str:
    """The whole reference, in Markdown."""
    return "\n".join([HEAD, *(_section(name) for name in COMMANDS)])


def _section(name: str) -> str:
    shape = schema(name)
    data = shape["properties"]["data"]
    required = set(data.get("required", ()))
    rows = [
        f"| `{field}` | {'yes' if field in required else 'no'} | {_kind(fragment, shape['$defs'])} |"
        for field, fragment in data["properties"].items()
    ]
    table = ["| field of `data` | required | what |", "| --- | --- | --- |", *rows]
    example = json.dumps(examples()[name], ensure_ascii=False, indent=2)
    return "\n".join([f"## `{name}`\n", f"{shape['description']}\n", *table, "", "```json", example, "```", ""])


def _kind(fragment: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in fragment:
        name = fragment["$ref"].rpartition("/")[2]
        choices = definitions[name].get("enum")
        return " or ".join(f"`{choice}`" for choice in choices) if choices else f"{name} (see the schema)"
    if "anyOf" in fragment:
        return " or ".join(_kind(one, definitions) for one in fragment["anyOf"])
    if "const" in fragment:
        return f"`{fragment['const']}`"
    if fragment.get("type") == "array":
        return f"list of {_kind(fragment.get('items', {}), definitions)}"
    kind = str(fragment.get("format") or fragment.get("type") or "any JSON value")
    some = fragment.get("examples")
    return f"{kind}, as `{json.dumps(some[0])}`" if some else kind
