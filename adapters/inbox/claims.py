"""A claim, waiver or payment says which computation it rests on: one that anybody can make again (P2)."""

from domain.facts import FUTURE_TOLERANCE, Command, Rejected
from domain.penalty_facts import PenaltyStep
from domain.values import instant_text
from projections.readings import Reading, UnknownReading


def refuse_what_cannot_be_computed(command: Command, now: int) -> None:
    """Raise Rejected where a step about a penalty names no reading, or an instant later than `now` (microseconds UTC).

    Nobody knows yet what will be recorded by then; nor can more be counted than is known.
    """
    if not isinstance(command, PenaltyStep):
        return
    try:
        Reading.parse(command.reading)
    except UnknownReading as error:
        raise Rejected("P2", "reading", f"{error}: the figure could not be computed again") from None
    for name, instant in (("as_of", command.as_of), ("known_on", command.known_on)):
        if instant > now + FUTURE_TOLERANCE:
            raise Rejected("P2", name, f"{instant_text(instant)} is in the future: a figure rests on what is on record")
    if command.as_of > command.known_on:
        raise Rejected("P2", "as_of", f"{instant_text(command.as_of)} is later than known_on, "
                       f"{instant_text(command.known_on)}: what was not known then cannot be counted")  # fmt: skip
