"""What lists promise whatever their filters: no place nobody knows, page after page, order, tiles and the way back."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from api.callers import Entry
from api.department.incoming import InboxFilters
from api.department.pages import ScopeFilters
from api.desk import lists, taking
from api.insurer.pages import workbench
from api.reads import STAGES
from api.rows import AUDIT
from models.contracts.payment import Payee, Payment, PaymentLine, Signature
from models.contracts.vocabulary import (
    ActorKind,
    CaseKind,
    LossHead,
    NoticeKind,
    PayeeKind,
    PaymentKind,
    PaymentStatus,
    Post,
)
from tests.api.conftest import terms
from tests.desk.conftest import Person, SignedIn, Town
from tests.desk.matters import change, put_case, tell
from tests.desk.shown import address_in, listed, way_of

LISTS: tuple[tuple[ActorKind, str, CaseKind], ...] = (
    (ActorKind.INSURER, "/insurer/policies", CaseKind.POLICY),
    (ActorKind.INSURER, "/insurer/hazards", CaseKind.HAZARD),
    (ActorKind.INSURER, "/insurer/claims", CaseKind.CLAIM),
    (ActorKind.INSURER, "/insurer/spending", CaseKind.POLICY),
    (ActorKind.DEPARTMENT, "/department", CaseKind.POLICY),
    (ActorKind.DEPARTMENT, "/department/cases", CaseKind.POLICY),
    (ActorKind.OPERATOR, "/operator/cases", CaseKind.POLICY),
    (ActorKind.OPERATOR, "/operator/cases/hazards", CaseKind.HAZARD),
    (ActorKind.OPERATOR, "/operator/cases/claims", CaseKind.CLAIM),
)
EXPORTS = {"/insurer/policies": "/insurer/policies/export.xlsx", "/department/cases": "/department/export.xlsx"}
ASKED = sorted((set(ScopeFilters.model_fields) | set(InboxFilters.model_fields)) - {"cursor", "limit"})
ELSEWHERE = ("https://evil.example/", "//evil.example", "/\\evil.example", "/provider", "/enterprise",
             "/department/../insurer", "x")  # fmt: skip
"""What no case leads back to, whoever looks."""
EACH = 3
VIEW: dict[str, Any] = {"duties": [], "policy_number": "PA-1", "description": "可燃气体报警器未按期检定"}
VIEW |= {"money": dict.fromkeys(("assessed", "paid", "prepaid", "advanced", "recovered"), "0.00")}


@pytest.fixture
async def cases(town: Town, admin: AsyncEngine) -> dict[CaseKind, list[UUID]]:
    """Some of each kind in Suzhou; of the policies the department has got letters."""
    found: dict[CaseKind, list[UUID]] = {}
    for kind in CaseKind:
        for _ in range(EACH):
            case_id = await put_case(admin, town.insurers[0], "341302", "fireworks")
            found.setdefault(kind, []).append(case_id)
            if kind is CaseKind.POLICY:
                await tell(admin, town.departments[0], case_id, kind=NoticeKind.POLICY_SURRENDERED)
            else:
                await change(admin, case_id, kind=kind, stage=next(iter(STAGES[kind])).value, view=VIEW)
    return found


async def people(signed_in: SignedIn) -> dict[ActorKind, Person]:
    return {kind: await signed_in(kind) for kind in {kind for kind, _, _ in LISTS}}


async def test_a_place_nobody_can_tell_lists_and_exports_nothing_and_says_why(
    signed_in: SignedIn, admin: AsyncEngine, cases: dict[CaseKind, list[UUID]]
):
    known = await people(signed_in)
    for kind, address, of in LISTS:
        for typed, why in (("乌有市", "没有这个地区"), ("3413", "没有这个地区"), ("吉林", "吉林省、吉林省吉林市")):
            page = (await known[kind].get(address, params={"region": typed})).text
            assert listed(page, cases[of]) == set(), (address, typed)
            assert f'value="{typed}"' in page, (address, "what was typed stays")
            assert page.count(why) == 2, (address, "beside the field, and where the list would be")
        assert listed((await known[kind].get(address, params={"region": "宿州"})).text, cases[of]), address
    for address, export in EXPORTS.items():
        person = next(known[kind] for kind, one, _ in LISTS if one == address)
        assert (await person.get(export, params={"region": "吉林"})).status_code == 422
    async with admin.connect() as connection:
        written = select(func.count()).select_from(AUDIT).where(AUDIT.c.what == "exported")
        assert (await connection.execute(written)).scalar_one() == 0


async def test_a_long_list_is_taken_out_whole_parcel_by_parcel_each_in_a_transaction_of_its_own(
    signed_in: SignedIn, cases: dict[CaseKind, list[UUID]], monkeypatch: pytest.MonkeyPatch
):
    known, real, within = await people(signed_in), taking.parcel, list[int]()

    async def noted(entry: Entry, *given: Any) -> Any:
        within.append((await entry.connection.execute(select(func.txid_current()))).scalar_one())
        return await real(entry, *given)

    monkeypatch.setattr(lists, "PARCEL", 1)
    monkeypatch.setattr(taking, "parcel", noted)
    for address, export in EXPORTS.items():
        person = next(known[kind] for kind, one, _ in LISTS if one == address)
        book = load_workbook(BytesIO((await person.get(export)).content))
        assert len(set(book.worksheets[1].iter_rows(min_row=2, values_only=True))) == EACH, export
        assert EACH in [value for _, value in book.worksheets[0].iter_rows(values_only=True)], "as many as it says"
    assert len(set(within)) == 2 * EACH, "none takes longer than a page may"


async def test_the_address_book_says_which_place_it_does_not_know(signed_in: SignedIn, town: Town):
    person = await signed_in(ActorKind.OPERATOR)
    for address, name in (("/operator/directory", "place"), ("/operator/directory/try", "region")):
        for typed, why in (("乌有市", "没有这个地区"), ("999999", "没有这个地区"), ("吉林", "吉林省、吉林省吉林市")):
            page = (await person.get(address, params={name: typed, "sector": "fishery"})).text
            assert f'value="{typed}"' in page, (address, typed)
            assert f"{why}" in page, (address, typed)
            assert 'aria-invalid="true"' in page, (address, typed)
    assert "安徽省宿州市" in (await person.get("/operator/directory?place=宿州")).text


async def test_whatever_means_all_holds_on_the_pages_that_follow(
    signed_in: SignedIn, cases: dict[CaseKind, list[UUID]]
):
    known = await people(signed_in)
    for kind, address, of in LISTS:
        for asked in (dict.fromkeys(ASKED, ""), *({name: ""} for name in ASKED)):
            seen, query = list[UUID](), urlencode(asked)
            for _ in range(EACH):
                answer = await known[kind].get(f"{address}?{query}&limit=1")
                assert answer.status_code == 200, (address, asked)
                seen += listed(answer.text, cases[of])
                following = [one.partition('"')[0] for one in answer.text.split('href="?') if "cursor=" in one[:900]]
                query = unescape(following[0]) if following else "cursor=none"
            assert sorted(seen) == sorted(cases[of]), (address, asked)


async def test_what_is_spent_begins_with_policies_in_force_and_all_stays_all(
    signed_in: SignedIn, admin: AsyncEngine, cases: dict[CaseKind, list[UUID]]
):
    policies = cases[CaseKind.POLICY]
    await change(admin, policies[0], ended_at=datetime(2026, 2, 1, tzinfo=UTC))
    handler = await signed_in(ActorKind.INSURER)
    assert listed((await handler.get("/insurer/spending")).text, policies) == set(policies[1:])
    page = (await handler.get("/insurer/spending?open=&limit=2")).text
    following = next(one.partition('"')[0] for one in page.split('href="?') if "cursor=" in one[:900])
    second = (await handler.get(f"/insurer/spending?{unescape(following)}")).text
    assert listed(page, policies) | listed(second, policies) == set(policies)


async def test_terms_are_listed_and_counted_in_their_order_and_the_usual_order_has_a_name(
    signed_in: SignedIn, admin: AsyncEngine, cases: dict[CaseKind, list[UUID]]
):
    first, second, ended = cases[CaseKind.POLICY]
    due = datetime(2030, 5, 6, 7, tzinfo=UTC)
    await change(admin, first, next_due_at=due, provisional=True, opened_at=due - timedelta(days=900))
    await change(admin, second, next_due_at=due + timedelta(hours=1), provisional=True)
    await change(admin, ended, provisional=True, ended_at=due)
    handler = await signed_in(ActorKind.INSURER)
    for asked in ("provisional=true", "due_on=2030-05-06"):
        page = (await handler.get(f"/insurer/due?{asked}")).text
        assert page.index(str(first)) < page.index(str(second)), asked
        assert "共 2 条" in page, "what has ended has no term"
    assert '<option value="">新建档的在前</option>' in (await handler.get("/insurer/policies")).text


async def test_the_piles_of_the_inbox_keep_what_is_asked_for_and_count_no_more(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, cases: dict[CaseKind, list[UUID]]
):
    officer = await signed_in(ActorKind.DEPARTMENT)
    page = (await officer.get("/department?sector=fireworks&region=宿州&settled=true")).text
    assert f'href="?region=341300&amp;sector=fireworks&amp;unread=true"><b>{EACH}</b>' in page
    assert 'href="?region=341300&amp;sector=fireworks&amp;overdue=true"><b>0</b>' in page
    other = (await officer.get("/department?sector=fishery")).text
    assert 'href="?sector=fishery&amp;unread=true"><b>0</b>' in other
    pile = (await officer.get("/department?sector=fireworks&major=true")).text
    assert '<input type="hidden" name="major" value="true">' in pile, "a filter that is set next keeps the pile"


ORIGINS = (
    (ActorKind.DEPARTMENT, "/department?sector=fireworks&unread=true", CaseKind.POLICY),
    (ActorKind.DEPARTMENT, "/department/cases?q=企业&order=due", CaseKind.POLICY),
    (ActorKind.INSURER, "/insurer/policies?sector=fireworks&region=宿州", CaseKind.POLICY),
    (ActorKind.INSURER, "/insurer/hazards?q=企业&sector=fireworks", CaseKind.HAZARD),
    (ActorKind.INSURER, "/insurer/due?order=due&overdue=true", CaseKind.HAZARD),
    (ActorKind.INSURER, "/insurer/spending?open=true&sector=fireworks", CaseKind.POLICY),
    (ActorKind.OPERATOR, "/operator/cases/hazards?q=企业&sector=fireworks", CaseKind.HAZARD),
)
HOMES = {
    ActorKind.DEPARTMENT: "/department",
    ActorKind.INSURER: "/insurer/policies",
    ActorKind.OPERATOR: "/operator/cases",
}


async def test_a_case_leads_back_to_the_list_one_came_from_and_nowhere_else(
    signed_in: SignedIn, admin: AsyncEngine, cases: dict[CaseKind, list[UUID]]
):
    known = await people(signed_in)
    whole = {"duties": [], "spent": "10.00", "spend_floor": "12.00", "terms": terms()["terms"]}
    hazard = VIEW | {"grade": "ordinary", "place": "罐区", "found_on": "2026-01-01", "rounds": []}
    parent = cases[CaseKind.POLICY][0]
    for policy, of_it in zip(cases[CaseKind.POLICY], cases[CaseKind.HAZARD], strict=True):
        await change(admin, policy, view=whole)
        await change(admin, of_it, view=hazard, parent_id=parent)
    for who, origin, kind in ORIGINS:
        page, case_id = unescape((await known[who].get(origin)).text), cases[kind][0]
        back = way_of(unescape((await known[who].get(address_in(page, case_id))).text))
        assert listed((await known[who].get(back)).text, cases[kind]) == set(cases[kind]), origin
        assert (back.partition("?")[0], back.count("=")) == (origin.partition("?")[0], 2), "with both filters"
    officer, handler = known[ActorKind.DEPARTMENT], known[ActorKind.INSURER]
    form = {"letter": "policy_surrendered", "back": "/department?sector=fireworks"}
    done = await officer.post(f"/department/cases/{cases[CaseKind.POLICY][0]}/acknowledge", **form)
    assert done.status_code == 303
    assert way_of((await officer.get(done.headers["location"])).text) == "/department?sector=fireworks"
    hand = {"act": "take", "seen": "", "back": "/insurer/due?overdue=true"}
    taken = await handler.post(f"/insurer/policies/{cases[CaseKind.POLICY][0]}/hand", **hand)
    assert way_of((await handler.get(taken.headers["location"])).text) == "/insurer/due?overdue=true"
    for who, home in HOMES.items():
        case = f"{home if who is ActorKind.INSURER else f'/{who.value}/cases'}/{cases[CaseKind.POLICY][0]}"
        others = {room for room in HOMES.values() if not room.startswith(f"/{who.value}")}
        for elsewhere in (*ELSEWHERE, *others, f"{home}//evil.example"):
            page = (await known[who].get(f"{case}?back={quote(elsewhere)}")).text
            assert way_of(page) == home, (who, elsewhere)
            assert "evil" not in page.partition("<main")[2], elsewhere


def proposed(number: str, by: Person, amount: str) -> dict[str, Any]:
    line = PaymentLine(head=LossHead.EMPLOYEE_DEATH, amount=Decimal(amount), person=uuid4())
    assert by.user_id
    signed = Signature(actor_id="core", by_user=f"u{by.user_id.hex.upper()}", at=datetime(2026, 1, 2, tzinfo=UTC))
    payment = Payment(number=number, kind=PaymentKind.SETTLEMENT, status=PaymentStatus.PROPOSED, lines=(line,),
                      payee=Payee(kind=PayeeKind.INSURED), proposed=signed)  # fmt: skip
    return payment.model_dump(mode="json")


async def test_what_waits_for_an_answer_is_shown_to_whom_may_give_it(
    signed_in: SignedIn, admin: AsyncEngine, cases: dict[CaseKind, list[UUID]], monkeypatch: pytest.MonkeyPatch
):
    """As many payments of one's own as are read at once, and the oldest, stand in no other payment's way."""
    monkeypatch.setattr(workbench, "AT_ONCE", 2)
    boss = await signed_in(ActorKind.INSURER, Post.INSURER_ADMIN, Post.INSURER_HANDLER)
    handler, auditor = await signed_in(ActorKind.INSURER), await signed_in(ActorKind.INSURER, Post.INSURER_AUDITOR)
    terms = {"four_eyes_above": {"value": "50000.00", "source": "特别约定"}}
    given = [[("P-1", boss, "50000.01"), ("P-2", boss, "50000.00")], [("P-3", boss, "60000.00")]]
    given += [[("P-4", handler, "60000.00")]]
    for at, (case_id, payments) in enumerate(zip(cases[CaseKind.CLAIM], given, strict=True)):
        view = VIEW | {"terms": terms, "payments": [proposed(*one) for one in payments]}
        await change(admin, case_id, view=view, changed_at=datetime(2026, 1, 3 + at, tzinfo=UTC))
    objected = VIEW | {"objection": {"reason": "不是隐患"}}
    await change(admin, cases[CaseKind.HAZARD][0], view=objected, changed_at=datetime(2026, 1, 1, tzinfo=UTC))
    page, others, read = [(await one.get("/insurer")).text for one in (boss, handler, auditor)]
    assert [number for number in ("P-1", "P-2", "P-3", "P-4") if f"/payments/{number}" in page] == ["P-2", "P-4"]
    assert page.index("/payments/P-4") < page.index("不是隐患"), "payments first, however old the objection"
    assert "不是隐患" in others
    assert "/payments/" not in others
    assert "等我答复" not in read
    for said, kind, where in (
        ("有付款待审批的赔案 3", CaseKind.CLAIM, "claims"),
        ("待答复的隐患 1", CaseKind.HAZARD, "hazards"),
    ):
        assert f'<a href="/insurer/{where}?waiting=true">' in page
        assert said in page
        found = listed((await boss.get(f"/insurer/{where}?waiting=true")).text, cases[kind])
        assert found == set(cases[kind][: int(said[-1])])
    assert "有付款待审批" not in others
