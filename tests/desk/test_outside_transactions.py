"""Nothing slow happens in a transaction: files are looked at, workbooks made, the engine asked without one."""

import asyncio
import threading
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from api import files
from api.department.pages import ScopeFilters
from api.desk import export, filling
from api.desk.exportwords import FILTERS
from api.desk.filters import CaseFilters
from api.desk.retelling import sentences
from api.insurer.doors import SAMPLE_FILE
from api.insurer.pages import importing
from api.operator import cases, engine
from api.tools import Tools
from models.contracts.vocabulary import ActorKind, Post
from tests.desk.conftest import SignedIn, Town
from tests.desk.matters import open_policy, tell
from tests.desk.test_insurer_import import row, settled, workbook

BROKEN = ("照片.jpg", b"\xff\xd8\xff nothing of a picture", "image/jpeg")
FILE = ("约谈记录.pdf", SAMPLE_FILE, "application/pdf")
DUTY = "service_completion"


@pytest.fixture
def held(tools: Tools) -> list[int]:
    """Connections that were out of the pool at each slow step; `watching` fills it."""
    return []


@pytest.fixture
def watching(tools: Tools, held: list[int], monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], None]:
    def watch(module: Any, name: str) -> None:
        real = getattr(module, name)

        def noted(*given: Any, **more: Any) -> Any:
            held.append(tools.engine.pool.checkedout())  # type: ignore[attr-defined]
            return real(*given, **more)

        monkeypatch.setattr(module, name, noted)

    return watch


async def test_a_departments_file_is_looked_at_first_and_a_bad_one_leaves_what_was_typed(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker, watching: Any, held: list[int]
) -> None:
    policy_id = await open_policy(town.insurers[0])
    await tell(admin, town.departments[0], policy_id, DUTY)
    officer, path = await signed_in(ActorKind.DEPARTMENT), f"/department/cases/{policy_id}/answer"
    watching(filling, "looked_at")
    bad = await officer.post(path, duty=DUTY, note="已约谈，三日内补传。", files={"files": BROKEN})
    assert bad.status_code == 422
    assert "已约谈，三日内补传。</textarea>" in bad.text
    assert "照片无法读取" in bad.text
    done = await officer.post(path, duty=DUTY, note="已约谈，三日内补传。", files={"files": FILE})
    assert done.status_code == 303, done.text
    assert held == [0, 0]


async def test_an_insurers_file_is_looked_at_first_and_a_bad_one_leaves_what_was_typed(
    signed_in: SignedIn, town: Town, worker: Worker, watching: Any, held: list[int]
) -> None:
    policy_id = await open_policy(town.insurers[0])
    handler = await signed_in(ActorKind.INSURER, Post.INSURER_HANDLER)
    path, typed = f"/insurer/policies/{policy_id}/upload", {"address": "https://policies.example/PA-1"}
    watching(files, "looked_at")
    bad = await handler.post(path, **typed, files={"file": BROKEN})
    assert bad.status_code == 422
    assert typed["address"] in bad.text
    assert "照片无法读取" in bad.text
    named = {"file": ("..\\C:\\\u202e" + "长" * 200 + ".pdf", SAMPLE_FILE, "application/pdf")}
    done = await handler.post(path, **typed, files=named)
    assert done.status_code == 303, done.text
    assert held == [0, 0]


@pytest.mark.parametrize("kind", [ActorKind.INSURER, ActorKind.DEPARTMENT])
async def test_a_workbook_is_made_without_a_transaction_and_one_at_a_time(
    signed_in: SignedIn, town: Town, tools: Tools, kind: ActorKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await signed_in(kind)
    path = {ActorKind.INSURER: "/insurer/policies/export.xlsx"}.get(kind, "/department/export.xlsx")
    began, go, real = threading.Event(), threading.Event(), export.written

    def slowly(*given: Any) -> bytes:
        began.set()
        go.wait(30)
        return real(*given)

    monkeypatch.setattr(export, "written", slowly)
    first = asyncio.create_task(person.get(path))
    try:
        assert await asyncio.to_thread(began.wait, 30)
        assert tools.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        second = await person.get(path)
    finally:
        go.set()
    assert (second.status_code, "上一份导出还在生成" in second.text) == (429, True)
    assert (await first).status_code == 200
    assert (await person.get(path)).status_code == 200


def test_every_filter_a_list_accepts_has_its_word_in_both_languages() -> None:
    accepted = (set(CaseFilters.model_fields) | set(ScopeFilters.model_fields)) - {"cursor", "limit"}
    assert accepted - FILTERS.keys() == set()
    assert set(FILTERS.values()) - sentences().keys() == set()


@pytest.mark.parametrize("asked", ["rate_review=true", "path=simple&rate_review=true", "here=true&region=341300"])
async def test_filters_are_told_in_words_in_both_rooms(signed_in: SignedIn, town: Town, asked: str) -> None:
    for kind, path in (
        (ActorKind.DEPARTMENT, "/department/export.xlsx"),
        (ActorKind.INSURER, "/insurer/claims/export.xlsx"),
    ):
        answer = await (await signed_in(kind)).get(f"{path}?{asked}")
        assert answer.status_code == 200, answer.text
        cover = str(list(load_workbook(BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True)))
        assert "：" in cover
        assert "=true" not in cover


async def test_an_imports_result_is_written_without_a_transaction(
    signed_in: SignedIn, town: Town, watching: Any, held: list[int]
) -> None:
    handler = await signed_in(ActorKind.INSURER, Post.INSURER_HANDLER)
    sent = await handler.post("/insurer/import", files={"file": ("保单.xlsx", workbook(row("I-1")))})
    await settled(handler, sent.headers["location"], "检查完毕")
    watching(importing, "annotated")
    assert (await handler.get(f"{sent.headers['location']}/result.xlsx")).status_code == 200
    assert held == [0]


async def test_the_engine_is_asked_without_a_transaction(
    signed_in: SignedIn, town: Town, worker: Worker, watching: Any, held: list[int]
) -> None:
    policy_id = await open_policy(town.insurers[0])
    operator = await signed_in(ActorKind.OPERATOR)
    watching(cases, "describe")
    watching(engine, "_asked")
    assert (await operator.get(f"/operator/cases/{policy_id}")).status_code == 200
    assert (await operator.get("/operator")).status_code == 200
    assert (await operator.post("/operator/retry", reason="")).status_code == 422
    assert held
    assert set(held) == {0}
