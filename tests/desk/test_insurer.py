"""What an insurer's people see: the day at a glance, lists and their filters, exports, spending, new cases."""

import re
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from openpyxl import load_workbook
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from api.claims.doors import DOORS as CLAIM_DOORS
from api.claims.shapes import VictimEntry
from api.desk.fields import Field, fields_of, said
from api.desk.filters import CaseFilters
from api.desk.retelling import sentences
from api.desk.words import Language
from api.insurer.doors import DOORS
from api.pages import TEMPLATES
from api.shapes import PolicyApplication
from domain.places import NAMES
from models.contracts.claim import ReportClaim
from models.contracts.vocabulary import ActorKind, Post
from tests.api.claiming import agreed, reported, victim
from tests.api.conftest import Caller, terms, today
from tests.desk.conftest import Person, SignedIn, Town

SAID = re.compile(r"""\bt\((["'])([^"']+)\1\)""")
ROOM = [*TEMPLATES.glob("insurer/*.j2"), *TEMPLATES.glob("desk/list/*.j2")]


@pytest.fixture
async def handler(signed_in: SignedIn) -> Person:
    return await signed_in(ActorKind.INSURER, Post.INSURER_HANDLER)


async def opened(caller: Caller, number: str, **changed: Any) -> str:
    answer = await caller.post("/v1/policies", terms(number, **changed))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_the_workbench_counts_and_leads_to_the_lists(town: Town, handler: Person, worker: Worker) -> None:
    await opened(town.insurers[0], "PA-1")
    await opened(town.insurers[0], "PA-2")
    await opened(town.insurers[1], "PA-1")
    page = (await handler.get("/insurer")).text
    assert re.search(r"<b>2</b>有效保单", page)
    day = re.search(r'href="(/insurer/due\?due_on=[^"]+)"', page)
    assert day
    due = (await handler.get(day[1])).text
    assert "PA-1" in due
    assert "/insurer/policies?stage=signed" in page.replace("&amp;", "&")


async def test_a_payment_waits_on_the_workbench_of_who_may_approve_it(
    town: Town, handler: Person, worker: Worker, signed_in: SignedIn
) -> None:
    caller = town.insurers[0]
    claim_id, ref = await agreed(caller)
    line = {"head": "medical", "amount": "12000.00", "person": ref, "line": "L-2"}
    payment = {"number": "P-1", "kind": "settlement", "lines": [line], "by_user": "U1"}
    assert (await caller.post(f"/v1/claims/{claim_id}/payments", payment)).status_code == 200
    boss = await signed_in(ActorKind.INSURER, Post.INSURER_ADMIN)
    home = re.search(f'href="(/insurer/claims/{claim_id}/payments/P-1[^"]*)"', (await boss.get("/insurer")).text)
    assert home
    assert f'href="/insurer/claims/{claim_id}?back=%2Finsurer"' in (await boss.get(home[1])).text
    assert f"/insurer/claims/{claim_id}/payments/P-1" not in (await handler.get("/insurer")).text
    review = (await handler.get(f"/insurer/claims/{claim_id}/payments/P-1")).text
    assert "12,000.00" in review
    assert "须由机构管理员审批" in review
    assert "张**" in review
    assert "6200000000000000000" not in review
    await every_page_keeps_the_way_back(boss, f"/insurer/claims/{claim_id}")


async def every_page_keeps_the_way_back(boss: Person, claim: str) -> None:
    """From a list as it was filtered through a claim to its payment and its victims, and all the way back."""
    trail = "?" + urlencode({"back": "/insurer/claims?waiting=true&sector=fireworks"})
    payment, victims = f"{claim}/payments/P-1{trail}", f"{claim}/victims{trail}"
    page = (await boss.get(claim + trail)).text
    assert f'href="{payment}"' in page
    assert f'href="{victims}"' in page
    page = (await boss.get(payment)).text
    assert f'href="{claim}{trail}"' in page
    assert f'action="{claim}/approve_payment{trail}"' in page
    assert f'href="{claim}/void_payment{trail}&amp;number=P-1"' in page
    sent = await boss.post(victims, employee="true", name="李某某")
    assert sent.headers["location"] == victims
    assert f'href="{claim}{trail}"' in (await boss.get(victims)).text
    clear = await boss.post(f"{claim}/victims/sight{trail}", why="核对付款账号")
    assert (f'href="{claim}{trail}"' in clear.text, f'href="{victims}"' in clear.text) == (True, True)


