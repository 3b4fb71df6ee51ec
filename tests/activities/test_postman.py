"""The postman against a real database and a scripted mail server: twice counts once, every end is on record."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from temporalio.exceptions import ApplicationError

from activities.letters import Letters
from activities.links import token, token_hash
from models.contracts.mailroom import Compose
from models.contracts.ports import LookIn, Send
from models.contracts.vocabulary import NoticeKind, NoticeStatus, Role, Urgency
from models.tables.engine import make_engine
from runtime.embedded.mail import MailCatcher
from runtime.embedded.ports import free_ports
from runtime.settings import sqlalchemy_url
from tests.activities.post_office import (
    BASE,
    NOW,
    OPERATORS,
    SECRET,
    PostOffice,
    post_office,
    stalling_server,
)
from tests.conftest import Database
from tests.tables.rows import EMERGENCY, A, B, known, seed

DESK, MAILBOX = known(A, "desk"), known(A, "mailbox")
UPLOAD = (NoticeKind.DUTY_OVERDUE, Role.INSURER)


@pytest.fixture
async def office(database: Database, mailbox: MailCatcher) -> AsyncIterator[PostOffice]:
    await seed(database)
    engine = make_engine(sqlalchemy_url(database.app))
    office = post_office(database, engine, mailbox.port)
    await office.sql("DELETE FROM link_uses")
    await office.sql("DELETE FROM links")
    await office.sql("DELETE FROM tasks")
    await office.sql("DELETE FROM matters")
    await office.sql("DELETE FROM outbox")
    await office.sql("UPDATE recipients SET email = 'ops@anze.example' WHERE id = $1", OPERATORS)
    yield office
    await engine.dispose()


async def test_an_urgent_notice_becomes_one_mail_with_law_clause_and_counting(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    notice = await office.put(DESK, *UPLOAD)
    [mail] = await office.compose(DESK)
    delivery = await office.send(DESK, mail)

    [caught] = mailbox.messages
    assert delivery.status is NoticeStatus.ACCEPTED
    assert caught.recipients == ("desk@a.example",)
    assert caught.subject == "【逾期】上传电子保单 · 保单 P-1 · 期限3月8日"
    for part in ("plain", "html"):
        body = caught.body(part)
        for said in ("应急监二〔2023〕84号 二(五)", "法规规定", "系统约定", "次日起算7日", "甲保险", "安徽省宿州市"):
            assert said in body, part
    assert caught.message["Auto-Submitted"] == "auto-generated"
    [row] = await office.sql("SELECT status, told_at, mail_id FROM outbox WHERE id = $1", notice)
    assert (row["status"], row["mail_id"]) == ("accepted", mail)
    assert row["told_at"] >= NOW


@pytest.mark.parametrize(
    ("due_at", "said"),
    [
        ("2024-03-09T00:00:00+08:00", "于2024年3月8日（周五）24:00 前"),
        ("2024-03-08T14:30:00+08:00", "于2024年3月8日（周五）14:30 前"),
    ],
)
async def test_a_letter_names_the_hour_a_term_in_hours_ends_at(
    office: PostOffice, mailbox: MailCatcher, due_at: str, said: str
) -> None:
    await office.put(DESK, *UPLOAD, due_at=due_at)
    [mail] = await office.compose(DESK)
    await office.send(DESK, mail)
    [caught] = mailbox.messages
    for part in ("plain", "html"):
        assert said in caught.body(part), part


async def test_composing_and_sending_twice_sends_once(office: PostOffice, mailbox: MailCatcher) -> None:
    await office.put(DESK, *UPLOAD)
    first = await office.compose(DESK)
    assert await office.compose(DESK) == first
    deliveries = [await office.send(DESK, first[0]) for _ in range(3)]

    assert {delivery.status for delivery in deliveries} == {NoticeStatus.ACCEPTED}
    assert len(mailbox.messages) == 1
    assert await office.compose(DESK) == ()


@pytest.mark.fault("F35")
async def test_concurrent_composers_never_put_a_notice_into_two_mails(office: PostOffice, mailbox: MailCatcher) -> None:
    for _ in range(20):
        await office.put(DESK, *UPLOAD)
    composed = await asyncio.gather(*(office.compose(DESK) for _ in range(4)))
    assert len({mail for mails in composed for mail in mails}) == 20
    assert len(await office.sql("SELECT 1 FROM mails")) == 20
    assert await office.broken(mailbox.messages) == []


async def test_what_does_not_hurry_goes_into_one_digest_overdue_first(office: PostOffice, mailbox: MailCatcher) -> None:
    later: dict[str, Any] = {"effective": "2024-03-28", "due_at": "2024-03-29T00:00:00+08:00", "label": "提交服务计划"}
    await office.put(DESK, NoticeKind.DUTY_REMINDER, Role.INSURER, Urgency.DIGEST, **later)
    await office.put(DESK, *UPLOAD, Urgency.DIGEST)
    [mail] = await office.compose(DESK, Urgency.DIGEST)
    await office.send(DESK, mail)

    [caught] = mailbox.messages
    assert caught.subject == "安责险 2 件待办（1 件逾期）"
    assert caught.body().index("上传电子保单") < caught.body().index("提交服务计划")


async def test_a_department_reads_all_insurers_an_insurer_only_itself(office: PostOffice, mailbox: MailCatcher) -> None:
    for insurer in (A, B):
        await office.put(EMERGENCY, NoticeKind.DUTY_OVERDUE, Role.EMERGENCY, Urgency.DIGEST, insurer)
        await office.put(known(insurer, "desk"), *UPLOAD, Urgency.DIGEST, insurer)
    for recipient in (EMERGENCY, DESK):
        for mail in await office.compose(recipient, Urgency.DIGEST):
            await office.send(recipient, mail)

    department, desk = mailbox.to("yjj@sz.example")[0].body(), mailbox.to("desk@a.example")[0].body()
    assert "甲保险 · 安徽省宿州市" in department
    assert "乙保险 · 安徽省宿州市" in department
    assert "乙保险" not in desk


async def test_only_the_hash_of_a_link_is_stored_and_it_is_the_one_in_the_mail(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    notice = await office.put(EMERGENCY, NoticeKind.DUTY_OVERDUE, Role.EMERGENCY)
    [mail] = await office.compose(EMERGENCY)
    await office.send(EMERGENCY, mail)

    written = token(SECRET, notice, EMERGENCY)
    assert f"{BASE}/l/{written}" in mailbox.messages[0].body("html")
    [link] = await office.sql("SELECT * FROM links")
    assert link["token_hash"] == token_hash(written)
    assert link["purpose"] == "department"
    assert (link["expires_at"] - NOW).days == 30
    assert written not in str([dict(row) for row in await office.sql("SELECT * FROM links, outbox, mails")])


@pytest.mark.fault("F23")
async def test_a_server_that_asks_for_patience_is_asked_again_with_the_same_message(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    mailbox.replies.extend(["451 4.3.0 later"] * 2)
    await office.put(DESK, *UPLOAD)
    [mail] = await office.compose(DESK)
    for _ in range(2):
        with pytest.raises(ApplicationError) as later:
            await office.send(DESK, mail)
        assert not later.value.non_retryable
    assert (await office.send(DESK, mail)).status is NoticeStatus.ACCEPTED
    assert await office.attempts(mail) == [("queued", 451), ("queued", 451), ("accepted", 250)]
    assert mailbox.messages[0].message_id == f"<{mail}@anze.example>"
    assert await office.broken(mailbox.messages, "I9") == []


@pytest.mark.fault("F23")
async def test_a_server_that_is_away_leaves_the_mail_waiting(
    database: Database, office: PostOffice, mailbox: MailCatcher
) -> None:
    away = post_office(database, office.engine, free_ports(1)[0])
    await office.put(DESK, *UPLOAD)
    [mail] = await office.compose(DESK)
    with pytest.raises(ApplicationError):
        await away.send(DESK, mail)
    assert await office.compose(DESK) == (mail,)
    assert await office.broken(mailbox.messages) == []


@pytest.mark.fault("F25")
async def test_a_line_that_breaks_after_the_letter_is_ambiguous_and_tried_once_more_under_the_same_id(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    mailbox.replies.extend(["", ""])
    await office.put(DESK, *UPLOAD)
    [mail] = await office.compose(DESK)
    with pytest.raises(ApplicationError):
        await office.send(DESK, mail)
    assert (await office.send(DESK, mail)).status is NoticeStatus.AMBIGUOUS
    assert (await office.send(DESK, mail)).status is NoticeStatus.AMBIGUOUS

    assert await office.attempts(mail) == [("ambiguous", None), ("ambiguous", None)]
    assert len(mailbox.messages) == 2
    assert len({caught.message_id for caught in mailbox.messages}) == 1
    [row] = await office.sql("SELECT status FROM outbox")
    assert row["status"] == "ambiguous"
    assert await office.broken(mailbox.messages, "I9") == []


@pytest.mark.fault("F25")
async def test_a_server_that_never_answers_the_final_dot_is_ambiguous(
    database: Database, office: PostOffice, mailbox: MailCatcher
) -> None:
    server = await stalling_server()
    stalled = post_office(database, office.engine, server.sockets[0].getsockname()[1], patience=0.3)
    await office.put(DESK, *UPLOAD)
    [mail] = await office.compose(DESK)
    with pytest.raises(ApplicationError):
        await stalled.send(DESK, mail)
    assert await office.attempts(mail) == [("ambiguous", None)]
    server.close()
    assert await office.broken(mailbox.messages) == []


async def test_a_crash_between_attempt_and_result_is_called_ambiguous_and_the_mail_still_goes(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    await office.put(DESK, *UPLOAD)
    [mail] = await office.compose(DESK)
    await office.sql("INSERT INTO attempts (mail_id, number, started_at) VALUES ($1, 1, $2)", mail, NOW)
    await office.sql("UPDATE mails SET attempts = 1 WHERE id = $1", mail)
    assert (await office.send(DESK, mail)).status is NoticeStatus.ACCEPTED
    assert await office.attempts(mail) == [("ambiguous", None), ("accepted", 250)]
    assert len(mailbox.messages) == 1


async def test_a_bounce_holds_no_letter_while_it_waits_for_an_acknowledgement_of_the_same_case(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    mailbox.refused["a@a.example"] = "550 5.1.1 no such user"
    notice = await office.put(MAILBOX, NoticeKind.PLAN_CONFIRMATION, Role.INSURED)
    [mail] = await office.compose(MAILBOX)
    acknowledging = await asyncpg.connect(office.database.admin)
    async with acknowledging.transaction():
        await acknowledging.execute("SELECT lock_matters(ARRAY[$1::uuid])", known(A, "case"))
        bounce = asyncio.create_task(office.send(MAILBOX, mail))
        await office.until("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        await acknowledging.execute("SELECT 1 FROM outbox WHERE id = $1 FOR NO KEY UPDATE NOWAIT", notice)
    await acknowledging.close()
    assert (await bounce).moved_to == DESK


@pytest.mark.fault("F24")
async def test_a_refused_address_moves_its_notices_to_the_fallback_and_to_an_operator(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    mailbox.refused["a@a.example"] = "550 5.1.1 no such user"
    notice = await office.put(MAILBOX, NoticeKind.PLAN_CONFIRMATION, Role.INSURED)
    [mail] = await office.compose(MAILBOX)
    delivery = await office.send(MAILBOX, mail)
    again = await office.send(MAILBOX, mail)

    assert delivery.status is again.status is NoticeStatus.BOUNCED
    assert delivery.moved_to == DESK
    [row] = await office.sql("SELECT recipient_id, status, mail_id FROM outbox WHERE id = $1", notice)
    assert (row["recipient_id"], row["status"], row["mail_id"]) == (DESK, "queued", None)
    assert [row["kind"] for row in await office.sql("SELECT kind FROM tasks")] == ["bounced"]
    assert [row["recipient_id"] for row in await office.sql("SELECT recipient_id FROM nudges")] == [DESK]
    assert all(row["revoked_at"] for row in await office.sql("SELECT revoked_at FROM links"))
    [moved] = await office.compose(DESK)
    assert (await office.send(DESK, moved)).status is NoticeStatus.ACCEPTED
    assert "/l/" not in mailbox.messages[0].body(), "the insurer's desk may not act for the enterprise"
    assert await office.broken(mailbox.messages) == []


@pytest.mark.parametrize(
    "bad", ["a@@b", "a@", "a@[1", "a@b..example", "a b@x.example", "张三@x.example", "a@保.example"]
)
@pytest.mark.fault("F36")
async def test_an_address_no_letter_can_carry_is_a_bounce_at_once_and_its_notices_move_on(
    office: PostOffice, mailbox: MailCatcher, bad: str
) -> None:
    await office.sql("UPDATE recipients SET email = $1 WHERE id = $2", bad, MAILBOX)
    notice = await office.put(MAILBOX, NoticeKind.PLAN_CONFIRMATION, Role.INSURED)
    [mail] = await office.compose(MAILBOX)
    delivery = await office.send(MAILBOX, mail)
    assert (delivery.status, delivery.moved_to) == (NoticeStatus.BOUNCED, DESK)
    assert [row["kind"] for row in await office.sql("SELECT kind FROM tasks")] == ["bounced"]
    [row] = await office.sql("SELECT recipient_id, status FROM outbox WHERE id = $1", notice)
    assert (row["recipient_id"], row["status"]) == (DESK, "queued")
    assert mailbox.messages == []
    assert await office.broken(mailbox.messages) == []


async def test_a_letter_composed_anew_carries_another_link_than_the_one_that_was_taken_away(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    notice = await office.put(EMERGENCY, NoticeKind.DUTY_OVERDUE, Role.EMERGENCY)
    [mail] = await office.compose(EMERGENCY)
    await office.send(EMERGENCY, mail)
    await office.sql("UPDATE links SET revoked_at = now()")
    await office.sql("UPDATE outbox SET status = 'queued', mail_id = NULL WHERE id = $1", notice)
    [again] = await office.compose(EMERGENCY)
    await office.send(EMERGENCY, again)
    [living] = await office.sql("SELECT token_hash FROM links WHERE revoked_at IS NULL")
    written = token(SECRET, notice, EMERGENCY, again)
    assert living["token_hash"] == token_hash(written)
    assert f"{BASE}/l/{written}" in mailbox.messages[1].body("html")
    assert f"{BASE}/l/{token(SECRET, notice, EMERGENCY)}" not in mailbox.messages[1].body("html")


@pytest.mark.fault("F24")
async def test_a_second_refusal_goes_to_the_operators_and_a_third_stays_with_them(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    for address in ("a@a.example", "desk@a.example", "ops@anze.example"):
        mailbox.refused[address] = "550 5.1.1 no such user"
    notice = await office.put(MAILBOX, NoticeKind.PLAN_CONFIRMATION, Role.INSURED)
    for recipient, moved_to in ((MAILBOX, DESK), (DESK, OPERATORS), (OPERATORS, None)):
        [mail] = await office.compose(recipient)
        assert (await office.send(recipient, mail)).moved_to == moved_to
    [row] = await office.sql("SELECT status FROM outbox WHERE id = $1", notice)
    assert row["status"] == "bounced"
    assert await office.broken(mailbox.messages) == []


@pytest.mark.fault("F36")
async def test_a_notice_whose_template_fails_is_set_aside_and_the_rest_goes(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    broken = await office.put(DESK, *UPLOAD, Urgency.DIGEST)
    await office.sql("""UPDATE outbox SET about = '{"due_at": "gibberish"}' WHERE id = $1""", broken)
    await office.put(DESK, *UPLOAD, Urgency.DIGEST)
    [mail] = await office.compose(DESK, Urgency.DIGEST)
    assert (await office.send(DESK, mail)).status is NoticeStatus.ACCEPTED

    assert len(mailbox.messages) == 1
    [row] = await office.sql("SELECT status FROM outbox WHERE id = $1", broken)
    assert row["status"] == "undelivered"
    assert [row["notice_id"] for row in await office.sql("SELECT notice_id FROM tasks")] == [broken]
    assert await office.broken(mailbox.messages, "I9") == []


@pytest.mark.fault("F23")
async def test_giving_up_leaves_a_task_and_a_dead_mail(office: PostOffice, mailbox: MailCatcher) -> None:
    await office.put(DESK, *UPLOAD)
    [mail] = await office.compose(DESK)
    asked = Send(recipient_id=DESK, mail_id=mail, now=NOW)
    for _ in range(2):
        assert (await office.postman.give_up(asked)).status is NoticeStatus.UNDELIVERED
    assert (await office.send(DESK, mail)).status is NoticeStatus.UNDELIVERED
    assert mailbox.messages == []
    assert [row["kind"] for row in await office.sql("SELECT kind FROM tasks")] == ["undelivered"]
    assert await office.broken(mailbox.messages, "I9") == []


async def test_a_mail_the_books_have_forgotten_is_given_up_and_blocks_nobody(office: PostOffice) -> None:
    """After a restore the engine still knows of mails that were composed since the backup."""
    lost = uuid4()
    assert (await office.send(DESK, lost)).status is NoticeStatus.UNDELIVERED
    asked = Send(recipient_id=DESK, mail_id=lost, now=NOW)
    assert (await office.postman.give_up(asked)).status is NoticeStatus.UNDELIVERED


async def test_of_many_urgent_letters_only_so_many_are_composed_at_a_time(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.mailbook.AT_ONCE", 2)
    for _ in range(3):
        await office.put(DESK, *UPLOAD)
    asked = Compose(recipient_id=DESK, urgency=Urgency.NOW, now=NOW)
    first = await office.postman.compose(asked)
    assert (len(first.mails), first.more) == (2, True)
    again = await office.postman.compose(asked)
    assert (set(again.mails), again.more) == (set(first.mails), True), "until they are gone"
    for mail in first.mails:
        await office.send(DESK, mail)
    last = await office.postman.compose(asked)
    assert (len(last.mails), last.more) == (1, False)


async def test_looking_in_counts_by_urgency_and_knows_when_the_office_opens(office: PostOffice) -> None:
    await office.put(DESK, *UPLOAD)
    await office.put(DESK, *UPLOAD, Urgency.DIGEST)
    saturday = NOW.replace(day=9)
    found = await office.postman.look_in(LookIn(recipient_id=DESK, now=saturday))
    assert (found.urgent, found.digest) == (1, 1)
    assert found.opens_at.isoformat() == "2024-03-11T09:00:00+08:00"
    await office.sql("UPDATE recipients SET email = '' WHERE id = $1", DESK)
    assert (await office.postman.look_in(LookIn(recipient_id=DESK, now=NOW))).urgent == 0


async def test_a_duty_met_meanwhile_is_said_to_be_met(office: PostOffice, mailbox: MailCatcher) -> None:
    await office.put(DESK, *UPLOAD, Urgency.DIGEST)
    clock = '{"duties": [{"key": "policy_upload", "met_at": "2024-03-10T10:00:00Z"}]}'
    await office.sql("UPDATE cases SET clock = $1 WHERE insurer_id = $2", clock, A)
    [mail] = await office.compose(DESK, Urgency.DIGEST)
    await office.send(DESK, mail)
    assert "已有办理记录" in mailbox.messages[0].body()


def test_the_templates_escape_html_but_not_text() -> None:
    letters = Letters()
    source = "{{ said }}"
    assert letters.html.from_string(source).render(said="<b>") == "&lt;b&gt;"
    assert letters.plain.from_string(source).render(said="<b>") == "<b>"
