"""A step is written whole, once and in order, whatever happens around it; and every notice finds somebody."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError

from activities.ledger import PgLedger
from models.contracts.base import CaseKey
from models.contracts.ids import HUMAN_QUEUE, notice_id
from models.contracts.ports import Recall, Since
from models.contracts.rulebook import PackRef, Pinned
from models.contracts.step import Cause, Entered, Step, Trace
from models.contracts.vocabulary import CauseKind, Role
from models.tables.engine import LOST, is_lost, make_engine
from runtime.settings import sqlalchemy_url
from tests.activities.steps import ACTOR, CASE, HUASHAN, SUZHOU, department, notice, register, step
from tests.conftest import Database
from tests.faults.invariants import Look, broken
from tests.makers import calendar, calendar_year
from tests.runtime.waiting import PATIENCE
from tests.tables.rows import A, B, known

CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'anze_app' AND datname = current_database()"
)
"""Those to this test's database; other tests keep theirs."""
HERE = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(sqlalchemy_url(database.app), pool_size=4)
    yield engine
    await engine.dispose()


@pytest.fixture
def ledger(engine: AsyncEngine) -> PgLedger:
    return PgLedger(engine)


async def counts(admin: asyncpg.Connection) -> dict[str, Any]:
    tables = ("cases", "steps", "timeline", "commands", "outbox", "nudges", "tasks")
    return {table: await admin.fetchval(f"SELECT count(*) FROM {table}") for table in tables}


async def told(admin: asyncpg.Connection) -> dict[str, UUID]:
    return {row["notice_key"]: row["recipient_id"] for row in await admin.fetch("SELECT * FROM outbox")}


async def queued(admin: asyncpg.Connection) -> list[tuple[str, str]]:
    return [(row["kind"], row["said"]) for row in await admin.fetch("SELECT * FROM tasks ORDER BY kind, said")]


async def outcome(attempt: Awaitable[Entered]) -> str | None:
    """`done`, or the type of the error."""
    try:
        await attempt
    except ApplicationError as error:
        return error.type
    return "done"


async def test_a_step_writes_record_read_model_answer_and_outbox_together(
    database: Database, ledger: PgLedger, admin: asyncpg.Connection
):
    await register(database)
    await ledger.commit_step(step(1, notice("n-1"), command="k-1"))
    assert await counts(admin) == dict.fromkeys(("cases", "steps", "timeline", "commands", "outbox", "nudges"), 1) | {
        "tasks": 0
    }
    case: Any = await admin.fetchrow("SELECT * FROM cases")
    assert (case["id"], case["seq"], case["stage"], case["opened_at"]) == (CASE, 1, "signed", case["changed_at"])
    line: Any = await admin.fetchrow("SELECT * FROM timeline JOIN steps USING (case_id, seq)")
    assert (line["event"], line["line"], line["actor_kind"], line["command_id"]) == (
        "policy_signed",
        1,
        "insurer",
        "k-1",
    )
    waiting: Any = await admin.fetchrow("SELECT *, matter->'view' AS seen FROM outbox")
    assert (waiting["id"], waiting["status"], waiting["mail_id"]) == (notice_id("n-1"), "queued", None)
    assert '"insurer_name": "甲保险"' in waiting["matter"]
    assert "duties" not in waiting["seen"]


@pytest.mark.fault("F28")
async def test_the_same_step_again_changes_nothing(database: Database, ledger: PgLedger, admin: asyncpg.Connection):
    await register(database)
    for _ in range(3):
        await ledger.commit_step(step(1, notice("n-1"), command="k-1"))
    once = await counts(admin)
    await ledger.commit_step(step(2, command="k-2", stage="uploaded"))
    await ledger.commit_step(step(1, notice("n-1"), command="k-1"))
    assert once["steps"] == once["nudges"] == 1
    assert await admin.fetchval("SELECT stage || seq FROM cases") == "uploaded2"
    assert await broken(Look(database.admin, database.backup)) == []


async def test_attempts_that_run_at_the_same_time_leave_one_step(
    database: Database, ledger: PgLedger, admin: asyncpg.Connection
):
    await register(database)
    for number in (1, 2, 3):
        same = step(number, notice(f"n-{number}"), command=f"k-{number}")
        await asyncio.gather(*(ledger.commit_step(same) for _ in range(8)))
    found = await counts(admin)
    assert (found["cases"], found["steps"], found["timeline"], found["outbox"], found["nudges"]) == (1, 3, 3, 3, 3)


