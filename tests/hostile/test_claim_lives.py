"""A claim in any hands, from its report to its archive: legal steps, known refusals, money kept, every term told."""

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from api.words import REFUSALS, ProblemCode
from domain.claim import life, views
from domain.claim.changes import CHANGES
from models.contracts import claim as commands
from models.contracts.base import Actor, Command
from models.contracts.claim_state import ClaimState
from models.contracts.payment import Payment
from models.contracts.vocabulary import (
    ClaimPath,
    ClaimStage,
    Event,
    LimitKind,
    LimitPot,
    OrderResult,
    PaymentStatus,
    StopReason,
)
from tests.domain.claim_lives import COVERED, SURVEYED, Claim
from tests.domain.lives import SIGNED
from tests.domain.test_policy_properties import ACTORS, REGIONS
from tests.hostile.claim_commands import (
    AGREED,
    CEILINGS,
    CLERKS,
    COMMANDS,
    COVER,
    LOSSES,
    PLAIN,
    next_thing,
    owed,
    proposals,
    proposed,
)

ZERO = Decimal("0.00")
KNOWN = {*REFUSALS, *(code.value for code in ProblemCode)}
DECIDED = {ClaimStage.DETERMINED, ClaimStage.DENIED, ClaimStage.COMPLETED}
LEADS: dict[ClaimStage, set[ClaimStage]] = {
    ClaimStage.REPORTED: {ClaimStage.DOCUMENTS_AWAITED, ClaimStage.WITHDRAWN, *DECIDED},
    ClaimStage.DOCUMENTS_AWAITED: {ClaimStage.REPORTED, ClaimStage.WITHDRAWN, *DECIDED},
    ClaimStage.DETERMINED: {ClaimStage.AGREED, ClaimStage.COMPLETED, ClaimStage.WITHDRAWN, ClaimStage.REPORTED},
    ClaimStage.AGREED: {ClaimStage.COMPLETED, ClaimStage.WITHDRAWN, ClaimStage.REPORTED},
    ClaimStage.DENIED: {ClaimStage.REFUSED, ClaimStage.REPORTED},
    ClaimStage.COMPLETED: {ClaimStage.CLOSED, ClaimStage.REPORTED},
    ClaimStage.REFUSED: {ClaimStage.CLOSED, ClaimStage.REPORTED},
    ClaimStage.CLOSED: {ClaimStage.REPORTED},
    ClaimStage.WITHDRAWN: {ClaimStage.REPORTED},
}
"""Which stage may follow which, said once more; back to the report only by taking the claim up again."""
ENDED = {ClaimStage.CLOSED: StopReason.CLOSED, ClaimStage.WITHDRAWN: StopReason.WITHDRAWN}
WAITS = st.sampled_from([timedelta(hours=7), timedelta(days=1), timedelta(days=9), timedelta(days=45)])
LATEST = datetime(2032, 1, 1, tzinfo=SIGNED.tzinfo)
RESULTS = st.sampled_from([OrderResult.CONFIRMED, OrderResult.CONFIRMED, *OrderResult])
NAMES = st.sampled_from(["Q-1", "Q-2", "P-1", "P-2"])


