"""Every route × every visitor × {own, a sibling's, another tenant's, nobody's, an ended object}: the codes of 5.1."""

import re
from collections import defaultdict
from datetime import date
from typing import Any

import pytest
from httpx import Response

from api.authorization import PLACE, Rule, Visitor, doors, load
from api.claims.doors import DOORS as CLAIM_DOORS
from api.claims.doors import report
from api.department.doors import DOORS as DEPARTMENT_DOORS
from api.doors import Door
from api.insurer.doors import DOORS as INSURER_DOORS
from api.operator.packs import SHORT
from runtime.worker import library
from tests.alike import steady
from tests.api.conftest import today
from tests.authorization.world import DUTY, PERSON, PROVIDER_CODES, SERVING, Actor, World

BODIES = {f"POST /v1{PLACE.sub('{}', one.url)}": one for one in (*INSURER_DOORS, *CLAIM_DOORS, *DEPARTMENT_DOORS)}
VISITORS = {
    "anonymous": Visitor.ANYBODY,
    "link_holder": Visitor.ANYBODY,
    "plain_key": Visitor.INSURER_KEY,
    **{one.value: one for one in Visitor if one not in (Visitor.ANYBODY, Visitor.LINK_HOLDER)},
}
TENANT, EVERYBODY = {"own", "sibling", "ended"}, {"own", "sibling", "ended", "foreign", "rival"}
REACH = {
    "insurer": TENANT,
    "plain": TENANT,
    "enterprise": {"own", "ended"},
    "department": {"own", "ended"},
    "provider": {"own", "ended"},
    "operator": EVERYBODY,
}
"""Whose objects a visitor may reach at all, by the first word of its name."""
PACK = next(one for one in library().packs() if one.ref.in_force_on == date(2020, 2, 1)).ref.digest[:SHORT]
"""A document of which there is a newer version."""
ACTS = {
    "code": "not_found",
    "act": "acknowledge",
    "update": "record_visit",
    "shelf": "policies",
    "year": "2026",
    "short": PACK,
}
DEEDS = {"hazards": "claim_rectification", "plan": "confirm_plan", "visits": "rate_service"}
DONE_ALREADY = {"POST /operator/unaddressed/{task_id}"}
"""Repeating what is done is no error to an operator, who sees every task: what is not waiting is done."""
FORM = {
    "duty": DUTY,
    "act": "revoke",
    "reason": "核对后处理",
    "until": "2026-11-22T00:00:00+00:00",
    "why": "核对",
}
KINDS = {
    "policy_id": "policy",
    "hazard_id": "hazard",
    "claim_id": "claim",
    "user_id": "user",
    "provider_id": "provider",
    "key_id": "key",
    "recipient_id": "office",
    "mail_id": "mail",
    "job_id": "job",
    "token": "link",
}
SHELVES = {"hazards": "hazard", "claims": "claim", "policies": "policy"}
ASKED = {
    "unknown": {"own"},
    "forbidden": {"own", "random"},
    "absent": EVERYBODY | {"random"},
    "served": EVERYBODY,
}
"""Who is not let in at all need not be asked about every object; whoever is, is."""
JUNK = {"no_such_field": 1}


def kind_of(place: str, path: str) -> str:
    """What kind of object an address asks for at a place."""
    if place == "number":
        return "payment" if "/payments/" in path else "visit"
    if place == "digest":
        return "piece" if "/evidence/" in path else "digest"
    if place == "user_id" and "/providers/" in path:
        return "assessor"
    if place == "key_id" and path.startswith("/operator/"):
        return "office_key"
    if place == "task_id":
        return "book" if "/books/" in path else "task"
    if place == "case_id":
        shelf = re.search(r"/(hazards|claims|policies)/", path)
        return SHELVES[shelf[1]] if shelf else "policy"
    return KINDS.get(place, "")


def address(name: str, ids: dict[str, str]) -> str | None:
    """The route's path with the ids of a holding; `None` where the holding has no such object."""
    path = name.partition(" ")[2]
    given = {place: ACTS.get(place) or ids.get(kind_of(place, path)) for place in PLACE.findall(path)}
    query = f"?case_id={ids['policy']}" if name == "POST /v1/files" else ""
    return None if None in given.values() else PLACE.sub(lambda place: str(given[place[1]]), path) + query


def body_of(name: str, *, valid: bool) -> Any:
    """For the API what the door explains, or a field nobody knows; for a page what its form could carry."""
    if "/v1/" not in name:
        return FORM | {"deed": next((deed for word, deed in DEEDS.items() if f"/{word}" in name), "")}
    if name == "POST /v1/files":
        return b"%PDF-1.7"
    door: Door | None = BODIES.get(PLACE.sub("{}", name))
    if not valid:
        return JUNK | ({"duty": DUTY} if door in DEPARTMENT_DOORS else {})
    known = {"POST /v1/policies/{policy_id}/claims": report(today()), "POST /v1/claims/{claim_id}/victims": PERSON}
    return door.example(today()) if door else known.get(name, {})


