"""The sample directory enters people and what departments see, once, and leaves alone what people have changed."""

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from api.rows import DEPARTMENT_SCOPES, RECIPIENTS, USERS
from models.contracts.vocabulary import ActorKind, Post, Role
from runtime.identities import sample_identities
from runtime.samples import load_directory, read_directory
from runtime.settings import Settings
from tests.api.conftest import admin

__all__ = ["admin"]


async def test_every_insurer_has_an_admin_two_handlers_and_an_auditor_and_nobody_is_entered_twice(
    settings: Settings, admin: AsyncEngine
):
    for _ in range(2):
        await load_directory(settings)
    async with admin.connect() as connection:
        users = (await connection.execute(select(USERS))).all()
    assert len(users) == len(read_directory().people) == 18
    assessors = [user for user in users if user.kind is ActorKind.PROVIDER]
    assert [one.posts for one in assessors] == [[Post.PROVIDER_ASSESSOR]] * 3
    assert (len({one.provider_id for one in assessors}), len({one.email for one in assessors})) == (3, 2)
    assert len(sample_identities()) == len({one.email for one in users}) == 17, "one of them has two insurers"
    staff = [user for user in users if user.kind is ActorKind.INSURER]
    for insurer_id in {user.insurer_id for user in staff}:
        posts = sorted(post for user in staff if user.insurer_id == insurer_id for post in user.posts)
        assert posts == sorted([Post.INSURER_ADMIN, Post.INSURER_AUDITOR, Post.INSURER_HANDLER, Post.INSURER_HANDLER])
    assert {user.issuer for user in users} == {None}


async def test_every_department_sees_its_own_place_and_an_industry_department_its_own_sectors(
    settings: Settings, admin: AsyncEngine
):
    await load_directory(settings)
    joined = RECIPIENTS.outerjoin(DEPARTMENT_SCOPES, DEPARTMENT_SCOPES.c.recipient_id == RECIPIENTS.c.id)
    found = select(RECIPIENTS, *DEPARTMENT_SCOPES.c["prefix", "sector"]).select_from(joined)
    async with admin.connect() as connection:
        rows = (await connection.execute(found.where(RECIPIENTS.c.department.is_not(None)))).all()
    assert {row.role for row in rows} >= {Role.EMERGENCY, Role.INDUSTRY}
    for row in rows:
        assert row.prefix == row.region.rstrip("0")[:6] or row.prefix + "0" * (6 - len(row.prefix)) == row.region
        assert (row.sector == "*") == (row.role is not Role.INDUSTRY), row.name


async def test_what_people_changed_stays_changed(settings: Settings, admin: AsyncEngine):
    await load_directory(settings)
    only = (DEPARTMENT_SCOPES.c.prefix == "3413") & (DEPARTMENT_SCOPES.c.sector == "urban_rail")
    async with admin.begin() as connection:
        await connection.execute(delete(DEPARTMENT_SCOPES).where(only))
        await connection.execute(update(USERS).values(posts=[Post.INSURER_AUDITOR.value], disabled_at=func.now()))
    await load_directory(settings)
    async with admin.connect() as connection:
        assert (await connection.execute(select(func.count()).where(only))).scalar_one() == 0
        assert (await connection.execute(select(func.count()).where(USERS.c.disabled_at.is_(None)))).scalar_one() == 0
