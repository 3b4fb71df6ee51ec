"""Victims stay sealed and masked, every sight is recorded; nobody sees another insurer's claims; figures are dated."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from api.claims.doors import DOORS, report
from api.claims.rules import figures
from api.claims.victims import person
from api.words import Scope
from tests.api.claiming import insured, reported, trusted, victim
from tests.api.conftest import Caller, counted, department, fresh_key, today

pytestmark = pytest.mark.usefixtures("worker")
READS = ("", "/timeline", "/duties", "/notices", "/ledger", "/explanation", "/prevention", "/victims")
MARKERS = ("张某某", "341300190001010000", "6200000000000000000", "13000000000")


def plain(answer) -> dict:
    return {**answer.json(), "instance": ""}


@pytest.fixture
async def claim_id(insurer: Caller) -> str:
    return await reported(insurer, await insured(insurer))


async def test_a_victim_is_masked_unless_the_key_may_see_more(insurer: Caller, claim_id: str, admin) -> None:
    url = f"/v1/claims/{claim_id}/victims"
    ref = (await insurer.post(url, person(today()))).json()["ref"]
    masked = (await insurer.get(url)).json()
    assert masked[0] | {"created_at": ""} == {
        "ref": ref, "employee": True, "masked": True, "name": "张**", "identity_number": "**************0000",
        "bank_account": "***************0000", "phone": "*******0000", "created_at": "", "erased_at": None,
        "erased_because": "",
    }  # fmt: skip
    refused = await insurer.get(f"{url}?unmasked=true&why=核对")
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert await counted(admin, "victim_sights") == {"victim_sights": 0}
    cleared = await trusted(insurer, admin, Scope.VICTIMS_READ)
    assert (await cleared.get(f"{url}?unmasked=true")).status_code == 422
    seen = (await cleared.get(f"{url}?unmasked=true&why=核对付款账户")).json()
    assert tuple(seen[0][name] for name in ("name", "identity_number", "bank_account", "phone")) == MARKERS
    async with admin.connect() as connection:
        sights = (await connection.execute(text("SELECT ref, why, fields FROM victim_sights"))).all()
        trail = (await connection.execute(text("SELECT who_id, case_id, said FROM audit WHERE what = 'sight'"))).all()
    assert [(one.who_id, str(one.case_id), one.said["first"]) for one in trail] == [(str(insurer.id), claim_id, [ref])]
    assert [(str(one.ref), one.why) for one in sights] == [(ref, "核对付款账户")]
    assert sights[0].fields == "name,identity_number,bank_account,phone"


async def test_nothing_of_a_person_lies_readable_anywhere(insurer: Caller, claim_id: str, admin) -> None:
    await insurer.post(f"/v1/claims/{claim_id}/victims", person(today()))
    async with admin.connect() as connection:
        for table in ("victims", "cases", "steps", "timeline", "commands", "outbox"):
            rows = (await connection.execute(text(f"SELECT t::text AS said FROM {table} t"))).scalars()
            assert not [marker for row in rows for marker in MARKERS if marker in row], table
    for path in READS:
        said = (await insurer.get(f"/v1/claims/{claim_id}{path}")).text
        assert not [marker for marker in MARKERS if marker in said], path


async def test_the_same_request_gives_the_same_reference_and_another_body_is_refused(
    insurer: Caller, claim_id: str, admin
) -> None:
    url, key = f"/v1/claims/{claim_id}/victims", fresh_key()
    first, again = [await insurer.post(url, person(today()), key) for _ in range(2)]
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await counted(admin, "victims") == {"victims": 1}
    other = await insurer.post(url, {"employee": True, "name": "李某"}, key)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")


async def test_one_person_has_one_reference_among_the_claims_of_a_policy(insurer: Caller, admin) -> None:
    policy_id = await insured(insurer)
    one, two = [await reported(insurer, policy_id, f"C-{number}") for number in (1, 2)]
    ref = await victim(insurer, one, identity_number="341300190001010000")
    for claim_id in (one, two):
        answer = await insurer.post(f"/v1/claims/{claim_id}/victims", person(today()))
        assert (answer.status_code, answer.json()["code"]) == (409, "victim_known")
        assert ref in answer.json()["detail"]
    assert await victim(insurer, await reported(insurer, await insured(insurer, "PA-2"), "C-3"), **person(today()))


async def test_a_broken_entry_is_refused(insurer: Caller, claim_id: str) -> None:
    for wrong in (
        {"name": ""}, {"name": "a\nb"}, {"identity_number": "1"}, {"bank_account": "62 00"}, {"phone": "+86-1"},
        {"employee": 1}, {"ref": str(uuid4())}, {"name": "x" * 121},
    ):  # fmt: skip
        answer = await insurer.post(f"/v1/claims/{claim_id}/victims", {**person(today()), **wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), wrong


async def test_another_insurers_claim_is_as_absent_as_a_random_one(insurer: Caller, other: Caller, admin) -> None:
    theirs, nobodys = await reported(other, await insured(other)), uuid4()
    await victim(other, theirs)
    core = await trusted(insurer, admin, Scope.PAYMENTS_CONFIRM, Scope.VICTIMS_READ)
    before = await counted(admin, "steps", "commands", "victims", "victim_sights")
    for path in (*READS, "/victims?unmasked=true&why=x"):
        foreign = await core.get(f"/v1/claims/{theirs}{path}")
        absent = await core.get(f"/v1/claims/{nobodys}{path}")
        assert (foreign.status_code, plain(foreign)) == (404, plain(absent)), path
    bodies = [(door.path, door.example(today())) for door in DOORS]
    bodies += [("payments/P-1/confirmation", {"result": "refused"}), ("victims", person(today()))]
    for path, body in bodies:
        foreign = await core.post(f"/v1/claims/{theirs}/{path}", body)
        absent = await core.post(f"/v1/claims/{nobodys}/{path}", body)
        assert (foreign.status_code, plain(foreign)) == (404, plain(absent)), path
    assert (await core.get("/v1/claims")).json()["items"] == []
    assert await counted(admin, "steps", "commands", "victims", "victim_sights") == before


async def test_a_claim_opens_only_under_a_policy_of_ones_own(insurer: Caller, other: Caller) -> None:
    theirs = await insured(other)
    for policy_id in (theirs, uuid4()):
        assert (await insurer.post(f"/v1/policies/{policy_id}/claims", report(today()))).status_code == 404
        assert (await insurer.get(f"/v1/policies/{policy_id}/claims")).status_code == 404


async def test_a_department_has_no_business_with_claims_it_was_not_told_of(
    insurer: Caller, http, admin, claim_id: str
) -> None:
    bureau = await department(http, admin, "341300", "市应急局")
    assert (await bureau.get("/v1/claims")).status_code == 403
    assert (await bureau.get(f"/v1/claims/{claim_id}/ledger")).status_code == 403
    assert (await bureau.post(f"/v1/claims/{claim_id}/acknowledgements", {"duty": "claim_payment"})).status_code == 404


async def test_figures_are_dated_rows_and_a_claim_is_born_with_those_of_its_day(insurer: Caller, admin) -> None:
    assert (
        await insurer.http.put("/v1/claim-rules", json=figures(today()), headers=insurer.headers)
    ).status_code == 403
    chief = await trusted(insurer, admin, Scope.CLAIM_RULES_WRITE)
    later = {**figures(today() + timedelta(days=30)), "figures": {}}
    for body in (figures(today()), figures(today()), later):
        answer = await chief.http.put("/v1/claim-rules", json=body, headers=chief.headers)
        assert answer.status_code == 200, answer.text
    listed = (await insurer.get("/v1/claim-rules")).json()
    assert [(one["in_force_on"], one["in_force"]) for one in listed] == [
        (str(today() + timedelta(days=30)), False), (str(today()), True),
    ]  # fmt: skip
    own = {"four_eyes_above": {"value": "10000.00", "source": "特别约定第一条"}}
    claim_id = await reported(insurer, await insured(insurer, claim_terms=own))
    view = (await insurer.get(f"/v1/claims/{claim_id}")).json()
    assert view["terms"]["four_eyes_above"] == {"value": "10000.00", "source": "特别约定第一条", "by": "contract"}
    assert view["terms"]["small_fast_threshold"]["source"] == "理赔管理办法第八条"


async def test_another_insurers_figures_are_not_seen(insurer: Caller, other: Caller, admin) -> None:
    chief = await trusted(other, admin, Scope.CLAIM_RULES_WRITE)
    await chief.http.put("/v1/claim-rules", json=figures(today()), headers=chief.headers)
    assert (await insurer.get("/v1/claim-rules")).json() == []
    claim_id = await reported(insurer, await insured(insurer))
    assert (await insurer.get(f"/v1/claims/{claim_id}")).json()["terms"]["small_fast_threshold"] is None


async def test_figures_are_read_strictly(insurer: Caller, admin) -> None:
    chief = await trusted(insurer, admin, Scope.CLAIM_RULES_WRITE)
    for name, figure in (
        ("small_fast_threshold", {"value": 50000, "source": "x"}),
        ("small_fast_threshold", {"value": "0", "source": "x"}),
        ("small_fast_threshold", {"value": "1.001", "source": "x"}),
        ("small_fast_threshold", {"value": "50000.00"}),
        ("small_fast_days", {"value": 0, "source": "x"}),
        ("small_fast_days", {"value": "3", "source": "x"}),
        ("emergency_purposes", {"value": ["gifts"], "source": "x"}),
        ("thresold", {"value": "50000.00", "source": "x"}),
    ):
        body = {"in_force_on": str(today()), "figures": {name: figure}}
        answer = await chief.http.put("/v1/claim-rules", json=body, headers=chief.headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), (name, figure)
    assert await counted(admin, "insurer_claim_rules") == {"insurer_claim_rules": 0}
