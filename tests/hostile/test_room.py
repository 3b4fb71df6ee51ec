"""No command that is taken is more than the engine takes; no case grows beyond what fits into one of its messages."""

import asyncio
import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from api.gateway import FoundCase, act
from api.problems import Problem
from api.rows import CASES
from api.tools import Budgets, Tools
from domain import room
from models.contracts.base import Actor, Attachment, Given
from models.contracts.policy import RecordVisit
from models.contracts.vocabulary import ActorKind
from tests.api.claiming import EXAMPLES, insured, reported
from tests.api.conftest import Caller, admin, app, fresh_key, http, insurer, today, tools, worker
from tests.hostile.test_limits import case
from tests.runtime.waiting import PATIENCE

__all__ = ["admin", "app", "case", "http", "insurer", "tools", "worker"]
AT_ONCE = 10
"""Commands the engine hands to one task of a case."""
LINES = 500


@pytest.fixture
async def claim(insurer: Caller, worker: Worker) -> str:
    return await reported(insurer, await insured(insurer))


def loss(lines: int, note: int) -> dict[str, Any]:
    line = {"head": "third_party_property", "amount": "1.00", "note": "长" * note}
    return {"lines": [line | {"id": f"L-{number:0>50}"} for number in range(lines)]}


async def test_ten_of_the_largest_commands_at_once_meet_a_case_as_full_as_it_gets_and_are_answered(
    insurer: Caller, claim: str
) -> None:
    """Every answer is the whole case; what fits one by one must fit together."""
    url = f"/v1/claims/{claim}"
    assert (await insurer.post(f"{url}/survey", EXAMPLES["survey"](today()))).status_code == 200
    full = await _until_known(insurer, f"{url}/assessment", loss(LINES, 88))
    assert full.status_code == 200, full.text[:300]
    assert len(full.content) > 210_000
    most = loss(LINES, 94)
    assert 200_000 < len(json.dumps(most, ensure_ascii=False).encode()) < Budgets().body
    answers = await asyncio.gather(*(_until_known(insurer, f"{url}/assessment", most) for _ in range(AT_ONCE)))
    assert {one.status_code for one in answers} == {200}
    assert all(len(one.content) > 220_000 for one in answers)
    beyond = await _until_known(insurer, f"{url}/assessment", loss(LINES, 115))
    assert (beyond.status_code, beyond.json()["code"]) == (422, "case_full")
    assert "240 KB" in beyond.json()["detail"]
    note = {"facts_true": True, "note": "仍可办理"}
    assert (await _until_known(insurer, f"{url}/survey", note)).status_code == 200, "little is still taken"


async def _until_known(caller: Caller, path: str, body: Any) -> Any:
    key = fresh_key()
    async with asyncio.timeout(PATIENCE):
        while (answer := await caller.post(path, body, key)).status_code == 503:
            await asyncio.sleep(0.5)
    return answer


async def test_a_command_larger_than_the_engine_takes_is_refused_before_it_is_asked(
    tools: Tools, case: FoundCase, admin: AsyncEngine
) -> None:
    photograph = Attachment(digest="0" * 64, name="长" * 100 + ".jpg", media_type="image/jpeg")
    plain = {"number": "H-1", "description": "长" * 1000, "grade": "ordinary", "photographs": (photograph,) * 12}
    found = [plain | {"number": f"H-{number}"} for number in range(50)]
    command = RecordVisit.model_validate(
        {"number": "V-1", "on": today(), "items": ["hazard_inspection"], "place": "厂区", "staff_count": 2,
         "summary": "检查", "hazards": found}
    )  # fmt: skip
    somebody = Actor(kind=ActorKind.INSURER, id="1")
    given = Given[RecordVisit](command_id="k", actor=somebody, fingerprint="f" * 64, command=command)
    with pytest.raises(Problem) as refused:
        await act(replace(tools, temporal=None), case, "record_visit", given)  # pyright: ignore[reportArgumentType]
    assert (refused.value.code, refused.value.status) == ("too_large", 413)
    assert "384 KiB" in refused.value.detail
    async with admin.connect() as connection:
        seq = select(CASES.c.seq).where(CASES.c.id == UUID(str(case.id)))
        assert (await connection.execute(seq)).scalar_one() == case.seq


def test_ten_full_cases_fit_into_one_message_of_the_engine_and_one_into_one_value() -> None:
    views, pinned = AT_ONCE * (max(most for _, most in room.ROOM) + 20_000), 400_000
    assert views < 4 * 1024 * 1024
    assert max(most for _, most in room.ROOM) + pinned < 2_000_000
    assert AT_ONCE * Budgets().command < 4 * 1024 * 1024
