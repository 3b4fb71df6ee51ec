"""Operators let running cases take a newer document: preview, workbook, confirmation, progress, and what stays."""

import re
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from openpyxl import load_workbook
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from api.kept import WIDE
from api.operator import outlook, turning
from api.operator.new_rules import Obeying, Selection, Tally, Turn
from api.operator.outlook import Outlook
from api.operator.packs import SHORT, successor
from api.tools import Tools
from models.contracts.vocabulary import ActorKind, CaseKind
from rules.library import CALENDARS, PACKS, Library
from tests.api.conftest import today
from tests.desk.conftest import Person, SignedIn, Town, name_of
from tests.desk.matters import open_policy

WHY = "省厅要求在办保单一并执行"
MOVED = re.compile("“([^”]+)”由 ([^<（]+（[^）]+）) (?:推后|提前)到 ([^<（]+（[^）]+）)")
"""What the trial says of a duty: its name, its last day before and after."""
SHOWN = re.compile(r'<h3>([^<]+)</h3>\s*<p class="when">\s*<span class="due[^"]*">([^<（]+（[^）]+）)')
"""A duty on the page of its case, and its last day."""


def with_newer(tools: Tools, folder: Path, begins: date) -> tuple[Tools, str]:
    """Suzhou's document with a newer version beside it: the e-policy within 5 days, the service within 50."""
    mine = next(one for one in tools.rules.packs() if one.ref.region == "341300")
    place = folder / mine.path.parent.name
    place.mkdir()
    written = mine.path.read_text(encoding="utf-8")
    (place / mine.path.name).write_text(written, encoding="utf-8")
    newer = written.replace("in_force_on: 2024-01-01", f"in_force_on: {begins}").replace("amount: 7,", "amount: 5,")
    newer = newer.replace("amount: 45,", "amount: 50,")
    (place / f"{begins}.yaml").write_text(newer, encoding="utf-8")
    library = Library(PACKS, CALENDARS, [folder])
    return Tools(**{**tools.__dict__, "rules": library}), mine.ref.digest[:SHORT]


@pytest.fixture
def newer(tools: Tools, app: Any, tmp_path: Path) -> str:
    """The address of the older version, of which a newer one is in force since last week."""
    app.state.tools, short = with_newer(tools, tmp_path, today() - timedelta(days=7))
    return f"/operator/packs/{short}"


async def signed_before(town: Town, number: str = "PA-1", **more: Any) -> UUID:
    """A policy of eight days ago, before the newer version, entered today."""
    begun = today() - timedelta(days=8)
    more = {"signed_at": f"{begun}T09:00:00+08:00", "effective_on": str(begun)} | more
    return await open_policy(town.insurers[0], number, **more)


def shown(page: str) -> dict[str, str]:
    """What the page asks to confirm: which document, and how many cases."""
    return {name: re.findall(f'name="{name}" value="([^"]*)"', page)[-1] for name in ("after", "total", "place")}


async def view(admin: AsyncEngine, case_id: UUID) -> dict[str, Any]:
    async with admin.connect() as connection:
        found = await connection.execute(text("SELECT view, packs FROM cases WHERE id = :id"), {"id": case_id})
        row = found.one()
        days = {one["key"]: one["effective"] for one in row.view["duties"]}
        return {"days": days, "digests": {one["digest"] for one in row.packs}}


