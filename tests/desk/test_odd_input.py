"""What no page sends: control characters, digits of other scripts, numbers without bounds; told in words, never 5xx."""

from urllib.parse import quote

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import insert, literal, select
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from api.authorization import PLACE, SOME_ID, load
from api.desk.frame import ROOMS
from api.rows import INSURERS
from api.tools import Tools
from models.contracts.vocabulary import ActorKind, Post
from tests.desk.conftest import SignedIn, Town

ALL = {ActorKind.INSURER: (Post.INSURER_ADMIN, Post.INSURER_HANDLER)}
ODD = ("\uff13\uff14\uff11\uff13\uff10\uff10", "9" * 30, "-5", "\u00b2", "0", "0001-01-01", "9999-12-31")
ASKED = ("q", "who", "place", "region", "before", "since", "until", "limit", "cursor", "kind", "text", "year", "sector")
NAMES = {"year": "2026", "shelf": "policies", "update": "record_visit", "act": "acknowledge"}


def pages_of(kind: ActorKind) -> list[str]:
    """Every page of a room, as the table of doors has it; places hold an id nobody has."""
    paths = [name.removeprefix("GET ") for name in load() if name.startswith(f"GET {ROOMS[kind]}")]
    assert paths, f"no page begins with {ROOMS[kind]}"
    return [PLACE.sub(lambda place: NAMES.get(place[1], SOME_ID), path) for path in paths]


@pytest.mark.parametrize("kind", list(ROOMS))
async def test_no_page_of_a_room_breaks_over_its_address(signed_in: SignedIn, worker: Worker, kind: ActorKind):
    person = await signed_in(kind, *ALL.get(kind, ()))
    for path in pages_of(kind):
        for name in ASKED:
            answer = await person.get(f"{path}?{name}=a%00b")
            assert (answer.status_code, "text/html" in answer.headers["content-type"]) == (422, True), (path, name)
        for odd in ODD:
            query = "&".join(f"{name}={quote(odd)}" for name in ASKED)
            assert (await person.get(f"{path}?{query}")).status_code < 500, (path, odd)
            for name in ASKED:
                assert (await person.get(f"{path}?{name}={quote(odd)}")).status_code < 500, (path, name, odd)


@pytest.mark.parametrize("typed", [{"insurer": "a\x00b"}, {"a\x01": "b"}, {"next": "/\x7f"}])
async def test_a_form_with_control_characters_is_refused_in_words(stranger: AsyncClient, typed: dict[str, str]):
    form = {"who": "enterprise", "insurer": "A", "credit_code": "91341300MA2MXXXX0K"}
    answer = await stranger.post("/enter/code", data=form | typed)
    assert answer.status_code == 422
    assert "\u5185\u5bb9\u4e0d\u7b26\u5408\u8981\u6c42" in answer.text
    assert "<b>\u8868\u5355</b>" in answer.text, "the field by the name people know"


async def test_lines_and_tabs_are_text(stranger: AsyncClient):
    form = {"who": "enterprise", "insurer": "A\r\n\tB", "credit_code": "91350200MA31XYX88X"}
    assert (await stranger.post("/enter/code", data=form)).status_code == 303


@pytest.mark.parametrize("year", ["99999999999999", "0", "-1", "1999", "2200"])
async def test_a_year_nobody_lives_in_is_refused_in_words(signed_in: SignedIn, year: str):
    person = await signed_in(ActorKind.OPERATOR)
    assert (await person.get(f"/operator/calendars/{year}")).status_code == 422
    assert (
        await person.post(f"/operator/calendars/{year}", reason="\u6838\u5bf9\u540e\u5904\u7406")
    ).status_code == 422


@pytest.mark.parametrize(("limit", "status"), [("0", 422), ("-5", 422), ("101", 422), ("1", 200), ("100", 200)])
async def test_the_history_is_read_in_pages_of_a_bounded_length(signed_in: SignedIn, limit: str, status: int):
    person = await signed_in(ActorKind.ENTERPRISE)
    assert (await person.get(f"/enterprise/history?limit={limit}")).status_code == status


async def test_what_the_database_does_not_take_is_not_told_as_an_outage(
    app: FastAPI, tools: Tools, town: Town, admin: AsyncEngine, stranger: AsyncClient
):
    """Where a check of ours was forgotten: bad data is 422, a doubled row 409, and neither says to try again."""

    async def bad() -> None:
        async with tools.engine.connect() as connection:
            await connection.execute(select(literal("a\x00b")))

    async def doubled() -> None:
        async with admin.begin() as connection:
            await connection.execute(insert(INSURERS).values(id=town.insurers[0].id, code="ZZ", name="ZZ"))

    for path, act, status in (("/odd/bad", bad, 422), ("/odd/doubled", doubled, 409)):
        app.add_api_route(path, act, methods=["GET"])
        answer = await stranger.get(path)
        assert answer.status_code == status
        assert "Retry-After" not in answer.headers
