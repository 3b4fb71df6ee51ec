"""The operators' room: what is stuck and its remedies, each acting once and on record; what operators never see."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.worker import Worker

from activities.nudger import Nudger
from api.audit import AuditEntry, note
from api.keys import COMMAND_LINE
from api.operator.acts import SHORTEST_REASON
from api.tools import Tools
from domain.addresses import PAGE
from domain.wording import instant
from models.contracts.ids import HUMAN_QUEUE, mailroom_workflow_id
from models.contracts.vocabulary import ActorKind, AuditEvent, NoticeStatus, Post
from models.tables.audit import VERIFYING
from runtime.embedded.mail import MailCatcher
from runtime.recovery.holding import hold, release
from runtime.settings import Settings
from tests.desk.conftest import Person, SignedIn, Town
from tests.desk.matters import open_policy, served_policy
from tests.runtime.waiting import PATIENCE, until

PAGES = (
    "/operator",
    "/operator/cases",
    "/operator/cases/hazards",
    "/operator/cases/claims",
    "/operator/mails",
    "/operator/directory",
    "/operator/directory/new",
    "/operator/directory/try",
    "/operator/packs",
    "/operator/audit",
    "/operator/calendars/2027",
)
REFUSED = "550 5.1.1 no such user"
WHY = "已电话核对，对方换了邮箱"


async def rows(admin: AsyncEngine, query: str, **values: Any) -> list[Any]:
    async with admin.connect() as connection:
        return list(await connection.execute(text(query), values))


async def change(admin: AsyncEngine, statement: str, **values: Any) -> None:
    async with admin.begin() as connection:
        await connection.execute(text(statement), values)


def until_in(page: str) -> str:
    found = re.search(r'name="until" value="([^"]+)"', page)
    assert found, "the preview says when it was made"
    return found[1]


@pytest.fixture
async def carry(tools: Tools, settings: Settings, temporal: Client) -> Callable[[], Awaitable[int]]:
    """What the worker's own nudger does all day."""
    return Nudger(tools.engine, temporal, settings.task_queue, tools.base_url).carry


@pytest.mark.parametrize("kind", [ActorKind.INSURER, ActorKind.DEPARTMENT, ActorKind.ENTERPRISE])
async def test_the_room_is_for_operators(signed_in: SignedIn, kind: ActorKind):
    person = await signed_in(kind)
    for path in PAGES:
        assert (await person.get(path)).status_code == 403, path


async def test_an_operator_without_the_post_sees_nothing(signed_in: SignedIn):
    person = await signed_in(ActorKind.OPERATOR, Post.INSURER_AUDITOR)
    assert (await person.get("/operator")).status_code == 403


async def test_every_page_opens_where_nothing_is_stuck_in_both_languages(signed_in: SignedIn, worker: Worker):
    person = await signed_in(ActorKind.OPERATOR)
    for path in PAGES:
        page = await person.get(path)
        assert page.status_code == 200, path
        assert len(page.content) < 100_000
        assert page.text.count("<h1") == 1
        assert " style=" not in page.text
    assert "没有反复失败的工作。" in (await person.get("/operator")).text
    person.http.cookies.set("anze_lang", "en")
    english = await person.get("/operator")
    assert "Stuck work" in english.text
    body = english.text.split("<main")[1]
    assert not re.search("[\u4e00-\u9fff]", body), re.findall("[^<>]*[\u4e00-\u9fff][^<>]*", body)


async def test_without_the_engine_the_page_still_tells_what_the_database_knows(
    signed_in: SignedIn, tools: Tools, app: Any, town: Town
):
    away = await Client.connect("127.0.0.1:9", lazy=True)
    app.state.tools = Tools(**{**tools.__dict__, "temporal": away})
    page = await (await signed_in(ActorKind.OPERATOR)).get("/operator")
    assert page.status_code == 200
    assert "流程引擎没有答复" in page.text
    assert "正在进行" in page.text


