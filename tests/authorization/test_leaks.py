"""Nothing anybody is served names what is not theirs: pages, documents, lists, exports, headers, and letters."""

import io
import zipfile
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from httpx import Response
from sqlalchemy import select

from activities.mailserver import SmtpSettings
from activities.postman import MailPostman
from api.authorization import load
from api.rows import OUTBOX, RECIPIENTS
from models.contracts.mailroom import Compose
from models.contracts.ports import Send
from models.contracts.vocabulary import NoticeStatus, Urgency
from runtime.embedded.mail import MailCatcher
from runtime.embedded.ports import LOOPBACK
from runtime.stack import Stack
from runtime.worker import library
from tests.authorization.framed import lacking
from tests.authorization.test_cross_product import VISITORS, address, expected, names_an_object
from tests.authorization.world import CODES, Actor, World

SERVED = sorted(set(VISITORS) - {"anonymous", "link_holder", "operator_key"})
VICTIM, ACCOUNT, PREMIUM = "张某", "6200000000000000000", "86000.00"
OTHERS = {
    "insurer": ("foreign", "rival"),
    "plain": ("foreign", "rival"),
    "enterprise": ("foreign", "rival", "sibling"),
    "department": ("foreign", "rival", "sibling"),
    "provider": ("foreign", "rival", "sibling"),
    "operator": (),
}
NOT_AN_ID = {"visit", "payment", "office", "piece"}
"""Numbers and contents that collide on purpose, and an office everybody may know."""


def unspeakable(world: World, actor: str) -> set[str]:
    """Words that must not stand in anything this visitor is given."""
    kind = actor.partition("_")[0]
    ids = {
        world.holdings[name].ids[what] for name in OTHERS[kind] for what in world.holdings[name].ids.keys() - NOT_AN_ID
    }
    if kind == "operator":
        return {VICTIM, ACCOUNT, PREMIUM, "86,000"}
    ids |= {str(world.insurers[1].id), "乙保险公司", f"@{world.insurers[1].code}.example", f"{world.insurers[1].code}-"}
    ids |= {CODES[1], "PA-2", "C-2"} if kind == "enterprise" else set()
    if kind == "provider":  # neither what else there is of its own policies nor who serves the others
        own = world.holdings["own"].ids
        ids |= {CODES[1], "PA-2", "C-1", "C-2", "机构B", own["claim"], own["digest"], PREMIUM, "86,000", "P-1"}
    ids |= {VICTIM, ACCOUNT} if kind != "insurer" else {ACCOUNT}
    ids |= {PREMIUM, "86,000"} if kind == "department" else set()
    return ids


def written(answer: Response) -> str:
    """All a reader could find in an answer: headers, text, and what a workbook holds."""
    said = str(answer.headers)
    if answer.content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
            return said + "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    return said + answer.text


@pytest.mark.parametrize("name", SERVED)
async def test_what_is_served_names_nothing_of_anybody_else(world: World, name: str) -> None:
    forbidden, found, served = unspeakable(world, name), [], 0
    for route, rule in sorted(load().items()):
        holdings = ("own", "ended") if names_an_object(route) else ("own",)
        for holding in holdings:
            path = address(route, world.holdings[holding].ids)
            if not route.startswith("GET ") or path is None or expected(rule, name, route, holding) != "served":
                continue
            answer = await world.actors[name].ask("GET", path)
            served += 1
            said = written(answer)
            found += [f"{route} {holding} tells {name} {word}" for word in sorted(forbidden) if word in said]
            found += [f"{route} comes without {one}" for one in lacking(answer)]
    assert found == []
    assert served > 0 or name in ("department_key", "plain_key")


async def test_what_is_not_served_to_strangers_is_served_to_whom_it_belongs(world: World) -> None:
    """The scan above can fail: the same words stand where they should."""
    key: Actor = world.actors["insurer_key"]
    theirs = await Actor("rival", world.http, bearer=world.insurers[1].token).ask("GET", "/v1/policies")
    assert world.holdings["foreign"].ids["policy"] in written(theirs)
    own = await key.ask("GET", f"/v1/policies/{world.holdings['own'].ids['policy']}")
    assert PREMIUM in written(own)
    shown = await world.actors["insurer_handler"].ask("GET", "/insurer/claims/export.xlsx")
    assert "C-1" in written(shown)


@pytest.fixture(scope="module")
async def posted(world: World, stack: Stack) -> dict[str, str]:
    """Every letter to every recipient, by address; one office is told of cases of two insurers."""
    assert isinstance(stack.mailbox, MailCatcher)
    for name in ("own", "foreign"):
        await world.told("other_industry", world.holdings[name].ids["policy"])
    stack.mailbox.messages.clear()
    smtp = SmtpSettings(LOOPBACK, stack.mailbox.port, "notice@anze.example")
    postman = MailPostman(world.tools.engine, library(), smtp, world.tools.secret, world.tools.base_url)
    async with world.admin.connect() as connection:
        of = select(OUTBOX.c.recipient_id, RECIPIENTS.c.email).join(
            RECIPIENTS, RECIPIENTS.c.id == OUTBOX.c.recipient_id
        )
        told = (await connection.execute(of.where(RECIPIENTS.c.email != "").distinct())).all()
        waiting = OUTBOX.update().where(OUTBOX.c.mail_id.is_(None))
        await connection.execute(waiting.values(status=NoticeStatus.QUEUED))
        await connection.commit()
    for row in told:
        for urgency in Urgency:
            now = datetime.now(UTC)
            composed = await postman.compose(Compose(recipient_id=row.recipient_id, urgency=urgency, now=now))
            for mail in composed.mails:
                await postman.send(Send(recipient_id=row.recipient_id, mail_id=mail, now=now))
    letters: dict[str, str] = {}
    for caught in stack.mailbox.messages:
        assert len(caught.recipients) == 1
        letters[caught.recipients[0]] = letters.get(caught.recipients[0], "") + _text(caught.message)
    return letters


def _text(message: EmailMessage) -> str:
    return str(message["Subject"]) + "".join(
        part.get_content() for part in message.walk() if part.get_content_maintype() == "text"
    )


async def test_a_letter_to_an_insurer_or_its_enterprise_names_no_other_insurer(
    world: World, posted: dict[str, str]
) -> None:
    checked = 0
    for to, said in posted.items():
        for mine, other in ((0, 1), (1, 0)):
            if f"@{world.insurers[mine].code}.example" in to:
                theirs = {"甲保险公司", "乙保险公司"} - {("甲保险公司", "乙保险公司")[mine]}
                theirs |= {str(world.insurers[other].id), f"@{world.insurers[other].code}.example"}
                assert not any(word in said for word in theirs), to
                checked += 1
    assert checked >= 4


async def test_a_department_is_told_of_several_insurers_in_one_letter_and_only_of_what_it_was_told(
    world: World, posted: dict[str, str]
) -> None:
    both = next(said for to, said in posted.items() if "other_industry@gov" in to)
    assert {"甲保险公司", "乙保险公司"} == {name for name in ("甲保险公司", "乙保险公司") if name in both}
    assert PREMIUM not in both
    here = next(said for to, said in posted.items() if "here@gov" in to)
    assert "乙保险公司" not in here
