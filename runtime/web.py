"""The web process: the application with its tools opened, and the internal port beside it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI
from temporalio.client import Client

from api.app import assemble
from api.entrance.oidc import IdentityProvider
from api.tools import Budgets, Tools
from domain.calendar import local_date
from models.tables.engine import make_engine
from rules.library import Library
from runtime.codec import converter
from runtime.metrics import InternalPort
from runtime.settings import PROJECT_ROOT, Settings

CONNECTIONS = 16
FILES, ANCHORS = "files", "anchors"


def create(settings: Settings | None = None) -> FastAPI:
    """The application for uvicorn; without settings it reads them from the environment."""
    told = settings or Settings()
    return assemble(_opening(told), Budgets(), local_date(datetime.now(UTC)))


@asynccontextmanager
async def open_tools(settings: Settings) -> AsyncIterator[Tools]:
    """Connections and rules of the API, closed again at the end.

    Temporal is connected to lazily: while it is down the API starts, reads, and says that it is not ready.
    """
    async with AsyncExitStack() as closing:
        engine = make_engine(settings.database, CONNECTIONS)
        closing.push_async_callback(engine.dispose)
        yield Tools(
            temporal=await _temporal(settings),
            engine=engine,
            task_queue=settings.task_queue,
            rules=Library(PROJECT_ROOT / "rules" / "packs", PROJECT_ROOT / "rules" / "calendars"),
            files=settings.var / FILES,
            secret=settings.secret_key,
            sealing=settings.sealing,
            base_url=settings.base_url,
            scan=settings.scan,
            temporal_ui=(settings.temporal_ui_url or "").rstrip("/"),
            anchors=settings.var / ANCHORS,
            identity=_identity(settings),
        )


def _identity(settings: Settings) -> IdentityProvider | None:
    """The provider people with accounts sign in at; asked for the first time when the first of them comes."""
    if settings.oidc_issuer is None or settings.oidc_client_secret is None:
        return None
    secret = settings.oidc_client_secret.get_secret_value()
    return IdentityProvider(settings.oidc_issuer, settings.oidc_client_id, secret)


def _opening(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[Tools]]:
    @asynccontextmanager
    async def opening(_: FastAPI) -> AsyncIterator[Tools]:
        async with open_tools(settings) as tools:
            port = InternalPort(settings.bind, settings.web_metrics_port, lambda: True)
            try:
                yield tools
            finally:
                port.close()

    return opening


async def _temporal(settings: Settings) -> Client:
    return await Client.connect(
        **settings.temporal_connect_config(),  # pyright: ignore[reportArgumentType] - a narrower dictionary
        data_converter=converter(settings),
        lazy=True,
    )
