"""The JSON Schemas that producers check their messages against, and the version of the contract that they belong to."""

from typing import Any

from adapters.inbox.messages import schema
from adapters.inbox.outcome_events import OUTCOME_TYPE, outcome_schema
from domain.catalogue import COMMANDS

VERSION = "1"
"""Of the contract: within it commands and optional fields are added, and nothing that a producer relies on changes."""


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every message and of the outcome, by type."""
    return {**{name: schema(name) for name in COMMANDS}, OUTCOME_TYPE: outcome_schema()}
