"""A ledger that was set back takes again the steps and the money that workflows remember; letters wait for a person."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from activities.cashier import PgCashier
from activities.ledger import record
from activities.treasury import PgTreasury
from models.contracts.payment import Answered, OrderOutcome, PaymentOrder, Release, Reservation
from models.contracts.step import Step
from models.contracts.vocabulary import CauseKind
from models.tables.cases import Case
from models.tables.engine import connected, tenant
from models.tables.outbox import OutboxNotice
from runtime.recovery.histories import Lived, Money
from runtime.recovery.holding import withhold

FOREIGN_KEY = "23503"


@dataclass(frozen=True)
class Projected:
    """How one case ended: the steps the ledger has now that it had not, or why a person must look."""

    workflow_id: str
    ledger: int
    """The last step on record before."""
    engine: int
    """The last step the workflow knows."""
    held: str = ""
    letters: int = 0

    @property
    def taken(self) -> int:
        return 0 if self.held else max(0, self.engine - self.ledger)


class Projector:
    """Takes the steps of each case in their order; each is a transaction, and running again changes nothing."""

    def __init__(self, engine: AsyncEngine, treasury: PgTreasury, cashier: PgCashier, *, tell: bool = False) -> None:
        self._engine = engine
        self._treasury = treasury
        self._cashier = cashier
        self._tell = tell
        """Whether letters of these steps leave by themselves: only where it is known that none did before."""

    async def run(self, lives: Iterable[Lived], done: Callable[[], None] = lambda: None) -> list[Projected]:
        """Raises what the database raises, but for what concerns one case alone."""
        ended: list[Projected] = []
        for lived in lives:
            ended.append(await self._one(lived))
            done()
        return ended

    async def _one(self, lived: Lived) -> Projected:
        if lived.about is None:  # its history cannot be read at all
            return Projected(lived.workflow_id, 0, 0, _unfit(lived))
        known, letters = await self._known(lived.about), 0
        last = max(lived.on_record, *lived.steps, 0)
        why = _unfit(lived) or _gap(lived, known, last)
        missing = [lived.steps[seq] for seq in sorted(lived.steps) if seq >= known]  # the last on record: is it it?
        for step in missing if not why else ():
            told, why = await self._taken(step)
            letters += told
            if why:
                break
        if not why:
            await self._money(lived)
        return Projected(lived.workflow_id, known, last, why, letters)

    async def _known(self, step: Step) -> int:
        async with connected(self._engine) as connection, connection.begin():
            await tenant(connection, step.row.insurer_id)
            found = await connection.execute(select(col(Case.seq)).where(col(Case.id) == step.row.case_id))
            return found.scalar_one_or_none() or 0

    async def _taken(self, step: Step) -> tuple[int, str]:
        """How many letters wait for a person, and why the step was not taken, if it was not."""
        try:
            async with connected(self._engine) as connection, connection.begin():
                entered = await record(connection, step)
                if entered.missed:
                    return 0, f"第 {step.seq} 步在台账里是另一件事"
                return (0 if self._tell else await withhold(connection, *_letters_of(step))), ""
        except DBAPIError as refused:
            if getattr(refused.orig, "sqlstate", None) == FOREIGN_KEY:
                return 0, f"台账里没有投保单位 {step.row.insured_name}，请保险机构以原申请重新提交 {step.row.number}"
            raise

    async def _money(self, lived: Lived) -> None:
        """Room, orders and answers as they came about; an order whose answer is not known is left to the cashier."""
        outcomes = _outcomes(lived.steps.values())
        ordered = {one.payment_number for one in lived.money if isinstance(one, PaymentOrder)}
        for asked in lived.money:
            await self._entered(asked, outcomes, ordered)

    async def _entered(self, asked: Money, outcomes: dict[str, OrderOutcome], ordered: set[str]) -> None:
        match asked:
            case Reservation():
                if asked.payment_number in ordered:  # else it was refused, or given back
                    await self._treasury.reserve_payment(asked)
            case Release():
                await self._treasury.release_payment(asked)
            case PaymentOrder():
                if asked.key in outcomes:
                    await self._cashier.remember(asked, outcomes[asked.key])
            case Answered():
                await self._cashier.record_answer(asked)


def _unfit(lived: Lived) -> str:
    return f"流程历史无法重演（{lived.fault}）" if lived.fault else ""


def _gap(lived: Lived, known: int, last: int) -> str:
    """A step the ledger lacks and the histories do not tell whole: what follows it cannot be taken either."""
    absent = next((seq for seq in range(known + 1, last + 1) if seq not in lived.steps), None)
    if absent is None:
        return ""
    if later := [seq for seq in lived.steps if seq > known]:
        return f"流程历史缺第 {absent} 步（有的从第 {min(later)} 步起），台账到第 {known} 步"
    return f"流程历史缺第 {absent} 步，台账到第 {known} 步"


def _outcomes(steps: Iterable[Step]) -> dict[str, OrderOutcome]:
    """The first answer to each order, as the claim heard it."""
    heard = [step.cause.body for step in steps if step.cause and step.cause.kind is CauseKind.NEWS]
    told = [OrderOutcome.model_validate(body) for body in heard if "payment_number" in body and "result" in body]
    return {one.key: one for one in reversed(told)}


def _letters_of(step: Step) -> tuple[ColumnElement[bool], ...]:
    """They may have been sent before: they wait in the operators' queue instead of leaving again."""
    mine = (col(OutboxNotice.insurer_id) == step.row.insurer_id, col(OutboxNotice.case_id) == step.row.case_id)
    return *mine, col(OutboxNotice.seq) == step.seq
