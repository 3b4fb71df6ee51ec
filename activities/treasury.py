"""The limits of a policy in PostgreSQL: what claims take from them and give back, one claim after the other."""

import hashlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col
from temporalio import activity

from activities.borrowing import borrowed
from domain.wording import money
from models.contracts.payment import PersonShare, PotShare, Release, Reservation, Reserved
from models.contracts.ports import Treasury
from models.contracts.vocabulary import LimitKind, LimitPot
from models.tables.claims import ClaimLimit, LimitMovement, LimitReservation
from models.tables.engine import tenant

ZERO = Decimal("0.00")
CLAUSES = {LimitKind.RESCUE: "保险法第五十七条", LimitKind.COSTS: "保险法第六十四条、第六十六条"}


class PgTreasury(Treasury):
    """The treasury of one worker, over its pool of connections."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @activity.defn(name="占用限额")
    async def reserve_payment(self, asked: Reservation) -> Reserved:
        """Idempotent by (insurer, payment number). Raises ApplicationError, always worth repeating."""
        async with borrowed(self._engine) as connection, connection.begin():
            await _lock(connection, asked)
            held = await _reservation(connection, asked.insurer_id, asked.payment_number)
            if held and held.fingerprint != _fingerprint(asked):
                return Reserved(
                    granted=False, code="number_used", says=f"付款编号 {asked.payment_number} 已用于其他付款"
                )
            if held and await _in_use_by(connection, asked) > ZERO:
                return Reserved(granted=True)
            refusal = await _refusal(connection, asked)
            if refusal is None:
                await _take(connection, asked, first=held is None)
            return refusal or Reserved(granted=True)

    @activity.defn(name="释放限额")
    async def release_payment(self, released: Release) -> None:
        """Idempotent by key. Raises ApplicationError, always worth repeating."""
        async with borrowed(self._engine) as connection, connection.begin():
            await tenant(connection, released.insurer_id)
            await connection.execute(_locking(released.insurer_id, released.policy_id))
            held = await _held(connection, released)
            key = f"release:{released.key}:{await _takings(connection, released.insurer_id, released.payment_number)}"
            if key in {row.key for row in held}:
                return
            left = {(row.pot, row.person): ZERO for row in held}
            for row in held:
                left[row.pot, row.person] += row.amount
            back = [(pot, who, -min(amount, left.get((pot, who), ZERO))) for pot, who, amount in _lines(released)]
            await _move(connection, released.insurer_id, released.payment_number, key, back)


async def _lock(connection: AsyncConnection, asked: Reservation) -> None:
    """The policy's limit row, made if it is the first time, held until the end: whoever sums has the lock first."""
    await tenant(connection, asked.insurer_id)
    key = {"insurer_id": asked.insurer_id, "policy_id": asked.policy_id}
    limits = asked.limits.model_dump(exclude={"not_agreed"})
    await connection.execute(insert(ClaimLimit).values(**key, **limits).on_conflict_do_nothing())
    await connection.execute(_locking(asked.insurer_id, asked.policy_id))


def _locking(insurer_id: UUID, policy_id: UUID) -> Any:
    named = (col(ClaimLimit.insurer_id) == insurer_id) & (col(ClaimLimit.policy_id) == policy_id)
    return select(col(ClaimLimit.policy_id)).where(named).with_for_update()


async def _reservation(connection: AsyncConnection, insurer_id: UUID, number: str) -> Row[Any] | None:
    named = (col(LimitReservation.insurer_id) == insurer_id) & (col(LimitReservation.number) == number)
    return (await connection.execute(select(LimitReservation.__table__).where(named))).one_or_none()  # pyright: ignore


def _fingerprint(asked: Reservation) -> str:
    """What may not change under one number: claim, amount and shares; limits and standards may have moved on."""
    same = asked.model_dump_json(include={"claim_id", "amount", "pots", "persons"})
    return hashlib.sha256(same.encode()).hexdigest()


async def _refusal(connection: AsyncConnection, asked: Reservation) -> Reserved | None:
    if asked.limits.unknown:
        missing = "、".join(kind.label for kind in asked.limits.unknown)
        return Reserved(granted=False, code="limits_unknown", says=f"{missing}未约定或未登记，须先由人工确认")
    conflict = await _other_standard(connection, asked)
    if conflict:
        return conflict
    for kind, limit, wanted, scope in _ceilings(asked):
        used = await _used(connection, asked.insurer_id, scope) if limit is not None and wanted > ZERO else ZERO
        if limit is not None and wanted > ZERO and used + wanted > limit:
            says = f"{kind.label} {money(limit)}，已占用 {money(used)}，本次 {money(wanted)} 超出"
            return Reserved(granted=False, code=f"over_{kind.value}", says=says, clause=CLAUSES.get(kind, ""))
    return None


Scope = dict[str, Any]


def _ceilings(asked: Reservation) -> Iterable[tuple[LimitKind, Decimal | None, Decimal, Scope]]:
    """Each limit, what is wanted of it, and whose use of it counts."""
    policy = {"policy": asked.policy_id, "person": None}
    accident = {**policy, "accident": asked.accident_number}
    wanted = {pot: sum((share.amount for share in asked.pots if share.pot is pot), ZERO) for pot in LimitPot}
    indemnity, rescue, costs = LimitPot.INDEMNITY, LimitPot.RESCUE, LimitPot.COSTS
    limits = asked.limits
    for share in asked.persons:
        of_person = {"policy": asked.policy_id, "person": share.person, "pot": indemnity}
        yield LimitKind.PER_PERSON, limits.per_person, share.amount, of_person
    yield LimitKind.PER_ACCIDENT, limits.per_accident, wanted[indemnity], {**accident, "pot": indemnity}
    yield LimitKind.AGGREGATE, limits.aggregate, wanted[indemnity], {**policy, "pot": indemnity}
    yield LimitKind.RESCUE, limits.rescue_ceiling, wanted[rescue], {**accident, "pot": rescue}
    yield LimitKind.COSTS, limits.costs, wanted[costs], {**accident, "pot": costs}


