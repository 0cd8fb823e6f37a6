"""The sheet of a contract, and the list of all contracts, as JSON shows them."""

from collections.abc import Iterable
from datetime import tzinfo

from adapters.errors import NotOnRecord
from adapters.reports.columns import JsonRow
from adapters.reports.question import Question
from adapters.reports.replay import replay_of_streams
from adapters.reports.wording import wall_window
from adapters.store.ledger import Ledger
from domain.calendar_rules import ServiceHours
from domain.streams import split_stream
from domain.terms import Clock, Priority
from domain.values import instant_text, share_text
from projections.contract_sheet import ContractSheet, contract_sheet
from projections.replay import Replay
from projections.working_days import WorkingDay


def sheet_of(contract: str, ledger: Ledger, asked: Question) -> JsonRow:
    """One contract as of the instant asked about. Raises NotOnRecord where it is not signed by then, StoreError."""
    sheet = contract_sheet(_replay([contract], ledger, asked), contract)
    if sheet is None:
        raise NotOnRecord(f"no contract {contract} was signed by {instant_text(asked.as_of)}, as known then")
    return {
        "contract": sheet.name,
        "as_of": instant_text(asked.as_of),
        "known_on": instant_text(asked.known_on),
        "reading": asked.reading.name,
        **sheet_json(sheet),
    }


def contract_sheets(ledger: Ledger, asked: Question) -> list[ContractSheet]:
    """Every contract signed by the instant asked about, by name. Raises StoreError."""
    names = sorted(split_stream(stream).id for stream in ledger.store.stream_names("contract-"))
    replay = _replay(names, ledger, asked)
    sheets = (contract_sheet(replay, name) for name in names)
    return [sheet for sheet in sheets if sheet is not None]


def _replay(contracts: Iterable[str], ledger: Ledger, asked: Question) -> Replay:
    streams = [f"{kind}-{name}" for name in contracts for kind in ("contract", "credits")]
    return replay_of_streams(streams, ledger, asked)


def sheet_json(sheet: ContractSheet) -> JsonRow:
    """What the sheet says, but for what was asked."""
    terms, credits = sheet.terms, sheet.credits
    return {
        "is_in_force": sheet.is_in_force,
        "signed_at": instant_text(sheet.signed_at),
        "in_force": [{"from": instant_text(spell.start), "to": _text(spell.end)} for spell in sheet.in_force],
        "customers": list(sheet.customers),
        "terms": {
            "source": terms.source,
            "time_zone": terms.time_zone,
            "tolerance": share_text(terms.tolerance),
            "penalty_figures": share_text(terms.penalty.figures),
            "penalty_words": share_text(terms.penalty.words),
        },
        "levels": {
            f"p{int(priority)}": {f"{clock}_us": sheet.levels.level(priority).target(clock) for clock in Clock}
            for priority in Priority
        },
        "options": [option.model_dump(mode="json") for option in sheet.options.values()],
        "calendar": {str(hours): _day_json(day, sheet.zone) for hours, day in sheet.days.items()},
        "connected_systems": list(sheet.systems),
        "credits": {
            "bought": credits.bought,
            "consumed": credits.consumed,
            "expired": credits.expired,
            "refunded": credits.refunded,
            "left": credits.left,
            "value": str(credits.value),
            "refunded_value": str(credits.refunded_value),
        },
        "windows": [{"from": instant_text(window.start), "to": _text(window.end)} for window in sheet.windows],
        "penalty_steps": [
            {"type": step.TYPE, "at": instant_text(step.at), "amount": str(step.amount), "reading": step.reading}
            for step in sheet.penalty_steps
        ],
        "evidence": {"stream": f"contract-{sheet.name}", "versions": list(sheet.versions)},
    }


def _day_json(day: WorkingDay, zone: tzinfo) -> JsonRow:
    adopted = day.calendar
    return {
        "day": day.day.isoformat(),
        "windows": [wall_window(window, day.day, zone) for window in day.windows],
        "holiday": day.holiday,
        "source": adopted.fact.source,
        "source_version": adopted.fact.source_version,
        "first_year": adopted.fact.first_year,
        "last_year": adopted.fact.last_year,
        "version": adopted.version,
    }


def _text(instant: int | None) -> str | None:
    return None if instant is None else instant_text(instant)


CLAUSE_OF_HOURS = {ServiceHours.STANDARD: "H1", ServiceHours.DATA_CENTRE: "H2"}
"""The clause of each kind of working hours."""
