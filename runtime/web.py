"""The web process: the application with its tools opened, and the internal port beside it."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from api import metrics
from api.app import assemble
from api.identity import IdentityProvider
from api.tools import Budgets, Tools
from domain.calendar import local_date
from models.tables.engine import make_engine
from rules.library import Library
from runtime.clock import DatabaseClock
from runtime.codec import converter
from runtime.metrics import InternalPort
from runtime.settings import PROJECT_ROOT, Settings
from runtime.witnesses import WrongKeys, proved

CONNECTIONS = 16
FILES, ANCHORS = "files", "anchors"
PROVED_WITHIN = 3.0  # seconds; a database that is away keeps nobody from hearing that it is

log = logging.getLogger(__name__)


def create(settings: Settings | None = None) -> FastAPI:
    """The application for uvicorn; without settings it reads them from the environment."""
    told = settings or Settings()
    return assemble(_opening(told), _budgets(told), local_date(datetime.now(UTC)))


@asynccontextmanager
async def open_tools(settings: Settings) -> AsyncIterator[Tools]:
    """Connections and rules of the API, closed again at the end.

    Temporal is connected to lazily: while it is down the API starts, reads, and says that it is not ready.
    """
    async with AsyncExitStack() as closing:
        engine = make_engine(settings.database, CONNECTIONS)
        closing.push_async_callback(engine.dispose)
        clock = await closing.enter_async_context(DatabaseClock(engine).kept())
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
            now=clock.now,
            bounds=settings.backlog,
            temporal_ui=(settings.temporal_ui_url or "").rstrip("/"),
            anchors=settings.var / ANCHORS,
            identity=_identity(settings),
            budgets=_budgets(settings),
        )


def _measured(tools: Tools) -> metrics.Measured:
    return metrics.Measured(tools.engine, tools.temporal, tools.task_queue, tools.now)


def _budgets(settings: Settings) -> Budgets:
    return Budgets(answer_within=settings.answer_within)


def _identity(settings: Settings) -> IdentityProvider | None:
    """The provider people with accounts sign in at; asked for the first time when the first of them comes."""
    if settings.oidc_issuer is None or settings.oidc_client_secret is None:
        return None
    secret = settings.oidc_client_secret.get_secret_value()
    return IdentityProvider(settings.oidc_issuer, settings.oidc_client_id, secret)


def _opening(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[Tools]]:
    @asynccontextmanager
    async def opening(_: FastAPI) -> AsyncIterator[Tools]:
        async with open_tools(settings) as tools, _with_right_keys(tools.engine, settings):
            port = InternalPort(settings.bind, settings.web_metrics_port, lambda: True)
            measuring = asyncio.create_task(metrics.keep_measuring(_measured(tools)), name="backlog")
            try:
                yield tools
            finally:
                measuring.cancel()
                port.close()

    return opening


@asynccontextmanager
async def _with_right_keys(engine: AsyncEngine, settings: Settings) -> AsyncIterator[None]:
    """Nobody is served with keys others could not read by; where the database is away, as soon as it is back.

    Raises WrongKeys; later on it ends the process.
    """
    proving = asyncio.create_task(proved(engine, settings), name="keys")
    try:
        try:
            await asyncio.wait_for(asyncio.shield(proving), PROVED_WITHIN)
        except TimeoutError:
            proving.add_done_callback(_end_where_wrong)
        yield
    finally:
        proving.remove_done_callback(_end_where_wrong)
        proving.cancel()
        with contextlib.suppress(asyncio.CancelledError, WrongKeys):
            await proving


def _end_where_wrong(proving: asyncio.Task[None]) -> None:
    if not proving.cancelled() and isinstance(wrong := proving.exception(), WrongKeys):
        log.critical("%s", wrong)
        signal.raise_signal(signal.SIGTERM)


async def _temporal(settings: Settings) -> Client:
    return await Client.connect(
        **settings.temporal_connect_config(),  # pyright: ignore[reportArgumentType] - a narrower dictionary
        data_converter=converter(settings),
        lazy=True,
    )
