"""The ports without a world behind them: they remember what they were asked, and answer what they were given."""

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from temporalio import activity

from models.contracts.hazard import HazardBirth
from models.contracts.mailroom import Compose, Composed, Delivery, Waiting
from models.contracts.payment import Answered, OrderOutcome, PaymentOrder, Release, Reservation, Reserved
from models.contracts.ports import (
    Cashier,
    Ledger,
    LookIn,
    Postman,
    Recall,
    Recalled,
    Registry,
    RuleDesk,
    Send,
    Since,
    Treasury,
)
from models.contracts.rulebook import Pinned, Resolved, RulesFor
from models.contracts.step import Entered, Recorded, Standing, Step
from models.contracts.vocabulary import CauseKind, NoticeStatus, OrderResult, Urgency


class FakeLedger(Ledger):
    """Keeps steps as the real one does: once, in order; `outages` commits fail before one succeeds."""

    def __init__(self, outages: int = 0) -> None:
        self.steps: list[Step] = []
        self.answers: dict[tuple[UUID, str], dict[str, object]] = {}
        self.outages = outages
        self.part = 200
        self.spoilt: dict[str, object] = {}
        """What the ledger says of a case that its steps do not lead to."""

    def of(self, case_id: UUID) -> list[Step]:
        return [step for step in self.steps if step.row.case_id == case_id]

    @activity.defn(name="记入台账")
    async def commit_step(self, step: Step) -> Entered:
        if self.outages > 0:
            self.outages -= 1
            raise ConnectionError("the ledger is away")
        known = len(self.of(step.row.case_id))
        if step.seq <= known:
            return self._standing(step)
        if step.seq != known + 1:
            raise RuntimeError(f"step {step.seq} does not follow {known}")
        self.steps.append(step)
        if step.trace:
            self.answers.setdefault((step.row.case_id, step.trace.command_id), step.answer)
        return Entered()

    @activity.defn(name="查对台账")
    async def recorded_since(self, since: Since) -> Entered:
        later = [one for one in self.of(since.case.case_id) if one.seq >= since.seq]
        return self._missed(later)

    def _standing(self, step: Step) -> Entered:
        later = [one for one in self.of(step.row.case_id) if one.seq >= step.seq]
        there, cause = later[0].cause, step.cause
        alike = (there and there.key) == (cause and cause.key)
        same = alike and (later[0].at == step.at or (there is not None and there.kind is CauseKind.ALARM))
        return Entered() if same else self._missed(later)

    def _missed(self, later: list[Step]) -> Entered:
        """In parts of `part` steps, as the real one gives no more than the engine takes."""
        lost = tuple(Recorded(seq=one.seq, at=one.at, cause=one.cause) for one in later if one.cause)
        if not lost:
            return Entered()
        whole = self.of(later[0].row.case_id)
        first, last = whole[0].row, whole[-1]
        began = Pinned(packs=first.packs, through=first.calendar_through)
        shown = last.row.model_dump() | {"seq": last.seq, "began": began} | self.spoilt
        return Entered(missed=lost[: self.part], stands=Standing.model_validate(shown))

    @activity.defn(name="取回答复")
    async def recall_answer(self, recall: Recall) -> Recalled:
        return Recalled(answer=self.answers.get((recall.case.case_id, recall.command_id)))


class FakeRuleDesk(RuleDesk):
    """Always the same rules; remembers the questions."""

    def __init__(self, resolved: Resolved) -> None:
        self.resolved = resolved
        self.asked: list[RulesFor] = []

    @activity.defn(name="查定规则")
    async def resolve_rules(self, asked: RulesFor) -> Resolved:
        self.asked.append(asked)
        return self.resolved


class FakeRegistry(Registry):
    """Remembers the hazards it was to open, each once."""

    def __init__(self) -> None:
        self.opened: dict[str, HazardBirth] = {}

    @activity.defn(name="建立隐患案卷")
    async def open_hazards(self, births: tuple[HazardBirth, ...]) -> None:
        for birth in births:
            self.opened.setdefault(birth.workflow_id, birth)


