"""`anze calendar adopt`: a newly published year reaches every open case, moves what it moves, and may be run again."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker
from typer.testing import CliRunner

from runtime.cli import app
from runtime.settings import Settings
from tests.api.conftest import Caller, terms, today

YEAR = (today() + timedelta(days=45)).year


@pytest.fixture
def said(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    """Runs a command as a process with these settings would; its loop is its own, so it runs in a thread."""
    monkeypatch.setattr("runtime.commands.calendar.Settings", lambda: settings)

    async def run(*words: str):
        return await asyncio.to_thread(CliRunner().invoke, app, ["calendar", "adopt", *words])

    return run


@pytest.fixture
def table(tmp_path: Path) -> str:
    """A year in which nobody works around the forty-fifth day from today."""
    off = [day for day in (today() + timedelta(days=ahead) for ahead in range(40, 80)) if day.year == YEAR]
    path = tmp_path / f"{YEAR}.yaml"
    path.write_text(f"year: {YEAR}\nnotice: 试用通知\noff: [{', '.join(map(str, off))}]\nwork: []\n", encoding="utf-8")
    return str(path)


async def signed_today(insurer: Caller) -> str:
    """A policy whose 45 days end in that year."""
    body = terms("PC-1", signed_at=f"{today()}T00:00:00+08:00", effective_on=str(today()))
    answer = await insurer.post("/v1/policies", body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def steps(admin: AsyncEngine, case_id: str) -> int:
    async with admin.connect() as connection:
        asked = text("SELECT seq FROM cases WHERE id = cast(:id AS uuid)")
        return (await connection.execute(asked, {"id": case_id})).scalar_one()


async def test_a_new_year_moves_what_it_moves_once(
    said, table: str, insurer: Caller, admin: AsyncEngine, worker: Worker
) -> None:
    case_id = await signed_today(insurer)
    before = (await insurer.get(f"/v1/policies/{case_id}")).json()
    foretold = json.loads((await said(table, "--all", "--dry-run", "--json")).stdout)
    assert await steps(admin, case_id) == 1, "a dry run changes nothing"
    done = json.loads((await said(table, "--all", "--json")).stdout)
    (case,) = done["cases"]
    assert case["outcome"] == "adopted"
    assert set(case["moved"]) == set(foretold["cases"][0]["moved"])
    assert "service_completion" in case["moved"]
    assert await steps(admin, case_id) == 2
    after = (await insurer.get(f"/v1/policies/{case_id}")).json()
    moved = {key for key, day in last_days(before).items() if last_days(after)[key] != day}
    assert moved == set(case["moved"])
    again = await said(table, "--all")
    assert again.exit_code == 0
    assert await steps(admin, case_id) == 2, "the same calendar twice is one step"
    assert "案卷 1 件" in again.stdout


async def test_without_more_words_only_provisional_cases_are_spoken_to(
    said, table: str, insurer: Caller, worker: Worker
) -> None:
    case_id = await signed_today(insurer)
    provisional = (await insurer.get(f"/v1/policies/{case_id}")).json()["provisional"]
    listed = json.loads((await said(table, "--dry-run", "--json")).stdout)["cases"]
    assert len(listed) == int(provisional)


def last_days(view: dict[str, Any]) -> dict[str, str]:
    return {duty["key"]: duty["effective"] for duty in view["duties"]}


@pytest.mark.parametrize(
    ("words", "says"),
    [(["--year", "2199"], "没有 2199 年的日历"), (["nowhere.yaml"], "nowhere.yaml")],
)
async def test_a_calendar_that_is_not_there_is_refused(said, words: list[str], says: str) -> None:
    answer = await said(*words)
    assert answer.exit_code == 2
    assert says in answer.output


async def test_a_file_of_another_year_is_refused(said, table: str) -> None:
    answer = await said(table, "--year", str(YEAR - 1))
    assert answer.exit_code == 2
    assert f"文件是 {YEAR} 年的日历" in answer.output


async def test_without_open_cases_there_is_nothing_to_do(said, table: str) -> None:
    answer = await said(table)
    assert answer.exit_code == 0
    assert "案卷 0 件" in answer.stdout
