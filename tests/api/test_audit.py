"""The audit trail beside the steps: who was refused, who made and ended keys; and nobody can flood it."""

from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from api.audit import AuditEntry, note, noted
from api.denials import SPELT_OUT, SPELT_OUT_IN_ALL, WINDOW, Denials
from api.keys import KeyFor, hash_of, mint, mint_key, revoke_key
from api.rows import API_KEYS
from api.tools import Tools
from models.contracts.base import Actor
from models.contracts.vocabulary import ActorKind, AuditEvent
from models.tables.audit import COMMON_CHAIN
from models.tables.engine import operator, tenant
from tests.api.conftest import Caller, department
from tests.conftest import Database
from tests.runtime.patient import MEANT

SPEAKER = Actor(kind=ActorKind.INSURER, id="somebody", name="甲保险公司")


async def trail(admin: AsyncEngine, *what: AuditEvent) -> list[Any]:
    """Rows of these kinds in the order they were written, seen from above row-level security."""
    async with admin.connect() as connection:
        rows = await connection.execute(
            text("SELECT * FROM audit WHERE what = ANY(:what) ORDER BY at, number"), {"what": list(what)}
        )
        return list(rows)


class Clock:
    """A clock that is moved by hand; seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_refusal_names_who_it_was_and_which_door(insurer: Caller, admin: AsyncEngine) -> None:
    answer = await insurer.get("/v1/department/notices")
    assert answer.status_code == 403
    (row,) = await trail(admin, AuditEvent.DENIED)
    assert (row.chain, row.who_kind, row.who_id, row.result) == (insurer.id, "insurer", str(insurer.id), "refused")
    assert (row.object_kind, row.object_id) == ("route", "GET /v1/department/notices")
    assert row.request_id == answer.headers["x-request-id"]
    assert row.ip == "127.0.0.1"
    assert row.said["code"] == "forbidden"


async def test_a_department_that_may_not_is_in_the_common_chain(http: AsyncClient, admin: AsyncEngine) -> None:
    office = await department(http, admin, "341300", "市应急局")
    assert (await office.get(f"/v1/policies/{uuid4()}")).status_code == 403
    (row,) = await trail(admin, AuditEvent.DENIED)
    assert (row.chain, row.who_kind, row.who_id) == (COMMON_CHAIN, "department", str(office.id))
    assert row.object_id == "GET /v1/policies/{policy_id}"


async def test_an_unknown_key_is_on_record_by_its_public_part_alone(http: AsyncClient, admin: AsyncEngine) -> None:
    stranger = mint()
    assert (await Caller(http, stranger.token, stranger.id).get("/v1/me")).status_code == 401
    (row,) = await trail(admin, AuditEvent.DENIED)
    assert (row.chain, row.who_kind, row.said["key_prefix"]) == (COMMON_CHAIN, None, stranger.prefix)
    assert stranger.token not in str(tuple(row))
    assert hash_of(stranger.token) not in str(tuple(row))


async def test_what_is_no_attempt_leaves_no_row(insurer: Caller, http: AsyncClient, admin: AsyncEngine) -> None:
    """No key at all, somebody else's case (told as absent), and a misspelt body say nothing about anybody."""
    assert (await http.get("/v1/me")).status_code == 401
    assert (await insurer.get(f"/v1/policies/{uuid4()}")).status_code == 404
    assert (await insurer.post("/v1/policies", {"x": 1})).status_code == 422
    assert await trail(admin, AuditEvent.DENIED) == []


async def test_the_eleventh_refusal_in_a_minute_is_counted_and_not_spelt_out(
    insurer: Caller, app: FastAPI, admin: AsyncEngine
) -> None:
    for _ in range(SPELT_OUT + 7):
        assert (await insurer.get("/v1/department/notices")).status_code == 403
    assert len(await trail(admin, AuditEvent.DENIED)) == SPELT_OUT
    await app.state.denials.close(app.state.tools.engine)
    (rest,) = await trail(admin, AuditEvent.NOT_SPELT_OUT)
    assert (rest.chain, rest.who_id, rest.said["count"]) == (insurer.id, str(insurer.id), 7)


