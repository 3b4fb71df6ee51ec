"""A case whose rule file is not here is told as such in every room and by the API; lists and remedies stay open."""

import re
from html import unescape
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from api.tools import Tools
from models.contracts.vocabulary import ActorKind, CaseKind
from tests.api.conftest import terms, today
from tests.desk.conftest import PROVIDERS_OF_TOWN, SignedIn, Town
from tests.desk.matters import EXAMPLES, tell
from tests.desk.test_operator import change, rows, unaddressed
from tests.desk.test_operator_directory import forget_calendar

DUTY = "service_completion"
LOST = "0badc0ffee00"
"""The first digits of a digest no file has."""
NAMED = f"341300 · 2024-01-01 · {LOST}…"
PIN = """
UPDATE cases SET packs = (SELECT jsonb_agg(CASE pack->>'region' WHEN '341300'
    THEN jsonb_set(pack, '{digest}', to_jsonb(rpad(:lost, 64, '0'))) ELSE pack END)
    FROM jsonb_array_elements(packs) pack)
"""


@pytest.fixture
async def policy(town: Town, admin: AsyncEngine, worker: Worker) -> UUID:
    """A policy with a hazard, which names a provider; of both, Suzhou's file has been changed since."""
    insurer = town.insurers[0]
    answer = await insurer.post("/v1/policies", terms())
    policy_id = answer.json()["id"]
    for path, more in (("provider", {"provider_code": PROVIDERS_OF_TOWN[0]}), ("visits", {"record": None})):
        body = EXAMPLES[CaseKind.POLICY, path](today()) | more
        answer = await insurer.post(f"/v1/policies/{policy_id}/{path}", body)
        assert answer.status_code == 200, answer.text
    await tell(admin, town.departments[0], policy_id, DUTY)
    await change(admin, PIN, lost=LOST)
    return UUID(policy_id)


async def test_no_room_and_no_reading_answers_anything_but_that_the_file_is_missing(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, policy: UUID
):
    ((hazard,),) = await rows(admin, "SELECT id FROM cases WHERE kind = 'hazard'")
    waits = await unaddressed(town, admin, policy)
    rooms = {
        ActorKind.INSURER: (f"/insurer/policies/{policy}", f"/insurer/hazards/{hazard}"),
        ActorKind.DEPARTMENT: (f"/department/cases/{policy}", f"/department/cases/{hazard}"),
        ActorKind.ENTERPRISE: (f"/enterprise/hazards/{hazard}",),
        ActorKind.PROVIDER: (f"/provider/policies/{policy}",),
        ActorKind.OPERATOR: (f"/operator/unaddressed/{waits}", f"/operator/cases/{policy}"),
    }
    for kind, paths in rooms.items():
        person = await signed_in(kind)
        for path in paths:
            page = await person.get(path)
            assert (page.status_code, page.headers["retry-after"]) == (503, "300"), path
            for said in ("案卷没有丢失", NAMED):
                assert said in page.text, (path, said)
            assert ('href="/operator/packs#missing"' in page.text) == (kind is ActorKind.OPERATOR), path
        person.http.cookies.set("anze_lang", "en")
        english = (await person.get(paths[0])).text.split("<main")[1]
        assert "rule file this case is bound to" in english
        assert not re.search("[\u4e00-\u9fff]", english), paths[0]
        assert (await person.get(f"/{kind.value}")).status_code == 200, "whoever has a list still sees it"
    insurer = town.insurers[0]
    for path in (f"policies/{policy}", f"hazards/{hazard}"):
        answer = await insurer.get(f"/v1/{path}/duties")
        assert (answer.status_code, answer.json()["code"]) == (503, "rules_missing")
        for said in ("宿州市", "341300", "2024-01-01", LOST):
            assert said in answer.json()["detail"], said
        assert (await insurer.get(f"/v1/{path}")).status_code == 200


async def test_operators_see_which_files_are_missing_for_how_many_cases_and_what_to_do(
    signed_in: SignedIn, tools: Tools, admin: AsyncEngine, policy: UUID
):
    person = await signed_in(ActorKind.OPERATOR)
    page = unescape((await person.get("/operator/packs")).text)
    section = page[page.index('<h2 id="missing"') :].split("</section>")[0]
    figures = re.sub(r"<[^>]+>", "", section[section.index("<tbody>") : section.index("</tbody>")])
    assert re.sub(r"\s+", " ", figures).strip() == f"安徽省宿州市 3413002024年1月1日{LOST}…20"
    assert "docs/runbooks/notice.md#案卷依据的规则文件不在" in section
    last = max(year.year for year in tools.rules.calendar().years)
    await forget_calendar(admin, policy, last - 1)
    page = (await person.get(f"/operator/calendars/{last}")).text
    assert "算不出" in page
    assert f"没有摘要为 {LOST}… 的规则包" in page
    assert "全部采用" in page, "one case that cannot be foreseen holds up nobody"
    await change(admin, "UPDATE cases SET packs = '[]'")
    assert 'id="missing"' not in (await person.get("/operator/packs")).text
