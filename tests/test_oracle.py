"""The program against the oracle: random histories, and every figure of both.

The oracle counts minutes, knows nothing of `domain` and `projections`, and is the contract read once more
(`support/oracle`). `VERBALE_WORLDS` raises how many histories are tried; a difference names its seed, and
`history_of(seed)` tells it again.
"""

import os
import sys
from random import Random
from typing import Any

import pytest

from adapters.inbox.handler import CommandHandler
from domain.catalogue import COMMANDS
from projections.readings import Reading
from support.comparing import differences, oracle_figures, program_figures
from support.messages import Clock, memory
from support.oracle import Fact, judge
from support.oracle.calendars import Calendar, first_shown, last_before, number
from support.oracle.record import MINUTE, instant
from support.random_histories import DAY, READINGS, History, random_history, random_reading, text
from support.telling import Told

HISTORIES = 3 * int(os.environ.get("VERBALE_WORLDS", "40"))
"""How many histories are told; a hundred worlds are some thousand histories' worth of questions."""
QUESTIONS = 3
"""How many questions are asked of each: under a reading, as of an instant, as known on a date."""
PARTS = 4
"""The histories are told in parts, that those who test in parallel share them."""


def history_of(seed: int) -> History:
    """The history of a seed."""
    return random_history(seed, lambda kind: f"verbale.{kind}.v1" in COMMANDS)


def question(rng: Random, history: History, facts: list[Fact]) -> tuple[dict[str, str], int, int]:
    """A reading, an as_of and a known_on; often an instant at which something happened."""
    reading = random_reading(rng, tuple(Reading.model_fields))
    first, last = facts[0].recorded_at // MINUTE + 1, facts[-1].recorded_at // MINUTE + 1
    known_on = rng.choice([last, last, rng.randint(first, last), last + rng.randint(0, 30 * DAY)])
    within = history.start + rng.randrange(history.span)
    as_of = rng.choice([known_on, min(known_on, within), min(known_on, rng.choice(facts).at // MINUTE)])
    return reading, as_of * MINUTE, known_on * MINUTE


def differences_of(seed: int) -> list[str]:
    """Where program and oracle differ on the history of a seed: each names seed, reading, as_of and known_on."""
    history, clock, rng, found = history_of(seed), Clock("2020-01-01T00:00:00Z"), Random(seed), []
    with memory(clock) as ledger:
        told = Told(CommandHandler(ledger, clock), clock).tell(history)
        for _ in range(QUESTIONS if told.facts else 0):
            reading, as_of, known_on = question(rng, history, told.facts)
            program = program_figures(ledger, reading, as_of, known_on)
            oracle = oracle_figures(told.facts, reading, as_of, known_on)
            asked = f"seed {seed}, {reading or 'literal'}, as of {text(as_of // MINUTE)}, known on {text(known_on // MINUTE)}"
            found += [f"{asked}: {difference}" for difference in differences(program, oracle)]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_figure_is_that_of_a_count_of_minutes(part: int) -> None:
    found = [one for seed in range(part, HISTORIES, PARTS) for one in differences_of(seed)]
    assert not found, "\n".join(found[:20])
