"""Entering a department into the directory and correcting it: what a form says, checked, written once, on record."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, Select, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from starlette.datastructures import FormData

from api.callers import Entry
from api.desk.acting import Misfilled
from api.desk.frame import Visit
from api.entrance.links import end_ways_in
from api.operator.acts import Act, reason_of, record
from api.operator.places import no_place
from api.operator.remedies import address_of
from api.operator.visits import text_of
from api.operator.words import ALREADY_REGISTERED, NO_SUCH_HEIR, NOT_ITSELF
from api.problems import not_found
from api.reasons import among
from api.rows import DEPARTMENT_SCOPES, RECIPIENTS
from api.words import Reason
from api.written import id_of
from domain.places import NAMES, NATION, code_of
from domain.routing import is_department
from models.contracts.ids import HUMAN_QUEUE
from models.contracts.vocabulary import Role, Sector

EVERY = "*"
MOST_SCOPES = 200
ROLES = tuple(one for one in Role if is_department(one))
Scope = tuple[str, str]
"""(leading digits of a place, sector or `*`)."""


@dataclass(frozen=True)
class Department:
    """A department as a form gives it; where it sits and how the documents call it never change afterwards."""

    region: str
    department: str
    role: Role
    name: str
    email: str
    fallback_id: UUID | None
    scopes: frozenset[Scope]
    reason: str


def department_of(form: FormData, standing: Row[Any] | None = None) -> Department:
    """What was typed; of a registered one the seat stays as it is. Raises Misfilled with everything that is wrong."""
    errors: dict[str, str] = {}
    region = standing.region if standing else _region(text_of(form, "region"), errors)
    named = standing.department if standing else text_of(form, "department", 60)
    email = text_of(form, "email", 254)
    role, name = text_of(form, "role"), text_of(form, "name", 120)
    if standing is None and not named:
        errors["department"] = Reason.MISSING.label
    if not name:
        errors["name"] = Reason.MISSING.label
    if role not in ROLES:
        errors["role"] = among(one.label for one in ROLES) if role else Reason.MISSING.label
    if email or standing is None:
        _try(errors, lambda: address_of(email))
    scopes, fallback = _scopes(form, region, errors), id_of(text_of(form, "fallback"))
    if standing and fallback == standing.id:
        errors["fallback"] = NOT_ITSELF
    _try(errors, lambda: reason_of(form))
    if errors:
        raise Misfilled(errors)
    return Department(region, named, Role(role), name, email, fallback, scopes, reason_of(form))


def _try(errors: dict[str, str], check: Any) -> None:
    try:
        check()
    except Misfilled as wrong:
        errors.update(wrong.errors)


def _region(given: str, errors: dict[str, str]) -> str:
    code = code_of(given) if given else ""
    if not _is_code(code):
        errors["region"] = no_place(given)
    return code


def _is_code(code: str) -> bool:
    return len(code) == len(NATION) and code.isdigit()


def _scopes(form: FormData, region: str, errors: dict[str, str]) -> frozenset[Scope]:
    """Each place with each sector; without a place its own, without a sector all of them."""
    written = text_of(form, "places", 500).replace("，", "、").replace(",", "、").replace(" ", "、")
    typed = [one for one in written.split("、") if one]
    codes = [code_of(one) for one in typed] or ([region] if region else [])
    unknown = next(
        (one for one, code in zip(typed, codes, strict=False) if code not in NAMES and not _is_code(code)), ""
    )
    sectors = [str(one) for one in form.getlist("sectors")] or [EVERY]
    if unknown:
        errors["places"] = no_place(unknown)
    if any(one != EVERY and one not in set(Sector) for one in sectors):
        errors["sectors"] = among(one.label for one in Sector)
    if EVERY in sectors:
        sectors = [EVERY]
    return frozenset([(prefix_of(code), sector) for code in codes for sector in sectors][:MOST_SCOPES])


def prefix_of(code: str) -> str:
    """3413 for 341300, 34 for 340000, nothing for the nation."""
    if code == NATION:
        return ""
    return code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code


def place_of(prefix: str) -> str:
    """The place a prefix stands for."""
    return prefix.ljust(6, "0")


def heirs() -> Select[Any]:
    """Who may take over what does not reach a department: another one, or the operators; no insurer, no enterprise."""
    office = RECIPIENTS.c.department.is_not(None) | (RECIPIENTS.c.id == HUMAN_QUEUE)
    return select(*RECIPIENTS.c["id", "name", "region"]).where(office, RECIPIENTS.c.email != "")


async def _known_heir(entry: Entry, asked: Department) -> None:
    if asked.fallback_id is None:
        return
    found = heirs().where(RECIPIENTS.c.id == asked.fallback_id)
    if (await entry.connection.execute(found)).one_or_none() is None:
        raise Misfilled({"fallback": NO_SUCH_HEIR})


async def register(visit: Visit, asked: Department) -> UUID:
    """Enter it. The same form sent twice gives the same department; another one of this seat is refused (Misfilled)."""
    await _known_heir(visit.entry, asked)
    connection = visit.entry.connection
    row = {"region": asked.region, "department": asked.department, "role": asked.role, "name": asked.name}
    row |= {"email": asked.email, "fallback_id": asked.fallback_id}
    entered = upsert(RECIPIENTS).values(id=uuid4(), **row).on_conflict_do_nothing().returning(RECIPIENTS.c.id)
    made: UUID | None = (await connection.execute(entered)).scalar_one_or_none()
    if made is None:
        return await _same(visit.entry, asked)
    await _replace_scopes(visit.entry, made, asked.scopes)
    said = {"region": asked.region, "department": asked.department, "scopes": _told(asked.scopes)}
    await record(visit, Act("register", ("recipient", str(made)), asked.reason, said))
    return made


async def _same(entry: Entry, asked: Department) -> UUID:
    seat = (RECIPIENTS.c.region == asked.region) & (RECIPIENTS.c.department == asked.department)
    row = (await entry.connection.execute(select(RECIPIENTS).where(seat))).one()
    if (row.name, row.email, row.role) != (asked.name, asked.email, asked.role):
        raise Misfilled({"department": ALREADY_REGISTERED})
    return row.id


async def standing(entry: Entry, recipient_id: UUID) -> Row[Any]:
    """A registered department, locked; 404 for anybody else."""
    found = select(RECIPIENTS).where(RECIPIENTS.c.id == recipient_id, RECIPIENTS.c.department.is_not(None))
    row = (await entry.connection.execute(found.with_for_update())).one_or_none()
    if row is None:
        raise not_found()
    return row


async def scopes_of(entry: Entry, recipient_id: UUID) -> frozenset[Scope]:
    columns = DEPARTMENT_SCOPES.c["prefix", "sector"]
    rows = await entry.connection.execute(select(*columns).where(DEPARTMENT_SCOPES.c.recipient_id == recipient_id))
    return frozenset((row.prefix, row.sector) for row in rows)


async def correct(visit: Visit, row: Row[Any], asked: Department) -> frozenset[str]:
    """Write what differs, and say which fields; nothing differs, nothing is written."""
    wanted: Mapping[str, Any] = {
        "name": asked.name,
        "email": asked.email,
        "role": asked.role,
        "fallback_id": asked.fallback_id,
    }
    if asked.fallback_id != row.fallback_id:
        await _known_heir(visit.entry, asked)
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    before = await scopes_of(visit.entry, row.id)
    if changed:
        await visit.entry.connection.execute(update(RECIPIENTS).where(RECIPIENTS.c.id == row.id).values(changed))
    if "email" in changed:
        await end_ways_in(visit.entry.connection, row.id)
    if before != asked.scopes:
        await _replace_scopes(visit.entry, row.id, asked.scopes)
    fields = frozenset(changed) | ({"scopes"} if before != asked.scopes else set())
    if fields:
        said: dict[str, Any] = {"changed": sorted(fields)}
        if "scopes" in fields:
            said |= {"scopes_before": _told(before), "scopes": _told(asked.scopes)}
        await record(visit, Act("correct", ("recipient", str(row.id)), asked.reason, said))
    return fields


async def _replace_scopes(entry: Entry, recipient_id: UUID, scopes: Iterable[Scope]) -> None:
    mine = DEPARTMENT_SCOPES.c.recipient_id == recipient_id
    await entry.connection.execute(delete(DEPARTMENT_SCOPES).where(mine))
    rows = [{"recipient_id": recipient_id, "prefix": prefix, "sector": sector} for prefix, sector in sorted(scopes)]
    if rows:
        await entry.connection.execute(insert(DEPARTMENT_SCOPES).values(rows))


def _told(scopes: Iterable[Scope]) -> list[str]:
    return [f"{prefix or '-'} {sector}" for prefix, sector in sorted(scopes)][:20]
