"""What workflows may ask of the world: signatures only, so that no workflow sees a database or a mail server."""

from abc import ABC, abstractmethod
from datetime import datetime
from uuid import UUID

from temporalio import activity

from models.contracts.base import CaseKey, Contract
from models.contracts.hazard import HazardBirth
from models.contracts.mailroom import Compose, Composed, Delivery, Waiting
from models.contracts.payment import (
    Answered,
    OrderOutcome,
    PaymentOrder,
    Reconciled,
    Release,
    Reservation,
    Reserved,
)
from models.contracts.rulebook import Resolved, RulesFor
from models.contracts.step import Entered, Step


class Recall(Contract):
    """Which answer is asked for again."""

    case: CaseKey
    command_id: str


class LookIn(Contract):
    """Look into the outbox of a recipient, at the mailroom's own time."""

    recipient_id: UUID
    now: datetime


class Send(Contract):
    """Hand one mail of a recipient to the mail server, at the mailroom's own time."""

    recipient_id: UUID
    mail_id: UUID
    now: datetime


class Since(Contract):
    """Which steps are asked for: those from `seq` on."""

    case: CaseKey
    seq: int


class Recalled(Contract):
    """The stored answer of a command, `None` where there is none."""

    answer: dict[str, object] | None


class Ledger(ABC):
    """The record of steps."""

    @activity.defn(name="记入台账")
    @abstractmethod
    async def commit_step(self, step: Step) -> Entered:
        """Timeline, read model, outbox and the answer in one transaction; a step already written is left alone."""

    @activity.defn(name="取回答复")
    @abstractmethod
    async def recall_answer(self, recall: Recall) -> Recalled:
        """The answer a command was given, for a repeat after continue-as-new."""

    @activity.defn(name="查对台账")
    @abstractmethod
    async def recorded_since(self, since: Since) -> Entered:
        """The steps the ledger has from a number on, for a case that may have lost them."""


class RuleDesk(ABC):
    """The library of packs and calendars."""

    @activity.defn(name="查定规则")
    @abstractmethod
    async def resolve_rules(self, asked: RulesFor) -> Resolved:
        """The rulebook in force on a day for a place, sector and size, and today's calendar."""


class Registry(ABC):
    """Opens companions as siblings, never as Temporal children (a child stops its parent's clock under time travel)."""

    @activity.defn(name="建立隐患案卷")
    @abstractmethod
    async def open_hazards(self, births: tuple[HazardBirth, ...]) -> None:
        """Start each hazard's workflow under its deterministic id; one that is there already is left alone."""


class Postman(ABC):
    """Mail, from the outbox to the recipient's server."""

    @activity.defn(name="查看待发")
    @abstractmethod
    async def look_in(self, asked: LookIn) -> Waiting: ...

    @activity.defn(name="成文")
    @abstractmethod
    async def compose(self, asked: Compose) -> Composed: ...

    @activity.defn(name="投递")
    @abstractmethod
    async def send(self, asked: Send) -> Delivery: ...

    @activity.defn(name="登记未送达")
    @abstractmethod
    async def give_up(self, asked: Send) -> Delivery:
        """After days of trying: the mail becomes an operator's task and is tried no more."""


class Treasury(ABC):
    """The limits of a policy, which several claims take from at once."""

    @activity.defn(name="占用限额")
    @abstractmethod
    async def reserve_payment(self, asked: Reservation) -> Reserved:
        """Keep room for a payment under every limit it counts against, or say why not; asking again changes nothing."""

    @activity.defn(name="释放限额")
    @abstractmethod
    async def release_payment(self, released: Release) -> None:
        """Give room back, at most what the payment holds; the same key gives it back once."""


class Cashier(ABC):
    """Payment orders, on their way to the insurer's core system."""

    @activity.defn(name="发出付款指令")
    @abstractmethod
    async def instruct_payment(self, order: PaymentOrder) -> OrderOutcome:
        """Write the order, send it once, and say what became of it; unknown is an answer and never sent again."""

    @activity.defn(name="登记付款结果")
    @abstractmethod
    async def record_answer(self, answered: Answered) -> None:
        """Keep a later answer beside the order, for the daily reconciliation."""


class Notary(ABC):
    """Says outside the database where the chains of the audit trail stand."""

    @activity.defn(name="链头存证")
    @abstractmethod
    async def anchor_heads(self) -> str:
        """Write today's anchor, once a day; gives the name of its file, or nothing where it is there already."""


class Bookkeeper(ABC):
    """Our books of payments beside those of the insurers' core systems."""

    @activity.defn(name="核对付款")
    @abstractmethod
    async def reconcile_orders(self) -> Reconciled:
        """Ask for every order without reference, compare every statement, and queue what a person must look into."""
