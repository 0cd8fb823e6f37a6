"""Metrics for Prometheus: what came in, what became of it, and what is ready. No label holds an id."""

import math
from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from adapters.inbox.batcher import Handled
from adapters.inbox.outcomes import Reply, outcome_name
from bin.readiness import ReadinessResult
from domain.values import SECOND

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SIZES = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500)
WAITED = "waited"
"""The way in of a message that had waited: another message or the end of its patience gave it its last outcome."""


class Metrics:
    """Counts of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._messages = Counter(
            "verbale_messages", "Messages by the way they came in and what became of them.", ["way", "outcome"],
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "verbale_batch_seconds", "How long it took to decide and record a batch.", registry=self.registry,
            buckets=SECONDS,
        )  # fmt: skip
        self._sizes = Histogram(
            "verbale_batch_messages", "How many messages a batch had.", registry=self.registry, buckets=SIZES
        )
        self._troubles = Counter(
            "verbale_troubles", "Attempts that failed, by the kind of error.", ["kind"], registry=self.registry
        )

    def on_handled(self, handled: Handled) -> None:
        """A batch was recorded."""
        self._seconds.observe(handled.seconds)
        self._sizes.observe(len(handled.answered.replies))
        self.replied(WAITED, [*handled.answered.woken, *handled.answered.expired])

    def on_trouble(self, error: Exception) -> None:
        """Something failed."""
        self._troubles.labels(type(error).__name__).inc()

    def replied(self, way: str, replies: Iterable[Reply]) -> None:
        """Messages that came in some way (http, webhook, broker) were answered."""
        for outcome, number in Tally(outcome_name(reply.outcome) for reply in replies).items():
            self._messages.labels(way, outcome).inc(number)

    def exposition(self, result: ReadinessResult) -> bytes:
        """As Prometheus reads it: what was counted, and the state of the store and its tables at one result."""
        return generate_latest(self.registry) + generate_latest(_gauges(result))


def _gauges(result: ReadinessResult) -> CollectorRegistry:
    """Gauges of one readiness check; the store's figures are left out where the store is away."""
    registry = CollectorRegistry()

    def gauge(name: str, meaning: str, value: float) -> None:
        Gauge(f"verbale_{name}", meaning, registry=registry).set(value)

    gauge("store_up", "Whether the store answers.", result.store.ready)
    if result.broker is not None:
        gauge("broker_up", "Whether the broker answers.", result.broker.ready)
    if (figures := result.figures) is None:
        return registry
    status = figures.status
    gauge("facts", "Facts on record.", status.counts["facts"])
    gauge("waiting", "Messages that wait for what they belong to.", status.counts["waiting"])
    gauge("refused", "Messages refused, and kept.", status.counts["refused"])
    gauge("outbox", "Outcomes still to be published.", figures.unpublished)
    if status.at is not None:
        gauge("projection_lag_positions", "Facts that are not in the live tables yet.", status.lag_positions)
        gauge("projection_lag_seconds", "For how long the first of them has been on record.", status.lag_us / SECOND)
    silence_seconds = Gauge(
        "verbale_source_silence_seconds",
        "Since a source that has an alarm was last heard; infinite where it never was.",
        ["source"],
        registry=registry,
    )
    allowed_seconds = Gauge(
        "verbale_source_silence_allowed_seconds", "For how long it may be silent.", ["source"], registry=registry
    )
    for silence in figures.silences:
        silence_seconds.labels(silence.source).set(
            math.inf if silence.silent_us is None else silence.silent_us / SECOND
        )
        allowed_seconds.labels(silence.source).set(silence.allowed_us / SECOND)
    return registry
