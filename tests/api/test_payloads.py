"""The codec server answers operators who are signed in, from the UI's own address alone; each reading is on record."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
from google.protobuf.json_format import MessageToJson, Parse
from httpx import ASGITransport, AsyncClient, Response
from pydantic import SecretStr
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.client import Client

from api.app import create_app
from api.desk.sessions import begin, cookie_name
from api.rows import USERS
from api.tools import Tools
from models.contracts.vocabulary import ActorKind, CameBy, Post
from models.tables.sealed import new_key
from runtime.codec import converter
from runtime.settings import Settings

UI = "http://127.0.0.1:8233"
SECRET = Payload(metadata={"encoding": b"json/plain"}, data='"张某 6200"'.encode())
KEYS = f"p1:{new_key()}"


@pytest.fixture
async def sealed(tools: Tools, temporal: Client) -> Tools:
    """Tools whose engine keeps nothing readable."""
    sealing = converter(Settings.model_construct(payload_keys=SecretStr(KEYS)))
    config = temporal.config()
    config["data_converter"] = sealing
    return replace(tools, temporal=Client(**config), temporal_ui=UI)


@asynccontextmanager
async def browser(tools: Tools, admin: AsyncEngine, post: Post = Post.OPERATOR) -> AsyncIterator[AsyncClient]:
    """Somebody of the operators who has signed in."""
    user = uuid4()
    async with admin.begin() as connection:
        row = {"id": user, "kind": ActorKind.OPERATOR, "email": f"{user}@anze.example", "name": "高工"}
        await connection.execute(insert(USERS).values(**row, posts=[post.value]))
        token, _ = await begin(tools, connection, CameBy.OIDC, {"user_id": user})
    cookies = {cookie_name(tools): token}
    async with AsyncClient(
        transport=ASGITransport(create_app(tools)), base_url="http://anze.test", cookies=cookies
    ) as http:
        yield http


async def ask(http: AsyncClient, payloads: list[Payload], verb: str = "decode", **headers: str) -> Response:
    body = MessageToJson(Payloads(payloads=payloads), indent=None)
    sent = {"Origin": UI, "Content-Type": "application/json", "X-Namespace": "default", **headers}
    return await http.post(f"/codec/{verb}", content=body, headers=sent)


async def seal(tools: Tools) -> list[Payload]:
    """As a worker does."""
    codec = tools.temporal.data_converter.payload_codec
    assert codec is not None
    return await codec.encode([SECRET])


async def rows(admin: AsyncEngine) -> list[tuple[str, str]]:
    async with admin.connect() as connection:
        found = await connection.execute(
            text("SELECT object_id, said::text FROM audit WHERE what = 'payloads_read' ORDER BY number")
        )
        return [(row[0], row[1]) for row in found]


def read(answer: Response) -> list[Payload]:
    assert answer.status_code == 200, answer.text
    return list(Parse(answer.text, Payloads()).payloads)


async def test_an_operator_reads_what_was_sealed_and_what_is_gone_stays_sealed(
    sealed: Tools, admin: AsyncEngine
) -> None:
    gone = converter(Settings.model_construct(payload_keys=SecretStr(f"p0:{new_key()}"))).payload_codec
    assert gone is not None
    lost = (await gone.encode([SECRET]))[0]
    async with browser(sealed, admin) as http:
        (made,) = await seal(sealed)
        answer = await ask(http, [made, lost], **{"X-Workflow-Id": "claim/PS/C-1"})
    assert read(answer) == [SECRET, lost]
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["cache-control"] == "no-store"
    ((about, said),) = await rows(admin)
    assert (about, json.loads(said)) == ("claim/PS/C-1", {"payloads": 2, "opened": 1})


async def test_another_address_another_namespace_and_strangers_are_refused(sealed: Tools, admin: AsyncEngine) -> None:
    async with browser(sealed, admin) as http:
        made = await seal(sealed)
        seen = [
            (await ask(http, made, Origin="http://evil.example")).status_code,
            (await ask(http, made, Origin="null")).status_code,
            (await ask(http, made, **{"Content-Type": "text/plain"})).status_code,
            (await ask(http, made, **{"X-Namespace": "other"})).status_code,
        ]
        http.cookies.clear()
        stranger = await ask(http, made)
    assert seen == [403, 403, 415, 422]
    assert stranger.status_code == 401
    assert stranger.headers["access-control-allow-origin"] == UI
    async with browser(sealed, admin, Post.INSURER_ADMIN) as http:
        assert (await ask(http, made)).status_code == 403
    assert await rows(admin) == []


async def test_nothing_is_sealed_for_anybody(sealed: Tools, admin: AsyncEngine) -> None:
    async with browser(sealed, admin) as http:
        assert (await ask(http, [SECRET], "encode")).status_code == 404


async def test_a_browser_is_told_beforehand_who_may_ask(sealed: Tools) -> None:
    async with AsyncClient(transport=ASGITransport(create_app(sealed)), base_url="http://anze.test") as http:
        for origin, allowed in ((UI, UI), ("http://evil.example", None)):
            asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            answer = await http.options("/codec/decode", headers=asked)
            assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (204, allowed)
            assert answer.headers["vary"] == "Origin"
        assert (await http.options("/operator")).status_code == 405


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"payloads": 1}', b'{"other": 1}'])
async def test_what_is_no_list_of_payloads_is_refused(sealed: Tools, admin: AsyncEngine, body: bytes) -> None:
    async with browser(sealed, admin) as http:
        sent = {"Origin": UI, "Content-Type": "application/json"}
        answer = await http.post("/codec/decode", content=body, headers=sent)
    assert answer.status_code == 400, answer.text
    assert await rows(admin) == []


async def test_where_nothing_is_sealed_everything_is_read_as_it_is(tools: Tools, admin: AsyncEngine) -> None:
    plain = replace(tools, temporal_ui=UI)
    async with browser(plain, admin) as http:
        assert read(await ask(http, [SECRET])) == [SECRET]
