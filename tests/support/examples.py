"""Named values that the tests share: instants written as Rome's clocks show them, terms, a contract, its account.

2026-03-02 is a Monday; nothing near it is a holiday.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain.calendar_rules import CalendarRules, Holiday, Week
from domain.contract_facts import (
    ActivateOption,
    AdoptCalendar,
    CalendarAdopted,
    ContractFact,
    ContractSigned,
    OptionActivated,
    SignContract,
)
from domain.coverage import Coverage, CoverageDecision
from domain.credit_facts import CreditFact, CreditsPurchased, PurchaseCredits
from domain.incident_facts import IncidentOpened, OpenIncident
from domain.record_facts import Rectify
from domain.terms import AssistanceOption, Impact, Level, Levels, PenaltyClause, PriorityMatrix, Terms, Urgency
from domain.values import MINUTE, Attachment, microseconds
from domain.working_time import WorkingCalendar

ROME = ZoneInfo("Europe/Rome")
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def local(text: str, zone: ZoneInfo = ROME, *, fold: int = 0) -> int:
    """The instant at which clocks in `zone` show `text` ("2026-03-02 09:00"); `fold` 1 is the second time they do.

    Raises ValueError where they never do.
    """
    wall = datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)
    if wall.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall.replace(tzinfo=None):
        raise ValueError(f"clocks in {zone.key} never show {text}")
    return microseconds(wall)


def utc(text: str) -> int:
    """The instant of a text in UTC ("2026-03-02 08:00")."""
    return local(text, ZoneInfo("UTC"))


SIGNING = local("2025-12-15 10:00")
NEW_YEAR = local("2026-01-01 00:00")
NEXT_NEW_YEAR = local("2027-01-01 00:00")

MONDAY_8 = local("2026-03-02 08:00")
MONDAY_9 = local("2026-03-02 09:00")
MONDAY_10 = local("2026-03-02 10:00")
MONDAY_11 = local("2026-03-02 11:00")
MONDAY_12 = local("2026-03-02 12:00")
MONDAY_18 = local("2026-03-02 18:00")
TUESDAY_8 = local("2026-03-03 08:00")
FRIDAY_17 = local("2026-03-06 17:00")
FRIDAY_18 = local("2026-03-06 18:00")
NEXT_MONDAY_8 = local("2026-03-09 08:00")

CONTRACT = "acme-2026"
INCIDENT = "INC0001234"
PAPER = Attachment(name="verbale.pdf", sha256="0" * 64)


# --- terms and calendars ----------------------------------------------------------------------------------------


def levels(first_charge: int = 60) -> Levels:
    """The assumed guaranteed times; `first_charge` is the TPC of priority 1, in working minutes."""
    return Levels(
        p1=Level(charge=first_charge, intervention=240),
        p2=Level(charge=120, intervention=480),
        p3=Level(charge=240, intervention=960),
        p4=Level(charge=480, intervention=1440),
        p5=Level(charge=960, intervention=2400),
    )


def standard_terms(**changes: Any) -> Terms:
    """The assumed terms, written out once more: a test that read the packaged file would prove nothing of it."""
    fields: dict[str, Any] = {
        "source": "assumed",
        "matrix": PriorityMatrix.model_validate(
            {
                "high": {"high": 1, "medium": 2, "low": 3},
                "medium": {"high": 2, "medium": 3, "low": 4},
                "low": {"high": 3, "medium": 4, "low": 5},
            }
        ),
        "levels": levels(),
        "tolerance": "10%",
        "penalty": PenaltyClause.model_validate({"figures": "10%", "words": "5%"}),
    }
    return Terms(**{**fields, **changes})


def week(*windows: tuple[str, str], days: Iterable[str] = ()) -> Week:
    """The same windows on each of `days` (Monday to Friday unless given)."""
    names = tuple(days) or ("monday", "tuesday", "wednesday", "thursday", "friday")
    return Week.model_validate(dict.fromkeys(names, windows))


EVERY_DAY = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
STANDARD_WEEK = week(("08:00", "18:00"))
DATA_CENTRE_WEEK = week(("08:00", "21:00"))

HOLIDAYS_2026 = tuple(
    Holiday(day=date.fromisoformat(f"2026-{day}"), name=name)
    for day, name in (
        ("01-01", "Capodanno"),
        ("01-06", "Epifania del Signore"),
        ("04-05", "Pasqua di Resurrezione"),
        ("04-06", "Lunedì dell'Angelo"),
        ("04-25", "Festa della Liberazione"),
        ("05-01", "Festa dei Lavoratori"),
        ("06-02", "Festa della Repubblica"),
        ("08-15", "Assunzione della Vergine"),
        ("10-04", "San Francesco d'Assisi"),
        ("11-01", "Tutti i Santi"),
        ("12-08", "Immacolata Concezione"),
        ("12-25", "Natale"),
        ("12-26", "Santo Stefano"),
    )
)


def rules(weekly: Week = STANDARD_WEEK, **fields: Any) -> CalendarRules:
    """The rules of 2026 unless other years are given, without holidays unless given."""
    return CalendarRules.model_validate({"week": weekly, "first_year": 2026, "last_year": 2026, **fields})


def calendar(weekly: Week = STANDARD_WEEK, zone: str = "Europe/Rome", **fields: Any) -> WorkingCalendar:
    """A compiled calendar of `rules`."""
    return WorkingCalendar.of(ZoneInfo(zone), rules(weekly, **fields))


# --- commands, and the facts they become ------------------------------------------------------------------------


def sign(at: int = SIGNING, **changes: Any) -> SignContract:
    """A signature: in force for 2026, for the customer key ACME, on the assumed terms."""
    fields: dict[str, Any] = {
        "in_force_from": NEW_YEAR,
        "in_force_until": NEXT_NEW_YEAR,
        "customers": ("ACME",),
        "terms": standard_terms(),
    }
    return SignContract(at=at, **{**fields, **changes})


def activate(at: int = SIGNING, effective: int = NEW_YEAR, **changes: Any) -> ActivateOption:
    """Assistenza activated for 2026."""
    return ActivateOption(at=at, option=AssistanceOption(), effective=effective, **changes)


def adopt(at: int = SIGNING, **changes: Any) -> AdoptCalendar:
    """The Italian calendar of 2026, without a patron saint."""
    fields: dict[str, Any] = {
        "source": "holidays IT",
        "source_version": "0.109",
        "first_year": 2026,
        "last_year": 2026,
        "standard": STANDARD_WEEK,
        "data_centre": DATA_CENTRE_WEEK,
        "holidays": HOLIDAYS_2026,
    }
    return AdoptCalendar(at=at, **{**fields, **changes})


def buy(package: str = "A", minutes: int = 600, at: int = NEW_YEAR, **changes: Any) -> PurchaseCredits:
    """A package of credits without expiry, for 500.00 euro."""
    return PurchaseCredits(**{"at": at, "package": package, "minutes": minutes, "price": "500.00", **changes})


def request(at: int = MONDAY_9, **changes: Any) -> OpenIncident:
    """The customer's own request under the contract: impact high, urgency medium, so priority 2."""
    fields: dict[str, Any] = {"impact": Impact.HIGH, "urgency": Urgency.MEDIUM, "contract": CONTRACT}
    return OpenIncident(at=at, **{**fields, **changes})


