"""Two claims of one accident under any interleaving keep every promise about money; the model is plain Python."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.claim import life, money, views
from domain.claim_paths import registry
from models.contracts import claim as commands
from models.contracts.base import Command
from models.contracts.claim_state import ClaimState
from models.contracts.claim_terms import ClaimTerms
from models.contracts.payment import LossLine
from models.contracts.vocabulary import (
    AdvanceEnd,
    ClaimPath,
    ClaimStage,
    EmergencyPurpose,
    LimitPot,
    LossHead,
    OrderResult,
    PayeeKind,
    PaymentKind,
)
from tests.domain.claim_lives import ANNA, BO, FIGURES, SOURCE, SUPPLIER, SURVEYED, Claim, death, line, spending, yuan
from tests.domain.claim_model import (
    AGGREGATE,
    LIMITS,
    PER_ACCIDENT,
    PER_PERSON,
    RESCUE,
    ZERO,
    Held,
    PolicyLimits,
    adjusted,
)
from tests.domain.lives import FILE

FOUR_EYES = yuan("100.00")
TERMS = ClaimTerms.model_validate(
    FIGURES.model_dump()
    | {
        "small_fast_threshold": {"value": "600.00", "source": SOURCE},
        "emergency_cap": {"value": "500.00", "source": SOURCE},
        "four_eyes_above": {"value": str(FOUR_EYES), "source": SOURCE},
    }
)
LOSSES: tuple[tuple[LossLine, ...], ...] = (
    (death("L1", "600.00", ANNA),),
    (death("L1", "600.00", ANNA), death("L2", "600.00", BO, determined=False)),
    (death("L1", "600.00", ANNA), death("L2", "600.00", BO), line("L3", "rescue", "500.00")),
    (death("L1", "900.00", ANNA), line("L4", "medical", "120.50", BO), line("L3", "rescue", "90.10")),
    (line("L4", "medical", "120.50", BO), line("L5", "third_party_property", "333.33")),
    (death("L1", "600.00", ANNA), death("L2", "599.99", BO)),
)
AMOUNTS = st.sampled_from(["0.01", "90.10", "100.00", "120.50", "333.33", "400.00", "600.00", "800.00"]).map(yuan)
WHO = st.integers(0, 1)
NUMBERS = st.integers(0, 8)
USERS = st.sampled_from(["u-1", "u-2"])
PAYEES = st.sampled_from(
    [None, {"kind": "insured"}, {"kind": "insured", "proof": FILE.model_dump()}, {"kind": "supplier", "ref": SUPPLIER}]
)


class Claims(RuleBasedStateMachine):
    """People, bank and core system do what they like, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.claims = [
            Claim.reported(number="C-1", limits=LIMITS, terms=TERMS, accident={"number": "ACC-1", "deaths": 3}),
            Claim.reported(number="C-2", limits=LIMITS, terms=TERMS, accident={"number": "ACC-1"}),
        ]
        self.spare = iter(range(100, 10_000))
        self.books: list[dict[str, Held]] = [{}, {}]
        self.limits = PolicyLimits()

    def tried(self, who: int, command: Command) -> bool:
        """The command, if it is not refused."""
        claim = self.claims[who]
        if claim.refused(command):
            return False
        claim.act(command)
        return True

    def number(self, who: int, n: int) -> str:
        """A new number, or now and then one that was used before."""
        return f"P{who}-{n}"

    def known(self, who: int, n: int) -> str:
        """One of the payments there are, the latest ones first."""
        numbers = list(reversed(self.books[who]))
        return numbers[n % len(numbers)] if numbers else self.number(who, n)

    @rule(who=WHO, lines=st.sampled_from(LOSSES))
    def assess(self, who: int, lines: tuple[LossLine, ...]) -> None:
        self.tried(who, commands.AssessLoss(lines=lines))

    @rule(who=WHO, lines=st.sampled_from(LOSSES))
    def straight_to_the_agreement(self, who: int, lines: tuple[LossLine, ...]) -> None:
        self.survey(who)
        self.assess(who, lines)
        self.determine(who, True)
        self.agree(who)

    @rule(who=WHO)
    def straight_to_the_end(self, who: int) -> None:
        self.pay_the_rest(who, "u-2")
        for payment in self.claims[who].state.payments:
            standing = money.standing_advance(payment)
            if standing:
                command = {"number": payment.number, "how": AdvanceEnd.SET_OFF, "amount": standing}
                self.tried(who, commands.SetOffAdvance.model_validate(command))
        self.upload(who)
        self.close(who)

    @rule(who=WHO)
    def survey(self, who: int) -> None:
        self.tried(who, SURVEYED)

    @rule(who=WHO, covered=st.sampled_from([True, True, True, False]))
    def determine(self, who: int, covered: bool) -> None:
        self.tried(who, commands.DetermineClaim(covered=covered, note="核定"))

    @rule(who=WHO)
    def agree(self, who: int) -> None:
        total = money.payable(self.claims[who].state).total
        if total:
            self.tried(who, commands.AgreeSettlement(amount=total, agreement=FILE))

    @rule(who=WHO, path=st.sampled_from(ClaimPath))
    def choose(self, who: int, path: ClaimPath) -> None:
        self.tried(who, commands.ChoosePath(path=path, reason="人工"))

    @rule(who=WHO, n=NUMBERS, kind=st.sampled_from(PaymentKind), part=AMOUNTS, whole=st.booleans(), payee=PAYEES)
    def propose(self, who: int, n: int, kind: PaymentKind, part: Decimal, whole: bool, payee: Any) -> None:
        losses = self.claims[who].state.losses
        if not losses:
            return
        loss = losses[n % len(losses)]
        amount = loss.amount if whole else part
        allowed = [one for offer in registry.allowances(self.claims[who].state) for one in offer.kinds]
        kind = kind if kind is PaymentKind.ADVANCE or not allowed else allowed[n % len(allowed)]
        shown = {"head": loss.head, "amount": amount, "person": loss.person, "line": loss.id}
        self._propose(who, n, kind, shown, payee)

    @rule(who=WHO, n=NUMBERS, head=st.sampled_from([LossHead.RESCUE, LossHead.MEDICAL]), amount=AMOUNTS)
    def advance(self, who: int, n: int, head: LossHead, amount: Decimal) -> None:
        person = BO if head is LossHead.MEDICAL else None
        spent = spending(head, str(amount), person).model_dump()
        payee = {"kind": "supplier", "ref": SUPPLIER}
        self._propose(who, n, PaymentKind.ADVANCE, spent, payee)

    def _propose(self, who: int, n: int, kind: PaymentKind, shown: dict[str, Any], payee: Any) -> None:
        number = self.number(who, n)
        purpose = EmergencyPurpose.MEDICAL if kind is PaymentKind.ADVANCE else None
        command = commands.ProposePayment.model_validate(
            {"number": number, "kind": kind, "lines": [shown], "payee": payee, "purpose": purpose, "by_user": "u-1"}
        )
        if self.tried(who, command):
            assert number not in self.books[who], "a number is used once"
            pot = LossHead(shown["head"]).pot
            person = shown["person"]
            persons = {person: shown["amount"]} if person and pot is LimitPot.INDEMNITY else {}
            self.books[who][number] = Held(kind, shown["amount"], pot, persons, "u-1")

    @rule(who=WHO, by=USERS)
    def pay_the_rest(self, who: int, by: str) -> None:
        """Whatever may still be paid is paid, line by line, as an eager clerk would."""
        for loss in self.claims[who].state.losses:
            state, n = self.claims[who].state, next(self.spare)
            shares = money.on_persons(money.live_shares(state))
            left = [loss.amount - money.on_line(state, loss.id)]
            left.append(money.room(state, PaymentKind.SETTLEMENT, loss.head.pot) or ZERO)
            if loss.person and loss.head.pot is LimitPot.INDEMNITY:
                left.append(PER_PERSON - shares.get(loss.person, ZERO))
            if min(left) > ZERO:
                shown = {"head": loss.head, "amount": min(left), "person": loss.person, "line": loss.id}
                self._propose(who, n, PaymentKind.SETTLEMENT, shown, {"kind": "insured", "proof": FILE.model_dump()})
                self.approve(who, 0, by)
                self.answer(who, 0, OrderResult.CONFIRMED, n, False)

    @rule(who=WHO, n=NUMBERS, by=USERS)
    def approve(self, who: int, n: int, by: str) -> None:
        """As the workflow does it: room first, then the decision; room is given back where the decision is refused."""
        claim, number = self.claims[who], self.known(who, n)
        command = commands.ApprovePayment(number=number, by_user=by)
        if claim.refused(command) or not self.limits.reserve(life.reservation(claim.state, number)):
            return
        before = len(claim.orders)
        claim.act(command)
        held = self.books[who][number]
        held.status = "approved"
        held.ordered += len(claim.orders) - before
        assert by != held.proposed_by or held.amount <= FOUR_EYES

    @rule(who=WHO, n=NUMBERS, result=st.sampled_from(OrderResult), ref=st.integers(0, 8), person=st.booleans())
    def answer(self, who: int, n: int, result: OrderResult, ref: int, person: bool) -> None:
        """The core system answers, late, twice or wrongly; or a person records what the bank says."""
        claim, number = self.claims[who], self.known(who, n)
        reference = f"bank-{who}-{ref}" if result is OrderResult.CONFIRMED else ""
        if person:
            self.tried(who, commands.RecordOutcome(number=number, result=result, reference=reference or None))
        else:
            claim.answered(number, result, reference)
        held = self.books[who].get(number)
        if held and held.status not in ("proposed", "voided"):
            held.status = claim.payment(number).status.value

    @rule(who=WHO, n=NUMBERS)
    def void(self, who: int, n: int) -> None:
        number = self.known(who, n)
        if self.tried(who, commands.VoidPayment(number=number, reason="作废")):
            assert self.books[who][number].status in ("proposed", "failed")
            self.books[who][number].status = "voided"
        self._give_back(who)

    @rule(who=WHO, n=NUMBERS, how=st.sampled_from(AdvanceEnd), amount=AMOUNTS, all_of_it=st.booleans())
    def set_off(self, who: int, n: int, how: AdvanceEnd, amount: Decimal, all_of_it: bool) -> None:
        number = self.known(who, n)
        held = self.books[who].get(number)
        if held is None:
            return
        amount = held.amount if all_of_it else amount
        back = how is AdvanceEnd.RECOVERED
        disputed = bool(self.claims[who].payment(number).disputed)
        command = commands.SetOffAdvance(number=number, how=how, amount=amount, reference="back-1" if back else None)
        if self.tried(who, command) and back and not disputed:
            held.back += amount
        self._give_back(who)

    def _give_back(self, who: int) -> None:
        for released in self.claims[who].releases:
            self.limits.release(released)

    @rule(who=WHO)
    def refuse_it(self, who: int) -> None:
        self.tried(who, commands.RefuseClaim(reasons="责任免除", clause="第五条", notice=FILE))

    @rule(who=WHO)
    def withdraw(self, who: int) -> None:
        """Only where nothing is out and nothing under way."""
        if self.tried(who, commands.WithdrawClaim(reason="撤回索赔")):
            assert sum((held.live for held in self.books[who].values()), ZERO) == ZERO

    @rule(who=WHO)
    def upload(self, who: int) -> None:
        self.tried(who, commands.UploadResult(receipt="SZ-1"))

    @rule(who=WHO)
    def reopen(self, who: int) -> None:
        self.tried(who, commands.ReopenClaim(reason="新证据"))

    @rule(who=WHO)
    def close(self, who: int) -> None:
        """paid + prepaid + advanced - recovered = adjusted loss within the limits, pot by pot."""
        if not self.tried(who, commands.CloseClaim()):
            return
        state = self.claims[who].state
        owed = dict.fromkeys(LimitPot, ZERO) if state.covered is False else adjusted(state.losses)
        event(f"closed with {len(self.books[who])} payments")
        paid = dict.fromkeys(LimitPot, ZERO)
        for held in self.books[who].values():
            assert held.status in ("confirmed", "voided")
            paid[held.pot] += held.live
        assert paid == owed

    @rule(who=WHO, days=st.sampled_from([1, 10, 40]))
    def wait(self, who: int, days: int) -> None:
        claim = self.claims[who]
        claim.until(claim.now + timedelta(days=days))

    @rule(who=WHO)
    def continue_as_new(self, who: int) -> None:
        """The state travels as JSON; orders not answered yet are the same orders."""
        claim = self.claims[who]
        again = ClaimState.model_validate_json(claim.state.model_dump_json())
        assert again == claim.state
        assert life.pending_orders(again) == life.pending_orders(claim.state)
        claim.state = again

    @invariant()
    def each_number_gives_at_most_one_order(self) -> None:
        for who, claim in enumerate(self.claims):
            keys = [order.key for order in claim.orders]
            assert len(set(keys)) == len(keys)
            assert all(held.ordered <= 1 for held in self.books[who].values())
            assert len({p.number for p in claim.state.payments}) == len(claim.state.payments)

    @invariant()
    def books_and_claim_agree(self) -> None:
        for who, claim in enumerate(self.claims):
            told = {p.number: (p.status.value, p.amount, p.recovered) for p in claim.state.payments}
            assert told == {number: (held.status, held.amount, held.back) for number, held in self.books[who].items()}

    @invariant()
    def no_claim_is_over_its_limits_or_its_loss(self) -> None:
        caps = {LimitPot.INDEMNITY: PER_ACCIDENT, LimitPot.RESCUE: RESCUE, LimitPot.COSTS: Decimal("Infinity")}
        for who, claim in enumerate(self.claims):
            owed = adjusted(claim.state.losses)
            for pot in LimitPot:
                held = [one for one in self.books[who].values() if one.pot is pot]
                assert sum((one.live for one in held), ZERO) <= caps[pot]
                assert sum((one.live for one in held if one.kind is not PaymentKind.ADVANCE), ZERO) <= owed[pot]
            for person in (ANNA, BO):
                assert (
                    sum((one.live for one in self.books[who].values() if one.persons.get(person)), ZERO) <= PER_PERSON
                )

    @invariant()
    def the_claims_together_keep_the_policy_limits(self) -> None:
        """What was approved and not given up, over both claims."""
        held = [one for book in self.books for one in book.values() if one.status not in ("proposed", "voided")]
        indemnity = sum((one.live for one in held if one.pot is LimitPot.INDEMNITY), ZERO)
        assert indemnity <= min(PER_ACCIDENT, AGGREGATE)
        assert sum((one.live for one in held if one.pot is LimitPot.RESCUE), ZERO) <= RESCUE
        for person in (ANNA, BO):
            got = sum((one.live for one in held if one.persons.get(person)), ZERO)
            assert got <= PER_PERSON

    @invariant()
    def the_treasury_holds_what_the_books_say(self) -> None:
        held = [one for book in self.books for one in book.values() if one.status not in ("proposed", "voided")]
        for pot in LimitPot:
            assert self.limits.of(pot) == sum((one.live for one in held if one.pot is pot), ZERO)

    @invariant()
    def no_insured_is_paid_an_indemnity_without_proof(self) -> None:
        for claim in self.claims:
            for payment in claim.state.payments:
                if payment.payee.kind is PayeeKind.INSURED and money.pot_of(payment) is LimitPot.INDEMNITY:
                    assert payment.payee.proof

    @invariant()
    def sums_have_two_places_and_are_finite(self) -> None:
        for claim in self.claims:
            for value in views.view(claim.state).money.model_dump().values():
                if isinstance(value, Decimal):
                    assert value.is_finite()
                    assert value.as_tuple().exponent == -2

    @invariant()
    def what_is_open_is_never_negative_once_it_is_final(self) -> None:
        for claim in self.claims:
            if claim.state.stage is ClaimStage.AGREED and not money.advances(claim.state):
                left = views.view(claim.state).money.open
                assert left is not None
                assert left >= 0


Claims.TestCase.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestClaims = Claims.TestCase
