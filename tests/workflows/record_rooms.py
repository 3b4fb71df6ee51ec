"""Records histories of mailrooms and of the daily rounds on the real engine: `python -m tests.workflows.record_rooms`.

As record.py does for cases: a recorded history gets a successor, never an edit.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

from temporalio import activity
from temporalio.client import Client
from temporalio.testing import TimeSkipper
from temporalio.worker import Worker

from models.contracts.ids import mailroom_workflow_id
from models.contracts.mailroom import MailroomState
from models.contracts.vocabulary import Urgency
from runtime.sandbox import sandbox
from tests.runtime.waiting import until
from tests.workflows.record import keep, keep_golden, server
from tests.workflows.test_mailroom import Mailroom, Room, put
from tests.workflows.test_reconciling import CountingBookkeeper
from workflows.anchoring import AnchoringWorkflow
from workflows.mailroom import MailroomWorkflow
from workflows.reconciling import ReconcilingWorkflow

QUEUE = "record"
AFTERNOON = timedelta(days=12)
"""So far ahead that an office has opened in between, whatever the holidays."""


@activity.defn(name="链头存证")
async def anchored() -> str:
    return "2026-01-01.anchor.json"


async def record(client: Client, room: Room) -> None:
    """A mailroom that has sent, one that waits for its office, one whose mail was given up; the two daily rounds."""
    sent = await mailroom(client, 1)
    await put(sent, room, Urgency.NOW, 3)
    await until(lambda: len(room.sent) == 3)
    await keep(sent, "mailroom-sent")
    await put(sent, room, Urgency.DIGEST)
    await until(lambda: room.looks >= 2)
    await TimeSkipper(client).fast_forward(sent, AFTERNOON)
    await until(lambda: len(room.sent) == 4)
    await keep(sent, "mailroom-digest")
    room.broken = True
    stuck = await mailroom(client, 2)
    await put(stuck, room, Urgency.NOW)
    await until(lambda: room.attempts >= 1)
    await keep(stuck, "mailroom-stuck")
    await TimeSkipper(client).fast_forward(stuck, timedelta(days=4))
    await until(lambda: bool(room.given_up))
    await keep(stuck, "mailroom-given_up")
    for workflow, name in ((ReconcilingWorkflow, "reconciling-done"), (AnchoringWorkflow, "anchoring-done")):
        handle = await client.start_workflow(workflow.run, id=name, task_queue=QUEUE)
        await handle.result()
        await keep(handle, name)


async def mailroom(client: Client, number: int) -> Mailroom:
    recipient = UUID(int=number)
    return await client.start_workflow(
        MailroomWorkflow.run,
        MailroomState(recipient_id=recipient),
        id=mailroom_workflow_id(recipient),
        task_queue=QUEUE,
    )


async def main() -> None:
    room, keeper = Room(), CountingBookkeeper()
    async with server() as client:
        worker = Worker(
            client,
            task_queue=QUEUE,
            workflows=[MailroomWorkflow, ReconcilingWorkflow, AnchoringWorkflow],
            activities=[room.look_in, room.compose, room.send, room.give_up, keeper.reconcile_orders, anchored],
            workflow_runner=sandbox(),
        )
        async with worker:
            await record(client, room)
    await keep_golden()


if __name__ == "__main__":
    asyncio.run(main())
