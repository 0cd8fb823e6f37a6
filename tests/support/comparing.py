"""The figures of the program beside those of the oracle, in the same words, and where they differ."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from adapters.reports.columns import json_row
from adapters.reports.question import Question
from adapters.reports.replay import replayed
from adapters.reports.report import ReportName, definition
from adapters.store.ledger import Ledger
from domain.values import read_instant
from projections.readings import Reading
from support.oracle import Fact, commitments, judge
from support.oracle.credits import FOR_EVER

Figures = dict[tuple[str, ...], Any]
"""A figure by its report, the contract or incident it is of, and its name."""


def program_figures(ledger: Ledger, reading: dict[str, str], as_of: int, known_on: int) -> Figures:
    """What the reports say, as JSON has it."""
    known = {name: value for name, value in reading.items() if name in Reading.model_fields}
    asked = Question(Reading.model_validate(known), as_of, known_on)
    found: Figures = {}
    replay = replayed(ledger, asked)
    for name in ("compliance", "breach", "penalty", "credits", "commitments", "queue"):
        assert name in get_args(ReportName)
        declared = definition(name)
        assert declared.from_replay is not None
        for row in declared.from_replay(replay):
            for figure, value in _NAMED[name](json_row(declared.columns, row)):
                found[figure] = found.get(figure, 0) + value if figure[-1] == "beside" else value
    return found


def at(text: str | None) -> int | None:
    """An instant of a report."""
    return None if text is None else read_instant(text)


def _compliance(row: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    name = ("compliance", row["incident"])
    for field in ("contract", "coverage", "coverage_reason", "priority", "responsible", "breach"):
        yield (*name, field), row[field]
    yield (*name, "opened_at"), at(row["opened_at"])
    yield (*name, "findings"), {finding["code"] for finding in row["findings"]} & FINDINGS
    for said in row["statements"]:
        yield (*name, f"{said['version']} agreed"), said["agreed"]
    for clock in ("charge", "intervention"):
        said = row[clock]
        yield (*name, clock, "verdict"), said["verdict"]
        for field in ("target_us", "net_us", "suspended_us", "void_cause"):
            yield (*name, clock, field), said[field]
        yield (*name, clock, "due"), at(said["due"])


WINDOW_FIGURES = ("cases", "breaches", "late", "undecided", "passed", "headroom", "status")
FINDINGS = {"signed_later", "changed_afterwards"}


def _breach(row: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    name = ("breach", row["contract"], str(at(row["window_from"])))
    for field in WINDOW_FIGURES:
        if field in row:
            yield (*name, field), row[field]
    yield (*name, "window_to"), at(row["window_to"])


def _penalty(row: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    name = ("penalty", row["contract"])
    for field in ("incident", "base", "maximum_penalty", "claimed", "waived", "outstanding", "status"):
        if field in row:
            yield (*name, field), row[field]
    yield (*name, "passed_at"), at(row["passed_at"])


def _credits(row: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for field in ("bought", "consumed", "expired", "refunded", "remaining", "shortfall", "value"):
        if field in row:
            yield ("credits", row["contract"], field), row[field]


def _commitments(row: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    name = ("commitments", row["contract"], row["commitment"])
    if row["period_from"] is None:
        yield (*name, "beside"), row["outside"]
        return
    for field in ("due", "whole", "done", "open", "missed", "exceeded", "outside", "late", "cut_short"):
        if field in row:
            yield (*name, row["activity"] or "", str(at(row["period_from"])), field), row[field]
    yield (*name, row["activity"] or "", str(at(row["period_from"])), "period_to"), at(row["period_to"])


def _queue(row: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    tiers = {"guaranteed": 1, "under_contract": 2, "rest": 3}
    yield ("queue", str(row["rank"])), (row["incident"], tiers[row["tier"]])


_NAMED = {
    "compliance": _compliance,
    "breach": _breach,
    "penalty": _penalty,
    "credits": _credits,
    "commitments": _commitments,
    "queue": _queue,
}


def oracle_figures(facts: Sequence[Fact], reading: dict[str, str], as_of: int, known_on: int) -> Figures:
    """What the oracle says, under the same names."""
    judged = judge(facts, reading, as_of, known_on)
    found: Figures = {}
    for incident, row in judged["compliance"].items():
        found.update(_judged_request(incident, row))
    for contract, rows in judged["breach"].items():
        for window in rows:
            name = ("breach", contract, str(window["window"][0]))
            for field in WINDOW_FIGURES:
                found[*name, field] = window[field]
            found[*name, "window_to"] = None if window["window"][1] == FOR_EVER else window["window"][1]
    for contract, row in judged["penalty"].items():
        for field in ("base", "maximum_penalty", "claimed", "waived", "outstanding"):
            found["penalty", contract, field] = None if row[field] is None else str(row[field])
        found["penalty", contract, "incident"] = row["incidents"]
        for field in ("status", "passed_at"):
            found["penalty", contract, field] = row[field]
    for contract, row in judged["credits"].items():
        for field, value in row.items():
            found["credits", contract, field] = value
    for contract, kept in judged["commitments"].items():
        for commitment, amount in kept.outside.items():
            found["commitments", contract, commitment, "beside"] = amount
        for period in kept.periods:
            for field, value in commitments.row(period, as_of).items():
                found["commitments", contract, period.commitment, period.activity or "", str(period.start), field] = (
                    value
                )
    for number, entry in enumerate(judged["queue"], 1):
        found["queue", str(number)] = entry
    return found


def _judged_request(incident: str, row: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    name = ("compliance", incident)
    for field in ("contract", "priority", "responsible", "breach", "opened_at"):
        yield (*name, field), row[field]
    yield (*name, "coverage"), "guaranteed" if row["coverage"].guaranteed else "best_effort"
    yield (*name, "coverage_reason"), row["coverage"].reason
    yield (*name, "findings"), row["findings"]
    for version, agreed in row["agreed"].items():
        yield (*name, f"{version} agreed"), agreed
    for clock in ("charge", "intervention"):
        judged = row["clocks"].get(clock)
        if judged is None:
            yield (*name, clock, "verdict"), "best_effort"
            yield (*name, clock, "target_us"), None
            continue
        yield (*name, clock, "verdict"), judged.verdict
        yield (*name, clock, "target_us"), judged.target * 60_000_000
        yield (*name, clock, "void_cause"), judged.void_cause
        if judged.verdict != "void":
            yield (*name, clock, "net_us"), judged.net_us
            yield (*name, clock, "suspended_us"), judged.suspended_us
            yield (*name, clock, "due"), judged.due


def differences(program: Figures, oracle: Figures) -> list[str]:
    """Each figure that both give and that differs; and each row that only one of them has."""
    found = []
    for name in sorted({*program, *oracle}):
        if name not in oracle:
            if not any(other[: len(name) - 1] == name[:-1] for other in oracle):
                found.append(f"{' '.join(name)}: the program says {program[name]}, the oracle has no such row")
        elif name not in program:
            if not any(other[: len(name) - 1] == name[:-1] for other in program):
                found.append(f"{' '.join(name)}: the oracle says {oracle[name]}, the program has no such row")
        elif not _same(program[name], oracle[name]):
            found.append(f"{' '.join(name)}: the program says {program[name]}, the oracle {oracle[name]}")
    return found


def _same(program: Any, oracle: Any) -> bool:
    """Equal; of several requests that pass a tolerance at one instant the program names one."""
    if isinstance(oracle, list):
        return program in oracle if oracle else program is None
    return bool(program == oracle)