async def bounced(
    town: Town, admin: AsyncEngine, mailbox: MailCatcher, carry: Callable[[], Awaitable[int]]
) -> tuple[UUID, str]:
    """A policy whose enterprise could not be written to, and the address that refused."""
    policy_id = await open_policy(town.insurers[0])
    (address,) = (await rows(admin, "SELECT email FROM recipients WHERE id = :id", id=town.enterprises[0]))[0]
    mailbox.refused[address] = REFUSED
    await carry()
    async with asyncio.timeout(PATIENCE):
        while not await _count(admin, "SELECT count(*) FROM tasks WHERE kind = 'bounced'"):
            await asyncio.sleep(0.1)
    return policy_id, address


async def _count(admin: AsyncEngine, query: str) -> int:
    return (await rows(admin, query))[0][0]


async def test_a_bounced_letter_goes_out_again_to_the_corrected_address_once(
    signed_in: SignedIn,
    town: Town,
    admin: AsyncEngine,
    mailbox: MailCatcher,
    carry: Callable[[], Awaitable[int]],
    worker: Worker,
):
    _, address = await bounced(town, admin, mailbox, carry)
    person, remedy = await signed_in(ActorKind.OPERATOR), f"/operator/returned/{town.enterprises[0]}"
    stuck = (await person.get("/operator")).text
    assert remedy in stuck
    assert address not in stuck, "an enterprise's address may be a person's"
    preview = (await person.get(remedy)).text
    assert address not in preview
    assert "改好并补发（1）" in preview
    wanted = {"email": "new@firm.example", "to": "own", "until": until_in(preview), "reason": WHY}
    for _ in range(2):
        answer = await person.post(remedy, once="the-same-form", **wanted)
        assert answer.status_code == 303
    await carry()
    await until(lambda: bool(mailbox.to("new@firm.example")))
    assert len(mailbox.to("new@firm.example")) == 1
    assert "没有退信。" in (await person.get("/operator")).text
    said = await rows(admin, "SELECT chain, said, who_id FROM audit WHERE what = 'operator_act' ORDER BY chain")
    assert len(said) == 2, "once for the operators, once for the insurer whose notice it was"
    assert {row.chain for row in said} == {UUID(int=0), town.insurers[0].id}
    assert all(row.said["reason"] == WHY and row.who_id == str(person.user_id) for row in said)
    assert "new@firm.example" not in str(said), "no address in a row that cannot be taken back"


async def test_a_bad_address_or_no_reason_is_said_beside_the_field_and_nothing_happens(
    signed_in: SignedIn,
    town: Town,
    admin: AsyncEngine,
    mailbox: MailCatcher,
    carry: Callable[[], Awaitable[int]],
    worker: Worker,
):
    _, address = await bounced(town, admin, mailbox, carry)
    person, remedy = await signed_in(ActorKind.OPERATOR), f"/operator/returned/{town.enterprises[0]}"
    moment = until_in((await person.get(remedy)).text)
    wrong = await person.post(remedy, email="a@@b", to="own", until=moment, reason=WHY)
    assert wrong.status_code == 422
    assert 'id="email-error"' in wrong.text
    assert "a@@b" in wrong.text, "what was typed stays"
    silent = await person.post(remedy, email="new@firm.example", to="own", until=moment, reason="")
    assert silent.status_code == 422
    assert 'id="reason-error"' in silent.text
    assert f"过短，至少 {SHORTEST_REASON} 个字" in silent.text
    assert f'minlength="{SHORTEST_REASON}"' in silent.text, "and it is said before anything is sent"
    assert (await rows(admin, "SELECT email FROM recipients WHERE id = :id", id=town.enterprises[0]))[0][0] == address
    assert await _count(admin, "SELECT count(*) FROM audit WHERE what = 'operator_act'") == 0
    assert await _count(admin, "SELECT count(*) FROM tasks WHERE done_at IS NULL") > 0


