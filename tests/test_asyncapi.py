"""The contract for producers: documents made from the commands, kept in the repository, and true of what is heard."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from support.messages import Clock, charge, child, memory, message, opening, sign

from adapters.brokers.broker import open_client
from adapters.brokers.subjects import message_subject, outcome_subject, token
from adapters.inbox.handler import CommandHandler, Done, Duplicate, Reply
from adapters.inbox.messages import examples, schema
from adapters.inbox.outcome_events import OUTCOME_TYPE, letters, outcome_schema, told
from bin.asyncapi import asyncapi
from bin.documents import documents
from bin.http.bodies import BATCHED, MOST_MESSAGES, SINGLE
from bin.http.problems import PROBLEM_JSON
from bin.message_reference import outcome_examples
from bin.schemas import schemas
from domain.catalogue import COMMANDS

Run = Callable[..., tuple[int, str, str]]

DOCS = Path(__file__).parent.parent / "docs"
DOCUMENTS = documents()
MAKE_AGAIN = "make it again, and look at what changes for producers: bin/verbale schema --into docs"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The AsyncAPI document."""
    return asyncapi()


def references(within: Any) -> Iterator[str]:
    if isinstance(within, dict):
        if isinstance(reference := within.get("$ref"), str):
            yield reference
        within = list(within.values())
    if isinstance(within, list):
        for one in within:
            yield from references(one)


def followed(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def payload_validator(document: dict[str, Any], name: str) -> jsonschema.Draft7Validator:
    """What checks a payload as AsyncAPI means it: its schemas are those of JSON Schema draft 7."""
    payload = document["components"]["messages"][name]["payload"]
    return jsonschema.Draft7Validator({**payload, "components": document["components"]})


# --- what is kept in the repository ---


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_is_what_the_program_makes(path: str) -> None:
    file = DOCS / path
    assert file.is_file(), MAKE_AGAIN
    assert file.read_text(encoding="utf-8") == DOCUMENTS[path], MAKE_AGAIN


LOADED = """
import sys
from bin.documents import asyncapi, message_reference, schemas
made = asyncapi(), message_reference(), schemas()
print(*sorted({"fastapi", "psycopg", "uvicorn"} & set(sys.modules)))
"""


def test_documents_that_are_not_of_the_server_are_made_without_loading_it() -> None:
    process = child(LOADED)
    loaded, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    assert loaded.strip() == ""


def test_no_schema_is_kept_of_what_is_no_longer_told() -> None:
    kept = {str(file.relative_to(DOCS)) for file in (DOCS / "schemas").iterdir()}
    assert kept == {path for path in DOCUMENTS if path.startswith("schemas/")}


# --- AsyncAPI ---


def test_the_document_is_asyncapi_3(document: dict[str, Any]) -> None:
    read = ApplicationSchema.model_validate(document)
    assert read.asyncapi == "3.0.0"
    assert set(read.channels) == {"messages", "outcomes"}


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.endswith(".json")])
def test_everything_a_document_refers_to_is_in_it(path: str) -> None:
    document = json.loads(DOCUMENTS[path])
    for reference in references(document):
        assert reference.startswith("#/"), "nothing is fetched from elsewhere"
        assert isinstance(followed(document, reference), dict)


def test_every_message_is_on_a_channel(document: dict[str, Any]) -> None:
    on_channels = set(references(document["channels"]))
    assert on_channels == {f"#/components/messages/{name}" for name in document["components"]["messages"]}


def test_a_producer_sends_every_command_and_receives_outcomes(document: dict[str, Any]) -> None:
    sent, received = document["operations"]["tell"], document["operations"]["hear"]
    assert (sent["action"], received["action"]) == ("send", "receive")
    told = [followed(document, followed(document, one["$ref"])["$ref"])["name"] for one in sent["messages"]]
    heard = [followed(document, followed(document, one["$ref"])["$ref"])["name"] for one in received["messages"]]
    assert told == list(COMMANDS)
    assert heard == [OUTCOME_TYPE]


