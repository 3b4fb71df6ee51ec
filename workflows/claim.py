"""A claim's workflow, a sibling that outlives its policy: one update per command; their meaning is in domain/claim."""

from datetime import datetime
from typing import Any

from temporalio import workflow

from domain import duties
from domain.claim import life, views
from domain.claim.wording import claim_details
from domain.decision import Decision
from models.contracts import claim as commands
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
from models.contracts.claim import ClaimBirth
from models.contracts.claim_state import ClaimRun, ClaimState, ClaimView
from models.contracts.payment import OrderOutcome
from models.contracts.rulebook import RulesFor
from models.contracts.step import Refusal
from models.contracts.vocabulary import CaseKind
from workflows.answers import takes
from workflows.case import Case
from workflows.chapters import go_on
from workflows.journal import Found, opening, resolve
from workflows.lives import Life
from workflows.opening import Opening
from workflows.till import Till


def _heard(state: ClaimState, body: dict[str, Any], at: datetime) -> Decision[ClaimState] | None:
    return life.hear(state, OrderOutcome.model_validate(body), at)


CLAIM: Life[ClaimState, ClaimView] = Life(
    refuse=life.refuse,
    decide=life.decide,
    ring=life.ring,
    next_alarm=life.next_alarm,
    awaits=life.awaits,
    over=life.over,
    view=views.view,
    row=views.row,
    answer=ClaimView,
    coming=duties.coming,
    details=claim_details,
    idle="等待案件办理",
    heard=_heard,
    commands={command.__name__: command for command in (*life.CHANGES, AdoptCalendar, AdoptRules)},
    # a mass accident has hundreds of payments: every ten proposed begin a new run, as closing and reopening do
    chapter=lambda state: f"{state.reopened}{'+' if state.closed_at else ''}/{len(state.payments) // 10}",
)


