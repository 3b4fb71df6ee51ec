"""Users and keys on the pages and on the command line: who may, what is shown once, what is nobody else's business."""

import asyncio
import json
import re
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from api.entrance.people import NewProvider, NewUser, Place, Taken, found_provider, register
from api.rows import API_KEYS, INSURERS, USERS
from models.contracts.vocabulary import ActorKind, Post
from runtime.commands.people import app as people_app
from runtime.settings import Settings
from tests.api.conftest import Caller, app, tools
from tests.desk.conftest import Person, SignedIn, Town

__all__ = ["app", "tools"]
TOKEN = re.compile(r"anze_[0-9a-f]{8}_[A-Za-z0-9_-]{43}")


@pytest.fixture
async def boss(signed_in: SignedIn) -> Person:
    return await signed_in(ActorKind.INSURER, Post.INSURER_ADMIN)


@pytest.fixture
async def operator(signed_in: SignedIn) -> Person:
    return await signed_in(ActorKind.OPERATOR)


async def user(admin: AsyncEngine, email: str) -> Any:
    async with admin.connect() as connection:
        return (await connection.execute(select(USERS).where(USERS.c.email == email))).one_or_none()


async def test_an_administrator_registers_changes_and_disables_people_of_its_own_insurer(
    boss: Person, admin: AsyncEngine, insurer: Caller
):
    posts = ["insurer_handler", "operator", "department_officer"]
    answer = await boss.post("/insurer/people", name="新经办", email="New@Firm.Example", posts=posts)
    assert answer.status_code == 303
    assert "已登记。" in (await boss.get(answer.headers["location"])).text
    new = await user(admin, "new@firm.example")
    assert (new.insurer_id, new.kind, new.posts) == (insurer.id, ActorKind.INSURER, ["insurer_handler"])
    page = (await boss.get("/insurer/people")).text
    assert "新经办" in page
    assert "还没有登录过" in page
    address = f"/insurer/people/users/{new.id}"
    await boss.post(address, act="posts", posts=["insurer_auditor", "insurer_admin"])
    assert (await user(admin, new.email)).posts == ["insurer_admin", "insurer_auditor"]
    await boss.post(address, act="disable")
    assert (await user(admin, new.email)).disabled_at is not None
    await boss.post(address, act="enable")
    assert (await user(admin, new.email)).disabled_at is None
    async with admin.connect() as connection:
        rows = await connection.execute(text("SELECT said::text, chain FROM audit WHERE what = 'setting_changed'"))
        noted = rows.all()
    assert [row.chain for row in noted] == [insurer.id] * 4
    assert not any("firm.example" in row.said or "新经办" in row.said for row in noted)


async def test_what_is_typed_wrong_is_told_beside_its_field_and_kept(boss: Person):
    answer = await boss.post("/insurer/people", name="", email="not-an-address")
    assert answer.status_code == 422
    assert 'aria-describedby="email-error"' in answer.text
    assert "not-an-address" in answer.text


async def test_an_address_of_another_insurer_is_registered_like_one_nobody_has(
    boss: Person, admin: AsyncEngine, signed_in: SignedIn
):
    """Nothing tells that it is known elsewhere, not even that somebody has signed in with it."""
    theirs, said = await signed_in(ActorKind.INSURER, second=True), set[tuple[int, str]]()
    known = update(USERS).where(USERS.c.id == theirs.user_id).values(issuer="https://id.example", subject="s-theirs")
    async with admin.begin() as connection:
        taken = (await connection.execute(known.returning(USERS.c.email))).scalar_one()
    for email in (taken, "nobody@people.example"):
        answer = await boss.post("/insurer/people", name="某人", email=email, posts=["insurer_handler"])
        page = (await boss.get("/insurer/people")).text
        said.add(
            (answer.status_code, re.findall(rf"{email}.*?还没有登录过|{email}.*?已登录过", page, re.DOTALL)[0][-6:])
        )
        assert "乙保险公司" not in page
    assert {one[0] for one in said} == {303}
    assert len(said) == 1
    answer = await boss.post("/insurer/people", name="某人", email=taken.upper(), posts=["insurer_handler"])
    assert answer.status_code == 409
    assert "在本机构已经登记过" in answer.text


