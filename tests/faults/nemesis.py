"""`make nemesis`: callers at work, something is hurt every few seconds, by seed; then the proof of I1 to I10."""

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from bench.report import machine
from runtime.settings import PROJECT_ROOT
from runtime.stack import Stack, StackOptions
from tests.conftest import Database
from tests.faults.children import servant
from tests.faults.generator import Callers, Clerk
from tests.faults.ground import Ground, ground_on
from tests.faults.history import History, Outcome
from tests.faults.invariants import CHECKS, broken_at_rest, count, settled
from tests.faults.mischief import FAULTS, LINGERING, Victims
from tests.faults.report import write_part

HISTORIES = PROJECT_ROOT / "var" / "nemesis"
CALLERS = 6
WORKERS = 2
FINISH_WITHIN = 300.0  # seconds for the lives that have begun when the nemesis rests
SETTLE_WITHIN = 420.0  # seconds; a mail whose server asked twice for patience waits three minutes
RING_WITHIN = 60.0  # seconds after recovery, for what became due during an outage (promises.md P3)
TERMS, TOLD = "P3 terms are told once, never early", 2
"""The bench's place tells the insurer and one department."""
RUNG = (
    "SELECT case_id, min(queued_at) AS first, count(*) AS told FROM outbox WHERE kind = 'duty_overdue' GROUP BY case_id"
)
SHORT = 180.0
"""A run shorter than this is hurt more often, so that it sees something, and by nothing that heals minutes later."""


@dataclass(frozen=True)
class Plan:
    """How long, from which seed."""

    seconds: float = 600.0
    seed: int = 1

    @property
    def pauses(self) -> tuple[float, float]:
        """Seconds between two faults."""
        return (2.0, 8.0) if self.is_short else (5.0, 40.0)

    @property
    def is_short(self) -> bool:
        return self.seconds < SHORT

    @property
    def faults(self) -> list[str]:
        """What it hurts with."""
        return [name for name in FAULTS if not (self.is_short and name in LINGERING)]

    @property
    def due_after(self) -> tuple[float, float]:
        """Seconds after its opening at which a term ends that is left to itself."""
        return (10.0, 40.0) if self.is_short else (20.0, 90.0)


@dataclass
class Story:
    """What happened, and what did not hold."""

    plan: Plan
    faults: Counter[str] = field(default_factory=Counter)
    history: History = field(default_factory=History)
    lives: int = 0
    claims: int = 0
    left: int = 0
    revived: int = 0
    mails: int = 0
    paid: int = 0
    settled_after: float = 0.0
    late: list[float] = field(default_factory=list)
    """Seconds from the end of each term to its notice, the outages in between included."""
    broken: list[str] = field(default_factory=list)


async def run(plan: Plan) -> Story:
    """The whole trial on a system of its own, in a temporary place."""
    story = Story(plan)
    async with _system(plan) as victims:
        await victims.ground.department()
        story.history = victims.ground.history
        async with victims.ground.voices(2, at=victims.web) as voices:
            callers = Callers(voices, Clerk(victims.ground.author, victims.ground.bank), plan.seed, plan.due_after)
            keeper = asyncio.create_task(victims.keep())
            working = asyncio.create_task(callers.work(CALLERS))
            try:
                await _haunt(plan, victims, story)
                await victims.heal()
                callers.stopped = True
                await asyncio.wait([working], timeout=FINISH_WITHIN)
            finally:
                for task in (working, keeper):
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task
        await _prove(victims, callers, story)
    return story


async def _haunt(plan: Plan, victims: Victims, story: Story) -> None:
    """One fault every few seconds, never two at a time; each kind comes once before any comes again."""
    ends, bag = time.monotonic() + plan.seconds, list[str]()
    following = time.monotonic() + plan.pauses[0]
    while following < ends:
        await asyncio.sleep(max(0.0, following - time.monotonic()))
        bag = bag or victims.chance.sample(plan.faults, len(plan.faults))
        name = bag.pop()
        story.faults[name] += 1
        print(f"{ends - time.monotonic():6.0f} s left · {name}", flush=True)  # noqa: T201 - somebody watches
        following = time.monotonic() + victims.chance.uniform(*plan.pauses)
        await FAULTS[name](victims)
    await asyncio.sleep(max(0.0, ends - time.monotonic()))