async def test_a_list_is_filtered_by_its_address_and_paged_without_gaps(
    town: Town, handler: Person, worker: Worker
) -> None:
    for number in range(5):
        await opened(town.insurers[0], f"PA-{number}", sector="fireworks" if number else "hazardous_chemicals")
    assert len(re.findall(r"<b>PA-\d</b>", (await handler.get("/insurer/policies?sector=fireworks")).text)) == 4
    assert "PA-3" in (await handler.get("/insurer/policies?q=PA-3&region=宿州&sector=")).text
    assert "没有符合条件的记录" in (await handler.get("/insurer/policies?region=厦门")).text
    seen: list[str] = []
    address = "/insurer/policies?limit=2"
    while address:
        page = (await handler.get(address)).text
        seen += re.findall(r"<b>(PA-\d)</b>", page)
        following = re.search(r'href="(\?[^"]*cursor=[^"]+)"', page)
        address = f"/insurer/policies{following[1].replace('&amp;', '&')}&limit=2" if following else ""
    assert sorted(seen) == [f"PA-{number}" for number in range(5)]


def test_what_an_address_says_wrongly_is_left_out_and_nothing_else() -> None:
    read = CaseFilters.read({"region": "宿州", "sector": "nothing", "overdue": "true", "due_on": "soon", "x": "1"})
    assert (read.region, read.sector, read.overdue, read.due_on) == ("341300", None, True, None)
    assert read.address(stage="signed") == "region=341300&overdue=true&stage=signed"


def test_a_place_that_is_not_one_place_is_kept_as_it_was_typed() -> None:
    read = CaseFilters.read({"region": " 吉林 "})
    assert (read.region, read.lost, read.meant) == ("吉林", True, ("吉林省", "吉林省吉林市"))
    assert CaseFilters.read(dict(parse_qsl(read.address()))) == read
    assert CaseFilters.read({"region": "x" * 500}).lost
    for code, name in NAMES.items():
        again = CaseFilters.read({"region": CaseFilters.read({"region": code}).place})
        assert (again.region, again.lost) == (code, False), name
    assert CaseFilters.read({"region": "341399"}).place == "341399", "below a place we know by name"


async def test_a_list_is_taken_out_as_a_workbook_and_that_is_on_record(
    town: Town, handler: Person, worker: Worker, admin: AsyncEngine
) -> None:
    await opened(town.insurers[0], "PA-1")
    await opened(town.insurers[1], "PB-1")
    answer = await handler.get("/insurer/policies/export.xlsx?sector=hazardous_chemicals")
    assert answer.status_code == 200
    book = load_workbook(BytesIO(answer.content))
    lines = list(book.worksheets[1].iter_rows(values_only=True))
    assert [line[0] for line in lines[1:]] == ["PA-1"]
    assert book.worksheets[1].freeze_panes == "A2"
    assert "行业：危险化学品" in str(list(book.worksheets[0].iter_rows(values_only=True)))
    async with admin.connect() as connection:
        noted = await connection.execute(text("SELECT who_id, said FROM audit WHERE what = 'exported'"))
    rows = noted.all()
    assert [row.who_id for row in rows] == [str(handler.user_id)]
    assert rows[0].said["rows"] == 1


