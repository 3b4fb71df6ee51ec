"""Letters people ask for, from the postman to the mail server: one mail each, nothing misleading, nothing to others."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from temporalio.exceptions import ApplicationError

from activities.links import token
from api.entrance.codes import Asked, ask
from api.entrance.links import ANSWERS_AFTER, ask_fresh
from api.tools import Tools
from domain.codes import code_of
from models.contracts.ports import LookIn, Send
from models.contracts.vocabulary import AskedFor, NoticeKind, NoticeStatus, Role, Urgency
from runtime.embedded.mail import MailCatcher
from tests.activities.post_office import BASE, NOW, SECRET, PostOffice, emptied
from tests.api.conftest import tools as tools_of_the_session
from tests.conftest import Database
from tests.tables.rows import EMERGENCY, A, B, known

__all__ = ["tools_of_the_session"]
MAILBOX = known(A, "mailbox")


@pytest.fixture
async def office(database: Database, mailbox: MailCatcher) -> AsyncIterator[PostOffice]:
    async with emptied(database, mailbox.port) as office:
        yield office


@pytest.fixture
def tools(tools_of_the_session: Tools, office: PostOffice) -> Tools:
    return replace(tools_of_the_session, engine=office.engine, secret=SECRET, base_url=BASE)


async def asked(tools: Tools, recipient_id: UUID = MAILBOX) -> UUID:
    async with tools.engine.begin() as connection:
        letter_id = await ask(tools, connection, Asked(recipient_id, AskedFor.CODE_TO_ENTER))
    assert letter_id is not None
    return letter_id


async def waiting(office: PostOffice, to: UUID = MAILBOX) -> int:
    return (await office.postman.look_in(LookIn(recipient_id=to, now=NOW))).urgent


async def test_a_code_is_one_urgent_mail_that_says_what_it_is_for_and_how_long(
    office: PostOffice, tools: Tools, mailbox: MailCatcher
):
    letter_id = await asked(tools)
    assert await waiting(office) == 1
    [mail] = await office.compose(MAILBOX)
    assert await office.compose(MAILBOX) == (mail,)
    assert await waiting(office) == 1
    assert await office.compose(MAILBOX, Urgency.DIGEST) == ()
    for _ in range(2):
        assert (await office.send(MAILBOX, mail)).status is NoticeStatus.ACCEPTED
    [caught] = mailbox.messages
    code = code_of(SECRET, letter_id)
    assert caught.recipients == ("a@a.example",)
    assert code not in caught.subject
    for part in ("plain", "html"):
        body = caught.body(part)
        for said in (code, "登录", "有效期至", "不用理会", "请不要转发", "不要把验证码告诉任何人"):
            assert said in body, part
        assert "None" not in body
    assert await waiting(office) == 0
    [row] = await office.sql("SELECT subject, status FROM mails WHERE id = $1", mail)
    assert (row["subject"], row["status"]) == ("【登录验证码】安责险工作流", "accepted")


async def test_codes_and_notices_wait_in_one_room_and_leave_in_mails_of_their_own(
    office: PostOffice, tools: Tools, mailbox: MailCatcher
):
    await asked(tools)
    await office.put(MAILBOX, NoticeKind.HAZARD_NOTICE, Role.INSURED)
    assert await waiting(office) == 2
    mails = await office.compose(MAILBOX)
    assert len(mails) == 2
    for mail in mails:
        await office.send(MAILBOX, mail)
    assert sorted("验证码" in one.subject for one in mailbox.messages) == [False, True]


async def test_a_code_that_ran_out_is_not_sent_and_nobody_is_bothered_about_it(
    office: PostOffice, tools: Tools, mailbox: MailCatcher
):
    await asked(tools)
    [mail] = await office.compose(MAILBOX)
    await asked(tools)
    await office.sql("UPDATE asked_letters SET expires_at = now() - interval '1 second'")
    assert await waiting(office) == 1, "the one in a mail is still to be settled"
    assert await office.compose(MAILBOX) == (mail,)
    assert (await office.send(MAILBOX, mail)).status is NoticeStatus.UNDELIVERED
    assert await waiting(office) == 0
    assert mailbox.messages == []
    assert await office.sql("SELECT * FROM tasks") == []


async def test_a_busy_server_is_tried_again_with_the_same_letter(
    office: PostOffice, tools: Tools, mailbox: MailCatcher
):
    await asked(tools)
    [mail] = await office.compose(MAILBOX)
    mailbox.replies.append("451 try later")
    with pytest.raises(ApplicationError):
        await office.send(MAILBOX, mail)
    assert (await office.send(MAILBOX, mail)).status is NoticeStatus.ACCEPTED
    assert len(mailbox.messages) == 1


async def test_a_code_that_is_refused_goes_to_nobody_else_and_waits_for_a_person_once(
    office: PostOffice, tools: Tools, mailbox: MailCatcher
):
    mailbox.refused["a@a.example"] = "550 no such user"
    for _ in range(2):
        await asked(tools)
        for mail in await office.compose(MAILBOX):
            delivery = await office.send(MAILBOX, mail)
            assert (delivery.status, delivery.moved_to) == (NoticeStatus.BOUNCED, None)
    assert mailbox.messages == []
    [task] = await office.sql("SELECT kind, recipient_id, notice_id, done_at FROM tasks")
    assert tuple(task) == ("bounced", MAILBOX, None, None)
    assert await office.sql("SELECT * FROM asked_letters WHERE recipient_id <> $1", MAILBOX) == []


async def test_after_days_a_code_is_given_up_quietly(office: PostOffice, tools: Tools):
    await asked(tools)
    [mail] = await office.compose(MAILBOX)
    await office.postman.give_up(Send(recipient_id=MAILBOX, mail_id=mail, now=NOW))
    assert await waiting(office) == 0


async def link_of(office: PostOffice, to: UUID, kind: NoticeKind, role: Role, **about: Any) -> str:
    """A letter with a link, mailed; its token."""
    notice = await office.put(to, kind, role, insurer=A, **about)
    for mail in await office.compose(to):
        await office.send(to, mail)
    return token(SECRET, notice, to)


async def expire(office: PostOffice) -> None:
    await office.sql("UPDATE links SET expires_at = now() - interval '1 second'")


async def alive(office: PostOffice) -> list[Any]:
    return await office.sql("SELECT * FROM links WHERE revoked_at IS NULL AND expires_at > now()")


async def test_a_fresh_link_goes_to_the_registered_contact_and_replaces_the_old_one(
    office: PostOffice, tools: Tools, mailbox: MailCatcher
):
    old = await link_of(office, EMERGENCY, NoticeKind.DUTY_OVERDUE, Role.EMERGENCY)
    [before] = await office.sql("SELECT * FROM links")
    await expire(office)
    mailbox.messages.clear()
    await ask_fresh(tools, old)
    [mail] = await office.compose(EMERGENCY)
    for _ in range(2):
        await office.send(EMERGENCY, mail)
    [caught] = mailbox.messages
    assert caught.recipients == ("yjj@sz.example",)
    assert "P-1" in caught.subject
    [new] = await alive(office)
    same = ("insurer_id", "case_id", "recipient_id", "notice_id", "purpose", "duty_key")
    assert [new[name] for name in same] == [before[name] for name in same]
    assert new["token_hash"] != before["token_hash"]
    [letter] = await office.sql("SELECT id FROM asked_letters")
    for part in ("plain", "html"):
        assert f"{BASE}/l/{token(SECRET, letter['id'], EMERGENCY)}" in caught.body(part)
    [revoked] = await office.sql("SELECT revoked_at FROM links WHERE id = $1", before["id"])
    assert revoked["revoked_at"] is not None


async def test_a_fresh_link_is_mailed_once_an_hour_however_often_it_is_asked_for(office: PostOffice, tools: Tools):
    old = await link_of(office, EMERGENCY, NoticeKind.DUTY_OVERDUE, Role.EMERGENCY)
    for _ in range(3):
        await ask_fresh(tools, old)
    assert len(await office.sql("SELECT id FROM asked_letters")) == 1
    later = datetime.now(UTC) + timedelta(minutes=61)
    await ask_fresh(replace(tools, now=lambda: later), old)
    assert len(await office.sql("SELECT id FROM asked_letters")) == 2


async def test_a_token_that_never_was_is_answered_alike_and_mails_nothing(office: PostOffice, tools: Tools):
    known_token = await link_of(office, EMERGENCY, NoticeKind.DUTY_OVERDUE, Role.EMERGENCY)
    loop = asyncio.get_running_loop()
    for asked_about in (known_token, "A" * 43, "", "x" * 5000):
        started = loop.time()
        assert await ask_fresh(tools, asked_about) is None
        assert ANSWERS_AFTER <= loop.time() - started < ANSWERS_AFTER + 1.0
    assert len(await office.sql("SELECT id FROM asked_letters")) == 1


@pytest.mark.parametrize("change", ["ended", "moved", "no address"])
async def test_no_fresh_link_for_a_case_that_ended_or_a_contact_that_is_none_any_more(
    office: PostOffice, tools: Tools, change: str
):
    old = await link_of(office, EMERGENCY, NoticeKind.DUTY_OVERDUE, Role.EMERGENCY)
    statement = {
        "ended": "UPDATE cases SET ended_at = now()",
        "moved": f"UPDATE outbox SET recipient_id = '{known(B, 'desk')}'",
        "no address": f"UPDATE recipients SET email = '' WHERE id = '{EMERGENCY}'",
    }[change]
    await office.sql(statement)
    await ask_fresh(tools, old)
    assert await office.sql("SELECT id FROM asked_letters") == []
    [link] = await office.sql("SELECT revoked_at FROM links")
    assert (link["revoked_at"] is not None) == (change == "ended"), "an ended case's link is revoked at first sight"
