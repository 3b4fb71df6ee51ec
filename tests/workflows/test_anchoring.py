"""The daily anchor on the real engine: one signed file a day, however often the day is asked for one."""

from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Worker

from activities.anchoring import AuditNotary, Signer, files
from models.tables.engine import make_engine
from runtime.sandbox import sandbox
from runtime.schedules import anchoring_id, ensure_schedules, reconciling_id
from runtime.settings import sqlalchemy_url
from tests.conftest import Database
from tests.runtime.waiting import until
from workflows.anchoring import AnchoringWorkflow


async def test_a_day_has_one_anchor(temporal: Client, task_queue: str, database: Database, tmp_path: Path) -> None:
    await ensure_schedules(temporal, task_queue)
    engine = make_engine(sqlalchemy_url(database.app), 1)
    notary = AuditNotary(engine, tmp_path, Signer.of(b"a secret of some length, not a word"))
    worker = Worker(
        temporal,
        task_queue=task_queue,
        workflows=[AnchoringWorkflow],
        activities=[notary.anchor_heads],
        workflow_runner=sandbox(),
    )
    async with worker:
        await temporal.get_schedule_handle(anchoring_id(task_queue)).trigger()
        await until(lambda: len(files(tmp_path)) == 1)
        again = await temporal.execute_workflow(AnchoringWorkflow.run, id=f"{task_queue}/again", task_queue=task_queue)
    assert again == ""
    assert len(files(tmp_path)) == 1
    await engine.dispose()
    for name in (reconciling_id(task_queue), anchoring_id(task_queue)):
        await temporal.get_schedule_handle(name).delete()
