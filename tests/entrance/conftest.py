"""A real OpenID provider on 127.0.0.1 with people of the test's own, and the application that trusts it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import create_app
from api.identity import IdentityProvider
from api.rows import USERS
from api.tools import Tools
from models.contracts.vocabulary import ActorKind, Post
from runtime.embedded.identity import Client, Grant, Identity, IdentityServer
from runtime.embedded.ports import free_ports
from tests.api.conftest import admin, http, insurer, other
from tests.api.conftest import tools as tools_without_provider
from tests.desk.conftest import signed_in, stranger, town

__all__ = ["admin", "http", "insurer", "other", "signed_in", "stranger", "tools_without_provider", "town"]
PEOPLE = (
    Identity("s-ann", "安经办", "ann@firm.example", "甲保险", "经办人"),
    Identity("s-bob", "白审计", "bob@firm.example", "甲保险", "审计员"),
    Identity("s-eve", "未核实", "ann@firm.example", email_verified=False),
    Identity("s-new", "没登记", "new@firm.example"),
)


class Provider(IdentityServer):
    """The provider, which a test may make lie: `claims` are changed, `header` too, `written` is said instead."""

    def __init__(self, folder: Path, port: int, people: tuple[Identity, ...], client: Client) -> None:
        super().__init__(folder, port, people, client)
        self.claims: dict[str, Any] = {}
        self.typ = "JWT"
        self.written: str | None = None
        self.says_access_token = False
        self.said: dict[str, Any] = {}

    def id_token(self, grant: Grant, access_token: str) -> str:
        if self.says_access_token:
            return access_token
        honest = super().id_token(grant, access_token)
        return self.written if self.written is not None else honest

    def signed(self, claims: Any, typ: str) -> str:
        if typ != "JWT":
            return super().signed(claims, typ)
        self.said = {name: value for name, value in {**claims, **self.claims}.items() if value is not None}
        return super().signed(self.said, self.typ)


@pytest.fixture
async def provider(tools_without_provider: Tools, tmp_path: Path) -> AsyncIterator[Provider]:
    base = tools_without_provider.base_url
    client = Client("anze", "the-secret-of-the-client", f"{base}/enter/callback", f"{base}/enter")
    [port] = free_ports(1)
    server = Provider(tmp_path, port, PEOPLE, client)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def tools(tools_without_provider: Tools, provider: Provider) -> Tools:
    identity = IdentityProvider(provider.issuer, provider.client.id, provider.client.secret)
    return replace(tools_without_provider, identity=identity)


@pytest.fixture
def app(tools: Tools) -> FastAPI:
    return create_app(tools)


def returned(answer: Response) -> dict[str, str]:
    """What an answer of the provider gives back to the application."""
    return {name: one[0] for name, one in parse_qs(urlsplit(answer.headers["location"]).query).items()}


@dataclass
class Browser:
    """One person's browser, at the application and at the provider."""

    http: AsyncClient
    outside: AsyncClient

    async def set_out(self, wanted: str = "") -> str:
        """To the provider; its address with everything the application asks of it."""
        answer = await self.http.get("/enter/oidc", params={"next": wanted} if wanted else {})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def choose(self, address: str, subject: str) -> dict[str, str]:
        """At the provider; what it sends back: a code or an error, and the state."""
        page = await self.outside.get(address)
        assert page.status_code == 200, page.text
        answer = await self.outside.post(address, data={"subject": subject})
        return returned(answer)

    async def come_back(self, said: dict[str, str]) -> Response:
        return await self.http.get("/enter/callback", params=said)

    async def sign_in(self, subject: str, wanted: str = "") -> Response:
        return await self.come_back(await self.choose(await self.set_out(wanted), subject))

    @property
    def cookie(self) -> str | None:
        return self.http.cookies.get("anze")


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[Browser]:
    headers = {"Accept": "text/html"}
    inside = AsyncClient(transport=ASGITransport(app), base_url="http://anze.test", headers=headers)
    async with inside, AsyncClient(trust_env=False) as outside:
        yield Browser(inside, outside)


async def new_user(admin: AsyncEngine, insurer_id: UUID, email: str, *posts: Post) -> UUID:
    """Registered, and never signed in."""
    user_id = uuid4()
    row = {"id": user_id, "kind": ActorKind.INSURER, "insurer_id": insurer_id, "email": email, "name": email}
    async with admin.begin() as connection:
        await connection.execute(insert(USERS).values(row | {"posts": [one.value for one in posts]}))
    return user_id