def test_a_name_that_messages_share_means_one_thing() -> None:
    meant: dict[str, Any] = {}
    for shape in schemas().values():
        for name, definition in shape["$defs"].items():
            assert meant.setdefault(name, definition) == definition, name


@pytest.mark.parametrize("kind", COMMANDS)
def test_an_address_is_the_subject_that_messages_are_published_on(kind: str, document: dict[str, Any]) -> None:
    channel = document["channels"]["messages"]
    _, first, second, _ = kind.split(".")
    assert first in channel["parameters"]["kind"]["enum"]
    assert second in channel["parameters"]["verb"]["enum"]
    words = {"ledger": token("north.1"), "contract": token("acme 2026"), "kind": first, "verb": second}
    assert set(words) == set(channel["parameters"])
    assert channel["address"].format(**words) == message_subject("north.1", "acme 2026", kind)


def test_an_address_is_the_subject_that_outcomes_are_heard_on(document: dict[str, Any]) -> None:
    channel = document["channels"]["outcomes"]
    words = {"ledger": token("main"), "source": token("helpdesk://a.example")}
    assert set(words) == set(channel["parameters"])
    assert channel["address"].format(**words) == outcome_subject("main", "helpdesk://a.example")


@pytest.mark.parametrize("kind", COMMANDS)
def test_an_example_fits_its_schema_in_both_documents(kind: str, document: dict[str, Any]) -> None:
    (example,) = document["components"]["messages"][kind]["examples"]
    assert example["payload"] == examples()[kind]
    payload_validator(document, kind).validate(example["payload"])
    jsonschema.Draft202012Validator(schema(kind)).validate(example["payload"])


def test_a_message_that_breaks_its_schema_breaks_it_in_asyncapi_too(document: dict[str, Any]) -> None:
    kind = "verbale.incident.open.v1"
    good = examples()[kind]
    for broken in ({**good, "data": {**good["data"], "impact": "huge"}}, {**good, "type": "x"}, [good]):
        assert not payload_validator(document, kind).is_valid(broken)


@pytest.mark.parametrize("url", ["nats://a", "amqp://a", "redis://a", "kafka://a"])
def test_what_the_reference_names_is_what_brokers_are_set_up_with(url: str, document: dict[str, Any]) -> None:
    async def resources() -> str:
        return "\n".join(piece.name for piece in open_client(url, "main").resources)

    made = asyncio.run(resources())
    for named in {
        "nats": ["VERBALE_main_OUTCOMES"],
        "amqp": [bound_exchange(document, "messages"), bound_exchange(document, "outcomes"), "verbale.main.outcomes"],
        "redis": ["verbale.main.messages"],
        "kafka": [bound_topic(document, "messages"), bound_topic(document, "outcomes")],
    }[url.partition(":")[0]]:
        assert re.search(rf"\b{re.escape(named)}$", made, re.MULTILINE), named
        assert named.replace("main", "LEDGER") in DOCUMENTS["messages.md"]


def bound_exchange(document: dict[str, Any], channel: str) -> str:
    return str(document["channels"][channel]["bindings"]["amqp"]["exchange"]["name"]).format(ledger="main")


def bound_topic(document: dict[str, Any], channel: str) -> str:
    return str(document["channels"][channel]["bindings"]["kafka"]["topic"]).format(ledger="main")


# --- over HTTP ---


def test_the_reference_says_what_the_server_takes() -> None:
    document = json.loads(DOCUMENTS["openapi.json"])
    posted = document["paths"]["/messages"]["post"]
    assert {SINGLE, BATCHED} <= set(posted["requestBody"]["content"])
    section = DOCUMENTS["messages.md"].partition("### Over HTTP")[2].partition("###")[0]
    for said in (SINGLE, BATCHED, f"up to {MOST_MESSAGES}", PROBLEM_JSON):
        assert said in section
    for status in re.findall(r"^\| (\d+) \|", section, re.MULTILINE):
        assert status in posted["responses"]


