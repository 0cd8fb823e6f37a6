"""The names of streams: a kind, then the id of the contract, credit account or incident, as `incident-INC0001`."""

from typing import NamedTuple


class StreamName(NamedTuple):
    """The two parts of the name of a stream. The id may hold a "-" itself; the kind does not."""

    kind: str
    id: str


def split_stream(stream: str) -> StreamName:
    """The kind and the id of a stream; the id is empty where `stream` has no "-"."""
    kind, _, name = stream.partition("-")
    return StreamName(kind, name)
