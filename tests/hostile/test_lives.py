"""A policy and a hazard in any hands: legal steps alone, every rung once, no alarm left behind, closed is closed."""

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.hazard import life as hazards
from domain.policy import life as policies
from domain.policy.refusals import AFTER_EXPIRY, ONCE
from models.contracts.base import Actor, Command
from models.contracts.hazard import HazardNews
from models.contracts.vocabulary import Event, HazardGrade
from tests.domain.lives import SIGNED, Danger, Life
from tests.domain.test_policy_properties import ACTORS, COMMANDS, HAZARD_COMMANDS, NEWS, REGIONS, SURRENDER, TERMS

WAITS = st.sampled_from([timedelta(0), timedelta(hours=7), timedelta(days=1), timedelta(days=20), timedelta(days=90)])


class Lives(RuleBasedStateMachine):
    """People act, time passes, workers ring in time or sleep; what must hold is said once more in plain Python."""

    @initialize(terms=TERMS, region=REGIONS, grade=st.sampled_from(HazardGrade))
    def begun(self, terms: dict[str, Any], region: str, grade: HazardGrade) -> None:
        self.policy, self.hazard = Life.opened(SIGNED + timedelta(minutes=5), **terms), Danger.found(region, grade)

    @rule(command=COMMANDS, actor=ACTORS)
    def a_policy_is_acted_upon(self, command: Command, actor: Actor) -> None:
        before = self.policy.state
        refusal = self.policy.refused(command, actor)
        if refusal is not None:
            assert refusal.status in (403, 404, 409, 422)
            assert refusal.says
            assert self.policy.state is before, "a refusal changes nothing"
            return
        assert before.ended_at is None
        assert not policies.over(before) or type(command) in AFTER_EXPIRY
        self.policy.act(command, actor)
        happened = [line.event for line in self.policy.record.happened]
        assert all(happened.count(event) <= 1 for event in ONCE)

    @rule(command=SURRENDER, actor=ACTORS)
    def a_policy_is_surrendered(self, command: Command, actor: Actor) -> None:
        if self.policy.refused(command, actor) is None:
            self.policy.act(command, actor)
            assert self.policy.refused(command, actor) is not None, "nobody gives up a policy twice"

    @rule(news=NEWS)
    def a_policy_hears_of_its_hazard(self, news: HazardNews) -> None:
        heard = policies.hear(self.policy.state, news, self.policy.now)
        if heard is not None:
            assert heard.state.seq == self.policy.state.seq + 1
            self.policy.state = heard.state

    @rule(command=HAZARD_COMMANDS, actor=ACTORS)
    def a_hazard_is_acted_upon(self, command: Command, actor: Actor) -> None:
        before = self.hazard.state
        if self.hazard.refused(command, actor) is None:
            assert before.ended_at is None, "closed is closed"
            self.hazard.act(command, actor)

    @rule(wait=WAITS)
    def time_passes_with_a_worker(self, wait: timedelta) -> None:
        self.policy.until(self.policy.now + wait)
        self.hazard.until(self.hazard.now + wait)

    @rule(wait=WAITS)
    def time_passes_without_one(self, wait: timedelta) -> None:
        self.policy.now += wait
        while (alarm := policies.next_alarm(self.policy.state)) is not None and alarm <= self.policy.now:
            self.policy.ring(self.policy.now)
            assert policies.next_alarm(self.policy.state) != alarm, "the loop would spin"

    @precondition(lambda self: self.policy.state.ended_at is not None)
    @rule(command=st.one_of(COMMANDS, SURRENDER), actor=ACTORS)
    def nothing_is_done_to_an_ended_policy(self, command: Command, actor: Actor) -> None:
        refusal = self.policy.refused(command, actor)
        assert refusal is not None
        assert refusal.code == "case_closed"

    @invariant()
    def every_rung_is_climbed_once_and_told_once(self) -> None:
        for led in (self.policy, self.hazard):
            fired = [(line.duty_key, line.data["moment"]) for line in led.record.lines(Event.RUNG_FIRED)]
            assert len(fired) == len(set(fired))
            keys = [notice.key for notice in led.record.notices]
            assert len(keys) == len(set(keys))

    @invariant()
    def no_alarm_lies_behind_once_it_rang(self) -> None:
        self.policy.until(self.policy.now)
        self.hazard.until(self.hazard.now)
        for led, next_alarm in ((self.policy, policies.next_alarm), (self.hazard, hazards.next_alarm)):
            alarm: datetime | None = next_alarm(led.state)  # pyright: ignore[reportArgumentType] - each its own state
            assert alarm is None or alarm > led.now

    @invariant()
    def what_ended_has_no_open_duty_and_no_alarm(self) -> None:
        state = self.policy.state
        if state.ended_at is not None:
            assert policies.next_alarm(state) is None
            assert not any(duty.is_open for duty in state.clock.duties)

    def teardown(self) -> None:
        """Left alone, every life comes to its end."""
        if hasattr(self, "policy"):
            self.policy.until(datetime.combine(date(2031, 1, 1), datetime.min.time(), SIGNED.tzinfo))
            assert policies.over(self.policy.state)


Lives.TestCase.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestLives = Lives.TestCase
