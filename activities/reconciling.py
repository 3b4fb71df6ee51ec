"""The daily reconciliation: orders without reference, references without order, what asking again has settled.

What it finds waits in the operators' queue (disagreements.py); when it runs is the business of a Temporal Schedule.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import httpx
from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col
from temporalio import activity
from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

from activities.borrowing import as_activity
from activities.disagreements import Finding, Report, queue
from activities.payment_channels import Answer, Channel
from domain.claim.wording import ASKED_BY_KEY, NEVER_HEARD_OF, other_side
from models.contracts.base import Actor, Given
from models.contracts.claim import RecordOutcome
from models.contracts.ids import NAMESPACE, insurer_of_order
from models.contracts.payment import Reconciled
from models.contracts.ports import Bookkeeper
from models.contracts.vocabulary import ActorKind, OrderResult
from models.tables.cases import Case
from models.tables.claims import PaymentAnswer, StoredOrder
from models.tables.engine import connected, operator, tenant
from models.tables.parties import Insurer

RECONCILER = Actor(kind=ActorKind.SYSTEM, id="reconcile", name="每日对账")
TOLD_WITHIN = timedelta(seconds=10)
SETTLED = frozenset({OrderResult.CONFIRMED, OrderResult.REFUSED})


class Reconciler(Bookkeeper):
    """Asks by key and never sends: an order that is unknown stays a person's business until somebody knows."""

    def __init__(self, engine: AsyncEngine, temporal: Client, channels: Callable[[str], Channel]) -> None:
        self._engine = engine
        self._temporal = temporal
        self._channels = channels

    @activity.defn(name="核对付款")
    async def reconcile_orders(self) -> Reconciled:
        """Raises ApplicationError where the database is away; running again finds the same."""
        async with as_activity():
            report = await self.run(activity.heartbeat)
        return Reconciled(orders=report.orders, settled=len(report.settled), found=report.count)

    async def run(self, still_at_it: Callable[[], None] = lambda: None) -> Report:
        """Every order of every insurer; what is found is queued for a person. Raises what the database raises."""
        report, (insurers, orders) = Report(), await self._read()
        report.orders = len(orders)
        for order in orders:
            if not order.bank_reference:
                await self._ask(report, order)
                still_at_it()
        codes = {insurer.code for insurer in insurers}
        for insurer in insurers:
            await self._compare(report, insurer, orders, others=codes - {insurer.code})
            still_at_it()
        report.one_reference = list(_alike(orders))
        async with connected(self._engine) as connection, connection.begin():
            await operator(connection)
            await queue(connection, report, {insurer.code: insurer.id for insurer in insurers})
        return report

    async def _read(self) -> tuple[list[Row[UUID, str]], list[Row[Any]]]:
        wanted = (
            select(StoredOrder.__table__, col(Insurer.code).label("insurer_code"), col(Case.seq).label("seq"))  # pyright: ignore[reportAttributeAccessIssue,reportCallIssue,reportArgumentType]
            .join(Insurer, col(Insurer.id) == col(StoredOrder.insurer_id))
            .join(Case, col(Case.id) == col(StoredOrder.case_id))
            .order_by(col(StoredOrder.written_at))
        )
        async with connected(self._engine) as connection:
            await operator(connection)
            insurers = await connection.execute(select(col(Insurer.id), col(Insurer.code)).order_by(col(Insurer.code)))
            return list(insurers), list(await connection.execute(wanted))

    async def _ask(self, report: Report, order: Row[Any]) -> None:
        answer = await self._channels(order.insurer_code).ask(order.order_key)
        if order.state == OrderResult.REFUSED and (answer is None or answer.result is OrderResult.REFUSED):
            return  # both sides say that nothing was paid
        if answer is not None and answer.result in SETTLED and await self._tell(order, answer):
            report.settled.append(_finding(order, answer.result.value, answer.reference or "", answer.code))
        else:
            heard = NEVER_HEARD_OF if answer is None else answer.result.label
            report.without_reference.append(_finding(order, order.state, note=heard))

    async def _tell(self, order: Row[Any], answer: Answer) -> bool:
        """Give the claim what was heard; the key is made of the answer, so that hearing it twice is hearing it once."""
        command = RecordOutcome(
            number=order.number,
            result=answer.result,
            reference=answer.reference,
            code=answer.code or None,
            note=ASKED_BY_KEY,
        )
        given = Given[RecordOutcome](
            command_id=f"reconcile:{order.order_key}:{answer.result.value}:{answer.reference or answer.code}",
            actor=RECONCILER,
            fingerprint=hashlib.sha256(command.model_dump_json().encode()).hexdigest(),
            command=command,
            recorded=order.seq,
        )
        claim = self._temporal.get_workflow_handle(order.workflow_id)
        try:
            await claim.execute_update("record_outcome", given, id=given.mark, rpc_timeout=TOLD_WITHIN)
        except (WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError, RPCError):
            return False
        return True

    async def _compare(self, report: Report, insurer: Row[UUID, str], orders: list[Row[Any]], others: set[str]) -> None:
        """Our orders beside the insurer's statement; one that several share also lists what is the others'."""
        mine = {order.order_key: order for order in orders if order.insurer_id == insurer.id}
        try:
            told = await self._channels(insurer.code).statement()
        except (httpx.HTTPError, OSError, TimeoutError):
            if mine:
                report.silent.append(insurer.code)
            return
        for answer in told:
            order = mine.get(answer.key)
            if order is not None and _differs(order, answer):
                other = other_side(answer.amount, answer.reference)
                report.different.append(_finding(order, order.state, order.bank_reference, other))
            elif order is None and insurer_of_order(answer.key) not in others:
                report.without_order.append(_stranger(insurer.code, answer))
                await self._keep(insurer.id, answer)

    async def _keep(self, insurer_id: UUID, answer: Answer) -> None:
        """A reference that fits no order is kept for whoever looks into it, once."""
        row = {
            "id": uuid5(NAMESPACE, f"answer/{insurer_id}/{answer.model_dump_json()}"),
            "insurer_id": insurer_id,
            "order_key": answer.key,
            "source": "statement",
            "outcome": answer.result.value,
            "bank_reference": answer.reference or "",
            "code": answer.code,
            "amount": answer.amount,
        }
        async with connected(self._engine) as connection, connection.begin():
            await tenant(connection, insurer_id)
            await connection.execute(insert(PaymentAnswer).values(row).on_conflict_do_nothing())


def _finding(order: Row[Any], state: str, reference: str = "", note: str = "") -> Finding:
    return Finding(order.insurer_code, order.order_key, str(order.amount), state, reference, note, order.case_id)


def _alike(orders: Iterable[Row[Any]]) -> Iterator[Finding]:
    """Orders of one insurer under one reference: a claim sees its own payments alone, and a transfer settles one."""
    under: dict[tuple[str, str], list[Row[Any]]] = {}
    for order in orders:
        if order.bank_reference:
            under.setdefault((order.insurer_code, order.bank_reference), []).append(order)
    for alike in under.values():
        for order in alike if len(alike) > 1 else ():
            others = "、".join(one.order_key for one in alike if one is not order)
            yield _finding(order, order.state, order.bank_reference, others)


def _stranger(code: str, answer: Answer) -> Finding:
    return Finding(code, answer.key, str(answer.amount or ""), answer.result.value, answer.reference or "")


def _differs(order: Row[Any], answer: Answer) -> bool:
    amount = answer.amount is not None and answer.amount != Decimal(order.amount)
    return amount or bool(order.bank_reference and answer.reference and order.bank_reference != answer.reference)
