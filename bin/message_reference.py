"""The reference for producers, docs/messages.md: made from the commands, their schemas and their examples."""

import json
from pathlib import Path
from typing import Any

from adapters.brokers.broker import OUTCOMES_KEPT_DAYS
from adapters.brokers.outgoing import MESSAGE_TYPE, OUTCOMES_TYPE
from adapters.brokers.subjects import message_subject, token
from adapters.inbox.handler import DEFAULT_PATIENCE
from adapters.inbox.ingest import BATCH
from adapters.inbox.messages import MOST_BYTES, MOST_BYTES_OF_IDENTITY, MOST_VALUES, examples, schema
from adapters.inbox.outcome_events import OutcomeEvent, outbox_writer
from adapters.inbox.outcomes import Done, Duplicate, Outcome, Refused, Reply, Waiting
from domain.catalogue import COMMANDS
from domain.values import HOUR, read_instant

SUBJECTS = "\n".join(
    f"| `{ledger}`, {f'`{contract}`' if contract else 'no contract'}, `{kind}` "
    f"| `{message_subject(ledger, contract, kind)}` |"
    for ledger, contract, kind in (
        ("main", "acme-2026", "verbale.incident.open.v1"),
        ("main", None, "verbale.incident.take_in_charge.v1"),
        ("north", "Rossi & C. s.p.a./2026", "verbale.credits.purchase.v1"),
    )
)


def outcome_examples() -> list[OutcomeEvent]:
    """One outcome of each kind, as a producer receives it."""
    source, at = "helpdesk://provider.example", read_instant("2026-03-02T08:12:01.250000Z")
    outcomes: dict[str, Outcome] = {
        "d-1001": Done("incident-INC0001234", 1, 41),
        "d-1000": Duplicate("incident-INC0001230", 1, 37),
        "d-1002": Refused(
            "R1", "time", "time: an instant needs an offset: write 2026-03-02T09:30:00+01:00, or end it with Z"
        ),
        "d-1003": Waiting("incident-INC0001235", "incident INC0001235 is not opened yet"),
    }
    write = outbox_writer("main", lambda: at)
    return [json.loads(write(Reply((source, name), b"", outcome)).body) for name, outcome in outcomes.items()]


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

CloudEvents' documented extensions may be present: `sequence` and `sequencetype` are used (below); `recordedtime` says
when the source itself recorded the fact, and is kept with it; `traceparent`, `tracestate`, `partitionkey`,
`datacontenttype` and `dataschema` are not used. Text is UTF-8; amounts in euro
and shares are text (`"5000.00"`, `"10%"`), never floating numbers; a message has at most {MOST_BYTES:,} bytes
and {MOST_VALUES:,} values, and its source and id together {MOST_BYTES_OF_IDENTITY:,} bytes.

