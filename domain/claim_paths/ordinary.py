"""The ordinary path (保险法 22–25): determine, agree, pay; open to every claim, with the law's own clocks."""

from datetime import datetime

from domain.claim import money
from domain.claim.clauses import DETERMINABLE_PART, DETERMINATION
from models.contracts.claim_state import Allowance, Choice, ClaimState
from models.contracts.payment import ZERO
from models.contracts.step import Happening
from models.contracts.vocabulary import ClaimPath, PaymentKind


def missing(state: ClaimState) -> tuple[str, ...]:
    """No figure is needed: the terms are the law's."""
    return ()


def suits(state: ClaimState) -> Choice:
    """Always."""
    return Choice(path=ClaimPath.ORDINARY, applies=True, because=("任何案件都可按普通程序办理",), clause=DETERMINATION)


def may_pay(state: ClaimState) -> Allowance:
    """The agreed sum once there is an agreement; before it the determinable part."""
    if not state.covered or state.agreed is None:
        return determinable_part(state)
    return Allowance(
        kinds=(PaymentKind.SETTLEMENT,),
        ceiling=money.room_of_all(state, PaymentKind.SETTLEMENT),
        because=("已核定属于保险责任，并已达成赔偿协议",),
        clause=DETERMINATION,
    )


def determinable_part(state: ClaimState) -> Allowance:
    """What may be paid first on any path: the certain part, where liability is clear and the documents are there."""
    why_not = _not_yet(state)
    if why_not:
        return Allowance(ceiling=ZERO, because=why_not, clause=DETERMINABLE_PART)
    return Allowance(
        kinds=(PaymentKind.MINIMUM,),
        ceiling=money.room_of_all(state, PaymentKind.MINIMUM),
        because=("索赔请求和证明材料齐备，可确定的数额可先予支付",),
        clause=DETERMINABLE_PART,
    )


def _not_yet(state: ClaimState) -> tuple[str, ...]:
    if state.covered is False:
        return ("核定不属于保险责任",)
    reasons = (
        "" if state.documents_complete else "索赔请求和证明材料尚未齐备",
        "" if state.covered or state.liability_clear else "保险责任尚未明确",
        "" if money.determined(state).total else "没有可以确定的损失数额",
    )
    return tuple(reason for reason in reasons if reason)


def clock(state: ClaimState, now: datetime) -> tuple[Happening, ...]:
    """Nothing starts: the law's terms run from the report and from the agreement."""
    return ()