class ClaimLives(RuleBasedStateMachine):
    """Anybody asks anything in any order, a clerk who gets on with it among them; time passes, workers sleep."""

    claim: Claim

    @initialize(
        region=REGIONS,
        harm=st.sampled_from([{"deaths": 0}, {"deaths": 1}, {"deaths": 3}]),
        agreed=st.fixed_dictionaries({"complete": st.booleans(), "terms": AGREED, "limits": CEILINGS}),
        ahead=st.sampled_from([0, 2, 3, 4, 5, 5, 5]),
        lines=st.sampled_from(LOSSES),
    )
    def reported(self, region: str, harm: dict[str, int], agreed: Any, ahead: int, lines: Any) -> None:
        """And as far ahead as its clerks have brought it: surveyed and assessed, determined, agreed."""
        self.claim = Claim.reported(region=region, accident=harm, **agreed)
        for command in (SURVEYED, commands.AssessLoss(lines=lines), COVERED)[:ahead]:
            self.tried(command)
        for _ in range(3, ahead):
            self.a_clerk_does_the_next_thing(True, "u-2", OrderResult.CONFIRMED)

    def tried(self, command: Command, actor: Actor | None = None) -> bool:
        """Taken as a legal step, or refused by a known word and nothing has changed."""
        claim, before = self.claim, self.claim.state
        refusal = claim.refused(command, actor) if actor else claim.refused(command)
        if refusal is not None:
            assert refusal.code in KNOWN
            assert refusal.says
            assert refusal.status in (403, 404, 409, 422)
            assert claim.state is before
            return False
        assert before.ended_at is None, "archived is archived"
        claim.act(command, **({"actor": actor} if actor else {}))
        self._moved(before, type(command))
        return True

    def _moved(self, before: ClaimState, by: type[Command]) -> None:
        after = self.claim.state
        if after.stage is before.stage:
            return
        assert after.stage in LEADS[before.stage], (before.stage, by)
        back = after.stage is ClaimStage.REPORTED and before.stage is not ClaimStage.DOCUMENTS_AWAITED
        assert back == (by is commands.ReopenClaim), (before.stage, by)

    @rule(command=COMMANDS, actor=ACTORS)
    def anybody_asks_anything(self, command: Command, actor: Actor) -> None:
        self.tried(command, actor)

    @rule(covered=COVER, by=CLERKS, result=RESULTS)
    def a_clerk_does_the_next_thing(self, covered: bool, by: str, result: OrderResult) -> None:
        """Once it is agreed that is to pay."""
        steps = next_thing(self.claim.state, covered)
        for command in steps:
            self.tried(command)
        if not steps:
            self.whatever_is_owed_is_paid(by, result)

    @rule(lines=st.sampled_from(LOSSES), path=st.sampled_from(ClaimPath))
    def it_is_surveyed_assessed_and_put_on_a_path(self, lines: Any, path: ClaimPath) -> None:
        for command in (
            SURVEYED,
            commands.AssessLoss(lines=lines),
            commands.ChoosePath(path=path, reason="人工"),
        ):
            self.tried(command)

    @rule(wanted=proposals())
    def a_payment_is_proposed(self, wanted: dict[str, Any]) -> None:
        self.tried(proposed(self.claim.state, wanted))

    @rule(by=CLERKS, result=RESULTS)
    def whatever_is_owed_is_paid(self, by: str, result: OrderResult) -> None:
        while (proposal := owed(self.claim.state)) and self.tried(proposal):
            if self.tried(commands.ApprovePayment(number=proposal.number, by_user=by)):
                self.the_bank_answers(proposal.number, result, f"bank-{proposal.number}")

    @rule(
        number=NAMES,
        result=st.sampled_from(OrderResult),
        reference=st.sampled_from(["bank-1", "bank-2", "bank-Q-1"]),
    )
    def the_bank_answers(self, number: str, result: OrderResult, reference: str) -> None:
        """Late, twice, wrongly, of payments that are not there."""
        before = self.claim.state
        self.claim.answered(number, result, reference if result is OrderResult.CONFIRMED else "")
        self._moved(before, commands.RecordOutcome)

    @rule(share=st.sampled_from([Decimal("0.01"), Decimal("0.5"), Decimal(1)]), which=st.integers(0, 3))
    def money_comes_back(self, share: Decimal, which: int) -> None:
        """A part of a payment or all of it."""
        if not self.claim.state.payments:
            return
        payment = self.claim.state.payments[which % len(self.claim.state.payments)]
        back = (payment.amount * share).quantize(ZERO)
        if back:
            told = {"number": payment.number, "how": "recovered", "amount": back, "reference": "back-2"}
            self.tried(commands.SetOffAdvance.model_validate(told))

    @rule(wait=WAITS, asleep=st.booleans())
    def time_passes(self, wait: timedelta, asleep: bool) -> None:
        """With a worker, or without one: then everything that came due rings at once. The run is continued as new."""
        again = ClaimState.model_validate_json(self.claim.state.model_dump_json())
        assert again == self.claim.state
        self.claim.state = again
        if asleep:
            self.claim.now += wait
            self.claim.until(self.claim.now)
        else:
            self.claim.until(self.claim.now + wait)

    @rule(command=COMMANDS, actor=ACTORS)
    def nothing_is_done_to_an_archived_claim(self, command: Command, actor: Actor) -> None:
        if self.claim.state.stage in ENDED:
            self.claim.until(self.claim.now + timedelta(days=3 * 366))
            assert life.over(self.claim.state)
            refusal = self.claim.refused(command, actor)
            assert refusal is not None
            assert refusal.code == "case_closed"
            event("archived")

    @invariant()
    def no_limit_is_exceeded(self) -> None:
        """By what is on its way or was paid, less what came back: per person, per accident, for rescue."""
        state, live = self.claim.state, [one for one in self.claim.state.payments if one.net]
        if state.limits.unknown:
            return
        pots, persons = Counter[LimitPot](), Counter[Any]()
        for payment in live:
            back = payment.back or (ZERO,) * len(payment.lines)
            for line, gone in zip(payment.lines, back, strict=True):
                pots[line.head.pot] += line.amount - gone  # pyright: ignore[reportArgumentType] - sums of money
                if line.person and line.head.pot is LimitPot.INDEMNITY:
                    persons[line.person] += line.amount - gone  # pyright: ignore[reportArgumentType]
        caps = [state.limits.of(kind) for kind in (LimitKind.PER_ACCIDENT, LimitKind.AGGREGATE)]
        assert all(cap is None or pots[LimitPot.INDEMNITY] <= cap for cap in caps)
        assert state.limits.rescue_ceiling is None or pots[LimitPot.RESCUE] <= state.limits.rescue_ceiling
        assert state.limits.per_person is None or all(one <= state.limits.per_person for one in persons.values())

    @invariant()
    def each_key_is_ordered_once_and_for_its_own_sum(self) -> None:
        orders = {order.key: order for order in self.claim.orders}
        assert len(orders) == len(self.claim.orders)
        numbers = {order.payment_number: order.amount for order in orders.values()}
        signed = {one.number: one.amount for one in self.claim.state.payments if one.approved}
        assert numbers == signed

    @invariant()
    def money_is_conserved(self) -> None:
        """What went out of the limits and did not come back is exactly what payments hold."""
        given_back = sum((share.amount for one in self.claim.releases for share in one.pots), ZERO)
        assert len({one.key for one in self.claim.releases}) == len(self.claim.releases)
        ordered = sum((order.amount for order in self.claim.orders), ZERO)
        held = sum((one.net for one in self.claim.state.payments if one.approved), ZERO)
        assert ordered - given_back == held
        for payment in self.claim.state.payments:
            assert ZERO <= payment.recovered + payment.set_off <= payment.amount
            assert sum(payment.back, ZERO) == payment.recovered
        references = [one.reference for one in self.claim.state.payments if one.reference]
        assert len(set(references)) == len(references), "one transfer settles one payment"

    @invariant()
    def dates_follow_one_another(self) -> None:
        state, now = self.claim.state, self.claim.now
        taken = [path.at for path in state.paths]
        assert taken == sorted(taken)
        assert all(state.reported_on <= day <= now.astimezone(SIGNED.tzinfo).date() for day in state.facts.values())
        for payment in state.payments:
            instants = _instants(payment)
            assert instants == sorted(instants)
        ends = [state.opened_at, *(one for one in (state.closed_at, state.ended_at) if one), now]
        assert ends == sorted(ends)

    @invariant()
    def every_open_term_has_its_day_or_says_that_it_is_held(self) -> None:
        state = self.claim.state
        held = any(one.until_on is None for one in state.clock.suspensions)
        for brief in views.view(state).duties:
            dates = (brief.nominal, brief.effective, brief.due_at)
            assert None not in dates or (held and dates == (None, None, None)), brief
        if state.stage in ENDED:
            assert not any(one.is_open for one in state.clock.duties)

    @invariant()
    def every_rung_is_climbed_once_and_told_once(self) -> None:
        fired = [(line.duty_key, line.data["moment"]) for line in self.claim.record.lines(Event.RUNG_FIRED)]
        assert len(fired) == len(set(fired))
        keys = [notice.key for notice in self.claim.record.notices]
        assert len(keys) == len(set(keys))

    @invariant()
    def no_alarm_lies_behind_once_it_rang(self) -> None:
        self.claim.until(self.claim.now)
        alarm = life.next_alarm(self.claim.state)
        assert alarm is None or alarm > self.claim.now
        shown = views.view(self.claim.state)
        assert views.row(self.claim.state, shown, shown.model_dump(mode="json")).next_alarm_at == alarm

    def teardown(self) -> None:
        """Left alone it becomes still, and what was closed is archived."""
        if not hasattr(self, "claim"):
            return
        event(f"left as {self.claim.state.stage.value}")
        for payment in self.claim.state.payments:
            event(f"a payment {payment.status.value}{' in part back' if payment.recovered else ''}")
        self.claim.until(LATEST)
        assert life.next_alarm(self.claim.state) is None
        assert life.over(self.claim.state) == (self.claim.state.stage in ENDED)


def _instants(payment: Payment) -> list[datetime]:
    """Of one payment, in the order in which they must lie."""
    approved = payment.approved.at if payment.approved else None
    settled = payment.settled_at if payment.status is not PaymentStatus.VOIDED else None
    given = (payment.proposed.at, approved, payment.instructed_at, settled)
    return [one for one in given if one is not None]


def test_every_command_of_a_claim_is_asked() -> None:
    assert {*CHANGES} - {*PLAIN} == {commands.ProposePayment}, "which is made of the claim's own losses"


ClaimLives.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestClaimLives = ClaimLives.TestCase