async def test_the_first_step_of_a_case_waits_for_another_attempt_before_it_writes_anything(
    database: Database, ledger: PgLedger, admin: asyncpg.Connection
):
    """Else one in some hundred pairs collides on the workflow's name, which ON CONFLICT (id) does not settle."""
    await register(database)
    async with admin.transaction():
        await admin.execute("SELECT lock_matters(ARRAY[$1::uuid])", CASE)
        attempt = asyncio.create_task(outcome(ledger.commit_step(step(1))))
        async with asyncio.timeout(PATIENCE):
            while not (waiting := await admin.fetchval(f"SELECT pid FROM pg_locks WHERE NOT granted AND {HERE}")):
                await asyncio.sleep(0.02)
        writes = "SELECT count(*) FROM pg_locks WHERE pid = $1 AND relation = 'cases'::regclass AND mode LIKE 'RowEx%'"
        assert await admin.fetchval(writes, waiting) == 0
    assert await attempt == "done"


async def test_a_step_that_runs_ahead_is_refused_and_may_be_repeated(
    database: Database, ledger: PgLedger, admin: asyncpg.Connection
):
    await register(database)
    with pytest.raises(ApplicationError) as early:
        await ledger.commit_step(step(2, notice("n-2")))
    assert (early.value.type, early.value.non_retryable) == ("out_of_order", False)
    assert sum((await counts(admin)).values()) == 0
    await ledger.commit_step(step(1))
    await ledger.commit_step(step(2, notice("n-2")))
    assert (await counts(admin))["steps"] == 2


async def test_a_step_that_cannot_be_written_whole_is_not_written_at_all_and_says_nothing_of_its_content(
    database: Database, ledger: PgLedger, admin: asyncpg.Connection
):
    await register(database)
    with pytest.raises(ApplicationError) as refused:
        await ledger.commit_step(step(1, notice("n-1"), insured_id=known(B, "insured"), insured_name="秘密企业"))
    assert sum((await counts(admin)).values()) == 0
    assert refused.value.type == "database_refused"
    assert refused.value.__cause__ is None
    assert "秘密企业" not in str(refused.value)


def caused(seq: int, key: str, said: str = "", command: str = "UploadPolicy", **more: Any) -> Step:
    """A step that can be taken again, of a command with a body."""
    body = {"name": command, "command": {"said": said, **more.pop("body", {})}}
    trace = Trace(command_id=key, name=command, fingerprint="f" * 64, actor=ACTOR)
    told = step(seq, **more).model_copy(update={"trace": trace})
    return told.model_copy(update={"cause": Cause(kind=CauseKind.COMMAND, key=key, body=body)})


async def test_what_was_missed_comes_in_parts_no_larger_than_the_engine_takes(
    database: Database, ledger: PgLedger
) -> None:
    await register(database)
    for number in range(1, 6):
        await ledger.commit_step(caused(number, f"k-{number}", "字" * 80_000))
    entered = await ledger.commit_step(caused(1, "another"))
    assert [one.seq for one in entered.missed] == [1, 2]
    assert entered.stands is not None and entered.stands.seq == 5  # noqa: PT018 - one thing said
    later = await ledger.recorded_since(Since(case=CaseKey(case_id=CASE, insurer_id=A, workflow_id="p"), seq=5))
    assert [one.seq for one in later.missed] == [5]


async def test_a_case_is_pinned_to_what_it_had_before_it_adopted_other_rules_and_years(
    database: Database, ledger: PgLedger
) -> None:
    await register(database)
    old, new = (PackRef(region="341300", in_force_on=date(2024, 1, 1), digest=one) for one in ("old", "new"))
    years = {"calendar": calendar(calendar_year(2025)).model_dump(mode="json")}
    await ledger.commit_step(caused(1, "k-1", packs=(old,), calendar_through=2024))
    turned = {"instead_of": [old.model_dump(mode="json")]}
    await ledger.commit_step(caused(2, "k-2", command="AdoptRules", body=turned, packs=(new,), calendar_through=2024))
    await ledger.commit_step(caused(3, "k-3", command="AdoptCalendar", body=years, packs=(new,), calendar_through=2025))
    entered = await ledger.commit_step(caused(1, "another"))
    assert entered.stands is not None
    assert (entered.stands.packs, entered.stands.calendar_through) == ((new,), 2025)
    assert entered.stands.began == Pinned(packs=(old,), through=2024)


async def test_the_first_answer_of_a_command_is_the_one_recalled(database: Database, ledger: PgLedger):
    await register(database)
    await ledger.commit_step(step(1, command="k-1"))
    await ledger.commit_step(step(2, command="k-1"))
    key = CaseKey(case_id=CASE, insurer_id=A, workflow_id="policy/a/P-1")
    assert (await ledger.recall_answer(Recall(case=key, command_id="k-1"))).answer == {"seq": 1}
    assert (await ledger.recall_answer(Recall(case=key, command_id="k-2"))).answer is None
    foreign = key.model_copy(update={"insurer_id": B})
    assert (await ledger.recall_answer(Recall(case=foreign, command_id="k-1"))).answer is None


