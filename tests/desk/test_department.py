"""A department's room: what it is shown, what is kept from others, each act once, refusals in words; no scripts."""

import re
from datetime import UTC, datetime
from io import BytesIO
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx import Response
from openpyxl import load_workbook
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from api.department.scope import EVERY_SECTOR, Scope, within
from api.insurer.doors import SAMPLE_FILE
from api.rows import CASE_FIGURES, CASES, DEPARTMENT_SCOPES, OUTBOX, RECIPIENTS
from api.tools import Tools
from models.contracts.vocabulary import ActorKind, NoticeKind, NoticeStatus, Role
from models.tables import engine as settings
from tests.desk.conftest import Person, SignedIn, Town
from tests.desk.matters import change, open_policy, put_case, served_policy, tell

DUTY = "service_completion"


async def act(person: Person, case_id: UUID, deed: str, **typed: Any) -> Response:
    return await person.post(f"/department/cases/{case_id}/{deed}", duty=DUTY, **typed)


async def status_of(admin: AsyncEngine, case_id: UUID, recipient: UUID) -> list[NoticeStatus]:
    found = select(OUTBOX.c.status).where(OUTBOX.c.case_id == case_id, OUTBOX.c.recipient_id == recipient)
    async with admin.connect() as connection:
        return list((await connection.execute(found)).scalars())


async def test_the_inbox_holds_what_was_sent_overdue_first_and_nobody_elses(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker
):
    policy_id = await open_policy(town.insurers[0])
    await tell(admin, town.departments[0], policy_id, DUTY)
    await tell(admin, town.departments[0], policy_id, "policy_upload", label="上传电子保单")
    page = (await (await signed_in(ActorKind.DEPARTMENT)).get("/department")).text
    assert page.index("上传电子保单</b>") < page.index("完成事故预防技术服务</b>")
    assert page.count("未签收</span>") == 2
    other = await (await signed_in(ActorKind.DEPARTMENT, second=True)).get("/department")
    assert "没有符合条件的事项" in other.text
    assert "PA-1" not in other.text


async def test_a_matter_told_twice_is_one_line_and_filters_stand_in_the_address(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker
):
    policy_id = await open_policy(town.insurers[0])
    await tell(admin, town.departments[0], policy_id, DUTY, kind=NoticeKind.DUTY_REMINDER)
    await tell(admin, town.departments[0], policy_id, DUTY)
    officer = await signed_in(ActorKind.DEPARTMENT)
    page = (await officer.get("/department?sector=hazardous_chemicals&region=341300&q=皖北")).text
    assert page.count('<td data-label="事项">') == 1
    assert "共 2 次通知" in page
    assert '<option value="hazardous_chemicals" selected>' in page
    offered = re.search(r'<select[^>]+name="notice"[^>]*>.*?</select>', page, re.DOTALL)
    assert offered
    assert re.findall(r'value="(\w+)"', offered[0]) == [NoticeKind.DUTY_OVERDUE.value], "no kind this office never got"
    for nothing in ("sector=fireworks", "region=350200", "q=%25", "settled=true", "overdue=true", "of=claim"):
        assert "没有符合条件的事项" in (await officer.get(f"/department?{nothing}")).text, nothing
    assert (await officer.get("/department?overdue=nonsense&limit=9999&cursor=x")).status_code == 422


async def test_a_department_reads_its_scope_and_what_it_was_told_of_and_nothing_else(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker
):
    policy_id = await open_policy(town.insurers[0])
    emergency = await signed_in(ActorKind.DEPARTMENT)
    housing = await signed_in(ActorKind.DEPARTMENT, second=True)
    seen = await emergency.get(f"/department/cases/{policy_id}")
    assert seen.status_code == 200
    assert "尚未向本部门发出通知" in seen.text
    assert "<textarea" not in seen.text
    assert (await housing.get(f"/department/cases/{policy_id}")).status_code == 404
    assert (await housing.get(f"/department/cases/{uuid4()}")).status_code == 404
    assert "PA-1" not in (await housing.get("/department/cases")).text

    await tell(admin, town.departments[1], policy_id, DUTY)
    told = await housing.get(f"/department/cases/{policy_id}")
    assert told.status_code == 200
    assert "本部门的办理" in told.text
    assert "PA-1" not in (await housing.get("/department/cases")).text


@pytest.mark.parametrize("kind", [ActorKind.INSURER, ActorKind.ENTERPRISE, ActorKind.OPERATOR])
async def test_the_room_is_for_departments(signed_in: SignedIn, kind: ActorKind):
    person = await signed_in(kind)
    for path in ("/department", "/department/cases", "/department/overview", "/department/export.xlsx"):
        assert (await person.get(path)).status_code == 403, path


