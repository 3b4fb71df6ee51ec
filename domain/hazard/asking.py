"""What the insured may ask about a hazard (to drop it, to have longer), and the answers; terms are in packs."""

from datetime import datetime

from domain import clock as clocks
from domain import duties
from domain.hazard.change import Change, Tell, answers_the_notice
from domain.wording import day
from models.contracts import hazard as commands
from models.contracts.base import Actor, Attachment
from models.contracts.case import ExtendDuty
from models.contracts.hazard import AskedTime, HazardState, Objection
from models.contracts.step import Happening, Refusal
from models.contracts.vocabulary import ActorKind, Event, HazardGrade, NoticeKind, Role, StopReason

ANSWERING = frozenset({ActorKind.INSURER, ActorKind.OPERATOR})
FROM_THE_START = frozenset({Event.HAZARD_FOUND, Event.RECHECK_FAILED})


def rectification(state: HazardState) -> str | None:
    """The key of the term of rectification that runs; `None` while none does."""
    running = [one for one in state.clock.duties if one.is_open and one.anchor in FROM_THE_START]
    owed = [one.key for one in running if clocks.rule(state.rulebook, one).duty.owed_by is Role.INSURED]
    return owed[-1] if owed else None


def asked_time(state: HazardState) -> AskedTime | None:
    """The request that still waits for its answer; it falls away with the term it was made for."""
    asked = state.more_time
    running = clocks.running(state.clock, asked.duty) if asked else None
    return asked if running and running.is_open else None


def refuse_objection(
    state: HazardState, command: commands.ObjectToHazard, actor: Actor, now: datetime
) -> Refusal | None:
    return Refusal(code="waits_for_answer", says="前一次异议尚未答复") if state.objection else None


def refuse_answer(state: HazardState, command: commands.AnswerObjection, actor: Actor, now: datetime) -> Refusal | None:
    """What departments were told of is no longer between the insurer and the insured (by product)."""
    if actor.kind not in ANSWERING:
        return Refusal(code="not_the_insurer", says="异议由保险机构答复", status=403)
    if state.objection is None:
        return Refusal(code="nothing_asked", says="没有待答复的异议")
    reported = state.birth.hazard.grade is HazardGrade.MAJOR and Event.HAZARD_REPORTED in state.facts
    if command.upheld and reported:
        return Refusal(code="department_decides", says="该重大事故隐患已报告主管部门，是否属于隐患由主管部门认定")
    return None


def refuse_asking(state: HazardState, command: commands.AskMoreTime, actor: Actor, now: datetime) -> Refusal | None:
    """Only while the term runs, and only for as much as the insurer could grant."""
    key = rectification(state)
    if key is None:
        return Refusal(code="wrong_stage", says="目前没有进行中的整改期限，不能申请延长")
    if asked_time(state):
        return Refusal(code="waits_for_answer", says="前一次延期申请尚未答复")
    days = _days(state, command, key)
    if days is None:
        return Refusal(code="date_out_of_range", says="计时已中止，请写明延长的天数", status=422)
    if days < 1:
        return Refusal(code="date_out_of_range", says="延至的日期须晚于目前的期限", status=422)
    return duties.refuse_extension(state, _extension(key, days, command.reason), actor, now)


def refuse_declining(
    state: HazardState, command: commands.DeclineMoreTime, actor: Actor, now: datetime
) -> Refusal | None:
    if actor.kind not in ANSWERING:
        return Refusal(code="not_the_insurer", says="延期申请由保险机构答复", status=403)
    return None if asked_time(state) else Refusal(code="nothing_asked", says="没有待答复的延期申请")


def _days(state: HazardState, command: commands.AskMoreTime, key: str) -> int | None:
    """The days asked for; `None` where a day was named while the clock stands still."""
    if command.until_on is None:
        return command.days
    running = clocks.running(state.clock, key)
    assert running is not None
    duty = clocks.rule(state.rulebook, running).duty
    nominal = clocks.project(duty, running, state.clock, state.calendar).nominal
    return (command.until_on - nominal).days if nominal else None


