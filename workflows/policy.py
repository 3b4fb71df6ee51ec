"""A policy's workflow: one run per chapter of its life, one update per command; meaning is in domain/policy."""

from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from domain import duties
from domain.calendar import local_date
from domain.decision import Decision
from domain.details import Coming, policy_details
from domain.policy import life, refusals, views
from domain.policy.changes import CHANGES
from models.contracts import policy as commands
from models.contracts.base import Actor, Command, Given
from models.contracts.case import (
    AcknowledgeDuty,
    AdoptCalendar,
    AdoptRules,
    AnswerDuty,
    ExtendDuty,
    PassOn,
    TakeOverDuty,
)
from models.contracts.hazard import HazardNews, StopHazard
from models.contracts.policy_state import Birth, PolicyRun, PolicyState, PolicyView
from models.contracts.step import Refusal
from workflows.answers import takes
from workflows.case import Case
from workflows.chapters import go_on
from workflows.journal import Found, open_hazards, opening, resolve
from workflows.lives import Life
from workflows.opening import Opening


def _details(state: PolicyState, coming: Coming | None) -> str:
    return policy_details(state, coming, views.spend_floor(state))


def _refuse(state: PolicyState, command: Command, actor: Actor, now: datetime) -> Refusal | None:
    return refusals.refuse(state, command, actor, now)


def _heard(state: PolicyState, body: dict[str, Any], at: datetime) -> Decision[PolicyState] | None:
    return life.hear(state, HazardNews.model_validate(body), at)


POLICY: Life[PolicyState, PolicyView] = Life(
    refuse=_refuse,
    decide=life.decide,
    ring=life.ring,
    next_alarm=life.next_alarm,
    awaits=life.awaits,
    over=life.over,
    view=views.view,
    row=views.row,
    answer=PolicyView,
    coming=duties.coming,
    details=_details,
    idle="等待保险期间届满",
    heard=_heard,
    commands={command.__name__: command for command in (*CHANGES, AdoptCalendar, AdoptRules)},
    chapter=lambda state: str(state.year),
)


@workflow.defn(name="保单")
class PolicyWorkflow:
    """From signing to expiry."""

    @workflow.init
    def __init__(self, run: PolicyRun) -> None:
        self.birth = Birth.model_validate(run.model_dump(exclude={"state"}))
        self.case = Case(POLICY, run.state, self._companions)
        self.opening = Opening(self.case, self.birth, self._open, lambda state: f"保单号 {state.terms.number}")

    @workflow.run
    async def run(self, run: PolicyRun) -> str:
        await self.opening.awaited()
        onward = await self.case.live()
        if onward:
            go_on(run.model_copy(update={"state": onward}))
        assert self.case.state is not None
        return self.case.state.stage.label

    @workflow.update(name="opened")
    async def opened(self, given: Given[commands.OpenPolicy]) -> PolicyView:
        """Opens once; the same question again gives the same case, another one under this number is refused."""
        return await self.opening.asked(given)

    async def _open(self, given: Given[commands.OpenPolicy]) -> Refusal | None:
        terms = given.command.terms
        question = refusals.rules_for(terms)
        found = Found(question, await resolve(question))
        refusal = refusals.refuse_opening(found.resolved.rulebook, given.command, local_date(workflow.now()))
        if refusal is None or given.recorded:  # what is on record was not refused, whatever the day is now
            cause = opening(given, self.birth)
            await self.case.open(lambda *under: life.open_policy(self.birth, given, *under), found, cause, given)
            return None
        return refusal

    @workflow.signal(name="hear")
    async def hear(self, news: HazardNews) -> None:
        """A hazard tells how it stands."""
        await self.case.hear(news)

    async def _companions(self, decision: Decision[PolicyState]) -> None:
        """Hazards are opened as siblings before the answer, and told when the policy ends early."""
        if decision.births:
            await open_hazards(decision.births)
        for workflow_id in decision.stopped:
            self.case.errand(self._stop(workflow_id, f"保单{decision.state.stage.label}"))

    async def _stop(self, workflow_id: str, reason: str) -> None:
        """A hazard that has closed needs no stopping; one that is being opened is stopped once it is there."""
        await workflow.wait_condition(lambda: not self.case.following)
        try:
            await workflow.get_external_workflow_handle(workflow_id).signal("stop", StopHazard(reason=reason))
        except FailureError as failure:
            if is_cancelled_exception(failure):
                raise

    @takes("upload")
    async def upload(self, given: Given[commands.UploadPolicy]) -> PolicyView:
        return await self.case.act(given)

    @takes("name_provider")
    async def name_provider(self, given: Given[commands.NameProvider]) -> PolicyView:
        return await self.case.act(given)

    @takes("file_plan")
    async def file_plan(self, given: Given[commands.FilePlan]) -> PolicyView:
        return await self.case.act(given)

    @takes("confirm_plan")
    async def confirm_plan(self, given: Given[commands.ConfirmPlan]) -> PolicyView:
        return await self.case.act(given)

    @takes("record_visit")
    async def record_visit(self, given: Given[commands.RecordVisit]) -> PolicyView:
        return await self.case.act(given)

    @takes("rate_service")
    async def rate_service(self, given: Given[commands.RateService]) -> PolicyView:
        return await self.case.act(given)

    @takes("complete_service")
    async def complete_service(self, given: Given[commands.CompleteService]) -> PolicyView:
        return await self.case.act(given)

    @takes("record_spend")
    async def record_spend(self, given: Given[commands.RecordSpend]) -> PolicyView:
        return await self.case.act(given)

    @takes("suspend")
    async def suspend(self, given: Given[commands.SuspendClock]) -> PolicyView:
        return await self.case.act(given)

    @takes("resume")
    async def resume(self, given: Given[commands.ResumeClock]) -> PolicyView:
        return await self.case.act(given)

    @takes("extend")
    async def extend(self, given: Given[ExtendDuty]) -> PolicyView:
        return await self.case.act(given)

    @takes("excuse")
    async def excuse(self, given: Given[commands.ExcuseDuty]) -> PolicyView:
        return await self.case.act(given)

    @takes("endorse")
    async def endorse(self, given: Given[commands.EndorsePolicy]) -> PolicyView:
        return await self.case.act(given)

    @takes("surrender")
    async def surrender(self, given: Given[commands.SurrenderPolicy]) -> PolicyView:
        return await self.case.act(given)

    @takes("renew")
    async def renew(self, given: Given[commands.RenewPolicy]) -> PolicyView:
        return await self.case.act(given)

    @takes("file_out_of_area")
    async def file_out_of_area(self, given: Given[commands.FileOutOfArea]) -> PolicyView:
        return await self.case.act(given)

    @takes("acknowledge")
    async def acknowledge(self, given: Given[AcknowledgeDuty]) -> PolicyView:
        return await self.case.act(given)

    @takes("take_over")
    async def take_over(self, given: Given[TakeOverDuty]) -> PolicyView:
        return await self.case.act(given)

    @takes("answer")
    async def answer(self, given: Given[AnswerDuty]) -> PolicyView:
        return await self.case.act(given)

    @takes("pass_on")
    async def pass_on(self, given: Given[PassOn]) -> PolicyView:
        return await self.case.act(given)

    @takes("adopt_calendar")
    async def adopt_calendar(self, given: Given[AdoptCalendar]) -> PolicyView:
        return await self.case.act(given)

    @takes("adopt_rules")
    async def adopt_rules(self, given: Given[AdoptRules]) -> PolicyView:
        return await self.case.act(given)
