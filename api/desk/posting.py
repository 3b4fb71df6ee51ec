"""A posted form of an act, carried out once: its files kept even where it has to be mended; each room says who may."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import Request
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import FormData

from api.admission import Admitted
from api.desk.acting import Misfilled, Wanted, admitted, done
from api.desk.deeds import COMMANDS, Deed, Topic, body, command
from api.desk.filling import Filling, again, received
from api.desk.frame import Visit, visited
from api.problems import Problem
from api.tools import Tools
from models.contracts.vocabulary import CaseKind
from models.tables import engine as settings

Opens = Callable[[Visit], Awaitable[Row[Any]]]
"""Looks the case up with the visitor's rights, with its kind and insurer_id; raises Problem for one that is not theirs.

What else the transaction must see for the command is opened after it (the insurer's files and answers).
"""


@dataclass(frozen=True)
class Wish:
    """What was posted: which deed, to which case, about what; `opens` says whether it is the visitor's to do."""

    deed: Deed
    case_id: UUID
    topic: Topic
    opens: Opens

    def wanted(self, kind: CaseKind, once: str) -> Wanted:
        return Wanted(self.case_id, kind, self.deed.value, COMMANDS[self.deed], once)


async def carried_out(request: Request, form: FormData, wish: Wish) -> Filling | None:
    """Give the form's command to its case; where it cannot be carried out as it is, the form to be mended.

    Raises Problem for everything that mending the form would not help.
    """
    tools: Tools = request.app.state.tools
    async with visited(request) as visit:  # before a byte of a file is looked at: the case is theirs
        await wish.opens(visit)
        owner = visit.caller.owner
    come = await received(tools, form, owner, partial(_keeping, request, wish))
    made = body(wish.deed, come.sent, wish.topic)
    try:
        if come.refused:
            raise Misfilled({})
        command(wish.deed, made)
        ready, wanted = await _admitted(request, wish, str(form.get("_once") or ""), made)
        await done(ready, wanted, made)
    except Misfilled as misfilled:
        return again(tools.secret, owner, wish.deed, come, misfilled)
    except Problem as problem:
        if problem.status not in {409, 422}:
            raise
        return again(tools.secret, owner, wish.deed, come, problem)
    return None


@asynccontextmanager
async def _keeping(request: Request, wish: Wish) -> AsyncIterator[tuple[AsyncConnection, UUID]]:
    """Files that are handed in lie with the insurer of the case."""
    async with visited(request) as visit:
        row = await wish.opens(visit)
        await settings.tenant(visit.entry.connection, row.insurer_id)
        yield visit.entry.connection, row.insurer_id


async def _admitted(request: Request, wish: Wish, once: str, made: dict[str, Any]) -> tuple[Admitted, Wanted]:
    """Seen as its own first; then the insurer's rows are opened, which hold its files and its earlier answers."""
    async with visited(request) as visit:
        row = await wish.opens(visit)
        await settings.tenant(visit.entry.connection, row.insurer_id)
        wanted = wish.wanted(row.kind, once)
        return await admitted(visit, wanted, made), wanted
