"""Who calls by which key, and which rows they may see; people come by sessions.py, who holds a link by links.py."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy import FromClause, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.authorization import Authorization, Visitor
from api.keys import TOKEN, hash_of
from api.problems import Problem, not_found, try_later
from api.rates import Rates, asked_from
from api.rows import API_KEYS, ASSIGNED_CASES, CASES, INSURERS, OUTBOX, RECIPIENTS
from api.tools import Tools
from api.under_way import PLACES, Places
from api.words import ProblemCode, Scope
from models.contracts.base import Actor
from models.contracts.vocabulary import ActorKind, CameBy, Post
from models.tables import engine as settings

BEARER = re.compile(r"[Bb]earer +(\S+) *")

KEY = (
    select(
        *API_KEYS.c["id", "kind", "insurer_id", "recipient_id", "name", "scopes"],
        INSURERS.c.code,
        INSURERS.c.name.label("insurer"),
        RECIPIENTS.c.name.label("recipient"),
        *RECIPIENTS.c["region", "department"],
        settings.tenant_with(API_KEYS.c.insurer_id),
    )
    .select_from(
        API_KEYS.outerjoin(INSURERS, INSURERS.c.id == API_KEYS.c.insurer_id).outerjoin(
            RECIPIENTS, RECIPIENTS.c.id == API_KEYS.c.recipient_id
        )
    )
    .where(
        API_KEYS.c.key_hash == bindparam("key_hash"),
        API_KEYS.c.revoked_at.is_(None),
        or_(API_KEYS.c.expires_at.is_(None), API_KEYS.c.expires_at > func.now()),
    )
)
"""Valid now, on the database's clock: a revoked or expired key is as unknown as one that never was.

An insurer's rows open with it: most requests come from core systems, and each statement costs them.
"""

BY_KEY = {
    ActorKind.INSURER: Visitor.INSURER_KEY,
    ActorKind.DEPARTMENT: Visitor.DEPARTMENT_KEY,
    ActorKind.OPERATOR: Visitor.OPERATOR_KEY,
}
BY_POST = {
    (ActorKind.INSURER, Post.INSURER_ADMIN): Visitor.INSURER_ADMIN,
    (ActorKind.INSURER, Post.INSURER_HANDLER): Visitor.INSURER_HANDLER,
    (ActorKind.INSURER, Post.INSURER_AUDITOR): Visitor.INSURER_AUDITOR,
    (ActorKind.DEPARTMENT, Post.DEPARTMENT_OFFICER): Visitor.DEPARTMENT_OFFICER,
    (ActorKind.PROVIDER, Post.PROVIDER_ASSESSOR): Visitor.PROVIDER,
    (ActorKind.OPERATOR, Post.OPERATOR): Visitor.OPERATOR,
}
BY_ADDRESS = {
    ActorKind.ENTERPRISE: Visitor.ENTERPRISE,
    ActorKind.DEPARTMENT: Visitor.DEPARTMENT_CONTACT,
}
"""How the matrix calls whoever came by a key, as a user with a post of its own kind, or by a code to an address."""


KNOWN_TO_INSURERS = frozenset({ActorKind.ENTERPRISE, ActorKind.PROVIDER})
"""Whoever an insurer knows is not of that insurer: its rows are not theirs."""


@dataclass(frozen=True)
class Caller:
    """Who acts: the holder of a key, or whoever a session belongs to.

    An insurer, a department (one recipient of notices), an enterprise (a recipient that is an insured), a service
    provider as one insurer knows it, or an operator;
    `key_id` is the key's or the session's, `user_id` is there for a person who signed in, `posts` say what it may do.
    """

    key_id: UUID
    kind: ActorKind
    name: str
    insurer_id: UUID | None = None
    insurer_code: str = ""
    recipient_id: UUID | None = None
    region: str = ""
    department: str = ""
    scopes: frozenset[str] = frozenset()
    user_id: UUID | None = None
    insured_id: UUID | None = None
    provider_id: UUID | None = None
    serves: str = ""
    """What the insurer is called by which a service provider is known here; it may serve others."""
    posts: frozenset[Post] = frozenset()
    came_by: CameBy | None = None

    @cached_property
    def owner(self) -> UUID:
        """To whom idempotency keys belong: they survive the rotation of an API key.

        An enterprise and a service provider are their own, though an insurer knows them.
        """
        if self.kind in KNOWN_TO_INSURERS:
            return self.recipient_id or self.provider_id or self.key_id
        return self.insurer_id or self.recipient_id or self.key_id

    @property
    def tenant(self) -> UUID:
        """The insurer whose rows the caller's are; raises Problem 403 for anybody else."""
        if self.insurer_id is None or self.kind in KNOWN_TO_INSURERS:
            raise Problem(ProblemCode.FORBIDDEN)
        return self.insurer_id

    @property
    def cases(self) -> FromClause:
        """Where the caller reads cases; a provider in narrower rows, for of the others it reads none (0061)."""
        return ASSIGNED_CASES if self.kind is ActorKind.PROVIDER else CASES

    def require(self, scope: Scope) -> None:
        """Raises Problem 403 unless the key was given this further right."""
        if scope.value not in self.scopes:
            raise Problem(ProblemCode.SCOPE_MISSING, f"需要授权：{scope.label}（{scope.value}）。")

    def holds(self, *posts: Post) -> bool:
        """Whether a person holds one of these posts; a key and a contact hold none."""
        return not self.posts.isdisjoint(posts)

    @property
    def visitors(self) -> frozenset[Visitor]:
        """What the matrix calls this caller; a user with several posts is several."""
        if self.came_by is None:
            return frozenset({BY_KEY[self.kind]})
        if self.user_id is None:
            return frozenset({BY_ADDRESS[self.kind]})
        return frozenset(BY_POST[self.kind, post] for post in self.posts if (self.kind, post) in BY_POST)

    @property
    def actor(self) -> Actor:
        """A person is an opaque id and the name of its organisation, never its own name (promises.md P28)."""
        who = str(self.user_id or self.owner)
        return Actor(kind=self.kind, id=who, name=self.name, provider_id=self.provider_id)


