"""Whatever dies or stays silent between approval and bank reference: one payment, within the limits, on record."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
import uvicorn
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client

from activities.cashier import PgCashier
from activities.ledger import PgLedger
from activities.payment_channels import HttpChannel
from activities.reconciling import Reconciler
from activities.treasury import PgTreasury
from models.contracts import claim as commands
from models.contracts.vocabulary import OrderResult, PaymentStatus
from models.tables.engine import make_engine
from models.tables.sealed import FieldKeys, new_key
from runtime.core_system import CoreSystem, Manner, Paid
from runtime.embedded.guest import Guest
from runtime.embedded.ports import LOOPBACK, free_ports
from runtime.settings import Settings, sqlalchemy_url
from tests.activities.steps import step
from tests.conftest import Database
from tests.domain.claim_lives import claim_birth
from tests.domain.lives import INSURED_ID, INSURER_ID
from tests.faults.children import serving
from tests.faults.conftest import Measured
from tests.faults.invariants import Look, broken_at_rest
from tests.runtime.waiting import PATIENCE, until
from tests.workflows.claims import ClaimDesk, Reported, fresh_key, given, working

# pragma: allowlist nextline secret
SECRET = "0123456789abcdef-of-the-core-system"
DONE = PaymentStatus.CONFIRMED
KEYS = FieldKeys.parse(f"k1:{new_key()}")


@dataclass
class Bank:
    """The stand-in core system of these tests, and where it listens."""

    system: CoreSystem
    url: str
    answers_within: float = 30.0
    """Seconds; so long the next worker also waits for what a lost one may have sent."""

    @property
    def sent(self) -> list[int]:
        """How often each order arrived."""
        return [paid.asked for paid in self.system.payments.values()]


@pytest.fixture
async def bank() -> AsyncIterator[Bank]:
    system, (port,) = CoreSystem(SECRET.encode()), free_ports(1)
    server = Guest(uvicorn.Config(system.app(), host=LOOPBACK, port=port, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield Bank(system, f"http://{LOOPBACK}:{port}")
    server.should_exit = server.force_exit = True
    await task


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Sees every row; the parties of the claims and their policy are written first."""
    connection = await asyncpg.connect(database.admin)
    await connection.execute("INSERT INTO insurers (id, code, name) VALUES ($1, 'pingan', '甲保险')", INSURER_ID)
    await connection.execute(
        "INSERT INTO insureds (id, insurer_id, credit_code, name) VALUES ($1, $2, '9134', '某化工厂')",
        INSURED_ID,
        INSURER_ID,
    )
    yield connection
    await connection.close()


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(sqlalchemy_url(database.app), pool_size=6)
    yield engine
    await engine.dispose()


@pytest.fixture
def desk(temporal: Client, task_queue: str, engine: AsyncEngine, bank: Bank) -> ClaimDesk:
    """The real ledger, treasury and cashier."""
    cashier = PgCashier(engine, lambda _: channel_to(bank), KEYS)
    return ClaimDesk(temporal, task_queue, PgLedger(engine), PgTreasury(engine), cashier)


@pytest.fixture
def look(look: Look, bank: Bank) -> Look:
    """With the bank: what it paid is compared with what was ordered."""
    return replace(look, bank=bank.system)


def channel_to(bank: Bank) -> HttpChannel:
    """Whoever answers at all is waited for; of the silent no more is heard once they have the order."""
    return HttpChannel(bank.url, SECRET.encode(), 2.0 if bank.system.manner is Manner.NEVER else bank.answers_within)


async def with_policy(desk: ClaimDesk) -> None:
    """The policy the claim belongs to, on record and ended: no workflow of its own is part of the trial."""
    birth = claim_birth()
    facts = {"insured_id": INSURED_ID, "insured_name": "某化工厂", "ended_at": datetime.now(UTC)}
    await desk.ledger.commit_step(
        step(case_id=birth.policy_id, insurer_id=INSURER_ID, workflow_id="policy/pingan/P-1", **facts)
    )


@asynccontextmanager
async def settled(desk: ClaimDesk, **worker: Any) -> AsyncIterator[Reported]:
    """A claim with forty agreed bills of 100 yuan, and a worker that serves it."""
    await with_policy(desk)
    async with working(desk, **worker):
        yield await (await desk.reported()).settled()


async def counted(admin: asyncpg.Connection, query: str, *values: Any) -> Any:
    return await admin.fetchval(query, *values)


async def status(admin: asyncpg.Connection, claim: Reported, number: str) -> str:
    """As the read model has it."""
    return await counted(
        admin,
        "SELECT p->>'status' FROM cases, jsonb_array_elements(view->'payments') p WHERE id = $1 AND p->>'number' = $2",
        claim.birth.case_id,
        number,
    )


async def becomes(admin: asyncpg.Connection, claim: Reported, number: str, wanted: PaymentStatus) -> None:
    async with asyncio.timeout(PATIENCE):
        while await status(admin, claim, number) != wanted.value:
            await asyncio.sleep(0.05)


