"""Reports as data: a manifest that says how they were made, and rows. The same for JSON, CSV and tables."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.metadata import version
from typing import Any, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo

from adapters.errors import BadQuestion, NotOnRecord
from adapters.live_tables.rows import deed_told
from adapters.store.ledger import Ledger, Sealed
from domain import __version__
from domain.calendar_rules import LocalDay, wall_text
from domain.local_time import local_midnight
from domain.values import WIRE, instant_text, moment, read_instant, share_text
from projections import RULES_VERSION
from projections.as_of import Replay
from projections.breach import BreachRow, Window, breach, by_window, late_in, windows
from projections.clocks import Judged
from projections.commitments import CommitmentRow, commitments
from projections.compliance import ComplianceRow, compliance
from projections.connected_systems import Disclosure, EffectRow, Line, SystemRow, effects, lines, systems
from projections.credit_balance import CreditRow, credit_balance
from projections.explanation import Explanation, Slice, explain
from projections.history import Finding, History
from projections.penalty import PenaltyRow, penalty
from projections.queue import QueueRow, queue
from projections.readings import Reading, UnknownReading, WindowKind
from projections.timeline import TimelineRow, timeline
from projections.unrouted import UnroutedRow, unrouted

ReportName = Literal["compliance", "breach", "penalty", "credits", "commitments", "systems", "queue"]
HOUSE_ZONE = ZoneInfo("Europe/Rome")
"""Where days named without an instant are meant, and where tables show them."""

JsonRow = dict[str, Any]
Advance = Callable[[int], None]
T = TypeVar("T")
WINDOWED = ("compliance", "breach")
REPLAY, LIVE_TABLES = "replay", "live tables"
"""Where the rows of a report come from."""


@dataclass(frozen=True)
class Question:
    """What is asked: under which reading, as of when, as known on when, about which contract and window."""

    reading: Reading
    as_of: int
    known_on: int
    contract: str | None = None
    window_day: date | None = None


@dataclass
class Report:
    """An answer: how it was made, and its rows."""

    name: str
    manifest: JsonRow
    rows: list[JsonRow]
    question: Question
    about: JsonRow = field(default_factory=dict)


def question(
    *,
    now: int,
    reading: str = "literal",
    as_of: str | None = None,
    known_on: str | None = None,
    contract: str | None = None,
    window: str | None = None,
) -> Question:
    """Read a question as typed. Raises BadQuestion."""
    try:
        chosen, day = _window(Reading.parse(reading), window)
    except UnknownReading as error:
        raise BadQuestion(str(error)) from None
    known = instant_typed("known-on", known_on, now)
    if known > now:
        raise BadQuestion(f"--known-on {known_on} is in the future: nobody knows yet what will be recorded by then")
    asked = instant_typed("as-of", as_of, known)
    if asked > known:
        raise BadQuestion(
            f"--as-of {as_of or instant_text(asked)} is later than known-on {instant_text(known)}: "
            "what was not known then cannot be reported"
        )
    return Question(chosen, asked, known, contract, day)


def _window(reading: Reading, text: str | None) -> tuple[Reading, date | None]:
    if text is None:
        return reading, None
    if text in get_args(WindowKind):
        return Reading.model_validate({**dict(reading), "window": text}), None
    try:
        last_instant_of(date.fromisoformat(text))
        return reading, date.fromisoformat(text)
    except (ValueError, OverflowError):
        kinds = ", ".join(get_args(WindowKind))
        raise BadQuestion(f"--window {text} is neither one of {kinds}, nor a day as 2025-03-31") from None


def first_instant_of(day: LocalDay) -> int:
    """The first microsecond of a day in Europe/Rome."""
    return local_midnight(HOUSE_ZONE, day)


def last_instant_of(day: LocalDay) -> int:
    """The last microsecond of a day in Europe/Rome."""
    return local_midnight(HOUSE_ZONE, day + timedelta(days=1)) - 1


def instant_typed(
    option: str, text: str | None, default: int, of_day: Callable[[LocalDay], int] = last_instant_of
) -> int:
    """An instant with offset; or a day, which means its last microsecond in Europe/Rome, or what `of_day` gives.

    Raises BadQuestion.
    """
    if text is None:
        return default
    try:
        return of_day(date.fromisoformat(text)) if len(text) == 10 else read_instant(text)
    except (ValueError, OverflowError) as error:
        said = "there is no such day" if len(text) == 10 else str(error)
        raise BadQuestion(f"--{option} {text}: {said} (or give a day, as 2025-12-31)") from None


def steps(ledger: Ledger, asked: Question) -> int:
    """How many steps a report takes: facts to read, then incidents to judge."""
    return ledger.store.position(asked.known_on) + len(ledger.store.stream_names("incident-"))


def check(name: ReportName, asked: Question) -> None:
    """Raise BadQuestion where a report cannot be asked for so."""
    if asked.window_day is not None and name not in WINDOWED:
        raise BadQuestion(f"--window {asked.window_day} picks one window: only {' and '.join(WINDOWED)} have windows")


def make(name: ReportName, ledger: Ledger, asked: Question, advance: Advance = lambda _: None) -> Report:
    """Make a report by replaying the recorded facts; `advance` hears how many steps are done.

    Raises BadQuestion, NotOnRecord, StoreError.
    """
    check(name, asked)
    history = History.of(watched(ledger.entries(asked.known_on), advance))
    replay = Replay(history, asked.reading, asked.as_of)
    _check_contract(replay, asked)
    rows = _rows(name, replay, asked, lambda done: advance(history.position + done))
    return Report(name, manifest(name, ledger, replay, asked), rows, asked)


def watched(items: Iterable[T], advance: Advance) -> Iterator[T]:
    """The items, while `advance` hears how many have been taken."""
    for done, item in enumerate(items):
        if done % 200 == 0:
            advance(done)
        yield item


def _check_contract(replay: Replay, asked: Question) -> None:
    name, history = asked.contract, replay.history
    if name is None or name in history.contracts or name in history.accounts:
        return
    if not any(told.contract_name == name for told in replay.incidents()):
        raise no_such_contract(name)


def no_such_contract(name: str) -> NotOnRecord:
    """What to say of a contract that nothing on record names."""
    return NotOnRecord(f"no contract is called {name}, and no request names it")


def _rows(name: ReportName, replay: Replay, asked: Question, advance: Advance) -> list[JsonRow]:
    if name == "credits":
        return [credit_row_json(row) for row in credit_balance(replay) if asked.contract in (None, row.contract)]
    if name == "commitments":
        return [commitment_row_json(row) for row in _of_contract(commitments(replay), asked)]
    judged = compliance(replay, watched(replay.incidents(), advance))
    if name == "compliance":
        return [compliance_row_json(row) for row in in_window(_of_contract(judged, asked), replay, asked)]
    if name == "systems":
        found = lines(_of_contract(systems(replay), asked), _of_contract(effects(replay, judged), asked))
        return [system_line_json(line) for line in found]
    if name == "queue":
        return [queue_row_json(row, rank) for rank, row in enumerate(_of_contract(queue(replay, judged), asked), 1)]
    ratios = breach(replay, judged)
    if name == "penalty":
        return [penalty_row_json(row) for row in _of_contract(penalty(replay, ratios), asked)]
    inside = by_window(replay, judged)
    return [
        breach_row_json(row, late_in(inside.get((row.contract, row.window.start), ()), replay.reading))
        for row in _of_contract(ratios, asked)
        if asked.window_day is None or row.window.holds(last_instant_of(asked.window_day))
    ]


def _of_contract(rows: Iterable[Any], asked: Question) -> list[Any]:
    return [row for row in rows if asked.contract in (None, row.contract)]


def in_window(rows: Sequence[ComplianceRow], replay: Replay, asked: Question) -> list[ComplianceRow]:
    """The incidents of the window that holds the day asked about; all where none is."""
    if asked.window_day is None:
        return list(rows)
    names = {row.contract for row in rows if row.contract}
    kept: dict[str | None, list[Window]] = {
        name: [
            window
            for window in windows(replay.contract(name).contract, asked.reading.window, asked.as_of)
            if window.holds(last_instant_of(asked.window_day))
        ]
        for name in names
    }
    return [row for row in rows if any(window.holds(row.opened_at) for window in kept.get(row.contract, ()))]


def manifest(name: str, ledger: Ledger, replay: Replay, asked: Question, made_from: str = REPLAY) -> JsonRow:
    """How a report was made, so that anybody can make it again."""
    contracts = [told for told in replay.signed_contracts if asked.contract in (None, told.contract.id)]
    sources = sorted({told.contract.signed.terms.source for told in contracts if told.contract.signed})
    adopted = {f"{c.source} {c.source_version}" for told in contracts for c in told.contract.calendars}
    return {
        "report": name,
        "ledger": ledger.id,
        "made_from": made_from,
        "reading": asked.reading.name,
        "choices": dict(asked.reading),
        "as_of": instant_text(asked.as_of),
        "known_on": instant_text(asked.known_on),
        "contract": asked.contract,
        "window_holding": asked.window_day.isoformat() if asked.window_day else None,
        "position": replay.history.position,
        "terms": " and ".join(sources) or "none",
        "calendars": sorted(adopted),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """What the figures depend on: this program, its rules, the holidays library and the time-zone data."""
    return {
        "program": __version__,
        "rules": RULES_VERSION,
        "holidays": version("holidays"),
        "tzdata": version("tzdata"),
    }


def _text(instant: int | None) -> str | None:
    return None if instant is None else instant_text(instant)


def _evidence(stream: str, versions: Sequence[int]) -> JsonRow:
    return {"stream": stream, "versions": list(versions)}


def compliance_row_json(row: ComplianceRow) -> JsonRow:
    """One incident, as every format shows it."""
    return {
        "incident": row.incident,
        "contract": row.contract,
        "opened_at": instant_text(row.opened_at),
        "coverage": str(row.answer.coverage),
        "coverage_reason": str(row.answer.reason) if row.answer.reason else None,
        "priority": int(row.priority) if row.priority else None,
        "charge": _clock(row.charge.judged),
        "intervention": _clock(row.intervention.judged),
        "responsible": str(row.responsible) if row.responsible else None,
        "breach": row.breach,
        "findings": [_finding(finding) for finding in row.findings],
        "evidence": _evidence(f"incident-{row.incident}", row.versions),
    }


def _clock(judged: Judged) -> JsonRow:
    return {
        "target_us": judged.target_us,
        "net_us": judged.net_us,
        "suspended_us": judged.suspended_us,
        "due": _text(judged.due),
        "verdict": str(judged.verdict),
        "changes_at": _text(judged.changes_at),
    }


def _finding(finding: Finding) -> JsonRow:
    return {"code": finding.code, "clause": finding.clause, "text": finding.text, "versions": list(finding.versions)}


def breach_row_json(row: BreachRow, late: Sequence[str]) -> JsonRow:
    """One window, as every format shows it; `late` are the incidents in breach."""
    return {
        "contract": row.contract,
        "window_from": instant_text(row.window.start),
        "window_to": _text(row.window.end),
        "cases": row.cases,
        "breaches": row.breaches,
        "ratio": row.ratio,
        "tolerance": share_text(row.tolerance),
        "headroom": row.headroom,
        "undecided": row.undecided,
        "settled": row.settled,
        "passed": row.passed,
        "evidence": {**_evidence(f"contract-{row.contract}", row.versions), "late": late},
    }


def penalty_row_json(row: PenaltyRow) -> JsonRow:
    """One contract's penalty, as every format shows it."""
    conflict = row.conflict
    return {
        "contract": row.contract,
        "passed_at": _text(row.passing.at) if row.passing else None,
        "window_from": _text(row.window.start) if row.window else None,
        "incident": row.passing.incident if row.passing else None,
        "base": str(row.base),
        "rate": share_text(row.rate),
        "maximum_penalty": str(row.maximum_penalty),
        "settled": row.settled,
        "claimed": str(row.claimed),
        "waived": str(row.waived),
        "settled_amount": str(row.settled_amount),
        "outstanding": str(row.outstanding),
        "conflict": None
        if conflict is None
        else {
            name: {"rate": share_text(getattr(row.clause, name)), "maximum_penalty": str(amount)}
            for name, amount in conflict.items()
        },
        "evidence": {**_evidence(f"contract-{row.contract}", row.versions), "purchases": list(row.purchases)},
    }


