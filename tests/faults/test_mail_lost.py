"""The mail server is away or asks for patience, or we die in between: nothing is lost, copies carry one Message-ID."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import TimeSkipper
from temporalio.worker import Worker

from activities.mailbook import Opened
from activities.mailserver import SmtpSettings, Verdict
from activities.postman import MailPostman
from models.contracts.ids import mailroom_workflow_id
from models.contracts.mailroom import Delivery, MailroomState
from models.contracts.ports import Send
from models.contracts.vocabulary import NoticeKind, NoticeStatus, Role
from runtime.embedded.mail import MailCatcher
from runtime.embedded.ports import LOOPBACK
from runtime.sandbox import sandbox
from tests.activities.post_office import BASE, NOW, SECRET, PostOffice, Shelf, emptied
from tests.conftest import Database
from tests.faults.conftest import Measured
from tests.faults.ground import Ground
from tests.faults.history import Outcome
from tests.faults.invariants import rows_of
from tests.faults.lives import WALK
from tests.faults.proxy import Mode, Proxy
from tests.runtime.waiting import PATIENCE
from tests.tables.rows import A, known
from workflows.mailroom import MailroomWorkflow

DESK = known(A, "desk")
UPLOAD = (NoticeKind.DUTY_OVERDUE, Role.INSURER)
WAITING = """
SELECT m.recipient_id FROM mails m JOIN attempts a ON a.mail_id = m.id
WHERE m.status = 'queued' AND a.number = m.attempts AND a.outcome = 'queued'
"""
"""Letters that were tried and are to be tried again."""
GREYLISTED = "450 4.2.0 greylisted, come back later"


@pytest.fixture
async def line(mailbox: MailCatcher) -> AsyncIterator[Proxy]:
    """What lies between us and the mail server."""
    async with Proxy(mailbox.port) as proxy:
        yield proxy


@pytest.fixture
async def office(database: Database, line: Proxy) -> AsyncIterator[PostOffice]:
    async with emptied(database, line.port) as office:
        yield office


@pytest.fixture
async def mailroom(temporal: Client, task_queue: str, office: PostOffice) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    """The desk's mailroom, served by the real postman; its clock is moved by the test."""
    postman = office.postman
    activities = [postman.look_in, postman.compose, postman.send, postman.give_up]
    async with Worker(
        temporal,
        task_queue=task_queue,
        workflows=[MailroomWorkflow],
        activities=activities,
        workflow_runner=sandbox(),
    ):
        handle = await temporal.start_workflow(
            MailroomWorkflow.run,
            MailroomState(recipient_id=DESK),
            id=f"{mailroom_workflow_id(DESK)}/{task_queue}",
            task_queue=task_queue,
        )
        yield handle
        await handle.terminate()


async def attempts(office: PostOffice) -> list[tuple[str, int | None]]:
    rows = await office.sql("SELECT outcome, code FROM attempts ORDER BY started_at, number")
    return [(row["outcome"], row["code"]) for row in rows]


async def tried(office: PostOffice, least: int) -> None:
    """Until so many attempts have ended."""
    async with asyncio.timeout(PATIENCE):
        while sum(outcome is not None for outcome, _ in await attempts(office)) < least:
            await asyncio.sleep(0.03)


@pytest.mark.fault("F23")
async def test_a_server_that_is_away_then_greylists_is_asked_again_with_growing_pauses_until_it_takes_the_mail(
    temporal: Client,
    mailroom: WorkflowHandle[Any, Any],
    office: PostOffice,
    line: Proxy,
    mailbox: MailCatcher,
    measured: Measured,
) -> None:
    line.become(Mode.RESET)
    mailbox.refused["desk@a.example"] = GREYLISTED
    await office.put(DESK, *UPLOAD)
    await mailroom.signal("nudge")
    await tried(office, 1)
    line.become(Mode.PASS)
    for least, pause in ((2, 1), (3, 2), (4, 4)):
        await TimeSkipper(temporal).fast_forward(mailroom, timedelta(minutes=pause, seconds=5))
        await tried(office, least)
    del mailbox.refused["desk@a.example"]
    mailbox.replies.append("451 4.3.0 too busy")
    for least, pause in ((5, 8), (6, 16)):
        await TimeSkipper(temporal).fast_forward(mailroom, timedelta(minutes=pause, seconds=5))
        await tried(office, least)
    ended = await attempts(office)
    assert ended == [("queued", None), *[("queued", 450)] * 3, ("queued", 451), ("accepted", 250)]
    assert len(mailbox.messages) == 1
    assert await office.sql("SELECT 1 FROM tasks") == []
    [row] = await office.sql("SELECT status FROM outbox")
    assert row["status"] == "accepted"
    assert await office.broken(mailbox.messages, "I9") == []
    measured("attempts until taken:", len(ended))
    measured("pauses in min:", "1, 2, 4, 8, 16")


