"""What random histories are made of: instants, messages, and who tells them."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

MINUTE = 60_000_000
DAY = 24 * 60
Message = dict[str, Any]
ABOUT = "about"
"""The field in which a correction names the message that it corrects."""

NEWER_FIELDS: dict[str, tuple[str, ...]] = {
    "incident.take_in_charge": ("automatic",),
    "incident.close": ("by", "agreed_by"),
    "contract.revise_service_level": ("by", "agreed_by"),
    "contract.end_option": ("by", "agreed_by"),
    "contract.terminate": ("by", "agreed_by"),
    "contract.renew": ("revokes_termination",),
}
"""Fields that came with annulments, agreements and appointed sources."""
PARTIES = ("supplier", "customer")
SYSTEMS = ("erp", "crm")
SOURCES = {"supplier": "helpdesk:supplier", "customer": "helpdesk:customer"}


@dataclass
class History:
    """Messages, each with the minute at which it arrives, since `start`; both in minutes since 1970."""

    seed: int
    start: int
    span: int
    arrivals: list[tuple[int, Message]] = field(default_factory=list)


def text(minute: int) -> str:
    """An instant as messages write it."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)).isoformat()


def minute_of(written: str) -> int:
    """An instant as messages write it, in minutes since 1970."""
    return int(datetime.fromisoformat(written).timestamp()) // 60


class Teller:
    """Tells a random history, message by message."""

    def __init__(self, rng: Random, history: History, zone: str, newer: bool) -> None:
        self.rng, self.history, self.zone, self.newer = rng, history, zone, newer
        self.names: list[str] = []
        self.told: list[tuple[int, Message]] = []

    def minute(self, least: int = 0, most: int | None = None) -> int:
        """A minute of the history; often a round one, so that several facts meet."""
        first, last = self.history.start + least, self.history.start + (self.history.span if most is None else most)
        minute = self.rng.randint(first, max(first, last))
        return min(max(minute // 30 * 30, first), max(first, last)) if self.rng.random() < 0.5 else minute

    def often(self, share: float) -> bool:
        """Something that happens in a share of histories."""
        return self.rng.random() < share

    def tell(self, kind: str, stream: str, minute: int, data: Message | None = None, late: float = 0.3) -> Message:
        """A fact; told late in a share of cases, by one of several sources."""
        rng = self.rng
        lateness = rng.choice([10, 300, 3 * DAY, 40 * DAY]) if rng.random() < late else 0
        arrives = minute + rng.randint(0, lateness) - (rng.randint(0, 4) if rng.random() < 0.1 else 0)
        said = {
            name: value for name, value in (data or {}).items() if self.newer or name not in NEWER_FIELDS.get(kind, ())
        }
        message = {
            "specversion": "1.0",
            "id": f"m{len(self.told)}",
            "source": rng.choice(["desk:one", "desk:one", "desk:two"]),
            "type": f"verbale.{kind}.v1",
            "subject": stream,
            "time": text(minute),
            "data": said,
        }
        self.told.append((minute, message))
        self.history.arrivals.append((arrives, message))
        return message

    def who(self) -> Message:
        """Which party tells a fact, and who agreed."""
        by = self.rng.choice(PARTIES)
        agreed = [party for party in PARTIES if party != by] if self.often(0.4) else []
        return {"by": by, "agreed_by": agreed}


def wire(message: Message) -> bytes:
    """A message as bytes."""
    return json.dumps(message).encode()
