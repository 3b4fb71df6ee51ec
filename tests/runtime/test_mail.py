"""The mail catcher: keeps what it accepted as readable files, refuses when told to."""

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx
import pytest

from runtime.embedded.mail import MailCatcher
from runtime.embedded.mail_page import MailPage
from runtime.embedded.ports import LOOPBACK, PortTaken, free_ports


@pytest.fixture
async def catcher(tmp_path: Path) -> AsyncIterator[MailCatcher]:
    catcher = MailCatcher(tmp_path / "mail", free_ports(1)[0])
    await catcher.start()
    yield catcher
    await catcher.stop()


def letter(to: str = "duty@emergency.example", subject: str = "隐患整改逾期") -> EmailMessage:
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"], message["Subject"] = "notice@anze.example", to, subject
    message.set_content("您好：\n\n整改期限已过。\n")
    return message


async def send(catcher: MailCatcher, message: EmailMessage) -> None:
    await aiosmtplib.send(message, hostname=LOOPBACK, port=catcher.port, start_tls=False)


async def test_a_mail_is_kept_as_a_file_that_tells_when_and_to_whom(catcher: MailCatcher) -> None:
    await send(catcher, letter())

    [mail] = catcher.messages
    assert mail.subject == "隐患整改逾期"
    assert "整改期限已过" in mail.body()
    assert mail.path.name.endswith("-0001-duty@emergency.example.eml")
    assert message_from_bytes(mail.path.read_bytes(), policy=policy.default)["Subject"] == mail.subject


async def test_file_names_sort_in_the_order_of_arrival(catcher: MailCatcher) -> None:
    for number in range(12):
        await send(catcher, letter(f"office-{11 - number}@place.example"))
    assert [mail.path for mail in catcher.messages] == sorted(catcher.folder.glob("*.eml"))


async def test_a_refused_recipient_is_refused_and_nothing_is_kept(catcher: MailCatcher) -> None:
    catcher.refused["gone@place.example"] = "550 5.1.1 no such user"
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await send(catcher, letter("gone@place.example"))
    assert catcher.messages == []


async def test_a_scripted_reply_is_given_once(catcher: MailCatcher) -> None:
    catcher.replies.append("451 4.3.0 later")
    with pytest.raises(aiosmtplib.SMTPDataError) as refusal:
        await send(catcher, letter())
    await send(catcher, letter())
    assert refusal.value.code == 451
    assert len(catcher.messages) == 1


async def test_a_connection_can_break_after_the_mail_was_kept(catcher: MailCatcher) -> None:
    catcher.replies.append("")
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await send(catcher, letter())
    assert len(catcher.messages) == 1


async def test_a_hostile_recipient_cannot_choose_the_folder(catcher: MailCatcher) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, catcher.port)
    lines = [
        "EHLO x",
        "MAIL FROM:<a@b.example>",
        'RCPT TO:<"../../x"@b.example>',
        "DATA",
        "Subject: x\r\n\r\nx\r\n.",
        "QUIT",
    ]
    for line in lines:
        writer.write(f"{line}\r\n".encode())
        await writer.drain()
        await asyncio.wait_for(reader.read(4096), 5)
    writer.close()
    await writer.wait_closed()
    [mail] = catcher.messages
    assert mail.path.parent == catcher.folder


async def test_caught_mails_are_read_in_a_browser_and_cannot_run_anything(catcher: MailCatcher) -> None:
    message = letter()
    message.add_alternative("<p>整改期限已过</p><script>alert(1)</script>", subtype="html")
    await send(catcher, message)
    page = MailPage(catcher.folder, free_ports(1)[0])
    await page.start()
    name = catcher.messages[0].path.name
    transport = httpx.AsyncHTTPTransport(retries=5)
    async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{page.port}", transport=transport) as http:
        overview, shown, body = [await http.get(path) for path in ("/", f"/{name}", f"/{name}/html")]
        assert "隐患整改逾期" in overview.text
        assert "duty@emergency.example" in shown.text
        assert "整改期限已过" in body.text
        assert body.headers["content-security-policy"].startswith("sandbox")
        assert "script-src" not in body.headers["content-security-policy"]
        for wrong in ("/nothing.eml", "/..%2fsecret", "/passwords.json"):
            assert (await http.get(wrong)).status_code == 404
    await page.stop()


async def test_a_taken_port_is_named_with_its_setting(catcher: MailCatcher, tmp_path: Path) -> None:
    with pytest.raises(PortTaken, match=rf"(?s){catcher.port}.*SMTP_PORT"):
        await MailCatcher(tmp_path, catcher.port).start()
