"""Webhooks from help desks: signatures, payloads as the products send them, and the same record in whatever order."""

import hmac
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.messages import CONTRACT, SOURCE, Clock, contract_in_force, memory, message, names, wire

from adapters.imports.desk_mapping import SHIPPED, DeskMapping, desk_mapping
from adapters.imports.desk_payload import snapshot_of
from adapters.imports.desk_signature import BadSignature, check_signature, delivery_of
from adapters.imports.help_desk import take_snapshot
from adapters.imports.mapping import BadMapping, shipped
from adapters.imports.snapshot import ItemState, Snapshot
from adapters.imports.snapshot_diff import messages_of
from adapters.inbox.handler import CommandHandler
from adapters.inbox.messages import Unreadable, read_message
from adapters.inbox.outcomes import Reply
from domain.incident import Incident
from domain.incident_facts import (
    ClockResumed,
    ClockSuspended,
    ClosingReason,
    IncidentClosed,
    IncidentOpened,
    IncidentReassessed,
    IncidentReopened,
    IncidentResolved,
    IncidentTakenInCharge,
    InterventionStarted,
    Request,
)
from domain.rectification import as_rectified
from domain.terms import Impact, Urgency
from domain.values import SECOND, Responsibility, instant_text, read_instant
from projections.clocks import Verdict
from projections.compliance import ClockRow, compliance
from projections.history import History
from projections.readings import Reading
from projections.replay import Replay

SAMPLES = Path(__file__).parent / "webhooks"
SECRET = "a long secret that both sides know"
NOW = Clock("2026-03-02T12:00:00Z")()
ITEM = "10081"


def sample(name: str) -> bytes:
    """A payload as the product sends it."""
    return (SAMPLES / f"{name}.json").read_bytes()


def changed(name: str, path: str, value: Any) -> bytes:
    """A payload with another value at a place."""
    document = json.loads(sample(name))
    *way, last = path.split(".")
    within = document
    for part in way:
        within = within[part]
    within[last] = value
    return wire(document)


