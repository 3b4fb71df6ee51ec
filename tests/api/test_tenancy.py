"""Nobody sees what is not theirs: two insurers with the same numbers, departments, expired keys, lists and cursors."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text, update

from api.insurer.doors import DOORS, SAMPLE_FILE
from api.keys import KeyFor, mint_key
from api.rows import API_KEYS
from models.contracts import ids
from models.contracts.vocabulary import ActorKind, CaseKind
from tests.api.conftest import Caller, counted, department, fresh_key, sample_file, terms, today
from tests.api.test_writing import opened

READS = ("", "/timeline", "/duties", "/notices", "/hazards")


def plain(answer) -> dict:
    return {**answer.json(), "instance": ""}


@pytest.mark.usefixtures("worker")
async def test_the_same_number_under_two_insurers_is_two_policies(insurer: Caller, other: Caller, admin) -> None:
    mine, theirs = await opened(insurer), await opened(other)
    assert mine != theirs
    for caller, own in ((insurer, mine), (other, theirs)):
        listed = (await caller.get("/v1/policies")).json()["items"]
        assert [line["id"] for line in listed] == [own]


@pytest.mark.usefixtures("worker")
async def test_another_insurers_policy_is_as_absent_as_a_random_one(insurer: Caller, other: Caller, admin) -> None:
    theirs, nobodys = await opened(other), uuid4()
    before = await counted(admin, "steps", "commands", "timeline")
    for path in READS:
        foreign = await insurer.get(f"/v1/policies/{theirs}{path}")
        absent = await insurer.get(f"/v1/policies/{nobodys}{path}")
        assert (foreign.status_code, plain(foreign)) == (404, plain(absent))
    for door in DOORS:
        shelf = "policies" if door.kind is CaseKind.POLICY else "hazards"
        body = door.example(today())
        foreign = await insurer.post(f"/v1/{shelf}/{theirs}/{door.path}", body)
        absent = await insurer.post(f"/v1/{shelf}/{nobodys}/{door.path}", body)
        assert (foreign.status_code, plain(foreign)) == (404, plain(absent)), door.path
    assert await counted(admin, "steps", "commands", "timeline") == before


@pytest.mark.usefixtures("worker")
async def test_an_idempotency_key_belongs_to_one_insurer(insurer: Caller, other: Caller) -> None:
    key = fresh_key()
    first, second = [await caller.post("/v1/policies", terms(), key) for caller in (insurer, other)]
    assert first.json()["id"] != second.json()["id"]
    assert "Idempotent-Replayed" not in second.headers


async def test_a_file_of_another_insurer_is_not_found_and_not_known(insurer: Caller, other: Caller) -> None:
    digest = await sample_file(other)
    assert (await other.get(f"/v1/files/{digest}")).content == SAMPLE_FILE
    assert (await insurer.get(f"/v1/files/{digest}")).status_code == 404


async def test_an_unknown_revoked_or_expired_key_is_refused_on_the_next_request(insurer: Caller, admin) -> None:
    assert (await insurer.get("/v1/me")).json()["name"] == "甲保险公司"
    past = datetime.now(UTC) - timedelta(seconds=1)
    for change in ({"revoked_at": past}, {"revoked_at": None, "expires_at": past}):
        async with admin.begin() as connection:
            await connection.execute(update(API_KEYS).where(API_KEYS.c.insurer_id == insurer.id).values(**change))
        answer = await insurer.get("/v1/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_missing_or_misspelt_key_is_refused_before_anything_else(http, admin) -> None:
    for given in (None, "", "Bearer", "Bearer x", "Basic YTpi", "Bearer anze_00000000_" + "A" * 43):
        headers = {"Idempotency-Key": "k"} | ({} if given is None else {"Authorization": given})
        for answer in (
            await http.get("/v1/policies", headers=headers),
            await http.post("/v1/policies", json={"nonsense": 1}, headers=headers),
        ):
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_key_of_another_kind_is_forbidden(insurer: Caller, http, admin) -> None:
    bureau = await department(http, admin, "341300", "市应急局")
    assert (await bureau.get("/v1/policies")).status_code == 403
    assert (await bureau.post("/v1/policies", terms())).status_code == 403
    assert (await insurer.get("/v1/department/notices")).status_code == 403
    assert (await bureau.get("/v1/me")).json() == {
        "kind": "department", "id": str(bureau.id), "name": "市应急局", "code": "",
        "region": "341300", "department": "市应急局",
    }  # fmt: skip


async def told(admin, policy_id: str, to: Caller, duty_key: str = "policy_upload") -> None:
    """A notice about a duty, as the case's step would have written it."""
    async with admin.begin() as connection:
        await connection.execute(
            text("""
            INSERT INTO outbox (id, notice_key, insurer_id, case_id, seq, kind, to_role, recipient_id, urgency, at,
                                about, matter)
            SELECT gen_random_uuid(), gen_random_uuid()::text, insurer_id, id, seq, 'duty_overdue', 'emergency', :to,
                   'now', now(), jsonb_build_object('duty_key', CAST(:duty AS text), 'label', '上传电子保单'),
                   jsonb_build_object('kind', 'policy', 'number', number, 'region', region, 'sector', sector,
                                      'insured_name', insured_name, 'insurer_name', '甲保险公司')
            FROM cases WHERE id = :case"""),
            {"to": to.id, "case": policy_id, "duty": duty_key},
        )


