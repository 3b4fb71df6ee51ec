"""Who may do what is decided on the data of this very request (promises.md P21); HEAD opens no door GET keeps shut."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import ColumnElement, Table, cast, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import JSONB

from api.authorization import Visitor, load
from api.rows import API_KEYS, CASES, DEPARTMENT_SCOPES, RECIPIENTS, SESSIONS, USERS
from models.contracts.vocabulary import Post
from tests.api.conftest import today
from tests.authorization.test_cross_product import address
from tests.authorization.world import CHEMICALS, HOUSING, SUZHOU, World


@asynccontextmanager
async def changed(world: World, table: Table, row_id: UUID, **values: Any) -> AsyncIterator[None]:
    """A row is otherwise for a while."""
    columns = [table.c[name] for name in values]
    async with world.admin.begin() as connection:
        before = (await connection.execute(select(*columns).where(table.c.id == row_id))).one()._mapping
        await connection.execute(update(table).where(table.c.id == row_id).values(values))
    try:
        yield
    finally:
        async with world.admin.begin() as connection:
            await connection.execute(update(table).where(table.c.id == row_id).values(dict(before)))


async def user(world: World, name: str) -> UUID:
    async with world.admin.connect() as connection:
        return (await connection.execute(select(USERS.c.id).where(USERS.c.name == name))).scalar_one()


async def begun_again(world: World, whose: ColumnElement[bool]) -> None:
    """The sessions of the tests that follow."""
    async with world.admin.begin() as connection:
        await connection.execute(update(SESSIONS).where(whose).values(revoked_at=None))


async def status(world: World, actor: str, path: str) -> int:
    return (await world.actors[actor].ask("GET", path)).status_code


async def test_a_post_that_is_taken_away_is_gone_with_the_next_request(world: World) -> None:
    assert await status(world, "insurer_admin", "/insurer/people") == 200
    async with changed(world, USERS, await user(world, "insurer_admin"), posts=[Post.INSURER_AUDITOR]):
        assert await status(world, "insurer_admin", "/insurer/people") == 403
        assert await status(world, "insurer_admin", "/insurer/policies") == 200
    async with changed(world, USERS, await user(world, "insurer_admin"), posts=[]):
        assert await status(world, "insurer_admin", "/insurer/policies") == 403
    async with changed(world, USERS, await user(world, "insurer_admin"), disabled_at=func.now()):
        assert await status(world, "insurer_admin", "/insurer/policies") == 303
    assert await status(world, "insurer_admin", "/insurer/people") == 303, "a session that was refused is over"
    await begun_again(world, SESSIONS.c.user_id == await user(world, "insurer_admin"))
    assert await status(world, "insurer_admin", "/insurer/people") == 200


async def test_a_post_of_another_kind_gives_nothing(world: World) -> None:
    """An insurer's user who was given an operator's post by mistake is no operator."""
    async with changed(
        world, USERS, await user(world, "insurer_auditor"), posts=[Post.OPERATOR, Post.DEPARTMENT_OFFICER]
    ):
        for path in ("/operator", "/department", "/insurer"):
            assert await status(world, "insurer_auditor", path) == 403


async def test_a_scope_that_is_taken_from_a_key_is_gone_with_the_next_request(world: World) -> None:
    key = world.actors["insurer_key"]
    path = f"/v1/claims/{world.holdings['own'].ids['claim']}/victims?unmasked=true&why=settle"
    async with world.admin.connect() as connection:
        found = select(API_KEYS.c.id).where(API_KEYS.c.name == "全")
        key_id = (await connection.execute(found)).scalar_one()
    async with changed(world, API_KEYS, key_id, scopes=[]):
        assert (await key.ask("GET", path)).status_code == 403
        assert (await key.ask("PUT", "/v1/claim-rules", {})).status_code == 403
    assert (await key.ask("PUT", "/v1/claim-rules", {})).status_code == 422


async def test_an_officer_who_is_transferred_sees_the_new_office_and_no_longer_the_old_one(world: World) -> None:
    own, sibling = (f"/department/cases/{world.holdings[name].ids['hazard']}" for name in ("own", "sibling"))
    seen = [[await status(world, "department_officer", path) for path in (own, sibling)]]
    officer = await user(world, "department_officer")
    async with changed(world, USERS, officer, recipient_id=world.offices["other_industry"]):
        seen.append([await status(world, "department_officer", path) for path in (own, sibling)])
    assert seen == [[200, 404], [404, 200]]


async def test_a_scope_that_changes_changes_the_next_request(world: World) -> None:
    """By a case nobody was told about: what an office was told of it may go on reading."""
    here, path = world.offices["here"], f"/department/cases/{world.holdings['sibling'].ids['hazard']}"
    seen = [await status(world, "department_officer", path)]
    more = {"recipient_id": here, "prefix": SUZHOU, "sector": HOUSING}
    async with world.admin.begin() as connection:
        await connection.execute(insert(DEPARTMENT_SCOPES).values(more))
    seen.append(await status(world, "department_officer", path))
    async with changed(world, CASES, UUID(world.holdings["sibling"].ids["hazard"]), region="350200"):
        seen.append(await status(world, "department_officer", path))
    async with world.admin.begin() as connection:
        mine = DEPARTMENT_SCOPES.c.recipient_id == here
        await connection.execute(delete(DEPARTMENT_SCOPES).where(mine, DEPARTMENT_SCOPES.c.sector == HOUSING))
    seen.append(await status(world, "department_officer", path))
    assert seen == [404, 200, 404, 404]
    assert CHEMICALS != HOUSING


async def test_a_provider_that_is_named_no_more_is_out_with_the_next_request(world: World) -> None:
    """Another one named, or the same one by its name alone: what opens the door is the registered one."""
    ids, policy = world.holdings["own"].ids, UUID(world.holdings["own"].ids["policy"])
    paths = [f"/provider/policies/{ids['policy']}", f"/provider/hazards/{ids['hazard']}"]
    paths.append(f"/evidence/{ids['policy']}/{ids['piece']}")
    assert [await status(world, "provider", path) for path in paths] == [200, 200, 200]
    mine, others = (UUID(world.holdings[name].ids["provider"]) for name in ("own", "foreign"))
    for named in (others, None):
        async with world.admin.begin() as connection:
            view = CASES.c.view.concat(cast({"provider_id": named and str(named)}, JSONB))
            await connection.execute(update(CASES).where(CASES.c.id == policy).values(view=view))
        assert [await status(world, "provider", path) for path in paths] == [404, 404, 404]
        assert ids["policy"] not in (await world.actors["provider"].ask("GET", "/provider")).text
    async with world.admin.begin() as connection:
        view = CASES.c.view.concat(cast({"provider_id": str(mine)}, JSONB))
        await connection.execute(update(CASES).where(CASES.c.id == policy).values(view=view))
    assert [await status(world, "provider", path) for path in paths] == [200, 200, 200]


async def test_a_provider_reads_what_it_did_after_the_case_has_ended_and_does_nothing_there(world: World) -> None:
    ended = world.holdings["ended"].ids["policy"]
    assert await status(world, "provider", f"/provider/policies/{ended}") == 200
    form = {
        "number": "F-9",
        "on": str(today()),
        "items": "training",
        "place": "厂区",
        "staff_count": "1",
        "summary": "课",
    }
    answer = await world.actors["provider"].ask("POST", f"/provider/policies/{ended}/visit", form)
    assert answer.status_code == 409


async def test_an_enterprise_whose_address_is_taken_away_is_nobody(world: World) -> None:
    contact = UUID(world.holdings["own"].ids["enterprise"])
    assert await status(world, "enterprise", "/enterprise") == 200
    async with changed(world, RECIPIENTS, contact, email=""):
        assert await status(world, "enterprise", "/enterprise") == 303
    assert await status(world, "enterprise", "/enterprise") == 303, "a session that was refused is over"
    await begun_again(world, SESSIONS.c.recipient_id == contact)
    assert await status(world, "enterprise", "/enterprise") == 200


@pytest.mark.parametrize("actor", ["anonymous", "enterprise", "department_officer", "insurer_auditor", "plain_key"])
async def test_head_and_options_open_no_door_that_get_keeps_shut(world: World, actor: str) -> None:
    opened, own = [], world.holdings["own"].ids
    for name, rule in load().items():
        path = address(name, own)
        if not name.startswith("GET ") or rule.visitors & {Visitor.ANYBODY, Visitor.LINK_HOLDER} or path is None:
            continue
        for method in ("HEAD", "OPTIONS"):
            answer = await world.actors[actor].ask(method, path)
            opened += [f"{method} {path} {answer.status_code}"] if answer.status_code < 300 or answer.text else []
    assert [one for one in opened if " 405" not in one] == []


ROOM = {"insurer_admin": "/insurer", "insurer_handler": "/insurer", "insurer_auditor": "/insurer",
        "department_officer": "/department", "enterprise": "/enterprise", "provider": "/provider",
        "operator": "/operator"}  # fmt: skip


@pytest.mark.parametrize("actor", ROOM)
async def test_every_way_a_room_shows_is_open_to_whoever_sees_it(world: World, actor: str) -> None:
    """A way to a refusal is a dead end: posts are asked before it is shown."""
    room = await world.actors[actor].ask("GET", ROOM[actor])
    ways = re.findall(r'<li><a href="([^"]+)"', room.text.partition('<nav class="ways"')[2].partition("</nav>")[0])
    assert ways[:1] == [ROOM[actor]]
    assert {way: code for way in ways if (code := await status(world, actor, way)) != 200} == {}