async def test_the_page_keeps_premium_and_amounts_from_departments(signed_in: SignedIn, town: Town, worker: Worker):
    policy_id = await served_policy(town.insurers[0])
    page = (await (await signed_in(ActorKind.DEPARTMENT)).get(f"/department/cases/{policy_id}?whole=1")).text
    for secret in ("86,000", "600,000", "保费总额", "责任限额", "anquan@wanbei-chem.example"):
        assert secret not in page, secret
    assert "服务费下限占保费" in page
    assert len(page.encode()) < 100_000
    assert "<style" not in page
    assert " style=" not in page


async def test_acknowledging_is_done_once_and_shown(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker
):
    policy_id = await open_policy(town.insurers[0])
    await tell(admin, town.departments[0], policy_id, DUTY)
    officer = await signed_in(ActorKind.DEPARTMENT)
    answer = await act(officer, policy_id, "acknowledge", once="once-1", note="已收悉")
    assert answer.status_code == 303
    assert (await act(officer, policy_id, "acknowledge", once="once-1", note="已收悉")).status_code == 303

    page = (await officer.get(answer.headers["location"])).text
    assert "已办理：签收" in page
    assert page.count("已收悉") == 2  # beside the acts and in the record, told once in each
    assert '/acknowledge"' not in page
    assert '/take_over"' in page
    assert await status_of(admin, policy_id, town.departments[0]) == [NoticeStatus.ACKNOWLEDGED]
    assert "已签收</span>" in (await officer.get("/department")).text


async def test_news_that_name_no_duty_are_acknowledged_and_change_nothing_in_the_case(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
):
    case_id = await put_case(admin, town.insurers[0], "341302", "fireworks")
    await tell(admin, town.departments[0], case_id, kind=NoticeKind.POLICY_SURRENDERED)
    officer = await signed_in(ActorKind.DEPARTMENT)
    found = (await officer.get("/department")).text
    assert "退保通知" in found
    read = [await officer.post(f"/department/cases/{case_id}/acknowledge", letter=kind) for kind in
            ("duty_overdue", "policy_surrendered", "policy_surrendered")]  # fmt: skip
    assert [one.status_code for one in read] == [303, 303, 303]
    assert await status_of(admin, case_id, town.departments[0]) == [NoticeStatus.ACKNOWLEDGED]
    async with admin.connect() as connection:
        said = (await connection.execute(text("SELECT said FROM audit WHERE what = 'acknowledged'"))).scalars().all()
    assert said == [{"letter": "policy_surrendered", "notices": 1}], "once, and only what was really sent"
    assert "没有符合条件的事项" in (await officer.get("/department")).text
    assert "退保通知" in (await officer.get("/department?settled=true")).text


async def test_an_answer_needs_words_and_may_carry_a_file(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker
):
    policy_id = await open_policy(town.insurers[0])
    await tell(admin, town.departments[0], policy_id, DUTY)
    officer = await signed_in(ActorKind.DEPARTMENT)
    empty = await act(officer, policy_id, "answer", note="  ")
    assert empty.status_code == 422
    assert 'aria-invalid="true"' in empty.text
    assert 'role="alert"' in empty.text
    file = {"files": ("约谈记录.pdf", SAMPLE_FILE, "application/pdf")}
    done = await act(officer, policy_id, "answer", note="已约谈，三日内补传。", files=file)
    assert done.status_code == 303, done.text
    page = (await officer.get(done.headers["location"])).text
    assert "已约谈，三日内补传。" in page
    assert '/answer"' in page  # a department may have more to say
    draft = f"{officer.user_id}-case-{policy_id}-{DUTY}-answer"
    assert f'data-draft="{draft}"' in page
    assert f'data-draft-done="{draft}"' in page, "what was sent is no draft any more"


async def test_taking_over_and_passing_on_reach_the_other_department(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker
):
    policy_id = await open_policy(town.insurers[0])
    await tell(admin, town.departments[0], policy_id, DUTY)
    officer = await signed_in(ActorKind.DEPARTMENT)
    assert (await act(officer, policy_id, "take_over")).status_code == 303
    page = (await officer.get(f"/department/cases/{policy_id}")).text
    assert "341300|住建局" in page
    assert "341300|应急管理局" not in page
    nowhere = await act(officer, policy_id, "pass_on", to="", note="属建设领域")
    assert nowhere.status_code == 422
    assert "属建设领域" in nowhere.text
    passed = await act(officer, policy_id, "pass_on", to="341300|住建局", note="属建设领域")
    assert passed.status_code == 303, passed.text

    housing = await signed_in(ActorKind.DEPARTMENT, second=True)
    inbox = (await housing.get("/department")).text
    assert "PA-1" in inbox
    assert "属建设领域" in inbox
    mine = (await officer.get(f"/department/cases/{policy_id}")).text
    assert '/pass_on"' not in mine
    assert "已转办</span>" in (await officer.get("/department")).text


