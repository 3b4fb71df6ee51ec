"""`anze rules adopt`: foretold, carried out, told case by case; the same again changes nothing; there is a way back."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from temporalio.worker import Worker
from typer.testing import CliRunner, Result

from rules.library import PACKS
from runtime.cli import app
from runtime.settings import Settings
from tests.api.conftest import Caller, terms, today

Said = Callable[..., Awaitable[Result]]
SUZHOU = PACKS / "341300_suzhou_ah"


@pytest.fixture
def versions(tmp_path: Path) -> tuple[Path, Path]:
    """Suzhou's document, and a newer one in force since last week with 50 days for the service."""
    place, begins = tmp_path / SUZHOU.name, today() - timedelta(days=7)
    place.mkdir()
    written = (SUZHOU / "2024-01-01.yaml").read_text(encoding="utf-8")
    older, newer = place / "2024-01-01.yaml", place / f"{begins}.yaml"
    older.write_text(written, encoding="utf-8")
    text = written.replace("in_force_on: 2024-01-01", f"in_force_on: {begins}").replace("amount: 45,", "amount: 50,")
    newer.write_text(text, encoding="utf-8")
    return older, newer


@pytest.fixture
def said(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Said:
    """Runs the command as a process with these settings would."""
    monkeypatch.setattr("runtime.commands.rules_adopting.Settings", lambda: settings)

    async def run(before: Path, after: Path, *words: str) -> Result:
        given = ["rules", "adopt", "--from", str(before), "--to", str(after), "--packs", str(tmp_path), *words]
        return await asyncio.to_thread(CliRunner().invoke, app, given)

    return run


async def test_cases_take_it_once_and_may_go_back(
    said: Said, versions: tuple[Path, Path], insurer: Caller, worker: Worker
) -> None:
    begun, (older, newer) = today() - timedelta(days=8), versions
    body = terms("PC-1", signed_at=f"{begun}T09:00:00+08:00", effective_on=str(begun))
    case_id = (await insurer.post("/v1/policies", body)).json()["id"]
    book = older.parent / "changes.xlsx"
    foretold = json.loads((await said(older, newer, "--dry-run", "--json", "--workbook", str(book))).stdout)["cases"]
    cover, table = (list(sheet.values) for sheet in load_workbook(book))
    assert [row[1] for row in cover if row[0] in ("案卷数", "已推算的案卷")] == [1, 1]
    assert {row[:2] for row in table[1:]} == {("保单", "PC-1")}
    assert len(table[1:]) == len(foretold[0]["changes"])
    assert "service_completion" in foretold[0]["changes"]
    assert (await insurer.get(f"/v1/policies/{case_id}")).json()["seq"] == 1, "a dry run changes nothing"
    done = json.loads((await said(older, newer, "--reason", "省厅要求", "--json")).stdout)["cases"]
    assert [(one["outcome"], one["changes"]) for one in done] == [("adopted", foretold[0]["changes"])]
    again = await said(older, newer, "--reason", "省厅要求")
    assert "案卷 0 件" in again.stdout
    back = await said(newer, older, "--reason", "误操作，改回")
    assert "已采用 1" in back.stdout, back.output
    timeline = (await insurer.get(f"/v1/policies/{case_id}/timeline")).json()
    assert sum(one["event"] == "rules_adopted" and not one["duty_key"] for one in timeline) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "须写明原因"),
        (["--reason", "x", "--workbook", "x.xlsx"], "须与 --dry-run 同用"),
        (["--reason", "x", "--sector", "none"], "未知的行业"),
        (["--reason", "x", "--place", "乌有"], "没有这个地区"),
        (["--reason", "x", "--place", "安徽省宿洲市"], "没有这个地区"),
    ],
)
async def test_what_is_wrong_is_said(said: Said, versions: tuple[Path, Path], words: list[str], says: str) -> None:
    answer = await said(*versions, *words)
    assert answer.exit_code == 2
    assert says in answer.output


async def test_documents_that_are_not_versions_of_one_are_refused(said: Said, versions: tuple[Path, Path]) -> None:
    answer = await said(PACKS / "330000_zhejiang" / "2022-10-18.yaml", versions[1], "--dry-run")
    assert answer.exit_code == 2
    assert "同一文件" in answer.output
    unknown = await said(Path("nowhere.yaml"), versions[1], "--dry-run")
    assert "没有这份规则文件" in unknown.output


def test_a_text_that_another_took_the_place_of_is_known_by_its_file() -> None:
    kept = next((PACKS.parent / "earlier").glob(f"*/{SUZHOU.name}/*.yaml"))
    ran = CliRunner().invoke(app, ["rules", "adopt", "--from", str(kept), "--to", str(SUZHOU / kept.name)])
    assert "须写明原因" in ran.stderr
