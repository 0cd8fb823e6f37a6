"""What every fact shares: instants, money, shares, papers, repetition, rectification. No float gets in anywhere."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from support.examples import MONDAY_9, MONDAY_10, MONDAY_11, PAPER, local, rectify, signed, standard_terms

from adapters.inbox.messages import examples as message_examples
from domain.already_recorded import unless_recorded
from domain.catalogue import COMMANDS, FACTS
from domain.facts import FUTURE_TOLERANCE, Fact, Rejected, refuse_future
from domain.incident_facts import ClockResumed, ClockSuspended, IncidentOpened, IncidentTakenInCharge
from domain.record_facts import RecordRectified
from domain.rectification import corrected
from domain.rectification import rectify as decide_rectification
from domain.terms import PriorityMatrix, Terms
from domain.values import (
    WIRE,
    Attachment,
    Euro,
    Identifier,
    Instant,
    Minutes,
    Share,
    Text,
    euro,
    instant_text,
    microseconds,
    moment,
    read_instant,
)

INSTANT: TypeAdapter[int] = TypeAdapter(Instant)
EURO: TypeAdapter[Decimal] = TypeAdapter(Euro)
SHARE: TypeAdapter[Fraction] = TypeAdapter(Share)
MINUTES: TypeAdapter[int] = TypeAdapter(Minutes)

# --- instants ---------------------------------------------------------------------------------------------------

FIRST, LAST = read_instant("1900-01-01T00:00:00Z"), read_instant("2200-12-31T23:59:59.999999Z")
INSTANTS = st.integers(FIRST, LAST)
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59)


@given(INSTANTS)
def test_an_instant_written_as_text_is_read_back(instant: int) -> None:
    assert read_instant(instant_text(instant)) == instant
    assert microseconds(moment(instant)) == instant


@given(INSTANTS, OFFSETS)
@example(MONDAY_9, 60)
def test_an_instant_is_the_same_in_any_offset(instant: int, offset: int) -> None:
    there = moment(instant).astimezone(timezone(timedelta(minutes=offset)))
    assert read_instant(there.isoformat()) == instant
    assert microseconds(there) == instant


@pytest.mark.parametrize(
    ("text", "fraction"),
    [("", 0), (".1", 100_000), (".12", 120_000), (".123", 123_000), (".1234", 123_400), (".123456", 123_456)],
)
def test_an_instant_is_read_to_the_microsecond(text: str, fraction: int) -> None:
    assert read_instant(f"2026-03-02T09:00:00{text}+01:00") == MONDAY_9 + fraction


def test_the_separators_of_rfc_3339_are_read_in_either_case() -> None:
    assert read_instant("2026-03-02t08:00:00z") == MONDAY_9


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T09:00:00",  # no offset
        "2026-03-02",
        "2026-03-02 09:00:00+01:00",
        "2026-03-02T09:00+01:00",
        "2026-03-02T09:00:00+0100",
        "2026-03-02T09:00:00+01",
        "2026-03-02T09:00:00 +01:00",
        "2026-03-02T09:00:00.+01:00",
        "2026-03-02T09:00:00.1234567+01:00",  # finer than a microsecond
        "2026-02-30T09:00:00Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T09:60:00Z",
        "2026-03-02T09:00:60Z",
        "2026-03-02T09:00:00+24:00",
        "2026-W10-1T09:00:00Z",
        "٢٠٢٦-03-02T09:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "0000-01-01T00:00:00Z",
        "02/03/2026 09:00",
        "1772438400",
        "now",
        "",
        "2026-03-02T09:00:00Z\n",
    ],
)
def test_a_text_that_is_no_instant_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="instant"):
        read_instant(text)


def test_an_offset_has_no_sixtieth_minute() -> None:
    with pytest.raises(ValueError, match="instant"):
        read_instant("2026-03-02T09:00:00+01:60")


def test_an_instant_without_an_offset_says_how_to_write_it() -> None:
    with pytest.raises(ValueError, match=r"needs an offset: write 2026-"):
        read_instant("2026-03-02T09:00:00")


def test_a_naive_moment_is_no_instant() -> None:
    with pytest.raises(ValueError, match="offset"):
        microseconds(datetime(2026, 3, 2, 9))  # noqa: DTZ001


def test_the_second_of_two_moments_that_clocks_show_alike_is_the_later() -> None:
    assert local("2026-10-25 02:30", fold=1) - local("2026-10-25 02:30", fold=0) == 3_600_000_000


def test_a_stored_instant_is_a_number_and_one_on_the_wire_is_text() -> None:
    assert INSTANT.validate_json(b"1772438400000000") == MONDAY_9
    assert INSTANT.validate_json(b'"2026-03-02T08:00:00Z"', context=WIRE) == MONDAY_9
    with pytest.raises(ValidationError, match="text with an offset"):
        INSTANT.validate_json(b"1772438400000000", context=WIRE)
    assert INSTANT.dump_json(MONDAY_9) == b"1772438400000000"
    assert INSTANT.dump_json(MONDAY_9, context=WIRE) == b'"2026-03-02T08:00:00Z"'


@pytest.mark.parametrize(
    "value", [True, None, datetime(2026, 3, 2, tzinfo=UTC), Decimal(1), "1", [], 10**18, -(10**18)]
)
def test_nothing_else_is_an_instant(value: object) -> None:
    with pytest.raises(ValidationError):
        INSTANT.validate_python(value)


def test_a_fact_may_be_dated_five_minutes_ahead_of_the_recorder_and_no_more() -> None:
    refuse_future(MONDAY_9 + FUTURE_TOLERANCE, MONDAY_9)
    refuse_future(MONDAY_9 - 10**15, MONDAY_9)
    with pytest.raises(Rejected) as refusal:
        refuse_future(MONDAY_9 + FUTURE_TOLERANCE + 1, MONDAY_9)
    assert (refusal.value.clause, refusal.value.field) == ("R3", "time")
    assert FUTURE_TOLERANCE == 300_000_000


# --- money ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept"),
    [("5000.00", "5000.00"), ("5000", "5000.00"), ("0.5", "0.50"), ("007.10", "7.10"), ("-3", "-3.00")],
)
def test_an_amount_is_kept_with_two_decimals(text: str, kept: str) -> None:
    assert str(EURO.validate_python(text)) == kept
    assert EURO.dump_json(EURO.validate_python(text)) == json.dumps(kept).encode()


@pytest.mark.parametrize(
    "value",
    [
        *("1.001", "1.", ".5", "1,50", "1e3", "NaN", "Infinity", "", " 1", "1 ", "+1", "--1", "٥", "1_000", "1" * 14),
        *(5, 5.0, True, None, Decimal("1.001"), Decimal("NaN"), Decimal("Infinity"), Fraction(1, 2)),
    ],
)
def test_what_is_no_amount_of_euro_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        EURO.validate_python(value)


@pytest.mark.parametrize(
    ("amount", "cents"),
    [
        (Fraction(1, 200), "0.01"),  # half a cent goes up
        (Fraction(3, 200), "0.02"),
        (Fraction(5, 200), "0.03"),
        (Fraction(499_999, 10**8), "0.00"),
        (Fraction(0), "0.00"),
        (Fraction(10, 3), "3.33"),
        (Fraction(20, 3), "6.67"),
        (Fraction(2675, 1000), "2.68"),  # as a float it is less than a half
        (Fraction(1005, 1000), "1.01"),
    ],
)
def test_half_a_cent_is_rounded_up(amount: Fraction, cents: str) -> None:
    assert str(euro(amount)) == cents


PRICES = st.integers(0, 10**15).map(lambda cents: Fraction(cents, 100))
RATES = st.fractions(0, 1, max_denominator=10**9)


@given(PRICES, RATES)
@example(Fraction(10**15 - 1, 100), Fraction(1, 2))
def test_the_part_of_a_price_is_rounded_half_up_to_whole_cents(price: Fraction, rate: Fraction) -> None:
    exact = price * rate * 100
    cents = (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
    assert euro(price * rate) * 100 == cents
    assert euro(price * rate).as_tuple().exponent == -2


def test_an_amount_a_hair_under_half_a_cent_is_rounded_down() -> None:
    assert str(euro(Fraction(5 * 10**30 - 1, 10**33))) == "0.00"


# --- shares, minutes, names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("10%", Fraction(1, 10)),
        ("5%", Fraction(1, 20)),
        ("10.5%", Fraction(21, 200)),
        ("1/10", Fraction(1, 10)),
        ("2/20", Fraction(1, 10)),
        ("33.333333%", Fraction(33_333_333, 10**8)),
        ("1/3", Fraction(1, 3)),
        ("0%", Fraction(0)),
    ],
)
def test_a_share_is_an_exact_fraction(text: str, share: Fraction) -> None:
    assert SHARE.validate_python(text) == share


@given(st.integers(1, 99_999_999))
def test_a_share_of_less_than_the_whole_is_read_as_it_was_stored(millionths_of_a_percent: int) -> None:
    share = SHARE.validate_python(f"{millionths_of_a_percent // 10**6}.{millionths_of_a_percent % 10**6:06}%")
    assert share == Fraction(millionths_of_a_percent, 10**8)
    assert SHARE.validate_json(SHARE.dump_json(share)) == share


@pytest.mark.parametrize("text", ["0%", "100%", "200%", "5/5", "1000.000001%"])
def test_every_share_that_is_accepted_can_be_read_as_it_was_stored(text: str) -> None:
    share = SHARE.validate_python(text)
    assert SHARE.validate_json(SHARE.dump_json(share)) == share


@given(st.from_regex(r"[0-9]{1,12}(/[0-9]{1,12}|(\.[0-9]{1,6})?%)", fullmatch=True))
@example("999999999999.999999%")
def test_whatever_share_is_accepted_is_read_as_it_was_stored(text: str) -> None:
    try:
        share = SHARE.validate_python(text)
    except ValueError:
        return
    assert SHARE.validate_json(SHARE.dump_json(share)) == share


def test_a_contract_without_tolerance_can_be_read_as_it_was_stored() -> None:
    fact = signed(terms=standard_terms(tolerance="0%"))
    assert FACTS.read(fact.TYPE, FACTS.write(fact)) == fact


@pytest.mark.parametrize(
    "value", ["10", "0.1", "1/0", "-10%", "10 %", "1/-3", "", "%", "1e1%", 0.1, 1, True, None, "١٠%"]
)
def test_what_is_no_share_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        SHARE.validate_python(value)


@pytest.mark.parametrize("tolerance", ["100%", "3/2", "200%"])
def test_a_tolerance_is_less_than_the_whole(tolerance: str) -> None:
    with pytest.raises(ValidationError, match="100%"):
        standard_terms(tolerance=tolerance)


@pytest.mark.parametrize(("words", "conflict"), [("5%", True), ("1/10", False)])
def test_figure_and_words_of_the_penalty_are_in_conflict_where_they_differ(words: str, conflict: bool) -> None:
    terms = standard_terms(penalty={"figures": "10%", "words": words})
    assert terms.penalty.in_conflict is conflict


def test_a_matrix_gives_a_priority_for_every_case() -> None:
    row: dict[str, Any] = {"high": 1, "medium": 2, "low": 3}
    with pytest.raises(ValidationError, match="impact low, urgency medium"):
        PriorityMatrix.model_validate({"high": row, "medium": row, "low": {"high": 1, "low": 2}})


@pytest.mark.parametrize("priority", [0, 6, True, "first", None, 1.5])
def test_a_priority_is_a_number_from_one_to_five(priority: object) -> None:
    row: dict[str, Any] = {"high": priority, "medium": 2, "low": 3}
    with pytest.raises(ValidationError):
        PriorityMatrix.model_validate({"high": row, "medium": row, "low": row})


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../etc/passwd", "CET+1", "Europe"])
def test_a_time_zone_is_one_that_exists(zone: str) -> None:
    with pytest.raises(ValidationError):
        standard_terms(time_zone=zone)


@pytest.mark.parametrize("name", ["", "a\nb", "a\x00", "x" * 201, "\x7f", 5, None])
def test_an_identifier_is_one_line_of_text(name: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Identifier).validate_python(name)


@pytest.mark.parametrize("text", ["", "a\x00b", "x" * 2001])
def test_a_text_is_not_empty_and_not_endless(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Text).validate_python(text)


@pytest.mark.parametrize("digest", ["0" * 63, "0" * 65, "A" * 64, "g" * 64, "", "0" * 64 + "\n"])
def test_a_paper_has_a_sha_256_in_lower_case(digest: str) -> None:
    assert PAPER.sha256 == "0" * 64
    with pytest.raises(ValidationError):
        Attachment(name="verbale.pdf", sha256=digest)


# --- no float anywhere ------------------------------------------------------------------------------------------

GOLDEN = Path(__file__).resolve().parent / "golden"
STATES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))["state"] for path in sorted(GOLDEN.glob("*.json"))
}
DATA: dict[str, dict[str, Any]] = {
    name: {**message["data"], "at": message["time"]} for name, message in message_examples().items()
}
FLOATS = st.floats() | st.integers(-3, 10**16).map(float)
Path_ = tuple[str | int, ...]


def places(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Where the scalars of a JSON value are."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inside is None:
        yield path
    else:
        for key, part in inside:
            yield from places(part, (*path, key))


def put(value: Any, path: Path_, new: object) -> Any:
    """A JSON value with another scalar in one place."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


