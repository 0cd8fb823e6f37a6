"""A reading answers the questions that the contract leaves open (P1, P2, A2, A4, S1). Every report states its own."""

from typing import Literal, NamedTuple, Self, get_args

from pydantic import ValidationError

from domain.facts import Fact
from domain.incident_facts import ClockSuspended, IncidentClosed, ResponsibilityAttributed
from domain.record_facts import RecordAnnulled, RecordRectified
from domain.values import Party, Responsibility, Value

WindowKind = Literal["contract_year", "calendar_year", "quarter", "whole_contract"]


class UnknownReading(ValueError):
    """The reading asked for does not exist; the message says which do."""


class Reading(Value):
    """One choice for each open question; the defaults are the reading called `literal`."""

    rate: Literal["figures", "words"] = "figures"
    unit: Literal["incident", "clock"] = "incident"
    population: Literal["guaranteed", "handled"] = "guaranteed"
    window: WindowKind = "contract_year"
    base: Literal["purchased_to_date", "purchased_in_window"] = "purchased_to_date"
    one_off: Literal["contract", "term"] = "contract"
    reassessment: Literal["declared", "latest"] = "declared"
    suspensions: Literal["excluded", "counted"] = "excluded"
    one_sided: Literal["recorded", "agreed"] = "recorded"
    undisclosed: Literal["counted", "excluded"] = "counted"

    @property
    def name(self) -> str:
        """`literal`, or the choices that depart from it."""
        departures = [f"{field}={value}" for field, value in self if value != getattr(LITERAL, field)]
        return ",".join(departures) or "literal"

    def admits(self, fact: Fact) -> bool:
        """Whether the reading takes a fact into account that one party recorded alone (A4, one-sided records).

        Under `agreed` it does so only when both parties agree, or when the fact goes against the interest of its maker.
        A rectification or an annulment always favours its maker, a void closing the supplier.
        """
        match fact:
            case ClockSuspended(cause=at_fault) | ResponsibilityAttributed(party=at_fault):
                favoured = Party.CUSTOMER if at_fault is Responsibility.SUPPLIER else Party.SUPPLIER
                return self.one_sided == "recorded" or fact.agreed or fact.by is not favoured
            case IncidentClosed(reason=reason) if reason.void:
                return self.one_sided == "recorded" or fact.agreed or fact.by is Party.CUSTOMER
            case RecordRectified() | RecordAnnulled():
                return self.one_sided == "recorded" or fact.agreed
            case _:
                return True

    def asks_whether_agreed(self, fact: Fact) -> bool:
        """Whether what a fact does may depend on both parties' agreeing to it: a void closing's always does (P1)."""
        return self.one_sided == "agreed" or isinstance(fact, IncidentClosed)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The reading called `text`: "literal", or choices such as "rate=words,unit=clock".

        Raises UnknownReading, which lists what can be chosen.
        """
        choices: dict[str, str] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            field, equals, value = part.partition("=")
            if part == "literal":
                continue
            if not equals:
                raise UnknownReading(f'no reading is called "{part}": give literal, or choices as {_choices()}')
            if field in choices:
                raise UnknownReading(f"the reading answers {field} twice")
            choices[field] = value
        try:
            return cls.model_validate(choices)
        except ValidationError as error:
            wrong = error.errors()[0]
            where = ".".join(str(part) for part in wrong["loc"])
            if where not in cls.model_fields:
                raise UnknownReading(f"a reading has no question {where}; it has {_choices()}") from None
            raise UnknownReading(f"{where}={choices[where]} is no answer here; {where} is {_answers(where)}") from None


class OpenQuestion(NamedTuple):
    """A question that the contract leaves open: the clause, the question, and what each answer means."""

    clause: str
    asks: str
    answers: dict[str, str]
    """By the word that chooses it; the literal reading's answer is the first."""


QUESTIONS = {
    "rate": OpenQuestion(
        "P2",
        "The figure of the contract says ten per cent, its words say five. Which is the rate?",
        {"figures": "the figure", "words": "the words"},
    ),
    "unit": OpenQuestion(
        "P1",
        "What is a case?",
        {"incident": "a request, late where either clock is", "clock": "each clock of a request"},
    ),
    "population": OpenQuestion(
        "P1",
        "Which requests are counted?",
        {"guaranteed": "those with guaranteed times", "handled": "best effort too, where it was handled"},
    ),
    "window": OpenQuestion(
        "P1",
        "Over which time is the share of late cases taken?",
        {
            "contract_year": "each year of the contract",
            "calendar_year": "each calendar year",
            "quarter": "each quarter",
            "whole_contract": "the whole contract",
        },
    ),
    "base": OpenQuestion(
        "P2",
        "Of the value of which hours is the penalty a share?",
        {
            "purchased_to_date": "all that were bought by then",
            "purchased_in_window": "those bought in the window that passed the tolerance",
        },
    ),
    "one_off": OpenQuestion(
        "P2",
        "The penalty is due once. Once in what?",
        {"contract": "in the life of the contract", "term": "in each term: the one signed, and each renewal"},
    ),
    "reassessment": OpenQuestion(
        "A2",
        "Which impact and urgency make the priority?",
        {"declared": "those that the request declared", "latest": "the last reassessment"},
    ),
    "suspensions": OpenQuestion(
        "A4",
        "Does time count during which the supplier waits for others?",
        {"excluded": "no", "counted": "yes"},
    ),
    "one_sided": OpenQuestion(
        "A4",
        "Does a fact count that one party recorded alone, in its own interest?",
        {"recorded": "yes, as recorded", "agreed": "only where both parties agree"},
    ),
    "undisclosed": OpenQuestion(
        "S1",
        "Is a request a case if the system that it affects had not been disclosed?",
        {"counted": "yes", "excluded": "no"},
    ),
}
"""The questions that a reading answers, by the name of its field."""


def _answers(field: str) -> str:
    return "|".join(get_args(Reading.model_fields[field].annotation))


def _choices() -> str:
    return ", ".join(f"{field}={_answers(field)}" for field in Reading.model_fields)


LITERAL = Reading()
