"""Everything anybody may ask of a claim, sensible or not, as Hypothesis strategies; what must hold is not said here."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from domain.claim import money
from models.contracts import claim as commands
from models.contracts.base import Command
from models.contracts.case import AcknowledgeDuty, AdoptCalendar, AnswerDuty, ExtendDuty, PassOn, TakeOverDuty
from models.contracts.claim_state import ClaimState
from models.contracts.claim_terms import ClaimTerms, Limits
from models.contracts.payment import LossLine
from models.contracts.vocabulary import (
    AdvanceEnd,
    ClaimPath,
    ClaimStage,
    EmergencyPurpose,
    LimitPot,
    LossHead,
    OrderResult,
    PaymentKind,
)
from tests.domain.claim_lives import ANNA, BO, FIGURES, LIMITS, SUPPLIER, death, line, yuan
from tests.domain.lives import FILE, library
from tests.domain.test_policy_properties import made

SMALL = ClaimTerms.model_validate(
    FIGURES.model_dump() | {"small_fast_threshold": {"value": "900.00", "source": "特约"}}
)
TIGHT = Limits(per_person=yuan("700.00"), per_accident=yuan("1000.00"), aggregate=yuan("1100.00"))
OPEN = Limits(per_person=yuan("800.00"), per_accident=yuan("1500.00"))
"""Nobody knows the aggregate yet."""
NOTHING = Limits(per_person=yuan("0.00"), per_accident=yuan("0.00"), aggregate=yuan("0.00"))
AGREED = st.sampled_from([FIGURES, SMALL, SMALL, ClaimTerms()])
CEILINGS = st.sampled_from([TIGHT, TIGHT, LIMITS, OPEN, NOTHING])
LOSSES: tuple[tuple[LossLine, ...], ...] = (
    (death("L1", "600.00", ANNA),),
    (death("L1", "600.00", ANNA), death("L2", "600.00", BO), line("L3", "rescue", "500.00")),
    (death("L1", "600.00", ANNA), death("L2", "500.00", BO)),
    (
        death("L1", "600.00", ANNA),
        line("L3", "rescue", "500.00"),
        line("L4", "medical", "120.50", BO, determined=False),
    ),
    (
        line("L4", "medical", "120.50", BO),
        line("L5", "third_party_property", "333.33"),
        line("L6", "appraisal", "9.99"),
    ),
)
DAYS = st.none() | st.dates(date(2024, 5, 30), date(2024, 9, 1))
NUMBERS = st.sampled_from(["Q-1", "Q-2", "P-1", "P-2"])
AMOUNTS = st.sampled_from(["0.01", "100.00", "120.50", "333.33", "600.00"]).map(yuan)
CLERKS = st.sampled_from(["u-1", "u-2"])
REFERENCES = st.sampled_from(["bank-1", "bank-2", "bank-3", "bank-4"])
WORDS = st.just("事由")
DUTIES = st.sampled_from(
    [
        "claim_determination",
        "claim_determination#2",
        "claim_payment",
        "refusal_notice",
        "minimum_prepayment",
        "claim_limitation",
        "small_fast_payment",
        "large_prepayment",
        "emergency_advance",
        "claim_result_upload",
        "no_such_duty",
    ]
)
HARM = st.builds(commands.Casualties, deaths=st.sampled_from([0, 1, 3, 30]), serious_injuries=st.sampled_from([0, 10]))
COVER = st.sampled_from([True, True, False])
OUTCOMES = st.builds(
    lambda number, result, reference: commands.RecordOutcome(
        number=number, result=result, reference=reference if result is OrderResult.CONFIRMED else None
    ),
    NUMBERS,
    st.sampled_from(OrderResult),
    REFERENCES,
)
ENDS = st.builds(
    lambda number, how, amount, of: commands.SetOffAdvance(
        number=number,
        how=how,
        amount=amount,
        line=of if how is AdvanceEnd.RECOVERED else None,
        reference="back-1" if how is AdvanceEnd.RECOVERED else None,
    ),
    NUMBERS,
    st.sampled_from(AdvanceEnd),
    AMOUNTS,
    st.sampled_from([None, "L1", "L3", "L9"]),
)
FIELDS: dict[type[Command], dict[str, st.SearchStrategy[Any]]] = {
    commands.UpdateCasualties: {"casualties": HARM, "note": WORDS, "on": DAYS},
    commands.RequestDocuments: {"documents": st.just(("诊断证明",)), "override_reason": st.none() | WORDS, "on": DAYS},
    commands.ReceiveDocuments: {"complete": st.booleans(), "on": DAYS},
    commands.RecordSurvey: {
        "facts_true": st.sampled_from([True, False, None]),
        "liability_clear": st.sampled_from([True, False, None]),
        "note": WORDS,
        "on": DAYS,
    },
    commands.AssessLoss: {"lines": st.sampled_from(LOSSES), "on": DAYS},
    commands.ChoosePath: {"path": st.sampled_from(ClaimPath), "reason": WORDS},
    commands.DetermineClaim: {"covered": COVER, "note": WORDS, "on": DAYS},
    commands.AgreeSettlement: {"amount": AMOUNTS, "agreement": st.just(FILE), "on": DAYS},
    commands.RefuseClaim: {"reasons": WORDS, "clause": st.just("第五条"), "notice": st.just(FILE), "on": DAYS},
    commands.ApprovePayment: {"number": NUMBERS, "by_user": CLERKS},
    commands.VoidPayment: {"number": NUMBERS, "reason": WORDS},
    commands.SetLimits: {"limits": CEILINGS, "reason": WORDS},
    commands.UploadResult: {"receipt": st.sampled_from([None, "SZ-1"]), "on": DAYS},
    commands.CloseClaim: {},
    commands.ReopenClaim: {"reason": WORDS},
    commands.WithdrawClaim: {"reason": WORDS, "on": DAYS},
    commands.RecordLitigation: {
        "number": st.just("（2024）民初1号"),
        "responsible": st.booleans(),
        "note": WORDS,
        "document": st.just(FILE),
        "on": DAYS,
    },
    ExtendDuty: {"duty": DUTIES, "days": st.integers(1, 40), "reason": WORDS},
    AcknowledgeDuty: {"duty": DUTIES},
    TakeOverDuty: {"duty": DUTIES},
    AnswerDuty: {"duty": DUTIES, "answer": WORDS},
    PassOn: {"duty": DUTIES, "to_region": st.just("341300"), "to_department": st.just("市应急局"), "reason": WORDS},
    AdoptCalendar: {"calendar": st.just(library().calendar())},
}
PLAIN: dict[type[Command], st.SearchStrategy[Command]] = {
    **{kind: made(kind, **fields) for kind, fields in FIELDS.items()},
    commands.RecordOutcome: OUTCOMES,
    commands.SetOffAdvance: ENDS,
}
COMMANDS = st.one_of(*PLAIN.values())


@st.composite
def proposals(draw: st.DrawFn) -> dict[str, Any]:
    """A payment as somebody might write it down; its line is chosen from the claim's own when it is asked for."""
    return {
        "number": draw(NUMBERS),
        "kind": draw(st.sampled_from(PaymentKind)),
        "which": draw(st.integers(0, 2)),
        "part": draw(st.none() | AMOUNTS),
        "payee": draw(
            st.sampled_from([None, {"kind": "insured", "proof": FILE}, {"kind": "supplier", "ref": SUPPLIER}])
        ),
        "purpose": draw(st.sampled_from(EmergencyPurpose)),
        "by_user": draw(CLERKS),
    }