async def test_a_matter_is_passed_on_to_registered_departments_nearest_first(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker
):
    policy_id = await open_policy(town.insurers[0])
    await tell(admin, town.departments[0], policy_id, DUTY)
    seats = [("000000", "应急管理部", "e@x"), ("340000", "应急管理厅", "e@x"), ("341302", "应急管理局", "e@x")]
    seats += [("350200", "应急管理局", "e@x"), ("341321", "应急管理局", "")]
    async with admin.begin() as connection:
        for region, department, email in seats:
            seat = {"id": uuid4(), "role": Role.EMERGENCY, "region": region, "department": department, "email": email}
            await connection.execute(RECIPIENTS.insert().values(name=department, **seat))
    page = (await (await signed_in(ActorKind.DEPARTMENT)).get(f"/department/cases/{policy_id}")).text
    offered = re.findall(r'<option value="(\d{6}\|[^"]+)"', page)
    near = ["341300|住建局", "341302|应急管理局", "340000|应急管理厅", "000000|应急管理部"]
    assert [one for one in offered if one in near] == near
    assert not {"350200|应急管理局", "341321|应急管理局"} & set(offered)


async def test_nobody_acts_on_what_it_was_not_told_of_nor_by_a_forged_form(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker
):
    policy_id = await open_policy(town.insurers[0])
    officer = await signed_in(ActorKind.DEPARTMENT)
    assert (await act(officer, policy_id, "acknowledge")).status_code == 403
    await tell(admin, town.departments[0], policy_id, "policy_upload")
    assert (await act(officer, policy_id, "acknowledge")).status_code == 404
    housing = await signed_in(ActorKind.DEPARTMENT, second=True)
    assert (await act(housing, policy_id, "acknowledge")).status_code == 404
    forged = await officer.http.post(f"/department/cases/{policy_id}/acknowledge", data={"duty": "policy_upload"})
    assert forged.status_code == 403
    assert (await officer.post(f"/department/cases/{policy_id}/close", duty=DUTY)).status_code in {404, 422}


async def test_the_overview_counts_the_scope_and_every_figure_leads_to_its_list(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
):
    for region, sector in (("341302", "fireworks"), ("341302", "fireworks"), ("341300", "housing_construction")):
        await put_case(admin, town.insurers[0], region, sector)
    await put_case(admin, town.insurers[0], "350200", "fireworks", "厦门企业")
    officer = await signed_in(ActorKind.DEPARTMENT)
    page = (await officer.get("/department/overview")).text
    assert "<b>3</b>在办保单" in page
    assert "/department/cases?region=341302&amp;sector=fireworks&amp;open=true" in page
    assert "10.0 %" in page
    assert "12.0 %" in page
    assert "10.00" not in page
    listed = (await officer.get("/department/cases?region=341302&sector=fireworks&open=true")).text
    assert "共 2 条" in listed
    here = (await officer.get("/department/cases?region=341300&here=true")).text
    assert "共 1 条" in here
    assert len(page.encode()) < 100_000

    assert "只看本级" in here
    assert 'name="here" value="true"' in here
    assert "只看本级" not in (await officer.get("/department/cases?region=341300")).text

    housing = (await (await signed_in(ActorKind.DEPARTMENT, second=True)).get("/department/overview")).text
    assert "<b>1</b>在办保单" in housing


async def test_spending_is_held_against_the_floor_for_policies_in_force_that_have_one(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
):
    """As the insurer's own page counts it."""
    cases = [await put_case(admin, town.insurers[0], "341302", "fireworks") for _ in range(3)]
    premium = {"spent": "90.00", "terms": {"premium_total": "100.00"}, "duties": []}
    over = datetime(2026, 2, 1, tzinfo=UTC)
    await change(admin, cases[1], view=premium)
    await change(admin, cases[2], view=premium | {"spend_floor": "12.00"}, ended_at=over)
    page = (await (await signed_in(ActorKind.DEPARTMENT)).get("/department/overview")).text
    assert "10.0 %" in page
    assert "12.0 %" in page
    assert "服务费只计在办且当地规定了下限的保单" in page


async def test_the_list_is_searched_by_number_enterprise_place_sector_and_insurer(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
):
    wanted = await put_case(admin, town.insurers[0], "341302", "fireworks", "宿州花炮厂")
    other = await put_case(admin, town.insurers[1], "341321", "fishery", "砀山渔场")
    officer = await signed_in(ActorKind.DEPARTMENT)
    insurer = town.insurers[0].id
    assert "信用代码" not in (await officer.get("/department/cases")).text
    for asked in (f"q={wanted}", "q=花炮", "region=埇桥区", "sector=fireworks", f"insurer={insurer}"):
        page = (await officer.get(f"/department/cases?{asked}")).text
        assert str(wanted) in page, asked
        assert str(other) not in page, asked
    assert f'name="insurer" value="{insurer}"' in (await officer.get(f"/department/cases?insurer={insurer}")).text


