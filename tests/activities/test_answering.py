"""Where an answer to a letter goes, which page a letter leads to, and what operators are not told."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from models.contracts.ids import HUMAN_QUEUE
from models.contracts.vocabulary import NoticeKind, Role
from runtime.embedded.mail import CaughtMail, MailCatcher
from tests.activities.post_office import BASE, PostOffice, emptied
from tests.conftest import Database
from tests.tables.rows import EMERGENCY, A, known

DESK, MAILBOX = known(A, "desk"), known(A, "mailbox")
AMOUNT = "最终赔付 FK-1，12,000.00 元"


@pytest.fixture
async def office(database: Database, mailbox: MailCatcher) -> AsyncIterator[PostOffice]:
    async with emptied(database, mailbox.port) as office:
        await office.sql("UPDATE recipients SET email = 'ops@anze.example' WHERE id = $1", HUMAN_QUEUE)
        yield office


async def letter(
    office: PostOffice, mailbox: MailCatcher, to: UUID, role: Role, kind: NoticeKind, note: str = ""
) -> CaughtMail:
    await office.put(to, kind, role, note=note)
    [mail] = await office.compose(to)
    await office.send(to, mail)
    return mailbox.messages[-1]


@pytest.mark.parametrize(
    ("to", "role", "answers"),
    [
        (MAILBOX, Role.INSURED, "desk@a.example"),
        (DESK, Role.INSURER, "ops@anze.example"),
        (EMERGENCY, Role.EMERGENCY, "ops@anze.example"),
        (HUMAN_QUEUE, Role.HUMAN_QUEUE, None),
    ],
)
async def test_an_answer_goes_to_who_can_answer_and_a_letter_says_so(
    office: PostOffice, mailbox: MailCatcher, to: UUID, role: Role, answers: str | None
) -> None:
    caught = await letter(office, mailbox, to, role, NoticeKind.DUTY_OVERDUE)
    header = caught.message["Reply-To"]
    assert (header.addresses[0].addr_spec if header else None) == answers
    for part in ("plain", "html"):
        assert ("请勿直接回复" in caught.body(part)) == (answers is None)


async def test_an_address_no_header_can_carry_is_no_mailbox_to_answer_to(
    office: PostOffice, mailbox: MailCatcher
) -> None:
    await office.sql("UPDATE recipients SET email = 'no address at all' WHERE id = $1", HUMAN_QUEUE)
    caught = await letter(office, mailbox, EMERGENCY, Role.EMERGENCY, NoticeKind.DUTY_OVERDUE)
    assert caught.message["Reply-To"] is None


@pytest.mark.parametrize(
    ("to", "role", "page"),
    [(DESK, Role.INSURER, "/insurer/policies/"), (MAILBOX, Role.INSURED, "/enterprise/policies/")],
)
async def test_a_letter_without_an_act_leads_to_the_case_of_who_signs_in(
    office: PostOffice, mailbox: MailCatcher, to: UUID, role: Role, page: str
) -> None:
    caught = await letter(office, mailbox, to, role, NoticeKind.POLICY_SURRENDERED)
    for part in ("plain", "html"):
        assert f"{BASE}{page}{known(A, 'case')}" in caught.body(part)


async def test_operators_read_neither_amounts_nor_what_people_wrote(office: PostOffice, mailbox: MailCatcher) -> None:
    kind = NoticeKind.PAYMENT_STUCK
    insurers = await letter(office, mailbox, DESK, Role.INSURER, kind, note=AMOUNT)
    operators = await letter(office, mailbox, HUMAN_QUEUE, Role.HUMAN_QUEUE, kind, note=AMOUNT)
    for part in ("plain", "html"):
        assert AMOUNT in insurers.body(part)
        assert "12,000" not in operators.body(part)
        assert f"{BASE}/operator/cases/{known(A, 'case')}" in operators.body(part)


async def test_a_letter_travels_in_lines_every_relay_takes(office: PostOffice, mailbox: MailCatcher) -> None:
    caught = await letter(office, mailbox, MAILBOX, Role.INSURED, NoticeKind.HAZARD_NOTICE)
    assert [part["Content-Transfer-Encoding"] for part in caught.message.iter_parts()] == ["base64", "base64"]
    assert max(len(line) for line in caught.path.read_bytes().splitlines()) < 100
