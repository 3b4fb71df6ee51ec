"""What holds for every term, ladder and course of events (Hypothesis)."""

from datetime import date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain import clock as clocks
from domain.calendar import DAY, is_working, local_date, midnight, noon
from models.contracts.clock import Clock, RunningDuty
from models.contracts.duty import Duty
from models.contracts.rulebook import Rulebook
from models.contracts.vocabulary import DayMark, Event, OnHoliday, StopReason, TermUnit
from tests.makers import DEPARTMENT, calendar, clock, duty, rulebook, rung, running, suspension

CALENDAR = calendar()
ANCHORS = st.dates(date(2023, 11, 1), date(2026, 12, 31))
MOMENTS = st.sampled_from(["open", "-30d", "-7d", "-2d", "-1d", "-6h", "due", "+5h", "+3d", "+7d", "+14d"])
REPEATS = st.none() | st.builds(
    lambda n, times: {"every": f"{n}d", "times": times}, st.integers(1, 9), st.integers(1, 4)
)
RUNGS = st.builds(lambda at, repeat: rung(at, repeat=repeat), MOMENTS, REPEATS)
LADDERS = st.lists(RUNGS, max_size=5)
UNITS = st.sampled_from(["natural_day", "working_day", "hour"])


@st.composite
def duties(draw, units=UNITS) -> Duty:
    return duty(
        draw(st.integers(0, 80)),
        draw(units),
        ladder=tuple(draw(LADDERS)),
        first_day=draw(st.sampled_from(["excluded", "included"])),
        on_holiday=draw(st.sampled_from(["roll_forward", "keep"])),
        overdue_event=draw(st.sampled_from([None, Event.RECTIFICATION_OVERDUE])),
    )


@st.composite
def ledgers(draw, endless=True):
    entries = []
    for _ in range(draw(st.integers(0, 3))):
        first = draw(ANCHORS)
        last = first + timedelta(days=draw(st.integers(-1, 40)))
        entries.append(suspension(first, None if endless and draw(st.integers(0, 9)) == 0 else last))
    return tuple(entries)


@given(of=duties(), anchor=ANCHORS, ledger=ledgers(), extensions=st.lists(st.integers(1, 20), max_size=2))
def test_an_explanation_says_what_the_projection_says_and_ends_with_its_last_day(of, anchor, ledger, extensions):
    held, now = running(of, anchor, extensions=tuple(extensions)), clock(suspensions=ledger)
    told, due = clocks.explain(of, held, now, CALENDAR), clocks.project(of, held, now, CALENDAR)
    assert (told.nominal, told.effective, told.due_at, told.provisional) == (
        due.nominal, due.effective, due.due_at, due.provisional,
    )  # fmt: skip
    assert [one.on + DAY for one in told.days[:-1]] == [one.on for one in told.days[1:]]
    assert told.days[0].on == anchor
    if due.effective:
        assert (told.days[-1].on, told.days[-1].mark) == (due.effective, DayMark.DUE)
    else:
        assert told.days[-1].mark in (DayMark.SUSPENDED, DayMark.START)


@given(
    of=duties(units=st.sampled_from(["natural_day", "working_day"])),
    anchor=ANCHORS,
    ledger=ledgers(endless=False),
    extensions=st.lists(st.integers(1, 20), max_size=2),
)
def test_as_many_days_count_as_the_rule_and_its_extensions_say(of, anchor, ledger, extensions):
    held = running(of, anchor, extensions=tuple(extensions))
    numbers = [day.number for day in clocks.explain(of, held, clock(suspensions=ledger), CALENDAR).days if day.number]
    assert numbers == list(range(1, of.within.amount + sum(extensions) + 1))


@given(of=duties(), anchor=ANCHORS, later=st.integers(0, 400), ledger=ledgers())
def test_a_later_anchor_never_gives_an_earlier_end(of, anchor, later, ledger):
    now = clock(suspensions=ledger)
    first = clocks.project(of, running(of, anchor), now, CALENDAR).due_at
    second = clocks.project(of, running(of, anchor + timedelta(days=later)), now, CALENDAR).due_at
    if second is not None and first is not None:
        assert second >= first


@given(of=duties(units=st.just("year")), anchor=ANCHORS, later=st.integers(0, 400))
def test_a_later_anchor_never_gives_an_earlier_end_of_years(of, anchor, later):
    first, second = running(of, anchor), running(of, anchor + timedelta(days=later))
    assert end(of, first)[1] <= end(of, second)[1]


@given(of=duties(), anchor=ANCHORS, days=st.integers(1, 60))
def test_extending_never_shortens(of, anchor, days):
    before, after = end(of, running(of, anchor)), end(of, running(of, anchor, extensions=(days,)))
    assert after[0] == before[0] + timedelta(days=days)
    assert after[1] >= before[1]


