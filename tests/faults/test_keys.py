"""Keys that are missing, wrong or changed while cases are open: nobody starts with wrong ones, all stays readable."""

import asyncio
import sys
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import asyncpg
import pytest
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload
from temporalio.testing import TimeSkipper

from domain.calendar import SHANGHAI, local_date
from models.tables.engine import make_engine
from models.tables.sealed import FieldKeys, new_key
from runtime import addresses, web, witnesses
from runtime import worker as workers
from runtime.codec import SealedPayloads, is_sealed
from runtime.embedded.process import Child, Launch
from runtime.settings import PROJECT_ROOT, Settings
from runtime.witnesses import WrongKeys, prove
from tests.faults.conftest import Measured
from tests.faults.ground import Ground
from tests.faults.history import Outcome, Voice
from tests.faults.invariants import rows_of
from tests.faults.lives import END, WALK
from tests.runtime.waiting import PATIENCE

OLD, NEW = new_key(), new_key()
BEFORE, DURING, AFTER = f"k1:{OLD}", f"k2:{NEW},k1:{OLD}", f"k2:{NEW}"
NUMBERS = range(1, 4)
ENTERED, TO_THE_NEXT = timedelta(days=364), timedelta(days=1.5)
"""A policy of two years entered so late, and what is then left of its first year, rounded up."""


def under(settings: Settings, payload: str | None) -> Settings:
    return settings.model_copy(update={"payload_keys": SecretStr(payload) if payload else None})


async def proved(settings: Settings) -> None:
    engine = make_engine(settings.database, 1)
    try:
        await prove(engine, settings)
    finally:
        await engine.dispose()


@pytest.mark.fault("F33")
async def test_with_a_missing_or_wrong_key_neither_worker_nor_web_starts_and_no_case_is_touched(
    ground: Ground, measured: Measured
) -> None:
    right = ground.settings = under(ground.settings, BEFORE)
    await proved(right)
    field = SecretStr(f"{right.sealing.current}:{new_key()}")
    wrong = {
        "no payload key": under(right, None),
        "another payload key of that name": under(right, f"k1:{NEW}"),
        "only a newer payload key": under(right, AFTER),
        "another field key of that name": right.model_copy(update={"field_keys": field}),
    }
    async with ground.worker(), ground.voices() as (voice,):
        policy = await ground.author.open(voice, 1)
        for told in wrong.values():
            with pytest.raises(WrongKeys):
                await asyncio.wait_for(workers.run(told), PATIENCE)
            served = web.create(told)
            with pytest.raises(WrongKeys):
                await asyncio.wait_for(served.router.lifespan_context(served).__aenter__(), PATIENCE)
        await ground.author.act(voice, policy, 1, "upload")
        assert await ground.broken() == []
    measured("ways to have wrong keys, all refused:", len(wrong))


@pytest.mark.fault("F33")
async def test_a_process_waits_for_a_database_that_is_away_before_it_trusts_its_keys(ground: Ground) -> None:
    engine = make_engine(under(ground.settings, BEFORE).database, 1)
    ground.to_postgres.become(ground.to_postgres.mode.RESET)
    waiting = asyncio.create_task(witnesses.proved(engine, under(ground.settings, BEFORE)))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    ground.to_postgres.become(ground.to_postgres.mode.PASS)
    await asyncio.wait_for(waiting, PATIENCE)
    await engine.dispose()


@pytest.mark.slow_fault
@pytest.mark.fault("F42")
async def test_open_cases_go_on_through_a_change_of_payload_keys_and_the_old_one_goes_when_nothing_lies_under_it(
    ground: Ground, measured: Measured
) -> None:
    policies, used, holder = list[UUID](), dict[str, int](), None
    for keys, paths in ((BEFORE, WALK[:2]), (DURING, WALK[2:])):
        ground.settings = under(ground.settings, keys)
        await proved(ground.settings)
        async with ground.worker(), ground.voices() as (voice,):
            holder = holder or voice
            holder.http = voice.http
            policies = policies or [await _opened(ground, holder, number) for number in NUMBERS]
            for path in paths:
                await _all(ground, holder, policies, path)
            if keys is DURING:
                used = await _keys_in_histories(ground)
                await _all(ground, holder, policies, END)
                assert await ground.broken() == []
                await _next_year(ground)
                assert await ground.broken() == []
    assert set(used) == {"k1", "k2"}
    assert set(await _keys_in_histories(ground)) == {"k2"}, "a policy year begins a new run, under the new key"
    assert ground.history.count(Outcome.OK) == len(NUMBERS) * (1 + len(WALK) + 1)
    with pytest.raises(WrongKeys):
        await proved(under(ground.settings, AFTER))
    assert not await _retired(ground)
    await rows_of(ground.database.admin, "UPDATE key_witnesses SET since = since - interval '3 hours'")  # time passes
    assert await _retired(ground)
    await proved(under(ground.settings, AFTER))
    measured("cases open across the change:", len(policies))
    measured("payloads read, by key:", ", ".join(f"{name} {amount}" for name, amount in sorted(used.items())))


