"""What the API answers and takes is exactly what is on the list: no field more is shown, no unknown field is taken."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.authorization import PLACE, load
from api.claims.doors import losses, payment, report
from api.insurer.doors import application
from tests.api.conftest import today
from tests.authorization.test_cross_product import BODIES, address, expected
from tests.authorization.world import DUTY, PERSON, World

LIST = Path(__file__).with_name("fields.yaml")
SHOWN: dict[str, dict[str, list[str]]] = yaml.safe_load(LIST.read_text(encoding="utf-8")) if LIST.exists() else {}
FREE = {"cause", "data", "about"}
"""What a step or a notice says of itself; its own fields are its contract's."""
SMUGGLED: dict[str, Any] = {
    "insurer_id": "00000000-0000-4000-8000-000000000000",
    "actor": {"kind": "operator", "id": "x", "name": "x"},
    "stage": "closed",
    "posts": ["insurer_admin"],
}
OTHERS = {
    "POST /v1/policies": application(today()),
    "POST /v1/policies/{policy_id}/claims": report(today()),
    "POST /v1/claims/{claim_id}/victims": PERSON,
    "PUT /v1/claim-rules": {"in_force_on": str(today()), "figures": {}},
}
TAKING = sorted(name for name in load() if "/v1/" in name and not name.startswith("GET ") and name != "POST /v1/files")


def paths(body: Any, at: str = "") -> Iterator[str]:
    """Every field of an answer, with where it stands; all entries of a list are one."""
    if isinstance(body, list):
        for one in body:
            yield from paths(one, f"{at}[]")
    elif isinstance(body, dict):
        for name, part in body.items():
            yield f"{at}.{name}".lstrip(".")
            if name not in FREE:
                yield from paths(part, f"{at}.{name}".lstrip("."))


async def answers(world: World, actor: str) -> dict[str, list[str]]:
    """Fields of every JSON answer this key is given, by route; of running, paid and ended cases together."""
    found: dict[str, set[str]] = {}
    for route, rule in sorted(load().items()):
        for holding in ("own", "sibling", "ended"):
            path = address(route, world.holdings[holding].ids)
            if not route.startswith("GET /v1/") or path is None or expected(rule, actor, route, holding) != "served":
                continue
            answer = await world.actors[actor].ask("GET", path)
            if answer.headers["content-type"] == "application/json":
                found.setdefault(route, set()).update(paths(answer.json()))
    return {route: sorted(fields) for route, fields in found.items()}


@pytest.mark.parametrize("actor", ["insurer_key", "department_key", "operator_key"])
async def test_no_answer_shows_a_field_that_is_not_on_the_list(world: World, actor: str) -> None:
    given = await answers(world, actor)
    more = {route: sorted(set(fields) - set(SHOWN[actor].get(route, ()))) for route, fields in given.items()}
    assert {route: fields for route, fields in more.items() if fields} == {}
    assert given.keys() == SHOWN[actor].keys()


def places(body: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every object within a body, as the way to it."""
    if isinstance(body, dict):
        yield at
    for name, part in body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ():
        yield from places(part, (*at, name))


def smuggling(body: Any, way: tuple[Any, ...], name: str) -> Any:
    """The body with one more field in the object at the end of the way."""
    if not way:
        return {**body, name: SMUGGLED[name]}
    if isinstance(body, list):
        return [smuggling(one, way[1:], name) if index == way[0] else one for index, one in enumerate(body)]
    return {key: smuggling(part, way[1:], name) if key == way[0] else part for key, part in body.items()}


def passing(world: World, name: str) -> dict[str, Any]:
    """A body that would be taken, but for what is smuggled into it."""
    ref, door = world.holdings["own"].ids["victim"], BODIES.get(PLACE.sub("{}", name))
    if name.endswith("/assessment"):
        return {"lines": losses(ref)}
    if name.endswith("/payments"):
        return payment(ref)
    body = door.example(today()) if door else OTHERS.get(name, {"result": "confirmed"})
    return {**body, "duty": DUTY} if "duty" in body else body


@pytest.mark.parametrize("name", TAKING)
async def test_a_field_nobody_knows_is_refused_wherever_it_stands(world: World, name: str) -> None:
    before = await world.rows()
    body = passing(world, name)
    actor = "department_key" if expected(load()[name], "department_key", name, "own") == "served" else "insurer_key"
    path = address(name, world.holdings["own"].ids)
    assert path is not None
    for way in places(body):
        for field in SMUGGLED:
            answer = await world.actors[actor].ask(name.partition(" ")[0], path, smuggling(body, way, field))
            assert answer.status_code == 422, (way, field, answer.text)
            assert "不认识的字段" in answer.text, (way, field, answer.text)
    assert await world.rows() == before