@pytest.mark.usefixtures("worker")
async def test_a_department_acts_only_where_it_was_told(insurer: Caller, http, admin) -> None:
    bureau = await department(http, admin, "341300", "市应急局")
    elsewhere = await department(http, admin, "341200", "邻市应急局")
    policy_id = await opened(insurer)
    url, body = f"/v1/policies/{policy_id}/acknowledgements", {"duty": "policy_upload"}
    assert (await bureau.post(url, body)).status_code == 404
    await told(admin, policy_id, bureau)
    assert (await elsewhere.post(url, body)).status_code == 404
    assert (await bureau.post(url, {"duty": "service_completion"})).status_code == 404
    assert (await insurer.post(url, body)).status_code == 403
    acknowledged = await bureau.post(url, body)
    assert acknowledged.status_code == 200, acknowledged.text
    upload = acknowledged.json()["duty"]
    assert (upload["key"], upload["acknowledged"]) == ("policy_upload", True)
    assert (await bureau.post(f"/v1/policies/{policy_id}/takeovers", body)).status_code == 200
    answer = {**body, "answer": "已约谈该机构"}
    assert (await bureau.post(f"/v1/policies/{policy_id}/answers", answer)).status_code == 200
    by = [line["by"] for line in (await insurer.get(f"/v1/policies/{policy_id}/timeline")).json()]
    assert by[-1] == "市应急局"


@pytest.mark.usefixtures("worker")
async def test_a_departments_inbox_holds_what_was_sent_to_it_and_nothing_else(insurer: Caller, http, admin) -> None:
    bureau = await department(http, admin, "341300", "市应急局")
    elsewhere = await department(http, admin, "341200", "邻市应急局")
    policy_id = await opened(insurer)
    for _ in range(3):
        await told(admin, policy_id, bureau)
    first = (await bureau.get("/v1/department/notices?limit=2")).json()
    rest = (await bureau.get(f"/v1/department/notices?limit=2&cursor={first['next']}")).json()
    seen = [notice["id"] for notice in first["items"] + rest["items"]]
    assert len(set(seen)) == 3
    assert rest["next"] is None
    assert first["items"][0]["number"] == "PA-1"
    assert (await elsewhere.get("/v1/department/notices")).json() == {"items": [], "next": None}


