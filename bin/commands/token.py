"""Who may post over HTTP: tokens, each of which writes as one source; only their digests are kept."""

import re
import sys

from adapters.errors import BadQuestion, NotOnRecord
from adapters.inbox.messages import is_label
from adapters.reports.columns import json_row
from adapters.reports.question import HOUSE_ZONE
from adapters.reports.tokens import REPORT as TOKENS
from adapters.reports.tokens import shown_digest
from adapters.reports.wording import Writing
from adapters.store.ledger import Ledger
from adapters.store.records import Token
from bin.commands.console import Plain, console, show_listing, table
from bin.commands.options import Where, chosen_by, ledger_of
from bin.tokens import digest_of, new_token
from domain.values import instant_text

_START_OF_DIGEST = re.compile(r"[0-9a-f]{4,64}", re.ASCII)


def token_issue(source: str, /, *, where: Where | None = None) -> None:
    """Let somebody post over HTTP as one source: print a new token, this once. Only its digest is kept.

    Parameters
    ----------
    source
        The only source that messages posted with it may name, as "helpdesk:acme".
    """
    if not is_label(source):
        raise BadQuestion(
            f"{source!r} cannot be the source of a message: up to 500 characters, none to control a screen"
        )
    chosen, say = chosen_by(where)
    token = new_token()
    with ledger_of(chosen, create=True) as ledger:
        ledger.store.issue_token(digest_of(token), source)
    print(token)
    shown = say("verbale: a token for {source}, known as {digest} from now on; it will not be shown again")
    print(shown.format(source=source, digest=shown_digest(digest_of(token))), file=sys.stderr)


def token_list(*, format: Plain = "table", where: Where | None = None) -> None:
    """List the tokens: source, start of the digest, when issued, when revoked.

    Parameters
    ----------
    format
        table or json.
    """
    chosen, say = chosen_by(where)
    with ledger_of(chosen) as ledger:
        tokens = list(ledger.store.tokens())
    if format == "json" or not tokens:
        show_listing(TOKENS, tokens, format, say)
    else:
        rows = [json_row(TOKENS.columns, token) for token in tokens]
        console().print(table(TOKENS.screen, rows, Writing(say, HOUSE_ZONE)))


def token_revoke(digest: str, /, *, where: Where | None = None) -> None:
    """No longer take what is posted with a token; it stays on the list.

    Parameters
    ----------
    digest
        The start of its digest, as `verbale token list` shows it.
    """
    chosen, say = chosen_by(where)
    with ledger_of(chosen) as ledger:
        token = _the_one(ledger, digest)
        ledger.store.revoke_token(token.digest)
    revoked = say("revoked: {digest}, which wrote as {source}")
    print(revoked.format(digest=shown_digest(token.digest), source=token.source))


def _the_one(ledger: Ledger, start: str) -> Token:
    if not _START_OF_DIGEST.fullmatch(start):
        raise BadQuestion(
            f"{start} is no start of a digest: give 4 hexadecimal digits or more, as verbale token list does"
        )
    found = [token for token in ledger.store.tokens() if token.digest.hex().startswith(start)]
    if not found:
        raise NotOnRecord(f"no token has a digest that starts with {start}: verbale token list shows them")
    if len(found) > 1:
        raise BadQuestion(f"{len(found)} tokens have a digest that starts with {start}: give more of it")
    if found[0].revoked_at is not None:
        raise BadQuestion(
            f"the token {shown_digest(found[0].digest)} was revoked at {instant_text(found[0].revoked_at)}"
        )
    return found[0]
