"""The commands by which people say something of facts on record: annul, agree, rectify; and who speaks for whom.

Each makes an ordinary message and gives it to the handler that all messages go through. What that would refuse is told
before anything is recorded: a slip of the keyboard is not kept among the refused messages.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cyclopts import Parameter
from rich.text import Text

from adapters.errors import AnswerIsNo, BadQuestion, UserError
from adapters.imports.act_messages import message_of, record_message
from adapters.inbox.decisions import Decisions
from adapters.inbox.messages import Unreadable, read_message
from adapters.inbox.outcomes import Done, Duplicate, Outcome, Refused, Waiting
from adapters.inbox.streams import Streams
from adapters.reports.question import HOUSE_ZONE, first_instant_of, instant_typed
from adapters.reports.timeline import lines_told, nothing_under, told
from adapters.reports.wording import Writing, visible
from bin.commands.console import console
from bin.commands.ids import contract_named, is_on_record, stream_named
from bin.commands.options import PartyTyped, Where, chosen_by, ledger_of
from bin.compose import clock, open_handler
from bin.language import Words
from bin.settings import Settings
from domain.facts import NotYet, Rejected, refuse_future
from domain.values import instant_text

if TYPE_CHECKING:
    from adapters.store.ledger import Ledger

FROM_COMMAND = "verbale://record"


class WouldBeRefused(UserError):
    """The message would be refused; the sentence gives the reason and the clause. Nothing is recorded."""

    status = 1


@Parameter(name="*")
@dataclass(frozen=True)
class Saying:
    """Options of every command that says something of the record: when, as which source, who acts."""

    at: str | None = None
    "When it was said: an instant (2025-12-31T18:00:00+01:00) or the beginning of a day (2025-12-31); else now."

    source: str = FROM_COMMAND
    "The source of the message. A contract that has appointed sources takes only theirs."

    actor: str | None = None
    "Who acts: an identifier, never a name."


def record_annul(
    stream: str,
    version: int,
    /,
    *,
    why: str,
    by: PartyTyped | None = None,
    agreed_by: PartyTyped | None = None,
    saying: Saying | None = None,
    where: Where | None = None,
) -> None:
    """Withdraw a recorded fact: it counts as if it had never been recorded. It stays on record.

    Parameters
    ----------
    stream
        contract-ID, credits-ID or incident-ID; or the id alone, of an incident or else of a contract.
    version
        The number of the fact in the stream (verbale timeline STREAM shows them).
    why
        Why it is withdrawn.
    by
        The party that says so; else the one that the source is appointed to, or the supplier.
    agreed_by
        The other party, where it agrees.
    """
    data = {"version": version, "why": why, **_parties(by, agreed_by)}
    _say_of_fact(stream, version, "annul", [data], saying or Saying(), where)


def record_agree(
    stream: str,
    version: int | None = None,
    /,
    *,
    up_to: int | None = None,
    by: PartyTyped | None = None,
    saying: Saying | None = None,
    where: Where | None = None,
) -> None:
    """Record that a party agrees to a fact, or to every fact of a contract up to a position: an admission, for good.

    Parameters
    ----------
    stream
        contract-ID, credits-ID or incident-ID; or the id alone, of an incident or else of a contract.
    version
        The number of the fact in the stream (verbale timeline STREAM shows them).
    up_to
        Instead of one version: every fact of the contract up to this position of the log (verbale facts shows them).
    by
        The party that agrees; left out, the one that the source is appointed to.
    """
    if (version is None) is (up_to is None):
        raise BadQuestion("an agreement is to one VERSION, or to every fact of a contract --up-to a position")
    data = {"version": version} if version is not None else {"up_to": up_to}
    _say_of_fact(stream, version, "agree", [{**data, **_parties(by)}], saying or Saying(), where, up_to)


def record_rectify(
    stream: str,
    version: int,
    /,
    *,
    field: str,
    value: str,
    why: str,
    by: PartyTyped | None = None,
    agreed_by: PartyTyped | None = None,
    saying: Saying | None = None,
    where: Where | None = None,
) -> None:
    """Correct one field of a recorded fact. What was recorded stays on record beside it.

    Parameters
    ----------
    stream
        contract-ID, credits-ID or incident-ID; or the id alone, of an incident or else of a contract.
    version
        The number of the fact in the stream (verbale timeline STREAM shows them).
    field
        The field that is wrong, as verbale timeline names it; `at` is when the fact occurred.
    value
        What is right: text as it is; numbers, true, false, null (none), lists and objects as JSON.
    why
        Why it is corrected.
    by
        The party that says so; else the one that the source is appointed to, or the supplier.
    agreed_by
        The other party, where it agrees.
    """
    data = {"version": version, "field": field, "why": why, **_parties(by, agreed_by)}
    possible = [{**data, "value": one} for one in _values(value)]
    _say_of_fact(stream, version, "rectify", possible, saying or Saying(), where)


def record_appoint(
    contract: str, source: str, party: PartyTyped, /, *, saying: Saying | None = None, where: Where | None = None
) -> None:
    """Appoint a source of messages to a party: from now on it speaks for that party, and for that party alone.

    Once a contract appoints sources, no other source speaks of its requests.

    Parameters
    ----------
    contract
        The id of the contract, also as contract-ID.
    source
        The source to appoint, as its messages name it.
    party
        The party that it speaks for.
    """
    _say_of_source(contract, "appoint_source", {"source": source, "party": party}, saying or Saying(), where)


def record_dismiss(contract: str, source: str, /, *, saying: Saying | None = None, where: Where | None = None) -> None:
    """Dismiss a source of messages: from now on it speaks for no party of the contract.

    Parameters
    ----------
    contract
        The id of the contract, also as contract-ID.
    source
        The source to dismiss, as its messages name it.
    """
    _say_of_source(contract, "dismiss_source", {"source": source}, saying or Saying(), where)


# --- what is said -----------------------------------------------------------------------------------------------


def _parties(by: PartyTyped | None, agreed_by: PartyTyped | None = None) -> dict[str, Any]:
    """What is left out is decided by who speaks for whom (R7)."""
    return {**({"by": by} if by else {}), **({"agreed_by": [agreed_by]} if agreed_by else {})}


def _values(typed: str) -> Iterator[Any]:
    """What a value as typed may mean, the likeliest first: text, else JSON."""
    try:
        as_json = json.loads(typed)
    except (ValueError, RecursionError):
        yield typed
        return
    yield from (as_json, typed) if as_json is None or isinstance(as_json, list | dict) else (typed, as_json)


def _say_of_fact(
    typed: str,
    version: int | None,
    act: str,
    possible: list[dict[str, Any]],
    saying: Saying,
    where: Where | None,
    up_to: int | None = None,
) -> None:
    chosen, say = chosen_by(where)
    at = _instant(saying)
    with ledger_of(chosen) as ledger:
        stream = stream_named(typed, ledger)
        if not is_on_record(stream, ledger):
            raise nothing_under(stream)
        raw = _acceptable([record_message(saying.source, stream, act, at, data) for data in possible], saying, ledger)
        if version is not None:
            _show_fact(stream, version, ledger, say)
        if up_to is not None:
            _show_how_many(stream, up_to, ledger, say)
        _tell(_handled(raw, ledger, chosen), say)


def _say_of_source(contract: str, act: str, data: Mapping[str, str], saying: Saying, where: Where | None) -> None:
    chosen, say = chosen_by(where)
    at = _instant(saying)
    with ledger_of(chosen) as ledger:
        name = contract_named(contract, ledger)
        if not is_on_record(f"contract-{name}", ledger):
            raise nothing_under(f"contract-{name}")
        raw = _acceptable([message_of(saying.source, "contract", name, act, at, data)], saying, ledger)
        _tell(_handled(raw, ledger, chosen), say)


def _instant(saying: Saying) -> str:
    return instant_text(instant_typed("at", saying.at, clock(), of_day=first_instant_of))


def _acceptable(possible: list[dict[str, Any]], saying: Saying, ledger: "Ledger") -> bytes:
    """The first of some messages that the handler would take. Raises WouldBeRefused, which says why not the first."""
    refusals: list[str] = []
    for one in possible:
        raw = json.dumps(one if saying.actor is None else {**one, "actor": saying.actor}, ensure_ascii=False).encode()
        try:
            message = read_message(raw)
            if ledger.store.receipts([message.identity]):
                return raw  # it is answered as the first time
            refuse_future(message.command.at, clock(), "--at")
            Decisions(Streams(ledger), ledger.store).facts(message)
        except Unreadable as unreadable:
            refusals.append(f"{unreadable.reason} [{unreadable.clause}]; nothing was recorded")
        except Rejected as rejected:
            refusals.append(f"{rejected.reason} [{rejected.clause}]; nothing was recorded")
        except NotYet as not_yet:
            refusals.append(f"{not_yet.reason}; nothing was recorded")
        else:
            return raw
    raise WouldBeRefused(refusals[0])


def _handled(raw: bytes, ledger: "Ledger", chosen: Settings) -> Outcome:
    return open_handler(ledger, chosen).handle([raw]).outcomes[0]


# --- what is printed --------------------------------------------------------------------------------------------


def _show_fact(stream: str, version: int, ledger: "Ledger", say: Words) -> None:
    """What the fact says that something is said of."""
    sealed = ledger.sealed(stream)
    entry, origin = sealed[version - 1].entry, sealed[version - 1].origin
    writing = Writing(say, HOUSE_ZONE)
    at = writing.local(instant_text(entry.fact.at), seconds=True)
    by = visible(origin.actor or origin.source)
    lines = [f"{stream} {version}: {entry.fact.TYPE}, {at} ({HOUSE_ZONE.key}), {say('told by')} {by}"]
    facts = {one.entry.version: one.entry.fact for one in sealed}
    lines += lines_told(entry.fact, told(entry.fact, facts), writing)
    _print(lines)


def _show_how_many(stream: str, up_to: int, ledger: "Ledger", say: Words) -> None:
    """How many facts an agreement reaches: the contract's own, those of its credits and of its requests."""
    contract = stream.removeprefix("contract-")
    number = sum(row.contract == contract for row in ledger.store.rows(None, None) if row.position <= up_to)
    _print([say("{stream} up to position {up_to}: {number} facts").format(stream=stream, up_to=up_to, number=number)])


def _tell(outcome: Outcome, say: Words) -> None:
    """What became of the message. Raises AnswerIsNo where it was not recorded, because another came first."""
    match outcome:
        case Done():
            said = say("Recorded: {stream} version {version}, leaf {leaf}.")
            _print([said.format(stream=outcome.stream, version=outcome.version, leaf=outcome.leaf)])
        case Duplicate():
            _print([say("This is on record already: nothing was recorded.")])
        case Refused():
            _print([f"{say('refused')} [{outcome.clause}] {say.sentence(outcome.reason)}"])
            raise AnswerIsNo
        case Waiting():
            _print([f"{say('waiting')}: {say.sentence(outcome.reason)}"])
            raise AnswerIsNo


def _print(lines: list[str]) -> None:
    out = console()
    for line in lines:
        out.print(Text(line))
