"""Why a claim does not carry a command out: order, dates, cover and documents; money is refused in paying.py."""

from collections.abc import Callable
from datetime import datetime

from domain import clock as clocks
from domain import duties, new_rules
from domain.calendar import local_date
from domain.claim import money, paying
from domain.claim.clauses import DETERMINATION, ONE_REQUEST, PRODUCT, one_standard
from domain.claim_paths import registry
from domain.serving import refuse_provider
from domain.wording import by_line, citation, day
from domain.wording import money as yuan
from models.contracts import claim as commands
from models.contracts.base import Actor, Command
from models.contracts.case import AcknowledgeDuty, AdoptRules, AnswerDuty, ExtendDuty, PassOn, TakeOverDuty
from models.contracts.claim import ClaimBirth, ReportClaim
from models.contracts.claim_state import ClaimState
from models.contracts.payment import LossLine
from models.contracts.rulebook import BoundDuty
from models.contracts.step import Refusal
from models.contracts.vocabulary import ClaimStage, Event, LossHead

EARLY = frozenset({ClaimStage.REPORTED, ClaimStage.DOCUMENTS_AWAITED})
UNAGREED = EARLY | {ClaimStage.DETERMINED}
LIVING = frozenset(ClaimStage) - {ClaimStage.CLOSED, ClaimStage.WITHDRAWN}
PAYING = UNAGREED | {ClaimStage.AGREED, ClaimStage.COMPLETED}
ANY = frozenset(ClaimStage)
OPEN_TO: dict[type[Command], frozenset[ClaimStage]] = {
    commands.UpdateCasualties: LIVING,
    commands.RequestDocuments: EARLY,
    commands.ReceiveDocuments: UNAGREED,
    commands.RecordSurvey: UNAGREED,
    commands.AssessLoss: UNAGREED,
    commands.SetLimits: UNAGREED,
    commands.ChoosePath: UNAGREED | {ClaimStage.AGREED},
    commands.DetermineClaim: EARLY,
    commands.AgreeSettlement: frozenset({ClaimStage.DETERMINED}),
    commands.RefuseClaim: frozenset({ClaimStage.DENIED}),
    commands.ProposePayment: PAYING,
    commands.ApprovePayment: PAYING,
    commands.VoidPayment: ANY,
    commands.RecordOutcome: ANY,
    commands.SetOffAdvance: LIVING,
    commands.UploadResult: frozenset({ClaimStage.COMPLETED, ClaimStage.REFUSED, ClaimStage.CLOSED}),
    commands.CloseClaim: frozenset({ClaimStage.COMPLETED, ClaimStage.REFUSED}),
    commands.ReopenClaim: frozenset(ClaimStage) - EARLY,
    commands.WithdrawClaim: UNAGREED | {ClaimStage.AGREED},
    commands.RecordLitigation: ANY,
}
"""The transition table: at which stages a command is taken; what has to do with duties is taken at any stage."""
EVENT_OF: dict[type[Command], Event] = {
    commands.AgreeSettlement: Event.SETTLEMENT_AGREED,
    commands.RefuseClaim: Event.CLAIM_REFUSED,
    commands.UploadResult: Event.CLAIM_RESULT_UPLOADED,
    commands.CloseClaim: Event.CLAIM_CLOSED,
}
"""The event a command brings about, where a pack may gate it."""
ALIKE = frozenset({LossHead.EMPLOYEE_DEATH, LossHead.EMPLOYEE_DISABILITY})


def refuse_opening(birth: ClaimBirth, command: ReportClaim, now: datetime) -> Refusal | None:
    """Dates that make no sense, and an accident outside the time of cover."""
    happened, today = local_date(command.accident.at), local_date(now)
    reported = command.on or today
    if command.accident.at > now or reported > today:
        return Refusal(code="date_in_future", says="事故时间或者报案日期晚于现在", status=422)
    if reported < happened:
        return Refusal(code="date_out_of_range", says="报案日期早于事故发生日", status=422)
    surrendered = birth.surrendered_on is not None and birth.surrendered_on < happened
    if birth.effective_on <= happened <= birth.expires_on and not surrendered:
        return None
    cover = f"{day(birth.effective_on)}至{day(birth.expires_on)}"
    ended = f"，已于{day(birth.surrendered_on)}退保" if birth.surrendered_on and surrendered else ""
    return Refusal(code="not_in_force", says=f"事故发生于{day(happened)}，保险期间为{cover}{ended}", clause="保险合同")


