"""The application: routers, middleware, error answers and descriptions put together around given tools."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date

from fastapi import APIRouter, FastAPI
from starlette.routing import Match
from starlette.types import Scope

from api import authorization, denials, docs, health, pages, problems
from api.admission import admit_department, admit_insurer
from api.claims import cases as claims
from api.claims import confirmation, victims
from api.claims import doors as claim_doors
from api.claims import opening as claim_opening
from api.claims import rules as claim_rules
from api.claims.admission import admit_claim
from api.department import doors as department_doors
from api.department import hands as department_hands
from api.department import inbox
from api.department import pages as department_pages
from api.desk import evidence as case_files
from api.desk import frame, front
from api.doors import build
from api.enterprise import pages as enterprise_pages
from api.entrance import choosing, code_doors, office_keys, register, staff
from api.entrance import doors as entrance
from api.insurer import cases, changes, evidence, opening
from api.insurer import doors as insurer_doors
from api.insurer.pages import rooms as insurer_rooms
from api.limits import Limits
from api.methods import Methods
from api.metrics import Metrics
from api.openapi import describe
from api.operator import payloads
from api.operator import rooms as operator_rooms
from api.portal import pages as portal
from api.provider import pages as provider_pages
from api.rates import Rates
from api.tools import Budgets, Tools
from domain.calendar import local_date

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Tools]]


def create_app(tools: Tools) -> FastAPI:
    """The API around tools that are open already. It reads no environment and opens nothing itself."""

    @asynccontextmanager
    async def given(app: FastAPI) -> AsyncIterator[Tools]:
        yield tools

    app = assemble(given, tools.budgets, local_date(tools.now()))
    app.state.tools = tools
    return app


def assemble(opening_tools: Lifespan, budgets: Budgets, today: date) -> FastAPI:
    """The API around tools that are opened when the server starts. `today` dates the examples in the description."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opening_tools(app) as tools:
            app.state.tools = tools
            yield
            await app.state.denials.close(tools.engine)

    app = FastAPI(
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.rates = Rates(budgets.requests_per_second, budgets.burst)
    app.state.guesses = Rates(budgets.guesses_per_second, budgets.guesses_burst)
    app.state.strangers = Rates(budgets.strangers_per_second, budgets.strangers_burst)
    problems.install(app)
    denials.install(app)
    app.add_middleware(payloads.Preflight)
    app.add_middleware(Limits, budgets=budgets)
    app.add_middleware(Metrics)
    frame.install(app)
    app.include_router(_v1(today))  # first: it knows at once what is its own, pages would look at each of their routes
    for router in (
        health.router,
        docs.router,
        front.router,
        department_hands.router,
        department_pages.router,
        entrance.router,
        choosing.router,
        code_doors.router,
        staff.router,
        register.router,
        office_keys.router,
    ):
        app.include_router(router)
    _add_portal(app)
    describe(app)
    authorization.bind(app)
    app.state.methods = Methods(app.routes)
    return app


class _Versioned(APIRouter):
    """Everything under its prefix is its own, also what lies nowhere: its many routes are looked at once a request.

    FastAPI looks at them twice, to learn whether there is one and again to take it (decision 0070).
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.FULL if scope["path"].startswith(self.prefix + "/") else Match.NONE), {}


def _v1(today: date) -> APIRouter:
    router = _Versioned(prefix="/v1")
    router.include_router(health.me)
    for given in (opening, claim_opening, claim_rules, confirmation, victims):
        given.add(router, today)
    for part in (changes.router, cases.router, claims.router, evidence.router, inbox.router):
        router.include_router(part)
    for door in insurer_doors.DOORS:
        build(router, door, admit_insurer, today)
    for door in claim_doors.DOORS:
        build(router, door, admit_claim, today)
    for door in department_doors.DOORS:
        build(router, door, admit_department, today)
    return router


def _add_portal(app: FastAPI) -> None:
    """The rooms of everybody with pages, pages behind mailed links, files of cases, and what pages are made with."""
    for router in (enterprise_pages.router, provider_pages.router, case_files.router, portal.router):
        app.include_router(router)
    app.include_router(insurer_rooms.router)
    app.include_router(operator_rooms.router)
    app.include_router(payloads.router)
    app.mount("/static", front.Kept(directory=pages.TEMPLATES / "static"), name="static")