def names_an_object(name: str) -> bool:
    path = name.partition(" ")[2]
    return any(kind_of(place, path) for place in PLACE.findall(path))


def outcome(answer: Response) -> str:
    """The one word for what happened."""
    if answer.status_code == 303 and answer.headers["location"].partition("?")[0] == "/enter":
        return "unknown"
    words = {401: "unknown", 403: "forbidden", 404: "absent"}
    return words.get(
        answer.status_code, "served" if answer.status_code < 500 and answer.status_code != 405 else "broken"
    )


def plain(answer: Response) -> str:
    """A refusal without what is every request's own: its number, a page's nonce, form tokens and minute."""
    said = answer.text.replace(answer.headers["x-request-id"], "")
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "", steady(said))


def expected(rule: Rule, actor: str, name: str, holding: str) -> str:
    """By 5.1: unknown without credentials of this room, forbidden at another's door, absent beyond one's reach."""
    api = name.partition(" ")[2].startswith("/v1/")
    if rule.visitors & {Visitor.ANYBODY, Visitor.LINK_HOLDER}:
        return "open"
    visitor = VISITORS[actor]
    if visitor is Visitor.ANYBODY or visitor.endswith("_key") != api:
        return "unknown"
    if visitor not in rule.visitors or (rule.scope and actor == "plain_key"):
        return "forbidden"
    if name in DONE_ALREADY or not names_an_object(name) or holding in REACH[actor.partition("_")[0]]:
        return "served"
    return "absent"


Asked = tuple[Rule, str, str]


def asked(world: World, actor: str) -> list[Asked]:
    """What this visitor asks of which route: the rule, the route, the holding its ids are taken from."""
    found = []
    for name, rule in sorted(load().items()):
        for holding in world.holdings.values():
            wanted = expected(rule, actor, name, holding.name)
            known = holding.name in ASKED.get(wanted, ()) if names_an_object(name) else holding.name == "own"
            if known and wanted != "open" and address(name, holding.ids) is not None:
                found.append((rule, name, holding.name))
    return found


async def answered(world: World, actor: Actor, one: Asked) -> tuple[str, Response, str]:
    """What was expected, what came, and how to say so where they differ."""
    rule, name, holding = one
    wanted = expected(rule, actor.name, name, holding)
    path = address(name, world.holdings[holding].ids)
    assert path is not None
    body = body_of(name, valid=wanted != "served")
    if name.endswith("/provider"):  # whoever is served leaves the policy with whom it names
        body = {**body, "provider_code": PROVIDER_CODES[SERVING.get(holding, "A")]}
    answer = await actor.ask(name.partition(" ")[0], path, body)
    return wanted, answer, f"{actor.name} {name} {holding}: {answer.status_code}, not {wanted}"


@pytest.mark.obligation("SZ-32b", "XM-44", "ZJ-30")
@pytest.mark.parametrize("name", sorted(VISITORS))
async def test_strangers_are_refused_alike_and_change_nothing(world: World, name: str) -> None:
    """Not signed in, another's door, another's object: one answer for all objects of a route, and not a row more."""
    before, wrong, said = await world.rows(), [], defaultdict(set)
    for one in asked(world, name):
        if expected(one[0], name, *one[1:]) == "served":
            continue
        wanted, answer, told = await answered(world, world.actors[name], one)
        wrong += [told] if outcome(answer) != wanted else []
        said[one[1]].add((answer.status_code, plain(answer)))
    assert wrong == []
    assert {route: answers for route, answers in said.items() if len(answers) > 1} == {}
    assert await world.rows() == before


@pytest.mark.obligation("SZ-32b", "XM-44", "ZJ-30")
@pytest.mark.parametrize("name", sorted(set(VISITORS) - {"anonymous", "link_holder"}))
async def test_whoever_may_is_served(world: World, name: str) -> None:
    """The same requests that are refused to others are not refused to whom they belong."""
    wrong = []
    for one in asked(world, name):
        if expected(one[0], name, *one[1:]) == "served":
            wanted, answer, told = await answered(world, world.actors[name], one)
            wrong += [told] if outcome(answer) != wanted else []
    assert wrong == []


async def test_the_cross_product_asks_every_route_that_is_served(world: World) -> None:
    own = world.holdings["own"].ids
    assert [door.name for door in doors(world.app.routes) if address(door.name, own) is None] == []
