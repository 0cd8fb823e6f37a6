"""The log of a process that runs until it is stopped: one JSON object a line on standard error, with instants in UTC.

It holds counts, seconds and kinds of trouble; never the content of a message, a token or a password. What libraries log
goes the same way.
"""

import logging
import re
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from adapters.brokers.broker import BrokerError
from adapters.inbox.batcher import Handled
from adapters.inbox.handler import Reply, outcome_name
from adapters.store.ledger import StoreError

LIBRARIES = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "faststream")
_PASSWORD = re.compile(r"(://[^/@\s:]*:)\S*@")
_DEEPEST = 20
LONGEST_DELIVERY = 100

_log = structlog.get_logger("verbale")


def set_up(out: TextIO | None = None) -> None:
    """Write everything that this process logs to `out`; to standard error by default."""
    first: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        where_it_failed,
        without_passwords,
    ]
    handler = logging.StreamHandler(out or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *first],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in LIBRARIES:
        through_here(name)
    structlog.configure(
        processors=[*first, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def through_here(name: str) -> logging.Logger:
    """The logger of a library, which from now on writes through the log of this process alone."""
    logger = logging.getLogger(name)
    logger.handlers.clear()
    logger.propagate = True
    return logger


def log_batch(handled: Handled) -> None:
    """A batch was recorded: how many messages of which outcome, in how many seconds."""
    answered = handled.answered
    later = {"woken": len(answered.woken), "expired": len(answered.expired)}
    counts = {**_counts(answered.replies), **{name: number for name, number in later.items() if number}}
    _log.info("batch", seconds=round(handled.seconds, 4), **counts)


def log_webhook(desk: str, delivery: str | None, replies: Sequence[Reply]) -> None:
    """A help desk called: the outcomes of its messages, and the desk's own name of the delivery, if it gave one."""
    named = {"delivery": delivery[:LONGEST_DELIVERY]} if delivery else {}
    _log.info("webhook", desk=desk, **named, **_counts(replies))


def _counts(replies: Sequence[Reply]) -> Counter[str]:
    return Counter(outcome_name(reply.outcome) for reply in replies)


def log_trouble(error: Exception) -> None:
    """An attempt failed. The words of store and broker errors are ours; any other error's may quote a message."""
    if isinstance(error, StoreError | BrokerError):
        _log.warning("trouble", kind=type(error).__name__, said=str(error))
    else:
        _log.error("trouble", exc_info=error)


def without_passwords(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Take the passwords out of addresses."""
    return {key: _PASSWORD.sub(r"\1***@", value) if isinstance(value, str) else value for key, value in event.items()}


def where_it_failed(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep of an exception only its kind and its places in the code: its words may quote a message."""
    given = event.pop("exc_info", None)
    error = sys.exception() if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["kind"], event["where"] = type(error).__name__, _places(error.__traceback__)
    return event


def _places(raised: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(raised)[-_DEEPEST:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
