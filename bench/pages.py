"""How quickly the pages of the rooms answer beside many policies: through ASGI, with a session of each room."""

import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import asyncpg
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from api.app import create_app
from api.desk.sessions import begin, cookie_name
from api.operator.packs import SHORT, successor
from api.tools import Tools
from bench.crowd import led
from bench.measure import Meter, Spread, spread
from bench.multitude import multiply
from domain.calendar import local_date
from models.contracts.vocabulary import CameBy
from runtime.stack import Part, Stack, StackOptions
from runtime.web import open_tools

BASE = "http://bench.example"
AIM = 100.0
"""Milliseconds: the p95 of every page (issue 4, Quality)."""
LARGEST = 100_000
"""Bytes of a page."""
WARM, TIMES = 2, 20
HOLDERS: dict[str, str] = {
    "insurer": "SELECT 'user_id', id FROM users WHERE insurer_id = $1 AND 'insurer_admin' = ANY (posts)",
    "city": "SELECT 'recipient_id', id FROM recipients WHERE region = '341300' AND department = 'bench emergency'",
    "officer": "SELECT 'user_id', id FROM users WHERE name = 'officer 1'",
    "province": "SELECT 'recipient_id', id FROM recipients WHERE region = '340000' AND department = 'bench emergency'",
    "industry": "SELECT 'recipient_id', id FROM recipients WHERE region = '341300' AND department = 'bench industry'",
    "enterprise": "SELECT 'recipient_id', mailbox FROM bench_copies c JOIN cases h ON h.parent_id = c.id AND"
    " h.kind = 'hazard' AND h.ended_at IS NULL WHERE c.insurer_id = $1 LIMIT 1",
    "operator": "SELECT 'user_id', id FROM users WHERE kind = 'operator'",
    "provider": "SELECT 'user_id', u.id FROM users u JOIN assignments a ON a.provider_id = u.provider_id"
    " WHERE u.insurer_id = $1 LIMIT 1",
}
"""Who looks, each with a session of its own; the insurer is the one with most policies."""
FILLED = "filled.json"
"""In a kept folder: with how many policies it was filled, once that was done."""
STRANGER = "whoever holds a link"
LINK = """
INSERT INTO links (id, token_hash, insurer_id, case_id, recipient_id, purpose, duty_key, expires_at)
SELECT gen_random_uuid(), $2, h.insurer_id, h.id, c.mailbox, 'rectification', '', now() + interval '1 day'
FROM bench_copies c JOIN cases h ON h.parent_id = c.id AND h.kind = 'hazard' AND h.ended_at IS NULL
WHERE c.insurer_id = $1 LIMIT 1
"""
CASES: dict[str, str] = {
    "policy": "SELECT c.id FROM bench_copies c JOIN cases h ON h.parent_id = c.id AND h.kind = 'hazard'"
    " WHERE c.insurer_id = $1 AND c.region LIKE '3413%' LIMIT 1",
    "hazard": "SELECT id FROM cases WHERE kind = 'hazard' AND insurer_id = $1 AND region LIKE '3413%' LIMIT 1",
    "claim": "SELECT id FROM cases WHERE kind = 'claim' AND insurer_id = $1 LIMIT 1",
    "visited": "SELECT h.id FROM assignments a JOIN cases h ON h.parent_id = a.policy_id AND h.kind = 'hazard'"
    " WHERE a.insurer_id = $1 AND a.provider_id IS NOT NULL LIMIT 1",
    "served": "SELECT h.parent_id FROM assignments a JOIN cases h ON h.parent_id = a.policy_id AND h.kind = 'hazard'"
    " WHERE a.insurer_id = $1 AND a.provider_id IS NOT NULL LIMIT 1",
    "insured": "SELECT c.id FROM bench_copies c JOIN cases h ON h.parent_id = c.id AND h.kind = 'hazard'"
    " AND h.ended_at IS NULL WHERE c.insurer_id = $1 LIMIT 1",
    "own": "SELECT h.id FROM bench_copies c JOIN cases h ON h.parent_id = c.id AND h.kind = 'hazard'"
    " AND h.ended_at IS NULL WHERE c.insurer_id = $1 LIMIT 1",
}
PAGES: dict[str, tuple[str, ...]] = {
    "insurer": (
        "/insurer", "/insurer/policies", "/insurer/policies?order=due", "/insurer/policies?overdue=true",
        "/insurer/policies?q=ZB-00012", "/insurer/policies?q=宏远化工", "/insurer/policies?region=宿州&stage=signed",
        "/insurer/policies?hand=mine",
        "/insurer/hazards", "/insurer/hazards?grade=major", "/insurer/claims", "/insurer/due?overdue=true&order=due",
        "/insurer/policies/{policy}", "/insurer/hazards/{hazard}", "/insurer/claims/{claim}", "/insurer/spending",
        "/insurer/claims?waiting=true", "/insurer/policies?region=吉林", "/insurer/due?provisional=true",
        "/insurer/providers", "/insurer/people", "/insurer/import", "/insurer/new", "/insurer/audit",
    ),
    "city": (
        "/department", "/department?overdue=true", "/department?sector=fireworks",
        "/department/cases", "/department/cases?kind=hazard",
        "/department/cases?overdue=true&order=due", "/department/overview", "/department/cases/{policy}",
        "/department/cases/{hazard}",
    ),
    "officer": ("/department", "/department/cases", "/department/cases?hand=mine", "/department/cases/{policy}"),
    "province": ("/department", "/department/cases", "/department/cases?q=宏远", "/department/overview"),
    "industry": ("/department", "/department/cases", "/department/overview"),
    "enterprise": ("/enterprise", "/enterprise/history", "/enterprise/policies/{insured}", "/enterprise/hazards/{own}"),
    "operator": (
        "/operator", "/operator/cases", "/operator/cases?overdue=true", "/operator/cases/{policy}", "/operator/mails",
        "/operator/directory", "/operator/directory?place=宿州", "/operator/packs", "/operator/packs/{older}",
        "/operator/packs/{older}/adopt",
        "/operator/people", "/operator/audit",
    ),
    "provider": (
        "/provider", "/provider?q=宏远", "/provider?pile=due", "/provider?overdue=true&sector=fireworks",
        "/provider?region=宿州&grade=major", "/provider/policies/{served}", "/provider/policies/{served}/visit",
        "/provider/hazards/{visited}",
    ),
    STRANGER: ("/l/{token}", "/enter"),
}  # fmt: skip
"""What each looks at: what is read with GET and grows with the cases."""


