"""The world the matrix is proved in: two insurers, two enterprises each, three offices, every number twice; no test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.links import token as link_token
from activities.mailserver import SmtpSettings
from activities.postman import MailPostman
from api.app import create_app
from api.claims.doors import DOORS as CLAIM_DOORS
from api.claims.doors import losses, payment, report
from api.desk.sessions import begin, cookie_name, form_token, hash_of
from api.files import PDF
from api.insurer.doors import DOORS as INSURER_DOORS
from api.insurer.doors import SAMPLE_FILE, application
from api.keys import KeyFor, mint_key
from api.rows import DEPARTMENT_SCOPES, INSURERS, OUTBOX, PROVIDERS, RECIPIENTS, TASKS, USERS
from api.tools import Tools
from api.words import Scope
from models.contracts.ids import provider_id
from models.contracts.mailroom import Compose
from models.contracts.vocabulary import ActorKind, CameBy, Post, Role
from runtime.embedded.ports import LOOPBACK
from runtime.settings import PROJECT_ROOT
from runtime.worker import library
from tests.api.claiming import TERMS
from tests.api.conftest import Caller, sample_file, today
from tests.desk.matters import tell

PAGE = "http://anze.test"
PAGES = {"Accept": "text/html", "Origin": PAGE, "Sec-Fetch-Site": "same-origin"}
EXAMPLES = {(door.kind.value, door.path): door.example for door in (*INSURER_DOORS, *CLAIM_DOORS)}
CODES = ("91341300MA2NXR5T8H", "91341300MA2NXQ6R7U")
SERVING = {"own": "A", "ended": "A", "sibling": "B", "foreign": "A", "rival": "B"}
"""Which provider each policy names: A and B serve both insurers, under the same two credit codes on purpose."""
PROVIDER_CODES = {"A": "91340100MA2TAN0K6J", "B": CODES[1]}
CHEMICALS, HOUSING = "hazardous_chemicals", "housing_construction"
SUZHOU, XIAMEN = "341300", "350200"
PERSON = {"employee": True, "name": "张某", "bank_account": "6200000000000000000"}
DUTY = "service_completion"
SAMPLES = PROJECT_ROOT / "samples" / "portfolio.csv"


@dataclass
class Holding:
    """One set of objects somebody may ask for: kind of object → its id or number, as it stands in an address."""

    name: str
    ids: dict[str, str] = field(default_factory=dict)


@dataclass
class Actor:
    """One visitor of the matrix: a key of the API, a browser with a session, or neither."""

    name: str
    http: AsyncClient
    bearer: str = ""
    form_token: str = ""
    cookie: str = ""

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        """JSON for the API, a form for a page; what every request of its kind carries is added."""
        if path.startswith("/v1/"):
            sent = {"Idempotency-Key": uuid4().hex, **headers}
            sent |= {"Authorization": f"Bearer {self.bearer}"} if self.bearer else {}
            if path.startswith("/v1/files") and method == "POST":
                return await self.http.request(method, path, content=body or b"x", headers=sent)
            return await self.http.request(method, path, json=body, headers=sent)
        sent = {**PAGES, **headers} | ({"Cookie": self.cookie} if self.cookie else {})
        form = {"_token": self.form_token, "_once": uuid4().hex, **(body or {})} if method == "POST" else None
        return await self.http.request(method, path, data=form, headers=sent)


@dataclass
class World:
    """Everybody and everything; the first insurer's first enterprise is where `own` points."""

    app: FastAPI
    tools: Tools
    admin: AsyncEngine
    http: AsyncClient
    actors: dict[str, Actor] = field(default_factory=dict)
    insurers: list[Caller] = field(default_factory=list)
    holdings: dict[str, Holding] = field(default_factory=dict)
    offices: dict[str, UUID] = field(default_factory=dict)

    async def told(self, office: str, case: str) -> None:
        """A letter about a case waits for an office, in the name of the case's own insurer."""
        await tell(self.admin, self.offices[office], UUID(case), DUTY)
        named = "jsonb_set(matter, '{insurer_name}', (SELECT to_jsonb(name) FROM insurers WHERE id = insurer_id))"
        async with self.admin.begin() as connection:
            await connection.execute(text(f"UPDATE outbox SET matter = {named} WHERE case_id = :case"), {"case": case})

    async def rows(self) -> dict[str, int]:
        """How many rows every table has and how far every case has come; without what every request leaves behind."""
        left = {"audit", "audit_heads", "alembic_version"}
        async with self.admin.connect() as connection:
            listed = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            names = (await connection.execute(listed)).scalars()
            counts = {
                name: (await connection.execute(text(f"SELECT count(*) FROM {name}"))).scalar_one()
                for name in sorted(set(names) - left)
            }
            counts["seq"] = (await connection.execute(text("SELECT sum(seq) FROM cases"))).scalar_one()
        return counts


