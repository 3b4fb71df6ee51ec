"""A hazard's workflow, a sibling of its policy's: one update per command; their meaning is in domain/hazard."""

from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from domain import duties
from domain.decision import Decision
from domain.details import hazard_details
from domain.hazard import life, views
from models.contracts import hazard as commands
from models.contracts.base import Given
from models.contracts.case import (
    AcknowledgeDuty,
    AdoptCalendar,
    AdoptRules,
    AnswerDuty,
    ExtendDuty,
    PassOn,
    TakeOverDuty,
)
from models.contracts.hazard import HazardBirth, HazardNews, HazardRun, HazardState, HazardView
from models.contracts.rulebook import RulesFor
from models.contracts.step import Cause
from models.contracts.vocabulary import CaseKind, CauseKind, Event
from workflows.answers import takes
from workflows.case import Case
from workflows.chapters import go_on
from workflows.journal import Found, resolve
from workflows.lives import Life


def _heard(state: HazardState, body: dict[str, Any], at: datetime) -> Decision[HazardState] | None:
    return None if life.over(state) else life.stop(state, commands.StopHazard.model_validate(body).reason, at)


HAZARD: Life[HazardState, HazardView] = Life(
    refuse=life.refuse,
    decide=life.decide,
    ring=life.ring,
    next_alarm=life.next_alarm,
    awaits=life.awaits,
    over=life.over,
    view=views.view,
    row=views.row,
    answer=HazardView,
    coming=duties.coming,
    details=hazard_details,
    idle="等待投保单位或部门",
    heard=_heard,
    commands={command.__name__: command for command in (*life.CHANGES, AdoptCalendar, AdoptRules)},
    chapter=lambda state: str(state.rounds // 5),
)


MATTERS = frozenset({Event.RECTIFICATION_REFUSED, Event.HAZARD_CLOSED})


@workflow.defn(name="隐患")
class HazardWorkflow:
    """From being found to being closed."""

    @workflow.init
    def __init__(self, run: HazardRun) -> None:
        self.birth = HazardBirth.model_validate(run.model_dump(exclude={"state"}))
        self.case = Case(HAZARD, run.state, self._tell_policy)
        self.case.reborn = self._on_record

    @workflow.run
    async def run(self, run: HazardRun) -> str:
        if self.case.state is None:
            await self._open()
        onward = await self.case.live()
        if onward:
            go_on(run.model_copy(update={"state": onward}))
        assert self.case.state is not None
        return self.case.state.stage.label

    async def _open(self) -> None:
        birth = self.birth
        question = RulesFor(
            region=birth.region,
            sector=birth.sector,
            size=birth.size,
            on=birth.signed_on,
            case=CaseKind.HAZARD,
            grade=birth.hazard.grade,
            packs=birth.packs,
        )
        rules = Found(question, await resolve(question))
        found = Cause(kind=CauseKind.NEWS, key="found", body=birth.model_dump(mode="json"))
        await self.case.open(lambda *under: life.open_hazard(birth, *under), rules, found)

    async def _on_record(self) -> None:
        """Wait until this run has opened the hazard: one that begins anew after a crash finds it on record already."""
        await workflow.wait_condition(lambda: self.case.committed > 0)

    @workflow.update(name="opened")
    async def opened(self, recorded: int = 0) -> HazardView:
        """Waits until the hazard is on record; its policy answers only then. `recorded`: steps the caller has seen."""
        with self.case.answering():
            await self._on_record()
            await self.case.level(recorded)
            assert self.case.state is not None
            return views.view(self.case.state)

    @workflow.signal(name="stop")
    async def stop(self, stop: commands.StopHazard) -> None:
        """The policy has ended early."""
        await self._on_record()
        await self.case.hear(stop)

    async def _tell_policy(self, decision: Decision[HazardState]) -> None:
        """The policy hears, beside the answer, of what it shows or must mark: a refusal and the end."""
        state, happened = decision.state, {happening.event for happening in decision.happened}
        if MATTERS & happened:
            hazard = state.birth.hazard
            news = HazardNews(number=hazard.number, grade=hazard.grade, stage=state.stage, refused=state.refused)
            self.case.errand(_hear(self.birth.policy_workflow_id, news))

    @takes("confirm_told")
    async def confirm_told(self, given: Given[commands.ConfirmTold]) -> HazardView:
        return await self.case.act(given)

    @takes("claim_rectification")
    async def claim_rectification(self, given: Given[commands.ClaimRectification]) -> HazardView:
        return await self.case.act(given)

    @takes("refuse_rectification")
    async def refuse_rectification(self, given: Given[commands.RefuseRectification]) -> HazardView:
        return await self.case.act(given)

    @takes("recheck")
    async def recheck(self, given: Given[commands.RecheckHazard]) -> HazardView:
        return await self.case.act(given)

    @takes("object")
    async def object_to(self, given: Given[commands.ObjectToHazard]) -> HazardView:
        return await self.case.act(given)

    @takes("answer_objection")
    async def answer_objection(self, given: Given[commands.AnswerObjection]) -> HazardView:
        return await self.case.act(given)

    @takes("ask_more_time")
    async def ask_more_time(self, given: Given[commands.AskMoreTime]) -> HazardView:
        return await self.case.act(given)

    @takes("decline_more_time")
    async def decline_more_time(self, given: Given[commands.DeclineMoreTime]) -> HazardView:
        return await self.case.act(given)

    @takes("extend")
    async def extend(self, given: Given[ExtendDuty]) -> HazardView:
        return await self.case.act(given)

    @takes("acknowledge")
    async def acknowledge(self, given: Given[AcknowledgeDuty]) -> HazardView:
        return await self.case.act(given)

    @takes("take_over")
    async def take_over(self, given: Given[TakeOverDuty]) -> HazardView:
        return await self.case.act(given)

    @takes("answer")
    async def answer(self, given: Given[AnswerDuty]) -> HazardView:
        return await self.case.act(given)

    @takes("pass_on")
    async def pass_on(self, given: Given[PassOn]) -> HazardView:
        return await self.case.act(given)

    @takes("adopt_calendar")
    async def adopt_calendar(self, given: Given[AdoptCalendar]) -> HazardView:
        return await self.case.act(given)

    @takes("adopt_rules")
    async def adopt_rules(self, given: Given[AdoptRules]) -> HazardView:
        return await self.case.act(given)


async def _hear(policy_workflow_id: str, news: HazardNews) -> None:
    """A policy that has ended hears nothing more."""
    try:
        await workflow.get_external_workflow_handle(policy_workflow_id).signal("hear", news)
    except FailureError as failure:
        if is_cancelled_exception(failure):
            raise