async def test_an_address_is_registered_once_in_each_organisation(
    admin: AsyncEngine, insurer: Caller, other: Caller, town: Town
):
    """The operators are an organisation too, though nothing names it."""
    one = NewUser(name="安", email="an@people.example")
    places = [Place(ActorKind.INSURER, insurer.id), Place(ActorKind.INSURER, other.id), Place(ActorKind.OPERATOR)]
    places += [Place(ActorKind.DEPARTMENT, recipient_id=office) for office in town.departments]
    async with admin.begin() as connection:
        for place in places:
            await register(connection, place, one, ())
        for place in places:
            with pytest.raises(Taken):
                await register(connection, place, one, ())


@pytest.mark.parametrize("post", [Post.INSURER_HANDLER, Post.INSURER_AUDITOR])
async def test_only_administrators_manage_people_and_keys(signed_in: SignedIn, admin: AsyncEngine, post: Post):
    person = await signed_in(ActorKind.INSURER, post)
    assert (await person.get("/insurer/people")).status_code == 403
    for path in ("/insurer/people", "/insurer/people/keys", f"/insurer/people/users/{person.user_id}"):
        assert (await person.post(path, name="x", email="x@y.example", act="disable", days="30")).status_code == 403
    assert await user(admin, "x@y.example") is None


async def test_people_and_keys_of_another_insurer_are_not_there(
    boss: Person, signed_in: SignedIn, admin: AsyncEngine, town: Town
):
    theirs = await signed_in(ActorKind.INSURER, Post.INSURER_ADMIN, second=True)
    async with admin.connect() as connection:
        found = select(API_KEYS.c.id).where(API_KEYS.c.insurer_id == town.insurers[1].id)
        key_id = (await connection.execute(found)).scalar_one()
    for path in (f"/insurer/people/users/{theirs.user_id}", f"/insurer/people/keys/{key_id}"):
        for act in ("disable", "revoke"):
            assert (await boss.post(path, act=act)).status_code == 404
    assert town.insurers[1].token.split("_")[1] not in (await boss.get("/insurer/people")).text
    assert (await theirs.get("/")).headers["location"] == "/insurer"


async def test_nobody_shuts_out_himself(boss: Person, operator: Person):
    for person, room in ((boss, "insurer"), (operator, "operator")):
        answer = await person.post(f"/{room}/people/users/{person.user_id}", act="disable")
        assert answer.status_code == 403
        assert (await person.get(f"/{room}/people")).status_code == 200


async def test_a_key_is_shown_once_and_made_once_however_often_the_form_is_sent(
    boss: Person, insurer: Caller, admin: AsyncEngine
):
    form = {"name": "核心系统二", "days": "90", "scopes": ["victims:read"]}
    answer = await boss.post("/insurer/people/keys", once="one", **form)
    [token] = set(TOKEN.findall(answer.text))
    assert (await Caller(insurer.http, token, insurer.id).get("/v1/me")).json()["code"] == insurer.code
    again = await boss.post("/insurer/people/keys", once="one", **form)
    assert again.status_code == 303
    page = await boss.get("/insurer/people")
    assert token not in page.text
    assert token.split("_")[1] in page.text
    async with admin.connect() as connection:
        row = (await connection.execute(select(API_KEYS).where(API_KEYS.c.name == "核心系统二"))).one()
    assert row.scopes == ["victims:read"]
    assert 89 <= (row.expires_at - row.created_at).days <= 90


