"""The seal: the leaf of every recorded fact commits to the fact and to all that Verbale adds to it."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from support.messages import Clock, acceptance, envelopes, ingest, leaf_of, sign, stored, wire

from adapters.inbox.messages import examples
from adapters.store.leaf import Origin, canonical, leaf_hash

KEYS = {
    "actor", "at", "contract", "leaf", "ledger", "message", "position", "private", "recorded_at", "seal", "source",
    "state", "stream", "type", "version",
}  # fmt: skip
BIGGEST = 2**53 - 1


@pytest.mark.acceptance
def test_the_published_vector_comes_out() -> None:
    vector = json.loads(acceptance("seal_vector.json").read_text(encoding="utf-8"))
    envelope = vector["envelope"]
    state = vector["state_utf8"].encode()
    hashed = leaf_hash(
        Origin(envelope["contract"], envelope["source"], envelope["message"], envelope["actor"]),
        ledger=envelope["ledger"],
        stream=envelope["stream"],
        version=envelope["version"],
        stored_type=envelope["type"],
        state=state,
        at=envelope["at"],
        position=envelope["position"],
        leaf=envelope["leaf"],
        recorded_at=envelope["recorded_at"],
    )
    assert sha256(state).hexdigest() == envelope["state"]
    assert canonical(envelope).decode() == vector["canonical_utf8"]
    assert hashed.hex() == vector["leaf_sha256_hex"]


_texts = st.text(st.characters(exclude_categories=["Cs"]))
_numbers = st.integers(-BIGGEST, BIGGEST)
_values = st.recursive(_texts | _numbers | st.none(), lambda inner: st.lists(inner, max_size=4), max_leaves=8)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.dictionaries(st.text(st.characters(max_codepoint=126, min_codepoint=32)), _values, max_size=8))
def test_canonical_is_rfc_8785_over_strings_integers_null_and_lists(envelope: dict[str, object]) -> None:
    assert canonical(envelope) == rfc8785.dumps(envelope)  # type: ignore[arg-type]


_names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(_names, _names, _names | st.none(), _names | st.none(), _names, st.lists(_numbers, min_size=5, max_size=5))
def test_a_leaf_is_the_hash_of_rfc_8785_whatever_the_texts(
    source: str, message: str, contract: str | None, actor: str | None, stream: str, numbers: list[int]
) -> None:
    names = ("version", "at", "position", "leaf", "recorded_at")
    told: dict[str, Any] = {**dict(zip(names, numbers, strict=True)), "ledger": source, "stream": stream}
    hashed = leaf_hash(Origin(contract, source, message, actor), stored_type=message, state=b"{}", **told)
    origin = {"contract": contract, "source": source, "message": message, "actor": actor, "type": message}
    added: dict[str, Any] = {"private": [], "seal": 1, "state": sha256(b"{}").hexdigest()}
    assert hashed == sha256(b"\x00" + rfc8785.dumps({**told, **origin, **added})).digest()


@pytest.fixture
def written(place: Path | str) -> Path | str:
    """A store that holds the published examples."""
    ingest(place, [wire(example) for example in examples().values()])
    return place


def test_every_leaf_of_a_written_store_derives_again_from_its_rows(written: Path | str) -> None:
    found = envelopes(written)
    assert len(found) == len(examples())
    assert [envelope["leaf"] for envelope, _, _ in found] == list(range(len(found)))
    for envelope, _, hashed in found:
        assert set(envelope) == KEYS
        assert leaf_of(envelope) == hashed


@pytest.mark.parametrize("key", sorted(KEYS - {"private"}))
def test_a_leaf_commits_to_every_part_of_its_envelope(written: Path | str, key: str) -> None:
    envelope, _, hashed = envelopes(written)[4]
    value = envelope[key]
    assert leaf_of({**envelope, key: value + 1 if isinstance(value, int) else f"{value}x"}) != hashed


def test_the_ledger_gives_each_fact_with_its_whole_seal(written: Path | str) -> None:
    found = [one for one in envelopes(written) if one[0]["stream"] == "incident-INC0001234"]
    with stored(written, Clock(), create=False) as ledger:
        sealed = ledger.sealed("incident-INC0001234")
    assert [(one.leaf, one.leaf_hash, one.entry.version, one.entry.recorded_at) for one in sealed] == [
        (envelope["leaf"], hashed, envelope["version"], envelope["recorded_at"]) for envelope, _, hashed in found
    ]
    origins = [(one.origin.contract, one.origin.source, one.origin.message, one.origin.actor) for one in sealed]
    assert origins == [tuple(e[key] for key in ("contract", "source", "message", "actor")) for e, _, _ in found]
    assert {origin[0] for origin in origins} == {"acme-2026"}


def test_the_earliest_instant_recorded_has_a_leaf_of_canonical_json(place: Path | str) -> None:
    ingest(place, [sign(time="1900-01-01T00:00:00Z")])
    ((envelope, _, hashed),) = envelopes(place)
    assert leaf_of(envelope) == hashed


@pytest.mark.parametrize("time", ["1899-12-31T23:59:59.999999Z", "1600-01-01T00:00:00.000001Z"])
def test_an_instant_beyond_the_integers_of_canonical_json_is_not_recorded(place: Path | str, time: str) -> None:
    """Microseconds before August 1684 are beyond 2^53: RFC 8785 has no canonical form for them."""
    ingest(place, [sign(time=time)])
    assert list(envelopes(place)) == []
