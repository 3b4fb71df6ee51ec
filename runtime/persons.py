"""What is held about one person, wherever it lies (个人信息保护法 45): read, put on record, and never changed here."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from api.audit import AuditEntry, note
from api.keys import COMMAND_LINE
from api.rows import CASES, INSURERS, ORDERS, PROVIDERS, RECIPIENTS, USERS, VICTIM_SIGHTS, VICTIMS
from domain.calendar import local_date
from domain.wording import money, plain_day
from models.contracts.vocabulary import ActorKind, AuditEvent
from models.tables.audit import COMMON_CHAIN
from models.tables.engine import no_tenant, operator, tenant
from models.tables.sealed import FieldKeys, FieldOf, Unreadable
from runtime.resealing import SEALED
from runtime.retaining import keeping

FIELDS = dict(zip(SEALED, ("姓名", "身份证件号码", "银行账号", "电话"), strict=True))
UNREADABLE, GONE = "无法解密：密钥不在", "已删除"
# Words that somebody typed, bound by the audit trail or sent: they are told, not changed (docs/privacy.md).
MENTIONS = text("""
WITH family AS (SELECT id FROM cases WHERE insurer_id = :insurer AND (id = :policy OR parent_id = :policy)),
said (place, words) AS (
    SELECT '办理记录', cause::text FROM steps WHERE case_id IN (SELECT id FROM family)
    UNION ALL SELECT '大事记', said || data::text FROM timeline WHERE case_id IN (SELECT id FROM family)
    UNION ALL SELECT '案卷现状', view::text FROM cases WHERE id IN (SELECT id FROM family)
    UNION ALL SELECT '办理的答复', answer::text FROM commands WHERE case_id IN (SELECT id FROM family)
    UNION ALL SELECT '通知', about::text || matter::text FROM outbox WHERE case_id IN (SELECT id FROM family)
    UNION ALL SELECT '查看原文的事由', why FROM victim_sights WHERE case_id IN (SELECT id FROM family)
)
SELECT place, count(*) AS times FROM said
WHERE EXISTS (SELECT FROM unnest(CAST(:values AS text[])) value WHERE position(value IN words) > 0)
GROUP BY place ORDER BY place
""")
OF_RECIPIENT = text("""
SELECT (SELECT count(*) FROM outbox WHERE recipient_id = :id) AS letters,
    (SELECT count(*) FROM sessions WHERE recipient_id = :id) AS sessions
""")


@dataclass(frozen=True)
class Line:
    """One thing that is held: where, what it is, and what it says."""

    place: str
    what: str
    said: str

    def as_document(self) -> dict[str, str]:
        return asdict(self)


def opened(keys: FieldKeys, row: Row[Any]) -> dict[str, str]:
    """A victim's fields in clear, without those that are not there or whose key is not."""
    clear: dict[str, str] = {}
    for name in SEALED:
        try:
            if (value := row._mapping[name]) is not None:
                clear[name] = keys.open(value, FieldOf(row.insurer_id, row.ref, name))
        except Unreadable:
            continue
    return clear


async def mentions(connection: AsyncConnection, of: tuple[UUID, UUID], values: Sequence[str]) -> dict[str, int]:
    """How often these words stand in a policy's records, by place; `of` is its insurer and its id."""
    given = {"insurer": of[0], "policy": of[1], "values": list(values)}
    return {row.place: row.times for row in await connection.execute(MENTIONS, given)} if values else {}


async def about_address(connection: AsyncConnection, email: str, why: str) -> list[Line]:
    """In the operators' transaction: an address, as an enterprise's contact, a user's or a provider's."""
    found: list[Line] = []
    for row in (await connection.execute(select(RECIPIENTS).where(RECIPIENTS.c.email == email))).all():
        counted = (await connection.execute(OF_RECIPIENT, {"id": row.id})).one()
        told = f"{row.role.label} {row.name}，{_on(row.created_at)}登记"
        found += [Line("通讯录", email, told), Line("通讯录", "往来", f"信 {counted.letters}，登录 {counted.sessions}")]
    for row in (await connection.execute(select(USERS).where(USERS.c.email == email.lower()))).all():
        ended = "，已停用" if row.disabled_at else ""
        told = f"{row.kind.label} {row.name}，岗位 {'、'.join(row.posts)}，{_on(row.created_at)}登记{ended}"
        found.append(Line("用户", email, told))
    for row in (await connection.execute(select(PROVIDERS).where(PROVIDERS.c.email == email))).all():
        found.append(Line("服务机构", email, row.name))
    await _noted(connection, COMMON_CHAIN, ("address", ""), why)
    return found