async def _terms(ground: Ground, dues: dict[UUID, datetime]) -> tuple[list[str], list[float]]:
    """Every term that ended was told once to each of its two, never before its instant: what is wrong, and how late."""
    ends = time.monotonic() + RING_WITHIN + max((due.timestamp() - time.time() for due in dues.values()), default=0.0)
    while len(rung := {row["case_id"]: row for row in await ground.rows(RUNG)}) < len(dues) and time.monotonic() < ends:
        await asyncio.sleep(0.5)
    wrong = [f"{TERMS}: {one} was never told" for one in dues.keys() - rung.keys()]
    wrong += [f"{TERMS}: {one} told {row['told']} times" for one, row in rung.items() if row["told"] != TOLD]
    late = [(row["first"] - dues[one]).total_seconds() for one, row in rung.items() if one in dues]
    return wrong + [f"{TERMS}: told {-seconds:.1f} s early" for seconds in late if seconds < 0], sorted(late)


async def _prove(victims: Victims, callers: Callers, story: Story) -> None:
    look = victims.ground.look()
    wrong, story.late = await _terms(victims.ground, callers.dues)
    story.settled_after = await settled(look, SETTLE_WITHIN)
    story.broken = await broken_at_rest(look, SETTLE_WITHIN) + wrong
    story.broken += [f"I2 one effect for each key: {one} was answered otherwise" for one in callers.differing]
    story.broken += [f"I7 nobody sees another's: {one}" for one in callers.foreign]
    story.lives, story.claims, story.left = callers.lives, callers.claims, callers.left
    story.mails, story.paid = len(victims.ground.mailbox.messages), len(victims.ground.bank.payments)
    story.revived = victims.revived


@asynccontextmanager
async def _system(plan: Plan) -> AsyncIterator[Victims]:
    """Durable servers behind proxies, two workers and a web server as children."""
    async with Stack(StackOptions(durable=True)) as stack, AsyncExitStack() as leaving:
        assert stack.postgres is not None
        assert stack.mailbox is not None
        database = Database.of(stack.postgres)
        ground: Ground = await ground_on(
            leaving, stack.settings, database, stack.mailbox, stack.settings.var, stack.temporal
        )
        web = servant("web", ground.settings)
        workers = [servant("worker", ground.settings) for _ in range(WORKERS)]
        for one in (web, *workers):
            leaving.push_async_callback(one.stop)
        await asyncio.gather(*(one.start() for one in (web, *workers)))
        yield Victims(ground, stack.postgres, workers, web, random.Random(plan.seed))


def report(story: Story) -> list[str]:
    """The table, as Markdown."""
    times = sorted(one.seconds for one in story.history.of(Outcome.OK)) or [0.0]
    repeated = sum(len(one.answers) > 1 for one in story.history.operations)
    rows = [
        ("seconds, seed", f"{story.plan.seconds:.0f}, {story.plan.seed}"),
        ("faults", f"{story.faults.total()}: " + ", ".join(f"{name} {n}" for name, n in sorted(story.faults.items()))),
        ("commands ok / refused / unknown to the end", " / ".join(str(story.history.count(one)) for one in Outcome)),
        ("commands that had to be repeated under their key", str(repeated)),
        (
            "seconds to the answer: median, 99 %, longest",
            f"{statistics.median(times):.2f}, {times[int(len(times) * 0.99) - 1]:.1f}, {times[-1]:.1f}",
        ),
        ("whole lives, claims paid, left unfinished", f"{story.lives}, {story.claims}, {story.left}"),
        ("terms that ended; seconds until told: median, longest", _lateness(story)),
        ("mails, payments at the bank", f"{story.mails}, {story.paid}"),
        ("processes that ended by themselves and were started again", str(story.revived)),
        ("seconds until everything had settled", f"{story.settled_after:.1f}"),
        *((name, _verdict(story, name)) for name in (*CHECKS, TERMS)),
    ]
    return ["| | |", "|---|---|", *(f"| {name} | {said} |" for name, said in rows)]


def _lateness(story: Story) -> str:
    late = story.late or [0.0]
    return f"{len(story.late)}; {statistics.median(late):.1f}, {late[-1]:.1f}"


def _verdict(story: Story, name: str) -> str:
    found = count(story.broken, name)
    return "holds" if not found else f"**broken {found} times**"


def main() -> int:
    asked = argparse.ArgumentParser(prog="nemesis", description=__doc__)
    asked.add_argument("--seconds", type=float, default=600.0)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--no-docs", action="store_true", help="do not write docs/reliability.md / 不写文档")
    given = asked.parse_args()
    story = asyncio.run(run(Plan(given.seconds, given.seed)))
    lines = report(story)
    print("\n".join([*lines, *story.broken]))  # noqa: T201
    HISTORIES.mkdir(parents=True, exist_ok=True)
    kept = HISTORIES / f"seed-{given.seed}.jsonl"
    story.history.save(kept)
    print(f"→ {Path(kept).relative_to(PROJECT_ROOT)}")  # noqa: T201
    if not given.no_docs:
        write_part("nemesis", [f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}.", "", *lines])
    return 1 if story.broken else 0


if __name__ == "__main__":
    sys.exit(main())
