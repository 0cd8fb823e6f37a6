"""What is worth printing under a maximum penalty (P2): short notes, no advice."""

from collections.abc import Sequence

from adapters.reports.columns import JsonRow
from adapters.reports.wording import Writing

OF_ANY_PENALTY = (
    "A ceiling: a judge may reduce it (art. 1384 c.c.).",
    "Outside VAT (art. 15 c. 1 n. 1 DPR 633/1972).",
    "Interest runs from the claim.",
)
OF_A_CONFLICT = "Words and figures: each has authorities."


def penalty_notes(rows: Sequence[JsonRow], writing: Writing) -> list[str]:
    """The notes under the rows of a penalty report; none where no tolerance was passed."""
    passed, say = [row for row in rows if row["passed_at"]], writing.say
    conflict = next((row["conflict"] for row in passed if row["conflict"]), None)
    if not passed:
        return []
    return [
        "",
        *([_conflict(conflict, writing), say(OF_A_CONFLICT)] if conflict else []),
        *map(say, OF_ANY_PENALTY),
    ]


def _conflict(conflict: JsonRow, writing: Writing) -> str:
    say = writing.say
    differ = say("Conflict (P2): the figure of the contract says {figures}, its words say {words}.")
    rates = {name: writing.percent(conflict[name]["rate"]) for name in ("figures", "words")}
    return f"{differ.format(**rates)} {say('The reading chooses: --reading rate=figures or rate=words.')}"
