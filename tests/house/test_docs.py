"""What the documents say must be so: generated parts are fresh, links, files, commands and settings exist."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer import Context
from typer.main import get_group
from typer.testing import CliRunner

from runtime import documents
from runtime.cli import app
from runtime.commands.rules import app as rules_app
from runtime.pictures.lives import SPOTS
from runtime.settings import PROJECT_ROOT, Settings

PAGES = sorted([*PROJECT_ROOT.glob("*.md"), *(PROJECT_ROOT / "docs").rglob("*.md"), PROJECT_ROOT / "rules/README.md"])
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
TARGETS = set(re.findall(r"^([a-z]+):", (PROJECT_ROOT / "Makefile").read_text(), re.MULTILINE))
MADE = re.compile(r"(?:`|^\s*(?:\$ )?)make ([a-z]+)", re.MULTILINE)
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
ANZE = re.compile(r"(?:(?<![\w./-])|\.venv/bin/)anze(?= [a-z-])([^`\n|;&)#*（，。]*)")
"""A command line up to where the shell, or the sentence around it, goes on with something else."""
FILE = re.compile(r"`([a-z_]+/[\w./-]*\w)(?:::\w+)?`")
"""A path in code quotes without a place to fill in."""
OF_A_RUN = {"var", "files", "anchors"}
"""Folders that a running system makes."""
PORTS = tuple(name for name in Settings.model_fields if name.endswith("_port") and "metrics" not in name)


def page_name(page: Path) -> str:
    return str(page.relative_to(PROJECT_ROOT))


def test_pictures_glossary_and_problem_codes_are_what_make_docs_would_write() -> None:
    assert [page_name(path) for path in documents.stale()] == []


def test_every_word_is_explained_and_no_other_is() -> None:
    said = yaml.safe_load((documents.DOCS / "words.yaml").read_text(encoding="utf-8"))
    known = {words.__name__: {word.value for word in words} for words in documents.vocabularies()}
    assert {name: set(entry["words"]) for name, entry in said.items()} == known


def test_every_stage_of_a_hazard_has_its_place_in_the_picture() -> None:
    assert set(SPOTS) == set(documents.vocabulary.HazardStage)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_link_between_documents_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name != "decisions"], ids=page_name)
def test_every_file_named_is_there(page: Path) -> None:
    """From the root of the project, or below tests/; a decision may name what was there on its day."""
    named = {path for path in FILE.findall(page.read_text(encoding="utf-8")) if _is_ours(path)}
    roots = (PROJECT_ROOT, PROJECT_ROOT / "tests")
    assert {path for path in named if not any((root / path).exists() for root in roots)} == set()


def _is_ours(path: str) -> bool:
    first = path.partition("/")[0]
    return first not in OF_A_RUN and (PROJECT_ROOT / first).is_dir()


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_console_command_named_exists_with_its_options(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    said = (line for part in CODE.findall(text) for line in ANZE.findall(part))
    assert [f"anze{line}: {fault}" for line in said for fault in _wrong(line)] == []


def _wrong(line: str) -> Iterator[str]:
    """What of a command line does not exist: the first unknown word, or options the command does not take."""
    words, command = line.split(), _console()
    while words and hasattr(command, "commands"):
        named = words.pop(0)
        if named.startswith("-") or not named.replace("-", "").isalpha():
            return
        command = command.get_command(Context(command), named)
        if command is None:
            yield named
            return
    taken = {"--help"}.union(*(one.opts + one.secondary_opts for one in command.params))
    yield from (word for word in words if word.startswith("--") and word not in taken)


@cache
def _console() -> Any:  # click is typer's own affair
    return get_group(app)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_make_command_named_exists(page: Path) -> None:
    assert set(MADE.findall(page.read_text(encoding="utf-8"))) <= TARGETS


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_setting_named_is_read(page: Path) -> None:
    named = set(re.findall(r"\bANZE_[A-Z_]+[A-Z]\b", page.read_text(encoding="utf-8")))
    read = set(Settings().model_copy(update=dict.fromkeys(Settings.model_fields, "x")).as_environment())
    deployment_only = {"ANZE_OWNER_PASSWORD", "ANZE_APP_PASSWORD", "ANZE_BACKUP_PASSWORD"}
    of_commands = {"ANZE_API_KEY"}
    assert named - read - deployment_only - of_commands == set()


@pytest.mark.parametrize("name", PORTS)
def test_the_readme_names_the_port_a_setting_defaults_to(name: str) -> None:
    readme = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    assert str(Settings.model_fields[name].default) in readme


def test_pictures_are_small_enough_to_load_on_a_slow_line() -> None:
    heavy = {path.name for path in documents.PICTURES.glob("*.png") if path.stat().st_size > 300_000}
    assert heavy == set()


def test_the_smallest_city_of_the_readme_passes_its_example(tmp_path: Path) -> None:
    readme = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"<!-- example: (\w+) -->\n```yaml\n(.*?)```", readme, re.DOTALL))
    place = tmp_path / "999900_shili"
    place.mkdir()
    (place / "2026-01-01.yaml").write_text(blocks["pack"], encoding="utf-8")
    (place / "examples.yaml").write_text(blocks["examples"], encoding="utf-8")
    ran = CliRunner().invoke(rules_app, ["examples", str(place / "examples.yaml"), "--packs", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
