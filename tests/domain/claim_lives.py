"""Claims under the real packs, led command by command, answer by answer and alarm by alarm through the decisions."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from domain.calendar import SHANGHAI
from domain.claim import life, money, views
from domain.decision import Decision
from models.contracts import claim as commands
from models.contracts.base import Actor, Command
from models.contracts.claim import Accident, ClaimBirth, ReportClaim
from models.contracts.claim_state import ClaimState
from models.contracts.claim_terms import ClaimTerms, Limits
from models.contracts.ids import NAMESPACE, claim_id, claim_workflow_id, payment_order_key
from models.contracts.payment import LossLine, OrderOutcome, Payment, PaymentLine, PaymentOrder, Release
from models.contracts.step import Refusal
from models.contracts.vocabulary import CaseKind, LossHead, OrderResult, PaymentKind
from tests.domain.lives import FILE, INSURED_ID, INSURER_ID, SOMEBODY, Record, at, given, policy_birth, rules, terms

ANNA, BO, CARL = (uuid5(NAMESPACE, name) for name in ("anna", "bo", "carl"))
SUPPLIER = uuid5(NAMESPACE, "hospital")
HAPPENED = datetime.fromisoformat("2024-06-03T08:30:00+08:00")
SOURCE = "保险合同特别约定第三条"
FIGURES = ClaimTerms.model_validate(
    {
        "small_fast_threshold": {"value": "50000.00", "source": SOURCE},
        "small_fast_days": {"value": 3, "source": SOURCE},
        "large_prepay_days": {"value": 15, "source": SOURCE},
        "emergency_cap": {"value": "200000.00", "source": SOURCE},
        "emergency_purposes": {"value": ["rescue", "medical"], "source": SOURCE},
        "emergency_hours": {"value": 24, "source": SOURCE},
        "four_eyes_above": {"value": "10000.00", "source": SOURCE},
    }
)
LIMITS = Limits.model_validate({"per_person": "800000.00", "per_accident": "2000000.00", "aggregate": "5000000.00"})


def yuan(amount: str) -> Decimal:
    return Decimal(amount)


def accident(**more: Any) -> Accident:
    plain = {"at": HAPPENED, "place": "二号车间", "happened": "反应釜爆燃", "deaths": 1}
    return Accident.model_validate(plain | more)


def claim_birth(region: str = "341300", number: str = "C-1", **more: Any) -> ClaimBirth:
    of, policy = terms(region=region), policy_birth()
    plain: dict[str, Any] = {
        "case_id": claim_id(INSURER_ID, number),
        "policy_id": policy.case_id,
        "insurer_id": INSURER_ID,
        "insurer_code": policy.insurer_code,
        "insurer_name": policy.insurer_name,
        "workflow_id": claim_workflow_id(policy.insurer_code, number),
        "policy_number": of.number,
        "region": of.region,
        "sector": of.sector,
        "size": of.size,
        "insured_id": INSURED_ID,
        "insured_name": "某化工厂",
        "signed_on": of.signed_at.date(),
        "effective_on": of.effective_on,
        "expires_on": of.expires_on,
        "packs": rules(of, CaseKind.CLAIM).rulebook.packs,
        "number": number,
        "limits": LIMITS,
        "terms": FIGURES,
    }
    return ClaimBirth.model_validate(plain | more)


def line(key: str, head: str, amount: str, person: UUID | None = None, **more: Any) -> LossLine:
    return LossLine.model_validate({"id": key, "head": head, "amount": amount, "person": person} | more)


def death(key: str, amount: str, person: UUID, **more: Any) -> LossLine:
    return line(key, "employee_death", amount, person, **more)


def paying(number: str, kind: PaymentKind, *lines: LossLine | PaymentLine, **more: Any) -> commands.ProposePayment:
    """A payment of the whole of the loss lines given, or of the payment lines as they are."""
    what = [
        PaymentLine(head=one.head, amount=one.amount, person=one.person, line=one.id)
        if isinstance(one, LossLine)
        else one
        for one in lines
    ]
    return commands.ProposePayment.model_validate(
        {"number": number, "kind": kind, "lines": what, "by_user": "u-1"} | more
    )


def spending(head: LossHead, amount: str, person: UUID | None = None) -> PaymentLine:
    return PaymentLine(head=head, amount=yuan(amount), person=person)


SURVEYED = commands.RecordSurvey(facts_true=True, liability_clear=True, note="现场查勘，原因查明")
COVERED = commands.DetermineClaim(covered=True, note="属于保险责任")
DENIED = commands.DetermineClaim(covered=False, note="故意制造事故")


@dataclass
class Claim:
    """One claim on its way."""

    state: ClaimState
    now: datetime
    record: Record = field(default_factory=Record)
    orders: list[PaymentOrder] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)

    @classmethod
    def reported(cls, now: datetime | str | None = None, complete: bool = True, **more: Any) -> "Claim":
        happened = accident(**more.pop("accident", {}))
        on = more.pop("on", None)
        birth = claim_birth(**more)
        command = ReportClaim(number=birth.number, accident=happened, documents_complete=complete, on=on)
        instant = at(now) if isinstance(now, str) else now or HAPPENED + timedelta(hours=2)
        refusal = life.refuse_opening(birth, command, instant)
        assert refusal is None, refusal
        resolved = rules(terms(region=birth.region), CaseKind.CLAIM)
        decision = life.open_claim(birth, given(command, "open"), resolved, instant)
        led = cls(decision.state, instant)
        led.record.keep(decision)
        return led

    def until(self, instant: datetime | str) -> "Claim":
        end = at(instant) if isinstance(instant, str) else instant
        while (alarm := life.next_alarm(self.state)) is not None and alarm <= end:
            self.now = max(alarm, self.now)
            self._kept(life.ring(self.state, self.now))
        self.now = max(self.now, end)
        return self

    def refused(self, command: Command, actor: Actor = SOMEBODY) -> Refusal | None:
        return life.refuse(self.state, command, actor, self.now)

    def code(self, command: Command) -> str:
        """Why a command is refused, by code; empty where it is taken."""
        refusal = self.refused(command)
        return refusal.code if refusal else ""

    def act(self, *given_commands: Command, actor: Actor = SOMEBODY) -> "Claim":
        for command in given_commands:
            refusal = self.refused(command, actor)
            assert refusal is None, refusal
            self.record.keys += 1
            self._kept(life.decide(self.state, given(command, f"key-{self.record.keys}", actor), self.now))
        return self

    def answered(self, number: str, result: OrderResult, reference: str = "") -> "Claim":
        """The core system answers an order."""
        decision = life.hear(self.state, outcome(number, result, reference), self.now)
        if decision:
            self._kept(decision)
        return self

    def paid(self, proposal: commands.ProposePayment) -> "Claim":
        """Proposed, approved by a second person, instructed and confirmed."""
        self.act(proposal, commands.ApprovePayment(number=proposal.number, by_user="u-2"))
        self.answered(proposal.number, OrderResult.ACCEPTED)
        return self.answered(proposal.number, OrderResult.CONFIRMED, f"bank-{proposal.number}")

    def agreed(self) -> "Claim":
        total = money.payable(self.state).total
        return self.act(commands.AgreeSettlement(amount=total, agreement=FILE))

    def due(self, duty: str) -> str:
        """The effective last day of an open duty."""
        found = next(brief for brief in views.view(self.state).duties if brief.key == duty)
        return found.effective.isoformat() if found.effective else ""

    def due_at(self, duty: str) -> str:
        found = next(brief for brief in views.view(self.state).duties if brief.key == duty)
        return found.due_at.astimezone(SHANGHAI).isoformat() if found.due_at else ""

    def open_duties(self) -> set[str]:
        return {brief.key for brief in views.view(self.state).duties}

    def payment(self, number: str) -> Payment:
        return next(payment for payment in self.state.payments if payment.number == number)

    def _kept(self, decision: Decision[ClaimState]) -> None:
        assert decision.state.seq == self.state.seq + 1
        self.state = decision.state
        self.record.keep(decision)
        self.orders += decision.orders
        self.releases += decision.releases


def outcome(number: str, result: OrderResult, reference: str = "") -> OrderOutcome:
    key = payment_order_key("pingan", "C-1", number)
    return OrderOutcome(key=key, payment_number=number, result=result, reference=reference)