def rectify(version: int, field: str, value: object, at: int = MONDAY_12, **changes: Any) -> Rectify:
    """A rectification, by the supplier unless given."""
    return Rectify(**{"at": at, "version": version, "field": field, "value": value, "why": "a slip", **changes})


def signed(**changes: Any) -> ContractSigned:
    """The fact of `sign`."""
    return ContractSigned(**dict(sign(**changes)))


def activated(**changes: Any) -> OptionActivated:
    """The fact of `activate`."""
    return OptionActivated(**dict(activate(**changes)))


def adopted(**changes: Any) -> CalendarAdopted:
    """The fact of `adopt`, with the rules of Rome."""
    return CalendarAdopted(**dict(adopt(**changes))).with_rules_of(ROME.key)


def bought(package: str = "A", minutes: int = 600, at: int = NEW_YEAR, **changes: Any) -> CreditsPurchased:
    """The fact of `buy`."""
    return CreditsPurchased(**dict(buy(package, minutes, at, **changes)))


GUARANTEED = CoverageDecision(coverage=Coverage.GUARANTEED, contract=CONTRACT)


def opened(at: int = MONDAY_9, answer: CoverageDecision = GUARANTEED, **changes: Any) -> IncidentOpened:
    """The fact of `request`, guaranteed unless given."""
    return IncidentOpened(**dict(request(at, **changes)), answer=answer)


def contract_facts(**signature: Any) -> tuple[ContractFact, ...]:
    """A contract signed, with Assistenza active and a calendar adopted."""
    return signed(**signature), activated(), adopted()


def account_facts() -> tuple[CreditFact, ...]:
    """One package of 600 minutes, without expiry."""
    return (bought(),)
