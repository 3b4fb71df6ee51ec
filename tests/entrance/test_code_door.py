"""Coming in by a mailed code: enterprises and departments, and what strangers cannot learn or break."""

import asyncio
import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from api.entrance import code_doors
from api.entrance.codes import TRIES
from api.entrance.links import ANSWERS_AFTER
from api.rows import ASKED_LETTERS, RECIPIENTS, SESSIONS
from api.tools import Tools
from domain.codes import code_of
from models.contracts.vocabulary import ActorKind, CameBy
from tests.alike import steady
from tests.api.conftest import app, tools
from tests.desk.conftest import CREDIT_CODE, OTHER_CODE, PAGE, SignedIn, Town

__all__ = ["app", "tools"]
NOBODYS_CODE = "91350200MA31XYX992"


def firm(town: Town, credit_code: str = CREDIT_CODE) -> dict[str, str]:
    return {"who": "enterprise", "insurer": town.insurers[0].code, "credit_code": credit_code}


async def newest(admin: AsyncEngine) -> UUID:
    async with admin.connect() as connection:
        found = select(ASKED_LETTERS.c.id).order_by(ASKED_LETTERS.c.asked_at.desc()).limit(1)
        return (await connection.execute(found)).scalar_one()


async def mailed_code(tools: Tools, admin: AsyncEngine) -> str:
    return code_of(tools.secret, await newest(admin))


async def ask(stranger: AsyncClient, form: dict[str, str]) -> Response:
    answer = await stranger.post("/enter/code", data=form)
    assert answer.status_code == 303, answer.text
    return await stranger.get(answer.headers["location"])


