"""A department that acknowledges a duty on its page, by its link or through the API does one and the same thing."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.keys import KeyFor, mint_key
from api.rows import LINKS
from models.contracts.vocabulary import ActorKind, LinkPurpose
from tests.api.conftest import Caller
from tests.desk.conftest import SignedIn, Town
from tests.desk.matters import open_policy, tell

pytestmark = pytest.mark.usefixtures("worker")
DUTY, OTHER_DUTY = "policy_upload", "service_completion"
STANDING = """
SELECT r.name, o.subject, o.kind, o.status, o.acknowledged_at = s.at AS with_the_step,
    m.acknowledged_at IS NOT NULL AS matter
FROM outbox o JOIN recipients r ON r.id = o.recipient_id
JOIN matters m USING (case_id, subject, recipient_id)
LEFT JOIN steps s ON s.case_id = o.case_id AND s.command_name = 'AcknowledgeDuty'
WHERE o.case_id = :case AND o.to_role = 'emergency' ORDER BY r.name, o.subject, o.kind
"""
AUDITED = (
    "SELECT what, said, who_kind, object_id FROM audit WHERE case_id = :case AND said->>'command' = 'AcknowledgeDuty'"
)


async def told_of(admin: AsyncEngine, town: Town, number: str) -> UUID:
    """A policy; three letters about one duty to the first department, one of them returned, and letters of others."""
    case, (mine, other) = await open_policy(town.insurers[0], number), town.departments
    for kind, status in (("duty_overdue", "accepted"), ("duty_standing", "queued"), ("duty_reminder", "bounced")):
        await tell(admin, mine, case, DUTY, kind=kind, status=status)
    await tell(admin, mine, case, OTHER_DUTY)
    await tell(admin, other, case, DUTY)
    return case


async def link(admin: AsyncEngine, town: Town, case: UUID) -> str:
    """The address in the letter about the duty."""
    token = uuid4().hex + "a" * 11
    row: dict[str, Any] = {"id": uuid4(), "case_id": case, "insurer_id": town.insurers[0].id}
    row |= {"recipient_id": town.departments[0], "purpose": LinkPurpose.DEPARTMENT, "duty_key": DUTY}
    row |= {"token_hash": sha256(token.encode()).hexdigest(), "expires_at": datetime.now(UTC) + timedelta(days=1)}
    async with admin.begin() as connection:
        row["notice_id"] = (
            await connection.execute(text("SELECT letter_id FROM matters WHERE recipient_id = :to AND case_id = :case"
                                          " AND subject = :duty"),
                                     {"to": town.departments[0], "case": case, "duty": DUTY})
        ).scalar_one()  # fmt: skip
        await connection.execute(insert(LINKS).values(row))
    return f"/l/{token}"


async def standing(admin: AsyncEngine, case: UUID) -> tuple[list[Any], list[Any]]:
    async with admin.connect() as connection:
        letters = [tuple(row) for row in await connection.execute(text(STANDING), {"case": case})]
        audited = [tuple(row)[:3] for row in await connection.execute(text(AUDITED), {"case": case})]
    return letters, audited


async def test_page_link_and_key_acknowledge_the_same_letters_in_the_step_and_leave_the_same_trace(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, http: AsyncClient
) -> None:
    page, link_, key = [await told_of(admin, town, number) for number in ("PA-1", "PA-2", "PA-3")]
    officer = await signed_in(ActorKind.DEPARTMENT)
    async with admin.begin() as connection:
        minted = await mint_key(connection, KeyFor(ActorKind.DEPARTMENT, "系统", recipient_id=town.departments[0]))
    system = Caller(http, minted.token, town.departments[0])
    address = await link(admin, town, link_)

    done = await officer.post(f"/department/cases/{page}/acknowledge", duty=DUTY)
    assert done.status_code == 303, done.text
    done = await http.post(address, data={"deed": "acknowledge"})
    assert done.status_code == 303, done.text
    done = await system.post(f"/v1/policies/{key}/acknowledgements", {"duty": DUTY})
    assert done.status_code == 200, done.text

    expected = [
        ("宿州市住房和城乡建设局", DUTY, "duty_overdue", "accepted", None, False),
        ("宿州市应急管理局", DUTY, "duty_overdue", "acknowledged", True, True),
        ("宿州市应急管理局", DUTY, "duty_reminder", "bounced", True, True),
        ("宿州市应急管理局", DUTY, "duty_standing", "acknowledged", True, True),
        ("宿州市应急管理局", OTHER_DUTY, "duty_overdue", "accepted", None, False),
    ]
    for case in (page, link_, key):
        assert await standing(admin, case) == (
            expected, [("step", {"command": "AcknowledgeDuty"}, "department")]
        ), f"{case} of {(page, link_, key)}"  # fmt: skip
        # whichever way it was done, the department's page knows it as its own
        assert (await officer.get(f"/department/cases/{case}")).text.count('/acknowledge"') == 1, "of the other duty"


async def test_what_was_done_on_the_page_is_done_for_the_link_too(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, http: AsyncClient
) -> None:
    case = await told_of(admin, town, "PA-1")
    address, officer = await link(admin, town, case), await signed_in(ActorKind.DEPARTMENT)
    assert (await officer.post(f"/department/cases/{case}/take_over", duty=DUTY)).status_code == 303
    found = (await http.get(address)).text
    assert "已办理：接手处理" in found
    assert [deed for deed in ("acknowledge", "take_over", "answer", "pass_on") if f'value="{deed}"' in found] == [
        "answer", "pass_on",
    ]  # fmt: skip
    again = await http.post(address, data={"deed": "take_over"})
    assert again.status_code == 303, "whoever comes later is shown that it is done"
    _, audited = await standing(admin, case)
    assert audited == []
