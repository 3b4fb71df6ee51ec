"""What a restore drill leads before and after the books are copied, and what must hold when they are back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.cashier import PgCashier
from activities.treasury import PgTreasury
from api.app import create_app
from api.claims.doors import losses, payment, report
from bench.claim import PERSON, SURVEY
from models.contracts import ids
from models.tables.engine import make_engine
from models.tables.sealed import FieldKeys, new_key
from runtime.backup.taking import Taken, take
from runtime.paying import PayingWays
from runtime.recovery.histories import lives_since
from runtime.recovery.projecting import Projected, Projector
from runtime.settings import sqlalchemy_url
from tests.conftest import Database
from tests.faults.ground import Ground
from tests.faults.history import Voice
from tests.faults.lives import LIMITS, Untold
from tests.runtime.waiting import PATIENCE

KEYS = FieldKeys.parse(f"b1:{new_key()}")
STEPS = "SELECT sum(seq) FROM cases"
CONFIRMED = "SELECT count(*) FROM payment_orders WHERE state = 'confirmed'"


async def value(database: Database, asked: str) -> Any:
    connection = await asyncpg.connect(database.admin)
    try:
        return await connection.fetchval(asked)
    finally:
        await connection.close()


@asynccontextmanager
async def pool(ground: Ground) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(sqlalchemy_url(ground.database.app), 4)
    try:
        yield engine
    finally:
        await engine.dispose()


async def backed_up(ground: Ground, folder: Path) -> Taken:
    return await take(ground.database.backup, folder / "anze.backup", KEYS, "default")


async def project(ground: Ground, since: datetime) -> list[Projected]:
    """`anze recover ledger`."""
    lives = await lives_since(ground.client, ground.settings.task_queue, since)
    async with pool(ground) as engine:
        cashier = PgCashier(engine, PayingWays(ground.settings), ground.settings.sealing)
        return await Projector(engine, PgTreasury(engine), cashier).run(lives)


def paid(ground: Ground) -> list[int]:
    """How often each order arrived at the bank."""
    return [order.asked for order in ground.bank.payments.values()]


@asynccontextmanager
async def speaking(ground: Ground, voice: Voice) -> AsyncIterator[Voice]:
    """The same caller with the same key, at an API over this ground's database."""
    async with ground.tools() as tools:
        transport = httpx.ASGITransport(create_app(tools))
        async with httpx.AsyncClient(transport=transport, base_url="http://anze.test") as http:
            yield replace(voice, http=http)


async def posted(voice: Voice, path: str, body: Any, key: str) -> Any:
    told = await voice.post(path, body, key)
    if told.answers[-1] >= 400:
        raise Untold(f"{path}: {told.answers} {told.said}")
    return told.said


async def proposed(ground: Ground, voice: Voice, number: int) -> str:
    """A claim with one payment that waits for its approval; its path."""
    policy, name = await ground.author.open(voice, number, **LIMITS), f"C-{number:06d}"
    claim = f"/v1/claims/{ids.claim_id(voice.id, name)}"
    told = {**report(ground.author._today), "number": name}
    await posted(voice, f"/v1/policies/{policy}/claims", told, f"{number}-report")
    ref = (await posted(voice, f"{claim}/victims", PERSON, f"{number}-victim"))["ref"]
    money = {**payment(ref), "number": name}
    for path, body in (
        ("survey", SURVEY),
        ("assessment", {"lines": losses(ref)}),
        ("determination", {"covered": True, "note": "属于保险责任"}),
        ("payments", money),
    ):
        await posted(voice, f"{claim}/{path}", body, f"{number}-{path}")
    return claim


async def approve(voice: Voice, claim: str, number: int) -> None:
    await posted(voice, f"{claim}/payments/approval", {"number": f"C-{number:06d}", "by_user": "U1002"}, f"{number}-ok")


async def becomes(voice: Voice, claim: str, status: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await voice.get(claim))["payments"][0]["status"] != status:
            await asyncio.sleep(0.1)


def letters(ground: Ground) -> list[str]:
    return [mail.subject for mail in ground.mailbox.messages]


@dataclass
class Lived:
    """A policy and two claims when the books were copied, and how far they came afterwards."""

    policy: UUID
    claims: list[str]
    steps: int = 0
    left: list[str] = field(default_factory=list)
    """Subjects of the letters."""


async def begun(ground: Ground, voice: Voice) -> Lived:
    """What the copy of the books will know."""
    policy = await ground.author.open(voice, 1)
    claims = [await proposed(ground, voice, number) for number in (2, 3)]
    assert await ground.broken() == []
    return Lived(policy, claims)


async def led_on(ground: Ground, voice: Voice, lived: Lived) -> None:
    """What it will not: steps, letters, a payment, a case of an insured nobody knows yet."""
    for path in ("upload", "provider", "plan", "plan/confirmation", "visits"):
        await ground.author.act(voice, lived.policy, 1, path)
    await approve(voice, lived.claims[0], 2)
    await becomes(voice, lived.claims[0], "confirmed")
    await ground.author.open(voice, 4)
    assert await ground.broken() == []
    lived.steps, lived.left = await value(ground.database, STEPS), sorted(letters(ground))


async def taken_again(restored: Ground, voice: Voice, lived: Lived, since: datetime) -> int:
    """The steps the workflows remember, without paying or writing; then the cases go on. How many were taken."""
    assert await value(restored.database, STEPS) < lived.steps
    ended = await project(restored, since)
    assert [one.workflow_id for one in ended if one.held] == [f"policy/{voice.code}/F-000004"]
    assert await value(restored.database, CONFIRMED) == 1
    async with restored.worker(), speaking(restored, voice) as again:
        await restored.author.open(again, 4)  # the insurer hands its application in once more
        assert [one.held for one in await project(restored, since) if one.held] == []
        assert await value(restored.database, STEPS) == lived.steps
        assert sorted(letters(restored)) == lived.left
        await approve(again, lived.claims[1], 3)
        await becomes(again, lived.claims[1], "unknown")  # books first, then money
        assert paid(restored) == [1]
        await restored.author.act(again, lived.policy, 1, "spend")
        forgotten = [fault for fault in await restored.broken() if not fault.startswith("I5 mails under one id")]
        assert forgotten == []  # but for mails that left in the time the books have forgotten
    return sum(one.taken for one in ended)
