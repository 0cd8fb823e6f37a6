"""Tells Verbale over NATS JetStream that an incident is opened, and prints what became of the message."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime

import nats


async def tell() -> None:
    now = datetime.now(UTC).isoformat()
    name = {"specversion": "1.0", "source": "monitor", "id": f"INC42 opened {now}", "type": "verbale.incident.open.v1"}
    data = {"contract": "acme-2026", "impact": "high", "urgency": "medium"}
    message = json.dumps({**name, "subject": "incident-INC42", "time": now, "data": data}).encode()
    async with await nats.connect(os.environ["VERBALE_BROKER"]) as broker:
        outcomes = await broker.subscribe("verbale.main.outcome.monitor")
        await broker.jetstream().publish("verbale.main.acme-2026.incident.open", message)
        json.dump(json.loads((await outcomes.next_msg(timeout=60)).data), sys.stdout, indent=2)


asyncio.run(tell())
