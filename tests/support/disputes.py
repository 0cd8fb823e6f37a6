"""Disputes as a lawyer writes them down: Markdown with a contract, a journal, and figures worked out by hand.

A file of `tests/scenarios` is prose with tables. Every table is one of the kinds in `KINDS`, known by its columns, so
that no figure stands there unchecked. What a journal may say is in `PHRASES`; instants are local time of `ZONE` with
the day of the week, durations working minutes. `tests/scenarios/README.md` shows how to write one more.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from adapters.inbox.handler import CommandHandler
from adapters.inbox.outcomes import Done, Outcome, Refused
from adapters.store.ledger import Ledger
from domain.values import microseconds
from support.messages import Clock, memory, message

ZONE = ZoneInfo("Europe/Rome")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")

KINDS: dict[str, tuple[str, ...]] = {
    "contract": ("the contract",),
    "journal": ("when", "who", "on", "what"),
    "requests": ("request", "to the taking in charge"),
    "ratios": ("late of all",),
    "penalties": ("maximum penalty",),
    "balance": ("bought", "used"),
    "availability": ("available, in minutes",),
    "commitments": ("hours due",),
    "findings": ("finding",),
}
"""The kinds of tables, and the columns by which each is known."""

Row = dict[str, str]


@dataclass(frozen=True)
class Dispute:
    """One file: its contract, its journal and its figures, as rows of text by column."""

    path: Path
    judged_on: int
    tables: dict[str, list[Row]]

    @property
    def contract(self) -> Row:
        """What was signed, by its heading."""
        return {row["the contract"]: row["what was signed"] for row in self.tables["contract"]}

    @property
    def journal(self) -> list[Row]:
        """What occurred, in the order in which it was recorded."""
        return self.tables["journal"]

    def figures(self, kind: str) -> list[Row]:
        """The rows of the figures of one kind; none where the file has no such table."""
        return self.tables.get(kind, [])


def read_dispute(path: Path) -> Dispute:
    """Read a file. Raises ValueError where a table is of no known kind."""
    text = path.read_text(encoding="utf-8")
    judged = re.search(r"^Judged as of (.+?), with all", text, re.MULTILINE)
    if judged is None:
        raise ValueError(f"{path.name} does not say as of when it is judged")
    tables: dict[str, list[Row]] = {}
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = _rows(table)
        tables.setdefault(_kind(path, rows[0]), []).extend(rows)
    return Dispute(path, instant(judged.group(1)), tables)


def _rows(table: str) -> list[Row]:
    head, _, *lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return [dict(zip(head, line, strict=True)) for line in lines]


def _kind(path: Path, row: Row) -> str:
    for kind, columns in KINDS.items():
        if set(columns) <= set(row):
            return kind
    raise ValueError(f"{path.name} has a table that nobody checks: {', '.join(row)}")


# --- what stands in a cell --------------------------------------------------------------------------------------


def instant(text: str) -> int:
    """The instant "2026-02-03 Tue 10:00"; of a day alone its midnight; with "just after" a microsecond later.

    "2026-10-25 Sun 02:30 again" is the second 02:30 of the night in which the clocks go back.

    Raises ValueError where the day of the week is not that of the date.
    """
    written = text.removeprefix("just after ")
    day, weekday, clock, *again = written.split(" ") if " " in written else (written, "", "00:00")
    found = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZONE, fold=int(again == ["again"]))
    if weekday and DAYS[found.weekday()] != weekday:
        raise ValueError(f"{day} is a {DAYS[found.weekday()]}, not a {weekday}")
    return microseconds(found) + (written != text)


def names(text: str) -> list[str]:
    """The requests of "S01 to S14", or the only one."""
    first, _, last = text.partition(" to ")
    if not last:
        return [first]
    letter, width = first[0], len(first) - 1
    return [f"{letter}{number:0{width}}" for number in range(int(first[1:]), int(last[1:]) + 1)]


@dataclass(frozen=True)
class Measured:
    """A clock worked out by hand, in working minutes; no target where no time was guaranteed.

    No `net` where it runs on out of the calendar: `late` says whether what the calendar covers is too much already.
    """

    net: int | None
    target: int | None
    late: bool


def measured(text: str) -> Measured:
    """Read "540 + 150 − 600 = 90 ≤ 120", "150 > 120", "180, best effort", or "out of reach > 480" ("undecided of 480").

    Raises ValueError where the sum or the sign is wrong.
    """
    if beyond := re.fullmatch(r"(out of reach >|undecided of) (\d+)", text):
        return Measured(None, int(beyond[2]), beyond[1].endswith(">"))
    found = re.fullmatch(
        r"(?:(?P<sum>[\d +−]+) = )?(?P<net>\d+)(?: (?P<sign>[≤>]) (?P<target>\d+)|, best effort)", text
    )
    if found is None:
        raise ValueError(f"no clock can be read from: {text}")
    net, target = int(found["net"]), int(found["target"]) if found["target"] else None
    if found["sum"]:
        terms = re.findall(r"([+−]?) ?(\d+)", found["sum"])
        if sum(-int(amount) if sign == "−" else int(amount) for sign, amount in terms) != net:
            raise ValueError(f"it does not add up: {text}")
    if target is not None and (net > target) != (found["sign"] == ">"):
        raise ValueError(f"the sign is wrong: {text}")
    return Measured(net, target, target is not None and net > target)


# --- what is recorded -------------------------------------------------------------------------------------------


def wire_instant(when: int) -> str:
    """An instant as a message has it."""
    return datetime.fromtimestamp(when / 1_000_000, ZONE).isoformat()


def _from(text: str) -> str:
    """The instant written, or the midnight of the day, as a message has it."""
    return wire_instant(instant(text))


def _levels(text: str) -> dict[str, dict[str, int]]:
    found = re.findall(r"P(\d) (\d+)/(\d+)", text)
    return {f"p{number}": {"charge": int(charge), "intervention": int(start)} for number, charge, start in found}


def _matrix(text: str) -> dict[str, dict[str, int]]:
    matrix: dict[str, dict[str, int]] = {}
    for impact, urgency, priority in re.findall(r"(\w+)/(\w+) (\d)", text):
        matrix.setdefault(impact, {})[urgency] = int(priority)
    return matrix


def set_up(contract: Row) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Command, subject and data of what the parties sign: the contract, its option, its calendar."""
    stream = f"contract-{contract['contract']}"
    begins, ends = contract["in force"].split(" to ")
    figures, words = re.findall(r"\d+%", contract["penalty"])
    yield (
        "contract.sign",
        stream,
        {
            "in_force_from": _from(begins),
            "in_force_until": _from(ends),
            "customers": [contract["customer"]],
            "terms": {
                "source": "signed",
                "matrix": _matrix(contract["priorities"]),
                "levels": _levels(contract["levels"]),
                "tolerance": contract["tolerance"],
                "penalty": {"figures": figures, "words": words},
            },
        },
    )
    yield "contract.activate_option", stream, {"option": {"service": "assistance"}, "effective": _from(begins)}
    standard, data_centre = re.findall(r"(\d\d:\d\d)-(\d\d:\d\d)", contract["hours"])
    first, last = contract["calendar"].split(" to ")
    yield (
        "contract.adopt_calendar",
        stream,
        {
            "source": "agreed by the parties",
            "source_version": "1",
            "first_year": int(first),
            "last_year": int(last),
            "standard": {day: [standard] for day in WEEKDAYS},
            "data_centre": {day: [data_centre] for day in WEEKDAYS},
            "holidays": [
                {"day": date.fromisoformat(day).isoformat(), "name": "holiday"}
                for day in contract["holidays"].split(", ")
            ],
        },
    )


