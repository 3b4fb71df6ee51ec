"""The demo's days: whenever it is begun, each of its acts has a day that is still to come."""

from datetime import date, datetime

import pytest

from domain.calendar import SHANGHAI
from runtime.demo.stories import Act, Scene
from runtime.demo.telling import day_of
from runtime.demo.town import next_morning
from runtime.worker import library

MONDAY, TUESDAY, SATURDAY = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 28)
NEXT_MONDAY = date(2026, 11, 30)


async def nothing(_scene: Scene) -> None:
    return None


@pytest.mark.parametrize(
    ("begun", "first"),
    [((MONDAY, 8), MONDAY), ((MONDAY, 10), TUESDAY), ((MONDAY, 23), TUESDAY), ((SATURDAY, 8), NEXT_MONDAY)],
)
def test_begun_in_the_morning_or_in_the_afternoon_the_first_act_has_a_working_day_still_to_come(
    begun: tuple[date, int], first: date
) -> None:
    now = datetime(begun[0].year, begun[0].month, begun[0].day, begun[1], tzinfo=SHANGHAI)
    calendar = library().calendar()
    assert day_of(Act(0, "", nothing), now.date(), next_morning(now), calendar) == first
    assert day_of(Act(7, "", nothing), MONDAY, next_morning(now), calendar) == NEXT_MONDAY