async def books(admin: asyncpg.Connection) -> tuple[int, int, str]:
    """Orders, confirmed orders, and what is in use of the limits."""
    row = await admin.fetchrow(
        "SELECT count(*) AS orders, count(*) FILTER (WHERE state = 'confirmed') AS confirmed,"
        " (SELECT coalesce(sum(amount), 0)::text FROM limit_movements WHERE person IS NULL) AS used FROM payment_orders"
    )
    assert row is not None
    return row["orders"], row["confirmed"], row["used"]


@pytest.mark.fault("F4")
async def test_a_worker_killed_between_sending_and_hearing_pays_once(
    desk: ClaimDesk, admin: asyncpg.Connection, bank: Bank, settings: Settings, measured: Measured, look: Look
) -> None:
    core = f'{{"*": {{"url": "{bank.url}", "secret": "{SECRET}"}}}}'
    told = settings.model_copy(update={"core_systems": SecretStr(core)})
    async with settled(desk) as claim:
        await claim.propose("Z-1")
    bank.system.manner, bank.system.seconds, bank.answers_within = Manner.LATE, 8.0, 5.0
    async with serving("worker", told) as worker:
        await claim.approve("Z-1")
        await until(lambda: bool(bank.system.payments))
        await worker.die()
    bank.system.manner, killed = Manner.PROMPT, time.monotonic()
    assert await status(admin, claim, "Z-1") == PaymentStatus.APPROVED.value
    async with working(desk):
        await becomes(admin, claim, "Z-1", PaymentStatus.CONFIRMED)
    measured("seconds from the kill to the bank's reference:", time.monotonic() - killed)
    assert bank.sent == [1]
    assert await books(admin) == (1, 1, "100.00")
    assert await broken_at_rest(look) == []


@pytest.mark.parametrize("manner", [Manner.NEVER, Manner.BROKEN])
async def test_a_core_system_that_never_answers_leaves_one_unknown_payment_for_a_person(
    desk: ClaimDesk, admin: asyncpg.Connection, bank: Bank, manner: Manner, look: Look
) -> None:
    bank.system.manner = manner
    async with settled(desk) as claim:
        await claim.propose("Z-1")
        await claim.approve("Z-1")
        await becomes(admin, claim, "Z-1", PaymentStatus.UNKNOWN)
        bank.system.manner = Manner.PROMPT
        told = commands.RecordOutcome(number="Z-1", result=OrderResult.CONFIRMED, reference="BANK-1")
        await claim.act("record_outcome", told)
        assert await status(admin, claim, "Z-1") == PaymentStatus.CONFIRMED.value
    assert bank.sent == [1]
    assert await counted(admin, "SELECT count(*) FROM outbox WHERE kind = 'payment_stuck'") >= 1
    assert await counted(admin, "SELECT count(*) FROM tasks") >= 1
    assert await broken_at_rest(look) == []


async def test_a_core_system_that_confirms_twice_confirms_one_payment(
    desk: ClaimDesk, admin: asyncpg.Connection, bank: Bank, look: Look
) -> None:
    bank.system.manner = Manner.ACCEPT
    async with settled(desk) as claim:
        await claim.propose("Z-1")
        await claim.approve("Z-1")
        await becomes(admin, claim, "Z-1", PaymentStatus.INSTRUCTED)
        told = commands.RecordOutcome(number="Z-1", result=OrderResult.CONFIRMED, reference="BANK-1")
        views = await asyncio.gather(*(claim.act("record_outcome", told) for _ in range(5)))
        assert {view.payments[0].status for view in views} == {PaymentStatus.CONFIRMED}
        assert claim.view.money.paid.to_eng_string() == "100.00"
    assert bank.sent == [1]
    events = "SELECT count(*) FROM timeline WHERE event = 'payment_confirmed'"
    assert await counted(admin, events) == 1
    assert await broken_at_rest(look) == []


@pytest.mark.fault("F13")
async def test_an_operators_reset_pays_nothing_again(
    temporal: Client, desk: ClaimDesk, admin: asyncpg.Connection, bank: Bank, look: Look
) -> None:
    async with settled(desk) as claim:
        for number in (1, 2):
            await claim.propose(f"Z-{number}", number)
            await claim.approve(f"Z-{number}")
            await becomes(admin, claim, f"Z-{number}", PaymentStatus.CONFIRMED)
        before = claim.recorded = await counted(admin, "SELECT count(*) FROM steps")
        await _reset(temporal, claim)
        await desk.open(claim.birth, given(claim.command, fresh_key()))  # waits until the new run is open
        key = fresh_key()
        await claim.propose("Z-3", 3)
        await claim.approve("Z-3", key)
        await becomes(admin, claim, "Z-3", PaymentStatus.CONFIRMED)
        for number in (1, 2):
            assert await status(admin, claim, f"Z-{number}") == PaymentStatus.CONFIRMED.value
    assert bank.sent == [1, 1, 1]
    assert await books(admin) == (3, 3, "300.00")
    assert await counted(admin, "SELECT count(*) FROM steps") > before
    assert await broken_at_rest(look) == []


