"""What became of the messages that a command was given, for people and as lines of JSON."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.errors import AnswerIsNo
from adapters.imports.csv_table import Quarantined
from adapters.inbox.ingest import RefusedLine, Tally
from adapters.inbox.messages import Unreadable, read_json
from bin.commands.console import console
from bin.language import Words

SHOWN_REFUSALS = 10


def show_tally(tally: Tally, refused_file: Path | None, say: Words) -> None:
    """Print what became of the messages; status 1 where any was refused."""
    out = console()
    parts = [counted(tally.outcomes[name], name, say) for name in ("done", "duplicate", "waiting", "refused")]
    out.print(f"{counted(tally.messages, 'messages', say)}: {', '.join(parts)}")
    if tally.woken:
        woken = ", ".join(counted(number, name, say) for name, number in sorted(tally.woken.items()))
        out.print(f"{say('earlier messages that waited')}: {woken}")
    if tally.expired:
        out.print(f"{tally.expired} {say('waited too long and were refused (they are kept)')}")
    for line in tally.refused[:SHOWN_REFUSALS]:
        out.print(f"  {line.where}: {say('refused')} [{line.refused.clause}] {say.sentence(line.refused.reason)}")
    if len(tally.refused) > SHOWN_REFUSALS:
        more = len(tally.refused) - SHOWN_REFUSALS
        out.print(f"  ... {more} {say('more')}; --refused FILE {say('receives them all')}")
    if refused_file is not None:
        refused_file.write_text("".join(map(refused_line, tally.refused)), encoding="utf-8")
        out.print(f"{len(tally.refused)} {say('refused messages written to')} {refused_file}")
    if tally.refused:
        raise AnswerIsNo


def counted(number: int, what: str, say: Words) -> str:
    """So many of something; Italian says 1 messaggio, 2 messaggi."""
    singular = f"1 {what}"
    return said if number == 1 and (said := say(singular)) != singular else f"{say.count(number)} {say(what)}"


def refused_line(line: RefusedLine) -> str:
    """A refused message with its reason, as a line of JSON."""
    why = {"clause": line.refused.clause, "field": line.refused.field, "reason": line.refused.reason}
    return json.dumps({"where": line.where, **why, **whole(line.raw)}, ensure_ascii=True) + "\n"


def whole(raw: bytes) -> dict[str, Any]:
    """A message as JSON holds it: under "message" or, where it is no JSON, its bytes under "raw_base64"."""
    try:
        document = read_json(raw)
        json.dumps(document, allow_nan=False)
    except (Unreadable, ValueError, RecursionError):
        return {"raw_base64": base64.b64encode(raw).decode()}
    return {"message": document}


def show_quarantined(file: Path, quarantined: Sequence[Quarantined], say: Words) -> None:
    """Print the first rows that cannot be used, with line and reason."""
    for row in quarantined[:SHOWN_REFUSALS]:
        print(f"  {file}:{row.line}: {say.sentence(row.reason)}")
    if len(quarantined) > SHOWN_REFUSALS:
        more = len(quarantined) - SHOWN_REFUSALS
        print(f"  ... {more} {say('more')}; --quarantine FILE {say('receives them all')}")
