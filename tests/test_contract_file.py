"""A contract written in TOML: the example is valid as printed, and every mistake is named by file and field."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.messages import Clock, memory, names, opening, wire

from adapters.imports.contract_file import BadContractFile, assumed_terms, example
from adapters.imports.contract_messages import contract_messages
from adapters.inbox.handler import CommandHandler
from adapters.inbox.messages import read_message
from domain.calendar_rules import Holiday, ServiceHours
from domain.contract import Contract, fold
from domain.contract_facts import (
    ActivateOption,
    AdoptCalendar,
    DeclareConnectedSystem,
    ExtendCoverage,
    OptionEnded,
    SignContract,
)
from domain.credit_facts import PurchaseCredits, RefundCredits
from domain.derogation import Weekday
from domain.periods import Frequency
from domain.record_facts import RecordAgreed, RecordAnnulled, RecordRectified
from domain.terms import Level, MaintenanceOption, OperationOption, Priority, Service, Urgency
from domain.values import Party, instant_text

SHORT = """
id = "beta"
first_day = 2026-03-01
[calendar]
years = [2026, 2026]
"""
TERMS = """
[terms]
tolerance = "5%"
penalty = { figures = "8%", words = "8%" }
[terms.matrix]
high = { high = 1, medium = 1, low = 1 }
medium = { high = 2, medium = 2, low = 2 }
low = { high = 3, medium = 3, low = 3 }
[terms.levels]
p1 = { charge = 30, intervention = 60 }
p2 = { charge = 60, intervention = 120 }
p3 = { charge = 120, intervention = 240 }
p4 = { charge = 240, intervention = 480 }
p5 = { charge = 480, intervention = 960 }
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file of a test is."""
    return tmp_path / "contract.toml"


def messages(path: Path, text: str) -> list[dict[str, Any]]:
    """The messages of a file of this text."""
    path.write_text(text, encoding="utf-8")
    return contract_messages(path)


def commands(path: Path, text: str) -> list[Any]:
    """The commands those messages carry."""
    return [read_message(wire(document)).command for document in messages(path, text)]


def test_the_example_is_valid_as_printed(path: Path) -> None:
    found = messages(path, example())
    assert [document["type"].removeprefix("verbale.") for document in found] == [
        "contract.sign.v1", "contract.activate_option.v1", "contract.adopt_calendar.v1", "credits.purchase.v1"
    ]  # fmt: skip
    assert {document["subject"] for document in found} == {"contract-acme-2026", "credits-acme-2026"}
    request = opening(contract=None, customer="acme")
    with memory(Clock()) as ledger:
        outcomes = CommandHandler(ledger, Clock()).handle([*map(wire, found), request]).outcomes
        opened = ledger.streams(["incident-INC0001234"])["incident-INC0001234"][0]
    assert names(outcomes) == ["Done"] * 5
    assert dict(opened)["answer"].guaranteed


def test_the_example_with_every_comment_taken_away_is_valid_too(path: Path) -> None:
    lines = [line.removeprefix("# ") if line.startswith("# ") and ("=" in line or "[" in line) else line
             for line in example().splitlines()]  # fmt: skip
    text = "\n".join(line for line in lines if not line.startswith("# "))
    assert "\n[terms.levels]" in text
    signed, *others = commands(path, text)
    assert isinstance(signed, SignContract)
    assert signed.terms == assumed_terms().model_copy(update={"source": "signed"})
    with memory(Clock()) as ledger:
        outcomes = (
            CommandHandler(ledger, Clock()).handle([wire(document) for document in messages(path, text)]).outcomes
        )
    assert names(outcomes) == ["Done"] * (1 + len(others))


def test_signing_the_same_file_again_changes_nothing(path: Path) -> None:
    with memory(Clock()) as ledger:
        desk = CommandHandler(ledger, Clock())
        desk.handle([wire(document) for document in messages(path, example())])
        again = desk.handle([wire(document) for document in messages(path, example())])
        assert names(again.outcomes) == ["Duplicate"] * 4
        assert ledger.store.counts()["facts"] == 4


def test_days_are_local_days_and_the_last_is_included(path: Path) -> None:
    signed, _, _, bought = commands(path, example())
    assert isinstance(signed, SignContract)
    assert isinstance(bought, PurchaseCredits)
    assert instant_text(signed.at) == "2025-12-14T23:00:00Z"
    assert instant_text(signed.in_force_from) == "2025-12-31T23:00:00Z"
    assert signed.in_force_until is not None
    assert instant_text(signed.in_force_until) == "2026-12-31T23:00:00Z"
    assert bought.expires_at == signed.in_force_until
    assert bought.at == signed.in_force_from


def test_what_is_left_out_is_not_made_up(path: Path) -> None:
    signed, calendar = commands(path, SHORT)
    assert isinstance(signed, SignContract)
    assert isinstance(calendar, AdoptCalendar)
    assert (signed.in_force_until, signed.customers, signed.at) == (None, (), signed.in_force_from)
    assert signed.terms.source == "assumed"
    assert Holiday(day=date(2026, 12, 7), name="Sant'Ambrogio") not in calendar.holidays
    assert calendar.standard.monday == ((8 * 60, 18 * 60),)
    assert calendar.data_centre.friday == ((8 * 60, 21 * 60),)
    assert calendar.standard.saturday == ()


def test_terms_of_ones_own_are_signed_terms(path: Path) -> None:
    signed, _ = commands(path, SHORT + TERMS)
    assert isinstance(signed, SignContract)
    assert signed.terms.source == "signed"
    assert signed.terms.matrix.medium[Urgency.LOW] is Priority.HIGH
    assert signed.terms.levels.p1 == Level(charge=30, intervention=60)
    assert str(signed.terms.tolerance) == "1/20"
    assert not signed.terms.penalty.in_conflict


def test_hours_and_patron_saint_of_ones_own_are_adopted(path: Path) -> None:
    text = SHORT + 'subdivision = "MI"\n[calendar.standard]\nmonday = [["08:30", "13:00"], ["14:00", "18:30"]]\n'
    _, calendar = commands(path, text)
    assert isinstance(calendar, AdoptCalendar)
    assert calendar.standard.monday == ((510, 780), (840, 1110))
    assert calendar.standard.tuesday == ()
    assert calendar.data_centre.tuesday == ((480, 1260),)
    assert date(2026, 12, 7) in {holiday.day for holiday in calendar.holidays}
    assert calendar.source == "holidays IT MI"


def test_every_package_is_a_purchase(path: Path) -> None:
    credit = '[[credits]]\npackage = "{}"\nbought_on = 2026-03-01\nminutes = 60\nprice = "50"\n'
    *_, first, second = commands(path, SHORT + credit.format("A") + credit.format("B"))
    assert [(one.package, str(one.price), one.expires_at) for one in (first, second)] == [
        ("A", "50.00", None), ("B", "50.00", None)
    ]  # fmt: skip


def test_a_changed_file_is_other_messages_not_the_same_ids(path: Path) -> None:
    before = {document["id"] for document in messages(path, example())}
    after = {document["id"] for document in messages(path, example() + TERMS)}
    assert len(before & after) == 3


CREDIT = '[[credits]]\npackage = "A"\nbought_on = 2026-03-01\nminutes = 60\nprice = "50"\n'
MISTAKES: dict[str, tuple[str, str]] = {
    "no id": (SHORT.replace('id = "beta"', ""), "id: Field required"),
    "an empty id": (SHORT.replace("beta", ""), "id: "),
    "no first day": (SHORT.replace("first_day = 2026-03-01", ""), "first_day: Field required"),
    "no calendar": (SHORT.partition("[")[0], "calendar: Field required"),
    "an unknown field": ("colour = 1\n" + SHORT, "colour: "),
    "a misspelt field": (SHORT + "subdivison = 'MI'\n", "calendar.subdivison: "),
    "a day that is none": (SHORT.replace("2026-03-01", '"soon"'), "first_day: "),
    "one customer": ('customers = "beta"\n' + SHORT, "customers: "),
    "one year": (SHORT.replace("[2026, 2026]", "[2026]"), "calendar.years"),
    "years beyond the library's": (SHORT.replace("[2026, 2026]", "[2026, 2150]"), "calendar: "),
    "an unknown place": (SHORT + 'subdivision = "Atlantis"\n', "Atlantis"),
    "a time that is none": (SHORT + '[calendar.standard]\nmonday = [["8", "18"]]\n', "calendar.standard.monday.0.0: "),
    "a price that is no text": (SHORT + CREDIT.replace('"50"', "50.0"), 'credits.0.price: an amount in euro is text'),
    "a price below nothing": (SHORT + CREDIT.replace('"50"', '"-1"'), "credits.0.price: "),
    "half a minute": (SHORT + CREDIT.replace("60", "60.5"), "credits.0.minutes: "),
    "no minutes": (SHORT + CREDIT.replace("60", "0"), "credits.0.minutes: "),
    "half the terms": (SHORT + '[terms]\ntolerance = "10%"\n', "terms.matrix: Field required"),
    "terms that are none": ("terms = 1\n" + SHORT, "terms: "),
    "a matrix with a hole": (SHORT + TERMS.replace(", low = 1 }", " }"), "terms.matrix"),
    "no such priority": (SHORT + TERMS.replace("high = 1", "high = 9", 1), "terms.matrix.high.high: "),
    "a whole tolerance": (SHORT + TERMS.replace('"5%"', '"100%"'), "terms.tolerance: "),
    "a tolerance as a number": (SHORT + TERMS.replace('"5%"', "0.05"), 'terms.tolerance: a share is text, as "10%"'),
    "no such time zone": (SHORT + TERMS.replace("[terms]", '[terms]\ntime_zone = "Rome"'), "terms.time_zone: "),
}  # fmt: skip


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_named_by_file_and_field(path: Path, what: str) -> None:
    text, words = MISTAKES[what]
    assert text not in (SHORT, SHORT + TERMS, SHORT + CREDIT)
    tomllib.loads(text)
    with pytest.raises(BadContractFile) as caught:
        messages(path, text)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"id = ", "is not TOML"), (b"{}", "is not TOML"), (b"id = '\xe8'", "is not UTF-8 text"), (b"", "Field required")],
)
def test_what_is_no_toml_is_named_by_file(path: Path, content: bytes, words: str) -> None:
    path.write_bytes(content)
    with pytest.raises(BadContractFile, match=words) as caught:
        contract_messages(path)
    assert str(path) in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(path: Path) -> None:
    with pytest.raises(BadContractFile, match="cannot be read"):
        contract_messages(path)
    with pytest.raises(BadContractFile, match="cannot be read"):
        contract_messages(path.parent)


@pytest.mark.parametrize(
    "text",
    [
        SHORT.replace("first_day", "last_day = 2026-02-01\nfirst_day"),
        SHORT.replace("[2026, 2026]", "[2027, 2026]"),
        SHORT + CREDIT + CREDIT.replace("60", "90"),
    ],
    ids=["ends before it begins", "years reversed", "a package twice"],
)
def test_a_contradiction_within_the_file_is_named_by_file_and_field(path: Path, text: str) -> None:
    with pytest.raises(BadContractFile):
        messages(path, text)


def test_the_assumed_terms_have_these_figures_and_say_that_they_are_assumed() -> None:
    terms = assumed_terms()
    assert terms.source == "assumed"
    assert [(level.charge, level.intervention) for level in map(terms.levels.level, Priority)] == [
        (60, 240), (120, 480), (240, 960), (480, 1440), (960, 2400)
    ]  # fmt: skip
    grades = ("high", "medium", "low")
    matrix = terms.matrix.model_dump(mode="json")
    assert [[matrix[impact][urgency] for urgency in grades] for impact in grades] == [[1, 2, 3], [2, 3, 4], [3, 4, 5]]
    assert (str(terms.tolerance), str(terms.penalty.figures), str(terms.penalty.words)) == ("1/10", "1/10", "1/20")


# --- what else a contract may hold ------------------------------------------------------------------------------

OTHER_SERVICES = """
[operation]
monitoring = ["uptime"]
committed_minutes = 1200
per = "month"
activities = ["email campaigns"]
review_every = "quarter"
[maintenance]
active_from = 2026-04-01
activities = [{ name = "software updates", visits = 2, per = "month" }, { name = "backup check", per = "year" }]
"""


def test_the_other_services_are_activated_each_by_its_own_option(path: Path) -> None:
    operation, maintenance = (
        command for command in commands(path, SHORT + OTHER_SERVICES) if isinstance(command, ActivateOption)
    )
    assert operation.option == OperationOption(
        service=Service.OPERATION,
        monitoring=("uptime",),
        committed_minutes=1200,
        per=Frequency.MONTH,
        activities=("email campaigns",),
        review_every=Frequency.QUARTER,
    )
    assert instant_text(operation.effective) == "2026-02-28T23:00:00Z"
    assert isinstance(maintenance.option, MaintenanceOption)
    assert [(one.name, one.visits, one.per) for one in maintenance.option.activities] == [
        ("software updates", 2, Frequency.MONTH),
        ("backup check", 1, Frequency.YEAR),
    ]
    assert not maintenance.option.infrastructure
    assert instant_text(maintenance.effective) == "2026-03-31T22:00:00Z"


def test_hours_are_extended_and_systems_told_on_their_own_day_or_that_of_the_signature(path: Path) -> None:
    text = SHORT + """