async def test_after_a_minute_refusals_are_spelt_out_again(tools: Tools, insurer: Caller, admin: AsyncEngine) -> None:
    clock = Clock()
    denials, refusal = Denials(clock), AuditEntry(AuditEvent.DENIED, insurer.id, SPEAKER)
    for _ in range(SPELT_OUT + 3):
        await denials.note(tools.engine, refusal)
    clock.now = WINDOW
    await denials.note(tools.engine, refusal)
    assert len(await trail(admin, AuditEvent.DENIED)) == SPELT_OUT + 1
    (rest,) = await trail(admin, AuditEvent.NOT_SPELT_OUT)
    assert rest.said["count"] == 3
    await denials.close(tools.engine)


async def test_many_strangers_together_are_bounded_too(tools: Tools, admin: AsyncEngine) -> None:
    denials = Denials(Clock())
    for number in range(SPELT_OUT_IN_ALL + 20):
        who = Actor(kind=ActorKind.DEPARTMENT, id=str(number), name="")
        await denials.note(tools.engine, AuditEntry(AuditEvent.DENIED, who=who))
    assert len(await trail(admin, AuditEvent.DENIED)) == SPELT_OUT_IN_ALL
    await denials.close(tools.engine)


async def test_a_refusal_is_answered_even_if_the_trail_cannot_be_written(
    insurer: Caller, database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.denials.WRITTEN_WITHIN", MEANT["api.denials", "WRITTEN_WITHIN"])
    owner = await asyncpg.connect(database.admin)
    try:
        async with owner.transaction():
            await owner.execute("LOCK TABLE audit IN ACCESS EXCLUSIVE MODE")
            assert (await insurer.get("/v1/department/notices")).status_code == 403
    finally:
        await owner.close()
    assert "not on record" in caplog.text


async def test_keys_are_on_record_from_making_to_revocation(tools: Tools, insurer: Caller, admin: AsyncEngine) -> None:
    async with tools.engine.begin() as connection:
        await operator(connection)
        minted = await mint_key(connection, KeyFor(ActorKind.INSURER, "核心系统", insurer_id=insurer.id))
        row = (await connection.execute(API_KEYS.select().where(API_KEYS.c.id == minted.id))).one()
        await revoke_key(connection, row)
    made, ended = (row for row in await trail(admin, AuditEvent.KEY_MADE, AuditEvent.KEY_REVOKED)
                   if row.object_id == minted.prefix)  # fmt: skip
    assert (made.what, ended.what) == ("key_made", "key_revoked")
    assert {made.chain, ended.chain} == {insurer.id}
    assert made.said["kind"] == "insurer"
    assert minted.token not in str(tuple(made))


async def test_what_is_rolled_back_was_never_noted(tools: Tools, insurer: Caller, admin: AsyncEngine) -> None:
    async with tools.engine.connect() as connection:
        await tenant(connection, insurer.id)
        await note(connection, AuditEntry(AuditEvent.SETTING_CHANGED, insurer.id, SPEAKER))
        await connection.rollback()
    assert await trail(admin, AuditEvent.SETTING_CHANGED) == []
    await noted(tools.engine, AuditEntry(AuditEvent.SETTING_CHANGED, insurer.id, SPEAKER))
    assert len(await trail(admin, AuditEvent.SETTING_CHANGED)) == 1


async def test_an_insurer_cannot_write_into_anothers_chain(tools: Tools, insurer: Caller, other: Caller) -> None:
    async with tools.engine.connect() as connection:
        await tenant(connection, insurer.id)
        with pytest.raises(DBAPIError, match="row-level security"):
            await note(connection, AuditEntry(AuditEvent.SETTING_CHANGED, other.id, SPEAKER))
