"""The client for an address: the only place that knows every broker."""

from adapters.brokers.address import read_address
from adapters.brokers.broker import BrokerClient


def open_client(url: str, ledger: str) -> BrokerClient:
    """The client of the broker at an address, for a ledger; not connected yet. Raises BrokerError."""
    address = read_address(url)
    # Each client is imported only where it is used: its library takes a while to load.
    match address.scheme:
        case "nats" | "tls":
            from adapters.brokers.nats import NatsClient

            return NatsClient(address, ledger)
        case "redis" | "rediss":
            from adapters.brokers.redis import RedisClient

            return RedisClient(address, ledger)
        case "amqp" | "amqps":
            from adapters.brokers.rabbitmq import RabbitClient

            return RabbitClient(address, ledger)
        case "kafka" | "kafkas":
            from adapters.brokers.kafka import KafkaClient

            return KafkaClient(address, ledger)
    raise AssertionError(f"{address.scheme}:// is a scheme of `OPTIONS` that has no client here")
