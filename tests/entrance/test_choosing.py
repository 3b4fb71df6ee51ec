"""Somebody of several organisations signs in once and chooses; each session is of one of them, and knows no other."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import Response
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from api.desk.sessions import hash_of
from api.desk.words import COOKIE, Language
from api.entrance.people import (
    ON_THE_SERVER,
    NewProvider,
    NewUser,
    Place,
    end_sessions,
    found_provider,
    let_in,
    register,
)
from api.rows import RECIPIENTS, SESSIONS, USERS
from api.tools import Tools
from models.contracts.vocabulary import ActorKind, Post, Role
from tests.api.conftest import Caller
from tests.entrance.conftest import Browser, Provider, new_user

ANN = "ann@firm.example"
TOKEN = re.compile(r'action="([^"]*)"[^>]*>\s*<input type="hidden" name="_token" value="([^"]*)"')
CHOICE = "anze-choice"


@pytest.fixture
async def ann(insurer: Caller, other: Caller, admin: AsyncEngine) -> dict[str, UUID]:
    """One address, an administrator of one insurer and an auditor of another; colleagues of each."""
    await new_user(admin, insurer.id, "jia@firm.example", Post.INSURER_HANDLER)
    await new_user(admin, other.id, "yi@firm.example", Post.INSURER_HANDLER)
    return {
        "甲": await new_user(admin, insurer.id, ANN, Post.INSURER_ADMIN),
        "乙": await new_user(admin, other.id, ANN, Post.INSURER_ADMIN, Post.INSURER_AUDITOR),
    }


def token_of(page: Response, action: str) -> str:
    """What a form of this page carries."""
    return next(token for form, token in TOKEN.findall(page.text) if form == action)


async def chosen(browser: Browser, user_id: UUID) -> Response:
    """Choose on the page that is open."""
    page = await browser.http.get("/enter/choose")
    assert page.status_code == 200, page.text
    form = {"_token": token_of(page, "/enter/choose"), "user": str(user_id)}
    return await browser.http.post("/enter/choose", data=form)


async def again(browser: Browser, room: str = "/insurer") -> Response:
    page = await browser.http.get(room)
    return await browser.http.post("/enter/again", data={"_token": token_of(page, "/enter/again")})


async def bound(admin: AsyncEngine) -> dict[UUID, str | None]:
    async with admin.connect() as connection:
        rows = await connection.execute(select(USERS.c.id, USERS.c.subject).where(USERS.c.email == ANN))
        return {row.id: row.subject for row in rows}


async def disable(admin: AsyncEngine, *users: UUID) -> None:
    async with admin.begin() as connection:
        await connection.execute(update(USERS).where(USERS.c.id.in_(users)).values(disabled_at=func.now()))


async def refusals(admin: AsyncEngine) -> list[str]:
    async with admin.connect() as connection:
        return list(
            (await connection.execute(text("SELECT said->>'why' FROM audit WHERE result = 'refused'"))).scalars()
        )


async def test_who_belongs_to_two_insurers_chooses_one_and_sees_nothing_of_the_other(
    browser: Browser, ann: dict[str, UUID], admin: AsyncEngine, other: Caller
):
    answer = await browser.sign_in("s-ann")
    assert (answer.status_code, answer.headers["location"]) == (303, "/enter/choose")
    assert browser.cookie is None, "nobody is in before the choice"
    page = await browser.http.get("/enter/choose")
    assert [
        word for word in ("甲保险公司", "乙保险公司", "机构管理员", "审计员", "保险机构") if word not in page.text
    ] == []
    assert (await browser.http.get("/insurer")).headers["location"].startswith("/enter")
    answer = await chosen(browser, ann["乙"])
    assert (answer.status_code, answer.headers["location"]) == (303, "/insurer")
    people = (await browser.http.get("/insurer/people")).text
    assert "yi@firm.example" in people
    assert [word for word in ("jia@firm.example", "甲保险公司", str(ann["甲"])) if word in people] == []
    form = {"_token": token_of(await browser.http.get("/insurer"), "/leave"), "_once": "1", "act": "disable"}
    assert (await browser.http.post(f"/insurer/people/users/{ann['甲']}", data=form)).status_code == 404
    assert await bound(admin) == {ann["甲"]: None, ann["乙"]: "s-ann"}, "the other sees nobody of its own sign in"
    async with admin.connect() as connection:
        noted = (await connection.execute(text("SELECT who_id, chain FROM audit WHERE what = 'signed_in'"))).one()
    assert (noted.who_id, noted.chain) == (str(ann["乙"]), other.id)


async def test_who_changes_the_organisation_leaves_the_first_and_stays_in_no_longer_than_the_sign_in(
    browser: Browser, ann: dict[str, UUID], admin: AsyncEngine, insurer: Caller, other: Caller
):
    await browser.sign_in("s-ann")
    await chosen(browser, ann["甲"])
    first = browser.cookie or ""
    answer = await again(browser)
    assert (answer.headers["location"], browser.cookie) == ("/enter/choose", None)
    assert (await chosen(browser, ann["乙"])).headers["location"] == "/insurer"
    second = browser.cookie or ""
    assert "乙保险公司" in (await browser.http.get("/insurer")).text
    browser.http.cookies.set("anze", first, domain="anze.test", path="/")
    assert (await browser.http.get("/insurer")).status_code == 303, "the first session is over"
    async with admin.connect() as connection:
        rows = (await connection.execute(select(*SESSIONS.c["token_hash", "expires_at", "revoked_at"]))).all()
        noted = await connection.execute(
            text("SELECT what, who_id, chain, said FROM audit WHERE what LIKE 'signed_%' ORDER BY at")
        )
        told = [tuple(row) for row in noted]
    ends = {row.token_hash: row.expires_at for row in rows}
    assert ends[hash_of(first)] == ends[hash_of(second)]
    assert {row.token_hash for row in rows if row.revoked_at is None} == {hash_of(second)}
    assert told == [
        ("signed_in", str(ann["甲"]), insurer.id, {"came_by": "oidc"}),
        ("signed_out", str(ann["甲"]), insurer.id, {}),
        ("signed_in", str(ann["乙"]), other.id, {"came_by": "oidc"}),
    ], "as of somebody who belongs to one: an insurer reads its trail"


async def test_who_belongs_to_one_organisation_is_in_at_once_and_has_nothing_to_change(
    browser: Browser, insurer: Caller, admin: AsyncEngine
):
    await new_user(admin, insurer.id, ANN, Post.INSURER_HANDLER)
    assert (await browser.sign_in("s-ann")).headers["location"] == "/insurer"
    page = await browser.http.get("/insurer")
    assert "/enter/again" not in page.text
    cookie, form = browser.cookie, {"_token": token_of(page, "/leave")}
    assert (await browser.http.post("/enter/again", data=form)).headers["location"] == "/insurer"
    assert browser.cookie == cookie
    assert (await browser.http.get("/insurer")).status_code == 200
    assert (await browser.http.get("/enter/choose")).headers["location"] == "/enter"


async def test_a_choice_begins_one_session_whoever_sends_it_again(
    browser: Browser, ann: dict[str, UUID], admin: AsyncEngine
):
    await browser.sign_in("s-ann")
    page, kept = await browser.http.get("/enter/choose"), browser.http.cookies.get(CHOICE) or ""
    await chosen(browser, ann["甲"])
    assert browser.http.cookies.get(CHOICE) is None
    browser.http.cookies.clear()
    browser.http.cookies.set(CHOICE, kept, domain="anze.test", path="/")
    form = {"_token": token_of(page, "/enter/choose"), "user": str(ann["乙"])}
    answer = await browser.http.post("/enter/choose", data=form)
    assert (answer.status_code, browser.cookie) == (400, None)
    assert (await refusals(admin), (await bound(admin))[ann["乙"]]) == (["not_from_here"], None)


async def test_a_choice_sent_twice_at_the_same_moment_begins_one_session_of_one_organisation(
    browser: Browser, ann: dict[str, UUID], admin: AsyncEngine
):
    await browser.sign_in("s-ann")
    token = token_of(await browser.http.get("/enter/choose"), "/enter/choose")
    sent = (browser.http.post("/enter/choose", data={"_token": token, "user": str(one)}) for one in ann.values())
    answers = await asyncio.gather(*sent)
    assert sorted(one.status_code for one in answers) == [303, 400]
    assert sorted((await bound(admin)).values(), key=str) == [None, "s-ann"]
    async with admin.connect() as connection:
        assert (await connection.execute(select(func.count()).select_from(SESSIONS))).scalar_one() == 1


async def test_a_choice_waits_ten_minutes_and_never_longer_than_the_sign_in(
    browser: Browser, app: FastAPI, tools: Tools, ann: dict[str, UUID]
):
    await browser.sign_in("s-ann")
    page = await browser.http.get("/enter/choose")
    form = {"_token": token_of(page, "/enter/choose"), "user": str(ann["甲"])}
    app.state.tools = replace(tools, now=lambda: datetime.now(UTC) + timedelta(minutes=11))
    assert (await browser.http.get("/enter/choose")).headers["location"] == "/enter"
    answer = await browser.http.post("/enter/choose", data=form)
    assert (answer.status_code, browser.cookie) == (400, None)
    assert "从头再来一次" in answer.text
    app.state.tools = tools
    await browser.sign_in("s-ann")
    await chosen(browser, ann["甲"])
    async with tools.engine.begin() as connection:
        await connection.execute(
            text("SELECT set_config('anze.session', :one, true)"), {"one": hash_of(browser.cookie or "")}
        )
        soon = update(SESSIONS).values(expires_at=datetime.now(UTC) + timedelta(minutes=5))
        assert (await connection.execute(soon)).rowcount == 1
    await again(browser)
    app.state.tools = replace(tools, now=lambda: datetime.now(UTC) + timedelta(minutes=6))
    assert (await browser.http.get("/enter/choose")).headers["location"] == "/enter"


@pytest.mark.parametrize("forged", ["no token", "another choosing's", "another site", "nobody's user", "a colleague"])
async def test_a_choice_nobody_made_on_the_page_lets_nobody_in(
    browser: Browser, ann: dict[str, UUID], insurer: Caller, admin: AsyncEngine, forged: str
):
    await browser.sign_in("s-ann")
    before = token_of(await browser.http.get("/enter/choose"), "/enter/choose")
    form, headers, status = {"_token": before, "user": str(ann["甲"])}, {}, 403
    if forged == "no token":
        form.pop("_token")
    elif forged == "another choosing's":
        await browser.sign_in("s-ann")
    elif forged == "another site":
        headers = {"Sec-Fetch-Site": "cross-site"}
    else:
        colleague = await new_user(admin, insurer.id, "x@firm.example", Post.INSURER_ADMIN)
        form["user"], status = (str(colleague) if forged == "a colleague" else "x" * 99), 409
    answer = await browser.http.post("/enter/choose", data=form, headers=headers)
    assert (answer.status_code, browser.cookie) == (status, None)
    assert set((await bound(admin)).values()) == {None}


async def test_a_disabled_membership_is_not_offered_and_leaves_the_others_as_they_are(
    browser: Browser, ann: dict[str, UUID], admin: AsyncEngine
):
    await browser.sign_in("s-ann")
    await chosen(browser, ann["甲"])
    await disable(admin, ann["乙"])
    assert (await browser.http.get("/insurer")).status_code == 200
    await again(browser)
    page = await browser.http.get("/enter/choose")
    assert ("甲保险公司" in page.text, "乙保险公司" in page.text) == (True, False)
    answer = await chosen(browser, ann["乙"])
    assert (answer.status_code, browser.cookie) == (409, None)
    assert "请另选一家" in answer.text
    assert (await chosen(browser, ann["甲"])).headers["location"] == "/insurer"
    assert (await browser.sign_in("s-ann")).headers["location"] == "/insurer", "one is left: nothing to choose"
    await disable(admin, ann["甲"])
    assert (await browser.http.get("/insurer")).status_code == 303
    answer = await browser.sign_in("s-ann")
    assert (answer.status_code, "已停用" in answer.text) == (403, True)


@pytest.mark.parametrize("how", ["ended", "disabled and let in again"])
async def test_whose_sessions_were_ended_meanwhile_wants_a_sign_in_of_its_own(
    browser: Browser, ann: dict[str, UUID], admin: AsyncEngine, how: str
):
    """Whoever stands on the page of choosing has no session that could be ended."""
    await browser.sign_in("s-ann")
    page = await browser.http.get("/enter/choose")
    async with admin.begin() as connection:
        row = (await connection.execute(select(USERS).where(USERS.c.id == ann["乙"]))).one()
        if how == "ended":
            await end_sessions(connection, row, ON_THE_SERVER)
        else:
            await let_in(connection, row, ON_THE_SERVER, again=False)
            await let_in(connection, row, ON_THE_SERVER, again=True)
    assert (await chosen(browser, ann["甲"])).headers["location"] == "/insurer", "the other is not touched"
    await again(browser)
    assert "进这一家要重新登录" not in page.text
    assert "进这一家要重新登录" in (await browser.http.get("/enter/choose")).text
    answer = await chosen(browser, ann["乙"])
    assert (answer.status_code, browser.cookie, "需要重新登录" in answer.text) == (403, None, True)
    assert (await refusals(admin), (await bound(admin))[ann["乙"]]) == (["too_long_ago"], None)
    await browser.sign_in("s-ann")
    assert (await chosen(browser, ann["乙"])).headers["location"] == "/insurer"


async def test_the_operators_are_entered_within_ten_minutes_of_the_providers_word(
    browser: Browser, app: FastAPI, tools: Tools, insurer: Caller, admin: AsyncEngine
):
    """They see the cases of every insurer: a browser left alone for hours does not lead there."""
    handler = await new_user(admin, insurer.id, ANN, Post.INSURER_HANDLER)
    async with admin.begin() as connection:
        new = NewUser(name="安", email=ANN)
        operator = await register(connection, Place(ActorKind.OPERATOR), new, (Post.OPERATOR,))
    await browser.sign_in("s-ann")
    await chosen(browser, handler)
    app.state.tools = replace(tools, now=lambda: datetime.now(UTC) + timedelta(minutes=11))
    await again(browser)
    assert "进这一家要重新登录" in (await browser.http.get("/enter/choose")).text
    answer = await chosen(browser, operator)
    assert (answer.status_code, browser.cookie) == (403, None)
    app.state.tools = tools
    await browser.sign_in("s-ann", "/operator/people")
    assert (await chosen(browser, handler)).headers["location"] == "/insurer"
    await again(browser)
    assert (await chosen(browser, operator)).headers["location"] == "/operator"


async def test_whoever_is_given_the_address_later_enters_what_nobody_entered_and_nothing_else(
    browser: Browser, provider: Provider, ann: dict[str, UUID], admin: AsyncEngine
):
    await browser.sign_in("s-ann")
    await chosen(browser, ann["甲"])
    provider.claims = {"sub": "s-heir"}
    assert (await browser.sign_in("s-ann")).headers["location"] == "/insurer"
    assert "乙保险公司" in (await browser.http.get("/insurer")).text
    assert await bound(admin) == {ann["甲"]: "s-ann", ann["乙"]: "s-heir"}
    provider.claims = {}
    await browser.sign_in("s-ann")
    assert "甲保险公司" in (await browser.http.get("/insurer")).text
    provider.claims = {"sub": "s-third"}
    assert (await browser.sign_in("s-ann")).status_code == 403
    assert (await refusals(admin))[-1] == "unknown"


async def test_one_identity_is_one_user_of_an_insurer_though_it_has_registered_two_addresses(
    browser: Browser, provider: Provider, insurer: Caller, admin: AsyncEngine
):
    """A payment wants two people: one person with two users would be both of them."""
    first = await new_user(admin, insurer.id, ANN, Post.INSURER_ADMIN)
    await new_user(admin, insurer.id, "married@firm.example", Post.INSURER_HANDLER)
    await browser.sign_in("s-ann")
    provider.claims = {"email": "married@firm.example"}
    for status, disabled in ((303, False), (403, True)):
        if disabled:
            await disable(admin, first)
        assert (await browser.sign_in("s-ann")).status_code == status
    async with admin.connect() as connection:
        rows = await connection.execute(select(USERS.c.id).where(USERS.c.subject == "s-ann"))
        assert rows.scalars().all() == [first]


async def test_an_assessor_an_officer_and_an_operator_are_told_apart_in_both_languages(
    browser: Browser, insurer: Caller, other: Caller, admin: AsyncEngine
):
    code, office = "91340100MA2TAN0K6J", UUID(int=7)
    async with admin.begin() as connection:
        row = {"id": office, "role": Role.EMERGENCY, "region": "341300", "department": "应急管理局"}
        row |= {"name": "宿州市应急管理局", "email": "a@b.example"}
        await connection.execute(RECIPIENTS.insert().values(row))
        places = [Place(ActorKind.DEPARTMENT, recipient_id=office), Place(ActorKind.OPERATOR)]
        for one in (insurer, other):
            new = NewProvider(name="皖安技术", credit_code=code, email="a@provider.example")
            known = await found_provider(connection, one.id, new)
            places.append(Place(ActorKind.PROVIDER, one.id, provider_id=known))
        users = [await register(connection, one, NewUser(name="安", email=ANN), tuple(Post)) for one in places]
    await browser.sign_in("s-ann", "/provider?x=1")
    page = (await browser.http.get("/enter/choose")).text
    words = ("皖安技术", "甲保险公司", "乙保险公司", "宿州市应急管理局", "平台运营")
    assert [page.count(word) for word in words] == [2, 1, 1, 1, 1]
    browser.http.cookies.set(COOKIE, Language.ENGLISH.value, domain="anze.test", path="/")
    english = (await browser.http.get("/enter/choose")).text
    assert "Choose an organisation" in english
    assert re.search("[\u4e00-\u9fff]", re.sub(r'<(\w+)[^>]*lang="zh-CN"[^>]*>[^<]*</\1>', "", english)) is None
    assert (await chosen(browser, users[2])).headers["location"] == "/provider?x=1"
    await again(browser, "/provider")
    assert (await chosen(browser, users[0])).headers["location"] == "/department"