@pytest.mark.fault("F23")
async def test_while_the_mail_server_is_away_only_letters_wait_and_they_leave_when_it_is_back(
    ground: Ground, measured: Measured
) -> None:
    ground.to_mail.become(Mode.RESET)
    async with ground.worker(), ground.voices() as (voice,):
        policy = await ground.author.open(voice, 1)
        for path in WALK[:3]:
            await ground.author.act(voice, policy, 1, path)
        async with asyncio.timeout(PATIENCE):
            while not (waiting := await ground.rows(WAITING)):
                await asyncio.sleep(0.05)
        assert ground.mailbox.messages == []
        ground.to_mail.become(Mode.PASS)
        async with asyncio.timeout(PATIENCE):
            while late := await ground.rows(WAITING):
                rooms = {mailroom_workflow_id(row["recipient_id"]) for row in late}
                for room in map(ground.client.get_workflow_handle, rooms):
                    await TimeSkipper(ground.client).fast_forward(room, timedelta(minutes=1, seconds=5))
        assert await ground.broken() == []
    assert ground.history.count(Outcome.OK) == len(ground.history.operations) == 4
    assert len(ground.mailbox.messages) >= len(waiting)
    measured("letters that waited:", len(waiting))


class Interrupted(BaseException):
    """The process ends here."""


class DyingPostman(MailPostman):
    """Dies when the server has said 250 and nothing of it is on record yet, for as long as it is `doomed`."""

    doomed = True

    async def _record(self, opened: Opened, number: int, verdict: Verdict, at: datetime) -> Delivery:
        if self.doomed:
            raise Interrupted
        return await super()._record(opened, number, verdict, at)


@pytest.mark.fault("F26")
async def test_a_crash_between_the_servers_yes_and_our_record_gives_a_copy_under_the_same_id_and_both_are_on_record(
    office: PostOffice, mailbox: MailCatcher, measured: Measured
) -> None:
    notices = [await office.put(DESK, *UPLOAD) for _ in range(10)]
    mails = await office.compose(DESK)
    smtp = SmtpSettings(LOOPBACK, mailbox.port, "安责险 <notice@anze.example>")
    dying = DyingPostman(office.engine, Shelf(), smtp, SECRET, BASE)
    for mail in mails[:5]:
        with pytest.raises(Interrupted):
            await dying.send(Send(recipient_id=DESK, mail_id=mail, now=NOW))
    for mail in mails:
        assert (await office.send(DESK, mail)).status is NoticeStatus.ACCEPTED
    assert len(mailbox.messages) == 15
    assert len({caught.message_id for caught in mailbox.messages}) == len(notices)
    ends = [await office.attempts(mail) for mail in mails]
    assert sorted(len(tries) for tries in ends) == [1] * 5 + [2] * 5
    assert all(tries[-1] == ("accepted", 250) and tries[:-1] in ([], [("ambiguous", None)]) for tries in ends)
    for mail in mails:
        await office.send(DESK, mail)
    assert len(mailbox.messages) == 15
    assert await office.broken(mailbox.messages, "I9") == []
    measured("copies for 10 mails, 5 crashes:", 15)
    measured("Message-IDs:", len(notices))


@pytest.mark.fault("F35")
async def test_two_workers_with_a_nudger_each_write_every_letter_once(ground: Ground, measured: Measured) -> None:
    async with ground.worker(), ground.worker(), ground.voices(2) as voices:
        await asyncio.gather(*(ground.author.life(voice, n) for n, voice in enumerate(voices * 2, 1)))
        assert await ground.broken() == []
    written = await rows_of(ground.database.admin, "SELECT 1 FROM mails WHERE status = 'accepted'")
    carried = [caught.message_id for caught in ground.mailbox.messages]
    assert len(carried) == len(set(carried)) == len(written) > 0
    measured("letters, two dispatchers:", len(written))
    measured("sent twice:", len(carried) - len(set(carried)))
