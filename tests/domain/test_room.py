"""A case that is nearly full: what may begin leaves room for what has to follow."""

from domain import room
from domain.decision import Decision, Refused
from models.contracts import claim as commands
from models.contracts.claim_state import ClaimState
from models.contracts.payment import Payment
from models.contracts.vocabulary import PaymentKind
from tests.domain.claim_lives import COVERED, SURVEYED, Claim, death, paying
from tests.domain.lives import FILE

STAFF = "staff-of-a-branch-0123456789"


def proposed() -> tuple[ClaimState, Payment, Payment]:
    """A claim with one payment proposed, and that payment before its approval and after its last word."""
    claim = Claim.reported()
    one = death("L1", "90000.00", claim.state.birth.insured_id)
    claim.act(SURVEYED, commands.AssessLoss(lines=(one,)), COVERED).agreed()
    wanted = paying("P-00000", PaymentKind.SETTLEMENT, one, payee={"kind": "insured", "proof": FILE}, by_user=STAFF)
    begun = Claim(claim.state, claim.now).act(wanted)
    paid = Claim(claim.state, claim.now).paid(wanted)
    return begun.state, begun.payment("P-00000"), paid.payment("P-00000")


def filled(state: ClaimState, one: Payment, number: int) -> ClaimState:
    payments = tuple(one.model_copy(update={"number": f"P-{at:05}"}) for at in range(number))
    return state.model_copy(update={"payments": payments})


def taken(before: ClaimState, after: ClaimState) -> bool:
    try:
        room.kept(before, Decision(after))
    except Refused as refused:
        return refused.refusal.code != "case_full"
    return True


def test_every_payment_a_full_claim_took_can_be_approved_and_confirmed() -> None:
    state, waiting, paid = proposed()
    most = next(n for n in range(1, 2_000) if not taken(filled(state, waiting, n), filled(state, waiting, n + 1)))
    full = filled(state, waiting, most)
    assert most > 200
    settled = full.model_copy(update={"payments": filled(state, paid, most).payments})
    rest = settled.model_copy(update={"payments": (*settled.payments[:-1], full.payments[-1])})
    assert taken(rest, settled), "the last one is paid like the first"


def test_a_case_that_takes_no_further_matter_still_takes_a_word_on_those_it_has() -> None:
    state, waiting, _ = proposed()
    full = next(s for n in range(1, 2_000) if room.size(s := filled(state, waiting, n)) > room.ROOM[1][1])
    longer = full.model_copy(update={"payments": (*full.payments, waiting)})
    noted = full.model_copy(update={"last_notice": "已签收"})
    assert (taken(full, longer), taken(full, noted)) == (False, True)
