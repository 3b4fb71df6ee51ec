"""The order of commands in workflow code, read from its syntax: `python -m tests.house.fingerprint` writes it anew.

Standard library only, so that it runs without Temporal and cannot be fooled by what is installed.
"""

import ast
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = Path(__file__).with_name("fingerprints.json")
COMMANDS = frozenset(
    {
        "continue_as_new",
        "deprecate_patch",
        "execute_activity",
        "execute_activity_method",
        "execute_child_workflow",
        "execute_local_activity",
        "execute_local_activity_method",
        "patched",
        "set_current_details",
        "signal",
        "sleep",
        "start_activity",
        "start_activity_method",
        "start_child_workflow",
        "start_local_activity",
        "upsert_memo",
        "upsert_search_attributes",
        "wait_condition",
    }
)
"""Calls that become commands, or decide when the next one is sent."""
OURS = frozenset(
    {"act", "approve", "commit", "errand", "go_on", "live", "open_hazards", "recall", "resolve", "ring", "take", "tell"}
)
"""Our own steps between them; their order matters as much."""


def fingerprints() -> dict[str, list[str]]:
    """For every function of the workflow modules, its commands in the order of the source."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "workflows").glob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for name, function in _functions(module):
            if calls := [call for node in function.body for call in _commands(node)]:
                found[f"{path.stem}.{name}"] = calls
    return found


def _functions(tree: ast.AST, within: str = "") -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    found: list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append((f"{within}{node.name}", node))
        elif isinstance(node, ast.ClassDef):
            found += _functions(node, f"{within}{node.name}.")
    return found


def _commands(tree: ast.AST) -> list[str]:
    """Depth first; what a call is given comes before the call."""
    found = [call for node in ast.iter_child_nodes(tree) for call in _commands(node)]
    if isinstance(tree, ast.Call) and (name := _name(tree.func)) in COMMANDS | OURS:
        found.append(name + _what(tree))
    return found


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _what(call: ast.Call) -> str:
    """The activity or signal a command is about, where the source names it."""
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Attribute):
        return f"({ast.unparse(first)})"
    return f"({first.value})" if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def takes() -> list[str]:
    """The functions that are updates of a case."""
    found: list[str] = []
    for path in sorted((ROOT / "workflows").glob("*.py")):
        for name, function in _functions(ast.parse(path.read_text(encoding="utf-8"))):
            called = [one.func for one in function.decorator_list if isinstance(one, ast.Call)]
            found += [f"{path.stem}.{name}" for one in called if _name(one) == "takes"]
    return found


def kept() -> dict[str, list[str]]:
    return json.loads(KEPT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    KEPT.write_text(json.dumps(fingerprints(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
