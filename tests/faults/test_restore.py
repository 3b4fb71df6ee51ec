"""The restore drill: the books set back, the engine set back or lost; nothing is paid, mailed or decided twice."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from activities.reconciling import Reconciler
from models.contracts import ids
from runtime.backup.restoring import Target, restore
from runtime.backup.taking import Taken
from runtime.embedded.postgres import PostgresServer
from runtime.paying import PayingWays
from runtime.recovery.holding import hold, release
from runtime.recovery.reopening import Reopened, Reopener
from tests.conftest import Database
from tests.faults.conftest import Measured
from tests.faults.drill import (
    KEYS,
    STEPS,
    approve,
    backed_up,
    becomes,
    begun,
    led_on,
    letters,
    paid,
    pool,
    posted,
    proposed,
    speaking,
    taken_again,
    value,
)
from tests.faults.ground import Ground

OPEN = "SELECT count(*) FROM cases WHERE ended_at IS NULL"


@asynccontextmanager
async def set_back(ground: Ground, postgres: PostgresServer, taken: Taken) -> AsyncIterator[Ground]:
    """The ground on a new database restored from the backup, held as `anze restore` holds it."""
    name = f"{ground.database.name}_restored"
    admin = await asyncpg.connect(postgres.url("admin", "postgres"))
    await admin.execute(f'CREATE DATABASE "{name}" OWNER anze_owner')
    database = Database.of(postgres, name)
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


async def reopen(ground: Ground) -> list[Reopened]:
    """`anze recover engine`; a worker must run."""
    async with pool(ground) as engine:
        return await Reopener(engine, ground.client, ground.settings.task_queue, "http://anze.test").run()


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
