"""What is said of a field that was not taken: what would be, in words or in values, and never what was sent."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from api.authorization import doors
from api.desk.naming import caller_of_fields
from api.desk.retelling import CHINESE, retold
from api.desk.words import Language
from api.operator.acts import SHORTEST_REASON
from api.pages import TEMPLATES
from api.patterns import SHAPES
from api.portfolio.columns import Unreadable, facts, words
from api.problems import field_problems
from api.reasons import MOST_CHOICES, among, shaped
from api.shapes import PolicyApplication, PolicyQuery
from models.contracts import vocabulary
from models.contracts.base import MONEY_PATTERN
from models.contracts.policy import PastFact, RecordVisit
from models.contracts.vocabulary import Sector, ServiceItem, Word
from tests.api.kept import unserved

SENT = "个人信息标记-4711"


def said(contract: type[BaseModel], body: dict[str, Any], *, on_page: bool) -> dict[str, str]:
    with pytest.raises(ValidationError) as refused:
        contract.model_validate(body)
    return {one.field: one.reason for one in field_problems(refused.value.errors(), on_page=on_page)}


TERMS: dict[str, Any] = {
    "number": "P 1", "region": "3413", "sector": SENT, "size": SENT, "services_per_year": 99, "headcount": -1,
    "service_items": [SENT], "premium_total": SENT, "signed_at": SENT, "effective_on": SENT, "size_source": "甲" * 200,
}  # fmt: skip


def test_people_are_told_in_words_what_may_be_given() -> None:
    told = said(PolicyApplication, {"terms": TERMS, "insured": {"email": SENT, "credit_code": "9"}}, on_page=True)
    assert told["terms.sector"].startswith("不是可用的取值，可填：非煤矿山、煤矿、危险化学品、")
    assert told["terms.size"] == "不是可用的取值，可填：大型、中型、小型、微型"
    assert "安全风险辨识、评估和安全评价；" in told["terms.service_items.0"], "words that hold the mark between them"
    assert told["terms.services_per_year"] == "大于允许的最大值 52"
    assert told["terms.headcount"].startswith("小于允许的最小值 ")
    assert told["terms.size_source"] == "过长，最多 120 个字"
    assert told["terms.number"] == "格式不符，只用字母、数字、点、横线、下划线，以字母或者数字开头"
    assert told["terms.region"] == "格式不符，须为六位行政区划代码，例如 341300"
    assert told["terms.premium_total"] == "不是有效的金额，以元为单位，最多两位小数，例如 1200.50"
    assert told["terms.signed_at"] == "时间须写作 2026-01-31 09:30"
    assert told["terms.effective_on"] == "日期须写作 2026-01-31"
    assert told["insured.email"] == "格式不符，须为一个邮箱地址"
    assert "18 位" in told["insured.credit_code"]
    assert SENT not in "".join(told.values())
    assert {one for one in told.values() if CHINESE.search(retold(one) or one)} == set()


def test_programs_are_told_in_values() -> None:
    told = said(PolicyApplication, {"terms": TERMS, "insured": {}}, on_page=False)
    assert told["terms.sector"] == "不是可用的取值，可填：" + "、".join(Sector)
    assert told["terms.premium_total"].startswith("金额须为字符串")
    assert told["terms.signed_at"] == "时间须写作 2026-01-31T09:30:00+08:00"
    assert SENT not in "".join(told.values())
    assert said(PolicyQuery, {"limit": 201}, on_page=False)["limit"] == "大于允许的最大值 200"
    short = said(RecordVisit, {"items": []}, on_page=False)
    assert short["items"] == "数量不足，至少 1 项"


def test_a_list_too_long_for_a_sentence_is_named() -> None:
    fact = {"event": SENT, "on": "2026-01-31"}
    many = len(vocabulary.Event)
    assert many > MOST_CHOICES
    programs, people = (said(PastFact, fact, on_page=on_page)["event"] for on_page in (False, True))
    assert programs == f"不是可用的取值，共 {many} 种，见 /openapi.json 中的 Event"
    assert people == "不是可用的取值，请从列表中选择"


def test_every_choice_and_every_shape_is_told_in_english() -> None:
    lists = [one for one in vars(vocabulary).values() if isinstance(one, type) and issubclass(one, Word)]
    told = [among(word.label for word in words) for words in lists if words is not Word]
    told += [shaped(pattern) for pattern in SHAPES]
    assert [one for one in told if CHINESE.search(retold(one) or one)] == []


def patterns(part: Any) -> Iterator[str]:
    """Every pattern of strings that are sent, wherever in a schema."""
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        for one in part.values():
            yield from patterns(one)
    elif isinstance(part, list):
        for one in part:
            yield from patterns(one)


def test_every_pattern_of_a_request_has_its_words() -> None:
    schema = unserved().openapi()
    sent = [one for one in schema["components"]["schemas"].values() if one.get("additionalProperties") is False]
    asked = [one.get("parameters", []) for item in schema["paths"].values() for one in item.values()]
    by_themselves = {MONEY_PATTERN.pattern, r"^[!-~]+$"}  # an amount and an Idempotency-Key have sentences of their own
    assert {*patterns(sent), *patterns(asked)} - SHAPES.keys() - by_themselves == set()


def needs(dependant: Any) -> Iterator[str]:
    """The names of what a route is asked with, and what it depends on."""
    for one in (*dependant.query_params, *dependant.path_params):
        yield from getattr(one.field_info.annotation, "model_fields", [one.alias])
    for below in dependant.dependencies:
        yield from needs(below)


def test_every_form_of_an_operator_s_act_says_how_long_its_reason_must_be() -> None:
    pages = (path.read_text(encoding="utf-8") for path in (TEMPLATES / "operator").glob("*.j2"))
    asks = [line for page in pages for line in page.splitlines() if 'ui.area("reason"' in line]
    assert asks
    assert [line for line in asks if f"least={SHORTEST_REASON}" not in line] == []


@pytest.mark.parametrize("language", Language)
def test_whatever_a_page_is_asked_with_has_a_name(language: Language) -> None:
    called = caller_of_fields(language)
    rooms = (door.route for door in doors(unserved().routes) if not door.path.startswith("/v1/"))
    asked = {name for route in rooms if isinstance(route, APIRoute) for name in needs(route.dependant)}
    assert sorted(name for name in asked if not called(f"query.{name}")) == []
    assert called("items.0.amount"), "positions are passed over"
    assert called("query.?") == ""


def test_several_in_a_cell_are_told_by_their_place_and_a_word_by_the_form_s_own_sentence() -> None:
    page = said(PolicyApplication, {"terms": TERMS, "insured": {}}, on_page=True)
    with pytest.raises(Unreadable) as wrong:
        words(ServiceItem)("其他服务、跳舞")
    assert str(wrong.value) == "第 2 项：" + page["terms.service_items.0"]
    with pytest.raises(Unreadable, match=r"^第 1 项：不是可用的取值，可填：上传电子保单、"):
        facts("跳舞=2026-01-31")