@dataclass(frozen=True)
class Answered:
    """How one page answered one visitor."""

    room: str
    path: str
    status: int
    took: Spread
    size: int
    cpu: dict[str, float]
    """Milliseconds a page, of the web (which is this process) and of PostgreSQL: they grow less when others work."""

    @property
    def within(self) -> bool:
        return self.status == 200 and self.took.p95 < AIM and self.size < LARGEST


@dataclass(frozen=True)
class PagesFound:
    """All pages, beside so many policies."""

    at: datetime
    policies: int
    cases: int
    letters: int
    pages: tuple[Answered, ...]


@dataclass(frozen=True)
class Look:
    """How a page is looked at: so many times, with an eye on the CPU of the database."""

    database: Part
    times: int

    async def at(self, http: AsyncClient, room: str, address: str, shown: str) -> Answered:
        """The times and the cost of one page; `shown` is its address as it is told."""
        for _ in range(WARM - 1):
            await http.get(address)
        answer, taken = await http.get(address), list[float]()
        meter = Meter({"postgres": self.database.child.pid} if self.database.child else {}).start()
        for _ in range(self.times):
            began = time.perf_counter()
            answer = await http.get(address)
            taken.append(time.perf_counter() - began)
        used = {name: cpu / self.times for name, cpu in meter.read()[1].items()}
        return Answered(room, shown, answer.status_code, spread(taken), len(answer.content), used)