class FakePostman(Postman):
    """A post office with mails lying ready by urgency; deliveries end as scripted, else accepted."""

    def __init__(self, now: Iterable[UUID] = (), digest: Iterable[UUID] = ()) -> None:
        self.ready: dict[Urgency, list[UUID]] = {Urgency.NOW: list(now), Urgency.DIGEST: list(digest)}
        self.script: dict[UUID, list[Delivery]] = {}
        self.sent: list[Send] = []
        self.given_up: list[Send] = []

    @activity.defn(name="查看待发")
    async def look_in(self, asked: LookIn) -> Waiting:
        urgent, digest = (len(self.ready[urgency]) for urgency in (Urgency.NOW, Urgency.DIGEST))
        return Waiting(urgent=urgent, digest=digest, opens_at=asked.now)

    @activity.defn(name="成文")
    async def compose(self, asked: Compose) -> Composed:
        return Composed(mails=tuple(self.ready[asked.urgency]))

    @activity.defn(name="投递")
    async def send(self, asked: Send) -> Delivery:
        self.sent.append(asked)
        scripted = self.script.get(asked.mail_id)
        delivery = scripted.pop(0) if scripted else Delivery(mail_id=asked.mail_id, status=NoticeStatus.ACCEPTED)
        if delivery.status is not NoticeStatus.QUEUED:
            for waiting in self.ready.values():
                waiting[:] = [mail for mail in waiting if mail != asked.mail_id]
        return delivery

    @activity.defn(name="登记未送达")
    async def give_up(self, asked: Send) -> Delivery:
        self.given_up.append(asked)
        for waiting in self.ready.values():
            waiting[:] = [mail for mail in waiting if mail != asked.mail_id]
        return Delivery(mail_id=asked.mail_id, status=NoticeStatus.UNDELIVERED)


class FakeTreasury(Treasury):
    """Grants up to `room` yuan in all; remembers by payment number as the real one does."""

    def __init__(self, room: Decimal = Decimal("1000000.00")) -> None:
        self.room = room
        self.held: dict[str, Reservation] = {}
        self.released: dict[str, Release] = {}
        self.asked = 0

    @property
    def used(self) -> Decimal:
        taken = sum((one.amount for one in self.held.values()), Decimal(0))
        return taken - sum((pot.amount for one in self.released.values() for pot in one.pots), Decimal(0))

    @activity.defn(name="占用限额")
    async def reserve_payment(self, asked: Reservation) -> Reserved:
        self.asked += 1
        if asked.payment_number not in self.held:
            if self.used + asked.amount > self.room:
                return Reserved(granted=False, code="over_aggregate", says="超出累计责任限额", clause="保险合同")
            self.held[asked.payment_number] = asked
        return Reserved(granted=True)

    @activity.defn(name="释放限额")
    async def release_payment(self, released: Release) -> None:
        if released.payment_number in self.held:
            self.released.setdefault(released.key, released)


class FakeCashier(Cashier):
    """Pays each order once and confirms it; `script` gives other answers, `away` attempts find nobody."""

    def __init__(self, away: int = 0) -> None:
        self.orders: dict[str, PaymentOrder] = {}
        self.outcomes: dict[str, OrderOutcome] = {}
        self.script: dict[str, OrderResult] = {}
        self.kept: list[Answered] = []
        self.asked: list[str] = []
        self.away = away

    @activity.defn(name="发出付款指令")
    async def instruct_payment(self, order: PaymentOrder) -> OrderOutcome:
        self.asked.append(order.key)
        if self.away > 0:
            self.away -= 1
            raise ConnectionError("nobody answers")
        if order.key not in self.outcomes:
            self.orders[order.key] = order
            result = self.script.get(order.payment_number, OrderResult.CONFIRMED)
            reference = f"BANK-{order.payment_number}" if result is OrderResult.CONFIRMED else ""
            self.outcomes[order.key] = OrderOutcome(
                key=order.key, payment_number=order.payment_number, result=result, reference=reference
            )
        return self.outcomes[order.key]

    @activity.defn(name="登记付款结果")
    async def record_answer(self, answered: Answered) -> None:
        self.kept.append(answered)