async def _reset(temporal: Client, claim: Reported) -> None:
    """To the first task of the run: everything after it is done again."""
    run = (await claim.handle.describe()).run_id
    first = 0
    async for event in claim.handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            first = event.event_id
            break
    await temporal.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=temporal.namespace,
            workflow_execution=WorkflowExecution(workflow_id=claim.handle.id, run_id=run or ""),
            reason="test",
            workflow_task_finish_event_id=first,
            request_id=fresh_key(),
        )
    )


@pytest.mark.fault("F14")
async def test_after_continue_as_new_the_same_keys_are_used_and_nothing_is_paid_again(
    desk: ClaimDesk, admin: asyncpg.Connection, bank: Bank, look: Look
) -> None:
    async with settled(desk) as claim:
        first = (await claim.handle.describe()).run_id
        key = fresh_key()
        await claim.propose("Z-1")
        await claim.approve("Z-1", key)
        for number in range(2, 11):
            await claim.propose(f"Z-{number}", number)
        async with asyncio.timeout(PATIENCE):
            while (await claim.handle.describe()).run_id == first:
                await asyncio.sleep(0.05)
        again = await claim.approve("Z-1", key)
        assert again.payments[0].status is PaymentStatus.APPROVED  # the answer it got then
        await claim.approve("Z-10")
        await becomes(admin, claim, "Z-10", PaymentStatus.CONFIRMED)
        await becomes(admin, claim, "Z-1", PaymentStatus.CONFIRMED)
    assert bank.sent == [1, 1]
    assert sorted(bank.system.payments) == [f"pingan:{claim.birth.number}:Z-{number}" for number in (1, 10)]
    assert await broken_at_rest(look) == []


async def test_reconciling_asks_by_key_settles_what_the_bank_knows_and_lists_the_rest(
    temporal: Client, desk: ClaimDesk, admin: asyncpg.Connection, bank: Bank, engine: AsyncEngine, look: Look
) -> None:
    channel = channel_to(bank)
    # one stand-in for two insurers: its statement lists the orders of both
    await admin.execute("INSERT INTO insurers (id, code, name) VALUES (gen_random_uuid(), 'other', '乙保险')")
    async with settled(desk) as claim:
        for number, manner in ((1, Manner.BROKEN), (2, Manner.LOST), (3, Manner.PROMPT)):
            bank.system.manner = manner
            await claim.propose(f"Z-{number}", number)
            await claim.approve(f"Z-{number}")
            await becomes(admin, claim, f"Z-{number}", DONE if manner is Manner.PROMPT else PaymentStatus.UNKNOWN)
        stray = {"key": "pingan:C-9:Z-9", "amount": "7.00"}
        bank.system.payments[stray["key"]] = Paid(stray, "", "confirmed", "B9")
        bank.system.payments[f"pingan:{claim.birth.number}:Z-3"].body = {"amount": "100.01"}
        first = await Reconciler(engine, temporal, lambda _: channel).run()
        await becomes(admin, claim, "Z-1", DONE)
        async with asyncio.timeout(PATIENCE):
            while await counted(admin, "SELECT count(*) FROM payment_orders WHERE state = 'confirmed'") != 2:
                await asyncio.sleep(0.05)
        tasks = (
            "SELECT array_agg(kind::text ORDER BY kind, said) FROM tasks WHERE notice_id IS NULL AND done_at IS NULL"
        )
        assert await counted(admin, tasks) == ["books_differ", "books_differ", "payment_unknown"]
        second = await Reconciler(engine, temporal, lambda _: channel).run()
        assert await counted(admin, tasks) == ["books_differ", "books_differ", "payment_unknown"]
        bank.system.payments.pop(stray["key"])
        await claim.act("record_outcome", commands.RecordOutcome(number="Z-2", result=OrderResult.REFUSED, code="no"))
        async with asyncio.timeout(PATIENCE):
            while await counted(admin, "SELECT count(*) FROM payment_orders WHERE state = 'refused'") != 1:
                await asyncio.sleep(0.05)
        third = await Reconciler(engine, temporal, lambda _: channel).run()
        assert await counted(admin, tasks) == ["books_differ"]
    assert [one.order_key[-3:] for one in first.settled] == ["Z-1"]
    for report in (first, second):
        assert [one.order_key[-3:] for one in report.without_reference] == ["Z-2"]
        assert [one.order_key for one in report.without_order] == ["pingan:C-9:Z-9"]
        assert [one.order_key[-3:] for one in report.different] == ["Z-3"]
        assert not report.agrees
    assert second.settled == []
    assert [len(one) for one in (third.without_reference, third.without_order, third.different)] == [0, 0, 1]
    assert await counted(admin, "SELECT count(*) FROM payment_answers WHERE source = 'statement'") == 1
    assert bank.sent == [1, 1]
    planted = f"pingan:{claim.birth.number}:Z-3: paid 100.01, ordered 100.00"
    assert await broken_at_rest(look) == [f"I3 payments within limits: {planted}"]