def _assessment(found: re.Match[str]) -> dict[str, Any]:
    return {"impact": found["impact"], "urgency": found["urgency"]}


def _opening(found: re.Match[str]) -> dict[str, Any]:
    return {**_assessment(found), "data_centre": found["centre"] is not None}


def _suspension(found: re.Match[str]) -> dict[str, Any]:
    return {"cause": found["cause"].replace(" ", "_"), "agreed_by": ["customer"] if found["agreed"] else []}


def _closing(found: re.Match[str]) -> dict[str, Any]:
    return {"reason": found["reason"], **({"by": found["party"]} if found["party"] else {})}


def _renewal(found: re.Match[str]) -> dict[str, Any]:
    return {"until": _from(found["until"]), "revokes_termination": found["revokes"] is not None}


def _refund(found: re.Match[str]) -> dict[str, Any]:
    return {"package": found["package"], "minutes": int(found["minutes"]), "price": found["price"]}


def _operation(found: re.Match[str]) -> dict[str, Any]:
    content = {"committed_minutes": int(found["minutes"]), "per": "month", "activities": ["care"]}
    return {"option": {"service": "operation", **content}, "effective": _from(found["day"])}


def _note(found: re.Match[str]) -> dict[str, Any]:
    """What names a fact on record by its instant, until its version is known."""
    return {"note": instant(found["note"]), **({"why": found["why"]} if "why" in found.groupdict() else {})}


