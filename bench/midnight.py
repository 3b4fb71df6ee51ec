"""The midnight: many policies fall due at one instant; how long until every rung is committed and mailed."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from bench import cast
from bench.cast import Insurer
from bench.ground import Ground
from bench.letters import PATIENCE, RUNG, Letters, deliver, into_the_evening
from bench.measure import Load, Spread, resident, spread
from bench.plan import Night
from domain.calendar import local_date
from models.contracts import ids
from models.contracts.base import Actor, Given
from models.contracts.policy import OpenPolicy
from models.contracts.policy_state import Birth, PolicyView
from models.contracts.policy_terms import Terms
from models.contracts.vocabulary import ActorKind
from workflows.search import for_policy

REGION, DEPARTMENT = "990000", "测试地应急局"
TERM = timedelta(hours=24)
"""The term of bench/packs: due 24 hours after the instant of signing."""
AT_ONCE = 24  # openings in flight
TRIAL, SHARE = 48, 50
"""Openings that show how fast the others will be: so many, or one in so many of a large number."""
KIBI = 1024  # kB in a MiB
SLOWEST = 8  # rungs a second, below which the bench stops waiting
CHANGE_OF_SHIFT = 20.0  # seconds for each fresh worker to come up before the instant
INSURERS = 5
TOLD = text(
    "SELECT id FROM recipients WHERE region = '990000' OR insured_id IS NULL"
    " AND insurer_id IN (SELECT id FROM insurers WHERE code LIKE 'M_')"
)
"""Who will be told: the desks of the midnight's insurers, and the department."""
COMMITTED = text(f"SELECT count(*) FROM outbox WHERE {RUNG}")  # noqa: S608
COUNTED = text(f"SELECT count(*), count(DISTINCT notice_key), count(DISTINCT case_id) FROM outbox WHERE {RUNG}")  # noqa: S608
LATE = text(f"SELECT extract(epoch FROM max(queued_at) - :due) FROM outbox WHERE {RUNG} GROUP BY case_id")  # noqa: S608


@dataclass(frozen=True)
class Memory:
    """What the worker that opened them grew by, in kB a policy: those it keeps in its cache, and those beyond it."""

    cached: float
    beyond: float | None
    """`None` where the time was over before one was opened beyond its cache."""
    cache: int
    server: float = 0.0
    """The Temporal server with all of them open and told, in MiB."""


@dataclass(frozen=True)
class Midnight:
    """How it went; seconds from the instant, `lateness` from the instant to the commit of each policy's rung."""

    policies: int
    committed: int
    notices: int
    distinct: int
    seconds: float
    lateness: Spread
    letters: Letters
    opened_per_second: float
    memory: "Memory"
    workers: int
    cpu: dict[str, float]
    opening_cpu: dict[str, float]

    @property
    def exact(self) -> bool:
        """None lost, none doubled: each policy tells its insurer and its department, once, each in one letter."""
        return (
            self.letters.exact
            and self.committed == self.policies
            and self.notices == self.distinct == 2 * self.policies
        )


@dataclass(frozen=True)
class Opened:
    """What the eve left: policies that fall due at one instant, how fast they came, and the worker's memory."""

    policies: int
    per_second: float
    memory: Memory
    cpu: dict[str, float]
    """Milliseconds an opening, by process."""


class Eve:
    """Opens policies that all fall due at the instant `due`."""

    def __init__(self, ground: Ground, holders: Sequence[Insurer], insured: Sequence[UUID]) -> None:
        self._ground, self._holders, self._insured = ground, holders, insured

    async def open(self, prefix: str, load: Load, due: datetime) -> int:
        """Open policies until there are enough or the time is over; how many."""
        left = load.turns()

        async def caller() -> int:
            opened = 0
            for number in left:
                await self._open(f"{prefix}-{number:05d}", number % len(self._holders), due)
                opened += 1
            return opened

        return sum(await asyncio.gather(*(caller() for _ in range(load.callers))))

    async def _open(self, number: str, of: int, due: datetime) -> None:
        holder, command = self._holders[of], _application(number, self._insured[of], due - TERM)
        workflow_id = ids.policy_workflow_id(holder.code, number)
        birth = Birth(
            case_id=ids.policy_id(holder.id, number),
            insurer_id=holder.id,
            insurer_code=holder.code,
            insurer_name=holder.code,
            workflow_id=workflow_id,
        )
        actor = Actor(kind=ActorKind.INSURER, id=str(holder.id), name=holder.code)
        given = Given[OpenPolicy](command_id=f"{holder.id}:{number}", actor=actor, fingerprint=number, command=command)
        start = WithStartWorkflowOperation(
            "保单",
            birth,
            id=workflow_id,
            task_queue=self._ground.settings.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=for_policy(birth, command),
        )
        await self._ground.client.execute_update_with_start_workflow(
            "opened", given, start_workflow_operation=start, id=given.command_id, result_type=PolicyView
        )


