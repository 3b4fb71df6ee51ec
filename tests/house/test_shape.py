"""The shape of the house: short functions and files, a sentence at each head, Chinese labels, no trace of a machine."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from models.contracts import vocabulary
from models.contracts.vocabulary import Word
from rules import lock
from rules.library import Library
from runtime.settings import PROJECT_ROOT, Settings

ROOMS = ("models", "rules", "domain", "workflows", "activities", "api", "runtime")
LONGEST_FUNCTION, LONGEST_FILE, LONGEST_TEST = 50, 300, 400
LONG_FILES = {
    "models/contracts/vocabulary.py": "every closed list of words; one line per word",
}
CHINESE = re.compile("[\u4e00-\u9fff]")


def committed(*patterns: str) -> list[Path]:
    """Files under version control, and new ones that are not ignored."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(listed, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [PROJECT_ROOT / name for name in names if (PROJECT_ROOT / name).is_file()]


def name(path: Path) -> str:
    return path.relative_to(PROJECT_ROOT).as_posix()


PYTHON = committed("*.py")


@cache
def parsed(path: Path) -> ast.Module:
    """Python 3.11 takes a tree for broken while another thread parses (its issue 106905): then once more."""
    text = path.read_text(encoding="utf-8")
    try:
        return ast.parse(text)
    except SystemError:
        return ast.parse(text)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name(path)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_function_is_longer_than_fifty_lines() -> None:
    assert [one for path in PYTHON for one in functions(path) if one[1] > LONGEST_FUNCTION] == []


def test_no_file_is_longer_than_three_hundred_lines_and_no_test_than_four_hundred() -> None:
    for path in PYTHON:
        limit = LONGEST_TEST if name(path).startswith("tests/") else LONGEST_FILE
        length = len(path.read_text(encoding="utf-8").splitlines())
        assert length <= limit or name(path) in LONG_FILES, f"{name(path)}: {length}"


def test_every_exception_is_still_needed() -> None:
    short = {one for one in LONG_FILES if len((PROJECT_ROOT / one).read_text().splitlines()) <= LONGEST_FILE}
    assert short == set()


def test_every_package_file_is_empty() -> None:
    assert [name(path) for path in PYTHON if path.name == "__init__.py" and path.read_text()] == []


def test_every_module_opens_with_a_sentence() -> None:
    modules = [path for path in PYTHON if path.name != "__init__.py" and not name(path).startswith("migrations/")]
    silent = [name(path) for path in modules if not ast.get_docstring(parsed(path))]
    assert silent == []


def test_no_manager_helper_or_utility() -> None:
    banned = re.compile(r"(?i)(manager|helper|util|common|base.*impl)")
    modules = {path.stem for path in PYTHON}
    classes = {node.name for path in PYTHON for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)}
    assert {one for one in modules | classes if banned.search(one)} == set()


def words() -> list[Word]:
    kinds = [kind for kind in vars(vocabulary).values() if isinstance(kind, type) and issubclass(kind, Word)]
    return [word for kind in kinds if kind is not Word for word in kind]  # type: ignore[attr-defined]


def test_every_word_has_a_chinese_label() -> None:
    assert len(words()) > 100
    assert [f"{type(word).__name__}.{word.name}" for word in words() if not CHINESE.search(word.label)] == []


def test_released_packs_are_as_they_were_released() -> None:
    assert lock.broken(lock.read_lock(), lock.digests(Library().known())) == ()


def test_every_setting_is_explained() -> None:
    """In its description, or in the guide to deployment."""
    guide = (PROJECT_ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    silent = [
        field
        for field, told in Settings.model_fields.items()
        if not told.description and field.upper() not in guide and f"ANZE_{field.upper()}" not in guide
    ]
    assert silent == []


REGISTRIES = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "docker" + ".io/", "ghcr" + ".io")
THIS_MACHINE = re.compile(r"(?<![\w.:/-])/(?:wo" + r"rk|ro" + r"ot|home/\w+|Users/\w+)/[\w.]")
BINARY = {".png", ".woff2", ".ico", ".xlsx", ".pdf"}


@pytest.mark.parametrize("pattern", ["requirements.lock", "pyproject.toml"])
def test_no_dependency_is_tied_to_an_address(pattern: str) -> None:
    [path] = committed(pattern)
    addresses = re.findall(r"(?:https?|git\+|file):\S+", path.read_text(encoding="utf-8"))
    assert [one for one in addresses if "w3.org" not in one] == []


def test_no_committed_file_names_a_registry_or_a_path_of_this_machine() -> None:
    found: list[str] = []
    for path in committed():
        if path.suffix in BINARY:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{name(path)}: {host}" for host in REGISTRIES if host in text]
        found += [f"{name(path)}: {spot}" for spot in THIS_MACHINE.findall(text)]
    assert found == []