async def test_a_key_is_rotated_with_an_overlap_and_revoked_at_once(boss: Person, insurer: Caller, admin: AsyncEngine):
    async with admin.connect() as connection:
        found = select(API_KEYS).where(API_KEYS.c.insurer_id == insurer.id)
        old = (await connection.execute(found)).one()
    answer = await boss.post(f"/insurer/people/keys/{old.id}", act="rotate", overlap="7")
    [token] = set(TOKEN.findall(answer.text))
    successor = Caller(insurer.http, token, insurer.id)
    for caller in (insurer, successor):
        assert (await caller.get("/v1/me")).status_code == 200
    await boss.post(f"/insurer/people/keys/{old.id}", act="revoke")
    assert (await insurer.get("/v1/me")).status_code == 401
    assert (await successor.get("/v1/me")).status_code == 200
    assert (await boss.post(f"/insurer/people/keys/{old.id}", act="rotate", overlap="7")).status_code == 404


async def test_a_key_made_on_the_page_always_ends(boss: Person, admin: AsyncEngine):
    for days in ("", "0", "99999"):
        assert (await boss.post("/insurer/people/keys", name="x", days=days)).status_code == 422
    async with admin.connect() as connection:
        assert (await connection.execute(select(API_KEYS).where(API_KEYS.c.name == "x"))).one_or_none() is None


async def test_a_form_that_is_refused_keeps_what_was_typed_ticked_and_chosen(
    boss: Person, operator: Person, town: Town, admin: AsyncEngine
):
    """Sent again as it stands it makes what was asked for: an auditor with a misspelt address is no handler."""
    asked: dict[str, Any] = {"name": "新审计", "email": "no address", "posts": ["insurer_auditor"]}
    answer = await boss.post("/insurer/people", **asked)
    assert (answer.status_code, chosen(answer.text)) == (422, {"new-insurer_auditor"})
    assert 'value="新审计"' in answer.text
    asked["posts"] = []
    assert chosen((await boss.post("/insurer/people", **asked)).text) == set()
    key: dict[str, Any] = {"name": "", "days": "90", "scopes": ["payments:confirm"]}
    answer = await boss.post("/insurer/people/keys", **key)
    assert (answer.status_code, chosen(answer.text)) == (422, {"new-insurer_handler", "scope-2", "90"})
    answer = await boss.post("/insurer/people/keys", **(key | {"name": "核心系统三", "days": "99999"}))
    assert "请从这些天数中选择：30、90、180、365" in answer.text
    assert 'value="核心系统三"' in answer.text
    assert "scope-2" in chosen(answer.text)
    place = f"department:{town.departments[1]}"
    answer = await operator.post("/operator/people", place=place, name="科员", email="no address")
    assert (answer.status_code, chosen(answer.text)) == (422, {place})
    assert 'value="科员"' in answer.text


def chosen(page: str) -> set[str]:
    """What is ticked or chosen in forms that make something new."""
    ticked = re.findall(r'<input type="checkbox" id="((?:new|scope)-[^"]*)"[^>]* checked', page)
    return {*ticked, *re.findall(r'<option value="([^"]{2,})" selected', page)} - {"180"}


async def test_an_operator_founds_an_insurer_whose_administrator_does_the_rest(operator: Person, admin: AsyncEngine):
    form = {"code": "XB", "insurer": "新保险", "desk": "desk@xb.example", "name": "管理员", "email": "boss@xb.example"}
    assert (await operator.post("/operator/people/insurers", **form)).status_code == 303
    boss = await user(admin, "boss@xb.example")
    assert boss.posts == ["insurer_admin"]
    assert (await operator.post("/operator/people/insurers", **form)).status_code == 409
    assert (await operator.post("/operator/people/insurers", **(form | {"code": "YB"}))).status_code == 303
    async with admin.connect() as connection:
        of = select(INSURERS.c.code).join(USERS, USERS.c.insurer_id == INSURERS.c.id)
        codes = (await connection.execute(of.where(USERS.c.email == boss.email))).scalars().all()
    assert sorted(codes) == ["XB", "YB"], "one person may run two insurers, and founds neither twice"