def floats_in(value: Any) -> bool:
    """Whether there is a float in a JSON value."""
    return any(isinstance(found, float) for found in _scalars(value))


def _scalars(value: Any) -> Iterator[Any]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else None
    if parts is None:
        yield value
    else:
        for part in parts:
            yield from _scalars(part)


def refuses(read: Callable[[], object]) -> bool:
    """Whether reading fails."""
    try:
        read()
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("name", COMMANDS)
@settings(max_examples=30)
@given(data=st.data())
def test_no_command_takes_a_float_for_any_field(name: str, data: st.DataObject) -> None:
    fields = DATA[name]
    where = [path for path in places(fields) if "matrix" not in path and (name, path) != ANY_VALUE]
    path = data.draw(st.sampled_from(where))
    value = data.draw(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-3, 10**16).map(float))
    text = json.dumps(put(fields, path, value))
    assert refuses(lambda: COMMANDS[name].model_validate_json(text, strict=True, context=WIRE))


ANY_VALUE = ("verbale.record.rectify.v1", ("value",))


def test_no_command_takes_a_float_for_a_priority() -> None:
    name = "verbale.contract.sign.v1"
    text = json.dumps(put(DATA[name], ("terms", "matrix", "high", "high"), 1.0))
    assert refuses(lambda: COMMANDS[name].model_validate_json(text, strict=True, context=WIRE))


