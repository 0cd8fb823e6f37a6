"""What the rows of several reports have in common: coverage, priority, findings."""

from adapters.reports.columns import JsonRow
from adapters.reports.live_table import Stored
from domain.coverage import BestEffortReason, Coverage, CoverageDecision
from domain.terms import Priority
from projections.findings import Finding


def coverage_of(stored: Stored) -> CoverageDecision:
    """The coverage that a row read back holds."""
    reason = stored["coverage_reason"]
    return CoverageDecision.model_construct(
        coverage=Coverage(stored["coverage"]),
        reason=BestEffortReason(reason) if reason else None,
        contract=stored["coverage_contract"],
    )


def priority_of(stored: Stored) -> Priority | None:
    """The priority that a row read back holds."""
    return None if stored["priority"] is None else Priority(stored["priority"])


def finding_json(finding: Finding) -> JsonRow:
    """A finding as JSON."""
    return {**finding._asdict(), "versions": list(finding.versions)}


def finding_of(kept: JsonRow) -> Finding:
    """A finding read back from JSON."""
    return Finding(kept["code"], kept["clause"], kept["text"], tuple(kept["versions"]))
