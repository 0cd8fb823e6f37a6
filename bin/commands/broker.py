"""The commands about the broker: what must be there, messages published from files, a server for a trial."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from adapters.brokers.address import BrokerError
from adapters.brokers.broker import BrokerClient, set_up
from adapters.brokers.connect import open_client
from adapters.brokers.nats_server import ANY_PORT, NatsServer
from adapters.brokers.outgoing import addressed
from adapters.inbox.ingest import BATCH, Line
from bin.commands.message_files import counting, existing, lines_of
from bin.commands.options import Where, chosen_by, progress
from bin.settings import BadSettings, Settings


def broker(folder: Path = Path("verbale-broker"), /, *, port: int | None = None, where: Where | None = None) -> None:
    """Start a NATS server for a trial, with everything set up for this ledger. Ctrl-C stops it; what it holds stays.

    It listens on the loopback alone, and asks for no password.

    Parameters
    ----------
    folder
        Where it keeps its streams.
    port
        To listen on; else a free one.
    """
    chosen, say = chosen_by(where)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the server is stopped too
    with NatsServer(folder, port or ANY_PORT) as server:
        for line in asyncio.run(_set_up(server.url, chosen)):
            print(line)
        try:
            print(
                f"{say('the broker listens; tell the other commands')}: export VERBALE_BROKER={server.url}", flush=True
            )
            server.wait_until_it_ends()
        except KeyboardInterrupt:
            print(say("stopped; started again in the same folder it goes on"))
            return
    raise BrokerError(f"the NATS server has ended: {folder / 'log'} says why")


def broker_setup(*, where: Where | None = None) -> None:
    """Make the streams, queues and consumers that this ledger needs at the broker (VERBALE_BROKER).

    Can be run again. What is there and configured otherwise is reported, never changed.
    """
    chosen, _ = chosen_by(where)
    for line in asyncio.run(_set_up(_configured(chosen), chosen)):
        print(line)


def publish(
    files: Annotated[list[Path], Parameter(required=True, allow_leading_hyphen=True)],
    /,
    *,
    where: Where | None = None,
) -> None:
    """Publish messages to the broker (VERBALE_BROKER): JSON Lines, from files or from standard input (-).

    Each goes to its own subject; the command ends when the broker has them all. What becomes of them is published by
    verbale consume.

    Parameters
    ----------
    files
        Files of messages; - is standard input.
    """
    chosen, say = chosen_by(where)
    total = existing(files)
    with progress(say("publishing"), total or None) as advance:
        published = asyncio.run(_publish(chosen, counting(lines_of(files), advance)))
    print(f"{published} {say('messages')} {say('published')}")


async def _publish(chosen: Settings, lines: Iterator[Line]) -> int:
    published = 0
    async with _connected(_configured(chosen), chosen) as client:
        while batch := list(islice(lines, BATCH)):
            await client.publish_messages([addressed(chosen.ledger, line.raw) for line in batch])
            published += len(batch)
    return published


async def _set_up(url: str, chosen: Settings) -> list[str]:
    async with _connected(url, chosen) as client:
        return await set_up(client)


@asynccontextmanager
async def _connected(url: str, chosen: Settings) -> AsyncIterator[BrokerClient]:
    client = open_client(url, chosen.ledger)
    try:
        await client.connect()
        yield client
    finally:
        await client.stop()


def _configured(chosen: Settings) -> str:
    if chosen.broker is None:
        raise BadSettings("setting broker: there is none; verbale broker starts one for a trial, and says what to set")
    return chosen.broker
