"""The HTTP application, put together: routes, error handlers, and the services that the routes work with."""

from fastapi import FastAPI

from adapters.imports.desk_mapping import desk_mapping
from adapters.inbox.batcher import Batcher
from bin.http import messages, status_pages, webhooks
from bin.http.bearers import Bearers
from bin.http.error_handlers import answer_errors
from bin.http.openapi import describe
from bin.http.rate_limit import RateLimit
from bin.http.services import HelpDesk, Services, provide
from bin.metrics import Metrics
from bin.readiness import ReadinessCheck
from bin.schemas import VERSION
from bin.settings import Settings


def application() -> FastAPI:
    """Every route, described. `build` also gives it what it needs to answer."""
    app = FastAPI(
        title="Verbale, for producers",
        version=VERSION,
        docs_url=None,  # the pages of the framework load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    answer_errors(app)
    for router in (messages.router, webhooks.router, status_pages.router):
        app.include_router(router)
    describe(app)
    return app


def build(batcher: Batcher, settings: Settings, readiness: ReadinessCheck, metrics: Metrics) -> FastAPI:
    """The application that answers over HTTP. Raises BadMapping and BadSettings where a webhook cannot be read."""
    help_desks = {
        name: HelpDesk(desk_mapping(webhook.mapping), webhook.shared_secret())
        for name, webhook in settings.webhooks.items()
    }
    rate_limit = RateLimit(settings.messages_per_minute)
    app = application()
    provide(app, Services(batcher, settings, Bearers(batcher), rate_limit, help_desks, readiness, metrics))
    return app
