"""Users: registering them, changing their posts, letting them in no more; each act on record. Pages are elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.audit import NOWHERE, AuditEntry, Origin, note
from api.keys import COMMAND_LINE
from api.rows import INSURERS, PROVIDERS, RECIPIENTS, SESSIONS, USERS
from api.shapes import CheckedCreditCode
from models.contracts.base import Actor, EmailAddress, Name, Number, Strict
from models.contracts.ids import provider_id
from models.contracts.vocabulary import ActorKind, AuditEvent, Post, Role
from models.tables import engine as settings
from models.tables.audit import COMMON_CHAIN

POSTS: dict[ActorKind, tuple[Post, ...]] = {
    ActorKind.INSURER: (Post.INSURER_ADMIN, Post.INSURER_HANDLER, Post.INSURER_AUDITOR),
    ActorKind.DEPARTMENT: (Post.DEPARTMENT_OFFICER,),
    ActorKind.PROVIDER: (Post.PROVIDER_ASSESSOR,),
    ActorKind.OPERATOR: (Post.OPERATOR,),
}
"""Which posts there are in which kind of organisation."""


class Taken(Exception):
    """The address is registered in this organisation already, or the code of an insurer or a provider is."""


class NewUser(Strict):
    """What is typed about a new user."""

    name: Name
    email: EmailAddress


class NewInsurer(Strict):
    """What is typed about a new insurer: itself, its desk, and who will run it."""

    code: Number
    insurer: Name
    desk: EmailAddress
    name: Name
    email: EmailAddress


class NewProvider(Strict):
    """What is typed about a service provider: who it is, and where it is written to."""

    name: Name
    credit_code: CheckedCreditCode
    email: EmailAddress
    qualification: Name | None = None


@dataclass(frozen=True)
class Place:
    """Where somebody belongs: an insurer, a department (a recipient), a provider of an insurer, or the operators."""

    kind: ActorKind
    insurer_id: UUID | None = None
    recipient_id: UUID | None = None
    provider_id: UUID | None = None


@dataclass(frozen=True)
class UserAct:
    """Who does it, and from where."""

    by: Actor = COMMAND_LINE
    origin: Origin = NOWHERE


ON_THE_SERVER = UserAct()


async def register(
    connection: AsyncConnection, place: Place, new: NewUser, posts: Iterable[Post], act: UserAct = ON_THE_SERVER
) -> UUID:
    """Somebody who may sign in from now on, by the address the identity provider has verified. Raises Taken.

    That another organisation has registered the address changes nothing, and is not told.
    """
    user_id, held = uuid4(), [post.value for post in POSTS[place.kind] if post in set(posts)]
    row = {"id": user_id, "kind": place.kind, "email": new.email.lower(), "name": new.name, "posts": held}
    row |= {"insurer_id": place.insurer_id, "recipient_id": place.recipient_id, "provider_id": place.provider_id}
    added = insert(USERS).values(row).on_conflict_do_nothing().returning(USERS.c.id)
    if (await connection.execute(added)).scalar_one_or_none() is None:
        raise Taken
    await _note(connection, user_id, place.insurer_id, act, {"registered": held})
    return user_id


async def found_insurer(connection: AsyncConnection, new: NewInsurer, act: UserAct = ON_THE_SERVER) -> UUID:
    """An insurer with its desk and its first administrator, in the operators' view. Raises Taken."""
    insurer_id = uuid4()
    row = {"id": insurer_id, "code": new.code, "name": new.insurer}
    added = insert(INSURERS).values(row).on_conflict_do_nothing().returning(INSURERS.c.id)
    if (await connection.execute(added)).scalar_one_or_none() is None:
        raise Taken
    desk = {"id": uuid4(), "role": Role.INSURER, "insurer_id": insurer_id, "name": new.insurer, "email": new.desk}
    await connection.execute(insert(RECIPIENTS).values(desk))
    first = NewUser(name=new.name, email=new.email)
    await register(connection, Place(ActorKind.INSURER, insurer_id), first, (Post.INSURER_ADMIN,), act)
    return insurer_id


