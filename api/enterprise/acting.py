"""An enterprise acts in its room: a form becomes a command to one of its own cases; pages and links are elsewhere."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import FormData

from api.admission import Admitted
from api.desk.acting import Misfilled, Wanted, admitted, done
from api.desk.frame import posted, visited
from api.enterprise.reading import own_case
from api.portal.deeds import COMMANDS, Deed, Matter, body, command
from api.portal.forms import Filling, Received, again, received
from api.problems import Problem
from api.words import ProblemCode
from models.contracts.vocabulary import ActorKind, CaseKind
from models.tables import engine as settings

KIND = ActorKind.ENTERPRISE
CASES_OF: dict[Deed, CaseKind] = {
    Deed.CONFIRM_TOLD: CaseKind.HAZARD,
    Deed.CLAIM_RECTIFICATION: CaseKind.HAZARD,
    Deed.OBJECT: CaseKind.HAZARD,
    Deed.ASK_MORE_TIME: CaseKind.HAZARD,
    Deed.CONFIRM_PLAN: CaseKind.POLICY,
    Deed.RATE_SERVICE: CaseKind.POLICY,
}
"""What an enterprise may do in its room, and to which kind of case."""


@dataclass(frozen=True)
class ToMend:
    """A form that could not be carried out as it is, to be shown again with what was wrong."""

    filling: Filling


@dataclass(frozen=True)
class Wish:
    """What was posted: which deed, to which case, about what."""

    deed: Deed
    case_id: UUID
    matter: Matter
    once: str

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.case_id, CASES_OF[self.deed], self.deed.value, COMMANDS[self.deed], self.once)


async def act(request: Request, case_id: UUID, kind: CaseKind, visit: str = "") -> Deed | ToMend:
    """Carry out the posted form, once; files are kept even where the form has to be mended. Raises Problem."""
    async with posted(request) as form:
        wish = Wish(_deed(form, kind), case_id, Matter(visit=visit), str(form.get("_once") or ""))
        owner = await _holder(request, wish)
        tools = request.app.state.tools
        come = await received(tools, form, owner, partial(_keeping, request, wish))
    try:
        if come.refused:
            raise Misfilled({})
        made = body(wish.deed, come.sent, wish.matter)
        command(wish.deed, made)
        await done(await _admitted(request, wish, come), wish.wanted, made)
    except Misfilled as misfilled:
        return ToMend(again(tools.secret, owner, wish.deed, come, misfilled.errors))
    except Problem as problem:
        if problem.status not in {409, 422}:
            raise
        return ToMend(again(tools.secret, owner, wish.deed, come, {"note": problem.detail}))
    return wish.deed


def _deed(form: FormData, kind: CaseKind) -> Deed:
    asked = str(form.get("deed") or "")
    if asked not in set(Deed) or CASES_OF.get(Deed(asked)) is not kind:
        raise Problem(ProblemCode.BAD_REQUEST)
    return Deed(asked)


async def _holder(request: Request, wish: Wish) -> UUID:
    """Before a byte of a file is looked at: somebody is signed in, and the case is theirs."""
    async with visited(request) as visit:
        await own_case(visit.entry, wish.case_id, CASES_OF[wish.deed])
        return visit.caller.owner


@asynccontextmanager
async def _keeping(request: Request, wish: Wish) -> AsyncIterator[tuple[AsyncConnection, UUID]]:
    """The enterprise's files lie with the insurer of the case."""
    async with visited(request) as visit:
        row = await own_case(visit.entry, wish.case_id, CASES_OF[wish.deed])
        await settings.tenant(visit.entry.connection, row.insurer_id)
        yield visit.entry.connection, row.insurer_id


async def _admitted(request: Request, wish: Wish, come: Received) -> Admitted:
    """Seen as its own first; then the insurer's rows are opened, which hold its files and its earlier answers."""
    async with visited(request) as visit:
        row = await own_case(visit.entry, wish.case_id, CASES_OF[wish.deed])
        await settings.tenant(visit.entry.connection, row.insurer_id)
        return await admitted(visit, wish.wanted, body(wish.deed, come.sent, wish.matter))
