"""Who serves: how much, how well, how late; and the register of those who may come in themselves, with their people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy import Row, func, literal_column, select
from starlette.datastructures import FormData

from api import reads
from api.callers import Entry
from api.desk.acting import Misfilled
from api.desk.did import Did, back_after, did
from api.desk.frame import Visit, posted, visited
from api.entrance.forms import DISABLE, ENABLE, END_SESSIONS, act_of, added, changed, kept, typed, user_of
from api.entrance.people import POSTS, NewProvider, Place, Taken, change_provider, found_provider
from api.insurer.pages.visits import Reading
from api.kept import Counted
from api.problems import not_found
from api.rows import ASSIGNMENTS, CASE_FIGURES, CASES, PROVIDERS, USERS
from domain.wording import instant
from models.contracts.vocabulary import ActorKind, PolicyStage, Post, ServiceDimension

HERE = "/insurer/providers"
MOST_PROVIDERS = 200
RUNNING = CASE_FIGURES.c.ended_at.is_(None)
router = APIRouter(prefix=HERE, include_in_schema=False)


@dataclass(frozen=True)
class Provider:
    """An institution or expert and how its services stand."""

    name: str
    policies: int
    served: int
    late: int
    """Policies in force whose service is overdue."""
    rated: int
    stars: tuple[tuple[ServiceDimension, Decimal], ...]
    """The mean of each dimension, one to five, to a tenth; empty where nobody has rated."""


@dataclass(frozen=True)
class Serving:
    """Those whom policies in force name, by how many; and how many running policies name each of the register."""

    providers: tuple[Provider, ...]
    of_register: Mapping[UUID, int]
    rows: int
    """Policies that were looked at."""


@dataclass(frozen=True)
class Registered:
    """A provider of the register: its row and its people."""

    row: Row[Any]
    people: Sequence[Row[Any]]


@router.get("")
async def look(visit: Reading) -> Response:
    """Who serves how many policies, what is late, how the insured rate it; who is registered."""
    return await _page(visit)


@router.post("")
async def add(request: Request) -> Response:
    """A provider whose people may come in from now on, to the policies that name its credit code."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        try:
            await found_provider(visit.entry.connection, visit.caller.tenant, typed(NewProvider, form), act_of(visit))
        except Misfilled as wrong:
            return await _page(visit, 422, errors=wrong.errors, typed=kept(form))
        except Taken:
            return await _page(visit, 409, taken=True, typed=kept(form))
    return back_after(Did.REGISTERED, HERE)


@router.post("/{provider_id:uuid}")
async def change(request: Request, provider_id: UUID) -> Response:
    """Another name, address or qualification; who it is, its credit code says, and that stays."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        one = await _known(visit, provider_id)
        try:
            new = typed(NewProvider, FormData([*form.multi_items(), ("credit_code", one.credit_code)]))
        except Misfilled as wrong:
            return await _page(visit, 422, wrong_at=provider_id, errors=wrong.errors, typed=kept(form))
        await change_provider(visit.entry.connection, visit.caller.tenant, new, act_of(visit))
    return back_after(Did.CORRECTED, HERE)


@router.post("/{provider_id:uuid}/people")
async def add_person(request: Request, provider_id: UUID) -> Response:
    """Somebody of the provider, who signs in by the identity provider like everybody with an account."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        one = await _known(visit, provider_id)
        place = Place(ActorKind.PROVIDER, visit.caller.tenant, provider_id=one.id)
        refused = await added(visit, form, lambda sent: (place, POSTS[ActorKind.PROVIDER]))
        if refused:
            shown = {**refused.shown, "person_taken": refused.shown.pop("taken", False)}
            return await _page(visit, refused.status, person_at=provider_id, **shown)
    return back_after(Did.REGISTERED, HERE)


