"""What a command needs that is not installed with the rest: brokers, HTTP and PostgreSQL are extras of the wheel."""

import os
import sys
from collections.abc import Sequence
from traceback import walk_tb

from adapters.errors import MissingExtra

EXTRAS = {
    "adapters.brokers.kafka": "kafka",
    "adapters.brokers.nats": "nats",
    "adapters.brokers.rabbitmq": "rabbitmq",
    "adapters.brokers.redis": "redis",
    "adapters.live_tables.postgres": "postgresql",
    "adapters.store.postgres": "postgresql",
    "adapters.store.postgres_connection": "postgresql",
    "adapters.store.postgres_errors": "postgresql",
    "adapters.store.postgres_notifications": "postgresql",
    "adapters.store.postgres_recorder": "postgresql",
    "adapters.store.postgres_schema": "postgresql",
    "adapters.store.postgres_url": "postgresql",
    "bin.http": "http",
}
"""The extra that a module of ours needs, or a package with all its modules."""
LAUNCHER, LEVEL = "VERBALE_LAUNCHER", "VERBALE_LEVEL"
"""Set by bin/verbale: itself, and how much of the pinned packages it has installed."""


def missing_extra(error: ImportError) -> MissingExtra | None:
    """What is missing where a module of an extra could not be loaded; None where the error is another."""
    missing = (error.name or "").partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or missing in ("domain", "projections", "adapters", "bin"):
        return None
    importing = (extra_of(frame.f_globals.get("__name__")) for frame, _ in walk_tb(error.__traceback__))
    found = [extra for extra in importing if extra]
    return MissingExtra(found[-1], missing) if found else None


def extra_of(module: str | None) -> str | None:
    """The extra that a module of ours needs; None where it needs none."""
    name = module or ""
    while name and name not in EXTRAS:
        name = name.rpartition(".")[0]
    return EXTRAS.get(name)


def install_in_the_checkout(arguments: Sequence[str]) -> None:
    """Begin again with every pinned package installed, where bin/verbale started us with fewer; else do nothing."""
    if LAUNCHER in os.environ and os.environ.get(LEVEL) == "core":
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os.execve(os.environ[LAUNCHER], [os.environ[LAUNCHER], *arguments], {**os.environ, LEVEL: "app"})