async def unaddressed(town: Town, admin: AsyncEngine, policy_id: UUID, role: str = "financial") -> UUID:
    """A notice for a department that nobody has registered, lying in the human queue."""
    statement = """
    WITH told AS (
        INSERT INTO outbox (id, notice_key, insurer_id, case_id, seq, kind, to_role, recipient_id, urgency, at, about,
            matter, status)
        SELECT gen_random_uuid(), :key, insurer_id, id, seq, 'duty_overdue', :role, :queue, 'now', now(),
            '{"duty_key": "policy_upload", "label": "上传电子保单"}', '{}', 'accepted' FROM cases WHERE id = :case
        RETURNING id, insurer_id, case_id)
    INSERT INTO tasks (id, kind, insurer_id, case_id, recipient_id, notice_id, said)
    SELECT gen_random_uuid(), 'no_address', insurer_id, case_id, :queue, id, '' FROM told
    """
    key = f"{policy_id}:{role}"
    await change(admin, statement, key=key, role=role, queue=HUMAN_QUEUE, case=policy_id)
    return (await rows(admin, "SELECT id FROM tasks WHERE kind = 'no_address' ORDER BY created_at"))[0][0]


async def test_a_missing_department_is_registered_and_what_waited_reaches_it(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker
):
    policy_id = await open_policy(town.insurers[0])
    task_id = await unaddressed(town, admin, policy_id)
    person, remedy = await signed_in(ActorKind.OPERATOR), f"/operator/unaddressed/{task_id}"
    page = (await person.get(remedy)).text
    found = re.search(r'href="(/operator/directory/new[^"]+)"', page)
    assert found, "the document names an office nobody has registered"
    form = (await person.get(found[1].replace("&amp;", "&"))).text
    assert "国家金融监督管理总局宿州监管分局" in form
    office = {"region": "宿州市", "department": "国家金融监督管理总局宿州监管分局", "role": "financial"}
    office |= {"name": "国家金融监督管理总局宿州监管分局", "email": "jianguan@suzhou.example", "reason": "对方来函"}
    made = await person.post("/operator/directory/new", next=remedy, sectors="*", **office)
    assert made.headers["location"] == f"{remedy}?done=registered"
    page = (await person.get(f"{remedy}?done=registered")).text
    to = (await rows(admin, "SELECT id FROM recipients WHERE email = 'jianguan@suzhou.example'"))[0][0]
    assert f'value="{to}" required checked' in page, "the office the document names comes first"
    wanted = {"to": str(to), "until": until_in(page), "reason": "已登记，改送"}
    assert (await person.post(remedy, **wanted)).headers["location"] == "/operator?done=rerouted&n=1"
    assert (await person.post(remedy, **wanted)).headers["location"] == "/operator?done=rerouted&n=0"
    ((holder, status),) = await rows(admin, "SELECT recipient_id, status FROM outbox WHERE to_role = 'financial'")
    assert (holder, status) == (to, NoticeStatus.QUEUED)
    assert await _count(admin, f"SELECT count(*) FROM nudges WHERE recipient_id = '{to}'") == 1
    acts = await rows(admin, "SELECT said FROM audit WHERE what = 'operator_act' AND chain = :all", all=UUID(int=0))
    assert [row.said["act"] for row in acts] == ["register", "reroute"]
    scopes = await rows(admin, "SELECT prefix, sector FROM department_scopes WHERE recipient_id = :id", id=to)
    assert [tuple(row) for row in scopes] == [("3413", "*")]


async def test_notices_are_rerouted_to_offices_of_the_place_only(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker
):
    task_id = await unaddressed(town, admin, await open_policy(town.insurers[0]))
    person, remedy = await signed_in(ActorKind.OPERATOR), f"/operator/unaddressed/{task_id}"
    moment = until_in((await person.get(remedy)).text)
    wrong = await person.post(remedy, to=str(town.enterprises[0]), until=moment, reason=WHY)
    assert wrong.status_code == 422
    assert await _count(admin, "SELECT count(*) FROM tasks WHERE done_at IS NULL") == 1


async def test_a_payment_in_doubt_shows_no_amount_and_is_put_away_once(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker
):
    policy_id = await open_policy(town.insurers[0])
    await change(
        admin,
        "INSERT INTO tasks (id, kind, insurer_id, case_id, said) SELECT gen_random_uuid(), 'payment_unknown',"
        " insurer_id, id, 'P-1 12,345.00 元' FROM cases WHERE id = :id",
        id=policy_id,
    )
    person = await signed_in(ActorKind.OPERATOR)
    stuck = (await person.get("/operator")).text
    (remedy,) = re.findall(r'href="(/operator/books/[^"]+)"', stuck)
    assert "12,345" not in stuck + (await person.get(remedy)).text
    for _ in range(2):
        assert (await person.post(remedy, reason="保险机构书面确认")).status_code == 303
    assert "没有待核实的付款。" in (await person.get("/operator")).text
    assert await _count(admin, "SELECT count(*) FROM audit WHERE what = 'operator_act' AND number > 0") == 2


