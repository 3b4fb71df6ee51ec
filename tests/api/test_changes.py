"""A core system that reads the changes knows everything that happened to its cases, once and in order."""

import asyncio
from typing import Any

import pytest

from models.contracts.vocabulary import CaseKind
from tests.api.conftest import Caller, sample_file, terms, today
from tests.api.test_writing import EXAMPLES, opened

pytestmark = pytest.mark.usefixtures("worker")


async def followed(caller: Caller, after: int = 0, **asked: Any) -> tuple[list[dict[str, Any]], int]:
    """Everything from a position on, page by page, and where the next reading begins."""
    found: list[dict[str, Any]] = []
    while True:
        answer = await caller.get("/v1/changes", params={"after": after, "limit": 3, **asked})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        after = page["next"]
        if after >= page["latest"]:
            return found, after


async def served(caller: Caller, number: str) -> str:
    """A policy with a visit and the hazard it found."""
    policy_id = await opened(caller, number)
    for path in ("provider", "visits"):
        body = {**EXAMPLES[(CaseKind.POLICY, path)](today())}
        answer = await caller.post(f"/v1/policies/{policy_id}/{path}", body)
        assert answer.status_code == 200, answer.text
    return policy_id


async def test_what_is_told_of_changes_is_every_line_of_every_timeline(insurer: Caller, other: Caller) -> None:
    await sample_file(insurer)
    policy_id = await served(insurer, "PA-1")
    await opened(other, "PA-1")
    hazard_id = (await insurer.get(f"/v1/policies/{policy_id}/hazards")).json()["items"][0]["id"]
    told, _ = await followed(insurer)
    assert [change["position"] for change in told] == sorted({change["position"] for change in told})
    for case_id, shelf in ((policy_id, "policies"), (hazard_id, "hazards")):
        timeline = (await insurer.get(f"/v1/{shelf}/{case_id}/timeline")).json()
        mine = [change for change in told if change["case_id"] == case_id]
        assert [line for change in mine for line in change["happened"]] == timeline
        assert [change["seq"] for change in mine] == sorted({line["seq"] for line in timeline})
    assert {change["case_id"] for change in told} == {policy_id, hazard_id}
    assert {(change["kind"], change["policy_id"]) for change in told} == {("policy", None), ("hazard", policy_id)}


async def test_reading_on_brings_only_what_is_new_and_a_filter_misses_nothing(insurer: Caller) -> None:
    await sample_file(insurer)
    _, place = await followed(insurer)
    policy_id = await served(insurer, "PA-1")
    new, place = await followed(insurer, place)
    assert {change["case_id"] for change in new} > {policy_id}
    assert (await followed(insurer, place))[0] == []
    hazards = [change for change in new if change["kind"] == "hazard"]
    assert (await followed(insurer, kind="hazard"))[0] == hazards


async def test_whoever_reads_while_others_write_misses_nothing(insurer: Caller) -> None:
    numbers = [f"PA-{number}" for number in range(8)]
    writing = asyncio.gather(*(insurer.post("/v1/policies", terms(number)) for number in numbers))
    seen, place = list[str](), 0
    while not writing.done():
        told, place = await followed(insurer, place)
        seen += [change["number"] for change in told]
    told, _ = await followed(insurer, place)
    assert {answer.status_code for answer in await writing} == {201}
    assert sorted(seen + [change["number"] for change in told]) == numbers


async def test_a_position_nobody_gave_is_refused(insurer: Caller) -> None:
    answer = await insurer.get("/v1/changes", params={"after": 4711})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")
    for wrong in ("-1", "x", str(2**63)):
        assert (await insurer.get("/v1/changes", params={"after": wrong})).status_code == 422


async def test_a_case_is_found_by_its_own_number(insurer: Caller, other: Caller) -> None:
    policy_id = await opened(insurer, "PA-1")
    await opened(insurer, "PA-2")
    await opened(other, "PA-3")
    found = (await insurer.get("/v1/policies", params={"number": "PA-1"})).json()["items"]
    assert [line["id"] for line in found] == [policy_id]
    assert (await insurer.get("/v1/policies", params={"number": "PA-3"})).json()["items"] == []
    assert (await insurer.get("/v1/claims", params={"number": "PA-1"})).json()["items"] == []