@asynccontextmanager
async def built(tools: Tools, admin: AsyncEngine) -> AsyncIterator[World]:
    """Everything in place; a worker must be running."""
    app = create_app(tools)
    async with AsyncClient(transport=ASGITransport(app), base_url=PAGE) as http:
        world = World(app, tools, admin, http)
        for name in ("甲保险公司", "乙保险公司"):
            world.insurers.append(await _insurer(world, name))
        await _offices(world)
        for caller, names in zip(world.insurers, (("own", "sibling", "ended"), ("foreign", "rival")), strict=True):
            await _portfolio(world, caller, names)
        await _letters(world)
        await _people(world)
        world.holdings["random"] = Holding("random", _random(world))
        yield world


_insurers = count()
"""Codes stand in the ids of workflows, and worlds share an engine: no two worlds have one in common."""


async def _insurer(world: World, name: str) -> Caller:
    insurer_id, code = uuid4(), f"w{next(_insurers)}"
    async with world.admin.begin() as connection:
        await connection.execute(insert(INSURERS).values(id=insurer_id, code=code, name=name))
        desk = {"role": Role.INSURER, "insurer_id": insurer_id, "name": name, "email": f"desk@{code}.example"}
        await connection.execute(insert(RECIPIENTS).values(id=uuid4(), **desk))
        scopes = tuple(one.value for one in Scope)
        minted = await mint_key(connection, KeyFor(ActorKind.INSURER, "系统", insurer_id=insurer_id, scopes=scopes))
    return Caller(world.http, minted.token, insurer_id, code)


async def _offices(world: World) -> None:
    """The same area with another industry, and the same industry in another area."""
    for name, place, sector in (
        ("here", SUZHOU, CHEMICALS),
        ("other_industry", SUZHOU, HOUSING),
        ("other_area", XIAMEN, CHEMICALS),
    ):
        office = world.offices[name] = uuid4()
        row = {"region": place, "department": name, "name": f"局{name}", "email": f"{name}@gov.example"}
        async with world.admin.begin() as connection:
            await connection.execute(insert(RECIPIENTS).values(id=office, role=Role.EMERGENCY, **row))
            seen = {"recipient_id": office, "prefix": place[:4], "sector": sector}
            await connection.execute(insert(DEPARTMENT_SCOPES).values(seen))


async def _portfolio(world: World, caller: Caller, names: tuple[str, ...]) -> None:
    """PA-1 and PA-2 of two enterprises, and for the first insurer PA-9, which has ended; the numbers of all collide."""
    piece = await sample_file(caller)
    kept = await caller.raw("/v1/files?name=a.pdf", SAMPLE_FILE + caller.code.encode(), **{"Content-Type": PDF})
    digest = kept.json()["digest"]
    area = SUZHOU if caller is world.insurers[0] else XIAMEN
    places = ((area, CHEMICALS, CODES[0]), (SUZHOU, HOUSING, CODES[1]), (area, CHEMICALS, CODES[0]))
    for name, number, (region, sector, code) in zip(names, ("1", "2", "9"), places, strict=False):
        body = application(today())
        body["terms"] |= {**TERMS, "number": f"PA-{number}", "region": region, "sector": sector}
        body["insured"] |= {"credit_code": code, "email": f"a{number}@{caller.code}.example"}
        policy = (await _posted(caller, "/v1/policies", body))["id"]
        ids = await (_ended if name == "ended" else _paid)(caller, await _served(caller, policy, number, SERVING[name]))
        world.holdings[name] = Holding(
            name, ids | {"piece": piece, "digest": digest, "office": str(world.offices["here"])}
        )


async def _served(caller: Caller, policy: str, number: str, provider: str) -> dict[str, str]:
    """A policy with everything that has an address of its own: hazard, visit, claim, victim."""
    named = {"provider": {"provider_code": PROVIDER_CODES[provider]}}
    for path in ("upload", "provider", "plan", "visits"):
        body = {**EXAMPLES["policy", path](today()), **named.get(path, {})}
        await _posted(caller, f"/v1/policies/{policy}/{path}", body)
    hazard = (await caller.get(f"/v1/policies/{policy}/hazards")).json()["items"][0]["id"]
    claim = (await _posted(caller, f"/v1/policies/{policy}/claims", {**report(today()), "number": f"C-{number}"}))["id"]
    ref = (await _posted(caller, f"/v1/claims/{claim}/victims", PERSON))["ref"]
    return {"policy": policy, "hazard": hazard, "claim": claim, "victim": ref, "visit": "V-001"}


