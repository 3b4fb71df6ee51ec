"""Which obligations of the notices a test proves, which are only recorded, which are not done; from packs and tests."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from models.contracts.pack import Pack
from rules.library import Library
from runtime.settings import PROJECT_ROOT

OBLIGATIONS = PROJECT_ROOT / "docs" / "obligations.yaml"
PAGE = PROJECT_ROOT / "docs" / "coverage.md"
TESTS = PROJECT_ROOT / "tests"
NOTHING = "NONE"


class Standing(Enum):
    """How far an obligation has come, in the words of the report."""

    PROVED = "已由测试证明"
    RECORDED = "仅留痕"
    NOT_YET = "尚未办到"
    NOTHING = "无需系统办理"


@dataclass(frozen=True)
class Obligation:
    """One obligation: its clause, what it asks of a system, where it is stated, recorded and proved."""

    id: str
    at: str
    actions: tuple[str, ...]
    in_packs: bool = False
    recorded: str = ""
    tests: tuple[str, ...] = ()

    @property
    def standing(self) -> Standing:
        if self.tests:
            return Standing.PROVED
        if self.recorded:
            return Standing.RECORDED
        return Standing.NOTHING if self.actions == (NOTHING,) else Standing.NOT_YET


@dataclass(frozen=True)
class Notice:
    """One notice with all its obligations, in the order of its text."""

    code: str
    place: str
    number: str
    obligations: tuple[Obligation, ...]

    def standing(self, standing: Standing) -> tuple[Obligation, ...]:
        return tuple(one for one in self.obligations if one.standing is standing)


def covered() -> tuple[Notice, ...]:
    """Every notice, as it stands with the packs and tests of this version."""
    packs = [loaded.pack for loaded in Library().packs()]
    stated = {one for pack in packs for one in _proves(pack.model_dump(mode="json"))}
    recorded = {one: where for pack in packs for one, where in pack.recorded.items()}
    tests = marks()
    return tuple(_notice(code, of, stated, recorded, tests) for code, of in written().items())


def written() -> dict[str, dict[str, Any]]:
    """The list of obligations by notice."""
    return yaml.safe_load(OBLIGATIONS.read_text(encoding="utf-8"))


def _notice(
    code: str, of: dict[str, Any], stated: set[str], recorded: Mapping[str, str], tests: Mapping[str, tuple[str, ...]]
) -> Notice:
    obligations = tuple(
        Obligation(
            id=number,
            at=one["at"],
            actions=tuple(one["actions"]),
            in_packs=number in stated,
            recorded=recorded.get(number, ""),
            tests=tests.get(number, ()),
        )
        for number, one in of["obligations"].items()
    )
    return Notice(code, of["place"], of["number"], obligations)


def _proves(value: Any) -> Iterator[str]:
    """Every id under a `proves` of a pack, wherever it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from inner if key == "proves" else _proves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _proves(inner)


def named(pack: Pack) -> set[str]:
    """The ids a pack speaks of, stated or recorded."""
    return {*_proves(pack.model_dump(mode="json")), *pack.recorded}


def marks(tests: Path = TESTS) -> dict[str, tuple[str, ...]]:
    """Obligation → the test files that carry its mark, read from their syntax."""
    found: dict[str, list[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for number in _marked(node):
                found.setdefault(number, []).append(path.relative_to(tests).as_posix())
    return {number: tuple(dict.fromkeys(paths)) for number, paths in found.items()}


def _marked(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "obligation":
        for argument in node.args:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


def page(notices: tuple[Notice, ...]) -> str:
    """docs/coverage.md."""
    lines = [
        "# 通知义务的证明情况 · Coverage",
        "",
        "由 `anze coverage --write` 写出，请勿手改。义务编号见 `docs/obligations.yaml`。",
        "“已由测试证明”指至少有一个带该编号的测试；带 * 的已写入规则包而尚无专门的测试。",
        "",
        "| 通知 | " + " | ".join(standing.value for standing in Standing) + " | 合计 |",
        "|---|" + "---:|" * (len(Standing) + 1),
    ]
    for notice in notices:
        counts = [str(len(notice.standing(standing))) for standing in Standing]
        lines.append(
            f"| {notice.place} {notice.number} | " + " | ".join([*counts, str(len(notice.obligations))]) + " |"
        )
    for notice in notices:
        lines += [
            "",
            f"## {notice.place} {notice.number}",
            "",
            "| 编号 | 条款 | 需要 | 情况 | 在哪里 |",
            "|---|---|---|---|---|",
        ]
        lines += [_line(one) for one in notice.obligations if one.standing is not Standing.NOTHING]
        idle = "、".join(one.id for one in notice.standing(Standing.NOTHING))
        lines += ["", f"{Standing.NOTHING.value}：{idle or '无'}"]
    return "\n".join(lines) + "\n"


def _line(one: Obligation) -> str:
    rooms = dict.fromkeys(path.partition("/")[0] for path in one.tests)
    where = "、".join(f"`tests/{room}`" for room in rooms) or one.recorded or ("规则包 *" if one.in_packs else "")
    return f"| {one.id} | {one.at} | {' '.join(one.actions)} | {one.standing.value} | {where} |"


def as_json(notices: tuple[Notice, ...]) -> list[dict[str, Any]]:
    """The report for programs: ids by standing, per notice."""
    return [
        {
            "code": notice.code,
            "place": notice.place,
            "number": notice.number,
            **{standing.name.lower(): [one.id for one in notice.standing(standing)] for standing in Standing},
            "stated_without_test": [one.id for one in notice.obligations if one.in_packs and not one.tests],
        }
        for notice in notices
    ]