[[extensions]]
dates = [2026-06-02]
windows = [["08:00", "13:00"]]
[[extensions]]
agreed_on = 2026-03-10
first_day = 2026-04-01
last_day = 2026-04-30
weekdays = ["saturday"]
windows = [["08:00", "13:00"]]
hours = "data_centre"
[[systems]]
system = "erp"
[[systems]]
system = "crm"
told_on = 2026-05-04
"""  # fmt: skip
    found = commands(path, text)
    holiday, saturdays = (command for command in found if isinstance(command, ExtendCoverage))
    assert (holiday.dates, holiday.hours) == ((date(2026, 6, 2),), None)
    assert saturdays.weekdays == (Weekday.SATURDAY,)
    assert saturdays.hours is ServiceHours.DATA_CENTRE
    assert [instant_text(one.at) for one in (holiday, saturdays)] == ["2026-02-28T23:00:01Z", "2026-03-09T23:00:01Z"]
    told = [(one.system, instant_text(one.at)) for one in found if isinstance(one, DeclareConnectedSystem)]
    assert told == [("erp", "2026-02-28T23:00:00Z"), ("crm", "2026-05-03T22:00:00Z")]


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ('[operation]\ncommitted_minutes = 60\nper = "week"\nactivities = ["x"]', "operation.per"),
        ('[operation]\ncommitted_minutes = 60\nper = "month"\nactivities = ["x", "x"]', "operation: x is listed twice"),
        ("[maintenance]\nactivities = []", "maintenance.activities"),
        ('[[extensions]]\nwindows = [["08:00", "13:00"]]', "extensions.0: it reaches no day"),
        ('[[systems]]\nname = "erp"', "systems.0"),
    ],
)
def test_a_mistake_in_them_is_named_too(path: Path, table: str, named: str) -> None:
    with pytest.raises(BadContractFile, match=named):
        messages(path, f"{SHORT}{table}\n")


# --- days are whole days ----------------------------------------------------------------------------------------

AGREED_IN_AUGUST = """
[[extensions]]
agreed_on = 2026-08-15
dates = [2026-08-15, 2026-08-16]
windows = [["08:00", "13:00"]]
"""


def contract_of(path: Path, text: str) -> Contract:
    """The contract on record after the file of this text is signed late in 2026."""
    with memory(Clock("2026-12-01T12:00:00Z")) as ledger:
        outcomes = CommandHandler(ledger, Clock("2026-12-01T12:00:00Z")).handle([*map(wire, messages(path, text))])
        assert set(names(outcomes.outcomes)) == {"Done"}
        return fold("beta", ledger.streams(["contract-beta"])["contract-beta"])  # type: ignore[arg-type]


def test_hours_agreed_on_15_august_extend_the_16th_and_not_the_15th(path: Path) -> None:
    contract = contract_of(path, SHORT + AGREED_IN_AUGUST)
    (calendar,) = contract.calendars
    assert [day for day, _ in contract.extended_days(calendar, ServiceHours.STANDARD)] == [date(2026, 8, 16)]
    assert contract.agreed_too_late(ServiceHours.STANDARD) == (date(2026, 8, 15),)


def test_hours_agreed_with_the_signature_extend_the_days_after_it(path: Path) -> None:
    text = "signed_on = 2026-02-20\n" + SHORT + AGREED_IN_AUGUST.replace("agreed_on = 2026-08-15\n", "")
    contract = contract_of(path, text.replace("[2026-08-15, 2026-08-16]", "[2026-02-20, 2026-02-21]"))
    (calendar,) = contract.calendars
    assert [day for day, _ in contract.extended_days(calendar, ServiceHours.STANDARD)] == [date(2026, 2, 21)]


def test_hours_agreed_today_are_not_in_the_future(path: Path) -> None:
    early = Clock("2026-08-14T22:00:05Z")  # five seconds after 15 August has begun in Rome
    with memory(early) as ledger:
        found = messages(path, "signed_on = 2026-02-20\n" + SHORT + AGREED_IN_AUGUST)
        assert names(CommandHandler(ledger, early).handle([*map(wire, found)]).outcomes) == ["Done"] * 3


def test_what_is_signed_activated_bought_or_told_on_a_day_counts_for_the_whole_of_it(path: Path) -> None:
    text = SHORT + CREDIT + '[assistance]\n[[systems]]\nsystem = "erp"\n'
    first_instant = "2026-02-28T23:00:00Z"
    signed, activated, calendar, told, bought = commands(path, text)
    assert {instant_text(one.at) for one in (signed, activated, calendar, told, bought)} == {first_instant}
    assert {instant_text(at) for at in (signed.in_force_from, activated.effective)} == {first_instant}


# --- what is agreed, and said of facts on record, after the signature ---------------------------------------------

TERM = SHORT.replace("[calendar]", "last_day = 2026-12-31\n[calendar]")
CHANGES = """
[[revised]]
agreed_on = 2026-04-01
first_day = 2026-05-01
agreed_by = ["customer"]
[revised.levels]
p1 = { charge = 30, intervention = 60 }
p2 = { charge = 60, intervention = 120 }
p3 = { charge = 120, intervention = 240 }
p4 = { charge = 240, intervention = 480 }
p5 = { charge = 480, intervention = 960 }
[[renewed]]
signed_on = 2026-06-15
last_day = 2027-12-31
revokes_termination = true
[[terminated]]
told_on = 2026-06-01
last_day = 2026-08-31
why = "the project moves"
by = "customer"
[[ended]]
service = "assistance"
told_on = 2026-10-01
last_day = 2026-10-31
"""


def test_levels_are_revised_options_and_contracts_end_and_are_renewed_by_whom_it_says(path: Path) -> None:
    contract = contract_of(path, TERM + "[assistance]\n" + CHANGES)
    (revision,), (termination,), (renewal,) = contract.revisions, contract.terminations, contract.renewals
    ended = contract.options[-1]
    assert isinstance(ended, OptionEnded)
    assert (revision.by, revision.agreed_by, instant_text(revision.effective)) == (
        Party.SUPPLIER, (Party.CUSTOMER,), "2026-04-30T22:00:00Z"
    )  # fmt: skip
    assert (termination.by, termination.why, instant_text(termination.effective)) == (
        Party.CUSTOMER, "the project moves", "2026-08-31T22:00:00Z"
    )  # fmt: skip
    assert (renewal.revokes_termination, instant_text(renewal.until)) == (True, "2027-12-31T23:00:00Z")
    assert contract.end == renewal.until
    assert (ended.by, instant_text(ended.effective)) == (Party.SUPPLIER, "2026-10-31T23:00:00Z")


def test_changes_are_recorded_in_the_order_in_which_they_were_agreed(path: Path) -> None:
    kinds = [type(one).__name__ for one in commands(path, TERM + CHANGES)]
    assert kinds[2:] == ["ReviseServiceLevel", "TerminateContract", "RenewContract", "EndOption"]


ACTS = """
[[annulled]]
version = 3
why = "a system of another customer"
told_on = 2026-04-01
by = "customer"
[[rectified]]
stream = "credits-beta"
version = 1
field = "at"
value = 2026-03-02T09:00:00+01:00
why = "a slip"
told_on = 2026-04-02
[[agreed]]
stream = "credits-beta"
version = 2
by = "customer"
agreed_on = 2026-04-03
[[agreed]]
up_to = 4
by = "supplier"
agreed_on = 2026-04-04
"""
SYSTEM = '[[systems]]\nsystem = "erp"\n'


def test_facts_are_annulled_rectified_and_agreed_to_on_the_stream_named_or_the_contracts_own(path: Path) -> None:
    clock = Clock("2026-12-01T12:00:00Z")
    with memory(clock) as ledger:
        found = messages(path, SHORT + SYSTEM + CREDIT + ACTS)
        assert names(CommandHandler(ledger, clock).handle([*map(wire, found)]).outcomes) == ["Done"] * 4 + [
            "Done", "Done", "Done", "Refused"  # nobody agrees to a position that the same file is about to fill
        ]  # fmt: skip
        again = CommandHandler(ledger, clock).handle([*map(wire, messages(path, SHORT + SYSTEM + CREDIT + ACTS))])
        assert names(again.outcomes) == ["Duplicate"] * 7 + ["Done"]
        own, credits = ledger.streams(["contract-beta", "credits-beta"]).values()
    annulled, agreed_up_to = own[-2:]
    assert isinstance(annulled, RecordAnnulled)
    assert (annulled.version, annulled.by) == (3, Party.CUSTOMER)
    assert isinstance(agreed_up_to, RecordAgreed)
    assert (agreed_up_to.up_to, agreed_up_to.by) == (4, Party.SUPPLIER)
    assert fold("beta", own).systems == ()  # type: ignore[arg-type]
    _, rectified, agreed = credits
    assert isinstance(rectified, RecordRectified)
    assert instant_text(rectified.value) == "2026-03-02T08:00:00Z"
    assert isinstance(agreed, RecordAgreed)
    assert (agreed.version, agreed.by) == (2, Party.CUSTOMER)


REFUND = '[[refunded]]\npackage = "A"\nrefunded_on = 2026-05-01\n'


@pytest.mark.parametrize(
    ("told", "minutes", "price"),
    [('minutes = 30\nprice = "20"', 30, "20.00"), ("hours = 1", 60, "0.00"), ('price = "20.00"', 0, "20.00")],
)
def test_what_is_given_back_of_a_package_is_a_refund(path: Path, told: str, minutes: int, price: str) -> None:
    *_, refund = commands(path, f"{SHORT}{CREDIT}{REFUND}{told}\n")
    assert isinstance(refund, RefundCredits)
    assert (refund.package, refund.minutes, str(refund.price)) == ("A", minutes, price)
    assert instant_text(refund.at) == "2026-04-30T22:00:00Z"
    contract_of(path, f"{SHORT}{CREDIT}{REFUND}{told}\n")


SOURCES = """
[[sources]]
source = "helpdesk:one"
party = "supplier"
appointed_on = 2026-04-01
[[sources]]
source = "helpdesk:two"
party = "supplier"
appointed_by = "helpdesk:one"
dismissed_on = 2026-06-01
dismissed_by = "helpdesk:one"
[[sources]]
source = "desk:customer"
party = "customer"
"""


def test_sources_speak_for_the_parties_that_the_file_appoints_them_to(path: Path) -> None:
    speakers = contract_of(path, SHORT + SOURCES).speakers
    assert {one.source: one.party for one in speakers.appointed()} == {
        "helpdesk:one": Party.SUPPLIER, "desk:customer": Party.CUSTOMER
    }  # fmt: skip


def test_signing_a_file_with_acts_again_changes_nothing(path: Path) -> None:
    clock = Clock("2026-12-01T12:00:00Z")
    text = TERM + "[assistance]\n" + SYSTEM + CREDIT + CHANGES + ACTS.partition("[[agreed]]")[0] + SOURCES
    with memory(clock) as ledger:
        desk = CommandHandler(ledger, clock)
        assert set(names(desk.handle([*map(wire, messages(path, text))]).outcomes)) == {"Done"}
        assert set(names(desk.handle([*map(wire, messages(path, text))]).outcomes)) == {"Duplicate"}


LEVELS_MISSING = "[[revised]]\nagreed_on = 2026-04-01\nfirst_day = 2026-05-01\n"
WRONG_ACTS: dict[str, tuple[str, str]] = {
    "levels missing": (LEVELS_MISSING, "revised.0.levels: Field required"),
    "no such service": (
        '[[ended]]\nservice = "sales"\nlast_day = 2026-05-01\ntold_on = 2026-05-01',
        "ended.0.service: ",
    ),
    "no reason": ("[[terminated]]\nlast_day = 2026-05-01\ntold_on = 2026-05-01", "terminated.0.why: Field required"),
    "no such party": ('[[agreed]]\nversion = 1\nby = "court"\nagreed_on = 2026-05-01', "agreed.0.by: "),
    "agreed by nobody": ("[[agreed]]\nversion = 1\nagreed_on = 2026-05-01", "agreed.0.by: Field required"),
    "agreed to nothing": ('[[agreed]]\nby = "customer"\nagreed_on = 2026-05-01', "agreed.0: an agreement names one"),
    "version nought": ('[[annulled]]\nversion = 0\nwhy = "x"\ntold_on = 2026-05-01', "annulled.0.version: "),
    "an instant without offset": (
        '[[rectified]]\nversion = 1\nfield = "at"\nvalue = 2026-03-02T09:00:00\nwhy = "x"\ntold_on = 2026-05-01',
        "rectified.0.value: an instant needs an offset",
    ),
    "a refund of nothing": (REFUND, "refunded.0: a refund gives back minutes or hours, or euro, or both"),
    "a refund in two units": (REFUND + "minutes = 60\nhours = 1", "refunded.0: give minutes or hours, not both"),
    "dismissed by nobody": (
        '[[sources]]\nsource = "x"\nparty = "supplier"\ndismissed_on = 2026-05-01',
        "sources.0: a source is dismissed on a day by a source of its party",
    ),
}


@pytest.mark.parametrize("what", WRONG_ACTS)
def test_a_mistake_in_an_act_is_named_by_file_and_field(path: Path, what: str) -> None:
    text, words = WRONG_ACTS[what]
    with pytest.raises(BadContractFile) as caught:
        messages(path, f"{SHORT}{text}\n")
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
