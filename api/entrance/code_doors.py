"""The door of those without an account: they say who they are, a code goes to the registered address, they type it."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import FormData

from api.audit import Origin
from api.desk.frame import ROOMS, back, page, posted
from api.desk.front import local
from api.entrance.arriving import arrive_as_contact
from api.entrance.codes import LASTS, TRIES, Asked, ask, use
from api.entrance.doors import Wanted
from api.entrance.links import evenly
from api.entrance.slips import Slip
from api.problems import try_later
from api.rates import Rates, asked_from
from api.rows import INSURERS, RECIPIENTS
from api.tools import Tools
from api.words import ProblemCode
from api.written import id_of
from domain.places import region_name
from models.contracts.ids import insured_id
from models.contracts.vocabulary import AskedFor
from models.tables import engine as settings

ASKED = Slip("asked")
LONGEST = 200
"""Characters of the page that was asked for."""
CREDIT_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
MOST_SHOWN = 200
"""Departments on one page; where there are more, the province is chosen first."""
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Typed:
    """Who somebody says to be: an enterprise of an insurer, or a registered department."""

    who: str
    insurer: str = ""
    credit_code: str = ""
    department: str = ""

    @classmethod
    def of(cls, form: FormData) -> "Typed":
        given = {name: str(form.get(name) or "").strip()[:LONGEST] for name in ("who", "insurer", "department")}
        return cls(**given, credit_code=str(form.get("credit_code") or "").strip().upper()[:LONGEST])

    @property
    def is_whole(self) -> bool:
        """Whether it could be somebody; whether it is, nobody is told."""
        if self.who == "department":
            return id_of(self.department) is not None
        return self.who == "enterprise" and bool(self.insurer) and self.has_credit_code

    @property
    def has_credit_code(self) -> bool:
        return bool(CREDIT_CODE.fullmatch(self.credit_code))


@router.get("/enter/code")
async def ask_who(request: Request, wanted: Wanted = "", place: Annotated[str, Query(max_length=2)] = "") -> Response:
    """Who are you? Two forms, one for enterprises, one for departments."""
    return await _asking(request, 200, place, next=local(wanted) if wanted else "", typed=None)


@router.post("/enter/code")
async def send(request: Request) -> Response:
    """A code goes to the registered address, if there is one: the answer is the same, and as quick."""
    tools: Tools = request.app.state.tools
    async with posted(request, most_files=0) as form:
        typed, wanted = Typed.of(form), local(str(form.get("next") or "/"))[:LONGEST]
        place = str(form.get("place") or "")
    _spend(request)
    if not typed.is_whole:
        return await _asking(request, 422, place, next=wanted, typed=typed)
    async with evenly(), tools.engine.begin() as connection:
        recipient_id = await _recipient_of(connection, typed)
        asked = Asked(recipient_id, AskedFor.CODE_TO_ENTER) if recipient_id else None
        letter_id = await ask(tools, connection, asked, Origin.of(request)) if asked else None
    answer = back("/enter/code/check")
    # the letter's id, or one that is nobody's: who looks at the cookie learns nothing
    ASKED.hand_out(tools, answer, {"letter": str(letter_id or uuid4()), "next": wanted, **asdict(typed)})
    return answer


@router.get("/enter/code/check")
async def ask_code(request: Request) -> Response:
    """The six digits, please."""
    said = ASKED.read(request.app.state.tools, request)
    return page(request, "entrance/check.html.j2", wrong=False, codes=_about_codes()) if said else back("/enter/code")


@router.post("/enter/code/check")
async def check(request: Request) -> Response:
    """The right code opens a session; everything else gets one answer."""
    tools: Tools = request.app.state.tools
    async with posted(request, most_files=0) as form:
        code = str(form.get("code") or "")[:LONGEST]
    _spend(request)
    said = ASKED.read(tools, request)
    if said is None:
        return back("/enter/code")
    async with evenly():
        recipient_id = await _proven(tools, request, said, code)
    if recipient_id is None:
        return page(request, "entrance/check.html.j2", 422, wrong=True, codes=_about_codes())
    arrived = await arrive_as_contact(tools, request, recipient_id)
    answer = back(ROOMS[arrived.kind] if said["next"] == "/" else said["next"])
    ASKED.take_back(tools, answer)
    arrived.remember(tools, answer)
    return answer


async def _proven(tools: Tools, request: Request, said: dict[str, Any], code: str) -> UUID | None:
    typed = Typed(**{one.name: said[one.name] for one in fields(Typed)})
    async with tools.engine.begin() as connection:
        recipient_id = await _recipient_of(connection, typed)
    if recipient_id is None:
        return None
    asked = Asked(recipient_id, AskedFor.CODE_TO_ENTER, letter_id=UUID(said["letter"]))
    return recipient_id if await use(tools, asked, code, Origin.of(request)) else None


async def _recipient_of(connection: AsyncConnection, typed: Typed) -> UUID | None:
    """The registered address of whoever somebody says to be."""
    if typed.who == "department":
        found = RECIPIENTS.c.department.is_not(None) & (RECIPIENTS.c.id == id_of(typed.department))
    else:
        of = select(INSURERS.c.id).where(INSURERS.c.code == typed.insurer)
        insurer_id = (await connection.execute(of)).scalar_one_or_none() or uuid4()
        await settings.tenant(connection, insurer_id)
        found = RECIPIENTS.c.insured_id == insured_id(insurer_id, typed.credit_code)
    known = select(RECIPIENTS.c.id).where(found, RECIPIENTS.c.email != "")
    return (await connection.execute(known)).scalar_one_or_none()


async def _asking(request: Request, status: int, place: str, **shown: Any) -> Response:
    tools: Tools = request.app.state.tools
    async with tools.engine.connect() as connection:
        insurers = (await connection.execute(select(*INSURERS.c["code", "name"]).order_by(INSURERS.c.name))).all()
        registered = select(*RECIPIENTS.c["id", "region", "name"]).where(
            RECIPIENTS.c.department.is_not(None), RECIPIENTS.c.email != ""
        )
        offices = (await connection.execute(registered.order_by(*RECIPIENTS.c["region", "name"]))).all()
    provinces = {one.region[:2]: region_name(f"{one.region[:2]}0000") for one in offices}
    many, place = len(offices) > MOST_SHOWN, place if place in provinces else ""
    return page(
        request,
        "entrance/code.html.j2",
        status,
        insurers=insurers,
        provinces=list(provinces.items()),
        many=many,
        place=place,
        offices=_by_place(offices, place) if place or not many else [],
        **shown,
    )


def _by_place(offices: Sequence[Row[Any]], place: str) -> list[tuple[str, list[Row[Any]]]]:
    grouped: dict[str, list[Row[Any]]] = {}
    for one in offices:
        if one.region.startswith(place):
            grouped.setdefault(region_name(one.region), []).append(one)
    return list(grouped.items())


def _about_codes() -> dict[str, int]:
    return {"minutes": int(LASTS.total_seconds() // 60), "tries": TRIES}


def _spend(request: Request) -> None:
    """Raises Problem 429 where one address asks or types too often."""
    strangers: Rates = request.app.state.strangers
    wait = strangers.spend(asked_from(request.scope))
    if wait:
        raise try_later(ProblemCode.TOO_MANY, wait)