async def test_a_policy_is_opened_by_form_with_the_apis_own_reasons(
    town: Town, handler: Person, worker: Worker
) -> None:
    body = terms("PA-9")
    typed = {f"terms.{name}": value for name, value in body["terms"].items() if name != "service_items"}
    typed |= {f"insured.{name}": value for name, value in body["insured"].items()}
    typed |= {"terms.service_items": body["terms"]["service_items"], "terms.region": "宿州市"}
    typed["terms.signed_at"] = body["terms"]["signed_at"][:16]
    wrong = await handler.post("/insurer/new", **{**typed, "insured.credit_code": "91341300MA2NXR5T8X"})
    assert wrong.status_code == 422
    assert "统一社会信用代码校验位不符" in wrong.text
    assert 'value="PA-9"' in wrong.text
    done = await handler.post("/insurer/new", **typed)
    assert done.status_code == 303, done.text
    assert "已建档" in (await handler.get(done.headers["location"])).text
    listed = (await town.insurers[0].get("/v1/policies")).json()["items"]
    assert [(one["number"], one["region"]) for one in listed] == [("PA-9", "341300")]


async def test_what_the_place_requires_is_told_with_its_clause(handler: Person, worker: Worker) -> None:
    body = terms("PA-9", region="350200", insured_headcount=100)
    typed = {f"terms.{name}": value for name, value in body["terms"].items()}
    typed |= {f"insured.{name}": value for name, value in body["insured"].items()}
    answer = await handler.post("/insurer/new", **typed)
    assert answer.status_code == 422
    assert "覆盖全体从业人员" in answer.text
    assert "二(二)" in answer.text


async def test_the_rules_of_a_place_are_shown_before_anything_is_opened(handler: Person) -> None:
    asked = "terms.region=341300&terms.sector=hazardous_chemicals&terms.size=medium&terms.signed_at=2024-03-01T09:00"
    page = (await handler.get(f"/insurer/new/rules?{asked}")).text
    assert "2024年3月8日" in page
    assert "上传电子保单" in page
    assert "应急监二〔2023〕84号" in page
    assert "选好地区" in (await handler.get("/insurer/new/rules?terms.region=341300")).text
    whole = await handler.post("/insurer/new", **{"terms.region": "宿州", "terms.sector": "hazardous_chemicals",
                                                  "terms.size": "medium", "_rules": "1"})  # fmt: skip
    assert "上传电子保单" in whole.text


async def test_an_accident_is_reported_by_form(town: Town, handler: Person, worker: Worker) -> None:
    policy_id = await opened(town.insurers[0], "PA-1")
    yesterday: date = today() - timedelta(days=1)
    typed = {
        "number": "C-1",
        "accident.at": f"{yesterday}T10:20",
        "accident.place": "一号车间",
        "accident.happened": "检修时灼烫。",
        "accident.serious_injuries": "1",
        "accident.kind": "general",
    }
    trail = "?" + urlencode({"back": "/insurer/policies?sector=fireworks&open=true"})
    policy, new = f"/insurer/policies/{policy_id}{trail}", f"/insurer/policies/{policy_id}/claims/new{trail}"
    assert f'href="{new}"' in (await handler.get(policy)).text
    assert f'href="{policy}"' in (await handler.get(new)).text
    answer = await handler.post(new, **typed)
    assert answer.status_code == 303, answer.text
    assert trail in answer.headers["location"], "the list the policy was opened from"
    assert "C-1" in (await handler.get(answer.headers["location"])).text


async def test_victims_are_seen_in_clear_only_for_a_reason_that_goes_on_record(
    town: Town, handler: Person, worker: Worker, admin: AsyncEngine, signed_in: SignedIn
) -> None:
    caller = town.insurers[0]
    claim_id = await reported(caller, await opened(caller, "PA-1"))
    await victim(caller, claim_id)
    address = f"/insurer/claims/{claim_id}/victims"
    masked = (await handler.get(address)).text
    assert "张**" in masked
    assert "张某" not in masked
    assert (await handler.post(f"{address}/sight", why="")).status_code == 422
    clear = await handler.post(f"{address}/sight", why="核对付款账号")
    assert "6200000000000000000" in clear.text
    async with admin.connect() as connection:
        seen = (await connection.execute(text("SELECT why FROM victim_sights"))).scalars().all()
    assert seen == ["核对付款账号"]
    auditor = await signed_in(ActorKind.INSURER, Post.INSURER_AUDITOR)
    assert (await auditor.post(f"{address}/sight", why="看看")).status_code == 403