async def test_an_operator_registers_officers_and_ends_sessions(
    operator: Person, signed_in: SignedIn, admin: AsyncEngine, town: Town
):
    place = f"department:{town.departments[0]}"
    answer = await operator.post("/operator/people", place=place, name="科员", email="officer@gov.example")
    assert answer.status_code == 303
    officer = await user(admin, "officer@gov.example")
    assert (officer.recipient_id, officer.posts) == (town.departments[0], ["department_officer"])
    assert (
        await operator.post("/operator/people", place="insurer:x", name="a", email="b@c.example")
    ).status_code == 422
    handler = await signed_in(ActorKind.INSURER)
    found = await operator.get("/operator/people", params={"text": "甲保险", "kind": "insurer"})
    assert str(handler.user_id) in found.text
    assert "officer@gov.example" not in found.text
    await operator.post(f"/operator/people/users/{handler.user_id}", act="end_sessions")
    assert (await handler.get("/")).status_code == 200, "nobody is signed in any more"


@pytest.mark.parametrize("by", ["boss", "operator"])
async def test_disabling_somebody_ends_every_session_for_good(
    boss: Person, operator: Person, signed_in: SignedIn, admin: AsyncEngine, by: str
):
    room, person = ("insurer", boss) if by == "boss" else ("operator", operator)
    handler, bystander = await signed_in(ActorKind.INSURER), await signed_in(ActorKind.INSURER)
    for act in ("disable", "enable"):
        answer = await person.post(f"/{room}/people/users/{handler.user_id}", act=act)
        assert answer.status_code == 303
    assert (await handler.get("/insurer")).status_code == 303, "the old cookie opens nothing any more"
    assert (await bystander.get("/insurer")).status_code == 200
    async with admin.connect() as connection:
        noted = await connection.execute(text("SELECT said FROM audit WHERE what = 'setting_changed' ORDER BY number"))
        assert [row.said for row in noted] == [{"disabled": True, "sessions_ended": 1}, {"disabled": False}]


async def test_what_is_put_on_record_locks_the_chain_last(
    operator: Person, signed_in: SignedIn, admin: AsyncEngine, monkeypatch: pytest.MonkeyPatch
):
    """A session that is locked elsewhere must not be waited for while everybody waits for the chain."""
    handler = await signed_in(ActorKind.INSURER)
    await operator.post(f"/operator/people/users/{handler.user_id}", act="enable")  # the chain has begun
    async with admin.begin() as held, admin.connect() as looking:
        await held.execute(text("SELECT 1 FROM sessions WHERE user_id = :id FOR UPDATE"), {"id": handler.user_id})
        disabling = asyncio.create_task(operator.post(f"/operator/people/users/{handler.user_id}", act="disable"))
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        while not (await looking.execute(waiting)).scalar_one():
            await asyncio.sleep(0.01)
            await looking.rollback()
        await looking.execute(text("SELECT 1 FROM audit_heads FOR UPDATE NOWAIT"))
        await looking.rollback()
    assert (await disabling).status_code == 303


async def test_days_that_were_not_offered_are_refused_in_words(boss: Person, insurer: Caller, admin: AsyncEngine):
    async with admin.connect() as connection:
        key_id = (
            await connection.execute(select(API_KEYS.c.id).where(API_KEYS.c.insurer_id == insurer.id))
        ).scalar_one()
    for overlap in ("", "99999", "x"):
        answer = await boss.post(f"/insurer/people/keys/{key_id}", act="rotate", overlap=overlap)
        assert answer.status_code == 422
        assert "请从这些天数中选择：0、1、7、30" in answer.text
    assert (await insurer.get("/v1/me")).status_code == 200


async def test_the_register_is_the_operators_alone(signed_in: SignedIn):
    for kind in (ActorKind.INSURER, ActorKind.DEPARTMENT, ActorKind.ENTERPRISE):
        person = await signed_in(kind)
        assert (await person.get("/operator/people")).status_code == 403
        form = {"place": "operator", "name": "x", "email": "x@y.example"}
        assert (await person.post("/operator/people", **form)).status_code == 403


