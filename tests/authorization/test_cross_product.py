"""Every route × every visitor × {own, a sibling's, another tenant's, nobody's, an ended object}: the codes of 5.1."""

import re
from typing import Any

import pytest
from httpx import Response

from api.authorization import PLACE, Rule, Visitor, doors, load
from api.claims.doors import DOORS as CLAIM_DOORS
from api.claims.doors import report
from api.department.doors import DOORS as DEPARTMENT_DOORS
from api.doors import Door
from api.insurer.doors import DOORS as INSURER_DOORS
from tests.api.conftest import today
from tests.authorization.world import DUTY, PERSON, Actor, World

BODIES = {f"POST /v1{PLACE.sub('{}', one.url)}": one for one in (*INSURER_DOORS, *CLAIM_DOORS, *DEPARTMENT_DOORS)}
VISITORS = {
    "anonymous": Visitor.ANYBODY,
    "link_holder": Visitor.ANYBODY,
    "plain_key": Visitor.INSURER_KEY,
    **{one.value: one for one in Visitor if one not in (Visitor.ANYBODY, Visitor.LINK_HOLDER)},
}
TENANT, EVERYBODY = {"own", "sibling", "ended"}, {"own", "sibling", "ended", "foreign"}
REACH = {
    "insurer": TENANT,
    "plain": TENANT,
    "enterprise": {"own", "ended"},
    "department": {"own", "ended"},
    "operator": EVERYBODY,
}
"""Whose objects a visitor may reach at all, by the first word of its name."""
ACTS = {"act": "acknowledge", "update": "record_visit", "shelf": "policies", "code": "not_found", "year": "2026"}
FORM = {
    "deed": "claim_rectification",
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
    "key_id": "key",
    "recipient_id": "office",
    "task_id": "task",
    "mail_id": "mail",
    "job_id": "job",
    "digest": "digest",
    "token": "link",
}
SHELVES = {"hazards": "hazard", "claims": "claim", "policies": "policy"}
JUNK = {"no_such_field": 1}


def kind_of(place: str, path: str) -> str:
    """What kind of object an address asks for at a place."""
    if place == "number":
        return "payment" if "/payments/" in path else "visit"
    if place == "case_id":
        shelf = re.search(r"/(hazards|claims|policies)/", path)
        return SHELVES[shelf[1]] if shelf else "policy"
    return KINDS.get(place, "")


def address(name: str, ids: dict[str, str]) -> str | None:
    """The route's path with the ids of a holding; `None` where the holding has no such object."""
    path = name.partition(" ")[2]
    given = {place: ACTS.get(place) or ids.get(kind_of(place, path)) for place in PLACE.findall(path)}
    return None if None in given.values() else PLACE.sub(lambda place: str(given[place[1]]), path)


def body_of(name: str, *, valid: bool) -> Any:
    """For an API what the door explains, or a field nobody knows; for a page what its form could carry."""
    if "/v1/" not in name:
        return FORM
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
    if answer.status_code == 303 and answer.headers["location"].startswith("/enter"):
        return "unknown"
    words = {401: "unknown", 403: "forbidden", 404: "absent"}
    return words.get(answer.status_code, "served" if answer.status_code < 500 and answer.status_code != 405 else "broken")


def plain(answer: Response) -> str:
    """A refusal without what is every request's own: its number and a page's nonce and form tokens."""
    said = answer.text.replace(answer.headers["x-request-id"], "")
    said = re.sub(r'(nonce|name="_once" value|name="next" value)="[^"]*"', "", said)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "", said)


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
    if not names_an_object(name) or holding in REACH[actor.partition("_")[0]]:
        return "served"
    return "absent"


async def tried(world: World, actor: Actor, rule: Rule, name: str) -> tuple[list[str], int]:
    """Everything that went otherwise than expected at one route, and how often it was asked."""
    wrong, refusals, count = [], set(), 0
    for holding in world.holdings.values():
        path = address(name, holding.ids)
        wanted = expected(rule, actor.name, name, holding.name)
        if path is None or wanted == "open" or (holding.name != "own" and not names_an_object(name)):
            continue
        answer = await actor.ask(name.partition(" ")[0], path, body_of(name, valid=wanted != "served"))
        count += 1
        if outcome(answer) != wanted:
            wrong.append(f"{actor.name} {name} {holding.name}: {answer.status_code}, not {wanted} {answer.text[:0]}")
        elif wanted != "served":
            refusals.add((answer.status_code, plain(answer)))
    if len(refusals) > 1:
        wrong.append(f"{actor.name} {name}: refusals tell apart what is absent: {refusals}")
    return wrong, count


@pytest.mark.parametrize("name", sorted(VISITORS))
async def test_every_route_answers_every_visitor_as_the_promises_say(world: World, name: str) -> None:
    rules, wrong, count = load(), [], 0
    before = await world.rows()
    for route in sorted(rules):
        found, asked = await tried(world, world.actors[name], rules[route], route)
        wrong, count = wrong + found, count + asked
    assert wrong == []
    assert count > len(rules)
    assert await world.rows() == before


async def test_the_cross_product_asks_every_route_that_is_served(world: World) -> None:
    own = world.holdings["own"].ids
    assert [door.name for door in doors(world.app.routes) if address(door.name, own) is None] == []
