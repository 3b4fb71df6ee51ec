"""The ledger as a case's journal: steps with their causes committed, and taken again where a run has lost them."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from domain.decision import Decision
from models.contracts.base import CaseKey, Command, Contract, Given
from models.contracts.hazard import HazardBirth
from models.contracts.ports import Ledger, Registry, RuleDesk
from models.contracts.rulebook import Resolved, RulesFor
from models.contracts.step import CaseRow, Cause, Entered, Recorded, Standing, Step, Trace
from models.contracts.vocabulary import CauseKind
from workflows import options
from workflows.lives import Life, S, V

COMPARED = ("stage", "next_duty", "next_due_at", "next_alarm_at", "ended_at", "packs", "calendar_through")


class Found(NamedTuple):
    """Which rules a case opens under, and the question that found them."""

    question: RulesFor
    resolved: Resolved


def key_of(row: CaseRow) -> CaseKey:
    return CaseKey(case_id=row.case_id, insurer_id=row.insurer_id, workflow_id=row.workflow_id)


def trace(given: Given[Any]) -> Trace:
    return Trace(
        command_id=given.command_id,
        name=type(given.command).__name__,
        fingerprint=given.fingerprint,
        actor=given.actor,
    )


def cause_of(given: Given[Any]) -> Cause:
    """A command as the ledger remembers it, whole, so that it can be carried out again."""
    body = {"name": type(given.command).__name__, **given.model_dump(mode="json")}
    return Cause(kind=CauseKind.COMMAND, key=given.mark, body=body)


def given_again(cause: Cause, known: dict[str, type[Command]]) -> Given[Any]:
    command = known[cause.body["name"]].model_validate_json(json.dumps(cause.body["command"]))
    return Given[Any].model_validate({**cause.body, "command": command})


def step(life: Life[S, V], decision: Decision[S], cause: Cause, given: Given[Any] | None) -> tuple[V, Step]:
    """What is committed of a decision, and the view that answers it."""
    view = life.view(decision.state)
    shown = view.model_dump(mode="json")
    return view, Step(
        seq=decision.state.seq,
        at=workflow.now(),
        cause=cause,
        trace=trace(given) if given else None,
        happened=decision.happened,
        notices=decision.notices,
        row=life.row(decision.state, view, shown),
        answer=shown if given else {},
    )


async def commit(step: Step) -> Entered:
    """One transaction per step: a short local activity, and a patient normal one where the database does not answer."""
    try:
        return await workflow.execute_local_activity_method(Ledger.commit_step, step, **options.LEDGER_AT_ONCE)
    except FailureError as failure:
        if is_cancelled_exception(failure):
            raise
        return await workflow.execute_activity_method(
            Ledger.commit_step, step, **options.LEDGER, summary=f"台账第 {step.seq} 步，数据库恢复后补记"
        )


async def resolve(asked: RulesFor) -> Resolved:
    """The rules in force, pinned from here on: they enter history once and travel with the state."""
    try:
        return await workflow.execute_local_activity_method(RuleDesk.resolve_rules, asked, **options.RULES_AT_ONCE)
    except FailureError as failure:
        if is_cancelled_exception(failure):
            raise
        return await workflow.execute_activity_method(
            RuleDesk.resolve_rules, asked, **options.RULES, summary="查定适用规则"
        )


async def open_hazards(births: tuple[HazardBirth, ...]) -> None:
    """Companions opened within the task of the step that found them; patiently where that takes longer."""
    try:
        await workflow.execute_local_activity_method(Registry.open_hazards, births, **options.REGISTRY_AT_ONCE)
    except FailureError as failure:
        if is_cancelled_exception(failure):
            raise
        await workflow.execute_activity_method(
            Registry.open_hazards, births, **options.REGISTRY, summary=f"为 {len(births)} 处隐患建立案卷"
        )


def opening(given: Given[Any], birth: Contract) -> Cause:
    """The same application opens the same case, under whatever key it comes; with its birth it can be opened anew."""
    cause = cause_of(given)
    body = {**cause.body, "birth": birth.model_dump(mode="json")}
    return cause.model_copy(update={"key": f"opened#{given.fingerprint}", "body": body})


def alarm(at: datetime) -> Cause:
    """An alarm is known by its instant."""
    return Cause(kind=CauseKind.ALARM, key=at.isoformat())


def told(news: Contract) -> Cause:
    """News is known by its words."""
    return Cause(kind=CauseKind.NEWS, key=news.model_dump_json(), body=news.model_dump(mode="json"))


def taken_again(life: Life[S, V], state: S, missed: Sequence[Recorded]) -> list[Decision[S]]:
    """The recorded steps, decided once more as they were decided the first time."""
    decisions: list[Decision[S]] = []
    for recorded in missed:
        decision = _decided_again(life, state, recorded)
        if decision is None:
            raise RuntimeError(f"step {recorded.seq} of the ledger cannot be taken again")
        decisions.append(decision)
        state = decision.state
    return decisions


def _decided_again(life: Life[S, V], state: S, recorded: Recorded) -> Decision[S] | None:
    cause, at = recorded.cause, recorded.at
    if cause.kind is CauseKind.ALARM:
        return life.ring(state, datetime.fromisoformat(cause.key))
    if cause.kind is CauseKind.NEWS:
        return life.heard(state, cause.body, at)
    return life.decide(state, given_again(cause, life.commands), at)


async def of_then(found: Found, entered: Entered) -> Resolved:
    """The packs and the calendar a case on record was opened under, not those of today."""
    if entered.stands is None:  # an answer from before the ledger told of them
        return found.resolved
    return await resolve(found.question.model_copy(update={"pinned": entered.stands.began}))


def differs(row: CaseRow, stands: Standing) -> bool:
    """Whether steps taken again lead elsewhere than they led the first time."""
    return any(getattr(row, name) != getattr(stands, name) for name in COMPARED)
