"""The sample directory: parties, people, what departments see; read from samples/, entered once; no policy is here."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, Self
from uuid import UUID, uuid4

import yaml
from pydantic import model_validator
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.keys import KeyFor, hash_of, mint_key
from api.rows import API_KEYS, DEPARTMENT_SCOPES, INSURERS, PROVIDERS, RECIPIENTS, USERS
from api.words import Scope
from models.contracts.base import CreditCode, EmailAddress, Name, Number, Region, Strict
from models.contracts.ids import HUMAN_QUEUE, provider_id
from models.contracts.vocabulary import ActorKind, Post, Role, Sector
from models.tables.engine import make_engine, operator, tenant
from runtime.settings import PROJECT_ROOT, Settings

DIRECTORY = PROJECT_ROOT / "samples" / "directory.yaml"
KEPT = "sample-keys.json"
"""Beside the data the keys open: which sample key was shown, so that a warm start shows the same."""


class Desk(Strict):
    """Where somebody is written to."""

    name: Name
    email: EmailAddress


class SampleInsurer(Strict):
    """An insurer and the desk that reads its notices."""

    code: Number
    name: Name
    desk: Desk


class Office(Strict):
    """A department under the name its place's notice routes to."""

    region: Region
    department: Name


class SampleDepartment(Office):
    """A registered department; `refuses`: the demo's mail server turns its address away."""

    role: Role
    name: Name
    email: EmailAddress
    sectors: tuple[Sector, ...] = ()
    """Whose cases it sees in its place; none named: of every sector."""
    fallback: Office | None = None
    refuses: bool = False

    @property
    def prefix(self) -> str:
        """The leading digits its place stands for: 3413 of 341300."""
        return self.region.removesuffix("00").removesuffix("00")


class SampleProvider(Strict):
    """A service provider in the register of an insurer."""

    insurer: Number
    credit_code: CreditCode
    name: Name
    email: EmailAddress
    qualification: Name | None = None


class SamplePerson(Strict):
    """Somebody of an insurer, a provider of one, a department or the operators; signs in by the identity provider."""

    insurer: Number | None = None
    provider: CreditCode | None = None
    """Of which provider of that insurer, by its credit code."""
    department: Office | None = None
    operator: Literal[True] | None = None
    name: Name
    email: EmailAddress
    posts: tuple[Post, ...]

    @model_validator(mode="after")
    def _belongs_somewhere(self) -> Self:
        if [self.insurer, self.department, self.operator].count(None) != 2:
            raise ValueError("insurer、department、operator 三者选一 / exactly one of them")
        if self.provider and not self.insurer:
            raise ValueError("服务机构属于一家保险机构 / a provider is one of an insurer")
        return self

    @property
    def kind(self) -> ActorKind:
        if self.insurer:
            return ActorKind.PROVIDER if self.provider else ActorKind.INSURER
        return ActorKind.DEPARTMENT if self.department else ActorKind.OPERATOR


class Directory(Strict):
    """Everybody who can be told something, but for the insured."""

    insurers: tuple[SampleInsurer, ...]
    operators: Desk
    departments: tuple[SampleDepartment, ...]
    department_key: Office
    providers: tuple[SampleProvider, ...] = ()
    people: tuple[SamplePerson, ...] = ()


def read_directory(path: Path = DIRECTORY) -> Directory:
    """The directory as the file says. Raises pydantic's ValidationError."""
    return Directory.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


async def load_directory(settings: Settings) -> Mapping[str, str]:
    """Enter who is missing and give the sample keys, name → key. What people have changed since is left as it is."""
    directory = read_directory()
    engine = make_engine(settings.database, 1)
    try:
        async with engine.begin() as connection:
            await operator(connection)
            insurers = await _enter_insurers(connection, directory.insurers)
            offices = await _enter_departments(connection, directory.departments)
            await _enter_operators(connection, directory.operators)
            await _enter_scopes(connection, directory.departments, offices)
            await _enter_providers(connection, directory.providers, insurers)
            await _enter_people(connection, directory.people, insurers, offices)
            return await _keys(connection, settings.var / KEPT, _holders(directory, insurers, offices))
    finally:
        await engine.dispose()


async def _enter_insurers(connection: AsyncConnection, given: Iterable[SampleInsurer]) -> dict[str, UUID]:
    for one in given:
        row = {"id": uuid4(), "code": one.code, "name": one.name}
        await connection.execute(insert(INSURERS).values(row).on_conflict_do_nothing())
    known = {row.code: row.id for row in await connection.execute(select(INSURERS.c.code, INSURERS.c.id))}
    for one in given:
        desk = {"role": Role.INSURER, "insurer_id": known[one.code], "name": one.desk.name, "email": one.desk.email}
        await connection.execute(insert(RECIPIENTS).values(id=uuid4(), **desk).on_conflict_do_nothing())
    return known