@workflow.defn(name="理赔")
class ClaimWorkflow:
    """From the report to the end of the time in which it can be reopened."""

    @workflow.init
    def __init__(self, run: ClaimRun) -> None:
        self.birth = ClaimBirth.model_validate(run.model_dump(exclude={"state"}))
        self.case = Case(CLAIM, run.state, self._money)
        self.till = Till(self.case)
        self.opening = Opening(self.case, self.birth, self._open, lambda state: f"赔案号 {state.birth.number}")

    @workflow.run
    async def run(self, run: ClaimRun) -> str:
        await self.opening.awaited()
        self.till.take_up()
        onward = await self.case.live()
        if onward:
            go_on(run.model_copy(update={"state": onward}))
        assert self.case.state is not None
        return self.case.state.stage.label

    @workflow.update(name="opened")
    async def opened(self, given: Given[commands.ReportClaim]) -> ClaimView:
        """Opens once; the same question again gives the same case, another one under this number is refused."""
        return await self.opening.asked(given)

    async def _open(self, given: Given[commands.ReportClaim]) -> Refusal | None:
        birth = self.birth
        question = RulesFor(
            region=birth.region,
            sector=birth.sector,
            size=birth.size,
            on=birth.signed_on,
            case=CaseKind.CLAIM,
            packs=birth.packs,
        )
        found = Found(question, await resolve(question))
        refusal = life.refuse_opening(birth, given.command, workflow.now())
        if refusal is None or given.recorded:  # what is on record was not refused, whatever the day is now
            cause = opening(given, birth)
            await self.case.open(lambda *under: life.open_claim(birth, given, *under), found, cause, given)
            return None
        return refusal

    async def _money(self, decision: Decision[ClaimState]) -> None:
        """What the step just committed pays out, gives back, or has heard of an order."""
        self.till.carry_out(decision)

    @takes("update_casualties")
    async def update_casualties(self, given: Given[commands.UpdateCasualties]) -> ClaimView:
        return await self.case.act(given)

    @takes("request_documents")
    async def request_documents(self, given: Given[commands.RequestDocuments]) -> ClaimView:
        return await self.case.act(given)

    @takes("receive_documents")
    async def receive_documents(self, given: Given[commands.ReceiveDocuments]) -> ClaimView:
        return await self.case.act(given)

    @takes("record_survey")
    async def record_survey(self, given: Given[commands.RecordSurvey]) -> ClaimView:
        return await self.case.act(given)

    @takes("assess_loss")
    async def assess_loss(self, given: Given[commands.AssessLoss]) -> ClaimView:
        return await self.case.act(given)

    @takes("choose_path")
    async def choose_path(self, given: Given[commands.ChoosePath]) -> ClaimView:
        return await self.case.act(given)

    @takes("set_limits")
    async def set_limits(self, given: Given[commands.SetLimits]) -> ClaimView:
        return await self.till.alone(lambda: self.case.act(given))

    @takes("determine")
    async def determine(self, given: Given[commands.DetermineClaim]) -> ClaimView:
        return await self.case.act(given)

    @takes("agree_settlement")
    async def agree_settlement(self, given: Given[commands.AgreeSettlement]) -> ClaimView:
        return await self.case.act(given)

    @takes("refuse_claim")
    async def refuse_claim(self, given: Given[commands.RefuseClaim]) -> ClaimView:
        return await self.case.act(given)

    @takes("propose_payment")
    async def propose_payment(self, given: Given[commands.ProposePayment]) -> ClaimView:
        return await self.case.act(given)

    @takes("approve_payment")
    async def approve_payment(self, given: Given[commands.ApprovePayment]) -> ClaimView:
        return await self.till.alone(lambda: self.till.approve(given))

    @takes("void_payment")
    async def void_payment(self, given: Given[commands.VoidPayment]) -> ClaimView:
        return await self.case.act(given)

    @takes("record_outcome")
    async def record_outcome(self, given: Given[commands.RecordOutcome]) -> ClaimView:
        return await self.case.act(given)

    @takes("set_off_advance")
    async def set_off_advance(self, given: Given[commands.SetOffAdvance]) -> ClaimView:
        return await self.case.act(given)

    @takes("upload_result")
    async def upload_result(self, given: Given[commands.UploadResult]) -> ClaimView:
        return await self.case.act(given)

    @takes("close_claim")
    async def close_claim(self, given: Given[commands.CloseClaim]) -> ClaimView:
        return await self.case.act(given)

    @takes("reopen_claim")
    async def reopen_claim(self, given: Given[commands.ReopenClaim]) -> ClaimView:
        return await self.case.act(given)

    @takes("withdraw_claim")
    async def withdraw_claim(self, given: Given[commands.WithdrawClaim]) -> ClaimView:
        return await self.case.act(given)

    @takes("record_litigation")
    async def record_litigation(self, given: Given[commands.RecordLitigation]) -> ClaimView:
        return await self.case.act(given)

    @takes("extend")
    async def extend(self, given: Given[ExtendDuty]) -> ClaimView:
        return await self.case.act(given)

    @takes("acknowledge")
    async def acknowledge(self, given: Given[AcknowledgeDuty]) -> ClaimView:
        return await self.case.act(given)

    @takes("take_over")
    async def take_over(self, given: Given[TakeOverDuty]) -> ClaimView:
        return await self.case.act(given)

    @takes("answer")
    async def answer(self, given: Given[AnswerDuty]) -> ClaimView:
        return await self.case.act(given)

    @takes("pass_on")
    async def pass_on(self, given: Given[PassOn]) -> ClaimView:
        return await self.case.act(given)

    @takes("adopt_calendar")
    async def adopt_calendar(self, given: Given[AdoptCalendar]) -> ClaimView:
        return await self.case.act(given)

    @takes("adopt_rules")
    async def adopt_rules(self, given: Given[AdoptRules]) -> ClaimView:
        return await self.case.act(given)
