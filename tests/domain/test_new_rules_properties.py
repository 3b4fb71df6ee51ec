"""Any policy that takes any newer documents at any time: no duty is made late, no rung told twice, every life ends."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain import clock as clocks
from domain.calendar import local_date
from domain.policy import life
from models.contracts.base import Actor
from models.contracts.clock import RunningDuty
from models.contracts.vocabulary import Event
from tests.domain.lives import OPERATOR, SIGNED, Life, rules
from tests.domain.test_new_rules import adopt, newer
from tests.domain.test_policy_properties import MOVES, SEVERAL, TERMS, moved, rests

DUTIES = ("policy_upload", "provider_naming", "plan_filing", "service_completion", "first_service", "renewal")
TURNS = st.lists(
    st.tuples(
        st.integers(0, 10),
        st.dictionaries(st.sampled_from(DUTIES), st.none() | st.integers(1, 200), max_size=4),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=3,
)
"""After which move, which terms in days (none: the duty is gone), and a digit of the digest."""


def due(led: Life, one: RunningDuty) -> datetime | None:
    bound = clocks.rule(led.state.rulebook, one)
    return clocks.project(bound.duty, one, led.state.clock, led.state.calendar).due_at


def turned(led: Life, terms: dict[str, Any], digit: int) -> None:
    """The case takes a newer document, where it is allowed to; what held before still holds."""
    if life.over(led.state):
        return
    led.until(led.now)
    book = newer(rules(led.state.terms).rulebook, **terms)
    last = book.packs[-1].model_copy(update={"digest": str(digit) * 64})
    command = adopt(led, book.model_copy(update={"packs": (*book.packs[:-1], last)}))
    if led.refused(command, OPERATOR) is not None:
        return
    before = {one.key: (one, due(led, one)) for one in led.state.clock.duties}
    led.act(command, OPERATOR)
    for one in led.state.clock.duties:
        old, was_due = before.get(one.key, (None, None))
        now_due = due(led, one)
        if old and not old.is_open:
            assert (one.met_at, one.stopped_at, now_due) == (old.met_at, old.stopped_at, was_due), "over is over"
        elif one.is_open and now_due and now_due <= led.now:
            assert now_due == was_due, "nobody is made late by it"
    assert {one.key for one in led.state.clock.duties} >= set(before)


@SEVERAL
@given(TERMS, MOVES, TURNS, st.timedeltas(timedelta(0), timedelta(days=300)))
def test_any_life_under_any_rules(
    more: dict[str, Any], moves: list[tuple[timedelta, bool, Any, Actor]], turns: list[Any], entered_after: timedelta
) -> None:
    entered = SIGNED + timedelta(minutes=5) + entered_after
    if local_date(entered) > more["expires_on"]:
        entered = SIGNED + timedelta(minutes=5)
    led = Life.opened(entered, **more)
    for number, move in enumerate(moves):
        moved(led, *move)
        rests(led)
        for at, terms, digit in turns:
            if at == number:
                turned(led, terms, digit)
                rests(led)
    led.until(datetime(2029, 1, 1, tzinfo=SIGNED.tzinfo))
    assert life.over(led.state), "every life comes to an end"
    keys = [notice.key for notice in led.record.notices]
    assert len(keys) == len(set(keys)), [key for key in keys if keys.count(key) > 1]
    fired = [(line.duty_key, line.data["moment"], line.at) for line in led.record.lines(Event.RUNG_FIRED)]
    assert len(fired) == len(set(fired)), "each rung at most once at one instant"
