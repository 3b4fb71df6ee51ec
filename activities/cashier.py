"""Payment orders: written, sent once, and what was answered; how an order travels is in payment_channels.py."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Float, Row, exists, extract, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.beating import beating
from activities.borrowing import borrowed
from activities.payment_channels import Answer, Channel, Message, NotSent
from models.contracts.ids import NAMESPACE
from models.contracts.payment import Answered, OrderOutcome, PaymentOrder
from models.contracts.ports import Cashier
from models.contracts.vocabulary import ActorKind, OrderResult, PayeeKind
from models.tables.claims import PaymentAnswer, StoredOrder, Victim, VictimSight
from models.tables.engine import tenant
from models.tables.recovery import AFTER_RESTORE, SENDING, UNSENT, WRITTEN, Restoration
from models.tables.sealed import FieldKeys, FieldOf, Unreadable

CONFIRMED = OrderResult.CONFIRMED.value
TOO_LATE = "too-late"
MARGIN = 5.0  # seconds an attempt may stand still, and our own books may take, before what it may do counts as over
LOOK_AGAIN = 0.5  # seconds
HELD = select(exists().where(col(Restoration.released_at).is_(None)))
SHOWN = ("name", "bank_account")
"""What a core system needs of a victim to pay: no identity number, no telephone."""

Channels = Callable[[str], Channel]
"""The channel of an insurer by its code."""


@dataclass(frozen=True)
class Turn:
    """What an attempt found of its order, and whether it is its turn to send."""

    stored: Row[Any]
    """The row as it was before this attempt."""
    waits: float = 0.0
    """Seconds for which another attempt may still be sending; nothing is asked and nothing sent before."""
    number: int = 0
    """Of this attempt, once it is its turn; the row changes hands with it."""
    begun: float = 0.0
    message: Message | None = None
    """What to send; `None` where the payee is not known."""
    restored: bool = False
    """The books were set back by a restore that no person has released yet."""


class PgCashier(Cashier):
    """The cashier of one worker: what was sent is in PostgreSQL before it is sent, and is sent once.

    `margin`: seconds between the moment an order is marked as being sent and the last at which it is handed over.
    """

    def __init__(self, engine: AsyncEngine, channels: Channels, keys: FieldKeys, margin: float = MARGIN) -> None:
        self._engine = engine
        self._channels = channels
        self._keys = keys
        self._margin = margin

    @activity.defn(name="发出付款指令")
    async def instruct_payment(self, order: PaymentOrder) -> OrderOutcome:
        """One instruction for one (insurer, payment number), however often this runs (promises.md P7).

        Raises ApplicationError where nothing can have been sent; whatever may have been sent ends in an answer.
        """
        async with beating():
            return await self._instructed(order)

    async def _instructed(self, order: PaymentOrder) -> OrderOutcome:
        channel = self._channels(order.insurer_code)
        turn = await self._written(order, channel)
        while turn.waits > 0:  # a lost worker's order may still be on its way: not heard of is not yet not sent
            await asyncio.sleep(min(turn.waits, LOOK_AGAIN))
            turn = await self._written(order, channel)
        if turn.stored.fingerprint != _fingerprint(order):
            return _outcome(order, Answer(key=order.key, result=OrderResult.REFUSED, code="number-used"))
        if turn.stored.state not in UNSENT:
            return _outcome(order, _stored(turn.stored))
        if turn.restored or turn.stored.state == SENDING:  # an earlier attempt may have sent it, the answer unknown
            heard = await channel.ask(order.key)
            if heard is not None:
                return await self._answered(order, heard, "asked", turn)
            turn = await self._renewed(order, turn)
        return await self._handed_over(order, channel, turn)

    async def _handed_over(self, order: PaymentOrder, channel: Channel, turn: Turn) -> OrderOutcome:
        if turn.restored:  # a person compares the books first
            kept = Answer(key=order.key, result=OrderResult.UNKNOWN, code=AFTER_RESTORE)
            return await self._answered(order, kept, turn=turn)
        if turn.message is None:
            refused = Answer(key=order.key, result=OrderResult.REFUSED, code="no-payee")
            return await self._answered(order, refused, turn=turn)
        return await self._sent(order, channel, turn, turn.message)

    @activity.defn(name="登记付款结果")
    async def record_answer(self, answered: Answered) -> None:
        """The same answer is kept once. Raises ApplicationError, always worth repeating."""
        outcome = answered.outcome
        told = Answer(key=outcome.key, result=outcome.result, reference=outcome.reference or None, code=outcome.code)
        await self._answered(answered.order, told, "confirmation")

    async def remember(self, order: PaymentOrder, outcome: OrderOutcome) -> None:
        """Write down an order that was sent and answered before our books were set back; nothing is sent."""
        row = _row(order, self._channels(order.insurer_code)) | {"state": SENDING}
        async with borrowed(self._engine) as connection, connection.begin():
            await tenant(connection, order.case.insurer_id)
            await connection.execute(insert(StoredOrder).values(row).on_conflict_do_nothing())
        told = Answer(key=order.key, result=outcome.result, reference=outcome.reference or None, code=outcome.code)
        await self._answered(order, told)

    async def _written(self, order: PaymentOrder, channel: Channel) -> Turn:
        """The order's row, marked as being sent by this attempt where no other attempt may be sending it."""
        begun = monotonic()
        async with borrowed(self._engine) as connection, connection.begin():
            await tenant(connection, order.case.insurer_id)
            await connection.execute(insert(StoredOrder).values(_row(order, channel)).on_conflict_do_nothing())
            stored = (await connection.execute(_named(order).with_for_update())).one()
            if stored.state not in UNSENT or stored.fingerprint != _fingerprint(order):
                return Turn(stored)
            over = channel.answer_within + self._margin
            if stored.state == SENDING and stored.since is not None and stored.since < over:
                return Turn(stored, waits=over - stored.since)
            message = await self._message(connection, order)
            restored = (await connection.execute(HELD)).scalar_one()
            number = stored.attempt + 1
            marked = _change(order).values(state=SENDING, attempt=number, sent_at=func.clock_timestamp())
            await connection.execute(marked)
            return Turn(stored, 0.0, number, begun, message, restored)

    async def _renewed(self, order: PaymentOrder, turn: Turn) -> Turn:
        """The same turn from now on; asking took time. Raises ApplicationError where another attempt has taken over."""
        begun = monotonic()
        async with borrowed(self._engine) as connection, connection.begin():
            await tenant(connection, order.case.insurer_id)
            mine = _change(order, turn).values(sent_at=func.clock_timestamp())
            kept = await connection.execute(mine.returning(col(StoredOrder.attempt)))
            if kept.one_or_none() is None:
                raise ApplicationError("另一次尝试已接手这份付款指令", type="order_taken_over")
        return replace(turn, begun=begun)

    async def _sent(self, order: PaymentOrder, channel: Channel, turn: Turn, message: Message) -> OrderOutcome:
        try:
            if monotonic() - turn.begun > self._margin:  # we stood still, and another attempt may take over any moment
                raise NotSent(TOO_LATE)
            answer = await channel.send(message)
        except NotSent as never:
            async with borrowed(self._engine) as connection, connection.begin():
                await tenant(connection, order.case.insurer_id)
                await connection.execute(_change(order, turn).values(state=WRITTEN))
            raise ApplicationError(f"核心系统未接通（{never}），稍后再发", type="core_system_away") from None
        return await self._answered(order, answer, turn=turn)

    async def _answered(
        self, order: PaymentOrder, answer: Answer, source: str = "instructed", turn: Turn | None = None
    ) -> OrderOutcome:
        """Write an answer down; what is confirmed stays, and an attempt that was overtaken changes nothing."""
        said = {"bank_reference": answer.reference or "", "code": answer.code}
        named = f"answer/{order.key}/{source}/{answer.result.value}/{said['bank_reference']}/{answer.code}"
        async with borrowed(self._engine) as connection, connection.begin():
            await tenant(connection, order.case.insurer_id)
            kept = insert(PaymentAnswer).values(
                id=uuid5(NAMESPACE, named),
                insurer_id=order.case.insurer_id,
                order_key=order.key,
                source=source,
                outcome=answer.result.value,
                amount=answer.amount,
                **said,
            )
            await connection.execute(kept.on_conflict_do_nothing())
            open_ = _change(order, turn).where(col(StoredOrder.state) != CONFIRMED)
            now = {"state": answer.result.value, "answered_at": datetime.now(UTC)}
            await connection.execute(open_.values(**now, **said))
            mine = _named(order).where(col(StoredOrder.order_key) == order.key)
            stored = (await connection.execute(mine)).one_or_none()
        return _outcome(order, _stored(stored) if stored and stored.state not in UNSENT else answer)

    async def _message(self, connection: AsyncConnection, order: PaymentOrder) -> Message | None:
        payee: dict[str, Any] = {"kind": order.payee_kind.value, "ref": str(order.payee_ref or order.insured_id)}
        if order.payee_kind is PayeeKind.VICTIM:
            account = await self._account(connection, order, order.payee_ref)
            if account is None:
                return None
            payee |= account
        told = order.model_dump(mode="json", exclude={"case", "payee_kind", "payee_ref", "insured_id"})
        return {**told, "claim_id": str(order.case.case_id), "payee": payee, "currency": "CNY"}

    async def _account(
        self, connection: AsyncConnection, order: PaymentOrder, ref: UUID | None
    ) -> dict[str, str] | None:
        """A victim's name and account, opened for this order only, which is put on record."""
        insurer_id = order.case.insurer_id
        columns = col(Victim.name), col(Victim.bank_account)
        named = select(*columns).where(col(Victim.insurer_id) == insurer_id, col(Victim.ref) == ref)
        victim = (await connection.execute(named)).one_or_none()
        if victim is None or ref is None or victim.bank_account is None:
            return None
        try:
            sealed = {"name": victim.name, "bank_account": victim.bank_account}
            opened = {name: self._keys.open(value, FieldOf(insurer_id, ref, name)) for name, value in sealed.items()}
        except Unreadable:
            return None
        sight = insert(VictimSight).values(
            id=uuid5(NAMESPACE, f"sight/{order.key}"),
            insurer_id=insurer_id,
            case_id=order.case.case_id,
            ref=ref,
            actor_kind=ActorKind.SYSTEM,
            actor_id="cashier",
            fields=",".join(SHOWN),
            why=f"付款指令 {order.key}",
        )
        await connection.execute(sight.on_conflict_do_nothing())
        return opened