async def found_provider(
    connection: AsyncConnection, insurer_id: UUID, new: NewProvider, act: UserAct = ON_THE_SERVER
) -> UUID:
    """A service provider of this insurer; its id is made of its credit code. Raises Taken."""
    known = provider_id(insurer_id, new.credit_code)
    added = insert(PROVIDERS).values(id=known, insurer_id=insurer_id, **new.model_dump()).on_conflict_do_nothing()
    if (await connection.execute(added.returning(PROVIDERS.c.id))).scalar_one_or_none() is None:
        raise Taken
    await _on_record(connection, ("provider", known), insurer_id, act, {"registered": new.credit_code})
    return known


async def change_provider(connection: AsyncConnection, insurer_id: UUID, new: NewProvider, act: UserAct) -> None:
    """Another name, address or qualification; the credit code is who it is and stays. Raises LookupError."""
    of = PROVIDERS.c.id == provider_id(insurer_id, new.credit_code)
    changed = update(PROVIDERS).where(of).values(new.model_dump(exclude={"credit_code"})).returning(PROVIDERS.c.id)
    known = (await connection.execute(changed)).scalar_one_or_none()
    if known is None:
        raise LookupError(new.credit_code)
    await _on_record(connection, ("provider", known), insurer_id, act, {"changed": new.credit_code})


async def change_posts(connection: AsyncConnection, user: Row[Any], posts: Iterable[Post], act: UserAct) -> None:
    """Good for the next request already."""
    held = [post.value for post in POSTS[user.kind] if post in set(posts)]
    await connection.execute(update(USERS).where(USERS.c.id == user.id).values(posts=held))
    await _note(connection, user.id, user.insurer_id, act, {"posts": held, "before": list(user.posts)})


async def let_in(connection: AsyncConnection, user: Row[Any], act: UserAct, *, again: bool) -> None:
    """Disable a user, who is nobody with the next request, in any browser; or let a disabled one in again.

    What is put on record comes last: it locks the chain, for which others wait.
    """
    disabled_at = None if again else func.now()
    await connection.execute(update(USERS).where(USERS.c.id == user.id).values(disabled_at=disabled_at))
    ended = {} if again else {"sessions_ended": await _end_sessions(connection, user)}
    await _note(connection, user.id, user.insurer_id, act, {"disabled": not again, **ended})


async def end_sessions(connection: AsyncConnection, user: Row[Any], act: UserAct) -> int:
    """Every browser of this user, who was looked up before, must sign in again; how many there were."""
    ended = await _end_sessions(connection, user)
    await _note(connection, user.id, user.insurer_id, act, {"sessions_ended": ended})
    return ended


async def _end_sessions(connection: AsyncConnection, user: Row[Any]) -> int:
    """Also for whoever stands at the choosing page; the user's row comes first, for who comes in holds it (0062)."""
    ended = update(USERS).where(USERS.c.id == user.id).values(sessions_ended_at=func.now())
    await connection.execute(ended)
    await settings.user(connection, user.id)
    running = (SESSIONS.c.user_id == user.id) & SESSIONS.c.revoked_at.is_(None)
    return (await connection.execute(update(SESSIONS).where(running).values(revoked_at=func.now()))).rowcount


async def _note(
    connection: AsyncConnection, user_id: UUID, insurer_id: UUID | None, act: UserAct, said: dict[str, Any]
) -> None:
    """Neither name nor address: what is in the trail stays there for ever."""
    await _on_record(connection, ("user", user_id), insurer_id, act, said)


async def _on_record(
    connection: AsyncConnection, what: tuple[str, UUID], insurer_id: UUID | None, act: UserAct, said: dict[str, Any]
) -> None:
    chain, about = insurer_id or COMMON_CHAIN, (what[0], str(what[1]))
    await note(connection, AuditEntry(AuditEvent.SETTING_CHANGED, chain, act.by, about, said=said, origin=act.origin))