async def pages(policies: int, kept: Path | None = None, times: int = TIMES) -> PagesFound:
    """Fill a scratch system and look at every page `times` times; in a kept folder it is filled the first time only.

    Raises RuntimeError where the folder is filled with another number of policies.
    """
    filled = _is_filled(kept, policies)
    options = StackOptions(kept=kept, worker="no" if filled else "inside", samples=True)
    async with Stack(options) as stack, open_tools(stack.settings) as tools:
        if stack.postgres is None:
            raise RuntimeError("the bench needs the embedded PostgreSQL")
        app = create_app(tools)
        async with connected(stack.postgres.url("admin")) as admin:
            [[first]] = await admin.fetch("SELECT id FROM insurers WHERE code = 'PS'")
            if not filled:
                await _fill(stack, app, admin, policies)
                (stack.settings.var / FILLED).write_text(json.dumps(policies))
            [(cases, letters)] = await admin.fetch("SELECT (SELECT count(*) FROM cases), (SELECT count(*) FROM outbox)")
            look = Look(stack.parts["postgres"], times)
            answered = [one async for one in _looked_at(app, tools, admin, first, look)]
            return PagesFound(datetime.now(UTC), policies, cases, letters, tuple(answered))


def _is_filled(kept: Path | None, policies: int) -> bool:
    if kept is None or not (kept / FILLED).exists():
        return False
    if (found := json.loads((kept / FILLED).read_text())) != policies:
        raise RuntimeError(f"{kept} is filled with {found} policies, not with {policies}")
    return True


async def _fill(stack: Stack, app: FastAPI, admin: asyncpg.Connection, policies: int) -> None:
    """Lead some by the API and copy them; then the worker stops: what is measured are pages."""
    token = next(token for name, token in stack.credentials.items() if name.startswith("PS "))
    first, *rest = [row["id"] for row in await admin.fetch("SELECT id FROM insurers ORDER BY code <> 'PS', code")]
    async with AsyncClient(transport=ASGITransport(app), base_url=BASE) as http:
        await led(http, token, first)
    await stack.parts["worker"].stop()
    await multiply(admin, policies, [first, *rest])


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[asyncpg.Connection]:
    """An administrator's connection, who sees every row."""
    connection = await asyncpg.connect(address)
    try:
        yield connection
    finally:
        await connection.close()


async def _looked_at(
    app: FastAPI, tools: Tools, admin: asyncpg.Connection, insurer: UUID, look: Look
) -> AsyncIterator[Answered]:
    ids = {name: await admin.fetchval(asked, *([insurer] if "$1" in asked else [])) for name, asked in CASES.items()}
    shown = ids | {"older": _older(tools), "token": await _link(admin, insurer)}
    for room, asked in HOLDERS.items():
        found = await admin.fetchrow(asked, *([insurer] if "$1" in asked else []))
        if found is None:
            raise RuntimeError(f"nobody to look for {room}")
        cookie = {cookie_name(tools): await session(tools, found[0], found[1])}
        async with AsyncClient(transport=ASGITransport(app), base_url=BASE, cookies=cookie) as http:
            for path in PAGES[room]:
                yield await look.at(http, room, path.format(**shown), path)
    async with AsyncClient(transport=ASGITransport(app), base_url=BASE) as http:
        for path in PAGES[STRANGER]:
            yield await look.at(http, STRANGER, path.format(**shown), path)


def _older(tools: Tools) -> str:
    """A document of which there is a newer version that running cases may take."""
    today = local_date(datetime.now(UTC))
    return next(one.ref.digest[:SHORT] for one in tools.rules.packs() if successor(tools.rules, one, today))


async def _link(admin: asyncpg.Connection, insurer: UUID) -> str:
    """The token of a link in a letter to the insured about a hazard."""
    token = secrets.token_urlsafe(32)
    await admin.execute(LINK, insurer, sha256(token.encode()).hexdigest())
    return token


async def session(tools: Tools, holder: str, id_: UUID) -> str:
    came_by = CameBy.OIDC if holder == "user_id" else CameBy.CODE
    async with tools.engine.begin() as connection:
        return (await begin(tools, connection, came_by, {holder: id_}))[0]
