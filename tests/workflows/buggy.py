"""A policy whose decisions have a bug, for one kind of plan: what it breaks is told in test_policy.py."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from temporalio import workflow

from domain.decision import Decision
from models.contracts.base import Given
from models.contracts.policy import FilePlan
from models.contracts.policy_state import PolicyRun, PolicyState, PolicyView
from workflows.policy import POLICY, PolicyWorkflow


def _decide(state: PolicyState, given: Given[Any], now: datetime) -> Decision[PolicyState]:
    if isinstance(given.command, FilePlan) and given.command.goals == "decision":
        raise ZeroDivisionError("a bug in a decision")
    decision = POLICY.decide(state, given, now)
    if isinstance(given.command, FilePlan) and given.command.goals == "view":
        return replace(decision, state=decision.state.model_copy(update={"insured_name": "buggy"}))
    return decision


def _view(state: PolicyState) -> PolicyView:
    if state.insured_name == "buggy":
        raise KeyError("a bug in a view")
    return POLICY.view(state)


@workflow.defn(name="有错的保单")
class BuggyPolicy(PolicyWorkflow):
    """A policy like any other, but for its bugs."""

    @workflow.init
    def __init__(self, run: PolicyRun) -> None:
        super().__init__(run)
        self.case.life = replace(POLICY, decide=_decide, view=_view)

    @workflow.run
    async def run(self, run: PolicyRun) -> str:
        return await super().run(run)