@pytest.mark.parametrize("name", STATES)
@settings(max_examples=30)
@given(data=st.data())
def test_no_fact_holds_a_float_whatever_it_is_made_of(name: str, data: st.DataObject) -> None:
    state = STATES[name]
    where = [path for path in places(state) if (name, path) != ("record.rectified.v1", ("value",))]
    changed = put(state, data.draw(st.sampled_from(where)), data.draw(FLOATS))
    kind, text = kind_of(name), json.dumps(changed)
    for make in (partial(kind.model_validate, changed), partial(FACTS.read, name, text.encode())):
        try:
            fact = make()
        except ValueError:
            continue
        assert not floats_in(fact.model_dump())


def kind_of(name: str) -> type[Fact]:
    """The class of a stored type."""
    return type(FACTS.read(name, json.dumps(STATES[name]).encode()))


@pytest.mark.parametrize("name", [name for name in STATES if not name.startswith("record.")])
@settings(max_examples=30)
@given(data=st.data())
def test_no_field_is_rectified_to_a_float(name: str, data: st.DataObject) -> None:
    fact = FACTS.read(name, json.dumps(STATES[name]).encode())
    field = data.draw(st.sampled_from(sorted(type(fact).model_fields)))
    value = data.draw(FLOATS)
    with pytest.raises(Rejected) as refusal:
        decide_rectification([fact], rectify(1, field, value, at=LAST))
    assert refusal.value.clause == "R5"


