"""Somebody of each kind in a browser of their own: two insurers, two departments, two enterprises, an operator."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine

from api.desk.sessions import begin, cookie_name, form_token, hash_of
from api.rows import DEPARTMENT_SCOPES, INSUREDS, PROVIDERS, RECIPIENTS, SESSIONS, USERS
from api.tools import Tools
from models.contracts.ids import insured_id, provider_id
from models.contracts.vocabulary import ActorKind, CameBy, Post, Role
from tests.api.conftest import Caller, admin, app, http, insurer, other, terms, tools, worker

__all__ = ["admin", "app", "http", "insurer", "other", "tools", "worker"]
PAGE = "http://anze.test"
CREDIT_CODE = str(terms()["insured"]["credit_code"])
"""Of the enterprise every example policy insures (`tests.api.conftest.terms`)."""
OTHER_CODE = "91350200MA31XYX88X"
"""Of an enterprise that has no policy unless a test opens one."""
USUAL: dict[ActorKind, tuple[Post, ...]] = {
    ActorKind.INSURER: (Post.INSURER_HANDLER,),
    ActorKind.DEPARTMENT: (Post.DEPARTMENT_OFFICER,),
    ActorKind.ENTERPRISE: (),
    ActorKind.PROVIDER: (Post.PROVIDER_ASSESSOR,),
    ActorKind.OPERATOR: (Post.OPERATOR,),
}
PROVIDERS_OF_TOWN = ("91340100MA2TAN0K6J", "91341300MA2NXQ6R7U")
"""Credit codes of two service providers in the first insurer's register, once somebody of them has come in."""
_people = count(1)


@dataclass
class Person:
    """A browser with a session: what a form carries is added, so that a test says only what is typed."""

    http: AsyncClient
    kind: ActorKind
    token: str
    """The cookie's value."""
    form_token: str
    user_id: UUID | None = None
    insurer_id: UUID | None = None
    recipient_id: UUID | None = None
    insured_id: UUID | None = None
    provider_id: UUID | None = None

    async def get(self, path: str, **more: Any) -> Response:
        return await self.http.get(path, **more)

    async def post(self, path: str, once: str | None = None, files: Any = None, **typed: Any) -> Response:
        """A form as the page would send it; `once` repeats an earlier sending."""
        form = {"_token": self.form_token, "_once": once or f"once-{uuid4().hex}", **typed}
        return await self.http.post(path, data=form, files=files)


@dataclass
class Town:
    """The places of two of each: the first is the one everything happens to, the second must see none of it.

    `departments`: emergency management of Suzhou (every sector below 3413); Suzhou's housing bureau
    (housing construction only). `enterprises`: the enterprise of the example policy, and another of the same insurer.
    """

    insurers: tuple[Caller, Caller]
    departments: tuple[UUID, UUID]
    enterprises: tuple[UUID, UUID]
    """Their recipients; `insureds` are the same enterprises as the first insurer knows them."""
    insureds: tuple[UUID, UUID]


SignedIn = Callable[..., Awaitable[Person]]


@pytest.fixture
async def town(insurer: Caller, other: Caller, admin: AsyncEngine) -> Town:
    """Everybody there is; an insurer is a `Caller` with a key, so that cases are opened through the API."""
    emergency = await new_department(admin, ("341300", "应急管理局"), "宿州市应急管理局", ("3413", "*"))
    housing = await new_department(admin, ("341300", "住建局"), "宿州市住房和城乡建设局",
                                   ("3413", "housing_construction"), role=Role.INDUSTRY)  # fmt: skip
    first = await new_enterprise(admin, insurer.id, CREDIT_CODE, "宿州皖北精细化工有限公司")
    second = await new_enterprise(admin, insurer.id, OTHER_CODE, "厦门鹭港物流有限公司")
    known = insured_id(insurer.id, CREDIT_CODE), insured_id(insurer.id, OTHER_CODE)
    return Town((insurer, other), (emergency, housing), (first, second), known)


async def new_department(
    admin: AsyncEngine, office: tuple[str, str], name: str, scope: tuple[str, str], role: Role = Role.EMERGENCY
) -> UUID:
    """A registered department: `office` is (region, name in the notice), `scope` is (prefix of places, sector)."""
    recipient_id = uuid4()
    row = {"region": office[0], "department": office[1], "name": name, "email": f"d{next(_people)}@gov.example"}
    seen = {"recipient_id": recipient_id, "prefix": scope[0], "sector": scope[1]}
    async with admin.begin() as connection:
        await connection.execute(insert(RECIPIENTS).values(id=recipient_id, role=role, **row))
        await connection.execute(insert(DEPARTMENT_SCOPES).values(seen))
    return recipient_id


async def new_enterprise(admin: AsyncEngine, insurer_id: UUID, credit_code: str, name: str) -> UUID:
    """An enterprise with its registered address; opening a policy of it later keeps the row."""
    known, recipient_id = insured_id(insurer_id, credit_code), uuid4()
    row = {"id": known, "insurer_id": insurer_id, "credit_code": credit_code, "name": name}
    to = {"insurer_id": insurer_id, "insured_id": known, "name": name, "email": f"e{next(_people)}@firm.example"}
    async with admin.begin() as connection:
        await connection.execute(upsert(INSUREDS).values(row).on_conflict_do_nothing())
        await connection.execute(insert(RECIPIENTS).values(id=recipient_id, role=Role.INSURED, **to))
    return recipient_id