def credit_row_json(row: CreditRow) -> JsonRow:
    """One contract's credits, as every format shows them."""
    return {
        "contract": row.contract,
        "bought": row.bought,
        "consumed": row.consumed,
        "expired": row.expired,
        "left": row.left,
        "shortfall": row.shortfall,
        "value": str(row.value),
        "changes_at": _text(row.changes_at),
        "evidence": _evidence(f"credits-{row.contract}", row.versions),
    }


def commitment_row_json(row: CommitmentRow) -> JsonRow:
    """One commitment in one period, as every format shows it."""
    return {
        "contract": row.contract,
        "service": str(row.commitment.service),
        "commitment": str(row.commitment),
        "activity": row.activity,
        "period_from": _text(row.period.start if row.period else None),
        "period_to": _text(row.period.end if row.period else None),
        "cut_short": row.cut_short,
        "unit": row.commitment.unit,
        "due": row.due,
        "done": row.done,
        "open": row.open,
        "missed": row.missed,
        "exceeded": row.exceeded,
        "outside": row.outside,
        "late": row.late,
        "settled": row.settled,
        "deeds": [deed_told(performance) for performance in row.deeds],
        "monitoring": list(row.monitoring),
        "findings": [_finding(finding) for finding in row.findings],
        "evidence": _evidence(f"contract-{row.contract}", row.versions),
    }


