"""What each command changes in a claim, before the clock hears of it; payments change in payments.py."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from domain import duties
from domain.calendar import local_date
from domain.claim import grading, payments
from domain.claim.change import Change
from domain.claim_paths import registry
from domain.decision import fact_instant
from domain.wording import money as yuan
from models.contracts import claim as commands
from models.contracts.base import Actor, Command
from models.contracts.case import AcknowledgeDuty, AnswerDuty, ExtendDuty, PassOn, TakeOverDuty
from models.contracts.claim import Accident
from models.contracts.claim_state import Agreement, Choice, ClaimState, PathTaken
from models.contracts.clock import Clock
from models.contracts.step import Happening
from models.contracts.vocabulary import ClaimPath, Event, NoticeKind, Role

UNKNOWN = {True: "是", False: "否", None: "未查明"}


def _casualties(state: ClaimState, command: commands.UpdateCasualties, actor: Actor, now: datetime) -> Change:
    """Inside the window the grade follows; later figures are put on record only (国务院令第493号 第十三、二十条)."""
    at = fact_instant(command.on, now)
    accident = Accident.model_validate(state.accident.model_dump() | command.casualties.model_dump())
    reached, because = grading.grade(accident)
    last = grading.last_regrading_day(accident)
    inside = local_date(at) <= last
    said = f"{because}：{command.note}" if inside else f"{command.note}（已过补报期，仅作记录，不改变等级）"
    happened = (Happening(event=Event.CASUALTIES_UPDATED, at=at, said=said),)
    update: dict[str, Any] = {"accident": accident}
    if inside:
        update |= {"grade": reached, "grade_because": because}
    if not inside or reached is state.grade:
        return Change(happened, update)
    moved = f"由{state.grade.label}变更为{reached.label}"
    happened += (Happening(event=Event.ACCIDENT_REGRADED, at=at, said=moved),)
    if grading.ORDER.index(reached) < grading.ORDER.index(state.grade):
        return Change(happened, update)
    tell = ((NoticeKind.ACCIDENT_REGRADED, Role.INSURER, f"regraded{state.seq + 1}"),)
    note = f"{moved}（{because}）；{_prepayment(state.model_copy(update=update))}"
    return Change(happened, update, tell=tell, note=note)


def _prepayment(state: ClaimState) -> str:
    """Whether the risen grade opens the way of the large prepayment, in this place and under this contract."""
    choice = registry.PATHS[ClaimPath.LARGE_PREPAY].suits(state)
    if choice.applies:
        return f"已符合大额预付的条件（{choice.clause}）"
    lacking = (f"未约定{one}" for one in choice.missing)
    return f"大额预付的条件尚不齐备：{'；'.join((*choice.because, *lacking))}"


def _request(state: ClaimState, command: commands.RequestDocuments, actor: Actor, now: datetime) -> Change:
    """The pack holds the days of determination while documents are awaited (保险法解释二 第十五条)."""
    reason = f"（再次通知的理由：{command.override_reason}）" if command.override_reason else ""
    said = f"请补充：{'、'.join(command.documents)}{reason}"
    requests = state.requests + 1
    return Change(
        (Happening(event=Event.DOCUMENTS_REQUESTED, at=fact_instant(command.on, now), said=said),),
        {"requests": requests, "asked": (*state.asked, *command.documents), "documents_complete": False},
        tell=((NoticeKind.DOCUMENTS_REQUESTED, Role.INSURED, f"request{requests}"),),
    )


def _receive(state: ClaimState, command: commands.ReceiveDocuments, actor: Actor, now: datetime) -> Change:
    at = fact_instant(command.on, now)
    listed = "、".join(command.documents)
    data = {"files": [file.model_dump(mode="json") for file in command.files]}
    if not command.complete:
        said = f"收到{listed or '部分材料'}，尚未收齐"
        return Change((Happening(event=Event.DOCUMENTS_ARRIVED, at=at, said=said, data=data),))
    received = Happening(event=Event.DOCUMENTS_RECEIVED, at=at, said=listed, data=data)
    complete = () if state.documents_complete else (Happening(event=Event.CLAIM_DOCUMENTS_COMPLETE, at=at),)
    return Change((received, *complete), {"documents_complete": True})


def _survey(state: ClaimState, command: commands.RecordSurvey, actor: Actor, now: datetime) -> Change:
    """What a later survey leaves open stays as it was found before."""
    facts = state.facts_true if command.facts_true is None else command.facts_true
    clear = state.liability_clear if command.liability_clear is None else command.liability_clear
    said = f"事故真实：{UNKNOWN[facts]}；责任明确：{UNKNOWN[clear]}。{command.note}"
    data = {"files": [file.model_dump(mode="json") for file in command.files]}
    happened = Happening(event=Event.CLAIM_SURVEYED, at=fact_instant(command.on, now), said=said, data=data)
    return Change((happened,), {"facts_true": facts, "liability_clear": clear})


def _assess(state: ClaimState, command: commands.AssessLoss, actor: Actor, now: datetime) -> Change:
    total = sum((line.amount for line in command.lines), payments.ZERO)
    certain = sum((line.amount for line in command.lines if line.determined), payments.ZERO)
    said = f"{len(command.lines)} 项，共 {yuan(total)}，其中已确定 {yuan(certain)}"
    note = f"；{command.note}" if command.note else ""
    happened = Happening(event=Event.LOSS_ASSESSED, at=fact_instant(command.on, now), said=said + note)
    return Change((happened,), {"losses": command.lines})


def _limits(state: ClaimState, command: commands.SetLimits, actor: Actor, now: datetime) -> Change:
    return Change((Happening(event=Event.LIMITS_SET, at=now, said=command.reason),), {"limits": command.limits})


def _path(state: ClaimState, command: commands.ChoosePath, actor: Actor, now: datetime) -> Change:
    choice = registry.PATHS[command.path].suits(state)
    reason = f"人工选定：{command.reason}；{'；'.join(choice.because)}"
    return take_path(state, choice, reason, now, by_person=True)


def take_path(state: ClaimState, choice: Choice, because: str, now: datetime, *, by_person: bool) -> Change:
    """Another path from now on; clocks that run go on running, the path's own begin the first time it is taken."""
    entry = PathTaken(path=choice.path, at=now, because=because, clause=choice.clause, by_person=by_person)
    chosen = Happening(event=Event.PATH_CHOSEN, at=now, said=f"{choice.path.label}（{because}）")
    first = all(earlier.path is not choice.path for earlier in state.paths)
    starts = registry.PATHS[choice.path].clock(state, now) if first else ()
    return Change((chosen, *starts), {"paths": (*state.paths, entry)})