@dataclass
class _Doors:
    """Lets people in and closes their browsers afterwards."""

    app: FastAPI
    tools: Tools
    admin: AsyncEngine
    town: Town
    open: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def signed_in(self, kind: ActorKind, *posts: Post, second: bool = False, by_code: bool = False) -> Person:
        """A person of this kind; `second`: of the other insurer, department or enterprise.

        Without posts the usual one. A department's address that came by a code (`by_code`) is no user and has no post.
        """
        if kind is ActorKind.ENTERPRISE or by_code:
            return await self._contact(kind, second)
        place = await self._provider(second) if kind is ActorKind.PROVIDER else self._place(kind, second)
        user_id, number = uuid4(), next(_people)
        row = {"kind": kind, "email": f"p{number}@people.example", "name": f"人员{number}"}
        async with self.admin.begin() as connection:
            row |= {"posts": [one.value for one in posts or USUAL[kind]]}
            await connection.execute(insert(USERS).values(id=user_id, **row, **place))
        return await self._entered(kind, CameBy.OIDC, {"user_id": user_id}, place | {"user_id": user_id})

    async def _provider(self, second: bool) -> dict[str, UUID]:
        """A provider of the first insurer, registered with whoever of it comes in first."""
        insurer_id, code = self.town.insurers[0].id, PROVIDERS_OF_TOWN[second]
        known = provider_id(insurer_id, code)
        row = {"id": known, "insurer_id": insurer_id, "credit_code": code, "name": f"服务机构{code[-1]}"}
        row |= {"email": f"x@{code[-1].lower()}.example"}
        async with self.admin.begin() as connection:
            await connection.execute(upsert(PROVIDERS).values(row).on_conflict_do_nothing())
        return {"insurer_id": insurer_id, "provider_id": known}

    def _place(self, kind: ActorKind, second: bool) -> dict[str, UUID]:
        if kind is ActorKind.INSURER:
            return {"insurer_id": self.town.insurers[second].id}
        return {"recipient_id": self.town.departments[second]} if kind is ActorKind.DEPARTMENT else {}

    async def _contact(self, kind: ActorKind, second: bool) -> Person:
        if kind is ActorKind.DEPARTMENT:
            place = {"recipient_id": self.town.departments[second]}
        else:
            place = {"recipient_id": self.town.enterprises[second], "insured_id": self.town.insureds[second]}
            place |= {"insurer_id": self.town.insurers[0].id}
        return await self._entered(kind, CameBy.CODE, {"recipient_id": place["recipient_id"]}, place)

    async def _entered(
        self, kind: ActorKind, came_by: CameBy, holder: dict[str, UUID], place: dict[str, UUID]
    ) -> Person:
        async with self.tools.engine.begin() as connection:
            token, _ = await begin(self.tools, connection, came_by, holder)
        cookies = {cookie_name(self.tools): token}
        headers = {"Accept": "text/html", "Origin": PAGE, "Sec-Fetch-Site": "same-origin"}
        client = AsyncClient(transport=ASGITransport(self.app), base_url=PAGE, cookies=cookies, headers=headers)
        await self.open.enter_async_context(client)
        return Person(client, kind, token, form_token(self.tools.secret, hash_of(token)), **place)


@pytest.fixture
async def signed_in(app: FastAPI, tools: Tools, admin: AsyncEngine, town: Town) -> AsyncIterator[SignedIn]:
    """`await signed_in(ActorKind.INSURER, Post.INSURER_ADMIN, second=True)` gives a Person; see _Doors.signed_in."""
    doors = _Doors(app, tools, admin, town)
    async with doors.open:
        yield doors.signed_in


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A browser nobody is signed in with."""
    headers = {"Accept": "text/html", "Origin": PAGE, "Sec-Fetch-Site": "same-origin"}
    async with AsyncClient(transport=ASGITransport(app), base_url=PAGE, headers=headers) as client:
        yield client


async def disable(admin: AsyncEngine, person: Person) -> None:
    """The user may not come in any more; the session is left as it is."""
    async with admin.begin() as connection:
        await connection.execute(update(USERS).where(USERS.c.id == person.user_id).values(disabled_at=func.now()))


async def revoke(admin: AsyncEngine, person: Person) -> None:
    """The session is over; the person is still a user."""
    async with admin.begin() as connection:
        ended = update(SESSIONS).where(SESSIONS.c.token_hash == hash_of(person.token))
        await connection.execute(ended.values(revoked_at=func.now()))


async def name_of(admin: AsyncEngine, person: Person) -> str:
    """As the people's register has it."""
    async with admin.connect() as connection:
        return (await connection.execute(select(USERS.c.name).where(USERS.c.id == person.user_id))).scalar_one()
