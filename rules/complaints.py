"""Turns what validation says into Chinese reasons with file, line and path; the contracts themselves validate."""

import difflib
import json
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from models.contracts import vocabulary
from models.contracts.vocabulary import Word
from rules.findings import Finding, RulesRefused
from rules.packfile import Document, Place

M = TypeVar("M", bound=BaseModel)
QUOTED = re.compile(r"'([^']*)'")
MISSING = {
    "clause": "缺少条款号 clause（写明出处，如 二(五)）",
    "unit": "期限缺少单位 unit（natural_day、working_day、hour 或 year）",
    "by": "缺少 by（law 法规规定、contract 合同约定、product 系统约定）",
    "number": "缺少文号 number",
    "in_force_on": "缺少施行日期 in_force_on",
    "checked_on": "缺少核对日期 checked_on",
}
PATTERNS = {
    "at": "时点须写作 open、due、-3d、+7d、-12h 这样的形式",
    "value": '数值须写作加引号的文字，如 "0.12"',
    "id": "编号须为小写英文字母、数字和下划线，以字母开头",
    "overrides": "编号须为小写英文字母、数字和下划线，以字母开头",
    "every": "间隔须写作 7d 这样的形式",
    "at_most": "长度须写作 15d 这样的形式",
    "region": "地区须是加引号的六位行政区划代码",
    "[key]": "名称须为小写英文字母、数字和下划线，以字母开头",
}
VOCABULARIES = [word for word in vars(vocabulary).values() if isinstance(word, type) and issubclass(word, Word)]
KINDS = {
    "Role": "角色", "Sector": "行业", "Size": "规模", "Event": "事件", "TermUnit": "期限单位", "By": "依据",
    "NoticeKind": "通知种类", "Combine": "叠加方式", "RateBase": "计算基数", "SpendPurpose": "用途",
    "SurrenderReason": "退保原因", "PolicyField": "保单字段", "FirstDay": "起算日规则", "OnHoliday": "节假日规则",
    "Occurs": "发生次数", "HazardGrade": "隐患等级", "ClaimPath": "理赔路径", "PathFact": "路径条件",
    "PathFigure": "合同数字", "PolicyKind": "保单类型",
}  # fmt: skip


def validated(document: Document, model: type[M], place: Place = ()) -> M:
    """The content of a document as a contract. Raises RulesRefused with every complaint, not only the first."""
    data = document.data
    for part in place:
        data = data[part]
    if not isinstance(data, dict):
        raise RulesRefused((document.finding(place, "内容须是“键: 值”的形式"),))
    try:
        return model.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        raise RulesRefused(
            tuple(_finding(document, place, item) for item in error.errors(include_url=False))
        ) from error


def _finding(document: Document, place: Place, error: Any) -> Finding:
    return document.finding((*place, *(part for part in error["loc"] if part != "[key]")), reason(error))


def reason(error: Any) -> str:
    """One complaint of the validator as a Chinese sentence."""
    kind, last = error["type"], _last_name(error["loc"])
    speak = SPEAKERS.get(kind)
    if speak:
        return speak(error, last)
    if kind.startswith(("string_", "date_", "int_", "bool_", "enum", "datetime_", "timezone_")):
        return f"“{_short(error['input'])}”的写法不对，应为{_expected(kind)}"
    return f"{error['msg']}（{_short(error['input'])}）"


def _last_name(loc: tuple[str | int, ...]) -> str:
    names = [part for part in loc if isinstance(part, str)]
    return names[-1] if names else ""


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:39] + "…"


def _expected(kind: str) -> str:
    if kind.startswith("date"):
        return "日期，如 2026-01-31"
    return {"string": "文字（数字请加引号）", "int": "整数", "bool": "true 或 false"}.get(
        kind.split("_")[0], "另一种写法"
    )


def _unknown_word(error: Any, last: str) -> str:
    known = QUOTED.findall(error["ctx"]["expected"])
    words = next((words for words in VOCABULARIES if [word.value for word in words] == known), None)
    kind = KINDS.get(words.__name__, "词") if words else "词"
    given = _short(error["input"])
    near = difflib.get_close_matches(given, known, n=1)
    hint = f"，是否指 {near[0]}？" if near else ""
    listed = "、".join(f"{word.value} {word.label}" for word in words) if words and len(known) <= 16 else ""
    return f"未知的{kind}“{given}”{hint}" + (f"（可用：{listed}）" if listed else "")


def _missing(error: Any, last: str) -> str:
    return MISSING.get(last, f"缺少必填项 {last}")


def _unmatched(error: Any, last: str) -> str:
    return f"“{_short(error['input'])}”：" + PATTERNS.get(last, f"须符合 {error['ctx']['pattern']}")


def _untyped_text(error: Any, last: str) -> str:
    if isinstance(error["input"], dict | list):
        return "须是一段文字"
    return f'“{_short(error["input"])}”须是文字，数字请加引号，如 "{_short(error["input"])}"'


def _range(error: Any, last: str) -> str:
    bound = next(value for key, value in error["ctx"].items() if key in ("ge", "le", "gt", "lt"))
    return f"{_short(error['input'])} 超出范围（界限 {bound}）"


SPEAKERS: dict[str, Any] = {
    "extra_forbidden": lambda error, last: f"未知的键“{last}”",
    "missing": _missing,
    "enum": _unknown_word,
    "literal_error": lambda error, last: f"“{_short(error['input'])}”不可用，只能是 {error['ctx']['expected']}",
    "string_pattern_mismatch": _unmatched,
    "string_type": _untyped_text,
    "string_too_short": lambda error, last: "不得为空",
    "string_too_long": lambda error, last: f"文字过长（最多 {error['ctx']['max_length']} 字）",
    "too_short": lambda error, last: "至少须有一项",
    "greater_than_equal": _range,
    "less_than_equal": _range,
    "tuple_type": lambda error, last: "须是列表（每行以 - 开头，或写在 [ ] 内）",
    "frozen_set_type": lambda error, last: "须是列表（每行以 - 开头，或写在 [ ] 内）",
    "dict_type": lambda error, last: "须是“键: 值”的形式",
    "model_type": lambda error, last: "须是“键: 值”的形式",
    "value_error": lambda error, last: str(error["msg"]).removeprefix("Value error, "),
}
