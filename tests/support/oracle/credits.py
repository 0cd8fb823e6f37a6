"""Prepaid minutes (G2): bought, taken from packages, expired, refunded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from support.oracle.record import Fact, instant, what_counts

FOR_EVER = 1 << 62


@dataclass
class Taken:
    """What was decided when work was recorded: from which packages its minutes come, and what none could cover."""

    packages: list[tuple[str, int]] = field(default_factory=list)
    shortfall: int = 0


def takings(facts: Sequence[Fact]) -> dict[tuple[str, int], Taken]:
    """Section 3: the packages that each consumption comes from are decided as it is recorded, and stay."""
    taken: dict[tuple[str, int], Taken] = {}
    for number, one in enumerate(facts):
        if one.kind == "credits.consume":
            before = what_counts([earlier for earlier in facts[:number] if earlier.stream == one.stream])
            taken[one.stream, one.version] = take(one, before, taken)
    return taken


def take(work: Fact, before: Sequence[Fact], taken: dict[tuple[str, int], Taken]) -> Taken:
    """Section 3: earliest expiry first, only packages available at that instant, never what later work has taken."""
    found, wanted = Taken(), work.data["minutes"]
    packages = [one for one in before if one.kind == "credits.purchase" and one.at <= work.at < expiry(one)]
    for package in sorted(packages, key=lambda one: (expiry(one), one.order)):
        later = {one.at for one in before if one.at > work.at} | {work.at}
        spare = min(left_in(package, before, taken, at) for at in later)
        minutes = min(max(spare, 0), wanted)
        if minutes:
            found.packages.append((package.data["package"], minutes))
            wanted -= minutes
    found.shortfall = wanted
    return found


def expiry(purchase: Fact) -> int:
    """G2: the instant from which a package is available no more."""
    text = purchase.data.get("expires_at")
    return FOR_EVER if text is None else instant(text)


def left_in(package: Fact, facts: Iterable[Fact], taken: dict[tuple[str, int], Taken], at: int) -> int:
    """What a package has left by an instant, expired or not: bought, less consumed and not reversed, less refunded."""
    told = [one for one in facts if one.at <= at]
    left: int = package.data["minutes"]
    for one in told:
        if one.kind == "credits.refund" and one.data["package"] == package.data["package"]:
            left -= one.data["minutes"]
        if one.kind == "credits.consume" and not is_reversed(one, told):
            left -= sum(minutes for name, minutes in taken_by(one, taken).packages if name == package.data["package"])
    return left


def taken_by(work: Fact, taken: dict[tuple[str, int], Taken]) -> Taken:
    """What was decided of a work entry."""
    return taken[work.stream, work.version]


def is_reversed(work: Fact, told: Iterable[Fact]) -> bool:
    """Section 3: a reversal gives the minutes of a work entry back to the packages they came from."""
    return any(one.kind == "credits.reverse" and one.data["work"] == work.data["work"] for one in told)


def available(facts: Sequence[Fact], taken: dict[tuple[str, int], Taken], at: int) -> int:
    """G2: minutes that packages bought by an instant, and not expired, have left at it."""
    bought = [one for one in facts if one.kind == "credits.purchase" and one.at <= at < expiry(one)]
    return sum(max(left_in(package, facts, taken, at), 0) for package in bought)


def balance(facts: Sequence[Fact], taken: dict[tuple[str, int], Taken], as_of: int) -> dict[str, Any]:
    """Section 7, credits: what was bought is consumed, expired, refunded or left."""
    told = [one for one in facts if one.at <= as_of]
    bought = [one for one in told if one.kind == "credits.purchase"]
    refunds = [one for one in told if one.kind == "credits.refund"]
    works = [one for one in told if one.kind == "credits.consume" and not is_reversed(one, told)]
    left = {one.version: max(left_in(one, told, taken, as_of), 0) for one in bought}
    return {
        "bought": sum(one.data["minutes"] for one in bought),
        "consumed": sum(minutes for one in works for _, minutes in taken_by(one, taken).packages),
        "expired": sum(left[one.version] for one in bought if expiry(one) <= as_of),
        "refunded": sum(one.data["minutes"] for one in refunds),
        "remaining": sum(left[one.version] for one in bought if expiry(one) > as_of),
        "shortfall": sum(taken_by(one, taken).shortfall for one in works),
        "value": str(sum((Decimal(one.data["price"]) for one in bought), Decimal("0.00"))),
    }
