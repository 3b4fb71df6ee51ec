"""Sessions of people: whose rooms open, and when a session is over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from api.desk.frame import ROOMS
from api.rows import USERS
from api.tools import Tools
from models.contracts.vocabulary import ActorKind
from tests.desk.conftest import SignedIn, disable, revoke


@pytest.mark.parametrize("kind", [kind for kind in ActorKind if kind in ROOMS])
async def test_the_front_page_leads_everybody_to_their_own_room(signed_in: SignedIn, kind: ActorKind):
    person = await signed_in(kind)
    answer = await person.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, ROOMS[kind])


async def test_a_stranger_is_shown_the_doors(stranger: AsyncClient):
    answer = await stranger.get("/")
    assert answer.status_code == 200
    assert 'href="/enter"' in answer.text


async def test_a_disabled_user_and_a_revoked_session_are_nobody_with_the_next_request(
    signed_in: SignedIn, admin: AsyncEngine
):
    for ending in (disable, revoke):
        person = await signed_in(ActorKind.INSURER)
        assert (await person.get("/")).status_code == 303
        await ending(admin, person)
        assert (await person.get("/")).status_code == 200


async def test_a_session_that_was_refused_once_stays_over_though_its_user_is_let_in_again(
    signed_in: SignedIn, admin: AsyncEngine
):
    person = await signed_in(ActorKind.INSURER)
    await disable(admin, person)
    assert (await person.get("/")).status_code == 200
    async with admin.begin() as connection:
        await connection.execute(update(USERS).values(disabled_at=None))
    assert (await person.get("/")).status_code == 200


@pytest.mark.parametrize(
    ("kind", "by_code", "lasts"), [(ActorKind.INSURER, False, 10), (ActorKind.DEPARTMENT, True, 2)]
)
async def test_a_session_ends_by_standing_idle_and_ends_however_busy_it_is(
    signed_in: SignedIn, app: FastAPI, tools: Tools, kind: ActorKind, by_code: bool, lasts: int
):
    came = datetime.now(UTC)
    idle, busy = await signed_in(kind, by_code=by_code), await signed_in(kind, by_code=by_code)

    def later(by: timedelta) -> None:
        app.state.tools = replace(tools, now=lambda: came + by)

    for half_hours in range(1, lasts * 2):
        later(timedelta(minutes=half_hours * 30))
        assert (await busy.get("/")).status_code == 303, half_hours
    later(timedelta(minutes=61))
    assert (await idle.get("/")).status_code == 200
    later(timedelta(hours=lasts, seconds=5))
    assert (await busy.get("/")).status_code == 200
