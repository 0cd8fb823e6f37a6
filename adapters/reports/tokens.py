"""Who may post messages over HTTP, and as which source."""

from adapters.reports.columns import Column, instant, text
from adapters.reports.report import Definition
from adapters.reports.screen import plain
from adapters.store.records import Token

SHOWN_DIGITS = 8

COLUMNS: tuple[Column[Token], ...] = (
    text("source", "the only source that it writes as", lambda token: token.source),
    text("digest", "the start of its SHA-256, by which commands name it", lambda token: shown_digest(token.digest)),
    instant("issued_at", "when it was issued", lambda token: token.issued_at),
    instant("revoked_at", "when it was revoked; none while it is good", lambda token: token.revoked_at, optional=True),
)


def shown_digest(digest: bytes) -> str:
    """The digest of a token, as much of it as is shown."""
    return digest.hex()[:SHOWN_DIGITS]


REPORT = Definition(
    name="tokens",
    title="Tokens",
    columns=COLUMNS,
    screen=(plain("source"), plain("digest"), plain("issued_at", "issued at"), plain("revoked_at", "revoked at")),
    empty="No token has been issued.",
)
