"""`make bench`: measures the whole system on this machine, prints tables, keeps the figures as JSON and as a page."""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import report, written
from bench.against import TooOld, against
from bench.cast import hand_in_sample, insurers
from bench.claim import Claims
from bench.compared import compared_table
from bench.floor import Floor
from bench.ground import Ground, ground
from bench.history import account, histories, replayed_per_second
from bench.life import COMMANDS, HAZARD_UPDATES, POLICY_UPDATES, Lives
from bench.measure import Load, spread
from bench.midnight import Midnight, midnight
from bench.pages import pages
from bench.plan import FULL, QUICK, SHORT, Night, Plan
from bench.report import CLAIMS, FLOOR, QUIETLY, WITH_MAIL, Claimed, Found, Leg, Lived
from bench.sizes import sizes
from domain.calendar import local_date
from runtime.settings import PROJECT_ROOT

QUICK_ROWS = 500
BELOW = ("floor/policy/1", "floor/hazard/1")
PORTIONS = (30, 60, 120)
"""Lives of `bench sizes`: what a life costs must not depend on how many there are."""


async def bench(plan: Plan) -> Found:
    """Everything, one after the other, on one system."""
    async with ground() as where:
        holders = await insurers(where.engine, "L", 4)
        await hand_in_sample(where.stack.api_url, holders)
        lives = Lives(where.stack.api_url, holders, local_date(datetime.now(UTC)))
        legs, lived = await _against_the_floor(where, lives, plan)
        legs.append(await _with_mail(where, lives, plan))
        claimed = await _claims(where, Claims(where.stack.api_url, holders, local_date(datetime.now(UTC))), plan)
        runs = [
            run for pair in lived.cases[: plan.replayed] for case in pair for run in await histories(where.client, case)
        ]
        first = [run for case in lived.cases[0] for run in await histories(where.client, case)]
        return Found(
            at=datetime.now(UTC),
            plan=plan.name,
            commands=COMMANDS,
            legs=legs,
            lived=lived,
            account=account(first),
            below=account([run for case in BELOW for run in await histories(where.client, case)]),
            claimed=claimed,
            replayed=await replayed_per_second(runs),
            midnight=await midnight(where, plan.night),
        )


async def _against_the_floor(where: Ground, lives: Lives, plan: Plan) -> tuple[list[Leg], Lived]:
    """Floor, lives, floor, lives: side by side, because others may be using the machine."""
    floor, warm = Floor(where.client, POLICY_UPDATES, HAZARD_UPDATES), Load(plan.callers, plan.callers, 30)
    legs: list[Leg] = []
    lived = Lived()
    async with where.crew("floor") as below, where.crew("quiet") as worker:
        await floor.lead(warm)
        await lives.lead(warm)
        lived.low = spread((await lives.lead(Load(plan.slowly, 1, 20))).all())
        for _ in range(plan.rounds):
            meter = where.meter(below)
            legs.append(Leg.of(FLOOR, await floor.lead(plan.load), meter))
            meter = where.meter(worker)
            times = await lives.lead(plan.load)
            legs.append(Leg.of(QUIETLY, len(times.cases), meter))
            lived.add(times)
    return legs, lived


async def _with_mail(where: Ground, lives: Lives, plan: Plan) -> Leg:
    """The same with everybody's letters: five mails a life go out beside it."""
    await where.put_aside()
    async with where.crew("midnight") as worker:
        await lives.lead(Load(plan.callers, plan.callers, 30))
        meter = where.meter(worker)
        times = await lives.lead(plan.load)
        return Leg.of(WITH_MAIL, len(times.cases), meter)


async def _claims(where: Ground, claims: Claims, plan: Plan) -> Claimed:
    """Whole claims on the fast path, their letters lying in the outbox; and what one of them leaves in Temporal."""
    async with where.crew("quiet") as worker:
        await claims.lead(Load(plan.callers, plan.callers, 30))
        meter = where.meter(worker)
        times = await claims.lead(plan.claims)
        leg = Leg.of(CLAIMS, len(times.cases), meter)
    runs = await histories(where.client, times.cases[0])
    return Claimed(leg, {name: spread(taken) for name, taken in times.by_command.items()}, account(runs))


async def _only_night(wanted: Night) -> Midnight:
    async with ground() as where:
        return await midnight(where, wanted)


def _parser() -> argparse.ArgumentParser:
    asked = argparse.ArgumentParser(prog="bench", description=__doc__)
    parts = ("all", "lives", "pages", "sizes", "against")
    asked.add_argument("what", nargs="?", choices=parts, default="all", help="only a part / 只测一部分")
    asked.add_argument("revision", nargs="?", help="what to compare with, any commit or tag / 与哪一版相比")
    asked.add_argument("--quick", action="store_true", help="under a minute, for a first look / 一分钟以内")
    asked.add_argument("--short", action="store_true", help="some two minutes, for a comparison / 两分钟左右")
    asked.add_argument("--rounds", type=int, default=2, help="of a comparison, before and after each / 比几轮")
    asked.add_argument("--json", type=Path, help="file for the figures / 结果写入的文件")
    asked.add_argument("--write-docs", action="store_true", help="write docs/bench.md / 写入 docs/bench.md")
    asked.add_argument("--rows", type=int, default=100_000, help="policies beside the pages / 页面旁的保单数")
    asked.add_argument("--keep", type=Path, help="folder of what stands beside the pages, filled once / 留用的目录")
    asked.add_argument("--midnight", type=int, help="policies due at one instant, and nothing else / 只测到期零点")
    asked.add_argument("--opening", type=float, default=300, help="seconds for opening them / 建案最多用几秒")
    asked.add_argument("--workers", type=int, default=1, help="workers that meet it / 几个 worker")
    return asked


def main() -> None:
    given = _parser().parse_args()
    if given.midnight:
        _lead_midnight(given)
    elif given.what == "sizes":
        report.show_sizes(asyncio.run(sizes(PORTIONS)))
    elif given.what == "against":
        _lead_against(given)
    else:
        if given.what != "lives":
            _lead_pages(given)
        if given.what != "pages":
            _lead(given)


def _lead(given: argparse.Namespace) -> None:
    found = asyncio.run(bench(QUICK if given.quick else SHORT if given.short else FULL))
    report.show(found)
    report.save(found, given.json)
    if given.write_docs:
        written.write_docs(found)


def _lead_midnight(given: argparse.Namespace) -> None:
    night = asyncio.run(_only_night(Night(given.midnight, given.opening, given.workers)))
    report.show_night(night)
    if given.write_docs:
        asked = f"python -m bench --midnight {given.midnight} --opening {given.opening:g} --workers {given.workers}"
        written.write_night(night, asked)


def _lead_pages(given: argparse.Namespace) -> None:
    found = asyncio.run(pages(QUICK_ROWS if given.quick else given.rows, given.keep))
    report.show_pages(found)
    if given.write_docs:
        written.write_pages(found)


def _lead_against(given: argparse.Namespace) -> None:
    try:
        compared = asyncio.run(against(PROJECT_ROOT, given.revision, given.rounds))
    except TooOld as why:
        sys.exit(str(why))
    report.show_compared(*compared_table(compared))
    if given.write_docs:
        written.write_against(compared)


if __name__ == "__main__":
    main()
