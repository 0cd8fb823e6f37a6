"""What was due under Conduzione (O1) and Manutenzione (M1), period by period, and what was done of it."""

import calendar as months
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from support.oracle.calendars import local_day, midnight
from support.oracle.contracts import Contract, takes_effect
from support.oracle.credits import FOR_EVER
from support.oracle.record import Fact, instant

MONTHS = {"month": 1, "quarter": 3, "year": 12}
DEEDS = {"hours": "record_operation_hours", "reviews": "hold_review", "visits": "record_visit"}


@dataclass
class Period:
    """A period of one commitment: what is due in it, and what counts for it; `whole` is due where nothing is cut."""

    commitment: str
    activity: str | None
    start: int
    end: int
    due: int
    whole: int
    cut_short: bool
    activities: Sequence[str] = ()
    done: int = 0
    outside: int = 0
    late: int = 0


@dataclass
class Kept:
    """All the periods of a contract, and what was done outside of them, by commitment."""

    periods: list[Period] = field(default_factory=list)
    outside: dict[str, int] = field(default_factory=dict)


def commitments(contract: Contract, as_of: int) -> Kept:
    """Section 7: hours and reviews against Conduzione's option, visits against Manutenzione's."""
    kept = Kept([one for option in terms_of_options(contract, as_of) for one in periods(contract, *option, as_of)])
    for commitment, kind in DEEDS.items():
        for deed in contract.told(kind, as_of):
            do(deed, commitment, kept)
    return kept


def terms_of_options(contract: Contract, as_of: int) -> list[tuple[dict[str, Any], int, int]]:
    """G1: each option with the time for which it lasts: until another replaces it, it ends, or the contract does."""
    found = []
    for service in ("operation", "maintenance"):
        changes: list[tuple[int, tuple[int, int, int], dict[str, Any] | None]] = [
            (instant(one.data["effective"]), one.order, one.data["option"])
            for one in contract.told("activate_option", as_of)
            if one.data["option"].get("service") == service
        ]
        changes += [
            (takes_effect(one), one.order, None)
            for one in contract.told("end_option", as_of)
            if one.data["service"] == service
        ]
        changes.sort(key=lambda change: change[:2])
        ends = [*[change[0] for change in changes], FOR_EVER][1:]
        for (start, _, option), end in zip(changes, ends, strict=True):
            for spell in contract.spells(as_of):
                first, last = max(start, spell.start), min(end, spell.end)
                if option is not None and first < last:
                    found.append((option, first, last))
    return found


def periods(contract: Contract, option: dict[str, Any], start: int, end: int, as_of: int) -> Iterable[Period]:
    """O1, M1: the periods of what an option commits to that have begun by as_of."""
    if option["service"] == "maintenance":
        for one in option["activities"]:
            yield from of(contract, "visits", one["name"], one["per"], one.get("visits", 1), start, end, as_of, ())
        return
    minutes, per, listed = option["committed_minutes"], option["per"], option["activities"]
    yield from of(contract, "hours", None, per, minutes, start, end, as_of, listed)
    if option.get("review_every"):
        yield from of(contract, "reviews", None, option["review_every"], 1, start, end, as_of, ())


def of(
    contract: Contract,
    commitment: str,
    activity: str | None,
    per: str,
    whole: int,
    start: int,
    end: int,
    as_of: int,
    activities: Sequence[str],
) -> Iterable[Period]:
    """Periods run from the day the option begins, at local midnights. One that is cut short owes its hours by days."""
    zone, first, number, begins = contract.zone, local_day(contract.zone, start), 0, start
    while begins < end and begins <= as_of:
        number += 1
        next_day = months_later(first, number * MONTHS[per])
        ends = midnight(zone, next_day)
        cut_short = end < ends
        due = whole
        if cut_short:
            from_day, until_day = local_day(zone, begins), local_day(zone, end - 1) + timedelta(days=1)
            part = Fraction((until_day - from_day).days, (next_day - from_day).days)
            due = int(whole * part + Fraction(1, 2)) if commitment == "hours" else 0
        yield Period(commitment, activity, begins, min(ends, end), due, whole, cut_short, activities)
        begins = ends


def months_later(day: date, number: int) -> date:
    """The same day some months later, or the last of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + number, 12)
    return date(year, month + 1, min(day.day, months.monthrange(year, month + 1)[1]))


def do(deed: Fact, commitment: str, kept: Kept) -> None:
    """O1, M1: a deed counts for the period of its date; one more than was due makes good the oldest missed."""
    amount = deed.data["minutes"] if commitment == "hours" else 1
    activity = deed.data["activity"] if commitment == "visits" else None
    mine = [one for one in kept.periods if (one.commitment, one.activity) == (commitment, activity)]
    now = next((one for one in mine if one.start <= deed.at < one.end), None)
    if now is not None and commitment == "hours":
        if deed.data["activity"] in now.activities:
            now.done += amount
        else:
            now.outside += amount
        return
    missed = [one for one in mine if one.end <= deed.at and one.done < one.due and commitment != "hours"]
    if now is not None and (now.done < now.due or not missed):
        now.done += amount
    elif missed:
        oldest = min(missed, key=lambda one: one.start)
        oldest.done += amount
        oldest.late += amount
    else:
        kept.outside[commitment] = kept.outside.get(commitment, 0) + amount


def row(period: Period, as_of: int) -> dict[str, Any]:
    """A period as a report has it."""
    lacking, ended = max(0, period.due - period.done), as_of >= period.end
    return {
        "due": period.due,
        "whole": period.whole,
        "done": period.done,
        "open": 0 if ended else lacking,
        "missed": lacking if ended else 0,
        "exceeded": max(0, period.done - period.due),
        "outside": period.outside,
        "late": period.late,
        "cut_short": period.cut_short,
        "period_to": period.end,
    }