async def _paid(caller: Caller, ids: dict[str, str]) -> dict[str, str]:
    """The claim agreed upon, and a payment proposed."""
    at = f"/v1/claims/{ids['claim']}"
    await _posted(caller, f"{at}/survey", EXAMPLES["claim", "survey"](today()))
    await _posted(caller, f"{at}/assessment", {"lines": losses(ids["victim"])})
    for path in ("determination", "settlement"):
        await _posted(caller, f"{at}/{path}", EXAMPLES["claim", path](today()))
    await _posted(caller, f"{at}/payments", {**payment(ids["victim"]), "number": "P-1"})
    return ids | {"payment": "P-1"}


async def _ended(caller: Caller, ids: dict[str, str]) -> dict[str, str]:
    for kind, path in (("claim", "withdrawal"), ("policy", "surrender")):
        shelf = {"claim": "claims", "policy": "policies"}[kind]
        await _posted(caller, f"/v1/{shelf}/{ids[kind]}/{path}", EXAMPLES[kind, path](today()))
    return ids


async def _posted(caller: Caller, path: str, body: Any) -> dict[str, Any]:
    answer = await caller.post(path, body)
    assert answer.status_code in (200, 201), (path, answer.text)
    return answer.json()


async def _letters(world: World) -> None:
    """Each office is told of what lies in its place and sector; mails are composed as the postman composes them."""
    own, ended, sibling, foreign = (world.holdings[name].ids for name in ("own", "ended", "sibling", "foreign"))
    for office, cases in (
        ("here", [one[kind] for one in (own, ended) for kind in ("policy", "hazard", "claim")]),
        ("other_industry", (sibling["policy"], sibling["hazard"])),
        ("other_area", (foreign["policy"], foreign["hazard"])),
    ):
        for case in cases:
            await world.told(office, case)
    for name in ("own", "foreign"):
        await _compose(world, world.holdings[name])


async def _compose(world: World, holding: Holding) -> None:
    """The enterprise's letters about the hazard, and the link in them."""
    smtp = SmtpSettings(LOOPBACK, 25, "notice@anze.example")
    postman = MailPostman(world.tools.engine, library(), smtp, world.tools.secret, world.tools.base_url)
    found = select(OUTBOX).where(OUTBOX.c.case_id == UUID(holding.ids["hazard"]), OUTBOX.c.to_role == Role.INSURED)
    async with world.admin.connect() as connection:
        notice = (await connection.execute(found.limit(1))).one()
    await postman.compose(Compose(recipient_id=notice.recipient_id, urgency=notice.urgency, now=datetime.now(UTC)))
    async with world.admin.connect() as connection:
        mail = select(OUTBOX.c.mail_id).where(OUTBOX.c.id == notice.id)
        holding.ids["mail"] = str((await connection.execute(mail)).scalar_one())
    holding.ids["link"] = link_token(world.tools.secret, notice.id, notice.recipient_id)
    holding.ids["enterprise"] = str(notice.recipient_id)


async def _people(world: World) -> None:
    """A key or a session for every visitor of the matrix, and for each insurer a user and a key to be asked about."""
    here, first = world.offices["here"], world.insurers[0]
    enterprise = UUID(world.holdings["own"].ids["enterprise"])
    for name, post in (
        ("insurer_admin", Post.INSURER_ADMIN),
        ("insurer_handler", Post.INSURER_HANDLER),
        ("insurer_auditor", Post.INSURER_AUDITOR),
    ):
        await _user(world, name, ActorKind.INSURER, post, insurer_id=first.id)
    await _user(world, "department_officer", ActorKind.DEPARTMENT, Post.DEPARTMENT_OFFICER, recipient_id=here)
    await _user(world, "operator", ActorKind.OPERATOR, Post.OPERATOR)
    await _providers(world)
    await _user(world, "rival_admin", ActorKind.INSURER, Post.INSURER_ADMIN, insurer_id=world.insurers[1].id)
    await _session(world, "enterprise", CameBy.CODE, {"recipient_id": enterprise})
    await _session(world, "department_contact", CameBy.CODE, {"recipient_id": here})
    for name, holder in (
        ("insurer_key", KeyFor(ActorKind.INSURER, "全", insurer_id=first.id, scopes=tuple(one.value for one in Scope))),
        ("plain_key", KeyFor(ActorKind.INSURER, "无", insurer_id=first.id)),
        ("department_key", KeyFor(ActorKind.DEPARTMENT, "部门", recipient_id=here)),
        ("operator_key", KeyFor(ActorKind.OPERATOR, "运维")),
    ):
        async with world.admin.begin() as connection:
            minted = await mint_key(connection, holder)
        world.actors[name] = Actor(name, world.http, bearer=minted.token)
    for name in ("anonymous", "link_holder"):
        world.actors[name] = Actor(name, world.http)
    for name, caller, admin in (("own", first, "insurer_admin"), ("foreign", world.insurers[1], "rival_admin")):
        await _staff(world, world.holdings[name], caller, world.actors[admin])


