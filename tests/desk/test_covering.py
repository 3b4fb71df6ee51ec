"""An operator says who covers for a department whose contact is away: checked, once, on record, by nobody else."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from activities.mailserver import SmtpSettings
from activities.postman import MailPostman
from api.tools import Tools
from models.contracts.mailroom import Compose
from models.contracts.ports import Send
from models.contracts.vocabulary import ActorKind, Post, Urgency
from models.tables import engine as settings
from runtime.embedded.mail import MailCatcher
from runtime.embedded.ports import LOOPBACK
from runtime.worker import library
from tests.api.conftest import today
from tests.desk.conftest import PAGE, SignedIn, Town
from tests.desk.matters import open_policy, tell

WHY = "对方来电说明外出"
SET, END = "cover", "end_cover"


async def rows(admin: AsyncEngine, query: str, **values: Any) -> list[Any]:
    async with admin.connect() as connection:
        return list(await connection.execute(text(query), values))


def page_of(town: Town) -> str:
    return f"/operator/directory/{town.departments[0]}/cover"


def away(town: Town, first: int = 0, last: int = 6) -> dict[str, str]:
    """The form: so many days from now; the housing bureau covers for emergency management."""
    days = {"from_on": today() + timedelta(days=first), "until_on": today() + timedelta(days=last)}
    return {"cover": str(town.departments[1]), "reason": WHY} | {name: str(day) for name, day in days.items()}


async def acts(admin: AsyncEngine) -> list[tuple[str, str | None]]:
    query = "SELECT said FROM audit WHERE said->>'act' IN ('cover', 'end_cover') ORDER BY number"
    return [(row.said["act"], row.said.get("until_on")) for row in await rows(admin, query)]


async def test_it_is_set_changed_and_ended_once_each_and_stands_on_record(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
):
    person, page = await signed_in(ActorKind.OPERATOR), page_of(town)
    assert "现在没有抄送" in (await person.get(page)).text
    for last in (6, 6, 9, 9):
        answer = await person.post(page, **away(town, last=last))
        assert answer.status_code == 303, answer.text
    shown = (await person.get(answer.headers["location"])).text
    for said in ("已登记。", "抄送中", "宿州市住房和城乡建设局", f"{(today() + timedelta(days=9)).day}日"):
        assert said in shown
    department = (await person.get(f"/operator/directory/{town.departments[0]}")).text
    assert "信件同时抄送：宿州市住房和城乡建设局" in department
    [(cover, until)] = await rows(admin, "SELECT cover_id, until_on FROM covers")
    assert (cover, until) == (town.departments[1], today() + timedelta(days=9))
    for _ in range(2):
        assert (await person.post(page, act="end", reason=WHY)).status_code == 303
    assert await rows(admin, "SELECT 1 FROM covers") == []
    first, second = (str(today() + timedelta(days=last)) for last in (6, 9))
    assert await acts(admin) == [(SET, first), (SET, second), (END, None)]
    trail = (await person.get("/operator/audit")).text
    assert all(said in trail for said in ("联系人外出", "结束抄送", WHY))


async def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_set(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
):
    person, page = await signed_in(ActorKind.OPERATOR), page_of(town)
    desk = "SELECT id FROM recipients WHERE insurer_id IS NOT NULL AND insured_id IS NULL LIMIT 1"
    [(insurer,)] = await rows(admin, desk)
    wrong = [("cover", str(one)) for one in (town.departments[0], town.enterprises[0], insurer, "x")]
    wrong += [("from_on", "soon"), ("until_on", ""), ("reason", "无")]
    wrong += [("until_on", str(today() + timedelta(days=days))) for days in (-1, 60)]
    for field, value in wrong:
        answer = await person.post(page, **away(town) | {field: value})
        assert (answer.status_code, f'id="{field}-error"' in answer.text) == (422, True), field
    over = away(town, first=-9, last=-1)
    assert (await person.post(page, **over)).status_code == 422
    assert await rows(admin, "SELECT 1 FROM covers") == []
    assert await acts(admin) == []
    nobody = f"/operator/directory/{town.enterprises[0]}/cover"
    assert [(await person.get(nobody)).status_code, (await person.post(nobody, **away(town))).status_code] == [404, 404]


@pytest.mark.parametrize(("kind", "posts"), [(ActorKind.DEPARTMENT, ()), (ActorKind.INSURER, (Post.INSURER_ADMIN,))])
async def test_nobody_but_an_operator_says_who_covers(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, kind: ActorKind, posts: tuple[Post, ...]
):
    person = await signed_in(kind, *posts)
    assert (await person.post(page_of(town), **away(town))).status_code in {403, 404}
    assert await rows(admin, "SELECT 1 FROM covers") == []


async def test_below_the_pages_a_mailroom_sees_its_own_cover_and_only_operators_write_one(
    town: Town, tools: Tools, admin: AsyncEngine, signed_in: SignedIn
):
    person = await signed_in(ActorKind.OPERATOR)
    assert (await person.post(page_of(town), **away(town))).status_code == 303
    seen = text("SELECT count(*) FROM covers")
    for who, number in ((None, 0), (town.departments[1], 0), (town.departments[0], 1)):
        async with tools.engine.begin() as connection:
            if who:
                await settings.recipient(connection, who)
            assert (await connection.execute(seen)).scalar_one() == number
            changed = await connection.execute(text("UPDATE covers SET until_on = until_on + 1"))
            gone = await connection.execute(text("DELETE FROM covers"))
            assert (changed.rowcount, gone.rowcount) == (0, 0)


async def test_while_it_lasts_the_office_that_covers_has_a_copy_and_its_own_pages_stay_as_they_were(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, tools: Tools, worker: Worker, mailbox: MailCatcher
):
    case_id, (to, other) = await open_policy(town.insurers[0]), town.departments
    person = await signed_in(ActorKind.OPERATOR)
    assert (await person.post(page_of(town), **away(town))).status_code == 303
    await tell(admin, to, case_id, "service_completion", status="queued")
    smtp = SmtpSettings(LOOPBACK, mailbox.port, "notice@anze.example")
    postman = MailPostman(tools.engine, library(), smtp, tools.secret, PAGE)
    for office in (to, other):
        for mail in (await postman.compose(_asked(office, tools))).mails:
            await postman.send(Send(recipient_id=office, mail_id=mail, now=tools.now()))
    [(own,), (copy,)] = await rows(admin, "SELECT id FROM mails WHERE status = 'accepted' ORDER BY copy_of NULLS FIRST")
    assert f"/operator/mails/{own}" in (await person.get(f"/operator/mails/{copy}")).text
    assert await rows(admin, "SELECT 1 FROM matters WHERE recipient_id = :id", id=other) == []
    assert await rows(admin, "SELECT 1 FROM links WHERE recipient_id = :id", id=other) == []
    neighbour = await signed_in(ActorKind.DEPARTMENT, second=True)
    assert (await neighbour.get(f"/department/cases/{case_id}")).status_code == 404


def _asked(office: UUID, tools: Tools) -> Compose:
    return Compose(recipient_id=office, urgency=Urgency.DIGEST, now=tools.now())
