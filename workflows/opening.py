"""How a case comes to life by its first update: once, refused for good, or found open; deciding it is its life's."""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from models.contracts.base import CaseKey, Command, Given
from models.contracts.claim import ClaimBirth, ReportClaim
from models.contracts.claim_state import ClaimState
from models.contracts.policy import OpenPolicy
from models.contracts.policy_state import Birth, PolicyState
from models.contracts.ports import Ledger, Since
from models.contracts.step import Refusal
from workflows import journal, options
from workflows.answers import internal_error, refusal_error
from workflows.case import Case
from workflows.lives import V

Born = TypeVar("Born", PolicyState, ClaimState)
Decide = Callable[[Given[Any]], Awaitable[Refusal | None]]
OPENINGS: dict[str, type[Command]] = {one.__name__: one for one in (OpenPolicy, ReportClaim)}


class Opening(Generic[Born, V]):
    """Opens a case once; `decide` takes its first step or says why not, `called` is how people call its number."""

    def __init__(
        self, case: Case[Born, V], birth: Birth | ClaimBirth, decide: Decide, called: Callable[[Born], str]
    ) -> None:
        self.case, self.birth = case, birth
        case.reborn = self.again
        self.decide = decide
        self.called = called
        self.unborn: Refusal | None = None
        self.running = False

    async def awaited(self) -> None:
        """Until the first step is on record. Raises ApplicationError where it was refused."""
        await workflow.wait_condition(lambda: self.case.committed > 0 or self.unborn is not None)
        if self.unborn:
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise ApplicationError(self.unborn.says, type="refused", non_retryable=True)

    async def asked(self, given: Given[Any]) -> V:
        """The same question again gives the same case; another one under this number is refused."""
        with self.case.answering():
            return await self._asked(given)

    async def _asked(self, given: Given[Any]) -> V:
        if self.case.state is None and self.unborn is None and not self.running:
            self.running = True
            try:
                self.unborn = await self.decide(given)
            finally:  # after a bug the next one who asks opens it
                self.running = False
        await workflow.wait_condition(lambda: not self.running)
        if self.unborn:
            raise refusal_error(self.unborn)
        if self.case.state is None:
            raise internal_error()
        await workflow.wait_condition(lambda: self.case.committed > 0)
        return await self._same(given)

    async def again(self) -> None:
        """With the application on record: the engine lost the opening, or is about to bring it once more."""
        await workflow.wait_condition(lambda: not self.running)
        if self.case.state is not None:
            return
        key = CaseKey(case_id=self.birth.case_id, insurer_id=self.birth.insurer_id, workflow_id=self.birth.workflow_id)
        entered = await workflow.execute_activity_method(
            Ledger.recorded_since, Since(case=key, seq=1), **options.LEDGER, summary="台账已有建档，流程补上"
        )
        first = entered.missed[0] if entered.missed else None
        if first is None or first.cause.body.get("name") not in OPENINGS:
            raise refusal_error(Refusal(code="not_open", says="尚未建档", status=409))
        asked = journal.given_again(first.cause, OPENINGS)
        await self._asked(asked.model_copy(update={"recorded": first.seq}))

    async def _same(self, given: Given[Any]) -> V:
        state = self.case.state
        assert state is not None
        if given.fingerprint != state.opened_with:
            raise refusal_error(Refusal(code="number_taken", says=f"{self.called(state)}已建档，内容不同"))
        await self.case.caught_up(given)
        state = self.case.state or state  # as it stands now that it has caught up
        repeated = given.mark in state.remembered and state.seq > 1
        return await self.case.recall(given) if repeated else self.case.life.view(state)