async def _providers(world: World) -> None:
    """A and B in both registers, and one assessor of A for both insurers, who serves `own` and served `ended`."""
    for insurer, holding in zip(world.insurers, ("own", "foreign"), strict=True):
        for name, code in PROVIDER_CODES.items():
            known = provider_id(insurer.id, code)
            row = {"id": known, "insurer_id": insurer.id, "credit_code": code, "name": f"机构{name}"}
            async with world.admin.begin() as connection:
                await connection.execute(insert(PROVIDERS).values(row | {"email": f"{name}@provider.example"}))
        known = provider_id(insurer.id, PROVIDER_CODES["A"])
        place = {"insurer_id": insurer.id, "provider_id": known}
        actor = "provider" if holding == "own" else "rival_provider"
        user_id = await _user(world, actor, ActorKind.PROVIDER, Post.PROVIDER_ASSESSOR, **place)
        world.holdings[holding].ids |= {"provider": str(known), "assessor": str(user_id)}


async def _user(world: World, name: str, kind: ActorKind, post: Post, **place: UUID) -> UUID:
    user_id, email = uuid4(), f"{name.removeprefix('rival_')}@people.example"
    row = {"id": user_id, "kind": kind, "email": email, "name": name, "posts": [post.value]}
    row |= {"issuer": "https://id.example", "subject": email}
    async with world.admin.begin() as connection:
        await connection.execute(insert(USERS).values(row | place))
    await _session(world, name, CameBy.OIDC, {"user_id": user_id})
    return user_id


async def _session(world: World, name: str, came_by: CameBy, holder: dict[str, UUID]) -> None:
    async with world.tools.engine.begin() as connection:
        token, _ = await begin(world.tools, connection, came_by, holder)
    carried = form_token(world.tools.secret, hash_of(token))
    cookie = f"{cookie_name(world.tools)}={token}"
    world.actors[name] = Actor(name, world.http, form_token=carried, cookie=cookie)


async def _staff(world: World, holding: Holding, caller: Caller, admin: Actor) -> None:
    """A user and a key of the insurer, an import it has begun, and a line of the operators' queue about its case."""
    user_id, task_id, book_id = uuid4(), uuid4(), uuid4()
    row = {"kind": ActorKind.INSURER, "name": "同事", "posts": [Post.INSURER_HANDLER.value], "insurer_id": caller.id}
    line = {"kind": "no_address", "insurer_id": caller.id, "case_id": UUID(holding.ids["policy"]), "said": "市应急局"}
    async with world.admin.begin() as connection:
        await connection.execute(insert(USERS).values(id=user_id, email=f"c@{caller.code}.example", **row))
        minted = await mint_key(connection, KeyFor(ActorKind.INSURER, "旧系统", insurer_id=caller.id))
        office = world.offices["here" if admin.name == "insurer_admin" else "other_area"]
        of_office = await mint_key(connection, KeyFor(ActorKind.DEPARTMENT, "旧平台", recipient_id=office))
        notice = select(OUTBOX.c.id).where(OUTBOX.c.case_id == line["case_id"]).limit(1).scalar_subquery()
        await connection.execute(insert(TASKS).values(id=task_id, notice_id=notice, **line))
        await connection.execute(insert(TASKS).values(id=book_id, **{**line, "kind": "books_differ"}))
    holding.ids |= {
        "user": str(user_id),
        "key": str(minted.id),
        "office_key": str(of_office.id),
        "task": str(task_id),
        "book": str(book_id),
    }
    lines = SAMPLES.read_bytes().splitlines(keepends=True)
    answer = await world.http.post(
        "/insurer/import",
        data={"_token": admin.form_token, "_once": "import"},
        files={"file": ("保单.csv", lines[0] + lines[1 + world.insurers.index(caller)])},
        headers=PAGES | {"Cookie": admin.cookie},
    )
    assert answer.status_code == 303, answer.text
    holding.ids["job"] = answer.headers["location"].rsplit("/", 1)[-1].partition("?")[0]


def _random(world: World) -> dict[str, str]:
    """An id for every kind of object that is nobody's, as long as a real one."""
    known = world.holdings["own"].ids
    numbers = {"visit": "V-777", "payment": "P-777", "digest": "7" * 64, "piece": "7" * 64, "link": "L" * 43}
    return {kind: numbers.get(kind, str(uuid4())) for kind in known} | numbers
