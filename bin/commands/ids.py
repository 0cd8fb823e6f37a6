"""Ids as people write them: B-13 or incident-B-13, alfa-2025 or contract-alfa-2025."""

from adapters.store.ledger import Ledger


def stream_named(typed: str, ledger: Ledger) -> str:
    """The stream that an id means: what is typed where it is one, else the incident or the contract of that id.

    An id under which nothing is on record is given back as it was typed. Raises StoreError.
    """
    streams = (typed, f"incident-{typed}", f"contract-{typed}")
    return next((stream for stream in streams if is_on_record(stream, ledger)), typed)


def incident_named(typed: str, ledger: Ledger) -> str:
    """The incident that an id means, be it typed as its stream is called. Raises StoreError."""
    return _without("incident-", typed, ledger)


def contract_named(typed: str, ledger: Ledger) -> str:
    """The contract that an id means, be it typed as its stream is called. Raises StoreError."""
    return _without("contract-", typed, ledger)


def _without(prefix: str, typed: str, ledger: Ledger) -> str:
    # An id may itself begin so: where it is on record as typed, it is that one.
    is_stream = typed.startswith(prefix) and not is_on_record(f"{prefix}{typed}", ledger)
    return typed.removeprefix(prefix) if is_stream else typed


def is_on_record(stream: str, ledger: Ledger) -> bool:
    """Whether any fact is recorded under a stream. Raises StoreError."""
    return stream in ledger.store.stream_names(stream)
