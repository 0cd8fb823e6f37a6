"""Whether the times of a request are guaranteed, or it is best effort and why (clauses G2, G3, A1)."""

from enum import StrEnum

from domain.contract import Contract
from domain.credits import CreditAccount
from domain.terms import Service
from domain.values import Identifier, Party, Value


class Coverage(StrEnum):
    """Guaranteed times, or best effort."""

    GUARANTEED = "guaranteed"
    BEST_EFFORT = "best_effort"


class BestEffortReason(StrEnum):
    """Why a request is best effort; the first that applies, in this order."""

    NO_CONTRACT = "no_contract"
    CONTRACT_NOT_IN_FORCE = "contract_not_in_force"
    ASSISTANCE_NOT_ACTIVATED = "assistance_not_activated"
    NOT_REQUESTED = "not_requested"
    NO_CREDITS = "no_credits"


class Requester(StrEnum):
    """Who asked for the assistance; only the customer's own request is guaranteed (A1)."""

    CUSTOMER = "customer"
    SUPPLIER = Party.SUPPLIER.value
    MONITORING = "monitoring"


class CoverageDecision(Value):
    """The coverage of a request, why it is not guaranteed (if so), and the contract it came under (if any)."""

    coverage: Coverage
    reason: BestEffortReason | None = None
    contract: Identifier | None = None

    @property
    def guaranteed(self) -> bool:
        """Whether times are guaranteed."""
        return self.coverage is Coverage.GUARANTEED


def cover(contract: Contract | None, account: CreditAccount | None, requester: Requester, at: int) -> CoverageDecision:
    """The coverage of a request opened at `at`, from the facts dated at or before it.

    At least one minute of credit has to be available; nothing is reserved, and later exhaustion changes nothing.
    """
    reason = _reason(contract, account, requester, at)
    return CoverageDecision(
        coverage=Coverage.GUARANTEED if reason is None else Coverage.BEST_EFFORT,
        reason=reason,
        contract=contract.id if contract else None,
    )


def _reason(
    contract: Contract | None, account: CreditAccount | None, requester: Requester, at: int
) -> BestEffortReason | None:
    if contract is None or not contract.signed_by(at):
        return BestEffortReason.NO_CONTRACT
    if not contract.in_force(at):
        return BestEffortReason.CONTRACT_NOT_IN_FORCE
    if not contract.active(Service.ASSISTANCE, at):
        return BestEffortReason.ASSISTANCE_NOT_ACTIVATED
    if requester is not Requester.CUSTOMER:
        return BestEffortReason.NOT_REQUESTED
    if account is None or account.available(at) < 1:
        return BestEffortReason.NO_CREDITS
    return None