async def test_a_form_of_another_session_changes_nothing(boss: Person, admin: AsyncEngine):
    boss.form_token = "0" * 32
    answer = await boss.post("/insurer/people", name="新", email="new@firm.example", posts=["insurer_admin"])
    assert answer.status_code == 403
    assert await user(admin, "new@firm.example") is None


@pytest.fixture
def said(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    """Runs a command as a process with these settings would; its loop is its own, so it runs in a thread."""
    monkeypatch.setattr("runtime.operating.Settings", lambda: settings)

    async def run(*words: str):
        return await asyncio.to_thread(CliRunner().invoke, people_app, list(words))

    return run


async def test_people_are_added_listed_and_disabled_on_the_server(said, insurer: Caller, admin: AsyncEngine) -> None:
    added = await said("add", "boss@firm.example", "--name", "老板", "--insurer", insurer.code)
    assert added.exit_code == 0, added.output
    [row] = json.loads((await said("list", "--json")).stdout)
    assert (row["email"], row["posts"], row["disabled_at"]) == ("boss@firm.example", "insurer_admin", None)
    assert (await said("disable", "boss@firm.example")).exit_code == 0
    assert (await user(admin, "boss@firm.example")).disabled_at is not None
    assert (await said("enable", "boss@firm.example")).exit_code == 0
    for line in (
        f"add boss@firm.example --name x --insurer {insurer.code}",
        "add new@firm.example --name x --insurer nobody",
        "add new@firm.example --name x --department 341300:无",
        f"add new@firm.example --name x --insurer {insurer.code} --post operator",
        f"add not-an-address --name x --insurer {insurer.code}",
        "disable nobody@firm.example",
    ):
        answer = await said(*line.split())
        assert answer.exit_code == 1, line
        assert "/" in answer.stderr
    assert (await said("add", "x@y.example", "--name", "x")).exit_code == 2


async def test_people_of_a_registered_provider_are_added_on_the_server(
    said, insurer: Caller, admin: AsyncEngine
) -> None:
    code = "91340100MA2TAN0K6J"
    asked = ("add", "song@provider.example", "--name", "宋工", "--insurer", insurer.code, "--provider", code)
    assert (await said(*asked)).exit_code == 1, "nobody has registered it yet"
    async with admin.begin() as connection:
        new = NewProvider(name="安评", credit_code=code, email="a@provider.example")
        known = await found_provider(connection, insurer.id, new)
    assert (await said(*asked)).exit_code == 0
    added = await user(admin, "song@provider.example")
    assert (added.kind, added.provider_id, added.posts) == (ActorKind.PROVIDER, known, [Post.PROVIDER_ASSESSOR])
    assert (await said("add", "x@y.example", "--name", "x", "--operator", "--provider", code)).exit_code == 1


async def test_one_of_several_memberships_is_named_on_the_server_or_all_are_meant(
    said, insurer: Caller, other: Caller, admin: AsyncEngine
) -> None:
    async def live() -> list[str]:
        rows = json.loads((await said("list", "--json")).stdout)
        return sorted(row["insurer"] for row in rows if row["disabled_at"] is None)

    for one in (insurer, other):
        assert (await said("add", "ann@firm.example", "--name", "安", "--insurer", one.code)).exit_code == 0
    unclear = await said("disable", "ann@firm.example")
    assert unclear.exit_code == 1
    assert "甲保险公司" in unclear.stderr
    assert (await said("disable", "ann@firm.example", "--insurer", other.code)).exit_code == 0
    assert await live() == [insurer.code]
    assert (await said("disable", "ann@firm.example", "--operator")).exit_code == 1
    assert (await said("disable", "ann@firm.example", "--operator", "--everywhere")).exit_code == 2
    assert (await said("enable", "ann@firm.example", "--everywhere")).exit_code == 0
    assert await live() == sorted([insurer.code, other.code])
