"""Accidents are graded by the half-open bounds of 国务院令第493号, the highest measure wins, inside its window."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.claim.grading import ORDER, grade
from models.contracts.claim import Casualties, UpdateCasualties
from models.contracts.vocabulary import AccidentGrade, Event
from tests.domain.claim_lives import Claim

ORDINARY, SERIOUS, MAJOR, EXTRAORDINARY = AccidentGrade


@pytest.mark.parametrize(
    ("deaths", "injuries", "loss", "reached"),
    [
        (0, 0, "0.00", ORDINARY),
        (2, 9, "9999999.99", ORDINARY),
        (3, 0, "0.00", SERIOUS),
        (9, 0, "0.00", SERIOUS),
        (10, 0, "0.00", MAJOR),
        (29, 0, "0.00", MAJOR),
        (30, 0, "0.00", EXTRAORDINARY),
        (0, 10, "0.00", SERIOUS),
        (0, 49, "0.00", SERIOUS),
        (0, 50, "0.00", MAJOR),
        (0, 99, "0.00", MAJOR),
        (0, 100, "0.00", EXTRAORDINARY),
        (0, 0, "10000000.00", SERIOUS),
        (0, 0, "49999999.99", SERIOUS),
        (0, 0, "50000000.00", MAJOR),
        (0, 0, "99999999.99", MAJOR),
        (0, 0, "100000000.00", EXTRAORDINARY),
        (1, 12, "60000000.00", MAJOR),
    ],
)
def test_the_lower_bound_belongs_to_the_higher_grade(
    deaths: int, injuries: int, loss: str, reached: AccidentGrade
) -> None:
    found, because = grade(Casualties(deaths=deaths, serious_injuries=injuries, direct_loss=Decimal(loss)))
    assert found is reached
    assert reached.label in because


numbers = st.integers(0, 120)
losses = st.decimals("0", "200000000", places=2)


@given(numbers, numbers, losses, numbers, numbers, losses)
def test_more_harm_never_lowers_the_grade(a: int, b: int, c: Decimal, x: int, y: int, z: Decimal) -> None:
    less = Casualties(deaths=a, serious_injuries=b, direct_loss=c)
    more = Casualties(deaths=a + x, serious_injuries=b + y, direct_loss=c + z)
    assert ORDER.index(grade(more)[0]) >= ORDER.index(grade(less)[0])


def update(deaths: int, on: date) -> UpdateCasualties:
    return UpdateCasualties(casualties=Casualties(deaths=deaths), note="伤者不治", on=on)


def test_a_death_on_the_thirtieth_day_regrades_the_accident_and_one_later_does_not() -> None:
    claim = Claim.reported().until("2024-07-04T10:00")
    claim.act(update(3, date(2024, 7, 3)))
    assert claim.state.grade is SERIOUS
    assert claim.record.lines(Event.ACCIDENT_REGRADED)
    claim.act(update(10, date(2024, 7, 4)))
    assert claim.state.grade is SERIOUS
    assert claim.state.accident.deaths == 10
    assert "不改变等级" in claim.record.lines(Event.CASUALTIES_UPDATED)[-1].said


@pytest.mark.parametrize("kind", ["road_traffic", "fire"])
def test_road_traffic_and_fire_are_regraded_for_seven_days_only(kind: str) -> None:
    claim = Claim.reported(accident={"kind": kind}).until("2024-06-12T10:00")
    claim.act(update(3, date(2024, 6, 11)))
    assert claim.state.grade is ORDINARY
    claim.act(update(3, date(2024, 6, 10)))
    assert claim.state.grade is SERIOUS
