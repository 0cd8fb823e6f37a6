"""Subjects of messages and outcomes: names that every broker understands.

A message: `verbale.LEDGER.CONTRACT.KIND.VERB`, as `verbale.main.acme-2026.incident.open`; `_` where there is no
contract. An outcome: `verbale.LEDGER.outcome.SOURCE`; `_` where the source could not be read. The two never overlap:
they differ in length.
"""

from hashlib import sha256
from urllib.parse import quote, unquote

NONE = "_"
PREFIX = "verbale"


def token(text: str | None) -> str:
    """A name as one word of a subject: no dot, no wildcard, no space in any broker's language. `word` undoes it."""
    if text is None:
        return NONE
    if text == NONE:
        return "%5F"
    return quote(text, safe="").replace(".", "%2E").replace("~", "%7E")


def word(escaped: str) -> str | None:
    """The name that a token stands for."""
    return None if escaped == NONE else unquote(escaped)


def shortened(subject: str, longest: int) -> str:
    """The same subject with words of at most `longest` bytes, for brokers that take no more: a longer word is replaced
    by the first 40 digits of its SHA-256.
    """
    return ".".join(
        word if len(word) <= longest else sha256(word.encode()).hexdigest()[:40] for word in subject.split(".")
    )


def message_subject(ledger: str, contract: str | None, message_type: str) -> str:
    """Where a producer publishes a message; `message_type` as `verbale.incident.open.v1`."""
    _, kind, verb, _ = message_type.split(".")
    return f"{PREFIX}.{token(ledger)}.{token(contract)}.{kind}.{verb}"


def every_message(ledger: str) -> str:
    """The pattern of all subjects of messages."""
    return f"{PREFIX}.{token(ledger)}.*.*.*"


def outcome_subject(ledger: str, source: str | None) -> str:
    """Where the outcomes of a source's messages are published."""
    return f"{PREFIX}.{token(ledger)}.outcome.{token(source)}"


def every_outcome(ledger: str) -> str:
    """The pattern of all subjects of outcomes."""
    return f"{PREFIX}.{token(ledger)}.outcome.*"
