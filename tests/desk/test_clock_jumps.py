"""A jump of the API host's clock decides nothing: links, sessions, codes and terms end by the database's time (F34)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
import time_machine
from httpx import AsyncClient
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from api.desk.sessions import hash_of
from api.rows import LINKS, SESSIONS
from api.tools import Tools
from models.contracts.vocabulary import ActorKind, LinkPurpose, Post
from runtime.clock import DatabaseClock
from tests.api.conftest import terms
from tests.desk.conftest import Person, SignedIn, Town
from tests.faults.invariants import Look, broken

HOUR = timedelta(hours=1)
A_MOMENT = timedelta(minutes=2)
"""More than a busy machine needs for a test."""


@pytest.fixture
async def tools(tools: Tools) -> AsyncIterator[Tools]:
    """With the clock of the web process."""
    async with DatabaseClock(tools.engine).kept() as clock:
        yield replace(tools, now=clock.now)


async def ends(admin: AsyncEngine, person: Person, at: datetime) -> None:
    async with admin.begin() as connection:
        mine = update(SESSIONS).where(SESSIONS.c.token_hash == hash_of(person.token))
        await connection.execute(mine.values(expires_at=at))


async def link(admin: AsyncEngine, town: Town, case_id: str, expires_at: datetime) -> str:
    """A link of the department to this case; its address."""
    token = f"{uuid4().hex}{uuid4().hex}"[:43]
    row = {
        "id": uuid4(),
        "token_hash": sha256(token.encode()).hexdigest(),
        "insurer_id": town.insurers[0].id,
        "case_id": case_id,
        "recipient_id": town.departments[0],
        "purpose": LinkPurpose.DEPARTMENT,
        "duty_key": "policy_upload",
        "expires_at": expires_at,
    }
    async with admin.begin() as connection:
        await connection.execute(insert(LINKS).values(row))
    return f"/l/{token}"


@pytest.mark.fault("F34")
@pytest.mark.usefixtures("worker")
async def test_no_link_session_key_or_term_is_judged_by_the_hosts_clock(
    signed_in: SignedIn, stranger: AsyncClient, town: Town, admin: AsyncEngine, look: Look, record_property
) -> None:
    insurer, now = town.insurers[0], datetime.now(UTC)
    opened = (await insurer.post("/v1/policies", terms())).json()
    living = await link(admin, town, opened["id"], now + HOUR / 2)
    dead = await link(admin, town, opened["id"], now - HOUR / 2)
    here = await signed_in(ActorKind.INSURER, Post.INSURER_HANDLER)
    soon = await signed_in(ActorKind.INSURER, Post.INSURER_HANDLER)
    gone = await signed_in(ActorKind.INSURER, Post.INSURER_HANDLER)
    await ends(admin, soon, now + HOUR / 2)
    await ends(admin, gone, now - HOUR / 2)

    async def decided() -> list[int]:
        pages = [await stranger.get(living), await stranger.get(dead)]
        pages += [await person.get("/insurer") for person in (here, soon, gone)]
        reading = (await insurer.get(f"/v1/policies/{opened['id']}")).json()
        judged = datetime.fromisoformat(reading["as_of"])
        return [*(page.status_code for page in pages), abs(judged - now) < A_MOMENT]

    before = await decided()
    after = {}
    for jump in (HOUR + A_MOMENT, -HOUR - A_MOMENT):
        with time_machine.travel(datetime.now(UTC) + jump, tick=True):
            after[jump] = await decided()
    assert before[:2] == [200, 404]
    assert before[2:4] == [200, 200]
    assert before[4] != 200
    assert before[-1] is True
    assert list(after.values()) == [before, before]
    assert await broken(look) == []
    record_property("measured", f"decisions changed by a jump of an hour: 0 of {2 * len(before)}")
