"""The one loop of every case: command or alarm → decide → commit in order → answer; one timer; operators' details.

Nothing is decided here: a `Life` brings the pure functions of its domain module.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Generic, cast

from temporalio import workflow

from domain import room
from domain.decision import Decision, is_repeat
from models.contracts.base import Contract, Given
from models.contracts.ports import Ledger, Recall, Since
from models.contracts.rulebook import Resolved
from models.contracts.step import CaseRow, Cause, Entered, Refusal, Standing
from workflows import journal, options, search
from workflows.answers import decided, refusal_error
from workflows.chapters import is_suggested, with_page
from workflows.journal import Found
from workflows.lives import Life, S, V

Opener = Callable[[Resolved, datetime], Decision[S]]
Follow = Callable[[Decision[S]], Awaitable[None]]

APART = timedelta(milliseconds=1)
"""Any timer gives a task of its own; this one is as short as timers are."""


class CaughtUp(Exception):
    """The ledger knew of steps this run had lost; whoever was deciding decides again on what really happened."""


class Case(Generic[S, V]):
    """The running side of a case: its state, its commits in order, its alarm.

    The ledger is the journal. A server that dies may forget an update whose step is committed already; the next commit
    then finds other steps in its place, and the case takes those first (decision 0021, the ledger is the journal).
    """

    def __init__(self, life: Life[S, V], state: S | None, follow: Follow[S] | None = None) -> None:
        self.life = life
        self.state = state
        self.follow = follow
        """What a decision asks of the world beside its commit: companions opened, news told."""
        self.again: Opener[S] | None = None
        """How the case was opened, to open it again at another instant, under the rules of then."""
        self.reborn: Callable[[], Awaitable[None]] | None = None
        """Returns once a case that is on record is open here, whose run was never told, or has lost it."""
        self.found: Found | None = None
        self.alarm: datetime | None = None
        self.committed, self.times_caught_up = (state.seq if state else 0), 0
        self.following = 0  # decisions on record whose companions are being opened
        self.chapter = life.chapter(state) if state else ""
        self.errands: set[asyncio.Task[None]] = set()
        self.answered_at = 0
        """How long the history was in the task that answered last."""
        self.waits_for, self.listed = "", search.Listed()
        if state:
            self._become(state, life.next_alarm(state))

    def check(self, given: Given[Any]) -> None:
        """Refuse what cannot be done before it enters history; a command already carried out is let through."""
        if self.state is None:
            if given.recorded and self.reborn:
                return
            raise refusal_error(Refusal(code="not_open", says="尚未建档", status=409))
        if given.insurer_id not in (None, self.state.birth.insurer_id):
            raise refusal_error(Refusal(code="not_found", says="没有这个案卷", status=404))
        if self._repeats(self.state, given) or given.recorded > self.state.seq:
            return
        refusal = self.life.refuse(self.state, given.command, given.actor, workflow.now())
        if refusal:
            raise refusal_error(refusal)

    async def act(self, given: Given[Any]) -> V:
        """Carry out a command that was not refused: due alarms first, then the command, then its answer."""
        with self.answering():
            while True:
                try:
                    return await self._act(given)
                except CaughtUp:
                    continue

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Whatever is answered inside: the task that ends the run must not be the one that answers."""
        try:
            yield
        finally:
            self.answered_at = workflow.info().get_current_history_length()

    async def caught_up(self, given: Given[Any]) -> None:
        """Take what the caller has seen on record and this run does not know of."""
        if self.state is None and self.reborn:
            await self.reborn()
            self.check(given)
        await self.level(given.recorded)

    async def level(self, recorded: int) -> None:
        """Take what is on record up to that step, where this run does not know of it; a long life comes in parts."""
        before = -1
        while recorded > self._open_state().seq > before:
            before = self._open_state().seq
            await self._look_up()

    async def _act(self, given: Given[Any]) -> V:
        await self.caught_up(given)
        await self.ring()
        state = self._open_state()
        if self._repeats(state, given):
            return await self.recall(given)
        refusal = self.life.refuse(state, given.command, given.actor, workflow.now())
        if refusal:  # the state may have moved on between the check and here
            raise refusal_error(refusal)
        decision = decided(lambda: room.kept(state, self.life.decide(state, given, workflow.now())))
        return await self.take(decision, journal.cause_of(given), given)

    def _open_state(self) -> S:
        if self.state is None:
            raise RuntimeError("a case that is not open decides nothing")
        return self.state

    def repeats(self, given: Given[Any]) -> bool:
        """Whether this very command was carried out already, and will get the answer it got then."""
        return self.state is not None and self._repeats(self.state, given)

    def _repeats(self, state: S, given: Given[Any]) -> bool:
        return decided(lambda: is_repeat(state.remembered, given))

    async def ring(self) -> None:
        """Every alarm that is due, each at its own instant, so that ringing again gives the same step."""
        while self.state and not self.life.over(self.state) and self.alarm and self.alarm <= workflow.now():
            with suppress(CaughtUp):
                await self.take(self.life.ring(self.state, self.alarm), journal.alarm(self.alarm))

    async def hear(self, news: Contract) -> None:
        """What another case tells; nothing where it changes nothing."""
        told = journal.told(news)
        while self.state is not None and (decision := self.life.heard(self.state, told.body, workflow.now())):
            with suppress(CaughtUp):
                await self.take(decision, told)
                return

    async def open(
        self, opener: Opener[S], found: journal.Found, cause: Cause, given: Given[Any] | None = None
    ) -> None:
        """The first step; where the ledger has it already, it is decided again as it was on record there."""
        decide = lambda: opener(found.resolved, workflow.now())  # noqa: E731 - one expression, two ways to call it
        decision = decided(decide) if given else decide()
        self.chapter = self.life.chapter(decision.state)
        self.again, self.found = opener, found
        with suppress(CaughtUp):
            await self.take(decision, cause, given)

    async def take(self, decision: Decision[S], cause: Cause, given: Given[Any] | None = None) -> V:
        """Make a decision the state at once, then commit its step after all earlier ones. Raises CaughtUp."""
        before, caught_up = self.state, self.times_caught_up
        build = lambda: journal.step(self.life, decision, cause, given)  # noqa: E731 - one expression, two ways to call it
        view, step = decided(build) if given else build()
        self._become(decision.state, step.row.next_alarm_at)
        self.listed.tell(step.row, decision.state.stage.label, self.waits_for)
        await workflow.wait_condition(lambda: self.committed == step.seq - 1 or self.times_caught_up != caught_up)
        if self.times_caught_up != caught_up:
            raise CaughtUp
        entered = await journal.commit(step)
        if entered.missed:
            await self._catch_up(before, entered, cause)
            raise CaughtUp
        self.committed = step.seq
        await self._followed(decision)
        return view

    async def _look_up(self) -> None:
        """The caller saw more steps than this run knows of: take those first."""
        await workflow.wait_condition(lambda: self.committed == self._open_state().seq)
        since = Since(case=journal.key_of(self._row(self._open_state())), seq=self.committed + 1)
        entered = await workflow.execute_activity_method(
            Ledger.recorded_since, since, **options.LEDGER, summary="台账走在前面，先补上"
        )
        if entered.missed and entered.missed[0].seq == self.committed + 1 == self._open_state().seq + 1:
            await self._catch_up(self.state, entered)

    async def _catch_up(self, before: S | None, entered: Entered, cause: Cause | None = None) -> None:
        """Take the steps the ledger has and this run lost, as they were taken the first time."""
        workflow.logger.warning("the ledger is ahead by %d steps", len(entered.missed))
        again = [] if before is None else journal.taken_again(self.life, before, entered.missed)
        decisions = again or await self._opened_again(entered, cause)
        state = decisions[-1].state
        if entered.stands:
            self._agrees(before, state, entered.stands)
        self._become(state, self.life.next_alarm(state))
        self.committed, self.times_caught_up = state.seq, self.times_caught_up + 1
        if entered.stands:  # an answer from before this was told of has none, and its run told the list nothing here
            self.listed.tell(self._row(state), state.stage.label, self.waits_for)
        for decision in decisions:
            await self._followed(decision)

    async def _opened_again(self, entered: Entered, cause: Cause | None) -> list[Decision[S]]:
        if cause is None or self.again is None or self.found is None or entered.missed[0].cause.key != cause.key:
            self.state = None
            raise refusal_error(Refusal(code="number_taken", says="该编号已用于内容不同的建档申请"))
        resolved = await journal.of_then(self.found, entered)
        first = self.again(resolved, entered.missed[0].at)
        return [first, *journal.taken_again(self.life, first.state, entered.missed[1:])]

    def _agrees(self, before: S | None, state: S, stands: Standing) -> None:
        """A case that would live another life than the ledger has rings and tells nothing until it is opened again."""
        if stands.seq == state.seq and journal.differs(self._row(state), stands):
            self.state, self.times_caught_up = before, self.times_caught_up + 1
            raise refusal_error(Refusal(code="ledger_differs", says="照台账重走的结果与台账不符，须人工处理"))

    async def _followed(self, decision: Decision[S]) -> None:
        if self.follow:
            self.following += 1
            try:
                await self.follow(decision)
            finally:  # or a repeated command would wait for ever
                self.following -= 1

    async def recall(self, given: Given[Any]) -> V:
        """The answer a repeated command was given the first time, once what it tells of is there."""
        if self.following:
            await workflow.wait_condition(lambda: not self.following)
        asked = Recall(case=journal.key_of(self._row(self._open_state())), command_id=given.command_id)
        recalled = await workflow.execute_activity_method(
            Ledger.recall_answer, asked, **options.LEDGER, summary="重复的指令，取回原答复"
        )
        if recalled.answer:
            return self.life.answer.model_validate(recalled.answer)
        return self.life.view(self._open_state())

    def _row(self, state: S) -> CaseRow:
        return self.life.row(state, self.life.view(state), {})

    def _become(self, state: S, alarm: datetime | None) -> None:
        coming = self.life.coming(state)
        self.state = state
        self.alarm, self.waits_for = alarm, coming.label if coming else self.life.idle
        workflow.set_current_details(with_page(self.life.details(state, coming)))

    async def live(self) -> S | None:
        """Ring every alarm until the case is over (`None`) or a chapter has ended (the state to go on with)."""
        assert self.state is not None
        while True:
            if self.life.over(self.state):
                await self._settled()
                if self.life.over(self._open_state()):  # what was being committed may have turned out otherwise
                    return None
            elif self._chapter_ended():
                await self._settled()
                return self.state
            else:
                await self._wait()
                await self.ring()

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
                timeout_summary=self.life.awaits(self.state)[:120] or None,
            )
        except TimeoutError:
            return

    def _chapter_ended(self) -> bool:
        return is_suggested() or (self.state is not None and self.life.chapter(self.state) != self.chapter)

    def errand(self, task: Awaitable[None]) -> None:
        """Something sent off beside the loop; it is awaited before the run ends."""
        running = asyncio.ensure_future(task)
        self.errands.add(cast("asyncio.Task[None]", running))
        running.add_done_callback(self.errands.discard)

    async def _settled(self) -> None:
        """Everything is answered, and was so before the task that ends this run.

        A task that answers an update and ends the run is refused by the server when a signal came meanwhile; the update
        is then lost although its step is committed (docs/decisions/0020-a-run-ends-in-a-task-of-its-own.md).
        """
        seen = -1
        while seen != self.committed:
            await workflow.wait_condition(self._is_idle)
            seen = self.committed
            if self.answered_at == workflow.info().get_current_history_length():
                await workflow.sleep(APART, summary="结清")
                await workflow.wait_condition(self._is_idle)

    def _is_idle(self) -> bool:
        return workflow.all_handlers_finished() and not self.errands