def refuse(state: ClaimState, command: Command, actor: Actor, now: datetime) -> Refusal | None:
    """The first reason why `command` is not carried out, or `None`."""
    if foreign := refuse_provider(command, actor, None):
        return foreign
    if state.ended_at is not None:
        return Refusal(code="case_closed", says="案件已归档，不再受理")
    gated = _gate(state, command)
    if gated:
        return gated
    allowed = OPEN_TO.get(type(command))
    if allowed is not None and state.stage not in allowed:
        return Refusal(code="wrong_stage", says=f"案件目前{state.stage.label}，不能办理此事项")
    return _date(state, command, now) or CHECKS.get(type(command), _nothing)(state, command, actor, now)


def _gate(state: ClaimState, command: Command) -> Refusal | None:
    """What a notice says must come before."""
    event = EVENT_OF.get(type(command))
    for bound in state.rulebook.gates:
        if bound.gate.before is event and bound.gate.needs not in state.facts:
            return Refusal(code="gate_closed", says=bound.gate.label, clause=by_line(bound.cites))
    return None


def _nothing(state: ClaimState, command: Command, actor: Actor, now: datetime) -> Refusal | None:
    return None


def _date(state: ClaimState, command: Command, now: datetime) -> Refusal | None:
    on = getattr(command, "on", None)
    if on is None or state.reported_on <= on <= local_date(now):
        return None
    return Refusal(code="date_out_of_range", says="日期须在报案日与今天之间", status=422)


def _request(state: ClaimState, command: commands.RequestDocuments, actor: Actor, now: datetime) -> Refusal | None:
    if state.requests and not command.override_reason:
        return Refusal(
            code="documents_asked_already", says="补充材料只能一次性通知；再次通知须说明理由", clause=ONE_REQUEST
        )
    if state.documents_complete and not command.override_reason:
        return Refusal(code="documents_complete", says="材料已经齐备；再要求补充须说明理由", clause=ONE_REQUEST)
    return None


def _assess(state: ClaimState, command: commands.AssessLoss, actor: Actor, now: datetime) -> Refusal | None:
    return _alike(state, command.lines) or paying.refuse_below_paid(state.model_copy(update={"losses": command.lines}))


def _alike(state: ClaimState, lines: tuple[LossLine, ...]) -> Refusal | None:
    """One standard for all employees of one insured: the same head and grade, the same amount."""
    standard: dict[tuple[LossHead, int | None], LossLine] = {}
    for line in lines:
        if line.head not in ALIKE:
            continue
        first = standard.setdefault((line.head, line.grade), line)
        if first.amount != line.amount:
            grade = f"（{line.grade} 级）" if line.grade else ""
            sums = f"{first.id} 为 {yuan(first.amount)}，{line.id} 为 {yuan(line.amount)}"
            says = f"{line.head.label}{grade}赔付标准不一：{sums}"
            return Refusal(code="one_standard", says=says, clause=one_standard(state))
    return None


def _limits(state: ClaimState, command: commands.SetLimits, actor: Actor, now: datetime) -> Refusal | None:
    return paying.refuse_below_paid(state.model_copy(update={"limits": command.limits}))


def _path(state: ClaimState, command: commands.ChoosePath, actor: Actor, now: datetime) -> Refusal | None:
    choice = registry.PATHS[command.path].suits(state)
    if choice.missing:
        says = f"“{command.path.label}”缺少约定：{'、'.join(choice.missing)}"
        return Refusal(code="path_figures_missing", says=says, clause="保险合同")
    if not choice.applies:
        says = f"不符合“{command.path.label}”的条件：{'；'.join(choice.because)}"
        return Refusal(code="path_not_suitable", says=says, clause=choice.clause)
    if command.path is state.path:
        return Refusal(code="already_done", says=f"案件已在“{command.path.label}”路径上")
    return None


