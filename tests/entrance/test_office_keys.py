"""Keys of departments on the operators' page: made, shown once, rotated, ended; an insurer's keys are not there."""

import re

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.keys import KeyFor, mint_key
from api.rows import API_KEYS
from models.contracts.vocabulary import ActorKind
from models.tables.audit import COMMON_CHAIN
from tests.api.conftest import Caller, app, tools
from tests.desk.conftest import Person, SignedIn, Town

__all__ = ["app", "tools"]
HERE = "/operator/people/keys"
TOKEN = re.compile(r"anze_[0-9a-f]{8}_[A-Za-z0-9_-]{43}")


@pytest.fixture
async def operator(signed_in: SignedIn) -> Person:
    return await signed_in(ActorKind.OPERATOR)


async def test_a_departments_key_is_made_shown_once_rotated_with_an_overlap_and_ended(
    operator: Person, town: Town, insurer: Caller, admin: AsyncEngine
):
    form = {"department": str(town.departments[0]), "name": "监管平台", "days": "90", "scopes": ["payments:confirm"]}
    page = (await operator.post(HERE, once="one", **form)).text
    [token] = set(TOKEN.findall(page))
    bureau = Caller(insurer.http, token, town.departments[0])
    assert (await bureau.get("/v1/department/notices")).status_code == 200
    again = await operator.post(HERE, once="one", **form)
    assert (again.status_code, again.headers["location"]) == (303, f"{HERE}?done=registered")
    page = (await operator.get(HERE)).text
    assert [word for word in ("宿州市应急管理局", "监管平台", bureau.token.split("_")[1]) if word not in page] == []
    assert token not in page
    async with admin.connect() as connection:
        row = (await connection.execute(select(API_KEYS).where(API_KEYS.c.name == "监管平台"))).one()
    assert (row.recipient_id, row.scopes) == (town.departments[0], []), "only insurers' keys have further rights"
    wrong = await operator.post(f"{HERE}/{row.id}", act="rotate", overlap="99")
    assert (wrong.status_code, "请从这些天数中选择：0、1、7、30" in wrong.text) == (422, True)
    [token] = set(TOKEN.findall((await operator.post(f"{HERE}/{row.id}", act="rotate", overlap="7")).text))
    successor = Caller(insurer.http, token, town.departments[0])
    assert [(await one.get("/v1/me")).status_code for one in (bureau, successor)] == [200, 200]
    ended = await operator.post(f"{HERE}/{row.id}", act="revoke")
    assert "已吊销。" in (await operator.get(ended.headers["location"])).text
    assert [(await one.get("/v1/me")).status_code for one in (bureau, successor)] == [401, 200]
    async with admin.connect() as connection:
        noted = text("SELECT what, who_id FROM audit WHERE chain = :chain AND object_kind = 'api_key' ORDER BY number")
        acts = [tuple(one) for one in await connection.execute(noted, {"chain": COMMON_CHAIN})]
    by = str(operator.user_id)
    assert acts == [("key_made", by), ("key_rotated", by), ("key_revoked", by)]


async def test_a_key_of_nobody_registered_is_not_made_and_what_was_typed_is_kept(
    operator: Person, town: Town, admin: AsyncEngine
):
    enterprise = str(town.enterprises[0])
    for department in ("", "x", enterprise):
        answer = await operator.post(HERE, department=department, name="监管平台", days="30")
        assert answer.status_code == 422
        assert 'id="department-error"' in answer.text
        assert 'value="监管平台"' in answer.text
        assert '<option value="30" selected' in answer.text
    answer = await operator.post(HERE, department=str(town.departments[1]), name="", days="30")
    assert f'<option value="{town.departments[1]}" selected' in answer.text
    async with admin.connect() as connection:
        assert (await connection.execute(select(API_KEYS).where(API_KEYS.c.kind == "department"))).all() == []


async def test_the_keys_of_insurers_are_their_own_and_those_of_operators_are_there(
    operator: Person, town: Town, insurer: Caller, admin: AsyncEngine
):
    async with admin.begin() as connection:
        mine = await mint_key(connection, KeyFor(ActorKind.OPERATOR, "巡检"))
        theirs = (await connection.execute(select(API_KEYS.c.id).where(API_KEYS.c.insurer_id == insurer.id))).scalar()
    page = (await operator.get(HERE)).text
    assert (mine.prefix in page, insurer.token.split("_")[1] in page) == (True, False)
    for act in ("revoke", "rotate"):
        assert (await operator.post(f"{HERE}/{theirs}", act=act, overlap="0")).status_code == 404
    assert (await insurer.get("/v1/me")).status_code == 200
    await operator.post(f"{HERE}/{mine.id}", act="revoke")
    assert (await Caller(insurer.http, mine.token, insurer.id).get("/v1/me")).status_code == 401