async def test_a_forged_form_changes_nothing(signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker):
    task_id = await unaddressed(town, admin, await open_policy(town.insurers[0]))
    person = await signed_in(ActorKind.OPERATOR)
    forged = Person(person.http, person.kind, person.token, "0" * 32)
    moment = until_in((await person.get(f"/operator/unaddressed/{task_id}")).text)
    answer = await forged.post(f"/operator/unaddressed/{task_id}", to="by_hand", until=moment, reason=WHY)
    assert answer.status_code == 403
    assert await _count(admin, "SELECT count(*) FROM tasks WHERE done_at IS NULL") == 1


async def test_a_case_shows_no_free_text_and_no_money_and_leads_to_the_temporal_ui_and_back(
    signed_in: SignedIn, town: Town, tools: Tools, app: Any, temporal: Client, admin: AsyncEngine, worker: Worker
):
    app.state.tools = Tools(**{**tools.__dict__, "temporal_ui": "http://ui.test"})
    policy_id = await served_policy(town.insurers[0])
    person = await signed_in(ActorKind.OPERATOR)
    hazard = (await rows(admin, "SELECT id, view FROM cases WHERE kind = 'hazard'"))[0]
    for case_id in (policy_id, hazard.id):
        page = (await person.get(f"/operator/cases/{case_id}")).text
        for secret in ("86,000", "保费总额", "anquan@wanbei-chem.example", hazard.view["description"]):
            assert secret not in page, secret
        ((workflow_id,),) = await rows(admin, "SELECT workflow_id FROM cases WHERE id = :id", id=case_id)
        found = await temporal.get_workflow_handle(workflow_id).describe()
        assert f"/{found.run_id}/timeline" in page, page[page.index("流程引擎") :]
        assert "http://ui.test/namespaces/default/workflows/" in page
        assert f"{tools.base_url}/operator/cases/{case_id}" in (await found.static_details() or "")
        assert (await found.memo())[PAGE] == f"{tools.base_url}/operator/cases/{case_id}", "for its later runs"
    assert hazard.view["description"] not in (await person.get("/operator/cases/hazards")).text
    assert (await person.get(f"/operator/cases/{UUID(int=7)}")).status_code == 404


async def test_mails_are_told_without_what_is_in_them(
    signed_in: SignedIn,
    town: Town,
    admin: AsyncEngine,
    mailbox: MailCatcher,
    carry: Callable[[], Awaitable[int]],
    tools: Tools,
    app: Any,
    temporal: Client,
    worker: Worker,
):
    app.state.tools = Tools(**{**tools.__dict__, "temporal_ui": "http://ui.test"})
    await bounced(town, admin, mailbox, carry)
    person = await signed_in(ActorKind.OPERATOR)
    ((mail_id, subject, _),) = await rows(
        admin, "SELECT id, subject, status FROM mails WHERE recipient_id = :id", id=town.enterprises[0]
    )
    listed = (await person.get("/operator/mails?status=bounced")).text
    page = (await person.get(f"/operator/mails/{mail_id}")).text
    assert str(mail_id) in listed
    assert "550" in page
    for text_of_mail in (subject, mailbox.messages[0].body() if mailbox.messages else subject):
        assert text_of_mail not in listed + page
    assert str(mail_id) not in (await person.get("/operator/mails?status=accepted")).text
    room, mails = mailroom_workflow_id(town.enterprises[0]), f"/operator/mails?recipient={town.enterprises[0]}"
    engine = f"http://ui.test/namespaces/default/workflows/{quote(room, safe='')}"
    for path in (mails, f"/operator/mails/{mail_id}", f"/operator/returned/{town.enterprises[0]}"):
        assert engine in (await person.get(path)).text, path
    shown = await temporal.get_workflow_handle(room).describe()
    assert f"({tools.base_url}{mails})" in (await shown.static_details() or "")
    assert await shown.static_summary() == "收件室 · 宿州皖北精细化工有限公司"
    office = (await person.get(f"/operator/directory/{town.departments[0]}")).text
    assert "http://ui.test" not in office, "nobody wrote to it yet: it has no mailroom"
    assert (await person.get("/operator/mails?status=nonsense&cursor=")).status_code == 200


