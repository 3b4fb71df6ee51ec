"""An attempt that is starved, overtaken or cut off: it shows signs of life, sends nothing late, and loses no answer."""

import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage

import asyncpg
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import beating, refusing
from activities.mailserver import SmtpSettings, hand_over
from models.contracts.ports import Send
from models.contracts.vocabulary import NoticeKind, NoticeStatus, Role
from runtime.embedded.mail import MailCatcher
from runtime.embedded.ports import LOOPBACK
from tests.activities.post_office import NOW, PostOffice, emptied, post_office, slow_server
from tests.conftest import Database
from tests.runtime.waiting import PATIENCE
from tests.tables.rows import A, known

DESK = known(A, "desk")
UPLOAD = (NoticeKind.DUTY_OVERDUE, Role.INSURER)


@pytest.fixture
async def office(database: Database, mailbox: MailCatcher) -> AsyncIterator[PostOffice]:
    async with emptied(database, mailbox.port) as office:
        yield office


async def test_an_attempt_that_was_called_interrupted_stays_so_when_its_worker_comes_back(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    """Cut off from the engine it kept its line to the mail server, while another worker sent the same letter."""
    await office.put(DESK, *UPLOAD)
    [mail] = await office.compose(DESK)
    async with slow_server(office, hangs_up=True) as slow:
        first = asyncio.create_task(slow.office.send(DESK, mail))
        await slow.reached.wait()
        assert (await office.send(DESK, mail)).status is NoticeStatus.ACCEPTED
        slow.answer.set()
        with pytest.raises(ApplicationError):
            await first
    assert await office.attempts(mail) == [("ambiguous", None), ("accepted", 250)]
    replies = await office.sql("SELECT reply FROM attempts WHERE number = 1")
    assert [row["reply"] for row in replies] == ["interrupted"]
    [row] = await office.sql("SELECT status, last_code FROM mails")
    assert (row["status"], row["last_code"]) == ("accepted", 250)


@pytest.mark.fault("F35")
async def test_an_attempt_that_was_overtaken_before_it_gave_the_letter_away_keeps_it(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    """Cut off from the engine, and its mail server slow to greet: meanwhile another worker has sent the letter."""
    reached, greet, heard = asyncio.Event(), asyncio.Event(), list[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        await greet.wait()
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            heard.append(line[:4].upper())
            writer.write(b"354 go on\r\n" if heard[-1] == b"DATA" else b"250 fine\r\n")
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    cut_off = post_office(office.database, office.engine, server.sockets[0].getsockname()[1])
    await office.put(DESK, *UPLOAD)
    [mail] = await office.compose(DESK)
    first = asyncio.create_task(cut_off.send(DESK, mail))
    await reached.wait()
    assert (await office.send(DESK, mail)).status is NoticeStatus.ACCEPTED
    greet.set()
    with pytest.raises(ApplicationError):
        await first
    assert (b"RCPT" in heard, b"DATA" in heard, len(mailbox.messages)) == (True, False, 1)
    assert await office.attempts(mail) == [("ambiguous", None), ("accepted", 250)]
    server.close()
    assert await office.broken(mailbox.messages, "I9") == []


async def test_a_letter_the_server_took_from_an_attempt_that_was_overtaken_is_sent_no_more(
    database: Database, office: PostOffice, mailbox: MailCatcher
) -> None:
    """A starved worker's attempt is given up while its letter is on the way; then the server says yes."""
    async with slow_server(office) as slow:
        await office.put(DESK, *UPLOAD)
        [mail] = await office.compose(DESK)
        first = asyncio.create_task(slow.office.send(DESK, mail))
        await slow.reached.wait()
        async with asyncio.timeout(PATIENCE):
            await office.sql("UPDATE attempts SET ended_at = now(), outcome = 'ambiguous', reply = 'interrupted'")
            await office.sql("INSERT INTO attempts (mail_id, number, started_at) VALUES ($1, 2, $2)", mail, NOW)
            await office.sql("UPDATE mails SET attempts = 2")
            slow.answer.set()
            assert (await first).status is NoticeStatus.ACCEPTED
    assert (await office.send(DESK, mail)).status is NoticeStatus.ACCEPTED
    assert mailbox.messages == []
    assert [outcome for outcome, _ in await office.attempts(mail)] == ["ambiguous", None]


async def test_an_attempt_beside_one_that_still_goes_on_here_waits_for_its_end(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    """A starved worker is called off and given the same letter again."""
    await office.put(DESK, *UPLOAD)
    [mail] = await office.compose(DESK)
    async with slow_server(office) as slow:
        first = asyncio.create_task(slow.office.send(DESK, mail))
        await slow.reached.wait()
        first.cancel()
        again = asyncio.create_task(slow.office.send(DESK, mail))
        await asyncio.sleep(0.05)
        slow.answer.set()
        assert (await again).status is NoticeStatus.ACCEPTED
    assert await office.attempts(mail) == [("accepted", 250)]


async def test_what_the_server_said_is_on_record_though_the_attempt_was_called_off_as_it_said_it(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    await office.put(DESK, *UPLOAD)
    [mail] = await office.compose(DESK)
    holding = await asyncpg.connect(office.database.admin)
    async with slow_server(office) as slow:
        sending = asyncio.create_task(slow.office.send(DESK, mail))
        await slow.reached.wait()
        async with holding.transaction():
            await holding.execute("SELECT 1 FROM mails FOR UPDATE")
            slow.answer.set()
            await office.until("SELECT 1 FROM pg_locks WHERE NOT granted")
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
    await holding.close()
    await office.until("SELECT 1 FROM mails WHERE status = 'accepted'")
    assert (await office.send(DESK, mail)).status is NoticeStatus.ACCEPTED
    assert mailbox.messages == []


async def test_an_attempt_that_is_cut_off_sends_no_final_dot_afterwards() -> None:
    """What lies in our own buffer when the attempt ends must not reach the server as a second, whole letter."""
    reading, received = asyncio.Event(), bytearray()
    began, ended = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while (line := await reader.readline())[:4] != b"DATA":
            writer.write(b"250 fine\r\n")
        writer.write(b"354 go on\r\n")
        began.set()
        await reading.wait()
        try:
            while chunk := await reader.read(65536):
                received.extend(chunk)
        except ConnectionError:
            pass
        ended.set()
        writer.close()
        assert line

    server = await asyncio.start_server(serve, LOOPBACK, 0, limit=4096)
    sending = asyncio.create_task(hand_over(_smtp(server), _letter(24_000_000), "a@a.example"))
    async with asyncio.timeout(PATIENCE):
        await began.wait()
        await asyncio.sleep(0.2)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        reading.set()
        await ended.wait()
    assert not received.endswith(b"\r\n.\r\n")
    server.close()


async def test_an_attempt_shows_signs_of_life_while_it_waits_for_its_turn(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beating, "BEAT", 0.01)
    monkeypatch.setattr("activities.postman.LINES", 1)
    async with slow_server(office) as slow:
        for _ in range(2):
            await office.put(DESK, NoticeKind.DUTY_OVERDUE, Role.INSURER)
        mails = await office.compose(DESK)
        beats: list[int] = []
        waiting = ActivityEnvironment()
        waiting.on_heartbeat = lambda *_: beats.append(1)
        first = asyncio.create_task(slow.office.send(DESK, mails[0]))
        await slow.reached.wait()
        second = Send(recipient_id=DESK, mail_id=mails[1], now=NOW)
        later = asyncio.create_task(waiting.run(slow.office.postman.send, second))
        async with asyncio.timeout(PATIENCE):
            while len(beats) < 3:
                await asyncio.sleep(0.01)
        assert await office.attempts(mails[1]) == []
        slow.answer.set()
        assert {(await first).status, (await later).status} == {NoticeStatus.ACCEPTED}


@pytest.mark.parametrize(
    ("size", "said"), [("1000", (552, True, False)), ("10 MB", (250, False, True)), ("9" * 5_000, (250, False, True))]
)
async def test_a_letter_above_the_size_the_server_announced_is_not_sent_at_all(
    size: str, said: tuple[int, bool, bool]
) -> None:
    """Where no size can be read, none was announced."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            heard.append(line[:4])
            if line[:4] == b"DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
            writer.write(b"250-here\r\n250 SIZE " + size.encode() + b"\r\n" if line[:4] == b"EHLO" else b"250 fine\r\n")
        writer.close()

    heard: list[bytes] = []
    server = await asyncio.start_server(serve, LOOPBACK, 0)
    verdict = await hand_over(_smtp(server), _letter(5_000), "a@a.example")
    assert (verdict.code, refusing.is_too_big(verdict), b"DATA" in heard) == said
    server.close()


def _smtp(server: asyncio.Server) -> SmtpSettings:
    return SmtpSettings(LOOPBACK, server.sockets[0].getsockname()[1], "notice@anze.example")


def _letter(size: int) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "x"
    message.set_content("x" * 70 + "\n" + ("y" * 70 + "\n") * (size // 71))
    return message