async def _enter_departments(connection: AsyncConnection, given: Iterable[SampleDepartment]) -> dict[Office, UUID]:
    for one in given:
        row = one.model_dump(include={"role", "region", "department", "name", "email"})
        await connection.execute(insert(RECIPIENTS).values(id=uuid4(), **row).on_conflict_do_nothing())
    registered = select(*RECIPIENTS.c["id", "region", "department"]).where(RECIPIENTS.c.department.is_not(None))
    known = {
        Office(region=row.region, department=row.department): row.id for row in await connection.execute(registered)
    }
    for one in given:
        if one.fallback:
            await _enter_fallback(connection, known[_office(one)], known[one.fallback])
    return known


def _office(department: SampleDepartment) -> Office:
    return Office(region=department.region, department=department.department)


async def _enter_fallback(connection: AsyncConnection, of: UUID, to: UUID) -> None:
    unset = (RECIPIENTS.c.id == of) & RECIPIENTS.c.fallback_id.is_(None)
    await connection.execute(update(RECIPIENTS).where(unset).values(fallback_id=to))


async def _enter_operators(connection: AsyncConnection, desk: Desk) -> None:
    """Their row came with the first migration, without an address."""
    unset = (RECIPIENTS.c.id == HUMAN_QUEUE) & (RECIPIENTS.c.email == "")
    await connection.execute(update(RECIPIENTS).where(unset).values(name=desk.name, email=desk.email))


async def _enter_scopes(
    connection: AsyncConnection, given: Iterable[SampleDepartment], offices: Mapping[Office, UUID]
) -> None:
    """What a department sees, where nobody has said it yet."""
    told = set((await connection.execute(select(DEPARTMENT_SCOPES.c.recipient_id))).scalars())
    rows = [
        {"recipient_id": offices[_office(one)], "prefix": one.prefix, "sector": sector}
        for one in given
        for sector in (one.sectors or ("*",))
        if offices[_office(one)] not in told
    ]
    if rows:
        await connection.execute(insert(DEPARTMENT_SCOPES).values(rows))


async def _enter_providers(
    connection: AsyncConnection, given: Iterable[SampleProvider], insurers: Mapping[str, UUID]
) -> None:
    for one in given:
        insurer_id = insurers[one.insurer]
        await tenant(connection, insurer_id)
        row = {"id": provider_id(insurer_id, one.credit_code), "insurer_id": insurer_id}
        row |= one.model_dump(exclude={"insurer"})
        await connection.execute(insert(PROVIDERS).values(row).on_conflict_do_nothing())


async def _enter_people(
    connection: AsyncConnection,
    given: Iterable[SamplePerson],
    insurers: Mapping[str, UUID],
    offices: Mapping[Office, UUID],
) -> None:
    for one in given:
        row = {"id": uuid4(), "kind": one.kind, "email": one.email.lower(), "name": one.name}
        row |= {
            "insurer_id": insurers[one.insurer] if one.insurer else None,
            "provider_id": provider_id(insurers[one.insurer], one.provider) if one.insurer and one.provider else None,
            "posts": [post.value for post in one.posts],
        }
        row |= {"recipient_id": offices[one.department] if one.department else None}
        await connection.execute(insert(USERS).values(row).on_conflict_do_nothing())


def _holders(directory: Directory, insurers: Mapping[str, UUID], offices: Mapping[Office, UUID]) -> list[KeyFor]:
    office = directory.department_key
    named = next(one for one in directory.departments if _office(one) == office)
    return [
        *(
            KeyFor(
                kind=ActorKind.INSURER,
                name=f"{one.code} {one.name}",
                insurer_id=insurers[one.code],
                scopes=tuple(scope.value for scope in Scope),
            )
            for one in directory.insurers
        ),
        KeyFor(kind=ActorKind.DEPARTMENT, name=named.name, recipient_id=offices[office]),
    ]


async def _keys(connection: AsyncConnection, path: Path, holders: Iterable[KeyFor]) -> dict[str, str]:
    """Keys shown before, as long as the database knows them; new ones for whoever has none."""
    shown: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    valid = await connection.execute(select(API_KEYS.c.key_hash).where(API_KEYS.c.revoked_at.is_(None)))
    hashes = set(valid.scalars())
    keys = {
        holder.name: shown[holder.name]
        if hash_of(shown.get(holder.name, "")) in hashes
        else (await mint_key(connection, holder)).token
        for holder in holders
    }
    if keys != shown:
        _keep(path, keys)
    return keys


def _keep(path: Path, keys: Mapping[str, str]) -> None:
    """Readable by us alone, and never half written."""
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(keys, file, ensure_ascii=False, indent=1)
    draft.replace(path)
