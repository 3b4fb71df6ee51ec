"""The product's table of who may use which route says what promises.md 5.1 says, and no route is without an entry."""

import re
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI, Request

from api.authorization import TABLE, Authorization, Unlisted, Visitor, bind, doors, load
from api.callers import BY_ADDRESS, BY_KEY, BY_POST
from api.words import Scope
from tests.authorization.world import World

EXPECTED: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("expected.yaml").read_text(encoding="utf-8"))
PLACE = re.compile(r"{\w*}")
NEEDS_SCOPE = {"confirm": Scope.PAYMENTS_CONFIRM, "rule": Scope.CLAIM_RULES_WRITE}


@cache
def about(name: str) -> tuple[str, str]:
    """Resource and verb of a route."""
    plain = PLACE.sub("{}", name)
    for pattern, resource, verb in EXPECTED["routes"]:
        if re.fullmatch(pattern.replace("{}", r"\{\}"), plain):
            return resource, verb
    raise AssertionError(f"{name} is about no resource of expected.yaml")


def expected(name: str) -> set[str]:
    """Who may use a route: whoever may do this with the resource and has this room."""
    resource, verb = about(name)
    may = {who for who, verbs in EXPECTED["resources"][resource].items() if verb in verbs}
    path = name.partition(" ")[2]
    rooms = [set(who) for start, who in EXPECTED["rooms"].items() if path.startswith(start)]
    return may & (rooms[0] if rooms else {Visitor.ANYBODY.value})


def test_the_products_table_says_what_the_promises_say() -> None:
    told = {name: {one.value for one in rule.visitors} for name, rule in load().items()}
    assert {name: who for name, who in told.items() if who != expected(name)} == {}


def test_a_scope_is_asked_for_exactly_where_a_key_does_more_than_others() -> None:
    asked = {name: rule.scope for name, rule in load().items() if rule.scope}
    assert asked == {name: scope for name in load() if (scope := NEEDS_SCOPE.get(about(name)[1]))}


def test_every_expectation_is_about_some_route() -> None:
    names = [PLACE.sub("{}", name) for name in load()]
    for pattern, _, _ in EXPECTED["routes"]:
        assert any(re.fullmatch(pattern.replace("{}", r"\{\}"), name) for name in names), pattern


def test_every_visitor_is_somebody_and_may_do_something() -> None:
    callers = {*BY_KEY.values(), *BY_POST.values(), *BY_ADDRESS.values()}
    assert callers == set(Visitor) - {Visitor.ANYBODY, Visitor.LINK_HOLDER}
    assert {one for rule in load().values() for one in rule.visitors} == set(Visitor)


async def test_every_route_has_an_entry_and_every_entry_a_route(world: World) -> None:
    app = world.app
    names = {door.name for door in doors(app.routes)}
    written_out = {name for name in load() if name not in names}
    assert names <= load().keys()
    assert {PLACE.sub("{}", name) for name in written_out} == {
        "GET /insurer/claims/{}/approve_payment",
        "POST /insurer/claims/{}/approve_payment",
    }
    documented = {f"{method.upper()} {path}" for path, item in app.openapi()["paths"].items() for method in item}
    assert documented <= load().keys()


async def test_a_route_nobody_decided_about_stops_the_application(world: World) -> None:
    app = FastAPI()
    app.router.routes.extend(world.app.router.routes)

    @app.get("/insurer/everything")
    async def everything() -> None:
        raise AssertionError("never served")

    with pytest.raises(Unlisted, match="no entry for the route GET /insurer/everything"):
        bind(app)


async def test_an_entry_for_a_route_that_is_gone_stops_the_application() -> None:
    with pytest.raises(Unlisted, match="no route for the entry GET /insurer/people"):
        bind(FastAPI())


OPENS = re.compile(r"engine\.(begin|connect)\(|entered_by_cookie\(|entered_by_link\(")
DECIDES_ITSELF = {
    "audit.py": "puts on record, beside the request's own transaction",
    "callers.py": "entered(): asks the table",
    "department/answers.py": "what the case put on record with the step that was admitted",
    "desk/front.py": "the first page: only looks who is there",
    "desk/frame.py": "visited(): asks the table",
    "desk/sessions.py": "recognises a cookie",
    "entrance/arriving.py": "opens sessions",
    "entrance/choosing.py": "which of one's own organisations, by what the provider has vouched for",
    "entrance/code_doors.py": "codes for whoever asks",
    "entrance/codes.py": "codes for whoever asks",
    "entrance/doors.py": "leaving",
    "entrance/links.py": "a fresh link to the registered address",
    "health.py": "asks whether the database answers",
    "operator/payloads.py": "asks the table itself: the UI has no form token",
    "portal/codes.py": "codes behind a link",
    "portal/links.py": "a link's own case",
    "portal/pages.py": "a link's own case",
    "portfolio/running.py": "an import that was begun by who may, each row asked anew",
}


def test_nothing_else_opens_a_transaction_for_somebody() -> None:
    """Every other route comes through entered() or visited(), and so asks the table."""
    root = TABLE.parent
    found = {
        str(path.relative_to(root)) for path in root.rglob("*.py") if OPENS.search(path.read_text(encoding="utf-8"))
    }
    assert found == set(DECIDES_ITSELF)


def test_an_entry_given_twice_is_refused(tmp_path: Path) -> None:
    twice = tmp_path / "twice.yaml"
    twice.write_text("- visitors: [anybody]\n  routes: [GET /, GET /]\n", encoding="utf-8")
    with pytest.raises(ValueError, match="twice"):
        load(twice)
    assert TABLE.name == "authorization.yaml"


async def test_the_most_exact_entry_counts(world: World) -> None:
    """An administrator approves payments, a handler does everything else at the same route; HEAD is GET."""
    authorization: Authorization = world.app.state.authorization
    route = next(
        door.route for door in doors(world.app.routes) if door.name == "POST /insurer/{shelf}/{case_id}/{update}"
    )
    for method, (shelf, update) in product(
        ("POST", "GET", "HEAD"), (("claims", "approve_payment"), ("claims", "survey"))
    ):
        request = _request(route, method, shelf=shelf, update=update)
        admins_only = update == "approve_payment"
        assert (Visitor.INSURER_HANDLER not in authorization.rule(request).visitors) is admins_only
        assert Visitor.INSURER_AUDITOR not in authorization.rule(request).visitors


def _request(route: object, method: str, **places: str) -> Request:
    return Request({"type": "http", "method": method, "route": route, "path_params": places, "headers": []})
