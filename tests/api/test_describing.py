"""What the API says about itself is true: examples pass, codes have pages, words come in two languages."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from jsonschema import Draft202012Validator

from activities.payment_channels import signature
from api.possible import NEVER, refusals
from api.words import REFUSALS, ProblemCode
from tests.api.conftest import Caller
from tests.api.kept import broken, known, promises
from tests.runtime.waiting import until

ROOT = Path(__file__).resolve().parents[2]
OPEN = {"/health/live", "/health/ready", "/version"}


def operations(app: FastAPI) -> list[tuple[str, str, dict]]:
    return [(path, method, one) for path, item in app.openapi()["paths"].items() for method, one in item.items()]


def test_every_operation_speaks_chinese_and_english_and_names_its_problems(app: FastAPI) -> None:
    assert app.openapi()["openapi"].startswith("3.1")
    for path, method, one in operations(app):
        assert re.search(r"[\u4e00-\u9fff].* / .*[A-Za-z]", one["summary"]), path
        assert one["description"], path
        if path in OPEN:
            continue
        assert one["security"] == [{"key": []}], path
        assert {"401", "403", "404", "422", "503"} <= set(one["responses"]), path
        if method == "post":
            assert [p["required"] for p in one["parameters"] if p["name"] == "Idempotency-Key"] == [True], path


def test_every_example_fits_its_schema(app: FastAPI) -> None:
    schema = app.openapi()
    shown = 0
    for path, _, one in operations(app):
        content = one.get("requestBody", {}).get("content", {}).get("application/json")
        if not content:
            continue
        whole = {**content["schema"], "components": schema["components"]}
        example = content["examples"]["example"]["value"]
        assert list(Draft202012Validator(whole).iter_errors(example)) == [], path
        shown += 1
    assert shown == 61


def test_every_refusal_lists_its_codes_and_every_code_is_possible_somewhere(app: FastAPI) -> None:
    shared = app.openapi()["components"]["responses"]
    listed: set[str] = set()
    for path, _, one in operations(app):
        if path in OPEN:
            continue
        for status, answer in one["responses"].items():
            if status.startswith("2"):
                continue
            codes = shared[answer["$ref"].rpartition("/")[2]]["x-codes"]
            assert codes, (path, status)
            listed |= set(codes)
    general = {code.value for code in ProblemCode} - NEVER - {ProblemCode.METHOD_NOT_ALLOWED}
    assert general - listed == set()
    told = {name: codes.keys() for name, codes in refusals().items()}
    assert told.keys() <= {one["operationId"] for _, _, one in operations(app)}
    assert {"four_eyes", "over_per_person", "payment_not_allowed"} <= told["claim_approve_payment"]
    assert {"surrender_not_lawful", "case_closed", "date_in_future"} <= told["policy_surrender"]


def test_every_field_and_every_word_is_explained_in_both_languages(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    silent = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, part in schema.get("properties", {}).items()
        if not re.search(r"[\u4e00-\u9fff].* / .*[A-Za-z]", part.get("description", ""))
    ]
    assert silent == []
    lists = [name for name, schema in schemas.items() if "enum" in schema]
    assert [name for name in lists if set(schemas[name]["enum"]) != schemas[name]["x-enumDescriptions"].keys()] == []


def test_nothing_that_was_promised_to_those_who_use_v1_is_gone(app: FastAPI) -> None:
    """Where something was added on purpose, `python -m tests.api.kept` writes it down as promised too."""
    assert list(broken(known(), promises(app.openapi()))) == []


def test_what_is_taken_away_or_newly_demanded_is_seen(app: FastAPI) -> None:
    now = promises(app.openapi())
    now["operations"].pop("GET /v1/me")
    now["schemas"]["PolicyView"].pop("stage")
    now["schemas"]["UploadPolicy"] |= {"file": "string!", "seal": "string!", "remark": "string"}
    now["words"]["Sector"].remove("fishery")
    assert set(broken(known(), now)) == {
        "GET /v1/me is gone",
        "PolicyView.stage was PolicyStage",
        "UploadPolicy.file was Attachment!",
        "UploadPolicy needs seal",
        "Sector lost fishery",
    }


def test_the_signature_of_the_guide_is_the_one_orders_are_signed_with() -> None:
    guide = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- example: signature -->\n```\n(.*?)```", guide, re.DOTALL)
    assert block
    said = dict(line.split(maxsplit=1) for line in block[1].splitlines())
    assert signature(said["secret"].encode(), said["timestamp"], said["body"].encode()) == said["signature"]


def test_operation_ids_are_unique(app: FastAPI) -> None:
    names = [one["operationId"] for _, _, one in operations(app)]
    assert len(names) == len(set(names))


def test_every_code_a_case_refuses_with_is_explained() -> None:
    sources = [path for folder in ("domain", "workflows") for path in (ROOT / folder).rglob("*.py")]
    codes = {code for path in sources for code in re.findall(r'code="([a-z_]+)"', path.read_text(encoding="utf-8"))}
    assert codes
    assert codes <= set(REFUSALS)


async def test_every_problem_code_has_a_page(http: AsyncClient) -> None:
    for code in {*(one.value for one in ProblemCode), *REFUSALS}:
        page = await http.get(f"/problems/{code}")
        assert page.status_code == 200
        assert code in page.text
    assert (await http.get("/problems/nonsense")).status_code == 404


async def test_the_description_can_be_read_without_script_or_another_server(http: AsyncClient) -> None:
    page = await http.get("/docs")
    assert page.status_code == 200
    assert "/v1/policies/{policy_id}/upload" in page.text
    assert "<script" not in page.text
    assert not re.search(r'(?:src|href)="(?![/#])', page.text)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert (await http.get("/static/api.css")).status_code == 200


async def test_every_route_but_the_open_ones_wants_a_key(app: FastAPI, http: AsyncClient) -> None:
    for path, method, _ in operations(app):
        if path in OPEN:
            continue
        url = path.replace("{digest}", "0" * 64)
        url = re.sub(r"\{\w+\}", "6f0c3a52-6f1d-5c7e-9a55-0a0f5e2b7c11", url)
        json = {} if method in {"post", "put"} and path != "/v1/files" else None
        answer = await http.request(method, url, json=json, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), path


async def test_version_and_liveness_need_no_key(http: AsyncClient) -> None:
    assert (await http.get("/version")).json()["name"] == "anze"
    assert (await http.get("/health/live")).json() == {"live": True}


async def test_readiness_tells_whether_anybody_works(http: AsyncClient) -> None:
    async def is_told() -> bool:  # a probe that takes two seconds has failed
        health = (await http.get("/health/ready")).json()
        return (health["database"], health["temporal"], health["workers"]) == (True, True, False)

    await until(is_told)


@pytest.mark.usefixtures("worker")
async def test_readiness_sees_a_worker(http: AsyncClient) -> None:
    async def is_seen() -> bool:
        return (await http.get("/health/ready")).json()["workers"]

    await until(is_seen)


async def test_every_answer_carries_its_id_and_safe_headers(insurer: Caller) -> None:
    answer = await insurer.http.get("/v1/me", headers={**insurer.headers, "X-Request-Id": "trace-4711-abc"})
    assert answer.headers["x-request-id"] == "trace-4711-abc"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    forged = await insurer.http.get("/v1/me", headers={**insurer.headers, "X-Request-Id": "a b; <c>"})
    assert re.fullmatch(r"[0-9a-f]{32}", forged.headers["x-request-id"])