async def test_a_newer_document_is_foreseen_confirmed_and_taken_once(
    signed_in: SignedIn, app: Any, town: Town, admin: AsyncEngine, worker: Worker, newer: str
):
    policy_id = await signed_before(town)
    before = await view(admin, policy_id)
    person = await signed_in(ActorKind.OPERATOR)
    assert f"{newer}/adopt" in (await person.get(newer)).text
    page = (await person.get(f"{newer}/adopt")).text
    assert "改用新版（1）" in page
    assert 'name="place" value=""' in page, "nobody named a place"
    foreseen = MOVED.findall(page)
    assert foreseen, "the service, at least"
    assert await days_shown(person, policy_id) >= {(label, before) for label, before, _ in foreseen}
    assert "仍照原规则" in page, "the e-policy was due yesterday; five days would be earlier still"
    assert (await person.post(f"{newer}/adopt")).status_code == 422, "no reason, no batch"
    for _ in range(2):
        answer = await person.post(f"{newer}/adopt", once="same", reason=WHY, **shown(page))
        assert answer.status_code == 303
    (batch,) = app.state.rule_batches.values()
    await batch.task
    done = (await person.get(f"{newer}/adopt")).text
    assert "1 / 1" in done
    assert "没有适用原版的在办案卷" in done
    after = await view(admin, policy_id)
    assert after["digests"] != before["digests"]
    moved = {key for key, day in after["days"].items() if before["days"].get(key) != day}
    assert "service_completion" in moved
    assert "policy_upload" not in moved
    acts = await said(admin)
    assert [one["act"] for one in acts if "reason" in one] == ["adopt_rules"] * 2, "for operators and for the insurer"
    assert acts[-1] | {"act": "adopted_rules", "adopted": 1} == acts[-1]
    assert await days_shown(person, policy_id) >= {(label, after) for label, _, after in foreseen}
    trail = (await person.get("/operator/audit?what=operator_act")).text
    assert (WHY in trail, await name_of(admin, person) in trail) == (True, True), "why, and who"


async def days_shown(person: Person, policy_id: UUID) -> set[tuple[str, str]]:
    """The duties on the page of a policy, each with its last day."""
    return set(SHOWN.findall((await person.get(f"/operator/cases/{policy_id}")).text))


async def said(admin: AsyncEngine) -> list[dict[str, Any]]:
    query = text("SELECT said FROM audit WHERE what = 'operator_act' ORDER BY at, number")
    async with admin.connect() as connection:
        return [row.said for row in await connection.execute(query)]


async def test_only_the_selected_place_and_sector_turn(
    signed_in: SignedIn, app: Any, town: Town, admin: AsyncEngine, worker: Worker, newer: str
):
    here = await signed_before(town, region="341302")
    there = await signed_before(town, "PA-2", region="341321")
    person = await signed_in(ActorKind.OPERATOR)
    assert "改用新版（1）" in (await person.get(f"{newer}/adopt?place=埇桥")).text
    assert "没有适用原版的在办案卷" in (await person.get(f"{newer}/adopt?place=埇桥&sector=fishery")).text
    await person.post(f"{newer}/adopt", reason=WHY, **shown((await person.get(f"{newer}/adopt?place=埇桥")).text))
    (batch,) = app.state.rule_batches.values()
    await batch.task
    assert (await view(admin, here))["digests"] != (await view(admin, there))["digests"]


async def test_what_is_not_exactly_one_place_or_sector_selects_nobody(
    signed_in: SignedIn, app: Any, town: Town, worker: Worker, newer: str
):
    await signed_before(town)
    person = await signed_in(ActorKind.OPERATOR)
    for wrong in ({"place": "宿洲市"}, {"place": "安徽省宿洲市"}, {"place": "349"}, {"sector": "fishing"}):
        answers = [
            await person.get(f"{newer}/adopt", params=wrong),
            await person.get(f"{newer}/adopt.xlsx", params=wrong),
            await person.post(f"{newer}/adopt", reason=WHY, **wrong),
        ]
        assert [one.status_code for one in answers] == [422, 422, 422], wrong
        assert "会做的事" not in answers[0].text, "nothing to confirm"
    assert "改用新版（1）" in (await person.get(f"{newer}/adopt?place=安徽省宿州市")).text
    assert not getattr(app.state, "rule_batches", {})


async def test_what_has_changed_since_the_preview_is_not_done(
    signed_in: SignedIn, app: Any, town: Town, worker: Worker, newer: str
):
    await signed_before(town)
    person = await signed_in(ActorKind.OPERATOR)
    seen = shown((await person.get(f"{newer}/adopt")).text)
    await signed_before(town, "PA-2")
    for confirmed in (seen, seen | {"total": "2", "after": "0" * 64}, {}):
        answer = await person.post(f"{newer}/adopt", reason=WHY, **confirmed)
        assert answer.status_code == 409
        assert "什么也没有办" in answer.text
        assert WHY in answer.text, "nobody types it again"
    assert not getattr(app.state, "rule_batches", {})


