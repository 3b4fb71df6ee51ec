"""The restore drill: the books set back, the engine set back or lost; nothing is paid, mailed or decided twice."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.cashier import PgCashier
from activities.reconciling import Reconciler
from activities.treasury import PgTreasury
from api.app import create_app
from api.claims.doors import losses, payment, report
from bench.claim import PERSON, SURVEY
from models.contracts import ids
from models.tables.engine import make_engine
from models.tables.sealed import FieldKeys, new_key
from runtime.backup.restoring import Target, restore
from runtime.backup.taking import Taken, take
from runtime.embedded.postgres import PostgresServer
from runtime.paying import PayingWays
from runtime.recovery.histories import lives_since
from runtime.recovery.holding import hold, release
from runtime.recovery.projecting import Projected, Projector
from runtime.recovery.reopening import Reopened, Reopener
from runtime.settings import sqlalchemy_url
from tests.conftest import Database
from tests.faults.conftest import Measured
from tests.faults.ground import Ground
from tests.faults.history import Voice
from tests.faults.lives import LIMITS, Untold
from tests.runtime.waiting import PATIENCE

KEYS = FieldKeys.parse(f"b1:{new_key()}")
STEPS = "SELECT sum(seq) FROM cases"
CONFIRMED = "SELECT count(*) FROM payment_orders WHERE state = 'confirmed'"
OPEN = "SELECT count(*) FROM cases WHERE ended_at IS NULL"


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


@asynccontextmanager
async def set_back(ground: Ground, postgres: PostgresServer, taken: Taken) -> AsyncIterator[Ground]:
    """The ground on a new database restored from the backup, held as `anze restore` holds it."""
    name = f"{ground.database.name}_restored"
    admin = await asyncpg.connect(postgres.url("admin", "postgres"))
    await admin.execute(f'CREATE DATABASE "{name}" OWNER anze_owner')
    database = Database(name, *(postgres.url(role, name) for role in ("app", "owner", "admin", "backup")))
    settings = ground.settings.model_copy(update={"database_url": SecretStr(database.app)})
    restored = replace(ground, database=database, settings=settings)
    try:
        proof = await restore(taken.path, Target(database.owner, database.backup), KEYS)
        assert proof.faults == []
        async with pool(restored) as engine, engine.begin() as connection:
            await hold(connection, taken.manifest.taken_at, "drill")
        yield restored
    finally:
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


async def project(ground: Ground, since: datetime) -> list[Projected]:
    """`anze recover ledger`."""
    lives = await lives_since(ground.client, ground.settings.task_queue, since)
    async with pool(ground) as engine:
        cashier = PgCashier(engine, PayingWays(ground.settings), ground.settings.sealing)
        return await Projector(engine, PgTreasury(engine), cashier).run(lives)


async def reopen(ground: Ground) -> list[Reopened]:
    """`anze recover engine`; a worker must run."""
    async with pool(ground) as engine:
        return await Reopener(engine, ground.client, ground.settings.task_queue, "http://anze.test").run()


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


async def forget(ground: Ground, copy: Path | None = None) -> None:
    """The engine dies, and what it kept is gone, or as it was when the copy was made."""
    assert ground.temporal.file is not None
    await ground.kill_temporal()
    for file in ground.temporal.file.parent.glob("temporal.db*"):
        file.unlink()
    if copy is not None:
        for file in copy.iterdir():
            shutil.copy2(file, ground.temporal.file.parent)
    await ground.temporal.start()


async def copied(ground: Ground, folder: Path) -> Path:
    """What the engine keeps, while it is down."""
    assert ground.temporal.file is not None
    await ground.kill_temporal()
    copy = folder / "engine"
    shutil.copytree(ground.temporal.file.parent, copy)
    await ground.temporal.start()
    return copy


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


@pytest.mark.fault("F31")
@pytest.mark.slow_fault
async def test_books_that_were_set_back_take_the_steps_again_and_pay_and_write_nothing(
    ground: Ground, postgres: PostgresServer, tmp_path: Path, measured: Measured
) -> None:
    async with ground.worker(), ground.voices() as (voice,):
        lived = await begun(ground, voice)
        taken = await backed_up(ground, tmp_path)
        await led_on(ground, voice, lived)
    async with set_back(ground, postgres, taken) as restored:
        measured("steps taken again", await taken_again(restored, voice, lived, taken.manifest.taken_at))


@pytest.mark.fault("F31")
async def test_after_a_restore_an_order_is_asked_for_and_never_sent_until_a_person_releases_it(
    ground: Ground, tmp_path: Path
) -> None:
    async with ground.worker(), ground.voices() as (voice,):
        claims = [await proposed(ground, voice, number) for number in (1, 2)]
    async with pool(ground) as engine, engine.begin() as connection:  # as after a restore: nobody is at work yet
        await hold(connection, (await backed_up(ground, tmp_path)).manifest.taken_at, "drill")
    async with ground.worker(), speaking(ground, voice) as again:
        await approve(again, claims[0], 1)
        await becomes(again, claims[0], "unknown")
        assert ground.bank.payments == {}
        async with pool(ground) as engine, engine.begin() as connection:
            assert await release(connection, "与对账单一致") == 1
        await approve(again, claims[1], 2)
        await becomes(again, claims[1], "confirmed")
        async with pool(ground) as engine:
            report_ = await Reconciler(engine, ground.client, PayingWays(ground.settings)).run()
        assert [one.order_key for one in report_.without_reference] == [f"{voice.code}:C-000001:C-000001"]
        assert await ground.broken() == []
    assert paid(ground) == [1]


@pytest.mark.fault("F32")
@pytest.mark.parametrize("lost", [True, False], ids=["lost altogether", "set back"])
@pytest.mark.slow_fault
async def test_an_engine_that_forgot_learns_every_open_case_from_the_ledger(
    ground: Ground, tmp_path: Path, measured: Measured, *, lost: bool
) -> None:
    async with ground.worker(), ground.voices() as (voice,):
        policy = await ground.author.open(voice, 1)
        claim = await proposed(ground, voice, 2)
        await ground.author.act(voice, policy, 1, "upload")
    copy = None if lost else await copied(ground, tmp_path)
    async with ground.worker(), ground.voices() as _, speaking(ground, voice) as again:
        for path in ("provider", "plan", "plan/confirmation", "visits"):
            await ground.author.act(again, policy, 1, path)
        await approve(again, claim, 2)
        await becomes(again, claim, "confirmed")
        assert await ground.broken() == []
    steps, open_, left = await value(ground.database, STEPS), await value(ground.database, OPEN), letters(ground)
    await forget(ground, copy)
    async with ground.worker(), speaking(ground, voice) as again:
        ended = await reopen(ground)
        assert [one.held for one in ended if one.held] == []
        assert len(ended) == open_
        assert await value(ground.database, STEPS) == steps
        hazard = ids.hazard_id(policy, "H-001")
        for path in ("rectification", "recheck"):
            await posted(again, f"/v1/hazards/{hazard}/{path}", ground.author._bodies[path], f"1-{path}")
        await ground.author.act(again, policy, 1, "service-completion")
        assert await ground.broken() == []
        measured("cases reopened", len(ended))
    assert paid(ground) == [1]
    assert letters(ground)[: len(left)] == left