@pytest.mark.fault("F42", "F33")
async def test_a_key_of_victims_data_may_go_once_everything_lies_under_the_new_one_and_the_doctor_knows(
    settings: Settings,
) -> None:
    old, both, new = (settings.model_copy(update={"field_keys": SecretStr(keys)}) for keys in (BEFORE, DURING, AFTER))
    for told in (old, both):
        await proved(told)
    with pytest.raises(WrongKeys):
        await proved(new)
    reader = await asyncpg.connect(addresses.backup(settings))
    assert await witnesses.unfit(reader, new) == ["ANZE_FIELD_KEYS k1"]
    assert await witnesses.unfit(reader, both) == []
    engine = make_engine(settings.database, 1)
    await witnesses.retire_others(engine, "field", "k2")  # as `anze claims reseal` does at its end
    await engine.dispose()
    await proved(new)
    assert await witnesses.unfit(reader, new) == []
    await reader.close()
    with pytest.raises(WrongKeys):
        await proved(old)


async def _opened(ground: Ground, voice: Voice, number: int) -> UUID:
    """A policy of two years whose second one begins tomorrow."""
    signed = datetime.now(SHANGHAI).replace(microsecond=0) - ENTERED
    begins = local_date(signed)
    dates = {"effective_on": str(begins), "expires_on": str(begins + timedelta(days=729))}
    return await ground.author.open(voice, number, signed_at=signed.isoformat(), **dates)


async def _next_year(ground: Ground) -> None:
    """Time passes for the policies alone, until each has begun the run of its second year."""
    for row in await rows_of(ground.database.admin, "SELECT workflow_id FROM cases WHERE kind = 'policy'"):
        policy = ground.client.get_workflow_handle(row["workflow_id"])
        before = (await policy.describe()).run_id
        await TimeSkipper(ground.client).fast_forward(policy, TO_THE_NEXT)
        async with asyncio.timeout(PATIENCE):
            while (await policy.describe()).run_id == before:
                await asyncio.sleep(0.1)


async def _all(ground: Ground, voice: Voice, policies: list[UUID], path: str) -> None:
    await asyncio.gather(*(ground.author.act(voice, one, n, path) for n, one in zip(NUMBERS, policies, strict=True)))


async def _keys_in_histories(ground: Ground) -> dict[str, int]:
    """How many payloads of all open cases lie under which key; every one of them can be read with both."""
    codec, used = SealedPayloads(FieldKeys.parse(DURING)), dict[str, int]()
    for row in await rows_of(ground.database.admin, "SELECT workflow_id FROM cases WHERE kind = 'policy'"):
        found = partial(_take, used, codec)
        async for event in ground.client.get_workflow_handle(row["workflow_id"]).fetch_history_events():
            for payload in _payloads(event):
                await found(payload)
    return used


async def _take(used: dict[str, int], codec: SealedPayloads, payload: Payload) -> None:
    if is_sealed(payload):
        name = payload.metadata["anze-key"].decode()
        used[name] = used.get(name, 0) + 1
        await codec.decode([payload])


def _payloads(event: object) -> list[Payload]:
    """Those of starts, updates and markers."""
    found = list(event.workflow_execution_started_event_attributes.input.payloads)  # pyright: ignore
    found += event.workflow_execution_update_accepted_event_attributes.accepted_request.input.args.payloads  # pyright: ignore
    for details in event.marker_recorded_event_attributes.details.values():  # pyright: ignore
        found += details.payloads
    return found


async def _retired(ground: Ground) -> bool:
    """Whether `anze seals retire k1`, in a process of its own, says that it is done; its exit code says the same."""
    command = [sys.executable, "-m", "runtime.cli", "seals", "retire", "k1"]
    child = Child.start(Launch("seals", command, ground.settings.as_environment(), PROJECT_ROOT))
    assert await child.ended(60)
    assert "k1" in child.last_words
    done = "已停用 k1" in child.last_words
    assert child.returncode == (0 if done else 1)
    return done
