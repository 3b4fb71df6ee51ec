"""How much one case may remember, so that the engine takes all of it in one task; what it remembers is not known here.

The engine takes two million bytes in one value and four million in one message, and a task may answer ten commands at
once, each with the view of the case. A case that outgrew this would fail every task from then on and never wake again.
"""

from domain.decision import Decision, Refused, S
from models.contracts.base import Contract
from models.contracts.step import Refusal

PINNED = {"rulebook", "calendar"}
"""Not what happened in the case, and in no answer."""
ROOM = ((400, 380_000), (2_000, 310_000), (24_000, 300_000), (None, 240_000))
"""Bytes a command adds at most → bytes of the case then. What adds little is taken when what adds much no longer is:
a loss of many lines still leaves room to pay it. A payment is proposed with 640 bytes, approved, sent and confirmed
with 150 more: as many as were proposed can also be paid (tests/domain/test_room.py), and the case brought to its end.
"""


def size(state: Contract) -> int:
    """Bytes of what the case remembers, as JSON in UTF-8."""
    return len(state.model_dump_json(exclude=PINNED).encode())


def kept(before: S, decision: Decision[S]) -> Decision[S]:
    """The same decision. Raises Refused (`case_full`, by product) where it makes the case larger than it may be."""
    now = size(decision.state)
    if now <= ROOM[-1][1]:
        return decision
    added = now - size(before)
    most = next(room for upto, room in ROOM if upto is None or added <= upto)
    if added <= 0 or now <= most:
        return decision
    says = f"本案已记录的内容连同这一项共 {now // 1000} KB，超过 {most // 1000} KB 的上限，请精简后再办"
    raise Refused(Refusal(code="case_full", says=says, clause="系统约定", status=422))
