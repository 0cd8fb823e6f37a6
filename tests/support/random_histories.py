"""Random histories for the oracle: contracts, credits, requests and every correction of them, late and in disorder.

`random_history(seed, ...)` gives the same history for the same seed, on every machine. Instants are whole minutes, so
that a count of minutes is exact. A message that concerns another fact names the message that told it
(`random_facts.ABOUT`); `telling.Told` puts the version in its place once that is recorded.
"""

from collections.abc import Callable, Sequence
from datetime import date
from random import Random

from support.random_facts import DAY, History
from support.random_requests import HistoryTeller

CHANGES_OF_THE_HOUR = {
    "Europe/Rome": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "Africa/Cairo": ("2026-04-24", "2026-10-30"),
    "America/Havana": ("2026-03-08", "2026-11-01"),
    "America/St_Johns": ("2026-03-08", "2026-11-01"),
    "Asia/Kolkata": ("2026-01-01", "2026-06-30"),
}
ZONES = ("Europe/Rome", "Europe/Rome", *CHANGES_OF_THE_HOUR)
READINGS: dict[str, tuple[str, ...]] = {
    "rate": ("figures", "words"),
    "unit": ("incident", "clock"),
    "population": ("guaranteed", "handled"),
    "window": ("contract_year", "calendar_year", "quarter", "whole_contract"),
    "base": ("purchased_to_date", "purchased_in_window"),
    "one_off": ("contract", "term"),
    "reassessment": ("declared", "latest"),
    "suspensions": ("excluded", "counted"),
    "one_sided": ("recorded", "agreed"),
    "undisclosed": ("counted", "excluded"),
}


def random_reading(rng: Random, fields: Sequence[str] = tuple(READINGS)) -> dict[str, str]:
    """A reading that departs from the literal one in some fields."""
    bold = rng.choice([0, 0.2, 0.5])
    return {name: rng.choice(READINGS[name]) for name in READINGS if name in fields and rng.random() < bold}


def random_history(seed: int, types: Callable[[str], bool]) -> History:
    """A history; `types` says which of the newer types of message there are."""
    rng = Random(seed)
    zone = rng.choice(ZONES)
    first = date.fromisoformat(rng.choice([*CHANGES_OF_THE_HOUR[zone], "2026-12-28", "2026-05-11"]))
    start = (first - date(1970, 1, 1)).days * DAY - rng.randrange(8 * DAY)
    history = History(seed, start, rng.choice([10, 20, 60, 400]) * DAY)
    teller = HistoryTeller(rng, history, zone, types("record.annul"))
    for name in ("a", "b", "c")[: rng.choice([1, 1, 2, 2, 3])]:
        teller.contract(name)
    for number in range(rng.randint(1, 8)):
        teller.request(f"I{number}")
    teller.corrections()
    history.arrivals.sort(key=lambda arrival: arrival[0])
    return history