@router.post("/{provider_id:uuid}/people/{user_id:uuid}")
async def change_person(request: Request, provider_id: UUID, user_id: UUID) -> Response:
    """In no more, in again, or out of every browser."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        await _known(visit, provider_id)
        if (await user_of(visit.entry.connection, user_id)).provider_id != provider_id:
            raise not_found()
        await changed(visit, user_id, form, (DISABLE, ENABLE, END_SESSIONS))
    return back_after(Did.CORRECTED, HERE)


async def _known(visit: Visit, provider_id: UUID) -> Row[Any]:
    """A provider of this insurer; 404 for every other."""
    own = (PROVIDERS.c.id == provider_id) & (PROVIDERS.c.insurer_id == visit.caller.tenant)
    row = (await visit.entry.connection.execute(select(PROVIDERS).where(own))).one_or_none()
    if row is None:
        raise not_found()
    return row


async def named_by_register(visit: Visit) -> dict[str, str]:
    """What the form that names a provider begins with, where its address names one of the register."""
    asked = visit.request.query_params.get("provider", "")
    own = (PROVIDERS.c.credit_code == asked) & (PROVIDERS.c.insurer_id == visit.caller.tenant)
    row = (await visit.entry.connection.execute(select(PROVIDERS).where(own))).one_or_none() if asked else None
    if row is None:
        return {}
    given = {"provider_name": row.name, "provider_code": row.credit_code, "qualification": row.qualification}
    return {name: value for name, value in given.items() if value}


async def _page(visit: Visit, status: int = 200, **shown: Any) -> Response:
    """The page as it stands now; `wrong_at` and `person_at` say whose form is shown again."""
    entry, known = visit.entry, await registered(visit.entry)
    counted = await _serving(entry, known)
    blank = {"errors": {}, "typed": {}, "taken": False, "person_taken": False, "wrong_at": None, "person_at": None}
    return visit.page(
        "insurer/providers.html.j2",
        status,
        providers=counted.figures.providers,
        as_of=counted.as_of and instant(counted.as_of),
        registered=known,
        of_register=counted.figures.of_register,
        may_register=visit.caller.holds(Post.INSURER_ADMIN),
        did=did(visit.request),
        **(blank | shown),
    )


async def registered(entry: Entry) -> list[Registered]:
    """The register of the calling insurer, by name."""
    tenant = entry.caller.tenant
    found = select(PROVIDERS).where(PROVIDERS.c.insurer_id == tenant).order_by(PROVIDERS.c.name, PROVIDERS.c.id)
    rows = (await entry.connection.execute(found.limit(MOST_PROVIDERS))).all()
    ids = [row.id for row in rows]
    of_them = select(USERS).where(USERS.c.insurer_id == tenant, USERS.c.provider_id.in_(ids)).order_by(USERS.c.name)
    people = (await entry.connection.execute(of_them)).all()
    return [Registered(row, [one for one in people if one.provider_id == row.id]) for row in rows]


async def _serving(entry: Entry, known: Sequence[Registered]) -> Counted[Serving]:
    """As the process counted lately, where many policies are served; whoever is registered since is counted at once."""
    ids = tuple(one.row.id for one in known)

    async def count() -> Serving:
        found, of_register = await _providers(entry), await _of_register(entry, ids)
        return Serving(found, of_register, sum(one.policies for one in found))

    return await entry.tools.kept.figures(("providers", entry.caller.tenant, ids), entry.tools.now(), count)


async def _of_register(entry: Entry, ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many running policies name the credit code of each now."""
    own = (ASSIGNMENTS.c.provider_id.in_(ids)) & (ASSIGNMENTS.c.insurer_id == entry.caller.tenant)
    found = select(ASSIGNMENTS.c.provider_id, func.count().label("policies"))
    found = found.join(CASES, CASES.c.id == ASSIGNMENTS.c.policy_id).where(own, CASES.c.ended_at.is_(None))
    rows = await entry.connection.execute(found.group_by(ASSIGNMENTS.c.provider_id))
    return {row.provider_id: row.policies for row in rows}


async def _providers(entry: Entry) -> tuple[Provider, ...]:
    """By the institution each policy in force named last; counted from an index alone."""
    figures = CASE_FIGURES.c
    late = (figures.next_due_at <= entry.tools.now()) & figures.service_next
    found = select(
        figures.provider_name,
        func.count().label("policies"),
        func.count().filter(figures.stage == PolicyStage.SERVED).label("served"),
        func.count().filter(late).label("late"),
        func.sum(figures.rated).label("rated"),
        *(func.sum(figures[one.value]).label(one.value) for one in ServiceDimension),
    ).where(figures.provider_name.is_not(None), RUNNING, *reads.own(entry.caller, CASE_FIGURES))
    found = found.group_by(figures.provider_name).order_by(literal_column("policies").desc(), figures.provider_name)
    return tuple(_provider(row) for row in await entry.connection.execute(found.limit(MOST_PROVIDERS)))


def _provider(row: Row[Any]) -> Provider:
    stars = row._mapping
    means = tuple((one, _mean(stars[one.value], row.rated)) for one in ServiceDimension) if row.rated else ()
    return Provider(row.provider_name, row.policies, row.served, row.late, row.rated, means)


def _mean(stars: int, rated: int) -> Decimal:
    return (Decimal(stars) / rated).quantize(Decimal("0.1"))
