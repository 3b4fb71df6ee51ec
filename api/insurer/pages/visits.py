"""Whom the insurer's room offers which acts; who may carry them out stands in api/authorization.yaml."""

from typing import Annotated

from fastapi import Depends

from api.callers import Caller
from api.desk.frame import Visit, visitor
from models.contracts.claim_terms import ClaimTerms
from models.contracts.payment import Payment
from models.contracts.vocabulary import Post

ACTORS = (Post.INSURER_ADMIN, Post.INSURER_HANDLER)
"""An auditor reads everything and does nothing (promises.md 5.1)."""
APPROVERS = (Post.INSURER_ADMIN,)

Reading = Annotated[Visit, Depends(visitor, scope="function")]


def staff_number(caller: Caller) -> str:
    """How a signed-in person signs money steps: never typed, so that the second person really is another one (P10)."""
    assert caller.user_id is not None
    return f"U{caller.user_id.hex}"


def may_act(caller: Caller) -> bool:
    return caller.holds(*ACTORS)


def may_approve(caller: Caller) -> bool:
    return caller.holds(*APPROVERS)


def must_leave(caller: Caller, payment: Payment, terms: ClaimTerms) -> bool:
    """Whether another person approves it: one's own, above the agreed amount and wherever none is agreed."""
    threshold = terms.four_eyes_above
    two = threshold is None or payment.amount > threshold.value
    return two and payment.proposed.by_user.lower() == staff_number(caller).lower()
