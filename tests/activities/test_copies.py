"""While a department's contact is away its letters are copied to another department; nothing else changes by it."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from temporalio.exceptions import ApplicationError

from models.contracts.mailroom import Compose
from models.contracts.ports import LookIn, Send
from models.contracts.vocabulary import NoticeKind, NoticeStatus, Role, Urgency
from runtime.embedded.mail import MailCatcher
from runtime.embedded.ports import free_ports
from tests.activities.post_office import PostOffice, emptied, post_office, rows_in
from tests.conftest import Database
from tests.tables.rows import EMERGENCY, A, known

OVERDUE = (NoticeKind.DUTY_OVERDUE, Role.EMERGENCY)
FIRST, LAST = date(2044, 5, 2), date(2044, 5, 20)
EVE = datetime(2044, 5, 1, 15, 59, tzinfo=UTC)
"""The last minute before the first day, in Shanghai; no clock of a test reaches that far."""
BEGUN = datetime(2044, 5, 1, 16, 0, tzinfo=UTC)
LAST_MINUTE = datetime(2044, 5, 20, 15, 59, tzinfo=UTC)
OVER = datetime(2044, 5, 20, 16, 0, tzinfo=UTC)
OWN, OTHER = "yjj@sz.example", "housing@sz.example"


@pytest.fixture
async def office(database: Database, mailbox: MailCatcher) -> AsyncIterator[PostOffice]:
    async with emptied(database, mailbox.port) as office:
        await office.sql("DELETE FROM nudges")
        yield office


@pytest.fixture
async def cover(office: PostOffice) -> UUID:
    """Another department covers for emergency management from the first to the last day."""
    to = uuid4()
    await office.sql(
        "INSERT INTO recipients (id, role, region, department, name, email)"
        " VALUES ($1, 'industry', '341300', '住建局', '宿州市住房和城乡建设局', $2)",
        to,
        OTHER,
    )
    await office.sql(
        "INSERT INTO covers (recipient_id, cover_id, from_on, until_on, set_by) VALUES ($1, $2, $3, $4, 'op')",
        EMERGENCY,
        to,
        FIRST,
        LAST,
    )
    return to


async def composed(office: PostOffice, to: UUID, at: datetime, urgency: Urgency = Urgency.NOW) -> tuple[UUID, ...]:
    return (await office.postman.compose(Compose(recipient_id=to, urgency=urgency, now=at))).mails


async def sent(office: PostOffice, to: UUID, at: datetime, urgency: Urgency = Urgency.NOW) -> list[NoticeStatus]:
    """What the mailroom of the recipient does at this instant."""
    mails = await composed(office, to, at, urgency)
    return [(await office.postman.send(Send(recipient_id=to, mail_id=mail, now=at))).status for mail in mails]


async def test_from_the_first_day_to_the_last_both_have_the_letter_and_before_and_after_only_the_one(
    office: PostOffice, cover: UUID, mailbox: MailCatcher
) -> None:
    for at, copied in ((EVE, 0), (BEGUN, 1), (LAST_MINUTE, 1), (OVER, 0)):
        mailbox.messages.clear()
        await office.put(EMERGENCY, *OVERDUE)
        await sent(office, EMERGENCY, at)
        assert (await office.postman.look_in(LookIn(recipient_id=cover, now=office_day()))).urgent == copied, at
        assert len(await sent(office, cover, at)) == copied, at
        assert [len(mailbox.to(one)) for one in (OWN, OTHER)] == [1, copied], at


def office_day() -> datetime:
    """Of a year whose days off are known."""
    return datetime(2024, 3, 11, 2, 0, tzinfo=UTC)


async def test_a_copy_says_whose_it_is_and_lets_nobody_act(
    office: PostOffice, cover: UUID, mailbox: MailCatcher
) -> None:
    await office.put(EMERGENCY, *OVERDUE)
    await sent(office, EMERGENCY, BEGUN)
    await sent(office, cover, BEGUN)

    [own], [copy] = mailbox.to(OWN), mailbox.to(OTHER)
    assert "/l/" in own.body()
    assert "抄送" not in own.subject + own.body()
    assert copy.subject == f"【抄送】{own.subject}"
    assert copy.message["Message-ID"] != own.message["Message-ID"]
    for part in ("plain", "html"):
        body = copy.body(part)
        assert "本信是发给宿州市应急局的" in body, part
        assert "由宿州市应急局办理" in body, part
        assert "上传电子保单" in body, part
        assert "/l/" not in body, part
    holders = await office.sql("SELECT DISTINCT recipient_id FROM links")
    assert [row["recipient_id"] for row in holders] == [EMERGENCY]


async def test_a_digest_is_copied_as_one_letter_with_its_table_and_without_links(
    office: PostOffice, cover: UUID, mailbox: MailCatcher
) -> None:
    await office.put(EMERGENCY, *OVERDUE, Urgency.DIGEST)
    await office.copies(24)
    await office.put(cover, NoticeKind.DUTY_OVERDUE, Role.INDUSTRY, Urgency.DIGEST)
    await sent(office, EMERGENCY, BEGUN, Urgency.DIGEST)
    assert (await office.postman.look_in(LookIn(recipient_id=cover, now=office_day()))).digest == 2
    assert len(await sent(office, cover, BEGUN, Urgency.DIGEST)) == 2

    copy = next(one for one in mailbox.to(OTHER) if "抄送" in one.subject)
    assert copy.subject.startswith("【抄送】安责险 25 件待办")
    assert "1/2" not in "".join(one.subject for one in mailbox.to(OTHER)), "its own digest and a copy are no two pages"
    [table] = [part.get_content() for part in copy.message.iter_attachments()]
    lines = rows_in(table)
    assert len(lines) == 26
    assert {line[-1] for line in lines[1:]} == {""}


async def test_a_letter_is_copied_once_however_often_its_sending_is_repeated(
    office: PostOffice, cover: UUID, mailbox: MailCatcher
) -> None:
    await office.put(EMERGENCY, *OVERDUE)
    [mail] = await composed(office, EMERGENCY, BEGUN)
    for _ in range(3):
        await office.postman.send(Send(recipient_id=EMERGENCY, mail_id=mail, now=BEGUN))
    [copy] = await composed(office, cover, BEGUN)
    for _ in range(3):
        await office.postman.send(Send(recipient_id=cover, mail_id=copy, now=BEGUN))
    assert [len(mailbox.to(one)) for one in (OWN, OTHER)] == [1, 1]
    assert [await composed(office, one, BEGUN) for one in (EMERGENCY, cover)] == [(), ()]
    [nudges] = await office.sql("SELECT count(*) AS n FROM nudges WHERE recipient_id = $1", cover)
    assert nudges["n"] == 1


async def test_a_copy_that_is_refused_moves_nothing_and_leaves_one_line_for_the_operators(
    office: PostOffice, cover: UUID, mailbox: MailCatcher
) -> None:
    await office.sql("UPDATE recipients SET fallback_id = $2 WHERE id = $1", cover, known(A, "desk"))
    notice = await office.put(EMERGENCY, *OVERDUE)
    await sent(office, EMERGENCY, BEGUN)
    mailbox.refused[OTHER] = "550 5.1.1 nobody here"
    assert await sent(office, cover, BEGUN) == [NoticeStatus.BOUNCED]

    [row] = await office.sql("SELECT status, recipient_id FROM outbox WHERE id = $1", notice)
    assert (row["status"], row["recipient_id"]) == ("accepted", EMERGENCY)
    tasks = await office.sql("SELECT kind, recipient_id, notice_id FROM tasks")
    assert [tuple(task) for task in tasks] == [("bounced", cover, None)]
    assert [len(mailbox.to(one)) for one in (OWN, OTHER)] == [1, 0]


async def test_a_letter_that_was_refused_goes_to_whoever_takes_over_and_is_not_copied(
    office: PostOffice, cover: UUID, mailbox: MailCatcher
) -> None:
    await office.put(EMERGENCY, *OVERDUE)
    mailbox.refused[OWN] = "550 5.1.1 nobody here"
    assert await sent(office, EMERGENCY, BEGUN) == [NoticeStatus.BOUNCED]
    assert await composed(office, cover, BEGUN) == ()


async def test_a_copy_whose_server_is_away_is_tried_again_and_the_letter_is_not(
    office: PostOffice, cover: UUID, mailbox: MailCatcher
) -> None:
    await office.put(EMERGENCY, *OVERDUE)
    await sent(office, EMERGENCY, BEGUN)
    [copy] = await composed(office, cover, BEGUN)
    away = post_office(office.database, office.engine, free_ports(1)[0])
    with pytest.raises(ApplicationError):
        await away.postman.send(Send(recipient_id=cover, mail_id=copy, now=BEGUN))
    assert await sent(office, cover, BEGUN) == [NoticeStatus.ACCEPTED]
    assert [len(mailbox.to(one)) for one in (OWN, OTHER)] == [1, 1]


async def test_codes_go_to_the_registered_address_alone(office: PostOffice, cover: UUID, mailbox: MailCatcher) -> None:
    await office.sql(
        "INSERT INTO asked_letters (id, recipient_id, asked_for, expires_at)"
        " VALUES (gen_random_uuid(), $1, 'code_to_enter', now() + interval '1 hour')",
        EMERGENCY,
    )
    assert await sent(office, EMERGENCY, BEGUN) == [NoticeStatus.ACCEPTED]
    assert await composed(office, cover, BEGUN) == ()
