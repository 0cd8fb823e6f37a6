"""The address of a broker: scheme, hosts, user, options; its password is used, and never shown."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from adapters.errors import UserError


class BrokerError(UserError):
    """The broker cannot be used: which, why, and what to do."""


@dataclass(frozen=True)
class BrokerAddress:
    """Where a broker is, and how to log in."""

    scheme: str
    hosts: tuple[str, ...]
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    path: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def _secret(self) -> str | None:
        """What is never shown: the password or, for NATS, a user without password, which is a token."""
        is_token = self.password is None and self.scheme in ("nats", "tls")
        return self.user if is_token else self.password

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user and self.user != self._secret else ""
        return f"{self.scheme}://{user}{','.join(self.hosts)}{self.path}"

    def urls(self, scheme: str | None = None) -> list[str]:
        """The address of each host as client libraries take it, password included."""
        password = f":{quote(self.password, safe='')}" if self.password is not None else ""
        login = f"{quote(self.user or '', safe='')}{password}@" if self.user or password else ""
        return [f"{scheme or self.scheme}://{login}{host}{self.path}" for host in self.hosts]

    def number(self, option: str, default: int) -> int:
        """A whole number given after `?`. Raises BrokerError."""
        given = self.options.get(option, str(default))
        if not (given.isdecimal() and int(given) > 0):
            raise BrokerError(f"{self}: {option}={given} is no whole number above 0")
        return int(given)

    def refused(self, error: Exception | str) -> BrokerError:
        """The error where this broker does not do what it was asked."""
        reason = str(error) or type(error).__name__
        if secret := self._secret:
            reason = reason.replace(secret, "***").replace(quote(secret, safe=""), "***")
        return BrokerError(f"{self}: {reason}")

    @contextmanager
    def refusing(self, *failures: type[Exception]) -> Iterator[None]:
        """Turn these errors of a client library into a BrokerError."""
        try:
            yield
        except failures as error:
            raise self.refused(error) from None

    def unreachable(self, error: Exception | str) -> BrokerError:
        """The error where this broker does not answer at all."""
        return BrokerError(f"{self.refused(error)}: nothing answers there; is VERBALE_BROKER right, and the server up?")


OPTIONS: dict[str, frozenset[str]] = {
    "nats": frozenset({"redelivered_after", "replicas"}),
    "tls": frozenset({"redelivered_after", "replicas"}),
    "amqp": frozenset(),
    "amqps": frozenset(),
    "redis": frozenset({"redelivered_after"}),
    "rediss": frozenset({"redelivered_after"}),
    "kafka": frozenset({"replicas", "partitions"}),
    "kafkas": frozenset({"replicas", "partitions"}),
}
"""What may follow `?` in the address of each kind of broker. `tls` is NATS too: its own clients say so."""


def read_address(url: str) -> BrokerAddress:
    """The broker an address names. Raises BrokerError, which never repeats a password."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise BrokerError(f"VERBALE_BROKER: that names no broker: {error}") from None
    if parts.scheme not in OPTIONS or not parts.netloc:
        schemes = ", ".join(f"{scheme}://" for scheme in OPTIONS)
        named = f"{parts.scheme}:..." if parts.scheme else "that"
        raise BrokerError(f"VERBALE_BROKER: {named} names no broker: write one of {schemes} and HOST:PORT after it")
    address = _address(parts)
    if not address.hosts:
        raise BrokerError(f"{address}: there is no host: write HOST:PORT, or HOST alone")
    if wrong := [host for host in address.hosts if not _is_host(host)]:
        raise BrokerError(f"{address}: {wrong[0]} is no host: write HOST:PORT, or HOST alone")
    unknown = sorted(set(address.options) - OPTIONS[parts.scheme])
    if unknown:
        known = ", ".join(sorted(OPTIONS[parts.scheme])) or "nothing"
        raise BrokerError(f"{address}: {', '.join(unknown)} means nothing here; after ? there may be {known}")
    return address


def _is_host(text: str) -> bool:
    try:
        named = urlsplit(f"//{text}")
        return bool(named.hostname) and (named.port is None or named.port > 0)
    except ValueError:
        return False


def _address(parts: SplitResult) -> BrokerAddress:
    login, _, hosts = parts.netloc.rpartition("@")
    user, has_password, password = login.partition(":")
    return BrokerAddress(
        parts.scheme,
        tuple(host for host in hosts.split(",") if host),
        unquote(user) or None,
        unquote(password) if has_password else None,
        parts.path,
        dict(parse_qsl(parts.query, keep_blank_values=True)),
    )
