"""The wire: what a message may say, what its schema says, and an answer in words for everything else."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.messages import CONTRACT, INCIDENT, Clock, event, memory, names, sign, wire

from adapters.inbox.handler import CommandHandler
from adapters.inbox.messages import (
    MOST_BYTES,
    MOST_BYTES_OF_IDENTITY,
    MOST_VALUES,
    Message,
    Unreadable,
    examples,
    read_message,
    schema,
)
from domain.catalogue import COMMANDS
from domain.facts import Rejected
from domain.incident_facts import OpenIncident
from domain.record_facts import Agree

OPEN = event(
    "incident.open",
    f"incident-{INCIDENT}",
    "2026-03-02T09:00:00+01:00",
    {"impact": "high", "urgency": "medium", "contract": CONTRACT},
    id="m1",
)
BUY = event(
    "credits.purchase",
    f"credits-{CONTRACT}",
    "2026-03-02T09:00:00+01:00",
    {"package": "A", "minutes": 60, "price": "50.00"},
    id="m2",
)
RECTIFY = event(
    "record.rectify",
    f"incident-{INCIDENT}",
    "2026-03-02T09:00:00+01:00",
    {"version": 1, "field": "at", "value": "2026-03-02T09:01:00+01:00", "why": "typing error"},
)


def without(document: dict[str, Any], *path: str) -> dict[str, Any]:
    """The document without one field."""
    first, *rest = path
    if not rest:
        return {key: value for key, value in document.items() if key != first}
    return {**document, first: without(document[first], *rest)}


def with_data(document: dict[str, Any], **data: Any) -> dict[str, Any]:
    """The document with other data."""
    return {**document, "data": {**document["data"], **data}}


def fault(raw: bytes) -> Unreadable:
    """How a message is refused for its form: by R1, in one line that names the field."""
    with pytest.raises(Unreadable) as caught:
        read_message(raw)
    error = caught.value
    assert error.clause == "R1"
    assert error.reason
    assert "\n" not in error.reason
    assert error.field.rpartition(".")[2] in error.reason
    return error


# --- what can be read -------------------------------------------------------------------------------------------


def test_a_message_is_read_with_its_identity_stream_command_and_actor() -> None:
    raw = wire({**OPEN, "actor": "desk-7"})
    read = read_message(raw)
    assert (read.identity, read.stream, read.name) == (("helpdesk://test", "m1"), f"incident-{INCIDENT}", INCIDENT)
    assert (read.actor, read.raw) == ("desk-7", raw)
    assert isinstance(read.command, OpenIncident)
    assert read.command.at == 1_772_438_400_000_000


def test_the_name_of_a_stream_is_all_that_follows_its_kind() -> None:
    assert read_message(wire({**OPEN, "subject": "incident-Location 1-2-è"})).name == "Location 1-2-è"


@pytest.mark.parametrize(
    ("time", "microseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00.000001z", 1),
        ("1970-01-01T01:00:00.5+01:00", 500_000),
        ("1969-12-31T23:59:59.999999-00:00", -1),
    ],
)
def test_an_instant_is_read_to_the_microsecond(time: str, microseconds: int) -> None:
    assert read_message(wire({**OPEN, "time": time})).command.at == microseconds


@pytest.mark.parametrize("extension", ["traceparent", "tracestate", "partitionkey", "dataschema", "sequence"])
def test_extensions_that_travel_with_cloudevents_are_accepted(extension: str) -> None:
    assert read_message(wire({**OPEN, extension: "x"})).digest == read_message(wire(OPEN)).digest


def test_a_message_as_long_as_allowed_is_read() -> None:
    raw = wire(OPEN)
    padded = raw + b" " * (MOST_BYTES - len(raw))
    assert read_message(padded).id == "m1"


# --- what cannot ------------------------------------------------------------------------------------------------

NOT_A_MESSAGE: dict[str, tuple[bytes, str, str]] = {
    "nothing": (b"", "", "not JSON"),
    "not JSON": (b"impact=high", "", "not JSON"),
    "half of it": (wire(OPEN)[:-1], "", "not JSON"),
    "more than one": (wire(OPEN) * 2, "", "not JSON"),
    "not an object": (b'["specversion"]', "", "JSON object"),
    "null": (b"null", "", "JSON object"),
    "a number": (b"1", "", "JSON object"),
    "no CloudEvent": (b'{"impact": "high"}', "specversion", "no CloudEvent"),
    "not UTF-8": (wire(OPEN).replace(b"acme", b"acm\xe8"), "", "not UTF-8"),
    "UTF-16": (wire(OPEN).decode().encode("utf-16"), "", "not UTF-8"),
    "with a byte order mark": (b"\xef\xbb\xbf" + wire(OPEN), "", "not JSON"),
    "a key twice": (wire(OPEN).replace(b'"id"', b'"id": "m0", "id"'), "", "twice"),
    "a key twice within": (wire(OPEN).replace(b'"impact"', b'"impact": "low", "impact"'), "", "twice"),
    "a key twice, spelled otherwise": (wire(OPEN).replace(b'"id"', b'"i\\u0064": "m0", "id"'), "", "twice"),
    "NaN": (wire(with_data(BUY, minutes=float("nan"))), "", "NaN"),
    "Infinity": (wire(with_data(BUY, minutes=float("inf"))), "", "Infinity"),
    "nested too deeply": (b'{"data":' * 100_000, "", "deeply"),
    "lists nested too deeply": (b"[" * 100_000 + b"]" * 100_000, "", "deeply"),
    "a lone surrogate": (wire(OPEN).replace(b"acme", b"\\ud800"), "", ""),
    "a number of too many digits": (wire(OPEN).replace(b'"high"', b"9" * 5000), "", ""),
    "too long": (wire(OPEN) + b" " * MOST_BYTES, "", str(MOST_BYTES)),
}


@pytest.mark.parametrize("what", NOT_A_MESSAGE)
def test_what_is_no_message_is_refused_in_words(what: str) -> None:
    raw, field, words = NOT_A_MESSAGE[what]
    error = fault(raw)
    assert error.field == field
    assert words in error.reason
    assert error.identity is None


FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "another version of CloudEvents": ({**OPEN, "specversion": "0.3"}, "specversion", "1.0"),
    "no id": (without(OPEN, "id"), "id", "missing"),
    "no source": (without(OPEN, "source"), "source", "missing"),
    "no type": (without(OPEN, "type"), "type", "missing"),
    "no subject": (without(OPEN, "subject"), "subject", "missing"),
    "no time": (without(OPEN, "time"), "time", "missing"),
    "an empty id": ({**OPEN, "id": ""}, "id", "1 character"),
    "an id that is a number": ({**OPEN, "id": 7}, "id", "string"),
    "an id that is null": ({**OPEN, "id": None}, "id", "string"),
    "an id with a control character": ({**OPEN, "id": "a\x00b"}, "id", "pattern"),
    "an id with a newline at its end": ({**OPEN, "id": "ab\n"}, "id", "pattern"),
    "a subject with a control character": ({**OPEN, "subject": "incident-\x1b[2J"}, "subject", "pattern"),
    "an id that is too long": ({**OPEN, "id": "x" * 501}, "id", "500"),
    "an actor with a control character": ({**OPEN, "actor": "a\tb"}, "actor", "pattern"),
    "data that are no object": ({**OPEN, "data": "impact"}, "data", "object"),
    "data in another type": ({**OPEN, "datacontenttype": "text/xml"}, "datacontenttype", "application/json"),
    "data in base 64": ({**OPEN, "data_base64": "e30="}, "data_base64", "no such field"),
    "an unknown attribute": ({**OPEN, "priority": 1}, "priority", "no such field"),
    "an unknown type": ({**OPEN, "type": "verbale.incident.open.v2"}, "type", "verbale schema"),
    "the type of a fact": ({**OPEN, "type": "incident.opened.v1"}, "type", "verbale schema"),
    "a type of somebody else": ({**OPEN, "type": "x"}, "type", "verbale schema"),
    "the subject of another kind": ({**OPEN, "subject": "contract-acme"}, "subject", "incident-ID"),
    "a subject without kind": ({**OPEN, "subject": INCIDENT}, "subject", "incident-ID"),
    "a subject without name": ({**OPEN, "subject": "incident-"}, "subject", "incident-ID"),
    "a rectification of no stream": ({**RECTIFY, "subject": "penalty-1"}, "subject", "contract-ID or credits-ID"),
    "a missing field": (without(OPEN, "data", "impact"), "data.impact", "missing"),
    "no data": (without(OPEN, "data"), "data.impact", "missing"),
    "an extra field": (with_data(OPEN, colour="red"), "data.colour", "no such field"),
    "the instant in the data": (with_data(OPEN, at="2026-03-02T09:00:00Z"), "data.at", "time"),
    "what Verbale decides": (with_data(OPEN, answer={"coverage": "guaranteed"}), "data.answer", "no such field"),
    "an unknown value": (with_data(OPEN, impact="enormous"), "data.impact", "'high', 'medium' or 'low'"),
    "a value in other case": (with_data(OPEN, impact="High"), "data.impact", "'high'"),
    "null for a value": (with_data(OPEN, impact=None), "data.impact", "'high'"),
    "yes for true": (with_data(OPEN, data_centre="yes"), "data.data_centre", "boolean"),
    "1 for true": (with_data(OPEN, data_centre=1), "data.data_centre", "boolean"),
    "half a minute": (with_data(BUY, minutes=1.5), "data.minutes", "integer"),
    "minutes as text": (with_data(BUY, minutes="60"), "data.minutes", "integer"),
    "minutes as true": (with_data(BUY, minutes=True), "data.minutes", "integer"),
    "minutes as a float": (with_data(BUY, minutes=60.0), "data.minutes", "integer"),
    "no minutes": (with_data(BUY, minutes=0), "data.minutes", "greater than 0"),
    "too many minutes": (with_data(BUY, minutes=10**12), "data.minutes", "1000000000"),
    "a price as a float": (with_data(BUY, price=50.0), "data.price", '"5000.00"'),
    "a price as an integer": (with_data(BUY, price=50), "data.price", '"5000.00"'),
    "a price with three decimals": (with_data(BUY, price="50.001"), "data.price", "two decimals"),
    "a price with a comma": (with_data(BUY, price="50,00"), "data.price", "two decimals"),
    "a price below nothing": (with_data(BUY, price="-1.00"), "data.price", "greater than or equal to 0"),
    "a price that is no number": (with_data(BUY, price="NaN"), "data.price", "two decimals"),
    "a naive instant": ({**OPEN, "time": "2026-03-02T09:00:00"}, "time", "offset"),
    "a naive instant within": (with_data(BUY, expires_at="2027-01-01T00:00:00"), "data.expires_at", "offset"),
    "an instant as a number": ({**OPEN, "time": 1772438400000000}, "time", "offset"),
    "a day for an instant": ({**OPEN, "time": "2026-03-02"}, "time", "2026-03-02T09:30:00+01:00"),
    "nanoseconds": ({**OPEN, "time": "2026-03-02T09:00:00.123456789Z"}, "time", "six decimals"),
    "an instant that does not exist": ({**OPEN, "time": "2026-02-30T09:00:00Z"}, "time", "no such instant"),
    "an offset that does not exist": ({**OPEN, "time": "2026-03-02T09:00:00+25:00"}, "time", "no such instant"),
    "an instant before the first": ({**OPEN, "time": "0001-01-01T00:00:00+01:00"}, "time", "no such instant"),
    "an instant after the last": ({**OPEN, "time": "9999-12-31T23:00:00-05:00"}, "time", "no such instant"),
    "an instant with a space": ({**OPEN, "time": "2026-03-02 09:00:00Z"}, "time", "2026-03-02T09:30:00+01:00"),
    "a paper without its hash": (with_data(OPEN, evidence=[{"name": "a.pdf"}]), "data.evidence.0.sha256", "missing"),
    "a rectification of version 0": (with_data(RECTIFY, version=0), "data.version", "greater than or equal to 1"),
    "a rectification of version 1.0": (with_data(RECTIFY, version=1.0), "data.version", "integer"),
    "a reason that is empty": (with_data(RECTIFY, why=""), "data.why", "1 character"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_names_its_field_and_says_what_is_wanted(what: str) -> None:
    document, field, words = FAULTS[what]
    error = fault(wire(document))
    assert error.field == field
    assert words in error.reason


def test_an_instant_in_a_field_of_its_own_is_named_as_such() -> None:
    assert fault(wire({**OPEN, "at": "2026-03-02T09:00:00Z"})).field == "at"


def test_several_faults_are_told_together() -> None:
    error = fault(wire(with_data(OPEN, impact="x", urgency="y", colour="z", shape="w", data_centre=0)))
    assert error.field == "data.impact"
    assert "data.urgency" in error.reason
    assert "and 2 more" in error.reason


def test_the_identity_is_told_where_that_much_can_be_read() -> None:
    assert fault(wire(with_data(OPEN, impact="x"))).identity == ("helpdesk://test", "m1")
    assert fault(wire(without(OPEN, "source"))).identity is None


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("terms", {"source": "signed"}, "data.terms.matrix"),
        ("in_force_until", "2025-01-01T00:00:00Z", "in_force_until"),
        ("customers", "acme", "data.customers"),
    ],
)
def test_a_fault_deep_within_is_named_by_its_path(field: str, value: object, named: str) -> None:
    assert named in fault(wire(with_data(json.loads(sign()), **{field: value}))).reason


# --- nothing else is ever raised --------------------------------------------------------------------------------

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_odd: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, 0, -1, 1.5, 1e400, -0.0, 10**30, "", "x" * 300, "a\nb", "\x00", "é😀", [], {}, [[]], "2026-03-02",
        "2026-03-02T09:00:00", "2026-03-02T09:00:00Z", "24:00", "1/0", "200%", "incident-", "contract-x", ["a", "a"],
        {"at": 1}, {"impact": {"high": 1}}, "high", "ß", "١٢", 2**63, -(2**63) - 1, "-0", "1e5", "0001-01-01T00:00:00Z",
    ]
) | _json  # fmt: skip


def read_or_refuse(raw: bytes) -> Message | None:
    """Reads a message, or refuses it in words; anything else is an error of the test."""
    try:
        return read_message(raw)
    except Rejected as error:
        rejected = error
    assert rejected.reason
    assert rejected.clause == "R1"
    return None


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_bytes_whatever_raise_anything_but_a_refusal(raw: bytes) -> None:
    assert read_or_refuse(raw) is None


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(_json)
def test_no_json_whatever_raises_anything_but_a_refusal(document: object) -> None:
    assert read_or_refuse(json.dumps(document).encode()) is None


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from _paths(part, (*path, key))


def _replaced(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new
    copied = value.copy()
    copied[path[0]] = _replaced(value[path[0]], path[1:], new)
    return copied


def _mutants(kind: str) -> st.SearchStrategy[object]:
    document = examples()[kind]
    paths = [path for path in _paths(document) if path and path[:2] != ("data", "holidays")]
    changed = st.tuples(st.sampled_from(paths), _odd).map(lambda both: _replaced(document, *both))
    grown = st.dictionaries(st.text(max_size=10), _odd, min_size=1, max_size=2).map(lambda more: {**document, **more})
    return changed | grown


@pytest.mark.slow
@settings(max_examples=1200, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(sorted(COMMANDS)).flatmap(_mutants))
def test_a_message_changed_anyhow_is_read_or_refused_in_words_and_the_desk_has_an_answer(document: object) -> None:
    raw = json.dumps(document).encode()
    read = read_or_refuse(raw)
    with memory(Clock()) as ledger:
        (outcome,) = names(CommandHandler(ledger, Clock()).handle([raw]).outcomes)
        assert outcome in (("Refused",) if read is None else ("Done", "Waiting", "Refused"))


@settings(max_examples=250, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(sorted(COMMANDS)).flatmap(_mutants))
def test_a_message_changed_anyhow_has_an_answer_also_where_much_is_on_record(document: Any) -> None:
    raws = [wire(example) for example in examples().values()]
    with memory(Clock()) as ledger:
        handler = CommandHandler(ledger, Clock())
        handler.handle(raws)
        answered = handler.handle([json.dumps({"changed": 1, **document, "id": "changed"}).encode()])
        assert names(answered.outcomes) == ["Refused"]
        (outcome,) = names(handler.handle([json.dumps({**document, "id": "changed"}).encode()]).outcomes)
        assert outcome in ("Done", "Waiting", "Refused", "Duplicate")


@pytest.mark.slow
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(["contract", "credits", "incident"]), st.sampled_from([*range(1, 13), 10**30]), _odd, _odd)
def test_a_rectification_of_anything_to_anything_is_recorded_or_refused_in_words(
    kind: str, version: int, field: object, value: object
) -> None:
    raws = [wire(example) for example in examples().values()]
    names_of_fields = ["at", "evidence", "terms", "customers", "price", "minutes", "impact", "answer", "work", "cause"]
    with memory(Clock()) as ledger:
        handler = CommandHandler(ledger, Clock())
        handler.handle(raws)
        subject = {"contract": "contract-acme-2026", "credits": "credits-acme-2026", "incident": "incident-INC0001234"}
        for name in [field, *names_of_fields]:
            data = {"version": version, "field": name, "value": value, "why": "fuzz"}
            document = event("record.rectify", subject[kind], "2026-03-06T10:00:00Z", data, id=f"fuzz-{name!r}"[:200])
            answered = handler.handle([json.dumps(document).encode()])
            assert names(answered.outcomes)[0] in ("Done", "Refused", "Duplicate")


# --- schemas and examples ---------------------------------------------------------------------------------------


def validator(kind: str) -> jsonschema.Draft202012Validator:
    """What checks a message of one type against its published schema."""
    return jsonschema.Draft202012Validator(schema(kind))


def test_there_is_a_complete_example_of_each_type_under_its_own_id() -> None:
    assert set(examples()) == set(COMMANDS)
    assert len({example["id"] for example in examples().values()}) == len(COMMANDS)
    for kind, example in examples().items():
        # Who agrees names a version, or a position: never both.
        left_out = {"at", "up_to"} if COMMANDS[kind] is Agree else {"at"}
        assert set(example["data"]) == set(COMMANDS[kind].model_fields) - left_out


@pytest.mark.parametrize("kind", COMMANDS)
def test_an_example_is_read_and_matches_its_schema(kind: str) -> None:
    example = examples()[kind]
    assert isinstance(read_message(wire(example)).command, COMMANDS[kind])
    jsonschema.Draft202012Validator.check_schema(schema(kind))
    validator(kind).validate(example)


def test_the_examples_are_one_story_that_nothing_refuses() -> None:
    raws = [wire(example) for example in examples().values()]
    with memory(Clock()) as ledger:
        answered = CommandHandler(ledger, Clock()).handle(raws)
    assert names(answered.outcomes) == ["Done"] * len(COMMANDS)


def test_there_is_no_schema_of_an_unknown_type() -> None:
    with pytest.raises(KeyError):
        schema("verbale.incident.open.v9")


BROKEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no id": (OPEN, without(OPEN, "id")),
    "no data": (OPEN, without(OPEN, "data")),
    "an unknown attribute": (OPEN, {**OPEN, "priority": 1}),
    "an unknown type": (OPEN, {**OPEN, "type": "verbale.incident.open.v2"}),
    "a subject of another kind": (OPEN, {**OPEN, "subject": "contract-acme"}),
    "a subject without name": (OPEN, {**OPEN, "subject": "incident-"}),
    "a missing field": (OPEN, without(OPEN, "data", "impact")),
    "an extra field": (OPEN, with_data(OPEN, colour="red")),
    "an unknown value": (OPEN, with_data(OPEN, impact="enormous")),
    "yes for true": (OPEN, with_data(OPEN, data_centre="yes")),
    "the instant in the data": (OPEN, with_data(OPEN, at="2026-03-02T09:00:00Z")),
    "an instant as a number": (OPEN, {**OPEN, "time": 1772438400}),
    "an id with a control character": (OPEN, {**OPEN, "id": "a\nb"}),
    "half a minute": (BUY, with_data(BUY, minutes=1.5)),
    "a price as a float": (BUY, with_data(BUY, price=50.0)),
    "a price with three decimals": (BUY, with_data(BUY, price="50.001")),
    "no minutes": (BUY, with_data(BUY, minutes=0)),
    "a rectification of no stream": (RECTIFY, {**RECTIFY, "subject": "penalty-1"}),
}


@pytest.mark.parametrize("what", BROKEN)
def test_the_schema_refuses_what_the_desk_refuses(what: str) -> None:
    whole, broken = BROKEN[what]
    check = validator(whole["type"])
    check.validate(whole)
    fault(wire(broken))
    assert not check.is_valid(broken)


def test_true_is_no_priority() -> None:
    document = json.loads(sign())
    document["data"]["terms"]["matrix"]["high"]["high"] = True
    assert fault(wire(document)).field == "data.terms.matrix.high.high"


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(sorted(COMMANDS)).flatmap(_mutants))
def test_the_schema_accepts_whatever_is_read(document: Any) -> None:
    raw = json.dumps(document).encode()
    read = read_or_refuse(raw)
    if read is not None and not (document["type"].endswith(".sign.v1") and b"true" in raw):  # true: see above
        validator(document["type"]).validate(json.loads(raw))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("verbale.incident.take_in_charge.v1", None),
        ("verbale.credits.purchase.v1", {"package": "A", "minutes": 1, "price": "5"}),
        ("verbale.credits.purchase.v1", {"package": "A", "minutes": 1, "price": "5.1", "expires_at": None}),
    ],
)
def test_the_schema_accepts_the_short_form_of_a_message(kind: str, data: dict[str, Any] | None) -> None:
    document = without(examples()[kind], "data") | ({} if data is None else {"data": data})
    assert read_message(wire(document)).command
    validator(kind).validate(document)


def test_an_instant_in_a_schema_is_a_date_time_with_an_example() -> None:
    time = schema("verbale.incident.open.v1")["properties"]["time"]
    assert time["format"] == "date-time"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT.*\+\d\d:\d\d", example) for example in time["examples"])


def test_a_name_for_which_a_store_would_have_no_room_is_refused() -> None:
    fits = {**OPEN, "source": "s" * 500, "id": "i" * 500}
    assert read_message(wire(fits)).identity == ("s" * 500, "i" * 500)
    error = fault(
        wire({**OPEN, "source": "\N{DESERET SMALL LETTER EW}" * 400, "id": "\N{DESERET SMALL LETTER EW}" * 101})
    )
    assert error.field == "id"
    assert f"{MOST_BYTES_OF_IDENTITY:,} bytes" in error.reason


def test_a_message_of_too_many_values_is_not_looked_into() -> None:
    error = fault(wire(with_data(OPEN, evidence=[[]] * MOST_VALUES)))
    assert error.identity == (OPEN["source"], OPEN["id"])
    assert "10,000 values" in error.reason
