"""The invariants can fail: after a sound life and a sound claim, each is spoilt in turn and found."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import asyncpg
import pytest

from runtime.core_system import Paid
from tests.faults.ground import Ground
from tests.faults.history import History, Operation, Outcome
from tests.faults.invariants import CHECKS, broken

SPOIL = {
    "I3 payments within limits": "UPDATE claim_limits SET aggregate = 1",
    "I4 legal transitions": "UPDATE commands SET answer = jsonb_set(answer, '{stage}', '\"expired\"') WHERE seq = 2",
    "I6 changes are audited": "UPDATE steps SET actor_name = '别人' WHERE seq = 1",
    "I9 outbox is empty": "INSERT INTO nudges (recipient_id) SELECT id FROM recipients LIMIT 1",
}


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


async def a_mail_too_many(ground: Ground, history: History) -> None:
    ground.mailbox.messages.append(ground.mailbox.messages[0])


async def a_look_at_anothers_case(ground: Ground, history: History) -> None:
    history.seen[uuid4()].add((await ground.rows("SELECT id FROM cases"))[0]["id"])


async def a_workflow_that_ended(ground: Ground, history: History) -> None:
    name = (await ground.rows("SELECT workflow_id FROM cases WHERE ended_at IS NULL"))[0]["workflow_id"]
    await ground.client.get_workflow_handle(name).terminate("the test")


async def a_server_error(ground: Ground, history: History) -> None:
    history.operations[0].answers.append(500)


PLANTED: dict[str, Callable[[Ground, History], Awaitable[None]]] = {
    "I1 acknowledged is present": a_lost_command,
    "I2 one effect for each key": a_payment_without_order,
    "I5 mails under one id": a_mail_too_many,
    "I7 nobody sees another's": a_look_at_anothers_case,
    "I8 no workflow is stuck": a_workflow_that_ended,
    "I10 no server error": a_server_error,
}


@pytest.mark.slow_fault
@pytest.mark.fault("invariants")
async def test_every_invariant_finds_what_was_spoilt(ground: Ground) -> None:
    async with ground.worker(), ground.voices() as (voice,):
        await ground.author.life(voice, 1)
        await ground.author.claim(voice, 2)
        assert await ground.broken() == []
    found: list[str] = []
    for name in CHECKS:
        if name in SPOIL:
            await as_superuser(ground, SPOIL[name])
        else:
            await PLANTED[name](ground, ground.history)
        found = await broken(ground.look())
        assert any(one.startswith(name) for one in found), name
    assert len(found) >= len(CHECKS)