async def test_a_notice_is_queued_once_for_ever_even_by_a_later_step(
    database: Database, ledger: PgLedger, admin: asyncpg.Connection
):
    await register(database)
    await ledger.commit_step(step(1, notice("n-1")))
    await ledger.commit_step(step(2, notice("n-1"), notice("n-2")))
    assert await told(admin) == {"n-1": known(A, "desk"), "n-2": known(A, "desk")}
    assert await admin.fetchval("SELECT count(*) FROM nudges") == 2


async def test_parties_of_the_policy_are_told_at_their_own_address(
    database: Database, ledger: PgLedger, admin: asyncpg.Connection
):
    await register(database)
    roles = (Role.INSURER, Role.INSURED, Role.PROVIDER, Role.BROKER)
    await ledger.commit_step(step(1, *(notice(role.value, role) for role in roles)))
    desk = known(A, "desk")
    assert await told(admin) == {
        "insurer": desk,
        "insured": known(A, "mailbox"),
        "provider": desk,
        "broker": desk,
    }
    assert await admin.fetchval("SELECT count(*) FROM nudges") == 2
    assert await queued(admin) == []


async def test_the_most_specific_department_that_is_registered_is_told(
    database: Database, ledger: PgLedger, admin: asyncpg.Connection
):
    await register(database, department("city", SUZHOU))
    await ledger.commit_step(step(1, notice("n-1", Role.EMERGENCY, departments=(HUASHAN, SUZHOU))))
    await admin.execute(department("district", HUASHAN))
    await ledger.commit_step(step(2, notice("n-2", Role.EMERGENCY, departments=(HUASHAN, SUZHOU))))
    assert await told(admin) == {"n-1": known(A, "city"), "n-2": known(A, "district")}
    assert await queued(admin) == []


async def test_a_notice_nobody_can_receive_becomes_a_task_for_a_person(
    database: Database, ledger: PgLedger, admin: asyncpg.Connection
):
    await register(
        database, department("district", HUASHAN, email=""), "UPDATE recipients SET email = '' WHERE role = 'insured'"
    )
    notices = (
        notice("n-1", Role.INDUSTRY),
        notice("n-2", Role.EMERGENCY, departments=(HUASHAN, SUZHOU)),
        notice("n-3", Role.INSURED),
        notice("n-4", Role.HUMAN_QUEUE),
    )
    for _ in range(2):
        await ledger.commit_step(step(1, *notices))
    assert set((await told(admin)).values()) == {HUMAN_QUEUE}
    assert await queued(admin) == [
        ("no_address", "区应急局、市应急局"),
        ("no_address", "投保单位"),
        ("no_route", "人工处理"),
        ("no_route", "行业主管部门"),
    ]
    assert await admin.fetchval("SELECT count(*) FROM nudges") == 1


@pytest.mark.fault("F16")
async def test_the_ledger_works_again_after_every_connection_was_cut(
    database: Database, ledger: PgLedger, admin: asyncpg.Connection
):
    await register(database)
    await ledger.commit_step(step(1))
    await admin.fetch(CUT)
    outcomes = [await outcome(ledger.commit_step(step(2))) for _ in range(2)]
    assert outcomes[-1] == "done"
    assert set(outcomes) <= {"done", "database_lost"}
    assert await broken(Look(database.admin, database.backup)) == []


async def test_the_tenant_ends_with_the_step(database: Database, engine: AsyncEngine, ledger: PgLedger):
    await register(database)
    await ledger.commit_step(step(1))
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("SELECT current_setting('anze.tenant', true)")).scalar_one() in (
            "",
            None,
        )
        assert (await connection.exec_driver_sql("SELECT count(*) FROM cases")).scalar_one() == 0


@pytest.mark.fault("F17")
@pytest.mark.usefixtures("limits_of_service")
async def test_a_locked_case_is_given_up_within_the_time_limit(
    database: Database, ledger: PgLedger, admin: asyncpg.Connection
):
    await register(database)
    await ledger.commit_step(step(1))
    async with asyncio.timeout(PATIENCE), admin.transaction():
        await admin.execute("SELECT 1 FROM cases FOR UPDATE")
        with pytest.raises(ApplicationError, match="55P03"):
            await ledger.commit_step(step(2))
    await ledger.commit_step(step(2))
    assert await broken(Look(database.admin, database.backup)) == []


@pytest.mark.parametrize("kind", LOST)
def test_every_way_a_connection_can_be_lost_is_recognised(kind: type[Exception]):
    outer = RuntimeError()
    outer.__cause__ = kind("gone")
    assert is_lost(outer)
    assert not is_lost(ValueError())
