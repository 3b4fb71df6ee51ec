"""What came to the operators for want of a reader asks them to find one, and promises no link that is not there."""

from collections.abc import AsyncIterator

import pytest

from models.contracts.ids import HUMAN_QUEUE
from models.contracts.vocabulary import NoticeKind, Role, Urgency
from runtime.embedded.mail import MailCatcher
from tests.activities.post_office import PostOffice, emptied
from tests.conftest import Database
from tests.tables.rows import EMERGENCY


@pytest.fixture
async def office(database: Database, mailbox: MailCatcher) -> AsyncIterator[PostOffice]:
    async with emptied(database, mailbox.port) as office:
        await office.sql("UPDATE recipients SET email = 'ops@anze.example' WHERE id = $1", HUMAN_QUEUE)
        yield office


@pytest.mark.parametrize("kind", [NoticeKind.DUTY_OVERDUE, NoticeKind.MAJOR_HAZARD_REPORT])
async def test_operators_are_asked_to_find_the_reader(
    office: PostOffice, mailbox: MailCatcher, kind: NoticeKind
) -> None:
    await office.put(HUMAN_QUEUE, kind, Role.EMERGENCY, Urgency.NOW)
    [mail] = await office.compose(HUMAN_QUEUE)
    await office.send(HUMAN_QUEUE, mail)
    for part in ("plain", "html"):
        said = mailbox.messages[-1].body(part)
        assert "卡住的事项" in said
        assert "下面的链接" not in said


async def test_a_department_is_asked_for_its_own_part(office: PostOffice, mailbox: MailCatcher) -> None:
    await office.put(EMERGENCY, NoticeKind.MAJOR_HAZARD_REPORT, Role.EMERGENCY, Urgency.NOW)
    [mail] = await office.compose(EMERGENCY)
    await office.send(EMERGENCY, mail)
    said = mailbox.messages[-1].body("plain")
    assert "下面的链接" in said
    assert "卡住的事项" not in said