Order does not matter but for this: what is recorded on an incident waits until the incident is opened, and what is
recorded on a contract or its credits waits until the contract is signed. After {DEFAULT_PATIENCE // HOUR} hours
(`VERBALE_PATIENCE_HOURS`) what still waits is refused, and kept.

Each message gets one outcome:

| outcome | meaning |
| --- | --- |
| done | recorded: stream, version, leaf |
| duplicate | this message, or the same fact, is already recorded; answered as the first time |
| refused | not recorded, and why: clause, field, reason. Kept whole; corrected, it may come again under its id |
| waiting | kept until its incident or contract is recorded, then tried again: another outcome follows |

`verbale message check FILE` checks messages without recording them; `verbale schema TYPE` prints the JSON Schema of a
type, `verbale message example TYPE` a complete message.

For machines there are [asyncapi.json](asyncapi.json) (brokers, from the producer's view), [openapi.json](openapi.json)
(HTTP) and, in [schemas](schemas), a JSON Schema of each message and of the outcome. `verbale consume` serves them, and
`verbale schema --into FOLDER` writes them all.
"""

PUBLISHING = f"""## Publishing

A message may be published to a broker, posted over HTTP, or given as a file (`verbale ingest`): it is read, decided and
answered in the same way.

### To a broker

A message is published as `verbale.LEDGER.CONTRACT.KIND.VERB`: the ledger (`VERBALE_LEDGER`, else `main`), the contract
that it is about, or `_` where it names none, and the second and third word of its type. As a subject is made of words
with dots between, a name is escaped as in a URL, and the dot and the tilde too:

| ledger, contract and type | published as |
| --- | --- |
{SUBJECTS}

The subject serves who listens and filters; what counts is what the message says. A name that is `_` itself is
written `{token("_")}`.

Outcomes are published as `verbale.LEDGER.outcome.SOURCE`, the source escaped so too. They are kept for
{OUTCOMES_KEPT_DAYS} days. Where all this is:

| broker | a message goes to | its outcome is heard at | and kept in |
| --- | --- | --- | --- |
| NATS JetStream | its subject | its subject | stream `VERBALE_LEDGER_OUTCOMES` |
| RabbitMQ | exchange `verbale.LEDGER`, the subject as routing key | likewise | queue `verbale.LEDGER.outcomes` |
| Redis Streams | stream `verbale.LEDGER.messages`, field `data` | stream of that name, field `data` | there |
| Kafka | topic `verbale.LEDGER.messages`, key: the stream | topic `verbale.LEDGER.outcome`, key: the source | there |

`verbale broker setup` makes what is needed there. Each message is published by itself; `verbale publish FILE` does it
for a file. RabbitMQ has no room for long names: there a word of more than 60 characters is the first 40 hexadecimal
digits of its SHA-256; on NATS so is a word of more than 1,000. Kafka has no room for every character: what is `%` in
the name of a ledger is `_` there. On NATS, give no `Nats-Msg-Id` that is the id of the message: for two minutes the
server would drop a corrected message under that id, without a word.

**At least once is enough.** Make the id of a message once, with the fact; publish the message until the broker
confirms it, and again as often as in doubt: after a day or a year it is answered as the first time. What is told apart
is the content (type, subject, time, data, actor), not its spelling. Another content under an id that is recorded or
waits is refused, so that an id never means two things.

**Outcomes** are published as a list, also where it holds one, as CloudEvents batches: those of one source that were
recorded together come together. Where the source could not be read, `_` stands for it, and the outcome names the
message by the SHA-256 of its bytes. A message that waits is told so at once, and has its last outcome when it is
recorded or refused. Outcomes, too, come at least once.

```json
{json.dumps(outcome_examples(), ensure_ascii=False, indent=2)}
```

### Over HTTP

`verbale token issue SOURCE` gives a source its token: whoever holds it may write as that source, and as no other.
`POST /messages` takes one message (`{MESSAGE_TYPE}`) or a JSON list of up to {BATCH}
(`{OUTCOMES_TYPE}`), and answers when they are recorded. A list is answered with 200 and
`{{"outcomes": [...]}}`, in its order; one message is answered with its outcome:

| status | the message is |
| --- | --- |
| 201 | done |
| 200 | a duplicate |
| 202 | waiting: `GET /messages?id=ID` says later what became of it |
| 422 | refused: a problem (`application/problem+json`) with clause, field and reason |

Where the store is away (503) or a source posts too much (429), `Retry-After` says when to try again: send the same.
[openapi.json](openapi.json) has all of it, also of the [webhooks](webhooks.md) for help desks.

### Saying what is missing

A fact that never came is seen only by who numbers them. A source may number its messages with CloudEvents' extension
`sequence`: whole numbers as text (`"sequence": "17"`), one more for each message. `verbale sources` lists the numbers
that are missing. The number is not content: whether a message is a duplicate does not hang on it.

### Saying it right

A message that was refused does not occupy its id: corrected, it is sent again under the same id. What is recorded is
never changed: `verbale.record.rectify.v1` says which field of which version was wrong, and both stay.
"""

PRODUCERS = {
    "producer.py": "In Python, over NATS JetStream (`pip install nats-py`)",
    "producer.sh": "In the shell, over HTTP",
    "producer.mjs": "In JavaScript, over HTTP",
}
"""The programs in docs/producers, each with its heading."""

TEN_LINES = """## Ten lines each

Complete programs, imports not counted: each opens an incident and prints the outcome. `VERBALE_BROKER` is the address
of the NATS server (`nats://127.0.0.1:4222`), `VERBALE_URL` that of `verbale consume` (`http://127.0.0.1:8350`),
`VERBALE_TOKEN` what `verbale token issue monitor` printed. A real producer keeps the message until it has the outcome.
"""


def message_reference() -> str:
    """The whole reference, in Markdown."""
    programs = [_program(file, words) for file, words in PRODUCERS.items()]
    return "\n".join([HEAD, PUBLISHING, TEN_LINES, *programs, *(_section(name) for name in COMMANDS)])


def _program(file: str, words: str) -> str:
    kind = file.rpartition(".")[2].replace("mjs", "js")
    text = (_producers() / file).read_text(encoding="utf-8")
    return f"### {words}\n\n[{file}](producers/{file})\n\n```{kind}\n{text}```\n"


def _producers() -> Path:
    """The folder of the programs: that of a checkout, else what a wheel brings beside this module."""
    here = Path(__file__).parent
    checkout = here.parent / "docs" / "producers"
    return checkout if checkout.is_dir() else here / "producers"


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
