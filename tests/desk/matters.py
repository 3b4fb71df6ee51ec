"""Cases of the example enterprise and letters about them, for tests of rooms; no test is here."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.insurer.doors import DOORS
from api.rows import CASES, INSUREDS
from models.contracts.vocabulary import CaseKind
from tests.api.conftest import Caller, sample_file, terms, today

EXAMPLES = {(door.kind, door.path): door.example for door in DOORS}
# How a matter stands is said here once more, naively: its duty is open or not, news is news until it was read.
LETTER = """
WITH letter AS (
INSERT INTO outbox (id, notice_key, insurer_id, case_id, seq, kind, to_role, recipient_id, urgency, at, about, matter,
    status, subject)
SELECT gen_random_uuid(), :key, c.insurer_id, c.id, c.seq, :kind, 'emergency', :recipient, 'digest', now(),
    jsonb_build_object('duty_key', CAST(:duty AS text), 'label', CAST(:label AS text)),
    jsonb_build_object('kind', c.kind, 'number', c.number, 'region', c.region, 'sector', c.sector, 'size', c.size,
        'insured_name', c.insured_name, 'insurer_name', '甲保险公司'), :status,
    coalesce(nullif(CAST(:duty AS text), ''), :kind)
FROM cases c WHERE c.id = :case
RETURNING *
)
INSERT INTO matters (case_id, subject, recipient_id, insurer_id, letter_id, kind, told_at, times, ends_when_read, asks,
    duty_key, due_at, late, settled, place_at, major, case_kind, number, policy_number, insured_name, region, sector)
SELECT l.case_id, l.subject, l.recipient_id, l.insurer_id, l.id, l.kind, l.at, 1, :duty = '', open.so,
    coalesce(duty.key, ''), duty.due_at, coalesce(duty.due_at <= c.changed_at, false), NOT open.so,
    matter_place(NOT open.so, duty.due_at, l.at), c.kind = 'hazard' AND c.view->>'grade' = 'major', c.kind, c.number,
    coalesce(c.view->>'policy_number', ''), c.insured_name, c.region, c.sector
FROM letter l JOIN cases c ON c.id = l.case_id
LEFT JOIN LATERAL jsonb_to_recordset(c.view->'duties') duty (key text, due_at timestamptz)
    ON duty.key = :duty AND c.ended_at IS NULL
CROSS JOIN LATERAL (SELECT c.ended_at IS NULL AND (:duty = '' OR duty.key IS NOT NULL) AS so) open
ON CONFLICT (case_id, subject, recipient_id) DO UPDATE SET letter_id = excluded.letter_id, kind = excluded.kind,
    told_at = excluded.told_at, times = matters.times + 1, acknowledged_at = NULL, settled = excluded.settled,
    place_at = excluded.place_at
"""


async def put_case(admin: AsyncEngine, insurer: Caller, region: str, sector: str, name: str = "企业") -> UUID:
    """A bare row of the read model, for what only counts and lists."""
    case_id, insured, at = uuid4(), uuid4(), datetime(2026, 1, 1, tzinfo=UTC)
    view = {"spent": "10.00", "spend_floor": "12.00", "terms": {"premium_total": "100.00"}, "duties": []}
    row = {"kind": CaseKind.POLICY, "workflow_id": str(case_id), "number": str(case_id), "size": "small"}
    row |= {"region": region, "sector": sector, "stage": "signed", "insured_name": name, "insured_id": insured}
    row |= {"signed_on": date(2026, 1, 1), "effective_on": date(2026, 1, 1), "expires_on": date(2026, 12, 31)}
    row |= {"provisional": False, "rate_review": False, "open_hazards": 0, "packs": [], "calendar_through": 2026}
    row |= {"clock": {}, "view": view, "seq": 1, "opened_at": at, "changed_at": at, "next_due_at": at}
    known = {"id": insured, "insurer_id": insurer.id, "credit_code": insured.hex[:18], "name": name}
    async with admin.begin() as connection:
        await connection.execute(INSUREDS.insert().values(known))
        await connection.execute(CASES.insert().values(id=case_id, insurer_id=insurer.id, **row))
    return case_id


async def change(admin: AsyncEngine, case_id: UUID, **values: Any) -> None:
    """Let the read model say something else of a case, whatever has led to it."""
    async with admin.begin() as connection:
        await connection.execute(CASES.update().where(CASES.c.id == case_id).values(**values))


async def open_policy(caller: Caller, number: str = "PA-1", **changed: Any) -> UUID:
    """A policy four days old."""
    answer = await caller.post("/v1/policies", terms(number, **changed))
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


async def served_policy(caller: Caller, number: str = "PA-1", **changed: Any) -> UUID:
    """A policy with e-policy, institution, plan and a visit that found a hazard; 1,200 yuan were spent."""
    await sample_file(caller)
    policy_id = await open_policy(caller, number, **changed)
    for path in ("upload", "provider", "plan", "visits", "spend"):
        body = EXAMPLES[CaseKind.POLICY, path](today())
        answer = await caller.post(f"/v1/policies/{policy_id}/{path}", body)
        assert answer.status_code == 200, answer.text
    return policy_id


async def tell(admin: AsyncEngine, recipient: UUID, case: UUID, duty: str = "", **more: str) -> None:
    """A letter about a duty of a case, delivered to its department unless `status` says otherwise."""
    values = {"kind": "duty_overdue", "label": "完成事故预防技术服务", "status": "accepted"} | more
    async with admin.begin() as connection:
        key = {"key": f"{case}:{duty}:{recipient}:{values['kind']}"}
        found = {"recipient": recipient, "case": case, "duty": duty}
        await connection.execute(text(LETTER), {**values, **key, **found})
