"""What the routes work with; `build` puts it on the application, and a route asks for it by type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from fastapi import Depends, FastAPI, Request

from adapters.imports.desk_mapping import DeskMapping
from adapters.inbox.batcher import Batcher
from bin.http.bearers import Bearers
from bin.http.rate_limit import RateLimit
from bin.metrics import Metrics
from bin.readiness import ReadinessCheck
from bin.settings import Settings


class HelpDesk(NamedTuple):
    """A help desk that calls a webhook: how its requests are read, and the secret that it signs with."""

    mapping: DeskMapping
    secret: str


@dataclass(frozen=True)
class Services:
    """Everything that a request may need; `help_desks` are by the name of their webhook."""

    batcher: Batcher
    settings: Settings
    bearers: Bearers
    rate_limit: RateLimit
    help_desks: Mapping[str, HelpDesk]
    readiness: ReadinessCheck
    metrics: Metrics


def provide(app: FastAPI, services: Services) -> None:
    """Give an application its services."""
    app.state.services = services


def services_of(app: FastAPI) -> Services:
    """The services of an application."""
    services: Services = app.state.services
    return services


async def _of_request(request: Request) -> Services:  # async: what is not would be run in another thread
    return services_of(request.app)


WithServices = Annotated[Services, Depends(_of_request)]
"""How a route asks for the services."""