@given(FLOATS)
def test_minutes_euro_shares_and_instants_refuse_floats(value: float) -> None:
    for adapter in (MINUTES, EURO, SHARE, INSTANT):
        assert refuses(partial(adapter.validate_python, value))


def test_the_terms_are_kept_as_whole_numbers_and_exact_shares() -> None:
    kept = standard_terms().model_dump(mode="json")
    assert not floats_in(kept)
    assert (kept["tolerance"], kept["penalty"]) == ("1/10", {"figures": "1/10", "words": "1/20"})
    assert Terms.model_validate(kept) == standard_terms()


# --- repetition -------------------------------------------------------------------------------------------------

ON, OFF = ClockSuspended(at=MONDAY_9, cause="customer"), ClockResumed(at=MONDAY_9)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("record", "on_record"),
    [
        ((), False),
        ((ON,), True),
        ((ON, OFF), False),  # only the last of that instant counts
        ((ON, OFF, ON), True),
        ((ON, ClockResumed(at=MONDAY_10)), True),  # one of another instant does not come between
        ((ClockResumed(at=MONDAY_10), ON), True),
    ],
)
def test_a_fact_is_on_record_where_it_equals_the_last_of_its_instant(record: tuple[Fact, ...], on_record: bool) -> None:
    assert unless_recorded(record, ON, lambda fact: fact.at) == (() if on_record else (ON,))


