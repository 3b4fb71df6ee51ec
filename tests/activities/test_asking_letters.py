"""Letters of what people ask and answer: they say who passed a matter on, and invite the insured to what is theirs."""

from collections.abc import AsyncIterator

import pytest

from activities import links
from models.contracts.vocabulary import LinkPurpose, NoticeKind, Role
from runtime.embedded.mail import MailCatcher
from tests.activities.post_office import PostOffice, emptied
from tests.conftest import Database
from tests.house.test_notices import row
from tests.tables.rows import EMERGENCY, A, known

MAILBOX = known(A, "mailbox")
PASSED = "工信局转来：属于在建工地"


@pytest.fixture
async def office(database: Database, mailbox: MailCatcher) -> AsyncIterator[PostOffice]:
    async with emptied(database, mailbox.port) as office:
        yield office


async def test_a_department_reads_who_passed_the_matter_on_and_why(office: PostOffice, mailbox: MailCatcher) -> None:
    await office.put(EMERGENCY, NoticeKind.DUTY_OVERDUE, Role.EMERGENCY, passed_on=PASSED)
    (mail,) = await office.compose(EMERGENCY)
    await office.send(EMERGENCY, mail)
    (caught,) = mailbox.messages
    for part in ("plain", "html"):
        assert PASSED in caught.body(part)
        assert "转给应当办理的部门" in caught.body(part)


async def test_the_letter_after_a_service_carries_a_link_to_rate_it(office: PostOffice, mailbox: MailCatcher) -> None:
    await office.put(MAILBOX, NoticeKind.SERVICE_RATING, Role.INSURED, visit="V-7")
    (mail,) = await office.compose(MAILBOX)
    await office.send(MAILBOX, mail)
    (caught,) = mailbox.messages
    assert "各评一至五星" in caught.body()
    (link,) = await office.sql("SELECT purpose, notice_id FROM links")
    assert link["purpose"] == LinkPurpose.RATING
    (notice,) = await office.sql("SELECT about->>'visit' AS visit FROM outbox WHERE id = $1", link["notice_id"])
    assert notice["visit"] == "V-7"


@pytest.mark.parametrize(
    ("kind", "of", "expected"),
    [
        (NoticeKind.OBJECTION_ANSWER, "hazard", LinkPurpose.RECTIFICATION),
        (NoticeKind.MORE_TIME_ANSWER, "hazard", LinkPurpose.RECTIFICATION),
        (NoticeKind.SERVICE_RATING, "policy", LinkPurpose.RATING),
    ],
)
def test_an_answer_invites_the_insured_and_nobody_else(kind: NoticeKind, of: str, expected: LinkPurpose) -> None:
    assert links.purpose(row(kind, Role.INSURED, of), Role.INSURED) is expected
    assert links.purpose(row(kind, Role.INSURED, of), Role.HUMAN_QUEUE) is None
    assert links.purpose(row(kind, Role.INSURER, of), Role.INSURER) is None


@pytest.mark.parametrize("kind", [NoticeKind.HAZARD_OBJECTION, NoticeKind.MORE_TIME_ASKED])
def test_what_the_insurer_is_asked_carries_no_link(kind: NoticeKind) -> None:
    assert links.purpose(row(kind, Role.INSURER, "hazard"), Role.INSURER) is None
