"""Who plays in the bench: insurers with keys and desks, departments, enterprises; all fictional, all under .example."""

import asyncio
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from stdnum.cn import uscc

from api.insurer.doors import SAMPLE_FILE
from api.keys import KeyFor, mint_key
from api.words import Scope
from bench.wire import Wire
from models.contracts.vocabulary import ActorKind
from models.tables.engine import operator

SCOPES = (Scope.PAYMENTS_CONFIRM.value,)

INSURER = text("INSERT INTO insurers (id, code, name) VALUES (:id, :code, :name)")
DESK = text(
    "INSERT INTO recipients (id, role, insurer_id, name, email) VALUES (:id, 'insurer', :insurer, :name, :email)"
)
DEPARTMENT = text(
    "INSERT INTO recipients (id, role, region, department, name, email)"
    " VALUES (:id, 'emergency', :region, :department, :name, :email)"
)
INSURED = text(
    "INSERT INTO insureds (id, insurer_id, credit_code, name) VALUES (:id, :insurer, :code, '某化工有限公司')"
)
MAILBOX = text(
    "INSERT INTO recipients (id, role, insurer_id, insured_id, name, email)"
    " VALUES (:box, 'insured', :insurer, :id, '某化工有限公司', :email)"
)


@dataclass(frozen=True)
class Insurer:
    """One insurer with a key of its own, as every budget of the API counts by key."""

    id: UUID
    code: str
    token: str


def credit_code(number: int) -> str:
    """A unified social credit code that passes its own check digit."""
    body = f"91341300{number:09d}"
    return body + uscc.calc_check_digit(body)


async def insurers(engine: AsyncEngine, prefix: str, count: int) -> list[Insurer]:
    """Register insurers `<prefix>0`, `<prefix>1` …, each with a desk that gets its mail."""
    async with engine.begin() as connection:
        await operator(connection)
        return [await _insurer(connection, f"{prefix}{number}") for number in range(count)]


async def _insurer(connection: AsyncConnection, code: str) -> Insurer:
    insurer_id, name = uuid4(), f"{code}保险"
    await connection.execute(INSURER, {"id": insurer_id, "code": code, "name": name})
    email = f"desk@{code.lower()}.example"
    await connection.execute(DESK, {"id": uuid4(), "insurer": insurer_id, "name": name, "email": email})
    minted = await mint_key(connection, KeyFor(ActorKind.INSURER, "bench", insurer_id, scopes=SCOPES))
    return Insurer(insurer_id, code, minted.token)


async def department(engine: AsyncEngine, region: str, name: str) -> None:
    """Register the emergency department of a place under the name the bench's rules use."""
    async with engine.begin() as connection:
        await operator(connection)
        row = {"id": uuid4(), "region": region, "department": name, "name": name, "email": f"yj{region}@gov.example"}
        await connection.execute(DEPARTMENT, row)


async def enterprise(engine: AsyncEngine, insurer: Insurer, number: int) -> UUID:
    """Register one enterprise with one address, for policies that are opened past the API."""
    insured_id, code = uuid4(), credit_code(number)
    row = {"id": insured_id, "insurer": insurer.id, "code": code}
    async with engine.begin() as connection:
        await operator(connection)
        await connection.execute(INSURED, row)
        await connection.execute(MAILBOX, row | {"box": uuid4(), "email": f"safety@e{number}.example"})
    return insured_id


async def hand_in_sample(api_url: str, holders: list[Insurer]) -> None:
    """The file every life refers to, once for each insurer."""
    wires = [Wire(api_url, holder.token) for holder in holders]
    headers = {"Idempotency-Key": "sample"}
    await asyncio.gather(*(wire.send("POST", "/v1/files", SAMPLE_FILE, headers, "application/pdf") for wire in wires))
    await asyncio.gather(*(wire.close() for wire in wires))