async def _used(connection: AsyncConnection, insurer_id: UUID, scope: Scope) -> Decimal:
    """What is taken of one limit, less what was given back, in yuan."""
    person = col(LimitMovement.person)
    joined = (col(LimitReservation.insurer_id) == col(LimitMovement.insurer_id)) & (
        col(LimitReservation.number) == col(LimitMovement.number)
    )
    summed = (
        select(func.coalesce(func.sum(col(LimitMovement.amount)), ZERO))
        .join(LimitReservation, joined)
        .where(col(LimitReservation.insurer_id) == insurer_id, col(LimitReservation.policy_id) == scope["policy"])
        .where(col(LimitMovement.pot) == scope["pot"].value)
        .where(person.is_(None) if scope["person"] is None else person == scope["person"])
    )
    if "accident" in scope:
        summed = summed.where(col(LimitReservation.accident) == scope["accident"])
    return (await connection.execute(summed)).scalar_one()


async def _in_use_by(connection: AsyncConnection, asked: Reservation) -> Decimal:
    mine = select(func.coalesce(func.sum(col(LimitMovement.amount)), ZERO)).where(
        col(LimitMovement.insurer_id) == asked.insurer_id,
        col(LimitMovement.number) == asked.payment_number,
        col(LimitMovement.person).is_(None),
    )
    return (await connection.execute(mine)).scalar_one()


async def _other_standard(connection: AsyncConnection, asked: Reservation) -> Reserved | None:
    """All employees of one insured get one standard (厦应急〔2022〕32号 二): also across the claims of one accident."""
    others = select(col(LimitReservation.standards)).where(
        col(LimitReservation.insurer_id) == asked.insurer_id,
        col(LimitReservation.policy_id) == asked.policy_id,
        col(LimitReservation.accident) == asked.accident_number,
        col(LimitReservation.case_id) != asked.claim_id,
        col(LimitReservation.number).in_(_numbers_in_use(asked.insurer_id)),
    )
    given = {(one.head.value, one.grade): one.amount for one in asked.standards}
    for standards in (await connection.execute(others)).scalars():
        for one in standards:
            mine = given.get((one["head"], one["grade"]))
            if mine is not None and mine != Decimal(one["amount"]):
                other = money(Decimal(one["amount"]))
                says = f"同一事故的其他赔案按 {other} 赔付从业人员，本案为 {money(mine)}，须统一标准"
                return Reserved(granted=False, code="different_standard", says=says)
    return None


def _numbers_in_use(insurer_id: UUID) -> Any:
    """Payments that hold something; one that was voided sets no standard."""
    mine = col(LimitMovement.insurer_id) == insurer_id, col(LimitMovement.person).is_(None)
    grouped = select(col(LimitMovement.number)).where(*mine).group_by(col(LimitMovement.number))
    return grouped.having(func.sum(col(LimitMovement.amount)) > ZERO)


async def _take(connection: AsyncConnection, asked: Reservation, *, first: bool) -> None:
    if first:
        await connection.execute(
            insert(LimitReservation).values(
                insurer_id=asked.insurer_id,
                number=asked.payment_number,
                case_id=asked.claim_id,
                policy_id=asked.policy_id,
                accident=asked.accident_number,
                amount=asked.amount,
                fingerprint=_fingerprint(asked),
                standards=[one.model_dump(mode="json") for one in asked.standards],
            )
        )
    key = f"take:{await _takings(connection, asked.insurer_id, asked.payment_number) + 1}"
    await _move(connection, asked.insurer_id, asked.payment_number, key, _lines(asked))


async def _takings(connection: AsyncConnection, insurer_id: UUID, number: str) -> int:
    """How often this payment has taken: once, or again after all of it was given back (an operator's reset)."""
    counted = select(func.count(func.distinct(col(LimitMovement.key)))).where(
        col(LimitMovement.insurer_id) == insurer_id,
        col(LimitMovement.number) == number,
        col(LimitMovement.key).like("take:%"),
    )
    return (await connection.execute(counted)).scalar_one()


async def _held(connection: AsyncConnection, released: Release) -> Sequence[Row[str, str, UUID | None, Decimal]]:
    columns = col(LimitMovement.key), col(LimitMovement.pot), col(LimitMovement.person), col(LimitMovement.amount)
    mine = select(*columns).where(
        col(LimitMovement.insurer_id) == released.insurer_id, col(LimitMovement.number) == released.payment_number
    )
    return (await connection.execute(mine)).all()


Line = tuple[str, UUID | None, Decimal]


def _lines(of: Reservation | Release) -> list[Line]:
    pots: tuple[PotShare, ...] = of.pots
    persons: tuple[PersonShare, ...] = of.persons
    whole: list[Line] = [(share.pot.value, None, share.amount) for share in pots]
    return whole + [(LimitPot.INDEMNITY.value, share.person, share.amount) for share in persons]


async def _move(connection: AsyncConnection, insurer_id: UUID, number: str, key: str, lines: Iterable[Line]) -> None:
    """Write the movements; a line of nothing is left out."""
    named = {"insurer_id": insurer_id, "number": number, "key": key}
    rows = [
        {**named, "line": place, "pot": pot, "person": person, "amount": amount}
        for place, (pot, person, amount) in enumerate(lines, 1)
        if amount != ZERO
    ]
    if rows:
        await connection.execute(insert(LimitMovement), rows)
