"""Sessions of people: whose rooms open, and when a session is over."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI, Request
from httpx import AsyncClient
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from api.desk.frame import ROOMS
from api.desk.sessions import entered_by_cookie, hash_of
from api.rows import SESSIONS, USERS
from api.tools import Tools
from models.contracts.vocabulary import ActorKind
from models.tables import engine as settings
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


async def test_a_session_refused_at_a_room_stays_over_though_its_user_is_let_in_again(
    signed_in: SignedIn, admin: AsyncEngine
):
    person = await signed_in(ActorKind.INSURER)
    assert (await person.get("/insurer")).status_code == 200
    await disable(admin, person)
    assert (await person.get("/insurer")).headers["location"] == "/enter?next=/insurer"
    async with admin.begin() as connection:
        await connection.execute(update(USERS).values(disabled_at=None))
    assert (await person.get("/insurer")).status_code == 303, "the old cookie opens nothing any more"


async def test_a_page_that_takes_long_holds_up_no_other_tab(signed_in: SignedIn, app: FastAPI, tools: Tools):
    """The first sight for a minute is written before the page begins, not with it."""
    person, later = await signed_in(ActorKind.INSURER), datetime.now(UTC) + timedelta(minutes=5)
    app.state.tools = replace(tools, now=lambda: later)
    scope = {"type": "http", "app": app, "headers": [(b"cookie", f"anze={person.token}".encode())], "deadline": 0.0}
    async with entered_by_cookie(Request(scope)) as slow:
        assert slow is not None
        async with tools.engine.begin() as connection:
            await settings.session(connection, hash_of(person.token))
            seen = (await connection.execute(select(SESSIONS.c.seen_at).with_for_update(nowait=True))).scalar_one()
    assert seen == later


async def test_a_stranger_sends_no_file_to_a_room_and_little_to_a_door(stranger: AsyncClient):
    async def never_read() -> AsyncIterator[bytes]:
        raise AssertionError("a body nobody asked for was read")
        yield b""

    form = {"Content-Type": "multipart/form-data; boundary=x"}
    room = await stranger.post("/insurer/new", content=never_read(), headers=form)
    assert (room.status_code, room.headers["location"]) == (303, "/enter")
    for door in ("/enter/code", "/enter/code/check", "/language", "/leave"):
        many = "&".join(f"a{number}={'x' * 4000}" for number in range(100))
        typed = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await stranger.post(door, content=many, headers=typed)).status_code == 413, door


async def test_drafts_are_kept_under_the_name_of_who_types_them(signed_in: SignedIn):
    for person in (await signed_in(ActorKind.INSURER), await signed_in(ActorKind.INSURER)):
        assert f'data-draft="new-policy-{person.user_id}"' in (await person.get("/insurer/new")).text


async def test_who_may_not_use_a_route_sends_it_nothing(signed_in: SignedIn):
    async def never_read() -> AsyncIterator[bytes]:
        raise AssertionError("a body nobody asked for was read")
        yield b""

    person = await signed_in(ActorKind.DEPARTMENT)
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await person.http.post("/insurer/new", content=never_read(), headers=form)
    assert answer.status_code == 403


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
