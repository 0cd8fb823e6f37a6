"""The maximum penalty (P2): a ceiling, never the amount owed."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from support.oracle.contracts import Contract
from support.oracle.record import Fact, Reading

CENT = Decimal("0.01")
Window = dict[str, Any]


def share(text: str) -> Fraction:
    """A share as written: "10%" or "1/10"."""
    return Fraction(text.removesuffix("%")) / 100 if text.endswith("%") else Fraction(text)


def half_up(amount: Fraction) -> Decimal:
    """Section 3: euro with two places, half up."""
    return Decimal(int(amount * 100 + Fraction(1, 2))).scaleb(-2).quantize(CENT, ROUND_HALF_UP)


def base(contract: Contract, window: Window, first: Window, reading: Reading, as_of: int) -> Decimal:
    """P2: prices dated before the window's end and by as_of, less refunds; expired and consumed hours included.

    Under `purchased_in_window`, of what was bought in the window; what was bought before the first belongs to it.
    """
    start, end = window["window"]
    told = [one for one in contract.account if one.at < end and one.at <= as_of]
    bought = [one for one in told if one.kind == "credits.purchase"]
    if reading["base"] == "purchased_in_window" and window is not first:
        bought = [one for one in bought if one.at >= start]
    packages = {one.data["package"] for one in bought}
    refunds = [one for one in told if one.kind == "credits.refund" and one.data["package"] in packages]
    return total(bought, "price") - total(refunds, "price")


def total(facts: Sequence[Fact], field: str) -> Decimal:
    """The sum of an amount over some facts."""
    return sum((Decimal(one.data[field]) for one in facts), Decimal("0.00"))


def penalty(contract: Contract, windows: Sequence[Window], reading: Reading, as_of: int) -> dict[str, Any]:
    """P2: one-off: the first window that passed, in the life of the contract or, under `term`, of each term."""
    rate = share(contract.terms["penalty"][reading["rate"]])
    passed = [window for window in windows if window["passed"]]
    first = passed[:1]
    counting = first if reading["one_off"] == "contract" else first_of_each_term(contract, passed, as_of)
    bases = [base(contract, window, windows[0], reading, as_of) for window in counting]
    maximum = sum((half_up(rate * Fraction(one)) for one in bases), Decimal("0.00")) if counting else None
    deciding = windows if not counting else windows[: windows.index(counting[-1]) + 1]
    statuses = {window["status"] for window in deciding}
    status = next((one for one in ("open", "provisional") if one in statuses), "closed" if windows else "open")
    did = {kind: total(contract.told(f"{kind}_penalty", as_of), "amount") for kind in ("claim", "waive", "settle")}
    left = max(Decimal("0.00"), (maximum or Decimal("0.00")) - did["settle"] - did["waive"])
    would_count = base(contract, windows[-1], windows[0], reading, as_of) if windows else Decimal("0.00")
    return {
        "passed_at": first[0]["passing"][0] if first else None,
        "incidents": first[0]["passing"][1] if first else [],
        "base": sum(bases, Decimal("0.00")) if counting else would_count,
        "rate": rate,
        "maximum_penalty": maximum,
        "status": status,
        "claimed": did["claim"],
        "waived": did["waive"],
        "paid": did["settle"],
        "outstanding": None if status == "open" else left,
    }


def first_of_each_term(contract: Contract, passed: Sequence[Window], as_of: int) -> list[Window]:
    """P2, `one_off=term`: once for the signed term and once for each renewal; by the term that a window begins in."""
    begins = [at for spell in contract.spells(as_of) for at in spell.terms]
    found: dict[int, Window] = {}
    for window in passed:
        term = max(at for at in begins if at <= window["window"][0])
        found.setdefault(term, window)
    return list(found.values())
