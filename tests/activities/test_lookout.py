"""How long the oldest work waits: as figures for Prometheus, and as one letter a day to the operators."""

import asyncio
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import create_async_engine
from temporalio.client import Client

from activities.lookout import Lookout
from api.metrics import Measured, keep_measuring
from models.contracts.ids import HUMAN_QUEUE
from models.contracts.ports import LookIn
from models.contracts.vocabulary import NoticeKind, NoticeStatus, Role, Urgency
from models.tables.backlog import Bounds
from runtime.embedded.mail import MailCatcher
from runtime.embedded.ports import LOOPBACK, free_ports
from tests.activities.post_office import BASE, PostOffice, emptied
from tests.conftest import Database
from tests.runtime.waiting import PATIENCE
from tests.tables.rows import A, known

DESK = known(A, "desk")


@pytest.fixture
async def office(database: Database, mailbox: MailCatcher) -> AsyncIterator[PostOffice]:
    async with emptied(database, mailbox.port) as office:
        await office.sql("UPDATE recipients SET email = 'ops@anze.example' WHERE id = $1", HUMAN_QUEUE)
        await office.sql("DELETE FROM nudges")
        await office.sql("UPDATE cases SET next_alarm_at = NULL")
        await office.sql("UPDATE payment_orders SET written_at = now()")
        yield office


def lookout(office: PostOffice, **bounds: timedelta) -> Lookout:
    return Lookout(office.engine, "安责险 <notice@anze.example>", Bounds(**bounds))


async def late_case(office: PostOffice, now: datetime, minutes: int) -> None:
    due = now - timedelta(minutes=minutes)
    await office.sql("UPDATE cases SET next_alarm_at = $1 WHERE id = $2", due, known(A, "case"))


async def test_operators_have_one_letter_a_day_of_what_waits_too_long(office: PostOffice, mailbox: MailCatcher) -> None:
    now = datetime.now(UTC)
    await late_case(office, now, 42)
    assert [await lookout(office).look(now) for _ in range(2)] == [True, True]
    rows = await office.sql("SELECT recipient_id FROM nudges")
    assert [row["recipient_id"] for row in rows] == [HUMAN_QUEUE]
    waiting = await office.postman.look_in(LookIn(recipient_id=HUMAN_QUEUE, now=now))
    assert waiting.urgent == 1

    [mail] = await office.compose(HUMAN_QUEUE)
    assert (await office.send(HUMAN_QUEUE, mail)).status is NoticeStatus.ACCEPTED
    assert await lookout(office).look(now)
    assert await office.compose(HUMAN_QUEUE) == ()
    [caught] = mailbox.to("ops@anze.example")
    assert caught.subject == "【积压】有工作等得太久，请查看"
    assert caught.message_id == f"<{mail}@anze.example>"
    for part in ("plain", "html"):
        assert f"{BASE}/operator" in caught.body(part)
        assert "42 分钟" in caught.body(part)
    assert await lookout(office).look(now + timedelta(days=1))
    assert len(await office.compose(HUMAN_QUEUE)) == 1


async def test_nobody_is_written_to_while_nothing_is_above_its_bound(office: PostOffice) -> None:
    now = datetime.now(UTC)
    await office.put(DESK, NoticeKind.DUTY_OVERDUE, Role.INSURER, Urgency.NOW)
    await late_case(office, now, 9)
    assert not await lookout(office).look(now)
    assert await office.sql("SELECT 1 FROM mails") == []
    assert await lookout(office, letter=timedelta(minutes=1)).look(now + timedelta(minutes=5))


async def test_a_backlog_that_is_gone_when_its_letter_goes_is_untold(office: PostOffice, mailbox: MailCatcher) -> None:
    now = datetime.now(UTC)
    await late_case(office, now, 42)
    await lookout(office).look(now)
    await office.sql("UPDATE cases SET next_alarm_at = NULL")
    [mail] = await office.compose(HUMAN_QUEUE)
    assert (await office.send(HUMAN_QUEUE, mail)).status is NoticeStatus.UNDELIVERED
    assert mailbox.messages == []


@pytest.mark.parametrize("away", [False, True])
async def test_prometheus_reads_how_long_the_oldest_of_each_waits_and_nothing_where_nobody_knows(
    office: PostOffice, temporal: Client, task_queue: str, away: bool
) -> None:
    now = datetime.now(UTC)
    await late_case(office, now, 20)
    gone = create_async_engine(f"postgresql+asyncpg://x@{LOOPBACK}:{free_ports(1)[0]}/x")
    lost = await Client.connect(f"{LOOPBACK}:{free_ports(1)[0]}", lazy=True)
    asked = (gone, lost) if away else (office.engine, temporal)
    measuring = asyncio.create_task(keep_measuring(Measured(*asked, task_queue, lambda: now)))
    try:
        async with asyncio.timeout(PATIENCE):
            while not _fits(away):
                await asyncio.sleep(0.02)
    finally:
        measuring.cancel()
        await gone.dispose()


def _fits(away: bool) -> bool:
    alarm, task = (REGISTRY.get_sample_value("anze_oldest_work_seconds", {"work": work}) for work in ("alarm", "task"))
    if alarm is None or task is None:
        return False
    minutes = timedelta(minutes=20).total_seconds()
    return math.isnan(alarm) and math.isnan(task) if away else (alarm, task) == (minutes, 0)