def _package(found: re.Match[str]) -> dict[str, Any]:
    expiry = {"expires_at": _from(found["expires"])} if found["expires"] else {}
    return {"package": found["package"], "minutes": int(found["minutes"]), "price": found["price"], **expiry}


def _work(found: re.Match[str]) -> dict[str, Any]:
    return {"work": found["work"], "incident": found["incident"], "minutes": int(found["minutes"])}


def _revision(found: re.Match[str]) -> dict[str, Any]:
    return {"effective": _from(found["day"]), "levels": _levels(found["levels"])}


def _step(found: re.Match[str]) -> dict[str, Any]:
    return {"amount": found["amount"], "reading": found["reading"]}


ASSESSMENT = r"impact (?P<impact>\w+), urgency (?P<urgency>\w+)"
WHEN = r"\S+(?: \w{3} \d\d:\d\d)?"
STEP = r"(?P<amount>[\d.]+) euro under (?P<reading>\S+)"
PHRASES: tuple[tuple[str, str, Callable[[re.Match[str]], dict[str, Any]]], ...] = (
    (rf"asks for help: {ASSESSMENT}(?P<centre>, in the data centre)?", "incident.open", _opening),
    (r"takes it in charge", "incident.take_in_charge", lambda _: {}),
    (r"starts work", "incident.start_intervention", lambda _: {}),
    (
        r"suspends the clocks: waits for (?:the |a )(?P<cause>customer|supplier|third party)"
        r"(?P<agreed>, who agrees)?",
        "incident.suspend",
        _suspension,
    ),
    (r"resumes the clocks", "incident.resume", lambda _: {}),
    (
        rf"an alarm asks for help: {ASSESSMENT}",
        "incident.open",
        lambda found: {**_assessment(found), "requested_by": "monitoring"},
    ),
    (r"a robot takes it in charge", "incident.take_in_charge", lambda _: {"automatic": True}),
    (
        r"closes it(?: in the (?P<party>\w+)'s name)? as (?:a )?(?P<reason>duplicate|withdrawn)",
        "incident.close",
        _closing,
    ),
    (r"asks for it again", "incident.reopen", lambda _: {}),
    (rf"withdraws the note of (?P<note>{WHEN}): (?P<why>.+)", "record.annul", _note),
    (rf"agrees to the note of (?P<note>{WHEN})", "record.agree", _note),
    (rf"agrees to all on record by (?P<by>{WHEN})", "record.agree", lambda found: {"all": instant(found["by"])}),
    (rf"judges it anew: {ASSESSMENT}", "incident.reassess", _assessment),
    (
        r"sells package (?P<package>\w+): (?P<minutes>\d+) minutes for (?P<price>[\d.]+) euro"
        r"(?:, usable before (?P<expires>\S+))?",
        "credits.purchase",
        _package,
    ),
    (r"uses (?P<minutes>\d+) minutes for (?P<incident>\w+), entry (?P<work>\w+)", "credits.consume", _work),
    (
        r"takes back entry (?P<work>\w+): (?P<why>.+)",
        "credits.reverse",
        lambda found: {"work": found["work"], "why": found["why"]},
    ),
    (
        r"gives back (?P<minutes>\d+) minutes and (?P<price>[\d.]+) euro of package (?P<package>\w+)",
        "credits.refund",
        _refund,
    ),
    (r"renews it until (?P<until>\S+?)(?P<revokes>, and revokes its end)?", "contract.renew", _renewal),
    (
        rf"ends it from (?P<day>{WHEN}): (?P<why>.+)",
        "contract.terminate",
        lambda found: {"effective": _from(found["day"]), "why": found["why"]},
    ),
    (
        r"adds hours on (?P<day>\S+): (?P<hours>\S+)",
        "contract.extend_coverage",
        lambda found: {"dates": [found["day"]], "windows": [found["hours"].split("-")]},
    ),
    (r"starts Conduzione from (?P<day>\S+): (?P<minutes>\d+) minutes a month", "contract.activate_option", _operation),
    (
        rf"ends Conduzione from (?P<day>{WHEN})",
        "contract.end_option",
        lambda found: {"service": "operation", "effective": _from(found["day"])},
    ),
    (
        r"works (?P<minutes>\d+) minutes of Conduzione, entry (?P<work>\w+)",
        "contract.record_operation_hours",
        lambda found: {"work": found["work"], "activity": "care", "minutes": int(found["minutes"]), "by": "staff"},
    ),
    (
        r"has its desk speak for the (?P<party>\w+)",
        "contract.appoint_source",
        lambda found: {"source": f"desk://{found['party']}", "party": found["party"]},
    ),
    (r"revises the levels from (?P<day>\S+): (?P<levels>.+)", "contract.revise_service_level", _revision),
    (rf"claims {STEP}", "contract.claim_penalty", _step),
    (rf"pays {STEP}", "contract.settle_penalty", _step),
)
"""What a journal may say, the command that each sentence is, and the data in it."""


