"""What is kept of people is destroyed when its term is over: victims' fields, enterprises' addresses; nothing else is.

What stays, and why, is said in docs/privacy.md. Each policy is a transaction with its entry on the audit trail.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from api.audit import AuditEntry, note
from api.entrance.links import end_ways_in
from api.keys import COMMAND_LINE
from api.rows import CASES, INSURERS, RECIPIENTS, VICTIMS
from domain.wording import day
from models.contracts.vocabulary import AuditEvent, CaseKind
from models.tables.claims import ErasureHold
from models.tables.engine import connected, tenant
from models.tables.sealed import FieldKeys
from runtime.operating import Unanswerable
from runtime.persons import mentions, opened
from runtime.resealing import SEALED
from runtime.retaining import Contact, Keeping, contacts, keeping, with_people

MOST_NAMED = 50
"""How many references of victims one row of the audit trail lists."""
LAW = "《保险法》第八十七条"
# What a mail server answered may repeat the address it refused.
REPLIES = text("""
UPDATE attempts SET reply = '' WHERE mail_id IN (SELECT id FROM mails WHERE recipient_id = :recipient)
    AND position(lower(:email) IN lower(reply)) > 0
""")
EMPTY: dict[str, Any] = {**dict.fromkeys(SEALED), "look_alike": ""}


@dataclass(frozen=True)
class Due:
    """What of one insurer is past its term: no name, no number of a person in it."""

    insurer_id: UUID
    code: str
    policies: tuple[Keeping, ...]
    contacts: tuple[Contact, ...]

    @property
    def persons(self) -> int:
        return sum(one.persons for one in self.policies)


@dataclass(frozen=True)
class Erased:
    """How many were erased now; what was erased before is not counted again."""

    persons: int = 0
    contacts: int = 0
    mentions: Mapping[str, int] = field(default_factory=dict)
    """Where words that are bound by the audit trail name somebody who was erased; they are left as they are."""

    def __add__(self, other: "Erased") -> "Erased":
        places = {*self.mentions, *other.mentions}
        named = {place: self.mentions.get(place, 0) + other.mentions.get(place, 0) for place in sorted(places)}
        return Erased(self.persons + other.persons, self.contacts + other.contacts, named)

    def as_document(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Named:
    """A claim as it was named on the command line, and whose it is."""

    insurer_id: UUID
    policy_id: UUID
    claim_id: UUID
    number: str


class Eraser:
    """Erases as of `today`; `years` is our own term, never shorter than the law's."""

    def __init__(self, engine: AsyncEngine, keys: FieldKeys, years: int, today: date) -> None:
        self._engine = engine
        self._keys = keys
        self._years = years
        self._today = today

    async def due(self) -> list[Due]:
        """Of every insurer of whom something is past its term."""
        found: list[Due] = []
        async with connected(self._engine) as connection, connection.begin():
            named = INSURERS.c["id", "code"]
            for insurer in (await connection.execute(select(*named).order_by(INSURERS.c.code))).all():
                await tenant(connection, insurer.id)
                kept = await with_people(connection, insurer.id, self._years)
                over = tuple(one for one in kept if one.persons and one.retention.is_due(self._today))
                silent = await contacts(connection, insurer.id, self._years)
                gone = tuple(one for one in silent if one.is_due(self._today))
                found += [Due(insurer.id, insurer.code, over, gone)] if over or gone else []
        return found

    async def erase_due(self, due: Sequence[Due], because: str, done: Callable[[int], None] = lambda _: None) -> Erased:
        """Everything that was listed and still is past its term; `done` hears of each policy and each address."""
        ended = Erased()
        for insurer in due:
            for one in insurer.policies:
                ended += await self._policy(one, because)
                done(1)
            for one in insurer.contacts:
                ended += await self._contact(insurer.insurer_id, one, because)
                done(1)
        return ended

    async def erase(self, named: Named, because: str, ref: UUID | None = None) -> Erased:
        """A claim's victims, or the one. Raises Unanswerable while the law or anything open asks for them."""
        async with connected(self._engine) as connection, connection.begin():
            await self._locked(connection, named.insurer_id, named.policy_id)
            kept = await keeping(connection, named.insurer_id, named.policy_id, self._years)
            if not kept.retention.may_be_erased(self._today):
                raise Unanswerable(f"{named.number}：{why_not(kept)} / not yet")
            which = [VICTIMS.c.case_id == named.claim_id] + ([VICTIMS.c.ref == ref] if ref else [])
            known = await connection.scalar(select(func.count()).select_from(VICTIMS).where(*which))
            if ref and not known:
                raise Unanswerable(f"{named.number} 没有受害人 {ref} / no such victim")
            return await self._victims(connection, (named.insurer_id, named.policy_id), which, because)

    async def _policy(self, listed: Keeping, because: str) -> Erased:
        """Looked at again under its lock: since it was listed a claim may have been reopened."""
        async with connected(self._engine) as connection, connection.begin():
            await self._locked(connection, listed.insurer_id, listed.policy_id)
            kept = await keeping(connection, listed.insurer_id, listed.policy_id, self._years)
            if not kept.retention.is_due(self._today):
                return Erased()
            mine = select(CASES.c.id).where(CASES.c.parent_id == listed.policy_id, CASES.c.kind == CaseKind.CLAIM)
            of = (listed.insurer_id, listed.policy_id)
            return await self._victims(connection, of, [VICTIMS.c.case_id.in_(mine)], because)

    async def _contact(self, insurer_id: UUID, listed: Contact, because: str) -> Erased:
        async with connected(self._engine) as connection, connection.begin():
            await tenant(connection, insurer_id)
            still = await contacts(connection, insurer_id, self._years, listed.recipient_id)
            if not any(one.is_due(self._today) for one in still):
                return Erased()
            mine = RECIPIENTS.c.id == listed.recipient_id
            email = await connection.scalar(select(RECIPIENTS.c.email).where(mine))
            await connection.execute(update(RECIPIENTS).where(mine).values(email=""))
            await end_ways_in(connection, listed.recipient_id)
            await connection.execute(REPLIES, {"recipient": listed.recipient_id, "email": email})
            about = ("recipient", str(listed.recipient_id))
            entry = AuditEntry(AuditEvent.ERASED, insurer_id, COMMAND_LINE, about, said={"contacts": 1})
            await _noted(connection, because, entry)
            return Erased(contacts=1)

    async def _locked(self, connection: AsyncConnection, insurer_id: UUID, policy_id: UUID) -> None:
        """Nothing happens to the policy or its claims until the transaction ends."""
        await tenant(connection, insurer_id)
        family = (CASES.c.id == policy_id) | (CASES.c.parent_id == policy_id)
        await connection.execute(select(CASES.c.id).where(family).order_by(CASES.c.id).with_for_update())

    async def _victims(
        self, connection: AsyncConnection, of: tuple[UUID, UUID], which: Sequence[ColumnElement[bool]], because: str
    ) -> Erased:
        """Overwritten in place; whoever is erased already is passed over, so that it can be run again."""
        mine = (VICTIMS.c.insurer_id == of[0], VICTIMS.c.erased_at.is_(None), *which)
        rows = (await connection.execute(select(VICTIMS).where(*mine).order_by(VICTIMS.c.ref).with_for_update())).all()
        values = [value for row in rows for value in opened(self._keys, row).values()]
        if any(value in because for value in values):
            raise Unanswerable("理由会留下，不能写受害人的姓名或号码 / the reason stays: it must not name a person")
        left = await mentions(connection, of, values)
        if rows:
            tomb = {**EMPTY, "erased_at": func.now(), "erased_because": because}
            await connection.execute(update(VICTIMS).where(*mine).values(tomb))
        for claim_id in sorted({row.case_id for row in rows}):
            refs = [str(row.ref) for row in rows if row.case_id == claim_id]
            about, said = ("victims", str(claim_id)), {"victims": len(refs), "first": refs[:MOST_NAMED]}
            entry = AuditEntry(AuditEvent.ERASED, of[0], COMMAND_LINE, about, claim_id, said=said)
            await _noted(connection, because, entry)
        return Erased(len(rows), 0, left)


