"""The money side of a running claim: room is reserved before approval, orders go out after it, answers come back.

What may be paid is decided in domain/claim; what is sent once and only once is the cashier's care.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from domain.claim import life
from domain.decision import Decision
from domain.wording import money
from models.contracts.base import Given
from models.contracts.claim import ApprovePayment
from models.contracts.claim_state import ClaimState, ClaimView
from models.contracts.payment import Answered, PaymentOrder, Release, Reservation
from models.contracts.ports import Cashier, Treasury
from models.contracts.step import Refusal
from workflows import options
from workflows.answers import decided, refusal_error
from workflows.case import Case

T = TypeVar("T")


class Till:
    """One claim's till; orders are carried out beside the loop and heard as steps of their own."""

    def __init__(self, case: Case[ClaimState, ClaimView]) -> None:
        self.case = case
        self._one_at_a_time = asyncio.Lock()
        self._later: dict[str, asyncio.Task[None]] = {}
        self._underway: set[str] = set()

    async def alone(self, step: Callable[[], Awaitable[T]]) -> T:
        """Approvals and new limits come one after the other, so that room is asked under the limits that hold."""
        async with self._one_at_a_time:
            return await step()

    async def approve(self, given: Given[ApprovePayment]) -> ClaimView:
        """Reserve, then approve; room that an approval does not use after all is given back."""
        await self.case.caught_up(given)
        state = self.case.state
        if state is None or self.case.repeats(given):
            return await self.case.act(given)
        self.case.check(given)  # again: the state may have moved on while this waited its turn
        asked = decided(lambda: life.reservation(state, given.command.number))
        await self._reserve(asked)
        try:
            return await self.case.act(given)
        except ApplicationError:
            now = self.case.state
            if now is not None and not life.holds_room(now, given.command.number):
                await _give_back(_all_of(asked))
            raise

    async def _reserve(self, asked: Reservation) -> None:
        answer = await workflow.execute_activity_method(
            Treasury.reserve_payment,
            asked,
            **options.TREASURY,
            summary=f"为付款 {asked.payment_number} 占用限额 {money(asked.amount)}",
        )
        if not answer.granted:
            raise refusal_error(Refusal(code=answer.code, says=answer.says, clause=answer.clause))

    def carry_out(self, decision: Decision[ClaimState]) -> None:
        """What a committed step pays out, gives back, and has heard of an order."""
        for released in decision.releases:
            self.case.errand(_give_back(released))
        for order in decision.orders:
            self._send(order)
        for answered in decision.answers:
            self.case.errand(_keep(answered))

    def take_up(self) -> None:
        """At the start of a run: orders whose first answer is not known go on under the same key."""
        assert self.case.state is not None
        for order in life.pending_orders(self.case.state):
            self._send(order)

    def _send(self, order: PaymentOrder) -> None:
        if order.payment_number not in self._underway:
            self._underway.add(order.payment_number)
            self.case.errand(self._sent(order))

    async def _sent(self, order: PaymentOrder) -> None:
        """One patient attempt. While the core system is away the claim goes on, and the next attempt waits its turn."""
        try:
            outcome = await workflow.execute_activity_method(
                Cashier.instruct_payment,
                order,
                **options.CASHIER,
                summary=f"付款 {order.payment_number} {money(order.amount)}",
            )
        except ActivityError as failure:
            if is_cancelled_exception(failure):
                raise
            self._later[order.payment_number] = asyncio.create_task(self._again(order))
            return
        self._underway.discard(order.payment_number)
        await self.case.hear(outcome)

    async def _again(self, order: PaymentOrder) -> None:
        # No errand: a run may be continued as new meanwhile, and the new one takes the order up at once.
        await workflow.sleep(options.CORE_SYSTEM_AWAY, summary=f"核心系统未接通，稍后再发付款 {order.payment_number}")
        self._underway.discard(order.payment_number)
        self._send(order)


async def _give_back(released: Release) -> None:
    await workflow.execute_activity_method(
        Treasury.release_payment, released, **options.TREASURY, summary=f"付款 {released.payment_number} 释放限额"
    )


async def _keep(answered: Answered) -> None:
    await workflow.execute_activity_method(
        Cashier.record_answer,
        answered,
        **options.TREASURY,
        summary=f"付款 {answered.order.payment_number} {answered.outcome.result.label}",
    )


def _all_of(asked: Reservation) -> Release:
    return Release(
        key=f"{asked.claim_number}:{asked.payment_number}:withdrawn",
        insurer_id=asked.insurer_id,
        policy_id=asked.policy_id,
        claim_id=asked.claim_id,
        payment_number=asked.payment_number,
        pots=asked.pots,
        persons=asked.persons,
    )