@dataclass(frozen=True)
class Entry:
    """One transaction of one caller; its settings end with it."""

    connection: AsyncConnection
    caller: Caller
    tools: Tools
    deadline: float


def authorized(request: Request, caller: Caller) -> None:
    """Whether the matrix lets this caller use this route. Raises Problem 403, before any row is looked for."""
    authorization: Authorization = request.app.state.authorization
    rule = authorization.rule(request)
    if rule.visitors.isdisjoint(caller.visitors):
        raise Problem(ProblemCode.FORBIDDEN)
    if rule.scope is not None:
        caller.require(rule.scope)


@asynccontextmanager
async def entered(request: Request) -> AsyncIterator[Entry]:
    """Recognise the caller on current data and open their rows for one transaction; 401, 403 or 429 otherwise.

    Who may use the route stands in authorization.yaml.
    """
    tools: Tools = request.app.state.tools
    deadline: float = request.scope["deadline"]
    key_hash = hash_of(_token(request))
    _spend(request, key_hash)
    async with asyncio.timeout_at(deadline), tools.engine.begin() as connection:
        caller = await _recognised(connection, key_hash)
        if caller is None:
            request.app.state.guesses.spend(asked_from(request.scope))
            raise Problem(ProblemCode.UNAUTHENTICATED)
        request.scope["caller"] = caller  # whoever is refused from here on is on record by name
        places: Places = request.scope[PLACES]
        places.take(f"keys of {caller.owner}")
        authorized(request, caller)
        if caller.kind is not ActorKind.INSURER:
            await open_rows(connection, caller)
        yield Entry(connection, caller, tools, deadline)


async def looking(request: Request) -> AsyncIterator[Entry]:
    """The caller's own rows, for one look; what it writes (who saw a victim) is committed before the answer leaves."""
    async with entered(request) as entry:
        yield entry


Looking = Annotated[Entry, Depends(looking, scope="function")]


async def speak_for(entry: Entry, case_id: UUID, duty_key: str | None) -> UUID:
    """Open the case a department was told about (and that duty of it, where one is named); 404 otherwise.

    Returns the insurer whose case it is; from then on the transaction sees that insurer's rows.
    """
    told = select(OUTBOX.c.insurer_id).where(
        OUTBOX.c.case_id == case_id, OUTBOX.c.recipient_id == entry.caller.recipient_id
    )
    if duty_key is not None:
        told = told.where(OUTBOX.c.about["duty_key"].astext == duty_key)
    insurer_id = (await entry.connection.execute(told.limit(1))).scalar_one_or_none()
    if insurer_id is None:
        raise not_found()
    await settings.tenant(entry.connection, insurer_id)
    return insurer_id


def _token(request: Request) -> str:
    given = BEARER.fullmatch(request.headers.get("authorization", ""))
    if not given or not TOKEN.fullmatch(given[1]):
        raise Problem(ProblemCode.UNAUTHENTICATED)
    return given[1]


def _spend(request: Request, key_hash: str) -> None:
    """Raises Problem 429. Where many wrong keys came from, only keys seen before are looked up at once."""
    rates: Rates = request.app.state.rates
    guesses: Rates = request.app.state.guesses
    wait = 0 if rates.knows(key_hash) else guesses.wait(asked_from(request.scope))
    wait = wait or rates.spend(key_hash)
    if wait:
        raise try_later(ProblemCode.TOO_MANY, wait)


async def _recognised(connection: AsyncConnection, key_hash: str) -> Caller | None:
    """`None` alike for a key that is unknown, expired or revoked (promises.md P21: decided on current data)."""
    await settings.api_key(connection, key_hash)
    row = (await connection.execute(KEY, {"key_hash": key_hash})).one_or_none()
    if row is None:
        return None
    return Caller(
        key_id=row.id,
        kind=row.kind,
        name=row.insurer or row.recipient or row.name,
        insurer_id=row.insurer_id,
        insurer_code=row.code or "",
        recipient_id=row.recipient_id,
        region=row.region or "",
        department=row.department or "",
        scopes=frozenset(row.scopes),
    )


async def open_rows(connection: AsyncConnection, caller: Caller) -> None:
    """From here on the transaction sees the caller's rows, and nobody else's."""
    if caller.kind is ActorKind.INSURER:
        await settings.tenant(connection, caller.tenant)
    elif caller.kind is ActorKind.DEPARTMENT and caller.recipient_id:
        await settings.recipient(connection, caller.recipient_id)
        await settings.office(connection, caller.recipient_id)
    elif caller.kind is ActorKind.ENTERPRISE and caller.recipient_id and caller.insured_id:
        await settings.recipient(connection, caller.recipient_id)
        await settings.insured(connection, caller.insured_id)
    elif caller.kind is ActorKind.PROVIDER and caller.provider_id:
        await settings.provider(connection, caller.provider_id)
    elif caller.kind is ActorKind.OPERATOR:
        await settings.operator(connection)
