"""Whether a webhook's request comes from the help desk: its signature, an HMAC of the body with a shared secret."""

import hmac
import re
from collections.abc import Mapping

from adapters.imports.desk_mapping import DeskMapping
from domain.values import MINUTE, SECOND, instant_text

_WHOLE_SECONDS = re.compile(r"\d{1,11}", re.ASCII)


class BadSignature(Exception):
    """The request is not proved to come from the help desk; the message says why."""


def check_signature(mapping: DeskMapping, secret: str, headers: Mapping[str, str], body: bytes, now: int) -> None:
    """Raise BadSignature unless this body was signed with `secret`; `now` is in microseconds UTC."""
    rule = mapping.signature
    given = _header(headers, rule.header)
    if not secret:
        raise BadSignature(f"{mapping.source}: without a secret nothing proves who sent this: configure one")
    if given is None:
        raise BadSignature(f"{mapping.source}: not signed (no header {rule.header}): give the desk the shared secret")
    stamp = _timestamp(mapping, headers, now) if rule.timestamp_header else ""
    expected = rule.prefix + hmac.new(secret.encode(), body + stamp.encode(), rule.algorithm).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.strip().encode()):
        raise BadSignature(f"{mapping.source}: wrong signature in {rule.header}: the body or the secret is another one")


def _timestamp(mapping: DeskMapping, headers: Mapping[str, str], now: int) -> str:
    rule = mapping.signature
    stamp = _header(headers, rule.timestamp_header or "")
    if stamp is None or not _WHOLE_SECONDS.fullmatch(stamp):
        raise BadSignature(f"{mapping.source}: no header {rule.timestamp_header} with the seconds since 1970")
    if abs(now - int(stamp) * SECOND) > rule.tolerance_minutes * MINUTE:
        raise BadSignature(
            f"{mapping.source}: signed more than {rule.tolerance_minutes} minutes from now ({instant_text(now)}): it "
            "waited too long, was sent again by somebody else, or one of the clocks is wrong (tolerance_minutes)"
        )
    return stamp


def delivery_of(mapping: DeskMapping, headers: Mapping[str, str]) -> str | None:
    """The desk's own name of this delivery, for the log.

    It does not identify the content: Zammad writes the body anew when it sends again.
    """
    return _header(headers, mapping.signature.delivery_header) if mapping.signature.delivery_header else None


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for given, value in headers.items() if given.lower() == name.lower()), None)