@given(of=duties(), anchor=ANCHORS)
def test_a_term_that_rolls_ends_on_a_working_day_and_never_before_its_nominal_one(of, anchor):
    due = clocks.project(of, running(of, anchor), clock(), CALENDAR)
    assert due.effective
    assert due.nominal
    assert due.effective >= due.nominal
    if of.within.on_holiday is OnHoliday.ROLL_FORWARD and of.within.unit is not TermUnit.HOUR:
        assert is_working(CALENDAR, due.effective)
    if of.within.unit is not TermUnit.HOUR:
        assert due.due_at == midnight(due.effective + DAY)


def end(of: Duty, one: RunningDuty) -> tuple[date, datetime]:
    """Nominal day and due instant of a term that is not suspended."""
    due = clocks.project(of, one, clock(), CALENDAR)
    assert due.nominal
    assert due.due_at
    return due.nominal, due.due_at


ACTS = st.lists(
    st.tuples(
        st.integers(0, 60 * 24),
        st.sampled_from(
            ["ring", "ring", "ring", "extend", "suspend", "open_suspend", "resume", "hear", "take", "meet"]
        ),
        st.integers(1, 20),
    ),
    max_size=12,
)


def act(book: Rulebook, held: Clock, now, name: str, days: int) -> Clock:
    """One thing people do to a clock; ringing is done by the caller."""
    day, key = local_date(now), "policy_upload"
    match name:
        case "extend":
            return clocks.extend(held, key, days)
        case "suspend":
            return clocks.suspend(held, suspension(day, day + timedelta(days=days)))
        case "open_suspend":
            return clocks.suspend(held, suspension(day))
        case "resume":
            return clocks.resume(held, day)
        case "hear" | "take":
            return clocks.hush(held, key, DEPARTMENT, now, name == "take")
        case "meet":
            return clocks.record(book, held, Event.POLICY_UPLOADED, now) if days > 15 else held
        case _:
            return held


@given(of=duties(), anchor=ANCHORS, acts=ACTS)
def test_each_rung_fires_at_most_once_and_in_order_whatever_happens(of, anchor, acts):
    book, now = rulebook(of), noon(anchor)
    held, fired, overdue = clocks.record(book, clock(), Event.POLICY_SIGNED, now), [], 0
    for hours, name, days in [*acts, (24 * 500, "ring", 1)]:
        now += timedelta(hours=hours)
        held = act(book, held, now, name, days)
        if name == "ring":
            rang = clocks.ring(book, held, CALENDAR, now)
            held, overdue = rang.clock, overdue + len(rang.overdue)
            fired += [one.rung for one in rang.firings]
            assert all(one.at <= now for one in rang.firings)
            following = clocks.next_alarm(book, held, CALENDAR)
            assert following is None or following > now
    assert all(first < second for first, second in pairwise(fired))
    assert overdue <= 1


@given(of=duties(), anchor=ANCHORS, hours=st.integers(0, 24 * 200))
def test_late_entry_sends_nothing_twice_and_loses_nothing(of, anchor, hours):
    book, now = rulebook(of), noon(anchor) + timedelta(hours=hours)
    held = clocks.record(book, clock(), Event.POLICY_SIGNED, noon(anchor))
    everything = clocks.ring(book, held, CALENDAR, now + timedelta(days=900)).firings
    entered, passed = clocks.pass_over(book, held, CALENDAR, now)
    later = clocks.ring(book, entered, CALENDAR, now + timedelta(days=900)).firings
    assert all(one.at < now for one in passed)
    assert (*passed, *later) == everything


@given(of=duties(), anchor=ANCHORS)
def test_one_late_ring_fires_what_alarm_by_alarm_would_have_fired(of, anchor):
    book = rulebook(of)
    held = clocks.record(book, clock(), Event.POLICY_SIGNED, noon(anchor))
    at_once = clocks.ring(book, held, CALENDAR, noon(anchor) + timedelta(days=900)).firings
    one_by_one = []
    while alarm := clocks.next_alarm(book, held, CALENDAR):
        rang = clocks.ring(book, held, CALENDAR, alarm)
        held, one_by_one = rang.clock, one_by_one + list(rang.firings)
    assert tuple(one_by_one) == at_once


@given(of=duties(), anchor=ANCHORS)
def test_a_stopped_duty_never_rings(of, anchor):
    book = rulebook(of)
    held = clocks.record(book, clock(), Event.POLICY_SIGNED, noon(anchor))
    held = clocks.stop(held, noon(anchor), StopReason.SURRENDERED)
    assert clocks.next_alarm(book, held, CALENDAR) is None