async def victims_alike(connection: AsyncConnection, keys: FieldKeys, identity: str) -> list[UUID]:
    """References under which a number is registered, with any insurer."""
    found: list[UUID] = []
    for insurer_id in await _insurers(connection):
        await tenant(connection, insurer_id)
        alike = VICTIMS.c.look_alike.in_(keys.look_alikes(identity, insurer_id))
        found += (await connection.execute(select(VICTIMS.c.ref).where(alike))).scalars()
    await no_tenant(connection)
    return found


async def about_victim(connection: AsyncConnection, keys: FieldKeys, ref: UUID, *, years: int, why: str) -> list[Line]:
    """In the operators' transaction: a victim's fields in clear, who saw them, what was paid; nothing where unknown."""
    found: list[Line] = []
    for insurer_id in await _insurers(connection):
        await tenant(connection, insurer_id)
        for row in (await connection.execute(select(VICTIMS).where(VICTIMS.c.ref == ref))).all():
            found += await _victim(connection, keys, row, years)
            await _seen(connection, row, why)
    await no_tenant(connection)
    return found


async def _victim(connection: AsyncConnection, keys: FieldKeys, row: Row[Any], years: int) -> list[Line]:
    claim = (await connection.execute(select(CASES).where(CASES.c.id == row.case_id))).one()
    kept = await keeping(connection, row.insurer_id, claim.parent_id, years)
    clear, place = opened(keys, row), f"赔案 {claim.number}"
    found = [Line(place, "登记", f"保单 {kept.number}，{_on(row.created_at)}登记，编号 {row.ref}")]
    if row.erased_at:
        found.append(Line(place, GONE, f"{_on(row.erased_at)}，依据：{row.erased_because}"))
    found += [
        Line(place, FIELDS[name], clear.get(name, UNREADABLE)) for name in SEALED if row._mapping[name] is not None
    ]
    waits = "、".join(one.label for one in kept.retention.waits)
    until = f"依法至 {plain_day(kept.retention.by_law_until)}，至迟 {plain_day(kept.retention.kept_until)}"
    found.append(Line(place, "保存", until + (f"；暂不计：{waits}" if waits else "")))
    orders = select(ORDERS).where(ORDERS.c.payee_ref == row.ref).order_by(ORDERS.c.number)
    found += [Line(place, "付款", f"{one.number} {money(one.amount)} {one.state}")
              for one in (await connection.execute(orders)).all()]  # fmt: skip
    sights = select(VICTIM_SIGHTS).where(VICTIM_SIGHTS.c.ref == row.ref).order_by(VICTIM_SIGHTS.c.at)
    found += [Line(place, "查看过原文", f"{_on(one.at)} {one.actor_kind.label}：{one.why}")
              for one in (await connection.execute(sights)).all()]  # fmt: skip
    named = await mentions(connection, (row.insurer_id, claim.parent_id), list(clear.values()))
    return found + [Line(place, "文字里提到", f"{where} {times} 处") for where, times in named.items()]


async def _seen(connection: AsyncConnection, row: Row[Any], why: str) -> None:
    """A sight like any other, and a row of the trail without the reason, which may name people."""
    shown = ",".join(name for name in SEALED if row._mapping[name] is not None)
    if shown:
        sight = {"case_id": row.case_id, "ref": row.ref, "fields": shown, "why": why, "insurer_id": row.insurer_id}
        who = {"actor_kind": ActorKind.OPERATOR, "actor_id": COMMAND_LINE.id}
        await connection.execute(insert(VICTIM_SIGHTS).values(id=uuid4(), **sight, **who))
    await _noted(connection, row.insurer_id, ("victim", str(row.ref)), why, row.case_id)


async def _noted(
    connection: AsyncConnection, chain: UUID, about: tuple[str, str], why: str, case_id: UUID | None = None
) -> None:
    digest = sha256(why.encode()).hexdigest()
    await note(connection, AuditEntry(AuditEvent.PERSON_TOLD, chain, COMMAND_LINE, about, case_id, digest=digest))


def _on(at: datetime) -> str:
    return plain_day(local_date(at))


async def _insurers(connection: AsyncConnection) -> Sequence[UUID]:
    await operator(connection)
    return (await connection.execute(select(INSURERS.c.id).order_by(INSURERS.c.code))).scalars().all()
