"""The invariants can fail: after a sound life and a sound claim, each is spoilt in turn and found."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import asyncpg
import pytest
from temporalio import workflow
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from models.contracts.ids import mailroom_workflow_id
from runtime.core_system import Paid
from tests.faults.ground import Ground
from tests.faults.history import History, Operation, Outcome
from tests.faults.invariants import CHECKS, TRIED_IN_VAIN, broken
from tests.runtime.waiting import PATIENCE

UNLOCKED = "ALTER TABLE outbox DROP CONSTRAINT uq_outbox_notice_key"
"""What would have refused a notice told twice."""
TOLD = "(SELECT id FROM mails WHERE status = 'accepted' ORDER BY message_id LIMIT 1)"
OPEN = "SELECT workflow_id FROM cases WHERE ended_at IS NULL"
STEPS = "DELETE FROM audit WHERE what = 'step'"
LAST = "(SELECT k.case_id FROM commands k JOIN cases c ON c.id = k.case_id AND c.seq = k.seq LIMIT 1)"
"""Of the cases whose last step was a command, one."""
SPOIL = (
    ("I1", "answered without a step", "UPDATE commands SET seq = 99 WHERE seq = 1"),
    ("I6", "step_unrecorded", f"{STEPS} AND number = (SELECT max(number) FROM audit)"),
    ("I6", "missing", "DELETE FROM audit WHERE number = 2"),
    ("I6", "", "UPDATE steps SET actor_name = '别人' WHERE seq = 1"),
    ("I2", "command twice", "UPDATE steps SET command_id = 'same' WHERE seq IN (1, 2)"),
    ("I2", "alarm twice", """UPDATE steps SET cause = '{"kind": "alarm", "key": "same"}' WHERE seq IN (1, 2)"""),
    ("I2", "duty told twice", f"{UNLOCKED}; UPDATE outbox SET notice_key = 'same'"),
    (
        "I2",
        "payment confirmed twice",
        """UPDATE timeline SET event = 'payment_confirmed', data = '{"number": "same"}' WHERE seq IN (1, 2)""",
    ),
    ("I2", "limit taken twice", "UPDATE reservations SET amount = amount - 1"),
    ("I3", "paid", "UPDATE payment_orders SET amount = amount + 0.01"),
    ("I3", "order_key", "UPDATE payment_orders SET amount = amount + 1"),
    *(
        ("I3", limit, f"UPDATE limit_movements SET pot = '{pot}'; UPDATE claim_limits SET {limit} = 1")
        for limit, pot in (
            ("aggregate", "indemnity"),
            ("per_accident", "indemnity"),
            ("per_person", "indemnity"),
            ("rescue", "rescue"),
            ("costs", "costs"),
        )
    ),
    ("I4", "expired", "UPDATE commands SET answer = jsonb_set(answer, '{stage}', '\"expired\"') WHERE seq = 2"),
    ("I4", "read model", f"UPDATE cases SET stage = 'elsewhere' WHERE id = {LAST}"),
    ("I4", "gap", "UPDATE cases SET seq = seq + 1"),
    ("I4", "gap", "DELETE FROM steps WHERE seq = 2"),
    ("I5", "has no end", f"UPDATE attempts SET outcome = NULL WHERE mail_id = {TOLD}"),
    (
        "I5",
        "tells of nothing",
        f"UPDATE outbox SET mail_id = {TOLD} WHERE mail_id = (SELECT id FROM mails WHERE id <> {TOLD} LIMIT 1)",
    ),
    ("I5", "in no mail and with nobody", f"UPDATE outbox SET mail_id = NULL WHERE mail_id = {TOLD}"),
    ("I9", "with nobody", "UPDATE outbox SET status = 'undelivered'"),
    ("I5", "never arrived", f"UPDATE mails SET message_id = '<another@anze.example>' WHERE id = {TOLD}"),
    ("I5", "nobody's", f"DELETE FROM mails WHERE id = {TOLD}"),
    (
        "I8",
        "has no workflow",
        "UPDATE cases SET workflow_id = 'nowhere'"
        " WHERE id = (SELECT min(id::text)::uuid FROM cases WHERE ended_at IS NULL)",
    ),
    ("I9", "nudge waits", "INSERT INTO nudges (recipient_id) SELECT id FROM recipients LIMIT 1"),
    ("I9", "urgent notice waits", "UPDATE outbox SET status = 'queued', urgency = 'now'"),
    ("I9", "mail waits", "UPDATE mails SET status = 'queued'"),
    ("I9", "payment order waits", "UPDATE payment_orders SET state = 'sending'"),
)
"""Invariant, what is then said, and how it was spoilt; each leaves what came before it spoilt."""


@workflow.defn(name="失灵")
class Failing:
    """Fails its task again and again, as a case does whose code it cannot follow."""

    @workflow.run
    async def run(self) -> None:
        raise RuntimeError


async def as_superuser(ground: Ground, statement: str) -> None:
    """Past every trigger and wall."""
    connection = await asyncpg.connect(ground.database.admin)
    await connection.execute(f"SET session_replication_role = replica; {statement}")
    await connection.close()


async def a_lost_command(ground: Ground, history: History) -> None:
    first = history.operations[0]
    history.operations.append(Operation(first.caller, first.owner, first.path, "nobody-knows-it", 0.0, Outcome.OK))


async def a_payment_without_order(ground: Ground, history: History) -> None:
    ground.bank.payments["x:C-1:Z-1"] = Paid({"amount": "1.00"}, "", "confirmed", "B1")


async def a_payment_asked_for_twice(ground: Ground, history: History) -> None:
    next(iter(ground.bank.payments.values())).asked += 1


async def a_payment_of_another_amount(ground: Ground, history: History) -> None:
    paid = next(iter(ground.bank.payments.values()))
    paid.body = {**paid.body, "amount": "0.01"}


async def a_mail_too_many(ground: Ground, history: History) -> None:
    ground.mailbox.messages.append(ground.mailbox.messages[0])


async def a_look_at_anothers_case(ground: Ground, history: History) -> None:
    history.seen[uuid4()].add((await ground.rows("SELECT id FROM cases"))[0]["id"])


async def a_workflow_that_ended(ground: Ground, history: History) -> None:
    name = (await ground.rows(f"{OPEN} AND kind = 'claim'"))[0]["workflow_id"]
    await ground.client.get_workflow_handle(name).terminate("the test")


async def a_workflow_that_fails(ground: Ground, history: History) -> None:
    await _fails(ground, (await ground.rows(f"{OPEN} AND kind = 'policy'"))[0]["workflow_id"])


async def a_mailroom_that_fails(ground: Ground, history: History) -> None:
    await _fails(ground, mailroom_workflow_id((await ground.rows("SELECT recipient_id FROM mails"))[0]["recipient_id"]))


async def _fails(ground: Ground, name: str) -> None:
    handle = ground.client.get_workflow_handle(name)
    await handle.terminate("the test")
    failing = Worker(
        ground.client, task_queue="failing", workflows=[Failing], workflow_runner=UnsandboxedWorkflowRunner()
    )
    async with failing, asyncio.timeout(PATIENCE):
        await ground.client.start_workflow(Failing.run, id=name, task_queue="failing")
        while (await handle.describe()).raw_description.pending_workflow_task.attempt <= TRIED_IN_VAIN:
            await asyncio.sleep(0.1)


async def a_server_error(ground: Ground, history: History) -> None:
    history.operations[0].answers.append(500)


PLANTED: tuple[tuple[str, str, Callable[[Ground, History], Awaitable[None]]], ...] = (
    ("I1", "is lost", a_lost_command),
    ("I2", "times in 1 attempts", a_payment_asked_for_twice),
    ("I2", "paid without an order", a_payment_without_order),
    ("I3", "paid 0.01", a_payment_of_another_amount),
    ("I5", "arrived 2 times in 1 attempts", a_mail_too_many),
    ("I7", "saw", a_look_at_anothers_case),
    ("I8", "its workflow has ended", a_workflow_that_ended),
    ("I8", "fails its task", a_workflow_that_fails),
    ("I8", "fails its task", a_mailroom_that_fails),
    ("I10", "500", a_server_error),
)


@pytest.mark.slow_fault
@pytest.mark.fault("invariants")
async def test_every_branch_of_every_invariant_finds_what_was_spoilt(ground: Ground) -> None:
    async with ground.worker(), ground.voices() as (voice,):
        await ground.author.life(voice, 1)
        await ground.author.claim(voice, 2)
        assert await ground.broken() == []
    before: set[str] = set()
    for name, said, plant in PLANTED:
        await plant(ground, ground.history)
        before = await newly(ground, before, name, said)
    for name, said, statement in SPOIL:
        await as_superuser(ground, statement)
        before = await newly(ground, before, name, said)
    assert {name for name, _, _ in (*PLANTED, *SPOIL)} == {name.partition(" ")[0] for name in CHECKS}


async def newly(ground: Ground, before: set[str], name: str, said: str) -> set[str]:
    """All that is found now; among what was not found before is this."""
    found = set(await broken(ground.look()))
    told = [one for one in found - before if one.startswith(f"{name} ") and said in one.partition(": ")[2]]
    assert told, (name, said, sorted(found - before))
    return found
