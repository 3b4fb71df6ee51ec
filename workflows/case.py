"""The one loop of every case: command or alarm → decide → commit in order → answer; one timer; operators' details.

Nothing is decided here: a `Life` brings the pure functions of its domain module.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar, cast

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from domain.decision import Decision, Refused, is_repeat
from models.contracts.base import Actor, CaseKey, Command, Contract, Given
from models.contracts.claim_state import ClaimState
from models.contracts.hazard import HazardState
from models.contracts.policy import PolicyState
from models.contracts.ports import Ledger, Recall, RuleDesk
from models.contracts.rulebook import Resolved, RulesFor
from models.contracts.step import CaseRow, Refusal, Step, Trace
from workflows import options, search

S = TypeVar("S", PolicyState, HazardState, ClaimState)
V = TypeVar("V", bound=Contract)
T = TypeVar("T")

LONG_HISTORY = 1_500
"""Events after which a run is continued as new even if no chapter has ended; the server suggests it later."""


@dataclass(frozen=True)
class Life(Generic[S, V]):
    """The pure functions of one kind of case, and how it is shown."""

    refuse: Callable[[S, Command, Actor, datetime], Refusal | None]
    decide: Callable[[S, Given[Any], datetime], Decision[S]]
    ring: Callable[[S, datetime], Decision[S]]
    next_alarm: Callable[[S], datetime | None]
    over: Callable[[S], bool]
    view: Callable[[S], V]
    row: Callable[[S, V, dict[str, Any]], CaseRow]
    answer: type[V]
    details: Callable[[S], str]
    waits_for: Callable[[S], str]
    chapter: Callable[[S], str]
    """A name of the stage of life; when it changes, the run is continued as new."""


class Case(Generic[S, V]):
    """The running side of a case: its state, its commits in order, its alarm."""

    def __init__(self, life: Life[S, V], state: S | None) -> None:
        self.life = life
        self.state = state
        self.alarm: datetime | None = None
        self.committed = state.seq if state else 0
        self.chapter = life.chapter(state) if state else ""
        self.standing: search.Standing | None = None
        self.errands: set[asyncio.Task[None]] = set()
        if state:
            self._shown(state)

    def check(self, given: Given[Any]) -> None:
        """Refuse what cannot be done before it enters history; a command already carried out is let through."""
        if self.state is None:
            raise refusal_error(Refusal(code="not_open", says="尚未建档", status=409))
        if self._repeats(self.state, given):
            return
        refusal = self.life.refuse(self.state, given.command, given.actor, workflow.now())
        if refusal:
            raise refusal_error(refusal)

    async def act(self, given: Given[Any], then: Callable[[Decision[S]], Awaitable[None]] | None = None) -> V:
        """Carry out a command that was not refused; `then` runs after the commit and before the answer."""
        assert self.state is not None
        if self._repeats(self.state, given):
            return await self.recall(given)
        await self.ring()
        refusal = self.life.refuse(self.state, given.command, given.actor, workflow.now())
        if refusal:  # the state may have moved on between the check and here
            raise refusal_error(refusal)
        decision = self.decided(lambda: self.life.decide(cast(S, self.state), given, workflow.now()))
        view = await self.take(decision, given)
        if then:
            await then(decision)
        return view

    def repeats(self, given: Given[Any]) -> bool:
        """Whether this very command was carried out already, and will get the answer it got then."""
        return self.state is not None and self._repeats(self.state, given)

    def _repeats(self, state: S, given: Given[Any]) -> bool:
        return self.decided(lambda: is_repeat(state.remembered, given))

    def decided(self, decide: Callable[[], T]) -> T:
        """A bug in a decision fails this command alone, never the case (promises.md rule 4)."""
        try:
            return decide()
        except Refused as refused:
            raise refusal_error(refused.refusal) from refused
        except Exception as bug:
            workflow.logger.exception("decision failed")
            raise internal_error() from bug

    async def ring(self) -> None:
        """Every alarm that is due; a command that waited for a worker as long as they did comes after them."""
        while self.state and not self.life.over(self.state) and self.alarm and self.alarm <= workflow.now():
            await self.take(self.life.ring(self.state, workflow.now()))

    async def take(self, decision: Decision[S], given: Given[Any] | None = None) -> V:
        """Make a decision the state at once, then commit its step after all earlier ones."""
        view, step = self.decided(lambda: self._step(decision, given)) if given else self._step(decision, given)
        self.state = decision.state
        self._shown(decision.state)
        self._found_by(step.row)
        await workflow.wait_condition(lambda: self.committed == step.seq - 1)
        await commit(step)
        self.committed = step.seq
        return view

    def _step(self, decision: Decision[S], given: Given[Any] | None) -> tuple[V, Step]:
        view = self.life.view(decision.state)
        shown = view.model_dump(mode="json")
        step = Step(
            seq=decision.state.seq,
            at=workflow.now(),
            trace=trace(given) if given else None,
            happened=decision.happened,
            notices=decision.notices,
            row=self.life.row(decision.state, view, shown),
            answer=shown if given else {},
        )
        return view, step

    async def recall(self, given: Given[Any]) -> V:
        """The answer a repeated command was given the first time."""
        assert self.state is not None
        row = self.life.row(self.state, self.life.view(self.state), {})
        key = CaseKey(case_id=row.case_id, insurer_id=row.insurer_id, workflow_id=row.workflow_id)
        recalled = await workflow.execute_activity_method(
            Ledger.recall_answer,
            Recall(case=key, command_id=given.command_id),
            **options.LEDGER,
            summary="重复的指令，取回原答复",
        )
        return self.life.answer.model_validate(recalled.answer) if recalled.answer else self.life.view(self.state)

    def _shown(self, state: S) -> None:
        self.alarm = self.life.next_alarm(state)
        workflow.set_current_details(self.life.details(state))

    def _found_by(self, row: CaseRow) -> None:
        """Tell visibility only what changed: each upsert is an event of history."""
        assert self.state is not None
        stage, duty = self.state.stage.label, self.life.waits_for(self.state) or None
        standing = search.standing(row, stage, duty)
        if standing != self.standing:
            self.standing = standing
            workflow.upsert_search_attributes(search.updates(row, stage, duty))

    async def live(self) -> S | None:
        """Ring every alarm until the case is over (`None`) or a chapter has ended (the state to go on with)."""
        assert self.state is not None
        while not self.life.over(self.state):
            if self._chapter_ended():
                await self._settled()
                return self.state
            await self._wait()
            await self.ring()
        await self._settled()
        return None

    async def _wait(self) -> None:
        """Until the next alarm is due, or something has changed that it depends on."""
        alarm = self.alarm
        timeout = (alarm - workflow.now()) if alarm else None
        assert self.state is not None
        if timeout is not None and timeout <= timedelta(0):
            return
        try:
            await workflow.wait_condition(
                lambda: self.alarm != alarm or self.life.over(cast(S, self.state)) or self._chapter_ended(),
                timeout=timeout,
                timeout_summary=self.life.waits_for(self.state)[:120] or None,
            )
        except TimeoutError:
            return

    def _chapter_ended(self) -> bool:
        info = workflow.info()
        suggested = info.is_continue_as_new_suggested() or info.get_current_history_length() > LONG_HISTORY
        return suggested or (self.state is not None and self.life.chapter(self.state) != self.chapter)

    def errand(self, task: Awaitable[None]) -> None:
        """Something sent off beside the loop; it is awaited before the run ends."""
        running = asyncio.ensure_future(task)
        self.errands.add(cast("asyncio.Task[None]", running))
        running.add_done_callback(self.errands.discard)

    async def _settled(self) -> None:
        await workflow.wait_condition(lambda: workflow.all_handlers_finished() and not self.errands)


def takes(name: str) -> Callable[[Callable[..., Any]], Any]:
    """An update under `name` whose command is checked before it enters history."""

    def decorate(handler: Callable[..., Any]) -> Any:
        def checked(self: Any, given: Given[Any]) -> None:
            self.case.check(given)

        # Temporal wants a validator to take exactly what its update takes
        checked.__annotations__ = {**handler.__annotations__, "return": None}
        update = workflow.update(name=name)(handler)
        update.validator(checked)
        return update

    return decorate


def refusal_error(refusal: Refusal) -> ApplicationError:
    """A refusal as the client receives it: told apart by type, never by text."""
    return ApplicationError(refusal.says, refusal.model_dump(), type="refused", non_retryable=True)


def internal_error() -> ApplicationError:
    """A bug as the client receives it: this command was not carried out."""
    return ApplicationError("系统内部错误，本次操作未生效", type="internal", non_retryable=True)


def trace(given: Given[Any]) -> Trace:
    return Trace(
        command_id=given.command_id,
        name=type(given.command).__name__,
        fingerprint=given.fingerprint,
        actor=given.actor,
    )


async def commit(step: Step) -> None:
    """One transaction per step: a short local activity, and a patient normal one where the database does not answer."""
    try:
        await workflow.execute_local_activity_method(Ledger.commit_step, step, **options.LEDGER_AT_ONCE)
    except FailureError as failure:
        if is_cancelled_exception(failure):
            raise
        await workflow.execute_activity_method(
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
