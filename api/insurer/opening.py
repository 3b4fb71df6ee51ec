"""Opening a policy: the enterprise and its address are put down first, and only its id and name go to the workflow."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Body, Depends, Request, Response
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.callers import Entry, entered
from api.doors import answered, example
from api.entrance.links import end_ways_in
from api.gateway import open_policy
from api.idempotency import Attempt, Key, Stored, attempt, stored_answer
from api.insurer.doors import application
from api.problems import refused
from api.rows import CASES, INSUREDS, RECIPIENTS
from api.shapes import InsuredParty, PolicyApplication
from api.tools import Tools
from domain.calendar import local_date
from domain.policy.refusals import refuse_opening, rules_for
from models.contracts import ids
from models.contracts.base import Given
from models.contracts.policy import OpenPolicy
from models.contracts.policy_state import Birth, PolicyView
from models.contracts.vocabulary import Role

CREATED = 201


@dataclass(frozen=True)
class Opening:
    """A recognised caller whose transaction is still open; `leave` commits it."""

    entry: Entry
    attempt: Attempt
    transaction: AsyncExitStack
    stored: Stored | None

    async def leave(self) -> None:
        await self.transaction.aclose()


async def opening(request: Request, key: Key) -> AsyncIterator[Opening]:
    """Who asks is settled before what is asked is looked at; one transaction serves both."""
    async with AsyncExitStack() as transaction:
        entry = await transaction.enter_async_context(entered(request))
        made = attempt(entry.caller.owner, key, request)
        yield Opening(entry, made, transaction, await stored_answer(entry, entry.caller.tenant, made))


def add(router: APIRouter, today: date) -> None:
    """The route; its example is a policy signed a few days before `today`."""
    shown = Body(openapi_examples=example(application(today)))

    async def policy_open(
        opened: Annotated[Opening, Depends(opening)], application: Annotated[PolicyApplication, shown]
    ) -> Response:
        view, replayed = await opened_policy(opened, application)
        return answered(view, replayed=replayed, status=CREATED)

    router.add_api_route(
        "/policies",
        policy_open,
        methods=["POST"],
        status_code=CREATED,
        response_model=PolicyView,
        summary="建档：保单签署 / Open a policy when it is signed",
        description="同一保单号重复提交得到同一案件。 / The same number gives the same case.",
        operation_id="policy_open",
        tags=["保单 / policies"],
    )


async def opened_policy(opened: Opening, application: PolicyApplication) -> tuple[PolicyView, bool]:
    """Put the enterprise down, end the transaction, open the policy; the flag tells a repeated answer. Raises Problem.

    The one way a policy is opened, whether it comes as JSON, from a form or from a row of a workbook.
    """
    if opened.stored and not opened.stored.is_young:
        return PolicyView.model_validate(opened.stored.answer), True
    birth, given = await _put_down(opened, application)
    await opened.leave()
    return await open_policy(opened.entry.tools, birth, given, opened.entry.deadline), opened.stored is not None


def _refuse_early(tools: Tools, command: OpenPolicy) -> None:
    """What the place's rules refuse is refused before anything is written; the case itself asks the same again."""
    rulebook = tools.rules.resolve(rules_for(command.terms)).rulebook
    refusal = refuse_opening(rulebook, command, local_date(tools.now()))
    if refusal:
        raise refused(refusal)


async def _put_down(opened: Opening, application: PolicyApplication) -> tuple[Birth, Given[OpenPolicy]]:
    caller, number = opened.entry.caller, application.terms.number
    insured_id = ids.insured_id(caller.tenant, application.insured.credit_code)
    birth = Birth(
        case_id=ids.policy_id(caller.tenant, number),
        insurer_id=caller.tenant,
        insurer_code=caller.insurer_code,
        insurer_name=caller.name,
        workflow_id=ids.policy_workflow_id(caller.insurer_code, number),
    )
    command = OpenPolicy(
        terms=application.terms,
        insured_id=insured_id,
        insured_name=application.insured.name,
        facts=application.facts,
    )
    recorded = await _recorded(opened.entry.connection, birth.case_id)
    if not recorded:
        _refuse_early(opened.entry.tools, command)
        await _register(opened.entry.connection, caller.tenant, insured_id, application.insured)
    given = Given[OpenPolicy](
        command_id=opened.attempt.id,
        actor=caller.actor,
        fingerprint=opened.attempt.fingerprint,
        command=command,
        recorded=recorded,
    )
    return birth, given


async def _recorded(connection: AsyncConnection, case_id: UUID) -> int:
    """Its steps on record. Opening a policy again changes nothing, so it does not change the enterprise's address."""
    return (await connection.execute(select(CASES.c.seq).where(CASES.c.id == case_id))).scalar_one_or_none() or 0


async def _register(connection: AsyncConnection, insurer_id: UUID, insured_id: UUID, party: InsuredParty) -> None:
    """The enterprise as this insurer knows it, and where notices to it go; the latest opening counts."""
    known = {"id": insured_id, "insurer_id": insurer_id, "credit_code": party.credit_code, "name": party.name}
    # whichever of its two unique keys somebody else was quicker with
    await connection.execute(insert(INSUREDS).values(known).on_conflict_do_nothing())
    renamed = (INSUREDS.c.id == insured_id) & (INSUREDS.c.name != party.name)
    await connection.execute(update(INSUREDS).where(renamed).values(name=party.name))
    address = {
        "id": uuid4(),
        "role": Role.INSURED,
        "insurer_id": insurer_id,
        "insured_id": insured_id,
        "name": party.name,
        "email": party.email,
    }
    mine = select(*RECIPIENTS.c["id", "name", "email"]).where(RECIPIENTS.c.insured_id == insured_id)
    before = (await connection.execute(mine)).one_or_none()
    if before is not None and (before.name, before.email) == (party.name, party.email):
        return  # nothing to lock: most openings are of an enterprise that is known as it is
    recipient = insert(RECIPIENTS).values(address)
    latest = {"name": recipient.excluded.name, "email": recipient.excluded.email}
    await connection.execute(recipient.on_conflict_do_update(index_elements=["insured_id"], set_=latest))
    if before is not None and before.email != party.email:
        await end_ways_in(connection, before.id)