def _determine(state: ClaimState, command: commands.DetermineClaim, actor: Actor, now: datetime) -> Refusal | None:
    if command.covered and state.facts_true is not True:
        return Refusal(code="not_surveyed", says="查勘尚未认定事故真实，不能核定属于保险责任", clause=DETERMINATION)
    if not command.covered and any(payment.status in money.PENDING for payment in state.payments):
        return Refusal(code="payments_open", says="尚有未了结的付款，须先作废或者确认结果")
    return None


def _agree(state: ClaimState, command: commands.AgreeSettlement, actor: Actor, now: datetime) -> Refusal | None:
    if state.limits.unknown:
        return paying.limits_unknown(state)
    if not state.losses or not all(line.determined for line in state.losses):
        return Refusal(code="not_assessed", says="损失尚未全部核定", clause=DETERMINATION)
    owed = money.payable(state).total
    if command.amount != owed:
        says = f"协议金额须等于限额内的核定损失 {yuan(owed)}；金额有变的，请先重新定损"
        return Refusal(code="settlement_differs", says=says, clause=DETERMINATION)
    return None


def _close(state: ClaimState, command: commands.CloseClaim, actor: Actor, now: datetime) -> Refusal | None:
    waiting = next((one for one in _open_duties(state) if Event.CLAIM_RESULT_UPLOADED in one.duty.met_by), None)
    if waiting:
        return Refusal(code="step_skipped", says=f"须先“{waiting.duty.label}”，再结案", clause=citation(waiting.cites))
    return paying.refuse_uneven(state)


def _open_duties(state: ClaimState) -> list[BoundDuty]:
    return [clocks.rule(state.rulebook, one) for one in state.clock.duties if one.is_open]


def _upload(state: ClaimState, command: commands.UploadResult, actor: Actor, now: datetime) -> Refusal | None:
    if command.file is None and command.receipt is None:
        return Refusal(code="nothing_uploaded", says="须附上传的文件或者平台回执号", clause=PRODUCT, status=422)
    return None


def _withdraw(state: ClaimState, command: commands.WithdrawClaim, actor: Actor, now: datetime) -> Refusal | None:
    """Money that is out, or may be, is settled first; a denied claim gets its refusal notice (保险法 24)."""
    if any(payment.disputed for payment in state.payments):
        return Refusal(code="payment_disputed", says="有付款结果矛盾尚未查清")
    if any(payment.status in money.PENDING for payment in state.payments):
        return Refusal(code="payments_open", says="尚有未了结的付款，须先作废或者确认结果")
    out = sum(money.paid_by_pot(state).values(), money.ZERO)
    if out:
        return Refusal(code="money_out", says=f"已付 {yuan(out)} 尚未追回，不能撤案", clause=PRODUCT)
    return None


CHECKS: dict[type[Command], Callable[..., Refusal | None]] = {
    commands.RequestDocuments: _request,
    commands.AssessLoss: _assess,
    commands.SetLimits: _limits,
    commands.ChoosePath: _path,
    commands.DetermineClaim: _determine,
    commands.AgreeSettlement: _agree,
    commands.ProposePayment: paying.refuse_proposal,
    commands.ApprovePayment: paying.refuse_approval,
    commands.VoidPayment: paying.refuse_void,
    commands.RecordOutcome: paying.refuse_outcome,
    commands.SetOffAdvance: paying.refuse_set_off,
    commands.UploadResult: _upload,
    commands.CloseClaim: _close,
    commands.WithdrawClaim: _withdraw,
    ExtendDuty: duties.refuse_extension,
    AcknowledgeDuty: duties.refuse_hearing,
    TakeOverDuty: duties.refuse_hearing,
    AnswerDuty: duties.refuse_hearing,
    PassOn: duties.refuse_passing,
    AdoptRules: new_rules.refuse,
}