async def test_an_enterprise_comes_in_by_the_code_mailed_to_its_registered_address(
    stranger: AsyncClient, town: Town, tools: Tools, admin: AsyncEngine
):
    assert "甲保险公司" in (await stranger.get("/enter/code")).text
    await ask(stranger, firm(town) | {"credit_code": f" {CREDIT_CODE.lower()} ", "next": "/enterprise/history"})
    answer = await stranger.post("/enter/code/check", data={"code": await mailed_code(tools, admin)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/enterprise/history")
    async with admin.connect() as connection:
        session = (await connection.execute(select(SESSIONS))).one()
        signed_in = text("SELECT who_id FROM audit WHERE what = 'signed_in'")
        assert (await connection.execute(signed_in)).scalars().all() == [str(town.enterprises[0])]
    assert (session.recipient_id, session.came_by) == (town.enterprises[0], CameBy.CODE)
    assert (await stranger.get("/")).headers["location"] == "/enterprise"
    again = await stranger.post("/enter/code/check", data={"code": await mailed_code(tools, admin)})
    assert again.headers["location"] == "/enter/code", "the slip is gone with the code"


async def test_a_department_without_an_account_comes_in_by_a_code(
    stranger: AsyncClient, town: Town, tools: Tools, admin: AsyncEngine
):
    assert "宿州市应急管理局" in (await stranger.get("/enter/code")).text
    await ask(stranger, {"who": "department", "department": str(town.departments[0])})
    answer = await stranger.post("/enter/code/check", data={"code": await mailed_code(tools, admin)})
    assert answer.headers["location"] == "/department"


@pytest.mark.parametrize("who", ["enterprise", "insurer", "department"])
async def test_nobody_learns_who_is_registered(stranger: AsyncClient, town: Town, app: FastAPI, who: str):
    """Same status, same page, same time, same length of the cookie; and the same again for a wrong code."""
    unknown = {
        "enterprise": firm(town, NOBODYS_CODE),
        "insurer": firm(town) | {"insurer": "nobody"},
        "department": {"who": "department", "department": str(uuid4())},
    }[who]
    known = {"who": "department", "department": str(town.departments[0])} if who == "department" else firm(town)
    seen: list[tuple[object, ...]] = []
    for form in (known, unknown):
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        async with AsyncClient(transport=ASGITransport(app), base_url=PAGE, headers=headers) as browser:
            started = asyncio.get_running_loop().time()
            sent = await browser.post("/enter/code", data=form)
            took = asyncio.get_running_loop().time() - started
            page = await browser.get(sent.headers["location"])
            wrong = await browser.post("/enter/code/check", data={"code": "000000"})
        assert took >= ANSWERS_AFTER
        seen.append((sent.status_code, sent.text, page.status_code, steady(page.text), wrong.status_code,
                     steady(wrong.text)))  # fmt: skip
    assert seen[0] == seen[1]
    assert seen[0][4] == 422
    assert "登记的邮箱" in str(seen[0][3])
    assert "@" not in str(seen[0][3]), "the address itself is not shown"


async def test_an_enterprise_of_another_insurer_is_another(stranger: AsyncClient, town: Town, admin: AsyncEngine):
    await ask(stranger, firm(town) | {"insurer": town.insurers[1].code})
    async with admin.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM asked_letters"))).scalar_one() == 0


async def test_twenty_guesses_at_once_are_five_tries(
    stranger: AsyncClient, town: Town, tools: Tools, admin: AsyncEngine
):
    await ask(stranger, firm(town))
    code = await mailed_code(tools, admin)
    wrong = str((int(code) + 1) % 10**6).zfill(6)
    guesses = (stranger.post("/enter/code/check", data={"code": wrong}) for _ in range(20))
    assert {one.status_code for one in await asyncio.gather(*guesses)} == {422}
    assert (await stranger.post("/enter/code/check", data={"code": code})).status_code == 422
    async with admin.connect() as connection:
        assert (await connection.execute(select(ASKED_LETTERS.c.tries))).scalar_one() == TRIES
        assert (await connection.execute(text("SELECT count(*) FROM sessions"))).scalar_one() == 0


async def test_the_code_of_one_enterprise_opens_nothing_of_another(
    stranger: AsyncClient, town: Town, tools: Tools, admin: AsyncEngine
):
    await ask(stranger, firm(town, OTHER_CODE))
    theirs = await mailed_code(tools, admin)
    await ask(stranger, firm(town))
    assert (await stranger.post("/enter/code/check", data={"code": theirs})).status_code == 422


async def test_whoever_asks_too_often_from_one_place_waits(stranger: AsyncClient, town: Town, app: FastAPI):
    answers = [await stranger.post("/enter/code/check", data={"code": "1"}) for _ in range(40)]
    limited = [one for one in answers if one.status_code == 429]
    assert 0 < len(limited) < 20
    assert int(limited[0].headers["retry-after"]) >= 1


async def test_a_slip_that_was_changed_is_none(stranger: AsyncClient, town: Town):
    await ask(stranger, firm(town))
    [name] = [one.name for one in stranger.cookies.jar]
    value = stranger.cookies.get(name) or ""
    for forged in (value[:-4], "A" + value[1:], "", "%%%", "AAAA"):
        stranger.cookies.set(name, forged, domain="anze.test")
        answer = await stranger.get("/enter/code/check")
        assert answer.headers["location"] == "/enter/code", forged


@pytest.mark.parametrize(
    "form",
    [{}, {"who": "enterprise"}, {"who": "enterprise", "insurer": "x", "credit_code": "123"}, {"who": "department"},
     {"who": "department", "department": "x"}, {"who": "operator"}],
)  # fmt: skip
async def test_what_cannot_be_anybody_is_told_beside_its_field(stranger: AsyncClient, town: Town, form: dict[str, str]):
    assert (await stranger.post("/enter/code", data=form)).status_code == 422


async def test_each_error_stands_at_its_own_field_and_what_was_chosen_stays(
    stranger: AsyncClient, town: Town, monkeypatch: pytest.MonkeyPatch
):
    def wrong(page: Response) -> set[str]:
        return set(re.findall(r'<(?:select|input) id="(\w+)"[^>]*aria-invalid="true"', page.text))

    whole = firm(town)
    for lacking, fields in (
        ({"insurer": ""}, {"insurer"}),
        ({"credit_code": "123"}, {"credit_code"}),
        ({"insurer": "", "credit_code": "123"}, {"insurer", "credit_code"}),
    ):
        answer = await stranger.post("/enter/code", data=whole | lacking)
        assert (answer.status_code, wrong(answer)) == (422, fields)
        assert ("insurer" in lacking) != (f'value="{whole["insurer"]}" selected' in answer.text)
        assert f'value="{(whole | lacking)["credit_code"]}"' in answer.text
    monkeypatch.setattr(code_doors, "MOST_SHOWN", 1)
    shown = (await stranger.get("/enter/code?place=34")).text
    assert "宿州市应急管理局" in shown
    assert '<input type="hidden" name="place" value="34">' in shown
    nobody = await stranger.post("/enter/code", data={"who": "department", "department": "", "place": "34"})
    assert (nobody.status_code, wrong(nobody)) == (422, {"department"})
    assert '<option value="34" selected>' in nobody.text
    assert "宿州市应急管理局" in nobody.text, "the list of the chosen province is still there"


async def test_another_sites_form_is_refused(stranger: AsyncClient, town: Town, admin: AsyncEngine):
    for path in ("/enter/code", "/enter/code/check", "/leave"):
        answer = await stranger.post(path, data=firm(town), headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403, path


async def test_a_contact_whose_address_was_taken_away_is_nobody_with_the_next_request(
    signed_in: SignedIn, admin: AsyncEngine, town: Town
):
    person = await signed_in(ActorKind.ENTERPRISE)
    assert (await person.get("/")).status_code == 303
    async with admin.begin() as connection:
        await connection.execute(update(RECIPIENTS).where(RECIPIENTS.c.id == town.enterprises[0]).values(email=""))
    assert (await person.get("/")).status_code == 200


@pytest.mark.parametrize("kind", [ActorKind.INSURER, ActorKind.ENTERPRISE, ActorKind.DEPARTMENT, ActorKind.OPERATOR])
async def test_leaving_ends_the_session_for_every_browser_that_has_its_cookie(
    signed_in: SignedIn, admin: AsyncEngine, kind: ActorKind
):
    person = await signed_in(kind)
    answer = await person.post("/leave")
    assert answer.headers["location"] == "/enter?left=true"
    assert answer.headers["clear-site-data"] == '"storage"', "drafts are not left to the next person"
    assert "您已退出" in (await person.get("/enter?left=true")).text
    person.http.cookies.set("anze", person.token, domain="anze.test")
    assert (await person.get("/")).status_code == 200
    async with admin.connect() as connection:
        assert (await connection.execute(select(SESSIONS.c.revoked_at))).scalar_one() <= datetime.now(UTC)
        noted = await connection.execute(text("SELECT who_kind FROM audit WHERE what = 'signed_out'"))
        assert noted.scalar_one() == kind


async def test_nobody_is_signed_out_by_a_form_without_the_sessions_token(signed_in: SignedIn):
    person = await signed_in(ActorKind.INSURER)
    assert (await person.http.post("/leave", data={"_token": "wrong"})).status_code == 403
    assert (await person.get("/leave")).status_code in (404, 405)
    assert (await person.get("/")).status_code == 303