def _fingerprint(order: PaymentOrder) -> str:
    """What may not change under one number."""
    fixed = {"key", "claim_number", "payment_number", "kind", "amount", "payee_kind", "payee_ref", "lines"}
    return hashlib.sha256(order.model_dump_json(include=fixed).encode()).hexdigest()


def _row(order: PaymentOrder, channel: Channel) -> dict[str, Any]:
    return {
        "insurer_id": order.case.insurer_id,
        "number": order.payment_number,
        "case_id": order.case.case_id,
        "workflow_id": order.case.workflow_id,
        "order_key": order.key,
        "kind": order.kind.value,
        "amount": order.amount,
        "payee": order.payee_kind.value,
        "payee_ref": order.payee_ref,
        "channel": channel.name,
        "fingerprint": _fingerprint(order),
        "state": WRITTEN,
    }


def _named(order: PaymentOrder) -> Any:
    columns = (StoredOrder.state, StoredOrder.fingerprint, StoredOrder.bank_reference, StoredOrder.code)
    since = extract("epoch", func.clock_timestamp() - col(StoredOrder.sent_at)).cast(Float)  # by one clock for all
    named = (col(StoredOrder.insurer_id) == order.case.insurer_id) & (col(StoredOrder.number) == order.payment_number)
    more = (col(StoredOrder.order_key), col(StoredOrder.attempt), since.label("since"))
    return select(*(col(one) for one in columns), *more).where(named)


def _change(order: PaymentOrder, turn: Turn | None = None) -> Any:
    """The order's row; given a turn, only while that attempt is the one that sends."""
    change = update(StoredOrder).where(
        col(StoredOrder.insurer_id) == order.case.insurer_id, col(StoredOrder.order_key) == order.key
    )
    if turn is None:
        return change
    return change.where(col(StoredOrder.state) == SENDING, col(StoredOrder.attempt) == turn.number)


def _stored(row: Row[Any]) -> Answer:
    return Answer(
        key=row.order_key,
        result=OrderResult(row.state),
        reference=row.bank_reference or None,
        code=row.code,
    )


def _outcome(order: PaymentOrder, answer: Answer) -> OrderOutcome:
    return OrderOutcome(
        key=order.key,
        payment_number=order.payment_number,
        result=answer.result,
        reference=answer.reference or "",
        code=answer.code,
    )
