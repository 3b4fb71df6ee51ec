"""A command to many cases: one that makes room, or was left by its worker, is asked again; a refusal is an answer."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from api.operator import sending
from api.operator.sending import Outcome, Result, send
from models.contracts.base import Given
from models.contracts.vocabulary import CaseKind
from models.tables.cases import Case

ROOM = ApplicationError("案卷正在整理", type="making_room")
LEFT = ApplicationError("update was left", type="AcceptedUpdateCompletedWorkflow")
REFUSED = ApplicationError(
    "不行", {"code": "rules_unknown", "says": "没有这份文件", "clause": "系统约定"}, type="refused"
)


class Office:
    """An engine whose one case answers with these errors, one after the other, and then takes the command."""

    def __init__(self, *errors: ApplicationError) -> None:
        self.errors, self.asked = list(errors), 0

    def get_workflow_handle(self, _: str) -> "Office":
        return self

    async def execute_update(self, *_: Any, **__: Any) -> str:
        self.asked += 1
        if self.errors:
            raise WorkflowUpdateFailedError(self.errors.pop(0))
        return "view"


async def sent(office: Office, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setattr(sending, "PAUSE", 0.001)
    case, given = SimpleNamespace(workflow_id="policy/PS/P-1", kind=CaseKind.POLICY), SimpleNamespace(command_id="k")
    return await send(cast("Client", office), cast("Case", case), "x", cast("Given[Any]", given), lambda _: {"d": "s"})


async def test_a_case_that_makes_room_or_was_left_by_its_worker_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(ROOM, LEFT)
    assert (await sent(office, monkeypatch)).outcome is Outcome.ADOPTED
    assert office.asked == 3


async def test_one_that_never_gets_to_it_is_unknown_and_a_refusal_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (await sent(Office(*[ROOM] * 9), monkeypatch)).outcome is Outcome.UNKNOWN
    office = Office(REFUSED)
    result = await sent(office, monkeypatch)
    assert (result.outcome, result.why, office.asked) == (Outcome.REFUSED, "没有这份文件（系统约定）", 1)