async def test_what_a_restore_stopped_is_told_with_the_way_to_release_it(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker
):
    policy_id = await open_policy(town.insurers[0])
    statement = """
    INSERT INTO payment_orders (insurer_id, number, case_id, workflow_id, order_key, kind, amount, payee, channel,
        fingerprint, state, code)
    SELECT insurer_id, 'FK-' || state, id, workflow_id, 'k-' || state || code, 'settlement', yuan, 'insured', 'x', 'x',
        state, code
    FROM cases, (VALUES ('unknown', 'after-restore', 1200.50), ('sending', '', 99.50), ('refused', 'R7', 7000)) held
        (state, code, yuan) WHERE id = :id
    """
    await change(admin, statement, id=policy_id)
    person = await signed_in(ActorKind.OPERATOR)
    assert "恢复后停住的" not in (await person.get("/operator")).text
    async with admin.begin() as connection:
        held = await hold(connection, datetime(2026, 11, 22, 1, 30, tzinfo=UTC), "换回 var/")
    assert held.letters > 0
    person = await signed_in(ActorKind.OPERATOR)  # sessions of before have ended
    page = (await person.get("/operator")).text
    section = page[page.index('id="stopped"') : page.index('id="failing"')]
    assert re.search(r"停住的付款</dt><dd><b>2</b> · 合计 1,300\.00 元", section), section
    assert f"转人工的信</dt><dd><b>{held.letters}</b>" in section
    assert instant(datetime(2026, 11, 22, 1, 30, tzinfo=UTC)) in section
    assert "anze recover release --why" in section
    async with admin.begin() as connection:
        assert await release(connection, "逐笔核对一致") == 1
    assert "恢复后停住的" not in (await person.get("/operator")).text


async def test_the_audit_page_tells_a_verification_that_held_one_that_did_not_and_one_under_way(
    signed_in: SignedIn, admin: AsyncEngine
):
    person = await signed_in(ActorKind.OPERATOR)

    async def told() -> str:
        page = (await person.get("/operator/audit")).text
        return re.sub(r"<[^>]+>|\s+", "", page[page.index("最近一次查验审计") : page.index("查验要读全部记录")])

    assert "还没有查验过" in await told()
    for findings, says, not_said in ((0, "全部相符", "不符处数"), (2, "不符处数：2", "全部相符")):
        counts = {"chains": 3, "rows": 40, "steps": 30, "anchors": 1, "findings": findings}
        async with admin.begin() as connection:
            await note(connection, AuditEntry(AuditEvent.VERIFIED, who=COMMAND_LINE, about=("chain", ""), said=counts))
        page = await told()
        assert (says in page, not_said in page, "正在查验" in page) == (True, False, False), page
        assert ("有不符</" in (await person.get("/operator/audit?what=verified")).text) == bool(findings)
    async with admin.begin() as connection:
        one = {"chains": 1, "rows": 4, "steps": 3, "anchors": 0, "findings": 0}
        await note(connection, AuditEntry(AuditEvent.VERIFIED, who=COMMAND_LINE, about=("chain", "PS"), said=one))
    page = await told()
    assert page.index("不符处数：2") < page.index("只查了一家：PS"), "one chain that held hides nothing of the others"
    key = dict(zip("ab", VERIFYING, strict=True))
    async with admin.connect() as connection:
        await connection.execute(text("SELECT pg_advisory_lock_shared(:a, :b)"), key)
        page = await told()
        assert page.index("正在查验") < page.index("不符处数：2"), "what was found last still stands"
        await connection.execute(text("SELECT pg_advisory_unlock_shared(:a, :b)"), key)
    assert "正在查验" not in await told()