def signed(desk: str, body: bytes, secret: str = SECRET, at: int = NOW) -> dict[str, str]:
    """The headers with which a product signs a body, each as its own documentation or source has it."""

    def digest(algorithm: str, said: bytes) -> str:
        return hmac.new(secret.encode(), said, algorithm).hexdigest()

    match desk:
        case "zammad":
            return {
                "X-Hub-Signature": f"sha1={digest('sha1', body)}",
                "X-Zammad-Delivery": "7d1c",
                "X-Zammad-Trigger": "t",
            }
        case "glpi":
            stamp = str(at // SECOND)
            return {"X-GLPI-signature": digest("sha256", body + stamp.encode()), "X-GLPI-timestamp": stamp}
        case _:
            return {"x-hub-signature": f"sha256={digest('sha256', body)}", "x-atlassian-webhook-identifier": "9b1f"}


@contextmanager
def open_handler() -> Iterator[CommandHandler]:
    """A handler over a store in memory, with a contract in force."""
    clock = Clock()
    with memory(clock) as ledger:
        handler = CommandHandler(ledger, clock)
        handler.handle(contract_in_force())
        yield handler


@pytest.fixture
def handler() -> Iterator[CommandHandler]:
    """A handler over a store in memory, with a contract in force."""
    with open_handler() as handler:
        yield handler


def snapshot(at: str, state: ItemState | None = None, opened: str = "09:00", **request: Any) -> Snapshot:
    """What a desk said of one item on 2 March 2026."""
    asked = Request.model_validate({"contract": CONTRACT, "impact": "high", "urgency": "medium", **request})
    return Snapshot(
        source=SOURCE,
        item=ITEM,
        changed_at=instant(at),
        opened_at=instant(opened),
        request=asked,
        state=state or ItemState(),
    )


def instant(time: str) -> int:
    """An instant of that day."""
    return read_instant(f"2026-03-02T{time}:00Z")


OPEN = ItemState(charged=True, started=True)
PENDING = ItemState(charged=True, started=True, suspended=Responsibility.CUSTOMER)
CLOSED = ItemState(charged=True, started=True, closed=ClosingReason.RESOLVED)


def take(handler: CommandHandler, *snapshots: Snapshot) -> list[str]:
    """Hear snapshots one after the other; what was recorded, as "verb@time"."""
    return [in_short(reply) for each in snapshots for reply in take_snapshot(handler, each)]


def in_short(reply: Reply) -> str:
    """A message in short; nothing here is refused."""
    assert names([reply.outcome]) == ["Done"], reply
    heard = read_message(reply.raw)
    return f"{type(heard.command).TYPE.split('.')[2]}@{instant_text(heard.command.at)[11:16]}"


def incident(handler: CommandHandler, item: str = ITEM) -> Incident:
    """What the facts of an incident say."""
    return cast(Incident, handler.state(f"incident-{item}"))


# --- signatures -------------------------------------------------------------------------------------------------


@pytest.fixture(params=["zammad-new", "zammad-pending", "glpi-new", "glpi-solved", "jira-created", "jira-waiting"])
def payload(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    """A desk and a payload of it."""
    return request.param.partition("-")[0], sample(request.param)


def test_a_signed_payload_is_accepted_whatever_the_case_of_its_headers(payload: tuple[str, bytes]) -> None:
    name, body = payload
    headers = signed(name, body)
    check_signature(desk_mapping(name), SECRET, headers, body, NOW)
    check_signature(desk_mapping(name), SECRET, {key.upper(): value for key, value in headers.items()}, body, NOW)


def test_a_tampered_body_a_wrong_secret_and_no_signature_are_refused(payload: tuple[str, bytes]) -> None:
    name, body = payload
    mapping, headers = desk_mapping(name), signed(name, body)
    not_hexadecimal = {key: "\u20ac" for key in headers if key.lower().endswith("signature")}
    with pytest.raises(BadSignature, match="wrong signature"):
        check_signature(mapping, SECRET, headers, body.replace(b"2026", b"2025", 1), NOW)
    with pytest.raises(BadSignature, match="wrong signature"):
        check_signature(mapping, SECRET, signed(name, body, "another secret"), body, NOW)
    with pytest.raises(BadSignature, match="not signed"):
        check_signature(mapping, SECRET, {}, body, NOW)
    with pytest.raises(BadSignature, match="wrong signature"):
        check_signature(mapping, SECRET, {**headers, **not_hexadecimal}, body, NOW)


def test_without_a_secret_nothing_is_accepted(payload: tuple[str, bytes]) -> None:
    name, body = payload
    with pytest.raises(BadSignature, match="without a secret"):
        check_signature(desk_mapping(name), "", signed(name, body, ""), body, NOW)


@pytest.mark.parametrize("minutes", [-1441, 1441])
def test_glpi_replayed_later_or_with_a_clock_ahead_is_refused(minutes: int) -> None:
    body = sample("glpi-new")
    headers = signed("glpi", body, at=NOW + minutes * 60 * SECOND)
    with pytest.raises(BadSignature, match="more than 1440 minutes from now"):
        check_signature(desk_mapping("glpi"), SECRET, headers, body, NOW)


def test_glpi_with_another_timestamp_than_the_signed_one_is_refused() -> None:
    body = sample("glpi-new")
    old = signed("glpi", body, at=NOW - 3600 * SECOND)
    with pytest.raises(BadSignature, match="wrong signature"):
        check_signature(desk_mapping("glpi"), SECRET, {**old, "X-GLPI-timestamp": str(NOW // SECOND)}, body, NOW)
    for stamp in ({}, {"X-GLPI-timestamp": "yesterday"}):
        headers = {"X-GLPI-signature": old["X-GLPI-signature"], **stamp}
        with pytest.raises(BadSignature, match="seconds since 1970"):
            check_signature(desk_mapping("glpi"), SECRET, headers, body, NOW)


def test_an_operator_may_allow_a_shorter_wait(tmp_path: Path) -> None:
    body = sample("glpi-new")
    late = signed("glpi", body, at=NOW - 23 * 3600 * SECOND)
    check_signature(desk_mapping("glpi"), SECRET, late, body, NOW)
    mapping = edited(tmp_path, "glpi", ("tolerance_minutes = 1440", "tolerance_minutes = 5"))
    with pytest.raises(BadSignature, match="more than 5 minutes from now"):
        check_signature(mapping, SECRET, late, body, NOW)


def test_a_delivery_has_a_name_where_the_desk_gives_it_one() -> None:
    assert delivery_of(desk_mapping("zammad"), signed("zammad", b"")) == "7d1c"
    assert delivery_of(desk_mapping("jira"), signed("jira", b"")) == "9b1f"
    assert delivery_of(desk_mapping("glpi"), signed("glpi", b"")) is None


# --- mappings ---------------------------------------------------------------------------------------------------


def edited(folder: Path, name: str, *replaced: tuple[str, str]) -> DeskMapping:
    """A shipped mapping as an operator changed it."""
    text = shipped(name)
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return desk_mapping(str(path))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_mapping_can_be_copied_as_it_is(name: str, tmp_path: Path) -> None:
    assert edited(tmp_path, name) == desk_mapping(name)


def test_what_zammad_says() -> None:
    mapping = desk_mapping("zammad")
    new = snapshot_of(mapping, sample("zammad-new"))
    assert new == Snapshot(
        source="helpdesk:zammad",
        item="10081",
        changed_at=read_instant("2026-03-02T08:00:12.333Z"),
        opened_at=read_instant("2026-03-02T08:00:12.282Z"),
        request=Request(impact=Impact.HIGH, urgency=Urgency.HIGH, customer="Acme S.p.A."),
        state=ItemState(),
    )
    assert snapshot_of(mapping, sample("zammad-pending")).state == PENDING


def test_what_glpi_says() -> None:
    mapping = desk_mapping("glpi")
    new = snapshot_of(mapping, sample("glpi-new"))
    assert (new.item, new.opened_at) == ("GLPI-1234", read_instant("2026-03-02T08:15:00Z"))
    assert new.request == Request(impact=Impact.MEDIUM, urgency=Urgency.HIGH, customer="Beta S.r.l.")
    assert new.state == ItemState()
    assert snapshot_of(mapping, sample("glpi-solved")).state == ItemState(charged=True, started=True, resolved=True)


def test_what_jira_says() -> None:
    mapping = desk_mapping("jira")
    created = snapshot_of(mapping, sample("jira-created"))
    assert (created.item, created.changed_at) == ("SD-42", read_instant("2026-03-02T08:30:15.797Z"))
    assert created.request == Request(impact=Impact.HIGH, urgency=Urgency.MEDIUM, customer="Gamma S.a.s.")
    assert created.state == ItemState()
    assert snapshot_of(mapping, sample("jira-waiting")).state == PENDING


def test_nothing_personal_is_kept_and_what_is_kept_is_read_again(payload: tuple[str, bytes]) -> None:
    name, body = payload
    read = snapshot_of(desk_mapping(name), body)
    kept = read.to_json()
    assert Snapshot.from_json(kept) == read
    for word in ("Emilia", "Neri", "@", "Verdi", "Conti", "Moretti", "Bassi", "stampa", "VPN", "gestionale"):
        assert word not in kept
    assert len(kept) < 400


@pytest.mark.parametrize(
    ("name", "where", "value", "said"),
    [
        ("zammad-new", "ticket.state", "escalated", "ticket.state is escalated"),
        ("zammad-new", "ticket.priority.name", "4 huge", "ticket.priority.name is 4 huge"),
        ("zammad-new", "ticket.priority", {}, "ticket.priority.name is missing"),
        ("zammad-new", "ticket.number", "  ", "ticket.number is missing"),
        ("zammad-new", "ticket.number", "x" * 201, "ticket.number cannot be used"),
        ("zammad-new", "ticket.number", ["10081"], "ticket.number is neither"),
        ("zammad-new", "ticket.organization", {"name": "a\nb"}, "ticket.organization.name cannot be used"),
        ("zammad-new", "ticket.updated_at", "2026-03-02T09:00:00", "ticket.updated_at is 2026-03-02T09:00:00"),
        ("zammad-new", "ticket.updated_at", "2026-03-02T07:00:00Z", "before the opening"),
        ("glpi-new", "item.date_mod", "02-03-2026 09:15", "item.date_mod is 02-03-2026 09:15"),
        ("glpi-new", "item.status", {"id": 10, "name": "Approval"}, "item.status.id is 10"),
        ("jira-created", "issue.fields.status", {"name": "Fatto"}, "issue.fields.status.name is Fatto"),
        ("jira-created", "issue.fields.customfield_10002", {"name": "x"}, ""),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_place_and_never_guessed(
    name: str, where: str, value: Any, said: str
) -> None:
    mapping = desk_mapping(name.partition("-")[0])
    body = changed(name, where, value)
    if not said:
        assert snapshot_of(mapping, body).request.customer is None
        return
    with pytest.raises(Unreadable) as refusal:
        snapshot_of(mapping, body)
    assert said in refusal.value.reason
    assert refusal.value.reason.startswith(mapping.source)
    assert refusal.value.field in refusal.value.reason


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b"\xff", b'{"ticket": 1, "ticket": 2}', b'"x"'])
def test_a_body_that_is_no_payload_is_refused(body: bytes) -> None:
    for name in SHIPPED:
        with pytest.raises(Unreadable):
            snapshot_of(desk_mapping(name), body)


def test_an_operator_changes_what_a_state_means(tmp_path: Path) -> None:
    line = '"new" = {}'
    mapping = edited(tmp_path, "zammad", (line, f'{line}\n"escalated" = {{ suspended = "third_party" }}'))
    read = snapshot_of(mapping, changed("zammad-new", "ticket.state", "escalated"))
    assert read.state == ItemState(suspended=Responsibility.THIRD_PARTY)


def test_an_operator_names_contract_system_kind_and_local_times(tmp_path: Path) -> None:
    mapping = edited(
        tmp_path,
        "glpi",
        ('# written = "YYYY', 'written = "YYYY'),
        ('# time_zone = "Europe/Rome"', 'time_zone = "Europe/Rome"'),
        ('# contract = "item.external_id"', 'contract = "item.external_id"'),
        ('# system = "item.location.name"', 'system = "item.location.name"'),
        ("[impact]", '[kind]\nat = "item.type"\nvalues = { 1 = "incident", 2 = "support" }\n'
         '[data_centre]\nat = "item.room"\nvalues = { A = true }\nmissing = false\n[impact]'),
    )  # fmt: skip
    item = json.loads(sample("glpi-new"))["item"]
    dates = {"date": "2026-03-02 09:15:00", "date_mod": "2026-03-02 09:15:30"}
    read = snapshot_of(mapping, wire({"item": {**item, **dates, "type": 2, "external_id": "beta-2026"}}))
    assert (read.opened_at, read.changed_at) == (instant("08:15"), instant("08:15") + 30 * SECOND)
    request = read.request
    assert (request.contract, request.system, request.kind) == ("beta-2026", "Magazzino", "support")
    assert request.data_centre is False
    assert snapshot_of(mapping, wire({"item": {**item, **dates, "room": "A"}})).request.data_centre is True
    with pytest.raises(Unreadable, match=r"item\.date_mod is .*no date as 2026-03-02 09:30:00"):
        snapshot_of(mapping, wire({"item": {**item, **dates, "date_mod": "2026-02-30 09:15:30"}}))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('source = "helpdesk:zammad"', "", "source: missing"),
        ('source = "helpdesk:zammad"', 'sauce = "x"\nsource = "x"', "sauce: there is no such field"),
        ('algorithm = "sha1"', 'algorithm = "md5"', "signature.algorithm: "),
        ('suspended = "customer"', 'suspended = "nobody"', "state.values.pending reminder.suspended: "),
        ('{ charged = true, started = true, closed = "resolved" }', '{ resolved = true, closed = "resolved" }',
         "state.values.closed: a state is resolved or closed, not both"),
        ('at = "ticket.state"', 'at = "ticket..state"', "state.at: "),
        ('[times]', '[times]\nwritten = "YYYY-MM-DD HH:MM:SS"', "times: YYYY-MM-DD HH:MM:SS has no offset"),
        ('[times]', '[times]\ntime_zone = "Europe/Rome"', "times: RFC 3339 has offsets of its own"),
        ('[times]', '[times]\ntime_zone = "Europe/Roma"', "times.time_zone: no time zone is called Europe/Roma"),
        ("[times]", "[times", "is not TOML"),
    ],
)  # fmt: skip
def test_a_bad_mapping_is_refused_by_file_and_field(old: str, new: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadMapping) as refusal:
        edited(tmp_path, "zammad", (old, new))
    assert str(refusal.value).startswith(str(tmp_path / "mine.toml"))
    assert said in str(refusal.value)


def test_a_mapping_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadMapping, match="give the path of a mapping, or one of zammad, glpi, jira"):
        desk_mapping(str(tmp_path / "none.toml"))
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(BadMapping, match="not UTF-8"):
        desk_mapping(str(tmp_path / "bytes.toml"))


# --- what is new ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names_of_samples", "item", "facts"),
    [
        (("zammad-new", "zammad-pending"), "10081",
         [IncidentOpened, IncidentTakenInCharge, InterventionStarted, ClockSuspended]),
        (("glpi-new", "glpi-solved"), "GLPI-1234",
         [IncidentOpened, IncidentTakenInCharge, InterventionStarted, IncidentResolved]),
        (("jira-created", "jira-waiting"), "SD-42",
         [IncidentOpened, IncidentTakenInCharge, InterventionStarted, ClockSuspended]),
    ],
)  # fmt: skip
def test_what_the_products_send_becomes_facts(
    handler: CommandHandler, names_of_samples: tuple[str, str], item: str, facts: list[type]
) -> None:
    name = names_of_samples[0].partition("-")[0]
    mapping = desk_mapping(name)
    for each in names_of_samples:
        body = sample(each)
        check_signature(mapping, SECRET, signed(name, body), body, NOW)
        replies = take_snapshot(handler, snapshot_of(mapping, body))
        assert {type(reply.outcome).__name__ for reply in replies} == {"Done"}
        assert {reply.identity[0] for reply in replies if reply.identity} == {mapping.source}
    assert [type(fact) for fact in incident(handler, item).record] == facts


def test_sent_again_it_says_nothing_new(handler: CommandHandler) -> None:
    first, second = snapshot("09:00"), snapshot("10:00", PENDING)
    assert take(handler, first) == ["open@09:00"]
    assert take(handler, second) == ["take_in_charge@10:00", "start_intervention@10:00", "suspend@10:00"]
    assert take(handler, first, second, second, first) == []


def test_a_retry_after_an_answer_that_was_lost_has_the_same_identities(handler: CommandHandler) -> None:
    second = snapshot("10:00", PENDING)
    empty = incident(handler)
    messages = messages_of(second, empty, None, None)
    assert messages == messages_of(second, empty, None, None)
    assert len({each["id"] for each in messages}) == len(messages) == 4
    raws = [wire(each) for each in messages]
    assert names(handler.handle(raws).outcomes) == ["Done"] * 4
    assert names(handler.handle(raws).outcomes) == ["Duplicate"] * 4


def test_only_what_changed_is_told_in_the_order_in_which_it_takes_effect(handler: CommandHandler) -> None:
    low = {"impact": "low", "urgency": "low"}
    assert take(handler, snapshot("10:00", CLOSED)) == [
        "open@09:00", "take_in_charge@10:00", "start_intervention@10:00", "close@10:00"
    ]  # fmt: skip
    assert take(handler, snapshot("11:00", PENDING, **low)) == ["reopen@11:00", "reassess@11:00", "suspend@11:00"]
    vendor = PENDING.model_copy(update={"suspended": Responsibility.THIRD_PARTY})
    assert take(handler, snapshot("12:00", vendor, **low)) == ["suspend@12:00"]
    resolved = ItemState(charged=True, started=True, resolved=True)
    assert take(handler, snapshot("13:00", resolved, **low)) == ["resume@13:00", "resolve@13:00"]
    assert take(handler, snapshot("14:00", CLOSED, **low)) == ["close@14:00"]
    assert not incident(handler).open


def test_what_has_happened_is_not_taken_back(handler: CommandHandler) -> None:
    assert take(handler, snapshot("10:00", OPEN))[1:] == ["take_in_charge@10:00", "start_intervention@10:00"]
    assert take(handler, snapshot("11:00")) == []


def test_a_late_snapshot_is_not_hidden_by_what_was_heard_before(handler: CommandHandler) -> None:
    assert take(handler, snapshot("11:00", OPEN)) == ["open@09:00", "take_in_charge@11:00", "start_intervention@11:00"]
    assert take(handler, snapshot("10:00", PENDING)) == [
        "take_in_charge@10:00", "start_intervention@10:00", "suspend@10:00", "resume@11:00"
    ]  # fmt: skip


def test_a_late_reassessment_does_not_hide_the_one_heard_before(handler: CommandHandler) -> None:
    take(handler, snapshot("09:00"), snapshot("11:00"))
    assert take(handler, snapshot("10:00", impact="low")) == ["reassess@10:00", "reassess@11:00"]
    assert [fact.impact for fact in incident(handler).reassessments] == [Impact.LOW, Impact.HIGH]


def test_a_first_snapshot_heard_late_puts_the_opening_right(handler: CommandHandler) -> None:
    take(handler, snapshot("11:00", opened="09:30", impact="low", customer="acme"))
    assert take(handler, snapshot("10:00")) == ["rectify@11:00"] * 3 + ["reassess@11:00"]
    opened = incident(handler).opened
    assert opened is not None
    assert (opened.at, opened.impact, opened.customer) == (instant("09:00"), Impact.HIGH, None)
    assert take(handler, snapshot("10:00"), snapshot("11:00", opened="09:30", impact="low", customer="acme")) == []


def test_what_a_person_rectified_stays(handler: CommandHandler) -> None:
    take(handler, snapshot("11:00", impact="low"))
    data = {"version": 1, "field": "impact", "value": "medium", "why": "the customer's mail says so"}
    right = message("record.rectify", f"incident-{ITEM}", "2026-03-02T15:00:00Z", data)
    assert names(handler.handle([right]).outcomes) == ["Done"]
    take(handler, snapshot("10:00", impact="high"))
    opened = incident(handler).opened
    assert opened is not None
    assert opened.impact is Impact.MEDIUM


def test_an_opening_edited_later_in_the_desk_changes_nothing(handler: CommandHandler) -> None:
    take(handler, snapshot("10:00"))
    assert take(handler, snapshot("11:00", opened="09:45")) == []


def test_of_two_snapshots_of_one_instant_the_one_nearer_its_end_rules_whichever_was_heard_first() -> None:
    earlier, new, more = snapshot("09:00", PENDING), snapshot("10:00", OPEN), snapshot("10:00", CLOSED)
    for heard in ([earlier, new, more], [earlier, more, new], [more, new, earlier], [new, earlier, more, new]):
        with open_handler() as handler:
            take(handler, *heard)
            assert not incident(handler).open
            assert take(handler, *heard) == []


def test_a_stream_that_another_producer_tells_too_is_listened_to(handler: CommandHandler) -> None:
    take(handler, snapshot("09:00"))
    others = [
        message("incident.take_in_charge", f"incident-{ITEM}", "2026-03-02T09:30:00Z"),
        message("incident.start_intervention", f"incident-{ITEM}", "2026-03-02T12:00:00Z"),
    ]
    handler.handle(others)
    assert take(handler, snapshot("10:00", OPEN)) == ["start_intervention@10:00"]


def test_what_another_process_recorded_is_listened_to(handler: CommandHandler) -> None:
    take(handler, snapshot("09:00"))
    beside = CommandHandler(handler.ledger, Clock())
    beside.handle([message("incident.take_in_charge", f"incident-{ITEM}", "2026-03-02T09:30:00Z")])
    assert take(handler, snapshot("10:00", ItemState(charged=True))) == []


def test_a_snapshot_that_is_refused_is_heard_anew_when_it_is_sent_again() -> None:
    clock = Clock("2026-03-02T09:00:00Z")
    with memory(clock) as ledger:
        handler = CommandHandler(ledger, clock)
        take(handler, snapshot("09:00"))
        ahead = snapshot("10:00", ItemState(charged=True))
        assert names([reply.outcome for reply in take_snapshot(handler, ahead)]) == ["Refused"]
        assert ledger.store.snapshots_around(SOURCE, ITEM, instant("09:00")) == (None, None)
        clock.now = instant("10:00")
        assert take(handler, ahead) == ["take_in_charge@10:00"]


# --- any history in any order -----------------------------------------------------------------------------------

STATES = [
    ItemState(),
    ItemState(charged=True),
    OPEN,
    PENDING,
    ItemState(suspended=Responsibility.THIRD_PARTY),
    ItemState(charged=True, started=True, resolved=True),
    CLOSED,
    ItemState(closed=ClosingReason.DUPLICATE),
]
OPENINGS = st.sampled_from(["09:00", "09:40"])
REQUESTS = st.fixed_dictionaries(
    {"impact": st.sampled_from(Impact), "customer": st.sampled_from([None, "acme"]), "data_centre": st.booleans()}
)


@st.composite
def histories(draw: st.DrawFn, *, ties: bool = False) -> tuple[list[Snapshot], list[Snapshot]]:
    """Snapshots of one item in order, and as they are delivered: in any order, some of them again."""
    hours = draw(st.lists(st.integers(10, 17), min_size=1, max_size=6, unique=not ties))
    said = [
        snapshot(
            f"{hour}:00", draw(st.sampled_from(STATES)), draw(st.sampled_from(["09:00", "09:40"])), **draw(REQUESTS)
        )
        for hour in sorted(hours)
    ]
    again = draw(st.lists(st.sampled_from(said), max_size=3))
    return said, draw(st.permutations([*said, *again]))


def without_echoes(incident: Incident) -> set[tuple[str, int, str]]:
    """The facts as rectified, but for those that say what stood already: type, instant, content."""
    stands: dict[str, object] = {"suspended": None, "ended": None}
    found = set()
    subject: str
    value: object
    for fact in sorted(as_rectified(incident.record), key=lambda fact: fact.at):
        match fact:
            case IncidentOpened():
                subject, value = "assessed", (fact.impact, fact.urgency)
            case IncidentReassessed():
                subject, value = "assessed", (fact.impact, fact.urgency)
            case ClockSuspended() | ClockResumed():
                subject, value = "suspended", getattr(fact, "cause", None)
            case IncidentResolved() | IncidentClosed() | IncidentReopened():
                subject = "ended"
                value = None if isinstance(fact, IncidentReopened) else (fact.TYPE, getattr(fact, "reason", None))
            case _:
                subject, value = fact.TYPE, True
        if isinstance(fact, IncidentOpened) or subject not in stands or stands[subject] != value:
            found.add((fact.TYPE, fact.at, repr(fact.model_dump(exclude={"answer", "recordedtime"}))))
        stands[subject] = value
    return found


def undone(snapshots: Sequence[Snapshot]) -> bool:
    """Whether a desk shows a request void and later not: how often it is told reopened follows what is heard first."""
    return any(one.state.void and not other.state.void for one, other in combinations(snapshots, 2))


def says_whether_it_was_reopened(snapshots: Sequence[Snapshot]) -> bool:
    """Not where a desk shows a request void and not void at one instant, and void before: then nobody can know."""
    for one in snapshots:
        together = [other for other in snapshots if other.changed_at == one.changed_at]
        before = [other for other in snapshots if other.changed_at < one.changed_at]
        if any(other.state.void for other in before) and len({other.state.void for other in together}) > 1:
            return False
    return True


def heard(snapshots: Sequence[Snapshot]) -> tuple[Incident, History]:
    """The incident, and the whole record, once snapshots were heard in this order."""
    with open_handler() as handler:
        take(handler, *snapshots)
        return incident(handler), History.of(handler.ledger.entries())


@settings(max_examples=100)
@given(histories())
def test_any_history_in_any_order_tells_the_same_facts(history: tuple[list[Snapshot], list[Snapshot]]) -> None:
    in_order, delivered = history
    assume(not undone(in_order))  # what its reopenings mean is the next property's
    straight, _ = heard(in_order)
    anyhow, _ = heard(delivered)
    facts = without_echoes(straight)
    assert len(facts) == len(straight.record), "in order, nothing is said twice"
    assert without_echoes(anyhow) == facts


def figures(clock: ClockRow) -> tuple[object, ...]:
    """What a clock shows, but for where its reckoning stands: a suspension told again moves that, and no figure.

    What a void clock had counted follows from when it became void. A desk that shows a request open and void at one
    instant, and void before, leaves open whether it was reopened in between.
    """
    judged = clock.judged
    return (
        judged.target_us,
        None if judged.verdict is Verdict.VOID else judged.net_us,
        judged.suspended_us,
        judged.due,
        judged.verdict,
        judged.decided_at,
        judged.stopped,
        clock.responsible,
    )


@settings(max_examples=60)
@given(histories(ties=True), st.sampled_from([Reading(), Reading(suspensions="counted"), Reading(unit="clock")]))
def test_any_history_in_any_order_is_judged_alike(
    history: tuple[list[Snapshot], list[Snapshot]], reading: Reading
) -> None:
    in_order, delivered = history
    assume(says_whether_it_was_reopened(in_order))
    (_, straight), (_, anyhow) = heard(in_order), heard(delivered)
    for time in ("11:30", "15:30", "23:00"):
        judged = []
        for told_so in (straight, anyhow):
            (row,) = compliance(Replay(told_so, reading, instant(time)))
            judged.append((row.opened_at, row.priority, row.open, *map(figures, row.clocks)))
        assert judged[0] == judged[1]
