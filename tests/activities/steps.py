"""Steps of a policy as the ledger receives them, and the parties they speak of; every field may be replaced."""

from datetime import UTC, date, datetime
from typing import Any

import asyncpg

from models.contracts.base import Actor
from models.contracts.notice import About, Notice
from models.contracts.step import CaseRow, Happening, Step, Trace
from models.contracts.vocabulary import ActorKind, CaseKind, Event, NoticeKind, Role, Sector, Size
from tests.conftest import Database
from tests.makers import citation
from tests.tables.rows import A, known

AT = datetime(2024, 3, 1, 4, tzinfo=UTC)
ACTOR = Actor(kind=ActorKind.INSURER, id="key-1", name="甲保险")
CASE = known(A, "policy")
HUASHAN = ("341302", "区应急局")
SUZHOU = ("341300", "市应急局")


async def register(database: Database, *statements: str) -> None:
    """One insurer with its desk and one insured with an address; further rows as given."""
    connection = await asyncpg.connect(database.admin)
    insured, desk = known(A, "insured"), known(A, "desk")
    try:
        await connection.execute(f"INSERT INTO insurers (id, code, name) VALUES ('{A}', 'a', '甲保险')")
        await connection.execute(
            f"INSERT INTO insureds (id, insurer_id, credit_code, name) VALUES ('{insured}', '{A}', '9134', '企业');"
            "INSERT INTO recipients (id, role, insurer_id, insured_id, name, email) VALUES"
            f" ('{desk}', 'insurer', '{A}', NULL, '甲保险', 'desk@a.example'),"
            f" ('{known(A, 'mailbox')}', 'insured', '{A}', '{insured}', '企业', 'boss@a.example')"
        )
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def department(name: str, place: tuple[str, str], email: str = "office@gov.example") -> str:
    """A statement that registers a department."""
    return (
        "INSERT INTO recipients (id, role, region, department, name, email)"
        f" VALUES ('{known(A, name)}', 'emergency', '{place[0]}', '{place[1]}', '{place[1]}', '{email}')"
    )


def notice(key: str, to: Role = Role.INSURER, **more: Any) -> Notice:
    plain: dict[str, Any] = {
        "key": key,
        "kind": NoticeKind.DUTY_OVERDUE,
        "to": to,
        "at": AT,
        "about": About(duty="policy_upload", duty_key="policy_upload", label="上传电子保单"),
        "cites": citation(),
    }
    return Notice.model_validate(plain | more)


def row(**more: Any) -> CaseRow:
    plain: dict[str, Any] = {
        "case_id": CASE,
        "kind": CaseKind.POLICY,
        "insurer_id": A,
        "workflow_id": "policy/a/P-1",
        "number": "P-1",
        "region": "341300",
        "sector": Sector.HAZARDOUS_CHEMICALS,
        "size": Size.MEDIUM,
        "stage": "signed",
        "insured_id": known(A, "insured"),
        "insured_name": "企业",
        "signed_on": date(2024, 3, 1),
        "effective_on": date(2024, 3, 2),
        "expires_on": date(2025, 3, 1),
        "next_due_at": AT,
        "view": {"number": "P-1", "spent": "0.00", "duties": [{"key": "policy_upload"}]},
    }
    return CaseRow.model_validate(plain | more)


def step(seq: int = 1, *notices: Notice, command: str | None = None, **more: Any) -> Step:
    trace = Trace(command_id=command, name="UploadPolicy", fingerprint="f" * 64, actor=ACTOR) if command else None
    return Step(
        seq=seq,
        at=AT,
        trace=trace,
        happened=(Happening(event=Event.POLICY_SIGNED, at=AT, said="保单签署", data={"by": "甲"}),),
        notices=notices,
        row=row(**more),
        answer={"seq": seq} if command else {},
    )