def system_line_json(line: Line) -> JsonRow:
    """An incident with the system it affects, or a system that none affects, as every format shows it."""
    match line:
        case EffectRow():
            return {
                **_disclosed(line.contract, line.system, line.disclosure),
                "incident": line.incident,
                "opened_at": instant_text(line.opened_at),
                "disclosed": line.disclosed,
                "late": line.late,
                "breach": line.breach,
                "excluded": line.excluded,
                "evidence": {**_evidence(f"incident-{line.incident}", line.versions), "declared": list(line.declared)},
            }
        case SystemRow():
            return {
                **_disclosed(line.contract, line.system, line.disclosure),
                **dict.fromkeys(("incident", "opened_at", "disclosed", "late", "breach", "excluded")),
                "evidence": {**_evidence(f"contract-{line.contract}", line.versions), "declared": list(line.versions)},
            }


def _disclosed(contract: str | None, system: str, disclosure: Disclosure | None) -> JsonRow:
    declared_at, withdrawn_at = disclosure or (None, None)
    told = {"declared_at": _text(declared_at), "withdrawn_at": _text(withdrawn_at)}
    return {"contract": contract, "system": system, **told}


def queue_row_json(row: QueueRow, rank: int) -> JsonRow:
    """One open request, as every format shows it."""
    return {
        "rank": rank,
        "incident": row.incident,
        "contract": row.contract,
        "tier": row.tier.name.lower(),
        "coverage_reason": str(row.answer.reason) if row.answer.reason else None,
        "due": _text(row.due),
        "priority": int(row.priority) if row.priority else None,
        "opened_at": instant_text(row.opened_at),
        "evidence": _evidence(f"incident-{row.incident}", row.versions),
    }