async def test_a_victim_whose_term_is_over_is_a_line_that_says_so_and_since_when(
    town: Town, handler: Person, worker: Worker, admin: AsyncEngine
) -> None:
    caller = town.insurers[0]
    claim_id = await reported(caller, await opened(caller, "PA-1"))
    await victim(caller, claim_id)
    gone = "name = NULL, bank_account = NULL, erased_at = '2036-03-05 09:00+08', erased_because = '保存期满'"
    async with admin.begin() as connection:
        await connection.execute(text(f"UPDATE victims SET {gone}"))
    page = (await handler.get(f"/insurer/claims/{claim_id}/victims")).text
    assert "2036年3月5日" in page
    assert "保存期满" in page
    assert "查看原文" not in page, "there is nothing to be seen in clear"
    form = (await handler.get(f"/insurer/claims/{claim_id}/assess_loss")).text
    assert "已删除（依据：保存期满）" in form


async def test_a_person_entered_by_form_is_sealed(
    town: Town, handler: Person, worker: Worker, admin: AsyncEngine
) -> None:
    caller = town.insurers[0]
    claim_id = await reported(caller, await opened(caller, "PA-1"))
    typed = {"employee": "true", "name": "李某某", "bank_account": "6200000000000000001"}
    for _ in range(2):
        answer = await handler.post(f"/insurer/claims/{claim_id}/victims", once="the-same", **typed)
        assert answer.status_code == 303, answer.text
    async with admin.connect() as connection:
        names = (await connection.execute(text("SELECT name FROM victims"))).scalars().all()
    assert len(names) == 1
    assert "李某某".encode() not in bytes(names[0])


async def test_spending_and_providers_are_summed_for_oneself_alone(town: Town, handler: Person, worker: Worker) -> None:
    for caller, amount in ((town.insurers[0], "3500.00"), (town.insurers[1], "9999.00")):
        policy_id = await opened(caller, "PA-1")
        await caller.post(f"/v1/policies/{policy_id}/provider", {"provider_name": f"安评{amount}"})
        spent = {"number": "F-1", "amount": amount, "purpose": "training", "on": str(today())}
        assert (await caller.post(f"/v1/policies/{policy_id}/spend", spent)).status_code == 200
    page = (await handler.get("/insurer/spending")).text
    assert "3,500.00" in page
    assert "9,999.00" not in page
    providers = (await handler.get("/insurer/providers")).text
    assert "安评3500.00" in providers
    assert "安评9999.00" not in providers


async def test_only_an_insurers_people_come_in(signed_in: SignedIn, stranger: Any) -> None:
    for kind in (ActorKind.DEPARTMENT, ActorKind.OPERATOR, ActorKind.ENTERPRISE):
        person = await signed_in(kind)
        assert (await person.get("/insurer")).status_code == 403
    assert (await stranger.get("/insurer")).headers["location"].startswith("/enter?next=")


def test_every_field_of_every_form_has_words_in_both_languages() -> None:
    def lacking(form: str, fields: tuple[Field, ...], path: str = "") -> list[str]:
        missing = [f"{form}.{path}{one.name}" for one in fields if nameless(form, f"{path}{one.name}", one)]
        return [*missing, *(name for one in fields for name in lacking(form, one.fields, f"{path}{one.name}."))]

    def nameless(form: str, path: str, field: Field) -> bool:
        chinese, english = (
            said(form, path, field, language).label for language in (Language.CHINESE, Language.ENGLISH)
        )
        return chinese in ("", field.name) or not english

    forms: list[type[BaseModel]] = [door.command for door in (*DOORS, *CLAIM_DOORS)]
    forms += [PolicyApplication, ReportClaim, VictimEntry]
    assert [name for one in forms for name in lacking(one.__name__, fields_of(one))] == []


@pytest.mark.parametrize("path", ROOM, ids=lambda path: path.name)
def test_every_sentence_has_its_english(path: Path) -> None:
    said = {found[1] for found in SAID.findall(path.read_text(encoding="utf-8"))}
    assert sorted(said - sentences().keys()) == []