def _extension(key: str, days: int, reason: str) -> ExtendDuty:
    return ExtendDuty.model_construct(duty=key, days=days, reason=reason, evidence=None)


def objected(state: HazardState, command: commands.ObjectToHazard, actor: Actor, now: datetime) -> Change:
    """Put on record and told to the insurer; no clock stops."""
    happened = Happening(
        event=Event.HAZARD_OBJECTED,
        at=now,
        said=_with_files(command.reason, command.evidence),
        data=_files(command.evidence),
    )
    return Change(
        (*answers_the_notice(state, now), happened),
        {"objection": Objection(at=now, reason=command.reason)},
        tell=(Tell(NoticeKind.HAZARD_OBJECTION, Role.INSURER, f"objection{state.seq + 1}", happened.said),),
    )


def answered(state: HazardState, command: commands.AnswerObjection, actor: Actor, now: datetime) -> Change:
    event = Event.OBJECTION_UPHELD if command.upheld else Event.OBJECTION_REJECTED
    answer = Happening(event=event, at=now, said=command.note, data=_files(command.evidence))
    told = Tell(
        NoticeKind.OBJECTION_ANSWER, Role.INSURED, f"objection{state.seq + 1}", f"{event.label}，{command.note}"
    )
    closed = (Happening(event=Event.HAZARD_CLOSED, at=now, said=StopReason.NOT_A_HAZARD.label),)
    return Change(
        (answer, *(closed if command.upheld else ())),
        {"objection": None},
        tell=(told,),
        closes=StopReason.NOT_A_HAZARD,
    )


def asked(state: HazardState, command: commands.AskMoreTime, actor: Actor, now: datetime) -> Change:
    key = rectification(state)
    assert key is not None
    days = _days(state, command, key)
    assert days is not None
    until = f"（至 {day(command.until_on)}）" if command.until_on else ""
    happened = Happening(
        event=Event.MORE_TIME_ASKED, at=now, duty_key=key, said=f"申请延长 {days} 日{until}：{command.reason}"
    )
    return Change(
        (*answers_the_notice(state, now), happened),
        {"more_time": AskedTime(duty=key, days=days, at=now, reason=command.reason)},
        tell=(Tell(NoticeKind.MORE_TIME_ASKED, Role.INSURER, f"asked{state.seq + 1}", happened.said),),
    )


def declined(state: HazardState, command: commands.DeclineMoreTime, actor: Actor, now: datetime) -> Change:
    waiting = asked_time(state)
    assert waiting is not None
    happened = Happening(event=Event.MORE_TIME_DECLINED, at=now, duty_key=waiting.duty, said=command.note)
    return Change((happened,), {"more_time": None}, tell=(_reply(state, f"不同意延长，{command.note}"),))


def extended(state: HazardState, command: ExtendDuty, actor: Actor, now: datetime) -> Change:
    """An extension answers the request that was made for this term."""
    clock, happened = duties.extended(state, command, actor, now)
    waiting = asked_time(state)
    if waiting is None or waiting.duty != command.duty:
        return Change((happened,), clock=clock)
    said = f"同意延长 {command.days} 日，{command.reason}"
    return Change((happened,), {"more_time": None}, clock, tell=(_reply(state, said),))


def _reply(state: HazardState, said: str) -> Tell:
    return Tell(NoticeKind.MORE_TIME_ANSWER, Role.INSURED, f"asked{state.seq + 1}", said)


def _with_files(reason: str, files: tuple[Attachment, ...]) -> str:
    return f"{reason}（凭证 {len(files)} 件）" if files else reason


def _files(files: tuple[Attachment, ...]) -> dict[str, object]:
    return {"evidence": [file.model_dump(mode="json") for file in files]} if files else {}