def explain_incident(incident: str, ledger: Ledger, asked: Question) -> Report:
    """Both clocks of an incident, slice by slice. Raises NotOnRecord, StoreError."""
    history = History.of(ledger.entries(asked.known_on, incident), ledger.store.position(asked.known_on))
    replay = Replay(history, asked.reading, asked.as_of)
    explained = explain(incident, replay)
    if explained is None:
        raise NotOnRecord(f"no incident {incident} was opened by {instant_text(asked.as_of)}, as known then")
    rows = [
        _slice_row(str(clock.clock), piece, ZoneInfo(explained.time_zone))
        for clock in explained.clocks
        for piece in clock.slices
    ]
    made = manifest("explain", ledger, replay, asked)
    made["terms"] = explained.terms_source
    return Report("explain", made, rows, asked, _about(explained))


def _about(explained: Explanation) -> JsonRow:
    return {
        "incident": compliance_row_json(explained.row),
        "clocks": [
            {
                "clock": str(clock.clock),
                **_clock(clock.judged),
                "from": instant_text(clock.span.start),
                "to": instant_text(clock.span.end),
                "ended": "stopped" if clock.span.stopped else "void" if clock.span.void else "running",
                "versions": list(clock.versions),
            }
            for clock in explained.clocks
        ],
        "streams": {stream: list(used) for stream, used in explained.streams.items()},
        "time_zone": explained.time_zone,
    }


