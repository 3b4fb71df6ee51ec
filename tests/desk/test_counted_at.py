"""Figures over many cases are counted once in five minutes and say when; those over few, for every page."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from api.department.overview import Figures, Tally
from api.department.scope import Scope
from api.insurer.pages.providers import Provider, Serving
from api.kept import FRESH, MOST_KEPT, USABLE, WIDE, Counted, Kept
from api.tools import Tools
from models.contracts.vocabulary import ActorKind, Post
from tests.desk.conftest import PROVIDERS_OF_TOWN, SignedIn, Town
from tests.desk.test_department import put_case

AT = datetime(2026, 3, 2, 6, 5, tzinfo=UTC)
SCOPE = ("overview", (Scope("3413", "*"),))


def figures(rows: int) -> Figures:
    return Figures({}, {}, (), (), Tally(rows, 0), Tally(), 0, rows=rows)


class Counting:
    """Counts one case more each time it is asked."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    async def __call__(self) -> Figures:
        self.rows += 1
        return figures(self.rows)


async def test_few_cases_are_counted_at_every_visit():
    kept, count = Kept(), Counting(10)
    assert [(await kept.figures(SCOPE, AT, count)).figures.rows for _ in range(2)] == [11, 12]
    assert (await kept.figures(SCOPE, AT, count)).as_of is None


async def test_many_cases_are_counted_once_in_five_minutes_and_their_figures_say_when():
    kept, count, end = Kept(), Counting(WIDE), AT + FRESH
    seen = [await kept.figures(SCOPE, at, count) for at in (AT, end - timedelta(seconds=1), end)]
    assert [one.figures.rows for one in seen] == [WIDE + 1, WIDE + 1, WIDE + 2]
    assert [one.as_of for one in seen] == [AT, AT, end]


async def test_while_somebody_counts_anew_others_are_shown_what_there_was():
    kept, count, later = Kept(), Counting(WIDE), AT + USABLE - timedelta(seconds=1)
    await kept.figures(SCOPE, AT, count)

    async def slowly() -> Figures:
        meanwhile = await kept.figures(SCOPE, later, count)
        assert meanwhile.as_of == AT
        return figures(WIDE + 7)

    assert (await kept.figures(SCOPE, later, slowly)).figures.rows == WIDE + 7


class Slow:
    """Counts when it is let; how often it was asked."""

    def __init__(self, rows: int) -> None:
        self.rows, self.asked, self.let = rows, 0, asyncio.Event()

    async def __call__(self) -> Figures:
        self.asked += 1
        await self.let.wait()
        return figures(self.rows)


async def visitors(kept: Kept, count: Slow, number: int) -> list[asyncio.Task[Counted[Figures]]]:
    """So many at once, each as far as it comes."""
    come = [asyncio.create_task(kept.figures(SCOPE, AT, count)) for _ in range(number)]
    await asyncio.sleep(0)
    return come


async def test_first_visitors_at_once_wait_for_one_count():
    kept, count = Kept(), Slow(WIDE)
    come = await visitors(kept, count, 3)
    come[2].cancel()
    count.let.set()
    seen = await asyncio.gather(*come, return_exceptions=True)
    assert count.asked == 1
    assert seen[0] is seen[1]
    assert isinstance(seen[2], asyncio.CancelledError)


async def test_a_first_visitor_who_leaves_leaves_the_count_to_the_next_one():
    kept, count = Kept(), Slow(WIDE)
    come = await visitors(kept, count, 3)
    come[0].cancel()
    await asyncio.wait(come[:1])
    count.let.set()
    first, second = await asyncio.gather(*come[1:])
    assert (count.asked, first) == (2, second)


async def test_few_cases_are_counted_for_every_one_of_several_visitors_at_once():
    kept, count = Kept(), Slow(10)
    come = await visitors(kept, count, 2)
    count.let.set()
    assert [one.as_of for one in await asyncio.gather(*come)] == [None, None]
    assert count.asked == 2


async def test_a_count_that_fails_is_made_again_by_the_next_visitor():
    kept, count, later = Kept(), Counting(WIDE), AT + FRESH
    await kept.figures(SCOPE, AT, count)

    async def failing() -> Figures:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await kept.figures(SCOPE, later, failing)
    assert (await kept.figures(SCOPE, later, count)).as_of == later


async def test_no_more_scopes_are_kept_than_there_is_room_for():
    kept, count = Kept(), Counting(WIDE)
    for number in range(MOST_KEPT + 1):
        await kept.figures(number, AT, count)
    assert (await kept.figures(MOST_KEPT, AT, count)).figures.rows == WIDE + MOST_KEPT + 1
    assert (await kept.figures(0, AT, count)).figures.rows == WIDE + MOST_KEPT + 2


async def test_the_overview_of_many_cases_says_when_it_was_counted_and_only_to_whom_they_are_shown(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, tools: Tools
):
    await put_case(admin, town.insurers[0], "341302", "housing_construction")
    officer, other = await signed_in(ActorKind.DEPARTMENT), await signed_in(ActorKind.DEPARTMENT, second=True)
    now = (await officer.get("/department/overview")).text
    assert "<b>1</b>在办保单" in now
    assert "统计时间" not in now
    await tools.kept.figures(SCOPE, tools.now(), Counting(WIDE))
    shown = (await officer.get("/department/overview")).text
    assert f"<b>{WIDE + 1:,}</b>在办保单" in shown
    assert "统计时间" in shown
    assert "<b>1</b>在办保单" in (await other.get("/department/overview")).text


async def test_the_providers_of_many_policies_are_told_with_their_time_and_a_new_one_is_counted_at_once(
    signed_in: SignedIn, town: Town, tools: Tools
):
    boss = await signed_in(ActorKind.INSURER, Post.INSURER_ADMIN)
    rival = await signed_in(ActorKind.INSURER, second=True)

    async def lately() -> Serving:
        return Serving((Provider("皖北安评", WIDE, 7, 3, 0, ()),), {}, WIDE)

    await tools.kept.figures(("providers", town.insurers[0].id, ()), tools.now(), lately)
    page = (await boss.get("/insurer/providers")).text
    assert ("统计时间" in page, f">{WIDE}</td>" in page) == (True, True)
    assert "皖北安评" not in (await rival.get("/insurer/providers")).text
    new = {"name": "涡河安评", "credit_code": PROVIDERS_OF_TOWN[1], "email": "a@guohe.example"}
    assert (await boss.post("/insurer/providers", **new)).status_code == 303
    assert "统计时间" not in (await boss.get("/insurer/providers")).text