def why_not(kept: Keeping) -> str:
    """Why the people of a policy are kept still."""
    reasons = [one.label for one in kept.retention.waits]
    return f"还不能删除：{'，'.join(reasons) or f'依{LAW}须保存至 {day(kept.retention.by_law_until)}'}"


async def hold(connection: AsyncConnection, named: Named, because: str) -> None:
    """Put erasure off, until released. The transaction must be the operators'."""
    await tenant(connection, named.insurer_id)
    row = {"insurer_id": named.insurer_id, "case_id": named.claim_id, "because": because}
    await connection.execute(insert(ErasureHold).values(id=uuid4(), **row))
    await _noted_hold(connection, named, because, 1)


async def release(connection: AsyncConnection, named: Named, because: str) -> int:
    """No longer put off; how many holds there were."""
    await tenant(connection, named.insurer_id)
    mine = (col(ErasureHold.case_id) == named.claim_id, col(ErasureHold.released_at).is_(None))
    ended = update(ErasureHold).where(*mine).values(released_at=func.now(), released_because=because)
    count = (await connection.execute(ended)).rowcount
    if count:
        await _noted_hold(connection, named, because, -count)
    return count


async def _noted_hold(connection: AsyncConnection, named: Named, because: str, holds: int) -> None:
    about, said = ("claim", str(named.claim_id)), {"holds": holds}
    entry = AuditEntry(AuditEvent.ERASURE_HELD, named.insurer_id, COMMAND_LINE, about, named.claim_id, said=said)
    await _noted(connection, because, entry)


async def _noted(connection: AsyncConnection, because: str, entry: AuditEntry) -> None:
    """The reason by its digest only: it stands beside what was erased, and a reason may name people after all."""
    await note(connection, replace(entry, digest=sha256(because.encode()).hexdigest()))
