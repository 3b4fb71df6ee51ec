"""Every row of the bad-input matrix of these routes: the required 4xx, a problem document, nothing changed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from api.insurer.doors import DOORS
from models.contracts.vocabulary import CaseKind
from tests.api.conftest import Caller, counted, fresh_key, terms, today

TABLES = ("cases", "steps", "commands", "insureds", "recipients", "outbox", "files")
NOBODYS = "6f0c3a52-6f1d-5c7e-9a55-0a0f5e2b7c11"
LONG = "9" * 5000
DEEP = b'{"terms":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def with_terms(**changed: object) -> bytes:
    body = terms()
    return json.dumps({**body, "terms": {**body["terms"], **changed}}).encode()


def literal(field: str, value: str) -> bytes:
    """The application with a literal put into the text as it stands."""
    return with_terms(**{field: "@@"}).replace(b'"@@"', value.encode())


BODIES: list[tuple[str, bytes, int]] = [
    ("NaN literal", literal("premium_total", "NaN"), 422),
    ("Infinity literal", literal("premium_total", "Infinity"), 422),
    ("number that reads as infinite", literal("premium_total", "1e999"), 422),
    ("NaN in a string", with_terms(premium_total="NaN"), 422),
    ("sNaN in a string", with_terms(premium_total="sNaN"), 422),
    ("huge exponent", with_terms(premium_total="1e400000"), 422),
    ("three decimals", with_terms(premium_total="0.001"), 422),
    ("float as money", literal("premium_total", "0.1"), 422),
    ("integer as money", literal("premium_total", "100"), 422),
    ("negative money", with_terms(premium_total="-1.00"), 422),
    ("fullwidth digits", with_terms(premium_total="１２"), 422),
    ("grouped digits", with_terms(premium_total="1_000"), 422),
    ("NUL in text", with_terms(size_source="a\x00b"), 422),
    ("lone surrogate", literal("size_source", r'"\ud800"'), 422),
    ("right-to-left override in a number", with_terms(number="PA\u202e1"), 422),
    ("zero width in a number", with_terms(number="PA\u200b1"), 422),
    ("line break in a name", with_terms(size_source="a\r\nBcc: x"), 422),
    ("name of nothing visible", with_terms(size_source="\u200b\u202e"), 422),
    ("int beyond bounds", literal("headcount", str(2**31)), 422),
    ("5,000 digits", literal("headcount", LONG), 400),
    ("true as int", literal("headcount", "true"), 422),
    ("string as int", with_terms(headcount="5"), 422),
    ("float as int", literal("headcount", "5.0"), 422),
    ("int as flag", literal("out_of_area", "1"), 422),
    ("string as flag", with_terms(out_of_area="true"), 422),
    ("unknown field", with_terms(insurer_id="x"), 422),
    ("status set from outside", json.dumps({**terms(), "stage": "served"}).encode(), 422),
    ("doubled key", b'{"terms":{},"terms":{}}', 400),
    ("100,000 levels", DEEP, 400),
    ("100 levels", b'{"terms":' + b"[" * 100 + b"]" * 100 + b"}", 400),
    ("5 MB string", with_terms(size_source="x" * 5_000_000), 413),
    ("invalid UTF-8", b'{"terms":"\xff\xfe"}', 400),
    ("UTF-16", with_terms().decode().encode("utf-16"), 415),
    ("UTF-16 without mark", with_terms().decode().encode("utf-16-le"), 415),
    ("BOM", b"\xef\xbb\xbf" + with_terms(), 415),
    ("naive instant", with_terms(signed_at="2026-01-02T09:00:00"), 422),
    ("unix number as instant", literal("signed_at", "1"), 422),
    ("instant as date", with_terms(effective_on="2026-01-02T00:00:00+08:00"), 422),
    ("unix number as date", literal("effective_on", "1767225600"), 422),
    ("31 February", with_terms(effective_on="2026-02-31"), 422),
    ("year 9999 with offset", with_terms(signed_at="9999-12-31T23:59:59-08:00"), 422),
    ("year 1", with_terms(effective_on="0001-01-01"), 422),
    ("cover that ends before it begins", with_terms(expires_on="2001-01-01"), 422),
    ("empty body", b"", 400),
    ("array", b"[]", 422),
    ("null", b"null", 422),
    ("not JSON", b"{", 400),
    ("region in fullwidth", with_terms(region="３４１３００"), 422),
    ("unknown sector", with_terms(sector="banking"), 422),
    ("number with a slash", with_terms(number="../x"), 422),
]
PARTIES: list[tuple[str, dict[str, str]]] = [
    ("wrong check digit", {"credit_code": "91341300MA2NXR5T8A"}),
    ("two addresses", {"email": "a@x.example, evil@y.example"}),
    ("header in an address", {"email": "a@x.example\r\nBcc: e@y.example"}),
    ("display name in an address", {"email": "X <a@x.example>"}),
    ("fullwidth address", {"email": "a＠x.example"}),
]


@contextmanager
def saying(what: str) -> Iterator[None]:
    """Name the row of the matrix in a failure; one database serves all rows."""
    try:
        yield
    except AssertionError as failure:
        raise AssertionError(f"{what[:80]}: {failure}") from failure


def refused(answer, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["instance"] == answer.headers["x-request-id"]
    assert problem["type"] == f"/problems/{problem['code']}"


async def test_every_bad_body_is_refused_and_changes_nothing(insurer: Caller, admin) -> None:
    before = await counted(admin, *TABLES)
    for what, body, status in BODIES:
        with saying(what):
            refused(await insurer.raw("/v1/policies", body), status)
            assert await counted(admin, *TABLES) == before


async def test_a_bad_enterprise_is_refused_beside_its_field(insurer: Caller, admin) -> None:
    before, body = await counted(admin, *TABLES), terms()
    for what, party in PARTIES:
        with saying(what):
            answer = await insurer.post("/v1/policies", {**body, "insured": {**body["insured"], **party}})
            refused(answer, 422)
            assert answer.json()["errors"][0]["field"] == f"body.insured.{next(iter(party))}"
            assert await counted(admin, *TABLES) == before


async def test_no_answer_repeats_what_was_sent(insurer: Caller) -> None:
    marker = "个人信息标记-4711"
    answer = await insurer.post("/v1/policies", {**terms(sector=marker), "memo": marker})
    refused(answer, 422)
    assert marker not in answer.text


async def test_errors_are_said_in_chinese_beside_their_fields(insurer: Caller) -> None:
    answer = await insurer.post("/v1/policies", terms(premium_total=1, headcount="5", effective_on=1, size="huge"))
    said = {error["field"]: error["reason"] for error in answer.json()["errors"]}
    assert said["body.terms.headcount"] == "须为整数"
    assert said["body.terms.effective_on"] == "日期须写作 2026-01-31"
    assert said["body.terms.premium_total"].startswith("金额须为字符串")
    assert said["body.terms.size"] == "不是可用的取值，可填：large、medium、small、micro"


async def test_another_media_type_is_refused(insurer: Caller) -> None:
    for media_type in ("", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk"):
        with saying(media_type):
            refused(await insurer.raw("/v1/policies", with_terms(), **{"Content-Type": media_type}), 415)


async def test_a_chunked_body_is_counted_too(insurer: Caller) -> None:
    async def pieces():
        for _ in range(40):
            yield b" " * 8192

    headers = {**insurer.headers, "Idempotency-Key": fresh_key(), "Content-Type": "application/json"}
    refused(await insurer.http.post("/v1/policies", content=pieces(), headers=headers), 413)


async def test_a_missing_or_malformed_idempotency_key_is_refused(insurer: Caller, admin) -> None:
    for key in (None, "", " ", "x" * 256, "键", "a b"):
        with saying(repr(key)):
            given = [] if key is None else [(b"Idempotency-Key", key.encode())]
            known = [(name.encode(), value.encode()) for name, value in insurer.headers.items()]
            answer = await insurer.http.post("/v1/policies", json=terms(), headers=[*known, *given])
            refused(answer, 400)
            assert answer.json()["code"] == "idempotency_key_missing"
    assert await counted(admin, "cases") == {"cases": 0}


async def test_no_command_goes_without_an_idempotency_key(insurer: Caller) -> None:
    for door in DOORS:
        with saying(door.path):
            shelf = "policies" if door.kind is CaseKind.POLICY else "hazards"
            url = f"/v1/{shelf}/{NOBODYS}/{door.path}"
            refused(await insurer.http.post(url, json=door.example(today()), headers=insurer.headers), 400)


async def test_doubled_and_oversized_headers_are_refused(insurer: Caller) -> None:
    doubled = [*insurer.headers.items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    refused(await insurer.http.post("/v1/policies", json=terms(), headers=doubled), 400)
    refused(await insurer.http.get("/v1/me", headers=[*insurer.headers.items(), *insurer.headers.items()]), 400)
    refused(await insurer.http.get("/v1/me", headers={**insurer.headers, "X-Fat": "x" * 100_000}), 431)


async def test_an_odd_path_is_not_found_with_the_same_body(insurer: Caller) -> None:
    absent = (await insurer.get(f"/v1/policies/{NOBODYS}")).json()
    for path in ("policies/x", "policies/%00", "policies/..%2f..%2fetc", f"policies/{'9' * 3000}", "nothing"):
        with saying(path):
            answer = await insurer.get(f"/v1/{path}")
            refused(answer, 404)
            assert {**answer.json(), "instance": ""} == {**absent, "instance": ""}


QUERIES = (
    "limit=-1", "limit=0", "limit=201", "limit=1000000000", "limit=５", "limit=x", "sort=premium", "region=34",
    "region=%27%3B--", "sector=banking", "stage=unknown", "overdue=perhaps", "due_before=tomorrow", "due_before=1",
    "cursor=abc", "cursor=%00", "cursor=" + "A" * 401, "insured=%00", "insured=" + "x" * 121, f"insurer_id={NOBODYS}",
    "limit=1&limit=200", "limit=1&%6cimit=2", "cursor=&cursor=", "region=341300&region=340000",
)  # fmt: skip


async def test_a_bad_query_is_refused(insurer: Caller) -> None:
    for query in QUERIES:
        with saying(query):
            refused(await insurer.get(f"/v1/policies?{query}"), 422)


async def test_a_wrong_method_is_refused(insurer: Caller) -> None:
    answer = await insurer.http.request("PATCH", "/v1/policies", headers=insurer.headers, json={})
    refused(answer, 405)
