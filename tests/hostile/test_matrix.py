"""Bad input and the security baseline are proved row by row by tests that exist; rows no other tier has, here."""

import ast
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from api.insurer.doors import DOORS
from api.words import ProblemCode
from models.contracts.base import Name
from runtime.settings import PROJECT_ROOT
from tests.api.conftest import today
from tests.authorization.world import PAGES, World

MATRIX, BASELINE = (
    yaml.safe_load((PROJECT_ROOT / "tests" / "hostile" / name).read_text(encoding="utf-8"))
    for name in ("matrix.yaml", "baseline.yaml")
)
EXAMPLES = {(one.kind.value, one.path): one.example for one in DOORS}
ROWS = 39 + 3
GENERATED, AREAS = 13, 24
"""Rows of promises.md section 4 and those we found ourselves; tests of its 5.2, rows of its section 6."""


@cache
def functions_of(path: str) -> frozenset[str]:
    parsed = ast.parse((PROJECT_ROOT / path).read_text(encoding="utf-8"))
    return frozenset(one.name for one in ast.walk(parsed) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("row", [*MATRIX, *BASELINE], ids=lambda row: row["row"])
def test_every_row_names_tests_that_exist_and_the_words_they_use(row: dict[str, Any]) -> None:
    files = {name.partition("::")[0] for name in row["tests"]}
    assert [name for name in row["tests"] if name.partition("::")[2] not in functions_of(name.partition("::")[0])] == []
    text = "".join((PROJECT_ROOT / path).read_text(encoding="utf-8") for path in files)
    assert [said for said in row.get("said", ()) if f'"{said}"' not in text] == []
    assert row["tests"] or row.get("why")


def test_no_row_is_missing() -> None:
    assert len({row["row"] for row in MATRIX}) == ROWS
    assert len([row for row in BASELINE if row["row"].startswith("5.2.")]) == GENERATED
    assert len({row["row"] for row in BASELINE}) == GENERATED + AREAS


def test_what_cannot_be_seen_is_taken_out_of_names() -> None:
    """Names are shown to officials in mails: no override of direction, no zero width, no line of its own."""
    name = TypeAdapter(Name)
    assert name.validate_python("\u202e宿州\u200b皖北\ufeff化工 ") == "宿州皖北化工"
    assert name.validate_python("宿\U000e0041州\u3164皖\ufe0f北") == "宿州皖北"
    blank = ("\u200b\u202e", "\u3164", "\U000e0020\ufffa", "\u2800\u115f")
    for refused in ("甲\r\nBcc: x@y.example", "甲\u2028乙", "甲\x00", "甲\x85乙", *blank):
        with pytest.raises(ValidationError):
            name.validate_python(refused)


async def endless(parts: int, each: int, *, named: bool) -> AsyncIterator[bytes]:
    """A form of so many parts of so many bytes."""
    for number in range(parts):
        file = f'; filename="{number}.csv"' if named else ""
        yield f'--x\r\nContent-Disposition: form-data; name="a{number}"{file}\r\n\r\n'.encode()
        yield b"x" * each + b"\r\n"
    yield b"--x--\r\n"


@pytest.mark.parametrize(
    ("parts", "each", "named"),
    [(5000, 1, False), (200, 1000, True), (3, 90 * 1024, False), (3, 30 * 1024 * 1024, True)],
    ids=("many fields", "many files", "long fields", "large files"),
)
async def test_a_form_of_endless_parts_is_refused_and_keeps_nothing(
    world: World, parts: int, each: int, named: bool
) -> None:
    admin, before = world.actors["insurer_admin"], await world.rows()
    headers = PAGES | {"Cookie": admin.cookie, "Content-Type": "multipart/form-data; boundary=x"}
    answer = await world.http.post("/insurer/import", content=endless(parts, each, named=named), headers=headers)
    assert answer.status_code in (400, 413), answer.status_code
    assert await world.rows() == before


@pytest.mark.parametrize(
    "head", [b"", b"--", b"--x", b"--x\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--"]
)
@pytest.mark.parametrize("boundary", ["x", "", '"', "x" * 3000])
async def test_a_form_that_is_none_is_refused(world: World, head: bytes, boundary: str) -> None:
    admin = world.actors["insurer_admin"]
    kind = f"multipart/form-data; boundary={boundary}" if boundary else "multipart/form-data"
    headers = PAGES | {"Cookie": admin.cookie, "Content-Type": kind}
    answer = await world.http.post("/insurer/import", content=head, headers=headers)
    assert answer.status_code in (400, 403, 413), answer.status_code


async def test_a_step_out_of_order_is_answered_with_where_the_case_stands(world: World) -> None:
    """Closed, repeated, skipped: 409 and the stage in words, and the case is as it was."""
    key, ended, own = world.actors["insurer_key"], world.holdings["ended"].ids, world.holdings["rival"].ids
    rival = type(key)("rival", world.http, bearer=world.insurers[1].token)
    before = await world.rows()
    asked = (
        (key, f"/v1/policies/{ended['policy']}/provider", EXAMPLES["policy", "provider"](today()), "退保"),
        (key, f"/v1/claims/{ended['claim']}/documents", {"complete": True}, "撤案"),
        (rival, f"/v1/policies/{own['policy']}/upload", EXAMPLES["policy", "upload"](today()), "已于"),
        (rival, f"/v1/hazards/{own['hazard']}/recheck", {"passed": True, "note": "合格"}, "目前"),
    )
    for actor, path, body, said in asked:
        answer = await actor.ask("POST", path, body)
        assert answer.status_code == 409, (path, answer.text)
        closed = answer.json()["code"] == ProblemCode.CASE_CLOSED
        assert said in answer.json()["detail"] or closed, (path, answer.text)
    assert await world.rows() == before