def _slice_row(clock: str, piece: Slice, zone: ZoneInfo) -> JsonRow:
    return {
        "clock": clock,
        "from": instant_text(piece.start),
        "to": instant_text(piece.end),
        "day": piece.day.isoformat(),
        "window": "-".join(_wall(edge, zone) for edge in piece.window) if piece.window else None,
        "counted": piece.why == "working",
        "why": piece.why,
        "detail": piece.detail,
        "clause": piece.clause,
        "counted_us": piece.counted_us,
        "net_us": piece.net_us,
    }


def _wall(instant: int, zone: ZoneInfo) -> str:
    local = moment(instant).astimezone(zone)
    return wall_text(local.hour * 60 + local.minute)


def unrouted_requests(ledger: Ledger, asked: Question, advance: Advance = lambda _: None) -> Report:
    """Every request that no contract takes, and why; `advance` hears how many facts are read. Raises StoreError."""
    history = History.of(watched(ledger.entries(asked.known_on), advance))
    replay = Replay(history, asked.reading, asked.as_of)
    rows = [_unrouted_row(row) for row in unrouted(replay)]
    # No terms judge what comes under no contract.
    return Report("unrouted", {**manifest("unrouted", ledger, replay, asked), "terms": "none"}, rows, asked)


def _unrouted_row(row: UnroutedRow) -> JsonRow:
    opened = row.opened
    return {
        "incident": row.incident,
        "opened_at": instant_text(opened.at),
        "contract": opened.contract,
        "customer": opened.customer,
        "system": opened.system,
        "why": [str(why) for why in row.route.why],
        "rivals": list(row.route.rivals),
        "impact": str(opened.impact),
        "urgency": str(opened.urgency),
        "requested_by": str(opened.requested_by),
        "open": row.open,
        "evidence": _evidence(f"incident-{row.incident}", row.versions),
    }


def timeline_of(stream: str, ledger: Ledger, now: int) -> Report:
    """Every fact of one stream with its seal. Raises NotOnRecord, StoreError."""
    sealed = ledger.sealed(stream)
    if not sealed:
        raise NotOnRecord(f"nothing is recorded under {stream}: streams are contract-ID, credits-ID, incident-ID")
    rows = [_timeline_row(seal, row) for seal, row in zip(sealed, timeline([s.entry for s in sealed]), strict=True)]
    made = {
        "report": "timeline",
        "ledger": ledger.id,
        "stream": stream,
        "known_on": instant_text(now),
        "position": sealed[-1].entry.position,
        "versions": versions(),
    }
    return Report("timeline", made, rows, Question(Reading(), now, now))


def _timeline_row(seal: Sealed, row: TimelineRow) -> JsonRow:
    told = row.fact.model_dump(mode="json", context=WIRE)
    return {
        "version": row.version,
        "type": row.fact.TYPE,
        "at": instant_text(row.fact.at),
        "recorded_at": instant_text(row.recorded_at),
        "lateness_us": row.lateness_us,
        "told": {name: value for name, value in told.items() if name != "at" and value not in (None, [], ())},
        "rectified_by": list(row.rectified_by),
        "contract": seal.origin.contract,
        "source": seal.origin.source,
        "message": seal.origin.message,
        "actor": seal.origin.actor,
        "position": row.position,
        "leaf": seal.leaf,
        "leaf_hash": seal.leaf_hash.hex(),
    }
