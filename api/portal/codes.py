"""Before an act with legal effect: whoever holds the link types the code that was mailed to the registered address."""

import asyncio
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Literal
from uuid import uuid4

from fastapi import Request, Response
from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import FormData

from api.audit import Origin
from api.desk.deeds import Deed
from api.desk.frame import ROOMS, back
from api.entrance.code_doors import ASKED, Typed
from api.entrance.codes import TRIES, Asked, ask, use
from api.portal.links import OpenedLink
from api.rows import ASKED_LETTERS, INSUREDS, INSURERS, LINK_USES
from api.tools import Tools
from models.contracts.vocabulary import ActorKind, AskedFor
from models.tables import engine as settings

Held = Literal["proven", "sent", "waiting", "enough", "wrong"]
"""The code was right; one was mailed; one still waits; enough were mailed this hour; what was typed is not it."""
A_MOMENT = timedelta(seconds=30)
LOOK_AGAIN, LOOKS = 0.2, 20
"""Seconds, and how often: for whoever pressed twice, until the first press is on record."""


@dataclass(frozen=True)
class Pledge:
    """Who is about to do what, and from where."""

    tools: Tools
    link: OpenedLink
    deed: Deed
    origin: Origin

    @property
    def asked(self) -> Asked:
        return Asked(self.link.holder.id, AskedFor.CODE_TO_ACT, self.link.id)


async def proven(pledge: Pledge, form: FormData) -> Held:
    """Whether the form carries the right code; where it carries none, one is mailed."""
    typed = "".join(str(form.get("code") or "").split())
    if form.get("again") or not typed:
        return await _mailed(pledge, anew=bool(form.get("again")))
    if await use(pledge.tools, pledge.asked, typed, pledge.origin):
        return "proven"
    return "proven" if await _pressed_twice(pledge) else "wrong"


def sent_to(link: OpenedLink) -> str:
    """The registered address, as far as its holder needs it to know it again."""
    name, _, host = str(link.holder.email).partition("@")
    return f"{name[:1]}***@{host}"


async def to_room(request: Request, link: OpenedLink) -> Response:
    """From one matter to all of them: who holds the link says who they are, the code mailed to them proves it."""
    tools: Tools = request.app.state.tools
    async with tools.engine.begin() as connection:
        await settings.tenant(connection, link.insurer_id)
        said = await _said(connection, link)
        letter_id = await ask(tools, connection, Asked(link.holder.id, AskedFor.CODE_TO_ENTER), Origin.of(request))
    answer = back("/enter/code/check")
    ASKED.hand_out(tools, answer, {"letter": str(letter_id or uuid4()), "next": ROOMS[link.kind], **asdict(said)})
    return answer


async def _said(connection: AsyncConnection, link: OpenedLink) -> Typed:
    """What the holder would have typed at the door."""
    if link.kind is ActorKind.DEPARTMENT:
        return Typed("department", department=str(link.holder.id))
    code = select(INSURERS.c.code).where(INSURERS.c.id == link.insurer_id)
    credit = select(INSUREDS.c.credit_code).where(INSUREDS.c.id == link.holder.insured_id)
    return Typed(
        "enterprise",
        insurer=(await connection.execute(code)).scalar_one(),
        credit_code=(await connection.execute(credit)).scalar_one(),
    )


async def _mailed(pledge: Pledge, *, anew: bool) -> Held:
    """A page that is loaded again asks for no second letter while the first can still be used."""
    async with pledge.tools.engine.begin() as connection:
        await settings.recipient(connection, pledge.link.holder.id)
        letters = ASKED_LETTERS.c
        usable = exists().where(
            letters.link_id == pledge.link.id,
            letters.asked_for == AskedFor.CODE_TO_ACT,
            letters.used_at.is_(None),
            letters.tries < TRIES,
            letters.expires_at > pledge.tools.now(),
        )
        if not anew and (await connection.execute(select(usable))).scalar_one():
            return "waiting"
        return "sent" if await ask(pledge.tools, connection, pledge.asked, pledge.origin) else "enough"


async def _pressed_twice(pledge: Pledge) -> bool:
    """The code was used a moment ago for this very deed: the second press waits for the first (P16)."""
    for _ in range(LOOKS):
        async with pledge.tools.engine.begin() as connection:
            await settings.recipient(connection, pledge.link.holder.id)
            since = pledge.tools.now() - A_MOMENT
            of = (ASKED_LETTERS.c.link_id == pledge.link.id) & (ASKED_LETTERS.c.used_at > since)
            if (await connection.execute(select(ASKED_LETTERS.c.id).where(of).limit(1))).scalar_one_or_none() is None:
                return False
            used = select(LINK_USES.c.action).where(
                LINK_USES.c.link_id == pledge.link.id, LINK_USES.c.action == pledge.deed.value
            )
            if (await connection.execute(used)).scalar_one_or_none() is not None:
                return True
        await asyncio.sleep(LOOK_AGAIN)
    return False
