"""The page of the API is light: a line for each operation, one of them in full, the codes when they are asked for."""

from fastapi import FastAPI
from httpx import AsyncClient

from api.words import REFUSALS
from tests.api.test_describing import operations

HEAVIEST = 100_000
"""Bytes of a page (docs/limits.md)."""


async def test_every_operation_is_listed_and_each_can_be_opened(app: FastAPI, http: AsyncClient) -> None:
    page = (await http.get("/docs")).text
    assert [path for path, _, one in operations(app) if f"show={one['operationId']}#" not in page] == []
    opened = (await http.get("/docs", params={"show": "policy_surrender"})).text
    assert "请求体 / body" in opened
    assert "请求体 / body" not in page


async def test_no_view_of_the_page_is_heavy(app: FastAPI, http: AsyncClient) -> None:
    heavy = {
        show: len(answer.content)
        for show in ("", "codes", "nonsense", *(one["operationId"] for _, _, one in operations(app)))
        if len((answer := await http.get("/docs", params={"show": show})).content) >= HEAVIEST
    }
    assert heavy == {}
    codes = (await http.get("/docs", params={"show": "codes"})).text
    assert [code for code in REFUSALS if code not in codes] == []