@pytest.mark.usefixtures("worker")
async def test_a_departments_evidence_belongs_to_the_case_it_was_told_about(insurer: Caller, http, admin) -> None:
    bureau = await department(http, admin, "341300", "市应急局")
    policy_id = await opened(insurer)
    pdf = {"Content-Type": "application/pdf"}
    assert (await bureau.raw("/v1/files", SAMPLE_FILE, **pdf)).status_code == 403
    assert (await bureau.raw(f"/v1/files?case_id={policy_id}", SAMPLE_FILE, **pdf)).status_code == 404
    await told(admin, policy_id, bureau)
    kept = await bureau.raw(f"/v1/files?case_id={policy_id}", SAMPLE_FILE, **pdf)
    assert kept.status_code == 201
    assert (await insurer.get(f"/v1/files/{kept.json()['digest']}")).status_code == 200


@pytest.mark.usefixtures("worker")
async def test_pages_of_a_list_neither_skip_nor_repeat_and_cursors_cannot_be_lent(
    insurer: Caller, other: Caller
) -> None:
    numbers = [f"PA-{number}" for number in range(7)]
    await asyncio.gather(*(opened(insurer, number) for number in numbers))
    seen, cursor, lent = [], "", ""
    while cursor is not None:
        page = (
            await insurer.get(f"/v1/policies?limit=3&sector=hazardous_chemicals{cursor and f'&cursor={cursor}'}")
        ).json()
        seen += [line["number"] for line in page["items"]]
        lent, cursor = page["next"] or lent, page["next"]
    assert sorted(seen) == numbers
    for caller, query in ((other, "sector=hazardous_chemicals"), (insurer, "sector=fishery"), (insurer, "limit=3")):
        answer = await caller.get(f"/v1/policies?{query}&cursor={lent}")
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")
    tampered = lent[:-2] + ("AA" if lent[-2:] != "AA" else "BB")
    assert (await insurer.get(f"/v1/policies?sector=hazardous_chemicals&cursor={tampered}")).status_code == 422


@pytest.mark.usefixtures("worker")
async def test_filters_find_what_they_name(insurer: Caller) -> None:
    await opened(insurer)
    wide = (today() + timedelta(days=300)).isoformat()
    found = ("region=340000", "region=341300", "region=000000", "size=medium", "stage=signed", "overdue=false",
             "insured=91341300MA2NXR5T8H", "insured=宿州皖北", f"due_before={wide}", "rate_review=false")  # fmt: skip
    missed = ("region=330000", "region=341302", "size=small", "stage=served", "overdue=true", "insured=皖北",
              "insured=%25", "due_before=2020-01-01", "rate_review=true")  # fmt: skip
    for query in found:
        assert len((await insurer.get(f"/v1/policies?{query}")).json()["items"]) == 1, query
    for query in missed:
        assert (await insurer.get(f"/v1/policies?{query}")).json()["items"] == [], query


async def test_a_rotated_key_keeps_the_idempotency_of_its_owner(insurer: Caller, admin, worker) -> None:
    key = fresh_key()
    first = await insurer.post("/v1/policies", terms(), key)
    async with admin.begin() as connection:
        minted = await mint_key(connection, KeyFor(ActorKind.INSURER, "新密钥", insurer_id=insurer.id))
    rotated = Caller(insurer.http, minted.token, insurer.id, insurer.code)
    again = await rotated.post("/v1/policies", terms(), key)
    assert again.text == first.text
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_an_operators_key_reads_no_case(http, admin, insurer: Caller, worker) -> None:
    policy_id = await opened(insurer)
    async with admin.begin() as connection:
        minted = await mint_key(connection, KeyFor(ActorKind.OPERATOR, "值班"))
    operator = Caller(http, minted.token, minted.id)
    assert (await operator.get("/v1/me")).json()["kind"] == "operator"
    assert (await operator.get(f"/v1/policies/{policy_id}")).status_code == 403


def test_ids_of_cases_are_made_of_insurer_and_number() -> None:
    one, two = uuid4(), uuid4()
    assert ids.policy_id(one, "PA-1") == ids.policy_id(one, "PA-1") != ids.policy_id(two, "PA-1")
