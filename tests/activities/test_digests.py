"""One letter for all that waits: the urgent in full, the whole as a table; refused for its size it goes in halves."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from activities import mailbook, postman, refusing
from activities.mailserver import Outcome, Verdict
from domain.calendar import OPENS, SHANGHAI
from models.contracts.ports import Send
from models.contracts.vocabulary import NoticeKind, NoticeStatus, Role, Urgency
from models.tables.backlog import waits
from models.tables.engine import operator
from runtime.embedded.mail import CaughtMail, MailCatcher
from tests.activities.post_office import BASE, NOW, PostOffice, emptied, rows_in
from tests.conftest import Database
from tests.tables.rows import EMERGENCY, A, known

DESK, MAILBOX = known(A, "desk"), known(A, "mailbox")
OVERDUE = (NoticeKind.DUTY_OVERDUE, Role.EMERGENCY, Urgency.DIGEST)
LATER: dict[str, Any] = {"effective": "2024-03-28", "due_at": "2024-03-29T00:00:00+08:00", "label": "提交服务计划"}


@pytest.fixture
async def office(database: Database, mailbox: MailCatcher) -> AsyncIterator[PostOffice]:
    async with emptied(database, mailbox.port) as office:
        yield office


def table(caught: CaughtMail) -> bytes:
    [enclosed] = caught.message.iter_attachments()
    return bytes(enclosed.get_payload(decode=True))


def shown_bytes(caught: CaughtMail) -> int:
    """The letter as it travels, without what is enclosed."""
    return caught.path.stat().st_size - int(len(table(caught)) * 4 / 3 * 1.03)


async def test_everything_that_waits_goes_in_one_letter_that_shows_the_urgent_and_encloses_the_whole(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    await office.put(EMERGENCY, *OVERDUE)
    await office.copies(259)
    await office.put(EMERGENCY, NoticeKind.DUTY_REMINDER, Role.EMERGENCY, Urgency.DIGEST, **LATER)
    [mail] = await office.compose(EMERGENCY, Urgency.DIGEST)
    await office.send(EMERGENCY, mail)

    [caught] = mailbox.messages
    assert caught.subject == "安责险 261 件待办（260 件逾期）"
    for part in ("plain", "html"):
        body = caught.body(part)
        assert "逾期通知：上传电子保单" in body
        assert "履职提醒：提交服务计划" in body
        assert f"{BASE}/department?overdue=true" in body
        assert 0 < body.count("应急监二〔2023〕84号 二(五)") <= 20
    headings, *lines = rows_in(table(caught))
    said = [dict(zip(headings, line, strict=True)) for line in lines]
    assert len(said) == 261
    assert all("应急监二〔2023〕84号 二(五)" in one["依据"] and "法规规定" in one["依据"] for one in said)
    assert {(one["案卷编号"], one["投保单位"], one["地区行业"][:6]) for one in said} == {
        ("P-1", "企业", "安徽省宿州市")
    }
    assert (said[0]["事项"], said[-1]["事项"]) == ("上传电子保单", "提交服务计划")
    assert len({one["办理链接"] for one in said}) == 261
    assert shown_bytes(caught) < 200_000
    [row] = await office.sql("SELECT count(*), count(DISTINCT mail_id) AS mails FROM outbox WHERE status = 'accepted'")
    assert (row["count"], row["mails"]) == (261, 1)
    assert await office.compose(EMERGENCY, Urgency.DIGEST) == ()


async def test_long_descriptions_make_a_letter_show_fewer_and_never_grow(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    await office.put(EMERGENCY, *OVERDUE, note="围墙开裂，" * 400)
    await office.copies(99)
    [mail] = await office.compose(EMERGENCY, Urgency.DIGEST)
    await office.send(EMERGENCY, mail)
    [caught] = mailbox.messages
    assert len(rows_in(table(caught))) == 101
    assert shown_bytes(caught) < 200_000


async def too_big(office: PostOffice, mailbox: MailCatcher, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """A letter of a hundred notices, composed; the server will refuse its size."""
    monkeypatch.setattr(refusing, "DIVISIBLE", 10_000)
    mailbox.replies.append("552 5.3.4 message too big for system")
    await office.put(EMERGENCY, *OVERDUE)
    await office.copies(99)
    [whole] = await office.compose(EMERGENCY, Urgency.DIGEST)
    return whole


async def test_a_letter_refused_for_its_size_goes_as_two_and_every_notice_once(
    office: PostOffice, mailbox: MailCatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await too_big(office, mailbox, monkeypatch)
    assert (await office.send(EMERGENCY, whole)).status is NoticeStatus.BOUNCED
    halves = await office.compose(EMERGENCY, Urgency.DIGEST)
    for mail in halves:
        assert (await office.send(EMERGENCY, mail)).status is NoticeStatus.ACCEPTED
    assert [len(rows_in(table(caught))) - 1 for caught in mailbox.messages] == [50, 50]
    assert {caught.subject[-3:] for caught in mailbox.messages} == {"1/2", "2/2"}
    assert len({caught.message_id for caught in mailbox.messages}) == 2
    rows = await office.sql("SELECT mail_id, count(*) FROM outbox WHERE status = 'accepted' GROUP BY mail_id")
    assert {row["mail_id"]: row["count"] for row in rows} == dict.fromkeys(halves, 50)
    assert await office.sql("SELECT 1 FROM tasks") == []


async def test_halves_that_wait_over_a_weekend_for_the_office_to_open_are_no_backlog(
    office: PostOffice, mailbox: MailCatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await too_big(office, mailbox, monkeypatch)
    saturday, monday = datetime(2030, 6, 1, 10, tzinfo=SHANGHAI), datetime(2030, 6, 3, 10, tzinfo=SHANGHAI)
    await office.postman.send(Send(recipient_id=EMERGENCY, mail_id=whole, now=saturday))
    async with mailbook.session_for(office.engine) as session:
        await operator(session)
        opened = datetime.combine(monday, OPENS, SHANGHAI)
        assert (await waits(session, saturday + timedelta(days=1))).letter == timedelta(0)
        assert (await waits(session, monday)).letter == monday - opened


@pytest.mark.parametrize("reply", ["552 5.2.2 mailbox full", "550 5.1.1 no such user"])
async def test_a_big_letter_refused_for_another_reason_ends_in_front_of_a_person_portion_by_portion(
    office: PostOffice, mailbox: MailCatcher, monkeypatch: pytest.MonkeyPatch, reply: str
) -> None:
    monkeypatch.setattr(refusing, "DIVISIBLE", 100)
    monkeypatch.setattr(refusing, "PORTION", 2)
    mailbox.replies.append(reply)
    await office.put(MAILBOX, NoticeKind.DUTY_REMINDER, Role.INSURED, Urgency.DIGEST)
    await office.copies(4)
    [mail] = await office.compose(MAILBOX, Urgency.DIGEST)
    ended = await office.send(MAILBOX, mail)
    assert (ended.status, ended.moved_to) == (NoticeStatus.BOUNCED, DESK)
    [row] = await office.sql("SELECT count(*) FROM tasks WHERE kind = 'bounced' AND done_at IS NULL")
    assert row["count"] == 5
    rows = await office.sql("SELECT recipient_id, mail_id, status FROM outbox")
    assert {tuple(row) for row in rows} == {(DESK, None, "queued")}
    [mail] = await office.compose(DESK, Urgency.DIGEST)
    assert (await office.send(DESK, mail)).status is NoticeStatus.ACCEPTED


async def test_a_crash_between_two_portions_leaves_the_rest_to_the_next_attempt(
    office: PostOffice, mailbox: MailCatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusing, "PORTION", 2)
    mailbox.refused["a@a.example"] = "550 5.1.1 no such user"
    await office.put(MAILBOX, NoticeKind.DUTY_REMINDER, Role.INSURED, Urgency.DIGEST)
    await office.copies(4)
    [mail] = await office.compose(MAILBOX, Urgency.DIGEST)
    monkeypatch.setattr(refusing, "end", None)
    with pytest.raises(TypeError):
        await office.send(MAILBOX, mail)
    monkeypatch.undo()
    rows = await office.sql("SELECT recipient_id, count(*) FROM outbox GROUP BY recipient_id")
    assert {row["recipient_id"]: row["count"] for row in rows} == {DESK: 4, MAILBOX: 1}
    assert (await office.send(MAILBOX, mail)).moved_to == DESK
    [row] = await office.sql("SELECT count(*), count(DISTINCT notice_id) AS notices FROM tasks")
    assert (row["count"], row["notices"]) == (5, 5)


async def test_a_refusal_that_comes_after_the_letter_was_given_up_moves_nothing(
    office: PostOffice, mailbox: MailCatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mailroom stopped waiting while the server still thought it over: an operator has each notice already."""
    monkeypatch.setattr(refusing, "PORTION", 2)
    await office.put(MAILBOX, NoticeKind.DUTY_REMINDER, Role.INSURED, Urgency.DIGEST)
    await office.copies(4)
    [mail] = await office.compose(MAILBOX, Urgency.DIGEST)

    async def late(*_: object) -> Verdict:
        await office.postman.give_up(Send(recipient_id=MAILBOX, mail_id=mail, now=NOW))
        return Verdict(Outcome.REFUSED, 550, "5.1.1 no such user")

    monkeypatch.setattr(postman, "hand_over", late)
    assert (await office.send(MAILBOX, mail)).status is NoticeStatus.UNDELIVERED
    rows = await office.sql("SELECT kind, count(*) FROM tasks GROUP BY kind")
    assert {row["kind"]: row["count"] for row in rows} == {"undelivered": 5}
    [row] = await office.sql("SELECT count(*) FROM outbox WHERE recipient_id = $1 AND status = 'undelivered'", MAILBOX)
    assert row["count"] == 5


async def test_what_waited_for_days_is_taken_a_letter_at_a_time_and_all_of_it_goes(
    office: PostOffice, mailbox: MailCatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One statement over all of it would run into the database's time-out, at every attempt."""
    taken, take = list[int](), mailbook.take_waiting

    async def counting(*asked: Any) -> Any:
        rows = await take(*asked)
        taken.append(len(rows))
        return rows

    monkeypatch.setattr(mailbook, "PAGE", 2)
    monkeypatch.setattr(mailbook, "take_waiting", counting)
    await office.put(EMERGENCY, *OVERDUE)
    await office.copies(5)
    mails = await office.compose(EMERGENCY, Urgency.DIGEST)
    for mail in mails:
        assert (await office.send(EMERGENCY, mail)).status is NoticeStatus.ACCEPTED
    assert taken == [2, 2, 2, 0]
    assert sorted(caught.subject[-3:] for caught in mailbox.messages) == ["1/3", "2/3", "3/3"]
    assert await office.sql("SELECT 1 FROM outbox WHERE status <> 'accepted'") == []
