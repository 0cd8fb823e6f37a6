"""The commands that show what a contract says: all contracts in a line each, one of them in full."""

import json
from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from adapters.reports.columns import JsonRow
from adapters.reports.contract_sheet import CLAUSE_OF_HOURS, contract_sheets, sheet_of
from adapters.reports.contracts import REPORT as CONTRACTS
from adapters.reports.heading import two_times
from adapters.reports.question import Question, question
from adapters.reports.wording import Language, Writing, duration
from adapters.store.ledger import Ledger
from bin.commands.console import Format, Plain, print_pairs, show_listing
from bin.commands.ids import contract_named
from bin.commands.options import Where, chosen_by, ledger_of, tell_of_nothing_known
from bin.compose import clock
from domain.values import MINUTE

PENALTY_STEPS = {
    "contract.penalty_claimed.v1": "claimed",
    "contract.penalty_waived.v1": "waived",
    "contract.penalty_settled.v1": "paid",
}


def contracts(*, as_of: str | None = None, format: Format = "table", where: Where | None = None) -> None:
    """Every contract: how long it is in force, its customer keys, its options, its credits left.

    Parameters
    ----------
    as_of
        As of this instant (2025-12-31T18:00:00+01:00) or the end of this day (2025-12-31); else now.
    format
        table, json or csv.
    """
    chosen, say = chosen_by(where)
    with ledger_of(chosen) as ledger:
        sheets = contract_sheets(ledger, _question(ledger, as_of=as_of))
    show_listing(CONTRACTS, sheets, format, say)


def show(
    contract: str,
    /,
    *,
    as_of: str | None = None,
    known_on: str | None = None,
    reading: str = "literal",
    format: Plain = "table",
    where: Where | None = None,
) -> None:
    """One contract on a date: parties' keys, terms, levels and calendar in force, options, credits, windows.

    Parameters
    ----------
    contract
        The id of the contract, also as contract-ID.
    as_of
        As of this instant (2025-12-31T18:00:00+01:00) or the end of this day (2025-12-31); else now.
    known_on
        Use only what was recorded by then; else everything recorded.
    reading
        The reading of the contract: literal, or choices that depart from it: rate=words,unit=clock,...
    format
        table or json.
    """
    chosen, say = chosen_by(where)
    with ledger_of(chosen) as ledger:
        asked = _question(ledger, as_of=as_of, known_on=known_on, reading=reading)
        tell_of_nothing_known(ledger, asked, format, say)
        sheet = sheet_of(contract_named(contract, ledger), ledger, asked)
    if format == "json":
        print(json.dumps(sheet, ensure_ascii=False, indent=2))
        return
    zone = ZoneInfo(sheet["terms"]["time_zone"])
    writing = Writing(say, zone)
    print(f"{say('Contract')} {sheet['contract']}")
    print(f"{two_times(sheet, writing)}\n")
    print_pairs(list(_lines(sheet, writing)))


def _question(ledger: Ledger, *, as_of: str | None, known_on: str | None = None, reading: str = "literal") -> Question:
    return question(now=ledger.known_now(clock()), as_of=as_of, known_on=known_on, reading=reading)


def _lines(sheet: JsonRow, writing: Writing) -> Iterator[tuple[str, str]]:
    """What the sheet says, each thing with its clause: label and text."""
    terms, credits, say, local = sheet["terms"], sheet["credits"], writing.say, writing.local
    for number, spell in enumerate(sheet["in_force"]):
        yield say("in force") if not number else "", f"{local(spell['from'])} - {local(spell['to'])}"
    yield say("in force then"), say("yes" if sheet["is_in_force"] else "no")
    yield say("signed"), local(sheet["signed_at"])
    yield say("customer keys"), ", ".join(sheet["customers"]) or "-"
    yield say("terms"), f"{say('terms ' + terms['source'])}, {terms['time_zone']}"
    yield say("tolerance (P1)"), writing.percent(terms["tolerance"])
    figures, in_words = (writing.percent(terms[f"penalty_{given}"]) for given in ("figures", "words"))
    yield say("penalty rate (P2)"), f"{figures} {say('in figures')}, {in_words} {say('in words')}"
    for number, (priority, level) in enumerate(sheet["levels"].items()):
        label = say("levels in force (A3)") if not number else ""
        charge, intervention = duration(level["charge_us"]), duration(level["intervention_us"])
        yield label, f"{priority.upper()}  TPC {charge:>6}  TI {intervention:>6}"
    for number, option in enumerate(sheet["options"]):
        yield say("options (G1)") if not number else "", _option(option, say)
    for hours, clause in CLAUSE_OF_HOURS.items():
        day = sheet["calendar"].get(str(hours))
        yield f"{say('calendar')} ({clause})", say("none covers that day") if day is None else _calendar(day, say)
    yield say("connected systems (S1)"), ", ".join(sheet["connected_systems"]) or "-"
    counts = (
        f"{say(name)} {say.number(credits[name])}" for name in ("bought", "consumed", "expired", "refunded", "left")
    )
    value = f"{say('value')} {say.long_euro(credits['value'])}"
    yield say("credits (G2), minutes"), f"{', '.join(counts)}; {value}"
    for number, window in enumerate(sheet["windows"]):
        label = say("windows (P1)") if not number else ""
        yield label, f"{local(window['from'])} - {local(window['to'])}"
    for number, step in enumerate(sheet["penalty_steps"]):
        amount = f"{say.long_euro(step['amount'])}, {local(step['at'])}, {say('reading')} {step['reading']}"
        yield say("penalty (P2)") if not number else "", f"{say(PENALTY_STEPS[step['type']])} {amount}"


def _option(option: JsonRow, say: Language) -> str:
    match option["service"]:
        case "operation":
            hours = duration(option["committed_minutes"] * MINUTE)
            return f"{say('operation')}: {hours} / {say(option['per'])}; {', '.join(option['activities'])}"
        case "maintenance":
            visits = (f"{one['name']} {one['visits']} / {say(one['per'])}" for one in option["activities"])
            return f"{say('maintenance')}: {', '.join(visits)}"
        case service:
            return say(service)


def _calendar(day: JsonRow, say: Language) -> str:
    hours = ", ".join(day["windows"]) or day["holiday"] or say("closed")
    years = f"{day['first_year']}-{day['last_year']}"
    that_day = say.day(date.fromisoformat(day["day"]))
    return f"{day['source']} {day['source_version']}, {years} (v{day['version']}); {that_day}: {hours}"