SAID_BY_A_PARTY = frozenset(
    {
        "incident.suspend",
        "incident.close",
        "record.annul",
        "record.agree",
        "contract.terminate",
        "contract.revise_service_level",
        "contract.end_option",
    }
)
"""The commands that say by which party: by who stands in the journal."""


def _kind_of_stream(command: str, on: str) -> str:
    kind = command.partition(".")[0]
    if kind != "record":
        return kind
    return on if on in ("contract", "credits") else "incident"


def commands(row: Row, contract: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Command, subject and data of one line of a journal; several where it names several requests."""
    for phrase, command, data_of in PHRASES:
        found = re.fullmatch(phrase, row["what"])
        if found is None:
            continue
        data = data_of(found)
        if command == "incident.open":
            data["contract"] = contract
        if command in SAID_BY_A_PARTY:
            data.setdefault("by", row["who"])
        if "reading" in data:
            data |= {"as_of": wire_instant(instant(row["when"])), "known_on": wire_instant(instant(row["when"]))}
        kind = _kind_of_stream(command, row["on"])
        for name in names(row["on"]) if kind == "incident" else [contract]:
            yield command, f"{kind}-{name}", data
        return
    raise ValueError(f"no phrase of a journal: {row['what']}")


class Notes:
    """Where the facts of a journal are on record, so that a later line can name them."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, int], int] = {}
        self._recorded: list[tuple[int, int]] = []

    def add(self, when: int, known: int, outcome: Outcome) -> None:
        """Keep where a line was recorded."""
        if isinstance(outcome, Done):
            self._versions[outcome.stream, when] = outcome.version
            self._recorded.append((known, outcome.leaf + 1))

    def named(self, subject: str, data: dict[str, Any]) -> dict[str, Any]:
        """The data with the version, or the position, of what they name by an instant."""
        if "note" in data:
            version = self._versions[subject, data["note"]]
            return {"version": version, **{key: value for key, value in data.items() if key != "note"}}
        if "all" in data:
            position = max(position for known, position in self._recorded if known <= data["all"])
            return {"up_to": position, **{key: value for key, value in data.items() if key != "all"}}
        return data


@contextmanager
def recorded(dispute: Dispute) -> Iterator[Ledger]:
    """A ledger in which the whole dispute is recorded, each line through the front door when the journal says."""
    clock, contract, notes = Clock(), dispute.contract, Notes()
    clock.now = instant(contract["signed"])
    with memory(clock) as ledger:
        desk = CommandHandler(ledger, clock)

        def send(command: str, subject: str, data: dict[str, Any], when: int, who: str) -> Outcome:
            named = notes.named(subject, data)
            raw = message(command, subject, wire_instant(when), named, source=f"desk://{who}")
            (outcome,) = desk.handle([raw]).outcomes
            notes.add(when, clock.now, outcome)
            return outcome

        for command, subject, data in set_up(contract):
            check_outcome(send(command, subject, data, clock.now, "supplier"), "", command)
        for row in dispute.journal:
            when = instant(row["when"])
            known = instant(row["recorded"]) if row.get("recorded") else when
            if known < clock.now:
                raise ValueError(f"a journal is in the order of recording: {row}")
            clock.now = known
            for command, subject, data in commands(row, contract["contract"]):
                check_outcome(send(command, subject, data, when, row["who"]), row.get("answer", ""), str(row))
        clock.now = max(clock.now, dispute.judged_on)
        yield ledger


def check_outcome(outcome: Outcome, answer: str, line: str) -> None:
    """A line is recorded, or it is refused by the clause that the journal names."""
    if answer:
        assert isinstance(outcome, Refused), f"{line}: {outcome}"
        assert f"refused, {outcome.clause}" == answer, f"{line}: {outcome}"
    else:
        assert isinstance(outcome, Done), f"{line}: {outcome}"


def disputes(folder: Path) -> Sequence[Path]:
    """The files of all disputes, in order of name."""
    return sorted(path for path in folder.glob("*.md") if path.name != "README.md")