async def test_the_export_holds_the_scope_as_dates_and_text_and_is_on_record(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
):
    await put_case(admin, town.insurers[0], "341302", "fireworks", "=HYPERLINK(1)")
    await put_case(admin, town.insurers[0], "350200", "fireworks", "厦门企业")
    officer = await signed_in(ActorKind.DEPARTMENT)
    answer = await officer.get("/department/export.xlsx?sector=fireworks")
    assert answer.headers["content-disposition"].startswith("attachment")
    book = load_workbook(BytesIO(answer.content))
    cover, lines = book.worksheets
    about = {row[0]: row[1] for row in cover.iter_rows(values_only=True)}
    assert about["导出单位"] == "宿州市应急管理局"
    assert about["筛选条件"] == "行业：烟花爆竹"
    assert about["行数"] == 1
    heading, only = list(lines.iter_rows())
    cells = dict(zip([one.value for one in heading], only, strict=True))
    assert lines.freeze_panes == "A2"
    assert cells["投保单位"].value == "=HYPERLINK(1)"
    assert cells["投保单位"].data_type == "s"
    assert cells["签署日期"].value == datetime(2026, 1, 1)  # noqa: DTZ001 - a workbook knows no zones
    async with admin.connect() as connection:
        found = await connection.execute(text("SELECT who_name, said FROM audit WHERE what = 'exported'"))
        assert [(row.who_name, row.said["rows"]) for row in found] == [("宿州市应急管理局", 1)]


async def test_pages_of_a_list_follow_each_other_without_gap_or_repeat(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
):
    expected = {str(await put_case(admin, town.insurers[0], "341302", "fireworks")) for _ in range(33)}
    officer = await signed_in(ActorKind.DEPARTMENT)
    first = (await officer.get("/department/cases")).text
    following = first.partition('href="?')[2].partition('"')[0].replace("&amp;", "&")
    second = (await officer.get(f"/department/cases?{following}")).text
    seen = [one for page in (first, second) for one in expected if f"/department/cases/{one}" in page]
    assert len(seen) == 33
    assert set(seen) == expected


async def test_scope_says_the_same_in_sql_in_the_database_and_on_paper(town: Town, admin: AsyncEngine, tools: Tools):
    """promises.md 5.2 item 10: whatever the places and sectors, three ways of saying who sees what agree."""
    random = Random(7)
    regions, sectors = ("341302", "341321", "340100", "350203", "110000"), ("fireworks", "fishery", "other")
    for region in regions:
        for sector in sectors:
            await put_case(admin, town.insurers[0], region, sector)
    prefixes = ("", "34", "3413", "341302", "3502", "99")
    for _ in range(12):
        scopes = {Scope(random.choice(prefixes), random.choice((*sectors, EVERY_SECTOR))) for _ in range(2)}
        scopes = set(list(scopes)[: random.randint(0, 2)])
        await set_scopes(admin, town.departments[0], scopes)
        on_paper = {
            (region, sector)
            for region in regions
            for sector in sectors
            if any(region.startswith(one.prefix) and one.sector in (sector, EVERY_SECTOR) for one in scopes)
        }
        for table in (CASES, CASE_FIGURES):
            async with tools.engine.begin() as connection:
                await settings.office(connection, town.departments[0])
                by_rows = {
                    (r.region, r.sector) for r in await connection.execute(select(table.c.region, table.c.sector))
                }
            async with admin.begin() as connection:
                by_sql = select(table.c.region, table.c.sector).where(within(tuple(scopes), table))
                said = {(row.region, row.sector) for row in await connection.execute(by_sql)}
            assert by_rows == said == on_paper, scopes


async def set_scopes(admin: AsyncEngine, recipient: UUID, scopes: set[Scope]) -> None:
    async with admin.begin() as connection:
        await connection.execute(DEPARTMENT_SCOPES.delete().where(DEPARTMENT_SCOPES.c.recipient_id == recipient))
        for one in scopes:
            row = {"recipient_id": recipient, "prefix": one.prefix, "sector": one.sector}
            await connection.execute(DEPARTMENT_SCOPES.insert().values(row))


async def test_a_department_that_lost_a_place_sees_it_no_longer_on_the_next_request(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
):
    case_id = await put_case(admin, town.insurers[0], "341302", "fireworks")
    officer = await signed_in(ActorKind.DEPARTMENT)
    assert str(case_id) in (await officer.get("/department/cases")).text
    await set_scopes(admin, town.departments[0], {Scope("3502", EVERY_SECTOR)})
    assert str(case_id) not in (await officer.get("/department/cases")).text
    assert (await officer.get(f"/department/cases/{case_id}")).status_code == 404
    assert "还没有保单" in (await officer.get("/department/overview")).text
