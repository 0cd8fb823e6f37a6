"""What the rows of several reports have in common: coverage, priority, findings, counts."""

from operator import attrgetter

from adapters.reports.columns import Column, JsonRow, integer
from adapters.reports.live_table import Stored
from domain.coverage import BestEffortReason, Coverage, CoverageDecision
from domain.terms import Priority
from projections.findings import Finding
from projections.tally import WindowTally


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
    return Finding(kept["code"], kept["clause"], kept["text"], tuple(kept["versions"]), kept["lateness_us"])


_COUNTED = {
    "cases": "cases decided",
    "breaches": "those late for reasons of the supplier",
    "late": "cases late for whatever reason",
    "running": "units undecided because a clock runs",
    "uncovered": "units undecided because no calendar covers them",
    "best_effort": "units not counted: best effort",
    "contract_ended": "units not counted: their contract ended",
    "duplicate": "units not counted: void as duplicates",
    "withdrawn": "units not counted: void as withdrawn",
    "undisclosed": "units not counted: the reading leaves out those that affect an undisclosed system (S1)",
    "one_sided": "facts told by one party alone",
    "recorded_after": "facts recorded after the window had ended",
}


def tally_columns(prefix: str = "") -> tuple[Column[WindowTally], ...]:
    """The counts of a window, or what one request adds to them; a unit is a request, or one clock of it."""
    return tuple(integer(f"{prefix}{name}", meaning, attrgetter(name)) for name, meaning in _COUNTED.items())