def by_rule(state: ClaimState, now: datetime) -> Change | None:
    """The path the facts ask for, unless a person has chosen one."""
    settling = [entry for entry in state.paths if entry.path is not ClaimPath.EMERGENCY_ADVANCE]
    if state.covered is False or state.agreed or (settling and settling[-1].by_person):
        return None
    choice = registry.chosen_by_rule(state)
    if choice.path is registry.main_path(state):
        return None
    return take_path(state, choice, f"按规则选定：{'；'.join(choice.because)}", now, by_person=False)


def _determine(state: ClaimState, command: commands.DetermineClaim, actor: Actor, now: datetime) -> Change:
    at = fact_instant(command.on, now)
    verdict = "属于保险责任" if command.covered else "不属于保险责任"
    happened = [Happening(event=Event.CLAIM_DETERMINED, at=at, said=f"{verdict}：{command.note}")]
    if not command.covered:
        happened.append(Happening(event=Event.COVERAGE_DENIED, at=at, said=command.note))
    tell = ((NoticeKind.CLAIM_RESULT, Role.INSURED, f"result{state.reopened}"),) if command.covered else ()
    return Change(tuple(happened), {"covered": command.covered}, tell=tell)


def _agree(state: ClaimState, command: commands.AgreeSettlement, actor: Actor, now: datetime) -> Change:
    at = fact_instant(command.on, now)
    agreed = Agreement(amount=command.amount, on=local_date(at), digest=command.agreement.digest)
    happened = Happening(event=Event.SETTLEMENT_AGREED, at=at, said=f"赔偿金额 {yuan(command.amount)}")
    return Change((happened,), {"agreed": agreed})


def _refuse(state: ClaimState, command: commands.RefuseClaim, actor: Actor, now: datetime) -> Change:
    at = fact_instant(command.on, now)
    data = {"notice": command.notice.model_dump(mode="json")}
    served = Happening(
        event=Event.CLAIM_REFUSED, at=at, said=f"{command.reasons}（保险合同 {command.clause}）", data=data
    )
    return Change(
        (served, Happening(event=Event.CLAIM_COMPLETED, at=at, said="拒赔通知书已送达")),
        tell=((NoticeKind.CLAIM_REFUSED, Role.INSURED, f"refused{state.reopened}"),),
    )


