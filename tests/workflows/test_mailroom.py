"""The mailroom on the real engine: urgent at once, the rest in office hours; nobody waits for a mail that is stuck."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.testing import TimeSkipper
from temporalio.worker import Worker

from domain.calendar import opens_at
from models.contracts.ids import mailroom_workflow_id
from models.contracts.mailroom import Compose, Composed, Delivery, MailroomState, Waiting
from models.contracts.ports import LookIn, Postman, Send
from models.contracts.vocabulary import NoticeStatus, Urgency
from runtime.sandbox import sandbox
from tests.makers import calendar
from tests.runtime.waiting import until
from workflows.mailroom import MailroomWorkflow


@dataclass
class Room(Postman):
    """A post office in memory: what waits, which mails are stuck, and what was sent when."""

    waiting: dict[Urgency, int] = field(default_factory=lambda: dict.fromkeys(Urgency, 0))
    stuck: set[UUID] = field(default_factory=set)
    broken: bool = False
    at_once: int = 300
    unsent: dict[UUID, Urgency] = field(default_factory=dict)
    sent: list[tuple[Urgency, datetime]] = field(default_factory=list)
    looks: int = 0
    attempts: int = 0
    given_up: list[UUID] = field(default_factory=list)

    @activity.defn(name="查看待发")
    async def look_in(self, asked: LookIn) -> Waiting:
        self.looks += 1
        left = {urgency: self.waiting[urgency] + list(self.unsent.values()).count(urgency) for urgency in Urgency}
        opens = opens_at(calendar(), asked.now)
        return Waiting(urgent=left[Urgency.NOW], digest=left[Urgency.DIGEST], opens_at=opens)

    @activity.defn(name="成文")
    async def compose(self, asked: Compose) -> Composed:
        number, self.waiting[asked.urgency] = self.waiting[asked.urgency], 0
        for _ in range(number if asked.urgency is Urgency.NOW else min(number, 1)):
            self.unsent[uuid4()] = asked.urgency
        if self.broken and not self.stuck:
            self.stuck = set(self.unsent)
        mails = tuple(mail for mail, urgency in self.unsent.items() if urgency is asked.urgency)
        return Composed(mails=mails[: self.at_once], more=len(mails) > self.at_once)

    @activity.defn(name="投递")
    async def send(self, asked: Send) -> Delivery:
        if asked.mail_id in self.stuck:
            self.attempts += 1
            raise ApplicationError("later", type="mail_try_later", next_retry_delay=timedelta(hours=6))
        self.sent.append((self.unsent.pop(asked.mail_id), asked.now))
        return Delivery(mail_id=asked.mail_id, status=NoticeStatus.ACCEPTED)

    @activity.defn(name="登记未送达")
    async def give_up(self, asked: Send) -> Delivery:
        self.unsent.pop(asked.mail_id)
        self.given_up.append(asked.mail_id)
        return Delivery(mail_id=asked.mail_id, status=NoticeStatus.UNDELIVERED)


Mailroom = WorkflowHandle[MailroomWorkflow, None]


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
async def mailroom(temporal: Client, task_queue: str, room: Room) -> AsyncIterator[Mailroom]:
    activities = [room.look_in, room.compose, room.send, room.give_up]
    async with (
        Worker(
            temporal,
            task_queue=task_queue,
            workflows=[MailroomWorkflow],
            activities=activities,
            workflow_runner=sandbox(),
        ),
        _open(temporal, task_queue) as handle,
    ):
        yield handle


@asynccontextmanager
async def _open(temporal: Client, task_queue: str) -> AsyncIterator[Mailroom]:
    recipient = uuid4()
    handle = await temporal.start_workflow(
        MailroomWorkflow.run,
        MailroomState(recipient_id=recipient),
        id=mailroom_workflow_id(recipient),
        task_queue=task_queue,
    )
    yield handle
    await handle.terminate()


async def put(mailroom: Mailroom, room: Room, urgency: Urgency, number: int = 1) -> None:
    room.waiting[urgency] += number
    await mailroom.signal("nudge")


async def skip(temporal: Client, mailroom: Mailroom, by: timedelta) -> None:
    await TimeSkipper(temporal).fast_forward(mailroom, by)


async def test_urgent_notices_go_at_once_each_by_itself(mailroom: Mailroom, room: Room) -> None:
    await put(mailroom, room, Urgency.NOW, 3)
    await until(lambda: len(room.sent) == 3)


async def test_more_letters_than_may_be_under_way_at_once_all_go(mailroom: Mailroom, room: Room) -> None:
    """Two thousand activities of one workflow is all the engine takes; the next would stop the mailroom for ever."""
    room.at_once = 3
    await put(mailroom, room, Urgency.NOW, 8)
    await until(lambda: len(room.sent) == 8)


async def test_the_rest_waits_for_office_hours_and_goes_as_one_letter(
    temporal: Client, mailroom: Mailroom, room: Room
) -> None:
    await until(lambda: room.looks >= 1)
    await skip(temporal, mailroom, timedelta(days=1))
    for _ in range(5):
        await put(mailroom, room, Urgency.DIGEST)
    await until(lambda: room.looks >= 2)
    await skip(temporal, mailroom, timedelta(days=12))
    await until(lambda: bool(room.sent))

    assert len(room.sent) <= 2, "a flood"
    for _, at in room.sent:
        assert opens_at(calendar(), at) == at, "outside office hours"


@pytest.mark.fault("F36")
async def test_one_stuck_mail_holds_up_no_other(mailroom: Mailroom, room: Room) -> None:
    room.broken = True
    await put(mailroom, room, Urgency.NOW)
    await until(lambda: room.attempts >= 1)
    await put(mailroom, room, Urgency.NOW, 2)
    await until(lambda: len(room.sent) == 2)
    assert len(room.unsent) == 1


@pytest.mark.fault("F23")
async def test_a_mail_nobody_takes_for_three_days_becomes_a_persons_task(
    temporal: Client, mailroom: Mailroom, room: Room
) -> None:
    room.broken = True
    await put(mailroom, room, Urgency.NOW)
    await until(lambda: room.attempts >= 1)
    await skip(temporal, mailroom, timedelta(days=4))
    await until(lambda: bool(room.given_up))
    assert room.attempts > 5
    await put(mailroom, room, Urgency.NOW)
    await until(lambda: len(room.sent) == 1)


async def test_a_nudge_while_nothing_waits_changes_nothing(mailroom: Mailroom, room: Room) -> None:
    for _ in range(3):
        await mailroom.signal("nudge")
    await until(lambda: room.looks >= 1)
    assert room.sent == []


async def test_operators_read_in_chinese_what_waits(mailroom: Mailroom, room: Room, temporal: Client) -> None:
    await put(mailroom, room, Urgency.NOW)
    await until(lambda: len(room.sent) == 1)
    summaries: list[str] = []
    async for event in mailroom.fetch_history_events():
        data = event.user_metadata.summary.data
        summaries.append(data.decode() if data else "")
    assert any("投递（立即）" in summary for summary in summaries)