# --- rectification ----------------------------------------------------------------------------------------------

CHARGED = IncidentTakenInCharge(at=MONDAY_9)


def right(version: int, field: str, value: object, **changes: Any) -> RecordRectified:
    """A rectification on record."""
    return RecordRectified(**dict(rectify(version, field, value, **changes)))


def test_rectified_facts_stand_corrected_with_the_versions_that_prove_it() -> None:
    record = [CHARGED, ON, right(1, "at", MONDAY_10), right(1, "at", MONDAY_11)]
    facts = corrected(enumerate(record, 1))
    assert [(one.version, one.fact, one.rectified_by) for one in facts] == [
        (1, IncidentTakenInCharge(at=MONDAY_11), (3, 4)),
        (2, ON, ()),
    ]


def test_only_rectifications_that_count_are_applied() -> None:
    record = [CHARGED, right(1, "at", MONDAY_10, by="customer"), right(1, "at", MONDAY_11)]
    facts = corrected(enumerate(record, 1), lambda one: one.by == "customer")
    assert [(one.fact.at, one.rectified_by) for one in facts] == [(MONDAY_10, (2,))]


def test_a_rectification_recorded_before_its_fact_still_applies() -> None:
    # A prefix of the log, or a merge of two, may show them so: the version says which fact is meant.
    facts = corrected([(2, right(1, "at", MONDAY_10)), (1, CHARGED)])
    assert [one.fact.at for one in facts] == [MONDAY_10]


def test_a_rectification_that_no_longer_fits_is_left_unapplied() -> None:
    opening = {"at": MONDAY_9, "impact": "high", "urgency": "low", "answer": {"coverage": "guaranteed"}}
    record = [IncidentOpened.model_validate(opening), right(1, "impact", "huge"), right(1, "urgency", "high")]
    (one,) = corrected(enumerate(record, 1))
    assert isinstance(one.fact, IncidentOpened)
    assert (str(one.fact.impact), str(one.fact.urgency), one.rectified_by) == ("high", "high", (3,))


def test_a_fact_is_not_dated_after_its_own_rectification() -> None:
    late = instant_text(MONDAY_10 + FUTURE_TOLERANCE + 1)
    with pytest.raises(Rejected) as refusal:
        decide_rectification([CHARGED], rectify(1, "at", late, at=MONDAY_10))
    assert (refusal.value.clause, refusal.value.field) == ("R3", "value")
    allowed = instant_text(MONDAY_10 + FUTURE_TOLERANCE)
    (fact,) = decide_rectification([CHARGED], rectify(1, "at", allowed, at=MONDAY_10))
    assert fact.value == MONDAY_10 + FUTURE_TOLERANCE


def test_a_refusal_says_what_clause_field_and_reason() -> None:
    refusal = Rejected("A6", "effective", "a revision cannot take effect before it is made")
    assert str(refusal) == "a revision cannot take effect before it is made [A6]"
