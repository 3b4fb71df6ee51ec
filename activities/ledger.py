"""The record of steps in PostgreSQL: one step, one statement, one transaction; what a step means is not known here."""

from uuid import UUID

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col
from temporalio import activity

from activities.borrowing import borrowed
from domain.standing import standing
from models.contracts.calendar import WorkCalendar
from models.contracts.case import AdoptCalendar, AdoptRules
from models.contracts.ids import notice_id
from models.contracts.notice import Notice
from models.contracts.ports import Ledger, Recall, Recalled, Since
from models.contracts.rulebook import Pinned
from models.contracts.step import Cause, Entered, Recorded, Standing, Step
from models.tables.cases import Case, RecordedCommand, RecordedStep
from models.tables.engine import tenant

MOST_STEPS, MOST_BYTES = 200, 500_000
"""Of what was missed, in one answer; the engine refuses more than two million bytes."""
STANDS = (
    col(Case.seq),
    col(Case.stage),
    col(Case.next_duty),
    col(Case.next_due_at),
    col(Case.next_alarm_at),
    col(Case.ended_at),
    col(Case.packs),
    col(Case.calendar_through),
)
ADOPTIONS = (AdoptRules.__name__, AdoptCalendar.__name__)
RECORDED_FROM = "SELECT recorded_from($1::uuid, $2::int)"
MISSED = TypeAdapter(tuple[Recorded, ...])
RECORD_STEP = "SELECT record_step($1::text::jsonb, $2::uuid[], $3::text[], $4::text::jsonb)"
"""The function of migration 20261122_14; why it is one: docs/decisions/0002-one-statement-per-step.md."""


class PgLedger(Ledger):
    """The ledger of one worker, over its pool of connections."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # The statement is a transaction of its own: no BEGIN, no COMMIT, one round trip.
        self._at_once = engine.execution_options(isolation_level="AUTOCOMMIT")

    @activity.defn(name="记入台账")
    async def commit_step(self, step: Step) -> Entered:
        """Raises ApplicationError, always worth repeating: a repeated step changes nothing."""
        async with borrowed(self._at_once) as connection:
            entered = await record(connection, step)
        return await self._in_part(step.row.insurer_id, step.row.case_id, entered.missed)

    @activity.defn(name="查对台账")
    async def recorded_since(self, since: Since) -> Entered:
        """Raises ApplicationError when the database does not answer."""
        async with borrowed(self._engine) as connection:
            await tenant(connection, since.case.insurer_id)
            found = await connection.exec_driver_sql(RECORDED_FROM, (since.case.case_id, since.seq))
            missed = MISSED.validate_python(found.scalar_one() or ())
        return await self._in_part(since.case.insurer_id, since.case.case_id, missed)

    async def _in_part(self, insurer_id: UUID, case_id: UUID, missed: tuple[Recorded, ...]) -> Entered:
        """No more than the engine takes in one answer; whoever needs later steps looks again."""
        if not missed:
            return Entered()
        async with borrowed(self._engine) as connection:
            await tenant(connection, insurer_id)
            stands = await _standing(connection, case_id)
        return Entered(missed=_at_most(missed), stands=stands)

    @activity.defn(name="取回答复")
    async def recall_answer(self, recall: Recall) -> Recalled:
        """Raises ApplicationError when the database does not answer."""
        asked = select(col(RecordedCommand.answer)).where(
            col(RecordedCommand.insurer_id) == recall.case.insurer_id,
            col(RecordedCommand.case_id) == recall.case.case_id,
            col(RecordedCommand.command_id) == recall.command_id,
        )
        async with borrowed(self._engine) as connection:
            await tenant(connection, recall.case.insurer_id)
            return Recalled(answer=(await connection.execute(asked)).scalar_one_or_none())


async def record(connection: AsyncConnection, step: Step) -> Entered:
    """The one statement of a step. Raises what the database raises."""
    ids = [notice_id(notice.key) for notice in step.notices]
    asked_for = [_asked_for(notice) for notice in step.notices]
    given = (step.model_dump_json(), ids, asked_for, to_json(standing(step)).decode())
    missed = (await connection.exec_driver_sql(RECORD_STEP, given)).scalar_one()
    return Entered(missed=MISSED.validate_python(missed or ()))


def _at_most(missed: tuple[Recorded, ...]) -> tuple[Recorded, ...]:
    """From the first on, as many as are small enough together; at least one."""
    size = 0
    for number, step in enumerate(missed[:MOST_STEPS]):
        size += len(step.model_dump_json().encode())
        if size > MOST_BYTES:
            return missed[: max(number, 1)]
    return missed[:MOST_STEPS]


async def _standing(connection: AsyncConnection, case_id: UUID) -> Standing:
    """Packs and calendar are the row's, unless others were adopted since: then those the first adoption replaced."""
    row = (await connection.execute(select(*STANDS).where(col(Case.id) == case_id))).one()
    packs, through = row.packs, row.calendar_through
    adopted = (
        select(col(RecordedStep.command_name), col(RecordedStep.cause))
        .where(col(RecordedStep.case_id) == case_id, col(RecordedStep.command_name).in_(ADOPTIONS))
        .order_by(col(RecordedStep.seq).desc())
    )
    for name, cause in await connection.execute(adopted):  # the earliest has the last word
        command = Cause.model_validate(cause).body["command"]
        if name == AdoptRules.__name__:
            packs = command["instead_of"]
        else:  # tables are published one year at a time
            through = WorkCalendar.model_validate(command["calendar"]).through - 1
    began = Pinned.model_validate({"packs": packs, "through": through})
    return Standing.model_validate({**row._mapping, "began": began})


def _asked_for(notice: Notice) -> str:
    """Who should have been told, for the person who finds the notice in the operators' queue."""
    return "、".join(dict.fromkeys(name for _, name in notice.departments)) or notice.to.label
