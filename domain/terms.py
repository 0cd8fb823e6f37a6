"""The signed terms: priorities, guaranteed times, tolerance, penalty (A1-A6, P1, P2); what options contain (O1, M1).

Rates, tolerances and times come from here, never from code.
"""

from collections import Counter
from collections.abc import Iterable
from enum import IntEnum, StrEnum
from fractions import Fraction
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from domain.periods import Frequency
from domain.values import MINUTE, Identifier, Minutes, Share, Value


class Service(StrEnum):
    """The three services of the contract (G1): Conduzione, Manutenzione, Assistenza."""

    OPERATION = "operation"
    MAINTENANCE = "maintenance"
    ASSISTANCE = "assistance"


class RequestKind(StrEnum):
    """The five kinds of assistance (A1)."""

    INCIDENT = "incident"
    SUPPORT = "support"
    BUG = "bug"
    RECOVERY = "recovery"
    USER_SUPPORT = "user_support"


class Impact(StrEnum):
    """Impatto: what the incident does to the customer's business (A2)."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Urgency(StrEnum):
    """Urgenza: how soon it must be solved (A2)."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Priority(IntEnum):
    """Priorità: 1 is the highest (A2)."""

    CRITICAL = 1
    HIGH = 2
    MODERATE = 3
    LOW = 4
    PLANNING = 5


def _whole_number(value: object) -> object:
    if isinstance(value, bool | float):
        raise ValueError("a priority is a whole number from 1 to 5")
    return value


DeclaredPriority = Annotated[Priority, BeforeValidator(_whole_number)]


class Clock(StrEnum):
    """The two guaranteed times (A3, A5): TPC, to taking in charge; TI, to the start of the intervention."""

    CHARGE = "charge"
    INTERVENTION = "intervention"


class PriorityMatrix(Value):
    """Priority from impact and urgency; each row is an impact."""

    high: dict[Urgency, DeclaredPriority]
    medium: dict[Urgency, DeclaredPriority]
    low: dict[Urgency, DeclaredPriority]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for impact in Impact:
            if missing := set(Urgency) - set(self._row(impact)):
                raise ValueError(
                    f"the matrix gives no priority for impact {impact}, urgency {', '.join(sorted(missing))}"
                )
        return self

    def _row(self, impact: Impact) -> dict[Urgency, Priority]:
        return {Impact.HIGH: self.high, Impact.MEDIUM: self.medium, Impact.LOW: self.low}[impact]

    def priority(self, impact: Impact, urgency: Urgency) -> Priority:
        """The priority of a request as declared (A2)."""
        return self._row(impact)[urgency]


class Level(Value):
    """The guaranteed times of one priority, in working minutes (A3)."""

    charge: Minutes
    intervention: Minutes

    def target(self, clock: Clock) -> int:
        """The guaranteed time in working microseconds."""
        return (self.charge if clock is Clock.CHARGE else self.intervention) * MINUTE


class Levels(Value):
    """The table of guaranteed times, one level for each priority (livelli di servizio, A3 and A6)."""

    p1: Level
    p2: Level
    p3: Level
    p4: Level
    p5: Level

    def level(self, priority: Priority) -> Level:
        """The level of a priority."""
        return (self.p1, self.p2, self.p3, self.p4, self.p5)[priority - 1]


def _below_one(share: Fraction) -> Fraction:
    if share >= 1:
        raise ValueError("a share of the whole must be less than 100%")
    return share


def _at_most_one(share: Fraction) -> Fraction:
    if share > 1:
        raise ValueError("a rate is a share of the whole: at most 100%")
    return share


Rate = Annotated[Share, AfterValidator(_at_most_one)]
"""A share of the value of the hours purchased (P2)."""

Tolerance = Annotated[Share, AfterValidator(_below_one)]
"""The share of cases that may be late for reasons of the supplier (P1): exactly this much is still within it."""


class PenaltyClause(Value):
    """The rate of the maximum one-off penalty as the text gives it twice (P2): in figures and in words."""

    figures: Rate
    words: Rate

    @property
    def in_conflict(self) -> bool:
        """Whether figure and words differ, so that a reading has to choose."""
        return self.figures != self.words


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone is called {name}: give an IANA name, as Europe/Rome") from None
    return name


TimeZone = Annotated[Identifier, AfterValidator(_known_zone)]


class Terms(Value):
    """What was signed. `source` is "assumed" where the text gave no table and the default terms stand in for it."""

    source: Literal["signed", "assumed"]
    time_zone: TimeZone = "Europe/Rome"
    matrix: PriorityMatrix
    levels: Levels
    tolerance: Tolerance
    penalty: PenaltyClause


class AssistanceOption(Value):
    """The option that activates Assistenza: its levels are the terms', its credits the account's (G1, G2)."""

    service: Literal[Service.ASSISTANCE] = Service.ASSISTANCE


def _named_once(names: Iterable[str]) -> None:
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise ValueError(f"{twice[0]} is listed twice")


class OperationOption(Value):
    """The option that activates Conduzione: basic monitoring, hours committed, activities included (O1).

    `committed_minutes` are what the supplier commits to work in each period; `review_every`: how often the KPIs are
    reviewed with the customer, where that is agreed.
    """

    service: Literal[Service.OPERATION]
    monitoring: tuple[Identifier, ...] = ()
    committed_minutes: Minutes
    per: Frequency
    activities: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    review_every: Frequency | None = None

    @model_validator(mode="after")
    def _listed_once(self) -> Self:
        _named_once(self.monitoring)
        _named_once(self.activities)
        return self


class MaintenanceActivity(Value):
    """An activity of Manutenzione, and how many visits it is due in each period (M1)."""

    name: Identifier
    visits: Annotated[int, Field(strict=True, ge=1, le=1000)] = 1
    per: Frequency


class MaintenanceOption(Value):
    """The option that activates Manutenzione: activities included, frequency of visits (M1).

    `infrastructure`: whether work on servers, hosting, databases and hardware is included.
    """

    service: Literal[Service.MAINTENANCE]
    activities: Annotated[tuple[MaintenanceActivity, ...], Field(min_length=1)]
    # Of the option, not of each activity: the text has it included in the service "se previsto dal contratto".
    infrastructure: bool = False

    @model_validator(mode="after")
    def _listed_once(self) -> Self:
        _named_once(activity.name for activity in self.activities)
        return self

    def activity(self, name: str) -> MaintenanceActivity | None:
        """The activity of that name, or None where the option does not list it."""
        return next((activity for activity in self.activities if activity.name == name), None)


def _service_of(option: object) -> object:
    """An option that names no service is Assistenza's: before there were others, none had to."""
    return option.get("service", "assistance") if isinstance(option, dict) else getattr(option, "service", None)


Option = Annotated[
    Annotated[AssistanceOption, Tag("assistance")]
    | Annotated[OperationOption, Tag("operation")]
    | Annotated[MaintenanceOption, Tag("maintenance")],
    Discriminator(
        _service_of,
        custom_error_type="no_such_service",
        custom_error_message="an option's service is assistance, operation or maintenance",
    ),
    Field(description="The service activated, and what its option contains."),
]
"""What an option contains, by service."""