def _application(number: str, insured_id: UUID, signed_at: datetime) -> OpenPolicy:
    begins = local_date(signed_at)
    written = {
        "number": number,
        "region": REGION,
        "sector": "hazardous_chemicals",
        "size": "medium",
        "signed_at": signed_at.isoformat(timespec="seconds"),
        "effective_on": str(begins),
        "expires_on": str(begins + timedelta(days=364)),
        "premium_total": "86000.00",
        "headcount": 128,
        "insured_headcount": 128,
        "limit_per_person": "600000.00",
        "services_per_year": 2,
        "service_items": ["training"],
        "filed_clause": "C00001",
    }
    return OpenPolicy(terms=Terms.model_validate(written), insured_id=insured_id, insured_name="某化工有限公司")


async def midnight(ground: Ground, wanted: Night) -> Midnight:
    """Open as many policies as fit into the time there is, let the instant come, and follow the mail."""
    holders = await cast.insurers(ground.engine, "M", INSURERS)
    insured = [await cast.enterprise(ground.engine, holder, 900_000 + n) for n, holder in enumerate(holders)]
    await cast.department(ground.engine, REGION, DEPARTMENT)
    eve = Eve(ground, holders, insured)
    cache = max(wanted.policies // 5, 20)
    async with ground.crew("quiet", cached_workflows=cache) as worker:
        await ground.put_aside()
        await into_the_evening(ground, [row[0] for row in await ground.rows(TOLD)])
        began = time.perf_counter()
        tried = max(min(TRIAL, wanted.policies), wanted.policies // SHARE)
        await eve.open("T", Load(tried, AT_ONCE, wanted.opening), _now() + TERM - timedelta(hours=1))
        rate = tried / (time.perf_counter() - began)
        expected = min(wanted.policies, int(rate * wanted.opening))
        within = min(expected / rate * 1.3, max(wanted.opening, expected / rate))
        due = _now() + timedelta(seconds=within + CHANGE_OF_SHIFT * wanted.workers)
        empty, began, meter = resident(worker.pid), time.perf_counter(), ground.meter(worker)
        first = await eve.open("M", Load(min(cache, expected), AT_ONCE, within), due)
        full, left = resident(worker.pid), within - (time.perf_counter() - began)
        others = await eve.open("N", Load(max(expected - cache, 1), AT_ONCE, left), due)
        (took, cpu), grown = meter.read(), resident(worker.pid) - full
    await ground.put_aside()
    memory = Memory((full - empty) / first * KIBI, grown / others * KIBI if others else None, cache)
    of_each = {process: used / (first + others) for process, used in cpu.items()}
    opened = Opened(first + others, (first + others) / took, memory, of_each)
    return await _strike(ground, due.replace(microsecond=0), opened, wanted)


async def _strike(ground: Ground, due: datetime, eve: Opened, wanted: Night) -> Midnight:
    """Fresh workers with nothing in their caches, as on any other morning, meet the instant."""
    async with AsyncExitStack() as shift:
        crews = [await shift.enter_async_context(ground.crew("midnight")) for _ in range(wanted.workers)]
        await asyncio.sleep(max((due - _now()).total_seconds(), 0))
        opened, meter = eve.policies, ground.meter(*crews)
        notices, distinct, committed = await _until_told(ground, opened)
        cpu, late = meter.read()[1], await _late(ground, due)
        letters = await deliver(ground, opened)
    return Midnight(
        policies=opened,
        committed=committed,
        notices=notices,
        distinct=distinct,
        seconds=max(late),
        lateness=spread(late),
        letters=letters,
        opened_per_second=eve.per_second,
        memory=replace(eve.memory, server=ground.server_memory()),
        workers=wanted.workers,
        cpu=cpu,
        opening_cpu=eve.cpu,
    )


async def _until_told(ground: Ground, policies: int) -> tuple[int, int, int]:
    await ground.until(lambda count: count >= 2 * policies, COMMITTED, max(PATIENCE, policies / SLOWEST))
    notices, distinct, cases = tuple((await ground.rows(COUNTED))[0])
    return notices, distinct, cases


async def _late(ground: Ground, due: datetime) -> list[float]:
    return [float(row[0]) for row in await ground.rows(LATE, due=due)] or [0.0]


def _now() -> datetime:
    return datetime.now(UTC)
