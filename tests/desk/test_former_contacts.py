"""Whoever had a recipient's former address holds nothing: links, sessions and codes end with the change of it (P21)."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from activities.links import token
from activities.mailserver import SmtpSettings
from activities.postman import MailPostman
from api.entrance.codes import Asked, ask, use
from api.tools import Tools
from domain.codes import code_of
from models.contracts.mailroom import Compose
from models.contracts.ports import Send
from models.contracts.vocabulary import ActorKind, AskedFor, NoticeStatus, Urgency
from runtime.embedded.ports import LOOPBACK
from runtime.worker import library
from tests.api.conftest import terms
from tests.desk.conftest import PAGE, SignedIn, Town
from tests.desk.matters import open_policy, tell

WHY = "对方来函告知"
OFFICE = {"name": "宿州市应急管理局", "role": "emergency", "reason": WHY, "places": "宿州市", "sectors": "*"}


async def rows(admin: AsyncEngine, query: str, **values: Any) -> list[Any]:
    async with admin.connect() as connection:
        return list(await connection.execute(text(query), values))


async def linked(admin: AsyncEngine, case_id: UUID, to: UUID, purpose: str) -> str:
    """The page of a link of this case, mailed to the recipient."""
    written = uuid4().hex + uuid4().hex[:11]
    statement = """
    INSERT INTO links (id, token_hash, insurer_id, case_id, recipient_id, purpose, duty_key, expires_at)
    SELECT gen_random_uuid(), :hash, insurer_id, id, :to, :purpose, '', now() + interval '9 days' FROM cases
    WHERE id = :case
    """
    async with admin.begin() as connection:
        hashed = sha256(written.encode()).hexdigest()
        await connection.execute(text(statement), {"hash": hashed, "case": case_id, "to": to, "purpose": purpose})
    return f"/l/{written}"


async def coded(tools: Tools, recipient_id: UUID) -> tuple[Asked, str]:
    """A code that was mailed to the recipient and not used yet."""
    asked = Asked(recipient_id, AskedFor.CODE_TO_ENTER)
    async with tools.engine.begin() as connection:
        letter_id = await ask(tools, connection, asked)
    assert letter_id
    return asked, code_of(tools.secret, letter_id)


@pytest.mark.parametrize("door", ["directory", "returned"])
async def test_a_department_whose_address_is_corrected_leaves_nothing_to_the_former_one(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, tools: Tools, worker: Worker, http: AsyncClient, door: str
):
    case_id, to = await open_policy(town.insurers[0]), town.departments[0]
    former = await signed_in(ActorKind.DEPARTMENT, by_code=True)
    neighbour = await signed_in(ActorKind.DEPARTMENT, by_code=True, second=True)
    path, asked = await linked(admin, case_id, to, "department"), await coded(tools, to)
    assert [(await former.get("/department")).status_code, (await http.get(path)).status_code] == [200, 200]
    operator, page = await signed_in(ActorKind.OPERATOR), f"/operator/{door}/{to}"
    form = OFFICE if door == "directory" else {"to": "own", "until": "2099-01-01T00:00:00+08:00", "reason": WHY}
    unchanged = await operator.post(f"/operator/directory/{to}", email=await address(admin, to), **OFFICE)
    assert unchanged.status_code == 303
    assert (await former.get("/department")).status_code == 200, "only a change of the address ends anything"
    assert (await operator.post(page, email="new@gov.example", **form)).status_code == 303
    assert await address(admin, to) == "new@gov.example"
    assert (await former.get("/department")).status_code == 303
    assert (await http.get(path)).status_code == 404
    assert await use(tools, *asked) is None
    assert (await neighbour.get("/department")).status_code == 200


async def test_an_enterprise_told_anew_by_its_insurer_leaves_nothing_to_the_former_address(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, tools: Tools, worker: Worker, http: AsyncClient
):
    insurer, to = town.insurers[0], town.enterprises[0]
    case_id = await open_policy(insurer)
    former, neighbour = await signed_in(ActorKind.ENTERPRISE), await signed_in(ActorKind.ENTERPRISE, second=True)
    path, asked = await linked(admin, case_id, to, "plan"), await coded(tools, to)
    same = terms("PA-SAME")
    same["insured"]["email"] = await address(admin, to)
    assert (await insurer.post("/v1/policies", same)).status_code == 201
    assert [(await former.get("/enterprise")).status_code, (await http.get(path)).status_code] == [200, 200]
    other = terms("PA-OTHER")
    other["insured"]["email"] = "new@firm.example"
    assert (await insurer.post("/v1/policies", other)).status_code == 201
    assert await address(admin, to) == "new@firm.example"
    assert (await former.get("/enterprise")).status_code == 303
    assert (await http.get(path)).status_code == 404
    assert await use(tools, *asked) is None
    assert (await neighbour.get("/enterprise")).status_code == 200


async def test_a_letter_that_was_composed_and_has_not_left_is_composed_anew_with_a_link_that_works(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, tools: Tools, worker: Worker, http: AsyncClient
):
    case_id, to = await open_policy(town.insurers[0]), town.departments[0]
    await tell(admin, to, case_id, "service_completion", status="queued")
    postman = MailPostman(tools.engine, library(), SmtpSettings(LOOPBACK, 9, "notice@anze.example"), tools.secret, PAGE)
    asked = Compose(recipient_id=to, urgency=Urgency.DIGEST, now=datetime.now(UTC))
    (first,) = (await postman.compose(asked)).mails
    ((notice,),) = await rows(admin, "SELECT letter_id FROM matters WHERE recipient_id = :to", to=to)
    former = f"/l/{token(tools.secret, notice, to)}"
    assert (await http.get(former)).status_code == 200
    operator = await signed_in(ActorKind.OPERATOR)
    assert (await operator.post(f"/operator/directory/{to}", email="new@gov.example", **OFFICE)).status_code == 303
    second = next(mail for mail in (await postman.compose(asked)).mails if mail != first)
    empty = await postman.send(Send(recipient_id=to, mail_id=first, now=datetime.now(UTC)))
    assert empty.status is NoticeStatus.UNDELIVERED, "nothing is left to say in it"
    assert (await http.get(former)).status_code == 404
    assert (await http.get(f"/l/{token(tools.secret, notice, to, second)}")).status_code == 200


async def test_only_a_department_or_the_operators_take_over_and_never_another_insurer(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
):
    operator, office = await signed_in(ActorKind.OPERATOR), town.departments[0]
    email = await address(admin, office)
    for wrong in (uuid4(), town.enterprises[0]):
        answer = await operator.post(f"/operator/directory/{office}", email=email, fallback=str(wrong), **OFFICE)
        assert (answer.status_code, 'id="fallback-error"' in answer.text) == (422, True), answer.text
    right = await operator.post(
        f"/operator/directory/{office}", email=email, fallback=str(town.departments[1]), **OFFICE
    )
    assert right.status_code == 303
    desk = "SELECT id FROM recipients WHERE insurer_id = :of AND role = 'insurer'"
    taken = text(f"UPDATE recipients SET fallback_id = ({desk}) WHERE id = :id RETURNING fallback_id")
    async with admin.begin() as connection:
        set_ = await connection.execute(taken, {"of": town.insurers[1].id, "id": town.enterprises[0]})
        assert set_.scalar_one(), "the other insurer has a desk"
    sent = {"email": "new@firm.example", "to": "fallback", "until": "2099-01-01T00:00:00+08:00", "reason": WHY}
    assert (await operator.post(f"/operator/returned/{town.enterprises[0]}", **sent)).status_code == 422
    assert await address(admin, town.enterprises[0]) != "new@firm.example"


async def address(admin: AsyncEngine, recipient_id: UUID) -> str:
    return (await rows(admin, "SELECT email FROM recipients WHERE id = :id", id=recipient_id))[0][0]