# --- outcomes ---


def heard() -> list[tuple[Reply, dict[str, Any]]]:
    """Replies of a desk of every kind, and what is published of them."""
    with memory(Clock()) as ledger:
        desk = CommandHandler(ledger, Clock())
        opened = opening(id="one")
        raws = [sign(), opened, opened, opening(id="another"), charge("INC-LATER"), b"not json", b"{}"]
        raws += [message("incident.open", "incident-X", "2026-03-02T08:00:00", {}, source="x" * 600)]
        write = letters("main", Clock())
        return [(reply, json.loads(write(reply).body)) for reply in desk.handle(raws).replies]


def test_every_outcome_fits_its_schema(document: dict[str, Any]) -> None:
    replies = heard()
    assert {said["data"]["outcome"] for _, said in replies} == {"done", "duplicate", "refused", "waiting"}
    assert any("sha256" in said["data"] for _, said in replies)
    assert any(isinstance(reply.outcome, Duplicate) and reply.outcome.version is None for reply, _ in replies)
    for _, said in replies:
        jsonschema.Draft202012Validator(outcome_schema()).validate(said)
    payload_validator(document, OUTCOME_TYPE).validate([said for _, said in replies])


def test_an_outcome_that_says_too_little_breaks_its_schema(document: dict[str, Any]) -> None:
    (_, done), *_ = [(reply, said) for reply, said in heard() if isinstance(reply.outcome, Done)]
    for missing in ("outcome", "stream", "version", "leaf"):
        data = {name: value for name, value in done["data"].items() if name != missing}
        assert not jsonschema.Draft202012Validator(outcome_schema()).is_valid({**done, "data": data})
    check = payload_validator(document, OUTCOME_TYPE)
    assert not check.is_valid(done), "outcomes are told as a list"
    assert not check.is_valid([])


def test_the_outcomes_of_the_reference_are_those_of_a_desk() -> None:
    shown: dict[str, dict[str, Any]] = {said["data"]["outcome"]: {**said["data"]} for said in outcome_examples()}
    assert sorted(shown) == ["done", "duplicate", "refused", "waiting"]
    with memory(Clock()) as ledger:
        desk = CommandHandler(ledger, Clock())
        first = opening(shown["done"]["stream"].removeprefix("incident-"))
        raws = [first, first, opening(time="2026-03-02T09:30:00"), charge("INC0001235")]
        for reply in desk.handle(raws).replies:
            said = told(reply)
            same = shown[said["outcome"]]
            assert set(said) == set(same)
            if said["outcome"] in ("refused", "waiting"):
                assert {**said, "source": same["source"], "id": same["id"]} == same


# --- the command ---


def test_the_command_prints_the_documents(run: Run, document: dict[str, Any]) -> None:
    assert json.loads(run("schema", "--asyncapi")[1]) == document
    assert json.loads(run("schema", "outcome")[1]) == outcome_schema()
    assert json.loads(run("schema", "incident.open")[1]) == schema("verbale.incident.open.v1")


def test_the_command_writes_every_document(run: Run, tmp_path: Path) -> None:
    status, out, _ = run("schema", "--into", "new/folder")
    assert status == 0
    for path, text in DOCUMENTS.items():
        assert (tmp_path / "new" / "folder" / path).read_text(encoding="utf-8") == text
        assert str(Path("new/folder") / path) in out.splitlines()


def test_a_folder_that_cannot_be_written_is_told(run: Run) -> None:
    Path("taken").write_text("")
    status, _, err = run("schema", "--into", "taken")
    assert status == 2
    assert "taken" in err
    assert "should not happen" not in err


def test_the_reference_leads_to_files_that_are_there() -> None:
    reference = DOCUMENTS["messages.md"]
    linked = [link for link in re.findall(r"\]\(([^)]+)\)", reference) if "://" not in link]
    assert {"asyncapi.json", "schemas", "producers/producer.py"} <= set(linked)
    for link in linked:
        assert (DOCS / link).exists(), link
