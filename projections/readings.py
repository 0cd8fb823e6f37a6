"""A reading answers the questions that the contract leaves open (P1, P2, A2, A4, S1). Every report states its own."""

from typing import Literal, Self

from pydantic import ValidationError

from domain.facts import Fact
from domain.incident_facts import ClockSuspended, ResponsibilityAttributed
from domain.rectification import RecordRectified
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
    reassessment: Literal["declared", "latest"] = "declared"
    suspensions: Literal["excluded", "counted"] = "excluded"
    one_sided: Literal["recorded", "agreed"] = "recorded"
    undisclosed: Literal["counted", "excluded"] = "counted"

    @property
    def name(self) -> str:
        """`literal`, or the choices that depart from it."""
        departures = [f"{field}={value}" for field, value in self if value != getattr(LITERAL, field)]
        return ",".join(departures) or "literal"

    def counts(self, fact: Fact) -> bool:
        """Whether a fact that one party recorded alone counts (A4, one-sided records).

        Under `agreed` it does only when both parties agree, or when it goes against the interest of its maker.
        """
        match fact:
            case ClockSuspended(cause=at_fault) | ResponsibilityAttributed(party=at_fault):
                favoured = Party.CUSTOMER if at_fault is Responsibility.SUPPLIER else Party.SUPPLIER
                return self.one_sided == "recorded" or fact.agreed or fact.by is not favoured
            case RecordRectified():
                return self.one_sided == "recorded" or fact.agreed
            case _:
                return True

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


def _answers(field: str) -> str:
    annotation = Reading.model_fields[field].annotation
    return "|".join(getattr(annotation, "__args__", ()))


def _choices() -> str:
    return ", ".join(f"{field}={_answers(field)}" for field in Reading.model_fields)


LITERAL = Reading()
