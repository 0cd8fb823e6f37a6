"""What cannot be agreed for a time past, and renewals that extend nothing (A6, G1, G2, H4)."""

from datetime import tzinfo

from domain.contract_facts import (
    ContractRenewed,
    ContractSigned,
    ContractTerminated,
    CoverageExtended,
    OptionEnded,
    ServiceLevelRevised,
)
from domain.derogation import first_day_after
from domain.facts import Fact, Rejected
from domain.values import moment


def refuse_out_of_time(contract_id: str, signed: ContractSigned, zone: tzinfo, fact: Fact) -> None:
    """Raise Rejected where a fact of the contract that was so signed comes too late for what it says.

    Neither a revision of the levels (A6), nor the end of an option (G1) or of the contract (G2), takes effect before it
    is made. A renewal ends after its own instant and after the end that was signed (G2). An agreement on hours reaches
    some day that has not begun (H4).
    """
    match fact:
        case ServiceLevelRevised():
            _refuse_backdated("A6", fact)
        case OptionEnded():
            _refuse_backdated("G1", fact)
        case ContractTerminated():
            _refuse_backdated("G2", fact)
        case ContractRenewed():
            _refuse_no_later_end(contract_id, signed, fact)
        case CoverageExtended():
            _refuse_days_begun(zone, fact)


def _refuse_backdated(clause: str, fact: ServiceLevelRevised | OptionEnded | ContractTerminated) -> None:
    if fact.effective < fact.at:
        raise Rejected(
            clause, "effective", f"it cannot take effect before it is made: effective "
            f"{moment(fact.effective).isoformat()} is before {moment(fact.at).isoformat()}"
        )  # fmt: skip


def _refuse_no_later_end(contract_id: str, signed: ContractSigned, fact: ContractRenewed) -> None:
    if signed.in_force_until is None:
        raise Rejected("G2", "until", f"contract {contract_id} was signed without an end: there is none to renew")
    if fact.until <= (than := max(signed.in_force_until, fact.at)):
        raise Rejected(
            "G2", "until", f"a renewal ends later than the contract did, and than its own instant: "
            f"{moment(fact.until).isoformat()} is not after {moment(than).isoformat()}"
        )  # fmt: skip


def _refuse_days_begun(zone: tzinfo, fact: CoverageExtended) -> None:
    if not fact.reaches_any_from(first_day_after(zone, fact.at)):
        field = "dates" if fact.last_day is None else "last_day"
        raise Rejected("H4", field, "an extension is agreed before the day: every day that this one reaches had "
                       f"begun on {moment(fact.at).astimezone(zone).isoformat()}")  # fmt: skip
