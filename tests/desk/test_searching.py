"""A search finds a number by its beginning and a name by any part of it, within what its reader may see."""

from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.rows import INSURED_NAMES
from api.searching import KEPT_PART, MOST_OPENED
from models.contracts.vocabulary import ActorKind
from tests.desk.conftest import Person, SignedIn, Town
from tests.desk.matters import change, put_case

LONG = "安徽省宿州市埇桥区皖北精细化工及烟花爆竹联合经营管理有限责任公司第二分公司"
HARBOUR = "厦门鹭港物流有限公司"
ODD = "100%_净\\碱厂"
FILL = """
INSERT INTO cases (id, kind, insurer_id, workflow_id, number, region, sector, size, stage, insured_id, insured_name,
    signed_on, effective_on, expires_on, provisional, rate_review, open_hazards, packs, calendar_through, clock, view,
    seq, opened_at, changed_at)
SELECT gen_random_uuid(), 'policy', insurer_id, 'w' || n, 'FILL-' || n, region, sector, size, stage, insured_id,
    insured_name, signed_on, effective_on, expires_on, false, false, 0, '[]', 2026, '{}', '{"duties": []}', 1,
    opened_at, changed_at
FROM cases, generate_series(1, CAST(:many AS int)) n WHERE id = :like
"""


async def found(person: Person, address: str, q: str, among: tuple[UUID, ...]) -> list[UUID]:
    page = await person.get(address, params={"q": q})
    assert page.status_code == 200, q
    return [one for one in among if str(one) in page.text]


async def test_a_name_is_found_by_any_part_of_it(signed_in: SignedIn, town: Town, admin: AsyncEngine):
    mine = {name: await put_case(admin, town.insurers[0], "341302", "fireworks", name) for name in (HARBOUR, LONG, ODD)}
    beside = await put_case(admin, town.insurers[0], "341302", "fireworks", LONG[:20] + "门市部")
    foreign = await put_case(admin, town.insurers[1], "341302", "fireworks", HARBOUR + LONG + ODD)
    handler, officer = await signed_in(ActorKind.INSURER), await signed_in(ActorKind.DEPARTMENT)
    elsewhere = await signed_in(ActorKind.DEPARTMENT, second=True)
    every = (*mine.values(), beside, foreign)
    for part in (HARBOUR, "鹭", "鹭港", LONG, LONG[3:], LONG[-20:], "第二分公司", ODD, "%_", "\\"):
        wanted = [case_id for name, case_id in mine.items() if part in name]
        assert await found(handler, "/insurer/policies", part, every) == wanted, part
        assert await found(officer, "/department/cases", part, every) == [*wanted, foreign], part
    assert await found(elsewhere, "/department/cases", "鹭港", every) == []
    async with admin.begin() as connection:
        kept = (await connection.execute(select(func.max(func.length(INSURED_NAMES.c.part))))).scalar_one()
    assert kept == KEPT_PART, "a search cuts a name where the database does"


async def test_a_number_is_found_by_how_it_begins_and_not_by_its_end(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
):
    wanted = await put_case(admin, town.insurers[0], "341302", "fireworks")
    handler = await signed_in(ActorKind.INSURER)
    assert await found(handler, "/insurer/policies", str(wanted)[:13], (wanted,)) == [wanted]
    assert await found(handler, "/insurer/policies", str(wanted)[-13:], (wanted,)) == []


async def test_an_enterprise_that_is_renamed_is_found_by_the_name_its_case_bears(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
):
    renamed = await put_case(admin, town.insurers[0], "341302", "fireworks", "旧名花炮厂")
    handler = await signed_in(ActorKind.INSURER)
    await change(admin, renamed, insured_name="新号花炮厂")
    assert await found(handler, "/insurer/policies", "新号", (renamed,)) == [renamed]
    assert await found(handler, "/insurer/policies", "旧名", (renamed,)) == []


async def test_a_step_that_renames_nobody_writes_no_part_of_a_name(town: Town, admin: AsyncEngine):
    case_id = await put_case(admin, town.insurers[0], "341302", "fireworks", "宿州花炮厂")
    rows = select(func.count(), func.max(func.cast(text("xmin::text"), INSURED_NAMES.c.part.type)))
    async with admin.connect() as connection:
        before = (await connection.execute(rows.select_from(INSURED_NAMES))).one()
    await change(admin, case_id, stage="uploaded", seq=2)
    async with admin.connect() as connection:
        assert (await connection.execute(rows.select_from(INSURED_NAMES))).one() == before
    assert before[0] == len("宿州花炮厂")


async def test_what_many_cases_share_is_listed_in_order_and_counted_no_further_than_it_helps(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
):
    first = await put_case(admin, town.insurers[0], "341302", "fireworks", "宿州花炮厂")
    async with admin.begin() as connection:
        await connection.execute(text(FILL), {"many": MOST_OPENED + 1, "like": first})
    other = await put_case(admin, town.insurers[0], "341302", "fishery", "砀山渔场")
    handler = await signed_in(ActorKind.INSURER)
    listed = await handler.get("/insurer/policies", params={"q": "FILL-"})
    assert "共 1,000+ 条" in listed.text
    assert str(other) not in listed.text
    few = await handler.get("/insurer/policies", params={"q": "FILL-", "sector": "fishery"})
    assert "没有符合条件的记录" in few.text
    assert await found(handler, "/insurer/policies", "砀山", (first, other)) == [other]
