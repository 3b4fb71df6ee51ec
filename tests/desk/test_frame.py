"""The frame of every page: it stays when something goes wrong, its language switch leads to a page, nothing is lost."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import quote

from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from api.authorization import PLACE, SOME_ID, load
from api.desk.frame import NAVIGATION, ROOMS
from api.rows import SESSIONS
from api.tools import Tools
from models.contracts.vocabulary import ActorKind, Post
from tests.desk.conftest import PAGE, SignedIn, disable, revoke

ADMIN = (Post.INSURER_ADMIN, Post.INSURER_HANDLER)
TROUBLES = (
    ("/insurer/nothing-lies-here", 404),
    (f"/insurer/policies/{SOME_ID}", 404),
    ("/insurer/people/keys", 405),
    ("/operator", 403),
    ("/insurer/policies?cursor=x", 422),
    ("/insurer/policies?q=a%00b", 422),
)
WORDS = {"shelf": "policies", "update": "record_visit", "act": "answer", "year": "2026"}
NOWHERE = create_async_engine("postgresql+asyncpg://nobody@/nothing?host=/nowhere/at/all")


def framed(answer: Response, kind: ActorKind, name: str) -> bool:
    """Navigation, name, the way out, and home is the own room."""
    page = answer.text
    ways = all(f'href="{address}"' in page for address, _ in NAVIGATION[kind])
    return (
        ways and f'<span class="name">{name}' in page and 'action="/leave"' in page and f'href="{ROOMS[kind]}">' in page
    )


def plain(answer: Response) -> bool:
    return 'class="name"' not in answer.text and 'action="/leave"' not in answer.text and "<nav" not in answer.text


def next_of(page: str) -> str:
    found = re.search(r'action="/language"[^>]*>\s*<input type="hidden" name="next" value="([^"]*)"', page)
    assert found
    return unescape(found[1])


async def test_what_goes_wrong_is_told_within_the_frame_of_who_is_signed_in(
    signed_in: SignedIn, stranger: AsyncClient, app: FastAPI
):
    async def broken() -> None:
        raise ArithmeticError

    app.add_api_route("/insurer/broken", broken, methods=["GET"])
    person = await signed_in(ActorKind.INSURER, *ADMIN)
    for path, status in (*TROUBLES, ("/insurer/broken", 500)):
        answer = await person.get(path)
        assert answer.status_code == status, path
        assert framed(answer, ActorKind.INSURER, "甲保险公司"), path
        told = await stranger.get(path)
        assert told.status_code == 303 or plain(told), path
    forged = await person.http.post("/insurer/people", data={"_token": "another's"})
    assert forged.status_code == 403
    assert framed(forged, ActorKind.INSURER, "甲保险公司")


async def test_a_session_that_is_over_shows_no_name_and_the_look_at_it_writes_nothing(
    signed_in: SignedIn, admin: AsyncEngine, app: FastAPI, tools: Tools
):
    seen = select(SESSIONS.c.seen_at, SESSIONS.c.revoked_at)
    person = await signed_in(ActorKind.INSURER)
    async with admin.connect() as connection:
        before = (await connection.execute(seen)).one()
    app.state.tools = replace(tools, now=lambda: datetime.now(UTC) + timedelta(minutes=5))
    assert "甲保险公司" in (await person.get("/nothing-lies-here")).text
    async with admin.connect() as connection:
        assert (await connection.execute(seen)).one() == before
    app.state.tools = tools
    for ending in (disable, revoke):
        person = await signed_in(ActorKind.INSURER)
        await ending(admin, person)
        answer = await person.get("/nothing-lies-here")
        assert (answer.status_code, plain(answer)) == (404, True)


async def test_where_the_database_is_away_the_page_is_plain_and_comes(signed_in: SignedIn, app: FastAPI, tools: Tools):
    person = await signed_in(ActorKind.OPERATOR)
    app.state.tools = replace(tools, engine=NOWHERE)
    for path, status in (("/nothing-lies-here", 404), ("/operator", 503)):
        answer = await person.get(path)
        assert (answer.status_code, plain(answer)) == (status, True), path
    app.state.tools = tools


def posts() -> Iterator[str]:
    """Every address of a room that takes a form."""
    for name in load():
        method, _, path = name.partition(" ")
        if method == "POST" and path.startswith(tuple(f"{room}/" for room in ROOMS.values())):
            yield path


def named(template: str) -> str:
    """An address of a route: a policy's where it may be any case's, with ids nobody has."""
    return PLACE.sub(lambda place: WORDS.get(place[1], SOME_ID), template)


def test_from_every_form_a_page_is_found_that_can_be_opened(app: FastAPI):
    methods = app.state.methods
    pages = {named(name.removeprefix("GET ")) for name in load() if name.startswith("GET ")}
    for template in posts():
        path = wanted = named(template)
        while wanted not in pages:
            wanted = wanted.rpartition("/")[0]
        assert methods.page_at(path) == wanted, path
    for path, page in (
        ("/operator/retry", "/operator"),
        ("/insurer/people/keys", "/insurer/people"),
        (f"/insurer/people/keys/{SOME_ID}", "/insurer/people"),
        ("/operator/people/insurers", "/operator/people"),
        (f"/insurer/providers/{SOME_ID}", "/insurer/providers"),
        (f"/insurer/providers/{SOME_ID}/people", "/insurer/providers"),
        (f"/department/cases/{SOME_ID}/answer", f"/department/cases/{SOME_ID}"),
        ("//elsewhere.example/x", ""),
        ("", ""),
    ):
        assert methods.page_at(path) == page, path


async def test_the_switch_of_languages_leads_to_a_page_after_a_form_too(signed_in: SignedIn):
    person = await signed_in(ActorKind.INSURER, *ADMIN)
    for path, page in (("/insurer/people/keys", "/insurer/people"), ("/insurer/providers", "/insurer/providers")):
        wrong = await person.post(path)
        assert wrong.status_code == 422, path
        assert next_of(wrong.text) == page
        switched = await person.http.post("/language", data={"language": "en", "next": next_of(wrong.text)})
        assert (await person.get(switched.headers["location"])).status_code == 200
    shown = (await person.get("/insurer/policies?q=PA")).text
    assert next_of(shown) == "/insurer/policies?q=PA"
    assert "data-stays" in shown
    closed = await person.get("/insurer/people/keys")
    assert closed.status_code == 405
    assert next_of(closed.text) == "/insurer/people"
    assert "data-stays" not in closed.text
    person.http.cookies.delete("anze_lang")
    closed = await person.get("/insurer/people/keys")
    assert "这个地址不能直接打开" in closed.text
    assert "接口说明" not in closed.text


async def test_whose_session_ended_over_a_form_comes_back_to_its_page(signed_in: SignedIn, admin: AsyncEngine):
    person = await signed_in(ActorKind.INSURER)
    await revoke(admin, person)

    async def sent(path: str, page: str) -> str:
        answer = await person.http.post(path, data={"_token": person.form_token}, headers={"Referer": page})
        assert answer.status_code == 303
        return answer.headers["location"]

    act = f"/insurer/claims/{SOME_ID}/void_payment"
    assert await sent(act, f"{PAGE}{act}?number=P-1") == f"/enter?next={quote(act + '?number=P-1')}"
    assert await sent("/insurer/providers", f"{PAGE}/insurer/providers") == "/enter?next=/insurer/providers"
    told = f"/department/cases/{SOME_ID}"
    assert await sent(f"{told}/answer", f"{PAGE}{told}/answer?x=1") == f"/enter?next={told}", "no page lies there"
    for strange in ("", "https://elsewhere.example/insurer", "http://[", f"{PAGE}//elsewhere.example", "about:blank"):
        assert await sent(act, strange) == "/enter", strange
