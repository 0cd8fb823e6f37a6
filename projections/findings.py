"""What a reader of a figure has to know beside it: each finding with its clause and the versions that show it."""

from collections.abc import Mapping
from typing import NamedTuple, assert_never

from domain.contract_facts import ContractSigned
from domain.coverage import CoverageDecision
from domain.incident_facts import IncidentOpened
from domain.routing import Route, Unrouted
from domain.values import instant_text
from projections.changes import Change


class Finding(NamedTuple):
    """Something a reader of a figure has to know, with the clause and the versions of the stream that show it.

    `lateness_us`: how long after it occurred the latest of them was told, where that is what it says (microseconds).
    """

    code: str
    clause: str
    text: str
    versions: tuple[int, ...] = ()
    lateness_us: int | None = None


def dated_before_opening(versions: tuple[int, ...]) -> Finding:
    """Facts lie before a rectified opening (R3)."""
    return Finding("dated_before_opening", "R3", "dated before the opening: counted at the opening", versions)


def coverage_differs(given: CoverageDecision, now: CoverageDecision, version: int) -> Finding:
    """The coverage recorded at the opening is not what the facts known now give (G2)."""
    was, is_now = (str(decision.reason or decision.coverage) for decision in (given, now))
    return Finding("coverage_differs", "G2", f"recorded as {was}; by the facts now known it was {is_now}", (version,))


def signed_later(signed: ContractSigned, version: int) -> Finding:
    """A request came in while its contract was to be in force, but before anybody had signed it (G1, G2)."""
    text = f"came in before the contract was signed, on {instant_text(signed.at)}: nobody is guaranteed before that"
    return Finding("signed_later", "G2", text, (version,))


def changed_afterwards(change: Change, contract: str) -> Finding:
    """What the contract guarantees was changed after the request had come in, with effect from before it (A6)."""
    told = f"told on {instant_text(change.recorded_at)} by the {change.by}, {_agreed(change.agreed)}"
    text = f"contract {contract} was changed afterwards: {change.stored_type}, version {change.version}, effective "
    text += f"{instant_text(change.effective)}, {told}"
    return Finding("changed_afterwards", "A6", text, (change.version,))


def _agreed(agreed: bool) -> str:
    return "agreed by both" if agreed else "not agreed by the other party"


def renewed_after_termination(versions: tuple[int, ...]) -> Finding:
    """The contract was renewed after it had been terminated, which revives nothing (G2)."""
    text = "renewed after it had been terminated: the renewal revives nothing, unless it says that it revokes the "
    text += "termination, before that takes effect"
    return Finding("renewed_after_termination", "G2", text, versions)


def agreement_claimed(versions: tuple[int, ...]) -> Finding:
    """A party's word is told by a source that is not appointed to it, for it has none (R7)."""
    text = "the word of a party is told by a source that is not appointed to it, for the contract has appointed none"
    return Finding("agreement_claimed", "R7", text, versions)


def other_source(versions: tuple[int, ...]) -> Finding:
    """Another source than the one that opened the request speaks of it, and the contract appoints none (R7)."""
    text = "told by another source than the one that opened the request; the contract appoints no sources"
    return Finding("other_source", "R7", text, versions)


def recorded_late(lateness: Mapping[int, int]) -> Finding:
    """Facts that may move a verdict were told a day or more after they occurred (A4); by version, in microseconds."""
    text = "facts that stop, suspend, excuse or correct were told a day or more after they occurred"
    return Finding("recorded_late", "A4", text, tuple(sorted(lateness)), max(lateness.values()))


def charged_at_opening(versions: tuple[int, ...]) -> Finding:
    """It was taken in charge at the very instant of its opening: a rule may have done so, and nobody (A5)."""
    text = (
        "taken in charge at the very instant of its opening, as a rule of a help desk would: has anybody taken charge?"
    )
    return Finding("charged_at_opening", "A5", text, versions)


def undisclosed(system: str | None, contract: str | None, versions: tuple[int, ...]) -> Finding:
    """The reading makes an incident no case, because of the system that it affects (S1)."""
    text = f"affects system {system}, which was not declared under {contract} when it was opened: it is no case"
    return Finding("undisclosed_system", "S1", text, versions)


def calendar_does_not_cover(years: str) -> Finding:
    """A clock cannot be measured (H1)."""
    text = f"a clock runs outside the years that the adopted calendars cover ({years}): adopt one that covers them"
    return Finding("calendar_does_not_cover", "H1", text)


def calendar_adopted_later() -> Finding:
    """A clock is measured by a calendar that was not there when its days began (H1)."""
    text = "some of its days are judged by a calendar adopted only after they had begun"
    return Finding("calendar_adopted_later", "H1", text)


def zone_rules_not_recorded() -> Finding:
    """A clock goes by rules of a time zone that no adopted calendar records (H1)."""
    text = "some of its days go by the time-zone rules of this program: no calendar that was adopted records them"
    return Finding("zone_rules_not_recorded", "H1", text)


def extension_agreed_later() -> Finding:
    """An agreement came too late for days that a clock runs through (H4)."""
    text = "an extension was agreed after some of its days had begun: it does not count for those days"
    return Finding("extension_agreed_later", "H4", text)


def unrouted(opened: IncidentOpened, route: Route, version: int) -> Finding:
    """Names that the request gives lead to no contract (G1, G2, S1)."""
    code = "contract_unsigned" if Unrouted.CONTRACT_UNSIGNED in route.why else "unrouted"
    return Finding(code, "G2", "; ".join(_why(why, opened, route) for why in route.why), (version,))


def _why(why: Unrouted, opened: IncidentOpened, route: Route) -> str:
    match why:
        case Unrouted.CONTRACT_UNSIGNED:
            return f"names contract {opened.contract}, which nobody has signed"
        case Unrouted.NOTHING_NAMED:
            return "names no contract, no customer and no system"
        case Unrouted.NO_SUCH_CUSTOMER:
            return f"names customer {opened.customer}, whom no contract lists"
        case Unrouted.CUSTOMER_NOT_IN_FORCE:
            return f"names customer {opened.customer}, whom no contract in force then lists"
        case Unrouted.CUSTOMER_OF_SEVERAL:
            rivals = ", ".join(route.rivals)
            return f"names customer {opened.customer}, whom several contracts in force then list: {rivals}"
        case Unrouted.NO_SUCH_SYSTEM:
            return f"names system {opened.system}, of which no contract was ever told"
        case Unrouted.SYSTEM_NOT_DECLARED:
            return f"names system {opened.system}, which no contract in force then had declared"
        case Unrouted.SEVERAL_CONTRACTS:
            rivals = ", ".join(route.rivals)
            return f"names system {opened.system}, which several contracts in force then had declared: {rivals}"
        case _:
            assert_never(why)