async def test_what_many_cases_were_counted_for_is_told_with_its_time_and_counted_anew_when_it_counts(
    signed_in: SignedIn, app: Any, town: Town, worker: Worker, newer: str
):
    await signed_before(town)
    person, tools, short = await signed_in(ActorKind.OPERATOR), app.state.tools, newer.rpartition("/")[2]
    before = next(one for one in tools.rules.packs() if one.ref.digest.startswith(short))
    after = successor(tools.rules, before, today())
    assert after
    scope = outlook.Asked(Turn(before, after), Selection(), None).scope

    async def lately() -> Outlook:
        return Outlook(Obeying({CaseKind.POLICY: WIDE}, WIDE), Tally())

    await tools.kept.figures(scope, tools.now(), lately)
    page = (await person.get(f"{newer}/adopt")).text
    assert f"改用新版（{WIDE}）" in page
    assert "统计时间" in page
    answer = await person.post(f"{newer}/adopt", reason=WHY, **shown(page))
    assert answer.status_code == 409, "there is one, whatever was counted"
    assert "改用新版（1）" in answer.text
    assert "统计时间" not in answer.text
    assert not getattr(app.state, "rule_batches", {})


@pytest.mark.parametrize(
    ("confirmed", "total", "alike"),
    [
        ("7", 7, True), ("7", 8, False), (str(WIDE - 1), WIDE - 2, False), (str(WIDE + 20), WIDE, True),
        (str(WIDE - 21), WIDE, False), ("", WIDE, False), ("²", 2, False), ("9" * 5000, WIDE, False),
    ],
)  # fmt: skip
def test_of_many_cases_a_few_may_come_and_go_while_one_reads(confirmed: str, total: int, alike: bool):
    assert turning.alike(confirmed, total) is alike


class Breaking:
    """Speaks to no case."""

    def get_workflow_handle(self, workflow_id: str) -> Any:
        raise ValueError(workflow_id)


async def test_a_batch_that_is_broken_off_says_so_on_the_page_and_in_the_trail(
    signed_in: SignedIn, app: Any, town: Town, admin: AsyncEngine, worker: Worker, newer: str
):
    await signed_before(town)
    person = await signed_in(ActorKind.OPERATOR)
    seen = shown((await person.get(f"{newer}/adopt")).text)
    app.state.tools = Tools(**{**app.state.tools.__dict__, "temporal": Breaking()})
    await person.post(f"{newer}/adopt", reason=WHY, **seen)
    (batch,) = app.state.rule_batches.values()
    await batch.task
    assert "中途出错，没有办完" in (await person.get(f"{newer}/adopt")).text
    assert (await said(admin))[-1] == {"act": "adopted_rules", "cases": 1, "broken_off": "ValueError"}


async def test_the_workbook_holds_every_change_and_its_taking_is_on_record(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker, newer: str
):
    await signed_before(town)
    answer = await (await signed_in(ActorKind.OPERATOR)).get(f"{newer}/adopt.xlsx")
    assert answer.status_code == 200
    table = load_workbook(BytesIO(answer.content)).worksheets[1]
    lines = list(table.iter_rows(values_only=True))
    assert {str(line[6]) for line in lines[1:]} >= {"推后", "按新规则已届满，仍照原规则"}
    assert all(line[1] == "PA-1" for line in lines[1:])
    async with admin.connect() as connection:
        taken = await connection.execute(text("SELECT said FROM audit WHERE what = 'exported'"))
        assert [row.said["rows"] for row in taken] == [1]


async def test_what_is_not_in_force_yet_is_a_preview_only(
    signed_in: SignedIn, tools: Tools, app: Any, town: Town, worker: Worker, tmp_path: Path
):
    await open_policy(town.insurers[0])
    app.state.tools, short = with_newer(tools, tmp_path, today() + timedelta(days=30))
    person, address = await signed_in(ActorKind.OPERATOR), f"/operator/packs/{short}/adopt"
    page = (await person.get(address)).text
    assert "新版尚未施行" in page
    assert "推后" in page
    assert (await person.post(address, reason=WHY)).status_code == 303
    assert not getattr(app.state, "rule_batches", {})


async def test_without_a_newer_version_there_is_nothing_to_take(signed_in: SignedIn, tools: Tools):
    person = await signed_in(ActorKind.OPERATOR)
    mine = next(one for one in tools.rules.packs() if one.ref.region == "341300")
    assert (await person.get(f"/operator/packs/{mine.ref.digest[:SHORT]}/adopt")).status_code == 404