def _upload(state: ClaimState, command: commands.UploadResult, actor: Actor, now: datetime) -> Change:
    said = f"平台回执 {command.receipt}" if command.receipt else "已上传"
    data = {"file": command.file.model_dump(mode="json")} if command.file else {}
    at = fact_instant(command.on, now)
    return Change((Happening(event=Event.CLAIM_RESULT_UPLOADED, at=at, said=said, data=data),))


def _close(state: ClaimState, command: commands.CloseClaim, actor: Actor, now: datetime) -> Change:
    happened = Happening(event=Event.CLAIM_CLOSED, at=now, said=command.note or "账目相符，结案")
    return Change((happened,), {"closed_at": now})


def _reopen(state: ClaimState, command: commands.ReopenClaim, actor: Actor, now: datetime) -> Change:
    """The decision falls away, the facts, the loss and every payment stay."""
    happened = Happening(event=Event.CLAIM_REOPENED, at=now, said=command.reason)
    update = {"covered": None, "agreed": None, "closed_at": None, "reopened": state.reopened + 1}
    return Change((happened,), update)


def _withdraw(state: ClaimState, command: commands.WithdrawClaim, actor: Actor, now: datetime) -> Change:
    """It can be taken up again while it could still be claimed; until then nothing of it runs."""
    happened = Happening(event=Event.CLAIM_WITHDRAWN, at=fact_instant(command.on, now), said=command.reason)
    tell = ((NoticeKind.CLAIM_WITHDRAWN, Role.INSURED, f"withdrawn{state.reopened}"),)
    return Change((happened,), {"closed_at": now}, tell=tell)


def _litigation(state: ClaimState, command: commands.RecordLitigation, actor: Actor, now: datetime) -> Change:
    verdict = "保险机构承担责任" if command.responsible else "保险机构不承担责任"
    kept = {"number": command.number, "responsible": command.responsible}
    data = {**kept, "document": command.document.model_dump(mode="json")}
    said = f"{command.number}：{verdict}。{command.note}"
    at = fact_instant(command.on, now)
    return Change((Happening(event=Event.LITIGATION_ENDED, at=at, said=said, data=data),))


def _of_duty(function: Callable[..., tuple[Clock, Happening]]) -> Callable[..., Change]:
    def change(state: ClaimState, command: Any, actor: Actor, now: datetime) -> Change:
        clock, happening = function(state, command, actor, now)
        return Change((happening,), {"clock": clock})

    return change


def _answered(state: ClaimState, command: AnswerDuty, actor: Actor, now: datetime) -> Change:
    clock, happening = duties.answered(state, command, actor, now, Event.DEPARTMENT_ANSWERED)
    return Change((happening,), {"clock": clock})


def _passed_on(state: ClaimState, command: PassOn, actor: Actor, now: datetime) -> Change:
    clock, happening, told = duties.passed_on(state, command, actor, now)
    return Change((happening,), {"clock": clock}, notices=(told,))


CHANGES: dict[type[Command], Callable[..., Change]] = {
    commands.UpdateCasualties: _casualties,
    commands.RequestDocuments: _request,
    commands.ReceiveDocuments: _receive,
    commands.RecordSurvey: _survey,
    commands.AssessLoss: _assess,
    commands.SetLimits: _limits,
    commands.ChoosePath: _path,
    commands.DetermineClaim: _determine,
    commands.AgreeSettlement: _agree,
    commands.RefuseClaim: _refuse,
    commands.ProposePayment: payments.proposed,
    commands.ApprovePayment: payments.approved,
    commands.VoidPayment: payments.voided,
    commands.RecordOutcome: payments.recorded,
    commands.SetOffAdvance: payments.set_off,
    commands.UploadResult: _upload,
    commands.CloseClaim: _close,
    commands.ReopenClaim: _reopen,
    commands.WithdrawClaim: _withdraw,
    commands.RecordLitigation: _litigation,
    ExtendDuty: _of_duty(duties.extended),
    AcknowledgeDuty: _of_duty(duties.heard),
    TakeOverDuty: _of_duty(duties.heard),
    AnswerDuty: _answered,
    PassOn: _passed_on,
}