def proposed(state: ClaimState, wanted: dict[str, Any]) -> commands.ProposePayment:
    """A line of the claim's loss, whole or in part; before there is any, the costs of the rescue."""
    loss = state.losses[wanted["which"] % len(state.losses)] if state.losses else line("L0", "rescue", "90.10")
    shown = {"head": loss.head, "amount": wanted["part"] or loss.amount, "person": loss.person}
    is_advance = wanted["kind"] is PaymentKind.ADVANCE
    named = {"line": loss.id} if state.losses or not is_advance else {}
    given = {name: wanted[name] for name in ("number", "kind", "payee", "by_user")}
    purpose = wanted["purpose"] if is_advance else None
    return commands.ProposePayment.model_validate({**given, "lines": [shown | named], "purpose": purpose})


def next_thing(state: ClaimState, covered: bool) -> list[Command]:
    """What a clerk who wants to get done would do now; a payment of every line that is still owed among it."""
    due: dict[ClaimStage, Command] = {
        ClaimStage.DOCUMENTS_AWAITED: commands.ReceiveDocuments(complete=True),
        ClaimStage.DENIED: commands.RefuseClaim(reasons="责任免除", clause="第五条", notice=FILE),
        ClaimStage.COMPLETED: commands.UploadResult(receipt="SZ-1"),
        ClaimStage.REFUSED: commands.UploadResult(receipt="SZ-1"),
    }
    if state.stage is ClaimStage.REPORTED:
        return _determined(state, covered)
    if state.stage is ClaimStage.DETERMINED:
        total = money.payable(state).total
        return [commands.AgreeSettlement(amount=total, agreement=FILE)] if total else []
    ended = [commands.CloseClaim()] if state.stage in (ClaimStage.COMPLETED, ClaimStage.REFUSED) else []
    return [*([due[state.stage]] if state.stage in due else []), *ended]


def _determined(state: ClaimState, covered: bool) -> list[Command]:
    if state.facts_true is not True:
        return [commands.RecordSurvey(facts_true=True, liability_clear=True, note="现场查勘")]
    if not state.losses:
        return [commands.AssessLoss(lines=LOSSES[0])]
    return [commands.DetermineClaim(covered=covered, note="核定")]


def owed(state: ClaimState) -> commands.ProposePayment | None:
    """The first line of the loss that is not paid as far as limits allow, under a number not used before."""
    used = {payment.number for payment in state.payments}
    number = next(name for n in range(1, 99) if (name := f"Q-{n}") not in used)
    for one in state.losses:
        left = min(one.amount - money.on_line(state, one.id), *_rooms(state, one))
        if left > 0:
            return commands.ProposePayment.model_validate(
                {
                    "number": number,
                    "kind": PaymentKind.SETTLEMENT,
                    "lines": [{"head": one.head, "amount": left, "person": one.person, "line": one.id}],
                    "payee": None if one.person else _payee_of(one),
                    "by_user": "u-1",
                }
            )
    return None


def _rooms(state: ClaimState, one: LossLine) -> list[Decimal]:
    """What its pot and its person still hold."""
    rooms = [money.room(state, PaymentKind.SETTLEMENT, one.head.pot) or Decimal("0.00")]
    limit = state.limits.per_person
    if one.person and limit is not None and one.head.pot is LimitPot.INDEMNITY:
        rooms.append(limit - money.on_persons(money.live_shares(state)).get(one.person, Decimal("0.00")))
    return rooms


def _payee_of(one: LossLine) -> dict[str, Any]:
    own = one.head in (LossHead.RESCUE, LossHead.APPRAISAL, LossHead.LITIGATION)
    return {"kind": "supplier", "ref": SUPPLIER} if own else {"kind": "insured", "proof": FILE}
